/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns what serves: listeners, connections, HTTP, digests, explanations, those who follow the
 * change feed, a timer that sweeps. Start: all that can fail (sockets, HTTP, the store's reader)
 * comes before the first handle of the loop, so that a failure leaves nothing to close. Stop, in
 * this order: HTTP, listeners, connections (replies that are due may still be read for two sweeps),
 * digests, explanations, followers; the server is freed by the last handle's close callback.
 *
 * A listener that cannot accept for want of descriptors or memory rests until the next sweep.
 */
#include "conn.h"
#include "http.h"
#include "listener.h"

#include <backbone/assert.h>
#include <backbone/log.h>
#include <backbone/serve.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	ACCEPTS_PER_TURN = 32,
	SWEEP_MS = 1000,
	STOP_SWEEP_MS = 50 /* so that the end is seen soon */
};

/* A listener of the query socket in the loop. */
struct acceptor {
	struct bb_serve *serve;
	struct bb_listener *listener;
	uv_poll_t poll;
	bool is_open, is_resting;
};

struct bb_serve {
	uv_loop_t *loop;
	struct bb_handles handles;
	struct bb_service service;
	struct bb_listeners query, admin;
	struct acceptor acceptors[2];
	struct bb_http_server http[2];
	struct bb_digester *digester;
	struct bb_conns conns;
	uv_timer_t sweep;
	bb_serve_stopped_fn *on_stopped;
	void *ctx;
};

static void rest(struct acceptor *acceptor, int error)
{
	char text[128];

	bb_log(BB_LOG_WARNING, "accept_failed", "error=\"%s\"",
	       strerror_r(error, text, sizeof(text)));
	uv_poll_stop(&acceptor->poll);
	acceptor->is_resting = true;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct acceptor *acceptor = poll->data;

	(void)status, (void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(acceptor->listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			bb_conns_take(&acceptor->serve->conns, fd, acceptor->listener->group);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			rest(acceptor, errno);
		}
		return;
	}
}

static void acceptor_open(struct acceptor *acceptor, struct bb_serve *serve,
			  struct bb_listener *listener)
{
	int err;

	if (listener->fd < 0)
		return;
	*acceptor = (struct acceptor){.serve = serve, .listener = listener, .is_open = true};
	err = uv_poll_init(serve->loop, &acceptor->poll, listener->fd);
	bb_assert(err == 0);
	acceptor->poll.data = acceptor;
	bb_handles_opened(&serve->handles);
	uv_poll_start(&acceptor->poll, UV_READABLE, on_acceptable);
}

static void on_acceptor_closed(uv_handle_t *handle)
{
	struct acceptor *acceptor = handle->data;

	bb_handles_closed(&acceptor->serve->handles);
}

static void on_sweep(uv_timer_t *timer)
{
	struct bb_serve *serve = timer->data;

	bb_conns_sweep(&serve->conns);
	for (size_t i = 0; i < 2; i++) {
		struct acceptor *acceptor = &serve->acceptors[i];

		if (acceptor->is_resting) {
			acceptor->is_resting = false;
			uv_poll_start(&acceptor->poll, UV_READABLE, on_acceptable);
		}
	}
}

static void on_sweep_closed(uv_handle_t *handle)
{
	struct bb_serve *serve = handle->data;

	bb_handles_closed(&serve->handles);
}

/* After a stop the timer stays for the connections, and goes with the last of them. */
static void on_stop_sweep(uv_timer_t *timer)
{
	struct bb_serve *serve = timer->data;

	bb_conns_sweep(&serve->conns);
	if (!serve->conns.first)
		uv_close((uv_handle_t *)timer, on_sweep_closed);
}

/* All that can fail. */
static int open_all(struct bb_serve *serve, const struct bb_serve_options *options,
		    struct bb_error *err)
{
	const struct bb_config *config = options->config;
	int ret = bb_service_init(&serve->service, options);

	if (ret != BB_OK)
		return bb_error_set(err, ret, "no reader of the store: %s", bb_error_text(ret));
	ret = bb_listeners_open(&config->query, options->query_fd, &serve->query, err);
	if (ret != BB_OK)
		return ret;
	ret = bb_listeners_open(&config->admin, options->admin_fd, &serve->admin, err);
	if (ret == BB_OK && serve->admin.unix_socket.fd >= 0)
		ret = bb_http_open(&serve->http[0], &serve->admin.unix_socket, &serve->service,
				   err);
	if (ret == BB_OK && serve->admin.tcp.fd >= 0)
		ret = bb_http_open(&serve->http[1], &serve->admin.tcp, &serve->service, err);
	return ret;
}

/* A descriptor that was handed over goes back to its owner. */
static void give_back(struct bb_listener *listener, int handed_fd)
{
	if (handed_fd >= 0 && listener->fd == handed_fd)
		listener->fd = -1;
}

