/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on the whole store. A purge: the store is copied into a second file, entry by entry, and
 * that takes its place, so that nothing of what was deleted is left in any file of the store. A
 * change of the rules of identity, by a reload: the second file is what the records make under the
 * new ones (app_rules.c), and the rules take their place with it. A rebuild: the second file is
 * what the log makes, from its beginning (app_rebuild.c, which has further phases before COPYING).
 *
 *	NONE -> HOLDING      ingestion commits what it has taken, and takes no more
 *	     -> COPYING      on the pool; look-ups go on
 *	     -> SWAPPING     on the loop, between two callbacks; tried again while a snapshot of the
 *	                     pool is open
 *	     -> CLEANING     on the pool: names are made durable, the old file goes
 *	     -> NONE         ingestion goes on; a reload that was asked for meanwhile follows
 *
 * In SWAPPING new rules go to everybody in the same callback as the store does, and after a rebuild
 * the positions of the new contents to ingest. So that nobody on the pool has the old ones, digests
 * and explanations that are not begun wait.
 *
 * What fails before the swap leaves everything as it was, is said, and ingestion goes on. A failure
 * of the swap itself ends the process with the store's exit code: a start takes up whichever of the
 * two files has the name, and applies the rules if they are not its own. A stop gives up a copy
 * under way.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/beside.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>
#include <stdio.h>

#define SWAP_RETRY_MS 20
#define SWAP_PATIENCE_MS 120000 /* a digest of a large store may take that long */

static const char *const phase_names[] = {NULL,	      "holding",   "copying",  "swapping",
					  "cleaning", "opening",   "building", "catching_up",
					  "closing",  "discarding"};

static const struct {
	const char *name, *long_name, *done, *failed; /* done, failed: lines of the log */
} kinds[] = {
	[BB_MAINTENANCE_PURGE] = {"purge", "purge", "purged", "purge_failed"},
	[BB_MAINTENANCE_RULES] = {"rules", "change of rules", "rules_applied", "rules_not_applied"},
	[BB_MAINTENANCE_REBUILD] = {"rebuild", "rebuild", "rebuilt", "rebuild_failed"},
};

static uint64_t file_bytes(struct bb_app *app)
{
	struct bb_store_stats stats;

	return bb_store_stats(app->store, &stats) == BB_OK ? stats.file_bytes : 0;
}

static void tell_end(const struct bb_maintenance *work)
{
	int64_t took_ms = work->ended_ms - work->began_ms;

	if (work->last != BB_OK)
		bb_log(atomic_load(&work->cancelled) ? BB_LOG_NOTICE : BB_LOG_ERROR,
		       kinds[work->kind].failed, "%s", work->err.msg);
	else if (work->kind == BB_MAINTENANCE_RULES)
		bb_log(BB_LOG_NOTICE, kinds[work->kind].done, "ms=%" PRId64, took_ms);
	else
		bb_log(BB_LOG_NOTICE, kinds[work->kind].done,
		       "before_bytes=%" PRIu64 " after_bytes=%" PRIu64 " ms=%" PRId64,
		       work->before_bytes, work->after_bytes, took_ms);
}

void bb_app_maintenance_end(struct bb_app *app, int code)
{
	struct bb_maintenance *work = &app->maintenance;

	work->phase = BB_MAINTENANCE_NONE;
	work->last = code;
	work->last_kind = work->kind;
	work->ended_ms = bb_clock_wall_ms();
	work->last_before_bytes = work->before_bytes;
	work->after_bytes = file_bytes(app);
	snprintf(work->detail, sizeof work->detail, "%s", code == BB_OK ? "" : work->err.msg);
	tell_end(work);
	if (app->stopping)
		return;
	if (work->kind == BB_MAINTENANCE_RULES)
		bb_app_reload_end(app, code);
	if (work->kind != BB_MAINTENANCE_PURGE && app->serve)
		bb_serve_committed(app->serve); /* the feed has what it did */
	bb_ingest_go(app->ingest);
	bb_app_reload_next(app);
}

/* The names of the files may be those of both stores: nothing in memory is to be trusted. */
static void end_process(struct bb_app *app)
{
	bb_app_stop(app, BB_EXIT_STORE);
	bb_app_maintenance_end(app, BB_EIO);
}

/* --- jobs of the pool ------------------------------------------------------------------------- */

bool bb_app_maintenance_progress(struct bb_app *app, uint64_t done, uint64_t total)
{
	struct bb_maintenance *work = &app->maintenance;

	atomic_store_explicit(&work->done, done, memory_order_relaxed);
	atomic_store_explicit(&work->total, total, memory_order_relaxed);
	return !atomic_load_explicit(&work->cancelled, memory_order_relaxed);
}

