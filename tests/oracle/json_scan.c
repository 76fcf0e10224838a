/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One strict pass over a document: grammar, UTF-8, escapes, depth, size and the range of numbers.
 * On the way it writes a copy in which every number is its index, so that the tree made of the copy
 * by a general parser never turns a number into a double; the exact text is the slice with that
 * index. Containers are recursive; the depth is limited before the stack could be.
 *
 * It fails at the first thing that is not of the form, with the reason and the offset of the first
 * byte of what is wrong. Duplicate keys are the one thing left to the tree, which has to look them
 * up anyway.
 */
#include "json_scan.h"

#define EXPONENT_CAP                                                                               \
	INT64_C(1000000000) /* far beyond any allowed one; keeps sums from overflow                \
			     */

struct cursor {
	struct bb_json_scan *scan;
	const unsigned char *start, *p, *end;
	const unsigned char *copied; /* what is before it is in the copy */
	unsigned depth;
	struct bb_refusal *refusal;
};

static bool scan_value(struct cursor *c);

static bool refuse(struct bb_refusal *refusal, enum bb_dead_reason reason, int64_t offset,
		   const char *detail)
{
	*refusal = (struct bb_refusal){
		.reason = reason,
		.detail = bb_text_of(detail),
		.byte_offset = offset,
	};
	return false;
}

static bool fail(struct cursor *c, enum bb_dead_reason reason, const unsigned char *at,
		 const char *detail)
{
	return refuse(c->refusal, reason, at - c->start, detail);
}

/* Bytes that end a run of ordinary characters in a string. */
static bool is_special(unsigned char b)
{
	return b < 0x20 || b == '"' || b == '\\' || b >= 0x80;
}

static bool is_digit(unsigned char b)
{
	return b >= '0' && b <= '9';
}

static bool is_tail(const unsigned char *p, const unsigned char *end, size_t i)
{
	return p + i < end && (p[i] & 0xc0) == 0x80;
}

