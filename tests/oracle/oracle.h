/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of documents once more, made another way: a strict pass (json_scan.c), then jansson's
 * tree. What the engine's reader must agree with on every input: values, reasons, byte offsets.
 */
#ifndef BB_TESTS_ORACLE_H
#define BB_TESTS_ORACLE_H

#include <backbone/json.h>

/* As bb_json_read_tree; the nodes borrow from `bytes` and the arena. */
bool oracle_read(struct bb_text bytes, struct bb_arena *arena, struct bb_json_node *ret_root,
		 struct bb_refusal *ret_refusal);

#endif
