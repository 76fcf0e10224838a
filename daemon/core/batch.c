/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading rows into a batch. Each is copied out of the store once, decoded into the batch's arena
 * and found by its hash from then on. A row that is damaged or missing where another one leads to
 * it ends the batch with BB_ECORRUPT.
 */
#include "batch.h"

#include <backbone/assert.h>
#include <stdlib.h>

#define TABLES(batch)                                                                              \
	{                                                                                          \
		&(batch)->idents, &(batch)->profiles, &(batch)->records, &(batch)->ledgers,        \
			&(batch)->windows, &(batch)->links, &(batch)->tombs                        \
	}

void bb_batch_init(struct bb_batch *batch, const struct bb_rules *rules)
{
	*batch = (struct bb_batch){.rules = rules,
				   .names = bb_names_new(),
				   .memo = bb_memo_new(),
				   .log_ms = -1,
				   .keep_ms = INT64_MAX,
				   .hubs = {.from = UINT64_MAX}};
	bb_arena_init(&batch->arena);
	bb_arena_init(&batch->hubs.arena);
	bb_forms_init(&batch->past);
}

void bb_batch_clear(struct bb_batch *batch)
{
	struct bb_hash_table *tables[] = TABLES(batch);

	bb_arena_reset(&batch->arena);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		bb_table_clear(tables[i]);
}

void bb_batch_fini(struct bb_batch *batch)
{
	struct bb_hash_table *tables[] = TABLES(batch);

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		bb_table_fini(tables[i]);
	bb_names_free(batch->names);
	bb_memo_free(batch->memo);
	bb_arena_fini(&batch->arena);
	bb_hubs_fini(&batch->hubs);
	bb_forms_fini(&batch->past);
	bb_buf_fini(&batch->buf);
	free(batch->ns_of_id);
}

void bb_batch_fail(struct bb_batch *batch, int err)
{
	if (batch->err == BB_OK)
		batch->err = err;
}

/* A copy of the value, as the store's own bytes do not outlive a put. BB_OK or BB_ENOTFOUND. */
static int fetch(struct bb_batch *batch, struct bb_arena *arena, enum bb_table table,
		 struct bb_text key, struct bb_text *ret_value)
{
	struct bb_text value;
	int rc = bb_kv_get(batch->kv, table, key, &value);

	if (rc == BB_OK)
		*ret_value = bb_arena_copy(arena, value);
	else if (rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	return rc;
}

struct bb_hash bb_batch_hash_ident(const struct bb_batch *batch, uint16_t ns, struct bb_text value)
{
	struct bb_text parts[] = {bb_text_of(batch->rules->namespaces[ns].name), value};

	return bb_memo_hash(batch->memo, &batch->rules->profile_key, parts, 2);
}

struct bb_ident *bb_batch_ident(struct bb_batch *batch, const struct bb_hash *hash)
{
	struct bb_ident *ident = bb_table_get(&batch->idents, hash);
	struct bb_text bytes;

	if (ident)
		return ident;
	if (fetch(batch, &batch->arena, BB_TABLE_IDENTIFIER, bb_text_bytes(hash->b, BB_HASH_BYTES),
		  &bytes) != BB_OK)
		return NULL;
	ident = bb_arena_zalloc(&batch->arena, sizeof(*ident));
	ident->hash = *hash;
	if (!bb_rows_decode_ident(bytes, &batch->arena, batch->ns_of_id, batch->ns_n, ident)) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return NULL;
	}
	ident->old_blocked = ident->blocked;
	ident->old_shared = ident->shared;
	ident->stored_n = ident->record_n;
	bb_table_put(&batch->idents, hash, ident);
	return ident;
}

struct bb_ident *bb_batch_joined_ident(struct bb_batch *batch, const struct bb_join *join)
{
	struct bb_ident *ident = bb_batch_ident(batch, &join->other);

	if (!ident)
		bb_batch_fail(batch, BB_ECORRUPT);
	return ident;
}

