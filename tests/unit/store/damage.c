/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Damage: bytes of data.mdb are flipped while nobody has it open, at random places, one at a time.
 * Each damaged copy is read in a process of its own. It may refuse to open, report damage, or die
 * (LMDB trusts the structure of its pages); what it must not do is give a wrong value, or say "not
 * there" about a stored key while the scrub calls the store whole.
 */
#include "place.h"
#include "seal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 600
#define VALUE_BYTES 90
#define FLIPS 1000

static struct place place;

static void setup(void)
{
	place_make(&place);
}

static void teardown(void)
{
	place_remove(&place);
}

TestSuite(store_damage, .init = setup, .fini = teardown);

enum outcome { WHOLE, REPORTED, LOST, WRONG, LOST_UNSEEN }; /* exit codes of a reading process */

static enum outcome read_entries(struct bb_kv *kv)
{
	enum outcome outcome = WHOLE;
	char key[16], value[VALUE_BYTES];
	struct bb_text found;

	for (uint32_t i = 0; i < ENTRIES; i++) {
		int rc = bb_kv_get(kv, BB_TABLE_IDENTIFIER, place_key_of(i, key), &found);

		if (rc == BB_OK && !bb_text_equal(found, place_value_of(i, VALUE_BYTES, value)))
			return WRONG;
		if (rc == BB_ENOTFOUND)
			outcome = LOST;
		else if (rc != BB_OK && outcome == WHOLE)
			outcome = REPORTED;
	}
	return outcome;
}

static enum outcome walk_entries(struct bb_kv *kv)
{
	struct bb_text key = {NULL, 0}, value;
	char expected_key[16], expected[VALUE_BYTES];
	bool after = false;
	int rc, n = 0;

	while ((rc = bb_kv_seek(kv, BB_TABLE_IDENTIFIER, key, after, &key, &value)) == BB_OK) {
		uint32_t i = ENTRIES;

		if (value.n >= sizeof i)
			memcpy(&i, value.p, sizeof i);
		if (i >= ENTRIES || !bb_text_equal(place_key_of(i, expected_key), key) ||
		    !bb_text_equal(place_value_of(i, VALUE_BYTES, expected), value))
			return WRONG;
		after = true;
		n++;
	}
	return rc != BB_ENOTFOUND ? REPORTED : n < ENTRIES ? LOST : WHOLE;
}

static enum outcome read_damaged(void)
{
	struct bb_store_options options = {
		.path = place.path, .profile_key = &place_key, .read_only = true};
	struct bb_store_reader *reader = NULL;
	struct bb_store *store = NULL;
	enum outcome outcome, walked;
	struct bb_error err = {0};
	struct bb_kv *kv = NULL;
	uint64_t values;

	if (bb_store_open(&options, &store, &err) != BB_OK ||
	    bb_store_reader_new(store, &reader) != BB_OK ||
	    bb_store_read_begin(reader, &kv) != BB_OK)
		return REPORTED;
	outcome = read_entries(kv);
	walked = walk_entries(kv);
	if (walked == WRONG || outcome == WHOLE)
		outcome = walked;
	if (outcome == LOST && bb_store_scrub(store, &values, &err) == BB_OK)
		outcome = LOST_UNSEEN;
	return outcome;
}

static void flip(int fd, off_t at, uint8_t mask)
{
	uint8_t byte;

	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= mask;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
}

Test(store_damage, never_gives_a_wrong_answer, .timeout = 300)
{
	int fd, status, died = 0, outcomes[LOST_UNSEEN + 1] = {0};
	struct bb_store *store = place_open(&place);
	uint64_t random = 11;
	char file[160];
	off_t size;

	place_fill(store, BB_TABLE_IDENTIFIER, 0, ENTRIES, VALUE_BYTES);
	bb_store_close(store);
	snprintf(file, sizeof file, "%s/data.mdb", place.path);
	fd = open(file, O_RDWR);
	size = lseek(fd, 0, SEEK_END);
	cr_assert(fd >= 0 && size > 0);
	for (int i = 0; i < FLIPS; i++) {
		off_t at;
		uint8_t mask;
		pid_t pid;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		at = (off_t)(random >> 20) % size;
		mask = (uint8_t)(1u << (random >> 60 & 7));
		flip(fd, at, mask);
		pid = fork();
		if (pid == 0) {
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			signal(SIGSEGV, SIG_DFL); /* not the test library's report */
			signal(SIGBUS, SIG_DFL);
			signal(SIGABRT, SIG_DFL);
			if (!freopen("/dev/null", "w", stderr))
				_exit(WRONG);
			alarm(20);
			_exit((int)read_damaged());
		}
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		flip(fd, at, mask);
		if (WIFSIGNALED(status)) {
			died++;
			cr_expect_neq(WTERMSIG(status), SIGALRM, "byte %lld: no end",
				      (long long)at);
			continue;
		}
		cr_assert(WEXITSTATUS(status) <= LOST_UNSEEN);
		outcomes[WEXITSTATUS(status)]++;
		cr_expect(WEXITSTATUS(status) < WRONG, "byte %lld mask %02x: %s", (long long)at,
			  mask, WEXITSTATUS(status) == WRONG ? "wrong" : "lost, and not seen");
	}
	close(fd);
	cr_expect(outcomes[REPORTED] > FLIPS / 10, "%d reported", outcomes[REPORTED]);
	cr_expect(died < FLIPS / 50, "%d died", died);
	printf("%d flips: %d harmless, %d reported, %d lost and seen by the scrub, %d died\n",
	       FLIPS, outcomes[WHOLE], outcomes[REPORTED], outcomes[LOST], died);
}

