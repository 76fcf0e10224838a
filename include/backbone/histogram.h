/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log-linear histogram of whole numbers (nanoseconds, bytes, events): every power of two is cut
 * into BB_HISTOGRAM_CUTS equal buckets, so an answer is at most 1/8 too high, over the whole range
 * of uint64_t, in 4 KB. A bucket includes its upper end, so that powers of two are exact borders.
 *
 * Plain data; zeroed memory is an empty histogram. One owner at a time.
 */
#ifndef BACKBONE_HISTOGRAM_H
#define BACKBONE_HISTOGRAM_H

#include <stdint.h>

#define BB_HISTOGRAM_CUTS 8
#define BB_HISTOGRAM_BUCKETS (62 * BB_HISTOGRAM_CUTS)

struct bb_histogram {
	uint64_t count;
	uint64_t sum; /* wraps around after 2^64 */
	uint64_t min, max;
	uint64_t buckets[BB_HISTOGRAM_BUCKETS];
};

void bb_histogram_record(struct bb_histogram *histogram, uint64_t value);

/* Adds what `from` has counted to `into`. */
void bb_histogram_merge(struct bb_histogram *into, const struct bb_histogram *from);

/*
 * The least value that at least `permille` thousandths of the values do not exceed, rounded up to
 * the end of its bucket but never above the greatest value: 500 the median, 990 the 99th
 * percentile, 1000 the greatest. 0 for an empty histogram.
 */
uint64_t bb_histogram_quantile(const struct bb_histogram *histogram, unsigned permille);

/* How many values are at most 2^exponent; exact. `exponent` in 0..63. */
uint64_t bb_histogram_at_most(const struct bb_histogram *histogram, unsigned exponent);

#endif
