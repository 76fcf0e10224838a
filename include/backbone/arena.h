/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bump allocation for things that die together: one arena a batch, one a look-up. Nothing is freed
 * alone. Out of memory aborts (inputs are bounded; a restart replays). Not shared between threads.
 */
#ifndef BACKBONE_ARENA_H
#define BACKBONE_ARENA_H

#include <backbone/text.h>

struct bb_arena_block;

struct bb_arena {
	struct bb_arena_block *head; /* the block that is being filled; NULL at first */
	size_t total_bytes;	     /* of all blocks */
};

void bb_arena_init(struct bb_arena *arena);
void bb_arena_fini(struct bb_arena *arena);

/* Forgets everything allocated; keeps one block for reuse. */
void bb_arena_reset(struct bb_arena *arena);

/* 16-byte aligned; never NULL. `bb_arena_zalloc` is zeroed. A size of 0 gives a valid pointer. */
void *bb_arena_alloc(struct bb_arena *arena, size_t bytes) __attribute__((returns_nonnull));
void *bb_arena_zalloc(struct bb_arena *arena, size_t bytes) __attribute__((returns_nonnull));

struct bb_text bb_arena_copy(struct bb_arena *arena, struct bb_text text);
struct bb_text bb_arena_printf(struct bb_arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Room for one more element in a growing array of the arena. Use:
 *	BB_ARENA_PUSH(arena, list->items, list->n, list->room) = item;
 */
void *bb_arena_grow(struct bb_arena *arena, void *items, size_t n, size_t *room, size_t item_bytes);

#define BB_ARENA_PUSH(arena, items, n, room)                                                       \
	(*((n) == (room)                                                                           \
		   ? ((items) = bb_arena_grow((arena), (items), (n), &(room), sizeof *(items)))    \
		   : (items),                                                                      \
	   &(items)[(n)++]))

#endif
