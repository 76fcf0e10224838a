/* SPDX-License-Identifier: Apache-2.0 */
/* The query socket: a server in a loop, clients that are polite, slow, rude or many. */
#include "fixture.h"

#include "peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

#define SERVE_TEST(name) Test(serve, name, .init = setup, .fini = teardown)

static struct bb_serve_stats stats_now(void)
{
	struct bb_serve_stats stats;

	bb_serve_stats(fix.serve, &stats);
	return stats;
}

/* A request `times` times, as one text on the heap. */
static struct bb_buf times(const char *request, size_t n)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < n; i++)
		bb_buf_text(&buf, bb_text_of(request));
	return buf;
}

SERVE_TEST(a_client_is_answered_and_may_leave)
{
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "*1\r\n$4\r\nPING\r\n", "+PONG\r\n");
	fixture_expect(&fix, fd, "PING\r\n", "+PONG\r\n");
	fixture_expect(&fix, fd, "*2\r\n$6\r\nEXISTS\r\n$6\r\nuser:7\r\n", ":1\r\n");
	cr_assert_eq(stats_now().clients, 1);
	close(fd);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "CLIENT ID\n", ":2\r\n");
	cr_assert_eq(stats_now().clients, 1);
	close(fd);
}

SERVE_TEST(byte_by_byte_is_as_good_as_whole)
{
	static const char request[] = "*2\r\n$6\r\nEXISTS\r\n$6\r\nuser:7\r\n";
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	for (size_t i = 0; i + 2 < sizeof(request); i++)
		fixture_exchange(&fix, fd, (struct bb_text){request + i, 1}, 0, NULL);
	fixture_expect(&fix, fd, "\n", ":1\r\n");
	close(fd);
}

SERVE_TEST(a_pipeline_longer_than_a_turn_is_answered_in_order)
{
	struct bb_buf requests = BB_BUF_EMPTY, replies = BB_BUF_EMPTY;
	size_t n;
	int fd;

	fix.config.limits.commands_per_turn = 3;
	for (int i = 0; i < 5000; i++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", i);
		bb_buf_printf(&requests, "*2\r\n$4\r\nECHO\r\n$%zu\r\n%s\r\n", strlen(text), text);
		bb_buf_printf(&replies, "$%zu\r\n%s\r\n", strlen(text), text);
	}
	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	cr_assert_arr_eq(fixture_exchange(&fix, fd, bb_buf_slice(&requests), replies.n, &n),
			 replies.p, replies.n);
	cr_assert_eq(n, replies.n);
	close(fd);
	bb_buf_fini(&requests);
	bb_buf_fini(&replies);
}

SERVE_TEST(a_long_pipeline_does_not_hold_up_another_client)
{
	struct bb_buf requests = times("*1\r\n$4\r\nPING\r\n", 100000);
	int busy, other;
	ssize_t sent;

	fixture_serve(&fix);
	busy = fixture_connect(&fix, fix.query_path);
	other = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, busy, "PING\n", "+PONG\r\n");
	sent = send(busy, requests.p, requests.n, MSG_NOSIGNAL);
	cr_assert(sent > 0);
	fixture_expect(&fix, other, "PING\n", "+PONG\r\n");
	cr_assert(stats_now().commands < (uint64_t)sent / 14 || sent < 14 * 1000,
		  "answered before the pipeline was done");
	close(busy);
	close(other);
	bb_buf_fini(&requests);
}

SERVE_TEST(what_was_sent_before_the_end_is_answered)
{
	struct bb_buf requests = times("PING\r\n", 1000);
	size_t n;
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	cr_assert_eq(send(fd, requests.p, requests.n, 0), (ssize_t)requests.n);
	send(fd, "*2\r\n$3\r\nGE", 10, 0);
	shutdown(fd, SHUT_WR);
	fixture_exchange(&fix, fd, BB_TEXT(""), SIZE_MAX, &n);
	cr_assert_eq(n, 7000, "%zu", n);
	close(fd);
	bb_buf_fini(&requests);
}

SERVE_TEST(quit_ends_after_its_reply)
{
	size_t n;
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	cr_assert_str_eq(fixture_exchange(&fix, fd, BB_TEXT("PING\nQUIT\nPING\n"), SIZE_MAX, &n),
			 "+PONG\r\n+OK\r\n");
	close(fd);
}

