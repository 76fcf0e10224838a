/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd without threads of its own: connections come from the gate (http_gate.c), its epoll
 * descriptor is polled by the loop, MHD_run does what is due, and a timer wakes it for its own
 * time-outs. Requests are answered whole, from
 * memory.
 *
 * Limits: those of the gate, idle time, memory a connection (so the size of a request's head). A
 * request with a body is answered without the body being kept. What libmicrohttpd cannot do ends
 * that connection only.
 */
#include "http.h"

#include "peer.h"
#include "route.h"

#include <backbone/assert.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONNECTION_BYTES = 32 * 1024 };

static const char *query_value(void *ctx, const char *name)
{
	return MHD_lookup_connection_value(ctx, MHD_GET_ARGUMENT_KIND, name);
}

static unsigned roles_of(const struct bb_http_server *server, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct bb_peer peer;

	if (!info)
		return 0;
	bb_peer_read(info->connect_fd, server->group, &peer);
	return bb_peer_roles(&peer, BB_ROLE_READ | BB_ROLE_ADMIN,
			     server->service->config->anyone_reads ? BB_ROLE_READ : 0);
}

static enum MHD_Result send_response(struct MHD_Connection *connection, struct bb_response *res)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(res->body.n, res->body.p, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		bb_buf_fini(&res->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, res->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	if (res->allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, res->allow);
	result = MHD_queue_response(connection, res->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
				  const char *method, const char *version, const char *upload_data,
				  size_t *upload_data_size, void **request_ctx)
{
	static char seen;
	struct bb_http_server *server = cls;
	struct bb_response res = {0};
	struct bb_request req = {
		.method = method,
		.path = bb_text_of(url),
		.service = server->service,
		.query = query_value,
		.query_ctx = connection,
	};

	(void)version, (void)upload_data;
	if (!*request_ctx) { /* the head has come; the body, if any, has not */
		bb_http_gate_head(connection);
		*request_ctx = &seen;
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		*upload_data_size = 0;
		return MHD_YES;
	}
	req.roles = roles_of(server, connection);
	bb_route_run(&req, &res);
	return send_response(connection, &res);
}

/* Paths and queries are decoded by the routes, strictly. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
	(void)cls, (void)connection;
	return strlen(text);
}

int bb_http_open(struct bb_http_server *server, const struct bb_listener *listener,
		 struct bb_service *service, struct bb_error *err)
{
	const struct bb_config_limits *limits = &service->config->limits;

	*server = (struct bb_http_server){.service = service, .group = listener->group};
	server->gate.listener = listener;
	server->gate.service = service;
	server->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, server,
		MHD_OPTION_NOTIFY_CONNECTION, bb_http_gate_notify, &server->gate,
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
	bb_http_gate_stop(&server->gate);
	uv_close((uv_handle_t *)&server->poll, on_closed);
	uv_close((uv_handle_t *)&server->timer, on_closed);
	bb_http_discard(server);
}
