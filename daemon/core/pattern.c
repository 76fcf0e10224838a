/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block patterns: POSIX extended over code points, run by PCRE2. A first pass over the text refuses
 * whatever engines understand differently, with the column; PCRE2 then compiles it, and every match
 * runs under limits, so that no pattern can hold up the log.
 *
 * What is wrong with a pattern is told when it is compiled. A match that reaches a limit is not a
 * match; the limits are those of PCRE2's interpreter, not of its JIT, whose count differs between
 * processors.
 */
#include <backbone/assert.h>
#include <backbone/normalise.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define STEPS_MAX 10000	   /* of backtracking, from one place in the value */
#define HEAP_MAX_KIB 8192  /* one match, for backtracking */
#define PATTERN_BYTES 1000 /* a longer one is a list that belongs into several */

struct bb_pattern {
	char *text; /* as given; owned */
	pcre2_code *code;
	pcre2_match_context *limits;
};

/* The pass over a pattern's text. */
struct reading {
	const char *text, *next;
	bool in_set;	  /* within [...] */
	bool after_count; /* the last thing was * + ? or {n,m} */
	struct bb_error *err;
};

/* Code points from 1, as people count. */
static size_t column_of(const char *text, const char *at)
{
	size_t column = 1;

	for (const char *p = text; p < at; p++)
		column += ((unsigned char)p[1] & 0xc0) != 0x80;
	return column;
}

static int refuse(const struct reading *in, const char *what, const char *instead)
{
	return bb_error_set(in->err, BB_ECONFIG, "column %zu of the pattern: %s; %s",
			    column_of(in->text, in->next), what, instead);
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int read_backslash(struct reading *in)
{
	char escaped = in->next[1];

	if (escaped == '\0')
		return refuse(in, "a backslash at the end", "write \\\\ for a backslash");
	if (is_letter_or_digit(escaped))
		return refuse(in, "a backslash before a letter or digit is not allowed",
			      "write [0-9] for \\d, [A-Za-z0-9_] for \\w");
	in->next += 2;
	in->after_count = false;
	return BB_OK;
}

/* `[`, an optional `^`, and a `]` that stands first and so is a member. */
static void enter_set(struct reading *in)
{
	in->in_set = true;
	in->next++;
	if (*in->next == '^')
		in->next++;
	if (*in->next == ']')
		in->next++;
}

/* The end of {n}, {n,} or {n,m} at `p`; NULL: a brace that stands for itself. */
static const char *end_of_count(const char *p)
{
	const char *digits = ++p;

	p += strspn(p, "0123456789");
	if (p == digits)
		return NULL;
	if (*p == ',')
		p += 1 + strspn(p + 1, "0123456789");
	return *p == '}' ? p + 1 : NULL;
}

static int read_count(struct reading *in, const char *end)
{
	if (in->after_count && *in->next == '?')
		return refuse(in, "a lazy quantifier (*? +? ?? }?) is not allowed",
			      "leave the ? away: it does not change what is blocked");
	if (in->after_count)
		return refuse(in, "a quantifier after a quantifier is not allowed",
			      "put the first part in ( )");
	in->after_count = true;
	in->next = end;
	return BB_OK;
}

static int read_brace(struct reading *in)
{
	const char *end = end_of_count(in->next);

	if (end)
		return read_count(in, end);
	if (in->next[1] == ',')
		return refuse(in, "{, is not allowed",
			      "write {0,n} for at most n, \\{ for a brace");
	in->after_count = false;
	in->next++;
	return BB_OK;
}

static int read_in_set(struct reading *in)
{
	if (strncmp(in->next, "[:", 2) == 0)
		return refuse(in, "[: is not allowed", "write the members: [a-z], [0-9]");
	if (*in->next == '\\')
		return read_backslash(in);
	if (*in->next == ']')
		in->in_set = false;
	in->next++;
	return BB_OK;
}

static int read_one(struct reading *in)
{
	if (in->in_set)
		return read_in_set(in);
	switch (*in->next) {
	case '\\':
		return read_backslash(in);
	case '*':
	case '+':
	case '?':
		return read_count(in, in->next + 1);
	case '{':
		return read_brace(in);
	case '(':
		if (in->next[1] == '?')
			return refuse(in, "(? is not allowed", "write ( for a group");
		if (in->next[1] == '*')
			return refuse(in, "(* is not allowed", "write (\\* for an asterisk");
		break;
	case '[':
		if (in->next[1] == ':')
			return refuse(in, "[: is not allowed", "write the members: [a-z], [0-9]");
		enter_set(in);
		in->after_count = false;
		return BB_OK;
	}
	in->after_count = false;
	in->next++;
	return BB_OK;
}

static int check(const char *text, struct bb_error *err)
{
	struct reading in = {.text = text, .next = text, .err = err};
	int rc = BB_OK;

	if (*text == '\0')
		return bb_error_set(err, BB_ECONFIG,
				    "the pattern is empty, which would block every value; "
				    "leave it out or name a value");
	if (strlen(text) > PATTERN_BYTES)
		return bb_error_set(err, BB_ECONFIG,
				    "the pattern has %zu bytes; at most %d are allowed, "
				    "write several patterns instead",
				    strlen(text), PATTERN_BYTES);
	while (rc == BB_OK && *in.next != '\0')
		rc = read_one(&in);
	return rc;
}

static int compile(const char *text, pcre2_code **ret_code, struct bb_error *err)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	unsigned char message[256] = "";
	size_t offset;
	pcre2_code *code;
	int rc;

	bb_assert(context);
	bb_assert(pcre2_set_newline(context, PCRE2_NEWLINE_LF) == 0);
	code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
			     PCRE2_UTF | PCRE2_NO_AUTO_CAPTURE | PCRE2_NEVER_BACKSLASH_C, &rc,
			     &offset, context);
	pcre2_compile_context_free(context);
	if (!code) {
		pcre2_get_error_message(rc, message, sizeof(message));
		return bb_error_set(
			err, BB_ECONFIG,
			"column %zu of the pattern: %s; write a POSIX extended "
			"pattern, with a backslash before a sign that stands for itself",
			column_of(text, text + offset), (const char *)message);
	}
	*ret_code = code;
	return BB_OK;
}

