/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling what was tried. The run calls this only where somebody listens; nothing here changes what
 * comes out, and nothing can fail.
 */
#include <backbone/assert.h>
#include <backbone/trace.h>

#include "run.h"

#define WORDS_MAX 3 /* of a condition */

const char *bb_trace_text(enum bb_tried outcome)
{
	static const char *const texts[] = {
		[BB_TRIED_TAKEN] = "taken",
		[BB_TRIED_ABSENT] = "absent",
		[BB_TRIED_NULL] = "null",
		[BB_TRIED_BLANK] = "blank",
		[BB_TRIED_EMPTY] = "an empty list",
		[BB_TRIED_NOT_SINGLE] = "a list or an object, but one value is due",
		[BB_TRIED_NOT_WHOLE] = "a part of it is not usable",
		[BB_TRIED_NOT_ASKED] = "not asked, an earlier one won",
		[BB_TRIED_NO_FACT] = "in neither list: no fact",
	};

	return texts[outcome];
}

static enum bb_tried outcome_of(const struct bb_expr *expr, const struct bb_found_value *value,
				bool usable)
{
	if (usable)
		return BB_TRIED_TAKEN;
	switch (value->kind) {
	case BB_FOUND_NOTHING:
		if (expr->kind == BB_EXPR_TEMPLATE)
			return BB_TRIED_NOT_WHOLE;
		return value->node ? BB_TRIED_NULL : BB_TRIED_ABSENT;
	case BB_FOUND_LIST:
		return bb_json_size(value->doc, value->node) ? BB_TRIED_NOT_SINGLE : BB_TRIED_EMPTY;
	case BB_FOUND_MAP:
		return BB_TRIED_NOT_SINGLE;
	default:
		return BB_TRIED_BLANK;
	}
}

static struct bb_trace_source told_of(const struct bb_origin *origin, enum bb_tried outcome)
{
	return (struct bb_trace_source){
		.path = origin->path,
		.line = origin->line,
		.column = origin->column,
		.source = origin->text,
		.outcome = outcome,
	};
}

void bb_trace_source(struct bb_run *run, const struct bb_expr *expr,
		     const struct bb_found_value *value, bool usable)
{
	const struct bb_trace *trace = run->trace;
	struct bb_trace_source told;
	size_t work = run->work;

	if (!expr->origin)
		return;
	told = told_of(expr->origin, outcome_of(expr, value, usable));
	if (usable)
		told.value = value->text;
	run->trace = NULL; /* to look again is no news, and costs the message nothing */
	if (told.outcome == BB_TRIED_ABSENT &&
	    (expr->kind == BB_EXPR_PICK || expr->kind == BB_EXPR_LOOKUP))
		told.sought = bb_seek_sought(run, expr);
	run->work = work;
	run->trace = trace;
	trace->source(trace->ctx, &told);
}

void bb_trace_not_asked(const struct bb_run *run, const struct bb_exprs *list, size_t from)
{
	struct bb_trace_source told;

	for (size_t i = from; i < list->n; i++) {
		if (!list->items[i].origin)
			continue;
		told = told_of(list->items[i].origin, BB_TRIED_NOT_ASKED);
		run->trace->source(run->trace->ctx, &told);
	}
}

void bb_trace_no_fact(const struct bb_run *run, const struct bb_exprs *status, struct bb_text value)
{
	struct bb_trace_source told;

	if (!status->items[0].origin)
		return;
	told = told_of(status->items[0].origin, BB_TRIED_NO_FACT);
	told.source = BB_TEXT("granted, denied");
	told.value = value;
	run->trace->source(run->trace->ctx, &told);
}

/* The words of a condition, as they are written. */
static struct bb_text words_of(struct bb_run *run, const struct bb_exprs *words, bool unless)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text;

	bb_buf_printf(&buf, "%s", unless ? "not " : "");
	for (size_t i = 0; i < words->n && i < WORDS_MAX; i++) {
		const struct bb_expr *word = &words->items[i];
		struct bb_text written = word->origin ? word->origin->text : word->text;

		bb_buf_printf(&buf, "%s%.*s", i > 0 ? ", " : "", (int)written.n, written.p);
	}
	if (words->n > WORDS_MAX)
		bb_buf_printf(&buf, ", ...");
	text = bb_arena_copy(run->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

static void tell_why(struct bb_run *run, const struct bb_kept_away *why, struct bb_trace_rule *told)
{
	const struct bb_condition *condition = why->condition;
	const struct bb_origin *origin = condition->subject.origin;

	told->path = origin->path;
	told->line = origin->line;
	if (bb_eval_is_usable(&why->found, true))
		told->found = why->found.text;
	else if (why->found.kind == BB_FOUND_MAP)
		told->there = BB_TEXT("an object");
	else if (why->found.kind == BB_FOUND_LIST)
		told->there = bb_json_size(why->found.doc, why->found.node)
				      ? BB_TEXT("a list")
				      : BB_TEXT("an empty list");
	told->must_be_there = (condition->kind == BB_CONDITION_EXISTS) != why->unless;
	if (condition->kind == BB_CONDITION_EQUALS)
		told->wanted = words_of(run, &condition->words, why->unless);
}

void bb_trace_rule(struct bb_run *run, const struct bb_event_plan *rule,
		   const struct bb_kept_away *why, bool taken)
{
	struct bb_trace_rule told = {
		.rule = rule->row,
		.name = rule->name,
		.taken = taken,
	};

	told.element = bb_eval_element(run);
	if (why)
		tell_why(run, why, &told);
	run->trace->rule(run->trace->ctx, &told);
}

void bb_trace_nowhere(struct bb_run *run, const struct bb_event_plan *rule)
{
	struct bb_trace_rule told = {
		.rule = rule->row,
		.name = rule->name,
		.element = BB_TEXT(""),
		.wanted = BB_TEXT("one or more"),
	};

	bb_assert(rule->each_origin); /* the whole message is an element */
	told.path = rule->each_origin->path;
	told.line = rule->each_origin->line;
	told.there = bb_arena_printf(run->arena,
				     "no element at %.*s (it is not there, empty, or something "
				     "else)",
				     (int)rule->each_origin->text.n, rule->each_origin->text.p);
	run->trace->rule(run->trace->ctx, &told);
}
