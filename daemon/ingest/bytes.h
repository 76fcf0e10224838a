/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the rows of ingest: fixed little-endian numbers, texts with a 32-bit length (all
 * ones: p NULL). Reading never runs past the end: it sets `bad` and gives zeros, so that a decoder
 * checks once.
 */
#ifndef BB_INGEST_BYTES_H
#define BB_INGEST_BYTES_H

#include <backbone/buf.h>

#define BB_BYTES_NULL UINT32_MAX

struct bb_bytes {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct bb_bytes bb_bytes_of(struct bb_text text)
{
	return (struct bb_bytes){(const uint8_t *)text.p, (const uint8_t *)text.p + text.n, false};
}

static inline void bb_bytes_put(struct bb_buf *buf, uint64_t value, size_t bytes)
{
	char *out = bb_buf_reserve(buf, bytes);

	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(value >> (8 * i));
	buf->n += bytes;
}

static inline uint64_t bb_bytes_get(struct bb_bytes *in, size_t bytes)
{
	uint64_t value = 0;

	if ((size_t)(in->end - in->p) < bytes) {
		in->bad = true;
		in->p = in->end;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)in->p[i] << (8 * i);
	in->p += bytes;
	return value;
}

static inline void bb_bytes_put_text(struct bb_buf *buf, struct bb_text text)
{
	bb_bytes_put(buf, text.p ? text.n : BB_BYTES_NULL, 4);
	if (text.p)
		bb_buf_text(buf, text);
}

static inline struct bb_text bb_bytes_get_text(struct bb_bytes *in)
{
	uint64_t n = bb_bytes_get(in, 4);
	struct bb_text text = {(const char *)in->p, n};

	if (n == BB_BYTES_NULL)
		return (struct bb_text){NULL, 0};
	if ((uint64_t)(in->end - in->p) < n) {
		in->bad = true;
		in->p = in->end;
		return (struct bb_text){NULL, 0};
	}
	in->p += n;
	return text;
}

#endif
