/* SPDX-License-Identifier: Apache-2.0 */
/* Hash tables of a batch. Keys are hashes already: their first bytes choose the slot. */
#include "batch.h"

#include <backbone/assert.h>
#include <stdlib.h>

static size_t slot_of(const struct bb_hash_table *table, const struct bb_hash *key)
{
	uint64_t h;

	memcpy(&h, key->b, sizeof(h));
	size_t i = (size_t)h & (table->slot_n - 1);

	while (table->slots[i].value && !bb_hash_equal(&table->slots[i].key, key))
		i = (i + 1) & (table->slot_n - 1);
	return i;
}

void *bb_table_get(const struct bb_hash_table *table, const struct bb_hash *key)
{
	return table->slot_n ? table->slots[slot_of(table, key)].value : NULL;
}

static void resize(struct bb_hash_table *table, size_t slot_n)
{
	struct bb_hash_table old = *table;

	table->slots = calloc(slot_n, sizeof(*table->slots));
	bb_assert(table->slots != NULL);
	table->slot_n = slot_n;
	for (size_t i = 0; i < old.slot_n; i++)
		if (old.slots[i].value)
			table->slots[slot_of(table, &old.slots[i].key)] = old.slots[i];
	free(old.slots);
}

void bb_table_put(struct bb_hash_table *table, const struct bb_hash *key, void *value)
{
	if (2 * (table->n + 1) > table->slot_n)
		resize(table, table->slot_n ? 2 * table->slot_n : 256);
	struct bb_table_slot *slot = &table->slots[slot_of(table, key)];

	table->n += slot->value == NULL;
	slot->key = *key;
	slot->value = value;
}

void bb_table_clear(struct bb_hash_table *table)
{
	if (table->slot_n >
	    16 * (table->n + 1024)) { /* one large batch does not make all later ones slow */
		bb_table_fini(table);
		return;
	}
	if (table->n)
		memset(table->slots, 0, table->slot_n * sizeof(*table->slots));
	table->n = 0;
}

void bb_table_fini(struct bb_hash_table *table)
{
	free(table->slots);
	*table = (struct bb_hash_table){NULL, 0, 0};
}
