/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each step of a case comes, and in which batch. Both depend on its mark and its content only,
 * so that they stay as they are while a case is shrunk. Shuffled batches have about as many steps
 * as the run says.
 *
 * Events of one partition come in the order of their offsets where people are erased, since an
 * erasure says how far each was read; between partitions there is no order: each begins and goes on
 * in its own time. Rulings come at any time; two with one id side by side, since the first one
 * stands.
 */
#include "run.h"

#include <stdlib.h>

#define WHEN_MAX (UINT64_C(1) << 62)
#define PACES 4 /* of a partition */

static uint64_t hash_text(uint64_t seed, struct bb_text text)
{
	for (size_t i = 0; i < text.n; i++)
		seed = bb_random_mix(seed * 31 + (unsigned char)text.p[i]);
	return seed;
}

/* Rising with the mark in one partition. */
static uint64_t pace(const struct bb_case *cs, const struct bb_run *run,
		     const struct bb_position *position, size_t mark)
{
	uint64_t chance = hash_text(cs->seed * 1000003 + run->batch + (run->replayed ? 77 : 0),
				    position->topic);
	uint64_t speed, start;

	chance = bb_random_mix(chance + (uint64_t)position->partition);
	speed = 1 + chance % PACES;
	start = (chance >> 8) % ((PACES - speed) * cs->made_n + 1);
	return (start + mark * speed) * (WHEN_MAX / (PACES * cs->made_n + 1));
}

static uint64_t when_of(const struct bb_case *cs, const struct bb_run *run,
			const struct bb_step *step, uint64_t chance)
{
	bool shuffle = run->shuffle || run->replayed;

	if (!shuffle)
		return (uint64_t)step->mark << 32;
	if (step->kind == BB_STEP_RULING)
		return hash_text(cs->seed * 1000003 + run->batch + run->replayed,
				 step->ruling->id) %
		       WHEN_MAX;
	if (step->kind != BB_STEP_EVENT)
		return step->mark * (WHEN_MAX / (cs->made_n + 1));
	if (cs->erases && step->ev->position.topic.p)
		return pace(cs, run, &step->ev->position, step->mark);
	return chance % WHEN_MAX;
}

static uint64_t group_of(const struct bb_case *cs, const struct bb_run *run, uint64_t when)
{
	uint64_t batches = (cs->made_n + run->batch - 1) / (run->batch ? run->batch : 1);

	if (run->batch <= 1)
		return run->batch ? when : 0;
	return run->shuffle || run->replayed ? when / (WHEN_MAX / batches)
					     : (when >> 32) / run->batch;
}

static int compare_deliveries(const void *left, const void *right)
{
	const struct bb_delivered *a = left, *b = right;

	if (a->when != b->when)
		return a->when < b->when ? -1 : 1;
	return (a->step > b->step) - (a->step < b->step);
}

size_t bb_schedule(const struct bb_case *cs, const struct bb_run *run, struct bb_arena *arena,
		   struct bb_delivered **ret_deliveries)
{
	size_t n = 0, room = 0;
	struct bb_delivered *all = NULL;

	for (size_t i = 0; i < cs->n; i++) {
		const struct bb_step *step = &cs->steps[i];
		uint64_t chance =
			bb_random_mix(cs->seed * 1000003 + (uint64_t)step->mark + run->batch);
		uint64_t when = when_of(cs, run, step, chance);
		uint64_t again = bb_random_mix(chance + 1) % WHEN_MAX;

		again = when + (run->shuffle || run->replayed ? again : 1);
		BB_ARENA_PUSH(arena, all, n, room) =
			(struct bb_delivered){i, when, group_of(cs, run, when)};
		if (step->kind < BB_STEP_ERASE &&
		    bb_random_mix(chance) % 100 < run->redeliver_percent)
			BB_ARENA_PUSH(arena, all, n, room) =
				(struct bb_delivered){i, again, group_of(cs, run, again)};
	}
	if (n > 0)
		qsort(all, n, sizeof *all, compare_deliveries);
	*ret_deliveries = all;
	return n;
}
