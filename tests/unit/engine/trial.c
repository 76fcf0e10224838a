/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages through a connector and the gate, to lines of text that tests compare. Skipped elements
 * print nothing; a refusal prints {"refused":...}. Of a connector whose files have a header line
 * the text is such a file: each record behind that line is a message.
 *
 * What cannot be read fails the test.
 */
#include "trial.h"

#include <backbone/gate.h>
#include <backbone/json.h>
#include <backbone/record.h>

#include <criterion/criterion.h>
#include <stdio.h>

#include "oracle.h"

#define HEADERS_MAX 16
#define LOG_TIME_MS INT64_C(1772323200000) /* 2026-03-01T00:00:00Z */

static const struct {
	const char *name;
	bool owner, durable;
	enum bb_normaliser normaliser;
} namespaces[] = {
	{"customer_id", true, true, BB_NORMALISE_TRIM},
	{"shopify_customer", true, true, BB_NORMALISE_TRIM},
	{"square_customer", true, true, BB_NORMALISE_TRIM},
	{"stripe_customer", true, true, BB_NORMALISE_TRIM},
	{"adyen_shopper", true, true, BB_NORMALISE_TRIM},
	{"woo_customer", true, true, BB_NORMALISE_TRIM},
	{"toast_customer", true, true, BB_NORMALISE_TRIM},
	{"toast_loyalty", true, true, BB_NORMALISE_TRIM},
	{"lightspeed_customer", true, true, BB_NORMALISE_TRIM},
	{"bigcommerce_customer", true, true, BB_NORMALISE_TRIM},
	{"clover_customer", true, true, BB_NORMALISE_TRIM},
	{"user_id", true, true, BB_NORMALISE_TRIM},
	{"snowplow_user", true, true, BB_NORMALISE_TRIM},
	{"posthog_user", true, true, BB_NORMALISE_TRIM},
	{"matomo_user", true, true, BB_NORMALISE_TRIM},
	{"unomi_user", true, true, BB_NORMALISE_TRIM},
	{"unomi_profile", true, true, BB_NORMALISE_TRIM},
	{"braze_user", true, true, BB_NORMALISE_TRIM},
	{"shop_customer", true, true, BB_NORMALISE_TRIM},
	{"loyalty", true, true, BB_NORMALISE_TRIM},
	{"square_loyalty", true, true, BB_NORMALISE_TRIM},
	{"hubspot_contact", true, true, BB_NORMALISE_TRIM},
	{"partner_person", true, true, BB_NORMALISE_TRIM},
	{"salesforce_contact", true, true, BB_NORMALISE_TRIM},
	{"salesforce_lead", true, true, BB_NORMALISE_TRIM},
	{"email", false, true, BB_NORMALISE_EMAIL},
	{"email_sha256", false, true, BB_NORMALISE_HEX},
	{"phone", false, true, BB_NORMALISE_PHONE},
	{"phone_sha256", false, true, BB_NORMALISE_HEX},
	{"whatsapp_id", true, true, BB_NORMALISE_TRIM},
	{"whatsapp_user", true, true, BB_NORMALISE_TRIM},
	{"facebook_psid", true, true, BB_NORMALISE_TRIM},
	{"facebook_user", true, true, BB_NORMALISE_TRIM},
	{"instagram_igsid", true, true, BB_NORMALISE_TRIM},
	{"telegram_user", true, true, BB_NORMALISE_TRIM},
	{"tiktok_user", true, true, BB_NORMALISE_TRIM},
	{"x_user", true, true, BB_NORMALISE_TRIM},
	{"youtube_channel", true, true, BB_NORMALISE_TRIM},
	{"anonymous_id", false, false, BB_NORMALISE_TRIM},
	{"card_fingerprint", false, false, BB_NORMALISE_TRIM},
	{"snowplow_duid", false, false, BB_NORMALISE_TRIM},
	{"snowplow_nuid", false, false, BB_NORMALISE_TRIM},
	{"posthog_device", false, false, BB_NORMALISE_TRIM},
	{"ga_client", false, false, BB_NORMALISE_TRIM},
	{"matomo_visitor", false, false, BB_NORMALISE_TRIM},
	{"appsflyer_device", false, false, BB_NORMALISE_TRIM},
	{"braze_device", false, false, BB_NORMALISE_TRIM},
	{"facebook_user_ref", false, false, BB_NORMALISE_TRIM},
};
#define NAMESPACE_N (sizeof(namespaces) / sizeof(namespaces[0]))

