/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate between connectors and core: decides whether an event is canonical (`valid` of view.md
 * §1), settles its time, makes its identifiers canonical. Pure; used by ingest and by `backbonectl
 * try` alike.
 */
#ifndef BACKBONE_GATE_H
#define BACKBONE_GATE_H

#include <backbone/event.h>
#include <backbone/rules.h>

enum bb_gate_result { BB_GATE_PASS, BB_GATE_NO_IDENTIFIER, BB_GATE_REFUSED };

/*
 * In place. In this order: time (max_future, min_time, none: the log's with a warning; without a
 * log time the event's own is kept), then the member checks, then identifiers: unknown namespaces
 * and values that are not canonical are dropped with a warning (`optional` ones without); derived
 * ones are added; those of `same` are added to `identifiers`; equal ones become one; `ns_index` and
 * `blocked` are set (a blocked one stays, with a warning). A `same` pair of which an end was
 * dropped goes. Then sorted by strength, then bytes of the value. Attributes: null is not
 * representable; empty text and empty lists are dropped. Absent channel becomes `other`.
 *
 * PASS: at least one identifier, or an amount with a key. REFUSED: *ret_refusal says why.
 */
enum bb_gate_result bb_gate(const struct bb_rules *rules, struct bb_event *ev,
			    struct bb_arena *arena, struct bb_refusal *ret_refusal);

/* What becomes of one identifier: the canonical one, and behind it those derived of it. Returns how
 * many; 0: its namespace is unknown, or it is not canonical. */
#define BB_GATE_FORMS_MAX 8
size_t bb_gate_forms(const struct bb_rules *rules, const struct bb_identifier *given,
		     struct bb_arena *arena, struct bb_identifier out[BB_GATE_FORMS_MAX]);

/* Of a look-up: `ns:value` made canonical. False: no such namespace, or not canonical. */
bool bb_gate_key(const struct bb_rules *rules, struct bb_text key, struct bb_arena *arena,
		 struct bb_identifier *ret_id);

#endif
