/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rules of a moment make of what comes: which namespaces there are, and the canonical
 * forms of values, as far as the cases have such: spaces around, capitals of ASCII and of Latin-1,
 * digits.
 */
#include "model_state.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static struct bb_text trim(struct bb_text value)
{
	while (value.n > 0 && is_space(value.p[0]))
		value = (struct bb_text){value.p + 1, value.n - 1};
	while (value.n > 0 && is_space(value.p[value.n - 1]))
		value.n--;
	return value;
}

static struct bb_text lower(struct bb_text value, struct bb_arena *arena)
{
	struct bb_text copy = bb_arena_copy(arena, value);
	unsigned char *out = (unsigned char *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if (out[i] >= 'A' && out[i] <= 'Z')
			out[i] += 'a' - 'A';
		else if (i > 0 && out[i - 1] == 0xc3 && out[i] >= 0x80 && out[i] <= 0x9e)
			out[i] += 0x20;
	return copy;
}

static struct bb_text digits(struct bb_text value, struct bb_arena *arena)
{
	char *out = bb_arena_alloc(arena, value.n);
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] >= '0' && value.p[i] <= '9')
			out[n++] = value.p[i];
	return (struct bb_text){out, n};
}

bool bb_model_form(const struct bb_rules *rules, const struct bb_identifier *id,
		   struct bb_arena *arena, struct bb_text *ret_value)
{
	struct bb_text value = id->value;
	uint16_t ns = 0;

	while (ns < rules->namespace_n &&
	       !bb_text_equal(bb_text_of(rules->namespaces[ns].name), id->ns))
		ns++;
	if (ns == rules->namespace_n)
		return false;
	if (rules->namespaces[ns].normaliser == BB_NORMALISE_TRIM)
		value = trim(value);
	else if (rules->namespaces[ns].normaliser == BB_NORMALISE_LOWER)
		value = lower(trim(value), arena);
	else if (rules->namespaces[ns].normaliser == BB_NORMALISE_DIGITS)
		value = digits(value, arena);
	*ret_value = value;
	return value.n > 0;
}

struct bb_event *bb_model_seen(const struct bb_rules *rules, const struct bb_event *ev,
			       struct bb_arena *arena)
{
	struct bb_event *seen = bb_arena_alloc(arena, sizeof *seen);
	size_t n = ev->identifier_n + 2 * ev->same_n;

	*seen = *ev;
	seen->identifiers = bb_arena_alloc(arena, n * sizeof *seen->identifiers);
	seen->same = bb_arena_alloc(arena, ev->same_n * sizeof *seen->same);
	seen->identifier_n = seen->same_n = 0;
	for (size_t i = 0; i < ev->identifier_n; i++) {
		struct bb_identifier id = ev->identifiers[i];

		if (bb_model_form(rules, &id, arena, &id.value))
			seen->identifiers[seen->identifier_n++] = id;
	}
	for (size_t i = 0; i < ev->same_n; i++) {
		struct bb_same same = ev->same[i];
		unsigned known = 0;

		for (int end = 0; end < 2; end++)
			if (bb_model_form(rules, &same.pair[end], arena, &same.pair[end].value)) {
				seen->identifiers[seen->identifier_n++] = same.pair[end];
				known++;
			}
		if (known == 2)
			seen->same[seen->same_n++] = same;
	}
	return seen;
}
