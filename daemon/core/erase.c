/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing a person from the state (identity.md §8): the records of the profile go, and those that
 * begin with an identifier which stands for this person alone; from other records the erased
 * identifiers are taken off, so that their facts become those of the record with the rest. Rulings
 * on what is erased are void. What remains is a tombstone. Identity is then settled as in any other
 * batch: links that are gone, identifiers that nobody has.
 *
 * Fails before anything is changed where the key leads to no person; a store's error is that of the
 * batch.
 */
#include <backbone/gate.h>

#include "changes.h"
#include "ruling.h"
#include "tombstone.h"

struct list {
	struct bb_record **items;
	size_t n, room;
};

struct erasing {
	struct bb_batch *batch;
	const struct bb_erasure *order;
	struct bb_profile *profile;
	struct list own,
		others; /* own: they go; others lose identifiers, or begin with one that stands */
	struct bb_tomb tomb;
	struct bb_tomb_order at;
	size_t record_room, key_room;
	struct bb_fact_displaced *displaced; /* amounts that a twin no longer takes back */
	size_t displaced_n, displaced_room;
	struct bb_ident **met; /* identifiers of all these records */
	size_t met_n, met_room;
};

/* --- whom ------------------------------------------------------------------------------------- */

static int find(struct erasing *er)
{
	struct bb_batch *batch = er->batch;
	struct bb_identifier id = {.blocked = false};
	struct bb_hash hash;
	struct bb_ident *ident;

	if (!bb_hash_parse_profile_id(er->order->key, &hash)) {
		if (!bb_gate_key(batch->rules, er->order->key, &batch->arena, &id))
			return BB_EINVAL;
		hash = bb_batch_hash_ident(batch, id.ns_index, id.value);
	}
	ident = bb_batch_ident(batch, &hash);
	if (batch->err != BB_OK)
		return batch->err;
	if (!ident)
		return id.blocked ? BB_EACCESS : BB_ENOTFOUND;
	if (ident->blocked)
		return BB_EACCESS;
	if (ident->shared) /* stands for no one person */
		return BB_EINVAL;
	er->profile = bb_batch_profile_of(batch, ident);
	return batch->err;
}

/* --- what ------------------------------------------------------------------------------------- */

static void meet(struct erasing *er, struct bb_record *record)
{
	for (size_t i = 0; i < record->ident_n; i++)
		BB_ARENA_PUSH(&er->batch->arena, er->met, er->met_n, er->met_room) =
			bb_batch_record_ident(er->batch, record, i);
}

/* Of an erasure that is carried here: its tombstone is in the store already. */
static bool names_record(struct erasing *er, const struct bb_hash *record)
{
	bool has = false;
	int rc = bb_tomb_has_record(er->batch->kv, record, &er->at, &has);

	if (rc != BB_OK)
		bb_batch_fail(er->batch, rc);
	return has;
}

static bool is_own(struct erasing *er, struct bb_record *record)
{
	if (!er->profile)
		return names_record(er, &record->hash);
	int anchor = bb_rows_anchor(record->ident_n, record->blocked, record->shared);

	return anchor >= 0 &&
	       bb_batch_profile_of(er->batch, bb_batch_record_ident(er->batch, record,
								    (size_t)anchor)) == er->profile;
}

static void collect_of(struct erasing *er, struct bb_ident *ident)
{
	struct bb_batch *batch = er->batch;
	struct bb_record *record;

	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++) {
		struct list *list = is_own(er, record) ? &er->own : &er->others;

		if (record->listed)
			continue;
		record->listed = true;
		bb_batch_whole(batch, record);
		BB_ARENA_PUSH(&batch->arena, list->items, list->n, list->room) = record;
		meet(er, record);
	}
}

static void collect(struct erasing *er)
{
	er->batch->mark++;
	for (size_t i = 0; i < er->profile->member_n; i++)
		collect_of(er, bb_batch_member_ident(er->batch, &er->profile->members[i]));
}

/* An owner outside the profile came with it. */
static bool has_other_owner(struct erasing *er, struct bb_ident *ident)
{
	struct bb_batch *batch = er->batch;
	struct bb_record *record;

	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		for (size_t k = 0; k < record->ident_n; k++) {
			struct bb_ident *other = bb_batch_record_ident(batch, record, k);

			if (!other->blocked && batch->rules->namespaces[other->ns].owner &&
			    bb_batch_profile_of(batch, other) != er->profile)
				return true;
		}
	return false;
}

