/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows to bytes and back. Namespaces are stored by their interned number, so that the
 * configuration's order may change under a store; `ns_ids` and `ns_of_id` translate. A decoder
 * gives false for what is damaged.
 */
#include "rows.h"

int bb_rows_anchor(size_t ident_n, uint32_t blocked, uint32_t shared)
{
	uint32_t all = ident_n == 32 ? UINT32_MAX : BB_MASK(ident_n) - 1;
	uint32_t best = all & ~blocked & ~shared;

	if (!best)
		best = all & ~blocked;
	return best ? __builtin_ctz(best) : -1;
}

static uint16_t get_ns(struct bb_cursor *cur, const uint16_t *ns_of_id, size_t ns_n)
{
	uint64_t id = bb_get_u64(cur);

	if (id >= ns_n || ns_of_id[id] == BB_NS_UNKNOWN) {
		cur->bad = true;
		return 0;
	}
	return ns_of_id[id];
}

#define IDENT_BLOCKED 1u
#define IDENT_SHARED 2u
#define IDENT_PARTIAL 4u
#define IDENT_LABEL 8u
#define IDENT_ALLOWED 16u

void bb_rows_encode_ident(struct bb_buf *buf, const struct bb_ident *ident, const uint32_t *ns_ids)
{
	bool labelled = !bb_hash_equal(&ident->label, &ident->hash);
	size_t n = ident->place_n < BB_PLACES_INLINE ? ident->place_n : BB_PLACES_INLINE;

	bb_put_u64(buf, ns_ids[ident->ns]);
	bb_put_text(buf, ident->value);
	bb_put_u64(buf, (ident->blocked ? IDENT_BLOCKED : 0) | (ident->shared ? IDENT_SHARED : 0) |
				(ident->near_partial ? IDENT_PARTIAL : 0) |
				(labelled ? IDENT_LABEL : 0) |
				(ident->allowed ? IDENT_ALLOWED : 0));
	bb_put_u64(buf, ident->cluster);
	if (labelled)
		bb_put_hash(buf, &ident->label);
	bb_put_u64(buf, ident->record_n);
	bb_put_u64(buf, n);
	for (size_t i = 0; i < n; i++) {
		bb_put_hash(buf, &ident->places[i].record_hash);
		bb_put_u64(buf, ident->places[i].place.cluster);
		bb_put_u64(buf, ident->places[i].place.n);
	}
	bb_put_u64(buf, ident->near_n);
	for (size_t i = 0; i < ident->near_n; i++) {
		bb_put_hash(buf, &ident->near[i].hash);
		bb_put_u64(buf, ns_ids[ident->near[i].ns]);
	}
	bb_put_u64(buf, ident->join_n);
	for (size_t i = 0; i < ident->join_n; i++) {
		bb_put_hash(buf, &ident->joins[i].other);
		bb_put_u64(buf, ident->joins[i].n);
		bb_put_u64(buf, ident->joins[i].ruling);
	}
}

