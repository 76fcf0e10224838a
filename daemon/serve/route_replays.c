/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading topics again by HTTP: for each partition that is named a second position is written into
 * its row, in one transaction with the audit log; ingestion takes that up when it is durable, and
 * the status says how far it is.
 *
 * Names of events are remembered for a while only. The answer says since when: records from before
 * are left alone. What cannot be (a partition that was never read, or is being read again already,
 * an offset that was not read yet) is refused as a whole.
 */
#include "task.h"

#include <backbone/clock.h>
#include <backbone/json.h>
#include <backbone/pipeline.h>
#include <backbone/progress.h>
#include <stdlib.h>

enum { PARTITIONS_MAX = 4096 };

struct range {
	struct bb_text topic;
	int32_t partition;
	int64_t from, to;
};

struct replay_task {
	struct bb_task task;
	struct bb_text connector;
	struct range *ranges;
	size_t n, room;
	size_t at; /* the one that was wrong */
	int64_t since_ms;
};

/* --- on the pool ------------------------------------------------------------------------------ */

static int audit(struct replay_task *self, struct bb_kv *kv, const struct range *range)
{
	struct bb_arena *arena = &self->task.arena;
	char iso[BB_ISO_BYTES];

	bb_clock_iso(self->since_ms, iso);
	return bb_task_audit(&self->task, kv, BB_AUDIT_REREAD,
			     bb_arena_printf(arena, "%.*s/%d", (int)range->topic.n, range->topic.p,
					     (int)range->partition),
			     bb_arena_printf(arena, "connector=%.*s from=%lld to=%lld since=%.*s",
					     (int)self->connector.n, self->connector.p,
					     (long long)range->from, (long long)range->to,
					     BB_ISO_BYTES, iso));
}

static int work(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct replay_task *self = (struct replay_task *)task;
	int err = bb_pipeline_names_since(kv, self->task.service->lookup.rules, &self->since_ms);

	(void)pl;
	bb_task_who(task);
	for (self->at = 0; !err && self->at < self->n; self->at++) {
		struct range *range = &self->ranges[self->at];

		err = bb_progress_reread(kv, range->topic, range->partition, range->from,
					 self->since_ms, &range->to);
		if (!err)
			err = audit(self, kv, range);
		if (err)
			break;
	}
	task->order.moves = true;
	return err;
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	struct replay_task *self = (struct replay_task *)task;
	const struct range *range = &self->ranges[self->at];
	char iso[BB_ISO_BYTES];

	if (code) {
		bb_route_problem(
			res, code == BB_ENOTFOUND ? 404 : 409, "%.*s/%d: %s; nothing was changed",
			(int)range->topic.n, range->topic.p, (int)range->partition,
			code == BB_ENOTFOUND ? "nothing was ever read of it"
			: code == BB_ELIMIT  ? "it is being read again already: see the status"
					     : "there is nothing to be read again from there");
		return;
	}
	res->status = 202;
	bb_clock_iso(self->since_ms, iso);
	bb_buf_printf(&res->body, "{\"since\":\"%.*s\",\"partitions\":[", BB_ISO_BYTES, iso);
	for (size_t i = 0; i < self->n; i++) {
		range = &self->ranges[i];
		bb_buf_printf(&res->body, "%s{\"topic\":", i > 0 ? "," : "");
		bb_buf_json(&res->body, range->topic);
		bb_buf_printf(&res->body, ",\"partition\":%d,\"from\":%lld,\"to\":%lld}",
			      (int)range->partition, (long long)range->from, (long long)range->to);
	}
	bb_buf_printf(&res->body, "]}\n");
}

/* --- reading the order ------------------------------------------------------------------------ */

static bool whole(const struct bb_json *doc, const struct bb_json_node *map, const char *name,
		  int64_t most, int64_t *ret_value)
{
	const struct bb_json_node *node = bb_json_member(doc, map, bb_text_of(name));
	struct bb_text text = {NULL, 0};
	char digits[20] = "";

	if (node && bb_json_kind(doc, node) == BB_JSON_NUMBER)
		text = bb_json_text(doc, node);
	if (text.n == 0 || text.n > 18)
		return false;
	memcpy(digits, text.p, text.n);
	*ret_value = strtoll(digits, NULL, 10);
	return strspn(digits, "0123456789") == text.n && *ret_value <= most;
}

