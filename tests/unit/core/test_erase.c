/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasures: the state afterwards is that of a store that never saw what went, whatever comes again;
 * whom one cannot erase; tombstones, read and carried; and a store that fails in the middle of one.
 */
#include "order_rig.h"

static struct core_rig rig;
static struct bb_erasure_receipt receipt;

static void setup(void)
{
	core_rig_init(&rig);
	receipt = (struct bb_erasure_receipt){.id = {NULL, 0}};
}

static void teardown(void)
{
	core_rig_fini(&rig);
}

#define ERASE_TEST(name) Test(core, name, .init = setup, .fini = teardown)
#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)
#define ERASED_DAY 50

static int erase(const char *key, enum bb_erasure_mode mode, const char *id)
{
	struct bb_erasure order = {.key = bb_text_of(key),
				   .mode = mode,
				   .id = bb_text_of(id),
				   .time_ms = DAY(ERASED_DAY)};

	return order_erase(&rig, &order, &receipt);
}

/* One at a position of topic `t`: what comes by a log. */
static struct bb_event *logged(int day, const char *ids, int64_t offset)
{
	struct bb_event *ev = core_event(&rig, DAY(day), ids);

	ev->id = bb_arena_printf(&rig.arena, "o%lld", (long long)offset);
	ev->position = (struct bb_position){.topic = BB_TEXT("t"), .offset = offset};
	return ev;
}

static int erase_below(const char *key, enum bb_erasure_mode mode, const char *id, int64_t next)
{
	struct bb_erasure_mark mark = {.topic = BB_TEXT("t"), .next_offset = next};
	struct bb_erasure order = {.key = bb_text_of(key),
				   .mode = mode,
				   .id = bb_text_of(id),
				   .time_ms = DAY(ERASED_DAY),
				   .watermark = &mark,
				   .watermark_n = 1};

	return order_erase(&rig, &order, &receipt);
}

static enum bb_verdict say(struct bb_event *ev)
{
	enum bb_verdict verdict = core_apply(&rig, ev);

	cr_assert_eq(core_end(&rig), BB_OK);
	return verdict;
}

/* --- whom ------------------------------------------------------------------------------------- */

ERASE_TEST(erase_refuses_whom_it_cannot_and_changes_nothing)
{
	static const struct {
		const char *key;
		int code;
	} rows[] = {
		{"crm:9", BB_ENOTFOUND},   {"mail:guest", BB_EACCESS},
		{"mail:null", BB_EACCESS}, {"dev:kiosk", BB_EINVAL},
		{"nobody:1", BB_EINVAL},   {"crm", BB_EINVAL},
		{"", BB_EINVAL},	   {"p00000000000000000000000000", BB_ENOTFOUND},
	};
	struct bb_digest before, after;

	core_say(&rig, DAY(1), "crm:1 dev:kiosk mail:guest");
	core_say(&rig, DAY(2), "crm:2 dev:kiosk");
	before = core_digest(&rig);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(erase(rows[i].key, BB_ERASURE_FORGET, "e"), rows[i].code, "%s",
			     rows[i].key);
	after = core_digest(&rig);
	cr_expect(bb_hash_equal(&before.sum, &after.sum));
	cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_TOMBSTONE), 0);
}

ERASE_TEST(erase_by_an_identifier_or_an_id_is_the_same)
{
	struct bb_found found;

	for (int by_id = 0; by_id < 2; by_id++) {
		core_rig_restart(&rig);
		core_say(&rig, DAY(1), "crm:1 mail:a");
		cr_assert_eq(core_find(&rig, "mail:a", &found), BB_OK);
		cr_assert_eq(erase(by_id ? found.id : "mail:a", BB_ERASURE_FORGET, "e"), BB_OK);
		cr_expect_str_eq(receipt.profile, found.id);
		cr_expect_eq(core_find(&rig, "crm:1", &found), BB_ENOTFOUND);
		cr_expect_eq(core_digest(&rig).profiles, 0);
		cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_IDENTIFIER), 0);
		cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_PROFILE), 0);
	}
}

/* --- what goes -------------------------------------------------------------------------------- */

