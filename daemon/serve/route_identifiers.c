/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers that are shared or blocked, by HTTP: a walk over all of them in a snapshot, on a
 * thread of the pool, one at a time.
 */
#include "task.h"

#include <backbone/identifiers.h>

enum { IDENTIFIERS = 20 };

struct identifiers_task {
	struct bb_task task;
	bool want_blocked;
	uint64_t top;
	struct bb_buf body;
};

static int read_top(struct bb_task *task, struct bb_kv *kv)
{
	struct identifiers_task *self = (struct identifiers_task *)task;

	return bb_identifiers_top(kv, task->service->lookup.rules, self->want_blocked, self->top,
				  &self->body);
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	struct identifiers_task *self = (struct identifiers_task *)task;

	if (code) {
		bb_route_problem(res, 500, "store: %s", bb_error_text(code));
		return;
	}
	bb_buf_byte(&self->body, '\n');
	res->body = self->body;
	self->body = BB_BUF_EMPTY;
}

static void release(struct bb_task *task)
{
	bb_buf_fini(&((struct identifiers_task *)task)->body);
}

void bb_route_identifiers(const struct bb_request *req, struct bb_text rest,
			  struct bb_response *res)
{
	struct identifiers_task *self;
	struct bb_text which;
	uint64_t top;

	(void)rest;
	if (!bb_route_query(req, "which", res, &which) ||
	    !bb_route_number(req, "top", IDENTIFIERS, res, &top))
		return;
	if (top == 0 || top > BB_IDENTIFIERS_TOP_MAX) {
		bb_route_problem(res, 400, "top: expected 1 to %d", BB_IDENTIFIERS_TOP_MAX);
		return;
	}
	if (which.p && !bb_text_equal(which, BB_TEXT("shared")) &&
	    !bb_text_equal(which, BB_TEXT("blocked"))) {
		bb_route_problem(res, 400, "which: expected shared or blocked");
		return;
	}
	self = bb_task_new(req, sizeof(*self));
	self->task.read = read_top;
	self->task.answer = answer;
	self->task.release = release;
	self->want_blocked = which.p && bb_text_equal(which, BB_TEXT("blocked"));
	self->top = top;
	bb_task_read(req, &self->task, res);
}
