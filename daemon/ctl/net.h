/* SPDX-License-Identifier: Apache-2.0 */
/* Small blocking clients of the two sockets. Replies are bounded; one request at a time. */
#ifndef CTL_NET_H
#define CTL_NET_H

#include "ctl.h"

#define BB_NET_REPLY_MAX ((size_t)256 * 1024 * 1024)
#define BB_NET_TIMEOUT_S 600 /* of silence; a digest of a large store takes its time */

/*
 * A connected Unix socket. BB_OK, BB_EUNREACHABLE (nobody listens) or BB_EACCESS; `err` says what
 * to do.
 */
BB_MUST_CHECK int bb_net_connect(const char *path, int *ret_fd, struct bb_error *err);

/* RESP */
struct bb_net_reply {
	enum { BB_REPLY_NULL, BB_REPLY_TEXT, BB_REPLY_ERROR, BB_REPLY_INTEGER, BB_REPLY_LIST } kind;
	struct bb_text text; /* TEXT, ERROR; in the arena */
	int64_t integer;
	struct bb_net_reply *items; /* LIST; in the arena */
	size_t n;
};

struct bb_net_resp {
	int fd;
	struct bb_buf in;
	size_t at; /* in `in`: what has been read */
};

BB_MUST_CHECK int bb_net_resp_open(const char *path, struct bb_net_resp *ret_client,
				   struct bb_error *err);
void bb_net_resp_close(struct bb_net_resp *client);

/* Sends a command, waits for its reply. BB_OK (also for an error reply), BB_EUNREACHABLE (the
 * connection broke) or BB_ECORRUPT (no RESP). */
BB_MUST_CHECK int bb_net_resp_call(struct bb_net_resp *client, const char *const *args, size_t n,
				   struct bb_arena *arena, struct bb_net_reply *ret_reply,
				   struct bb_error *err);

struct bb_net_request {
	const char *method, *target;
	struct bb_text body; /* JSON; n 0: none */
};

/* HTTP over a Unix socket. *ret_body is the caller's to free. Errors as for RESP. */
BB_MUST_CHECK int bb_net_http(const char *path, const struct bb_net_request *request,
			      unsigned *ret_status, struct bb_buf *ret_body, struct bb_error *err);
BB_MUST_CHECK int bb_net_http_get(const char *path, const char *target, unsigned *ret_status,
				  struct bb_buf *ret_body, struct bb_error *err);

#endif
