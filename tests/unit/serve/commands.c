/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, one by one, without a socket. */
#include "command.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct fixture fix;
static struct bb_service service;
static struct bb_session session;
static struct bb_buf out;
static char id_of_7[BB_PROFILE_ID_BYTES + 1];

/* Runs the words and returns the reply, terminated. */
static const char *run(const char *words)
{
	struct bb_resp_parser parser = {0};
	struct bb_resp_request request;
	const char *why;
	char line[8192];
	size_t used;
	bool known;

	snprintf(line, sizeof(line), "%s\n", words);
	cr_assert_eq(bb_resp_parse(&parser, bb_text_of(line), &request, &used, &why), BB_RESP_READY,
		     "%s", words);
	out.n = 0;
	bb_command_run(&request, &session, &service, &out, &known);
	bb_lookup_end(&service.lookup);
	bb_buf_byte(&out, '\0');
	return out.p;
}

static void setup(void)
{
	fixture_open(&fix);
	fixture_service(&fix, &service);
	bb_session_init(&session, 42, BB_ROLE_READ);
	memcpy(id_of_7, run("BB.RESOLVE user:7") + strlen("*1\r\n$27\r\n"), BB_PROFILE_ID_BYTES);
}

static void teardown(void)
{
	bb_service_fini(&service);
	bb_buf_fini(&out);
	fixture_close(&fix);
}

static const struct {
	const char *words, *reply;
} exact[] = {
	{"GET user:nobody", "$-1\r\n"},
	{"GET email:not-a-mailbox", "$-1\r\n"},
	{"GET user:guest", "$-1\r\n"},
	{"EXISTS user:7 user:8 user:nobody user:7 email:ann@example.org", ":4\r\n"},
	{"TYPE user:7", "+string\r\n"},
	{"TYPE user:nobody", "+none\r\n"},
	{"STRLEN user:nobody", ":0\r\n"},
	{"HGET user:7 city", "$4\r\nLyon\r\n"},
	{"hget user:7 age", "$2\r\n41\r\n"},
	{"HGET user:7 vip", "$4\r\ntrue\r\n"},
	{"HGET user:7 tags", "$12\r\n[\"a\",\"b\\\"c\"]\r\n"},
	{"HGET user:7 __odd", "$4\r\nkept\r\n"},
	{"HGET user:7 _odd", "$-1\r\n"},
	{"HGET user:7 _revenue.EUR", "$4\r\n12.5\r\n"},
	{"HGET user:7 _activity.order_placed", "$1\r\n1\r\n"},
	{"HGET user:7 _channels.pos", "$1\r\n1\r\n"},
	{"HGET user:7 _consent.marketing:email", "$7\r\ngranted\r\n"},
	{"HGET user:7 _identifiers.email", "$19\r\n[\"ann@example.org\"]\r\n"},
	{"HGET user:7 _first_seen", "$24\r\n2026-01-02T03:04:05.678Z\r\n"},
	{"HGET user:nobody city", "$-1\r\n"},
	{"HMGET user:7 _events nothing city _events",
	 "*4\r\n$1\r\n1\r\n$-1\r\n$4\r\nLyon\r\n$1\r\n1\r\n"},
	{"HMGET user:nobody a b", "*2\r\n$-1\r\n$-1\r\n"},
	{"HGETALL user:nobody", "*0\r\n"},
	{"BB.RESOLVE user:nobody email:x", "*2\r\n$-1\r\n$-1\r\n"},
	{"BB.VIEW user:nobody", "$-1\r\n"},
	{"PING", "+PONG\r\n"},
	{"ping hello", "$5\r\nhello\r\n"},
	{"ECHO hello", "$5\r\nhello\r\n"},
	{"SELECT 0", "+OK\r\n"},
	{"AUTH default secret", "+OK\r\n"},
	{"CLIENT ID", ":42\r\n"},
	{"CLIENT GETNAME", "$-1\r\n"},
	{"CLIENT SETINFO LIB-NAME redis-py", "+OK\r\n"},
	{"CLIENT SETINFO lib-ver 5", "+OK\r\n"},
	{"CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"},
	{"CONFIG GET nonsense", "*0\r\n"},
	{"CONFIG GET appendonly sav?",
	 "*4\r\n$10\r\nappendonly\r\n$2\r\nno\r\n$4\r\nsave\r\n$0\r\n\r\n"},
	{"SCAN 0 TYPE hash", "*2\r\n$1\r\n0\r\n*0\r\n"},
	{"RESET", "+RESET\r\n"},
	{"QUIT", "+OK\r\n"},
};

