/* SPDX-License-Identifier: Apache-2.0 */
/* A case of the simulation: rules and events, made from a seed, or what is left of it when it was
 * shrunk. */
#ifndef BB_TEST_CASE_H
#define BB_TEST_CASE_H

#include "random.h"

#include <backbone/buf.h>
#include <backbone/event.h>
#include <backbone/rules.h>

struct bb_case {
	uint64_t seed;
	bool calm;	/* people keep to themselves, limits are wide: profiles grow */
	bool own_times; /* some attributes have a time of their own, which no canonical line says */
	struct bb_rules rules;
	struct bb_event **events; /* as a connector gives them, before the gate; copies included */
	size_t n;
	size_t made_n;	       /* before it was shrunk */
	struct bb_arena arena; /* owns everything but the patterns */
	struct bb_pattern **patterns;
	size_t pattern_n;
};

/* `events` 0: 200 to 800, by the seed. */
void bb_case_make(struct bb_case *cs, uint64_t seed, size_t events);
void bb_case_fini(struct bb_case *cs);

/* case_events.c: fills cs->events; the rules are there. */
void bb_case_make_events(struct bb_case *cs, struct bb_random *random, size_t n);

/* An event of the case that may be changed without changing the case's. */
struct bb_event *bb_case_copy(const struct bb_event *ev, struct bb_arena *arena);

/* emit.c: the rules and an event as JSON, to be read by other implementations. */
void bb_emit_rules(const struct bb_rules *rules, struct bb_buf *buf);
void bb_emit_event(const struct bb_event *ev, struct bb_buf *buf);

#endif
