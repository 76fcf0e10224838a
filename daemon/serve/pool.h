/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the store on a thread of the pool, in a snapshot of its own that ends early when told to:
 * a walk of minutes must not hold up the end of the process.
 */
#ifndef SERVE_POOL_H
#define SERVE_POOL_H

#include <backbone/store.h>
#include <stdatomic.h>

typedef int bb_pool_fn(void *ctx, struct bb_kv *kv);

/*
 * Runs `fn` in a snapshot; from the moment that `cancelled` is set each read of it fails with
 * BB_EBUSY. What `fn` returns, or the store's error. Thread: any.
 */
BB_MUST_CHECK int bb_pool_read(struct bb_store *store, atomic_bool *cancelled, bb_pool_fn *fn,
			       void *ctx);

#endif
