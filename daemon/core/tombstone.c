/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tombstones as rows: what an erasure named, as keyed hashes, found again by each of them. A row
 * that is damaged is BB_ECORRUPT.
 */
#include "tombstone.h"

#include <backbone/assert.h>

static const char *const mode_names[] = {
#define X(name, text) text,
	BB_ERASURE_MODES(X)
#undef X
};

const char *bb_erasure_mode_text(enum bb_erasure_mode mode)
{
	return mode_names[mode];
}

bool bb_erasure_mode_of(struct bb_text text, enum bb_erasure_mode *ret_mode)
{
	for (int i = 0; i < BB_ERASURE_MODE_COUNT; i++)
		if (bb_text_equal(text, bb_text_of(mode_names[i]))) {
			*ret_mode = (enum bb_erasure_mode)i;
			return true;
		}
	return false;
}

struct bb_hash bb_tomb_hash_id(const struct bb_profile_key *key, struct bb_text id)
{
	struct bb_text parts[] = {BB_TEXT("erasure"), id};

	return bb_hash_parts(key, parts, 2);
}

struct bb_tomb_order bb_tomb_order(int64_t time_ms, const struct bb_hash *id)
{
	struct bb_tomb_order order;

	bb_key_u64(order.b, (uint64_t)time_ms);
	memcpy(order.b + 8, id->b, BB_HASH_BYTES);
	return order;
}

int64_t bb_tomb_time(const struct bb_tomb_order *order)
{
	return (int64_t)bb_key_read(order->b, 8);
}

/* --- keys ------------------------------------------------------------------------------------- */

#define KEY_MAX (1 + BB_HASH_BYTES + BB_TOMB_ORDER_BYTES)

/* `kind`, a hash if there is one, and n bytes behind it. */
static struct bb_text key_of(uint8_t out[KEY_MAX], char kind, const struct bb_hash *hash,
			     const void *tail, size_t n)
{
	size_t at = 1;

	out[0] = (uint8_t)kind;
	if (hash) {
		memcpy(out + at, hash->b, BB_HASH_BYTES);
		at += BB_HASH_BYTES;
	}
	if (n)
		memcpy(out + at, tail, n);
	return bb_text_bytes(out, at + n);
}

static int put_flag(struct bb_kv *kv, char kind, const struct bb_hash *hash,
		    const struct bb_tomb_order *order, struct bb_text value)
{
	uint8_t key[KEY_MAX];

	return bb_kv_put(kv, BB_TABLE_TOMBSTONE,
			 key_of(key, kind, hash, order->b, BB_TOMB_ORDER_BYTES), value);
}

/* The next key of that kind and hash behind *order. */
static int next_flag(struct bb_kv *kv, char kind, const struct bb_hash *hash,
		     struct bb_tomb_order *order, struct bb_text *ret_value)
{
	uint8_t from[KEY_MAX];
	struct bb_text key;
	int rc = bb_kv_seek(kv, BB_TABLE_TOMBSTONE,
			    key_of(from, kind, hash, order->b, BB_TOMB_ORDER_BYTES), true, &key,
			    ret_value);

	if (rc != BB_OK)
		return rc;
	if (key.n != KEY_MAX || memcmp(key.p, from, 1 + BB_HASH_BYTES) != 0)
		return BB_ENOTFOUND;
	memcpy(order->b, key.p + 1 + BB_HASH_BYTES, BB_TOMB_ORDER_BYTES);
	return BB_OK;
}

int bb_tomb_of_ident(struct bb_kv *kv, const struct bb_hash *ident, struct bb_tomb_order *order,
		     bool *ret_standing)
{
	struct bb_text value;
	int rc = next_flag(kv, 'i', ident, order, &value);

	if (rc != BB_OK)
		return rc;
	if (value.n != 1)
		return BB_ECORRUPT;
	*ret_standing = value.p[0] == 1;
	return BB_OK;
}

