/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that is filled from the log anew beside another takes over what is not in the log: it
 * equals the first, erased people stay erased, rulings hold, feed and audit log go on; what is
 * different under other connectors is told; either store may fail.
 */
#include "order_rig.h"

#include <backbone/carry.h>
#include <backbone/change.h>

#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static struct core_rig old, other;

static void setup(void)
{
	core_rig_init(&old);
	core_rig_init(&other);
	bb_pipeline_hush(other.pl);
}

static void teardown(void)
{
	core_rig_fini(&old);
	core_rig_fini(&other);
}

#define CARRY_TEST(name) Test(core, name, .init = setup, .fini = teardown)

/* --- rigs ------------------------------------------------------------------------------------- */

static int on_begin(void *ctx, struct bb_kv **ret_kv)
{
	(void)ctx;
	*ret_kv = bb_kvmem_begin(other.mem);
	return BB_OK;
}

static int asked, give_up_at;

static bool on_progress(void *ctx, unsigned permille)
{
	(void)ctx;
	cr_expect_leq(permille, 1000);
	return ++asked != give_up_at;
}

static const struct bb_adopt_target target = {.write_begin = on_begin,
					      .write_commit = bb_kvmem_commit,
					      .write_abort = bb_kvmem_abort,
					      .progress = on_progress};

static int begin_carry(void)
{
	struct bb_kv *from = bb_kvmem_begin(old.mem), *to = bb_kvmem_begin(other.mem);
	int rc = bb_carry_orders(from, to, &old.rules.profile_key);

	if (rc == BB_OK)
		rc = bb_kvmem_commit(to);
	else
		bb_kvmem_abort(to);
	bb_kvmem_abort(from);
	return rc;
}

/* One batch of it. */
static int carry_once(struct bb_carried *ret_carried)
{
	struct bb_kv *from = bb_kvmem_begin(old.mem), *to = bb_kvmem_begin(other.mem);
	int rc;

	bb_pipeline_begin(other.pl, to);
	rc = bb_carry_more(from, to, other.pl, &old.rules.profile_key, &other.arena, ret_carried);
	if (rc == BB_OK)
		rc = bb_pipeline_finish(other.pl);
	if (rc == BB_OK)
		rc = bb_kvmem_commit(to);
	else
		bb_kvmem_abort(to);
	if (rc != BB_OK)
		bb_pipeline_abort(other.pl);
	bb_kvmem_abort(from);
	return rc;
}

static struct bb_carried carry_all(void)
{
	struct bb_carried sum = {.erasures = 0}, one;

	do {
		cr_assert_eq(carry_once(&one), BB_OK);
		sum.erasures += one.erasures;
		sum.rulings += one.rulings;
	} while (one.more);
	return sum;
}

static int end_carry(void)
{
	static const struct bb_audit entry = {.at_ms = DAY(300),
					      .actor = {"ann", 3},
					      .action = {"rebuild", 7},
					      .subject = {"", 0},
					      .detail = {"of all", 6}};
	struct bb_kv *from = bb_kvmem_begin(old.mem);
	int rc = bb_carry_end(from, &old.rules, &target, &entry);

	bb_kvmem_abort(from);
	return rc;
}

static int erase(struct core_rig *rig, const char *key, const char *id, enum bb_erasure_mode mode,
		 int64_t offset)
{
	struct bb_erasure_mark mark = {.topic = BB_TEXT("t"), .next_offset = offset};
	struct bb_erasure_receipt receipt;
	struct bb_erasure order = {.key = bb_text_of(key),
				   .mode = mode,
				   .id = bb_text_of(id),
				   .time_ms = DAY(200),
				   .watermark = &mark,
				   .watermark_n = 1};

	return order_erase(rig, &order, &receipt);
}

/* Event `i`, of one of four people, some of whom share a family's address. */
static enum bb_verdict say(struct core_rig *rig, int i)
{
	struct bb_text ids = bb_arena_printf(&rig->arena, "crm:c%d mail:m%d dev:d%d%c", i % 4,
					     i % 3 ? i % 4 : 100, i % 2, 0);
	struct bb_event *ev = core_event(rig, DAY(i), ids.p);

