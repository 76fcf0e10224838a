/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed rules, applied to the past: the second store equals one that saw all events under the new
 * rules, and goes on like it; what differs is told; either store may fail.
 */
#include "order_rig.h"

#include <stddef.h>
#include <stdio.h>

#include <backbone/adopt.h>
#include <backbone/change.h>

#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static struct core_rig old, other, fresh; /* other: adopted; fresh: saw everything anew */

static void setup(void)
{
	core_rig_init(&old);
	core_rig_init(&other);
	core_rig_init(&fresh);
}

static void teardown(void)
{
	core_rig_fini(&old);
	core_rig_fini(&other);
	core_rig_fini(&fresh);
}

#define ADOPT_TEST(name) Test(core, name, .init = setup, .fini = teardown)

/* --- rigs and targets ------------------------------------------------------------------------- */

static struct bb_kvmem *target_mem;
static int stop_after = -1; /* calls of progress that are answered with true; -1: all */
static unsigned last_permille;
static int fail_begin;

static int on_begin(void *ctx, struct bb_kv **ret_kv)
{
	(void)ctx;
	if (fail_begin > 0 && --fail_begin == 0)
		return BB_ENOSPC;
	*ret_kv = bb_kvmem_begin(target_mem);
	return BB_OK;
}

static bool on_progress(void *ctx, unsigned permille)
{
	(void)ctx;
	cr_expect_leq(permille, 1000);
	cr_expect_geq(permille, last_permille);
	last_permille = permille;
	return stop_after < 0 || stop_after-- > 0;
}

static const struct bb_adopt_target target = {.write_begin = on_begin,
					      .write_commit = bb_kvmem_commit,
					      .write_abort = bb_kvmem_abort,
					      .progress = on_progress};

/* From `old` into `other`, under the rules of `other`. */
static int adopt(void)
{
	struct bb_kv *from = bb_kvmem_begin(old.mem);
	int rc;

	target_mem = other.mem;
	last_permille = 0;
	rc = bb_adopt(from, &other.rules, &target);
	bb_kvmem_abort(from);
	return rc;
}

/* The new rules of `other` and `fresh`. */
static void take_rules(const struct bb_namespace *ns, size_t n)
{
	struct core_rig *rigs[] = {&other, &fresh};

	for (int i = 0; i < 2; i++) {
		memcpy(rigs[i]->ns, ns, n * sizeof(*ns));
		rigs[i]->rules.namespace_n = n;
		core_rig_restart(rigs[i]);
	}
}

static void say_to(struct core_rig *rig, bool again)
{
	static const struct {
		int day;
		const char *ids, *amount, *key;
	} rows[] = {
		{1, "crm:1 mail:a dev:d", "5", NULL},
		{2, "crm:1 mail:a dev:e", "7", "k1"},
		{3, "crm:1 mail:a", "9", "k1"},
		{4, "crm:2 mail:b phone:7", "1", "k2"},
		{5, "crm:2 mail:b dev:d", "3", NULL},
		{6, "mail:guest dev:e", "4", "k3"},
		{7, "phone:7 mail:c", NULL, NULL},
		{8, "dev:f", "2", "k2"},
		{9, "card:1 crm:2", NULL, NULL},
		{10, "card:2 crm:3 mail:c", "6", "k3"},
		{11, "", "8", "k1"},
		{12, "crm:1=crm:3 phone:8", NULL, NULL},
		{13, "phone:8 dev:f dev:g", "4", NULL},
		{14, "mail:a phone:9", NULL, NULL},
	};

	rig->number = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_event *ev = core_event(rig, DAY(rows[i].day), rows[i].ids);

		core_attribute(rig, ev, "name", rows[i].ids[0] ? rows[i].ids : "nobody");
		if (rows[i].amount)
			core_amount(ev, rows[i].amount, rows[i].key);
		enum bb_verdict verdict = core_apply(rig, ev);

		cr_assert(verdict == BB_VERDICT_APPLIED || verdict == BB_VERDICT_NO_IDENTIFIER ||
				  (again && verdict != BB_VERDICT_DEAD),
			  "row %zu: %s", i, bb_verdict_text(verdict));
		cr_assert_eq(core_end(rig), BB_OK);
	}
}

static void expect_equal(const char *what)
{
	struct bb_digest a = core_digest(&other), b = core_digest(&fresh);

	cr_expect_eq(a.profiles, b.profiles, "%s: %llu profiles instead of %llu", what,
		     (unsigned long long)a.profiles, (unsigned long long)b.profiles);
	cr_expect(bb_hash_equal(&a.sum, &b.sum), "%s", what);
}

