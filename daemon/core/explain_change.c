/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would change it. Nothing is guessed: each step is tried (explain_trial.c), and what stands
 * in the way then is asked of the state that it made. So steps are added one after the other until
 * the two are apart, or together, or no step is known that helps, and each list of steps is the
 * first of its kind that does what it says.
 *
 * To part two: the weakest link of the way between them goes, then that of the next way, and so on;
 * or a split. To unite two: a join of them; if that is not enough, other rulings with it: shared or
 * blocked ends allowed, splits that it breaks released; or, without a ruling, the limits raised
 * that shared ends and the best refused link are beyond.
 */
#include "explain.h"
#include "ruling.h"

static struct bb_explain_trial trial_of(struct bb_explainer *explainer, struct bb_kv *kv,
					const struct bb_hash *a, const struct bb_hash *b)
{
	return (struct bb_explain_trial){.explainer = explainer, .kv = kv, .ends = {*a, *b}};
}

static void add_step(struct bb_explain_trial *trial, enum bb_explain_kind kind,
		     const struct bb_hash *a, const struct bb_hash *b)
{
	trial->steps[trial->n++] = (struct bb_explain_step){.kind = kind, .on = {*a, b ? *b : *a}};
}

static bool is_settled(const struct bb_explain_trial *trial)
{
	return trial->batch->err == BB_OK && !trial->is_too_large;
}

static bool is_together(const struct bb_explain_trial *trial)
{
	return is_settled(trial) && bb_explain_are_together(trial->batch, trial->a, trial->b);
}

static const char *yes_or_no(const struct bb_explain_trial *trial, bool is_so)
{
	return trial->is_too_large ? "null" : is_so ? "true" : "false";
}

/* --- parting ---------------------------------------------------------------------------------- */

/* The weakest link of the way between two that are together. */
static const struct bb_link *weakest(const struct bb_explain_trial *trial)
{
	const struct bb_link *worst = NULL;
	struct bb_explain_links chain;

	bb_explain_chain(trial->batch, trial->a, trial->b, &chain);
	for (size_t i = 0; i < chain.n; i++)
		if (!worst || bb_rank_compare(&worst->now, &chain.items[i]->now) < 0)
			worst = chain.items[i];
	return worst;
}

static void put_without(struct bb_explain_trial *trial, struct bb_buf *json)
{
	const struct bb_link *link;

	bb_buf_printf(json, "{\"without\":[");
	bb_explain_try(trial);
	while (is_together(trial) && trial->n < BB_EXPLAIN_REMOVED_MAX &&
	       (link = weakest(trial)) != NULL) {
		bb_buf_printf(json, "%s{", trial->n ? "," : "");
		bb_explain_ends_json(trial->batch, link, json);
		bb_buf_byte(json, '}');
		add_step(trial, link->join ? BB_EXPLAIN_CUT_JOIN : BB_EXPLAIN_CUT,
			 &link->anchor->hash, &link->other->hash);
		bb_explain_try(trial);
	}
	bool parts = is_settled(trial) && !is_together(trial);

	bb_buf_printf(json, "],\"parts\":%s,\"alone\":%s", yes_or_no(trial, parts),
		      yes_or_no(trial, parts && trial->n == 1));
}

void bb_explain_parting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json)
{
	struct bb_explain_trial trial = trial_of(explainer, kv, a, b);

	put_without(&trial, json);
	trial.n = trial.tries = 0;
	add_step(&trial, BB_EXPLAIN_SPLIT, a, b);
	if (explainer->batch.err == BB_OK)
		bb_explain_try(&trial);
	bb_buf_printf(json, ",\"split\":{\"parts\":%s}}", yes_or_no(&trial, !is_together(&trial)));
}

/* --- uniting: what comes of a try ------------------------------------------------------------- */

/* Hashes of the members of both profiles as they are: they outlive a batch. */
static void keep_members(struct bb_explain_trial *trial, struct bb_buf *members)
{
	struct bb_ident *ends[2] = {trial->a, trial->b};

	for (int k = 0; k < 2 && is_settled(trial); k++) {
		struct bb_profile *profile = bb_batch_profile_of(trial->batch, ends[k]);

		for (size_t i = 0; profile && i < profile->member_n; i++)
			bb_buf_add(
				members,
				bb_batch_member_ident(trial->batch, &profile->members[i])->hash.b,
				BB_HASH_BYTES);
	}
}

/* Who would no longer be with the two. */
static void put_leaves(struct bb_explain_trial *trial, const struct bb_buf *members,
		       struct bb_buf *json)
{
	size_t n = members->n / BB_HASH_BYTES, left_n = 0;
	struct bb_ident **left =
		bb_arena_alloc(&trial->batch->arena, (n + 1) * sizeof(struct bb_ident *));
	struct bb_hash hash;

