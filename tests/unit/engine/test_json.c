/* SPDX-License-Identifier: Apache-2.0 */
/* The strict reader: what it refuses and where, and exact numbers. */
#include <backbone/buf.h>
#include <backbone/json.h>
#include <criterion/criterion.h>

static struct bb_text text_of(const char *s)
{
	return bb_text_of(s);
}

static void expect_refused(struct bb_text bytes, enum bb_dead_reason reason, int64_t offset,
			   const char *row)
{
	struct bb_refusal refusal = {.byte_offset = -7};
	struct bb_json *doc = bb_json_read(bytes, &refusal);

	cr_assert_null(doc, "%s: accepted", row);
	cr_expect_eq(refusal.reason, reason, "%s: %s", row, bb_dead_reason_text(refusal.reason));
	cr_expect_eq(refusal.byte_offset, offset, "%s: offset %lld", row,
		     (long long)refusal.byte_offset);
	cr_expect_gt(refusal.detail.n, 0, "%s: no detail", row);
}

static void expect_written(struct bb_text bytes, const char *want)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(bytes, &refusal);

	cr_assert_not_null(doc, "%.*s", (int)bytes.n, bytes.p);
	bb_json_write(doc, bb_json_root(doc), &buf);
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, want);
	bb_buf_fini(&buf);
	bb_json_free(doc);
}

Test(engine, json_keeps_order_and_spelling)
{
	static const char *const rows[][2] = {
		{"{}", "{}"},
		{" [ ] ", "[]"},
		{"5", "5"},
		{"\"x\"", "\"x\""},
		{"null", "null"},
		{"{\"z\":1.50,\"a\":-0,\"m\":1E+2}", "{\"z\":1.50,\"a\":-0,\"m\":1E+2}"},
		{"[12345678901234567890123.10, 0.1e-300, 9007199254740993]",
		 "[12345678901234567890123.10,0.1e-300,9007199254740993]"},
		{"[1,2,3,4,5,6,7,8,9,10,11,12]", "[1,2,3,4,5,6,7,8,9,10,11,12]"},
		{"{\"a\":[true,false,null,{\"b\":\"\\u00e9\\ud83d\\ude00\\n\"}]}",
		 "{\"a\":[true,false,null,{\"b\":\"é😀\\n\"}]}"},
		{"\"a\\u0000b\"", "\"a\\u0000b\""},
		{"{\"\":1}", "{\"\":1}"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_written(text_of(rows[i][0]), rows[i][1]);
}

static const struct {
	const char *text;
	enum bb_dead_reason reason;
	int64_t offset;
} refusals[] = {
	{"", BB_DEAD_INVALID_JSON, 0},
	{" \n ", BB_DEAD_INVALID_JSON, 3},
	{"{", BB_DEAD_INVALID_JSON, 1},
	{"{\"a\":1", BB_DEAD_INVALID_JSON, 6},
	{"{\"a\"}", BB_DEAD_INVALID_JSON, 4},
	{"{a:1}", BB_DEAD_INVALID_JSON, 1},
	{"{'a':1}", BB_DEAD_INVALID_JSON, 1},
	{"{\"a\":1,}", BB_DEAD_INVALID_JSON, 7},
	{"[1,]", BB_DEAD_INVALID_JSON, 3},
	{"[1 2]", BB_DEAD_INVALID_JSON, 3},
	{"[01]", BB_DEAD_INVALID_JSON, 2},
	{"[1.]", BB_DEAD_INVALID_JSON, 3},
	{"[.5]", BB_DEAD_INVALID_JSON, 1},
	{"[+5]", BB_DEAD_INVALID_JSON, 1},
	{"[-]", BB_DEAD_INVALID_JSON, 2},
	{"[1e]", BB_DEAD_INVALID_JSON, 3},
	{"[NaN]", BB_DEAD_INVALID_JSON, 1},
	{"[tru]", BB_DEAD_INVALID_JSON, 1},
	{"\"a\tb\"", BB_DEAD_INVALID_JSON, 2},
	{"\"a\\x\"", BB_DEAD_INVALID_JSON, 2},
	{"\"a\\u12g4\"", BB_DEAD_INVALID_JSON, 2},
	{"\"a", BB_DEAD_INVALID_JSON, 2},
	{"\"a\\", BB_DEAD_INVALID_JSON, 3},
	{"{\"a\\u0000\":1}", BB_DEAD_INVALID_JSON, 3},
	{"{} x", BB_DEAD_TRAILING_BYTES, 3},
	{"{}}", BB_DEAD_TRAILING_BYTES, 2},
	{"nullx", BB_DEAD_TRAILING_BYTES, 4},
	{"\xef\xbb\xbf{}", BB_DEAD_BYTE_ORDER_MARK, 0},
	{"\xff\xfe{", BB_DEAD_BYTE_ORDER_MARK, 0},
	{"\"\xff\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"\xc0\xaf\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"a\xe2\x82\"", BB_DEAD_INVALID_UTF8, 2},
	{"\"\xed\xa0\x80\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"\xe0\x80\x80\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"\xf0\x80\x80\x80\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"\xf4\x90\x80\x80\"", BB_DEAD_INVALID_UTF8, 1},
	{"\"\xf0\x9f\x98", BB_DEAD_INVALID_UTF8, 1},
	{"[\x80]", BB_DEAD_INVALID_UTF8, 1},
	{"\"ab\\ud800\"", BB_DEAD_LONE_SURROGATE, 3},
	{"\"ab\\udc00\"", BB_DEAD_LONE_SURROGATE, 3},
	{"\"\\ud800\\u0041\"", BB_DEAD_LONE_SURROGATE, 1},
	{"\"\\ud800\\ud800\"", BB_DEAD_LONE_SURROGATE, 1},
	{"{\"\\udfff\":1}", BB_DEAD_LONE_SURROGATE, 2},
	{"{\"a\":1,\"a\":2}", BB_DEAD_DUPLICATE_KEY, 7},
	{"{\"x\":[12345,1.5e3],\"b\\\"c\":1, \"b\\\"c\" : 2}", BB_DEAD_DUPLICATE_KEY, 29},
	{"{\"a\":{\"b\":1,\"\\u0062\":2}}", BB_DEAD_DUPLICATE_KEY, 12},
	{"[1e10000]", BB_DEAD_NUMBER_RANGE, 1},
	{"[1e-10000]", BB_DEAD_NUMBER_RANGE, 1},
	{"[10e9999]", BB_DEAD_NUMBER_RANGE, 1},
	{"[0.01e-9998]", BB_DEAD_NUMBER_RANGE, 1},
	{"[0e10000]", BB_DEAD_NUMBER_RANGE, 1},
	{"[1e99999999999999999999]", BB_DEAD_NUMBER_RANGE, 1},
};

Test(engine, json_refuses_with_reason_and_offset)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		expect_refused(text_of(refusals[i].text), refusals[i].reason, refusals[i].offset,
			       refusals[i].text);
}

Test(engine, json_accepts_numbers_up_to_the_limit)
{
	static const char *const rows[] = {
		"[1e9999]", "[1e-9999]",    "[0.1e10000]", "[10e9998]",
		"[0e9999]", "[-1.5E+9999]", "[0.000]",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_written(text_of(rows[i]), rows[i]);
}

static struct bb_text nested(char *out, size_t depth)
{
	memset(out, '[', depth);
	memset(out + depth, ']', depth);
	return bb_text_bytes(out, 2 * depth);
}

Test(engine, json_depth_is_limited)
{
	char bytes[2 * (BB_MESSAGE_DEPTH_MAX + 1)];
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(nested(bytes, BB_MESSAGE_DEPTH_MAX), &refusal);

	cr_assert_not_null(doc);
	bb_json_free(doc);
	expect_refused(nested(bytes, BB_MESSAGE_DEPTH_MAX + 1), BB_DEAD_TOO_DEEP,
		       BB_MESSAGE_DEPTH_MAX, "65 levels");
}

Test(engine, json_size_is_limited)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_json *doc;

	memset(bb_buf_reserve(&buf, BB_MESSAGE_BYTES_MAX + 1), 'x', BB_MESSAGE_BYTES_MAX + 1);
	buf.p[0] = '"';
	buf.p[BB_MESSAGE_BYTES_MAX - 1] = '"';
	doc = bb_json_read(bb_text_bytes(buf.p, BB_MESSAGE_BYTES_MAX), &refusal);
	cr_assert_not_null(doc);
	bb_json_free(doc);
	expect_refused(bb_text_bytes(buf.p, BB_MESSAGE_BYTES_MAX + 1), BB_DEAD_TOO_LARGE,
		       BB_MESSAGE_BYTES_MAX, "one byte more");
	bb_buf_fini(&buf);
}

Test(engine, json_many_numbers)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_json *doc;

	bb_buf_byte(&buf, '[');
	for (int i = 0; i < 20000; i++)
		bb_buf_printf(&buf, "%d.%d,", i, i % 7);
	bb_buf_text(&buf, BB_TEXT("0]"));
	doc = bb_json_read(bb_buf_slice(&buf), &refusal);
	cr_assert_not_null(doc);
	cr_expect_eq(bb_json_size(doc, bb_json_root(doc)), 20001);
	cr_expect(bb_text_equal(bb_json_text(doc, bb_json_item(doc, bb_json_root(doc), 12345)),
				BB_TEXT("12345.4")));
	bb_json_free(doc);
	bb_buf_fini(&buf);
}

