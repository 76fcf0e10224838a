/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that are trees, and texts that are not, with every message. */
#include <criterion/criterion.h>

#include "helpers.h"

struct row {
	const char *text, *result;
};

Test(yaml, reads_trees)
{
	static const struct row rows[] = {
		{"", "{}"},
		{"# only a comment\n", "{}"},
		{"---\n", "{}"},
		{"---\n...\n", "{}"},
		{"%YAML 1.1\n---\na: b\n", "{a:b}"},
		{"a: b\nc: [1, 02, no]\n", "{a:b,c:[1,02,no]}"},
		{"a:\n  - x: 1\n    y: 2\n  - []\n  - {}\n", "{a:[{x:1,y:2},[],{}]}"},
		{"a: 'yes'\nb: \"x\\ny\"\nc: |\n  z\nd: >-\n  p\n  q\n",
		 "{a:\"yes\",b:\"x\ny\",c:\"z\n\",d:\"p q\"}"},
		{"a:\nb: ~\nc: ''\n", "{a:,b:~,c:\"\"}"},
		{"a.b: 1\n'<<': 2\n\"a b\": 3\n", "{a.b:1,<<:2,a b:3}"},
		{"text\n", "text"},
		{"[a]\n", "[a]"},
		{"\xef\xbb\xbf"
		 "a: b\n",
		 "{a:b}"},
		{"a: b\r\nc: d\r\n", "{a:b,c:d}"},
		{"a: '$.x[0]'\nb: '{^.id}/{$.y}'\nc: $\nd: '@header(\"X\")'\n",
		 "{a:\"$.x[0]\",b:\"{^.id}/{$.y}\",c:$,d:\"@header(\"X\")\"}"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_yaml *root = read_text(bb_text_of(rows[i].text));

		cr_assert_not_null(root, "row %zu: %s", i, complaints());
		cr_assert_str_eq(shape(root), rows[i].result, "row %zu: %s", i, shape(root));
	}
}

Test(yaml, keeps_lines_and_columns)
{
	const struct bb_yaml *root =
		read_text(BB_TEXT("# c\na: b\n\"\xc3\xa9\": {x: 1, y:  [p, 'q']}\n"));
	const struct bb_yaml *map = root->items[1], *list = bb_yaml_get(map, "y");

	cr_assert(root->line == 2 && root->column == 1);
	cr_assert(root->items[0]->line == 2 && root->items[0]->column == 4);
	cr_assert(root->keys[1]->line == 3 && root->keys[1]->column == 1);
	cr_assert(map->line == 3 && map->column == 6, "columns count characters, not bytes");
	cr_assert(list->line == 3 && list->column == 17);
	cr_assert(list->items[1]->column == 21 && list->items[1]->quoted);
}

Test(yaml, gets_by_key)
{
	const struct bb_yaml *root = read_text(BB_TEXT("a: 1\nb: [x]\n"));

	cr_assert_str_eq(bb_yaml_get(root, "a")->text.p, "1");
	cr_assert_eq(bb_yaml_get(root, "b")->kind, BB_YAML_LIST);
	cr_assert_null(bb_yaml_get(root, "c"));
	cr_assert_null(bb_yaml_get(bb_yaml_get(root, "b"), "x"), "not a map");
}

Test(yaml, refuses_what_surprises)
{
	static const struct row rows[] = {
		{"a: &x b\n",
		 "t.yaml:1:4: a: anchors (&name) are not allowed; write the value again\n"},
		{"a: &x [b]\nc: &y {d: e}\n",
		 "t.yaml:1:4: a: anchors (&name) are not allowed; write the value again\n"
		 "t.yaml:2:4: c: anchors (&name) are not allowed; write the value again\n"},
		{"a: *x\n",
		 "t.yaml:1:4: a: aliases (*name) are not allowed; write the value again, or put a "
		 "text that begins with * in quotes\n"},
		{"*x : b\n*y : c\n",
		 "t.yaml:1:1: aliases (*name) are not allowed; write the value again, or put a "
		 "text "
		 "that begins with * in quotes\n"
		 "t.yaml:2:1: aliases (*name) are not allowed; write the value again, or put a "
		 "text "
		 "that begins with * in quotes\n"
		 "t.yaml:2:1: the key \"\" is here twice; it is at line 1 already\n"},
		{"a: !!str 1\n",
		 "t.yaml:1:4: a: tags (!name) are not allowed; write the bare value\n"},
		{"a: [!x {}, !y []]\n",
		 "t.yaml:1:5: a[0]: tags (!name) are not allowed; write the bare value\n"
		 "t.yaml:1:12: a[1]: tags (!name) are not allowed; write the bare value\n"},
		{"!x a: b\n", "t.yaml:1:1: tags (!name) are not allowed; write the bare value\n"},
		{"%TAG ! tag:x,2000:\n---\na: b\n",
		 "t.yaml:1:1: %TAG directives are not allowed\n"},
		{"a:\n  <<: {b: c}\n", "t.yaml:2:3: a: merge keys (<<) are not allowed; write the "
				       "members again\n"},
		{"a: 1\nb:\n  c: 1\n  d: 2\n  'c': 3\na: 4\n",
		 "t.yaml:5:3: b: the key \"c\" is here twice; it is at line 3 already\n"
		 "t.yaml:6:1: the key \"a\" is here twice; it is at line 1 already\n"},
		{"a: {x: 1, x: 2, x: 3}\n",
		 "t.yaml:1:11: a: the key \"x\" is here twice; it is at line 1 already\n"
		 "t.yaml:1:17: a: the key \"x\" is here twice; it is at line 1 already\n"},
		{"? [a, b]\n: c\n", "t.yaml:1:3: a key must be a word, not a list or a map\n"},
		{"{{a: b}: c}\n", "t.yaml:1:2: a key must be a word, not a list or a map\n"},
		{"a: b\n---\nc: d\n", "t.yaml:2:1: a second document begins here; only one is "
				      "allowed in a file\n"},
		{"a: \"x\\0y\"\n", "t.yaml:1:4: a: a NUL character is not allowed\n"},
		{"\"x\\0y\": a\n", "t.yaml:1:1: a NUL character is not allowed\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert_null(read_text(bb_text_of(rows[i].text)), "row %zu", i);
		cr_assert_str_eq(complaints(), rows[i].result, "row %zu:\n%s", i, complaints());
	}
}

Test(yaml, refuses_what_is_not_yaml)
{
	static const struct row rows[] = {
		{"a: [b\n",
		 "t.yaml:2:1: a: not valid YAML: did not find expected ',' or ']', while "
		 "parsing a flow sequence from line 1 on\n"},
		{"a: b\n c: d\n", "t.yaml:2:3: not valid YAML: mapping values are not allowed in "
				  "this context\n"},
		{"\xc3\xa9: b\nc:\n\td: e\n",
		 "t.yaml:3:1: not valid YAML: a tab where only spaces may indent\n"},
		{"a: 'b\n", "t.yaml:2:1: not valid YAML: found unexpected end of stream, while "
			    "scanning a quoted scalar from line 1 on\n"},
		{"a: b\nc: \xff\n", "t.yaml:2:4: not UTF-8 text: invalid leading UTF-8 octet\n"},
		{"a: b\nc: \x01\n",
		 "t.yaml:2:4: not UTF-8 text: control characters are not allowed\n"},
		{"a: @x\n", "t.yaml:1:4: not valid YAML: found character that cannot start any "
			    "token, while scanning for the next token from line 1 on\n"},
		{"a: &x b\nc: [\n",
		 "t.yaml:1:4: a: anchors (&name) are not allowed; write the value again\n"
		 "t.yaml:3:1: c: not valid YAML: did not find expected node content, while parsing "
		 "a flow node from line 3 on\n"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_assert_null(read_text(bb_text_of(rows[i].text)), "row %zu", i);
		cr_assert_str_eq(complaints(), rows[i].result, "row %zu:\n%s", i, complaints());
	}
}

static struct bb_text nested(size_t depth)
{
	static char text[200];

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	return (struct bb_text){text, 2 * depth};
}

Test(yaml, is_at_most_32_deep)
{
	cr_assert_not_null(read_text(nested(32)), "%s", complaints());
	cr_assert_null(read_text(nested(33)));
	cr_assert_not_null(strstr(complaints(), "t.yaml:1:33: [0][0]"));
	cr_assert_not_null(strstr(complaints(), "[0]: nested deeper than 32 levels\n"));
}

Test(yaml, finds_duplicates_among_many_keys)
{
	struct bb_buf text = BB_BUF_EMPTY;

	for (int i = 0; i < 20000; i++)
		bb_buf_printf(&text, "k%d: %d\n", i * 7919 % 20000, i);
	cr_assert_not_null(read_text(bb_buf_slice(&text)), "%s", complaints());
	bb_buf_printf(&text, "k4711: again\n");
	cr_assert_null(read_text(bb_buf_slice(&text)));
	cr_assert_not_null(strstr(complaints(), "t.yaml:20001:1: the key \"k4711\" is here twice"));
	bb_buf_fini(&text);
}

Test(yaml, reads_what_is_cut_anywhere)
{
	static const char text[] = "a: {b: [1, '2', \"3\\n\"]}\nc:\n  - d: &x e\n  - |\n   f\n"
				   "? [g]\n: *x\n<<: !t {}\n...\n---\nh\n";

	for (size_t n = 0; n < sizeof text; n++) {
		char *exact = malloc(n + 1); /* for the address sanitizer */
		struct bb_yaml *root;

		memcpy(exact, text, n);
		root = read_text((struct bb_text){exact, n});
		cr_assert_eq(root == NULL, *complaints() != '\0', "cut at %zu", n);
		free(exact);
	}
}
