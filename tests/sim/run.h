/* SPDX-License-Identifier: Apache-2.0 */
/* One way of bringing a case to the pipeline, and the judgement. */
#ifndef BB_TEST_RUN_H
#define BB_TEST_RUN_H

#include "case.h"
#include "judge_explain.h"

#include <backbone/view.h>

struct bb_run {
	const char *name;
	bool disk;		    /* LMDB; else in memory */
	bool shuffle;		    /* else in the order of the case */
	size_t batch;		    /* steps; 0: all at once */
	unsigned redeliver_percent; /* come a second time, later */
	unsigned fail_percent;	    /* tries of a batch that fail, each elsewhere */
	unsigned restart_percent;   /* batches after which everything is closed and opened again */
	bool every_batch;	    /* judge after each; else at the end */
	struct bb_explain_judged *explained; /* explanations are judged at the end; or NULL */
	bool replayed; /* set by bb_run_case: the second life of a case, in another order */
};

/*
 * True: after the last batch (or each) the views are the model's, line by line, and every
 * identifier and profile id leads to them; and where somebody was erased, a second store that is
 * given the tombstones and then everything from the start is the same, and so is one that is given
 * them as late as can be. False: what differs is in
 * `report`. *ret_digest is the state's at the end; without erasures it must be the same for all
 * runs of a case.
 */
bool bb_run_case(const struct bb_case *cs, const struct bb_run *run, struct bb_digest *ret_digest,
		 struct bb_buf *report);

/* schedule.c: the steps of a case in the order in which they come. */
struct bb_delivered {
	size_t step;
	uint64_t when;	/* orders them */
	uint64_t group; /* of its batch */
};

size_t bb_schedule(const struct bb_case *cs, const struct bb_run *run, struct bb_arena *arena,
		   struct bb_delivered **ret_deliveries);

/* judge.c: whether what is stored is what the model makes of the lines. */
struct bb_judge {
	const struct bb_rules *rules;
	struct bb_viewer *viewer, *finder;
};

void bb_judge_start(struct bb_judge *judge, const struct bb_rules *rules);
void bb_judge_stop(struct bb_judge *judge);
bool bb_judge(struct bb_judge *judge, const struct bb_model_lines *lines, struct bb_kv *kv,
	      struct bb_digest *ret_digest, struct bb_buf *report);

/* backend.c: the store of a run. Errors other than those ordered are failures of the machine and
 * abort. */
struct bb_backend;

struct bb_backend *bb_backend_new(const struct bb_rules *rules, bool disk);
void bb_backend_free(struct bb_backend *backend);
/* A restart; on disk perhaps after a purge. */
void bb_backend_reopen(struct bb_backend *backend, bool purged);

/* Changed rules: a second store is made of this one's, and takes its place. */
void bb_backend_adopt(struct bb_backend *backend, const struct bb_rules *rules);

/* Takes the tombstones of one to the other, which is empty. */
void bb_backend_carry(struct bb_backend *from, struct bb_backend *to);

/* The same where the other was told of events before. */
struct bb_pipeline;
void bb_backend_carry_late(struct bb_backend *from, struct bb_backend *to, struct bb_pipeline *pl);

struct bb_kv *bb_backend_begin(struct bb_backend *backend);
BB_MUST_CHECK int bb_backend_commit(struct bb_backend *backend, struct bb_kv *kv);
void bb_backend_abort(struct bb_backend *backend, struct bb_kv *kv);
struct bb_kv *bb_backend_read_begin(struct bb_backend *backend);
void bb_backend_read_end(struct bb_backend *backend);

/* The next batch fails at some put, read or commit, if it gets that far. Or no more. */
void bb_backend_order_failure(struct bb_backend *backend, struct bb_random *random);
void bb_backend_cancel_failure(struct bb_backend *backend);

#endif
