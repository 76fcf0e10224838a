/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue of jobs, each a question with its own buffer for the answer, of which the first is at the
 * pool. A job belongs to the lane, not to whoever asked: who goes away meanwhile is forgotten, and
 * the job under way gives up at its next read.
 *
 * The store's error is the answer of whoever waits for it.
 */
#include "explain.h"

#include "pool.h"

#include <backbone/assert.h>
#include <backbone/explain.h>
#include <backbone/gate.h>
#include <stdlib.h>

struct bb_explain_job {
	struct bb_explain_asker *asker; /* NULL: forgotten */
	struct bb_explain_job *next;
	struct bb_explain_lane *lane;
	struct bb_buf keys; /* a, then b */
	size_t a_n;
	bool is_pair;
	uv_work_t work;
	/* Of the pool's thread while it runs: */
	struct bb_buf json;
	int err;
	atomic_bool cancelled; /* the one word that both threads touch */
};

struct bb_explain_lane {
	uv_loop_t *loop;
	struct bb_handles *handles;
	struct bb_store *store;
	const struct bb_rules *rules;
	struct bb_explain_job *first, *last; /* the first is under way, or the lane is held */
	bool is_running, is_stopping, is_held;
};

static struct bb_text key_a(const struct bb_explain_job *job)
{
	return (struct bb_text){job->keys.p, job->a_n};
}

static struct bb_text key_b(const struct bb_explain_job *job)
{
	if (!job->is_pair)
		return (struct bb_text){NULL, 0};
	return (struct bb_text){job->keys.p + job->a_n, job->keys.n - job->a_n};
}

static int explain_in_snapshot(void *ctx, struct bb_kv *kv)
{
	struct bb_explain_job *job = ctx;
	struct bb_explainer *explainer = bb_explainer_new(job->lane->rules);
	int err = job->is_pair ? bb_explain_pair(explainer, kv, key_a(job), key_b(job), &job->json)
			       : bb_explain_why(explainer, kv, key_a(job), &job->json);

	bb_explainer_free(explainer);
	return err;
}

static void on_work(uv_work_t *work)
{
	struct bb_explain_job *job = work->data;

	job->err = bb_pool_read(job->lane->store, &job->cancelled, explain_in_snapshot, job);
}

static void free_job(struct bb_explain_job *job)
{
	bb_buf_fini(&job->keys);
	bb_buf_fini(&job->json);
	free(job);
}

static void start(struct bb_explain_lane *lane);

/* Takes the first job out of the queue, tells who asked, frees it. */
static void finish_first(struct bb_explain_lane *lane, int err)
{
	struct bb_explain_job *job = lane->first;
	struct bb_explain_asker *asker = job->asker;
	struct bb_explained explained = {err, bb_buf_slice(&job->json), key_a(job), key_b(job)};

	lane->first = job->next;
	lane->is_running = false;
	if (!lane->first)
		lane->last = NULL;
	else if (!lane->is_stopping && !lane->is_held)
		start(lane);
	if (asker) {
		asker->job = NULL;
		asker->on_explained(asker, &explained);
	}
	free_job(job);
}

static void on_worked(uv_work_t *work, int status)
{
	struct bb_explain_job *job = work->data;
	struct bb_explain_lane *lane = job->lane;

	finish_first(lane, status == 0 ? job->err : BB_EBUSY);
	while (lane->is_stopping && lane->first)
		finish_first(lane, BB_EBUSY);
	bb_handles_closed(lane->handles);
}

/* The first of the queue. */
static void start(struct bb_explain_lane *lane)
{
	struct bb_explain_job *job = lane->first;
	int err;

	lane->is_running = true;
	job->work.data = job;
	err = uv_queue_work(lane->loop, &job->work, on_work, on_worked);
	bb_assert(err == 0);
	bb_handles_opened(lane->handles);
}

struct bb_explain_lane *bb_explain_lane_new(uv_loop_t *loop, struct bb_handles *handles,
					    struct bb_store *store, const struct bb_rules *rules)
{
	struct bb_explain_lane *lane = calloc(1, sizeof(*lane));

	bb_assert(lane);
	lane->loop = loop;
	lane->handles = handles;
	lane->store = store;
	lane->rules = rules;
	return lane;
}

void bb_explain_ask(struct bb_explain_lane *lane, struct bb_explain_asker *asker, struct bb_text a,
		    struct bb_text b)
{
	struct bb_explain_job *job = calloc(1, sizeof(*job));

	bb_assert(job && !asker->job && asker->on_explained && !lane->is_stopping);
	job->lane = lane;
	job->asker = asker;
	asker->job = job;
	bb_buf_text(&job->keys, a);
	job->a_n = a.n;
	job->is_pair = b.p != NULL;
	if (job->is_pair)
		bb_buf_text(&job->keys, b);
	if (lane->last) {
		lane->last->next = job;
		lane->last = job;
		return;
	}
	lane->first = lane->last = job;
	if (!lane->is_held)
		start(lane);
}

bool bb_explain_lane_hold(struct bb_explain_lane *lane)
{
	lane->is_held = true;
	return !lane->is_running;
}

void bb_explain_lane_go(struct bb_explain_lane *lane)
{
	lane->is_held = false;
	if (lane->first && !lane->is_running && !lane->is_stopping)
		start(lane);
}

void bb_explain_lane_rules_set(struct bb_explain_lane *lane, const struct bb_rules *rules)
{
	bb_assert(lane->is_held && !lane->is_running);
	lane->rules = rules;
}

/* Takes a job out of the queue that is not at the pool. */
static void drop(struct bb_explain_lane *lane, struct bb_explain_job *job)
{
	struct bb_explain_job *before = NULL;

	for (struct bb_explain_job *at = lane->first; at != job; at = at->next)
		before = at;
	*(before ? &before->next : &lane->first) = job->next;
	if (lane->last == job)
		lane->last = before;
	free_job(job);
}

void bb_explain_forget(struct bb_explain_lane *lane, struct bb_explain_asker *asker)
{
	struct bb_explain_job *job = asker->job;

	if (!job)
		return;
	asker->job = NULL;
	job->asker = NULL;
	if (job != lane->first || !lane->is_running)
		drop(lane, job);
	else
		atomic_store_explicit(&job->cancelled, true, memory_order_relaxed);
}

void bb_explain_lane_stop(struct bb_explain_lane *lane)
{
	bb_explain_lane_go(lane); /* so that the first is with the pool, which ends them all */
	lane->is_stopping = true;
	if (!lane->first)
		return;
	atomic_store_explicit(&lane->first->cancelled, true, memory_order_relaxed);
	(void)uv_cancel((uv_req_t *)&lane->first->work); /* works only before it began */
}

struct bb_text bb_explained_bad_key(const struct bb_explained *explained,
				    const struct bb_rules *rules)
{
	struct bb_identifier id;
	struct bb_arena arena;
	struct bb_hash hash;
	bool is_key;

	bb_arena_init(&arena);
	is_key = bb_hash_parse_profile_id(explained->a, &hash) ||
		 bb_gate_key(rules, explained->a, &arena, &id);
	bb_arena_fini(&arena);
	return is_key ? explained->b : explained->a;
}

void bb_explain_lane_free(struct bb_explain_lane *lane)
{
	bb_assert(!lane || !lane->first);
	free(lane);
}
