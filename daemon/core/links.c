/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links and their ranks (identity.md §5.4, §6), made from records. `now` is the rank of the
 * definition before the batch, until the partition has taken it to `next`; it is computed from the
 * records' old standing when a link is first asked for. All links of an identifier are loaded in
 * one pass over its records, as every record that says a link holds both its ends. Of an identifier
 * in very many records only those inside its profile are loaded, by the other members (hubs.c).
 */
#include <backbone/assert.h>
#include <backbone/clock.h>

#include "identity.h"

const struct bb_rank bb_rank_best = {.tier = -1};
const struct bb_rank bb_rank_worst = {.tier = 2};

int bb_rank_compare(const struct bb_rank *a, const struct bb_rank *b)
{
	if (a->tier != b->tier)
		return a->tier < b->tier ? -1 : 1;
	if (a->not_owner != b->not_owner)
		return a->not_owner < b->not_owner ? -1 : 1;
	if (a->other != b->other)
		return a->other < b->other ? -1 : 1;
	for (int i = 0; i < 3; i++)
		if (a->merit[i] != b->merit[i])
			return a->merit[i] < b->merit[i] ? -1 : 1;
	if (a->anchor != b->anchor)
		return a->anchor < b->anchor ? -1 : 1;
	int d = memcmp(a->lot.b, b->lot.b, BB_HASH_BYTES);

	if (d || a->link == b->link || !a->link || !b->link)
		return d;
	/* values with NUL bytes can make one text of two links; their namespaces are equal here */
	d = bb_text_compare(a->link->anchor->value, b->link->anchor->value);
	return d ? d : bb_text_compare(a->link->other->value, b->link->other->value);
}

void bb_links_add(struct bb_standing *sum, const struct bb_standing *state)
{
	if (!sum->exists) {
		*sum = *state;
		return;
	}
	sum->events += state->events;
	if (state->first_ms < sum->first_ms)
		sum->first_ms = state->first_ms;
	if (state->last_ms > sum->last_ms)
		sum->last_ms = state->last_ms;
	for (int i = 0; i < 2; i++) {
		int64_t day = state->days[i];

		if (day == sum->days[0] || day <= sum->days[1])
			continue;
		sum->days[1] = day > sum->days[0] ? sum->days[0] : day;
		sum->days[0] = day > sum->days[0] ? day : sum->days[0];
	}
}

/* What the other end's namespace prefers, best (smallest) first. */
static void set_merit(const struct bb_rules *rules, const struct bb_link *link,
		      struct bb_rank *rank)
{
	const struct bb_standing *sum = &link->sum;

	switch (rules->namespaces[link->other->ns].prefer) {
	case BB_PREFER_NEWEST: /* seen on two days beats seen on one: a typo moves nothing */
		rank->merit[0] = sum->days[1] == INT64_MIN;
		rank->merit[1] = rank->merit[0] ? 0 : -sum->days[1];
		rank->merit[2] = -(sum->last_ms / BB_HOUR_MS);
		break;
	case BB_PREFER_OLDEST:
		rank->merit[0] = sum->first_ms / BB_HOUR_MS;
		break;
	case BB_PREFER_MOST:
		rank->merit[0] = -(64 - __builtin_clzll(sum->events));
		break;
	}
}

static struct bb_hash lot(const struct bb_batch *batch, const struct bb_link *link)
{
	const struct bb_rules *rules = batch->rules;
	const struct bb_ident *a = link->anchor, *y = link->other;
	struct bb_text parts[] = {bb_text_of(rules->namespaces[a->ns].name), a->value,
				  bb_text_of(rules->namespaces[y->ns].name), y->value};

	return bb_memo_hash(batch->memo, &rules->profile_key, parts, 4);
}

/* The rank of a link that is there: of a join, or of `sum`. */
static struct bb_rank rank_of(const struct bb_batch *batch, const struct bb_link *link)
{
	const struct bb_rules *rules = batch->rules;
	struct bb_rank rank = {.tier = link->join ? 0 : 1,
			       .not_owner = !rules->namespaces[link->anchor->ns].owner,
			       .other = link->other->ns,
			       .anchor = link->anchor->ns,
			       .link = link};

	if (!link->join)
		set_merit(rules, link, &rank);
	rank.lot = lot(batch, link);
	return rank;
}

struct bb_hash bb_links_key(const struct bb_hash *anchor, const struct bb_hash *other, bool join)
{
	struct bb_hash key;

	for (int i = 0; i < BB_HASH_BYTES; i++) /* directed: the two ends are not alike */
		key.b[i] = (uint8_t)(anchor->b[i] ^ other->b[(i + 5) % BB_HASH_BYTES]);
	key.b[8] ^= join;
	return key;
}

