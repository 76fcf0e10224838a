/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for the writer, through the socket: suspended, answered, told of a stop. */
#include "steward.h"

#include <criterion/criterion.h>
#include <unistd.h>

static struct steward st;

static void setup(void)
{
	steward_open(&st);
	fixture_serve(&st.fix);
}

static void teardown(void)
{
	steward_close(&st);
}

TestSuite(waiting, .init = setup, .fini = teardown, .timeout = 60);

#define BODY "{\"ruling\":\"block\",\"id\":\"r1\",\"identifier\":{\"ns\":\"user\",\"value\":\"8\"}}"

static void send_ruling(int fd)
{
	char request[512];
	int n = snprintf(request, sizeof(request),
			 "POST /v1/rulings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(BODY), BODY);

	cr_assert_eq(write(fd, request, (size_t)n), n);
}

static bool has_order(void *ctx)
{
	return ((struct steward *)ctx)->first != NULL;
}

static const char *answer_of(int fd)
{
	size_t n;

	return fixture_exchange(&st.fix, fd, BB_TEXT(""), SIZE_MAX, &n);
}

Test(waiting, the_answer_comes_when_it_is_durable_and_others_are_served_meanwhile)
{
	int fd = fixture_connect(&st.fix, st.fix.admin_path),
	    other = fixture_connect(&st.fix, st.fix.admin_path);
	const char *reply;

	send_ruling(fd);
	fixture_until(&st.fix, has_order, &st, "the order");
	reply = fixture_exchange(&st.fix, other,
				 BB_TEXT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 100, NULL);
	cr_expect(strstr(reply, "alive"), "%s", reply);
	cr_expect_eq(steward_work(&st), 1);
	reply = answer_of(fd);
	cr_expect(strncmp(reply, "HTTP/1.1 201 ", 13) == 0, "%s", reply);
	cr_expect(strstr(reply, "{\"result\":\"applied\""), "%s", reply);
	close(fd);
	close(other);
}

static bool has_stopped(void *ctx)
{
	return ((struct steward *)ctx)->fix.is_stopped;
}

static void on_stopped(void *ctx)
{
	struct steward *steward = ctx;

	steward->fix.is_stopped = true;
	steward->fix.serve = NULL;
}

Test(waiting, whoever_waits_when_the_server_stops_is_told)
{
	int fd = fixture_connect(&st.fix, st.fix.admin_path);
	char reply[512] = "";

	send_ruling(fd);
	fixture_until(&st.fix, has_order, &st, "the order");
	st.fix.is_stopped = false;
	bb_serve_stop(st.fix.serve, on_stopped, &st);
	uv_run(&st.fix.loop, UV_RUN_NOWAIT);
	cr_expect_not(st.fix.is_stopped, "the order is not done yet");
	cr_expect_eq(steward_work(&st), 1);
	fixture_until(&st.fix, has_stopped, &st, "the server to stop");
	cr_expect_geq(read(fd, reply, sizeof(reply) - 1), 0);
	cr_expect(strncmp(reply, "HTTP/1.1 503 ", 13) == 0, "%s", reply);
	close(fd);
	steward_expect(&st, "GET", "/v1/rulings/r1", NULL, 200, "\"holds\":true");
}

Test(waiting, a_client_that_goes_away_does_not_matter)
{
	int fd = fixture_connect(&st.fix, st.fix.admin_path);

	send_ruling(fd);
	fixture_until(&st.fix, has_order, &st, "the order");
	close(fd);
	cr_expect_eq(steward_work(&st), 1);
	steward_expect(&st, "GET", "/v1/rulings/r1", NULL, 200, "\"holds\":true");
}

Test(waiting, a_body_that_is_too_large_is_refused)
{
	int fd = fixture_connect(&st.fix, st.fix.admin_path);
	struct bb_buf request = BB_BUF_EMPTY;
	const char *reply;
	size_t n;

	bb_buf_printf(&request,
		      "POST /v1/rulings HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
		      "Content-Length: %zu\r\n\r\n%*s",
		      BB_REQUEST_BODY_MAX + 1, (int)BB_REQUEST_BODY_MAX + 1, "x");
	reply = fixture_exchange(&st.fix, fd, bb_buf_slice(&request), SIZE_MAX, &n);
	cr_expect(strncmp(reply, "HTTP/1.1 413 ", 13) == 0, "%s", reply);
	cr_expect(strstr(reply, "at most 65536 bytes"), "%s", reply);
	bb_buf_fini(&request);
	close(fd);
}