bool bb_rows_decode_ident(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			  size_t ns_n, struct bb_ident *ret_ident)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	ret_ident->ns = get_ns(&cur, ns_of_id, ns_n);
	ret_ident->value = bb_get_text(&cur);
	uint64_t flags = bb_get_u64(&cur);

	ret_ident->blocked = flags & IDENT_BLOCKED;
	ret_ident->shared = flags & IDENT_SHARED;
	ret_ident->near_partial = flags & IDENT_PARTIAL;
	ret_ident->allowed = flags & IDENT_ALLOWED;
	ret_ident->cluster = bb_get_u64(&cur);
	ret_ident->label = flags & IDENT_LABEL ? bb_get_hash(&cur) : ret_ident->hash;
	ret_ident->record_n = bb_get_u64(&cur);
	ret_ident->place_n = ret_ident->place_room = bb_get_count(&cur);
	cur.bad =
		cur.bad || ret_ident->blocked != (ret_ident->cluster == 0) ||
		ret_ident->place_n != (ret_ident->record_n < BB_PLACES_INLINE ? ret_ident->record_n
									      : BB_PLACES_INLINE);
	ret_ident->places = bb_arena_zalloc(arena, ret_ident->place_n * sizeof(*ret_ident->places));
	for (size_t i = 0; i < ret_ident->place_n; i++) {
		ret_ident->places[i].record_hash = bb_get_hash(&cur);
		ret_ident->places[i].place.cluster = bb_get_u64(&cur);
		ret_ident->places[i].place.n = (uint32_t)bb_get_u64(&cur);
		ret_ident->places[i].stored = true;
	}
	ret_ident->near_n = ret_ident->near_room = bb_get_count(&cur);
	ret_ident->near = bb_arena_zalloc(arena, ret_ident->near_n * sizeof(*ret_ident->near));
	for (size_t i = 0; i < ret_ident->near_n; i++) {
		ret_ident->near[i].hash = bb_get_hash(&cur);
		ret_ident->near[i].ns = get_ns(&cur, ns_of_id, ns_n);
	}
	ret_ident->join_n = ret_ident->join_room = bb_get_count(&cur);
	ret_ident->joins = bb_arena_zalloc(arena, ret_ident->join_n * sizeof(*ret_ident->joins));
	for (size_t i = 0; i < ret_ident->join_n; i++) {
		struct bb_join *join = &ret_ident->joins[i];
		uint64_t ruling;

		join->other = bb_get_hash(&cur);
		join->n = join->old_n = bb_get_u64(&cur);
		ruling = bb_get_u64(&cur);
		join->ruling = join->old_ruling = (enum bb_pair_ruling)ruling;
		cur.bad = cur.bad || ruling > BB_PAIR_SPLIT;
	}
	return !cur.bad;
}

bool bb_rows_ident_head(struct bb_text bytes, struct bb_ident_head *ret_head)
{
	struct bb_cursor cur = bb_cursor_of(bytes);
	uint64_t flags;

	ret_head->ns = (uint32_t)bb_get_u64(&cur);
	ret_head->value = bb_get_text(&cur);
	flags = bb_get_u64(&cur);
	ret_head->blocked = flags & IDENT_BLOCKED;
	ret_head->shared = flags & IDENT_SHARED;
	ret_head->cluster = bb_get_u64(&cur);
	return !cur.bad;
}

bool bb_rows_ident_cluster(struct bb_cursor *cur, uint64_t *ret_cluster)
{
	bb_get_u64(cur);
	bb_get_text(cur);
	bb_get_u64(cur);
	*ret_cluster = bb_get_u64(cur);
	return !cur->bad;
}

#define MEMBER_SHARED 1u
#define MEMBER_JOINED 2u
#define MEMBER_SPLIT 4u

void bb_rows_encode_profile(struct bb_buf *buf, const struct bb_profile *profile,
			    const uint32_t *ns_ids)
{
	bb_put_hash(buf, &profile->name);
	bb_put_u64(buf, profile->next_n);
	bb_put_u64(buf, profile->member_n);
	for (size_t i = 0; i < profile->member_n; i++) {
		const struct bb_member *member = &profile->members[i];

		bb_put_u64(buf, ns_ids[member->ns]);
		bb_put_text(buf, member->value);
		bb_put_u64(buf, (member->shared ? MEMBER_SHARED : 0) |
					(member->joined ? MEMBER_JOINED : 0) |
					(member->split ? MEMBER_SPLIT : 0));
		if (member->joined)
			bb_put_hash(buf, &member->label);
		bb_put_i64(buf, member->first_ms);
	}
	bb_put_u64(buf, profile->run_n);
	for (size_t i = 0; i < profile->run_n; i++) {
		bb_put_u64(buf, profile->runs[i].cluster);
		bb_put_u64(buf, profile->runs[i].first);
		bb_put_u64(buf, profile->runs[i].last - profile->runs[i].first);
	}
}

/* Behind the run before it, and not adjacent. */
static struct bb_run get_run(struct bb_cursor *cur, const struct bb_run *before)
{
	uint64_t cluster = bb_get_u64(cur), first = bb_get_u64(cur), more = bb_get_u64(cur);

	if (!cluster || !first || first >= UINT32_MAX || more >= UINT32_MAX - first ||
	    (before && (cluster < before->cluster ||
			(cluster == before->cluster && first <= (uint64_t)before->last + 1))))
		cur->bad = true;
	return (struct bb_run){cluster, (uint32_t)first, (uint32_t)(first + more)};
}

