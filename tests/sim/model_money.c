/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which amounts count, and for whom. With a key only the latest state of key and part does. What
 * belongs to nobody counts for the profile of the latest event of that source and key that belongs
 * to somebody.
 */
#include "model_state.h"

static size_t home_of(const struct model *model, const struct model_event *e)
{
	if (!e->record || e->record->anchor == MODEL_NONE)
		return MODEL_NONE;
	return model->ids[e->record->anchor].group;
}

static bool same_optional(struct bb_text a, struct bb_text b)
{
	return (a.p != NULL) == (b.p != NULL) && bb_text_equal(a, b);
}

/* Of one source and key. */
static bool same_key(const struct model_event *a, const struct model_event *b)
{
	return a->ev->amount.key.p && b->ev->amount.key.p &&
	       bb_text_equal(a->ev->amount.key, b->ev->amount.key) &&
	       bb_text_equal(a->ev->source, b->ev->source);
}

/* States of one amount; without a key, the event's name and time is the key. */
static bool same_amount(const struct model_event *a, const struct model_event *b)
{
	if (a->ev->amount.key.p || b->ev->amount.key.p)
		return same_key(a, b) && same_optional(a->ev->amount.part, b->ev->amount.part);
	return bb_text_equal(a->ev->source, b->ev->source) && bb_text_equal(a->ev->id, b->ev->id) &&
	       a->time_ms == b->time_ms;
}

static bool is_latest(const struct model *model, const struct model_event *e)
{
	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_event *other = &model->events[i];

		if (other->ev->has_amount && same_amount(e, other) && bb_model_order(other, e) > 0)
			return false;
	}
	return true;
}

/* The home of the latest event with the key that has one. */
size_t bb_model_claimed_by(const struct model *model, const struct model_event *e)
{
	const struct model_event *best = NULL;

	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_event *other = &model->events[i];

		if (other->ev->has_amount && same_key(e, other) &&
		    home_of(model, other) != MODEL_NONE &&
		    (!best || bb_model_order(other, best) > 0))
			best = other;
	}
	return best ? home_of(model, best) : MODEL_NONE;
}

size_t bb_model_settle(const struct model *model, struct model_counted **ret_counted)
{
	struct model_counted *counted =
		bb_arena_alloc(model->arena, model->event_n * sizeof *counted);
	size_t n = 0, group;

	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_event *e = &model->events[i];

		if (!e->ev->has_amount || !is_latest(model, e))
			continue;
		group = home_of(model, e);
		if (group == MODEL_NONE)
			group = bb_model_claimed_by(model, e);
		if (group != MODEL_NONE)
			counted[n++] = (struct model_counted){&e->ev->amount, group};
	}
	*ret_counted = counted;
	return n;
}
