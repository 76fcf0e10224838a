/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for changes (BB.CHANGES ... BLOCK): woken after a commit that brought some, or when the
 * time is over. No snapshot is held meanwhile. Thread: the loop's.
 */
#ifndef SERVE_FOLLOW_H
#define SERVE_FOLLOW_H

#include "handles.h"
#include "lookup.h"

#include <uv.h>

#define BB_FOLLOWERS_MAX 200
#define BB_FOLLOW_MS_MAX 60000

struct bb_followers;

/* Embedded in whoever waits; zeroed at first, but for on_wake. */
struct bb_follower {
	uint64_t after, count; /* what was asked for */
	uint64_t end_ms;       /* loop time */
	bool is_waiting;
	bool is_woken; /* set for on_wake: the reply is to be made now; cleared by whoever makes it
			*/
	void (*on_wake)(struct bb_follower *follower);
	struct bb_follower *prev, *next;
};

struct bb_followers *bb_followers_new(uv_loop_t *loop, struct bb_handles *handles,
				      struct bb_lookup *lookup);

/* False: there are BB_FOLLOWERS_MAX already, or it is stopping. */
bool bb_follow(struct bb_followers *followers, struct bb_follower *follower, uint64_t timeout_ms);

/* It is not woken any more. Allowed for one that does not wait. */
void bb_follow_forget(struct bb_followers *followers, struct bb_follower *follower);

/* After a commit. */
void bb_follow_wake(struct bb_followers *followers);

/* Closes the handle; nobody is woken any more. */
void bb_followers_stop(struct bb_followers *followers);
void bb_followers_free(struct bb_followers *followers); /* NULL-safe; all handles closed */

#endif
