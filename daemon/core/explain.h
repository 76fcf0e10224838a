/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explaining: a batch over a snapshot that is never written. The parts of it: the walk (groups,
 * trees, refused links, witnesses), what is set aside (blocked and shared identifiers), the JSON of
 * all that. Every list is sorted by rank, or by strength and bytes: nothing shows in what order
 * things arrived.
 */
#ifndef BB_CORE_EXPLAIN_H
#define BB_CORE_EXPLAIN_H

#include "identity.h"

#include <backbone/explain.h>

#define BB_EXPLAIN_LIST_MAX 100	  /* refused links, identifiers: more are only counted */
#define BB_EXPLAIN_RECORDS_MAX 5  /* of one link, the latest seen */
#define BB_EXPLAIN_SIDE_MAX 20	  /* identifiers of each side of a witness */
#define BB_EXPLAIN_REMOVED_MAX 64 /* links that are taken out until two are apart */
#define BB_EXPLAIN_STEPS_MAX 16	  /* rulings, or raised limits, until two are together */
/* The n-th trial of a way is made if n times the records of the identifiers concerned, each counted
 * for each of them, are no more: a function of the state, so replicas agree on what was not tried.
 */
#define BB_EXPLAIN_WORK_MAX 200000

struct bb_explainer {
	struct bb_batch batch;
	const struct bb_rules *rules; /* those of the batch may be a trial's */
};

/* A batch of its own for reading; what the last one read is forgotten. Its error is in the batch.
 */
struct bb_batch *bb_explain_begin(struct bb_explainer *explainer, struct bb_kv *kv);

/* An end of the question. */
struct bb_explain_end {
	struct bb_text key;	/* `ns:value`, canonical */
	struct bb_ident *ident; /* NULL: never seen, which only a blocked one may be */
	uint16_t ns;
	struct bb_text value;
	bool blocked;
};

/* BB_OK, BB_EINVAL, BB_ENOTFOUND or the store's error. */
BB_MUST_CHECK int bb_explain_find(struct bb_batch *batch, struct bb_text key,
				  struct bb_explain_end *ret_end);

/* Links. */
struct bb_explain_links {
	struct bb_link **items;
	size_t n, room;
};

static inline struct bb_ident *bb_explain_other(const struct bb_link *link,
						const struct bb_ident *ident)
{
	return link->anchor == ident ? link->other : link->anchor;
}

/* explain_walk.c: the links inside a profile that hold it together, best first (Kruskal). */
void bb_explain_tree(struct bb_batch *batch, struct bb_profile *profile,
		     struct bb_explain_links *ret_tree);
/* The links of the profile's tree from one member to another. */
void bb_explain_chain(struct bb_batch *batch, struct bb_ident *from, struct bb_ident *to,
		      struct bb_explain_links *ret_chain);
/* The refused links that touch a profile, best first; `other` NULL: whatever is at their other end.
 */
void bb_explain_refused(struct bb_batch *batch, struct bb_profile *profile,
			const struct bb_profile *other, struct bb_explain_links *ret_links);

/* explain_witness.c: the limits that the definition would break by taking the link at its rank: not
 * empty for a refused one. */
enum bb_explain_limit {
	BB_EXPLAIN_PER_PROFILE,
	BB_EXPLAIN_OWNERS,
	BB_EXPLAIN_LINKS,
	BB_EXPLAIN_DEVICES,
	BB_EXPLAIN_RECORDS,
	BB_EXPLAIN_MAX_IDENTIFIERS,
	BB_EXPLAIN_SPLITS,
	BB_EXPLAIN_LIMIT_N
};

struct bb_explain_counted;
struct bb_explain_breach {
	enum bb_explain_limit limit;
	uint16_t ns; /* of per_profile */
	uint32_t allowed;
	size_t needed;
	struct bb_ident *ends[2];		/* of a split, one at each side */
	const struct bb_explain_counted *items; /* of per_profile: those of the namespace */
	size_t n;
};
struct bb_explain_breaches {
	struct bb_explain_breach *items;
	size_t n, room;
};
void bb_explain_breaches(struct bb_batch *batch, const struct bb_link *link,
			 struct bb_explain_breaches *ret_list);
/* The same as JSON. */
void bb_explain_witness(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json);

