/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of Unicode that canonical values need, over utf8proc. Private to `core`. Text is UTF-8
 * throughout; all but bb_unicode_scan want it valid. Pure and thread-safe.
 */
#ifndef BACKBONE_CORE_UNICODE_H
#define BACKBONE_CORE_UNICODE_H

#include <backbone/arena.h>

/* What a scan finds. COMPOSED: all below U+0300, so already in normal form C. */
enum bb_unicode_class {
	BB_UNICODE_INVALID,
	BB_UNICODE_ASCII,
	BB_UNICODE_COMPOSED,
	BB_UNICODE_OTHER,
};

/* Refuses overlong forms, surrogates and what is beyond U+10FFFF. */
enum bb_unicode_class bb_unicode_scan(struct bb_text text);

static inline bool bb_unicode_valid(struct bb_text text)
{
	return bb_unicode_scan(text) != BB_UNICODE_INVALID;
}

/* Without surrounding White_Space and control characters (Cc); a slice of `text`. */
struct bb_text bb_unicode_strip(struct bb_text text);

/* Is there White_Space or a control character anywhere? */
bool bb_unicode_has_blank(struct bb_text text);

/* Normal form C, in the arena. The time is quadratic in runs of combining marks: bound `text`. */
struct bb_text bb_unicode_compose(struct bb_text text, struct bb_arena *arena);

/*
 * The default full lower-case mapping (no language's own): U+0130 becomes two code points, a
 * capital sigma that ends a word the final one. `text` itself, or in the arena.
 */
struct bb_text bb_unicode_lower(struct bb_text text, struct bb_arena *arena);
struct bb_text bb_unicode_lower_ascii(struct bb_text text, struct bb_arena *arena);

static inline char bb_unicode_lower_byte(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Does `text` begin with `prefix`, which is lower-case ASCII, whatever the case and the locale? */
static inline bool bb_unicode_begins(struct bb_text text, struct bb_text prefix)
{
	size_t i = 0;

	if (text.n < prefix.n)
		return false;
	while (i < prefix.n && bb_unicode_lower_byte(text.p[i]) == prefix.p[i])
		i++;
	return i == prefix.n;
}

#endif
