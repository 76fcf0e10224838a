/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulings by HTTP. A body is read and checked on the loop; then a task gives it to the pipeline and
 * writes the audit log in one transaction. A release is asked for by deleting what it releases: the
 * ruling stays to be seen, as one that holds no longer.
 *
 * Ids make it safe to ask again: an id that is known with the same words is answered as a
 * duplicate, where time and actor were left out too; one with other words is a conflict.
 */
#include "task.h"

#include <backbone/clock.h>
#include <backbone/connector.h>
#include <backbone/message.h>
#include <backbone/ruling.h>

enum { RULINGS = 100, RULINGS_MAX = 1000 };

struct ruling_task {
	struct bb_task task;
	struct bb_ruling ruling;
	bool has_time, has_actor;
	enum bb_verdict verdict;
	struct bb_refusal refusal;
};

static const struct bb_rules *rules_of(const struct bb_task *task)
{
	return task->service->lookup.rules;
}

/* --- on the pool ------------------------------------------------------------------------------ */

/* What was left out of a ruling that is known already is as it was then. */
static int complete(struct ruling_task *self, struct bb_kv *kv)
{
	struct bb_ruling *ruling = &self->ruling;
	struct bb_ruling_row row = {0};
	int err = bb_ruling_get(kv, &rules_of(&self->task)->profile_key, ruling->id,
				&self->task.arena, &row);

	if (err && err != BB_ENOTFOUND)
		return err;
	if (!self->has_actor)
		ruling->actor = err ? self->task.user : row.ruling.actor;
	if (!self->has_time && !err)
		ruling->time_ms = row.ruling.time_ms;
	return BB_OK;
}

/* Kind, and the identifiers as hashes. */
static struct bb_text describe(const struct ruling_task *self, struct bb_arena *arena)
{
	const struct bb_ruling *ruling = &self->ruling;
	const char *kind = bb_ruling_kind_text(ruling->kind);
	char ids[2][BB_PROFILE_ID_BYTES];

	for (unsigned i = 0; i < bb_ruling_ends(ruling->kind); i++) {
		struct bb_hash hash = bb_hash_identifier(&rules_of(&self->task)->profile_key,
							 ruling->on[i].ns, ruling->on[i].value);

		bb_hash_profile_id(&hash, ids[i]);
	}
	if (bb_ruling_ends(ruling->kind) == 2)
		return bb_arena_printf(arena, "%s %.*s %.*s", kind, BB_PROFILE_ID_BYTES, ids[0],
				       BB_PROFILE_ID_BYTES, ids[1]);
	return bb_arena_printf(arena, "%s %.*s", kind, BB_PROFILE_ID_BYTES, ids[0]);
}

static int audit(struct ruling_task *self, struct bb_kv *kv)
{
	const struct bb_ruling *ruling = &self->ruling;

	if (ruling->kind == BB_RULING_RELEASE)
		return bb_task_audit(&self->task, kv, BB_AUDIT_RELEASE, ruling->releases,
				     bb_arena_printf(&self->task.arena, "by %.*s",
						     (int)ruling->id.n, ruling->id.p));
	return bb_task_audit(&self->task, kv, BB_AUDIT_RULING, ruling->id,
			     describe(self, &self->task.arena));
}

/* Checked once more: the rules may have changed while it waited. */
static int give(struct ruling_task *self, struct bb_pipeline *pl, struct bb_kv *kv)
{
	if (!bb_ruling_check(rules_of(&self->task), &self->ruling, &self->task.arena,
			     &self->refusal))
		return BB_ELIMIT;
	self->verdict = bb_pipeline_rule(pl, &self->ruling, &self->refusal);
	if (self->verdict == BB_VERDICT_DEAD)
		return BB_ELIMIT;
	return self->verdict == BB_VERDICT_APPLIED ? audit(self, kv) : BB_OK;
}

static int work(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct ruling_task *self = (struct ruling_task *)task;
	int err;

	bb_task_who(task);
	err = complete(self, kv);
	return err ? err : give(self, pl, kv);
}