int bb_pattern_new(const char *text, struct bb_pattern **ret_pattern, struct bb_error *err)
{
	struct bb_pattern *pattern;
	pcre2_code *code;
	int rc = check(text, err);

	if (rc == BB_OK)
		rc = compile(text, &code, err);
	if (rc != BB_OK)
		return rc;
	pattern = malloc(sizeof(*pattern));
	bb_assert(pattern);
	pattern->text = strdup(text);
	bb_assert(pattern->text);
	pattern->code = code;
	pattern->limits = pcre2_match_context_create(NULL);
	bb_assert(pattern->limits);
	pcre2_set_match_limit(pattern->limits, STEPS_MAX);
	pcre2_set_depth_limit(pattern->limits, STEPS_MAX);
	pcre2_set_heap_limit(pattern->limits, HEAP_MAX_KIB);
	*ret_pattern = pattern;
	return BB_OK;
}

void bb_pattern_free(struct bb_pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_code_free(pattern->code);
	pcre2_match_context_free(pattern->limits);
	free(pattern->text);
	free(pattern);
}

const char *bb_pattern_text(const struct bb_pattern *pattern)
{
	return pattern->text;
}

bool bb_pattern_matches(const struct bb_pattern *pattern, struct bb_text value)
{
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	int rc;

	bb_assert(match);
	rc = pcre2_match(pattern->code, (PCRE2_SPTR)value.p, value.n, 0, 0, match, pattern->limits);
	pcre2_match_data_free(match);
	bb_assert(rc != PCRE2_ERROR_NOMEMORY);
	return rc >= 0;
}
