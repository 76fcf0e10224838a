/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the viewer share. */
#ifndef BB_CORE_VIEWER_H
#define BB_CORE_VIEWER_H

#include <backbone/rules.h>
#include <backbone/view.h>

#include "names.h"

struct bb_viewer {
	const struct bb_rules *rules;
	struct bb_names *names;
	uint16_t *ns_of_id;
	size_t ns_n;
	struct bb_arena arena;
	struct bb_view view;
	struct bb_buf buf;
};

/* The names as the snapshot has them, and the positions of the namespaces among them. */
BB_MUST_CHECK int bb_viewer_load_names(struct bb_viewer *viewer, struct bb_kv *kv);

/* A row that something led to: that it is not there is damage. */
BB_MUST_CHECK int bb_viewer_placed(struct bb_kv *kv, uint64_t cluster, uint32_t n,
				   struct bb_text *ret_value);

/* The hash under which the key is found; resets the arena. BB_OK or BB_EINVAL. */
BB_MUST_CHECK int bb_viewer_hash(struct bb_viewer *viewer, struct bb_text key,
				 struct bb_hash *ret_hash, bool *ret_junk);

#endif
