/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window of event names (identity.md §3): which events were counted. A row's key begins with
 * the minute of the event's time, so that events of now fall side by side; events that took Kafka's
 * time lie under minute 0. A copy has the same name and the same fingerprint; another fingerprint
 * is a conflict. There are two: of the canonical event, whatever the spelling of its identifiers;
 * and of the event with its identifiers as they came, whatever the rules make of them, which may be
 * others by then. Equal in one of them is a copy. Rows that the log has left behind are swept, a
 * bounded number a batch.
 *
 * A *twin* is the one pair of names that means one amount: `(source, id)` with a time of Kafka's
 * and `(source, id, time)` with the same time of its own. Their amount without a key counts once,
 * Kafka's.
 */
#include <backbone/message.h>
#include <stdlib.h>
#include <xxhash.h>

#include "batch.h"
#include "tombstone.h"

#define WINDOW_KEY_BYTES 20
#define MINUTE_MS 60000

struct bb_window_row {
	uint8_t key[WINDOW_KEY_BYTES];
	uint64_t fingerprint;
	uint64_t given;	       /* the same, of the identifiers as they came */
	uint64_t epoch;	       /* of the store, when it was counted */
	struct bb_hash record; /* zeros: none; of an event without identifiers: its amount key */
	int64_t log_ms, time_ms;
	bool kafka, has_amount;
	struct bb_hash holder; /* an identifier that leads to the record */
	bb_i128 micros;
	char currency[3];
	uint32_t type;
	bool erased; /* the event is gone, by that erasure */
	struct bb_tomb_order by;
	struct bb_window_row *next;
};

static void name_key(const struct bb_batch *batch, struct bb_text source, struct bb_text id,
		     bool kafka, int64_t time_ms, uint8_t out[WINDOW_KEY_BYTES])
{
	char name[2 * BB_EVENT_TEXT_MAX + 10];
	uint8_t *tail = (uint8_t *)name + source.n + 1 + id.n;
	XXH128_canonical_t canonical;
	XXH64_hash_t seed;

	memcpy(&seed, batch->rules->profile_key.b, sizeof(seed));
	memcpy(name, source.p, source.n);
	name[source.n] = '\0';
	memcpy(name + source.n + 1, id.p, id.n);
	bb_key_u64(tail, kafka ? 0 : (uint64_t)time_ms);
	tail[8] = kafka;
	XXH128_canonicalFromHash(&canonical,
				 XXH3_128bits_withSeed(name, source.n + id.n + 10, seed));
	bb_key_u32(out, kafka ? 0 : (uint32_t)(time_ms / MINUTE_MS));
	memcpy(out + 4, canonical.digest, 16);
}

static uint64_t hash_value(const struct bb_value *value, uint64_t seed)
{
	uint64_t h = XXH3_64bits_withSeed(value->text.p ? value->text.p : "", value->text.n,
					  seed + value->kind);

	for (size_t i = 0; i < value->item_n; i++)
		h = hash_value(&value->items[i], h);
	return h;
}

static uint64_t hash_text(struct bb_text text, uint64_t seed)
{
	return XXH3_64bits_withSeed(text.p ? text.p : "", text.n, seed + (text.p != NULL));
}

/* Attributes are a map: their order says nothing. */
static uint64_t hash_attributes(const struct bb_attribute *attrs, size_t n, uint64_t seed)
{
	uint64_t sum = seed + n;

	for (size_t i = 0; i < n; i++)
		sum += hash_value(&attrs[i].value,
				  hash_text(attrs[i].name, seed + (uint64_t)attrs[i].at_ms));
	return sum;
}

static uint64_t hash_identifier(const struct bb_identifier *id, uint64_t seed)
{
	return hash_text(id->value, hash_text(id->ns, seed));
}

/* Of identifiers, and of pairs that a `same` fact names, the ends one after the other. */
struct named {
	const struct bb_identifier *ids, *ends;
	size_t id_n, end_n;
};

