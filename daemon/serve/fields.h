/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view as flat fields, for HGETALL, HGET and HMGET: attributes under their names, and of the rest
 * `_profile`, `_events`, `_first_seen`, `_last_seen`, `_identifiers.<namespace>`,
 * `_channels.<channel>`, `_activity.<type>`, `_revenue.<currency>`, `_consent.<purpose>:<channel>`.
 * An attribute whose name begins with `_` is shown with one more.
 */
#ifndef SERVE_FIELDS_H
#define SERVE_FIELDS_H

#include <backbone/view.h>

struct bb_field {
	struct bb_text prefix, name; /* the field's name is the one behind the other */
	struct bb_text value;
};

struct bb_fields {
	struct bb_field *items;
	size_t n, room;
};

/* Slices are of the view and of the arena. */
void bb_fields_of(const struct bb_view *view, struct bb_arena *arena, struct bb_fields *ret_fields);

/* <0, 0, >0: the field's name against `name`, by bytes. */
int bb_field_compare(const struct bb_field *field, struct bb_text name);

#endif
