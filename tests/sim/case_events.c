/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random events: people with a few identifiers each, out of pools so small that they collide;
 * shared devices, junk, typos, unknown namespaces, `same` facts; times on a coarse grid over hours
 * or weeks, so that equal instants, hours and days are common; amounts with few keys; values whose
 * spellings differ and whose numbers are equal.
 *
 * No two events have the same name and another content: which of them stands is a matter of order,
 * and so no business of the model. Copies are copies.
 */
#include "case.h"

#include <backbone/clock.h>

#include <stdlib.h>

struct world {
	struct bb_case *cs;
	struct bb_random *random;
	size_t people, pool; /* how many, and how many values a namespace has for them */
	size_t hours;	     /* the span of the events */
	size_t ids;	     /* different event ids */
	size_t keys;	     /* different amount keys */
	int64_t own;	     /* own times given so far */
};

static const char *const sources[] = {"till", "web", "social", "crm_export", "partner"};

static struct bb_text text(const char *s)
{
	return bb_text_of(s);
}

static struct bb_identifier identifier(const char *ns, struct bb_text value)
{
	return (struct bb_identifier){.ns = text(ns), .value = value, .ns_index = BB_NS_UNKNOWN};
}

struct bb_identifier bb_case_odd_identifier(struct bb_random *random, const char *ns)
{
	static const char *const odd[] = {
		"guest",
		"GUEST",
		"n/a",
		"0",
		"000-00",
		"-1",
		"1111",
		"11",
		"123456",
		"0987654321",
		"12345",
		"<id>",
		"{{user}}",
		"test@shop.example",
		"tmp42",
		"x12y",
		"zoë",
		"ZOË",
		"漢字",
		"ééé",
		"éééé",
		"a b",
		"back\\slash",
		"quo\"te",
		"emoji😀",
		"v7",
		"noemail@shop.example",
	};

	return identifier(ns, text(BB_RANDOM_PICK(random, odd)));
}

/* The same under some rules, under others not. */
static struct bb_text spelled(struct world *world, size_t value)
{
	struct bb_arena *arena = &world->cs->arena;

	if (!world->cs->forms || bb_random_percent(world->random, 60))
		return bb_arena_printf(arena, "v%zu", value);
	switch (bb_random_below(world->random, 4)) {
	case 0:
		return bb_arena_printf(arena, "V%zu", value);
	case 1:
		return bb_arena_printf(arena, " v%zu", value);
	case 2:
		return bb_arena_printf(arena, "v%zu\t", value);
	default:
		return bb_arena_printf(arena, "V%zu ", value);
	}
}

/* Of a person, mostly the same value; by another's mistake some other one. */
static struct bb_identifier identifier_of(struct world *world, size_t person, size_t ns_index)
{
	const char *ns = world->cs->rules.namespaces[ns_index].name;
	uint64_t mixed = bb_random_mix(person * 31 + ns_index);
	size_t value = (size_t)(mixed % world->pool);

	unsigned noise = world->cs->calm ? 1 : 4;

	if (bb_random_percent(world->random, noise))
		return bb_case_odd_identifier(world->random, ns);
	if (bb_random_percent(world->random, 10)) /* a second card, a new phone */
		value = (size_t)(bb_random_mix(mixed) % world->pool);
	if (bb_random_percent(world->random, noise))
		value = bb_random_below(world->random, world->pool);
	return identifier(ns, spelled(world, value));
}

static void add_identifiers(struct world *world, struct bb_event *ev)
{
	const struct bb_rules *rules = &world->cs->rules;
	size_t person = bb_random_below(world->random, world->people);
	size_t n = bb_random_between(world->random, 1, 4);

	if (bb_random_percent(world->random, 5))
		n = 0;
	if (bb_random_percent(world->random, 2))
		/* the limit is on spellings: what is left of them is not to be near it */
		n = bb_random_between(world->random, 10, world->cs->forms ? 18 : 25);
	for (size_t i = 0; i < n; i++) {
		size_t ns = bb_random_below(world->random, rules->namespace_n);

		if (n > 4 || bb_random_percent(world->random, world->cs->calm ? 0 : 3))
			person = bb_random_below(world->random, world->people);
		BB_ARENA_PUSH(&world->cs->arena, ev->identifiers, ev->identifier_n,
			      ev->identifier_room) = identifier_of(world, person, ns);
	}
	if (bb_random_percent(world->random, 3))
		BB_ARENA_PUSH(&world->cs->arena, ev->identifiers, ev->identifier_n,
			      ev->identifier_room) = identifier("unheard_of", text("v1"));
}