/* The content of the event, less a time taken from Kafka and its position. */
static uint64_t fingerprint(const struct bb_event *ev, const struct named *named)
{
	uint64_t h = hash_text(ev->type, ev->kafka_time ? 0 : (uint64_t)ev->time_ms), sum = 0;

	h = hash_text(ev->channel, h);
	for (size_t i = 0; i < named->id_n; i++) /* their order is the configuration's */
		sum += hash_identifier(&named->ids[i], h);
	h = hash_attributes(ev->attributes, ev->attribute_n, h);
	h = hash_attributes(ev->once, ev->once_n, h);
	for (size_t i = 0; i < ev->unset_n; i++)
		sum += hash_text(ev->unset[i], h);
	h += sum;
	if (ev->has_amount) {
		h = hash_text(ev->amount.value, hash_text(ev->amount.currency, h));
		h = hash_text(ev->amount.part, hash_text(ev->amount.key, h));
	}
	for (size_t i = 0; i < ev->consent_n; i++) {
		h = hash_text(ev->consent[i].purpose, h);
		h = hash_text(ev->consent[i].channel, h);
		h = hash_text(ev->consent[i].status, h);
	}
	for (size_t i = 0; i < named->end_n; i++)
		h = hash_identifier(&named->ends[i], h);
	return hash_text(ev->properties, h);
}

static uint64_t fingerprint_canonical(const struct bb_event *ev)
{
	return fingerprint(ev, &(struct named){.ids = ev->identifiers,
					       .ends = (const struct bb_identifier *)ev->same,
					       .id_n = ev->identifier_n,
					       .end_n = 2 * ev->same_n});
}

static uint64_t fingerprint_given(const struct bb_event *ev)
{
	size_t end_n = 2 * ev->given_same_n;

	return fingerprint(ev, &(struct named){.ids = ev->given,
					       .ends = ev->given + ev->given_n - end_n,
					       .id_n = ev->given_n,
					       .end_n = end_n});
}

#define ROW_KAFKA 1u
#define ROW_RECORD 2u
#define ROW_AMOUNT 4u
#define ROW_EPOCH 8u
#define ROW_ERASED 16u
#define ROW_GIVEN 32u /* came otherwise than it is canonical */

static void encode(struct bb_buf *buf, const struct bb_window_row *row)
{
	static const struct bb_hash none;
	bool recorded = !bb_hash_equal(&row->record, &none);

	buf->n = 0;
	bb_put_u64(buf, (row->kafka ? ROW_KAFKA : 0) | (recorded ? ROW_RECORD : 0) |
				(row->has_amount ? ROW_AMOUNT : 0) | (row->epoch ? ROW_EPOCH : 0) |
				(row->erased ? ROW_ERASED : 0) |
				(row->given != row->fingerprint ? ROW_GIVEN : 0));
	bb_buf_add(buf, &row->fingerprint, sizeof(row->fingerprint));
	if (row->given != row->fingerprint)
		bb_buf_add(buf, &row->given, sizeof(row->given));
	if (row->epoch)
		bb_put_u64(buf, row->epoch);
	bb_put_i64(buf, row->log_ms);
	if (row->kafka)
		bb_put_i64(buf, row->time_ms);
	if (recorded)
		bb_put_hash(buf, &row->record);
	if (row->erased)
		bb_buf_add(buf, row->by.b, BB_TOMB_ORDER_BYTES);
	if (row->has_amount) {
		bb_put_hash(buf, &row->holder);
		bb_put_i128(buf, row->micros);
		bb_buf_add(buf, row->currency, 3);
		bb_put_u64(buf, row->type);
	}
}

static uint64_t get_print(struct bb_cursor *cur)
{
	struct bb_text bytes = bb_get_bytes(cur, sizeof(uint64_t));
	uint64_t print = 0;

	if (!cur->bad)
		memcpy(&print, bytes.p, sizeof(print));
	return print;
}

