/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon. Start: configuration, sockets handed over, store, loop, ingest with the stored
 * positions, sources, look-ups, signals, ingestion; from then on look-ups are answered (READY=1),
 * while ingestion finds its topics. Stop, the other way round: ingestion drains and commits,
 * look-ups end, handles close, the loop is empty, sources, store.
 *
 * What fails at the start ends it with the exit code of its kind. While running only the store can
 * end it: everything else is said and tried again.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#define TICK_MS 1000
#define STATUS_TICKS 5 /* the service manager is told so often */
#define STOP_EXTRA_MS 30000

/* --- the store, as ingest reaches it ---------------------------------------------------------- */

static int on_read_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app *app = ctx;

	return bb_store_read_begin(app->reader, ret_kv);
}

static void on_read_end(void *ctx, struct bb_kv *kv)
{
	struct bb_app *app = ctx;

	(void)kv;
	bb_store_read_end(app->reader);
}

static int on_write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app *app = ctx;

	return bb_store_write_begin(app->store, ret_kv);
}

/* --- stop ------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle)
{
	if (handle->loop && !uv_is_closing(handle))
		uv_close(handle, NULL); /* they are part of the app */
}

static void on_serve_stopped(void *ctx)
{
	struct bb_app *app = ctx;

	app->serve = NULL;
	close_handle((uv_handle_t *)&app->term);
	close_handle((uv_handle_t *)&app->interrupt);
	close_handle((uv_handle_t *)&app->hangup);
	close_handle((uv_handle_t *)&app->tick);
	close_handle((uv_handle_t *)&app->watchdog);
	close_handle((uv_handle_t *)&app->maintenance.retry);
}

static void on_ingest_stopped(void *ctx)
{
	struct bb_app *app = ctx;

	if (app->serve)
		bb_serve_stop(app->serve, on_serve_stopped, app);
	else
		on_serve_stopped(app);
}

void bb_app_stop(struct bb_app *app, enum bb_exit code)
{
	if (app->stopping) { /* what fails on the way is not lost behind the reason of the stop */
		app->exit = app->exit == BB_EXIT_OK ? code : app->exit;
		return;
	}
	app->stopping = true;
	app->exit = code;
	bb_log(BB_LOG_NOTICE, "stopping", "exit=%d", (int)code);
	bb_sdnotify_stopping("draining");
	bb_sdnotify_extend(STOP_EXTRA_MS);
	bb_app_maintenance_stop(app);
	bb_app_reload_stop(app);
	bb_ingest_stop(app->ingest);
}

static void on_stop_signal(uv_signal_t *handle, int signal)
{
	struct bb_app *app = handle->data;

	if (app->stopping) {
		bb_log(BB_LOG_WARNING, "stopped_at_once",
		       "signal=%d; what was not committed is read again at the next start", signal);
		_exit(BB_EXIT_FAILURE);
	}
	bb_app_stop(app, BB_EXIT_OK);
}

static void on_reload_signal(uv_signal_t *handle, int signal)
{
	struct bb_app *app = handle->data;

	(void)signal;
	bb_app_reload(app);
}

static void on_ingest_idle(void *ctx)
{
	struct bb_app *app = ctx;

	if (app->reloads.is_reading)
		return; /* it reads what would be exchanged; on_read asks for this once more */
	if (app->maintenance.phase == BB_MAINTENANCE_NONE)
		bb_app_reload_finish(app);
	else
		bb_app_maintenance_idle(app);
}

static void on_ingest_commit(void *ctx)
{
	struct bb_app *app = ctx;

	if (app->serve)
		bb_serve_committed(app->serve);
}

/* --- when ingestion ends by itself ------------------------------------------------------------ */

