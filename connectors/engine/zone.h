/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones of the system's database, read once when a connector is compiled. Private. */
#ifndef BB_ZONE_H
#define BB_ZONE_H

#include <backbone/arena.h>

struct bb_zone;

/*
 * A zone by its name (Europe/Paris), `UTC`, or a fixed distance (+02:00); NULL: there is none, or
 * its file cannot be read. Lives in the arena.
 */
const struct bb_zone *bb_zone_read(struct bb_text name, struct bb_arena *arena);

/*
 * Seconds east of Greenwich at a local time (seconds since 1970-01-01T00:00:00 on the wall). A time
 * that the wall shows twice is the first of the two; one that it skips is read with the distance
 * from before the jump.
 */
int64_t bb_zone_offset(const struct bb_zone *zone, int64_t local_seconds);

/* The most similar name of the database, or NULL. In the arena. */
const char *bb_zone_nearest(struct bb_text name, struct bb_arena *arena);

#endif
