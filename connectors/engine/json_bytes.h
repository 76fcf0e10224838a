/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of a document, many at a step: 16 where the processor has SSE2 (every x86-64 has), else 8
 * in a register. Nothing is read at or behind `end`. Private to the engine.
 */
#ifndef BB_JSON_BYTES_H
#define BB_JSON_BYTES_H

#include <backbone/event.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define BB_JSON_ONES UINT64_C(0x0101010101010101)
#define BB_JSON_TOPS UINT64_C(0x8080808080808080)

/* Ends a run of ordinary characters in a text. */
static inline bool bb_json_is_special(unsigned char b)
{
	return b < 0x20 || b == '"' || b == '\\' || b >= 0x80;
}

static inline uint64_t bb_json_load8(const void *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint32_t bb_json_load4(const void *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Top bits of the bytes that are zero; above the first such byte there may be more. */
static inline uint64_t bb_json_zeros(uint64_t word)
{
	return (word - BB_JSON_ONES) & ~word & BB_JSON_TOPS;
}

/* The first special byte, or `end`. */
static inline const unsigned char *bb_json_skip_plain(const unsigned char *p,
						      const unsigned char *end)
{
#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)); /* signed: from 0x80 too */
		__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
		__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
		int found = _mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash)));

		if (found)
			return p + __builtin_ctz((unsigned)found);
		p += 16;
	}
#else
	while (end - p >= 8) {
		uint64_t v = bb_json_load8(p);
		uint64_t low = (v - 0x20 * BB_JSON_ONES) & ~v;

		if (((v | low) & BB_JSON_TOPS) | bb_json_zeros(v ^ '"' * BB_JSON_ONES) |
		    bb_json_zeros(v ^ '\\' * BB_JSON_ONES))
			break;
		p += 8;
	}
#endif
	while (p < end && !bb_json_is_special(*p))
		p++;
	return p;
}

static inline bool bb_json_is_space(unsigned char b)
{
	return b == ' ' || b == '\n' || b == '\t' || b == '\r';
}

/* The first byte that is no space, or `end`. */
static inline const unsigned char *bb_json_skip_space(const unsigned char *p,
						      const unsigned char *end)
{
	if (p<end && * p> ' ')
		return p;
	if (end - p >= 2 && *p == ' ' && p[1] > ' ')
		return p + 1;
#ifdef __SSE2__
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i blank = _mm_cmpeq_epi8(v, _mm_set1_epi8(' '));
		__m128i feed = _mm_cmpeq_epi8(v, _mm_set1_epi8('\n'));
		__m128i tab = _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'));
		__m128i back = _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'));
		unsigned other = (unsigned)_mm_movemask_epi8(_mm_or_si128(
					 _mm_or_si128(blank, feed), _mm_or_si128(tab, back))) ^
				 0xffff;

		if (other)
			return p + __builtin_ctz(other);
		p += 16;
	}
#endif
	while (p < end && bb_json_is_space(*p))
		p++;
	return p;
}

/* The first and the last bytes of a key: of one of at most 16, all there are. */
struct bb_json_ends {
	uint64_t first, last;
};

static inline struct bb_json_ends bb_json_ends(struct bb_text key)
{
	const char *p = key.p;
	size_t n = key.n;

	if (n >= 8)
		return (struct bb_json_ends){bb_json_load8(p), bb_json_load8(p + n - 8)};
	if (n >= 4)
		return (struct bb_json_ends){bb_json_load4(p), bb_json_load4(p + n - 4)};
	if (n > 0)
		return (struct bb_json_ends){(unsigned char)p[0],
					     (uint64_t)(unsigned char)p[n / 2] << 8 |
						     (unsigned char)p[n - 1]};
	return (struct bb_json_ends){0, 0};
}

/* Whether two keys are equal; most are short. */
static inline bool bb_json_same(struct bb_text a, struct bb_text b)
{
	struct bb_json_ends x, y;

	if (a.n != b.n)
		return false;
	if (a.n > 16)
		return bb_text_equal(a, b);
	x = bb_json_ends(a);
	y = bb_json_ends(b);
	return x.first == y.first && x.last == y.last;
}

/*
 * 32 bits that tell keys apart quickly: of their length and their first and last eight bytes. Keys
 * with one tag may differ.
 */
static inline uint32_t bb_json_tag(struct bb_text key)
{
	struct bb_json_ends ends = bb_json_ends(key);
	uint64_t h = (ends.first + key.n) * UINT64_C(0x9e3779b97f4a7c15) ^
		     ends.last * UINT64_C(0xc2b2ae3d27d4eb4f);

	h ^= h >> 31;
	return (uint32_t)(h * UINT64_C(0xd6e8feb86659fd93) >> 32);
}

/* Bytes of the well-formed UTF-8 sequence at `p` (p < end), or 0. */
size_t bb_json_utf8(const unsigned char *p, const unsigned char *end);

/* The first byte that is not UTF-8, or text.n. */
size_t bb_json_bad_utf8(struct bb_text text);

/* The bytes between the quotes of a text that was read, its escapes decoded, in the arena. */
struct bb_text bb_json_decode(const unsigned char *p, const unsigned char *end,
			      struct bb_arena *arena);

/* The four hexadecimal digits at `p`, or -1. */
int bb_json_hex4(const unsigned char *p, const unsigned char *end);

/*
 * Whether a number is within ±1e±9999 in its power of ten: digits from `digits`, mantissa until
 * `mantissa_end`, where an exponent may follow until `end`.
 */
bool bb_json_in_range(const unsigned char *digits, const unsigned char *mantissa_end,
		      const unsigned char *end);

/* Refuses what is larger than a message may be, or begins with a byte order mark. */
bool bb_json_outside(struct bb_text bytes, struct bb_refusal *ret_refusal);

/* A line without the line feed at its end, nor the carriage return before that. */
struct bb_text bb_json_without_line_end(struct bb_text line);

#endif
