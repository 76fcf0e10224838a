/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a run share. Private to the engine. */
#ifndef BB_RUN_H
#define BB_RUN_H

#include <backbone/json.h>

#include "plan.h"

/* Adds an item to the extraction. */
void bb_run_refuse(struct bb_extraction *extraction, struct bb_arena *arena,
		   const struct bb_refusal *refusal);
void bb_run_emit(struct bb_extraction *extraction, struct bb_arena *arena, struct bb_event *ev);

/* A canonical event (view: `format: canonical`): exactly one item. */
void bb_canonical_run(const struct bb_message *msg, struct bb_arena *arena,
		      struct bb_extraction *extraction);

/*
 * A text, number, boolean or flat list of these as an attribute's value; texts are copied. False:
 * it is something else (null, an object, a list that holds these).
 */
bool bb_canonical_value(const struct bb_json *doc, const struct bb_json_node *node,
			struct bb_arena *arena, struct bb_value *ret_value);

/* A new event with what it has from the message: position and log time. */
struct bb_event *bb_run_event(const struct bb_message *msg, struct bb_arena *arena);

#endif
