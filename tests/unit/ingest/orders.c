/* SPDX-License-Identifier: Apache-2.0 */
/* Orders: done between batches in a transaction of their own, answered once, never left waiting. */
#include <backbone/progress.h>
#include <criterion/criterion.h>

#include "script.h"

#define ORDERS 4

struct note { /* an order that writes a row of its own */
	struct bb_order order;
	char key;
	int code; /* that run returns, after it has written */
	int runs, dones, answer;
	size_t rows_seen; /* rows of positions when it ran */
};

static struct bench bench;
static struct note notes[ORDERS];
static char sequence[ORDERS + 1];

static int on_run(struct bb_order *order, struct bb_pipeline *pl, struct bb_kv *kv)
{
	struct note *note = (struct note *)order;
	struct bb_text key, value;
	int err;

	(void)pl;
	note->runs++;
	note->rows_seen =
		bb_kv_seek(kv, BB_TABLE_OFFSET, BB_TEXT(""), false, &key, &value) == BB_OK;
	err = bb_kv_put(kv, BB_TABLE_META, bb_text_bytes(&note->key, 1), BB_TEXT("note"));
	return err ? err : note->code;
}

static void on_done(struct bb_order *order, int code)
{
	struct note *note = (struct note *)order;

	note->answer = code;
	note->dones++;
	sequence[strlen(sequence)] = note->key;
}

static void setup(void)
{
	bench_begin(&bench);
	bench.options.once = false;
	memset(sequence, 0, sizeof sequence);
	for (size_t i = 0; i < ORDERS; i++)
		notes[i] = (struct note){.order = {.run = on_run, .done = on_done},
					 .key = (char)('a' + i)};
}

static void teardown(void)
{
	bench_end(&bench);
}

TestSuite(orders, .init = setup, .fini = teardown, .timeout = 60);

static bool is_stored(const struct note *note)
{
	struct bb_kv *kv = bb_kvmem_begin(bench.mem);
	struct bb_text value;
	int err = bb_kv_get(kv, BB_TABLE_META, bb_text_bytes(&note->key, 1), &value);

	bb_kvmem_abort(kv);
	return err == BB_OK;
}

static bool first_is_done(struct bench *b)
{
	(void)b;
	return notes[0].dones > 0;
}

static bool all_are_done(struct bench *b)
{
	(void)b;
	return strlen(sequence) == ORDERS;
}

static bool has_ended(struct bench *b)
{
	return b->ended > 0;
}

static bool waits(struct bench *b)
{
	struct bb_status status = {0};

	bb_ingest_status(b->ingest, &b->arena, &status);
	return bb_text_equal(status.state, BB_TEXT("waiting"));
}

static bool is_idle(struct bench *b)
{
	return b->idle > 0;
}

static void start(void)
{
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
}

static void give(struct note *note)
{
	cr_assert_eq(bb_ingest_order(bench.ingest, &note->order), BB_OK);
}

Test(orders, without_anything_to_read_they_are_done_in_turn)
{
	start();
	for (size_t i = 0; i < ORDERS; i++)
		give(&notes[i]);
	cr_expect_eq(notes[0].runs, 0, "not inside the call");
	cr_assert(bench_run(&bench, all_are_done));
	cr_expect_str_eq(sequence, "abcd");
	for (size_t i = 0; i < ORDERS; i++) {
		cr_expect_eq(notes[i].answer, BB_OK);
		cr_expect_eq(notes[i].runs, 1);
		cr_expect(is_stored(&notes[i]), "durable before it is said");
	}
}

