/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erased people leave the change feed: one walk over all blocks, of which those that name one of
 * the ids are written again; then the histories of the ids go, and what the histories of others say
 * of them. A change keeps its number and what it says of others:
 *
 *	renamed, the new id erased	merged, into nobody
 *	any other, `profile` erased	erased, nobody
 *	`other` erased			the same, `other` nobody
 *
 * The position of an event, and the id of a ruling, go with it.
 *
 * Errors of the store, and rows that cannot be read (BB_ECORRUPT), are kept by the batch.
 */
#include <stdlib.h>

#include "feed.h"

struct forget {
	struct bb_batch *batch;
	const struct bb_hash *ids; /* sorted */
	size_t n;
	bool *ended;
	bool firsts[256]; /* first bytes that there are: nearly every id is passed over by it */
	struct bb_buf buf;
};

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, BB_HASH_BYTES);
}

static const struct bb_hash *find(const struct forget *forget, const struct bb_hash *id)
{
	return forget->firsts[id->b[0]] ? bsearch(id, forget->ids, forget->n, sizeof(*id), by_bytes)
					: NULL;
}

/* False: it names none of them. */
static bool scrub(struct forget *forget, struct bb_feed_entry *entry)
{
	const struct bb_hash *profile = find(forget, &entry->profile), *ended = NULL;
	const struct bb_hash *other =
		bb_feed_has_other(entry->kind) ? find(forget, &entry->other) : NULL;
	static const struct bb_hash nobody;

	if (!profile && !other)
		return false;
	if (entry->kind == BB_CHANGE_MERGED || entry->kind == BB_CHANGE_ERASED)
		ended = profile;
	else if (entry->kind == BB_CHANGE_RENAMED)
		ended = other;
	if (ended)
		forget->ended[ended - forget->ids] = true;
	entry->has_position = false;
	if (!profile) {
		entry->other = nobody;
	} else if (entry->kind == BB_CHANGE_RENAMED && !other &&
		   bb_change_is_somebody(&entry->other)) {
		entry->kind = BB_CHANGE_MERGED;
		entry->profile = entry->other;
		entry->other = nobody;
	} else {
		entry->kind = BB_CHANGE_ERASED;
		entry->profile = nobody;
	}
	return true;
}

/* The block in forget->buf as it is without them; false: it is as it was, or damaged. */
static bool scrub_block(struct forget *forget, struct bb_text value)
{
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_feed_block block = bb_feed_get_block(&cur);
	struct bb_buf entries = BB_BUF_EMPTY;
	bool scrubbed = false;

	for (uint64_t i = 0; i < block.n && !cur.bad; i++) {
		struct bb_feed_entry entry = bb_feed_get_entry(&cur);

		if (!cur.bad && scrub(forget, &entry)) {
			scrubbed = true;
			if (entry.cause == BB_CAUSE_RULING)
				block.cause_id.n = 0;
		}
		bb_feed_put_entry(&entries, &entry);
	}
	if (cur.bad)
		bb_batch_fail(forget->batch, BB_ECORRUPT);
	forget->buf.n = 0;
	bb_feed_put_block(&forget->buf, &block);
	bb_buf_text(&forget->buf, bb_buf_slice(&entries));
	bb_buf_fini(&entries);
	return scrubbed && !cur.bad;
}

static void store(struct forget *forget, struct bb_text key, bool keep)
{
	struct bb_batch *batch = forget->batch;
	int rc = BB_OK;

	if (batch->err == BB_OK)
		rc = keep ? bb_kv_put(batch->kv, BB_TABLE_CHANGE, key, bb_buf_slice(&forget->buf))
			  : bb_kv_del(batch->kv, BB_TABLE_CHANGE, key);
	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}

static void walk_feed(struct forget *forget)
{
	struct bb_batch *batch = forget->batch;
	uint8_t from[BB_FEED_KEY_BYTES] = {0};
	struct bb_text key, value;
	bool after = false;

	for (; batch->err == BB_OK; after = true) {
		int rc = bb_kv_seek(batch->kv, BB_TABLE_CHANGE, bb_text_bytes(from, sizeof(from)),
				    after, &key, &value);

		if (rc != BB_OK && rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
		if (rc != BB_OK || key.n != sizeof(from))
			return;
		memcpy(from, key.p, sizeof(from));
		if (scrub_block(forget, value))
			store(forget, bb_text_bytes(from, sizeof(from)), true);
	}
}

/* The row of the same number under the id at the change's other end, that stays. */
static void scrub_twin(struct forget *forget, const struct bb_hash *id, uint64_t number)
{
	struct bb_batch *batch = forget->batch;
	uint8_t bytes[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_text key = bb_feed_history_key(bytes, id, number), value;
	int rc = batch->err == BB_OK ? bb_kv_get(batch->kv, BB_TABLE_CHANGE, key, &value)
				     : BB_ENOTFOUND;

	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	if (rc != BB_OK || !scrub_block(forget, value))
		return;
	struct bb_cursor cur = bb_cursor_of(bb_buf_slice(&forget->buf));

	bb_feed_get_block(&cur);
	store(forget, key, bb_feed_get_entry(&cur).kind != BB_CHANGE_ERASED);
}

static void walk_history(struct forget *forget, const struct bb_hash *id)
{
	struct bb_batch *batch = forget->batch;
	uint8_t from[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_text key, value;

	bb_feed_history_key(from, id, 0);
	while (batch->err == BB_OK) {
		int rc = bb_kv_seek(batch->kv, BB_TABLE_CHANGE, bb_text_bytes(from, sizeof(from)),
				    false, &key, &value);

		if (rc != BB_OK && rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
		if (rc != BB_OK || key.n != sizeof(from) ||
		    memcmp(key.p, from, 1 + BB_HASH_BYTES) != 0)
			return;
		memcpy(from, key.p, sizeof(from));
		struct bb_cursor cur = bb_cursor_of(value);
		struct bb_feed_block block = bb_feed_get_block(&cur);
		struct bb_feed_entry entry = bb_feed_get_entry(&cur);
		const struct bb_hash *twin =
			bb_hash_equal(&entry.profile, id) ? &entry.other : &entry.profile;

		if (cur.bad || block.n != 1) {
			bb_batch_fail(batch, BB_ECORRUPT);
			return;
		}
		if (!find(forget, twin))
			scrub_twin(forget, twin, bb_key_read(from + 1 + BB_HASH_BYTES, 8));
		store(forget, bb_text_bytes(from, sizeof(from)), false);
	}
}

void bb_forget_ids(struct bb_batch *batch, const struct bb_hash *ids, size_t n, bool *ended)
{
	struct forget forget = {.batch = batch, .ids = ids, .n = n, .ended = ended};

	for (size_t i = 0; i < n; i++)
		forget.firsts[ids[i].b[0]] = true;
	walk_feed(&forget);
	for (size_t i = 0; i < n; i++)
		walk_history(&forget, &ids[i]);
	bb_buf_fini(&forget.buf);
}
