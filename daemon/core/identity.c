/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settling identity for a batch, in the order in which one thing depends on another:
 *
 *	rulings    what holds now of those that came (steward.c)
 *	labels     components of joins (§5.1): those that grew
 *	sharing    who is shared now (§5.2); their records get other anchors (§5.3)
 *	seen       when each identifier was first seen (§7)
 *	hot path   records whose links are all inside and only got better: nothing to do (R1)
 *	partition  what looser limits set free (R5), all links that changed at once (R8), what
 *	           tighter limits break (R6)
 *	place      new records to profiles, names (form.c)
 *
 * Sharing depends on records and labels alone, never on the partition, so one pass of each is
 * enough.
 */
#include <backbone/clock.h>

#include "identity.h"

void bb_identity_enter(struct bb_batch *batch, struct bb_record *record)
{
	for (size_t i = 0; i < record->ident_n; i++) {
		struct bb_ident *ident = bb_batch_record_ident(batch, record, i);

		BB_ARENA_PUSH(&batch->arena, ident->places, ident->place_n, ident->place_room) =
			(struct bb_membership){.record_hash = record->hash, .record = record};
		ident->record_n++;
		bb_batch_dirty_ident(batch, ident);
	}
	for (size_t i = 0; i < record->ident_n; i++)
		bb_sharing_enter(batch, record, i);
	bb_hubs_enter(batch, record);
}

void bb_identity_touch(struct bb_batch *batch, struct bb_record *record)
{
	if (record->touched)
		return;
	record->touched = true;
	record->next_touched = batch->touched;
	batch->touched = record;
}

/* The entry of `to`, counted once more. */
static void count_same(struct bb_batch *batch, struct bb_ident *from, const struct bb_ident *to)
{
	struct bb_join *pair = bb_ident_pair(from, to);

	bb_batch_dirty_ident(batch, from);
	if (pair)
		pair->n++;
	else
		BB_ARENA_PUSH(&batch->arena, from->joins, from->join_n, from->join_room) =
			(struct bb_join){.other = to->hash, .n = 1};
}

void bb_identity_join(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	count_same(batch, a, b);
	count_same(batch, b, a);
	bb_labels_pair(batch, a, b);
}

/* A record goes that said so. */
static void unjoin(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	struct bb_join *ab = bb_ident_pair(a, b), *ba = bb_ident_pair(b, a);

	if (!ab || !ba || !ab->n || !ba->n) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return;
	}
	ab->n--;
	ba->n--;
	bb_batch_dirty_ident(batch, a);
	bb_batch_dirty_ident(batch, b);
	bb_labels_pair(batch, a, b);
}

void bb_identity_drop(struct bb_batch *batch, struct bb_record *record)
{
	const struct bb_facts *facts = &record->facts;

	record->gone = true;
	bb_identity_touch(batch, record);
	bb_batch_dirty_record(batch, record);
	for (size_t i = 0; i < facts->same_n; i++) {
		uint8_t a = facts->same[i].a, b = facts->same[i].b;

		if (a < record->ident_n && b < record->ident_n && record->ns[a] == record->ns[b] &&
		    batch->rules->namespaces[record->ns[a]].owner)
			unjoin(batch, bb_batch_record_ident(batch, record, a),
			       bb_batch_record_ident(batch, record, b));
	}
	for (size_t i = 0; i < record->ident_n; i++) {
		struct bb_ident *ident = bb_batch_record_ident(batch, record, i);

		ident->record_n--;
		ident->lost = true;
		bb_batch_dirty_ident(batch, ident);
		if (ident->blocked)
			continue;
		ident->near_partial = true;
		bb_sharing_recount(batch, ident);
	}
}

/* Nobody has it any more: as one that is blocked, but that its row goes. */
static void go(struct bb_batch *batch, struct bb_ident *ident)
{
	ident->leaving = !ident->blocked && bb_batch_profile_of(batch, ident);
	ident->gone = true;
	for (size_t i = 0; i < ident->join_n; i++) {
		struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[i]);

		if (other)
			bb_labels_pair(batch, ident, other);
	}
	BB_ARENA_PUSH(&batch->arena, batch->flipped, batch->flipped_n, batch->flipped_room) = ident;
}

