/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instants as milliseconds, to and from RFC 3339 text, by arithmetic on fixed positions: no libc
 * calendar, no locale, no time zone of the machine. Parsing reads date, clock, fraction and zone in
 * turn and stops at the first thing that is not of the form; what is left over is refused too.
 *
 * Days are counted in years that begin in March, so that the leap day is the last day of a year and
 * a month's first day is a linear formula; 400 years are 146,097 days.
 */
#include <backbone/clock.h>

#include <backbone/assert.h>

#include <time.h>

#define ERA_YEARS 400
#define ERA_DAYS 146097
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */
#define SECONDS_OF_DAY 86400

int64_t bb_clock_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	int64_t year_of_era = y - era * ERA_YEARS;
	int64_t march_month = month > 2 ? month - 3 : month + 9;
	int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

void bb_clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t z = days + EPOCH_DAYS;
	int64_t era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t day_of_era = z - era * ERA_DAYS;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;
	int month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);

	*ret_day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*ret_month = month;
	*ret_year = (int)(year_of_era + era * ERA_YEARS + (month <= 2));
}

/* `width` digits with leading zeros. */
static inline char *put_digits(char *p, unsigned value, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		p[i] = (char)('0' + value % 10);
		value /= 10;
	}
	return p + width;
}

#define DATE_BYTES 10 /* 2026-01-02 */

/* The date's text; that of the day asked for last is kept, as times of a view are often near. */
static const char *date_text(int64_t day)
{
	static _Thread_local struct {
		int64_t day;
		char text[DATE_BYTES];
	} last = {.day = -1};
	int year, month, day_of_month;

	if (last.day != day) {
		bb_clock_date(day, &year, &month, &day_of_month);
		put_digits(last.text, (unsigned)year, 4);
		last.text[4] = '-';
		put_digits(last.text + 5, (unsigned)month, 2);
		last.text[7] = '-';
		put_digits(last.text + 8, (unsigned)day_of_month, 2);
		last.day = day;
	}
	return last.text;
}

void bb_clock_iso(int64_t ms, char out[BB_ISO_BYTES])
{
	unsigned rest;
	char *p = out + DATE_BYTES;

	bb_assert(ms >= BB_TIME_MIN_MS && ms <= BB_TIME_MAX_MS);
	memcpy(out, date_text(ms / BB_DAY_MS), DATE_BYTES);
	rest = (unsigned)(ms % BB_DAY_MS);
	*p++ = 'T';
	p = put_digits(p, rest / 3600000, 2);
	*p++ = ':';
	p = put_digits(p, rest / 60000 % 60, 2);
	*p++ = ':';
	p = put_digits(p, rest / 1000 % 60, 2);
	*p++ = '.';
	p = put_digits(p, rest % 1000, 3);
	*p++ = 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* `width` digits at *p, which moves behind them. */
static bool take_digits(const char **p, const char *end, int width, int *ret_value)
{
	int value = 0;

	if (end - *p < width)
		return false;
	for (int i = 0; i < width; i++) {
		if (!is_digit((*p)[i]))
			return false;
		value = value * 10 + ((*p)[i] - '0');
	}
	*p += width;
	*ret_value = value;
	return true;
}

static bool take_char(const char **p, const char *end, char lower, char upper)
{
	if (*p == end || (**p != lower && **p != upper))
		return false;
	++*p;
	return true;
}

int bb_clock_days_of_month(int year, int month)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool take_date(const char **p, const char *end, int64_t *ret_days)
{
	int year, month, day;

	if (!take_digits(p, end, 4, &year) || !take_char(p, end, '-', '-') ||
	    !take_digits(p, end, 2, &month) || !take_char(p, end, '-', '-') ||
	    !take_digits(p, end, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > bb_clock_days_of_month(year, month))
		return false;
	*ret_days = bb_clock_days(year, month, day);
	return true;
}

static bool take_time(const char **p, const char *end, int *ret_seconds)
{
	int hour, minute, second;

	if (!take_digits(p, end, 2, &hour) || !take_char(p, end, ':', ':') ||
	    !take_digits(p, end, 2, &minute) || !take_char(p, end, ':', ':') ||
	    !take_digits(p, end, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 59)
		return false;
	*ret_seconds = (hour * 60 + minute) * 60 + second;
	return true;
}

/* Nothing, or a point and at least one digit; what is below a millisecond is cut off. */
static bool take_fraction(const char **p, const char *end, int *ret_ms)
{
	int scale = 100;

	*ret_ms = 0;
	if (!take_char(p, end, '.', '.'))
		return true;
	if (*p == end || !is_digit(**p))
		return false;
	for (; *p < end && is_digit(**p); ++*p) {
		*ret_ms += (**p - '0') * scale;
		scale /= 10;
	}
	return true;
}

/*
 * Minutes may exceed 59 here, as long as the whole stays below a day: the reference that every
 * replica must agree with reads `+00:75` as 75 minutes.
 */
static bool take_zone(const char **p, const char *end, int *ret_seconds)
{
	int sign, hours, minutes;

	*ret_seconds = 0;
	if (take_char(p, end, 'z', 'Z'))
		return true;
	if (!take_char(p, end, '+', '-'))
		return false;
	sign = (*p)[-1] == '-' ? -1 : 1;
	if (!take_digits(p, end, 2, &hours) || !take_char(p, end, ':', ':') ||
	    !take_digits(p, end, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 60 + minutes) * 60;
	return hours * 60 + minutes < SECONDS_OF_DAY / 60;
}

bool bb_clock_parse_rfc3339(struct bb_text text, int64_t *ret_ms)
{
	const char *p = text.p, *end;
	int seconds, fraction_ms, zone;
	int64_t days, ms;

	if (text.n < sizeof "2026-01-02T03:04:05Z" - 1)
		return false;
	end = p + text.n;
	if (!take_date(&p, end, &days) || !take_char(&p, end, 't', 'T') ||
	    !take_time(&p, end, &seconds) || !take_fraction(&p, end, &fraction_ms) ||
	    !take_zone(&p, end, &zone) || p != end)
		return false;
	ms = (days * SECONDS_OF_DAY + seconds - zone) * 1000 + fraction_ms;
	if (ms < BB_TIME_MIN_MS || ms > BB_TIME_MAX_MS)
		return false;
	*ret_ms = ms;
	return true;
}

int64_t bb_clock_wall_ms(void)
{
	struct timespec now;

	bb_assert(clock_gettime(CLOCK_REALTIME, &now) == 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t bb_clock_monotonic_ns(void)
{
	struct timespec now;

	bb_assert(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
