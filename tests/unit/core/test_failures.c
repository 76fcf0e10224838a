/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store may do to a batch: fail at any read or write, or give damaged rows. The batch ends
 * with an error, or well; an abort and the same events again give the state that no failure gives.
 */
#include "core_rig.h"

#define BATCHES 6

/* Events that merge, split, share, join, and move amounts from one record to another. */
static void apply_batch(struct core_rig *rig, int batch)
{
	static const struct {
		int batch, day;
		const char *ids, *amount, *key;
	} rows[] = {
		{0, 1, "crm:1 mail:a dev:d", "5", NULL},
		{0, 1, "crm:2 mail:b dev:d", "7", "k1"},
		{0, 1, "", "3", "k2"},
		{1, 2, "crm:1 mail:b phone:7", "9", "k1"},
		{1, 2, "crm:3 phone:7", "4", NULL},
		{1, 2, "mail:guest dev:x", "4", "k3"},
		{2, 3, "crm:3 mail:b", "2", "k2"},
		{2, 4, "crm:3 mail:b", NULL, NULL},
		{2, 5, "crm:3 mail:b dev:y", NULL, NULL},
		{3, 6, "crm:2 dev:y", NULL, NULL},
		{3, 6, "crm:1=crm:3", "1", "k1"},
		{4, 7, "crm:4 dev:y dev:z mail:c", "6", "k2"},
		{4, 7, "crm:5=crm:4 dev:z", NULL, NULL},
		{5, 8, "card:9 crm:5 mail:guest", "8", "k3"},
		{5, 9, "crm:2 mail:a", NULL, NULL},
		{5, 10, "crm:2 mail:a", NULL, NULL},
	};

	rig->number = 100 * (unsigned)batch;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].batch != batch)
			continue;
		struct bb_event *ev =
			core_event(rig, CORE_T0 + rows[i].day * BB_DAY_MS, rows[i].ids);

		ev->log_ms = ev->time_ms;
		core_attribute(rig, ev, "name", rows[i].ids[0] ? rows[i].ids : "nobody");
		core_attribute(rig, ev, "all", rows[i].key ? rows[i].key : "none");
		if (rows[i].amount)
			core_amount(ev, rows[i].amount, rows[i].key);
		core_apply(rig, ev);
	}
}

static void init(struct core_rig *rig)
{
	static struct bb_attribute_rule attributes[] = {{"all", BB_FOLD_UNION}};

	core_rig_init(rig);
	rig->rules.attributes = attributes;
	rig->rules.attribute_n = 1;
}

static struct bb_digest run_all(struct core_rig *rig)
{
	for (int batch = 0; batch < BATCHES; batch++) {
		apply_batch(rig, batch);
		cr_assert_eq(core_end(rig), BB_OK);
	}
	return core_digest(rig);
}

/* The batch with the nth read or write failing; whether it did fail. Then again, without. */
static bool fail_once(struct core_rig *rig, int batch, bool write, uint64_t nth)
{
	if (write)
		bb_kvmem_fail_put(rig->mem, nth, BB_ENOSPC);
	else
		bb_kvmem_fail_read(rig->mem, nth, BB_EIO);
	uint64_t before = write ? bb_kvmem_puts(rig->mem) : bb_kvmem_reads(rig->mem);

	apply_batch(rig, batch);
	int rc = core_end(rig);
	uint64_t now = write ? bb_kvmem_puts(rig->mem) : bb_kvmem_reads(rig->mem);

	bb_kvmem_fail_put(rig->mem, 0, BB_OK);
	bb_kvmem_fail_read(rig->mem, 0, BB_OK);
	if (now < before + nth) {
		cr_assert_eq(rc, BB_OK);
		return false;
	}
	cr_assert_eq(rc, write ? BB_ENOSPC : BB_EIO, "batch %d, %s %llu: %d", batch,
		     write ? "write" : "read", (unsigned long long)nth, rc);
	return true;
}

static void fail_at_every(bool write)
{
	struct core_rig rig;
	struct bb_digest whole;
	size_t failures = 0;

	init(&rig);
	whole = run_all(&rig);
	core_rig_restart(&rig);
	for (int batch = 0; batch < BATCHES; batch++)
		for (uint64_t nth = 1; fail_once(&rig, batch, write, nth); nth++)
			failures++;
	cr_expect(failures > 100, "%zu", failures);
	struct bb_digest digest = core_digest(&rig);

	cr_expect(bb_hash_equal(&digest.sum, &whole.sum) && digest.profiles == whole.profiles);
	core_rig_fini(&rig);
}

Test(core, every_failed_read_ends_the_batch_and_changes_nothing)
{
	fail_at_every(false);
}

Test(core, every_failed_write_ends_the_batch_and_changes_nothing)
{
	fail_at_every(true);
}

Test(core, a_failed_commit_and_the_same_batch_again_give_the_same_state)
{
	struct core_rig rig;
	struct bb_digest whole, digest;

	init(&rig);
	whole = run_all(&rig);
	core_rig_restart(&rig);
	for (int batch = 0; batch < BATCHES; batch++) {
		bb_kvmem_fail_commit(rig.mem, 1, BB_EIO);
		apply_batch(&rig, batch);
		cr_expect_eq(core_end(&rig), BB_EIO);
		apply_batch(&rig, batch);
		cr_expect_eq(core_end(&rig), BB_OK);
	}
	digest = core_digest(&rig);
	cr_expect(bb_hash_equal(&digest.sum, &whole.sum));
	core_rig_fini(&rig);
}

