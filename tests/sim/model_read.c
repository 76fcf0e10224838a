/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From events to what identity is made of: each named event once, the identifiers by strength, the
 * records (same source, same set of identifiers) and the joins that `same` facts make. An event
 * with too many identifiers is none.
 */
#include "model_state.h"

#include <backbone/assert.h>

#include <stdlib.h>

struct raw { /* an identifier before it has a number */
	uint16_t ns_index;
	struct bb_text value;
};

static int compare_raw(const void *left, const void *right)
{
	const struct raw *a = left, *b = right;

	if (a->ns_index != b->ns_index)
		return a->ns_index < b->ns_index ? -1 : 1;
	return bb_text_compare(a->value, b->value);
}

/* Known identifiers of the event, those of `same` included, sorted, each once. */
static size_t known_of(const struct bb_rules *rules, const struct bb_event *ev,
		       struct bb_arena *arena, struct raw **ret_raws)
{
	struct raw *raws =
		bb_arena_alloc(arena, (ev->identifier_n + 2 * ev->same_n) * sizeof *raws);
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < ev->identifier_n + 2 * ev->same_n; i++) {
		size_t s = i - ev->identifier_n;
		const struct bb_identifier *id =
			i < ev->identifier_n ? &ev->identifiers[i] : &ev->same[s / 2].pair[s % 2];

		for (uint16_t ns = 0; ns < rules->namespace_n; ns++)
			if (bb_text_equal(bb_text_of(rules->namespaces[ns].name), id->ns))
				raws[n++] = (struct raw){ns, id->value};
	}
	qsort(raws, n, sizeof *raws, compare_raw);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_raw(&raws[i], &raws[kept - 1]) != 0)
			raws[kept++] = raws[i];
	*ret_raws = raws;
	return kept;
}

/* Source, id, and the time unless it was taken from Kafka, name an event. */
static int compare_names(const void *left, const void *right)
{
	const struct model_event *a = left, *b = right;
	int d = bb_text_compare(a->ev->source, b->ev->source);

	if (d == 0)
		d = bb_text_compare(a->ev->id, b->ev->id);
	if (d == 0)
		d = (int)a->kafka_time - (int)b->kafka_time;
	if (d == 0 && !a->kafka_time)
		d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);
	return d;
}

static void keep_named_once(struct model *model)
{
	size_t kept = 0;

	qsort(model->events, model->event_n, sizeof *model->events, compare_names);
	for (size_t i = 0; i < model->event_n; i++)
		if (i == 0 || compare_names(&model->events[i], &model->events[kept - 1]) != 0)
			model->events[kept++] = model->events[i];
	model->event_n = kept;
}

static void number_identifiers(struct model *model)
{
	struct raw *all = NULL, *raws;
	size_t n = 0, room = 0, count;

	for (size_t i = 0; i < model->event_n; i++) {
		count = known_of(model->rules, model->events[i].ev, model->arena, &raws);
		for (size_t k = 0; k < count; k++)
			BB_ARENA_PUSH(model->arena, all, n, room) = raws[k];
	}
	if (n > 0)
		qsort(all, n, sizeof *all, compare_raw);
	model->ids = bb_arena_zalloc(model->arena, n * sizeof *model->ids);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_raw(&all[i], &all[i - 1]) == 0)
			continue;
		struct model_identifier *id = &model->ids[model->id_n++];
		const struct bb_namespace *ns = &model->rules->namespaces[all[i].ns_index];

		*id = (struct model_identifier){
			.ns = ns,
			.ns_index = all[i].ns_index,
			.value = all[i].value,
			.blocked = bb_model_junk(ns, all[i].value),
			.seen_ms = INT64_MAX,
			.hash = bb_hash_identifier(&model->rules->profile_key, bb_text_of(ns->name),
						   all[i].value),
		};
	}
}

static size_t number_of(const struct model *model, const struct raw *raw)
{
	for (size_t i = 0; i < model->id_n; i++)
		if (model->ids[i].ns_index == raw->ns_index &&
		    bb_text_equal(model->ids[i].value, raw->value))
			return i;
	bb_assert(!"every identifier has a number");
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

/* A `same` fact joins two identifiers of one owner namespace, if neither is blocked. */
static void make_joins(struct model *model)
{
	size_t room = 0;

	for (size_t i = 0; i < model->event_n; i++) {
		const struct bb_event *ev = model->events[i].ev;

		for (size_t s = 0; s < ev->same_n; s++) {
			struct bb_event one = {.same = &ev->same[s], .same_n = 1};
			struct model_pair pair;
			struct raw *raws;

			if (known_of(model->rules, &one, model->arena, &raws) != 2 ||
			    raws[0].ns_index != raws[1].ns_index)
				continue;
			pair.a = number_of(model, &raws[0]);
			pair.b = number_of(model, &raws[1]);
			if (model->ids[pair.a].ns->owner && !model->ids[pair.a].blocked &&
			    !model->ids[pair.b].blocked)
				BB_ARENA_PUSH(model->arena, model->joins, model->join_n, room) =
					pair;
		}
	}
}

void bb_model_read(struct model *model, const struct bb_event *const *events, size_t n)
{
	struct raw *raws;
	size_t count;

	model->events = bb_arena_zalloc(model->arena, n * sizeof *model->events);
	for (size_t i = 0; i < n; i++) {
		const struct bb_event *ev = events[i];

		if (known_of(model->rules, ev, model->arena, &raws) > BB_EVENT_IDENTIFIERS_MAX)
			continue; /* a dead letter */
		model->events[model->event_n++] = (struct model_event){
			.ev = ev,
			.time_ms = ev->has_time ? ev->time_ms : ev->log_ms,
			.kafka_time = ev->kafka_time || !ev->has_time,
		};
	}
	keep_named_once(model);
	number_identifiers(model);
	for (size_t i = 0; i < model->event_n; i++) {
		struct model_event *e = &model->events[i];

		count = known_of(model->rules, e->ev, model->arena, &raws);
		for (size_t k = 0; k < count; k++)
			e->ids[e->id_n++] = number_of(model, &raws[k]);
	}
	make_records(model);
	make_joins(model);
}

size_t bb_model_count(const struct bb_rules *rules, const struct bb_event *const *events, size_t n,
		      struct bb_arena *arena)
{
	struct model model = {.rules = rules, .arena = arena};
	size_t count = 0;

	bb_model_read(&model, events, n);
	for (size_t i = 0; i < model.event_n; i++) {
		const struct bb_event *ev = model.events[i].ev;

		count += model.events[i].id_n > 0 || (ev->has_amount && ev->amount.key.p);
	}
	return count;
}
