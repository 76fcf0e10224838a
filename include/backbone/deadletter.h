/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters: messages, or elements of them, that could not be applied, kept with the reason and
 * the original bytes (less what the connector redacts) in BB_TABLE_DEAD_LETTER under a number that
 * counts up. They are personal data: never in logs or metrics; swept after the configured days.
 */
#ifndef BACKBONE_DEADLETTER_H
#define BACKBONE_DEADLETTER_H

#include <backbone/arena.h>
#include <backbone/buf.h>
#include <backbone/event.h>
#include <backbone/kv.h>
#include <backbone/message.h>

#define BB_DEADLETTER_BYTES_MAX (1024 * 1024) /* of a value kept; the rest is cut off */
#define BB_DEADLETTER_HEADERS_MAX 1000	      /* kept of one message */

struct bb_deadletter {
	int64_t stored_ms; /* wall clock when it was stored */
	struct bb_refusal refusal;
	struct bb_text connector;
	struct bb_message
		message;      /* value: redacted; p NULL: nothing may be kept, or a tombstone */
	bool has_value;	      /* the message had one */
	uint64_t value_bytes; /* its length before redaction and cutting */
};

/* Appends the value of the table. */
void bb_deadletter_encode(const struct bb_deadletter *letter, struct bb_buf *buf);

/* BB_OK or BB_ECORRUPT. Slices are of `value`, the array of headers is in the arena. */
BB_MUST_CHECK int bb_deadletter_decode(struct bb_text value, struct bb_arena *arena,
				       struct bb_deadletter *ret_letter);

/* Stores it under the next number. */
BB_MUST_CHECK int bb_deadletter_put(struct bb_kv *kv, const struct bb_deadletter *letter,
				    uint64_t *ret_number);

/*
 * The first letter with a number >= `from`: numbers begin at 1. BB_ENOTFOUND: none. To go on, ask
 * from *ret_number + 1.
 */
BB_MUST_CHECK int bb_deadletter_seek(struct bb_kv *kv, uint64_t from, struct bb_arena *arena,
				     uint64_t *ret_number, struct bb_deadletter *ret_letter);

/*
 * Appends it as one line of JSON, no line feed: number, stored, reason, at, detail, connector,
 * position, headers, key, value. Bytes that are no UTF-8 go as `key_base64`, `value_base64`.
 */
void bb_deadletter_json(uint64_t number, const struct bb_deadletter *letter, struct bb_buf *buf);

/* BB_OK, BB_ENOTFOUND or the store's error. */
BB_MUST_CHECK int bb_deadletter_remove(struct bb_kv *kv, uint64_t number);

/*
 * Whether key, value or a header of the letter holds one of the values of identifiers: as it is,
 * whatever the case of ASCII letters, with nothing alphanumeric around it, also behind JSON's
 * escapes or percent-encoding; of one that was scoped by a tenant the part behind the last slash;
 * a telephone number by its last eight digits, with spaces and the like between them or not. The
 * arena is for copies on the way.
 */
bool bb_deadletter_mentions(const struct bb_deadletter *letter, const struct bb_text *values,
			    size_t n, struct bb_arena *arena);

/* Removes every letter that mentions one of the values. BB_OK, BB_ECORRUPT or the store's error. */
BB_MUST_CHECK int bb_deadletter_scrub(struct bb_kv *kv, const struct bb_text *values, size_t n,
				      uint64_t *ret_removed);

/* Removes up to `most` of the oldest letters that were stored before `before_ms`. */
BB_MUST_CHECK int bb_deadletter_sweep(struct bb_kv *kv, int64_t before_ms, size_t most,
				      size_t *ret_removed);

#endif
