/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a run share. Private to the engine. */
#ifndef BB_RUN_H
#define BB_RUN_H

#include <backbone/trace.h>

#include "columns.h"
#include "json_tree.h"
#include "plan.h"

/* An element: what paths begin at. */
struct bb_frame {
	const struct bb_json *doc;	 /* NULL: the fields of a line */
	const struct bb_json_node *node; /* or, of what only a projection was kept of: */
	const struct bb_slots *slots;
	const struct bb_landing *landings; /* in the slots, by the path's id */
};

/* Reads a whole document, as bb_json_read_tree does. */
typedef bool bb_run_read_fn(struct bb_text bytes, struct bb_arena *arena,
			    struct bb_json_node *ret_root, struct bb_refusal *ret_refusal);

/* A value of a message, found by a source; its kinds are those of nodes, in their order. */
struct bb_found_value {
	enum {
		BB_FOUND_NOTHING,
		BB_FOUND_FALSE,
		BB_FOUND_TRUE,
		BB_FOUND_NUMBER,
		BB_FOUND_TEXT,
		BB_FOUND_LIST,
		BB_FOUND_MAP
	} kind;
	struct bb_text text; /* TEXT, NUMBER, and the words of FALSE and TRUE */
	const struct bb_json *doc;
	const struct bb_json_node *node; /* of `doc`; LIST, MAP */
	bool rounded;			 /* made of a number above 2^53 */
	bool log_time;			 /* it is @timestamp */
	bool position;			 /* it is @position */
	const struct bb_time_plan *at;	 /* where its own time is; NULL: it has none */
};

/* A text that was opened last by those of its slot. */
struct bb_opened {
	const struct bb_parse *parse;
	struct bb_text text;
	const struct bb_json *doc; /* NULL: refused */
	struct bb_refusal refusal;
	bool failed; /* since the current event was begun */
};

/* An event or ruling whose id came from the position of its message. */
struct bb_placed {
	struct bb_text *id;
	const struct bb_event_plan *rule;
	size_t order;
};

struct bb_run {
	const struct bb_connector *connector;
	const struct bb_message *msg;
	struct bb_arena *arena;
	struct bb_extraction *extraction;
	bb_run_read_fn *read;		/* for what is kept whole: texts that are opened, .. */
	bool whole;			/* .. and the message, though there is a projection */
	const struct bb_record *record; /* of tsv and csv; else NULL */
	size_t element_n;		/* that rules have looked at */
	unsigned depth;			/* frames[depth] is the current element */
	unsigned index_n;		/* lists of `each` around it */
	unsigned element_depth;		/* of the element that the rule is on */
	struct bb_text members[BB_PLAN_EACH_MAX]; /* its names in objects; p NULL: in a list */
	bool tenant_known;			  /* of this element */
	struct bb_placed *placed;
	size_t placed_n, placed_room;
	struct bb_opened *opened;     /* of each slot; NULL: none yet */
	const struct bb_trace *trace; /* who listens; NULL: nobody */
	bool no_number; /* a sum met what cannot be added; whoever cares clears it before */
	size_t work;	/* done so far, in looks at a value; no element begins above the most */
	bool tired;	/* one did not */
	/* From here on nothing is cleared when a run begins: it is written before it is read. */
	struct bb_found_value tenant;		    /* if known */
	struct bb_json doc;			    /* of a message of which a projection is kept */
	size_t indexes[BB_PLAN_EACH_MAX];	    /* of the current element, in its lists */
	struct bb_frame frames[BB_PLAN_FRAMES_MAX]; /* [0]: the outermost */
};

/*
 * What one message may cost. Each element may look at all of the elements around it: for 256 KiB
 * that is a thousand million looks, and as many values kept.
 */
#define BB_RUN_WORK_MAX ((size_t)1 << 21)
#define BB_RUN_WORK_COPY 16 /* bytes that are copied for one look */
#define BB_RUN_WORK_KEEP 8  /* looks for a value that is kept */
#define BB_RUN_WORK_ADD 8   /* looks for a number that is added */

