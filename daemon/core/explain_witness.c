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
	const struct bb_profile *profile = bb_batch_profile_of(batch, from);

	from->mark = ++batch->mark;
	BB_ARENA_PUSH(&batch->arena, group->items, group->n, group->room) = from;
	for (size_t i = 0; i < group->n; i++) {
		const struct bb_adjacency *links = bb_links_of(batch, group->items[i]);

		for (size_t k = 0; k < links->n; k++) {
			struct bb_ident *other = bb_explain_other(links->items[k], group->items[i]);

			if (other->mark == batch->mark ||
			    bb_rank_compare(&links->items[k]->now, rank) >= 0 ||
			    bb_batch_profile_of(batch, other) != profile)
				continue;
			other->mark = batch->mark;
			BB_ARENA_PUSH(&batch->arena, group->items, group->n, group->room) = other;
		}
	}
	return group;
}

/* An identifier of either side, as the limits count it. */
struct counted {
	struct bb_ident *ident;
	bool is_there; /* at the link's `to` end */
};

static int by_label(const void *a, const void *b)
{
	const struct bb_ident *x = ((const struct counted *)a)->ident,
			      *y = ((const struct counted *)b)->ident;
	int d = (int)x->ns - (int)y->ns;

	if (!d)
		d = memcmp(x->label.b, y->label.b, BB_HASH_BYTES);
	return d ? d : bb_text_compare(x->value, y->value);
}

static size_t count_labels(const struct counted *items, size_t n)
{
	size_t labels = 0;

	for (size_t i = 0; i < n; i++)
		labels += !i || !bb_hash_equal(&items[i].ident->label, &items[i - 1].ident->label);
	return labels;
}

/* Joined ones of one side are shown by their first. */
static void put_side(struct bb_batch *batch, const char *name, bool is_there,
		     const struct counted *items, size_t n, struct bb_buf *json)
{
	struct bb_ident **idents = bb_arena_alloc(&batch->arena, n * sizeof(struct bb_ident *));
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (items[i].is_there == is_there &&
		    (!found || !bb_hash_equal(&items[i].ident->label, &idents[found - 1]->label)))
			idents[found++] = items[i].ident;
	bb_buf_printf(json, ",\"%s\":", name);
	bb_explain_idents_json(batch, idents, found, BB_EXPLAIN_SIDE_MAX, json);
}

static void next(struct bb_buf *json, size_t *n)
{
	if ((*n)++)
		bb_buf_byte(json, ',');
}

static size_t put_per_profile(struct bb_batch *batch, const struct counted *items, size_t n,
			      struct bb_buf *json)
{
	size_t found = 0;

	for (size_t i = 0, end; i < n; i = end) {
		const struct bb_namespace *ns = &batch->rules->namespaces[items[i].ident->ns];

		for (end = i; end < n && items[end].ident->ns == items[i].ident->ns; end++)
			;
		size_t labels = count_labels(items + i, end - i);

		if (ns->per_profile == BB_NO_LIMIT || labels <= ns->per_profile)
			continue;
		next(json, &found);
		bb_buf_printf(json,
			      "{\"limit\":\"per_profile\",\"ns\":\"%s\",\"allowed\":%u,"
			      "\"needed\":%zu",
			      ns->name, ns->per_profile, labels);
		put_side(batch, "with_from", false, items + i, end - i, json);
		put_side(batch, "with_to", true, items + i, end - i, json);
		bb_buf_byte(json, '}');
	}
	return found;
}

/* The pair of a split, one end at each side. */
struct split {
	struct bb_ident *here, *there;
};

static int by_ends(const void *a, const void *b)
{
	const struct split *x = a, *y = b;
	int d = (int)x->here->ns - (int)y->here->ns;

	if (!d)
		d = bb_text_compare(x->here->value, y->here->value);
	if (!d)
		d = (int)x->there->ns - (int)y->there->ns;
	return d ? d : bb_text_compare(x->there->value, y->there->value);
}

/* Those of `there` have the mark of the last walk. */
static size_t put_splits(struct bb_batch *batch, const struct bb_group *here, size_t found,
			 struct bb_buf *json)
{
	struct split *splits = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < here->n; i++)
		for (size_t k = 0; k < here->items[i]->join_n; k++) {
			if (here->items[i]->joins[k].ruling != BB_PAIR_SPLIT)
				continue;
			struct bb_ident *other =
				bb_batch_joined_ident(batch, &here->items[i]->joins[k]);

			if (other && other->mark == batch->mark)
				BB_ARENA_PUSH(&batch->arena, splits, n, room) =
					(struct split){here->items[i], other};
		}
	if (n > 1)
		qsort(splits, n, sizeof(*splits), by_ends);
	for (size_t i = 0; i < n; i++) {
		next(json, &found);
		bb_buf_printf(json, "{\"limit\":\"split\",\"pair\":[");
		bb_buf_json(json, bb_explain_name(batch, splits[i].here));
		bb_buf_byte(json, ',');
		bb_buf_json(json, bb_explain_name(batch, splits[i].there));
		bb_buf_printf(json, "],\"ruling\":");
		if (!bb_explain_ruling_json(batch, &splits[i].here->hash, &splits[i].there->hash,
					    json))
			bb_buf_printf(json, "null");
		bb_buf_byte(json, '}');
	}
	return found;
}

void bb_explain_witness(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json)
{
	const struct bb_group *here = reach(batch, link->anchor, &link->now),
			      *there = reach(batch, link->other, &link->now);
	size_t n = here->n + there->n, found;
	struct counted *items = bb_arena_alloc(&batch->arena, n * sizeof(*items));

	for (size_t i = 0; i < here->n; i++)
		items[i] = (struct counted){here->items[i], false};
	for (size_t i = 0; i < there->n; i++)
		items[here->n + i] = (struct counted){there->items[i], true};
	qsort(items, n, sizeof(*items), by_label);
	bb_buf_byte(json, '[');
	found = put_per_profile(batch, items, n, json);
	found = put_splits(batch, here, found, json);
	if (n > batch->rules->max_identifiers) {
		next(json, &found);
		bb_buf_printf(json, "{\"limit\":\"max_identifiers\",\"allowed\":%u,\"needed\":%zu}",
			      batch->rules->max_identifiers, n);
	}
	bb_buf_byte(json, ']');
	if (!found)
		bb_batch_fail(batch, BB_ECORRUPT);
}
