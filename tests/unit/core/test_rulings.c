/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulings: what each kind does and how its release gives the state that never had it; which of
 * several holds; those that wait; what is refused; and a store that fails in the middle of one.
 */
#include "order_rig.h"

static struct core_rig rig;

static void setup(void)
{
	core_rig_init(&rig);
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

#define RULINGS_TEST(name) Test(core, name, .init = setup, .fini = teardown)
#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static struct bb_ruling_row row_of(const char *id)
{
	struct bb_kv *kv = bb_kvmem_begin(rig.mem);
	struct bb_ruling_row row;

	cr_assert_eq(bb_ruling_get(kv, &rig.rules.profile_key, bb_text_of(id), &rig.arena, &row),
		     BB_OK, "%s", id);
	bb_kvmem_abort(kv);
	return row;
}

static void expect_row(const char *id, bool released, bool holds)
{
	struct bb_ruling_row row = row_of(id);

	cr_expect_eq(row.released, released, "%s: released", id);
	cr_expect_eq(row.holds, holds, "%s: holds", id);
}

/* --- what each does, and undoes --------------------------------------------------------------- */

static void say_two(void)
{
	core_say(&rig, DAY(1), "crm:1 mail:a dev:d");
	core_say(&rig, DAY(2), "crm:2 mail:b phone:7");
	core_say(&rig, DAY(3), "mail:b phone:8");
}

RULINGS_TEST(rulings_a_join_unites_and_its_release_parts)
{
	say_two();
	struct bb_hash before = order_views(&rig);

	order_rule(&rig, BB_RULING_JOIN, "j", 5, "crm:1 crm:2");
	CORE_TOGETHER(&rig, "mail:a", "phone:8");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "j");
	CORE_APART(&rig, "mail:a", "phone:8");
	ORDER_SAME_VIEWS(&rig, before, "released");
	expect_row("j", true, false);
	expect_row("u", false, false);
}

RULINGS_TEST(rulings_a_join_over_namespaces_unites)
{
	say_two();
	core_say(&rig, DAY(4), "dev:alone");
	order_rule(&rig, BB_RULING_JOIN, "j", 5, "phone:8 dev:alone");
	CORE_TOGETHER(&rig, "crm:2", "dev:alone");
	order_rule(&rig, BB_RULING_JOIN, "k", 5, "dev:alone crm:1");
	CORE_APART(&rig, "crm:1", "crm:2"); /* one crm a profile, and these two are not joined */
	order_rule(&rig, BB_RULING_JOIN, "l", 5, "crm:2 crm:1");
	CORE_TOGETHER(&rig, "crm:1", "phone:8");
}

RULINGS_TEST(rulings_a_split_parts_a_profile_and_its_release_unites)
{
	say_two();
	struct bb_hash before = order_views(&rig);

	order_rule(&rig, BB_RULING_SPLIT, "s", 5, "mail:b crm:2");
	CORE_APART(&rig, "crm:2", "mail:b");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "s");
	CORE_TOGETHER(&rig, "crm:2", "mail:b");
	ORDER_SAME_VIEWS(&rig, before, "released");
}

RULINGS_TEST(rulings_a_split_across_profiles_keeps_them_apart)
{
	say_two();
	order_rule(&rig, BB_RULING_SPLIT, "s", 5, "mail:a phone:7");
	core_say(&rig, DAY(6), "mail:a phone:9");
	core_say(&rig, DAY(7), "phone:9 dev:d");
	core_say(&rig, DAY(8), "mail:a phone:7");
	CORE_APART(&rig, "mail:a", "phone:7");
	order_rule(&rig, BB_RULING_JOIN, "j", 9, "crm:1 crm:2");
	CORE_APART(&rig, "mail:a", "phone:7");
	CORE_TOGETHER(&rig, "crm:1", "crm:2");
}

RULINGS_TEST(rulings_a_block_takes_the_identifier_out_and_its_release_brings_it_back)
{
	struct bb_found found;

	say_two();
	struct bb_hash before = order_views(&rig);

	order_rule(&rig, BB_RULING_BLOCK, "b", 5, "mail:b");
	cr_expect_eq(core_find(&rig, "mail:b", &found), BB_EACCESS);
	CORE_APART(&rig, "crm:2", "phone:8");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "b");
	ORDER_SAME_VIEWS(&rig, before, "released");
}

