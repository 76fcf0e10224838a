/* SPDX-License-Identifier: Apache-2.0 */
/* Routes without a socket, then a few requests through libmicrohttpd in the loop. */
#include "fixture.h"
#include "route.h"

#include <backbone/deadletter.h>

#include <criterion/criterion.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

static struct fixture fix;
static struct bb_service service;
static struct bb_response res;
static unsigned roles;
static const char *query[4]; /* name, value, name, value */

static void setup(void)
{
	fixture_open(&fix);
	fixture_service(&fix, &service);
	roles = BB_ROLE_READ | BB_ROLE_ADMIN;
	memset(query, 0, sizeof(query));
}

static void teardown(void)
{
	bb_buf_fini(&res.body);
	bb_service_fini(&service);
	fixture_close(&fix);
}

#define ROUTE_TEST(name) Test(serve, name, .init = setup, .fini = teardown)

static const char *query_value(void *ctx, const char *name)
{
	(void)ctx;
	for (size_t i = 0; i < 4; i += 2)
		if (query[i] && strcmp(query[i], name) == 0)
			return query[i + 1];
	return NULL;
}

/* The status; the body is JSON unless it is metrics. */
static unsigned ask(const char *method, const char *path)
{
	struct bb_request req = {.method = method,
				 .path = bb_text_of(path),
				 .roles = roles,
				 .service = &service,
				 .query = query_value};

	bb_buf_fini(&res.body);
	res = (struct bb_response){0};
	bb_route_run(&req, &res);
	cr_assert(!service.lookup.kv, "%s: no snapshot stays open", path);
	if (strstr(res.type, "json")) {
		json_t *root = json_loadb(res.body.p, res.body.n, JSON_ALLOW_NUL, NULL);

		cr_assert(root, "%s: %.*s", path, (int)res.body.n, res.body.p);
		json_decref(root);
	}
	bb_buf_byte(&res.body, '\0');
	return res.status;
}

static const struct {
	const char *method, *path;
	unsigned status;
	const char *mentions;
} answers[] = {
	{"GET", "/healthz", 200, "alive"},
	{"HEAD", "/healthz", 200, "alive"},
	{"GET", "/readyz", 200, "\"ready\":true"},
	{"GET", "/v1/status", 200, "\"next_offset\":5,\"end_offset\":9,\"lag\":4,\"applied\":4"},
	{"GET", "/v1/status", 200, "\"end_offset\":null"},
	{"GET", "/v1/config", 200, "\"name\":\"email\""},
	{"GET", "/v1/profiles/user/7", 200, "\"city\":\"Lyon\""},
	{"GET", "/v1/profiles/user:7", 200, "\"city\":\"Lyon\""},
	{"GET", "/v1/profiles/user%3A7", 200, "\"city\":\"Lyon\""},
	{"GET", "/v1/profiles/email/ANN%40example.org", 200, "\"city\":\"Lyon\""},
	{"GET", "/v1/profiles/user/no/body", 404, "no profile"},
	{"GET", "/v1/profiles/user/guest", 404, "blocked"},
	{"GET", "/v1/profiles/email/x", 400, "canonical"},
	{"GET", "/v1/profiles/usr/7", 400, "user, email, device"},
	{"GET", "/v1/profiles/", 400, "expected"},
	{"GET", "/v1/profiles/user/%", 400, "percent"},
	{"GET", "/v1/profiles/user/%zz", 400, "percent"},
	{"GET", "/v1/profiles/user/a%00b", 404, "no profile"},
	{"GET", "/v1/profiles/us%00er/7", 400, "user, email, device"},
	{"GET", "/v1/profiles/user/%ff", 400, "percent"},
	{"GET", "/v1/dead-letters", 200, "\"dead_letters\":[],\"next\":null"},
	{"GET", "/", 404, "no such route"},
	{"GET", "/v1/statuss", 404, "no such route"},
	{"GET", "/v1/profiles", 404, "no such route"},
	{"POST", "/v1/status", 405, "takes GET"},
	{"DELETE", "/healthz", 405, "takes GET"},
};

