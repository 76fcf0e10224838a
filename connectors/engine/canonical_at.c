/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Own times of the attributes of a canonical event: `attributes_at` and `attributes_once_at` name
 * attributes and say since when their values hold, in RFC 3339 with a zone.
 *
 * They are not part of what an event must be: one that cannot be read is left out with a warning,
 * and the value counts from the time of its event.
 */
#include <backbone/clock.h>

#include "run.h"

static void read_own_time(const struct bb_json *doc, const struct bb_json_node *node,
			  const char *member, struct bb_attribute *attribute, struct bb_event *ev,
			  struct bb_arena *arena)
{
	struct bb_warning warning = {.code = BB_TEXT("time_invalid")};
	struct bb_found_value value;

	bb_eval_node(doc, node, &value);
	if (value.kind == BB_FOUND_NOTHING ||
	    (value.kind == BB_FOUND_TEXT && bb_clock_parse_rfc3339(value.text, &attribute->at_ms)))
		return;
	attribute->at_ms = BB_AT_EVENT;
	warning.at = bb_arena_printf(arena, "%s.%.*s", member, (int)attribute->name.n,
				     attribute->name.p);
	warning.value = bb_arena_copy(arena, value.text);
	BB_ARENA_PUSH(arena, ev->warnings, ev->warning_n, ev->warning_room) = warning;
}

void bb_canonical_own_times(const struct bb_json *doc, struct bb_event *ev, struct bb_arena *arena)
{
	const struct {
		const char *times, *member;
		struct bb_attribute *attributes;
		size_t n;
	} lists[] = {
		{"attributes_at", "attributes", ev->attributes, ev->attribute_n},
		{"attributes_once_at", "attributes_once", ev->once, ev->once_n},
	};
	const struct bb_json_node *root = bb_json_root(doc), *map;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		map = bb_json_member(doc, root, bb_text_of(lists[i].times));
		if (!map || bb_json_kind(doc, map) != BB_JSON_MAP)
			continue;
		for (size_t k = 0; k < lists[i].n; k++)
			read_own_time(doc, bb_json_member(doc, map, lists[i].attributes[k].name),
				      lists[i].member, &lists[i].attributes[k], ev, arena);
	}
}