RULINGS_TEST(rulings_a_block_of_the_only_identifier_leaves_nobody)
{
	struct bb_found found;

	core_say(&rig, DAY(1), "phone:5");
	order_rule(&rig, BB_RULING_BLOCK, "b", 5, "phone:5");
	cr_expect_eq(core_digest(&rig).profiles, 0);
	cr_expect_eq(core_find(&rig, "phone:5", &found), BB_EACCESS);
	core_say(&rig, DAY(6), "phone:5");
	cr_expect_eq(core_digest(&rig).profiles, 0);
	order_rule(&rig, BB_RULING_RELEASE, "u", 7, "b");
	cr_expect_eq(core_digest(&rig).profiles, 1);
	CORE_VIEW_HAS(&rig, "phone:5", "\"events\":2");
}

RULINGS_TEST(rulings_an_allow_makes_somebody_of_junk)
{
	struct bb_found found;

	core_say(&rig, DAY(1), "crm:1 mail:guest");
	core_say(&rig, DAY(2), "mail:guest phone:7");
	struct bb_hash before = order_views(&rig);

	cr_expect_eq(core_find(&rig, "mail:guest", &found), BB_EACCESS);
	order_rule(&rig, BB_RULING_ALLOW, "a", 5, "mail:guest");
	CORE_TOGETHER(&rig, "crm:1", "phone:7");
	CORE_TOGETHER(&rig, "crm:1", "mail:guest");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "a");
	CORE_APART(&rig, "crm:1", "phone:7");
	ORDER_SAME_VIEWS(&rig, before, "released");
}

RULINGS_TEST(rulings_an_allow_exempts_a_shared_value)
{
	core_say(&rig, DAY(1), "crm:1 dev:kiosk");
	core_say(&rig, DAY(2), "crm:2 dev:kiosk");
	CORE_APART(&rig, "crm:1", "dev:kiosk");
	CORE_APART(&rig, "crm:2", "dev:kiosk");
	struct bb_hash before = order_views(&rig);

	order_rule(&rig, BB_RULING_ALLOW, "a", 5, "dev:kiosk");
	CORE_TOGETHER(&rig, "crm:2", "dev:kiosk"); /* the newest holds it, the other is refused */
	CORE_APART(&rig, "crm:1", "dev:kiosk");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "a");
	ORDER_SAME_VIEWS(&rig, before, "released");
}

/* --- which of them holds ---------------------------------------------------------------------- */

RULINGS_TEST(rulings_a_release_may_come_before_what_it_releases)
{
	say_two();
	struct bb_hash before = order_views(&rig);

	order_rule(&rig, BB_RULING_RELEASE, "u", 1, "j");
	order_rule(&rig, BB_RULING_JOIN, "j", 9, "crm:1 crm:2");
	ORDER_SAME_VIEWS(&rig, before, "released before it came");
	expect_row("j", true, false);
}

RULINGS_TEST(rulings_the_latest_that_is_not_released_holds_in_any_order)
{
	/* join at 3 under b, split at 3 under a (earlier: id), split at 5 that is released */
	static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		core_rig_restart(&rig);
		rig.number = 0;
		say_two();
		for (int k = 0; k < 4; k++)
			switch (orders[i][k]) {
			case 0:
				order_rule(&rig, BB_RULING_JOIN, "b", 3, "crm:1 crm:2");
				break;
			case 1:
				order_rule(&rig, BB_RULING_SPLIT, "a", 3, "crm:2 crm:1");
				break;
			case 2:
				order_rule(&rig, BB_RULING_SPLIT, "c", 5, "crm:1 crm:2");
				break;
			default:
				order_rule(&rig, BB_RULING_RELEASE, "u", 1, "c");
			}
		CORE_TOGETHER(&rig, "crm:1", "crm:2");
		expect_row("a", false, false);
		expect_row("b", false, true);
		expect_row("c", true, false);
		order_rule(&rig, BB_RULING_RELEASE, "v", 1, "b");
		CORE_APART(&rig, "crm:1", "crm:2");
		expect_row("a", false, true);
	}
}

