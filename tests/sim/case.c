/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules: namespaces in random order with random limits, small enough that sharing, refused
 * links and full profiles happen all the time; rules for some attributes; trust for some sources.
 * And the rules that a mixed case changes to.
 */
#include "case.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/normalise.h>

#include <stdlib.h>

#define NAMESPACES_MAX 7

static uint32_t limit(struct bb_random *random, unsigned none_percent, size_t least, size_t most)
{
	if (bb_random_percent(random, none_percent))
		return BB_NO_LIMIT;
	return (uint32_t)bb_random_between(random, least, most);
}

static void make_pattern(struct bb_case *cs, struct bb_namespace *ns, const char *text)
{
	struct bb_pattern **own = bb_arena_alloc(&cs->arena, sizeof(struct bb_pattern *));
	struct bb_error err = {0};
	int rc = bb_pattern_new(text, own, &err);

	bb_assert(rc == BB_OK);
	ns->block = own;
	ns->block_n = 1;
	cs->patterns[cs->pattern_n++] = own[0];
}

static void make_limits(struct bb_case *cs, struct bb_namespace *ns, struct bb_random *random)
{
	static const char *const patterns[] = {"^tmp", "7$", "^v(1|2)$", "x[0-9]+y"};
	bool owner = ns->owner;

	if (bb_random_percent(random, owner ? 40 : 30))
		ns->per_profile = limit(random, owner ? 20 : 40, 1, 3);
	if (!owner || bb_random_percent(random, 20))
		ns->owners = limit(random, 15, 1, 4);
	ns->links = limit(random, 10, 1, 12);
	ns->devices = limit(random, owner ? 80 : 20, 1, 8);
	ns->records = limit(random, owner ? 80 : 30, 3, 25);
	ns->junk = bb_random_percent(random, 85);
	if (bb_random_percent(random, 25))
		make_pattern(cs, ns, BB_RANDOM_PICK(random, patterns));
}

static enum bb_normaliser make_normaliser(const struct bb_case *cs, struct bb_random *random)
{
	static const enum bb_normaliser forms[] = {BB_NORMALISE_NONE, BB_NORMALISE_TRIM,
						   BB_NORMALISE_LOWER, BB_NORMALISE_LOWER,
						   BB_NORMALISE_DIGITS};

	if (cs->forms)
		return BB_RANDOM_PICK(random, forms);
	return bb_random_percent(random, 50) ? BB_NORMALISE_NONE : BB_NORMALISE_TRIM;
}

static void make_namespace(struct bb_case *cs, struct bb_namespace *ns, const char *name,
			   bool owner, bool durable, struct bb_random *random)
{
	bb_rules_namespace_defaults(ns, name, owner, durable);
	ns->prefer = (enum bb_prefer)bb_random_below(random, 3);
	ns->normaliser = make_normaliser(cs, random);
	if (!bb_random_percent(random, cs->calm ? 80 : 25)) /* the defaults must work too */
		make_limits(cs, ns, random);
}

static void make_namespaces(struct bb_case *cs, struct bb_random *random)
{
	static const struct {
		const char *name;
		bool owner, durable;
	} kinds[NAMESPACES_MAX] = {
		{"crm", true, true},	     {"loyalty", true, true}, {"email", false, true},
		{"phone", false, true},	     {"card", true, false},   {"cookie", false, false},
		{"device.id", false, false},
	};
	size_t order[NAMESPACES_MAX] = {0, 1, 2, 3, 4, 5, 6};
	struct bb_rules *rules = &cs->rules;

	rules->namespace_n = bb_random_between(random, 2, NAMESPACES_MAX);
	rules->namespaces =
		bb_arena_zalloc(&cs->arena, rules->namespace_n * sizeof *rules->namespaces);
	cs->patterns = bb_arena_zalloc(&cs->arena, 2 * NAMESPACES_MAX * sizeof *cs->patterns);
	for (size_t i = NAMESPACES_MAX - 1; i > 0 && bb_random_percent(random, 85); i--) {
		size_t k = bb_random_below(random, i + 1), kept = order[i];

		order[i] = order[k];
		order[k] = kept;
	}
	for (size_t i = 0; i < rules->namespace_n; i++) {
		bool owner = kinds[order[i]].owner, durable = kinds[order[i]].durable;

		if (bb_random_percent(random, 15))
			owner = !owner;
		if (bb_random_percent(random, 15))
			durable = !durable;
		make_namespace(cs, &rules->namespaces[i], kinds[order[i]].name, owner, durable,
			       random);
	}
}

static void make_folds(struct bb_case *cs, struct bb_random *random)
{
	static const char *const names[] = {"best",  "city",  "first_store",
					    "score", "spent", "tags"};
	static const char *const sources[] = {"crm_export", "social", "till", "web"};
	const size_t name_n = sizeof names / sizeof names[0];
	struct bb_attribute_rule *attributes =
		bb_arena_alloc(&cs->arena, name_n * sizeof *attributes);
	const char **trusted = bb_arena_alloc(&cs->arena, sizeof sources);
	size_t first = bb_random_below(random, 4);

	for (size_t i = 0; i < name_n; i++)
		if (bb_random_percent(random, 80))
			attributes[cs->rules.attribute_n++] = (struct bb_attribute_rule){
				names[i], (enum bb_fold_rule)bb_random_below(random, 6)};
	cs->rules.attributes = attributes;
	cs->rules.source_n = bb_random_below(random, 4);
	for (size_t i = 0; i < cs->rules.source_n; i++)
		trusted[i] = sources[(first + 3 * i) % 4];
	cs->rules.sources = trusted;
	cs->rules.recent =
		(uint32_t)(bb_random_percent(random, 50) ? 20 : bb_random_between(random, 1, 6));
}

