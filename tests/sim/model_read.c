/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From lines to what identity is made of: what no erasure took, each named event once, the
 * identifiers by strength, the records (same source, same set of identifiers), the joins and
 * splits that rulings and `same` facts make. An event with too many identifiers is none.
 */
#include "model_state.h"

#include <backbone/assert.h>

#include <stdlib.h>

static int compare_raws(const void *left, const void *right)
{
	const struct model_raw *a = left, *b = right;

	if (a->ns_index != b->ns_index)
		return a->ns_index < b->ns_index ? -1 : 1;
	return bb_text_compare(a->value, b->value);
}

size_t bb_model_known(const struct bb_rules *rules, const struct bb_identifier *ids, size_t n,
		      struct bb_arena *arena, struct model_raw **ret_raws)
{
	struct model_raw *raws = bb_arena_alloc(arena, n * sizeof *raws);
	size_t known = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		for (uint16_t ns = 0; ns < rules->namespace_n; ns++)
			if (bb_text_equal(bb_text_of(rules->namespaces[ns].name), ids[i].ns))
				raws[known++] = (struct model_raw){ns, ids[i].value};
	if (known > 0)
		qsort(raws, known, sizeof *raws, compare_raws);
	for (size_t i = 0; i < known; i++)
		if (i == 0 || compare_raws(&raws[i], &raws[kept - 1]) != 0)
			raws[kept++] = raws[i];
	*ret_raws = raws;
	return kept;
}

bool bb_model_take(const struct bb_rules *rules, const struct bb_event *ev, struct bb_arena *arena,
		   struct model_event *ret_event)
{
	size_t n = ev->identifier_n + 2 * ev->same_n;
	struct bb_identifier *all = bb_arena_alloc(arena, n * sizeof *all);
	struct model_event e = {
		.ev = ev,
		.time_ms = ev->has_time ? ev->time_ms : ev->log_ms,
		.kafka_time = ev->kafka_time || !ev->has_time,
		.same = ev->same,
		.same_n = ev->same_n,
	};

	for (size_t i = 0; i < n; i++) {
		size_t s = i - ev->identifier_n; /* those of `same` follow */

		all[i] = i < ev->identifier_n ? ev->identifiers[i] : ev->same[s / 2].pair[s % 2];
	}
	e.raw_n = bb_model_known(rules, all, n, arena, &e.raws);
	*ret_event = e;
	return e.raw_n <= BB_EVENT_IDENTIFIERS_MAX;
}

int bb_model_compare_names(const struct model_event *a, const struct model_event *b)
{
	int d = bb_text_compare(a->ev->source, b->ev->source);

	if (d == 0)
		d = bb_text_compare(a->ev->id, b->ev->id);
	if (d == 0)
		d = (int)a->kafka_time - (int)b->kafka_time;
	if (d == 0 && !a->kafka_time)
		d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
	return d;
}

int bb_model_compare_raws(const struct model_event *a, const struct model_event *b)
{
	int d = (a->raw_n > b->raw_n) - (a->raw_n < b->raw_n);

	for (size_t i = 0; d == 0 && i < a->raw_n; i++)
		d = compare_raws(&a->raws[i], &b->raws[i]);
	return d;
}

static int compare_events(const void *left, const void *right)
{
	int d = bb_model_compare_names(left, right);

	return d ? d : bb_model_compare_raws(left, right);
}

static void sort_events(struct model *model)
{
	if (model->event_n > 0)
		qsort(model->events, model->event_n, sizeof *model->events, compare_events);
}

/* Of copies on both sides of an erasure the one that lost identifiers was there first. */
static void keep_named_once(struct model *model)
{
	size_t kept = 0;

	sort_events(model);
	for (size_t i = 0; i < model->event_n; i++)
		if (i == 0 ||
		    bb_model_compare_names(&model->events[i], &model->events[kept - 1]) != 0)
			model->events[kept++] = model->events[i];
	model->event_n = kept;
}

