/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explaining: a batch is begun over the snapshot as for writing, the engine's own readers load what
 * the question touches, and the answer is written from that. Where the question is what would be,
 * explain_change.c lets the engine do it in memory. Nothing is ever flushed.
 *
 * The first error of the store is the batch's; the answer so far is then taken back.
 */
#include <backbone/assert.h>
#include <backbone/gate.h>
#include <stdlib.h>

#include "explain.h"

struct bb_explainer *bb_explainer_new(const struct bb_rules *rules)
{
	struct bb_explainer *explainer = calloc(1, sizeof(*explainer));

	bb_assert(explainer != NULL);
	explainer->rules = rules;
	bb_batch_init(&explainer->batch, rules);
	return explainer;
}

void bb_explainer_free(struct bb_explainer *explainer)
{
	if (!explainer)
		return;
	bb_batch_fini(&explainer->batch);
	free(explainer);
}

/* The way back from the stored numbers of namespaces. None is interned: the names stay those of the
 * store. */
static void map_namespaces(struct bb_batch *batch)
{
	batch->ns_n = bb_names_count(batch->names, BB_NAME_NAMESPACE);
	free(batch->ns_of_id);
	batch->ns_of_id = calloc(batch->ns_n + 1, sizeof(*batch->ns_of_id));
	bb_assert(batch->ns_of_id != NULL);
	for (size_t id = 0; id < batch->ns_n; id++)
		batch->ns_of_id[id] = bb_rules_namespace(
			batch->rules, bb_names_text(batch->names, BB_NAME_NAMESPACE, id));
}

/* A store without rules is a new one: there is nothing in it to be explained by others. */
static void check_rules(struct bb_batch *batch)
{
	struct bb_text stored;
	int rc = bb_kv_get(batch->kv, BB_TABLE_META, BB_TEXT("identity_rules"), &stored);

	if (rc == BB_OK)
		bb_flush_check_rules(batch);
	else if (rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
}

struct bb_batch *bb_explain_begin(struct bb_explainer *explainer, struct bb_kv *kv)
{
	struct bb_batch *batch = &explainer->batch;

	bb_batch_clear(batch);
	*batch = (struct bb_batch){
		.rules = explainer->rules,
		.kv = kv,
		.names = batch->names,
		.memo = batch->memo,
		.arena = batch->arena,
		.ns_of_id = batch->ns_of_id,
		.idents = batch->idents,
		.profiles = batch->profiles,
		.records = batch->records,
		.ledgers = batch->ledgers,
		.windows = batch->windows,
		.links = batch->links,
		.tombs = batch->tombs,
		.hubs = batch->hubs, /* none: all links are read */
		.buf = batch->buf,
	};
	batch->fold = (struct bb_fold){batch->rules, batch->names, &batch->arena};
	int rc = bb_names_load(batch->names, kv);

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	map_namespaces(batch);
	check_rules(batch);
	bb_steward_begin(batch);
	return batch;
}

/* --- the ends --------------------------------------------------------------------------------- */

static void set_end(struct bb_batch *batch, struct bb_ident *ident, struct bb_explain_end *ret_end)
{
	*ret_end = (struct bb_explain_end){.key = bb_explain_name(batch, ident),
					   .ident = ident,
					   .ns = ident->ns,
					   .value = ident->value,
					   .blocked = ident->blocked};
}

int bb_explain_find(struct bb_batch *batch, struct bb_text key, struct bb_explain_end *ret_end)
{
	struct bb_identifier id = {.blocked = false};
	struct bb_ident *ident;
	struct bb_hash hash;

	if (!bb_hash_parse_profile_id(key, &hash)) {
		if (!bb_gate_key(batch->rules, key, &batch->arena, &id))
			return BB_EINVAL;
		hash = bb_batch_hash_ident(batch, id.ns_index, id.value);
	}
	ident = bb_batch_ident(batch, &hash);
	if (batch->err != BB_OK)
		return batch->err;
	if (ident)
		set_end(batch, ident, ret_end);
	if (ident)
		return BB_OK;
	if (!id.blocked) /* a ruling on what was never seen waits */
		return BB_ENOTFOUND;
	struct bb_ident junk = {.ns = id.ns_index, .value = id.value, .blocked = true};

	set_end(batch, &junk, ret_end);
	ret_end->ident = NULL;
	return BB_OK;
}

/* The answer, or the store's error and `json` as it was. */
static int end_answer(struct bb_explainer *explainer, struct bb_buf *json, size_t start)
{
	if (explainer->batch.err != BB_OK)
		json->n = start;
	return explainer->batch.err;
}

/* --- why -------------------------------------------------------------------------------------- */

static void put_key(struct bb_buf *json, const char *name, struct bb_text key)
{
	bb_buf_printf(json, "\"%s\":", name);
	bb_buf_json(json, key);
}

static void put_tree(struct bb_batch *batch, struct bb_profile *profile, struct bb_buf *json)
{
	struct bb_explain_links tree;

	bb_explain_tree(batch, profile, &tree);
	bb_buf_printf(json, "\"tree\":[");
	for (size_t i = 0; i < tree.n && batch->err == BB_OK; i++) {
		bb_buf_printf(json, "%s{", i ? "," : "");
		bb_explain_link_json(batch, tree.items[i], json);
		bb_buf_byte(json, '}');
	}
	bb_buf_byte(json, ']');
}

/* The identifier whose hash is the profile's id. */
static void put_named_by(struct bb_batch *batch, struct bb_profile *profile, struct bb_buf *json)
{
	const struct bb_ident *ident = bb_batch_ident(batch, &profile->name);

	if (ident)
		put_key(json, "named_by", bb_explain_name(batch, ident));
	else
		bb_batch_fail(batch, BB_ECORRUPT);
}

static void put_why(struct bb_batch *batch, const struct bb_explain_end *end, struct bb_buf *json)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, end->ident);
	struct bb_explain_links refused;

	bb_buf_printf(json, ",\"profile\":");
	bb_explain_profile_json(profile, json);
	bb_buf_byte(json, ',');
	put_named_by(batch, profile, json);
	bb_buf_printf(json, ",\"identifiers\":%zu,", profile->member_n);
	if (end->ident->shared) {
		bb_buf_printf(json, "\"shared\":");
		bb_explain_shared(batch, end->ident, json);
		bb_buf_byte(json, ',');
	}
	put_tree(batch, profile, json);
	bb_buf_byte(json, ',');
	bb_explain_refused(batch, profile, NULL, &refused);
	bb_explain_refused_json(batch, &refused, json);
	bb_buf_byte(json, ',');
	bb_explain_beside(batch, profile, json);
}

