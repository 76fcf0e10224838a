/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connector file is compiled into. Immutable once made; everything lies in the connector's
 * arena. Private to the engine.
 */
#ifndef BB_PLAN_H
#define BB_PLAN_H

#include <backbone/connector.h>

#include "project.h"
#include "stamp.h"

#define BB_PLAN_EACH_MAX 8    /* [*] and .* in one `each` */
#define BB_PLAN_FRAMES_MAX 20 /* elements around each other, with the current one */

/* Words of a choice count from 1; 0: not said. */
enum bb_format {
	BB_FORMAT_JSON = 1,
	BB_FORMAT_TSV,
	BB_FORMAT_CSV,
	BB_FORMAT_QUERY,
	BB_FORMAT_CANONICAL
};
enum bb_unwrap {
	BB_UNWRAP_NONE = 1,
	BB_UNWRAP_CLOUDEVENTS,
	BB_UNWRAP_DEBEZIUM,
	BB_UNWRAP_CONFLUENT_JSON,
	BB_UNWRAP_RELAY
};
enum bb_otherwise { BB_OTHERWISE_SKIP = 1, BB_OTHERWISE_DEAD_LETTER };
enum bb_money_kind { BB_MONEY_MAJOR = 1, BB_MONEY_MINOR };
enum bb_money_sign { BB_MONEY_POSITIVE = 1, BB_MONEY_NEGATIVE };
enum bb_scope { BB_SCOPE_TENANT = 1 };

/* One step of a path. */
struct bb_step {
	enum { BB_STEP_NAME, BB_STEP_INDEX, BB_STEP_EACH, BB_STEP_MEMBERS } kind;
	struct bb_text name; /* NAME */
	bool any_case;	     /* NAME: as names of headers are compared; in redact only */
	int64_t index;	     /* INDEX; negative: from the end */
};

struct bb_path {
	unsigned up; /* number of ^; 0: $ */
	unsigned id; /* in the projection, from 1; 0: it has none */
	struct bb_step *steps;
	size_t step_n, step_room;
	size_t column; /* of a record: which one */
};

#define BB_METAS(X)                                                                                \
	X(KEY, "@key")                                                                             \
	X(HEADER, "@header")                                                                       \
	X(TOPIC, "@topic")                                                                         \
	X(PARTITION, "@partition")                                                                 \
	X(OFFSET, "@offset")                                                                       \
	X(TIMESTAMP, "@timestamp")                                                                 \
	X(POSITION, "@position")                                                                   \
	X(TENANT, "@tenant")                                                                       \
	X(ELEMENT, "@element")                                                                     \
	X(MEMBER, "@member")
enum bb_meta {
#define X(name, text) BB_META_##name,
	BB_METAS(X)
#undef X
};

struct bb_expr;
struct bb_time_plan;

/* Sources in the order they are tried; the parts of a template; the words of a condition. */
struct bb_exprs {
	struct bb_expr *items;
	size_t n, room;
};

struct bb_paths {
	struct bb_path *items;
	size_t n, room;
};

struct bb_names {
	struct bb_text *items;
	size_t n, room;
};

struct bb_pair {
	struct bb_text from, to;
};

struct bb_pairs {
	struct bb_pair *items;
	size_t n, room;
};

/* Changes of a text, in this order. Texts with p NULL: not asked for. */
struct bb_change {
	struct bb_text strip_prefix, strip_suffix;
	bool digits, lower;
	struct bb_pairs map;
	struct bb_text prepend;
};

/* What is looked for in a list or an object; `key`, `value` and `times` are paths in an element. */
struct bb_seek {
	struct bb_exprs in;	/* the lists, or the objects, in the order they are tried */
	struct bb_path key;	/* PICK, SUM: only elements where this .. */
	struct bb_exprs equals; /* .. is one of these; LOOKUP: the member's name */
	struct bb_paths value;	/* the first usable; none: the element itself */
	struct bb_paths times;	/* SUM: what it is multiplied by; none: nothing */
};

struct bb_parse;

/* Where a source stands in the file, for those who ask why it won or did not. */
struct bb_origin {
	struct bb_text path; /* events[0].id */
	struct bb_text text; /* as written; of a map its first key */
	unsigned line, column;
};

/* What a path needs stands first, in one line of the cache. */
struct bb_expr {
	enum {
		BB_EXPR_CONST,
		BB_EXPR_PATH,
		BB_EXPR_META,
		BB_EXPR_TEMPLATE, /* all of `list`, one after the other */
		BB_EXPR_FROM,	  /* the first usable of `list`, changed */
		BB_EXPR_PICK,	  /* of the first element that fits */
		BB_EXPR_LOOKUP,	  /* of a member whose name is computed */
		BB_EXPR_SUM,	  /* over the elements that fit */
		BB_EXPR_PARSE	  /* the first usable of `list`, inside a text */
	} kind;
	enum bb_meta meta;
	const struct bb_time_plan *at; /* of an attribute: its own time; NULL: the event's */
	struct bb_path path;
	struct bb_text text; /* CONST; META: the header's name */
	struct bb_exprs list;
	struct bb_change change;
	const struct bb_seek *seek;	/* PICK, LOOKUP, SUM */
	struct bb_parse *parse;		/* PARSE */
	const struct bb_origin *origin; /* NULL: a part of another */
};

/* A text that is opened: what it holds is an element, with the one it stands in around it. */
struct bb_parse {
	enum { BB_PARSE_JSON, BB_PARSE_QUERY } kind;
	struct bb_expr text; /* where it is */
	struct bb_text name; /* of that, as the file has it */
	unsigned ups;	     /* elements around it */
	size_t slot;	     /* the same for all that open the same text of an element */
};

