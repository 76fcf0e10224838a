/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads of its own: connections come from the gate (http_gate.c), its epoll
 * descriptor is polled by the loop, MHD_run does what is due, and a timer wakes it for its own
 * time-outs. Requests are answered whole, from memory. One whose answer takes a transaction is
 * suspended, so that it costs nothing while it waits, and resumed when the answer is there.
 *
 * Limits: those of the gate, idle time, memory a connection (so the size of a request's head), the
 * size of a body. What libmicrohttpd cannot do ends that connection only. When the server stops,
 * those that wait are told so.
 */
#include "http.h"

#include "peer.h"
#include "task.h"

#include <backbone/assert.h>
#include <stdlib.h>

enum { CONNECTION_BYTES = 32 * 1024 };

/* A request from its head to the end of its answer. */
struct bb_http_call {
	struct bb_http_server *server;
	struct MHD_Connection *connection;
	struct bb_buf body;
	bool is_too_large;
	struct bb_task *task; /* not NULL: it is suspended until this one answers */
	bool is_answered;
	struct bb_response res;
	struct bb_http_call *next; /* that waits too */
};

static const char *query_value(void *ctx, const char *name)
{
	return MHD_lookup_connection_value(ctx, MHD_GET_ARGUMENT_KIND, name);
}

/* Where a group of its own gives a role, the socket's group does not. */
static unsigned adjust(unsigned roles, unsigned role, int fd, const struct bb_peer *peer,
		       gid_t group)
{
	if (group == (gid_t)-1)
		return roles;
	return bb_peer_is_member(fd, peer, group) ? roles | role : roles & ~role;
}

static void identify(const struct bb_http_server *server, struct MHD_Connection *connection,
		     struct bb_request *req)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct bb_peer peer;
	unsigned roles;

	req->uid = BB_PEER_UNKNOWN;
	if (!info)
		return;
	bb_peer_read(info->connect_fd, server->group, &peer);
	roles = bb_peer_roles(&peer, BB_ROLE_ALL,
			      server->service->config->anyone_reads ? BB_ROLE_READ : 0);
	roles = adjust(roles, BB_ROLE_STEWARD, info->connect_fd, &peer, server->stewards);
	req->roles = adjust(roles, BB_ROLE_PRIVACY, info->connect_fd, &peer, server->privacy);
	req->uid = peer.uid;
}

static enum MHD_Result send_response(struct MHD_Connection *connection, struct bb_response *res)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(res->body.n, res->body.p, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	res->body = BB_BUF_EMPTY; /* the response's now */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, res->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (res->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, res->allow);
	result = MHD_queue_response(connection, res->status, response);
	MHD_destroy_response(response);
	return result;
}

static void run(struct bb_http_server *server);

static void stop_waiting(struct bb_http_call *call)
{
	struct bb_http_call **at = &call->server->waiting;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call->task = NULL;
	call->is_answered = true;
	MHD_resume_connection(call->connection);
}

static void on_answer(void *ctx, struct bb_response *res)
{
	struct bb_http_call *call = ctx;
	struct bb_http_server *server = call->server;

	call->res = *res;
	stop_waiting(call);
	run(server);
}

static void wait_for(struct bb_http_call *call, struct bb_task *task)
{
	call->task = task;
	task->on_answer = on_answer;
	task->ctx = call;
	call->next = call->server->waiting;
	call->server->waiting = call;
	MHD_suspend_connection(call->connection);
}

static void take_body(struct bb_http_call *call, const char *p, size_t n)
{
	if (call->body.n + n > BB_REQUEST_BODY_MAX)
		call->is_too_large = true;
	else
		bb_buf_add(&call->body, p, n);
}

