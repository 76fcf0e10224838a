/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of documents once more, made another way: a strict pass (json_scan.c), then jansson's
 * tree. What the engine's reader must agree with on every input: values, reasons, byte offsets.
 * With bb_run_walked it is the whole extractor made another way, without any projection.
 */
#ifndef BB_TESTS_ORACLE_H
#define BB_TESTS_ORACLE_H

#include <backbone/connector.h>

#include "run.h"

/* A bb_run_read_fn. */
bool oracle_read(struct bb_text bytes, struct bb_arena *arena, struct bb_json_node *ret_root,
		 struct bb_refusal *ret_refusal);

/* Everything there is of it, in lines. */
void oracle_print(const struct bb_extraction *extraction, struct bb_buf *buf);
void oracle_print_refusal(const struct bb_refusal *refusal, struct bb_buf *buf);

/* The document as a reader has it, written out; or why it is refused. */
void oracle_print_document(struct bb_text bytes, bb_run_read_fn *read, struct bb_buf *buf);

#endif
