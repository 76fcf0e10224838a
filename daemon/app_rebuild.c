/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building the store anew from the log, so that changed connectors count for the past too:
 *
 *	OPENING	  pool: an empty store in the folder `next`; erasures, and the rulings that are in
 *		  no log, are carried there first
 *	BUILDING  a second ingest, with sources of its own and no position, reads all there is. The
 *		  first goes on: look-ups and events of now know nothing of it. Erasures and rulings
 *		  that are given meanwhile are carried over as they come
 *	HOLDING	  the second is near: the first commits what it has taken, and takes no more
 *	CATCHING  the second reads up to the first's positions, and gets the last orders
 *	CLOSING	  the second commits and ends
 *	COPYING	  pool: audit log and change feed follow, what is different is told there; synced
 *	SWAPPING  app_maintenance.c, as after a purge; the first ingest goes on from the positions
 *		  of the new contents, and drops what it has in hand below them
 *
 * The second may be ahead of the first; so it needs no equal moment, only not to be behind.
 *
 * Whatever goes wrong before the swap (no space, a file that cannot be read, a log that does not
 * reach back as far as the store does) ends it: the second store is thrown away, and the first was
 * never touched. So does a cancellation, a stop of the daemon, and a crash: nothing is resumed, the
 * next rebuild begins from the beginning. A broker that is away is waited for.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/beside.h>
#include <backbone/killpoint.h>
#include <backbone/log.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define CATCH_PATIENCE_MS 30000 /* else the first goes on, and it is tried again */
#define DEAF_TICKS 60		/* seconds that a partition may be away */
#define BEGIN_TICKS 10		/* after which what is not begun yet is not waited for */
#define RATE_SHARE 0.2		/* of the last second in the rate */

static struct bb_app *app_of(struct bb_order *order)
{
	return (struct bb_app *)((char *)order - offsetof(struct bb_app, rebuild.order));
}

static bool is_rebuild(const struct bb_app *app)
{
	return app->maintenance.phase != BB_MAINTENANCE_NONE &&
	       app->maintenance.kind == BB_MAINTENANCE_REBUILD;
}

/* --- the end of it ---------------------------------------------------------------------------- */

static void free_second(struct bb_rebuild *rebuild)
{
	bb_ingest_free(rebuild->ingest);
	bb_metrics_free(rebuild->metrics);
	rebuild->ingest = NULL;
	rebuild->metrics = NULL;
	rebuild->runs = rebuild->ends = false;
}

/* Where its ingest has ended, or never began. On the pool: brokers may be slow to let go. */
static void close_second(struct bb_app *app)
{
	struct bb_rebuild *rebuild = &app->rebuild;

	bb_app_sources_free(&rebuild->sources);
	bb_store_reader_free(rebuild->reader);
	rebuild->reader = NULL;
}

static void discard(struct bb_app *app)
{
	struct bb_error ignored;

	if (app->maintenance.beside && bb_store_close_beside(app->maintenance.beside, &ignored))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", ignored.msg);
	app->maintenance.beside = NULL;
}

static void on_discard(uv_work_t *job)
{
	close_second(job->data);
	discard(job->data);
}

static void on_discarded(uv_work_t *job, int status)
{
	struct bb_app *app = job->data;

	bb_assert(status == 0);
	free_second(&app->rebuild);
	app->maintenance.err = app->rebuild.trouble;
	bb_app_maintenance_end(app, app->maintenance.err.code);
}

static void queue_discard(struct bb_app *app)
{
	app->maintenance.phase = BB_MAINTENANCE_DISCARDING;
	bb_assert(uv_queue_work(&app->loop, &app->maintenance.work, on_discard, on_discarded) == 0);
}

static void end_ingest(struct bb_rebuild *rebuild)
{
	if (!rebuild->runs || rebuild->ends)
		return;
	rebuild->ends = true;
	bb_ingest_stop(rebuild->ingest);
}

