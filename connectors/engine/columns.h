/* SPDX-License-Identifier: Apache-2.0 */
/* Records of fields: tsv, csv. Private to the engine. */
#ifndef BB_COLUMNS_H
#define BB_COLUMNS_H

#include "plan.h"

struct bb_fields {
	struct bb_text *items;
	size_t n, room;
};

struct bb_record {
	struct bb_fields fields;
	struct bb_fields names; /* of the heading; none: the connector has them */
	size_t column_n;
};

/* False: refused. */
bool bb_columns_read(const struct bb_connector *connector, const struct bb_message *msg,
		     struct bb_arena *arena, struct bb_record *ret_record,
		     struct bb_refusal *ret_refusal);

/* The field of a path; p NULL: the heading has no such column. */
struct bb_text bb_columns_find(const struct bb_record *record, const struct bb_path *path);

/* The record again, in quotes what needs them. */
void bb_columns_write(const struct bb_connector *connector, const struct bb_record *record,
		      struct bb_buf *buf);

#endif
