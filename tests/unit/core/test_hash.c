/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hash against digests made with Python's hashlib.blake2b(digest_size=16, key=...), and
 * the written form of profile ids there and back.
 */
#include <backbone/hash.h>
#include <criterion/criterion.h>
#include <stdio.h>

#define RUN_40 "nsssssssssssssssssssssssssssssssssssssss"

static const struct bb_profile_key zero_key;
static const struct bb_profile_key counting_key = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static void to_hex(const struct bb_hash *hash, char out[33])
{
	for (int i = 0; i < BB_HASH_BYTES; i++)
		snprintf(out + (ptrdiff_t)2 * i, 3, "%02x", hash->b[i]);
}

static char many_a[512], many_sz[512], many_v[500];

static const struct {
	const char *name;
	struct bb_text parts[4];
	size_t n;
	const char *zero, *counting; /* the digest under either key */
} references[] = {
	{"short",
	 {BB_TEXT("crm"), BB_TEXT("1")},
	 2,
	 "b5fdaaee2ce41278b3f0eeba08dd75b6",
	 "1e37a92809e387800e5d8c9ee925e8e3"},
	{"mail",
	 {BB_TEXT("email"), BB_TEXT("ann@example.org")},
	 2,
	 "eb3657ddb6178094afb410ba20da1730",
	 "6d39b4df8f75752485a628a6305e651e"},
	{"a pair",
	 {BB_TEXT("email"), BB_TEXT("a@b.org"), BB_TEXT("loyalty"), BB_TEXT("L77")},
	 4,
	 "77ee9c1b5335678868cdecd7ef77d676",
	 "ee17078d1c310b35914a66451dc36afa"},
	{"empty value",
	 {BB_TEXT("x"), BB_TEXT("")},
	 2,
	 "6cc0e9614556641c4e931e8ec255f1fb",
	 "ec135a1b057d14a8f38f1c7a69cba122"},
	{"not ASCII",
	 {BB_TEXT("name"), BB_TEXT("é漢😀")},
	 2,
	 "ff8840223b29bfeb309c95d6e4c18bca",
	 "19ef7224c89c830f02be226ac039acce"},
	{"512 bytes",
	 {BB_TEXT("crm"), {many_a, sizeof(many_a)}},
	 2,
	 "d48cd8914906fac15f852f0cca7f14a9",
	 "b5cc6cd7f5a397cf350e706757f09b64"},
	{"more than one call takes",
	 {BB_TEXT(RUN_40), {many_sz, sizeof(many_sz)}, BB_TEXT("t"), {many_v, sizeof(many_v)}},
	 4,
	 "54cde19c2f31370770ffbf95ca8e00cd",
	 "d8b009b355ad9593cddc5fbe7be08512"},
	{"nothing",
	 {{NULL, 0}},
	 0,
	 "b786fbce2ffe5ead3e3dab40cf91ab28",
	 "083aac7ba77bc664005d821eb8bfa4d9"},
	{"one part",
	 {BB_TEXT("only")},
	 1,
	 "ad7b051f3325c195479d83daed111df5",
	 "f2d4b99c5eebd51f1acc5afc103bc3f6"},
};

Test(core, hash_equals_the_reference)
{
	memset(many_a, 'A', sizeof(many_a));
	memset(many_v, 'v', sizeof(many_v));
	for (size_t i = 0; i < sizeof(many_sz); i += 2)
		memcpy(many_sz + i, "ß", 2);
	for (size_t i = 0; i < sizeof(references) / sizeof(*references); i++) {
		struct bb_hash hash =
			bb_hash_parts(&zero_key, references[i].parts, references[i].n);
		char hex[33];

		to_hex(&hash, hex);
		cr_expect_str_eq(hex, references[i].zero, "%s, zero key: %s", references[i].name,
				 hex);
		hash = bb_hash_parts(&counting_key, references[i].parts, references[i].n);
		to_hex(&hash, hex);
		cr_expect_str_eq(hex, references[i].counting, "%s, other key: %s",
				 references[i].name, hex);
	}
}

Test(core, hash_of_an_identifier_is_that_of_its_two_parts)
{
	struct bb_text parts[2] = {BB_TEXT("phone"), BB_TEXT("+33612345678")};
	struct bb_hash whole = bb_hash_parts(&counting_key, parts, 2);
	struct bb_hash id = bb_hash_identifier(&counting_key, parts[0], parts[1]);

	cr_expect(bb_hash_equal(&whole, &id));
}

