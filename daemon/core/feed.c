/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Appending to the change feed. Entries gather in a block; a full one is written under the number
 * of its last change, so that seeking a number finds the block that it is in. The end of a batch
 * drops whole blocks from the old end: those beyond the bound and those that are too old, at most
 * so many more than were written, so that a lowered bound is reached over some batches. The blocks
 * of the batch itself stay, however many.
 *
 * What is more than an update or a creation is also written as the history of both its ids, which
 * stays when the feed drops it; of each id the newest are kept (and a few more until it is looked
 * at).
 *
 * Errors of the store, and rows that cannot be read (BB_ECORRUPT), are kept by the batch.
 */
#include "feed.h"

#include <backbone/clock.h>

#define TRIM_FACTOR                                                                                \
	2 /* blocks dropped for each that was written, at most; and so many besides:               \
	   */
#define TRIM_EXTRA 8
#define HISTORY_LOOK 16 /* every so many numbers the length of a history is looked at */

struct bb_text bb_feed_key(uint8_t out[BB_FEED_KEY_BYTES], uint64_t number)
{
	bb_key_u64(out, number);
	return bb_text_bytes(out, BB_FEED_KEY_BYTES);
}

struct bb_text bb_feed_history_key(uint8_t out[BB_FEED_HISTORY_KEY_BYTES], const struct bb_hash *id,
				   uint64_t number)
{
	out[0] = 0xff;
	memcpy(out + 1, id->b, BB_HASH_BYTES);
	bb_key_u64(out + 1 + BB_HASH_BYTES, number);
	return bb_text_bytes(out, BB_FEED_HISTORY_KEY_BYTES);
}

void bb_feed_put_block(struct bb_buf *buf, const struct bb_feed_block *block)
{
	bb_put_u64(buf, block->n);
	bb_put_i64(buf, block->at_ms);
	bb_put_text(buf, block->cause_id);
}

struct bb_feed_block bb_feed_get_block(struct bb_cursor *cur)
{
	struct bb_feed_block block = {.n = bb_get_count(cur)};

	block.at_ms = bb_get_time(cur);
	block.cause_id = bb_get_text(cur);
	if (block.n == 0)
		cur->bad = true;
	return block;
}

/* One number: kind, cause, whether there is a position, and what is left of the cause. */
#define KIND_BITS 4
#define CAUSE_BITS 2
#define MORE_CAUSE_BITS 1
#define HEAD_BITS (KIND_BITS + CAUSE_BITS + 1 + MORE_CAUSE_BITS)
_Static_assert(BB_CHANGE_KIND_COUNT <= 1 << KIND_BITS, "a kind has its bits");
_Static_assert(BB_CAUSE_COUNT <= 1 << (CAUSE_BITS + MORE_CAUSE_BITS), "a cause has its bits");

void bb_feed_put_entry(struct bb_buf *buf, const struct bb_feed_entry *entry)
{
	uint64_t cause = (uint64_t)entry->cause;

	bb_put_u64(buf, (uint64_t)entry->kind | (cause & ((1u << CAUSE_BITS) - 1)) << KIND_BITS |
				(uint64_t)entry->has_position << (KIND_BITS + CAUSE_BITS) |
				cause >> CAUSE_BITS << (HEAD_BITS - MORE_CAUSE_BITS));
	bb_put_hash(buf, &entry->profile);
	if (bb_feed_has_other(entry->kind))
		bb_put_hash(buf, &entry->other);
	if (!entry->has_position)
		return;
	bb_put_u64(buf, entry->topic);
	bb_put_i64(buf, entry->partition);
	bb_put_i64(buf, entry->offset);
}

struct bb_feed_entry bb_feed_get_entry(struct bb_cursor *cur)
{
	uint64_t head = bb_get_u64(cur), kind = head & ((1u << KIND_BITS) - 1);
	uint64_t cause = (head >> KIND_BITS & ((1u << CAUSE_BITS) - 1)) |
			 head >> (HEAD_BITS - MORE_CAUSE_BITS) << CAUSE_BITS;
	int64_t partition;
	struct bb_feed_entry entry = {.kind = (enum bb_change_kind)kind,
				      .cause = (enum bb_change_cause)cause,
				      .has_position = head >> (KIND_BITS + CAUSE_BITS) & 1,
				      .profile = bb_get_hash(cur)};

