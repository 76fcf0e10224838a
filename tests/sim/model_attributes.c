/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes of a profile: per name all entries of all its events, then the rule of the name
 * picks or combines. What was set once holds only where nothing was ever set or unset.
 */
#include "model_state.h"

#include <backbone/buf.h>

#include <stdlib.h>

#define UNION_MAX 1000

struct entry {
	struct bb_text name;
	const struct bb_value *value; /* NULL: unset */
	const struct model_event *e;
	int64_t time_ms;
	size_t trust; /* smaller is more trusted */
};

struct list {
	struct entry *items;
	size_t n, room;
};

static size_t trust_of(const struct bb_rules *rules, struct bb_text source)
{
	size_t i = 0;

	while (i < rules->source_n && !bb_text_equal(bb_text_of(rules->sources[i]), source))
		i++;
	return i;
}

static enum bb_fold_rule rule_of(const struct bb_rules *rules, struct bb_text name)
{
	for (size_t i = 0; i < rules->attribute_n; i++)
		if (bb_text_equal(bb_text_of(rules->attributes[i].name), name))
			return rules->attributes[i].rule;
	return BB_FOLD_LATEST;
}

/* Time, then trust (its better end depends on the question), then id, source, origin of the time.
 */
static int compare_entries(const struct entry *a, const struct entry *b, bool trusted_first)
{
	int d = (a->time_ms > b->time_ms) - (a->time_ms < b->time_ms);

	if (d == 0) {
		d = (a->trust > b->trust) - (a->trust < b->trust);
		d = trusted_first ? d : -d;
	}
	if (d == 0)
		d = bb_text_compare(a->e->ev->id, b->e->ev->id);
	if (d == 0)
		d = bb_text_compare(a->e->ev->source, b->e->ev->source);
	if (d == 0)
		d = (int)a->e->kafka_time - (int)b->e->kafka_time;
	return d;
}

static const struct bb_value *earliest(const struct list *list)
{
	const struct entry *best = &list->items[0];

	for (size_t i = 1; i < list->n; i++)
		if (compare_entries(&list->items[i], best, true) < 0)
			best = &list->items[i];
	return best->value;
}

static const struct bb_value *latest(const struct list *list)
{
	const struct entry *best = &list->items[0];

	for (size_t i = 1; i < list->n; i++) {
		int d = compare_entries(&list->items[i], best, false);

		if (d > 0 || (d == 0 && list->items[i].value && !best->value))
			best = &list->items[i];
	}
	return best->value;
}

/* Text counts only where there are no numbers; lists and booleans never. */
static const struct bb_value *extreme(const struct list *list, int sign)
{
	const struct bb_value *best = NULL;

	for (size_t i = 0; i < list->n; i++) {
		const struct bb_value *value = list->items[i].value;
		int d;

		if (value->kind != BB_VALUE_TEXT && value->kind != BB_VALUE_NUMBER)
			continue;
		if (!best || value->kind != best->kind) {
			if (!best || value->kind == BB_VALUE_NUMBER)
				best = value;
			continue;
		}
		d = sign * bb_model_compare(value, best, false);
		if (d < 0 || (d == 0 && bb_model_compare(value, best, true) < 0))
			best = value;
	}
	return best;
}

static const struct bb_value *sum(const struct list *list, struct bb_arena *arena)
{
	struct bb_text *amounts = bb_arena_alloc(arena, list->n * sizeof *amounts);
	struct bb_value *total = bb_arena_zalloc(arena, sizeof *total);
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct bb_value *value = list->items[i].value;

		if ((value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER) &&
		    bb_model_is_money(value->text))
			amounts[n++] = value->text;
	}
	if (n == 0)
		return NULL;
	total->kind = BB_VALUE_TEXT;
	total->text = bb_model_total(amounts, n, arena);
	return total;
}

static int compare_values(const void *left, const void *right)
{
	return bb_model_compare(left, right, true);
}

static const struct bb_value *unite(const struct list *list, struct bb_arena *arena)
{
	struct bb_value *all = NULL, *whole = bb_arena_zalloc(arena, sizeof *whole);
	size_t n = 0, room = 0, kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct bb_value *value = list->items[i].value;

		if (value->kind != BB_VALUE_LIST)
			BB_ARENA_PUSH(arena, all, n, room) = *value;
		for (size_t k = 0; value->kind == BB_VALUE_LIST && k < value->item_n; k++)
			BB_ARENA_PUSH(arena, all, n, room) = value->items[k];
	}
	if (n > 0)
		qsort(all, n, sizeof *all, compare_values);
	for (size_t i = 0; i < n && kept < UNION_MAX; i++)
		if (i == 0 || bb_model_compare(&all[i], &all[kept - 1], false) != 0)
			all[kept++] = all[i];
	*whole = (struct bb_value){.kind = BB_VALUE_LIST, .items = all, .item_n = kept};
	return whole;
}

