/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of facts: counts before lists, times as differences to the first, names as their
 * numbers. Decoding trusts the checksum for meaning, but not for what arithmetic and writing rely
 * on: bounds, times, that a record has events. A bad cursor ends every list.
 */
#include "facts.h"

static void put_single(struct bb_buf *buf, const struct bb_value *value)
{
	bb_buf_byte(buf, (char)value->kind);
	if (value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER)
		bb_put_text(buf, value->text);
}

static void put_items(struct bb_buf *buf, const struct bb_value *items, size_t n)
{
	bb_put_u64(buf, n);
	for (size_t i = 0; i < n; i++)
		put_single(buf, &items[i]);
}

static void put_value(struct bb_buf *buf, const struct bb_value *value)
{
	put_single(buf, value);
	if (value->kind == BB_VALUE_LIST)
		put_items(buf, value->items, value->item_n);
}

/* All but the items of a list. */
static struct bb_value get_single(struct bb_cursor *cur)
{
	uint64_t kind = bb_get_u64(cur);
	struct bb_value value = {.kind = BB_VALUE_FALSE};

	if (kind > BB_VALUE_LIST) {
		cur->bad = true;
		return value;
	}
	value.kind = (enum bb_value_kind)kind;
	if (kind == BB_VALUE_TEXT || kind == BB_VALUE_NUMBER)
		value.text = bb_get_text(cur);
	return value;
}

static struct bb_value *get_items(struct bb_cursor *cur, struct bb_arena *arena, size_t *ret_n)
{
	size_t n = bb_get_count(cur);
	struct bb_value *items = bb_arena_alloc(arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++) {
		items[i] = get_single(cur);
		cur->bad = cur->bad || items[i].kind == BB_VALUE_LIST;
	}
	*ret_n = n;
	return items;
}

static struct bb_value get_value(struct bb_cursor *cur, struct bb_arena *arena)
{
	struct bb_value value = get_single(cur);

	if (value.kind == BB_VALUE_LIST)
		value.items = get_items(cur, arena, &value.item_n);
	return value;
}

/* The order key alone, its time relative to `base_ms`. */
static void put_order(struct bb_buf *buf, const struct bb_origin *by, int64_t base_ms)
{
	int64_t delta = by->time_ms - base_ms;
	uint64_t zigzag = ((uint64_t)delta << 1) ^ (uint64_t)(delta >> 63);

	bb_put_u64(buf, zigzag << 1 | by->kafka);
	bb_put_id(buf, by->id);
}

static struct bb_origin get_order(struct bb_cursor *cur, struct bb_arena *arena, int64_t base_ms)
{
	uint64_t u = bb_get_u64(cur), zigzag = u >> 1;
	int64_t delta = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
	struct bb_origin by = {.kafka = u & 1};

	by.time_ms = bb_get_checked_time(cur, (int64_t)((uint64_t)base_ms + (uint64_t)delta));
	by.id = bb_get_id(cur, arena);
	return by;
}

static void put_origin(struct bb_buf *buf, const struct bb_origin *by, int64_t base_ms)
{
	put_order(buf, by, base_ms);
	bb_put_u64(buf, by->topic);
	if (by->topic) {
		bb_put_i64(buf, by->partition);
		bb_put_i64(buf, by->offset);
	}
}

static struct bb_origin get_origin(struct bb_cursor *cur, struct bb_arena *arena, int64_t base_ms)
{
	struct bb_origin by = get_order(cur, arena, base_ms);

	by.topic = (uint32_t)bb_get_u64(cur);
	if (by.topic) {
		by.partition = (int32_t)bb_get_i64(cur);
		by.offset = bb_get_i64(cur);
	}
	return by;
}

static void put_seen(struct bb_buf *buf, const struct bb_fact_seen *seen, int64_t base_ms)
{
	bb_put_u64(buf, seen->n);
	bb_put_i64(buf, seen->first_ms - base_ms);
	bb_put_u64(buf, (uint64_t)(seen->last_ms - seen->first_ms));
}

static void get_seen(struct bb_cursor *cur, struct bb_fact_seen *seen, int64_t base_ms)
{
	seen->n = bb_get_u64(cur);
	seen->first_ms =
		bb_get_checked_time(cur, (int64_t)((uint64_t)base_ms + (uint64_t)bb_get_i64(cur)));
	seen->last_ms =
		bb_get_checked_time(cur, (int64_t)((uint64_t)seen->first_ms + bb_get_u64(cur)));
}

