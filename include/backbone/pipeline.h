/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fold: events in, identity and facts out, inside one transaction of a store. The state after a
 * batch is a function of the set of events so far, whatever their order, batches or copies.
 *
 *	bb_pipeline_begin(pl, kv);
 *	for each event that passed the gate: verdict = bb_pipeline_apply(pl, ev, &refusal);
 *	err = bb_pipeline_finish(pl);          writes everything into kv
 *	commit kv if err is BB_OK, else abort it and bb_pipeline_abort(pl)
 *
 * Thread: one owner at a time; it may change between batches.
 */
#ifndef BACKBONE_PIPELINE_H
#define BACKBONE_PIPELINE_H

#include <backbone/erasure.h>
#include <backbone/event.h>
#include <backbone/kv.h>
#include <backbone/rules.h>
#include <backbone/ruling.h>

struct bb_pipeline;

/* Since the pipeline was made. */
struct bb_pipeline_stats {
	uint64_t events, duplicates, records_created, profiles_created, profiles_merged,
		profiles_split, erased; /* erased: events that an erasure had gone before */
	uint64_t replays, replay_nodes, replay_links;
	uint64_t moved;	     /* identifiers whose profile is another, new ones too */
	uint64_t peak_bytes; /* most memory that a batch took */
	uint64_t largest;    /* identifiers of the largest profile that was written */
	uint64_t shared;     /* identifiers of the store that are shared */
};

/* `rules` is borrowed for the pipeline's life. */
struct bb_pipeline *bb_pipeline_new(const struct bb_rules *rules);
void bb_pipeline_free(struct bb_pipeline *pl); /* NULL-safe */

/* Identifiers in so many records (from 1) are hubs, whose links are read as late as possible. What
 * comes out is the same; tests set it low. */
void bb_pipeline_set_hub(struct bb_pipeline *pl, uint64_t records);

/* So many identifiers (from 1) may be drawn into replays before a batch is settled in slices. What
 * comes out is the same; tests set it low. */
void bb_pipeline_set_slice(struct bb_pipeline *pl, uint64_t identifiers);

/* From the next batch on it says nothing to the change feed: for a store that is not looked at yet.
 */
void bb_pipeline_hush(struct bb_pipeline *pl);

/* Between batches: names of events since that time of the log are remembered, whatever the window;
 * INT64_MAX: none beyond it. Until it is called again. */
void bb_pipeline_keep_names(struct bb_pipeline *pl, int64_t since_ms);

/* Since which time of the log all names of events are remembered. BB_OK, BB_ECORRUPT or the store's
 * error. */
BB_MUST_CHECK int bb_pipeline_names_since(struct bb_kv *kv, const struct bb_rules *rules,
					  int64_t *ret_since_ms);

void bb_pipeline_begin(struct bb_pipeline *pl, struct bb_kv *kv);

/* The event and its slices must live until finish or abort. APPLIED (an event without identifiers
 * too, if its amount has a key), DUPLICATE, SKIPPED (an erasure had it gone), NO_IDENTIFIER
 * (neither: not counted) or DEAD. */
enum bb_verdict bb_pipeline_apply(struct bb_pipeline *pl, const struct bb_event *ev,
				  struct bb_refusal *ret_refusal);

/*
 * A ruling that passed bb_ruling_check, with the batch, whatever its place among the events.
 * APPLIED; SKIPPED: an erasure made it void; DUPLICATE: this id is known with this content; DEAD:
 * it is known with another content, which stands. Its slices must live until finish or abort.
 */
enum bb_verdict bb_pipeline_rule(struct bb_pipeline *pl, const struct bb_ruling *ruling,
				 struct bb_refusal *ret_refusal);

/*
 * Erases the profile that `order->key` leads to, on the state of the store: it is alone in its
 * batch. BB_OK; BB_ENOTFOUND: nobody; BB_EACCESS: blocked;
 * BB_EINVAL: not a key, or an identifier that is shared (it stands for no one person); or the
 * store's error. With an error nothing is changed by it, but the batch must be aborted.
 */
BB_MUST_CHECK int bb_pipeline_erase(struct bb_pipeline *pl, const struct bb_erasure *order,
				    struct bb_arena *arena, struct bb_erasure_receipt *ret_receipt);

/* BB_OK, or the store's error: then abort the transaction and call bb_pipeline_abort. */
BB_MUST_CHECK int bb_pipeline_finish(struct bb_pipeline *pl);

/* Forgets the batch and whatever was cached from it. */
void bb_pipeline_abort(struct bb_pipeline *pl);

/* Whether the store's identity is of these rules, or of none yet. BB_OK; BB_ECONFIG: it is of
 * others, and every batch would end so; or the store's error. */
BB_MUST_CHECK int bb_pipeline_rules_match(struct bb_kv *kv, const struct bb_rules *rules);

/* How many profiles there are in a snapshot. BB_OK, BB_ECORRUPT or the store's error. */
BB_MUST_CHECK int bb_count_profiles(struct bb_kv *kv, uint64_t *ret_profiles);

void bb_pipeline_stats(const struct bb_pipeline *pl, struct bb_pipeline_stats *ret_stats);

#endif
