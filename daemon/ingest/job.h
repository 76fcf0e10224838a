/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch, and its two jobs on threads of the pool. The first decodes messages while the loop adds
 * more behind them: items before its `end`, and what is decoded, are its own. The second applies
 * the batch in one transaction: the batch, its partitions' `made`, and the pipeline are its own.
 * Before and after everything is the loop's. One batch is never with both.
 */
#ifndef BB_INGEST_JOB_H
#define BB_INGEST_JOB_H

#include <backbone/deadletter.h>
#include <backbone/ingest.h>

#include "reread.h"

#define BB_JOB_LETTERS_MAX 1000 /* kept of one message; the rest is counted only */
#define BB_JOB_SWEEP_MAX 100	/* old dead letters removed with one batch */

/* How the elements of one connector's messages ended. */
struct bb_outcomes {
	const struct bb_connector *connector;
	uint64_t results[BB_VERDICT_COUNT];
	uint64_t reasons[BB_DEAD_REASON_COUNT];
	uint64_t warnings;
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

enum bb_element_kind {
	BB_ELEMENT_EVENT,
	BB_ELEMENT_NO_IDENTIFIER,
	BB_ELEMENT_REFUSED,
	BB_ELEMENT_SKIPPED,
	BB_ELEMENT_RULING,
};

/* One element of a message, after connector and gate, or the check of rulings. */
struct bb_element {
	enum bb_element_kind kind;
	struct bb_event *event;		/* of EVENT and NO_IDENTIFIER */
	const struct bb_ruling *ruling; /* of RULING */
	struct bb_refusal refusal;	/* of REFUSED */
};

struct bb_decoded { /* a message; a mark has no elements */
	struct bb_element *elements;
	size_t n;
};

struct bb_intake { /* the messages of a batch, and what became of them */
	/* filled by the loop; the arrays never move, as a job reads while more is added */
	struct bb_delivery *items;
	struct bb_partition **partitions; /* of each item */
	size_t n, room;
	uint64_t bytes;
	/* decoded once, whoever does it */
	struct bb_decoded *decoded; /* of each item before decoded_n; lives in its arena */
	size_t decoded_n;
	struct bb_arena decode_arena;
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
	size_t *again; /* items of records that were read again, and taken */
	size_t again_n, again_room;
	uint64_t events; /* that the pipeline was given, rulings too */
	uint64_t apply_ns, commit_ns;
};

void bb_intake_init(struct bb_intake *batch, size_t room);
void bb_intake_fini(struct bb_intake *batch);

/* Forgets the deliveries; the batch may be filled again. */
void bb_intake_reset(struct bb_intake *batch);

struct bb_job {
	const struct bb_ingest_options *options;
	struct bb_pipeline *pl;
	struct bb_intake *batch;
	struct bb_letters letters; /* of partitions that are read again */
	struct bb_error err;	   /* how it ended */
};

/*
 * Applies and commits; err.code is BB_OK or the store's error, and then nothing has changed.
 * Partitions are left touched: the loop settles them.
 */
void bb_job_run(struct bb_job *job);

/* Runs the messages before `end` that are not decoded yet through connector and gate. */
void bb_decode_batch(const struct bb_rules *rules, struct bb_intake *batch, size_t end);

/* The part of the second job that fills: gives what is decoded to the pipeline, and counts. */
void bb_apply_batch(struct bb_job *job);

#endif