static const struct bb_value *fold(const struct bb_rules *rules, const struct list *list,
				   struct bb_arena *arena)
{
	switch (rule_of(rules, list->items[0].name)) {
	case BB_FOLD_LATEST:
		return latest(list);
	case BB_FOLD_FIRST:
		return earliest(list);
	case BB_FOLD_MIN:
		return extreme(list, 1);
	case BB_FOLD_MAX:
		return extreme(list, -1);
	case BB_FOLD_SUM:
		return sum(list, arena);
	case BB_FOLD_UNION:
		return unite(list, arena);
	}
	return NULL;
}

static bool usable(const struct bb_value *value)
{
	return !(value->kind == BB_VALUE_TEXT && value->text.n == 0) &&
	       !(value->kind == BB_VALUE_LIST && value->item_n == 0);
}

static void gather(const struct bb_rules *rules, const struct model_event *e,
		   const struct bb_attribute *attributes, size_t n, struct list *list,
		   struct bb_arena *arena)
{
	for (size_t i = 0; i < n; i++)
		if (usable(&attributes[i].value))
			BB_ARENA_PUSH(arena, list->items, list->n, list->room) = (struct entry){
				.name = attributes[i].name,
				.value = &attributes[i].value,
				.e = e,
				.time_ms = attributes[i].at_ms == BB_AT_EVENT ? e->time_ms
									      : attributes[i].at_ms,
				.trust = trust_of(rules, e->ev->source),
			};
}

static void gather_unset(const struct bb_rules *rules, const struct model_event *e,
			 struct list *list, struct bb_arena *arena)
{
	for (size_t i = 0; i < e->ev->unset_n; i++)
		if (rule_of(rules, e->ev->unset[i]) == BB_FOLD_LATEST)
			BB_ARENA_PUSH(arena, list->items, list->n, list->room) = (struct entry){
				.name = e->ev->unset[i],
				.e = e,
				.time_ms = e->time_ms,
				.trust = trust_of(rules, e->ev->source),
			};
}

static int compare_by_name(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	return bb_text_compare(a->name, b->name);
}

/* The run of entries of the next name; n is 0 at the end. */
static struct list next_name(const struct list *list, size_t at)
{
	struct list run = {.items = list->n > 0 ? list->items + at : NULL};

	while (at + run.n < list->n && bb_text_equal(run.items[run.n].name, run.items[0].name))
		run.n++;
	return run;
}

void bb_model_attributes(const struct bb_rules *rules, struct model_event **events, size_t n,
			 struct bb_arena *arena, struct bb_buf *buf)
{
	struct list sets = {0}, onces = {0}, set, once;
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		const struct bb_event *ev = events[i]->ev;

		gather(rules, events[i], ev->attributes, ev->attribute_n, &sets, arena);
		gather_unset(rules, events[i], &sets, arena);
		gather(rules, events[i], ev->once, ev->once_n, &onces, arena);
	}
	if (sets.n > 0)
		qsort(sets.items, sets.n, sizeof *sets.items, compare_by_name);
	if (onces.n > 0)
		qsort(onces.items, onces.n, sizeof *onces.items, compare_by_name);
	bb_buf_byte(buf, '{');
	for (size_t s = 0, o = 0; s < sets.n || o < onces.n;) {
		const struct bb_value *value;
		struct bb_text name;
		int d;

		set = next_name(&sets, s);
		once = next_name(&onces, o);
		d = !set.n ? 1 : !once.n ? -1 : bb_text_compare(set.items->name, once.items->name);
		value = d <= 0 ? fold(rules, &set, arena) : earliest(&once);
		name = d <= 0 ? set.items->name : once.items->name;
		s += d <= 0 ? set.n : 0;
		o += d >= 0 ? once.n : 0;
		if (!value)
			continue;
		bb_buf_printf(buf, "%s", comma);
		bb_buf_json(buf, name);
		bb_buf_byte(buf, ':');
		bb_model_value_json(value, buf);
		comma = ",";
	}
	bb_buf_byte(buf, '}');
}