/*
 * explain_trial.c: what would be. The steps are made in a fresh batch over the snapshot, settled by
 * the engine as rulings, events and changed rules are, and looked at.
 */
enum bb_explain_kind {
	BB_EXPLAIN_CUT,	     /* a link goes: the anchor's, the other end */
	BB_EXPLAIN_CUT_JOIN, /* so does a join, as if nobody had said it */
	BB_EXPLAIN_ALLOW,
	BB_EXPLAIN_JOIN,
	BB_EXPLAIN_SPLIT,
	BB_EXPLAIN_RELEASE,
	BB_EXPLAIN_RAISE
};
struct bb_explain_step {
	enum bb_explain_kind kind;
	struct bb_hash on[2];	     /* the first only: ALLOW; none: RAISE */
	struct bb_hash released;     /* id of the ruling */
	enum bb_explain_limit limit; /* of all, or of a namespace */
	uint16_t ns;
	uint32_t to;
};
struct bb_explain_trial {
	struct bb_explainer *explainer;
	struct bb_kv *kv;
	struct bb_hash ends[2];
	struct bb_explain_step steps[BB_EXPLAIN_REMOVED_MAX];
	size_t n;
	size_t tries; /* since there were no steps */
	/* of the last try; NULL where the batch has failed */
	struct bb_batch *batch;
	struct bb_ident *a, *b;
	bool is_too_large; /* it was not made */
};
void bb_explain_try(struct bb_explain_trial *trial);
bool bb_explain_are_together(struct bb_batch *batch, struct bb_ident *a, struct bb_ident *b);
/* The id of the ruling that holds on a pair in the last try. False: none does. */
bool bb_explain_holding(const struct bb_explain_trial *trial, const struct bb_hash on[2],
			struct bb_hash *ret_id);
/* The number that is configured for a limit that has one. */
uint32_t bb_explain_limit_of(const struct bb_rules *rules, enum bb_explain_limit limit,
			     uint16_t ns);
const char *bb_explain_limit_text(enum bb_explain_limit limit);

/* explain_change.c: what would part two that are together, or unite two that are not; who would be
 * with one that is set aside, were it allowed. What was read before is forgotten. */
void bb_explain_parting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json);
void bb_explain_uniting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json);
void bb_explain_allowing(struct bb_explainer *explainer, struct bb_kv *kv,
			 const struct bb_hash *ident, struct bb_buf *json);

/* explain_aside.c: why an identifier is blocked; what makes it shared; what a profile came with
 * that links nobody. */
void bb_explain_blocked(struct bb_batch *batch, const struct bb_explain_end *end,
			struct bb_buf *json);
void bb_explain_shared(struct bb_batch *batch, struct bb_ident *ident, struct bb_buf *json);
void bb_explain_beside(struct bb_batch *batch, struct bb_profile *profile, struct bb_buf *json);
/* By limit, what is counted of a shared identifier where that is too much, else 0. False: it is in
 * so many records that not all were counted. */
bool bb_explain_excess(struct bb_batch *batch, struct bb_ident *ident,
		       uint64_t ret_excess[BB_EXPLAIN_LIMIT_N]);

/* explain_json.c */
struct bb_text bb_explain_name(struct bb_batch *batch, const struct bb_ident *ident);
/* A list of identifiers; sorts it, shows at most `most`. */
void bb_explain_idents_json(struct bb_batch *batch, struct bb_ident **idents, size_t n, size_t most,
			    struct bb_buf *json);
/* `["ns:value","ns:value"]` */
void bb_explain_pair_json(struct bb_batch *batch, const struct bb_ident *a,
			  const struct bb_ident *b, struct bb_buf *json);
/* `"from":...,"to":...,"kind":...`, without braces. */
void bb_explain_ends_json(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json);
/* The same with what says it: records or a ruling. */
void bb_explain_link_json(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json);
/* Refused links with their witnesses: `"refused":[...],"refused_n":n`. */
void bb_explain_refused_json(struct bb_batch *batch, const struct bb_explain_links *refused,
			     struct bb_buf *json);
void bb_explain_profile_json(const struct bb_profile *profile, struct bb_buf *json);
/* The ruling that holds on a pair, or (b NULL) on an identifier, as an object. False: none holds.
 */
bool bb_explain_ruling_json(struct bb_batch *batch, const struct bb_hash *a,
			    const struct bb_hash *b, struct bb_buf *json);

#endif
