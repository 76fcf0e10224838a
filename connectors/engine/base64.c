/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 of either alphabet, with or without padding and line ends: three bytes of every four
 * characters.
 *
 * Fails at another character, and where a single character is left.
 */
#include "base64.h"

static int digit_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

bool bb_base64_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_bytes)
{
	char *out = bb_arena_alloc(arena, text.n / 4 * 3 + 3);
	size_t n = 0, digits = 0;
	unsigned bits = 0;
	int digit;

	while (text.n > 0 && (text.p[text.n - 1] == '=' || is_line_end(text.p[text.n - 1])))
		text.n--;
	for (size_t i = 0; i < text.n; i++) {
		if (is_line_end(text.p[i]))
			continue;
		digit = digit_of((unsigned char)text.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (unsigned)digit;
		digits++;
		if (digits % 4 != 1)
			out[n++] = (char)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	if (digits % 4 == 1)
		return false;
	*ret_bytes = bb_text_bytes(out, n);
	return true;
}
