/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would change it: nothing is guessed. Each case is made in a fresh batch over the snapshot,
 * settled by the engine as events and rulings are, and looked at: links taken out until two are
 * apart, a split between them, a join of them.
 *
 * The weakest link of the chain may not be the only way: the next chain's weakest goes too, and so
 * on, at most BB_EXPLAIN_REMOVED_MAX of them.
 */
#include <backbone/assert.h>

#include "explain.h"

/* A link that is taken out; by the hashes of its ends, as every batch reads them anew. */
struct cut {
	struct bb_hash anchor, other;
	bool join;
};

/* As a ruling that came: the pair's entry at both ends, of which the labels take notice. */
static void set_pair(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b,
		     enum bb_pair_ruling ruling, bool keep_facts)
{
	struct bb_ident *ends[2] = {a, b};

	if (!a || !b)
		return; /* the batch has failed */
	for (int i = 0; i < 2; i++) {
		struct bb_ident *from = ends[i], *to = ends[1 - i];

		if (!bb_ident_pair(from, to))
			BB_ARENA_PUSH(&batch->arena, from->joins, from->join_n, from->join_room) =
				(struct bb_join){.other = to->hash};
		bb_ident_pair(from, to)->ruling = ruling;
		if (!keep_facts)
			bb_ident_pair(from, to)->n = 0;
	}
	batch->has_rulings = true;
	bb_labels_pair(batch, a, b);
}

/* One that was there in the batch before: NULL only if this one has failed. */
static struct bb_ident *again(struct bb_batch *batch, const struct bb_hash *hash)
{
	struct bb_ident *ident = bb_batch_ident(batch, hash);

	if (!ident)
		bb_batch_fail(batch, BB_ECORRUPT);
	return ident;
}

static bool is_together(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	return batch->err == BB_OK &&
	       bb_batch_profile_of(batch, a) == bb_batch_profile_of(batch, b);
}

/* The state without these links. Joins go as a release would make them go, with what they joined
 * counting as one no longer; then the others. */
static void take_out(struct bb_batch *batch, const struct cut *cuts, size_t n)
{
	bool has_joins = false;

	for (size_t i = 0; i < n; i++)
		if (cuts[i].join) {
			set_pair(batch, again(batch, &cuts[i].anchor), again(batch, &cuts[i].other),
				 BB_PAIR_NONE, false);
			has_joins = true;
		}
	if (has_joins && batch->err == BB_OK)
		bb_identity_settle(batch);
	for (size_t i = 0; i < n && batch->err == BB_OK; i++) {
		struct bb_ident *anchor = again(batch, &cuts[i].anchor),
				*other = again(batch, &cuts[i].other);

		if (cuts[i].join || !anchor || !other)
			continue;
		struct bb_link *link = bb_links_get(batch, anchor, other, false);

		link->next = bb_rank_worst;
		if (link->now.tier != bb_rank_worst.tier)
			bb_partition_change(batch, &link, 1);
	}
}

/* The weakest link of the way between two that are together. */
static const struct bb_link *weakest(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	const struct bb_link *worst = NULL;
	struct bb_explain_links chain;

	bb_explain_chain(batch, a, b, &chain);
	for (size_t i = 0; i < chain.n; i++)
		if (!worst || bb_rank_compare(&worst->now, &chain.items[i]->now) < 0)
			worst = chain.items[i];
	return worst;
}

/* Appends the links that had to go; returns how many. */
static size_t part(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
		   const struct bb_hash *b, struct bb_buf *json, bool *ret_apart)
{
	struct cut cuts[BB_EXPLAIN_REMOVED_MAX];
	size_t n = 0;

	for (;;) {
		struct bb_batch *batch = bb_explain_begin(explainer, kv);
		struct bb_ident *x = again(batch, a), *y = again(batch, b);

		take_out(batch, cuts, n);
		*ret_apart = batch->err == BB_OK && !is_together(batch, x, y);
		if (batch->err != BB_OK || *ret_apart || n == BB_EXPLAIN_REMOVED_MAX)
			return n;
		const struct bb_link *link = weakest(batch, x, y);

		if (!link)
			return n; /* the batch has failed */
		bb_buf_printf(json, "%s{", n ? "," : "");
		bb_explain_ends_json(batch, link, json);
		bb_buf_byte(json, '}');
		cuts[n++] = (struct cut){link->anchor->hash, link->other->hash, link->join};
	}
}

void bb_explain_parting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json)
{
	bool is_apart;
	size_t n;

	bb_buf_printf(json, "{\"without\":[");
	n = part(explainer, kv, a, b, json, &is_apart);
	bb_buf_printf(json, "],\"parts\":%s,\"alone\":%s", is_apart ? "true" : "false",
		      is_apart && n == 1 ? "true" : "false");
	if (explainer->batch.err != BB_OK)
		return;
	struct bb_batch *batch = bb_explain_begin(explainer, kv);
	struct bb_ident *x = again(batch, a), *y = again(batch, b);

	set_pair(batch, x, y, BB_PAIR_SPLIT, true);
	if (batch->err == BB_OK)
		bb_identity_settle(batch);
	bb_buf_printf(json, ",\"split\":{\"parts\":%s}}",
		      is_together(batch, x, y) ? "false" : "true");
}

/* The members of two profiles. */
static struct bb_group members_of(struct bb_batch *batch, struct bb_profile *p,
				  struct bb_profile *q)
{
	struct bb_group all = {NULL, 0, 0};
	struct bb_profile *profiles[2] = {p, q};

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < profiles[k]->member_n; i++)
			BB_ARENA_PUSH(&batch->arena, all.items, all.n, all.room) =
				bb_batch_member_ident(batch, &profiles[k]->members[i]);
	return all;
}

/* Why a join was not enough: an end is shared, or the definition refuses even a join. */
static void put_obstacle(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b,
			 struct bb_buf *json)
{
	bool swap = a->ns > b->ns || (a->ns == b->ns && bb_text_compare(a->value, b->value) > 0);
	struct bb_ident *shared[2];
	size_t n = 0;

	if (a->shared)
		shared[n++] = a;
	if (b->shared)
		shared[n++] = b;
	if (n) {
		bb_buf_printf(json, ",\"shared\":");
		bb_explain_idents_json(batch, shared, n, n, json);
		return;
	}
	bb_buf_printf(json, ",\"witness\":");
	bb_explain_witness(batch, bb_links_get(batch, swap ? b : a, swap ? a : b, true), json);
}

void bb_explain_uniting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json)
{
	struct bb_batch *batch = bb_explain_begin(explainer, kv);
	struct bb_ident *x = again(batch, a), *y = again(batch, b);
	struct bb_group all;
	size_t left_n = 0;

	if (!x || !y)
		return;
	all = members_of(batch, bb_batch_profile_of(batch, x), bb_batch_profile_of(batch, y));
	set_pair(batch, x, y, BB_PAIR_JOIN, true);
	if (batch->err == BB_OK)
		bb_identity_settle(batch);
	bool unites = is_together(batch, x, y);

	bb_buf_printf(json, "{\"join\":{\"unites\":%s", unites ? "true" : "false");
	if (!unites && batch->err == BB_OK)
		put_obstacle(batch, x, y, json);
	if (unites) {
		for (size_t i = 0; i < all.n; i++)
			if (!is_together(batch, x, all.items[i]))
				all.items[left_n++] = all.items[i];
		bb_buf_printf(json, ",\"leaves\":");
		bb_explain_idents_json(batch, all.items, left_n, BB_EXPLAIN_LIST_MAX, json);
	}
	bb_buf_printf(json, "}}");
}