/* Gives it up from a phase in which no job of the pool is under way. */
__attribute__((format(printf, 3, 4))) static void give_up(struct bb_app *app, int code,
							  const char *fmt, ...)
{
	struct bb_rebuild *rebuild = &app->rebuild;
	va_list args;

	if (rebuild->trouble.code)
		return;
	va_start(args, fmt);
	vsnprintf(rebuild->trouble.msg, sizeof rebuild->trouble.msg, fmt, args);
	va_end(args);
	rebuild->trouble.code = code;
	if (app->stopping)
		return;
	app->maintenance.phase = BB_MAINTENANCE_DISCARDING;
	bb_ingest_go(app->ingest);
	end_ingest(rebuild);
}

/* --- orders that are given meanwhile ---------------------------------------------------------- */

static int on_carry(struct bb_order *order, struct bb_pipeline *pl, struct bb_kv *kv)
{
	return bb_app_carry_more(app_of(order), pl, kv);
}

static void carry(struct bb_rebuild *rebuild)
{
	if (rebuild->is_carrying || rebuild->ends)
		return;
	rebuild->is_carrying = bb_ingest_order(rebuild->ingest, &rebuild->order) == BB_OK;
	rebuild->is_last = app_of(&rebuild->order)->maintenance.phase == BB_MAINTENANCE_CATCHING;
}

static void look_at(struct bb_app *app);

static void on_carried(struct bb_order *order, int code)
{
	struct bb_app *app = app_of(order);
	struct bb_rebuild *rebuild = &app->rebuild;

	rebuild->is_carrying = false;
	bb_arena_reset(&rebuild->arena);
	if (code != BB_OK) {
		if (code != BB_EBUSY) /* it is being stopped */
			give_up(app, code,
				"erasures and rulings could not be carried to the second store; "
				"nothing was changed");
		return;
	}
	if (rebuild->carried.erasures || rebuild->carried.rulings)
		bb_log(BB_LOG_INFO, "rebuild_carried", "erasures=%" PRIu64 " rulings=%" PRIu64,
		       rebuild->carried.erasures, rebuild->carried.rulings);
	if (rebuild->carried.more)
		carry(rebuild);
	else if (rebuild->is_last)
		rebuild->is_carried = true;
	look_at(app);
}

void bb_app_rebuild_order(struct bb_app *app)
{
	app->rebuild.orders++;
}

/* An order is looked for when it was given and once more, as it may not have been done then. What
 * is missed so is found in CATCHING. */
static void carry_what_came(struct bb_rebuild *rebuild)
{
	if (rebuild->orders != rebuild->orders_seen)
		rebuild->looks = 2;
	rebuild->orders_seen = rebuild->orders;
	if (!rebuild->looks)
		return;
	rebuild->looks--;
	carry(rebuild);
}

/* --- how far it is ---------------------------------------------------------------------------- */

static void hold_first(struct bb_app *app)
{
	app->maintenance.phase = BB_MAINTENANCE_HOLDING;
	bb_ingest_hold(app->ingest);
}

void bb_app_rebuild_idle(struct bb_app *app)
{
	app->maintenance.phase = BB_MAINTENANCE_CATCHING;
	app->rebuild.since_ms = uv_now(&app->loop);
	app->rebuild.is_carried = app->rebuild.is_last = false;
	look_at(app);
}

/* The second lost its broker, say: events of now are not kept waiting for it. */
static void go_back(struct bb_app *app)
{
	bb_log(BB_LOG_WARNING, "rebuild_waits",
	       "the second store does not get the last records: ingestion goes on meanwhile");
	app->maintenance.phase = BB_MAINTENANCE_BUILDING;
	app->rebuild.since_ms = uv_now(&app->loop);
	bb_ingest_go(app->ingest);
}

static void catch_up(struct bb_app *app, const struct bb_positions *positions)
{
	struct bb_rebuild *rebuild = &app->rebuild;

	if (positions->behind) {
		if (uv_now(&app->loop) - rebuild->since_ms > CATCH_PATIENCE_MS)
			go_back(app);
	} else if (!rebuild->is_carried) {
		carry(rebuild);
	} else {
		bb_killpoint("rebuild-caught-up");
		app->maintenance.phase = BB_MAINTENANCE_CLOSING;
		end_ingest(rebuild);
	}
}

