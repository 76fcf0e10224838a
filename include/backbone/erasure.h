/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasure: after it the state is that of a store that never saw what is erased, and stays so when
 * the topics are replayed. What is kept is a tombstone: keyed hashes of identifiers, records and
 * amount keys, the mode, the watermark (the next offset of every partition), the time, the request
 * id. Nothing in it can be read back.
 *
 * Below the watermark (of partitions that it does not list, and of files: before its time) events
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

struct bb_erasure {
	struct bb_text key; /* `ns:value` or a profile id, as in a look-up */
	enum bb_erasure_mode mode;
	struct bb_text id; /* of the request, 1..256 bytes; the same id again changes nothing */
	int64_t time_ms;   /* now, by the wall clock; raised where a file's event is later */
};

struct bb_erased_identifier {
	struct bb_hash hash; /* keyed: of the namespace and the value */
	bool standing;
};

/* What was done: for the receipt. Lives in the arena that was given. */
struct bb_erasure_receipt {
	bool again; /* the request id was known: this is what it did then, without the counts */
	struct bb_text id;
	int64_t time_ms; /* of the erasure, as it counts for events */
	enum bb_erasure_mode mode;
	char profile[BB_PROFILE_ID_BYTES + 1]; /* its id then */
	struct bb_erased_identifier *identifiers;
	size_t identifier_n;
	struct bb_erasure_mark {
		struct bb_text topic;
		int32_t partition;
		int64_t next_offset;
	} * watermark;
	size_t watermark_n;
	uint64_t records, events; /* that went whole */
	uint64_t stripped;	  /* other records that lost identifiers */
	uint64_t keys;		  /* amount keys */
	uint64_t rulings;	  /* that were void and removed */
	uint64_t dead_letters;	  /* filled by whoever scrubs them */
};

/* How many tombstones there are. BB_OK, BB_ECORRUPT or the store's error. */
BB_MUST_CHECK int bb_erasure_count(struct bb_kv *kv, uint64_t *ret_n);

/* One tombstone after the other, by (time, id): start with *cursor 0. BB_ENOTFOUND at the end. */
BB_MUST_CHECK int bb_erasure_next(struct bb_kv *kv, uint64_t *cursor, struct bb_arena *arena,
				  struct bb_erasure_receipt *ret_receipt);

/* Takes all tombstones to a store that has no records yet (a rebuild, a restore). BB_OK, BB_EINVAL
 * (it has records) or the store's error. */
BB_MUST_CHECK int bb_erasure_carry(struct bb_kv *from, struct bb_kv *to);

#endif
