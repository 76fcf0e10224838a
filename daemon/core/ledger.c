/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Amounts with a key (view.md §4): under each key of a source, the latest state of every part
 * counts once, for the record that brought it; a state that belongs to nobody counts for the record
 * of the latest event with the key that belongs to somebody. A row keeps one candidate per part and
 * record, winners and runners-up alike, so that what counts where is a function of the row.
 *
 * A new candidate changes the row; the difference of what counted where, before and after, is taken
 * to the records.
 */
#include "adopt.h"
#include "batch.h"

struct candidate {
	struct bb_text part;
	struct bb_hash record, holder; /* holder: an identifier that leads to the record */
	bool recorded, somebody;       /* has identifiers at all; has an anchor */
	struct bb_origin by;
	bb_i128 micros;
	char currency[3];
	uint32_t type;
};

struct bb_ledger_row {
	struct bb_hash hash;
	struct candidate *items;
	size_t n, room;
	bool is_new; /* not in the store */
	bool dirty;
	bool taken;  /* nothing of it counts: bb_ledger_settle is to come */
	bool listed; /* its key is erased */
	struct bb_ledger_row *next;
};

static bool decode(struct bb_batch *batch, struct bb_text bytes, struct bb_ledger_row *row)
{
	struct bb_cursor cur = bb_cursor_of(bytes);

	row->n = row->room = bb_get_count(&cur);
	row->items = bb_arena_zalloc(&batch->arena, row->n * sizeof(*row->items));
	for (size_t i = 0; i < row->n; i++) {
		struct candidate *cand = &row->items[i];
		uint64_t flags = bb_get_u64(&cur);

		cand->recorded = flags & 1;
		cand->somebody = flags & 2;
		cand->by.kafka = flags & 4;
		cand->part = bb_get_text(&cur);
		if (cand->recorded) {
			cand->record = bb_get_hash(&cur);
			cand->holder = bb_get_hash(&cur);
		}
		cand->by.time_ms = bb_get_time(&cur);
		cand->by.id = bb_get_id(&cur, &batch->arena);
		cand->micros = bb_get_i128(&cur);
		bb_get_currency(&cur, cand->currency);
		cur.bad = cur.bad || (cand->somebody && !cand->recorded);
		cand->type = (uint32_t)bb_get_u64(&cur);
	}
	return !cur.bad;
}

static void encode(struct bb_buf *buf, const struct bb_ledger_row *row)
{
	buf->n = 0;
	bb_put_u64(buf, row->n);
	for (size_t i = 0; i < row->n; i++) {
		const struct candidate *cand = &row->items[i];

		bb_put_u64(buf, (uint64_t)cand->recorded | (uint64_t)cand->somebody << 1 |
					(uint64_t)cand->by.kafka << 2);
		bb_put_text(buf, cand->part);
		if (cand->recorded) {
			bb_put_hash(buf, &cand->record);
			bb_put_hash(buf, &cand->holder);
		}
		bb_put_i64(buf, cand->by.time_ms);
		bb_put_id(buf, cand->by.id);
		bb_put_i128(buf, cand->micros);
		bb_buf_add(buf, cand->currency, 3);
		bb_put_u64(buf, cand->type);
	}
}

static struct bb_ledger_row *row_of(struct bb_batch *batch, const struct bb_hash *hash)
{
	struct bb_ledger_row *row = bb_table_get(&batch->ledgers, hash);
	struct bb_text value;

	if (row)
		return row;
	row = bb_arena_zalloc(&batch->arena, sizeof(*row));
	row->hash = *hash;
	int rc = bb_kv_get(batch->kv, BB_TABLE_LEDGER, bb_text_bytes(hash->b, BB_HASH_BYTES),
			   &value);

	if (rc == BB_OK && !decode(batch, bb_arena_copy(&batch->arena, value), row))
		rc = BB_ECORRUPT;
	row->is_new = rc == BB_ENOTFOUND;
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
	bb_table_put(&batch->ledgers, hash, row);
	return row;
}

