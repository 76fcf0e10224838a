/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time zones without touching the zone of the process: the TZif file (RFC 8536) of the zone is read
 * into a table of changes with the wall's time of each; after the last one the rule in the file's
 * footer (a POSIX TZ string) goes on for ever. A look-up is a binary search.
 *
 * A name that leads out of the database, a file that is missing, damaged or of version 1 gives no
 * zone: the compiler says so at the place where it is named.
 */
#include "zone.h"

#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/yaml.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define DATABASE "/usr/share/zoneinfo"
#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define HEADER_BYTES 44
#define DAY_SECONDS INT64_C(86400)

/* When a change of the footer happens: a day of the year, and seconds on the wall of that day. */
struct day_rule {
	enum { DAY_NONE, DAY_MONTH_WEEK, DAY_JULIAN, DAY_ZERO } kind;
	int month, week, day; /* MONTH_WEEK; else only `day` */
	int64_t seconds;
};

struct change {
	int64_t wall; /* the first second on the wall that is read with `offset` */
	int64_t offset;
};

struct bb_zone {
	int64_t first; /* offset before all changes */
	struct change *changes;
	size_t change_n;
	bool has_rule;
	int64_t standard, summer;   /* offsets of the footer */
	struct day_rule start, end; /* of summer time; kind NONE: there is none */
};

struct bytes {
	const unsigned char *p;
	size_t n;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       strchr("_+-/", c) != NULL;
}

/* A name of the database and no way out of it. */
static bool is_zone_name(struct bb_text name)
{
	if (name.n == 0 || name.n > 64 || !is_name_byte(name.p[0]) || name.p[0] == '/')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] == '\0' || !is_name_byte(name.p[i]))
			return false;
	return true;
}

/* The whole file of the database, or false. */
static bool read_database(const char *name, struct bb_buf *buf)
{
	const char *directory = getenv("TZDIR");
	struct bb_buf path = BB_BUF_EMPTY;
	ssize_t n = -1;
	int fd;

	bb_buf_printf(&path, "%s/%s", directory ? directory : DATABASE, name);
	bb_buf_byte(&path, '\0');
	fd = open(path.p, O_RDONLY | O_CLOEXEC);
	bb_buf_fini(&path);
	if (fd < 0)
		return false;
	while (buf->n <= FILE_BYTES_MAX && (n = read(fd, bb_buf_reserve(buf, 4096), 4096)) > 0)
		buf->n += (size_t)n;
	close(fd);
	return n == 0;
}

static int64_t big_endian(const unsigned char *p, size_t bytes)
{
	uint64_t value = p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | p[i];
	return (int64_t)value;
}

/* The six counts of a header: isut, isstd, leap, time, type, char. */
struct counts {
	size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(struct bytes in, struct counts *ret)
{
	size_t *const counts[] = {&ret->isut, &ret->isstd, &ret->leap,
				  &ret->time, &ret->type,  &ret->chars};

	if (in.n < HEADER_BYTES || memcmp(in.p, "TZif", 4) != 0 || in.p[4] < '2')
		return false;
	for (size_t i = 0; i < 6; i++)
		*counts[i] = (size_t)(uint32_t)big_endian(in.p + 20 + 4 * i, 4);
	return ret->time <= FILE_BYTES_MAX && ret->type <= 256 && ret->type > 0 &&
	       ret->chars <= FILE_BYTES_MAX && ret->leap <= FILE_BYTES_MAX &&
	       ret->isstd <= FILE_BYTES_MAX && ret->isut <= FILE_BYTES_MAX;
}

static size_t data_bytes(const struct counts *c, size_t time_bytes)
{
	return c->time * (time_bytes + 1) + c->type * 6 + c->chars + c->leap * (time_bytes + 4) +
	       c->isstd + c->isut;
}

static bool skip(struct bytes *in, size_t n)
{
	if (in->n < n)
		return false;
	in->p += n;
	in->n -= n;
	return true;
}

/* The changes of the 64-bit block at the start of `in`. */
static bool read_changes(struct bytes in, const struct counts *c, struct bb_arena *arena,
			 struct bb_zone *zone)
{
	const unsigned char *times = in.p, *indexes = times + 8 * c->time;
	const unsigned char *types = indexes + c->time;
	int64_t before = big_endian(types, 4), after, at;

