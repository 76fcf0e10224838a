/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request parser and the reply writer: tables of what is taken and what is refused, each fed
 * whole and byte by byte.
 */
#include <backbone/resp.h>
#include <criterion/criterion.h>
#include <stdlib.h>

static struct bb_resp_request request;

/* Feeds a prefix that grows by `by` bytes; the bytes move each time, as in a buffer that grows. */
static enum bb_resp_status feed(struct bb_text input, size_t by, size_t *ret_used,
				const char **ret_why)
{
	struct bb_resp_parser parser = {0};
	enum bb_resp_status status = BB_RESP_MORE;
	static char *copy;

	for (size_t n = by < input.n ? by : input.n;; n = n + by < input.n ? n + by : input.n) {
		free(copy);
		copy = malloc(n + 1);
		memcpy(copy, input.p, n);
		status = bb_resp_parse(&parser, (struct bb_text){copy, n}, &request, ret_used,
				       ret_why);
		if (status != BB_RESP_MORE || n == input.n)
			break;
	}
	if (status == BB_RESP_READY)
		cr_assert(parser.pos == 0 && parser.n == 0 && parser.total == 0);
	return status;
}

static const struct {
	struct bb_text input;
	const char *args[5]; /* NULL-terminated */
	size_t used;
} accepted[] = {
	{BB_TEXT("*1\r\n$4\r\nPING\r\n"), {"PING"}, 14},
	{BB_TEXT("*2\r\n$3\r\nGET\r\n$7\r\nemail:x\r\nrest"), {"GET", "email:x"}, 26},
	{BB_TEXT("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n"), {"ECHO", ""}, 20},
	{BB_TEXT("*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n"), {"ECHO", "\r\n\r\n"}, 24},
	{BB_TEXT("*3\r\n$3\r\nfoo\r\n$1\r\n*\r\n$2\r\n$1\r\n"), {"foo", "*", "$1"}, 28},
	{BB_TEXT("PING\r\n"), {"PING"}, 6},
	{BB_TEXT("PING\n"), {"PING"}, 5},
	{BB_TEXT("  GET \t email:a@b \r\nPING"), {"GET", "email:a@b"}, 20},
	{BB_TEXT("GET name:\xc3\xa9\n"), {"GET", "name:\xc3\xa9"}, 12},
	{BB_TEXT("\r\n"), {NULL}, 2},
	{BB_TEXT("\n"), {NULL}, 1},
	{BB_TEXT("   \n"), {NULL}, 4},
};

Test(serve, requests_are_read_whole_and_in_pieces)
{
	for (size_t row = 0; row < sizeof(accepted) / sizeof(accepted[0]); row++) {
		for (size_t by = 1; by <= accepted[row].input.n; by++) {
			size_t used = 0, n = 0;
			const char *why = NULL;

			cr_assert_eq(feed(accepted[row].input, by, &used, &why), BB_RESP_READY,
				     "row %zu by %zu: %s", row, by, why ? why : "more");
			cr_assert_eq(used, accepted[row].used, "row %zu by %zu: used %zu", row, by,
				     used);
			for (; accepted[row].args[n]; n++)
				cr_assert(n < request.n &&
						  bb_text_equal(request.args[n],
								bb_text_of(accepted[row].args[n])),
					  "row %zu by %zu: argument %zu", row, by, n);
			cr_assert_eq(request.n, n, "row %zu by %zu", row, by);
		}
	}
}

static const struct {
	struct bb_text input;
	size_t at; /* refused when so many bytes are there, not later */
} refused[] = {
	{BB_TEXT("*0\r\n"), 4},
	{BB_TEXT("*-1\r\n"), 2},
	{BB_TEXT("*+1\r\n"), 2},
	{BB_TEXT("*01\r\n"), 3},
	{BB_TEXT("* 1\r\n"), 2},
	{BB_TEXT("*1 \r\n"), 3},
	{BB_TEXT("*\r\n"), 2},
	{BB_TEXT("*1\n$4\n"), 3},
	{BB_TEXT("*1\rx"), 4},
	{BB_TEXT("*1025\r\n"), 5},
	{BB_TEXT("*999999999\r\n"), 5},
	{BB_TEXT("*1x"), 3},
	{BB_TEXT("*1\r\nPING\r\n"), 5},
	{BB_TEXT("*1\r\n:4\r\n"), 5},
	{BB_TEXT("*1\r\n$-1\r\n"), 6},
	{BB_TEXT("*1\r\n$04\r\n"), 7},
	{BB_TEXT("*1\r\n$\r\n"), 6},
	{BB_TEXT("*1\r\n$65537\r\n"), 10},
	{BB_TEXT("*1\r\n$65536\r\n"), 12},
	{BB_TEXT("*1\r\n$655360\r\n"), 11},
	{BB_TEXT("*1\r\n$4\n"), 7},
	{BB_TEXT("*1\r\n$4\r\nPINGPONG"), 13},
	{BB_TEXT("*1\r\n$4\r\nPING\rx"), 14},
	{BB_TEXT("*1\r\n$4\r\nPING\n"), 13},
	{BB_TEXT("PI\x01NG\r\n"), 3},
	{BB_TEXT("PING\x7f\r\n"), 5},
	{BB_TEXT("PI\rNG\r\n"), 4},
	{BB_TEXT("\x16\x03\x01\x02"), 1},
	{BB_TEXT("\0\0\0\0"), 1},
	{BB_TEXT("GET \"a b\"\r\n"), 11},
	{BB_TEXT("GET 'a\r\n"), 8},
};

