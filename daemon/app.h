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
#include <stdatomic.h>
#include <uv.h>

#include "app_rebuild.h"

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
	bool accept_dropped; /* identifiers of namespaces that are gone may be lost */
};

/* Work on the whole store: the second store, and its place. All the loop's, but for what a job of
 * the pool has while it runs: beside, err. */
enum bb_maintenance_kind { BB_MAINTENANCE_PURGE, BB_MAINTENANCE_RULES, BB_MAINTENANCE_REBUILD };

enum bb_maintenance_phase {
	BB_MAINTENANCE_NONE,
	BB_MAINTENANCE_HOLDING,	 /* ingestion ends what it has begun */
	BB_MAINTENANCE_COPYING,	 /* pool: the second store is filled */
	BB_MAINTENANCE_SWAPPING, /* until no snapshot is open, and rules not in use */
	BB_MAINTENANCE_CLEANING, /* pool: the old file goes */
	/* of a rebuild: app_rebuild.c */
	BB_MAINTENANCE_OPENING,
	BB_MAINTENANCE_BUILDING,
	BB_MAINTENANCE_CATCHING,
	BB_MAINTENANCE_CLOSING,
	BB_MAINTENANCE_DISCARDING
};

struct bb_maintenance {
	enum bb_maintenance_kind kind;
	enum bb_maintenance_phase phase;
	uint64_t run;
	uv_work_t work;
	uv_timer_t retry;
	struct bb_store *beside; /* NULL in SWAPPING: only the rules change */
	struct bb_error err;
	_Atomic uint64_t done, total;
	atomic_bool cancelled;
	uint64_t since_ms; /* loop time at which the swap was tried first */
	int64_t began_ms, ended_ms;
	uint64_t before_bytes, after_bytes, last_before_bytes;
	int last; /* how the last one ended */
	enum bb_maintenance_kind last_kind;
	char detail[1024];
};

/* What the files are, compared with what is in use. */
struct bb_app_reading {
	struct bb_config *config; /* NULL: they are refused */
	bool other_rules;	  /* of identity */
	struct bb_buf said;	  /* members of the answer; refused: lines of what is wrong */
	struct bb_buf line;	  /* of the log: what changes */
};

/* All the loop's, but for `reading` while it is one. */
struct bb_reloads {
	uv_work_t work;
	struct bb_app_reading reading;
	bool is_reading;	       /* on the pool: nothing is exchanged meanwhile */
	bool is_wanted;		       /* by SIGHUP, after this one */
	struct bb_reload_wish *asked;  /* to be answered with what this reading says */
	struct bb_reload_wish *wishes; /* with what the next one says */
	struct bb_buf line;	       /* of `coming` */
	/* of those that were not refused */
	uint64_t run;
	bool waiting;	   /* its configuration is `coming` */
	uint64_t since_ms; /* loop time at which it was read */
	int last;	   /* how the last one ended that waits no more */
	int64_t ended_ms;
};

struct bb_app {
	struct bb_app_options options;
	struct bb_config *config; /* of the start: store, sockets; borrowed by all */
	struct bb_config *ruling; /* whose rules are in use: that of the start, or of a reload */
	struct bb_config *latest; /* of the last reload, or NULL: connectors */
	struct bb_config *coming; /* loaded, waiting until nothing is in flight */
	struct bb_store *store;
	struct bb_store_reader
		*reader; /* of the loop: stored positions at the start, counts of a status */
	struct bb_metrics *metrics;
	uv_loop_t loop;
	bool loop_open;
	struct bb_app_sources sources;
	struct bb_ingest *ingest;
	struct bb_serve *serve;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t tick, watchdog;
	uint64_t tick_due_ms; /* loop time */
	unsigned ticks;
	int64_t started_ms;
	struct bb_maintenance maintenance;
	struct bb_rebuild rebuild;
	struct bb_reloads reloads;
	bool stopping;
	enum bb_exit exit;
};

/* app.c: the daemon. */
int bb_app_run(const struct bb_app_options *options);

/* app.c: drains and ends with this code. */
void bb_app_stop(struct bb_app *app, enum bb_exit code);

/* app_maintenance.c. Purge: a bb_serve_options callback; ctx is the app. Change rules: those of
 * `coming`. Idle: ingestion is held. */
int bb_app_purge(void *ctx, struct bb_error *err);
void bb_app_maintenance_change_rules(struct bb_app *app);
bool bb_app_maintenance_waits(const struct bb_app *app); /* a change of rules not begun yet */
void bb_app_maintenance_withdraw(struct bb_app *app);	 /* such a one */
bool bb_app_maintenance_tell(const struct bb_app *app);	 /* the service manager, if any */
void bb_app_maintenance_init(struct bb_app *app);
void bb_app_maintenance_idle(struct bb_app *app);
void bb_app_maintenance_status(const struct bb_app *app, struct bb_status_maintenance *ret_status);
void bb_app_maintenance_stop(struct bb_app *app); /* gives up what has not changed anything yet */
void bb_app_maintenance_fini(struct bb_app *app); /* the loop has ended, the store is open */

