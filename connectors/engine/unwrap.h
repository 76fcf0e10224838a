/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes around what rules see. Private to the engine. */
#ifndef BB_UNWRAP_H
#define BB_UNWRAP_H

#include "run.h"

/* What is inside the envelopes that are open: bytes, or a value of a document. */
struct bb_payload {
	struct bb_text bytes; /* of the message, or in the arena */
	size_t skipped;	      /* bytes of the message before them */
	struct bb_text name;  /* of the text that they are out of; p NULL: the message */
	struct bb_frame at;   /* doc NULL: still bytes; node NULL: nothing */
};

enum bb_unwrapped { BB_UNWRAPPED, BB_UNWRAPPED_NOTHING, BB_UNWRAPPED_REFUSED };

/*
 * Opens the envelopes of a message: they are the frames [0] up to run->depth then, and the payload
 * is what is in the last one. NOTHING: a tombstone, or what has no row; *ret_refusal says which.
 */
enum bb_unwrapped bb_unwrap(struct bb_run *run, struct bb_payload *payload,
			    struct bb_refusal *ret_refusal);

/* Makes a value of the bytes. False: refused, with the byte of the message where that is known. */
bool bb_unwrap_read(struct bb_run *run, struct bb_payload *payload, enum bb_format format,
		    struct bb_refusal *ret_refusal);

/* For one kind of envelope each; the payload is what is around it. */
typedef enum bb_unwrapped bb_unwrap_fn(struct bb_run *run, struct bb_payload *payload,
				       struct bb_refusal *ret_refusal);
bb_unwrap_fn bb_unwrap_cloudevents, bb_unwrap_debezium; /* cloudevents.c, debezium.c */

/* Bytes of the frame of a schema registry; 0: there is none. */
size_t bb_unwrap_frame_bytes(struct bb_text value);

/* The next envelope: what rules reach with ^. */
void bb_unwrap_push(struct bb_run *run, struct bb_frame envelope);

/* A text or bytes inside of an envelope; `name` says where. */
void bb_unwrap_text(struct bb_run *run, struct bb_payload *payload, struct bb_text text,
		    const char *name);

/* The same of base64. */
enum bb_unwrapped bb_unwrap_base64(struct bb_run *run, struct bb_payload *payload,
				   struct bb_text text, const char *name,
				   struct bb_refusal *ret_refusal);

enum bb_unwrapped bb_unwrap_refuse(struct bb_refusal *ret_refusal, enum bb_dead_reason reason,
				   const char *at, const char *detail);
enum bb_unwrapped bb_unwrap_nothing(struct bb_refusal *ret_refusal, const char *detail);

/* Of an envelope: a member that is not null; NULL: none. Its text; p NULL: it has none. */
const struct bb_json_node *bb_unwrap_member(struct bb_frame map, const char *name);
struct bb_text bb_unwrap_member_text(struct bb_frame map, const char *name);

/* A document that was made here, out of bytes that stay; it must be good JSON. */
const struct bb_json *bb_unwrap_made(struct bb_run *run, struct bb_buf *json);

#endif
