/* SPDX-License-Identifier: Apache-2.0 */
/* What works on files alone: try, check-config, and the reader of messages. */
#include "input.h"
#include "run.h"

#include <sys/stat.h>
#include <unistd.h>

#define EVENT(id)                                                                                  \
	"{\"source\":\"x\",\"type\":\"t\",\"id\":\"" id                                            \
	"\",\"time\":\"2026-01-02T03:04:05Z\",\"identifiers\":[{\"ns\":\"email\",\"value\":\"A@B." \
	"org\"}]}"
#define CANONICAL(id)                                                                              \
	"{\"source\":\"x\",\"channel\":\"other\",\"type\":\"t\",\"id\":\"" id                      \
	"\",\"time\":\"2026-01-02T03:04:05.000Z\",\"identifiers\":[{\"ns\":\"email\","             \
	"\"value\":\"a@b.org\"}],\"time_source\":\"event\"}\n"

RUN_TEST(try_prints_canonical_events)
{
	cr_assert_eq(run_with_config("try", "direct",
				     run_file("e", EVENT("1") "\n" EVENT("2") "\n"), NULL),
		     0, "%s", run_err);
	cr_assert_str_eq(run_out, CANONICAL("1") CANONICAL("2"));
	cr_assert(strstr(run_err, "2 messages: 2 events, 0 skipped, 0 refused\n"), "%s", run_err);
}

RUN_TEST(try_says_what_is_refused)
{
	cr_assert_eq(
		run_with_config("try", "direct",
				run_file("e", EVENT("1") "\n{\"source\":\n{\"source\":\"a b\"}\n"),
				NULL),
		1);
	cr_assert(strncmp(run_out, CANONICAL("1"), strlen(CANONICAL("1"))) == 0, "%s", run_out);
	cr_assert(strstr(run_out, "{\"refused\":\"invalid_json\",\"detail\":"), "%s", run_out);
	cr_assert(strstr(run_out, "{\"refused\":\"invalid_event\",\"at\":\""), "%s", run_out);
	cr_assert(strstr(run_out, "/e\",\"line\":2}\n") && strstr(run_out, "/e\",\"line\":3}\n"),
		  "%s", run_out);
	cr_assert(strstr(run_out, ",\"file\":\"/tmp/"), "%s", run_out);
	cr_assert(strstr(run_err, "1 event, 0 skipped, 2 refused\n"), "%s", run_err);
}

RUN_TEST(try_counts_lines_and_warnings)
{
	static const char yaml[] = "connector: till\nchannel: pos\ntopics: [till]\nevents:\n"
				   "  - {type: '$.kind', id: '$.id', time: {from: '$.at', format: "
				   "iso8601},\n     identify: {ns: email, from: '$.mail'}}\n";

	cr_assert_eq(run_with_config("try", run_file("w.yaml", yaml),
				     run_file("m", "{\"kind\":\"a\",\"id\":1,\"mail\":\"x\"}\n\n"
						   "{\"kind\":\"a\",\"mail\":\"x\"}\n{\"id\":3}\n"),
				     NULL),
		     1);
	cr_assert(strstr(run_out, "/m\",\"line\":4}\n"), "blank lines count: %s", run_out);
	cr_assert(strstr(run_err, " refused; warnings: "), "%s", run_err);
	cr_assert(strstr(run_err, "2 time_missing") && strstr(run_err, "1 id_missing") &&
			  strstr(run_err, "2 identifier_not_canonical"),
		  "%s", run_err);
}

RUN_TEST(try_without_a_configuration_shows_what_came)
{
	cr_assert_eq(run("try", "direct", run_file("e", EVENT("1")), NULL), 0, "%s", run_err);
	cr_assert(strstr(run_out, "\"value\":\"A@B.org\""), "%s", run_out);
	cr_assert(strstr(run_err, "no configuration"), "%s", run_err);
	cr_assert_eq(run("try", "shop", run_path("e"), NULL), 2);
	cr_assert(strstr(run_err, "--config"), "%s", run_err);
}

RUN_TEST(what_is_no_file_is_refused_without_waiting)
{
	const char *pipe = run_path("pipe.yaml");

	cr_assert_eq(mkfifo(pipe, 0600), 0);
	cr_expect_eq(run("check-config", pipe, NULL), 3);
	cr_expect(strstr(run_err, "not a regular file"), "%s", run_err);
	cr_expect_eq(run("try", pipe, run_file("e", EVENT("1")), NULL), 2);
	cr_expect(strstr(run_err, "not a regular file"), "%s", run_err);
	cr_expect_eq(run("--config", pipe, "get", "email:a@b.org", NULL), 2);
	cr_expect(strstr(run_err, "not a regular file"), "%s", run_err);
	unlink(pipe);
}

