/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, and guesses. */
#include <backbone/yaml.h>
#include <criterion/criterion.h>

Test(yaml, prints_diagnostics)
{
	static const struct {
		struct bb_diagnostic diagnostic;
		const char *text;
	} rows[] = {
		{{"f.yaml", 14, 62, "events[0].time.format", "unknown format"},
		 "f.yaml:14:62: events[0].time.format: unknown format"},
		{{"f.yaml", 1, 1, "", "empty"}, "f.yaml:1:1: empty"},
		{{"f.yaml", 1, 1, NULL, "empty"}, "f.yaml:1:1: empty"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_buf buf = BB_BUF_EMPTY;

		bb_diagnostic_print(&rows[i].diagnostic, &buf);
		cr_assert(bb_text_equal(bb_buf_slice(&buf), bb_text_of(rows[i].text)), "row %zu",
			  i);
		bb_buf_fini(&buf);
	}
}

Test(yaml, complains_at_a_node)
{
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	struct bb_yaml node = {.line = 3, .column = 7};
	char file[] = "f.yaml", path[] = "a.b";

	bb_arena_init(&arena);
	bb_yaml_complain(file, &node, path, &diagnostics, "bad \"%s\"", "x\ny");
	bb_yaml_complain(file, NULL, NULL, &diagnostics, "%0300d", 1);
	file[0] = path[0] = 'z'; /* they are copied */
	cr_assert_eq(diagnostics.n, 2);
	cr_assert_str_eq(diagnostics.items[0].file, "f.yaml");
	cr_assert_str_eq(diagnostics.items[0].path, "a.b");
	cr_assert_str_eq(diagnostics.items[0].message, "bad \"x?y\"");
	cr_assert(diagnostics.items[0].line == 3 && diagnostics.items[0].column == 7);
	cr_assert_str_eq(diagnostics.items[1].path, "");
	cr_assert_eq(strlen(diagnostics.items[1].message), 300);
	cr_assert(diagnostics.items[1].line == 1 && diagnostics.items[1].column == 1);
	bb_arena_fini(&arena);
}

Test(yaml, tells_the_first_of_many_mistakes_and_that_there_are_more)
{
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};

	bb_arena_init(&arena);
	for (unsigned i = 1; i <= BB_DIAGNOSTICS_MAX; i++) {
		bb_yaml_complain("f.yaml", &(struct bb_yaml){.line = i}, "a", &diagnostics, "bad");
		cr_assert_not(bb_yaml_has_told(&diagnostics), "%u", i);
	}
	cr_assert_eq(diagnostics.n, BB_DIAGNOSTICS_MAX);
	for (unsigned i = 0; i < 1000; i++)
		bb_yaml_complain("f.yaml", &(struct bb_yaml){.line = 777 + i}, "a", &diagnostics,
				 "bad");
	cr_assert(bb_yaml_has_told(&diagnostics));
	cr_assert_eq(diagnostics.n, BB_DIAGNOSTICS_MAX + 1);
	cr_assert_eq(diagnostics.found, BB_DIAGNOSTICS_MAX + 1000);
	cr_assert_eq(diagnostics.items[BB_DIAGNOSTICS_MAX].line, 777);
	cr_assert(strstr(diagnostics.items[BB_DIAGNOSTICS_MAX].message, "there is more"));
	bb_arena_fini(&arena);
}

Test(yaml, what_files_hold_is_one_short_line_in_a_message)
{
	static char path[5000], value[5000];
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	size_t n;

	bb_arena_init(&arena);
	memset(value, 'x', sizeof value - 1);
	for (size_t i = 0; i + 3 < sizeof path; i += 3)
		memcpy(path + i, "\xe2\x82\xac", 3);
	bb_yaml_complain("f.yaml", NULL, path, &diagnostics, "\"%s\"", value);
	bb_yaml_complain("f.yaml", NULL, "a\n\x1b[31m\x7f", &diagnostics, "bad");
	n = strlen(diagnostics.items[0].path);
	cr_expect_eq(n, 303);
	cr_expect(bb_text_is_utf8(bb_text_of(diagnostics.items[0].path)));
	cr_expect_str_eq(diagnostics.items[0].path + n - 6, "\xe2\x82\xac...");
	cr_expect_eq(strlen(diagnostics.items[0].message), 1503);
	cr_expect_str_eq(diagnostics.items[1].path, "a??[31m?");
	bb_arena_fini(&arena);
}

Test(yaml, guesses_the_nearest_word)
{
	static const char *const words[] = {"iso8601", "epoch_s", "epoch_ms", "normalise",
					    "ns",      "topics",  "",	      "brokers"};
	static const struct {
		const char *word, *nearest;
	} rows[] = {
		{"iso8601z", "iso8601"},
		{"iso8061", "iso8601"},
		{"epochs", "epoch_s"},
		{"epoch-ms", "epoch_ms"},
		{"EPOCH_MS", "epoch_ms"},
		{"normalize", "normalise"},
		{"nornalize", "normalise"},
		{"topcis", "topics"},
		{"topics", "topics"},
		{"n", "ns"},
		{"servers", NULL},
		{"", NULL},
		{"x", NULL},
		{"bootstrap.servers", NULL},
		{"sn", "ns"},
	};
	static char longest[100];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *nearest = bb_yaml_nearest(bb_text_of(rows[i].word), words,
						      sizeof words / sizeof *words);

		cr_assert_eq(nearest == NULL, rows[i].nearest == NULL, "%s: %s", rows[i].word,
			     nearest);
		if (nearest)
			cr_assert_str_eq(nearest, rows[i].nearest, "%s", rows[i].word);
	}
	memset(longest, 'x', sizeof longest - 1);
	cr_assert_null(bb_yaml_nearest(bb_text_of(longest), words, 3));
	cr_assert_null(bb_yaml_nearest(BB_TEXT("iso8601"), words, 0));
}
