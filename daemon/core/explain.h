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

struct bb_explainer {
	struct bb_batch batch;
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

/* explain_change.c: what would part two that are together, or unite two that are not: computed by
 * the engine, each case in a batch of its own. What was read before is forgotten. */
void bb_explain_parting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json);
void bb_explain_uniting(struct bb_explainer *explainer, struct bb_kv *kv, const struct bb_hash *a,
			const struct bb_hash *b, struct bb_buf *json);

/* explain_witness.c: appends, as JSON, the limits that the definition would break by taking the
 * link at its rank: a list, not empty for a refused one. */
void bb_explain_witness(struct bb_batch *batch, const struct bb_link *link, struct bb_buf *json);

/* explain_aside.c: why an identifier is blocked; what makes it shared; what a profile came with
 * that links nobody. */
void bb_explain_blocked(struct bb_batch *batch, const struct bb_explain_end *end,
			struct bb_buf *json);
void bb_explain_shared(struct bb_batch *batch, struct bb_ident *ident, struct bb_buf *json);
void bb_explain_beside(struct bb_batch *batch, struct bb_profile *profile, struct bb_buf *json);

/* explain_json.c */
struct bb_text bb_explain_name(struct bb_batch *batch, const struct bb_ident *ident);
/* A list of identifiers; sorts it, shows at most `most`. */
void bb_explain_idents_json(struct bb_batch *batch, struct bb_ident **idents, size_t n, size_t most,
			    struct bb_buf *json);
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