SERVE_TEST(garbage_is_answered_once_and_closed)
{
	static const struct {
		struct bb_text input;
		const char *reply;
	} table[] = {
		{BB_TEXT("*3\r\n$-5\r\nPING\nPING\n"), "-ERR Protocol error: invalid bulk"},
		{BB_TEXT("\x16\x03\x01"), "-ERR Protocol error: control character"},
		{BB_TEXT("*01\r\n$4\r\nPING\r\n"), "-ERR Protocol error: invalid multibulk"},
		{BB_TEXT("POST / HTTP/1.1\r\nHost: x\r\n\r\n"), "-ERR unknown command 'POST'"},
	};
	int other;

	fixture_serve(&fix);
	other = fixture_connect(&fix, fix.query_path);
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++) {
		int fd = fixture_connect(&fix, fix.query_path);
		size_t n;
		const char *reply = fixture_exchange(&fix, fd, table[row].input, SIZE_MAX, &n);

		cr_assert(strncmp(reply, table[row].reply, strlen(table[row].reply)) == 0,
			  "row %zu: %s", row, reply);
		cr_assert_eq(strchr(reply, '\n'), reply + n - 1, "row %zu: one reply", row);
		close(fd);
		fixture_expect(&fix, other, "PING\n", "+PONG\r\n");
	}
	cr_assert_eq(stats_now().protocol_errors, 3);
	close(other);
}

static bool is_full(void *ctx)
{
	int fd = *(int *)ctx;
	static const char request[] = "*2\r\n$3\r\nGET\r\n$6\r\nuser:7\r\n";

	while (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(request) - 1)
		;
	return stats_now().commands > 0;
}

static bool is_idle_closed(void *ctx)
{
	(void)ctx;
	return stats_now().closed_idle == 1 && stats_now().clients == 0;
}

static bool is_slow_closed(void *ctx)
{
	(void)ctx;
	return stats_now().closed_slow == 1;
}

/* Asks without reading until the server takes no more. */
static void fill_up(int fd)
{
	uint64_t before;

	fixture_until(&fix, is_full, &fd, "a first command");
	do {
		before = stats_now().commands;
		for (int i = 0; i < 200; i++) {
			is_full(&fd);
			uv_run(&fix.loop, UV_RUN_NOWAIT);
		}
	} while (stats_now().commands > before);
}

SERVE_TEST(a_client_that_never_reads_is_stopped_then_closed)
{
	int fd, other;

	fix.config.limits.output_bytes = 64 * 1024;
	fix.config.limits.idle_seconds = 1;
	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fill_up(fd);
	other = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, other, "PING\n", "+PONG\r\n");
	close(other);
	fixture_until(&fix, is_slow_closed, NULL, "the slow one to be closed");
	close(fd);
}