static const char connector[] = "connector: till\n"
				"channel: pos\n"
				"topics: [till]\n"
				"format: json\n"
				"events:\n"
				"  - name: sale\n"
				"    when: {'@header(\"x-kind\")': sale}\n"
				"    type: sold\n"
				"    id: '$.id'\n"
				"    time: {from: '$.at', format: iso8601}\n"
				"    identify: [{ns: user, from: '@key'}]\n";

RUN_TEST(try_takes_a_file_and_the_long_form)
{
	const char *yaml = run_file("till.yaml", connector);

	cr_assert_eq(run_with_config(
			     "try", yaml,
			     run_file("m", "{\n \"headers\": {\"X-Kind\": \"sale\"}, \"key\": 7,\n"
					   " \"value\": {\"id\": \"a\", \"at\": "
					   "\"2026-01-02T03:04:05Z\"}\n}\n"),
			     NULL),
		     0, "%s", run_err);
	cr_assert(strstr(run_out,
			 "\"type\":\"sold\",\"id\":\"a\",\"time\":\"2026-01-02T03:04:05.000Z\","
			 "\"identifiers\":[{\"ns\":\"user\",\"value\":\"7\"}]"),
		  "%s", run_out);
	cr_assert_eq(run_with_config("try", yaml, run_file("m", "{\"id\":\"a\"}"), NULL), 0);
	cr_assert_str_empty(run_out);
	cr_assert(strstr(run_err, "1 skipped"), "%s", run_err);
}

RUN_TEST(try_takes_the_logs_time)
{
	const char *yaml = run_file("till.yaml", connector);
	const char *message = run_file(
		"m", "{\"headers\":{\"x-kind\":\"sale\"},\"key\":\"7\",\"value\":{\"id\":\"a\"}}");

	cr_assert_eq(run_with_config("try", "--at", "2026-05-06T07:08:09Z", yaml, message, NULL),
		     0);
	cr_assert(strstr(run_out, "\"time\":\"2026-05-06T07:08:09.000Z\""), "%s", run_out);
	cr_assert(strstr(run_out, "\"time_source\":\"kafka\""), "%s", run_out);
	message = run_file(
		"m", "{\"headers\":{\"x-kind\":\"sale\"},\"key\":\"7\",\"timestamp\":1767323045000,"
		     "\"value\":{\"id\":\"a\"}}");
	cr_assert_eq(run_with_config("try", yaml, message, NULL), 0);
	cr_assert(strstr(run_out, "\"time\":\"2026-01-02T03:04:05.000Z\""), "%s", run_out);
	cr_assert_eq(run_with_config("try", "--at", "yesterday", yaml, message, NULL), 2);
}

RUN_TEST(try_needs_a_connector_that_is_there)
{
	cr_assert_eq(run_with_config("try", "dirct", run_file("e", EVENT("1")), NULL), 2);
	cr_assert(strstr(run_err, "did you mean `direct`?"), "%s", run_err);
	cr_assert_eq(run_with_config("try", run_path("none.yaml"), run_path("e"), NULL), 2);
	cr_assert_eq(
		run_with_config("try", run_file("c.yaml", "connector: x\n"), run_path("e"), NULL),
		2);
	cr_assert(strstr(run_err, "c.yaml:1:"), "%s", run_err);
	cr_assert_eq(run_with_config("try", "direct", run_path("none"), NULL), 2);
}

RUN_TEST(check_config_says_everything)
{
	cr_assert_eq(
		run("check-config", run_file("bad.yaml", "store: {path: s}\nstoree: 1\n"), NULL),
		1);
	cr_assert(strstr(run_out, "bad.yaml:2:1: "), "%s", run_out);
	cr_assert(strstr(run_out, "store"), "%s", run_out);
	cr_assert_eq(run("--json", "check-config", run_path("bad.yaml"), NULL), 1);
	cr_assert(strstr(run_out, "\"line\":2,\"column\":1,\"path\":\""), "%s", run_out);
	cr_assert_eq(run("check-config", run_file("broken.yaml", "a: [\n"), NULL), 1, "%s",
		     run_out);
	cr_assert_eq(run("check-config", run_path("none.yaml"), NULL), 3);
	cr_assert_eq(
		run("check-config", run_file("till.yaml", connector), run_path("b.yaml"), NULL), 0,
		"%s", run_out);
	cr_assert_str_eq(run_out, "2 files checked, nothing wrong\n");
	cr_assert_eq(run("check-config", run_folder, NULL), 1);
	cr_assert(strstr(run_out, "bad.yaml:2:1") && strstr(run_out, "broken.yaml:"), "%s",
		  run_out);
	cr_assert_eq(mkdir(run_path("empty"), 0700), 0);
	cr_assert_eq(run("check-config", run_path("empty"), NULL), 1);
	cr_assert(strstr(run_err, "no .yaml file"), "%s", run_err);
}