ERASE_TEST(erase_tells_what_it_did_and_the_same_request_again_tells_it_again)
{
	core_say(&rig, DAY(1), "crm:1 mail:a dev:d");
	core_say(&rig, DAY(2), "crm:1 mail:a dev:d");
	core_say(&rig, DAY(2), "crm:1");
	core_say(&rig, DAY(3), "crm:2 phone:7");
	cr_assert_eq(erase("crm:1", BB_ERASURE_SUPPRESS, "e"), BB_OK);
	struct bb_erasure_receipt first = receipt;

	cr_expect(!first.again && first.mode == BB_ERASURE_SUPPRESS);
	cr_expect(first.records == 2 && first.events == 3 && first.stripped == 0,
		  "%llu records, %llu events", (unsigned long long)first.records,
		  (unsigned long long)first.events);
	cr_expect_eq(first.identifier_n, 3);
	cr_expect_eq(first.time_ms, DAY(ERASED_DAY));
	size_t standing = 0;

	for (size_t i = 0; i < first.identifier_n; i++)
		standing += first.identifiers[i].standing;
	cr_expect_eq(standing, 2, "the device stands for nobody");
	cr_assert_eq(erase("crm:2", BB_ERASURE_FORGET, "e"), BB_OK, "another key, the same id");
	cr_expect(receipt.again && receipt.mode == BB_ERASURE_SUPPRESS && receipt.events == 3);
	cr_expect_str_eq(receipt.profile, first.profile);
	cr_expect_eq(core_digest(&rig).profiles, 1);
}

ERASE_TEST(erase_acts_after_every_event_of_a_file_and_every_erasure_before)
{
	core_say(&rig, DAY(ERASED_DAY + 9), "crm:1");
	core_say(&rig, DAY(1), "crm:2");
	cr_assert_eq(erase("crm:1", BB_ERASURE_FORGET, "b"), BB_OK);
	cr_expect_eq(receipt.time_ms, DAY(ERASED_DAY + 9) + 1);
	cr_assert_eq(erase("crm:2", BB_ERASURE_FORGET, "a"), BB_OK);
	cr_expect_eq(receipt.time_ms, DAY(ERASED_DAY + 9) + 2);
}

ERASE_TEST(erase_strips_records_of_others_and_they_unite_with_what_is_left)
{
	struct core_rig never;
	struct bb_hash without;

	core_rig_init(&never);
	core_say(&never, DAY(1), "crm:2 mail:b");
	core_say(&never, DAY(2), "crm:2 mail:b");
	core_say(&never, DAY(3), "crm:2 phone:7");
	without = order_views(&never);
	core_rig_fini(&never);

	core_say(&rig, DAY(1), "crm:2 mail:b");
	core_say(&rig, DAY(2), "crm:2 mail:b dev:d");
	core_say(&rig, DAY(3), "crm:2 phone:7 dev:d");
	order_rule(&rig, BB_RULING_SPLIT, "s", 4, "crm:2 dev:d");
	CORE_APART(&rig, "crm:2", "dev:d");
	cr_assert_eq(erase("dev:d", BB_ERASURE_FORGET, "e"), BB_OK);
	cr_expect(receipt.stripped == 2 && receipt.records == 0 && receipt.rulings == 1);
	cr_expect_eq(receipt.identifier_n, 1);
	ORDER_SAME_VIEWS(&rig, without, "stripped");
	rig.number = 1; /* copies of what was stripped are what is there */
	cr_expect_eq(say(core_event(&rig, DAY(2), "crm:2 mail:b dev:d")), BB_VERDICT_DUPLICATE);
	cr_expect_eq(say(core_event(&rig, DAY(3), "crm:2 phone:7 dev:d")), BB_VERDICT_DUPLICATE);
	ORDER_SAME_VIEWS(&rig, without, "after copies");
}

