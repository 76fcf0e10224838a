/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes from a message before it is kept: its key, headers, and paths from its top. Who writes
 * them thinks of the message as rules see it; so each path holds at every place that is the top for
 * some rule: a text that is a rule's element, and whatever an envelope may hold. The key and the
 * headers that a relay's envelope has are such too, and the attributes of a CloudEvent are headers
 * in its binary form.
 *
 * A path that names nothing, and metadata that no producer writes, is complained about.
 */
#include <backbone/record.h>

#include "compile.h"
#include "path.h"

static void add_header(struct bb_compiler *c, struct bb_text name)
{
	struct bb_names *names = &c->connector->redact_headers;

	BB_ARENA_PUSH(c->arena, names->items, names->n, names->room) = name;
}

/* @key, @header("name") */
static void compile_redacted_meta(struct bb_compiler *c, const struct bb_yaml *node,
				  const struct bb_option *option)
{
	struct bb_expr expr = {.kind = BB_EXPR_META};
	struct bb_yaml word = *node;
	const char *end = memchr(node->text.p, '(', node->text.n);

	if (end)
		word.text =
			bb_arena_copy(c->diagnostics->arena,
				      bb_text_bytes(node->text.p, (size_t)(end - node->text.p)));
	if (!bb_text_equal(word.text, BB_TEXT("@key")) &&
	    !bb_text_equal(word.text, BB_TEXT("@header"))) {
		bb_compile_unknown(c, &word, "metadata to redact",
				   bb_compile_words(c, option->words));
		return;
	}
	if (!bb_compile_scalar(c, node, &expr))
		return;
	if (expr.meta == BB_META_KEY)
		c->connector->redacts_key = true;
	else
		add_header(c, expr.text);
}

static void compile_redacted(struct bb_compiler *c, const struct bb_yaml *node,
			     const struct bb_option *option)
{
	struct bb_connector *connector = c->connector;
	struct bb_path path;

	if (node->kind == BB_YAML_SCALAR && node->text.n > 0 && node->text.p[0] == '@') {
		compile_redacted_meta(c, node, option);
		return;
	}
	if (!bb_compile_top_path(c, node, &path))
		return;
	if (path.step_n == 0) {
		bb_compile_complain(c, node, "$ is the whole message; name what must go");
		return;
	}
	if (bb_connector_has_records(connector) && !bb_compile_column(c, node, &path))
		return;
	BB_ARENA_PUSH(c->arena, connector->redact, connector->redact_n, connector->redact_room) =
		path;
}

void bb_compile_redact(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	(void)target;
	if (node->kind != BB_YAML_LIST) {
		compile_redacted(c, node, option);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		size_t mark = bb_compile_enter_item(c, i);

		compile_redacted(c, node->items[i], option);
		bb_compile_leave(c, mark);
	}
}

static void add_steps(struct bb_compiler *c, struct bb_path *path, const struct bb_path *more,
		      size_t n)
{
	for (size_t i = 0; i < n; i++)
		BB_ARENA_PUSH(c->arena, path->steps, path->step_n, path->step_room) =
			more->steps[i];
}

/* Steps of `each` to the element that many further out. */
static size_t steps_to(const struct bb_event_plan *event, unsigned up)
{
	unsigned left = event->each_n > up ? event->each_n - up : 0;
	size_t n = 0;

	while (left > 0)
		left -= bb_path_walks(&event->each.steps[n++]);
	return n;
}

/* The path below another one. */
static void add_below(struct bb_compiler *c, const struct bb_path *above,
		      const struct bb_path *path)
{
	struct bb_connector *connector = c->connector;
	struct bb_path whole = {.up = 0};

	add_steps(c, &whole, above, above->step_n);
	add_steps(c, &whole, path, path->step_n);
	BB_ARENA_PUSH(c->arena, connector->redact, connector->redact_n, connector->redact_room) =
		whole;
}

/* Each path below the text that is a rule's element. */
static void add_in_text(struct bb_compiler *c, const struct bb_event_plan *event, size_t n)
{
	const struct bb_path *text = &event->parse->text.path;

	for (size_t i = 0; i < n; i++) {
		struct bb_path above = {.up = 0};

		add_steps(c, &above, &event->each, steps_to(event, text->up));
		add_steps(c, &above, text, text->step_n);
		add_below(c, &above, &c->connector->redact[i]);
	}
}

