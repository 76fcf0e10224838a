/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store under new rules out of the records of another (identity.md §9):
 *
 *	tables	 that no rule changes are copied: names, positions, dead letters, rulings,
 *		 tombstones, audit, changes
 *	records	 are read under the old rules, freed of the amounts that count there by a key, and
 *		 told to a pipeline under the new ones as if their events came together
 *	ledger	 rows follow their records; then what counts is counted
 *	changes	 what became of profiles goes to the feed, those whose view is another too
 *
 * A record changes its name only if a namespace is gone; those that did are remembered meanwhile.
 * Everything is written in slices, so that memory is bounded by one of them. Any error ends it: the
 * second store is then worth nothing.
 */
#include <backbone/adopt.h>

#include <backbone/normalise.h>
#include <stdlib.h>

#include "adopt.h"
#include "tombstone.h"

enum { SLICE = 4000 };

struct adoption {
	struct bb_kv *from;
	const struct bb_rules *rules;
	const struct bb_adopt_target *target;
	struct bb_rules old_rules; /* the new ones, and behind them namespaces that are gone */
	struct bb_pipeline *old, *new;
	struct bb_kv *kv; /* the slice's */
	struct bb_adopt_moves moves;
	struct bb_adopt_walk walk;
	uint64_t total, done;
};

static bool report(struct adoption *ad, uint64_t more)
{
	ad->done += more;
	if (!ad->target->progress)
		return true;
	uint64_t total = ad->done > ad->total ? ad->done : ad->total; /* which is a guess */

	return ad->target->progress(ad->target->ctx,
				    total ? (unsigned)(1000 * ad->done / total) : 0);
}

/* --- moves ------------------------------------------------------------------------------------ */

const struct bb_adopt_move *bb_adopt_moved(const struct bb_adopt_moves *moves,
					   const struct bb_hash *record)
{
	return moves->table.n ? bb_table_get(&moves->table, record) : NULL;
}

static void add_move(struct adoption *ad, const struct bb_hash *from, const struct bb_record *to)
{
	struct bb_adopt_move *move = bb_arena_zalloc(&ad->moves.arena, sizeof(*move));

	move->gone = !to;
	if (to) {
		move->record = to->hash;
		move->holder = to->idents[0]->hash;
	}
	bb_table_put(&ad->moves.table, from, move);
}

/* --- copying ---------------------------------------------------------------------------------- */

static bool is_kept(enum bb_table table, struct bb_text key)
{
	return table != BB_TABLE_META ||
	       !(bb_text_equal(key, BB_TEXT("profiles")) || bb_text_equal(key, BB_TEXT("shared")) ||
		 bb_text_equal(key, BB_TEXT("next_cluster")) ||
		 bb_text_equal(key, BB_TEXT("identity_rules")));
}

/* Ends the transaction of a slice as `rc` says. */
static int end_slice(struct adoption *ad, int rc)
{
	struct bb_kv *kv = ad->kv;

	ad->kv = NULL;
	if (rc == BB_OK)
		return ad->target->write_commit(kv);
	ad->target->write_abort(kv);
	return rc;
}

static int copy_table(struct adoption *ad, enum bb_table table)
{
	struct bb_text key, value;
	int rc = BB_OK;

	ad->walk = (struct bb_adopt_walk){.kv = ad->from, .table = table};
	while (rc == BB_OK) {
		size_t n = 0;
		int found = BB_OK;

		rc = ad->target->write_begin(ad->target->ctx, &ad->kv);
		if (rc != BB_OK)
			return rc;
		while (rc == BB_OK && n++ < SLICE &&
		       (found = bb_adopt_next(&ad->walk, &key, &value)) == BB_OK)
			rc = is_kept(table, key) ? bb_kv_put(ad->kv, table, key, value) : BB_OK;
		if (rc == BB_OK && found != BB_OK && found != BB_ENOTFOUND)
			rc = found;
		rc = end_slice(ad, rc);
		if (rc == BB_OK && !report(ad, n))
			rc = BB_EBUSY;
		if (found == BB_ENOTFOUND)
			break;
	}
	return rc;
}

