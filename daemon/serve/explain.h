/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanations, computed on a thread of the pool, one at a time in the order of the questions: the
 * profiles concerned may be large. Thread: the loop's, for every call.
 */
#ifndef SERVE_EXPLAIN_H
#define SERVE_EXPLAIN_H

#include "handles.h"

#include <backbone/rules.h>
#include <backbone/store.h>
#include <uv.h>

struct bb_explain_lane;
struct bb_explain_job;

/* BB_OK and the JSON, or what bb_explain_why and bb_explain_pair return; BB_EBUSY: stopping. */
struct bb_explained {
	int err;
	struct bb_text json;
	struct bb_text a, b; /* the question; b.p NULL: why */
};

/* Embedded in whoever asks; zeroed at first. */
struct bb_explain_asker {
	void (*on_explained)(struct bb_explain_asker *asker, const struct bb_explained *explained);
	struct bb_explain_job *job; /* NULL: waits for nothing */
};

/* Of a question that ended as BB_EINVAL: the key that is none. */
struct bb_text bb_explained_bad_key(const struct bb_explained *explained,
				    const struct bb_rules *rules);

struct bb_explain_lane *bb_explain_lane_new(uv_loop_t *loop, struct bb_handles *handles,
					    struct bb_store *store, const struct bb_rules *rules);

/* The answer comes from a later turn of the loop. The keys are copied; b.p NULL: why `a`. */
void bb_explain_ask(struct bb_explain_lane *lane, struct bb_explain_asker *asker, struct bb_text a,
		    struct bb_text b);

/* Begins none until bb_explain_lane_go; true: none is under way. Rules change while it is. */
bool bb_explain_lane_hold(struct bb_explain_lane *lane);
void bb_explain_lane_go(struct bb_explain_lane *lane);
void bb_explain_lane_rules_set(struct bb_explain_lane *lane, const struct bb_rules *rules);

/* No answer will come. Allowed for one that does not wait. */
void bb_explain_forget(struct bb_explain_lane *lane, struct bb_explain_asker *asker);

/* One under way gives up, and counts as an open handle until it has; then all are told BB_EBUSY. */
void bb_explain_lane_stop(struct bb_explain_lane *lane);

/* After bb_explain_lane_stop and the last handle, or when nothing was ever asked. NULL-safe. */
void bb_explain_lane_free(struct bb_explain_lane *lane);

#endif
