/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a connector file: each file of bad/ with the messages beside it. */
#include <criterion/criterion.h>

#include "fixture.h"

static void check_file(struct bb_arena *arena, const char *name)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_buf got = BB_BUF_EMPTY, text, want;
	struct bb_connector *connector;

	text = fixture_file(bb_arena_printf(arena, "bad/%s", name).p);
	want = fixture_file(
		bb_arena_printf(arena, "bad/%.*s.txt", (int)(strlen(name) - 5), name).p);
	connector = bb_connector_compile(name, bb_buf_slice(&text), fixture_rules(), &diagnostics);
	cr_expect_null(connector, "%s", name);
	fixture_print_diagnostics(&diagnostics, &got);
	cr_expect(bb_text_equal(bb_buf_slice(&got), bb_buf_slice(&want)), "%s: got\n%.*s\nwant\n%s",
		  name, (int)got.n, got.p, want.p);
	bb_connector_free(connector);
	bb_buf_fini(&got);
	bb_buf_fini(&text);
	bb_buf_fini(&want);
}

Test(engine, mistakes_are_told_with_their_place)
{
	struct bb_names_list files;
	struct bb_arena arena;

	bb_arena_init(&arena);
	files = fixture_list(&arena, "bad", ".yaml");
	cr_assert_gt(files.n, 15);
	for (size_t i = 0; i < files.n; i++)
		check_file(&arena, files.items[i]);
	bb_arena_fini(&arena);
}

static struct bb_connector *compile(struct bb_arena *arena, const char *yaml,
				    const struct bb_rules *rules)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_buf lines = BB_BUF_EMPTY;
	struct bb_connector *connector;

	connector = bb_connector_compile("c.yaml", bb_text_of(yaml), rules, &diagnostics);
	fixture_print_diagnostics(&diagnostics, &lines);
	cr_assert_not_null(connector, "%.*s", (int)lines.n, lines.p);
	bb_buf_fini(&lines);
	return connector;
}

#define EVENTS "events: [{type: t, identify: {ns: any_name, from: '$.e'}}]\n"

Test(engine, connector_says_what_it_reads)
{
	struct bb_connector *connector;
	struct bb_arena arena;

	bb_arena_init(&arena);
	connector = compile(&arena, "connector: shop.till_2\nchannel: pos\ntopics: [b, a]\n" EVENTS,
			    NULL);
	cr_expect_str_eq(bb_connector_name(connector), "shop.till_2");
	cr_expect_str_eq(bb_connector_channel(connector), "pos");
	cr_expect_eq(bb_connector_topic_n(connector), 2);
	cr_expect_str_eq(bb_connector_topic(connector, 0), "b");
	cr_expect_null(bb_connector_topic_pattern(connector));
	bb_connector_free(connector);
	connector =
		compile(&arena, "connector: a\nchannel: pos\ntopics: /^shop\\..*/\n" EVENTS, NULL);
	cr_expect_eq(bb_connector_topic_n(connector), 0);
	cr_expect_str_eq(bb_connector_topic_pattern(connector), "^shop\\..*");
	bb_connector_free(connector);
	connector = compile(&arena, "connector: a\nformat: canonical\ntopics: ['/^x/']\n", NULL);
	cr_expect_str_eq(bb_connector_channel(connector), "other");
	cr_expect_str_eq(bb_connector_topic_pattern(connector), "^x");
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

Test(engine, mistakes_come_in_the_order_of_the_file)
{
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	struct bb_connector *connector;

	bb_arena_init(&arena);
	connector = bb_connector_compile("c.yaml",
					 BB_TEXT("otherwise: x\nevents: y\nchannel: []\nmore: z\n"),
					 NULL, &diagnostics);
	cr_assert_null(connector);
	for (size_t i = 1; i < diagnostics.n; i++)
		cr_expect_leq(diagnostics.items[i - 1].line, diagnostics.items[i].line);
	cr_expect_geq(diagnostics.n, 5);
	bb_arena_fini(&arena);
}
