/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch: each event is looked up in the window, finds or makes its record, is folded into it;
 * when all are in, identity is settled once for the whole batch and every row that was touched is
 * written, in the order of its table's keys. Nothing is written before bb_pipeline_finish, so an
 * abort only forgets; but for a batch that might draw too many identifiers into a replay, which is
 * settled and written in slices, so that memory is bounded. No slice is seen: they are of one
 * transaction.
 */
#include "identity.h"
#include "tombstone.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <stdlib.h>

#define HUB_RECORDS 256 /* an identifier in so many is a hub: what this costs was measured */
#define SLICE_IDENTIFIERS 131072 /* of profiles that may be replayed; each takes some 2 KB */

struct bb_pipeline {
	struct bb_batch batch;
	struct bb_pipeline_stats before; /* the batch */
	uint64_t slice;			 /* identifiers that a slice may draw */
	bool open, hushed;
};

struct bb_pipeline *bb_pipeline_new(const struct bb_rules *rules)
{
	struct bb_pipeline *pl = calloc(1, sizeof(*pl));

	bb_assert(pl != NULL);
	bb_batch_init(&pl->batch, rules);
	pl->batch.hubs.from = HUB_RECORDS;
	pl->slice = SLICE_IDENTIFIERS;
	return pl;
}

void bb_pipeline_set_hub(struct bb_pipeline *pl, uint64_t records)
{
	bb_assert(!pl->open && records > 0);
	pl->batch.hubs.from = records;
	bb_hubs_clear(&pl->batch.hubs);
}

void bb_pipeline_set_slice(struct bb_pipeline *pl, uint64_t identifiers)
{
	bb_assert(!pl->open && identifiers > 0);
	pl->slice = identifiers;
}

struct bb_batch *bb_pipeline_batch(struct bb_pipeline *pl)
{
	return &pl->batch;
}

void bb_pipeline_free(struct bb_pipeline *pl)
{
	if (!pl)
		return;
	bb_batch_fini(&pl->batch);
	free(pl);
}

void bb_pipeline_hush(struct bb_pipeline *pl)
{
	pl->hushed = true;
}

/* Interns the namespaces and makes the way back from their numbers. */
static void map_namespaces(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->rules->namespace_n; i++)
		batch->ns_ids[i] = bb_names_add(batch->names, BB_NAME_NAMESPACE,
						bb_text_of(batch->rules->namespaces[i].name));
	size_t n = bb_names_count(batch->names, BB_NAME_NAMESPACE);

	if (n == batch->ns_n)
		return;
	free(batch->ns_of_id);
	batch->ns_of_id = calloc(n, sizeof(*batch->ns_of_id));
	bb_assert(batch->ns_of_id != NULL);
	batch->ns_n = n;
	for (size_t id = 0; id < n; id++)
		batch->ns_of_id[id] = bb_rules_namespace(
			batch->rules, bb_names_text(batch->names, BB_NAME_NAMESPACE, id));
}

static void load_log_time(struct bb_batch *batch)
{
	uint64_t log_ms = 0;

	if (batch->log_ms < 0 && bb_batch_counter(batch, BB_TEXT("log_ms"), &log_ms)) {
		if (log_ms > BB_TIME_MAX_MS)
			bb_batch_fail(batch, BB_ECORRUPT);
		else
			batch->log_ms = (int64_t)log_ms;
	}
	batch->log_saved_ms = batch->log_ms;
}

/* Of a batch, or of the next slice of one. */
static void begin_slice(struct bb_batch *batch)
{
	bb_batch_clear(batch);
	batch->fold = (struct bb_fold){batch->rules, batch->names, &batch->arena};
	batch->dirty_idents = batch->recounts = NULL;
	batch->dirty_profiles = NULL;
	batch->dirty_records = batch->touched = NULL;
	batch->dirty_ledgers = NULL;
	batch->new_windows = NULL;
	batch->filed_ms = -1;
	batch->link_list = NULL;
	batch->relabelled = NULL;
	batch->relabelled_n = batch->relabelled_room = 0;
	batch->pairs = NULL;
	batch->pair_n = batch->pair_room = 0;
	batch->separated = batch->flipped = NULL;
	batch->separated_n = batch->separated_room = 0;
	batch->flipped_n = batch->flipped_room = 0;
	batch->ruled = NULL;
	batch->ruled_n = batch->ruled_room = 0;
	batch->splits_final = false;
	batch->weight = 0;
	batch->next_cluster = batch->clusters_saved = 0;
	batch->mark = batch->link_mark = batch->replay_mark = 0; /* all rows are read anew */
	int rc = bb_names_load(batch->names, batch->kv);

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	map_namespaces(batch);
	bb_flush_check_rules(batch);
	load_log_time(batch);
	bb_steward_begin(batch);
	bb_erase_begin(batch);
}

