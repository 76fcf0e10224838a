/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes after an erasure, or again (identity.md §8): each event passes the erasures that named
 * one of its identifiers, or its amount key, in the order in which they act, each on what the last
 * one left. Below the watermark everything erased goes; above it, in mode suppress, what stands for
 * the person alone.
 *
 * What a tombstone names was made by rules of then. Where the store has had others than those of
 * now, the event passes under each of them too, in a *lane* of its own: what an erasure names in
 * one lane it takes off the event, and below the watermark an event that goes in one lane goes.
 * What it left in a lane of then is what the store of then had; where more was taken off the event
 * than in a lane, nobody can tell any more what the next erasure named, and the event goes.
 *
 * A store without tombstones pays nothing.
 */
#include "batch.h"
#include "tombstone.h"

#include <backbone/assert.h>
#include <backbone/gate.h>

void bb_erase_begin(struct bb_batch *batch)
{
	int rc = bb_tomb_any(batch->kv, &batch->has_tombs, &batch->epoch);

	if (rc == BB_OK && batch->has_tombs)
		rc = bb_forms_load(&batch->past, batch->kv, batch->rules);
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
	uint8_t was[BB_EVENT_IDENTIFIERS_MAX]; /* its place in the event */
	size_t n;
	struct bb_lane **lanes;
	size_t lane_n;
	bool stripped;
	bool unsure; /* a lane has more than the store of then may have had, or less */
};

/* The earliest erasure so far that is behind another. */
struct search {
	struct passing *pass;
	struct bb_tomb_order after, best;
	bool found;
};

static void note(struct search *search, int rc, const struct bb_tomb_order *at)
{
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(search->pass->batch, rc);
	if (rc != BB_OK ||
	    (search->found && memcmp(at->b, search->best.b, sizeof(search->best.b)) >= 0))
		return;
	search->best = *at;
	search->found = true;
}

static void search_ident(struct search *search, const struct bb_hash *hash)
{
	struct bb_tomb_order at = search->after;
	bool standing;

	note(search, bb_tomb_of_ident(search->pass->batch->kv, hash, &at, &standing), &at);
}

static void search_key(struct search *search)
{
	struct bb_batch *batch = search->pass->batch;
	const struct bb_event *ev = search->pass->ev;
	struct bb_tomb_order at = search->after;
	struct bb_hash key;

	if (!ev->has_amount || !ev->amount.key.p)
		return;
	key = bb_ledger_hash(batch, ev);
	note(search, bb_tomb_of_key(batch->kv, &key, &at), &at);
}

/* Finds the earliest erasure behind *order that named anything of the event. */
static bool next_erasure(struct passing *pass, struct bb_tomb_order *order)
{
	struct search search = {.pass = pass, .after = *order};
	bool any_empty = !pass->n;

	for (size_t i = 0; i < pass->n; i++)
		search_ident(&search, &pass->hashes[i]);
	for (size_t k = 0; k < pass->lane_n; k++) {
		const struct bb_lane *lane = pass->lanes[k];

		for (size_t i = 0; i < lane->n; i++)
			search_ident(&search, &lane->ids[i].hash);
		any_empty = any_empty || !lane->n;
	}
	if (any_empty)
		search_key(&search);
	*order = search.best;
	return search.found && pass->batch->err == BB_OK;
}

