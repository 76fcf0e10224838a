/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second store beside the first, made to take its place, compacted or under other rules:
 *
 *	bb_store_open_beside(store, &beside, &err);	empty; what a crash left of one is removed
 *	bb_store_compact(store, beside, ...);		or write transactions of one's own on it
 *	bb_store_abreast(store, beside);		it holds what `store` got meanwhile too
 *	bb_store_finish(store, beside, &err);		makes it durable
 *	bb_store_swap(store, beside, &err);		`store` has its contents now
 *	bb_store_close_beside(beside, &err);		in every case, last
 *
 * Nothing may be committed to `store` from the first call, or from bb_store_abreast, to the swap
 * (asserted). Readers of `store` stay good over it. Killed at any point, a start finds the old
 * contents or the new ones, whole. All but the swap take long and may run on any thread.
 */
#ifndef BACKBONE_BESIDE_H
#define BACKBONE_BESIDE_H

#include <backbone/store.h>

BB_MUST_CHECK int bb_store_open_beside(struct bb_store *store, struct bb_store **ret_beside,
				       struct bb_error *err);

struct bb_store_progress {
	bool (*tell)(void *ctx, uint64_t done, uint64_t total); /* entries; false: give it up */
	void *ctx;
};

/*
 * Copies every entry, and nothing else: no byte of what was once deleted. BB_OK, BB_ENOSPC (the
 * disk has less room than the copy may need, or filled up), BB_EBUSY (given up), BB_ECORRUPT,
 * BB_EIO. `progress` may be NULL.
 */
BB_MUST_CHECK int bb_store_compact(struct bb_store *store, struct bb_store *beside,
				   const struct bb_store_progress *progress, struct bb_error *err);

/* Whether the disk has room for as much as `store` has in use: BB_OK, BB_ENOSPC or BB_EIO, and
 * `err` says how much is missing. */
BB_MUST_CHECK int bb_store_room(struct bb_store *store, struct bb_store *beside,
				struct bb_error *err);

/* What was committed to `store` since the second one was opened is in the second one as well. */
void bb_store_abreast(struct bb_store *store, struct bb_store *beside);
BB_MUST_CHECK int bb_store_finish(struct bb_store *store, struct bb_store *beside,
				  struct bb_error *err);

/*
 * Short: two renames. BB_OK; BB_EBUSY: a snapshot is open, or a tool is just opening the store, or
 * the directory cannot be locked: nothing has changed, try again; BB_EIO: the process must end.
 * `beside` then holds the old file, without a name: its blocks are free once it and every tool that
 * still reads it have closed it.
 */
BB_MUST_CHECK int bb_store_swap(struct bb_store *store, struct bb_store *beside,
				struct bb_error *err);

/* After a swap BB_EIO means that it may not be durable: the process must end. */
BB_MUST_CHECK int bb_store_close_beside(struct bb_store *beside, struct bb_error *err);

#endif
