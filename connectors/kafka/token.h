/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is stored with the offset of the last record of a partition, to see at the next start
 * whether the log is still the same one: the record's offset, timestamp and hash, and the id of the
 * cluster.
 */
#ifndef BB_KAFKA_TOKEN_H
#define BB_KAFKA_TOKEN_H

#include <backbone/arena.h>
#include <backbone/hash.h>
#include <backbone/message.h>

#define BB_KTOKEN_CLUSTER_MAX 200 /* bytes of a cluster id; a longer one is cut */

struct bb_ktoken {
	int64_t offset, timestamp_ms;
	struct bb_hash hash;	/* of key and value */
	struct bb_text cluster; /* empty: the broker gave none */
};

struct bb_ktoken bb_ktoken_of(const struct bb_message *msg, struct bb_text cluster);
struct bb_text bb_ktoken_encode(const struct bb_ktoken *token, struct bb_arena *arena);

/* False: not a token. The slice is of `text`. */
bool bb_ktoken_decode(struct bb_text text, struct bb_ktoken *ret_token);

/* Whether the record is the one of the token; clusters are not compared. */
bool bb_ktoken_same_record(const struct bb_ktoken *a, const struct bb_ktoken *b);

#endif
