/* SPDX-License-Identifier: Apache-2.0 */
/* What does not wait for the loop here is done at once; what reads on the pool makes the loop turn.
 */
#include "steward.h"

#include "task.h"

#include <criterion/criterion.h>
#include <jansson.h>

void steward_open(struct steward *st)
{
	*st = (struct steward){.roles = BB_ROLE_ALL};
	fixture_open(&st->fix);
	st->last = &st->first;
	st->fix.options.order = steward_take;
	st->fix.options.order_ctx = st;
	st->pl = bb_pipeline_new(&st->fix.rules);
	fixture_service(&st->fix, &st->service);
	st->service.loop = &st->fix.loop;
}

void steward_close(struct steward *st)
{
	bb_buf_fini(&st->res.body);
	bb_service_fini(&st->service);
	bb_pipeline_free(st->pl);
	fixture_close(&st->fix);
}

int steward_take(void *ctx, struct bb_order *order)
{
	struct steward *st = ctx;

	if (st->is_stopping)
		return BB_EBUSY;
	order->next = NULL;
	*st->last = order;
	st->last = &order->next;
	return BB_OK;
}

static int run(struct steward *st, struct bb_order *order)
{
	struct bb_kv *kv;
	int code = bb_store_write_begin(st->fix.store, &kv);

	cr_assert_eq(code, BB_OK);
	bb_pipeline_begin(st->pl, kv);
	code = order->run(order, st->pl, kv);
	if (!code)
		code = bb_pipeline_finish(st->pl);
	if (!code)
		code = st->fails_with;
	if (code) {
		bb_store_write_abort(kv);
		bb_pipeline_abort(st->pl);
		return code;
	}
	return bb_store_write_commit(kv);
}

size_t steward_work(struct steward *st)
{
	struct bb_order *order = st->first;
	size_t n = 0;

	st->first = NULL;
	st->last = &st->first;
	while (order) {
		struct bb_order *next = order->next;

		order->done(order, run(st, order));
		order = next;
		n++;
	}
	return n;
}

static const char *query_value(void *ctx, const char *name)
{
	struct steward *st = ctx;

	for (size_t i = 0; i < 4; i += 2)
		if (st->query[i] && strcmp(st->query[i], name) == 0)
			return st->query[i + 1];
	return NULL;
}

static void on_answer(void *ctx, struct bb_response *res)
{
	struct steward *st = ctx;

	st->res = *res;
	st->is_answered = true;
}

static bool is_answered(void *ctx)
{
	return ((struct steward *)ctx)->is_answered;
}

unsigned steward_ask(struct steward *st, const char *method, const char *path, const char *body)
{
	struct bb_request req = {.method = method,
				 .path = bb_text_of(path),
				 .body = bb_text_of(body),
				 .roles = st->roles,
				 .uid = 0,
				 .service = &st->service,
				 .query = query_value,
				 .query_ctx = st};

	bb_buf_fini(&st->res.body);
	st->res = (struct bb_response){0};
	st->is_answered = false;
	bb_route_run(&req, &st->res);
	cr_assert(!st->service.lookup.kv, "%s: no snapshot stays open", path);
	if (st->res.task) {
		st->res.task->on_answer = on_answer;
		st->res.task->ctx = st;
		if (!steward_work(st))
			fixture_until(&st->fix, is_answered, st, path);
		cr_assert(st->is_answered);
	}
	if (strstr(st->res.type, "json")) {
		json_t *root = json_loadb(st->res.body.p, st->res.body.n, 0, NULL);

		cr_assert(root, "%s: %.*s", path, (int)st->res.body.n, st->res.body.p);
		json_decref(root);
	}
	bb_buf_byte(&st->res.body, '\0');
	return st->res.status;
}

void steward_expect(struct steward *st, const char *method, const char *path, const char *body,
		    unsigned status, const char *part)
{
	unsigned got = steward_ask(st, method, path, body);

	cr_expect(got == status && strstr(st->res.body.p, part),
		  "%s %s %s: %u instead of %u, no %s in %s", method, path, body ? body : "", got,
		  status, part, st->res.body.p);
}
