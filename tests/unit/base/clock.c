/* SPDX-License-Identifier: Apache-2.0 */
/* Instants to and from text. */
#include <backbone/clock.h>
#include <criterion/criterion.h>
#include <inttypes.h>

Test(base, clock_reads_rfc3339)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1970-01-01T00:00:00.001Z", 1},
		{"1970-01-01T00:00:00.0019999999999999999999999Z", 1},
		{"1970-01-01T00:00:00.5Z", 500},
		{"1970-01-01T00:00:00.05Z", 50},
		{"1970-01-01T00:00:00.000000001Z", 0},
		{"1970-01-01T05:30:00+05:30", 0},
		{"1969-12-31T23:59:59-00:01", 59000},
		{"1970-01-01T00:00:00-00:00", 0},
		{"1970-01-02T00:00:00+23:59", 60000},
		{"1970-01-01T01:15:00+00:75", 0},
		{"2000-02-29T12:00:00Z", INT64_C(951825600000)},
		{"2024-02-29T23:59:59.999Z", INT64_C(1709251199999)},
		{"2026-01-02T03:04:05.678Z", INT64_C(1767323045678)},
		{"2026-01-02T03:04:05.678+02:00", INT64_C(1767315845678)},
		{"9999-12-31T23:59:59.999Z", BB_TIME_MAX_MS},
		{"9999-12-31T23:59:59.9999999Z", BB_TIME_MAX_MS},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ms = -1;

		cr_assert(bb_clock_parse_rfc3339(bb_text_of(rows[i].text), &ms), "%s",
			  rows[i].text);
		cr_assert_eq(ms, rows[i].ms, "%s: %" PRId64, rows[i].text, ms);
	}
}

Test(base, clock_refuses_what_is_not_rfc3339)
{
	static const char *const rows[] = {
		"",
		"2026-01-02",
		"2026-01-02T03:04:05",
		"2026-01-02 03:04:05Z",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T03:04:05,5Z",
		"2026-01-02T03:04:05Z ",
		" 2026-01-02T03:04:05Z",
		"2026-01-02T03:04:05ZZ",
		"2026-01-02T03:04Z.......",
		"2026-1-02T03:04:05Z.....",
		"2026-01-02T03:04:60Z",
		"2026-01-02T03:60:05Z",
		"2026-01-02T24:00:00Z",
		"2026-00-02T03:04:05Z",
		"2026-13-02T03:04:05Z",
		"2026-01-00T03:04:05Z",
		"2026-01-32T03:04:05Z",
		"2026-04-31T03:04:05Z",
		"2026-02-29T03:04:05Z",
		"2100-02-29T03:04:05Z",
		"0000-01-01T00:00:00Z",
		"2026-01-02T03:04:05+0530",
		"2026-01-02T03:04:05+05",
		"2026-01-02T03:04:05+05:3",
		"2026-01-02T03:04:05+05:300",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05-23:60",
		"2026-01-02T03:04:05*05:30",
		"+026-01-02T03:04:05Z",
		"2026-01-02T03:04:05.-5Z",
		"1969-12-31T23:59:59.999Z",
		"1970-01-01T00:00:00+00:01",
		"0001-01-01T00:00:00+23:59",
		"9999-12-31T23:59:59-00:01",
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t ms = 4711;

		cr_assert_not(bb_clock_parse_rfc3339(bb_text_of(rows[i]), &ms), "%s", rows[i]);
		cr_assert_eq(ms, 4711, "%s: written to on failure", rows[i]);
	}
	cr_assert_not(bb_clock_parse_rfc3339((struct bb_text){NULL, 0}, &(int64_t){0}));
}

Test(base, clock_does_not_read_behind_the_text)
{
	static const char text[] = "2026-01-02T03:04:05.678+02:00";
	int64_t ms;

	for (size_t n = 0; n < sizeof text - 1; n++) {
		char *exact = malloc(n ? n : 1); /* for the address sanitizer */

		memcpy(exact, text, n);
		cr_assert_not(bb_clock_parse_rfc3339((struct bb_text){exact, n}, &ms), "%zu", n);
		free(exact);
	}
}

Test(base, clock_writes_what_it_reads)
{
	/* 86,399,999 ms and a prime beyond: every day, hour and millisecond comes by in time */
	for (int64_t ms = BB_TIME_MIN_MS; ms <= BB_TIME_MAX_MS; ms += INT64_C(2500000019)) {
		char text[BB_ISO_BYTES];
		int64_t back = -1;

		bb_clock_iso(ms, text);
		cr_assert(bb_clock_parse_rfc3339((struct bb_text){text, sizeof text}, &back));
		cr_assert_eq(back, ms, "%.*s", BB_ISO_BYTES, text);
	}
}

Test(base, clock_writes_iso)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
		{INT64_C(1767323045678), "2026-01-02T03:04:05.678Z"},
		{BB_TIME_MAX_MS, "9999-12-31T23:59:59.999Z"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[BB_ISO_BYTES];

		bb_clock_iso(rows[i].ms, text);
		cr_assert_eq(memcmp(text, rows[i].text, BB_ISO_BYTES), 0, "%.*s instead of %s",
			     BB_ISO_BYTES, text, rows[i].text);
	}
}

Test(base, clock_counts_days)
{
	int64_t before = bb_clock_days(-1, 12, 31);
	int year = 0, month = 1, day = 1;

	for (int64_t days = bb_clock_days(0, 1, 1); year <= 2401; days++) {
		int y, m, d;

		bb_clock_date(days, &y, &m, &d);
		cr_assert(y == year && m == month && d == day, "%d-%d-%d is not %d-%d-%d", y, m, d,
			  year, month, day);
		cr_assert_eq(bb_clock_days(y, m, d), days);
		cr_assert_eq(days, before + 1);
		before = days;
		day++;
		if (day > 28 && bb_clock_days(year, month, day) ==
					bb_clock_days(month == 12 ? year + 1 : year,
						      month == 12 ? 1 : month + 1, 1)) {
			day = 1;
			month = month == 12 ? 1 : month + 1;
			year += month == 1;
		}
	}
	cr_assert_eq(bb_clock_days(1970, 1, 1), 0);
	cr_assert_eq(bb_clock_days(1969, 12, 31), -1);
	cr_assert_eq(bb_clock_days(2026, 7, 4), 20638);
}

Test(base, clock_readers_go_forward)
{
	uint64_t before = bb_clock_monotonic_ns();

	cr_assert_gt(bb_clock_wall_ms(), INT64_C(1500000000000));
	cr_assert_geq(bb_clock_monotonic_ns(), before);
}