static void add_same(struct world *world, struct bb_event *ev)
{
	const struct bb_rules *rules = &world->cs->rules;
	size_t one = bb_random_below(world->random, rules->namespace_n);
	size_t other = bb_random_percent(world->random, 75)
			       ? one
			       : bb_random_below(world->random, rules->namespace_n);
	size_t person = bb_random_below(world->random, world->people);
	struct bb_same same = {
		{identifier_of(world, person, one), identifier_of(world, person + 1, other)}};

	if (bb_random_percent(world->random, 5))
		same.pair[1] = identifier("unheard_of", text("v1"));
	BB_ARENA_PUSH(&world->cs->arena, ev->same, ev->same_n, ev->same_room) = same;
}

static struct bb_value scalar(struct world *world)
{
	static const char *const numbers[] = {
		"1",
		"1.0",
		"1e0",
		"10e-1",
		"1.00",
		"0",
		"-0",
		"-0.0",
		"0e5",
		"0.000",
		"2",
		"2.50",
		"2.5",
		"25e-1",
		"-3",
		"-3.0",
		"1E+2",
		"100",
		"1e2",
		"1e-7",
		"0.0000001",
		"1.5E-3",
		"123456789012345678.123456",
		"999999999999999999.999999",
		"99999999999999999999",
		"1e9999",
		"-1e9999",
		"9007199254740993",
		"9007199254740992",
		"0.1",
		"1e-9999",
	};
	static const char *const texts[] = {
		"Ann",	  "ann",     "Ünï",	    "漢字",	"12.50", "-1.5",       "007",
		"0.1",	  "quo\"te", "back\\slash", "tab\tend", "\001",	 "line\nfeed", "😀",
		"\u2028", "a",	     "aa",	    "-0",	"1e3",	 "\177",
	};
	struct bb_value value = {.kind = BB_VALUE_NUMBER};

	switch (bb_random_below(world->random, 10)) {
	case 0:
		value.kind = bb_random_percent(world->random, 50) ? BB_VALUE_TRUE : BB_VALUE_FALSE;
		break;
	case 1:
	case 2:
	case 3:
		value.kind = BB_VALUE_TEXT;
		value.text = text(BB_RANDOM_PICK(world->random, texts));
		break;
	default:
		value.text = text(BB_RANDOM_PICK(world->random, numbers));
	}
	return value;
}

static struct bb_value any_value(struct world *world)
{
	struct bb_value list = {.kind = BB_VALUE_LIST}, *items;

	if (bb_random_percent(world->random, 3))
		return (struct bb_value){.kind = BB_VALUE_TEXT, .text = BB_TEXT("")};
	if (bb_random_percent(world->random, 80))
		return scalar(world);
	list.item_n = bb_random_below(world->random, 5);
	items = bb_arena_alloc(&world->cs->arena, list.item_n * sizeof *items);
	for (size_t i = 0; i < list.item_n; i++)
		items[i] = bb_random_percent(world->random, 5)
				   ? (struct bb_value){.kind = BB_VALUE_TEXT, .text = BB_TEXT("")}
				   : scalar(world);
	list.items = items;
	return list;
}

static struct bb_text attribute_name(struct world *world)
{
	static const char *const names[] = {"best",  "city", "first_store", "score",
					    "spent", "tags", "first name",  "größe"};

	return text(BB_RANDOM_PICK(world->random, names));
}

static bool has_name(const struct bb_attribute *attributes, size_t n, struct bb_text name)
{
	for (size_t i = 0; i < n; i++)
		if (bb_text_equal(attributes[i].name, name))
			return true;
	return false;
}

/* Before the log's time, and the same only once: what a tie of own times means is not said. */
static int64_t own_time(struct world *world, const struct bb_event *ev)
{
	int64_t hours = (int64_t)bb_random_below(world->random, world->hours);
	int64_t ms = BB_CASE_BASE_MS + hours * BB_HOUR_MS + ++world->own;

	if (!world->cs->own_times || bb_random_percent(world->random, 50) || ms > ev->log_ms)
		return BB_AT_EVENT;
	return ms;
}