RUN_TEST(check_config_prints_what_may_be_written)
{
	cr_assert_eq(run("check-config", "--reference", "connector", NULL), 0);
	cr_assert(strstr(run_out, "\n## Keys of `amount`\n") && strstr(run_out, "\n| `sign` | "),
		  "%s", run_out);
	cr_assert_eq(run("check-config", "--reference", "daemon", NULL), 0);
	cr_assert(strstr(run_out, "\n| `store.path` | "), "%s", run_out);
	cr_assert_eq(run("check-config", "--reference", "all", NULL), 2);
	cr_assert(strstr(run_err, "--reference takes daemon or connector, not all"), "%s", run_err);
}

RUN_TEST(check_config_knows_the_options_of_librdkafka)
{
	char text[1024];
	FILE *file = fopen(run_path("b.yaml"), "r");
	size_t n = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[n] = '\0';
	snprintf(text + n, sizeof(text) - n, "%s",
		 "kafka:\n  brokers: 127.0.0.1:9\n  options: {no.such.option: 1}\n");
	cr_assert_eq(run("check-config", run_file("k.yaml", text), NULL), 1);
	cr_assert(strstr(run_out, "no.such.option"), "%s", run_out);
}

/* The reader of messages */

static const struct {
	const char *content;
	const char *values[4]; /* NULL-terminated */
	bool raw;
} inputs[] = {
	{"", {NULL}, false},
	{"\n\n", {NULL}, false},
	{"{\"a\":1}", {"{\"a\":1}"}, false},
	{"{\n \"a\": 1\n}\n", {"{\n \"a\": 1\n}"}, false},
	{"[\n{\"a\":1},\n{}]\n", {"[\n{\"a\":1},\n{}]"}, false},
	{"{\"a\":1}\n{\"a\":2}\n", {"{\"a\":1}", "{\"a\":2}"}, false},
	{"{\"a\":1}\r\n\r\n{\"a\":2}", {"{\"a\":1}", "{\"a\":2}"}, false},
	{"{\"a\":1}\n{broken\n", {"{\"a\":1}", "{broken"}, false},
	{"{\n \"a\": broken\n}\n", {"{\n \"a\": broken\n}"}, false},
	{"\n \r\n{\n \"a\": 1\n}\n", {"{\n \"a\": 1\n}"}, false},
	{"\n{\"a\":1}\n{\"a\":2}\n", {"{\"a\":1}", "{\"a\":2}"}, false},
	{"\n\n{\n\"key\": \"k\",\n\"value\": \"text\"}", {"text"}, false},
	{"\n \n", {" "}, false},
	{"a\tb\t\nc\td\t\n", {"a\tb\t", "c\td\t"}, false},
	{"a\tb\t\n", {"a\tb\t"}, false},
	{"{\"key\":\"k\",\"value\":\"text\"}", {"text"}, false},
	{"{\"topic\":\"t\",\"value\":{\"b\": 2, \"a\": 1.50}}", {"{\"b\":2,\"a\":1.50}"}, false},
	{"{\"value\":1}", {"{\"value\":1}"}, false},
	{"{\"key\":\"k\",\"value\":1,\"more\":2}",
	 {"{\"key\":\"k\",\"value\":1,\"more\":2}"},
	 false},
	{"{\"key\":\"k\",\"value\":1}\n{\n", {"{\"key\":\"k\",\"value\":1}", "{"}, true},
};

RUN_TEST(messages_come_out_of_files)
{
	struct bb_arena arena;

	bb_arena_init(&arena);
	for (size_t row = 0; row < sizeof(inputs) / sizeof(inputs[0]); row++) {
		const char *path = run_file("input", inputs[row].content);
		struct bb_input *input = NULL;
		struct bb_error err = {0};
		struct bb_message msg;
		size_t n = 0;

		cr_assert_eq(bb_input_open(path, inputs[row].raw, &input, &err), BB_OK);
		for (; inputs[row].values[n]; n++) {
			cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_OK,
				     "row %zu: %zu", row, n);
			cr_assert(bb_text_equal(msg.value, bb_text_of(inputs[row].values[n])),
				  "row %zu: %.*s", row, (int)msg.value.n, msg.value.p);
		}
		cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_ENOTFOUND, "row %zu",
			     row);
		bb_input_close(input);
	}
	bb_arena_fini(&arena);
}

