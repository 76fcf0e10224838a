/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of stored rows: LEB128 varints, zigzag for signed, texts with their length, UUIDs as 16
 * bytes. Reading never runs past the end: it sets `bad` and gives zeros, so that a decoder checks
 * once.
 */
#ifndef BB_CORE_CODEC_H
#define BB_CORE_CODEC_H

#include <backbone/arena.h>
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/hash.h>

struct bb_cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct bb_cursor bb_cursor_of(struct bb_text bytes)
{
	return (struct bb_cursor){(const uint8_t *)bytes.p, (const uint8_t *)bytes.p + bytes.n,
				  false};
}

uint64_t bb_get_long(struct bb_cursor *cur); /* a varint of two bytes or more */

static inline uint64_t bb_get_u64(struct bb_cursor *cur)
{
	if (cur->p < cur->end && *cur->p < 0x80)
		return *cur->p++;
	return bb_get_long(cur);
}

static inline int64_t bb_get_i64(struct bb_cursor *cur)
{
	uint64_t u = bb_get_u64(cur);

	return (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
}

static inline struct bb_text bb_get_bytes(struct bb_cursor *cur, size_t n)
{
	struct bb_text text = {(const char *)cur->p, n};

	if ((size_t)(cur->end - cur->p) < n) {
		cur->bad = true;
		cur->p = cur->end;
		return (struct bb_text){"", 0};
	}
	cur->p += n;
	return text;
}

static inline struct bb_text bb_get_text(struct bb_cursor *cur)
{
	return bb_get_bytes(cur, bb_get_u64(cur));
}

/* A count of things that take at least one byte each: never more than what is left. */
static inline size_t bb_get_count(struct bb_cursor *cur)
{
	uint64_t n = bb_get_u64(cur);

	if (n > (size_t)(cur->end - cur->p)) {
		cur->bad = true;
		return 0;
	}
	return n;
}

void bb_put_u64(struct bb_buf *buf, uint64_t u);

static inline void bb_put_i64(struct bb_buf *buf, int64_t i)
{
	bb_put_u64(buf, ((uint64_t)i << 1) ^ (uint64_t)(i >> 63));
}

static inline void bb_put_text(struct bb_buf *buf, struct bb_text text)
{
	bb_put_u64(buf, text.n);
	bb_buf_text(buf, text);
}

static inline void bb_put_hash(struct bb_buf *buf, const struct bb_hash *hash)
{
	bb_buf_add(buf, hash->b, BB_HASH_BYTES);
}

struct bb_hash bb_get_hash(struct bb_cursor *cur);

/* A time as an event may have it (clock.h); anything else is bad, and 0. */
int64_t bb_get_time(struct bb_cursor *cur);
static inline int64_t bb_get_checked_time(struct bb_cursor *cur, int64_t time_ms)
{
	if (time_ms >= BB_TIME_MIN_MS && time_ms <= BB_TIME_MAX_MS)
		return time_ms;
	cur->bad = true;
	return BB_TIME_MIN_MS;
}

/* Three capital letters. */
void bb_get_currency(struct bb_cursor *cur, char out[3]);

/* An event id: not empty; a lower-case UUID takes 17 bytes. Reading one makes its text in the
 * arena. */
void bb_put_id(struct bb_buf *buf, struct bb_text id);
struct bb_text bb_get_id(struct bb_cursor *cur, struct bb_arena *arena);

/* A signed 128-bit integer: money in millionths. */
typedef __int128 bb_i128;
void bb_put_i128(struct bb_buf *buf, bb_i128 value);
bb_i128 bb_get_i128(struct bb_cursor *cur);

/* Wraps around instead of being undefined: sums of what events may hold stay far below it. */
static inline bb_i128 bb_i128_add(bb_i128 a, bb_i128 b)
{
	return (bb_i128)((unsigned __int128)a + (unsigned __int128)b);
}

static inline bb_i128 bb_i128_minus(bb_i128 a)
{
	return (bb_i128) - (unsigned __int128)a;
}

/* Keys: big-endian, so that the order of bytes is the order of numbers. */
static inline void bb_key_u64(uint8_t *out, uint64_t u)
{
	for (int i = 7; i >= 0; i--, u >>= 8)
		out[i] = (uint8_t)u;
}

static inline void bb_key_u32(uint8_t *out, uint32_t u)
{
	for (int i = 3; i >= 0; i--, u >>= 8)
		out[i] = (uint8_t)u;
}

static inline uint64_t bb_key_read(const void *p, size_t n)
{
	uint64_t u = 0;

	for (size_t i = 0; i < n; i++)
		u = u << 8 | ((const uint8_t *)p)[i];
	return u;
}

#endif