/* After each batch of the second, and every second. */
static void look_at(struct bb_app *app)
{
	struct bb_rebuild *rebuild = &app->rebuild;
	enum bb_maintenance_phase phase = app->maintenance.phase;
	struct bb_positions positions;
	struct bb_error err = {0};

	if (!is_rebuild(app) || app->stopping || rebuild->trouble.code ||
	    (phase != BB_MAINTENANCE_BUILDING && phase != BB_MAINTENANCE_CATCHING))
		return;
	bb_app_positions(app, &positions);
	rebuild->records = positions.done;
	bb_app_maintenance_progress(app, positions.done, positions.all);
	if (!rebuild->accept_loss && (positions.all_begun || rebuild->ticks > BEGIN_TICKS) &&
	    bb_app_positions_lost(app, false, &err))
		give_up(app, err.code, "%s", err.msg);
	else if (phase == BB_MAINTENANCE_CATCHING)
		catch_up(app, &positions);
	else if (positions.behind <= app->config->batch_events && !positions.deaf &&
		 bb_ingest_is_started(rebuild->ingest))
		hold_first(app);
}

/* What happened, without what to do: that is about the store, and this one is thrown away. */
static struct bb_text fact_of(const struct bb_status_reason *reason)
{
	const char *advice =
		memmem(reason->detail.p, reason->detail.n, BB_GAP_ADVICE, strlen(BB_GAP_ADVICE));

	return advice ? bb_text_bytes(reason->detail.p, (size_t)(advice - reason->detail.p))
		      : reason->detail;
}

/* What ends it: reasons for which an ingest is not ready and that do not go away by themselves. */
static void look_for_trouble(struct bb_app *app, struct bb_ingest *ingest, const char *whose)
{
	static const char *const ending[] = {"log_gap", "source_unreadable", "store_full"};
	static const int codes[] = {BB_EIO, BB_EIO, BB_ENOSPC};
	struct bb_status status = {0};
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_ingest_status(ingest, &arena, &status);
	for (size_t i = 0; i < status.reason_n; i++) {
		const struct bb_status_reason *reason = &status.reasons[i];
		struct bb_text detail = ingest == app->ingest ? reason->detail : fact_of(reason);

		for (size_t k = 0; k < sizeof ending / sizeof *ending; k++) {
			if (!bb_text_equal(reason->code, bb_text_of(ending[k])))
				continue;
			give_up(app, codes[k], "%s: %s: %.*s; nothing was changed", whose,
				ending[k], (int)detail.n, detail.p);
		}
	}
	bb_arena_fini(&arena);
}

static void measure(struct bb_rebuild *rebuild)
{
	double last = (double)(rebuild->records - rebuild->before);

	rebuild->per_second = rebuild->ticks == 1
				      ? last
				      : (1 - RATE_SHARE) * rebuild->per_second + RATE_SHARE * last;
	rebuild->before = rebuild->records;
}

void bb_app_rebuild_tick(struct bb_app *app)
{
	struct bb_rebuild *rebuild = &app->rebuild;
	struct bb_positions positions;

	if (!is_rebuild(app) || !rebuild->runs || rebuild->ends || app->stopping)
		return;
	rebuild->ticks++;
	look_for_trouble(app, rebuild->ingest, "the second store");
	look_for_trouble(app, app->ingest, "the store");
	if (rebuild->trouble.code)
		return;
	carry_what_came(rebuild);
	bb_app_positions(app, &positions);
	rebuild->deaf_ticks = positions.deaf ? rebuild->deaf_ticks + 1 : 0;
	if (rebuild->deaf_ticks > DEAF_TICKS)
		give_up(app, BB_EGAP,
			"a partition that the store has records of cannot be read for a minute; "
			"nothing was changed");
	look_at(app);
	measure(rebuild);
}