static bool decode(struct bb_text bytes, struct bb_window_row *row)
{
	struct bb_cursor cur = bb_cursor_of(bytes);
	uint64_t flags = bb_get_u64(&cur);

	row->fingerprint = get_print(&cur);
	row->given = flags & ROW_GIVEN ? get_print(&cur) : row->fingerprint;
	row->epoch = flags & ROW_EPOCH ? bb_get_u64(&cur) : 0;
	row->log_ms = bb_get_i64(&cur);
	row->kafka = flags & ROW_KAFKA;
	if (row->kafka)
		row->time_ms = bb_get_time(&cur);
	if (flags & ROW_RECORD)
		row->record = bb_get_hash(&cur);
	row->erased = flags & ROW_ERASED;
	if (row->erased) {
		struct bb_text by = bb_get_bytes(&cur, BB_TOMB_ORDER_BYTES);

		if (cur.bad)
			return false;
		memcpy(row->by.b, by.p, BB_TOMB_ORDER_BYTES);
	}
	row->has_amount = flags & ROW_AMOUNT;
	if (row->has_amount) {
		row->holder = bb_get_hash(&cur);
		row->micros = bb_get_i128(&cur);
		bb_get_currency(&cur, row->currency);
		row->type = (uint32_t)bb_get_u64(&cur);
	}
	return !cur.bad;
}

static struct bb_hash table_key(const uint8_t key[WINDOW_KEY_BYTES])
{
	struct bb_hash hash;

	memcpy(hash.b, key + 4, BB_HASH_BYTES);
	return hash;
}

/* Follows a row of the store to what erasures made of its record. */
static void follow(struct bb_batch *batch, struct bb_window_row *row)
{
	struct bb_tomb_fate fate = {.record = row->record, .holder = row->holder};
	int rc;

	if (row->erased || row->epoch == batch->epoch)
		return;
	rc = bb_tomb_follow(batch->kv, row->epoch, &fate);
	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	row->record = fate.record;
	row->holder = fate.holder;
	row->erased = fate.gone;
	row->by = fate.by;
}

/* The row of a name: of this batch, or of the store (into *scratch). NULL: not seen. */
static const struct bb_window_row *find(struct bb_batch *batch, const uint8_t key[WINDOW_KEY_BYTES],
					struct bb_window_row *scratch)
{
	struct bb_hash hash = table_key(key);
	const struct bb_window_row *row = bb_table_get(&batch->windows, &hash);
	struct bb_text value;

	if (row)
		return row;
	int rc =
		bb_kv_get(batch->kv, BB_TABLE_WINDOW, bb_text_bytes(key, WINDOW_KEY_BYTES), &value);

	if (rc == BB_ENOTFOUND)
		return NULL;
	*scratch = (struct bb_window_row){.next = NULL};
	if (rc == BB_OK && decode(value, scratch)) {
		follow(batch, scratch);
		return scratch;
	}
	bb_batch_fail(batch, rc == BB_OK ? BB_ECORRUPT : rc);
	return NULL;
}

static bool is_log_time(int64_t ms)
{
	return ms >= BB_TIME_MIN_MS && ms <= BB_TIME_MAX_MS;
}

struct bb_window_row *bb_window_row_new(struct bb_batch *batch, const struct bb_event *ev)
{
	struct bb_window_row *row = bb_arena_zalloc(&batch->arena, sizeof(*row));

	name_key(batch, ev->source, ev->id, ev->kafka_time, ev->time_ms, row->key);
	row->fingerprint = fingerprint_canonical(ev);
	row->given = ev->given ? fingerprint_given(ev) : row->fingerprint;
	row->log_ms = is_log_time(ev->log_ms) ? ev->log_ms : BB_NO_TIMESTAMP;
	row->time_ms = ev->time_ms;
	row->kafka = ev->kafka_time;
	row->epoch = batch->epoch;
	return row;
}

static void remember(struct bb_batch *batch, struct bb_window_row *row);

/*
 * A name is remembered from its latest copy on. So the names of all events since some time are
 * there as long as that time is within the window, whichever copy of them was counted: a log that
 * is read again from there has none that counts twice.
 */
static void refresh(struct bb_batch *batch, const struct bb_window_row *seen, bool of_batch,
		    const struct bb_window_row *copy)
{
	struct bb_window_row *row;

	if (seen->log_ms == BB_NO_TIMESTAMP || copy->log_ms <= seen->log_ms)
		return;
	if (of_batch) {
		struct bb_hash hash = table_key(copy->key);

		row = bb_table_get(&batch->windows, &hash);
		row->log_ms = copy->log_ms;
		return;
	}
	row = bb_arena_zalloc(&batch->arena, sizeof(*row));
	*row = *seen;
	memcpy(row->key, copy->key, WINDOW_KEY_BYTES);
	row->log_ms = copy->log_ms;
	row->epoch = batch->epoch;
	remember(batch, row);
}

