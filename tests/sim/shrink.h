/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a failing case small. */
#ifndef BB_TEST_SHRINK_H
#define BB_TEST_SHRINK_H

#include "case.h"

#include <backbone/error.h>

typedef bool bb_shrink_fails_fn(const struct bb_case *cs, void *ctx);

/*
 * Takes steps away, then parts of events, as long as `fails` says that what is left still fails;
 * `cs` is changed in place. At most `budget` trials.
 */
void bb_shrink_case(struct bb_case *cs, bb_shrink_fails_fn *fails, void *ctx, size_t budget);

#endif
