/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of a run grow with what is delivered. Erasures are not in the case as lines: what one
 * names is what the model finds at that moment.
 */
#include "walk.h"

static void mark(struct bb_walk *walk, const struct bb_position *position)
{
	for (size_t i = 0; i < walk->mark_n; i++) {
		struct bb_model_mark *known = &walk->marks[i];

		if (!bb_text_equal(known->topic, position->topic) ||
		    known->partition != position->partition)
			continue;
		if (position->offset >= known->next_offset)
			known->next_offset = position->offset + 1;
		return;
	}
	BB_ARENA_PUSH(walk->arena, walk->marks, walk->mark_n, walk->mark_room) =
		(struct bb_model_mark){position->topic, position->partition, position->offset + 1};
}

static bool is_same_log(const struct bb_position *a, const struct bb_position *b)
{
	return bb_text_equal(a->topic, b->topic) && a->partition == b->partition;
}

void bb_walk_rules(struct bb_walk *walk, const struct bb_rules *rules)
{
	struct bb_model_lines *lines = &walk->lines;

	walk->rules = rules;
	if (lines->era_n == 0 || lines->eras[lines->era_n - 1] != rules)
		BB_ARENA_PUSH(walk->arena, lines->eras, lines->era_n, lines->era_room) = rules;
}

/* Whether what is left of two copies differs after any of the erasures, until one of them is gone.
 */
static bool differ(const struct bb_walk *walk, const struct bb_event *a,
		   const struct bb_model_origin *of_a, size_t b)
{
	struct bb_model_lines lines = walk->lines;

	for (size_t n = 0; n <= walk->lines.erasure_n; n++) {
		struct bb_text one = {NULL, 0}, other = {NULL, 0};

		lines.erasure_n = n;
		if (bb_model_left(walk->rules, &lines, a, of_a, walk->arena, &one) ==
			    BB_MODEL_GONE ||
		    bb_model_left(walk->rules, &lines, lines.events[b], &lines.origins[b],
				  walk->arena, &other) == BB_MODEL_GONE)
			return false;
		if (!bb_text_equal(one, other))
			return true;
	}
	return false;
}

static bool is_same_identifiers(const struct bb_event *a, const struct bb_event *b)
{
	bool same = a->identifier_n == b->identifier_n && a->same_n == b->same_n;

	for (size_t i = 0; same && i < a->identifier_n; i++)
		same = bb_text_equal(a->identifiers[i].ns, b->identifiers[i].ns) &&
		       bb_text_equal(a->identifiers[i].value, b->identifiers[i].value);
	return same;
}

/* A copy of what came under other rules, which made something else of it: that one stands. */
static bool is_copy_of_then(const struct bb_walk *walk, const struct bb_event *ev)
{
	for (size_t i = 0; i < walk->lines.event_n; i++)
		if (bb_case_same_name(ev, walk->lines.events[i]) &&
		    walk->lines.origins[i].rules != walk->rules &&
		    !is_same_identifiers(ev, walk->lines.events[i]))
			return true;
	return false;
}

/* Whether what comes is another under the rules of now than it was at first. */
static bool is_reformed(const struct bb_walk *walk)
{
	const struct bb_rules *first = walk->lines.eras[0], *now = walk->rules;

	if (first->namespace_n != now->namespace_n)
		return true;
	for (size_t i = 0; i < now->namespace_n; i++)
		if (strcmp(first->namespaces[i].name, now->namespaces[i].name) != 0 ||
		    first->namespaces[i].normaliser != now->namespaces[i].normaliser)
			return true;
	return false;
}

/* A copy of what was there when somebody was erased, in a store that had other rules before: an
 * erasure acts on what is stored as it is, and on what comes as it was as well. */
static bool is_copy_of_stored(const struct bb_walk *walk, const struct bb_event *ev)
{
	for (size_t i = 0; is_reformed(walk) && i < walk->lines.event_n; i++)
		if (bb_case_same_name(ev, walk->lines.events[i]) &&
		    walk->lines.origins[i].known < walk->lines.erasure_n)
			return true;
	return false;
}

bool bb_walk_event(struct bb_walk *walk, const struct bb_event *given)
{
	const struct bb_event *ev = bb_model_seen(walk->rules, given, walk->arena);
	int64_t time_ms = ev->has_time ? ev->time_ms : ev->log_ms;
	struct bb_model_origin origin = {
		.given = given, .rules = walk->rules, .known = walk->lines.erasure_n};
	bool is_copy = is_copy_of_then(walk, ev);

	for (size_t i = 0; walk->lines.erasure_n > 0 && i < walk->lines.event_n; i++) {
		const struct bb_event *other = walk->lines.events[i];

		if (bb_case_same_name(ev, other) && !is_same_log(&ev->position, &other->position) &&
		    differ(walk, ev, &origin, i))
			return false;
	}
	if ((is_copy && walk->lines.erasure_n > 0) || is_copy_of_stored(walk, ev))
		return false;
	if (ev->position.topic.p)
		mark(walk, &ev->position);
	if (!bb_model_counts(walk->rules, ev, walk->arena))
		return true; /* nothing is kept of it */
	if (!ev->position.topic.p && time_ms > walk->file_ms)
		walk->file_ms = time_ms;
	if (is_copy)
		return true;
	BB_ARENA_PUSH(walk->arena, walk->lines.events, walk->lines.event_n,
		      walk->lines.event_room) = ev;
	BB_ARENA_PUSH(walk->arena, walk->lines.origins, walk->lines.origin_n,
		      walk->lines.origin_room) = origin;
	return true;
}

