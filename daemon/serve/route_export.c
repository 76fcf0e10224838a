/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything on a person by HTTP: what the state holds, and the dead letters that mention them, in
 * one transaction that also writes the audit log. So nobody gets an export that is not in the log:
 * where the store has no space there is none.
 */
#include "task.h"

#include <backbone/clock.h>
#include <backbone/deadletter.h>
#include <backbone/export.h>
#include <backbone/gate.h>

struct export_task {
	struct bb_task task;
	struct bb_text key;
	struct bb_buf body;
};

static int put_letters(struct export_task *self, struct bb_kv *kv,
		       const struct bb_exported *exported)
{
	struct bb_arena arena;
	uint64_t number = 0;
	bool first = true;
	int err;

	bb_arena_init(&arena);
	bb_buf_printf(&self->body, ",\"dead_letters\":[");
	for (;; number++) {
		struct bb_deadletter letter;

		bb_arena_reset(&arena);
		err = bb_deadletter_seek(kv, number, &arena, &number, &letter);
		if (err)
			break;
		if (!bb_deadletter_mentions(&letter, exported->values, exported->value_n, &arena))
			continue;
		if (!first)
			bb_buf_byte(&self->body, ',');
		bb_deadletter_json(number, &letter, &self->body);
		first = false;
	}
	bb_arena_fini(&arena);
	bb_buf_byte(&self->body, ']');
	return err == BB_ENOTFOUND ? BB_OK : err;
}

static int work(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct export_task *self = (struct export_task *)task;
	struct bb_exported exported = {.value_n = 0};
	char time[BB_ISO_BYTES];
	int err;

	(void)pl;
	bb_clock_iso(bb_clock_wall_ms(), time);
	bb_buf_printf(&self->body, "{\"export\":1,\"time\":\"%.*s\",", BB_ISO_BYTES, time);
	err = bb_export_person(kv, task->service->lookup.rules, self->key, &task->arena,
			       &self->body, &exported);
	if (!err)
		err = put_letters(self, kv, &exported);
	if (err)
		return err;
	bb_buf_printf(&self->body, "}\n");
	bb_task_who(task);
	return bb_task_audit(task, kv, BB_AUDIT_EXPORT, bb_text_of(exported.profile), BB_TEXT(""));
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	struct export_task *self = (struct export_task *)task;

	if (code == BB_OK) {
		res->body = self->body;
		self->body = BB_BUF_EMPTY;
	} else if (code == BB_EINVAL) {
		bb_route_problem(
			res, 409,
			"the identifier is shared: it stands for no one person; ask by one "
			"of the person's own");
	} else {
		bb_route_problem(res, 404,
				 code == BB_EACCESS ? "the identifier is blocked: it names nobody"
						    : "no profile is known by this key");
	}
}

static void release(struct bb_task *task)
{
	bb_buf_fini(&((struct export_task *)task)->body);
}

void bb_route_export(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_identifier id;
	struct export_task *self;
	struct bb_hash hash;
	struct bb_text key;

	if (!bb_route_key(req, rest, "/v1/exports", res, &key))
		return;
	if (!bb_hash_parse_profile_id(key, &hash) &&
	    !bb_gate_key(req->service->lookup.rules, key, &req->service->scratch, &id)) {
		bb_route_nobody(req, BB_EINVAL, key, res);
		return;
	}
	self = bb_task_new(req, sizeof(*self));
	self->task.work = work;
	self->task.answer = answer;
	self->task.release = release;
	self->key = bb_arena_copy(&self->task.arena, key);
	bb_task_start(req, &self->task, res);
}
