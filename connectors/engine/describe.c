/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual's reference of connector files, from the table of options: a section a place, a row a
 * key. So the manual and the code cannot say different things. Nothing can fail.
 */
#include <backbone/assert.h>
#include <backbone/connector.h>

#include <ctype.h>

#include "schema.h"
#include "stamp.h"

static const char *const places[BB_PLACE_COUNT] = {
	[BB_IN_FILE] = "the file",
	[BB_IN_DEFAULTS] = "`defaults`",
	[BB_IN_EVENT] = "a rule of `events`",
	[BB_IN_TIME] = "`time`",
	[BB_IN_IDENTIFY] = "`identify`",
	[BB_IN_SAME] = "`same`",
	[BB_IN_RULED] = "`pair` and `identifier`",
	[BB_IN_SPREAD] = "`spread`",
	[BB_IN_AMOUNT] = "`amount`",
	[BB_IN_CONSENT] = "`consent`",
	[BB_IN_STATUS] = "`status`",
	[BB_IN_SOURCE] = "a source",
	[BB_IN_PICK] = "`pick`",
	[BB_IN_LOOKUP] = "`lookup`",
	[BB_IN_SUM] = "`sum`",
};

#define X(name, text) ", `" text "`"
static const char time_forms[] = BB_STAMP_KINDS(X);
#undef X
#define TIME_FORMS (time_forms + sizeof(", ") - 1)

/* What is said of a type, behind the words that it may be. */
static const char *const types[BB_TYPE_COUNT] = {
	[BB_TYPE_NAME] = "a name: small letters, digits, `_`, `.` and `-`, a letter first",
	[BB_TYPE_TEXT] = "a text",
	[BB_TYPE_FLAG] = "`true` or `false`",
	[BB_TYPE_CHOICE] = "",
	[BB_TYPE_UNWRAP] = ", or a list of them",
	[BB_TYPE_TOPICS] = "a name, a list of names, or one pattern",
	[BB_TYPE_NAMES] = "a text, or a list of them",
	[BB_TYPE_REGION] = "two capital letters of ISO 3166: `FR`",
	[BB_TYPE_ZONE] = "a time zone: `Europe/Paris`, `UTC`, `+02:00`",
	[BB_TYPE_CURRENCY] = "three capital letters of ISO 4217: `EUR`",
	[BB_TYPE_NAMESPACE] = "a namespace of the configuration",
	[BB_TYPE_TIME_FORM] = TIME_FORMS,
	[BB_TYPE_EACH] = "a path that ends with `[*]` or `.*`; or a list of them, and of `$`",
	[BB_TYPE_REDACT] = ", a path, or a list of them; `[*]` and `.*` are allowed",
	[BB_TYPE_SOURCES] = "sources",
	[BB_TYPE_TEMPLATE] = "a text with `{paths}` in it",
	[BB_TYPE_INNER] = "a path in an element: `values[0]`",
	[BB_TYPE_INNERS] = "a path in an element, or a list of them",
	[BB_TYPE_CONDITIONS] = "a map of paths and what they must be",
	[BB_TYPE_ATTRIBUTES] = "a map of names and sources",
	[BB_TYPE_WORD_MAP] = "a map of texts",
	[BB_TYPE_DIGITS] = "a map of currencies and numbers of digits: `{ISK: 2}`",
	[BB_TYPE_STATUS] = "`granted`, `denied`, or ",
	[BB_TYPE_SECTION] = "",
	[BB_TYPE_SECTIONS] = "",
	[BB_TYPE_PARSE] = "a path",
};

/* [a map](#keys-of-a-source), as headings get their anchors: letters, digits, `-` for a space. */
static void link_place(struct bb_buf *buf, const char *text, enum bb_place place)
{
	bb_buf_printf(buf, "[%s](#keys-of-", text);
	for (const char *p = places[place]; *p; p++)
		if (*p == ' ')
			bb_buf_byte(buf, '-');
		else if (isalnum((unsigned char)*p) || *p == '_')
			bb_buf_byte(buf, *p);
	bb_buf_byte(buf, ')');
}

static void describe_words(struct bb_buf *buf, const char *words)
{
	for (const char *word = words; *word;) {
		size_t n = strcspn(word, " ");

		bb_buf_printf(buf, "%s`%.*s`", word == words ? "" : ", ", (int)n, word);
		word += n + (word[n] == ' ');
	}
}

static void describe_value(struct bb_buf *buf, const struct bb_option *option)
{
	bb_assert(types[option->type]);
	if (option->words)
		describe_words(buf, option->words);
	bb_buf_printf(buf, "%s", types[option->type]);
	if (option->type == BB_TYPE_STATUS)
		link_place(buf, "a map", BB_IN_STATUS);
	if (option->type == BB_TYPE_SECTION || option->type == BB_TYPE_SECTIONS)
		link_place(buf, "a map", option->section);
	if (option->type == BB_TYPE_SECTIONS)
		bb_buf_printf(buf, ", or a list of them");
}

static void print_row(struct bb_buf *buf, const struct bb_option *option)
{
	bb_buf_printf(buf, "| `%s`%s | ", option->name, option->required ? " (required)" : "");
	describe_value(buf, option);
	bb_buf_printf(buf, " | %s |\n", option->help);
}

void bb_connector_reference(struct bb_buf *buf)
{
	const struct bb_option *options;
	size_t n, top = BB_PLACE_COUNT;

	options = bb_schema_options(&n);
	for (size_t i = 0; i < n; i++) {
		if (options[i].place != top)
			bb_buf_printf(buf,
				      "%s## Keys of %s\n\n| key | value | meaning |\n"
				      "|---|---|---|\n",
				      i > 0 ? "\n" : "", places[options[i].place]);
		top = options[i].place;
		print_row(buf, &options[i]);
	}
}