static bool stands(struct erasing *er, struct bb_ident *ident)
{
	const struct bb_namespace *ns = &er->batch->rules->namespaces[ident->ns];

	if (ident->shared)
		return false;
	return ns->owner || (ns->durable && !has_other_owner(er, ident));
}

static void list_identifiers(struct erasing *er)
{
	struct bb_erasure_receipt *receipt = &er->tomb.receipt;
	size_t n = er->profile->member_n;

	receipt->identifiers = bb_arena_alloc(&er->batch->arena, n * sizeof(*receipt->identifiers));
	receipt->identifier_n = n;
	for (size_t i = 0; i < n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(er->batch, &er->profile->members[i]);

		receipt->identifiers[i] =
			(struct bb_erased_identifier){ident->hash, stands(er, ident)};
	}
}

static const struct bb_erased_identifier *erased(const struct erasing *er,
						 const struct bb_ident *ident)
{
	const struct bb_erasure_receipt *receipt = &er->tomb.receipt;

	for (size_t i = 0; i < receipt->identifier_n; i++)
		if (bb_hash_equal(&receipt->identifiers[i].hash, &ident->hash))
			return &receipt->identifiers[i];
	return NULL;
}

static bool goes(const struct bb_hash *hash, void *ctx)
{
	const struct erasing *er = ctx;

	for (size_t i = 0; i < er->own.n; i++)
		if (bb_hash_equal(&er->own.items[i]->hash, hash))
			return true;
	return false;
}

static void list_records(struct erasing *er)
{
	struct bb_tomb *tomb = &er->tomb;

	for (size_t i = 0; i < er->own.n; i++) {
		const struct bb_record *record = er->own.items[i];

		BB_ARENA_PUSH(&er->batch->arena, tomb->records, tomb->record_n, er->record_room) =
			record->hash;
		bb_ledger_unclaimed(er->batch, record, goes, er, &tomb->keys, &tomb->key_n,
				    &er->key_room);
	}
	tomb->receipt.keys = tomb->key_n;
}

/* --- doing it --------------------------------------------------------------------------------- */

static void put_fate(struct erasing *er, const struct bb_hash *record,
		     const struct bb_record *successor)
{
	struct bb_tomb_fate fate = {.gone = !successor, .by = er->at};
	int rc;

	if (successor) {
		fate.record = successor->hash;
		fate.holder =
			bb_batch_hash_ident(er->batch, successor->ns[0], successor->values[0]);
	}
	rc = bb_tomb_put_fate(er->batch->kv, record, er->batch->epoch, &fate);
	if (rc != BB_OK)
		bb_batch_fail(er->batch, rc);
}

/* The record with the identifiers that are left; NULL: none is. */
static struct bb_record *successor_of(struct erasing *er, struct bb_record *record,
				      uint8_t places[BB_EVENT_IDENTIFIERS_MAX])
{
	struct bb_batch *batch = er->batch;
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < record->ident_n; i++) {
		const struct bb_ident *ident = bb_batch_record_ident(batch, record, i);
		const struct bb_erased_identifier *hit = erased(er, ident);

		if (i == 0 && hit && hit->standing)
			return NULL;
		places[i] = UINT8_MAX;
		if (hit)
			continue;
		places[i] = (uint8_t)n;
		ns[n] = record->ns[i];
		values[n++] = record->values[i];
	}
	if (!n)
		return NULL;
	return bb_batch_record_of(batch,
				  bb_names_text(batch->names, BB_NAME_SOURCE, record->source), ns,
				  values, n, 0);
}

static void free_displaced(struct erasing *er, const struct bb_facts *facts)
{
	for (size_t i = 0; i < facts->displaced_n; i++)
		BB_ARENA_PUSH(&er->batch->arena, er->displaced, er->displaced_n,
			      er->displaced_room) = facts->displaced[i];
}

