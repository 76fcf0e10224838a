/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `try --explain`: for each rule whether it took the message, and if not which condition kept it
 * away; for each key which source won, and why the others did not. For people indented under the
 * rule; with --json a line a rule, {"rule":...}, and a line a source, {"path":...}, before the
 * events.
 */
#include "try.h"

#define VALUE_MAX 60 /* bytes of a value that people are shown */

static void put_value(struct bb_text value, FILE *out)
{
	size_t n = value.n < VALUE_MAX ? value.n : VALUE_MAX;
	struct bb_buf json = BB_BUF_EMPTY;

	while (n < value.n && n > 0 && ((unsigned char)value.p[n] & 0xc0) == 0x80)
		n--; /* not in the middle of a character */
	bb_buf_json(&json, bb_text_bytes(value.p, n));
	fprintf(out, "%.*s%s", (int)json.n, json.p, n < value.n ? " ..." : "");
	bb_buf_fini(&json);
}

static void pair(struct bb_buf *buf, const char *name, struct bb_text value)
{
	bb_buf_printf(buf, "%s\"%s\":", buf->n > 1 ? "," : "", name);
	if (value.p)
		bb_buf_json(buf, value);
	else
		bb_buf_printf(buf, "null");
}

static void end_line(struct bb_buf *buf, FILE *out)
{
	fprintf(out, "%.*s}\n", (int)buf->n, buf->p);
	bb_buf_fini(buf);
}

static void rule_json(const struct bb_trace_rule *rule, FILE *out)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_printf(&buf, "{\"rule\":\"events[%zu]\"", rule->rule);
	pair(&buf, "name", rule->name);
	pair(&buf, "element", rule->element);
	bb_buf_printf(&buf, ",\"taken\":%s", rule->taken ? "true" : "false");
	if (rule->path.p) {
		pair(&buf, "because", rule->path);
		bb_buf_printf(&buf, ",\"line\":%u", rule->line);
		pair(&buf, "found", rule->found);
		if (rule->there.p)
			pair(&buf, "there", rule->there);
		pair(&buf, "wanted",
		     rule->wanted.p	   ? rule->wanted
		     : rule->must_be_there ? BB_TEXT("there")
					   : BB_TEXT("absent"));
	}
	end_line(&buf, out);
}

/* What is there, and what the condition wants. */
static void put_why(const struct bb_trace_rule *rule, FILE *out)
{
	bool any = rule->found.p || rule->there.p;

	if (!rule->wanted.p && rule->must_be_there) {
		fprintf(out, " has no usable value, but must be there");
		return;
	}
	fprintf(out, rule->wanted.p ? ": " : " is there (");
	if (rule->found.p)
		put_value(rule->found, out);
	else
		fprintf(out, "%.*s", any ? (int)rule->there.n : 15,
			any ? rule->there.p : "no usable value");
	if (rule->wanted.p)
		fprintf(out, ", wanted: %.*s", (int)rule->wanted.n, rule->wanted.p);
	else
		fprintf(out, "), but must be absent");
}

static void on_rule(void *ctx, const struct bb_trace_rule *rule)
{
	struct bb_try_explain *self = ctx;
	FILE *out = self->out;

	self->path.n = 0;
	if (self->json) {
		rule_json(rule, out);
		return;
	}
	fprintf(out, "  events[%zu]", rule->rule);
	if (rule->name.p)
		fprintf(out, " (%.*s)", (int)rule->name.n, rule->name.p);
	if (rule->element.n)
		fprintf(out, ", element %.*s", (int)rule->element.n, rule->element.p);
	if (rule->taken) {
		fprintf(out, ": takes it\n");
	} else if (!rule->path.p) {
		fprintf(out, ": no, there is nothing to open\n");
	} else {
		fprintf(out, ": no, line %u, %.*s", rule->line, (int)rule->path.n, rule->path.p);
		put_why(rule, out);
		fprintf(out, "\n");
	}
}

static void source_json(const struct bb_trace_source *source, FILE *out)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_byte(&buf, '{');
	pair(&buf, "path", source->path);
	bb_buf_printf(&buf, ",\"line\":%u,\"column\":%u", source->line, source->column);
	pair(&buf, "source", source->source);
	pair(&buf, "outcome", bb_text_of(bb_trace_text(source->outcome)));
	if (source->sought.p)
		pair(&buf, "sought", source->sought);
	if (source->outcome == BB_TRIED_TAKEN || source->outcome == BB_TRIED_NO_FACT)
		pair(&buf, "value", source->value);
	end_line(&buf, out);
}

static void on_source(void *ctx, const struct bb_trace_source *source)
{
	struct bb_try_explain *self = ctx;
	FILE *out = self->out;

	if (self->json) {
		source_json(source, out);
		return;
	}
	if (!bb_text_equal(bb_buf_slice(&self->path), source->path)) {
		self->path.n = 0;
		bb_buf_text(&self->path, source->path);
		fprintf(out, "    %.*s, line %u\n", (int)source->path.n, source->path.p,
			source->line);
	}
	fprintf(out, "      %-28.*s  %s", (int)source->source.n, source->source.p,
		bb_trace_text(source->outcome));
	if (source->outcome == BB_TRIED_TAKEN && source->value.p) {
		fprintf(out, ": ");
		put_value(source->value, out);
	}
	if (source->sought.p)
		fprintf(out, ": %.*s", (int)source->sought.n, source->sought.p);
	fprintf(out, "\n");
}

void bb_try_explain(struct bb_try_explain *self, const struct bb_connector *connector,
		    const struct bb_message *msg, struct bb_arena *arena,
		    struct bb_extraction *ret_extraction)
{
	const struct bb_trace trace = {.source = on_source, .rule = on_rule, .ctx = self};

	self->path.n = 0;
	if (!self->json)
		fprintf(self->out, "%s:%lld\n", self->file, (long long)msg->offset + 1);
	bb_connector_trace(connector, msg, arena, &trace, ret_extraction);
}
