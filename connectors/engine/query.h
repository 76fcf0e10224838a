/* SPDX-License-Identifier: Apache-2.0 */
/* Queries of URLs and forms. Private to the engine. */
#ifndef BB_QUERY_H
#define BB_QUERY_H

#include <backbone/event.h>

/* An object of JSON. False: refused, with reason and the byte in `text`. */
bool bb_query_json(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_json,
		   struct bb_refusal *ret_refusal);

/* Its parts: the query of a whole URL; the next piece between `&`; its name and value as they are
 * written. */
struct bb_text bb_query_of(struct bb_text text);
struct bb_text bb_query_next(struct bb_text *rest);
void bb_query_split(struct bb_text piece, struct bb_text *ret_name, struct bb_text *ret_value);

/* Without `+` and `%`. NULL: done; else where it is wrong, and *ret_refusal has reason and detail.
 */
const char *bb_query_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text,
			    struct bb_refusal *ret_refusal);

#endif
