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

struct bb_store {
	MDB_env *env;
	MDB_dbi tables[BB_TABLE_COUNT];
	char *path;
	int lock; /* -1: read-only */
	bool read_only;
	uint64_t quota_bytes, page_bytes;
	_Atomic uint64_t checksum_failures;
	struct bb_env_writer writer;
};

extern const char *const bb_env_table_names[BB_TABLE_COUNT];

/* LMDB's code as ours. No memory aborts. */
BB_MUST_CHECK int bb_env_code(const struct bb_store *store, int rc);

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