Test(serve, answers_are_exact, .init = setup, .fini = teardown)
{
	for (size_t row = 0; row < sizeof(exact) / sizeof(exact[0]); row++)
		cr_assert_str_eq(run(exact[row].words), exact[row].reply, "row %zu: %s", row,
				 exact[row].words);
}

static const struct {
	const char *words, *prefix, *mentions;
} errors[] = {
	{"FLUSHALL", "-ERR unknown command", "FLUSHALL"},
	{"SET a b", "-ERR unknown command", "SET"},
	{"GET", "-ERR wrong number of arguments for 'get' command", "get key"},
	{"GET a b", "-ERR wrong number", ""},
	{"BB.DIGEST now", "-ERR wrong number", ""},
	{"GET nocolon", "-ERR not a key", "profile id"},
	{"GET usr:7", "-ERR not a key", "user, email, device"},
	{"MGET user:7 usr:7", "-ERR not a key", ""},
	{"EXISTS usr:7", "-ERR not a key", ""},
	{"TYPE usr:7", "-ERR not a key", ""},
	{"STRLEN usr:7", "-ERR not a key", ""},
	{"HGETALL usr:7", "-ERR not a key", ""},
	{"HGET usr:7 a", "-ERR not a key", ""},
	{"HMGET usr:7 a", "-ERR not a key", ""},
	{"BB.RESOLVE user:7 usr:7", "-ERR not a key", ""},
	{"BB.VIEW usr:7", "-ERR not a key", ""},
	{"BB.VIEW user:7 FIELDS events,nonsense", "-ERR no field 'nonsense'", "identifiers"},
	{"BB.VIEW user:7 FIELDS", "-ERR syntax", "PROVENANCE"},
	{"BB.VIEW user:7 AFTER shop/0/1", "-ERR syntax", ""},
	{"SELECT 1", "-ERR DB index", ""},
	{"AUTH secret", "-ERR AUTH <password> called without any password", ""},
	{"AUTH ann secret", "-WRONGPASS", ""},
	{"AUTH a b c", "-ERR syntax", ""},
	{"HELLO 4", "-NOPROTO", ""},
	{"HELLO x", "-NOPROTO", ""},
	{"HELLO 3 AUTH default", "-ERR syntax", ""},
	{"HELLO 3 AUTH ann secret", "-WRONGPASS", ""},
	{"HELLO 2 SETNAME \xc3\xa9", "-ERR Client names", ""},
	{"CLIENT", "-ERR unknown subcommand", ""},
	{"CLIENT KILL 1", "-ERR unknown subcommand 'KILL' of CLIENT", ""},
	{"CLIENT SETINFO WHAT x", "-ERR unknown attribute", "LIB-NAME"},
	{"CONFIG SET a b", "-ERR unknown subcommand", ""},
	{"COMMAND WHAT", "-ERR unknown subcommand", ""},
	{"SCAN x", "-ERR syntax", "MATCH"},
	{"SCAN 0 COUNT 0", "-ERR syntax", ""},
	{"SCAN 0 COUNT", "-ERR syntax", ""},
	{"SCAN 00", "-ERR syntax", ""},
	{"PING a b", "-ERR wrong number", ""},
};

Test(serve, mistakes_are_explained, .init = setup, .fini = teardown)
{
	for (size_t row = 0; row < sizeof(errors) / sizeof(errors[0]); row++) {
		const char *reply = run(errors[row].words);

		cr_assert(strncmp(reply, errors[row].prefix, strlen(errors[row].prefix)) == 0,
			  "row %zu: %s: %s", row, errors[row].words, reply);
		cr_assert(strstr(reply, errors[row].mentions), "row %zu: %s: %s", row,
			  errors[row].words, reply);
		cr_assert_str_eq(reply + strlen(reply) - 2, "\r\n", "row %zu", row);
		cr_assert_eq(session.protocol, 2, "row %zu", row);
	}
	cr_assert_eq(service.stats.errors, sizeof(errors) / sizeof(errors[0]));
}