static bool is_below(const struct bb_event *ev, const struct bb_erasure_receipt *erasure)
{
	const struct bb_position *position = &ev->position;

	int64_t next_offset;

	if (position->topic.p && bb_erasure_lists(erasure, position->topic, position->partition,
						  &ev->birth, &next_offset))
		return position->offset < next_offset;
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

static bool names_hash(struct passing *pass, const struct bb_tomb_order *order,
		       const struct bb_hash *hash)
{
	bool has = false;
	int rc = bb_tomb_has_record(pass->batch->kv, hash, order, &has);

	if (rc != BB_OK)
		bb_batch_fail(pass->batch, rc);
	return has;
}

static bool names_record(struct passing *pass, const struct bb_tomb_order *order)
{
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_hash hash;

	for (size_t i = 0; i < pass->n; i++) {
		ns[i] = pass->ids[i].ns_index;
		values[i] = pass->ids[i].value;
	}
	hash = bb_batch_hash_record(pass->batch, pass->ev->source, ns, values, pass->n);
	return names_hash(pass, order, &hash);
}

static bool names_key(struct passing *pass, const struct bb_tomb *tomb)
{
	const struct bb_event *ev = pass->ev;
	struct bb_hash key;

	if (!ev->has_amount || !ev->amount.key.p)
		return false;
	key = bb_ledger_hash(pass->batch, ev);
	for (size_t i = 0; i < tomb->key_n; i++)
		if (bb_hash_equal(&tomb->keys[i], &key))
			return true;
	return false;
}

static bool names_set(struct passing *pass, const struct bb_tomb_order *order,
		      const struct bb_lane *lane, const struct bb_lane_id *const *ids, size_t n)
{
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_hash hash;

	for (size_t i = 0; i < n; i++) {
		ns[i] = ids[i]->id.ns_index;
		values[i] = ids[i]->id.value;
	}
	hash = bb_rules_hash_record(lane->rules, pass->ev->source, ns, values, n);
	return names_hash(pass, order, &hash);
}

/* The record of a lane; also without the namespaces that later rules did not have, which were taken
 * off what was there. */
static bool names_lane(struct passing *pass, const struct bb_tomb_order *order,
		       const struct bb_lane *lane)
{
	const struct bb_forms *forms = &pass->batch->past;
	const struct bb_lane_id *left[BB_EVENT_IDENTIFIERS_MAX];
	size_t n = lane->n;

	for (size_t i = 0; i < n; i++)
		left[i] = &lane->ids[i];
	if (names_set(pass, order, lane, left, n))
		return true;
	for (size_t later = lane->at + 1; later <= forms->n; later++) {
		const struct bb_rules *rules =
			later < forms->n ? &forms->items[later] : pass->batch->rules;
		size_t kept = 0, before = n;

		for (size_t i = 0; i < before; i++)
			if (bb_rules_namespace(rules, left[i]->id.ns) != BB_NS_UNKNOWN)
				left[kept++] = left[i];
		n = kept;
		if (n > 0 && n < before && names_set(pass, order, lane, left, n))
			return true;
	}
	return false;
}

bool bb_erase_is_below(struct bb_batch *batch, const struct bb_tomb_order *order,
		       const struct bb_event *ev)
{
	const struct bb_tomb *tomb = tomb_of(batch, order);

	return tomb && is_below(ev, &tomb->receipt);
}

/* What an erasure names of the event, in itself or in a lane, by place. */
struct hits {
	uint32_t any, standing;
};

static struct hits hits_of(const struct passing *pass, const struct bb_erasure_receipt *erasure)
{
	struct hits hits = {0, 0};
	uint32_t left = 0;

	for (size_t i = 0; i < pass->n; i++) {
		const struct bb_erased_identifier *hit = erased(erasure, &pass->hashes[i]);

		left |= BB_MASK(pass->was[i]);
		hits.any |= hit ? BB_MASK(pass->was[i]) : 0;
		hits.standing |= hit && hit->standing ? BB_MASK(pass->was[i]) : 0;
	}
	for (size_t k = 0; k < pass->lane_n; k++)
		for (size_t i = 0; i < pass->lanes[k]->n; i++) {
			const struct bb_lane_id *id = &pass->lanes[k]->ids[i];
			const struct bb_erased_identifier *hit = erased(erasure, &id->hash);

			hits.any |= hit ? id->now : 0;
			hits.standing |= hit && hit->standing ? id->now : 0;
		}
	hits.any &= left;
	hits.standing &= left;
	return hits;
}

static bool goes_in_lane(struct passing *pass, const struct bb_tomb_order *order,
			 const struct bb_tomb *tomb, const struct bb_lane *lane)
{
	const struct bb_erased_identifier *hit;

	if (!lane->n)
		return names_key(pass, tomb);
	hit = erased(&tomb->receipt, &lane->ids[0].hash);
	return (hit && hit->standing) || names_lane(pass, order, lane);
}

static bool goes_below(struct passing *pass, const struct bb_tomb_order *order,
		       const struct bb_tomb *tomb)
{
	if (pass->unsure || (pass->n ? names_record(pass, order) : names_key(pass, tomb)))
		return true;
	for (size_t k = 0; k < pass->lane_n; k++)
		if (goes_in_lane(pass, order, tomb, pass->lanes[k]))
			return true;
	return false;
}

/* Takes off a lane what its own identifiers say. False: nothing is left of it. */
static bool strip_lane(struct passing *pass, const struct bb_erasure_receipt *erasure, bool below,
		       uint32_t taken, struct bb_lane *lane)
{
	size_t n = 0;

	for (size_t i = 0; i < lane->n; i++) {
		const struct bb_erased_identifier *hit = erased(erasure, &lane->ids[i].hash);

		if (hit && (below || hit->standing))
			continue;
		pass->unsure = pass->unsure || (lane->ids[i].now & taken);
		lane->ids[n++] = lane->ids[i];
	}
	if (!n && lane->n)
		return false;
	lane->n = n;
	return true;
}

/* False: below, where the event was in a lane only with what is erased. */
static bool strip_lanes(struct passing *pass, const struct bb_erasure_receipt *erasure, bool below,
			uint32_t taken)
{
	size_t n = 0;

	for (size_t k = 0; k < pass->lane_n; k++) {
		if (strip_lane(pass, erasure, below, taken, pass->lanes[k]))
			pass->lanes[n++] = pass->lanes[k];
		else if (below)
			return false;
	}
	pass->lane_n = n;
	return true;
}

/* True: something of the event is left. */
static bool pass_one(struct passing *pass, const struct bb_tomb_order *order, bool *ret_below)
{
	const struct bb_tomb *tomb = tomb_of(pass->batch, order);
	struct hits hits;
	bool below;
	size_t n = 0;
	uint32_t taken;

	if (!tomb)
		return true;
	below = *ret_below = is_below(pass->ev, &tomb->receipt);
	if (!below && tomb->receipt.mode != BB_ERASURE_SUPPRESS)
		return true;
	hits = hits_of(pass, &tomb->receipt);
	if (pass->n && hits.standing & BB_MASK(pass->was[0])) /* the strongest */
		return false;
	if (below && goes_below(pass, order, tomb))
		return false;
	taken = below ? hits.any : hits.standing;
	if (!strip_lanes(pass, &tomb->receipt, below, taken))
		return false;
	for (size_t i = 0; i < pass->n; i++) {
		if (taken & BB_MASK(pass->was[i]))
			continue;
		pass->ids[n] = pass->ids[i];
		pass->was[n] = pass->was[i];
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
		pass.was[i] = (uint8_t)i;
		pass.hashes[i] =
			bb_batch_hash_ident(batch, pass.ids[i].ns_index, pass.ids[i].value);
	}
	if (batch->past.n)
		pass.lanes =
			bb_forms_lanes(&batch->past, batch->rules, ev, &batch->arena, &pass.lane_n);
	while (next_erasure(&pass, &order))
		if (!pass_one(&pass, &order, ret_below)) {
			*ret_by = order;
			return NULL;
		}
	return pass.stripped ? strip(&pass) : ev;
}

static bool voids(struct bb_batch *batch, const struct bb_hash *end, int64_t time_ms)
{
	struct bb_tomb_order order = {{0}};
	bool standing;
	int rc;

	while ((rc = bb_tomb_of_ident(batch->kv, end, &order, &standing)) == BB_OK)
		if (time_ms <= bb_tomb_time(&order))
			return true;
	if (rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	return false;
}

/* What it is on, as the rules of then made it. */
static bool voids_form(struct bb_batch *batch, const struct bb_ruling *ruling, unsigned end,
		       const struct bb_rules *rules)
{
	struct bb_identifier given = ruling->on[end], forms[BB_GATE_FORMS_MAX];
	struct bb_hash hash;

	if (ruling->given[end].p)
		given.value = ruling->given[end];
	if (!bb_gate_forms(rules, &given, &batch->arena, forms))
		return false;
	hash = bb_hash_identifier(&batch->rules->profile_key, given.ns, forms[0].value);
	return voids(batch, &hash, ruling->time_ms);
}

bool bb_erase_voids(struct bb_batch *batch, const struct bb_ruling *ruling,
		    const struct bb_hash *ends, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (voids(batch, &ends[i], ruling->time_ms))
			return true;
		for (size_t k = 0; k < batch->past.n; k++)
			if (voids_form(batch, ruling, i, &batch->past.items[k]))
				return true;
	}
	return false;
}
