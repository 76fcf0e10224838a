/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A batch: every row that it touches, read once, changed in memory, written once. Store errors are
 * sticky: the first one is kept in `err`, whatever is asked for after it is given as empty, and the
 * batch is thrown away at its end. So the code of identity and folding has no error paths.
 */
#ifndef BB_CORE_BATCH_H
#define BB_CORE_BATCH_H

#include <backbone/change.h>
#include <backbone/pipeline.h>

#include "forms.h"
#include "memo.h"
#include "rows.h"

/* Hash tables from 16-byte hashes to pointers; open addressing in the heap, kept between batches.
 */
struct bb_table_slot {
	struct bb_hash key;
	void *value; /* NULL: free */
};

struct bb_hash_table {
	struct bb_table_slot *slots;
	size_t slot_n, n;
};

void *bb_table_get(const struct bb_hash_table *table, const struct bb_hash *key);
void bb_table_put(struct bb_hash_table *table, const struct bb_hash *key, void *value);
void bb_table_clear(struct bb_hash_table *table);
void bb_table_fini(struct bb_hash_table *table);

struct bb_ledger_row;
struct bb_window_row;
struct bb_link;

/* What is known of hubs from one batch to the next (hubs.c). */
struct bb_hubs {
	uint64_t from; /* an identifier in so many records is a hub; UINT64_MAX: none is */
	struct bb_arena arena;
	struct bb_hash_table masks; /* of a hub: the namespaces that it came with */
	struct bb_hash_table sums;  /* of a link between two hubs, without the records touched */
	struct bb_hash_table ends;  /* anchors of these */
	struct bb_hash_table spans; /* of a large profile: what holds it together */
	bool bypass;		    /* what the sums say does not hold in this batch */
};

void bb_hubs_fini(struct bb_hubs *hubs);

struct bb_batch {
	const struct bb_rules *rules;
	struct bb_kv *kv;
	struct bb_names *names;
	struct bb_arena arena;
	struct bb_fold fold;
	int err;			    /* the first error of the store */
	uint32_t ns_ids[BB_NAMESPACES_MAX]; /* interned number of each namespace */
	uint16_t *ns_of_id;		    /* and back; heap */
	size_t ns_n;
	struct bb_hash_table idents, profiles, records, ledgers, windows, links, tombs;
	struct bb_ident *dirty_idents, *recounts;
	struct bb_profile *dirty_profiles;
	struct bb_record *dirty_records, *touched;
	struct bb_ledger_row *dirty_ledgers;
	struct bb_window_row *new_windows;
	struct bb_link *link_list;
	struct bb_ident **relabelled; /* of each merger of components, all of one side */
	size_t relabelled_n, relabelled_room;
	struct bb_pair { /* of which something was said, or an end was blocked or is no longer */
		struct bb_ident *a, *b;
	} * pairs;
	size_t pair_n, pair_room;
	struct bb_ident **separated; /* get another label when the links are settled */
	size_t separated_n, separated_room;
	struct bb_ident **flipped; /* blocked now, or no longer */
	size_t flipped_n, flipped_room;
	struct bb_ruled { /* what rulings that came are on, or those that an identifier met */
		struct bb_hash ends[2];
		unsigned n;
	} * ruled;
	size_t ruled_n, ruled_room;
	bool quiet;	      /* says nothing to the change feed */
	bool alone;	      /* an erasure: nothing else in this batch */
	bool has_tombs;	      /* there are erasures that events have to be compared with */
	uint64_t epoch;	      /* erasures that this store has done */
	struct bb_forms past; /* that the store has had before; only where there are erasures */
	int64_t filed_ms;  /* latest time of an event of this batch that came without a position */
	bool has_rulings;  /* there are any, in the store or in this batch */
	bool splits_final; /* splits are those of after the batch; else those of before and after */
	enum bb_change_cause cause; /* of what this batch changes, but for a record's own event */
	struct bb_text cause_id;
	uint64_t next_cluster; /* 0: not read yet */
	uint64_t clusters_saved;
	uint64_t weight;    /* identifiers that this slice may draw into replays */
	bool rules_checked; /* the store is of these rules */
	int64_t keep_ms;    /* names since this time of the log are not swept; INT64_MAX: no such */
	int64_t log_ms, log_saved_ms;	       /* the latest time of the log */
	uint8_t sweep[20];		       /* the key in the window where the sweep goes on */
	uint32_t mark, link_mark, replay_mark; /* generations of walks, loads of links, replays */
	uint32_t forms;			       /* generation of what profiles have as members */
	struct bb_hubs hubs;
	struct bb_memo *memo;		    /* kept between batches */
	uint32_t counts[BB_NAMESPACES_MAX]; /* of a tally; zero between two */
	struct bb_buf buf;		    /* for encoding */
	struct bb_pipeline_stats stats;
};

/* Of the structure; rows and what was read are forgotten between two batches. */
void bb_batch_init(struct bb_batch *batch, const struct bb_rules *rules);
void bb_batch_clear(struct bb_batch *batch);
void bb_batch_fini(struct bb_batch *batch);

