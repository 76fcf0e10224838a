/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch state machine. While one batch is applied on the pool the next one gathers and is
 * decoded beside it; when the first has been committed the batches change places. So the batch size
 * follows the disk: one message when nothing waits, a full batch when behind. Orders are done
 * between batches.
 *
 * No space: the batch is kept and tried again with growing pauses; look-ups go on, and ingestion
 * resumes by itself. Any other error of the store ends ingestion: the process has to end, and what
 * is stored is the state of the last commit.
 */
#include "machine.h"

#include <backbone/assert.h>
#include <backbone/log.h>

#include <inttypes.h>
#include <stdlib.h>

static const char *const state_names[] = {"new",     "idle",	"applying",
					  "waiting", "closing", "closed"};

/* Which states may follow. */
static const unsigned moves[BB_INGEST_STATE_COUNT] = {
	[BB_INGEST_NEW] = 1u << BB_INGEST_IDLE,
	[BB_INGEST_IDLE] = 1u << BB_INGEST_APPLYING | 1u << BB_INGEST_CLOSING,
	[BB_INGEST_APPLYING] = 1u << BB_INGEST_IDLE | 1u << BB_INGEST_WAITING,
	[BB_INGEST_WAITING] = 1u << BB_INGEST_APPLYING | 1u << BB_INGEST_CLOSING,
	[BB_INGEST_CLOSING] = 1u << BB_INGEST_CLOSED,
};

static void on_soon(uv_timer_t *timer)
{
	bb_ingest_pump(timer->data);
}

/* From a later turn of the loop: a callback never runs inside the call that leads to it. */
static void pump_soon(struct bb_ingest *ingest)
{
	uv_timer_start(&ingest->soon, on_soon, 0, 0);
}

static void move(struct bb_ingest *ingest, enum bb_ingest_state to)
{
	bb_assert(moves[ingest->state] & 1u << to);
	bb_log(BB_LOG_DEBUG, "ingest_state", "from=%s to=%s", state_names[ingest->state],
	       state_names[to]);
	ingest->state = to;
}

/* --- a job ------------------------------------------------------------------------------------ */

static void on_work(uv_work_t *work)
{
	struct bb_ingest *ingest = work->data;

	bb_job_run(&ingest->job);
}

static void on_work_done(uv_work_t *work, int status);

static void queue_job(struct bb_ingest *ingest)
{
	move(ingest, BB_INGEST_APPLYING);
	ingest->job.batch = ingest->applying;
	ingest->work.data = ingest;
	bb_assert(uv_queue_work(ingest->options.loop, &ingest->work, on_work, on_work_done) == 0);
}

static void on_decode(uv_work_t *work)
{
	struct bb_ingest *ingest = work->data;

	bb_decode_batch(ingest->options.rules, ingest->gathering, ingest->decode_end);
}

static void on_decode_done(uv_work_t *work, int status)
{
	struct bb_ingest *ingest = work->data;

	bb_assert(status == 0);
	ingest->decoding = false;
	bb_ingest_pump(ingest);
}

/* The batches do not change places meanwhile. */
static void decode_ahead(struct bb_ingest *ingest)
{
	const struct bb_intake *batch = ingest->gathering;

	if (ingest->decoding || batch->decoded_n == batch->n || ingest->options.aside)
		return;
	ingest->decoding = true;
	ingest->decode_end = batch->n - batch->decoded_n < BB_DECODE_MOST
				     ? batch->n
				     : batch->decoded_n + BB_DECODE_MOST;
	ingest->decode_work.data = ingest;
	bb_assert(uv_queue_work(ingest->options.loop, &ingest->decode_work, on_decode,
				on_decode_done) == 0);
}

static void begin_batch(struct bb_ingest *ingest)
{
	struct bb_intake *batch = ingest->gathering;

	ingest->gathering = ingest->applying;
	ingest->applying = batch;
	ingest->orders.last_was_order = false;
	queue_job(ingest);
}

