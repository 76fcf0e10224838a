/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of rulings, erasures and adoption share: orders written as text, over a core_rig.
 */
#ifndef BACKBONE_TEST_ORDER_RIG_H
#define BACKBONE_TEST_ORDER_RIG_H

#include "core_rig.h"

/* A ruling on `ns:value ns:value`, on `ns:value`, or the release of an id. Not yet checked. */
struct bb_ruling order_ruling(struct core_rig *rig, enum bb_ruling_kind kind, const char *id,
			      int64_t time_ms, const char *on);

/* In the rig's buffer, until it is used again. */
const char *order_json(struct core_rig *rig, const struct bb_ruling *ruling);

/* Checked, and into the open batch (one is begun if there is none). */
enum bb_verdict order_apply(struct core_rig *rig, struct bb_ruling ruling);

/* order_ruling, order_apply, core_end: applied. The time is CORE_T0 and so many days. */
void order_rule(struct core_rig *rig, enum bb_ruling_kind kind, const char *id, int day,
		const char *on);

/* An erasure in a batch of its own, without a watermark; BB_OK or why not. */
int order_erase(struct core_rig *rig, const struct bb_erasure *order,
		struct bb_erasure_receipt *ret_receipt);

/* Exclusive or of the hashes of all views: equal for equal views, whatever the rulings. */
struct bb_hash order_views(struct core_rig *rig);

#define ORDER_SAME_VIEWS(rig, hash, what)                                                          \
	do {                                                                                       \
		struct bb_hash views_ = order_views(rig);                                          \
		cr_expect(bb_hash_equal(&views_, &(hash)), "%s", (what));                          \
	} while (0)

#endif
