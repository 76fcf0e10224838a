/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over the links of a profile: the tree that holds it together (Kruskal, best rank first, so
 * that the way between two members is the one whose weakest link is strongest), the way between two
 * members in it, and the links that were refused. All sorted by rank, which no two links share.
 *
 * Nothing fails here; a store that does is the batch's error, and the walk ends early.
 */
#include <backbone/assert.h>
#include <stdlib.h>

#include "explain.h"

static void push(struct bb_batch *batch, struct bb_explain_links *links, struct bb_link *link)
{
	BB_ARENA_PUSH(&batch->arena, links->items, links->n, links->room) = link;
}

static int by_rank(const void *a, const void *b)
{
	return bb_rank_compare(&(*(struct bb_link *const *)a)->now,
			       &(*(struct bb_link *const *)b)->now);
}

static void sort(struct bb_explain_links *links)
{
	if (links->n > 1)
		qsort(links->items, links->n, sizeof(*links->items), by_rank);
}

static bool is_there(const struct bb_link *link)
{
	return link->now.tier < bb_rank_worst.tier;
}

/* All links inside, each once: by its anchor. */
static void inside(struct bb_batch *batch, struct bb_profile *profile,
		   struct bb_explain_links *links)
{
	for (size_t i = 0; i < profile->member_n && batch->err == BB_OK; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);
		const struct bb_adjacency *all = bb_links_of(batch, ident);

		for (size_t k = 0; k < all->n; k++) {
			struct bb_link *link = all->items[k];

			if (is_there(link) && link->anchor == ident &&
			    bb_batch_profile_of(batch, link->other) == profile)
				push(batch, links, link);
		}
	}
	sort(links);
}

static void unite(struct bb_batch *batch, struct bb_group *a, struct bb_group *b)
{
	struct bb_group *into = a->n >= b->n ? a : b, *from = into == a ? b : a;

	for (size_t i = 0; i < from->n; i++) {
		from->items[i]->group = into;
		BB_ARENA_PUSH(&batch->arena, into->items, into->n, into->room) = from->items[i];
	}
}

void bb_explain_tree(struct bb_batch *batch, struct bb_profile *profile,
		     struct bb_explain_links *ret_tree)
{
	struct bb_explain_links all = {NULL, 0, 0}, tree = {NULL, 0, 0};
	uint32_t mark = ++batch->replay_mark;

	inside(batch, profile, &all);
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);

		ident->group = bb_arena_zalloc(&batch->arena, sizeof(*ident->group));
		ident->group_mark = mark;
		BB_ARENA_PUSH(&batch->arena, ident->group->items, ident->group->n,
			      ident->group->room) = ident;
	}
	for (size_t i = 0; i < all.n && batch->err == BB_OK; i++) {
		struct bb_link *link = all.items[i];

		if (link->other->group_mark != mark) {
			bb_batch_fail(batch, BB_ECORRUPT); /* a profile without its member */
			break;
		}
		if (link->anchor->group == link->other->group)
			continue;
		unite(batch, link->anchor->group, link->other->group);
		push(batch, &tree, link);
	}
	*ret_tree = tree;
}

/* A step of the search through a tree. */
struct step {
	struct bb_ident *at;
	struct bb_link *by; /* NULL: the start */
	size_t from;	    /* the step before */
};

/* The steps from `from` on, in the order found, up to the one at `to`, which comes last. */
static bool search(struct bb_batch *batch, struct bb_ident *from, const struct bb_ident *to,
		   uint32_t tree_mark, struct step **ret_steps, size_t *ret_n)
{
	struct step *steps = NULL;
	size_t n = 0, room = 0;
	uint32_t mark = ++batch->mark;

	from->mark = mark;
	BB_ARENA_PUSH(&batch->arena, steps, n, room) = (struct step){from, NULL, 0};
	for (size_t i = 0; i < n && steps[n - 1].at != to; i++) {
		struct bb_ident *at = steps[i].at;
		const struct bb_adjacency *all = bb_links_of(batch, at);

		for (size_t k = 0; k < all->n && steps[n - 1].at != to; k++) {
			struct bb_ident *other = bb_explain_other(all->items[k], at);

			if (all->items[k]->mark != tree_mark || other->mark == mark)
				continue;
			other->mark = mark;
			BB_ARENA_PUSH(&batch->arena, steps, n, room) =
				(struct step){other, all->items[k], i};
		}
	}
	*ret_steps = steps;
	*ret_n = n;
	return steps[n - 1].at == to;
}

void bb_explain_chain(struct bb_batch *batch, struct bb_ident *from, struct bb_ident *to,
		      struct bb_explain_links *ret_chain)
{
	struct bb_explain_links tree, chain = {NULL, 0, 0};
	uint32_t mark = ++batch->link_mark;
	struct step *steps;
	size_t n;

	bb_explain_tree(batch, bb_batch_profile_of(batch, from), &tree);
	for (size_t i = 0; i < tree.n; i++)
		tree.items[i]->mark = mark;
	*ret_chain = chain;
	/* searched from the far end, so that the steps back come out from the near one on */
	if (!search(batch, to, from, mark, &steps, &n)) {
		bb_batch_fail(batch, BB_ECORRUPT); /* members that no link connects */
		return;
	}
	for (size_t i = n - 1; steps[i].by; i = steps[i].from)
		push(batch, &chain, steps[i].by);
	*ret_chain = chain;
}

void bb_explain_refused(struct bb_batch *batch, struct bb_profile *profile,
			const struct bb_profile *other, struct bb_explain_links *ret_links)
{
	struct bb_explain_links links = {NULL, 0, 0};

	for (size_t i = 0; i < profile->member_n && batch->err == BB_OK; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);
		const struct bb_adjacency *all = bb_links_of(batch, ident);

		for (size_t k = 0; k < all->n; k++) {
			struct bb_link *link = all->items[k];
			const struct bb_profile *there =
				bb_batch_profile_of(batch, bb_explain_other(link, ident));

			if (is_there(link) && there != profile && (!other || there == other))
				push(batch, &links, link);
		}
	}
	sort(&links);
	*ret_links = links;
}
