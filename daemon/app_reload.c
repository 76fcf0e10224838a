/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reload: the files are read again, checked and compiled on a thread of the pool (app_reading.c),
 * while look-ups and ingestion go on; connectors whose files have not changed stay as they are. If
 * all is well, ingestion takes nothing more until what it has taken is committed, then the new
 * connectors take the places of the old ones: each message meets one of them only. Topics that are
 * read on are not touched: their partitions stay assigned, and what was fetched of them stays in
 * its queue. Other rules of identity are applied to the past first (app_maintenance.c), while
 * look-ups go on.
 *
 * One reading at a time, and nothing is exchanged during one. Who asks meanwhile, by a signal or by
 * HTTP, is served by one more behind it: all of them by the same one, which begins after they
 * asked. That is when the first reload has ended, or has waited for a second: a batch that waits
 * for space in the store is in flight, which is said, and then the further reload takes the place
 * of the one that waits.
 *
 * A mistake anywhere changes nothing and is said. Whoever waits when the daemon ends is told so.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>
#include <stdlib.h>

#define PATIENCE_MS 1000 /* of a further reload, with one that waits until nothing is in flight */

struct bb_config *bb_app_reload_current(const struct bb_app *app)
{
	return app->latest ? app->latest : app->config;
}

static void ready_again(struct bb_app *app, const char *result, const char *status)
{
	bb_metrics_add(app->metrics, BB_METRIC_RELOADS, BB_LABELS(result), 1);
	bb_sdnotify_ready(status);
}

static void refuse(struct bb_app *app)
{
	bb_log(BB_LOG_ERROR, "reload_refused", "nothing was changed");
	ready_again(app, "refused", "the reload was refused, nothing was changed; see the log");
}

/* --- what is not in use any more: a plan may have hundreds of MiB, which end on the pool ------ */

struct burial {
	uv_work_t work;
	struct bb_config *config;
};

static void on_bury(uv_work_t *work)
{
	struct burial *burial = work->data;

	bb_config_free(burial->config);
}

static void on_buried(uv_work_t *work, int status)
{
	bb_assert(status == 0); /* never cancelled in the pool's queue */
	free(work->data);
}

static void bury(struct bb_app *app, struct bb_config *config)
{
	struct burial *burial;

	if (!config)
		return;
	burial = calloc(1, sizeof *burial);
	bb_assert(burial);
	burial->work.data = burial;
	burial->config = config;
	bb_assert(uv_queue_work(&app->loop, &burial->work, on_bury, on_buried) == 0);
}

/* --- who waits for a reading ------------------------------------------------------------------ */

static void answer(struct bb_reload_wish **wishes, int code, struct bb_text said)
{
	struct bb_reload_wish *wish = *wishes;

	*wishes = NULL;
	while (wish) {
		struct bb_reload_wish *next = wish->next;

		wish->done(wish, code, said); /* it is gone */
		wish = next;
	}
}

static void add(struct bb_reload_wish **wishes, struct bb_reload_wish *wish)
{
	wish->next = *wishes;
	*wishes = wish;
}

/* Whether the store is being written anew, and no reload can take the place of that. */
static bool is_barred(const struct bb_app *app)
{
	return app->maintenance.phase != BB_MAINTENANCE_NONE && !bb_app_maintenance_waits(app);
}

static const char barred[] = "the store is being written anew: try again when that has ended, see "
			     "the status";
static const char ending[] = "the daemon is ending";

/* --- the reading ------------------------------------------------------------------------------ */

static void take_place(struct bb_app *app, struct bb_app_reading *reading, struct bb_buf *said)
{
	bury(app, app->coming); /* one that still waits is overtaken by this one */
	app->coming = reading->config;
	reading->config = NULL;
	bb_buf_fini(&app->reloads.line);
	app->reloads.line = reading->line;
	reading->line = BB_BUF_EMPTY;
	app->reloads.run++;
	app->reloads.waiting = true;
	app->reloads.since_ms = uv_now(&app->loop);
	bb_buf_printf(said, "\"run\":%" PRIu64 "%.*s", app->reloads.run, (int)reading->said.n,
		      reading->said.p);
	if (bb_app_maintenance_waits(app))
		bb_app_maintenance_withdraw(app);
	if (reading->other_rules)
		bb_app_maintenance_change_rules(app);
}

/* Nothing was changed, so whatever is in force, or waits, stays. */
static void drop(struct bb_app *app)
{
	if (app->stopping) {
		answer(&app->reloads.asked, BB_EBUSY, bb_text_of(ending));
		return;
	}
	refuse(app);
	answer(&app->reloads.asked, BB_ECONFIG, bb_buf_slice(&app->reloads.reading.said));
}

static void on_read(uv_work_t *work, int status)
{
	struct bb_app *app = work->data;
	struct bb_app_reading *reading = &app->reloads.reading;
	struct bb_buf said = BB_BUF_EMPTY;

	bb_assert(status == 0); /* never cancelled in the pool's queue */
	app->reloads.is_reading = false;
	if (reading->config && !app->stopping) {
		take_place(app, reading, &said);
		answer(&app->reloads.asked, BB_OK, bb_buf_slice(&said));
	} else {
		drop(app);
	}
	bb_buf_fini(&said);
	bb_app_reading_fini(reading);
	if (app->stopping)
		return;
	if (app->coming)
		bb_ingest_hold(app->ingest); /* tells once more when nothing is in flight */
	else
		bb_app_reload_next(app);
}

