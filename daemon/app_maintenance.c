/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A purge: the store is copied into a second file, entry by entry, and that takes its place, so
 * that nothing of what was deleted is left in any file of the store.
 *
 *	NONE -> HOLDING      ingestion commits what it has taken, and takes no more
 *	     -> COPYING      on the pool; look-ups go on
 *	     -> SWAPPING     on the loop, between two callbacks; tried again while a snapshot is
 *open
 *	     -> CLEANING     on the pool: names are made durable, the old file goes
 *	     -> NONE         ingestion goes on; a reload that was asked for meanwhile follows
 *
 * What fails before the swap leaves everything as it was, is said, and ingestion goes on. A failure
 * of the swap itself ends the process with the store's exit code: a start takes up whichever of the
 * two files has the name, and both hold the same. A stop gives up a copy under way.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/log.h>

#include <inttypes.h>
#include <stdio.h>

#define SWAP_RETRY_MS 20
#define SWAP_PATIENCE_MS 120000 /* a digest of a large store may take that long */

static const char *const phase_names[] = {NULL, "holding", "copying", "swapping", "cleaning"};

static uint64_t file_bytes(struct bb_app *app)
{
	struct bb_store_stats stats;

	return bb_store_stats(app->store, &stats) == BB_OK ? stats.file_bytes : 0;
}

static void end(struct bb_app *app, int code)
{
	struct bb_maintenance *work = &app->maintenance;
	int64_t took_ms = bb_clock_wall_ms() - work->began_ms;

	work->phase = BB_MAINTENANCE_NONE;
	work->last = code;
	work->ended_ms = bb_clock_wall_ms();
	work->last_before_bytes = work->before_bytes;
	work->after_bytes = file_bytes(app);
	snprintf(work->detail, sizeof work->detail, "%s", code == BB_OK ? "" : work->err.msg);
	if (code == BB_OK)
		bb_log(BB_LOG_NOTICE, "purged",
		       "before_bytes=%" PRIu64 " after_bytes=%" PRIu64 " ms=%" PRId64,
		       work->before_bytes, work->after_bytes, took_ms);
	else
		bb_log(BB_LOG_ERROR, "purge_failed", "%s", work->err.msg);
	if (app->stopping)
		return;
	bb_ingest_go(app->ingest);
	if (work->reload_wanted) {
		work->reload_wanted = false;
		bb_app_reload(app);
	}
}

/* The names of the files may be those of both stores: nothing in memory is to be trusted. */
static void end_process(struct bb_app *app)
{
	end(app, BB_EIO);
	bb_app_stop(app, BB_EXIT_STORE);
}

/* --- jobs of the pool --------------------------------------------------------------------------
 */

static bool on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct bb_maintenance *work = ctx;

	atomic_store_explicit(&work->done, done, memory_order_relaxed);
	atomic_store_explicit(&work->total, total, memory_order_relaxed);
	return !atomic_load_explicit(&work->cancelled, memory_order_relaxed);
}

static void on_copy(uv_work_t *job)
{
	struct bb_app *app = job->data;
	struct bb_maintenance *work = &app->maintenance;
	struct bb_store_progress progress = {on_progress, work};
	struct bb_error ignored;
	int code = bb_store_open_beside(app->store, &work->beside, &work->err);

	if (code)
		return;
	code = bb_store_compact(app->store, work->beside, &progress, &work->err);
	if (!code)
		code = bb_store_finish(app->store, work->beside, &work->err);
	if (!code)
		return;
	if (bb_store_close_beside(work->beside, &ignored))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", ignored.msg);
	work->beside = NULL;
}

static void on_clean(uv_work_t *job)
{
	struct bb_app *app = job->data;
	struct bb_maintenance *work = &app->maintenance;

	work->err = (struct bb_error){0};
	(void)!bb_store_close_beside(work->beside, &work->err);
	work->beside = NULL;
}

static void on_cleaned(uv_work_t *job, int status)
{
	struct bb_app *app = job->data;

	bb_assert(status == 0);
	if (app->maintenance.err.code == BB_OK)
		end(app, BB_OK);
	else
		end_process(app);
}

/* --- the swap ----------------------------------------------------------------------------------
 */

static void give_up(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_error ignored;

	if (bb_store_close_beside(work->beside, &ignored))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", ignored.msg);
	work->beside = NULL;
	end(app, BB_EBUSY);
}

