/* SPDX-License-Identifier: Apache-2.0 */
/* What a batch says in the change feed (<backbone/change.h>). Errors are the batch's. */
#ifndef BB_CORE_CHANGES_H
#define BB_CORE_CHANGES_H

#include "batch.h"

/* All of it but what is erased; when every profile has its name and before identifiers are written.
 */
void bb_changes_flush(struct bb_batch *batch);

/*
 * The identifiers of a profile with these hashes are being erased: to be called while the store
 * still has them, before anything of the batch. Older changes forget them; those that are ids of
 * profiles, or were, are given as erased.
 */
void bb_changes_erased(struct bb_batch *batch, const struct bb_hash *idents, size_t n);

#endif
