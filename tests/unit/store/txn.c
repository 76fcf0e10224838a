/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What transactions promise: durable after commit, nothing after abort or a failed commit,
 * snapshots that stand still, readers on other threads, quota, full map, full disk. The full disk
 * needs a small tmpfs; where none can be mounted the test says so and is skipped.
 */
#include "place.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static struct place place;

static void setup(void)
{
	place_make(&place);
}

static void teardown(void)
{
	place_remove(&place);
}

TestSuite(store_txn, .init = setup, .fini = teardown);

static struct bb_store *open_with(struct bb_store_options options)
{
	struct bb_store *store = NULL;
	struct bb_error err = {0};

	options.path = place.path;
	options.profile_key = &place_key;
	cr_assert_eq(bb_store_open(&options, &store, &err), BB_OK, "%s", err.msg);
	return store;
}

static uint64_t entries(struct bb_store *store, enum bb_table table)
{
	struct bb_store_stats stats;

	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	return stats.entries[table];
}

static void scrub(struct bb_store *store)
{
	struct bb_error err = {0};
	uint64_t values;

	cr_assert_eq(bb_store_scrub(store, &values, &err), BB_OK, "%s", err.msg);
}

Test(store_txn, keeps_nothing_of_what_was_aborted)
{
	struct bb_store *store = place_open(&place);
	struct bb_kv *kv;

	place_fill(store, BB_TABLE_NAME, 0, 5, 10);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_NAME, BB_TEXT("x"), BB_TEXT("y")), BB_OK);
	bb_store_write_abort(kv);
	bb_store_write_abort(NULL);
	cr_assert_eq(entries(store, BB_TABLE_NAME), 5);
	bb_store_close(store);
}

Test(store_txn, survives_a_kill_after_commit)
{
	int status;
	pid_t pid = fork();
	struct bb_store *store;

	if (pid == 0) {
		struct bb_kv *kv;

		store = place_open(&place);
		place_fill(store, BB_TABLE_NAME, 0, 300, 50);
		if (bb_store_write_begin(store, &kv) == BB_OK &&
		    bb_kv_put(kv, BB_TABLE_NAME, BB_TEXT("cut"), BB_TEXT("off")) == BB_OK)
			raise(SIGKILL);
		_exit(1);
	}
	cr_assert(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	store = place_open(&place);
	cr_assert_eq(entries(store, BB_TABLE_NAME), 300);
	scrub(store);
	bb_store_close(store);
}

Test(store_txn, shows_readers_a_snapshot)
{
	struct bb_store *store = place_open(&place);
	struct bb_store_reader *reader = NULL;
	struct bb_text value;
	struct bb_kv *kv;
	char key[16];

	place_fill(store, BB_TABLE_NAME, 0, 10, 10);
	cr_assert_eq(bb_store_reader_new(store, &reader), BB_OK);
	cr_assert_eq(bb_store_read_begin(reader, &kv), BB_OK);
	place_fill(store, BB_TABLE_NAME, 10, 20, 10);
	cr_assert_eq(bb_kv_get(kv, BB_TABLE_NAME, place_key_of(15, key), &value), BB_ENOTFOUND);
	bb_store_read_end(reader);
	cr_assert_eq(bb_store_read_begin(reader, &kv), BB_OK);
	cr_assert_eq(bb_kv_get(kv, BB_TABLE_NAME, place_key_of(15, key), &value), BB_OK);
	bb_store_read_end(reader);
	bb_store_reader_free(reader);
	bb_store_reader_free(NULL);
	bb_store_close(store);
}

struct reading {
	struct bb_store *store;
	uint64_t wrong;
};

static void *read_all(void *ctx)
{
	struct reading *reading = ctx;
	struct bb_store_reader *reader = NULL;
	char key[16], value[40];
	struct bb_text found;
	struct bb_kv *kv;

	if (bb_store_reader_new(reading->store, &reader) != BB_OK) {
		reading->wrong++;
		return NULL;
	}
	for (int round = 0; round < 30; round++) {
		reading->wrong += bb_store_read_begin(reader, &kv) != BB_OK;
		for (uint32_t i = 0; i < 500; i++)
			reading->wrong += bb_kv_get(kv, BB_TABLE_NAME, place_key_of(i, key),
						    &found) != BB_OK ||
					  !bb_text_equal(found, place_value_of(i, 40, value));
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	return NULL;
}

Test(store_txn, serves_readers_on_other_threads)
{
	struct bb_store *store = place_open(&place);
	struct reading readings[3] = {{store, 0}, {store, 0}, {store, 0}};
	pthread_t threads[3];

	place_fill(store, BB_TABLE_NAME, 0, 500, 40);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, read_all, &readings[i]), 0);
	for (uint32_t round = 1; round < 20; round++)
		place_fill(store, BB_TABLE_NAME, 500 * round, 500 * round + 500, 40);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		cr_assert_eq(readings[i].wrong, 0);
	}
	bb_store_close(store);
}

