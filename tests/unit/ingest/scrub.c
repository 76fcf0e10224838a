/* SPDX-License-Identifier: Apache-2.0 */
/* Which dead letters mention a person, and that only those go. */
#include <backbone/deadletter.h>
#include <criterion/criterion.h>
#include <kvmem.h>

struct row {
	const char *value, *text;
	bool found;
};

static void expect_found(const struct row *rows, size_t n)
{
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < n; i++) {
		struct bb_text value = bb_text_of(rows[i].value);
		struct bb_deadletter letter = {.message = {.value = bb_text_of(rows[i].text)}};

		cr_expect_eq(bb_deadletter_mentions(&letter, &value, 1, &arena), rows[i].found,
			     "%s in %s", rows[i].value, rows[i].text);
	}
	bb_arena_fini(&arena);
}

Test(scrub, values_are_found_in_every_spelling)
{
	static const struct row rows[] = {
		{"ann@example.org", "{\"mail\":\"ann@example.org\"", true},
		{"ann@example.org", "Ann@EXAMPLE.org", true},
		{"ann@example.org", "joann@example.org", false},
		{"ann@example.org", "{\"note\":\"mail:\\nann@example.org\"", true},
		{"ann@example.org", "{\"note\":\"mail:\\tann@example.org\\r\\n\"", true},
		{"ann@example.org", "ann@example.organic", false},
		{"ann@example.org", "{\"mail\":\"\\u0061nn@example\\u002Eorg\"}", true},
		{"ann@example.org", "mail=ann%40example.org&x=1", true},
		{"ann@example.org", "mail=ann%4", false},
		{"ann@example.org", "\\u12", false},
		{"ann@example.org", "ann\\", false},
		{"j\xc3\xa9@example.org", "J\\u00e9@example.org", true},
		{"\xe2\x82\xac"
		 "7",
		 "\\u20ac7", true},
		{"a/b", "a\\/b", true},
		{"7", "{\"user\":7}", true},
		{"7", "{\"user\":\"17\",\"b\":70}", false},
		{"fr/1234", "{\"shop\":\"fr\",\"id\":1234}", true},
		{"fr/12", "{\"shop\":\"fr\",\"id\":12}", false},
		{"+33612345678", "call 06 12.34-56 (78)", true},
		{"+33612345678", "tel:+33612345678", true},
		{"+33612345678", "06 12 34 56 79", false},
		{"+33612345678", "06 12 and 34 56 78", false},
		{"+33", "33", false},
		{"ann", "", false},
	};

	expect_found(rows, sizeof rows / sizeof *rows);
}

Test(scrub, values_in_base64_are_found)
{
	static const struct row rows[] = {
		{"ann@example.org", "{\"body\":\"eyJ1c2VyIjoiQW5uQGV4YW1wbGUub3JnIn0=\"}", true},
		{"ann@example.org", "Basic YW5uQGV4YW1wbGUub3JnOnB3", true},
		/* a path before it */
		{"ann@example.org", "/hooks/x/YW5uQGV4YW1wbGUub3Jn/y", true},
		{"ann@example.org", "X2pvYW5uQGV4YW1wbGUub3JnYW5pYw==", false},
		/* the alphabet of URLs */
		{"ann@example.org",
		 "{\"data\":\"eyJhIjoiPz8-Pj8_Pj4iLCJ1c2VyIjoiYW5uQGV4YW1wbGUub3JnIn0\"}", true},
		/* escaped in JSON */
		{"ann@example.org",
		 "{\"data\":\"eyJhIjoiPz8+Pj8\\/Pj4iLCJ1c2VyIjoiYW5uQGV4YW1wbGUub3JnIn0=\"}", true},
		/* lines */
		{"ann@example.org",
		 "eyJub3RlIjoieHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\ne"
		 "HgiLCJtYWlsIjoiYW5uQGV4YW1wbGUub3JnIiwidGFpbCI6Inl5eXl5eXl5eXl5eXl5eXl5eXl5\r\neX"
		 "l5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eSJ9",
		 true},
		/* lines, escaped in JSON */
		{"ann@example.org",
		 "eyJub3RlIjoieHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\\r\\"
		 "neHgiLCJtYWlsIjoiYW5uQGV4YW1wbGUub3JnIiwidGFpbCI6Inl5eXl5eXl5eXl5eXl5eXl5eXl5\\r"
		 "\\neXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eXl5eSJ9",
		 true},
		/* base64 in base64 */
		{"ann@example.org",
		 "eyJkYXRhX2Jhc2U2NCI6ImV5SjFjMlZ5SWpvaVFXNXVRR1Y0WVcxd2JHVXViM0puSW4wPSJ9", true},
		/* but not deeper */
		{"ann@example.org",
		 "WlhsS01XTXlWbmxKYW05cFVWYzFkVkZIVmpSWlZ6RjNZa2RWZFdJelNtNUpiakE5", false},
		/* a form in base64 */
		{"ann@example.org", "bWFpbD1hbm4lNDBleGFtcGxlLm9yZyZ4PTE=", true},
		/* between other bytes */
		{"ann@example.org", "CAESD2FubkBleGFtcGxlLm9yZxoC", true},
		{"+33612345678", "eyJ0ZWwiOiIwNiAxMiAzNCA1NiA3OCJ9", true},
		{"7", "eyJ1c2VyIjo3LCJhIjoxfQ==", true},
		{"7", "eyJ1c2VyIjoxNywiYSI6MX0=", false},
		/* sixteen characters */
		{"ann", "YW5uQGV4YW1wbGUu", true},
		/* fewer are words */
		{"ann", "eyJ4Ijphbm59", false},
	};

	expect_found(rows, sizeof rows / sizeof *rows);
}

