/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine of ingest, as its files share it. All of it is the loop's, but for what
 * is lent to a job that runs.
 *
 *	NEW -> IDLE <-> APPLYING -> WAITING (no space: the same batch again) -> APPLYING
 *	        |          |           |
 *	        +----------+-----------+--> CLOSING -> CLOSED
 */
#ifndef BB_INGEST_MACHINE_H
#define BB_INGEST_MACHINE_H

#include <uv.h>

#include "job.h"

#define BB_GATHER_CHUNK                                                                            \
	64 /* deliveries asked of a source at a time: bounds what is beyond batch.bytes */
#define BB_GATHER_BUDGET 1000 /* deliveries a turn of the loop */
#define BB_DECODE_MOST 512    /* messages of a decoding job: a batch waits for no more */
#define BB_TICK_MS 1000	      /* sources are looked after so often at least */
#define BB_RETRY_FIRST_MS 100
#define BB_RETRY_MOST_MS 5000
#define BB_ONCE_PATIENCE_MS 30000 /* --once gives up where nothing comes for so long */
#define BB_ALARMS_MAX 64	  /* gaps kept for the status; further ones are logged only */

#define BB_INGEST_STATES(X)                                                                        \
	X(NEW, "starting")                                                                         \
	X(IDLE, "running")                                                                         \
	X(APPLYING, "running") X(WAITING, "waiting") X(CLOSING, "draining") X(CLOSED, "draining")

enum bb_ingest_state {
#define X(name, text) BB_INGEST_##name,
	BB_INGEST_STATES(X)
#undef X
		BB_INGEST_STATE_COUNT
};

struct bb_feed { /* a source and how it is watched */
	struct bb_ingest *ingest;
	struct bb_source *source;
	uv_poll_t poll;
	bool has_poll; /* the source has a descriptor */
	bool polling;
	bool quiet;		 /* gave nothing when asked last */
	struct bb_error trouble; /* code BB_OK: none */
};

struct bb_connector_count { /* since start, by name: connectors come and go with reloads */
	char *name, *channel;
	uint64_t results[BB_VERDICT_COUNT], warnings;
	int64_t last_ms; /* wall clock */
};

struct bb_orders { /* what waits, and what is with the pool */
	struct bb_order *first, *last;
	struct bb_order *running;
	bool last_was_order; /* then a batch that waits comes first */
	int code;	     /* how the one that ran ended; */
	bool store_failed;   /* by the store's error, not by an answer */
};

struct bb_ingest {
	struct bb_ingest_options options;
	enum bb_ingest_state state;
	struct bb_feed feeds[BB_INGEST_SOURCES_MAX];
	size_t feed_n, turn; /* turn: which feed is asked first */
	struct bb_partitions partitions;
	struct bb_intake batches[2];
	struct bb_intake *gathering, *applying;
	struct bb_job job;
	struct bb_orders orders;
	uv_work_t work, decode_work; /* work: of a batch or an order */
	bool decoding;		     /* the batch that gathers is with the first job, */
	size_t decode_end;	     /* up to here */
	uv_timer_t tick, soon, retry;
	uv_idle_t spin; /* while a source without a descriptor has more */
	unsigned open_handles;
	uint64_t retry_ms;
	uint64_t progress_ms; /* loop time of the last delivery, or start */
	bool holding, told_idle, stopping, ended;
	struct bb_error alarms[BB_ALARMS_MAX];
	size_t alarm_n;
	struct bb_connector_count *counts;
	size_t count_n;
	struct bb_pipeline_stats earlier; /* of the pipelines before this one: what is shown as
					     totals */
};

/* gather.c: takes what there is until the batch is full or the turn's budget is spent. */
void bb_gather(struct bb_ingest *ingest);
bool bb_gather_full(const struct bb_ingest *ingest);
void bb_gather_watch(struct bb_ingest *ingest); /* watches descriptors where there is room */
bool bb_gather_drained(
	struct bb_ingest *ingest); /* no source has, or will have, more of what was there */

/* report.c: a batch was committed. */
void bb_report_batch(struct bb_ingest *ingest, const struct bb_intake *batch);
void bb_report_pipeline_ends(struct bb_ingest *ingest); /* its counts are kept */
void bb_report_fini(struct bb_ingest *ingest);

/* reread.c: rows of partitions were changed, so that they are to be read again; no batch is applied
 * now. BB_OK or the store's error. */
BB_MUST_CHECK int bb_reread_take_up(struct bb_ingest *ingest);
void bb_reread_begin(
	struct bb_ingest *ingest);	       /* what goes on of that, from the rows as they are */
void bb_reread_look(struct bb_ingest *ingest); /* a batch was committed: does it still? */

/* order.c: a queue, and the one transaction of `running`, on a thread of the pool. */
void bb_order_add(struct bb_orders *orders, struct bb_order *order);
struct bb_order *bb_order_take(struct bb_orders *orders); /* NULL: none */
void bb_order_refuse(struct bb_orders *orders, int code); /* answers all that wait */
void bb_order_run(struct bb_orders *orders, const struct bb_ingest_options *options,
		  struct bb_pipeline *pl);

/* ingest.c: what is next, after anything has happened. */
void bb_ingest_pump(struct bb_ingest *ingest);

#endif