static void on_reading(uv_work_t *work)
{
	struct bb_app *app = work->data;

	bb_app_reading_run(app, &app->reloads.reading);
}

static void begin(struct bb_app *app)
{
	struct bb_reloads *reloads = &app->reloads;

	reloads->is_reading = true;
	reloads->is_wanted = false;
	reloads->asked = reloads->wishes;
	reloads->wishes = NULL;
	bb_sdnotify_reloading();
	reloads->work.data = app;
	bb_assert(uv_queue_work(&app->loop, &reloads->work, on_reading, on_read) == 0);
}

void bb_app_reload_next(struct bb_app *app)
{
	struct bb_reloads *reloads = &app->reloads;

	if (reloads->is_reading || app->stopping || (!reloads->is_wanted && !reloads->wishes))
		return;
	if (is_barred(app)) /* a signal's is done afterwards */
		answer(&reloads->wishes, BB_EBUSY, bb_text_of(barred));
	else if (!app->coming || uv_now(&app->loop) - reloads->since_ms >= PATIENCE_MS)
		begin(app);
}

void bb_app_reload(struct bb_app *app)
{
	app->reloads.is_wanted = true;
	bb_app_reload_next(app);
}

int bb_app_reload_asked(void *ctx, struct bb_reload_wish *wish, struct bb_error *err)
{
	struct bb_app *app = ctx;

	if (app->stopping)
		return bb_error_set(err, BB_EBUSY, "%s", ending);
	if (is_barred(app))
		return bb_error_set(err, BB_EBUSY, "%s", barred);
	add(&app->reloads.wishes, wish);
	bb_app_reload_next(app);
	return BB_OK;
}

void bb_app_reload_stop(struct bb_app *app)
{
	answer(&app->reloads.wishes, BB_EBUSY, bb_text_of(ending));
}

void bb_app_reload_fini(struct bb_app *app)
{
	bb_assert(!app->reloads.is_reading && !app->reloads.asked && !app->reloads.wishes);
	bb_buf_fini(&app->reloads.line);
}

void bb_app_reload_status(const struct bb_app *app, struct bb_status_reload *ret_status)
{
	const struct bb_reloads *reloads = &app->reloads;

	*ret_status = (struct bb_status_reload){
		.run = reloads->run, .waiting = reloads->waiting, .ended_ms = reloads->ended_ms};
	if (reloads->run && !reloads->waiting)
		ret_status->result = reloads->last == BB_OK ? BB_TEXT("done") : BB_TEXT("failed");
}

/* --- the exchange ----------------------------------------------------------------------------- */

/* One that nobody may have any more. */
static void release(struct bb_app *app, struct bb_config *config)
{
	if (config != app->config && config != app->ruling && config != app->latest)
		bury(app, config);
}

static void take_rules(struct bb_app *app)
{
	const struct bb_rules *rules = &app->coming->rules;

	bb_ingest_rules_set(app->ingest, rules);
	if (app->serve)
		bb_serve_rules_set(app->serve, rules);
	app->ruling = app->coming;
}

void bb_app_reload_take(struct bb_app *app, bool with_rules)
{
	struct bb_config *latest = app->latest, *ruling = app->ruling, *parted;

	bb_assert(!app->reloads.is_reading); /* that reads what is exchanged here */
	bb_log(BB_LOG_NOTICE, "connectors", "%.*s", (int)app->reloads.line.n, app->reloads.line.p);
	if (with_rules)
		take_rules(app);
	bb_config_take(app->coming, bb_app_reload_current(app));
	bb_app_sources_route(&app->sources, app->coming);
	app->latest = app->coming;
	app->coming = NULL;
	parted =
		bb_config_follow(app->config, app->latest); /* of its own none is in use any more */
	if (app->serve)
		bb_serve_config_set(app->serve, app->latest);
	bury(app, parted);
	release(app, latest);
	if (ruling != latest)
		release(app, ruling);
}

static void note_end(struct bb_app *app, int code)
{
	app->reloads.waiting = false;
	app->reloads.last = code;
	app->reloads.ended_ms = bb_clock_wall_ms();
}

static void tell_done(struct bb_app *app)
{
	note_end(app, BB_OK);
	bb_log(BB_LOG_NOTICE, "reloaded", "connectors=%zu", app->latest->connector_n);
	ready_again(app, "done", "reloaded");
}

void bb_app_reload_finish(struct bb_app *app)
{
	if (!app->coming)
		return;
	bb_app_reload_take(app, false);
	bb_ingest_go(app->ingest);
	tell_done(app);
	bb_app_reload_next(app);
}

void bb_app_reload_end(struct bb_app *app, int code)
{
	if (code == BB_OK) {
		tell_done(app);
		return;
	}
	bury(app, app->coming);
	app->coming = NULL;
	note_end(app, code);
	refuse(app);
}