	zone->first = before;
	zone->changes = bb_arena_alloc(arena, c->time * sizeof(*zone->changes));
	zone->change_n = c->time;
	for (size_t i = 0; i < c->time; i++) {
		if (indexes[i] >= c->type)
			return false;
		at = big_endian(times + 8 * i, 8);
		after = big_endian(types + 6 * indexes[i], 4);
		if (at < -(INT64_C(1) << 59)) /* the beginning of time, as some files have it */
			at = -(INT64_C(1) << 59);
		zone->changes[i] = (struct change){at + (after > before ? after : before), after};
		before = after;
	}
	return true;
}

static bool take_number(const char **p, int *ret_value)
{
	int value = 0;

	if (!is_digit(**p))
		return false;
	for (; is_digit(**p) && value < 100000; ++*p)
		value = value * 10 + (**p - '0');
	*ret_value = value;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_duration(const char **p, int64_t *ret_seconds)
{
	int parts[3] = {0, 0, 0}, sign = 1;

	if (**p == '+' || **p == '-')
		sign = *(*p)++ == '-' ? -1 : 1;
	if (!take_number(p, &parts[0]))
		return false;
	for (int i = 1; i < 3 && **p == ':'; i++) {
		++*p;
		if (!take_number(p, &parts[i]))
			return false;
	}
	*ret_seconds = sign * (parts[0] * INT64_C(3600) + parts[1] * 60 + parts[2]);
	return parts[0] <= 167 && parts[1] < 60 && parts[2] < 60;
}

/* A zone's abbreviation: letters, or anything in <>. */
static bool take_abbreviation(const char **p)
{
	const char *from = *p;

	if (**p == '<') {
		while (**p && **p != '>')
			++*p;
		return *(*p)++ == '>';
	}
	while ((**p >= 'a' && **p <= 'z') || (**p >= 'A' && **p <= 'Z'))
		++*p;
	return *p - from >= 3;
}

static bool take_day(const char **p, struct day_rule *rule)
{
	if (**p == 'M') {
		rule->kind = DAY_MONTH_WEEK;
		++*p;
		if (!take_number(p, &rule->month) || *(*p)++ != '.' ||
		    !take_number(p, &rule->week) || *(*p)++ != '.' || !take_number(p, &rule->day))
			return false;
		return rule->month >= 1 && rule->month <= 12 && rule->week >= 1 &&
		       rule->week <= 5 && rule->day <= 6;
	}
	rule->kind = **p == 'J' ? DAY_JULIAN : DAY_ZERO;
	*p += **p == 'J';
	return take_number(p, &rule->day) && rule->day <= 365;
}

static bool take_rule(const char **p, struct day_rule *rule)
{
	rule->seconds = 2 * 3600;
	if (*(*p)++ != ',' || !take_day(p, rule))
		return false;
	if (**p != '/')
		return true;
	++*p;
	return take_duration(p, &rule->seconds);
}

/* The footer: CET-1CEST,M3.5.0,M10.5.0/3 */
static bool read_rule(const char *p, struct bb_zone *zone)
{
	if (!take_abbreviation(&p) || !take_duration(&p, &zone->standard))
		return false;
	zone->standard = -zone->standard; /* POSIX counts westwards */
	zone->has_rule = true;
	if (*p == '\0')
		return true;
	if (!take_abbreviation(&p))
		return false;
	zone->summer = zone->standard + 3600;
	if (*p != ',') {
		if (!take_duration(&p, &zone->summer))
			return false;
		zone->summer = -zone->summer;
	}
	return take_rule(&p, &zone->start) && take_rule(&p, &zone->end) && *p == '\0';
}

/* The text between the two line feeds at the end; terminated in place. */
static bool read_footer(struct bytes in, struct bb_arena *arena, struct bb_zone *zone)
{
	const unsigned char *end;

	if (in.n < 2 || in.p[0] != '\n')
		return false;
	end = memchr(in.p + 1, '\n', in.n - 1);
	if (!end)
		return false;
	if (end == in.p + 1) /* no rule: the last change holds */
		return true;
	return read_rule(bb_arena_copy(arena, bb_text_bytes(in.p + 1, (size_t)(end - in.p - 1))).p,
			 zone);
}

static bool read_file(struct bytes in, struct bb_arena *arena, struct bb_zone *zone)
{
	struct counts c;
	size_t n;

	if (!read_header(in, &c) || !skip(&in, HEADER_BYTES) || !skip(&in, data_bytes(&c, 4)) ||
	    !read_header(in, &c) || !skip(&in, HEADER_BYTES))
		return false;
	n = data_bytes(&c, 8);
	if (in.n < n || !read_changes(in, &c, arena, zone))
		return false;
	skip(&in, n);
	return read_footer(in, arena, zone);
}

/* +hh:mm */
static bool read_fixed(struct bb_text name, struct bb_zone *zone)
{
	int hours, minutes;

	if (name.n != 6 || (name.p[0] != '+' && name.p[0] != '-') || name.p[3] != ':')
		return false;
	for (size_t i = 1; i < 6; i++)
		if (i != 3 && !is_digit(name.p[i]))
			return false;
	hours = (name.p[1] - '0') * 10 + (name.p[2] - '0');
	minutes = (name.p[4] - '0') * 10 + (name.p[5] - '0');
	zone->first = (name.p[0] == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * 60);
	return hours < 24 && minutes < 60;
}

const struct bb_zone *bb_zone_read(struct bb_text name, struct bb_arena *arena)
{
	struct bb_zone *zone = bb_arena_zalloc(arena, sizeof(*zone));
	struct bb_buf file = BB_BUF_EMPTY;
	bool ok;

	if (bb_text_equal(name, BB_TEXT("UTC")) || read_fixed(name, zone))
		return zone;
	ok = is_zone_name(name) && read_database(bb_arena_copy(arena, name).p, &file) &&
	     read_file((struct bytes){(const unsigned char *)file.p, file.n}, arena, zone);
	bb_buf_fini(&file);
	return ok ? zone : NULL;
}

/* Seconds on the wall, counted from 1970, at which a change of the footer happens in a year. */
static int64_t rule_seconds(const struct day_rule *rule, int year)
{
	int64_t days = bb_clock_days(year, 1, 1), weekday;
	bool leap = bb_clock_days(year + 1, 1, 1) - days == 366;

	switch (rule->kind) {
	case DAY_ZERO:
		days += rule->day;
		break;
	case DAY_JULIAN: /* 1 to 365, the leap day is never counted */
		days += rule->day - 1 + (leap && rule->day > 59);
		break;
	default: {
		int next_year = rule->month == 12 ? year + 1 : year;
		int64_t next = bb_clock_days(next_year, rule->month % 12 + 1, 1);

		days = bb_clock_days(year, rule->month, 1);
		weekday = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
		days += (rule->day - weekday + 7) % 7 + 7 * (rule->week - 1);
		if (days >= next)
			days -= 7;
	}
	}
	return days * DAY_SECONDS + rule->seconds;
}

static int64_t rule_offset(const struct bb_zone *zone, int64_t local)
{
	int64_t more = zone->summer > zone->standard ? zone->summer - zone->standard : 0;
	int64_t less = zone->summer < zone->standard ? zone->standard - zone->summer : 0;
	int64_t days = local / DAY_SECONDS - (local % DAY_SECONDS < 0), start, end;
	int year, month, day;
	bool summer;

	if (zone->start.kind == DAY_NONE)
		return zone->standard;
	bb_clock_date(days, &year, &month, &day);
	start = rule_seconds(&zone->start, year) + more; /* the first second that was not skipped */
	end = rule_seconds(&zone->end, year) + less;
	summer = start < end ? local >= start && local < end : local >= start || local < end;
	return summer ? zone->summer : zone->standard;
}

int64_t bb_zone_offset(const struct bb_zone *zone, int64_t local_seconds)
{
	size_t low = 0, high = zone->change_n, middle;

	while (low < high) { /* the first change that has not happened yet */
		middle = low + (high - low) / 2;
		if (zone->changes[middle].wall <= local_seconds)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->change_n && zone->has_rule)
		return rule_offset(zone, local_seconds);
	return low > 0 ? zone->changes[low - 1].offset : zone->first;
}

const char *bb_zone_nearest(struct bb_text name, struct bb_arena *arena)
{
	struct bb_buf file = BB_BUF_EMPTY;
	const char **names = NULL, *p, *end, *found = NULL;
	size_t n = 0, room = 0, fields;

	if (!read_database("zone1970.tab", &file) || file.n == 0)
		goto out;
	for (p = file.p; p < file.p + file.n; p = end + 1) {
		const char *field = p;

		end = memchr(p, '\n', (size_t)(file.p + file.n - p));
		if (!end)
			break;
		for (fields = 0; fields < 2 && field; fields++) {
			field = memchr(field, '\t', (size_t)(end - field));
			field = field ? field + 1 : NULL;
		}
		if (*p == '#' || !field)
			continue;
		p = memchr(field, '\t', (size_t)(end - field));
		BB_ARENA_PUSH(arena, names, n, room) =
			bb_arena_copy(arena, bb_text_bytes(field, (size_t)((p ? p : end) - field)))
				.p;
	}
	found = bb_yaml_nearest(name, names, n);
out:
	bb_buf_fini(&file);
	return found;
}
