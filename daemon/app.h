/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The composition root of backboned: owns every object, the order of start and stop, signals and
 * reload. Each of these runs is a whole program and returns its exit code.
 */
#ifndef BB_APP_H
#define BB_APP_H

#include <backbone/config.h>
#include <backbone/ingest.h>
#include <backbone/serve.h>
#include <backbone/store.h>
#include <uv.h>

/* X(name, code, when) */
#define BB_EXITS(X)                                                                                \
	X(OK, 0, "ended as asked; with --once: everything was read and committed")                 \
	X(FAILURE, 1, "it could not start, or ended at once after a second signal")                \
	X(USAGE, 2, "the arguments are wrong")                                                     \
	X(DAMAGED, 65, "bytes in the store are damaged")                                           \
	X(UNREADABLE, 66, "--once: a file cannot be read")                                         \
	X(BROKER, 69, "--once: the broker does not answer")                                        \
	X(GAP, 70, "--once: a log does not continue where the store left off")                     \
	X(STORE, 74,                                                                               \
	  "the store could not be read or written; a start takes up from the last commit")         \
	X(BUSY, 75, "another process uses the store")                                              \
	X(CONFIG, 78, "the configuration is wrong, or is not the one of this store")

enum bb_exit {
#define X(name, code, text) BB_EXIT_##name = (code),
	BB_EXITS(X)
#undef X
};

struct bb_app_options {
	const char *config_file;
	bool once;
};

#define BB_APP_REPLAYS_MAX (BB_INGEST_SOURCES_MAX - 1)

struct bb_app {
	struct bb_app_options options;
	struct bb_config *config; /* of the start: rules, store, sockets; borrowed by all */
	struct bb_config *latest; /* of the last reload, or NULL: connectors */
	struct bb_config *coming; /* loaded, waiting until nothing is in flight */
	struct bb_store *store;
	struct bb_store_reader
		*reader; /* of the loop: stored positions at the start, counts of a status */
	struct bb_metrics *metrics;
	uv_loop_t loop;
	bool loop_open;
	struct bb_source *kafka;
	struct bb_source *replays[BB_APP_REPLAYS_MAX];
	size_t replay_n;
	struct bb_ingest *ingest;
	struct bb_serve *serve;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t tick, watchdog;
	uint64_t tick_due_ms; /* loop time */
	unsigned ticks;
	int64_t started_ms;
	bool stopping;
	enum bb_exit exit;
};

/* app.c: the daemon. */
int bb_app_run(const struct bb_app_options *options);

/* app_tool.c: reads the configuration and says what is wrong with it. */
int bb_app_check(const char *config_file);

/* app_tool.c: `where` is TOPIC/PARTITION[@start|@end|@OFFSET]. The daemon must not run. */
int bb_app_accept_gap(const char *config_file, const char *where);

/* app_tool.c: loads; what is wrong is logged, line by line. NULL: it is. */
struct bb_config *bb_app_load(const char *file, int *ret_exit);

/* app_tool.c: the store of the configuration. */
int bb_app_open_store(const struct bb_config *config, struct bb_store **ret_store);

/* app_reload.c: on SIGHUP; and when nothing is in flight. */
void bb_app_reload(struct bb_app *app);
void bb_app_reload_finish(struct bb_app *app);

/* app_sources.c */
BB_MUST_CHECK int bb_app_sources_new(struct bb_app *app, struct bb_error *err);
void bb_app_sources_route(struct bb_app *app, const struct bb_config *config);
void bb_app_sources_free(struct bb_app *app);

/* app_sources.c: options for librdkafka in the form of its source; in the arena. */
const struct bb_kafka_option *bb_app_kafka_options(const struct bb_config *config,
						   struct bb_arena *arena);

#endif
