/* SPDX-License-Identifier: Apache-2.0 */
/* The strict pass over the bytes of a document, before a tree is made of them. */
#ifndef BB_JSON_SCAN_H
#define BB_JSON_SCAN_H

#include <backbone/buf.h>
#include <backbone/json.h>

/* What the pass leaves for the tree. The caller sets the first three. */
struct bb_json_scan {
	struct bb_arena *arena;	 /* for `numbers` */
	struct bb_text bytes;	 /* the document */
	struct bb_buf copy;	 /* empty; the document with each number replaced by its index */
	struct bb_text *numbers; /* slices of `bytes`, in their order */
	size_t number_n, number_room;
};

/* False: refused, with reason and byte offset. */
bool bb_json_scan(struct bb_json_scan *scan, struct bb_refusal *ret_refusal);

/* Where a byte of the copy stood in the document. */
size_t bb_json_scan_origin(const struct bb_json_scan *scan, size_t copy_offset);

/* Bytes of the well-formed UTF-8 sequence at `p` (p < end), or 0. */
size_t bb_json_scan_utf8(const unsigned char *p, const unsigned char *end);

/* Refuses what is larger than a message may be, or begins with a byte order mark. */
bool bb_json_scan_outside(struct bb_text bytes, struct bb_refusal *ret_refusal);

#endif
