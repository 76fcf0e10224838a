/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a link was refused: what is together at each of its ends by better links, and every limit
 * that the two groups break together. That is how the definition decides (identity.md §6), so the
 * witness holds whatever came first.
 *
 * A refused link that breaks nothing is a store that contradicts itself: BB_ECORRUPT.
 */
#include <stdlib.h>

#include "explain.h"

/* What an identifier reaches by inside links better than a rank; marked with the generation. */
static struct bb_group *reach(struct bb_batch *batch, struct bb_ident *from,
			      const struct bb_rank *rank)
{
	struct bb_group *group = bb_arena_zalloc(&batch->arena, sizeof(*group));

	from->mark = ++batch->mark;
	BB_ARENA_PUSH(&batch->arena, group->items, group->n, group->room) = from;
	for (size_t i = 0; i < group->n; i++) {
		const struct bb_adjacency *links = bb_links_inside(batch, group->items[i], true);

		for (size_t k = 0; k < links->inside_n; k++) {
			struct bb_ident *other =
				bb_explain_other(links->inside[k], group->items[i]);

			if (other->mark == batch->mark ||
			    bb_rank_compare(&links->inside[k]->now, rank) >= 0)
				continue;
			other->mark = batch->mark;
			BB_ARENA_PUSH(&batch->arena, group->items, group->n, group->room) = other;
		}
	}
	return group;
}

/* An identifier of either side, as the limits count it. */
struct bb_explain_counted {
	struct bb_ident *ident;
	bool is_there; /* at the link's `to` end */
};

static int by_label(const void *a, const void *b)
{
	const struct bb_ident *x = ((const struct bb_explain_counted *)a)->ident,
			      *y = ((const struct bb_explain_counted *)b)->ident;
	int d = (int)x->ns - (int)y->ns;

	if (!d)
		d = memcmp(x->label.b, y->label.b, BB_HASH_BYTES);
	return d ? d : bb_text_compare(x->value, y->value);
}

static size_t count_labels(const struct bb_explain_counted *items, size_t n)
{
	size_t labels = 0;

	for (size_t i = 0; i < n; i++)
		labels += !i || !bb_hash_equal(&items[i].ident->label, &items[i - 1].ident->label);
	return labels;
}

static void push(struct bb_batch *batch, struct bb_explain_breaches *list,
		 struct bb_explain_breach breach)
{
	BB_ARENA_PUSH(&batch->arena, list->items, list->n, list->room) = breach;
}

static void break_per_profile(struct bb_batch *batch, const struct bb_explain_counted *items,
			      size_t n, struct bb_explain_breaches *list)
{
	for (size_t i = 0, end; i < n; i = end) {
		uint16_t ns = items[i].ident->ns;
		uint32_t allowed = batch->rules->namespaces[ns].per_profile;

		for (end = i; end < n && items[end].ident->ns == ns; end++)
			;
		size_t labels = count_labels(items + i, end - i);

		if (allowed != BB_NO_LIMIT && labels > allowed)
			push(batch, list,
			     (struct bb_explain_breach){.limit = BB_EXPLAIN_PER_PROFILE,
							.ns = ns,
							.allowed = allowed,
							.needed = labels,
							.items = items + i,
							.n = end - i});
	}
}

static int by_ends(const void *a, const void *b)
{
	struct bb_ident *const *x = ((const struct bb_explain_breach *)a)->ends,
			       *const *y = ((const struct bb_explain_breach *)b)->ends;
	int d = 0;

	for (int i = 0; i < 2 && !d; i++) {
		d = (int)x[i]->ns - (int)y[i]->ns;
		if (!d)
			d = bb_text_compare(x[i]->value, y[i]->value);
	}
	return d;
}

/* Those of the far group have the mark of the last walk. */
static void break_splits(struct bb_batch *batch, const struct bb_group *here,
			 struct bb_explain_breaches *list)
{
	size_t before = list->n;

	for (size_t i = 0; i < here->n; i++)
		for (size_t k = 0; k < here->items[i]->join_n; k++) {
			if (here->items[i]->joins[k].ruling != BB_PAIR_SPLIT)
				continue;
			struct bb_ident *other =
				bb_batch_joined_ident(batch, &here->items[i]->joins[k]);

			if (other && other->mark == batch->mark)
				push(batch, list,
				     (struct bb_explain_breach){.limit = BB_EXPLAIN_SPLITS,
								.ends = {here->items[i], other}});
		}
	if (list->n > before + 1)
		qsort(list->items + before, list->n - before, sizeof(*list->items), by_ends);
}

