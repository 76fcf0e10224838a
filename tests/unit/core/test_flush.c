/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that outgrow one value: identifiers in many records, profiles of many places. */
#include "core_rig.h"

#include <rows.h>

static void say_many(struct core_rig *rig, int from, int to, int batch)
{
	for (int i = from; i < to; i++) {
		struct bb_text ids = bb_arena_printf(&rig->arena, "crm:one dev:d%d%c", i, 0);

		cr_assert_eq(core_apply(rig, core_event(rig, CORE_T0 + i, ids.p)),
			     BB_VERDICT_APPLIED);
		if ((i + 1) % batch == 0 || i == to - 1)
			cr_assert_eq(core_end(rig), BB_OK);
	}
}

Test(core, records_beyond_those_of_the_row_are_rows_of_their_own)
{
	static const int batches[] = {1, 7, 31, 32, 33, 100};

	for (size_t b = 0; b < sizeof(batches) / sizeof(batches[0]); b++) {
		struct core_rig rig;

		core_rig_init(&rig);
		say_many(&rig, 0, BB_PLACES_INLINE, batches[b]);
		cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_MEMBERSHIP), 0);
		say_many(&rig, BB_PLACES_INLINE, 100, batches[b]);
		cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_MEMBERSHIP), 100 - BB_PLACES_INLINE,
			     "batches of %d", batches[b]);
		say_many(&rig, 0, 100, batches[b]); /* each record once more: found, not made */
		cr_expect_eq(core_stats(&rig).records_created, 100);
		cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_MEMBERSHIP),
			     100 - BB_PLACES_INLINE);
		CORE_VIEW_HAS(&rig, "crm:one", "\"value\":\"one\",\"events\":200");
		CORE_VIEW_HAS(&rig, "dev:d99", "\"value\":\"d99\",\"events\":2");
		core_rig_fini(&rig);
	}
}

/* All its records, those of the row and the others, get another anchor. */
Test(core, an_identifier_in_many_records_that_becomes_shared_lets_go_of_all)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.ns[CORE_CRM].records = 60;
	say_many(&rig, 0, 60, 9);
	CORE_TOGETHER(&rig, "dev:d0", "dev:d59");
	say_many(&rig, 60, 61, 9);
	for (int i = 0; i <= 60; i++) {
		struct bb_text key = bb_arena_printf(&rig.arena, "dev:d%d%c", i, 0);

		CORE_APART(&rig, "crm:one", key.p);
		CORE_VIEW_HAS(&rig, key.p, "\"events\":1,\"shared\":false");
	}
	CORE_VIEW_HAS(&rig, "crm:one", "\"events\":0,\"shared\":true");
	core_rig_fini(&rig);
}

Test(core, thousands_of_records_of_one_identifier_are_one_view)
{
	struct core_rig rig;
	const int n = 5000;

	core_rig_init(&rig);
	rig.rules.max_identifiers = 100000;
	say_many(&rig, 0, n, 1000);
	CORE_VIEW_HAS(&rig, "crm:one", "\"value\":\"one\",\"events\":5000");
	uint64_t reads = bb_kvmem_reads(rig.mem);

	core_say(&rig, CORE_T0, "crm:one dev:d4999");
	cr_expect_lt(bb_kvmem_reads(rig.mem) - reads, 60, "%llu reads for one event",
		     (unsigned long long)(bb_kvmem_reads(rig.mem) - reads));
	cr_expect_eq(core_stats(&rig).records_created, 5000);
	core_rig_fini(&rig);
}

/* A blocked identifier is the strongest of very many records, and is looked up for each. */
Test(core, a_blocked_identifier_in_thousands_of_records_of_one_batch_costs_no_walk)
{
	struct core_rig rig;
	uint64_t began_ns = bb_clock_monotonic_ns();

	core_rig_init(&rig);
	for (int i = 0; i < 20000; i++) {
		struct bb_text ids = bb_arena_printf(&rig.arena, "crm:guest dev:d%d%c", i, 0);

		cr_assert_eq(core_apply(&rig, core_event(&rig, CORE_T0, ids.p)),
			     BB_VERDICT_APPLIED);
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	cr_expect_eq(core_stats(&rig).records_created, 20000);
	cr_expect_eq(bb_kvmem_entries(rig.mem, BB_TABLE_MEMBERSHIP), 20000 - BB_PLACES_INLINE);
	cr_log_info("%llu ms",
		    (unsigned long long)((bb_clock_monotonic_ns() - began_ns) / 1000000));
	core_rig_fini(&rig);
}
