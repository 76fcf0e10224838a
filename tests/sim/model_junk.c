/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is never an identifier: words that programs write for nothing, zeros, placeholders, test
 * mailboxes, the hash of nothing; for namespaces that are no owner's also what a cashier types:
 * one character again and again, runs of digits. And the namespace's own patterns.
 */
#include "model_state.h"

#include <backbone/normalise.h>

#include <strings.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool is_word(struct bb_text value)
{
	static const char *const words[] = {
		"null",
		"nil",
		"none",
		"undefined",
		"nan",
		"na",
		"n/a",
		"(not set)",
		"[object object]",
		"anonymous",
		"guest",
		"unknown",
		"test",
		"true",
		"false",
		"-1",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (strlen(words[i]) == value.n && strncasecmp(words[i], value.p, value.n) == 0)
			return true;
	return false;
}

static bool is_zeros(struct bb_text value)
{
	size_t i = 0;

	while (i < value.n && (value.p[i] == '0' || value.p[i] == '-'))
		i++;
	return value.n > 0 && i == value.n;
}

static bool is_between(struct bb_text value, const char *open, const char *close)
{
	size_t n = strlen(open);

	return value.n >= 2 * n && memcmp(value.p, open, n) == 0 &&
	       memcmp(value.p + value.n - n, close, n) == 0;
}

static bool is_test_mailbox(struct bb_text value)
{
	static const char *const boxes[] = {"test@", "noreply@", "no-reply@", "donotreply@"};

	for (size_t i = 0; i < COUNT(boxes); i++)
		if (value.n >= strlen(boxes[i]) &&
		    strncasecmp(boxes[i], value.p, strlen(boxes[i])) == 0)
			return true;
	return false;
}

static bool is_one_character(struct bb_text value)
{
	size_t first = 1;

	while (first < value.n && ((unsigned char)value.p[first] & 0xc0) == 0x80)
		first++;
	if (value.n < 4 * first)
		return false;
	for (size_t i = first; i < value.n; i++)
		if (value.p[i] != value.p[i - first])
			return false;
	return value.n % first == 0;
}

static bool is_run(struct bb_text value)
{
	static const char *const runs[] = {"1234567890", "9876543210"};

	if (value.n > 0 && value.p[0] == '0') {
		value.p++;
		value.n--;
	}
	for (size_t i = 0; i < COUNT(runs); i++)
		if (value.n >= 6 && value.n <= 10 && memcmp(runs[i], value.p, value.n) == 0)
			return true;
	return false;
}

bool bb_model_junk(const struct bb_namespace *ns, struct bb_text value)
{
	for (size_t i = 0; i < ns->block_n; i++)
		if (bb_pattern_matches(ns->block[i], value))
			return true;
	if (!ns->junk)
		return false;
	if (is_word(value) || is_zeros(value) || is_between(value, "<", ">") ||
	    is_between(value, "{{", "}}") || is_test_mailbox(value))
		return true;
	return !ns->owner && (is_one_character(value) || is_run(value));
}
