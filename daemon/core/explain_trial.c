/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would be: a fresh batch over the snapshot, the steps as the engine takes events, rulings and
 * changed rules, and nothing written.
 *
 * A ruling or a link that goes is for the engine's own rules (identity.md §10): they follow the
 * change wherever it leads. A raised limit changes every profile of the store at once, and any of
 * them may reach the two that are asked for. So all that a chain of refused links leads to from the
 * two, or of identifiers that are shared no longer, is swept from the first link on (§6): a set
 * that no link leaves has the partition that it has in the whole.
 *
 * What is too large is not tried. By how much a trial reads, it is known before: the records of the
 * identifiers of the profiles concerned, which is a function of the state.
 */
#include "explain.h"
#include "ruling.h"

/* The profiles that a trial concerns; their members have the group mark. */
struct concern {
	struct bb_profile **items;
	size_t n, room;
	uint64_t records; /* of their members, each counted for each of them */
	uint64_t most;
	uint32_t mark;
};

/* --- limits ----------------------------------------------------------------------------------- */

static const struct {
	const char *text;
	size_t offset; /* in its namespace; 0: it has none */
} limits[BB_EXPLAIN_LIMIT_N] = {
	[BB_EXPLAIN_PER_PROFILE] = {"per_profile", offsetof(struct bb_namespace, per_profile)},
	[BB_EXPLAIN_OWNERS] = {"owners", offsetof(struct bb_namespace, owners)},
	[BB_EXPLAIN_LINKS] = {"links", offsetof(struct bb_namespace, links)},
	[BB_EXPLAIN_DEVICES] = {"devices", offsetof(struct bb_namespace, devices)},
	[BB_EXPLAIN_RECORDS] = {"records", offsetof(struct bb_namespace, records)},
	[BB_EXPLAIN_MAX_IDENTIFIERS] = {"max_identifiers", 0},
	[BB_EXPLAIN_SPLITS] = {"split", 0},
};

const char *bb_explain_limit_text(enum bb_explain_limit limit)
{
	return limits[limit].text;
}

uint32_t bb_explain_limit_of(const struct bb_rules *rules, enum bb_explain_limit limit, uint16_t ns)
{
	uint32_t number = rules->max_identifiers;

	if (limits[limit].offset)
		memcpy(&number, (const char *)&rules->namespaces[ns] + limits[limit].offset,
		       sizeof(number));
	return number;
}

/* The rules of the batch, some limits raised; NULL: none is. */
static const struct bb_rules *raised(const struct bb_explain_trial *trial)
{
	const struct bb_rules *rules = trial->explainer->rules;
	size_t bytes = rules->namespace_n * sizeof(*rules->namespaces);
	struct bb_rules *changed = NULL;

	for (size_t i = 0; i < trial->n; i++) {
		const struct bb_explain_step *step = &trial->steps[i];

		if (step->kind != BB_EXPLAIN_RAISE)
			continue;
		if (!changed) {
			changed = bb_arena_alloc(&trial->batch->arena, sizeof(*changed));
			*changed = *rules;
			changed->namespaces = bb_arena_alloc(&trial->batch->arena, bytes);
			memcpy(changed->namespaces, rules->namespaces, bytes);
		}
		if (limits[step->limit].offset)
			memcpy((char *)&changed->namespaces[step->ns] + limits[step->limit].offset,
			       &step->to, sizeof(step->to));
		else
			changed->max_identifiers = step->to;
	}
	return changed;
}

/* --- what is concerned ------------------------------------------------------------------------ */

static bool is_bounded(const struct bb_batch *batch, const struct concern *concern)
{
	return batch->err == BB_OK && concern->records <= concern->most;
}

/* A blocked one has no profile. */
static void concern_profile(struct bb_batch *batch, struct concern *concern,
			    struct bb_profile *profile)
{
	if (!profile || !profile->member_n || !is_bounded(batch, concern) ||
	    bb_batch_member_ident(batch, &profile->members[0])->group_mark == concern->mark)
		return;
	BB_ARENA_PUSH(&batch->arena, concern->items, concern->n, concern->room) = profile;
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *ident = bb_batch_member_ident(batch, &profile->members[i]);

		ident->group_mark = concern->mark;
		concern->records += ident->record_n;
	}
}

/* Whoever it came with, and whom it is joined to. */
static void concern_company(struct bb_batch *batch, struct concern *concern, struct bb_ident *ident)
{
	struct bb_record *record;
	struct bb_ident *other;

	for (size_t i = 0;
	     is_bounded(batch, concern) && (record = bb_batch_nth_record(batch, ident, i)); i++)
		for (size_t k = 0; k < record->ident_n; k++) {
			other = bb_batch_record_ident(batch, record, k);
			concern_profile(batch, concern, bb_batch_profile_of(batch, other));
		}
	for (size_t i = 0; i < ident->join_n; i++) {
		other = bb_batch_joined_ident(batch, &ident->joins[i]);
		if (other)
			concern_profile(batch, concern, bb_batch_profile_of(batch, other));
	}
}

