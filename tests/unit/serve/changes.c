/* SPDX-License-Identifier: Apache-2.0 */
/* BB.CHANGES and BB.HISTORY, with and without waiting; /v1/changes and /v1/history. */
#include "command.h"
#include "fixture.h"
#include "route.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct fixture fix;
static struct bb_service service;
static struct bb_response res;

static void setup(void)
{
	fixture_open(&fix);
}

static void teardown(void)
{
	fixture_close(&fix);
}

#define CHANGES_TEST(name) Test(serve, name, .init = setup, .fini = teardown)

/* Customer 8 is seen again: an update; with `card`, an identifier of customer 7 as well. */
static void come(const char *id, const char *more)
{
	char line[512];
	const char *lines[] = {line};

	snprintf(line, sizeof(line),
		 "{\"source\":\"web\",\"channel\":\"web\",\"type\":\"seen\",\"id\":\"%s\","
		 "\"time\":\"2026-01-03T03:04:05.678Z\",\"identifiers\":[{\"ns\":\"user\","
		 "\"value\":\"8\"}%s]}",
		 id, more);
	fixture_apply(&fix, lines, 1);
}

/* What one command gives on a connection of its own, as long as `reply_n` bytes at least. */
static const char *ask(const char *words, size_t reply_n)
{
	int fd = fixture_connect(&fix, fix.query_path);
	char line[256];
	const char *got;

	snprintf(line, sizeof(line), "%s\r\n", words);
	got = fixture_exchange(&fix, fd, bb_text_of(line), reply_n, NULL);
	close(fd);
	return got;
}

static const struct {
	const char *words, *reply;
} refusals[] = {
	{"BB.CHANGES x", "-ERR since: expected the number of the last change that you have, or 0"},
	{"BB.CHANGES -1", "-ERR since: expected"},
	{"BB.CHANGES 9999999999999999999", "-ERR since: expected"},
	{"BB.CHANGES 0 COUNT 0", "-ERR COUNT: expected 1 to 1000"},
	{"BB.CHANGES 0 COUNT 1001", "-ERR COUNT: expected 1 to 1000"},
	{"BB.CHANGES 0 BLOCK 0", "-ERR BLOCK: expected 1 to 60000 milliseconds"},
	{"BB.CHANGES 0 BLOCK", "-ERR syntax error; expected BB.CHANGES since"},
	{"BB.CHANGES 0 LIMIT 3", "-ERR syntax error; expected BB.CHANGES since"},
	{"BB.CHANGES 77", "-ERR 77 is behind the last change, 3"},
	{"BB.HISTORY nobody", "-ERR not a key"},
};

CHANGES_TEST(changes_wrong_questions_are_explained)
{
	fixture_serve(&fix);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const char *got = ask(refusals[i].words, strlen(refusals[i].reply));

		cr_expect(strncmp(got, refusals[i].reply, strlen(refusals[i].reply)) == 0, "%s: %s",
			  refusals[i].words, got);
	}
}

CHANGES_TEST(changes_are_told_page_by_page)
{
	const char *got;

	fixture_serve(&fix);
	got = ask("BB.CHANGES 0 COUNT 2", 200);
	cr_expect(strncmp(got,
			  "*6\r\n$5\r\nfirst\r\n:1\r\n$4\r\nlast\r\n:3\r\n"
			  "$7\r\nchanges\r\n*2\r\n",
			  50) == 0,
		  "%s", got);
	cr_expect(strstr(got, "{\"number\":1,\"kind\":\"created\",\"profile\":\"p"));
	cr_expect(strstr(got, "{\"number\":2,"));
	got = ask("BB.CHANGES 2", 100);
	cr_expect(strstr(got, "*1\r\n") && strstr(got, "{\"number\":3,"), "%s", got);
	got = ask("BB.CHANGES 3", 50);
	cr_expect(strstr(got, "$7\r\nchanges\r\n*0\r\n"), "%s", got);
}

CHANGES_TEST(a_number_whose_successors_were_dropped_is_refused)
{
	const char *got;

	fix.rules.changes_max = 1;
	come("a1", "");
	come("a2", "");
	fixture_serve(&fix);
	got = ask("BB.CHANGES 2", 100);
	cr_expect(strstr(got, "-ERR changes up to 4 were dropped, the first that is there is 5; "
			      "take all profiles again and go on from 5"),
		  "%s", got);
	got = ask("BB.CHANGES 0", 100);
	cr_expect(strstr(got, "{\"number\":5,"), "0 is the oldest that is there: %s", got);
}

CHANGES_TEST(a_client_that_waits_is_answered_after_a_commit)
{
	int fd, other;
	const char *got;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	other = fixture_connect(&fix, fix.query_path);
	fixture_exchange(&fix, fd, BB_TEXT("BB.CHANGES 3 BLOCK 60000\r\nPING\r\n"), 0, NULL);
	fixture_expect(&fix, other, "PING\r\n", "+PONG\r\n");
	bb_serve_committed(fix.serve); /* nothing of it is for them */
	fixture_expect(&fix, other, "PING\r\n", "+PONG\r\n");
	come("a1", "");
	bb_serve_committed(fix.serve);
	got = fixture_exchange(&fix, fd, BB_TEXT(""), 150, NULL);
	cr_expect(strstr(got, "{\"number\":4,\"kind\":\"updated\""), "%s", got);
	cr_expect(strstr(got, "+PONG\r\n"), "later commands waited: %s", got);
	close(fd);
	close(other);
}

