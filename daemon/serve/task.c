/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks of requests. Whoever asks may be gone when the answer comes (the server stops): the task is
 * done all the same, as it may be durable already, and its answer is dropped.
 *
 * No space, a stop and errors of the store end alike for all tasks, as a problem; what else an
 * order may end as is the task's to say.
 */
#include "task.h"

#include "pool.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>

enum { PASSWD_BYTES = 16 * 1024 };

static int on_run(struct bb_order *order, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct bb_task *task = (struct bb_task *)order;

	return task->work(task, pl, kv);
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	switch (code) {
	case BB_ENOSPC:
		bb_route_problem(res, 503,
				 "the store has no space: nothing was changed; make room, then ask "
				 "again");
		break;
	case BB_EBUSY:
		bb_route_problem(res, 503, "the daemon is stopping: nothing was changed");
		break;
	case BB_OK:
	case BB_EINVAL:
	case BB_ENOTFOUND:
	case BB_EACCESS:
	case BB_ELIMIT:
		task->answer(task, code, res);
		break;
	default:
		/* a commit that failed may have reached the disk: the next start knows */
		bb_route_problem(
			res, 500,
			"store: %s; as long as the daemon runs nothing was changed; where it "
			"ended, ask again under the same id after its start: it is done once",
			bb_error_text(code));
		break;
	}
}

static void finish(struct bb_task *task, int code)
{
	struct bb_handles *handles = task->service->handles;
	struct bb_response res = {.status = 200, .type = "application/json"};

	answer(task, code, &res);
	if (task->on_answer)
		task->on_answer(task->ctx, &res);
	else
		bb_buf_fini(&res.body);
	bb_task_free(task);
	if (handles)
		bb_handles_closed(handles);
}

static void on_done(struct bb_order *order, int code)
{
	finish((struct bb_task *)order, code);
}

static int read_snapshot(void *ctx, struct bb_kv *kv)
{
	struct bb_task *task = ctx;

	return task->read(task, kv);
}

static void on_reading(uv_work_t *reading)
{
	struct bb_task *task = reading->data;

	task->code = bb_pool_read(task->service->store, &task->service->is_stopping, read_snapshot,
				  task);
}

static void on_read(uv_work_t *reading, int status)
{
	struct bb_task *task = reading->data;

	bb_assert(status == 0); /* never cancelled: its reads fail instead */
	task->service->is_reading = false;
	finish(task, task->code);
}

void *bb_task_new(const struct bb_request *req, size_t bytes)
{
	struct bb_task *task = calloc(1, bytes);

	bb_assert(task && bytes >= sizeof(*task));
	task->order = (struct bb_order){.run = on_run, .done = on_done};
	task->service = req->service;
	task->uid = req->uid;
	bb_arena_init(&task->arena);
	return task;
}

void bb_task_free(struct bb_task *task)
{
	if (task->release)
		task->release(task);
	bb_arena_fini(&task->arena);
	free(task);
}

void bb_task_wait(const struct bb_request *req, struct bb_task *task, struct bb_response *res)
{
	if (req->service->handles)
		bb_handles_opened(req->service->handles);
	res->task = task;
}

void bb_task_end(struct bb_task *task)
{
	finish(task, BB_OK);
}

void bb_task_start(const struct bb_request *req, struct bb_task *task, struct bb_response *res)
{
	struct bb_service *service = req->service;

	if (service->order && service->order(service->order_ctx, &task->order) == BB_OK) {
		bb_task_wait(req, task, res);
		return;
	}
	bb_route_problem(res, 503, "the daemon is not taking anything in: it is stopping");
	bb_task_free(task);
}

void bb_task_read(const struct bb_request *req, struct bb_task *task, struct bb_response *res)
{
	struct bb_service *service = req->service;

	if (service->is_held) {
		bb_route_problem(res, 503,
				 "changed rules are about to take effect; ask again in a moment");
		bb_task_free(task);
		return;
	}
	if (!service->loop || service->is_reading) {
		bb_route_problem(res, 503,
				 "another walk through the store is under way; ask again when it "
				 "has ended");
		bb_task_free(task);
		return;
	}
	service->is_reading = true;
	task->reading.data = task;
	bb_assert(uv_queue_work(service->loop, &task->reading, on_reading, on_read) == 0);
	bb_task_wait(req, task, res);
}

struct bb_text bb_serve_user(uint32_t uid, struct bb_arena *arena)
{
	struct passwd entry, *found = NULL;
	char buf[PASSWD_BYTES];

	if (uid == BB_AUDIT_NO_UID)
		return BB_TEXT("tcp");
	if (getpwuid_r(uid, &entry, buf, sizeof(buf), &found) == 0 && found &&
	    bb_text_is_utf8(bb_text_of(found->pw_name)))
		return bb_arena_copy(arena, bb_text_of(found->pw_name));
	return bb_arena_printf(arena, "uid:%u", (unsigned)uid);
}

static uint32_t audit_uid(uid_t uid)
{
	return uid == BB_PEER_UNKNOWN ? BB_AUDIT_NO_UID : (uint32_t)uid;
}

void bb_task_who(struct bb_task *task)
{
	task->user = bb_serve_user(audit_uid(task->uid), &task->arena);
}

int bb_task_audit(struct bb_task *task, struct bb_kv *kv, enum bb_audit_action action,
		  struct bb_text subject, struct bb_text detail)
{
	struct bb_audit entry = {
		.at_ms = bb_clock_wall_ms(),
		.uid = audit_uid(task->uid),
		.actor = task->user,
		.action = bb_text_of(bb_audit_action_text(action)),
		.subject = subject,
		.detail = detail,
	};

	return bb_audit_append(kv, &entry);
}

struct bb_text bb_task_random_id(struct bb_arena *arena, const char *prefix)
{
	char digits[BB_PROFILE_ID_BYTES];
	struct bb_hash random;

	bb_assert(getrandom(random.b, sizeof(random.b), 0) == (ssize_t)sizeof(random.b));
	bb_hash_profile_id(&random, digits);
	return bb_arena_printf(arena, "%s%.*s", prefix, BB_PROFILE_ID_BYTES - 1, digits + 1);
}
