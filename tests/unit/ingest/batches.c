/* SPDX-License-Identifier: Apache-2.0 */
/* From deliveries to rows: counters, dead letters, batches, and what happens when the store fails.
 */
#include <backbone/deadletter.h>
#include <backbone/progress.h>
#include <criterion/criterion.h>

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

TestSuite(ingest, .init = setup, .fini = teardown, .timeout = 60);

static bool has_ended(struct bench *b)
{
	return b->ended > 0;
}

static bool all_given_back(struct bench *b)
{
	return b->script.next == b->script.n && b->script.outstanding == 0;
}

static uint64_t sum(const struct bb_progress *row)
{
	uint64_t n = row->holes;

	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		n += row->results[i];
	return n;
}

static struct bb_status status_now(void)
{
	struct bb_status status = {0};

	bb_ingest_status(bench.ingest, &bench.arena, &status);
	return status;
}

Test(ingest, each_record_ends_as_one_thing_and_the_counters_add_up)
{
	const struct bb_progress *row;

	bench_record(&bench, 0, 10, bench_event(&bench, "1", "ann"));
	bench_record(&bench, 0, 11, bench_event(&bench, "1", "ann"));
	bench_record(&bench, 0, 12, "{not json");
	bench_record(&bench, 0, 13, NULL);
	bench_record(&bench, 0, 16,
		     "{\"source\":\"till\",\"type\":\"sold\",\"id\":\"2\","
		     "\"time\":\"2026-01-02T03:04:05Z\",\"identifiers\":[]}");
	bench_record(&bench, 0, 17, bench_event(&bench, "1", "bob"));
	bench_mark(&bench, 0, 20);
	bench_once(&bench);
	cr_expect_eq(bench.end.code, BB_OK);
	row = bench_row(&bench, 0);
	cr_assert(row);
	cr_expect_eq(row->next_offset, 20);
	cr_expect_eq(row->results[BB_VERDICT_APPLIED], 1);
	cr_expect_eq(row->results[BB_VERDICT_DUPLICATE], 1);
	cr_expect_eq(row->results[BB_VERDICT_DEAD], 2, "and a conflicting duplicate");
	cr_expect_eq(row->results[BB_VERDICT_SKIPPED], 1);
	cr_expect_eq(row->results[BB_VERDICT_NO_IDENTIFIER], 1);
	cr_expect_eq(row->holes, 4);
	cr_expect_eq(row->passed, 10);
	cr_expect_eq(sum(row), row->passed);
	cr_expect_eq(row->dropped, 0);
	cr_expect(bb_text_equal(row->token, BB_TEXT("token of 17")), "a mark has no token");
	cr_expect_eq(bb_kvmem_entries(bench.mem, BB_TABLE_DEAD_LETTER), 2);
}

Test(ingest, a_dead_letter_has_reason_position_and_bytes)
{
	struct bb_deadletter letter;
	struct bb_arena arena;
	struct bb_kv *kv;
	uint64_t number;

	bench_record(&bench, 2, 5, "{not json");
	bench_once(&bench);
	bb_arena_init(&arena);
	kv = bb_kvmem_begin(bench.mem);
	cr_assert_eq(bb_deadletter_seek(kv, 0, &arena, &number, &letter), BB_OK);
	cr_expect_eq(number, 1);
	cr_expect_eq(letter.refusal.reason, BB_DEAD_INVALID_JSON);
	cr_expect_geq(letter.refusal.byte_offset, 0);
	cr_expect(bb_text_equal(letter.connector, BB_TEXT("direct")));
	cr_expect(bb_text_equal(letter.message.topic, BB_TEXT("t")));
	cr_expect_eq(letter.message.partition, 2);
	cr_expect_eq(letter.message.offset, 5);
	cr_expect_eq(letter.message.timestamp_ms, 1700000000000);
	cr_expect(bb_text_equal(letter.message.key, BB_TEXT("key")));
	cr_expect(bb_text_equal(letter.message.value, BB_TEXT("{not json")));
	cr_expect_eq(letter.value_bytes, 9);
	cr_expect_gt(letter.stored_ms, 1700000000000);
	bb_kvmem_abort(kv);
	bb_arena_fini(&arena);
}

