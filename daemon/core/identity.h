/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links, their ranks, and the partition (identity.md §5, §6, §10), as one batch sees them. A link
 * is loaded with the rank it had before the batch; the rules R1 to R8 take it from there to the
 * rank it has now, so that the partition before and every step between are those of the definition.
 */
#ifndef BB_CORE_IDENTITY_H
#define BB_CORE_IDENTITY_H

#include "batch.h"

/* Smaller is better; compared member by member. tier: -1 before every rank, 0 joins, 1 links, 2 not
 * there. */
struct bb_rank {
	int8_t tier;
	uint8_t not_owner;
	uint16_t other, anchor; /* strengths */
	int64_t merit[3];
	struct bb_hash lot;
	const struct bb_link *link; /* whose values decide last; NULL: best and worst */
};

int bb_rank_compare(const struct bb_rank *a, const struct bb_rank *b);
extern const struct bb_rank bb_rank_best, bb_rank_worst;

struct bb_link {
	struct bb_ident *anchor, *other;
	bool join;
	struct bb_rank now, next;
	bool changed;
	struct bb_standing sum; /* over its records, while it is being loaded */
	uint32_t mark;
	struct bb_link *next_changed;
};

struct bb_adjacency { /* the links of an identifier, those that are not there (any more, or yet) too
		       */
	struct bb_link **items;
	size_t n, room;
	bool loaded;			 /* all of them */
	bool joins_loaded;		 /* those that are joins */
	const struct bb_profile *within; /* all that were inside this profile, ... */
	uint32_t forms;			 /* ... in this generation */
	struct bb_link **inside;	 /* those inside a profile, as of ... */
	size_t inside_n, inside_room;
	size_t inside_of;		    /* ... so many items, ... */
	const struct bb_profile *inside_at; /* ... this profile, ... */
	uint32_t inside_forms;		    /* ... and this generation */
};

struct bb_group { /* identifiers that are together at some rank */
	struct bb_ident **items;
	size_t n, room;
};

/* links.c: all links of an identifier, with their ranks of now. */
const struct bb_adjacency *bb_links_of(struct bb_batch *batch, struct bb_ident *ident);
/* The same, or only those that are inside, joins, and some others: where they are very many. */
const struct bb_adjacency *bb_links_within(struct bb_batch *batch, struct bb_ident *ident);
/* Those whose other end is in the same profile, there or not. The list is kept while no profile
 * changes: of very many links that are refused each is looked at once, not by every walk. */
const struct bb_adjacency *bb_links_inside(struct bb_batch *batch, struct bb_ident *ident,
					   bool all);
/* The link, with the rank of before the batch if it was not loaded yet. */
struct bb_link *bb_links_get(struct bb_batch *batch, struct bb_ident *anchor,
			     struct bb_ident *other, bool join);
/* Sets `next` from the records as they are now. */
void bb_links_next(struct bb_batch *batch, struct bb_link *link);

/* What a link is known by in tables. */
struct bb_hash bb_links_key(const struct bb_hash *anchor, const struct bb_hash *other, bool join);
/* Adds a record's standing to the sum of a link. */
void bb_links_add(struct bb_standing *sum, const struct bb_standing *state);
/* The anchor that gives links, or -1: none, or one that is shared. */
int bb_links_anchor(const struct bb_record *record, const struct bb_standing *state);

/* hubs.c: whether not all links of an identifier are to be read unless they must. */
bool bb_hubs_defers(const struct bb_batch *batch, const struct bb_ident *ident);
/* Whether every refused link of the hub stays so while its group grows. False: unknown. */
bool bb_hubs_is_full(struct bb_batch *batch, const struct bb_ident *hub,
		     const struct bb_group *group);
/* All records of the hub were read: remembers what full must be known for. */
void bb_hubs_remember(struct bb_batch *batch, struct bb_ident *hub);
/* A new record. */
void bb_hubs_enter(struct bb_batch *batch, struct bb_record *record);
/* Before the first link is asked for; of a record whose old state is now its new one; at the end.
 */
void bb_hubs_begin(struct bb_batch *batch);
void bb_hubs_see(struct bb_batch *batch, struct bb_record *record);
void bb_hubs_end(struct bb_batch *batch);
/* The sum of a link between two hubs, if it is known. */
bool bb_hubs_sum(struct bb_batch *batch, struct bb_link *link, bool old);
/* A large profile holds together by links at least as good as this; NULL: unknown. */
const struct bb_rank *bb_hubs_span(struct bb_batch *batch, const struct bb_profile *profile);
/* After a replay, or (NULL) when others came in without one. A piece of a profile is held by what
 * held it before; and links get worse only in batches that throw all of this away. */
void bb_hubs_set_span(struct bb_batch *batch, const struct bb_profile *profile,
		      const struct bb_rank *worst);
/* The sum before the batch was computed. */
void bb_hubs_keep(struct bb_batch *batch, const struct bb_link *link);
/* Forgets everything: the batch was lost. */
void bb_hubs_clear(struct bb_hubs *hubs);

/* partition.c: R8 over links whose `next` differs from `now`; R5 after labels were merged or splits
 * went; R6 after labels were separated or splits came. Equal profiles may be given more than once.
 */
void bb_partition_change(struct bb_batch *batch, struct bb_link **links, size_t n);
void bb_partition_loosened(struct bb_batch *batch, struct bb_profile **profiles, size_t n);
void bb_partition_tightened(struct bb_batch *batch, struct bb_profile **profiles, size_t n);
/* The whole sweep (§6) over profiles that no link leads out of: whatever the limits were before. */
void bb_partition_sweep(struct bb_batch *batch, struct bb_profile **profiles, size_t n);

/* form.c: make profiles of groups; unite two whole profiles; may they be united? */
void bb_form_groups(struct bb_batch *batch, struct bb_group **groups, size_t n,
		    struct bb_profile **drawn, size_t drawn_n);
void bb_form_unite(struct bb_batch *batch, struct bb_profile *p, struct bb_profile *q);
/* With q NULL: does it keep the limits as it is? */
bool bb_form_feasible(struct bb_batch *batch, struct bb_profile *p, struct bb_profile *q);
/* The same of groups, each of which keeps them. */
bool bb_form_groups_feasible(struct bb_batch *batch, const struct bb_group *a,
			     const struct bb_group *b);
/* Numbers new profiles, places records, lists them, names profiles. */
void bb_form_place(struct bb_batch *batch);

/* sharing.c: whether an identifier is shared now (§5.2), by its neighbours or by its records. */
bool bb_sharing_evaluate(struct bb_batch *batch, struct bb_ident *ident);
/* Evaluate it when the batch is settled. */
void bb_sharing_recount(struct bb_batch *batch, struct bb_ident *ident);
/* Notes whom an identifier of a new record came with. */
void bb_sharing_enter(struct bb_batch *batch, struct bb_record *record, size_t i);

/* labels.c: labels of the components of joins. First those that grow, as loose as before and after
 * together; the last step, with the splits that came, is put off until the links are settled. */
void bb_labels_settle(struct bb_batch *batch);
void bb_labels_separate(struct bb_batch *batch);
/* A pair may be joined or split now, or no longer. */
void bb_labels_pair(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b);

static inline bool bb_ident_joined(const struct bb_ident *ident)
{
	return ident->join_n > 0;
}

#endif
