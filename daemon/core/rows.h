/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of the store as they are in memory during a batch.
 *
 *	identifier   hash -> its text, its profile, the records it is in, who it came with, what it
 *	             is joined to
 *	profile      cluster, 0 -> members and the places of its records
 *	record       cluster, n -> source, identifiers, facts
 *
 * A *place* is where a record was born and stays for ever: the number (cluster) of the profile it
 * was born in, and a count. A profile lists its places as runs, so merging and splitting move no
 * facts. A cluster number is never used again. Records of a profile born in it lie beside it in the
 * store.
 */
#ifndef BB_CORE_ROWS_H
#define BB_CORE_ROWS_H

#include "facts.h"

#define BB_PLACES_INLINE                                                                           \
	32 /* records listed in the identifier's own row; more are rows of MEMBERSHIP */

struct bb_place {
	uint64_t cluster; /* 0: not placed yet */
	uint32_t n;	  /* from 1 */
};

struct bb_ident;
struct bb_profile;
struct bb_record;
struct bb_adjacency;
struct bb_group;

struct bb_membership { /* a record that an identifier is in */
	struct bb_hash record_hash;
	struct bb_place place;
	bool stored;		  /* in the row, or as a row of MEMBERSHIP */
	bool apart;		  /* as a row of MEMBERSHIP */
	struct bb_record *record; /* once read or made */
};

struct bb_near { /* another identifier that it came with in a record, of a class that has a cap */
	struct bb_hash hash;
	uint16_t ns;
};

/* A steward's word on a pair; the number is stored. */
enum bb_pair_ruling { BB_PAIR_NONE, BB_PAIR_JOIN, BB_PAIR_SPLIT };

/* A pair that somebody said something of: the same row at both ends. */
struct bb_join {
	struct bb_hash other;
	uint64_t n; /* records that say, by a `same` fact, that they are one customer */
	enum bb_pair_ruling ruling;
	/* before the batch */
	uint64_t old_n;
	enum bb_pair_ruling old_ruling;
};

struct bb_ident {
	struct bb_hash hash;
	uint16_t ns; /* position in the configuration */
	struct bb_text value;
	bool blocked, shared;
	bool allowed;	   /* by a ruling: neither junk nor shared */
	bool near_partial; /* `near` was not kept up while it was shared: count from the records */
	uint64_t cluster;  /* of its profile as stored; 0: none (new, or blocked) */
	struct bb_hash label; /* of its component of joins; its own hash if it has none */
	uint64_t record_n;
	struct bb_membership *places; /* the first BB_PLACES_INLINE; behind them those read or added
					 in this batch */
	size_t place_n, place_room;
	struct bb_near *near;
	size_t near_n, near_room;
	struct bb_join *joins;
	size_t join_n, join_room;
	/* during a batch only */
	bool dirty, is_new, recount;
	uint64_t stored_n;	      /* record_n before the batch */
	bool all_places;	      /* those of MEMBERSHIP were read too */
	bool old_blocked, old_shared; /* before the batch */
	bool gone;		      /* by an erasure: no record has it any more */
	bool leaving; /* blocked or gone by this batch: it is in its profile until identity is
			 settled */
	bool lost;    /* one of its records is gone */
	bool has_next_label;
	struct bb_hash next_label; /* of its component when the batch is in, where it is another */
	struct bb_profile *profile;
	struct bb_ident *next_dirty, *next_recount;
	struct bb_adjacency *adjacency; /* partition.c */
	uint32_t mark;			/* generation of the last walk that was here */
	struct bb_group *group;		/* of a replay */
	uint32_t group_mark;
};

/* It is in no profile when the batch is in. */
static inline bool bb_ident_is_out(const struct bb_ident *ident)
{
	return ident->blocked || ident->gone;
}

static inline bool bb_ident_has_split(const struct bb_ident *ident)
{
	for (size_t i = 0; i < ident->join_n; i++)
		if (ident->joins[i].ruling == BB_PAIR_SPLIT ||
		    ident->joins[i].old_ruling == BB_PAIR_SPLIT)
			return true;
	return false;
}

/* The entry of a pair, or NULL. */
static inline struct bb_join *bb_ident_pair(const struct bb_ident *ident,
					    const struct bb_ident *other)
{
	for (size_t i = 0; i < ident->join_n; i++)
		if (bb_hash_equal(&ident->joins[i].other, &other->hash))
			return &ident->joins[i];
	return NULL;
}

/* Its label when the batch is in. */
static inline const struct bb_hash *bb_ident_next_label(const struct bb_ident *ident)
{
	return ident->has_next_label ? &ident->next_label : &ident->label;
}

/* Whether a pair is joined (identity.md §4, §5.1): by a steward, or by a `same` fact on which no
 * steward ruled; before the batch, or now. */
static inline bool bb_pair_joins(const struct bb_ident *a, const struct bb_ident *b,
				 const struct bb_join *pair, bool old)
{
	enum bb_pair_ruling ruling = old ? pair->old_ruling : pair->ruling;

	if (old ? a->old_blocked || b->old_blocked : bb_ident_is_out(a) || bb_ident_is_out(b))
		return false;
	return ruling == BB_PAIR_JOIN ||
	       (ruling == BB_PAIR_NONE && (old ? pair->old_n : pair->n) > 0);
}