/* The later rules go without one of the namespaces, or the first ones do. */
static void drop_namespace(struct bb_case *cs, struct bb_random *random)
{
	struct bb_rules *rules = bb_random_percent(random, 50) ? &cs->rules : &cs->later;
	size_t gone = bb_random_below(random, rules->namespace_n), n = rules->namespace_n - 1;
	struct bb_namespace *fewer = bb_arena_alloc(&cs->arena, n * sizeof *fewer);

	memcpy(fewer, rules->namespaces, gone * sizeof *fewer);
	memcpy(fewer + gone, rules->namespaces + gone + 1, (n - gone) * sizeof *fewer);
	rules->namespaces = fewer;
	rules->namespace_n = n;
	cs->dated = true; /* rulings on it are refused, or not */
}

/*
 * Other rules. Where people are erased the namespaces and their order stay: an erasure looks for
 * the strongest identifier, and what it took is not to be had again.
 */
static void make_later_rules(struct bb_case *cs, struct bb_random *random)
{
	size_t n = cs->rules.namespace_n;
	struct bb_namespace *fresh = bb_arena_zalloc(&cs->arena, n * sizeof *fresh);
	size_t turn = cs->erases ? 0 : bb_random_below(random, n);

	cs->later = cs->rules;
	cs->later.namespaces = fresh;
	if (bb_random_percent(random, 30))
		cs->later.max_identifiers = (uint32_t)bb_random_between(random, 2, 20);
	for (size_t i = 0; i < n; i++) {
		const struct bb_namespace *old = &cs->rules.namespaces[(i + turn) % n];
		bool owner = old->owner != bb_random_percent(random, 10);
		bool durable = old->durable != bb_random_percent(random, 10);

		fresh[i] = *old;
		if (bb_random_percent(random, 50))
			continue;
		make_namespace(cs, &fresh[i], old->name, owner, durable, random);
		if (!cs->forms)
			fresh[i].normaliser = old->normaliser;
		cs->dated = cs->dated || fresh[i].normaliser != old->normaliser;
	}
	if (!cs->erases && n > 1 && bb_random_percent(random, 40))
		drop_namespace(cs, random);
}

static void make_rules(struct bb_case *cs, struct bb_random *random)
{
	bb_rules_defaults(&cs->rules);
	cs->own_times = cs->seed % 5 == 4;
	cs->calm = bb_random_percent(random, 40);
	cs->forms = cs->mixed && bb_random_percent(random, 50);
	cs->rules.window_ms = 3650 * BB_DAY_MS; /* copies come at any time */
	if (bb_random_percent(random, 30))
		cs->rules.max_identifiers = (uint32_t)bb_random_between(random, 2, 14);
	for (size_t i = 0; i < sizeof cs->rules.profile_key.b; i++)
		cs->rules.profile_key.b[i] = (uint8_t)(cs->seed ? bb_random_next(random) : 0);
	make_namespaces(cs, random);
	make_folds(cs, random);
}

void bb_case_make(struct bb_case *cs, uint64_t seed, const struct bb_case_options *options)
{
	struct bb_random random = {bb_random_mix(seed * UINT64_C(0x2545f4914f6cdd1d) + 1)};
	size_t events = options->events, hours;

	*cs = (struct bb_case){.seed = seed, .mixed = seed >= BB_CASE_MIXED_FROM};
	bb_arena_init(&cs->arena);
	make_rules(cs, &random);
	if (events == 0 && cs->mixed)
		events = bb_random_between(&random, 15, bb_random_percent(&random, 40) ? 60 : 450);
	else if (events == 0)
		events = bb_random_between(&random, 200, 800);
	hours = bb_case_make_events(cs, &random, events);
	cs->made_n = cs->n;
	if (!cs->mixed)
		return;
	bb_case_make_orders(cs, &random, hours, options);
	make_later_rules(cs, &random);
}

void bb_case_fini(struct bb_case *cs)
{
	for (size_t i = 0; i < cs->pattern_n; i++)
		bb_pattern_free(cs->patterns[i]);
	bb_arena_fini(&cs->arena);
}

static void *copy_items(const void *items, size_t n, size_t bytes, struct bb_arena *arena)
{
	void *copy = bb_arena_alloc(arena, n * bytes);

	if (n > 0)
		memcpy(copy, items, n * bytes);
	return copy;
}

#define COPY_ITEMS(copy, member, arena)                                                            \
	do {                                                                                       \
		(copy)->member##s = copy_items((copy)->member##s, (copy)->member##_n,              \
					       sizeof *(copy)->member##s, (arena));                \
		(copy)->member##_room = (copy)->member##_n;                                        \
	} while (0)

struct bb_event *bb_case_copy(const struct bb_event *ev, struct bb_arena *arena)
{
	struct bb_event *copy = bb_arena_alloc(arena, sizeof *copy);

	*copy = *ev;
	COPY_ITEMS(copy, identifier, arena);
	COPY_ITEMS(copy, attribute, arena);
	copy->once = copy_items(ev->once, ev->once_n, sizeof *ev->once, arena);
	copy->once_room = ev->once_n;
	copy->unset = copy_items(ev->unset, ev->unset_n, sizeof *ev->unset, arena);
	copy->unset_room = ev->unset_n;
	copy->consent = copy_items(ev->consent, ev->consent_n, sizeof *ev->consent, arena);
	copy->consent_room = ev->consent_n;
	copy->same = copy_items(ev->same, ev->same_n, sizeof *ev->same, arena);
	copy->same_room = ev->same_n;
	return copy;
}
