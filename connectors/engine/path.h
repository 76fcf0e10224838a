/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as connectors write them. Private to the engine. */
#ifndef BB_PATH_H
#define BB_PATH_H

#include <backbone/json.h>

#include "plan.h"

/*
 * Reads a path at text.p[*pos], as far as it goes; *pos is then behind it. False: *pos is at the
 * mistake and *ret_wrong says what it is (static text).
 */
bool bb_path_read(struct bb_text text, size_t *pos, struct bb_arena *arena, struct bb_path *ret,
		  const char **ret_wrong);

/* The same inside an element, which it does not begin with: name, values[0], ['x-y']. */
bool bb_path_read_inner(struct bb_text text, size_t *pos, struct bb_arena *arena,
			struct bb_path *ret, const char **ret_wrong);

/* Whether a step goes to all elements: [*], or to all members: .* */
bool bb_path_walks(const struct bb_step *step);
bool bb_path_has_each(const struct bb_path *path);
bool bb_path_equal(const struct bb_path *a, const struct bb_path *b);

/* Whether the first `a->step_n` steps of `b` are those of `a`. */
bool bb_path_begins(const struct bb_path *b, const struct bb_path *a);

/* One step down; NULL: nothing there. Not for EACH and MEMBERS. */
const struct bb_json_node *bb_path_step(const struct bb_json *doc, const struct bb_json_node *node,
					const struct bb_step *step);

/* All steps down; `node` may be NULL. */
const struct bb_json_node *bb_path_walk(const struct bb_json *doc, const struct bb_json_node *node,
					const struct bb_path *path);

#endif
