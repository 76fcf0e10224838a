/* SPDX-License-Identifier: Apache-2.0 */
/* Attribute values: their order (view.md §2), what the rules min, max and union make of them, and
 * JSON. */
#include "facts.h"

#include <stdlib.h>

#define FEW_VALUES 8
#define MANY_VALUES 64

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

static int compare_lists(const struct bb_value *a, const struct bb_value *b)
{
	int d = 0;

	for (size_t i = 0; !d && i < a->item_n && i < b->item_n; i++)
		d = bb_value_compare(&a->items[i], &b->items[i]);
	return d ? d : (a->item_n > b->item_n) - (a->item_n < b->item_n);
}

int bb_value_order(const struct bb_value *a, const struct bb_value *b)
{
	bool lists[] = {a->kind == BB_VALUE_LIST, b->kind == BB_VALUE_LIST};

	if (lists[0] != lists[1])
		return lists[0] ? 1 : -1;
	return lists[0] ? compare_lists(a, b) : bb_value_compare(a, b);
}

/* The place of a value, or of one that is equal but for its spelling. */
static size_t place_of(const struct bb_value_set *set, const struct bb_value *value)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (bb_value_compare_loose(&set->items[mid], value) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void bb_value_set_add(struct bb_arena *arena, struct bb_value_set *set,
		      const struct bb_value *value)
{
	size_t at = place_of(set, value);

	if (at >= BB_UNION_MAX)
		return;
	if (at < set->n && bb_value_compare_loose(&set->items[at], value) == 0) {
		if (bb_value_compare(value, &set->items[at]) < 0)
			set->items[at] = *value;
		return;
	}
	if (set->n < BB_UNION_MAX)
		(void)BB_ARENA_PUSH(arena, set->items, set->n, set->room);
	memmove(&set->items[at + 1], &set->items[at], (set->n - at - 1) * sizeof(*set->items));
	set->items[at] = *value;
}

/* Merges two sorted lists into a new one. */
static void merge(struct bb_arena *arena, struct bb_value_set *set,
		  const struct bb_value_set *other)
{
	size_t i = 0, j = 0, n = 0, most = set->n + other->n;
	size_t room = most < BB_UNION_MAX ? most : BB_UNION_MAX;
	struct bb_value *out = bb_arena_alloc(arena, room * sizeof(*out));

	while ((i < set->n || j < other->n) && n < room) {
		bool left = i < set->n && (j == other->n ||
					   bb_value_compare(&set->items[i], &other->items[j]) <= 0);
		const struct bb_value *next = left ? &set->items[i++] : &other->items[j++];

		if (!n || bb_value_compare_loose(&out[n - 1], next) != 0)
			out[n++] = *next;
	}
	*set = (struct bb_value_set){out, n, room};
}

void bb_value_set_unite(struct bb_arena *arena, struct bb_value_set *set,
			const struct bb_value_set *other)
{
	if (other->n > FEW_VALUES) {
		merge(arena, set, other);
		return;
	}
	for (size_t i = 0; i < other->n; i++)
		bb_value_set_add(arena, set, &other->items[i]);
}

static int by_value(const void *a, const void *b)
{
	return bb_value_compare(a, b);
}

void bb_value_set_add_all(struct bb_arena *arena, struct bb_value_set *set,
			  const struct bb_value *items, size_t n)
{
	const struct bb_value *next = items;

	if (n > MANY_VALUES) { /* smallest first: what is behind a full set is not looked at */
		struct bb_value *sorted = bb_arena_alloc(arena, n * sizeof(*sorted));

		memcpy(sorted, items, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), by_value);
		next = sorted;
	}
	for (size_t i = 0; i < n; i++)
		bb_value_set_add(arena, set, &next[i]);
}

void bb_value_json(const struct bb_value *value, struct bb_buf *buf)
{
	switch (value->kind) {
	case BB_VALUE_TEXT:
		bb_buf_json(buf, value->text);
		break;
	case BB_VALUE_NUMBER:
		bb_buf_text(buf, value->text);
		break;
	case BB_VALUE_FALSE:
		bb_buf_text(buf, BB_TEXT("false"));
		break;
	case BB_VALUE_TRUE:
		bb_buf_text(buf, BB_TEXT("true"));
		break;
	case BB_VALUE_LIST:
		bb_buf_byte(buf, '[');
		for (size_t i = 0; i < value->item_n; i++) {
			if (i)
				bb_buf_byte(buf, ',');
			bb_value_json(&value->items[i], buf);
		}
		bb_buf_byte(buf, ']');
		break;
	}
}