Test(store_txn, runs_out_of_reader_slots_politely)
{
	struct bb_store *store = place_open(&place);
	struct bb_store_reader *readers[3000];
	size_t n = 0;
	int rc = BB_OK;

	while (rc == BB_OK && n < 3000)
		rc = bb_store_reader_new(store, &readers[n++]);
	cr_assert_eq(rc, BB_ELIMIT);
	for (size_t i = 0; i + 1 < n; i++)
		bb_store_reader_free(readers[i]);
	bb_store_close(store);
}

/* BB_OK never; in *ret_committed how many entries were durable before. */
static int fill_until_it_fails(struct bb_store *store, uint32_t *ret_committed)
{
	static char value[3000];
	char key[16];
	struct bb_kv *kv;
	int rc;

	for (uint32_t batch = 0; batch < 100000; batch++) {
		*ret_committed = batch * 20;
		rc = bb_store_write_begin(store, &kv);
		if (rc != BB_OK)
			return rc;
		for (uint32_t i = 0; rc == BB_OK && i < 20; i++)
			rc = bb_kv_put(kv, BB_TABLE_PROFILE, place_key_of(batch * 20 + i, key),
				       place_value_of(i, sizeof value, value));
		if (rc != BB_OK) { /* nothing but its end is of use, and all say the same */
			bool alike =
				bb_kv_put(kv, BB_TABLE_META, BB_TEXT("k"), BB_TEXT("v")) == rc &&
				bb_kv_del(kv, BB_TABLE_META, BB_TEXT("k")) == rc &&
				bb_store_write_commit(kv) == rc;

			return alike ? rc : BB_OK;
		}
		rc = bb_store_write_commit(kv);
		if (rc != BB_OK)
			return rc;
	}
	return BB_OK;
}

Test(store_txn, says_no_space_when_the_map_is_full)
{
	struct bb_store *store =
		open_with((struct bb_store_options){.map_size_bytes = 1024 * 1024 + 1});
	uint32_t committed;

	for (int again = 0; again < 3; again++) {
		cr_assert_eq(fill_until_it_fails(store, &committed), BB_ENOSPC);
		cr_assert_geq(entries(store, BB_TABLE_PROFILE), committed);
	}
	scrub(store);
	bb_store_close(store);
	store = open_with((struct bb_store_options){.map_size_bytes = 8 * 1024 * 1024});
	place_fill(store, BB_TABLE_NAME, 0, 100, 1000);
	bb_store_close(store);
}

Test(store_txn, says_no_space_above_the_quota)
{
	struct bb_store *store = open_with((struct bb_store_options){.quota_bytes = 1024 * 1024});
	struct bb_store_stats stats;
	uint32_t committed;
	struct bb_kv *kv;
	char key[16];

	cr_assert_eq(fill_until_it_fails(store, &committed), BB_ENOSPC);
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert(stats.used_bytes > 1024 * 1024 && stats.used_bytes < 2 * 1024 * 1024);
	bb_store_close(store);

	/* with a greater quota entries go away; then the small one holds again */
	store = place_open(&place);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 0; i < committed / 2; i++)
		cr_assert_eq(bb_kv_del(kv, BB_TABLE_PROFILE, place_key_of(i, key)), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	bb_store_close(store);
	store = open_with((struct bb_store_options){.quota_bytes = 1024 * 1024});
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	bb_store_write_abort(kv);
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert_gt(stats.free_bytes, 0);
	bb_store_close(store);
}