int bb_explain_why(struct bb_explainer *explainer, struct bb_kv *kv, struct bb_text key,
		   struct bb_buf *json)
{
	struct bb_batch *batch = bb_explain_begin(explainer, kv);
	struct bb_explain_end end;
	size_t start = json->n;
	int rc = batch->err != BB_OK ? batch->err : bb_explain_find(batch, key, &end);

	if (rc != BB_OK)
		return rc;
	bb_buf_byte(json, '{');
	put_key(json, "key", end.key);
	if (end.blocked) {
		bb_buf_printf(json, ",\"profile\":null,\"blocked\":");
		bb_explain_blocked(batch, &end, json);
	} else {
		put_why(batch, &end, json);
	}
	if (end.ident && (end.blocked || end.ident->shared) && batch->err == BB_OK) {
		struct bb_hash hash = end.ident->hash;

		bb_buf_printf(json, ",\"change\":");
		bb_explain_allowing(explainer, kv, &hash, json);
	}
	bb_buf_byte(json, '}');
	return end_answer(explainer, json, start);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void put_chain(struct bb_batch *batch, const struct bb_explain_end ends[2],
		      struct bb_buf *json)
{
	struct bb_explain_links chain;
	const struct bb_link *weakest = NULL;

	bb_explain_chain(batch, ends[0].ident, ends[1].ident, &chain);
	bb_buf_printf(json, ",\"profile\":");
	bb_explain_profile_json(bb_batch_profile_of(batch, ends[0].ident), json);
	bb_buf_printf(json, ",\"chain\":[");
	for (size_t i = 0; i < chain.n && batch->err == BB_OK; i++) {
		bb_buf_printf(json, "%s{", i ? "," : "");
		bb_explain_link_json(batch, chain.items[i], json);
		bb_buf_byte(json, '}');
		if (!weakest || bb_rank_compare(&weakest->now, &chain.items[i]->now) < 0)
			weakest = chain.items[i];
	}
	bb_buf_printf(json, "],\"weakest\":");
	if (weakest) {
		bb_buf_byte(json, '{');
		bb_explain_ends_json(batch, weakest, json);
		bb_buf_byte(json, '}');
	} else {
		bb_buf_printf(json, "null");
	}
}

/* An end that links nobody: why, of each such end. */
static void put_set_aside(struct bb_batch *batch, const struct bb_explain_end ends[2],
			  struct bb_buf *json)
{
	bool is_blocked = ends[0].blocked || ends[1].blocked, is_first = true;

