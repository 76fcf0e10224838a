/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The projection of a plan: where in a message its paths can lead, as one tree for all of them. The
 * reader goes along it while it checks the bytes, and puts what lies at the end of a path into the
 * slot of that path; a path is then followed by looking into a slot.
 *
 * Every `[*]` and `.*` of an `each` gives each element slots of its own, for the paths that begin
 * there.
 * Immutable once made; in the arena of the connector. Private to the engine.
 */
#ifndef BB_PROJECT_H
#define BB_PROJECT_H

#include <backbone/text.h>

struct bb_connector;
struct bb_shape;
struct bb_spot;

/* A member that leads on. */
struct bb_spot_name {
	struct bb_text name;
	uint32_t tag;	    /* bb_json_tag of the name */
	struct bb_spot *to; /* NULL: a free place of the table */
};

/* Elements of a list, or members of an object, that are walked. */
struct bb_spot_walk {
	struct bb_shape *shape; /* of each of them; NULL: they are not walked */
	int slot;		/* for the list of their slots */
};

struct bb_spot_index {
	uint64_t index;
	struct bb_spot *to;
};

/* A place in a message that a path goes to, or through. */
struct bb_spot {
	int slot;   /* for what stands here; -1: nothing asks for it */
	bool whole; /* what stands here is kept with everything in it; else lists and maps bare */
	struct bb_spot_name *names; /* a table, the place of a tag from its top bits; NULL: none */
	unsigned name_bits;	    /* 2^name_bits places */
	size_t name_n;
	struct bb_spot_index *indexes;
	size_t index_n, index_room;
	struct bb_spot_walk each;    /* of a list here */
	struct bb_spot_walk members; /* of an object here */
};

/* Where a path ends: its slot, and how many of its steps lead there. The others, behind an index
 * that cannot be known while reading, are taken in what the slot holds whole. */
struct bb_landing {
	int slot; /* -1: the path does not begin in such an element */
	unsigned done;
};

/* What is kept of a message, or of the elements of one list or object. */
struct bb_shape {
	struct bb_spot *root;
	unsigned slot_n;
	struct bb_landing *landings; /* by the path's id */
};

/*
 * Makes the projection of a compiled plan: connector->projection, the ids of its paths, the
 * shapes of its groups' elements. A plan with an `each` through an index from the end, or through
 * an index of a list (a name of an object) that another one walks, gets none: its messages are kept
 * whole.
 */
void bb_project(struct bb_connector *connector);

#endif
