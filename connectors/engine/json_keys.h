/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the maps that are open while a document is read, to find one that comes twice.
 * Private to the engine.
 */
#ifndef BB_JSON_KEYS_H
#define BB_JSON_KEYS_H

#include <backbone/arena.h>

/* A map with more members is sorted when it closes. */
#define BB_JSON_MAP_LARGE 256

struct bb_json_key {
	struct bb_text name;
	uint32_t tag;
	uint32_t offset; /* of the opening quote */
};

/* One stack for all open maps. Its first array may be anywhere. */
struct bb_json_keys {
	struct bb_arena *arena;
	size_t duplicate; /* offset of the first key that was there before; SIZE_MAX: none yet */
	struct bb_json_key *items;
	size_t n, room;
};

/* One map: its keys are those of the stack from `first` on. */
struct bb_json_key_set {
	size_t first;
	uint64_t seen[4]; /* a bit for a tag; clear: no key with it yet */
};

/* Compares the last key with the others of its map. */
void bb_json_keys_compare(struct bb_json_keys *keys, const struct bb_json_key_set *set);

/* Of a map with more than BB_JSON_MAP_LARGE members, which closes: what was not compared is.
 * `order` (NULL: not wanted) gets the places of its members in the order of their keys. */
void bb_json_keys_sort(struct bb_json_keys *keys, const struct bb_json_key_set *set,
		       uint32_t *order);

/* Shorter first, then by bytes. */
int bb_json_keys_order(struct bb_text a, struct bb_text b);

static inline void bb_json_keys_add(struct bb_json_keys *keys, struct bb_json_key_set *set,
				    struct bb_text name, uint32_t tag, size_t offset)
{
	uint64_t *seen = &set->seen[tag >> 30], bit = UINT64_C(1) << (tag >> 24 & 63);

	BB_ARENA_PUSH(keys->arena, keys->items, keys->n, keys->room) =
		(struct bb_json_key){name, tag, (uint32_t)offset};
	if (*seen & bit)
		bb_json_keys_compare(keys, set);
	*seen |= bit;
}

#endif
