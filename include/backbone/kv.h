/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store as `core` and `ingest` see it: ordered tables of byte keys and values inside one
 * transaction. Implemented on LMDB by daemon/store and in memory by tests/support. Each value
 * carries format, length and checksum on disk; callers see only the payload.
 *
 * Lifetime: what get and the cursor return is valid until the next put or del in the transaction,
 * or its end. Thread: a transaction belongs to one thread at a time. Keys are 1..64 bytes.
 */
#ifndef BACKBONE_KV_H
#define BACKBONE_KV_H

#include <backbone/error.h>
#include <backbone/text.h>

#define BB_KV_KEY_MAX 64

/* Tables and what their keys are; integers in keys are big-endian. The schema of the values is
 * their user's. */
#define BB_TABLES(X)                                                                               \
	X(META, "meta")		    /* text -> small values: format, counters */                   \
	X(NAME, "name")		    /* kind u8, id u32 -> text: interned names */                  \
	X(IDENTIFIER, "identifier") /* hash of the identifier -> row of the identifier */          \
	X(MEMBERSHIP, "membership") /* hash of identifier, hash of record -> place of record */    \
	X(PROFILE, "profile")	    /* cluster u64, 0 -> profile; cluster u64, n u32 -> record */  \
	X(LEDGER, "ledger")	    /* hash of source and amount key -> candidates */              \
	X(WINDOW, "window")	    /* minute u32, hash of source and id -> fingerprint */         \
	X(OFFSET, "offset")	    /* topic or file NUL partition u32 -> next offset, counters */ \
	X(DEAD_LETTER, "dead_letter") /* number u64 -> reason, position, original bytes */         \
	X(RULING, "ruling")	      /* rulings by id, and what they are on: ruling.c */          \
	X(TOMBSTONE, "tombstone")     /* what was erased, as keyed hashes: tombstone.c */          \
	X(CHANGE, "change")	      /* number u64 -> change; profile, number -> history */       \
	X(AUDIT, "audit")	      /* number u64 -> who did what, chained by hashes */

enum bb_table {
#define X(name, text) BB_TABLE_##name,
	BB_TABLES(X)
#undef X
		BB_TABLE_COUNT
};

struct bb_kv;

struct bb_kv_ops {
	/* BB_OK, BB_ENOTFOUND, BB_ECORRUPT, BB_EIO. */
	int (*get)(struct bb_kv *kv, enum bb_table table, struct bb_text key,
		   struct bb_text *ret_value);
	/* BB_OK, BB_ENOSPC, BB_EIO. Copies key and value. */
	int (*put)(struct bb_kv *kv, enum bb_table table, struct bb_text key, struct bb_text value);
	/* BB_OK, BB_ENOTFOUND, BB_EIO. */
	int (*del)(struct bb_kv *kv, enum bb_table table, struct bb_text key);
	/*
	 * The first entry whose key is >= `from`; then call again with `from` = the key found and
	 * `after` = true for the one behind it. BB_ENOTFOUND at the end.
	 */
	int (*seek)(struct bb_kv *kv, enum bb_table table, struct bb_text from, bool after,
		    struct bb_text *ret_key, struct bb_text *ret_value);
};

struct bb_kv {
	const struct bb_kv_ops *ops;
};

static inline BB_MUST_CHECK int bb_kv_get(struct bb_kv *kv, enum bb_table table, struct bb_text key,
					  struct bb_text *ret_value)
{
	return kv->ops->get(kv, table, key, ret_value);
}

static inline BB_MUST_CHECK int bb_kv_put(struct bb_kv *kv, enum bb_table table, struct bb_text key,
					  struct bb_text value)
{
	return kv->ops->put(kv, table, key, value);
}

static inline BB_MUST_CHECK int bb_kv_del(struct bb_kv *kv, enum bb_table table, struct bb_text key)
{
	return kv->ops->del(kv, table, key);
}

static inline BB_MUST_CHECK int bb_kv_seek(struct bb_kv *kv, enum bb_table table,
					   struct bb_text from, bool after, struct bb_text *ret_key,
					   struct bb_text *ret_value)
{
	return kv->ops->seek(kv, table, from, after, ret_key, ret_value);
}

#endif
