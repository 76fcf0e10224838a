/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ingest: takes messages from sources, applies them in batches, each in one write transaction on a
 * thread of the pool, while the next batch gathers. What a batch did, how far its partitions were
 * read and its dead letters become durable together or not at all.
 *
 *	bb_ingest_new(&options, &ingest, &err);	reads the stored positions
 *	bb_ingest_add(ingest, source);		sources ask bb_ingest_resume where to begin
 *	bb_ingest_start(ingest);
 *	bb_ingest_stop(ingest);			drains; on_stopped is called; then bb_ingest_free
 *
 * Thread: the loop's. Callbacks never run inside a call, and must not free.
 */
#ifndef BACKBONE_INGEST_H
#define BACKBONE_INGEST_H

#include <backbone/metrics.h>
#include <backbone/pipeline.h>
#include <backbone/source.h>
#include <backbone/status.h>

struct bb_ingest;

#define BB_INGEST_SOURCES_MAX 64

/* How ingest reaches the store; write_* also from threads of the pool, one transaction at a time.
 */
struct bb_ingest_store {
	int (*read_begin)(void *ctx, struct bb_kv **ret_kv);
	void (*read_end)(void *ctx, struct bb_kv *kv);
	int (*write_begin)(void *ctx, struct bb_kv **ret_kv);
	int (*write_commit)(struct bb_kv *kv);
	void (*write_abort)(struct bb_kv *kv);
	void *ctx;
};

struct bb_ingest_options {
	struct uv_loop_s *loop; /* a uv_loop_t */
	struct bb_ingest_store store;
	const struct bb_rules *rules; /* borrowed until bb_ingest_rules_set, or for life */
	struct bb_metrics *metrics;   /* borrowed for life */
	uint32_t batch_events;
	uint64_t batch_bytes;
	uint32_t dead_letter_days; /* 0: kept for ever */
	bool once;		   /* end when all sources are drained */
	bool aside; /* into a store that nobody looks at yet: one thread of the pool at most,
		       nothing to the change feed, and who asked for it says what is wrong */

	/*
	 * It came to an end by itself. With `store_failed` err is the store's, and the process must
	 * end: what is stored is the state of the last commit. Else it was `once`: BB_OK,
	 * everything is committed; BB_EGAP, a partition or file has a gap; BB_EIO, a file cannot be
	 * read; BB_EKAFKA, the broker does not answer.
	 */
	void (*on_end)(void *ctx, bool store_failed, const struct bb_error *err);
	void (*on_stopped)(void *ctx); /* after bb_ingest_stop */
	void (*on_idle)(void *ctx);    /* after bb_ingest_hold: nothing is in flight */
	void (*on_commit)(void *ctx);  /* after each commit; NULL: nobody asks */
	void *ctx;
};

/* BB_OK, or the store's error. */
BB_MUST_CHECK int bb_ingest_new(const struct bb_ingest_options *options,
				struct bb_ingest **ret_ingest, struct bb_error *err);
void bb_ingest_free(struct bb_ingest *ingest); /* NULL-safe; never started, or stopped */

/* The source is borrowed until stopped. At most BB_INGEST_SOURCES_MAX, before the start. No two of
 * them deliver the same topic. */
void bb_ingest_add(struct bb_ingest *ingest, struct bb_source *source);

/* A bb_resume_fn; ctx is the ingest. */
int bb_ingest_resume(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *arena,
		     struct bb_resume *ret_resume);

void bb_ingest_start(struct bb_ingest *ingest);

/* Takes no more, commits what has been taken (gives it up where the store has no space), calls
 * on_stopped. */
void bb_ingest_stop(struct bb_ingest *ingest);

/*
 * Something to be done in a transaction of its own, between two batches: a ruling, an erasure.
 * `run` is called once on a thread of the pool with a pipeline that has been begun on `kv`, unless
 * the order ends before. What it returns other than BB_OK aborts the transaction, and is an answer
 * where it is BB_EINVAL, BB_ENOTFOUND, BB_EACCESS, BB_EBUSY or BB_ELIMIT; else it is the store's.
 * `done` is called once on the loop's thread: BB_OK means durable; BB_ENOSPC that the store has no
 * space, and BB_EBUSY that ingest is being stopped: then nothing has changed. The order is borrowed
 * until then.
 */
struct bb_order {
	int (*run)(struct bb_order *order, struct bb_pipeline *pl, struct bb_kv *kv);
	void (*done)(struct bb_order *order, int code);
	bool moves; /* set by `run`: it has rows of partitions changed; they are taken up */
	struct bb_order *next; /* ingest's */
};

/* BB_EBUSY: not started, stopping, or ended; `done` is not called then. Orders are done in the
 * order in which they came, and wait while ingest is held. */
BB_MUST_CHECK int bb_ingest_order(struct bb_ingest *ingest, struct bb_order *order);

/* Takes no more until bb_ingest_go, commits what has been taken, calls on_idle: then no message and
 * no connector is in use. */
void bb_ingest_hold(struct bb_ingest *ingest);
void bb_ingest_go(struct bb_ingest *ingest);

/* Other rules for what comes from now on; between on_idle and bb_ingest_go only. The old ones are
 * not used any more. */
void bb_ingest_rules_set(struct bb_ingest *ingest, const struct bb_rules *rules);

/* The store has other contents, whose positions are not behind: they are read, and what lies below
 * them is dropped when it is delivered. When rules may be set. BB_OK, BB_ECORRUPT or the store's
 * error: then the process must end. */
BB_MUST_CHECK int bb_ingest_store_changed(struct bb_ingest *ingest);

/* Whether every source has begun to read: then what is not read is not there. */
bool bb_ingest_is_started(struct bb_ingest *ingest);

/* Fills ready, reasons, state, partitions and connectors. */
void bb_ingest_status(struct bb_ingest *ingest, struct bb_arena *arena,
		      struct bb_status *ret_status);

#endif
