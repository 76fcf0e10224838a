/* SPDX-License-Identifier: Apache-2.0 */
/* Reading again: the rows, the steps of a delivery, and an order that has a script read again. */
#include <criterion/criterion.h>

#include "reread.h"
#include "script.h"

static struct bench bench;

static void setup(void)
{
	bench_begin(&bench);
}

static void teardown(void)
{
	bench_end(&bench);
}

TestSuite(reread, .init = setup, .fini = teardown, .timeout = 60);

/* --- rows ------------------------------------------------------------------------------------- */

static struct bb_progress row(void)
{
	return (struct bb_progress){.topic = BB_TEXT("t"),
				    .partition = 0,
				    .next_offset = 10,
				    .passed = 10,
				    .results = {8, 1, 1, 0, 0},
				    .token = BB_TEXT("token")};
}

Test(reread, rows_that_were_never_read_again_are_as_they_were)
{
	struct bb_progress progress = row(), got;
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_progress_encode(&progress, &buf);
	cr_expect_eq(buf.p[0], 1);
	cr_assert_eq(bb_progress_decode(bb_buf_slice(&buf), &got), BB_OK);
	cr_expect_eq(got.reread.end, 0);
	bb_buf_fini(&buf);
}

Test(reread, what_a_row_says_of_it_is_read_as_it_was_written)
{
	struct bb_progress progress = row(), got;
	struct bb_buf buf = BB_BUF_EMPTY;

	progress.reread = (struct bb_reread){.from = 2,
					     .next = 7,
					     .end = 10,
					     .since_ms = 1234,
					     .too_old = 1,
					     .results = {1, 1, 1, 0, 1}};
	bb_progress_encode(&progress, &buf);
	cr_assert_eq(bb_progress_decode(bb_buf_slice(&buf), &got), BB_OK);
	cr_expect_eq(got.reread.from, 2);
	cr_expect_eq(got.reread.next, 7);
	cr_expect_eq(got.reread.end, 10);
	cr_expect_eq(got.reread.since_ms, 1234);
	cr_expect_eq(got.reread.too_old, 1);
	cr_expect_arr_eq(got.reread.results, progress.reread.results, sizeof got.reread.results);
	for (size_t n = 0; n < buf.n; n++)
		cr_expect_eq(bb_progress_decode(bb_text_bytes(buf.p, n), &got), BB_ECORRUPT,
			     "cut to %zu bytes", n);
	bb_buf_fini(&buf);
}

Test(reread, damage_in_it_is_seen)
{
	static const struct bb_reread wrong[] = {
		{.from = -1, .next = 3, .end = 10},
		{.from = 4, .next = 3, .end = 10},
		{.from = 2, .next = 11, .end = 10},
		{.from = 2, .next = 4, .end = 10, .too_old = 3},
		{.from = 2, .next = 4, .end = 10, .results = {1, 1, 1}},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct bb_progress progress = row(), got;
		struct bb_buf buf = BB_BUF_EMPTY;

		progress.reread = wrong[i];
		bb_progress_encode(&progress, &buf);
		cr_expect_eq(bb_progress_decode(bb_buf_slice(&buf), &got), BB_ECORRUPT, "row %zu",
			     i);
		bb_buf_fini(&buf);
	}
}

