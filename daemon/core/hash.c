/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hash of identity: parts and the NUL bytes between them go through libsodium's BLAKE2b,
 * short ones (nearly all) in one call from the stack, long ones as a stream.
 *
 * It cannot fail: sizes are constants, and where libsodium cannot initialise itself (no source of
 * randomness, which is not used here) the hash is the same, only slower.
 */
#include <backbone/assert.h>
#include <backbone/hash.h>
#include <pthread.h>
#include <sodium.h>

#define ONE_CALL_BYTES 1024

static const char crockford[32] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a',
				   'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n',
				   'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z'};

static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;

/* Lets libsodium choose its fastest code for this processor. */
static void on_sodium_once(void)
{
	(void)!sodium_init();
}

static struct bb_hash hash_short(const struct bb_profile_key *key, const struct bb_text *parts,
				 size_t n)
{
	unsigned char joined[ONE_CALL_BYTES];
	struct bb_hash hash;
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			joined[used++] = '\0';
		if (parts[i].n > 0)
			memcpy(joined + used, parts[i].p, parts[i].n);
		used += parts[i].n;
	}
	bb_assert(crypto_generichash(hash.b, sizeof(hash.b), joined, used, key->b,
				     sizeof(key->b)) == 0);
	return hash;
}

static struct bb_hash hash_long(const struct bb_profile_key *key, const struct bb_text *parts,
				size_t n)
{
	static const unsigned char nul = '\0';
	crypto_generichash_state state;
	struct bb_hash hash;

	bb_assert(crypto_generichash_init(&state, key->b, sizeof(key->b), sizeof(hash.b)) == 0);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			crypto_generichash_update(&state, &nul, 1);
		if (parts[i].n > 0)
			crypto_generichash_update(&state, (const unsigned char *)parts[i].p,
						  parts[i].n);
	}
	bb_assert(crypto_generichash_final(&state, hash.b, sizeof(hash.b)) == 0);
	return hash;
}

struct bb_hash bb_hash_parts(const struct bb_profile_key *key, const struct bb_text *parts,
			     size_t n)
{
	size_t total = n > 0 ? n - 1 : 0;

	pthread_once(&sodium_once, on_sodium_once);
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n > ONE_CALL_BYTES)
			return hash_long(key, parts, n);
		total += parts[i].n;
	}
	return total <= ONE_CALL_BYTES ? hash_short(key, parts, n) : hash_long(key, parts, n);
}

struct bb_hash bb_hash_identifier(const struct bb_profile_key *key, struct bb_text ns,
				  struct bb_text value)
{
	struct bb_text parts[2] = {ns, value};

	return bb_hash_parts(key, parts, 2);
}

/*
 * 128 bits are 3 and 25 times 5: the first digit holds only three bits. `bits` holds what is read
 * of the hash and not yet written.
 */
void bb_hash_profile_id(const struct bb_hash *hash, char out[BB_PROFILE_ID_BYTES])
{
	unsigned bits = 0, held = 2; /* two leading zeros fill the first digit */
	size_t next = 0;

	out[0] = 'p';
	for (int i = 1; i < BB_PROFILE_ID_BYTES; i++) {
		if (held < 5) {
			bits = (bits << 8 | hash->b[next++]) & 0xfff;
			held += 8;
		}
		held -= 5;
		out[i] = crockford[bits >> held & 31];
	}
	bb_assert(next == BB_HASH_BYTES && held == 0);
}

/* 0 to 31, or -1. */
static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	for (int i = 0; i < 32; i++) {
		if (crockford[i] == c)
			return i;
	}
	return -1;
}

bool bb_hash_parse_profile_id(struct bb_text text, struct bb_hash *ret_hash)
{
	unsigned bits = 0, held = 0;
	struct bb_hash hash;
	size_t next = 0;

	if (text.n != BB_PROFILE_ID_BYTES || (text.p[0] != 'p' && text.p[0] != 'P'))
		return false;
	for (size_t i = 1; i < BB_PROFILE_ID_BYTES; i++) {
		int digit = digit_of(text.p[i]);

		if (digit < 0 || (i == 1 && digit > 7))
			return false;
		bits = (bits << 5 | (unsigned)digit) & 0x1fff;
		held += i == 1 ? 3 : 5;
		if (held >= 8) {
			held -= 8;
			hash.b[next++] = (uint8_t)(bits >> held);
		}
	}
	bb_assert(next == BB_HASH_BYTES && held == 0);
	*ret_hash = hash;
	return true;
}
