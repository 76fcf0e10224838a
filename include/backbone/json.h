/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict JSON: a read-only tree whose numbers keep their exact text. Strict means: UTF-8, no byte
 * order mark, no lone surrogate, no duplicate key, no trailing bytes, depth at most 64, at most
 * 256 KiB, exponents within ±9,999.
 */
#ifndef BACKBONE_JSON_H
#define BACKBONE_JSON_H

#include <backbone/event.h>

struct bb_json;	     /* a document */
struct bb_json_node; /* a value in it */

enum bb_json_kind {
	BB_JSON_NULL,
	BB_JSON_FALSE,
	BB_JSON_TRUE,
	BB_JSON_NUMBER,
	BB_JSON_TEXT,
	BB_JSON_LIST,
	BB_JSON_MAP
};

/* NULL: refused, with reason and byte offset. Texts and numbers live until bb_json_free, and not
 * longer than `bytes`: most are slices of it. */
struct bb_json *bb_json_read(struct bb_text bytes, struct bb_refusal *ret_refusal);
void bb_json_free(struct bb_json *doc); /* NULL-safe */

const struct bb_json_node *bb_json_root(const struct bb_json *doc);
enum bb_json_kind bb_json_kind(const struct bb_json *doc, const struct bb_json_node *node);

/* TEXT: decoded UTF-8; NUMBER: exactly as written; else p NULL. */
struct bb_text bb_json_text(const struct bb_json *doc, const struct bb_json_node *node);

const struct bb_json_node *bb_json_member(const struct bb_json *doc, const struct bb_json_node *map,
					  struct bb_text key);
size_t bb_json_size(const struct bb_json *doc,
		    const struct bb_json_node *node); /* of LIST or MAP; else 0 */
const struct bb_json_node *bb_json_item(const struct bb_json *doc, const struct bb_json_node *list,
					size_t i);

/* Members in the order of the document: start with *iter = NULL; false at the end. */
bool bb_json_next(const struct bb_json *doc, const struct bb_json_node *map, void **iter,
		  struct bb_text *ret_key, const struct bb_json_node **ret_value);

/* Compact JSON of a node, members in order of the document, numbers as written. */
struct bb_buf;
void bb_json_write(const struct bb_json *doc, const struct bb_json_node *node, struct bb_buf *buf);

#endif