/*
 * app_maintenance.c, for a rebuild. Is free: BB_OK, or BB_EBUSY and why not now. Copy: the pool
 * fills or completes the second store, then it is swapped. Progress, from any thread: false, give
 * up. End: how, as app->maintenance.err says; the second store is gone.
 */
BB_MUST_CHECK int bb_app_maintenance_is_free(const struct bb_app *app, struct bb_error *err);
void bb_app_maintenance_begin(struct bb_app *app, enum bb_maintenance_kind kind,
			      enum bb_maintenance_phase phase);
void bb_app_maintenance_copy(struct bb_app *app);
bool bb_app_maintenance_progress(struct bb_app *app, uint64_t done, uint64_t total);
void bb_app_maintenance_cancel(struct bb_app *app);
void bb_app_maintenance_end(struct bb_app *app, int code);

/* app_tool.c: reads the configuration and says what is wrong with it. */
int bb_app_check(const char *config_file);

/* app_tool.c: `where` is TOPIC/PARTITION[@start|@end|@OFFSET]. The daemon must not run. */
int bb_app_accept_gap(const char *config_file, const char *where);

/* app_tool.c: loads; what is wrong is logged, line by line. NULL: it is. */
struct bb_config *bb_app_load(const char *file, int *ret_exit);

/* The same beside one that is in use (see bb_config_load_beside); the lines are appended to `said`
 * too. */
struct bb_config *bb_app_load_beside(const char *file, const struct bb_config *before,
				     struct bb_buf *said);

/* app_tool.c: the store of the configuration. */
int bb_app_open_store(const struct bb_config *config, struct bb_store **ret_store);

/* app_rules.c: at a start, before anything else uses the store; takes as long as it takes. */
BB_MUST_CHECK int bb_app_adopt(struct bb_app *app, struct bb_error *err);

struct bb_app_adoption {
	struct bb_store *store;
	const struct bb_rules *rules;
	bool accept_dropped;
	bool (*progress)(void *ctx, unsigned permille); /* false: give up, with BB_EBUSY */
	void *ctx;
	struct bb_store *beside; /* the result, finished; NULL: the store is of these rules */
};

/* app_rules.c: the store under other rules. Any thread; nothing is committed meanwhile. */
BB_MUST_CHECK int bb_app_adopt_beside(struct bb_app_adoption *adoption, struct bb_error *err);

/* app_rules.c: the service manager is asked for more time. */
void bb_app_rules_patience(void);

/* app_reading.c: on the pool, for app_reload.c. */
void bb_app_reading_run(const struct bb_app *app, struct bb_app_reading *reading);
void bb_app_reading_fini(struct bb_app_reading *reading);

/*
 * app_reload.c. Reload: on SIGHUP, now or as soon as may be. Next: what was asked for and is not
 * begun, if it may be now. Finish: nothing is in flight. Take: `coming` is the latest now, and its
 * rules are in use, if they are others. End: of a reload that changed rules. Stop: who waits for
 * one that is not begun is told.
 */
void bb_app_reload(struct bb_app *app);
int bb_app_reload_asked(void *ctx, struct bb_reload_wish *wish,
			struct bb_error *err); /* a bb_serve_options callback */
void bb_app_reload_next(struct bb_app *app);
void bb_app_reload_status(const struct bb_app *app, struct bb_status_reload *ret_status);
void bb_app_reload_finish(struct bb_app *app);
void bb_app_reload_take(struct bb_app *app, bool with_rules);
void bb_app_reload_end(struct bb_app *app, int code);
void bb_app_reload_stop(struct bb_app *app);
void bb_app_reload_fini(struct bb_app *app);
struct bb_config *bb_app_reload_current(const struct bb_app *app); /* what is in use */

/* app_sources.c: those of the configuration, for an ingest that is not started. What was made is
 * freed by the caller, also after a failure. `group` is told positions, for lag displays; NULL:
 * none. */
BB_MUST_CHECK int bb_app_sources_new(struct bb_app_sources *sources, const struct bb_config *config,
				     struct bb_ingest *ingest, const char *group,
				     struct bb_error *err);
void bb_app_sources_route(struct bb_app_sources *sources, const struct bb_config *config);
void bb_app_sources_free(struct bb_app_sources *sources);
void bb_app_sources_warn(const struct bb_config *config); /* of what is not read */

/* app_sources.c: options for librdkafka in the form of its source; in the arena. */
const struct bb_kafka_option *bb_app_kafka_options(const struct bb_config *config,
						   struct bb_arena *arena);

#endif
