/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why identifiers are together, or are not: a function of the state alone, so that replicas say the
 * same. What would change it is not guessed: it is computed by the engine itself on a copy in
 * memory that is thrown away.
 *
 * Thread: any, one at a time for an explainer; works on a snapshot and changes nothing. The walk is
 * bounded by the profiles concerned, which may be large: for a thread of the pool.
 */
#ifndef BACKBONE_EXPLAIN_H
#define BACKBONE_EXPLAIN_H

#include <backbone/buf.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

struct bb_explainer;

struct bb_explainer *bb_explainer_new(const struct bb_rules *rules);
void bb_explainer_free(struct bb_explainer *explainer); /* NULL-safe */

/*
 * The profile of a key as a tree of links, best first, each with its records (source, events, first
 * and last seen), and the refused links that touch it with their witnesses; or why the key leads to
 * nobody. Appends JSON without a line feed. BB_OK; BB_EINVAL: not a key; BB_ENOTFOUND: never seen;
 * or the store's error. A blocked or shared identifier is an answer.
 */
BB_MUST_CHECK int bb_explain_why(struct bb_explainer *explainer, struct bb_kv *kv,
				 struct bb_text key, struct bb_buf *json);

/*
 * Two keys: if they are together, the chain of links between them, the weakest named, and what
 * would part them; if not, the refused links between their profiles with their witnesses, or that
 * there is no evidence; and what would unite them. Errors as above.
 */
BB_MUST_CHECK int bb_explain_pair(struct bb_explainer *explainer, struct bb_kv *kv,
				  struct bb_text a, struct bb_text b, struct bb_buf *json);

#endif
