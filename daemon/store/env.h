/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share; the only place that names LMDB's types. */
#ifndef BB_ENV_H
#define BB_ENV_H

#include <backbone/buf.h>
#include <backbone/store.h>

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

/* A transaction, of either kind. Cursors are opened when a table is first used in it. */
struct bb_env_txn {
	struct bb_kv kv; /* first: the caller's handle */
	struct bb_store *store;
	MDB_txn *txn; /* NULL: none */
	MDB_cursor *cursors[BB_TABLE_COUNT];
	bool current[BB_TABLE_COUNT]; /* the cursor belongs to this snapshot (readers keep them) */
};

struct bb_env_writer {
	struct bb_env_txn base; /* first */
	pthread_t thread;	/* that began it: LMDB's mutex is released by the same one */
	int failed;		/* BB_OK, or the first error of a put or del */
	struct bb_buf scratch;	/* the sealed value of a put */
};

struct bb_store_reader {
	struct bb_env_txn base; /* first; without a txn: a swap took it, begin makes another */
	bool open;
	uint64_t version; /* of the open snapshot */
	struct bb_store_reader *next, **link;
};

struct bb_store {
	MDB_env *env;
	MDB_dbi tables[BB_TABLE_COUNT];
	char *path;
	int lock; /* -1: read-only, or beside another store */
	bool read_only;
	uint64_t quota_bytes, page_bytes;
	_Atomic uint64_t checksum_failures;
	struct bb_env_writer writer;

	/* Held for a moment by whoever begins or ends a snapshot, and by a swap. */
	pthread_mutex_t gate;
	struct bb_store_reader *readers; /* all; gate */
	uint64_t version_base;		 /* what is added to LMDB's numbers of commits; gate */

	struct bb_store *of; /* this one is beside it; NULL: an ordinary store */
	uint64_t of_txn;     /* the last commit of `of` when this one was opened */
	bool finished, swapped;
};

extern const char *const bb_env_table_names[BB_TABLE_COUNT];

/* LMDB's code as ours. No memory aborts. */
BB_MUST_CHECK int bb_env_code(const struct bb_store *store, int rc);

/* Opens LMDB in store->path, and the tables. `flags` are added to those of every store. */
BB_MUST_CHECK int bb_env_open(struct bb_store *store, uint64_t map_size_bytes, unsigned flags,
			      struct bb_error *err);

/* A store that has a path and is not open; bb_env_free closes what is open of it. */
struct bb_store *bb_env_new(const char *path, bool read_only);
void bb_env_free(struct bb_store *store);

/*
 * Pages that a transaction took at the end of the file and gave back are never written, so the file
 * may be shorter than LMDB counts: makes up for it, so that only a file that was cut is short.
 */
void bb_env_extend_file(struct bb_store *store);

/* How many of the pages from `from` on are free, as the snapshot sees them. */
BB_MUST_CHECK int bb_env_count_free(struct bb_store *store, MDB_txn *txn, uint64_t from,
				    uint64_t *ret_pages);

/* An error of LMDB in opening or writing as ours, with what to do. */
BB_MUST_CHECK int bb_env_fail(const struct bb_store *store, int rc, const char *what,
			      struct bb_error *err);

/* Takes the key's digest over from another store. */
BB_MUST_CHECK int bb_env_copy_key(struct bb_store *from, struct bb_store *to);

/* Ends what a reader keeps of LMDB; it must not be open. */
void bb_env_detach_reader(struct bb_store_reader *reader);

struct bb_env_pages {
	uint64_t used_bytes, free_bytes;
};

/* Pages in use and pages that were freed, as the snapshot (a read transaction) sees them. */
BB_MUST_CHECK int bb_env_count_pages(struct bb_store *store, MDB_txn *txn,
				     struct bb_env_pages *ret_pages);

static inline MDB_val bb_env_val(struct bb_text text)
{
	return (MDB_val){.mv_size = text.n, .mv_data = (void *)text.p};
}

static inline struct bb_text bb_env_text(MDB_val val)
{
	return bb_text_bytes(val.mv_data, val.mv_size);
}

#endif
