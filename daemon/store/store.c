/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening: claim the directory, open LMDB with a huge map and its default, durable sync, open every
 * table, compare the digest of the profile key. The map is address space only; the file grows as it
 * is written.
 *
 * What may fail is said in `err` and leaves nothing open. Two dangers are met before LMDB can fall
 * into them: lock.mdb is mapped for writing, so its blocks are reserved (a full disk would be a
 * SIGBUS), and a data.mdb that was cut short is refused (so would its missing pages).
 */
#include "env.h"

#include "directory.h"

#include <backbone/assert.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES_DEFAULT (UINT64_C(1) << 40)
#define READERS_MAX 500
#define LOCK_FILE_BYTES (64 * 1024) /* more than LMDB needs for READERS_MAX */
#define KEY_DIGEST BB_TEXT("store/profile_key")

const char *const bb_env_table_names[BB_TABLE_COUNT] = {
#define X(name, text) [BB_TABLE_##name] = text,
	BB_TABLES(X)
#undef X
};

int bb_env_code(const struct bb_store *store, int rc)
{
	bb_assert(rc != ENOMEM);
	switch (rc) {
	case MDB_SUCCESS:
		return BB_OK;
	case MDB_NOTFOUND:
		return BB_ENOTFOUND;
	case MDB_MAP_FULL:
		return BB_ENOSPC;
	case MDB_TXN_FULL:
	case MDB_READERS_FULL:
	case MDB_DBS_FULL:
		return BB_ELIMIT;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_BAD_VALSIZE:
		return BB_ECORRUPT;
	default:
		return bb_directory_errno(store->path, rc);
	}
}

static int fail(const struct bb_store *store, int rc, const char *what, struct bb_error *err)
{
	int code = bb_env_code(store, rc);

	if (rc == MDB_VERSION_MISMATCH)
		return bb_error_set(err, BB_EFORMAT,
				    "%s: data.mdb or lock.mdb is of another version of LMDB: use "
				    "the program that made it",
				    store->path);
	if (rc == ENOENT && store->read_only)
		return bb_error_set(err, BB_ENOTFOUND,
				    "%s: the store has no data.mdb yet: start the daemon first",
				    store->path);
	if (code == BB_ECORRUPT)
		return bb_error_set(err, code,
				    "%s: data.mdb is damaged (%s): restore a backup, or move the "
				    "directory away and read the topics again",
				    store->path, mdb_strerror(rc));
	return bb_error_set(err, code, "%s: cannot %s: %s", store->path, what, mdb_strerror(rc));
}

/* posix_fallocate leaves written bytes alone, so a file in use by readers is safe. */
static int reserve_lock_file(struct bb_store *store, struct bb_error *err)
{
	char file[PATH_MAX];
	struct stat st;
	int fd, rc = 0;

	snprintf(file, sizeof file, "%s/lock.mdb", store->path);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		rc = errno;
	else if (st.st_size < LOCK_FILE_BYTES || st.st_blocks * 512 < LOCK_FILE_BYTES)
		rc = posix_fallocate(fd, 0, LOCK_FILE_BYTES);
	if (fd >= 0)
		close(fd);
	return rc == 0 ? BB_OK : fail(store, rc, "reserve room for lock.mdb", err);
}

static int check_file_size(struct bb_store *store, struct bb_error *err)
{
	uint64_t needed_bytes, is_bytes;
	MDB_envinfo info;
	struct stat st;
	MDB_stat tree;
	int fd, rc;

	rc = mdb_env_info(store->env, &info);
	if (rc == 0)
		rc = mdb_env_stat(store->env, &tree);
	if (rc == 0)
		rc = mdb_env_get_fd(store->env, &fd);
	if (rc == 0 && fstat(fd, &st) != 0)
		rc = errno;
	if (rc != 0)
		return fail(store, rc, "look at data.mdb", err);
	store->page_bytes = tree.ms_psize;
	needed_bytes = ((uint64_t)info.me_last_pgno + 1) * store->page_bytes;
	is_bytes = (uint64_t)st.st_size;
	if (is_bytes >= needed_bytes)
		return BB_OK;
	return bb_error_set(err, BB_ECORRUPT,
			    "%s/data.mdb has %llu bytes where %llu are in use: it was cut short; "
			    "restore a backup, or move the directory away and read the topics "
			    "again",
			    store->path, (unsigned long long)is_bytes,
			    (unsigned long long)needed_bytes);
}

static int open_env(struct bb_store *store, const struct bb_store_options *options,
		    struct bb_error *err)
{
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD | (options->read_only ? MDB_RDONLY : 0);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t map_bytes = options->map_size_bytes ? options->map_size_bytes : MAP_BYTES_DEFAULT;
	int dead = 0, rc = mdb_env_create(&store->env);

	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, BB_TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
	/* A reader takes the map that the writer has noted in the file. */
	if (rc == 0 && !options->read_only)
		rc = mdb_env_set_mapsize(store->env, (map_bytes + page - 1) / page * page);
	if (rc == 0)
		rc = mdb_env_open(store->env, store->path, flags, 0600);
	if (rc == 0)
		rc = mdb_reader_check(store->env, &dead);
	return rc == 0 ? check_file_size(store, err) : fail(store, rc, "open data.mdb", err);
}

