/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch, one transaction: begin; events, dead letters and the partitions' rows; commit. That
 * the rows are in the same transaction is what makes every event count exactly once.
 *
 * If anything fails the transaction is aborted, the pipeline forgets the batch, and the store is as
 * before; the batch itself is kept, so that it can be tried again.
 */
#include "job.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/killpoint.h>

#include <stdlib.h>

#ifdef BB_FAILPOINTS
#include "failpoint.h"
#endif

void bb_intake_init(struct bb_intake *batch, size_t room)
{
	*batch = (struct bb_intake){.room = room};
	batch->items = malloc(room * sizeof *batch->items);
	batch->partitions = malloc(room * sizeof *batch->partitions);
	batch->decoded = malloc(room * sizeof *batch->decoded);
	bb_assert(batch->items && batch->partitions && batch->decoded);
	bb_arena_init(&batch->arena);
	bb_arena_init(&batch->decode_arena);
}

void bb_intake_fini(struct bb_intake *batch)
{
	bb_arena_fini(&batch->arena);
	bb_arena_fini(&batch->decode_arena);
	free(batch->items);
	free(batch->partitions);
	free(batch->decoded);
}

static void forget_results(struct bb_intake *batch)
{
	bb_arena_reset(&batch->arena);
	batch->touched = NULL;
	batch->outcomes = NULL;
	batch->tallies = NULL;
	batch->letters = NULL;
	batch->touched_n = batch->touched_room = 0;
	batch->outcome_n = batch->outcome_room = 0;
	batch->tally_n = batch->tally_room = 0;
	batch->letter_n = batch->letter_room = 0;
	batch->again = NULL;
	batch->again_n = batch->again_room = 0;
	batch->events = batch->apply_ns = batch->commit_ns = 0;
}

void bb_intake_reset(struct bb_intake *batch)
{
	forget_results(batch);
	bb_arena_reset(&batch->decode_arena);
	batch->n = batch->decoded_n = 0;
	batch->bytes = 0;
}

/*
 * Whether the message was there when somebody was erased last: then it is read again, and nobody
 * can search it for that person any more. A file that was not read by then is taken for news.
 */
static bool is_before(const struct bb_message *msg, const struct bb_birth *birth,
		      const struct bb_erasure_receipt *erasure)
{
	int64_t next_offset;

	if (bb_erasure_lists(erasure, msg->topic, msg->partition, birth, &next_offset))
		return msg->offset < next_offset;
	return msg->timestamp_ms >= 0 && msg->timestamp_ms < erasure->time_ms;
}

/* `erasure` NULL: nobody ever was. */
static int put_letter(struct bb_job *job, struct bb_kv *kv, const struct bb_letter *letter,
		      bool with_bytes, const struct bb_erasure_receipt *erasure)
{
	const struct bb_delivery *delivery = &job->batch->items[letter->item];
	struct bb_deadletter row = {
		.stored_ms = bb_clock_wall_ms(),
		.refusal = letter->refusal,
		.connector = bb_text_of(bb_connector_name(delivery->connector)),
		.message = delivery->message,
		.has_value = delivery->message.value.p != NULL,
		.value_bytes = delivery->message.value.n,
	};
	uint64_t number;

	if (erasure && is_before(&delivery->message,
				 &job->batch->partitions[letter->item]->made.birth, erasure)) {
		with_bytes = false;
		row.message.key = (struct bb_text){NULL, 0};
	}
	if (!with_bytes) {
		row.message.value = (struct bb_text){NULL, 0};
		row.message.header_n = 0;
	}
	row.message = bb_connector_redact(delivery->connector, &row.message, &job->batch->arena);
	return bb_deadletter_put(kv, &row, &number);
}

/* What became of records that are read again stands in place of what became of them before. */
static int remove_letters(struct bb_job *job, struct bb_kv *kv)
{
	struct bb_intake *batch = job->batch;
	int err = batch->again_n ? bb_letters_find(&job->letters, kv) : BB_OK;

	for (size_t i = 0; !err && i < batch->again_n; i++) {
		size_t item = batch->again[i];

		err = bb_letters_remove(&job->letters, batch->partitions[item],
					batch->items[item].message.offset, kv);
	}
	return err;
}

