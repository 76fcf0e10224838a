/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions. Each keeps one cursor a table: look-ups near the last one then need no walk from
 * the root. Values are sealed on the way in and opened on the way out. Rising keys are put like any
 * other: measured, appending them makes the file an eighth smaller, and later growth of the values
 * a fifth slower.
 *
 * A miss is checked as well as a hit: LMDB's pages have no checksums, so a damaged key would make a
 * stored value unfindable, or lead the search astray. Both neighbours of the place where the key
 * should be must be whole, and on their sides of it.
 *
 * After a put or del that failed, the transaction can only end; commit then returns that error. A
 * failed commit leaves the last committed state.
 */
#include "env.h"

#include "seal.h"

#include <backbone/assert.h>

#include <stdlib.h>

static struct bb_env_txn *of(struct bb_kv *kv)
{
	struct bb_env_txn *txn = (struct bb_env_txn *)kv;

	bb_assert(txn->txn);
	return txn;
}

static int corrupt(struct bb_env_txn *txn)
{
	atomic_fetch_add_explicit(&txn->store->checksum_failures, 1, memory_order_relaxed);
	return BB_ECORRUPT;
}

static int code(struct bb_env_txn *txn, int rc)
{
	int err = bb_env_code(txn->store, rc);

	return err == BB_ECORRUPT ? corrupt(txn) : err;
}

/* NULL: *ret_err says why. */
static MDB_cursor *cursor_of(struct bb_env_txn *txn, enum bb_table table, int *ret_err)
{
	int rc = 0;

	bb_assert((unsigned)table < BB_TABLE_COUNT);
	if (txn->current[table])
		return txn->cursors[table];
	if (txn->cursors[table])
		rc = mdb_cursor_renew(txn->txn, txn->cursors[table]);
	else
		rc = mdb_cursor_open(txn->txn, txn->store->tables[table], &txn->cursors[table]);
	if (rc != 0) {
		*ret_err = code(txn, rc);
		return NULL;
	}
	txn->current[table] = true;
	return txn->cursors[table];
}

static int open_value(struct bb_env_txn *txn, enum bb_table table, MDB_val key, MDB_val stored,
		      struct bb_text *ret_value)
{
	if (!bb_seal_open(table, bb_env_text(key), bb_env_text(stored), ret_value))
		return corrupt(txn);
	return BB_OK;
}

/* BB_OK if the entry is whole and lies on the given side of `key`. */
static int check_neighbour(struct bb_env_txn *txn, enum bb_table table, struct bb_text key,
			   bool above, MDB_val its_key, MDB_val its_value)
{
	int d = bb_text_compare(bb_env_text(its_key), key);
	struct bb_text value;

	if (above ? d <= 0 : d >= 0)
		return corrupt(txn);
	return open_value(txn, table, its_key, its_value, &value);
}

/*
 * The cursor stands on the first entry above `key` (`at_end`: there is none). BB_ENOTFOUND when it
 * is true that the key is not there.
 */
static int check_miss(struct bb_env_txn *txn, enum bb_table table, struct bb_text key, bool at_end)
{
	MDB_cursor *cursor = txn->cursors[table];
	MDB_val its_key, its_value;
	int rc = 0;

	if (!at_end) {
		rc = mdb_cursor_get(cursor, &its_key, &its_value, MDB_GET_CURRENT);
		if (rc != 0)
			return code(txn, rc);
		rc = check_neighbour(txn, table, key, true, its_key, its_value);
		if (rc != BB_OK)
			return rc;
	}
	rc = mdb_cursor_get(cursor, &its_key, &its_value, at_end ? MDB_LAST : MDB_PREV);
	if (rc == MDB_NOTFOUND)
		return BB_ENOTFOUND;
	if (rc != 0)
		return code(txn, rc);
	rc = check_neighbour(txn, table, key, false, its_key, its_value);
	return rc == BB_OK ? BB_ENOTFOUND : rc;
}

static int store_get(struct bb_kv *kv, enum bb_table table, struct bb_text key,
		     struct bb_text *ret_value)
{
	struct bb_env_txn *txn = of(kv);
	MDB_val k = bb_env_val(key), stored;
	int rc = BB_OK;
	MDB_cursor *cursor = cursor_of(txn, table, &rc);

	bb_assert(key.n >= 1 && key.n <= BB_KV_KEY_MAX);
	if (!cursor)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &stored, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		return check_miss(txn, table, key, true);
	if (rc != 0)
		return code(txn, rc);
	if (!bb_text_equal(bb_env_text(k), key))
		return check_miss(txn, table, key, false);
	return open_value(txn, table, k, stored, ret_value);
}

