/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rebuild: a second store is filled from the beginning of the topics and files, by sources and an
 * ingest of its own, while the first goes on. It is work of app_maintenance.c, which has the swap.
 */
#ifndef BB_APP_REBUILD_H
#define BB_APP_REBUILD_H

#include <backbone/carry.h>
#include <backbone/ingest.h>
#include <backbone/metrics.h>
#include <backbone/store.h>

#define BB_APP_REPLAYS_MAX (BB_INGEST_SOURCES_MAX - 1)

struct bb_app;

/* Where messages come from, for one ingest. */
struct bb_app_sources {
	struct bb_source *kafka;
	struct bb_source *replays[BB_APP_REPLAYS_MAX];
	size_t replay_n;
};

/* All the loop's, but for what a job of the pool has while it runs: the second store, its reader,
 * and once its ingest has ended the sources. */
struct bb_rebuild {
	struct bb_ingest *ingest; /* NULL: not begun, or over */
	struct bb_app_sources sources;
	struct bb_store_reader *reader; /* of the second store */
	struct bb_metrics *metrics;	/* its own: nobody is shown them */
	bool runs, ends;		/* the ingest was started; it is being stopped */
	bool accept_loss, cancelled;
	uint32_t uid;		 /* of who asked */
	struct bb_error trouble; /* why it is given up; BB_OK: it is not */

	/* rulings and erasures that are given meanwhile */
	struct bb_order order;
	struct bb_arena arena;
	struct bb_carried carried;
	bool is_carrying, is_carried; /* in CATCHING: everything */
	bool is_last; /* what is being carried was looked for when the first store rested already */
	uint64_t orders, orders_seen; /* that were given since the start of the daemon */
	unsigned looks;		      /* still to be taken for them */

	/* how far it is */
	uint64_t records, before; /* done; done a second ago */
	double per_second;
	unsigned ticks, deaf_ticks; /* seconds; in which a partition was not read */
	uint64_t since_ms;	    /* loop time at which CATCHING began */
};

/* app_rebuild.c. Begin, cancel: bb_serve_options callbacks; ctx is the app. */
int bb_app_rebuild(void *ctx, bool accept_loss, uint32_t uid, struct bb_error *err);
int bb_app_rebuild_cancel(void *ctx, struct bb_error *err);
void bb_app_rebuild_tick(struct bb_app *app);  /* every second */
void bb_app_rebuild_order(struct bb_app *app); /* a ruling or an erasure was given */
void bb_app_rebuild_idle(struct bb_app *app);  /* HOLDING, and the first ingest rests */
void bb_app_rebuild_stop(struct bb_app *app);  /* the daemon ends */
void bb_app_rebuild_fini(struct bb_app *app);  /* the loop has ended */

/* app_rebuild.c: COPYING, on the pool: the second store is completed. The error is the work's. */
void bb_app_rebuild_complete(struct bb_app *app);
void bb_app_rebuild_completed(struct bb_app *app); /* the loop's: or not */

/* app_carry.c: jobs of the pool. BB_OK, BB_EBUSY (cancelled; of the end) or the error of either
 * store. More: what there is to carry, into rebuild.carried. */
BB_MUST_CHECK int bb_app_carry_orders(struct bb_app *app);
BB_MUST_CHECK int bb_app_carry_more(struct bb_app *app, struct bb_pipeline *pl, struct bb_kv *to);
BB_MUST_CHECK int bb_app_carry_end(struct bb_app *app);

/* app_positions.c: how the positions of the two stand to each other. */
struct bb_positions {
	uint64_t done, all; /* records */
	uint64_t behind;    /* that the second does not have yet of what the first has */
	bool deaf;	    /* something that the first has is not read by the second */
	bool all_begun;	    /* of every partition that the first has something was read */
};
void bb_app_positions(struct bb_app *app, struct bb_positions *ret_positions);

/* app_positions.c: what the first store holds and the second cannot get again: BB_OK, or BB_EGAP
 * and `err` names it. `at_all`: of what is read at all; else of where logs begin. */
BB_MUST_CHECK int bb_app_positions_lost(struct bb_app *app, bool at_all, struct bb_error *err);

#endif
