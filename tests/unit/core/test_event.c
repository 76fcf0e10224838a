/* SPDX-License-Identifier: Apache-2.0 */
/* The words of verdicts and reasons, and the canonical event as a line of JSON. */
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/event.h>
#include <criterion/criterion.h>

static void expect_json(const struct bb_event *ev, const char *want)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_event_json(ev, &buf);
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, want, "got  %s\nwant %s", buf.p, want);
	bb_buf_fini(&buf);
}

Test(core, verdicts_have_words)
{
	cr_expect_str_eq(bb_verdict_text(BB_VERDICT_APPLIED), "applied");
	cr_expect_str_eq(bb_verdict_text(BB_VERDICT_DEAD), "dead_letter");
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		cr_expect_not_null(bb_verdict_text((enum bb_verdict)i), "%d", i);
}

Test(core, dead_reasons_have_words)
{
	cr_expect_str_eq(bb_dead_reason_text(BB_DEAD_TOO_LARGE), "too_large");
	cr_expect_str_eq(bb_dead_reason_text(BB_DEAD_TOMBSTONE), "tombstone");
	for (int i = 0; i < BB_DEAD_REASON_COUNT; i++)
		cr_expect_not_null(bb_dead_reason_text((enum bb_dead_reason)i), "%d", i);
}

/* An event with everything, and how it is written. */
static struct bb_identifier ids[2] = {
	{.ns = BB_TEXT("card"), .value = BB_TEXT("C-12")},
	{.ns = BB_TEXT("email"), .value = BB_TEXT("zoë@example.org")},
};
static struct bb_value tags[3] = {
	{.kind = BB_VALUE_TEXT, .text = BB_TEXT("new \"vip\"")},
	{.kind = BB_VALUE_NUMBER, .text = BB_TEXT("1.50")},
	{.kind = BB_VALUE_FALSE},
};
static struct bb_attribute attributes[4] = {
	{.name = BB_TEXT("first_name"),
	 .at_ms = BB_AT_EVENT,
	 .value = {.kind = BB_VALUE_TEXT, .text = BB_TEXT("Zoë")}},
	{.name = BB_TEXT("points"),
	 .at_ms = INT64_C(1767323045678),
	 .value = {.kind = BB_VALUE_NUMBER, .text = BB_TEXT("12345678901234567890.10")}},
	{.name = BB_TEXT("tags"),
	 .at_ms = BB_AT_EVENT,
	 .value = {.kind = BB_VALUE_LIST, .items = tags, .item_n = 3}},
	{.name = BB_TEXT("member"), .at_ms = 0, .value = {.kind = BB_VALUE_TRUE}},
};
static struct bb_attribute once = {.name = BB_TEXT("first_store"),
				   .at_ms = BB_TIME_MAX_MS,
				   .value = {.kind = BB_VALUE_TEXT, .text = BB_TEXT("Lille")}};
static struct bb_text unset[2] = {BB_TEXT("nickname"), BB_TEXT("title")};
static struct bb_consent consent[2] = {
	{BB_TEXT("marketing"), BB_TEXT("email"), BB_TEXT("granted")},
	{BB_TEXT("profiling"), {NULL, 0}, BB_TEXT("denied")},
};
static struct bb_same same = {{{.ns = BB_TEXT("crm"), .value = BB_TEXT("7")},
			       {.ns = BB_TEXT("crm"), .value = BB_TEXT("8")}}};
static struct bb_warning warnings[2] = {
	{BB_TEXT("identifier_blocked"), BB_TEXT("identifiers[0]"), BB_TEXT("guest")},
	{BB_TEXT("time_missing"), BB_TEXT("time"), {NULL, 0}},
};
static struct bb_event whole = {
	.source = BB_TEXT("till"),
	.channel = BB_TEXT("pos"),
	.type = BB_TEXT("sale"),
	.id = BB_TEXT("e\n1"),
	.time_ms = INT64_C(1767323045678),
	.has_time = true,
	.kafka_time = true,
	.position = {BB_TEXT("tills"), 3, INT64_C(9007199254740993)},
	.identifiers = ids,
	.identifier_n = 2,
	.attributes = attributes,
	.attribute_n = 4,
	.once = &once,
	.once_n = 1,
	.unset = unset,
	.unset_n = 2,
	.consent = consent,
	.consent_n = 2,
	.same = &same,
	.same_n = 1,
	.has_amount = true,
	.amount = {BB_TEXT("12.50"), BB_TEXT("EUR"), BB_TEXT("o-9"), BB_TEXT("refund")},
	.properties = BB_TEXT("{\"store\":\"Lille\"}"),
	.warnings = warnings,
	.warning_n = 2,
};

