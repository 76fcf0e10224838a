/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies, appended to a buffer. Lengths are written by hand: a look-up writes one and a half
 * headers, and printf would cost more than the look-up of a small view.
 *
 * A bulk string that is written in place reserves the widest header and moves its text forward over
 * what was not needed. Writing cannot fail; out of memory aborts.
 */
#include <backbone/assert.h>
#include <backbone/resp.h>
#include <stdarg.h>
#include <stdio.h>

enum {
	HEADER_MAX = 24,	 /* type, 20 digits, sign, CRLF */
	BULK_HEADER = 1 + 8 + 2, /* of a bulk string below 100 MB */
	ERROR_MAX = 512
};

/* Writes type, decimal, CRLF at `out`; returns the length. */
static size_t header(char *out, char type, int64_t value)
{
	char digits[20];
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
	size_t n = 0, len = 0;

	do {
		digits[n++] = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	out[len++] = type;
	if (value < 0)
		out[len++] = '-';
	while (n > 0)
		out[len++] = digits[--n];
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

static void add_header(struct bb_buf *buf, char type, int64_t value)
{
	buf->n += header(bb_buf_reserve(buf, HEADER_MAX), type, value);
}

void bb_resp_simple(struct bb_buf *buf, const char *text)
{
	bb_buf_byte(buf, '+');
	bb_buf_text(buf, bb_text_of(text));
	bb_buf_add(buf, "\r\n", 2);
}

void bb_resp_error(struct bb_buf *buf, const char *fmt, ...)
{
	char text[ERROR_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	bb_buf_byte(buf, '-');
	bb_buf_text(buf, bb_text_of(text));
	bb_buf_add(buf, "\r\n", 2);
}

void bb_resp_integer(struct bb_buf *buf, int64_t value)
{
	add_header(buf, ':', value);
}

void bb_resp_bulk(struct bb_buf *buf, struct bb_text text)
{
	char *out = bb_buf_reserve(buf, HEADER_MAX + text.n + 2);
	size_t n = header(out, '$', (int64_t)text.n);

	if (text.n > 0)
		memcpy(out + n, text.p, text.n);
	n += text.n;
	out[n] = '\r';
	out[n + 1] = '\n';
	buf->n += n + 2;
}

void bb_resp_null(struct bb_buf *buf, int protocol)
{
	if (protocol == 3)
		bb_buf_add(buf, "_\r\n", 3);
	else
		bb_buf_add(buf, "$-1\r\n", 5);
}

void bb_resp_array(struct bb_buf *buf, size_t n)
{
	add_header(buf, '*', (int64_t)n);
}

void bb_resp_map(struct bb_buf *buf, size_t pairs, int protocol)
{
	if (protocol == 3)
		add_header(buf, '%', (int64_t)pairs);
	else
		add_header(buf, '*', (int64_t)(2 * pairs));
}

size_t bb_resp_bulk_begin(struct bb_buf *buf)
{
	size_t mark = buf->n;

	bb_buf_reserve(buf, BULK_HEADER);
	buf->n += BULK_HEADER;
	return mark;
}

void bb_resp_bulk_end(struct bb_buf *buf, size_t mark)
{
	size_t len = buf->n - mark - BULK_HEADER, n;
	char head[HEADER_MAX];

	n = header(head, '$', (int64_t)len);
	bb_assert(n <= BULK_HEADER);
	memcpy(buf->p + mark, head, n);
	if (n < BULK_HEADER)
		memmove(buf->p + mark + n, buf->p + mark + BULK_HEADER, len);
	buf->n = mark + n + len;
	bb_buf_add(buf, "\r\n", 2);
}

bool bb_resp_glob(struct bb_text pattern, struct bb_text text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

	/* Only the last star is ever taken up again: time is at most the product of the lengths. */
	while (t < text.n) {
		bool escaped = p + 1 < pattern.n && pattern.p[p] == '\\';

		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			resume = t;
		} else if (p < pattern.n && ((!escaped && pattern.p[p] == '?') ||
					     pattern.p[p + escaped] == text.p[t])) {
			p += 1 + escaped;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}
