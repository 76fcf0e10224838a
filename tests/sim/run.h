/* SPDX-License-Identifier: Apache-2.0 */
/* One way of bringing a case's events to the pipeline, and the judgement. */
#ifndef BB_TEST_RUN_H
#define BB_TEST_RUN_H

#include "case.h"

#include <backbone/view.h>

struct bb_run {
	const char *name;
	bool disk;		    /* LMDB; else in memory */
	bool shuffle;		    /* else in the order of the case */
	size_t batch;		    /* events; 0: all at once */
	unsigned redeliver_percent; /* come a second time, later */
	unsigned fail_percent;	    /* tries of a batch that fail, each elsewhere */
	unsigned restart_percent;   /* batches after which everything is closed and opened again */
	bool every_batch;	    /* judge after each; else at the end */
};

/*
 * True: after the last batch (or each) the views are the model's, line by line, and every
 * identifier and profile id leads to them. False: what differs is in `report`. *ret_digest is the
 * state's at the end; it must be the same for all runs of a case.
 */
bool bb_run_case(const struct bb_case *cs, const struct bb_run *run, struct bb_digest *ret_digest,
		 struct bb_buf *report);

/* backend.c: the store of a run. Errors other than those ordered are failures of the machine and
 * abort. */
struct bb_backend;

struct bb_backend *bb_backend_new(const struct bb_rules *rules, bool disk);
void bb_backend_free(struct bb_backend *backend);
void bb_backend_reopen(struct bb_backend *backend);

struct bb_kv *bb_backend_begin(struct bb_backend *backend);
BB_MUST_CHECK int bb_backend_commit(struct bb_backend *backend, struct bb_kv *kv);
void bb_backend_abort(struct bb_backend *backend, struct bb_kv *kv);
struct bb_kv *bb_backend_read_begin(struct bb_backend *backend);
void bb_backend_read_end(struct bb_backend *backend);

/* The next batch fails at some put, read or commit, if it gets that far. Or no more. */
void bb_backend_order_failure(struct bb_backend *backend, struct bb_random *random);
void bb_backend_cancel_failure(struct bb_backend *backend);

#endif
