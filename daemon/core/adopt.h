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

/* adopt_compare.c: of profiles alone, those that are new first: what they split from, and what
 * others merge into, is there when that is told. */
BB_MUST_CHECK int bb_adopt_compare_profiles(struct bb_kv *from, struct bb_kv *to,
					    void (*tell)(void *ctx,
							 const struct bb_difference *difference),
					    void *ctx);

/* adopt_compare.c: about how many rows there are to do. */
int bb_adopt_total(struct bb_kv *from, uint64_t *ret_total);

#endif
