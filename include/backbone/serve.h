/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets: look-ups by the Redis protocol (query) and HTTP (admin), inside the loop.
 *
 *	bb_serve_new(loop, &options, &serve, &err);	listens; look-ups are answered from now on
 *	bb_serve_config_set(serve, config);		after a reload
 *	bb_serve_hold, _rules_set, _go			other rules
 *	bb_serve_stop(serve, on_stopped, ctx);		closes everything; then frees itself
 *
 * Thread: the loop's, for every call. SIGPIPE must be ignored. Each look-up reads a snapshot of the
 * store that is begun and ended in one callback; BB.DIGEST alone runs on a thread of the pool.
 */
#ifndef BACKBONE_SERVE_H
#define BACKBONE_SERVE_H

#include <backbone/config.h>
#include <backbone/metrics.h>
#include <backbone/status.h>
#include <backbone/store.h>

struct bb_serve;
struct bb_order;
struct uv_loop_s; /* uv_loop_t */

/* A reload that somebody waits for; whoever takes it has it until `done`. */
struct bb_reload_wish {
	/* On the loop, never inside the call that took it. BB_OK: it shows in the status, `said`
	 * has the members of its answer; BB_ECONFIG: lines of what is wrong; BB_EBUSY: why not now.
	 */
	void (*done)(struct bb_reload_wish *wish, int code, struct bb_text said);
	struct bb_reload_wish *next; /* of who has it */
};

struct bb_serve_options {
	const struct bb_config *config; /* query, admin, limits, anyone_reads; what /v1/config
					   shows. Borrowed until the next bb_serve_config_set */
	const struct bb_rules *rules;	/* borrowed until bb_serve_rules_set, or on_stopped */
	struct bb_store *store;		/* borrowed until on_stopped */
	int query_fd, admin_fd;		/* listening Unix sockets from the service manager, taken
					   on success; -1: bind config's path */
	struct bb_metrics *metrics; /* borrowed until on_stopped. Look-ups and clients are counted
				       there; on each scrape the gauges that follow from the
				       status and the store are set before it is rendered */
	bb_status_fn *status;
	void *status_ctx;
	/* Begins a purge: BB_OK, it shows in the status; or BB_EBUSY, and `err` says why not now.
	 * NULL: it is refused. */
	int (*purge)(void *ctx, struct bb_error *err);
	/* Begins a rebuild, asked for by that user: BB_OK, or BB_EBUSY or BB_EGAP (what would be
	 * lost). Cancels it: BB_OK, BB_ENOTFOUND (there is none) or BB_EBUSY. */
	int (*rebuild)(void *ctx, bool accept_loss, uint32_t uid, struct bb_error *err);
	int (*rebuild_cancel)(void *ctx, struct bb_error *err);
	void *maintenance_ctx; /* of these three */
	/* Takes a wish for a reload, which begins after that; or BB_EBUSY, and `err` says why not
	 * now. NULL: it is refused. */
	int (*reload)(void *ctx, struct bb_reload_wish *wish, struct bb_error *err);
	void *reload_ctx;
	/* How rulings and erasures reach the writer: as bb_ingest_order, which is behind it. NULL:
	 * there is none, they are refused. */
	int (*order)(void *ctx, struct bb_order *order);
	void *order_ctx;
};

/*
 * BB_OK, or BB_EBUSY (another process answers on a socket), BB_EACCESS, BB_EINVAL (no such group,
 * address not of the loopback, path too long, descriptor that does not listen), BB_EIO. On failure
 * nothing is left in the loop, and the descriptors are still the caller's.
 */
BB_MUST_CHECK int bb_serve_new(struct uv_loop_s *loop, const struct bb_serve_options *options,
			       struct bb_serve **ret_serve, struct bb_error *err);

/* Limits and the role of unknown peers for whom comes from now on, and /v1/config. Sockets and
 * rules stay as they are. */
void bb_serve_config_set(struct bb_serve *serve, const struct bb_config *config);

/*
 * Begins no more work on the pool (digests and explanations wait, walks are refused) until
 * bb_serve_go; look-ups go on. True: none is under way, so that no snapshot of the server's is open
 * but within a callback. May be asked again.
 */
bool bb_serve_hold(struct bb_serve *serve);
void bb_serve_go(struct bb_serve *serve);

/* While bb_serve_hold is true, outside of any callback of the server's: the old rules are not used
 * any more. */
void bb_serve_rules_set(struct bb_serve *serve, const struct bb_rules *rules);

/* The name of a user of the system, or what stands for it in the audit log; in the arena. It may
 * ask a server: on a thread of the pool. */
struct bb_text bb_serve_user(uint32_t uid, struct bb_arena *arena);

/* Something was committed to the store: those who wait for changes are answered. */
void bb_serve_committed(struct bb_serve *serve);

/*
 * Stops listening (and removes sockets that it bound), sends what is due, closes every connection
 * and handle, waits for a digest under way to give up, frees the server, and calls back from a
 * later turn of the loop. Once only.
 */
typedef void bb_serve_stopped_fn(void *ctx);
void bb_serve_stop(struct bb_serve *serve, bb_serve_stopped_fn *on_stopped, void *ctx);

struct bb_serve_stats { /* since start, but for clients */
	uint64_t clients, accepted, refused, commands, errors, protocol_errors;
	uint64_t closed_idle, closed_slow;
};

void bb_serve_stats(const struct bb_serve *serve, struct bb_serve_stats *ret_stats);

#endif
