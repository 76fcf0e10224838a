/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What takes a request more than a turn of the loop. A ruling, an erasure, an export goes to ingest
 * as an order, is done on a thread of the pool in a transaction of its own, and is answered on the
 * loop's thread when that is durable. A walk through the store is done on a thread of the pool in a
 * snapshot, one at a time.
 *
 * `struct bb_task` is the first member of a task of some kind, made zeroed by bb_task_new. Texts of
 * the request are copied into its arena.
 */
#ifndef SERVE_TASK_H
#define SERVE_TASK_H

#include "peer.h"
#include "route.h"

#include <backbone/audit.h>
#include <backbone/ingest.h>
#include <uv.h>

struct bb_task {
	struct bb_order order;
	struct bb_service *service;
	struct bb_arena arena;
	uid_t uid;	     /* of who asks */
	struct bb_text user; /* his name; from bb_task_who on */
	/* On the pool, one of the two. As run of an order: an answer of the list, or the store's
	 * error. */
	int (*work)(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv);
	int (*read)(struct bb_task *task, struct bb_kv *kv);
	/* On the loop: `res` is 200 and JSON so far. `code` is not one of those that end alike for
	 * all tasks (no space, stopping, the store's). */
	void (*answer)(struct bb_task *task, int code, struct bb_response *res);
	void (*release)(struct bb_task *task); /* frees what is not in the arena; may be NULL */
	/* Of who waits for the answer, whose body he takes; NULL: nobody does any more. Never
	 * called inside bb_route_run. */
	void (*on_answer)(void *ctx, struct bb_response *res);
	void *ctx;
	uv_work_t reading; /* of one that only reads */
	int code;	   /* how it ended */
};

/* `bytes` of the whole; what it does and `answer` are still to be set. Never NULL. */
void *bb_task_new(const struct bb_request *req, size_t bytes) __attribute__((returns_nonnull));
void bb_task_free(struct bb_task *task); /* not after bb_task_start */

/* Hands it over: then res->task is set. Where nobody takes it, `res` is a problem, and the task is
 * gone. */
void bb_task_start(const struct bb_request *req, struct bb_task *task, struct bb_response *res);

/* The same for one that only reads. */
void bb_task_read(const struct bb_request *req, struct bb_task *task, struct bb_response *res);

/* The same for one that somebody else does: `answer` is called in bb_task_end, on the loop. */
void bb_task_wait(const struct bb_request *req, struct bb_task *task, struct bb_response *res);
void bb_task_end(struct bb_task *task);

/* On the pool: fills `user` from the system's users (which may ask a server, so not on the loop).
 */
void bb_task_who(struct bb_task *task);

/* On the pool, after bb_task_who: an entry of the audit log in the transaction. */
BB_MUST_CHECK int bb_task_audit(struct bb_task *task, struct bb_kv *kv, enum bb_audit_action action,
				struct bb_text subject, struct bb_text detail);

/* 26 digits that nobody has had, for an id that was not given. */
struct bb_text bb_task_random_id(struct bb_arena *arena, const char *prefix);

#endif
