/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules by which the partition is kept up to date (identity.md §10), each driven by events
 * alone, one batch an event unless it says otherwise; and what sharing and joins make of it. Here
 * mail is limited to one a profile, so that two people's mails keep them apart.
 */
#include "core_rig.h"

#include <stdio.h>

static int64_t day(int n)
{
	return CORE_T0 + n * BB_DAY_MS;
}

static void init(struct core_rig *rig)
{
	core_rig_init(rig);
	rig->ns[CORE_MAIL].per_profile = 1;
}

static uint64_t replays(const struct core_rig *rig)
{
	return core_stats(rig).replays;
}

Test(core, rule_R1_a_link_inside_that_gets_better_changes_nothing)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(2), "crm:1 mail:a");
	CORE_TOGETHER(&rig, "crm:1", "mail:a");
	cr_expect_eq(replays(&rig), 0);
	CORE_VIEW_HAS(&rig, "mail:a", "\"events\":2");
	core_rig_fini(&rig);
}

Test(core, rule_R2_a_new_link_unites_two_profiles_that_may_be_one)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 phone:7");
	core_say(&rig, day(1), "card:9 dev:d");
	CORE_APART(&rig, "crm:1", "card:9");
	core_say(&rig, day(1), "crm:1 card:9");
	CORE_TOGETHER(&rig, "phone:7", "dev:d");
	cr_expect_eq(replays(&rig), 0);
	cr_expect_eq(core_stats(&rig).profiles_merged, 1);
	core_rig_fini(&rig);
}

Test(core, rule_R2_a_new_link_that_must_be_refused_changes_nothing)
{
	struct core_rig rig;

	init(&rig);
	for (int i = 1; i <= 2; i++) {
		core_say(&rig, day(i), "crm:1 phone:7");
		core_say(&rig, day(i), "crm:2 phone:8");
	}
	core_say(&rig, day(3), "crm:2 phone:7"); /* one day against two */
	CORE_TOGETHER(&rig, "crm:1", "phone:7");
	CORE_APART(&rig, "crm:2", "phone:7");
	core_rig_fini(&rig);
}

Test(core, rule_R2_a_better_link_takes_an_identifier_away_by_a_replay)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 phone:7");
	core_say(&rig, day(2), "crm:1 phone:7");
	core_say(&rig, day(5), "crm:2 phone:7");
	CORE_TOGETHER(&rig, "crm:1", "phone:7");
	core_say(&rig, day(6), "crm:2 phone:7");
	CORE_TOGETHER(&rig, "crm:2", "phone:7");
	CORE_APART(&rig, "crm:1", "phone:7");
	cr_expect_gt(replays(&rig), 0);
	core_rig_fini(&rig);
}

/* A link is gone when its record gets another anchor: the third owner makes mail:x shared. */
Test(core, rule_R3_a_refused_link_that_goes_changes_nothing)
{
	struct core_rig rig;

	init(&rig);
	rig.ns[CORE_PHONE].owners = 2;
	core_say(&rig, day(1), "crm:1 phone:7");
	core_say(&rig, day(2), "crm:1 phone:7");
	core_say(&rig, day(3), "crm:2 phone:7 card:5");
	CORE_APART(&rig, "crm:2", "phone:7");
	core_say(&rig, day(4), "crm:3 phone:7");
	for (int i = 1; i <= 3; i++) {
		static const char *const owner[] = {"crm:1", "crm:2", "crm:3"};

		CORE_APART(&rig, owner[i - 1], "phone:7");
	}
	CORE_TOGETHER(&rig, "crm:2", "card:5");
	core_rig_fini(&rig);
}

Test(core, rule_R4_a_profile_falls_apart_where_its_link_goes_and_no_other_holds_it)
{
	struct core_rig rig;

	init(&rig);
	rig.ns[CORE_DEV].owners = 1;
	core_say(&rig, day(1), "mail:a dev:d");
	core_say(&rig, day(2), "phone:7 dev:d");
	CORE_TOGETHER(&rig, "mail:a", "phone:7");
	core_say(&rig, day(3), "crm:1 dev:d");
	core_say(&rig, day(4), "crm:2 dev:d");
	CORE_APART(&rig, "mail:a", "phone:7");
	CORE_APART(&rig, "mail:a", "dev:d");
	CORE_APART(&rig, "crm:1", "dev:d");
	CORE_VIEW_HAS(&rig, "dev:d", "\"shared\":true");
	cr_expect_gt(core_stats(&rig).profiles_split, 0);
	core_rig_fini(&rig);
}

Test(core, rule_R4_a_profile_stays_where_another_link_holds_it)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "card:1 mail:a dev:d");
	core_say(&rig, day(2), "crm:1 dev:d");
	core_say(&rig, day(3), "crm:1 mail:a");
	core_say(&rig, day(4), "crm:2 dev:d");
	CORE_TOGETHER(&rig, "card:1", "crm:1");
	CORE_APART(&rig, "dev:d", "crm:1");
	core_rig_fini(&rig);
}

