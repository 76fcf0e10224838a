/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change feed: every profile that was created, updated, merged, split, renamed or erased gets a
 * number in the transaction that did it. Numbers have no gaps; old ones are dropped by age and
 * count. It tells what happened here, in order of arrival, and is no part of the digest.
 *
 * Whoever applies the changes one after the other knows exactly which ids are of profiles:
 *
 *	created, split	`profile` is new
 *	renamed		`profile` is new, `other` is no more
 *	merged		`profile` is no more; `other` lives
 *	erased		`profile` is no more, if it was there
 *	updated		`profile` lives, and its view may be another
 *
 * After the last change of a transaction these are the ids of the store. Ids are looked up like
 * identifiers, so `other` of MERGED is where a look-up of `profile` leads.
 *
 * When a person is erased, their ids are taken out of all older changes: an id is then nobody
 * (zeros), and a change that was theirs alone is ERASED of nobody, so that numbers stay without a
 * gap. Ids that older changes had ended (by MERGED, RENAMED) are given as ERASED once more.
 */
#ifndef BACKBONE_CHANGE_H
#define BACKBONE_CHANGE_H

#include <backbone/arena.h>
#include <backbone/event.h>
#include <backbone/hash.h>
#include <backbone/kv.h>

/* The number is stored: append only. */
#define BB_CHANGE_KINDS(X)                                                                         \
	X(CREATED, "created")                                                                      \
	X(UPDATED, "updated")                                                                      \
	X(MERGED, "merged")   /* `profile` is no more, it went into `other` */                     \
	X(SPLIT, "split")     /* `profile` is new, it came out of `other` */                       \
	X(RENAMED, "renamed") /* `profile` is the new id of `other` */                             \
	X(ERASED, "erased")   /* or, by another cause, all its identifiers are blocked now */

enum bb_change_kind {
#define X(name, text) BB_CHANGE_##name,
	BB_CHANGE_KINDS(X)
#undef X
		BB_CHANGE_KIND_COUNT
};

/* The same. */
#define BB_CHANGE_CAUSES(X)                                                                        \
	X(EVENT, "event")                                                                          \
	X(RULING, "ruling") X(ERASURE, "erasure") X(RULES, "rules") X(REBUILD, "rebuild")

enum bb_change_cause {
#define X(name, text) BB_CAUSE_##name,
	BB_CHANGE_CAUSES(X)
#undef X
		BB_CAUSE_COUNT
};

struct bb_change {
	uint64_t number; /* from 1 */
	enum bb_change_kind kind;
	struct bb_hash profile, other; /* as ids: bb_hash_profile_id; zeros: nobody. other: MERGED,
					  SPLIT, RENAMED */
	int64_t at_ms;		       /* wall clock of the transaction */
	enum bb_change_cause cause;
	struct bb_position position; /* of an EVENT that came by a log (else topic.p NULL): one that
					came to the profile, or else one of the transaction */
	struct bb_text cause_id;     /* of a RULING or an ERASURE */
};

/* False: nobody. */
bool bb_change_is_somebody(const struct bb_hash *id);

const char *bb_change_kind_text(enum bb_change_kind kind);

/* The change behind `after` (0: the oldest there is); one that was dropped is passed over: compare
 * with the range. BB_ENOTFOUND: none yet. Slices live in the arena. */
BB_MUST_CHECK int bb_change_next(struct bb_kv *kv, uint64_t after, struct bb_arena *arena,
				 struct bb_change *ret_change);

/* The numbers that are there: first and last; both 0: none ever. first > last: all were dropped. */
BB_MUST_CHECK int bb_change_range(struct bb_kv *kv, uint64_t *ret_first, uint64_t *ret_last);

/* The changes of this id, or into or out of it, that are more than an update and not its creation:
 * at least the newest BB_CHANGE_HISTORY_MAX, oldest first; *cursor 0 at first. They stay when the
 * feed drops them. BB_ENOTFOUND at the end. */
#define BB_CHANGE_HISTORY_MAX 100
BB_MUST_CHECK int bb_change_history(struct bb_kv *kv, const struct bb_hash *profile,
				    uint64_t *cursor, struct bb_arena *arena,
				    struct bb_change *ret_change);

/* Appends one line of JSON, no line feed. */
struct bb_buf;
void bb_change_json(const struct bb_change *change, struct bb_buf *buf);

/*
 * Appends, as one line of JSON, what became of the profile that `key` leads to: the names that it
 * has and had, the changes of these names (the newest BB_HISTORY_MAX), the rulings on its
 * identifiers. Errors as bb_viewer_find's; then `buf` is as it was. `rules` are the viewer's.
 */
#define BB_HISTORY_MAX 1000
struct bb_viewer;
struct bb_rules;
BB_MUST_CHECK int bb_history_json(struct bb_viewer *viewer, const struct bb_rules *rules,
				  struct bb_kv *kv, struct bb_text key, struct bb_arena *arena,
				  struct bb_buf *buf);

#endif