int bb_tomb_of_key(struct bb_kv *kv, const struct bb_hash *key, struct bb_tomb_order *order)
{
	struct bb_text value;

	return next_flag(kv, 'k', key, order, &value);
}

int bb_tomb_has_record(struct bb_kv *kv, const struct bb_hash *record,
		       const struct bb_tomb_order *order, bool *ret_has)
{
	uint8_t key[KEY_MAX];
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_TOMBSTONE,
			   key_of(key, 'r', record, order->b, BB_TOMB_ORDER_BYTES), &value);

	*ret_has = rc == BB_OK;
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

/* --- the tombstone ---------------------------------------------------------------------------- */

static void put_hashes(struct bb_buf *buf, const struct bb_hash *items, size_t n)
{
	bb_put_u64(buf, n);
	for (size_t i = 0; i < n; i++)
		bb_put_hash(buf, &items[i]);
}

static struct bb_hash *get_hashes(struct bb_cursor *cur, struct bb_arena *arena, size_t *ret_n)
{
	size_t n = bb_get_count(cur);
	struct bb_hash *items = bb_arena_zalloc(arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++)
		items[i] = bb_get_hash(cur);
	*ret_n = n;
	return items;
}

static void encode(struct bb_buf *buf, const struct bb_tomb *tomb)
{
	const struct bb_erasure_receipt *receipt = &tomb->receipt;

	bb_put_text(buf, receipt->id);
	bb_put_u64(buf, receipt->mode);
	bb_put_hash(buf, &tomb->profile);
	bb_put_u64(buf, receipt->records);
	bb_put_u64(buf, receipt->events);
	bb_put_u64(buf, receipt->stripped);
	bb_put_u64(buf, receipt->rulings);
	bb_put_u64(buf, receipt->watermark_n);
	for (size_t i = 0; i < receipt->watermark_n; i++) {
		bb_put_text(buf, receipt->watermark[i].topic);
		bb_put_i64(buf, receipt->watermark[i].partition);
		bb_put_i64(buf, receipt->watermark[i].next_offset);
	}
	bb_put_u64(buf, receipt->identifier_n);
	for (size_t i = 0; i < receipt->identifier_n; i++) {
		bb_put_hash(buf, &receipt->identifiers[i].hash);
		bb_put_u64(buf, receipt->identifiers[i].standing);
	}
	put_hashes(buf, tomb->records, tomb->record_n);
	put_hashes(buf, tomb->keys, tomb->key_n);
	for (size_t i = 0; i < receipt->watermark_n; i++) {
		bb_put_u64(buf, receipt->watermark[i].birth.known);
		bb_put_i64(buf, receipt->watermark[i].birth.offset);
		bb_put_hash(buf, &receipt->watermark[i].birth.print);
	}
}

/* One of an older program has none. */
static void get_births(struct bb_cursor *cur, struct bb_erasure_receipt *receipt)
{
	for (size_t i = 0; i < receipt->watermark_n && cur->p < cur->end; i++) {
		receipt->watermark[i].birth.known = bb_get_u64(cur) == 1;
		receipt->watermark[i].birth.offset = bb_get_i64(cur);
		receipt->watermark[i].birth.print = bb_get_hash(cur);
	}
}

