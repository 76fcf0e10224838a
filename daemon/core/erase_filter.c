/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes after an erasure, or again (identity.md §8): each event passes the erasures that named
 * one of its identifiers, or its amount key, in the order in which they act, each on what the last
 * one left. Below the watermark everything erased goes; above it, in mode suppress, what stands for
 * the person alone.
 *
 * A store without tombstones pays nothing.
 */
#include "batch.h"
#include "tombstone.h"

#include <backbone/assert.h>

void bb_erase_begin(struct bb_batch *batch)
{
	int rc = bb_tomb_any(batch->kv, &batch->has_tombs, &batch->epoch);

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}

/* A tombstone, read once a batch: it may name thousands of records, and a suppressed person may go
 * on to send events. NULL: the batch has failed. */
static const struct bb_tomb *tomb_of(struct bb_batch *batch, const struct bb_tomb_order *order)
{
	struct bb_hash id;
	struct bb_tomb *tomb;
	int rc;

	memcpy(id.b, order->b + BB_TOMB_ORDER_BYTES - BB_HASH_BYTES, BB_HASH_BYTES);
	tomb = bb_table_get(&batch->tombs, &id);
	if (tomb)
		return tomb;
	tomb = bb_arena_zalloc(&batch->arena, sizeof(*tomb));
	rc = bb_tomb_get(batch->kv, order, &batch->arena, tomb);
	if (rc != BB_OK) {
		bb_batch_fail(batch, rc);
		return NULL;
	}
	bb_table_put(&batch->tombs, &id, tomb);
	return tomb;
}