/* Gives the messages back to their sources. */
static void release(struct bb_intake *batch)
{
	size_t from = 0;

	for (size_t i = 1; i <= batch->n; i++) {
		struct bb_source *source = batch->partitions[from]->source;

		if (i < batch->n && batch->partitions[i]->source == source)
			continue;
		source->ops->release(source, batch->items + from, i - from);
		from = i;
	}
	bb_intake_reset(batch);
}

static void settle(struct bb_intake *batch, bool committed)
{
	for (size_t i = 0; i < batch->touched_n; i++) {
		struct bb_partition *part = batch->touched[i];

		bb_partition_settle(part, committed);
		if (committed && part->source->ops->committed)
			part->source->ops->committed(part->source, part->now.topic,
						     part->now.partition, part->now.next_offset);
	}
}

static void end(struct bb_ingest *ingest, bool store_failed, const struct bb_error *err)
{
	if (ingest->ended)
		return;
	ingest->ended = true;
	bb_gather_watch(ingest);
	ingest->options.on_end(ingest->options.ctx, store_failed, err);
}

static void on_retry(uv_timer_t *timer)
{
	struct bb_ingest *ingest = timer->data;

	if (ingest->state == BB_INGEST_WAITING && !ingest->stopping)
		queue_job(ingest);
}

/* A batch that waits uses its connectors, and is not given up: its messages are with it only. */
static void say_hold_waits(void)
{
	bb_log(BB_LOG_WARNING, "reload_waits",
	       "a batch waits for space in the store, and needs the connectors as they are: the "
	       "reload, purge or change of rules is done when there is space again; make room, or "
	       "restart (what was not committed is read again)");
}

static void wait_for_space(struct bb_ingest *ingest)
{
	if (ingest->retry_ms == 0 && ingest->holding)
		say_hold_waits();
	if (ingest->retry_ms == 0 && !ingest->options.aside)
		bb_log(BB_LOG_ERROR, "store_full",
		       "no space for the next batch: ingestion waits and tries again by itself, "
		       "look-ups go on; make room on the disk, or raise store.quota or "
		       "store.map_size");
	ingest->retry_ms = ingest->retry_ms ? 2 * ingest->retry_ms : BB_RETRY_FIRST_MS;
	if (ingest->retry_ms > BB_RETRY_MOST_MS)
		ingest->retry_ms = BB_RETRY_MOST_MS;
	move(ingest, BB_INGEST_WAITING);
	uv_timer_start(&ingest->retry, on_retry, ingest->retry_ms, 0);
}

static void fail(struct bb_ingest *ingest)
{
	if (!ingest->options.aside)
		bb_log(BB_LOG_ERROR, "store_failed", "code=%d error=\"%s\"", ingest->job.err.code,
		       ingest->job.err.msg);
	move(ingest, BB_INGEST_IDLE);
	end(ingest, true, &ingest->job.err);
}

static void tell_commit(struct bb_ingest *ingest)
{
	if (ingest->options.on_commit)
		ingest->options.on_commit(ingest->options.ctx);
}

static void on_work_done(uv_work_t *work, int status)
{
	struct bb_ingest *ingest = work->data;
	struct bb_intake *batch = ingest->applying;

	bb_assert(status == 0); /* a job is never cancelled */
	settle(batch, ingest->job.err.code == BB_OK);
	if (ingest->job.err.code == BB_OK) {
		if (ingest->retry_ms)
			bb_log(BB_LOG_NOTICE, "store_has_space", "ingestion goes on");
		ingest->retry_ms = 0;
		bb_log(BB_LOG_DEBUG, "batch_committed",
		       "messages=%zu bytes=%" PRIu64
		       " arena_bytes=%zu decoded_bytes=%zu apply_us=%" PRIu64 " commit_us=%" PRIu64,
		       batch->n, batch->bytes, batch->arena.total_bytes,
		       batch->decode_arena.total_bytes, batch->apply_ns / 1000,
		       batch->commit_ns / 1000);
		bb_report_batch(ingest, batch);
		bb_reread_look(ingest);
		release(batch);
		move(ingest, BB_INGEST_IDLE);
		tell_commit(ingest);
	} else {
		bb_metrics_add(ingest->options.metrics, BB_METRIC_COMMIT_FAILURES, BB_LABELS_NONE,
			       1);
		if (ingest->job.err.code == BB_ENOSPC)
			wait_for_space(ingest);
		else
			fail(ingest);
	}
	bb_ingest_pump(ingest);
}