/* The tops inside of an envelope whose own top is `outer`. */
static void add_tops(struct bb_compiler *c, enum bb_unwrap kind, struct bb_path outer,
		     struct bb_paths *tops)
{
	static const struct {
		enum bb_unwrap kind;
		const char *names[2];
	} rows[] = {
		{BB_UNWRAP_CLOUDEVENTS, {"data"}},
		{BB_UNWRAP_CLOUDEVENTS, {"data_base64"}},
		{BB_UNWRAP_RELAY, {"body"}},
		{BB_UNWRAP_RELAY, {"message", "data"}},
		{BB_UNWRAP_DEBEZIUM, {"after"}},
		{BB_UNWRAP_DEBEZIUM, {"before"}},
		{BB_UNWRAP_DEBEZIUM, {"payload"}},
		{BB_UNWRAP_DEBEZIUM, {"payload", "after"}},
		{BB_UNWRAP_DEBEZIUM, {"payload", "before"}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_path top = {.up = 0};

		if (rows[i].kind != kind)
			continue;
		add_steps(c, &top, &outer, outer.step_n);
		for (size_t k = 0; k < 2 && rows[i].names[k]; k++)
			BB_ARENA_PUSH(c->arena, top.steps, top.step_n, top.step_room) =
				(struct bb_step){.kind = BB_STEP_NAME,
						 .name = bb_text_of(rows[i].names[k])};
		BB_ARENA_PUSH(c->arena, tops->items, tops->n, tops->room) = top;
	}
}

static void add_name(struct bb_compiler *c, struct bb_path *path, struct bb_text name,
		     bool any_case)
{
	BB_ARENA_PUSH(c->arena, path->steps, path->step_n, path->step_room) =
		(struct bb_step){.kind = BB_STEP_NAME, .name = name, .any_case = any_case};
}

/* The key and the headers in a relay's envelope. */
static void add_relayed(struct bb_compiler *c, const struct bb_path *outer)
{
	struct bb_connector *connector = c->connector;
	struct bb_path end = {.up = 0};

	add_name(c, &end, BB_TEXT("key"), false);
	if (connector->redacts_key)
		add_below(c, outer, &end);
	for (size_t i = 0; i < connector->redact_headers.n; i++) {
		end = (struct bb_path){.up = 0};
		add_name(c, &end, BB_TEXT("headers"), false);
		add_name(c, &end, connector->redact_headers.items[i], true);
		add_below(c, outer, &end);
	}
}

/* What is a member of a structured CloudEvent is a header of a binary one. */
static void add_attribute_headers(struct bb_compiler *c, size_t n)
{
	static const char *const forms[] = {"ce_", "ce-"};

	for (size_t i = 0; i < n; i++) {
		const struct bb_step *step = &c->connector->redact[i].steps[0];

		for (size_t k = 0; k < 2 && step->kind == BB_STEP_NAME; k++)
			add_header(c, bb_arena_printf(c->arena, "%s%.*s", forms[k],
						      (int)step->name.n, step->name.p));
	}
}

static void add_elements(struct bb_compiler *c, size_t n)
{
	const struct bb_event_plans *events = &c->connector->events;

	for (size_t i = 0; i < events->n; i++)
		if (events->items[i].parse && events->items[i].parse->text.kind == BB_EXPR_PATH)
			add_in_text(c, &events->items[i], n);
}

void bb_compile_redacted_tops(struct bb_compiler *c)
{
	struct bb_connector *connector = c->connector;
	struct bb_paths tops = {NULL, 0, 0}, relays = {NULL, 0, 0};
	size_t n = connector->redact_n, before;

	if (bb_connector_has_records(connector))
		return;
	add_elements(c, n);
	BB_ARENA_PUSH(c->arena, tops.items, tops.n, tops.room) = (struct bb_path){.up = 0};
	for (size_t i = 0; i < connector->unwrap.n; i++) {
		enum bb_unwrap kind = connector->unwrap.items[i];

		before = tops.n;
		for (size_t k = 0; k < before; k++) {
			if (kind == BB_UNWRAP_RELAY)
				BB_ARENA_PUSH(c->arena, relays.items, relays.n, relays.room) =
					tops.items[k];
			add_tops(c, kind, tops.items[k], &tops);
		}
		if (kind == BB_UNWRAP_CLOUDEVENTS)
			add_attribute_headers(c, n);
	}
	n = connector->redact_n;
	for (size_t k = 1; k < tops.n; k++)
		for (size_t i = 0; i < n; i++)
			add_below(c, &tops.items[k], &connector->redact[i]);
	for (size_t k = 0; k < relays.n; k++)
		add_relayed(c, &relays.items[k]);
}
