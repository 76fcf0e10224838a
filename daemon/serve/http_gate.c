/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection is accepted, counted for its user and handed to libmicrohttpd, which owns its
 * descriptor from then on and tells when it is closed. Too many in all, or of one user: a problem
 * document with 503 and a close. A head that is not complete in time: the socket is shut down, at
 * which libmicrohttpd closes it. Its own time-out begins anew with every byte, so that half a
 * request, sent slowly, would hold a connection for ever.
 *
 * A listener that cannot accept for want of descriptors or memory rests until the next sweep.
 */
#include "http_gate.h"

#include "peer.h"

#include <backbone/assert.h>
#include <backbone/log.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 32, SWEEP_MS = 1000 };

struct bb_http_client {
	struct bb_http_gate *gate;
	struct bb_http_client *prev, *next;
	int fd; /* libmicrohttpd's */
	uid_t uid;
	uint64_t due_ms; /* loop time by which the head must have come; 0: it has */
};

static uint64_t head_ms(const struct bb_http_gate *gate)
{
	uint64_t idle_ms = gate->service->config->limits.idle_seconds * (uint64_t)1000;

	return idle_ms && idle_ms < BB_HTTP_HEAD_MS ? idle_ms : BB_HTTP_HEAD_MS;
}

static struct bb_http_client *client_new(struct bb_http_gate *gate, int fd, uid_t uid)
{
	struct bb_http_client *client = calloc(1, sizeof(*client));

	bb_assert(client);
	*client = (struct bb_http_client){
		.gate = gate,
		.next = gate->first,
		.fd = fd,
		.uid = uid,
		.due_ms = uv_now(gate->poll.loop) + head_ms(gate),
	};
	if (client->next)
		client->next->prev = client;
	gate->first = client;
	gate->client_n++;
	return client;
}

static void client_free(struct bb_http_client *client)
{
	struct bb_http_gate *gate = client->gate;

	*(client->prev ? &client->prev->next : &gate->first) = client->next;
	if (client->next)
		client->next->prev = client->prev;
	gate->client_n--;
	free(client);
}

static struct bb_http_client *find(const struct bb_http_gate *gate, int fd)
{
	struct bb_http_client *client = gate->first;

	while (client && client->fd != fd)
		client = client->next;
	return client;
}

void bb_http_gate_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
			 enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = info ? find(cls, info->connect_fd) : NULL;
	else if (*socket_context)
		client_free(*socket_context);
}

void bb_http_gate_head(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct bb_http_client *client = info ? info->socket_context : NULL;

	if (client)
		client->due_ms = 0;
}

/* NULL: welcome; else the limit that is reached, for the metric; and its text. */
static const char *refusal(const struct bb_http_gate *gate, uid_t uid, const char **ret_text)
{
	const struct bb_config_limits *limits = &gate->service->config->limits;
	size_t of_uid = 0;

	*ret_text = "too many connections; see serve.limits.connections";
	if (gate->client_n >= limits->connections)
		return "limit";
	for (const struct bb_http_client *client = gate->first; client; client = client->next)
		of_uid += client->uid == uid;
	*ret_text = "too many connections of one user; see serve.limits.connections_per_uid";
	return of_uid >= limits->connections_per_uid ? "uid" : NULL;
}

static void refuse(struct bb_http_gate *gate, int fd, const char *limit, const char *text)
{
	char body[256], answer[512];
	int n = snprintf(body, sizeof(body),
			 "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
			 "\"status\":503,\"detail\":\"%s\"}\n",
			 text);

	n = snprintf(answer, sizeof(answer),
		     "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json"
		     "\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		     n, body);
	bb_metrics_add(gate->service->metrics, BB_METRIC_CLIENTS_REFUSED, BB_LABELS("admin", limit),
		       1);
	gate->service->stats.refused++;
	(void)!send(fd, answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void take(struct bb_http_gate *gate, int fd, const struct sockaddr *addr, socklen_t len)
{
	const char *limit, *text;
	struct bb_http_client *client;
	struct bb_peer peer;

	bb_peer_read(fd, gate->listener->group, &peer);
	limit = refusal(gate, peer.uid, &text);
	if (limit) {
		refuse(gate, fd, limit, text);
		return;
	}
	client_new(gate, fd, peer.uid);
	if (MHD_add_connection(gate->daemon, fd, addr, len) == MHD_YES)
		return;
	client = find(gate, fd); /* its descriptor is closed */
	if (client)
		client_free(client);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct bb_http_gate *gate = poll->data;
	char text[128];

	(void)status, (void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage addr = {0};
		socklen_t len = sizeof(addr);
		int fd = accept4(gate->listener->fd, (struct sockaddr *)&addr, &len,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			take(gate, fd, (struct sockaddr *)&addr, len);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			bb_log(BB_LOG_WARNING, "accept_failed", "error=\"%s\"",
			       strerror_r(errno, text, sizeof(text)));
			uv_poll_stop(&gate->poll);
			gate->is_resting = true;
		}
		break;
	}
	gate->on_accepted(gate->ctx);
}

static void on_sweep(uv_timer_t *timer)
{
	struct bb_http_gate *gate = timer->data;
	uint64_t now_ms = uv_now(timer->loop);

	for (struct bb_http_client *client = gate->first; client; client = client->next) {
		if (client->due_ms == 0 || now_ms < client->due_ms)
			continue;
		client->due_ms = 0;
		gate->service->stats.closed_idle++;
		shutdown(client->fd, SHUT_RDWR);
	}
	if (gate->is_resting) {
		gate->is_resting = false;
		uv_poll_start(&gate->poll, UV_READABLE, on_acceptable);
	}
}

void bb_http_gate_attach(struct bb_http_gate *gate, uv_loop_t *loop)
{
	int err = uv_poll_init(loop, &gate->poll, gate->listener->fd);

	bb_assert(err == 0);
	gate->poll.data = gate;
	bb_handles_opened(gate->handles);
	uv_timer_init(loop, &gate->sweep);
	gate->sweep.data = gate;
	bb_handles_opened(gate->handles);
	uv_poll_start(&gate->poll, UV_READABLE, on_acceptable);
	uv_timer_start(&gate->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct bb_http_gate *gate = handle->data;

	bb_handles_closed(gate->handles);
}

void bb_http_gate_stop(struct bb_http_gate *gate)
{
	uv_close((uv_handle_t *)&gate->poll, on_closed);
	uv_close((uv_handle_t *)&gate->sweep, on_closed);
}
