/* SPDX-License-Identifier: Apache-2.0 */
/* The order of attribute values (view.md §2) and what the rules min, max and union make of them. */
#include "facts.h"

/* Numbers, then texts, then booleans. */
static int class_of(const struct bb_value *value)
{
	return value->kind == BB_VALUE_NUMBER ? 0 : value->kind == BB_VALUE_TEXT ? 1 : 2;
}

int bb_value_compare_loose(const struct bb_value *a, const struct bb_value *b)
{
	int class = class_of(a), d = class - class_of(b);

	if (d)
		return d;
	if (class == 0)
		return bb_number_compare(a->text, b->text);
	if (class == 1)
		return bb_text_compare(a->text, b->text);
	return (a->kind == BB_VALUE_TRUE) - (b->kind == BB_VALUE_TRUE);
}

/* Of numbers that are equal: the shortest, then bytes. */
static int compare_spelling(const struct bb_value *a, const struct bb_value *b)
{
	if (a->text.n != b->text.n)
		return a->text.n < b->text.n ? -1 : 1;
	return bb_text_compare(a->text, b->text);
}

int bb_value_compare(const struct bb_value *a, const struct bb_value *b)
{
	int d = bb_value_compare_loose(a, b);

	return d || a->kind != BB_VALUE_NUMBER ? d : compare_spelling(a, b);
}

bool bb_value_beats(enum bb_fold_rule rule, const struct bb_value *a, const struct bb_value *b)
{
	int d;

	if (a->kind != b->kind)
		return a->kind == BB_VALUE_NUMBER;
	d = bb_value_compare_loose(a, b);
	if (d)
		return rule == BB_FOLD_MIN ? d < 0 : d > 0;
	return bb_value_compare(a, b) < 0;
}

void bb_value_unite(struct bb_arena *arena, struct bb_value *into, const struct bb_value *other)
{
	size_t i = 0, j = 0, n = 0, most = into->item_n + other->item_n;
	struct bb_value *out = bb_arena_alloc(arena, most * sizeof(*out));

	while ((i < into->item_n || j < other->item_n) && n < BB_UNION_MAX) {
		bool left = i < into->item_n &&
			    (j == other->item_n ||
			     bb_value_compare(&into->items[i], &other->items[j]) <= 0);
		const struct bb_value *next = left ? &into->items[i++] : &other->items[j++];

		if (!n || bb_value_compare_loose(&out[n - 1], next) != 0)
			out[n++] = *next;
	}
	into->kind = BB_VALUE_LIST;
	into->items = out;
	into->item_n = n;
}

struct bb_value bb_value_copy(struct bb_arena *arena, const struct bb_value *value)
{
	struct bb_value copy = {.kind = value->kind, .item_n = value->item_n};

	if (value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER)
		copy.text = bb_arena_copy(arena, value->text);
	if (value->item_n) {
		struct bb_value *items = bb_arena_alloc(arena, value->item_n * sizeof(*items));

		for (size_t i = 0; i < value->item_n; i++)
			items[i] = bb_value_copy(arena, &value->items[i]);
		copy.items = items;
	}
	return copy;
}
