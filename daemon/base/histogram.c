/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a value goes: v - 1 is split into its highest bit and the three bits below it, so that the
 * bucket of v ends with a value of the form (8 + k + 1) * 2^e, itself included. Values up to 16
 * have a bucket each.
 *
 *	value    1 2 ... 16 | 17-18 19-20 ... 31-32 | 33-36 ... 61-64 | 65-72 ...
 *	bucket   0 1 ... 15 |   16    17  ...   23  |   24  ...   31  |   32  ...
 *
 * 0 is counted with 1. Nothing can fail.
 */
#include <backbone/histogram.h>

#include <backbone/assert.h>

#define CUT_BITS 3
_Static_assert(BB_HISTOGRAM_CUTS == 1 << CUT_BITS, "cuts are a power of two");

static unsigned bucket_of(uint64_t value)
{
	uint64_t v = value ? value - 1 : 0;
	unsigned shift;

	if (v < BB_HISTOGRAM_CUTS)
		return (unsigned)v;
	shift = 63 - (unsigned)__builtin_clzll(v) - CUT_BITS;
	return (shift << CUT_BITS) + (unsigned)(v >> shift);
}

/* The greatest value of a bucket. */
static uint64_t bucket_end(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * BB_HISTOGRAM_CUTS)
		return bucket + 1;
	if (bucket == BB_HISTOGRAM_BUCKETS - 1)
		return UINT64_MAX; /* 2^64 does not fit */
	shift = (bucket >> CUT_BITS) - 1;
	return ((uint64_t)(bucket % BB_HISTOGRAM_CUTS) + BB_HISTOGRAM_CUTS + 1) << shift;
}

void bb_histogram_record(struct bb_histogram *histogram, uint64_t value)
{
	if (!histogram->count || value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->count++;
	histogram->sum += value;
	histogram->buckets[bucket_of(value)]++;
}

void bb_histogram_merge(struct bb_histogram *into, const struct bb_histogram *from)
{
	if (!from->count)
		return;
	if (!into->count || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
	for (unsigned i = 0; i < BB_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

uint64_t bb_histogram_quantile(const struct bb_histogram *histogram, unsigned permille)
{
	uint64_t rank, seen = 0;

	bb_assert(permille <= 1000);
	if (!histogram->count)
		return 0;
	rank = histogram->count / 1000 * permille +
	       (histogram->count % 1000 * permille + 999) / 1000;
	for (unsigned i = 0; i < BB_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen && seen >= rank)
			return bucket_end(i) < histogram->max ? bucket_end(i) : histogram->max;
	}
	return histogram->max;
}

uint64_t bb_histogram_at_most(const struct bb_histogram *histogram, unsigned exponent)
{
	uint64_t count = 0;
	unsigned last;

	bb_assert(exponent <= 63);
	last = bucket_of(UINT64_C(1) << exponent);
	for (unsigned i = 0; i <= last; i++)
		count += histogram->buckets[i];
	return count;
}
