/* SPDX-License-Identifier: Apache-2.0 */
/* Rulings that come by the log end like events: applied, duplicate, dead letter. */
#include <backbone/progress.h>
#include <criterion/criterion.h>

#include "script.h"

#define PAIR "\"pair\":[{\"ns\":\"user\",\"value\":\"ann\"},{\"ns\":\"user\",\"value\":\"bob\"}]"
#define JOIN(id, reason)                                                                           \
	"{\"ruling\":\"join\",\"id\":\"" id "\",\"time\":\"2026-01-02T03:04:05Z\",\"reason\":"     \
	"\"" reason "\"," PAIR "}"

static struct bench bench;

static void setup(void)
{
	bench_begin(&bench);
}

static void teardown(void)
{
	bench_end(&bench);
}

TestSuite(rulings, .init = setup, .fini = teardown, .timeout = 60);

static uint64_t profiles(void)
{
	struct bb_kv *kv = bb_kvmem_begin(bench.mem);
	uint64_t n = 0;

	cr_expect_eq(bb_count_profiles(kv, &n), BB_OK);
	bb_kvmem_abort(kv);
	return n;
}

Test(rulings, each_ends_as_one_thing)
{
	static const struct {
		const char *line;
		enum bb_verdict verdict;
	} rows[] = {
		{JOIN("r1", "so"), BB_VERDICT_APPLIED},
		{JOIN("r1", "so"), BB_VERDICT_DUPLICATE},
		{JOIN("r1", "otherwise"), BB_VERDICT_DEAD},
		{JOIN("", "no id"), BB_VERDICT_DEAD},
		{"{\"ruling\":\"block\",\"id\":\"r2\",\"identifier\":{\"ns\":\"nick\",\"value\":"
		 "\"x\"}}",
		 BB_VERDICT_DEAD},
		{"{\"ruling\":\"release\",\"id\":\"r3\",\"releases\":\"r9\"}", BB_VERDICT_APPLIED},
	};
	uint64_t expected[BB_VERDICT_COUNT] = {0};
	const struct bb_progress *row;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bench_record(&bench, 0, (int64_t)i, rows[i].line);
		expected[rows[i].verdict]++;
	}
	bench_once(&bench);
	cr_assert_eq(bench.end.code, BB_OK);
	row = bench_row(&bench, 0);
	cr_assert(row);
	for (int i = 0; i < BB_VERDICT_COUNT; i++)
		cr_expect_eq(row->results[i], expected[i], "%s: %lu instead of %lu",
			     bb_verdict_text((enum bb_verdict)i), (unsigned long)row->results[i],
			     (unsigned long)expected[i]);
}

Test(rulings, one_on_identifiers_not_known_yet_waits_and_a_release_undoes_it)
{
	bench.options.batch_events = 1;
	bench_record(&bench, 0, 0, JOIN("r1", "so"));
	bench_record(&bench, 0, 1, bench_event(&bench, "1", "ann"));
	bench_record(&bench, 0, 2, bench_event(&bench, "2", "bob"));
	bench_once(&bench);
	cr_expect_eq(profiles(), 1);
	bench_record(&bench, 0, 3,
		     "{\"ruling\":\"release\",\"id\":\"r2\",\"time\":\"2026-01-02T03:04:05Z\","
		     "\"releases\":\"r1\"}");
	bench_once(&bench);
	cr_expect_eq(profiles(), 2);
}
