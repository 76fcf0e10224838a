/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles out of groups: members, the places of their records, numbers and names. Uniting two
 * whole profiles joins two sorted lists; any other change makes members and places anew from the
 * identifiers. Of the profiles that were, the one with most of a group goes on under its number, so
 * that few identifiers are written.
 */
#include <backbone/assert.h>
#include <stdlib.h>

#include "identity.h"

/* --- forming * -------------------------------------------------------------------------------- */

static int by_strength(const void *a, const void *b)
{
	const struct bb_member *x = a, *y = b;

	return x->ns != y->ns ? (int)x->ns - (int)y->ns : bb_text_compare(x->value, y->value);
}

/* The identifier is in this profile from now on; its row says so if the number differs. */
static void move(struct bb_batch *batch, struct bb_ident *ident, struct bb_profile *profile)
{
	ident->profile = profile;
	if (!profile->cluster || ident->cluster != profile->cluster)
		bb_batch_dirty_ident(batch, ident);
}

void bb_form_unite(struct bb_batch *batch, struct bb_profile *p, struct bb_profile *q)
{
	bool keep_p = (p->cluster != 0) != (q->cluster != 0) ? p->cluster != 0
							     : p->member_n >= q->member_n;
	struct bb_profile *into = keep_p ? p : q, *from = keep_p ? q : p;
	size_t n = into->member_n + from->member_n;
	struct bb_member *members = bb_arena_alloc(&batch->arena, n * sizeof(*members));

	for (size_t i = 0; i < from->member_n; i++)
		move(batch, bb_batch_member_ident(batch, &from->members[i]), into);
	for (size_t i = 0, j = 0, k = 0; k < n; k++) {
		bool left = j == from->member_n ||
			    (i < into->member_n &&
			     by_strength(&into->members[i], &from->members[j]) < 0);

		members[k] = left ? into->members[i++] : from->members[j++];
	}
	into->members = members;
	into->member_n = into->member_room = n;
	bb_rows_run_unite(&batch->arena, into, from);
	from->into = into;
	from->gone = true;
	bb_hubs_set_span(batch, into, NULL);
	bb_batch_dirty_profile(batch, into);
	bb_batch_dirty_profile(batch, from);
	batch->stats.profiles_merged += from->cluster != 0;
	batch->forms++;
}

static struct bb_member *gather(struct bb_batch *batch, const struct bb_group *group)
{
	struct bb_member *members = bb_arena_alloc(&batch->arena, group->n * sizeof(*members));

	for (size_t i = 0; i < group->n; i++) {
		struct bb_ident *ident = group->items[i];

		members[i] = *bb_batch_member(batch, bb_batch_profile_of(batch, ident), ident->ns,
					      ident->value);
		members[i].ident = ident;
	}
	qsort(members, group->n, sizeof(*members), by_strength);
	return members;
}

/* The profile that has most of the group and goes on as no other: an old one, or NULL. */
static struct bb_profile *heir(struct bb_batch *batch, const struct bb_group *group)
{
	struct bb_profile *best = NULL;

	for (size_t i = 0; i < group->n; i++)
		bb_batch_profile_of(batch, group->items[i])->share++;
	for (size_t i = 0; i < group->n; i++) {
		struct bb_profile *profile = bb_batch_profile_of(batch, group->items[i]);

		if (!profile->claimed && profile->share && (!best || profile->share > best->share))
			best = profile;
	}
	for (size_t i = 0; i < group->n; i++)
		bb_batch_profile_of(batch, group->items[i])->share = 0;
	return best;
}

static bool unchanged(struct bb_batch *batch, const struct bb_group *group)
{
	const struct bb_profile *profile = bb_batch_profile_of(batch, group->items[0]);

	if (profile->member_n != group->n)
		return false;
	for (size_t i = 1; i < group->n; i++)
		if (bb_batch_profile_of(batch, group->items[i]) != profile)
			return false;
	return true;
}

static struct bb_ident *anchor_of(struct bb_batch *batch, struct bb_record *record,
				  uint32_t blocked, uint32_t shared)
{
	int anchor = bb_rows_anchor(record->ident_n, blocked, shared);

	return anchor < 0 ? NULL : bb_batch_record_ident(batch, record, (size_t)anchor);
}

/* The places of the records that the identifier was the anchor of before the batch go with it. What
 * the batch changes of anchors comes last (place). */
static void move_places(struct bb_batch *batch, struct bb_ident *ident, struct bb_profile *to)
{
	struct bb_profile *from = bb_batch_profile_of(batch, ident);
	struct bb_record *record;

	if (from == to)
		return;
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++) {
		if (!record->place.cluster || !record->old.exists ||
		    anchor_of(batch, record, record->old.blocked, record->old.shared) != ident)
			continue;
		if (!from->gone)
			bb_rows_run_remove(&batch->arena, from, record->place);
		bb_rows_run_add(&batch->arena, to, record->place);
	}
}