RULINGS_TEST(rulings_block_and_allow_of_one_identifier_contend)
{
	struct bb_found found;

	say_two();
	order_rule(&rig, BB_RULING_BLOCK, "b", 5, "phone:7");
	order_rule(&rig, BB_RULING_ALLOW, "a", 6, "phone:7");
	CORE_TOGETHER(&rig, "crm:2", "phone:7");
	order_rule(&rig, BB_RULING_BLOCK, "c", 4, "phone:7");
	CORE_TOGETHER(&rig, "crm:2", "phone:7");
	order_rule(&rig, BB_RULING_RELEASE, "u", 7, "a");
	cr_expect_eq(core_find(&rig, "phone:7", &found), BB_EACCESS);
	expect_row("b", false, true);
	expect_row("c", false, false);
}

RULINGS_TEST(rulings_of_one_batch_with_the_events_are_as_if_alone)
{
	say_two();
	order_rule(&rig, BB_RULING_JOIN, "j", 5, "crm:1 crm:2");
	order_rule(&rig, BB_RULING_BLOCK, "b", 5, "phone:8");
	struct bb_digest apart = core_digest(&rig), at_once;

	core_rig_restart(&rig);
	rig.number = 0;
	order_apply(&rig, order_ruling(&rig, BB_RULING_BLOCK, "b", DAY(5), "phone:8"));
	core_apply(&rig, core_event(&rig, DAY(1), "crm:1 mail:a dev:d"));
	order_apply(&rig, order_ruling(&rig, BB_RULING_JOIN, "j", DAY(5), "crm:2 crm:1"));
	core_apply(&rig, core_event(&rig, DAY(2), "crm:2 mail:b phone:7"));
	core_apply(&rig, core_event(&rig, DAY(3), "mail:b phone:8"));
	cr_assert_eq(core_end(&rig), BB_OK);
	at_once = core_digest(&rig);
	cr_expect(bb_hash_equal(&apart.sum, &at_once.sum));
}

/* --- the same again, and what waits ----------------------------------------------------------- */

RULINGS_TEST(rulings_of_a_known_id_are_duplicates_or_dead)
{
	struct bb_ruling other, same;

	say_two();
	order_rule(&rig, BB_RULING_JOIN, "j", 5, "crm:1 crm:2");
	same = order_ruling(&rig, BB_RULING_JOIN, "j", DAY(5), "crm:2 crm:1");
	cr_expect_eq(order_apply(&rig, same), BB_VERDICT_DUPLICATE, "the pair the other way round");
	other = order_ruling(&rig, BB_RULING_JOIN, "j", DAY(6), "crm:1 crm:2");
	cr_expect_eq(order_apply(&rig, other), BB_VERDICT_DEAD, "another time");
	cr_expect_eq(rig.refusal.reason, BB_DEAD_CONFLICTING_DUPLICATE);
	other = order_ruling(&rig, BB_RULING_SPLIT, "j", DAY(5), "crm:1 crm:2");
	cr_expect_eq(order_apply(&rig, other), BB_VERDICT_DEAD, "another kind");
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_TOGETHER(&rig, "crm:1", "crm:2");
	order_rule(&rig, BB_RULING_RELEASE, "u", 7, "j");
	cr_expect_eq(order_apply(&rig, same), BB_VERDICT_DUPLICATE, "a release is for good");
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_APART(&rig, "crm:1", "crm:2");
	cr_expect_eq(core_stats(&rig).duplicates, 2);
}

RULINGS_TEST(rulings_wait_for_their_identifiers)
{
	struct bb_found found;

	order_rule(&rig, BB_RULING_JOIN, "j", 0, "crm:1 crm:2");
	order_rule(&rig, BB_RULING_BLOCK, "b", 0, "mail:b");
	order_rule(&rig, BB_RULING_ALLOW, "a", 0, "mail:guest");
	order_rule(&rig, BB_RULING_SPLIT, "s", 0, "crm:2 phone:7");
	cr_expect_eq(core_digest(&rig).profiles, 0);
	cr_expect_eq(core_find(&rig, "crm:1", &found), BB_ENOTFOUND);
	say_two();
	core_say(&rig, DAY(4), "mail:guest phone:8");
	CORE_TOGETHER(&rig, "crm:1", "crm:2");
	CORE_APART(&rig, "crm:2", "phone:7");
	CORE_TOGETHER(&rig, "mail:guest", "phone:8");
	cr_expect_eq(core_find(&rig, "mail:b", &found), BB_EACCESS);
}

