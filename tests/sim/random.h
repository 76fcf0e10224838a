/* SPDX-License-Identifier: Apache-2.0 */
/* A small generator of the same numbers on every machine: splitmix64. */
#ifndef BB_TEST_RANDOM_H
#define BB_TEST_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bb_random {
	uint64_t state;
};

static inline uint64_t bb_random_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t bb_random_next(struct bb_random *random)
{
	random->state += UINT64_C(0x9e3779b97f4a7c15);
	return bb_random_mix(random->state);
}

/* 0..n-1 */
static inline size_t bb_random_below(struct bb_random *random, size_t n)
{
	return (size_t)(bb_random_next(random) % n);
}

static inline size_t bb_random_between(struct bb_random *random, size_t least, size_t most)
{
	return least + bb_random_below(random, most - least + 1);
}

static inline bool bb_random_percent(struct bb_random *random, unsigned percent)
{
	return bb_random_next(random) % 100 < percent;
}

#define BB_RANDOM_PICK(random, array)                                                              \
	((array)[bb_random_below((random), sizeof(array) / sizeof(array)[0])])

#endif