static void say_amounts(struct core_rig *to, bool all)
{
	static const struct {
		const char *ids, *value, *key;
		bool erased;
	} rows[] = {
		{"crm:1 mail:a", "5", "k1", true}, {"", "7", "k1", true},
		{"crm:1", "9", "k2", true},	   {"crm:2", "3", "k2", false},
		{"crm:2", "2", "k3", false},	   {"", "4", "k3", false},
		{"crm:1", "8", NULL, true},	   {"crm:2", "1", NULL, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		to->number = (unsigned)i;
		if (rows[i].erased && !all)
			continue;
		struct bb_event *ev = core_event(to, DAY(1 + (int)i), rows[i].ids);

		core_amount(ev, rows[i].value, rows[i].key);
		core_apply(to, ev);
		cr_assert_eq(core_end(to), BB_OK);
	}
}

ERASE_TEST(erase_takes_amounts_and_the_keys_that_are_nobody_elses)
{
	struct core_rig never;
	struct bb_digest without, now;

	core_rig_init(&never);
	say_amounts(&never, false);
	without = core_digest(&never);
	core_rig_fini(&never);
	say_amounts(&rig, true);
	CORE_VIEW_HAS(&rig, "crm:1", "EUR");
	cr_assert_eq(erase("crm:1", BB_ERASURE_FORGET, "e"), BB_OK);
	cr_expect_eq(receipt.keys, 1, "k1: its last entry has no identifier");
	now = core_digest(&rig);
	cr_expect(bb_hash_equal(&now.sum, &without.sum));
	say_amounts(&rig, true);
	now = core_digest(&rig);
	cr_expect(bb_hash_equal(&now.sum, &without.sum), "all of it again");
}

/* --- what comes later ------------------------------------------------------------------------- */

ERASE_TEST(erase_forget_lets_what_is_above_the_watermark_begin_anew)
{
	cr_assert_eq(say(logged(1, "crm:1 mail:a", 0)), BB_VERDICT_APPLIED);
	cr_assert_eq(say(logged(2, "crm:1 dev:d", 1)), BB_VERDICT_APPLIED);
	cr_assert_eq(erase_below("crm:1", BB_ERASURE_FORGET, "e", 2), BB_OK);
	cr_expect_eq(say(logged(1, "crm:1 mail:a", 0)), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(logged(1, "crm:1 phone:7", 1)), BB_VERDICT_SKIPPED,
		     "another record, below");
	cr_expect_eq(core_digest(&rig).profiles, 0);
	cr_expect_eq(say(logged(3, "crm:1 mail:a", 2)), BB_VERDICT_APPLIED);
	CORE_VIEW_HAS(&rig, "mail:a", "\"events\":1");
	cr_expect_eq(core_stats(&rig).erased, 2);
}

ERASE_TEST(erase_suppress_keeps_what_stands_for_the_person_out_for_ever)
{
	struct bb_found found;

	cr_assert_eq(say(logged(1, "crm:1 mail:a dev:d", 0)), BB_VERDICT_APPLIED);
	cr_assert_eq(erase_below("crm:1", BB_ERASURE_SUPPRESS, "e", 1), BB_OK);
	cr_expect_eq(say(logged(60, "crm:1 phone:7", 5)), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(logged(60, "mail:a", 6)), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(logged(60, "crm:2 mail:a dev:d", 7)), BB_VERDICT_APPLIED);
	CORE_TOGETHER(&rig, "crm:2", "dev:d");
	cr_expect_eq(core_find(&rig, "mail:a", &found), BB_ENOTFOUND, "taken off");
	cr_expect_eq(core_find(&rig, "phone:7", &found), BB_ENOTFOUND);
}

ERASE_TEST(erase_in_a_partition_without_a_mark_goes_by_time)
{
	struct bb_event *ev;

	cr_assert_eq(say(logged(1, "crm:1", 0)), BB_VERDICT_APPLIED);
	cr_assert_eq(erase_below("crm:1", BB_ERASURE_FORGET, "e", 1), BB_OK);
	ev = logged(ERASED_DAY - 1, "crm:1", 70);
	ev->position.partition = 3;
	cr_expect_eq(say(ev), BB_VERDICT_SKIPPED);
	ev = logged(ERASED_DAY, "crm:1", 71);
	ev->position.topic = BB_TEXT("other");
	cr_expect_eq(say(ev), BB_VERDICT_APPLIED);
	cr_expect_eq(say(logged(1, "crm:1", 72)), BB_VERDICT_APPLIED, "late, above the mark");
}

/* --- tombstones ------------------------------------------------------------------------------- */

static void erase_three(void)
{
	core_say(&rig, DAY(1), "crm:1 mail:a");
	core_say(&rig, DAY(2), "crm:2 mail:b");
	core_say(&rig, DAY(3), "crm:3 phone:7");
	core_say(&rig, DAY(4), "crm:4 mail:d");
	cr_assert_eq(erase("crm:2", BB_ERASURE_SUPPRESS, "z"), BB_OK);
	cr_assert_eq(erase("crm:1", BB_ERASURE_FORGET, "y"), BB_OK);
	cr_assert_eq(erase_below("crm:3", BB_ERASURE_FORGET, "x", 7), BB_OK);
}

static void expect_three(struct bb_kv *kv)
{
	static const char *const ids[] = {"z", "y", "x"};
	struct bb_erasure_cursor cursor = {.n = 0};
	struct bb_erasure_receipt one;
	size_t n = 0;
	int rc;

	while ((rc = bb_erasure_next(kv, &cursor, &rig.arena, &one)) == BB_OK) {
		cr_assert_lt(n, 3);
		cr_expect(bb_text_equal(one.id, bb_text_of(ids[n])), "%zu: %.*s", n, (int)one.id.n,
			  one.id.p);
		cr_expect(one.identifier_n == 2 && one.records == 1 && one.events == 1);
		cr_expect_eq(one.watermark_n, n == 2);
		n++;
	}
	cr_expect_eq(rc, BB_ENOTFOUND);
	cr_expect_eq(n, 3);
}

ERASE_TEST(erase_is_read_back_one_after_the_other)
{
	struct bb_kv *kv;

	erase_three();
	kv = bb_kvmem_begin(rig.mem);
	expect_three(kv);
	bb_kvmem_abort(kv);
}

ERASE_TEST(erase_is_carried_to_an_empty_store_and_holds_there)
{
	struct bb_kvmem *old;
	struct bb_kv *from, *to;
	struct bb_digest before, after;

	erase_three();
	before = core_digest(&rig);
	old = rig.mem;
	rig.mem = NULL;
	core_rig_restart(&rig);
	from = bb_kvmem_begin(old);
	to = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_erasure_carry(from, to), BB_OK);
	expect_three(to);
	cr_assert_eq(bb_kvmem_commit(to), BB_OK);
	rig.number = 0;
	cr_expect_eq(say(core_event(&rig, DAY(1), "crm:1 mail:a")), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(core_event(&rig, DAY(2), "crm:2 mail:b")), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(core_event(&rig, DAY(3), "crm:3 phone:7")), BB_VERDICT_SKIPPED);
	cr_expect_eq(say(core_event(&rig, DAY(4), "crm:4 mail:d")), BB_VERDICT_APPLIED);
	after = core_digest(&rig);
	cr_expect(bb_hash_equal(&before.sum, &after.sum));
	to = bb_kvmem_begin(rig.mem);
	cr_expect_eq(bb_erasure_carry(from, to), BB_EINVAL, "it has records now");
	bb_kvmem_abort(to);
	bb_kvmem_abort(from);
	bb_kvmem_free(old);
}

