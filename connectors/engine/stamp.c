/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of the declared form to milliseconds: numbers since 1970 by moving the decimal point, ISO
 * 8601 and strptime patterns by reading fields, then days by the calendar, then the zone (the
 * value's own or the connector's). Fractions below a millisecond are cut off. No locale, and no
 * zone of the process.
 *
 * A value that is not of the form is no time: the caller warns and goes on without.
 */
#include "stamp.h"

#include <backbone/clock.h>

#include "decimal.h"

#define NO_HALF (-1)

/* What a date and time is made of while it is read. */
struct fields {
	int year, month, day, year_day; /* year_day: 1 to 366; 0: month and day count */
	int hour, minute, second, ms;
	int half; /* 0 AM, 1 PM, NO_HALF */
	bool zoned;
	int64_t offset; /* seconds east, if zoned */
	bool since_1970;
	int64_t seconds; /* if since_1970 */
};

struct cursor {
	const char *p, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool take(struct cursor *c, char wanted)
{
	if (c->p == c->end || lower(*c->p) != wanted)
		return false;
	c->p++;
	return true;
}

/* Exactly `n` digits. */
static inline bool take_digits(struct cursor *c, int n, int *ret_value)
{
	int value = 0;

	if (c->end - c->p < n)
		return false;
	for (int i = 0; i < n; i++) {
		if (!is_digit(c->p[i]))
			return false;
		value = value * 10 + (c->p[i] - '0');
	}
	c->p += n;
	*ret_value = value;
	return true;
}

/* `least` to `most` digits. */
static bool take_number(struct cursor *c, int least, int most, int *ret_value)
{
	int value = 0, n = 0;

	for (; n < most && c->p < c->end && is_digit(*c->p); n++)
		value = value * 10 + (*c->p++ - '0');
	*ret_value = value;
	return n >= least;
}

/* Digits of a fraction of a second; at least one. */
static bool take_fraction(struct cursor *c, int *ret_ms)
{
	int scale = 100;

	*ret_ms = 0;
	if (c->p == c->end || !is_digit(*c->p))
		return false;
	for (; c->p < c->end && is_digit(*c->p); c->p++) {
		*ret_ms += (*c->p - '0') * scale;
		scale /= 10;
	}
	return true;
}

/* Z, +hh, +hhmm or +hh:mm */
static bool take_zone(struct cursor *c, struct fields *f)
{
	int sign, hours, minutes = 0;

	f->zoned = true;
	f->offset = 0;
	if (take(c, 'z'))
		return true;
	if (c->p == c->end || (*c->p != '+' && *c->p != '-'))
		return false;
	sign = *c->p++ == '-' ? -1 : 1;
	if (!take_digits(c, 2, &hours))
		return false;
	if (take(c, ':') || (c->p < c->end && is_digit(*c->p)))
		if (!take_digits(c, 2, &minutes))
			return false;
	f->offset = sign * (hours * INT64_C(3600) + minutes * 60);
	return hours < 24 && minutes < 60;
}

static bool days_of(const struct fields *f, int64_t *ret_days)
{
	if (f->year < 1 || f->year > 9999)
		return false;
	if (f->year_day > 0) {
		*ret_days = bb_clock_days(f->year, 1, 1) + f->year_day - 1;
		return *ret_days < bb_clock_days(f->year + 1, 1, 1);
	}
	if (f->month < 1 || f->month > 12 || f->day < 1 ||
	    f->day > bb_clock_days_of_month(f->year, f->month))
		return false;
	*ret_days = bb_clock_days(f->year, f->month, f->day);
	return true;
}

static bool hour_of(const struct fields *f, int *ret_hour)
{
	*ret_hour = f->hour;
	if (f->half == NO_HALF)
		return f->hour <= 23;
	*ret_hour = f->hour % 12 + 12 * f->half;
	return f->hour >= 1 && f->hour <= 12;
}

static bool finish(const struct fields *f, const struct bb_zone *zone, int64_t *ret_ms)
{
	int64_t days, local, offset = f->offset, ms;
	int hour;

	if (f->since_1970) {
		local = f->seconds;
		offset = 0;
	} else {
		if (!days_of(f, &days) || !hour_of(f, &hour) || f->minute > 59 || f->second > 59)
			return false;
		local = days * 86400 + hour * INT64_C(3600) + f->minute * 60 + f->second;
		if (!f->zoned && !zone)
			return false;
		if (!f->zoned)
			offset = bb_zone_offset(zone, local);
	}
	ms = (local - offset) * 1000 + f->ms;
	if (ms < BB_TIME_MIN_MS || ms > BB_TIME_MAX_MS)
		return false;
	*ret_ms = ms;
	return true;
}

/* 2026-01-02T03:04[:05[.678]] or with a space, then a zone or none. */
static bool read_iso(struct bb_text text, const struct bb_zone *zone, int64_t *ret_ms)
{
	struct cursor c = {text.p, text.p + text.n};
	struct fields f = {.half = NO_HALF};

	if (!take_digits(&c, 4, &f.year) || !take(&c, '-') || !take_digits(&c, 2, &f.month) ||
	    !take(&c, '-') || !take_digits(&c, 2, &f.day))
		return false;
	if (!take(&c, 't')) {
		if (!take(&c, ' '))
			return false;
		while (take(&c, ' '))
			;
	}
	if (!take_digits(&c, 2, &f.hour) || !take(&c, ':') || !take_digits(&c, 2, &f.minute))
		return false;
	if (take(&c, ':')) {
		if (!take_digits(&c, 2, &f.second))
			return false;
		if ((take(&c, '.') || take(&c, ',')) && !take_fraction(&c, &f.ms))
			return false;
	}
	while (take(&c, ' ')) /* 2026-01-02 03:04:05 +0200 */
		;
	if (c.p < c.end && !take_zone(&c, &f))
		return false;
	return c.p == c.end && finish(&f, zone, ret_ms);
}

/* A number since 1970 with `power` digits below the second in front of the point. */
static bool read_epoch(struct bb_text text, int power, int64_t *ret_ms)
{
	struct bb_decimal d;
	int64_t ms;

	if (!bb_decimal_read(text, &d) || !bb_decimal_whole(&d, 3 - power, &ms) || d.negative ||
	    ms > BB_TIME_MAX_MS)
		return false;
	*ret_ms = ms;
	return true;
}

/* 1355517523.000005: a point and microseconds; as a JSON number without zeros at the end. */
static bool read_sec_micros(struct bb_text text, int64_t *ret_ms)
{
	const char *point = memchr(text.p, '.', text.n);

	if (!point || text.p + text.n - point - 1 > 6)
		return false;
	return read_epoch(text, 0, ret_ms);
}

static const char *const months[] = {"january",	  "february", "march",	  "april",
				     "may",	  "june",     "july",	  "august",
				     "september", "october",  "november", "december"};
static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
				       "thursday", "friday", "saturday"};

