/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mistake a row, and the line that tells of it: what is no YAML, references, and what needs its
 * own surroundings. Most mistakes of a connector are in the files of bad/ (test_compile.c);
 * tests/arch/check.py says which messages of the compiler neither of the two has.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "fixture.h"

#define HEAD "connector: till\nchannel: pos\ntopics: []\n"
#define IDENTIFY "identify: {ns: email, from: $.e}"
#define RULE "events: [{type: t, " IDENTIFY "}]\n"
#define TEN(x) x x x x x x x x x x

struct mistake_row {
	const char *yaml, *want;
};

static void check_mistake(const char *yaml, const char *want)
{
	struct bb_diagnostics diagnostics = {0};
	struct bb_buf got = BB_BUF_EMPTY;
	struct bb_connector *connector;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	connector = bb_connector_compile("c.yaml", bb_text_of(yaml), fixture_rules(), &diagnostics);
	cr_expect_null(connector, "%s", yaml);
	bb_connector_free(connector);
	fixture_print_diagnostics(&diagnostics, &got);
	cr_expect(bb_text_equal(bb_buf_slice(&got), bb_text_of(want)), "%s\ngot  %.*swant %s", yaml,
		  (int)got.n, got.p, want);
	bb_buf_fini(&got);
	bb_arena_fini(&arena);
}

static void check_mistakes(const struct mistake_row *rows, size_t n)
{
	struct bb_buf want = BB_BUF_EMPTY;

	for (size_t i = 0; i < n; i++) {
		want.n = 0;
		bb_buf_printf(&want, "c.yaml:%s\n", rows[i].want);
		bb_buf_byte(&want, '\0');
		check_mistake(rows[i].yaml, want.p);
	}
	bb_buf_fini(&want);
}

#define CHECK(rows) check_mistakes(rows, sizeof(rows) / sizeof(*(rows)))

Test(engine, mistakes_of_yaml_are_told_with_their_place)
{
	static const struct mistake_row rows[] = {
		{HEAD RULE "otherwise: *e\n",
		 "5:12: otherwise: aliases (*name) are not allowed; write the value again, or put "
		 "a text that begins with * in quotes"},
		{HEAD "events: [&e {type: t, " IDENTIFY "}]\n",
		 "4:10: events[0]: anchors (&name) are not allowed; write the value again"},
		{HEAD RULE "otherwise: !!str skip\n",
		 "5:12: otherwise: tags (!name) are not allowed; write the bare value"},
		{HEAD RULE "<<: {otherwise: skip}\n",
		 "5:1: merge keys (<<) are not allowed; write the members again"},
		{HEAD RULE "[otherwise]: skip\n", "5:1: a key must be a word, not a list or a map"},
		{HEAD RULE "channel: web\n",
		 "5:1: the key \"channel\" is here twice; it is at line 2 already"},
		{HEAD RULE "defaults:\n\tcurrency: EUR\n",
		 "6:1: not valid YAML: a tab where only spaces may indent"},
		{HEAD RULE "defaults: {currency: EUR\n",
		 "6:1: defaults: not valid YAML: did not find expected ',' or '}', while parsing a "
		 "flow mapping from line 5 on"},
		{HEAD RULE "otherwise: 'skip\n",
		 "6:1: not valid YAML: found unexpected end of stream, while scanning a quoted "
		 "scalar from line 5 on"},
		{HEAD RULE "otherwise: \"\\0\"\n",
		 "5:12: otherwise: a NUL character is not allowed"},
		{HEAD RULE "otherwise: \xff\n",
		 "5:12: not UTF-8 text: invalid leading UTF-8 octet"},
		{HEAD RULE "tenant: " TEN("[") TEN("[") TEN("[") TEN("["),
		 "5:40: "
		 "tenant[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
		 "[0][0][0][0][0][0]: nested deeper than 32 levels"},
		{"%TAG ! tag:x,2000:\n---\n" HEAD RULE, "1:1: %TAG directives are not allowed"},
		{HEAD RULE "---\n" HEAD RULE,
		 "5:1: a second document begins here; only one is allowed in a file"},
		{"just a text\n",
		 "1:1: must be a map with keys of these: connector, channel, format, unwrap, "
		 "columns, header, delimiter, topics, defaults, events, tenant, redact, otherwise"},
	};

	CHECK(rows);
}

