/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delta debugging: runs of steps are left out, from halves down to single ones, then parts of each
 * event, then step by step again, until nothing more can go or the budget of trials is spent.
 * What is left fails for sure, though it need not be the smallest.
 */
#include "shrink.h"

struct shrinking {
	struct bb_case *cs;
	bb_shrink_fails_fn *fails;
	void *ctx;
	size_t budget;
};

static bool still_fails(struct shrinking *s)
{
	if (s->budget == 0)
		return false;
	s->budget--;
	return s->fails(s->cs, s->ctx);
}

/* Leaves out n steps from `at`; puts them back if the rest does not fail. */
static bool leave_out(struct shrinking *s, size_t at, size_t n)
{
	struct bb_case *cs = s->cs;
	struct bb_step *all = cs->steps;
	size_t all_n = cs->n;

	cs->steps = bb_arena_alloc(&cs->arena, all_n * sizeof *all);
	memcpy(cs->steps, all, at * sizeof *all);
	memcpy(cs->steps + at, all + at + n, (all_n - at - n) * sizeof *all);
	cs->n = all_n - n;
	if (still_fails(s))
		return true;
	cs->steps = all;
	cs->n = all_n;
	return false;
}

static void shrink_steps(struct shrinking *s)
{
	for (size_t run = s->cs->n / 2; run > 0; run /= 2) {
		size_t at = 0;

		while (at + run <= s->cs->n)
			if (!leave_out(s, at, run))
				at += run;
	}
}

enum part { ATTRIBUTES, ONCE, UNSET, CONSENT, SAME, AMOUNT, PROPERTIES, CHANNEL, IDENTIFIERS };

static bool drop(struct bb_event *ev, int part)
{
	struct bb_event before = *ev;

	switch (part) {
	case ATTRIBUTES:
		ev->attribute_n = 0;
		return before.attribute_n > 0;
	case ONCE:
		ev->once_n = 0;
		return before.once_n > 0;
	case UNSET:
		ev->unset_n = 0;
		return before.unset_n > 0;
	case CONSENT:
		ev->consent_n = 0;
		return before.consent_n > 0;
	case SAME:
		ev->same_n = 0;
		return before.same_n > 0;
	case AMOUNT:
		ev->has_amount = false;
		return before.has_amount;
	case PROPERTIES:
		ev->properties.p = NULL;
		return before.properties.p != NULL;
	case CHANNEL:
		ev->channel.p = NULL;
		return before.channel.p != NULL;
	default: /* one identifier */
		if ((size_t)(part - IDENTIFIERS) >= ev->identifier_n)
			return false;
		for (size_t i = (size_t)(part - IDENTIFIERS); i + 1 < ev->identifier_n; i++)
			ev->identifiers[i] = ev->identifiers[i + 1];
		ev->identifier_n--;
		return true;
	}
}

/* Copies of an event change together: they must stay copies. */
static void replace(struct bb_case *cs, const struct bb_event *old, struct bb_event *fresh,
		    size_t at)
{
	cs->steps[at].ev = fresh;
	for (size_t i = 0; i < cs->n; i++) {
		struct bb_event *ev = cs->steps[i].ev;

		if (i == at || !ev || !bb_case_same_name(ev, old))
			continue;
		cs->steps[i].ev = bb_case_copy(fresh, &cs->arena);
		cs->steps[i].ev->position = ev->position;
	}
}

static void shrink_parts(struct shrinking *s)
{
	struct bb_case *cs = s->cs;

	for (size_t i = 0; i < cs->n; i++) {
		for (int part = ATTRIBUTES; cs->steps[i].ev && part < IDENTIFIERS + 25; part++) {
			struct bb_step *kept = cs->steps;
			struct bb_event *fresh = bb_case_copy(kept[i].ev, &cs->arena);

			if (!drop(fresh, part))
				continue;
			cs->steps = bb_arena_alloc(&cs->arena, cs->n * sizeof *kept);
			memcpy(cs->steps, kept, cs->n * sizeof *kept);
			replace(cs, kept[i].ev, fresh, i);
			if (!still_fails(s))
				cs->steps = kept;
			else if (part >= IDENTIFIERS)
				part--; /* the next one took its place */
		}
	}
}

void bb_shrink_case(struct bb_case *cs, bb_shrink_fails_fn *fails, void *ctx, size_t budget)
{
	struct shrinking s = {cs, fails, ctx, budget};
	size_t before;

	do {
		before = cs->n;
		shrink_steps(&s);
	} while (cs->n < before);
	shrink_parts(&s);
	shrink_steps(&s);
}