ERASE_TEST(erase_is_not_carried_by_a_store_that_fails)
{
	struct bb_kvmem *other;
	struct bb_kv *from, *to;
	bool write;
	int rc = BB_EIO;

	erase_three();
	for (int side = 0; side < 3; side++)
		for (uint64_t nth = 1;; nth++) {
			other = bb_kvmem_new();
			from = bb_kvmem_begin(rig.mem);
			to = bb_kvmem_begin(other);
			write = side == 2;
			bb_kvmem_fail_read(rig.mem, side == 0 ? nth : 0, BB_EIO);
			bb_kvmem_fail_read(other, side == 1 ? nth : 0, BB_EIO);
			bb_kvmem_fail_put(other, side == 2 ? nth : 0, BB_ENOSPC);
			rc = bb_erasure_carry(from, to);
			bb_kvmem_fail_read(rig.mem, 0, BB_OK);
			bb_kvmem_abort(from);
			bb_kvmem_abort(to);
			bb_kvmem_free(other);
			if (rc == BB_OK) {
				cr_expect_gt(nth, 1, "side %d", side);
				break;
			}
			cr_assert_eq(rc, write ? BB_ENOSPC : BB_EIO, "side %d, %llu: %d", side,
				     (unsigned long long)nth, rc);
		}
}

ERASE_TEST(erase_has_a_name_for_each_mode)
{
	enum bb_erasure_mode mode;

	for (int i = 0; i < BB_ERASURE_MODE_COUNT; i++) {
		const char *text = bb_erasure_mode_text((enum bb_erasure_mode)i);

		cr_expect(bb_erasure_mode_of(bb_text_of(text), &mode) &&
			  mode == (enum bb_erasure_mode)i);
	}
	cr_expect(!bb_erasure_mode_of(BB_TEXT("Forget"), &mode));
}

/* --- a store that fails, or is damaged -------------------------------------------------------- */

/* Two people who share a device, a mailbox, keys; rulings on them. */
static void say_story(void)
{
	core_say(&rig, DAY(1), "crm:1 mail:a dev:d");
	core_say(&rig, DAY(2), "crm:2 mail:a phone:7");
	core_say(&rig, DAY(3), "crm:2 dev:d mail:b");
	rig.number = 20;
	say_amounts(&rig, true);
	order_rule(&rig, BB_RULING_BLOCK, "b", 4, "phone:7");
	order_rule(&rig, BB_RULING_SPLIT, "s", 4, "crm:1 dev:d");
}