static void concern_ends(struct bb_explain_trial *trial, struct concern *concern)
{
	struct bb_ident *ends[2] = {trial->a, trial->b};

	for (int i = 0; i < 2; i++) {
		concern_profile(trial->batch, concern, bb_batch_profile_of(trial->batch, ends[i]));
		if (!ends[i]->blocked && !ends[i]->shared)
			continue;
		concern->records += ends[i]->blocked ? ends[i]->record_n : 0;
		concern_company(trial->batch, concern, ends[i]);
	}
}

/* One that is shared no longer by the rules of now is to be settled, and all that it came with, or
 * is joined to, may change. */
static void concern_freed(struct bb_batch *batch, struct concern *concern, struct bb_ident *ident,
			  uint32_t mark)
{
	if (!ident->shared || ident->mark == mark || !is_bounded(batch, concern))
		return;
	ident->mark = mark;
	if (bb_sharing_evaluate(batch, ident))
		return;
	bb_sharing_recount(batch, ident);
	concern_profile(batch, concern, bb_batch_profile_of(batch, ident));
	concern_company(batch, concern, ident);
}

/* The shared ones that it came with, or is joined to; itself. */
static void concern_shared(struct bb_batch *batch, struct concern *concern, struct bb_ident *ident,
			   uint32_t mark)
{
	struct bb_record *record;
	struct bb_ident *other;

	concern_freed(batch, concern, ident, mark);
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		for (size_t k = 0; record->shared && k < record->ident_n; k++)
			if (record->shared & BB_MASK(k))
				concern_freed(batch, concern,
					      bb_batch_record_ident(batch, record, k), mark);
	for (size_t i = 0; i < ident->join_n; i++) {
		other = bb_batch_joined_ident(batch, &ident->joins[i]);
		if (other)
			concern_freed(batch, concern, other, mark);
	}
}

static void concern_refused(struct bb_batch *batch, struct concern *concern, struct bb_ident *ident)
{
	const struct bb_adjacency *links = bb_links_of(batch, ident);

	for (size_t k = 0; k < links->n && is_bounded(batch, concern); k++)
		if (links->items[k]->now.tier < bb_rank_worst.tier)
			concern_profile(batch, concern,
					bb_batch_profile_of(
						batch, bb_explain_other(links->items[k], ident)));
}

/* From what is concerned to all that it may reach. */
static void widen(struct bb_batch *batch, struct concern *concern)
{
	uint32_t mark = ++batch->mark;

	for (size_t p = 0; p < concern->n; p++)
		for (size_t i = 0; i < concern->items[p]->member_n && is_bounded(batch, concern);
		     i++) {
			struct bb_ident *ident = concern->items[p]->members[i].ident;

			concern_refused(batch, concern, ident);
			concern_shared(batch, concern, ident, mark);
		}
}

/* --- steps ------------------------------------------------------------------------------------ */

/* One that was there in the batch before: NULL only if this one has failed. */
static struct bb_ident *again(struct bb_batch *batch, const struct bb_hash *hash)
{
	struct bb_ident *ident = bb_batch_ident(batch, hash);

	if (!ident)
		bb_batch_fail(batch, BB_ECORRUPT);
	return ident;
}

/* As a ruling that came: the pair's entry at both ends, of which the labels take notice. */
static void set_pair(struct bb_batch *batch, struct bb_ident *ends[2], enum bb_pair_ruling ruling,
		     bool keep_facts)
{
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
	bb_labels_pair(batch, ends[0], ends[1]);
}

static bool is_released(const struct bb_explain_trial *trial, const struct bb_hash *ruling)
{
	for (size_t i = 0; i < trial->n; i++)
		if (trial->steps[i].kind == BB_EXPLAIN_RELEASE &&
		    bb_hash_equal(&trial->steps[i].released, ruling))
			return true;
	return false;
}

static bool is_later(const struct bb_ruling *a, const struct bb_ruling *b)
{
	return a->time_ms != b->time_ms ? a->time_ms > b->time_ms
					: bb_text_compare(a->id, b->id) > 0;
}

/* The ruling that holds on a pair when those of the steps are released: an older one may come back.
 * False: none. */
static bool left_on(const struct bb_explain_trial *trial, const struct bb_hash on[2],
		    struct bb_hash *ret_id, enum bb_ruling_kind *ret_kind)
{
	const struct bb_profile_key *key = &trial->batch->rules->profile_key;
	struct bb_hash cursor = {{0}}, pair = bb_ruling_hash_pair(&on[0], &on[1]), ends[2];
	struct bb_ruling_row row, best = {.ruling = {.id = {NULL, 0}}};
	int rc;

