/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: who did what and when, appended in the transaction of what it tells of. Each entry
 * holds the hash of itself and of the one before (BLAKE2b-256), and the store keeps how many there
 * are and the last hash, so that an entry that was changed, taken out, or cut off at the end shows.
 * Who can write the store and knows this can forge a whole chain: a last hash that was noted
 * elsewhere tells.
 *
 * Nothing in it is personal to a customer: ids and keyed hashes, never values.
 */
#ifndef BACKBONE_AUDIT_H
#define BACKBONE_AUDIT_H

#include <backbone/arena.h>
#include <backbone/buf.h>
#include <backbone/kv.h>

#define BB_AUDIT_HASH_BYTES 32
#define BB_AUDIT_HEAD BB_TEXT("audit.head") /* the row of META with the last number and hash */
#define BB_AUDIT_NO_UID UINT32_MAX	    /* it did not come by a Unix socket */

/* The text is stored. What subject and detail are, where not plain: of a ruling its id, its kind
 * and what it is on, hashed; of a reread topic/partition, and connector, offsets, since when names
 * are known; of a rebuild what it was made of and what is lost; of an import the erasure's id. */
#define BB_AUDIT_ACTIONS(X)                                                                        \
	X(RULING, "ruling")                                                                        \
	X(RELEASE, "release")                                                                      \
	X(ERASURE, "erasure")                                                                      \
	X(EXPORT, "export")                                                                        \
	X(REREAD, "reread")                                                                        \
	X(REBUILD, "rebuild")                                                                      \
	X(IMPORT, "import")

enum bb_audit_action {
#define X(name, text) BB_AUDIT_##name,
	BB_AUDIT_ACTIONS(X)
#undef X
		BB_AUDIT_ACTION_COUNT
};

const char *bb_audit_action_text(enum bb_audit_action action);

struct bb_audit {
	uint64_t number; /* from 1, without a gap */
	int64_t at_ms;	 /* wall clock */
	uint32_t uid;	 /* of the peer, or BB_AUDIT_NO_UID */
	struct bb_text actor;
	struct bb_text action;
	struct bb_text subject, detail; /* may be empty */
	uint8_t hash[BB_AUDIT_HASH_BYTES];
};

/* Number and hash are made here. BB_OK, BB_ECORRUPT (what the store says of the last entry is
 * damaged) or the store's error. */
BB_MUST_CHECK int bb_audit_append(struct bb_kv *kv, const struct bb_audit *entry);

/* The entry behind `after` (0: the first). BB_OK, BB_ENOTFOUND: no more, BB_ECORRUPT or the store's
 * error. Slices live in the arena. */
BB_MUST_CHECK int bb_audit_next(struct bb_kv *kv, uint64_t after, struct bb_arena *arena,
				struct bb_audit *ret_entry);

/* Appends one line of JSON, no line feed. */
void bb_audit_json(const struct bb_audit *entry, struct bb_buf *buf);

struct bb_audit_check {
	uint64_t entries; /* that are as they were written, from the first on */
	uint64_t wrong;	  /* the number of the first that is not, or is missing; 0: none */
	uint8_t hash[BB_AUDIT_HASH_BYTES]; /* of the last good one; zeros: none */
};

/* Walks all. BB_OK also where something is wrong: that is the answer. Else the store's error. */
BB_MUST_CHECK int bb_audit_verify(struct bb_kv *kv, struct bb_audit_check *ret_check);

/* Appends {"entries", "wrong" (a number or null), "hash"}, no line feed. */
void bb_audit_check_json(const struct bb_audit_check *check, struct bb_buf *buf);

#endif
