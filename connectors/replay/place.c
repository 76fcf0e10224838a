/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version, flags, three numbers, hash, a number: fixed length, little endian. Anything else is no
 * place, and the caller says that it has lost the file.
 */
#include "place.h"

#include <backbone/event.h>

#define VERSION 2
#define OLD_VERSION 1 /* without `more` */
#define OLD_BYTES (1 + 1 + 8 + 8 + 4 + BB_HASH_BYTES)
#define PLACE_BYTES (OLD_BYTES + 4)

#define FLAG_CUT 1
#define FLAG_UNENDED 2

struct bb_hash bb_place_hash(struct bb_text line)
{
	static const struct bb_profile_key no_key;

	return bb_hash_parts(&no_key, &line, 1);
}

static char *put(char *out, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*out++ = (char)(value >> (8 * i));
	return out;
}

static uint64_t get(const char *in, int bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)(uint8_t)in[i] << (8 * i);
	return value;
}

struct bb_text bb_place_encode(const struct bb_place *place, struct bb_arena *arena)
{
	char *bytes = bb_arena_alloc(arena, PLACE_BYTES);
	char *out = bytes;

	*out++ = VERSION;
	*out++ = (char)((place->cut ? FLAG_CUT : 0) | (place->unended ? FLAG_UNENDED : 0));
	out = put(out, place->start, 8);
	out = put(out, place->next, 8);
	out = put(out, place->bytes, 4);
	memcpy(out, place->hash.b, BB_HASH_BYTES);
	put(out + BB_HASH_BYTES, place->more, 4);
	return bb_text_bytes(bytes, PLACE_BYTES);
}

bool bb_place_decode(struct bb_text text, struct bb_place *ret_place)
{
	struct bb_place place = {.more = 0};
	bool old = text.n == OLD_BYTES && text.p[0] == OLD_VERSION;

	if (!old && (text.n != PLACE_BYTES || text.p[0] != VERSION))
		return false;
	place.cut = text.p[1] & FLAG_CUT;
	place.unended = text.p[1] & FLAG_UNENDED;
	place.start = get(text.p + 2, 8);
	place.next = get(text.p + 10, 8);
	place.bytes = (uint32_t)get(text.p + 18, 4);
	memcpy(place.hash.b, text.p + 22, BB_HASH_BYTES);
	if (!old)
		place.more = (uint32_t)get(text.p + OLD_BYTES, 4);
	if (place.next < place.start || place.bytes > place.next - place.start ||
	    place.bytes > BB_MESSAGE_BYTES_MAX + 1)
		return false;
	*ret_place = place;
	return true;
}
