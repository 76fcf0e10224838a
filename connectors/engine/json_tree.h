/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a document is in memory: nodes that point into its bytes, or into the arena. Private to the
 * engine; others see them through json.h.
 */
#ifndef BB_JSON_TREE_H
#define BB_JSON_TREE_H

#include <backbone/json.h>

#include "project.h"

struct bb_json_node {
	const void *p; /* TEXT, NUMBER: bytes; LIST: nodes, or the slots of the first element; MAP:
			  members */
	uint32_t n;    /* bytes; items; members */
	uint8_t type;  /* 0: not there; else 1 + enum bb_json_kind */
	bool bare;     /* LIST, MAP: only their size was asked for; p NULL */
};

/* Of a map n of these; behind them, where n is above BB_JSON_MAP_LARGE, their n places (uint32_t)
 * in the order of their keys. */
struct bb_json_member {
	struct bb_text key;
	struct bb_json_node value;
};

/* What a projection keeps of the message, or of one element of what is walked. */
struct bb_slots {
	struct bb_slots *next; /* element; NULL: the last */
	struct bb_text member; /* its name in an object; p NULL: it is in a list */
	struct bb_json_node at[];
};

struct bb_json {
	struct bb_arena arena; /* of its own, or empty */
	struct bb_json_node root;
};

/*
 * json_read.c. The whole document, nodes in the arena; they borrow from `bytes`. False: refused,
 * with reason and byte offset.
 */
bool bb_json_read_tree(struct bb_text bytes, struct bb_arena *arena, struct bb_json_node *ret_root,
		       struct bb_refusal *ret_refusal);

/* Of the document only what the projection keeps; the root without what is in it. */
bool bb_json_read_slots(struct bb_text bytes, const struct bb_shape *shape, struct bb_arena *arena,
			struct bb_json_node *ret_root, struct bb_slots **ret_slots,
			struct bb_refusal *ret_refusal);

#endif