	ev->id = bb_arena_printf(&rig->arena, "e%d", i);
	ev->position = (struct bb_position){BB_TEXT("t"), 0, i};
	core_attribute(rig, ev, "note", i % 2 ? "odd" : "even");
	core_amount(ev, "2.50", i % 4 ? NULL : "k1");
	return core_apply(rig, ev);
}

static void say_all(struct core_rig *rig, int from, int to)
{
	for (int i = from; i < to; i++)
		cr_assert_eq(say(rig, i), BB_VERDICT_APPLIED, "%d", i);
	cr_assert_eq(core_end(rig), BB_OK);
}

/* The same where some of it may be known, or erased. */
static void replay(struct core_rig *rig, int from, int to)
{
	for (int i = from; i < to; i++)
		say(rig, i);
	cr_assert_eq(core_end(rig), BB_OK);
}

static void expect_same(const char *what)
{
	struct bb_digest a = core_digest(&old), b = core_digest(&other);

	cr_expect_eq(a.profiles, b.profiles, "%s: %llu and %llu profiles", what,
		     (unsigned long long)a.profiles, (unsigned long long)b.profiles);
	cr_expect(bb_hash_equal(&a.sum, &b.sum), "%s", what);
}

static uint64_t last_change(struct core_rig *rig)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	uint64_t first, last;

	cr_assert_eq(bb_change_range(kv, &first, &last), BB_OK);
	bb_kvmem_abort(kv);
	return last;
}

/* --- equal to the first ----------------------------------------------------------------------- */

CARRY_TEST(carry_gives_the_same_store_of_the_same_log)
{
	struct bb_audit entry = {.at_ms = DAY(1), .actor = BB_TEXT("bob"), .action = BB_TEXT("x")};
	struct bb_audit_check check;
	struct bb_kv *kv;

	say_all(&old, 0, 12);
	order_rule(&old, BB_RULING_SPLIT, "r1", 20, "crm:c2 mail:m2");
	cr_assert_eq(erase(&old, "crm:c1", "x1", BB_ERASURE_FORGET, 12), BB_OK);
	order_rule(&old, BB_RULING_JOIN, "r2", 21, "crm:c2 crm:c3");
	kv = bb_kvmem_begin(old.mem);
	cr_assert_eq(bb_audit_append(kv, &entry), BB_OK);
	cr_assert_eq(bb_kvmem_commit(kv), BB_OK);

	cr_assert_eq(begin_carry(), BB_OK);
	replay(&other, 0, 12);
	expect_same("before the end");
	cr_expect_eq(last_change(&other), 0, "nothing is told meanwhile");
	cr_assert_eq(end_carry(), BB_OK);
	expect_same("after it");
	cr_expect_eq(last_change(&other), last_change(&old), "and nothing is different");
	kv = bb_kvmem_begin(other.mem);
	cr_assert_eq(bb_audit_verify(kv, &check), BB_OK);
	cr_expect(check.entries == 2 && check.wrong == 0, "%llu entries, wrong %llu",
		  (unsigned long long)check.entries, (unsigned long long)check.wrong);
	bb_kvmem_abort(kv);
	cr_expect_eq(begin_carry(), BB_EINVAL, "it has records now");
}

