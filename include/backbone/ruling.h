/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulings: a steward's word on a pair of identifiers (join, split) or on one (block, allow), and
 * the release of such a word. Of the rulings on a pair, or on an identifier, that were not released
 * the latest holds (by time, then id). A release is for good, and may come before what it releases.
 * A ruling on identifiers that are not known yet waits for them.
 *
 * Rulings are kept in the table RULING, in the transaction of whatever came with them.
 */
#ifndef BACKBONE_RULING_H
#define BACKBONE_RULING_H

#include <backbone/event.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

#define BB_RULING_ID_MAX 256	  /* bytes; of `releases` too */
#define BB_RULING_ACTOR_MAX 256	  /* bytes; may be empty */
#define BB_RULING_REASON_MAX 1024 /* bytes; may be empty */

/* The number is stored: append only. */
/* clang-format-14 never comes to rest over this list. */
/* clang-format off */
#define BB_RULING_KINDS(X) \
	X(JOIN, "join") X(SPLIT, "split") X(BLOCK, "block") X(ALLOW, "allow") \
	X(RELEASE, "release")
/* clang-format on */

enum bb_ruling_kind {
#define X(name, text) BB_RULING_##name,
	BB_RULING_KINDS(X)
#undef X
		BB_RULING_KIND_COUNT
};

struct bb_ruling {
	enum bb_ruling_kind kind;
	struct bb_text id;
	int64_t time_ms;
	struct bb_text actor, reason;
	struct bb_identifier on[2]; /* JOIN, SPLIT: the pair; BLOCK, ALLOW: the first */
	struct bb_text given[2];    /* the values of `on` as they came; p NULL: as they are */
	struct bb_text releases;    /* RELEASE: the id of the ruling */
	bool by_log;		    /* it came by a topic or a file, and comes again from there */
};

const char *bb_ruling_kind_text(enum bb_ruling_kind kind);
bool bb_ruling_kind_of(struct bb_text text, enum bb_ruling_kind *ret_kind);

/* How many identifiers it is on: 2, 1 or 0. */
unsigned bb_ruling_ends(enum bb_ruling_kind kind);

/*
 * In place: checks every member, makes the identifiers canonical as the gate does (junk is allowed:
 * it may be what the ruling is on), puts a pair in its order. False: *ret_refusal says why
 * (BB_DEAD_INVALID_EVENT and the member).
 */
bool bb_ruling_check(const struct bb_rules *rules, struct bb_ruling *ruling, struct bb_arena *arena,
		     struct bb_refusal *ret_refusal);

/* Appends one line of JSON, no line feed: the form that a topic or a file brings. */
struct bb_buf;
void bb_ruling_json(const struct bb_ruling *ruling, struct bb_buf *buf);

/* A ruling as it is kept. */
struct bb_ruling_row {
	struct bb_ruling ruling; /* `on[].ns_index` is not filled: the namespace may be gone */
	bool released;		 /* by one that has come */
	bool holds;		 /* it is the latest on what it is on, not released */
};

/* One by its id: BB_OK, BB_ENOTFOUND, BB_ECORRUPT or the store's error. */
BB_MUST_CHECK int bb_ruling_get(struct bb_kv *kv, const struct bb_profile_key *key,
				struct bb_text id, struct bb_arena *arena,
				struct bb_ruling_row *ret_row);

/*
 * All, in no order that means something: `cursor` is empty at first and is moved on. BB_ENOTFOUND
 * at the end. Slices live in the arena. `key`: of the rules.
 */
struct bb_ruling_cursor {
	uint8_t last[BB_KV_KEY_MAX];
	size_t n;
};
BB_MUST_CHECK int bb_ruling_next(struct bb_kv *kv, const struct bb_profile_key *key,
				 struct bb_ruling_cursor *cursor, struct bb_arena *arena,
				 struct bb_ruling_row *ret_row);

#endif
