/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a case to gate and pipeline as the run says, and has what is stored judged by the model of
 * the same lines. A batch that fails as ordered is given back and tried again, as ingest does;
 * between batches the pipeline, the viewers and the store may be closed and opened. An erasure, or
 * a change of the rules, begins a batch. Where somebody was erased, a second store gets the
 * tombstones, and then the events and rulings from the start in another order: it must be the same.
 *
 * Whatever differs is said in the report and ends the run: another view, a missing or surplus one,
 * a look-up that leads elsewhere, a verdict or a receipt that cannot be, an error nobody ordered.
 */
#include "run.h"

#include "walk.h"

#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <backbone/progress.h>

#include <stdlib.h>

struct item { /* of a batch */
	const struct bb_event *ev;
	const struct bb_ruling *ruling; /* if not an event */
	enum bb_walk_ruling expected;	/* of a ruling */
};

struct batch {
	const struct bb_erasure *order; /* NULL: none; it comes first */
	int refused;			/* what the order must be answered; BB_OK: it is done */
	bool again;			/* its request is known */
	struct bb_model_erasure erasure;
	struct item *items;
	size_t n, room;
};

struct running {
	const struct bb_case *cs;
	const struct bb_run *run;
	struct bb_random random;
	uint64_t starts; /* of the pipeline */
	struct bb_arena arena;
	struct bb_delivered *deliveries;
	size_t delivery_n;
	struct bb_backend *backend;
	struct bb_pipeline *pl;
	struct bb_judge judge;
	struct bb_walk walk;
	const struct running *late; /* the first store, whose erasures are not known here yet */
	bool *taken;		    /* steps that a second store is given */
	size_t counted;		    /* events that the pipeline took as new, in committed batches */
	struct bb_buf *report;
};

static void start(struct running *r)
{
	static const uint64_t hubs[] = {1, 2, 3, 256}, slices[] = {1, 3, 10, 131072};
	uint64_t start = bb_random_mix(r->cs->seed + r->starts++);

	r->pl = bb_pipeline_new(r->walk.rules);
	bb_pipeline_set_hub(r->pl, hubs[start % 4]);
	bb_pipeline_set_slice(r->pl, slices[start / 4 % 4]);
	bb_judge_start(&r->judge, r->walk.rules);
}

static void stop(struct running *r)
{
	bb_pipeline_free(r->pl);
	bb_judge_stop(&r->judge);
}

/* --- planning a batch ------------------------------------------------------------------------- */

static void add_event(struct running *r, struct batch *batch, const struct bb_event *given)
{
	struct bb_event *ev = bb_case_copy(given, &r->arena);
	struct bb_refusal refusal;

	if (bb_gate(r->walk.rules, ev, &r->arena, &refusal) == BB_GATE_PASS)
		BB_ARENA_PUSH(&r->arena, batch->items, batch->n, batch->room) =
			(struct item){.ev = ev};
}

static void add_ruling(struct running *r, struct batch *batch, const struct bb_ruling *ruling,
		       enum bb_walk_ruling expected)
{
	BB_ARENA_PUSH(&r->arena, batch->items, batch->n, batch->room) =
		(struct item){.ruling = ruling, .expected = expected};
}

static void plan_ruling(struct running *r, struct batch *batch, size_t step)
{
	struct bb_ruling *ruling = bb_arena_alloc(&r->arena, sizeof *ruling);
	struct bb_refusal refusal;
	enum bb_walk_ruling expected;
	bool checked;

	*ruling = *r->cs->steps[step].ruling;
	ruling->by_log = true; /* a second store is told of it again */
	checked = bb_ruling_check(r->walk.rules, ruling, &r->arena, &refusal);
	expected = bb_walk_ruling(&r->walk, r->cs->steps[step].ruling, ruling, checked);
	if (expected == BB_WALK_LEFT_OUT)
		return;
	r->taken[step] = r->taken[step] || expected != BB_WALK_CONFLICT;
	add_ruling(r, batch, ruling, expected);
}

static void plan_order(struct running *r, struct batch *batch, const struct bb_erasure *order)
{
	batch->order = order;
	batch->again = bb_walk_knows(&r->walk, order->id);
	if (!batch->again)
		batch->refused = bb_walk_erase(&r->walk, order, &batch->erasure);
}

