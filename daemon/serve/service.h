/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands and HTTP routes work with: the store behind a look-up, the configuration, the
 * status of the daemon, and scratch memory. Owned by the server; the loop's thread only.
 */
#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

#include "handles.h"
#include "lookup.h"

#include <backbone/config.h>
#include <backbone/serve.h>
#include <backbone/status.h>
#include <stdatomic.h>

/* Roles of a peer. */
#define BB_ROLE_READ (1u << 0)
#define BB_ROLE_ADMIN (1u << 1)
#define BB_ROLE_STEWARD (1u << 2) /* rulings */
#define BB_ROLE_PRIVACY (1u << 3) /* erase, export */
#define BB_ROLE_ALL (BB_ROLE_READ | BB_ROLE_ADMIN | BB_ROLE_STEWARD | BB_ROLE_PRIVACY)

struct bb_service {
	struct bb_lookup lookup;
	struct bb_arena scratch; /* of one command or request: reset by whoever begins one */
	const struct bb_config *config;
	struct bb_store *store;
	struct bb_explain_lane *explain; /* the server's; NULL without one */
	struct bb_followers *followers;	 /* the same */
	struct bb_metrics *metrics;
	bb_status_fn *status;
	void *status_ctx;
	int (*purge)(void *ctx, struct bb_error *err);
	int (*rebuild)(void *ctx, bool accept_loss, uint32_t uid, struct bb_error *err);
	int (*rebuild_cancel)(void *ctx, struct bb_error *err);
	void *maintenance_ctx;
	int (*reload)(void *ctx, struct bb_reload_wish *wish, struct bb_error *err);
	void *reload_ctx;
	int (*order)(void *ctx, struct bb_order *order);
	void *order_ctx;
	struct bb_handles *handles; /* tasks under way count there; NULL: nowhere */
	struct uv_loop_s *loop;	    /* of tasks that only read; NULL: there are none */
	bool is_reading;	    /* one of them is with the pool */
	bool is_held;		    /* none is begun: the rules are about to change */
	atomic_bool is_stopping;    /* its reads fail then */
	struct bb_serve_stats stats;
	struct bb_histogram **lookup_ns; /* by command of the table; NULL: not run yet. What was
					    observed since the last bb_service_flush */
	size_t lookup_n;
	uint64_t now_ns; /* of the monotonic clock, when the last command ended or a turn began */
};

BB_MUST_CHECK int bb_service_init(struct bb_service *service,
				  const struct bb_serve_options *options);
void bb_service_fini(struct bb_service *service);

/* Hands what was counted of commands over to the metrics. */
void bb_service_flush(struct bb_service *service);

/* Asks the application; slices in the scratch arena. */
void bb_service_status(struct bb_service *service, struct bb_status *ret_status);

#endif
