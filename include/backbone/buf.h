/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer on the heap. Out of memory aborts. */
#ifndef BACKBONE_BUF_H
#define BACKBONE_BUF_H

#include <backbone/text.h>
#include <stdarg.h>

struct bb_buf {
	char *p;  /* NULL at first */
	size_t n; /* bytes used */
	size_t room;
};

#define BB_BUF_EMPTY ((struct bb_buf){NULL, 0, 0})

void bb_buf_fini(struct bb_buf *buf);

char *bb_buf_grow(struct bb_buf *buf, size_t more) __attribute__((returns_nonnull));

/* Makes room for `more` bytes and returns where they go; `n` is not moved. Here, as views are
 * written in many small pieces. */
static inline char *bb_buf_reserve(struct bb_buf *buf, size_t more)
{
	return buf->p && buf->room - buf->n >= more ? buf->p + buf->n : bb_buf_grow(buf, more);
}

static inline void bb_buf_add(struct bb_buf *buf, const void *p, size_t n)
{
	if (!n)
		return;
	memcpy(bb_buf_reserve(buf, n), p, n);
	buf->n += n;
}

void bb_buf_printf(struct bb_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bb_buf_vprintf(struct bb_buf *buf, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

/* Appends bytes as lower-case hexadecimal digits. */
void bb_buf_hex(struct bb_buf *buf, const void *p, size_t n);

static inline void bb_buf_text(struct bb_buf *buf, struct bb_text text)
{
	bb_buf_add(buf, text.p, text.n);
}

static inline void bb_buf_byte(struct bb_buf *buf, char c)
{
	*bb_buf_reserve(buf, 1) = c;
	buf->n++;
}

static inline struct bb_text bb_buf_slice(const struct bb_buf *buf)
{
	return (struct bb_text){buf->p, buf->n};
}

/* Appends `text` (valid UTF-8) as a JSON string with quotes; only `"`, `\` and controls are
 * escaped. */
void bb_buf_json(struct bb_buf *buf, struct bb_text text);

#endif
