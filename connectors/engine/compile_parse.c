/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is opened: envelopes (`unwrap`), and texts (`parse_json`, `parse_query`) on a rule and in a
 * source. Each is one more element around what is read after it: for texts in the same map, for
 * envelopes in the whole file.
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
	size_t before = c->diagnostics->found;

	if (bb_compile_text(c, node, "a path to a text, e.g. '$.content'", &parse->name))
		bb_compile_scalar(c, node, &parse->text);
	parse->ups = c->ups++; /* with mistakes, too: there is one more around what follows */
	if (c->diagnostics->found > before)
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

static void add_unwrap(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, struct bb_unwraps *list)
{
	struct bb_names allowed = bb_compile_words(c, option->words);
	struct bb_text word;
	unsigned kind = 0;

	if (!bb_compile_text(c, node, "a word", &word))
		return;
	while (kind < allowed.n && !bb_text_equal(allowed.items[kind], word))
		kind++;
	if (kind++ == allowed.n) { /* they count from 1 */
		bb_compile_unknown(c, node, option->name, allowed);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i] == kind) {
			bb_compile_complain(c, node, "\"%s\" is in \"unwrap\" twice", word.p);
			return;
		}
	if (kind == BB_UNWRAP_NONE)
		return;
	list->items[list->n++] = (enum bb_unwrap)kind;
	c->whole += kind != BB_UNWRAP_CONFLUENT_JSON; /* which is bytes, and no element */
	c->ups = c->whole;
}

void bb_compile_unwrap(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	struct bb_unwraps *list = target;
	size_t mark;

	if (node->kind != BB_YAML_LIST) {
		add_unwrap(c, node, option, list);
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter_item(c, i);
		if (node->n > 1 && bb_text_equal(node->items[i]->text, BB_TEXT("none")))
			bb_compile_complain(c, node->items[i], "none stands alone");
		else
			add_unwrap(c, node->items[i], option, list);
		bb_compile_leave(c, mark);
	}
}
