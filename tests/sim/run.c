/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a case to gate and pipeline as the run says, and compares what a viewer sees with the model
 * of the same events. A batch that fails as ordered is given back and tried again, as ingest does;
 * between batches the pipeline, the viewer and the store may be closed and opened.
 *
 * Whatever differs is said in the report and ends the run: another view, a missing or surplus one,
 * a look-up that leads elsewhere, a verdict that cannot be, an error nobody ordered.
 */
#include "run.h"

#include "model.h"

#include <backbone/assert.h>
#include <backbone/gate.h>
#include <backbone/pipeline.h>

#include <stdlib.h>

#define WHEN_MAX (UINT64_C(1) << 62)

struct delivery {
	size_t event;	/* of the case */
	uint64_t when;	/* orders them */
	uint64_t group; /* of its batch */
};

struct running {
	const struct bb_case *cs;
	const struct bb_run *run;
	struct bb_random random;
	struct bb_arena arena;
	struct bb_event **gated; /* NULL: the gate did not let it through */
	struct delivery *deliveries;
	size_t delivery_n;
	struct bb_backend *backend;
	struct bb_pipeline *pl;
	struct bb_viewer *viewer, *finder;
	size_t counted; /* events that the pipeline took as new, in committed batches */
	struct bb_buf *report;
};

static void pass_gate(struct running *r)
{
	struct bb_refusal refusal;

	r->gated = bb_arena_zalloc(&r->arena, r->cs->n * sizeof(struct bb_event *));
	for (size_t i = 0; i < r->cs->n; i++) {
		struct bb_event *ev = bb_case_copy(r->cs->events[i], &r->arena);

		if (bb_gate(&r->cs->rules, ev, &r->arena, &refusal) == BB_GATE_PASS)
			r->gated[i] = ev;
	}
}

static int compare_deliveries(const void *left, const void *right)
{
	const struct delivery *a = left, *b = right;

	return (a->when > b->when) - (a->when < b->when);
}

static uint64_t group_of(const struct running *r, uint64_t when)
{
	size_t batch = r->run->batch;
	uint64_t batches = (r->cs->made_n + batch - 1) / (batch ? batch : 1);

	if (batch <= 1)
		return batch ? when : 0;
	return r->run->shuffle ? when / (WHEN_MAX / batches) : (when >> 32) / batch;
}

/*
 * Order and batch of an event depend on its position only, so that they stay as they are while a
 * case is shrunk. Shuffled batches have about as many events as the run says.
 */
static void plan_deliveries(struct running *r)
{
	const struct bb_run *run = r->run;
	size_t room = 0;

	for (size_t i = 0; i < r->cs->n; i++) {
		uint64_t mark = (uint64_t)r->cs->events[i]->position.offset;
		uint64_t chance = bb_random_mix(r->cs->seed * 1000003 + mark + run->batch);
		uint64_t when = run->shuffle ? chance % WHEN_MAX : mark << 32;
		uint64_t again = when + (run->shuffle ? bb_random_mix(chance + 1) % WHEN_MAX : 1);

		BB_ARENA_PUSH(&r->arena, r->deliveries, r->delivery_n, room) =
			(struct delivery){i, when, group_of(r, when)};
		if (bb_random_mix(chance) % 100 < run->redeliver_percent)
			BB_ARENA_PUSH(&r->arena, r->deliveries, r->delivery_n, room) =
				(struct delivery){i, again, group_of(r, again)};
	}
	if (r->delivery_n > 0)
		qsort(r->deliveries, r->delivery_n, sizeof *r->deliveries, compare_deliveries);
}

static void start(struct running *r)
{
	r->pl = bb_pipeline_new(&r->cs->rules);
	r->viewer = bb_viewer_new(&r->cs->rules);
	r->finder = bb_viewer_new(&r->cs->rules);
}

static void stop(struct running *r)
{
	bb_pipeline_free(r->pl);
	bb_viewer_free(r->viewer);
	bb_viewer_free(r->finder);
}

