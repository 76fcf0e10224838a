/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a group keeps the limits (identity.md §6): per_profile of each namespace, counted in
 * labels; max_identifiers; the pairs that a steward split. A union that breaks one breaks it in
 * every larger group, so a test stops at the first.
 */
#include "identity.h"

/* Counts labels by namespace until a limit breaks. Two unjoined identifiers never have the same
 * label. */
struct tally {
	struct bb_batch *batch;
	uint16_t touched[BB_NAMESPACES_MAX];
	size_t touched_n;
	struct counted {
		const struct bb_hash *label;
		uint16_t ns;
	} * counted; /* joined ones: a component counts once in each namespace */
	size_t counted_n, counted_room;
};

/* `touched` is filled as it is used: it is too large to be cleared for each test. */
static void tally_begin(struct tally *tally, struct bb_batch *batch)
{
	tally->batch = batch;
	tally->touched_n = 0;
	tally->counted = NULL;
	tally->counted_n = tally->counted_room = 0;
}

static bool tally_add(struct tally *tally, uint16_t ns, const struct bb_hash *label)
{
	uint32_t most = tally->batch->rules->namespaces[ns].per_profile;

	if (most == BB_NO_LIMIT)
		return true;
	if (label) {
		for (size_t i = 0; i < tally->counted_n; i++)
			if (tally->counted[i].ns == ns &&
			    bb_hash_equal(tally->counted[i].label, label))
				return true;
		BB_ARENA_PUSH(&tally->batch->arena, tally->counted, tally->counted_n,
			      tally->counted_room) = (struct counted){label, ns};
	}
	if (!tally->batch->counts[ns]++)
		tally->touched[tally->touched_n++] = ns;
	return tally->batch->counts[ns] <= most;
}

static void tally_end(struct tally *tally)
{
	while (tally->touched_n)
		tally->batch->counts[tally->touched[--tally->touched_n]] = 0;
}

static bool tally_profile(struct tally *tally, const struct bb_profile *profile)
{
	for (size_t i = 0; i < profile->member_n; i++)
		if (!tally_add(tally, profile->members[i].ns,
			       profile->members[i].joined ? &profile->members[i].label : NULL))
			return false;
	return true;
}

static bool tally_group(struct tally *tally, const struct bb_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (!tally_add(tally, group->items[i]->ns,
			       bb_ident_joined(group->items[i]) ? &group->items[i]->label : NULL))
			return false;
	return true;
}

/* Splits are looser before the links are settled than after. */
static bool is_split(const struct bb_batch *batch, const struct bb_ident *a,
		     const struct bb_ident *b, const struct bb_join *pair)
{
	return bb_pair_splits(a, b, pair, false) &&
	       (batch->splits_final || bb_pair_splits(a, b, pair, true));
}

/* Whether a split stands between a member of one and a member of the other. */
static bool profiles_split(struct bb_batch *batch, struct bb_profile *p, const struct bb_profile *q)
{
	for (size_t i = 0; batch->has_rulings && i < p->member_n; i++) {
		if (!p->members[i].split)
			continue;
		struct bb_ident *ident = bb_batch_member_ident(batch, &p->members[i]);

		for (size_t k = 0; k < ident->join_n; k++) {
			struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[k]);

			if (other && is_split(batch, ident, other, &ident->joins[k]) &&
			    bb_batch_profile_of(batch, other) == q)
				return true;
		}
	}
	return false;
}

static bool groups_split(struct bb_batch *batch, const struct bb_group *a, const struct bb_group *b)
{
	for (size_t i = 0; batch->has_rulings && i < a->n; i++) {
		const struct bb_ident *ident = a->items[i];

		for (size_t k = 0; k < ident->join_n; k++) {
			const struct bb_ident *other =
				bb_batch_joined_ident(batch, &ident->joins[k]);

			if (!other || !is_split(batch, ident, other, &ident->joins[k]))
				continue;
			for (size_t m = 0; m < b->n; m++)
				if (b->items[m] == other)
					return true;
		}
	}
	return false;
}

bool bb_form_feasible(struct bb_batch *batch, struct bb_profile *p, struct bb_profile *q)
{
	struct tally tally;

	if (p->member_n + (q ? q->member_n : 0) > batch->rules->max_identifiers)
		return false;
	tally_begin(&tally, batch);
	bool fits = tally_profile(&tally, p) && (!q || tally_profile(&tally, q));

	tally_end(&tally);
	return fits && !profiles_split(batch, p, q ? q : p);
}

/* Whether any of the group is of a namespace of which a profile may have so many. */
static bool is_counted(const struct bb_batch *batch, const struct bb_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		if (batch->rules->namespaces[group->items[i]->ns].per_profile != BB_NO_LIMIT)
			return true;
	return false;
}

static bool fit_together(struct bb_batch *batch, const struct bb_group *a, const struct bb_group *b)
{
	struct tally tally;

	if (!is_counted(batch, a->n < b->n ? a : b))
		return true;
	tally_begin(&tally, batch);
	bool fit = tally_group(&tally, a) && tally_group(&tally, b);

	tally_end(&tally);
	return fit;
}

bool bb_form_groups_feasible(struct bb_batch *batch, const struct bb_group *a,
			     const struct bb_group *b)
{
	return a->n + b->n <= batch->rules->max_identifiers && fit_together(batch, a, b) &&
	       !groups_split(batch, a, b);
}
