/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watermark holds for the log that it is of: offsets of a topic that was made again say nothing,
 * and the time of the event does. Where the two cannot be told apart they are one.
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

TestSuite(erase_birth, .init = setup, .fini = teardown);

#define DAY(n) (CORE_T0 + (n)*BB_DAY_MS)

static enum bb_verdict say(int day, int64_t offset, const struct bb_birth *birth)
{
	struct bb_event *ev = core_event(&rig, DAY(day), "crm:1");
	enum bb_verdict verdict;

	ev->position = (struct bb_position){.topic = BB_TEXT("t"), .offset = offset};
	ev->birth = *birth;
	verdict = core_apply(&rig, ev);
	cr_assert_eq(core_end(&rig), BB_OK);
	return verdict;
}

Test(erase_birth, a_watermark_holds_for_the_same_log)
{
	static const struct {
		const char *what;
		struct bb_birth then, now;
		bool other;
	} rows[] = {
		{"the same", {true, 5, {{1}}}, {true, 5, {{1}}}, false},
		{"another record there", {true, 5, {{1}}}, {true, 5, {{2}}}, true},
		{"one before the first", {true, 5, {{1}}}, {true, 4, {{1}}}, true},
		{"the first is gone", {true, 5, {{1}}}, {true, 6, {{2}}}, false},
		{"not known now", {true, 5, {{1}}}, {false, 0, {{0}}}, false},
		{"not known then", {false, 0, {{0}}}, {true, 0, {{1}}}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_erasure_mark mark = {
			.topic = BB_TEXT("t"), .next_offset = 10, .birth = rows[i].then};
		struct bb_erasure order = {.key = BB_TEXT("crm:1"),
					   .id = BB_TEXT("e"),
					   .time_ms = DAY(50),
					   .watermark = &mark,
					   .watermark_n = 1};
		struct bb_erasure_receipt receipt;

		core_rig_restart(&rig);
		say(1, 5, &rows[i].then);
		cr_assert_eq(order_erase(&rig, &order, &receipt), BB_OK);
		cr_expect(bb_hash_equal(&receipt.watermark[0].birth.print, &rows[i].then.print));
		cr_expect_eq(say(2, 20, &rows[i].now),
			     rows[i].other ? BB_VERDICT_SKIPPED : BB_VERDICT_APPLIED,
			     "%s: early, above", rows[i].what);
		cr_expect_eq(say(60, 7, &rows[i].now),
			     rows[i].other ? BB_VERDICT_APPLIED : BB_VERDICT_SKIPPED,
			     "%s: late, below", rows[i].what);
		cr_expect_eq(say(3, 8, &rows[i].now), BB_VERDICT_SKIPPED, "%s: early, below",
			     rows[i].what);
	}
}
