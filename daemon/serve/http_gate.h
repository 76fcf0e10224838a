/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may connect to the admin socket, and who has to go again: accepts in the place of
 * libmicrohttpd, which knows neither users nor a time by which a request must have come. The loop's
 * thread.
 */
#ifndef SERVE_HTTP_GATE_H
#define SERVE_HTTP_GATE_H

#include "handles.h"
#include "listener.h"
#include "service.h"

#include <microhttpd.h>
#include <uv.h>

/* From the connect to the end of the first request's head; less if serve.limits.idle is less. */
#define BB_HTTP_HEAD_MS 10000

struct bb_http_client;

struct bb_http_gate {
	const struct bb_listener *listener;
	struct bb_service *service;
	struct bb_handles *handles;
	struct MHD_Daemon *daemon;
	struct bb_http_client *first;
	size_t client_n;
	uv_poll_t poll;
	uv_timer_t sweep;
	bool is_resting; /* accept failed: until the next sweep */
	void (*on_accepted)(void *ctx);
	void *ctx;
};

/* Into the loop; the rest of `gate` is set by the caller. Connections that are let in are given to
 * gate->daemon, then on_accepted is called. */
void bb_http_gate_attach(struct bb_http_gate *gate, uv_loop_t *loop);

/* For MHD_OPTION_NOTIFY_CONNECTION; cls is the gate. */
void bb_http_gate_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
			 enum MHD_ConnectionNotificationCode code);

/* The head of a request has come. */
void bb_http_gate_head(struct MHD_Connection *connection);

/* Closes the handles. Connections end with the daemon. */
void bb_http_gate_stop(struct bb_http_gate *gate);

#endif