static const char several_yaml[] = "connector: several\n"
				   "channel: web\n"
				   "topics: [t]\n"
				   "format: json\n"
				   "redact: ['$.secret', '@key']\n"
				   "events:\n"
				   "  - name: one\n"
				   "    each: '$.list[*]'\n"
				   "    type: '$.type'\n"
				   "    id: '$.id'\n"
				   "    time: {from: '$.time', format: epoch_s}\n"
				   "    identify: [{ns: user, from: '$.user'}]\n";

static struct bb_connector *compile_several(void)
{
	struct bb_diagnostics diagnostics = {.arena = &bench.arena};
	struct bb_connector *connector = bb_connector_compile(
		"several.yaml", bb_text_of(several_yaml), &bench.rules, &diagnostics);

	cr_assert(connector, "%s", diagnostics.n ? diagnostics.items[0].message : "");
	return connector;
}

#define ONE(id, user, type)                                                                        \
	"{\"id\":\"" id "\",\"user\":\"" user "\",\"type\":\"" type "\",\"time\":1767323045}"
#define BAD_TYPE                                                                                   \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567" \
	"8"
#define LIST(elements) "{\"secret\":\"hush\",\"list\":[" elements "]}"

Test(ingest, of_several_elements_the_best_end_counts_for_the_record)
{
	static const struct {
		const char *what, *value;
		enum bb_verdict verdict;
	} rows[] = {
		{"applied", LIST(ONE("1", "ann", "a")), BB_VERDICT_APPLIED},
		{"duplicate", LIST(ONE("1", "ann", "a")), BB_VERDICT_DUPLICATE},
		{"duplicate and applied", LIST(ONE("1", "ann", "a") "," ONE("2", "ann", "a")),
		 BB_VERDICT_APPLIED},
		{"dead", LIST(ONE("3", "ann", BAD_TYPE)), BB_VERDICT_DEAD},
		{"dead and duplicate", LIST(ONE("3", "ann", BAD_TYPE) "," ONE("1", "ann", "a")),
		 BB_VERDICT_DUPLICATE},
		{"no identifier", LIST(ONE("4", "", "a")), BB_VERDICT_NO_IDENTIFIER},
		{"no identifier and dead", LIST(ONE("4", "", "a") "," ONE("5", "ann", BAD_TYPE)),
		 BB_VERDICT_DEAD},
		{"empty list", LIST(""), BB_VERDICT_SKIPPED},
	};
	struct bb_connector *several = compile_several();
	uint64_t expected[BB_VERDICT_COUNT] = {0};
	const struct bb_progress *row;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench_record(&bench, 0, (int64_t)i, rows[i].value);
		bench.script.lines[i].connector = several;
		expected[rows[i].verdict]++;
	}
	bench.options.batch_events = 1;
	bench_once(&bench);
	row = bench_row(&bench, 0);
	cr_assert(row);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		cr_expect_eq(row->results[i], expected[i], "%s: %lu instead of %lu",
			     bb_verdict_text((enum bb_verdict)i), (unsigned long)row->results[i],
			     (unsigned long)expected[i]);
	bb_connector_free(several);
}