void bb_pipeline_begin(struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct bb_batch *batch = &pl->batch;

	bb_assert(!pl->open);
	pl->open = true;
	pl->before = batch->stats;
	batch->kv = kv;
	batch->err = BB_OK;
	batch->cause = BB_CAUSE_EVENT;
	batch->cause_id = (struct bb_text){NULL, 0};
	batch->quiet = pl->hushed;
	batch->alone = false;
	begin_slice(batch);
}

/* Settles what is in hand and writes it. False: the batch is lost. */
static bool end_slice(struct bb_batch *batch)
{
	if (batch->err == BB_OK)
		bb_identity_settle(batch);
	if (batch->err == BB_OK)
		bb_flush_rows(batch);
	if (batch->arena.total_bytes > batch->stats.peak_bytes)
		batch->stats.peak_bytes = batch->arena.total_bytes;
	if (batch->err != BB_OK)
		return false;
	bb_names_saved(
		batch->names); /* if the commit fails after all, begin reads the names again */
	return true;
}

static void make_room(struct bb_pipeline *pl)
{
	if (pl->batch.weight > pl->slice && end_slice(&pl->batch))
		begin_slice(&pl->batch);
}

void bb_pipeline_keep_names(struct bb_pipeline *pl, int64_t since_ms)
{
	bb_assert(!pl->open);
	pl->batch.keep_ms = since_ms;
}

int bb_pipeline_names_since(struct bb_kv *kv, const struct bb_rules *rules, int64_t *ret_since_ms)
{
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_META, BB_TEXT("log_ms"), &value);
	int64_t log_ms;

	if (rc == BB_ENOTFOUND) {
		*ret_since_ms = 0;
		return BB_OK;
	}
	if (rc != BB_OK)
		return rc;
	if (value.n != 8 || bb_key_read(value.p, 8) > BB_TIME_MAX_MS)
		return BB_ECORRUPT;
	log_ms = (int64_t)bb_key_read(value.p, 8);
	*ret_since_ms = log_ms > rules->window_ms ? log_ms - rules->window_ms : 0;
	return BB_OK;
}

/* Names of one kind that the store does not have yet. */
struct unknown {
	struct bb_text *items;
	size_t n, room;
};

static void note_unknown(struct bb_batch *batch, enum bb_name_kind kind, struct unknown *unknown,
			 struct bb_text text)
{
	if (bb_names_find(batch->names, kind, text) < 0)
		BB_ARENA_PUSH(&batch->arena, unknown->items, unknown->n, unknown->room) = text;
}

static int by_bytes(const void *a, const void *b)
{
	return bb_text_compare(*(const struct bb_text *)a, *(const struct bb_text *)b);
}

static bool has_room(const struct bb_batch *batch, enum bb_name_kind kind, struct unknown *unknown)
{
	size_t distinct = 0;

	if (bb_names_room(batch->names, kind, unknown->n))
		return true;
	qsort(unknown->items, unknown->n, sizeof(*unknown->items), by_bytes);
	for (size_t i = 0; i < unknown->n; i++)
		distinct += !i || !bb_text_equal(unknown->items[i], unknown->items[i - 1]);
	return bb_names_room(batch->names, kind, distinct);
}

static bool has_room_for(const struct bb_batch *batch, enum bb_name_kind kind, struct bb_text text)
{
	return bb_names_find(batch->names, kind, text) >= 0 || bb_names_room(batch->names, kind, 1);
}

/* The only limits that depend on arrival (view.md §1). */
static bool within_limits(struct bb_batch *batch, const struct bb_event *ev,
			  struct bb_refusal *ret_refusal)
{
	struct unknown attributes = {.n = 0}, purposes = {.n = 0};
	const char *at = NULL;