struct formed {
	struct bb_group *group;
	struct bb_profile *profile;
	struct bb_member *members;
};

void bb_form_groups(struct bb_batch *batch, struct bb_group **groups, size_t n,
		    struct bb_profile **drawn, size_t drawn_n)
{
	struct formed *formed = bb_arena_alloc(&batch->arena, n * sizeof(*formed));
	size_t formed_n = 0;

	for (size_t i = 0; i < drawn_n; i++)
		drawn[i]->claimed = false;
	for (size_t i = 0; i < n; i++) {
		if (unchanged(batch, groups[i])) {
			bb_batch_profile_of(batch, groups[i]->items[0])->claimed = true;
			continue;
		}
		struct bb_profile *profile = heir(batch, groups[i]);

		if (!profile) {
			profile = bb_arena_zalloc(&batch->arena, sizeof(*profile));
			profile->next_n = 1;
			profile->is_new = true;
			batch->stats.profiles_split++;
		}
		profile->claimed = true;
		formed[formed_n++] = (struct formed){groups[i], profile, gather(batch, groups[i])};
	}
	for (size_t i = 0; i < drawn_n; i++) {
		if (drawn[i]->claimed)
			continue;
		drawn[i]->gone = true;
		bb_batch_dirty_profile(batch, drawn[i]);
		batch->stats.profiles_merged += drawn[i]->cluster != 0;
	}
	for (size_t i = 0; i < formed_n; i++) {
		struct bb_profile *profile = formed[i].profile;

		profile->members = formed[i].members;
		profile->member_n = profile->member_room = formed[i].group->n;
		bb_batch_dirty_profile(batch, profile);
		for (size_t k = 0; k < profile->member_n; k++) {
			move_places(batch, profile->members[k].ident, profile);
			move(batch, profile->members[k].ident, profile);
		}
	}
	batch->forms++;
}

/* --- placing * -------------------------------------------------------------------------------- */

/* A new record is born in the profile of its anchor; one that belongs to nobody has a number of its
 * own. */
static void place_new(struct bb_batch *batch, struct bb_record *record, struct bb_profile *profile)
{
	if (!profile) {
		record->place = (struct bb_place){bb_batch_cluster_new(batch), 1};
		return;
	}
	record->place = (struct bb_place){profile->cluster, profile->next_n++};
	bb_rows_run_add(&batch->arena, profile, record->place);
	bb_batch_dirty_profile(batch, profile);
}

static void place(struct bb_batch *batch, struct bb_record *record)
{
	struct bb_ident *anchor =
		record->gone ? NULL : anchor_of(batch, record, record->blocked, record->shared);
	struct bb_profile *profile = anchor ? bb_batch_profile_of(batch, anchor) : NULL;

	if (!record->place.cluster && !record->gone) {
		place_new(batch, record, profile);
		return;
	}
	struct bb_ident *before = record->old.exists ? anchor_of(batch, record, record->old.blocked,
								 record->old.shared)
						     : NULL;

	if (before == anchor)
		return;
	struct bb_profile *left = before ? bb_batch_profile_of(batch, before) : NULL;

	if (left) {
		bb_rows_run_remove(&batch->arena, left, record->place);
		bb_batch_dirty_profile(batch, left);
	}
	if (profile) {
		bb_rows_run_add(&batch->arena, profile, record->place);
		bb_batch_dirty_profile(batch, profile);
	}
}

/* §7: of the durable ones if there are any, the one seen first; then the strongest, then bytes (the
 * members' order). */
static struct bb_hash name_of(struct bb_batch *batch, const struct bb_profile *profile)
{
	const struct bb_namespace *all = batch->rules->namespaces;
	const struct bb_member *best = &profile->members[0];

	for (size_t i = 1; i < profile->member_n; i++) {
		const struct bb_member *member = &profile->members[i];
		bool durable = all[member->ns].durable;

		if (durable != all[best->ns].durable ? durable : member->first_ms < best->first_ms)
			best = member;
	}
	return bb_batch_hash_ident(batch, best->ns, best->value);
}

void bb_form_place(struct bb_batch *batch)
{
	for (struct bb_profile *profile = batch->dirty_profiles; profile;
	     profile = profile->next_dirty) {
		if (profile->gone)
			continue;
		if (!profile->cluster) {
			profile->cluster = bb_batch_cluster_new(batch);
			batch->stats.profiles_created++;
		}
	}
	for (struct bb_record *record = batch->touched; record; record = record->next_touched)
		place(batch, record);
	for (struct bb_profile *profile = batch->dirty_profiles; profile;
	     profile = profile->next_dirty)
		if (!profile->gone && batch->err == BB_OK)
			profile->name = name_of(batch, profile);
}