/* --- slices of records and ledger rows -------------------------------------------------------- */

static struct bb_batch *begin_old(struct adoption *ad)
{
	struct bb_batch *batch = bb_pipeline_batch(ad->old);

	batch->rules_checked = true; /* they are not those of the store, nor meant to be */
	bb_pipeline_begin(ad->old, ad->from);
	return batch;
}

/* The record of a row, as the batch has it if it has been asked for. */
static struct bb_record *load(struct bb_batch *batch, struct bb_text value, struct bb_place place)
{
	struct bb_record *record = bb_arena_zalloc(&batch->arena, sizeof(*record)), *known;

	if (!bb_rows_decode_record(bb_arena_copy(&batch->arena, value), &batch->arena,
				   batch->ns_of_id, batch->ns_n, record)) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return NULL;
	}
	record->hash = bb_batch_hash_record(
		batch, bb_names_text(batch->names, BB_NAME_SOURCE, record->source), record->ns,
		record->values, record->ident_n);
	known = bb_table_get(&batch->records, &record->hash);
	if (known)
		return known;
	record->place = place;
	record->idents = bb_arena_zalloc(&batch->arena, record->ident_n * sizeof(*record->idents));
	record->old = bb_rows_standing(record);
	bb_table_put(&batch->records, &record->hash, record);
	return record;
}

struct member {
	uint16_t ns;
	struct bb_text value;
	uint8_t at; /* in the old record */
};

static int by_strength(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->ns != y->ns ? (int)x->ns - (int)y->ns : bb_text_compare(x->value, y->value);
}

/* The identifiers under the new rules, strongest first; returns how many. */
static size_t arrange(const struct adoption *ad, const struct bb_record *record,
		      struct member members[BB_EVENT_IDENTIFIERS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < record->ident_n; i++)
		if (record->ns[i] < ad->rules->namespace_n)
			members[n++] =
				(struct member){record->ns[i], record->values[i], (uint8_t)i};
	if (n)
		qsort(members, n, sizeof(*members), by_strength);
	return n;
}

static struct bb_record *record_for(struct adoption *ad, struct bb_batch *batch,
				    const struct bb_record *old, const struct member *members,
				    size_t n)
{
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	uint32_t junk = 0;

	for (size_t i = 0; i < n; i++) {
		ns[i] = members[i].ns;
		values[i] = members[i].value;
		if (bb_normalise_blocked_by(&ad->rules->namespaces[ns[i]], values[i],
					    &batch->arena))
			junk |= BB_MASK(i);
	}
	return bb_batch_record_of(batch, bb_names_text(batch->names, BB_NAME_SOURCE, old->source),
				  ns, values, n, junk);
}

static void adopt_record(struct adoption *ad, struct bb_batch *from, struct bb_batch *to,
			 struct bb_record *old)
{
	struct member members[BB_EVENT_IDENTIFIERS_MAX];
	uint8_t places[BB_EVENT_IDENTIFIERS_MAX];
	size_t n = arrange(ad, old, members);
	struct bb_record *record;

	bb_batch_whole(from, old);
	bb_ledger_take(from, old);
	if (!n) {
		add_move(ad, &old->hash, NULL);
		return;
	}
	record = record_for(ad, to, old, members, n);
	bb_batch_dirty_record(to, record);
	bb_facts_unite(&to->fold, &record->facts, &old->facts);
	memset(places, UINT8_MAX, sizeof(places));
	for (size_t i = 0; i < n; i++)
		places[members[i].at] = (uint8_t)i;
	for (size_t i = 0; i < old->facts.same_n; i++) {
		uint8_t a = places[old->facts.same[i].a], b = places[old->facts.same[i].b];

		if (a != UINT8_MAX && b != UINT8_MAX)
			bb_batch_add_same(to, record, a < b ? a : b, a < b ? b : a,
					  old->facts.same[i].n);
	}
	bb_identity_touch(to, record);
	if (!bb_hash_equal(&record->hash, &old->hash))
		add_move(ad, &old->hash, record);
}