void bb_explain_breaches(struct bb_batch *batch, const struct bb_link *link,
			 struct bb_explain_breaches *ret_list)
{
	const struct bb_group *here = reach(batch, link->anchor, &link->now),
			      *there = reach(batch, link->other, &link->now);
	uint32_t allowed = batch->rules->max_identifiers;
	size_t n = here->n + there->n;
	struct bb_explain_counted *items = bb_arena_alloc(&batch->arena, n * sizeof(*items));
	struct bb_explain_breaches list = {NULL, 0, 0};

	for (size_t i = 0; i < here->n; i++)
		items[i] = (struct bb_explain_counted){here->items[i], false};
	for (size_t i = 0; i < there->n; i++)
		items[here->n + i] = (struct bb_explain_counted){there->items[i], true};
	qsort(items, n, sizeof(*items), by_label);
	break_per_profile(batch, items, n, &list);
	break_splits(batch, here, &list);
	if (n > allowed)
		push(batch, &list,
		     (struct bb_explain_breach){
			     .limit = BB_EXPLAIN_MAX_IDENTIFIERS, .allowed = allowed, .needed = n});
	if (!list.n)
		bb_batch_fail(batch, BB_ECORRUPT);
	*ret_list = list;
}

/* --- as JSON ---------------------------------------------------------------------------------- */

/* Joined ones of one side are shown by their first. */
static void put_side(struct bb_batch *batch, const char *name, bool is_there,
		     const struct bb_explain_breach *breach, struct bb_buf *json)
{
	struct bb_ident **idents =
		bb_arena_alloc(&batch->arena, breach->n * sizeof(struct bb_ident *));
	size_t found = 0;

	for (size_t i = 0; i < breach->n; i++) {
		struct bb_ident *ident = breach->items[i].ident;

		if (breach->items[i].is_there == is_there &&
		    (!found || !bb_hash_equal(&ident->label, &idents[found - 1]->label)))
			idents[found++] = ident;
	}
	bb_buf_printf(json, ",\"%s\":", name);
	bb_explain_idents_json(batch, idents, found, BB_EXPLAIN_SIDE_MAX, json);
}

static void put_split(struct bb_batch *batch, const struct bb_explain_breach *breach,
		      struct bb_buf *json)
{
	bb_buf_printf(json, ",\"pair\":");
	bb_explain_pair_json(batch, breach->ends[0], breach->ends[1], json);
	bb_buf_printf(json, ",\"ruling\":");
	if (!bb_explain_ruling_json(batch, &breach->ends[0]->hash, &breach->ends[1]->hash, json))
		bb_buf_printf(json, "null");
}

static void put_breach(struct bb_batch *batch, const struct bb_explain_breach *breach,
		       struct bb_buf *json)
{
	bb_buf_printf(json, "{\"limit\":\"%s\"", bb_explain_limit_text(breach->limit));
	if (breach->limit == BB_EXPLAIN_PER_PROFILE)
		bb_buf_printf(json, ",\"ns\":\"%s\"", batch->rules->namespaces[breach->ns].name);
	if (breach->limit == BB_EXPLAIN_SPLITS)
		put_split(batch, breach, json);
	else
		bb_buf_printf(json, ",\"allowed\":%u,\"needed\":%zu", breach->allowed,
			      breach->needed);
	if (breach->limit == BB_EXPLAIN_PER_PROFILE) {
		put_side(batch, "with_from", false, breach, json);
		put_side(batch, "with_to", true, breach, json);
	}
	bb_buf_byte(json, '}');
}

void bb_explain_witness(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json)
{
	struct bb_explain_breaches list;

	bb_explain_breaches(batch, link, &list);
	bb_buf_byte(json, '[');
	for (size_t i = 0; i < list.n; i++) {
		if (i)
			bb_buf_byte(json, ',');
		put_breach(batch, &list.items[i], json);
	}
	bb_buf_byte(json, ']');
}
