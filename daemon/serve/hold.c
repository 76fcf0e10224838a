/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sum, and the most that it was. Buffers that are freed stay with the allocator, which has no
 * reason to think that another burst of slow clients will not come; so once one is over, it is told
 * to give back what it can. That walks its free lists: some milliseconds after a burst of 64 MiB,
 * which is why it is done once a burst and not with every buffer. Nothing here fails.
 */
#include "hold.h"

#include <backbone/clock.h>
#include <backbone/log.h>
#include <malloc.h>

void bb_hold_set(struct bb_holds *holds, size_t *hold, size_t bytes)
{
	holds->bytes += bytes - *hold;
	*hold = bytes;
	if (holds->bytes > holds->peak_bytes)
		holds->peak_bytes = holds->bytes;
}

void bb_hold_free_empty(struct bb_buf *const buffers[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (buffers[i]->n == 0)
			bb_buf_fini(buffers[i]);
}

bool bb_holds_calm(struct bb_holds *holds)
{
	uint64_t start_ns;

	if (holds->peak_bytes < BB_HOLD_BURST_BYTES || holds->bytes > BB_HOLD_CALM_BYTES)
		return false;
	start_ns = bb_clock_monotonic_ns();
	malloc_trim(0);
	bb_log(BB_LOG_INFO, "memory_given_back", "peak_bytes=%zu took_us=%llu", holds->peak_bytes,
	       (unsigned long long)((bb_clock_monotonic_ns() - start_ns) / 1000));
	holds->peak_bytes = holds->bytes;
	return true;
}
