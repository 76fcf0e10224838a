/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A turn: what has been read is parsed in place and run, command by command, against one snapshot,
 * with all replies in one buffer that is written at the end of the turn.
 *
 *	on_read -> run -> turn: parse, run, parse, run, ... -> keep left-overs -> flush -> settle
 *	                   ^ on_idle (budget used up)  ^ on_written (output below its mark)
 *	                   ^ on_digest, on_explained (the reply that later commands waited for)
 *
 * What holds a client back is its own: a turn ends when its budget is used up, and goes on when the
 * others have had theirs; replies that are not read pile up to the output mark, then nothing more
 * is read from that client; where all together hold more than the total, the one for which most
 * waits is closed; whoever neither completes a request nor reads a reply for the idle time is
 * closed. Garbage is answered with one error and a close.
 */
#include "conn.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 64 * 1024,
	FLUSH_BYTES = 256 * 1024, /* of replies end a turn */
	KEEP_BYTES = 16 * 1024,	  /* of buffers kept by a connection that has nothing in them, */
	KEEP_MS = 2000,		  /* for so long after it was active */
	TURN_NS = 1000000,	  /* a turn ends after the command that took it beyond */
	PASS_NS = 10000000,	  /* all turns between two looks at the loop's other business */
	STOP_SWEEPS = 20	  /* that a reply may still be read in after a stop */
};

struct bb_conn {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} uv;
	struct bb_conns *conns;
	struct bb_conn *prev, *next;
	struct bb_conn *ready_prev, *ready_next;
	struct bb_session session;
	struct bb_resp_parser parser;
	struct bb_digest_waiter waiter;
	uid_t uid;
	struct bb_buf in;      /* the request that is not complete, or not run yet */
	struct bb_buf writing; /* given to uv_write */
	struct bb_buf pending; /* behind it */
	uv_write_t write;
	size_t left_bytes;    /* of `writing` at the last sweep, to see progress */
	size_t held_bytes;    /* its part of the total */
	uint64_t active_ms;   /* loop time of the last complete request or written byte */
	unsigned sweeps_left; /* after a stop */
	bool is_writing, is_reading;
	bool has_more;	 /* `in` may hold a complete request */
	bool is_ready;	 /* in the ready list */
	bool is_blocked; /* above the output mark */
	bool has_ended;	 /* the peer sends no more */
	bool is_closed;
};

static void run(struct bb_conn *conn, struct bb_text input);

static void ready_remove(struct bb_conn *conn)
{
	struct bb_conns *conns = conn->conns;

	if (!conn->is_ready)
		return;
	*(conn->ready_prev ? &conn->ready_prev->ready_next : &conns->ready_first) =
		conn->ready_next;
	*(conn->ready_next ? &conn->ready_next->ready_prev : &conns->ready_last) = conn->ready_prev;
	conn->ready_prev = conn->ready_next = NULL;
	conn->is_ready = false;
	if (--conns->ready_n == 0)
		uv_idle_stop(&conns->idle);
}

static void on_idle(uv_idle_t *idle)
{
	struct bb_conns *conns = idle->data;

	uint64_t end_ns = bb_clock_monotonic_ns() + PASS_NS;

	for (size_t n = conns->ready_n;
	     n > 0 && conns->ready_first && bb_clock_monotonic_ns() < end_ns; n--) {
		struct bb_conn *conn = conns->ready_first;

		ready_remove(conn);
		run(conn, bb_buf_slice(&conn->in));
	}
}

static void ready_add(struct bb_conn *conn)
{
	struct bb_conns *conns = conn->conns;

	if (conn->is_ready)
		return;
	conn->is_ready = true;
	conn->ready_prev = conns->ready_last;
	*(conns->ready_last ? &conns->ready_last->ready_next : &conns->ready_first) = conn;
	conns->ready_last = conn;
	if (conns->ready_n++ == 0)
		uv_idle_start(&conns->idle, on_idle);
}

static void on_close(uv_handle_t *handle)
{
	struct bb_conn *conn = handle->data;
	struct bb_handles *handles = conn->conns->handles;

	bb_buf_fini(&conn->in);
	bb_buf_fini(&conn->writing);
	bb_buf_fini(&conn->pending);
	free(conn);
	bb_handles_closed(handles);
}

