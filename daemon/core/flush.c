/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a batch: every dirty row once, each table in the order of its keys, so that the store
 * touches each page once. The first error ends it; the transaction is then aborted by whoever began
 * it.
 */
#include <backbone/killpoint.h>
#include <backbone/normalise.h>
#include <stdlib.h>

#include "batch.h"
#include "changes.h"
#include "count.h"

static void put(struct bb_batch *batch, enum bb_table table, struct bb_text key,
		struct bb_text value)
{
	if (batch->err != BB_OK)
		return;
	int rc = bb_kv_put(batch->kv, table, key, value);

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}

static void describe_namespace(struct bb_buf *buf, const struct bb_namespace *ns)
{
	bb_put_text(buf, bb_text_of(ns->name));
	bb_put_u64(buf, (uint64_t)ns->owner | (uint64_t)ns->durable << 1 | (uint64_t)ns->junk << 2);
	bb_put_u64(buf, ns->per_profile);
	bb_put_u64(buf, ns->owners);
	bb_put_u64(buf, ns->links);
	bb_put_u64(buf, ns->devices);
	bb_put_u64(buf, ns->records);
	bb_put_u64(buf, ns->prefer);
	bb_put_u64(buf, ns->block_n);
	for (size_t i = 0; i < ns->block_n; i++)
		bb_put_text(buf, bb_text_of(bb_pattern_text(ns->block[i])));
}

/* All that the stored partition is a function of, less what acts on new events only. */
static struct bb_hash describe_rules(const struct bb_rules *rules)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_put_u64(&buf, BB_JUNK_VERSION);
	bb_put_u64(&buf, rules->max_identifiers);
	for (size_t i = 0; i < rules->namespace_n; i++)
		describe_namespace(&buf, &rules->namespaces[i]);
	struct bb_text text = bb_buf_slice(&buf);
	struct bb_hash hash = bb_hash_parts(&rules->profile_key, &text, 1);

	bb_buf_fini(&buf);
	return hash;
}

int bb_pipeline_rules_match(struct bb_kv *kv, const struct bb_rules *rules)
{
	struct bb_hash now = describe_rules(rules);
	struct bb_text stored;
	int rc = bb_kv_get(kv, BB_TABLE_META, BB_TEXT("identity_rules"), &stored);

	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_OK : rc;
	return bb_text_equal(stored, bb_text_bytes(now.b, BB_HASH_BYTES)) ? BB_OK : BB_ECONFIG;
}

void bb_flush_check_rules(struct bb_batch *batch)
{
	struct bb_hash now;
	struct bb_text stored;

	if (batch->rules_checked)
		return;
	now = describe_rules(batch->rules);
	int rc = bb_kv_get(batch->kv, BB_TABLE_META, BB_TEXT("identity_rules"), &stored);

	if (rc == BB_ENOTFOUND)
		put(batch, BB_TABLE_META, BB_TEXT("identity_rules"),
		    bb_text_bytes(now.b, BB_HASH_BYTES));
	else if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	else if (!bb_text_equal(stored, bb_text_bytes(now.b, BB_HASH_BYTES)))
		bb_batch_fail(batch, BB_ECONFIG);
	if (batch->err == BB_OK) {
		rc = bb_forms_note(batch->kv, batch->rules);
		if (rc != BB_OK)
			bb_batch_fail(batch, rc);
	}
	batch->rules_checked = batch->err == BB_OK;
}

/* An array of the elements of a dirty list, for sorting. */
#define LIST(batch, type, head, next, ret_n)                                                       \
	__extension__({                                                                            \
		type **items_ = NULL;                                                              \
		size_t room_ = 0;                                                                  \
		(ret_n) = 0;                                                                       \
		for (type *it_ = (head); it_; it_ = it_->next)                                     \
			BB_ARENA_PUSH(&(batch)->arena, items_, (ret_n), room_) = it_;              \
		items_;                                                                            \
	})

static int idents_by_hash(const void *a, const void *b)
{
	return memcmp((*(struct bb_ident *const *)a)->hash.b,
		      (*(struct bb_ident *const *)b)->hash.b, BB_HASH_BYTES);
}

static void remove_key(struct bb_batch *batch, enum bb_table table, struct bb_text key)
{
	int rc = batch->err == BB_OK ? bb_kv_del(batch->kv, table, key) : BB_OK;

	if (rc != BB_OK)
		bb_batch_fail(batch, rc == BB_ENOTFOUND ? BB_ECORRUPT : rc);
}

