/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the change feed: blocks, bounds, damage, and how erased people leave them. */
#include "changes.h"
#include "feed.h"
#include "feed_rig.h"

#include <stdio.h>
#include <stdlib.h>

static void many(int n, const char *prefix)
{
	char ids[64];

	for (int i = 0; i < n; i++) {
		snprintf(ids, sizeof(ids), "crm:%s%d phone:%s%d", prefix, i, prefix, i);
		core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, ids));
	}
	cr_assert_eq(core_end(&feed_rig), BB_OK);
}

static void range(uint64_t *ret_first, uint64_t *ret_last)
{
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);

	cr_assert_eq(bb_change_range(kv, ret_first, ret_last), BB_OK);
	bb_kvmem_abort(kv);
}

FEED_TEST(a_batch_of_many_fills_blocks_and_every_number_is_found)
{
	many(2000, "a");
	feed_catch_up();
	cr_expect_eq(feed_consumer.at, 2000);
	cr_expect_lt(bb_kvmem_entries(feed_rig.mem, BB_TABLE_CHANGE), 40);
}

FEED_TEST(beyond_the_most_the_oldest_go)
{
	uint64_t first, last;

	feed_rig.rules.changes_max = 300;
	many(1000, "a");
	range(&first, &last);
	cr_expect(first == 1 && last == 1000, "what a batch wrote stays");
	for (int i = 0; i < 10; i++)
		core_say(&feed_rig, CORE_T0, "crm:b");
	range(&first, &last);
	cr_expect_eq(last, 1010);
	cr_expect_geq(first, 711);
	cr_expect_leq(first, 900);
}

FEED_TEST(beyond_the_age_the_oldest_go)
{
	uint64_t first, last;

	many(1000, "a");
	feed_rig.rules.changes_age_ms = -BB_DAY_MS;
	many(1, "b");
	many(1, "c");
	range(&first, &last);
	cr_expect(first == 1002 && last == 1002, "%llu to %llu", (unsigned long long)first,
		  (unsigned long long)last);
}

FEED_TEST(without_a_feed_numbers_go_on_and_history_stays)
{
	uint64_t first, last;

	feed_rig.rules.changes_max = 0;
	core_say(&feed_rig, CORE_T0, "crm:1 phone:7");
	core_say(&feed_rig, CORE_T0, "card:9");
	core_say(&feed_rig, CORE_T0, "crm:1 card:9");
	range(&first, &last);
	cr_expect(first == 5 && last == 4, "%llu to %llu", (unsigned long long)first,
		  (unsigned long long)last);
	cr_expect_str_eq(feed_history("crm:1"), "merged 3");
}

FEED_TEST(nothing_ever_is_no_range)
{
	uint64_t first, last;
	struct bb_change change;
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);

	cr_expect_eq(bb_change_next(kv, 0, &feed_rig.arena, &change), BB_ENOTFOUND);
	cr_expect_eq(bb_change_next(kv, UINT64_MAX, &feed_rig.arena, &change), BB_ENOTFOUND);
	bb_kvmem_abort(kv);
	range(&first, &last);
	cr_expect(first == 0 && last == 0);
}

FEED_TEST(a_history_keeps_the_newest)
{
	uint64_t cursor = 0, n = 0;
	struct bb_hash id = feed_hash("crm:1");
	struct bb_change change;
	char ids[64];
	struct bb_kv *kv;

	feed_rig.rules.max_identifiers = 1000;
	feed_rig.ns[CORE_DEV].records = BB_NO_LIMIT;
	feed_say(1, "crm:1");
	for (int i = 0; i < 160; i++) {
		snprintf(ids, sizeof(ids), "dev:%d", i);
		core_say(&feed_rig, CORE_T0 + 2 * BB_DAY_MS, ids);
		snprintf(ids, sizeof(ids), "crm:1 dev:%d", i);
		core_say(&feed_rig, CORE_T0 + 2 * BB_DAY_MS, ids);
	}
	kv = bb_kvmem_begin(feed_rig.mem);
	while (bb_change_history(kv, &id, &cursor, &feed_rig.arena, &change) == BB_OK)
		n++;
	bb_kvmem_abort(kv);
	cr_expect_geq(n, BB_CHANGE_HISTORY_MAX);
	cr_expect_leq(n, BB_CHANGE_HISTORY_MAX + 32);
}

