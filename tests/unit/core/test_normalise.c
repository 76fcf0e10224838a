/* SPDX-License-Identifier: Apache-2.0 */
/* Test vectors for each normaliser, for derived identifiers, and for the built-in list of junk. */
#include <backbone/event.h>
#include <backbone/normalise.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

struct row {
	struct bb_text raw;
	const char *want; /* NULL: not canonical */
};

static void normalise(struct bb_namespace *ns, struct bb_text raw, const char *want)
{
	struct bb_arena arena;
	struct bb_text value = BB_TEXT("untouched"), again = {NULL, 0};
	char *copy = malloc(raw.n + 1); /* of its exact size, so that sanitizers see an overrun */
	bool ok;

	bb_arena_init(&arena);
	if (raw.n > 0)
		memcpy(copy, raw.p, raw.n);
	ok = bb_normalise(ns, (struct bb_text){copy, raw.n}, &arena, &value);
	cr_expect_eq(ok, want != NULL, "%.*s: %s", (int)raw.n, raw.p, ok ? "taken" : "refused");
	if (!ok)
		cr_expect(bb_text_equal(value, BB_TEXT("untouched")), "written though refused");
	if (ok && want) {
		cr_expect(bb_text_equal(value, bb_text_of(want)), "%.*s: got %.*s, want %s",
			  (int)raw.n, raw.p, (int)value.n, value.p, want);
		cr_expect(bb_normalise(ns, value, &arena, &again) && bb_text_equal(value, again),
			  "%s: not its own canonical form", want);
	}
	free(copy);
	bb_arena_fini(&arena);
}

static void expect_rows(enum bb_normaliser normaliser, const struct row *rows, size_t n)
{
	struct bb_namespace ns;

	bb_rules_namespace_defaults(&ns, "x", false, true);
	ns.normaliser = normaliser;
	for (size_t i = 0; i < n; i++)
		normalise(&ns, rows[i].raw, rows[i].want);
}

Test(core, none_leaves_values_as_they_are)
{
	static const struct row rows[] = {
		{BB_TEXT("AbC"), "AbC"},
		{BB_TEXT("  a\t"), "  a\t"},
		{BB_TEXT("e\xcc\x81"), "e\xcc\x81"},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_NONE, rows, COUNT(rows));
}

Test(core, invalid_utf8_is_never_canonical)
{
	static const struct row rows[] = {
		{BB_TEXT("\xff"), NULL},
		{BB_TEXT("abc\x80"), NULL},
		{BB_TEXT("abc\xc3"), NULL},		 /* cut off */
		{BB_TEXT("\xc0\xaf"), NULL},		 /* overlong */
		{BB_TEXT("\xe0\x80\xaf"), NULL},	 /* overlong */
		{BB_TEXT("\xed\xa0\x80"), NULL},	 /* a surrogate */
		{BB_TEXT("\xf4\x90\x80\x80"), NULL},	 /* beyond the last */
		{BB_TEXT("\xf5\x80\x80\x80"), NULL},	 /* no lead byte */
		{BB_TEXT("12345678\xe2\x28\xa1"), NULL}, /* no continuation */
		{BB_TEXT("12345678\xf0\x9f\x98"), NULL}, /* cut off after a word */
		{BB_TEXT("\xe2\x80\xe2\x80\x83"), NULL},
	};

	for (int i = BB_NORMALISE_NONE; i <= BB_NORMALISE_HEX; i++)
		expect_rows((enum bb_normaliser)i, rows, COUNT(rows));
}