/*
 * run.c: bb_connector_run made another way, for tests to compare: documents are kept whole by
 * `read`, and paths walked step by step.
 */
void bb_run_walked(const struct bb_connector *connector, const struct bb_message *msg,
		   struct bb_arena *arena, bb_run_read_fn *read,
		   struct bb_extraction *ret_extraction);

/* Items of the extraction */
void bb_run_refuse(struct bb_extraction *extraction, struct bb_arena *arena,
		   const struct bb_refusal *refusal);
void bb_run_emit(struct bb_extraction *extraction, struct bb_arena *arena, struct bb_event *ev);
void bb_run_emit_ruling(struct bb_extraction *extraction, struct bb_arena *arena,
			struct bb_ruling *ruling);

/* A new event with what it has from the message: position and log time. */
struct bb_event *bb_run_event(const struct bb_message *msg, struct bb_arena *arena);

/* canonical.c: a canonical event; exactly one item. */
void bb_canonical_run(const struct bb_message *msg, struct bb_arena *arena, bb_run_read_fn *read,
		      struct bb_extraction *extraction);

/* canonical_at.c: times that attributes of a canonical event have of their own. */
void bb_canonical_own_times(const struct bb_json *doc, struct bb_event *ev, struct bb_arena *arena);

/* ruling_read.c: as bb_ruling_read, of a member that was read already. */
bool bb_ruling_read_node(const struct bb_json *doc, const struct bb_json_node *map,
			 struct bb_arena *arena, struct bb_ruling *ret_ruling,
			 struct bb_refusal *ret_refusal);

/*
 * A text, number, boolean or flat list of these as an attribute's value; texts are copied. False:
 * it is something else (null, an object, a list that holds these).
 */
bool bb_canonical_value(const struct bb_json *doc, const struct bb_json_node *node,
			struct bb_arena *arena, struct bb_value *ret_value);

/* eval.c. The first source with a usable value; with `texts_only`, lists and objects are not. */
bool bb_eval_first(struct bb_run *run, const struct bb_exprs *list, bool texts_only,
		   struct bb_found_value *ret);
bool bb_eval_source(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
		    struct bb_found_value *ret);
/* Whether the conditions hold that look into the element, or those that do not. */
bool bb_eval_holds(struct bb_run *run, const struct bb_event_plan *rule, bool inside);
bool bb_eval_is_usable(const struct bb_found_value *value, bool texts_only);

static inline bool bb_eval_is_blank(struct bb_text text)
{
	size_t i = 0;

	while (i < text.n && (unsigned char)text.p[i] <= ' ')
		i++;
	return i == text.n;
}

/* Text, number, true or false. */
static inline bool bb_eval_is_single(const struct bb_found_value *value)
{
	return value->kind != BB_FOUND_NOTHING && value->kind < BB_FOUND_LIST;
}

/* A value that is a node of the document. */
void bb_eval_node(const struct bb_json *doc, const struct bb_json_node *node,
		  struct bb_found_value *ret);

/* seek.c: a value inside of a list, of an object, the sum of a list. NOTHING: none usable. */
struct bb_found_value bb_seek_pick(struct bb_run *run, const struct bb_seek *seek, bool texts_only);
struct bb_found_value bb_seek_lookup(struct bb_run *run, const struct bb_seek *seek,
				     bool texts_only);
struct bb_found_value bb_seek_sum(struct bb_run *run, const struct bb_seek *seek);
/* What a PICK or LOOKUP that found nothing looked for, and how far it came; for people. */
struct bb_text bb_seek_sought(struct bb_run *run, const struct bb_expr *expr);

/* A number as the text of an id: without an exponent. */
struct bb_text bb_eval_write_out(struct bb_run *run, struct bb_text number);

/* The value's text as that of an id. */
static inline struct bb_text bb_eval_keep_id(struct bb_run *run, const struct bb_found_value *value)
{
	return value->kind == BB_FOUND_NUMBER ? bb_eval_write_out(run, value->text) : value->text;
}

/* The tenant of the current element; NULL: there is none. */
const struct bb_found_value *bb_eval_tenant(struct bb_run *run);

