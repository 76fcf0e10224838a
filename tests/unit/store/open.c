/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which directories become a store, which are refused and how it is said; two daemons; tools beside
 * a running daemon. A refused directory must be left as it was.
 */
#include "place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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

TestSuite(store_open, .init = setup, .fini = teardown);

static struct bb_store_options usual(void)
{
	return (struct bb_store_options){.path = place.path, .profile_key = &place_key};
}

Test(store_open, makes_a_store_and_opens_it_again)
{
	struct bb_store *store = place_open(&place);
	struct bb_store_stats stats;
	struct stat st;
	char *format;
	size_t n;

	place_fill(store, BB_TABLE_META, 0, 10, 20);
	bb_store_close(store);
	format = place_read(&place, "FORMAT", &n);
	cr_assert_str_eq(format, "backbone store\nformat 1\nmade-by " BB_VERSION "\n");
	free(format);
	cr_assert(stat(place.path, &st) == 0 && (st.st_mode & 0777) == 0700);

	store = place_open(&place);
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert_eq(stats.entries[BB_TABLE_META], 11); /* and the digest of the key */
	cr_assert_eq(stats.checksum_failures, 0);
	cr_assert(stats.file_bytes >= stats.used_bytes && stats.used_bytes > 0);
	bb_store_close(store);
}

struct directory_row {
	const char *name, *text; /* a file in the directory */
	int code;
	const char *says; /* a part of the message */
};

/* Every table has its row: what lies in the directory decides. */
Test(store_open, looks_at_the_directory_first)
{
	static const struct directory_row rows[] = {
		{"LOCK", "", BB_OK, ""}, /* a crash before FORMAT was written */
		{"FORMAT.new", "back", BB_OK, ""},
		{"letters.txt", "dear", BB_EFORMAT, "letters.txt"},
		{"data.mdb", "", BB_EFORMAT, "no FORMAT file"},
		{"FORMAT", "backbone store\nformat 1\n", BB_OK, ""},
		{"FORMAT", "", BB_EFORMAT, "not a store"},
		{"FORMAT", "PNG image 42", BB_EFORMAT, "not a store"},
		{"FORMAT", "backbone store\nformat \n", BB_EFORMAT, "no format number"},
		{"FORMAT", "backbone store\nformat 1x\n", BB_EFORMAT, "no format number"},
		{"FORMAT", "backbone store\nformat 0\n", BB_EFORMAT, "no format number"},
		{"FORMAT", "backbone store\nformat 2\nmade-by 7.1\n", BB_EFORMAT, "version 7.1"},
		{"FORMAT", "backbone store\nformat 99999999999999999999\n", BB_EFORMAT,
		 "of format"},
	};
	struct bb_store_options options = usual();
	struct bb_error err;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		place_clear(&place);
		place_write(&place, rows[i].name, rows[i].text);
		cr_expect_eq(place_try(&options, &err), rows[i].code, "row %zu: %s", i, err.msg);
		cr_expect(rows[i].code == BB_OK || strstr(err.msg, rows[i].says),
			  "row %zu says: %s", i, err.msg);
		if (rows[i].code != BB_OK) {
			size_t n;
			char *now = place_read(&place, rows[i].name, &n);

			cr_expect_str_eq(now, rows[i].text, "row %zu was touched", i);
			free(now);
		}
	}
}

Test(store_open, refuses_another_profile_key)
{
	static const struct bb_profile_key other = {{9}};
	struct bb_store_options options = usual();
	struct bb_error err;

	bb_store_close(place_open(&place));
	options.profile_key = &other;
	cr_assert_eq(place_try(&options, &err), BB_EKEY);
	options.read_only = true;
	cr_assert_eq(place_try(&options, &err), BB_EKEY);
	options.profile_key = NULL; /* a tool that needs no names */
	cr_assert_eq(place_try(&options, &err), BB_OK, "%s", err.msg);
	options = usual();
	cr_assert_eq(place_try(&options, &err), BB_OK, "%s", err.msg);
}

Test(store_open, refuses_a_second_writer)
{
	struct bb_store *store = place_open(&place);
	struct bb_store_options options = usual();
	char process[32];
	struct bb_error err;

	snprintf(process, sizeof process, "process %ld", (long)getpid());
	cr_assert_eq(place_try(&options, &err), BB_EBUSY);
	cr_assert(strstr(err.msg, process), "%s", err.msg);
	bb_store_close(store);
	cr_assert_eq(place_try(&options, &err), BB_OK, "%s", err.msg);
}

Test(store_open, does_not_make_a_store_for_a_reader)
{
	struct bb_store_options options = usual();
	struct stat st;
	struct bb_error err;

	options.read_only = true;
	cr_assert_eq(place_try(&options, &err), BB_ENOTFOUND);
	cr_assert_neq(stat(place.path, &st), 0);
	place_write(&place, "LOCK", "");
	cr_assert_eq(place_try(&options, &err), BB_ENOTFOUND);
	place_write(&place, "other", "");
	cr_assert_eq(place_try(&options, &err), BB_EFORMAT);
	unlink("other");
	place_write(&place, "FORMAT", "backbone store\nformat 1\n");
	cr_assert_eq(place_try(&options, &err), BB_ENOTFOUND, "%s", err.msg);
	cr_assert(strstr(err.msg, "start the daemon"), "%s", err.msg);
}