CARRY_TEST(carry_keeps_feed_and_histories_though_topics_have_other_numbers)
{
	struct bb_event *ev;
	struct bb_kv *a, *b;
	uint64_t number = 0, n = 0;

	say_all(&old, 0, 12);
	order_rule(&old, BB_RULING_JOIN, "r2", 21, "crm:c2 crm:c3");
	cr_assert_eq(begin_carry(), BB_OK);
	ev = core_event(&other, DAY(1), "dev:stranger"); /* another topic is met first */
	ev->position = (struct bb_position){BB_TEXT("another"), 7, 1};
	core_attribute(&other, ev, "note", "x");
	core_apply(&other, ev);
	replay(&other, 0, 12);
	cr_assert_eq(end_carry(), BB_OK);
	a = bb_kvmem_begin(old.mem);
	b = bb_kvmem_begin(other.mem);
	for (struct bb_change x, y; bb_change_next(a, number, &old.arena, &x) == BB_OK; n++) {
		struct bb_buf left = BB_BUF_EMPTY, right = BB_BUF_EMPTY;

		cr_assert_eq(bb_change_next(b, number, &other.arena, &y), BB_OK);
		bb_change_json(&x, &left);
		bb_change_json(&y, &right);
		cr_expect(bb_text_equal(bb_buf_slice(&left), bb_buf_slice(&right)), "%.*s, %.*s",
			  (int)left.n, left.p, (int)right.n, right.p);
		number = x.number;
		bb_buf_fini(&left);
		bb_buf_fini(&right);
	}
	cr_expect_geq(n, 4);
	bb_kvmem_abort(a);
	bb_kvmem_abort(b);
}

/* --- given meanwhile -------------------------------------------------------------------------- */

CARRY_TEST(carry_erases_what_was_read_before_the_erasure_came)
{
	for (int mode = 0; mode < BB_ERASURE_MODE_COUNT; mode++) {
		struct bb_carried carried;

		core_rig_restart(&old);
		core_rig_restart(&other);
		say_all(&old, 0, 12);
		cr_assert_eq(begin_carry(), BB_OK);
		replay(&other, 0, 7);
		cr_assert_eq(erase(&old, "crm:c1", "x1", (enum bb_erasure_mode)mode, 12), BB_OK);
		cr_assert_eq(erase(&old, "mail:m2", "x2", (enum bb_erasure_mode)mode, 12), BB_OK);
		carried = carry_all();
		cr_expect_eq(carried.erasures, 2);
		carried = carry_all();
		cr_expect_eq(carried.erasures, 0, "once");
		replay(&other, 7, 12);
		expect_same(bb_erasure_mode_text((enum bb_erasure_mode)mode));
		replay(&old, 12, 24); /* what comes above the watermark */
		replay(&other, 12, 24);
		expect_same("later events");
		replay(&other, 0, 12);
		replay(&old, 0, 12);
		expect_same("copies of all");
	}
}

/* As a file takes them: one by one, each in a batch. */
static void take_stones(uint64_t *ret_taken, uint64_t *ret_known)
{
	struct bb_kv *from = bb_kvmem_begin(old.mem);
	struct bb_erasure_cursor cursor = {.n = 0};
	struct bb_tombstone stone;

	*ret_taken = *ret_known = 0;
	while (bb_tombstone_next(from, &cursor, &old.arena, &stone) == BB_OK) {
		struct bb_kv *to = bb_kvmem_begin(other.mem);
		bool known;

		bb_pipeline_begin(other.pl, to);
		cr_assert_eq(bb_tombstone_take(other.pl, to, &stone, &known), BB_OK);
		cr_assert_eq(bb_pipeline_finish(other.pl), BB_OK);
		cr_assert_eq(bb_kvmem_commit(to), BB_OK);
		*(known ? ret_known : ret_taken) += 1;
	}
	bb_kvmem_abort(from);
}

CARRY_TEST(carry_takes_tombstones_one_by_one)
{
	uint64_t taken, known;

	for (int early = 0; early < 2; early++) {
		core_rig_restart(&old);
		core_rig_restart(&other);
		say_all(&old, 0, 12);
		cr_assert_eq(erase(&old, "crm:c1", "x1", BB_ERASURE_FORGET, 12), BB_OK);
		cr_assert_eq(erase(&old, "mail:m2", "x2", BB_ERASURE_SUPPRESS, 12), BB_OK);
		if (early)
			take_stones(&taken, &known);
		replay(&other, 0, 12);
		if (!early)
			take_stones(&taken, &known);
		cr_expect_eq(taken, 2);
		expect_same(early ? "before it is read" : "after it was read");
		take_stones(&taken, &known);
		cr_expect(taken == 0 && known == 2, "again");
		expect_same("again");
	}
}

