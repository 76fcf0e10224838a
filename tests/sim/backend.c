/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in memory or a real one in a temporary directory, behind one face. Failures are ordered
 * from the one in memory; on disk an ordered failure is a commit that is not tried, as after a
 * crash.
 */
#include "run.h"

#include "kvmem.h"

#include <backbone/adopt.h>
#include <backbone/assert.h>
#include <backbone/beside.h>
#include <backbone/carry.h>
#include <backbone/store.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define PUTS_BITS 11 /* of how many puts or reads a large batch does */

struct bb_backend {
	const struct bb_rules *rules;
	struct bb_kvmem *mem; /* NULL: on disk */
	struct bb_kv *reading;
	struct bb_store *store;
	struct bb_store_reader *reader;
	char path[128];
	bool fail;
};

static void open_store(struct bb_backend *backend)
{
	struct bb_store_options options = {
		.path = backend->path,
		.map_size_bytes = UINT64_C(1) << 30,
		.profile_key = &backend->rules->profile_key,
	};
	struct bb_error err = {0};
	int rc = bb_store_open(&options, &backend->store, &err);

	if (rc != BB_OK)
		fprintf(stderr, "%s\n", err.msg);
	bb_assert(rc == BB_OK);
	rc = bb_store_reader_new(backend->store, &backend->reader);
	bb_assert(rc == BB_OK);
}

static void close_store(struct bb_backend *backend)
{
	bb_store_reader_free(backend->reader);
	bb_store_close(backend->store);
}

struct bb_backend *bb_backend_new(const struct bb_rules *rules, bool disk)
{
	struct bb_backend *backend = calloc(1, sizeof *backend);
	const char *tmp = getenv("TMPDIR");