static void add_attributes(struct world *world, struct bb_event *ev)
{
	struct bb_arena *arena = &world->cs->arena;

	for (size_t i = bb_random_below(world->random, 4); i > 0; i--) {
		struct bb_attribute attribute = {attribute_name(world), any_value(world),
						 own_time(world, ev)};

		if (!has_name(ev->attributes, ev->attribute_n, attribute.name))
			BB_ARENA_PUSH(arena, ev->attributes, ev->attribute_n, ev->attribute_room) =
				attribute;
	}
	for (size_t i = bb_random_percent(world->random, 15) ? 2 : 0; i > 0; i--) {
		struct bb_attribute attribute = {attribute_name(world), any_value(world),
						 own_time(world, ev)};

		if (!has_name(ev->once, ev->once_n, attribute.name))
			BB_ARENA_PUSH(arena, ev->once, ev->once_n, ev->once_room) = attribute;
	}
	for (size_t i = bb_random_percent(world->random, 10) ? 2 : 0; i > 0; i--)
		BB_ARENA_PUSH(arena, ev->unset, ev->unset_n, ev->unset_room) =
			attribute_name(world);
}

static void add_amount(struct world *world, struct bb_event *ev)
{
	static const char *const values[] = {
		"12.50",
		"12.5",
		"0",
		"-0",
		"-0.00",
		"1.000000",
		"-12.50",
		"0.000001",
		"100",
		"7",
		"999999999999999999.999999",
		"-999999999999999999.999999",
		"007.10",
		"33.333333",
	};
	static const char *const currencies[] = {"EUR", "EUR", "EUR", "USD", "JPY"};
	static const char *const parts[] = {"refund-1", "refund-2", "tip"};

	ev->has_amount = true;
	ev->amount.value = text(BB_RANDOM_PICK(world->random, values));
	ev->amount.currency = text(BB_RANDOM_PICK(world->random, currencies));
	if (bb_random_percent(world->random, 60)) {
		ev->amount.key = bb_arena_printf(&world->cs->arena, "o%zu",
						 bb_random_below(world->random, world->keys));
		if (bb_random_percent(world->random, 25))
			ev->amount.part = text(BB_RANDOM_PICK(world->random, parts));
	} else if (bb_random_percent(world->random, 2)) {
		ev->amount.part = text("alone");
	}
}

static void add_consent(struct world *world, struct bb_event *ev)
{
	static const char *const purposes[] = {"marketing", "market", "profiling"};
	static const char *const channels[] = {"email", "sms", "any", "a"};

	for (size_t i = bb_random_between(world->random, 1, 3); i > 0; i--) {
		struct bb_consent consent = {
			.purpose = text(BB_RANDOM_PICK(world->random, purposes)),
			.status = text(bb_random_percent(world->random, 60) ? "granted" : "denied"),
		};

		if (bb_random_percent(world->random, 70))
			consent.channel = text(BB_RANDOM_PICK(world->random, channels));
		BB_ARENA_PUSH(&world->cs->arena, ev->consent, ev->consent_n, ev->consent_room) =
			consent;
	}
}

static int64_t random_time(struct world *world)
{
	int64_t ms = BB_CASE_BASE_MS +
		     (int64_t)bb_random_below(world->random, world->hours) * BB_HOUR_MS;

	switch (bb_random_below(world->random, 4)) {
	case 0: /* the last instant of an hour, or of a day */
		return ms - 1;
	case 1:
		return ms + (int64_t)bb_random_below(world->random, BB_HOUR_MS);
	default:
		return ms;
	}
}

bool bb_case_same_name(const struct bb_event *a, const struct bb_event *b)
{
	if (!bb_text_equal(a->source, b->source) || !bb_text_equal(a->id, b->id))
		return false;
	if (a->has_time != b->has_time)
		return false;
	return !a->has_time || a->time_ms == b->time_ms;
}

static bool is_free(const struct world *world, const struct bb_event *ev)
{
	for (size_t i = 0; i < world->cs->n; i++)
		if (bb_case_same_name(ev, world->cs->steps[i].ev))
			return false;
	return true;
}

static void name_event(struct world *world, struct bb_event *ev)
{
	int64_t ms = random_time(world);

	ev->source = text(BB_RANDOM_PICK(world->random, sources));
	ev->has_time = !bb_random_percent(world->random, 8);
	ev->time_ms = ev->has_time ? ms : 0;
	ev->log_ms = ev->has_time ? ms + (int64_t)bb_random_below(world->random, BB_DAY_MS) : ms;
	for (size_t ids = world->ids;; ids++) { /* ever more names, so that one is free */
		ev->id = bb_arena_printf(&world->cs->arena, "e%zu",
					 bb_random_below(world->random, ids));
		if (is_free(world, ev))
			return;
	}
}

