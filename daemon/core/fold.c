/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding the records of a profile into its view. Each kind of fact: put those of all records side
 * by side, sort by what names them, fold the equal ones. The order keys of records gain what a
 * record has only one of: trust in its source, and the source's name.
 */
#include "fold.h"

#include <stdlib.h>

int bb_fold_compare(const struct bb_origin *a, const struct bb_fold_from *fa,
		    const struct bb_origin *b, const struct bb_fold_from *fb, int trust)
{
	int d = bb_fold_sign(a->time_ms, b->time_ms);

	if (!d)
		d = trust * bb_fold_sign((int64_t)fb->trust, (int64_t)fa->trust);
	if (!d)
		d = bb_text_compare(a->id, b->id);
	if (!d)
		d = bb_text_compare(fa->source, fb->source);
	return d ? d : (int)a->kafka - (int)b->kafka;
}

/* --- identifiers ------------------------------------------------------------------------------ */

static void fold_identifiers(const struct bb_folding *f, const struct bb_profile *profile,
			     struct bb_view *view)
{
	view->identifiers =
		bb_arena_zalloc(f->fold->arena, profile->member_n * sizeof(*view->identifiers));
	view->identifier_n = profile->member_n;
	for (size_t i = 0; i < profile->member_n; i++) {
		const struct bb_member *member = &profile->members[i];
		struct bb_view_identifier *out = &view->identifiers[i];

		*out = (struct bb_view_identifier){
			.ns = bb_text_of(f->fold->rules->namespaces[member->ns].name),
			.value = member->value,
			.shared = member->shared,
			.first_ms = INT64_MAX,
			.last_ms = INT64_MIN};
	}
	for (size_t r = 0; r < f->n; r++) {
		const struct bb_record *record = f->records[r].record;
		size_t m = 0;

		for (size_t i = 0; i < record->ident_n;
		     i++) { /* both sorted by strength, then bytes */
			while (m < profile->member_n && (profile->members[m].ns < record->ns[i] ||
							 (profile->members[m].ns == record->ns[i] &&
							  bb_text_compare(profile->members[m].value,
									  record->values[i]) < 0)))
				m++;
			if (m == profile->member_n)
				break;
			if (profile->members[m].ns != record->ns[i] ||
			    !bb_text_equal(profile->members[m].value, record->values[i]))
				continue;
			struct bb_view_identifier *out = &view->identifiers[m];

			out->events += record->facts.events;
			out->first_ms = record->facts.first_ms < out->first_ms
						? record->facts.first_ms
						: out->first_ms;
			out->last_ms = record->facts.last_ms > out->last_ms ? record->facts.last_ms
									    : out->last_ms;
		}
	}
}

/* --- activity --------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return bb_text_compare(((const struct bb_view_activity *)a)->name,
			       ((const struct bb_view_activity *)b)->name);
}

/* Sorts by name and folds the equal ones; returns how many are left. */
static size_t merge_activity(struct bb_view_activity *items, size_t n)
{
	size_t out = 0;

	if (n > 1)
		qsort(items, n, sizeof(*items), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!out || !bb_text_equal(items[out - 1].name, items[i].name)) {
			items[out++] = items[i];
			continue;
		}
		struct bb_view_activity *into = &items[out - 1];

		into->events += items[i].events;
		into->first_ms =
			items[i].first_ms < into->first_ms ? items[i].first_ms : into->first_ms;
		into->last_ms = items[i].last_ms > into->last_ms ? items[i].last_ms : into->last_ms;
	}
	return out;
}

static void fold_activity(const struct bb_folding *f, struct bb_view *view)
{
	size_t channels = 0, types = 0;

	for (size_t r = 0; r < f->n; r++) {
		channels += f->records[r].record->facts.channel_n;
		types += f->records[r].record->facts.type_n;
	}
	view->channels = bb_arena_alloc(f->fold->arena, channels * sizeof(*view->channels));
	view->types = bb_arena_alloc(f->fold->arena, types * sizeof(*view->types));
	channels = types = 0;
	for (size_t r = 0; r < f->n; r++) {
		const struct bb_facts *facts = &f->records[r].record->facts;

		for (size_t i = 0; i < facts->channel_n; i++) {
			const struct bb_fact_seen *seen = &facts->channels[i];

			view->channels[channels++] = (struct bb_view_activity){
				seen->channel, seen->n, seen->first_ms, seen->last_ms};
		}
		for (size_t i = 0; i < facts->type_n; i++) {
			const struct bb_fact_seen *seen = &facts->types[i];

			view->types[types++] = (struct bb_view_activity){
				bb_names_text(f->fold->names, BB_NAME_TYPE, seen->type), seen->n,
				seen->first_ms, seen->last_ms};
		}
	}
	view->channel_n = merge_activity(view->channels, channels);
	view->type_n = merge_activity(view->types, types);
}