/* The latest of a part (part NULL: of all that belong to somebody). */
static const struct candidate *latest(const struct bb_ledger_row *row, const struct bb_text *part)
{
	const struct candidate *best = NULL;

	for (size_t i = 0; i < row->n; i++) {
		const struct candidate *cand = &row->items[i];

		if (part ? !bb_text_equal(cand->part, *part) : !cand->somebody)
			continue;
		if (!best || bb_origin_compare(&cand->by, &best->by) > 0)
			best = cand;
	}
	return best;
}

/* Takes the state of a part into the record that it counts for, or (n -1) out of it. */
static void count(struct bb_batch *batch, const struct candidate *state,
		  const struct candidate *claim, int n)
{
	const struct candidate *owner = !state || state->somebody ? state : claim;

	if (!owner || batch->err != BB_OK)
		return;
	struct bb_ident *holder = bb_batch_ident(batch, &owner->holder);
	struct bb_record *record =
		holder ? bb_batch_record_in(batch, holder, &owner->record) : NULL;

	if (!record) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return;
	}
	bb_batch_dirty_record(batch, record);
	bb_facts_amount(&batch->arena, &record->facts, state->type, state->by.time_ms,
			state->currency, state->micros, n);
}

/* All parts whose state belongs to nobody follow the claim; those of others stay where they are. */
static void count_unclaimed(struct bb_batch *batch, const struct bb_ledger_row *row,
			    const struct bb_text *but, const struct candidate *claim, int n)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct candidate *cand = &row->items[i];

		if (!cand->somebody && !bb_text_equal(cand->part, *but) &&
		    latest(row, &cand->part) == cand)
			count(batch, cand, claim, n);
	}
}

/* Puts the candidate in the row, in the place of an older one of the same part and record. False:
 * an older state. */
static bool enter(struct bb_batch *batch, struct bb_ledger_row *row, const struct candidate *cand)
{
	for (size_t i = 0; i < row->n; i++) {
		struct candidate *old = &row->items[i];

		if (old->recorded != cand->recorded ||
		    !bb_hash_equal(&old->record, &cand->record) ||
		    !bb_text_equal(old->part, cand->part))
			continue;
		if (bb_origin_compare(&cand->by, &old->by) <= 0)
			return false;
		*old = *cand;
		return true;
	}
	BB_ARENA_PUSH(&batch->arena, row->items, row->n, row->room) = *cand;
	return true;
}

/* The record notes the key with its first candidate under it. */
static void keep_key(struct bb_batch *batch, struct bb_record *record,
		     const struct bb_ledger_row *row)
{
	struct bb_facts *facts = &record->facts;
	uint64_t head;

	for (size_t i = 0; i < row->n; i++)
		if (row->items[i].recorded && bb_hash_equal(&row->items[i].record, &record->hash))
			return;
	memcpy(&head, row->hash.b, sizeof(head));
	BB_ARENA_PUSH(&batch->arena, facts->amount_keys, facts->amount_key_n,
		      facts->amount_key_room) = head;
}

static const struct candidate *keep(const struct candidate *cand, struct candidate *copy)
{
	if (!cand)
		return NULL;
	*copy = *cand;
	return copy;
}

static void dirty(struct bb_batch *batch, struct bb_ledger_row *row)
{
	if (row->dirty)
		return;
	row->dirty = true;
	row->next = batch->dirty_ledgers;
	batch->dirty_ledgers = row;
}

struct bb_hash bb_ledger_hash(const struct bb_batch *batch, const struct bb_event *ev)
{
	struct bb_text parts[] = {ev->source, ev->amount.key};

	return bb_hash_parts(&batch->rules->profile_key, parts, 2);
}

