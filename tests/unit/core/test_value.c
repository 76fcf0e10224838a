/* SPDX-License-Identifier: Apache-2.0 */
/* The order of values, what beats what under min and max, and sets against a naive one. */
#include <facts.h>

#include <criterion/criterion.h>
#include <stdlib.h>

static struct bb_value text(const char *s)
{
	return (struct bb_value){.kind = BB_VALUE_TEXT, .text = bb_text_of(s)};
}

static struct bb_value number(const char *s)
{
	return (struct bb_value){.kind = BB_VALUE_NUMBER, .text = bb_text_of(s)};
}

static int sign(int d)
{
	return (d > 0) - (d < 0);
}

Test(core, values_are_ordered_numbers_then_texts_then_booleans)
{
	const struct bb_value list[2] = {number("1"), text("a")};
	const struct bb_value row[] = {
		number("-10"),
		number("-1"),
		number("0"),
		number("-0"),
		number("0.0"),
		number("0.5"),
		number("1"),
		number("1.0"),
		number("1e0"),
		number("9e9999"),
		text(""),
		text("-1"),
		text("A"),
		text("a"),
		{.kind = BB_VALUE_TEXT, .text = BB_TEXT("a\0b")},
		text("é"),
		text("漢"),
		text("😀"),
		{.kind = BB_VALUE_FALSE},
		{.kind = BB_VALUE_TRUE},
		{.kind = BB_VALUE_LIST},
		{.kind = BB_VALUE_LIST, .items = list, .item_n = 1},
		{.kind = BB_VALUE_LIST, .items = list, .item_n = 2},
		{.kind = BB_VALUE_LIST, .items = list + 1, .item_n = 1},
	};
	const int n = (int)(sizeof(row) / sizeof(row[0]));

	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			cr_expect_eq(sign(bb_value_order(&row[i], &row[k])), (i > k) - (i < k),
				     "%d and %d", i, k);
}

Test(core, of_equal_numbers_the_shortest_spelling_wins_min_and_max)
{
	static const struct {
		enum bb_fold_rule rule;
		const char *best, *other;
	} rows[] = {{BB_FOLD_MIN, "1", "1.0"},	 {BB_FOLD_MAX, "1", "1.0"},
		    {BB_FOLD_MIN, "0", "-0"},	 {BB_FOLD_MAX, "0", "-0"},
		    {BB_FOLD_MAX, "1E2", "1e2"}, {BB_FOLD_MIN, "1E2", "1e2"},
		    {BB_FOLD_MIN, "-2", "1"},	 {BB_FOLD_MAX, "1", "-2"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bb_value a = number(rows[i].best), b = number(rows[i].other);

		cr_expect(bb_value_beats(rows[i].rule, &a, &b), "row %zu", i);
		cr_expect(!bb_value_beats(rows[i].rule, &b, &a), "row %zu", i);
	}
	struct bb_value n = number("1"), t = text("0");

	cr_expect(bb_value_beats(BB_FOLD_MIN, &n, &t) && bb_value_beats(BB_FOLD_MAX, &n, &t));
	cr_expect(!bb_value_beats(BB_FOLD_MIN, &t, &n) && !bb_value_beats(BB_FOLD_MAX, &t, &n));
}

static struct bb_value random_value(struct bb_arena *arena, unsigned most)
{
	unsigned v = (unsigned)rand() % most;

	switch (rand() % 5) {
	case 0:
		return text(bb_arena_printf(arena, "t%05u%c", v, 0).p);
	case 1:
		return number(bb_arena_printf(arena, "%u.0%c", v, 0).p);
	case 2:
		return (struct bb_value){.kind = BB_VALUE_FALSE};
	default:
		return number(bb_arena_printf(arena, "%u%c", v, 0).p);
	}
}

static int by_value(const void *a, const void *b)
{
	return bb_value_compare(a, b);
}

/* All values sorted, each once, cut. */
static size_t naive(struct bb_value *all, size_t n)
{
	size_t kept = 0;

	qsort(all, n, sizeof(*all), by_value);
	for (size_t i = 0; i < n; i++)
		if (!kept || bb_value_compare_loose(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	return kept < BB_UNION_MAX ? kept : BB_UNION_MAX;
}

Test(core, sets_of_values_are_those_of_a_naive_union)
{
	static struct bb_value all[20000];

	for (unsigned seed = 1; seed <= 40; seed++) {
		struct bb_arena arena;
		struct bb_value_set set = {.n = 0};
		unsigned most = seed % 2 ? 30 : 3000;
		size_t n = 0;

		srand(seed);
		bb_arena_init(&arena);
		for (int step = 0; step < 20; step++) {
			struct bb_value_set other = {.n = 0};
			size_t from = n, more = (size_t)rand() % (step % 3 ? 20 : 900);

			for (size_t i = 0; i < more; i++)
				all[n++] = random_value(&arena, most);
			if (step % 4 == 0) {
				bb_value_set_add_all(&arena, &other, &all[from], more);
				bb_value_set_unite(&arena, &set, &other);
			} else {
				bb_value_set_add_all(&arena, &set, &all[from], more);
			}
		}
		size_t kept = naive(all, n);

		cr_assert_eq(set.n, kept, "seed %u: %zu, %zu", seed, set.n, kept);
		for (size_t i = 0; i < kept; i++)
			cr_assert_eq(bb_value_compare(&set.items[i], &all[i]), 0, "seed %u, %zu",
				     seed, i);
		bb_arena_fini(&arena);
	}
}

Test(core, a_set_keeps_little_memory_however_long_the_lists)
{
	struct bb_arena arena;
	struct bb_value_set set = {.n = 0};

	bb_arena_init(&arena);
	for (int i = 100000; i > 0; i--) {
		struct bb_value value = number(bb_arena_printf(&arena, "%d%c", i, 0).p);

		bb_value_set_add(&arena, &set, &value);
	}
	cr_expect_eq(set.n, BB_UNION_MAX);
	cr_expect(bb_text_equal(set.items[BB_UNION_MAX - 1].text, BB_TEXT("1000")));
	cr_expect(arena.total_bytes < 8 << 20, "%zu", arena.total_bytes);
	bb_arena_fini(&arena);
}
