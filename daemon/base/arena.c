/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain of blocks; the first one is being filled from its start, the others are full. A block is
 * twice as large as the one before, up to BLOCK_MAX; what does not fit into such a block gets one
 * of its own size. Reset keeps the largest ordinary block, so that a steady load allocates nothing.
 *
 * The only failure is no memory, which aborts (memory.c). With the address sanitizer the bytes that
 * are not handed out are poisoned, so that a slice which outlives its batch is found.
 */
#include <backbone/arena.h>

#include <backbone/assert.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#endif
#ifdef POISONING
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN ((size_t)16)
#define BLOCK_MIN ((size_t)4096)
#define BLOCK_MAX ((size_t)8 * 1024 * 1024)
#define GROW_MIN ((size_t)2) /* elements of a growing array at first */

struct bb_arena_block {
	struct bb_arena_block *next;
	size_t size; /* of data */
	size_t used; /* multiple of ALIGN */
	size_t padding;
	_Alignas(16) char data[];
};

void bb_arena_init(struct bb_arena *arena)
{
	*arena = (struct bb_arena){NULL, 0};
}

static void block_free(struct bb_arena *arena, struct bb_arena_block *block)
{
	arena->total_bytes -= block->size;
	ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
	free(block);
}

void bb_arena_fini(struct bb_arena *arena)
{
	struct bb_arena_block *block, *next;

	for (block = arena->head; block; block = next) {
		next = block->next;
		block_free(arena, block);
	}
	arena->head = NULL;
}

void bb_arena_reset(struct bb_arena *arena)
{
	struct bb_arena_block *keep = NULL, *block, *next;

	for (block = arena->head; block; block = block->next)
		if (block->size <= BLOCK_MAX && (!keep || block->size > keep->size))
			keep = block;
	for (block = arena->head; block; block = next) {
		next = block->next;
		if (block != keep)
			block_free(arena, block);
	}
	arena->head = keep;
	if (keep) {
		keep->next = NULL;
		keep->used = 0;
		ASAN_POISON_MEMORY_REGION(keep->data, keep->size);
	}
}

static void block_push(struct bb_arena *arena, size_t bytes)
{
	size_t size = arena->head ? 2 * arena->head->size : BLOCK_MIN;
	struct bb_arena_block *block;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < bytes)
		size = bytes;
	block = bb_memory_alloc(sizeof *block + size);
	*block = (struct bb_arena_block){.next = arena->head, .size = size};
	ASAN_POISON_MEMORY_REGION(block->data, size);
	arena->head = block;
	arena->total_bytes += size;
}

void *bb_arena_alloc(struct bb_arena *arena, size_t bytes)
{
	struct bb_arena_block *block = arena->head;
	size_t rounded = bytes ? (bytes + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
	char *p;

	bb_assert(bytes <= SIZE_MAX / 2);
	if (!block || block->size - block->used < rounded) {
		block_push(arena, rounded);
		block = arena->head;
	}
	p = block->data + block->used;
	block->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(p, bytes);
	return p;
}

void *bb_arena_zalloc(struct bb_arena *arena, size_t bytes)
{
	return memset(bb_arena_alloc(arena, bytes), 0, bytes);
}

struct bb_text bb_arena_copy(struct bb_arena *arena, struct bb_text text)
{
	char *p;

	if (!text.p) /* absent stays absent */
		return text;
	p = bb_arena_alloc(arena, text.n + 1);
	memcpy(p, text.p, text.n);
	p[text.n] = '\0';
	return (struct bb_text){p, text.n};
}

struct bb_text bb_arena_printf(struct bb_arena *arena, const char *fmt, ...)
{
	va_list args;
	char *p;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	bb_assert(n >= 0);
	p = bb_arena_alloc(arena, (size_t)n + 1);
	va_start(args, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, args);
	va_end(args);
	return (struct bb_text){p, (size_t)n};
}

void *bb_arena_grow(struct bb_arena *arena, void *items, size_t n, size_t *room, size_t item_bytes)
{
	size_t more = *room ? 2 * *room : GROW_MIN;
	void *p;

	bb_assert(item_bytes > 0 && more <= SIZE_MAX / 2 / item_bytes);
	p = bb_arena_alloc(arena, more * item_bytes);
	if (n)
		memcpy(p, items, n * item_bytes);
	*room = more;
	return p;
}