ROUTE_TEST(routes_answer)
{
	for (size_t row = 0; row < sizeof(answers) / sizeof(answers[0]); row++) {
		cr_assert_eq(ask(answers[row].method, answers[row].path), answers[row].status,
			     "row %zu: %s: %u %s", row, answers[row].path, res.status, res.body.p);
		cr_assert(strstr(res.body.p, answers[row].mentions), "row %zu: %s: %s", row,
			  answers[row].path, res.body.p);
		if (answers[row].status >= 400)
			cr_assert_str_eq(res.type, "application/problem+json");
		if (answers[row].status == 405)
			cr_assert_str_eq(res.allow, "GET");
	}
}

ROUTE_TEST(a_value_may_hold_a_nul_byte_and_other_texts_may_not)
{
	static const char *const line =
		"{\"source\":\"s\",\"id\":\"nul\",\"time\":\"2026-01-01T00:00:00Z\",\"type\":"
		"\"t\",\"identifiers\":[{\"ns\":\"user\",\"value\":\"a\\u0000b\"}]}";
	static const struct {
		const char *path, *name, *value;
		unsigned status;
		const char *mentions;
	} rows[] = {
		{"/v1/profiles/user/a%00b", NULL, NULL, 200, "\"value\":\"a\\u0000b\""},
		{"/v1/profiles/user:a%00b", NULL, NULL, 200, "\"value\":\"a\\u0000b\""},
		{"/v1/profiles/user/a", NULL, NULL, 404, "no profile"},
		{"/v1/history", "key", "user:a%00b", 200, "\"profile\""},
		{"/v1/history", "key", "user:a", 404, "no profile"},
		{"/v1/profiles/user/a%00b", "fields", "events%00", 400, "fields: not percent"},
	};

	fixture_apply(&fix, &line, 1);
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		query[0] = rows[row].name;
		query[1] = rows[row].value;
		cr_expect_eq(ask("GET", rows[row].path), rows[row].status, "row %zu: %u", row,
			     res.status);
		cr_expect(strstr(res.body.p, rows[row].mentions), "row %zu: %s", row, res.body.p);
	}
}

ROUTE_TEST(not_ready_is_503_with_reasons)
{
	fix.is_ready = false;
	cr_assert_eq(ask("GET", "/readyz"), 503);
	cr_assert(strstr(res.body.p, "{\"ready\":false,\"reasons\":[{\"code\":\"log_gap\""));
	cr_assert_eq(ask("GET", "/healthz"), 200);
}

ROUTE_TEST(a_profile_is_projected)
{
	query[0] = "fields";
	query[1] = "events%2Crevenue";
	cr_assert_eq(ask("GET", "/v1/profiles/user/7"), 200);
	cr_assert(strstr(res.body.p, "\"revenue\":") && !strstr(res.body.p, "\"attributes\":"));
	query[1] = "nonsense";
	cr_assert_eq(ask("GET", "/v1/profiles/user/7"), 400);
	cr_assert(strstr(res.body.p, "identifiers"));
	query[1] = "%f";
	cr_assert_eq(ask("GET", "/v1/profiles/user/7"), 400);
	query[0] = "provenance";
	query[1] = "1";
	cr_assert_eq(ask("GET", "/v1/profiles/user/7"), 200);
	cr_assert(strstr(res.body.p, "\"provenance\":{"));
}

ROUTE_TEST(metrics_are_prometheus_text)
{
	cr_assert_eq(ask("GET", "/metrics"), 200);
	cr_assert_str_eq(res.type, "text/plain; version=0.0.4; charset=utf-8");
	cr_assert(strstr(res.body.p,
			 "backbone_partition_lag_events{topic=\"shop\",partition=\"0\"} 4\n"),
		  "%s", res.body.p);
	cr_assert(!strstr(res.body.p, "partition=\"1\""), "no lag where the end is not known");
	cr_assert(strstr(res.body.p, "backbone_ready 1\n"));
	cr_assert(strstr(res.body.p, "backbone_store_entries{table=\"identifier\"}"));
}

ROUTE_TEST(roles_are_asked_for)
{
	roles = BB_ROLE_READ;
	cr_assert_eq(ask("GET", "/v1/profiles/user/7"), 200);
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 403);
	cr_assert_eq(ask("GET", "/v1/config"), 403);
	roles = 0;
	cr_assert_eq(ask("GET", "/healthz"), 200);
	cr_assert_eq(ask("GET", "/readyz"), 200);
	for (size_t i = 0; i < bb_route_n; i++)
		if (bb_routes[i].role)
			cr_assert_eq(ask(bb_routes[i].method, bb_routes[i].path), 403, "%s",
				     bb_routes[i].path);
}

