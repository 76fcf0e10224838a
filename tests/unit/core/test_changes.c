/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What batches say in the change feed. The law of it: whoever applies it in order has exactly the
 * ids of the store after every batch, and never ends an id that is not there or begins one that is.
 */
#include "feed_rig.h"

#include <stdio.h>

FEED_TEST(a_new_profile_is_created_then_updated)
{
	feed_say(1, "crm:1 phone:7");
	feed_say(2, "crm:1 phone:7");
	feed_expect(1, BB_CHANGE_CREATED, "crm:1", NULL);
	feed_expect(2, BB_CHANGE_UPDATED, "crm:1", NULL);
	cr_expect_eq(feed_consumer.at, 2);
	cr_expect_str_eq(feed_history("crm:1"), "");
}

FEED_TEST(several_records_of_a_profile_in_one_batch_are_one_change)
{
	for (int i = 0; i < 3; i++)
		cr_assert_eq(core_apply(&feed_rig, core_event(&feed_rig, CORE_T0 + i,
							      i ? "crm:1 phone:7" : "crm:1")),
			     BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&feed_rig), BB_OK);
	feed_catch_up();
	cr_expect_eq(feed_consumer.at, 1);
}

FEED_TEST(a_record_alone_says_that_its_profile_is_updated)
{
	feed_say(1, "phone:7");
	core_say(&feed_rig, CORE_T0 + BB_DAY_MS + 1,
		 "phone:7"); /* R1: the profile is not even read */
	feed_catch_up();
	feed_expect(2, BB_CHANGE_UPDATED, "phone:7", NULL);
}

FEED_TEST(a_merger_tells_where_an_id_leads_to)
{
	feed_say(1, "crm:1 phone:7");
	feed_say(2, "card:9 dev:d");
	feed_say(3, "crm:1 card:9");
	feed_expect(3, BB_CHANGE_MERGED, "card:9", "crm:1");
	feed_expect(4, BB_CHANGE_UPDATED, "crm:1", NULL);
	cr_expect_str_eq(feed_history("card:9"), "merged 3");
	cr_expect_str_eq(feed_history("crm:1"), "merged 3");
}

FEED_TEST(an_earlier_identifier_renames)
{
	feed_say(5, "crm:1 phone:7");
	feed_say(1, "phone:7");
	feed_expect(2, BB_CHANGE_RENAMED, "phone:7", "crm:1");
	cr_expect_eq(feed_consumer.at, 2);
	cr_expect_str_eq(feed_history("crm:1"), "renamed 2");
	cr_expect_str_eq(feed_history("phone:7"), "renamed 2");
}

FEED_TEST(a_better_link_splits)
{
	feed_say(1, "crm:1 phone:7");
	feed_say(5, "crm:2 phone:7");
	feed_say(6,
		 "crm:2 phone:7"); /* two days beat one: the phone leaves, and named the profile */
	CORE_TOGETHER(&feed_rig, "crm:2", "phone:7");
	cr_expect_eq(feed_consumer.n, 2);
	cr_expect_gt(feed_consumer.kinds[BB_CHANGE_UPDATED] + feed_consumer.kinds[BB_CHANGE_SPLIT],
		     0);
}

FEED_TEST(a_value_that_becomes_shared_splits_what_it_had_merged)
{
	char ids[64];

	feed_rig.ns[CORE_PHONE].owners = 2;
	feed_say(1, "phone:7 mail:a");
	feed_say(2, "phone:7 mail:a dev:x");
	for (int i = 0; i < 4; i++) {
		snprintf(ids, sizeof(ids), "crm:%d phone:7", i);
		feed_say(3 + i, ids);
	}
	cr_expect_gt(feed_consumer.kinds[BB_CHANGE_SPLIT], 0);
}

FEED_TEST(the_cause_is_the_event_that_came)
{
	struct bb_event *ev = core_event(&feed_rig, CORE_T0, "crm:1");
	struct bb_buf json = BB_BUF_EMPTY;
	struct bb_change change;
	struct bb_kv *kv;
	static const char end_of[] = "\"cause\":\"event\",\"position\":{\"topic\":\"shop\","
				     "\"partition\":3,\"offset\":41}}";

	ev->position = (struct bb_position){BB_TEXT("shop"), 3, 41};
	core_apply(&feed_rig, ev);
	cr_assert_eq(core_end(&feed_rig), BB_OK);
	kv = bb_kvmem_begin(feed_rig.mem);
	cr_assert_eq(bb_change_next(kv, 0, &feed_rig.arena, &change), BB_OK);
	bb_kvmem_abort(kv);
	cr_expect_eq(change.cause, BB_CAUSE_EVENT);
	cr_expect(bb_text_equal(change.position.topic, BB_TEXT("shop")));
	cr_expect_eq(change.position.partition, 3);
	cr_expect_eq(change.position.offset, 41);
	bb_change_json(&change, &json);
	bb_buf_byte(&json, '\0');
	cr_expect_str_eq(json.p + json.n - sizeof(end_of), end_of);
	cr_expect(strstr(json.p, "{\"number\":1,\"kind\":\"created\",\"profile\":\"p") == json.p);
	bb_buf_fini(&json);
}

