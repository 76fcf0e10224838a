/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing a person by HTTP: in one transaction the person's identifiers are read, the pipeline
 * erases, dead letters that mention them go, and the audit log gets its entry, which has no value
 * of theirs. What was done is the receipt. It can be had again, as it is kept with the tombstone;
 * an id that is known erases nothing.
 *
 * Erasing waits for no space: where the store is full nothing is erased, and that is said.
 */
#include "task.h"

#include <backbone/clock.h>
#include <backbone/deadletter.h>
#include <backbone/gate.h>
#include <backbone/json.h>
#include <backbone/progress.h>

enum { ID_MAX = 256, REASON_MAX = 1024, ERASURES = 100, ERASURES_MAX = 1000 };

struct erasure_task {
	struct bb_task task;
	struct bb_erasure order;
	struct bb_text reason;
	struct bb_erasure_receipt receipt;
};

static void receipt_json(const struct bb_erasure_receipt *receipt, struct bb_buf *buf)
{
	const struct {
		const char *name;
		uint64_t n;
	} counts[] = {
		{"records", receipt->records},	 {"events", receipt->events},
		{"stripped", receipt->stripped}, {"amount_keys", receipt->keys},
		{"rulings", receipt->rulings},	 {"dead_letters", receipt->dead_letters},
	};

	bb_erasure_json_head(receipt, buf);
	bb_erasure_json_lists(receipt, buf);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		bb_buf_printf(buf, ",\"%s\":%llu", counts[i].name, (unsigned long long)counts[i].n);
	bb_buf_byte(buf, '}');
}

/* --- on the pool ------------------------------------------------------------------------------ */

/* The values of the person's identifiers, while they can still be read. Nobody: none; whether that
 * is an answer is the pipeline's to say. */
static int read_values(struct erasure_task *self, struct bb_kv *kv, struct bb_text **ret_values,
		       size_t *ret_n)
{
	struct bb_arena *arena = &self->task.arena;
	struct bb_viewer *viewer = bb_viewer_new(self->task.service->lookup.rules);
	const struct bb_view *view = NULL;
	struct bb_found found;
	int err = bb_viewer_find(viewer, kv, self->order.key, &found);

	if (err == BB_OK)
		err = bb_viewer_fold(viewer, kv, found.cluster, &view);
	else if (err == BB_ENOTFOUND || err == BB_EACCESS || err == BB_EINVAL)
		err = BB_OK;
	*ret_n = view ? view->identifier_n : 0;
	*ret_values = bb_arena_alloc(arena, *ret_n * sizeof(**ret_values));
	for (size_t i = 0; i < *ret_n; i++)
		(*ret_values)[i] = bb_arena_copy(arena, view->identifiers[i].value);
	bb_viewer_free(viewer);
	return err;
}

static int audit(struct erasure_task *self, struct bb_kv *kv)
{
	const struct bb_erasure_receipt *receipt = &self->receipt;
	struct bb_text detail = bb_arena_printf(
		&self->task.arena,
		"%s profile=%s identifiers=%zu records=%llu events=%llu stripped=%llu "
		"amount_keys=%llu rulings=%llu dead_letters=%llu reason: %.*s",
		bb_erasure_mode_text(receipt->mode), receipt->profile, receipt->identifier_n,
		(unsigned long long)receipt->records, (unsigned long long)receipt->events,
		(unsigned long long)receipt->stripped, (unsigned long long)receipt->keys,
		(unsigned long long)receipt->rulings, (unsigned long long)receipt->dead_letters,
		(int)self->reason.n, self->reason.p);

	bb_task_who(&self->task);
	return bb_task_audit(&self->task, kv, BB_AUDIT_ERASURE, receipt->id, detail);
}

static int work(struct bb_task *task, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct erasure_task *self = (struct erasure_task *)task;
	struct bb_erasure_mark *marks = NULL;
	struct bb_text *values = NULL;
	size_t value_n = 0;
	int err = read_values(self, kv, &values, &value_n);

	if (!err)
		err = bb_progress_marks(kv, &task->arena, &marks, &self->order.watermark_n);
	self->order.watermark = marks;
	if (!err)
		err = bb_pipeline_erase(pl, &self->order, &task->arena, &self->receipt);
	if (err || self->receipt.again)
		return err;
	err = bb_deadletter_scrub(kv, values, value_n, &self->receipt.dead_letters);
	return err ? err : audit(self, kv);
}

static void answer(struct bb_task *task, int code, struct bb_response *res)
{
	struct erasure_task *self = (struct erasure_task *)task;

	if (code == BB_EINVAL) {
		bb_route_problem(res, 409,
				 "the identifier is shared: it stands for no one person; erase by "
				 "one of the person's own");
		return;
	}
	if (code) {
		bb_route_problem(res, 404,
				 code == BB_EACCESS ? "the identifier is blocked: it names nobody"
						    : "no profile is known by this key");
		return;
	}
	res->status = self->receipt.again ? 200 : 201;
	bb_buf_printf(&res->body, "{\"result\":\"%s\",\"receipt\":",
		      self->receipt.again ? "duplicate" : "erased");
	receipt_json(&self->receipt, &res->body);
	bb_buf_printf(&res->body, "}\n");
}

/* --- reading the order ------------------------------------------------------------------------ */

