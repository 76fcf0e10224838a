/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of fields as words: `customerId`, `customer_id`, `Customer-ID` and `customer.id` are all
 * `customer` and `id`. Cannot fail; of very long paths the first words count.
 */
#include "suggest.h"

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c & 0x80);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether a word begins at i > 0: aB, and the last capital of ABc. */
static bool begins(struct bb_text name, size_t i)
{
	if (!is_upper(name.p[i]))
		return false;
	return is_lower(name.p[i - 1]) || is_digit(name.p[i - 1]) ||
	       (is_upper(name.p[i - 1]) && i + 1 < name.n && is_lower(name.p[i + 1]));
}

static void add(struct bb_suggest_words *words, struct bb_text word, struct bb_arena *arena)
{
	char *out;

	if (word.n == 0 || words->n == BB_SUGGEST_WORDS)
		return;
	out = bb_arena_alloc(arena, word.n);
	for (size_t i = 0; i < word.n; i++)
		out[i] = is_upper(word.p[i]) ? (char)(word.p[i] - 'A' + 'a') : word.p[i];
	words->items[words->n++] = bb_text_bytes(out, word.n);
}

void bb_words_add(struct bb_suggest_words *words, struct bb_text name, struct bb_arena *arena)
{
	size_t from = 0;

	for (size_t i = 0; i <= name.n; i++) {
		bool is_part = i < name.n &&
			       (is_upper(name.p[i]) || is_lower(name.p[i]) || is_digit(name.p[i]));

		if (is_part && !(i > from && begins(name, i)))
			continue;
		add(words, bb_text_bytes(name.p + from, i - from), arena);
		from = is_part ? i : i + 1;
	}
}

/* The next word of a list with spaces between; p NULL: none. */
static struct bb_text next(const char **list)
{
	struct bb_text word = {*list, strcspn(*list, " ")};

	if (word.n == 0)
		return (struct bb_text){NULL, 0};
	*list += word.n + ((*list)[word.n] == ' ');
	return word;
}

bool bb_words_any(const struct bb_suggest_words *words, size_t from, const char *list)
{
	struct bb_text word;

	while ((word = next(&list)).p)
		for (size_t i = from; i < words->n; i++)
			if (bb_text_equal(words->items[i], word))
				return true;
	return false;
}

static bool are(const struct bb_suggest_words *words, size_t from, struct bb_text joined)
{
	for (size_t i = from; i < words->n; i++) {
		struct bb_text word = words->items[i];

		if (joined.n < word.n || memcmp(joined.p, word.p, word.n) != 0)
			return false;
		joined = bb_text_bytes(joined.p + word.n, joined.n - word.n);
		if (i + 1 < words->n) {
			if (joined.n == 0 || joined.p[0] != '_')
				return false;
			joined = bb_text_bytes(joined.p + 1, joined.n - 1);
		}
	}
	return joined.n == 0 && from < words->n;
}

bool bb_words_are(const struct bb_suggest_words *words, size_t from, const char *list)
{
	struct bb_text joined;

	while ((joined = next(&list)).p)
		if (are(words, from, joined))
			return true;
	return false;
}