FEED_TEST(an_abort_changes_nothing)
{
	feed_say(1, "crm:1 phone:7");
	core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, "crm:1 phone:7"));
	core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, "crm:2"));
	bb_kvmem_fail_commit(feed_rig.mem, 1, BB_EIO);
	cr_assert_eq(core_end(&feed_rig), BB_EIO);
	feed_catch_up();
	cr_expect_eq(feed_consumer.at, 1);
	feed_say(2, "crm:2");
	cr_expect_eq(feed_consumer.at, 2);
}

FEED_TEST(every_error_of_the_store_ends_the_batch)
{
	int rc = BB_EIO;

	feed_rig.rules.changes_max = 1;
	feed_say(1, "crm:1 phone:7");
	for (uint64_t nth = 1; rc != BB_OK; nth++) {
		core_apply(&feed_rig, core_event(&feed_rig, CORE_T0, "card:1 phone:7"));
		bb_kvmem_fail_put(feed_rig.mem, nth, BB_ENOSPC);
		rc = core_end(&feed_rig);
		cr_assert(rc == BB_OK || rc == BB_ENOSPC);
		cr_assert_lt(nth, 200);
	}
	bb_kvmem_fail_put(feed_rig.mem, 0, BB_OK);
	feed_catch_up();
}

/* --- the law ---------------------------------------------------------------------------------- */

static uint64_t state;

static unsigned roll(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state % n);
}

static void random_event(struct bb_arena *arena)
{
	static const char *const names[] = {"crm", "card", "mail", "phone", "dev"};
	struct bb_text ids = {"", 0};
	unsigned n = 1 + roll(3);

	for (unsigned i = 0; i < n; i++) {
		unsigned ns = roll(5);

		ids = bb_arena_printf(arena, "%.*s %s:%u", (int)ids.n, ids.p, names[ns],
				      roll(ns < 2 ? 8 : 5));
	}
	if (roll(12) == 0)
		ids = bb_arena_printf(arena, "%.*s crm:%u=crm:%u", (int)ids.n, ids.p, roll(4),
				      4 + roll(4));
	core_apply(&feed_rig,
		   core_event(&feed_rig, CORE_T0 + roll(20) * BB_DAY_MS + roll(5) * BB_HOUR_MS,
			      ids.p));
}

FEED_TEST(applying_the_feed_gives_the_ids_of_the_store)
{
	unsigned kinds[BB_CHANGE_KIND_COUNT] = {0};

	for (uint64_t seed = 1; seed <= 60; seed++) {
		state = seed * UINT64_C(0x9e3779b97f4a7c15);
		core_rig_restart(&feed_rig);
		feed_consumer = (struct feed_consumer){.n = 0};
		feed_rig.ns[CORE_MAIL].links = 4;
		feed_rig.ns[CORE_PHONE].owners = 2;
		feed_rig.ns[CORE_PHONE].links = 5;
		feed_rig.rules.max_identifiers = 9;
		for (int batch = 0; batch < 40; batch++) {
			for (unsigned i = 1 + roll(6); i > 0; i--)
				random_event(&feed_rig.arena);
			if (feed_rig.kv)
				cr_assert_eq(core_end(&feed_rig), BB_OK, "seed %llu",
					     (unsigned long long)seed);
			feed_catch_up();
		}
		for (int k = 0; k < BB_CHANGE_KIND_COUNT; k++)
			kinds[k] += feed_consumer.kinds[k];
		bb_arena_reset(&feed_rig.arena);
	}
	for (int k = 0; k < BB_CHANGE_ERASED; k++)
		cr_expect_gt(kinds[k], 50, "%s", bb_change_kind_text((enum bb_change_kind)k));
	cr_expect_eq(kinds[BB_CHANGE_ERASED], 0);
}
