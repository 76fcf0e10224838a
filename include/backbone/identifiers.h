/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers that link nobody: shared ones, with the count that is beyond its cap, and blocked
 * ones, with the rule or the ruling that blocks them. A walk over all identifiers of a snapshot:
 * for a thread of the pool or a tool.
 */
#ifndef BACKBONE_IDENTIFIERS_H
#define BACKBONE_IDENTIFIERS_H

#include <backbone/buf.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

#define BB_IDENTIFIERS_TOP_MAX 1000

/*
 * The `top` ones (1 to BB_IDENTIFIERS_TOP_MAX) that are in the most records; equal ones by strength
 * and bytes. Appends `{"identifiers":[...],"shared":n,"blocked":n}` without a line feed; both are
 * counted whatever is listed. BB_OK, BB_ECORRUPT, BB_ECONFIG (the rules are not the store's) or
 * the store's error.
 */
BB_MUST_CHECK int bb_identifiers_top(struct bb_kv *kv, const struct bb_rules *rules,
				     bool want_blocked, size_t top, struct bb_buf *json);

#endif
