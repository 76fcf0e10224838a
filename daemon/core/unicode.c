/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicode for canonical values. Nearly every value is ASCII: a scan says so eight bytes at a time,
 * and nothing else here is called then but stripping and the lower-case loop for ASCII. The rest
 * asks utf8proc for properties, decomposition and simple case mappings.
 *
 * Only bb_unicode_scan meets bytes that may be wrong; the others rely on it, and assert.
 */
#include "unicode.h"

#include <backbone/assert.h>
#include <utf8proc.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define FIRST_COMBINING 0x300 /* what is below is its own normal form C */

#define CAPITAL_I_DOT 0x130
#define COMBINING_DOT 0x307
#define CAPITAL_SIGMA 0x3a3
#define SMALL_SIGMA 0x3c3
#define FINAL_SIGMA 0x3c2
#define NOT_A_FINAL "\xe1\x86\xa7" /* U+11A7 */

struct range {
	int32_t first, last;
};

static const struct range blanks[] = {
	/* White_Space and Cc, sorted */
	{0x00, 0x20},	  {0x7f, 0xa0},	    {0x1680, 0x1680}, {0x2000, 0x200a},
	{0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* Word_Break of MidLetter, MidNumLet and Single_Quote: within a word, like marks and formats. */
static const struct range mid_word[] = {
	{0x27, 0x27},	  {0x2e, 0x2e},	    {0x3a, 0x3a},     {0xb7, 0xb7},
	{0x387, 0x387},	  {0x55f, 0x55f},   {0x5f4, 0x5f4},   {0x2018, 0x2019},
	{0x2024, 0x2024}, {0x2027, 0x2027}, {0xfe13, 0xfe13}, {0xfe52, 0xfe52},
	{0xfe55, 0xfe55}, {0xff07, 0xff07}, {0xff0e, 0xff0e}, {0xff1a, 0xff1a},
};

/* Cased though no letter of a case by category, as far as they are not case-ignorable. */
static const struct range other_cased[] = {
	{0xaa, 0xaa},	    {0xba, 0xba},	{0x2160, 0x217f},   {0x24b6, 0x24e9},
	{0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189},
};

#define IN_RANGES(ranges, cp) in_ranges((ranges), sizeof(ranges) / sizeof(*(ranges)), (cp))

static bool in_ranges(const struct range *ranges, size_t n, int32_t cp)
{
	for (size_t i = 0; i < n && ranges[i].first <= cp; i++) {
		if (cp <= ranges[i].last)
			return true;
	}
	return false;
}

/* Bytes of the code point that `lead` begins; 0: it begins none. */
static size_t length_of(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2)
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

/* The code point at the start of `text` (not empty); its length in bytes, or 0 if it is broken. */
static size_t decode(struct bb_text text, int32_t *ret_cp)
{
	static const int32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text.p;
	size_t length = length_of(p[0]);
	int32_t cp = p[0];

	if (length == 0 || length > text.n)
		return 0;
	if (length > 1)
		cp &= 0xff >> (length + 1);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if (cp < least[length] || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return length;
}

static struct bb_text after(struct bb_text text, size_t n)
{
	return (struct bb_text){text.p + n, text.n - n};
}

static size_t ascii_prefix(struct bb_text text)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= text.n; i += sizeof(word)) {
		memcpy(&word, text.p + i, sizeof(word));
		if (word & HIGH_BITS)
			break;
	}
	while (i < text.n && (unsigned char)text.p[i] < 0x80)
		i++;
	return i;
}

enum bb_unicode_class bb_unicode_scan(struct bb_text text)
{
	enum bb_unicode_class class = BB_UNICODE_ASCII;
	size_t i = ascii_prefix(text), length;
	int32_t cp;

	for (; i < text.n; i += length) {
		length = decode(after(text, i), &cp);
		if (length == 0)
			return BB_UNICODE_INVALID;
		if (cp >= FIRST_COMBINING)
			class = BB_UNICODE_OTHER;
		else if (cp >= 0x80 && class == BB_UNICODE_ASCII)
			class = BB_UNICODE_COMPOSED;
	}
	return class;
}

static int32_t decode_valid(struct bb_text text, size_t *ret_length)
{
	int32_t cp = 0;

	*ret_length = decode(text, &cp);
	bb_assert(*ret_length > 0);
	return cp;
}

/* Of ASCII, and no blank. */
static bool is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

struct bb_text bb_unicode_strip(struct bb_text text)
{
	size_t length;

	while (text.n > 0 && !is_visible(text.p[0]) &&
	       IN_RANGES(blanks, decode_valid(text, &length)))
		text = after(text, length);
	while (text.n > 0 && !is_visible(text.p[text.n - 1])) {
		size_t last = text.n - 1;

		while (last > 0 && ((unsigned char)text.p[last] & 0xc0) == 0x80)
			last--;
		if (!IN_RANGES(blanks, decode_valid(after(text, last), &length)))
			break;
		text.n = last;
	}
	return text;
}

bool bb_unicode_has_blank(struct bb_text text)
{
	size_t length;

	for (; text.n > 0; text = after(text, length)) {
		if (IN_RANGES(blanks, decode_valid(text, &length)))
			return true;
	}
	return false;
}

/* In place of `points`, which has room for twice as many as `text` has bytes, and one more. */
static size_t compose(struct bb_text text, utf8proc_int32_t *points)
{
	const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_ssize_t room = (utf8proc_ssize_t)(2 * text.n), n;

	n = utf8proc_decompose((const utf8proc_uint8_t *)text.p, (utf8proc_ssize_t)text.n, points,
			       room, options);
	bb_assert(n >= 0 && n <= room);
	n = utf8proc_reencode(points, n, options);
	bb_assert(n >= 0);
	return (size_t)n;
}

/*
 * utf8proc 2.8 takes U+11A7 for a final consonant, and drops it after a Hangul syllable. Nothing
 * composes with it, so that composing what stands before and after it gives the same.
 */
struct bb_text bb_unicode_compose(struct bb_text text, struct bb_arena *arena)
{
	utf8proc_int32_t *points = bb_arena_alloc(arena, (2 * text.n + 1) * sizeof(*points));
	char *out = bb_arena_alloc(arena, 3 * text.n); /* no text grows more */
	size_t n = 0;

	while (text.n > 0) {
		const char *odd = memmem(text.p, text.n, NOT_A_FINAL, strlen(NOT_A_FINAL));
		size_t before = odd ? (size_t)(odd - text.p) : text.n, composed;

		composed = compose((struct bb_text){text.p, before}, points);
		memcpy(out + n, points, composed);
		n += composed;
		text = after(text, before);
		if (odd) {
			memcpy(out + n, odd, strlen(NOT_A_FINAL));
			n += strlen(NOT_A_FINAL);
			text = after(text, strlen(NOT_A_FINAL));
		}
	}
	return (struct bb_text){out, n};
}

/* In terms of Final_Sigma of the Unicode standard, chapter 3.13. */
static bool is_case_ignorable(int32_t cp)
{
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_SK:
		return true;
	default:
		return IN_RANGES(mid_word, cp);
	}
}

