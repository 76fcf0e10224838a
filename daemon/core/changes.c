/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a batch did to profiles, said in ids. Everything that a batch has in hand is gathered by
 * profile: those that changed, and those of changed records, which nobody need have read. Nearly
 * all are *plain*: their id stays (updated), or nobody knew any of their identifiers (created). Of
 * the others, ids are what counts, not the numbers that profiles go on under:
 *
 *	before \ after	there			not there
 *	there		updated			where a look-up of it leads to now: the new id of
 *						that profile (renamed; of several the one whose
 *						number goes on), else merged into it; nowhere:
 *						erased
 *	not there	renamed, split or (all identifiers new) created
 *
 * They are written so that each is true when it comes: created, split, renamed, merged, erased,
 * updated. A split comes out of an id that is still there; a merger goes into one that is there
 * already.
 *
 * Errors are the batch's.
 */
#include "changes.h"

#include <stdlib.h>

#include "feed.h"

struct touch { /* a profile that the batch has in hand */
	uint64_t cluster;
	struct bb_profile *profile; /* NULL: not read, so not changed but for its records */
	const struct bb_event *by;  /* NULL: no event of this batch came to it */
	struct bb_hash id, other;
	enum bb_change_kind kind;
	bool is_said;
};

struct id_of { /* an id, and the profile that has it */
	struct bb_hash id;
	struct bb_profile *profile;
};

struct ids { /* sorted by id */
	struct id_of *items;
	size_t n, room;
};

struct changes {
	struct bb_batch *batch;
	struct touch *touches; /* one a profile, in the order of the batch */
	size_t n, room;
	uint32_t *slots;	  /* by cluster: index + 1; 0: free */
	size_t slot_n;		  /* a power of two, never half full */
	struct ids before, after; /* of those that are not plain */
	struct ids removed;	  /* of `before`, not in `after` */
	const struct bb_event *any;
	struct touch *extra;  /* ids that end */
	struct bb_text topic; /* of the last position, and its number */
	uint32_t topic_id;
	size_t extra_n, extra_room;
};

static int by_id(const void *a, const void *b)
{
	const struct id_of *x = a, *y = b;

	return memcmp(x->id.b, y->id.b, BB_HASH_BYTES);
}

static struct id_of *find_id(const struct ids *ids, const struct bb_hash *id)
{
	struct id_of key = {.id = *id};

	return ids->n ? bsearch(&key, ids->items, ids->n, sizeof(key), by_id) : NULL;
}

static void add_id(struct changes *changes, struct ids *ids, const struct bb_hash *id,
		   struct bb_profile *profile)
{
	BB_ARENA_PUSH(&changes->batch->arena, ids->items, ids->n, ids->room) =
		(struct id_of){*id, profile};
}

/* --- by profile ------------------------------------------------------------------------------- */