static void plan(struct running *r, struct batch *batch, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t at = r->deliveries[i].step;
		const struct bb_step *step = &r->cs->steps[at];

		switch (step->kind) {
		case BB_STEP_EVENT:
			if (!bb_walk_event(&r->walk, step->ev))
				break;
			r->taken[at] = true;
			add_event(r, batch, step->ev);
			break;
		case BB_STEP_RULING:
			plan_ruling(r, batch, at);
			break;
		case BB_STEP_ERASE:
			plan_order(r, batch, step->order);
			break;
		case BB_STEP_CHANGE: /* done before the batch */
			break;
		}
	}
}

/* --- applying it ------------------------------------------------------------------------------ */

static bool names_hash(const struct running *r, const struct bb_erasure_receipt *receipt, size_t i,
		       const struct bb_model_erasure *erasure)
{
	for (size_t k = 0; k < erasure->id_n; k++) {
		struct bb_hash hash = bb_hash_identifier(&r->cs->rules.profile_key,
							 erasure->ids[k].ns, erasure->ids[k].value);

		if (bb_hash_equal(&hash, &receipt->identifiers[i].hash))
			return receipt->identifiers[i].standing == erasure->standing[k];
	}
	return false;
}

static bool names_mark(const struct bb_erasure_receipt *receipt, const struct bb_model_mark *mark)
{
	for (size_t i = 0; i < receipt->watermark_n; i++)
		if (bb_text_equal(receipt->watermark[i].topic, mark->topic) &&
		    receipt->watermark[i].partition == mark->partition)
			return receipt->watermark[i].next_offset == mark->next_offset;
	return false;
}

/* The time may be any that is late enough; the model takes it as it is. */
static bool judge_receipt(struct running *r, struct batch *batch,
			  const struct bb_erasure_receipt *receipt)
{
	const char *wrong = NULL;

	if (receipt->again || receipt->mode != batch->order->mode)
		wrong = "it is of another request";
	if (receipt->time_ms < batch->erasure.time_ms)
		wrong = "its time is before the clock's, an event's of a file or an erasure's";
	if (receipt->identifier_n != batch->erasure.id_n)
		wrong = "the number of identifiers";
	for (size_t i = 0; !wrong && i < receipt->identifier_n; i++)
		if (!names_hash(r, receipt, i, &batch->erasure))
			wrong = "an identifier, or whether it stands for the person alone";
	if (!wrong && receipt->watermark_n != batch->erasure.mark_n)
		wrong = "the number of partitions in the watermark";
	for (size_t i = 0; !wrong && i < batch->erasure.mark_n; i++)
		if (!names_mark(receipt, &batch->erasure.marks[i]))
			wrong = "the watermark";
	if (!wrong && receipt->records != batch->erasure.record_n)
		wrong = "the number of records";
	if (!wrong && receipt->keys != batch->erasure.key_n)
		wrong = "the number of amount keys";
	if (wrong) {
		bb_buf_printf(r->report, "receipt of %.*s: %s; the model erases\n",
			      (int)batch->order->id.n, batch->order->id.p, wrong);
		bb_emit_erasure(&batch->erasure, r->report);
		bb_buf_byte(r->report, '\n');
		return false;
	}
	batch->erasure.time_ms = receipt->time_ms;
	return true;
}

/* Nobody to be erased is said in one of two ways where the identifier was never seen. */
static bool is_refusal(int rc, int must)
{
	return rc == must || (must == BB_ENOTFOUND && rc == BB_EACCESS);
}

/* BB_OK, an error, or BB_EINVAL: what cannot be (said in the report). */
static int try_order(struct running *r, struct batch *batch, struct bb_kv *kv)
{
	struct bb_erasure_receipt receipt = {0};
	struct bb_erasure_mark *marks;
	struct bb_erasure order;
	int rc;

	if (!batch->order)
		return BB_OK;
	order = *batch->order;
	rc = bb_progress_marks(kv, &r->arena, &marks, &order.watermark_n);
	if (rc != BB_OK)
		return rc;
	order.watermark = marks;
	rc = bb_pipeline_erase(r->pl, &order, &r->arena, &receipt);
	if (rc == BB_OK && batch->again && receipt.again)
		return BB_OK;
	if (rc == BB_OK && !batch->again && batch->refused == BB_OK)
		return judge_receipt(r, batch, &receipt) ? BB_OK : BB_EINVAL;
	if (batch->refused != BB_OK && is_refusal(rc, batch->refused)) {
		batch->order = NULL; /* what was aborted is tried without it */
		return BB_ENOTFOUND;
	}
	if (rc == BB_OK || rc == BB_EINVAL || rc == BB_ENOTFOUND || rc == BB_EACCESS) {
		bb_buf_printf(r->report, "erasing %.*s: %s%s, must be %s%s\n",
			      (int)batch->order->key.n, batch->order->key.p, bb_error_text(rc),
			      receipt.again ? " (again)" : "", bb_error_text(batch->refused),
			      batch->again ? " (again)" : "");
		return BB_EINVAL;
	}
	return rc;
}