Test(scrub, keys_and_headers_are_searched_too)
{
	struct bb_header headers[] = {{BB_TEXT("a"), {NULL, 0}}, {BB_TEXT("user"), BB_TEXT("ann")}};
	struct bb_text values[] = {BB_TEXT("bob"), BB_TEXT("ann")};
	struct bb_deadletter letter = {.message = {.headers = headers, .header_n = 2}};
	struct bb_arena arena;

	bb_arena_init(&arena);
	cr_expect(bb_deadletter_mentions(&letter, values, 2, &arena));
	cr_expect_not(bb_deadletter_mentions(&letter, values, 1, &arena));
	letter.message.key = BB_TEXT("bob");
	cr_expect(bb_deadletter_mentions(&letter, values, 1, &arena));
	bb_arena_fini(&arena);
}

static uint64_t put(struct bb_kv *kv, const char *text)
{
	struct bb_deadletter letter = {
		.stored_ms = 1,
		.connector = BB_TEXT("direct"),
		.message = {.topic = BB_TEXT("t"), .value = bb_text_of(text)},
		.has_value = true};
	uint64_t number = 0;

	cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
	return number;
}

Test(scrub, only_those_that_mention_a_value_go)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_text values[] = {BB_TEXT("ann"), BB_TEXT("bob")};
	struct bb_deadletter letter;
	uint64_t removed = 9, number;
	struct bb_arena arena;

	bb_arena_init(&arena);
	cr_assert_eq(bb_deadletter_scrub(kv, values, 2, &removed), BB_OK);
	cr_expect_eq(removed, 0);
	put(kv, "{ann");
	put(kv, "{eve");
	put(kv, "{bob");
	cr_assert_eq(bb_deadletter_scrub(kv, values, 0, &removed), BB_OK);
	cr_expect_eq(removed, 0, "nothing is looked for");
	cr_assert_eq(bb_deadletter_scrub(kv, values, 2, &removed), BB_OK);
	cr_expect_eq(removed, 2);
	cr_assert_eq(bb_deadletter_seek(kv, 0, &arena, &number, &letter), BB_OK);
	cr_expect_eq(number, 2);
	cr_expect_eq(bb_deadletter_seek(kv, 3, &arena, &number, &letter), BB_ENOTFOUND);
	cr_expect_eq(bb_deadletter_remove(kv, 3), BB_ENOTFOUND);
	bb_arena_fini(&arena);
	bb_kvmem_abort(kv);
	bb_kvmem_free(mem);
}

Test(scrub, what_the_store_cannot_do_is_said)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_text value = BB_TEXT("ann");
	uint64_t removed;

	put(kv, "{ann");
	bb_kvmem_fail_read(mem, 1, BB_EIO);
	cr_expect_eq(bb_deadletter_scrub(kv, &value, 1, &removed), BB_EIO);
	bb_kvmem_fail_read(mem, 0, 0);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_DEAD_LETTER, BB_TEXT("\0\0\0\0\0\0\0\7"),
			       BB_TEXT("rubbish")),
		     BB_OK);
	cr_expect_eq(bb_deadletter_scrub(kv, &value, 1, &removed), BB_ECORRUPT);
	bb_kvmem_abort(kv);
	bb_kvmem_free(mem);
}
