/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of kv.h, held by both implementations: a long random walk of puts, deletes, gets,
 * seeks, commits and aborts on LMDB and in memory side by side, compared after every step; and what
 * the memory's ordered failures do. A difference fails with the step's number.
 */
#include "kvmem.h"
#include "place.h"

#include <criterion/criterion.h>

#define STEPS 60000

static struct place place;

static void setup(void)
{
	place_make(&place);
}

static void teardown(void)
{
	place_remove(&place);
}

TestSuite(store, .init = setup, .fini = teardown);

struct pair { /* both stores, both transactions */
	struct bb_store *store;
	struct bb_kvmem *mem;
	struct bb_kv *disk, *memory;
	uint64_t random;
};

static uint32_t pick(struct pair *pair, uint32_t n)
{
	pair->random = pair->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(pair->random >> 33) % n;
}

static struct bb_text random_key(struct pair *pair, char *buf)
{
	size_t n = 1 + pick(pair, pick(pair, 20) == 0 ? BB_KV_KEY_MAX : 3);

	for (size_t i = 0; i < n; i++)
		buf[i] = (char)(pick(pair, 8) * 36);
	return (struct bb_text){buf, n};
}

static struct bb_text random_value(struct pair *pair, char *buf)
{
	size_t n = pick(pair, pick(pair, 50) == 0 ? 9000 : 300);

	memset(buf, (int)pick(pair, 256), n);
	return (struct bb_text){buf, n};
}

static void begin(struct pair *pair)
{
	cr_assert_eq(bb_store_write_begin(pair->store, &pair->disk), BB_OK);
	pair->memory = bb_kvmem_begin(pair->mem);
}

static void end(struct pair *pair)
{
	if (pick(pair, 3) == 0) {
		bb_store_write_abort(pair->disk);
		bb_kvmem_abort(pair->memory);
	} else {
		cr_assert_eq(bb_store_write_commit(pair->disk), BB_OK);
		cr_assert_eq(bb_kvmem_commit(pair->memory), BB_OK);
	}
}

static void compare_get(struct pair *pair, enum bb_table table, struct bb_text key, int step)
{
	struct bb_text a = {0}, b = {0};
	int rc = bb_kv_get(pair->disk, table, key, &a);

	cr_assert_eq(rc, bb_kv_get(pair->memory, table, key, &b), "step %d", step);
	cr_assert(rc == BB_ENOTFOUND || bb_text_equal(a, b), "step %d: other values", step);
}

static void compare_seek(struct pair *pair, enum bb_table table, struct bb_text key, int step)
{
	struct bb_text key_a = {0}, key_b = {0}, a = {0}, b = {0};
	bool after = pick(pair, 2);
	int rc;

	for (int hop = 0; hop < 5; hop++, after = true) {
		rc = bb_kv_seek(pair->disk, table, key, after, &key_a, &a);
		cr_assert_eq(rc, bb_kv_seek(pair->memory, table, key, after, &key_b, &b), "step %d",
			     step);
		if (rc != BB_OK)
			return;
		cr_assert(bb_text_equal(key_a, key_b) && bb_text_equal(a, b), "step %d", step);
		key = key_a;
	}
}

Test(store, agrees_with_the_one_in_memory)
{
	struct pair pair = {.store = place_open(&place), .mem = bb_kvmem_new(), .random = 7};
	char key_buf[BB_KV_KEY_MAX], value_buf[9000];
	struct bb_text key, value;
	enum bb_table table;

	begin(&pair);
	for (int step = 0; step < STEPS; step++) {
		if (pick(&pair, 500) == 0) {
			end(&pair);
			begin(&pair);
		}
		table = (enum bb_table)(BB_TABLE_NAME + pick(&pair, 3));
		key = random_key(&pair, key_buf);
		switch (pick(&pair, 4)) {
		case 0:
			value = random_value(&pair, value_buf);
			cr_assert_eq(bb_kv_put(pair.disk, table, key, value), BB_OK);
			cr_assert_eq(bb_kv_put(pair.memory, table, key, value), BB_OK);
			break;
		case 1:
			cr_assert_eq(bb_kv_del(pair.disk, table, key),
				     bb_kv_del(pair.memory, table, key), "step %d", step);
			break;
		case 2:
			compare_get(&pair, table, key, step);
			break;
		default:
			key.n = pick(&pair, 10) == 0 ? 0 : key.n;
			compare_seek(&pair, table, key, step);
		}
	}
	end(&pair);
	bb_store_close(pair.store);
	bb_kvmem_free(pair.mem);
}

/* A value read from the transaction may be put back under another key. */
Test(store, puts_what_it_has_lent)
{
	struct bb_store *store = place_open(&place);
	struct bb_text value;
	struct bb_kv *kv;
	char key[16];

	place_fill(store, BB_TABLE_PROFILE, 0, 500, 700);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	for (uint32_t i = 0; i < 500; i++) {
		char expected[700];

		cr_assert_eq(bb_kv_get(kv, BB_TABLE_PROFILE, place_key_of(i, key), &value), BB_OK);
		cr_assert_eq(bb_kv_put(kv, BB_TABLE_PROFILE, place_key_of(i + 500, key), value),
			     BB_OK);
		cr_assert_eq(bb_kv_get(kv, BB_TABLE_PROFILE, place_key_of(i + 500, key), &value),
			     BB_OK);
		cr_assert(bb_text_equal(value, place_value_of(i, 700, expected)));
	}
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	bb_store_close(store);
}

Test(store, memory_fails_as_ordered)
{
	struct bb_kvmem *mem = bb_kvmem_new();
	struct bb_kv *kv = bb_kvmem_begin(mem);
	struct bb_text value;

	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("a"), BB_TEXT("old")), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);

	kv = bb_kvmem_begin(mem);
	bb_kvmem_fail_put(mem, 2, BB_ENOSPC);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("a"), BB_TEXT("new")), BB_OK);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("b"), BB_TEXT("new")), BB_ENOSPC);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_META, BB_TEXT("c"), BB_TEXT("new")), BB_ENOSPC);
	cr_assert_eq(bb_kv_del(kv, BB_TABLE_META, BB_TEXT("a")), BB_ENOSPC);
	cr_assert_eq(bb_kvmem_commit(kv), BB_ENOSPC);

	kv = bb_kvmem_begin(mem);
	cr_assert_eq(bb_kv_get(kv, BB_TABLE_META, BB_TEXT("a"), &value), BB_OK);
	cr_assert(bb_text_equal(value, BB_TEXT("old")));
	bb_kvmem_fail_read(mem, 1, BB_ECORRUPT);
	cr_assert_eq(bb_kv_get(kv, BB_TABLE_META, BB_TEXT("a"), &value), BB_ECORRUPT);
	cr_assert_eq(bb_kv_del(kv, BB_TABLE_META, BB_TEXT("a")), BB_OK);
	bb_kvmem_fail_commit(mem, 1, BB_EIO);
	cr_assert_eq(bb_kvmem_commit(kv), BB_EIO);
	cr_assert_eq(bb_kvmem_entries(mem, BB_TABLE_META), 1);
	bb_kvmem_free(mem);
}