void bb_ledger_add(struct bb_batch *batch, const struct bb_event *ev, struct bb_record *record,
		   bb_i128 micros)
{
	struct bb_hash hash = bb_ledger_hash(batch, ev);
	struct bb_ledger_row *row = row_of(batch, &hash);
	struct candidate cand = {
		.part = ev->amount.part.p ? ev->amount.part : BB_TEXT(""),
		.by = {.time_ms = ev->time_ms, .id = ev->id, .kafka = ev->kafka_time},
		.micros = micros,
		.type = bb_names_add(batch->names, BB_NAME_TYPE, ev->type)};

	memcpy(cand.currency, ev->amount.currency.p, 3);
	if (record) {
		cand.recorded = true;
		cand.record = record->hash;
		cand.holder = bb_batch_hash_ident(batch, record->ns[0], record->values[0]);
		cand.somebody =
			bb_rows_anchor(record->ident_n, record->blocked, record->shared) >= 0;
		keep_key(batch, record, row);
	}
	struct candidate kept[2]; /* entering may write over what was the state or the claim */
	const struct candidate *state_before = keep(latest(row, &cand.part), &kept[0]),
			       *claim_before = keep(latest(row, NULL), &kept[1]);

	if (!enter(batch, row, &cand))
		return;
	const struct candidate *claim = latest(row, NULL);

	if (claim_before && !claim) { /* what is somebody's stays so: the row says otherwise */
		bb_batch_fail(batch, BB_ECORRUPT);
		return;
	}
	bool moved = !claim_before || !bb_hash_equal(&claim_before->record, &claim->record);

	count(batch, state_before, claim_before, -1);
	count(batch, latest(row, &cand.part), claim, 1);
	if (claim && moved) { /* the other parts have the states they had */
		count_unclaimed(batch, row, &cand.part, claim_before, -1);
		count_unclaimed(batch, row, &cand.part, claim, 1);
	}
	dirty(batch, row);
}

/* All that the row says counts, or (n -1) counts no longer. */
static void count_all(struct bb_batch *batch, const struct bb_ledger_row *row, int n)
{
	const struct candidate *claim = latest(row, NULL);

	for (size_t i = 0; i < row->n; i++)
		if (latest(row, &row->items[i].part) == &row->items[i])
			count(batch, &row->items[i], claim, n);
}

static void restand_row(struct bb_batch *batch, struct bb_ledger_row *row,
			const struct bb_record *record)
{
	bool somebody = bb_rows_anchor(record->ident_n, record->blocked, record->shared) >= 0,
	     changed = false;

	for (size_t i = 0; i < row->n; i++) {
		const struct candidate *cand = &row->items[i];

		changed = changed || (cand->recorded && cand->somebody != somebody &&
				      bb_hash_equal(&cand->record, &record->hash));
	}
	if (!changed)
		return;
	count_all(batch, row, -1);
	for (size_t i = 0; i < row->n; i++)
		if (row->items[i].recorded && bb_hash_equal(&row->items[i].record, &record->hash))
			row->items[i].somebody = somebody;
	count_all(batch, row, 1);
	dirty(batch, row);
}

/* The row with such a head that is behind *after, of the store. */
static bool next_with_head(struct bb_batch *batch, uint64_t head, struct bb_hash *after,
			   bool is_first)
{
	struct bb_text key, value;
	int rc;

	if (is_first) {
		memset(after->b, 0, BB_HASH_BYTES);
		memcpy(after->b, &head, sizeof(head));
	}
	rc = bb_kv_seek(batch->kv, BB_TABLE_LEDGER, bb_text_bytes(after->b, BB_HASH_BYTES),
			!is_first, &key, &value);
	if (rc == BB_OK && (key.n != BB_HASH_BYTES || memcmp(key.p, &head, sizeof(head)) != 0))
		return false;
	if (rc != BB_OK) {
		if (rc != BB_ENOTFOUND)
			bb_batch_fail(batch, rc);
		return false;
	}
	memcpy(after->b, key.p, BB_HASH_BYTES);
	return true;
}

