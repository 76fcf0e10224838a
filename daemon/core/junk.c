/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is never an identifier: the built-in list, then the patterns of the namespace. The list is
 * written out as code because each entry is a comparison or two, and it is asked for every value;
 * letters compare without case in ASCII only. A placeholder and a mailbox do not go over a line
 * feed.
 *
 * Nothing fails; a value that no rule knows is not blocked.
 */
#include <backbone/assert.h>
#include <backbone/normalise.h>
#include <limits.h>
#include <stdio.h>

#include "unicode.h"

#define REPEATS_MIN 4

static const struct bb_text words[] = {
	BB_TEXT("null"),      BB_TEXT("nil"),	    BB_TEXT("none"),
	BB_TEXT("undefined"), BB_TEXT("nan"),	    BB_TEXT("na"),
	BB_TEXT("n/a"),	      BB_TEXT("(not set)"), BB_TEXT("[object object]"),
	BB_TEXT("anonymous"), BB_TEXT("guest"),	    BB_TEXT("unknown"),
	BB_TEXT("test"),      BB_TEXT("true"),	    BB_TEXT("false"),
	BB_TEXT("-1"),
};

static const struct bb_text mailboxes[] = {
	BB_TEXT("test@"),
	BB_TEXT("noreply@"),
	BB_TEXT("no-reply@"),
	BB_TEXT("donotreply@"),
};

/* What a cashier types who is asked for a number; each with a zero before it too. */
static const struct bb_text sequences[] = {
	BB_TEXT("123456"),     BB_TEXT("1234567"),    BB_TEXT("12345678"), BB_TEXT("123456789"),
	BB_TEXT("1234567890"), BB_TEXT("987654"),     BB_TEXT("9876543"),  BB_TEXT("98765432"),
	BB_TEXT("987654321"),  BB_TEXT("9876543210"),
};

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static bool ends(struct bb_text value, struct bb_text suffix)
{
	return value.n >= suffix.n && memcmp(value.p + value.n - suffix.n, suffix.p, suffix.n) == 0;
}

static bool is_one_line(struct bb_text value)
{
	return !memchr(value.p, '\n', value.n);
}

static bool is_word(struct bb_text value)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (value.n == words[i].n && bb_unicode_begins(value, words[i]))
			return true;
	}
	return false;
}

static bool is_zeros(struct bb_text value)
{
	size_t i = 0;

	while (i < value.n && (value.p[i] == '0' || value.p[i] == '-'))
		i++;
	return value.n > 0 && i == value.n;
}

static bool is_placeholder(struct bb_text value)
{
	bool angles = value.n >= 2 && value.p[0] == '<' && value.p[value.n - 1] == '>';
	bool braces = value.n >= 4 && bb_unicode_begins(value, BB_TEXT("{{")) &&
		      ends(value, BB_TEXT("}}"));

	return (angles || braces) && is_one_line(value);
}

static bool is_mailbox(struct bb_text value)
{
	for (size_t i = 0; i < COUNT(mailboxes); i++) {
		if (bb_unicode_begins(value, mailboxes[i]))
			return is_one_line(value);
	}
	return false;
}

/* SHA-256 of nothing: what hashing an empty field gives. */
static bool is_empty_hash(struct bb_text value)
{
	const struct bb_text hash =
		BB_TEXT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

	return value.n == hash.n && bb_unicode_begins(value, hash);
}

/* One code point, four times or more. */
static bool is_repeated(struct bb_text value)
{
	size_t one = 1;

	while (one < value.n && ((unsigned char)value.p[one] & 0xc0) == 0x80)
		one++;
	return value.n % one == 0 && value.n / one >= REPEATS_MIN && value.p[0] != '\n' &&
	       memcmp(value.p, value.p + one, value.n - one) == 0;
}

static bool is_sequence(struct bb_text value)
{
	if (value.n > 0 && value.p[0] == '0')
		value = bb_text_bytes(value.p + 1, value.n - 1);
	for (size_t i = 0; i < COUNT(sequences); i++) {
		if (bb_text_equal(value, sequences[i]))
			return true;
	}
	return false;
}

static const struct rule {
	const char *name;
	bool (*matches)(struct bb_text value);
	bool typed; /* not for owner namespaces, which may have serial numbers like these */
} rules[] = {
	{"junk.word", is_word, false},
	{"junk.zeros", is_zeros, false},
	{"junk.placeholder", is_placeholder, false},
	{"junk.mailbox", is_mailbox, false},
	{"junk.empty_hash", is_empty_hash, false},
	{"junk.repeated", is_repeated, true},
	{"junk.sequence", is_sequence, true},
};

/* What all of them but repetitions begin with, in lower case. */
static const bool begins[UCHAR_MAX + 1] = {
	['n'] = true, ['u'] = true, ['a'] = true, ['g'] = true, ['t'] = true, ['f'] = true,
	['d'] = true, ['e'] = true, ['('] = true, ['['] = true, ['<'] = true, ['{'] = true,
	['-'] = true, ['0'] = true, ['1'] = true, ['9'] = true,
};

/* A look at two bytes spares most values all of the rules. */
static bool may_match(struct bb_text value)
{
	return begins[(unsigned char)bb_unicode_lower_byte(value.p[0])] ||
	       (unsigned char)value.p[0] >= 0x80 || (value.n > 1 && value.p[0] == value.p[1]);
}

static const char *built_in(const struct bb_namespace *ns, struct bb_text value)
{
	if (!may_match(value))
		return NULL;
	for (size_t i = 0; i < COUNT(rules); i++) {
		if (!(rules[i].typed && ns->owner) && rules[i].matches(value))
			return rules[i].name;
	}
	return NULL;
}

const char *bb_normalise_blocked_by(const struct bb_namespace *ns, struct bb_text value,
				    struct bb_arena *arena)
{
	const char *name = NULL;
	char text[32];

	if (value.n == 0)
		return NULL;
	if (ns->junk)
		name = built_in(ns, value);
	for (size_t i = 0; !name && i < ns->block_n; i++) {
		int n;

		if (!bb_pattern_matches(ns->block[i], value))
			continue;
		n = snprintf(text, sizeof(text), "pattern[%zu]", i);
		bb_assert(n > 0 && (size_t)n < sizeof(text));
		name = bb_arena_copy(arena, bb_text_bytes(text, (size_t)n + 1)).p;
	}
	return name;
}