Test(core, trim_composes_and_strips)
{
	static const struct row rows[] = {
		{BB_TEXT("abc"), "abc"},
		{BB_TEXT("  a b \t\r\n"), "a b"},
		{BB_TEXT("\x01\x1f"
			 "a\x7f"),
		 "a"},
		{BB_TEXT("\0a\0"), "a"},
		{BB_TEXT("\xc2\x85\xc2\xa0\xe1\x9a\x80\xe2\x80\x80\xe2\x80\x8a"
			 "a"),
		 "a"},
		{BB_TEXT("a\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\x9f\xe3\x80\x80"), "a"},
		{BB_TEXT("\xc2\x9fzoé\xc2\x80"), "zoé"},
		{BB_TEXT("e\xcc\x81t\xc3\xa9"), "été"},
		{BB_TEXT("\xe2\x84\xab"), "Å"},	     /* the sign of the unit */
		{BB_TEXT("a\xcc\xa7\xcc\x81"), "á̧"}, /* marks in their order */
		{BB_TEXT("a\xcc\x81\xcc\xa7"), "á̧"},
		{BB_TEXT("\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "한"},
		{BB_TEXT("\xea\xb0\x80\xe1\x86\xa7"), "\xea\xb0\x80\xe1\x86\xa7"},
		{BB_TEXT("\xe1\x86\xa7\xe1\x86\xa7"), "\xe1\x86\xa7\xe1\x86\xa7"},
		{BB_TEXT("\xef\xac\x81"), "ﬁ"}, /* a ligature stays: C, not KC */
		{BB_TEXT("\xe2\x80\x8b"
			 "a"),
		 "\xe2\x80\x8b"
		 "a"}, /* no White_Space: a format */
		{BB_TEXT("Straße ☕ 😀"), "Straße ☕ 😀"},
		{BB_TEXT(" "), NULL},
		{BB_TEXT("\xe3\x80\x80\t"), NULL},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_TRIM, rows, COUNT(rows));
}

Test(core, lower_maps_in_full)
{
	static const struct row rows[] = {
		{BB_TEXT("AbC-9"), "abc-9"},
		{BB_TEXT(" ABC "), "abc"},
		{BB_TEXT("ÀÉÎ"), "àéî"},
		{BB_TEXT("E\xcc\x81"), "é"},
		{BB_TEXT("STRASSE Straße ẞ"), "strasse straße ß"},
		{BB_TEXT("ΟΔΥΣΣΕΥΣ"), "οδυσσευς"},
		{BB_TEXT("ΑΣ."), "ας."},
		{BB_TEXT("ΑΣ.Β"), "ασ.β"},
		{BB_TEXT("Σ"), "σ"},
		{BB_TEXT("Α:Σ"), "α:ς"},
		{BB_TEXT("İ"), "i̇"},
		{BB_TEXT("ДОМ"), "дом"},
		{BB_TEXT("H\xcc\xb1"), "ẖ"}, /* composes in lower case only */
		{BB_TEXT("Ⱥ"), "ⱥ"},	     /* grows */
		{BB_TEXT("Å"), "å"},
		{BB_TEXT("日本"), "日本"},
		{BB_TEXT("\t\n"), NULL},
	};

	expect_rows(BB_NORMALISE_LOWER, rows, COUNT(rows));
}

Test(core, email_wants_a_mailbox_and_a_domain)
{
	static const struct row rows[] = {
		{BB_TEXT("ann@example.org"), "ann@example.org"},
		{BB_TEXT(" Ann.Lee+News@Example.ORG\n"), "ann.lee+news@example.org"},
		{BB_TEXT("a.b.c@x.y.z.org"), "a.b.c@x.y.z.org"},
		{BB_TEXT("ZOË@Exämple.org"), "zoë@exämple.org"},
		{BB_TEXT("zoe\xcc\x88@example.org"), "zoë@example.org"},
		{BB_TEXT("o'hara@example.org"), "o'hara@example.org"},
		{BB_TEXT("ann"), NULL},
		{BB_TEXT("ann@"), NULL},
		{BB_TEXT("@example.org"), NULL},
		{BB_TEXT("@"), NULL},
		{BB_TEXT("ann@example"), NULL},
		{BB_TEXT("ann@example."), NULL},
		{BB_TEXT("ann@.org"), NULL},
		{BB_TEXT("ann@."), NULL},
		{BB_TEXT("ann@example..org"), NULL},
		{BB_TEXT("ann@lee@example.org"), NULL},
		{BB_TEXT("ann@@example.org"), NULL},
		{BB_TEXT("ann lee@example.org"), NULL},
		{BB_TEXT("ann@exam\tple.org"), NULL},
		{BB_TEXT("ann\xc2\xa0lee@example.org"), NULL},
		{BB_TEXT("ann\0lee@example.org"), NULL},
		{BB_TEXT("  "), NULL},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_EMAIL, rows, COUNT(rows));
}

Test(core, phone_is_parsed_with_its_region)
{
	static const struct {
		const char *region;
		struct bb_text raw;
		const char *want;
	} rows[] = {
		{"FR", BB_TEXT("06 12 34 56 78"), "+33612345678"},
		{"FR", BB_TEXT("06.12.34.56.78"), "+33612345678"},
		{"FR", BB_TEXT("+33 (0)6 12 34 56 78"), "+33612345678"},
		{"FR", BB_TEXT("0033612345678"), "+33612345678"},
		{"FR", BB_TEXT("01 42 68 53 00"), "+33142685300"},
		{"FR",
		 BB_TEXT("\xc2\xa0"
			 "06 12 34 56 78\n"),
		 "+33612345678"},
		{"FR", BB_TEXT("tel:+33-6-12-34-56-78"), "+33612345678"},
		{"FR", BB_TEXT("+1 415 555 2671"), "+14155552671"},
		{"US", BB_TEXT("(415) 555-2671"), "+14155552671"},
		{"US", BB_TEXT("1-415-555-2671"), "+14155552671"},
		{"US", BB_TEXT("1-800-FLOWERS"), "+18003569377"},
		{"US", BB_TEXT("011 44 7911 123456"), "+447911123456"},
		{"GB", BB_TEXT("07911 123456"), "+447911123456"},
		{"GB", BB_TEXT("020 7946 0018"), "+442079460018"},
		{"DE", BB_TEXT("030 901820"), "+4930901820"},
		{"IT", BB_TEXT("06 698 12345"), "+390669812345"}, /* the zero stays */
		{"JP", BB_TEXT("03-1234-5678"), "+81312345678"},
		{"IN", BB_TEXT("098765 43210"), "+919876543210"},
		{"SG", BB_TEXT("6123 4567"), "+6561234567"},
		{"FR", BB_TEXT("٠٦١٢٣٤٥٦٧٨"), "+33612345678"},
		{NULL, BB_TEXT("+33612345678"), "+33612345678"},
		{NULL, BB_TEXT("+44 20 7946 0018"), "+442079460018"},
		{NULL, BB_TEXT("06 12 34 56 78"), NULL}, /* of which country? */
		{"QQ", BB_TEXT("06 12 34 56 78"), NULL},
		{"US", BB_TEXT("06 12 34 56 78"), NULL},
		{"US", BB_TEXT("555-2671"), NULL}, /* possible only locally */
		{"FR", BB_TEXT("12"), NULL},
		{"FR", BB_TEXT("+3361234567"), NULL},
		{"FR", BB_TEXT("+336123456789"), NULL},
		{"FR", BB_TEXT("+999123456789"), NULL},
		{"GB", BB_TEXT("07911 12345"), NULL},
		{"FR", BB_TEXT("no phone"), NULL},
		{"FR", BB_TEXT("+"), NULL},
		{"FR", BB_TEXT(""), NULL},
		{"FR", BB_TEXT("   "), NULL},
	};
	struct bb_namespace ns;

	bb_rules_namespace_defaults(&ns, "phone", false, true);
	ns.normaliser = BB_NORMALISE_PHONE;
	for (int round = 0; round < 2; round++) { /* the second from what is remembered */
		for (size_t i = 0; i < COUNT(rows); i++) {
			ns.region = rows[i].region;
			normalise(&ns, rows[i].raw, rows[i].want);
		}
	}
}

Test(core, phone_of_any_length_is_answered)
{
	static char digits[1000];
	struct bb_namespace ns;

	memset(digits, '1', sizeof(digits));
	bb_rules_namespace_defaults(&ns, "phone", false, true);
	ns.normaliser = BB_NORMALISE_PHONE;
	ns.region = "FR";
	for (size_t n = 20; n <= sizeof(digits); n += 49)
		normalise(&ns, (struct bb_text){digits, n}, NULL);
}

static void *phones_of_a_thread(void *arg)
{
	struct bb_namespace ns;

	bb_rules_namespace_defaults(&ns, "phone", false, true);
	ns.normaliser = BB_NORMALISE_PHONE;
	ns.region = "FR";
	for (int i = 0; i < 200; i++) {
		struct bb_arena arena;
		struct bb_text raw, value = {NULL, 0};

		bb_arena_init(&arena);
		raw = bb_arena_printf(&arena, "06 12 34 %02d %02d", i / 100, i % 100);
		if (bb_normalise(&ns, raw, &arena, &value) && value.n == 12)
			++*(int *)arg;
		bb_arena_fini(&arena);
	}
	return NULL;
}

Test(core, phones_are_parsed_by_several_threads)
{
	pthread_t threads[4];
	int counts[4] = {0};

	for (int i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, phones_of_a_thread, &counts[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		cr_expect_eq(counts[i], 200, "thread %d: %d", i, counts[i]);
	}
}

Test(core, digits_keeps_digits_only)
{
	static const struct row rows[] = {
		{BB_TEXT("0012345"), "0012345"},
		{BB_TEXT("12-34 56"), "123456"},
		{BB_TEXT("card no. 12"), "12"},
		{BB_TEXT("١٢3"), "3"}, /* decimal digits of ASCII */
		{BB_TEXT("none"), NULL},
		{BB_TEXT("-"), NULL},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_DIGITS, rows, COUNT(rows));
}

Test(core, uuid_is_written_in_one_way)
{
	static const char *const want = "550e8400-e29b-41d4-a716-44665544abcd";
	const struct row rows[] = {
		{BB_TEXT("550e8400-e29b-41d4-a716-44665544abcd"), want},
		{BB_TEXT("550E8400-E29B-41D4-A716-44665544ABCD"), want},
		{BB_TEXT(" 550e8400e29b41d4a71644665544abcd "), want},
		{BB_TEXT("550E8400E29B41D4A71644665544ABCD"), want},
		{BB_TEXT("{550e8400-e29b-41d4-a716-44665544abcd}"), want},
		{BB_TEXT("{550e8400e29b41d4a71644665544abcd}"), want},
		{BB_TEXT("urn:uuid:550e8400-e29b-41d4-a716-44665544abcd"), want},
		{BB_TEXT("URN:UUID:550E8400-E29B-41D4-A716-44665544ABCD"), want},
		{BB_TEXT("550e8400-e29b-41d4-a716-44665544abc"), NULL},
		{BB_TEXT("550e8400-e29b-41d4-a716-44665544abcde"), NULL},
		{BB_TEXT("550e8400-e29b-41d4-a716-44665544abcg"), NULL},
		{BB_TEXT("550e8400e-29b-41d4-a716-44665544abcd"), NULL}, /* hyphens elsewhere */
		{BB_TEXT("550e8400-e29b-41d4-a716944665544abcd"), NULL},
		{BB_TEXT("{550e8400-e29b-41d4-a716-44665544abcd"), NULL},
		{BB_TEXT("550e8400e29b41d4a71644665544abc"), NULL},
		{BB_TEXT("550e8400e29b41d4a71644665544ab-d"), NULL},
		{BB_TEXT("{}"), NULL},
		{BB_TEXT("urn:uuid:"), NULL},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_UUID, rows, COUNT(rows));
}

Test(core, hex_is_lower_and_even)
{
	static const struct row rows[] = {
		{BB_TEXT("00ff"), "00ff"},
		{BB_TEXT("DEADbeef"), "deadbeef"},
		{BB_TEXT("\tAB\n"), "ab"},
		{BB_TEXT("abc"), NULL},
		{BB_TEXT("0xab"), NULL},
		{BB_TEXT("ab cd"), NULL},
		{BB_TEXT("\xc3\xa9\xc3\xa9"), NULL},
		{BB_TEXT(""), NULL},
	};

	expect_rows(BB_NORMALISE_HEX, rows, COUNT(rows));
}

Test(core, values_end_at_512_bytes)
{
	static const enum bb_normaliser each[] = {BB_NORMALISE_NONE, BB_NORMALISE_TRIM,
						  BB_NORMALISE_LOWER, BB_NORMALISE_DIGITS,
						  BB_NORMALISE_HEX};
	static char text[BB_EVENT_VALUE_MAX + 3];
	struct bb_namespace ns;

	memset(text, '1', sizeof(text) - 1);
	bb_rules_namespace_defaults(&ns, "x", false, true);
	for (size_t i = 0; i < COUNT(each); i++) {
		char saved = text[BB_EVENT_VALUE_MAX];

		ns.normaliser = each[i];
		normalise(&ns, (struct bb_text){text, BB_EVENT_VALUE_MAX + 2}, NULL);
		text[BB_EVENT_VALUE_MAX] = '\0';
		normalise(&ns, (struct bb_text){text, BB_EVENT_VALUE_MAX}, text);
		text[BB_EVENT_VALUE_MAX] = saved;
	}
}

Test(core, what_composes_to_512_bytes_is_canonical)
{
	static char jamo[9 * 200], syllables[3 * 200 + 1];
	struct bb_namespace ns;

	for (size_t i = 0; i < 200; i++) {
		memcpy(jamo + 9 * i, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab", 9);
		memcpy(syllables + 3 * i, "한", 3);
	}
	bb_rules_namespace_defaults(&ns, "x", false, true);
	syllables[510] = '\0';
	normalise(&ns, (struct bb_text){jamo, (size_t)9 * 170}, syllables);
	ns.normaliser = BB_NORMALISE_LOWER;
	normalise(&ns, (struct bb_text){jamo, (size_t)9 * 170}, syllables);
	normalise(&ns, (struct bb_text){jamo, (size_t)9 * 171}, NULL);
}

Test(core, what_is_far_too_long_is_refused_before_it_costs_time)
{
	size_t n = (size_t)4 << 20;
	char *marks = malloc(n);
	struct bb_namespace ns;

	for (size_t i = 0; i < n; i += 4)
		memcpy(marks + i, i % 8 ? "\xcc\x81\xcc\xa7" : "\xcc\xa7\xcc\x81", 4);
	bb_rules_namespace_defaults(&ns, "x", false, true);
	for (int i = BB_NORMALISE_TRIM; i <= BB_NORMALISE_HEX; i++) {
		struct bb_arena arena;
		struct bb_text value;

		bb_arena_init(&arena);
		ns.normaliser = (enum bb_normaliser)i;
		cr_expect_not(bb_normalise(&ns, (struct bb_text){marks, n}, &arena, &value), "%d",
			      i);
		bb_arena_fini(&arena);
	}
	free(marks);
}

Test(core, derived_identifiers_are_hashes)
{
	static const struct {
		const char *derivation;
		struct bb_text value;
		const char *want; /* NULL: no such derivation */
	} rows[] = {
		{"email_sha256", BB_TEXT("ann@example.org"),
		 "438c4c7afe600cdf1e455c369bec76dc970fc8ca463447c7b387a347f3c79331"},
		{"phone_sha256", BB_TEXT("+33612345678"),
		 "42d573cfc315801d4cd8eddd5416b416a0bf298b9b9e12d6b07442c91db42bd8"},
		{"email_md5", BB_TEXT("ann@example.org"), NULL},
		{"", BB_TEXT("ann@example.org"), NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bb_text value = {NULL, 0};
		struct bb_arena arena;
		bool ok;

		bb_arena_init(&arena);
		ok = bb_normalise_derive(rows[i].derivation, rows[i].value, &arena, &value);
		cr_expect_eq(ok, rows[i].want != NULL, "%s", rows[i].derivation);
		cr_expect_eq(bb_normalise_is_derivation(rows[i].derivation), ok);
		if (ok && rows[i].want)
			cr_expect(bb_text_equal(value, bb_text_of(rows[i].want)), "%s: %.*s",
				  rows[i].derivation, (int)value.n, value.p);
		bb_arena_fini(&arena);
	}
}

Test(core, regions_are_those_of_the_library)
{
	static const struct {
		const char *region;
		bool known;
	} rows[] = {{"FR", true},  {"US", true},  {"GB", true}, {"UK", false},
		    {"fr", false}, {"ZZ", false}, {"", false},	{"FRA", false}};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_eq(bb_normalise_is_region(rows[i].region), rows[i].known, "%s",
			     rows[i].region);
}