CHANGES_TEST(a_client_that_waits_is_answered_when_the_time_is_over)
{
	fixture_serve(&fix);
	cr_expect(strstr(ask("BB.CHANGES 3 BLOCK 20", 50), "$7\r\nchanges\r\n*0\r\n"));
}

CHANGES_TEST(clients_that_wait_have_a_bound_and_may_leave)
{
	static const char question[] = "BB.CHANGES 3 BLOCK 60000\r\n";
	int fds[BB_FOLLOWERS_MAX + 1];
	const char *got;

	fix.config.limits.connections = fix.config.limits.connections_per_uid = 1000;
	fixture_serve(&fix);
	for (int i = 0; i <= BB_FOLLOWERS_MAX; i++) {
		fds[i] = fixture_connect(&fix, fix.query_path);
		fixture_expect(&fix, fds[i], "PING\r\n", "+PONG\r\n");
	}
	for (int i = 0; i < BB_FOLLOWERS_MAX; i++)
		fixture_exchange(&fix, fds[i], bb_text_of(question), 0, NULL);
	got = fixture_exchange(&fix, fds[BB_FOLLOWERS_MAX], bb_text_of(question), 40, NULL);
	cr_expect(strstr(got, "-ERR too many clients wait for changes; at most 200 may"), "%s",
		  got);
	for (int i = 0; i <= BB_FOLLOWERS_MAX; i++)
		close(fds[i]);
	fixture_stop(&fix);
}

CHANGES_TEST(a_history_has_names_and_mergers)
{
	const char *got;

	come("a1", ",{\"ns\":\"device\",\"value\":\"d1\"}");
	fixture_serve(&fix);
	got = ask("BB.HISTORY user:8", 300);
	cr_expect(strstr(got, "{\"profile\":\"p") && strstr(got, "\"names\":[{\"id\":\"p"), "%s",
		  got);
	cr_expect(strstr(got, "\"ns\":\"device\",\"value\":\"d1\"}"), "%s", got);
	cr_expect(strstr(got, "\"kind\":\"merged\""), "%s", got);
	cr_expect(strstr(got, "\"rulings\":[],\"truncated\":false}"), "%s", got);
	cr_expect_str_eq(ask("BB.HISTORY user:nobody", 5), "$-1\r\n");
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static const char *query_value(void *ctx, const char *name)
{
	const char *const *query = ctx;

	for (; *query; query += 2)
		if (strcmp(query[0], name) == 0)
			return query[1];
	return NULL;
}

static unsigned get(const char *path, const char *const *query)
{
	struct bb_request req = {.method = "GET",
				 .path = bb_text_of(path),
				 .roles = BB_ROLE_READ,
				 .service = &service,
				 .query = query_value,
				 .query_ctx = (void *)(uintptr_t)query};

	bb_buf_fini(&res.body);
	res = (struct bb_response){0};
	bb_route_run(&req, &res);
	cr_assert(!service.lookup.kv, "%s: no snapshot stays open", path);
	bb_buf_byte(&res.body, '\0');
	return res.status;
}

static const struct {
	const char *path, *query[5];
	unsigned status;
	const char *mentions;
} gets[] = {
	{"/v1/changes", {NULL}, 200, "{\"first\":4,\"last\":4,\"changes\":[{\"number\":4,"},
	{"/v1/changes", {"after", "3"}, 200, "\"next\":4}"},
	{"/v1/changes", {"after", "4"}, 200, "\"changes\":[],\"next\":4}"},
	{"/v1/changes", {"after", "3", "limit", "1"}, 200, "\"next\":4}"},
	{"/v1/changes", {"after", "1"}, 410, "the first that is there is 4"},
	{"/v1/changes", {"after", "9"}, 400, "9 is behind the last change, 4"},
	{"/v1/changes", {"after", "x"}, 400, "after: expected a whole number"},
	{"/v1/changes", {"limit", "0"}, 400, "limit: expected 1 to 1000"},
	{"/v1/history", {"key", "user:8"}, 200, "\"changes\":[],\"rulings\":[]"},
	{"/v1/history", {"key", "user%3A8"}, 200, "\"changes\":[],\"rulings\":[]"},
	{"/v1/history", {"key", "user:nobody"}, 404, "no profile is known"},
	{"/v1/history", {"key", "nobody"}, 400, "not a key"},
	{"/v1/history", {NULL}, 400, "/v1/history?key="},
};

CHANGES_TEST(routes_of_the_change_feed)
{
	fix.rules.changes_max = 1;
	come("a1", "");
	fixture_service(&fix, &service);
	for (size_t i = 0; i < sizeof(gets) / sizeof(gets[0]); i++) {
		cr_expect_eq(get(gets[i].path, gets[i].query), gets[i].status, "row %zu: %u %s", i,
			     res.status, res.body.p);
		cr_expect(strstr(res.body.p, gets[i].mentions), "row %zu: %s", i, res.body.p);
	}
	bb_buf_fini(&res.body);
	bb_service_fini(&service);
}
