/* SPDX-License-Identifier: Apache-2.0 */
/* Money and JSON numbers against tables of what they are. */
#include <number.h>

#include <criterion/criterion.h>

Test(core, money_is_read_exactly_and_written_without_trailing_zeros)
{
	static const struct {
		const char *text, *plain;
	} rows[] = {
		{"0", "0"},
		{"-0", "0"},
		{"-0.000000", "0"},
		{"1", "1"},
		{"1.0", "1"},
		{"12.50", "12.5"},
		{"-12.50", "-12.5"},
		{"0.000001", "0.000001"},
		{"-0.000001", "-0.000001"},
		{"007", "7"},
		{"100", "100"},
		{"999999999999999999", "999999999999999999"},
		{"-999999999999999999.999999", "-999999999999999999.999999"},
		{"000000000000000000.1", "0.1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[BB_MONEY_CHARS];
		bb_i128 micros;

		cr_assert(bb_money_parse(bb_text_of(rows[i].text), &micros), "%s", rows[i].text);
		struct bb_text plain = {out, bb_money_format(micros, out)};

		cr_expect(bb_text_equal(plain, bb_text_of(rows[i].plain)), "%s: %.*s", rows[i].text,
			  (int)plain.n, plain.p);
	}
}

Test(core, what_is_not_of_the_form_of_money_is_refused)
{
	static const struct bb_text rows[] = {
		BB_TEXT(""),	BB_TEXT("-"),	  BB_TEXT("+1"),
		BB_TEXT("1."),	BB_TEXT(".5"),	  BB_TEXT("1.1234567"),
		BB_TEXT("1e3"), BB_TEXT("1,5"),	  BB_TEXT(" 1"),
		BB_TEXT("1\n"), BB_TEXT("--1"),	  BB_TEXT("1000000000000000000"),
		BB_TEXT("1\0"), BB_TEXT("1.0\0"), BB_TEXT("1.2.3"),
		BB_TEXT("٣"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bb_i128 micros;

		cr_expect(!bb_money_parse(rows[i], &micros), "row %zu: %s", i, rows[i].p);
	}
}

Test(core, sums_are_written_to_the_end_of_their_range)
{
	char out[BB_MONEY_CHARS];
	bb_i128 most = (bb_i128)(~(unsigned __int128)0 >> 1);
	struct bb_text text = {out, bb_money_format(most, out)};

	cr_expect(bb_text_equal(text, BB_TEXT("170141183460469231731687303715884.105727")));
	text.n = bb_money_format(bb_i128_add(most, 1), out);
	cr_expect(bb_text_equal(text, BB_TEXT("-170141183460469231731687303715884.105728")));
}

/* Each row is greater than those before it; texts in a row are equal. */
Test(core, numbers_are_compared_by_value)
{
	static const char *const rows[][6] = {
		{"-9e9999", "-9.000E+9999"},
		{"-1e400"},
		{"-10", "-1e1", "-1.0e+1", "-100e-1", "-0.1e2"},
		{"-9.99999999999999999999999999999999999999999"},
		{"-1", "-1.0", "-10e-1"},
		{"-1e-400"},
		{"-1e-9999"},
		{"0", "-0", "0.0", "-0e5", "0e-9999", "0.000e0"},
		{"1e-9999", "0.1e-9998", "10e-10000"},
		{"0.1", "1e-1", "0.10", "100e-3", "0.01E1", "1E-01"},
		{"0.10000000000000000000000000000000000000000000001"},
		{"1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1"},
		{"1.0000000000000000000000000000000000000000000000000000000000001"},
		{"2", "2.000", "0.002e3"},
		{"9"},
		{"9.5"},
		{"10", "1e1", "1E1", "100e-1", "0.001e4"},
		{"9007199254740992"},
		{"9007199254740993"},
		{"123456789012345678901234567890"},
		{"123456789012345678901234567891", "1.23456789012345678901234567891e29"},
		{"1e400"},
		{"1e9999", "10e9998", "0.1e10000"},
	};
	const int n = (int)(sizeof(rows) / sizeof(rows[0]));

	for (int i = 0; i < 6 * n; i++)
		for (int k = 0; k < 6 * n; k++) {
			const char *a = rows[i / 6][i % 6], *b = rows[k / 6][k % 6];

			if (!a || !b)
				continue;
			int d = bb_number_compare(bb_text_of(a), bb_text_of(b));

			cr_expect_eq((d > 0) - (d < 0), (i / 6 > k / 6) - (i / 6 < k / 6),
				     "%s and %s: %d", a, b, d);
		}
}

Test(core, a_huge_coefficient_is_compared_to_its_last_digit)
{
	enum { DIGITS = 9000 };
	static char a[DIGITS], b[DIGITS + 8];

	memset(a, '7', sizeof(a));
	memset(b, '7', sizeof(b));
	b[DIGITS] = '.';
	memset(b + DIGITS + 1, '0', 7);
	struct bb_text x = {a, DIGITS}, y = {b, DIGITS + 8};

	cr_expect_eq(bb_number_compare(x, y), 0);
	b[DIGITS + 7] = '1';
	cr_expect_lt(bb_number_compare(x, y), 0);
	a[DIGITS - 1] = '8';
	cr_expect_gt(bb_number_compare(x, y), 0);
}

Test(core, a_number_that_is_none_is_compared_all_the_same)
{
	static const struct bb_text rows[] = {BB_TEXT(""),
					      BB_TEXT("-"),
					      BB_TEXT("e"),
					      BB_TEXT("1e-------------------9"),
					      BB_TEXT("1e\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
						      "\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
					      BB_TEXT("..."),
					      BB_TEXT("1.e+"),
					      BB_TEXT("\0\0e\0")};
	const size_t n = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			cr_expect_eq(bb_number_compare(rows[i], rows[k]),
				     -bb_number_compare(rows[k], rows[i]), "%zu and %zu", i, k);
}