Test(serve, wrong_bytes_are_refused_where_they_stand)
{
	for (size_t row = 0; row < sizeof(refused) / sizeof(refused[0]); row++) {
		struct bb_resp_parser parser = {0};
		const char *why = NULL;
		size_t used, n = 1;

		for (; n < refused[row].input.n; n++) {
			if (bb_resp_parse(&parser, (struct bb_text){refused[row].input.p, n},
					  &request, &used, &why) != BB_RESP_MORE)
				break;
		}
		if (n == refused[row].input.n)
			cr_assert_eq(
				bb_resp_parse(&parser, refused[row].input, &request, &used, &why),
				BB_RESP_REFUSED, "row %zu", row);
		cr_assert_eq(n, refused[row].at, "row %zu: refused at %zu", row, n);
		cr_assert(why && *why, "row %zu", row);
		cr_assert_eq(feed(refused[row].input, refused[row].input.n, &used, &why),
			     BB_RESP_REFUSED, "row %zu whole", row);
	}
}

/* `*n` and n times the same argument. */
static struct bb_buf repeated(size_t n, size_t arg_bytes)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_buf_printf(&buf, "*%zu\r\n", n);
	for (size_t i = 0; i < n; i++) {
		bb_buf_printf(&buf, "$%zu\r\n", arg_bytes);
		memset(bb_buf_reserve(&buf, arg_bytes), 'x', arg_bytes);
		buf.n += arg_bytes;
		bb_buf_add(&buf, "\r\n", 2);
	}
	return buf;
}

Test(serve, limits_are_exact)
{
	static const struct {
		size_t n, arg_bytes;
		enum bb_resp_status status;
	} table[] = {
		{BB_RESP_ARGS_MAX, 1, BB_RESP_READY},
		{BB_RESP_ARGS_MAX + 1, 1, BB_RESP_REFUSED},
		/* *1 CRLF, $65522 CRLF, the bytes, CRLF: 65,536 in all */
		{1, BB_RESP_REQUEST_MAX - 14, BB_RESP_READY},
		{1, BB_RESP_REQUEST_MAX - 13, BB_RESP_REFUSED},
		/* *1024 CRLF and 1024 times $56 CRLF 56 CRLF */
		{BB_RESP_ARGS_MAX, 56, BB_RESP_READY},
		{BB_RESP_ARGS_MAX, 57, BB_RESP_REFUSED},
	};

	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
		struct bb_buf buf = repeated(table[row].n, table[row].arg_bytes);
		const char *why = NULL;
		size_t used = 0;

		cr_assert_eq(feed(bb_buf_slice(&buf), buf.n, &used, &why), table[row].status,
			     "row %zu: %zu bytes, %s", row, buf.n, why ? why : "");
		cr_assert_eq(feed(bb_buf_slice(&buf), 777, &used, &why), table[row].status,
			     "row %zu in pieces", row);
		bb_buf_fini(&buf);
	}
}

Test(serve, an_inline_line_without_end_is_refused_at_its_limit)
{
	struct bb_resp_parser parser = {0};
	const char *why = NULL;
	struct bb_text input;
	size_t used;
	char *line = malloc(BB_RESP_REQUEST_MAX + 1);

	memset(line, 'x', BB_RESP_REQUEST_MAX + 1);
	input = (struct bb_text){line, BB_RESP_REQUEST_MAX};
	cr_assert_eq(bb_resp_parse(&parser, input, &request, &used, &why), BB_RESP_MORE);
	input.n++;
	cr_assert_eq(bb_resp_parse(&parser, input, &request, &used, &why), BB_RESP_REFUSED);
	free(line);
}

