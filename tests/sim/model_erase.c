/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasures, one after the other, each on what the last one left. An event is *below* one if it lay
 * before the watermark of its partition, or, where the watermark says nothing of that, before its
 * time. Below, what was folded into the erased profile goes whole, and the erased identifiers are
 * taken off the rest; above, only `suppress` takes anything: what stands for the person alone.
 *
 * An event that comes after an erasure, to a store that has had other rules, is looked at as it
 * would have been under each of these as well. What is named there is taken off it, and below it
 * goes if it goes there.
 */
#include "model_state.h"

#include <stdlib.h>

bool bb_model_names(const struct bb_identifier *ids, size_t n, struct bb_text ns,
		    struct bb_text value)
{
	for (size_t i = 0; i < n; i++)
		if (bb_text_equal(ids[i].ns, ns) && bb_text_equal(ids[i].value, value))
			return true;
	return false;
}

static bool is_below(const struct model_event *e, const struct bb_model_erasure *erasure)
{
	const struct bb_position *position = &e->ev->position;

	for (size_t i = 0; position->topic.p && i < erasure->mark_n; i++)
		if (bb_text_equal(erasure->marks[i].topic, position->topic) &&
		    erasure->marks[i].partition == position->partition)
			return position->offset < erasure->marks[i].next_offset;
	return e->time_ms < erasure->time_ms;
}

struct erasing {
	struct model *model;
	const struct bb_model_erasure *erasure;
	size_t number; /* among those of the lines */
};

/* A set of identifiers under some rules. */
struct set {
	const struct bb_rules *rules; /* that number the namespaces */
	const struct model_raw *raws;
	size_t n;
	const struct bb_rules *made; /* that made them of what came */
};

static struct bb_text name_of(const struct set *set, size_t i)
{
	return bb_text_of(set->rules->namespaces[set->raws[i].ns_index].name);
}

/* Whether the erasure names it; `standing`: as one that stands for the person alone. */
static bool is_named(const struct bb_model_erasure *erasure, const struct set *set, size_t at,
		     bool standing)
{
	for (size_t i = 0; i < erasure->id_n; i++)
		if ((!standing || erasure->standing[i]) &&
		    bb_text_equal(erasure->ids[i].ns, name_of(set, at)) &&
		    bb_text_equal(erasure->ids[i].value, set->raws[at].value))
			return true;
	return false;
}

static bool is_record(const struct bb_model_set *record, const struct set *set,
		      const struct model_event *e)
{
	if (!bb_text_equal(record->source, e->ev->source) || record->n != set->n)
		return false;
	for (size_t i = 0; i < set->n; i++)
		if (!bb_model_names(record->ids, record->n, name_of(set, i), set->raws[i].value))
			return false;
	return true;
}

/* Whether the erasure names its record; of what has no identifier, its amount key. */
static bool is_listed(const struct bb_model_erasure *erasure, const struct set *set,
		      const struct model_event *e)
{
	for (size_t i = 0; i < erasure->record_n; i++)
		if (is_record(&erasure->records[i], set, e))
			return true;
	if (set->n > 0 || !e->ev->has_amount || !e->ev->amount.key.p)
		return false;
	for (size_t i = 0; i < erasure->key_n; i++)
		if (bb_text_equal(erasure->keys[i].source, e->ev->source) &&
		    bb_text_equal(erasure->keys[i].key, e->ev->amount.key))
			return true;
	return false;
}

/* --- lanes ------------------------------------------------------------------------------------ */

void bb_model_lanes(struct model *model, const struct bb_model_lines *lines,
		    const struct bb_model_origin *origin, struct model_event *e)
{
	e->origin = origin;
	e->lanes = bb_arena_zalloc(model->arena, lines->era_n * sizeof *e->lanes);
	for (size_t i = 0; i < lines->era_n; i++) {
		const struct bb_rules *rules = lines->eras[i];
		struct model_event was;

		if (i > 0 && lines->eras[i - 1] == origin->rules)
			break;
		if (!bb_model_take(rules, bb_model_seen(rules, origin->given, model->arena),
				   model->arena, &was))
			continue;
		e->lanes[e->lane_n++] = (struct model_lane){
			.rules = rules,
			.on = was.raw_n > 0 || (e->ev->has_amount && e->ev->amount.key.p),
			.raws = was.raws,
			.raw_n = was.raw_n,
		};
	}
}

static struct set set_of(const struct model *model, const struct model_event *e)
{
	return (struct set){model->rules, e->raws, e->raw_n,
			    e->origin ? e->origin->rules : model->rules};
}

static struct set lane_set(const struct model_lane *lane)
{
	return (struct set){lane->rules, lane->raws, lane->raw_n, lane->rules};
}

static bool is_form(const struct bb_identifier *given, const struct set *set, size_t at,
		    struct bb_arena *arena)
{
	struct bb_text value;

