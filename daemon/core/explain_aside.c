/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What links nobody, and why: blocked identifiers (a ruling, junk, a pattern), shared ones (which
 * count is beyond which cap, and who the owners are), and those that a profile came with.
 *
 * A kiosk may be in a million records. Their count is exact; the neighbours are counted from
 * COUNT_RECORDS of them, taken in the order of their hashes so that every replica takes the same,
 * and from as many more as it takes until a cap is broken: then the counts are a lower bound.
 */
#include <backbone/normalise.h>
#include <stdlib.h>

#include "explain.h"

enum { COUNT_RECORDS = 10000 };

static void put_rule(struct bb_batch *batch, const struct bb_explain_end *end, const char *rule,
		     struct bb_buf *json)
{
	const struct bb_namespace *ns = &batch->rules->namespaces[end->ns];

	bb_buf_printf(json, "\"by\":\"rule\",\"rule\":\"%s\"", rule);
	for (size_t i = 0; strncmp(rule, "pattern", 7) == 0 && i < ns->block_n; i++)
		if (bb_pattern_matches(ns->block[i], end->value)) {
			bb_buf_printf(json, ",\"pattern\":");
			bb_buf_json(json, bb_text_of(bb_pattern_text(ns->block[i])));
			return;
		}
}

void bb_explain_blocked(struct bb_batch *batch, const struct bb_explain_end *end,
			struct bb_buf *json)
{
	const char *rule = bb_normalise_blocked_by(&batch->rules->namespaces[end->ns], end->value,
						   &batch->arena);
	struct bb_hash hash = bb_batch_hash_ident(batch, end->ns, end->value);
	struct bb_buf ruling = BB_BUF_EMPTY;

	bb_buf_printf(json, "{\"key\":");
	bb_buf_json(json, end->key);
	bb_buf_byte(json, ',');
	if (bb_explain_ruling_json(batch, &hash, NULL, &ruling)) {
		bb_buf_printf(json, "\"by\":\"ruling\",\"ruling\":");
		bb_buf_text(json, bb_buf_slice(&ruling));
	} else if (rule) {
		put_rule(batch, end, rule, json);
	} else {
		bb_batch_fail(batch, BB_ECORRUPT); /* blocked by nothing */
	}
	bb_buf_printf(json, ",\"records\":%llu}",
		      (unsigned long long)(end->ident ? end->ident->record_n : 0));
	bb_buf_fini(&ruling);
}

/* --- shared ----------------------------------------------------------------------------------- */

struct neighbours {
	struct bb_ident **items;
	size_t n, room;
	bool is_partial;
};

struct counts {
	uint32_t *owners; /* by namespace */
	uint32_t links, devices;
};

static int by_record_hash(const void *a, const void *b)
{
	const struct bb_membership *x = a, *y = b;

	return memcmp(x->record_hash.b, y->record_hash.b, BB_HASH_BYTES);
}

/* By label, then namespace, so that labels count once. */
static int by_label(const void *a, const void *b)
{
	const struct bb_ident *x = *(struct bb_ident *const *)a, *y = *(struct bb_ident *const *)b;
	int d = memcmp(x->label.b, y->label.b, BB_HASH_BYTES);

	return d ? d : (int)x->ns - (int)y->ns;
}

/* Sorts the neighbours. */
static void count(struct bb_batch *batch, const struct bb_ident *ident, struct neighbours *near,
		  struct counts *counts)
{
	const struct bb_namespace *all = batch->rules->namespaces;

	memset(counts->owners, 0, batch->rules->namespace_n * sizeof(*counts->owners));
	counts->links = counts->devices = 0;
	if (near->n > 1)
		qsort(near->items, near->n, sizeof(*near->items), by_label);
	for (size_t i = 0, end; i < near->n; i = end) {
		const struct bb_hash *label = &near->items[i]->label;
		bool has_durable = false, has_device = false;

		for (end = i; end < near->n && bb_hash_equal(&near->items[end]->label, label);
		     end++) {
			uint16_t ns = near->items[end]->ns;
			bool again = end > i && near->items[end - 1]->ns == ns;

			has_durable = has_durable || all[ns].durable;
			has_device = has_device || !all[ns].durable;
			counts->owners[ns] += !again && all[ns].owner && ns != ident->ns;
		}
		if (bb_hash_equal(label, &ident->label))
			continue; /* joined to it: owners all the same, but nobody else */
		counts->links += has_durable;
		counts->devices += has_device;
	}
}

