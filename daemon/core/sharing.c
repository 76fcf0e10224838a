/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared identifiers (identity.md §5.2). Each identifier keeps the others that it came with, as far
 * as a cap of its namespace counts them. As long as their bare number breaks no cap it is not
 * shared; else joined ones are counted once. A shared one keeps no list: the number of those it
 * came with only grows, but for joins, and then it is counted from its records, which ends at the
 * cap.
 */
#include <stdlib.h>

#include "identity.h"

/* More distinct owners of namespace `of` than this make an identifier of `ns` shared. */
static uint32_t owners_cap(const struct bb_namespace *ns, const struct bb_namespace *of)
{
	if (ns->owners == BB_NO_LIMIT || (ns->durable && of->per_profile == BB_NO_LIMIT))
		return BB_NO_LIMIT;
	return ns->durable && of->per_profile > ns->owners ? of->per_profile : ns->owners;
}

/* Whether any cap of `ns` counts identifiers of `of`. */
static bool is_counted(const struct bb_rules *rules, uint16_t ns, uint16_t of)
{
	const struct bb_namespace *mine = &rules->namespaces[ns], *its = &rules->namespaces[of];

	if ((its->durable ? mine->links : mine->devices) != BB_NO_LIMIT)
		return true;
	return its->owner && ns != of && owners_cap(mine, its) != BB_NO_LIMIT;
}

static bool near_add(struct bb_arena *arena, struct bb_ident *ident, const struct bb_ident *other)
{
	for (size_t i = 0; i < ident->near_n; i++)
		if (bb_hash_equal(&ident->near[i].hash, &other->hash))
			return false;
	BB_ARENA_PUSH(arena, ident->near, ident->near_n, ident->near_room) =
		(struct bb_near){other->hash, other->ns};
	return true;
}

void bb_sharing_recount(struct bb_batch *batch, struct bb_ident *ident)
{
	if (ident->recount)
		return;
	ident->recount = true;
	ident->next_recount = batch->recounts;
	batch->recounts = ident;
}

/* So many that a cap must be broken, unless they are joined: then the list is not worth keeping. */
static size_t near_most(const struct bb_namespace *ns)
{
	size_t links = ns->links == BB_NO_LIMIT ? 0 : ns->links,
	       devices = ns->devices == BB_NO_LIMIT ? 0 : ns->devices;

	return 2 * (links + devices) + 64;
}

void bb_sharing_enter(struct bb_batch *batch, struct bb_record *record, size_t i)
{
	struct bb_ident *ident = bb_batch_record_ident(batch, record, i);
	uint32_t records = batch->rules->namespaces[ident->ns].records;

	if (ident->blocked)
		return;
	if (records != BB_NO_LIMIT && ident->record_n > records)
		bb_sharing_recount(batch, ident);
	if (!ident->near_partial &&
	    ident->near_n > near_most(&batch->rules->namespaces[ident->ns])) {
		ident->near_partial = true;
		bb_sharing_recount(batch, ident);
	}
	if (ident->shared || ident->near_partial) {
		ident->near_partial = true;
		if (!ident->shared)
			bb_sharing_recount(batch, ident);
		return;
	}
	for (size_t j = 0; j < record->ident_n; j++) {
		struct bb_ident *other = bb_batch_record_ident(batch, record, j);

		if (j != i && !other->blocked && is_counted(batch->rules, ident->ns, other->ns) &&
		    near_add(&batch->arena, ident, other))
			bb_sharing_recount(batch, ident);
	}
}

struct counted {
	struct bb_hash label;
	uint16_t ns;
};

static int by_label(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;
	int d = memcmp(x->label.b, y->label.b, BB_HASH_BYTES);

	return d ? d : (int)x->ns - (int)y->ns;
}

/* Whether a cap is broken; `items` sorted by label, then namespace. Those of the label `own` are
 * joined to the identifier: owners all the same, but nobody else that it came with. */