/* --- the second ingest ------------------------------------------------------------------------ */

static int on_read_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app *app = ctx;

	return bb_store_read_begin(app->rebuild.reader, ret_kv);
}

static void on_read_end(void *ctx, struct bb_kv *kv)
{
	struct bb_app *app = ctx;

	(void)kv;
	bb_store_read_end(app->rebuild.reader);
}

static int on_write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app *app = ctx;

	return bb_store_write_begin(app->maintenance.beside, ret_kv);
}

static void on_end(void *ctx, bool store_failed, const struct bb_error *err)
{
	struct bb_app *app = ctx;

	bb_assert(store_failed); /* it is not `once` */
	give_up(app, err->code, "the second store: %s; nothing was changed", err->msg);
}

static void on_commit(void *ctx)
{
	struct bb_app *app = ctx;

	bb_killpoint("rebuild-reading");
	look_at(app);
}

static void on_idle(void *ctx)
{
	(void)ctx; /* it is never held */
}

static void on_stopped(void *ctx)
{
	struct bb_app *app = ctx;

	if (app->stopping)
		return; /* bb_app_rebuild_fini */
	if (app->rebuild.trouble.code)
		queue_discard(app);
	else
		bb_app_maintenance_copy(app);
}

static int make_second(struct bb_app *app, struct bb_error *err)
{
	struct bb_rebuild *rebuild = &app->rebuild;
	struct bb_ingest_options options = {
		.loop = &app->loop,
		.store = {.read_begin = on_read_begin,
			  .read_end = on_read_end,
			  .write_begin = on_write_begin,
			  .write_commit = bb_store_write_commit,
			  .write_abort = bb_store_write_abort,
			  .ctx = app},
		.rules = &app->ruling->rules,
		.batch_events = app->config->batch_events,
		.batch_bytes = app->config->batch_bytes,
		.dead_letter_days = app->config->dead_letter_days,
		.aside = true,
		.on_end = on_end,
		.on_stopped = on_stopped,
		.on_idle = on_idle,
		.on_commit = on_commit,
		.ctx = app,
	};
	int code = bb_store_reader_new(app->maintenance.beside, &rebuild->reader);

	if (code)
		return bb_error_set(err, code, "the second store cannot be read: %s",
				    bb_error_text(code));
	options.metrics = rebuild->metrics = bb_metrics_new();
	code = bb_ingest_new(&options, &rebuild->ingest, err);
	if (!code)
		code = bb_app_sources_new(&rebuild->sources, app->config, rebuild->ingest, NULL,
					  err);
	if (!code)
		bb_app_sources_route(&rebuild->sources, app->latest ? app->latest : app->config);
	return code;
}

/* --- the beginning ---------------------------------------------------------------------------- */

static void on_open(uv_work_t *job)
{
	struct bb_app *app = job->data;
	struct bb_maintenance *work = &app->maintenance;
	int code = bb_store_open_beside(app->store, &work->beside, &work->err);

	if (code)
		return;
	code = bb_store_room(app->store, work->beside, &work->err);
	if (code)
		return;
	code = bb_app_carry_orders(app);
	if (code)
		bb_error_set(&work->err, code,
			     "erasures and rulings could not be carried to the second store: %s; "
			     "nothing was changed",
			     bb_error_text(code));
	bb_killpoint("rebuild-begun");
}

static void on_opened(uv_work_t *job, int status)
{
	struct bb_app *app = job->data;
	struct bb_maintenance *work = &app->maintenance;
	struct bb_rebuild *rebuild = &app->rebuild;

	bb_assert(status == 0);
	if (app->stopping)
		return; /* bb_app_rebuild_fini */
	if (!work->err.code && rebuild->cancelled)
		bb_error_set(&work->err, BB_EBUSY, "cancelled; nothing was changed");
	if (!work->err.code)
		(void)!make_second(app, &work->err);
	if (work->err.code) {
		rebuild->trouble = work->err;
		queue_discard(app);
		return;
	}
	work->phase = BB_MAINTENANCE_BUILDING;
	rebuild->runs = true;
	bb_ingest_start(rebuild->ingest);
}