/* Reads; NULL where there is none. The row stays the batch's. */
struct bb_ident *bb_batch_ident(struct bb_batch *batch, const struct bb_hash *hash);
struct bb_profile *bb_batch_profile(struct bb_batch *batch, uint64_t cluster);
struct bb_record *bb_batch_record(struct bb_batch *batch, const struct bb_hash *hash,
				  struct bb_place place);

/* Reads all facts of a record of which only those that identity looks at were read. Asked before a
 * record becomes dirty, which does it too. */
void bb_batch_whole(struct bb_batch *batch, struct bb_record *record);

/* The same, of a pair: BB_ECORRUPT and NULL where it is not there. */
struct bb_ident *bb_batch_joined_ident(struct bb_batch *batch, const struct bb_join *join);

/* Reads or makes. */
struct bb_ident *bb_batch_ident_of(struct bb_batch *batch, uint16_t ns, struct bb_text value,
				   bool blocked);

/* The profile an identifier is in now; NULL if it is blocked. Makes one of its own if it has none.
 */
struct bb_profile *bb_batch_profile_of(struct bb_batch *batch, struct bb_ident *ident);

/* The identifier of a record or of a member. */
struct bb_ident *bb_batch_record_ident(struct bb_batch *batch, struct bb_record *record, size_t i);
struct bb_ident *bb_batch_member_ident(struct bb_batch *batch, struct bb_member *member);

/* A record that an identifier is in, by its hash: NULL if it is not. */
struct bb_record *bb_batch_record_in(struct bb_batch *batch, struct bb_ident *ident,
				     const struct bb_hash *hash);

/* All records of an identifier, read one after the other: i from 0 until NULL. */
struct bb_record *bb_batch_nth_record(struct bb_batch *batch, struct bb_ident *ident, size_t i);

/* The member entry of an identifier in its profile. */
struct bb_member *bb_batch_member(struct bb_batch *batch, struct bb_profile *profile, uint16_t ns,
				  struct bb_text value);

/* The record of a source and identifiers, strongest first: of this batch, of the store, or new; of
 * a new one `junk` says which are junk. The slices must live until the batch is in. */
struct bb_record *bb_batch_record_of(struct bb_batch *batch, struct bb_text source,
				     const uint16_t *ns, const struct bb_text *values, size_t n,
				     uint32_t junk);
/* The name of a record, which no order of namespaces changes. */
struct bb_hash bb_rules_hash_record(const struct bb_rules *rules, struct bb_text source,
				    const uint16_t *ns, const struct bb_text *values, size_t n);
struct bb_hash bb_batch_hash_record(const struct bb_batch *batch, struct bb_text source,
				    const uint16_t *ns, const struct bb_text *values, size_t n);
/* So many events say that two of its identifiers, low < high, are one customer. */
void bb_batch_add_same(struct bb_batch *batch, struct bb_record *record, uint8_t low, uint8_t high,
		       uint64_t n);

void bb_batch_dirty_ident(struct bb_batch *batch, struct bb_ident *ident);
void bb_batch_dirty_profile(struct bb_batch *batch, struct bb_profile *profile);
void bb_batch_dirty_record(struct bb_batch *batch, struct bb_record *record);
/* Only what says which identifiers are blocked or shared is another: of very many records the facts
 * need not be in memory at once. */
void bb_batch_remask_record(struct bb_batch *batch, struct bb_record *record);
/* The facts of the store's row, in that arena. False: the batch has failed. */
bool bb_batch_read_facts(struct bb_batch *batch, const struct bb_record *record,
			 struct bb_arena *arena, struct bb_facts *ret_facts);

struct bb_hash bb_batch_hash_ident(const struct bb_batch *batch, uint16_t ns, struct bb_text value);

/* The batch of a pipeline, for those who do more than apply events. */
struct bb_batch *bb_pipeline_batch(struct bb_pipeline *pl);

/* Keeps the first error. */
void bb_batch_fail(struct bb_batch *batch, int err);

/* Writes every dirty row (flush.c). Sets batch->err on failure. */
void bb_flush_rows(struct bb_batch *batch);

/* A store whose identity was computed by other rules is refused: BB_ECONFIG. A new one remembers
 * the rules. */
void bb_flush_check_rules(struct bb_batch *batch);

/* A number kept in META. False: there is none (yet), or the batch has failed. */
bool bb_batch_counter(struct bb_batch *batch, struct bb_text name, uint64_t *ret_value);

/* A new cluster number. */
uint64_t bb_batch_cluster_new(struct bb_batch *batch);

/* Identity (identity.c): after all events of the batch are in their records. */
void bb_identity_settle(struct bb_batch *batch);
/* A record that was made, or whose first or last time, days or count changed. */
void bb_identity_touch(struct bb_batch *batch, struct bb_record *record);
/* An event is in the record: counts the identifiers of profiles that its links may contend for. */
void bb_identity_weigh(struct bb_batch *batch, struct bb_record *record);
/* Called when a record is new: membership, neighbours, what has to be counted again. */
void bb_identity_enter(struct bb_batch *batch, struct bb_record *record);
/* Two identifiers of one owner namespace are one customer, says a `same` fact that is new to this
 * record. */