static bool take_word(struct cursor *c, const char *word, size_t n)
{
	if ((size_t)(c->end - c->p) < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(c->p[i]) != word[i])
			return false;
	c->p += n;
	return true;
}

/* The whole name or its first three letters. */
static bool take_name(struct cursor *c, const char *const *names, int n, int *ret_index)
{
	for (*ret_index = 0; *ret_index < n; ++*ret_index) {
		const char *name = names[*ret_index];

		if (take_word(c, name, strlen(name)) || take_word(c, name, 3))
			return true;
	}
	return false;
}

static bool take_half(struct cursor *c, struct fields *f)
{
	f->half = take_word(c, "pm", 2);
	return f->half || take_word(c, "am", 2);
}

static bool take_short_year(struct cursor *c, struct fields *f)
{
	if (!take_digits(c, 2, &f->year))
		return false;
	f->year += f->year < 69 ? 2000 : 1900; /* as POSIX has it */
	return true;
}

static bool take_seconds_since_1970(struct cursor *c, struct fields *f)
{
	const char *from = c->p;

	f->since_1970 = true;
	for (; c->p < c->end && is_digit(*c->p) && c->p - from < 18; c->p++)
		f->seconds = f->seconds * 10 + (*c->p - '0');
	return c->p > from;
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t'))
		c->p++;
}