CARRY_TEST(carry_takes_rulings_that_the_log_does_not_bring)
{
	struct bb_ruling logged =
		order_ruling(&old, BB_RULING_JOIN, "log", DAY(1), "crm:c0 crm:c1");
	struct bb_carried carried;

	logged.by_log = true;
	say_all(&old, 0, 12);
	cr_assert_eq(order_apply(&old, logged), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(&old), BB_OK);
	order_rule(&old, BB_RULING_SPLIT, "early", 20, "crm:c2 mail:m2");
	cr_assert_eq(begin_carry(), BB_OK);
	replay(&other, 0, 12);
	CORE_APART(&other, "crm:c0", "crm:c1");
	CORE_APART(&other, "crm:c2", "mail:m2");
	order_rule(&old, BB_RULING_JOIN, "late", 21, "crm:c2 crm:c3");
	order_rule(&old, BB_RULING_BLOCK, "block", 21, "dev:d1");
	carried = carry_all();
	cr_expect_eq(carried.rulings, 2, "%llu", (unsigned long long)carried.rulings);
	CORE_TOGETHER(&other, "crm:c2", "crm:c3");
	cr_expect_eq(carry_all().rulings, 0);
	cr_assert_eq(order_apply(&other, logged), BB_VERDICT_APPLIED, "by the log again");
	cr_assert_eq(core_end(&other), BB_OK);
	expect_same("with the log's");
}

CARRY_TEST(carry_takes_a_ruling_of_the_log_that_a_person_gave_too)
{
	struct bb_ruling ruling = order_ruling(&old, BB_RULING_JOIN, "r", DAY(1), "crm:c0 crm:c1");

	say_all(&old, 0, 12);
	ruling.by_log = true;
	cr_assert_eq(order_apply(&old, ruling), BB_VERDICT_APPLIED);
	ruling.by_log = false;
	cr_assert_eq(order_apply(&old, ruling), BB_VERDICT_DUPLICATE);
	cr_assert_eq(core_end(&old), BB_OK);
	cr_assert_eq(begin_carry(), BB_OK);
	replay(&other, 0, 12);
	CORE_TOGETHER(&other, "crm:c0", "crm:c1");
	expect_same("it holds without the log");
}

CARRY_TEST(carry_voids_rulings_on_who_was_erased_meanwhile)
{
	say_all(&old, 0, 12);
	order_rule(&old, BB_RULING_JOIN, "r", 20, "crm:c0 crm:c1");
	cr_assert_eq(begin_carry(), BB_OK);
	replay(&other, 0, 12);
	cr_assert_eq(erase(&old, "crm:c1", "x", BB_ERASURE_FORGET, 12), BB_OK);
	cr_expect_eq(carry_all().erasures, 1);
	expect_same("the ruling is gone too");
}

/* --- under other connectors ------------------------------------------------------------------- */

static unsigned kinds_of(uint64_t after)
{
	struct bb_kv *kv = bb_kvmem_begin(other.mem);
	struct bb_change change;
	unsigned kinds = 0;

	while (bb_change_next(kv, after, &other.arena, &change) == BB_OK) {
		cr_expect_eq(change.cause, BB_CAUSE_REBUILD);
		kinds |= 1u << change.kind;
		after = change.number;
	}
	bb_kvmem_abort(kv);
	return kinds;
}

