/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why an event is as it is: what a connector tried on a message, told while it runs. For people
 * who write connectors; what comes out is that of bb_connector_run.
 */
#ifndef BACKBONE_TRACE_H
#define BACKBONE_TRACE_H

#include <backbone/connector.h>

enum bb_tried {
	BB_TRIED_TAKEN,
	BB_TRIED_ABSENT,
	BB_TRIED_NULL,
	BB_TRIED_BLANK,
	BB_TRIED_EMPTY,	     /* a list without elements */
	BB_TRIED_NOT_SINGLE, /* a list or an object where one value is due */
	BB_TRIED_NOT_WHOLE,  /* a template of which a part is not usable */
	BB_TRIED_NOT_ASKED,  /* an earlier source won */
	BB_TRIED_NO_FACT     /* the value of a consent is in neither list */
};

/* One source of a key. Texts live until the callback returns. */
struct bb_trace_source {
	struct bb_text path; /* of the key: events[0].identify[1].from */
	unsigned line, column;
	struct bb_text source; /* as written; of a map its first key */
	enum bb_tried outcome;
	struct bb_text value;  /* TAKEN: what an event gets of it; p NULL: a list or an object */
	struct bb_text sought; /* ABSENT: what was not found in a list or an object; or p NULL */
};

/* One rule on one element. */
struct bb_trace_rule {
	size_t rule;		/* of `events`, from 0 */
	struct bb_text name;	/* p NULL: it has none */
	struct bb_text element; /* index path; empty: the whole message */
	bool taken;
	/* The condition that kept it from the element, or an `each` that leads to none; path.p
	 * NULL: there is nothing to open. */
	struct bb_text path;
	unsigned line;
	struct bb_text found;  /* the single value there; p NULL: there is none, but .. */
	struct bb_text there;  /* .. an object, a list; p NULL: nothing usable */
	struct bb_text wanted; /* words, at most three; p NULL: it is about being there at all */
	bool must_be_there;    /* without `wanted` */
};

struct bb_trace {
	void (*source)(void *ctx, const struct bb_trace_source *source);
	void (*rule)(void *ctx, const struct bb_trace_rule *rule);
	void *ctx;
};

/* As bb_connector_run. Each rule is told before its sources. Canonical events have no sources. */
void bb_connector_trace(const struct bb_connector *connector, const struct bb_message *msg,
			struct bb_arena *arena, const struct bb_trace *trace,
			struct bb_extraction *ret_extraction);

/* absent, null, blank, ... */
const char *bb_trace_text(enum bb_tried outcome);

#endif
