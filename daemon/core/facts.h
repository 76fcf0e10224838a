/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a record: what its events say, folded so that folding records together gives the
 * view, and taking a record away is exact (view.md). Every fold here is associative and
 * commutative.
 *
 * Plain data in an arena. Order keys are those of view.md §2 less the source, which is the
 * record's.
 */
#ifndef BB_CORE_FACTS_H
#define BB_CORE_FACTS_H

#include <backbone/event.h>
#include <backbone/rules.h>

#include "names.h"
#include "number.h"

/* An event as an order key and an origin: time, then id, then whether the time was Kafka's. */
struct bb_origin {
	int64_t time_ms;
	struct bb_text id;
	bool kafka;
	uint32_t topic; /* interned + 1; 0: no position */
	int32_t partition;
	int64_t offset;
};

struct bb_fact_sum { /* an amount in one currency */
	char currency[3];
	bb_i128 micros;
	uint64_t n;
};

struct bb_fact_sums {
	struct bb_fact_sum *items; /* sorted by currency */
	size_t n, room;
};

struct bb_fact_seen { /* activity of a channel (text) or a type (id) */
	struct bb_text channel;
	uint32_t type;
	uint64_t n;
	int64_t first_ms, last_ms;
};

struct bb_fact_day { /* bucket of an event type on a UTC day */
	uint32_t type;
	int64_t day;
	uint64_t n;
	struct bb_fact_sums sums;
};

struct bb_fact_consent {
	uint32_t purpose;
	struct bb_text channel;
	bool denied;
	struct bb_origin by;
};

struct bb_fact_recent {
	struct bb_origin by;
	uint32_t type;
};

/* Distinct values, sorted; of numbers that are equal the best spelling; the first BB_UNION_MAX. */
#define BB_UNION_MAX 1000
struct bb_value_set {
	struct bb_value *items;
	size_t n, room;
};

/* What an attribute's rule has come to. An attribute whose rule was changed has one of each. */
struct bb_fact_attribute {
	uint32_t name;
	enum bb_fold_rule rule;
	bool has; /* a value counts; false: latest is an unset, or nothing was usable for the rule
		   */
	struct bb_origin by;	 /* all but sum and union */
	struct bb_value value;	 /* latest, first, min, max */
	struct bb_value_set set; /* union */
	bb_i128 sum_micros;
};

struct bb_fact_once {
	uint32_t name;
	struct bb_origin by;
	struct bb_value value;
};

struct bb_fact_offset { /* the highest offset that brought an event here: for erasure */
	uint32_t topic;
	int32_t partition;
	int64_t offset;
};

struct bb_fact_same { /* which two identifiers of the record, and how many events said so */
	uint8_t a, b;
	uint64_t n;
};

/* An amount of another record that does not count because its twin's, of this record, does (see
 * window.c): if this record is erased it counts again. */
struct bb_fact_displaced {
	struct bb_hash record, holder; /* as they were named at that epoch */
	uint64_t epoch;
	uint32_t type;
	int64_t time_ms;
	char currency[3];
	bb_i128 micros;
};

struct bb_facts {
	uint64_t events;
	int64_t first_ms, last_ms;
	int64_t days[2]; /* the two latest UTC days, latest first; INT64_MIN: none */
	struct bb_fact_seen *channels, *types;
	size_t channel_n, channel_room, type_n, type_room;
	struct bb_fact_day *buckets; /* sorted by day, then type */
	size_t bucket_n, bucket_room;
	struct bb_fact_sums sums; /* amounts without a key, and those with one that count here */
	struct bb_fact_consent *consent;
	size_t consent_n, consent_room;
	struct bb_fact_recent *recent; /* sorted, newest first */
	size_t recent_n, recent_room;
	struct bb_fact_attribute *attributes;
	size_t attribute_n, attribute_room;
	struct bb_fact_once *once;
	size_t once_n, once_room;
	struct bb_fact_offset *offsets;
	size_t offset_n, offset_room;
	struct bb_fact_same *same;
	size_t same_n, same_room;
	uint64_t *amount_keys; /* first 8 bytes of the ledger keys it has candidates under: for
				  erasure */
	size_t amount_key_n, amount_key_room;
	struct bb_fact_displaced *displaced;
	size_t displaced_n, displaced_room;
};

/* What folding needs to know. */
struct bb_fold {
	const struct bb_rules *rules;
	struct bb_names *names;
	struct bb_arena *arena;
};

void bb_facts_init(struct bb_facts *facts);

/* Folds one event; not its amount. The event's slices must outlive the facts. */
void bb_facts_add(const struct bb_fold *fold, struct bb_facts *facts, const struct bb_event *ev);

/* Folds what another record's events said, amounts too; not `same` and `amount_keys`. */
void bb_facts_unite(const struct bb_fold *fold, struct bb_facts *facts,
		    const struct bb_facts *from);

/* An amount that counts here (n = 1) or no longer (n = -1), of an event of that type and time. */
void bb_facts_amount(struct bb_arena *arena, struct bb_facts *facts, uint32_t type, int64_t time_ms,
		     const char currency[3], bb_i128 micros, int n);

/* <0, 0, >0: time, id, kafka. */
int bb_origin_compare(const struct bb_origin *a, const struct bb_origin *b);

/* value_key of the model: numbers by value, then spelling; texts by bytes; false, true. */
int bb_value_compare(const struct bb_value *a, const struct bb_value *b);
/* The same without the spelling of numbers. */
int bb_value_compare_loose(const struct bb_value *a, const struct bb_value *b);

/* Whether `a` beats `b` under min or max; spelling breaks ties. Numbers beat texts. */
bool bb_value_beats(enum bb_fold_rule rule, const struct bb_value *a, const struct bb_value *b);

/* Any two values, lists too (last): 0 only where they are written alike. */
int bb_value_order(const struct bb_value *a, const struct bb_value *b);

void bb_value_set_add(struct bb_arena *arena, struct bb_value_set *set,
		      const struct bb_value *value);
void bb_value_set_unite(struct bb_arena *arena, struct bb_value_set *set,
			const struct bb_value_set *other);
void bb_value_set_add_all(struct bb_arena *arena, struct bb_value_set *set,
			  const struct bb_value *items, size_t n);

void bb_facts_encode(struct bb_buf *buf, const struct bb_facts *facts);
/* Slices stay in the cursor's bytes. */
void bb_facts_decode(struct bb_cursor *cur, struct bb_arena *arena, struct bb_facts *ret_facts);
/* Only what identity looks at: events, first, last, days. They come first. */
void bb_facts_decode_head(struct bb_cursor *cur, struct bb_facts *ret_facts);
/* Only what a view shows, which comes first: no day buckets, nothing that is kept for undoing. */
void bb_facts_decode_shown(struct bb_cursor *cur, struct bb_arena *arena,
			   struct bb_facts *ret_facts);

#endif