Test(core, hash_has_no_seam_between_one_call_and_a_stream)
{
	static char bytes[1100];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t n = 1015; n < 1035; n++) {
		struct bb_text once[1] = {{bytes, n}};
		struct bb_text split[2] = {{bytes, n / 2}, {bytes, n - n / 2 - 1}};
		struct bb_hash a, b;

		bytes[n / 2] = '\0'; /* the same bytes, in one part or in two */
		a = bb_hash_parts(&counting_key, once, 1);
		split[1].p = bytes + n / 2 + 1;
		b = bb_hash_parts(&counting_key, split, 2);
		bytes[n / 2] = 'x';
		cr_expect(bb_hash_equal(&a, &b), "%zu bytes", n);
	}
}

Test(core, profile_id_is_written_and_read)
{
	static const struct {
		struct bb_text ns, value;
		const char *id;
	} rows[] = {
		{BB_TEXT("crm"), BB_TEXT("1"), "p5nzpnewb7429wb7w7eq84dtxdp"},
		{BB_TEXT("email"), BB_TEXT("ann@example.org"), "p7b6sbxvdgqg2aazd0gq8gdm5sg"},
		{BB_TEXT("name"), BB_TEXT("é漢😀"), "p7zh1024es9qznk174ntvjc32ya"},
		{BB_TEXT("phone"), BB_TEXT("+33612345678"), "p29hjrmv8hkgz7enerchzqtvjdz"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_hash hash = bb_hash_identifier(&zero_key, rows[i].ns, rows[i].value);
		struct bb_hash back = {{0}};
		char id[BB_PROFILE_ID_BYTES + 1] = "";

		bb_hash_profile_id(&hash, id);
		cr_expect_str_eq(id, rows[i].id, "row %zu: %s", i, id);
		cr_expect(bb_hash_parse_profile_id(bb_text_of(id), &back), "row %zu", i);
		cr_expect(bb_hash_equal(&hash, &back), "row %zu", i);
		for (char *c = id; *c; c++)
			*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		memset(&back, 0, sizeof(back));
		cr_expect(bb_hash_parse_profile_id(bb_text_of(id), &back), "upper row %zu", i);
		cr_expect(bb_hash_equal(&hash, &back), "upper row %zu", i);
	}
}

Test(core, profile_id_goes_round_for_every_bit)
{
	for (int bit = 0; bit < 8 * BB_HASH_BYTES; bit++) {
		struct bb_hash hash = {{0}}, back = {{0}};
		char id[BB_PROFILE_ID_BYTES];

		hash.b[bit / 8] = (uint8_t)(1 << bit % 8);
		bb_hash_profile_id(&hash, id);
		cr_expect(bb_hash_parse_profile_id(bb_text_bytes(id, sizeof(id)), &back));
		cr_expect(bb_hash_equal(&hash, &back), "bit %d", bit);
	}
}

Test(core, profile_id_of_another_form_is_refused)
{
	static const char *const rows[] = {
		"",
		"p",
		"p5nzpnewb7429wb7w7eq84dtxd",	/* too short */
		"p5nzpnewb7429wb7w7eq84dtxdpp", /* too long */
		"q5nzpnewb7429wb7w7eq84dtxdp",	/* not p */
		"p8nzpnewb7429wb7w7eq84dtxdp",	/* more than 128 bits */
		"p5nzpnewb7429wb7w7eq84dtxdl",	/* l, i, o, u are no digits */
		"p5nzpnewb7429wb7w7eq84dtxdI",
		"p5nzpnewb7429wb7w7eq84dtxdo",
		"p5nzpnewb7429wb7w7eq84dtxdU",
		"p5nzpnewb7429wb7w7eq84dtxd-",
		"p5nzpnewb7429wb7w7eq84dtx\xc3\xa9",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_hash hash = {{42}};

		cr_expect_not(bb_hash_parse_profile_id(bb_text_of(rows[i]), &hash), "%s", rows[i]);
		cr_expect_eq(hash.b[0], 42, "%s: written on failure", rows[i]);
	}
}