/* BB_OK, an error, or BB_EINVAL for a verdict that cannot be (said in the report). */
static int try_batch(struct running *r, size_t from, size_t to)
{
	struct bb_kv *kv = bb_backend_begin(r->backend);
	struct bb_refusal refusal = {0};
	size_t counted = 0;
	int rc = BB_OK;

	bb_pipeline_begin(r->pl, kv);
	for (size_t i = from; i < to; i++) {
		const struct bb_event *ev = r->gated[r->deliveries[i].event];
		enum bb_verdict verdict;

		if (!ev)
			continue;
		verdict = bb_pipeline_apply(r->pl, ev, &refusal);
		counted += verdict == BB_VERDICT_APPLIED || verdict == BB_VERDICT_NO_IDENTIFIER;
		if (verdict == BB_VERDICT_DEAD || verdict == BB_VERDICT_SKIPPED) {
			bb_buf_printf(r->report, "verdict %s (%s) on event %zu\n",
				      bb_verdict_text(verdict), bb_dead_reason_text(refusal.reason),
				      r->deliveries[i].event);
			rc = BB_EINVAL;
			break;
		}
	}
	if (rc == BB_OK)
		rc = bb_pipeline_finish(r->pl);
	if (rc != BB_OK)
		bb_backend_abort(r->backend, kv);
	else
		rc = bb_backend_commit(r->backend, kv);
	if (rc != BB_OK)
		bb_pipeline_abort(r->pl);
	else
		r->counted += counted;
	return rc;
}

static bool apply_batch(struct running *r, size_t from, size_t to)
{
	int rc;

	while (bb_random_percent(&r->random, r->run->fail_percent)) {
		bb_backend_order_failure(r->backend, &r->random);
		rc = try_batch(r, from, to);
		bb_backend_cancel_failure(r->backend);
		if (rc == BB_OK || rc == BB_EINVAL)
			return rc == BB_OK;
		r->report->n = 0; /* what a failed read made it say does not count */
	}
	rc = try_batch(r, from, to);
	if (rc != BB_OK && rc != BB_EINVAL)
		bb_buf_printf(r->report, "a batch failed: %s\n", bb_error_text(rc));
	return rc == BB_OK;
}

static bool leads_to(struct running *r, struct bb_kv *kv, struct bb_text key, const char *id)
{
	struct bb_found found = {0};
	int rc = bb_viewer_find(r->finder, kv, key, &found);

	if (rc == BB_OK && strcmp(found.id, id) == 0)
		return true;
	bb_buf_printf(r->report, "looking up %.*s: %s, %s, not %s\n", (int)key.n, key.p,
		      rc == BB_OK ? "found" : bb_error_text(rc), found.id, id);
	return false;
}

/* Every identifier, and every id the profile ever had, leads to it. */
static bool is_found(struct running *r, struct bb_kv *kv, const struct bb_view *view)
{
	for (size_t i = 0; i < view->identifier_n; i++) {
		const struct bb_view_identifier *id = &view->identifiers[i];
		struct bb_hash hash =
			bb_hash_identifier(&r->cs->rules.profile_key, id->ns, id->value);
		char name[BB_PROFILE_ID_BYTES], key[1024];
		size_t n = id->ns.n + 1 + id->value.n;

		bb_assert(n <= sizeof key);
		memcpy(key, id->ns.p, id->ns.n);
		key[id->ns.n] = ':';
		memcpy(key + id->ns.n + 1, id->value.p, id->value.n);
		bb_hash_profile_id(&hash, name);
		if (!leads_to(r, kv, (struct bb_text){key, n}, view->id) ||
		    !leads_to(r, kv, (struct bb_text){name, sizeof name}, view->id))
			return false;
	}
	return true;
}

static int compare_texts(const void *left, const void *right)
{
	return bb_text_compare(*(const struct bb_text *)left, *(const struct bb_text *)right);
}

