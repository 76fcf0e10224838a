/* SPDX-License-Identifier: Apache-2.0 */
/* The only two calls of the heap in this module. Out of memory aborts with a line in the log. */
#ifndef BB_MEMORY_H
#define BB_MEMORY_H

#include <stddef.h>

void *bb_memory_alloc(size_t bytes) __attribute__((returns_nonnull));
void *bb_memory_grow(void *p, size_t bytes) __attribute__((returns_nonnull));

#endif
