/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasures, one after the other, each on what the last one left. An event is *below* one if it lay
 * before the watermark of its partition, or, where the watermark says nothing of that, before its
 * time. Below, what was folded into the erased profile goes whole, and the erased identifiers are
 * taken off the rest; above, only `suppress` takes anything: what stands for the person alone.
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
};

static struct bb_text name_of(const struct erasing *erasing, const struct model_raw *raw)
{
	return bb_text_of(erasing->model->rules->namespaces[raw->ns_index].name);
}

/* Whether the erasure names it; `standing`: as one that stands for the person alone. */
static bool is_named(const struct erasing *erasing, const struct model_raw *raw, bool standing)
{
	const struct bb_model_erasure *erasure = erasing->erasure;

	for (size_t i = 0; i < erasure->id_n; i++)
		if ((!standing || erasure->standing[i]) &&
		    bb_text_equal(erasure->ids[i].ns, name_of(erasing, raw)) &&
		    bb_text_equal(erasure->ids[i].value, raw->value))
			return true;
	return false;
}

static bool is_record(const struct erasing *erasing, const struct bb_model_set *set,
		      const struct model_event *e)
{
	if (!bb_text_equal(set->source, e->ev->source) || set->n != e->raw_n)
		return false;
	for (size_t i = 0; i < e->raw_n; i++)
		if (!bb_model_names(set->ids, set->n, name_of(erasing, &e->raws[i]),
				    e->raws[i].value))
			return false;
	return true;
}

/* Whether the erasure names its record; of what has no identifier, its amount key. */
static bool is_listed(const struct erasing *erasing, const struct model_event *e)
{
	const struct bb_model_erasure *erasure = erasing->erasure;

	for (size_t i = 0; i < erasure->record_n; i++)
		if (is_record(erasing, &erasure->records[i], e))
			return true;
	if (e->raw_n > 0 || !e->ev->has_amount || !e->ev->amount.key.p)
		return false;
	for (size_t i = 0; i < erasure->key_n; i++)
		if (bb_text_equal(erasure->keys[i].source, e->ev->source) &&
		    bb_text_equal(erasure->keys[i].key, e->ev->amount.key))
			return true;
	return false;
}

/* Pairs that name what goes are no pairs any more. */
static void strip_same(const struct erasing *erasing, struct model_event *e, bool standing)
{
	struct bb_same *kept = bb_arena_alloc(erasing->model->arena, e->same_n * sizeof *kept);
	size_t n = 0;

	for (size_t i = 0; i < e->same_n; i++) {
		struct model_raw *raws;
		size_t raw_n = bb_model_known(erasing->model->rules, e->same[i].pair, 2,
					      erasing->model->arena, &raws);
		bool gone = false;

		for (size_t k = 0; k < raw_n; k++)
			gone = gone || is_named(erasing, &raws[k], standing);
		if (!gone)
			kept[n++] = e->same[i];
	}
	e->same = kept;
	e->same_n = n;
}

/* False: the event goes. */
static bool strip(const struct erasing *erasing, struct model_event *e, bool below)
{
	struct model_raw *kept = bb_arena_alloc(erasing->model->arena, e->raw_n * sizeof *kept);
	size_t n = 0;

	if (below && is_listed(erasing, e))
		return false;
	if (!below && !erasing->erasure->suppress)
		return true;
	if (e->raw_n > 0 && is_named(erasing, &e->raws[0], true))
		return false;
	for (size_t i = 0; i < e->raw_n; i++)
		if (!is_named(erasing, &e->raws[i], !below))
			kept[n++] = e->raws[i];
	if (n == e->raw_n)
		return true;
	strip_same(erasing, e, !below);
	e->raws = kept;
	e->raw_n = n;
	return n > 0;
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

		if (strip(erasing, &e, is_below(&e, erasing->erasure)))
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
	for (size_t i = 0; i < n; i++)
		erase(&(struct erasing){model, sorted[i]});
}

enum bb_model_left bb_model_left(const struct bb_rules *rules, const struct bb_model_lines *lines,
				 const struct bb_event *ev, struct bb_arena *arena,
				 struct bb_text *ret_identifiers)
{
	struct model_event e;
	struct model model = {.rules = rules, .arena = arena, .events = &e, .event_n = 1};
	struct bb_text all = {"", 0};
	size_t before;

	if (!bb_model_take(rules, ev, arena, &e))
		return BB_MODEL_GONE;
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