static void put_sums(struct bb_buf *buf, const struct bb_fact_sums *sums)
{
	bb_put_u64(buf, sums->n);
	for (size_t i = 0; i < sums->n; i++) {
		bb_buf_add(buf, sums->items[i].currency, 3);
		bb_put_i128(buf, sums->items[i].micros);
		bb_put_u64(buf, sums->items[i].n);
	}
}

static void get_sums(struct bb_cursor *cur, struct bb_arena *arena, struct bb_fact_sums *sums)
{
	sums->n = sums->room = bb_get_count(cur);
	sums->items = bb_arena_alloc(arena, sums->n * sizeof(*sums->items));
	for (size_t i = 0; i < sums->n; i++) {
		bb_get_currency(cur, sums->items[i].currency);
		sums->items[i].micros = bb_get_i128(cur);
		sums->items[i].n = bb_get_u64(cur);
	}
}

static void encode_activity(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->channel_n);
	for (size_t i = 0; i < facts->channel_n; i++) {
		bb_put_text(buf, facts->channels[i].channel);
		put_seen(buf, &facts->channels[i], facts->first_ms);
	}
	bb_put_u64(buf, facts->type_n);
	for (size_t i = 0; i < facts->type_n; i++) {
		bb_put_u64(buf, facts->types[i].type);
		put_seen(buf, &facts->types[i], facts->first_ms);
	}
	put_sums(buf, &facts->sums);
}

static int64_t checked_day(struct bb_cursor *cur, int64_t day)
{
	if (day >= 0 && day <= BB_TIME_MAX_MS / BB_DAY_MS)
		return day;
	cur->bad = true;
	return 0;
}

static void decode_activity(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->channel_n = facts->channel_room = bb_get_count(cur);
	facts->channels = bb_arena_zalloc(arena, facts->channel_n * sizeof(*facts->channels));
	for (size_t i = 0; i < facts->channel_n; i++) {
		facts->channels[i].channel = bb_get_text(cur);
		get_seen(cur, &facts->channels[i], facts->first_ms);
	}
	facts->type_n = facts->type_room = bb_get_count(cur);
	facts->types = bb_arena_zalloc(arena, facts->type_n * sizeof(*facts->types));
	for (size_t i = 0; i < facts->type_n; i++) {
		facts->types[i].type = (uint32_t)bb_get_u64(cur);
		get_seen(cur, &facts->types[i], facts->first_ms);
	}
	get_sums(cur, arena, &facts->sums);
}

static void encode_buckets(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->bucket_n);
	for (size_t i = 0; i < facts->bucket_n; i++) {
		const struct bb_fact_day *day = &facts->buckets[i];

		bb_put_u64(buf, day->type);
		bb_put_i64(buf, day->day - (i ? day[-1].day : 0));
		bb_put_u64(buf, day->n);
		put_sums(buf, &day->sums);
	}
}

static void decode_buckets(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->bucket_n = facts->bucket_room = bb_get_count(cur);
	facts->buckets = bb_arena_zalloc(arena, facts->bucket_n * sizeof(*facts->buckets));
	for (size_t i = 0; i < facts->bucket_n; i++) {
		struct bb_fact_day *day = &facts->buckets[i];

		day->type = (uint32_t)bb_get_u64(cur);
		day->day = checked_day(cur, (int64_t)((uint64_t)bb_get_i64(cur) +
						      (uint64_t)(i ? day[-1].day : 0)));
		day->n = bb_get_u64(cur);
		get_sums(cur, arena, &day->sums);
	}
}

static void encode_attributes(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->attribute_n);
	for (size_t i = 0; i < facts->attribute_n; i++) {
		const struct bb_fact_attribute *attr = &facts->attributes[i];

		bb_put_u64(buf, attr->name);
		bb_put_u64(buf, (uint64_t)attr->rule << 1 | attr->has);
		if (attr->rule == BB_FOLD_SUM)
			bb_put_i128(buf, attr->sum_micros);
		else if (attr->rule == BB_FOLD_LATEST || (attr->has && attr->rule != BB_FOLD_UNION))
			put_origin(buf, &attr->by, facts->first_ms);
		if (attr->has && attr->rule == BB_FOLD_UNION)
			put_items(buf, attr->set.items, attr->set.n);
		else if (attr->has && attr->rule != BB_FOLD_SUM)
			put_value(buf, &attr->value);
	}
	bb_put_u64(buf, facts->once_n);
	for (size_t i = 0; i < facts->once_n; i++) {
		bb_put_u64(buf, facts->once[i].name);
		put_origin(buf, &facts->once[i].by, facts->first_ms);
		put_value(buf, &facts->once[i].value);
	}
}

