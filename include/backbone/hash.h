/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hash of identity: BLAKE2b with 16 bytes out and the 16-byte profile key (identity.md
 * §6, §7). With an all-zero key it is still keyed with those zeros, as Python's hashlib does for
 * key=00*16.
 */
#ifndef BACKBONE_HASH_H
#define BACKBONE_HASH_H

#include <backbone/text.h>

#define BB_HASH_BYTES 16
#define BB_PROFILE_ID_BYTES 27 /* `p` and 26 Crockford base-32 digits */

struct bb_hash {
	uint8_t b[BB_HASH_BYTES];
};

struct bb_profile_key {
	uint8_t b[16];
};

/* BLAKE2b-128 of the parts, joined by NUL bytes. */
struct bb_hash bb_hash_parts(const struct bb_profile_key *key, const struct bb_text *parts,
			     size_t n);

/* BLAKE2b-128 of `ns NUL value`: the hash of an identifier, and the profile id it would name. */
struct bb_hash bb_hash_identifier(const struct bb_profile_key *key, struct bb_text ns,
				  struct bb_text value);

/* Crockford base 32, lower case; `p` first; no terminator. Parsing accepts upper case too. */
void bb_hash_profile_id(const struct bb_hash *hash, char out[BB_PROFILE_ID_BYTES]);
bool bb_hash_parse_profile_id(struct bb_text text, struct bb_hash *ret_hash);

static inline bool bb_hash_equal(const struct bb_hash *a, const struct bb_hash *b)
{
	return memcmp(a->b, b->b, BB_HASH_BYTES) == 0;
}

#endif
