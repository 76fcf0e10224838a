/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels: joined identifiers count once (identity.md §5.1), so each carries the label of its
 * component in the graph of the joins. A label is the hash of one of its component's identifiers;
 * one that is joined to nobody carries its own.
 *
 * Within a batch joins come and go. First components grow: labels are those of the joins before and
 * after together, which only loosens limits. Where a join went, `next_label` is what the component
 * of the joins after will be; sharing counts by that at once, the limits of profiles when all links
 * are settled, which only tightens them.
 */
#include "identity.h"

void bb_labels_pair(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	BB_ARENA_PUSH(&batch->arena, batch->pairs, batch->pair_n, batch->pair_room) =
		(struct bb_pair){a, b};
}

/* Fewer labels can only free what is shared, more of them can make more shared: the identifier
 * itself, and those it came with. */
static void recount_around(struct bb_batch *batch, struct bb_ident *ident, bool all)
{
	struct bb_record *record;

	if (all || ident->shared)
		bb_sharing_recount(batch, ident);
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		for (size_t j = 0; j < record->ident_n; j++) {
			struct bb_ident *other = bb_batch_record_ident(batch, record, j);

			if (!other->blocked && (all || other->shared))
				bb_sharing_recount(batch, other);
		}
}

static void set_label(struct bb_batch *batch, struct bb_ident *ident, const struct bb_hash *label)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, ident);

	ident->label = *label;
	bb_batch_dirty_ident(batch, ident);
	if (!profile)
		return;
	struct bb_member *member = bb_batch_member(batch, profile, ident->ns, ident->value);

	member->joined = true;
	member->split = bb_ident_has_split(ident);
	member->label = *label;
	bb_batch_dirty_profile(batch, profile);
}

static void push(struct bb_batch *batch, struct bb_ident ***items, size_t *n, size_t *room,
		 struct bb_ident *ident)
{
	BB_ARENA_PUSH(&batch->arena, *items, *n, *room) = ident;
}

/* Gives the whole component of `from` the label. It grows through joins of before or after. */
static void spread(struct bb_batch *batch, struct bb_ident *from, const struct bb_hash *label)
{
	struct bb_ident **todo = NULL;
	size_t n = 0, room = 0;

	set_label(batch, from, label);
	push(batch, &todo, &n, &room, from);
	for (size_t done = 0; done < n; done++) {
		struct bb_ident *ident = todo[done];

		recount_around(batch, ident, false);
		push(batch, &batch->relabelled, &batch->relabelled_n, &batch->relabelled_room,
		     ident);
		for (size_t i = 0; i < ident->join_n; i++) {
			const struct bb_join *pair = &ident->joins[i];
			struct bb_ident *other = bb_batch_joined_ident(batch, pair);

			if (!other)
				return;
			if (bb_hash_equal(&other->label, label) ||
			    (!bb_pair_joins(ident, other, pair, true) &&
			     !bb_pair_joins(ident, other, pair, false)))
				continue;
			set_label(batch, other, label);
			push(batch, &todo, &n, &room, other);
		}
	}
}

/* The component of the joins of after; marks them with batch->mark. */
static struct bb_group *component(struct bb_batch *batch, struct bb_ident *from)
{
	struct bb_group *group = bb_arena_zalloc(&batch->arena, sizeof(*group));

	from->mark = batch->mark;
	push(batch, &group->items, &group->n, &group->room, from);
	for (size_t done = 0; done < group->n; done++) {
		struct bb_ident *ident = group->items[done];

		for (size_t i = 0; i < ident->join_n; i++) {
			const struct bb_join *pair = &ident->joins[i];
			struct bb_ident *other = bb_batch_joined_ident(batch, pair);

			if (!other || other->mark == batch->mark ||
			    !bb_pair_joins(ident, other, pair, false))
				continue;
			other->mark = batch->mark;
			push(batch, &group->items, &group->n, &group->room, other);
		}
	}
	return group;
}

/* A label that no other component has: that of before if it is one of these, else the smallest. */
static const struct bb_hash *label_of(const struct bb_group *group)
{
	const struct bb_hash *best = &group->items[0]->hash, *before = &group->items[0]->label;

	for (size_t i = 0; i < group->n; i++) {
		const struct bb_hash *hash = &group->items[i]->hash;

		if (bb_hash_equal(hash, before))
			return hash;
		if (memcmp(hash->b, best->b, BB_HASH_BYTES) < 0)
			best = hash;
	}
	return best;
}

static void separate(struct bb_batch *batch, struct bb_ident *from)
{
	if (from->mark == batch->mark)
		return;
	struct bb_group *group = component(batch, from);
	const struct bb_hash *label = label_of(group);

	for (size_t i = 0; i < group->n; i++) {
		struct bb_ident *ident = group->items[i];

		if (bb_hash_equal(label, &ident->label))
			continue;
		ident->has_next_label = true;
		ident->next_label = *label;
		push(batch, &batch->separated, &batch->separated_n, &batch->separated_room, ident);
	}
}

/* Components that lost a join: both ends' are made anew. The third part of them, which neither end
 * is in, is reached by other pairs that went. */
static void find_separated(struct bb_batch *batch)
{
	batch->mark++;
	for (size_t i = 0; i < batch->pair_n; i++) {
		struct bb_ident *a = batch->pairs[i].a, *b = batch->pairs[i].b;
		const struct bb_join *pair = bb_ident_pair(a, b);

		if (!bb_pair_joins(a, b, pair, true) || bb_pair_joins(a, b, pair, false))
			continue;
		separate(batch, a);
		separate(batch, b);
	}
	for (size_t i = 0; i < batch->separated_n; i++)
		recount_around(batch, batch->separated[i], true);
}

void bb_labels_settle(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->pair_n && batch->err == BB_OK; i++) {
		struct bb_ident *a = batch->pairs[i].a, *b = batch->pairs[i].b;
		const struct bb_join *pair = bb_ident_pair(a, b);
		struct bb_hash label = a->label;

		set_label(batch, a, &label); /* their member entries learn of the pair */
		set_label(batch, b, &b->label);
		if (!bb_pair_joins(a, b, pair, false) || bb_pair_joins(a, b, pair, true))
			continue;
		recount_around(batch, a, false);
		recount_around(batch, b, false);
		if (!bb_hash_equal(&label, &b->label))
			spread(batch, b, &label);
	}
	find_separated(batch);
}

void bb_labels_separate(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->separated_n && batch->err == BB_OK; i++) {
		struct bb_ident *ident = batch->separated[i];

		ident->has_next_label = false;
		set_label(batch, ident, &ident->next_label);
	}
}