	return bb_text_equal(given->ns, name_of(set, at)) &&
	       bb_model_form(set->made, given, arena, &value) &&
	       bb_text_equal(value, set->raws[at].value);
}

/* Whether both were made of one that was given. */
static bool is_same_given(const struct model *model, const struct model_event *e,
			  const struct set *a, size_t i, const struct set *b, size_t k)
{
	const struct bb_event *given = e->origin->given;

	for (size_t g = 0; g < given->identifier_n; g++)
		if (is_form(&given->identifiers[g], a, i, model->arena) &&
		    is_form(&given->identifiers[g], b, k, model->arena))
			return true;
	for (size_t g = 0; g < given->same_n; g++)
		for (int end = 0; end < 2; end++)
			if (is_form(&given->same[g].pair[end], a, i, model->arena) &&
			    is_form(&given->same[g].pair[end], b, k, model->arena))
				return true;
	return false;
}

/* Whether it is named as it is, or as it was in a lane. */
static bool is_taken(const struct erasing *erasing, const struct model_event *e, size_t at,
		     bool standing)
{
	struct set now = set_of(erasing->model, e);

	if (is_named(erasing->erasure, &now, at, standing))
		return true;
	for (size_t l = 0; l < e->lane_n; l++) {
		struct set lane = lane_set(&e->lanes[l]);

		for (size_t k = 0; e->lanes[l].on && k < lane.n; k++)
			if (is_named(erasing->erasure, &lane, k, standing) &&
			    is_same_given(erasing->model, e, &now, at, &lane, k))
				return true;
	}
	return false;
}

/* Whether the erasure says anything of the event, or of a lane. */
static bool is_met(const struct erasing *erasing, const struct model_event *e)
{
	struct set set = set_of(erasing->model, e);
	bool met = e->raw_n == 0 && is_listed(erasing->erasure, &set, e);

	for (size_t i = 0; i < e->raw_n; i++)
		met = met || is_named(erasing->erasure, &set, i, false);
	for (size_t l = 0; l < e->lane_n; l++) {
		if (!e->lanes[l].on)
			continue;
		set = lane_set(&e->lanes[l]);
		met = met || (set.n == 0 && is_listed(erasing->erasure, &set, e));
		for (size_t i = 0; i < set.n; i++)
			met = met || is_named(erasing->erasure, &set, i, false);
	}
	return met;
}

static bool goes_in_lane(const struct erasing *erasing, const struct model_event *e)
{
	for (size_t l = 0; l < e->lane_n; l++) {
		struct set lane = lane_set(&e->lanes[l]);

		if (e->lanes[l].on && (is_listed(erasing->erasure, &lane, e) ||
				       (lane.n > 0 && is_named(erasing->erasure, &lane, 0, true))))
			return true;
	}
	return false;
}

/* A lane loses what is named as it is there. False: below, where nothing is left of it. */
static bool strip_lane(const struct erasing *erasing, struct model_event *e, const bool *taken,
		       struct model_lane *lane, bool below)
{
	struct set set = lane_set(lane), now = set_of(erasing->model, e);
	struct model_raw *kept = bb_arena_alloc(erasing->model->arena, set.n * sizeof *kept);
	size_t n = 0;

	for (size_t i = 0; i < set.n; i++) {
		if (is_named(erasing->erasure, &set, i, !below))
			continue;
		for (size_t k = 0; k < now.n; k++)
			e->unsure = e->unsure || (taken[k] && is_same_given(erasing->model, e, &set,
									    i, &now, k));
		kept[n++] = set.raws[i];
	}
	if (n == 0 && set.n > 0) {
		lane->on = false;
		return !below;
	}
	lane->raws = kept;
	lane->raw_n = n;
	return true;
}

/* --- an event --------------------------------------------------------------------------------- */

/* Pairs that name what goes are no pairs any more. */
static void strip_same(const struct erasing *erasing, struct model_event *e,
		       const struct model_raw *kept, size_t kept_n)
{
	struct bb_same *same = bb_arena_alloc(erasing->model->arena, e->same_n * sizeof *same);
	struct set set = {erasing->model->rules, kept, kept_n, erasing->model->rules};
	size_t n = 0;

	for (size_t i = 0; i < e->same_n; i++) {
		unsigned left = 0;

		for (size_t end = 0; end < 2; end++)
			for (size_t k = 0; k < kept_n; k++)
				left += bb_text_equal(e->same[i].pair[end].ns, name_of(&set, k)) &&
					bb_text_equal(e->same[i].pair[end].value, kept[k].value);
		if (left == 2)
			same[n++] = e->same[i];
	}
	e->same = same;
	e->same_n = n;
}