static void hand_over(struct erasing *er, struct bb_record *record)
{
	struct bb_batch *batch = er->batch;
	uint8_t places[BB_EVENT_IDENTIFIERS_MAX] = {0};
	struct bb_record *to = successor_of(er, record, places);
	const struct bb_facts *facts = &record->facts;

	if (batch->err != BB_OK)
		return; /* what was found may be half a record */

	put_fate(er, &record->hash, to);
	if (to) {
		er->tomb.receipt.stripped++;
		bb_batch_dirty_record(batch, to);
		bb_facts_unite(&batch->fold, &to->facts, facts);
		for (size_t i = 0; i < facts->same_n; i++) {
			uint8_t a = places[facts->same[i].a], b = places[facts->same[i].b];

			if (a != UINT8_MAX && b != UINT8_MAX)
				bb_batch_add_same(batch, to, a, b, facts->same[i].n);
		}
		bb_identity_touch(batch, to);
	} else {
		free_displaced(er, facts);
		er->tomb.receipt.records++;
		er->tomb.receipt.events += facts->events;
	}
	bb_ledger_give(batch, record, to);
	bb_identity_drop(batch, record);
}

static void drop_records(struct erasing *er)
{
	struct bb_batch *batch = er->batch;

	for (size_t i = 0; i < er->own.n; i++)
		bb_ledger_take(batch, er->own.items[i]);
	for (size_t i = 0; i < er->others.n; i++)
		bb_ledger_take(batch, er->others.items[i]);
	for (size_t i = 0; i < er->own.n && batch->err == BB_OK; i++) {
		struct bb_record *record = er->own.items[i];

		put_fate(er, &record->hash, NULL);
		free_displaced(er, &record->facts);
		er->tomb.receipt.records++;
		er->tomb.receipt.events += record->facts.events;
		bb_ledger_give(batch, record, NULL);
		bb_identity_drop(batch, record);
	}
	for (size_t i = 0; i < er->others.n && batch->err == BB_OK; i++)
		hand_over(er, er->others.items[i]);
	for (size_t i = 0; i < er->tomb.key_n && batch->err == BB_OK; i++) {
		put_fate(er, &er->tomb.keys[i], NULL);
		bb_ledger_drop_unclaimed(batch, &er->tomb.keys[i]);
	}
	bb_ledger_settle(batch);
	for (size_t i = 0; i < er->displaced_n && batch->err == BB_OK; i++)
		bb_window_restore(batch, &er->displaced[i]);
	bb_identity_dropped(batch, er->met, er->met_n);
}