/* --- revenue ---------------------------------------------------------------------------------- */

static int by_currency(const void *a, const void *b)
{
	return memcmp(((const struct bb_fact_sum *)a)->currency,
		      ((const struct bb_fact_sum *)b)->currency, 3);
}

static void fold_revenue(const struct bb_folding *f, struct bb_view *view)
{
	struct bb_fact_sum *sums = NULL;
	size_t n = 0, room = 0;

	for (size_t r = 0; r < f->n; r++)
		for (size_t i = 0; i < f->records[r].record->facts.sums.n; i++)
			BB_ARENA_PUSH(f->fold->arena, sums, n, room) =
				f->records[r].record->facts.sums.items[i];
	if (n > 1)
		qsort(sums, n, sizeof(*sums), by_currency);
	view->revenue = bb_arena_alloc(f->fold->arena, n * sizeof(*view->revenue));
	for (size_t i = 0, end; i < n; i = end) {
		struct bb_view_revenue *out = &view->revenue[view->revenue_n++];
		char *text = bb_arena_alloc(f->fold->arena, BB_MONEY_CHARS);
		bb_i128 micros = 0;

		*out = (struct bb_view_revenue){.count = 0};
		memcpy(out->currency, sums[i].currency, 3);
		for (end = i; end < n && by_currency(&sums[end], &sums[i]) == 0; end++) {
			micros = bb_i128_add(micros, sums[end].micros);
			out->count += sums[end].n;
		}
		out->amount = (struct bb_text){text, bb_money_format(micros, text)};
	}
}

/* --- consent ---------------------------------------------------------------------------------- */

struct slot {
	struct bb_text purpose;
	const struct bb_fact_consent *fact;
	struct bb_fold_from from;
};

/* The later; at the same instant a denial; then trust, id, source. */
static int compare_consent(const struct slot *a, const struct slot *b)
{
	int d = bb_fold_sign(a->fact->by.time_ms, b->fact->by.time_ms);

	if (!d)
		d = (int)a->fact->denied - (int)b->fact->denied;
	return d ? d : bb_fold_compare(&a->fact->by, &a->from, &b->fact->by, &b->from, 1);
}

/* By purpose and channel; the one that counts first. */
static int by_slot(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	int d = bb_text_compare(x->purpose, y->purpose);

	if (!d)
		d = bb_text_compare(x->fact->channel, y->fact->channel);
	return d ? d : compare_consent(y, x);
}

/* Of the purpose that the slots begin with; NULL: there is none. */
static const struct slot *general_denial(const struct slot *slots, size_t n)
{
	for (size_t i = 0; i < n && bb_text_equal(slots[i].purpose, slots[0].purpose); i++)
		if (bb_text_equal(slots[i].fact->channel, BB_TEXT("any")))
			return slots[i].fact->denied ? &slots[i] : NULL;
	return NULL;
}

static struct bb_text slot_text(struct bb_arena *arena, struct bb_text purpose,
				struct bb_text channel)
{
	char *p = bb_arena_alloc(arena, purpose.n + 1 + channel.n);

	memcpy(p, purpose.p, purpose.n);
	p[purpose.n] = ':';
	memcpy(p + purpose.n + 1, channel.p, channel.n);
	return (struct bb_text){p, purpose.n + 1 + channel.n};
}

static int by_slot_text(const void *a, const void *b)
{
	return bb_text_compare(((const struct bb_view_consent *)a)->slot,
			       ((const struct bb_view_consent *)b)->slot);
}

/* Slots sorted, one each: a denial of everything overrides older words on a channel. */
static void override_consent(const struct bb_folding *f, const struct slot *slots, size_t n,
			     struct bb_view *view)
{
	const struct slot *general = NULL; /* of this purpose, if it is a denial */

	view->consent = bb_arena_alloc(f->fold->arena, n * sizeof(*view->consent));
	for (size_t i = 0; i < n; i++) {
		if (!i || !bb_text_equal(slots[i].purpose, slots[i - 1].purpose))
			general = general_denial(&slots[i], n - i);
		bool denied = general && compare_consent(general, &slots[i]) > 0;
		const struct slot *entry = denied ? general : &slots[i];
		struct bb_view_consent *out = &view->consent[view->consent_n++];

		out->granted = !entry->fact->denied;
		out->time_ms = entry->fact->by.time_ms;
		out->slot = slot_text(f->fold->arena, slots[i].purpose, slots[i].fact->channel);
	}
	if (view->consent_n > 1) /* `:` sorts behind some characters of a purpose */
		qsort(view->consent, view->consent_n, sizeof(*view->consent), by_slot_text);
}

