/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive model: what the views must be, computed from the whole set of events at once, with
 * nothing kept between calls and no care for speed. The judge of `core`; it shares no code with it
 * but text, arenas, the keyed hash, block patterns and the writing of times.
 */
#ifndef BB_TEST_MODEL_H
#define BB_TEST_MODEL_H

#include <backbone/event.h>
#include <backbone/rules.h>

struct bb_model_views {
	struct bb_text *lines; /* JSON, one a profile, sorted by profile id; no line feeds */
	size_t n;
};

/*
 * The views of a set of events, in any order, copies included. Events are canonical, before the
 * gate or behind it. Everything returned lives in `arena`.
 */
struct bb_model_views bb_model_views(const struct bb_rules *rules,
				     const struct bb_event *const *events, size_t n,
				     struct bb_arena *arena);

/* How many events count: valid, named once, with an identifier or an amount that has a key. */
size_t bb_model_count(const struct bb_rules *rules, const struct bb_event *const *events, size_t n,
		      struct bb_arena *arena);

#endif