static struct bb_text text_of(const struct bb_json *doc, const struct bb_json_node *map,
			      const char *name)
{
	const struct bb_json_node *node = bb_json_member(doc, map, bb_text_of(name));

	return node && bb_json_kind(doc, node) == BB_JSON_TEXT ? bb_json_text(doc, node)
							       : (struct bb_text){NULL, 0};
}

static bool reads(const struct bb_status *status, struct bb_text connector, struct bb_text topic)
{
	for (size_t i = 0; i < status->topic_n; i++)
		if (bb_text_equal(status->topics[i].name, topic))
			return bb_text_equal(status->topics[i].connector, connector);
	return false;
}

static bool twice(const struct replay_task *self, const struct range *range)
{
	for (size_t i = 0; i < self->n; i++)
		if (self->ranges[i].partition == range->partition &&
		    bb_text_equal(self->ranges[i].topic, range->topic))
			return true;
	return false;
}

static bool read_range(struct replay_task *self, const struct bb_json *doc,
		       const struct bb_json_node *map, const struct bb_status *status,
		       struct bb_response *res)
{
	struct range range = {.from = 0};
	int64_t partition = 0;

	if (bb_json_kind(doc, map) != BB_JSON_MAP ||
	    !(range.topic = text_of(doc, map, "topic")).p ||
	    !whole(doc, map, "partition", INT32_MAX, &partition) ||
	    !whole(doc, map, "from", INT64_MAX, &range.from)) {
		bb_route_problem(res, 400,
				 "partitions: expected {\"topic\": text, \"partition\": number, "
				 "\"from\": offset}");
		return false;
	}
	range.partition = (int32_t)partition;
	range.topic = bb_arena_copy(&self->task.arena, range.topic);
	if (!reads(status, self->connector, range.topic)) {
		bb_route_problem(res, 400, "the topic %.*s is not read for the connector %.*s",
				 range.topic.n > 249 ? 249 : (int)range.topic.n, range.topic.p,
				 self->connector.n > 99 ? 99 : (int)self->connector.n,
				 self->connector.p);
		return false;
	}
	if (twice(self, &range)) {
		bb_route_problem(res, 400, "partitions: one of them is there twice");
		return false;
	}
	BB_ARENA_PUSH(&self->task.arena, self->ranges, self->n, self->room) = range;
	return true;
}

static bool read_order(struct replay_task *self, const struct bb_request *req,
		       struct bb_response *res)
{
	struct bb_refusal refusal = {0};
	struct bb_json *doc = bb_json_read(req->body, &refusal);
	const struct bb_json_node *root = doc ? bb_json_root(doc) : NULL, *list = NULL;
	struct bb_status status;
	bool good = false;

	if (root && bb_json_kind(doc, root) == BB_JSON_MAP) {
		self->connector = bb_arena_copy(&self->task.arena, text_of(doc, root, "connector"));
		list = bb_json_member(doc, root, BB_TEXT("partitions"));
	}
	if (!list || bb_json_kind(doc, list) != BB_JSON_LIST || !self->connector.n ||
	    bb_json_size(doc, list) == 0 || bb_json_size(doc, list) > PARTITIONS_MAX) {
		bb_route_problem(res, 400,
				 "the body must be a JSON object with connector, and 1 to %d "
				 "partitions",
				 PARTITIONS_MAX);
		goto out;
	}
	bb_service_status(req->service, &status);
	good = true;
	for (size_t i = 0; good && i < bb_json_size(doc, list); i++)
		good = read_range(self, doc, bb_json_item(doc, list, i), &status, res);
out:
	bb_json_free(doc);
	return good;
}

void bb_route_replays(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct replay_task *self = bb_task_new(req, sizeof(*self));

	(void)rest;
	self->task.work = work;
	self->task.answer = answer;
	if (read_order(self, req, res))
		bb_task_start(req, &self->task, res);
	else
		bb_task_free(&self->task);
}
