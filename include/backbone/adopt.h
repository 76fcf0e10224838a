/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changed rules, applied to the past (identity.md §9): a second store is made from the records of
 * the first under the new rules, without any topic. The result equals a store that saw all events
 * under them, but for what was never kept: raw values (so `normalise`, `region` and `derive` act on
 * new events only), and identifiers of namespaces that were not configured then.
 */
#ifndef BACKBONE_ADOPT_H
#define BACKBONE_ADOPT_H

#include <backbone/arena.h>
#include <backbone/buf.h>
#include <backbone/hash.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

/* Where the second store is written: slice by slice, each in a transaction. */
struct bb_adopt_target {
	int (*write_begin)(void *ctx, struct bb_kv **ret_kv);
	int (*write_commit)(struct bb_kv *kv);
	void (*write_abort)(struct bb_kv *kv);
	/* May be NULL. So much of it is done, from 0 to 1000; false: give it up, with BB_EBUSY. */
	bool (*progress)(void *ctx, unsigned permille);
	void *ctx;
};

/*
 * `from` is a snapshot that stays as it is; the target is empty. Everything is taken along:
 * rulings, tombstones, positions, dead letters, the window of names, the audit log, and the change
 * feed, to which it adds what the new rules do. BB_OK; BB_EBUSY; BB_EINVAL: the target is not
 * empty; or the error of either store: then the target is to be thrown away. On a thread of the
 * pool: it takes some 50 us a record.
 */
BB_MUST_CHECK int bb_adopt(struct bb_kv *from, const struct bb_rules *rules,
			   const struct bb_adopt_target *target);

/*
 * How many identifiers `from` has of namespaces that are not in `rules`: they would be lost for
 * good. The names of those namespaces are appended to `names`, with commas. BB_OK, BB_ECORRUPT or
 * the store's error. It walks all identifiers where there is such a namespace, else it is quick.
 */
BB_MUST_CHECK int bb_adopt_dropped(struct bb_kv *from, const struct bb_rules *rules,
				   struct bb_buf *names, uint64_t *ret_count);

/* How the second store differs. */
enum bb_difference_kind {
	BB_DIFFERENCE_MERGED,	/* profile `a` is no more, it went into `b` */
	BB_DIFFERENCE_SPLIT,	/* `a` is new, it came out of `b` */
	BB_DIFFERENCE_CREATED,	/* `a` is new, of identifiers that were nobody's */
	BB_DIFFERENCE_RENAMED,	/* `a` is the new id of `b` */
	BB_DIFFERENCE_GONE,	/* `a` is no more, and in nobody */
	BB_DIFFERENCE_SHARED,	/* identifier ns:value is shared now */
	BB_DIFFERENCE_UNSHARED, /* or no longer */
	BB_DIFFERENCE_BLOCKED,
	BB_DIFFERENCE_UNBLOCKED,
	BB_DIFFERENCE_DROPPED, /* its namespace is no longer configured */
	BB_DIFFERENCE_KIND_COUNT
};

struct bb_difference {
	enum bb_difference_kind kind;
	struct bb_hash a, b;	  /* ids */
	struct bb_text ns, value; /* of an identifier; until the call returns */
};

/* Tells every difference, in no order that means something. BB_OK or the error of either store. */
BB_MUST_CHECK int bb_adopt_compare(struct bb_kv *from, struct bb_kv *to,
				   void (*tell)(void *ctx, const struct bb_difference *difference),
				   void *ctx);

#endif
