/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stored value is
 *
 *	version u8 | length of the payload, LEB128 | checksum u64, little-endian | payload
 *
 * The checksum is XXH3 over the payload, mixed with one over the key that is seeded with the
 * table's number, so that bytes which are whole, but lie under a wrong key or in a wrong table, are
 * found out too. Opening fails, and never reads beyond `stored`, whatever the bytes are.
 */
#include "seal.h"

#include <backbone/assert.h>

#include <xxhash.h>

#define CHECKSUM_BYTES 8

static uint64_t checksum(enum bb_table table, struct bb_text key, struct bb_text value)
{
	uint64_t of_key = XXH3_64bits_withSeed(key.p, key.n, (uint64_t)table + 1);

	return XXH3_64bits(value.p, value.n) ^ ((of_key << 31) | (of_key >> 33));
}

void bb_seal_put(struct bb_buf *buf, enum bb_table table, struct bb_text key, struct bb_text value)
{
	uint64_t sum = checksum(table, key, value);
	uint32_t rest = (uint32_t)value.n;
	uint8_t *p;

	bb_assert(value.n <= UINT32_MAX - BB_SEAL_BYTES_MAX);
	buf->n = 0;
	p = (uint8_t *)bb_buf_reserve(buf, BB_SEAL_BYTES_MAX + value.n);
	*p++ = BB_SEAL_VERSION;
	for (; rest >= 0x80; rest >>= 7)
		*p++ = (uint8_t)(rest | 0x80);
	*p++ = (uint8_t)rest;
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		*p++ = (uint8_t)(sum >> (8 * i));
	if (value.n > 0)
		memcpy(p, value.p, value.n);
	buf->n = (size_t)(p - (uint8_t *)buf->p) + value.n;
}

bool bb_seal_open(enum bb_table table, struct bb_text key, struct bb_text stored,
		  struct bb_text *ret_value)
{
	const uint8_t *p = (const uint8_t *)stored.p, *end = p + stored.n;
	uint64_t length = 0, sum = 0;
	struct bb_text value;
	uint8_t byte;

	if (stored.n == 0 || *p++ != BB_SEAL_VERSION)
		return false;
	for (int shift = 0;; shift += 7) {
		if (p == end || shift > 28)
			return false;
		byte = *p++;
		length |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	if ((size_t)(end - p) < CHECKSUM_BYTES || (size_t)(end - p) - CHECKSUM_BYTES != length)
		return false;
	for (int i = 0; i < CHECKSUM_BYTES; i++)
		sum |= (uint64_t)*p++ << (8 * i);
	value = bb_text_bytes(p, (size_t)length);
	if (checksum(table, key, value) != sum)
		return false;
	*ret_value = value;
	return true;
}
