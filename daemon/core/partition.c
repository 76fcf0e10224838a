/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping the partition up to date (identity.md §10, R1 to R6 and R8). No link carries a mark: it
 * is *inside* if both ends are in one profile, else *refused*.
 *
 * Links that changed are settled one after the other against those settled before, as far as R1 to
 * R4 can do that without a replay. The rest keep their old rank meanwhile, are put in together, and
 * one replay starts at the best rank that any of them had or gets: before it nothing differs. A
 * replay is the definition's sweep from there over the profiles of their ends; it draws in another
 * profile when a link first changes it. Profiles are written last.
 *
 * Refused links of a hub, an identifier in very many records, are not even read as long as groups
 * only grow: what broke a limit once does so in every larger group. The first inside link that is
 * refused ends that, and then most hubs are full: nothing that they ever came with can be added.
 * What holds a large profile together is remembered: a worse link meets all of it, so that its
 * members are counted, and none of them is read.
 */
#include <stdlib.h>

#include "identity.h"

static bool is_there(const struct bb_link *link)
{
	return link->now.tier < bb_rank_worst.tier;
}

static struct bb_ident *end_of(const struct bb_link *link, const struct bb_ident *ident)
{
	return link->anchor == ident ? link->other : link->anchor;
}

static bool is_inside(struct bb_batch *batch, const struct bb_link *link)
{
	return bb_batch_profile_of(batch, link->anchor) == bb_batch_profile_of(batch, link->other);
}

static void group_add(struct bb_batch *batch, struct bb_group *group, struct bb_ident *ident)
{
	BB_ARENA_PUSH(&batch->arena, group->items, group->n, group->room) = ident;
}

/* What `from` reaches by inside links, all of them, better than `rank`. Marks them with the
 * generation batch->mark. */
static struct bb_group *reach(struct bb_batch *batch, struct bb_ident *from,
			      const struct bb_rank *rank)
{
	struct bb_group *group = bb_arena_zalloc(&batch->arena, sizeof(*group));

	batch->mark++;
	from->mark = batch->mark;
	group_add(batch, group, from);
	for (size_t i = 0; i < group->n; i++) {
		const struct bb_adjacency *links = bb_links_inside(batch, group->items[i], false);

		for (size_t k = 0; k < links->inside_n; k++) {
			const struct bb_link *link = links->inside[k];
			struct bb_ident *other = end_of(link, group->items[i]);

			if (other->mark == batch->mark || bb_rank_compare(&link->now, rank) >= 0)
				continue;
			other->mark = batch->mark;
			group_add(batch, group, other);
		}
	}
	return group;
}

/* Whether the definition would take the link at this rank. */
static bool feasible_at(struct bb_batch *batch, const struct bb_link *link,
			const struct bb_rank *rank)
{
	const struct bb_group *a = reach(batch, link->anchor, rank),
			      *b = reach(batch, link->other, rank);

	return bb_form_groups_feasible(batch, a, b);
}

static void put(struct bb_link *link)
{
	link->now = link->next;
}

/* Whether the rank is known to be worse than what holds the profile together. */
static bool is_whole_at(struct bb_batch *batch, const struct bb_profile *profile,
			const struct bb_rank *rank)
{
	const struct bb_rank *span = profile->member_n > 1 ? bb_hubs_span(batch, profile) : NULL;

	return profile->member_n == 1 || (span && bb_rank_compare(span, rank) < 0);
}

/* R1, R2. False: to be replayed. */
static bool better(struct bb_batch *batch, struct bb_link *link)
{
	struct bb_profile *p = bb_batch_profile_of(batch, link->anchor),
			  *q = bb_batch_profile_of(batch, link->other);

	if (p != q) {
		if (bb_form_feasible(batch, p, q))
			bb_form_unite(batch, p, q);
		else if (!(is_whole_at(batch, p, &link->next) &&
			   is_whole_at(batch, q, &link->next)) &&
			 feasible_at(batch, link, &link->next))
			return false;
	}
	put(link);
	return true;
}

/* Whether a refused link that touches the profile has a rank between the two, or may have. */
static bool refused_between(struct bb_batch *batch, struct bb_profile *profile,
			    const struct bb_rank *from, const struct bb_rank *to)
{
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);
		const struct bb_adjacency *links = bb_links_within(batch, ident);

		if (bb_hubs_defers(batch, ident))
			return true; /* a replay tells the same, and need not read them */
		for (size_t k = 0; k < links->n; k++) {
			const struct bb_link *link = links->items[k];

			if (is_there(link) && bb_rank_compare(from, &link->now) < 0 &&
			    bb_rank_compare(&link->now, to) < 0 && !is_inside(batch, link))
				return true;
		}
	}
	return false;
}