static void try_swap(uv_timer_t *timer)
{
	struct bb_app *app = timer->data;
	struct bb_maintenance *work = &app->maintenance;
	int code;

	if (app->stopping)
		return; /* bb_app_maintenance_fini */
	code = bb_store_swap(app->store, work->beside, &work->err);
	if (code == BB_EBUSY && uv_now(&app->loop) - work->since_ms < SWAP_PATIENCE_MS) {
		uv_timer_start(timer, try_swap, SWAP_RETRY_MS, 0);
	} else if (code == BB_EBUSY) {
		give_up(app);
	} else if (code) {
		end_process(app);
	} else {
		work->phase = BB_MAINTENANCE_CLEANING;
		bb_assert(uv_queue_work(&app->loop, &work->work, on_clean, on_cleaned) == 0);
	}
}

static void on_copied(uv_work_t *job, int status)
{
	struct bb_app *app = job->data;
	struct bb_maintenance *work = &app->maintenance;

	bb_assert(status == 0); /* never cancelled in the pool's queue */
	if (!work->beside) {
		end(app, work->err.code);
		return;
	}
	work->phase = BB_MAINTENANCE_SWAPPING;
	work->since_ms = uv_now(&app->loop);
	try_swap(&work->retry);
}

/* --- for the rest of the program ---------------------------------------------------------------
 */

int bb_app_purge(void *ctx, struct bb_error *err)
{
	struct bb_app *app = ctx;
	struct bb_maintenance *work = &app->maintenance;

	if (app->stopping)
		return bb_error_set(err, BB_EBUSY, "the daemon is ending");
	if (app->coming)
		return bb_error_set(err, BB_EBUSY, "a reload is under way: try again in a moment");
	if (work->phase != BB_MAINTENANCE_NONE)
		return bb_error_set(err, BB_EBUSY, "a purge is under way: see the status");
	work->phase = BB_MAINTENANCE_HOLDING;
	work->run++;
	work->err = (struct bb_error){0};
	work->began_ms = bb_clock_wall_ms();
	atomic_store(&work->done, 0);
	atomic_store(&work->total, 0);
	bb_log(BB_LOG_NOTICE, "purging", "ingestion pauses, look-ups go on");
	bb_ingest_hold(app->ingest);
	return BB_OK;
}

void bb_app_maintenance_init(struct bb_app *app)
{
	uv_timer_init(&app->loop, &app->maintenance.retry);
	app->maintenance.retry.data = app;
	app->maintenance.work.data = app;
}

void bb_app_maintenance_idle(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;

	if (work->phase != BB_MAINTENANCE_HOLDING || app->stopping)
		return;
	work->phase = BB_MAINTENANCE_COPYING;
	work->before_bytes = file_bytes(app);
	bb_assert(uv_queue_work(&app->loop, &work->work, on_copy, on_copied) == 0);
}

void bb_app_maintenance_status(const struct bb_app *app, struct bb_status_maintenance *ret_status)
{
	const struct bb_maintenance *work = &app->maintenance;

	*ret_status = (struct bb_status_maintenance){
		.run = work->run,
		.done = atomic_load_explicit(&work->done, memory_order_relaxed),
		.total = atomic_load_explicit(&work->total, memory_order_relaxed),
	};
	if (work->phase != BB_MAINTENANCE_NONE) {
		ret_status->what = BB_TEXT("purge");
		ret_status->phase = bb_text_of(phase_names[work->phase]);
	}
	if (!work->ended_ms)
		return;
	ret_status->last = BB_TEXT("purge");
	ret_status->result = work->last == BB_OK ? BB_TEXT("done") : BB_TEXT("failed");
	if (work->last != BB_OK)
		ret_status->detail = bb_text_of(work->detail);
	ret_status->ended_ms = work->ended_ms;
	ret_status->before_bytes = work->last_before_bytes;
	ret_status->after_bytes = work->after_bytes;
}

void bb_app_maintenance_stop(struct bb_app *app)
{
	atomic_store_explicit(&app->maintenance.cancelled, true, memory_order_relaxed);
}

void bb_app_maintenance_fini(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_error err;

	if (work->beside && bb_store_close_beside(work->beside, &err))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", err.msg);
	work->beside = NULL;
}
