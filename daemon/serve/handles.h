/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the open handles of the server, so that it is freed when the last one has closed. */
#ifndef SERVE_HANDLES_H
#define SERVE_HANDLES_H

struct bb_handles {
	unsigned open;
	void (*on_none)(void *ctx); /* set when stopping */
	void *ctx;
};

static inline void bb_handles_opened(struct bb_handles *handles)
{
	handles->open++;
}

/* May free the owner of `handles`: the last thing in a close callback. */
static inline void bb_handles_closed(struct bb_handles *handles)
{
	if (--handles->open == 0 && handles->on_none)
		handles->on_none(handles->ctx);
}

#endif