static void attach(struct bb_batch *batch, struct bb_ident *ident, struct bb_link *link)
{
	if (!ident->adjacency)
		ident->adjacency = bb_arena_zalloc(&batch->arena, sizeof(*ident->adjacency));
	BB_ARENA_PUSH(&batch->arena, ident->adjacency->items, ident->adjacency->n,
		      ident->adjacency->room) = link;
}

static struct bb_link *find_or_make(struct bb_batch *batch, struct bb_ident *anchor,
				    struct bb_ident *other, bool join, bool *ret_made)
{
	struct bb_hash key = bb_links_key(&anchor->hash, &other->hash, join);
	struct bb_link *link = bb_table_get(&batch->links, &key);

	*ret_made = !link;
	if (link) {
		bb_assert(link->anchor == anchor && link->other == other);
		return link;
	}
	link = bb_arena_zalloc(&batch->arena, sizeof(*link));
	link->anchor = anchor;
	link->other = other;
	link->join = join;
	link->now = link->next = bb_rank_worst;
	bb_table_put(&batch->links, &key, link);
	attach(batch, anchor, link);
	attach(batch, other, link);
	return link;
}

int bb_links_anchor(const struct bb_record *record, const struct bb_standing *state)
{
	int anchor =
		state->exists ? bb_rows_anchor(record->ident_n, state->blocked, state->shared) : -1;

	return anchor >= 0 && !(state->shared & BB_MASK(anchor)) ? anchor : -1;
}

static int index_of(struct bb_batch *batch, struct bb_record *record, const struct bb_ident *ident)
{
	for (size_t i = 0; i < record->ident_n; i++)
		if (record->ns[i] == ident->ns && bb_text_equal(record->values[i], ident->value))
			return bb_batch_record_ident(batch, record, i) == ident ? (int)i : -1;
	return -1;
}

/* Sums the link over its records, as they were or as they are: by the end that is in fewer. */
static void sum_records(struct bb_batch *batch, struct bb_link *link, bool old)
{
	struct bb_ident *end =
		link->anchor->record_n < link->other->record_n ? link->anchor : link->other;
	struct bb_record *record;

	if (bb_hubs_sum(batch, link, old))
		return;
	link->sum = (struct bb_standing){.exists = false};
	for (size_t i = 0; (record = bb_batch_nth_record(batch, end, i)); i++) {
		struct bb_standing state = old ? record->old : bb_rows_standing(record);
		int anchor = bb_links_anchor(record, &state);

		if (anchor < 0 || index_of(batch, record, link->anchor) != anchor)
			continue;
		int other = index_of(batch, record, link->other);

		if (other >= 0 && !((state.blocked | state.shared) & BB_MASK(other)))
			bb_links_add(&link->sum, &state);
	}
	if (old)
		bb_hubs_keep(batch, link);
}

/* Whether the join was there before the batch, or is there now. */
static bool join_stands(const struct bb_link *link, bool old)
{
	const struct bb_ident *a = link->anchor, *b = link->other;
	const struct bb_join *pair = bb_ident_pair(a, b);

	if (old ? a->old_shared || b->old_shared : a->shared || b->shared)
		return false;
	return pair && bb_pair_joins(a, b, pair, old);
}

static struct bb_rank compute(struct bb_batch *batch, struct bb_link *link, bool old)
{
	bool there;

	if (link->join) {
		there = join_stands(link, old);
	} else {
		sum_records(batch, link, old);
		there = link->sum.exists;
	}
	return there ? rank_of(batch, link) : bb_rank_worst;
}

struct bb_link *bb_links_get(struct bb_batch *batch, struct bb_ident *anchor,
			     struct bb_ident *other, bool join)
{
	bool made;
	struct bb_link *link = find_or_make(batch, anchor, other, join, &made);

	if (made)
		link->now = link->next = compute(batch, link, true);
	return link;
}

void bb_links_next(struct bb_batch *batch, struct bb_link *link)
{
	link->next = compute(batch, link, false);
}

/* Makes the links of one record that touch the identifier; those made in this pass are summed. */
static void load_record(struct bb_batch *batch, struct bb_ident *ident, struct bb_record *record,
			uint32_t mark)
{
	int anchor = bb_links_anchor(record, &record->old), me = index_of(batch, record, ident);
	uint32_t out = record->old.blocked | record->old.shared;

	if (anchor < 0 || me < 0 || out & BB_MASK(me))
		return;
	struct bb_ident *first = bb_batch_record_ident(batch, record, (size_t)anchor);

	for (size_t i = 0; i < record->ident_n; i++) {
		bool made;

		if ((int)i == anchor || out & BB_MASK(i) || (me != anchor && (int)i != me))
			continue;
		struct bb_link *link = find_or_make(
			batch, first, bb_batch_record_ident(batch, record, i), false, &made);

		if (made)
			link->mark = mark;
		if (link->mark == mark)
			bb_links_add(&link->sum, &record->old);
	}
}

