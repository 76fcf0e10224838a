/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: one LMDB environment in a directory of its own, with a FORMAT file, a lock that keeps
 * a second writer out, and a checksum on every value. One writer at a time; readers never wait.
 *
 * Thread: open and close by the owner; one write transaction at a time, on whichever thread has it;
 * read transactions on any thread, each used by one thread at a time.
 */
#ifndef BACKBONE_STORE_H
#define BACKBONE_STORE_H

#include <backbone/hash.h>
#include <backbone/kv.h>

struct bb_store;

struct bb_store_options {
	const char *path;	 /* the directory; made if missing, mode 0700 */
	uint64_t map_size_bytes; /* address space to reserve; 0: 1 TiB */
	uint64_t quota_bytes; /* 0: none. A write transaction begun above it fails with BB_ENOSPC */
	const struct bb_profile_key *profile_key; /* its digest is kept; another key is refused with
						     BB_EKEY. NULL with read_only: not compared */
	bool read_only; /* for tools beside a running daemon; the store must exist */
	bool unsynced;	/* commits do not wait for the disk: for a store that is thrown away */
};

/*
 * BB_OK, or BB_EFORMAT (foreign directory, or a format newer than this program; says which),
 * BB_EKEY, BB_EBUSY (another daemon has it), BB_EIO, BB_ENOSPC, BB_ECORRUPT (data.mdb was cut short
 * or is no database), BB_ENOTFOUND (read_only and no store there). `err` says what and what to do.
 * A store is open at most once in a process (LMDB's locks are the process's).
 */
BB_MUST_CHECK int bb_store_open(const struct bb_store_options *options, struct bb_store **ret_store,
				struct bb_error *err);
void bb_store_close(struct bb_store *store); /* NULL-safe; no transaction may be open */

/*
 * A write transaction: *ret_kv is valid until commit or abort, which both consume it, on the thread
 * that began it. After a put or del that failed it can only end; commit then returns that error.
 */
BB_MUST_CHECK int bb_store_write_begin(struct bb_store *store, struct bb_kv **ret_kv);
BB_MUST_CHECK int
bb_store_write_commit(struct bb_kv *kv); /* durable when it returns BB_OK; else nothing changed */
void bb_store_write_abort(struct bb_kv *kv); /* NULL-safe */

/*
 * A read snapshot. `bb_store_reader_new` keeps a slot for repeated use (renewed by begin, reset by
 * end), so that a look-up costs no allocation. End it in the callback that began it: an open one
 * makes the file grow.
 */
struct bb_store_reader;
BB_MUST_CHECK int bb_store_reader_new(struct bb_store *store, struct bb_store_reader **ret_reader);
void bb_store_reader_free(struct bb_store_reader *reader); /* NULL-safe */
BB_MUST_CHECK int bb_store_read_begin(struct bb_store_reader *reader, struct bb_kv **ret_kv);
void bb_store_read_end(struct bb_store_reader *reader);

/* Which commit the open snapshot shows: equal numbers, equal contents, also over a swap. */
uint64_t bb_store_read_version(const struct bb_store_reader *reader);

struct bb_store_stats {
	uint64_t map_bytes, used_bytes, free_bytes,
		file_bytes; /* used: pages in use; free: in freed pages */
	uint64_t entries[BB_TABLE_COUNT];
	uint64_t checksum_failures; /* since open */
	uint64_t last_txn;
};

BB_MUST_CHECK int bb_store_stats(struct bb_store *store, struct bb_store_stats *ret_stats);

/* Walks every value of every table in one snapshot. Counts values; BB_ECORRUPT and `err` at the
 * first bad one. */
BB_MUST_CHECK int bb_store_scrub(struct bb_store *store, uint64_t *ret_values,
				 struct bb_error *err);

#endif
