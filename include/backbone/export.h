/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that the state holds on a person, for themselves: docs/privacy.md says what each
 * member is. Read only; the walk is bounded by the profile, which may be large: for a thread of the
 * pool.
 */
#ifndef BACKBONE_EXPORT_H
#define BACKBONE_EXPORT_H

#include <backbone/arena.h>
#include <backbone/buf.h>
#include <backbone/hash.h>
#include <backbone/kv.h>
#include <backbone/rules.h>

struct bb_exported {
	char profile[BB_PROFILE_ID_BYTES + 1];
	struct bb_text *values; /* of the person's identifiers, to look for elsewhere */
	size_t value_n;
};

/*
 * Appends the members `profile`, `view` (with provenance), `records`, `rulings` and `history` of a
 * JSON object, with commas between and without braces. Errors as of bb_viewer_find; BB_EINVAL also
 * for a shared identifier, which stands for no one person. *ret_exported lives in the arena.
 */
BB_MUST_CHECK int bb_export_person(struct bb_kv *kv, const struct bb_rules *rules,
				   struct bb_text key, struct bb_arena *arena, struct bb_buf *buf,
				   struct bb_exported *ret_exported);

#endif
