/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the paths of a plan to its projection. The lists that groups walk come first: each gets a
 * shape for its elements. Then every path goes down from the place where it begins, making the
 * spots that are not there yet, and ends in a slot. Where something deeper is asked for than one
 * value, the spot keeps all that stands there.
 *
 *	$.customer.email, $.customer.phone, each $.items[*], $.sku there
 *
 *	root -- customer -- email (slot 0)
 *	     |           `- phone (slot 1)
 *	     `- items [*] (slot 2) -> root -- sku (slot 0)
 *
 * Nothing fails. A step that cannot be taken while reading ends a path early: the rest of it is
 * walked when the value is asked for. Where thousands of lists meet thousands of paths there is no
 * projection, and messages become general trees.
 */
#include "project.h"

#include "json_bytes.h"
#include "path.h"
#include "plan.h"

#define LANDINGS_MAX ((size_t)1 << 22) /* 32 MiB; real connectors have hundreds */

struct projector {
	struct bb_connector *connector;
	struct bb_arena *arena;
	const struct bb_group *group; /* whose paths are looked at */
	unsigned opened; /* texts around, whose documents are read when they are opened */
	bool counting;	 /* the first time: paths only get their ids */
	unsigned path_n;
};

static struct bb_spot *new_spot(struct projector *p)
{
	struct bb_spot *spot = bb_arena_zalloc(p->arena, sizeof(*spot));

	spot->slot = -1;
	return spot;
}

static struct bb_shape *new_shape(struct projector *p)
{
	struct bb_shape *shape = bb_arena_zalloc(p->arena, sizeof(*shape));
	size_t n = p->path_n + 1;

	shape->root = new_spot(p);
	shape->landings = bb_arena_alloc(p->arena, n * sizeof(*shape->landings));
	for (size_t i = 0; i < n; i++)
		shape->landings[i] = (struct bb_landing){.slot = -1};
	return shape;
}

/* The place of a name in the table of the spot: its own, or a free one. */
static struct bb_spot_name *place_of(struct bb_spot *spot, struct bb_text name, uint32_t tag)
{
	size_t mask = ((size_t)1 << spot->name_bits) - 1;
	size_t i = (size_t)((uint64_t)tag << spot->name_bits >> 32);

	while (spot->names[i].to && !bb_text_equal(spot->names[i].name, name))
		i = (i + 1) & mask;
	return &spot->names[i];
}

/* At most half of the places are taken. */
static void grow_names(struct projector *p, struct bb_spot *spot)
{
	struct bb_spot_name *old = spot->names;
	size_t old_places = old ? (size_t)1 << spot->name_bits : 0;

	spot->name_bits++;
	spot->names = bb_arena_zalloc(p->arena, sizeof(*old) * ((size_t)1 << spot->name_bits));
	for (size_t i = 0; i < old_places; i++)
		if (old[i].to)
			*place_of(spot, old[i].name, old[i].tag) = old[i];
}

static struct bb_spot *lead_by_name(struct projector *p, struct bb_spot *spot, struct bb_text name)
{
	uint32_t tag = bb_json_tag(name);
	struct bb_spot_name *place;

	while (!spot->names || 2 * (spot->name_n + 1) > (size_t)1 << spot->name_bits)
		grow_names(p, spot);
	place = place_of(spot, name, tag);
	if (!place->to) {
		*place = (struct bb_spot_name){name, tag, new_spot(p)};
		spot->name_n++;
	}
	return place->to;
}

static struct bb_spot *lead_by_index(struct projector *p, struct bb_spot *spot, uint64_t index)
{
	struct bb_spot_index *at;

	for (size_t i = 0; i < spot->index_n; i++)
		if (spot->indexes[i].index == index)
			return spot->indexes[i].to;
	at = &BB_ARENA_PUSH(p->arena, spot->indexes, spot->index_n, spot->index_room);
	*at = (struct bb_spot_index){index, new_spot(p)};
	return at->to;
}

