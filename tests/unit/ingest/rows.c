/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of progress and dead letters: what is written is read, and damage is seen. */
#include <backbone/deadletter.h>
#include <backbone/progress.h>
#include <criterion/criterion.h>

#include "kvmem.h"

static struct bb_progress sample(void)
{
	struct bb_progress progress = {
		.topic = BB_TEXT("shop.webhooks"),
		.partition = 7,
		.next_offset = 120,
		.passed = 21,
		.results = {11, 2, 3, 1, 2},
		.holes = 2,
		.dropped = 9,
		.gaps = 1,
		.token = BB_TEXT("\x01token"),
	};

	return progress;
}

static void expect_same(const struct bb_progress *a, const struct bb_progress *b)
{
	cr_expect(bb_text_equal(a->topic, b->topic));
	cr_expect_eq(a->partition, b->partition);
	cr_expect_eq(a->next_offset, b->next_offset);
	cr_expect_eq(a->passed, b->passed);
	cr_expect_arr_eq(a->results, b->results, sizeof a->results);
	cr_expect_eq(a->holes, b->holes);
	cr_expect_eq(a->dropped, b->dropped);
	cr_expect_eq(a->gaps, b->gaps);
	cr_expect(bb_text_equal(a->token, b->token));
	cr_expect_eq(a->birth.known, b->birth.known);
	cr_expect_eq(a->birth.offset, b->birth.offset);
	cr_expect(bb_hash_equal(&a->birth.print, &b->birth.print));
	cr_expect_eq(a->reread.end, b->reread.end);
}

Test(ingest_rows, progress_is_read_as_it_was_written)
{
	struct bb_progress progress = sample(), again;
	struct bb_buf buf = BB_BUF_EMPTY;

	for (int i = 0; i < 4; i++) {
		progress.birth = (struct bb_birth){.known = i & 1, .offset = i & 1 ? 77 : 0};
		progress.birth.print.b[15] = i & 1 ? 9 : 0;
		progress.reread = (struct bb_reread){.end = i & 2 ? 120 : 0};
		buf.n = 0;
		bb_progress_encode(&progress, &buf);
		cr_assert_eq(bb_progress_decode(bb_buf_slice(&buf), &again), BB_OK);
		expect_same(&progress, &again);
		for (size_t n = 0; n < buf.n; n++)
			cr_expect_eq(bb_progress_decode(bb_text_bytes(buf.p, n), &again),
				     BB_ECORRUPT, "%d: cut to %zu bytes", i, n);
	}
	bb_buf_fini(&buf);
}

Test(ingest_rows, the_first_record_tells_a_log_from_another)
{
	static const struct {
		int64_t offset, timestamp_ms;
		const char *key, *value;
		bool other;
	} rows[] = {
		{5, 1, "k", "v", false}, {5, 1, "k", "w", true}, {5, 1, "l", "v", true},
		{5, 2, "k", "v", true},	 {4, 1, "k", "v", true}, {6, 9, "x", "y", false},
	};
	static const struct bb_profile_key key = {{1}};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_message first = {.offset = 5,
					   .timestamp_ms = 1,
					   .key = BB_TEXT("k"),
					   .value = BB_TEXT("v"),
					   .from_log = true};
		struct bb_progress progress = sample();
		struct bb_birth birth;

		bb_progress_begin(&progress, &key, &first);
		cr_expect(progress.birth.known && progress.birth.offset == 5);
		birth = progress.birth;
		first.offset = rows[i].offset;
		first.timestamp_ms = rows[i].timestamp_ms;
		first.key = bb_text_of(rows[i].key);
		first.value = bb_text_of(rows[i].value);
		bb_progress_begin(&progress, &key, &first);
		cr_expect_eq(bb_birth_differs(&birth, &progress.birth), rows[i].other, "row %zu",
			     i);
		cr_expect_eq(progress.birth.offset, rows[i].other ? rows[i].offset : 5, "row %zu",
			     i);
	}
}