static int store_seek(struct bb_kv *kv, enum bb_table table, struct bb_text from, bool after,
		      struct bb_text *ret_key, struct bb_text *ret_value)
{
	struct bb_env_txn *txn = of(kv);
	MDB_val k = bb_env_val(from), stored;
	int d, rc = BB_OK;
	MDB_cursor *cursor = cursor_of(txn, table, &rc);

	bb_assert(from.n <= BB_KV_KEY_MAX);
	if (!cursor)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &stored, from.n ? MDB_SET_RANGE : MDB_FIRST);
	if (rc == 0 && after && bb_text_equal(bb_env_text(k), from))
		rc = mdb_cursor_get(cursor, &k, &stored, MDB_NEXT);
	if (rc != 0)
		return code(txn, rc);
	d = bb_text_compare(bb_env_text(k), from);
	if (d < 0 || (d == 0 && after)) /* damaged keys must not make a walk without end */
		return corrupt(txn);
	rc = open_value(txn, table, k, stored, ret_value);
	if (rc == BB_OK)
		*ret_key = bb_env_text(k);
	return rc;
}

static int put_sealed(struct bb_env_writer *writer, enum bb_table table, struct bb_text key)
{
	char bytes[BB_KV_KEY_MAX]; /* the key may lie on a page that the put moves */
	MDB_val k = {.mv_size = key.n, .mv_data = bytes};
	MDB_val stored = bb_env_val(bb_buf_slice(&writer->scratch));
	int rc = BB_OK;
	MDB_cursor *cursor = cursor_of(&writer->base, table, &rc);

	if (!cursor)
		return rc;
	memcpy(bytes, key.p, key.n);
	return code(&writer->base, mdb_cursor_put(cursor, &k, &stored, 0));
}

static int store_put(struct bb_kv *kv, enum bb_table table, struct bb_text key,
		     struct bb_text value)
{
	struct bb_env_writer *writer = (struct bb_env_writer *)of(kv);

	bb_assert(&writer->base == &writer->base.store->writer.base);
	bb_assert(key.n >= 1 && key.n <= BB_KV_KEY_MAX);
	if (writer->failed != BB_OK)
		return writer->failed;
	bb_seal_put(&writer->scratch, table, key, value);
	writer->failed = put_sealed(writer, table, key);
	return writer->failed;
}

static int delete_key(struct bb_env_writer *writer, enum bb_table table, struct bb_text key)
{
	MDB_val k = bb_env_val(key), stored;
	int rc = BB_OK;
	MDB_cursor *cursor = cursor_of(&writer->base, table, &rc);

	if (!cursor)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &stored, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		return check_miss(&writer->base, table, key, true);
	if (rc == 0 && !bb_text_equal(bb_env_text(k), key))
		return check_miss(&writer->base, table, key, false);
	if (rc == 0)
		rc = mdb_cursor_del(cursor, 0);
	return rc == 0 ? BB_OK : code(&writer->base, rc);
}

static int store_del(struct bb_kv *kv, enum bb_table table, struct bb_text key)
{
	struct bb_env_writer *writer = (struct bb_env_writer *)of(kv);
	int rc;

	bb_assert(&writer->base == &writer->base.store->writer.base);
	bb_assert(key.n >= 1 && key.n <= BB_KV_KEY_MAX);
	if (writer->failed != BB_OK)
		return writer->failed;
	rc = delete_key(writer, table, key);
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		writer->failed = rc;
	return rc;
}

static const struct bb_kv_ops ops = {
	.get = store_get,
	.put = store_put,
	.del = store_del,
	.seek = store_seek,
};

static int check_quota(struct bb_store *store)
{
	struct bb_env_pages pages;
	MDB_txn *snapshot = NULL;
	MDB_envinfo info;
	int rc;

	if (store->quota_bytes == 0)
		return BB_OK;
	rc = bb_env_code(store, mdb_env_info(store->env, &info));
	if (rc != BB_OK)
		return rc;
	/* Only a file that has ever been larger than the quota may be above it. */
	if (((uint64_t)info.me_last_pgno + 1) * store->page_bytes <= store->quota_bytes)
		return BB_OK;
	rc = bb_env_code(store, mdb_txn_begin(store->env, NULL, MDB_RDONLY, &snapshot));
	if (rc != BB_OK)
		return rc;
	rc = bb_env_count_pages(store, snapshot, &pages);
	mdb_txn_abort(snapshot);
	if (rc != BB_OK)
		return rc;
	return pages.used_bytes > store->quota_bytes ? BB_ENOSPC : BB_OK;
}

