/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tombstones (identity.md §8). Keys of the table TOMBSTONE; *order* is the time u64 of an erasure
 * and the hash of its request id, so that erasures lie in the order in which they act:
 *
 *	'e' order                       -> the tombstone: all that is kept of the person
 *	'q' hash of the request id      -> its order
 *	'i' hash of identifier, order   -> whether it stands for that person alone
 *	'r' hash of record, order       -> nothing: it goes
 *	'k' hash of amount key, order   -> nothing: its entries without identifiers go
 *	's' hash of record, epoch u64   -> its fate when the epoch came to be that number
 *	'n'                             -> the epoch
 *
 * The epoch counts how often records of this store lost their names, by an erasure or by changed
 * rules. A fate is the order of the erasure that had the record gone; or the record that its events
 * are in since, and an identifier that leads there.
 */
#ifndef BB_CORE_TOMBSTONE_H
#define BB_CORE_TOMBSTONE_H

#include <backbone/erasure.h>

#include "batch.h"
#include "codec.h"

#define BB_TOMB_ORDER_BYTES (8 + BB_HASH_BYTES)

struct bb_tomb_order {
	uint8_t b[BB_TOMB_ORDER_BYTES];
};

struct bb_tomb {
	struct bb_erasure_receipt receipt; /* `again` and `profile` are not filled */
	struct bb_hash profile;
	struct bb_hash *records, *keys;
	size_t record_n, key_n;
};

struct bb_hash bb_tomb_hash_id(const struct bb_profile_key *key, struct bb_text id);
struct bb_tomb_order bb_tomb_order(int64_t time_ms, const struct bb_hash *id);
int64_t bb_tomb_time(const struct bb_tomb_order *order);

/* Whether there are any; and the epoch. */
BB_MUST_CHECK int bb_tomb_any(struct bb_kv *kv, bool *ret_any, uint64_t *ret_epoch);

/* Writes one with all that leads to it. */
BB_MUST_CHECK int bb_tomb_put(struct bb_kv *kv, const struct bb_tomb_order *order,
			      const struct bb_tomb *tomb);
BB_MUST_CHECK int bb_tomb_get(struct bb_kv *kv, const struct bb_tomb_order *order,
			      struct bb_arena *arena, struct bb_tomb *ret_tomb);
/* By the hash of the request id. */
BB_MUST_CHECK int bb_tomb_find(struct bb_kv *kv, const struct bb_hash *id,
			       struct bb_tomb_order *ret_order);
/* The order of the latest. BB_ENOTFOUND: there is none. */
BB_MUST_CHECK int bb_tomb_latest(struct bb_kv *kv, struct bb_tomb_order *ret_order);

/* The next erasure behind *order (zeros at first) that erased the identifier. BB_ENOTFOUND at the
 * end. */
BB_MUST_CHECK int bb_tomb_of_ident(struct bb_kv *kv, const struct bb_hash *ident,
				   struct bb_tomb_order *order, bool *ret_standing);
/* The same, of the entries without identifiers of an amount key. */
BB_MUST_CHECK int bb_tomb_of_key(struct bb_kv *kv, const struct bb_hash *key,
				 struct bb_tomb_order *order);
BB_MUST_CHECK int bb_tomb_has_record(struct bb_kv *kv, const struct bb_hash *record,
				     const struct bb_tomb_order *order, bool *ret_has);

/* What became of a record's events. */
struct bb_tomb_fate {
	struct bb_hash record, holder;
	bool gone;
	struct bb_tomb_order by; /* the erasure that had it gone; zeros: changed rules */
};
BB_MUST_CHECK int bb_tomb_put_fate(struct bb_kv *kv, const struct bb_hash *record, uint64_t epoch,
				   const struct bb_tomb_fate *fate);
/* Follows *fate, of an event that was counted at that epoch, to what became of it. */
BB_MUST_CHECK int bb_tomb_follow(struct bb_kv *kv, uint64_t epoch, struct bb_tomb_fate *fate);
BB_MUST_CHECK int bb_tomb_put_epoch(struct bb_kv *kv, uint64_t epoch);

/* One after the other, in the order in which they act: *order is zeros and `after` false at first.
 * BB_ENOTFOUND at the end. */
BB_MUST_CHECK int bb_tomb_next(struct bb_kv *kv, struct bb_tomb_order *order, bool after);

/*
 * erase.c: does in a batch of its own what a tombstone of another store says, to what is in this
 * one: records that it names go, and those whose strongest identifier stands for the person; the
 * others lose what was erased. Errors are the batch's.
 */
void bb_erase_carried(struct bb_batch *batch, const struct bb_tomb_order *at,
		      const struct bb_tomb *tomb);

#endif
