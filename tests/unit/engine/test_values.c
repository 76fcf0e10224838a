/* SPDX-License-Identifier: Apache-2.0 */
/* Times, zones and money by themselves: tables of text in, value out. */
#include <backbone/clock.h>
#include <criterion/criterion.h>

#include "decimal.h"
#include "money.h"
#include "stamp.h"

#define NONE (-1)

struct stamp_row {
	const char *format, *zone, *text;
	const char *want; /* NULL: no time */
};

static const struct bb_zone *zone_of(const char *name, struct bb_arena *arena)
{
	const struct bb_zone *zone = name ? bb_zone_read(bb_text_of(name), arena) : NULL;

	cr_assert(!name || zone, "%s", name);
	return zone;
}

static void check_stamp(const struct stamp_row *row)
{
	struct bb_stamp_format format = {.kind = BB_STAMP_ISO8601};
	char iso[BB_ISO_BYTES + 1] = "";
	struct bb_arena arena;
	const char *wrong;
	int64_t ms = 0;
	bool ok;

	bb_arena_init(&arena);
	cr_assert(bb_stamp_format_read(bb_text_of(row->format), &arena, &format, &wrong), "%s",
		  row->format);
	ok = bb_stamp_read(&format, zone_of(row->zone, &arena), bb_text_of(row->text), &ms);
	cr_expect_eq(ok, row->want != NULL, "%s %s", row->format, row->text);
	if (ok && row->want) {
		bb_clock_iso(ms, iso);
		cr_expect_str_eq(iso, row->want, "%s %s %s: %s", row->format,
				 row->zone ? row->zone : "-", row->text, iso);
	}
	bb_arena_fini(&arena);
}

