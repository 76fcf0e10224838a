/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: settles the time, has the members checked, and makes the identifiers canonical. All
 * identifiers, those of `same` too, go through one gathering: a table of the raw values seen so
 * far, at most 20, so that a value that comes a thousand times is normalised once, and a second
 * table of the distinct canonical ones, which become the event's.
 *
 *	raw -> known namespace? -> seen before? -> canonical? -> blocked? -> derived ones -> sorted
 *
 * A value that cannot be used is dropped with a warning; an event that is not canonical, or has
 * more than 20 identifiers, is refused with the member's name; one that is left without an
 * identifier and without an amount key is of nobody.
 */
#include <backbone/clock.h>
#include <backbone/gate.h>
#include <backbone/normalise.h>
#include <stdlib.h>

#include "gate_check.h"

#define DROPPED (-1)
#define FEW_ATTRIBUTES 16

/* Which identifier of the event, for warnings: `identifiers[i]`, or `same[i][end]`. */
struct place {
	size_t i;
	int end; /* -1: of `identifiers` */
};

struct seen {
	struct bb_text raw;
	uint16_t ns_index;
	int found; /* index in `found`, or DROPPED */
};

struct gate {
	const struct bb_rules *rules;
	struct bb_event *ev;
	struct bb_arena *arena;
	struct seen seen[BB_EVENT_IDENTIFIERS_MAX];
	size_t seen_n;
	struct bb_identifier found[BB_EVENT_IDENTIFIERS_MAX];
	struct place places[BB_EVENT_IDENTIFIERS_MAX]; /* where each was found first */
	size_t found_n;
	bool too_many;
	bool changed; /* the identifiers are not what came */
};

static void warn(struct gate *g, struct bb_text code, struct bb_text at, struct bb_text value)
{
	struct bb_event *ev = g->ev;

	BB_ARENA_PUSH(g->arena, ev->warnings, ev->warning_n, ev->warning_room) =
		(struct bb_warning){code, at, value};
}

static void warn_identifier(struct gate *g, struct place place, struct bb_text code,
			    struct bb_text value)
{
	struct bb_text at;

	if (place.end < 0)
		at = bb_arena_printf(g->arena, "identifiers[%zu]", place.i);
	else
		at = bb_arena_printf(g->arena, "same[%zu][%d]", place.i, place.end);
	warn(g, code, at, value);
}

static enum bb_gate_result refuse(struct bb_refusal *ret_refusal, enum bb_dead_reason reason,
				  struct bb_text at, struct bb_text detail)
{
	*ret_refusal = (struct bb_refusal){
		.reason = reason, .at = at, .detail = detail, .byte_offset = -1};
	return BB_GATE_REFUSED;
}

/* --- time ------------------------------------------------------------------------------------- */

static bool is_time(int64_t ms)
{
	return ms >= BB_TIME_MIN_MS && ms <= BB_TIME_MAX_MS;
}

/* The latest time that is believed, given the log's. */
static int64_t latest_believed(const struct bb_rules *rules, int64_t log_ms)
{
	int64_t latest;

	if (__builtin_add_overflow(log_ms, rules->max_future_ms, &latest))
		return INT64_MAX;
	return latest;
}

/* Why a time is not believed; p NULL: it is. */
static struct bb_text doubt(const struct bb_rules *rules, int64_t log_ms, int64_t ms)
{
	if (ms > latest_believed(rules, log_ms))
		return BB_TEXT("time_future");
	if (ms < rules->min_time_ms)
		return BB_TEXT("time_early");
	return (struct bb_text){NULL, 0};
}

static struct bb_text written(int64_t ms, struct bb_arena *arena)
{
	char iso[BB_ISO_BYTES];

	if (!is_time(ms))
		return (struct bb_text){NULL, 0};
	bb_clock_iso(ms, iso);
	return bb_arena_copy(arena, bb_text_bytes(iso, sizeof(iso)));
}

/* A log time outside of the calendar is a producer's, and no better than none. */
static bool settle_time(struct gate *g)
{
	struct bb_text code = BB_TEXT("time_missing"), was = {NULL, 0};
	struct bb_event *ev = g->ev;

	if (!is_time(ev->log_ms))
		return ev->has_time;
	if (ev->has_time) {
		code = doubt(g->rules, ev->log_ms, ev->time_ms);
		if (!code.p)
			return true;
		was = written(ev->time_ms, g->arena);
	}
	warn(g, code, BB_TEXT("time"), was);
	ev->time_ms = ev->log_ms;
	ev->has_time = true;
	ev->kafka_time = true;
	return true;
}