Test(serve, a_view_is_the_same_by_every_key, .init = setup, .fini = teardown)
{
	char *view = strdup(run("GET user:7")), words[128];

	cr_assert(strstr(view, "\"profile\":\"p"), "%s", view);
	cr_assert(strstr(view, "\"events\":1,\"first_seen\""), "%s", view);
	cr_assert_str_eq(run("GET email:ANN@example.org"), view);
	snprintf(words, sizeof(words), "GET %s", id_of_7);
	cr_assert_str_eq(run(words), view);
	cr_assert_str_eq(run("BB.VIEW user:7"), view);
	free(view);
}

Test(serve, the_length_is_that_of_the_view, .init = setup, .fini = teardown)
{
	char expected[32];

	snprintf(expected, sizeof(expected), ":%lu\r\n", strtoul(run("GET user:7") + 1, NULL, 10));
	cr_assert_str_eq(run("STRLEN user:7"), expected);
}

Test(serve, mget_keeps_the_order, .init = setup, .fini = teardown)
{
	const char *reply = run("MGET user:8 user:nobody user:7 user:7");

	cr_assert(strncmp(reply, "*4\r\n$", 5) == 0, "%s", reply);
	cr_assert(strstr(reply, "\r\n$-1\r\n$"), "%s", reply);
	cr_assert(strstr(reply, "\"value\":\"8\"") < strstr(reply, "\"value\":\"7\""));
}

Test(serve, parts_of_a_view, .init = setup, .fini = teardown)
{
	char expected[160];
	int n = snprintf(expected, sizeof(expected),
			 "{\"profile\":\"%s\",\"revenue\":{\"EUR\":"
			 "{\"amount\":\"12.5\",\"count\":1}},\"events\":1}",
			 id_of_7);
	char reply[200];

	snprintf(reply, sizeof(reply), "$%d\r\n%s\r\n", n, expected);
	cr_assert_str_eq(run("BB.VIEW user:7 fields events,revenue"), reply);
	cr_assert_str_eq(run("BB.VIEW user:7 FIELDS events,profile,revenue"), reply);
	cr_assert(strstr(run("BB.VIEW user:7 PROVENANCE"), "\"provenance\":{"));
}

Test(serve, the_view_of_a_shared_identifier_has_its_owners, .init = setup, .fini = teardown)
{
	static const char *const more[] = {
		"{\"source\":\"web\",\"type\":\"seen\",\"id\":\"o1\",\"time\":\"2026-02-01T00:00:"
		"00Z\","
		"\"identifiers\":[{\"ns\":\"user\",\"value\":\"o1\"},{\"ns\":\"device\",\"value\":"
		"\"kiosk\"}]}",
		"{\"source\":\"web\",\"type\":\"seen\",\"id\":\"o2\",\"time\":\"2026-02-01T00:00:"
		"00Z\","
		"\"identifiers\":[{\"ns\":\"user\",\"value\":\"o2\"},{\"ns\":\"device\",\"value\":"
		"\"kiosk\"}]}"};

	fixture_apply(&fix, more, 2);
	cr_expect(strstr(run("BB.VIEW device:kiosk FIELDS events"),
			 "\"events\":0,\"owners\":[{\"ns\":\"user\",\"value\":\"o1\"},{\"ns\":"
			 "\"user\",\"value\":\"o2\"}]}\r\n"),
		  "%s", out.p);
	cr_expect_not(strstr(run("GET device:kiosk"), "owners"), "%s", out.p);
	cr_expect_not(strstr(run("BB.VIEW user:o1"), "owners"), "%s", out.p);
}