	for (size_t i = 0; i < ev->attribute_n; i++)
		note_unknown(batch, BB_NAME_ATTRIBUTE, &attributes, ev->attributes[i].name);
	for (size_t i = 0; i < ev->once_n; i++)
		note_unknown(batch, BB_NAME_ATTRIBUTE, &attributes, ev->once[i].name);
	for (size_t i = 0; i < ev->unset_n; i++)
		note_unknown(batch, BB_NAME_ATTRIBUTE, &attributes, ev->unset[i]);
	for (size_t i = 0; i < ev->consent_n; i++)
		note_unknown(batch, BB_NAME_PURPOSE, &purposes, ev->consent[i].purpose);
	if (!has_room_for(batch, BB_NAME_SOURCE, ev->source))
		at = "source";
	else if (!has_room_for(batch, BB_NAME_TYPE, ev->type))
		at = "type";
	else if (!has_room(batch, BB_NAME_ATTRIBUTE, &attributes))
		at = "attributes";
	else if (!has_room(batch, BB_NAME_PURPOSE, &purposes))
		at = "consent";
	if (!at)
		return true;
	*ret_refusal = (struct bb_refusal){
		.reason = BB_DEAD_STORE_LIMIT,
		.at = bb_text_of(at),
		.detail = BB_TEXT("the store holds 10000 distinct names of this kind already; is "
				  "an id or a value used as a name?"),
		.byte_offset = -1};
	return false;
}

/* The record of the event's source and identifiers: of this batch, of the store, or new. */
static struct bb_record *record_of(struct bb_batch *batch, const struct bb_event *ev)
{
	uint16_t ns[BB_EVENT_IDENTIFIERS_MAX];
	struct bb_text values[BB_EVENT_IDENTIFIERS_MAX];
	uint32_t junk = 0;

	bb_assert(ev->identifier_n <= BB_EVENT_IDENTIFIERS_MAX);
	for (size_t i = 0; i < ev->identifier_n; i++) {
		ns[i] = ev->identifiers[i].ns_index;
		values[i] = ev->identifiers[i].value;
		junk |= ev->identifiers[i].blocked ? BB_MASK(i) : 0;
	}
	return bb_batch_record_of(batch, ev->source, ns, values, ev->identifier_n, junk);
}

static int index_of(const struct bb_record *record, const struct bb_identifier *id)
{
	for (size_t i = 0; i < record->ident_n; i++)
		if (record->ns[i] == id->ns_index && bb_text_equal(record->values[i], id->value))
			return (int)i;
	return -1;
}

static void add_same(struct bb_batch *batch, struct bb_record *record, const struct bb_same *same)
{
	int a = index_of(record, &same->pair[0]), b = index_of(record, &same->pair[1]);

	if (a >= 0 && b >= 0 && a != b)
		bb_batch_add_same(batch, record, (uint8_t)(a < b ? a : b), (uint8_t)(a < b ? b : a),
				  1);
}

static void apply(struct bb_batch *batch, const struct bb_event *ev, struct bb_window_row *row)
{
	struct bb_record *record = ev->identifier_n ? record_of(batch, ev) : NULL;
	bool keyed = ev->has_amount && ev->amount.key.p;
	bb_i128 micros = 0;

	if (batch->err != BB_OK)
		return; /* what was read is not to be folded into */
	if (ev->has_amount)
		bb_assert(bb_money_parse(ev->amount.value, &micros)); /* the gate saw to it */
	if (record) {
		bb_batch_dirty_record(batch, record);
		bb_facts_add(&batch->fold, &record->facts, ev);
		record->by = ev;
		for (size_t i = 0; i < ev->same_n; i++)
			add_same(batch, record, &ev->same[i]);
		bb_identity_touch(batch, record);
		bb_identity_weigh(batch, record);
	}
	if (keyed)
		bb_ledger_add(batch, ev, record, micros);
	bb_window_add(batch, ev, row, record, ev->has_amount && !keyed, micros);
}

