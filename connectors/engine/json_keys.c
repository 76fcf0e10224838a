/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that come twice in one map. A few bits a map say of most keys at once that they are new
 * there; only the others are compared, their tags first. In a map of very many members the bits are
 * all set, so it is sorted when it closes: no choice of keys makes that slow.
 *
 * A key that comes twice is no failure yet: what is not JSON at all comes first, wherever it is. So
 * the first offset is kept for the end of the document.
 */
#include "json_keys.h"

#include <stdlib.h>

struct sorted {
	struct bb_text name;
	uint32_t place;
};

static void found_twice(struct bb_json_keys *keys, size_t place)
{
	if (keys->items[place].offset < keys->duplicate)
		keys->duplicate = keys->items[place].offset;
}

void bb_json_keys_compare(struct bb_json_keys *keys, const struct bb_json_key_set *set)
{
	const struct bb_json_key *items = keys->items;
	size_t last = keys->n - 1;

	if (last - set->first > BB_JSON_MAP_LARGE)
		return; /* it will be sorted */
	for (size_t i = set->first; i < last; i++)
		if (items[i].tag == items[last].tag &&
		    bb_text_equal(items[i].name, items[last].name))
			found_twice(keys, last);
}

int bb_json_keys_order(struct bb_text a, struct bb_text b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static int compare(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	int d = bb_json_keys_order(x->name, y->name);

	return d ? d : (x->place > y->place) - (x->place < y->place);
}

void bb_json_keys_sort(struct bb_json_keys *keys, const struct bb_json_key_set *set,
		       uint32_t *order)
{
	size_t n = keys->n - set->first;
	struct sorted *sorted = bb_arena_alloc(keys->arena, n * sizeof(*sorted));

	for (size_t i = 0; i < n; i++)
		sorted[i] = (struct sorted){keys->items[set->first + i].name, (uint32_t)i};
	qsort(sorted, n, sizeof(*sorted), compare);
	for (size_t i = 0; i < n; i++) {
		if (order)
			order[i] = sorted[i].place;
		if (i > 0 && bb_text_equal(sorted[i].name, sorted[i - 1].name))
			found_twice(keys, set->first + sorted[i].place);
	}
}