	bb_buf_printf(json, ",\"why\":\"%s\",\"%s\":[", is_blocked ? "blocked" : "shared",
		      is_blocked ? "blocked" : "shared");
	for (int i = 0; i < 2; i++) {
		bool is_one = is_blocked ? ends[i].blocked : ends[i].ident->shared;

		if (!is_one || (i && ends[0].ident && ends[0].ident == ends[1].ident))
			continue;
		if (!is_first)
			bb_buf_byte(json, ',');
		is_first = false;
		if (is_blocked)
			bb_explain_blocked(batch, &ends[i], json);
		else
			bb_explain_shared(batch, ends[i].ident, json);
	}
	bb_buf_byte(json, ']');
}

static void put_apart(struct bb_batch *batch, const struct bb_explain_end ends[2],
		      struct bb_buf *json)
{
	struct bb_explain_links refused = {NULL, 0, 0};

	if (ends[0].blocked || ends[1].blocked || ends[0].ident->shared || ends[1].ident->shared) {
		put_set_aside(batch, ends, json);
		return;
	}
	bb_explain_refused(batch, bb_batch_profile_of(batch, ends[0].ident),
			   bb_batch_profile_of(batch, ends[1].ident), &refused);
	bb_buf_printf(json, ",\"why\":\"%s\",", refused.n ? "refused" : "no_evidence");
	bb_explain_refused_json(batch, &refused, json);
}

static void put_profiles(struct bb_batch *batch, const struct bb_explain_end ends[2],
			 struct bb_buf *json)
{
	bb_buf_printf(json, ",\"profiles\":[");
	for (int i = 0; i < 2; i++) {
		if (i)
			bb_buf_byte(json, ',');
		if (ends[i].blocked)
			bb_buf_printf(json, "null");
		else
			bb_explain_profile_json(bb_batch_profile_of(batch, ends[i].ident), json);
	}
	bb_buf_byte(json, ']');
}

/* What would change it. One identifier is always together with itself; of a blocked one that was
 * never seen there is nothing to compute. */
static void put_change(struct bb_explainer *explainer, struct bb_kv *kv,
		       const struct bb_explain_end ends[2], bool is_together, struct bb_buf *json)
{
	bb_buf_printf(json, ",\"change\":");
	if (!ends[0].ident || !ends[1].ident || ends[0].ident == ends[1].ident) {
		bb_buf_printf(json, "null");
		return;
	}
	struct bb_hash a = ends[0].ident->hash, b = ends[1].ident->hash;

	if (is_together)
		bb_explain_parting(explainer, kv, &a, &b, json);
	else
		bb_explain_uniting(explainer, kv, &a, &b, json);
}

int bb_explain_pair(struct bb_explainer *explainer, struct bb_kv *kv, struct bb_text a,
		    struct bb_text b, struct bb_buf *json)
{
	struct bb_batch *batch = bb_explain_begin(explainer, kv);
	struct bb_explain_end ends[2];
	size_t start = json->n;
	bool is_together;
	int rc = batch->err != BB_OK ? batch->err : bb_explain_find(batch, a, &ends[0]);

	if (rc == BB_OK)
		rc = bb_explain_find(batch, b, &ends[1]);
	if (rc != BB_OK)
		return rc;
	is_together = !ends[0].blocked && !ends[1].blocked &&
		      bb_batch_profile_of(batch, ends[0].ident) ==
			      bb_batch_profile_of(batch, ends[1].ident);
	bb_buf_byte(json, '{');
	put_key(json, "a", ends[0].key);
	bb_buf_byte(json, ',');
	put_key(json, "b", ends[1].key);
	bb_buf_printf(json, ",\"together\":%s", is_together ? "true" : "false");
	if (is_together) {
		put_chain(batch, ends, json);
	} else {
		put_profiles(batch, ends, json);
		put_apart(batch, ends, json);
	}
	if (batch->err == BB_OK)
		put_change(explainer, kv, ends, is_together, json);
	bb_buf_byte(json, '}');
	return end_answer(explainer, json, start);
}