size_t bb_json_scan_utf8(const unsigned char *p, const unsigned char *end)
{
	if (*p < 0x80)
		return 1;
	if (*p >= 0xc2 && *p <= 0xdf)
		return is_tail(p, end, 1) ? 2 : 0;
	if (!is_tail(p, end, 1))
		return 0;
	if (*p >= 0xe0 && *p <= 0xef) { /* neither overlong nor a surrogate */
		if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f))
			return 0;
		return is_tail(p, end, 2) ? 3 : 0;
	}
	if (*p >= 0xf0 && *p <= 0xf4) { /* neither overlong nor above U+10FFFF */
		if ((*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
			return 0;
		return is_tail(p, end, 2) && is_tail(p, end, 3) ? 4 : 0;
	}
	return 0;
}

bool bb_json_scan_outside(struct bb_text bytes, struct bb_refusal *ret_refusal)
{
	const unsigned char *p = (const unsigned char *)bytes.p;

	if (bytes.n > BB_MESSAGE_BYTES_MAX)
		return refuse(ret_refusal, BB_DEAD_TOO_LARGE, BB_MESSAGE_BYTES_MAX,
			      "larger than 256 KiB");
	if (bytes.n >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
		return refuse(ret_refusal, BB_DEAD_BYTE_ORDER_MARK, 0,
			      "begins with a byte order mark; send UTF-8 without it");
	if (bytes.n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return refuse(ret_refusal, BB_DEAD_BYTE_ORDER_MARK, 0,
			      "begins with the byte order mark of UTF-16; send UTF-8");
	return true;
}

/* What stands at the cursor is not what the grammar wants there. */
static bool unexpected(struct cursor *c, const char *detail)
{
	if (c->p == c->end)
		return fail(c, BB_DEAD_INVALID_JSON, c->p, "ends in the middle of a value");
	if (*c->p >= 0x80 && bb_json_scan_utf8(c->p, c->end) == 0)
		return fail(c, BB_DEAD_INVALID_UTF8, c->p, "not UTF-8");
	return fail(c, BB_DEAD_INVALID_JSON, c->p, detail);
}

static void skip_space(struct cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

static bool take(struct cursor *c, unsigned char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

/* The four digits of \uXXXX at `p`, or -1. */
static int hex4(const unsigned char *p, const unsigned char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char b = p[i], lower = b | 0x20;

		if (is_digit(b))
			value = value * 16 + (b - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* \uXXXX, the backslash at `at`; the second half of a pair is taken with the first. */
static bool scan_unicode_escape(struct cursor *c, const unsigned char *at, bool key)
{
	int unit = hex4(at + 2, c->end), low;

	if (unit < 0)
		return fail(c, BB_DEAD_INVALID_JSON, at, "\\u without four hexadecimal digits");
	if (unit == 0 && key)
		return fail(c, BB_DEAD_INVALID_JSON, at, "the name of a member contains \\u0000");
	c->p = at + 6;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	low = unit < 0xdc00 && c->end - c->p >= 6 && c->p[0] == '\\' && c->p[1] == 'u'
		      ? hex4(c->p + 2, c->end)
		      : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(c, BB_DEAD_LONE_SURROGATE, at, "half of a surrogate pair");
	c->p += 6;
	return true;
}

static bool scan_escape(struct cursor *c, bool key)
{
	const unsigned char *at = c->p;

	if (c->end - at < 2)
		return fail(c, BB_DEAD_INVALID_JSON, c->end, "ends in the middle of a value");
	if (at[1] == 'u')
		return scan_unicode_escape(c, at, key);
	if (!strchr("\"\\/bfnrt", at[1]) || at[1] == '\0')
		return fail(c, BB_DEAD_INVALID_JSON, at, "unknown escape");
	c->p += 2;
	return true;
}

/* The opening quote is at the cursor. */
static bool scan_string(struct cursor *c, bool key)
{
	size_t n;

	c->p++;
	for (;;) {
		while (c->p < c->end && !is_special(*c->p))
			c->p++;
		if (c->p == c->end)
			return unexpected(c, "");
		if (*c->p == '"')
			break;
		if (*c->p == '\\') {
			if (!scan_escape(c, key))
				return false;
			continue;
		}
		if (*c->p < 0x20)
			return fail(c, BB_DEAD_INVALID_JSON, c->p,
				    "a control character in a text; write it as an escape");
		n = bb_json_scan_utf8(c->p, c->end);
		if (n == 0)
			return fail(c, BB_DEAD_INVALID_UTF8, c->p, "not UTF-8");
		c->p += n;
	}
	c->p++;
	return true;
}

static size_t skip_digits(struct cursor *c)
{
	const unsigned char *from = c->p;

	while (c->p < c->end && is_digit(*c->p))
		c->p++;
	return (size_t)(c->p - from);
}

static int64_t exponent_of(const unsigned char *p, const unsigned char *end)
{
	int64_t value = 0;
	bool negative = *p == '-';

	if (*p == '-' || *p == '+')
		p++;
	for (; p < end; p++)
		value = value < EXPONENT_CAP ? value * 10 + (*p - '0') : value;
	return negative ? -value : value;
}

/* The power of ten of the first digit that counts (of a zero: of the last digit written). */
static int64_t magnitude(const unsigned char *p, const unsigned char *mantissa_end)
{
	int64_t whole = 0, zeros = 0;

	while (p < mantissa_end && *p != '.') {
		whole++;
		p++;
	}
	if (p[-whole] != '0')
		return whole - 1;
	if (p < mantissa_end)
		p++;
	for (; p < mantissa_end && *p == '0'; p++)
		zeros++;
	return p < mantissa_end ? -zeros - 1 : -zeros;
}

static bool in_range(const unsigned char *digits, const unsigned char *mantissa_end,
		     const unsigned char *end)
{
	int64_t exponent = 0, size;

	if (mantissa_end == end && end - digits <= BB_EVENT_EXPONENT_MAX)
		return true; /* nearly all */
	if (mantissa_end < end)
		exponent = exponent_of(mantissa_end + 1, end);
	size = magnitude(digits, mantissa_end) + exponent;
	return size >= -BB_EVENT_EXPONENT_MAX && size <= BB_EVENT_EXPONENT_MAX;
}

/* Keeps the slice, and puts its index into the copy in its place. */
static void keep_number(struct cursor *c, const unsigned char *from)
{
	struct bb_json_scan *scan = c->scan;
	char digits[24], *d = digits + sizeof(digits);
	size_t index = scan->number_n;

	BB_ARENA_PUSH(scan->arena, scan->numbers, scan->number_n, scan->number_room) =
		bb_text_bytes(from, (size_t)(c->p - from));
	bb_buf_add(&scan->copy, c->copied, (size_t)(from - c->copied));
	c->copied = c->p;
	do {
		*--d = (char)('0' + index % 10);
		index /= 10;
	} while (index);
	bb_buf_add(&scan->copy, d, (size_t)(digits + sizeof(digits) - d));
}

static bool scan_number(struct cursor *c)
{
	const unsigned char *from = c->p, *digits, *mantissa_end;

	take(c, '-');
	digits = c->p;
	if (!take(c, '0') && skip_digits(c) == 0)
		return unexpected(c, "a number without digits");
	if (take(c, '.') && skip_digits(c) == 0)
		return unexpected(c, "a number that ends with its decimal point");
	mantissa_end = c->p;
	if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
		c->p++;
		if (!take(c, '-'))
			take(c, '+');
		if (skip_digits(c) == 0)
			return unexpected(c, "an exponent without digits");
	}
	if (!in_range(digits, mantissa_end, c->p))
		return fail(c, BB_DEAD_NUMBER_RANGE, from, "a number beyond 1e9999 or 1e-9999");
	keep_number(c, from);
	return true;
}

static bool scan_word(struct cursor *c, const char *word, size_t n)
{
	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return unexpected(c, "expected a value");
	c->p += n;
	return true;
}

static bool enter(struct cursor *c)
{
	if (c->depth == BB_MESSAGE_DEPTH_MAX)
		return fail(c, BB_DEAD_TOO_DEEP, c->p, "nested deeper than 64 levels");
	c->depth++;
	c->p++;
	skip_space(c);
	return true;
}

static bool scan_list(struct cursor *c)
{
	if (!enter(c))
		return false;
	if (!take(c, ']')) {
		do {
			skip_space(c);
			if (!scan_value(c))
				return false;
			skip_space(c);
		} while (take(c, ','));
		if (!take(c, ']'))
			return unexpected(c, "expected , or ]");
	}
	c->depth--;
	return true;
}

static bool scan_member(struct cursor *c)
{
	skip_space(c);
	if (c->p == c->end || *c->p != '"')
		return unexpected(c, "expected the name of a member in double quotes");
	if (!scan_string(c, true))
		return false;
	skip_space(c);
	if (!take(c, ':'))
		return unexpected(c, "expected :");
	skip_space(c);
	return scan_value(c);
}

static bool scan_map(struct cursor *c)
{
	if (!enter(c))
		return false;
	if (!take(c, '}')) {
		do {
			if (!scan_member(c))
				return false;
			skip_space(c);
		} while (take(c, ','));
		if (!take(c, '}'))
			return unexpected(c, "expected , or }");
	}
	c->depth--;
	return true;
}

static bool scan_value(struct cursor *c)
{
	if (c->p == c->end)
		return unexpected(c, "");
	switch (*c->p) {
	case '{':
		return scan_map(c);
	case '[':
		return scan_list(c);
	case '"':
		return scan_string(c, false);
	case 't':
		return scan_word(c, "true", 4);
	case 'f':
		return scan_word(c, "false", 5);
	case 'n':
		return scan_word(c, "null", 4);
	default:
		if (*c->p == '-' || is_digit(*c->p))
			return scan_number(c);
		return unexpected(c, "expected a value");
	}
}

bool bb_json_scan(struct bb_json_scan *scan, struct bb_refusal *ret_refusal)
{
	struct bb_text bytes = scan->bytes;
	const unsigned char *start = (const unsigned char *)bytes.p;
	struct cursor c = {.scan = scan,
			   .start = start,
			   .p = start,
			   .end = start + bytes.n,
			   .copied = start,
			   .refusal = ret_refusal};

	if (!bb_json_scan_outside(bytes, ret_refusal))
		return false;
	skip_space(&c);
	if (c.p == c.end)
		return fail(&c, BB_DEAD_INVALID_JSON, c.p, "empty");
	bb_buf_reserve(&scan->copy, bytes.n + 64);
	if (!scan_value(&c))
		return false;
	bb_buf_add(&scan->copy, c.copied, (size_t)(c.p - c.copied));
	skip_space(&c);
	if (c.p < c.end)
		return fail(&c, BB_DEAD_TRAILING_BYTES, c.p, "something follows the value");
	return true;
}

static size_t decimal_digits(size_t value)
{
	size_t n = 1;

	while (value >= 10) {
		value /= 10;
		n++;
	}
	return n;
}

size_t bb_json_scan_origin(const struct bb_json_scan *scan, size_t copy_offset)
{
	size_t origin = copy_offset, at;

	for (size_t i = 0; i < scan->number_n; i++) {
		at = (size_t)(scan->numbers[i].p - scan->bytes.p);
		if (origin <= at) /* `origin` counts the numbers before this one as they were */
			break;
		origin = origin - decimal_digits(i) + scan->numbers[i].n;
	}
	return origin;
}