/* Where a step leads. NULL: not to be known while reading, or what it goes into is walked. */
static struct bb_spot *lead(struct projector *p, struct bb_spot *spot, const struct bb_step *step)
{
	if (step->kind == BB_STEP_NAME)
		return spot->members.shape ? NULL : lead_by_name(p, spot, step->name);
	if (step->kind != BB_STEP_INDEX || step->index < 0 || spot->each.shape)
		return NULL;
	return lead_by_index(p, spot, (uint64_t)step->index);
}

static int take_slot(struct bb_shape *shape)
{
	return (int)shape->slot_n++;
}

static void add_path(struct projector *p, struct bb_path *path, bool whole)
{
	const struct bb_group *group = p->group;
	struct bb_shape *shape;
	struct bb_spot *spot, *next;
	size_t done = 0;
	unsigned up;

	if (path->up < p->opened) /* into a text, not into the message */
		return;
	if (p->counting && path->id == 0)
		path->id = ++p->path_n;
	up = path->up - p->opened;
	if (p->counting || up > group->each_n) /* the tenant, in a rule with fewer [*] */
		return;
	shape = group->shapes[group->each_n - up];
	spot = shape->root;
	for (; done < path->step_n; done++) {
		next = lead(p, spot, &path->steps[done]);
		if (!next)
			break;
		spot = next;
	}
	if (spot->slot < 0)
		spot->slot = take_slot(shape);
	spot->whole |= whole || done < path->step_n;
	shape->landings[path->id] = (struct bb_landing){spot->slot, (unsigned)done};
}

/* `whole`: lists and maps are looked into; else it counts only that they are there. */
static void add_exprs(struct projector *p, const struct bb_exprs *list, bool whole);

static void add_expr(struct projector *p, struct bb_expr *expr, bool whole)
{
	if (expr->kind == BB_EXPR_PATH)
		add_path(p, &expr->path, whole);
	if (expr->parse)
		add_expr(p, &expr->parse->text, true);
	p->opened += expr->parse != NULL;
	add_exprs(p, &expr->list, whole);
	p->opened -= expr->parse != NULL;
	if (expr->at)
		add_exprs(p, &expr->at->from, false);
	if (!expr->seek)
		return;
	add_exprs(p, &expr->seek->in, true); /* what is in there is found by walking */
	add_exprs(p, &expr->seek->equals, false);
}

static void add_exprs(struct projector *p, const struct bb_exprs *list, bool whole)
{
	for (size_t i = 0; i < list->n; i++)
		add_expr(p, &list->items[i], whole);
}

static void add_conditions(struct projector *p, const struct bb_conditions *list)
{
	for (size_t i = 0; i < list->n; i++) {
		add_expr(p, &list->items[i].subject, false);
		add_exprs(p, &list->items[i].words, false);
	}
}

static void add_identifiers(struct projector *p, const struct bb_identify_plans *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_exprs(p, &list->items[i].from, true);
}

static void add_attributes(struct projector *p, const struct bb_attribute_plans *list)
{
	for (size_t i = 0; i < list->n; i++)
		add_exprs(p, &list->items[i].from, true);
}

static void add_consent(struct projector *p, const struct bb_consent_plans *list)
{
	for (size_t i = 0; i < list->n; i++) {
		add_exprs(p, &list->items[i].purpose, false);
		add_exprs(p, &list->items[i].channel, false);
		add_exprs(p, &list->items[i].status, false);
	}
}

static void add_ruling(struct projector *p, const struct bb_ruling_plan *plan)
{
	add_exprs(p, &plan->kind, false);
	add_identifiers(p, &plan->pair);
	add_identifiers(p, &plan->identifier);
	add_exprs(p, &plan->actor, false);
	add_exprs(p, &plan->reason, false);
	add_exprs(p, &plan->releases, false);
}

