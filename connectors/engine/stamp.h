/* SPDX-License-Identifier: Apache-2.0 */
/* Times in the forms that connectors declare. Private to the engine. */
#ifndef BB_STAMP_H
#define BB_STAMP_H

#include <backbone/arena.h>

#include "zone.h"

#define BB_STAMP_KINDS(X)                                                                          \
	X(ISO8601, "iso8601")                                                                      \
	X(EPOCH_S, "epoch_s")                                                                      \
	X(EPOCH_MS, "epoch_ms")                                                                    \
	X(EPOCH_US, "epoch_us")                                                                    \
	X(EPOCH_NS, "epoch_ns")                                                                    \
	X(SEC_MICROS, "sec.micros")                                                                \
	X(STRPTIME, "strptime:FORMAT")
enum bb_stamp_kind {
#define X(name, text) BB_STAMP_##name,
	BB_STAMP_KINDS(X)
#undef X
};

struct bb_stamp_format {
	enum bb_stamp_kind kind;
	struct bb_text pattern; /* STRPTIME */
};

/* Whether values of this form carry their own zone always, never, or now and then. */
enum bb_stamp_zoned { BB_STAMP_ZONED, BB_STAMP_LOCAL, BB_STAMP_EITHER };
enum bb_stamp_zoned bb_stamp_zoned(const struct bb_stamp_format *format);

/*
 * The form by its name. False: *ret_wrong says what is wrong with a strptime pattern, or is NULL
 * where there is no form of that name.
 */
bool bb_stamp_format_read(struct bb_text name, struct bb_arena *arena, struct bb_stamp_format *ret,
			  const char **ret_wrong);

/* Reads a time. `zone` is for times without one; NULL: those are not read. False: not of the form,
 * or outside 1970 to 9999. */
bool bb_stamp_read(const struct bb_stamp_format *format, const struct bb_zone *zone,
		   struct bb_text text, int64_t *ret_ms);

#endif
