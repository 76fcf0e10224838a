/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of all views, computed on a thread of the pool, one at a time. Whoever asks while one
 * is under way waits for the next, because that one's snapshot is older than the question.
 */
#ifndef SERVE_DIGEST_H
#define SERVE_DIGEST_H

#include "handles.h"

#include <backbone/store.h>
#include <backbone/view.h>
#include <uv.h>

struct bb_digester;

/* Embedded in whoever asks; zeroed at first. */
struct bb_digest_waiter {
	void (*on_digest)(struct bb_digest_waiter *waiter, int err, const struct bb_digest *digest);
	struct bb_digest_waiter *next;
	bool is_waiting;
};

struct bb_digester *bb_digester_new(uv_loop_t *loop, struct bb_handles *handles,
				    struct bb_store *store, const struct bb_rules *rules);

/* The answer comes from a later turn of the loop: BB_OK and a digest, or the store's error. */
void bb_digester_ask(struct bb_digester *digester, struct bb_digest_waiter *waiter);

/* Begins none until bb_digester_go; true: none is under way. Rules change while it is. */
bool bb_digester_hold(struct bb_digester *digester);
void bb_digester_go(struct bb_digester *digester);
void bb_digester_rules_set(struct bb_digester *digester, const struct bb_rules *rules);

/* No answer will come. Allowed for one that does not wait. */
void bb_digester_forget(struct bb_digester *digester, struct bb_digest_waiter *waiter);

/* Makes a digest under way give up; it counts as an open handle until it has. */
void bb_digester_stop(struct bb_digester *digester);

/* After bb_digester_stop and the last handle, or when none was ever asked for. NULL-safe. */
void bb_digester_free(struct bb_digester *digester);

#endif
