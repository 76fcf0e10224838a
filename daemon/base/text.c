/* SPDX-License-Identifier: Apache-2.0 */
/* Checks and conversions of text that several modules make. Pure; cannot fail. */
#include <backbone/text.h>

/* How many bytes the sequence at `p` has by its first two bytes, or 0 if they cannot begin one.
 * `n` is what is left. */
static size_t sequence_bytes(const unsigned char *p, size_t n)
{
	unsigned char second = n > 1 ? p[1] : 0;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		return 2;
	if (p[0] == 0xe0)
		return second >= 0xa0 ? 3 : 0;
	if (p[0] == 0xed)
		return second <= 0x9f ? 3 : 0;
	if (p[0] >= 0xe1 && p[0] <= 0xef)
		return 3;
	if (p[0] == 0xf0)
		return second >= 0x90 ? 4 : 0;
	if (p[0] >= 0xf1 && p[0] <= 0xf3)
		return 4;
	return p[0] == 0xf4 && second <= 0x8f ? 4 : 0;
}

/* How many bytes in front are ASCII. */
static size_t ascii_bytes(const unsigned char *p, size_t n)
{
	uint64_t word;
	size_t i = 0;

	for (; n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

bool bb_text_is_utf8(struct bb_text text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t i = ascii_bytes(p, text.n);

	while (i < text.n) {
		size_t n = sequence_bytes(p + i, text.n - i);

		if (n == 0 || n > text.n - i)
			return false;
		for (size_t k = 1; k < n; k++)
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
		i += n;
	}
	return true;
}

size_t bb_text_put_utf8(unsigned code, char out[4])
{
	unsigned tails = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};

	out[0] = (char)(heads[tails] | code >> 6 * tails);
	for (unsigned i = 1; i <= tails; i++)
		out[i] = (char)(0x80 | (code >> 6 * (tails - i) & 0x3f));
	return tails + 1;
}

bool bb_text_unhex(struct bb_text text, void *out, size_t n)
{
	uint8_t *bytes = out;

	if (text.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = bb_text_hex_digit(text.p[2 * i]);
		int low = bb_text_hex_digit(text.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