/* An event as it passes. */
struct passing {
	struct bb_batch *batch;
	const struct bb_event *ev;
	struct bb_identifier ids[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_hash hashes[BB_EVENT_IDENTIFIERS_MAX];
	size_t n;
	bool stripped;
};

/* Finds the earliest erasure behind *order that named anything of the event. */
static bool next_erasure(struct passing *pass, struct bb_tomb_order *order)
{
	struct bb_batch *batch = pass->batch;
	struct bb_tomb_order best = {{0}}, at;
	struct bb_hash key;
	bool found = false, standing;

	for (size_t i = 0; i <= pass->n; i++) {
		int rc = BB_ENOTFOUND;

		at = *order;
		if (i < pass->n) {
			rc = bb_tomb_of_ident(batch->kv, &pass->hashes[i], &at, &standing);
		} else if (!pass->n && pass->ev->has_amount && pass->ev->amount.key.p) {
			key = bb_ledger_hash(batch, pass->ev);
			rc = bb_tomb_of_key(batch->kv, &key, &at);
		}
		if (rc != BB_OK && rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
		if (rc != BB_OK || (found && memcmp(at.b, best.b, sizeof(at.b)) >= 0))
			continue;
		best = at;
		found = true;
	}
	*order = best;
	return found && batch->err == BB_OK;
}

static bool is_below(const struct bb_event *ev, const struct bb_erasure_receipt *erasure)
{
	const struct bb_position *position = &ev->position;

	for (size_t i = 0; position->topic.p && i < erasure->watermark_n; i++)
		if (erasure->watermark[i].partition == position->partition &&
		    bb_text_equal(erasure->watermark[i].topic, position->topic))
			return position->offset < erasure->watermark[i].next_offset;
	return ev->time_ms < erasure->time_ms;
}

static const struct bb_erased_identifier *erased(const struct bb_erasure_receipt *erasure,
						 const struct bb_hash *hash)
{
	for (size_t i = 0; i < erasure->identifier_n; i++)
		if (bb_hash_equal(&erasure->identifiers[i].hash, hash))
			return &erasure->identifiers[i];
	return NULL;
}

static bool names_record(struct passing *pass, const struct bb_tomb_order *order)
{
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_hash hash;
	bool has = false;
	int rc;

	for (size_t i = 0; i < pass->n; i++) {
		ns[i] = pass->ids[i].ns_index;
		values[i] = pass->ids[i].value;
	}
	hash = bb_batch_hash_record(pass->batch, pass->ev->source, ns, values, pass->n);
	rc = bb_tomb_has_record(pass->batch->kv, &hash, order, &has);
	if (rc != BB_OK)
		bb_batch_fail(pass->batch, rc);
	return has;
}

bool bb_erase_is_below(struct bb_batch *batch, const struct bb_tomb_order *order,
		       const struct bb_event *ev)
{
	const struct bb_tomb *tomb = tomb_of(batch, order);

	return tomb && is_below(ev, &tomb->receipt);
}

/* True: something of the event is left. */
static bool pass_one(struct passing *pass, const struct bb_tomb_order *order, bool *ret_below)
{
	const struct bb_tomb *tomb = tomb_of(pass->batch, order);
	bool below, suppress;
	size_t n = 0;

	if (!tomb)
		return true;
	below = *ret_below = is_below(pass->ev, &tomb->receipt);
	suppress = tomb->receipt.mode == BB_ERASURE_SUPPRESS;
	if (!below && !suppress)
		return true;
	if (below && (!pass->n || names_record(pass, order)))
		return false;
	for (size_t i = 0; i < pass->n; i++) {
		const struct bb_erased_identifier *hit = erased(&tomb->receipt, &pass->hashes[i]);

		if (hit && hit->standing && i == 0) /* the strongest */
			return false;
		if (hit && (below || hit->standing))
			continue;
		pass->ids[n] = pass->ids[i];
		pass->hashes[n++] = pass->hashes[i];
	}
	pass->stripped = pass->stripped || n < pass->n;
	if (!n && pass->n)
		return false;
	pass->n = n;
	return true;
}

static bool has_both(const struct passing *pass, const struct bb_same *same)
{
	unsigned found = 0;

	for (size_t i = 0; i < pass->n; i++)
		for (unsigned k = 0; k < 2; k++)
			if (pass->ids[i].ns_index == same->pair[k].ns_index &&
			    bb_text_equal(pass->ids[i].value, same->pair[k].value))
				found |= 1u << k;
	return found == 3;
}

static const struct bb_event *strip(const struct passing *pass)
{
	struct bb_arena *arena = &pass->batch->arena;
	struct bb_event *ev = bb_arena_alloc(arena, sizeof(*ev));

	*ev = *pass->ev;
	ev->identifiers = bb_arena_alloc(arena, pass->n * sizeof(*ev->identifiers));
	memcpy(ev->identifiers, pass->ids, pass->n * sizeof(*ev->identifiers));
	ev->identifier_n = ev->identifier_room = pass->n;
	ev->same = bb_arena_alloc(arena, pass->ev->same_n * sizeof(*ev->same));
	ev->same_n = 0;
	for (size_t i = 0; i < pass->ev->same_n; i++)
		if (has_both(pass, &pass->ev->same[i]))
			ev->same[ev->same_n++] = pass->ev->same[i];
	return ev;
}

const struct bb_event *bb_erase_filter(struct bb_batch *batch, const struct bb_event *ev,
				       struct bb_tomb_order *ret_by, bool *ret_below)
{
	struct passing pass = {.batch = batch, .ev = ev, .n = ev->identifier_n};
	struct bb_tomb_order order = {{0}};

	bb_assert(ev->identifier_n <= BB_EVENT_IDENTIFIERS_MAX);
	for (size_t i = 0; i < pass.n; i++) {
		pass.ids[i] = ev->identifiers[i];
		pass.hashes[i] =
			bb_batch_hash_ident(batch, pass.ids[i].ns_index, pass.ids[i].value);
	}
	while (next_erasure(&pass, &order))
		if (!pass_one(&pass, &order, ret_below)) {
			*ret_by = order;
			return NULL;
		}
	return pass.stripped ? strip(&pass) : ev;
}

bool bb_erase_voids(struct bb_batch *batch, const struct bb_hash *ends, unsigned n, int64_t time_ms)
{
	for (unsigned i = 0; i < n; i++) {
		struct bb_tomb_order order = {{0}};
		bool standing;
		int rc;

		while ((rc = bb_tomb_of_ident(batch->kv, &ends[i], &order, &standing)) == BB_OK)
			if (time_ms <= bb_tomb_time(&order))
				return true;
		if (rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
	}
	return false;
}