Test(engine, json_members_are_found)
{
	struct bb_text bytes = BB_TEXT("{\"b\":{\"c\":\"x\"},\"a\":[1,2]}"), key;
	const struct bb_json_node *root, *value;
	struct bb_refusal refusal;
	void *iter = NULL;
	struct bb_json *doc = bb_json_read(bytes, &refusal);

	cr_assert_not_null(doc);
	root = bb_json_root(doc);
	cr_expect_eq(bb_json_kind(doc, root), BB_JSON_MAP);
	cr_expect_eq(bb_json_size(doc, root), 2);
	cr_expect_null(bb_json_member(doc, root, BB_TEXT("none")));
	value = bb_json_member(doc, root, BB_TEXT("a"));
	cr_expect_eq(bb_json_kind(doc, value), BB_JSON_LIST);
	cr_expect_null(bb_json_item(doc, value, 2));
	cr_expect_null(bb_json_text(doc, value).p);
	cr_expect(bb_json_next(doc, root, &iter, &key, &value));
	cr_expect(bb_text_equal(key, BB_TEXT("b")));
	cr_expect(bb_json_next(doc, root, &iter, &key, &value));
	cr_expect(bb_text_equal(key, BB_TEXT("a")));
	cr_expect_not(bb_json_next(doc, root, &iter, &key, &value));
	bb_json_free(doc);
	bb_json_free(NULL);
}