/* Copies are copies, whatever was erased, and whatever the rules were then. */
static bool is_possible(const struct running *r, enum bb_verdict verdict)
{
	return verdict != BB_VERDICT_DEAD && (verdict != BB_VERDICT_SKIPPED || r->cs->erases);
}

static bool is_expected(enum bb_verdict verdict, enum bb_walk_ruling expected)
{
	switch (expected) {
	case BB_WALK_NEW:
		return verdict == BB_VERDICT_APPLIED;
	case BB_WALK_AGAIN:
		return verdict == BB_VERDICT_DUPLICATE;
	case BB_WALK_CONFLICT:
		return verdict == BB_VERDICT_DEAD;
	default:
		return verdict != BB_VERDICT_DEAD;
	}
}

static int try_item(struct running *r, const struct item *item, size_t *counted)
{
	struct bb_refusal refusal = {0};
	struct bb_text id = item->ev ? item->ev->id : item->ruling->id;
	enum bb_verdict verdict;
	bool good;

	if (item->ev) {
		verdict = bb_pipeline_apply(r->pl, item->ev, &refusal);
		*counted += verdict == BB_VERDICT_APPLIED || verdict == BB_VERDICT_NO_IDENTIFIER;
		good = is_possible(r, verdict);
	} else {
		verdict = bb_pipeline_rule(r->pl, item->ruling, &refusal);
		good = is_expected(verdict, item->expected);
	}
	if (good)
		return BB_OK;
	bb_buf_printf(r->report, "verdict %s (%s) on %s %.*s\n", bb_verdict_text(verdict),
		      verdict == BB_VERDICT_DEAD ? bb_dead_reason_text(refusal.reason) : "",
		      item->ev ? "event" : "ruling", (int)id.n, id.p);
	return BB_EINVAL;
}

static int put_progress(const struct running *r, struct bb_kv *kv)
{
	int rc = BB_OK;

	for (size_t i = 0; rc == BB_OK && i < r->walk.mark_n; i++) {
		struct bb_progress progress = {
			.topic = r->walk.marks[i].topic,
			.partition = r->walk.marks[i].partition,
			.next_offset = r->walk.marks[i].next_offset,
		};

		rc = bb_progress_put(kv, &progress);
	}
	return rc;
}

static int try_batch(struct running *r, struct batch *batch)
{
	struct bb_kv *kv = bb_backend_begin(r->backend);
	size_t counted = 0;
	int rc;

	bb_pipeline_begin(r->pl, kv);
	rc = try_order(r, batch, kv);
	for (size_t i = 0; rc == BB_OK && i < batch->n; i++)
		rc = try_item(r, &batch->items[i], &counted);
	if (rc == BB_OK)
		rc = bb_pipeline_finish(r->pl);
	if (rc == BB_OK)
		rc = put_progress(r, kv);
	if (rc != BB_OK)
		bb_backend_abort(r->backend, kv);
	else
		rc = bb_backend_commit(r->backend, kv);
	if (rc != BB_OK)
		bb_pipeline_abort(r->pl);
	else
		r->counted += counted;
	return rc;
}

static bool apply_batch(struct running *r, struct batch *batch)
{
	const struct bb_erasure *order = batch->order;
	int rc;

	while (bb_random_percent(&r->random, r->run->fail_percent)) {
		bb_backend_order_failure(r->backend, &r->random);
		rc = try_batch(r, batch);
		bb_backend_cancel_failure(r->backend);
		if (rc == BB_OK)
			return true;
		batch->order = order;
		r->report->n = 0; /* what a failed read made it say does not count */
	}
	rc = try_batch(r, batch);
	if (rc == BB_ENOTFOUND && !batch->order)
		rc = try_batch(r, batch);
	if (rc != BB_OK && rc != BB_EINVAL)
		bb_buf_printf(r->report, "a batch failed: %s\n", bb_error_text(rc));
	return rc == BB_OK;
}

