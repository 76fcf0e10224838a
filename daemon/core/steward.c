/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulings in a batch. One that comes is written at once under its id; what it is on is noted. So
 * are the pairs of an identifier that is seen for the first time: rulings may have waited for it.
 * When all events are in, what holds of everything noted is computed from the rows and compared
 * with what the identifiers say: an identifier that is blocked now, or no longer, changes its
 * records; a pair changes its entry at both ends. Links, labels and limits follow (identity.c).
 *
 * An identifier that is blocked stays in its profile until its links are gone, so that each step is
 * one that the definition knows; then it leaves a profile that holds nobody else.
 */
#include <backbone/normalise.h>

#include "identity.h"
#include "ruling.h"

static void note(struct bb_batch *batch, const struct bb_hash ends[2], unsigned n)
{
	struct bb_ruled ruled = {.n = n};

	memcpy(ruled.ends, ends, n * sizeof(*ends));
	BB_ARENA_PUSH(&batch->arena, batch->ruled, batch->ruled_n, batch->ruled_room) = ruled;
}

void bb_steward_begin(struct bb_batch *batch)
{
	struct bb_text key, value;
	int rc = bb_kv_seek(batch->kv, BB_TABLE_RULING, BB_TEXT("e"), false, &key, &value);

	batch->has_rulings = rc == BB_OK;
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
}

static bool is_same(const struct bb_ruling *a, const struct bb_ruling *b)
{
	struct bb_buf x = BB_BUF_EMPTY, y = BB_BUF_EMPTY;

	bb_ruling_json(a, &x);
	bb_ruling_json(b, &y);
	bool same = bb_text_equal(bb_buf_slice(&x), bb_buf_slice(&y));

	bb_buf_fini(&x);
	bb_buf_fini(&y);
	return same;
}

static enum bb_verdict compare_known(struct bb_batch *batch, const struct bb_ruling *ruling,
				     const struct bb_ruling *known)
{
	struct bb_ruling kept = *known;
	int rc;

	if (!is_same(ruling, known))
		return BB_VERDICT_DEAD;
	batch->stats.duplicates++;
	if (!known->by_log || ruling->by_log)
		return BB_VERDICT_DUPLICATE;
	kept.by_log = false; /* a person's word too: it no longer rests on the log alone */
	rc = bb_ruling_put(batch->kv, &batch->rules->profile_key, &kept);
	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	return BB_VERDICT_DUPLICATE;
}

/* What the ruling is on, or what the one is on that it releases. */
void bb_steward_note(struct bb_batch *batch, const struct bb_ruling *ruling)
{
	const struct bb_profile_key *key = &batch->rules->profile_key;
	struct bb_ruling target;
	struct bb_hash ends[2];

	if (ruling->kind == BB_RULING_RELEASE) {
		struct bb_hash id = bb_ruling_hash_id(key, ruling->releases);
		int rc = bb_ruling_by_hash(batch->kv, &id, &batch->arena, &target);

		if (rc != BB_OK) {
			if (rc != BB_ENOTFOUND) /* else it comes before what it releases */
				bb_batch_fail(batch, rc);
			return;
		}
		ruling = &target;
	}
	if (ruling->kind != BB_RULING_RELEASE)
		note(batch, ends, bb_ruling_hash_ends(key, ruling, ends));
}

enum bb_verdict bb_steward_rule(struct bb_batch *batch, const struct bb_ruling *ruling)
{
	const struct bb_profile_key *key = &batch->rules->profile_key;
	struct bb_hash id = bb_ruling_hash_id(key, ruling->id), ends[2];
	struct bb_ruling known;
	int rc;

	if (batch->err != BB_OK)
		return BB_VERDICT_APPLIED; /* the batch is lost already; finish says why */
	rc = bb_ruling_by_hash(batch->kv, &id, &batch->arena, &known);
	if (rc == BB_OK)
		return compare_known(batch, ruling, &known);
	if (rc == BB_ENOTFOUND && batch->has_tombs &&
	    bb_erase_voids(batch, ruling, ends, bb_ruling_hash_ends(key, ruling, ends)))
		return BB_VERDICT_SKIPPED;
	if (rc == BB_ENOTFOUND)
		rc = bb_ruling_put(batch->kv, key, ruling);
	if (rc != BB_OK) {
		bb_batch_fail(batch, rc);
		return BB_VERDICT_APPLIED;
	}
	batch->has_rulings = true;
	bb_steward_note(batch, ruling);
	return BB_VERDICT_APPLIED;
}