static inline bool bb_pair_splits(const struct bb_ident *a, const struct bb_ident *b,
				  const struct bb_join *pair, bool old)
{
	if (old ? a->old_blocked || b->old_blocked : bb_ident_is_out(a) || bb_ident_is_out(b))
		return false;
	return (old ? pair->old_ruling : pair->ruling) == BB_PAIR_SPLIT;
}

struct bb_member { /* an identifier, as its profile has it */
	uint16_t ns;
	struct bb_text value;
	bool shared;
	bool joined, split;	/* pairs with it are joined, or split, or were once */
	struct bb_hash label;	/* if joined */
	int64_t first_ms;	/* first seen, in any record */
	struct bb_ident *ident; /* once read */
};

struct bb_run { /* places cluster/first .. cluster/last */
	uint64_t cluster;
	uint32_t first, last;
};

struct bb_profile {
	uint64_t cluster;	   /* 0: not numbered yet */
	uint32_t next_n;	   /* for the next record born here */
	struct bb_hash name;	   /* its id */
	struct bb_hash was;	   /* its id as stored; not of one that is_new */
	struct bb_member *members; /* by strength, then bytes */
	size_t member_n, member_room;
	struct bb_run *runs; /* sorted, disjoint, not adjacent */
	size_t run_n, run_room;
	/* during a batch only */
	bool dirty, is_new, gone;
	bool weighed;		 /* counted by what may be replayed */
	bool claimed;		 /* goes on as one of the groups that are being formed */
	size_t share;		 /* of the group that is being formed */
	struct bb_profile *into; /* merged into that one; follow */
	struct bb_profile *next_dirty;
};

#define BB_MASK(i) (UINT32_C(1) << (i))

/* What identity looks at in a record; kept twice while a batch changes it. */
struct bb_standing {
	bool exists;
	uint32_t blocked, shared; /* bit i: identifiers[i] */
	uint64_t events;
	int64_t first_ms, last_ms;
	int64_t days[2];
};

struct bb_record {
	struct bb_hash hash;
	struct bb_place place;
	uint32_t source;
	size_t ident_n;
	uint16_t *ns; /* of each identifier, strongest first */
	struct bb_text *values;
	struct bb_ident **idents; /* filled on demand */
	uint32_t blocked, shared;
	struct bb_facts facts;
	bool partial; /* only what identity looks at was read: bb_batch_whole reads the rest */
	/* during a batch only */
	struct bb_standing old; /* before the batch */
	bool dirty, touched;
	bool gone;		   /* by an erasure */
	bool listed;		   /* by one */
	bool hot;		   /* its links need no look */
	bool weighed;		   /* its profiles are counted by what may be replayed */
	const struct bb_event *by; /* the last of this batch that came to it */
	struct bb_record *next_dirty, *next_touched;
};

/* Anchor (identity.md §5.3): index of the strongest that is neither blocked nor shared, else of the
 * strongest that is not blocked; -1: none. */
int bb_rows_anchor(size_t ident_n, uint32_t blocked, uint32_t shared);

void bb_rows_encode_ident(struct bb_buf *buf, const struct bb_ident *ident, const uint32_t *ns_ids);
bool bb_rows_decode_ident(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			  size_t ns_n, struct bb_ident *ret_ident);
/* What stands first in the row; `ns` is the interned number. */
struct bb_ident_head {
	uint32_t ns;
	struct bb_text value;
	bool blocked, shared;
	uint64_t cluster;
};
bool bb_rows_ident_head(struct bb_text bytes, struct bb_ident_head *ret_head);
/* Only the number of its profile: what a look-up needs. */
bool bb_rows_ident_cluster(struct bb_cursor *cur, uint64_t *ret_cluster);
void bb_rows_encode_profile(struct bb_buf *buf, const struct bb_profile *profile,
			    const uint32_t *ns_ids);
bool bb_rows_decode_profile(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			    size_t ns_n, struct bb_profile *ret_profile);
void bb_rows_encode_record(struct bb_buf *buf, const struct bb_record *record,
			   const uint32_t *ns_ids);
bool bb_rows_decode_record(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			   size_t ns_n, struct bb_record *ret_record);
/* Only what identity looks at; all that it points to is copied into the arena. */
bool bb_rows_decode_head(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			 size_t ns_n, struct bb_record *ret_record);
/* The same less what no view shows. */
bool bb_rows_decode_shown(struct bb_text bytes, struct bb_arena *arena, const uint16_t *ns_of_id,
			  size_t ns_n, struct bb_record *ret_record);

/* The record as it is now. */
struct bb_standing bb_rows_standing(const struct bb_record *record);

/* Keys. */
struct bb_text bb_rows_place_key(uint8_t out[12], uint64_t cluster, uint32_t n);
struct bb_text bb_rows_membership_key(uint8_t out[32], const struct bb_hash *ident,
				      const struct bb_hash *record);

/* Runs: add one place, take one out, add all of another. */
void bb_rows_run_add(struct bb_arena *arena, struct bb_profile *profile, struct bb_place place);
void bb_rows_run_remove(struct bb_arena *arena, struct bb_profile *profile, struct bb_place place);
void bb_rows_run_unite(struct bb_arena *arena, struct bb_profile *profile,
		       const struct bb_profile *other);

#endif