/* --- a whole run ------------------------------------------------------------------------------ */

static void change_rules(struct running *r)
{
	stop(r);
	bb_walk_rules(&r->walk, &r->cs->later);
	start(r);
	bb_backend_adopt(r->backend, r->walk.rules);
}

static bool judge(struct running *r, struct bb_digest *ret_digest)
{
	struct bb_kv *kv = bb_backend_read_begin(r->backend);
	struct bb_arena arena;
	size_t count;
	bool ok = bb_judge(&r->judge, &r->walk.lines, kv, ret_digest, r->report);

	if (ok && ret_digest && r->run->explained)
		ok = bb_judge_explanations(r->walk.rules, &r->walk.lines, kv, &r->random,
					   r->run->explained, r->report);
	bb_backend_read_end(r->backend);
	if (!ok || r->walk.lines.erasure_n > 0 || r->walk.rules == &r->cs->later)
		return ok; /* what went, or was told a second time, was counted too */
	bb_arena_init(&arena);
	count = bb_model_count(r->walk.rules, &r->walk.lines, &arena);
	bb_arena_fini(&arena);
	if (count == r->counted)
		return true;
	bb_buf_printf(r->report, "%zu events counted, must be %zu\n", r->counted, count);
	return false;
}

static bool begins_batch(const struct running *r, size_t i)
{
	return i == 0 || r->deliveries[i].group != r->deliveries[i - 1].group ||
	       r->cs->steps[r->deliveries[i].step].kind >= BB_STEP_ERASE ||
	       r->cs->steps[r->deliveries[i - 1].step].kind == BB_STEP_ERASE; /* it is alone */
}

/* --- erasures that come late ------------------------------------------------------------------ */

/* Whether an erasure leaves the event alone, or may: its time is perhaps that of its message. */
static bool is_above(const struct bb_event *ev, const struct bb_model_erasure *erasure)
{
	for (size_t i = 0; ev->position.topic.p && i < erasure->mark_n; i++)
		if (erasure->marks[i].partition == ev->position.partition &&
		    bb_text_equal(erasure->marks[i].topic, ev->position.topic))
			return ev->position.offset >= erasure->marks[i].next_offset;
	return ev->time_ms <= 0 || ev->time_ms >= erasure->time_ms;
}

static bool any_above(const struct running *r, size_t from, size_t to)
{
	const struct bb_model_lines *lines = &r->late->walk.lines;

	for (size_t i = from; i < to; i++) {
		const struct bb_step *step = &r->cs->steps[r->deliveries[i].step];

		for (size_t k = 0; step->kind == BB_STEP_EVENT && k < lines->erasure_n; k++)
			if (is_above(step->ev, lines->erasures[k]))
				return true;
	}
	return false;
}

static void learn(struct running *r)
{
	const struct running *first = r->late;

	r->late = NULL;
	bb_backend_carry_late(first->backend, r->backend, r->pl);
	for (size_t i = 0; i < first->walk.lines.erasure_n; i++)
		bb_walk_erased(&r->walk, first->walk.lines.erasures[i]);
}

static bool run_batch(struct running *r, size_t from, size_t to)
{
	struct batch batch = {0};

	if (r->late && any_above(r, from, to))
		learn(r);
	r->random.state = bb_random_mix(r->cs->seed + r->deliveries[from].group);
	if (r->cs->steps[r->deliveries[from].step].kind == BB_STEP_CHANGE)
		change_rules(r);
	plan(r, &batch, from, to);
	if (!apply_batch(r, &batch))
		return false;
	if (batch.order && !batch.again)
		bb_walk_erased(&r->walk, &batch.erasure);
	if (r->run->every_batch && to < r->delivery_n && !judge(r, NULL))
		return false;
	if (bb_random_percent(&r->random, r->run->restart_percent)) {
		stop(r);
		bb_backend_reopen(r->backend, bb_random_percent(&r->random, 30));
		start(r);
	}
	return true;
}

static bool run_all(struct running *r, struct bb_digest *ret_digest)
{
	bool ok = true;
	size_t to;

	for (size_t from = 0; ok && from < r->delivery_n; from = to) {
		for (to = from + 1; to < r->delivery_n && !begins_batch(r, to); to++)
			;
		ok = run_batch(r, from, to);
	}
	if (ok && r->late)
		learn(r);
	return ok && judge(r, ret_digest);
}

