/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `GET /v1/explain?key=` and `?a=&b=`: computed by the pool, as the profiles concerned may be
 * large. The request waits as for a task, and the answer of the explainer is the answer of the
 * task.
 *
 * What is no key is a 400 that says what there is, what was never seen a 404.
 */
#include "explain.h"
#include "task.h"

struct explain_task {
	struct bb_task task;
	struct bb_explain_asker asker;
};

static void answer(struct bb_service *service, const struct bb_explained *explained,
		   struct bb_response *res)
{
	struct bb_buf why = BB_BUF_EMPTY;

	switch (explained->err) {
	case BB_OK:
		bb_buf_text(&res->body, explained->json);
		bb_buf_byte(&res->body, '\n');
		break;
	case BB_ENOTFOUND:
		bb_route_problem(res, 404, "%s",
				 explained->b.p ? "one of the keys was never seen"
						: "the key was never seen");
		break;
	case BB_EINVAL:
		bb_lookup_explain(&service->lookup,
				  bb_explained_bad_key(explained, service->lookup.rules), &why);
		bb_route_problem(res, 400, "%.*s", (int)why.n, why.p);
		break;
	case BB_EBUSY:
		bb_route_problem(res, 503, "the daemon is stopping");
		break;
	default:
		bb_route_problem(res, 500, "store: %s", bb_error_text(explained->err));
		break;
	}
	bb_buf_fini(&why);
}

static void on_explained(struct bb_explain_asker *asker, const struct bb_explained *explained)
{
	struct explain_task *self =
		(struct explain_task *)((char *)asker - offsetof(struct explain_task, asker));
	struct bb_task *task = &self->task;
	struct bb_response res = {.status = 200, .type = "application/json"};

	answer(task->service, explained, &res);
	if (task->on_answer)
		task->on_answer(task->ctx, &res);
	else
		bb_buf_fini(&res.body); /* whoever asked is gone */
	bb_task_free(task);
}

/* The question. False: a problem. */
static bool question(const struct bb_request *req, struct bb_response *res, struct bb_text *ret_a,
		     struct bb_text *ret_b)
{
	struct bb_text key, a, b;

	if (!bb_route_query_key(req, "key", res, &key) || !bb_route_query_key(req, "a", res, &a) ||
	    !bb_route_query_key(req, "b", res, &b))
		return false;
	if (key.p ? a.p || b.p : !a.p || !b.p) {
		bb_route_problem(res, 400,
				 "expected /v1/explain?key=KEY, or /v1/explain?a=KEY&b=KEY");
		return false;
	}
	*ret_a = key.p ? key : a;
	*ret_b = b;
	return true;
}

void bb_route_explain(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct explain_task *self;
	struct bb_text a, b;

	(void)rest;
	if (!question(req, res, &a, &b))
		return;
	if (!req->service->explain) {
		bb_route_problem(res, 503, "nothing can be explained: the daemon is stopping");
		return;
	}
	self = bb_task_new(req, sizeof(*self));
	self->asker.on_explained = on_explained;
	bb_explain_ask(req->service->explain, &self->asker, a, b);
	res->task = &self->task;
}