Test(serve, hgetall_is_a_map_in_resp3, .init = setup, .fini = teardown)
{
	char *two = strdup(run("HGETALL user:7")), *three;
	unsigned long n = strtoul(two + 1, NULL, 10), pairs;

	cr_assert(strstr(two, "$5\r\n__odd\r\n$4\r\nkept\r\n"), "%s", two);
	cr_assert(strstr(two, "$8\r\n_profile\r\n$27\r\np"), "%s", two);
	cr_assert(strstr(two, "$20\r\n_consent.marketing:email") ||
		  strstr(two, "_consent.marketing:email\r\n$7\r\ngranted\r\n"));
	run("HELLO 3");
	three = strdup(run("HGETALL user:7"));
	cr_assert_eq(three[0], '%');
	pairs = strtoul(three + 1, NULL, 10);
	cr_assert_eq(n, 2 * pairs);
	cr_assert_str_eq(strchr(two, '\n'), strchr(three, '\n'));
	cr_assert_str_eq(run("GET user:nobody"), "_\r\n");
	cr_assert_str_eq(run("HGETALL user:nobody"), "%0\r\n");
	free(two);
	free(three);
}

Test(serve, hello_names_and_chooses, .init = setup, .fini = teardown)
{
	cr_assert(strstr(run("HELLO"), "$5\r\nproto\r\n:2\r\n"));
	cr_assert_eq(run("HELLO")[0], '*');
	cr_assert(strncmp(run("HELLO 3 AUTH default x SETNAME tool-1"), "%7\r\n", 4) == 0);
	cr_assert_str_eq(run("CLIENT GETNAME"), "$6\r\ntool-1\r\n");
	cr_assert_str_eq(run("CLIENT SETNAME other"), "+OK\r\n");
	cr_assert_str_eq(run("CLIENT GETNAME"), "$5\r\nother\r\n");
	cr_assert(strstr(run("HELLO 2"), ":2\r\n"));
	cr_assert_eq(session.protocol, 2);
	run("HELLO 3");
	run("RESET");
	cr_assert_eq(session.protocol, 2);
	cr_assert_str_eq(run("CLIENT GETNAME"), "$-1\r\n");
}

Test(serve, a_key_and_a_name_have_limits, .init = setup, .fini = teardown)
{
	char words[2048];
	int n = snprintf(words, sizeof(words), "GET user:");

	memset(words + n, 'x', BB_RESP_KEY_MAX - 5);
	words[n + BB_RESP_KEY_MAX - 5] = '\0';
	cr_assert_str_eq(run(words), "$-1\r\n", "1,024 bytes are a key");
	words[n + BB_RESP_KEY_MAX - 5] = 'x';
	words[n + BB_RESP_KEY_MAX - 4] = '\0';
	cr_assert(strncmp(run(words), "-ERR key of 1025 bytes", 22) == 0, "%s", out.p);
	memcpy(words, "CLIENT SETNAME ", 15);
	memset(words + 15, 'x', BB_CLIENT_NAME_MAX + 1);
	words[15 + BB_CLIENT_NAME_MAX + 1] = '\0';
	cr_assert(strncmp(run(words), "-ERR client name of", 19) == 0);
	words[15 + BB_CLIENT_NAME_MAX] = '\0';
	cr_assert_str_eq(run(words), "+OK\r\n");
}

Test(serve, a_key_of_any_bytes_is_answered, .init = setup, .fini = teardown)
{
	static const char *const keys[] = {"user:\xff\xfe",
					   "\xff:7",
					   "user:\xed\xa0\x80",
					   "email:\xc3@example.org",
					   "user:",
					   ":",
					   ":7",
					   "p",
					   "P0"};
	char words[64];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *reply;

		snprintf(words, sizeof(words), "GET %s", keys[i]);
		reply = run(words);
		cr_assert(strcmp(reply, "$-1\r\n") == 0 ||
				  strncmp(reply, "-ERR not a key", 14) == 0,
			  "key %zu: %s", i, reply);
	}
}

Test(serve, a_reply_beyond_the_mark_becomes_an_error, .init = setup, .fini = teardown)
{
	fix.config.limits.output_bytes = (uint32_t)strlen(run("GET user:8"));
	cr_assert_eq(run("GET user:8")[0], '$');
	cr_assert(strncmp(run("MGET user:8 user:8"), "-ERR the reply has more than", 28) == 0, "%s",
		  out.p);
}