static uint32_t *slot_of(const struct changes *changes, uint64_t cluster)
{
	size_t mask = changes->slot_n - 1;
	size_t i = (size_t)(cluster * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

	while (changes->slots[i] && changes->touches[changes->slots[i] - 1].cluster != cluster)
		i = (i + 1) & mask;
	return &changes->slots[i];
}

static void widen(struct changes *changes)
{
	changes->slot_n = changes->slot_n ? 4 * changes->slot_n : 1024;
	changes->slots =
		bb_arena_zalloc(&changes->batch->arena, changes->slot_n * sizeof(*changes->slots));
	for (size_t i = 0; i < changes->n; i++)
		*slot_of(changes, changes->touches[i].cluster) = (uint32_t)i + 1;
}

static struct touch *touch_at(struct changes *changes, uint64_t cluster)
{
	if (2 * changes->n >= changes->slot_n)
		widen(changes);
	uint32_t *slot = slot_of(changes, cluster);

	if (*slot)
		return &changes->touches[*slot - 1];
	BB_ARENA_PUSH(&changes->batch->arena, changes->touches, changes->n, changes->room) =
		(struct touch){.cluster = cluster};
	*slot = (uint32_t)changes->n;
	return &changes->touches[changes->n - 1];
}

/* --- telling apart ---------------------------------------------------------------------------- */

/* The profile in the store that the first of its members to have been in one came from, or NULL. */
static struct bb_profile *origin_of(struct bb_batch *batch, struct bb_profile *profile)
{
	for (size_t i = 0; i < profile->member_n; i++) {
		uint64_t cluster = bb_batch_member_ident(batch, &profile->members[i])->cluster;

		if (cluster)
			return bb_batch_profile(batch, cluster);
	}
	return NULL;
}

/* The id under which it is in the store; false: it is not, or that was erased. */
static bool id_before(const struct bb_profile *profile, struct bb_hash *ret_id)
{
	if (profile->is_new || !bb_change_is_somebody(&profile->was))
		return false;
	*ret_id = profile->was;
	return true;
}

static void say(struct touch *touch, enum bb_change_kind kind, const struct bb_hash *other)
{
	touch->kind = kind;
	touch->is_said = true;
	if (other)
		touch->other = *other;
}

/* Of a profile that was not read only the records changed; its row begins with its id. */
static void update_unread(struct bb_batch *batch, struct touch *touch)
{
	uint8_t key[12];
	struct bb_text value;
	int rc = batch->err == BB_OK ? bb_kv_get(batch->kv, BB_TABLE_PROFILE,
						 bb_rows_place_key(key, touch->cluster, 0), &value)
				     : batch->err;

	if (rc == BB_OK) {
		struct bb_cursor cur = bb_cursor_of(value);

		touch->id = bb_get_hash(&cur);
		rc = cur.bad ? BB_ECORRUPT : BB_OK;
	}
	if (rc != BB_OK)
		bb_batch_fail(batch, rc == BB_ENOTFOUND ? BB_ECORRUPT : rc);
	say(touch, BB_CHANGE_UPDATED, NULL);
}

/* What is plain is said; the others go by their ids. */
static void classify(struct changes *changes, struct touch *touch, struct bb_profile *profile)
{
	struct bb_hash was;
	bool is_old = id_before(profile, &was);

	touch->profile = profile;
	touch->id = profile->name;
	if (is_old && !profile->gone && bb_hash_equal(&was, &profile->name)) {
		say(touch, BB_CHANGE_UPDATED, NULL);
		return;
	}
	if (profile->is_new && !origin_of(changes->batch, profile)) {
		say(touch, BB_CHANGE_CREATED, NULL);
		return;
	}
	if (is_old)
		add_id(changes, &changes->before, &was, profile);
	if (!profile->gone)
		add_id(changes, &changes->after, &profile->name, profile);
}

/* The profile that a record's facts belong to; read only if it was read before. */
static void touch_of_record(struct changes *changes, struct bb_record *record)
{
	int anchor = bb_rows_anchor(record->ident_n, record->blocked, record->shared);
	struct bb_batch *batch = changes->batch;
	struct bb_profile *profile = NULL;

	if (anchor < 0)
		return;
	struct bb_ident *ident = bb_batch_record_ident(batch, record, (size_t)anchor);

	if (ident->profile || !ident->cluster) {
		profile = bb_batch_profile_of(batch, ident);
		if (!profile)
			return; /* the identifier is no more */
	}
	struct touch *touch = touch_at(changes, profile ? profile->cluster : ident->cluster);

	if (!touch->profile && profile)
		classify(changes, touch, profile);
	if (!touch->by)
		touch->by = record->by;
	if (!changes->any)
		changes->any = record->by;
}

static void gather(struct changes *changes)
{
	struct bb_batch *batch = changes->batch;

	for (struct bb_profile *profile = batch->dirty_profiles; profile;
	     profile = profile->next_dirty)
		if (profile->cluster && !(profile->is_new && profile->gone))
			classify(changes, touch_at(changes, profile->cluster), profile);
	for (struct bb_record *record = batch->dirty_records; record; record = record->next_dirty)
		touch_of_record(changes, record);
}

static struct touch *touch_of(struct changes *changes, const struct bb_profile *profile)
{
	uint32_t slot = *slot_of(changes, profile->cluster);

	return slot ? &changes->touches[slot - 1] : NULL;
}

/* Where a look-up of an id that is no more leads; NULL: nowhere. */
static struct bb_profile *heir_of(struct bb_batch *batch, const struct id_of *removed)
{
	struct bb_profile *before = removed->profile, *heir = NULL;
	struct bb_ident *ident = bb_batch_ident(batch, &removed->id);

	if (ident)
		heir = bb_batch_profile_of(batch, ident);
	if (!heir && !before->gone)
		heir = before; /* what named it is blocked; the others go on */
	for (size_t i = 0; !heir && i < before->member_n; i++)
		heir = bb_batch_profile_of(batch,
					   bb_batch_member_ident(batch, &before->members[i]));
	return heir && !heir->gone ? heir : NULL;
}

static void rename_to(struct changes *changes, const struct id_of *removed, bool goes_on)
{
	struct bb_profile *heir = heir_of(changes->batch, removed);
	struct id_of *after = heir ? find_id(&changes->after, &heir->name) : NULL;

	if (!after || find_id(&changes->before, &heir->name))
		return;
	struct touch *touch = touch_of(changes, heir);

	if (!touch->is_said && (removed->profile == heir) == goes_on)
		say(touch, BB_CHANGE_RENAMED, &removed->id);
}

/* An id that is no more and that no other was renamed from. */
static void end_id(struct changes *changes, const struct id_of *removed)
{
	struct bb_profile *heir = heir_of(changes->batch, removed);
	struct touch *touch = heir ? touch_of(changes, heir) : NULL;

	if (touch && touch->is_said && touch->kind == BB_CHANGE_RENAMED &&
	    bb_hash_equal(&touch->other, &removed->id))
		return;
	struct touch *end = &BB_ARENA_PUSH(&changes->batch->arena, changes->extra, changes->extra_n,
					   changes->extra_room);

	*end = (struct touch){.id = removed->id, .by = touch ? touch->by : NULL};
	say(end, heir ? BB_CHANGE_MERGED : BB_CHANGE_ERASED, heir ? &heir->name : NULL);
}

/* An id that is there now, of a profile with identifiers that were known. */
static void begin_id(struct changes *changes, const struct id_of *after)
{
	struct bb_profile *profile = after->profile, *origin;
	struct touch *touch = touch_of(changes, profile);
	struct bb_hash was;

	if (touch->is_said)
		return;
	if (find_id(&changes->before, &after->id)) {
		say(touch, BB_CHANGE_UPDATED, NULL);
		return;
	}
	origin = id_before(profile, &was) ? profile : origin_of(changes->batch, profile);
	if (origin && id_before(origin, &was))
		say(touch, BB_CHANGE_SPLIT, &was);
	else
		say(touch, BB_CHANGE_CREATED, NULL);
}

static void tell_apart(struct changes *changes)
{
	struct ids *before = &changes->before, *after = &changes->after,
		   *removed = &changes->removed;

	for (size_t i = 0; i < changes->n; i++)
		if (!changes->touches[i].profile)
			update_unread(changes->batch, &changes->touches[i]);
	if (before->n)
		qsort(before->items, before->n, sizeof(*before->items), by_id);
	if (after->n)
		qsort(after->items, after->n, sizeof(*after->items), by_id);
	for (size_t i = 0; i < before->n; i++)
		if (!find_id(after, &before->items[i].id))
			add_id(changes, removed, &before->items[i].id, before->items[i].profile);
	for (size_t i = 0; i < removed->n; i++)
		rename_to(changes, &removed->items[i], true);
	for (size_t i = 0; i < removed->n; i++)
		rename_to(changes, &removed->items[i], false);
	for (size_t i = 0; i < removed->n; i++)
		end_id(changes, &removed->items[i]);
	for (size_t i = 0; i < after->n; i++)
		begin_id(changes, &after->items[i]);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Interned; nearly always it is that of the one before. */
static uint32_t topic_of(struct changes *changes, struct bb_text topic)
{
	if (!changes->topic.p || !bb_text_equal(changes->topic, topic)) {
		changes->topic = topic;
		changes->topic_id = bb_names_add(changes->batch->names, BB_NAME_TOPIC, topic);
	}
	return changes->topic_id;
}

static void write_one(struct changes *changes, struct bb_feed *feed, const struct touch *touch)
{
	struct bb_batch *batch = changes->batch;
	const struct bb_event *by = touch->by;
	struct bb_feed_entry entry = {
		.kind = touch->kind, .profile = touch->id, .other = touch->other};

	if (!by && batch->cause == BB_CAUSE_EVENT)
		by = changes->any;
	entry.cause = by ? BB_CAUSE_EVENT : batch->cause;
	if (by && by->position.topic.p) {
		entry.has_position = true;
		entry.topic = topic_of(changes, by->position.topic);
		entry.partition = by->position.partition;
		entry.offset = by->position.offset;
	}
	bb_feed_add(feed, &entry);
}

static void write_all(struct changes *changes)
{
	static const enum bb_change_kind order[] = {BB_CHANGE_CREATED, BB_CHANGE_SPLIT,
						    BB_CHANGE_RENAMED, BB_CHANGE_MERGED,
						    BB_CHANGE_ERASED,  BB_CHANGE_UPDATED};
	struct bb_feed feed;

	bb_feed_begin(&feed, changes->batch);
	for (size_t k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		for (size_t i = 0; i < changes->n; i++)
			if (changes->touches[i].is_said && changes->touches[i].kind == order[k])
				write_one(changes, &feed, &changes->touches[i]);
		for (size_t i = 0; i < changes->extra_n; i++)
			if (changes->extra[i].kind == order[k])
				write_one(changes, &feed, &changes->extra[i]);
	}
	bb_feed_end(&feed);
}

void bb_changes_flush(struct bb_batch *batch)
{
	struct changes changes = {.batch = batch};

	if (batch->err != BB_OK)
		return;
	gather(&changes);
	tell_apart(&changes);
	if (changes.n && batch->err == BB_OK)
		write_all(&changes);
}

/* --- erasure ---------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, BB_HASH_BYTES);
}

/* Whether it is the id of a profile now; of that one nothing more will be said under it. */
static bool end_living(struct bb_batch *batch, const struct bb_hash *id)
{
	struct bb_ident *ident = bb_batch_ident(batch, id);
	struct bb_profile *profile = ident ? bb_batch_profile_of(batch, ident) : NULL;
	struct bb_hash was;

	if (!profile || !id_before(profile, &was) || !bb_hash_equal(&was, id))
		return false;
	profile->was = (struct bb_hash){{0}};
	return true;
}

void bb_changes_erased(struct bb_batch *batch, const struct bb_hash *idents, size_t n)
{
	struct bb_hash *ids = bb_arena_alloc(&batch->arena, n * sizeof(*ids));
	bool *ended = bb_arena_zalloc(&batch->arena, n * sizeof(*ended));
	struct bb_feed feed;

	if (!n || batch->err != BB_OK)
		return;
	memcpy(ids, idents, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), by_bytes);
	bb_forget_ids(batch, ids, n, ended);
	bb_feed_begin(&feed, batch);
	for (size_t i = 0; i < n; i++)
		if (end_living(batch, &ids[i]) || ended[i])
			bb_feed_add(&feed, &(struct bb_feed_entry){.kind = BB_CHANGE_ERASED,
								   .cause = batch->cause,
								   .profile = ids[i]});
	bb_feed_end(&feed);
}