/* One directive; days and months may lack their zero. */
static bool take_directive(struct cursor *c, char directive, struct fields *f)
{
	int ignored;

	switch (directive) {
	case 'Y':
		return take_digits(c, 4, &f->year);
	case 'y':
		return take_short_year(c, f);
	case 'm':
		return take_number(c, 1, 2, &f->month);
	case 'e':
		skip_space(c);
		return take_number(c, 1, 2, &f->day);
	case 'd':
		return take_number(c, 1, 2, &f->day);
	case 'j':
		return take_number(c, 1, 3, &f->year_day) && f->year_day > 0;
	case 'H':
	case 'I':
		return take_number(c, 1, 2, &f->hour);
	case 'M':
		return take_number(c, 1, 2, &f->minute);
	case 'S':
		return take_number(c, 1, 2, &f->second);
	case 'f':
		return take_fraction(c, &f->ms);
	case 'p':
		return take_half(c, f);
	case 'b':
		if (!take_name(c, months, 12, &f->month))
			return false;
		f->month++;
		return true;
	case 'a':
		return take_name(c, weekdays, 7, &ignored);
	case 'z':
		return take_zone(c, f);
	case 's':
		return take_seconds_since_1970(c, f);
	default:
		return take(c, '%');
	}
}

/* Directives that stand for several others, and the same under two letters. */
static const struct {
	char directive;
	const char *means;
} shorthands[] = {
	{'F', "%Y-%m-%d"}, {'T', "%H:%M:%S"}, {'R', "%H:%M"}, {'D', "%m/%d/%y"},
	{'B', "%b"},	   {'h', "%b"},	      {'A', "%a"},
};

static const char *shorthand(char directive)
{
	for (size_t i = 0; i < sizeof(shorthands) / sizeof(*shorthands); i++)
		if (shorthands[i].directive == directive)
			return shorthands[i].means;
	return NULL;
}

static bool take_pattern(struct cursor *c, struct bb_text pattern, struct fields *f)
{
	for (size_t i = 0; i < pattern.n; i++) {
		char wanted = pattern.p[i];
		const char *means;

		if (wanted == ' ') {
			if (c->p == c->end || (*c->p != ' ' && *c->p != '\t'))
				return false;
			skip_space(c);
		} else if (wanted != '%') {
			if (c->p == c->end || *c->p++ != wanted)
				return false;
		} else {
			means = shorthand(pattern.p[++i]);
			if (means ? !take_pattern(c, bb_text_of(means), f)
				  : !take_directive(c, pattern.p[i], f))
				return false;
		}
	}
	return true;
}

static bool read_strptime(struct bb_text pattern, const struct bb_zone *zone, struct bb_text text,
			  int64_t *ret_ms)
{
	struct cursor c = {text.p, text.p + text.n};
	struct fields f = {.half = NO_HALF};

	return take_pattern(&c, pattern, &f) && c.p == c.end && finish(&f, zone, ret_ms);
}

static bool has_directive(struct bb_text pattern, char directive)
{
	for (size_t i = 0; i + 1 < pattern.n; i++)
		if (pattern.p[i] == '%' && pattern.p[++i] == directive)
			return true;
	return false;
}

