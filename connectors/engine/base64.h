/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the engine. */
#ifndef BB_BASE64_H
#define BB_BASE64_H

#include <backbone/arena.h>
#include <backbone/text.h>

/* The bytes, in the arena. False: it is no base64. */
bool bb_base64_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_bytes);

#endif
