/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What made identifiers of what came, at one time (identity.md §8): the namespaces in their order,
 * how each normalises and what it derives. META has the list of all that a store has had, the
 * oldest first, the one of now last: what tombstones name may have been made by any of them.
 *
 * A *lane* is an event as it was, or would have been, under one of them.
 */
#ifndef BB_CORE_FORMS_H
#define BB_CORE_FORMS_H

#include <backbone/event.h>
#include <backbone/hash.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

#define BB_FORMS_KEY BB_TEXT("forms") /* in META */

struct bb_forms {
	struct bb_rules
		*items; /* all but that of now: no more of them is filled than counts here */
	size_t n;
	struct bb_text bytes; /* the row that this was read from */
	struct bb_arena arena;
	struct bb_pattern **patterns;
	size_t pattern_n, pattern_room;
};

void bb_forms_init(struct bb_forms *forms);
void bb_forms_fini(struct bb_forms *forms);

/* The rules of now are the last of the list of the store. BB_OK, BB_ECORRUPT or its error. */
BB_MUST_CHECK int bb_forms_note(struct bb_kv *kv, const struct bb_rules *rules);

/* Reads the list of the store, unless it is the one that was read last. */
BB_MUST_CHECK int bb_forms_load(struct bb_forms *forms, struct bb_kv *kv,
				const struct bb_rules *rules);

/* The list of `from`, and behind it what `to` has. */
BB_MUST_CHECK int bb_forms_carry(struct bb_kv *from, struct bb_kv *to);

struct bb_lane_id {
	struct bb_identifier id; /* ns_index: of the lane's rules */
	struct bb_hash hash;
	uint32_t now; /* which identifiers of the event came of the same, in the same namespace */
};

struct bb_lane {
	const struct bb_rules *rules;
	size_t at; /* in the list */
	struct bb_lane_id ids[BB_EVENT_IDENTIFIERS_MAX];
	size_t n;
};

/* One for each of the list under which the event would have counted, and one for the rules of now:
 * what the store of then had is not what is left of an event that comes after. */
struct bb_lane **bb_forms_lanes(const struct bb_forms *forms, const struct bb_rules *now,
				const struct bb_event *ev, struct bb_arena *arena, size_t *ret_n);

#endif