static enum bb_word word_on(struct bb_batch *batch, const struct bb_hash *on)
{
	enum bb_word word = BB_WORD_NONE;
	struct bb_text id;
	int rc = batch->has_rulings ? bb_ruling_word(batch->kv, on, &batch->arena, &word, &id)
				    : BB_OK;

	if (rc != BB_OK)
		bb_batch_fail(batch, rc);
	return word;
}

/* The pairs that rulings are on, of an identifier that is new. */
static void note_waiting(struct bb_batch *batch, const struct bb_hash *ident)
{
	struct bb_hash cursor = {{0}}, ends[2];
	struct bb_ruling ruling;
	int rc;

	while ((rc = bb_ruling_of_ident(batch->kv, ident, &cursor)) == BB_OK) {
		rc = bb_ruling_by_hash(batch->kv, &cursor, &batch->arena, &ruling);
		if (rc != BB_OK)
			break;
		if (bb_ruling_ends(ruling.kind) == 2)
			note(batch, ends,
			     bb_ruling_hash_ends(&batch->rules->profile_key, &ruling, ends));
	}
	if (rc != BB_ENOTFOUND)
		bb_batch_fail(batch, rc);
}

struct bb_ident *bb_steward_meet(struct bb_batch *batch, uint16_t ns, struct bb_text value,
				 bool junk)
{
	struct bb_hash hash = bb_batch_hash_ident(batch, ns, value);
	struct bb_ident *ident = bb_batch_ident(batch, &hash);
	enum bb_word word;

	if (ident)
		return ident;
	word = word_on(batch, &hash);
	ident = bb_batch_ident_of(batch, ns, value,
				  word == BB_WORD_BLOCK || (word != BB_WORD_ALLOW && junk));
	ident->allowed = word == BB_WORD_ALLOW;
	if (batch->has_rulings)
		note_waiting(batch, &hash);
	return ident;
}

/* --- settling --------------------------------------------------------------------------------- */

static void note_pairs(struct bb_batch *batch, struct bb_ident *ident)
{
	for (size_t i = 0; i < ident->join_n; i++) {
		struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[i]);

		if (other)
			bb_labels_pair(batch, ident, other);
	}
}

/* The others of a record of a flipped identifier count it now, or no longer. */
static void recount_others(struct bb_batch *batch, struct bb_record *record,
			   const struct bb_ident *ident)
{
	for (size_t i = 0; i < record->ident_n; i++) {
		struct bb_ident *other = bb_batch_record_ident(batch, record, i);

		if (other == ident || other->blocked)
			continue;
		other->near_partial = true;
		bb_batch_dirty_ident(batch, other);
		bb_sharing_recount(batch, other);
	}
}

static void flip_record(struct bb_batch *batch, struct bb_record *record, struct bb_ident *ident)
{
	bool was_somebody = bb_rows_anchor(record->ident_n, record->blocked, record->shared) >= 0,
	     is_somebody;

	for (size_t i = 0; i < record->ident_n; i++) {
		if (bb_batch_record_ident(batch, record, i) != ident)
			continue;
		record->blocked ^= BB_MASK(i);
		record->shared &= ~BB_MASK(i);
	}
	is_somebody = bb_rows_anchor(record->ident_n, record->blocked, record->shared) >= 0;
	if (was_somebody != is_somebody)
		bb_ledger_restand(batch, record);
	bb_identity_touch(batch, record);
	bb_batch_remask_record(batch, record);
}

/* An identifier that is blocked now, or is no longer. */
static void flip(struct bb_batch *batch, struct bb_ident *ident)
{
	struct bb_profile *profile = bb_batch_profile_of(batch, ident);
	struct bb_record *record;
	int64_t first_ms = INT64_MAX;

	/* all of its records are read before they and it say otherwise */
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++)
		for (size_t k = 0; k < record->ident_n; k++)
			bb_batch_record_ident(batch, record, k);
	ident->blocked = !ident->blocked;
	ident->leaving = profile && ident->blocked;
	ident->shared = false;
	ident->near_n = 0;
	ident->near_partial = true;
	bb_batch_dirty_ident(batch, ident);
	for (size_t i = 0; (record = bb_batch_nth_record(batch, ident, i)); i++) {
		flip_record(batch, record, ident);
		recount_others(batch, record, ident);
		if (record->facts.first_ms < first_ms)
			first_ms = record->facts.first_ms;
	}
	if (profile)
		bb_batch_member(batch, profile, ident->ns, ident->value)->shared = false;
	if (!ident->blocked) {
		profile = bb_batch_profile_of(batch, ident);
		bb_batch_member(batch, profile, ident->ns, ident->value)->first_ms = first_ms;
		bb_sharing_recount(batch, ident);
	}
	note_pairs(batch, ident);
	BB_ARENA_PUSH(&batch->arena, batch->flipped, batch->flipped_n, batch->flipped_room) = ident;
}