static size_t unsent_bytes(const struct bb_conn *conn)
{
	return conn->uv.stream.write_queue_size + conn->pending.n;
}

/* Counts anew what it holds. */
static void account(struct bb_conn *conn)
{
	bb_hold_set(&conn->conns->holds, &conn->held_bytes,
		    conn->is_closed ? 0 : unsent_bytes(conn) + conn->in.n);
}

static void close_conn(struct bb_conn *conn)
{
	struct bb_conns *conns = conn->conns;

	if (conn->is_closed)
		return;
	conn->is_closed = true;
	account(conn);
	ready_remove(conn);
	bb_digester_forget(conns->digester, &conn->waiter);
	bb_explain_forget(conns->service->explain, &conn->session.asker);
	bb_follow_forget(conns->service->followers, &conn->session.follower);
	*(conn->prev ? &conn->prev->next : &conns->first) = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	conns->service->stats.clients--;
	uv_close(&conn->uv.handle, on_close);
}

/* Closes those for whom most waits until the others have room. */
static void keep_total(struct bb_conns *conns)
{
	while (conns->holds.bytes > conns->service->config->limits.total_output_bytes) {
		struct bb_conn *most = conns->first;

		for (struct bb_conn *conn = conns->first; conn; conn = conn->next)
			most = conn->held_bytes > most->held_bytes ? conn : most;
		bb_log(BB_LOG_WARNING, "slow_client_closed",
		       "client=%llu uid=%lld held_bytes=%zu all_bytes=%zu; it is the one for which "
		       "most waits, and all together are above serve.limits.total_output",
		       (unsigned long long)most->session.id, (long long)most->uid, most->held_bytes,
		       conns->holds.bytes);
		conns->service->stats.closed_slow++;
		close_conn(most);
	}
}

/* Frees a buffer that is empty and large. */
static void shrink(struct bb_buf *buf)
{
	buf->n = 0;
	if (buf->room > KEEP_BYTES)
		bb_buf_fini(buf);
}

static void settle(struct bb_conn *conn);

static void start_write(struct bb_conn *conn);

static void on_written(uv_write_t *write, int status)
{
	struct bb_conn *conn = write->data;

	conn->is_writing = false;
	if (conn->is_closed)
		return;
	if (status != 0) {
		close_conn(conn);
		return;
	}
	conn->active_ms = uv_now(conn->conns->loop);
	shrink(&conn->writing);
	if (conn->pending.n > 0)
		start_write(conn);
	settle(conn);
}

/* Sends `pending` behind nothing. */
static void start_write(struct bb_conn *conn)
{
	struct bb_buf swap = conn->writing;
	uv_buf_t buf;

	bb_assert(!conn->is_writing);
	conn->writing = conn->pending;
	conn->pending = swap;
	buf = uv_buf_init(conn->writing.p, (unsigned)conn->writing.n);
	conn->is_writing = true;
	conn->left_bytes = conn->writing.n;
	conn->write.data = conn;
	if (uv_write(&conn->write, &conn->uv.stream, &buf, 1, on_written) != 0) {
		conn->is_writing = false;
		close_conn(conn);
	}
}