/* Only a daemon that is well is a measure of what can be read. */
static int check_ready(struct bb_app *app, struct bb_error *err)
{
	struct bb_status status = {0};
	struct bb_arena arena;
	int code = BB_OK;

	bb_arena_init(&arena);
	bb_ingest_status(app->ingest, &arena, &status);
	if (!status.ready)
		code = bb_error_set(err, BB_EBUSY, "the daemon is not ready: %.*s: %.*s",
				    (int)status.reasons[0].code.n, status.reasons[0].code.p,
				    (int)status.reasons[0].detail.n, status.reasons[0].detail.p);
	bb_arena_fini(&arena);
	return code;
}

int bb_app_rebuild(void *ctx, bool accept_loss, uint32_t uid, struct bb_error *err)
{
	struct bb_app *app = ctx;
	struct bb_rebuild *rebuild = &app->rebuild;
	uint64_t orders = rebuild->orders;
	int code = bb_app_maintenance_is_free(app, err);

	if (!code)
		code = check_ready(app, err);
	if (!code && !accept_loss)
		code = bb_app_positions_lost(app, true, err);
	if (code)
		return code;
	bb_arena_fini(&rebuild->arena);
	*rebuild = (struct bb_rebuild){.accept_loss = accept_loss,
				       .uid = uid,
				       .order = {.run = on_carry, .done = on_carried},
				       .orders = orders,
				       .orders_seen = orders};
	bb_arena_init(&rebuild->arena);
	bb_app_maintenance_begin(app, BB_MAINTENANCE_REBUILD, BB_MAINTENANCE_OPENING);
	bb_log(BB_LOG_NOTICE, "rebuilding",
	       "a second store is built from the beginning of the log; look-ups and ingestion go "
	       "on");
	bb_assert(uv_queue_work(&app->loop, &app->maintenance.work, on_open, on_opened) == 0);
	return BB_OK;
}

int bb_app_rebuild_cancel(void *ctx, struct bb_error *err)
{
	struct bb_app *app = ctx;

	if (!is_rebuild(app))
		return bb_error_set(err, BB_ENOTFOUND, "no rebuild is under way");
	if (app->maintenance.phase == BB_MAINTENANCE_CLEANING)
		return bb_error_set(err, BB_EBUSY,
				    "the second store has taken the first one's place already");
	app->rebuild.cancelled = true;
	bb_app_maintenance_cancel(app); /* jobs of the pool, and the swap */
	if (app->rebuild.runs && !app->rebuild.ends)
		give_up(app, BB_EBUSY, "cancelled; nothing was changed");
	return BB_OK;
}

/* --- completing it ---------------------------------------------------------------------------- */

void bb_app_rebuild_complete(struct bb_app *app)
{
	struct bb_maintenance *work = &app->maintenance;
	int code;

	close_second(app);
	code = bb_app_carry_end(app);
	bb_killpoint("rebuild-carried");
	if (code == BB_EBUSY)
		bb_error_set(&work->err, code, "given up; nothing was changed");
	else if (code)
		bb_error_set(&work->err, code,
			     "the second store could not be completed: %s; nothing was changed",
			     bb_error_text(code));
	if (!code) {
		bb_store_abreast(app->store, work->beside);
		code = bb_store_finish(app->store, work->beside, &work->err);
	}
	if (code)
		discard(app);
}

void bb_app_rebuild_completed(struct bb_app *app)
{
	free_second(&app->rebuild);
}

void bb_app_rebuild_stop(struct bb_app *app)
{
	if (is_rebuild(app))
		end_ingest(&app->rebuild);
}

void bb_app_rebuild_fini(struct bb_app *app)
{
	close_second(app);
	free_second(&app->rebuild);
	bb_arena_fini(&app->rebuild.arena);
}
