/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The naive model: what the views must be, computed from all events, rulings and erasures at once,
 * with nothing kept between calls and no care for speed. The judge of `core`; it shares no code
 * with it but text, arenas, the keyed hash, block patterns and the writing of times.
 */
#ifndef BB_TEST_MODEL_H
#define BB_TEST_MODEL_H

#include <backbone/error.h>
#include <backbone/event.h>
#include <backbone/rules.h>
#include <backbone/ruling.h>

/* What an erasure names, in clear. */
struct bb_model_erasure {
	struct bb_text id;
	int64_t time_ms;
	bool suppress;
	struct bb_identifier *ids;
	bool *standing; /* of each of `ids` */
	size_t id_n;
	struct bb_model_set { /* a record */
		struct bb_text source;
		struct bb_identifier *ids;
		size_t n;
	} * records;
	size_t record_n;
	struct bb_model_key { /* of amounts */
		struct bb_text source, key;
	} * keys;
	size_t key_n;
	struct bb_model_mark { /* how far a partition was read */
		struct bb_text topic;
		int32_t partition;
		int64_t next_offset;
	} * marks;
	size_t mark_n;
};

/* How an event or a ruling came: spelled so, under these rules, when so many of the erasures were
 * known. */
struct bb_model_origin {
	const struct bb_event *given;
	const struct bb_ruling *ruling; /* if not an event */
	const struct bb_rules *rules;
	size_t known;
};

/* All that was ever said, in any order, copies included. Of two rulings with one id and different
 * content the first in the list stands. */
struct bb_model_lines {
	const struct bb_event **events; /* canonical, before the gate or behind it */
	size_t event_n, event_room;
	struct bb_model_origin *origins; /* of each event; NULL: all under the rules of now */
	size_t origin_n, origin_room;
	const struct bb_rules **eras; /* all rules that the store has had, the oldest first */
	size_t era_n, era_room;
	const struct bb_ruling **rulings;
	struct bb_model_origin *ruling_origins; /* of each */
	size_t ruling_n, ruling_room, ruling_origin_n, ruling_origin_room;
	const struct bb_model_erasure **erasures;
	size_t erasure_n, erasure_room;
	struct bb_model_cut { /* links that do not count, though records or rulings say them */
		struct bb_identifier ends[2]; /* the anchor, the other */
		bool join;
	} * cuts;
	size_t cut_n;
};

struct bb_model_views {
	struct bb_text *lines; /* JSON, one a profile, sorted by profile id; no line feeds */
	size_t n;
};

/* Everything returned lives in `arena`. */
struct bb_model_views bb_model_views(const struct bb_rules *rules,
				     const struct bb_model_lines *lines, struct bb_arena *arena);

/* The identifiers of the lines, strongest first, whatever the limits and rulings. */
struct bb_model_member {
	struct bb_identifier id;
	bool blocked, shared;
	size_t group; /* of its profile; SIZE_MAX: it is blocked */
};
size_t bb_model_members(const struct bb_rules *rules, const struct bb_model_lines *lines,
			struct bb_arena *arena, struct bb_model_member **ret_members);

/* How many events count: valid, not erased, named once, with an identifier or an amount that has a
 * key. */
size_t bb_model_count(const struct bb_rules *rules, const struct bb_model_lines *lines,
		      struct bb_arena *arena);

/*
 * What an erasure of the profile that `key` leads to would name, after these lines: identifiers,
 * records, keys; the rest of *ret_erasure is left as it is. BB_OK; BB_ENOTFOUND: nobody;
 * BB_EACCESS: the identifier is blocked; BB_EINVAL: it is shared.
 */
BB_MUST_CHECK int bb_model_erase(const struct bb_rules *rules, const struct bb_model_lines *lines,
				 struct bb_text key, struct bb_arena *arena,
				 struct bb_model_erasure *ret_erasure);

/* Whether it counts at all: it has an identifier, or an amount that has a key, and is no dead
 * letter.
 */
bool bb_model_counts(const struct bb_rules *rules, const struct bb_event *ev,
		     struct bb_arena *arena);

/* model_form.c: the canonical form of a value. False: there is none, or no such namespace. */
bool bb_model_form(const struct bb_rules *rules, const struct bb_identifier *id,
		   struct bb_arena *arena, struct bb_text *ret_value);

/* An event as it is under these rules, as a line: identifiers that are known, canonical. */
struct bb_event *bb_model_seen(const struct bb_rules *rules, const struct bb_event *ev,
			       struct bb_arena *arena);

/* Whether an erasure makes a ruling void. `origin` may be NULL. */
bool bb_model_voids(const struct bb_model_lines *lines, const struct bb_ruling *ruling,
		    const struct bb_model_origin *origin, struct bb_arena *arena);

/* What is left of an event that no copy of is known, after the erasures: its known identifiers.
 * `origin` may be NULL. */
enum bb_model_left { BB_MODEL_WHOLE, BB_MODEL_LESS, BB_MODEL_GONE };
enum bb_model_left bb_model_left(const struct bb_rules *rules, const struct bb_model_lines *lines,
				 const struct bb_event *ev, const struct bb_model_origin *origin,
				 struct bb_arena *arena, struct bb_text *ret_identifiers);

#endif