bool bb_rows_decode_profile(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			    size_t ns_n, struct bb_profile *ret_profile)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	ret_profile->name = bb_get_hash(&cur);
	ret_profile->next_n = (uint32_t)bb_get_u64(&cur);
	ret_profile->member_n = ret_profile->member_room = bb_get_count(&cur);
	ret_profile->members =
		bb_arena_zalloc(arena, ret_profile->member_n * sizeof(*ret_profile->members));
	for (size_t i = 0; i < ret_profile->member_n; i++) {
		struct bb_member *member = &ret_profile->members[i];

		member->ns = get_ns(&cur, ns_of_id, ns_n);
		member->value = bb_get_text(&cur);
		uint64_t flags = bb_get_u64(&cur);

		member->shared = flags & MEMBER_SHARED;
		member->joined = flags & MEMBER_JOINED;
		member->split = flags & MEMBER_SPLIT;
		if (member->joined)
			member->label = bb_get_hash(&cur);
		member->first_ms = bb_get_time(&cur);
	}
	ret_profile->run_n = ret_profile->run_room = bb_get_count(&cur);
	ret_profile->runs = bb_arena_zalloc(arena, ret_profile->run_n * sizeof(*ret_profile->runs));
	for (size_t i = 0; i < ret_profile->run_n; i++)
		ret_profile->runs[i] = get_run(&cur, i ? &ret_profile->runs[i - 1] : NULL);
	return !cur.bad && ret_profile->member_n > 0;
}

void bb_rows_encode_record(struct bb_buf *buf, const struct bb_record *record,
			   const uint32_t *ns_ids)
{
	bb_put_u64(buf, record->source);
	bb_put_u64(buf, record->ident_n);
	for (size_t i = 0; i < record->ident_n; i++) {
		bb_put_u64(buf, ns_ids[record->ns[i]]);
		bb_put_text(buf, record->values[i]);
	}
	bb_put_u64(buf, record->blocked);
	bb_put_u64(buf, record->shared);
	bb_facts_encode(buf, &record->facts);
}

/* All but the facts. */
static bool decode_identifiers(struct bb_cursor *cur, struct bb_arena *arena,
			       const uint16_t *ns_of_id, size_t ns_n, struct bb_record *ret_record)
{
	ret_record->source = (uint32_t)bb_get_u64(cur);
	ret_record->ident_n = bb_get_count(cur);
	if (!ret_record->ident_n || ret_record->ident_n > BB_EVENT_IDENTIFIERS_MAX)
		return false;
	ret_record->ns = bb_arena_alloc(arena, ret_record->ident_n * sizeof(*ret_record->ns));
	ret_record->values =
		bb_arena_alloc(arena, ret_record->ident_n * sizeof(*ret_record->values));
	for (size_t i = 0; i < ret_record->ident_n; i++) {
		ret_record->ns[i] = get_ns(cur, ns_of_id, ns_n);
		ret_record->values[i] = bb_get_text(cur);
	}
	ret_record->blocked = (uint32_t)bb_get_u64(cur);
	ret_record->shared = (uint32_t)bb_get_u64(cur);
	return !cur->bad;
}

bool bb_rows_decode_record(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			   size_t ns_n, struct bb_record *ret_record)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	if (!decode_identifiers(&cur, arena, ns_of_id, ns_n, ret_record))
		return false;
	bb_facts_decode(&cur, arena, &ret_record->facts);
	for (size_t i = 0; i < ret_record->facts.same_n; i++)
		cur.bad = cur.bad || ret_record->facts.same[i].a >= ret_record->ident_n ||
			  ret_record->facts.same[i].b >= ret_record->ident_n;
	return !cur.bad;
}

bool bb_rows_decode_shown(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			  size_t ns_n, struct bb_record *ret_record)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	if (!decode_identifiers(&cur, arena, ns_of_id, ns_n, ret_record))
		return false;
	bb_facts_decode_shown(&cur, arena, &ret_record->facts);
	return !cur.bad;
}

bool bb_rows_decode_head(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			 size_t ns_n, struct bb_record *ret_record)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	if (!decode_identifiers(&cur, arena, ns_of_id, ns_n, ret_record))
		return false;
	for (size_t i = 0; i < ret_record->ident_n; i++)
		ret_record->values[i] = bb_arena_copy(arena, ret_record->values[i]);
	bb_facts_decode_head(&cur, &ret_record->facts);
	return !cur.bad;
}

