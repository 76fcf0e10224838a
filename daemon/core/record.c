/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding or making the record of a source and a set of identifiers (identity.md §3), by the hash
 * of both. It is looked for among the records of its strongest identifier. Nothing is written here.
 */
#include "batch.h"

static struct bb_record *record_new(struct bb_batch *batch, struct bb_text source,
				    const uint16_t *ns, const struct bb_text *values, size_t n,
				    uint32_t junk)
{
	struct bb_arena *arena = &batch->arena;
	struct bb_record *record = bb_arena_zalloc(arena, sizeof(*record));

	record->source = bb_names_add(batch->names, BB_NAME_SOURCE, source);
	record->ident_n = n;
	record->ns = bb_arena_alloc(arena, n * sizeof(*record->ns));
	record->values = bb_arena_alloc(arena, n * sizeof(*record->values));
	record->idents = bb_arena_zalloc(arena, n * sizeof(*record->idents));
	for (size_t i = 0; i < n; i++) {
		record->ns[i] = ns[i];
		record->values[i] = values[i];
		record->idents[i] = bb_steward_meet(batch, ns[i], values[i], junk & BB_MASK(i));
		if (record->idents[i]->blocked)
			record->blocked |= BB_MASK(i);
		if (record->idents[i]->shared)
			record->shared |= BB_MASK(i);
	}
	bb_facts_init(&record->facts);
	return record;
}

struct bb_record *bb_batch_record_of(struct bb_batch *batch, struct bb_text source,
				     const uint16_t *ns, const struct bb_text *values, size_t n,
				     uint32_t junk)
{
	struct bb_hash hash = bb_batch_hash_record(batch, source, ns, values, n);
	struct bb_record *record = bb_table_get(&batch->records, &hash);

	if (record)
		return record;
	struct bb_hash strongest = bb_batch_hash_ident(batch, ns[0], values[0]);
	struct bb_ident *ident = bb_batch_ident(batch, &strongest);

	if (ident)
		record = bb_batch_record_in(batch, ident, &hash);
	if (record && record->ident_n != n)
		bb_batch_fail(batch, BB_ECORRUPT);
	if (record)
		return record;
	record = record_new(batch, source, ns, values, n, junk);
	record->hash = hash;
	bb_table_put(&batch->records, &hash, record);
	bb_identity_enter(batch, record);
	batch->stats.records_created++;
	return record;
}

void bb_batch_add_same(struct bb_batch *batch, struct bb_record *record, uint8_t low, uint8_t high,
		       uint64_t n)
{
	struct bb_facts *facts = &record->facts;

	for (size_t i = 0; i < facts->same_n; i++)
		if (facts->same[i].a == low && facts->same[i].b == high) {
			facts->same[i].n += n;
			return;
		}
	BB_ARENA_PUSH(&batch->arena, facts->same, facts->same_n, facts->same_room) =
		(struct bb_fact_same){low, high, n};
	/* only inside one owner namespace is it a join (identity.md §4) */
	if (record->ns[low] == record->ns[high] && batch->rules->namespaces[record->ns[low]].owner)
		bb_identity_join(batch, bb_batch_record_ident(batch, record, low),
				 bb_batch_record_ident(batch, record, high));
}