struct bb_ident *bb_batch_ident_of(struct bb_batch *batch, uint16_t ns, struct bb_text value,
				   bool blocked)
{
	struct bb_hash hash = bb_batch_hash_ident(batch, ns, value);
	struct bb_ident *ident = bb_batch_ident(batch, &hash);

	if (ident) {
		bool stands = ident->blocked == blocked || (ident->leaving && !blocked);

		if (ident->ns != ns || !stands || !bb_text_equal(ident->value, value)) {
			bb_batch_fail(batch, BB_ECORRUPT);
			ident->blocked = blocked; /* whoever goes on relies on that alone */
		}
		return ident;
	}
	ident = bb_arena_zalloc(&batch->arena, sizeof(*ident));
	ident->hash = ident->label = hash;
	ident->ns = ns;
	ident->value = value;
	ident->blocked = ident->old_blocked = blocked;
	ident->is_new = ident->all_places = true;
	bb_table_put(&batch->idents, &hash, ident);
	bb_batch_dirty_ident(batch, ident);
	return ident;
}

/* A value may hold the NUL bytes that the hash puts between its parts: their lengths go first. By
 * the names of namespaces, as the order of the configuration may change under a record. */
struct bb_hash bb_rules_hash_record(const struct bb_rules *rules, struct bb_text source,
				    const uint16_t *ns, const struct bb_text *values, size_t n)
{
	struct bb_text parts[2 + 2 * BB_EVENT_IDENTIFIERS_MAX];
	uint8_t lengths[2 * BB_EVENT_IDENTIFIERS_MAX] = {0}, order[BB_EVENT_IDENTIFIERS_MAX];
	const struct bb_namespace *all = rules->namespaces;
	size_t part_n = 0;

	bb_assert(n <= BB_EVENT_IDENTIFIERS_MAX);
	for (size_t i = 0; i < n; i++) { /* those of one namespace are in their order already */
		size_t at = i;

		for (; at > 0 && ns[order[at - 1]] != ns[i] &&
		       strcmp(all[ns[order[at - 1]]].name, all[ns[i]].name) > 0;
		     at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
	}
	parts[part_n++] = bb_text_bytes(lengths, 2 * n);
	parts[part_n++] = source;
	for (size_t i = 0; i < n; i++) {
		lengths[2 * i] = (uint8_t)(values[order[i]].n >> 8);
		lengths[2 * i + 1] = (uint8_t)values[order[i]].n;
		parts[part_n++] = bb_text_of(all[ns[order[i]]].name);
		parts[part_n++] = values[order[i]];
	}
	return bb_hash_parts(&rules->profile_key, parts, part_n);
}

struct bb_hash bb_batch_hash_record(const struct bb_batch *batch, struct bb_text source,
				    const uint16_t *ns, const struct bb_text *values, size_t n)
{
	return bb_rules_hash_record(batch->rules, source, ns, values, n);
}

static struct bb_hash cluster_key(uint64_t cluster)
{
	struct bb_hash key = {{0}};

	memcpy(key.b, &cluster, sizeof(cluster));
	return key;
}

struct bb_profile *bb_batch_profile(struct bb_batch *batch, uint64_t cluster)
{
	struct bb_hash key = cluster_key(cluster);
	struct bb_profile *profile = bb_table_get(&batch->profiles, &key);
	struct bb_text bytes;
	uint8_t place[12];

	if (profile)
		return profile;
	profile = bb_arena_zalloc(&batch->arena, sizeof(*profile));
	profile->cluster = cluster;
	int rc = fetch(batch, &batch->arena, BB_TABLE_PROFILE, bb_rows_place_key(place, cluster, 0),
		       &bytes);

	if (rc != BB_OK ||
	    !bb_rows_decode_profile(bytes, &batch->arena, batch->ns_of_id, batch->ns_n, profile)) {
		bb_batch_fail(batch, BB_ECORRUPT);
		*profile = (struct bb_profile){.cluster = cluster, .next_n = 1};
	}
	profile->was = profile->name;
	bb_table_put(&batch->profiles, &key, profile);
	return profile;
}

static struct bb_profile *profile_new(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_profile *profile = bb_arena_zalloc(&batch->arena, sizeof(*profile));

	profile->next_n = 1;
	profile->is_new = true;
	BB_ARENA_PUSH(&batch->arena, profile->members, profile->member_n, profile->member_room) =
		(struct bb_member){.ns = ident->ns,
				   .value = ident->value,
				   .shared = ident->shared,
				   .joined = ident->join_n > 0,
				   .split = bb_ident_has_split(ident),
				   .label = ident->label,
				   .first_ms = INT64_MAX,
				   .ident = ident};
	bb_batch_dirty_profile(batch, profile);
	return profile;
}

struct bb_profile *bb_batch_profile_of(struct bb_batch *batch, struct bb_ident *ident)
{
	if (bb_ident_is_out(ident) && !ident->leaving)
		return NULL;
	if (!ident->profile)
		ident->profile = ident->cluster ? bb_batch_profile(batch, ident->cluster)
						: profile_new(batch, ident);
	while (ident->profile->into)
		ident->profile = ident->profile->into;
	return ident->profile;
}

/* Identity reads many records of which it changes few: the facts of the others stay where they are.
 */
struct bb_record *bb_batch_record(struct bb_batch *batch, const struct bb_hash *hash,
				  struct bb_place place)
{
	struct bb_record *record = bb_table_get(&batch->records, hash);
	struct bb_text bytes;
	uint8_t key[12];

	if (record)
		return record;
	record = bb_arena_zalloc(&batch->arena, sizeof(*record));
	record->hash = *hash;
	record->place = place;
	record->partial = true;
	int rc = bb_kv_get(batch->kv, BB_TABLE_PROFILE,
			   bb_rows_place_key(key, place.cluster, place.n), &bytes);

	if (rc != BB_OK ||
	    !bb_rows_decode_head(bytes, &batch->arena, batch->ns_of_id, batch->ns_n, record)) {
		bb_batch_fail(batch, rc == BB_OK || rc == BB_ENOTFOUND ? BB_ECORRUPT : rc);
		*record = (struct bb_record){.hash = *hash, .place = place};
		bb_facts_init(&record->facts);
	}
	record->idents = bb_arena_zalloc(&batch->arena, record->ident_n * sizeof(*record->idents));
	record->old = bb_rows_standing(record);
	bb_table_put(&batch->records, hash, record);
	return record;
}

bool bb_batch_read_facts(struct bb_batch *batch, const struct bb_record *record,
			 struct bb_arena *arena, struct bb_facts *ret_facts)
{
	struct bb_record whole = {.partial = false};
	struct bb_text bytes;
	uint8_t key[12];

	if (fetch(batch, arena, BB_TABLE_PROFILE,
		  bb_rows_place_key(key, record->place.cluster, record->place.n),
		  &bytes) != BB_OK ||
	    !bb_rows_decode_record(bytes, arena, batch->ns_of_id, batch->ns_n, &whole) ||
	    whole.ident_n != record->ident_n) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return false;
	}
	*ret_facts = whole.facts;
	return true;
}

