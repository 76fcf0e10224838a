/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Look-ups against one snapshot of the store at a time: begun by the first look-up of a turn, ended
 * by the turn's owner. Thread: the loop's. Slices of a view live until the next look-up or the end.
 */
#ifndef SERVE_LOOKUP_H
#define SERVE_LOOKUP_H

#include "cache.h"

#include <backbone/store.h>
#include <backbone/view.h>

struct bb_lookup {
	struct bb_store_reader *reader;
	struct bb_viewer *viewer;
	struct bb_kv *kv; /* NULL: no snapshot is open */
	uint64_t version; /* of the snapshot */
	const struct bb_rules *rules;
	struct bb_cache cache;
};

BB_MUST_CHECK int bb_lookup_init(struct bb_lookup *lookup, struct bb_store *store,
				 size_t cache_bytes, const struct bb_rules *rules);
void bb_lookup_fini(struct bb_lookup *lookup);

/* Other rules from now on; no snapshot is open. */
void bb_lookup_rules_set(struct bb_lookup *lookup, const struct bb_rules *rules);

/* The snapshot; begun if there is none. Ends with bb_lookup_end, which may be called without one.
 */
BB_MUST_CHECK int bb_lookup_begin(struct bb_lookup *lookup, struct bb_kv **ret_kv);
void bb_lookup_end(struct bb_lookup *lookup);

/* As bb_viewer_find, in the snapshot. */
BB_MUST_CHECK int bb_lookup_find(struct bb_lookup *lookup, struct bb_text key,
				 struct bb_found *ret_found);
BB_MUST_CHECK int bb_lookup_view(struct bb_lookup *lookup, struct bb_text key,
				 const struct bb_view **ret_view);

/* As bb_viewer_owners, in the snapshot: of a shared identifier, whom it came with. */
BB_MUST_CHECK int bb_lookup_owners(struct bb_lookup *lookup, struct bb_text key,
				   struct bb_buf *buf);

/* Appends the JSON of the view; `buf` is as it was if the result is not BB_OK. */
BB_MUST_CHECK int bb_lookup_json(struct bb_lookup *lookup, struct bb_text key, struct bb_buf *buf);

/*
 * Whether the error of a look-up only says that nobody is there: not found, blocked, or a value
 * that is not a canonical one of its namespace. A key of no namespace at all is a mistake.
 */
bool bb_lookup_is_nobody(const struct bb_lookup *lookup, int err, struct bb_text key);

/* What is wrong with a key that gave BB_EINVAL, for people: unknown namespace, or
 * not canonical, or neither of the two forms. */
void bb_lookup_explain(const struct bb_lookup *lookup, struct bb_text key, struct bb_buf *buf);

/* `a,b,c` of members of a view into a mask for bb_view_json. False: *ret_bad is the first unknown
 * one; then bb_lookup_parts_list appends those that there are. */
bool bb_lookup_parts(struct bb_text list, unsigned *ret_parts, struct bb_text *ret_bad);
void bb_lookup_parts_list(struct bb_buf *buf);

#endif
