/* SPDX-License-Identifier: Apache-2.0 */
/* How many profiles there are: a row of BB_TABLE_META, kept in step with the rows of profiles. */
#ifndef BB_CORE_COUNT_H
#define BB_CORE_COUNT_H

#include <backbone/kv.h>

/* So many more (fewer, if negative). BB_OK, BB_ECORRUPT (fewer than none) or the store's error. */
BB_MUST_CHECK int bb_count_add(struct bb_kv *kv, int64_t more);

#endif