Test(store_open, says_what_cannot_be_read_or_made)
{
	struct bb_store_options options = usual();
	char path[160], long_path[8192];
	struct bb_error err;

	snprintf(path, sizeof path, "%s/no/such/parent", place.root);
	options.path = path;
	cr_assert_eq(place_try(&options, &err), BB_EIO);
	cr_assert(strstr(err.msg, path) && strstr(err.msg, "No such file"), "%s", err.msg);
	for (int slash = 0; slash < 2; slash++) {
		snprintf(path, sizeof path, "%s/link", place.root);
		cr_assert(symlink("/no/such/disk", path) == 0 || slash);
		strcat(path, slash ? "/" : "");
		for (int read_only = 0; read_only < 2; read_only++) {
			options.read_only = read_only;
			cr_assert_eq(place_try(&options, &err), BB_EIO);
			cr_assert(strstr(err.msg, "is a link to /no/such/disk, which does not"),
				  "%s", err.msg);
		}
	}
	options.read_only = false;
	snprintf(path, sizeof path, "%s/file", place.root);
	fclose(fopen(path, "w"));
	cr_assert_eq(place_try(&options, &err), BB_EIO);
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[sizeof long_path - 1] = '\0';
	options.path = long_path;
	cr_assert_eq(place_try(&options, &err), BB_EIO);
}

Test(store_open, refuses_a_file_that_is_no_database_or_was_cut)
{
	struct bb_store_options options = usual();
	struct bb_store *store = place_open(&place);
	char file[160];
	struct bb_error err;

	place_fill(store, BB_TABLE_META, 0, 1000, 100);
	bb_store_close(store);
	snprintf(file, sizeof file, "%s/data.mdb", place.path);
	cr_assert_eq(truncate(file, 20000), 0);
	cr_assert_eq(place_try(&options, &err), BB_ECORRUPT);
	cr_assert(strstr(err.msg, "cut short"), "%s", err.msg);
	options.read_only = true;
	cr_assert_eq(place_try(&options, &err), BB_ECORRUPT);
	options.read_only = false;
	place_write(&place, "data.mdb",
		    "this is no database, but long enough to be read as one"
		    "...............................................");
	cr_assert_eq(place_try(&options, &err), BB_ECORRUPT);
	cr_assert(strstr(err.msg, "damaged"), "%s", err.msg);
}

/* In a process of its own, as a tool is. Returns how many of n entries it saw right. */
static int read_beside(uint32_t n)
{
	struct bb_store_options options = usual();
	struct bb_store_reader *reader = NULL;
	struct bb_store *store = NULL;
	struct bb_error err = {0};
	struct bb_kv *kv = NULL;
	char key[16], value[64];
	struct bb_text found;
	int right = 0;

	options.read_only = true;
	if (bb_store_open(&options, &store, &err) != BB_OK ||
	    bb_store_reader_new(store, &reader) != BB_OK ||
	    bb_store_read_begin(reader, &kv) != BB_OK)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (bb_kv_get(kv, BB_TABLE_NAME, place_key_of(i, key), &found) == BB_OK &&
		    bb_text_equal(found, place_value_of(i, sizeof value, value)))
			right++;
	bb_store_read_end(reader);
	bb_store_reader_free(reader);
	bb_store_close(store);
	return right;
}

Test(store_open, lets_tools_read_beside_the_daemon)
{
	struct bb_store *store = place_open(&place);
	int status;
	pid_t pid;

	place_fill(store, BB_TABLE_NAME, 0, 100, 64);
	pid = fork();
	if (pid == 0)
		_exit(read_beside(100) == 100 ? 0 : 1);
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	place_fill(store, BB_TABLE_NAME, 100, 200, 64);
	bb_store_close(store);
}

/* A reader that was killed inside its snapshot must not hold pages for ever. */
Test(store_open, clears_the_slots_of_killed_readers)
{
	struct bb_store_options options = usual();
	struct bb_store_stats before, after;
	int status, ready[2];
	struct bb_store *store;
	char byte;
	pid_t pid;

	bb_store_close(place_open(&place));
	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		struct bb_store_reader *reader = NULL;
		struct bb_error err;
		struct bb_kv *kv;

		options.read_only = true;
		if (bb_store_open(&options, &store, &err) == BB_OK &&
		    bb_store_reader_new(store, &reader) == BB_OK &&
		    bb_store_read_begin(reader, &kv) == BB_OK && write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	store = place_open(&place);
	place_fill(store, BB_TABLE_NAME, 0, 2000, 100);
	cr_assert_eq(bb_store_stats(store, &before), BB_OK);
	for (int round = 0; round < 20; round++)
		place_fill(store, BB_TABLE_NAME, 0, 2000, 100);
	cr_assert_eq(bb_store_stats(store, &after), BB_OK);
	cr_assert(after.file_bytes < 4 * before.file_bytes, "%llu -> %llu",
		  (unsigned long long)before.file_bytes, (unsigned long long)after.file_bytes);
	bb_store_close(store);
}