SERVE_TEST(slow_clients_all_together_stay_below_the_total)
{
	int slow[8], other, gone = 0;
	char byte;

	fix.config.limits.output_bytes = 128 * 1024;
	fix.config.limits.total_output_bytes = 600 * 1024;
	fixture_serve(&fix);
	other = fixture_connect(&fix, fix.query_path);
	for (int i = 0; i < 8; i++) {
		slow[i] = fixture_connect(&fix, fix.query_path);
		fill_up(slow[i]);
		fixture_expect(&fix, other, "PING\n", "+PONG\r\n");
	}
	cr_expect(stats_now().closed_slow >= 4 && stats_now().closed_slow < 8, "%d",
		  (int)stats_now().closed_slow);
	cr_expect_eq(stats_now().clients, 9 - stats_now().closed_slow);
	for (int i = 0; i < 8; i++) {
		while (recv(slow[i], &byte, 1, MSG_DONTWAIT) == 1)
			;
		gone += recv(slow[i], &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
		close(slow[i]);
	}
	cr_expect_eq(gone, (int)stats_now().closed_slow);
	fixture_expect(&fix, other, "PING\n", "+PONG\r\n");
	close(other);
}

SERVE_TEST(half_a_request_is_closed_when_it_stays_half)
{
	int fd;

	fix.config.limits.idle_seconds = 1;
	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_exchange(&fix, fd, BB_TEXT("*2\r\n$3\r\nGE"), 0, NULL);
	fixture_until(&fix, is_idle_closed, NULL, "the close");
	close(fd);
}

SERVE_TEST(connections_are_limited_in_all_and_by_user)
{
	size_t n;
	int fds[4];

	fix.config.limits.connections = 3;
	fix.config.limits.connections_per_uid = 2;
	fixture_serve(&fix);
	for (int i = 0; i < 2; i++) {
		fds[i] = fixture_connect(&fix, fix.query_path);
		fixture_expect(&fix, fds[i], "PING\n", "+PONG\r\n");
	}
	fds[2] = fixture_connect(&fix, fix.query_path);
	cr_assert_str_eq(fixture_exchange(&fix, fds[2], BB_TEXT(""), SIZE_MAX, &n),
			 "-ERR max number of clients of one user reached\r\n");
	fix.config.limits.connections = 2;
	fds[3] = fixture_connect(&fix, fix.query_path);
	cr_assert_str_eq(fixture_exchange(&fix, fds[3], BB_TEXT(""), SIZE_MAX, &n),
			 "-ERR max number of clients reached\r\n");
	cr_assert_eq(stats_now().refused, 2);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

SERVE_TEST(a_digest_comes_later_and_in_order)
{
	const char *reply;
	char first[200];
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	reply = fixture_exchange(&fix, fd, BB_TEXT("BB.DIGEST\nPING\n"), 80, NULL);
	cr_assert(strncmp(reply, "*4\r\n$6\r\ndigest\r\n$32\r\n", 20) == 0, "%s", reply);
	cr_assert(strstr(reply, "\r\n$8\r\nprofiles\r\n:3\r\n+PONG\r\n"), "%s", reply);
	snprintf(first, sizeof(first), "%s", reply);
	cr_assert_str_eq(fixture_exchange(&fix, fd, BB_TEXT("BB.DIGEST\nPING\n"), 80, NULL), first);
	close(fd);
}

SERVE_TEST(a_digest_may_be_left_behind)
{
	int fds[3];

	fixture_serve(&fix);
	for (int i = 0; i < 3; i++) {
		fds[i] = fixture_connect(&fix, fix.query_path);
		fixture_expect(&fix, fds[i], "PING\n", "+PONG\r\n");
		send(fds[i], "BB.DIGEST\n", 10, 0);
	}
	uv_run(&fix.loop, UV_RUN_NOWAIT);
	close(fds[0]);
	close(fds[1]);
	fixture_stop(&fix);
	close(fds[2]);
}

SERVE_TEST(a_stop_closes_who_waits_and_removes_the_sockets)
{
	struct stat st;
	size_t n;
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "PING\n", "+PONG\r\n");
	fixture_stop(&fix);
	fixture_exchange(&fix, fd, BB_TEXT(""), SIZE_MAX, &n);
	cr_assert_eq(n, 0);
	cr_assert_neq(stat(fix.query_path, &st), 0);
	cr_assert_neq(stat(fix.admin_path, &st), 0);
	close(fd);
}

SERVE_TEST(a_stop_does_not_wait_for_who_never_reads)
{
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	for (int i = 0; i < 500; i++) {
		is_full(&fd);
		uv_run(&fix.loop, UV_RUN_NOWAIT);
	}
	fixture_stop(&fix);
	close(fd);
}

SERVE_TEST(the_socket_has_its_mode_and_replaces_one_left_behind)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	int left = socket(AF_UNIX, SOCK_STREAM, 0), fd;

	memcpy(addr.sun_path, fix.query_path, strlen(fix.query_path));
	cr_assert_eq(bind(left, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(left);
	fix.config.query.mode = 0600;
	fixture_serve(&fix);
	cr_assert_eq(stat(fix.query_path, &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0600);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "PING\n", "+PONG\r\n");
	close(fd);
}

static int serve_fails(struct bb_error *err)
{
	struct bb_serve *serve = NULL;
	int ret = bb_serve_new(&fix.loop, &fix.options, &serve, err);

	cr_assert(!serve);
	cr_assert_neq(ret, BB_OK);
	cr_assert(err->msg[0]);
	return ret;
}

SERVE_TEST(a_socket_in_use_is_left_alone)
{
	struct bb_error err = {0};
	int fd;

	fixture_serve(&fix);
	cr_assert_eq(serve_fails(&err), BB_EBUSY);
	cr_assert(strstr(err.msg, fix.query_path), "%s", err.msg);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "PING\n", "+PONG\r\n");
	close(fd);
}

SERVE_TEST(what_is_no_socket_is_left_alone)
{
	struct bb_error err = {0};
	struct stat st;

	cr_assert_geq(close(open(fix.query_path, O_CREAT | O_WRONLY, 0600)), 0);
	cr_assert_eq(serve_fails(&err), BB_EINVAL);
	cr_assert_eq(stat(fix.query_path, &st), 0);
}

SERVE_TEST(a_wrong_place_for_a_socket_is_explained)
{
	struct bb_error err = {0};
	char longer[200];

	fix.config.query.path = "/tmp/unit_serve.none/query.sock";
	cr_assert_eq(serve_fails(&err), BB_EIO);
	cr_assert(strstr(err.msg, "folder"), "%s", err.msg);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	fix.config.query.path = longer;
	cr_assert_eq(serve_fails(&err), BB_EINVAL);
	fix.config.query.path = fix.query_path;
	fix.config.query.group = "no-such-group";
	cr_assert_eq(serve_fails(&err), BB_EINVAL);
	cr_assert(strstr(err.msg, "no-such-group"), "%s", err.msg);
}

SERVE_TEST(tcp_is_of_the_loopback_and_takes_whom_it_may)
{
	static const char *const wrong[] = {"0.0.0.0:6380",    "192.0.2.1:6380", "localhost:6380",
					    "127.0.0.1",       "127.0.0.1:",	 "127.0.0.1:65536",
					    "127.0.0.1:6380x", "[::]:6380",	 ":6380"};
	struct bb_error err = {0};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fix.config.query.tcp = wrong[i];
		cr_assert_eq(serve_fails(&err), BB_EINVAL, "%s", wrong[i]);
	}
	fix.config.query.tcp = "127.0.0.1:0";
	fixture_serve(&fix);
}

