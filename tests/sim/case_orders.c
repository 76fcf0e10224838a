/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stewards and people order, between the events of a case: rulings on identifiers of its
 * events, on junk, on shared ones, on some that nobody ever sees or that have no namespace; with
 * equal times; released before or after, or twice; their ids used again with the same content or
 * another. Erasures of whoever an identifier or a profile id leads to, also of nobody. At most one
 * change of the rules.
 */
#include "case.h"

#include <backbone/clock.h>

#define RULING_IDS 3 /* rulings for each that is released by chance */

struct orders {
	struct bb_case *cs;
	struct bb_random *random;
	size_t hours; /* that the events span */
	struct bb_ruling **rulings;
	size_t ruling_n, ruling_room;
	size_t ids; /* of rulings, given so far */
};

static const char *some_namespace(struct orders *orders)
{
	const struct bb_rules *rules = &orders->cs->rules;

	return rules->namespaces[bb_random_below(orders->random, rules->namespace_n)].name;
}

static const struct bb_event *some_event(struct orders *orders)
{
	const struct bb_case *cs = orders->cs;
	const struct bb_event *ev;

	do {
		ev = cs->steps[bb_random_below(orders->random, cs->n)].ev;
	} while (!ev);
	return ev;
}

static struct bb_identifier known_identifier(struct orders *orders, const struct bb_event *ev)
{
	struct bb_identifier id = {.ns = bb_text_of(some_namespace(orders)),
				   .value = BB_TEXT("v1")};

	if (ev->identifier_n > 0)
		id = ev->identifiers[bb_random_below(orders->random, ev->identifier_n)];
	else if (ev->same_n > 0)
		id = ev->same[0].pair[bb_random_below(orders->random, 2)];
	return id;
}

static struct bb_identifier some_identifier(struct orders *orders)
{
	struct bb_identifier id = {.ns = bb_text_of(some_namespace(orders))};

	switch (bb_random_below(orders->random, 20)) {
	case 0:
		id.value = bb_arena_printf(&orders->cs->arena, "never%zu",
					   bb_random_below(orders->random, 5));
		return id;
	case 1:
		return bb_case_odd_identifier(orders->random, some_namespace(orders));
	default:
		return known_identifier(orders, some_event(orders));
	}
}

/* Half of them of one event: those that are together can be parted. */
static void choose_pair(struct orders *orders, struct bb_identifier pair[2])
{
	const struct bb_event *ev = some_event(orders);
	bool together = bb_random_percent(orders->random, 50);

	for (int i = 0; i < 2; i++)
		pair[i] = together ? known_identifier(orders, ev) : some_identifier(orders);
	if (bb_random_percent(orders->random, 30)) /* of one namespace */
		pair[1].ns = pair[0].ns;
}

static int64_t ruling_time(struct orders *orders)
{
	size_t days = orders->hours / 24 + 4;

	return BB_CASE_BASE_MS + (int64_t)bb_random_below(orders->random, days) * BB_DAY_MS;
}

static struct bb_text some_ruling_id(struct orders *orders)
{
	size_t n = orders->ids + RULING_IDS; /* some are not given yet, or never */

	return bb_arena_printf(&orders->cs->arena, "r%zu", bb_random_below(orders->random, n));
}

static struct bb_ruling *new_ruling(struct orders *orders)
{
	static const char *const actors[] = {"", "ann", "bob"};
	struct bb_ruling *ruling = bb_arena_zalloc(&orders->cs->arena, sizeof *ruling);
	size_t kind = bb_random_below(orders->random, 10);

	ruling->kind = kind < 3	  ? BB_RULING_JOIN
		       : kind < 6 ? BB_RULING_SPLIT
		       : kind < 7 ? BB_RULING_BLOCK
		       : kind < 8 ? BB_RULING_ALLOW
				  : BB_RULING_RELEASE;
	ruling->id = bb_arena_printf(&orders->cs->arena, "r%zu", orders->ids++);
	ruling->time_ms = ruling_time(orders);
	ruling->actor = bb_text_of(BB_RANDOM_PICK(orders->random, actors));
	ruling->reason = bb_text_of(BB_RANDOM_PICK(orders->random, actors));
	if (ruling->kind == BB_RULING_RELEASE)
		ruling->releases = some_ruling_id(orders);
	else if (ruling->kind == BB_RULING_JOIN || ruling->kind == BB_RULING_SPLIT)
		choose_pair(orders, ruling->on);
	else
		ruling->on[0] = some_identifier(orders);
	return ruling;
}

/* Said again, the pair perhaps the other way round; or something else under the same id. */
static struct bb_ruling *old_ruling(struct orders *orders)
{
	struct bb_ruling *ruling = bb_arena_alloc(&orders->cs->arena, sizeof *ruling);
	struct bb_ruling *other = new_ruling(orders);

	*ruling = *orders->rulings[bb_random_below(orders->random, orders->ruling_n)];
	if (bb_random_percent(orders->random, 50)) {
		other->id = ruling->id;
		return other;
	}
	if (ruling->kind == BB_RULING_JOIN || ruling->kind == BB_RULING_SPLIT) {
		struct bb_identifier first = ruling->on[0];

		ruling->on[0] = ruling->on[1];
		ruling->on[1] = first;
	}
	return ruling;
}