ROUTE_TEST(the_configuration_hides_what_may_be_secret)
{
	struct bb_config_option options[] = {{"security.protocol", "SASL_SSL", 1, 1},
					     {"sasl.password", "hunter2", 2, 1},
					     {"ssl.key.pem", "-----BEGIN", 3, 1}};

	fix.config.kafka_brokers = "127.0.0.1:9092";
	fix.config.kafka_options = options;
	fix.config.kafka_option_n = 3;
	cr_assert_eq(ask("GET", "/v1/config"), 200);
	cr_assert(strstr(res.body.p, "\"security.protocol\":\"SASL_SSL\""), "%s", res.body.p);
	cr_assert(!strstr(res.body.p, "hunter2") && !strstr(res.body.p, "BEGIN"));
	cr_assert(!strstr(res.body.p, "profile_key"));
}

static void put_dead_letters(size_t n)
{
	struct bb_kv *kv;

	cr_assert_eq(bb_store_write_begin(fix.store, &kv), BB_OK);
	for (size_t i = 0; i < n; i++) {
		struct bb_deadletter letter = {
			.stored_ms = 1000,
			.refusal = {.reason = BB_DEAD_INVALID_JSON,
				    .detail = BB_TEXT("expected , or }"),
				    .byte_offset = 7},
			.connector = BB_TEXT("shop_till"),
			.message = {.topic = BB_TEXT("shop"),
				    .offset = (int64_t)i,
				    .timestamp_ms = 2000,
				    .value = i == 0 ? BB_TEXT("{\"a\":\xff\x01")
						    : BB_TEXT("{\"a\":1")},
			.has_value = true,
			.value_bytes = 7};
		uint64_t number;

		cr_assert_eq(bb_deadletter_put(kv, &letter, &number), BB_OK);
	}
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

ROUTE_TEST(dead_letters_come_in_pages)
{
	put_dead_letters(3);
	query[0] = "limit";
	query[1] = "2";
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 200);
	cr_assert(strstr(res.body.p,
			 "\"number\":1,\"stored\":\"1970-01-01T00:00:01.000Z\",\"reason\":"
			 "\"invalid_json\",\"detail\":\"expected , or }\",\"byte_offset\":7,"
			 "\"connector\":\"shop_till\",\"topic\":\"shop\",\"partition\":0,"
			 "\"offset\":0,\"timestamp\":\"1970-01-01T00:00:02.000Z\","
			 "\"headers\":[],\"value_bytes\":7,\"value_base64\":\"eyJhIjr/AQ==\"}"),
		  "%s", res.body.p);
	cr_assert(strstr(res.body.p, "\"value\":\"{\\\"a\\\":1\"}],\"next\":3}"), "%s", res.body.p);
	query[2] = "from";
	query[3] = "3";
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 200);
	cr_assert(strstr(res.body.p, "\"number\":3,") && strstr(res.body.p, "\"next\":null}"));
	query[3] = "x";
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 400);
	query[2] = NULL;
	query[1] = "0";
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 400);
	query[1] = "101";
	cr_assert_eq(ask("GET", "/v1/dead-letters"), 400);
}

/* Through the socket */

static void serve_setup(void)
{
	fixture_open(&fix);
	fixture_serve(&fix);
}

static void serve_teardown(void)
{
	fixture_close(&fix);
}

#define HTTP_TEST(name) Test(serve, name, .init = serve_setup, .fini = serve_teardown)