/* Rulings on the identifier that are not later than the erasure. */
static void void_rulings(struct erasing *er, const struct bb_hash *ident)
{
	struct bb_batch *batch = er->batch;
	const struct bb_profile_key *key = &batch->rules->profile_key;
	struct bb_hash cursor = {{0}};
	struct bb_ruling ruling;
	int rc;

	while ((rc = bb_ruling_of_ident(batch->kv, ident, &cursor)) == BB_OK) {
		rc = bb_ruling_by_hash(batch->kv, &cursor, &batch->arena, &ruling);
		if (rc != BB_OK)
			break;
		if (ruling.time_ms > er->tomb.receipt.time_ms)
			continue;
		bb_steward_note(batch, &ruling);
		rc = bb_ruling_remove(batch->kv, key, ruling.id, &batch->arena);
		if (rc != BB_OK)
			break;
		er->tomb.receipt.rulings++;
	}
	if (rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
}

/* What was collected goes, and is told. */
static void drop(struct erasing *er)
{
	struct bb_batch *batch = er->batch;
	const struct bb_erasure_receipt *receipt = &er->tomb.receipt;
	size_t n = receipt->identifier_n;
	struct bb_hash *hashes = bb_arena_alloc(&batch->arena, n * sizeof(*hashes));

	for (size_t i = 0; i < n; i++)
		hashes[i] = receipt->identifiers[i].hash;
	if (!batch->quiet)
		bb_changes_erased(batch, hashes, n);
	batch->has_tombs = true;
	batch->epoch++;
	drop_records(er);
	for (size_t i = 0; i < n; i++)
		void_rulings(er, &hashes[i]);
}

/* Later than every erasure before, and than every event that came without a position. */
static int64_t time_of(struct erasing *er)
{
	int64_t time_ms = er->order->time_ms;
	struct bb_tomb_order latest;
	uint64_t filed_ms = 0;
	int rc = bb_tomb_latest(er->batch->kv, &latest);

	if (rc == BB_OK && bb_tomb_time(&latest) >= time_ms)
		time_ms = bb_tomb_time(&latest) + 1;
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(er->batch, rc);
	if (bb_batch_counter(er->batch, BB_TEXT("filed_ms"), &filed_ms) &&
	    (int64_t)filed_ms >= time_ms)
		time_ms = (int64_t)filed_ms + 1;
	return time_ms;
}

/* The same request again: what it did then. */
static int repeat(struct erasing *er, const struct bb_hash *id, struct bb_arena *arena,
		  struct bb_erasure_receipt *ret_receipt)
{
	struct bb_tomb_order order;
	int rc = bb_tomb_find(er->batch->kv, id, &order);

	if (rc == BB_OK)
		rc = bb_tomb_get(er->batch->kv, &order, arena, &er->tomb);
	if (rc != BB_OK)
		return rc;
	*ret_receipt = er->tomb.receipt;
	ret_receipt->again = true;
	bb_hash_profile_id(&er->tomb.profile, ret_receipt->profile);
	return BB_OK;
}

static int write(struct erasing *er, struct bb_arena *arena, struct bb_erasure_receipt *ret_receipt)
{
	struct bb_batch *batch = er->batch;
	int rc = batch->err;

	if (rc == BB_OK)
		rc = bb_tomb_put(batch->kv, &er->at, &er->tomb);
	if (rc == BB_OK)
		rc = bb_tomb_put_epoch(batch->kv, batch->epoch);
	if (rc == BB_OK) /* for the caller: in its arena */
		rc = bb_tomb_get(batch->kv, &er->at, arena, &er->tomb);
	if (rc != BB_OK) {
		bb_batch_fail(batch, rc);
		return rc;
	}
	*ret_receipt = er->tomb.receipt;
	bb_hash_profile_id(&er->tomb.profile, ret_receipt->profile);
	ret_receipt->profile[BB_PROFILE_ID_BYTES] = '\0';
	return BB_OK;
}

int bb_erase_profile(struct bb_batch *batch, const struct bb_erasure *order, struct bb_arena *arena,
		     struct bb_erasure_receipt *ret_receipt)
{
	struct erasing er = {.batch = batch, .order = order};
	struct bb_erasure_receipt *receipt = &er.tomb.receipt;
	struct bb_hash id = bb_tomb_hash_id(&batch->rules->profile_key, order->id);
	int rc;

	if (batch->err != BB_OK)
		return batch->err;
	rc = repeat(&er, &id, arena, ret_receipt);
	if (rc != BB_ENOTFOUND)
		return rc;
	rc = find(&er);
	if (rc != BB_OK)
		return rc;
	receipt->id = order->id;
	receipt->mode = order->mode;
	receipt->time_ms = time_of(&er);
	er.at = bb_tomb_order(receipt->time_ms, &id);
	receipt->watermark = (struct bb_erasure_mark *)(uintptr_t)order->watermark;
	receipt->watermark_n = order->watermark_n;
	er.tomb.profile = er.profile->name;
	batch->cause = BB_CAUSE_ERASURE;
	batch->cause_id = bb_arena_copy(&batch->arena, order->id);
	collect(&er);
	list_identifiers(&er);
	list_records(&er);
	drop(&er);
	return write(&er, arena, ret_receipt);
}

/* --- an erasure of another store -------------------------------------------------------------- */

static void collect_named(struct erasing *er)
{
	struct bb_batch *batch = er->batch;
	const struct bb_erasure_receipt *receipt = &er->tomb.receipt;

	batch->mark++;
	for (size_t i = 0; i < receipt->identifier_n; i++) {
		struct bb_ident *ident = bb_batch_ident(batch, &receipt->identifiers[i].hash);

		if (ident)
			collect_of(er, ident);
	}
}

void bb_erase_carried(struct bb_batch *batch, const struct bb_tomb_order *at,
		      const struct bb_tomb *tomb)
{
	struct erasing er = {.batch = batch, .tomb = *tomb, .at = *at};
	const struct bb_erasure_receipt *receipt = &tomb->receipt;
	int rc = batch->err == BB_OK ? bb_tomb_put(batch->kv, at, tomb) : batch->err;

	if (rc != BB_OK) {
		bb_batch_fail(batch, rc);
		return;
	}
	batch->cause = BB_CAUSE_ERASURE;
	batch->cause_id = bb_arena_copy(&batch->arena, receipt->id);
	collect_named(&er);
	drop(&er);
	if (batch->err == BB_OK)
		rc = bb_tomb_put_epoch(batch->kv, batch->epoch);
	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}
