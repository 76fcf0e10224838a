/* SPDX-License-Identifier: Apache-2.0 */
/* What is never an identifier: the built-in list, the patterns, and their names. */
#include <backbone/normalise.h>
#include <criterion/criterion.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static void expect_rule(const struct bb_namespace *ns, struct bb_text value, const char *want)
{
	struct bb_arena arena;
	const char *rule;

	bb_arena_init(&arena);
	rule = bb_normalise_blocked_by(ns, value, &arena);
	cr_expect_eq(rule != NULL, want != NULL, "%.*s: %s", (int)value.n, value.p,
		     rule ? rule : "not blocked");
	if (rule && want)
		cr_expect_str_eq(rule, want, "%.*s: %s", (int)value.n, value.p, rule);
	bb_arena_fini(&arena);
}

static const struct {
	struct bb_text value;
	const char *rule;
} values[] = {
	{BB_TEXT("null"), "junk.word"},
	{BB_TEXT("NULL"), "junk.word"},
	{BB_TEXT("nil"), "junk.word"},
	{BB_TEXT("None"), "junk.word"},
	{BB_TEXT("undefined"), "junk.word"},
	{BB_TEXT("NaN"), "junk.word"},
	{BB_TEXT("N/A"), "junk.word"},
	{BB_TEXT("na"), "junk.word"},
	{BB_TEXT("(Not Set)"), "junk.word"},
	{BB_TEXT("[object Object]"), "junk.word"},
	{BB_TEXT("anonymous"), "junk.word"},
	{BB_TEXT("Guest"), "junk.word"},
	{BB_TEXT("unknown"), "junk.word"},
	{BB_TEXT("test"), "junk.word"},
	{BB_TEXT("true"), "junk.word"},
	{BB_TEXT("FALSE"), "junk.word"},
	{BB_TEXT("-1"), "junk.word"},
	{BB_TEXT("0"), "junk.zeros"},
	{BB_TEXT("-"), "junk.zeros"},
	{BB_TEXT("0000"), "junk.zeros"},
	{BB_TEXT("00000000-0000-0000-0000-000000000000"), "junk.zeros"},
	{BB_TEXT("<>"), "junk.placeholder"},
	{BB_TEXT("<customer id>"), "junk.placeholder"},
	{BB_TEXT("{{}}"), "junk.placeholder"},
	{BB_TEXT("{{ contact.email }}"), "junk.placeholder"},
	{BB_TEXT("test@example.org"), "junk.mailbox"},
	{BB_TEXT("NoReply@example.org"), "junk.mailbox"},
	{BB_TEXT("no-reply@"), "junk.mailbox"},
	{BB_TEXT("donotreply@x"), "junk.mailbox"},
	{BB_TEXT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
	 "junk.empty_hash"},
	{BB_TEXT("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"),
	 "junk.empty_hash"},
	{BB_TEXT("nulls"), NULL},
	{BB_TEXT("nul\0"), NULL},
	{BB_TEXT(" null"), NULL},
	{BB_TEXT("n//a"), NULL},
	{BB_TEXT("\xc5\xa0null"), NULL},
	{BB_TEXT("un\xe2\x84\xaanown"), NULL}, /* the Kelvin sign is no k here */
	{BB_TEXT("te\xc5\xbft"), NULL},
	{BB_TEXT("-2"), NULL},
	{BB_TEXT("0a"), NULL},
	{BB_TEXT("<a\nb>"), NULL},
	{BB_TEXT("<a>b"), NULL},
	{BB_TEXT("<"), NULL},
	{BB_TEXT("{{}"), NULL},
	{BB_TEXT("{{a}\n}"), NULL},
	{BB_TEXT("test@a\nb"), NULL},
	{BB_TEXT("tests@example.org"), NULL},
	{BB_TEXT("latest@example.org"), NULL},
	{BB_TEXT("ann@example.org"), NULL},
	{BB_TEXT(""), NULL},
};

Test(core, junk_is_known)
{
	for (int owner = 0; owner < 2; owner++) {
		struct bb_namespace ns;

		bb_rules_namespace_defaults(&ns, "x", owner, true);
		for (size_t i = 0; i < COUNT(values); i++)
			expect_rule(&ns, values[i].value, values[i].rule);
		ns.junk = false;
		for (size_t i = 0; i < COUNT(values); i++)
			expect_rule(&ns, values[i].value, NULL);
	}
}

Test(core, typed_junk_spares_owners)
{
	static const struct {
		struct bb_text value;
		const char *rule;
	} rows[] = {
		{BB_TEXT("1111"), "junk.repeated"},
		{BB_TEXT("aaaaaaaa"), "junk.repeated"},
		{BB_TEXT("éééé"), "junk.repeated"},
		{BB_TEXT("😀😀😀😀"), "junk.repeated"},
		{BB_TEXT("123456"), "junk.sequence"},
		{BB_TEXT("1234567"), "junk.sequence"},
		{BB_TEXT("012345678"), "junk.sequence"},
		{BB_TEXT("0123456789"), "junk.sequence"},
		{BB_TEXT("1234567890"), "junk.sequence"},
		{BB_TEXT("987654"), "junk.sequence"},
		{BB_TEXT("09876543"), "junk.sequence"},
		{BB_TEXT("9876543210"), "junk.sequence"},
		{BB_TEXT("111"), NULL},
		{BB_TEXT("11112"), NULL},
		{BB_TEXT("aaaA"), NULL},
		{BB_TEXT("ééé"), NULL},
		{BB_TEXT("\xc3\xa9\xc3\xa8\xc3\xa9\xc3\xa8"), NULL},
		{BB_TEXT("\n\n\n\n"), NULL},
		{BB_TEXT("12345"), NULL},
		{BB_TEXT("12345678901"), NULL},
		{BB_TEXT("00123456"), NULL},
		{BB_TEXT("98765"), NULL},
		{BB_TEXT("98765432100"), NULL},
	};
	struct bb_namespace ns;

	bb_rules_namespace_defaults(&ns, "phone", false, true);
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_rule(&ns, rows[i].value, rows[i].rule);
	bb_rules_namespace_defaults(&ns, "card", true, true);
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_rule(&ns, rows[i].value, NULL);
}

Test(core, patterns_block_after_the_list)
{
	struct bb_pattern *patterns[2];
	struct bb_error err;
	struct bb_namespace ns;

	cr_assert_eq(bb_pattern_new("@example\\.com$", &patterns[0], &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_pattern_new("^(guest|till)", &patterns[1], &err), BB_OK, "%s", err.msg);
	bb_rules_namespace_defaults(&ns, "email", false, true);
	ns.block = patterns;
	ns.block_n = 2;
	expect_rule(&ns, BB_TEXT("ann@example.com"), "pattern[0]");
	expect_rule(&ns, BB_TEXT("till-3@shop.org"), "pattern[1]");
	expect_rule(&ns, BB_TEXT("till@example.com"), "pattern[0]");
	expect_rule(&ns, BB_TEXT("guest"), "junk.word");
	expect_rule(&ns, BB_TEXT("ann@example.org"), NULL);
	ns.junk = false;
	expect_rule(&ns, BB_TEXT("guest"), "pattern[1]");
	bb_pattern_free(patterns[0]);
	bb_pattern_free(patterns[1]);
}