static int put_letters(struct bb_job *job, struct bb_kv *kv)
{
	struct bb_intake *batch = job->batch;
	struct bb_erasure_receipt erasure;
	bool any_erased = false;
	size_t removed;
	int err = remove_letters(job, kv);

	if (!err && batch->letter_n) {
		err = bb_erasure_latest(kv, &batch->arena, &erasure);
		any_erased = err == BB_OK;
		err = err == BB_ENOTFOUND ? BB_OK : err;
	}
	for (size_t i = 0; !err && i < batch->letter_n; i++) {
		bool first = i == 0 || batch->letters[i - 1].item != batch->letters[i].item;

		err = put_letter(job, kv, &batch->letters[i], first, any_erased ? &erasure : NULL);
	}
	if (!err && job->options->dead_letter_days)
		err = bb_deadletter_sweep(
			kv, bb_clock_wall_ms() - job->options->dead_letter_days * BB_DAY_MS,
			BB_JOB_SWEEP_MAX, &removed);
	return err;
}

static int put_rows(struct bb_job *job, struct bb_kv *kv)
{
	struct bb_intake *batch = job->batch;
	int err = BB_OK;

	for (size_t i = 0; !err && i < batch->touched_n; i++) {
		struct bb_partition *part = batch->touched[i];

		if (part->last != SIZE_MAX)
			part->made.token = part->source->ops->token(
				part->source, &batch->items[part->last], &batch->arena);
		err = bb_progress_put(kv, &part->made);
	}
	return err;
}

static int apply_data(struct bb_job *job, struct bb_kv *kv)
{
	int err;

	bb_pipeline_begin(job->pl, kv);
	bb_apply_batch(job);
	err = bb_pipeline_finish(job->pl);
	return err ? err : put_letters(job, kv);
}

enum { DATA = 1, ROWS = 2 };

static int run_transaction(struct bb_job *job, unsigned parts)
{
	const struct bb_ingest_store *store = &job->options->store;
	uint64_t began_ns = bb_clock_monotonic_ns();
	struct bb_kv *kv;
	int err = store->write_begin(store->ctx, &kv);

	if (err)
		return err;
	if (parts & DATA)
		err = apply_data(job, kv);
	if (!err && (parts & ROWS))
		err = put_rows(job, kv);
	job->batch->apply_ns = bb_clock_monotonic_ns() - began_ns;
	if (err) {
		store->write_abort(kv);
	} else {
		bb_killpoint("batch.before-commit");
		err = store->write_commit(kv);
		bb_killpoint("batch.after-commit");
		job->batch->commit_ns = bb_clock_monotonic_ns() - began_ns - job->batch->apply_ns;
	}
	if (err && (parts & DATA))
		bb_pipeline_abort(job->pl);
	return err;
}

#ifdef BB_FAILPOINTS
/* The same work with a known mistake, so that a test can show that it would be noticed. */
static int run_wrongly(struct bb_job *job, enum bb_failpoint failpoint)
{
	unsigned first = failpoint == BB_FAILPOINT_OFFSET_AFTER_DATA ? DATA : ROWS;
	int err;

	if (first == ROWS) { /* the rows are known only after a try run */
		const struct bb_ingest_store *store = &job->options->store;
		struct bb_kv *kv;

		err = store->write_begin(store->ctx, &kv);
		if (err)
			return err;
		err = apply_data(job, kv);
		bb_pipeline_abort(job->pl);
		store->write_abort(kv);
		if (err)
			return err;
	}
	err = run_transaction(job, first);
	if (err)
		return err;
	bb_failpoint_pause();
	if (first == DATA)
		return run_transaction(job, ROWS);
	for (size_t i = 0; i < job->batch->touched_n; i++)
		bb_partition_settle(job->batch->touched[i], false);
	forget_results(job->batch);
	return run_transaction(job, DATA);
}
#endif

static int run(struct bb_job *job)
{
#ifdef BB_FAILPOINTS
	enum bb_failpoint failpoint = bb_failpoint_chosen();

	if (failpoint != BB_FAILPOINT_NONE)
		return run_wrongly(job, failpoint);
#endif
	return run_transaction(job, DATA | ROWS);
}

void bb_job_run(struct bb_job *job)
{
	int code;

	forget_results(job->batch);
	bb_decode_batch(job->options->rules, job->batch, job->batch->n);
	code = run(job);
	bb_error_set(&job->err, code, "%s", bb_error_text(code));
}
