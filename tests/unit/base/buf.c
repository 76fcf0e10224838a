/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growth, printing, and the escapes of JSON strings. */
#include <backbone/buf.h>
#include <criterion/criterion.h>

Test(base, buf_grows_and_keeps_its_bytes)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (int i = 0; i < 100000; i++)
		bb_buf_byte(&buf, (char)('a' + i % 26));
	cr_assert_eq(buf.n, 100000);
	for (int i = 0; i < 100000; i++)
		cr_assert_eq(buf.p[i], 'a' + i % 26, "byte %d", i);
	bb_buf_fini(&buf);
	cr_assert_null(buf.p);
	cr_assert_eq(buf.n + buf.room, 0);
}

Test(base, buf_reserve_does_not_move_the_end)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	char *p = bb_buf_reserve(&buf, 10000);

	memset(p, 'x', 10000);
	cr_assert_eq(buf.n, 0);
	cr_assert_geq(buf.room, 10000);
	buf.n = 10000;
	cr_assert_eq(bb_buf_slice(&buf).n, 10000);
	bb_buf_fini(&buf);
}

Test(base, buf_adds_nothing)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_add(&buf, NULL, 0);
	bb_buf_text(&buf, (struct bb_text){NULL, 0});
	cr_assert_eq(buf.n, 0);
	bb_buf_fini(&buf);
}

Test(base, buf_prints_more_than_fits)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t width = 0; width < 600; width += 7) {
		size_t before = buf.n;

		bb_buf_printf(&buf, "%0*d", (int)width, 1);
		cr_assert_eq(buf.n - before, width ? width : 1, "width %zu", width);
	}
	bb_buf_fini(&buf);
}

Test(base, buf_escapes_as_json_does)
{
	static const struct {
		struct bb_text raw;
		const char *json;
	} rows[] = {
		{BB_TEXT(""), "\"\""},
		{{NULL, 0}, "\"\""},
		{BB_TEXT("plain"), "\"plain\""},
		{BB_TEXT("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
		{BB_TEXT("\n\r\t\b\f"), "\"\\n\\r\\t\\b\\f\""},
		{BB_TEXT("\0\x01\x0b\x1f"), "\"\\u0000\\u0001\\u000b\\u001f\""},
		{BB_TEXT("\x7f"), "\"\x7f\""},
		{BB_TEXT("\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80"),
		 "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\""},
		{BB_TEXT("\"\""), "\"\\\"\\\"\""},
		{BB_TEXT("end\\"), "\"end\\\\\""},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_buf buf = BB_BUF_EMPTY;

		bb_buf_json(&buf, rows[i].raw);
		cr_assert(bb_text_equal(bb_buf_slice(&buf), bb_text_of(rows[i].json)),
			  "row %zu: %.*s instead of %s", i, (int)buf.n, buf.p, rows[i].json);
		bb_buf_fini(&buf);
	}
}
