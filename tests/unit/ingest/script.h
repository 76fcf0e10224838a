/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source that delivers what a test wrote down, a store in memory, and ingest between them on a
 * loop that runs until something happens.
 */
#ifndef BB_TEST_INGEST_SCRIPT_H
#define BB_TEST_INGEST_SCRIPT_H

#include <backbone/ingest.h>
#include <uv.h>

#include "kvmem.h"

#define SCRIPT_MAX 5000
#define SCRIPT_PATIENCE_MS 20000

struct line {
	enum { LINE_RECORD, LINE_MARK, LINE_ERROR } kind;
	const char *topic;
	int32_t partition;
	int64_t offset;
	const char *value; /* NULL: a tombstone; of an error: its text */
	int code;	   /* of an error */
	const struct bb_connector *connector;
};

struct script {
	struct bb_source source;
	struct line lines[SCRIPT_MAX];
	size_t n, next;	    /* written; delivered so far */
	size_t pause_at;    /* deliver no further for now; SIZE_MAX: all */
	size_t outstanding; /* delivered, not given back */
	size_t committed;   /* calls of committed() */
	bool not_ready;
	bool endless; /* never drained */
};

struct bench {
	struct bb_kvmem *mem;
	struct bb_rules rules;
	struct bb_namespace namespaces[3];
	struct bb_metrics *metrics;
	struct bb_connector *direct;
	uv_loop_t loop;
	uv_timer_t deadline;
	struct bb_ingest_options options;
	struct bb_ingest *ingest;
	struct script script;
	struct bb_arena arena;
	int ended, stopped, idle; /* how often it was said */
	bool store_failed;
	struct bb_error end;
	char event[1024]; /* scratch of bench_event */
};

void bench_begin(struct bench *bench);
void bench_end(struct bench *bench);

/* Ingest on the store as it is now; BB_OK or the error of bb_ingest_new. */
int bench_open(struct bench *bench);
void bench_close(struct bench *bench); /* stops it if it was started */

/* Lines of the script. `value` must live on. */
void bench_record(struct bench *bench, int32_t partition, int64_t offset, const char *value);
void bench_mark(struct bench *bench, int32_t partition, int64_t offset);
void bench_error(struct bench *bench, int code, const char *text);

/* A canonical event, on the heap of the arena. */
const char *bench_event(struct bench *bench, const char *id, const char *user);

/* Runs the loop until the condition holds; false: it did not in time. */
bool bench_run(struct bench *bench, bool (*until)(struct bench *bench));

/* From start to drained and committed (options.once). */
void bench_once(struct bench *bench);

/* The row of a partition of topic `t`, or NULL. */
const struct bb_progress *bench_row(struct bench *bench, int32_t partition);

#endif
