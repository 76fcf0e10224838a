/* SPDX-License-Identifier: Apache-2.0 */
/* The admin socket: libmicrohttpd on its epoll descriptor inside the loop. The loop's thread. */
#ifndef SERVE_HTTP_H
#define SERVE_HTTP_H

#include "http_gate.h"

#include <microhttpd.h>
#include <uv.h>

struct bb_http_call;

struct bb_http_server {
	struct MHD_Daemon *daemon; /* NULL: not served */
	struct bb_service *service;
	struct bb_handles *handles;
	gid_t group;		      /* of the socket file */
	gid_t stewards, privacy;      /* groups of these roles; (gid_t)-1: the socket's */
	struct bb_http_call *waiting; /* requests whose answer comes later */
	uv_poll_t poll;
	uv_timer_t timer;
	struct bb_http_gate gate;
};

/*
 * Serves what comes in on `listener`, whose descriptor stays the caller's. BB_OK, BB_EIO, or
 * BB_EINVAL (a group of a role is not one of the machine's); nothing
 * is in the loop yet: that is bb_http_attach, which cannot fail.
 */
BB_MUST_CHECK int bb_http_open(struct bb_http_server *server, const struct bb_listener *listener,
			       struct bb_service *service, struct bb_error *err);
void bb_http_attach(struct bb_http_server *server, uv_loop_t *loop, struct bb_handles *handles);

/* Before bb_http_attach, or without `daemon`: allowed. */
void bb_http_discard(struct bb_http_server *server);

/* Ends connections and closes the handles. */
void bb_http_stop(struct bb_http_server *server);

#endif