/* One slice of a table; *ret_more: there may be another. */
static int run_slice(struct adoption *ad, enum bb_table table, bool *ret_more)
{
	struct bb_batch *from = begin_old(ad), *to = bb_pipeline_batch(ad->new);
	struct bb_text key, value;
	size_t n = 0;
	int rc = ad->target->write_begin(ad->target->ctx, &ad->kv), found = BB_OK;

	if (rc != BB_OK) {
		bb_pipeline_abort(ad->old);
		return rc;
	}
	bb_pipeline_begin(ad->new, ad->kv);
	to->quiet = true;
	while (from->err == BB_OK && to->err == BB_OK && n++ < SLICE &&
	       (found = bb_adopt_next(&ad->walk, &key, &value)) == BB_OK) {
		if (table == BB_TABLE_LEDGER) {
			bb_ledger_adopt(to, key, value, &ad->moves);
			continue;
		}
		struct bb_place place = {bb_key_read(key.p, 8),
					 (uint32_t)bb_key_read(key.p + 8, 4)};
		struct bb_record *record = place.n ? load(from, value, place) : NULL;

		if (record)
			adopt_record(ad, from, to, record);
	}
	rc = from->err != BB_OK ? from->err : bb_pipeline_finish(ad->new);
	if (rc == BB_OK && found != BB_OK && found != BB_ENOTFOUND)
		rc = found;
	rc = end_slice(ad, rc);
	if (rc != BB_OK)
		bb_pipeline_abort(ad->new);
	bb_pipeline_abort(ad->old); /* it only read */
	*ret_more = found != BB_ENOTFOUND;
	if (rc == BB_OK && !report(ad, n))
		rc = BB_EBUSY;
	return rc;
}

static int run_slices(struct adoption *ad, enum bb_table table)
{
	bool more = true;
	int rc = BB_OK;

	ad->walk = (struct bb_adopt_walk){.kv = ad->from, .table = table};
	while (rc == BB_OK && more)
		rc = run_slice(ad, table, &more);
	return rc;
}

/* --- names of events -------------------------------------------------------------------------- */

static int write_move(struct adoption *ad, const struct bb_table_slot *slot, uint64_t epoch)
{
	const struct bb_adopt_move *move = slot->value;
	struct bb_tomb_fate fate = {
		.record = move->record, .holder = move->holder, .gone = move->gone};

	return bb_tomb_put_fate(ad->kv, &slot->key, epoch, &fate);
}

/* The window remembers records by their names: what became of those that have another now. */
static int write_moves(struct adoption *ad)
{
	const struct bb_hash_table *table = &ad->moves.table;
	uint64_t epoch;
	bool any;
	int rc;

	if (!table->n)
		return BB_OK;
	rc = ad->target->write_begin(ad->target->ctx, &ad->kv);
	if (rc != BB_OK)
		return rc;
	rc = bb_tomb_any(ad->kv, &any, &epoch);
	for (size_t i = 0; rc == BB_OK && i < table->slot_n; i++)
		if (table->slots[i].value)
			rc = write_move(ad, &table->slots[i], epoch + 1);
	if (rc == BB_OK)
		rc = bb_tomb_put_epoch(ad->kv, epoch + 1);
	return end_slice(ad, rc);
}

/* --- the change feed -------------------------------------------------------------------------- */

static int on_compared(void *ctx)
{
	return report(ctx, 1) ? BB_OK : BB_EBUSY;
}

