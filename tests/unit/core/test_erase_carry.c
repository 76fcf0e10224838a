/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hundred of a thousand people erased, their tombstones carried to an empty store, and every
 * topic read again from its start, its partitions in another order: the state is the same, nobody
 * returns.
 */
#include "order_rig.h"

enum { PEOPLE = 1000, ERASED = 200, EACH = 4, PARTITIONS = 3, BATCH = 250 };

static struct core_rig rig;

/* Event `i` of a person: ids of its own, of a family of 4, or of a shop of 50. */
static struct bb_event *event_of(int person, int i)
{
	static const char *const with[] = {"mail:m", "dev:d", "mail:family", "phone:1555"};
	static const int group[] = {1, 4, 4, 50};
	struct bb_text ids = bb_arena_printf(&rig.arena, "crm:c%d %s%d%c", person, with[i],
					     100 + person / group[i], 0);
	struct bb_event *ev =
		core_event(&rig, CORE_T0 + (i * PEOPLE + person) * INT64_C(60000), ids.p);

	ev->id = bb_arena_printf(&rig.arena, "%d-%d", person, i);
	ev->position = (struct bb_position){.topic = BB_TEXT("t"),
					    .partition = person % PARTITIONS,
					    .offset = i * PEOPLE + person};
	core_attribute(&rig, ev, "note", "a word");
	core_amount(ev, "2.50",
		    i == 1 ? bb_arena_printf(&rig.arena, "k%d%c", person / 2, 0).p : NULL);
	return ev;
}

/* Every event, partition by partition from `first` on. */
static void read_all(int first)
{
	int n = 0;

	for (int p = 0; p < PARTITIONS; p++)
		for (int i = 0; i < EACH; i++)
			for (int person = 0; person < PEOPLE; person++) {
				if (person % PARTITIONS != (first + p) % PARTITIONS)
					continue;
				core_apply(&rig, event_of(person, i));
				if (++n % BATCH == 0)
					cr_assert_eq(core_end(&rig), BB_OK);
			}
	if (rig.kv)
		cr_assert_eq(core_end(&rig), BB_OK);
}

static void erase_some(void)
{
	struct bb_erasure_mark marks[PARTITIONS];
	struct bb_erasure_receipt receipt;

	for (int p = 0; p < PARTITIONS; p++)
		marks[p] = (struct bb_erasure_mark){
			.topic = BB_TEXT("t"), .partition = p, .next_offset = EACH * PEOPLE};
	for (int n = 0; n < ERASED; n++) {
		struct bb_erasure order = {
			.key = bb_arena_printf(&rig.arena, "crm:c%d", n * 7 % PEOPLE),
			.mode = n % 2 ? BB_ERASURE_SUPPRESS : BB_ERASURE_FORGET,
			.id = bb_arena_printf(&rig.arena, "e%d", n),
			.time_ms = CORE_T0 + 90 * BB_DAY_MS,
			.watermark = marks,
			.watermark_n = PARTITIONS};

		cr_assert_eq(order_erase(&rig, &order, &receipt), BB_OK, "%d", n);
	}
}

Test(core, erase_holds_when_all_is_read_again_with_the_tombstones)
{
	struct bb_digest before, after;
	struct bb_kvmem *old;
	struct bb_found found;
	struct bb_kv *from, *to;

	core_rig_init(&rig);
	read_all(0);
	cr_expect_geq(core_digest(&rig).profiles, PEOPLE);
	erase_some();
	before = core_digest(&rig);
	old = rig.mem;
	rig.mem = NULL;
	core_rig_restart(&rig);
	from = bb_kvmem_begin(old);
	to = bb_kvmem_begin(rig.mem);
	cr_assert_eq(bb_erasure_carry(from, to), BB_OK);
	cr_assert_eq(bb_kvmem_commit(to), BB_OK);
	bb_kvmem_abort(from);
	bb_kvmem_free(old);
	read_all(2);
	after = core_digest(&rig);
	cr_expect_eq(after.profiles, before.profiles, "%llu profiles instead of %llu",
		     (unsigned long long)after.profiles, (unsigned long long)before.profiles);
	cr_expect(bb_hash_equal(&before.sum, &after.sum));
	for (int person = 0; person < PEOPLE; person++) {
		bool gone = person * 143 % PEOPLE < ERASED; /* 7 * 143 = 1001 */
		struct bb_text key = bb_arena_printf(&rig.arena, "crm:c%d%c", person, 0);

		cr_expect_eq(core_find(&rig, key.p, &found), gone ? BB_ENOTFOUND : BB_OK, "%s",
			     key.p);
	}
	core_rig_fini(&rig);
}