static bool on_progress(void *ctx, uint64_t done, uint64_t total)
{
	return bb_app_maintenance_progress(ctx, done, total);
}

static bool on_permille(void *ctx, unsigned permille)
{
	return bb_app_maintenance_progress(ctx, permille, 1000);
}

static void apply_rules(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_app_adoption adoption = {
		.store = app->store,
		.rules = &app->coming->rules,
		.progress = on_permille,
		.ctx = app,
	};

	if (bb_app_adopt_beside(&adoption, &work->err) == BB_OK)
		work->beside = adoption.beside;
}

static void compact(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_store_progress progress = {on_progress, app};
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

static void on_copy(uv_work_t *job)
{
	struct bb_app *app = job->data;

	if (app->maintenance.kind == BB_MAINTENANCE_RULES)
		apply_rules(app);
	else if (app->maintenance.kind == BB_MAINTENANCE_REBUILD)
		bb_app_rebuild_complete(app);
	else
		compact(app);
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
		bb_app_maintenance_end(app, BB_OK);
	else
		end_process(app);
}

/* --- the swap --------------------------------------------------------------------------------- */

static void give_up(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_error ignored;

	if (work->kind != BB_MAINTENANCE_PURGE && app->serve)
		bb_serve_go(app->serve);
	if (work->beside && bb_store_close_beside(work->beside, &ignored))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", ignored.msg);
	work->beside = NULL;
	bb_app_maintenance_end(app, BB_EBUSY);
}

/* Readers of the old contents may have names in mind that stand for others in the new ones. */
static int take_contents(struct bb_app *app)
{
	int code = bb_ingest_store_changed(app->ingest);

	if (code)
		return bb_error_set(&app->maintenance.err, code == BB_EBUSY ? BB_EIO : code,
				    "the second store's positions cannot be read: %s",
				    bb_error_text(code));
	if (app->serve)
		bb_serve_rules_set(app->serve, &app->ruling->rules);
	return BB_OK;
}

static int swap(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	bool is_purge = work->kind == BB_MAINTENANCE_PURGE;
	int code = BB_OK;

	if (!is_purge && app->serve && !bb_serve_hold(app->serve))
		return bb_error_set(&work->err, BB_EBUSY,
				    "a digest or an explanation takes too long; nothing was "
				    "changed: try again");
	if (work->beside)
		code = bb_store_swap(app->store, work->beside, &work->err);
	if (code || is_purge)
		return code;
	if (work->kind == BB_MAINTENANCE_RULES)
		bb_app_reload_take(app, true);
	else
		code = take_contents(app);
	if (app->serve)
		bb_serve_go(app->serve);
	return code;
}

static void try_swap(uv_timer_t *timer)
{
	struct bb_app *app = timer->data;
	struct bb_maintenance *work = &app->maintenance;
	int code;

	if (app->stopping)
		return; /* bb_app_maintenance_fini */
	if (atomic_load(&work->cancelled)) {
		bb_error_set(&work->err, BB_EBUSY, "cancelled; nothing was changed");
		give_up(app);
		return;
	}
	code = swap(app);
	if (code == BB_EBUSY && uv_now(&app->loop) - work->since_ms < SWAP_PATIENCE_MS) {
		uv_timer_start(timer, try_swap, SWAP_RETRY_MS, 0);
	} else if (code == BB_EBUSY) {
		give_up(app);
	} else if (code) {
		end_process(app);
	} else if (!work->beside) {
		bb_app_maintenance_end(app, BB_OK);
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
	if (work->kind == BB_MAINTENANCE_REBUILD)
		bb_app_rebuild_completed(app);
	if (work->err.code) {
		bb_app_maintenance_end(app, work->err.code);
		return;
	}
	work->phase = BB_MAINTENANCE_SWAPPING;
	work->since_ms = uv_now(&app->loop);
	try_swap(&work->retry);
}

/* --- for the rest of the program -------------------------------------------------------------- */

void bb_app_maintenance_begin(struct bb_app *app, enum bb_maintenance_kind kind,
			      enum bb_maintenance_phase phase)
{
	struct bb_maintenance *work = &app->maintenance;

	work->kind = kind;
	work->phase = phase;
	work->run++;
	work->err = (struct bb_error){0};
	work->began_ms = bb_clock_wall_ms();
	work->before_bytes = file_bytes(app);
	atomic_store(&work->cancelled, false);
	atomic_store(&work->done, 0);
	atomic_store(&work->total, 0);
}

int bb_app_maintenance_is_free(const struct bb_app *app, struct bb_error *err)
{
	const struct bb_maintenance *work = &app->maintenance;

	if (app->stopping)
		return bb_error_set(err, BB_EBUSY, "the daemon is ending");
	if (app->coming || app->reloads.is_reading)
		return bb_error_set(err, BB_EBUSY, "a reload is under way: try again in a moment");
	if (work->phase != BB_MAINTENANCE_NONE)
		return bb_error_set(err, BB_EBUSY, "a %s is under way: see the status",
				    kinds[work->kind].long_name);
	return BB_OK;
}

int bb_app_purge(void *ctx, struct bb_error *err)
{
	struct bb_app *app = ctx;
	int code = bb_app_maintenance_is_free(app, err);

	if (code)
		return code;
	bb_app_maintenance_begin(app, BB_MAINTENANCE_PURGE, BB_MAINTENANCE_HOLDING);
	bb_log(BB_LOG_NOTICE, "purging", "ingestion pauses, look-ups go on");
	bb_ingest_hold(app->ingest);
	return BB_OK;
}

void bb_app_maintenance_change_rules(struct bb_app *app)
{
	const struct bb_rules *now = &app->ruling->rules;

	bb_app_maintenance_begin(app, BB_MAINTENANCE_RULES, BB_MAINTENANCE_HOLDING);
	/* how much of the feed is kept changes at a start only */
	app->coming->rules.changes_max = now->changes_max;
	app->coming->rules.changes_age_ms = now->changes_age_ms;
	bb_app_rules_patience();
	bb_log(BB_LOG_NOTICE, "rules_changed",
	       "other rules of identity are applied to the past: ingestion pauses, look-ups go on "
	       "under the old ones; changes of normalise, region and derive act on new events "
	       "only");
}

bool bb_app_maintenance_waits(const struct bb_app *app)
{
	return app->maintenance.phase == BB_MAINTENANCE_HOLDING &&
	       app->maintenance.kind == BB_MAINTENANCE_RULES;
}

void bb_app_maintenance_withdraw(struct bb_app *app)
{
	app->maintenance.phase = BB_MAINTENANCE_NONE;
}

bool bb_app_maintenance_tell(const struct bb_app *app)
{
	const struct bb_maintenance *work = &app->maintenance;
	uint64_t done = atomic_load_explicit(&work->done, memory_order_relaxed);
	uint64_t total = atomic_load_explicit(&work->total, memory_order_relaxed);

	if (work->phase == BB_MAINTENANCE_NONE)
		return false;
	if (work->kind == BB_MAINTENANCE_RULES)
		bb_app_rules_patience(); /* it is a reload that takes longer */
	bb_sdnotify_status("%s: %s, %" PRIu64 " %%; look-ups go on", kinds[work->kind].name,
			   phase_names[work->phase], total ? 100 * done / total : 0);
	return true;
}

void bb_app_maintenance_init(struct bb_app *app)
{
	uv_timer_init(&app->loop, &app->maintenance.retry);
	app->maintenance.retry.data = app;
	app->maintenance.work.data = app;
}

void bb_app_maintenance_copy(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;

	work->phase = BB_MAINTENANCE_COPYING;
	bb_assert(uv_queue_work(&app->loop, &work->work, on_copy, on_copied) == 0);
}

void bb_app_maintenance_idle(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;

	if (work->phase != BB_MAINTENANCE_HOLDING || app->stopping)
		return;
	if (work->kind == BB_MAINTENANCE_REBUILD) {
		bb_app_rebuild_idle(app);
		return;
	}
	work->before_bytes = file_bytes(app);
	bb_app_maintenance_copy(app);
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
		ret_status->what = bb_text_of(kinds[work->kind].name);
		ret_status->phase = bb_text_of(phase_names[work->phase]);
		if (work->phase == BB_MAINTENANCE_BUILDING)
			ret_status->per_second = app->rebuild.per_second;
	}
	if (!work->ended_ms)
		return;
	ret_status->last = bb_text_of(kinds[work->last_kind].name);
	ret_status->result = work->last == BB_OK     ? BB_TEXT("done")
			     : work->last == BB_EGAP ? BB_TEXT("refused")
						     : BB_TEXT("failed");
	if (work->last != BB_OK)
		ret_status->detail = bb_text_of(work->detail);
	ret_status->ended_ms = work->ended_ms;
	ret_status->before_bytes = work->last_before_bytes;
	ret_status->after_bytes = work->after_bytes;
}

void bb_app_maintenance_cancel(struct bb_app *app)
{
	atomic_store_explicit(&app->maintenance.cancelled, true, memory_order_relaxed);
}

void bb_app_maintenance_stop(struct bb_app *app)
{
	bb_app_maintenance_cancel(app);
	bb_app_rebuild_stop(app);
}

void bb_app_maintenance_fini(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	struct bb_error err;

	bb_app_rebuild_fini(app);
	if (work->beside && bb_store_close_beside(work->beside, &err))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", err.msg);
	work->beside = NULL;
}