static struct bb_ruling *make_ruling(struct orders *orders)
{
	struct bb_ruling *ruling;

	if (orders->ruling_n > 0 && bb_random_percent(orders->random, 15))
		return old_ruling(orders);
	ruling = new_ruling(orders);
	if (orders->ruling_n > 0 && bb_random_percent(orders->random, 25)) { /* on the same again */
		const struct bb_ruling *old =
			orders->rulings[bb_random_below(orders->random, orders->ruling_n)];
		bool pair = old->kind == BB_RULING_JOIN || old->kind == BB_RULING_SPLIT;

		memcpy(ruling->on, old->on, sizeof old->on);
		ruling->releases = old->kind == BB_RULING_RELEASE ? old->releases : old->id;
		if (old->kind == BB_RULING_RELEASE)
			ruling->kind = BB_RULING_RELEASE;
		else if (pair && ruling->kind != BB_RULING_RELEASE)
			ruling->kind = bb_random_percent(orders->random, 50) ? BB_RULING_JOIN
									     : BB_RULING_SPLIT;
		else if (ruling->kind != BB_RULING_RELEASE)
			ruling->kind = bb_random_percent(orders->random, 50) ? BB_RULING_BLOCK
									     : BB_RULING_ALLOW;
	}
	BB_ARENA_PUSH(&orders->cs->arena, orders->rulings, orders->ruling_n, orders->ruling_room) =
		ruling;
	return ruling;
}

static struct bb_text erasure_key(struct orders *orders)
{
	const struct bb_rules *rules = &orders->cs->rules;
	struct bb_identifier id = some_identifier(orders);
	char name[BB_PROFILE_ID_BYTES];
	struct bb_hash hash;

	while (bb_rules_namespace(rules, id.ns) == BB_NS_UNKNOWN)
		id = some_identifier(orders);
	if (bb_random_percent(orders->random, 75))
		return bb_arena_printf(&orders->cs->arena, "%.*s:%.*s", (int)id.ns.n, id.ns.p,
				       (int)id.value.n, id.value.p);
	hash = bb_hash_identifier(&rules->profile_key, id.ns, id.value);
	bb_hash_profile_id(&hash, name);
	return bb_arena_copy(&orders->cs->arena, (struct bb_text){name, sizeof name});
}

/* The clock of the machine is mostly past all events, but the events' clocks may be ahead. */
static struct bb_erasure *make_erasure(struct orders *orders, size_t number, bool early)
{
	struct bb_erasure *order = bb_arena_zalloc(&orders->cs->arena, sizeof *order);
	int64_t hours = early ? (int64_t)orders->hours / 2 : (int64_t)orders->hours + 48;
	size_t id = number > 0 && bb_random_percent(orders->random, 10) ? number - 1 : number;

	order->key = erasure_key(orders);
	order->mode =
		bb_random_percent(orders->random, 50) ? BB_ERASURE_SUPPRESS : BB_ERASURE_FORGET;
	order->id = bb_arena_printf(&orders->cs->arena, "x%zu", id);
	order->time_ms = BB_CASE_BASE_MS + hours * BB_HOUR_MS + (int64_t)number * 60000;
	return order;
}

void bb_case_make_orders(struct bb_case *cs, struct bb_random *random, size_t hours,
			 const struct bb_case_options *options)
{
	struct orders orders = {.cs = cs, .random = random, .hours = hours};
	size_t events = cs->n, room = 0, n = 0;
	size_t rulings = bb_random_below(random, 2 + (events < 60 ? 2 * events : events / 2));
	size_t erasures = bb_random_percent(random, 60) ? bb_random_between(random, 1, 6) : 0;
	size_t change = bb_random_percent(random, 30) ? bb_random_below(random, events) : events;
	bool early = bb_random_percent(random, 30);
	struct bb_step *steps = NULL;

	for (size_t i = 0, erased = 0; i < events; i++) {
		BB_ARENA_PUSH(&cs->arena, steps, n, room) = cs->steps[i];
		while (bb_random_below(random, events) < rulings) {
			struct bb_ruling *ruling = make_ruling(&orders);

			if (!options->no_rulings)
				BB_ARENA_PUSH(&cs->arena, steps, n, room) =
					(struct bb_step){.kind = BB_STEP_RULING, .ruling = ruling};
			if (bb_random_percent(random, 40))
				break;
		}
		if (bb_random_below(random, events) < erasures) {
			struct bb_erasure *order = make_erasure(&orders, erased++, early);

			cs->erases = !options->no_erasures;
			if (cs->erases)
				BB_ARENA_PUSH(&cs->arena, steps, n, room) =
					(struct bb_step){.kind = BB_STEP_ERASE, .order = order};
		}
		if (i == change && !options->no_change)
			BB_ARENA_PUSH(&cs->arena, steps, n, room) =
				(struct bb_step){.kind = BB_STEP_CHANGE};
	}
	for (size_t i = 0; i < n; i++)
		steps[i].mark = i;
	cs->steps = steps;
	cs->n = cs->made_n = n;
}