/* Joined cards count once: the limit of one a profile is looser for them. */
Test(core, rule_R5_labels_that_merge_free_the_links_that_they_had_refused)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 phone:7");
	core_say(&rig, day(2), "crm:1 phone:7");
	core_say(&rig, day(3), "crm:2 phone:7 card:5");
	CORE_APART(&rig, "crm:1", "crm:2");
	core_say(&rig, day(4), "crm:1=crm:2");
	CORE_TOGETHER(&rig, "crm:1", "crm:2");
	CORE_TOGETHER(&rig, "card:5", "phone:7");
	core_rig_fini(&rig);
}

/* Splits and releases come with stewards' rulings; what can tighten now is a join that goes, as an
 * end of it becomes shared: it links no more, but its label stays. */
Test(core, rule_R6_R7_a_join_whose_end_becomes_shared_links_no_more)
{
	struct core_rig rig;

	init(&rig);
	rig.ns[CORE_CRM].links = 2;
	core_say(&rig, day(1), "crm:1=crm:2");
	CORE_TOGETHER(&rig, "crm:1", "crm:2");
	core_say(&rig, day(2), "crm:2 phone:1");
	core_say(&rig, day(2), "crm:2 phone:2");
	CORE_TOGETHER(&rig, "crm:1", "phone:1");
	core_say(&rig, day(2), "crm:2 phone:3");
	CORE_APART(&rig, "crm:1", "crm:2");
	CORE_VIEW_HAS(&rig, "crm:2", "\"shared\":true");
	core_rig_fini(&rig);
}

Test(core, rule_R7_joins_chain_and_count_once)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(1), "crm:1=crm:2");
	core_say(&rig, day(2), "crm:4=crm:3");
	CORE_APART(&rig, "crm:1", "crm:4");
	core_say(&rig, day(3), "crm:2=crm:3");
	CORE_TOGETHER(&rig, "crm:1", "crm:4");
	core_say(&rig, day(3), "crm:4 mail:a");
	CORE_TOGETHER(&rig, "mail:a", "crm:3");
	core_rig_fini(&rig);
}

Test(core, rule_R7_joins_only_inside_one_owner_namespace)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "mail:a=mail:b dev:d");
	CORE_APART(&rig, "mail:a", "mail:b");
	core_say(&rig, day(1), "crm:1=card:1");
	CORE_TOGETHER(&rig, "crm:1", "card:1"); /* as any two of one event */
	core_rig_fini(&rig);
}

Test(core, rule_R8_links_that_change_at_once_come_to_what_they_would_one_by_one)
{
	static const char *const ids[] = {
		"crm:1 phone:7",  "crm:2 phone:7",  "crm:2 phone:8 dev:d",
		"crm:1 dev:d",	  "crm:3 mail:a",   "crm:1 mail:a dev:d",
		"card:1 phone:8", "crm:3 card:1",   "crm:1=crm:3 dev:e",
		"crm:4 dev:e",	  "phone:7 mail:b", "card:2 mail:b mail:a",
		"crm:2 phone:7",  "crm:3=crm:4"};
	const int n = (int)(sizeof(ids) / sizeof(ids[0]));
	struct bb_digest first = {.profiles = 0};
	struct core_rig rig;

	init(&rig);
	for (int batch = 1; batch <= n; batch++) {
		core_rig_restart(&rig);
		for (int i = 0; i < n; i++) {
			int k = batch % 2 ? i : (i * 5 + batch) % n; /* other orders too */

			rig.number = (unsigned)k;
			core_apply(&rig, core_event(&rig, day(1 + k / 2), ids[k]));
			if ((i + 1) % batch == 0 || i == n - 1)
				cr_assert_eq(core_end(&rig), BB_OK);
		}
		struct bb_digest digest = core_digest(&rig);

		if (batch == 1)
			first = digest;
		cr_expect(bb_hash_equal(&digest.sum, &first.sum), "batches of %d", batch);
		cr_expect_eq(digest.profiles, first.profiles);
	}
	core_rig_fini(&rig);
}

/* --- sharing, anchors ------------------------------------------------------------------------- */

Test(core, a_value_found_shared_late_undoes_the_mergers_it_had_caused)
{
	struct core_rig rig;
	char ids[32];

	core_rig_init(&rig);
	rig.ns[CORE_CRM].per_profile = rig.ns[CORE_CARD].per_profile = 50;
	for (int i = 0; i <= 50; i++) {
		snprintf(ids, sizeof(ids), "card:c%d phone:7", i);
		core_say(&rig, day(1), ids);
	}
	CORE_APART(&rig, "card:c0", "phone:7");
	CORE_APART(&rig, "card:c0", "card:c1");
	CORE_VIEW_HAS(&rig, "phone:7", "\"shared\":true");
	CORE_VIEW_HAS(&rig, "card:c0", "\"identifiers\":[{\"ns\":\"card\",\"value\":\"c0\"");
	core_rig_fini(&rig);
}