static void fold_consent(const struct bb_folding *f, struct bb_view *view)
{
	struct slot *slots = NULL;
	size_t n = 0, room = 0, out = 0;

	for (size_t r = 0; r < f->n; r++) {
		const struct bb_fold_record *from = &f->records[r];

		for (size_t i = 0; i < from->record->facts.consent_n; i++) {
			const struct bb_fact_consent *fact = &from->record->facts.consent[i];

			BB_ARENA_PUSH(f->fold->arena, slots, n, room) = (struct slot){
				bb_names_text(f->fold->names, BB_NAME_PURPOSE, fact->purpose), fact,
				(struct bb_fold_from){fact, from->source, from->trust}};
		}
	}
	if (n > 1)
		qsort(slots, n, sizeof(*slots), by_slot);
	for (size_t i = 0; i < n; i++)
		if (!out || !bb_text_equal(slots[out - 1].purpose, slots[i].purpose) ||
		    !bb_text_equal(slots[out - 1].fact->channel, slots[i].fact->channel))
			slots[out++] = slots[i];
	if (out)
		override_consent(f, slots, out, view);
}

/* --- recent ----------------------------------------------------------------------------------- */

/* Merges the records' lists, which are sorted: the newest heads, as many as the view shows. */
static void fold_recent(const struct bb_folding *f, struct bb_view *view)
{
	size_t *heads = bb_arena_zalloc(f->fold->arena, f->n * sizeof(*heads));

	view->recent =
		bb_arena_alloc(f->fold->arena, f->fold->rules->recent * sizeof(*view->recent));
	while (view->recent_n < f->fold->rules->recent) {
		const struct bb_fact_recent *best = NULL;
		size_t best_r = 0;

		for (size_t r = 0; r < f->n; r++) {
			const struct bb_facts *facts = &f->records[r].record->facts;

			if (heads[r] == facts->recent_n)
				continue;
			const struct bb_fact_recent *fact = &facts->recent[heads[r]];
			int d = best ? bb_fold_sign(fact->by.time_ms, best->by.time_ms) : 1;

			if (!d)
				d = bb_text_compare(fact->by.id, best->by.id);
			if (!d)
				d = bb_text_compare(f->records[r].source,
						    f->records[best_r].source);
			if (!d)
				d = (int)fact->by.kafka - (int)best->by.kafka;
			if (d > 0) {
				best = fact;
				best_r = r;
			}
		}
		if (!best)
			return;
		heads[best_r]++;
		view->recent[view->recent_n++] = (struct bb_view_recent){
			best->by.time_ms, bb_names_text(f->fold->names, BB_NAME_TYPE, best->type),
			f->records[best_r].source, best->by.id};
	}
}

void bb_fold_view(const struct bb_view_fold *fold, const struct bb_profile *profile,
		  struct bb_record *const *records, size_t record_n, struct bb_view *ret_view)
{
	struct bb_fold_record *from = bb_arena_alloc(fold->arena, record_n * sizeof(*from));
	struct bb_folding f = {fold, from, record_n};

	*ret_view = (struct bb_view){.first_ms = INT64_MAX, .last_ms = INT64_MIN};
	for (size_t r = 0; r < record_n; r++) {
		struct bb_text source =
			bb_names_text(fold->names, BB_NAME_SOURCE, records[r]->source);

		from[r] = (struct bb_fold_record){records[r], source,
						  bb_rules_trust(fold->rules, source)};
		ret_view->events += records[r]->facts.events;
		if (records[r]->facts.first_ms < ret_view->first_ms)
			ret_view->first_ms = records[r]->facts.first_ms;
		if (records[r]->facts.last_ms > ret_view->last_ms)
			ret_view->last_ms = records[r]->facts.last_ms;
	}
	bb_hash_profile_id(&profile->name, ret_view->id);
	ret_view->id[BB_PROFILE_ID_BYTES] = '\0';
	fold_identifiers(&f, profile, ret_view);
	bb_fold_attributes(&f, ret_view);
	fold_activity(&f, ret_view);
	fold_revenue(&f, ret_view);
	fold_consent(&f, ret_view);
	fold_recent(&f, ret_view);
}