/* What erasures leave of the event; NULL: nothing. */
static const struct bb_event *pass_erasures(struct bb_batch *batch, const struct bb_event *ev,
					    struct bb_window_row *row)
{
	struct bb_tomb_order by;
	bool below = false;
	const struct bb_event *left = bb_erase_filter(batch, ev, &by, &below);

	if (left)
		return left;
	batch->stats.erased++;
	if (below) /* copies of it that are below too are the same event */
		bb_window_add_erased(batch, row, &by);
	return NULL;
}

enum bb_verdict bb_pipeline_apply(struct bb_pipeline *pl, const struct bb_event *ev,
				  struct bb_refusal *ret_refusal)
{
	struct bb_batch *batch = &pl->batch;

	bb_assert(pl->open && !batch->alone);
	make_room(pl);
	if (batch->err != BB_OK)
		return BB_VERDICT_APPLIED; /* the batch is lost already; finish says why */
	if (!ev->position.topic.p && ev->time_ms > batch->filed_ms)
		batch->filed_ms = ev->time_ms;
	struct bb_window_row *row = bb_window_row_new(batch, ev);

	switch (bb_window_check(batch, ev, row)) {
	case BB_WINDOW_DUPLICATE:
		batch->stats.duplicates++;
		return BB_VERDICT_DUPLICATE;
	case BB_WINDOW_CONFLICT:
		*ret_refusal = (struct bb_refusal){
			.reason = BB_DEAD_CONFLICTING_DUPLICATE,
			.at = BB_TEXT("id"),
			.detail = BB_TEXT("an event of this source, id and time was counted with "
					  "another content"),
			.byte_offset = -1};
		return BB_VERDICT_DEAD;
	case BB_WINDOW_ERASED:
		batch->stats.erased++;
		return BB_VERDICT_SKIPPED;
	case BB_WINDOW_NEW:
		break;
	}
	if (batch->has_tombs && !(ev = pass_erasures(batch, ev, row)))
		return BB_VERDICT_SKIPPED;
	if (!within_limits(batch, ev, ret_refusal))
		return BB_VERDICT_DEAD;
	if (!ev->identifier_n && !(ev->has_amount && ev->amount.key.p))
		return BB_VERDICT_NO_IDENTIFIER;
	apply(batch, ev, row);
	batch->stats.events++;
	return BB_VERDICT_APPLIED;
}

enum bb_verdict bb_pipeline_rule(struct bb_pipeline *pl, const struct bb_ruling *ruling,
				 struct bb_refusal *ret_refusal)
{
	enum bb_verdict verdict;

	bb_assert(pl->open && !pl->batch.alone);
	verdict = bb_steward_rule(&pl->batch, ruling);
	if (verdict == BB_VERDICT_DEAD)
		*ret_refusal = (struct bb_refusal){
			.reason = BB_DEAD_CONFLICTING_DUPLICATE,
			.at = BB_TEXT("id"),
			.detail = BB_TEXT("a ruling of this id is known with another content"),
			.byte_offset = -1};
	return verdict;
}

int bb_pipeline_erase(struct bb_pipeline *pl, const struct bb_erasure *order,
		      struct bb_arena *arena, struct bb_erasure_receipt *ret_receipt)
{
	struct bb_batch *batch = &pl->batch;

	bb_assert(pl->open && !batch->touched && !batch->ruled_n && !batch->alone);
	batch->alone = true;
	return bb_erase_profile(batch, order, arena, ret_receipt);
}

int bb_pipeline_finish(struct bb_pipeline *pl)
{
	struct bb_batch *batch = &pl->batch;

	bb_assert(pl->open);
	if (end_slice(batch))
		pl->open = false;
	return batch->err;
}

void bb_pipeline_abort(struct bb_pipeline *pl)
{
	struct bb_batch *batch = &pl->batch;

	bb_names_free(batch->names);
	batch->names = bb_names_new();
	batch->ns_n = 0;
	memset(batch->sweep, 0, sizeof(batch->sweep));
	batch->log_ms = -1;
	batch->rules_checked = false;
	bb_hubs_clear(&batch->hubs);
	batch->stats = pl->before;
	pl->open = false;
}

void bb_pipeline_stats(const struct bb_pipeline *pl, struct bb_pipeline_stats *ret_stats)
{
	*ret_stats = pl->batch.stats;
}