const struct bb_rules *trial_rules(void)
{
	static struct bb_namespace list[NAMESPACE_N];
	static struct bb_rules rules;

	if (rules.namespaces)
		return &rules;
	bb_rules_defaults(&rules);
	for (size_t i = 0; i < NAMESPACE_N; i++) {
		bb_rules_namespace_defaults(&list[i], namespaces[i].name, namespaces[i].owner,
					    namespaces[i].durable);
		list[i].normaliser = namespaces[i].normaliser;
	}
	rules.namespaces = list;
	rules.namespace_n = NAMESPACE_N;
	return &rules;
}

struct bb_text trial_read_file(const char *path, struct bb_arena *arena)
{
	FILE *file = fopen(path, "rb");
	long size;
	char *p;

	cr_assert(file != NULL, "cannot open %s", path);
	cr_assert(fseek(file, 0, SEEK_END) == 0, "%s", path);
	size = ftell(file);
	cr_assert(size >= 0, "%s", path);
	rewind(file);
	p = bb_arena_zalloc(arena, (size_t)size + 1);
	cr_assert(fread(p, 1, (size_t)size, file) == (size_t)size, "cannot read %s", path);
	fclose(file);
	return bb_text_bytes(p, (size_t)size);
}

struct bb_connector *trial_compile(const char *file, struct bb_text text, struct bb_arena *arena,
				   struct bb_buf *ret_mistakes)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_connector *connector;

	connector = bb_connector_compile(file, text, trial_rules(), &diagnostics);
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], ret_mistakes);
		bb_buf_byte(ret_mistakes, '\n');
	}
	return connector;
}

/* A text, or compact JSON; p NULL where there is nothing. */
static struct bb_text bytes_of(const struct bb_json *doc, const struct bb_json_node *node,
			       struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text = {NULL, 0};

	if (!node || bb_json_kind(doc, node) == BB_JSON_NULL)
		return text;
	if (bb_json_kind(doc, node) == BB_JSON_TEXT)
		return bb_arena_copy(arena, bb_json_text(doc, node));
	bb_json_write(doc, node, &buf);
	text = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

static struct bb_text member_bytes(const struct bb_json *doc, const char *name,
				   struct bb_arena *arena)
{
	return bytes_of(doc, bb_json_member(doc, bb_json_root(doc), bb_text_of(name)), arena);
}

static void read_headers(const struct bb_json *doc, struct bb_message *msg, struct bb_arena *arena)
{
	const struct bb_json_node *map = bb_json_member(doc, bb_json_root(doc), BB_TEXT("headers"));
	struct bb_header *headers = bb_arena_zalloc(arena, HEADERS_MAX * sizeof(*headers));
	const struct bb_json_node *node;
	struct bb_text name;
	void *iter = NULL;

	while (map && bb_json_next(doc, map, &iter, &name, &node)) {
		cr_assert(msg->header_n < HEADERS_MAX, "more than %d headers", HEADERS_MAX);
		headers[msg->header_n++] =
			(struct bb_header){bb_arena_copy(arena, name), bytes_of(doc, node, arena)};
	}
	msg->headers = headers;
}

/* The message inside of the long form; anything else stays as it is. */
static void unwrap(struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(msg->value, &refusal);
	const struct bb_json_node *root = doc ? bb_json_root(doc) : NULL;

	if (root && bb_json_kind(doc, root) == BB_JSON_MAP &&
	    bb_json_member(doc, root, BB_TEXT("headers")) &&
	    bb_json_member(doc, root, BB_TEXT("value"))) {
		read_headers(doc, msg, arena);
		msg->key = member_bytes(doc, "key", arena);
		if (bb_json_member(doc, root, BB_TEXT("topic")))
			msg->topic = member_bytes(doc, "topic", arena);
		msg->value = member_bytes(doc, "value", arena);
	}
	bb_json_free(doc);
}

static void print_refusal(const struct bb_refusal *refusal, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"refused\":\"%s\"", bb_dead_reason_text(refusal->reason));
	if (refusal->at.p) {
		bb_buf_text(buf, BB_TEXT(",\"at\":"));
		bb_buf_json(buf, refusal->at);
	}
	if (refusal->detail.p) {
		bb_buf_text(buf, BB_TEXT(",\"detail\":"));
		bb_buf_json(buf, refusal->detail);
	}
	if (refusal->byte_offset >= 0)
		bb_buf_printf(buf, ",\"byte_offset\":%lld", (long long)refusal->byte_offset);
	bb_buf_text(buf, BB_TEXT("}\n"));
}