static void take_word(struct bb_batch *batch, struct bb_ident *ident, enum bb_word word)
{
	const struct bb_namespace *ns = &batch->rules->namespaces[ident->ns];
	bool junk = bb_normalise_blocked_by(ns, ident->value, &batch->arena) != NULL;

	if (ident->allowed != (word == BB_WORD_ALLOW)) {
		ident->allowed = !ident->allowed;
		bb_batch_dirty_ident(batch, ident);
		if (!ident->blocked)
			bb_sharing_recount(batch, ident);
	}
	if (ident->blocked != (word == BB_WORD_BLOCK || (word != BB_WORD_ALLOW && junk)))
		flip(batch, ident);
}

void bb_steward_allow(struct bb_batch *batch, struct bb_ident *ident)
{
	take_word(batch, ident, BB_WORD_ALLOW);
}

static void settle_identifier(struct bb_batch *batch, const struct bb_hash *hash)
{
	struct bb_ident *ident = bb_batch_ident(batch, hash);

	if (ident && !ident->gone) /* else the ruling waits for it */
		take_word(batch, ident, word_on(batch, hash));
}

static bool set_pair(struct bb_batch *batch, struct bb_ident *from, const struct bb_ident *to,
		     enum bb_pair_ruling ruling)
{
	struct bb_join *pair = bb_ident_pair(from, to);

	if (pair ? pair->ruling == ruling : ruling == BB_PAIR_NONE)
		return false;
	if (pair)
		pair->ruling = ruling;
	else
		BB_ARENA_PUSH(&batch->arena, from->joins, from->join_n, from->join_room) =
			(struct bb_join){.other = to->hash, .ruling = ruling};
	bb_batch_dirty_ident(batch, from);
	return true;
}

static void settle_pair(struct bb_batch *batch, const struct bb_hash ends[2])
{
	struct bb_ident *a = bb_batch_ident(batch, &ends[0]), *b = bb_batch_ident(batch, &ends[1]);

	if (!a || !b || a->gone || b->gone)
		return; /* the ruling waits for them */
	struct bb_hash on = bb_ruling_hash_pair(&ends[0], &ends[1]);
	enum bb_word word = word_on(batch, &on);
	enum bb_pair_ruling ruling = word == BB_WORD_JOIN    ? BB_PAIR_JOIN
				     : word == BB_WORD_SPLIT ? BB_PAIR_SPLIT
							     : BB_PAIR_NONE;

	if (set_pair(batch, a, b, ruling)) {
		set_pair(batch, b, a, ruling);
		bb_labels_pair(batch, a, b);
	}
}

void bb_steward_settle(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->ruled_n && batch->err == BB_OK; i++) {
		const struct bb_ruled *ruled = &batch->ruled[i];

		if (ruled->n == 1)
			settle_identifier(batch, &ruled->ends[0]);
		else
			settle_pair(batch, ruled->ends);
	}
}

/* Others say nothing of one that is gone; a ruling on the pair waits for it to come again. */
static void forget_pairs(struct bb_batch *batch, struct bb_ident *ident)
{
	for (size_t i = 0; i < ident->join_n; i++) {
		struct bb_ident *other = bb_batch_joined_ident(batch, &ident->joins[i]);
		struct bb_join *pair = other ? bb_ident_pair(other, ident) : NULL;

		if (!pair)
			continue;
		*pair = other->joins[--other->join_n];
		bb_batch_dirty_ident(batch, other);
	}
	ident->join_n = 0;
}

void bb_steward_leave(struct bb_batch *batch)
{
	for (size_t i = 0; i < batch->flipped_n && batch->err == BB_OK; i++) {
		struct bb_ident *ident = batch->flipped[i];

		if (ident->gone)
			forget_pairs(batch, ident);
		if (!ident->leaving)
			continue;
		struct bb_profile *profile = bb_batch_profile_of(batch, ident);

		if (profile->member_n != 1) { /* links that led to it are not in its records */
			bb_batch_fail(batch, BB_ECORRUPT);
			return;
		}
		profile->members[0].ident = ident; /* by name it is in no profile any more */
		profile->gone = true;
		bb_batch_dirty_profile(batch, profile);
		ident->leaving = false;
		ident->profile = NULL;
		ident->cluster = 0;
	}
}
