/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of explanations: identifiers as `ns:value`, links with the records or the ruling that
 * say them. Long lists are cut and counted. Cannot fail; damage is the batch's error.
 */
#include <backbone/clock.h>
#include <stdlib.h>

#include "explain.h"
#include "ruling.h"

struct bb_text bb_explain_name(struct bb_batch *batch, const struct bb_ident *ident)
{
	struct bb_text ns = bb_text_of(batch->rules->namespaces[ident->ns].name);
	size_t n = ns.n + 1 + ident->value.n;
	char *p = bb_arena_alloc(&batch->arena, n);

	memcpy(p, ns.p, ns.n);
	p[ns.n] = ':';
	if (ident->value.n)
		memcpy(p + ns.n + 1, ident->value.p, ident->value.n);
	return bb_text_bytes(p, n);
}

static int by_strength(const void *a, const void *b)
{
	const struct bb_ident *x = *(struct bb_ident *const *)a, *y = *(struct bb_ident *const *)b;

	return x->ns != y->ns ? (int)x->ns - (int)y->ns : bb_text_compare(x->value, y->value);
}

void bb_explain_idents_json(struct bb_batch *batch, struct bb_ident **idents, size_t n, size_t most,
			    struct bb_buf *json)
{
	if (n > 1)
		qsort(idents, n, sizeof(*idents), by_strength);
	bb_buf_byte(json, '[');
	for (size_t i = 0; i < n && i < most; i++) {
		if (i)
			bb_buf_byte(json, ',');
		bb_buf_json(json, bb_explain_name(batch, idents[i]));
	}
	bb_buf_byte(json, ']');
}

void bb_explain_pair_json(struct bb_batch *batch, const struct bb_ident *a,
			  const struct bb_ident *b, struct bb_buf *json)
{
	bb_buf_byte(json, '[');
	bb_buf_json(json, bb_explain_name(batch, a));
	bb_buf_byte(json, ',');
	bb_buf_json(json, bb_explain_name(batch, b));
	bb_buf_byte(json, ']');
}

static void put_time(struct bb_buf *json, const char *name, int64_t time_ms)
{
	char iso[BB_ISO_BYTES];

	bb_clock_iso(time_ms, iso);
	bb_buf_printf(json, ",\"%s\":\"%.*s\"", name, BB_ISO_BYTES, iso);
}

void bb_explain_profile_json(const struct bb_profile *profile, struct bb_buf *json)
{
	char id[BB_PROFILE_ID_BYTES];

	if (!profile) { /* a damaged row: the batch has failed, the answer is thrown away */
		bb_buf_printf(json, "null");
		return;
	}
	bb_hash_profile_id(&profile->name, id);
	bb_buf_printf(json, "\"%.*s\"", BB_PROFILE_ID_BYTES, id);
}

bool bb_explain_ruling_json(struct bb_batch *batch, const struct bb_hash *a,
			    const struct bb_hash *b, struct bb_buf *json)
{
	struct bb_hash on = b ? bb_ruling_hash_pair(a, b) : *a;
	struct bb_ruling_row row;
	enum bb_word word;
	struct bb_text id;
	int rc = bb_ruling_word(batch->kv, &on, &batch->arena, &word, &id);

	if (rc == BB_OK && word == BB_WORD_NONE)
		return false;
	if (rc == BB_OK)
		rc = bb_ruling_get(batch->kv, &batch->rules->profile_key, id, &batch->arena, &row);
	if (rc != BB_OK) {
		bb_batch_fail(batch, rc);
		return false;
	}
	bb_buf_printf(json, "{\"id\":");
	bb_buf_json(json, row.ruling.id);
	bb_buf_printf(json, ",\"ruling\":\"%s\"", bb_ruling_kind_text(row.ruling.kind));
	put_time(json, "time", row.ruling.time_ms);
	bb_buf_printf(json, ",\"actor\":");
	bb_buf_json(json, row.ruling.actor);
	bb_buf_printf(json, ",\"reason\":");
	bb_buf_json(json, row.ruling.reason);
	bb_buf_byte(json, '}');
	return true;
}

/* --- records of a link ------------------------------------------------------------------------ */

struct records {
	struct bb_record **items;
	size_t n, room;
};

static int index_of(const struct bb_record *record, const struct bb_ident *ident)
{
	for (size_t i = 0; i < record->ident_n; i++)
		if (record->ns[i] == ident->ns && bb_text_equal(record->values[i], ident->value))
			return (int)i;
	return -1;
}

/* A `same` fact of the record on two of its identifiers. */
static bool says_same(const struct bb_record *record, int a, int b)
{
	for (size_t i = 0; i < record->facts.same_n; i++) {
		const struct bb_fact_same *same = &record->facts.same[i];

		if ((same->a == a && same->b == b) || (same->a == b && same->b == a))
			return true;
	}
	return false;
}