RUN_TEST(records_of_csv_come_out_of_files)
{
	static const struct {
		int64_t line;
		const char *value;
	} records[] = {{2, "1,\"x\ny\""}, {5, "2,z"}, {6, "3,\"open"}, {7, "{}"}};
	const char *path = run_file("input", "a,\"b\n\"\r\n1,\"x\ny\"\r\n\n2,z\n3,\"open\n{}\n");
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	struct bb_connector *csv;
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_message msg;

	bb_arena_init(&arena);
	csv = bb_connector_compile(
		"c.yaml",
		BB_TEXT("connector: c\nchannel: x\ntopics: []\nformat: csv\n"
			"events: [{type: t, identify: {ns: email, from: $.a}}]\n"),
		NULL, &diagnostics);
	cr_assert(csv);
	cr_assert_eq(bb_input_open(path, false, &input, &err), BB_OK);
	bb_input_records(input, csv);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_OK, "%zu", i);
		cr_expect(bb_text_equal(msg.value, bb_text_of(records[i].value)), "%.*s",
			  (int)msg.value.n, msg.value.p);
		cr_expect_eq(msg.offset, records[i].line, "%zu", i);
		cr_expect(bb_text_equal(msg.heading, BB_TEXT("a,\"b\n\"")));
	}
	cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_ENOTFOUND);
	bb_input_close(input);
	bb_connector_free(csv);
	bb_arena_fini(&arena);
}

RUN_TEST(the_long_form_brings_everything)
{
	const char *path = run_file(
		"input", "{\"headers\":{\"a\":\"1\",\"b\":null,\"c\":7},\"key\":null,"
			 "\"topic\":\"t\",\"timestamp\":\"1970-01-01T00:00:01Z\",\"value\":null}");
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_arena arena;
	struct bb_message msg;

	bb_arena_init(&arena);
	cr_assert_eq(bb_input_open(path, false, &input, &err), BB_OK);
	cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_OK);
	cr_assert(!msg.value.p && !msg.key.p);
	cr_assert(bb_text_equal(msg.topic, BB_TEXT("t")));
	cr_assert_eq(msg.timestamp_ms, 1000);
	cr_assert_eq(msg.header_n, 3);
	cr_assert(bb_text_equal(msg.headers[0].value, BB_TEXT("1")));
	cr_assert(!msg.headers[1].value.p);
	cr_assert(bb_text_equal(msg.headers[2].value, BB_TEXT("7")));
	bb_input_close(input);
	bb_arena_fini(&arena);
}

RUN_TEST(a_large_file_is_read_by_the_line)
{
	FILE *file = fopen(run_path("large"), "w");
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	uint64_t total, taken;
	struct bb_arena arena;
	struct bb_message msg;
	int n = 0;

	for (int i = 0; i < 50000; i++)
		fprintf(file, "{\"number\":%d,\"filling\":\"%040d\"}\n", i, i);
	fclose(file);
	bb_arena_init(&arena);
	cr_assert_eq(bb_input_open(run_path("large"), false, &input, &err), BB_OK);
	while (bb_input_next(input, &arena, &msg, &err) == BB_OK) {
		char expected[32];

		snprintf(expected, sizeof(expected), "{\"number\":%d,", n);
		cr_assert(strncmp(msg.value.p, expected, strlen(expected)) == 0, "line %d", n);
		cr_assert_eq(msg.offset, n++);
		bb_arena_reset(&arena);
	}
	cr_assert_eq(n, 50000);
	bb_input_progress(input, &total, &taken);
	cr_assert_eq(total, taken);
	bb_input_close(input);
	bb_arena_fini(&arena);
}

RUN_TEST(what_cannot_be_read_is_an_error)
{
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_arena arena;
	struct bb_message msg;
	FILE *file;

	bb_arena_init(&arena);
	cr_assert_eq(bb_input_open(run_path("none"), false, &input, &err), BB_EIO);
	cr_assert_eq(bb_input_open(run_folder, false, &input, &err), BB_EIO);
	file = fopen(run_path("long"), "w");
	for (int i = 0; i < 9 * 1024; i++)
		fprintf(file, "%01024d", i);
	fclose(file);
	cr_assert_eq(bb_input_open(run_path("long"), false, &input, &err), BB_OK);
	cr_assert_eq(bb_input_next(input, &arena, &msg, &err), BB_ELIMIT);
	bb_input_close(input);
	bb_arena_fini(&arena);
}

RUN_TEST(check_config_takes_what_the_daemon_takes)
{
	static char large[1024 * 1024 + 2];
	const char head[] = "connector: c\nchannel: pos\ntopics: []\nevents:\n"
			    "  - {type: t, identify: {ns: email, from: $.e}}\n#";

	memset(large, '#', sizeof large - 1);
	memcpy(large, head, sizeof head - 1);
	cr_expect_eq(run("check-config", run_file("c.yaml", large), NULL), 1);
	cr_expect(strstr(run_err, "c.yaml: larger than 1048576 bytes\n"), "%s", run_err);
	large[sizeof large - 2] = '\0';
	cr_expect_eq(run("check-config", run_file("c.yaml", large), NULL), 0, "%s", run_err);
}