/* Where a member of the body goes. */
struct member {
	const char *name;
	struct bb_text *text;
	size_t most;
	bool required;
};

static bool read_member(const struct bb_json *doc, const struct bb_json_node *map,
			const struct member *member, struct bb_arena *arena,
			struct bb_response *res)
{
	const struct bb_json_node *node = bb_json_member(doc, map, bb_text_of(member->name));

	if (!node && !member->required)
		return true;
	if (!node || bb_json_kind(doc, node) != BB_JSON_TEXT) {
		bb_route_problem(res, 400, "%s: %s", member->name,
				 node ? "must be a text" : "missing");
		return false;
	}
	*member->text = bb_arena_copy(arena, bb_json_text(doc, node));
	if (member->text->n > 0 && member->text->n <= member->most)
		return true;
	bb_route_problem(res, 400, "%s: has not 1 to %zu bytes", member->name, member->most);
	return false;
}

static bool only_members(const struct bb_json *doc, const struct bb_json_node *map,
			 const struct member *members, size_t n, struct bb_response *res)
{
	const struct bb_json_node *value;
	struct bb_text name;
	void *iter = NULL;

	while (bb_json_next(doc, map, &iter, &name, &value)) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= bb_text_equal(name, bb_text_of(members[i].name));
		if (!known) {
			bb_route_problem(res, 400,
					 "no member %.*s; there are: key, mode, reason, id",
					 name.n > 64 ? 64 : (int)name.n, name.p);
			return false;
		}
	}
	return true;
}

static bool read_order(struct erasure_task *self, struct bb_text body, struct bb_response *res)
{
	struct bb_text mode = {NULL, 0};
	const struct member members[] = {
		{"key", &self->order.key, BB_EVENT_VALUE_MAX + BB_NAMESPACE_NAME_MAX + 1, true},
		{"mode", &mode, 16, true},
		{"reason", &self->reason, REASON_MAX, true},
		{"id", &self->order.id, ID_MAX, false},
	};
	const size_t n = sizeof(members) / sizeof(members[0]);
	struct bb_refusal refusal = {0};
	struct bb_json *doc = bb_json_read(body, &refusal);
	const struct bb_json_node *root = doc ? bb_json_root(doc) : NULL;
	bool good = root && bb_json_kind(doc, root) == BB_JSON_MAP;

	if (!good)
		bb_route_problem(res, 400,
				 "the body must be a JSON object with key, mode, reason%s%.*s",
				 doc ? "" : ": ", doc ? 0 : (int)refusal.detail.n,
				 refusal.detail.p ? refusal.detail.p : "");
	good = good && only_members(doc, root, members, n, res);
	for (size_t i = 0; good && i < n; i++)
		good = read_member(doc, root, &members[i], &self->task.arena, res);
	bb_json_free(doc);
	if (good && !bb_erasure_mode_of(mode, &self->order.mode)) {
		bb_route_problem(res, 400, "mode: must be forget or suppress");
		good = false;
	}
	return good;
}

void bb_route_erasures_post(const struct bb_request *req, struct bb_text rest,
			    struct bb_response *res)
{
	struct erasure_task *self = bb_task_new(req, sizeof(*self));
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_identifier id;
	struct bb_hash hash;

	(void)rest;
	self->task.work = work;
	self->task.answer = answer;
	if (!read_order(self, req->body, res)) {
		bb_task_free(&self->task);
		return;
	}
	if (!bb_hash_parse_profile_id(self->order.key, &hash) &&
	    !bb_gate_key(lookup->rules, self->order.key, &self->task.arena, &id)) {
		bb_route_nobody(req, BB_EINVAL, self->order.key, res);
		bb_task_free(&self->task);
		return;
	}
	if (!self->order.id.p)
		self->order.id = bb_task_random_id(&self->task.arena, "e-");
	self->order.time_ms = bb_clock_wall_ms();
	bb_task_start(req, &self->task, res);
}

/* --- receipts --------------------------------------------------------------------------------- */

static int append_receipts(const struct bb_request *req, uint64_t from, uint64_t limit,
			   uint64_t *ret_next, struct bb_buf *body)
{
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_erasure_cursor cursor = {.n = 0};
	struct bb_erasure_receipt receipt;
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);
	uint64_t i = 0;

	for (; err == BB_OK && i < from + limit; i++) {
		err = bb_erasure_next(kv, &cursor, &req->service->scratch, &receipt);
		if (err || i < from)
			continue;
		if (i > from)
			bb_buf_byte(body, ',');
		receipt_json(&receipt, body);
	}
	bb_lookup_end(lookup);
	*ret_next = i;
	return err;
}

void bb_route_erasures_get(const struct bb_request *req, struct bb_text rest,
			   struct bb_response *res)
{
	uint64_t from, limit, next = 0;
	int err;

	(void)rest;
	if (!bb_route_number(req, "from", 0, res, &from) ||
	    !bb_route_limit(req, ERASURES, ERASURES_MAX, res, &limit))
		return;
	bb_buf_printf(&res->body, "{\"erasures\":[");
	err = append_receipts(req, from, limit, &next, &res->body);
	if (err == BB_OK)
		bb_buf_printf(&res->body, "],\"next\":%llu}\n", (unsigned long long)next);
	else if (err == BB_ENOTFOUND)
		bb_buf_printf(&res->body, "],\"next\":null}\n");
	else
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
}