Test(core, what_an_aborted_batch_counted_is_not_counted)
{
	struct core_rig rig;

	init(&rig);
	bb_kvmem_fail_commit(rig.mem, 1, BB_EIO);
	apply_batch(&rig, 0);
	cr_expect_eq(core_end(&rig), BB_EIO);
	apply_batch(&rig, 0);
	cr_expect_eq(core_end(&rig), BB_OK);
	cr_expect_eq(core_stats(&rig).events, 3);
	core_rig_fini(&rig);
}

Test(core, a_failed_read_is_what_a_viewer_returns)
{
	struct core_rig rig;
	struct bb_digest digest;
	uint64_t nth = 1;
	int rc;

	init(&rig);
	run_all(&rig);
	do {
		struct bb_kv *kv = bb_kvmem_begin(rig.mem);

		bb_viewer_free(rig.viewer);
		rig.viewer = bb_viewer_new(&rig.rules);
		bb_kvmem_fail_read(rig.mem, nth++, BB_EIO);
		rc = bb_viewer_digest(rig.viewer, kv, &digest);
		bb_kvmem_abort(kv);
		cr_expect(rc == BB_OK || rc == BB_EIO, "read %llu: %d", (unsigned long long)nth,
			  rc);
	} while (rc != BB_OK && nth < 1000);
	cr_expect(nth > 20 && nth < 1000);
	core_rig_fini(&rig);
}

/* --- damage ----------------------------------------------------------------------------------- */

/* Reads everything and folds the last batches' like, whatever the rows say. */
static void use(struct core_rig *rig, struct bb_kv *kv)
{
	struct bb_digest digest;
	struct bb_found found;
	int rc;

	bb_viewer_free(rig->viewer);
	rig->viewer = bb_viewer_new(&rig->rules);
	rc = bb_viewer_digest(rig->viewer, kv, &digest);
	cr_assert(rc <= BB_OK);
	rc = bb_viewer_find(rig->viewer, kv, BB_TEXT("crm:3"), &found);
	cr_assert(rc <= BB_OK);
	bb_pipeline_free(rig->pl);
	rig->pl = bb_pipeline_new(&rig->rules);
	rig->kv = kv;
	bb_pipeline_begin(rig->pl, kv);
	rig->number = 1000;
	for (int batch = 0; batch < BATCHES; batch++) {
		apply_batch(rig, batch); /* duplicates, as far as the window is well */
		rig->number = 1000 + 100 * (unsigned)batch;
		core_apply(rig, core_event(rig, CORE_T0 + 20 * BB_DAY_MS, "crm:1 mail:b dev:y"));
	}
	struct bb_event *ev = core_event(rig, CORE_T0, "crm:4 dev:d phone:7");

	ev->id = BB_TEXT("once more");
	core_amount(ev, "1", "k1");
	core_apply(rig, ev);
	rc = bb_pipeline_finish(rig->pl);
	cr_assert(rc <= BB_OK);
	bb_pipeline_abort(rig->pl);
	rig->kv = NULL;
}

static void damage(struct core_rig *rig, enum bb_table table, struct bb_text key, size_t byte,
		   int bit)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	struct bb_text value;
	char copy[8192];

	cr_assert_eq(bb_kv_get(kv, table, key, &value), BB_OK);
	cr_assert(value.n <= sizeof(copy));
	memcpy(copy, value.p, value.n);
	if (bit < 8)
		copy[byte] ^= (char)(1 << bit);
	value = (struct bb_text){copy, bit < 8 ? value.n : byte}; /* flipped, or cut off */
	cr_assert_eq(bb_kv_put(kv, table, key, value), BB_OK);
	use(rig, kv);
	bb_kvmem_abort(kv);
}

/* The next key of a table and the length of its value. */
static bool next_key(struct core_rig *rig, enum bb_table table, uint8_t key[BB_KV_KEY_MAX],
		     size_t *key_n, size_t *ret_value_n)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	struct bb_text found, value;
	int rc = bb_kv_seek(kv, table, bb_text_bytes(key, *key_n), *key_n > 0, &found, &value);

	if (rc == BB_OK) {
		memcpy(key, found.p, found.n);
		*key_n = found.n;
		*ret_value_n = value.n;
	}
	bb_kvmem_abort(kv);
	return rc == BB_OK;
}

Test(core, damaged_rows_are_errors_and_never_a_crash)
{
	static const enum bb_table tables[] = {
		BB_TABLE_META,	  BB_TABLE_NAME,   BB_TABLE_IDENTIFIER, BB_TABLE_MEMBERSHIP,
		BB_TABLE_PROFILE, BB_TABLE_LEDGER, BB_TABLE_WINDOW};
	struct core_rig rig;
	size_t step = 0;

	init(&rig);
	run_all(&rig);
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		uint8_t key[BB_KV_KEY_MAX];
		size_t key_n = 0, value_n;

		while (next_key(&rig, tables[t], key, &key_n, &value_n))
			for (size_t at = 0; at < 9 * value_n; at++)
				if (step++ % 7 == 0)
					damage(&rig, tables[t], bb_text_bytes(key, key_n), at / 9,
					       (int)(at % 9));
	}
	cr_expect(step > 5000, "%zu", step);
	core_rig_fini(&rig);
}
