/* SPDX-License-Identifier: Apache-2.0 */
/* A case of the simulation: rules, and events, rulings, erasures and a change of the rules, made
 * from a seed, or what is left of it when it was shrunk. */
#ifndef BB_TEST_CASE_H
#define BB_TEST_CASE_H

#include "model.h"
#include "random.h"

#include <backbone/buf.h>
#include <backbone/erasure.h>
#include <backbone/event.h>
#include <backbone/rules.h>
#include <backbone/ruling.h>

#define BB_CASE_MIXED_FROM 10001 /* the first seed with more than events */

enum bb_step_kind { BB_STEP_EVENT, BB_STEP_RULING, BB_STEP_ERASE, BB_STEP_CHANGE };

struct bb_step {
	enum bb_step_kind kind;
	size_t mark;		  /* its place when the case was made: what order depends on */
	struct bb_event *ev;	  /* as a connector gives it, before the gate; copies included */
	struct bb_ruling *ruling; /* before its check */
	struct bb_erasure *order; /* CHANGE has none: the rules are `later` */
};

/* What a mixed case goes without. */
struct bb_case_options {
	size_t events; /* 0: by the seed */
	bool no_rulings, no_erasures, no_change;
};

struct bb_case {
	uint64_t seed;
	bool calm;	/* people keep to themselves, limits are wide: profiles grow */
	bool own_times; /* some attributes have a time of their own, which no canonical line says */
	bool mixed;	/* not only events */
	bool erases;	/* so the order in a partition matters */
	bool forms;	/* values are spelled in several ways, and normalised */
	bool dated;	/* what comes is another under the later rules: the order matters */
	struct bb_rules rules, later;
	struct bb_step *steps;
	size_t n;
	size_t made_n;	       /* before it was shrunk */
	struct bb_arena arena; /* owns everything but the patterns */
	struct bb_pattern **patterns;
	size_t pattern_n;
};

void bb_case_make(struct bb_case *cs, uint64_t seed, const struct bb_case_options *options);
void bb_case_fini(struct bb_case *cs);

#define BB_CASE_BASE_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z: no event is earlier */

/* case_events.c: fills cs->steps with events; the rules are there. Returns how many hours they
 * span. */
size_t bb_case_make_events(struct bb_case *cs, struct bb_random *random, size_t n);
struct bb_identifier bb_case_odd_identifier(struct bb_random *random, const char *ns);

/* case_orders.c: puts rulings, erasures and the change between the events. */
void bb_case_make_orders(struct bb_case *cs, struct bb_random *random, size_t hours,
			 const struct bb_case_options *options);

/* An event of the case that may be changed without changing the case's. */
struct bb_event *bb_case_copy(const struct bb_event *ev, struct bb_arena *arena);

/* Whether two events have one name. */
bool bb_case_same_name(const struct bb_event *a, const struct bb_event *b);

/* emit.c, emit_orders.c: rules and lines as JSON, to be read by other implementations. */
void bb_emit_rules(const struct bb_rules *rules, struct bb_buf *buf);
void bb_emit_event(const struct bb_event *ev, struct bb_buf *buf);
void bb_emit_identifier(struct bb_buf *buf, const struct bb_identifier *id);
void bb_emit_ruling(const struct bb_ruling *ruling, struct bb_buf *buf);
void bb_emit_erasure(const struct bb_model_erasure *erasure, struct bb_buf *buf);
void bb_emit_order(const struct bb_erasure *order, struct bb_buf *buf);

#endif
