/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hubs: identifiers in very many records, such as an account that comes with a fresh device each
 * time. Reading all their links for every event would cost more the longer it goes on; most are
 * refused, and need not be read: see partition.c. What that asks for is kept here between batches:
 *
 *	masks	the namespaces that a hub came with: they tell whether its group is full
 *	sums	what the records say together of a link between two hubs, which only grows
 *	spans	the worst rank that is needed to hold a large profile together: a link of a worse
 *		one meets all of it, so that what would be too much is told by its members' number
 *
 * All are made where they are missing, and thrown away when a batch is lost or does anything else
 * than adding. A mask may say too much, never too little. `most` counts events,
 * which cannot be added twice; links that are ranked by it are computed each time.
 */
#include "identity.h"

#define KEPT_MAX 65536
#define MASK_WORDS ((BB_NAMESPACES_MAX + 63) / 64)

struct mask {
	uint64_t words[MASK_WORDS];
};

static bool is_hub(const struct bb_batch *batch, const struct bb_ident *ident)
{
	return ident->record_n >= batch->hubs.from;
}

bool bb_hubs_defers(const struct bb_batch *batch, const struct bb_ident *ident)
{
	return is_hub(batch, ident) && !(ident->adjacency && ident->adjacency->loaded);
}

void bb_hubs_clear(struct bb_hubs *hubs)
{
	bb_table_clear(&hubs->masks);
	bb_table_clear(&hubs->sums);
	bb_table_clear(&hubs->ends);
	bb_table_clear(&hubs->spans);
	bb_arena_reset(&hubs->arena);
}

void bb_hubs_fini(struct bb_hubs *hubs)
{
	bb_table_fini(&hubs->masks);
	bb_table_fini(&hubs->sums);
	bb_table_fini(&hubs->ends);
	bb_table_fini(&hubs->spans);
	bb_arena_fini(&hubs->arena);
}

/* Memory is bounded: what is dropped is made again when it is asked for. */
static void make_room(struct bb_hubs *hubs)
{
	if (hubs->masks.n + hubs->sums.n + hubs->spans.n >= KEPT_MAX)
		bb_hubs_clear(hubs);
}

/* --- full groups ------------------------------------------------------------------------------ */

static void set(struct mask *mask, uint16_t ns)
{
	mask->words[ns / 64] |= UINT64_C(1) << (ns % 64);
}

static bool has(const struct mask *mask, uint16_t ns)
{
	return mask->words[ns / 64] >> (ns % 64) & 1;
}

static void add_record(struct mask *mask, const struct bb_record *record)
{
	for (size_t i = 0; i < record->ident_n; i++)
		set(mask, record->ns[i]);
}

void bb_hubs_remember(struct bb_batch *batch, struct bb_ident *hub)
{
	struct bb_hubs *hubs = &batch->hubs;
	struct bb_record *record;
	struct mask *mask;

	if (batch->err != BB_OK)
		return;
	make_room(hubs);
	mask = bb_arena_zalloc(&hubs->arena, sizeof(*mask));
	for (size_t i = 0; (record = bb_batch_nth_record(batch, hub, i)); i++)
		add_record(mask, record);
	bb_table_put(&hubs->masks, &hub->hash, mask);
}

void bb_hubs_enter(struct bb_batch *batch, struct bb_record *record)
{
	for (size_t i = 0; batch->hubs.masks.n > 0 && i < record->ident_n; i++) {
		const struct bb_ident *ident = bb_batch_record_ident(batch, record, i);
		struct mask *mask = bb_table_get(&batch->hubs.masks, &ident->hash);

		if (mask)
			add_record(mask, record);
	}
}

/* Whether no identifier of the namespace can be added: nobody in the group is joined, so that each
 * counts. */
static bool is_full_of(const struct bb_batch *batch, const struct bb_group *group, uint16_t ns)
{
	uint32_t most = batch->rules->namespaces[ns].per_profile, n = 0;

	if (most == BB_NO_LIMIT)
		return false;
	for (size_t i = 0; i < group->n; i++) {
		if (group->items[i]->ns != ns)
			continue;
		if (bb_ident_joined(group->items[i]))
			return false;
		n++;
	}
	return n >= most;
}

bool bb_hubs_is_full(struct bb_batch *batch, const struct bb_ident *hub,
		     const struct bb_group *group)
{
	const struct mask *mask;

	if (group->n >= batch->rules->max_identifiers)
		return true;
	mask = bb_table_get(&batch->hubs.masks, &hub->hash);
	if (!mask)
		return false;
	for (size_t ns = 0; ns < batch->rules->namespace_n; ns++)
		if (has(mask, (uint16_t)ns) && !is_full_of(batch, group, (uint16_t)ns))
			return false;
	return true;
}

/* --- sums ------------------------------------------------------------------------------------- */

/* A record that goes, or gets another anchor, takes something away from sums. */
static bool takes_away(const struct bb_record *record)
{
	const struct bb_standing *old = &record->old;

	return record->gone ||
	       (old->exists && (old->blocked != record->blocked || old->shared != record->shared));
}

void bb_hubs_begin(struct bb_batch *batch)
{
	batch->hubs.bypass = false;
	for (struct bb_record *record = batch->touched; record && !batch->hubs.bypass;
	     record = record->next_touched)
		batch->hubs.bypass = takes_away(record);
}

