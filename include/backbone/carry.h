/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store that is filled from the log anew takes over from the one whose place it will have:
 * what was never in the log, so what people gave.
 *
 *	bb_carry_orders	before anything is read: erasures, and rulings that did not come by the log
 *	bb_carry_more	while it is filled: those that were given since
 *	bb_carry_end	when it holds all: the audit log, the change feed with its numbers and
 *			histories, and in the feed what is different now
 *
 * Under the same configuration the result is the store that it was filled beside; under other
 * connectors that of a store which had these from the beginning.
 */
#ifndef BACKBONE_CARRY_H
#define BACKBONE_CARRY_H

#include <backbone/adopt.h>
#include <backbone/audit.h>
#include <backbone/pipeline.h>

/* BB_OK; BB_EINVAL: `to` has records; BB_ECORRUPT or the error of either store. */
BB_MUST_CHECK int bb_carry_orders(struct bb_kv *from, struct bb_kv *to,
				  const struct bb_profile_key *key);

/* What there is to carry, in a batch that was begun on `to` and holds nothing else. */
struct bb_carried {
	uint64_t erasures, rulings; /* that were not there */
	bool more;		    /* an erasure is alone in its batch: commit, and ask again */
};

/*
 * Erasures act on what was read already: as an erasure that a replica learns of late (erasure.h),
 * it takes the whole of each record that it names, and may forget more than the first store did,
 * never less. BB_OK, BB_ECORRUPT or the error of either store: then abort the batch. Slices live
 * in the arena, until the batch is in.
 */
BB_MUST_CHECK int bb_carry_more(struct bb_kv *from, struct bb_kv *to, struct bb_pipeline *pl,
				const struct bb_profile_key *key, struct bb_arena *arena,
				struct bb_carried *ret_carried);

/* An erasure with all that it names, on its way between two stores as something else than rows. */
struct bb_tombstone {
	struct bb_erasure_receipt receipt; /* `again` and `dead_letters` are not filled */
	struct bb_hash *records, *keys;
	size_t record_n, key_n;
};

/* As bb_erasure_next. */
BB_MUST_CHECK int bb_tombstone_next(struct bb_kv *kv, struct bb_erasure_cursor *cursor,
				    struct bb_arena *arena, struct bb_tombstone *ret_stone);

/* Does what it says, as bb_carry_more does, in a batch of its own that was begun on `kv`; nothing
 * where its id is known. It must live until the batch is in. BB_OK or the store's error: then abort
 * the batch. */
BB_MUST_CHECK int bb_tombstone_take(struct bb_pipeline *pl, struct bb_kv *kv,
				    const struct bb_tombstone *stone, bool *ret_known);

/* How the store made identifiers of what came, under all rules that it has had: what tombstones
 * name may be of any of them. Bytes that mean something to the other one only. */
BB_MUST_CHECK int bb_tombstone_forms(struct bb_kv *kv, struct bb_arena *arena,
				     struct bb_text *ret_forms);
/* BB_OK; BB_EINVAL: they are no such bytes; or the store's error. */
BB_MUST_CHECK int bb_tombstone_take_forms(struct bb_kv *kv, struct bb_text forms);

/*
 * `from` and `to` hold the same part of the log; the change feed of `to` is empty. `entry` is
 * appended to the audit log. What is different goes to the feed with the cause REBUILD: ids that
 * came, went or moved, and the profiles whose view is another. BB_OK; BB_EBUSY (given up by
 * target->progress); BB_ECORRUPT or the error of either store: then throw `to` away. On a thread of
 * the pool: it folds every profile of both stores, some 20 us each.
 */
BB_MUST_CHECK int bb_carry_end(struct bb_kv *from, const struct bb_rules *rules,
			       const struct bb_adopt_target *target, const struct bb_audit *entry);

#endif