static const char whole_json[] =
	"{\"source\":\"till\",\"channel\":\"pos\",\"type\":\"sale\",\"id\":\"e\\n1\","
	"\"time\":\"2026-01-02T03:04:05.678Z\","
	"\"identifiers\":[{\"ns\":\"card\",\"value\":\"C-12\"},"
	"{\"ns\":\"email\",\"value\":\"zoë@example.org\"}],"
	"\"attributes\":{\"first_name\":\"Zoë\",\"points\":12345678901234567890.10,"
	"\"tags\":[\"new \\\"vip\\\"\",1.50,false],\"member\":true},"
	"\"attributes_at\":{\"points\":\"2026-01-02T03:04:05.678Z\","
	"\"member\":\"1970-01-01T00:00:00.000Z\"},"
	"\"attributes_once\":{\"first_store\":\"Lille\"},"
	"\"attributes_once_at\":{\"first_store\":\"9999-12-31T23:59:59.999Z\"},"
	"\"unset\":[\"nickname\",\"title\"],"
	"\"amount\":{\"value\":\"12.50\",\"currency\":\"EUR\",\"key\":\"o-9\","
	"\"part\":\"refund\"},"
	"\"consent\":[{\"purpose\":\"marketing\",\"channel\":\"email\","
	"\"status\":\"granted\"},{\"purpose\":\"profiling\",\"status\":\"denied\"}],"
	"\"same\":[[{\"ns\":\"crm\",\"value\":\"7\"},{\"ns\":\"crm\",\"value\":"
	"\"8\"}]],"
	"\"properties\":{\"store\":\"Lille\"},\"time_source\":\"kafka\","
	"\"position\":{\"topic\":\"tills\",\"partition\":3,"
	"\"offset\":9007199254740993},"
	"\"warnings\":[{\"code\":\"identifier_blocked\",\"at\":\"identifiers[0]\","
	"\"value\":\"guest\"},{\"code\":\"time_missing\",\"at\":\"time\"}]}";

Test(core, event_json_has_every_member_in_order)
{
	expect_json(&whole, whole_json);
}

Test(core, event_json_leaves_absent_members_out)
{
	struct bb_event ev = {
		.source = BB_TEXT("web"),
		.type = BB_TEXT("page"),
		.id = BB_TEXT("1"),
		.has_time = true,
	};

	expect_json(&ev, "{\"source\":\"web\",\"type\":\"page\",\"id\":\"1\","
			 "\"time\":\"1970-01-01T00:00:00.000Z\",\"time_source\":\"event\"}");
	ev.has_time = false;
	expect_json(&ev, "{\"source\":\"web\",\"type\":\"page\",\"id\":\"1\"}");
	expect_json(&(struct bb_event){0}, "{}");
}

Test(core, event_json_writes_no_time_outside_of_the_calendar)
{
	struct bb_event ev = {.id = BB_TEXT("1"), .has_time = true, .time_ms = -1};

	expect_json(&ev, "{\"id\":\"1\",\"time_source\":\"event\"}");
	ev.time_ms = BB_TIME_MAX_MS + 1;
	expect_json(&ev, "{\"id\":\"1\",\"time_source\":\"event\"}");
	ev.time_ms = BB_TIME_MAX_MS;
	expect_json(&ev, "{\"id\":\"1\",\"time\":\"9999-12-31T23:59:59.999Z\","
			 "\"time_source\":\"event\"}");
}

Test(core, event_json_appends)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_event ev = {.source = BB_TEXT("s")};

	bb_buf_byte(&buf, '{'); /* what stands before must not look like an open object of ours */
	bb_event_json(&ev, &buf);
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, "{{\"source\":\"s\"}");
	bb_buf_fini(&buf);
}