enum bb_window_result bb_window_check(struct bb_batch *batch, const struct bb_event *ev,
				      const struct bb_window_row *row)
{
	static const struct bb_tomb_order by_rules;
	struct bb_window_row scratch;
	const struct bb_window_row *seen = find(batch, row->key, &scratch);

	if (!seen)
		return BB_WINDOW_NEW;
	refresh(batch, seen, seen != &scratch, row);
	if (seen->erased)
		return memcmp(&seen->by, &by_rules, sizeof(by_rules)) != 0 &&
				       bb_erase_is_below(batch, &seen->by, ev)
			       ? BB_WINDOW_ERASED
			       : BB_WINDOW_NEW;
	return seen->fingerprint == row->fingerprint || seen->given == row->given
		       ? BB_WINDOW_DUPLICATE
		       : BB_WINDOW_CONFLICT;
}

static void amount(struct bb_batch *batch, struct bb_record *record, uint32_t type, int64_t time_ms,
		   const char currency[3], bb_i128 micros, int n)
{
	bb_batch_dirty_record(batch, record);
	bb_facts_amount(&batch->arena, &record->facts, type, time_ms, currency, micros, n);
}

/* The record of a row of the window. */
static struct bb_record *record_of(struct bb_batch *batch, const struct bb_window_row *row)
{
	struct bb_ident *holder = bb_batch_ident(batch, &row->holder);
	struct bb_record *record = holder ? bb_batch_record_in(batch, holder, &row->record) : NULL;

	if (!record)
		bb_batch_fail(batch, BB_ECORRUPT);
	return record;
}

/* The amount of `row` does not count as long as that of its twin, of `winner`, does. */
static void displace(struct bb_batch *batch, struct bb_record *winner,
		     const struct bb_window_row *row, int64_t time_ms)
{
	struct bb_fact_displaced displaced = {.record = row->record,
					      .holder = row->holder,
					      .epoch = batch->epoch,
					      .type = row->type,
					      .time_ms = time_ms,
					      .micros = row->micros};

	memcpy(displaced.currency, row->currency, 3);
	bb_batch_dirty_record(batch, winner);
	BB_ARENA_PUSH(&batch->arena, winner->facts.displaced, winner->facts.displaced_n,
		      winner->facts.displaced_room) = displaced;
}

/* Counts an amount without a key in its record, unless its twin's counts; a time of Kafka's takes
 * the twin's back. */
static void count_amount(struct bb_batch *batch, const struct bb_event *ev,
			 struct bb_record *record, const struct bb_window_row *row)
{
	uint8_t key[WINDOW_KEY_BYTES];
	struct bb_window_row scratch;
	struct bb_record *other = NULL;

	name_key(batch, ev->source, ev->id, !ev->kafka_time, ev->time_ms, key);
	const struct bb_window_row *twin = find(batch, key, &scratch);
	bool met = twin && !twin->erased && twin->has_amount &&
		   (!twin->kafka || twin->time_ms == ev->time_ms);

	if (met && !(other = record_of(batch, twin)))
		return;
	if (met && !ev->kafka_time) {
		displace(batch, other, row, ev->time_ms);
		return;
	}
	if (met) {
		amount(batch, other, twin->type, ev->time_ms, twin->currency, twin->micros, -1);
		displace(batch, record, twin, ev->time_ms);
	}
	amount(batch, record, row->type, ev->time_ms, row->currency, row->micros, 1);
}

void bb_window_restore(struct bb_batch *batch, const struct bb_fact_displaced *displaced)
{
	struct bb_tomb_fate fate = {.record = displaced->record, .holder = displaced->holder};
	struct bb_window_row row;
	struct bb_record *record;
	int rc = bb_tomb_follow(batch->kv, displaced->epoch, &fate);

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	if (rc != BB_OK || fate.gone)
		return;
	row = (struct bb_window_row){.record = fate.record, .holder = fate.holder};
	record = record_of(batch, &row);
	if (record)
		amount(batch, record, displaced->type, displaced->time_ms, displaced->currency,
		       displaced->micros, 1);
}

static void remember(struct bb_batch *batch, struct bb_window_row *row)
{
	struct bb_hash hash = table_key(row->key);

	bb_table_put(&batch->windows, &hash, row);
	row->next = batch->new_windows;
	batch->new_windows = row;
	if (row->log_ms > batch->log_ms)
		batch->log_ms = row->log_ms;
}