Test(ingest_rows, damaged_progress_is_seen)
{
	struct bb_progress progress = sample(), again;
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_progress_encode(&progress, &buf);
	for (size_t n = 0; n < buf.n; n++)
		cr_expect_eq(bb_progress_decode(bb_text_bytes(buf.p, n), &again), BB_ECORRUPT,
			     "cut to %zu bytes", n);
	bb_buf_byte(&buf, 'x');
	cr_expect_eq(bb_progress_decode(bb_buf_slice(&buf), &again), BB_ECORRUPT, "longer");
	buf.n--;
	buf.p[0]++;
	cr_expect_eq(bb_progress_decode(bb_buf_slice(&buf), &again), BB_ECORRUPT, "version");
	buf.p[0]--;
	buf.p[13]++; /* passed */
	cr_expect_eq(bb_progress_decode(bb_buf_slice(&buf), &again), BB_ECORRUPT,
		     "counters that do not add up");
	bb_buf_fini(&buf);
}

Test(ingest_rows, long_topics_have_keys_of_their_own)
{
	char names[2][200], keys[3][BB_KV_KEY_MAX];
	size_t n;

	memset(names, 'a', sizeof names);
	names[1][199] = 'b';
	n = bb_progress_key(bb_text_bytes(names[0], 200), 1, keys[0]);
	cr_expect_leq(n, BB_KV_KEY_MAX);
	cr_expect_eq(bb_progress_key(bb_text_bytes(names[1], 200), 1, keys[1]), n);
	cr_expect_eq(bb_progress_key(bb_text_bytes(names[0], 200), 2, keys[2]), n);
	cr_expect_arr_neq(keys[0], keys[1], n);
	cr_expect_arr_neq(keys[0], keys[2], n);
	cr_expect_eq(bb_progress_key(bb_text_bytes(names[0], 59), 1, keys[1]), BB_KV_KEY_MAX);
	cr_expect_arr_eq(keys[1], names[0], 59, "a name that fits is not hashed");
}

Test(ingest_rows, an_operators_word_changes_the_position_only)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_progress progress = sample(), again;

	cr_expect_eq(bb_progress_accept(kv, progress.topic, 7, BB_RESUME_START), BB_ENOTFOUND);
	cr_assert_eq(bb_progress_put(kv, &progress), BB_OK);
	cr_expect_eq(bb_progress_accept(kv, progress.topic, 7, BB_RESUME_START), BB_OK);
	cr_assert_eq(bb_progress_get(kv, progress.topic, 7, &again), BB_OK);
	cr_expect_eq(again.next_offset, BB_RESUME_START);
	cr_expect_eq(again.token.n, 0);
	cr_expect_eq(again.gaps, 2);
	cr_expect_eq(again.passed, 21);
	bb_kvmem_abort(kv);
	bb_kvmem_free(mem);
}

static const struct bb_header headers[] = {{{"a", 1}, {"1", 1}}, {{"b", 1}, {NULL, 0}}};

static struct bb_deadletter letter_of(const char *value, int64_t stored_ms)
{
	return (struct bb_deadletter){
		.stored_ms = stored_ms,
		.refusal = {.reason = BB_DEAD_DUPLICATE_KEY,
			    .at = BB_TEXT("$.a"),
			    .detail = BB_TEXT("twice"),
			    .byte_offset = 17},
		.connector = BB_TEXT("till"),
		.message = {.topic = BB_TEXT("shop"),
			    .partition = 3,
			    .offset = 99,
			    .timestamp_ms = 1700000000000,
			    .value = bb_text_of(value),
			    .headers = headers,
			    .header_n = 2,
			    .from_log = true},
		.has_value = true,
		.value_bytes = 1000,
	};
}