static struct model_identifier describe(const struct model *model, const struct model_raw *raw)
{
	const struct bb_namespace *ns = &model->rules->namespaces[raw->ns_index];
	struct bb_identifier on = {.ns = bb_text_of(ns->name), .value = raw->value};
	enum bb_ruling_kind word = bb_model_word(model, &on, 1);

	return (struct model_identifier){
		.ns = ns,
		.ns_index = raw->ns_index,
		.value = raw->value,
		.allowed = word == BB_RULING_ALLOW,
		.blocked = word == BB_RULING_BLOCK ||
			   (word != BB_RULING_ALLOW && bb_model_junk(ns, raw->value)),
		.seen_ms = INT64_MAX,
		.hash = bb_hash_identifier(&model->rules->profile_key, on.ns, raw->value),
	};
}

static void number_identifiers(struct model *model)
{
	struct model_raw *all = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < model->event_n; i++)
		for (size_t k = 0; k < model->events[i].raw_n; k++)
			BB_ARENA_PUSH(model->arena, all, n, room) = model->events[i].raws[k];
	if (n > 0)
		qsort(all, n, sizeof *all, compare_raws);
	model->ids = bb_arena_zalloc(model->arena, n * sizeof *model->ids);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_raws(&all[i], &all[i - 1]) != 0)
			model->ids[model->id_n++] = describe(model, &all[i]);
}

/* MODEL_NONE: in no event. */
static size_t number_of(const struct model *model, const struct model_raw *raw)
{
	for (size_t i = 0; i < model->id_n; i++)
		if (model->ids[i].ns_index == raw->ns_index &&
		    bb_text_equal(model->ids[i].value, raw->value))
			return i;
	return MODEL_NONE;
}

static int compare_records(const void *left, const void *right)
{
	const struct model_event *a = *(struct model_event *const *)left;
	const struct model_event *b = *(struct model_event *const *)right;
	int d = bb_text_compare(a->ev->source, b->ev->source);

	if (d == 0 && a->id_n != b->id_n)
		d = a->id_n < b->id_n ? -1 : 1;
	return d ? d : memcmp(a->ids, b->ids, a->id_n * sizeof *a->ids);
}

static void make_records(struct model *model)
{
	struct model_event **sorted =
		bb_arena_alloc(model->arena, model->event_n * sizeof(struct model_event *));
	size_t n = 0;

	for (size_t i = 0; i < model->event_n; i++)
		if (model->events[i].id_n > 0)
			sorted[n++] = &model->events[i];
	if (n > 0)
		qsort(sorted, n, sizeof *sorted, compare_records);
	model->records = bb_arena_zalloc(model->arena, n * sizeof *model->records);
	for (size_t i = 0; i < n; i++) {
		struct model_event *e = sorted[i];

		if (i == 0 || compare_records(&sorted[i], &sorted[i - 1]) != 0)
			model->records[model->record_n++] = (struct model_record){
				.events = &sorted[i],
				.first_ms = INT64_MAX,
				.last_ms = INT64_MIN,
			};
		struct model_record *rec = &model->records[model->record_n - 1];

		e->record = rec;
		rec->n++;
		rec->first_ms = e->time_ms < rec->first_ms ? e->time_ms : rec->first_ms;
		rec->last_ms = e->time_ms > rec->last_ms ? e->time_ms : rec->last_ms;
		for (size_t k = 0; k < e->id_n; k++)
			if (e->time_ms < model->ids[e->ids[k]].seen_ms)
				model->ids[e->ids[k]].seen_ms = e->time_ms;
	}
}

/* False: one of them is unknown, or blocked, or they are one. */
static bool number_pair(const struct model *model, const struct bb_identifier *pair,
			struct model_pair *ret_pair)
{
	struct model_raw *raws;

