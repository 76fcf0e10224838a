/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a store before LMDB comes: whose it is, of which format, and who writes. */
#ifndef BB_DIRECTORY_H
#define BB_DIRECTORY_H

#include <backbone/error.h>

#include <stdbool.h>

#define BB_DIRECTORY_FORMAT 1 /* the number this program writes, and the greatest it reads */

/*
 * Makes the directory if it is missing, refuses a foreign one or one of a newer format, takes the
 * writer's lock, and leaves a durable FORMAT file. *ret_lock is a descriptor that holds the lock
 * until it is closed. BB_EFORMAT, BB_EBUSY, BB_EIO, BB_ENOSPC.
 */
BB_MUST_CHECK int bb_directory_claim(const char *path, int *ret_lock, struct bb_error *err);

/* Only looks: BB_OK if there is a store that this program can read; BB_ENOTFOUND, BB_EFORMAT,
 * BB_EIO. */
BB_MUST_CHECK int bb_directory_check(const char *path, struct bb_error *err);

/* Where a second store is built, below the first. */
#define BB_DIRECTORY_NEXT "next"

/* Removes what is left of a second store. BB_OK (also where there is none), BB_EIO. */
BB_MUST_CHECK int bb_directory_remove_next(const char *path, struct bb_error *err);

/* Makes the empty folder of a second store. */
BB_MUST_CHECK int bb_directory_make_next(const char *path, struct bb_error *err);

/*
 * Keeps the names of data.mdb and lock.mdb as they are (shared; waits), or from being looked up
 * (exclusive; BB_EBUSY where somebody does), until the descriptor is closed.
 */
BB_MUST_CHECK int bb_directory_gate(const char *path, bool exclusive, int *ret_fd,
				    struct bb_error *err);

/* Gives both files of the second store the names of the first's. The lock file goes first: lock.mdb
 * of one store is never beside data.mdb of the other for more than a crash, after which nobody
 * has it open. */
BB_MUST_CHECK int bb_directory_take_next(const char *path, struct bb_error *err);

/* Makes names in the directory durable. */
BB_MUST_CHECK int bb_directory_sync(const char *path, struct bb_error *err);

/* BB_ENOSPC for what an errno says about a full disk or quota, also an EIO on a full disk; else
 * BB_EIO. */
int bb_directory_errno(const char *path, int error);

#endif