/* --- an order --------------------------------------------------------------------------------- */

static void on_order_work(uv_work_t *work)
{
	struct bb_ingest *ingest = work->data;

	bb_order_run(&ingest->orders, &ingest->options, ingest->job.pl);
}

static void on_order_done(uv_work_t *work, int status)
{
	struct bb_ingest *ingest = work->data;
	struct bb_orders *orders = &ingest->orders;
	struct bb_order *order = orders->running;

	bb_assert(status == 0);
	orders->running = NULL;
	if (orders->code == BB_OK && order->moves) {
		orders->code = bb_reread_take_up(ingest);
		orders->store_failed = orders->code != BB_OK;
	}
	if (orders->store_failed) {
		bb_metrics_add(ingest->options.metrics, BB_METRIC_COMMIT_FAILURES, BB_LABELS_NONE,
			       1);
		bb_error_set(&ingest->job.err, orders->code, "%s", bb_error_text(orders->code));
		fail(ingest);
	} else {
		move(ingest, BB_INGEST_IDLE);
		if (orders->code == BB_OK)
			tell_commit(ingest);
	}
	order->done(order, orders->code);
	bb_ingest_pump(ingest);
}

static void begin_order(struct bb_ingest *ingest)
{
	ingest->orders.running = bb_order_take(&ingest->orders);
	ingest->orders.last_was_order = true;
	move(ingest, BB_INGEST_APPLYING);
	ingest->work.data = ingest;
	bb_assert(uv_queue_work(ingest->options.loop, &ingest->work, on_order_work,
				on_order_done) == 0);
}

/* Turn and turn about with the batches, so that neither keeps the other waiting for long. */
static bool order_is_next(const struct bb_ingest *ingest)
{
	return ingest->orders.first && !ingest->holding &&
	       !(ingest->orders.last_was_order && ingest->gathering->n);
}

/* Orders that nobody will come to are answered at once. */
static void refuse_orders(struct bb_ingest *ingest)
{
	if (ingest->stopping || ingest->ended)
		bb_order_refuse(&ingest->orders, BB_EBUSY);
	else if (ingest->state == BB_INGEST_WAITING)
		bb_order_refuse(&ingest->orders, BB_ENOSPC);
}

int bb_ingest_order(struct bb_ingest *ingest, struct bb_order *order)
{
	if (ingest->state == BB_INGEST_NEW || ingest->stopping || ingest->ended)
		return BB_EBUSY;
	bb_order_add(&ingest->orders, order);
	pump_soon(ingest);
	return BB_OK;
}

/* --- what is next ----------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct bb_ingest *ingest = handle->data;

	if (--ingest->open_handles > 0)
		return;
	move(ingest, BB_INGEST_CLOSED);
	ingest->options.on_stopped(ingest->options.ctx);
}

static void close_handle(struct bb_ingest *ingest, uv_handle_t *handle)
{
	handle->data = ingest;
	uv_close(handle, on_closed);
}

static void close_all(struct bb_ingest *ingest)
{
	move(ingest, BB_INGEST_CLOSING);
	release(ingest->applying);
	release(ingest->gathering);
	for (size_t i = 0; i < ingest->feed_n; i++)
		if (ingest->feeds[i].has_poll)
			close_handle(ingest, (uv_handle_t *)&ingest->feeds[i].poll);
	close_handle(ingest, (uv_handle_t *)&ingest->tick);
	close_handle(ingest, (uv_handle_t *)&ingest->soon);
	close_handle(ingest, (uv_handle_t *)&ingest->retry);
	close_handle(ingest, (uv_handle_t *)&ingest->spin);
}

/* What stands in the way of having read everything: a gap, else the first trouble of that kind. */
static void find_obstacle(const struct bb_ingest *ingest, bool unreadable_only,
			  struct bb_error *ret_err)
{
	if (ingest->alarm_n) {
		*ret_err = ingest->alarms[0];
		return;
	}
	for (size_t i = 0; i < ingest->feed_n; i++) {
		const struct bb_error *trouble = &ingest->feeds[i].trouble;

		if (trouble->code && (!unreadable_only || trouble->code == BB_EIO)) {
			*ret_err = *trouble;
			return;
		}
	}
}