Test(store_damage, is_counted_and_found_by_the_scrub)
{
	struct bb_store *store = place_open(&place);
	struct bb_store_reader *reader = NULL;
	struct bb_store_stats stats;
	char file[160], key[16], *bytes, *hit;
	struct bb_error err = {0};
	char expected[VALUE_BYTES];
	struct bb_text value;
	struct bb_kv *kv;
	uint64_t values;
	size_t n;
	int fd;

	place_fill(store, BB_TABLE_IDENTIFIER, 0, ENTRIES, VALUE_BYTES);
	cr_assert_eq(bb_store_scrub(store, &values, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(values, ENTRIES + 1);
	bb_store_close(store);

	bytes = place_read(&place, "data.mdb", &n);
	place_value_of(77, VALUE_BYTES, expected);
	hit = memmem(bytes, n, expected, VALUE_BYTES);
	cr_assert_not_null(hit);
	snprintf(file, sizeof file, "%s/data.mdb", place.path);
	fd = open(file, O_RDWR);
	flip(fd, hit - bytes, 1);
	close(fd);
	free(bytes);

	store = place_open(&place);
	cr_assert_eq(bb_store_scrub(store, &values, &err), BB_ECORRUPT);
	cr_assert(strstr(err.msg, "table identifier"), "%s", err.msg);
	cr_assert_eq(bb_store_reader_new(store, &reader), BB_OK);
	cr_assert_eq(bb_store_read_begin(reader, &kv), BB_OK);
	cr_assert_eq(bb_kv_get(kv, BB_TABLE_IDENTIFIER, place_key_of(77, key), &value),
		     BB_ECORRUPT);
	bb_store_read_end(reader);
	bb_store_reader_free(reader);
	cr_assert_eq(bb_store_stats(store, &stats), BB_OK);
	cr_assert_eq(stats.checksum_failures, 2);
	bb_store_close(store);
}

/* Every single flipped bit of a sealed value, and every cut, is found out. */
Test(store_damage, breaks_the_seal)
{
	static const size_t sizes[] = {0, 1, 7, 127, 128, 300, 20000};
	struct bb_text key = BB_TEXT("a key"), out, whole;
	struct bb_buf buf = BB_BUF_EMPTY;
	char payload[20000];

	for (size_t row = 0; row < sizeof sizes / sizeof sizes[0]; row++) {
		size_t n = sizes[row];

		bb_seal_put(&buf, BB_TABLE_NAME, key, place_value_of(5, n, payload));
		whole = bb_buf_slice(&buf);
		cr_assert(bb_seal_open(BB_TABLE_NAME, key, whole, &out), "row %zu", row);
		cr_assert(bb_text_equal(out, (struct bb_text){payload, n}), "row %zu", row);
		cr_expect_not(bb_seal_open(BB_TABLE_META, key, whole, &out), "row %zu", row);
		cr_expect_not(bb_seal_open(BB_TABLE_NAME, BB_TEXT("a kez"), whole, &out));
		for (size_t cut = 0; cut < whole.n; cut += 1 + whole.n / 50)
			cr_expect_not(bb_seal_open(BB_TABLE_NAME, key, (struct bb_text){buf.p, cut},
						   &out),
				      "row %zu cut %zu", row, cut);
		for (size_t bit = 0; bit < 8 * whole.n; bit += 1 + whole.n / 100) {
			buf.p[bit / 8] ^= (char)(1 << bit % 8);
			cr_expect_not(bb_seal_open(BB_TABLE_NAME, key, whole, &out),
				      "row %zu bit %zu", row, bit);
			buf.p[bit / 8] ^= (char)(1 << bit % 8);
		}
	}
	bb_buf_fini(&buf);
}
