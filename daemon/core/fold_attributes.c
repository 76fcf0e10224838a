/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of a view (view.md §2): the facts of all records on a name are folded by the rule that
 * it has today; those that were made under another rule only say that the name was set. What was
 * given once counts where nothing was set.
 *
 * Nothing fails here.
 */
#include "fold.h"

#include <stdlib.h>

/* For `first` and attributes_once: the more trusted comes first among equals. */
static int compare_early(const struct bb_origin *a, const struct bb_fold_from *fa,
			 const struct bb_origin *b, const struct bb_fold_from *fb)
{
	return bb_fold_compare(a, fa, b, fb, -1);
}

static struct bb_view_origin origin_of(const struct bb_view_fold *fold, const struct bb_origin *by,
				       const struct bb_fold_from *from)
{
	struct bb_view_origin origin = {
		.source = from->source, .id = by->id, .time_ms = by->time_ms};

	if (by->topic) {
		origin.position.topic = bb_names_text(fold->names, BB_NAME_TOPIC, by->topic - 1);
		origin.position.partition = by->partition;
		origin.position.offset = by->offset;
	}
	return origin;
}

static struct bb_view_attribute fold_sum(const struct bb_folding *f,
					 const struct bb_fold_from *items, size_t n)
{
	char *text = bb_arena_alloc(f->fold->arena, BB_MONEY_CHARS);
	struct bb_view_attribute out = {.value.kind = BB_VALUE_TEXT};
	bb_i128 micros = 0;

	for (size_t i = 0; i < n; i++)
		micros = bb_i128_add(micros,
				     ((const struct bb_fact_attribute *)items[i].fact)->sum_micros);
	out.value.text = (struct bb_text){text, bb_money_format(micros, text)};
	return out;
}

static struct bb_view_attribute fold_union(const struct bb_folding *f,
					   const struct bb_fold_from *items, size_t n)
{
	struct bb_value_set all = {.n = 0};

	for (size_t i = 0; i < n; i++)
		bb_value_set_unite(f->fold->arena, &all,
				   &((const struct bb_fact_attribute *)items[i].fact)->set);
	return (struct bb_view_attribute){
		.value = {.kind = BB_VALUE_LIST, .items = all.items, .item_n = all.n}};
}

/* Whether `a` stands before `b` under their rule. */
static bool attribute_beats(const struct bb_fact_attribute *a, const struct bb_fold_from *fa,
			    const struct bb_fact_attribute *b, const struct bb_fold_from *fb)
{
	int d;

	switch (a->rule) {
	case BB_FOLD_LATEST:
		d = bb_fold_compare(&a->by, fa, &b->by, fb, 1);
		if (d == 0 && a->has && b->has)
			d = bb_value_order(&a->value, &b->value);
		return d > 0 || (d == 0 && a->has && !b->has);
	case BB_FOLD_FIRST:
		d = compare_early(&a->by, fa, &b->by, fb);
		return d < 0 || (d == 0 && bb_value_order(&a->value, &b->value) < 0);
	case BB_FOLD_MIN:
	case BB_FOLD_MAX:
		if (a->value.kind == b->value.kind && bb_value_compare(&a->value, &b->value) == 0)
			return compare_early(&a->by, fa, &b->by, fb) < 0;
		return bb_value_beats(a->rule, &a->value, &b->value);
	case BB_FOLD_SUM:
	case BB_FOLD_UNION:
		break;
	}
	return false;
}

/* `items`: facts of one attribute under its rule of today, of several records. False: nothing to
 * show. */
static bool fold_attribute(const struct bb_folding *f, struct bb_fold_from *items, size_t n,
			   struct bb_view_attribute *ret_attr)
{
	const struct bb_fact_attribute *best = NULL;
	const struct bb_fold_from *best_from = NULL;
	enum bb_fold_rule rule = ((const struct bb_fact_attribute *)items[0].fact)->rule;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) /* for `latest` an unset competes */
		if (rule == BB_FOLD_LATEST ||
		    ((const struct bb_fact_attribute *)items[i].fact)->has)
			items[kept++] = items[i];
	if (!kept)
		return false;
	if (rule == BB_FOLD_SUM || rule == BB_FOLD_UNION) {
		*ret_attr =
			rule == BB_FOLD_SUM ? fold_sum(f, items, kept) : fold_union(f, items, kept);
		return true;
	}
	for (size_t i = 0; i < kept; i++) {
		const struct bb_fact_attribute *fact = items[i].fact;

		if (!best || attribute_beats(fact, &items[i], best, best_from)) {
			best = fact;
			best_from = &items[i];
		}
	}
	*ret_attr = (struct bb_view_attribute){.value = best->value,
					       .origin = origin_of(f->fold, &best->by, best_from)};
	return best->has;
}