/* A profile falls into what its links connect. */
static void search(struct bb_batch *batch, struct bb_profile *profile)
{
	struct bb_group **pieces = NULL;
	size_t n = 0, room = 0, found = 0;
	uint32_t first = batch->mark + 1;

	for (size_t i = 0; i < profile->member_n && found < profile->member_n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);

		if (ident->mark >= first)
			continue;
		struct bb_group *piece = reach(batch, ident, &bb_rank_worst);

		BB_ARENA_PUSH(&batch->arena, pieces, n, room) = piece;
		found += piece->n;
	}
	if (n > 1)
		bb_form_groups(batch, pieces, n, &profile, 1);
}

/* R3, R4. False: to be replayed. */
static bool worse(struct bb_batch *batch, struct bb_link *link)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, link->anchor);
	bool gone = link->next.tier == bb_rank_worst.tier, needed = is_inside(batch, link);

	if (needed) {
		reach(batch, link->anchor, &link->now);
		needed = link->other->mark != batch->mark;
	}
	if (needed && refused_between(batch, profile, &link->now, &link->next))
		return false;
	put(link);
	if (needed && gone)
		search(batch, profile);
	return true;
}

/* --- replay ----------------------------------------------------------------------------------- */

struct replay {
	struct bb_link **heap; /* by rank, best first */
	size_t n, room;
	struct bb_profile **drawn;
	size_t drawn_n, drawn_room;
	uint32_t mark;		/* identifiers that were drawn have it */
	bool shrinks;		/* groups may be smaller than they were at this rank */
	struct bb_rank last;	/* of the last link that was taken, or where the sweep began */
	struct bb_ident **hubs; /* drawn, their refused links not read */
	size_t hub_n, hub_room;
};

static void heap_push(struct bb_batch *batch, struct replay *rp, struct bb_link *link)
{
	BB_ARENA_PUSH(&batch->arena, rp->heap, rp->n, rp->room) = link;
	size_t i = rp->n - 1;

	while (i > 0 && bb_rank_compare(&link->now, &rp->heap[(i - 1) / 2]->now) < 0) {
		rp->heap[i] = rp->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	rp->heap[i] = link;
}

static struct bb_link *heap_pop(struct replay *rp)
{
	struct bb_link *best = rp->heap[0], *last = rp->heap[--rp->n];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= rp->n)
			break;
		if (child + 1 < rp->n &&
		    bb_rank_compare(&rp->heap[child + 1]->now, &rp->heap[child]->now) < 0)
			child++;
		if (bb_rank_compare(&last->now, &rp->heap[child]->now) <= 0)
			break;
		rp->heap[i] = rp->heap[child];
		i = child;
	}
	rp->heap[i] = last;
	return best;
}

static bool is_drawn(const struct replay *rp, const struct bb_ident *ident)
{
	return ident->group_mark == rp->mark;
}

static void unite(struct bb_batch *batch, struct bb_group *a, struct bb_group *b)
{
	struct bb_group *into = a->n >= b->n ? a : b, *from = into == a ? b : a;

	for (size_t i = 0; i < from->n; i++) {
		from->items[i]->group = into;
		group_add(batch, into, from->items[i]);
	}
	from->n = 0;
}

/* Draws a profile at a rank: its better inside links unite untested, the others are queued. */
static void draw(struct bb_batch *batch, struct replay *rp, struct bb_profile *profile,
		 const struct bb_rank *rank)
{
	BB_ARENA_PUSH(&batch->arena, rp->drawn, rp->drawn_n, rp->drawn_room) = profile;
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);
		struct bb_group *group = bb_arena_zalloc(&batch->arena, sizeof(*group));

		group_add(batch, group, ident);
		ident->group = group;
		ident->group_mark = rp->mark;
		batch->stats.replay_nodes++;
	}
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *ident = profile->members[i].ident;
		const struct bb_adjacency *links = bb_links_within(batch, ident);

		if (bb_hubs_defers(batch, ident))
			BB_ARENA_PUSH(&batch->arena, rp->hubs, rp->hub_n, rp->hub_room) = ident;
		for (size_t k = 0; k < links->n; k++) {
			struct bb_link *link = links->items[k];
			struct bb_ident *other = end_of(link, ident);

			if (!is_there(link))
				continue;
			batch->stats.replay_links++;
			if (bb_rank_compare(&link->now, rank) >= 0)
				heap_push(batch, rp, link);
			else if (bb_batch_profile_of(batch, other) == profile &&
				 is_drawn(rp, other) && ident->group != other->group)
				unite(batch, ident->group, other->group);
		}
	}
}