static void see_again(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, ident);
	int64_t first_ms = INT64_MAX;
	struct bb_record *record;

	if (!profile)
		return;
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		if (!record->gone && record->facts.first_ms < first_ms)
			first_ms = record->facts.first_ms;
	bb_batch_member(batch, profile, ident->ns, ident->value)->first_ms = first_ms;
	bb_batch_dirty_profile(batch, profile);
}

void bb_identity_dropped(struct bb_batch *batch, struct bb_ident *const *idents, size_t n)
{
	for (size_t i = 0; i < n && batch->err == BB_OK; i++) {
		if (idents[i]->gone || !idents[i]->lost)
			continue;
		if (idents[i]->record_n)
			see_again(batch, idents[i]);
		else
			go(batch, idents[i]);
	}
}

static uint32_t mask_of(struct bb_batch *batch, struct bb_record *record,
			const struct bb_ident *ident)
{
	for (size_t i = 0; i < record->ident_n; i++)
		if (bb_batch_record_ident(batch, record, i) == ident)
			return BB_MASK(i);
	return 0;
}

/* An identifier that is shared now, or is no longer: all its records get another anchor. */
static void flip(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, ident);
	struct bb_record *record;

	ident->shared = !ident->shared;
	if (ident->shared) {
		ident->near_n = 0;
		ident->near_partial = true;
	}
	bb_batch_member(batch, profile, ident->ns, ident->value)->shared = ident->shared;
	bb_batch_dirty_ident(batch, ident);
	bb_batch_dirty_profile(batch, profile);
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++) {
		record->shared ^= mask_of(batch, record, ident);
		bb_identity_touch(batch, record);
		bb_batch_remask_record(batch, record);
	}
}

static void settle_sharing(struct bb_batch *batch)
{
	for (struct bb_ident *ident = batch->recounts; ident; ident = ident->next_recount) {
		ident->recount = false;
		if (!ident->gone && bb_sharing_evaluate(batch, ident) != ident->shared)
			flip(batch, ident);
	}
}

/* The record now has a first event earlier than before: its identifiers may have been seen first by
 * it. */
static void settle_seen(struct bb_batch *batch, struct bb_record *record)
{
	if (record->gone || (record->old.exists && record->facts.first_ms >= record->old.first_ms))
		return;
	for (size_t i = 0; i < record->ident_n; i++) {
		struct bb_ident *ident = bb_batch_record_ident(batch, record, i);

		if (ident->blocked)
			continue;
		struct bb_profile *profile = bb_batch_profile_of(batch, ident);
		struct bb_member *member = bb_batch_member(batch, profile, ident->ns, ident->value);

		if (record->facts.first_ms < member->first_ms) {
			member->first_ms = record->facts.first_ms;
			bb_batch_dirty_profile(batch, profile);
		}
	}
}

/* Whether two states of a record give its links the same merit, whatever their namespaces prefer.
 */
static bool same_merit(const struct bb_standing *a, const struct bb_standing *b)
{
	return a->first_ms / BB_HOUR_MS == b->first_ms / BB_HOUR_MS &&
	       a->last_ms / BB_HOUR_MS == b->last_ms / BB_HOUR_MS && a->days[0] == b->days[0] &&
	       a->days[1] == b->days[1];
}

static bool prefers_most(const struct bb_batch *batch, const struct bb_record *record)
{
	for (size_t i = 0; i < record->ident_n; i++)
		if (batch->rules->namespaces[record->ns[i]].prefer == BB_PREFER_MOST)
			return true;
	return false;
}

static bool member_of(const struct bb_profile *profile, uint16_t ns, struct bb_text value)
{
	for (size_t i = 0; i < profile->member_n; i++)
		if (profile->members[i].ns == ns && bb_text_equal(profile->members[i].value, value))
			return true;
	return false;
}

/* Those that the record's links are between, as bits. */
static uint32_t linked_of(const struct bb_record *record)
{
	return (BB_MASK(record->ident_n) - 1) & ~record->blocked & ~record->shared;
}