int bb_store_write_begin(struct bb_store *store, struct bb_kv **ret_kv)
{
	struct bb_env_writer *writer = &store->writer;
	MDB_txn *txn = NULL;
	int rc;

	bb_assert(!store->read_only && !writer->base.txn);
	rc = check_quota(store);
	if (rc != BB_OK)
		return rc;
	rc = bb_env_code(store, mdb_txn_begin(store->env, NULL, 0, &txn));
	if (rc != BB_OK)
		return rc;
	writer->base = (struct bb_env_txn){.kv = {&ops}, .store = store, .txn = txn};
	writer->thread = pthread_self();
	writer->failed = BB_OK;
	*ret_kv = &writer->base.kv;
	return BB_OK;
}

int bb_store_write_commit(struct bb_kv *kv)
{
	struct bb_env_txn *txn = of(kv);
	struct bb_env_writer *writer = &txn->store->writer;
	MDB_txn *ending = txn->txn;
	int rc;

	bb_assert(txn == &writer->base && pthread_equal(writer->thread, pthread_self()));
	if (writer->failed != BB_OK) {
		bb_store_write_abort(kv);
		return writer->failed;
	}
	txn->txn = NULL; /* consumed, also when it fails; LMDB closes its cursors */
	rc = bb_env_code(txn->store, mdb_txn_commit(ending));
	if (rc == BB_OK)
		bb_env_extend_file(txn->store);
	return rc;
}

void bb_store_write_abort(struct bb_kv *kv)
{
	struct bb_env_txn *txn;

	if (!kv)
		return;
	txn = of(kv);
	bb_assert(txn == &txn->store->writer.base);
	bb_assert(pthread_equal(txn->store->writer.thread, pthread_self()));
	mdb_txn_abort(txn->txn);
	txn->txn = NULL;
}

/* A snapshot of LMDB's; its slot in lock.mdb stays with the reader. Under the gate. */
static int attach_reader(struct bb_store_reader *reader)
{
	struct bb_store *store = reader->base.store;

	return bb_env_code(store, mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader->base.txn));
}

void bb_env_detach_reader(struct bb_store_reader *reader)
{
	struct bb_env_txn *base = &reader->base;

	bb_assert(!reader->open);
	for (int table = 0; table < BB_TABLE_COUNT; table++)
		if (base->cursors[table])
			mdb_cursor_close(base->cursors[table]);
	memset(base->cursors, 0, sizeof base->cursors);
	if (base->txn)
		mdb_txn_abort(base->txn);
	base->txn = NULL;
}

int bb_store_reader_new(struct bb_store *store, struct bb_store_reader **ret_reader)
{
	struct bb_store_reader *reader = calloc(1, sizeof *reader);
	int rc;

	bb_assert(reader != NULL);
	reader->base.kv.ops = &ops;
	reader->base.store = store;
	pthread_mutex_lock(&store->gate);
	rc = attach_reader(reader);
	if (rc == BB_OK) {
		mdb_txn_reset(reader->base.txn);
		reader->next = store->readers;
		reader->link = &store->readers;
		if (reader->next)
			reader->next->link = &reader->next;
		store->readers = reader;
	}
	pthread_mutex_unlock(&store->gate);
	if (rc == BB_OK)
		*ret_reader = reader;
	else
		free(reader);
	return rc;
}

void bb_store_reader_free(struct bb_store_reader *reader)
{
	struct bb_store *store;

	if (!reader)
		return;
	store = reader->base.store;
	pthread_mutex_lock(&store->gate);
	bb_env_detach_reader(reader);
	*reader->link = reader->next;
	if (reader->next)
		reader->next->link = reader->link;
	pthread_mutex_unlock(&store->gate);
	free(reader);
}

int bb_store_read_begin(struct bb_store_reader *reader, struct bb_kv **ret_kv)
{
	struct bb_store *store = reader->base.store;
	int rc;

	bb_assert(!reader->open);
	pthread_mutex_lock(&store->gate);
	if (reader->base.txn)
		rc = bb_env_code(store, mdb_txn_renew(reader->base.txn));
	else
		rc = attach_reader(reader);
	if (rc == BB_OK) {
		reader->open = true;
		reader->version = store->version_base + mdb_txn_id(reader->base.txn);
	}
	pthread_mutex_unlock(&store->gate);
	if (rc != BB_OK)
		return rc;
	memset(reader->base.current, 0, sizeof reader->base.current);
	*ret_kv = &reader->base.kv;
	return BB_OK;
}

void bb_store_read_end(struct bb_store_reader *reader)
{
	struct bb_store *store = reader->base.store;

	bb_assert(reader->open);
	pthread_mutex_lock(&store->gate);
	mdb_txn_reset(reader->base.txn);
	reader->open = false;
	pthread_mutex_unlock(&store->gate);
}

uint64_t bb_store_read_version(const struct bb_store_reader *reader)
{
	bb_assert(reader->open);
	return reader->version;
}