static bool breaks_cap(struct bb_batch *batch, uint16_t ns, const struct bb_hash *own,
		       const struct counted *items, size_t n)
{
	const struct bb_namespace *all = batch->rules->namespaces, *mine = &all[ns];
	uint32_t *owners =
		bb_arena_zalloc(&batch->arena, batch->rules->namespace_n * sizeof(*owners));
	uint32_t durable = 0, devices = 0;

	for (size_t i = 0, end; i < n; i = end) {
		bool has_durable = false, has_device = false;

		for (end = i; end < n && bb_hash_equal(&items[end].label, &items[i].label); end++) {
			const struct bb_namespace *its = &all[items[end].ns];
			bool again = end > i && items[end].ns == items[end - 1].ns;

			has_durable = has_durable || its->durable;
			has_device = has_device || !its->durable;
			if (!again && its->owner && items[end].ns != ns) {
				uint32_t cap = owners_cap(mine, its);

				if (++owners[items[end].ns] > cap && cap != BB_NO_LIMIT)
					return true;
			}
		}
		if (bb_hash_equal(&items[i].label, own))
			continue;
		durable += has_durable;
		devices += has_device;
	}
	return (mine->links != BB_NO_LIMIT && durable > mine->links) ||
	       (mine->devices != BB_NO_LIMIT && devices > mine->devices);
}

/* Counts `near`, joined ones once. */
static bool breaks_cap_by_label(struct bb_batch *batch, const struct bb_ident *ident)
{
	struct counted *items = bb_arena_alloc(&batch->arena, ident->near_n * sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < ident->near_n; i++) {
		const struct bb_ident *other = bb_batch_ident(batch, &ident->near[i].hash);

		if (!other) {
			bb_batch_fail(batch, BB_ECORRUPT);
			return false;
		}
		items[n++] = (struct counted){*bb_ident_next_label(other), other->ns};
	}
	qsort(items, n, sizeof(*items), by_label);
	return breaks_cap(batch, ident->ns, bb_ident_next_label(ident), items, n);
}

/* Without a look at anybody's label: never less than the true number. */
static bool may_break_cap(struct bb_batch *batch, const struct bb_ident *ident)
{
	struct counted *items = bb_arena_alloc(&batch->arena, ident->near_n * sizeof(*items));

	for (size_t i = 0; i < ident->near_n; i++)
		items[i] = (struct counted){ident->near[i].hash, ident->near[i].ns};
	qsort(items, ident->near_n, sizeof(*items), by_label);
	return breaks_cap(batch, ident->ns, &ident->hash, items, ident->near_n);
}

/* Fills `near` from the records until a cap breaks. */
static bool count_from_records(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_record *record;
	size_t checked = 0;

	ident->near_n = 0;
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++) {
		for (size_t j = 0; !record->gone && j < record->ident_n; j++) {
			struct bb_ident *other = bb_batch_record_ident(batch, record, j);

			if (other != ident && !other->blocked &&
			    is_counted(batch->rules, ident->ns, other->ns))
				near_add(&batch->arena, ident, other);
		}
		/* each time the list has doubled: the sum of the counts stays linear */
		if (ident->near_n >= 2 * checked + 2) {
			checked = ident->near_n;
			if (breaks_cap_by_label(batch, ident))
				return true;
		}
	}
	if (breaks_cap_by_label(batch, ident))
		return true;
	ident->near_partial = false;
	return false;
}

bool bb_sharing_evaluate(struct bb_batch *batch, struct bb_ident *ident)
{
	uint32_t records = batch->rules->namespaces[ident->ns].records;

	if (ident->blocked || ident->allowed)
		return false;
	if (records != BB_NO_LIMIT && ident->record_n > records)
		return true;
	if (ident->near_partial)
		return count_from_records(batch, ident);
	return may_break_cap(batch, ident) && breaks_cap_by_label(batch, ident);
}
