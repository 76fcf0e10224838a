/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job on the pool walks all views in one snapshot and hands the result back to the loop.
 *
 * The store's error (or BB_EBUSY, when told to stop) becomes the answer of all who wait for this
 * job.
 */
#include "digest.h"

#include "pool.h"

#include <backbone/assert.h>
#include <stdlib.h>

struct bb_digester {
	uv_loop_t *loop;
	struct bb_handles *handles;
	struct bb_store *store;
	const struct bb_rules *rules;
	struct bb_digest_waiter *waiting;  /* for the next job */
	struct bb_digest_waiter *answered; /* by the job under way */
	bool is_running, is_stopping, is_held;
	uv_work_t work;
	/* Of the job, which owns these while it runs: */
	struct bb_digest digest;
	int err;
	atomic_bool cancelled; /* the one word that both threads touch */
};

static int digest_snapshot(void *ctx, struct bb_kv *kv)
{
	struct bb_digester *digester = ctx;
	struct bb_viewer *viewer = bb_viewer_new(digester->rules);
	int err = bb_viewer_digest(viewer, kv, &digester->digest);

	bb_viewer_free(viewer);
	return err;
}

static void on_work(uv_work_t *work)
{
	struct bb_digester *digester = work->data;

	digester->err =
		bb_pool_read(digester->store, &digester->cancelled, digest_snapshot, digester);
}

static void start(struct bb_digester *digester);

static void on_worked(uv_work_t *work, int status)
{
	struct bb_digester *digester = work->data;

	if (status != 0)
		digester->err = BB_EBUSY; /* taken from the pool's queue before it began */
	/* who is answered may ask again at once: as long as this runs, that waits for the next job
	 */
	while (digester->answered) {
		struct bb_digest_waiter *waiter = digester->answered;

		digester->answered = waiter->next;
		waiter->is_waiting = false;
		waiter->on_digest(waiter, digester->err, &digester->digest);
	}
	digester->is_running = false;
	if (digester->waiting && !digester->is_stopping && !digester->is_held)
		start(digester);
	bb_handles_closed(digester->handles);
}

static void start(struct bb_digester *digester)
{
	int err;

	digester->answered = digester->waiting;
	digester->waiting = NULL;
	digester->is_running = true;
	digester->work.data = digester;
	err = uv_queue_work(digester->loop, &digester->work, on_work, on_worked);
	bb_assert(err == 0);
	bb_handles_opened(digester->handles);
}

struct bb_digester *bb_digester_new(uv_loop_t *loop, struct bb_handles *handles,
				    struct bb_store *store, const struct bb_rules *rules)
{
	struct bb_digester *digester = calloc(1, sizeof(*digester));

	bb_assert(digester);
	digester->loop = loop;
	digester->handles = handles;
	digester->store = store;
	digester->rules = rules;
	return digester;
}

void bb_digester_ask(struct bb_digester *digester, struct bb_digest_waiter *waiter)
{
	bb_assert(!waiter->is_waiting && waiter->on_digest && !digester->is_stopping);
	waiter->is_waiting = true;
	waiter->next = digester->waiting;
	digester->waiting = waiter;
	if (!digester->is_running && !digester->is_held)
		start(digester);
}

bool bb_digester_hold(struct bb_digester *digester)
{
	digester->is_held = true;
	return !digester->is_running;
}

void bb_digester_go(struct bb_digester *digester)
{
	digester->is_held = false;
	if (digester->waiting && !digester->is_running && !digester->is_stopping)
		start(digester);
}

void bb_digester_rules_set(struct bb_digester *digester, const struct bb_rules *rules)
{
	bb_assert(digester->is_held && !digester->is_running);
	digester->rules = rules;
}

static void unlink_waiter(struct bb_digest_waiter **list, const struct bb_digest_waiter *waiter)
{
	for (; *list; list = &(*list)->next) {
		if (*list == waiter) {
			*list = waiter->next;
			return;
		}
	}
}

void bb_digester_forget(struct bb_digester *digester, struct bb_digest_waiter *waiter)
{
	if (!waiter->is_waiting)
		return;
	unlink_waiter(&digester->waiting, waiter);
	unlink_waiter(&digester->answered, waiter);
	waiter->is_waiting = false;
}

void bb_digester_stop(struct bb_digester *digester)
{
	digester->is_stopping = true;
	atomic_store_explicit(&digester->cancelled, true, memory_order_relaxed);
	if (digester->is_running)
		(void)uv_cancel((uv_req_t *)&digester->work); /* works only before it began */
}

void bb_digester_free(struct bb_digester *digester)
{
	bb_assert(!digester || !digester->is_running);
	free(digester);
}