	if (bb_model_known(model->rules, pair, 2, model->arena, &raws) != 2)
		return false;
	ret_pair->a = number_of(model, &raws[0]);
	ret_pair->b = number_of(model, &raws[1]);
	return ret_pair->a != MODEL_NONE && ret_pair->b != MODEL_NONE &&
	       !model->ids[ret_pair->a].blocked && !model->ids[ret_pair->b].blocked;
}

/* A `same` fact joins two identifiers of one owner namespace, unless a steward has a word on them.
 */
static void make_joins(struct model *model)
{
	size_t room = 0;

	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_event *e = &model->events[i];

		for (size_t s = 0; s < e->same_n; s++) {
			struct model_pair pair;

			if (number_pair(model, e->same[s].pair, &pair) &&
			    model->ids[pair.a].ns_index == model->ids[pair.b].ns_index &&
			    model->ids[pair.a].ns->owner &&
			    bb_model_word(model, e->same[s].pair, 2) == BB_RULING_KIND_COUNT &&
			    !bb_model_is_cut(model, pair.a, pair.b, true))
				BB_ARENA_PUSH(model->arena, model->joins, model->join_n, room) =
					pair;
		}
	}
	for (size_t i = 0; i < model->ruling_n; i++) {
		const struct bb_ruling *ruling = model->rulings[i];
		struct model_pair pair;

		if (ruling->kind == BB_RULING_JOIN && number_pair(model, ruling->on, &pair) &&
		    bb_model_word(model, ruling->on, 2) == BB_RULING_JOIN &&
		    !bb_model_is_cut(model, pair.a, pair.b, true))
			BB_ARENA_PUSH(model->arena, model->joins, model->join_n, room) = pair;
	}
}

static void make_splits(struct model *model)
{
	size_t room = 0;

	for (size_t i = 0; i < model->ruling_n; i++) {
		const struct bb_ruling *ruling = model->rulings[i];
		struct model_pair pair;

		if (ruling->kind == BB_RULING_SPLIT && number_pair(model, ruling->on, &pair) &&
		    bb_model_word(model, ruling->on, 2) == BB_RULING_SPLIT)
			BB_ARENA_PUSH(model->arena, model->splits, model->split_n, room) = pair;
	}
}

void bb_model_read(struct model *model, const struct bb_model_lines *lines)
{
	model->lines = lines;
	model->events = bb_arena_zalloc(model->arena, lines->event_n * sizeof *model->events);
	for (size_t i = 0; i < lines->event_n; i++) {
		struct model_event *e = &model->events[model->event_n];

		if (!bb_model_take(model->rules, lines->events[i], model->arena, e))
			continue;
		if (lines->origins)
			bb_model_lanes(model, lines, &lines->origins[i], e);
		model->event_n++;
	}
	sort_events(model);
	bb_model_forget(model, lines);
	keep_named_once(model);
	bb_model_rule(model, lines);
	number_identifiers(model);
	for (size_t i = 0; i < model->event_n; i++) {
		struct model_event *e = &model->events[i];

		for (size_t k = 0; k < e->raw_n; k++) {
			e->ids[e->id_n] = number_of(model, &e->raws[k]);
			bb_assert(e->ids[e->id_n++] != MODEL_NONE);
		}
	}
	make_records(model);
	make_joins(model);
	make_splits(model);
}

static bool counts(const struct model_event *e)
{
	return e->raw_n > 0 || (e->ev->has_amount && e->ev->amount.key.p);
}

bool bb_model_counts(const struct bb_rules *rules, const struct bb_event *ev,
		     struct bb_arena *arena)
{
	struct model_event e;

	return bb_model_take(rules, ev, arena, &e) && counts(&e);
}

size_t bb_model_count(const struct bb_rules *rules, const struct bb_model_lines *lines,
		      struct bb_arena *arena)
{
	struct model model = {.rules = rules, .arena = arena};
	size_t count = 0;

	bb_model_read(&model, lines);
	for (size_t i = 0; i < model.event_n; i++)
		count += counts(&model.events[i]);
	return count;
}