/* Index path of the current element (0.2.1), empty for the whole message. */
struct bb_text bb_eval_element(struct bb_run *run);

/* parse.c: a text that holds JSON, or a query, as a document that borrows from it. NULL: refused.
 */
const struct bb_json *bb_parse_json(struct bb_run *run, struct bb_text text,
				    struct bb_refusal *ret_refusal);
const struct bb_json *bb_parse_query(struct bb_run *run, struct bb_text text,
				     struct bb_refusal *ret_refusal);

/* The refusal of a text as one of the message: the byte is told as one of the text `name`. */
struct bb_refusal bb_parse_placed(struct bb_arena *arena, struct bb_text name,
				  struct bb_refusal why);

/* The element that a text of the current one holds. */
enum bb_parsed { BB_PARSED, BB_PARSED_NOTHING, BB_PARSED_REFUSED };
enum bb_parsed bb_parse_open(struct bb_run *run, const struct bb_parse *parse,
			     struct bb_frame *ret_frame, struct bb_refusal *ret_refusal);
bool bb_parse_source(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
		     struct bb_found_value *ret);

/* Texts that sources of an event could not read. */
void bb_parse_forget_failures(struct bb_run *run);
void bb_parse_warn(struct bb_run *run, struct bb_event *ev);

/* The condition that kept a rule from an element. */
struct bb_kept_away {
	const struct bb_condition *condition; /* NULL: none did */
	bool unless;
	struct bb_found_value found;
};

/* trace.c: tells who listens what was tried; `why` NULL: no condition. */
void bb_trace_source(struct bb_run *run, const struct bb_expr *expr,
		     const struct bb_found_value *value, bool usable);
void bb_trace_not_asked(const struct bb_run *run, const struct bb_exprs *list, size_t from);
void bb_trace_rule(struct bb_run *run, const struct bb_event_plan *rule,
		   const struct bb_kept_away *why, bool taken);

/* A rule whose `each` leads to no element. */
void bb_trace_nowhere(struct bb_run *run, const struct bb_event_plan *rule);
void bb_trace_no_fact(const struct bb_run *run, const struct bb_exprs *status,
		      struct bb_text value);

/* change.c: the changes of a text; the result may be empty. */
struct bb_text bb_change_apply(const struct bb_change *change, struct bb_text text,
			       struct bb_arena *arena);
/* One after the other, whatever bytes they have. */
struct bb_text bb_change_join(const struct bb_text *parts, size_t n, struct bb_arena *arena);
static inline bool bb_change_any(const struct bb_change *change)
{
	return change->strip_prefix.p || change->strip_suffix.p || change->digits ||
	       change->lower || change->map.n > 0 || change->prepend.p;
}

/* fill.c: the event that a rule makes of the current element. False: refused. */
bool bb_fill_event(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event **ret_ev,
		   struct bb_refusal *ret_refusal);
void bb_fill_warn(struct bb_run *run, struct bb_event *ev, const char *code, struct bb_text at,
		  struct bb_text value);

/* Parts of it, which a ruling has too; warnings go to `ev`. A time that cannot be read is none. */
void bb_fill_id(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev,
		struct bb_text *ret_id);
void bb_fill_time(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev);
bool bb_fill_identifier(struct bb_run *run, const struct bb_identify_plan *plan,
			const struct bb_found_value *found, struct bb_event *ev,
			struct bb_identifier *ret_id);
bool bb_fill_refuse(struct bb_refusal *ret_refusal, struct bb_text at, const char *detail);

/* fill_ruling.c: the ruling that a rule makes of the current element. False: refused. */
bool bb_fill_ruling(struct bb_run *run, const struct bb_event_plan *rule,
		    struct bb_ruling **ret_ruling, struct bb_refusal *ret_refusal);

/* fill_facts.c: parts of it */
void bb_fill_attributes(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev);
bool bb_fill_amount(struct bb_run *run, const struct bb_amount_plan *plan, struct bb_event *ev,
		    struct bb_refusal *ret_refusal);
void bb_fill_consent(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev);

#endif
