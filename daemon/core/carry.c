/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrying over what is not in the log. Erasures go as their tombstones, in the order in which they
 * act; rulings by their ids, so that one that is there already is passed over. At the end the audit
 * log is copied as it is, hashes and all, and the change feed entry by entry, since the numbers
 * that stand for topics are another store's. Then both stores are compared.
 *
 * Everything is written in slices, so that memory is bounded by one of them. Any error ends it: the
 * second store is then worth nothing.
 */
#include <backbone/carry.h>

#include <backbone/assert.h>

#include "adopt.h"
#include "feed.h"
#include "ruling.h"
#include "tombstone.h"

enum { SLICE = 4000 };

/* --- orders ----------------------------------------------------------------------------------- */

static int put_ruling(struct bb_kv *to, const struct bb_profile_key *key,
		      const struct bb_ruling *ruling)
{
	return ruling->by_log ? BB_OK : bb_ruling_put(to, key, ruling);
}

int bb_carry_orders(struct bb_kv *from, struct bb_kv *to, const struct bb_profile_key *key)
{
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_ruling_row row;
	struct bb_arena arena;
	int rc = bb_erasure_carry(from, to);

	bb_arena_init(&arena);
	while (rc == BB_OK) {
		bb_arena_reset(&arena);
		rc = bb_ruling_next(from, key, &cursor, &arena, &row);
		if (rc == BB_OK)
			rc = put_ruling(to, key, &row.ruling);
	}
	bb_arena_fini(&arena);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

/* The first tombstone that `to` does not have. BB_ENOTFOUND: none. */
static int next_erasure(struct bb_kv *from, struct bb_kv *to, struct bb_arena *arena,
			struct bb_tomb_order *ret_order, struct bb_tomb *ret_tomb)
{
	struct bb_tomb_order order = {{0}}, found;
	bool after = false;
	int rc;

	while ((rc = bb_tomb_next(from, &order, after)) == BB_OK) {
		struct bb_hash id;

		after = true;
		memcpy(id.b, order.b + BB_TOMB_ORDER_BYTES - BB_HASH_BYTES, BB_HASH_BYTES);
		rc = bb_tomb_find(to, &id, &found);
		if (rc == BB_OK)
			continue;
		if (rc != BB_ENOTFOUND)
			return rc;
		*ret_order = order;
		return bb_tomb_get(from, &order, arena, ret_tomb);
	}
	return rc;
}

/* Of this person's word: one that came by the log comes from there again. */
static int carry_ruling(struct bb_kv *to, struct bb_pipeline *pl, const struct bb_profile_key *key,
			const struct bb_ruling *ruling, struct bb_arena *arena, uint64_t *n)
{
	struct bb_hash id = bb_ruling_hash_id(key, ruling->id);
	struct bb_refusal refusal;
	struct bb_ruling known;
	int rc = bb_ruling_by_hash(to, &id, arena, &known);

	if (rc != BB_ENOTFOUND && (rc != BB_OK || !known.by_log))
		return rc;
	*n += bb_pipeline_rule(pl, ruling, &refusal) == BB_VERDICT_APPLIED;
	return BB_OK;
}

static int carry_rulings(struct bb_kv *from, struct bb_kv *to, struct bb_pipeline *pl,
			 const struct bb_profile_key *key, struct bb_arena *arena, uint64_t *n)
{
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_ruling_row row;
	int rc;

	while ((rc = bb_ruling_next(from, key, &cursor, arena, &row)) == BB_OK) {
		if (!row.ruling.by_log)
			rc = carry_ruling(to, pl, key, &row.ruling, arena, n);
		if (rc != BB_OK)
			return rc;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_carry_more(struct bb_kv *from, struct bb_kv *to, struct bb_pipeline *pl,
		  const struct bb_profile_key *key, struct bb_arena *arena,
		  struct bb_carried *ret_carried)
{
	struct bb_batch *batch = bb_pipeline_batch(pl);
	struct bb_tomb_order order;
	struct bb_tomb tomb;
	int rc = next_erasure(from, to, arena, &order, &tomb);

	*ret_carried = (struct bb_carried){.more = rc == BB_OK, .erasures = rc == BB_OK};
	if (rc == BB_OK) {
		batch->alone = true;
		rc = bb_forms_carry(from, to);
		if (rc != BB_OK)
			return rc;
		bb_erase_carried(batch, &order, &tomb);
		return batch->err;
	}
	if (rc != BB_ENOTFOUND)
		return rc;
	return carry_rulings(from, to, pl, key, arena, &ret_carried->rulings);
}

/* --- one by one ------------------------------------------------------------------------------- */

int bb_tombstone_next(struct bb_kv *kv, struct bb_erasure_cursor *cursor, struct bb_arena *arena,
		      struct bb_tombstone *ret_stone)
{
	struct bb_erasure_receipt receipt;
	struct bb_tomb_order order;
	struct bb_tomb tomb;
	int rc = bb_erasure_next(kv, cursor, arena, &receipt);

	if (rc != BB_OK)
		return rc;
	memcpy(order.b, cursor->last, BB_TOMB_ORDER_BYTES);
	rc = bb_tomb_get(kv, &order, arena, &tomb);
	if (rc == BB_OK)
		*ret_stone = (struct bb_tombstone){receipt, tomb.records, tomb.keys, tomb.record_n,
						   tomb.key_n};
	return rc;
}

int bb_tombstone_take(struct bb_pipeline *pl, struct bb_kv *kv, const struct bb_tombstone *stone,
		      bool *ret_known)
{
	struct bb_batch *batch = bb_pipeline_batch(pl);
	struct bb_hash id = bb_tomb_hash_id(&batch->rules->profile_key, stone->receipt.id);
	struct bb_tomb_order order = bb_tomb_order(stone->receipt.time_ms, &id), found;
	struct bb_tomb tomb = {.receipt = stone->receipt,
			       .records = stone->records,
			       .keys = stone->keys,
			       .record_n = stone->record_n,
			       .key_n = stone->key_n};
	int rc = batch->err == BB_OK ? bb_tomb_find(kv, &id, &found) : batch->err;

	*ret_known = rc == BB_OK;
	if (rc != BB_ENOTFOUND)
		return rc;
	bb_assert(bb_hash_parse_profile_id(
		bb_text_bytes(stone->receipt.profile, BB_PROFILE_ID_BYTES), &tomb.profile));
	batch->alone = true;
	bb_erase_carried(batch, &order, &tomb);
	return batch->err;
}

/* --- the end ---------------------------------------------------------------------------------- */

struct carrying {
	struct bb_kv *from;
	const struct bb_rules *rules;
	const struct bb_adopt_target *target;
	struct bb_pipeline *pl;
	struct bb_kv *kv; /* of the slice */
	uint64_t done, total;
};

static int begin_slice(struct carrying *carry)
{
	int rc = carry->target->write_begin(carry->target->ctx, &carry->kv);

	if (rc != BB_OK)
		return rc;
	bb_pipeline_begin(carry->pl, carry->kv);
	bb_pipeline_batch(carry->pl)->quiet = true;
	return BB_OK;
}

static int end_slice(struct carrying *carry, int rc)
{
	struct bb_kv *kv = carry->kv;

	carry->kv = NULL;
	if (rc == BB_OK)
		rc = bb_pipeline_finish(carry->pl);
	if (rc == BB_OK)
		rc = carry->target->write_commit(kv);
	else
		carry->target->write_abort(kv);
	if (rc != BB_OK)
		bb_pipeline_abort(carry->pl);
	return rc;
}

static int report(struct carrying *carry, uint64_t more)
{
	const struct bb_adopt_target *target = carry->target;

	carry->done += more;
	if (carry->done > carry->total)
		carry->done = carry->total;
	if (!target->progress)
		return BB_OK;
	return target->progress(target->ctx,
				carry->total ? (unsigned)(1000 * carry->done / carry->total) : 0)
		       ? BB_OK
		       : BB_EBUSY;
}

/* The topic's number in the second store. */
static int translate(struct carrying *carry, struct bb_feed_entry *entry)
{
	struct bb_batch *batch = bb_pipeline_batch(carry->pl);
	struct bb_text topic;
	int rc;

	if (!entry->has_position)
		return BB_OK;
	rc = bb_names_read(carry->from, BB_NAME_TOPIC, entry->topic, &topic);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	entry->topic = bb_names_add(batch->names, BB_NAME_TOPIC, topic);
	return BB_OK;
}

static int copy_changes(struct carrying *carry, struct bb_text key, struct bb_text value)
{
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_feed_block block = bb_feed_get_block(&cur);
	struct bb_buf buf = BB_BUF_EMPTY;
	int rc = BB_OK;

	bb_feed_put_block(&buf, &block);
	for (uint64_t i = 0; rc == BB_OK && i < block.n && !cur.bad; i++) {
		struct bb_feed_entry entry = bb_feed_get_entry(&cur);

		if (cur.bad)
			break;
		rc = translate(carry, &entry);
		bb_feed_put_entry(&buf, &entry);
	}
	if (cur.bad)
		rc = BB_ECORRUPT;
	if (rc == BB_OK)
		rc = bb_kv_put(carry->kv, BB_TABLE_CHANGE, key, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return rc;
}

static int copy_audit(struct carrying *carry, struct bb_text key, struct bb_text value)
{
	return bb_kv_put(carry->kv, BB_TABLE_AUDIT, key, value);
}

static int copy_table(struct carrying *carry, enum bb_table table,
		      int (*copy)(struct carrying *carry, struct bb_text key, struct bb_text value))
{
	struct bb_adopt_walk walk = {.kv = carry->from, .table = table};
	struct bb_text key, value;
	int found = BB_OK, rc = BB_OK;

	while (rc == BB_OK && found == BB_OK) {
		size_t n = 0;

		rc = begin_slice(carry);
		if (rc != BB_OK)
			return rc;
		while (rc == BB_OK && n++ < SLICE &&
		       (found = bb_adopt_next(&walk, &key, &value)) == BB_OK)
			rc = copy(carry, key, value);
		if (rc == BB_OK && found != BB_OK && found != BB_ENOTFOUND)
			rc = found;
		rc = end_slice(carry, rc);
		if (rc == BB_OK)
			rc = report(carry, 0);
	}
	return rc;
}

static int copy_meta(struct carrying *carry, struct bb_text key)
{
	struct bb_text value;
	int rc = bb_kv_get(carry->from, BB_TABLE_META, key, &value);

	if (rc == BB_OK)
		rc = bb_kv_put(carry->kv, BB_TABLE_META, key, value);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int copy_heads(struct carrying *carry)
{
	int rc = begin_slice(carry);

	if (rc != BB_OK)
		return rc;
	rc = copy_meta(carry, BB_FEED_LAST);
	if (rc == BB_OK)
		rc = copy_meta(carry, BB_AUDIT_HEAD);
	return end_slice(carry, rc);
}

/* --- what is different ------------------------------------------------------------------------ */

static int on_compared(void *ctx)
{
	return report(ctx, 1);
}

static int write_changes(struct carrying *carry, const struct bb_audit *entry)
{
	const struct bb_adopt_telling telling = {.from = carry->from,
						 .from_rules = carry->rules,
						 .cause = BB_CAUSE_REBUILD,
						 .report = on_compared,
						 .ctx = carry};
	int rc = begin_slice(carry);

	if (rc != BB_OK)
		return rc;
	rc = bb_adopt_tell(&telling, bb_pipeline_batch(carry->pl));
	if (rc == BB_OK)
		rc = bb_audit_append(carry->kv, entry);
	return end_slice(carry, rc);
}

int bb_carry_end(struct bb_kv *from, const struct bb_rules *rules,
		 const struct bb_adopt_target *target, const struct bb_audit *entry)
{
	struct carrying carry = {.from = from, .rules = rules, .target = target};
	int rc = bb_count_profiles(from, &carry.total);

	carry.pl = bb_pipeline_new(rules);
	if (rc == BB_OK)
		rc = copy_table(&carry, BB_TABLE_AUDIT, copy_audit);
	if (rc == BB_OK)
		rc = copy_table(&carry, BB_TABLE_CHANGE, copy_changes);
	if (rc == BB_OK)
		rc = copy_heads(&carry);
	if (rc == BB_OK)
		rc = write_changes(&carry, entry);
	bb_pipeline_free(carry.pl);
	return rc;
}