static int write_changes(struct adoption *ad)
{
	const struct bb_adopt_telling telling = {.from = ad->from,
						 .from_rules = &ad->old_rules,
						 .cause = BB_CAUSE_RULES,
						 .report = on_compared,
						 .ctx = ad};
	struct bb_batch *to = bb_pipeline_batch(ad->new);
	int rc = ad->target->write_begin(ad->target->ctx, &ad->kv);

	if (rc != BB_OK)
		return rc;
	bb_pipeline_begin(ad->new, ad->kv);
	to->quiet = true;
	to->cause = BB_CAUSE_RULES;
	rc = bb_adopt_tell(&telling, to);
	if (rc == BB_OK)
		rc = bb_pipeline_finish(ad->new);
	rc = end_slice(ad, rc);
	if (rc != BB_OK)
		bb_pipeline_abort(ad->new);
	return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Namespaces that the store knows and the rules do not stand behind those of the rules. */
static int make_old_rules(struct adoption *ad)
{
	struct bb_rules *old = &ad->old_rules;
	struct bb_text name;
	uint64_t id = 0;
	int rc;

	*old = *ad->rules;
	old->namespaces =
		bb_arena_alloc(&ad->moves.arena, BB_NAMESPACES_MAX * sizeof(*old->namespaces));
	memcpy(old->namespaces, ad->rules->namespaces,
	       ad->rules->namespace_n * sizeof(*old->namespaces));
	while ((rc = bb_names_read(ad->from, BB_NAME_NAMESPACE, id++, &name)) == BB_OK) {
		char *copy;

		if (bb_rules_namespace(ad->rules, name) != BB_NS_UNKNOWN)
			continue;
		if (old->namespace_n == BB_NAMESPACES_MAX)
			return BB_ELIMIT;
		copy = bb_arena_zalloc(&ad->moves.arena, name.n + 1);
		memcpy(copy, name.p, name.n);
		bb_rules_namespace_defaults(&old->namespaces[old->namespace_n++], copy, false,
					    true);
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int run(struct adoption *ad)
{
	static const enum bb_table first[] = {
		BB_TABLE_META,	      BB_TABLE_NAME,   BB_TABLE_OFFSET,
		BB_TABLE_DEAD_LETTER, BB_TABLE_RULING, BB_TABLE_TOMBSTONE,
		BB_TABLE_CHANGE,      BB_TABLE_AUDIT,  BB_TABLE_WINDOW};
	int rc = make_old_rules(ad);

	if (rc != BB_OK)
		return rc;
	ad->old = bb_pipeline_new(&ad->old_rules);
	ad->new = bb_pipeline_new(ad->rules);
	for (size_t i = 0; rc == BB_OK && i < sizeof(first) / sizeof(first[0]); i++)
		rc = copy_table(ad, first[i]);
	if (rc == BB_OK)
		rc = run_slices(ad, BB_TABLE_PROFILE);
	if (rc == BB_OK)
		rc = run_slices(ad, BB_TABLE_LEDGER);
	if (rc == BB_OK)
		rc = write_moves(ad);
	return rc == BB_OK ? write_changes(ad) : rc;
}

static int is_empty(const struct bb_adopt_target *target)
{
	struct bb_text key, value;
	struct bb_kv *kv;
	int rc = target->write_begin(target->ctx, &kv);

	if (rc != BB_OK)
		return rc;
	rc = bb_kv_seek(kv, BB_TABLE_PROFILE, bb_text_bytes("\0", 1), false, &key, &value);
	target->write_abort(kv);
	if (rc == BB_OK)
		return BB_EINVAL;
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_adopt(struct bb_kv *from, const struct bb_rules *rules, const struct bb_adopt_target *target)
{
	struct adoption ad = {.from = from, .rules = rules, .target = target};
	int rc = is_empty(target);

	if (rc != BB_OK)
		return rc;
	bb_arena_init(&ad.moves.arena);
	rc = bb_adopt_total(from, &ad.total);
	if (rc == BB_OK)
		rc = run(&ad);
	bb_pipeline_free(ad.old);
	bb_pipeline_free(ad.new);
	bb_table_fini(&ad.moves.table);
	bb_arena_fini(&ad.moves.arena);
	return rc;
}