static bool says(struct bb_batch *batch, struct bb_record *record, const struct bb_link *link)
{
	int a = index_of(record, link->anchor), b = index_of(record, link->other);

	if (a < 0 || b < 0)
		return false;
	if (link->join) {
		bb_batch_whole(batch, record);
		return says_same(record, a, b);
	}
	return bb_rows_anchor(record->ident_n, record->blocked, record->shared) == a &&
	       !((record->blocked | record->shared) & (BB_MASK(a) | BB_MASK(b)));
}

/* The latest seen first; the hash, which no two records share, decides last. */
static int by_last(const void *a, const void *b)
{
	const struct bb_record *x = *(struct bb_record *const *)a,
			       *y = *(struct bb_record *const *)b;

	if (x->facts.last_ms != y->facts.last_ms)
		return x->facts.last_ms > y->facts.last_ms ? -1 : 1;
	return memcmp(x->hash.b, y->hash.b, BB_HASH_BYTES);
}

static struct records records_of(struct bb_batch *batch, const struct bb_link *link)
{
	struct bb_ident *end =
		link->anchor->record_n < link->other->record_n ? link->anchor : link->other;
	struct records records = {NULL, 0, 0};
	struct bb_record *record;

	for (size_t i = 0; (record = bb_batch_nth_record(batch, end, i)); i++)
		if (says(batch, record, link))
			BB_ARENA_PUSH(&batch->arena, records.items, records.n, records.room) =
				record;
	if (records.n > 1)
		qsort(records.items, records.n, sizeof(*records.items), by_last);
	return records;
}

/* All of them together, then the latest one by one. */
static void put_records(struct bb_batch *batch, const struct records *records, struct bb_buf *json)
{
	uint64_t events = 0;
	int64_t first_ms = INT64_MAX, last_ms = INT64_MIN;

	for (size_t i = 0; i < records->n; i++) {
		const struct bb_facts *facts = &records->items[i]->facts;

		events += facts->events;
		first_ms = facts->first_ms < first_ms ? facts->first_ms : first_ms;
		last_ms = facts->last_ms > last_ms ? facts->last_ms : last_ms;
	}
	bb_buf_printf(json, ",\"events\":%llu", (unsigned long long)events);
	if (records->n) {
		put_time(json, "first_seen", first_ms);
		put_time(json, "last_seen", last_ms);
	}
	bb_buf_printf(json, ",\"records\":[");
	for (size_t i = 0; i < records->n && i < BB_EXPLAIN_RECORDS_MAX; i++) {
		const struct bb_record *record = records->items[i];

		bb_buf_printf(json, "%s{\"source\":", i ? "," : "");
		bb_buf_json(json, bb_names_text(batch->names, BB_NAME_SOURCE, record->source));
		bb_buf_printf(json, ",\"events\":%llu", (unsigned long long)record->facts.events);
		put_time(json, "first_seen", record->facts.first_ms);
		put_time(json, "last_seen", record->facts.last_ms);
		bb_buf_byte(json, '}');
	}
	bb_buf_printf(json, "],\"record_n\":%zu", records->n);
}

/* --- links ------------------------------------------------------------------------------------ */

void bb_explain_ends_json(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json)
{
	bb_buf_printf(json, "\"from\":");
	bb_buf_json(json, bb_explain_name(batch, link->anchor));
	bb_buf_printf(json, ",\"to\":");
	bb_buf_json(json, bb_explain_name(batch, link->other));
	bb_buf_printf(json, ",\"kind\":\"%s\"", link->join ? "join" : "link");
}

void bb_explain_link_json(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json)
{
	const struct bb_join *pair = link->join ? bb_ident_pair(link->anchor, link->other) : NULL;
	bool is_ruled = pair && pair->ruling == BB_PAIR_JOIN;
	struct records records = records_of(batch, link);

	bb_explain_ends_json(batch, link, json);
	if (link->join)
		bb_buf_printf(json, ",\"by\":\"%s\"", is_ruled ? "ruling" : "same");
	if (is_ruled) {
		bb_buf_printf(json, ",\"ruling\":");
		if (!bb_explain_ruling_json(batch, &link->anchor->hash, &link->other->hash, json))
			bb_buf_printf(json, "null");
	}
	put_records(batch, &records, json);
}

void bb_explain_refused_json(struct bb_batch *batch, const struct bb_explain_links *refused,
			     struct bb_buf *json)
{
	bb_buf_printf(json, "\"refused\":[");
	for (size_t i = 0; i < refused->n && i < BB_EXPLAIN_LIST_MAX && batch->err == BB_OK; i++) {
		bb_buf_printf(json, "%s{", i ? "," : "");
		bb_explain_link_json(batch, refused->items[i], json);
		bb_buf_printf(json, ",\"witness\":");
		bb_explain_witness(batch, refused->items[i], json);
		bb_buf_byte(json, '}');
	}
	bb_buf_printf(json, "],\"refused_n\":%zu", refused->n);
}
