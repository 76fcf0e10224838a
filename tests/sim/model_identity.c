/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is who: labels by the joins, what is shared by the counts over all records, anchors, links,
 * and the greedy partition by rank. Written as the definition reads: every count is taken anew from
 * all records.
 */
#include "model_state.h"

#include <backbone/clock.h>

#include <stdlib.h>

struct link {
	size_t a, y; /* the anchor and the other end */
	int64_t first_ms, last_ms;
	uint64_t count;
	int64_t day, day_before; /* the two latest UTC days; -1: none */
};

struct ranked {
	bool owner; /* the anchor is an owner's */
	bool join;
	int64_t merit[3]; /* smaller is better */
	struct bb_hash lot;
	size_t a, y;
	uint16_t a_ns, y_ns;
};

static bool holds(const struct model_event *e, size_t id)
{
	for (size_t i = 0; i < e->id_n; i++)
		if (e->ids[i] == id)
			return true;
	return false;
}

static void label_joined(struct model *model)
{
	for (size_t i = 0; i < model->id_n; i++)
		model->ids[i].label = i;
	for (size_t i = 0; i < model->join_n; i++) {
		size_t from = model->ids[model->joins[i].b].label;
		size_t to = model->ids[model->joins[i].a].label;

		for (size_t k = 0; k < model->id_n; k++)
			if (model->ids[k].label == from)
				model->ids[k].label = to;
	}
}

struct company {      /* of an identifier: which labels come with it, by what they are */
	bool *owners; /* [namespace * id_n + label] */
	bool *durable, *devices;
	size_t sets;
};

static struct company company_of(const struct model *model, size_t x)
{
	size_t n = model->id_n;
	struct company company = {
		.owners = bb_arena_zalloc(model->arena, model->rules->namespace_n * n),
		.durable = bb_arena_zalloc(model->arena, n),
		.devices = bb_arena_zalloc(model->arena, n),
	};

	for (size_t r = 0; r < model->record_n; r++) {
		const struct model_event *e = model->records[r].events[0];

		if (!holds(e, x))
			continue;
		company.sets++;
		for (size_t i = 0; i < e->id_n; i++) {
			const struct model_identifier *y = &model->ids[e->ids[i]];

			if (y->blocked || e->ids[i] == x)
				continue;
			if (y->label != model->ids[x].label)
				(y->ns->durable ? company.durable : company.devices)[y->label] =
					true;
			if (y->ns->owner && y->ns_index != model->ids[x].ns_index)
				company.owners[y->ns_index * n + y->label] = true;
		}
	}
	return company;
}

static size_t count(const bool *flags, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += flags[i];
	return found;
}

/* How many owners of one namespace may come with x: a person may have several cards. */
static uint32_t owners_cap(const struct bb_namespace *ns, const struct bb_namespace *of)
{
	if (ns->owners == BB_NO_LIMIT || (ns->durable && of->per_profile == BB_NO_LIMIT))
		return BB_NO_LIMIT;
	return ns->durable && of->per_profile > ns->owners ? of->per_profile : ns->owners;
}

static bool is_shared(const struct model *model, size_t x)
{
	const struct bb_namespace *ns = model->ids[x].ns;
	struct company company = company_of(model, x);
	size_t n = model->id_n;

	if (model->ids[x].allowed)
		return false;
	for (size_t i = 0; i < model->rules->namespace_n; i++) {
		uint32_t cap = owners_cap(ns, &model->rules->namespaces[i]);

		if (cap != BB_NO_LIMIT && count(company.owners + i * n, n) > cap)
			return true;
	}
	return (ns->links != BB_NO_LIMIT && count(company.durable, n) > ns->links) ||
	       (ns->devices != BB_NO_LIMIT && count(company.devices, n) > ns->devices) ||
	       (ns->records != BB_NO_LIMIT && company.sets > ns->records);
}

static size_t anchor_of(const struct model *model, const struct model_event *e)
{
	size_t fallback = MODEL_NONE;

	for (size_t i = 0; i < e->id_n; i++) { /* from the strongest */
		const struct model_identifier *id = &model->ids[e->ids[i]];

		if (!id->blocked && !id->shared)
			return e->ids[i];
		if (!id->blocked && fallback == MODEL_NONE)
			fallback = e->ids[i];
	}
	return fallback;
}

