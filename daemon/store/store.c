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

int bb_env_fail(const struct bb_store *store, int rc, const char *what, struct bb_error *err)
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
	return rc == 0 ? BB_OK : bb_env_fail(store, rc, "reserve room for lock.mdb", err);
}

struct size {
	int fd;
	uint64_t page_bytes, needed_bytes, is_bytes;
};

static int measure(struct bb_store *store, struct size *ret_size)
{
	MDB_envinfo info;
	struct stat st;
	MDB_stat tree;
	int rc = mdb_env_info(store->env, &info);

	if (rc == 0)
		rc = mdb_env_stat(store->env, &tree);
	if (rc == 0)
		rc = mdb_env_get_fd(store->env, &ret_size->fd);
	if (rc == 0 && fstat(ret_size->fd, &st) != 0)
		rc = errno;
	if (rc != 0)
		return rc;
	ret_size->page_bytes = tree.ms_psize;
	ret_size->needed_bytes = ((uint64_t)info.me_last_pgno + 1) * tree.ms_psize;
	ret_size->is_bytes = (uint64_t)st.st_size;
	return 0;
}

void bb_env_extend_file(struct bb_store *store)
{
	struct size size;

	if (measure(store, &size) != 0 || size.is_bytes >= size.needed_bytes)
		return;
	if (ftruncate(size.fd, (off_t)size.needed_bytes) != 0)
		return; /* the next start does it */
}

/*
 * Whether all pages beyond the end of the file are free ones: a crash came before
 * bb_env_extend_file. The file is made long enough first, so that none of its pages is a SIGBUS.
 */
static bool ends_in_free_pages(struct bb_store *store, const struct size *size)
{
	uint64_t from = size->is_bytes / store->page_bytes, pages = 0;
	MDB_txn *txn = NULL;
	int rc;

	if (store->read_only || ftruncate(size->fd, (off_t)size->needed_bytes) != 0)
		return false;
	rc = bb_env_code(store, mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn));
	if (rc == BB_OK) {
		rc = bb_env_count_free(store, txn, from, &pages);
		mdb_txn_abort(txn);
	}
	if (rc == BB_OK && pages == size->needed_bytes / store->page_bytes - from)
		return true;
	if (ftruncate(size->fd, (off_t)size->is_bytes) != 0)
		return false; /* it is refused in any case */
	return false;
}

static int check_file_size(struct bb_store *store, struct bb_error *err)
{
	struct size size;
	int rc = measure(store, &size);

	if (rc != 0)
		return bb_env_fail(store, rc, "look at data.mdb", err);
	store->page_bytes = size.page_bytes; /* here only: the writer's thread reads it later */
	if (size.is_bytes >= size.needed_bytes || ends_in_free_pages(store, &size))
		return BB_OK;
	return bb_error_set(err, BB_ECORRUPT,
			    "%s/data.mdb has %llu bytes where %llu are in use: it was cut short; "
			    "restore a backup, or move the directory away and read the topics "
			    "again",
			    store->path, (unsigned long long)size.is_bytes,
			    (unsigned long long)size.needed_bytes);
}