/* False: the event goes. */
static bool strip(const struct erasing *erasing, struct model_event *e, bool below)
{
	struct model_raw *kept = bb_arena_alloc(erasing->model->arena, e->raw_n * sizeof *kept);
	bool *taken = bb_arena_zalloc(erasing->model->arena, e->raw_n);
	struct set now = set_of(erasing->model, e);
	size_t n = 0;

	if (!is_met(erasing, e))
		return true;
	if (below && (e->unsure || is_listed(erasing->erasure, &now, e)))
		return false;
	if (!below && !erasing->erasure->suppress)
		return true;
	if (e->raw_n > 0 && is_taken(erasing, e, 0, true))
		return false;
	if (below && goes_in_lane(erasing, e))
		return false;
	for (size_t i = 0; i < e->raw_n; i++) {
		taken[i] = is_taken(erasing, e, i, !below);
		if (!taken[i])
			kept[n++] = e->raws[i];
	}
	for (size_t l = 0; l < e->lane_n; l++)
		if (e->lanes[l].on && !strip_lane(erasing, e, taken, &e->lanes[l], below))
			return false;
	if (n == e->raw_n)
		return true;
	strip_same(erasing, e, kept, n);
	e->raws = kept;
	e->raw_n = n;
	return n > 0;
}

/* What was there already when it was done is what the store had of it. */
static bool strip_known(const struct erasing *erasing, struct model_event *e, bool below)
{
	struct model_event stored = *e;
	bool left;

	if (!e->origin || erasing->number < e->origin->known)
		return strip(erasing, e, below);
	stored.lane_n = 0;
	stored.unsure = false;
	left = strip(erasing, &stored, below);
	stored.lane_n = e->lane_n;
	*e = stored;
	return left;
}

/* Copies below are one event: the one that lost most was there first. */
static void level_copies(const struct erasing *erasing, size_t from, size_t to)
{
	struct model_event *events = erasing->model->events, *first = NULL;

	for (size_t i = from; i < to; i++)
		if (is_below(&events[i], erasing->erasure) &&
		    (!first || bb_model_compare_raws(&events[i], first) < 0))
			first = &events[i];
	for (size_t i = from; i < to; i++) {
		if (!is_below(&events[i], erasing->erasure))
			continue;
		events[i].raws = first->raws;
		events[i].raw_n = first->raw_n;
		events[i].same = first->same;
		events[i].same_n = first->same_n;
		if (first->lane_n > 0 && &events[i] != first)
			memcpy(events[i].lanes, first->lanes, first->lane_n * sizeof *first->lanes);
		events[i].lane_n = first->lane_n;
		events[i].unsure = first->unsure;
	}
}

static void erase(const struct erasing *erasing)
{
	struct model *model = erasing->model;
	size_t kept = 0, to;

	for (size_t from = 0; from < model->event_n; from = to) {
		for (to = from + 1; to < model->event_n; to++)
			if (bb_model_compare_names(&model->events[from], &model->events[to]) != 0)
				break;
		level_copies(erasing, from, to);
	}
	for (size_t i = 0; i < model->event_n; i++) {
		struct model_event e = model->events[i];

		if (strip_known(erasing, &e, is_below(&e, erasing->erasure)))
			model->events[kept++] = e;
	}
	model->event_n = kept;
}

static int compare_erasures(const void *left, const void *right)
{
	const struct bb_model_erasure *a = *(struct bb_model_erasure *const *)left;
	const struct bb_model_erasure *b = *(struct bb_model_erasure *const *)right;

	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	return bb_text_compare(a->id, b->id);
}

void bb_model_forget(struct model *model, const struct bb_model_lines *lines)
{
	size_t n = lines->erasure_n;
	const struct bb_model_erasure **sorted = bb_arena_alloc(model->arena, n * sizeof *sorted);

	if (n == 0)
		return;
	memcpy(sorted, lines->erasures, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, compare_erasures);
	for (size_t i = 0; i < n; i++) {
		size_t number = 0;

		while (lines->erasures[number] != sorted[i])
			number++;
		erase(&(struct erasing){model, sorted[i], number});
	}
}

enum bb_model_left bb_model_left(const struct bb_rules *rules, const struct bb_model_lines *lines,
				 const struct bb_event *ev, const struct bb_model_origin *origin,
				 struct bb_arena *arena, struct bb_text *ret_identifiers)
{
	struct model_event e;
	struct model model = {.rules = rules, .arena = arena, .events = &e, .event_n = 1};
	struct bb_text all = {"", 0};
	size_t before;

	if (!bb_model_take(rules, ev, arena, &e))
		return BB_MODEL_GONE;
	if (origin)
		bb_model_lanes(&model, lines, origin, &e);
	before = e.raw_n;
	bb_model_forget(&model, lines);
	if (model.event_n == 0)
		return BB_MODEL_GONE;
	for (size_t i = 0; i < e.raw_n; i++)
		all = bb_arena_printf(arena, "%.*s%u:%.*s\n", (int)all.n, all.p, e.raws[i].ns_index,
				      (int)e.raws[i].value.n, e.raws[i].value.p);
	*ret_identifiers = all;
	return e.raw_n < before ? BB_MODEL_LESS : BB_MODEL_WHOLE;
}