Test(engine, mistakes_of_references_are_told_with_their_place)
{
	static const struct mistake_row rows[] = {
		{HEAD RULE "tenant: ${BB_TEST_NOT_THERE}\n",
		 "5:9: tenant: the environment variable BB_TEST_NOT_THERE is not set; set it, or "
		 "write $${BB_TEST_NOT_THERE} if the text itself is meant"},
		{HEAD RULE "tenant: [a, 'b-${BB_TEST_NOT_THERE}']\n",
		 "5:13: tenant[1]: the environment variable BB_TEST_NOT_THERE is not set; set it, "
		 "or write $${BB_TEST_NOT_THERE} if the text itself is meant"},
		{HEAD RULE "tenant: ${BB_TEST_BYTES}\n",
		 "5:9: tenant: the value is not text: NUL, or not UTF-8"},
		{HEAD RULE "otherwise: ${BB_TEST_WORD}\n",
		 "5:12: otherwise: unknown otherwise \"skipp\"; allowed: skip, dead_letter; did "
		 "you mean \"skip\"?"},
		{HEAD RULE "tenant: ${credential:../x}\n",
		 "5:9: tenant: \"../x\" is not the name of a credential; allowed: letters, digits, "
		 "`_`, `-`, `@` and `.`"},
		{HEAD RULE "tenant: ${credential:none}\n",
		 "5:9: tenant: credential \"none\" cannot be read: /nonexistent/none: No such file "
		 "or directory"},
	};
	static const struct mistake_row alone[] = {
		{HEAD RULE "tenant: ${credential:none}\n",
		 "5:9: tenant: credential \"none\" cannot be read: $CREDENTIALS_DIRECTORY is not "
		 "set; the service manager sets it (LoadCredential=none:FILE); by hand, set it to "
		 "the folder that holds the file none"},
	};

	unsetenv("BB_TEST_NOT_THERE");
	setenv("BB_TEST_BYTES", "\xff", 1);
	setenv("BB_TEST_WORD", "skipp", 1);
	setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
	CHECK(rows);
	unsetenv("CREDENTIALS_DIRECTORY");
	CHECK(alone);
}

Test(engine, mistakes_of_values_are_told_with_their_place)
{
	static const struct mistake_row rows[] = {
		{HEAD "events: [{type: '', " IDENTIFY "}]\n",
		 "4:17: events[0].type: must be a path or a text, not empty"},
		{HEAD "events: [{type: {template: []}, " IDENTIFY "}]\n",
		 "4:28: events[0].type.template: must be a text with {paths}, not a list"},
		{HEAD "events: [{type: t, identify: {ns: [], from: $.e}}]\n",
		 "4:35: events[0].identify.ns: must be a namespace, not a list"},
		{HEAD "events: [{type: t, identify: {ns: email, from: $.e, map: {}}}]\n",
		 "4:58: events[0].identify.map: must be a map of values, e.g. {m: male, f: "
		 "female}"},
		{HEAD "events: [{type: t, time: {from: $.t, format: []}, " IDENTIFY "}]\n",
		 "4:46: events[0].time.format: must be the form of the time, not a list"},
		{HEAD "events: [{ruling: split, releases: x}]\n",
		 "4:10: events[0].pair: split needs a pair of identifiers"},
		{"connector: till\nchannel: pos\ntopics: [[]]\n" RULE,
		 "3:10: topics[0]: must be the name of a topic, not a list"},
		{HEAD RULE "defaults: {region: []}\n",
		 "5:20: defaults.region: must be a country, not a list"},
		{HEAD RULE "defaults: {timezone: []}\n",
		 "5:22: defaults.timezone: must be a time zone, not a list"},
		{HEAD RULE "defaults: {currency: []}\n",
		 "5:22: defaults.currency: must be a currency, not a list"},
		{HEAD
		 "format: tsv\ncolumns: [a]\n"
		 "events: [{type: {parse_json: $.a, from: {pick: {in: $.l, key: k, equals: x}}},"
		 " id: {sum: {in: $.a}}, identify: {ns: email, from: $.a}}]\n",
		 "6:95: events[0].id.sum.in: a column is a text: open it with parse_json first"},
		{HEAD "format: csv\n"
		      "events: [{type: {lookup: {in: $.a, key: $.b}}, "
		      "identify: {ns: email, from: $.a}}]\n",
		 "5:31: events[0].type.lookup.in: a column is a text: open it with parse_json "
		 "first"},
	};

	CHECK(rows);
}

Test(engine, patterns_of_topics_that_would_cost_too_much_are_refused)
{
	static const struct mistake_row rows[] = {
		{"connector: till\nchannel: pos\ntopics: "
		 "/^((((a{1,255}){1,255}){1,255}){1,255})/\n" RULE,
		 "3:9: topics: the pattern is wrong: column 39 of the pattern: regular expression "
		 "is too large; write a POSIX extended pattern, with a backslash before a sign "
		 "that stands for itself"},
		{"connector: till\nchannel: pos\ntopics: /^a{9}{9}/\n" RULE,
		 "3:9: topics: the pattern is wrong: column 6 of the pattern: a quantifier after a "
		 "quantifier is not allowed; put the first part in ( )"},
		{"connector: till\nchannel: pos\ntopics: '/^(.*)\\1/'\n" RULE,
		 "3:9: topics: the pattern is wrong: column 6 of the pattern: a backslash before a "
		 "letter or digit is not allowed; write [0-9] for \\d, [A-Za-z0-9_] for \\w"},
	};
	struct bb_buf yaml = BB_BUF_EMPTY;

	CHECK(rows);
	bb_buf_printf(&yaml, "connector: till\nchannel: pos\ntopics: /^");
	for (size_t i = 0; i < 100000; i++)
		bb_buf_byte(&yaml, '(');
	for (size_t i = 0; i < 100000; i++)
		bb_buf_byte(&yaml, ')');
	bb_buf_printf(&yaml, "/\n" RULE "%c", '\0');
	check_mistake(yaml.p, "c.yaml:3:9: topics: the pattern is wrong: the pattern has 200001 "
			      "bytes; at most 1000 are allowed, write several patterns instead\n");
	bb_buf_fini(&yaml);
}