/* --- damage ----------------------------------------------------------------------------------- */

static void write_row(enum bb_table table, struct bb_text key, struct bb_text value)
{
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);

	cr_assert_eq(bb_kv_put(kv, table, key, value), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
}

FEED_TEST(damage_is_found)
{
	static const char *const blocks[] = {"", "\x01", "\x01\x02\x00\x0f", "\x09\x02\x00"};
	uint8_t key[BB_FEED_KEY_BYTES], history_key[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_hash id = feed_hash("crm:1");
	struct bb_change change;
	uint64_t first, last, cursor;

	feed_say(1, "crm:1");
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct bb_text value = {blocks[i], i == 1 ? 1 : i == 2 ? 4 : i == 3 ? 3 : 0};
		struct bb_kv *kv;

		write_row(BB_TABLE_CHANGE, bb_feed_key(key, 1), value);
		write_row(BB_TABLE_CHANGE, bb_feed_history_key(history_key, &id, 1), value);
		kv = bb_kvmem_begin(feed_rig.mem);
		cr_expect_eq(bb_change_next(kv, 0, &feed_rig.arena, &change), BB_ECORRUPT,
			     "block %zu", i);
		cursor = 0;
		cr_expect_eq(bb_change_history(kv, &id, &cursor, &feed_rig.arena, &change),
			     BB_ECORRUPT, "block %zu", i);
		if (i != 2)
			cr_expect_eq(bb_change_range(kv, &first, &last), BB_ECORRUPT, "block %zu",
				     i);
		bb_kvmem_abort(kv);
	}
	core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, "crm:1"));
	cr_expect_eq(core_end(&feed_rig), BB_ECORRUPT, "trimming reads the oldest");
	write_row(BB_TABLE_META, BB_FEED_LAST, BB_TEXT("no"));
	core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, "crm:1"));
	cr_expect_eq(core_end(&feed_rig), BB_ECORRUPT);
}

FEED_TEST(a_topic_that_is_no_name_is_damage)
{
	struct bb_feed_entry entry = {
		.kind = BB_CHANGE_CREATED, .profile = feed_hash("crm:1"), .has_position = true};
	struct bb_buf buf = BB_BUF_EMPTY;
	uint8_t key[BB_FEED_KEY_BYTES];
	struct bb_change change;
	struct bb_kv *kv;

	bb_feed_put_block(&buf, &(struct bb_feed_block){1, 1, {NULL, 0}});
	entry.topic = 77;
	bb_feed_put_entry(&buf, &entry);
	write_row(BB_TABLE_CHANGE, bb_feed_key(key, 1), bb_buf_slice(&buf));
	kv = bb_kvmem_begin(feed_rig.mem);
	cr_expect_eq(bb_change_next(kv, 0, &feed_rig.arena, &change), BB_ECORRUPT);
	bb_kvmem_abort(kv);
	bb_buf_fini(&buf);
}

/* --- erasure ---------------------------------------------------------------------------------- */

/* A batch that says only that these identifiers are being erased. */
static void forget(const char *const *keys, size_t n)
{
	struct bb_batch batch = {.rules = &feed_rig.rules,
				 .kv = bb_kvmem_begin(feed_rig.mem),
				 .names = bb_names_new(),
				 .cause = BB_CAUSE_ERASURE,
				 .cause_id = BB_TEXT("request-1")};
	struct bb_hash ids[8];

	for (size_t i = 0; i < n; i++)
		ids[i] = feed_hash(keys[i]);
	bb_arena_init(&batch.arena);
	cr_assert_eq(bb_names_load(batch.names, batch.kv), BB_OK);
	batch.ns_n = bb_names_count(batch.names, BB_NAME_NAMESPACE);
	batch.ns_of_id = calloc(batch.ns_n + 1, sizeof(*batch.ns_of_id));
	for (size_t i = 0; i < batch.ns_n; i++)
		batch.ns_of_id[i] = bb_rules_namespace(
			&feed_rig.rules, bb_names_text(batch.names, BB_NAME_NAMESPACE, i));
	bb_changes_erased(&batch, ids, n);
	cr_assert_eq(batch.err, BB_OK);
	cr_assert_eq(bb_kvmem_commit(batch.kv), BB_OK);
	bb_table_fini(&batch.idents);
	bb_table_fini(&batch.profiles);
	bb_buf_fini(&batch.buf);
	bb_names_free(batch.names);
	free(batch.ns_of_id);
	bb_arena_fini(&batch.arena);
}