/* In a process of its own, which must not speak to the test library. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                 \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static bool holds(struct bb_store *store, uint32_t profiles)
{
	struct bb_store_stats stats;
	struct bb_error err;
	uint64_t values;

	return bb_store_stats(store, &stats) == BB_OK &&
	       stats.entries[BB_TABLE_PROFILE] == profiles &&
	       bb_store_scrub(store, &values, &err) == BB_OK;
}

static int open_here(struct bb_store **ret_store)
{
	struct bb_store_options options = {.path = place.path, .profile_key = &place_key};
	struct bb_error err = {0};
	int rc = bb_store_open(&options, ret_store, &err);

	if (rc != BB_OK)
		fprintf(stderr, "%s\n", err.msg);
	return rc;
}

static void on_a_full_disk(void)
{
	struct bb_store *store = NULL;
	uint32_t committed, more;
	struct bb_kv *kv;

	MUST(open_here(&store) == BB_OK);
	MUST(fill_until_it_fails(store, &committed) == BB_ENOSPC);
	MUST(committed > 0 && holds(store, committed));
	bb_store_close(store);
	MUST(open_here(&store) == BB_OK); /* full, and still served */
	MUST(holds(store, committed));
	MUST(fill_until_it_fails(store, &more) == BB_ENOSPC);
	MUST(holds(store, committed > more ? committed : more));
	/* room comes back: it goes on by itself */
	MUST(mount("tmpfs", place.root, "tmpfs", MS_REMOUNT, "size=16m") == 0);
	MUST(bb_store_write_begin(store, &kv) == BB_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		char key[16], value[1000];

		MUST(bb_kv_put(kv, BB_TABLE_NAME, place_key_of(i, key),
			       place_value_of(i, sizeof value, value)) == BB_OK);
	}
	MUST(bb_store_write_commit(kv) == BB_OK);
	bb_store_close(store);
	/* no room even for the first files */
	MUST(mount("tmpfs", place.root, "tmpfs", MS_REMOUNT, "nr_inodes=8") == 0);
	for (size_t n = strlen(place.path), i = 0; i < 4; i++) {
		snprintf(place.path + n, sizeof place.path - n, "%zu", i);
		if (open_here(&store) == BB_ENOSPC)
			return;
		bb_store_close(store);
	}
	MUST(!"a disk without inodes is full");
}

Test(store_txn, says_no_space_when_the_disk_is_full)
{
	int status;
	pid_t pid;

	if (mount("tmpfs", place.root, "tmpfs", 0, "size=2m") != 0) {
		fprintf(stderr,
			"SKIPPED: store_txn/says_no_space_when_the_disk_is_full: cannot mount a "
			"small tmpfs: %s\n",
			strerror(errno));
		cr_skip_test("cannot mount a small tmpfs");
	}
	pid = fork(); /* a SIGBUS must not keep the mount */
	if (pid == 0) {
		on_a_full_disk();
		_exit(0);
	}
	cr_expect(waitpid(pid, &status, 0) == pid);
	cr_expect_eq(umount2(place.root, MNT_DETACH), 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

/* LMDB never writes pages at the end of the file that one transaction takes and gives back. */
Test(store_txn, a_store_that_lost_most_of_it_opens_again)
{
	struct bb_store *store = place_open(&place);
	struct bb_kv *kv;
	char key[16];

	place_fill(store, BB_TABLE_PROFILE, 0, 4000, 300);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 0; i < 4000; i++)
		if (i % 100)
			cr_assert_eq(bb_kv_del(kv, BB_TABLE_PROFILE, place_key_of(i, key)), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	bb_store_close(store);
	store = place_open(&place);
	cr_assert_eq(entries(store, BB_TABLE_PROFILE), 40);
	scrub(store);
	bb_store_close(store);
}