Test(ingest, redacted_members_are_not_in_dead_letters)
{
	struct bb_connector *several = compile_several();
	struct bb_deadletter letter;
	struct bb_arena arena;
	struct bb_kv *kv;
	uint64_t number;

	bench_record(&bench, 0, 0, LIST(ONE("1", "ann", BAD_TYPE) "," ONE("2", "ann", BAD_TYPE)));
	bench_record(&bench, 0, 1, "{\"secret\":\"hush\"");
	bench.script.lines[0].connector = bench.script.lines[1].connector = several;
	bench_once(&bench);
	bb_arena_init(&arena);
	kv = bb_kvmem_begin(bench.mem);
	cr_assert_eq(bb_deadletter_seek(kv, 1, &arena, &number, &letter), BB_OK);
	cr_assert(letter.message.value.p);
	cr_expect_null(memmem(letter.message.value.p, letter.message.value.n, "hush", 4));
	cr_expect(memmem(letter.message.value.p, letter.message.value.n, "ann", 3));
	cr_expect_null(letter.message.key.p, "the key is redacted too");
	cr_assert_eq(bb_deadletter_seek(kv, 2, &arena, &number, &letter), BB_OK);
	cr_expect_null(letter.message.key.p, "nor is it with the later ones of a message");
	cr_expect_null(letter.message.value.p, "the bytes are with the first of a message");
	cr_expect(letter.has_value);
	cr_assert_eq(bb_deadletter_seek(kv, 3, &arena, &number, &letter), BB_OK);
	cr_expect_eq(letter.message.offset, 1);
	cr_expect_null(letter.message.value.p, "nothing is kept of what cannot be read");
	cr_expect_eq(letter.value_bytes, 16);
	bb_kvmem_abort(kv);
	bb_arena_fini(&arena);
	bb_connector_free(several);
}

Test(ingest, what_is_delivered_again_is_dropped_and_counted)
{
	const struct bb_progress *row;

	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bench_record(&bench, 0, 1, bench_event(&bench, "2", "ann"));
	bench_once(&bench);
	bench_once(&bench);
	row = bench_row(&bench, 0);
	cr_expect_eq(row->next_offset, 2);
	cr_expect_eq(row->results[BB_VERDICT_APPLIED], 2);
	cr_expect_eq(row->results[BB_VERDICT_DUPLICATE], 0);
	cr_expect_eq(row->dropped, 2);
	cr_expect_eq(row->passed, 2);
}

Test(ingest, sources_resume_from_the_rows)
{
	struct bb_resume resume;

	bench_record(&bench, 1, 41, bench_event(&bench, "1", "ann"));
	bench_once(&bench);
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_resume(bench.ingest, BB_TEXT("t"), 1, &bench.arena, &resume);
	cr_expect(resume.known);
	cr_expect_eq(resume.next_offset, 42);
	cr_expect(bb_text_equal(resume.token, BB_TEXT("token of 41")));
	bb_ingest_resume(bench.ingest, BB_TEXT("t"), 0, &bench.arena, &resume);
	cr_expect_not(resume.known);
	bb_ingest_start(bench.ingest);
	cr_expect(bench_run(&bench, has_ended));
}