/* An attribute's own time that is not believed gives way to the event's. */
static void settle_own_time(struct gate *g, const char *member, struct bb_attribute *attribute)
{
	struct bb_text code = {NULL, 0}, name = attribute->name;

	if (attribute->at_ms == BB_AT_EVENT)
		return;
	if (is_time(g->ev->log_ms))
		code = doubt(g->rules, g->ev->log_ms, attribute->at_ms);
	if (!code.p && !is_time(attribute->at_ms))
		code = attribute->at_ms < 0 ? BB_TEXT("time_early") : BB_TEXT("time_future");
	if (!code.p)
		return;
	warn(g, code, bb_arena_printf(g->arena, "%s.%.*s", member, (int)name.n, name.p),
	     written(attribute->at_ms, g->arena));
	attribute->at_ms = BB_AT_EVENT;
}

static bool is_usable(const struct bb_value *value)
{
	if (value->kind == BB_VALUE_TEXT)
		return value->text.n > 0;
	return value->kind != BB_VALUE_LIST || value->item_n > 0;
}

struct named {
	struct bb_text name;
	size_t i;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int d = bb_text_compare(x->name, y->name);

	return d ? d : (x->i > y->i) - (x->i < y->i);
}

/* By sorting: what the names are, and how many, is up to the producer. */
static size_t drop_repeated_of_many(struct bb_attribute *attributes, size_t n,
				    struct bb_arena *arena)
{
	struct named *names = bb_arena_alloc(arena, n * sizeof(*names));
	bool *repeated = bb_arena_zalloc(arena, n * sizeof(*repeated));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		names[i] = (struct named){attributes[i].name, i};
	qsort(names, n, sizeof(*names), compare_named);
	for (size_t i = 1; i < n; i++)
		repeated[names[i].i] = bb_text_equal(names[i].name, names[i - 1].name);
	for (size_t i = 0; i < n; i++) {
		if (!repeated[i])
			attributes[kept++] = attributes[i];
	}
	return kept;
}

/* Of attributes with one name the first stays. */
static size_t drop_repeated(struct bb_attribute *attributes, size_t n, struct bb_arena *arena)
{
	size_t kept = 0;

	if (n > FEW_ATTRIBUTES)
		return drop_repeated_of_many(attributes, n, arena);
	for (size_t i = 0; i < n; i++) {
		size_t j = 0;

		while (j < kept && !bb_text_equal(attributes[j].name, attributes[i].name))
			j++;
		if (j == kept)
			attributes[kept++] = attributes[i];
	}
	return kept;
}

/* Values that mean "no change" go; then repeated names. */
static size_t settle_attributes(struct gate *g, const char *member, struct bb_attribute *attributes,
				size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_usable(&attributes[i].value))
			continue;
		settle_own_time(g, member, &attributes[i]);
		attributes[kept++] = attributes[i];
	}
	return drop_repeated(attributes, kept, g->arena);
}

/* --- identifiers ------------------------------------------------------------------------------ */

/* Index in `found`, or DROPPED where there are 20 already. */
static int find_or_add(struct gate *g, const struct bb_identifier *id, struct place place)
{
	const struct bb_namespace *ns = &g->rules->namespaces[id->ns_index];
	struct bb_identifier *found = g->found;

	for (; found < g->found + g->found_n; found++) {
		if (found->ns_index == id->ns_index && bb_text_equal(found->value, id->value))
			return (int)(found - g->found);
	}
	if (g->found_n == BB_EVENT_IDENTIFIERS_MAX) {
		g->too_many = true;
		return DROPPED;
	}
	*found = *id;
	found->blocked = bb_normalise_blocked_by(ns, id->value, g->arena) != NULL;
	if (found->blocked)
		warn_identifier(g, place, BB_TEXT("identifier_blocked"), id->value);
	g->places[g->found_n] = place;
	return (int)g->found_n++;
}

static int make_canonical(struct gate *g, const struct bb_identifier *raw, uint16_t ns_index,
			  struct place place)
{
	struct bb_identifier id = {.ns = raw->ns, .ns_index = ns_index};

	if (bb_normalise(&g->rules->namespaces[ns_index], raw->value, g->arena, &id.value)) {
		g->changed = g->changed || !bb_text_equal(id.value, raw->value);
		return find_or_add(g, &id, place);
	}
	if (!raw->optional)
		warn_identifier(g, place, BB_TEXT("identifier_not_canonical"), raw->value);
	return DROPPED;
}

