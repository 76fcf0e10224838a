/* SPDX-License-Identifier: Apache-2.0 */
/* See fixture.h. Whatever fails here fails the test. */
#include "fixture.h"

#include "service.h"

#include <backbone/clock.h>
#include <backbone/connector.h>
#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_NS (UINT64_C(20) * 1000000000)

static const char *const people[] = {
	"{\"source\":\"till\",\"channel\":\"pos\",\"type\":\"order_placed\",\"id\":\"e1\","
	"\"time\":\"2026-01-02T03:04:05.678Z\",\"identifiers\":[{\"ns\":\"user\",\"value\":\"7\"},"
	"{\"ns\":\"email\",\"value\":\"ann@example.org\"}],\"attributes\":{\"city\":\"Lyon\","
	"\"age\":41,\"vip\":true,\"tags\":[\"a\",\"b\\\"c\"],\"_odd\":\"kept\"},"
	"\"amount\":{\"value\":\"12.50\",\"currency\":\"EUR\"},"
	"\"consent\":[{\"purpose\":\"marketing\",\"channel\":\"email\",\"status\":\"granted\"}]}",
	"{\"source\":\"web\",\"channel\":\"web\",\"type\":\"seen\",\"id\":\"e2\","
	"\"time\":\"2026-01-03T03:04:05.678Z\",\"identifiers\":[{\"ns\":\"user\",\"value\":\"8\"}]"
	"}",
	"{\"source\":\"web\",\"channel\":\"web\",\"type\":\"seen\",\"id\":\"e3\","
	"\"time\":\"2026-01-04T03:04:05.678Z\",\"identifiers\":[{\"ns\":\"user\",\"value\":"
	"\"guest\"},"
	"{\"ns\":\"device\",\"value\":\"d1\"}]}",
};

static void on_status(void *ctx, struct bb_arena *arena, struct bb_status *ret_status)
{
	struct fixture *fix = ctx;

	ret_status->ready = fix->is_ready;
	ret_status->state = BB_TEXT("running");
	ret_status->started_ms = bb_clock_wall_ms();
	ret_status->profiles = 3;
	ret_status->partitions = bb_arena_zalloc(arena, 2 * sizeof(*ret_status->partitions));
	ret_status->partition_n = 2;
	ret_status->partitions[0] = (struct bb_status_partition){
		.topic = BB_TEXT("shop"), .next_offset = 5, .end_offset = 9, .results = {4, 1}};
	ret_status->partitions[1] = (struct bb_status_partition){
		.topic = BB_TEXT("shop"), .partition = 1, .end_offset = -1};
	if (fix->is_ready)
		return;
	ret_status->reasons = bb_arena_zalloc(arena, sizeof(*ret_status->reasons));
	ret_status->reason_n = 1;
	ret_status->reasons[0].code = BB_TEXT("log_gap");
	ret_status->reasons[0].detail = BB_TEXT("shop/0 begins at 9, the store is at 5");
}

static void make_config(struct fixture *fix)
{
	bb_rules_namespace_defaults(&fix->namespaces[0], "user", true, true);
	bb_rules_namespace_defaults(&fix->namespaces[1], "email", false, true);
	fix->namespaces[1].normaliser = BB_NORMALISE_EMAIL;
	bb_rules_namespace_defaults(&fix->namespaces[2], "device", false, false);
	bb_rules_defaults(&fix->rules);
	fix->rules.namespaces = fix->namespaces;
	fix->rules.namespace_n = 3;
	fix->config = (struct bb_config){
		.file = "/etc/backbone/backbone.yaml",
		.directory = "/etc/backbone",
		.store_path = fix->folder,
		.rules = fix->rules,
		.query = {.path = fix->query_path, .mode = 0660},
		.admin = {.path = fix->admin_path, .mode = 0660},
		.limits = {.connections = 100,
			   .connections_per_uid = 50,
			   .commands_per_turn = 16,
			   .output_bytes = 1024 * 1024,
			   .total_output_bytes = 64 * 1024 * 1024,
			   .idle_seconds = 60},
	};
}

void fixture_open(struct fixture *fix)
{
	struct bb_error err = {0};
	char store_path[96];
	int ret;

	*fix = (struct fixture){.is_ready = true};
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	snprintf(fix->folder, sizeof(fix->folder), "/tmp/unit_serve.XXXXXX");
	cr_assert(mkdtemp(fix->folder));
	snprintf(store_path, sizeof(store_path), "%s/store", fix->folder);
	snprintf(fix->query_path, sizeof(fix->query_path), "%s/query.sock", fix->folder);
	snprintf(fix->admin_path, sizeof(fix->admin_path), "%s/admin.sock", fix->folder);
	make_config(fix);
	ret = bb_store_open(&(struct bb_store_options){.path = store_path,
						       .map_size_bytes = 64 << 20,
						       .profile_key = &fix->rules.profile_key},
			    &fix->store, &err);
	cr_assert_eq(ret, BB_OK, "%s", err.msg);
	fix->metrics = bb_metrics_new();
	fix->options = (struct bb_serve_options){.config = &fix->config,
						 .rules = &fix->rules,
						 .store = fix->store,
						 .query_fd = -1,
						 .admin_fd = -1,
						 .metrics = fix->metrics,
						 .status = on_status,
						 .status_ctx = fix};
	cr_assert_eq(uv_loop_init(&fix->loop), 0);
	fixture_apply(fix, people, sizeof(people) / sizeof(people[0]));
}