CARRY_TEST(carry_tells_what_is_different)
{
	static const struct {
		const char *name, *before[2], *after[2];
		unsigned kinds;
	} rows[] = {
		{"nothing", {"crm:1 mail:a", NULL}, {"crm:1 mail:a", NULL}, 0},
		{"came", {"crm:1", NULL}, {"crm:1", "crm:2"}, 1u << BB_CHANGE_CREATED},
		{"went", {"crm:1", "crm:2"}, {"crm:1", NULL}, 1u << BB_CHANGE_ERASED},
		{"more is known", {"crm:1", NULL}, {"crm:1 mail:a", NULL}, 1u << BB_CHANGE_UPDATED},
		{"united", {"crm:1", "phone:1"}, {"crm:1 phone:1", NULL}, 1u << BB_CHANGE_MERGED},
		{"parted", {"crm:1 phone:1", NULL}, {"crm:1", "phone:1"}, 1u << BB_CHANGE_SPLIT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t last;
		unsigned kinds;

		core_rig_restart(&old);
		core_rig_restart(&other);
		bb_pipeline_hush(other.pl);
		other.number = old.number;
		for (int k = 0; k < 2; k++) {
			if (rows[i].before[k])
				core_say(&old, DAY(k), rows[i].before[k]);
			if (rows[i].after[k])
				core_say(&other, DAY(k), rows[i].after[k]);
		}
		last = last_change(&old);
		cr_assert_eq(end_carry(), BB_OK);
		kinds = kinds_of(last);
		if (rows[i].kinds & (1u << BB_CHANGE_MERGED | 1u << BB_CHANGE_SPLIT))
			kinds &= ~(1u << BB_CHANGE_UPDATED);
		cr_expect_eq(kinds, rows[i].kinds, "%s: %x", rows[i].name, kinds);
	}
}

/* --- failures --------------------------------------------------------------------------------- */

CARRY_TEST(carry_ends_where_it_is_told_to)
{
	say_all(&old, 0, 12);
	for (give_up_at = 1; give_up_at < 4; give_up_at++) {
		asked = 0;
		cr_expect_eq(end_carry(), BB_EBUSY, "%d", give_up_at);
		core_rig_restart(&other);
	}
	give_up_at = 0;
}

CARRY_TEST(carry_ends_with_the_error_of_either_store)
{
	int code = BB_EIO;

	say_all(&old, 0, 12);
	order_rule(&old, BB_RULING_SPLIT, "r1", 20, "crm:c2 mail:m2");
	cr_assert_eq(erase(&old, "crm:c1", "x1", BB_ERASURE_FORGET, 12), BB_OK);
	for (uint64_t nth = 1; code != BB_OK; nth++) {
		core_rig_restart(&other);
		bb_kvmem_fail_read(old.mem, nth, BB_EIO);
		code = begin_carry();
		cr_expect(code == BB_OK || code == BB_EIO, "%d", code);
		bb_kvmem_fail_read(old.mem, 0, 0);
	}
	code = BB_EIO;
	for (uint64_t nth = 1; code != BB_OK; nth++) {
		core_rig_restart(&other);
		replay(&other, 0, 12);
		bb_kvmem_fail_read(old.mem, nth, BB_EIO);
		code = end_carry();
		cr_expect(code == BB_OK || code == BB_EIO, "%d", code);
		bb_kvmem_fail_read(old.mem, 0, 0);
	}
	code = BB_ENOSPC;
	for (uint64_t nth = 1; code != BB_OK; nth++) {
		core_rig_restart(&other);
		replay(&other, 0, 12);
		bb_kvmem_fail_put(other.mem, nth, BB_ENOSPC);
		code = end_carry();
		cr_expect(code == BB_OK || code == BB_ENOSPC, "%d", code);
		bb_kvmem_fail_put(other.mem, 0, 0);
	}
	code = BB_ENOSPC;
	for (uint64_t nth = 1; code != BB_OK; nth++) {
		struct bb_carried carried;

		core_rig_restart(&other);
		replay(&other, 0, 12);
		bb_kvmem_fail_put(other.mem, nth, BB_ENOSPC);
		do
			code = carry_once(&carried);
		while (code == BB_OK && carried.more);
		cr_expect(code == BB_OK || code == BB_ENOSPC, "%d", code);
		bb_kvmem_fail_put(other.mem, 0, 0);
	}
}