/* So many pieces with a number in each, between two others. */
static void check_numbered(const char *front, const char *piece, unsigned n, const char *rest,
			   const char *back, const char *want)
{
	struct bb_buf yaml = BB_BUF_EMPTY;

	bb_buf_printf(&yaml, "%s", front);
	for (unsigned i = 0; i < n; i++)
		bb_buf_printf(&yaml, "%s%u%s", piece, i, rest);
	bb_buf_printf(&yaml, "%s%c", back, '\0');
	check_mistake(yaml.p, want);
	bb_buf_fini(&yaml);
}

static const char too_many_topics[] = "c.yaml:3:9: topics: more than 10,000\n";
static const char too_many_rules[] =
	"c.yaml:5005:5: events[5000]: too large: a connector has at most 5000 rules (counted once "
	"for each \"each\") and 256 MiB; make several, each for some of the topics\n";
static const char too_many_each[] =
	"c.yaml:4:10: events[0]: too large: a connector has at most 5000 rules (counted once for "
	"each \"each\") and 256 MiB; make several, each for some of the topics\n";

Test(engine, files_of_any_size_have_bounded_plans)
{
	check_numbered("connector: till\nchannel: pos\ntopics: [t", ",t", 10000, "", "]\n" RULE,
		       too_many_topics);
	check_numbered(HEAD "events:\n", "  - {type: t, " IDENTIFY ", each: '$.a", 5001, "[*]'}\n",
		       "", too_many_rules);
	check_numbered(HEAD "events: [{type: t, " IDENTIFY ", each: [$", ",'$.a", 5000, "[*]'",
		       "]}]\n", too_many_each);
}

Test(engine, thousands_of_mistakes_end_with_a_word)
{
	struct bb_diagnostics diagnostics = {0};
	struct bb_buf yaml = BB_BUF_EMPTY;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	for (unsigned i = 0; i < 50000; i++)
		bb_buf_printf(&yaml, "k%u: 1\n", i);
	cr_assert_null(bb_connector_compile("c.yaml", bb_buf_slice(&yaml), NULL, &diagnostics));
	cr_assert_eq(diagnostics.n, BB_DIAGNOSTICS_MAX + 1);
	cr_expect_eq(diagnostics.items[0].line, 1);
	cr_expect_str_eq(diagnostics.items[BB_DIAGNOSTICS_MAX].message,
			 "there is more that is wrong, here and behind: mend what is told first");
	/* the next one cannot be told from a wrong one */
	cr_assert_null(bb_connector_compile("d.yaml", BB_TEXT(HEAD RULE), NULL, &diagnostics));
	cr_expect_eq(diagnostics.n, BB_DIAGNOSTICS_MAX + 1);
	bb_buf_fini(&yaml);
	bb_arena_fini(&arena);
}

Test(engine, a_zone_without_database_says_what_to_install)
{
	static const struct mistake_row rows[] = {
		{HEAD RULE "defaults: {timezone: Europe/Paris}\n",
		 "5:22: defaults.timezone: the zone \"Europe/Paris\" cannot be read: no database "
		 "of time zones in /usr/share/zoneinfo; install the package tzdata"},
	};

	setenv("TZDIR", "/nonexistent", 1);
	CHECK(rows);
}

/* A list `[c0,c1,...]` of so many columns, and a path to one that is not among them. */
static void check_columns(unsigned n, const char *want)
{
	struct bb_buf yaml = BB_BUF_EMPTY;

	bb_buf_printf(&yaml, HEAD "format: tsv\ncolumns: [c0");
	for (unsigned i = 1; i < n; i++)
		bb_buf_printf(&yaml, ",c%u", i);
	bb_buf_printf(&yaml, "]\nevents: [{type: $.x, identify: {ns: email, from: $.c1}}]\n");
	bb_buf_byte(&yaml, '\0');
	check_mistake(yaml.p, want);
	bb_buf_fini(&yaml);
}

Test(engine, long_lists_are_cut_in_messages)
{
	check_columns(42, "c.yaml:6:17: events[0].type: unknown column \"x\"; allowed: c0, c1, c2, "
			  "c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, "
			  "c18, c19, c20, c21, c22, c23, c24, c25, c26, c27, c28, c29, c30, c31, "
			  "c32, c33, c34, c35, c36, c37, c38, c39 and 2 more\n");
	check_columns(10001, "c.yaml:5:10: columns: more than 10,000\n");
}
