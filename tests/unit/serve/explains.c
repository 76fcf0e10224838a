/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BB.WHY and BB.EXPLAIN: the reply is made by the pool, later commands wait for it, and whoever
 * leaves or stops meanwhile leaves nothing behind.
 */
#include "explain.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture fix;

static void setup(void)
{
	fixture_open(&fix);
}

static void teardown(void)
{
	fixture_close(&fix);
}

#define EXPLAIN_TEST(name) Test(serve, name, .init = setup, .fini = teardown)

/* Sends one line and reads one bulk reply, whole; its text. */
static const char *bulk(int fd, const char *line)
{
	static char whole[64 * 1024];
	const char *head = fixture_exchange(&fix, fd, bb_text_of(line), 6, NULL);
	size_t n, used;

	snprintf(whole, sizeof(whole), "%s", head);
	cr_assert_eq(whole[0], '$', "%s: %s", line, whole);
	while (!strchr(whole, '\n')) {
		used = strlen(whole);
		snprintf(whole + used, sizeof(whole) - used, "%s",
			 fixture_exchange(&fix, fd, BB_TEXT(""), 1, NULL));
	}
	n = (size_t)(strchr(whole, '\n') + 1 - whole) + strtoul(whole + 1, NULL, 10) + 2;
	used = strlen(whole);
	cr_assert_lt(n, sizeof(whole));
	if (used < n)
		snprintf(whole + used, sizeof(whole) - used, "%s",
			 fixture_exchange(&fix, fd, BB_TEXT(""), n - used, NULL));
	return strchr(whole, '\n') + 1;
}

EXPLAIN_TEST(why_and_explain_reply_with_json)
{
	const char *reply;
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	reply = bulk(fd, "BB.WHY email:Ann@example.org\n");
	cr_expect(strstr(reply, "{\"key\":\"email:ann@example.org\",\"profile\":\"p"), "%s", reply);
	cr_expect(strstr(reply, "\"from\":\"user:7\",\"to\":\"email:ann@example.org\""), "%s",
		  reply);
	reply = bulk(fd, "BB.EXPLAIN user:7 email:ann@example.org\n");
	cr_expect(strstr(reply, "\"together\":true"), "%s", reply);
	reply = bulk(fd, "BB.EXPLAIN user:7 user:8\n");
	cr_expect(strstr(reply, "\"why\":\"no_evidence\""), "%s", reply);
	reply = bulk(fd, "BB.WHY user:guest\n");
	cr_expect(strstr(reply, "\"blocked\":{\"key\":\"user:guest\",\"by\":\"rule\""), "%s",
		  reply);
	close(fd);
}

EXPLAIN_TEST(explanations_say_what_is_no_key_or_nobody)
{
	static const struct {
		const char *request, *reply;
	} rows[] = {
		{"BB.WHY user:99\n", "$-1\r\n"},
		{"BB.EXPLAIN user:7 user:99\n", "$-1\r\n"},
		{"BB.WHY nonsense\n",
		 "-ERR not a key: expected namespace:value, or a profile id (p "
		 "and 26 letters and digits)\r\n"},
		{"BB.EXPLAIN user:7 none:1\n",
		 "-ERR not a key: no such namespace; there are: user, email, device\r\n"},
		{"BB.EXPLAIN email:x user:7\n",
		 "-ERR not a key: the value is not a canonical one of namespace email\r\n"},
		{"BB.EXPLAIN user:7\n", "-ERR wrong number of arguments for 'bb.explain' command; "
					"expected bb.explain key key\r\n"},
		{"BB.WHY user:99\nPING\n", "$-1\r\n+PONG\r\n"},
	};
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fixture_expect(&fix, fd, rows[i].request, rows[i].reply);
	close(fd);
}

EXPLAIN_TEST(an_explanation_above_the_output_mark_is_an_error)
{
	int fd;

	fix.config.limits.output_bytes = 100;
	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "BB.WHY user:7\n",
		       "-ERR the explanation has more than 100 bytes\r\n");
	close(fd);
}

EXPLAIN_TEST(explanations_may_be_left_behind)
{
	int fds[6];

	fixture_serve(&fix);
	for (int i = 0; i < 6; i++) {
		fds[i] = fixture_connect(&fix, fix.query_path);
		fixture_expect(&fix, fds[i], "PING\n", "+PONG\r\n");
		send(fds[i], "BB.EXPLAIN user:7 user:8\n", 25, 0);
	}
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	close(fds[0]); /* at the pool, in the middle, and the last of the queue */
	close(fds[2]);
	close(fds[5]);
	for (int i = 0; i < 3; i++)
		uv_run(&fix.loop, UV_RUN_NOWAIT);
	fixture_stop(&fix);
	close(fds[1]);
	close(fds[3]);
	close(fds[4]);
}

/* A request by HTTP/1.0: the whole answer. */
static const char *get(const char *target)
{
	char request[256];
	const char *reply;
	size_t n;
	int fd = fixture_connect(&fix, fix.admin_path);

	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", target);
	reply = fixture_exchange(&fix, fd, bb_text_of(request), SIZE_MAX, &n);
	close(fd);
	return reply;
}

