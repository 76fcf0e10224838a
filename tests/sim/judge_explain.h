/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what explanations say would part or unite two does so, by the model. */
#ifndef BB_TEST_JUDGE_EXPLAIN_H
#define BB_TEST_JUDGE_EXPLAIN_H

#include "model.h"
#include "random.h"

#include <backbone/buf.h>
#include <backbone/kv.h>

#define BB_EXPLAIN_PAIRS 400 /* of a state with more so many are taken */

/* What was looked at. */
struct bb_explain_judged {
	uint64_t pairs, without, joins, allowed;
	uint64_t rulings, ruled; /* ways that a join alone does not open; of these, those that do */
	uint64_t limits, raised;
};

/* False: an answer is wrong, which is in `report`. */
bool bb_judge_explanations(const struct bb_rules *rules, const struct bb_model_lines *lines,
			   struct bb_kv *kv, struct bb_random *random,
			   struct bb_explain_judged *judged, struct bb_buf *report);

#endif