Test(ingest_rows, a_dead_letter_is_read_as_it_was_written)
{
	struct bb_deadletter letter = letter_of("{\"a\":1,\"a\":2}", 1234), again;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_deadletter_encode(&letter, &buf);
	cr_assert_eq(bb_deadletter_decode(bb_buf_slice(&buf), &arena, &again), BB_OK);
	cr_expect_eq(again.stored_ms, 1234);
	cr_expect_eq(again.refusal.reason, BB_DEAD_DUPLICATE_KEY);
	cr_expect(bb_text_equal(again.refusal.at, BB_TEXT("$.a")));
	cr_expect(bb_text_equal(again.refusal.detail, BB_TEXT("twice")));
	cr_expect_eq(again.refusal.byte_offset, 17);
	cr_expect(bb_text_equal(again.connector, BB_TEXT("till")));
	cr_expect(bb_text_equal(again.message.topic, BB_TEXT("shop")));
	cr_expect_eq(again.message.offset, 99);
	cr_expect(bb_text_equal(again.message.value, letter.message.value));
	cr_expect_null(again.message.key.p);
	cr_assert_eq(again.message.header_n, 2);
	cr_expect(bb_text_equal(again.message.headers[0].value, BB_TEXT("1")));
	cr_expect_null(again.message.headers[1].value.p);
	cr_expect(again.message.from_log && again.has_value);
	cr_expect_eq(again.value_bytes, 1000);
	for (size_t n = 0; n < buf.n; n++)
		cr_expect_eq(bb_deadletter_decode(bb_text_bytes(buf.p, n), &arena, &again),
			     BB_ECORRUPT, "cut to %zu bytes", n);
	buf.p[2] = 99;
	cr_expect_eq(bb_deadletter_decode(bb_buf_slice(&buf), &arena, &again), BB_ECORRUPT,
		     "a reason that there is not");
	bb_buf_fini(&buf);
	bb_arena_fini(&arena);
}

Test(ingest_rows, a_long_value_is_cut)
{
	size_t n = BB_DEADLETTER_BYTES_MAX + 10;
	char *value = calloc(1, n + 1);
	struct bb_deadletter letter, again;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;

	memset(value, 'x', n);
	bb_arena_init(&arena);
	letter = letter_of(value, 1);
	bb_deadletter_encode(&letter, &buf);
	cr_assert_eq(bb_deadletter_decode(bb_buf_slice(&buf), &arena, &again), BB_OK);
	cr_expect_eq(again.message.value.n, BB_DEADLETTER_BYTES_MAX);
	cr_expect_eq(again.value_bytes, 1000);
	bb_buf_fini(&buf);
	bb_arena_fini(&arena);
	free(value);
}

Test(ingest_rows, dead_letters_are_numbered_and_swept_from_the_oldest)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_deadletter letter;
	struct bb_arena arena;
	uint64_t number = 0;
	size_t removed = 0;

	bb_arena_init(&arena);
	cr_expect_eq(bb_deadletter_seek(kv, 0, &arena, &number, &letter), BB_ENOTFOUND);
	for (int i = 1; i <= 5; i++) {
		letter = letter_of("x", i * 100);
		cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
		cr_expect_eq(number, (uint64_t)i);
	}
	cr_expect_eq(bb_deadletter_sweep(kv, 301, 2, &removed), BB_OK);
	cr_expect_eq(removed, 2, "at most so many");
	cr_expect_eq(bb_deadletter_sweep(kv, 301, 10, &removed), BB_OK);
	cr_expect_eq(removed, 1);
	cr_assert_eq(bb_deadletter_seek(kv, 0, &arena, &number, &letter), BB_OK);
	cr_expect_eq(number, 4);
	cr_expect_eq(letter.stored_ms, 400);
	cr_expect_eq(bb_deadletter_sweep(kv, 1000, 10, &removed), BB_OK);
	cr_expect_eq(removed, 2);
	letter = letter_of("x", 1);
	cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
	cr_expect_eq(number, 6, "a number is never used twice");
	bb_kvmem_abort(kv);
	bb_kvmem_free(mem);
	bb_arena_fini(&arena);
}