static void add_weight(struct bb_batch *batch, const struct bb_ident *ident)
{
	struct bb_profile *profile =
		ident->cluster ? bb_batch_profile(batch, ident->cluster) : NULL;

	if (!profile || profile->weighed)
		return;
	profile->weighed = true;
	batch->weight += profile->member_n;
}

/* By what is stored, not by what the batch will make of it: whoever is new is in no profile yet. */
void bb_identity_weigh(struct bb_batch *batch, struct bb_record *record)
{
	const struct bb_standing now = bb_rows_standing(record);
	uint32_t linked = linked_of(record);
	const struct bb_ident *anchor;
	const struct bb_profile *profile;
	bool crosses = false;

	if (record->weighed || !(linked & (linked - 1)) ||
	    (record->old.exists && same_merit(&record->old, &now) && !prefers_most(batch, record)))
		return;
	record->weighed = true;
	anchor = bb_batch_record_ident(batch, record, (size_t)__builtin_ctz(linked));
	profile = anchor->cluster ? bb_batch_profile(batch, anchor->cluster) : NULL;
	for (size_t i = 0; i < record->ident_n; i++) {
		if (!(linked & BB_MASK(i)) ||
		    (profile && member_of(profile, record->ns[i], record->values[i])))
			continue;
		crosses = true;
		add_weight(batch, bb_batch_record_ident(batch, record, i));
	}
	if (crosses)
		add_weight(batch, anchor);
}

/* Whether all that the record links is in one profile. A new one has its identifiers at hand; of an
 * old one they need not be read. */
static bool is_inside(struct bb_batch *batch, struct bb_record *record, uint32_t linked)
{
	struct bb_ident *anchor =
		bb_batch_record_ident(batch, record, (size_t)__builtin_ctz(linked));
	const struct bb_profile *profile = bb_batch_profile_of(batch, anchor);

	for (size_t i = 0; i < record->ident_n; i++) {
		if (!(linked & BB_MASK(i)))
			continue;
		if (record->idents[i] ? bb_batch_profile_of(batch, record->idents[i]) != profile
				      : !member_of(profile, record->ns[i], record->values[i]))
			return false;
	}
	return true;
}

/* R1: the record is new, or has the anchor it had: its links only get better. All of them are
 * inside. Before the partition is touched. */
static bool is_hot(struct bb_batch *batch, struct bb_record *record, const struct bb_standing *now)
{
	uint32_t linked = linked_of(record);

	if (!now->exists)
		return false;
	if (record->old.exists &&
	    (record->old.blocked != now->blocked || record->old.shared != now->shared))
		return false;
	if (!(linked & (linked - 1))) /* one identifier links nobody */
		return true;
	if (record->old.exists && same_merit(&record->old, now) && !prefers_most(batch, record))
		return true;
	return is_inside(batch, record, linked);
}

/* The links that a state of a record says; each once in the list of what may have changed. */
static void collect(struct bb_batch *batch, struct bb_record *record,
		    const struct bb_standing *state)
{
	int anchor = bb_rows_anchor(record->ident_n, state->blocked, state->shared);

	if (!state->exists || anchor < 0 || state->shared & BB_MASK(anchor))
		return;
	for (size_t i = 0; i < record->ident_n; i++) {
		if ((int)i == anchor || (state->blocked | state->shared) & BB_MASK(i))
			continue;
		struct bb_link *link =
			bb_links_get(batch, bb_batch_record_ident(batch, record, (size_t)anchor),
				     bb_batch_record_ident(batch, record, i), false);

		if (!link->changed) {
			link->changed = true;
			link->next_changed = batch->link_list;
			batch->link_list = link;
		}
	}
}

static void collect_join(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	bool swap = a->ns > b->ns || (a->ns == b->ns && bb_text_compare(a->value, b->value) > 0);
	struct bb_link *link = bb_links_get(batch, swap ? b : a, swap ? a : b, true);

	if (!link->changed) {
		link->changed = true;
		link->next_changed = batch->link_list;
		batch->link_list = link;
	}
}

/* Joins are links too, unless an end is shared: those that are new, and those of whoever flipped.
 */
