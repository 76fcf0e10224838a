/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch, and the job that applies it in one transaction on a thread of the pool. While the job
 * runs the batch, its partitions' `made`, and the pipeline are the job's; before and after they are
 * the loop's.
 */
#ifndef BB_INGEST_JOB_H
#define BB_INGEST_JOB_H

#include <backbone/deadletter.h>
#include <backbone/ingest.h>

#include "partition.h"

#define BB_JOB_LETTERS_MAX 1000 /* kept of one message; the rest is counted only */
#define BB_JOB_SWEEP_MAX 100	/* old dead letters removed with one batch */

/* How the elements of one connector's messages ended. */
struct bb_outcomes {
	const struct bb_connector *connector;
	uint64_t results[BB_VERDICT_COUNT];
	uint64_t reasons[BB_DEAD_REASON_COUNT];
};

/* How often something was seen that has a name: a warning, a junk rule of a namespace. */
struct bb_tally {
	enum bb_metric metric;
	struct bb_text first, second; /* labels; second.p NULL: none */
	uint64_t n;
};

struct bb_letter {
	size_t item; /* of the batch */
	struct bb_refusal refusal;
};

struct bb_batch {
	/* filled by the loop */
	struct bb_delivery *items;
	struct bb_partition **partitions; /* of each item */
	size_t n, room;
	uint64_t bytes;
	/* made by the job; forgotten when it is tried again. The lists are in the arena */
	struct bb_arena arena;
	struct bb_partition **touched;
	size_t touched_n, touched_room;
	struct bb_outcomes *outcomes;
	size_t outcome_n, outcome_room;
	struct bb_tally *tallies;
	size_t tally_n, tally_room;
	struct bb_letter *letters;
	size_t letter_n, letter_room;
	uint64_t events; /* that the pipeline was given */
	uint64_t apply_ns, commit_ns;
};

void bb_batch_init(struct bb_batch *batch);
void bb_batch_fini(struct bb_batch *batch);

/* Room for `n` more deliveries behind the last one. */
struct bb_delivery *bb_batch_reserve(struct bb_batch *batch, size_t n);

/* Forgets the deliveries; the batch may be filled again. */
void bb_batch_reset(struct bb_batch *batch);

struct bb_job {
	const struct bb_ingest_options *options;
	struct bb_pipeline *pl;
	struct bb_batch *batch;
	struct bb_error err; /* how it ended */
};

/*
 * Applies and commits; err.code is BB_OK or the store's error, and then nothing has changed.
 * Partitions are left touched: the loop settles them.
 */
void bb_job_run(struct bb_job *job);

/* The part of it that fills: runs every message of the batch through connector, gate and pipeline.
 */
void bb_apply_batch(struct bb_job *job);

#endif