Test(orders, batches_go_on_between_them)
{
	bench.options.batch_events = 1;
	for (int i = 0; i < 20; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	start();
	for (size_t i = 0; i < ORDERS; i++)
		give(&notes[i]);
	cr_assert(bench_run(&bench, all_are_done));
	cr_expect_eq(notes[ORDERS - 1].rows_seen, 1, "a batch came between the first and the last");
	bench_close(&bench);
	cr_expect_gt(bench_row(&bench, 0)->next_offset, 0);
}

Test(orders, an_answer_changes_nothing_and_ingestion_goes_on)
{
	static const int codes[] = {BB_EINVAL, BB_ENOTFOUND, BB_EACCESS, BB_EBUSY, BB_ELIMIT};

	start();
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		notes[0].code = codes[i];
		notes[0].dones = 0;
		memset(sequence, 0, sizeof sequence);
		give(&notes[0]);
		cr_assert(bench_run(&bench, first_is_done));
		cr_expect_eq(notes[0].answer, codes[i]);
		cr_expect_not(is_stored(&notes[0]), "%s", bb_error_text(codes[i]));
		cr_expect_eq(bench.ended, 0);
	}
	notes[0].code = BB_OK;
	notes[0].dones = 0;
	memset(sequence, 0, sizeof sequence);
	give(&notes[0]);
	cr_assert(bench_run(&bench, first_is_done));
	cr_expect(is_stored(&notes[0]));
}

Test(orders, without_space_the_answer_comes_at_once)
{
	start();
	bb_kvmem_fail_commit(bench.mem, 1, BB_ENOSPC);
	give(&notes[0]);
	cr_assert(bench_run(&bench, first_is_done));
	cr_expect_eq(notes[0].answer, BB_ENOSPC);
	cr_expect_eq(bench.ended, 0);
	cr_expect_not(is_stored(&notes[0]));
}

Test(orders, while_a_batch_waits_for_space_the_answer_comes_at_once)
{
	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bb_kvmem_fail_commit(bench.mem, 1, BB_ENOSPC);
	start();
	cr_assert(bench_run(&bench, waits));
	give(&notes[0]);
	cr_assert(bench_run(&bench, first_is_done));
	cr_expect_eq(notes[0].answer, BB_ENOSPC);
	cr_expect_eq(notes[0].runs, 0);
}

Test(orders, any_other_failure_of_the_store_ends_ingestion)
{
	static const struct {
		const char *what;
		int run, commit;
	} rows[] = {{"run", BB_ECORRUPT, 0}, {"commit", 0, BB_EIO}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		start();
		notes[0].code = rows[i].run;
		notes[0].dones = 0;
		memset(sequence, 0, sizeof sequence);
		bb_kvmem_fail_commit(bench.mem, rows[i].commit != 0, rows[i].commit);
		give(&notes[0]);
		give(&notes[1]);
		cr_assert(bench_run(&bench, has_ended));
		cr_expect(bench.store_failed, "%s", rows[i].what);
		cr_expect_eq(bench.end.code, rows[i].run ? rows[i].run : rows[i].commit);
		cr_expect_eq(notes[0].answer, bench.end.code);
		cr_expect_eq(notes[1].answer, BB_EBUSY, "nobody comes to it any more");
		cr_expect_eq(bb_ingest_order(bench.ingest, &notes[2].order), BB_EBUSY);
		bench_close(&bench);
		cr_expect_not(is_stored(&notes[0]));
	}
}

Test(orders, while_held_they_wait)
{
	start();
	bb_ingest_hold(bench.ingest);
	give(&notes[0]);
	cr_assert(bench_run(&bench, is_idle));
	cr_expect_eq(notes[0].runs, 0);
	bb_ingest_go(bench.ingest);
	cr_assert(bench_run(&bench, first_is_done));
	cr_expect_eq(notes[0].answer, BB_OK);
}

Test(orders, a_stop_answers_those_that_wait)
{
	cr_assert_eq(bench_open(&bench), BB_OK);
	cr_expect_eq(bb_ingest_order(bench.ingest, &notes[0].order), BB_EBUSY, "not started");
	bb_ingest_start(bench.ingest);
	bb_ingest_hold(bench.ingest);
	give(&notes[0]);
	give(&notes[1]);
	bench_close(&bench);
	cr_expect_str_eq(sequence, "ab");
	cr_expect_eq(notes[0].answer, BB_EBUSY);
	cr_expect_eq(notes[1].answer, BB_EBUSY);
	cr_expect_eq(notes[0].runs, 0);
}