struct bb_condition {
	struct bb_expr subject; /* with an origin */
	enum { BB_CONDITION_EXISTS, BB_CONDITION_ABSENT, BB_CONDITION_EQUALS } kind;
	struct bb_exprs words; /* EQUALS: any of them */
	bool inside;	       /* it looks into the element itself, not only around it */
};

struct bb_conditions {
	struct bb_condition *items;
	size_t n, room;
};

struct bb_time_plan {
	struct bb_exprs from;	    /* the value; or: */
	struct bb_exprs date, time; /* its two halves */
	struct bb_stamp_format format;
	const struct bb_zone *zone; /* of times without one; NULL: they are not read */
};

struct bb_time_plans {
	struct bb_time_plan *items;
	size_t n, room;
};

struct bb_identify_plan {
	struct bb_text ns;
	enum bb_scope scope;
	bool optional;
	struct bb_exprs from; /* of `same`: what is the same */
	struct bb_change change;
	const struct bb_namespace *regional; /* to read phones of the default region; or NULL */
};

struct bb_identify_plans {
	struct bb_identify_plan *items;
	size_t n, room;
};

struct bb_attribute_plan {
	struct bb_text name;
	struct bb_exprs from;
};

struct bb_attribute_plans {
	struct bb_attribute_plan *items;
	size_t n, room;
};

struct bb_spread_plan {
	struct bb_exprs from;
	struct bb_text prefix; /* p NULL: none */
	struct bb_names except;
};

struct bb_spread_plans {
	struct bb_spread_plan *items;
	size_t n, room;
};

/* Digits of a currency's minor unit, where the producer does not count them as ISO 4217 does. */
struct bb_currency_digits {
	struct bb_text currency;
	int digits;
};

struct bb_digits {
	struct bb_currency_digits *items;
	size_t n, room;
};

struct bb_amount_plan {
	struct bb_exprs value; /* n 0: no amount */
	enum bb_money_kind kind;
	enum bb_money_sign sign;
	struct bb_exprs currency, key, part;
	struct bb_digits digits; /* MINOR */
};

struct bb_consent_plan {
	struct bb_exprs purpose, channel;
	struct bb_exprs status;		 /* a constant, or what is looked up in the lists */
	struct bb_names granted, denied; /* both empty: `status` is constant */
};

struct bb_consent_plans {
	struct bb_consent_plan *items;
	size_t n, room;
};

/* An event rule that gives a ruling instead of an event. */
struct bb_ruling_plan {
	struct bb_exprs kind;			   /* n 0: it gives an event */
	struct bb_identify_plans pair, identifier; /* two; one */
	struct bb_exprs actor, reason, releases;
};

/* A rule of the file; one that has several `each` is compiled for each of them. */
struct bb_event_plan {
	size_t row;		/* in the file, from 0 */
	struct bb_text name;	/* p NULL: none */
	struct bb_path each;	/* no steps: the whole message */
	unsigned each_n;	/* [*] and .* in it */
	struct bb_parse *parse; /* a text in it that is the element; NULL: none */
	bool goes_on;		/* `continue` */
	struct bb_conditions when, unless;
	struct bb_exprs type, id, channel;
	struct bb_time_plans time;
	struct bb_identify_plans identify, same;
	struct bb_attribute_plans attributes, once;
	struct bb_spread_plans spread;
	struct bb_exprs unset;
	struct bb_amount_plan amount;
	struct bb_consent_plans consent;
	struct bb_ruling_plan ruling;
	const struct bb_origin *each_origin; /* for people; NULL: the whole message */
};

struct bb_event_plans {
	struct bb_event_plan *items;
	size_t n, room;
};

/* The event rules that look at the same elements. */
struct bb_group {
	struct bb_path each;
	bool quiet; /* elements nobody takes are not worth an item: a deeper group may take them */
	const struct bb_event_plan **rules;
	size_t rule_n, rule_room;
	/* With a projection: its [*], the slots of the lists there, what is kept around and in
	 * them. */
	unsigned each_n;
	int lists[BB_PLAN_EACH_MAX];
	struct bb_shape *shapes[BB_PLAN_EACH_MAX + 1];
};

#define BB_PLAN_UNWRAPS_MAX 4

/* Envelopes, from the outside; none: n 0. */
struct bb_unwraps {
	enum bb_unwrap items[BB_PLAN_UNWRAPS_MAX];
	size_t n;
};

struct bb_connector {
	struct bb_arena arena; /* where this structure lies too */
	struct bb_text name, channel;
	struct bb_names topics;
	struct bb_text pattern; /* of topics; p NULL: none */
	enum bb_format format;
	struct bb_unwraps unwrap;
	struct bb_names columns;  /* of records; none: the heading names them */
	bool heading;		  /* the first record of a file is no event */
	struct bb_text delimiter; /* CSV; p NULL: a comma */
	bool takes_list;	  /* a path goes into a list at the top */
	bool ids_may_meet;	  /* of two events whose ids come from the position */
	enum bb_otherwise otherwise;
	struct bb_exprs tenant;
	struct bb_path *redact;
	size_t redact_n, redact_room;
	bool redacts_key;
	struct bb_names redact_headers;
	bool reads_query; /* texts that are queries; so redaction looks into them */
	struct bb_event_plans events;
	size_t parse_n; /* slots */
	struct bb_group *groups;
	size_t group_n, group_room;
	const struct bb_shape *projection; /* of a message; NULL: messages are kept whole */
};

#endif
