/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical events as they are: what the type checks refuse, and what is read from them. */
#include "trial.h"

#include <backbone/buf.h>
#include <backbone/connector.h>
#include <criterion/criterion.h>

#define HEAD "\"source\":\"till\",\"type\":\"t\",\"id\":\"1\""

static struct bb_message message_of(struct bb_text value, bool from_log)
{
	return (struct bb_message){.topic = BB_TEXT("shop"),
				   .partition = 3,
				   .offset = 41,
				   .timestamp_ms = from_log ? 1700000000000 : BB_NO_TIMESTAMP,
				   .value = value,
				   .from_log = from_log};
}

static struct bb_extracted run(struct bb_arena *arena, struct bb_text value, bool from_log)
{
	struct bb_connector *direct = bb_connector_direct(NULL, 0);
	struct bb_message msg = message_of(value, from_log);
	struct bb_extraction out;

	trial_extract(direct, &msg, arena, &out);
	bb_connector_free(direct);
	cr_assert_eq(out.n, 1);
	return out.items[0];
}

static void expect_event(const char *body, bool from_log, const char *want)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	got = run(&arena, bb_text_of(body), from_log);
	cr_assert_eq(got.kind, BB_EXTRACTED_EVENT, "%s: refused at %.*s", body,
		     (int)got.refusal.at.n, got.refusal.at.p);
	bb_event_json(got.event, &buf);
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, want, "got  %s\nwant %s", buf.p, want);
	bb_buf_fini(&buf);
	bb_arena_fini(&arena);
}

Test(engine, canonical_reads_everything)
{
	expect_event("{" HEAD ",\"channel\":\"pos\",\"time\":\"2026-01-02T03:04:05.678Z\","
		     "\"identifiers\":[{\"ns\":\"card\",\"value\":\"7\",\"more\":0}],"
		     "\"attributes\":{\"n\":1.50,\"t\":[\"a\",2,true],\"gone\":null,\"e\":\"\","
		     "\"l\":[]},"
		     "\"attributes_once\":{\"f\":false},\"unset\":[\"x\"],"
		     "\"amount\":{\"value\":\"1.5\",\"currency\":\"EUR\",\"key\":\"k\","
		     "\"part\":null},"
		     "\"consent\":[{\"purpose\":\"p\",\"channel\":\"c\",\"status\":\"granted\"}],"
		     "\"same\":[[{\"ns\":\"a\",\"value\":\"1\"},{\"ns\":\"a\",\"value\":\"2\"}]],"
		     "\"properties\":{\"s\":[1.0, null]},\"unknown\":[{}]}",
		     true,
		     "{\"source\":\"till\",\"channel\":\"pos\",\"type\":\"t\",\"id\":\"1\","
		     "\"time\":\"2026-01-02T03:04:05.678Z\","
		     "\"identifiers\":[{\"ns\":\"card\",\"value\":\"7\"}],"
		     "\"attributes\":{\"n\":1.50,\"t\":[\"a\",2,true]},"
		     "\"attributes_once\":{\"f\":false},\"unset\":[\"x\"],"
		     "\"amount\":{\"value\":\"1.5\",\"currency\":\"EUR\",\"key\":\"k\"},"
		     "\"consent\":[{\"purpose\":\"p\",\"channel\":\"c\",\"status\":\"granted\"}],"
		     "\"same\":[[{\"ns\":\"a\",\"value\":\"1\"},{\"ns\":\"a\",\"value\":\"2\"}]],"
		     "\"properties\":{\"s\":[1.0,null]},"
		     "\"time_source\":\"event\","
		     "\"position\":{\"topic\":\"shop\",\"partition\":3,\"offset\":41}}");
}

Test(engine, canonical_null_members_are_absent)
{
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	got = run(&arena,
		  BB_TEXT("{" HEAD ",\"channel\":null,\"time\":null,\"identifiers\":null,"
			  "\"attributes\":null,\"amount\":null,\"consent\":null,\"same\":null,"
			  "\"unset\":null,\"position\":null}"),
		  true);
	cr_assert_eq(got.kind, BB_EXTRACTED_EVENT);
	cr_expect_null(got.event->channel.p);
	cr_expect_not(got.event->has_time);
	cr_expect_not(got.event->has_amount);
	cr_expect_eq(got.event->log_ms, 1700000000000);
	bb_arena_fini(&arena);
}

