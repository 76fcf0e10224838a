/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version, offset, timestamp, hash, then the cluster id to the end. A token of another version or
 * length is no token: the caller goes on without the check, as with a store that has none.
 */
#include "token.h"

#define VERSION 1
#define FIXED_BYTES (1 + 8 + 8 + BB_HASH_BYTES)

struct bb_ktoken bb_ktoken_of(const struct bb_message *msg, struct bb_text cluster)
{
	static const struct bb_profile_key no_key;
	struct bb_text parts[] = {
		msg->key.p ? BB_TEXT("key") : BB_TEXT("none"),
		msg->key,
		msg->value.p ? BB_TEXT("value") : BB_TEXT("none"),
		msg->value,
	};

	if (cluster.n > BB_KTOKEN_CLUSTER_MAX)
		cluster.n = BB_KTOKEN_CLUSTER_MAX;
	return (struct bb_ktoken){
		.offset = msg->offset,
		.timestamp_ms = msg->timestamp_ms,
		.hash = bb_hash_parts(&no_key, parts, sizeof parts / sizeof *parts),
		.cluster = cluster,
	};
}

static char *put_i64(char *out, int64_t value)
{
	for (int i = 0; i < 8; i++)
		*out++ = (char)((uint64_t)value >> (8 * i));
	return out;
}

static int64_t get_i64(const char *in)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)(uint8_t)in[i] << (8 * i);
	return (int64_t)value;
}

struct bb_text bb_ktoken_encode(const struct bb_ktoken *token, struct bb_arena *arena)
{
	char *bytes = bb_arena_alloc(arena, FIXED_BYTES + token->cluster.n);
	char *out = bytes;

	*out++ = VERSION;
	out = put_i64(out, token->offset);
	out = put_i64(out, token->timestamp_ms);
	memcpy(out, token->hash.b, BB_HASH_BYTES);
	if (token->cluster.n)
		memcpy(out + BB_HASH_BYTES, token->cluster.p, token->cluster.n);
	return bb_text_bytes(bytes, FIXED_BYTES + token->cluster.n);
}

bool bb_ktoken_decode(struct bb_text text, struct bb_ktoken *ret_token)
{
	if (text.n < FIXED_BYTES || text.n > FIXED_BYTES + BB_KTOKEN_CLUSTER_MAX ||
	    text.p[0] != VERSION)
		return false;
	ret_token->offset = get_i64(text.p + 1);
	ret_token->timestamp_ms = get_i64(text.p + 9);
	memcpy(ret_token->hash.b, text.p + 17, BB_HASH_BYTES);
	ret_token->cluster = bb_text_bytes(text.p + FIXED_BYTES, text.n - FIXED_BYTES);
	return true;
}

bool bb_ktoken_same_record(const struct bb_ktoken *a, const struct bb_ktoken *b)
{
	return a->offset == b->offset && a->timestamp_ms == b->timestamp_ms &&
	       bb_hash_equal(&a->hash, &b->hash);
}