static bool decode(struct bb_text bytes, struct bb_arena *arena, struct bb_tomb *ret_tomb)
{
	struct bb_cursor cur = bb_cursor_of(bb_arena_copy(arena, bytes));
	struct bb_erasure_receipt *receipt = &ret_tomb->receipt;

	*ret_tomb = (struct bb_tomb){.records = NULL};
	receipt->id = bb_get_text(&cur);
	receipt->mode = (enum bb_erasure_mode)bb_get_u64(&cur);
	ret_tomb->profile = bb_get_hash(&cur);
	receipt->records = bb_get_u64(&cur);
	receipt->events = bb_get_u64(&cur);
	receipt->stripped = bb_get_u64(&cur);
	receipt->rulings = bb_get_u64(&cur);
	receipt->watermark_n = bb_get_count(&cur);
	receipt->watermark =
		bb_arena_zalloc(arena, receipt->watermark_n * sizeof(*receipt->watermark));
	for (size_t i = 0; i < receipt->watermark_n; i++) {
		receipt->watermark[i].topic = bb_get_text(&cur);
		receipt->watermark[i].partition = (int32_t)bb_get_i64(&cur);
		receipt->watermark[i].next_offset = bb_get_i64(&cur);
	}
	receipt->identifier_n = bb_get_count(&cur);
	receipt->identifiers =
		bb_arena_zalloc(arena, receipt->identifier_n * sizeof(*receipt->identifiers));
	for (size_t i = 0; i < receipt->identifier_n; i++) {
		receipt->identifiers[i].hash = bb_get_hash(&cur);
		receipt->identifiers[i].standing = bb_get_u64(&cur) == 1;
	}
	ret_tomb->records = get_hashes(&cur, arena, &ret_tomb->record_n);
	ret_tomb->keys = get_hashes(&cur, arena, &ret_tomb->key_n);
	receipt->keys = ret_tomb->key_n;
	get_births(&cur, receipt);
	return !cur.bad && cur.p == cur.end && receipt->mode < BB_ERASURE_MODE_COUNT;
}

/* All rows but the tombstone's own. */
static int put_ways(struct bb_kv *kv, const struct bb_tomb_order *order, const struct bb_tomb *tomb)
{
	const struct bb_erasure_receipt *receipt = &tomb->receipt;
	struct bb_hash id;
	uint8_t key[KEY_MAX];
	int rc;

	memcpy(id.b, order->b + 8, BB_HASH_BYTES);
	rc = bb_kv_put(kv, BB_TABLE_TOMBSTONE, key_of(key, 'q', &id, NULL, 0),
		       bb_text_bytes(order->b, BB_TOMB_ORDER_BYTES));
	for (size_t i = 0; rc == BB_OK && i < receipt->identifier_n; i++)
		rc = put_flag(kv, 'i', &receipt->identifiers[i].hash, order,
			      bb_text_bytes(receipt->identifiers[i].standing ? "\1" : "\0", 1));
	for (size_t i = 0; rc == BB_OK && i < tomb->record_n; i++)
		rc = put_flag(kv, 'r', &tomb->records[i], order, BB_TEXT(""));
	for (size_t i = 0; rc == BB_OK && i < tomb->key_n; i++)
		rc = put_flag(kv, 'k', &tomb->keys[i], order, BB_TEXT(""));
	return rc;
}

int bb_tomb_put(struct bb_kv *kv, const struct bb_tomb_order *order, const struct bb_tomb *tomb)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	uint8_t key[KEY_MAX];
	int rc = put_ways(kv, order, tomb);

	encode(&buf, tomb);
	if (rc == BB_OK)
		rc = bb_kv_put(kv, BB_TABLE_TOMBSTONE,
			       key_of(key, 'e', NULL, order->b, BB_TOMB_ORDER_BYTES),
			       bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return rc;
}

int bb_tomb_get(struct bb_kv *kv, const struct bb_tomb_order *order, struct bb_arena *arena,
		struct bb_tomb *ret_tomb)
{
	uint8_t key[KEY_MAX];
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_TOMBSTONE,
			   key_of(key, 'e', NULL, order->b, BB_TOMB_ORDER_BYTES), &value);

	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	if (!decode(value, arena, ret_tomb))
		return BB_ECORRUPT;
	ret_tomb->receipt.time_ms = bb_tomb_time(order);
	return BB_OK;
}

int bb_tomb_find(struct bb_kv *kv, const struct bb_hash *id, struct bb_tomb_order *ret_order)
{
	uint8_t key[KEY_MAX];
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_TOMBSTONE, key_of(key, 'q', id, NULL, 0), &value);

	if (rc != BB_OK)
		return rc;
	if (value.n != BB_TOMB_ORDER_BYTES)
		return BB_ECORRUPT;
	memcpy(ret_order->b, value.p, BB_TOMB_ORDER_BYTES);
	return BB_OK;
}