/* identity.md §2: for a durable identifier the owner namespace's own limit counts if it is larger.
 */
static uint32_t owners_cap(const struct bb_namespace *ns, const struct bb_namespace *of)
{
	if (ns->owners == BB_NO_LIMIT || (ns->durable && of->per_profile == BB_NO_LIMIT))
		return BB_NO_LIMIT;
	return ns->durable && of->per_profile > ns->owners ? of->per_profile : ns->owners;
}

static bool is_over(uint64_t found, uint32_t cap)
{
	return cap != BB_NO_LIMIT && found > cap;
}

static bool is_any_over(struct bb_batch *batch, const struct bb_ident *ident,
			const struct counts *counts)
{
	const struct bb_namespace *ns = &batch->rules->namespaces[ident->ns];

	for (size_t i = 0; i < batch->rules->namespace_n; i++)
		if (is_over(counts->owners[i], owners_cap(ns, &batch->rules->namespaces[i])))
			return true;
	return is_over(counts->links, ns->links) || is_over(counts->devices, ns->devices) ||
	       is_over(ident->record_n, ns->records);
}

static void add_neighbours(struct bb_batch *batch, struct bb_ident *ident, struct bb_record *record,
			   uint32_t mark, struct neighbours *near)
{
	for (size_t i = 0; i < record->ident_n; i++) {
		struct bb_ident *other = bb_batch_record_ident(batch, record, i);

		if (other == ident || other->blocked || other->mark == mark)
			continue;
		other->mark = mark;
		BB_ARENA_PUSH(&batch->arena, near->items, near->n, near->room) = other;
	}
}

static void gather(struct bb_batch *batch, struct bb_ident *ident, struct neighbours *near,
		   struct counts *counts)
{
	uint32_t mark = ++batch->mark;
	struct bb_membership *places;
	size_t done;

	/* reading the first makes all places known */
	if (!bb_batch_nth_record(batch, ident, 0))
		return;
	places = bb_arena_alloc(&batch->arena, ident->place_n * sizeof(*places));
	memcpy(places, ident->places, ident->place_n * sizeof(*places));
	qsort(places, ident->place_n, sizeof(*places), by_record_hash);
	for (done = 0; done < ident->place_n && batch->err == BB_OK; done++) {
		if (done && done % COUNT_RECORDS == 0) {
			count(batch, ident, near, counts);
			if (is_any_over(batch, ident, counts))
				break;
		}
		add_neighbours(
			batch, ident,
			bb_batch_record(batch, &places[done].record_hash, places[done].place), mark,
			near);
	}
	near->is_partial = done < ident->place_n;
	count(batch, ident, near, counts);
}

static void put_count(const char *of, const char *ns, uint64_t found, uint32_t cap,
		      struct bb_buf *json)
{
	bb_buf_printf(json, "{\"of\":\"%s\"", of);
	if (ns)
		bb_buf_printf(json, ",\"ns\":\"%s\"", ns);
	bb_buf_printf(json, ",\"found\":%llu,\"allowed\":", (unsigned long long)found);
	if (cap == BB_NO_LIMIT)
		bb_buf_printf(json, "null");
	else
		bb_buf_printf(json, "%u", cap);
	bb_buf_printf(json, ",\"over\":%s}", is_over(found, cap) ? "true" : "false");
}

static void put_counts(struct bb_batch *batch, const struct bb_ident *ident,
		       const struct counts *counts, struct bb_buf *json)
{
	const struct bb_namespace *all = batch->rules->namespaces, *ns = &all[ident->ns];

	bb_buf_printf(json, "\"counts\":[");
	for (size_t i = 0; i < batch->rules->namespace_n; i++) {
		if (!counts->owners[i])
			continue;
		put_count("owners", all[i].name, counts->owners[i], owners_cap(ns, &all[i]), json);
		bb_buf_byte(json, ',');
	}
	put_count("links", NULL, counts->links, ns->links, json);
	bb_buf_byte(json, ',');
	put_count("devices", NULL, counts->devices, ns->devices, json);
	bb_buf_byte(json, ',');
	put_count("records", NULL, ident->record_n, ns->records, json);
	bb_buf_byte(json, ']');
}

static struct counts no_counts(struct bb_batch *batch)
{
	return (struct counts){
		bb_arena_zalloc(&batch->arena, batch->rules->namespace_n * sizeof(uint32_t)), 0, 0};
}

