/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of a text, in a fixed order: prefix off, suffix off, digits only, lower case, mapped to
 * another word, prefix on. What does not apply leaves the text as it is. Nothing fails; a text of
 * which nothing is left is for the caller to drop.
 */
#include <backbone/normalise.h>

#include "run.h"

static struct bb_text strip_prefix(struct bb_text text, struct bb_text prefix)
{
	if (text.n < prefix.n || memcmp(text.p, prefix.p, prefix.n) != 0)
		return text;
	return bb_text_bytes(text.p + prefix.n, text.n - prefix.n);
}

static struct bb_text strip_suffix(struct bb_text text, struct bb_text suffix)
{
	if (text.n < suffix.n || memcmp(text.p + text.n - suffix.n, suffix.p, suffix.n) != 0)
		return text;
	return bb_text_bytes(text.p, text.n - suffix.n);
}

static struct bb_text only_digits(struct bb_text text, struct bb_arena *arena)
{
	char *out = bb_arena_alloc(arena, text.n);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] >= '0' && text.p[i] <= '9')
			out[n++] = text.p[i];
	return bb_text_bytes(out, n);
}

/* As the normaliser `lower` of namespaces; letters of ASCII only in a text that is too long for it.
 */
static struct bb_text to_lower(struct bb_text text, struct bb_arena *arena)
{
	static const struct bb_namespace lower = {.name = "", .normaliser = BB_NORMALISE_LOWER};
	struct bb_text result;
	char *out;

	if (bb_normalise(&lower, text, arena, &result))
		return result;
	out = bb_arena_alloc(arena, text.n);
	for (size_t i = 0; i < text.n; i++)
		out[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] - 'A' + 'a')
							      : text.p[i];
	return bb_text_bytes(out, text.n);
}

static struct bb_text mapped(struct bb_text text, const struct bb_pairs *map)
{
	for (size_t i = 0; i < map->n; i++)
		if (bb_text_equal(text, map->items[i].from))
			return map->items[i].to;
	return text;
}

struct bb_text bb_change_join(const struct bb_text *parts, size_t n, struct bb_arena *arena)
{
	size_t bytes = 0;
	char *start, *out;

	for (size_t i = 0; i < n; i++)
		bytes += parts[i].n;
	start = out = bb_arena_alloc(arena, bytes);
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n > 0)
			memcpy(out, parts[i].p, parts[i].n);
		out += parts[i].n;
	}
	return bb_text_bytes(start, bytes);
}

struct bb_text bb_change_apply(const struct bb_change *change, struct bb_text text,
			       struct bb_arena *arena)
{
	if (change->strip_prefix.p)
		text = strip_prefix(text, change->strip_prefix);
	if (change->strip_suffix.p)
		text = strip_suffix(text, change->strip_suffix);
	if (change->digits)
		text = only_digits(text, arena);
	if (change->lower && text.n > 0)
		text = to_lower(text, arena);
	text = mapped(text, &change->map);
	if (change->prepend.p && text.n > 0)
		text = bb_change_join((struct bb_text[]){change->prepend, text}, 2, arena);
	return text;
}
