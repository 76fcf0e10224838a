/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer that doubles when it is full. JSON strings are copied in runs between the few bytes
 * that need an escape, looked for eight at a time. The only failure is no memory, which aborts.
 */
#include <backbone/buf.h>

#include <backbone/assert.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

#define ROOM_MIN ((size_t)256)

void bb_buf_fini(struct bb_buf *buf)
{
	free(buf->p);
	*buf = BB_BUF_EMPTY;
}

char *bb_buf_grow(struct bb_buf *buf, size_t more)
{
	size_t room = buf->room ? buf->room : ROOM_MIN;

	bb_assert(more <= SIZE_MAX / 4 && buf->n <= SIZE_MAX / 4);
	if (!buf->p || buf->room - buf->n < more) {
		while (room - buf->n < more)
			room *= 2;
		buf->p = bb_memory_grow(buf->p, room);
		buf->room = room;
	}
	return buf->p + buf->n;
}

void bb_buf_vprintf(struct bb_buf *buf, const char *fmt, va_list args)
{
	va_list again;
	size_t room;
	int n;

	bb_buf_reserve(buf, 64);
	room = buf->room - buf->n;
	va_copy(again, args);
	n = vsnprintf(buf->p + buf->n, room, fmt, args);
	bb_assert(n >= 0);
	if ((size_t)n >= room)
		vsnprintf(bb_buf_reserve(buf, (size_t)n + 1), (size_t)n + 1, fmt, again);
	va_end(again);
	buf->n += (size_t)n;
}

void bb_buf_printf(struct bb_buf *buf, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	bb_buf_vprintf(buf, fmt, args);
	va_end(args);
}

static const char hex[] = "0123456789abcdef";

void bb_buf_hex(struct bb_buf *buf, const void *p, size_t n)
{
	const unsigned char *bytes = p;
	char *out = bb_buf_reserve(buf, 2 * n);

	for (size_t i = 0; i < n; i++) {
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	buf->n += 2 * n;
}

/* 0: copied as it is; 'u': \u00xx; else the letter after the backslash. */
static char escape_of(unsigned char c)
{
	static const char low[0x20] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

	if (c < 0x20)
		return low[c] ? low[c] : 'u';
	return c == '"' || c == '\\' ? (char)c : 0;
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGHS (ONES << 7)

/* The high bit of each byte that is zero; bytes behind the first may be wrong. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - ONES) & ~word & HIGHS;
}

/* How many bytes from `i` on need no escape: eight at a time, then one by one. */
static size_t plain_run(struct bb_text text, size_t i)
{
	size_t from = i;
	uint64_t word;

	for (; text.n - i >= sizeof word; i += sizeof word) {
		memcpy(&word, text.p + i, sizeof word);
		if (zero_bytes(word ^ ONES * '"') | zero_bytes(word ^ ONES * '\\') |
		    ((word - ONES * 0x20) & ~word & HIGHS))
			break;
	}
	while (i < text.n && !escape_of((unsigned char)text.p[i]))
		i++;
	return i - from;
}

void bb_buf_json(struct bb_buf *buf, struct bb_text text)
{
	size_t i = 0;

	bb_buf_reserve(buf, text.n + 2);
	bb_buf_byte(buf, '"');
	for (;;) {
		size_t plain = plain_run(text, i);

		bb_buf_add(buf, text.p + i, plain);
		i += plain;
		if (i == text.n)
			break;
		unsigned char c = (unsigned char)text.p[i++];
		char escape = escape_of(c);

		bb_buf_byte(buf, '\\');
		bb_buf_byte(buf, escape);
		if (escape == 'u') {
			char digits[4] = {'0', '0', hex[c >> 4], hex[c & 15]};

			bb_buf_add(buf, digits, sizeof digits);
		}
	}
	bb_buf_byte(buf, '"');
}