	if (kind >= BB_CHANGE_KIND_COUNT || cause >= BB_CAUSE_COUNT || head >> HEAD_BITS)
		cur->bad = true;
	if (bb_feed_has_other(entry.kind))
		entry.other = bb_get_hash(cur);
	if (!entry.has_position)
		return entry;
	entry.topic = bb_get_u64(cur);
	partition = bb_get_i64(cur);
	entry.offset = bb_get_i64(cur);
	if (partition < INT32_MIN || partition > INT32_MAX)
		cur->bad = true;
	entry.partition = (int32_t)partition;
	return entry;
}

/* --- appending -------------------------------------------------------------------------------- */

void bb_feed_begin(struct bb_feed *feed, struct bb_batch *batch)
{
	*feed = (struct bb_feed){.batch = batch, .at_ms = bb_clock_wall_ms()};
	bb_batch_counter(batch, BB_FEED_LAST, &feed->last);
	if (feed->last > INT64_MAX)
		bb_batch_fail(batch, BB_ECORRUPT);
	feed->first = feed->last + 1;
}

static bool put(struct bb_batch *batch, struct bb_text key, struct bb_text value)
{
	int rc = batch->err == BB_OK ? bb_kv_put(batch->kv, BB_TABLE_CHANGE, key, value) : BB_OK;

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	return batch->err == BB_OK;
}

static void del(struct bb_batch *batch, struct bb_text key)
{
	int rc = batch->err == BB_OK ? bb_kv_del(batch->kv, BB_TABLE_CHANGE, key) : BB_OK;

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}

static void write_block(struct bb_feed *feed)
{
	struct bb_batch *batch = feed->batch;
	uint8_t key[BB_FEED_KEY_BYTES];

	if (!feed->entry_n)
		return;
	if (!batch->rules->changes_max) { /* the number counts, and nothing is kept */
		feed->entries.n = 0;
		feed->entry_n = 0;
		return;
	}
	batch->buf.n = 0;
	bb_feed_put_block(&batch->buf,
			  &(struct bb_feed_block){feed->entry_n, feed->at_ms, batch->cause_id});
	bb_buf_text(&batch->buf, bb_buf_slice(&feed->entries));
	put(batch, bb_feed_key(key, feed->last), bb_buf_slice(&batch->buf));
	feed->entries.n = 0;
	feed->entry_n = 0;
	feed->block_n++;
}

