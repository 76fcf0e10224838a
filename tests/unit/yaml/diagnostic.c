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
