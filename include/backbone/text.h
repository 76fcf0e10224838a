/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text slices: pointer and length, borrowed, not terminated, any bytes. The owner of the bytes (an
 * arena, a message, a mapped page) says how long a slice lives.
 */
#ifndef BACKBONE_TEXT_H
#define BACKBONE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bb_text {
	const char *p;
	size_t n; /* bytes */
};

#define BB_TEXT(literal) ((struct bb_text){(literal), sizeof(literal) - 1})

static inline struct bb_text bb_text_of(const char *s)
{
	return (struct bb_text){s, s ? strlen(s) : 0};
}

static inline struct bb_text bb_text_bytes(const void *p, size_t n)
{
	return (struct bb_text){p, n};
}

static inline bool bb_text_equal(struct bb_text a, struct bb_text b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* By bytes, a prefix first: <0, 0, >0. The order of UTF-8 bytes is the order of code points. */
static inline int bb_text_compare(struct bb_text a, struct bb_text b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	return d ? d : (a.n > b.n) - (a.n < b.n);
}

/* The value of a hexadecimal digit of either case; -1: it is none. */
static inline int bb_text_hex_digit(char c)
{
	char lower = (char)(c | 0x20);

	if (c >= '0' && c <= '9')
		return c - '0';
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Digits as `n` bytes. False: they are not two for each. */
bool bb_text_unhex(struct bb_text text, void *out, size_t n);

/* Writes a code point in UTF-8: how many bytes. Half of a surrogate pair is written like any. */
size_t bb_text_put_utf8(unsigned code, char out[4]);

/* Valid UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF. Empty text is. */
bool bb_text_is_utf8(struct bb_text text);

#endif
