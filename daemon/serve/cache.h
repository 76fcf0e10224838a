/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views as they were last written, by the key that was asked for, good for one version of the store
 * only: the next commit makes them stale. An empty view stands for a key that leads to nobody.
 * Bounded in bytes and in entries. The loop's thread.
 */
#ifndef SERVE_CACHE_H
#define SERVE_CACHE_H

#include <backbone/text.h>

#define BB_CACHE_KEY_MAX 128
#define BB_CACHE_VIEW_MAX ((size_t)16 * 1024) /* a larger view is not kept */

struct bb_cache_slot;

struct bb_cache {
	struct bb_cache_slot *slots; /* NULL until the first view is kept */
	size_t slot_n;		     /* a power of two */
	size_t bytes, bytes_max;     /* of the entries */
	size_t hand;		     /* where room is looked for next */
};

/* Keeps at most so many bytes of keys and views; 0: nothing. No memory before the first put. */
void bb_cache_init(struct bb_cache *cache, size_t bytes_max);
void bb_cache_fini(struct bb_cache *cache);

/* The view of that version, or p NULL. Lives until the next put. */
struct bb_text bb_cache_get(struct bb_cache *cache, struct bb_text key, uint64_t version);

void bb_cache_put(struct bb_cache *cache, struct bb_text key, uint64_t version,
		  struct bb_text view);

#endif