void bb_window_add(struct bb_batch *batch, const struct bb_event *ev, struct bb_window_row *row,
		   struct bb_record *record, bool counts, bb_i128 micros)
{
	if (record)
		row->record = record->hash;
	else
		row->record = bb_ledger_hash(batch, ev);
	if (counts && record) {
		row->has_amount = true;
		row->holder = bb_batch_hash_ident(batch, record->ns[0], record->values[0]);
		row->micros = micros;
		memcpy(row->currency, ev->amount.currency.p, 3);
		row->type = bb_names_add(batch->names, BB_NAME_TYPE, ev->type);
		count_amount(batch, ev, record, row);
	}
	remember(batch, row);
}

void bb_window_add_erased(struct bb_batch *batch, struct bb_window_row *row,
			  const struct bb_tomb_order *by)
{
	row->erased = true;
	row->by = *by;
	remember(batch, row);
}

static int by_key(const void *a, const void *b)
{
	return memcmp((*(struct bb_window_row *const *)a)->key,
		      (*(struct bb_window_row *const *)b)->key, WINDOW_KEY_BYTES);
}

/*
 * Removes rows whose log time lies before the window. Only rows with an event time before the
 * horizon (and what max_future allows) can be that old: the walk goes through those, over many
 * batches, and starts again.
 */
static void sweep(struct bb_batch *batch, size_t budget)
{
	int64_t horizon_ms = batch->log_ms - batch->rules->window_ms;
	int64_t last_ms;
	struct bb_text key, value;

	if (horizon_ms > batch->keep_ms)
		horizon_ms = batch->keep_ms;
	if (batch->log_ms <= 0 || horizon_ms <= 0)
		return;
	if (__builtin_add_overflow(horizon_ms, batch->rules->max_future_ms, &last_ms))
		last_ms = INT64_MAX;
	while (budget-- && batch->err == BB_OK) {
		struct bb_window_row row = {.next = NULL};
		int rc = bb_kv_seek(batch->kv, BB_TABLE_WINDOW,
				    bb_text_bytes(batch->sweep, WINDOW_KEY_BYTES), true, &key,
				    &value);

		if (rc == BB_ENOTFOUND ||
		    (rc == BB_OK && (int64_t)bb_key_read(key.p, 4) > last_ms / MINUTE_MS + 1)) {
			memset(batch->sweep, 0, sizeof(batch->sweep));
			return;
		}
		if (rc != BB_OK || key.n != WINDOW_KEY_BYTES || !decode(value, &row)) {
			bb_batch_fail(batch, rc != BB_OK ? rc : BB_ECORRUPT);
			return;
		}
		memcpy(batch->sweep, key.p, WINDOW_KEY_BYTES);
		if (row.log_ms == BB_NO_TIMESTAMP || row.log_ms >= horizon_ms)
			continue;
		rc = bb_kv_del(batch->kv, BB_TABLE_WINDOW,
			       bb_text_bytes(batch->sweep, WINDOW_KEY_BYTES));
		if (rc != BB_OK)
			bb_batch_fail(batch, rc);
	}
}

void bb_window_flush(struct bb_batch *batch)
{
	struct bb_window_row **rows =
		bb_arena_alloc(&batch->arena, batch->windows.n * sizeof(struct bb_window_row *));
	size_t n = 0;

	for (struct bb_window_row *row = batch->new_windows; row; row = row->next) {
		struct bb_hash hash = table_key(row->key);

		if (bb_table_get(&batch->windows, &hash) == row) /* no later one took its place */
			rows[n++] = row;
	}
	qsort(rows, n, sizeof(struct bb_window_row *), by_key);
	for (size_t i = 0; i < n && batch->err == BB_OK; i++) {
		encode(&batch->buf, rows[i]);
		int rc = bb_kv_put(batch->kv, BB_TABLE_WINDOW,
				   bb_text_bytes(rows[i]->key, WINDOW_KEY_BYTES),
				   bb_buf_slice(&batch->buf));

		if (rc != BB_OK)
			bb_batch_fail(batch, rc);
	}
	sweep(batch, 2 * n + 64);
}
