/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of stored scalar there and back, cut short at every byte, and out of its range. */
#include <codec.h>

#include <criterion/criterion.h>

static struct bb_cursor cursor(const struct bb_buf *buf)
{
	return bb_cursor_of(bb_buf_slice(buf));
}

Test(core, integers_come_back_and_are_bad_when_cut)
{
	static const uint64_t rows[] = {0,	    1,
					0x7f,	    0x80,
					0x3fff,	    0x4000,
					UINT32_MAX, (uint64_t)1 << 62,
					INT64_MAX,  (uint64_t)1 << 63,
					UINT64_MAX};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_buf buf = BB_BUF_EMPTY;
		int64_t minus = (int64_t)-rows[i];

		bb_put_u64(&buf, rows[i]);
		for (size_t n = 0; n < buf.n; n++) {
			struct bb_cursor cut = bb_cursor_of((struct bb_text){buf.p, n});

			cr_expect_eq(bb_get_u64(&cut), 0);
			cr_expect(cut.bad && cut.p == cut.end, "row %zu cut at %zu", i, n);
		}
		bb_put_i64(&buf, minus);
		struct bb_cursor cur = cursor(&buf);

		cr_expect_eq(bb_get_u64(&cur), rows[i], "row %zu", i);
		cr_expect_eq(bb_get_i64(&cur), minus, "row %zu", i);
		cr_expect(!cur.bad && cur.p == cur.end);
		bb_buf_fini(&buf);
	}
}

Test(core, an_endless_integer_is_bad)
{
	struct bb_text bytes = BB_TEXT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
				       "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80");
	struct bb_cursor cur = bb_cursor_of(bytes), other = cur;

	bb_get_u64(&cur);
	cr_expect(cur.bad);
	bb_get_i128(&other);
	cr_expect(other.bad);
}

Test(core, money_comes_back_over_its_whole_range)
{
	const bb_i128 most = (bb_i128)(~(unsigned __int128)0 >> 1);
	const bb_i128 rows[] = {0, 1, -1, 63, -64, 64, INT64_MAX, INT64_MIN, most, -most - 1};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_buf buf = BB_BUF_EMPTY;

		bb_put_i128(&buf, rows[i]);
		struct bb_cursor cur = cursor(&buf),
				 cut = bb_cursor_of((struct bb_text){buf.p, buf.n - 1});

		cr_expect(bb_get_i128(&cur) == rows[i] && !cur.bad, "row %zu", i);
		cr_expect(bb_get_i128(&cut) == 0 && cut.bad, "row %zu", i);
		bb_buf_fini(&buf);
	}
}

Test(core, event_ids_come_back_as_they_were_and_uuids_are_short)
{
	static const struct {
		struct bb_text id;
		size_t bytes;
	} rows[] = {
		{BB_TEXT("00000000-0000-0000-0000-000000000000"), 17},
		{BB_TEXT("01234567-89ab-cdef-fedc-ba9876543210"), 17},
		{BB_TEXT("ffffffff-ffff-ffff-ffff-ffffffffffff"), 17},
		{BB_TEXT("01234567-89AB-cdef-fedc-ba9876543210"), 37},
		{BB_TEXT("01234567-89ab-cdef-fedc-ba987654321g"), 37},
		{BB_TEXT("01234567+89ab-cdef-fedc-ba9876543210"), 37},
		{BB_TEXT("012345678-9ab-cdef-fedc-ba9876543210"), 37},
		{BB_TEXT("01234567-89ab-cdef-fedc-ba98765432\xff\xff"), 37},
		{BB_TEXT("0123456789abcdeffedcba9876543210"), 33},
		{BB_TEXT("e-1"), 4},
		{BB_TEXT("\0"), 2},
		{BB_TEXT("-"), 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_buf buf = BB_BUF_EMPTY;
		struct bb_arena arena;

		bb_arena_init(&arena);
		bb_put_id(&buf, rows[i].id);
		cr_expect_eq(buf.n, rows[i].bytes, "row %zu: %zu", i, buf.n);
		struct bb_cursor cur = cursor(&buf),
				 cut = bb_cursor_of((struct bb_text){buf.p, buf.n - 1});

		cr_expect(bb_text_equal(bb_get_id(&cur, &arena), rows[i].id), "row %zu", i);
		cr_expect(!cur.bad && cur.p == cur.end, "row %zu", i);
		cr_expect_eq(bb_get_id(&cut, &arena).n, 0, "row %zu", i);
		cr_expect(cut.bad, "row %zu", i);
		bb_arena_fini(&arena);
		bb_buf_fini(&buf);
	}
}

Test(core, texts_hashes_and_counts_do_not_run_past_the_end)
{
	struct bb_cursor cur = bb_cursor_of(BB_TEXT("\x05"
						    "abcd"));

	cr_expect_eq(bb_get_text(&cur).n, 0);
	cr_expect(cur.bad && cur.p == cur.end);
	cur = bb_cursor_of(BB_TEXT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
				   "abc"));
	cr_expect_eq(bb_get_text(&cur).n, 0);
	cr_expect(cur.bad);
	cur = bb_cursor_of(BB_TEXT("\x04"
				   "abc"));
	cr_expect_eq(bb_get_count(&cur), 0);
	cr_expect(cur.bad);
	cur = bb_cursor_of(BB_TEXT("fifteen bytes.."));
	bb_get_hash(&cur);
	cr_expect(cur.bad);
}

Test(core, times_and_currencies_out_of_range_are_bad)
{
	static const struct {
		int64_t ms;
		bool bad;
	} times[] = {{BB_TIME_MIN_MS, false},	 {BB_TIME_MAX_MS, false}, {-1, true},
		     {BB_TIME_MAX_MS + 1, true}, {INT64_MIN, true},	  {INT64_MAX, true}};
	static const struct {
		struct bb_text text;
		bool bad;
	} currencies[] = {{BB_TEXT("EUR"), false},
			  {BB_TEXT("EuR"), true},
			  {BB_TEXT("EU"), true},
			  {BB_TEXT("E\"R"), true},
			  {BB_TEXT("\0\0\0"), true}};

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct bb_buf buf = BB_BUF_EMPTY;

		bb_put_i64(&buf, times[i].ms);
		struct bb_cursor cur = cursor(&buf);
		int64_t ms = bb_get_time(&cur);

		cr_expect_eq(cur.bad, times[i].bad, "time %zu", i);
		cr_expect_eq(ms, times[i].bad ? 0 : times[i].ms, "time %zu", i);
		bb_buf_fini(&buf);
	}
	for (size_t i = 0; i < sizeof(currencies) / sizeof(currencies[0]); i++) {
		struct bb_cursor cur = bb_cursor_of(currencies[i].text);
		char out[3];

		bb_get_currency(&cur, out);
		cr_expect_eq(cur.bad, currencies[i].bad, "currency %zu", i);
		for (int k = 0; k < 3; k++)
			cr_expect(out[k] >= 'A' && out[k] <= 'Z');
	}
}

Test(core, keys_sort_as_their_numbers)
{
	static const uint64_t rows[] = {0, 1, 255, 256, 65535, UINT32_MAX, UINT64_MAX};

	for (size_t i = 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t a[8], b[8];

		bb_key_u64(a, rows[i - 1]);
		bb_key_u64(b, rows[i]);
		cr_expect_lt(memcmp(a, b, 8), 0);
		cr_expect_eq(bb_key_read(b, 8), rows[i]);
	}
}