static bool is_somebody(const struct world *world, const struct bb_event *ev)
{
	for (size_t i = 0; i < ev->identifier_n; i++)
		if (bb_rules_namespace(&world->cs->rules, ev->identifiers[i].ns) != BB_NS_UNKNOWN)
			return true;
	return ev->same_n > 0;
}

/*
 * By the definition an event with the log's time takes the place of an amount without a key of the
 * same source, id and time, even if it has no identifier and is itself counted for nobody. The gate
 * stops such events, and no producer makes them.
 */
static bool hides_an_amount(const struct world *world, const struct bb_event *ev)
{
	return !ev->has_time && !ev->amount.key.p && !is_somebody(world, ev);
}

static struct bb_event *make_event(struct world *world)
{
	static const char *const types[] = {"order_placed", "page_viewed", "signed_up", "refunded"};
	static const char *const channels[] = {"pos", "web", "social", "kiosk"};
	struct bb_event *ev = bb_arena_zalloc(&world->cs->arena, sizeof *ev);

	name_event(world, ev);
	ev->type = text(BB_RANDOM_PICK(world->random, types));
	if (bb_random_percent(world->random, 85))
		ev->channel = text(BB_RANDOM_PICK(world->random, channels));
	add_identifiers(world, ev);
	if (bb_random_percent(world->random, 6))
		add_same(world, ev);
	if (bb_random_percent(world->random, 60))
		add_attributes(world, ev);
	if (bb_random_percent(world->random, ev->identifier_n == 0 ? 90 : 30))
		add_amount(world, ev);
	if (hides_an_amount(world, ev))
		ev->has_amount = false;
	if (bb_random_percent(world->random, 15))
		add_consent(world, ev);
	if (bb_random_percent(world->random, 20))
		ev->properties = text("{\"store\":\"Lyon 3\"}");
	return ev;
}

/* Where events come from: partitions of two topics, and a file, which has no positions. */
static const struct lane {
	const char *topic;
	int32_t partition;
} lanes[] = {{"events", 0}, {"events", 1}, {"events", 2}, {"more", 0}, {"more", 7}, {NULL, 0}};

#define LANES (sizeof lanes / sizeof lanes[0])

/* Without erasures a position is no more than a number. */
static struct bb_position position_of(struct world *world, const struct bb_event *copied,
				      int64_t next[LANES])
{
	int64_t offset = (int64_t)world->cs->n;
	size_t lane;

	if (!world->cs->mixed)
		return (struct bb_position){text("events"), (int32_t)(offset % 3), offset};
	lane = bb_random_below(world->random, LANES);
	for (size_t i = 0; copied && i < LANES && bb_random_percent(world->random, 90); i++)
		if (bb_text_equal(text(lanes[i].topic), copied->position.topic) &&
		    lanes[i].partition == copied->position.partition)
			lane = i; /* sent twice: mostly by the key, so to the same partition */
	if (!lanes[lane].topic)
		return (struct bb_position){.topic = {NULL, 0}};
	next[lane] += bb_random_percent(world->random, 10) ? 3 : 1;
	return (struct bb_position){text(lanes[lane].topic), lanes[lane].partition, next[lane]};
}

size_t bb_case_make_events(struct bb_case *cs, struct bb_random *random, size_t n)
{
	struct world world = {
		.cs = cs,
		.random = random,
		.people = bb_random_between(random, 3, 3 + n / 8),
		.pool = bb_random_between(random, 3, 3 + n / 6),
		.hours = bb_random_percent(random, 50) ? bb_random_between(random, 1, 30)
						       : bb_random_between(random, 24, 24 * 40),
		.ids = bb_random_between(random, 2, 5 + n / 2),
		.keys = bb_random_between(random, 2, 25),
	};
	int64_t next[LANES] = {0};

	if (cs->calm)
		world.pool = 3 * world.people;

	cs->steps = bb_arena_zalloc(&cs->arena, n * sizeof *cs->steps);
	while (cs->n < n) {
		struct bb_event *ev = make_event(&world), *copied = NULL;

		if (cs->n > 0 && bb_random_percent(random, 4)) {
			copied = cs->steps[bb_random_below(random, cs->n)].ev;
			ev = bb_case_copy(copied, &cs->arena);
		}
		ev->position = position_of(&world, copied, next);
		cs->steps[cs->n] = (struct bb_step){.mark = cs->n, .ev = ev};
		cs->n++;
	}
	return world.hours;
}