static enum bb_exit exit_of_failed_store(const struct bb_error *err)
{
	if (err->code == BB_ECONFIG) {
		bb_log(BB_LOG_ERROR, "rules_changed",
		       "the identity rules are not those of this store: a start applies them to "
		       "what is stored");
		return BB_EXIT_CONFIG;
	}
	return err->code == BB_ECORRUPT ? BB_EXIT_DAMAGED : BB_EXIT_STORE;
}

static enum bb_exit exit_of_once(const struct bb_error *err)
{
	switch (err->code) {
	case BB_OK:
		return BB_EXIT_OK;
	case BB_EGAP:
		return BB_EXIT_GAP;
	case BB_EIO:
		return BB_EXIT_UNREADABLE;
	default:
		return BB_EXIT_BROKER;
	}
}

static void on_ingest_end(void *ctx, bool store_failed, const struct bb_error *err)
{
	struct bb_app *app = ctx;

	if (!store_failed && err->code)
		bb_log(BB_LOG_ERROR, "not_everything_read", "%s", err->msg);
	bb_app_stop(app, store_failed ? exit_of_failed_store(err) : exit_of_once(err));
}

/* --- status ----------------------------------------------------------------------------------- */

/* What is wrong with the store shows when it is written next; a status has noughts then. */
static uint64_t count_profiles(struct bb_app *app)
{
	uint64_t profiles = 0;
	struct bb_kv *kv;

	if (bb_store_read_begin(app->reader, &kv))
		return 0;
	if (bb_count_profiles(kv, &profiles))
		profiles = 0;
	bb_store_read_end(app->reader);
	return profiles;
}

static void on_status(void *ctx, struct bb_arena *arena, struct bb_status *ret_status)
{
	struct bb_app *app = ctx;
	struct bb_store_stats stats;

	bb_ingest_status(app->ingest, arena, ret_status);
	ret_status->started_ms = app->started_ms;
	if (app->stopping)
		ret_status->state = BB_TEXT("draining");
	bb_app_maintenance_status(app, &ret_status->maintenance);
	bb_app_reload_status(app, &ret_status->reload);
	ret_status->profiles = count_profiles(app);
	if (bb_store_stats(app->store, &stats))
		return;
	ret_status->dead_letters = stats.entries[BB_TABLE_DEAD_LETTER];
	ret_status->identifiers = stats.entries[BB_TABLE_IDENTIFIER];
	ret_status->store_used_bytes = stats.used_bytes;
	ret_status->store_file_bytes = stats.file_bytes;
	ret_status->checksum_failures = stats.checksum_failures;
}

static void tell_status(struct bb_app *app)
{
	struct bb_status status = {0};
	struct bb_arena arena;
	uint64_t lag = 0;

	if (bb_app_maintenance_tell(app))
		return;
	bb_arena_init(&arena);
	bb_ingest_status(app->ingest, &arena, &status);
	for (size_t i = 0; i < status.partition_n; i++) {
		const struct bb_status_partition *part = &status.partitions[i];

		if (part->end_offset > part->next_offset && part->next_offset >= 0)
			lag += (uint64_t)(part->end_offset - part->next_offset);
	}
	if (status.ready)
		bb_sdnotify_status("%zu partitions, %" PRIu64 " records behind", status.partition_n,
				   lag);
	else
		bb_sdnotify_status("look-ups only: %.*s", (int)status.reasons[0].detail.n,
				   status.reasons[0].detail.p);
	bb_arena_fini(&arena);
}

static void on_tick(uv_timer_t *timer)
{
	struct bb_app *app = timer->data;
	uint64_t now_ms = uv_now(&app->loop);

	if (now_ms >= app->tick_due_ms)
		bb_metrics_observe(app->metrics, BB_METRIC_LOOP_LAG, BB_LABELS_NONE,
				   (now_ms - app->tick_due_ms) * UINT64_C(1000000));
	app->tick_due_ms = now_ms + TICK_MS;
	bb_app_rebuild_tick(app);
	bb_app_reload_next(app);
	if (!app->stopping && app->ticks++ % STATUS_TICKS == 0)
		tell_status(app);
}