Test(ingest, after_an_operators_word_the_log_may_begin_elsewhere)
{
	const struct bb_progress *row;
	struct bb_kv *kv;

	bench_record(&bench, 0, 100, bench_event(&bench, "1", "ann"));
	bench_once(&bench);
	kv = bb_kvmem_begin(bench.mem);
	cr_assert_eq(bb_progress_accept(kv, BB_TEXT("t"), 0, BB_RESUME_START), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	bench.script.n = 0;
	bench_record(&bench, 0, 7, bench_event(&bench, "2", "ann"));
	bench_once(&bench);
	row = bench_row(&bench, 0);
	cr_expect_eq(row->next_offset, 8);
	cr_expect(row->birth.known && row->birth.offset == 7, "a log never begins earlier");
	cr_expect_eq(row->passed, 2);
	cr_expect_eq(row->holes, 0);
	cr_expect_eq(row->gaps, 1);
}

Test(ingest, a_batch_has_at_most_so_many_messages)
{
	const struct bb_histogram *batches;

	bench.options.batch_events = 10;
	for (int i = 0; i < 95; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	bench_once(&bench);
	cr_expect_eq(bench_row(&bench, 0)->next_offset, 95);
	batches = bb_metrics_histogram(bench.metrics, BB_METRIC_BATCH, BB_LABELS_NONE);
	cr_assert(batches);
	cr_expect_leq(batches->max, 10);
	cr_expect_eq(batches->sum, 95);
	cr_expect_gt(bench.script.committed, 9);
}

Test(ingest, a_batch_has_at_most_so_many_bytes)
{
	const struct bb_histogram *batches;

	bench.options.batch_bytes = 1;
	for (int i = 0; i < 200; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	bench_once(&bench);
	batches = bb_metrics_histogram(bench.metrics, BB_METRIC_BATCH, BB_LABELS_NONE);
	cr_expect_leq(batches->max, 64, "a chunk is what it may be beyond");
	cr_expect_eq(bench_row(&bench, 0)->next_offset, 200);
}

/* --- the store fails -------------------------------------------------------------------------- */

Test(ingest, without_space_it_waits_and_goes_on_by_itself)
{
	const struct bb_progress *row;

	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bench_record(&bench, 0, 1, "{bad");
	bb_kvmem_fail_commit(bench.mem, 1, BB_ENOSPC);
	bench_once(&bench);
	cr_expect_eq(bench.end.code, BB_OK);
	row = bench_row(&bench, 0);
	cr_expect_eq(row->results[BB_VERDICT_APPLIED], 1);
	cr_expect_eq(row->results[BB_VERDICT_DEAD], 1);
	cr_expect_eq(row->passed, 2);
	cr_expect_eq(bb_kvmem_entries(bench.mem, BB_TABLE_DEAD_LETTER), 1);
}

Test(ingest, without_space_for_a_row_nothing_changes_until_there_is)
{
	for (uint64_t nth = 1; nth <= 8; nth++) {
		bench.script.n = 0;
		bench_record(&bench, 0, (int64_t)nth,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", (int)nth).p,
					 "ann"));
		bb_kvmem_fail_put(bench.mem, nth, BB_ENOSPC);
		bench_once(&bench);
		cr_expect_eq(bench.end.code, BB_OK, "put %d", (int)nth);
		cr_expect_eq(bench_row(&bench, 0)->results[BB_VERDICT_APPLIED], nth);
		bb_kvmem_fail_put(bench.mem, 0, 0);
	}
}

static bool waits(struct bench *b)
{
	struct bb_status status = {0};

	bb_ingest_status(b->ingest, &b->arena, &status);
	return bb_text_equal(status.state, BB_TEXT("waiting"));
}

Test(ingest, waiting_is_said_and_a_stop_gives_the_batch_up)
{
	struct bb_status status;

	bench.options.once = false;
	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bb_kvmem_fail_commit(bench.mem, 1, BB_ENOSPC);
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	cr_assert(bench_run(&bench, waits));
	status = status_now();
	cr_expect_not(status.ready);
	cr_assert_gt(status.reason_n, 0);
	cr_expect(bb_text_equal(status.reasons[0].code, BB_TEXT("store_full")));
	bench_close(&bench);
	cr_expect_null(bench_row(&bench, 0), "nothing was committed");
}

Test(ingest, any_other_failure_of_the_store_ends_it)
{
	static const int codes[] = {BB_EIO, BB_ECORRUPT};

	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
		bench.script.n = 0;
		bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
		bb_kvmem_fail_commit(bench.mem, 1, codes[i]);
		bench_once(&bench);
		cr_expect_eq(bench.end.code, codes[i]);
		cr_expect(bench.store_failed);
		cr_expect_eq(bench.ended, 1);
		cr_expect_null(bench_row(&bench, 0));
	}
	bench_once(&bench);
	cr_expect_eq(bench.end.code, BB_OK, "a new start equals the last commit");
	cr_expect_eq(bench_row(&bench, 0)->results[BB_VERDICT_APPLIED], 1);
}

Test(ingest, a_damaged_row_stops_the_start)
{
	struct bb_kv *kv = bb_kvmem_begin(bench.mem);
	char key[BB_KV_KEY_MAX];
	size_t n = bb_progress_key(BB_TEXT("t"), 0, key);

	cr_assert_eq(bb_kv_put(kv, BB_TABLE_OFFSET, bb_text_bytes(key, n), BB_TEXT("rubbish")),
		     BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	cr_expect_eq(bench_open(&bench), BB_ECORRUPT);
}

/* --- its life --------------------------------------------------------------------------------- */

Test(ingest, a_stop_commits_what_was_taken)
{
	bench.options.once = false;
	for (int i = 0; i < 500; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	cr_assert(bench_run(&bench, all_given_back));
	bench_close(&bench);
	cr_expect_eq(bench_row(&bench, 0)->next_offset, 500);
}

static bool is_idle(struct bench *b)
{
	return b->idle > 0;
}

Test(ingest, a_hold_leaves_nothing_in_flight)
{
	bench.options.once = false;
	for (int i = 0; i < 100; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	bench.script.pause_at = 50;
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	bb_ingest_hold(bench.ingest);
	cr_expect_eq(bench.idle, 0, "a callback never runs inside the call");
	cr_assert(bench_run(&bench, is_idle));
	cr_expect_eq(bench.script.outstanding, 0);
	bench.script.pause_at = SIZE_MAX;
	bb_ingest_go(bench.ingest);
	cr_assert(bench_run(&bench, all_given_back));
	bench_close(&bench);
	cr_expect_eq(bench_row(&bench, 0)->next_offset, 100);
	cr_expect_eq(bench.idle, 1);
}

static bool has_all(struct bench *b)
{
	struct bb_progress progress;

	return bb_ingest_progress_of(b->ingest, BB_TEXT("t"), 0, &progress) &&
	       progress.next_offset == 100;
}

/* Other contents hold more of the log than the old ones did. */
Test(ingest, other_contents_of_the_store_are_read_on_from_their_positions)
{
	struct bb_progress row = {.topic = BB_TEXT("t"),
				  .next_offset = 70,
				  .passed = 70,
				  .results = {[BB_VERDICT_APPLIED] = 70}};
	struct bb_kvmem *before;
	size_t at = 0;
	struct bb_kv *kv;

	bench.options.once = false;
	for (int i = 0; i < 100; i++)
		bench_record(&bench, 0, i,
			     bench_event(&bench, bb_arena_printf(&bench.arena, "%d", i).p, "ann"));
	bench_record(&bench, 1, 0, bench_event(&bench, "other", "bob"));
	bench.script.pause_at = 50;
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	bb_ingest_hold(bench.ingest);
	cr_assert(bench_run(&bench, is_idle));
	before = bench.mem;
	bench.mem = bb_kvmem_new();
	kv = bb_kvmem_begin(bench.mem);
	cr_assert_eq(bb_progress_put(kv, &row), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	cr_assert_eq(bb_ingest_store_changed(bench.ingest), BB_OK);
	cr_expect(bb_ingest_progress_next(bench.ingest, &at, &row) && row.next_offset == 70);
	cr_expect_not(bb_ingest_progress_next(bench.ingest, &at, &row), "one partition");
	cr_expect(bb_ingest_reads(bench.ingest, BB_TEXT("t"), 0));
	cr_expect_not(bb_ingest_reads(bench.ingest, BB_TEXT("u"), 0));
	bench.script.pause_at = SIZE_MAX;
	bb_ingest_go(bench.ingest);
	cr_assert(bench_run(&bench, has_all));
	cr_assert(bench_run(&bench, all_given_back));
	bench_close(&bench);
	cr_expect_eq(bench_row(&bench, 0)->passed, 100);
	cr_expect_eq(bench_row(&bench, 0)->results[BB_VERDICT_APPLIED], 100);
	cr_expect_eq(bench_row(&bench, 1)->passed, 1);
	bb_kvmem_free(before);
}

Test(ingest, a_gap_is_an_alarm_and_the_others_go_on)
{
	struct bb_status status;

	bench.options.once = false;
	bench_error(&bench, BB_EGAP, "topic t partition 9: gone");
	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	cr_assert(bench_run(&bench, all_given_back));
	status = status_now();
	cr_expect_not(status.ready);
	cr_assert_eq(status.reason_n, 1);
	cr_expect(bb_text_equal(status.reasons[0].code, BB_TEXT("log_gap")));
	cr_expect(bb_text_equal(status.reasons[0].detail, BB_TEXT("topic t partition 9: gone")));
	cr_assert_eq(status.partition_n, 1);
	cr_expect_eq(status.partitions[0].next_offset, 1);
	cr_expect_eq(status.partitions[0].end_offset, 100);
	cr_assert_eq(status.connector_n, 1);
	cr_expect(bb_text_equal(status.connectors[0].name, BB_TEXT("direct")));
	cr_expect_eq(status.connectors[0].results[BB_VERDICT_APPLIED], 1);
}

Test(ingest, once_tells_what_it_could_not_read)
{
	static const struct {
		int code;
		bool store_failed;
	} rows[] = {{BB_EGAP, false}, {BB_EIO, false}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench.script.n = 0;
		bench_record(&bench, (int32_t)i, 0, bench_event(&bench, "1", "ann"));
		bench_error(&bench, rows[i].code, "cannot be read");
		bench_once(&bench);
		cr_expect_eq(bench.end.code, rows[i].code);
		cr_expect_not(bench.store_failed);
		cr_expect_str_eq(bench.end.msg, "cannot be read");
		cr_expect(bench_row(&bench, (int32_t)i), "what could be read is committed");
	}
}

static bool is_unready(struct bench *some)
{
	(void)some;
	return !status_now().ready;
}

static bool is_ready(struct bench *some)
{
	return !is_unready(some);
}

Test(ingest, what_cannot_be_read_is_said_until_it_can_be_read_again)
{
	struct bb_status status;

	bench.options.once = false;
	bench_record(&bench, 0, 0, bench_event(&bench, "1", "ann"));
	bench_error(&bench, BB_EIO, "h.ndjson: gone");
	cr_assert_eq(bench_open(&bench), BB_OK);
	bb_ingest_start(bench.ingest);
	cr_assert(bench_run(&bench, is_unready));
	status = status_now();
	cr_expect(bb_text_equal(status.reasons[0].code, BB_TEXT("source_unreadable")));
	bench.script.next = bench.script.n; /* it is back, and has nothing new */
	cr_assert(bench_run(&bench, is_ready));
}

Test(ingest, a_broker_that_does_not_answer_is_said)
{
	struct bb_status status;

	bench.script.not_ready = true;
	bench.options.once = false;
	cr_assert_eq(bench_open(&bench), BB_OK);
	status = status_now();
	cr_expect(bb_text_equal(status.state, BB_TEXT("starting")));
	cr_expect(bb_text_equal(status.reasons[0].code, BB_TEXT("starting")));
	bb_ingest_start(bench.ingest);
	status = status_now();
	cr_expect_not(status.ready);
	cr_assert_eq(status.reason_n, 1);
	cr_expect(bb_text_equal(status.reasons[0].code, BB_TEXT("broker_unreachable")));
	bench.script.not_ready = false;
	status = status_now();
	cr_expect(status.ready);
	cr_expect_eq(status.reason_n, 0);
}

Test(ingest, nothing_to_read_is_done_at_once)
{
	bench_once(&bench);
	cr_expect_eq(bench.end.code, BB_OK);
	cr_expect_eq(bb_kvmem_entries(bench.mem, BB_TABLE_OFFSET), 0);
}