SERVE_TEST(a_handed_socket_is_used_and_not_removed)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int handed = socket(AF_UNIX, SOCK_STREAM, 0), fd;
	struct bb_error err = {0};
	struct stat st;

	fix.options.query_fd = handed;
	cr_assert_eq(serve_fails(&err), BB_EINVAL, "it does not listen");
	memcpy(addr.sun_path, fix.query_path, strlen(fix.query_path));
	cr_assert_eq(bind(handed, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(handed, 5), 0);
	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "PING\n", "+PONG\r\n");
	close(fd);
	fixture_stop(&fix);
	cr_assert_eq(stat(fix.query_path, &st), 0);
}

SERVE_TEST(a_reader_sees_what_was_committed_before_it_asked)
{
	static const char *const more[] = {"{\"source\":\"web\",\"type\":\"seen\",\"id\":\"e9\","
					   "\"time\":\"2026-02-01T00:00:00Z\","
					   "\"identifiers\":[{\"ns\":\"user\",\"value\":\"9\"}]}"};
	static const char *const again[] = {"{\"source\":\"web\",\"type\":\"seen\",\"id\":\"e10\","
					    "\"time\":\"2026-02-01T00:00:00Z\","
					    "\"identifiers\":[{\"ns\":\"user\",\"value\":\"9\"}]}"};
	int fd;

	fixture_serve(&fix);
	fd = fixture_connect(&fix, fix.query_path);
	fixture_expect(&fix, fd, "EXISTS user:9\n", ":0\r\n");
	fixture_apply(&fix, more, 1);
	fixture_expect(&fix, fd, "EXISTS user:9\n", ":1\r\n");
	for (int i = 0; i < 2; i++) /* the second from the cache */
		cr_assert(strstr(fixture_exchange(&fix, fd, BB_TEXT("GET user:9\n"), 1, NULL),
				 "\"events\":1,\"first_seen\""));
	fixture_apply(&fix, again, 1);
	cr_assert(strstr(fixture_exchange(&fix, fd, BB_TEXT("GET user:9\n"), 1, NULL),
			 "\"events\":2,\"first_seen\""));
	close(fd);
}

SERVE_TEST(limits_follow_a_new_configuration)
{
	static struct bb_config changed;
	size_t n;
	int fd;

	changed = fix.config;
	fixture_serve(&fix);
	changed.limits.connections = 0;
	bb_serve_config_set(fix.serve, &changed);
	fd = fixture_connect(&fix, fix.query_path);
	cr_assert_str_eq(fixture_exchange(&fix, fd, BB_TEXT(""), SIZE_MAX, &n),
			 "-ERR max number of clients reached\r\n");
	close(fd);
}

Test(serve, roles_of_peers)
{
	static const struct {
		struct bb_peer peer;
		unsigned unknown, roles;
		const char *who;
	} table[] = {
		{{.uid = 0, .is_unix = true}, 0, 3, "root"},
		{{.uid = 12345, .is_unix = true, .in_group = true}, 0, 3, "a member"},
		{{.uid = 12345, .is_unix = true}, 0, 0, "a stranger"},
		{{.uid = 12345, .is_unix = true}, 1, 1, "a stranger who may read"},
		{{.uid = BB_PEER_UNKNOWN}, 0, 0, "TCP"},
		{{.uid = BB_PEER_UNKNOWN}, 1, 1, "TCP that may read"},
	};
	struct bb_peer self = {.uid = geteuid(), .is_unix = true};

	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		cr_assert_eq(bb_peer_roles(&table[row].peer, 3, table[row].unknown),
			     table[row].roles, "%s", table[row].who);
	cr_assert_eq(bb_peer_roles(&self, 3, 0), 3, "the daemon's own user");
}

Test(serve, the_kernel_says_who_a_peer_is)
{
	struct bb_peer peer;
	int pair[2], tcp = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	bb_peer_read(pair[0], getegid(), &peer);
	cr_assert(peer.is_unix && peer.uid == geteuid() && peer.in_group);
	bb_peer_read(pair[0], (gid_t)-1, &peer);
	cr_assert(!peer.in_group);
	bb_peer_read(pair[0], 54321, &peer);
	cr_assert(!peer.in_group);
	bb_peer_read(tcp, getegid(), &peer);
	cr_assert(!peer.is_unix && peer.uid == BB_PEER_UNKNOWN && !peer.in_group);
	close(pair[0]);
	close(pair[1]);
	close(tcp);
}
