/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyed hashes remembered: the same identifiers and pairs are asked for over and over, and BLAKE2b
 * is ten times as dear as finding the answer of last time. A cache and nothing more: what it says
 * is what bb_hash_parts says. Not thread-safe; one key for all its life.
 */
#ifndef BB_CORE_MEMO_H
#define BB_CORE_MEMO_H

#include <backbone/hash.h>

struct bb_memo;

struct bb_memo *bb_memo_new(void);
void bb_memo_free(struct bb_memo *memo);

struct bb_hash bb_memo_hash(struct bb_memo *memo, const struct bb_profile_key *key,
			    const struct bb_text *parts, size_t n);

#endif