/* Calls `visit` for each row that the record has candidates under: of this batch, and of the store.
 */
static void each_row(struct bb_batch *batch, const struct bb_record *record,
		     void (*visit)(struct bb_batch *batch, struct bb_ledger_row *row, void *ctx),
		     void *ctx)
{
	struct bb_hash hash;

	for (size_t i = 0; i < record->facts.amount_key_n && batch->err == BB_OK; i++) {
		uint64_t head = record->facts.amount_keys[i];

		for (bool is_first = true; next_with_head(batch, head, &hash, is_first);
		     is_first = false)
			visit(batch, row_of(batch, &hash), ctx);
		for (struct bb_ledger_row *row = batch->dirty_ledgers; row; row = row->next)
			if (row->is_new && memcmp(row->hash.b, &head, sizeof(head)) == 0)
				visit(batch, row, ctx);
	}
}

static void visit_restand(struct bb_batch *batch, struct bb_ledger_row *row, void *ctx)
{
	restand_row(batch, row, ctx);
}

void bb_ledger_restand(struct bb_batch *batch, struct bb_record *record)
{
	bb_batch_whole(batch, record);
	each_row(batch, record, visit_restand, record);
}

static bool is_of(const struct candidate *cand, const struct bb_record *record)
{
	return cand->recorded && bb_hash_equal(&cand->record, &record->hash);
}

static void visit_take(struct bb_batch *batch, struct bb_ledger_row *row, void *ctx)
{
	(void)ctx;
	if (!row->taken)
		count_all(batch, row, -1);
	row->taken = true;
	dirty(batch, row);
}

void bb_ledger_take(struct bb_batch *batch, const struct bb_record *from)
{
	each_row(batch, from, visit_take, NULL);
}

static void keep_head(struct bb_batch *batch, struct bb_record *record, const struct bb_hash *key)
{
	struct bb_facts *facts = &record->facts;
	uint64_t head;

	memcpy(&head, key->b, sizeof(head));
	for (size_t i = 0; i < facts->amount_key_n; i++)
		if (facts->amount_keys[i] == head)
			return;
	BB_ARENA_PUSH(&batch->arena, facts->amount_keys, facts->amount_key_n,
		      facts->amount_key_room) = head;
}

struct gift {
	const struct bb_record *from;
	struct bb_record *to;
};

static void visit_give(struct bb_batch *batch, struct bb_ledger_row *row, void *ctx)
{
	const struct gift *gift = ctx;
	struct candidate *cands = row->items;
	size_t n = row->n;

	row->items = NULL;
	row->n = row->room = 0;
	for (size_t i = 0; i < n; i++) {
		struct candidate cand = cands[i];

		if (is_of(&cand, gift->from)) {
			const struct bb_record *to = gift->to;

			if (!to)
				continue;
			keep_head(batch, gift->to, &row->hash);
			cand.record = to->hash;
			cand.holder = bb_batch_hash_ident(batch, to->ns[0], to->values[0]);
			cand.somebody = bb_rows_anchor(to->ident_n, to->blocked, to->shared) >= 0;
		}
		enter(batch, row, &cand);
	}
}

void bb_ledger_give(struct bb_batch *batch, const struct bb_record *from, struct bb_record *to)
{
	struct gift gift = {from, to};

	each_row(batch, from, visit_give, &gift);
}

void bb_ledger_settle(struct bb_batch *batch)
{
	for (struct bb_ledger_row *row = batch->dirty_ledgers; row && batch->err == BB_OK;
	     row = row->next) {
		if (row->taken)
			count_all(batch, row, 1);
		row->taken = false;
	}
}

struct claims {
	bool (*goes)(const struct bb_hash *record, void *ctx);
	void *ctx;
	struct bb_hash **keys;
	size_t *n, *room;
};