	for (size_t i = 0; i < n; i++) {
		memcpy(hash.b, members->p + i * BB_HASH_BYTES, BB_HASH_BYTES);
		struct bb_ident *ident = bb_batch_ident(trial->batch, &hash);

		if (ident && !bb_explain_are_together(trial->batch, trial->a, ident))
			left[left_n++] = ident;
	}
	bb_buf_printf(json, ",\"leaves\":");
	bb_explain_idents_json(trial->batch, left, left_n, BB_EXPLAIN_LIST_MAX, json);
	bb_buf_printf(json, ",\"leaves_n\":%zu", left_n);
}

/* The link of a join of the two. */
static const struct bb_link *join_of(const struct bb_explain_trial *trial)
{
	struct bb_ident *a = trial->a, *b = trial->b;
	bool swap = a->ns > b->ns || (a->ns == b->ns && bb_text_compare(a->value, b->value) > 0);

	return bb_links_get(trial->batch, swap ? b : a, swap ? a : b, true);
}

/* The ends that link nobody; returns how many. */
static size_t ends_aside(const struct bb_explain_trial *trial, struct bb_ident *ret_aside[2])
{
	size_t n = 0;

	if (trial->a->blocked || trial->a->shared)
		ret_aside[n++] = trial->a;
	if (trial->b->blocked || trial->b->shared)
		ret_aside[n++] = trial->b;
	return n;
}

/* --- uniting: a join -------------------------------------------------------------------------- */

/* Why a join is not enough: ends that are set aside, or what even a join would break. */
static void put_obstacle(struct bb_explain_trial *trial, struct bb_buf *json)
{
	static const char *const names[] = {"shared", "blocked"};
	struct bb_ident *aside[2];
	size_t n = ends_aside(trial, aside), found;

	for (int is_blocked = 1; is_blocked >= 0 && n; is_blocked--) {
		struct bb_ident *some[2];

		found = 0;
		for (size_t i = 0; i < n; i++)
			if (aside[i]->blocked == (is_blocked == 1))
				some[found++] = aside[i];
		if (!found)
			continue;
		bb_buf_printf(json, ",\"%s\":", names[is_blocked]);
		bb_explain_idents_json(trial->batch, some, found, found, json);
	}
	if (n)
		return;
	bb_buf_printf(json, ",\"witness\":");
	bb_explain_witness(trial->batch, join_of(trial), json);
}

/* Whether it unites them, or may. */
static bool put_join(struct bb_explain_trial *trial, const struct bb_buf *members,
		     struct bb_buf *json)
{
	add_step(trial, BB_EXPLAIN_JOIN, &trial->ends[0], &trial->ends[1]);
	bb_explain_try(trial);
	bool unites = is_together(trial);

	bb_buf_printf(json, "\"join\":{\"unites\":%s", yes_or_no(trial, unites));
	if (unites)
		put_leaves(trial, members, json);
	else if (is_settled(trial))
		put_obstacle(trial, json);
	bb_buf_byte(json, '}');
	return unites || trial->is_too_large;
}

/* --- uniting: rulings ------------------------------------------------------------------------- */

/* The first split that the join would break; the ruling that says it goes. */
static bool add_release(struct bb_explain_trial *trial)
{
	struct bb_batch *batch = trial->batch;
	struct bb_explain_breaches list;

	bb_explain_breaches(batch, join_of(trial), &list);
	for (size_t i = 0; i < list.n && batch->err == BB_OK; i++) {
		if (list.items[i].limit != BB_EXPLAIN_SPLITS)
			continue;
		struct bb_explain_step step = {
			.kind = BB_EXPLAIN_RELEASE,
			.on = {list.items[i].ends[0]->hash, list.items[i].ends[1]->hash}};

		if (!bb_explain_holding(trial, step.on, &step.released))
			return false;
		trial->steps[trial->n++] = step;
		return true;
	}
	return false;
}

/* Ends that are set aside are allowed, then joined; then splits are released. */
static bool add_ruling(struct bb_explain_trial *trial)
{
	struct bb_ident *aside[2];
	size_t n = ends_aside(trial, aside);

	if (n) {
		add_step(trial, BB_EXPLAIN_ALLOW, &aside[0]->hash, NULL);
		return true;
	}
	for (size_t i = 0; i < trial->n; i++)
		if (trial->steps[i].kind == BB_EXPLAIN_JOIN)
			return add_release(trial);
	add_step(trial, BB_EXPLAIN_JOIN, &trial->ends[0], &trial->ends[1]);
	return true;
}

