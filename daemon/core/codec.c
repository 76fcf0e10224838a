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

int64_t bb_get_time(struct bb_cursor *cur)
{
	return bb_get_checked_time(cur, bb_get_i64(cur));
}

void bb_get_currency(struct bb_cursor *cur, char out[3])
{
	struct bb_text text = bb_get_bytes(cur, 3);

	memcpy(out, "XXX", 3);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] >= 'A' && text.p[i] <= 'Z')
			out[i] = text.p[i];
		else
			cur->bad = true;
	}
}

#define UUID_BYTES 16
#define UUID_CHARS 36

/* Where in the text the two digits of each byte begin; between these there are dashes. */
static const uint8_t uuid_digits[UUID_BYTES] = {0,  2,	4,  6,	9,  11, 14, 16,
						19, 21, 24, 26, 28, 30, 32, 34};
static const uint8_t uuid_dashes[] = {8, 13, 18, 23};

/* Of a lower-case hexadecimal digit, and 1 more: 0 is what is none. */
static const uint8_t digit_plus_1[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16};

/* 8-4-4-4-12 lower-case digits, as nearly every producer writes them. */
static bool uuid_pack(struct bb_text id, uint8_t out[UUID_BYTES])
{
	if (id.n != UUID_CHARS)
		return false;
	for (size_t i = 0; i < sizeof(uuid_dashes); i++)
		if (id.p[uuid_dashes[i]] != '-')
			return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		const uint8_t *p = (const uint8_t *)id.p + uuid_digits[i];
		unsigned high = digit_plus_1[p[0]], low = digit_plus_1[p[1]];

		if (!high || !low)
			return false;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return true;
}

void bb_put_id(struct bb_buf *buf, struct bb_text id)
{
	uint8_t uuid[UUID_BYTES];

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

	if (n)
		return bb_get_bytes(cur, n);
	struct bb_text uuid = bb_get_bytes(cur, UUID_BYTES);

	if (uuid.n != UUID_BYTES)
		return uuid;
	char *out = bb_arena_alloc(arena, UUID_CHARS);

	for (size_t i = 0; i < sizeof(uuid_dashes); i++)
		out[uuid_dashes[i]] = '-';
	for (size_t i = 0; i < UUID_BYTES; i++) {
		uint8_t byte = (uint8_t)uuid.p[i];

		out[uuid_digits[i]] = digits[byte >> 4];
		out[uuid_digits[i] + 1] = digits[byte & 15];
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
