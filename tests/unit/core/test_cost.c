/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps the cost of identity down changes nothing of what comes out: batches that are settled
 * in slices, what is known of full profiles, hashes that are remembered.
 */
#include "core_rig.h"

#include <memo.h>
#include <stdio.h>

enum { STARS = 30, DEVICES = 40 };

static void say_star(struct core_rig *rig, int star, int device, int64_t time_ms, bool alone)
{
	char ids[64];

	snprintf(ids, sizeof(ids), "crm:%d dev:%d", star, star * 1000 + device);
	cr_assert_eq(core_apply(rig, core_event(rig, time_ms, ids)), BB_VERDICT_APPLIED);
	if (alone)
		cr_assert_eq(core_end(rig), BB_OK);
}

/* Full profiles, and then one batch with a newer device for each. */
static struct bb_digest digest_of_stars(uint64_t slice, uint64_t *ret_peak, uint64_t *ret_merged)
{
	struct core_rig rig;
	struct bb_digest digest;

	core_rig_init(&rig);
	rig.rules.max_identifiers = DEVICES;
	bb_pipeline_set_slice(rig.pl, slice);
	for (int star = 0; star < STARS; star++)
		for (int device = 0; device < DEVICES; device++)
			say_star(&rig, star, device, CORE_T0, true);
	for (int star = 0; star < STARS; star++)
		say_star(&rig, star, DEVICES, CORE_T0 + BB_DAY_MS, false);
	cr_assert_eq(core_end(&rig), BB_OK);
	CORE_TOGETHER(&rig, "crm:3", "dev:3040");
	*ret_peak = core_stats(&rig).peak_bytes;
	*ret_merged = core_stats(&rig).replays;
	digest = core_digest(&rig);
	core_rig_fini(&rig);
	return digest;
}

Test(core, a_batch_that_draws_many_large_profiles_takes_the_memory_of_a_slice)
{
	uint64_t whole_peak, slice_peak, whole_replays, slice_replays;
	struct bb_digest whole = digest_of_stars(131072, &whole_peak, &whole_replays),
			 slice = digest_of_stars(1, &slice_peak, &slice_replays);

	cr_expect_arr_eq(&whole, &slice, sizeof(whole));
	cr_expect_lt(8 * slice_peak, whole_peak, "%llu of %llu bytes",
		     (unsigned long long)slice_peak, (unsigned long long)whole_peak);
	cr_expect_gt(slice_replays, whole_replays + STARS / 2);
}

Test(core, a_slice_that_fails_loses_the_whole_batch)
{
	struct core_rig rig;
	struct bb_digest before;

	core_rig_init(&rig);
	rig.rules.max_identifiers = DEVICES;
	bb_pipeline_set_slice(rig.pl, 1);
	for (int device = 0; device < DEVICES; device++)
		say_star(&rig, 1, device, CORE_T0, true);
	before = core_digest(&rig);
	for (int device = DEVICES; device < DEVICES + 3; device++)
		say_star(&rig, 1, device, CORE_T0 + BB_DAY_MS, false);
	bb_kvmem_abort(rig.kv);
	bb_pipeline_abort(rig.pl);
	rig.kv = NULL;
	struct bb_digest after = core_digest(&rig);

	cr_expect_arr_eq(&before, &after, sizeof(before));
	cr_expect_eq(core_stats(&rig).events, DEVICES);
	say_star(&rig, 1, DEVICES, CORE_T0 + BB_DAY_MS, true);
	CORE_TOGETHER(&rig, "crm:1", "dev:1040");
	core_rig_fini(&rig);
}

Test(core, a_full_profile_refuses_what_is_worse_without_a_look_at_its_members)
{
	struct core_rig rig;
	uint64_t before;

	core_rig_init(&rig);
	rig.rules.max_identifiers = DEVICES;
	bb_pipeline_set_hub(rig.pl, DEVICES / 2);
	for (int device = 0; device < DEVICES + 3; device++)
		say_star(&rig, 1, device, CORE_T0 + device * BB_DAY_MS, true);
	CORE_APART(&rig, "crm:1", "dev:1003"); /* others were newer */
	before = bb_kvmem_reads(rig.mem);
	say_star(&rig, 1, 900, CORE_T0, true);
	cr_expect_lt(bb_kvmem_reads(rig.mem) - before, DEVICES, "%llu reads",
		     (unsigned long long)(bb_kvmem_reads(rig.mem) - before));
	CORE_APART(&rig, "crm:1", "dev:1900");
	say_star(&rig, 1, 901, CORE_T0 + (DEVICES + 5) * BB_DAY_MS, true);
	CORE_TOGETHER(&rig, "crm:1", "dev:1901");
	CORE_APART(&rig, "crm:1", "dev:1004");
	core_rig_fini(&rig);
}

Test(core, a_hash_that_is_remembered_is_the_one_that_was_made)
{
	static const struct bb_profile_key key = {{1, 2, 3}};
	struct bb_memo *memo = bb_memo_new();
	char text[256];

	memset(text, 'x', sizeof(text));
	for (int round = 0; round < 2; round++) {
		for (size_t n = 0; n < 200; n++) {
			for (size_t split = 0; split <= n; split += 1 + n / 7) {
				struct bb_text parts[] = {{text, split}, {text + split, n - split}};
				struct bb_hash is = bb_memo_hash(memo, &key, parts, 2),
					       made = bb_hash_parts(&key, parts, 2);

				cr_expect(bb_hash_equal(&is, &made), "%zu + %zu bytes", split,
					  n - split);
			}
		}
	}
	bb_memo_free(memo);
}