static void note_day(struct link *link, int64_t day)
{
	if (day > link->day) {
		link->day_before = link->day;
		link->day = day;
	} else if (day < link->day && day > link->day_before) {
		link->day_before = day;
	}
}

static void add_to_link(struct link *link, const struct model_record *rec)
{
	link->first_ms = rec->first_ms < link->first_ms ? rec->first_ms : link->first_ms;
	link->last_ms = rec->last_ms > link->last_ms ? rec->last_ms : link->last_ms;
	link->count += rec->n;
	for (size_t i = 0; i < rec->n; i++)
		note_day(link, rec->events[i]->time_ms / BB_DAY_MS);
}

static struct link *link_between(struct link **links, size_t *n, size_t *room, size_t a, size_t y,
				 struct bb_arena *arena)
{
	for (size_t i = 0; i < *n; i++)
		if ((*links)[i].a == a && (*links)[i].y == y)
			return &(*links)[i];
	BB_ARENA_PUSH(arena, *links, *n, *room) = (struct link){
		.a = a,
		.y = y,
		.first_ms = INT64_MAX,
		.last_ms = INT64_MIN,
		.day = -1,
		.day_before = -1,
	};
	return &(*links)[*n - 1];
}

static bool is_end(const struct model_identifier *id, const struct bb_identifier *end)
{
	return bb_text_equal(bb_text_of(id->ns->name), end->ns) &&
	       bb_text_equal(id->value, end->value);
}

bool bb_model_is_cut(const struct model *model, size_t a, size_t b, bool join)
{
	const struct model_identifier *one = &model->ids[a], *other = &model->ids[b];

	for (size_t i = 0; i < model->lines->cut_n; i++) {
		const struct bb_model_cut *cut = &model->lines->cuts[i];

		if (cut->join == join &&
		    ((is_end(one, &cut->ends[0]) && is_end(other, &cut->ends[1])) ||
		     (join && is_end(one, &cut->ends[1]) && is_end(other, &cut->ends[0]))))
			return true;
	}
	return false;
}

/* A star around the anchor of each record. */
static size_t make_links(const struct model *model, struct link **ret_links)
{
	size_t n = 0, room = 0;

	*ret_links = NULL;
	for (size_t r = 0; r < model->record_n; r++) {
		const struct model_record *rec = &model->records[r];
		const struct model_event *e = rec->events[0];

		if (rec->anchor == MODEL_NONE || model->ids[rec->anchor].shared)
			continue;
		for (size_t i = 0; i < e->id_n; i++) {
			const struct model_identifier *y = &model->ids[e->ids[i]];

			if (e->ids[i] != rec->anchor && !y->blocked && !y->shared)
				add_to_link(link_between(ret_links, &n, &room, rec->anchor,
							 e->ids[i], model->arena),
					    rec);
		}
	}
	return n;
}

static void set_merit(const struct link *link, enum bb_prefer prefer, int64_t merit[3])
{
	int bits = 0;

	switch (prefer) {
	case BB_PREFER_NEWEST: /* seen on two days beats seen on one: a typo moves nothing */
		merit[0] = link->day_before < 0;
		merit[1] = link->day_before < 0 ? 0 : -link->day_before;
		merit[2] = -(link->last_ms / BB_HOUR_MS);
		break;
	case BB_PREFER_OLDEST:
		merit[0] = link->first_ms / BB_HOUR_MS;
		break;
	case BB_PREFER_MOST:
		while (link->count >> bits)
			bits++;
		merit[0] = -bits;
		break;
	}
}

static struct ranked rank(const struct model *model, bool join, size_t a, size_t y)
{
	const struct model_identifier *one = &model->ids[a], *other = &model->ids[y];
	struct bb_text parts[] = {bb_text_of(one->ns->name), one->value,
				  bb_text_of(other->ns->name), other->value};