/* Afterwards: copies, news, void rulings. */
static int say_after(void)
{
	static const char *const ids[] = {"crm:1 mail:a dev:d", "crm:2 mail:a phone:7",
					  "crm:1 dev:d", "crm:2"};

	rig.number = 0;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct bb_event *ev = core_event(&rig, DAY(1 + (int)i), ids[i]);

		core_amount(ev, "6", i == 3 ? "k1" : NULL);
		core_apply(&rig, ev);
	}
	struct bb_event *ev = core_event(&rig, DAY(1), "");

	core_amount(ev, "7", "k1");
	core_apply(&rig, ev);
	order_apply(&rig, order_ruling(&rig, BB_RULING_SPLIT, "s", DAY(4), "crm:1 dev:d"));
	return core_end(&rig);
}

static int run_step(int step)
{
	return step == 0   ? erase("crm:1", BB_ERASURE_SUPPRESS, "e")
	       : step == 1 ? say_after()
	       : step == 2 ? erase("crm:2", BB_ERASURE_FORGET, "f")
			   : erase("crm:9", BB_ERASURE_FORGET, "e");
}

static bool fails(int step, bool write, uint64_t nth)
{
	uint64_t before = write ? bb_kvmem_puts(rig.mem) : bb_kvmem_reads(rig.mem), now;
	int rc;

	if (write)
		bb_kvmem_fail_put(rig.mem, nth, BB_ENOSPC);
	else
		bb_kvmem_fail_read(rig.mem, nth, BB_EIO);
	rc = run_step(step);
	now = write ? bb_kvmem_puts(rig.mem) : bb_kvmem_reads(rig.mem);
	bb_kvmem_fail_put(rig.mem, 0, BB_OK);
	bb_kvmem_fail_read(rig.mem, 0, BB_OK);
	if (now < before + nth) {
		cr_assert_eq(rc, BB_OK, "step %d: %d", step, rc);
		return false;
	}
	cr_assert_eq(rc, write ? BB_ENOSPC : BB_EIO, "step %d, %s %llu: %d", step,
		     write ? "write" : "read", (unsigned long long)nth, rc);
	return true;
}

static void fail_everywhere(bool write)
{
	struct bb_digest whole, digest;
	size_t failures = 0;

	say_story();
	for (int step = 0; step < 4; step++)
		cr_assert_eq(run_step(step), BB_OK, "%d", step);
	whole = core_digest(&rig);
	core_rig_restart(&rig);
	rig.number = 0;
	say_story();
	for (int step = 0; step < 4; step++)
		for (uint64_t nth = 1; fails(step, write, nth); nth++)
			failures++;
	cr_expect(failures > 50, "%zu", failures);
	digest = core_digest(&rig);
	cr_expect(bb_hash_equal(&digest.sum, &whole.sum));
}

ERASE_TEST(erase_ends_with_every_read_that_fails_and_changes_nothing)
{
	fail_everywhere(false);
}

ERASE_TEST(erase_ends_with_every_write_that_fails_and_changes_nothing)
{
	fail_everywhere(true);
}

ERASE_TEST(erase_damaged_tombstones_are_errors)
{
	struct bb_erasure_cursor cursor = {.n = 0};
	struct bb_text key, value;
	struct bb_kvmem *other = bb_kvmem_new();
	struct bb_kv *kv, *to = bb_kvmem_begin(other);

	erase_three();
	kv = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_kv_seek(kv, BB_TABLE_TOMBSTONE, BB_TEXT("e"), false, &key, &value), BB_OK);
	key = bb_arena_copy(&rig.arena, key);
	value = bb_arena_copy(&rig.arena, value);
	value.n--;
	cr_assert_eq(bb_kv_put(kv, BB_TABLE_TOMBSTONE, key, value), BB_OK);
	cr_expect_eq(bb_erasure_next(kv, &cursor, &rig.arena, &receipt), BB_ECORRUPT);
	cr_expect_eq(bb_erasure_carry(kv, to), BB_ECORRUPT);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);
	cr_expect_eq(erase("crm:4", BB_ERASURE_FORGET, "z"), BB_ECORRUPT, "the same id again");
	core_apply(&rig, core_event(&rig, DAY(9), "crm:2"));
	cr_expect_eq(core_end(&rig), BB_ECORRUPT);
	bb_kvmem_abort(to);
	bb_kvmem_free(other);
}
