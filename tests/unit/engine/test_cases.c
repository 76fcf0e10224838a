/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators, one file of cases/ each: a connector, then messages with the items that must come out.
 * A message may say how it comes: `--- message file` has no position and no time in the log,
 * `--- message bare` no key and no headers. `ce` brings the headers of a CloudEvent, `ce-NAME`
 * those with that content type; `framed` puts the frame of a schema registry before the value,
 * `csv` gives a header line.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "trial.h"

static const struct bb_header headers[] = {
	{BB_TEXT("X-Topic"), BB_TEXT("orders/create")},
	{BB_TEXT("x-shop"), BB_TEXT("shop-1")},
	{BB_TEXT("X-Null"), {NULL, 0}},
	{BB_TEXT("X-Bytes"), BB_TEXT("\xff\xfe")},
};

static const struct bb_header cloud[] = {
	{BB_TEXT("Content-Type"), BB_TEXT("application/json")},
	{BB_TEXT("ce_specversion"), BB_TEXT("1.0")},
	{BB_TEXT("ce_id"), BB_TEXT("h1")},
	{BB_TEXT("CE_Type"), BB_TEXT("order.placed")},
	{BB_TEXT("ce_time"), BB_TEXT("2026-02-03T10:00:00Z")},
	{BB_TEXT("ce_source"), BB_TEXT("/till")},
	{BB_TEXT("ce_shopnumber"), BB_TEXT("9")},
	{BB_TEXT("ce_shopnumber"), BB_TEXT("10")},
	{BB_TEXT("ce_bytes"), BB_TEXT("\xff")},
	{BB_TEXT("ce_"), BB_TEXT("x")},
	{BB_TEXT("ce_null"), {NULL, 0}},
};

/* Those of the message; of a content type that is named, `other` is it alone. */
static void set_headers(struct bb_message *msg, const char *how, struct bb_header *other)
{
	static const struct {
		const char *how, *type;
	} rows[] = {
		{"ce-structured", "application/cloudevents+json; charset=utf-8"},
		{"ce-batch", "application/cloudevents-batch+json"},
		{"ce-avro", "application/cloudevents+avro"},
	};

	if (strstr(how, " ce")) {
		msg->headers = cloud;
		msg->header_n = sizeof(cloud) / sizeof(*cloud);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strstr(how, rows[i].how))
			continue;
		*other = (struct bb_header){BB_TEXT("content-type"), bb_text_of(rows[i].type)};
		msg->headers = other;
		msg->header_n = 1;
	}
	if (strstr(how, "ce-xml")) {
		other[0] = (struct bb_header){BB_TEXT("content-type"), BB_TEXT("text/xml")};
		other[1] = cloud[1];
		msg->headers = other;
		msg->header_n = 2;
	}
}

static struct bb_message message_of(struct bb_text value, const char *how)
{
	bool file = strstr(how, "file") != NULL, bare = strstr(how, "bare") != NULL;

	return (struct bb_message){
		.topic = BB_TEXT("shop"),
		.partition = 2,
		.offset = 7,
		.timestamp_ms = file ? BB_NO_TIMESTAMP : 1700000000000,
		.key = bare ? (struct bb_text){NULL, 0} : BB_TEXT("K-1"),
		.heading = strstr(how, "csv-bad") ? BB_TEXT("a;\"b")
			   : strstr(how, "csv")
				   ? BB_TEXT("\xef\xbb\xbf\"id\";shop; kind ;Joined at;First "
					     "name;note;json\r")
				   : (struct bb_text){NULL, 0},
		.value = strstr(how, "tombstone") ? (struct bb_text){NULL, 0} : value,
		.headers = bare ? NULL : headers,
		.header_n = bare ? 0 : sizeof(headers) / sizeof(*headers),
		.from_log = false,
	};
}

/* Up to the next line that begins with `---`; *p is then behind that line, `how` its text. */
static struct bb_text next_part(char **p, const char **ret_how)
{
	char *start = *p, *end = strncmp(start, "---", 3) == 0 ? start : strstr(start, "\n---");
	struct bb_text part;

	*ret_how = "";
	if (!end) {
		*p = NULL;
		return bb_text_of(start);
	}
	end += *end == '\n';
	part = bb_text_bytes(start, (size_t)(end - start));
	*ret_how = end + 3;
	*p = strchr(end, '\n');
	if (*p)
		*(*p)++ = '\0';
	return part;
}

static void run_case(const struct bb_connector *connector, const char *name, struct bb_text value,
		     const char *how, struct bb_text want)
{
	struct bb_extraction extraction;
	struct bb_buf got = BB_BUF_EMPTY;
	struct bb_header other[2];
	struct bb_message msg;
	struct bb_arena arena;
	char *copy = NULL;
	size_t frame = strstr(how, "framed") ? 5 : 0;

	if (value.n > 0 && value.p[value.n - 1] == '\n')
		value.n--;
	copy = malloc(frame + value.n + 1); /* its own, so that a sanitizer sees what outlives it */
	memcpy(copy, "\0\0\0\0\7", frame);
	memcpy(copy + frame, value.p, value.n);
	bb_arena_init(&arena);
	msg = message_of(bb_text_bytes(copy, frame + value.n), how);
	set_headers(&msg, how, other);
	trial_extract(connector, &msg, &arena, &extraction);
	fixture_print_extraction(&extraction, &got);
	cr_expect(bb_text_equal(bb_buf_slice(&got), want), "%s: %.*s\ngot\n%.*s\nwant\n%.*s", name,
		  (int)value.n, value.p, (int)got.n, got.p, (int)want.n, want.p);
	bb_buf_fini(&got);
	bb_arena_fini(&arena);
	free(copy);
}

static void run_file(const char *name)
{
	struct bb_buf path = BB_BUF_EMPTY, text, lines = BB_BUF_EMPTY;
	struct bb_connector *connector;
	struct bb_text part, value;
	const char *how, *next;
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	char *p;

	bb_arena_init(&arena);
	bb_buf_printf(&path, "cases/%s", name);
	bb_buf_byte(&path, '\0');
	text = fixture_file(path.p);
	p = text.p;
	part = next_part(&p, &how);
	connector = bb_connector_compile(name, part, fixture_rules(), &diagnostics);
	fixture_print_diagnostics(&diagnostics, &lines);
	cr_assert_not_null(connector, "%.*s", (int)lines.n, lines.p);
	while (p) {
		cr_assert(strncmp(how, " message", 8) == 0, "%s: `%s`", name, how);
		value = next_part(&p, &next);
		cr_assert_not_null(p, "%s: no `--- expect`", name);
		part = next_part(&p, &next);
		run_case(connector, name, value, how, part);
		how = next;
	}
	bb_connector_free(connector);
	bb_buf_fini(&lines);
	bb_buf_fini(&text);
	bb_buf_fini(&path);
	bb_arena_fini(&arena);
}

Test(engine, operators_do_what_their_cases_say)
{
	struct bb_names_list files;
	struct bb_arena arena;

	bb_arena_init(&arena);
	files = fixture_list(&arena, "cases", ".case");
	cr_assert_gt(files.n, 10);
	for (size_t i = 0; i < files.n; i++)
		run_file(files.items[i]);
	bb_arena_fini(&arena);
}