void bb_identity_join(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b);
/* A record goes: nobody has it any more when the batch is in. */
void bb_identity_drop(struct bb_batch *batch, struct bb_record *record);
/* After the last of them: identifiers that no record has go too; others were perhaps seen later
 * than thought. */
void bb_identity_dropped(struct bb_batch *batch, struct bb_ident *const *idents, size_t n);

/* Rulings (steward.c). A new identifier: whether it is blocked, given that it is junk or not. */
struct bb_ident *bb_steward_meet(struct bb_batch *batch, uint16_t ns, struct bb_text value,
				 bool junk);
/* A ruling that came: written at once; what it is on is noted. */
enum bb_verdict bb_steward_rule(struct bb_batch *batch, const struct bb_ruling *ruling);
/* What it is on is looked at again. */
void bb_steward_note(struct bb_batch *batch, const struct bb_ruling *ruling);
/* Takes what holds now of all that was noted to the identifiers: blocked, allowed, pairs. */
void bb_steward_settle(struct bb_batch *batch);
/* As if an `allow` ruling on it had come, of which nothing is written. */
void bb_steward_allow(struct bb_batch *batch, struct bb_ident *ident);
/* What must be done when the partition is settled: blocked identifiers leave. */
void bb_steward_leave(struct bb_batch *batch);
/* Whether there are rulings in the store. */
void bb_steward_begin(struct bb_batch *batch);

/* Amounts with a key (ledger.c). `record` NULL: the event has no identifiers. */
void bb_ledger_add(struct bb_batch *batch, const struct bb_event *ev, struct bb_record *record,
		   bb_i128 micros);
void bb_ledger_flush(struct bb_batch *batch);
/* A record belongs to somebody now, or no longer: its amounts are counted again. */
void bb_ledger_restand(struct bb_batch *batch, struct bb_record *record);

/* The key of an amount. */
struct bb_hash bb_ledger_hash(const struct bb_batch *batch, const struct bb_event *ev);
/*
 * Records that go, or whose facts go to another: take, what counts under their keys counts no
 * longer; then give, the candidates of `from` are those of `to` (NULL: nobody's); at last settle,
 * what counts is counted again.
 */
void bb_ledger_take(struct bb_batch *batch, const struct bb_record *from);
void bb_ledger_give(struct bb_batch *batch, const struct bb_record *from, struct bb_record *to);
void bb_ledger_settle(struct bb_batch *batch);
/* Before that: the keys of this record whose entries without identifiers count, or would, for a
 * record that goes, each listed once; and these entries away. */
void bb_ledger_unclaimed(struct bb_batch *batch, const struct bb_record *record,
			 bool (*goes)(const struct bb_hash *record, void *ctx), void *ctx,
			 struct bb_hash **keys, size_t *n, size_t *room);
void bb_ledger_drop_unclaimed(struct bb_batch *batch, const struct bb_hash *key);

/* Erasure (erase.c, erase_filter.c). */
void bb_erase_begin(struct bb_batch *batch);
/* The event without what was erased: itself, a copy with fewer identifiers, or NULL: it goes, by
 * that erasure, whose watermark it is below, or not. */
struct bb_tomb_order;
const struct bb_event *bb_erase_filter(struct bb_batch *batch, const struct bb_event *ev,
				       struct bb_tomb_order *ret_by, bool *ret_below);
bool bb_erase_is_below(struct bb_batch *batch, const struct bb_tomb_order *order,
		       const struct bb_event *ev);
/* Whether an erasure made a ruling void; `ends`: the hashes of what it is on. */
bool bb_erase_voids(struct bb_batch *batch, const struct bb_ruling *ruling,
		    const struct bb_hash *ends, unsigned n);
int bb_erase_profile(struct bb_batch *batch, const struct bb_erasure *order, struct bb_arena *arena,
		     struct bb_erasure_receipt *ret_receipt);

/* The window of event names (window.c). */
enum bb_window_result {
	BB_WINDOW_NEW,
	BB_WINDOW_DUPLICATE,
	BB_WINDOW_CONFLICT,
	BB_WINDOW_ERASED /* a copy of one that went, as far below the watermark as that */
};
/* The name and the fingerprint of an event. */
struct bb_window_row *bb_window_row_new(struct bb_batch *batch, const struct bb_event *ev);
enum bb_window_result bb_window_check(struct bb_batch *batch, const struct bb_event *ev,
				      const struct bb_window_row *row);
/* Remembers an event that an erasure had gone. */
void bb_window_add_erased(struct bb_batch *batch, struct bb_window_row *row,
			  const struct bb_tomb_order *by);
/* Remembers the event by its row; settles an amount without a key that has a twin (see window.c).
 * `record` may be NULL. */
void bb_window_add(struct bb_batch *batch, const struct bb_event *ev, struct bb_window_row *row,
		   struct bb_record *record, bool counts, bb_i128 micros);
/* An amount whose twin is erased counts again, if its own record is still there. */
struct bb_fact_displaced;
void bb_window_restore(struct bb_batch *batch, const struct bb_fact_displaced *displaced);
void bb_window_flush(struct bb_batch *batch);

#endif
