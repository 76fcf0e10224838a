/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connector file is compiled into. Immutable once made; everything lies in the connector's
 * arena. Private to the engine.
 */
#ifndef BB_PLAN_H
#define BB_PLAN_H

#include <backbone/connector.h>

#include <sys/types.h>

#include <regex.h>

#define BB_PLAN_EACH_MAX 8 /* [*] in one `each` */

#define BB_FORMATS(X) X(JSON, "json") X(TSV, "tsv") X(CANONICAL, "canonical")
enum bb_format {
#define X(name, text) BB_FORMAT_##name,
	BB_FORMATS(X)
#undef X
};

/* One step of a path. */
struct bb_step {
	enum { BB_STEP_NAME, BB_STEP_INDEX, BB_STEP_EACH } kind;
	struct bb_text name; /* NAME */
	int64_t index;	     /* INDEX; negative: from the end */
};

struct bb_path {
	unsigned up; /* number of ^; 0: $ */
	struct bb_step *steps;
	size_t step_n, step_room;
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
	X(ELEMENT, "@element")
enum bb_meta {
#define X(name, text) BB_META_##name,
	BB_METAS(X)
#undef X
};

struct bb_expr;

/* Sources in the order they are tried; the parts of a template; the words of a condition. */
struct bb_exprs {
	struct bb_expr *items;
	size_t n, room;
};

struct bb_pair {
	struct bb_text from, to;
};

/* Changes of a text, in this order. Texts with p NULL: not asked for. */
struct bb_change {
	struct bb_text strip_prefix;
	bool digits, lower;
	struct bb_pair *map;
	size_t map_n, map_room;
	struct bb_text prepend;
};

struct bb_expr {
	enum {
		BB_EXPR_CONST,
		BB_EXPR_PATH,
		BB_EXPR_META,
		BB_EXPR_TEMPLATE, /* all of `list`, one after the other */
		BB_EXPR_FROM	  /* the first usable of `list`, changed */
	} kind;
	struct bb_text text; /* CONST; META: the header's name */
	enum bb_meta meta;
	struct bb_path path;
	struct bb_exprs list;
	struct bb_change change;
};

struct bb_condition {
	struct bb_expr subject;
	enum { BB_CONDITION_EXISTS, BB_CONDITION_ABSENT, BB_CONDITION_EQUALS } kind;
	struct bb_exprs words; /* EQUALS: any of them */
};

struct bb_conditions {
	struct bb_condition *items;
	size_t n, room;
};

struct bb_zone;

struct bb_time_plan {
	struct bb_exprs from;	    /* the value; or: */
	struct bb_exprs date, time; /* its two halves */
	struct bb_time_format *format;
	const struct bb_zone *zone; /* of times without one; NULL: they are not read */
};

struct bb_time_plans {
	struct bb_time_plan *items;
	size_t n, room;
};

struct bb_identify_plan {
	struct bb_text ns;
	bool tenant_scope, optional;
	struct bb_exprs from;
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
	struct bb_text prefix;
	struct bb_text *except;
	size_t except_n, except_room;
};

struct bb_spread_plans {
	struct bb_spread_plan *items;
	size_t n, room;
};

struct bb_amount_plan {
	bool set;
	struct bb_exprs value, currency, key, part;
	bool minor, negative;
};

struct bb_consent_plan {
	struct bb_exprs purpose, channel;
	struct bb_exprs status; /* a path, or a constant `granted` or `denied` */
	bool mapped;		/* `status` is looked up in the two lists */
	struct bb_text *granted, *denied;
	size_t granted_n, granted_room, denied_n, denied_room;
};

struct bb_consent_plans {
	struct bb_consent_plan *items;
	size_t n, room;
};

struct bb_event_plan {
	struct bb_text name;   /* p NULL: none */
	struct bb_text suffix; /* of ids made from the position; empty in nearly all */
	struct bb_path each;
	bool has_each, goes_on;
	struct bb_conditions when, unless;
	struct bb_exprs type, id, channel;
	struct bb_time_plans time;
	struct bb_identify_plans identify, same;
	struct bb_attribute_plans attributes, once;
	struct bb_spread_plans spread;
	struct bb_exprs unset;
	struct bb_amount_plan amount;
	struct bb_consent_plans consent;
};

/* The event rules that look at the same elements. */
struct bb_group {
	struct bb_path each;
	bool has_each;
	bool quiet; /* elements nobody takes are not worth an item: a deeper group may */
	const struct bb_event_plan **rules;
	size_t rule_n, rule_room;
};

struct bb_connector {
	struct bb_arena arena; /* where this structure lies too */
	struct bb_text name, channel;
	const char **topics;
	size_t topic_n, topic_room;
	const char *pattern; /* NULL: none */
	enum bb_format format;
	struct bb_text *columns; /* TSV */
	size_t column_n, column_room;
	bool takes_list; /* a path goes into an array at the top */
	bool dead_letter_otherwise;
	struct bb_exprs tenant;
	struct bb_path *redact;
	size_t redact_n, redact_room;
	struct bb_event_plan *events;
	size_t event_n, event_room;
	struct bb_group *groups;
	size_t group_n, group_room;
};

#endif