static void visit_unclaimed(struct bb_batch *batch, struct bb_ledger_row *row, void *ctx)
{
	struct claims *claims = ctx;
	const struct candidate *claim = latest(row, NULL);

	if (row->listed || !claim || !claims->goes(&claim->record, claims->ctx))
		return;
	row->listed = true;
	BB_ARENA_PUSH(&batch->arena, *claims->keys, *claims->n, *claims->room) = row->hash;
}

void bb_ledger_unclaimed(struct bb_batch *batch, const struct bb_record *record,
			 bool (*goes)(const struct bb_hash *record, void *ctx), void *ctx,
			 struct bb_hash **keys, size_t *n, size_t *room)
{
	struct claims claims = {goes, ctx, keys, n, room};

	each_row(batch, record, visit_unclaimed, &claims);
}

void bb_ledger_drop_unclaimed(struct bb_batch *batch, const struct bb_hash *key)
{
	struct bb_ledger_row *row = row_of(batch, key);
	size_t n = 0;

	visit_take(batch, row, NULL);
	for (size_t i = 0; i < row->n; i++)
		if (row->items[i].recorded)
			row->items[n++] = row->items[i];
	row->n = n;
}

/* The candidate as its record is named now, and whether that belongs to somebody. */
static void follow(struct bb_batch *batch, struct bb_ledger_row *row, struct candidate *cand,
		   const struct bb_adopt_moves *moves)
{
	const struct bb_adopt_move *move = bb_adopt_moved(moves, &cand->record);
	struct bb_ident *holder;
	struct bb_record *record;

	if (move && move->gone) {
		cand->recorded = cand->somebody = false;
		cand->record = cand->holder = (struct bb_hash){{0}};
		return;
	}
	if (move) {
		cand->record = move->record;
		cand->holder = move->holder;
	}
	holder = bb_batch_ident(batch, &cand->holder);
	record = holder ? bb_batch_record_in(batch, holder, &cand->record) : NULL;
	if (!record) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return;
	}
	cand->somebody = bb_rows_anchor(record->ident_n, record->blocked, record->shared) >= 0;
	bb_batch_dirty_record(batch, record);
	keep_head(batch, record, &row->hash);
}

void bb_ledger_adopt(struct bb_batch *batch, struct bb_text key, struct bb_text value,
		     const struct bb_adopt_moves *moves)
{
	struct bb_ledger_row *row = bb_arena_zalloc(&batch->arena, sizeof(*row));
	struct candidate *cands;
	size_t n;

	if (key.n != BB_HASH_BYTES || !decode(batch, bb_arena_copy(&batch->arena, value), row)) {
		bb_batch_fail(batch, BB_ECORRUPT);
		return;
	}
	memcpy(row->hash.b, key.p, BB_HASH_BYTES);
	row->is_new = true;
	cands = row->items;
	n = row->n;
	row->items = NULL;
	row->n = row->room = 0;
	for (size_t i = 0; i < n && batch->err == BB_OK; i++) {
		if (cands[i].recorded)
			follow(batch, row, &cands[i], moves);
		enter(batch, row, &cands[i]);
	}
	count_all(batch, row, 1);
	dirty(batch, row);
}

void bb_ledger_flush(struct bb_batch *batch)
{
	for (struct bb_ledger_row *row = batch->dirty_ledgers; row && batch->err == BB_OK;
	     row = row->next) {
		struct bb_text key = bb_text_bytes(row->hash.b, BB_HASH_BYTES);
		int rc = BB_OK;

		encode(&batch->buf, row);
		if (row->n)
			rc = bb_kv_put(batch->kv, BB_TABLE_LEDGER, key, bb_buf_slice(&batch->buf));
		else if (!row->is_new)
			rc = bb_kv_del(batch->kv, BB_TABLE_LEDGER, key);
		if (rc != BB_OK)
			bb_batch_fail(batch, rc);
	}
}
