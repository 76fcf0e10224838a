/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member checks of the gate: whether every member of an event is of the canonical form. Private
 * to `core`; what the gate changes (time, identifiers, unusable attributes) is gate.c's.
 */
#ifndef BACKBONE_CORE_GATE_CHECK_H
#define BACKBONE_CORE_GATE_CHECK_H

#include <backbone/event.h>

/* False: *ret_refusal names the member and says what is allowed. The time is checked too. */
bool bb_gate_check_event(const struct bb_event *ev, struct bb_arena *arena,
			 struct bb_refusal *ret_refusal);

#endif
