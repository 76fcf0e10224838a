/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What looks at the whole store: page counts, statistics, and the scrub, which walks every entry of
 * every table in one snapshot. Keys must rise, every value must be whole, and there must be as many
 * entries as the table says, which finds a page that LMDB reads as shorter than it is.
 *
 * The scrub stops at the first damage and names table and key (keys hold no personal data in the
 * clear). While it runs its snapshot keeps freed pages from being used again: for a tool or a quiet
 * hour.
 */
#include "env.h"

#include "seal.h"

#include <stdio.h>
#include <sys/stat.h>

/* A value of LMDB's table of freed pages: their number, then they. */
static int count_list(MDB_val list, uint64_t from, uint64_t *pages)
{
	size_t count, page;

	if (list.mv_size < sizeof count)
		return MDB_CORRUPTED;
	memcpy(&count, list.mv_data, sizeof count);
	if (count > list.mv_size / sizeof page - 1)
		return MDB_CORRUPTED;
	if (from == 0) {
		*pages += count;
		return 0;
	}
	for (size_t i = 1; i <= count; i++) {
		memcpy(&page, (char *)list.mv_data + i * sizeof page, sizeof page);
		*pages += page >= from;
	}
	return 0;
}

int bb_env_count_free(struct bb_store *store, MDB_txn *txn, uint64_t from, uint64_t *ret_pages)
{
	MDB_cursor *cursor = NULL;
	uint64_t pages = 0;
	MDB_val key, list;
	int rc = mdb_cursor_open(txn, 0, &cursor); /* 0: LMDB's own table of freed pages */

	while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0)
		rc = count_list(list, from, &pages);
	if (cursor)
		mdb_cursor_close(cursor);
	if (rc != MDB_NOTFOUND)
		return bb_env_code(store, rc);
	*ret_pages = pages;
	return BB_OK;
}

int bb_env_count_pages(struct bb_store *store, MDB_txn *txn, struct bb_env_pages *ret_pages)
{
	uint64_t pages, freed, used;
	MDB_envinfo info;
	int rc;

	rc = bb_env_code(store, mdb_env_info(store->env, &info));
	if (rc == BB_OK)
		rc = bb_env_count_free(store, txn, 0, &freed);
	if (rc != BB_OK)
		return rc;
	pages = (uint64_t)info.me_last_pgno + 1;
	used = freed < pages ? pages - freed : 0;
	ret_pages->used_bytes = used * store->page_bytes;
	ret_pages->free_bytes = (pages - used) * store->page_bytes;
	return BB_OK;
}

static int count_entries(struct bb_store *store, MDB_txn *txn, struct bb_store_stats *stats)
{
	MDB_stat tree;
	int rc = 0;

	for (int table = 0; rc == 0 && table < BB_TABLE_COUNT; table++) {
		rc = mdb_stat(txn, store->tables[table], &tree);
		if (rc == 0)
			stats->entries[table] = tree.ms_entries;
	}
	return bb_env_code(store, rc);
}

int bb_store_stats(struct bb_store *store, struct bb_store_stats *ret_stats)
{
	struct bb_store_stats stats = {0};
	struct bb_env_pages pages = {0};
	MDB_txn *txn = NULL;
	MDB_envinfo info;
	struct stat st;
	int fd, rc;

	rc = bb_env_code(store, mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn));
	if (rc != BB_OK)
		return rc;
	rc = bb_env_code(store, mdb_env_info(store->env, &info));
	if (rc == BB_OK)
		rc = bb_env_code(store, mdb_env_get_fd(store->env, &fd));
	if (rc == BB_OK && fstat(fd, &st) != 0)
		rc = BB_EIO;
	if (rc == BB_OK)
		rc = bb_env_count_pages(store, txn, &pages);
	if (rc == BB_OK)
		rc = count_entries(store, txn, &stats);
	mdb_txn_abort(txn);
	if (rc != BB_OK)
		return rc;
	stats.map_bytes = info.me_mapsize;
	stats.used_bytes = pages.used_bytes;
	stats.free_bytes = pages.free_bytes;
	stats.file_bytes = (uint64_t)st.st_size;
	stats.checksum_failures = atomic_load(&store->checksum_failures);
	stats.last_txn = store->version_base + info.me_last_txnid;
	*ret_stats = stats;
	return BB_OK;
}

static int damaged(struct bb_store *store, int table, MDB_val key, const char *what,
		   struct bb_error *err)
{
	char hex[2 * BB_KV_KEY_MAX + 1] = "";
	size_t n = key.mv_size < BB_KV_KEY_MAX ? key.mv_size : BB_KV_KEY_MAX;

	for (size_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const uint8_t *)key.mv_data)[i]);
	atomic_fetch_add(&store->checksum_failures, 1);
	return bb_error_set(err, BB_ECORRUPT,
			    "%s: table %s, key %s: %s: restore a backup, or move the directory "
			    "away and read the topics again",
			    store->path, bb_env_table_names[table], hex, what);
}

static int scrub_table(struct bb_store *store, MDB_txn *txn, int table, uint64_t *values,
		       struct bb_error *err)
{
	struct bb_text value, last = {NULL, 0};
	MDB_cursor *cursor = NULL;
	MDB_val key = {0}, stored;
	uint64_t count = 0;
	MDB_stat tree;
	int rc;

	rc = mdb_stat(txn, store->tables[table], &tree);
	if (rc == 0)
		rc = mdb_cursor_open(txn, store->tables[table], &cursor);
	while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &stored, MDB_NEXT)) == 0) {
		if (last.p && bb_text_compare(last, bb_env_text(key)) >= 0)
			rc = damaged(store, table, key, "the keys are not in order", err);
		else if (!bb_seal_open((enum bb_table)table, bb_env_text(key), bb_env_text(stored),
				       &value))
			rc = damaged(store, table, key, "the value is damaged", err);
		if (rc != 0)
			goto out;
		last = bb_env_text(key);
		count++;
	}
	if (rc != MDB_NOTFOUND) {
		rc = bb_env_code(store, rc);
		bb_error_set(err, rc, "%s: table %s cannot be read: %s", store->path,
			     bb_env_table_names[table], bb_error_text(rc));
	} else if (count != tree.ms_entries) {
		rc = damaged(store, table, (MDB_val){0}, "entries are missing", err);
	} else {
		rc = BB_OK;
	}
	*values += count;
out:
	if (cursor)
		mdb_cursor_close(cursor);
	return rc;
}

int bb_store_scrub(struct bb_store *store, uint64_t *ret_values, struct bb_error *err)
{
	MDB_txn *txn = NULL;
	uint64_t values = 0;
	int rc = bb_env_code(store, mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn));

	if (rc != BB_OK)
		return bb_error_set(err, rc, "%s: cannot begin a snapshot: %s", store->path,
				    bb_error_text(rc));
	for (int table = 0; rc == BB_OK && table < BB_TABLE_COUNT; table++)
		rc = scrub_table(store, txn, table, &values, err);
	mdb_txn_abort(txn);
	*ret_values = values;
	return rc;
}
