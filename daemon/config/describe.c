/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be written for an option, in words, and the manual's reference. Both come from the
 * table, so that a message, the manual and the code cannot say different things. Nothing can fail.
 */
#include "option.h"

#include <backbone/clock.h>

#include <inttypes.h>

struct unit {
	const char *text;
	uint64_t factor;
};

/* The largest unit that leaves a whole number. */
static void print_units(struct bb_buf *buf, uint64_t value, const struct unit *units)
{
	while (units->factor > 1 && (value == 0 || value % units->factor != 0))
		units++;
	bb_buf_printf(buf, "%" PRIu64 "%s", value / units->factor, value ? units->text : "");
}

static void print_size(struct bb_buf *buf, uint64_t bytes)
{
	static const struct unit units[] = {{"TiB", UINT64_C(1) << 40},
					    {"GiB", UINT64_C(1) << 30},
					    {"MiB", UINT64_C(1) << 20},
					    {"KiB", UINT64_C(1) << 10},
					    {"B", 1}};

	print_units(buf, bytes, units);
}

static void print_duration(struct bb_buf *buf, uint64_t ms)
{
	static const struct unit units[] = {{"d", BB_DAY_MS},
					    {"h", BB_HOUR_MS},
					    {"m", 60 * BB_SECOND_MS},
					    {"s", BB_SECOND_MS},
					    {"ms", 1}};

	print_units(buf, ms, units);
}

static void describe_range(const struct bb_option *option, struct bb_buf *buf, const char *what,
			   void (*print)(struct bb_buf *, uint64_t), uint64_t factor,
			   const char *units)
{
	bb_buf_printf(buf, "%s from ", what);
	print(buf, option->least * factor);
	bb_buf_printf(buf, " to ");
	print(buf, option->most * factor);
	bb_buf_printf(buf, "%s", units);
}

static void print_plain(struct bb_buf *buf, uint64_t value)
{
	bb_buf_printf(buf, "%" PRIu64, value);
}

static void describe_words(const struct bb_option *option, struct bb_buf *buf)
{
	for (size_t i = 0; option->words[i]; i++)
		bb_buf_printf(buf, "%s%s", i ? ", " : "", option->words[i]);
}

/* Types of which always the same is said. */
static const char *const descriptions[] = {
	[BB_OPTION_SECTION] = "a map of options",
	[BB_OPTION_SECTIONS] = "a list of maps, each with its options",
	[BB_OPTION_PATH] = "a path; a relative one is relative to the folder of this file",
	[BB_OPTION_TIME] = "a date such as 1990-01-01, or a time with its zone such as "
			   "1990-01-01T00:00:00Z, from 1970 on",
	[BB_OPTION_BOOL] = "true, false",
	[BB_OPTION_MODE] = "three or four octal digits, such as 0660",
	[BB_OPTION_ADDRESS] = "a loopback address and a port, such as 127.0.0.1:6380 or "
			      "[::1]:6380",
	[BB_OPTION_REGION] = "two upper-case letters of ISO 3166, such as FR",
	[BB_OPTION_KEY] = "32 hexadecimal digits, made once by: od -An -N16 -tx1 /dev/urandom | "
			  "tr -d ' '",
};

static void describe_type(const struct bb_option *option, struct bb_buf *buf)
{
	switch (option->type) {
	case BB_OPTION_TEXT:
		bb_buf_printf(buf, "text, such as %s", option->example);
		break;
	case BB_OPTION_SIZE:
	case BB_OPTION_SIZE32:
		describe_range(option, buf, "a size", print_size, 1,
			       ", in B, KiB, MiB, GiB or TiB");
		break;
	case BB_OPTION_NUMBER:
		describe_range(option, buf, "a whole number", print_plain, 1, "");
		break;
	case BB_OPTION_DURATION:
		describe_range(option, buf, "a duration", print_duration, 1,
			       ", in ms, s, m, h or d");
		break;
	case BB_OPTION_SECONDS:
		describe_range(option, buf, "a duration", print_duration, BB_SECOND_MS,
			       ", in whole seconds, as s, m, h or d");
		break;
	case BB_OPTION_WORD:
		describe_words(option, buf);
		break;
	case BB_OPTION_TEXTS:
		bb_buf_printf(buf, "a list of texts, such as ['%s']", option->example);
		break;
	case BB_OPTION_RULES:
	case BB_OPTION_KAFKA:
		bb_buf_printf(buf, "a map, such as {%s}", option->example);
		break;
	default:
		bb_buf_printf(buf, "%s", descriptions[option->type]);
		break;
	}
}

void bb_option_describe(const struct bb_option *option, struct bb_buf *buf)
{
	describe_type(option, buf);
	if (option->none)
		bb_buf_printf(buf, ", or none");
}

/* A cell of a table: `|` would end it. */
static void print_cell(struct bb_buf *buf, const char *text)
{
	for (; *text; text++) {
		if (*text == '|')
			bb_buf_byte(buf, '\\');
		bb_buf_byte(buf, *text);
	}
	bb_buf_printf(buf, " | ");
}

static void print_row(struct bb_buf *buf, const struct bb_option *option)
{
	struct bb_buf allowed = BB_BUF_EMPTY, fallback = BB_BUF_EMPTY;

	bb_option_describe(option, &allowed);
	bb_buf_byte(&allowed, '\0');
	if (option->shown)
		bb_buf_printf(&fallback, "%s", option->shown);
	else if (!option->fallback)
		bb_buf_printf(&fallback, "must be given");
	else if (*option->fallback)
		bb_buf_printf(&fallback, "`%s`", option->fallback);
	bb_buf_byte(&fallback, '\0');
	bb_buf_printf(buf, "| `%s` | ", option->path);
	print_cell(buf, fallback.p);
	print_cell(buf, allowed.p);
	print_cell(buf, option->help);
	buf->p[buf->n - 1] = '\n'; /* instead of the last space */
	bb_buf_fini(&allowed);
	bb_buf_fini(&fallback);
}

/* Bytes of the first name of a path: `store` of `store.path`. */
static size_t top_bytes(const char *path)
{
	return strcspn(path, ".[");
}

void bb_config_reference(struct bb_buf *buf)
{
	const char *top = "";

	for (size_t i = 0; i < bb_option_n; i++) {
		const struct bb_option *option = &bb_options[i];
		size_t n = top_bytes(option->path);

		if (strncmp(top, option->path, n) != 0 || top_bytes(top) != n) {
			top = option->path;
			bb_buf_printf(buf, "%s## `%.*s`\n\n", i ? "\n" : "", (int)n, top);
			if (option->type == BB_OPTION_SECTION)
				bb_buf_printf(buf, "%s\n\n", option->help);
			bb_buf_printf(buf, "| option | default | allowed | meaning |\n"
					   "|---|---|---|---|\n");
		}
		if (option->type != BB_OPTION_SECTION || strchr(option->path, '.'))
			print_row(buf, option);
	}
}