/*
 * Both go on alike: copies of everything, then something new. A copy that names an identifier of a
 * namespace that is gone is a copy like any other. (One of which nothing was left is new, and
 * counts by its key.)
 */
static void go_on(const char *what)
{
	struct core_rig *rigs[] = {&other, &fresh};

	for (int i = 0; i < 2; i++) {
		bb_pipeline_free(rigs[i]->pl);
		rigs[i]->pl = bb_pipeline_new(&rigs[i]->rules);
		say_to(rigs[i], true);
	}
	expect_equal(what);
	for (int i = 0; i < 2; i++) {
		struct bb_event *ev = core_event(rigs[i], DAY(20), "crm:1 phone:7 dev:e");

		ev->id = BB_TEXT("new");
		core_amount(ev, "11", "k1");
		cr_assert_eq(core_apply(rigs[i], ev), BB_VERDICT_APPLIED);
		cr_assert_eq(core_end(rigs[i]), BB_OK);
	}
	expect_equal(what);
}

static void check(const char *what)
{
	say_to(&old, false);
	say_to(&fresh, false);
	cr_assert_eq(adopt(), BB_OK, "%s", what);
	expect_equal(what);
	go_on(what);
}

/* --- new rules -------------------------------------------------------------------------------- */

ADOPT_TEST(adopt_of_the_same_rules_is_a_copy)
{
	struct bb_digest before, after;

	say_to(&old, false);
	order_rule(&old, BB_RULING_SPLIT, "s", 15, "crm:1 mail:a");
	cr_assert_eq(adopt(), BB_OK);
	before = core_digest(&old);
	after = core_digest(&other);
	cr_expect(bb_hash_equal(&before.sum, &after.sum), "rulings are of the digest");
	for (int i = 0; i < BB_TABLE_COUNT; i++)
		cr_expect_eq(bb_kvmem_entries(old.mem, (enum bb_table)i),
			     bb_kvmem_entries(other.mem, (enum bb_table)i), "table %d", i);
	cr_expect_gt(last_permille, 0);
}

ADOPT_TEST(adopt_without_a_namespace_unites_records_with_their_amounts_and_names)
{
	struct bb_namespace ns[CORE_NAMESPACES];

	memcpy(ns, old.ns, sizeof(ns));
	take_rules(ns, CORE_DEV); /* the last is gone */
	check("without dev");
}

ADOPT_TEST(adopt_without_a_namespace_in_the_middle)
{
	struct bb_namespace ns[CORE_NAMESPACES];

	memcpy(ns, old.ns, sizeof(ns));
	memmove(&ns[CORE_CARD], &ns[CORE_MAIL], 3 * sizeof(*ns));
	take_rules(ns, CORE_NAMESPACES - 1);
	check("without card");
}

ADOPT_TEST(adopt_of_another_order_of_namespaces)
{
	static const int orders[][CORE_NAMESPACES] = {{4, 3, 2, 1, 0}, {1, 0, 2, 4, 3}};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct bb_namespace ns[CORE_NAMESPACES];

		for (int k = 0; k < CORE_NAMESPACES; k++)
			ns[k] = old.ns[orders[i][k]];
		take_rules(ns, CORE_NAMESPACES);
		core_rig_restart(&old);
		check(i ? "card before crm" : "upside down");
	}
}