/* From this rank on groups may be smaller than they were: hubs that are not full have links that
 * may be taken now. */
static void look_at_hubs(struct bb_batch *batch, struct replay *rp, const struct bb_rank *rank)
{
	rp->shrinks = true;
	while (rp->hub_n > 0) {
		struct bb_ident *hub = rp->hubs[--rp->hub_n];

		if (bb_hubs_is_full(batch, hub, hub->group))
			continue;
		const struct bb_adjacency *links = bb_links_of(batch, hub);

		bb_hubs_remember(batch, hub);
		for (size_t i = 0; i < links->n; i++) {
			batch->stats.replay_links++;
			if (is_there(links->items[i]) &&
			    bb_rank_compare(&links->items[i]->now, rank) >= 0)
				heap_push(batch, rp, links->items[i]);
		}
	}
}

/* A drawn group that takes not even the end alone takes no group that it is in: most links that are
 * refused again are told so without a look at what is outside. */
static bool refuses(struct bb_batch *batch, const struct bb_group *group, struct bb_ident *end)
{
	struct bb_group alone = {.items = &end, .n = 1};

	return !bb_form_groups_feasible(batch, group, &alone);
}

/* Decides one link of the queue as §6 does. */
static void decide(struct bb_batch *batch, struct replay *rp, const struct bb_link *link)
{
	struct bb_ident *ends[2] = {link->anchor, link->other};
	struct bb_group *groups[2];
	const struct bb_rank rank = link->now;

	for (int i = 0; i < 2; i++)
		if (is_drawn(rp, ends[i]) && !is_drawn(rp, ends[!i]) &&
		    refuses(batch, ends[i]->group, ends[!i]))
			return;
	for (int i = 0; i < 2; i++)
		groups[i] = is_drawn(rp, ends[i]) ? ends[i]->group : reach(batch, ends[i], &rank);
	if (groups[0] == groups[1])
		return;
	if (!bb_form_groups_feasible(batch, groups[0], groups[1])) {
		if (!rp->shrinks && is_inside(batch, link))
			look_at_hubs(batch, rp, &rank);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (!is_drawn(rp, ends[i]))
			draw(batch, rp, bb_batch_profile_of(batch, ends[i]), &rank);
	if (!is_drawn(rp, ends[0]) || !is_drawn(rp, ends[1])) {
		bb_batch_fail(batch, BB_ECORRUPT); /* a profile that does not have its member */
		return;
	}
	unite(batch, ends[0]->group, ends[1]->group);
	rp->last = rank;
	if (rp->shrinks)
		look_at_hubs(batch, rp, &rank);
}

static void collect_groups(struct bb_batch *batch, const struct replay *rp)
{
	struct bb_group **groups = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < rp->drawn_n; i++)
		for (size_t k = 0; k < rp->drawn[i]->member_n; k++) {
			struct bb_group *group = rp->drawn[i]->members[k].ident->group;

			if (group->items[0] == rp->drawn[i]->members[k].ident)
				BB_ARENA_PUSH(&batch->arena, groups, n, room) = group;
		}
	bb_form_groups(batch, groups, n, rp->drawn, rp->drawn_n);
	for (size_t i = 0; i < rp->drawn_n; i++)
		if (!rp->drawn[i]->gone)
			bb_hubs_set_span(batch, rp->drawn[i], &rp->last);
}

/* The links whose rank changed. */
struct changed {
	struct bb_link **items;
	size_t n;
	bool only_better; /* and limits are what they were */
};

/* The definition's sweep from rank `first` over the profiles; equal ones may be given more than
 * once. */