	while ((rc = bb_ruling_of_ident(trial->kv, &on[0], &cursor)) == BB_OK) {
		rc = bb_ruling_by_hash(trial->kv, &cursor, &trial->batch->arena, &row.ruling);
		if (rc == BB_OK)
			rc = bb_ruling_get(trial->kv, key, row.ruling.id, &trial->batch->arena,
					   &row);
		if (rc != BB_OK)
			break;
		if (row.released || is_released(trial, &cursor) ||
		    bb_ruling_hash_ends(key, &row.ruling, ends) < 2)
			continue;
		ends[0] = bb_ruling_hash_pair(&ends[0], &ends[1]);
		if (!bb_hash_equal(&ends[0], &pair) ||
		    (best.ruling.id.p && is_later(&best.ruling, &row.ruling)))
			continue;
		best = row;
		*ret_id = cursor;
	}
	if (rc != BB_ENOTFOUND)
		bb_batch_fail(trial->batch, rc);
	*ret_kind = best.ruling.kind;
	return rc == BB_ENOTFOUND && best.ruling.id.p;
}

bool bb_explain_holding(const struct bb_explain_trial *trial, const struct bb_hash on[2],
			struct bb_hash *ret_id)
{
	enum bb_ruling_kind kind;

	return left_on(trial, on, ret_id, &kind);
}

static enum bb_pair_ruling released_to(const struct bb_explain_trial *trial,
				       const struct bb_hash on[2])
{
	enum bb_ruling_kind kind;
	struct bb_hash id;

	if (!left_on(trial, on, &id, &kind))
		return BB_PAIR_NONE;
	return kind == BB_RULING_JOIN ? BB_PAIR_JOIN : BB_PAIR_SPLIT;
}

static void take_step(struct bb_explain_trial *trial, const struct bb_explain_step *step)
{
	struct bb_batch *batch = trial->batch;
	struct bb_ident *ends[2] = {NULL, NULL};

	for (unsigned i = 0; i < (step->kind == BB_EXPLAIN_ALLOW ? 1 : 2); i++)
		if (!(ends[i] = again(batch, &step->on[i])))
			return;
	switch (step->kind) {
	case BB_EXPLAIN_ALLOW:
		bb_steward_allow(batch, ends[0]);
		break;
	case BB_EXPLAIN_CUT_JOIN:
		set_pair(batch, ends, BB_PAIR_NONE, false);
		break;
	case BB_EXPLAIN_JOIN:
		set_pair(batch, ends, BB_PAIR_JOIN, true);
		break;
	case BB_EXPLAIN_SPLIT:
		set_pair(batch, ends, BB_PAIR_SPLIT, true);
		break;
	case BB_EXPLAIN_RELEASE:
		set_pair(batch, ends, released_to(trial, step->on), true);
		break;
	default:
		break;
	}
}

/* When all else is settled. */
static void cut(struct bb_batch *batch, const struct bb_explain_step *step)
{
	struct bb_ident *anchor = again(batch, &step->on[0]), *other = again(batch, &step->on[1]);

	if (!anchor || !other)
		return;
	struct bb_link *link = bb_links_get(batch, anchor, other, false);

	link->next = bb_rank_worst;
	if (link->now.tier != bb_rank_worst.tier)
		bb_partition_change(batch, &link, 1);
}

static void take_steps(struct bb_explain_trial *trial)
{
	struct bb_batch *batch = trial->batch;

	for (size_t i = 0; i < trial->n && batch->err == BB_OK; i++)
		if (trial->steps[i].kind != BB_EXPLAIN_CUT &&
		    trial->steps[i].kind != BB_EXPLAIN_RAISE)
			take_step(trial, &trial->steps[i]);
	if (batch->err == BB_OK)
		bb_identity_settle(batch);
	for (size_t i = 0; i < trial->n && batch->err == BB_OK; i++)
		if (trial->steps[i].kind == BB_EXPLAIN_CUT)
			cut(batch, &trial->steps[i]);
}

void bb_explain_try(struct bb_explain_trial *trial)
{
	struct bb_batch *batch = bb_explain_begin(trial->explainer, trial->kv);
	const struct bb_rules *rules;
	struct concern concern = {.mark = ++batch->replay_mark};

	trial->tries = trial->n ? trial->tries + 1 : 0;
	concern.most = trial->n ? BB_EXPLAIN_WORK_MAX / trial->tries : 0;
	trial->batch = batch;
	trial->is_too_large = false;
	trial->a = again(batch, &trial->ends[0]);
	trial->b = again(batch, &trial->ends[1]);
	if (batch->err != BB_OK || !trial->n)
		return;
	concern_ends(trial, &concern);
	rules = raised(trial);
	if (rules && batch->err == BB_OK) {
		batch->rules = rules;
		widen(batch, &concern);
	}
	trial->is_too_large = concern.records > concern.most;
	if (batch->err != BB_OK || trial->is_too_large)
		return;
	if (rules)
		bb_partition_sweep(batch, concern.items, concern.n);
	take_steps(trial);
}

bool bb_explain_are_together(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	const struct bb_profile *profile =
		batch->err == BB_OK ? bb_batch_profile_of(batch, a) : NULL;

	return profile && bb_batch_profile_of(batch, b) == profile;
}