/* Index in `found`, or DROPPED. */
static int gather(struct gate *g, const struct bb_identifier *raw, struct place place)
{
	uint16_t ns_index = bb_rules_namespace(g->rules, raw->ns);
	struct seen *seen;

	if (ns_index == BB_NS_UNKNOWN) {
		warn_identifier(g, place, BB_TEXT("namespace_unknown"), raw->ns);
		return DROPPED;
	}
	for (seen = g->seen; seen < g->seen + g->seen_n; seen++) {
		if (seen->ns_index == ns_index && bb_text_equal(seen->raw, raw->value))
			return seen->found;
	}
	if (g->seen_n == BB_EVENT_IDENTIFIERS_MAX) {
		g->too_many = true;
		return DROPPED;
	}
	g->seen_n++;
	*seen = (struct seen){raw->value, ns_index, DROPPED};
	seen->found = make_canonical(g, raw, ns_index, place);
	return seen->found;
}

/* The pairs with both ends known and canonical, and not equal: only these say something. */
static void gather_same(struct gate *g)
{
	struct bb_event *ev = g->ev;
	const struct bb_same *same = ev->same;
	size_t kept = 0;

	if (ev->same_n > 0) /* what came stays as it is */
		ev->same = bb_arena_alloc(g->arena, ev->same_n * sizeof(*ev->same));
	for (size_t i = 0; i < ev->same_n && !g->too_many; i++) {
		int a = gather(g, &same[i].pair[0], (struct place){i, 0});
		int b = gather(g, &same[i].pair[1], (struct place){i, 1});

		if (a == DROPPED || b == DROPPED || a == b)
			continue;
		ev->same[kept].pair[0] = g->found[a];
		ev->same[kept++].pair[1] = g->found[b];
	}
	ev->same_n = ev->same_room = kept;
}

static bool derive(const struct bb_rules *rules, const char *derivation, struct bb_text from,
		   struct bb_arena *arena, struct bb_identifier *ret_id)
{
	struct bb_identifier id = {.ns = bb_text_of(derivation)};
	struct bb_text raw;

	id.ns_index = bb_rules_namespace(rules, id.ns);
	if (id.ns_index == BB_NS_UNKNOWN)
		return false;
	if (!bb_normalise_derive(derivation, from, arena, &raw))
		return false;
	*ret_id = id;
	return bb_normalise(&rules->namespaces[id.ns_index], raw, arena, &ret_id->value);
}

/*
 * What is computed from canonical values. From a blocked one nothing is: its hash would not be
 * known for junk, and would link whoever it came with.
 */
static void add_derived(struct gate *g)
{
	size_t given_n = g->found_n;

	for (size_t i = 0; i < given_n; i++) {
		const struct bb_namespace *ns = &g->rules->namespaces[g->found[i].ns_index];
		struct bb_identifier id;

		for (size_t k = 0; k < ns->derive_n && !g->found[i].blocked; k++) {
			if (!derive(g->rules, ns->derive[k], g->found[i].value, g->arena, &id))
				continue;
			g->changed = true;
			find_or_add(g, &id, g->places[i]);
		}
	}
}

static int compare_identifiers(const struct bb_identifier *a, const struct bb_identifier *b)
{
	if (a->ns_index != b->ns_index)
		return a->ns_index < b->ns_index ? -1 : 1;
	return bb_text_compare(a->value, b->value);
}

/* By insertion: there are 20 at most, and two or three as a rule. */
static void sort_identifiers(struct bb_identifier *ids, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct bb_identifier id = ids[i];
		size_t j = i;

		for (; j > 0 && compare_identifiers(&ids[j - 1], &id) > 0; j--)
			ids[j] = ids[j - 1];
		ids[j] = id;
	}
}

/* Keeps what came, in one list, where that is not what was found. */
static void keep_given(struct gate *g, const struct bb_same *same, size_t same_n)
{
	struct bb_event *ev = g->ev;
	size_t n = ev->identifier_n;
	struct bb_identifier *given = ev->identifiers;

	if (!g->changed && n + 2 * same_n == g->found_n)
		return;
	if (same_n > 0) {
		given = bb_arena_alloc(g->arena, (n + 2 * same_n) * sizeof(*given));
		if (n > 0)
			memcpy(given, ev->identifiers, n * sizeof(*given));
		for (size_t i = 0; i < same_n; i++, n += 2)
			memcpy(&given[n], same[i].pair, sizeof(same[i].pair));
	}
	ev->given = given;
	ev->given_n = n;
	ev->given_same_n = same_n;
	ev->identifier_room = 0; /* the list stays as it is; the event gets another */
}

