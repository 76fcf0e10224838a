/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the change feed. Keys of the table CHANGE:
 *
 *	number u64		-> a block: the changes up to and with this number
 *	0xff, id, number u64	-> a block of one: what is kept as the history of an id
 *
 * The last number ever given is in META. Changes of one transaction share blocks, as there may be
 * thousands of a few bytes each; a full block is a page of the store.
 */
#ifndef BB_CORE_FEED_H
#define BB_CORE_FEED_H

#include "batch.h"

#define BB_FEED_BLOCK_BYTES 3900 /* payload; with its seal it fills a page */
#define BB_FEED_LAST BB_TEXT("changes")
#define BB_FEED_KEY_BYTES 8
#define BB_FEED_HISTORY_KEY_BYTES 25

/* A change as it is stored: what the block says for all is left out. */
struct bb_feed_entry {
	enum bb_change_kind kind;
	enum bb_change_cause cause;
	struct bb_hash profile, other;
	bool has_position;
	uint64_t topic; /* interned */
	int32_t partition;
	int64_t offset;
};

struct bb_feed_block {
	uint64_t n;
	int64_t at_ms;
	struct bb_text cause_id; /* of the entries whose cause has one */
};

struct bb_text bb_feed_key(uint8_t out[BB_FEED_KEY_BYTES], uint64_t number);
struct bb_text bb_feed_history_key(uint8_t out[BB_FEED_HISTORY_KEY_BYTES], const struct bb_hash *id,
				   uint64_t number);

void bb_feed_put_block(struct bb_buf *buf, const struct bb_feed_block *block);
void bb_feed_put_entry(struct bb_buf *buf, const struct bb_feed_entry *entry);
/* What is damaged sets cur->bad. */
struct bb_feed_block bb_feed_get_block(struct bb_cursor *cur);
struct bb_feed_entry bb_feed_get_entry(struct bb_cursor *cur);

static inline bool bb_feed_has_other(enum bb_change_kind kind)
{
	return kind == BB_CHANGE_MERGED || kind == BB_CHANGE_SPLIT || kind == BB_CHANGE_RENAMED;
}

/* Appending, for a batch: begin, add, end. Errors are the batch's. */
struct bb_feed {
	struct bb_batch *batch;
	uint64_t first, last; /* number of the first that is added here, and the last given */
	int64_t at_ms;
	struct bb_buf entries; /* of the block that is being filled */
	uint64_t entry_n, block_n;
};

void bb_feed_begin(struct bb_feed *feed, struct bb_batch *batch);
void bb_feed_add(struct bb_feed *feed, const struct bb_feed_entry *entry);
/* Writes what is left, drops what is too old or too much, and keeps the last number. */
void bb_feed_end(struct bb_feed *feed);

/* forget.c: takes ids (sorted) out of all older changes and histories, as change.h says; sets
 * ended[i] of each that a change had ended. */
void bb_forget_ids(struct bb_batch *batch, const struct bb_hash *ids, size_t n, bool *ended);

#endif