static struct bb_hash hash_of(const struct bb_batch *batch, const struct bb_record *record,
			      size_t i)
{
	return record->idents[i] ? record->idents[i]->hash
				 : bb_batch_hash_ident(batch, record->ns[i], record->values[i]);
}

void bb_hubs_see(struct bb_batch *batch, struct bb_record *record)
{
	const struct bb_standing now = bb_rows_standing(record);
	struct bb_hash anchor, other, key;
	struct bb_standing *sum;
	int first;

	if (batch->hubs.sums.n == 0 || batch->hubs.bypass)
		return;
	first = bb_links_anchor(record, &now);
	if (first < 0)
		return;
	anchor = hash_of(batch, record, (size_t)first);
	if (!bb_table_get(&batch->hubs.ends, &anchor))
		return;
	for (size_t i = 0; i < record->ident_n; i++) {
		if ((int)i == first || (now.blocked | now.shared) & BB_MASK(i))
			continue;
		other = hash_of(batch, record, i);
		key = bb_links_key(&anchor, &other, false);
		sum = bb_table_get(&batch->hubs.sums, &key);
		if (sum)
			bb_links_add(sum, &now);
	}
}

void bb_hubs_end(struct bb_batch *batch)
{
	if (batch->hubs.bypass)
		bb_hubs_clear(&batch->hubs);
	for (struct bb_record *record = batch->touched; record; record = record->next_touched)
		bb_hubs_see(batch, record);
}

static bool is_kept(const struct bb_batch *batch, const struct bb_link *link)
{
	return !batch->hubs.bypass && !link->join && is_hub(batch, link->anchor) &&
	       is_hub(batch, link->other) &&
	       batch->rules->namespaces[link->other->ns].prefer != BB_PREFER_MOST;
}

/* Adds what the batch says of the link. */
static void add_touched(struct bb_batch *batch, struct bb_link *link)
{
	for (struct bb_record *record = batch->touched; record; record = record->next_touched) {
		const struct bb_standing now = bb_rows_standing(record);
		int first = bb_links_anchor(record, &now);

		if (first < 0 ||
		    bb_batch_record_ident(batch, record, (size_t)first) != link->anchor)
			continue;
		for (size_t i = 0; i < record->ident_n; i++)
			if (!((now.blocked | now.shared) & BB_MASK(i)) &&
			    bb_batch_record_ident(batch, record, i) == link->other)
				bb_links_add(&link->sum, &now);
	}
}

bool bb_hubs_sum(struct bb_batch *batch, struct bb_link *link, bool old)
{
	struct bb_hash key = bb_links_key(&link->anchor->hash, &link->other->hash, false);
	const struct bb_standing *sum;

	if (!is_kept(batch, link))
		return false;
	sum = bb_table_get(&batch->hubs.sums, &key);
	if (!sum)
		return false;
	link->sum = *sum;
	if (!old)
		add_touched(batch, link);
	return true;
}

void bb_hubs_keep(struct bb_batch *batch, const struct bb_link *link)
{
	struct bb_hash key = bb_links_key(&link->anchor->hash, &link->other->hash, false);
	struct bb_standing *sum;

	if (batch->err != BB_OK || !is_kept(batch, link))
		return;
	make_room(&batch->hubs);
	sum = bb_arena_alloc(&batch->hubs.arena, sizeof(*sum));
	*sum = link->sum;
	bb_table_put(&batch->hubs.sums, &key, sum);
	bb_table_put(&batch->hubs.ends, &link->anchor->hash, sum);
}

/* --- spans ------------------------------------------------------------------------------------ */

static struct bb_rank unknown_span; /* tables forget nothing */

static struct bb_hash span_key(const struct bb_profile *profile)
{
	struct bb_hash key = {{0}};

	memcpy(key.b, &profile->cluster, sizeof(profile->cluster));
	return key;
}

const struct bb_rank *bb_hubs_span(struct bb_batch *batch, const struct bb_profile *profile)
{
	struct bb_hash key = span_key(profile);
	const struct bb_rank *span;

	if (batch->hubs.bypass || batch->hubs.spans.n == 0 || !profile->cluster)
		return NULL;
	span = bb_table_get(&batch->hubs.spans, &key);
	return span == &unknown_span ? NULL : span;
}

void bb_hubs_set_span(struct bb_batch *batch, const struct bb_profile *profile,
		      const struct bb_rank *worst)
{
	struct bb_hash key = span_key(profile);
	struct bb_rank *span;

	if (!worst) {
		if (bb_hubs_span(batch, profile))
			bb_table_put(&batch->hubs.spans, &key, &unknown_span);
		return;
	}
	if (batch->err != BB_OK || batch->hubs.bypass || !profile->cluster ||
	    profile->member_n < batch->hubs.from)
		return;
	make_room(&batch->hubs);
	span = bb_table_get(&batch->hubs.spans, &key);
	if (!span || span == &unknown_span)
		span = bb_arena_alloc(&batch->hubs.arena, sizeof(*span));
	*span = *worst;
	span->link = NULL; /* which goes with the batch */
	bb_table_put(&batch->hubs.spans, &key, span);
}