static void collect_joins(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->pair_n; i++)
		collect_join(batch, batch->pairs[i].a, batch->pairs[i].b);
	for (struct bb_ident *ident = batch->recounts; ident; ident = ident->next_recount) {
		if (ident->shared == ident->old_shared)
			continue;
		for (size_t i = 0; i < ident->join_n; i++) {
			struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[i]);

			if (other && !bb_ident_is_out(ident) && !bb_ident_is_out(other))
				collect_join(batch, ident, other);
		}
	}
}

/* R5: labels that merged, splits that went. */
static void settle_loosened(struct bb_batch *batch)
{
	size_t n = 0, most = batch->relabelled_n + 2 * batch->pair_n;
	struct bb_profile **loose =
		bb_arena_alloc(&batch->arena, most * sizeof(struct bb_profile *));

	for (size_t i = 0; i < batch->relabelled_n; i++)
		loose[n++] = bb_batch_profile_of(batch, batch->relabelled[i]);
	for (size_t i = 0; i < batch->pair_n; i++) {
		struct bb_ident *a = batch->pairs[i].a, *b = batch->pairs[i].b;
		const struct bb_join *pair = bb_ident_pair(a, b);

		if (!bb_pair_splits(a, b, pair, true) || bb_pair_splits(a, b, pair, false))
			continue;
		loose[n++] = bb_batch_profile_of(batch, a);
		loose[n++] = bb_batch_profile_of(batch, b);
	}
	bb_partition_loosened(batch, loose, n);
}

/* R8: all links that changed. */
static void settle_links(struct bb_batch *batch)
{
	struct bb_link **links = NULL;
	size_t n = 0, room = 0;

	for (struct bb_record *record = batch->touched; record; record = record->next_touched) {
		struct bb_standing now = bb_rows_standing(record);

		if (record->hot)
			continue;
		collect(batch, record, &record->old);
		collect(batch, record, &now);
	}
	collect_joins(batch);
	for (struct bb_link *link = batch->link_list; link; link = link->next_changed) {
		bb_links_next(batch, link);
		if (bb_rank_compare(&link->now, &link->next) != 0)
			BB_ARENA_PUSH(&batch->arena, links, n, room) = link;
	}
	bb_partition_change(batch, links, n);
}

/* R6: labels that separated, splits that came. */
static void settle_tightened(struct bb_batch *batch)
{
	size_t n = 0, most = batch->separated_n + batch->pair_n;
	struct bb_profile **tight =
		bb_arena_alloc(&batch->arena, most * sizeof(struct bb_profile *));

	bb_labels_separate(batch);
	batch->splits_final = true;
	for (size_t i = 0; i < batch->separated_n; i++)
		tight[n++] = bb_batch_profile_of(batch, batch->separated[i]);
	for (size_t i = 0; i < batch->pair_n; i++) {
		struct bb_ident *a = batch->pairs[i].a, *b = batch->pairs[i].b;

		if (bb_pair_splits(a, b, bb_ident_pair(a, b), false))
			tight[n++] = bb_batch_profile_of(batch, a);
	}
	bb_partition_tightened(batch, tight, n);
}

/* Takes the records out of the list that need no look at their links; the old state of those is the
 * new one. */
static void settle_hot(struct bb_batch *batch)
{
	struct bb_record **slot = &batch->touched;

	bb_hubs_begin(batch);
	while (*slot) {
		struct bb_record *record = *slot;
		struct bb_standing now = bb_rows_standing(record);

		if (is_hot(batch, record, &now)) {
			record->hot = true;
			if (record->old.exists)
				*slot = record->next_touched;
			else /* it has to be placed */
				slot = &record->next_touched;
			record->old = now;
			bb_hubs_see(batch, record);
		} else {
			slot = &record->next_touched;
		}
	}
}

void bb_identity_settle(struct bb_batch *batch)
{
	bb_steward_settle(batch);
	bb_labels_settle(batch);
	settle_sharing(batch);
	for (struct bb_record *record = batch->touched; record; record = record->next_touched)
		settle_seen(batch, record);
	settle_hot(batch);
	settle_loosened(batch);
	settle_links(batch);
	settle_tightened(batch);
	bb_hubs_end(batch);
	bb_steward_leave(batch);
	if (batch->err == BB_OK) /* else profiles may be without members */
		bb_form_place(batch);
}
