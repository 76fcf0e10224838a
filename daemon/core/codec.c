/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of stored rows. Writing appends to a buffer and cannot fail; reading takes from a
 * cursor that goes bad at the first thing that does not fit, and stays so.
 */
#include "codec.h"

uint64_t bb_get_long(struct bb_cursor *cur)
{
	uint64_t u = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (cur->p == cur->end)
			break;
		uint8_t byte = *cur->p++;

		u |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return u;
	}
	cur->bad = true;
	cur->p = cur->end;
	return 0;
}

void bb_put_u64(struct bb_buf *buf, uint64_t u)
{
	uint8_t *p = (uint8_t *)bb_buf_reserve(buf, 10);
	size_t n = 0;

	while (u >= 0x80) {
		p[n++] = (uint8_t)(u | 0x80);
		u >>= 7;
	}
	p[n++] = (uint8_t)u;
	buf->n += n;
}

struct bb_hash bb_get_hash(struct bb_cursor *cur)
{
	struct bb_hash hash = {{0}};
	struct bb_text bytes = bb_get_bytes(cur, BB_HASH_BYTES);

	if (bytes.n == BB_HASH_BYTES)
		memcpy(hash.b, bytes.p, BB_HASH_BYTES);
	return hash;
}

#define UUID_CHARS 36

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* 8-4-4-4-12 lower-case digits, as nearly every producer writes them. */
static bool uuid_pack(struct bb_text id, uint8_t out[16])
{
	size_t digit = 0;

	if (id.n != UUID_CHARS)
		return false;
	for (size_t i = 0; i < UUID_CHARS; i++) {
		if (is_dash(i)) {
			if (id.p[i] != '-')
				return false;
			continue;
		}
		int d = hex_digit(id.p[i]);

		if (d < 0)
			return false;
		out[digit / 2] = (uint8_t)(digit % 2 ? out[digit / 2] | d : d << 4);
		digit++;
	}
	return true;
}

void bb_put_id(struct bb_buf *buf, struct bb_text id)
{
	uint8_t uuid[16];

	if (uuid_pack(id, uuid)) {
		bb_buf_byte(buf, 0); /* no id is empty: 0 is free to say UUID */
		bb_buf_add(buf, uuid, sizeof(uuid));
	} else {
		bb_put_text(buf, id);
	}
}

struct bb_text bb_get_id(struct bb_cursor *cur, struct bb_arena *arena)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t n = bb_get_u64(cur);
	struct bb_text uuid = n ? (struct bb_text){NULL, 0} : bb_get_bytes(cur, 16);
	size_t digit = 0;

	if (n)
		return bb_get_bytes(cur, n);
	if (uuid.n != 16)
		return uuid;
	char *out = bb_arena_alloc(arena, UUID_CHARS);

	for (size_t i = 0; i < UUID_CHARS; i++) {
		if (is_dash(i)) {
			out[i] = '-';
			continue;
		}
		uint8_t byte = (uint8_t)uuid.p[digit / 2];

		out[i] = digits[digit % 2 ? byte & 15 : byte >> 4];
		digit++;
	}
	return (struct bb_text){out, UUID_CHARS};
}

void bb_put_i128(struct bb_buf *buf, bb_i128 value)
{
	unsigned __int128 u = ((unsigned __int128)value << 1) ^ (unsigned __int128)(value >> 127);

	while (u >= 0x80) {
		bb_buf_byte(buf, (char)(u | 0x80));
		u >>= 7;
	}
	bb_buf_byte(buf, (char)u);
}

bb_i128 bb_get_i128(struct bb_cursor *cur)
{
	unsigned __int128 u = 0;

	for (unsigned shift = 0; shift < 128; shift += 7) {
		if (cur->p == cur->end)
			break;
		uint8_t byte = *cur->p++;

		u |= (unsigned __int128)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (bb_i128)(u >> 1) ^ -(bb_i128)(u & 1);
	}
	cur->bad = true;
	return 0;
}