static const struct stamp_row times[] = {
	{"iso8601", NULL, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"},
	{"iso8601", NULL, "2026-01-02t03:04:05.6z", "2026-01-02T03:04:05.600Z"},
	{"iso8601", NULL, "2026-01-02 03:04:05.123456+0530", "2026-01-01T21:34:05.123Z"},
	{"iso8601", NULL, " 2026-01-02 03:04:05 -08:00 ", "2026-01-02T11:04:05.000Z"},
	{"iso8601", NULL, "2026-01-02T03:04+01", "2026-01-02T02:04:00.000Z"},
	{"iso8601", NULL, "2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.500Z"},
	{"iso8601", NULL, "2026-01-02T03:04:05", NULL},
	{"iso8601", "UTC", "2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"},
	{"iso8601", "+02:00", "2026-01-02T03:04:05", "2026-01-02T01:04:05.000Z"},
	{"iso8601", "-09:30", "2026-01-02T03:04:05", "2026-01-02T12:34:05.000Z"},
	{"iso8601", "Europe/Paris", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"},
	{"iso8601", "UTC", "2026-01-02", NULL},
	{"iso8601", "UTC", "2026-02-29T00:00:00", NULL},
	{"iso8601", "UTC", "2024-02-29T00:00:00", "2024-02-29T00:00:00.000Z"},
	{"iso8601", "UTC", "2026-01-02T24:00:00", NULL},
	{"iso8601", "UTC", "2026-01-02T03:04:60", NULL},
	{"iso8601", "UTC", "2026-13-02T03:04:05", NULL},
	{"iso8601", "UTC", "2026-01-02T03:04:05.", NULL},
	{"iso8601", "UTC", "2026-01-02T03:04:05+24:00", NULL},
	{"iso8601", "UTC", "2026-01-02T03:04:05Zx", NULL},
	{"iso8601", "UTC", "1969-12-31T23:59:59", NULL},
	{"iso8601", "UTC", "9999-12-31T23:59:59.999", "9999-12-31T23:59:59.999Z"},
	{"iso8601", "UTC", "", NULL},
	{"epoch_s", NULL, "1700000000", "2023-11-14T22:13:20.000Z"},
	{"epoch_s", NULL, "1700000000.9999", "2023-11-14T22:13:20.999Z"},
	{"epoch_s", NULL, "1.7E9", "2023-11-14T22:13:20.000Z"},
	{"epoch_s", NULL, "0", "1970-01-01T00:00:00.000Z"},
	{"epoch_s", NULL, "-1", NULL},
	{"epoch_s", NULL, "1700000000000", NULL},
	{"epoch_s", NULL, "yesterday", NULL},
	{"epoch_ms", NULL, "1700000000123", "2023-11-14T22:13:20.123Z"},
	{"epoch_us", NULL, "1700000000123456", "2023-11-14T22:13:20.123Z"},
	{"epoch_ns", NULL, "1700000000123456789", "2023-11-14T22:13:20.123Z"},
	{"sec.micros", NULL, "1355517523.000005", "2012-12-14T20:38:43.000Z"},
	{"sec.micros", NULL, "1355517523.5", "2012-12-14T20:38:43.500Z"},
	{"sec.micros", NULL, "1355517523", NULL},
	{"sec.micros", NULL, "1355517523.0000051", NULL},
	{"strptime:%d/%m/%Y %H:%M", "UTC", "2/1/2026 3:04", "2026-01-02T03:04:00.000Z"},
	{"strptime:%Y%m%d", "UTC", "20260102", "2026-01-02T00:00:00.000Z"},
	{"strptime:%Y%m%d", "UTC", "2026010", NULL},
	{"strptime:%F %T.%f %z", NULL, "2026-01-02 03:04:05.25 +0100", "2026-01-02T02:04:05.250Z"},
	{"strptime:%D %I:%M %p", "UTC", "01/02/26 12:04 AM", "2026-01-02T00:04:00.000Z"},
	{"strptime:%D %I:%M %p", "UTC", "01/02/26 12:04 pm", "2026-01-02T12:04:00.000Z"},
	{"strptime:%D %I:%M %p", "UTC", "01/02/26 13:04 pm", NULL},
	{"strptime:%a, %d %b %Y %H:%M:%S %z", NULL, "Fri, 02 Jan 2026 03:04:05 +0000",
	 "2026-01-02T03:04:05.000Z"},
	{"strptime:%A %e %B %Y", "UTC", "Friday  2 January 2026", "2026-01-02T00:00:00.000Z"},
	{"strptime:%b %d %Y", "UTC", "Foo 02 2026", NULL},
	{"strptime:%Y-%j", "UTC", "2024-366", "2024-12-31T00:00:00.000Z"},
	{"strptime:%Y-%j", "UTC", "2025-366", NULL},
	{"strptime:%y%m%d", "UTC", "690101", NULL},
	{"strptime:%y%m%d", "UTC", "700101", "1970-01-01T00:00:00.000Z"},
	{"strptime:%s", NULL, "1700000000", "2023-11-14T22:13:20.000Z"},
	{"strptime:%Y-%m-%dT%RZ", "UTC", "2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"},
	{"strptime:%%%Y%m%d", "UTC", "%20260102", "2026-01-02T00:00:00.000Z"},
	{"strptime:%Y%m%d", "UTC", "20260102x", NULL},
};

Test(engine, times_of_every_form)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		check_stamp(&times[i]);
}

Test(engine, zones_at_their_changes)
{
	static const struct stamp_row rows[] = {
		{"iso8601", "Europe/Paris", "2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"},
		{"iso8601", "Europe/Paris", "2026-01-01T12:00:00", "2026-01-01T11:00:00.000Z"},
		{"iso8601", "Europe/Paris", "2026-03-29T01:59:59", "2026-03-29T00:59:59.000Z"},
		/* skipped on the wall: as if the clock had not been put forward */
		{"iso8601", "Europe/Paris", "2026-03-29T02:30:00", "2026-03-29T01:30:00.000Z"},
		{"iso8601", "Europe/Paris", "2026-03-29T03:00:00", "2026-03-29T01:00:00.000Z"},
		/* twice on the wall: the first */
		{"iso8601", "Europe/Paris", "2026-10-25T02:30:00", "2026-10-25T00:30:00.000Z"},
		{"iso8601", "Europe/Paris", "2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z"},
		/* beyond the table, by the rule at the end of the file */
		{"iso8601", "Europe/Paris", "2090-07-01T12:00:00", "2090-07-01T10:00:00.000Z"},
		{"iso8601", "Europe/Paris", "2090-03-26T02:30:00", "2090-03-26T01:30:00.000Z"},
		{"iso8601", "America/New_York", "2060-07-01T12:00:00", "2060-07-01T16:00:00.000Z"},
		{"iso8601", "Australia/Sydney", "2060-01-01T12:00:00", "2060-01-01T01:00:00.000Z"},
		{"iso8601", "Australia/Sydney", "2060-07-01T12:00:00", "2060-07-01T02:00:00.000Z"},
		{"iso8601", "Europe/Dublin", "2060-07-01T12:00:00", "2060-07-01T11:00:00.000Z"},
		{"iso8601", "Europe/Dublin", "2060-01-01T12:00:00", "2060-01-01T12:00:00.000Z"},
		{"iso8601", "Asia/Kolkata", "2060-01-01T12:00:00", "2060-01-01T06:30:00.000Z"},
		{"iso8601", "Asia/Kathmandu", "2026-01-01T12:00:00", "2026-01-01T06:15:00.000Z"},
		{"iso8601", "Africa/Monrovia", "1971-01-01T12:00:00", "1971-01-01T12:44:30.000Z"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		check_stamp(&rows[i]);
}

Test(engine, zones_that_are_none)
{
	static const char *const rows[] = {
		"",
		"Mars/Base",
		"../../etc/passwd",
		"/etc/localtime",
		"Europe",
		"Europe/Paris/..",
		"+2:00",
		"+24:00",
		"+02:60",
		"zone.tab",
		"europe/paris ",
		"Europe/Pa\x01ris",
	};
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_null(bb_zone_read(bb_text_of(rows[i]), &arena), "%s", rows[i]);
	cr_expect_str_eq(bb_zone_nearest(BB_TEXT("Europe/Pars"), &arena), "Europe/Paris");
	cr_expect_null(bb_zone_nearest(BB_TEXT("x"), &arena));
	bb_arena_fini(&arena);
}

static const struct {
	const char *value;
	int minor_digits;
	bool negative;
	const char *want; /* NULL: no amount */
} amounts[] = {
	{"12.50", 0, false, "12.50"},
	{"-12.50", 0, false, "-12.50"},
	{" 12 ", 0, false, "12"},
	{"007.10", 0, false, "7.10"},
	{"0", 0, false, "0"},
	{"-0.00", 0, false, "0.00"},
	{"1.25e1", 0, false, "12.5"},
	{"1e3", 0, false, "1000"},
	{"1E-6", 0, false, "0.000001"},
	{"1E-7", 0, false, NULL},
	{"0e99", 0, false, "0"},
	{"0.1000000000", 0, false, "0.100000"},
	{"0.1234567", 0, false, NULL},
	{"123456789012345678", 0, false, "123456789012345678"},
	{"1234567890123456789", 0, false, NULL},
	{"1e18", 0, false, NULL},
	{"1e999999999999", 0, false, NULL},
	{"12.50", 0, true, "-12.50"},
	{"-12.50", 0, true, "-12.50"},
	{"0", 0, true, "0"},
	{"1250", 2, false, "12.50"},
	{"5", 2, false, "0.05"},
	{"-5", 2, false, "-0.05"},
	{"0", 2, false, "0.00"},
	{"12.5", 2, false, "0.125"},
	{"1500", 3, true, "-1.500"},
	{"25000", 0, false, "25000"},
	{"1,250", 0, false, NULL},
	{"€ 12", 0, false, NULL},
	{"+12", 0, false, NULL},
	{".5", 0, false, NULL},
	{"5.", 0, false, NULL},
	{"1e", 0, false, NULL},
	{"", 0, false, NULL},
	{"-", 0, false, NULL},
	{"12 50", 0, false, NULL},
};

Test(engine, money_is_exact)
{
	struct bb_arena arena;
	struct bb_text got;
	bool ok;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(amounts) / sizeof(*amounts); i++) {
		struct bb_money_form form = {amounts[i].minor_digits, amounts[i].negative};

		ok = bb_money_amount(bb_text_of(amounts[i].value), form, &arena, &got);
		cr_expect_eq(ok, amounts[i].want != NULL, "%s", amounts[i].value);
		if (ok && amounts[i].want)
			cr_expect(bb_text_equal(got, bb_text_of(amounts[i].want)), "%s: %.*s",
				  amounts[i].value, (int)got.n, got.p);
	}
	bb_arena_fini(&arena);
}

Test(engine, currencies_have_their_digits)
{
	static const struct {
		const char *code;
		int digits;
	} rows[] = {{"EUR", 2},	   {"USD", 2},	  {"JPY", 0},	{"KRW", 0}, {"ISK", 0},
		    {"KWD", 3},	   {"TND", 3},	  {"CLF", 4},	{"GBP", 2}, {"CUC", 2},
		    {"XYZ", NONE}, {"eur", NONE}, {"EU", NONE}, {"", NONE}, {"DAF", NONE}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(bb_money_exponent(bb_text_of(rows[i].code)), rows[i].digits, "%s",
			     rows[i].code);
}

Test(engine, numbers_that_doubles_cannot_hold)
{
	static const struct {
		const char *number;
		bool rounded;
	} rows[] = {
		{"9007199254740992", false},
		{"9007199254740993", true},
		{"-9007199254740993", true},
		{"9007199254740992.5", false},
		{"1e15", false},
		{"1e16", true},
		{"1e400", true},
		{"0.00000000000000000001", false},
		{"123", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(bb_decimal_may_be_rounded(bb_text_of(rows[i].number)), rows[i].rounded,
			     "%s", rows[i].number);
}

struct decimal_row {
	const char *a, *b, *sum, *product; /* NULL: does not fit */
};

static void check_decimal(const char *name, const struct decimal_row *row, bool fits,
			  const struct bb_decimal *d, const char *want)
{
	struct bb_text text = {"", 0};
	struct bb_arena arena;

	bb_arena_init(&arena);
	cr_expect_eq(fits, want != NULL, "%s %s %s", row->a, name, row->b);
	if (fits && want) {
		cr_assert(bb_decimal_write(d, 80, 80, &arena, &text), "%s %s %s", row->a, name,
			  row->b);
		cr_expect(bb_text_equal(text, bb_text_of(want)), "%s %s %s: %.*s, not %s", row->a,
			  name, row->b, (int)text.n, text.p, want);
	}
	bb_arena_fini(&arena);
}

#define NINES_20 "99999999999999999999"
#define NOUGHTS_20 "00000000000000000000"
#define NINES_80 NINES_20 NINES_20 NINES_20 NINES_20

Test(engine, decimals_are_added_and_multiplied_exactly)
{
	static const struct decimal_row rows[] = {
		{"0.1", "0.2", "0.3", "0.02"},
		{"1", "-1", "0", "-1"},
		{"1.00", "-1", "0.00", "-1.00"},
		{"0.00", "5", "5", "0.00"},
		{"-0", "0", "0", "0"},
		{"-2.5", "1", "-1.5", "-2.5"},
		{"2.5", "-10", "-7.5", "-25.0"},
		{"-1", "-9", "-10", "9"},
		{"100", "-0.01", "99.99", "-1.00"},
		{"1e3", "1e-3", "1000.001", "1"},
		{"1000", "-999.999", "0.001", "-999999.000"},
		{NINES_20, "1", "100000000000000000000", NINES_20},
		{NINES_80, "1", NULL, NULL},
		{NINES_80, "0", NINES_80, "0"},
		{NINES_80, "-" NINES_80, "0", NULL},
		{NINES_80, "0.1", NULL, NULL},
		{"1e50", "1e-50", NULL, "1"},
		{"1e79", "-0.1", NULL, "-1" NOUGHTS_20 NOUGHTS_20 NOUGHTS_20 "000000000000000000"},
		{NINES_20 "e60", "1", NINES_20 NOUGHTS_20 NOUGHTS_20 "00000000000000000001",
		 NINES_20 NOUGHTS_20 NOUGHTS_20 NOUGHTS_20},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_decimal a, b, d;

		cr_assert(bb_decimal_read(bb_text_of(rows[i].a), &a), "%s", rows[i].a);
		cr_assert(bb_decimal_read(bb_text_of(rows[i].b), &b), "%s", rows[i].b);
		check_decimal("+", &rows[i], bb_decimal_add(&a, &b, &d), &d, rows[i].sum);
		check_decimal("*", &rows[i], bb_decimal_multiply(&a, &b, &d), &d, rows[i].product);
		check_decimal("+=", &rows[i], bb_decimal_add(&b, &a, &a), &a, rows[i].sum);
	}
}
