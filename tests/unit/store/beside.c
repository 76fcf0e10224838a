/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second store that takes the place of the first: nothing of deleted values is left, readers go
 * on over it, a death at any step leaves one of the two, whole. The full disk needs a small tmpfs;
 * where none can be mounted the test says so and is skipped.
 */
#include "place.h"

#include <backbone/beside.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTRIES = 4000, VALUE_BYTES = 300 };

static struct place place;

static void setup(void)
{
	place_make(&place);
}

static void teardown(void)
{
	place_remove(&place);
}

TestSuite(store_beside, .init = setup, .fini = teardown);

/* Canary texts stand for what was erased: every second entry, and all of another table. */
static struct bb_text canary(uint32_t i, char buf[VALUE_BYTES])
{
	int n;

	memset(buf, '.', VALUE_BYTES);
	n = snprintf(buf, VALUE_BYTES, "CANARY-%u-", i);
	buf[n] = '.';
	return (struct bb_text){buf, VALUE_BYTES};
}

static void put_canaries(struct bb_store *store, enum bb_table table)
{
	char key[16], value[VALUE_BYTES];
	struct bb_kv *kv;

	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 1; i < ENTRIES; i += 2)
		cr_assert_eq(bb_kv_put(kv, table, place_key_of(i, key), canary(i, value)), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

static void delete_canaries(struct bb_store *store, enum bb_table table)
{
	struct bb_kv *kv;
	char key[16];

	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 1; i < ENTRIES; i += 2)
		cr_assert_eq(bb_kv_del(kv, table, place_key_of(i, key)), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

static void fill_even(struct bb_store *store)
{
	char key[16], value[VALUE_BYTES];
	struct bb_kv *kv;

	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 0; i < ENTRIES; i += 2)
		cr_assert_eq(bb_kv_put(kv, BB_TABLE_PROFILE, place_key_of(i, key),
				       place_value_of(i, VALUE_BYTES, value)),
			     BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

static struct bb_store *with_canaries(void)
{
	struct bb_store *store = place_open(&place);

	fill_even(store);
	put_canaries(store, BB_TABLE_PROFILE);
	put_canaries(store, BB_TABLE_WINDOW);
	delete_canaries(store, BB_TABLE_PROFILE);
	delete_canaries(store, BB_TABLE_WINDOW);
	return store;
}

/* How often the word occurs in the files of the store's folder, and below `next`. */
static size_t count_word(const char *word)
{
	DIR *dir = opendir(place.path);
	struct dirent *entry;
	size_t found = 0, n;

	cr_assert_not_null(dir);
	while ((entry = readdir(dir))) {
		const char *p;
		char *bytes;

		cr_assert_str_neq(entry->d_name, "next");
		if (entry->d_name[0] == '.')
			continue;
		bytes = place_read(&place, entry->d_name, &n);
		for (p = bytes; (p = memmem(p, n - (size_t)(p - bytes), word, strlen(word))); p++)
			found++;
		free(bytes);
	}
	closedir(dir);
	return found;
}

static bool holds_even(struct bb_kv *kv)
{
	char key[16], value[VALUE_BYTES];
	struct bb_text is;

	for (uint32_t i = 0; i < ENTRIES; i++) {
		int rc = bb_kv_get(kv, BB_TABLE_PROFILE, place_key_of(i, key), &is);

		if (i % 2 ? rc != BB_ENOTFOUND
			  : rc != BB_OK ||
				    !bb_text_equal(is, place_value_of(i, VALUE_BYTES, value)))
			return false;
	}
	return true;
}

static void expect_even(struct bb_store *store)
{
	struct bb_store_reader *reader = NULL;
	struct bb_error err = {0};
	uint64_t values = 0;
	struct bb_kv *kv;

	cr_assert_eq(bb_store_scrub(store, &values, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(values, ENTRIES / 2 + 1); /* and the digest of the key */
	cr_assert_eq(bb_store_reader_new(store, &reader), BB_OK);
	cr_assert_eq(bb_store_read_begin(reader, &kv), BB_OK);
	cr_assert(holds_even(kv));
	bb_store_read_end(reader);
	bb_store_reader_free(reader);
}

static struct bb_store *compacted(struct bb_store *store)
{
	struct bb_store *beside = NULL;
	struct bb_error err = {0};

	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_compact(store, beside, NULL, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_finish(store, beside, &err), BB_OK, "%s", err.msg);
	return beside;
}

Test(store_beside, leaves_no_byte_of_deleted_values)
{
	struct bb_store *store = with_canaries(), *beside;
	struct bb_error err = {0};

	cr_assert_gt(count_word("CANARY-"), 0, "the test finds nothing to remove");
	beside = compacted(store);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(count_word("CANARY-"), 0);
	expect_even(store);
	bb_store_close(store);
	cr_assert_eq(count_word("CANARY-"), 0);
	store = place_open(&place);
	expect_even(store);
	bb_store_close(store);
}

Test(store_beside, readers_and_writers_go_on_over_a_swap)
{
	struct bb_store *store = with_canaries(), *beside = NULL;
	struct bb_store_reader *used = NULL, *unused = NULL;
	struct bb_error err = {0};
	struct bb_store_stats stats;
	uint64_t before;
	struct bb_kv *kv;

	cr_assert_eq(bb_store_reader_new(store, &used), BB_OK);
	cr_assert_eq(bb_store_reader_new(store, &unused), BB_OK);
	for (int round = 0; round < 3; round++) {
		cr_assert_eq(bb_store_read_begin(used, &kv), BB_OK);
		cr_assert(holds_even(kv));
		before = bb_store_read_version(used);
		beside = compacted(store); /* beside an open snapshot */
		cr_assert_eq(bb_store_swap(store, beside, &err), BB_EBUSY);
		cr_assert(holds_even(kv));
		bb_store_read_end(used);
		cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
		cr_assert_eq(bb_store_read_begin(used, &kv), BB_OK);
		cr_assert_gt(bb_store_read_version(used), before, "round %d", round);
		cr_assert(holds_even(kv));
		bb_store_read_end(used);
		cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
		put_canaries(store, BB_TABLE_LEDGER);
		delete_canaries(store, BB_TABLE_LEDGER);
	}
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert_gt(stats.last_txn, before);
	bb_store_reader_free(used);
	bb_store_reader_free(unused);
	expect_even(store);
	bb_store_close(store);
}

/* What is written to it counts, under the same key; the first store's contents are gone. */
Test(store_beside, takes_what_was_written_to_it)
{
	struct bb_store *store = with_canaries(), *beside = NULL;
	struct bb_error err = {0};
	struct bb_store_stats stats;

	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	place_fill(beside, BB_TABLE_NAME, 0, 100, 50);
	place_fill(beside, BB_TABLE_NAME, 100, 200, 50);
	cr_assert_eq(bb_store_finish(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	bb_store_close(store);
	store = place_open(&place);
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert_eq(stats.entries[BB_TABLE_NAME], 200);
	cr_assert_eq(stats.entries[BB_TABLE_PROFILE], 0);
	cr_assert_eq(stats.entries[BB_TABLE_META], 1);
	bb_store_close(store);
}

Test(store_beside, takes_the_place_of_one_that_went_on_meanwhile)
{
	struct bb_store *store = place_open(&place), *beside;
	struct bb_error err = {0};
	struct bb_kv *kv;
	char key[16], value[VALUE_BYTES];

	fill_even(store);
	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	cr_expect_eq(bb_store_room(store, beside, &err), BB_OK, "%s", err.msg);
	for (int i = 0; i < 2; i++) { /* what the first gets, the second gets as well */
		cr_assert_eq(bb_store_write_begin(i ? beside : store, &kv), BB_OK);
		cr_assert_eq(bb_kv_put(kv, BB_TABLE_LEDGER, place_key_of(7, key),
				       place_value_of(7, VALUE_BYTES, value)),
			     BB_OK);
		cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	}
	bb_store_abreast(store, beside);
	cr_assert_eq(bb_store_finish(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	bb_store_close(store);
	store = place_open(&place);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	cr_expect_eq(bb_kv_seek(kv, BB_TABLE_LEDGER, BB_TEXT(""), false, &(struct bb_text){0},
				&(struct bb_text){0}),
		     BB_OK);
	cr_expect_eq(bb_kv_seek(kv, BB_TABLE_PROFILE, BB_TEXT(""), false, &(struct bb_text){0},
				&(struct bb_text){0}),
		     BB_ENOTFOUND, "of the second alone");
	bb_store_write_abort(kv);
	bb_store_close(store);
}

Test(store_beside, waits_for_a_tool_that_is_just_opening)
{
	struct bb_store *store = with_canaries(), *beside = compacted(store);
	int tool = open(place.path, O_RDONLY | O_DIRECTORY);
	struct bb_error err = {0};

	cr_assert(tool >= 0 && flock(tool, LOCK_SH) == 0);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_EBUSY);
	cr_assert(strstr(err.msg, "opening"), "%s", err.msg);
	close(tool);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	expect_even(store);
	bb_store_close(store);
}

Test(store_beside, a_gate_that_cannot_be_had_changes_nothing)
{
	struct bb_store *store = with_canaries(), *beside = compacted(store);
	struct rlimit before, none;
	struct bb_error err = {0};

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_expect_eq(bb_store_swap(store, beside, &err), BB_EBUSY);
	cr_expect_eq(err.code, BB_EBUSY);
	cr_expect(strstr(err.msg, "Too many open files"), "%s", err.msg);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_even(store);
	cr_assert_eq(bb_store_swap(store, beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	expect_even(store);
	bb_store_close(store);
}

struct asked {
	uint64_t calls, done, total;
	bool go_on;
};

static bool on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct asked *asked = ctx;

	cr_assert(done >= asked->done && done <= total);
	asked->calls++;
	asked->done = done;
	asked->total = total;
	return asked->go_on;
}

Test(store_beside, tells_how_far_it_is_and_can_be_given_up)
{
	struct bb_store *store = place_open(&place), *beside = NULL;
	struct asked asked = {.go_on = true};
	struct bb_store_progress progress = {on_progress, &asked};
	struct bb_error err = {0};

	place_fill(store, BB_TABLE_PROFILE, 0, 10000, 2000); /* more than one slice */
	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_compact(store, beside, &progress, &err), BB_OK, "%s", err.msg);
	cr_assert(asked.calls > 1 && asked.done == 10001 && asked.total == 10001);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	asked = (struct asked){.go_on = false};
	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_compact(store, beside, &progress, &err), BB_EBUSY);
	cr_assert_eq(asked.calls, 1);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(count_word("CANARY-"), 0); /* and no folder next */
	bb_store_close(store);
}

Test(store_beside, refuses_to_copy_damaged_bytes)
{
	struct bb_store *store = place_open(&place), *beside = NULL;
	char file[256], one = 'X';
	struct bb_error err = {0};
	const char *word;
	char *bytes;
	size_t n;
	int fd;

	place_fill(store, BB_TABLE_NAME, 0, 20, 1000);
	bb_store_close(store);
	bytes = place_read(&place, "data.mdb", &n);
	snprintf(file, sizeof file, "%s/data.mdb", place.path);
	fd = open(file, O_WRONLY);
	for (word = bytes; (word = memmem(word, n - (size_t)(word - bytes), "key-", 4)); word++)
		cr_assert_eq(pwrite(fd, &one, 1, word - bytes + 200), 1);
	close(fd);
	free(bytes);
	store = place_open(&place);
	cr_assert_eq(bb_store_open_beside(store, &beside, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_compact(store, beside, NULL, &err), BB_ECORRUPT);
	cr_assert(strstr(err.msg, "table name"), "%s", err.msg);
	cr_assert_eq(bb_store_close_beside(beside, &err), BB_OK, "%s", err.msg);
	bb_store_close(store);
}

/* --- death ------------------------------------------------------------------------------------ */

enum step { OPENED, HALF, COPIED, FINISHED, SWAPPED, CLOSED, STEPS };

static bool die(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx, (void)done, (void)total;
	raise(SIGKILL);
	return false;
}

static void die_at(enum step step, enum step now)
{
	if (step == now)
		raise(SIGKILL);
}

/* In a process of its own. The contents of the second differ from the first's by one entry. */
static void swap_and_die(enum step step)
{
	struct bb_store_progress progress = {die, NULL};
	struct bb_store *store, *beside = NULL;
	struct bb_error err = {0};
	int rc = bb_store_open(
		&(struct bb_store_options){.path = place.path, .profile_key = &place_key}, &store,
		&err);

	if (rc == BB_OK)
		rc = bb_store_open_beside(store, &beside, &err);
	die_at(step, OPENED);
	if (rc == BB_OK)
		rc = bb_store_compact(store, beside, step == HALF ? &progress : NULL, &err);
	die_at(step, COPIED);
	place_fill(beside, BB_TABLE_AUDIT, 0, 1, 10);
	if (rc == BB_OK)
		rc = bb_store_finish(store, beside, &err);
	die_at(step, FINISHED);
	if (rc == BB_OK)
		rc = bb_store_swap(store, beside, &err);
	die_at(step, SWAPPED);
	if (rc == BB_OK)
		rc = bb_store_close_beside(beside, &err);
	die_at(step, CLOSED);
	_exit(1);
}

Test(store_beside, a_death_at_any_step_leaves_the_old_or_the_new)
{
	for (enum step step = OPENED; step < STEPS; step++) {
		struct bb_store_stats stats;
		struct bb_store *store;
		int status;
		pid_t pid;

		place_clear(&place);
		store = with_canaries();
		bb_store_close(store);
		pid = fork();
		if (pid == 0)
			swap_and_die(step);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "step %d", step);
		store = place_open(&place);
		cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
		cr_assert_eq(stats.entries[BB_TABLE_AUDIT], step >= SWAPPED, "step %d", step);
		cr_assert_eq(stats.entries[BB_TABLE_PROFILE], ENTRIES / 2, "step %d", step);
		cr_assert_eq(stats.checksum_failures, 0);
		if (step >= SWAPPED)
			cr_assert_eq(count_word("CANARY-"), 0, "step %d", step);
		else
			cr_assert_gt(count_word("CANARY-"), 0, "step %d: no folder next", step);
		bb_store_close(store);
	}
}

static int open_and_copy(void)
{
	struct bb_store *store, *beside = NULL;
	struct bb_error err = {0};
	int rc = bb_store_open(
		&(struct bb_store_options){.path = place.path, .profile_key = &place_key}, &store,
		&err);

	if (rc == BB_OK)
		rc = bb_store_open_beside(store, &beside, &err);
	if (rc == BB_OK)
		rc = bb_store_compact(store, beside, NULL, &err);
	return rc == BB_OK ? bb_store_finish(store, beside, &err) : rc;
}

/* The names after a death between the two renames: the new lock file beside the old data. */
Test(store_beside, opens_the_old_data_beside_the_new_lock_file)
{
	struct bb_store *store = with_canaries();
	char from[256], to[256];
	int status;
	pid_t pid;

	bb_store_close(store);
	pid = fork();
	if (pid == 0) {
		if (open_and_copy() != BB_OK)
			_exit(2);
		snprintf(from, sizeof from, "%s/next/lock.mdb", place.path);
		snprintf(to, sizeof to, "%s/lock.mdb", place.path);
		if (rename(from, to) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status), "status %d", status);
	store = place_open(&place);
	expect_even(store);
	fill_even(store);
	expect_even(store);
	bb_store_close(store);
}

/* --- a full disk ------------------------------------------------------------------------------ */

static int try_on_a_full_disk(void)
{
	struct bb_store *store = place_open(&place), *beside = NULL;
	struct bb_error err = {0};
	int rc;

	place_fill(store, BB_TABLE_PROFILE, 0, 3000, 1000); /* more than half of it */
	if (bb_store_open_beside(store, &beside, &err) != BB_OK)
		return 1;
	if (bb_store_compact(store, beside, NULL, &err) != BB_ENOSPC ||
	    !strstr(err.msg, "make room"))
		return 2;
	/* what the estimate does not know: the disk fills up meanwhile */
	for (uint32_t i = 0, code = 0; !code; i++) {
		struct bb_kv *kv;
		char key[16], value[4000];

		if (i > 4000)
			return 3;
		rc = bb_store_write_begin(beside, &kv);
		if (rc == BB_OK)
			rc = bb_kv_put(kv, BB_TABLE_NAME, place_key_of(i, key),
				       place_value_of(i, sizeof value, value));
		if (rc == BB_OK)
			rc = bb_store_write_commit(kv);
		else
			bb_store_write_abort(kv);
		code = rc != BB_OK;
	}
	if (rc != BB_ENOSPC || bb_store_close_beside(beside, &err) != BB_OK)
		return 4;
	/* and the first store is as it was */
	if (bb_store_scrub(store, &(uint64_t){0}, &err) != BB_OK)
		return 5;
	place_fill(store, BB_TABLE_NAME, 0, 10, 100);
	bb_store_close(store);
	return 0;
}

Test(store_beside, a_full_disk_leaves_the_store_as_it_was)
{
	int status;
	pid_t pid;

	if (mount("tmpfs", place.root, "tmpfs", 0, "size=8m") != 0) {
		fprintf(stderr,
			"SKIPPED: store_beside/a_full_disk_leaves_the_store_as_it_was: cannot "
			"mount a small tmpfs: %s\n",
			strerror(errno));
		cr_skip_test("cannot mount a small tmpfs");
	}
	pid = fork(); /* a SIGBUS must not keep the mount */
	if (pid == 0)
		_exit(try_on_a_full_disk());
	cr_expect(waitpid(pid, &status, 0) == pid);
	cr_expect_eq(umount2(place.root, MNT_DETACH), 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}