static void on_watchdog(uv_timer_t *timer)
{
	(void)timer;
	bb_sdnotify_watchdog();
}

/* --- start ------------------------------------------------------------------------------------ */

static int find_sockets(int *ret_query_fd, int *ret_admin_fd, struct bb_error *err)
{
	struct bb_listen_fd fds[BB_LISTEN_FDS_MAX];
	size_t n = 0;
	int code = bb_listen_fds(fds, &n, err);

	*ret_query_fd = *ret_admin_fd = -1;
	if (code)
		return code;
	for (size_t i = 0; i < n; i++) {
		int *place = strcmp(fds[i].name, "query") == 0	 ? ret_query_fd
			     : strcmp(fds[i].name, "admin") == 0 ? ret_admin_fd
								 : NULL;

		if (place && *place < 0) {
			*place = fds[i].fd;
			continue;
		}
		bb_log(BB_LOG_WARNING, "socket_not_used",
		       "name=%s; sockets handed over must be named query or admin, one of each",
		       fds[i].name);
		close(fds[i].fd);
	}
	return BB_OK;
}

/* Rules other than the store's are applied to the past before anything is read. */
static int check_rules(struct bb_app *app, struct bb_error *err)
{
	struct bb_kv *kv;
	int code = bb_store_read_begin(app->reader, &kv);

	if (!code) {
		code = bb_pipeline_rules_match(kv, &app->config->rules);
		bb_store_read_end(app->reader);
	}
	if (code == BB_ECONFIG)
		return bb_app_adopt(app, err);
	if (code)
		bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	return code;
}

static int start_ingest(struct bb_app *app, struct bb_error *err)
{
	struct bb_ingest_options options = {
		.loop = &app->loop,
		.store = {.read_begin = on_read_begin,
			  .read_end = on_read_end,
			  .write_begin = on_write_begin,
			  .write_commit = bb_store_write_commit,
			  .write_abort = bb_store_write_abort,
			  .ctx = app},
		.rules = &app->config->rules,
		.metrics = app->metrics,
		.batch_events = app->config->batch_events,
		.batch_bytes = app->config->batch_bytes,
		.dead_letter_days = app->config->dead_letter_days,
		.once = app->options.once,
		.on_end = on_ingest_end,
		.on_stopped = on_ingest_stopped,
		.on_idle = on_ingest_idle,
		.on_commit = on_ingest_commit,
		.ctx = app,
	};
	int code = bb_store_reader_new(app->store, &app->reader);

	if (code)
		return bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	code = check_rules(app, err);
	if (!code)
		code = bb_ingest_new(&options, &app->ingest, err);
	bb_app_sources_warn(app->config);
	return code ? code
		    : bb_app_sources_new(&app->sources, app->config, app->ingest,
					 app->config->kafka_group, err);
}

static int on_order(void *ctx, struct bb_order *order)
{
	struct bb_app *app = ctx;

	bb_app_rebuild_order(app);
	return bb_ingest_order(app->ingest, order);
}

static int start_serve(struct bb_app *app, int query_fd, int admin_fd, struct bb_error *err)
{
	struct bb_serve_options options = {
		.config = app->config,
		.rules = &app->config->rules,
		.store = app->store,
		.query_fd = query_fd,
		.admin_fd = admin_fd,
		.metrics = app->metrics,
		.status = on_status,
		.status_ctx = app,
		.order = on_order,
		.order_ctx = app,
		.purge = bb_app_purge,
		.rebuild = bb_app_rebuild,
		.rebuild_cancel = bb_app_rebuild_cancel,
		.maintenance_ctx = app,
		.reload = bb_app_reload_asked,
		.reload_ctx = app,
	};

	return app->options.once ? BB_OK : bb_serve_new(&app->loop, &options, &app->serve, err);
}

