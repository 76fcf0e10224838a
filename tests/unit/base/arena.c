/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: alignment, growth, reuse after a reset. */
#include <backbone/arena.h>
#include <criterion/criterion.h>

#define BLOCK_MAX ((size_t)8 * 1024 * 1024)

Test(base, arena_aligns_and_keeps_what_it_gave)
{
	struct bb_arena arena;
	unsigned char *given[500];

	bb_arena_init(&arena);
	for (size_t i = 0; i < 500; i++) {
		given[i] = bb_arena_alloc(&arena, i);
		cr_assert_eq((uintptr_t)given[i] % 16, 0, "allocation of %zu bytes", i);
		memset(given[i], (int)(i & 255), i);
	}
	for (size_t i = 0; i < 500; i++)
		for (size_t k = 0; k < i; k++)
			cr_assert_eq(given[i][k], i & 255, "byte %zu of %zu", k, i);
	cr_assert_gt(arena.total_bytes, 500 * 250);
	bb_arena_fini(&arena);
	cr_assert_eq(arena.total_bytes, 0);
	cr_assert_null(arena.head);
}

Test(base, arena_zeroes_reused_memory)
{
	struct bb_arena arena;
	unsigned char *p;

	bb_arena_init(&arena);
	memset(bb_arena_alloc(&arena, 1000), 0xff, 1000);
	bb_arena_reset(&arena);
	p = bb_arena_zalloc(&arena, 1000);
	for (size_t i = 0; i < 1000; i++)
		cr_assert_eq(p[i], 0, "byte %zu", i);
	bb_arena_fini(&arena);
}

Test(base, arena_keeps_one_block_after_reset)
{
	struct bb_arena arena;
	size_t steady;

	bb_arena_init(&arena);
	for (size_t round = 0; round < 3; round++) {
		for (size_t i = 0; i < 100; i++)
			bb_arena_alloc(&arena, 5000);
		bb_arena_reset(&arena);
	}
	steady = arena.total_bytes;
	cr_assert_geq(steady, 250000);
	bb_arena_alloc(&arena, steady);
	cr_assert_eq(arena.total_bytes, steady, "the kept block is used again, whole");
	bb_arena_fini(&arena);
}

Test(base, arena_gives_back_what_is_larger_than_a_block)
{
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_arena_alloc(&arena, 10);
	memset(bb_arena_alloc(&arena, BLOCK_MAX + 1), 1, BLOCK_MAX + 1);
	cr_assert_gt(arena.total_bytes, BLOCK_MAX);
	bb_arena_reset(&arena);
	cr_assert_leq(arena.total_bytes, BLOCK_MAX);
	bb_arena_fini(&arena);
}

Test(base, arena_reset_and_fini_of_an_empty_one)
{
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_arena_reset(&arena);
	bb_arena_fini(&arena);
	cr_assert_null(arena.head);
}

Test(base, arena_copies_text_with_a_terminator)
{
	struct bb_arena arena;
	struct bb_text copy, none, empty;

	bb_arena_init(&arena);
	copy = bb_arena_copy(&arena, bb_text_bytes("a\0b+", 3));
	cr_assert(bb_text_equal(copy, bb_text_bytes("a\0b", 3)));
	cr_assert_eq(copy.p[3], '\0');
	none = bb_arena_copy(&arena, (struct bb_text){NULL, 0});
	cr_assert_null(none.p, "absent stays absent");
	empty = bb_arena_copy(&arena, BB_TEXT(""));
	cr_assert_not_null(empty.p, "empty stays present");
	cr_assert_eq(empty.n, 0);
	bb_arena_fini(&arena);
}

Test(base, arena_prints)
{
	struct bb_arena arena;
	struct bb_text text;

	bb_arena_init(&arena);
	text = bb_arena_printf(&arena, "%s-%d-%0200d", "x", 42, 7);
	cr_assert_eq(text.n, 205);
	cr_assert_eq(strlen(text.p), 205);
	cr_assert_eq(memcmp(text.p, "x-42-000", 8), 0);
	bb_arena_fini(&arena);
}

Test(base, arena_pushes)
{
	struct bb_arena arena;
	uint64_t *items = NULL;
	size_t n = 0, room = 0;

	bb_arena_init(&arena);
	for (uint64_t i = 0; i < 1000; i++)
		BB_ARENA_PUSH(&arena, items, n, room) = i * i;
	cr_assert_eq(n, 1000);
	for (uint64_t i = 0; i < 1000; i++)
		cr_assert_eq(items[i], i * i, "item %llu", (unsigned long long)i);
	bb_arena_fini(&arena);
}