/* --- uniting: limits -------------------------------------------------------------------------- */

/* One that was raised before is raised further. */
static bool add_raise(struct bb_explain_trial *trial, enum bb_explain_limit limit, uint16_t ns,
		      uint64_t to)
{
	struct bb_explain_step step = {
		.kind = BB_EXPLAIN_RAISE, .limit = limit, .ns = ns, .to = (uint32_t)to};

	for (size_t i = 0; i < trial->n; i++)
		if (trial->steps[i].limit == limit && trial->steps[i].ns == ns) {
			trial->steps[i] = step;
			return true;
		}
	if (trial->n == BB_EXPLAIN_STEPS_MAX)
		return false;
	trial->steps[trial->n++] = step;
	return true;
}

static bool raise_for_shared(struct bb_explain_trial *trial, struct bb_ident *ident)
{
	uint64_t excess[BB_EXPLAIN_LIMIT_N];

	if (!bb_explain_excess(trial->batch, ident, excess)) {
		trial->is_too_large = true;
		return false;
	}
	for (int limit = 0; limit < BB_EXPLAIN_LIMIT_N; limit++)
		if (excess[limit] && !add_raise(trial, limit, ident->ns, excess[limit]))
			return false;
	return true;
}

/* What stands between two that are not set aside: links, best first, that were refused. */
static void refused_between(struct bb_explain_trial *trial, struct bb_explain_links *ret_links)
{
	bb_explain_refused(trial->batch, bb_batch_profile_of(trial->batch, trial->a),
			   bb_batch_profile_of(trial->batch, trial->b), ret_links);
}

static bool has_split(const struct bb_explain_breaches *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].limit == BB_EXPLAIN_SPLITS)
			return true;
	return false;
}

/* The limits that a shared end is beyond; else those that the best refused link would break that no
 * split refuses. */
static bool add_limits(struct bb_explain_trial *trial)
{
	struct bb_explain_breaches list;
	struct bb_explain_links refused;
	struct bb_ident *aside[2];

	if (ends_aside(trial, aside))
		return raise_for_shared(trial, aside[0]);
	refused_between(trial, &refused);
	for (size_t i = 0; i < refused.n && i < BB_EXPLAIN_LIST_MAX && is_settled(trial); i++) {
		bb_explain_breaches(trial->batch, refused.items[i], &list);
		if (has_split(&list))
			continue;
		for (size_t k = 0; k < list.n; k++)
			if (!add_raise(trial, list.items[k].limit, list.items[k].ns,
				       list.items[k].needed))
				return false;
		return list.n > 0;
	}
	return false;
}

/* --- uniting: steps --------------------------------------------------------------------------- */

static void put_raise(const struct bb_explain_trial *trial, const struct bb_explain_step *step,
		      struct bb_buf *json)
{
	const struct bb_rules *rules = trial->explainer->rules;

	bb_buf_printf(json, "{\"limit\":\"%s\"", bb_explain_limit_text(step->limit));
	if (step->limit != BB_EXPLAIN_MAX_IDENTIFIERS)
		bb_buf_printf(json, ",\"ns\":\"%s\"", rules->namespaces[step->ns].name);
	bb_buf_printf(json, ",\"from\":%u,\"to\":%u}",
		      bb_explain_limit_of(rules, step->limit, step->ns), step->to);
}

static void put_release(const struct bb_explain_trial *trial, const struct bb_explain_step *step,
			struct bb_buf *json)
{
	struct bb_ruling ruling;
	int rc = bb_ruling_by_hash(trial->kv, &step->released, &trial->batch->arena, &ruling);

	if (rc != BB_OK) {
		bb_batch_fail(trial->batch, rc == BB_ENOTFOUND ? BB_ECORRUPT : rc);
		return;
	}
	bb_buf_printf(json, ",\"releases\":");
	bb_buf_json(json, ruling.id);
}

static void put_step(const struct bb_explain_trial *trial, const struct bb_explain_step *step,
		     struct bb_buf *json)
{
	static const char *const words[] = {[BB_EXPLAIN_ALLOW] = "allow",
					    [BB_EXPLAIN_JOIN] = "join",
					    [BB_EXPLAIN_RELEASE] = "release"};
	const struct bb_ident *a, *b;