static void end_once(struct bb_ingest *ingest)
{
	struct bb_error err = {.code = BB_OK};

	if (bb_gather_drained(ingest)) {
		find_obstacle(ingest, true, &err);
		end(ingest, false, &err);
	} else if (uv_now(ingest->options.loop) - ingest->progress_ms > BB_ONCE_PATIENCE_MS) {
		bb_error_set(&err, BB_EKAFKA, "nothing came for %d s, and not everything was read",
			     BB_ONCE_PATIENCE_MS / 1000);
		find_obstacle(ingest, false, &err);
		end(ingest, false, &err);
	}
}

static void rest(struct bb_ingest *ingest)
{
	if (ingest->stopping) {
		close_all(ingest);
	} else if (ingest->holding) {
		if (!ingest->told_idle) {
			ingest->told_idle = true;
			ingest->options.on_idle(ingest->options.ctx);
		}
	} else if (ingest->options.once && !ingest->ended) {
		end_once(ingest);
	}
}

void bb_ingest_pump(struct bb_ingest *ingest)
{
	if (ingest->state == BB_INGEST_CLOSING)
		return;
	if (!ingest->ended)
		bb_gather(ingest);
	refuse_orders(ingest);
	if (ingest->decoding) {
		/* on_decode_done asks again what is next */
	} else if (ingest->state == BB_INGEST_IDLE) {
		if (order_is_next(ingest))
			begin_order(ingest);
		else if (ingest->gathering->n && !ingest->ended)
			begin_batch(ingest);
		else
			rest(ingest);
	} else if (ingest->state == BB_INGEST_WAITING && ingest->stopping) {
		close_all(ingest); /* what was not committed is read again at the next start */
	} else {
		decode_ahead(ingest);
	}
	if (ingest->state != BB_INGEST_CLOSING)
		bb_gather_watch(ingest);
}

static void on_tick(uv_timer_t *timer)
{
	struct bb_ingest *ingest = timer->data;

	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_source *source = ingest->feeds[i].source;
		struct bb_error err = {0};
		size_t n = 0;

		ingest->feeds[i].quiet = false;
		if (bb_gather_full(ingest) || ingest->holding)
			(void)!source->ops->take(source, NULL, 0, &n, &err);
	}
	bb_ingest_pump(ingest);
}

/* --- life ------------------------------------------------------------------------------------- */

static int load(struct bb_ingest *ingest, struct bb_error *err)
{
	const struct bb_ingest_store *store = &ingest->options.store;
	struct bb_kv *kv;
	int code = store->read_begin(store->ctx, &kv);

	if (code)
		return bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	code = bb_partitions_load(&ingest->partitions, kv);
	store->read_end(store->ctx, kv);
	if (code)
		bb_error_set(err, code, "the stored positions cannot be read: %s",
			     bb_error_text(code));
	return code;
}

int bb_ingest_new(const struct bb_ingest_options *options, struct bb_ingest **ret_ingest,
		  struct bb_error *err)
{
	struct bb_ingest *ingest = calloc(1, sizeof *ingest);
	int code;

	bb_assert(ingest && options->batch_events > 0 && options->batch_bytes > 0);
	ingest->options = *options;
	bb_partitions_init(&ingest->partitions);
	bb_intake_init(&ingest->batches[0], options->batch_events);
	bb_intake_init(&ingest->batches[1], options->batch_events);
	ingest->gathering = &ingest->batches[0];
	ingest->applying = &ingest->batches[1];
	ingest->job.options = &ingest->options;
	ingest->job.pl = bb_pipeline_new(options->rules);
	if (options->aside)
		bb_pipeline_hush(ingest->job.pl);
	code = load(ingest, err);
	if (code) {
		bb_ingest_free(ingest);
		return code;
	}
	bb_reread_begin(ingest);
	*ret_ingest = ingest;
	return BB_OK;
}

