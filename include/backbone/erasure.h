/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasure: after it the state is that of a store that never saw what is erased, and stays so when
 * the topics are replayed. What is kept is a tombstone: keyed hashes of identifiers, records and
 * amount keys, the mode, the watermark (the next offset of every partition), the time, the request
 * id. Nothing in it can be read back.
 *
 * Below the watermark (of partitions that it does not list, and of files: before its time; a topic
 * that was made again is not listed) events
 * of an erased record or amount key go whole, and erased identifiers are taken off the others. An
 * event whose strongest identifier stands for this person alone goes whole: below the watermark in
 * both modes, above it in SUPPRESS, where standing identifiers are taken off other events too. In
 * FORGET what comes above the watermark begins a new person.
 */
#ifndef BACKBONE_ERASURE_H
#define BACKBONE_ERASURE_H

#include <backbone/event.h>
#include <backbone/hash.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

#define BB_ERASURE_MODES(X) X(FORGET, "forget") X(SUPPRESS, "suppress")

enum bb_erasure_mode {
#define X(name, text) BB_ERASURE_##name,
	BB_ERASURE_MODES(X)
#undef X
		BB_ERASURE_MODE_COUNT
};

const char *bb_erasure_mode_text(enum bb_erasure_mode mode);
bool bb_erasure_mode_of(struct bb_text text, enum bb_erasure_mode *ret_mode);

/* The next offset of a partition, as the store knows it. */
struct bb_erasure_mark {
	struct bb_text topic;
	int32_t partition;
	int64_t next_offset;
	struct bb_birth birth; /* of the log that it is of */
};

struct bb_erasure {
	struct bb_text key; /* `ns:value` or a profile id, as in a look-up */
	enum bb_erasure_mode mode;
	struct bb_text id; /* of the request, 1..256 bytes; the same id again changes nothing */
	/* Now, by the wall clock. Raised above the time of every event that came by a file, and of
	 * the erasures before: they act one after the other. */
	int64_t time_ms;
	const struct bb_erasure_mark *watermark; /* of every partition: bb_progress_marks */
	size_t watermark_n;
};

struct bb_erased_identifier {
	struct bb_hash hash; /* keyed: of the namespace and the value */
	bool standing;
};

/* What was done: for the receipt. Lives in the arena that was given. */
struct bb_erasure_receipt {
	bool again; /* the request id was known: this is what it did then */
	struct bb_text id;
	int64_t time_ms; /* of the erasure, as it counts for events */
	enum bb_erasure_mode mode;
	char profile[BB_PROFILE_ID_BYTES + 1]; /* its id then */
	struct bb_erased_identifier *identifiers;
	size_t identifier_n;
	struct bb_erasure_mark *watermark;
	size_t watermark_n;
	uint64_t records, events; /* that went whole */
	uint64_t stripped;	  /* other records that lost identifiers */
	uint64_t keys;		  /* amount keys */
	uint64_t rulings;	  /* that were void and removed */
	uint64_t dead_letters;	  /* filled by whoever scrubs them */
};

/* Whether the watermark says anything of a partition of this log: up to which offset. */
bool bb_erasure_lists(const struct bb_erasure_receipt *erasure, struct bb_text topic,
		      int32_t partition, const struct bb_birth *birth, int64_t *ret_next_offset);

#define BB_ERASURE_ID_MAX 256 /* bytes */

/* A receipt in JSON, without an end: `{` and id, time, mode, profile; `,` and the two lists. */
struct bb_buf;
void bb_erasure_json_head(const struct bb_erasure_receipt *receipt, struct bb_buf *buf);
void bb_erasure_json_lists(const struct bb_erasure_receipt *receipt, struct bb_buf *buf);

/* One tombstone after the other, by time: start with an empty cursor. BB_ENOTFOUND at the end.
 * Slices live in the arena. */
struct bb_erasure_cursor {
	uint8_t last[BB_KV_KEY_MAX];
	size_t n;
};
BB_MUST_CHECK int bb_erasure_next(struct bb_kv *kv, struct bb_erasure_cursor *cursor,
				  struct bb_arena *arena, struct bb_erasure_receipt *ret_receipt);

/* The latest of them. BB_ENOTFOUND: none. */
BB_MUST_CHECK int bb_erasure_latest(struct bb_kv *kv, struct bb_arena *arena,
				    struct bb_erasure_receipt *ret_receipt);

/* Takes all tombstones to a store that has no records yet (a rebuild, a restore). BB_OK, BB_EINVAL
 * (it has records) or the store's error. */
BB_MUST_CHECK int bb_erasure_carry(struct bb_kv *from, struct bb_kv *to);

#endif