struct bb_standing bb_rows_standing(const struct bb_record *record)
{
	return (struct bb_standing){.exists = !record->gone,
				    .blocked = record->blocked,
				    .shared = record->shared,
				    .events = record->facts.events,
				    .first_ms = record->facts.first_ms,
				    .last_ms = record->facts.last_ms,
				    .days = {record->facts.days[0], record->facts.days[1]}};
}

struct bb_text bb_rows_place_key(uint8_t out[12], uint64_t cluster, uint32_t n)
{
	bb_key_u64(out, cluster);
	bb_key_u32(out + 8, n);
	return bb_text_bytes(out, 12);
}

struct bb_text bb_rows_membership_key(uint8_t out[32], const struct bb_hash *ident,
				      const struct bb_hash *record)
{
	memcpy(out, ident->b, BB_HASH_BYTES);
	memcpy(out + BB_HASH_BYTES, record->b, BB_HASH_BYTES);
	return bb_text_bytes(out, 32);
}

/* The first run that does not end before the place. */
static size_t run_at(const struct bb_profile *profile, uint64_t cluster, uint32_t n)
{
	size_t low = 0, high = profile->run_n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct bb_run *run = &profile->runs[mid];

		if (run->cluster < cluster || (run->cluster == cluster && run->last < n))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void insert_run(struct bb_arena *arena, struct bb_profile *profile, size_t at,
		       struct bb_run run)
{
	BB_ARENA_PUSH(arena, profile->runs, profile->run_n, profile->run_room) = run;
	memmove(&profile->runs[at + 1], &profile->runs[at],
		(profile->run_n - 1 - at) * sizeof(run));
	profile->runs[at] = run;
}

static void delete_run(struct bb_profile *profile, size_t at)
{
	memmove(&profile->runs[at], &profile->runs[at + 1],
		(profile->run_n - at - 1) * sizeof(*profile->runs));
	profile->run_n--;
}

/* `run` does not overlap one that is there. */
static void add_run(struct bb_arena *arena, struct bb_profile *profile, struct bb_run run)
{
	size_t at = run_at(profile, run.cluster, run.first);
	struct bb_run *before = at > 0 ? &profile->runs[at - 1] : NULL;
	struct bb_run *behind = at < profile->run_n ? &profile->runs[at] : NULL;
	bool joins_before =
		before && before->cluster == run.cluster && before->last + 1 == run.first;
	bool joins_behind =
		behind && behind->cluster == run.cluster && run.last + 1 == behind->first;

	if (joins_before && joins_behind) {
		before->last = behind->last;
		delete_run(profile, at);
	} else if (joins_before) {
		before->last = run.last;
	} else if (joins_behind) {
		behind->first = run.first;
	} else {
		insert_run(arena, profile, at, run);
	}
}

void bb_rows_run_add(struct bb_arena *arena, struct bb_profile *profile, struct bb_place place)
{
	size_t at = run_at(profile, place.cluster, place.n);

	if (at < profile->run_n && profile->runs[at].cluster == place.cluster &&
	    profile->runs[at].first <= place.n)
		return;
	add_run(arena, profile, (struct bb_run){place.cluster, place.n, place.n});
}

void bb_rows_run_remove(struct bb_arena *arena, struct bb_profile *profile, struct bb_place place)
{
	size_t at = run_at(profile, place.cluster, place.n);
	struct bb_run *run = at < profile->run_n ? &profile->runs[at] : NULL;

	if (!run || run->cluster != place.cluster || run->first > place.n)
		return;
	if (run->first == run->last) {
		delete_run(profile, at);
	} else if (run->first == place.n) {
		run->first++;
	} else if (run->last == place.n) {
		run->last--;
	} else {
		struct bb_run head = {run->cluster, run->first, place.n - 1};

		run->first = place.n + 1;
		insert_run(arena, profile, at, head);
	}
}

void bb_rows_run_unite(struct bb_arena *arena, struct bb_profile *profile,
		       const struct bb_profile *other)
{
	for (size_t i = 0; i < other->run_n; i++)
		add_run(arena, profile, other->runs[i]);
}