RULINGS_TEST(rulings_on_what_was_erased_are_void)
{
	struct bb_erasure order = {.key = BB_TEXT("crm:2"),
				   .mode = BB_ERASURE_FORGET,
				   .id = BB_TEXT("e"),
				   .time_ms = DAY(20)};
	struct bb_erasure_receipt receipt;
	struct bb_kv *kv;
	struct bb_ruling_row row;

	say_two();
	order_rule(&rig, BB_RULING_SPLIT, "s", 5, "crm:2 mail:a");
	order_rule(&rig, BB_RULING_BLOCK, "late", 30, "phone:8");
	order_rule(&rig, BB_RULING_RELEASE, "u", 30, "late");
	cr_assert_eq(order_erase(&rig, &order, &receipt), BB_OK);
	cr_expect_eq(receipt.rulings, 1, "the one that is not later");
	kv = bb_kvmem_begin(rig.mem);
	cr_expect_eq(bb_ruling_get(kv, &rig.rules.profile_key, BB_TEXT("s"), &rig.arena, &row),
		     BB_ENOTFOUND);
	bb_kvmem_abort(kv);
	expect_row("late", true, false);
	cr_expect_eq(
		order_apply(&rig, order_ruling(&rig, BB_RULING_SPLIT, "s", DAY(5), "crm:2 mail:a")),
		BB_VERDICT_SKIPPED, "again");
	cr_expect_eq(order_apply(&rig,
				 order_ruling(&rig, BB_RULING_SPLIT, "t", DAY(20), "crm:2 mail:a")),
		     BB_VERDICT_SKIPPED, "at the same time");
	cr_expect_eq(order_apply(&rig,
				 order_ruling(&rig, BB_RULING_SPLIT, "v", DAY(21), "crm:2 mail:a")),
		     BB_VERDICT_APPLIED, "later");
	cr_expect_eq(core_end(&rig), BB_OK);
}

/* --- reading them back ------------------------------------------------------------------------ */

RULINGS_TEST(rulings_are_read_back_one_by_one_and_all)
{
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_ruling_row row;
	unsigned n = 0, holding = 0, released = 0;
	struct bb_kv *kv;
	int rc;

	say_two();
	order_rule(&rig, BB_RULING_JOIN, "j", 5, "crm:1 crm:2");
	order_rule(&rig, BB_RULING_BLOCK, "b", 5, "mail:b");
	order_rule(&rig, BB_RULING_ALLOW, "a", 6, "mail:b");
	order_rule(&rig, BB_RULING_RELEASE, "u", 6, "j");
	cr_expect_str_eq(
		order_json(&rig, &(struct bb_ruling){.kind = BB_RULING_RELEASE,
						     .id = row_of("u").ruling.id,
						     .time_ms = DAY(6),
						     .actor = row_of("u").ruling.actor,
						     .reason = row_of("u").ruling.reason,
						     .releases = BB_TEXT("j")}),
		"{\"ruling\":\"release\",\"id\":\"u\",\"time\":\"2026-01-07T00:00:00.000Z\","
		"\"actor\":\"steward\",\"reason\":\"a test\",\"releases\":\"j\"}");
	kv = bb_kvmem_begin(rig.mem);
	while ((rc = bb_ruling_next(kv, &rig.rules.profile_key, &cursor, &rig.arena, &row)) ==
	       BB_OK) {
		n++;
		holding += row.holds;
		released += row.released;
	}
	cr_expect_eq(rc, BB_ENOTFOUND);
	cr_expect(n == 4 && holding == 1 && released == 1, "%u %u %u", n, holding, released);
	cr_expect_eq(bb_ruling_get(kv, &rig.rules.profile_key, BB_TEXT("z"), &rig.arena, &row),
		     BB_ENOTFOUND);
	bb_kvmem_abort(kv);
}

/* --- a store that fails, or is damaged -------------------------------------------------------- */

static const struct {
	enum bb_ruling_kind kind;
	const char *id, *on;
} story[] = {
	{BB_RULING_JOIN, "j", "crm:1 crm:2"},
	{BB_RULING_SPLIT, "s", "mail:b phone:8"},
	{BB_RULING_BLOCK, "b", "phone:7"},
	{BB_RULING_ALLOW, "a", "mail:guest"},
	{BB_RULING_RELEASE, "u", "j"},
	{BB_RULING_JOIN, "w", "crm:9 crm:1"},
	{BB_RULING_RELEASE, "v", "not yet"},
	{BB_RULING_RELEASE, "x", "b"},
	{BB_RULING_SPLIT, "not yet", "crm:1 dev:d"},
};