static void decode_attributes(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->attribute_n = facts->attribute_room = bb_get_count(cur);
	facts->attributes = bb_arena_zalloc(arena, facts->attribute_n * sizeof(*facts->attributes));
	for (size_t i = 0; i < facts->attribute_n; i++) {
		struct bb_fact_attribute *attr = &facts->attributes[i];

		attr->name = (uint32_t)bb_get_u64(cur);
		uint64_t u = bb_get_u64(cur);

		cur->bad = cur->bad || u >> 1 > BB_FOLD_UNION;
		attr->rule = cur->bad ? BB_FOLD_LATEST : (enum bb_fold_rule)(u >> 1);
		attr->has = u & 1;
		if (attr->rule == BB_FOLD_SUM)
			attr->sum_micros = bb_get_i128(cur);
		else if (attr->rule == BB_FOLD_LATEST || (attr->has && attr->rule != BB_FOLD_UNION))
			attr->by = get_origin(cur, arena, facts->first_ms);
		if (attr->has && attr->rule == BB_FOLD_UNION)
			attr->set.items = get_items(cur, arena, &attr->set.n);
		else if (attr->has && attr->rule != BB_FOLD_SUM)
			attr->value = get_value(cur, arena);
		attr->set.room = attr->set.n;
	}
	facts->once_n = facts->once_room = bb_get_count(cur);
	facts->once = bb_arena_zalloc(arena, facts->once_n * sizeof(*facts->once));
	for (size_t i = 0; i < facts->once_n; i++) {
		facts->once[i].name = (uint32_t)bb_get_u64(cur);
		facts->once[i].by = get_origin(cur, arena, facts->first_ms);
		facts->once[i].value = get_value(cur, arena);
	}
}

static void encode_consent(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->consent_n);
	for (size_t i = 0; i < facts->consent_n; i++) {
		bb_put_u64(buf,
			   (uint64_t)facts->consent[i].purpose << 1 | facts->consent[i].denied);
		bb_put_text(buf, facts->consent[i].channel);
		put_order(buf, &facts->consent[i].by, facts->first_ms);
	}
	bb_put_u64(buf, facts->recent_n);
	for (size_t i = 0; i < facts->recent_n; i++) {
		bb_put_u64(buf, facts->recent[i].type);
		put_order(buf, &facts->recent[i].by, facts->first_ms);
	}
}

static void decode_consent(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->consent_n = facts->consent_room = bb_get_count(cur);
	facts->consent = bb_arena_zalloc(arena, facts->consent_n * sizeof(*facts->consent));
	for (size_t i = 0; i < facts->consent_n; i++) {
		uint64_t u = bb_get_u64(cur);

		facts->consent[i].purpose = (uint32_t)(u >> 1);
		facts->consent[i].denied = u & 1;
		facts->consent[i].channel = bb_get_text(cur);
		facts->consent[i].by = get_order(cur, arena, facts->first_ms);
	}
	facts->recent_n = facts->recent_room = bb_get_count(cur);
	facts->recent = bb_arena_zalloc(arena, facts->recent_n * sizeof(*facts->recent));
	for (size_t i = 0; i < facts->recent_n; i++) {
		facts->recent[i].type = (uint32_t)bb_get_u64(cur);
		facts->recent[i].by = get_order(cur, arena, facts->first_ms);
	}
}

/* What only undoing needs. */
static void encode_evidence(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->offset_n);
	for (size_t i = 0; i < facts->offset_n; i++) {
		bb_put_u64(buf, facts->offsets[i].topic);
		bb_put_i64(buf, facts->offsets[i].partition);
		bb_put_i64(buf, facts->offsets[i].offset);
	}
	bb_put_u64(buf, facts->same_n);
	for (size_t i = 0; i < facts->same_n; i++) {
		bb_put_u64(buf, facts->same[i].a);
		bb_put_u64(buf, facts->same[i].b);
		bb_put_u64(buf, facts->same[i].n);
	}
	bb_put_u64(buf, facts->amount_key_n);
	bb_buf_add(buf, facts->amount_keys, facts->amount_key_n * sizeof(*facts->amount_keys));
	bb_put_u64(buf, facts->displaced_n);
	for (size_t i = 0; i < facts->displaced_n; i++) {
		const struct bb_fact_displaced *displaced = &facts->displaced[i];

		bb_put_hash(buf, &displaced->record);
		bb_put_hash(buf, &displaced->holder);
		bb_put_u64(buf, displaced->epoch);
		bb_put_u64(buf, displaced->type);
		bb_put_i64(buf, displaced->time_ms);
		bb_buf_add(buf, displaced->currency, 3);
		bb_put_i128(buf, displaced->micros);
	}
}