static int open_tables(struct bb_store *store, struct bb_error *err)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(store->env, NULL, store->read_only ? MDB_RDONLY : 0, &txn);

	for (int table = 0; rc == 0 && table < BB_TABLE_COUNT; table++)
		rc = mdb_dbi_open(txn, bb_env_table_names[table], store->read_only ? 0 : MDB_CREATE,
				  &store->tables[table]);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	if (rc == MDB_NOTFOUND)
		return bb_error_set(err, BB_ENOTFOUND,
				    "%s: the store was never opened by the daemon: start it first",
				    store->path);
	return rc == 0 ? BB_OK : fail(store, rc, "open the tables", err);
}

static int other_key(const struct bb_store *store, struct bb_error *err)
{
	return bb_error_set(err, BB_EKEY,
			    "%s was made with another profile key: profile ids would change; give "
			    "the old key, or start a new store in an empty directory",
			    store->path);
}

/* The digest proves the key without showing it. */
static struct bb_hash digest_of(const struct bb_profile_key *key)
{
	struct bb_text parts[] = {BB_TEXT("backbone store"), BB_TEXT("profile key")};

	return bb_hash_parts(key, parts, 2);
}

static int note_key(struct bb_store *store, struct bb_text digest, struct bb_error *err)
{
	struct bb_text known;
	struct bb_kv *kv;
	int rc = bb_store_write_begin(store, &kv);

	if (rc != BB_OK)
		goto out;
	rc = bb_kv_get(kv, BB_TABLE_META, KEY_DIGEST, &known);
	if (rc == BB_OK && !bb_text_equal(known, digest)) {
		bb_store_write_abort(kv);
		return other_key(store, err);
	}
	if (rc == BB_OK) {
		bb_store_write_abort(kv);
		return BB_OK;
	}
	if (rc == BB_ENOTFOUND)
		rc = bb_kv_put(kv, BB_TABLE_META, KEY_DIGEST, digest);
	if (rc == BB_OK)
		rc = bb_store_write_commit(kv);
	else
		bb_store_write_abort(kv);
out:
	if (rc != BB_OK)
		return bb_error_set(err, rc, "%s: cannot compare the profile key: %s", store->path,
				    bb_error_text(rc));
	return BB_OK;
}

static int compare_key(struct bb_store *store, struct bb_text digest, struct bb_error *err)
{
	struct bb_store_reader *reader = NULL;
	struct bb_kv *kv = NULL;
	struct bb_text known;
	bool same = false;
	int rc = bb_store_reader_new(store, &reader);

	if (rc == BB_OK)
		rc = bb_store_read_begin(reader, &kv);
	if (rc == BB_OK) {
		rc = bb_kv_get(kv, BB_TABLE_META, KEY_DIGEST, &known);
		same = rc == BB_OK && bb_text_equal(known, digest);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	if (rc == BB_OK)
		return same ? BB_OK : other_key(store, err);
	return bb_error_set(err, rc, "%s: cannot compare the profile key: %s", store->path,
			    bb_error_text(rc));
}

static int check_key(struct bb_store *store, const struct bb_profile_key *key, struct bb_error *err)
{
	struct bb_hash digest;
	struct bb_text text;

	if (!key)
		return BB_OK;
	digest = digest_of(key);
	text = bb_text_bytes(digest.b, sizeof digest.b);
	return store->read_only ? compare_key(store, text, err) : note_key(store, text, err);
}

int bb_store_open(const struct bb_store_options *options, struct bb_store **ret_store,
		  struct bb_error *err)
{
	struct bb_store *store;
	int rc;

	bb_assert(options->path && (options->read_only || options->profile_key));
	if (strlen(options->path) > PATH_MAX - 64)
		return bb_error_set(err, BB_EIO, "the path of the store is too long");
	store = calloc(1, sizeof *store);
	bb_assert(store != NULL);
	store->path = strdup(options->path);
	bb_assert(store->path != NULL);
	store->lock = -1;
	store->read_only = options->read_only;
	store->writer.base.store = store;

	if (options->read_only)
		rc = bb_directory_check(store->path, err);
	else
		rc = bb_directory_claim(store->path, &store->lock, err);
	if (rc == BB_OK && !options->read_only)
		rc = reserve_lock_file(store, err);
	if (rc == BB_OK)
		rc = open_env(store, options, err);
	if (rc == BB_OK)
		rc = open_tables(store, err);
	if (rc == BB_OK)
		rc = check_key(store, options->profile_key, err);
	store->quota_bytes = options->quota_bytes; /* from here on: a full store opens */
	if (rc == BB_OK)
		*ret_store = store;
	else
		bb_store_close(store);
	return rc;
}

void bb_store_close(struct bb_store *store)
{
	if (!store)
		return;
	bb_assert(!store->writer.base.txn);
	if (store->env)
		mdb_env_close(store->env);
	if (store->lock >= 0)
		close(store->lock);
	bb_buf_fini(&store->writer.scratch);
	free(store->path);
	free(store);
}