ADOPT_TEST(adopt_of_tighter_and_of_looser_limits)
{
	static const struct {
		const char *what;
		int ns;
		size_t at;
		uint32_t limit;
	} rows[] = {
		{"one mail a profile", CORE_MAIL, offsetof(struct bb_namespace, per_profile), 1},
		{"one phone a profile", CORE_PHONE, offsetof(struct bb_namespace, per_profile), 1},
		{"two crm a profile", CORE_CRM, offsetof(struct bb_namespace, per_profile), 2},
		{"two owners of a device", CORE_DEV, offsetof(struct bb_namespace, owners), 2},
		{"one link of a mail", CORE_MAIL, offsetof(struct bb_namespace, links), 1},
		{"one record of a phone", CORE_PHONE, offsetof(struct bb_namespace, records), 1},
		{"no device of a mail", CORE_MAIL, offsetof(struct bb_namespace, devices), 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_namespace ns[CORE_NAMESPACES];

		memcpy(ns, old.ns, sizeof(ns));
		memcpy((char *)&ns[rows[i].ns] + rows[i].at, &rows[i].limit, sizeof(uint32_t));
		take_rules(ns, CORE_NAMESPACES);
		core_rig_restart(&old);
		check(rows[i].what);
	}
}

ADOPT_TEST(adopt_of_other_members)
{
	static const char *const rows[] = {"prefer", "junk", "owner", "durable", "max"};

	for (int i = 0; i < 5; i++) {
		struct bb_namespace ns[CORE_NAMESPACES];

		memcpy(ns, old.ns, sizeof(ns));
		ns[CORE_CRM].prefer = i == 0 ? BB_PREFER_OLDEST : ns[CORE_CRM].prefer;
		ns[CORE_MAIL].junk = i != 1;
		ns[CORE_CARD].owner = i != 2;
		ns[CORE_DEV].durable = i == 3;
		other.rules.max_identifiers = fresh.rules.max_identifiers = i == 4 ? 3 : 500;
		take_rules(ns, CORE_NAMESPACES);
		core_rig_restart(&old);
		check(rows[i]);
	}
}

ADOPT_TEST(adopt_takes_rulings_and_erasures_along)
{
	struct bb_erasure order = {.key = BB_TEXT("crm:2"),
				   .mode = BB_ERASURE_SUPPRESS,
				   .id = BB_TEXT("e"),
				   .time_ms = DAY(40)};
	struct core_rig *rigs[] = {&old, &fresh};
	struct bb_erasure_receipt receipt;
	struct bb_namespace ns[CORE_NAMESPACES];

	memcpy(ns, old.ns, sizeof(ns));
	ns[CORE_MAIL].per_profile = 1;
	take_rules(ns, CORE_NAMESPACES);
	for (int i = 0; i < 2; i++) {
		say_to(rigs[i], false);
		order_rule(rigs[i], BB_RULING_ALLOW, "a", 15, "mail:guest");
		order_rule(rigs[i], BB_RULING_BLOCK, "b", 15, "phone:9");
		order_rule(rigs[i], BB_RULING_JOIN, "w", 15, "crm:1 crm:77");
	}
	cr_assert_eq(adopt(), BB_OK);
	expect_equal("rulings");
	go_on("rulings");
	core_rig_restart(&old);
	take_rules(old.ns, CORE_NAMESPACES);
	for (int i = 0; i < 2; i++) {
		say_to(rigs[i], false);
		cr_assert_eq(order_erase(rigs[i], &order, &receipt), BB_OK);
	}
	cr_assert_eq(adopt(), BB_OK);
	expect_equal("erasure");
	go_on("erasure");
}

/* --- what is told ----------------------------------------------------------------------------- */

static unsigned told[BB_DIFFERENCE_KIND_COUNT];
static char told_of[BB_DIFFERENCE_KIND_COUNT][64];

static void on_difference(void *ctx, const struct bb_difference *difference)
{
	(void)ctx;
	told[difference->kind]++;
	if (difference->ns.p)
		snprintf(told_of[difference->kind], sizeof(told_of[0]), "%.*s:%.*s",
			 (int)difference->ns.n, difference->ns.p, (int)difference->value.n,
			 difference->value.p);
}

static int compare(void)
{
	struct bb_kv *from = bb_kvmem_begin(old.mem), *to = bb_kvmem_begin(other.mem);
	int rc;

	memset(told, 0, sizeof(told));
	rc = bb_adopt_compare(from, to, on_difference, NULL);
	bb_kvmem_abort(from);
	bb_kvmem_abort(to);
	return rc;
}

static void expect_told(const char *what, const unsigned wanted[BB_DIFFERENCE_KIND_COUNT])
{
	cr_assert_eq(compare(), BB_OK);
	for (int i = 0; i < BB_DIFFERENCE_KIND_COUNT; i++)
		cr_expect_eq(told[i], wanted[i], "%s: kind %d: %u instead of %u", what, i, told[i],
			     wanted[i]);
}

static void say_few(void)
{
	core_say(&old, DAY(1), "crm:1 mail:a dev:d");
	core_say(&old, DAY(2), "crm:2 mail:b dev:d");
	core_say(&old, DAY(3), "mail:a mail:c");
	core_say(&old, DAY(4), "mail:guest");
	core_say(&old, DAY(5), "dev:alone");
}

ADOPT_TEST(adopt_compare_tells_nothing_of_equal_stores)
{
	static const unsigned none[BB_DIFFERENCE_KIND_COUNT];

	say_few();
	cr_assert_eq(adopt(), BB_OK);
	expect_told("the same", none);
}

ADOPT_TEST(adopt_compare_tells_what_parts_and_what_unites)
{
	static const unsigned parted[BB_DIFFERENCE_KIND_COUNT] = {[BB_DIFFERENCE_SPLIT] = 1},
			      /* dev:d was alone, now it goes with crm:2; mail:guest is somebody */
		united[BB_DIFFERENCE_KIND_COUNT] = {[BB_DIFFERENCE_MERGED] = 1,
						    [BB_DIFFERENCE_CREATED] = 1,
						    [BB_DIFFERENCE_UNSHARED] = 1,
						    [BB_DIFFERENCE_UNBLOCKED] = 1},
			      dropped[BB_DIFFERENCE_KIND_COUNT] = {
				      [BB_DIFFERENCE_GONE] = 2, [BB_DIFFERENCE_DROPPED] = 2};
	struct bb_namespace ns[CORE_NAMESPACES];

	say_few();
	memcpy(ns, old.ns, sizeof(ns));
	ns[CORE_MAIL].per_profile = 1;
	take_rules(ns, CORE_NAMESPACES);
	cr_assert_eq(adopt(), BB_OK);
	expect_told("one mail a profile", parted);
	memcpy(ns, old.ns, sizeof(ns));
	ns[CORE_MAIL].junk = false;
	ns[CORE_DEV].owners = 2;
	take_rules(ns, CORE_NAMESPACES);
	cr_assert_eq(adopt(), BB_OK);
	expect_told("looser", united);
	cr_expect_str_eq(told_of[BB_DIFFERENCE_UNSHARED], "dev:d");
	cr_expect_str_eq(told_of[BB_DIFFERENCE_UNBLOCKED], "mail:guest");
	take_rules(old.ns, CORE_DEV);
	cr_assert_eq(adopt(), BB_OK);
	expect_told("without dev", dropped);
}

ADOPT_TEST(adopt_compare_tells_a_renaming_and_what_is_shared_or_blocked_now)
{
	static const unsigned renamed[BB_DIFFERENCE_KIND_COUNT] = {[BB_DIFFERENCE_RENAMED] = 1},
			      shared[BB_DIFFERENCE_KIND_COUNT] =
				      {[BB_DIFFERENCE_SHARED] = 1, [BB_DIFFERENCE_SPLIT] = 1},
			      blocked[BB_DIFFERENCE_KIND_COUNT] = {[BB_DIFFERENCE_BLOCKED] = 1};
	struct bb_namespace ns[CORE_NAMESPACES];

	memcpy(ns, old.ns, sizeof(ns));
	ns[CORE_CRM].durable = false; /* then the mail names the profile, though it came later */
	take_rules(ns, CORE_NAMESPACES);
	core_say(&old, DAY(1), "crm:1");
	core_say(&old, DAY(2), "crm:1 mail:a");
	cr_assert_eq(adopt(), BB_OK);
	expect_told("crm not durable", renamed);
	ns[CORE_CRM].durable = true;
	ns[CORE_MAIL].records = 0;
	take_rules(ns, CORE_NAMESPACES);
	cr_assert_eq(adopt(), BB_OK);
	expect_told("no record of a mail", shared);
	cr_expect_str_eq(told_of[BB_DIFFERENCE_SHARED], "mail:a");
	old.ns[CORE_MAIL].junk = false;
	core_rig_restart(&old);
	core_say(&old, DAY(1), "crm:1 mail:guest");
	old.ns[CORE_MAIL].junk = true;
	take_rules(old.ns, CORE_NAMESPACES);
	cr_assert_eq(adopt(), BB_OK);
	expect_told("junk again", blocked);
	cr_expect_str_eq(told_of[BB_DIFFERENCE_BLOCKED], "mail:guest");
}

ADOPT_TEST(adopt_tells_the_change_feed_what_became_of_profiles)
{
	struct bb_namespace ns[CORE_NAMESPACES];
	uint64_t first, before, last, number;
	unsigned kinds[BB_CHANGE_KIND_COUNT] = {0};
	struct bb_change change;
	struct bb_kv *kv;

	memcpy(ns, old.ns, sizeof(ns));
	ns[CORE_MAIL].per_profile = 1;
	take_rules(ns, CORE_NAMESPACES);
	say_few();
	kv = bb_kvmem_begin(old.mem);
	cr_assert_eq(bb_change_range(kv, &first, &before), BB_OK);
	bb_kvmem_abort(kv);
	cr_expect_gt(before, 0);
	cr_assert_eq(adopt(), BB_OK);
	kv = bb_kvmem_begin(other.mem);
	cr_assert_eq(bb_change_range(kv, &first, &last), BB_OK);
	cr_expect_gt(last, before);
	for (number = before; number < last; number++) {
		cr_assert_eq(bb_change_next(kv, number, &other.arena, &change), BB_OK);
		cr_expect_eq(change.number, number + 1);
		cr_expect_eq(change.cause, BB_CAUSE_RULES);
		kinds[change.kind]++;
	}
	bb_kvmem_abort(kv);
	cr_expect_eq(kinds[BB_CHANGE_SPLIT], 1);
	cr_expect_eq(kinds[BB_CHANGE_CREATED], 0);
}

/* --- how it ends otherwise -------------------------------------------------------------------- */

ADOPT_TEST(adopt_refuses_a_target_that_is_not_empty)
{
	say_few();
	cr_assert_eq(adopt(), BB_OK);
	cr_expect_eq(adopt(), BB_EINVAL);
}

ADOPT_TEST(adopt_can_be_given_up_at_any_slice)
{
	int n = 0, rc;

	say_to(&old, false);
	do {
		core_rig_restart(&other);
		stop_after = n++;
		rc = adopt();
		cr_assert(rc == BB_OK || rc == BB_EBUSY, "%d: %d", n, rc);
	} while (rc != BB_OK && n < 100);
	stop_after = -1;
	cr_expect(n > 5 && n < 100, "%d", n);
}

/* What fails: 0 reads of the old store, 1 reads, 2 writes, 3 commits and 4 begins of the new one.
 */
static int adopt_failing(int what, uint64_t nth)
{
	int rc;

	core_rig_restart(&other);
	bb_kvmem_fail_read(old.mem, what == 0 ? nth : 0, BB_EIO);
	bb_kvmem_fail_read(other.mem, what == 1 ? nth : 0, BB_EIO);
	bb_kvmem_fail_put(other.mem, what == 2 ? nth : 0, BB_ENOSPC);
	bb_kvmem_fail_commit(other.mem, what == 3 ? nth : 0, BB_EIO);
	fail_begin = what == 4 ? (int)nth : 0;
	rc = adopt();
	bb_kvmem_fail_read(old.mem, 0, BB_OK);
	bb_kvmem_fail_read(other.mem, 0, BB_OK);
	bb_kvmem_fail_put(other.mem, 0, BB_OK);
	bb_kvmem_fail_commit(other.mem, 0, BB_OK);
	return rc;
}

ADOPT_TEST(adopt_ends_with_every_failure_of_either_store)
{
	static const int codes[] = {BB_EIO, BB_EIO, BB_ENOSPC, BB_EIO, BB_ENOSPC};
	struct bb_namespace ns[CORE_NAMESPACES];

	memcpy(ns, old.ns, sizeof(ns));
	take_rules(ns, CORE_DEV);
	say_to(&old, false);
	for (int what = 0; what < 5; what++)
		for (uint64_t nth = 1;; nth++) {
			int rc = adopt_failing(what, nth);

			fail_begin = 0;
			if (rc == BB_OK) {
				cr_expect_gt(nth, 5, "%d", what);
				break;
			}
			cr_assert_eq(rc, codes[what], "%d, %llu: %d", what, (unsigned long long)nth,
				     rc);
		}
	say_to(&fresh, false);
	expect_equal("after all");
}

ADOPT_TEST(adopt_compare_ends_with_every_failure_of_either_store)
{
	say_few();
	take_rules(old.ns, CORE_DEV);
	cr_assert_eq(adopt(), BB_OK);
	for (int side = 0; side < 2; side++)
		for (uint64_t nth = 1;; nth++) {
			int rc;

			bb_kvmem_fail_read(side ? other.mem : old.mem, nth, BB_EIO);
			rc = compare();
			bb_kvmem_fail_read(side ? other.mem : old.mem, 0, BB_OK);
			if (rc == BB_OK) {
				cr_expect_gt(nth, 5);
				break;
			}
			cr_assert_eq(rc, BB_EIO, "side %d, read %llu", side,
				     (unsigned long long)nth);
		}
}

ADOPT_TEST(adopt_of_damaged_records_is_an_error)
{
	struct bb_text key, value;
	struct bb_kv *kv;

	say_few();
	kv = bb_kvmem_begin(old.mem);
	cr_assert_eq(bb_kv_seek(kv, BB_TABLE_PROFILE, bb_text_bytes("\0", 1), false, &key, &value),
		     BB_OK);
	cr_assert_eq(bb_kv_seek(kv, BB_TABLE_PROFILE, bb_arena_copy(&old.arena, key), true, &key,
				&value),
		     BB_OK); /* the first record */
	key = bb_arena_copy(&old.arena, key);
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_PROFILE, key, BB_TEXT("\xff\xff")), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	cr_expect_eq(adopt(), BB_ECORRUPT);
}
