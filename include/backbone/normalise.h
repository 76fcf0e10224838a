/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From raw to canonical values, junk, and block patterns (identity.md §2). Pure and thread-safe;
 * the phone numbers are libphonenumber's, Unicode is utf8proc's, patterns are PCRE2's.
 */
#ifndef BACKBONE_NORMALISE_H
#define BACKBONE_NORMALISE_H

#include <backbone/rules.h>

/*
 * The canonical form of `raw` in the namespace, in `arena` (or `raw` itself if nothing changes).
 * False: not canonical (no result, more than 512 bytes, not a mailbox, not a valid number, ...).
 */
bool bb_normalise(const struct bb_namespace *ns, struct bb_text raw, struct bb_arena *arena,
		  struct bb_text *ret_value);

/* Of the built-in list of junk: another number whenever the list changes, as the state depends on
 * it. */
#define BB_JUNK_VERSION 1

/* Which rule blocks a canonical value: `junk.word`, `junk.zeros`, ..., `pattern[2]`; NULL: none.
 * Static or arena text. */
const char *bb_normalise_blocked_by(const struct bb_namespace *ns, struct bb_text value,
				    struct bb_arena *arena);

/*
 * Compiles a block pattern: POSIX extended over code points; `[:`, a backslash before a letter or
 * digit,
 * `(?` and lazy quantifiers are refused with BB_ECONFIG and a message. A match anywhere blocks.
 */
BB_MUST_CHECK int bb_pattern_new(const char *text, struct bb_pattern **ret_pattern,
				 struct bb_error *err);
void bb_pattern_free(struct bb_pattern *pattern);
const char *bb_pattern_text(const struct bb_pattern *pattern); /* as it was given */
bool bb_pattern_matches(const struct bb_pattern *pattern, struct bb_text value);

/*
 * A derived identifier: `email_sha256` -> namespace of that name, value the lower-case hex SHA-256
 * of the canonical value. The name of the derivation is the name of the namespace it fills. False:
 * unknown name.
 */
bool bb_normalise_derive(const char *derivation, struct bb_text value, struct bb_arena *arena,
			 struct bb_text *ret_value);

/* For those who check a configuration: a region that libphonenumber knows (FR), a derivation. */
bool bb_normalise_is_region(const char *region);
bool bb_normalise_is_derivation(const char *derivation);

#endif