FEED_TEST(erased_ids_leave_older_changes_and_histories)
{
	static const char *const keys[] = {"crm:1", "phone:7", "card:9"};

	feed_say(5, "crm:1 phone:7"); /* 1: created crm:1 */
	feed_say(1, "phone:7");	      /* 2: phone:7 renamed from crm:1 */
	feed_say(2, "card:9");	      /* 3: created card:9 */
	feed_say(3, "crm:1 card:9");  /* 4: card:9 merged into phone:7; 5: updated */
	feed_say(3, "crm:2");	      /* 6: created crm:2 */
	cr_assert_eq(feed_consumer.at, 6);
	forget(keys, 3);
	for (uint64_t n = 1; n <= 5; n++)
		feed_expect(n, BB_CHANGE_ERASED, NULL, NULL);
	feed_expect(6, BB_CHANGE_CREATED, "crm:2", NULL);
	cr_expect_str_eq(feed_history("crm:1"), "");
	cr_expect_str_eq(feed_history("card:9"), "");
	/* all ids that had ended, and the living one, once more; in the order of their hashes */
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);
	struct bb_change change;
	uint64_t at = 6;

	while (bb_change_next(kv, at, &feed_rig.arena, &change) == BB_OK) {
		cr_expect_eq(change.number, ++at);
		cr_expect_eq(change.kind, BB_CHANGE_ERASED);
		cr_expect_eq(change.cause, BB_CAUSE_ERASURE);
		cr_expect(bb_text_equal(change.cause_id, BB_TEXT("request-1")));
		feed_end(&change, &change.profile, true);
	}
	bb_kvmem_abort(kv);
	cr_expect_eq(at, 9);
	cr_expect_eq(feed_consumer.n, 1, "crm:2 lives");
}

FEED_TEST(a_consumer_in_the_midst_of_what_is_erased_ends_it_too)
{
	static const char *const keys[] = {"crm:1", "phone:7"};

	feed_say(5, "crm:1 phone:7");
	core_say(&feed_rig, CORE_T0, "phone:7"); /* renamed; not consumed before the erasure */
	core_say(&feed_rig, CORE_T0, "crm:2");
	forget(keys, 2);
	struct bb_kv *kv = bb_kvmem_begin(feed_rig.mem);
	struct bb_change change;

	while (bb_change_next(kv, feed_consumer.at, &feed_rig.arena, &change) == BB_OK)
		feed_consume(&change);
	bb_kvmem_abort(kv);
	cr_expect_eq(feed_consumer.n, 1);
	struct bb_hash other = feed_hash("crm:2");

	cr_expect_eq(feed_index(&other), 0);
}

FEED_TEST(what_a_change_says_of_others_stays)
{
	static const char *const keys[] = {"crm:1"};

	feed_say(5, "crm:1 phone:7");
	feed_say(1, "phone:7"); /* 2: phone:7 renamed from crm:1 */
	feed_say(2, "card:9");
	feed_say(3, "phone:7 card:9"); /* 4: card:9 merged into phone:7 */
	forget(keys, 1);
	feed_expect(1, BB_CHANGE_ERASED, NULL, NULL);
	feed_expect(2, BB_CHANGE_RENAMED, "phone:7", NULL);
	feed_expect(4, BB_CHANGE_MERGED, "card:9", "phone:7");
	cr_expect_str_eq(feed_history("phone:7"), "renamed 2, merged 4");
	static const char *const more[] = {"phone:7"};

	forget(more, 1);
	feed_expect(2, BB_CHANGE_ERASED, NULL, NULL);
	feed_expect(4, BB_CHANGE_MERGED, "card:9", NULL);
	cr_expect_str_eq(feed_history("card:9"), "merged 4");
}

FEED_TEST(a_renaming_into_an_erased_id_still_ends_the_old_one)
{
	static const char *const keys[] = {"phone:7"};

	feed_say(5, "crm:1 phone:7");
	feed_say(1, "phone:7");
	forget(keys, 1);
	feed_expect(2, BB_CHANGE_MERGED, "crm:1", NULL);
	cr_expect_str_eq(feed_history("crm:1"), "merged 2");
}
