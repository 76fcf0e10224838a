/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes from a message before it is kept: paths from its top. Who writes them thinks of the
 * message as rules see it; so each path holds at every place that is the top for some rule: a text
 * that is a rule's element.
 *
 * A path that names nothing is complained about.
 */
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
	if (connector->format == BB_FORMAT_TSV && !bb_compile_column(c, node, &path))
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

void bb_compile_redacted_texts(struct bb_compiler *c)
{
	struct bb_connector *connector = c->connector;
	size_t n = connector->redact_n;

	for (size_t i = 0; i < connector->events.n; i++) {
		const struct bb_event_plan *event = &connector->events.items[i];
		const struct bb_path *text = event->parse ? &event->parse->text.path : NULL;

		if (!text || event->parse->text.kind != BB_EXPR_PATH ||
		    connector->format == BB_FORMAT_TSV)
			continue;
		for (size_t k = 0; k < n; k++) {
			struct bb_path path = {.up = 0};

			add_steps(c, &path, &event->each, steps_to(event, text->up));
			add_steps(c, &path, text, text->step_n);
			add_steps(c, &path, &connector->redact[k], connector->redact[k].step_n);
			BB_ARENA_PUSH(c->arena, connector->redact, connector->redact_n,
				      connector->redact_room) = path;
		}
	}
}
