/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table of buckets of four, without chains. A view goes into its bucket in place of the same
 * key's old one, an empty slot, or the least wanted of the four: stale ones first, then those not
 * asked for since. When the bytes are used up, a hand goes round and frees what is least wanted; a
 * view that finds no room in a few steps is not kept.
 *
 * Why: finding, folding and writing a view of 1.3 KB costs 6 us, copying it 0.1 us; the keys that
 * are asked for most are asked for again before the next commit. Colliding keys cost a look-up, not
 * a wrong answer: the key itself is compared.
 */
#include "cache.h"

#include <backbone/assert.h>
#include <stdlib.h>

enum { WAYS = 4, SLOTS_MIN = 1024, HAND_STEPS = 64 };

#define BYTES_A_SLOT 512 /* smaller than nearly every view, so that bytes run out before slots */

struct entry {
	uint64_t version;
	uint32_t key_n, view_n;
	bool wanted; /* asked for since the hand came by */
	char text[]; /* key, view */
};

/* A bucket of four is one line of the processor's cache, and only the right entry is touched. */
struct bb_cache_slot {
	uint64_t hash;
	struct entry *entry; /* NULL: empty */
};

enum { BUCKET_BYTES = WAYS * sizeof(struct bb_cache_slot) };

static size_t entry_bytes(size_t key_n, size_t view_n)
{
	return sizeof(struct entry) + key_n + view_n;
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t hash_of(struct bb_text key)
{
	uint64_t hash = key.n, word;
	size_t i = 0;

	for (; i + sizeof(word) <= key.n; i += sizeof(word)) {
		memcpy(&word, key.p + i, sizeof(word));
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, key.p + i, key.n - i);
	return mix(hash, word);
}

static struct bb_cache_slot *bucket_of(struct bb_cache *cache, uint64_t hash)
{
	return &cache->slots[(hash >> 20) % (cache->slot_n / WAYS) * WAYS];
}

static bool is_of_key(const struct bb_cache_slot *slot, uint64_t hash, struct bb_text key)
{
	return slot->entry && slot->hash == hash && slot->entry->key_n == key.n &&
	       memcmp(slot->entry->text, key.p, key.n) == 0;
}

static void drop(struct bb_cache *cache, struct bb_cache_slot *slot)
{
	if (!slot->entry)
		return;
	cache->bytes -= entry_bytes(slot->entry->key_n, slot->entry->view_n);
	free(slot->entry);
	slot->entry = NULL;
}

void bb_cache_init(struct bb_cache *cache, size_t bytes_max)
{
	*cache = (struct bb_cache){.bytes_max = bytes_max};
}

void bb_cache_fini(struct bb_cache *cache)
{
	for (size_t i = 0; cache->slots && i < cache->slot_n; i++)
		drop(cache, &cache->slots[i]);
	free(cache->slots);
	*cache = (struct bb_cache){0};
}

struct bb_text bb_cache_get(struct bb_cache *cache, struct bb_text key, uint64_t version)
{
	struct bb_cache_slot *bucket;
	uint64_t hash;

	if (!cache->slots || key.n == 0 || key.n > BB_CACHE_KEY_MAX)
		return (struct bb_text){NULL, 0};
	hash = hash_of(key);
	bucket = bucket_of(cache, hash);
	for (size_t i = 0; i < WAYS; i++) {
		struct entry *entry = bucket[i].entry;

		if (!is_of_key(&bucket[i], hash, key))
			continue;
		if (entry->version != version)
			break;
		entry->wanted = true;
		return (struct bb_text){entry->text + key.n, entry->view_n};
	}
	return (struct bb_text){NULL, 0};
}

/* How much an entry is worth keeping. */
static unsigned worth(const struct entry *entry, uint64_t version)
{
	if (!entry)
		return 0;
	if (entry->version != version)
		return 1;
	return entry->wanted ? 3 : 2;
}

static struct bb_cache_slot *choose(struct bb_cache_slot *bucket, uint64_t hash, struct bb_text key,
				    uint64_t version)
{
	struct bb_cache_slot *chosen = &bucket[hash % WAYS];

	for (size_t i = 0; i < WAYS; i++) {
		if (is_of_key(&bucket[i], hash, key))
			return &bucket[i];
		if (worth(bucket[i].entry, version) < worth(chosen->entry, version))
			chosen = &bucket[i];
	}
	return chosen;
}

static bool make_room(struct bb_cache *cache, size_t bytes, uint64_t version)
{
	for (size_t i = 0; i < HAND_STEPS && cache->bytes + bytes > cache->bytes_max; i++) {
		struct bb_cache_slot *slot = &cache->slots[cache->hand++ % cache->slot_n];

		if (worth(slot->entry, version) < 3)
			drop(cache, slot);
		else
			slot->entry->wanted = false;
	}
	return cache->bytes + bytes <= cache->bytes_max;
}

static void make_slots(struct bb_cache *cache)
{
	for (cache->slot_n = SLOTS_MIN; cache->slot_n < cache->bytes_max / BYTES_A_SLOT;)
		cache->slot_n *= 2;
	cache->slots = aligned_alloc(BUCKET_BYTES, cache->slot_n * sizeof(*cache->slots));
	bb_assert(cache->slots);
	memset(cache->slots, 0, cache->slot_n * sizeof(*cache->slots));
}

void bb_cache_put(struct bb_cache *cache, struct bb_text key, uint64_t version, struct bb_text view)
{
	struct bb_cache_slot *slot;
	struct entry *entry;
	uint64_t hash;

	if (!cache->bytes_max || key.n == 0 || key.n > BB_CACHE_KEY_MAX ||
	    view.n > BB_CACHE_VIEW_MAX)
		return;
	if (!cache->slots)
		make_slots(cache);
	hash = hash_of(key);
	slot = choose(bucket_of(cache, hash), hash, key, version);
	drop(cache, slot);
	if (!make_room(cache, entry_bytes(key.n, view.n), version))
		return;
	entry = malloc(entry_bytes(key.n, view.n));
	bb_assert(entry);
	*entry = (struct entry){
		.version = version, .key_n = (uint32_t)key.n, .view_n = (uint32_t)view.n};
	memcpy(entry->text, key.p, key.n);
	memcpy(entry->text + key.n, view.p, view.n);
	cache->bytes += entry_bytes(key.n, view.n);
	*slot = (struct bb_cache_slot){hash, entry};
}