static void run_route(struct bb_http_call *call, const char *url, const char *method)
{
	struct bb_request req = {
		.method = method,
		.path = bb_text_of(url),
		.body = bb_buf_slice(&call->body),
		.service = call->server->service,
		.query = query_value,
		.query_ctx = call->connection,
	};

	identify(call->server, call->connection, &req);
	if (call->is_too_large)
		bb_route_problem(&call->res, 413, "a body has at most %zu bytes",
				 BB_REQUEST_BODY_MAX);
	else
		bb_route_run(&req, &call->res);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request_ctx)
{
	struct bb_http_call *call = *request_ctx;

	(void)version;
	if (!call) { /* the head has come; the body, if any, has not */
		bb_http_gate_head(connection);
		call = calloc(1, sizeof(*call));
		bb_assert(call);
		call->server = cls;
		call->connection = connection;
		*request_ctx = call;
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		take_body(call, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return MHD_YES;
	}
	if (!call->is_answered) {
		run_route(call, url, method);
		if (call->res.task) {
			wait_for(call, call->res.task);
			return MHD_YES;
		}
	}
	return send_response(connection, &call->res);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request_ctx,
			 enum MHD_RequestTerminationCode code)
{
	struct bb_http_call *call = *request_ctx;

	(void)cls, (void)connection, (void)code;
	if (!call)
		return;
	bb_assert(!call->task);
	bb_buf_fini(&call->body);
	bb_buf_fini(&call->res.body);
	free(call);
	*request_ctx = NULL;
}

/* Paths and queries are decoded by the routes, strictly. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls, (void)connection;
	return strlen(text);
}

static int find_groups(struct bb_http_server *server, const struct bb_config *config,
		       struct bb_error *err)
{
	int ret = BB_OK;

	server->stewards = server->privacy = (gid_t)-1;
	if (config->steward_group)
		ret = bb_listener_group(config->steward_group, "`serve.steward_group`",
					&server->stewards, err);
	if (ret == BB_OK && config->privacy_group)
		ret = bb_listener_group(config->privacy_group, "`serve.privacy_group`",
					&server->privacy, err);
	return ret;
}

int bb_http_open(struct bb_http_server *server, const struct bb_listener *listener,
		 struct bb_service *service, struct bb_error *err)
{
	const struct bb_config_limits *limits = &service->config->limits;
	int ret;

	*server = (struct bb_http_server){.service = service, .group = listener->group};
	ret = find_groups(server, service->config, err);
	if (ret != BB_OK)
		return ret;
	server->gate.listener = listener;
	server->gate.service = service;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, server, MHD_OPTION_NOTIFY_CONNECTION, bb_http_gate_notify,
		&server->gate, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
		MHD_OPTION_CONNECTION_LIMIT, limits->connections, MHD_OPTION_CONNECTION_TIMEOUT,
		limits->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (server->daemon)
		return BB_OK;
	return bb_error_set(err, BB_EIO, "cannot serve HTTP on the admin socket");
}

static void on_timer(uv_timer_t *timer);

static void run(struct bb_http_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
		uv_timer_start(&server->timer, on_timer, timeout_ms, 0);
	else
		uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	run(poll->data);
}

static void on_accepted(void *ctx)
{
	run(ctx);
}

void bb_http_attach(struct bb_http_server *server, uv_loop_t *loop, struct bb_handles *handles)
{
	const union MHD_DaemonInfo *info;
	int err;

	if (!server->daemon)
		return;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	bb_assert(info);
	server->handles = handles;
	err = uv_poll_init(loop, &server->poll, info->epoll_fd);
	bb_assert(err == 0);
	server->poll.data = server;
	bb_handles_opened(handles);
	uv_timer_init(loop, &server->timer);
	server->timer.data = server;
	bb_handles_opened(handles);
	uv_poll_start(&server->poll, UV_READABLE, on_readable);
	server->gate.daemon = server->daemon;
	server->gate.handles = handles;
	server->gate.on_accepted = on_accepted;
	server->gate.ctx = server;
	bb_http_gate_attach(&server->gate, loop);
	run(server);
}

void bb_http_discard(struct bb_http_server *server)
{
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct bb_http_server *server = handle->data;

	bb_handles_closed(server->handles);
}

void bb_http_stop(struct bb_http_server *server)
{
	if (!server->daemon)
		return;
	while (server->waiting) {
		struct bb_http_call *call = server->waiting;

		call->task->on_answer = NULL; /* it may be done all the same */
		bb_route_problem(&call->res, 503,
				 "the daemon is stopping; ask again whether it was done");
		stop_waiting(call);
	}
	MHD_run(server->daemon); /* sends what they are told; stopping would only disconnect them */
	bb_http_gate_stop(&server->gate);
	uv_close((uv_handle_t *)&server->poll, on_closed);
	uv_close((uv_handle_t *)&server->timer, on_closed);
	bb_http_discard(server);
}
