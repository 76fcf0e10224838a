/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that are opened: `parse_json`, `parse_query`, on a rule and in a source. What is read after
 * them, in the same map, has one more element around it.
 *
 * Wrong is what never is such a text, and more elements around each other than a run has room for.
 */
#include "compile.h"

/* The slot of those that open the same text of the same element; else a new one. */
static size_t slot_of(struct bb_compiler *c, const struct bb_parse *parse)
{
	for (size_t i = 0; i < c->parses.n; i++) {
		const struct bb_parse *known = c->parses.items[i];

		if (known->kind == parse->kind && known->ups == parse->ups &&
		    bb_text_equal(known->name, parse->name))
			return known->slot;
	}
	return c->connector->parse_n++;
}

void bb_compile_parse(struct bb_compiler *c, const struct bb_yaml *node,
		      const struct bb_option *option, void *target)
{
	bool query = strcmp(option->name, "parse_query") == 0;
	struct bb_parse *parse = bb_arena_zalloc(c->arena, sizeof(*parse));
	struct bb_parse *kept = parse;
	size_t before = c->diagnostics->n;

	if (bb_compile_text(c, node, "a path to a text, e.g. '$.content'", &parse->name))
		bb_compile_scalar(c, node, &parse->text);
	parse->ups = c->ups++; /* with mistakes, too: there is one more around what follows */
	if (c->diagnostics->n > before)
		return;
	if (parse->text.kind != BB_EXPR_PATH &&
	    (parse->text.kind != BB_EXPR_META ||
	     (parse->text.meta != BB_META_KEY && parse->text.meta != BB_META_HEADER)))
		bb_compile_complain(c, node,
				    "must be a path to a text, @key or @header(\"name\"), not "
				    "\"%s\"",
				    parse->name.p);
	if (c->ups >= BB_PLAN_FRAMES_MAX)
		bb_compile_complain(c, node, "more than %d elements around each other",
				    BB_PLAN_FRAMES_MAX);
	parse->kind = query ? BB_PARSE_QUERY : BB_PARSE_JSON;
	parse->slot = slot_of(c, parse);
	c->connector->reads_query |= query;
	BB_ARENA_PUSH(c->diagnostics->arena, c->parses.items, c->parses.n, c->parses.room) = parse;
	memcpy(target, &kept, sizeof(kept));
}