static void start_signal(struct bb_app *app, uv_signal_t *handle, uv_signal_cb on_signal,
			 int number)
{
	bb_assert(uv_signal_init(&app->loop, handle) == 0);
	handle->data = app;
	bb_assert(uv_signal_start(handle, on_signal, number) == 0);
}

static void start_handles(struct bb_app *app)
{
	uint64_t watchdog_ms = bb_sdnotify_watchdog_ms() / 2;

	start_signal(app, &app->term, on_stop_signal, SIGTERM);
	start_signal(app, &app->interrupt, on_stop_signal, SIGINT);
	start_signal(app, &app->hangup, on_reload_signal, SIGHUP);
	uv_timer_init(&app->loop, &app->tick);
	uv_timer_init(&app->loop, &app->watchdog);
	bb_app_maintenance_init(app);
	app->tick.data = app;
	app->tick_due_ms = uv_now(&app->loop) + TICK_MS;
	uv_timer_start(&app->tick, on_tick, TICK_MS, TICK_MS);
	if (watchdog_ms)
		uv_timer_start(&app->watchdog, on_watchdog, 0, watchdog_ms);
}

static enum bb_exit exit_of_start(const struct bb_error *err)
{
	switch (err->code) {
	case BB_ECONFIG:
		return BB_EXIT_CONFIG;
	case BB_ECORRUPT:
		return BB_EXIT_DAMAGED;
	default:
		return BB_EXIT_FAILURE;
	}
}

/* Everything that can fail; what was made is freed by the caller, also after a failure. */
static enum bb_exit start(struct bb_app *app)
{
	struct bb_error err = {0};
	int query_fd, admin_fd, code;

	app->config = bb_app_load(app->options.config_file, &code);
	if (!app->config)
		return (enum bb_exit)code;
	app->ruling = app->config;
	if (find_sockets(&query_fd, &admin_fd, &err))
		goto failed;
	code = bb_app_open_store(app->config, &app->store);
	if (code)
		return (enum bb_exit)code;
	bb_assert(uv_loop_init(&app->loop) == 0);
	app->loop_open = true;
	if (start_ingest(app, &err) || start_serve(app, query_fd, admin_fd, &err))
		goto failed;
	start_handles(app);
	return BB_EXIT_OK;
failed:
	bb_log(BB_LOG_ERROR, "not_started", "%s", err.msg);
	return exit_of_start(&err);
}

static void finish(struct bb_app *app)
{
	if (app->loop_open)
		bb_assert(uv_loop_close(&app->loop) == 0);
	bb_ingest_free(app->ingest);
	bb_app_sources_free(&app->sources);
	bb_store_reader_free(app->reader);
	bb_app_maintenance_fini(app);
	bb_app_reload_fini(app);
	bb_store_close(app->store);
	bb_metrics_free(app->metrics);
	bb_config_free(app->coming);
	if (app->latest != app->ruling)
		bb_config_free(app->latest);
	if (app->ruling != app->config)
		bb_config_free(app->ruling);
	bb_config_free(app->config);
}

int bb_app_run(const struct bb_app_options *options)
{
	struct bb_app app = {.options = *options};

	bb_assert(sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL) == 0);
	bb_log(BB_LOG_NOTICE, "starting", "version=%s config=%s", BB_VERSION, options->config_file);
	app.metrics = bb_metrics_new();
	bb_metrics_set(app.metrics, BB_METRIC_BUILD, BB_LABELS(BB_VERSION), 1);
	app.started_ms = bb_clock_wall_ms();
	app.exit = start(&app);
	if (app.exit == BB_EXIT_OK) {
		bb_ingest_start(app.ingest);
		bb_sdnotify_ready("look-ups are answered");
		bb_log(BB_LOG_NOTICE, "started", "partitions and topics are being looked for");
		uv_run(&app.loop, UV_RUN_DEFAULT);
	}
	finish(&app);
	bb_log(BB_LOG_NOTICE, "stopped", "exit=%d", (int)app.exit);
	return app.exit;
}
