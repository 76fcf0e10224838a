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

#endif