EXPLAIN_TEST(explanations_come_by_http_too)
{
	static const struct {
		const char *target, *status, *mentions;
	} rows[] = {
		{"/v1/explain?key=user:7", " 200 ", "{\"key\":\"user:7\",\"profile\":\"p"},
		{"/v1/explain?a=user:7&b=email:ann%40example.org", " 200 ", "\"together\":true"},
		{"/v1/explain?a=user:7&b=user:8", " 200 ", "\"why\":\"no_evidence\""},
		{"/v1/explain?key=user:99", " 404 ", "the key was never seen"},
		{"/v1/explain?a=user:7&b=user:99", " 404 ", "one of the keys was never seen"},
		{"/v1/explain?a=user:7&b=none:1", " 400 ", "no such namespace"},
		{"/v1/explain?key=nonsense", " 400 ", "not a key"},
		{"/v1/explain?a=user:7", " 400 ", "expected /v1/explain?key=KEY, or "},
		{"/v1/explain?key=user:7&b=user:8", " 400 ", "expected /v1/explain?key=KEY, or "},
		{"/v1/explain", " 400 ", "expected /v1/explain?key=KEY, or "},
		{"/v1/explain?key=%ff", " 400 ", "percent-encoded"},
	};

	fixture_serve(&fix);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *reply = get(rows[i].target);

		cr_expect(strncmp(reply + 8, rows[i].status, 5) == 0 &&
				  strstr(reply, rows[i].mentions),
			  "%s: %s", rows[i].target, reply);
	}
}

EXPLAIN_TEST(a_stop_answers_who_waits_for_an_explanation_by_http)
{
	static const char request[] = "GET /v1/explain?key=user:7 HTTP/1.0\r\nHost: l\r\n\r\n";
	int fds[3];

	fixture_serve(&fix);
	for (int i = 0; i < 3; i++) {
		fds[i] = fixture_connect(&fix, fix.admin_path);
		send(fds[i], request, strlen(request), 0);
	}
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	close(fds[0]);
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	fixture_stop(&fix);
	close(fds[1]);
	close(fds[2]);
}

/* Of the lane alone: who is forgotten hears nothing, a stop tells the rest. */
struct heard {
	struct bb_explain_asker asker;
	int n, err;
};

static void on_explained(struct bb_explain_asker *asker, const struct bb_explained *explained)
{
	struct heard *heard = (struct heard *)asker;

	heard->n++;
	heard->err = explained->err;
}

EXPLAIN_TEST(a_stop_tells_all_who_wait_and_the_forgotten_hear_nothing)
{
	struct bb_handles handles = {.open = 0};
	struct bb_explain_lane *lane =
		bb_explain_lane_new(&fix.loop, &handles, fix.store, &fix.rules);
	struct heard heard[5];

	memset(heard, 0, sizeof(heard));
	for (int i = 0; i < 5; i++) {
		heard[i].asker.on_explained = on_explained;
		bb_explain_ask(lane, &heard[i].asker, BB_TEXT("user:7"), BB_TEXT("user:8"));
	}
	bb_explain_forget(lane, &heard[0].asker); /* at the pool */
	bb_explain_forget(lane, &heard[2].asker); /* in the middle */
	bb_explain_forget(lane, &heard[4].asker); /* the last */
	bb_explain_forget(lane, &heard[4].asker);
	bb_explain_lane_stop(lane);
	cr_expect_eq(heard[1].n, 0, "called back from inside the stop");
	uv_run(&fix.loop, UV_RUN_DEFAULT);
	cr_expect_eq(handles.open, 0);
	for (int i = 0; i < 5; i++) {
		cr_expect_eq(heard[i].n, i == 1 || i == 3, "%d", i);
		cr_expect(!heard[i].n || heard[i].err == BB_EBUSY, "%d: %d", i, heard[i].err);
		cr_expect_null(heard[i].asker.job);
	}
	bb_explain_lane_free(lane);
	bb_explain_lane_free(NULL);
}

/* Rules change while nothing is at the pool: questions wait for them, also the first. */
EXPLAIN_TEST(a_held_lane_begins_none_until_it_goes_on_or_stops)
{
	static const bool stops[] = {false, true};

	for (size_t row = 0; row < 2; row++) {
		struct bb_handles handles = {.open = 0};
		struct bb_explain_lane *lane =
			bb_explain_lane_new(&fix.loop, &handles, fix.store, &fix.rules);
		struct bb_rules other = fix.rules;
		struct heard heard[4];

		memset(heard, 0, sizeof(heard));
		for (int i = 0; i < 4; i++) {
			heard[i].asker.on_explained = on_explained;
			bb_explain_ask(lane, &heard[i].asker, BB_TEXT("user:7"), BB_TEXT("user:8"));
		}
		cr_expect_not(bb_explain_lane_hold(lane), "the first is at the pool");
		uv_run(&fix.loop, UV_RUN_DEFAULT);
		cr_expect_eq(heard[0].n + heard[1].n, 1);
		cr_expect(bb_explain_lane_hold(lane));
		bb_explain_lane_rules_set(lane, &other);
		bb_explain_forget(lane, &heard[1].asker); /* the first of the queue */
		if (stops[row])
			bb_explain_lane_stop(lane);
		else
			bb_explain_lane_go(lane);
		uv_run(&fix.loop, UV_RUN_DEFAULT);
		cr_expect_eq(handles.open, 0);
		for (int i = 0; i < 4; i++)
			cr_expect_eq(heard[i].n, i != 1, "row %zu, %d", row, i);
		cr_expect_eq(heard[3].err == BB_EBUSY, stops[row], "row %zu: %d", row,
			     heard[3].err);
		bb_explain_lane_free(lane);
	}
}