void fixture_apply(struct fixture *fix, const char *const *lines, size_t n)
{
	struct bb_connector *direct = bb_connector_direct(NULL, 0);
	struct bb_pipeline *pl = bb_pipeline_new(&fix->rules);
	struct bb_arena arena;
	struct bb_kv *kv;

	bb_arena_init(&arena);
	cr_assert_eq(bb_store_write_begin(fix->store, &kv), BB_OK);
	bb_pipeline_begin(pl, kv);
	for (size_t i = 0; i < n; i++) {
		struct bb_message msg = {.topic = BB_TEXT("test"),
					 .timestamp_ms = BB_NO_TIMESTAMP,
					 .value = bb_text_of(lines[i])};
		struct bb_extraction got;
		struct bb_refusal refusal;

		bb_connector_run(direct, &msg, &arena, &got);
		cr_assert(got.n == 1 && got.items[0].kind == BB_EXTRACTED_EVENT, "line %zu", i);
		cr_assert_eq(bb_gate(&fix->rules, got.items[0].event, &arena, &refusal),
			     BB_GATE_PASS, "line %zu", i);
		cr_assert_eq(bb_pipeline_apply(pl, got.items[0].event, &refusal),
			     BB_VERDICT_APPLIED, "line %zu", i);
	}
	cr_assert_eq(bb_pipeline_finish(pl), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	bb_pipeline_free(pl);
	bb_connector_free(direct);
	bb_arena_fini(&arena);
}

void fixture_service(struct fixture *fix, struct bb_service *ret_service)
{
	cr_assert_eq(bb_service_init(ret_service, &fix->options), BB_OK);
}

void fixture_serve(struct fixture *fix)
{
	struct bb_error err = {0};
	int ret = bb_serve_new(&fix->loop, &fix->options, &fix->serve, &err);

	cr_assert_eq(ret, BB_OK, "%s", err.msg);
}

static void on_stopped(void *ctx)
{
	struct fixture *fix = ctx;

	fix->is_stopped = true;
	fix->serve = NULL;
}

static bool has_stopped(void *ctx)
{
	return ((struct fixture *)ctx)->is_stopped;
}

void fixture_stop(struct fixture *fix)
{
	fix->is_stopped = false;
	bb_serve_stop(fix->serve, on_stopped, fix);
	cr_assert(!fix->is_stopped, "not from within the call");
	fixture_until(fix, has_stopped, fix, "the server to stop");
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void fixture_close(struct fixture *fix)
{
	if (fix->serve)
		fixture_stop(fix);
	uv_run(&fix->loop, UV_RUN_NOWAIT);
	cr_assert_eq(uv_loop_close(&fix->loop), 0, "no handle is left");
	bb_store_close(fix->store);
	bb_metrics_free(fix->metrics);
	nftw(fix->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int fixture_connect(struct fixture *fix, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)fix;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0, "%s: %m", path);
	return fd;
}

void fixture_until(struct fixture *fix, bool (*done)(void *ctx), void *ctx, const char *what)
{
	uint64_t end_ns = bb_clock_monotonic_ns() + DEADLINE_NS;

	while (!done(ctx)) {
		cr_assert(bb_clock_monotonic_ns() < end_ns, "waited too long for %s", what);
		uv_run(&fix->loop, UV_RUN_NOWAIT);
		poll(&(struct pollfd){.fd = uv_backend_fd(&fix->loop), .events = POLLIN}, 1, 1);
	}
}

struct exchange {
	int fd;
	struct bb_text request;
	struct bb_buf *reply;
	size_t reply_n;
	bool has_ended;
};

static bool exchange_step(void *ctx)
{
	struct exchange *ex = ctx;
	ssize_t n;

	if (ex->request.n > 0) {
		n = send(ex->fd, ex->request.p, ex->request.n, MSG_NOSIGNAL);
		if (n > 0) {
			ex->request.p += n;
			ex->request.n -= (size_t)n;
		} else if (errno != EAGAIN) {
			ex->request.n = 0;
		}
	}
	n = recv(ex->fd, bb_buf_reserve(ex->reply, 65536), 65536, 0);
	if (n > 0)
		ex->reply->n += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		ex->has_ended = true;
	return ex->has_ended || (ex->request.n == 0 && ex->reply->n >= ex->reply_n);
}

const char *fixture_exchange(struct fixture *fix, int fd, struct bb_text request, size_t reply_n,
			     size_t *ret_n)
{
	static struct bb_buf reply;
	struct exchange ex = {.fd = fd, .request = request, .reply = &reply, .reply_n = reply_n};

	reply.n = 0;
	fixture_until(fix, exchange_step, &ex, "a reply");
	bb_buf_reserve(&reply, 1)[0] = '\0';
	if (ret_n)
		*ret_n = reply.n;
	return reply.p;
}

void fixture_expect(struct fixture *fix, int fd, const char *request, const char *reply)
{
	const char *got = fixture_exchange(fix, fd, bb_text_of(request), strlen(reply), NULL);

	cr_assert_str_eq(got, reply, "to %s", request);
}