void bb_ingest_free(struct bb_ingest *ingest)
{
	if (!ingest)
		return;
	bb_assert(ingest->state == BB_INGEST_NEW || ingest->state == BB_INGEST_CLOSED);
	bb_pipeline_free(ingest->job.pl);
	bb_intake_fini(&ingest->batches[0]);
	bb_intake_fini(&ingest->batches[1]);
	bb_partitions_fini(&ingest->partitions);
	bb_report_fini(ingest);
	bb_letters_fini(&ingest->job.letters);
	free(ingest);
}

void bb_ingest_add(struct bb_ingest *ingest, struct bb_source *source)
{
	struct bb_feed *feed = &ingest->feeds[ingest->feed_n];

	bb_assert(ingest->state == BB_INGEST_NEW && ingest->feed_n < BB_INGEST_SOURCES_MAX);
	*feed = (struct bb_feed){.ingest = ingest, .source = source};
	ingest->feed_n++;
}

int bb_ingest_resume(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *arena,
		     struct bb_resume *ret_resume)
{
	struct bb_ingest *ingest = ctx;
	const struct bb_partition *part = bb_partitions_find(&ingest->partitions, topic, partition);

	*ret_resume = (struct bb_resume){0};
	if (!part || !part->known)
		return BB_OK;
	ret_resume->known = true;
	ret_resume->next_offset = part->now.next_offset;
	ret_resume->token = bb_arena_copy(arena, part->now.token);
	if (bb_reread_goes_on(&part->now.reread)) {
		ret_resume->again = part->now.reread.next;
		ret_resume->again_end = part->now.reread.end;
	}
	return BB_OK;
}

static void init_feed(struct bb_ingest *ingest, struct bb_feed *feed)
{
	int fd = feed->source->ops->fd(feed->source);

	feed->has_poll = fd >= 0;
	if (!feed->has_poll)
		return;
	bb_assert(uv_poll_init(ingest->options.loop, &feed->poll, fd) == 0);
	feed->poll.data = feed;
	ingest->open_handles++;
}

void bb_ingest_start(struct bb_ingest *ingest)
{
	uv_loop_t *loop = ingest->options.loop;

	for (size_t i = 0; i < ingest->feed_n; i++)
		init_feed(ingest, &ingest->feeds[i]);
	uv_timer_init(loop, &ingest->tick);
	uv_timer_init(loop, &ingest->soon);
	uv_timer_init(loop, &ingest->retry);
	uv_idle_init(loop, &ingest->spin);
	ingest->open_handles += 4;
	ingest->tick.data = ingest->soon.data = ingest->retry.data = ingest->spin.data = ingest;
	ingest->progress_ms = uv_now(loop);
	uv_timer_start(&ingest->tick, on_tick, BB_TICK_MS, BB_TICK_MS);
	move(ingest, BB_INGEST_IDLE);
	pump_soon(ingest);
}

void bb_ingest_stop(struct bb_ingest *ingest)
{
	bb_assert(ingest->state != BB_INGEST_NEW && !ingest->stopping);
	ingest->stopping = true;
	pump_soon(ingest);
}

void bb_ingest_hold(struct bb_ingest *ingest)
{
	if (ingest->retry_ms && !ingest->holding)
		say_hold_waits();
	ingest->holding = true;
	ingest->told_idle = false;
	pump_soon(ingest);
}

void bb_ingest_rules_set(struct bb_ingest *ingest, const struct bb_rules *rules)
{
	bb_assert(ingest->holding && ingest->told_idle && !ingest->decoding);
	bb_assert(ingest->state == BB_INGEST_IDLE && !ingest->gathering->n);
	bb_report_pipeline_ends(ingest);
	bb_pipeline_free(ingest->job.pl);
	ingest->job.pl = bb_pipeline_new(rules);
	ingest->options.rules = rules;
	bb_reread_begin(ingest);
}

void bb_ingest_go(struct bb_ingest *ingest)
{
	ingest->holding = false;
	pump_soon(ingest);
}