static int open_env(struct bb_store *store, uint64_t map_size_bytes, unsigned flags,
		    struct bb_error *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t map_bytes = map_size_bytes ? map_size_bytes : MAP_BYTES_DEFAULT;
	int dead = 0, rc = mdb_env_create(&store->env);

	flags |= MDB_NOTLS | MDB_NORDAHEAD | (store->read_only ? MDB_RDONLY : 0);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(store->env, BB_TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(store->env, READERS_MAX);
	/* A reader takes the map that the writer has noted in the file. */
	if (rc == 0 && !store->read_only)
		rc = mdb_env_set_mapsize(store->env, (map_bytes + page - 1) / page * page);
	if (rc == 0)
		rc = mdb_env_open(store->env, store->path, flags, 0600);
	if (rc == 0)
		rc = mdb_reader_check(store->env, &dead);
	return rc == 0 ? check_file_size(store, err) : bb_env_fail(store, rc, "open data.mdb", err);
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
	return rc == 0 ? BB_OK : bb_env_fail(store, rc, "open the tables", err);
}

int bb_env_open(struct bb_store *store, uint64_t map_size_bytes, unsigned flags,
		struct bb_error *err)
{
	int rc = store->read_only ? BB_OK : reserve_lock_file(store, err);

	if (rc == BB_OK)
		rc = open_env(store, map_size_bytes, flags, err);
	return rc == BB_OK ? open_tables(store, err) : rc;
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

int bb_env_copy_key(struct bb_store *from, struct bb_store *to)
{
	struct bb_store_reader *reader = NULL;
	struct bb_kv *source = NULL, *kv = NULL;
	struct bb_text digest;
	int rc = bb_store_reader_new(from, &reader);

	if (rc == BB_OK)
		rc = bb_store_read_begin(reader, &source);
	if (rc != BB_OK)
		goto out;
	rc = bb_kv_get(source, BB_TABLE_META, KEY_DIGEST, &digest);
	if (rc == BB_OK)
		rc = bb_store_write_begin(to, &kv);
	if (rc == BB_OK)
		rc = bb_kv_put(kv, BB_TABLE_META, KEY_DIGEST, digest);
	if (rc == BB_OK)
		rc = bb_store_write_commit(kv);
	else
		bb_store_write_abort(kv);
	bb_store_read_end(reader);
out:
	bb_store_reader_free(reader);
	return rc;
}

struct bb_store *bb_env_new(const char *path, bool read_only)
{
	struct bb_store *store = calloc(1, sizeof *store);

	bb_assert(store != NULL);
	store->path = strdup(path);
	bb_assert(store->path != NULL);
	store->lock = -1;
	store->read_only = read_only;
	store->writer.base.store = store;
	bb_assert(pthread_mutex_init(&store->gate, NULL) == 0);
	return store;
}

void bb_env_free(struct bb_store *store)
{
	bb_assert(!store->writer.base.txn && !store->readers);
	if (store->env)
		mdb_env_close(store->env);
	if (store->lock >= 0)
		close(store->lock);
	bb_assert(pthread_mutex_destroy(&store->gate) == 0);
	bb_buf_fini(&store->writer.scratch);
	free(store->path);
	free(store);
}

/* Data and lock file are opened one after the other: no swap may come between. */
static int open_read_only(struct bb_store *store, uint64_t map_size_bytes, struct bb_error *err)
{
	int gate = -1, rc = bb_directory_check(store->path, err);

	if (rc == BB_OK)
		rc = bb_directory_gate(store->path, false, &gate, err);
	if (rc != BB_OK)
		return rc;
	rc = bb_env_open(store, map_size_bytes, 0, err);
	close(gate);
	return rc;
}

static int open_writable(struct bb_store *store, const struct bb_store_options *options,
			 struct bb_error *err)
{
	int rc = bb_directory_claim(store->path, &store->lock, err);

	if (rc == BB_OK)
		rc = bb_directory_remove_next(store->path, err);
	if (rc != BB_OK)
		return rc;
	return bb_env_open(store, options->map_size_bytes, options->unsynced ? MDB_NOSYNC : 0, err);
}

int bb_store_open(const struct bb_store_options *options, struct bb_store **ret_store,
		  struct bb_error *err)
{
	struct bb_store *store;
	int rc;

	bb_assert(options->path && (options->read_only || options->profile_key));
	if (strlen(options->path) > PATH_MAX - 64)
		return bb_error_set(err, BB_EIO, "the path of the store is too long");
	store = bb_env_new(options->path, options->read_only);
	if (options->read_only)
		rc = open_read_only(store, options->map_size_bytes, err);
	else
		rc = open_writable(store, options, err);
	if (rc == BB_OK)
		rc = check_key(store, options->profile_key, err);
	store->quota_bytes = options->quota_bytes; /* from here on: a full store opens */
	if (rc == BB_OK)
		*ret_store = store;
	else
		bb_env_free(store);
	return rc;
}

void bb_store_close(struct bb_store *store)
{
	if (!store)
		return;
	bb_assert(!store->of);
	bb_env_free(store);
}