/* Writes the replies of a turn: at once as far as the socket takes them, the rest when it can. */
static void flush(struct bb_conn *conn)
{
	struct bb_buf *out = &conn->conns->out;
	int sent = 0;

	if (out->n > 0 && !conn->is_writing) {
		uv_buf_t buf = uv_buf_init(out->p, (unsigned)out->n);

		sent = uv_try_write(&conn->uv.stream, &buf, 1);
		if (sent < 0 && sent != UV_EAGAIN) {
			close_conn(conn);
			shrink(out);
			return;
		}
		sent = sent < 0 ? 0 : sent;
	}
	if ((size_t)sent < out->n)
		bb_buf_add(&conn->pending, out->p + sent, out->n - (size_t)sent);
	out->n = 0;
	if (out->room > 4 * FLUSH_BYTES)
		bb_buf_fini(out);
	if (conn->pending.n > 0 && !conn->is_writing)
		start_write(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct bb_conn *conn = handle->data;

	(void)suggested;
	*buf = uv_buf_init(conn->conns->read_buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct bb_conn *conn = stream->data;
	struct bb_text input;

	if (nread == 0 || conn->is_closed)
		return;
	if (nread == UV_EOF) {
		conn->has_ended = true;
		conn->is_reading = false;
		settle(conn);
		return;
	}
	if (nread < 0) {
		close_conn(conn);
		return;
	}
	input = (struct bb_text){buf->base, (size_t)nread};
	if (conn->in.n > 0) {
		bb_buf_text(&conn->in, input);
		input = bb_buf_slice(&conn->in);
	}
	run(conn, input);
}

static void set_reading(struct bb_conn *conn, bool on)
{
	if (on == conn->is_reading)
		return;
	conn->is_reading = on;
	if (!on)
		uv_read_stop(&conn->uv.stream);
	else if (uv_read_start(&conn->uv.stream, on_alloc, on_read) != 0)
		close_conn(conn);
}

static void on_digest(struct bb_digest_waiter *waiter, int err, const struct bb_digest *digest)
{
	struct bb_conn *conn =
		(struct bb_conn *)((char *)waiter - offsetof(struct bb_conn, waiter));

	conn->session.digest_due = false;
	conn->active_ms = uv_now(conn->conns->loop);
	bb_command_digest_reply(&conn->session, err, digest, &conn->conns->out);
	run(conn, bb_buf_slice(&conn->in));
}

static void on_explained(struct bb_explain_asker *asker, const struct bb_explained *explained)
{
	struct bb_conn *conn =
		(struct bb_conn *)((char *)asker - offsetof(struct bb_conn, session.asker));

	conn->active_ms = uv_now(conn->conns->loop);
	bb_command_explain_reply(&conn->session, conn->conns->service, explained,
				 &conn->conns->out);
	run(conn, bb_buf_slice(&conn->in));
}

/* The reply is made in a turn of its own, as many may be woken at once. */
static void on_wake(struct bb_follower *follower)
{
	struct bb_session *session =
		(struct bb_session *)((char *)follower - offsetof(struct bb_session, follower));

	ready_add((struct bb_conn *)((char *)session - offsetof(struct bb_conn, session)));
}

/* After whatever happened: what the connection waits for next. */
static void settle(struct bb_conn *conn)
{
	struct bb_conns *conns = conn->conns;
	struct bb_session *session = &conn->session;
	size_t mark = conns->service->config->limits.output_bytes;

	if (conn->is_closed)
		return;
	account(conn);
	keep_total(conns);
	if (conn->is_closed)
		return;
	conn->is_blocked = unsent_bytes(conn) > (conn->is_blocked ? mark / 2 : mark);
	if (conn->has_ended && !conn->has_more && !bb_session_is_waiting(session))
		session->closing = true;
	if (session->closing && unsent_bytes(conn) == 0) {
		close_conn(conn);
		return;
	}
	if (session->digest_due && !conn->waiter.is_waiting && !conns->is_stopping)
		bb_digester_ask(conns->digester, &conn->waiter);
	set_reading(conn, !session->closing && !bb_session_is_waiting(session) && !conn->has_more &&
				  !conn->is_blocked && !conn->has_ended);
	if (conn->has_more && !session->closing && !bb_session_is_waiting(session) &&
	    !conn->is_blocked)
		ready_add(conn);
}

/* One request at the start of `input`, or none; returns the bytes done with. */
static size_t step(struct bb_conn *conn, struct bb_text input, size_t *spent)
{
	struct bb_conns *conns = conn->conns;
	struct bb_service *service = conns->service;
	const char *why = NULL;
	size_t used = 0;
	bool known = true;

	switch (bb_resp_parse(&conn->parser, input, &conns->request, &used, &why)) {
	case BB_RESP_MORE:
		conn->has_more = false;
		return 0;
	case BB_RESP_REFUSED:
		bb_resp_error(&conns->out, "ERR Protocol error: %s", why);
		service->stats.protocol_errors++;
		conn->session.closing = true;
		return 0;
	case BB_RESP_READY:
		break;
	}
	*spent += 1;
	if (conns->request.n == 0)
		return used;
	*spent += bb_command_run(&conns->request, &conn->session, service, &conns->out, &known) - 1;
	if (conns->request.is_inline && !known)
		conn->session.closing = true; /* another protocol, most likely */
	return used;
}

/* Runs requests until there is none complete, or the budget is used up; returns the bytes done
 * with. */
static size_t turn(struct bb_conn *conn, struct bb_text input)
{
	struct bb_conns *conns = conn->conns;
	struct bb_service *service = conns->service;
	size_t budget = service->config->limits.commands_per_turn;
	size_t spent = 0, used = 0;
	uint64_t end_ns;

	service->now_ns = bb_clock_monotonic_ns();
	end_ns = service->now_ns + TURN_NS;
	conn->has_more = input.n > 0;
	if (conn->session.follower.is_woken) {
		bb_command_changes_reply(&conn->session, service, &conns->out);
		spent++;
	}
	while (conn->has_more && !conn->session.closing && !bb_session_is_waiting(&conn->session) &&
	       spent < budget && conns->out.n < FLUSH_BYTES && service->now_ns < end_ns)
		used += step(conn, (struct bb_text){input.p + used, input.n - used}, &spent);
	bb_lookup_end(&service->lookup);
	if (spent > 0)
		conn->active_ms = uv_now(conns->loop);
	if (used == input.n)
		conn->has_more = false;
	return used;
}

/* Keeps what a turn left over; `input` is the connection's own buffer or the common one. */
static void keep_rest(struct bb_conn *conn, struct bb_text input, size_t used)
{
	if (used == input.n) {
		shrink(&conn->in);
	} else if (input.p != conn->in.p) {
		bb_buf_add(&conn->in, input.p + used, input.n - used);
	} else if (used > 0) {
		memmove(conn->in.p, conn->in.p + used, input.n - used);
		conn->in.n = input.n - used;
	}
}

static void run(struct bb_conn *conn, struct bb_text input)
{
	keep_rest(conn, input, turn(conn, input));
	flush(conn);
	settle(conn);
}

/* NULL: welcome; else the error to send. Counts. */
static const char *refusal(struct bb_conns *conns, const struct bb_peer *peer, unsigned roles)
{
	const struct bb_config_limits *limits = &conns->service->config->limits;
	struct bb_metrics *metrics = conns->service->metrics;
	size_t of_uid = 0;

	if (!(roles & BB_ROLE_READ)) {
		bb_metrics_add(metrics, BB_METRIC_CLIENTS_REFUSED, BB_LABELS("query", "role"), 1);
		return "-NOPERM your user is not in the group of this socket; ask for it, or let "
		       "the daemon's configuration say `unknown_peers: read`\r\n";
	}
	if (conns->service->stats.clients >= limits->connections) {
		bb_metrics_add(metrics, BB_METRIC_CLIENTS_REFUSED, BB_LABELS("query", "limit"), 1);
		return "-ERR max number of clients reached\r\n";
	}
	for (const struct bb_conn *conn = conns->first; conn; conn = conn->next)
		of_uid += conn->uid == peer->uid;
	if (of_uid >= limits->connections_per_uid) {
		bb_metrics_add(metrics, BB_METRIC_CLIENTS_REFUSED, BB_LABELS("query", "uid"), 1);
		return "-ERR max number of clients of one user reached\r\n";
	}
	return NULL;
}

static int open_stream(struct bb_conn *conn, int fd, bool is_unix)
{
	uv_loop_t *loop = conn->conns->loop;

	if (is_unix) {
		uv_pipe_init(loop, &conn->uv.pipe, 0);
		return uv_pipe_open(&conn->uv.pipe, fd);
	}
	uv_tcp_init(loop, &conn->uv.tcp);
	int err = uv_tcp_open(&conn->uv.tcp, fd);

	if (err == 0)
		uv_tcp_nodelay(&conn->uv.tcp, 1);
	return err;
}

void bb_conns_take(struct bb_conns *conns, int fd, gid_t socket_group)
{
	struct bb_service *service = conns->service;
	struct bb_conn *conn;
	struct bb_peer peer;
	const char *why;
	unsigned roles;
	int err;

	bb_peer_read(fd, socket_group, &peer);
	roles = bb_peer_roles(&peer, BB_ROLE_READ,
			      service->config->anyone_reads ? BB_ROLE_READ : 0);
	why = refusal(conns, &peer, roles);
	if (why) {
		(void)!send(fd, why, strlen(why), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
		service->stats.refused++;
		return;
	}
	conn = calloc(1, sizeof(*conn));
	bb_assert(conn);
	conn->conns = conns;
	conn->uid = peer.uid;
	conn->active_ms = uv_now(conns->loop);
	conn->waiter.on_digest = on_digest;
	bb_session_init(&conn->session, ++conns->last_id, roles);
	conn->session.asker.on_explained = on_explained;
	conn->session.follower.on_wake = on_wake;
	err = open_stream(conn, fd, peer.is_unix);
	conn->uv.handle.data = conn;
	bb_handles_opened(conns->handles);
	conn->next = conns->first;
	if (conn->next)
		conn->next->prev = conn;
	conns->first = conn;
	service->stats.clients++;
	service->stats.accepted++;
	if (err != 0) {
		close(fd);
		close_conn(conn);
		return;
	}
	set_reading(conn, true);
}

void bb_conns_init(struct bb_conns *conns, uv_loop_t *loop, struct bb_handles *handles,
		   struct bb_service *service, struct bb_digester *digester)
{
	*conns = (struct bb_conns){
		.loop = loop,
		.handles = handles,
		.service = service,
		.digester = digester,
	};
	conns->read_buffer = malloc(READ_BYTES);
	bb_assert(conns->read_buffer);
	uv_idle_init(loop, &conns->idle);
	conns->idle.data = conns;
	bb_handles_opened(handles);
}

static void sweep_one(struct bb_conn *conn, uint64_t idle_ms)
{
	struct bb_conns *conns = conn->conns;
	struct bb_serve_stats *stats = &conns->service->stats;
	uint64_t now_ms = uv_now(conns->loop);
	size_t left = conn->uv.stream.write_queue_size;

	if (left < conn->left_bytes)
		conn->active_ms = now_ms;
	conn->left_bytes = left;
	if (conns->is_stopping && conn->sweeps_left-- == 0) {
		close_conn(conn);
		return;
	}
	if (now_ms - conn->active_ms > KEEP_MS)
		bb_hold_free_empty((struct bb_buf *[]){&conn->in, &conn->writing, &conn->pending},
				   3);
	if (idle_ms == 0 || bb_session_is_waiting(&conn->session) ||
	    now_ms - conn->active_ms <= idle_ms)
		return;
	*(unsent_bytes(conn) > 0 ? &stats->closed_slow : &stats->closed_idle) += 1;
	close_conn(conn);
}

void bb_conns_sweep(struct bb_conns *conns)
{
	uint64_t idle_ms = conns->service->config->limits.idle_seconds * (uint64_t)1000;
	struct bb_conn *next;

	for (struct bb_conn *conn = conns->first; conn; conn = next) {
		next = conn->next;
		sweep_one(conn, idle_ms);
	}
	if (bb_holds_calm(&conns->holds))
		bb_buf_fini(&conns->out);
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct bb_conns *conns = handle->data;

	bb_handles_closed(conns->handles);
}

void bb_conns_stop(struct bb_conns *conns)
{
	struct bb_conn *next;

	conns->is_stopping = true;
	for (struct bb_conn *conn = conns->first; conn; conn = next) {
		next = conn->next;
		conn->session.closing = true;
		conn->sweeps_left = STOP_SWEEPS;
		ready_remove(conn);
		settle(conn);
	}
	uv_close((uv_handle_t *)&conns->idle, on_idle_closed);
}

void bb_conns_fini(struct bb_conns *conns)
{
	bb_assert(!conns->first && conns->ready_n == 0);
	bb_buf_fini(&conns->out);
	free(conns->read_buffer);
}