static bool is_same_content(const struct bb_ruling *a, const struct bb_ruling *b)
{
	bool same = a->kind == b->kind && a->time_ms == b->time_ms &&
		    bb_text_equal(a->actor, b->actor) && bb_text_equal(a->reason, b->reason);

	for (unsigned i = 0; same && i < bb_ruling_ends(a->kind); i++)
		same = bb_text_equal(a->on[i].ns, b->on[i].ns) &&
		       bb_text_equal(a->on[i].value, b->on[i].value);
	return same && (a->kind != BB_RULING_RELEASE || bb_text_equal(a->releases, b->releases));
}

enum bb_walk_ruling bb_walk_ruling(struct bb_walk *walk, const struct bb_ruling *given,
				   const struct bb_ruling *ruling, bool checked)
{
	struct bb_model_lines *lines = &walk->lines;
	struct bb_model_origin origin = {
		.ruling = given, .rules = walk->rules, .known = lines->erasure_n};
	size_t at = 0;
	bool is_void;

	if (!checked)
		return BB_WALK_LEFT_OUT;
	is_void = bb_model_voids(lines, ruling, &origin, walk->arena);
	while (at < lines->ruling_n && !bb_text_equal(lines->rulings[at]->id, ruling->id))
		at++;
	if (at < lines->ruling_n && is_same_content(lines->rulings[at], ruling))
		return is_void ? BB_WALK_VOID : BB_WALK_AGAIN;
	if (at < lines->ruling_n)
		return is_void || bb_model_voids(lines, lines->rulings[at],
						 &lines->ruling_origins[at], walk->arena)
			       ? BB_WALK_LEFT_OUT
			       : BB_WALK_CONFLICT;
	BB_ARENA_PUSH(walk->arena, lines->rulings, lines->ruling_n, lines->ruling_room) = ruling;
	BB_ARENA_PUSH(walk->arena, lines->ruling_origins, lines->ruling_origin_n,
		      lines->ruling_origin_room) = origin;
	return is_void ? BB_WALK_VOID : BB_WALK_NEW;
}

bool bb_walk_knows(const struct bb_walk *walk, struct bb_text id)
{
	for (size_t i = 0; i < walk->lines.erasure_n; i++)
		if (bb_text_equal(walk->lines.erasures[i]->id, id))
			return true;
	return false;
}

/* The value of a key is spelled as it comes. A profile id is a key as it is. */
static bool is_key(const struct bb_walk *walk, struct bb_text key, struct bb_text *ret_key)
{
	const char *colon = memchr(key.p, ':', key.n);
	struct bb_identifier id = {.blocked = false};

	*ret_key = key;
	if (!colon)
		return true;
	id.ns = (struct bb_text){key.p, (size_t)(colon - key.p)};
	id.value = (struct bb_text){colon + 1, key.n - id.ns.n - 1};
	if (!bb_model_form(walk->rules, &id, walk->arena, &id.value))
		return false;
	*ret_key = bb_arena_printf(walk->arena, "%.*s:%.*s", (int)id.ns.n, id.ns.p, (int)id.value.n,
				   id.value.p);
	return true;
}

int bb_walk_erase(const struct bb_walk *walk, const struct bb_erasure *order,
		  struct bb_model_erasure *ret_erasure)
{
	struct bb_text key;
	struct bb_model_erasure erasure = {
		.id = order->id,
		.time_ms = order->time_ms > walk->file_ms ? order->time_ms : walk->file_ms + 1,
		.suppress = order->mode == BB_ERASURE_SUPPRESS,
		.mark_n = walk->mark_n,
	};
	int rc;

	for (size_t i = 0; i < walk->lines.erasure_n; i++) {
		const struct bb_model_erasure *before = walk->lines.erasures[i];

		if (before->time_ms >= erasure.time_ms) /* each acts on what the last one left */
			erasure.time_ms = before->time_ms + 1;
	}
	erasure.marks = bb_arena_alloc(walk->arena, walk->mark_n * sizeof *erasure.marks);
	if (walk->mark_n > 0)
		memcpy(erasure.marks, walk->marks, walk->mark_n * sizeof *erasure.marks);
	if (!is_key(walk, order->key, &key))
		return BB_EINVAL;
	rc = bb_model_erase(walk->rules, &walk->lines, key, walk->arena, &erasure);
	if (rc == BB_OK)
		*ret_erasure = erasure;
	return rc;
}

void bb_walk_erased(struct bb_walk *walk, const struct bb_model_erasure *erasure)
{
	struct bb_model_erasure *kept = bb_arena_alloc(walk->arena, sizeof *kept);

	*kept = *erasure;
	BB_ARENA_PUSH(walk->arena, walk->lines.erasures, walk->lines.erasure_n,
		      walk->lines.erasure_room) = kept;
}