Test(reread, an_order_keeps_the_position_and_refuses_what_cannot_be)
{
	static const struct {
		const char *topic;
		int64_t from;
		int code;
	} rows[] = {{"t", 10, BB_EINVAL},
		    {"t", -1, BB_EINVAL},
		    {"other", 0, BB_ENOTFOUND},
		    {"t", 3, BB_OK},
		    {"t", 4, BB_ELIMIT}};
	struct bb_kv *kv = bb_kvmem_begin(bench.mem);
	struct bb_progress progress = row();
	int64_t end = 0;

	cr_assert_eq(bb_progress_put(kv, &progress), BB_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(bb_progress_reread(kv, bb_text_of(rows[i].topic), 0, rows[i].from, 77,
						&end),
			     rows[i].code, "row %zu", i);
	cr_expect_eq(end, 10);
	cr_assert_eq(bb_progress_get(kv, BB_TEXT("t"), 0, &progress), BB_OK);
	cr_expect_eq(progress.next_offset, 10);
	cr_expect_eq(progress.reread.next, 3);
	cr_expect_eq(progress.reread.since_ms, 77);
	cr_expect(bb_text_equal(progress.token, BB_TEXT("token")));
	/* another log may stand there: what was ordered is void */
	cr_assert_eq(bb_progress_accept(kv, BB_TEXT("t"), 0, BB_RESUME_START), BB_OK);
	cr_assert_eq(bb_progress_get(kv, BB_TEXT("t"), 0, &progress), BB_OK);
	cr_expect_eq(progress.reread.end, 0);
	bb_kvmem_abort(kv);
}

/* --- a delivery ------------------------------------------------------------------------------- */

Test(reread, what_a_delivery_is)
{
	static const struct {
		const char *what;
		int64_t offset, time_ms;
		bool is_mark, old;
		enum bb_reread_step step;
		int64_t next;
	} rows[] = {
		{"taken before it began", 10, 100, false, true, BB_REREAD_LIVE, 2},
		{"the next one", 2, 100, false, false, BB_REREAD_TAKE, 3},
		{"once more", 2, 100, false, false, BB_REREAD_PASSED, 3},
		{"behind a hole, without a time", 5, BB_NO_TIMESTAMP, false, false, BB_REREAD_TAKE,
		 6},
		{"names of its time are not known", 6, 99, false, false, BB_REREAD_TOO_OLD, 7},
		{"nothing before that", 8, BB_NO_TIMESTAMP, true, false, BB_REREAD_PASSED, 8},
		{"the first that is not read again", 10, 100, false, false, BB_REREAD_LIVE, 10},
		{"and then as ever", 3, 100, false, false, BB_REREAD_LIVE, 10},
	};
	struct bb_progress made = row();

	made.reread = (struct bb_reread){.from = 2, .next = 2, .end = 10, .since_ms = 100};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_message msg = {.offset = rows[i].offset, .timestamp_ms = rows[i].time_ms};

		cr_expect_eq(bb_reread_step(&made, &msg, rows[i].is_mark, rows[i].old),
			     rows[i].step, "%s", rows[i].what);
		cr_expect_eq(made.reread.next, rows[i].next, "%s", rows[i].what);
	}
	cr_expect_eq(made.reread.too_old, 1);
}

/* --- the whole -------------------------------------------------------------------------------- */

struct again { /* an order to read partition 0 again */
	struct bb_order order;
	int64_t from, end;
	int dones, answer;
};

static struct again again;

static int on_run(struct bb_order *order, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct again *self = (struct again *)order;

	(void)pl;
	order->moves = true;
	return bb_progress_reread(kv, BB_TEXT("t"), 0, self->from, 0, &self->end);
}

static void on_done(struct bb_order *order, int code)
{
	struct again *self = (struct again *)order;

	self->answer = code;
	self->dones++;
}

static bool is_done(struct bench *b)
{
	(void)b;
	return again.dones > 0;
}

static bool is_idle(struct bench *b)
{
	return b->idle > 0;
}

/* Delivers what the script has from `next` up to `n`, and waits until that is committed. */
static void deliver(size_t n)
{
	bench.script.pause_at = n;
	bench.idle = 0;
	bb_ingest_go(bench.ingest);
	while (bench.script.next < n)
		uv_run(&bench.loop, UV_RUN_NOWAIT);
	bb_ingest_hold(bench.ingest);
	cr_assert(bench_run(&bench, is_idle));
}

static uint64_t letters(void)
{
	return bb_kvmem_entries(bench.mem, BB_TABLE_DEAD_LETTER);
}

static void open_again(void)
{
	bench.options.once = false;
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
}

static void give_order(int64_t from)
{
	again = (struct again){.order = {.run = on_run, .done = on_done}, .from = from};
	cr_assert_eq(bb_ingest_order(bench.ingest, &again.order), BB_OK);
	bb_ingest_go(bench.ingest);
	cr_assert(bench_run(&bench, is_done));
}