bool bb_explain_excess(struct bb_batch *batch, struct bb_ident *ident,
		       uint64_t ret_excess[BB_EXPLAIN_LIMIT_N])
{
	const struct bb_namespace *all = batch->rules->namespaces, *ns = &all[ident->ns];
	struct neighbours near = {NULL, 0, 0, false};
	struct counts counts = no_counts(batch);

	gather(batch, ident, &near, &counts);
	memset(ret_excess, 0, BB_EXPLAIN_LIMIT_N * sizeof(*ret_excess));
	for (size_t i = 0; i < batch->rules->namespace_n; i++)
		if (is_over(counts.owners[i], owners_cap(ns, &all[i])) &&
		    counts.owners[i] > ret_excess[BB_EXPLAIN_OWNERS])
			ret_excess[BB_EXPLAIN_OWNERS] = counts.owners[i];
	if (is_over(counts.links, ns->links))
		ret_excess[BB_EXPLAIN_LINKS] = counts.links;
	if (is_over(counts.devices, ns->devices))
		ret_excess[BB_EXPLAIN_DEVICES] = counts.devices;
	if (is_over(ident->record_n, ns->records))
		ret_excess[BB_EXPLAIN_RECORDS] = ident->record_n;
	return !near.is_partial;
}

void bb_explain_shared(struct bb_batch *batch, struct bb_ident *ident, struct bb_buf *json)
{
	struct counts counts = no_counts(batch);
	struct neighbours near = {NULL, 0, 0, false};
	size_t owner_n = 0;

	gather(batch, ident, &near, &counts);
	bb_buf_printf(json, "{\"key\":");
	bb_buf_json(json, bb_explain_name(batch, ident));
	bb_buf_byte(json, ',');
	put_counts(batch, ident, &counts, json);
	for (size_t i = 0; i < near.n; i++)
		if (batch->rules->namespaces[near.items[i]->ns].owner &&
		    near.items[i]->ns != ident->ns)
			near.items[owner_n++] = near.items[i];
	bb_buf_printf(json, ",\"at_least\":%s,\"owners\":", near.is_partial ? "true" : "false");
	bb_explain_idents_json(batch, near.items, owner_n, BB_EXPLAIN_LIST_MAX, json);
	bb_buf_printf(json, ",\"owner_n\":%zu}", owner_n);
}

/* --- beside ----------------------------------------------------------------------------------- */

struct aside {
	struct bb_ident **items;
	size_t n, room;
};

static void set_aside(struct bb_batch *batch, struct bb_record *record, uint32_t bits,
		      uint32_t mark, struct aside *aside)
{
	for (size_t i = 0; i < record->ident_n; i++) {
		if (!(bits & BB_MASK(i)))
			continue;
		struct bb_ident *ident = bb_batch_record_ident(batch, record, i);

		if (ident->mark == mark)
			continue;
		ident->mark = mark;
		BB_ARENA_PUSH(&batch->arena, aside->items, aside->n, aside->room) = ident;
	}
}

static void put_aside(struct bb_batch *batch, const char *name, const struct aside *aside,
		      struct bb_buf *json)
{
	bb_buf_printf(json, "\"%s\":", name);
	bb_explain_idents_json(batch, aside->items, aside->n, BB_EXPLAIN_LIST_MAX, json);
	bb_buf_printf(json, ",\"%s_n\":%zu", name, aside->n);
}

void bb_explain_beside(struct bb_batch *batch, struct bb_profile *profile, struct bb_buf *json)
{
	struct aside shared = {NULL, 0, 0}, blocked = {NULL, 0, 0};
	uint32_t mark = ++batch->mark;

	for (size_t i = 0; i < profile->member_n && batch->err == BB_OK; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);
		struct bb_record *record;

		if (ident->shared) /* it is asked for itself */
			continue;
		for (size_t k = 0; (record = bb_batch_nth_record(batch, ident, k)); k++) {
			set_aside(batch, record, record->shared, mark, &shared);
			set_aside(batch, record, record->blocked, mark, &blocked);
		}
	}
	bb_buf_printf(json, "\"beside\":{");
	put_aside(batch, "shared", &shared, json);
	bb_buf_byte(json, ',');
	put_aside(batch, "blocked", &blocked, json);
	bb_buf_byte(json, '}');
}