/* Whether a pattern says which day it is. */
static bool has_day(struct bb_text pattern)
{
	bool year = has_directive(pattern, 'Y') || has_directive(pattern, 'y');
	bool month = has_directive(pattern, 'm') || has_directive(pattern, 'b') ||
		     has_directive(pattern, 'B') || has_directive(pattern, 'h');
	bool day = has_directive(pattern, 'd') || has_directive(pattern, 'e');

	return (year && ((month && day) || has_directive(pattern, 'j'))) ||
	       has_directive(pattern, 'F') || has_directive(pattern, 'D') ||
	       has_directive(pattern, 's');
}

static const char *pattern_mistake(struct bb_text pattern)
{
	for (size_t i = 0; i < pattern.n; i++) {
		if (pattern.p[i] != '%')
			continue;
		if (++i == pattern.n || pattern.p[i] == '\0' ||
		    !strchr("YymdejHIMSfpbBhaAzsFTRD%", pattern.p[i]))
			return "a directive that is not known; allowed: %Y %y %m %d %e %j %b %B "
			       "%a %A %H %I %p %M %S %f %z %s %F %T %R %D %%";
	}
	if (!has_day(pattern))
		return "the pattern does not say which day: it needs %Y, %m and %d, or %Y and %j, "
		       "or %s";
	if (has_directive(pattern, 'I') != has_directive(pattern, 'p'))
		return "%I (hours to 12) and %p (AM or PM) need each other";
	return NULL;
}

static const char *const kind_names[] = {
#define X(name, text) [BB_STAMP_##name] = (text),
	BB_STAMP_KINDS(X)
#undef X
};

bool bb_stamp_format_read(struct bb_text name, struct bb_arena *arena, struct bb_stamp_format *ret,
			  const char **ret_wrong)
{
	const struct bb_text head = BB_TEXT("strptime:");
	struct bb_text pattern;

	*ret_wrong = NULL;
	if (name.n >= head.n && memcmp(name.p, head.p, head.n) == 0) {
		pattern = bb_arena_copy(arena, bb_text_bytes(name.p + head.n, name.n - head.n));
		*ret_wrong = pattern_mistake(pattern);
		if (!*ret_wrong)
			*ret = (struct bb_stamp_format){BB_STAMP_STRPTIME, pattern};
		return *ret_wrong == NULL;
	}
	for (int kind = 0; kind < BB_STAMP_STRPTIME; kind++) {
		if (!bb_text_equal(name, bb_text_of(kind_names[kind])))
			continue;
		ret->kind = (enum bb_stamp_kind)kind;
		return true;
	}
	return false;
}

enum bb_stamp_zoned bb_stamp_zoned(const struct bb_stamp_format *format)
{
	switch (format->kind) {
	case BB_STAMP_ISO8601:
		return BB_STAMP_EITHER;
	case BB_STAMP_STRPTIME:
		return has_directive(format->pattern, 'z') || has_directive(format->pattern, 's')
			       ? BB_STAMP_ZONED
			       : BB_STAMP_LOCAL;
	default:
		return BB_STAMP_ZONED;
	}
}

bool bb_stamp_read(const struct bb_stamp_format *format, const struct bb_zone *zone,
		   struct bb_text text, int64_t *ret_ms)
{
	while (text.n > 0 && (unsigned char)text.p[0] <= ' ') {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	switch (format->kind) {
	case BB_STAMP_ISO8601:
		return read_iso(text, zone, ret_ms);
	case BB_STAMP_EPOCH_S:
		return read_epoch(text, 0, ret_ms);
	case BB_STAMP_EPOCH_MS:
		return read_epoch(text, 3, ret_ms);
	case BB_STAMP_EPOCH_US:
		return read_epoch(text, 6, ret_ms);
	case BB_STAMP_EPOCH_NS:
		return read_epoch(text, 9, ret_ms);
	case BB_STAMP_SEC_MICROS:
		return read_sec_micros(text, ret_ms);
	case BB_STAMP_STRPTIME:
		return read_strptime(format->pattern, zone, text, ret_ms);
	}
	return false;
}