/* Takes the records that are gone off the list, and the rows of all that lie apart. */
static void forget_places(struct bb_batch *batch, struct bb_ident *ident)
{
	size_t n = 0;

	bb_batch_nth_record(batch, ident, ident->place_n); /* now all are listed */
	for (size_t i = 0; i < ident->place_n; i++) {
		struct bb_membership *place = &ident->places[i];
		const struct bb_record *record =
			place->record ? place->record
				      : bb_table_get(&batch->records, &place->record_hash);
		uint8_t key[32];

		if (place->apart)
			remove_key(batch, BB_TABLE_MEMBERSHIP,
				   bb_rows_membership_key(key, &ident->hash, &place->record_hash));
		place->apart = false;
		if (!record || !record->gone)
			ident->places[n++] = *place;
	}
	ident->place_n = n;
}

/* Fills the places of records that were new, and writes those that the row has no room for. */
static void put_places(struct bb_batch *batch, struct bb_ident *ident)
{
	if (ident->lost)
		forget_places(batch, ident);
	for (size_t i = 0; i < ident->place_n; i++) {
		struct bb_membership *place = &ident->places[i];
		bool apart = i >= BB_PLACES_INLINE;
		uint8_t key[32], value[12];

		if (place->stored && place->apart == apart)
			continue;
		if (!place->stored)
			place->place = place->record->place;
		place->stored = true;
		place->apart = apart;
		if (apart)
			put(batch, BB_TABLE_MEMBERSHIP,
			    bb_rows_membership_key(key, &ident->hash, &place->record_hash),
			    bb_rows_place_key(value, place->place.cluster, place->place.n));
	}
}

static void put_counter(struct bb_batch *batch, struct bb_text name, uint64_t value)
{
	uint8_t bytes[8];

	bb_key_u64(bytes, value);
	put(batch, BB_TABLE_META, name, bb_text_bytes(bytes, sizeof(bytes)));
}

/* How many identifiers are shared is counted as they are written, so that asking is one read. */
static void count_shared(const struct bb_ident *ident, int64_t *more)
{
	*more += (ident->shared && !ident->gone) - (!ident->is_new && ident->old_shared);
}

static void put_shared(struct bb_batch *batch, int64_t more)
{
	uint64_t shared = 0;

	bb_batch_counter(batch, BB_TEXT("shared"), &shared);
	if (more < 0 && (uint64_t)-more > shared)
		bb_batch_fail(batch, BB_ECORRUPT);
	shared += (uint64_t)more;
	batch->stats.shared = shared;
	if (more)
		put_counter(batch, BB_TEXT("shared"), shared);
}

static void put_idents(struct bb_batch *batch)
{
	int64_t more_shared = 0;
	size_t n;
	struct bb_ident **idents = LIST(batch, struct bb_ident, batch->dirty_idents, next_dirty, n);

	if (n)
		qsort(idents, n, sizeof(*idents), idents_by_hash);
	for (size_t i = 0; i < n; i++) {
		struct bb_ident *ident = idents[i];

		put_places(batch, ident);
		count_shared(ident, &more_shared);
		if (ident->gone) {
			batch->stats.moved += !ident->is_new;
			if (!ident->is_new)
				remove_key(batch, BB_TABLE_IDENTIFIER,
					   bb_text_bytes(ident->hash.b, BB_HASH_BYTES));
			continue;
		}
		if (!ident->blocked) {
			uint64_t cluster = bb_batch_profile_of(batch, ident)->cluster;

			batch->stats.moved += cluster != ident->cluster;
			ident->cluster = cluster;
		}
		batch->buf.n = 0;
		bb_rows_encode_ident(&batch->buf, ident, batch->ns_ids);
		put(batch, BB_TABLE_IDENTIFIER, bb_text_bytes(ident->hash.b, BB_HASH_BYTES),
		    bb_buf_slice(&batch->buf));
	}
	put_shared(batch, more_shared);
}

/* A row of the table that profiles and records share. */
struct placed {
	struct bb_place place; /* n 0: a profile */
	const struct bb_profile *profile;
	const struct bb_record *record;
};