Test(serve, an_inline_line_has_a_limit_of_words)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	const char *why = NULL;
	size_t used;

	for (size_t i = 0; i < BB_RESP_ARGS_MAX; i++)
		bb_buf_add(&buf, "a ", 2);
	bb_buf_add(&buf, "\n", 1);
	cr_assert_eq(feed(bb_buf_slice(&buf), buf.n, &used, &why), BB_RESP_READY);
	cr_assert_eq(request.n, BB_RESP_ARGS_MAX);
	cr_assert(request.is_inline);
	buf.n--;
	bb_buf_add(&buf, "a\n", 2);
	cr_assert_eq(feed(bb_buf_slice(&buf), buf.n, &used, &why), BB_RESP_REFUSED);
	bb_buf_fini(&buf);
}

Test(serve, pipelined_requests_are_taken_one_by_one)
{
	struct bb_text input =
		BB_TEXT("PING\r\n*1\r\n$4\r\nPING\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\nk");
	static const size_t used_by[] = {6, 14, 2};
	struct bb_resp_parser parser = {0};
	const char *why = NULL;
	size_t used;

	for (size_t i = 0; i < 3; i++) {
		cr_assert_eq(bb_resp_parse(&parser, input, &request, &used, &why), BB_RESP_READY);
		cr_assert_eq(used, used_by[i], "request %zu", i);
		input.p += used;
		input.n -= used;
	}
	cr_assert_eq(bb_resp_parse(&parser, input, &request, &used, &why), BB_RESP_MORE);
}

static void check_buf(struct bb_buf *buf, const char *expected)
{
	cr_assert(bb_text_equal(bb_buf_slice(buf), bb_text_of(expected)), "%.*s is not %s",
		  (int)buf->n, buf->p, expected);
	buf->n = 0;
}

Test(serve, replies_are_written_in_both_protocols)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_resp_simple(&buf, "OK");
	check_buf(&buf, "+OK\r\n");
	bb_resp_error(&buf, "ERR no %s\r\n-second", "key");
	check_buf(&buf, "-ERR no key  -second\r\n");
	bb_resp_integer(&buf, 0);
	bb_resp_integer(&buf, -12);
	bb_resp_integer(&buf, INT64_MIN);
	bb_resp_integer(&buf, INT64_MAX);
	check_buf(&buf, ":0\r\n:-12\r\n:-9223372036854775808\r\n:9223372036854775807\r\n");
	bb_resp_bulk(&buf, BB_TEXT(""));
	bb_resp_bulk(&buf, BB_TEXT("hello"));
	check_buf(&buf, "$0\r\n\r\n$5\r\nhello\r\n");
	bb_resp_null(&buf, 2);
	bb_resp_null(&buf, 3);
	check_buf(&buf, "$-1\r\n_\r\n");
	bb_resp_array(&buf, 3);
	bb_resp_map(&buf, 2, 2);
	bb_resp_map(&buf, 2, 3);
	check_buf(&buf, "*3\r\n*4\r\n%2\r\n");
	bb_buf_fini(&buf);
}

Test(serve, a_bulk_string_written_in_place_has_the_header_of_its_length)
{
	static const size_t lengths[] = {0, 1, 9, 10, 99, 100, 9999, 100000};
	struct bb_buf buf = BB_BUF_EMPTY, expected = BB_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t mark, n = lengths[i];

		buf.n = expected.n = 0;
		bb_buf_printf(&buf, "before");
		mark = bb_resp_bulk_begin(&buf);
		memset(bb_buf_reserve(&buf, n), 'v', n);
		buf.n += n;
		bb_resp_bulk_end(&buf, mark);
		bb_buf_printf(&expected, "before$%zu\r\n", n);
		memset(bb_buf_reserve(&expected, n), 'v', n);
		expected.n += n;
		bb_buf_add(&expected, "\r\n", 2);
		cr_assert(bb_text_equal(bb_buf_slice(&buf), bb_buf_slice(&expected)), "length %zu",
			  n);
	}
	bb_buf_fini(&buf);
	bb_buf_fini(&expected);
}

Test(serve, patterns_match_as_in_redis)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} table[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "abc", true},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c", "abc", true},
		{"a*d", "abc", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"?", "", false},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"a\\?", "a?", true},
		{"a\\?", "ab", false},
		{"*a*b*", "xxaxxbxx", true},
		{"*a*b*", "xxbxxaxx", false},
		{"**", "x", true},
		{"a\\", "a\\", true},
		{"ab", "a", false},
	};

	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		cr_assert_eq(
			bb_resp_glob(bb_text_of(table[row].pattern), bb_text_of(table[row].text)),
			table[row].matches, "row %zu: %s on %s", row, table[row].pattern,
			table[row].text);
}