static int by_attribute(const void *a, const void *b)
{
	const struct bb_fact_attribute *x = ((const struct bb_fold_from *)a)->fact,
				       *y = ((const struct bb_fold_from *)b)->fact;

	return bb_fold_sign(x->name, y->name);
}

static int by_once(const void *a, const void *b)
{
	const struct bb_fold_from *fa = a, *fb = b;
	const struct bb_fact_once *x = fa->fact, *y = fb->fact;
	int d = bb_fold_sign(x->name, y->name);

	if (!d)
		d = compare_early(&x->by, fa, &y->by, fb);
	return d ? d : bb_value_order(&x->value, &y->value);
}

static int by_attribute_name(const void *a, const void *b)
{
	return bb_text_compare(((const struct bb_view_attribute *)a)->name,
			       ((const struct bb_view_attribute *)b)->name);
}

/* All facts on attributes, sorted by name; those under a rule that is not today's only say that the
 * name was set. */
static void fold_set(const struct bb_folding *f, struct bb_fold_from *sets, size_t n,
		     struct bb_view *view)
{
	for (size_t i = 0, end; i < n; i = end) {
		uint32_t id = ((const struct bb_fact_attribute *)sets[i].fact)->name;
		struct bb_text name = bb_names_text(f->fold->names, BB_NAME_ATTRIBUTE, id);
		enum bb_fold_rule rule = bb_rules_fold(f->fold->rules, name);
		size_t kept = i;

		for (end = i;
		     end < n && ((const struct bb_fact_attribute *)sets[end].fact)->name == id;
		     end++)
			if (((const struct bb_fact_attribute *)sets[end].fact)->rule == rule)
				sets[kept++] = sets[end];
		struct bb_view_attribute attr;

		if (kept > i && fold_attribute(f, &sets[i], kept - i, &attr)) {
			attr.name = name;
			view->attributes[view->attribute_n++] = attr;
		}
	}
}

static bool was_set(const uint32_t *names, size_t n, uint32_t name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (names[mid] < name)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && names[low] == name;
}

void bb_fold_attributes(const struct bb_folding *f, struct bb_view *view)
{
	struct bb_fold_from *sets = NULL, *once = NULL;
	size_t set_n = 0, set_room = 0, once_n = 0, once_room = 0;

	for (size_t r = 0; r < f->n; r++) {
		const struct bb_fold_record *from = &f->records[r];
		const struct bb_facts *facts = &from->record->facts;

		for (size_t i = 0; i < facts->attribute_n; i++)
			BB_ARENA_PUSH(f->fold->arena, sets, set_n, set_room) =
				(struct bb_fold_from){&facts->attributes[i], from->source,
						      from->trust};
		for (size_t i = 0; i < facts->once_n; i++)
			BB_ARENA_PUSH(f->fold->arena, once, once_n, once_room) =
				(struct bb_fold_from){&facts->once[i], from->source, from->trust};
	}
	if (set_n > 1)
		qsort(sets, set_n, sizeof(*sets), by_attribute);
	if (once_n > 1)
		qsort(once, once_n, sizeof(*once), by_once);
	uint32_t *names = bb_arena_alloc(f->fold->arena, set_n * sizeof(*names));

	for (size_t i = 0; i < set_n; i++)
		names[i] = ((const struct bb_fact_attribute *)sets[i].fact)->name;
	view->attributes =
		bb_arena_alloc(f->fold->arena, (set_n + once_n) * sizeof(*view->attributes));
	fold_set(f, sets, set_n, view);
	for (size_t i = 0; i < once_n; i++) {
		const struct bb_fact_once *fact = once[i].fact;

		if ((i && ((const struct bb_fact_once *)once[i - 1].fact)->name == fact->name) ||
		    was_set(names, set_n, fact->name))
			continue;
		view->attributes[view->attribute_n++] = (struct bb_view_attribute){
			bb_names_text(f->fold->names, BB_NAME_ATTRIBUTE, fact->name), fact->value,
			origin_of(f->fold, &fact->by, &once[i])};
	}
	if (view->attribute_n > 1)
		qsort(view->attributes, view->attribute_n, sizeof(*view->attributes),
		      by_attribute_name);
}
