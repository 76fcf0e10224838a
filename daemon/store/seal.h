/* SPDX-License-Identifier: Apache-2.0 */
/* The stored form of a value: what tells right bytes from damaged ones. */
#ifndef BB_SEAL_H
#define BB_SEAL_H

#include <backbone/buf.h>
#include <backbone/kv.h>

#define BB_SEAL_VERSION 1
#define BB_SEAL_BYTES_MAX 14 /* version 1, length 1..5, checksum 8 */

/* Replaces what is in `buf` by the stored form of `value`. */
void bb_seal_put(struct bb_buf *buf, enum bb_table table, struct bb_text key, struct bb_text value);

/*
 * The value in `stored`, or false: other version, length or checksum than it must have under this
 * table and key. The slice points into `stored`.
 */
bool bb_seal_open(enum bb_table table, struct bb_text key, struct bb_text stored,
		  struct bb_text *ret_value);

#endif