static bool read_views(struct running *r, struct bb_kv *kv, struct bb_model_views *ret_views,
		       struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	uint64_t cursor = 0, cluster;
	const struct bb_view *view;
	size_t room = 0;
	bool ok = true;
	int rc;

	while (ok && (rc = bb_viewer_next(r->viewer, kv, &cursor, &cluster)) == BB_OK) {
		rc = bb_viewer_fold(r->viewer, kv, cluster, &view);
		if (rc != BB_OK)
			break;
		buf.n = 0;
		bb_view_json(view, BB_VIEW_ALL, false, &buf);
		BB_ARENA_PUSH(arena, ret_views->lines, ret_views->n, room) =
			bb_arena_copy(arena, bb_buf_slice(&buf));
		ok = is_found(r, kv, view);
	}
	if (ok && rc != BB_ENOTFOUND) {
		bb_buf_printf(r->report, "reading the views: %s\n", bb_error_text(rc));
		ok = false;
	}
	if (ret_views->n > 0)
		qsort(ret_views->lines, ret_views->n, sizeof *ret_views->lines, compare_texts);
	bb_buf_fini(&buf);
	return ok;
}

static bool compare_views(struct running *r, const struct bb_model_views *is,
			  const struct bb_model_views *must)
{
	for (size_t i = 0; i < is->n || i < must->n; i++) {
		struct bb_text none = BB_TEXT("(none)");
		struct bb_text a = i < must->n ? must->lines[i] : none;
		struct bb_text b = i < is->n ? is->lines[i] : none;

		if (bb_text_equal(a, b))
			continue;
		bb_buf_printf(r->report, "view %zu of %zu (%zu)\n  must be %.*s\n  is      %.*s\n",
			      i, must->n, is->n, (int)a.n, a.p, (int)b.n, b.p);
		return false;
	}
	return true;
}

/* After the first `delivered` deliveries. */
static bool judge(struct running *r, size_t delivered, struct bb_digest *ret_digest)
{
	const struct bb_event **events;
	struct bb_model_views is = {0}, must;
	struct bb_arena arena;
	struct bb_kv *kv;
	size_t count;
	bool ok;

	bb_arena_init(&arena);
	events = bb_arena_alloc(&arena, delivered * sizeof *events);
	for (size_t i = 0; i < delivered; i++)
		events[i] = r->cs->events[r->deliveries[i].event];
	must = bb_model_views(&r->cs->rules, events, delivered, &arena);
	count = bb_model_count(&r->cs->rules, events, delivered, &arena);
	kv = bb_backend_read_begin(r->backend);
	ok = read_views(r, kv, &is, &arena) && compare_views(r, &is, &must);
	if (ok && ret_digest && bb_viewer_digest(r->viewer, kv, ret_digest) != BB_OK) {
		bb_buf_printf(r->report, "the digest cannot be taken\n");
		ok = false;
	}
	bb_backend_read_end(r->backend);
	if (ok && count != r->counted) {
		bb_buf_printf(r->report, "%zu events counted, must be %zu\n", r->counted, count);
		ok = false;
	}
	bb_arena_fini(&arena);
	return ok;
}

bool bb_run_case(const struct bb_case *cs, const struct bb_run *run, struct bb_digest *ret_digest,
		 struct bb_buf *report)
{
	struct running r = {.cs = cs, .run = run, .report = report};
	size_t to;
	bool ok = true;

	bb_arena_init(&r.arena);
	pass_gate(&r);
	plan_deliveries(&r);
	r.backend = bb_backend_new(&cs->rules, run->disk);
	start(&r);
	for (size_t from = 0; ok && from < r.delivery_n; from = to) {
		for (to = from + 1; to < r.delivery_n; to++)
			if (r.deliveries[to].group != r.deliveries[from].group)
				break;
		r.random.state = bb_random_mix(cs->seed + r.deliveries[from].group);
		ok = apply_batch(&r, from, to);
		if (ok && run->every_batch && to < r.delivery_n)
			ok = judge(&r, to, NULL);
		if (ok && bb_random_percent(&r.random, run->restart_percent)) {
			stop(&r);
			bb_backend_reopen(r.backend);
			start(&r);
		}
	}
	ok = ok && judge(&r, r.delivery_n, ret_digest);
	stop(&r);
	bb_backend_free(r.backend);
	bb_arena_fini(&r.arena);
	return ok;
}