static void replay(struct bb_batch *batch, struct bb_profile **profiles, size_t n,
		   const struct bb_rank *first, struct changed changed)
{
	struct replay rp = {.mark = ++batch->replay_mark, .last = *first};

	if (!n || batch->err != BB_OK)
		return;
	batch->stats.replays++;
	for (size_t i = 0; i < n; i++)
		if (profiles[i]->member_n &&
		    !is_drawn(&rp, bb_batch_member_ident(batch, &profiles[i]->members[0])))
			draw(batch, &rp, profiles[i], first);
	for (size_t i = 0; i < changed.n; i++)
		if (is_there(changed.items[i]) && bb_hubs_defers(batch, changed.items[i]->anchor) &&
		    bb_hubs_defers(batch, changed.items[i]->other))
			heap_push(batch, &rp, changed.items[i]);
	if (!changed.only_better)
		look_at_hubs(batch, &rp, first);
	while (rp.n && batch->err == BB_OK)
		decide(batch, &rp, heap_pop(&rp));
	if (batch->err == BB_OK)
		collect_groups(batch, &rp);
}

/* --- rules ------------------------------------------------------------------------------------ */

static const struct bb_rank *better_of(const struct bb_rank *a, const struct bb_rank *b)
{
	return bb_rank_compare(a, b) <= 0 ? a : b;
}

void bb_partition_change(struct bb_batch *batch, struct bb_link **links, size_t n)
{
	struct bb_profile **profiles =
		bb_arena_alloc(&batch->arena, 2 * n * sizeof(struct bb_profile *));
	struct bb_rank first = bb_rank_worst;
	struct changed changed = {links, 0, true};
	size_t profile_n = 0;

	for (size_t i = 0; i < n && batch->err == BB_OK; i++) {
		struct bb_link *link = links[i];
		bool done = bb_rank_compare(&link->next, &link->now) < 0 ? better(batch, link)
									 : worse(batch, link);

		if (!done)
			links[changed.n++] = link;
	}
	for (size_t i = 0; i < changed.n; i++) {
		changed.only_better &= bb_rank_compare(&links[i]->next, &links[i]->now) < 0;
		first = *better_of(&first, better_of(&links[i]->now, &links[i]->next));
		put(links[i]);
		profiles[profile_n++] = bb_batch_profile_of(batch, links[i]->anchor);
		profiles[profile_n++] = bb_batch_profile_of(batch, links[i]->other);
	}
	replay(batch, profiles, profile_n, &first, changed);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct bb_profile *const *)a,
		  y = (uintptr_t) * (struct bb_profile *const *)b;

	return (x > y) - (x < y);
}

/* R6: what was refused still is, so the first verdict to change is in a profile that now breaks a
 * limit. */
void bb_partition_tightened(struct bb_batch *batch, struct bb_profile **profiles, size_t n)
{
	size_t broken = 0;

	for (size_t i = 0; i < n && batch->err == BB_OK; i++)
		if (!bb_form_feasible(batch, profiles[i], NULL))
			profiles[broken++] = profiles[i];
	replay(batch, profiles, broken, &bb_rank_best, (struct changed){NULL, 0, false});
}

/* R5: tests each refused link that touches a profile at its rank; replays from those that may be
 * taken now. */
void bb_partition_loosened(struct bb_batch *batch, struct bb_profile **profiles, size_t n)
{
	struct bb_profile **freed = NULL;
	size_t freed_n = 0, room = 0;
	struct bb_rank first = bb_rank_worst;

	if (n > 1)
		qsort(profiles, n, sizeof(struct bb_profile *), by_address);
	for (size_t p = 0; p < n && batch->err == BB_OK; p++) {
		if (p && profiles[p] == profiles[p - 1])
			continue;
		for (size_t i = 0; i < profiles[p]->member_n; i++) {
			struct bb_ident *ident =
				bb_batch_member_ident(batch, &profiles[p]->members[i]);
			const struct bb_adjacency *links = bb_links_of(batch, ident);

			for (size_t k = 0; k < links->n; k++) {
				const struct bb_link *link = links->items[k];

				if (!is_there(link) || is_inside(batch, link) ||
				    !feasible_at(batch, link, &link->now))
					continue;
				first = *better_of(&first, &link->now);
				BB_ARENA_PUSH(&batch->arena, freed, freed_n, room) =
					bb_batch_profile_of(batch, link->anchor);
				BB_ARENA_PUSH(&batch->arena, freed, freed_n, room) =
					bb_batch_profile_of(batch, link->other);
			}
		}
	}
	replay(batch, freed, freed_n, &first, (struct changed){NULL, 0, false});
}

void bb_partition_sweep(struct bb_batch *batch, struct bb_profile **profiles, size_t n)
{
	replay(batch, profiles, n, &bb_rank_best, (struct changed){NULL, 0, false});
}