	bb_assert(backend);
	backend->rules = rules;
	if (!disk) {
		backend->mem = bb_kvmem_new();
		return backend;
	}
	snprintf(backend->path, sizeof backend->path, "%.100s/bb-sim-XXXXXX", tmp ? tmp : "/tmp");
	tmp = mkdtemp(backend->path);
	bb_assert(tmp);
	open_store(backend);
	return backend;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void bb_backend_free(struct bb_backend *backend)
{
	bb_kvmem_free(backend->mem);
	if (!backend->mem) {
		close_store(backend);
		nftw(backend->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	}
	free(backend);
}

/* A second store takes the place of the first, as when it is purged. */
static void purge(struct bb_backend *backend)
{
	struct bb_store *beside = NULL;
	struct bb_error err = {0};
	int rc = bb_store_open_beside(backend->store, &beside, &err);

	if (rc == BB_OK)
		rc = bb_store_compact(backend->store, beside, NULL, &err);
	if (rc == BB_OK)
		rc = bb_store_finish(backend->store, beside, &err);
	if (rc == BB_OK)
		rc = bb_store_swap(backend->store, beside, &err);
	if (rc == BB_OK)
		rc = bb_store_close_beside(beside, &err);
	if (rc != BB_OK)
		fprintf(stderr, "%s\n", err.msg);
	bb_assert(rc == BB_OK);
}

void bb_backend_reopen(struct bb_backend *backend, bool purged)
{
	if (backend->mem)
		return;
	if (purged)
		purge(backend);
	close_store(backend);
	open_store(backend);
}

void bb_backend_carry(struct bb_backend *from, struct bb_backend *to)
{
	struct bb_kv *kv = bb_backend_begin(to);
	int rc = bb_erasure_carry(bb_backend_read_begin(from), kv);

	bb_assert(rc == BB_OK);
	bb_backend_read_end(from);
	rc = bb_backend_commit(to, kv);
	bb_assert(rc == BB_OK);
}

void bb_backend_carry_late(struct bb_backend *from, struct bb_backend *to, struct bb_pipeline *pl)
{
	struct bb_carried carried = {.more = true};
	struct bb_arena arena;

	bb_arena_init(&arena);
	while (carried.more) {
		struct bb_kv *kv = bb_backend_begin(to);
		int rc;

		bb_pipeline_begin(pl, kv);
		rc = bb_carry_more(bb_backend_read_begin(from), kv, pl, &from->rules->profile_key,
				   &arena, &carried);
		bb_backend_read_end(from);
		bb_assert(rc == BB_OK && carried.rulings == 0);
		rc = bb_pipeline_finish(pl);
		bb_assert(rc == BB_OK);
		rc = bb_backend_commit(to, kv);
		bb_assert(rc == BB_OK);
	}
	bb_arena_fini(&arena);
}

static int adopt_begin(void *ctx, struct bb_kv **ret_kv)
{
	*ret_kv = bb_backend_begin(ctx);
	return BB_OK;
}

void bb_backend_adopt(struct bb_backend *backend, const struct bb_rules *rules)
{
	struct bb_backend *other = bb_backend_new(rules, !backend->mem), old;
	struct bb_adopt_target target = {
		.write_begin = adopt_begin,
		.write_commit = backend->mem ? bb_kvmem_commit : bb_store_write_commit,
		.write_abort = backend->mem ? bb_kvmem_abort : bb_store_write_abort,
		.ctx = other,
	};
	int rc = bb_adopt(bb_backend_read_begin(backend), rules, &target);

	bb_assert(rc == BB_OK);
	bb_backend_read_end(backend);
	old = *backend;
	*backend = *other;
	*other = old;
	bb_backend_free(other);
}

struct bb_kv *bb_backend_begin(struct bb_backend *backend)
{
	struct bb_kv *kv = NULL;
	int rc;

	if (backend->mem)
		return bb_kvmem_begin(backend->mem);
	rc = bb_store_write_begin(backend->store, &kv);
	bb_assert(rc == BB_OK);
	return kv;
}

int bb_backend_commit(struct bb_backend *backend, struct bb_kv *kv)
{
	if (backend->mem)
		return bb_kvmem_commit(kv);
	if (backend->fail) {
		bb_store_write_abort(kv);
		return BB_EIO;
	}
	return bb_store_write_commit(kv);
}

void bb_backend_abort(struct bb_backend *backend, struct bb_kv *kv)
{
	if (backend->mem)
		bb_kvmem_abort(kv);
	else
		bb_store_write_abort(kv);
}

struct bb_kv *bb_backend_read_begin(struct bb_backend *backend)
{
	int rc;

	if (backend->mem) {
		backend->reading = bb_kvmem_begin(backend->mem);
		return backend->reading;
	}
	rc = bb_store_read_begin(backend->reader, &backend->reading);
	bb_assert(rc == BB_OK);
	return backend->reading;
}

void bb_backend_read_end(struct bb_backend *backend)
{
	if (backend->mem)
		bb_kvmem_abort(backend->reading);
	else
		bb_store_read_end(backend->reader);
}

void bb_backend_order_failure(struct bb_backend *backend, struct bb_random *random)
{
	static const int codes[] = {BB_ENOSPC, BB_EIO};
	size_t nth = bb_random_between(random, 1, (size_t)1 << bb_random_below(random, PUTS_BITS));

	backend->fail = true;
	if (!backend->mem)
		return;
	switch (bb_random_below(random, 3)) {
	case 0:
		bb_kvmem_fail_commit(backend->mem, 1, BB_RANDOM_PICK(random, codes));
		break;
	case 1:
		bb_kvmem_fail_read(backend->mem, nth, BB_EIO);
		break;
	default:
		bb_kvmem_fail_put(backend->mem, nth, BB_RANDOM_PICK(random, codes));
	}
}

void bb_backend_cancel_failure(struct bb_backend *backend)
{
	backend->fail = false;
	if (!backend->mem)
		return;
	bb_kvmem_fail_commit(backend->mem, 0, BB_OK);
	bb_kvmem_fail_read(backend->mem, 0, BB_OK);
	bb_kvmem_fail_put(backend->mem, 0, BB_OK);
}
