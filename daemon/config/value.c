/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a scalar to a value of its type. Each reader takes one spelling and nothing
 * near it: a leading zero, a sign, a space or an unknown unit is not a number. The range is checked
 * in the unit in which the value is kept. False is all that is said; the caller knows what is
 * allowed (describe.c).
 */
#include "option.h"

#include <backbone/assert.h>
#include <backbone/clock.h>

#include <arpa/inet.h>

struct unit {
	const char *text;
	uint64_t factor;
};

static const struct unit sizes[] = {{"", 1},
				    {"B", 1},
				    {"KiB", UINT64_C(1) << 10},
				    {"MiB", UINT64_C(1) << 20},
				    {"GiB", UINT64_C(1) << 30},
				    {"TiB", UINT64_C(1) << 40},
				    {NULL, 0}};
static const struct unit durations[] = {
	{"ms", 1},	   {"s", BB_SECOND_MS}, {"m", 60 * BB_SECOND_MS},
	{"h", BB_HOUR_MS}, {"d", BB_DAY_MS},	{NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

const char *bb_value_keep(struct bb_loading *loading, struct bb_text text)
{
	return bb_arena_copy(&loading->config->arena, text).p;
}

/* Decimal digits at the front; the rest is `*ret_rest`. */
static bool take_digits(struct bb_text text, uint64_t *ret_value, struct bb_text *ret_rest)
{
	uint64_t value = 0;
	size_t i = 0;

	for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
		unsigned digit = (unsigned)(text.p[i] - '0');

		if (value > (UINT64_MAX - digit) / 10 || (i > 0 && text.p[0] == '0'))
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	*ret_rest = (struct bb_text){text.p + i, text.n - i};
	return i > 0;
}

static bool read_units(const struct bb_option *option, struct bb_text text,
		       const struct unit *units, uint64_t divisor, uint64_t *ret_value)
{
	struct bb_text rest;
	uint64_t value;

	if (!take_digits(text, &value, &rest))
		return false;
	if (value != 0 || rest.n != 0) { /* 0 needs no unit */
		while (units->text && !bb_text_equal(rest, bb_text_of(units->text)))
			units++;
		if (!units->text || value > UINT64_MAX / units->factor)
			return false;
		value *= units->factor;
	}
	if (value % divisor != 0)
		return false;
	value /= divisor;
	*ret_value = value;
	return value >= option->least && value <= option->most;
}

static bool read_number(const struct bb_option *option, struct bb_text text,
			const struct unit *units, uint64_t divisor, void *target)
{
	uint64_t value;

	if (!read_units(option, text, units, divisor, &value))
		return false;
	if (option->type == BB_OPTION_SIZE || option->type == BB_OPTION_DURATION)
		*(uint64_t *)target = value; /* of a duration int64_t; `most` fits */
	else
		*(uint32_t *)target = (uint32_t)value;
	return true;
}

static bool read_time(struct bb_text text, int64_t *target)
{
	char whole[] = "0000-00-00T00:00:00Z";

	if (text.n == sizeof "1990-01-01" - 1) {
		memcpy(whole, text.p, text.n);
		text = BB_TEXT(whole);
	}
	return bb_clock_parse_rfc3339(text, target);
}

static bool read_bool(struct bb_text text, bool *target)
{
	*target = bb_text_equal(text, BB_TEXT("true"));
	return *target || bb_text_equal(text, BB_TEXT("false"));
}

static bool read_word(const struct bb_option *option, struct bb_text text, unsigned *target)
{
	for (unsigned i = 0; option->words[i]; i++) {
		if (bb_text_equal(text, bb_text_of(option->words[i]))) {
			*target = i;
			return true;
		}
	}
	return false;
}

static bool read_mode(struct bb_text text, unsigned *target)
{
	unsigned mode = 0;

	if (text.n < 3 || text.n > 4 || (text.n == 4 && text.p[0] != '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '7')
			return false;
		mode = mode << 3 | (unsigned)(text.p[i] - '0');
	}
	*target = mode;
	return true;
}

/* `127.x.y.z:port` or `[::1]:port`. */
static bool is_loopback(struct bb_text text)
{
	char host[sizeof "127.255.255.255"];
	const char *colon = memrchr(text.p, ':', text.n);
	struct bb_text rest, name;
	struct in_addr address;
	uint64_t port;

	if (!colon)
		return false;
	name = (struct bb_text){text.p, (size_t)(colon - text.p)};
	if (!take_digits((struct bb_text){colon + 1, text.n - name.n - 1}, &port, &rest) ||
	    rest.n != 0 || port < 1 || port > UINT16_MAX)
		return false;
	if (bb_text_equal(name, BB_TEXT("[::1]")))
		return true;
	if (name.n >= sizeof host)
		return false;
	memcpy(host, name.p, name.n);
	host[name.n] = '\0';
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool is_region(struct bb_text text)
{
	return text.n == 2 && text.p[0] >= 'A' && text.p[0] <= 'Z' && text.p[1] >= 'A' &&
	       text.p[1] <= 'Z';
}

static bool read_key(struct bb_text text, struct bb_profile_key *target)
{
	struct bb_profile_key key;

	if (!bb_text_unhex(text, key.b, sizeof key.b))
		return false;
	*target = key;
	return true;
}

static void set_none(const struct bb_option *option, void *target)
{
	if (option->type == BB_OPTION_NUMBER)
		*(uint32_t *)target = BB_NO_LIMIT;
	else
		*(const char **)target = NULL;
}

static const char *keep_path(struct bb_loading *loading, struct bb_text text)
{
	return bb_file_join(loading->config->directory, bb_value_keep(loading, text),
			    &loading->config->arena);
}

static bool read_text(struct bb_loading *loading, const struct bb_option *option,
		      struct bb_text text, const char **target)
{
	if (text.n == 0 || (option->type == BB_OPTION_ADDRESS && !is_loopback(text)) ||
	    (option->type == BB_OPTION_REGION && !is_region(text)))
		return false;
	*target = option->type == BB_OPTION_PATH ? keep_path(loading, text)
						 : bb_value_keep(loading, text);
	return true;
}

bool bb_value_read(struct bb_loading *loading, const struct bb_option *option, struct bb_text text,
		   void *target)
{
	if (option->none && bb_text_equal(text, BB_TEXT("none"))) {
		set_none(option, target);
		return true;
	}
	switch (option->type) {
	case BB_OPTION_TEXT:
	case BB_OPTION_PATH:
	case BB_OPTION_ADDRESS:
	case BB_OPTION_REGION:
		return read_text(loading, option, text, target);
	case BB_OPTION_SIZE:
	case BB_OPTION_SIZE32:
		return read_number(option, text, sizes, 1, target);
	case BB_OPTION_NUMBER:
		return read_number(option, text, plain, 1, target);
	case BB_OPTION_DURATION:
		return read_number(option, text, durations, 1, target);
	case BB_OPTION_SECONDS:
		return read_number(option, text, durations, BB_SECOND_MS, target);
	case BB_OPTION_TIME:
		return read_time(text, target);
	case BB_OPTION_BOOL:
		return read_bool(text, target);
	case BB_OPTION_WORD:
		return read_word(option, text, target);
	case BB_OPTION_MODE:
		return read_mode(text, target);
	case BB_OPTION_KEY:
		return read_key(text, target);
	default:
		bb_assert(!"a list or a map is no scalar");
		return false;
	}
}