Test(serve, without_a_role_nothing_is_read, .init = setup, .fini = teardown)
{
	session.roles = 0;
	cr_assert_str_eq(run("PING"), "+PONG\r\n");
	for (size_t i = 0; i < bb_command_n; i++) {
		char words[128];
		int n;

		if (!bb_commands[i].role)
			continue;
		n = snprintf(words, sizeof(words), "%s", bb_commands[i].name);
		for (int a = 1; a < abs(bb_commands[i].arity); a++)
			n += snprintf(words + n, sizeof(words) - (size_t)n, " user:7");
		cr_assert(strncmp(run(words), "-NOPERM", 7) == 0, "%s: %s", words, out.p);
	}
}

Test(serve, scan_walks_every_profile_once, .init = setup, .fini = teardown)
{
	char cursor[24] = "0", words[64];
	size_t found = 0, calls = 0;

	do {
		const char *reply;
		char *list;

		snprintf(words, sizeof(words), "SCAN %s COUNT 1", cursor);
		reply = run(words);
		list = strchr(strstr(reply, "\r\n") + 2, '\n') + 1;
		snprintf(cursor, sizeof(cursor), "%.*s", (int)strcspn(list, "\r"), list);
		found += strstr(list, "$27\r\np") != NULL;
		calls++;
	} while (strcmp(cursor, "0") != 0 && calls < 10);
	cr_assert_eq(found, 3);
	cr_assert(strstr(run("SCAN 0 MATCH p* COUNT 100"), "\r\n*3\r\n"), "%s", out.p);
	cr_assert(strstr(run("SCAN 0 MATCH q*"), "\r\n*0\r\n"));
}

Test(serve, scan_gives_at_most_a_hundred_whatever_is_asked, .init = setup, .fini = teardown)
{
	static const char *const asked[] = {"100", "101", "1000000", "999999999999999999"};
	const char *lines[130];
	char words[64];

	for (size_t i = 0; i < 130; i++) {
		char *text = malloc(256);

		snprintf(text, 256,
			 "{\"source\":\"web\",\"type\":\"seen\",\"id\":\"s%zu\",\"time\":"
			 "\"2026-02-01T00:00:00Z\",\"identifiers\":[{\"ns\":\"user\",\"value\":"
			 "\"many%zu\"}]}",
			 i, i);
		lines[i] = text;
	}
	fixture_apply(&fix, lines, 130);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		snprintf(words, sizeof(words), "SCAN 0 COUNT %s", asked[i]);
		cr_expect(strstr(run(words), "\r\n*100\r\n"), "%s: %.40s", words, out.p);
		cr_expect(strncmp(out.p, "*2\r\n$1\r\n0\r\n", 11) != 0, "there are more");
	}
	for (size_t i = 0; i < 130; i++)
		free((char *)lines[i]);
}

Test(serve, the_table_tells_itself, .init = setup, .fini = teardown)
{
	const char *docs;

	cr_assert(
		strstr(run("COMMAND"), "$3\r\nget\r\n:2\r\n*1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n"));
	cr_assert(strncmp(run("COMMAND COUNT"), ":", 1) == 0);
	docs = run("COMMAND DOCS get nothing");
	cr_assert(strncmp(docs, "*2\r\n$3\r\nget\r\n*6\r\n$7\r\nsummary\r\n", 30) == 0, "%s", docs);
	cr_assert(strstr(run("COMMAND DOCS"), "bb.resolve"));
}

Test(serve, info_has_what_libraries_wait_for, .init = setup, .fini = teardown)
{
	cr_assert(strstr(run("INFO"), "loading:0\r\n"));
	cr_assert(strstr(run("INFO"), "profiles:3\r\n"));
	cr_assert(strstr(run("INFO server"), "# Server\r\n"));
	cr_assert(!strstr(run("INFO server"), "# Clients\r\n"));
	fix.is_ready = false;
	cr_assert(strstr(run("INFO backbone"), "ready:0\r\n"));
	cr_assert(strstr(run("INFO backbone"), "not_ready_0:log_gap\r\n"));
}

Test(serve, every_command_is_counted_by_name, .init = setup, .fini = teardown)
{
	const struct bb_histogram *histogram;

	run("GET user:7");
	run("GET user:nobody");
	run("GET usr:7");
	bb_service_flush(&service);
	histogram = bb_metrics_histogram(fix.metrics, BB_METRIC_LOOKUP, BB_LABELS("get"));
	cr_assert(histogram);
	cr_assert_eq(histogram->count, 3);
}