/* The row of an id's history at or behind a number; false: there is none (or the batch failed). */
static bool history_at(struct bb_batch *batch, const struct bb_hash *id, uint64_t number,
		       uint64_t *ret_number, struct bb_text *ret_value)
{
	uint8_t from[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_text key;
	int rc = BB_ENOTFOUND;

	if (batch->err == BB_OK)
		rc = bb_kv_seek(batch->kv, BB_TABLE_CHANGE, bb_feed_history_key(from, id, number),
				false, &key, ret_value);
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	if (rc != BB_OK || key.n != sizeof(from) || memcmp(key.p, from, 1 + BB_HASH_BYTES) != 0)
		return false;
	*ret_number = bb_key_read(key.p + 1 + BB_HASH_BYTES, 8);
	return true;
}

/* A copy of the entry of a row of history. False: it is damaged. */
static bool history_entry(struct bb_batch *batch, struct bb_text value,
			  struct bb_feed_block *ret_block, struct bb_feed_entry *ret_entry)
{
	struct bb_cursor cur = bb_cursor_of(bb_arena_copy(&batch->arena, value));

	*ret_block = bb_feed_get_block(&cur);
	*ret_entry = bb_feed_get_entry(&cur);
	if (cur.bad || ret_block->n != 1)
		bb_batch_fail(batch, BB_ECORRUPT);
	return batch->err == BB_OK;
}

/* The row goes from under both its ids, so that neither keeps what the other has forgotten. */
static void drop_history(struct bb_batch *batch, uint64_t number, const struct bb_feed_entry *entry)
{
	const struct bb_hash *ids[] = {&entry->profile, &entry->other};
	uint8_t key[BB_FEED_HISTORY_KEY_BYTES];

	for (size_t i = 0; i < 2; i++) {
		struct bb_text value;
		uint64_t at;

		if (bb_change_is_somebody(ids[i]) &&
		    history_at(batch, ids[i], number, &at, &value) && at == number)
			del(batch, bb_feed_history_key(key, ids[i], number));
	}
}

/* Leaves the newest rows of an id. */
static void bound_history(struct bb_batch *batch, const struct bb_hash *id)
{
	struct bb_feed_block block;
	struct bb_feed_entry entry;
	struct bb_text value;
	uint64_t number = 0, n = 0;

	while (history_at(batch, id, number, &number, &value)) {
		n++;
		number++;
	}
	for (; n > BB_CHANGE_HISTORY_MAX && history_at(batch, id, 0, &number, &value); n--)
		if (history_entry(batch, value, &block, &entry))
			drop_history(batch, number, &entry);
}

static void put_history(struct bb_feed *feed, const struct bb_feed_entry *entry)
{
	struct bb_batch *batch = feed->batch;
	const struct bb_hash *ids[] = {&entry->profile, &entry->other};
	uint8_t key[BB_FEED_HISTORY_KEY_BYTES];

	for (size_t i = 0; i < 2; i++) {
		if (!bb_change_is_somebody(ids[i]))
			continue;
		batch->buf.n = 0;
		bb_feed_put_block(&batch->buf,
				  &(struct bb_feed_block){1, feed->at_ms, batch->cause_id});
		bb_feed_put_entry(&batch->buf, entry);
		put(batch, bb_feed_history_key(key, ids[i], feed->last), bb_buf_slice(&batch->buf));
		if (feed->last % HISTORY_LOOK == 0)
			bound_history(batch, ids[i]);
	}
}

void bb_feed_add(struct bb_feed *feed, const struct bb_feed_entry *entry)
{
	if (feed->entries.n + feed->batch->cause_id.n > BB_FEED_BLOCK_BYTES - 96)
		write_block(feed);
	feed->last++;
	feed->entry_n++;
	bb_feed_put_entry(&feed->entries, entry);
	if (bb_feed_has_other(entry->kind))
		put_history(feed, entry);
}

/* The oldest block, if it is to go; its last number. */
static bool is_overdue(const struct bb_feed *feed, uint64_t *ret_last)
{
	const struct bb_rules *rules = feed->batch->rules;
	struct bb_batch *batch = feed->batch;
	uint8_t from[BB_FEED_KEY_BYTES];
	struct bb_text key, value;
	int rc = bb_kv_seek(batch->kv, BB_TABLE_CHANGE, bb_feed_key(from, 0), false, &key, &value);

	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	if (rc != BB_OK || key.n != BB_FEED_KEY_BYTES)
		return false;
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_feed_block block = bb_feed_get_block(&cur);

	*ret_last = bb_key_read(key.p, 8);
	if (cur.bad || block.n > *ret_last) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return false;
	}
	if (*ret_last >= feed->first)
		return false;
	return feed->last - (*ret_last - block.n) > rules->changes_max ||
	       block.at_ms < feed->at_ms - rules->changes_age_ms;
}

static void trim(struct bb_feed *feed)
{
	uint64_t left = TRIM_FACTOR * feed->block_n + TRIM_EXTRA, last;
	uint8_t key[BB_FEED_KEY_BYTES];

	while (left-- && feed->batch->err == BB_OK && is_overdue(feed, &last))
		del(feed->batch, bb_feed_key(key, last));
}

void bb_feed_end(struct bb_feed *feed)
{
	struct bb_batch *batch = feed->batch;
	uint8_t bytes[8];

	write_block(feed);
	trim(feed);
	bb_buf_fini(&feed->entries);
	if (feed->last < feed->first || batch->err != BB_OK)
		return;
	bb_key_u64(bytes, feed->last);
	int rc = bb_kv_put(batch->kv, BB_TABLE_META, BB_FEED_LAST,
			   bb_text_bytes(bytes, sizeof(bytes)));

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
}