static void load_joins(struct bb_batch *batch, struct bb_ident *ident)
{
	if (ident->adjacency->joins_loaded)
		return;
	ident->adjacency->joins_loaded = true;
	for (size_t i = 0; i < ident->join_n; i++) {
		struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[i]);

		if (!other)
			return;
		if (!bb_pair_joins(ident, other, &ident->joins[i], true) &&
		    !bb_pair_joins(ident, other, &ident->joins[i], false))
			continue;
		bool swap =
			ident->ns > other->ns ||
			(ident->ns == other->ns && bb_text_compare(ident->value, other->value) > 0);

		bb_links_get(batch, swap ? other : ident, swap ? ident : other, true);
	}
}

const struct bb_adjacency *bb_links_of(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_record *record;
	uint32_t mark;

	if (!ident->adjacency)
		ident->adjacency = bb_arena_zalloc(&batch->arena, sizeof(*ident->adjacency));
	if (ident->adjacency->loaded)
		return ident->adjacency;
	ident->adjacency->loaded = true;
	mark = ++batch->link_mark;
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		load_record(batch, ident, record, mark);
	for (size_t i = 0; i < ident->adjacency->n; i++) {
		struct bb_link *link = ident->adjacency->items[i];

		if (link->mark == mark)
			link->now = link->next = rank_of(batch, link);
	}
	load_joins(batch, ident);
	return ident->adjacency;
}

/* The link between two hubs. */
static void load_pair(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b)
{
	bool swap = a->ns > b->ns || (a->ns == b->ns && bb_text_compare(a->value, b->value) > 0);

	bb_links_get(batch, swap ? b : a, swap ? a : b, false);
}

/* An inside link is one of the other member too, and most members have few. */
const struct bb_adjacency *bb_links_within(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_profile *profile;

	if (!bb_hubs_defers(batch, ident))
		return bb_links_of(batch, ident);
	if (!ident->adjacency)
		ident->adjacency = bb_arena_zalloc(&batch->arena, sizeof(*ident->adjacency));
	profile = bb_batch_profile_of(batch, ident);
	if (!profile ||
	    (ident->adjacency->within == profile && ident->adjacency->forms == batch->forms))
		return ident->adjacency;
	load_joins(batch, ident);
	for (size_t i = 0; i < profile->member_n; i++) {
		struct bb_ident *other = bb_batch_member_ident(batch, &profile->members[i]);

		if (other != ident && bb_hubs_defers(batch, other))
			load_pair(batch, ident, other);
		else if (other != ident)
			bb_links_of(batch, other);
	}
	ident->adjacency->within = profile;
	ident->adjacency->forms = batch->forms;
	return ident->adjacency;
}

static void add_inside(struct bb_batch *batch, struct bb_adjacency *adjacency, struct bb_link *link)
{
	BB_ARENA_PUSH(&batch->arena, adjacency->inside, adjacency->inside_n,
		      adjacency->inside_room) = link;
}

static void list_by_links(struct bb_batch *batch, const struct bb_ident *ident,
			  const struct bb_profile *profile)
{
	struct bb_adjacency *adjacency = ident->adjacency;

	for (size_t i = 0; i < adjacency->n; i++) {
		struct bb_link *link = adjacency->items[i];
		struct bb_ident *other = link->anchor == ident ? link->other : link->anchor;

		if (bb_batch_profile_of(batch, other) == profile)
			add_inside(batch, adjacency, link);
	}
}

static void list_by_members(struct bb_batch *batch, const struct bb_ident *ident,
			    struct bb_profile *profile)
{
	for (size_t i = 0; i < profile->member_n; i++) {
		const struct bb_ident *other = bb_batch_member_ident(batch, &profile->members[i]);

		for (unsigned k = 0; k < 4; k++) {
			struct bb_hash key =
				bb_links_key(k & 1 ? &ident->hash : &other->hash,
					     k & 1 ? &other->hash : &ident->hash, k & 2);
			struct bb_link *link = bb_table_get(&batch->links, &key);

			if (link)
				add_inside(batch, ident->adjacency, link);
		}
	}
}

const struct bb_adjacency *bb_links_inside(struct bb_batch *batch, struct bb_ident *ident, bool all)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, ident);
	struct bb_adjacency *adjacency;

	if (all)
		bb_links_of(batch, ident);
	else
		bb_links_within(batch, ident);
	adjacency = ident->adjacency;
	if (adjacency->inside_at == profile && adjacency->inside_forms == batch->forms &&
	    adjacency->inside_of == adjacency->n && profile)
		return adjacency;
	adjacency->inside_n = 0;
	if (profile && adjacency->n / 4 > profile->member_n)
		list_by_members(batch, ident, profile);
	else
		list_by_links(batch, ident, profile);
	adjacency->inside_of = adjacency->n;
	adjacency->inside_at = profile;
	adjacency->inside_forms = batch->forms;
	return adjacency;
}