Test(engine, canonical_position_and_time_source_count_in_files_only)
{
	struct bb_text body = BB_TEXT("{" HEAD ",\"time_source\":\"kafka\",\"position\":"
				      "{\"topic\":\"web\",\"partition\":2,\"offset\":9}}");
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	got = run(&arena, body, false);
	cr_expect(got.event->kafka_time);
	cr_expect(bb_text_equal(got.event->position.topic, BB_TEXT("web")));
	cr_expect_eq(got.event->position.partition, 2);
	cr_expect_eq(got.event->position.offset, 9);
	got = run(&arena, body, true);
	cr_expect_not(got.event->kafka_time);
	cr_expect(bb_text_equal(got.event->position.topic, BB_TEXT("shop")));
	got = run(&arena, BB_TEXT("{" HEAD ",\"position\":\"nowhere\"}"), false);
	cr_expect_null(got.event->position.topic.p);
	bb_arena_fini(&arena);
}

Test(engine, canonical_unset_in_every_spelling)
{
	static const struct {
		const char *unset;
		size_t n;
	} rows[] = {{"[]", 0}, {"[\"a\",\"b\"]", 2}, {"{\"a\":1}", 1}, {"\"aé\"", 2}, {"12", 2},
		    {"{}", 0}};
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		got = run(&arena, bb_arena_printf(&arena, "{" HEAD ",\"unset\":%s}", rows[i].unset),
			  false);
		cr_assert_eq(got.kind, BB_EXTRACTED_EVENT, "%s", rows[i].unset);
		cr_expect_eq(got.event->unset_n, rows[i].n, "%s", rows[i].unset);
	}
	bb_arena_fini(&arena);
}

static const char *const refusals[][2] = {
	{"{\"type\":\"t\",\"id\":\"1\"}", "source"},
	{"{\"source\":\"s\",\"id\":\"1\"}", "type"},
	{"{\"source\":\"s\",\"type\":\"t\",\"id\":null}", "id"},
	{"{\"source\":5,\"type\":\"t\",\"id\":\"1\"}", "source"},
	{"{" HEAD ",\"channel\":1}", "channel"},
	{"{" HEAD ",\"time\":\"2026-01-02 03:04:05Z\"}", "time"},
	{"{" HEAD ",\"time\":\"2026-01-02T03:04:05\"}", "time"},
	{"{" HEAD ",\"time\":1700000000}", "time"},
	{"{" HEAD ",\"identifiers\":{}}", "identifiers"},
	{"{" HEAD ",\"identifiers\":\"\"}", "identifiers"},
	{"{" HEAD ",\"identifiers\":[1]}", "identifiers[0]"},
	{"{" HEAD ",\"identifiers\":[{\"ns\":\"a\",\"value\":1}]}", "identifiers[0].value"},
	{"{" HEAD ",\"identifiers\":[{\"value\":\"1\"}]}", "identifiers[0].ns"},
	{"{" HEAD ",\"attributes\":[]}", "attributes"},
	{"{" HEAD ",\"attributes\":{\"a\":{}}}", "attributes.a"},
	{"{" HEAD ",\"attributes\":{\"a\":[null]}}", "attributes.a"},
	{"{" HEAD ",\"attributes\":{\"a\":[[]]}}", "attributes.a"},
	{"{" HEAD ",\"attributes\":{\"\":null}}", "attributes"},
	{"{" HEAD ",\"attributes_once\":{\"a\":{\"b\":1}}}", "attributes_once.a"},
	{"{" HEAD ",\"unset\":true}", "unset"},
	{"{" HEAD ",\"unset\":[\"a\",5]}", "unset[1]"},
	{"{" HEAD ",\"unset\":[\"\"]}", "unset[0]"},
	{"{" HEAD ",\"amount\":\"12.50\"}", "amount"},
	{"{" HEAD ",\"amount\":{}}", "amount.value"},
	{"{" HEAD ",\"amount\":{\"value\":12.5,\"currency\":\"EUR\"}}", "amount.value"},
	{"{" HEAD ",\"amount\":{\"value\":\"1\",\"currency\":null}}", "amount.currency"},
	{"{" HEAD ",\"amount\":{\"value\":\"1\",\"currency\":\"EUR\",\"key\":9}}", "amount.key"},
	{"{" HEAD ",\"amount\":{\"value\":\"1\",\"currency\":\"EUR\",\"part\":[]}}", "amount.part"},
	{"{" HEAD ",\"consent\":{\"a\":1}}", "consent"},
	{"{" HEAD ",\"consent\":[\"x\"]}", "consent[0]"},
	{"{" HEAD ",\"consent\":[{\"status\":\"granted\"}]}", "consent[0].purpose"},
	{"{" HEAD ",\"consent\":[{\"purpose\":\"p\",\"status\":true}]}", "consent[0].status"},
	{"{" HEAD ",\"consent\":[{\"purpose\":\"p\",\"status\":\"granted\","
	 "\"channel\":null}]}",
	 "consent[0].channel"},
	{"{" HEAD ",\"same\":1}", "same"},
	{"{" HEAD ",\"same\":[[{\"ns\":\"a\",\"value\":\"1\"}]]}", "same[0]"},
	{"{" HEAD ",\"same\":[[{\"ns\":\"a\",\"value\":\"1\"},7]]}", "same[0][1]"},
	{"{\"ruling\":null}", "ruling"},
	{"{\"erase\":[]}", "erase"},
};