static int by_place(const void *a, const void *b)
{
	const struct bb_place *x = &((const struct placed *)a)->place,
			      *y = &((const struct placed *)b)->place;

	if (x->cluster != y->cluster)
		return x->cluster < y->cluster ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

/* The facts of a record that only got other masks are read now, and forgotten at once. */
static bool encode_record(struct bb_batch *batch, const struct bb_record *record,
			  struct bb_arena *scratch)
{
	struct bb_record whole = *record;

	if (batch->err != BB_OK)
		return false;
	if (record->partial) {
		bb_arena_reset(scratch);
		if (!bb_batch_read_facts(batch, record, scratch, &whole.facts))
			return false;
	}
	bb_rows_encode_record(&batch->buf, &whole, batch->ns_ids);
	return true;
}

static void put_placed(struct bb_batch *batch, const struct placed *row, struct bb_arena *scratch)
{
	uint8_t bytes[12];
	struct bb_text key = bb_rows_place_key(bytes, row->place.cluster, row->place.n);

	batch->buf.n = 0;
	if (row->record && row->record->gone) {
		remove_key(batch, BB_TABLE_PROFILE, key);
		return;
	}
	if (row->record) {
		if (!encode_record(batch, row->record, scratch))
			return;
	} else if (!row->profile->gone) {
		bb_rows_encode_profile(&batch->buf, row->profile, batch->ns_ids);
	} else {
		int rc = batch->err == BB_OK && !row->profile->is_new
				 ? bb_kv_del(batch->kv, BB_TABLE_PROFILE, key)
				 : BB_OK;

		if (rc != BB_OK)
			bb_batch_fail(batch, rc == BB_ENOTFOUND ? BB_ECORRUPT : rc);
		return;
	}
	put(batch, BB_TABLE_PROFILE, key, bb_buf_slice(&batch->buf));
}

static void put_profiles(struct bb_batch *batch)
{
	struct placed *rows = NULL;
	struct bb_arena scratch;
	size_t n = 0, room = 0;
	int64_t more = 0; /* profiles */

	for (const struct bb_profile *profile = batch->dirty_profiles; profile;
	     profile = profile->next_dirty)
		if (profile->cluster)
			BB_ARENA_PUSH(&batch->arena, rows, n, room) =
				(struct placed){.place = {profile->cluster, 0}, .profile = profile};
	for (const struct bb_record *record = batch->dirty_records; record;
	     record = record->next_dirty)
		if (record->place.cluster)
			BB_ARENA_PUSH(&batch->arena, rows, n, room) =
				(struct placed){.place = record->place, .record = record};
	if (n)
		qsort(rows, n, sizeof(*rows), by_place);
	bb_arena_init(&scratch);
	for (size_t i = 0; i < n; i++) {
		const struct bb_profile *profile = rows[i].profile;

		put_placed(batch, &rows[i], &scratch);
		if (!profile)
			continue;
		more += profile->is_new - profile->gone;
		if (!profile->gone && profile->member_n > batch->stats.largest)
			batch->stats.largest = profile->member_n;
	}
	bb_arena_fini(&scratch);
	if (batch->err == BB_OK) {
		int rc = bb_count_add(batch->kv, more);

		if (rc != BB_OK)
			bb_batch_fail(batch, rc);
	}
}

/* An erasure has to be later than every event that came without a position. */
static void put_filed(struct bb_batch *batch)
{
	uint64_t filed_ms = 0;

	if (!bb_batch_counter(batch, BB_TEXT("filed_ms"), &filed_ms) ||
	    (int64_t)filed_ms < batch->filed_ms)
		put_counter(batch, BB_TEXT("filed_ms"), (uint64_t)batch->filed_ms);
}

void bb_flush_rows(struct bb_batch *batch)
{
	int rc;

	if (!batch->quiet)
		bb_changes_flush(
			batch); /* first: it asks where identifiers were, and may add names */
	rc = bb_names_save(batch->names, batch->kv);
	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	bb_killpoint("core.changes");
	put_idents(batch);
	bb_killpoint("core.identifiers");
	put_profiles(batch);
	bb_killpoint("core.profiles");
	bb_ledger_flush(batch);
	bb_killpoint("core.ledger");
	bb_window_flush(batch);
	bb_killpoint("core.window");
	if (batch->next_cluster != batch->clusters_saved)
		put_counter(batch, BB_TEXT("next_cluster"), batch->next_cluster);
	if (batch->filed_ms >= 0)
		put_filed(batch);
	if (batch->log_ms != batch->log_saved_ms)
		put_counter(batch, BB_TEXT("log_ms"), (uint64_t)batch->log_ms);
	bb_killpoint("core.counters");
}
