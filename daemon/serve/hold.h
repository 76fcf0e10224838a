/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much the clients hold, all together: replies that they have not read and requests that are
 * not complete. One thread.
 */
#ifndef SERVE_HOLD_H
#define SERVE_HOLD_H

#include <backbone/buf.h>
#include <stdbool.h>

#define BB_HOLD_BURST_BYTES ((size_t)8 * 1024 * 1024)
#define BB_HOLD_CALM_BYTES (BB_HOLD_BURST_BYTES / 8)

struct bb_holds {
	size_t bytes, peak_bytes; /* now; the most since memory was given back */
};

/* A client holds `bytes` now; *hold, what it held until now, is its part of the sum. */
void bb_hold_set(struct bb_holds *holds, size_t *hold, size_t bytes);

/* Frees those of the buffers that hold nothing: of a client that is silent. */
void bb_hold_free_empty(struct bb_buf *const buffers[], size_t n);

/* After a burst (BB_HOLD_BURST_BYTES) of which little is left (BB_HOLD_CALM_BYTES) gives the freed
 * memory back to the system, once; true: it did. */
bool bb_holds_calm(struct bb_holds *holds);

#endif
