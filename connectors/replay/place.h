/* SPDX-License-Identifier: Apache-2.0 */
/* What is stored with the number of the last line of a file: where it stands, and its hash. */
#ifndef BB_REPLAY_PLACE_H
#define BB_REPLAY_PLACE_H

#include <backbone/arena.h>
#include <backbone/hash.h>

struct bb_place {
	uint64_t start; /* of the line, in bytes from the beginning of the file */
	uint64_t next;	/* where reading goes on */
	uint32_t bytes; /* of the line from `start`, hashed */
	bool cut;	/* too long: `next` is inside it, and the rest of it is to be skipped */
	bool unended;	/* the file ended without a line feed */
	struct bb_hash hash;
	uint32_t more; /* line feeds inside of it: it is a record of several lines */
};

struct bb_hash bb_place_hash(struct bb_text line);
struct bb_text bb_place_encode(const struct bb_place *place, struct bb_arena *arena);

/* False: not a place. */
bool bb_place_decode(struct bb_text text, struct bb_place *ret_place);

#endif