Test(core, joins_heal_what_was_shared)
{
	struct core_rig rig;

	init(&rig);
	core_say(&rig, day(1), "crm:1 dev:d");
	core_say(&rig, day(2), "crm:2 dev:d");
	CORE_VIEW_HAS(&rig, "dev:d", "\"shared\":true");
	CORE_APART(&rig, "crm:1", "dev:d");
	core_say(&rig, day(3), "crm:1=crm:2");
	CORE_VIEW_HAS(&rig, "dev:d", "\"shared\":false");
	CORE_TOGETHER(&rig, "crm:1", "dev:d");
	CORE_TOGETHER(&rig, "crm:2", "dev:d");
	core_say(&rig, day(4), "crm:3 dev:d"); /* and is counted on from there */
	CORE_VIEW_HAS(&rig, "dev:d", "\"shared\":true");
	core_rig_fini(&rig);
}

Test(core, a_record_follows_its_anchor_when_that_is_shared)
{
	struct core_rig rig;

	init(&rig);
	rig.ns[CORE_CARD].links = 1;
	core_say(&rig, day(1), "card:1 mail:a");
	core_say(&rig, day(2), "card:1 mail:b");
	CORE_VIEW_HAS(&rig, "card:1", "\"events\":0,\"shared\":true");
	CORE_VIEW_HAS(&rig, "mail:a", "\"events\":1");
	CORE_APART(&rig, "mail:a", "mail:b");
	core_say(&rig, day(3), "card:1"); /* nobody else is there: it is its own */
	CORE_VIEW_HAS(&rig, "card:1", "\"events\":1,\"shared\":true");
	core_rig_fini(&rig);
}

Test(core, more_records_than_a_namespace_allows_make_an_identifier_shared)
{
	struct core_rig rig;

	init(&rig);
	rig.ns[CORE_MAIL].records = 2;
	core_say(&rig, day(1), "mail:a dev:1");
	core_say(&rig, day(1), "mail:a dev:2");
	CORE_TOGETHER(&rig, "dev:1", "dev:2");
	core_say(&rig, day(1), "mail:a");
	CORE_APART(&rig, "dev:1", "dev:2");
	core_rig_fini(&rig);
}

Test(core, no_profile_has_more_than_max_identifiers)
{
	struct core_rig rig;

	init(&rig);
	rig.rules.max_identifiers = 3;
	core_say(&rig, day(1), "crm:1 dev:1 dev:2 dev:3 dev:4");
	struct bb_text view = core_view(&rig, "crm:1");
	int n = 0;

	for (size_t i = 0; i + 5 < view.n; i++)
		n += memcmp(view.p + i, "\"ns\":", 5) == 0;
	cr_expect_eq(n, 3);
	core_rig_fini(&rig);
}

/* --- values with NUL -------------------------------------------------------------------------- */

static struct bb_event *raw_event(struct core_rig *rig, const struct bb_identifier *ids, size_t n)
{
	struct bb_event *ev = core_event(rig, day(1), "");

	for (size_t i = 0; i < n; i++)
		BB_ARENA_PUSH(&rig->arena, ev->identifiers, ev->identifier_n, ev->identifier_room) =
			ids[i];
	return ev;
}

#define RAW(name, text)                                                                            \
	{                                                                                          \
		.ns = BB_TEXT(name), .value = BB_TEXT(text), .ns_index = BB_NS_UNKNOWN             \
	}

Test(core, a_value_with_NUL_bytes_is_not_taken_for_two_identifiers)
{
	static const struct bb_identifier one[] = {RAW("crm", "1\0mail\0a")};
	static const struct bb_identifier two[] = {RAW("crm", "1"), RAW("mail", "a")};
	struct core_rig rig;

	init(&rig);
	core_apply(&rig, raw_event(&rig, one, 1));
	cr_assert_eq(core_end(&rig), BB_OK);
	core_apply(&rig, raw_event(&rig, two, 2));
	cr_assert_eq(core_end(&rig), BB_OK);
	cr_expect_eq(core_stats(&rig).records_created, 2);
	CORE_TOGETHER(&rig, "crm:1", "mail:a");
	core_rig_fini(&rig);
}

/* Both links have the same text under the hash of the lot; the values decide, not the order. */
Test(core, links_of_one_lot_are_taken_in_the_order_of_their_values)
{
	static const struct bb_identifier sets[][2] = {
		{RAW("crm", "p\0phone\0q"), RAW("phone", "r")},
		{RAW("crm", "p"), RAW("phone", "q\0phone\0r")},
		{RAW("crm", "p"), RAW("phone", "r")},
		{RAW("crm", "p\0phone\0q"), RAW("phone", "q\0phone\0r")}};
	struct bb_digest first = {.profiles = 0};
	struct core_rig rig;

	init(&rig);
	for (int turn = 0; turn < 8; turn++) {
		core_rig_restart(&rig);
		for (int i = 0; i < 4; i++) {
			int k = turn < 4 ? (i + turn) % 4 : (7 - i + turn) % 4;

			rig.number = (unsigned)k;
			core_apply(&rig, raw_event(&rig, sets[k], 2));
			cr_assert_eq(core_end(&rig), BB_OK);
		}
		struct bb_digest digest = core_digest(&rig);

		if (!turn)
			first = digest;
		cr_expect(bb_hash_equal(&digest.sum, &first.sum), "turn %d", turn);
	}
	core_rig_fini(&rig);
}