	if (step->kind == BB_EXPLAIN_RAISE) {
		put_raise(trial, step, json);
		return;
	}
	a = bb_batch_ident(trial->batch, &step->on[0]);
	b = bb_batch_ident(trial->batch, &step->on[1]);
	if (!a || !b)
		return; /* the batch has failed */
	bb_buf_printf(json, "{\"ruling\":\"%s\"", words[step->kind]);
	if (step->kind == BB_EXPLAIN_ALLOW) {
		bb_buf_printf(json, ",\"key\":");
		bb_buf_json(json, bb_explain_name(trial->batch, a));
	} else {
		bb_buf_printf(json, ",\"pair\":");
		bb_explain_pair_json(trial->batch, a, b, json);
	}
	if (step->kind == BB_EXPLAIN_RELEASE)
		put_release(trial, step, json);
	bb_buf_byte(json, '}');
}

/* What stands in the way of two that all steps leave apart. */
static void put_next(struct bb_explain_trial *trial, struct bb_buf *json)
{
	struct bb_explain_links refused = {NULL, 0, 0};
	struct bb_ident *aside[2];

	if (!ends_aside(trial, aside))
		refused_between(trial, &refused);
	if (!refused.n) {
		bb_buf_printf(json, ",\"next\":null");
		return;
	}
	bb_buf_printf(json, ",\"next\":{");
	bb_explain_ends_json(trial->batch, refused.items[0], json);
	bb_buf_printf(json, ",\"witness\":");
	bb_explain_witness(trial->batch, refused.items[0], json);
	bb_buf_byte(json, '}');
}

/* One step after the other until the two are together, or `add` knows no more. */
static void put_way(struct bb_explain_trial *trial, const char *name,
		    bool (*add)(struct bb_explain_trial *trial), const struct bb_buf *members,
		    struct bb_buf *json)
{
	int tries = 0;

	trial->n = 0;
	bb_explain_try(trial);
	while (is_settled(trial) && !is_together(trial) && tries++ < BB_EXPLAIN_STEPS_MAX &&
	       add(trial))
		bb_explain_try(trial);
	if (trial->batch->err != BB_OK)
		return;
	if (!trial->n && !trial->is_too_large) {
		bb_buf_printf(json, ",\"%s\":null", name);
		return;
	}
	bb_buf_printf(json, ",\"%s\":{\"steps\":[", name);
	for (size_t i = 0; i < trial->n; i++) {
		if (i)
			bb_buf_byte(json, ',');
		put_step(trial, &trial->steps[i], json);
	}
	bb_buf_printf(json, "],\"unites\":%s", yes_or_no(trial, is_together(trial)));
	if (is_together(trial))
		put_leaves(trial, members, json);
	else if (is_settled(trial))
		put_next(trial, json);
	bb_buf_byte(json, '}');
}

void bb_explain_uniting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json)
{
	struct bb_explain_trial trial = trial_of(explainer, kv, a, b);
	struct bb_buf members = BB_BUF_EMPTY;
	bool is_blocked, joins;

	bb_explain_try(&trial);
	if (trial.batch->err != BB_OK)
		return;
	is_blocked = trial.a->blocked || trial.b->blocked;
	keep_members(&trial, &members);
	bb_buf_byte(json, '{');
	joins = put_join(&trial, &members, json);
	if (joins)
		bb_buf_printf(json, ",\"rulings\":null");
	else if (trial.batch->err == BB_OK)
		put_way(&trial, "rulings", add_ruling, &members, json);
	if (is_blocked)
		bb_buf_printf(json, ",\"limits\":null");
	else if (trial.batch->err == BB_OK)
		put_way(&trial, "limits", add_limits, &members, json);
	bb_buf_byte(json, '}');
	bb_buf_fini(&members);
}

/* --- one that is set aside -------------------------------------------------------------------- */

void bb_explain_allowing(struct bb_explainer *explainer, struct bb_kv *kv,
			 const struct bb_hash *ident, struct bb_buf *json)
{
	struct bb_explain_trial trial = trial_of(explainer, kv, ident, ident);
	struct bb_profile *profile;
	struct bb_ident **others;
	size_t n = 0;

	add_step(&trial, BB_EXPLAIN_ALLOW, ident, NULL);
	bb_explain_try(&trial);
	if (!is_settled(&trial)) {
		bb_buf_printf(json, "{\"allow\":null}");
		return;
	}
	profile = bb_batch_profile_of(trial.batch, trial.a);
	others = bb_arena_alloc(&trial.batch->arena, profile->member_n * sizeof(struct bb_ident *));
	for (size_t i = 0; i < profile->member_n; i++) {
		others[n] = bb_batch_member_ident(trial.batch, &profile->members[i]);
		n += others[n] != trial.a;
	}
	bb_buf_printf(json, "{\"allow\":{\"with\":");
	bb_explain_idents_json(trial.batch, others, n, BB_EXPLAIN_LIST_MAX, json);
	bb_buf_printf(json, ",\"with_n\":%zu}}", n);
}
