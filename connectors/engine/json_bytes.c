/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the reader of documents asks of bytes, beside the loops in the header: UTF-8, escapes, the
 * range of numbers, and what is refused before anything is read.
 *
 * Nothing here fails; what is wrong is answered, and the reader says where it was.
 */
#include "json_bytes.h"

/* Far beyond any allowed one; keeps sums from overflow. */
#define EXPONENT_CAP INT64_C(1000000000)

static bool is_tail(const unsigned char *p, const unsigned char *end, size_t i)
{
	return p + i < end && (p[i] & 0xc0) == 0x80;
}

size_t bb_json_utf8(const unsigned char *p, const unsigned char *end)
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

size_t bb_json_bad_utf8(struct bb_text text)
{
	const unsigned char *start = (const unsigned char *)text.p, *p = start, *end = p + text.n;
	size_t n;

	while (p < end) {
		n = bb_json_utf8(p, end);
		if (n == 0)
			return (size_t)(p - start);
		p += n;
	}
	return text.n;
}

int bb_json_hex4(const unsigned char *p, const unsigned char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		unsigned char b = p[i], lower = b | 0x20;

		if (b >= '0' && b <= '9')
			value = value * 16 + (b - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* The escape at *p, which was found good; *p moves behind it. */
static char *decode_escape(const unsigned char **p, const unsigned char *end, char *out)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *found = strchr(names, (*p)[1]);
	unsigned code;

	if ((*p)[1] != 'u') {
		*out++ = found ? bytes[found - names] : (char)(*p)[1];
		*p += 2;
		return out;
	}
	code = (unsigned)bb_json_hex4(*p + 2, end);
	*p += 6;
	if (code >= 0xd800 && code <= 0xdfff) { /* its second half was checked to follow */
		code = 0x10000 + ((code - 0xd800) << 10) +
		       ((unsigned)bb_json_hex4(*p + 2, end) - 0xdc00);
		*p += 6;
	}
	return out + bb_text_put_utf8(code, out);
}

struct bb_text bb_json_decode(const unsigned char *p, const unsigned char *end,
			      struct bb_arena *arena)
{
	char *start = bb_arena_alloc(arena, (size_t)(end - p)), *out = start;
	const unsigned char *slash;

	while (p < end) {
		slash = memchr(p, '\\', (size_t)(end - p));
		if (!slash)
			slash = end;
		memcpy(out, p, (size_t)(slash - p));
		out += slash - p;
		p = slash;
		if (p < end)
			out = decode_escape(&p, end, out);
	}
	return bb_text_bytes(start, (size_t)(out - start));
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

bool bb_json_in_range(const unsigned char *digits, const unsigned char *mantissa_end,
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

bool bb_json_outside(struct bb_text bytes, struct bb_refusal *ret_refusal)
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

struct bb_text bb_json_without_line_end(struct bb_text line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}
