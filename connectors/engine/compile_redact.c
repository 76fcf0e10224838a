/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes from a message before it is kept: paths from its top. Who writes them thinks of the
 * message as rules see it; so each path holds at every place that is the top for some rule: a text
 * that is a rule's element, and whatever an envelope may hold.
 *
 * A path that names nothing is complained about.
 */
#include <backbone/record.h>

#include "compile.h"
#include "path.h"

static void compile_redacted(struct bb_compiler *c, const struct bb_yaml *node)
{
	struct bb_connector *connector = c->connector;
	struct bb_path path;

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
	(void)option;
	(void)target;
	if (node->kind != BB_YAML_LIST) {
		compile_redacted(c, node);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		size_t mark = bb_compile_enter_item(c, i);

		compile_redacted(c, node->items[i]);
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
		left -= event->each.steps[n++].kind == BB_STEP_EACH;
	return n;
}

/* The path below another one. */
static void add_below(struct bb_compiler *c, struct bb_path above, const struct bb_path *path)
{
	struct bb_connector *connector = c->connector;

	add_steps(c, &above, path, path->step_n);
	BB_ARENA_PUSH(c->arena, connector->redact, connector->redact_n, connector->redact_room) =
		above;
}

/* Each path below the text that is a rule's element. */
static void add_in_text(struct bb_compiler *c, const struct bb_event_plan *event, size_t n)
{
	const struct bb_path *text = &event->parse->text.path;

	for (size_t i = 0; i < n; i++) {
		struct bb_path above = {.up = 0};

		add_steps(c, &above, &event->each, steps_to(event, text->up));
		add_steps(c, &above, text, text->step_n);
		add_below(c, above, &c->connector->redact[i]);
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

void bb_compile_redacted_tops(struct bb_compiler *c)
{
	struct bb_connector *connector = c->connector;
	struct bb_paths tops = {NULL, 0, 0};
	size_t n = connector->redact_n, before;

	if (n == 0 || bb_connector_has_records(connector))
		return;
	for (size_t i = 0; i < connector->events.n; i++)
		if (connector->events.items[i].parse &&
		    connector->events.items[i].parse->text.kind == BB_EXPR_PATH)
			add_in_text(c, &connector->events.items[i], n);
	BB_ARENA_PUSH(c->arena, tops.items, tops.n, tops.room) = (struct bb_path){.up = 0};
	for (size_t i = 0; i < connector->unwrap.n; i++) {
		before = tops.n;
		for (size_t k = 0; k < before; k++)
			add_tops(c, connector->unwrap.items[i], tops.items[k], &tops);
	}
	n = connector->redact_n;
	for (size_t k = 1; k < tops.n; k++)
		for (size_t i = 0; i < n; i++) {
			struct bb_path above = {.up = 0};

			add_steps(c, &above, &tops.items[k], tops.items[k].step_n);
			add_below(c, above, &connector->redact[i]);
		}
}