#define STORY_N (sizeof(story) / sizeof(story[0]))

static int tell(size_t i)
{
	enum bb_verdict verdict = order_apply(
		&rig, order_ruling(&rig, story[i].kind, story[i].id, DAY(5 + (int)i), story[i].on));

	cr_expect_neq(verdict, BB_VERDICT_DEAD);
	return core_end(&rig);
}

/* Orders the nth failure and tells the row; false: it was over before. */
static bool fails(size_t i, bool write, uint64_t nth)
{
	uint64_t before = write ? bb_kvmem_puts(rig.mem) : bb_kvmem_reads(rig.mem), now;
	int rc;

	if (write)
		bb_kvmem_fail_put(rig.mem, nth, BB_ENOSPC);
	else
		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
	rc = tell(i);
	now = write ? bb_kvmem_puts(rig.mem) : bb_kvmem_reads(rig.mem);
	bb_kvmem_fail_put(rig.mem, 0, BB_OK);
	bb_kvmem_fail_read(rig.mem, 0, BB_OK);
	if (now < before + nth) {
		cr_assert_eq(rc, BB_OK);
		return false;
	}
	cr_assert_eq(rc, write ? BB_ENOSPC : BB_EIO, "row %zu, %s %llu: %d", i,
		     write ? "write" : "read", (unsigned long long)nth, rc);
	return true;
}

static void say_all(void)
{
	rig.number = 0;
	say_two();
	core_say(&rig, DAY(4), "mail:guest crm:1");
}

static void fail_everywhere(bool write)
{
	struct bb_digest whole, digest;
	size_t failures = 0;

	say_all();
	for (size_t i = 0; i < STORY_N; i++)
		cr_assert_eq(tell(i), BB_OK);
	whole = core_digest(&rig);
	core_rig_restart(&rig);
	say_all();
	for (size_t i = 0; i < STORY_N; i++)
		for (uint64_t nth = 1; fails(i, write, nth); nth++)
			failures++;
	cr_expect(failures > 50, "%zu", failures);
	digest = core_digest(&rig);
	cr_expect(bb_hash_equal(&digest.sum, &whole.sum));
}

RULINGS_TEST(rulings_end_with_every_read_that_fails_and_change_nothing)
{
	fail_everywhere(false);
}

RULINGS_TEST(rulings_end_with_every_write_that_fails_and_change_nothing)
{
	fail_everywhere(true);
}

RULINGS_TEST(rulings_cannot_be_read_from_a_store_that_fails_or_is_damaged)
{
	struct bb_ruling_row row;
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_text key, value;
	struct bb_kv *kv;
	uint64_t nth = 1;
	int rc;

	say_two();
	order_rule(&rig, BB_RULING_JOIN, "j", 5, "crm:1 crm:2");
	do {
		kv = bb_kvmem_begin(rig.mem);
		bb_kvmem_fail_read(rig.mem, nth++, BB_EIO);
		rc = bb_ruling_get(kv, &rig.rules.profile_key, BB_TEXT("j"), &rig.arena, &row);
		bb_kvmem_fail_read(rig.mem, 0, BB_OK);
		bb_kvmem_abort(kv);
		cr_assert(rc == BB_EIO || rc == BB_OK, "read %llu", (unsigned long long)nth);
	} while (rc != BB_OK && nth < 100);
	cr_expect(nth > 4, "%llu", (unsigned long long)nth);
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_kv_seek(kv, BB_TABLE_RULING, BB_TEXT("r"), false, &key, &value), BB_OK);
	key = bb_arena_copy(&rig.arena, key);
	value = bb_arena_copy(&rig.arena, value);
	value.n--;
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_RULING, key, value), BB_OK);
	cr_expect_eq(bb_ruling_get(kv, &rig.rules.profile_key, BB_TEXT("j"), &rig.arena, &row),
		     BB_ECORRUPT);
	cr_expect_eq(bb_ruling_next(kv, &rig.rules.profile_key, &cursor, &rig.arena, &row),
		     BB_ECORRUPT);
	bb_kvmem_abort(kv);
}