HTTP_TEST(http_is_served_in_the_loop)
{
	int fd = fixture_connect(&fix, fix.admin_path);
	const char *reply;
	size_t n;

	reply = fixture_exchange(&fix, fd,
				 BB_TEXT("GET /v1/profiles/user/7?fields=events HTTP/1.1\r\n"
					 "Host: x\r\nConnection: close\r\n\r\n"),
				 SIZE_MAX, &n);
	cr_assert(strncmp(reply, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", reply);
	cr_assert(strstr(reply, "Content-Type: application/json\r\n"), "%s", reply);
	cr_assert(strstr(reply, "\r\n\r\n{\"profile\":\"p"), "%s", reply);
	close(fd);
}

HTTP_TEST(http_keeps_a_connection_alive)
{
	int fd = fixture_connect(&fix, fix.admin_path);

	for (int i = 0; i < 3; i++) {
		const char *reply = fixture_exchange(
			&fix, fd, BB_TEXT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 100, NULL);

		cr_assert(strstr(reply, "{\"status\":\"alive\"}\n"), "%s", reply);
	}
	close(fd);
}

HTTP_TEST(http_takes_a_body_and_says_that_it_is_not_wanted)
{
	int fd = fixture_connect(&fix, fix.admin_path);
	const char *reply;
	size_t n;

	reply = fixture_exchange(
		&fix, fd,
		BB_TEXT("POST /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
			"Content-Length: 5\r\n\r\nhello"),
		SIZE_MAX, &n);
	cr_assert(strncmp(reply, "HTTP/1.1 405 ", 13) == 0, "%s", reply);
	cr_assert(strstr(reply, "Allow: GET\r\n"), "%s", reply);
	cr_assert(strstr(reply, "application/problem+json"), "%s", reply);
	close(fd);
}

HTTP_TEST(http_garbage_ends_that_connection_only)
{
	int other = fixture_connect(&fix, fix.admin_path),
	    fd = fixture_connect(&fix, fix.admin_path);
	const char *reply;
	size_t n;

	fixture_exchange(&fix, fd, BB_TEXT("\x16\x03\x01\x00\r\n\r\n"), SIZE_MAX, &n);
	close(fd);
	reply = fixture_exchange(&fix, other, BB_TEXT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
				 100, NULL);
	cr_assert(strstr(reply, "alive"), "%s", reply);
	close(other);
}

HTTP_TEST(http_connections_are_limited_in_all_and_by_user)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
	struct bb_serve_stats stats;
	const char *reply;
	int fds[4];
	size_t n;

	fix.config.limits.connections = 3;
	fix.config.limits.connections_per_uid = 2;
	for (int i = 0; i < 2; i++) {
		fds[i] = fixture_connect(&fix, fix.admin_path);
		fixture_exchange(&fix, fds[i], bb_text_of(request), 100, NULL);
	}
	fds[2] = fixture_connect(&fix, fix.admin_path);
	reply = fixture_exchange(&fix, fds[2], BB_TEXT(""), SIZE_MAX, &n);
	cr_expect(strncmp(reply, "HTTP/1.1 503 ", 13) == 0, "%s", reply);
	cr_expect(strstr(reply, "application/problem+json") && strstr(reply, "of one user"), "%s",
		  reply);
	fix.config.limits.connections = 2;
	fds[3] = fixture_connect(&fix, fix.admin_path);
	reply = fixture_exchange(&fix, fds[3], BB_TEXT(""), SIZE_MAX, &n);
	cr_expect(strstr(reply, "serve.limits.connections\""), "%s", reply);
	bb_serve_stats(fix.serve, &stats);
	cr_expect_eq(stats.refused, 2);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	for (int i = 0; i < 3; i++) { /* who left makes room */
		int fd = fixture_connect(&fix, fix.admin_path);

		reply = fixture_exchange(&fix, fd, bb_text_of(request), 15, NULL);
		cr_expect(strncmp(reply, "HTTP/1.1 200 OK", 15) == 0, "%d: %s", i, reply);
		close(fd);
		uv_run(&fix.loop, UV_RUN_NOWAIT);
	}
}

/* A byte of a head with every look, so that it is never idle. */
static bool is_closed_for_half(void *ctx)
{
	struct bb_serve_stats stats;

	(void)!send(*(int *)ctx, "G", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	bb_serve_stats(fix.serve, &stats);
	return stats.closed_idle == 1;
}

HTTP_TEST(half_a_head_is_closed_in_time_however_it_dribbles)
{
	int other, half;
	const char *reply;
	size_t n;

	fix.config.limits.idle_seconds = 1;
	half = fixture_connect(&fix, fix.admin_path);
	fixture_until(&fix, is_closed_for_half, &half, "the close of half a head");
	while (recv(half, &n, 1, MSG_DONTWAIT) > 0)
		;
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	other = fixture_connect(&fix, fix.admin_path);
	reply = fixture_exchange(&fix, other, BB_TEXT("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
				 100, NULL);
	cr_expect(strstr(reply, "alive"), "%s", reply);
	close(half);
	close(other);
}

HTTP_TEST(a_stop_ends_http_too)
{
	int fd = fixture_connect(&fix, fix.admin_path);

	fixture_exchange(&fix, fd, BB_TEXT("GET /healthz HTTP/1.1\r\n"), 0, NULL);
	fixture_stop(&fix);
	close(fd);
}
