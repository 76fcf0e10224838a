/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which identifiers link nobody: one walk over their rows keeps the `top` ones in a short sorted
 * list, in memory that does not grow with the store; then each is explained as a question after it
 * would be.
 *
 * Rows that cannot be read are damage; what the explanation says of damage is passed on.
 */
#include <backbone/identifiers.h>

#include <backbone/assert.h>
#include <stdlib.h>

#include "explain.h"

struct pick {
	struct bb_hash hash;
	uint64_t records;
	uint16_t ns;
	char value[BB_EVENT_VALUE_MAX];
	size_t value_n;
};

struct picking {
	struct bb_kv *kv;
	const struct bb_rules *rules;
	bool want_blocked;
	size_t top;
	struct pick *picks; /* best first */
	size_t n;
	uint64_t shared, blocked; /* of all */
};

static struct bb_text value_of(const struct pick *pick)
{
	return bb_text_bytes(pick->value, pick->value_n);
}

/* <0: `a` comes first. */
static int compare(const struct pick *a, const struct pick *b)
{
	if (a->records != b->records)
		return a->records > b->records ? -1 : 1;
	if (a->ns != b->ns)
		return a->ns < b->ns ? -1 : 1;
	return bb_text_compare(value_of(a), value_of(b));
}

static void insert(struct picking *picking, const struct pick *pick)
{
	size_t at = picking->n;

	if (at == picking->top && compare(pick, &picking->picks[at - 1]) > 0)
		return;
	while (at > 0 && compare(pick, &picking->picks[at - 1]) < 0)
		at--;
	if (picking->n < picking->top)
		picking->n++;
	memmove(picking->picks + at + 1, picking->picks + at,
		(picking->n - at - 1) * sizeof(*pick));
	picking->picks[at] = *pick;
}

static void look_at(struct picking *picking, const struct bb_hash *hash,
		    const struct bb_ident *ident)
{
	struct pick pick = {.hash = *hash, .records = ident->record_n, .ns = ident->ns};

	picking->blocked += ident->blocked;
	picking->shared += ident->shared && !ident->blocked;
	if (picking->want_blocked ? !ident->blocked : !ident->shared || ident->blocked)
		return;
	pick.value_n = ident->value.n;
	memcpy(pick.value, ident->value.p, pick.value_n);
	insert(picking, &pick);
}

static int walk(struct picking *picking, struct bb_explainer *explainer)
{
	struct bb_batch *batch = bb_explain_begin(explainer, picking->kv);
	struct bb_hash hash = {{0}};
	struct bb_arena arena;
	bool after = false;
	int rc = batch->err;

	bb_arena_init(&arena);
	while (rc == BB_OK) {
		struct bb_text key, value;
		struct bb_ident ident = {.ns = 0};

		rc = bb_kv_seek(picking->kv, BB_TABLE_IDENTIFIER,
				bb_text_bytes(hash.b, BB_HASH_BYTES), after, &key, &value);
		if (rc != BB_OK)
			break;
		bb_arena_reset(&arena);
		if (key.n != BB_HASH_BYTES ||
		    !bb_rows_decode_ident(value, &arena, batch->ns_of_id, batch->ns_n, &ident) ||
		    ident.value.n > BB_EVENT_VALUE_MAX || ident.ns >= picking->rules->namespace_n) {
			rc = BB_ECORRUPT;
			break;
		}
		memcpy(hash.b, key.p, BB_HASH_BYTES);
		after = true;
		look_at(picking, &hash, &ident);
	}
	bb_arena_fini(&arena);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int explain(const struct picking *picking, const struct pick *pick,
		   struct bb_explainer *explainer, struct bb_buf *json)
{
	struct bb_batch *batch = bb_explain_begin(explainer, picking->kv);
	struct bb_ident *ident = bb_batch_ident(batch, &pick->hash);

	if (batch->err != BB_OK)
		return batch->err;
	if (!ident)
		return BB_ECORRUPT;
	if (picking->want_blocked) {
		struct bb_explain_end end = {.key = bb_explain_name(batch, ident),
					     .ident = ident,
					     .ns = ident->ns,
					     .value = ident->value,
					     .blocked = true};

		bb_explain_blocked(batch, &end, json);
	} else {
		bb_explain_shared(batch, ident, json);
	}
	return batch->err;
}

int bb_identifiers_top(struct bb_kv *kv, const struct bb_rules *rules, bool want_blocked,
		       size_t top, struct bb_buf *json)
{
	struct picking picking = {
		.kv = kv, .rules = rules, .want_blocked = want_blocked, .top = top};
	struct bb_explainer *explainer = bb_explainer_new(rules);
	size_t before = json->n;
	int rc;

	bb_assert(top > 0 && top <= BB_IDENTIFIERS_TOP_MAX);
	picking.picks = calloc(top, sizeof(*picking.picks));
	bb_assert(picking.picks);
	rc = walk(&picking, explainer);
	bb_buf_printf(json, "{\"identifiers\":[");
	for (size_t i = 0; rc == BB_OK && i < picking.n; i++) {
		if (i > 0)
			bb_buf_byte(json, ',');
		rc = explain(&picking, &picking.picks[i], explainer, json);
	}
	if (rc == BB_OK)
		bb_buf_printf(json, "],\"shared\":%llu,\"blocked\":%llu}",
			      (unsigned long long)picking.shared,
			      (unsigned long long)picking.blocked);
	else
		json->n = before;
	free(picking.picks);
	bb_explainer_free(explainer);
	return rc;
}