static bool is_cased(int32_t cp)
{
	switch (utf8proc_category(cp)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
		return true;
	default:
		return IN_RANGES(other_cased, cp);
	}
}

static bool cased_before(struct bb_text text, size_t i)
{
	size_t length;

	while (i > 0) {
		int32_t cp;

		do
			i--;
		while (((unsigned char)text.p[i] & 0xc0) == 0x80);
		cp = decode_valid(after(text, i), &length);
		if (!is_case_ignorable(cp))
			return is_cased(cp);
	}
	return false;
}

static bool cased_after(struct bb_text text)
{
	size_t length;

	for (; text.n > 0; text = after(text, length)) {
		int32_t cp = decode_valid(text, &length);

		if (!is_case_ignorable(cp))
			return is_cased(cp);
	}
	return false;
}

struct bb_text bb_unicode_lower(struct bb_text text, struct bb_arena *arena)
{
	/* The longest growth is from two bytes to three. */
	utf8proc_uint8_t *out = bb_arena_alloc(arena, 2 * text.n + 4);
	size_t n = 0, length;

	for (size_t i = 0; i < text.n; i += length) {
		int32_t cp = decode_valid(after(text, i), &length);

		if (cp == CAPITAL_I_DOT) {
			out[n++] = 'i';
			cp = COMBINING_DOT;
		} else if (cp == CAPITAL_SIGMA) {
			bool final = cased_before(text, i) && !cased_after(after(text, i + length));

			cp = final ? FINAL_SIGMA : SMALL_SIGMA;
		} else {
			cp = utf8proc_tolower(cp);
		}
		n += (size_t)utf8proc_encode_char(cp, out + n);
	}
	bb_assert(n <= 2 * text.n);
	return bb_text_bytes(out, n);
}

struct bb_text bb_unicode_lower_ascii(struct bb_text text, struct bb_arena *arena)
{
	size_t i = 0;
	char *out;

	while (i < text.n && bb_unicode_lower_byte(text.p[i]) == text.p[i])
		i++;
	if (i == text.n)
		return text;
	out = bb_arena_alloc(arena, text.n);
	memcpy(out, text.p, i);
	for (; i < text.n; i++)
		out[i] = bb_unicode_lower_byte(text.p[i]);
	return (struct bb_text){out, text.n};
}