/* The last of the rules hold, of whichever it has tombstones. */
static void init(struct running *r, const struct bb_rules *const *rules, size_t n)
{
	bb_arena_init(&r->arena);
	r->walk.arena = &r->arena;
	for (size_t i = 0; i < n; i++)
		bb_walk_rules(&r->walk, rules[i]);
	r->taken = bb_arena_zalloc(&r->arena, r->cs->n);
	r->delivery_n = bb_schedule(r->cs, r->run, &r->arena, &r->deliveries);
	r->backend = bb_backend_new(r->walk.rules, r->run->disk);
	start(r);
}

static void fini(struct running *r)
{
	stop(r);
	bb_backend_free(r->backend);
	bb_arena_fini(&r->arena);
}

static enum bb_model_left left_of(const struct running *r, size_t line)
{
	const struct bb_model_lines *lines = &r->walk.lines;
	struct bb_text ignored;

	return bb_model_left(r->walk.rules, lines, lines->events[line], &lines->origins[line],
			     r->walk.arena, &ignored);
}

/* What came under other rules may be erased from more events, but from no fewer. */
static bool forgets_no_less(const struct running *first, const struct running *second)
{
	const struct bb_model_lines *old = &first->walk.lines, *new = &second->walk.lines;

	for (size_t i = 0; i < old->event_n; i++) {
		if (left_of(first, i) != BB_MODEL_GONE)
			continue;
		for (size_t k = 0; k < new->event_n; k++) {
			if (new->origins[k].given != old->origins[i].given ||
			    left_of(second, k) == BB_MODEL_GONE)
				continue;
			bb_buf_printf(second->report, "event %.*s is erased no more\n",
				      (int)old->events[i]->id.n, old->events[i]->id.p);
			return false;
		}
	}
	return true;
}

/* The second store: told of the erasures before it is told of anything else, or at the last moment
 * at which all that it was told is from before each of them. */
static bool replay(const struct running *first, const struct bb_digest *must, bool late)
{
	struct bb_run run = {
		.name = "replayed",
		.batch = 11,
		.redeliver_percent = 5,
		.restart_percent = 5,
		.replayed = true,
	};
	struct running r = {.cs = first->cs, .run = &run, .report = first->report};
	struct bb_digest digest;
	size_t n = 0;
	bool ok;

	init(&r, first->walk.lines.eras, first->walk.lines.era_n);
	for (size_t i = 0; i < r.delivery_n; i++)
		if (first->taken[r.deliveries[i].step])
			r.deliveries[n++] = r.deliveries[i];
	r.delivery_n = n;
	r.late = first;
	if (!late) {
		bb_backend_carry(first->backend, r.backend);
		learn(&r);
	}
	ok = run_all(&r, &digest);
	if (ok && first->cs->dated)
		ok = forgets_no_less(first, &r);
	else if (ok &&
		 !(bb_hash_equal(&digest.sum, &must->sum) && digest.profiles == must->profiles)) {
		bb_buf_printf(r.report, "the digests differ\n");
		ok = false;
	}
	if (!ok)
		bb_buf_printf(r.report, "when all was replayed to a new store with tombstones%s\n",
			      late ? " that came late" : "");
	fini(&r);
	return ok;
}

static void report_erasures(const struct running *r)
{
	for (size_t i = 0; i < r->walk.lines.erasure_n; i++) {
		bb_buf_printf(r->report, "erased: ");
		bb_emit_erasure(r->walk.lines.erasures[i], r->report);
		bb_buf_byte(r->report, '\n');
	}
}

bool bb_run_case(const struct bb_case *cs, const struct bb_run *run, struct bb_digest *ret_digest,
		 struct bb_buf *report)
{
	struct running r = {.cs = cs, .run = run, .report = report};
	bool ok;

	init(&r, (const struct bb_rules *[]){&cs->rules}, 1);
	ok = run_all(&r, ret_digest);
	if (ok && r.walk.lines.erasure_n > 0)
		ok = replay(&r, ret_digest, false) && (cs->dated || replay(&r, ret_digest, true));
	if (!ok)
		report_erasures(&r);
	fini(&r);
	return ok;
}
