/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log by HTTP: entries page by page out of a snapshot. To verify it takes a walk through
 * all of it, so that is a task on the pool, in a snapshot of its own.
 */
#include "task.h"

enum { ENTRIES = 100, ENTRIES_MAX = 1000 };

struct verify_task {
	struct bb_task task;
	struct bb_audit_check check;
};

static int append_entries(const struct bb_request *req, uint64_t after, uint64_t limit,
			  uint64_t *ret_last, struct bb_buf *body)
{
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_audit entry = {.number = after};
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	for (uint64_t i = 0; err == BB_OK && i < limit; i++) {
		err = bb_audit_next(kv, entry.number, &req->service->scratch, &entry);
		if (err)
			break;
		if (i > 0)
			bb_buf_byte(body, ',');
		bb_audit_json(&entry, body);
	}
	bb_lookup_end(lookup);
	*ret_last = entry.number;
	return err;
}

void bb_route_audit(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	uint64_t after, limit, last = 0;
	int err;

	(void)rest;
	if (!bb_route_number(req, "after", 0, res, &after) ||
	    !bb_route_limit(req, ENTRIES, ENTRIES_MAX, res, &limit))
		return;
	bb_buf_printf(&res->body, "{\"audit\":[");
	err = append_entries(req, after, limit, &last, &res->body);
	if (err == BB_OK)
		bb_buf_printf(&res->body, "],\"next\":%llu}\n", (unsigned long long)last);
	else if (err == BB_ENOTFOUND)
		bb_buf_printf(&res->body, "],\"next\":null}\n");
	else
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
}

static int verify(struct bb_task *task, struct bb_kv *kv)
{
	return bb_audit_verify(kv, &((struct verify_task *)task)->check);
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	const struct bb_audit_check *check = &((struct verify_task *)task)->check;

	if (code) {
		bb_route_problem(res, 500, "store: %s", bb_error_text(code));
		return;
	}
	bb_audit_check_json(check, &res->body);
	bb_buf_byte(&res->body, '\n');
}

void bb_route_audit_verify(const struct bb_request *req, struct bb_text rest,
			   struct bb_response *res)
{
	struct verify_task *self = bb_task_new(req, sizeof(*self));

	(void)rest;
	self->task.read = verify;
	self->task.answer = answer;
	bb_task_read(req, &self->task, res);
}