static void discard(struct bb_serve *serve, const struct bb_serve_options *options)
{
	bb_http_discard(&serve->http[0]);
	bb_http_discard(&serve->http[1]);
	give_back(&serve->query.unix_socket, options->query_fd);
	give_back(&serve->admin.unix_socket, options->admin_fd);
	bb_listeners_close(&serve->query);
	bb_listeners_close(&serve->admin);
	bb_service_fini(&serve->service);
	free(serve);
}

static bool sigpipe_is_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int bb_serve_new(uv_loop_t *loop, const struct bb_serve_options *options,
		 struct bb_serve **ret_serve, struct bb_error *err)
{
	static const struct bb_listeners none = {{-1, (gid_t)-1, NULL}, {-1, (gid_t)-1, NULL}};
	struct bb_serve *serve = calloc(1, sizeof(*serve));
	int ret;

	bb_assert(serve);
	bb_assert(sigpipe_is_ignored());
	serve->loop = loop;
	serve->query = none;
	serve->admin = none;
	ret = open_all(serve, options, err);
	if (ret != BB_OK) {
		discard(serve, options);
		return ret;
	}
	serve->service.handles = &serve->handles;
	serve->service.loop = loop;
	serve->digester = bb_digester_new(loop, &serve->handles, options->store, options->rules);
	serve->service.explain =
		bb_explain_lane_new(loop, &serve->handles, options->store, options->rules);
	serve->service.followers = bb_followers_new(loop, &serve->handles, &serve->service.lookup);
	bb_conns_init(&serve->conns, loop, &serve->handles, &serve->service, serve->digester);
	uv_timer_init(loop, &serve->sweep);
	serve->sweep.data = serve;
	bb_handles_opened(&serve->handles);
	uv_timer_start(&serve->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	acceptor_open(&serve->acceptors[0], serve, &serve->query.unix_socket);
	acceptor_open(&serve->acceptors[1], serve, &serve->query.tcp);
	bb_http_attach(&serve->http[0], loop, &serve->handles);
	bb_http_attach(&serve->http[1], loop, &serve->handles);
	*ret_serve = serve;
	return BB_OK;
}

void bb_serve_config_set(struct bb_serve *serve, const struct bb_config *config)
{
	serve->service.config = config;
}

bool bb_serve_hold(struct bb_serve *serve)
{
	bool digester_rests = bb_digester_hold(serve->digester);
	bool lane_rests = bb_explain_lane_hold(serve->service.explain);

	serve->service.is_held = true;
	return digester_rests && lane_rests && !serve->service.is_reading;
}

void bb_serve_go(struct bb_serve *serve)
{
	serve->service.is_held = false;
	bb_digester_go(serve->digester);
	bb_explain_lane_go(serve->service.explain);
}

void bb_serve_rules_set(struct bb_serve *serve, const struct bb_rules *rules)
{
	bb_assert(serve->service.is_held && !serve->service.is_reading);
	bb_lookup_rules_set(&serve->service.lookup, rules);
	bb_digester_rules_set(serve->digester, rules);
	bb_explain_lane_rules_set(serve->service.explain, rules);
}

void bb_serve_committed(struct bb_serve *serve)
{
	bb_follow_wake(serve->service.followers);
}

static void on_all_closed(void *ctx)
{
	struct bb_serve *serve = ctx;
	bb_serve_stopped_fn *on_stopped = serve->on_stopped;
	void *stopped_ctx = serve->ctx;

	bb_conns_fini(&serve->conns);
	bb_digester_free(serve->digester);
	bb_explain_lane_free(serve->service.explain);
	bb_followers_free(serve->service.followers);
	bb_service_fini(&serve->service);
	free(serve);
	on_stopped(stopped_ctx);
}

void bb_serve_stop(struct bb_serve *serve, bb_serve_stopped_fn *on_stopped, void *ctx)
{
	bb_assert(!serve->on_stopped && on_stopped);
	serve->on_stopped = on_stopped;
	atomic_store(&serve->service.is_stopping, true);
	serve->ctx = ctx;
	serve->handles.on_none = on_all_closed;
	serve->handles.ctx = serve;
	for (size_t i = 0; i < 2; i++) {
		if (serve->acceptors[i].is_open)
			uv_close((uv_handle_t *)&serve->acceptors[i].poll, on_acceptor_closed);
		bb_http_stop(&serve->http[i]);
	}
	bb_listeners_close(&serve->query);
	bb_listeners_close(&serve->admin);
	bb_conns_stop(&serve->conns);
	uv_timer_start(&serve->sweep, on_stop_sweep, 0, STOP_SWEEP_MS);
	bb_digester_stop(serve->digester);
	bb_explain_lane_stop(serve->service.explain);
	bb_followers_stop(serve->service.followers);
}

void bb_serve_stats(const struct bb_serve *serve, struct bb_serve_stats *ret_stats)
{
	*ret_stats = serve->service.stats;
}