static void decode_displaced(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->displaced_n = facts->displaced_room = bb_get_count(cur);
	facts->displaced = bb_arena_zalloc(arena, facts->displaced_n * sizeof(*facts->displaced));
	for (size_t i = 0; i < facts->displaced_n; i++) {
		struct bb_fact_displaced *displaced = &facts->displaced[i];

		displaced->record = bb_get_hash(cur);
		displaced->holder = bb_get_hash(cur);
		displaced->epoch = bb_get_u64(cur);
		displaced->type = (uint32_t)bb_get_u64(cur);
		displaced->time_ms = bb_get_time(cur);
		bb_get_currency(cur, displaced->currency);
		displaced->micros = bb_get_i128(cur);
	}
}

static void decode_evidence(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *facts)
{
	facts->offset_n = facts->offset_room = bb_get_count(cur);
	facts->offsets = bb_arena_zalloc(arena, facts->offset_n * sizeof(*facts->offsets));
	for (size_t i = 0; i < facts->offset_n; i++) {
		facts->offsets[i].topic = (uint32_t)bb_get_u64(cur);
		facts->offsets[i].partition = (int32_t)bb_get_i64(cur);
		facts->offsets[i].offset = bb_get_i64(cur);
	}
	facts->same_n = facts->same_room = bb_get_count(cur);
	facts->same = bb_arena_zalloc(arena, facts->same_n * sizeof(*facts->same));
	for (size_t i = 0; i < facts->same_n; i++) {
		facts->same[i].a = (uint8_t)bb_get_u64(cur);
		facts->same[i].b = (uint8_t)bb_get_u64(cur);
		facts->same[i].n = bb_get_u64(cur);
	}
	facts->amount_key_n = facts->amount_key_room = bb_get_count(cur);
	struct bb_text keys = bb_get_bytes(cur, facts->amount_key_n * sizeof(*facts->amount_keys));

	facts->amount_keys =
		bb_arena_zalloc(arena, facts->amount_key_n * sizeof(*facts->amount_keys));
	memcpy(facts->amount_keys, keys.p, keys.n);
	decode_displaced(cur, arena, facts);
}

void bb_facts_encode(struct bb_buf *buf, const struct bb_facts *facts)
{
	bb_put_u64(buf, facts->events);
	bb_put_i64(buf, facts->first_ms);
	bb_put_u64(buf, (uint64_t)(facts->last_ms - facts->first_ms));
	bb_put_i64(buf, facts->days[0]);
	bb_put_i64(buf, facts->days[1] == INT64_MIN ? -1 : facts->days[0] - facts->days[1]);
	encode_activity(buf, facts);
	encode_attributes(buf, facts);
	encode_consent(buf, facts);
	encode_buckets(buf, facts); /* from here on nothing that a view shows */
	encode_evidence(buf, facts);
}

void bb_facts_decode_head(struct bb_cursor *cur, struct bb_facts *ret_facts)
{
	bb_facts_init(ret_facts);
	ret_facts->events = bb_get_u64(cur);
	ret_facts->first_ms = bb_get_time(cur);
	ret_facts->last_ms = bb_get_checked_time(
		cur, (int64_t)((uint64_t)ret_facts->first_ms + bb_get_u64(cur)));
	ret_facts->days[0] = checked_day(cur, bb_get_i64(cur));
	int64_t back = bb_get_i64(cur);

	if (back >= 0)
		ret_facts->days[1] =
			checked_day(cur, (int64_t)((uint64_t)ret_facts->days[0] - (uint64_t)back));
	cur->bad = cur->bad || !ret_facts->events;
}

void bb_facts_decode_shown(struct bb_cursor *cur, struct bb_arena *arena,
			   struct bb_facts *ret_facts)
{
	bb_facts_decode_head(cur, ret_facts);
	decode_activity(cur, arena, ret_facts);
	decode_attributes(cur, arena, ret_facts);
	decode_consent(cur, arena, ret_facts);
}

void bb_facts_decode(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *ret_facts)
{
	bb_facts_decode_shown(cur, arena, ret_facts);
	decode_buckets(cur, arena, ret_facts);
	decode_evidence(cur, arena, ret_facts);
}
