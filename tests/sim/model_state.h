/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the model share. Identifiers are numbered by strength: 0 is the strongest. */
#ifndef BB_TEST_MODEL_STATE_H
#define BB_TEST_MODEL_STATE_H

#include "model.h"

#define MODEL_NONE SIZE_MAX

struct model_identifier {
	const struct bb_namespace *ns;
	uint16_t ns_index;
	struct bb_text value;
	bool blocked, shared;
	bool allowed;	 /* by a ruling: never shared */
	int64_t seen_ms; /* first, in any record */
	size_t label;	 /* of its component in the graph of the joins */
	size_t group;	 /* of its profile; not of blocked ones */
	struct bb_hash hash;
};

struct model_record;

struct model_raw { /* an identifier before it has a number */
	uint16_t ns_index;
	struct bb_text value;
};

struct model_lane { /* an event as it would have been under other rules */
	const struct bb_rules *rules;
	bool on; /* it would have counted, and something is left of it */
	struct model_raw *raws;
	size_t raw_n;
};

struct model_event {
	const struct bb_event *ev;	      /* as it came; identifiers and `same` are below */
	const struct bb_model_origin *origin; /* NULL: under the rules of now */
	struct model_lane *lanes;
	size_t lane_n;
	bool unsure; /* more was taken off it than off a lane */
	int64_t time_ms;
	bool kafka_time;
	struct model_raw *raws; /* what is left of its known identifiers, rising */
	size_t raw_n;
	const struct bb_same *same; /* what is left of them */
	size_t same_n;
	size_t ids[2 * BB_EVENT_IDENTIFIERS_MAX]; /* rising */
	size_t id_n;
	struct model_record *record; /* NULL: no identifier */
};

struct model_record {
	struct model_event **events;
	size_t n;
	int64_t first_ms, last_ms;
	size_t anchor; /* MODEL_NONE: all are blocked */
};

struct model_pair { /* a < b */
	size_t a, b;
};

struct model {
	const struct bb_rules *rules;
	struct bb_arena *arena;
	struct model_event *events; /* named once */
	size_t event_n;
	const struct bb_ruling **rulings; /* neither void nor released */
	size_t ruling_n;
	struct model_identifier *ids;
	size_t id_n;
	struct model_record *records;
	size_t record_n;
	struct model_pair *joins, *splits;
	size_t join_n, split_n;
	const struct bb_model_lines *lines;
};

/* Whether a link, or a join, of two identifiers is among those that do not count. */
bool bb_model_is_cut(const struct model *model, size_t a, size_t b, bool join);

/* model_read.c: events, identifiers, records, joins */
void bb_model_read(struct model *model, const struct bb_model_lines *lines);

/* False: too many identifiers, a dead letter. */
bool bb_model_take(const struct bb_rules *rules, const struct bb_event *ev, struct bb_arena *arena,
		   struct model_event *ret_event);

/* The known identifiers among some, sorted, each once. */
size_t bb_model_known(const struct bb_rules *rules, const struct bb_identifier *ids, size_t n,
		      struct bb_arena *arena, struct model_raw **ret_raws);

/* Source, id, and the time unless it was taken from Kafka, name an event. */
int bb_model_compare_names(const struct model_event *a, const struct model_event *b);

/* Fewer identifiers first. */
int bb_model_compare_raws(const struct model_event *a, const struct model_event *b);

/* model_rulings.c: those that hold, and what holds on an identifier or a pair;
 * BB_RULING_KIND_COUNT: nothing */
void bb_model_rule(struct model *model, const struct bb_model_lines *lines);
enum bb_ruling_kind bb_model_word(const struct model *model, const struct bb_identifier *on,
				  unsigned ends);

/* model_erase.c: takes what is erased from the events, which are sorted by name */
void bb_model_forget(struct model *model, const struct bb_model_lines *lines);
/* An event with that origin: what it would have been under the rules before. */
void bb_model_lanes(struct model *model, const struct bb_model_lines *lines,
		    const struct bb_model_origin *origin, struct model_event *e);
bool bb_model_names(const struct bb_identifier *ids, size_t n, struct bb_text ns,
		    struct bb_text value);

/* model_junk.c: whether a value names nobody */
bool bb_model_junk(const struct bb_namespace *ns, struct bb_text value);

/* model_identity.c: labels, shared, anchors, groups */
void bb_model_resolve(struct model *model);

/* model_value.c: numbers and attributes */
bool bb_model_is_money(struct bb_text text);
struct bb_text bb_model_total(const struct bb_text *amounts, size_t n, struct bb_arena *arena);

/* Numbers by value, then text by bytes, then false, true; with `spelling` equal numbers by length
 * and bytes. */
int bb_model_compare(const struct bb_value *a, const struct bb_value *b, bool spelling);

/* Appends `,` but for the first. */
struct bb_buf;
void bb_model_value_json(const struct bb_value *value, struct bb_buf *buf);

/* model_attributes.c: the attributes of a profile as a JSON object */
void bb_model_attributes(const struct bb_rules *rules, struct model_event **events, size_t n,
			 struct bb_arena *arena, struct bb_buf *buf);

/* model_money.c: the amounts that count for each group */
struct model_counted {
	const struct bb_amount *amount;
	size_t group;
};

size_t bb_model_settle(const struct model *model, struct model_counted **ret_counted);

/* The group of the latest event with the amount key of `e` that belongs to somebody. */
size_t bb_model_claimed_by(const struct model *model, const struct model_event *e);

/* Time, id, source, then where the time is from: the order of events of a profile. */
int bb_model_order(const struct model_event *a, const struct model_event *b);

#endif
