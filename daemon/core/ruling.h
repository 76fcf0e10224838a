/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of rulings. Keys of the table RULING:
 *
 *	'r' hash of the id				-> the ruling
 *	't' hash of what it is on, time u64, hash of the id -> its id (decides between equal times)
 *	'e' hash of an identifier, hash of the id	-> nothing: rulings that are on it
 *	'x' hash of the id				-> nothing: it is released, come or not
 *
 * What a ruling is on is the hash of its identifier, or of its pair.
 */
#ifndef BB_CORE_RULING_H
#define BB_CORE_RULING_H

#include "batch.h"

/* What the rulings on an identifier or a pair come to. */
enum bb_word { BB_WORD_NONE, BB_WORD_JOIN, BB_WORD_SPLIT, BB_WORD_BLOCK, BB_WORD_ALLOW };

/* Hash of an id. */
struct bb_hash bb_ruling_hash_id(const struct bb_profile_key *key, struct bb_text id);
/* Hash of a pair of identifiers, whatever their order. */
struct bb_hash bb_ruling_hash_pair(const struct bb_hash *a, const struct bb_hash *b);
/* Hashes of the identifiers that it is on; returns how many. */
unsigned bb_ruling_hash_ends(const struct bb_profile_key *key, const struct bb_ruling *ruling,
			     struct bb_hash ret_ends[2]);

/* Writes a ruling that is not there yet. BB_OK or the store's error. */
BB_MUST_CHECK int bb_ruling_put(struct bb_kv *kv, const struct bb_profile_key *key,
				const struct bb_ruling *ruling);
/* Takes it away with all that leads to it. */
BB_MUST_CHECK int bb_ruling_remove(struct bb_kv *kv, const struct bb_profile_key *key,
				   struct bb_text id, struct bb_arena *arena);

/* The word that holds: of the latest that was not released. */
BB_MUST_CHECK int bb_ruling_word(struct bb_kv *kv, const struct bb_hash *on, struct bb_arena *arena,
				 enum bb_word *ret_word, struct bb_text *ret_id);

/* The id-hash of the next ruling on an identifier, behind *cursor (zeros at first). BB_ENOTFOUND at
 * the end. */
BB_MUST_CHECK int bb_ruling_of_ident(struct bb_kv *kv, const struct bb_hash *ident,
				     struct bb_hash *cursor);
/* By the hash of its id. */
BB_MUST_CHECK int bb_ruling_by_hash(struct bb_kv *kv, const struct bb_hash *id_hash,
				    struct bb_arena *arena, struct bb_ruling *ret_ruling);

#endif