Test(engine, canonical_refuses_wrong_types_by_name)
{
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		got = run(&arena, bb_text_of(refusals[i][0]), true);
		cr_assert_eq(got.kind, BB_EXTRACTED_REFUSED, "%s", refusals[i][0]);
		cr_expect_eq(got.refusal.reason, BB_DEAD_INVALID_EVENT, "%s", refusals[i][0]);
		cr_expect(bb_text_equal(got.refusal.at, bb_text_of(refusals[i][1])), "%s: at %.*s",
			  refusals[i][0], (int)got.refusal.at.n, got.refusal.at.p);
		cr_expect_gt(got.refusal.detail.n, 0, "%s", refusals[i][0]);
	}
	bb_arena_fini(&arena);
}

Test(engine, canonical_empty_containers_are_empty_lists)
{
	expect_event("{" HEAD ",\"same\":{},\"consent\":\"\"}", false,
		     "{\"source\":\"till\",\"type\":\"t\",\"id\":\"1\"}");
}

Test(engine, canonical_other_messages)
{
	static const struct {
		struct bb_text value;
		int kind;
		enum bb_dead_reason reason;
	} rows[] = {
		{{NULL, 0}, BB_EXTRACTED_SKIP, BB_DEAD_TOMBSTONE},
		{BB_TEXT(""), BB_EXTRACTED_REFUSED, BB_DEAD_INVALID_JSON},
		{BB_TEXT("[]"), BB_EXTRACTED_REFUSED, BB_DEAD_NOT_AN_OBJECT},
		{BB_TEXT("5"), BB_EXTRACTED_REFUSED, BB_DEAD_NOT_AN_OBJECT},
		{BB_TEXT("{\"a\":1,\"a\":1}"), BB_EXTRACTED_REFUSED, BB_DEAD_DUPLICATE_KEY},
		{BB_TEXT("\0\0\0\0\1\2abc"), BB_EXTRACTED_REFUSED, BB_DEAD_UNSUPPORTED_FORMAT},
	};
	struct bb_extracted got;
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		got = run(&arena, rows[i].value, true);
		cr_expect_eq((int)got.kind, rows[i].kind, "row %zu", i);
		cr_expect_eq(got.refusal.reason, rows[i].reason, "row %zu", i);
	}
	bb_arena_fini(&arena);
}

Test(engine, direct_has_its_topics)
{
	const char *topics[] = {"a", "b"};
	struct bb_connector *direct = bb_connector_direct(topics, 2);

	cr_expect_str_eq(bb_connector_name(direct), "direct");
	cr_expect_str_eq(bb_connector_channel(direct), "other");
	cr_expect_eq(bb_connector_topic_n(direct), 2);
	cr_expect_str_eq(bb_connector_topic(direct, 1), "b");
	cr_expect_null(bb_connector_topic_pattern(direct));
	bb_connector_free(direct);
	bb_connector_free(NULL);
}

Test(engine, canonical_attributes_may_have_their_own_time)
{
	expect_event("{" HEAD
		     ",\"attributes_at\":{\"a\":\"2026-01-02T03:04:05+01:00\",\"b\":\"2026-01-02\","
		     "\"c\":5,\"d\":null,\"z\":\"soon\"},"
		     "\"attributes\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5},"
		     "\"attributes_once\":{\"a\":6},"
		     "\"attributes_once_at\":{\"a\":\"2026-01-02T03:04:05.678Z\"}}",
		     false,
		     "{\"source\":\"till\",\"type\":\"t\",\"id\":\"1\","
		     "\"attributes\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5},"
		     "\"attributes_at\":{\"a\":\"2026-01-02T02:04:05.000Z\"},"
		     "\"attributes_once\":{\"a\":6},"
		     "\"attributes_once_at\":{\"a\":\"2026-01-02T03:04:05.678Z\"},"
		     "\"warnings\":[{\"code\":\"time_invalid\",\"at\":\"attributes.b\","
		     "\"value\":\"2026-01-02\"},{\"code\":\"time_invalid\",\"at\":\"attributes.c\","
		     "\"value\":\"5\"}]}");
	expect_event("{" HEAD ",\"attributes_at\":[1],\"attributes\":{\"a\":1}}", false,
		     "{\"source\":\"till\",\"type\":\"t\",\"id\":\"1\",\"attributes\":{\"a\":1}}");
}