/* False: there are too many. */
static bool settle_identifiers(struct gate *g)
{
	struct bb_event *ev = g->ev;
	const struct bb_same *same = ev->same;
	size_t same_n = ev->same_n;

	for (size_t i = 0; i < ev->identifier_n && !g->too_many; i++)
		gather(g, &ev->identifiers[i], (struct place){i, -1});
	gather_same(g);
	add_derived(g);
	if (g->too_many)
		return false;
	sort_identifiers(g->found, g->found_n);
	keep_given(g, same, same_n);
	if (ev->identifier_room < g->found_n) {
		ev->identifiers = bb_arena_alloc(g->arena, g->found_n * sizeof(*ev->identifiers));
		ev->identifier_room = g->found_n;
	}
	if (g->found_n > 0)
		memcpy(ev->identifiers, g->found, g->found_n * sizeof(*ev->identifiers));
	ev->identifier_n = g->found_n;
	return true;
}

/* Its connector found a time and could not read it. */
static bool is_unreadable(const struct bb_event *ev)
{
	for (size_t i = 0; i < ev->warning_n; i++)
		if (bb_text_equal(ev->warnings[i].code, BB_TEXT("time_invalid")))
			return true;
	return false;
}

enum bb_gate_result bb_gate(const struct bb_rules *rules, struct bb_event *ev,
			    struct bb_arena *arena, struct bb_refusal *ret_refusal)
{
	struct gate g;

	g.rules = rules;
	g.ev = ev;
	g.arena = arena;
	g.seen_n = g.found_n = 0;
	g.too_many = g.changed = false;
	ev->given = NULL;
	ev->given_n = ev->given_same_n = 0;
	if (!settle_time(&g))
		return refuse(ret_refusal, BB_DEAD_INVALID_EVENT, BB_TEXT("time"),
			      is_unreadable(ev)
				      ? BB_TEXT("is not of the declared form, and the log gives "
						"none (files have no time of their own)")
				      : BB_TEXT("is missing, and the log gives none (files have no "
						"time of their own)"));
	if (!bb_gate_check_event(ev, arena, ret_refusal))
		return BB_GATE_REFUSED;
	if (!settle_identifiers(&g))
		return refuse(ret_refusal, BB_DEAD_TOO_MANY_IDENTIFIERS, BB_TEXT("identifiers"),
			      BB_TEXT("are more than 20 distinct ones, those of `same` and derived "
				      "ones included"));
	ev->attribute_n = settle_attributes(&g, "attributes", ev->attributes, ev->attribute_n);
	ev->once_n = settle_attributes(&g, "attributes_once", ev->once, ev->once_n);
	if (!ev->channel.p)
		ev->channel = BB_TEXT("other");
	if (ev->identifier_n == 0 && !(ev->has_amount && ev->amount.key.p))
		return BB_GATE_NO_IDENTIFIER;
	return BB_GATE_PASS;
}

size_t bb_gate_forms(const struct bb_rules *rules, const struct bb_identifier *given,
		     struct bb_arena *arena, struct bb_identifier out[BB_GATE_FORMS_MAX])
{
	uint16_t ns_index = bb_rules_namespace(rules, given->ns);
	const struct bb_namespace *ns;
	size_t n = 1;

	if (ns_index == BB_NS_UNKNOWN)
		return 0;
	ns = &rules->namespaces[ns_index];
	out[0] = (struct bb_identifier){.ns = given->ns, .ns_index = ns_index};
	if (!bb_normalise(ns, given->value, arena, &out[0].value))
		return 0;
	out[0].blocked = bb_normalise_blocked_by(ns, out[0].value, arena) != NULL;
	for (size_t k = 0; k < ns->derive_n && n < BB_GATE_FORMS_MAX && !out[0].blocked; k++)
		n += derive(rules, ns->derive[k], out[0].value, arena, &out[n]);
	return n;
}

bool bb_gate_key(const struct bb_rules *rules, struct bb_text key, struct bb_arena *arena,
		 struct bb_identifier *ret_id)
{
	const char *colon = key.n > 0 ? memchr(key.p, ':', key.n) : NULL;
	struct bb_identifier id = {.ns_index = BB_NS_UNKNOWN};
	const struct bb_namespace *ns;
	struct bb_text raw;

	if (!colon)
		return false;
	id.ns = bb_text_bytes(key.p, (size_t)(colon - key.p));
	raw = bb_text_bytes(colon + 1, key.n - id.ns.n - 1);
	id.ns_index = bb_rules_namespace(rules, id.ns);
	if (id.ns_index == BB_NS_UNKNOWN)
		return false;
	ns = &rules->namespaces[id.ns_index];
	if (!bb_normalise(ns, raw, arena, &id.value))
		return false;
	id.blocked = bb_normalise_blocked_by(ns, id.value, arena) != NULL;
	*ret_id = id;
	return true;
}
