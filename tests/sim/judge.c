/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a viewer sees in a snapshot, compared with the model of the same lines: every view to the
 * byte, and every identifier and profile id leads to its profile.
 */
#include "run.h"

#include <backbone/assert.h>

#include <stdlib.h>

struct judging {
	struct bb_judge *judge;
	struct bb_kv *kv;
	struct bb_arena arena;
	struct bb_buf *report;
};

void bb_judge_start(struct bb_judge *judge, const struct bb_rules *rules)
{
	judge->rules = rules;
	judge->viewer = bb_viewer_new(rules);
	judge->finder = bb_viewer_new(rules);
}

void bb_judge_stop(struct bb_judge *judge)
{
	bb_viewer_free(judge->viewer);
	bb_viewer_free(judge->finder);
}

static bool leads_to(struct judging *j, struct bb_text key, const char *id)
{
	struct bb_found found = {0};
	int rc = bb_viewer_find(j->judge->finder, j->kv, key, &found);

	if (rc == BB_OK && strcmp(found.id, id) == 0)
		return true;
	bb_buf_printf(j->report, "looking up %.*s: %s, %s, not %s\n", (int)key.n, key.p,
		      rc == BB_OK ? "found" : bb_error_text(rc), found.id, id);
	return false;
}

/* What was canonical under other rules may be no key any more, or that of another. */
static bool is_of_now(struct judging *j, const struct bb_view_identifier *id)
{
	struct bb_identifier key = {.ns = id->ns, .value = id->value};
	struct bb_text value;

	return bb_model_form(j->judge->rules, &key, &j->arena, &value) &&
	       bb_text_equal(value, id->value);
}

/* Every identifier, and every id the profile ever had, leads to it. */
static bool is_found(struct judging *j, const struct bb_view *view)
{
	for (size_t i = 0; i < view->identifier_n; i++) {
		const struct bb_view_identifier *id = &view->identifiers[i];
		struct bb_hash hash =
			bb_hash_identifier(&j->judge->rules->profile_key, id->ns, id->value);
		char name[BB_PROFILE_ID_BYTES], key[1024];
		size_t n = id->ns.n + 1 + id->value.n;

		bb_assert(n <= sizeof key);
		memcpy(key, id->ns.p, id->ns.n);
		key[id->ns.n] = ':';
		memcpy(key + id->ns.n + 1, id->value.p, id->value.n);
		bb_hash_profile_id(&hash, name);
		if ((is_of_now(j, id) && !leads_to(j, (struct bb_text){key, n}, view->id)) ||
		    !leads_to(j, (struct bb_text){name, sizeof name}, view->id))
			return false;
	}
	return true;
}

static int compare_texts(const void *left, const void *right)
{
	return bb_text_compare(*(const struct bb_text *)left, *(const struct bb_text *)right);
}

static bool read_views(struct judging *j, struct bb_model_views *ret_views)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	uint64_t cursor = 0, cluster;
	const struct bb_view *view;
	size_t room = 0;
	bool ok = true;
	int rc;

	while (ok && (rc = bb_viewer_next(j->judge->viewer, j->kv, &cursor, &cluster)) == BB_OK) {
		rc = bb_viewer_fold(j->judge->viewer, j->kv, cluster, &view);
		if (rc != BB_OK)
			break;
		buf.n = 0;
		bb_view_json(view, BB_VIEW_ALL, false, &buf);
		BB_ARENA_PUSH(&j->arena, ret_views->lines, ret_views->n, room) =
			bb_arena_copy(&j->arena, bb_buf_slice(&buf));
		ok = is_found(j, view);
	}
	if (ok && rc != BB_ENOTFOUND) {
		bb_buf_printf(j->report, "reading the views: %s\n", bb_error_text(rc));
		ok = false;
	}
	if (ret_views->n > 0)
		qsort(ret_views->lines, ret_views->n, sizeof *ret_views->lines, compare_texts);
	bb_buf_fini(&buf);
	return ok;
}

static bool compare_views(struct judging *j, const struct bb_model_views *is,
			  const struct bb_model_views *must)
{
	for (size_t i = 0; i < is->n || i < must->n; i++) {
		struct bb_text none = BB_TEXT("(none)");
		struct bb_text a = i < must->n ? must->lines[i] : none;
		struct bb_text b = i < is->n ? is->lines[i] : none;

		if (bb_text_equal(a, b))
			continue;
		bb_buf_printf(j->report, "view %zu of %zu (%zu)\n  must be %.*s\n  is      %.*s\n",
			      i, must->n, is->n, (int)a.n, a.p, (int)b.n, b.p);
		return false;
	}
	return true;
}

bool bb_judge(struct bb_judge *judge, const struct bb_model_lines *lines, struct bb_kv *kv,
	      struct bb_digest *ret_digest, struct bb_buf *report)
{
	struct judging j = {.judge = judge, .kv = kv, .report = report};
	struct bb_model_views is = {0}, must;
	bool ok;

	bb_arena_init(&j.arena);
	must = bb_model_views(judge->rules, lines, &j.arena);
	ok = read_views(&j, &is) && compare_views(&j, &is, &must);
	if (ok && ret_digest && bb_viewer_digest(judge->viewer, kv, ret_digest) != BB_OK) {
		bb_buf_printf(report, "the digest cannot be taken\n");
		ok = false;
	}
	bb_arena_fini(&j.arena);
	return ok;
}
