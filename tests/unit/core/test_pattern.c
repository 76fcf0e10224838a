/* SPDX-License-Identifier: Apache-2.0 */
/* Block patterns: what they match, what is refused and where, and that none can hold up the log. */
#include <backbone/normalise.h>
#include <criterion/criterion.h>
#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static bool matches(const char *text, struct bb_text value)
{
	struct bb_pattern *pattern = NULL;
	struct bb_error err = {0};
	bool found;

	cr_assert_eq(bb_pattern_new(text, &pattern, &err), BB_OK, "%s: %s", text, err.msg);
	found = bb_pattern_matches(pattern, value);
	bb_pattern_free(pattern);
	return found;
}

Test(core, pattern_matches_anywhere)
{
	static const struct {
		const char *pattern;
		struct bb_text value;
		bool want;
	} rows[] = {
		{"guest", BB_TEXT("a guest here"), true},
		{"guest", BB_TEXT("Guest"), false}, /* case counts */
		{"^guest$", BB_TEXT("guest"), true},
		{"^guest$", BB_TEXT("guests"), false},
		{"^(a|bc)+$", BB_TEXT("abcbca"), true},
		{"^[0-9]{3,5}$", BB_TEXT("1234"), true},
		{"^[0-9]{3,5}$", BB_TEXT("123456"), false},
		{"^[0-9]{3}$", BB_TEXT("12"), false},
		{"^[0-9]{2,}$", BB_TEXT("123456"), true},
		{"^.$", BB_TEXT("é"), true}, /* code points, not bytes */
		{"^.$", BB_TEXT("😀"), true},
		{"^[é-ü]$", BB_TEXT("ö"), true},
		{"^[^a]$", BB_TEXT("漢"), true},
		{"a.b", BB_TEXT("a\nb"), false},
		{"a[^x]b", BB_TEXT("a\nb"), true},
		{"a$", BB_TEXT("a\n"), true},
		{"^b", BB_TEXT("a\nb"), false},
		{"\\.", BB_TEXT("a.b"), true},
		{"\\.", BB_TEXT("ab"), false},
		{"[*?+]", BB_TEXT("a?"), true}, /* in a set nothing is lazy */
		{"[]a]", BB_TEXT("]"), true},
		{"[^]a]", BB_TEXT("]"), false},
		{"[a\\]b]c", BB_TEXT("]c"), true},
		{"[(?]", BB_TEXT("("), true},
		{"\\(\\?", BB_TEXT("(?"), true},
		{"\\[:", BB_TEXT("[:"), true},
		{"a\\*?b", BB_TEXT("a*b"), true},
		{"{{.*}}", BB_TEXT("x{{name}}"), true},
		{"a{x", BB_TEXT("a{x"), true},
		{"(a)(b)(c)", BB_TEXT("abc"), true},
		{"a|", BB_TEXT("b"), true},
		{"x", BB_TEXT(""), false},
		{"a",
		 BB_TEXT("\xff"
			 "a"),
		 false}, /* not UTF-8 matches nothing */
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(matches(rows[i].pattern, rows[i].value), rows[i].want, "%s on %.*s",
			     rows[i].pattern, (int)rows[i].value.n, rows[i].value.p);
}

Test(core, pattern_is_refused_with_its_column)
{
	static const struct {
		const char *pattern;
		unsigned column;
		const char *what;
	} rows[] = {
		{"[[:alpha:]]", 2, "[: is not allowed"},
		{"a[:b", 2, "[: is not allowed"},
		{"x\\d+", 2, "a backslash before a letter or digit"},
		{"(a)\\1", 4, "a backslash before a letter or digit"},
		{"[\\w]", 2, "a backslash before a letter or digit"},
		{"éé\\b", 3, "a backslash before a letter or digit"}, /* columns of people */
		{"abc\\", 4, "a backslash at the end"},
		{"[ab\\", 4, "a backslash at the end"},
		{"a(?i)b", 2, "(? is not allowed"},
		{"(?:a)", 1, "(? is not allowed"},
		{"(*ACCEPT)a", 1, "(* is not allowed"},
		{"a*?", 3, "a lazy quantifier"},
		{"a+?b", 3, "a lazy quantifier"},
		{"ab??", 4, "a lazy quantifier"},
		{"a{2,3}?", 7, "a lazy quantifier"},
		{"a*+", 3, "a quantifier after a quantifier"},
		{"a++", 3, "a quantifier after a quantifier"},
		{"a{2}{3}", 5, "a quantifier after a quantifier"},
		{"a{,3}", 2, "{, is not allowed"},
		{"(a", 3, "parenthesis"},
		{"a)", 2, "parenthesis"},
		{"[a", 3, "terminating ]"},
		{"*a", 1, "quantifier does not follow"},
		{"[z-a]", 4, "range out of order"},
		{"[[.a.]]", 2, "collating"},
		{"a{70000}", 8, "number too big"},
		{"a\xff", 2, "UTF-8"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bb_pattern *pattern = NULL;
		struct bb_error err = {0};
		char place[64];

		snprintf(place, sizeof(place), "column %u of the pattern: ", rows[i].column);
		cr_expect_eq(bb_pattern_new(rows[i].pattern, &pattern, &err), BB_ECONFIG, "%s",
			     rows[i].pattern);
		cr_expect_null(pattern);
		cr_expect_eq(err.code, BB_ECONFIG);
		cr_expect(strstr(err.msg, place), "%s: %s", rows[i].pattern, err.msg);
		cr_expect(strstr(err.msg, rows[i].what), "%s: %s", rows[i].pattern, err.msg);
	}
}

Test(core, pattern_has_a_length)
{
	struct bb_pattern *pattern = NULL;
	struct bb_error err = {0};
	char text[1002];

	cr_expect_eq(bb_pattern_new("", &pattern, &err), BB_ECONFIG);
	cr_expect(strstr(err.msg, "empty"), "%s", err.msg);
	memset(text, 'a', sizeof(text));
	text[1001] = '\0';
	cr_expect_eq(bb_pattern_new(text, &pattern, &err), BB_ECONFIG);
	cr_expect(strstr(err.msg, "1001 bytes"), "%s", err.msg);
	text[1000] = '\0';
	cr_expect_eq(bb_pattern_new(text, &pattern, NULL), BB_OK);
	cr_expect_str_eq(bb_pattern_text(pattern), text);
	bb_pattern_free(pattern);
	bb_pattern_free(NULL);
}

Test(core, pattern_that_explodes_is_cut_off)
{
	static const char *const rows[] = {
		"([a-z]*)*[0-9]",	  "((a+)+)+[0-9]", "(a|aa)+[0-9]$",	  "(a|a)*(b|c)",
		"a*a*a*a*a*a*a*a*(b|c)$", "(.*)*(x|y)",	   "((a|b)*(a|c)*)*[d-e]"};
	static char value[512];

	memset(value, 'a', sizeof(value));
	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_not(matches(rows[i], (struct bb_text){value, sizeof(value)}), "%s",
			      rows[i]);
}