Test(reread, what_was_refused_comes_in_and_the_rest_is_known)
{
	const char *ann = bench_event(&bench, "1", "ann"), *bob = bench_event(&bench, "2", "bob");
	const struct bb_progress *got;

	bench_record(&bench, 0, 0, ann);
	bench_record(&bench, 0, 1, "{broken");
	bench_record(&bench, 0, 2, "{broken too");
	bench_record(&bench, 0, 3, bob);
	/* again, as if a connector could read two of them now */
	bench_record(&bench, 0, 0, ann);
	bench_record(&bench, 0, 1, bench_event(&bench, "3", "cid"));
	bench_record(&bench, 0, 2, "{broken too");
	bench_record(&bench, 0, 3, bench_event(&bench, "2", "dan")); /* mapped otherwise */
	bench_record(&bench, 0, 4, bench_event(&bench, "5", "eve"));
	bench.script.pause_at = 0;
	open_again();
	deliver(4);
	cr_expect_eq(letters(), 2);
	bench.script.pause_at = 4;
	give_order(0);
	cr_assert_eq(again.answer, BB_OK);
	cr_expect_eq(again.end, 4);
	deliver(6);
	got = bench_row(&bench, 0);
	cr_expect_eq(got->next_offset, 4, "the position stays");
	cr_expect_eq(got->reread.next, 2);
	cr_expect(bb_text_equal(got->token, BB_TEXT("token of 3")), "and its token");
	cr_expect_eq(letters(), 1, "one is an event now");
	/* a crash here: what is next is in the row */
	bench_close(&bench);
	bench.script.next = 0;
	bench.script.pause_at = 0;
	memmove(bench.script.lines, bench.script.lines + 6, 3 * sizeof *bench.script.lines);
	bench.script.n = 3;
	open_again();
	deliver(3);
	got = bench_row(&bench, 0);
	cr_expect_eq(got->reread.next, 4);
	cr_expect_eq(got->reread.results[BB_VERDICT_APPLIED], 1);
	cr_expect_eq(got->reread.results[BB_VERDICT_DUPLICATE], 2);
	cr_expect_eq(got->reread.results[BB_VERDICT_DEAD], 1);
	cr_expect_eq(got->next_offset, 5);
	cr_expect_eq(got->passed, 5);
	cr_expect_eq(got->results[BB_VERDICT_APPLIED], 3);
	cr_expect_eq(got->results[BB_VERDICT_DEAD], 2, "of what was read first");
	cr_expect_eq(letters(), 1, "the one that is refused again stands once");
	bench_close(&bench);
}

Test(reread, an_order_that_is_refused_moves_nothing)
{
	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bench.script.pause_at = 0;
	open_again();
	deliver(1);
	give_order(7);
	cr_expect_eq(again.answer, BB_EINVAL);
	cr_expect_eq(bench_row(&bench, 0)->reread.end, 0);
	bench_close(&bench);
}

/* Two were taken when the order came, and are committed behind it: they are as new as ever. */
Test(reread, what_was_taken_before_the_order_does_not_end_it)
{
	const struct bb_progress *got;
	const char *events[4];

	for (int i = 0; i < 4; i++)
		events[i] = bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann");
	for (int i = 0; i < 8; i++)
		bench_record(&bench, 0, i % 4, events[i % 4]);
	bench.script.pause_at = 0;
	open_again();
	deliver(2);
	bench.script.pause_at = 4;
	give_order(0);
	cr_assert_eq(again.answer, BB_OK);
	cr_expect_eq(again.end, 2, "the order came before the batch");
	deliver(4);
	got = bench_row(&bench, 0);
	cr_expect_eq(got->next_offset, 4);
	cr_expect_eq(got->reread.next, 0);
	deliver(8);
	got = bench_row(&bench, 0);
	cr_expect_eq(got->reread.next, 2);
	cr_expect_eq(got->reread.results[BB_VERDICT_DUPLICATE], 2);
	cr_expect_eq(got->dropped, 2, "what lies behind its end is in the store too");
	cr_expect_eq(got->results[BB_VERDICT_APPLIED], 4);
	bench_close(&bench);
}