	return (struct ranked){
		.owner = one->ns->owner,
		.join = join,
		.lot = bb_hash_parts(&model->rules->profile_key, parts, 4),
		.a = a,
		.y = y,
		.a_ns = one->ns_index,
		.y_ns = other->ns_index,
	};
}

static int compare_ranked(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	int d;

	if (a->join != b->join)
		return a->join ? -1 : 1;
	if (a->owner != b->owner)
		return a->owner ? -1 : 1;
	if (a->y_ns != b->y_ns)
		return a->y_ns < b->y_ns ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (a->merit[i] != b->merit[i])
			return a->merit[i] < b->merit[i] ? -1 : 1;
	if (a->a_ns != b->a_ns)
		return a->a_ns < b->a_ns ? -1 : 1;
	d = memcmp(a->lot.b, b->lot.b, BB_HASH_BYTES);
	if (d != 0)
		return d;
	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return (a->y > b->y) - (a->y < b->y);
}

static bool lies_in(const struct model *model, size_t x, size_t one, size_t other)
{
	return model->ids[x].group == one || model->ids[x].group == other;
}

/* Whether a steward said that two of the groups' members are not one. */
static bool is_split(const struct model *model, size_t one, size_t other)
{
	for (size_t i = 0; i < model->split_n; i++)
		if (lies_in(model, model->splits[i].a, one, other) &&
		    lies_in(model, model->splits[i].b, one, other))
			return true;
	return false;
}

/* Whether the two groups together keep every limit. */
static bool feasible(const struct model *model, size_t one, size_t other)
{
	size_t members = 0;
	bool *labels = bb_arena_alloc(model->arena, model->id_n);

	for (size_t i = 0; i < model->id_n; i++)
		members += !model->ids[i].blocked && lies_in(model, i, one, other);
	if (members > model->rules->max_identifiers)
		return false;
	for (size_t ns = 0; ns < model->rules->namespace_n; ns++) {
		uint32_t most = model->rules->namespaces[ns].per_profile;

		memset(labels, 0, model->id_n);
		for (size_t i = 0; i < model->id_n; i++) {
			const struct model_identifier *id = &model->ids[i];

			if (!id->blocked && id->ns_index == ns && lies_in(model, i, one, other))
				labels[id->label] = true;
		}
		if (most != BB_NO_LIMIT && count(labels, model->id_n) > most)
			return false;
	}
	return !is_split(model, one, other);
}

static void unite_by_rank(struct model *model, const struct ranked *ranked, size_t n)
{
	for (size_t i = 0; i < model->id_n; i++)
		model->ids[i].group = i;
	for (size_t r = 0; r < n; r++) {
		size_t one = model->ids[ranked[r].a].group, other = model->ids[ranked[r].y].group;

		if (one == other || !feasible(model, one, other))
			continue;
		for (size_t i = 0; i < model->id_n; i++)
			if (model->ids[i].group == other)
				model->ids[i].group = one;
	}
}

void bb_model_resolve(struct model *model)
{
	struct ranked *ranked;
	struct link *links;
	size_t n = 0, link_n;

	label_joined(model);
	for (size_t i = 0; i < model->id_n; i++)
		if (!model->ids[i].blocked)
			model->ids[i].shared = is_shared(model, i);
	for (size_t r = 0; r < model->record_n; r++)
		model->records[r].anchor = anchor_of(model, model->records[r].events[0]);

	link_n = make_links(model, &links);
	ranked = bb_arena_alloc(model->arena, (link_n + model->join_n) * sizeof *ranked);
	for (size_t i = 0; i < link_n; i++) {
		if (bb_model_is_cut(model, links[i].a, links[i].y, false))
			continue;
		ranked[n] = rank(model, false, links[i].a, links[i].y);
		set_merit(&links[i], model->ids[links[i].y].ns->prefer, ranked[n++].merit);
	}
	for (size_t i = 0; i < model->join_n; i++)
		if (!model->ids[model->joins[i].a].shared && !model->ids[model->joins[i].b].shared)
			ranked[n++] = rank(model, true, model->joins[i].a, model->joins[i].b);
	qsort(ranked, n, sizeof *ranked, compare_ranked);
	unite_by_rank(model, ranked, n);
}