static void add_facts(struct projector *p, const struct bb_event_plan *rule)
{
	add_attributes(p, &rule->attributes);
	add_attributes(p, &rule->once);
	for (size_t i = 0; i < rule->spread.n; i++)
		add_exprs(p, &rule->spread.items[i].from, true);
	add_exprs(p, &rule->unset, true);
	add_exprs(p, &rule->amount.value, false);
	add_exprs(p, &rule->amount.currency, false);
	add_exprs(p, &rule->amount.key, false);
	add_exprs(p, &rule->amount.part, false);
	add_consent(p, &rule->consent);
}

static void add_rule(struct projector *p, const struct bb_event_plan *rule)
{
	if (rule->parse)
		add_expr(p, &rule->parse->text, true);
	p->opened = rule->parse != NULL;
	add_exprs(p, &p->connector->tenant, false); /* it is found for each element */
	add_conditions(p, &rule->when);
	add_conditions(p, &rule->unless);
	add_exprs(p, &rule->type, false);
	add_exprs(p, &rule->id, false);
	add_exprs(p, &rule->channel, false);
	for (size_t i = 0; i < rule->time.n; i++) {
		add_exprs(p, &rule->time.items[i].from, false);
		add_exprs(p, &rule->time.items[i].date, false);
		add_exprs(p, &rule->time.items[i].time, false);
	}
	add_identifiers(p, &rule->identify);
	add_identifiers(p, &rule->same);
	add_facts(p, rule);
	add_ruling(p, &rule->ruling);
	p->opened = 0;
}

static void add_group(struct projector *p, const struct bb_group *group)
{
	p->group = group;
	for (size_t i = 0; i < group->rule_n; i++)
		add_rule(p, group->rules[i]);
}

/*
 * What is at a spot is walked: its elements get slots. NULL: some of them have a way of their own
 * already.
 */
static struct bb_spot_walk *walk_spot(struct projector *p, struct bb_shape *shape,
				      struct bb_spot *spot, const struct bb_step *step)
{
	bool list = step->kind == BB_STEP_EACH;
	struct bb_spot_walk *walk = list ? &spot->each : &spot->members;

	if (list ? spot->index_n > 0 : spot->name_n > 0)
		return NULL;
	if (!walk->shape)
		*walk = (struct bb_spot_walk){new_shape(p), take_slot(shape)};
	return walk;
}

/* The slots of a group's elements. False: there is no way to fill them while reading. */
static bool add_lists(struct projector *p, struct bb_group *group, struct bb_shape *shape)
{
	struct bb_spot *spot = shape->root;
	struct bb_spot_walk *walk;

	group->shapes[0] = shape;
	for (size_t i = 0; i < group->each.step_n; i++) {
		if (!bb_path_walks(&group->each.steps[i])) {
			spot = lead(p, spot, &group->each.steps[i]);
			if (!spot)
				return false;
			continue;
		}
		walk = walk_spot(p, shape, spot, &group->each.steps[i]);
		if (!walk)
			return false;
		group->lists[group->each_n++] = walk->slot;
		shape = walk->shape;
		spot = shape->root;
		group->shapes[group->each_n] = shape;
	}
	return true;
}

/* Shapes that the groups may need: one for each list they walk. */
static size_t count_shapes(const struct bb_connector *connector)
{
	size_t n = 1;

	for (size_t i = 0; i < connector->group_n; i++)
		for (size_t k = 0; k < connector->groups[i].each.step_n; k++)
			n += bb_path_walks(&connector->groups[i].each.steps[k]);
	return n;
}

void bb_project(struct bb_connector *connector)
{
	struct projector p = {.connector = connector, .arena = &connector->arena, .counting = true};
	struct bb_shape *root;

	for (size_t i = 0; i < connector->group_n; i++)
		add_group(&p, &connector->groups[i]);
	p.counting = false;
	if (count_shapes(connector) * (p.path_n + 1) > LANDINGS_MAX)
		return;
	root = new_shape(&p);
	for (size_t i = 0; i < connector->group_n; i++) {
		connector->groups[i].each_n = 0;
		if (!add_lists(&p, &connector->groups[i], root))
			return;
	}
	for (size_t i = 0; i < connector->group_n; i++)
		add_group(&p, &connector->groups[i]);
	connector->projection = root;
}
