/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of adoption share (<backbone/adopt.h>). */
#ifndef BB_CORE_ADOPT_H
#define BB_CORE_ADOPT_H

#include <backbone/adopt.h>

#include "batch.h"

struct bb_adopt_move { /* a record that has another name now, or none */
	struct bb_hash record, holder;
	bool gone;
};

struct bb_adopt_moves {
	struct bb_hash_table table;
	struct bb_arena arena;
};

/* NULL: the record has the name that it had. */
const struct bb_adopt_move *bb_adopt_moved(const struct bb_adopt_moves *moves,
					   const struct bb_hash *record);

/* ledger.c: a row of the ledger of which nothing counts yet; what counts is counted. */
void bb_ledger_adopt(struct bb_batch *batch, struct bb_text key, struct bb_text value,
		     const struct bb_adopt_moves *moves);

/* adopt_compare.c: row by row through a table; all zeros but for what it walks. */
struct bb_adopt_walk {
	struct bb_kv *kv;
	enum bb_table table;
	uint8_t key[BB_KV_KEY_MAX];
	size_t n;
};
BB_MUST_CHECK int bb_adopt_next(struct bb_adopt_walk *walk, struct bb_text *ret_key,
				struct bb_text *ret_value);

/* The id of the next profile, of the table PROFILE. BB_ENOTFOUND: that was all. */
BB_MUST_CHECK int bb_adopt_next_id(struct bb_adopt_walk *walk, struct bb_hash *ret_id);

/* adopt_compare.c: of profiles alone; those that are new first, then those that have another id,
 * then those that are no more: so what they split from, and what others merge into, is there when
 * that is told. */
BB_MUST_CHECK int bb_adopt_compare_profiles(struct bb_kv *from, struct bb_kv *to,
					    void (*tell)(void *ctx,
							 const struct bb_difference *difference),
					    void *ctx);

/* adopt_feed.c: what the second store is to say of itself. */
struct bb_adopt_telling {
	struct bb_kv *from;
	const struct bb_rules *from_rules; /* with all namespaces that `from` has */
	enum bb_change_cause cause;
	int (*report)(void *ctx); /* a profile is done; not BB_OK: give it up with that */
	void *ctx;
};

/*
 * To the change feed of `to`, a batch that holds nothing else and sees all of the second store: ids
 * that came, went or moved, and the profiles whose view is another. BB_OK, what `report` said,
 * BB_ECORRUPT or the error of either store. It folds every profile of both, some 20 us each.
 */
BB_MUST_CHECK int bb_adopt_tell(const struct bb_adopt_telling *telling, struct bb_batch *to);

/* adopt_compare.c: about how many rows there are to do. */
int bb_adopt_total(struct bb_kv *from, uint64_t *ret_total);

#endif