/* A release by the id of what it releases, which must be there. */
static int work_release(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct ruling_task *self = (struct ruling_task *)task;
	struct bb_ruling_row row;
	int err = bb_ruling_get(kv, &rules_of(task)->profile_key, self->ruling.releases,
				&task->arena, &row);

	if (err)
		return err;
	if (row.ruling.kind == BB_RULING_RELEASE)
		return BB_EINVAL;
	if (row.released) {
		self->verdict = BB_VERDICT_DUPLICATE;
		self->ruling.id = (struct bb_text){NULL, 0}; /* there is no second release */
		return BB_OK;
	}
	bb_task_who(task);
	if (!self->has_actor)
		self->ruling.actor = task->user;
	return give(self, pl, kv);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	struct ruling_task *self = (struct ruling_task *)task;

	if (code == BB_ENOTFOUND) {
		bb_route_problem(res, 404, "no ruling has this id");
		return;
	}
	if (code == BB_EINVAL) {
		bb_route_problem(res, 409,
				 "this is a release, which is for good: give the ruling anew");
		return;
	}
	if (code) {
		bb_route_problem(res, 409, "%.*s",
				 self->refusal.detail.p ? (int)self->refusal.detail.n : 0,
				 self->refusal.detail.p ? self->refusal.detail.p : "");
		return;
	}
	res->status = self->verdict == BB_VERDICT_APPLIED ? 201 : 200;
	bb_buf_printf(&res->body, "{\"result\":\"%s\",\"ruling\":", bb_verdict_text(self->verdict));
	if (self->ruling.id.p)
		bb_ruling_json(&self->ruling, &res->body);
	else
		bb_buf_printf(&res->body, "null");
	bb_buf_printf(&res->body, "}\n");
}

static void problem_of_refusal(const struct bb_refusal *refusal, struct bb_response *res)
{
	if (refusal->at.p)
		bb_route_problem(res, 400, "%.*s: %.*s", (int)refusal->at.n, refusal->at.p,
				 (int)refusal->detail.n, refusal->detail.p);
	else
		bb_route_problem(res, 400, "%s: %.*s", bb_dead_reason_text(refusal->reason),
				 (int)refusal->detail.n,
				 refusal->detail.p ? refusal->detail.p : "");
}

/* Gives what is not there, then checks. */
static bool settle(struct ruling_task *self, struct bb_refusal *ret_refusal)
{
	struct bb_ruling *ruling = &self->ruling;

	self->has_time = ruling->time_ms != BB_NO_TIMESTAMP;
	self->has_actor = ruling->actor.n > 0;
	if (!self->has_time)
		ruling->time_ms = bb_clock_wall_ms();
	if (!ruling->id.p)
		ruling->id = bb_task_random_id(&self->task.arena, "r-");
	return bb_ruling_check(rules_of(&self->task), ruling, &self->task.arena, ret_refusal);
}

void bb_route_rulings_post(const struct bb_request *req, struct bb_text rest,
			   struct bb_response *res)
{
	struct ruling_task *self = bb_task_new(req, sizeof(*self));
	struct bb_refusal refusal = {0};

	(void)rest;
	self->task.work = work;
	self->task.answer = answer;
	if (bb_ruling_read(req->body, &self->task.arena, &self->ruling, &refusal) &&
	    settle(self, &refusal)) {
		bb_task_start(req, &self->task, res);
		return;
	}
	problem_of_refusal(&refusal, res);
	bb_task_free(&self->task);
}

/* The id that the rest of the path is. False: a problem. */
static bool id_of_path(const struct bb_request *req, struct bb_text rest, struct bb_response *res,
		       struct bb_text *ret_id)
{
	if (rest.n == 0)
		bb_route_problem(res, 400, "expected /v1/rulings/{id}");
	else if (!bb_route_decode(rest, &req->service->scratch, ret_id))
		bb_route_problem(res, 400, "the path is not percent-encoded UTF-8");
	else if (ret_id->n > BB_RULING_ID_MAX)
		bb_route_problem(res, 404, "no ruling has this id");
	else
		return true;
	return false;
}

void bb_route_ruling_delete(const struct bb_request *req, struct bb_text rest,
			    struct bb_response *res)
{
	struct bb_text id, reason, actor, own_id;
	struct bb_refusal refusal = {0};
	struct ruling_task *self;

