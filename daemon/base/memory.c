/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory or nothing. Every input is bounded and a restart replays what was not committed, so there
 * is no useful way to go on without memory: the process says how much it wanted and aborts.
 */
#include "memory.h"

#include <backbone/log.h>

#include <stdlib.h>

static void *check(void *p, size_t bytes)
{
	if (!p) {
		bb_log(BB_LOG_ERROR, "out_of_memory", "wanted_bytes=%zu", bytes);
		abort();
	}
	return p;
}

void *bb_memory_alloc(size_t bytes)
{
	return check(malloc(bytes ? bytes : 1), bytes);
}

void *bb_memory_grow(void *p, size_t bytes)
{
	return check(realloc(p, bytes ? bytes : 1), bytes);
}