static void print_item(const struct bb_extracted *item, struct bb_arena *arena, struct bb_buf *buf)
{
	struct bb_refusal refusal = item->refusal;

	if (item->kind == BB_EXTRACTED_SKIP)
		return;
	if (item->kind == BB_EXTRACTED_RULING) {
		if (!bb_ruling_check(trial_rules(), item->ruling, arena, &refusal)) {
			print_refusal(&refusal, buf);
			return;
		}
		bb_ruling_json(item->ruling, buf);
		bb_buf_byte(buf, '\n');
		return;
	}
	if (item->kind == BB_EXTRACTED_REFUSED ||
	    bb_gate(trial_rules(), item->event, arena, &refusal) == BB_GATE_REFUSED) {
		print_refusal(&refusal, buf);
		return;
	}
	bb_event_json(item->event, buf);
	bb_buf_byte(buf, '\n');
}

struct bb_message trial_message(struct bb_text text, struct bb_arena *arena)
{
	struct bb_message msg = {
		.topic = BB_TEXT("try"), .timestamp_ms = LOG_TIME_MS, .value = text};

	unwrap(&msg, arena);
	return msg;
}

void trial_extract(const struct bb_connector *connector, const struct bb_message *msg,
		   struct bb_arena *arena, struct bb_extraction *ret_extraction)
{
	struct bb_buf got = BB_BUF_EMPTY, want = BB_BUF_EMPTY;
	struct bb_extraction walked;

	bb_connector_run(connector, msg, arena, ret_extraction);
	bb_run_walked(connector, msg, arena, oracle_read, &walked);
	oracle_print(ret_extraction, &got);
	oracle_print(&walked, &want);
	cr_expect(bb_text_equal(bb_buf_slice(&got), bb_buf_slice(&want)),
		  "%s, of %.*s\nwhat came out:\n%.*s\nthe oracle:\n%.*s",
		  bb_connector_name(connector), (int)msg->value.n, msg->value.n ? msg->value.p : "",
		  (int)got.n, got.p, (int)want.n, want.p);
	bb_buf_fini(&got);
	bb_buf_fini(&want);
}

static void run_message(const struct bb_connector *connector, const struct bb_message *msg,
			struct bb_arena *arena, struct bb_buf *ret_lines)
{
	struct bb_extraction extraction;

	trial_extract(connector, msg, arena, &extraction);
	cr_expect(extraction.n > 0, "a message without any item");
	for (size_t i = 0; i < extraction.n; i++)
		print_item(&extraction.items[i], arena, ret_lines);
}

/* Takes the first record off, without the end of its last line; one without end is a line. */
static struct bb_text take_record(const struct bb_connector *connector, struct bb_text *rest)
{
	struct bb_text record = *rest;
	const char *end;
	size_t used;

	if (!bb_connector_record(connector, *rest, &record.n)) {
		end = memchr(rest->p, '\n', rest->n);
		record.n = end ? (size_t)(end - rest->p) : rest->n;
	}
	used = record.n + (record.n < rest->n);
	rest->p += used;
	rest->n -= used;
	if (record.n > 0 && record.p[record.n - 1] == '\r')
		record.n--;
	return record;
}

void trial_run(const struct bb_connector *connector, struct bb_text text, struct bb_arena *arena,
	       struct bb_buf *ret_lines)
{
	struct bb_message msg;
	struct bb_text heading;

	if (!bb_connector_has_heading(connector)) {
		msg = trial_message(text, arena);
		run_message(connector, &msg, arena, ret_lines);
		return;
	}
	heading = take_record(connector, &text);
	while (text.n > 0) {
		msg = trial_message(take_record(connector, &text), arena);
		msg.heading = heading;
		run_message(connector, &msg, arena, ret_lines);
	}
}

static struct bb_text take_line(struct bb_text *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct bb_text line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	if (end)
		*rest = (struct bb_text){end + 1, rest->n - line.n - 1};
	else
		rest->n = 0;
	return line;
}

void trial_compare(const char *name, unsigned line, struct bb_text expected, struct bb_text actual)
{
	struct bb_text want, got;
	size_t same;

	for (; expected.n || actual.n; line++) {
		want = take_line(&expected);
		got = take_line(&actual);
		for (same = 0; same < want.n && same < got.n && want.p[same] == got.p[same];)
			same++;
		cr_expect(bb_text_equal(want, got),
			  "%s:%u differs at column %zu\n  expected: %.*s\n  came out: %.*s", name,
			  line, same + 1, (int)want.n, want.n ? want.p : "", (int)got.n,
			  got.n ? got.p : "");
	}
}