void bb_batch_whole(struct bb_batch *batch, struct bb_record *record)
{
	if (!record->partial)
		return;
	record->partial = false;
	(void)bb_batch_read_facts(batch, record, &batch->arena, &record->facts);
}

struct bb_ident *bb_batch_record_ident(struct bb_batch *batch, struct bb_record *record, size_t i)
{
	if (!record->idents[i])
		record->idents[i] = bb_batch_ident_of(batch, record->ns[i], record->values[i],
						      record->blocked & BB_MASK(i));
	return record->idents[i];
}

struct bb_ident *bb_batch_member_ident(struct bb_batch *batch, struct bb_member *member)
{
	if (!member->ident)
		member->ident = bb_batch_ident_of(batch, member->ns, member->value, false);
	return member->ident;
}

static bool read_place(struct bb_batch *batch, struct bb_text value, struct bb_place *ret_place)
{
	if (value.n != 12) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return false;
	}
	*ret_place =
		(struct bb_place){bb_key_read(value.p, 8), (uint32_t)bb_key_read(value.p + 8, 4)};
	return true;
}

/* Reads the places that the identifier's own row has no room for. */
static void load_places(struct bb_batch *batch, struct bb_ident *ident)
{
	uint8_t from[32] = {0};
	struct bb_text key = bb_text_bytes(from, sizeof(from)), value;
	bool after = false;

	ident->all_places = true;
	if (ident->stored_n <= BB_PLACES_INLINE)
		return;
	memcpy(from, ident->hash.b, BB_HASH_BYTES);
	for (;; after = true) {
		int rc = bb_kv_seek(batch->kv, BB_TABLE_MEMBERSHIP,
				    bb_text_bytes(from, sizeof(from)), after, &key, &value);

		if (rc != BB_OK && rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
		if (rc != BB_OK || key.n != sizeof(from) ||
		    memcmp(key.p, ident->hash.b, BB_HASH_BYTES) != 0)
			return;
		struct bb_membership place = {.stored = true, .apart = true};

		if (!read_place(batch, value, &place.place))
			return;
		memcpy(from, key.p, sizeof(from));
		memcpy(place.record_hash.b, key.p + BB_HASH_BYTES, BB_HASH_BYTES);
		BB_ARENA_PUSH(&batch->arena, ident->places, ident->place_n, ident->place_room) =
			place;
	}
}

struct bb_record *bb_batch_nth_record(struct bb_batch *batch, struct bb_ident *ident, size_t i)
{
	if (!ident->all_places)
		load_places(batch, ident);
	if (i >= ident->place_n)
		return NULL;
	struct bb_membership *place = &ident->places[i];

	if (!place->record)
		place->record = bb_batch_record(batch, &place->record_hash, place->place);
	return place->record;
}

struct bb_record *bb_batch_record_in(struct bb_batch *batch, struct bb_ident *ident,
				     const struct bb_hash *hash)
{
	struct bb_record *record = bb_table_get(&batch->records, hash);
	uint8_t key[32];
	struct bb_place place;
	struct bb_text value;

	if (record)
		return record;
	/* those behind are of this batch, and so in the table, or rows of MEMBERSHIP */
	for (size_t i = 0; i < ident->place_n && i < BB_PLACES_INLINE; i++)
		if (bb_hash_equal(&ident->places[i].record_hash, hash))
			return bb_batch_record(batch, hash, ident->places[i].place);
	if (ident->stored_n <= BB_PLACES_INLINE)
		return NULL;
	if (fetch(batch, &batch->arena, BB_TABLE_MEMBERSHIP,
		  bb_rows_membership_key(key, &ident->hash, hash), &value) != BB_OK ||
	    !read_place(batch, value, &place))
		return NULL;
	return bb_batch_record(batch, hash, place);
}

struct bb_member *bb_batch_member(struct bb_batch *batch, struct bb_profile *profile, uint16_t ns,
				  struct bb_text value)
{
	size_t low = 0, high = profile->member_n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct bb_member *member = &profile->members[mid];
		int d = member->ns != ns ? (int)member->ns - (int)ns
					 : bb_text_compare(member->value, value);

		if (!d)
			return &profile->members[mid];
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	bb_batch_fail(batch,
		      BB_ECORRUPT); /* an identifier leads to a profile that does not have it */
	return bb_arena_zalloc(&batch->arena, sizeof(struct bb_member));
}

void bb_batch_dirty_ident(struct bb_batch *batch, struct bb_ident *ident)
{
	if (ident->dirty)
		return;
	ident->dirty = true;
	ident->next_dirty = batch->dirty_idents;
	batch->dirty_idents = ident;
}

void bb_batch_dirty_profile(struct bb_batch *batch, struct bb_profile *profile)
{
	if (profile->dirty)
		return;
	profile->dirty = true;
	profile->next_dirty = batch->dirty_profiles;
	batch->dirty_profiles = profile;
}

void bb_batch_dirty_record(struct bb_batch *batch, struct bb_record *record)
{
	bb_batch_whole(batch, record);
	bb_batch_remask_record(batch, record);
}

void bb_batch_remask_record(struct bb_batch *batch, struct bb_record *record)
{
	if (record->dirty)
		return;
	record->dirty = true;
	record->next_dirty = batch->dirty_records;
	batch->dirty_records = record;
}

bool bb_batch_counter(struct bb_batch *batch, struct bb_text name, uint64_t *ret_value)
{
	struct bb_text value;

	if (fetch(batch, &batch->arena, BB_TABLE_META, name, &value) != BB_OK)
		return false;
	if (value.n != 8) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return false;
	}
	*ret_value = bb_key_read(value.p, 8);
	return true;
}

uint64_t bb_batch_cluster_new(struct bb_batch *batch)
{
	if (!batch->next_cluster) {
		batch->next_cluster = 1;
		bb_batch_counter(batch, BB_TEXT("next_cluster"), &batch->next_cluster);
		batch->clusters_saved = batch->next_cluster;
		if (!batch->next_cluster || batch->next_cluster > INT64_MAX)
			bb_batch_fail(batch, BB_ECORRUPT);
	}
	return batch->next_cluster++;
}
