/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections of the query socket. Each reads requests, runs them in turns of a bounded budget,
 * and writes the replies in order.
 *
 * Thread: the loop's. A connection frees itself in its close callback.
 */
#ifndef SERVE_CONN_H
#define SERVE_CONN_H

#include "command.h"
#include "digest.h"
#include "handles.h"
#include "hold.h"
#include "peer.h"

#include <uv.h>

struct bb_conn;

struct bb_conns {
	uv_loop_t *loop;
	struct bb_handles *handles;
	struct bb_service *service;
	struct bb_digester *digester;
	struct bb_conn *first;			  /* all that are open */
	struct bb_conn *ready_first, *ready_last; /* with requests left over from their last turn */
	size_t ready_n;
	struct bb_holds holds; /* what waits in all connections */
	uint64_t last_id;
	bool is_stopping;
	uv_idle_t idle;	   /* runs while somebody is ready: the re-arming */
	char *read_buffer; /* what is read lands here; left-overs are copied to their connection */
	struct bb_buf out; /* replies of the turn under way */
	struct bb_resp_request request;
};

void bb_conns_init(struct bb_conns *conns, uv_loop_t *loop, struct bb_handles *handles,
		   struct bb_service *service, struct bb_digester *digester);

/* Takes a connected, non-blocking socket: serves it, or tells it why not and closes it. */
void bb_conns_take(struct bb_conns *conns, int fd, gid_t socket_group);

/* Once a second: closes who was idle, or did not read, for too long. */
void bb_conns_sweep(struct bb_conns *conns);

/* Closes who has no reply due; the others may read theirs for a few sweeps. */
void bb_conns_stop(struct bb_conns *conns);

void bb_conns_fini(struct bb_conns *conns); /* all handles closed */

#endif
