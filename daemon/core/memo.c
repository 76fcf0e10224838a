/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of fixed size in which each text has one slot; the last one asked for stays. What is
 * hashed is kept whole and compared, so that no two texts are ever taken for one another; what is
 * too long for a slot is hashed each time.
 */
#include "memo.h"

#include <backbone/assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { SLOT_BYTES = 128, SLOTS = 1 << 14, TEXT_BYTES = SLOT_BYTES - 1 - BB_HASH_BYTES };

struct slot {
	uint8_t n; /* 0: free; the empty text is hashed each time */
	char text[TEXT_BYTES];
	struct bb_hash hash;
};

_Static_assert(sizeof(struct slot) == SLOT_BYTES, "two lines of the processor's cache");

struct bb_memo {
	struct slot slots[SLOTS];
};

struct bb_memo *bb_memo_new(void)
{
	struct bb_memo *memo = calloc(1, sizeof(*memo)); /* pages that are not used cost nothing */

	bb_assert(memo != NULL);
	return memo;
}

void bb_memo_free(struct bb_memo *memo)
{
	free(memo);
}

/* The parts as the hash sees them; 0: they do not fit. */
static size_t join(const struct bb_text *parts, size_t n, char out[TEXT_BYTES])
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (parts[i].n >= TEXT_BYTES - used)
			return 0;
		if (i > 0)
			out[used++] = '\0';
		if (parts[i].n > 0)
			memcpy(out + used, parts[i].p, parts[i].n);
		used += parts[i].n;
	}
	return used;
}

struct bb_hash bb_memo_hash(struct bb_memo *memo, const struct bb_profile_key *key,
			    const struct bb_text *parts, size_t n)
{
	char text[TEXT_BYTES];
	size_t used = join(parts, n, text);
	struct slot *slot;

	if (!used)
		return bb_hash_parts(key, parts, n);
	slot = &memo->slots[XXH3_64bits(text, used) % SLOTS];
	if (slot->n != used || memcmp(slot->text, text, used) != 0) {
		slot->n = (uint8_t)used;
		memcpy(slot->text, text, used);
		slot->hash = bb_hash_parts(key, parts, n);
	}
	return slot->hash;
}
