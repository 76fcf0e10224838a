/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has been said so far in one run of a case, step by step: the lines for the model, how far
 * each partition was read, what the pipeline must answer.
 */
#ifndef BB_TEST_WALK_H
#define BB_TEST_WALK_H

#include "case.h"

struct bb_walk {
	const struct bb_rules *rules; /* of now: set by bb_walk_rules */
	struct bb_arena *arena;
	struct bb_model_lines lines;
	struct bb_model_mark *marks;
	size_t mark_n, mark_room;
	int64_t file_ms; /* the latest event without a position that counts */
};

/* From now on these rules hold. */
void bb_walk_rules(struct bb_walk *walk, const struct bb_rules *rules);

/*
 * False: it is left out, as this run would end otherwise than another. That is so for a copy in
 * another partition, when an erasure took identifiers from one of the two only: which of them
 * counts is a matter of order. And for a copy of what came under other rules.
 */
bool bb_walk_event(struct bb_walk *walk, const struct bb_event *ev);

enum bb_walk_ruling {
	BB_WALK_NEW,
	BB_WALK_AGAIN,	  /* its id is known, with this content */
	BB_WALK_CONFLICT, /* its id is known, with another content */
	BB_WALK_VOID,	  /* an erasure took what it is on */
	BB_WALK_LEFT_OUT, /* not canonical; or of two with its id one is void by now */
};

/* `given` is the ruling as it came; `ruling` passed bb_ruling_check if `checked`. */
enum bb_walk_ruling bb_walk_ruling(struct bb_walk *walk, const struct bb_ruling *given,
				   const struct bb_ruling *ruling, bool checked);

/* Whether a request with this id was done. */
bool bb_walk_knows(const struct bb_walk *walk, struct bb_text id);

/* What the erasure would name now, all members filled; nothing is changed. As bb_model_erase. */
BB_MUST_CHECK int bb_walk_erase(const struct bb_walk *walk, const struct bb_erasure *order,
				struct bb_model_erasure *ret_erasure);

/* It was done. */
void bb_walk_erased(struct bb_walk *walk, const struct bb_model_erasure *erasure);

#endif
