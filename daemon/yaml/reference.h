/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References in values: `${NAME}` is an environment variable, `${credential:name}` the content of a
 * file of $CREDENTIALS_DIRECTORY without its last line feed. A `$` right before a reference makes
 * it text: `$${HOME}` is `${HOME}`. Whatever does not have this form stays as it is (`$.a`,
 * `{$.x}`,
 * `$`, `${1}`), and what was filled in is not read again.
 */
#ifndef BB_YAML_REFERENCE_H
#define BB_YAML_REFERENCE_H

#include <backbone/arena.h>

#define BB_CREDENTIAL_BYTES_MAX (64 * 1024)

/*
 * `text` with its references filled in, in `arena`, terminated. NULL, or what is wrong, for people:
 * not set, no such credential, not a name. The result must be UTF-8 without NUL.
 */
const char *bb_reference_expand(struct bb_text text, struct bb_arena *arena,
				struct bb_text *ret_text);

#endif
