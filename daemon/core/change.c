/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the change feed: a number is found by the block that it is in, a history by the rows of
 * its id. Topics are read by their interned numbers.
 *
 * A row that cannot be read, or a name that is not there, is BB_ECORRUPT.
 */
#include <backbone/change.h>

#include "feed.h"
#include "names.h"

static const char *const kinds[] = {
#define X(name, text) text,
	BB_CHANGE_KINDS(X)
#undef X
};

static const char *const causes[] = {
#define X(name, text) text,
	BB_CHANGE_CAUSES(X)
#undef X
};

const char *bb_change_kind_text(enum bb_change_kind kind)
{
	return kinds[kind];
}

bool bb_change_is_somebody(const struct bb_hash *id)
{
	static const struct bb_hash nobody;

	return !bb_hash_equal(id, &nobody);
}

/* The change that an entry is; what it points to is copied. */
static int change_of(struct bb_kv *kv, const struct bb_feed_block *block,
		     const struct bb_feed_entry *entry, struct bb_arena *arena,
		     struct bb_change *ret_change)
{
	struct bb_text topic;
	int rc;

	*ret_change = (struct bb_change){.number = ret_change->number,
					 .kind = entry->kind,
					 .profile = entry->profile,
					 .other = entry->other,
					 .at_ms = block->at_ms,
					 .cause = entry->cause,
					 .cause_id = {"", 0}};
	if (entry->cause == BB_CAUSE_RULING || entry->cause == BB_CAUSE_ERASURE)
		ret_change->cause_id = bb_arena_copy(arena, block->cause_id);
	if (!entry->has_position)
		return BB_OK;
	rc = bb_names_read(kv, BB_NAME_TOPIC, entry->topic, &topic);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	ret_change->position =
		(struct bb_position){bb_arena_copy(arena, topic), entry->partition, entry->offset};
	return BB_OK;
}

int bb_change_next(struct bb_kv *kv, uint64_t after, struct bb_arena *arena,
		   struct bb_change *ret_change)
{
	struct bb_feed_entry entry = {0};
	struct bb_text key, value;
	uint8_t from[BB_FEED_KEY_BYTES];
	int rc;

	if (after >= INT64_MAX)
		return BB_ENOTFOUND;
	rc = bb_kv_seek(kv, BB_TABLE_CHANGE, bb_feed_key(from, after + 1), false, &key, &value);
	if (rc != BB_OK)
		return rc;
	if (key.n != BB_FEED_KEY_BYTES)
		return BB_ENOTFOUND;
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_feed_block block = bb_feed_get_block(&cur);
	uint64_t last = bb_key_read(key.p, 8), first = last - block.n + 1;

	if (cur.bad || block.n > last)
		return BB_ECORRUPT;
	ret_change->number = first > after ? first : after + 1;
	for (uint64_t n = first; n <= ret_change->number && !cur.bad; n++)
		entry = bb_feed_get_entry(&cur);
	return cur.bad ? BB_ECORRUPT : change_of(kv, &block, &entry, arena, ret_change);
}

int bb_change_range(struct bb_kv *kv, uint64_t *ret_first, uint64_t *ret_last)
{
	struct bb_text key, value;
	uint8_t from[BB_FEED_KEY_BYTES];
	uint64_t last;
	int rc = bb_kv_get(kv, BB_TABLE_META, BB_FEED_LAST, &value);

	*ret_first = *ret_last = 0;
	if (rc == BB_ENOTFOUND)
		return BB_OK;
	if (rc != BB_OK)
		return rc;
	if (value.n != 8)
		return BB_ECORRUPT;
	last = bb_key_read(value.p, 8);
	rc = bb_kv_seek(kv, BB_TABLE_CHANGE, bb_feed_key(from, 0), false, &key, &value);
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		return rc;
	*ret_first = last + 1;
	if (rc == BB_OK && key.n == BB_FEED_KEY_BYTES) {
		struct bb_cursor cur = bb_cursor_of(value);
		struct bb_feed_block block = bb_feed_get_block(&cur);

		*ret_first = bb_key_read(key.p, 8) - block.n + 1;
		if (cur.bad || *ret_first > last)
			return BB_ECORRUPT;
	}
	*ret_last = last;
	return BB_OK;
}

int bb_change_history(struct bb_kv *kv, const struct bb_hash *profile, uint64_t *cursor,
		      struct bb_arena *arena, struct bb_change *ret_change)
{
	uint8_t from[BB_FEED_HISTORY_KEY_BYTES];
	struct bb_text key, value;
	int rc;

	if (*cursor >= INT64_MAX)
		return BB_ENOTFOUND;
	rc = bb_kv_seek(kv, BB_TABLE_CHANGE, bb_feed_history_key(from, profile, *cursor + 1), false,
			&key, &value);
	if (rc != BB_OK)
		return rc;
	if (key.n != sizeof(from) || memcmp(key.p, from, 1 + BB_HASH_BYTES) != 0)
		return BB_ENOTFOUND;
	struct bb_cursor cur = bb_cursor_of(value);
	struct bb_feed_block block = bb_feed_get_block(&cur);
	struct bb_feed_entry entry = bb_feed_get_entry(&cur);

	if (cur.bad || block.n != 1)
		return BB_ECORRUPT;
	ret_change->number = bb_key_read(key.p + 1 + BB_HASH_BYTES, 8);
	*cursor = ret_change->number;
	return change_of(kv, &block, &entry, arena, ret_change);
}

static void put_id(struct bb_buf *buf, const char *name, const struct bb_hash *hash)
{
	char id[BB_PROFILE_ID_BYTES];

	if (!bb_change_is_somebody(hash)) {
		bb_buf_printf(buf, ",\"%s\":null", name);
		return;
	}
	bb_hash_profile_id(hash, id);
	bb_buf_printf(buf, ",\"%s\":\"%.*s\"", name, (int)sizeof(id), id);
}

void bb_change_json(const struct bb_change *change, struct bb_buf *buf)
{
	char at[BB_ISO_BYTES];

	bb_clock_iso(change->at_ms, at);
	bb_buf_printf(buf, "{\"number\":%llu,\"kind\":\"%s\"", (unsigned long long)change->number,
		      kinds[change->kind]);
	put_id(buf, "profile", &change->profile);
	if (bb_feed_has_other(change->kind))
		put_id(buf, "other", &change->other);
	bb_buf_printf(buf, ",\"time\":\"%.*s\",\"cause\":\"%s\"", (int)sizeof(at), at,
		      causes[change->cause]);
	if (change->cause_id.n) {
		bb_buf_printf(buf, ",\"cause_id\":");
		bb_buf_json(buf, change->cause_id);
	}
	if (change->position.topic.p) {
		bb_buf_printf(buf, ",\"position\":{\"topic\":");
		bb_buf_json(buf, change->position.topic);
		bb_buf_printf(buf, ",\"partition\":%d,\"offset\":%lld}",
			      (int)change->position.partition, (long long)change->position.offset);
	}
	bb_buf_byte(buf, '}');
}