	if (!id_of_path(req, rest, res, &id) || !bb_route_query(req, "reason", res, &reason) ||
	    !bb_route_query(req, "actor", res, &actor) || !bb_route_query(req, "id", res, &own_id))
		return;
	self = bb_task_new(req, sizeof(*self));
	self->task.work = work_release;
	self->task.answer = answer;
	self->ruling = (struct bb_ruling){
		.kind = BB_RULING_RELEASE,
		.time_ms = BB_NO_TIMESTAMP,
		.id = own_id.p ? bb_arena_copy(&self->task.arena, own_id) : own_id,
		.releases = bb_arena_copy(&self->task.arena, id),
		.reason = bb_arena_copy(&self->task.arena, reason),
		.actor = bb_arena_copy(&self->task.arena, actor),
	};
	if (settle(self, &refusal)) {
		bb_task_start(req, &self->task, res);
		return;
	}
	problem_of_refusal(&refusal, res);
	bb_task_free(&self->task);
}

/* --- reading ---------------------------------------------------------------------------------- */

static void row_json(const struct bb_ruling_row *row, struct bb_buf *body)
{
	bb_buf_printf(body, "{\"ruling\":");
	bb_ruling_json(&row->ruling, body);
	bb_buf_printf(body, ",\"holds\":%s,\"released\":%s}", row->holds ? "true" : "false",
		      row->released ? "true" : "false");
}

void bb_route_ruling_get(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_ruling_row row;
	struct bb_text id;
	struct bb_kv *kv;
	int err;

	if (!id_of_path(req, rest, res, &id))
		return;
	err = bb_lookup_begin(lookup, &kv);
	if (err == BB_OK)
		err = bb_ruling_get(kv, &lookup->rules->profile_key, id, &req->service->scratch,
				    &row);
	if (err == BB_OK)
		row_json(&row, &res->body);
	bb_lookup_end(lookup);
	if (err == BB_OK)
		bb_buf_byte(&res->body, '\n');
	else if (err == BB_ENOTFOUND)
		bb_route_problem(res, 404, "no ruling has this id");
	else
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `from` is what `next` of the page before was. False: a problem. */
static bool cursor_of(struct bb_text from, struct bb_response *res,
		      struct bb_ruling_cursor *ret_cursor)
{
	bool good = from.n % 2 == 0 && from.n / 2 <= sizeof(ret_cursor->last);

	*ret_cursor = (struct bb_ruling_cursor){.n = from.n / 2};
	for (size_t i = 0; good && i < from.n; i++) {
		int digit = hex_digit(from.p[i]);

		good = digit >= 0;
		ret_cursor->last[i / 2] = (uint8_t)(ret_cursor->last[i / 2] << 4 | (digit & 15));
	}
	if (!good)
		bb_route_problem(res, 400, "from: expected `next` of an answer");
	return good;
}

static int append_rulings(const struct bb_request *req, struct bb_ruling_cursor *cursor,
			  uint64_t limit, struct bb_buf *body)
{
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_arena *arena = &req->service->scratch;
	struct bb_ruling_row row;
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	for (uint64_t i = 0; err == BB_OK && i < limit; i++) {
		err = bb_ruling_next(kv, &lookup->rules->profile_key, cursor, arena, &row);
		if (err)
			break;
		if (i > 0)
			bb_buf_byte(body, ',');
		row_json(&row, body);
	}
	bb_lookup_end(lookup);
	return err;
}

void bb_route_rulings_get(const struct bb_request *req, struct bb_text rest,
			  struct bb_response *res)
{
	struct bb_ruling_cursor cursor;
	struct bb_text from;
	uint64_t limit;
	int err;

	(void)rest;
	if (!bb_route_query(req, "from", res, &from) ||
	    !bb_route_limit(req, RULINGS, RULINGS_MAX, res, &limit) ||
	    !cursor_of(from, res, &cursor))
		return;
	bb_buf_printf(&res->body, "{\"rulings\":[");
	err = append_rulings(req, &cursor, limit, &res->body);
	if (err && err != BB_ENOTFOUND) {
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
		return;
	}
	bb_buf_printf(&res->body, "],\"next\":");
	if (err) {
		bb_buf_printf(&res->body, "null}\n");
		return;
	}
	bb_buf_byte(&res->body, '"');
	bb_buf_hex(&res->body, cursor.last, cursor.n);
	bb_buf_printf(&res->body, "\"}\n");
}
