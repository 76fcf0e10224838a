/* SPDX-License-Identifier: Apache-2.0 */
/* Folding the records of a profile into its view (view.md). */
#ifndef BB_CORE_FOLD_H
#define BB_CORE_FOLD_H

#include <backbone/view.h>

#include "rows.h"

struct bb_view_fold {
	const struct bb_rules *rules;
	struct bb_names *names;
	struct bb_arena *arena;
};

/* The view of a profile and its records; slices into their bytes and the arena. */
void bb_fold_view(const struct bb_view_fold *fold, const struct bb_profile *profile,
		  struct bb_record *const *records, size_t record_n, struct bb_view *ret_view);

/* A record of the profile with its source, looked up once. */
struct bb_fold_record {
	struct bb_record *record;
	struct bb_text source;
	size_t trust; /* smaller is more trusted */
};

struct bb_folding {
	const struct bb_view_fold *fold;
	const struct bb_fold_record *records;
	size_t n;
};

/* A fact with what its record says of it. */
struct bb_fold_from {
	const void *fact;
	struct bb_text source;
	size_t trust;
};

static inline int bb_fold_sign(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* view.md §2: time, then trust, then id, source, and whether the time was Kafka's. `trust`: what
 * more trust in a's source counts for: 1, or -1. */
int bb_fold_compare(const struct bb_origin *a, const struct bb_fold_from *fa,
		    const struct bb_origin *b, const struct bb_fold_from *fb, int trust);

/* fold_attributes.c */
void bb_fold_attributes(const struct bb_folding *f, struct bb_view *view);

#endif
