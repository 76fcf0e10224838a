/* SPDX-License-Identifier: Apache-2.0 */
/* Rulings as JSON: what is printed is read again, and each mistake names its member. */
#include "trial.h"

#include <backbone/connector.h>
#include <backbone/message.h>
#include <criterion/criterion.h>

#define PAIR "\"pair\":[{\"ns\":\"email\",\"value\":\"a\"},{\"ns\":\"email\",\"value\":\"b\"}]"
#define ONE "\"identifier\":{\"ns\":\"email\",\"value\":\"a\"}"

Test(ruling, what_is_printed_is_read_again)
{
	static const char *const rows[] = {
		"{\"ruling\":\"join\",\"id\":\"r1\",\"time\":\"2026-01-02T03:04:05.006Z\","
		"\"actor\":\"ann\",\"reason\":\"so\"," PAIR "}",
		"{\"ruling\":\"split\",\"id\":\"r2\",\"time\":\"2026-01-02T03:04:05.006Z\"," PAIR
		"}",
		"{\"ruling\":\"block\",\"id\":\"r3\",\"time\":\"1970-01-01T00:00:00.000Z\"," ONE
		"}",
		"{\"ruling\":\"allow\",\"id\":\"r4\",\"time\":\"1970-01-01T00:00:00.000Z\"," ONE
		"}",
		"{\"ruling\":\"release\",\"id\":\"r5\",\"time\":\"1970-01-01T00:00:00.000Z\","
		"\"releases\":\"r1\"}",
	};
	struct bb_refusal refusal;
	struct bb_ruling ruling;
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_buf buf = BB_BUF_EMPTY;

		cr_assert(bb_ruling_read(bb_text_of(rows[i]), &arena, &ruling, &refusal), "%s: %s",
			  rows[i], refusal.detail.p);
		bb_ruling_json(&ruling, &buf);
		cr_expect(bb_text_equal(bb_buf_slice(&buf), bb_text_of(rows[i])), "%s: %.*s",
			  rows[i], (int)buf.n, buf.p);
		bb_buf_fini(&buf);
	}
	bb_arena_fini(&arena);
}

Test(ruling, id_and_time_may_be_absent_for_whoever_brings_it)
{
	struct bb_refusal refusal;
	struct bb_ruling ruling;
	struct bb_arena arena;

	bb_arena_init(&arena);
	cr_assert(bb_ruling_read(BB_TEXT("{\"ruling\":\"join\",\"id\":null,\"more\":[]," PAIR "}"),
				 &arena, &ruling, &refusal));
	cr_expect_null(ruling.id.p);
	cr_expect_eq(ruling.time_ms, BB_NO_TIMESTAMP);
	cr_expect_eq(ruling.actor.n, 0);
	cr_expect_eq(ruling.on[1].ns_index, BB_NS_UNKNOWN);
	bb_arena_fini(&arena);
}

Test(ruling, mistakes_name_their_member)
{
	static const struct {
		const char *body, *at;
	} rows[] = {
		{"{}", "ruling"},
		{"{\"ruling\":1}", "ruling"},
		{"{\"ruling\":\"unite\"," PAIR "}", "ruling"},
		{"{\"ruling\":\"join\",\"id\":1," PAIR "}", "id"},
		{"{\"ruling\":\"join\",\"time\":1," PAIR "}", "time"},
		{"{\"ruling\":\"join\",\"time\":\"2026-01-02\"," PAIR "}", "time"},
		{"{\"ruling\":\"join\",\"actor\":{}," PAIR "}", "actor"},
		{"{\"ruling\":\"join\",\"reason\":[]," PAIR "}", "reason"},
		{"{\"ruling\":\"join\"}", "pair"},
		{"{\"ruling\":\"join\",\"pair\":{}}", "pair"},
		{"{\"ruling\":\"split\",\"pair\":[{\"ns\":\"a\",\"value\":\"1\"}]}", "pair"},
		{"{\"ruling\":\"split\",\"pair\":[{\"ns\":\"a\",\"value\":\"1\"},1]}", "pair[1]"},
		{"{\"ruling\":\"split\",\"pair\":[{\"value\":\"1\"},1]}", "pair[0]"},
		{"{\"ruling\":\"split\",\"pair\":[{\"ns\":\"a\",\"value\":1},1]}", "pair[0]"},
		{"{\"ruling\":\"join\"," PAIR "," ONE "}", "identifier"},
		{"{\"ruling\":\"block\"," PAIR "}", "pair"},
		{"{\"ruling\":\"block\"}", "identifier"},
		{"{\"ruling\":\"allow\"," ONE ",\"releases\":\"r\"}", "releases"},
		{"{\"ruling\":\"release\"," ONE "}", "identifier"},
		{"{\"ruling\":\"release\"}", "releases"},
		{"{\"ruling\":\"release\",\"releases\":7}", "releases"},
	};
	struct bb_refusal refusal;
	struct bb_ruling ruling;
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_assert_not(bb_ruling_read(bb_text_of(rows[i].body), &arena, &ruling, &refusal),
			      "%s", rows[i].body);
		cr_expect_eq(refusal.reason, BB_DEAD_INVALID_EVENT, "%s", rows[i].body);
		cr_expect(bb_text_equal(refusal.at, bb_text_of(rows[i].at)), "%s: at %.*s",
			  rows[i].body, (int)refusal.at.n, refusal.at.p);
		cr_expect_gt(refusal.detail.n, 0, "%s", rows[i].body);
	}
	cr_expect_not(bb_ruling_read(BB_TEXT("[]"), &arena, &ruling, &refusal));
	cr_expect_eq(refusal.reason, BB_DEAD_NOT_AN_OBJECT);
	cr_expect_not(bb_ruling_read(BB_TEXT("{"), &arena, &ruling, &refusal));
	cr_expect_eq(refusal.reason, BB_DEAD_INVALID_JSON);
	bb_arena_fini(&arena);
}

static struct bb_extracted run_direct(struct bb_arena *arena, const char *body, int64_t log_ms)
{
	struct bb_connector *direct = bb_connector_direct(NULL, 0);
	struct bb_message msg = {.topic = BB_TEXT("t"),
				 .timestamp_ms = log_ms,
				 .value = bb_text_of(body),
				 .from_log = true};
	struct bb_extraction got;

	trial_extract(direct, &msg, arena, &got);
	cr_assert_eq(got.n, 1);
	bb_connector_free(direct);
	return got.items[0];
}

Test(ruling, a_line_takes_the_time_of_the_log_where_it_has_none)
{
	static const char line[] = "{\"ruling\":\"block\",\"id\":\"r\"," ONE "}";
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	got = run_direct(&arena, line, 1700000000000);
	cr_assert_eq(got.kind, BB_EXTRACTED_RULING);
	cr_expect_eq(got.ruling->time_ms, 1700000000000);
	got = run_direct(&arena, line, BB_NO_TIMESTAMP);
	cr_assert_eq(got.kind, BB_EXTRACTED_REFUSED);
	cr_expect(bb_text_equal(got.refusal.at, BB_TEXT("time")));
	got = run_direct(&arena, "{\"ruling\":\"block\"," ONE "}", 1700000000000);
	cr_assert_eq(got.kind, BB_EXTRACTED_REFUSED);
	cr_expect(bb_text_equal(got.refusal.at, BB_TEXT("id")));
	bb_arena_fini(&arena);
}
