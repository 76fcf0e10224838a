/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms against sorted lists. */
#include <backbone/histogram.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#define VALUES 5000

static uint64_t random_of(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

Test(base, histogram_quantiles_are_at_most_an_eighth_high)
{
	static const unsigned permilles[] = {1, 10, 250, 500, 900, 990, 999, 1000};
	static struct bb_histogram histogram;
	static uint64_t values[VALUES];
	uint64_t seed = 88172645463325252u;

	for (size_t i = 0; i < VALUES; i++) {
		values[i] = random_of(&seed) >> (random_of(&seed) % 60);
		bb_histogram_record(&histogram, values[i]);
	}
	qsort(values, VALUES, sizeof *values, compare);
	for (size_t i = 0; i < sizeof permilles / sizeof *permilles; i++) {
		uint64_t exact = values[(VALUES * permilles[i] + 999) / 1000 - 1];
		uint64_t got = bb_histogram_quantile(&histogram, permilles[i]);

		cr_assert(got >= exact && got - exact <= exact / 8 + 1,
			  "%u: %" PRIu64 " for %" PRIu64, permilles[i], got, exact);
	}
	cr_assert_eq(bb_histogram_quantile(&histogram, 1000), values[VALUES - 1]);
	cr_assert_eq(histogram.min, values[0]);
	cr_assert_eq(histogram.max, values[VALUES - 1]);
	cr_assert_eq(histogram.count, VALUES);
}

Test(base, histogram_counts_powers_of_two_exactly)
{
	static struct bb_histogram histogram;

	for (unsigned e = 0; e < 64; e++) {
		uint64_t border = UINT64_C(1) << e;

		memset(&histogram, 0, sizeof histogram);
		bb_histogram_record(&histogram, border);
		cr_assert_eq(bb_histogram_at_most(&histogram, e), 1, "2^%u", e);
		cr_assert_eq(e ? bb_histogram_at_most(&histogram, e - 1) : 0, 0, "2^%u", e);
		bb_histogram_record(&histogram, border + 1);
		cr_assert_eq(bb_histogram_at_most(&histogram, e), 1, "2^%u + 1", e);
	}
}

Test(base, histogram_takes_the_ends_of_its_range)
{
	static struct bb_histogram histogram;

	cr_assert_eq(bb_histogram_quantile(&histogram, 500), 0, "empty");
	bb_histogram_record(&histogram, 0);
	cr_assert_eq(bb_histogram_quantile(&histogram, 1000), 0);
	cr_assert_eq(bb_histogram_at_most(&histogram, 0), 1);
	bb_histogram_record(&histogram, UINT64_MAX);
	cr_assert_eq(bb_histogram_quantile(&histogram, 1000), UINT64_MAX);
	cr_assert_eq(bb_histogram_at_most(&histogram, 63), 1);
	cr_assert_eq(histogram.min, 0);
}

Test(base, histogram_merges)
{
	static struct bb_histogram a, b, both, empty;
	uint64_t seed = 4711;

	for (int i = 0; i < 1000; i++) {
		uint64_t value = random_of(&seed) % 100000 + 5;

		bb_histogram_record(i % 3 ? &a : &b, value);
		bb_histogram_record(&both, value);
	}
	bb_histogram_merge(&a, &b);
	bb_histogram_merge(&a, &empty);
	cr_assert_eq(memcmp(&a, &both, sizeof both), 0);
	bb_histogram_merge(&empty, &both);
	cr_assert_eq(memcmp(&empty, &both, sizeof both), 0);
}
