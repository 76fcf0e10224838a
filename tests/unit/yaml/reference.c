/* SPDX-License-Identifier: Apache-2.0 */
/* The environment and credentials in values. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "helpers.h"
#include "reference.h"

static char directory[] = "/tmp/backbone-test-credentials.XXXXXX";

static void credential(const char *name, const void *content, size_t n)
{
	char path[200];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(content, 1, n, file), n);
	fclose(file);
}

static void set_up(void)
{
	cr_assert_not_null(mkdtemp(directory));
	setenv("CREDENTIALS_DIRECTORY", directory, 1);
	setenv("BB_TEST", "one ${BB_TWO}", 1);
	setenv("BB_TWO", "two", 1);
	setenv("BB_EMPTY", "", 1);
	setenv("BB_LATIN", "\xe9", 1);
	unsetenv("BB_UNSET");
	credential("key", "secret\n", 7);
	credential("two.lines", "a\nb\n\n", 5);
	credential("empty", "", 0);
	credential("binary", "a\0b", 3);
	credential("surrogate", "\xed\xa0\x80", 3);
}

static void tear_down(void)
{
	static const char *const names[] = {"key",    "two.lines", "empty",
					    "binary", "surrogate", "large"};
	char path[200];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

Test(yaml, fills_in_references, .init = set_up, .fini = tear_down)
{
	static const struct {
		const char *raw, *filled;
	} rows[] = {
		{"${BB_TWO}", "two"},
		{"a${BB_TWO}b${BB_TWO}", "atwobtwo"},
		{"${BB_TEST}", "one ${BB_TWO}"}, /* once only */
		{"[${BB_EMPTY}]", "[]"},
		{"${credential:key}", "secret"},
		{"${credential:two.lines}", "a\nb\n"},
		{"${credential:empty}", ""},
		{"$${BB_TWO}", "${BB_TWO}"},
		{"$${BB_UNSET}", "${BB_UNSET}"},
		{"$$${BB_TWO}", "$${BB_TWO}"},
		{"$${credential:key}", "${credential:key}"},
		{"$", "$"},
		{"$$", "$$"},
		{"$BB_TWO", "$BB_TWO"},
		{"${}", "${}"},
		{"${1}", "${1}"},
		{"${BB-TWO}", "${BB-TWO}"},
		{"${BB_TWO", "${BB_TWO"},
		{"$.a['b']", "$.a['b']"},
		{"{$.x}/{^.y}", "{$.x}/{^.y}"},
		{"{${BB_TWO}}", "{two}"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80$", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80$"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_buf text = BB_BUF_EMPTY;
		struct bb_yaml *root;

		bb_buf_printf(&text, "a: \"%s\"", rows[i].raw);
		root = read_text(bb_buf_slice(&text));
		cr_assert_not_null(root, "%s: %s", rows[i].raw, complaints());
		cr_assert_str_eq(root->items[0]->text.p, rows[i].filled, "%s", rows[i].raw);
		cr_assert_eq(root->items[0]->text.n, strlen(rows[i].filled), "%s", rows[i].raw);
		bb_buf_fini(&text);
	}
}

Test(yaml, leaves_keys_alone, .init = set_up, .fini = tear_down)
{
	cr_assert_str_eq(shape(read_text(BB_TEXT("'${BB_TWO}': ${BB_TWO}"))), "{${BB_TWO}:two}");
}

Test(yaml, says_which_reference_is_missing, .init = set_up, .fini = tear_down)
{
	struct bb_buf expected = BB_BUF_EMPTY;

	cr_assert_null(read_text(BB_TEXT("a: 1\nb: [x, '${BB_UNSET}']\n"
					 "c: ${credential:none}\nd: ${credential:../key}\n")));
	bb_buf_printf(
		&expected,
		"t.yaml:2:8: b[1]: the environment variable BB_UNSET is not set; set it, or "
		"write $${BB_UNSET} if the text itself is meant\n"
		"t.yaml:3:4: c: credential \"none\" cannot be read: %s/none: No such file or "
		"directory\n"
		"t.yaml:4:4: d: \"../key\" is not the name of a credential; allowed: letters, "
		"digits, `_`, `-`, `@` and `.`\n",
		directory);
	cr_assert_str_eq(complaints(), expected.p, "%s", complaints());
	bb_buf_fini(&expected);
}

Test(yaml, refuses_names_that_are_no_files, .init = set_up, .fini = tear_down)
{
	static const char *const names[] = {"", ".", "..", "/etc/passwd", "a b", ".hidden"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char text[100];

		snprintf(text, sizeof text, "a: '${credential:%s}'", names[i]);
		cr_assert_null(read_text(bb_text_of(text)), "%s", names[i]);
		cr_assert_not_null(strstr(complaints(), "is not the name of a credential"));
	}
}

Test(yaml, refuses_values_that_are_no_text, .init = set_up, .fini = tear_down)
{
	static const char *const rows[] = {"${BB_LATIN}", "${credential:binary}",
					   "${credential:surrogate}"};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert_null(read_text(bb_text_of(rows[i])), "%s", rows[i]);
		cr_assert_str_eq(complaints(),
				 "t.yaml:1:1: the value is not text: NUL, or not UTF-8\n");
	}
}

Test(yaml, bounds_credentials, .init = set_up, .fini = tear_down)
{
	static char content[BB_CREDENTIAL_BYTES_MAX + 1];
	struct bb_yaml *root;

	memset(content, 'x', sizeof content);
	credential("large", content, BB_CREDENTIAL_BYTES_MAX);
	root = read_text(BB_TEXT("${credential:large}"));
	cr_assert_eq(root->text.n, BB_CREDENTIAL_BYTES_MAX);
	credential("large", content, BB_CREDENTIAL_BYTES_MAX + 1);
	cr_assert_null(read_text(BB_TEXT("${credential:large}")));
	cr_assert_not_null(strstr(complaints(), "/large: larger than 65536 bytes\n"), "%s",
			   complaints());
}

Test(yaml, says_how_to_have_credentials, .init = set_up, .fini = tear_down)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	cr_assert_null(read_text(BB_TEXT("a: ${credential:key}")));
	cr_assert_str_eq(complaints(),
			 "t.yaml:1:4: a: credential \"key\" cannot be read: "
			 "$CREDENTIALS_DIRECTORY is not set; the service manager sets it "
			 "(LoadCredential=key:FILE); by hand, set it to the folder that holds the "
			 "file key\n");
}