int bb_tomb_next(struct bb_kv *kv, struct bb_tomb_order *order, bool after)
{
	uint8_t from[KEY_MAX];
	struct bb_text key, value;
	int rc = bb_kv_seek(kv, BB_TABLE_TOMBSTONE,
			    key_of(from, 'e', NULL, order->b, BB_TOMB_ORDER_BYTES), after, &key,
			    &value);

	if (rc != BB_OK)
		return rc;
	if (key.n != 1 + BB_TOMB_ORDER_BYTES || key.p[0] != 'e')
		return BB_ENOTFOUND;
	memcpy(order->b, key.p + 1, BB_TOMB_ORDER_BYTES);
	return BB_OK;
}

int bb_tomb_latest(struct bb_kv *kv, struct bb_tomb_order *ret_order)
{
	struct bb_tomb_order order = {{0}};
	bool found = false;
	int rc;

	while ((rc = bb_tomb_next(kv, &order, found)) == BB_OK) {
		*ret_order = order;
		found = true;
	}
	return rc == BB_ENOTFOUND && found ? BB_OK : rc;
}

int bb_tomb_any(struct bb_kv *kv, bool *ret_any, uint64_t *ret_epoch)
{
	struct bb_tomb_order order = {{0}};
	struct bb_text value;
	int rc = bb_tomb_next(kv, &order, false);

	*ret_any = rc == BB_OK;
	*ret_epoch = 0;
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		return rc;
	rc = bb_kv_get(kv, BB_TABLE_TOMBSTONE, BB_TEXT("n"), &value);
	if (rc == BB_OK && value.n != 8)
		return BB_ECORRUPT;
	if (rc == BB_OK)
		*ret_epoch = bb_key_read(value.p, 8);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_tomb_put_epoch(struct bb_kv *kv, uint64_t epoch)
{
	uint8_t bytes[8];

	bb_key_u64(bytes, epoch);
	return bb_kv_put(kv, BB_TABLE_TOMBSTONE, BB_TEXT("n"), bb_text_bytes(bytes, 8));
}

/* --- fates ------------------------------------------------------------------------------------ */

int bb_tomb_put_fate(struct bb_kv *kv, const struct bb_hash *record, uint64_t epoch,
		     const struct bb_tomb_fate *fate)
{
	uint8_t key[KEY_MAX], number[8], value[2 * BB_HASH_BYTES];

	bb_key_u64(number, epoch);
	memcpy(value, fate->record.b, BB_HASH_BYTES);
	memcpy(value + BB_HASH_BYTES, fate->holder.b, BB_HASH_BYTES);
	return bb_kv_put(kv, BB_TABLE_TOMBSTONE, key_of(key, 's', record, number, sizeof(number)),
			 fate->gone ? bb_text_bytes(fate->by.b, BB_TOMB_ORDER_BYTES)
				    : bb_text_bytes(value, sizeof(value)));
}

int bb_tomb_follow(struct bb_kv *kv, uint64_t epoch, struct bb_tomb_fate *fate)
{
	uint8_t from[KEY_MAX], number[8];
	struct bb_text key, value;
	int rc = BB_OK;

	while (rc == BB_OK && !fate->gone) {
		bb_key_u64(number, epoch);
		rc = bb_kv_seek(kv, BB_TABLE_TOMBSTONE,
				key_of(from, 's', &fate->record, number, sizeof(number)), true,
				&key, &value);
		if (rc != BB_OK || key.n != 1 + BB_HASH_BYTES + 8 ||
		    memcmp(key.p, from, 1 + BB_HASH_BYTES) != 0)
			break;
		epoch = bb_key_read(key.p + 1 + BB_HASH_BYTES, 8);
		fate->gone = value.n == BB_TOMB_ORDER_BYTES;
		if (fate->gone) {
			memcpy(fate->by.b, value.p, BB_TOMB_ORDER_BYTES);
		} else if (value.n == 2 * (size_t)BB_HASH_BYTES) {
			memcpy(fate->record.b, value.p, BB_HASH_BYTES);
			memcpy(fate->holder.b, value.p + BB_HASH_BYTES, BB_HASH_BYTES);
		} else {
			rc = BB_ECORRUPT;
		}
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

bool bb_erasure_lists(const struct bb_erasure_receipt *erasure, struct bb_text topic,
		      int32_t partition, const struct bb_birth *birth, int64_t *ret_next_offset)
{
	for (size_t i = 0; i < erasure->watermark_n; i++) {
		const struct bb_erasure_mark *mark = &erasure->watermark[i];

		if (mark->partition != partition || !bb_text_equal(mark->topic, topic))
			continue;
		*ret_next_offset = mark->next_offset;
		return !bb_birth_differs(&mark->birth, birth);
	}
	return false;
}

/* --- readers ---------------------------------------------------------------------------------- */

int bb_erasure_next(struct bb_kv *kv, struct bb_erasure_cursor *cursor, struct bb_arena *arena,
		    struct bb_erasure_receipt *ret_receipt)
{
	struct bb_tomb_order order = {{0}};
	struct bb_tomb tomb;
	int rc;

	if (cursor->n == BB_TOMB_ORDER_BYTES)
		memcpy(order.b, cursor->last, BB_TOMB_ORDER_BYTES);
	rc = bb_tomb_next(kv, &order, cursor->n > 0);
	if (rc != BB_OK)
		return rc;
	cursor->n = BB_TOMB_ORDER_BYTES;
	memcpy(cursor->last, order.b, BB_TOMB_ORDER_BYTES);
	rc = bb_tomb_get(kv, &order, arena, &tomb);
	if (rc != BB_OK)
		return rc;
	*ret_receipt = tomb.receipt;
	bb_hash_profile_id(&tomb.profile, ret_receipt->profile);
	ret_receipt->profile[BB_PROFILE_ID_BYTES] = '\0';
	return BB_OK;
}

int bb_erasure_latest(struct bb_kv *kv, struct bb_arena *arena,
		      struct bb_erasure_receipt *ret_receipt)
{
	struct bb_tomb_order order;
	struct bb_tomb tomb;
	int rc = bb_tomb_latest(kv, &order);

	if (rc == BB_OK)
		rc = bb_tomb_get(kv, &order, arena, &tomb);
	if (rc != BB_OK)
		return rc;
	*ret_receipt = tomb.receipt;
	bb_hash_profile_id(&tomb.profile, ret_receipt->profile);
	ret_receipt->profile[BB_PROFILE_ID_BYTES] = '\0';
	return BB_OK;
}

int bb_erasure_carry(struct bb_kv *from, struct bb_kv *to)
{
	struct bb_tomb_order order = {{0}};
	struct bb_text key, value;
	struct bb_arena arena;
	bool after = false;
	int rc = bb_kv_seek(to, BB_TABLE_PROFILE, BB_TEXT("\0"), false, &key, &value);

	if (rc != BB_ENOTFOUND)
		return rc == BB_OK ? BB_EINVAL : rc;
	bb_arena_init(&arena);
	while ((rc = bb_tomb_next(from, &order, after)) == BB_OK) {
		struct bb_tomb tomb;

		after = true;
		bb_arena_reset(&arena);
		rc = bb_tomb_get(from, &order, &arena, &tomb);
		if (rc == BB_OK)
			rc = bb_tomb_put(to, &order, &tomb);
		if (rc != BB_OK)
			break;
	}
	bb_arena_fini(&arena);
	if (rc != BB_ENOTFOUND)
		return rc;
	return after ? bb_forms_carry(from, to) : BB_OK;
}
