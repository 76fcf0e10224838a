/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling what was tried. The run calls this only where somebody listens; nothing here changes what
 * comes out, and nothing can fail.
 */
#include <backbone/trace.h>

#include "run.h"

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

static void tell(const struct bb_run *run, const struct bb_origin *origin, enum bb_tried outcome,
		 struct bb_text value)
{
	struct bb_trace_source source = {
		.path = origin->path,
		.line = origin->line,
		.column = origin->column,
		.source = origin->text,
		.outcome = outcome,
		.value = value,
	};

	run->trace->source(run->trace->ctx, &source);
}

void bb_trace_source(const struct bb_run *run, const struct bb_expr *expr,
		     const struct bb_found_value *value, bool usable)
{
	struct bb_text none = {NULL, 0};

	if (expr->origin)
		tell(run, expr->origin, outcome_of(expr, value, usable),
		     usable ? value->text : none);
}

void bb_trace_not_asked(const struct bb_run *run, const struct bb_exprs *list, size_t from)
{
	for (size_t i = from; i < list->n; i++)
		if (list->items[i].origin)
			tell(run, list->items[i].origin, BB_TRIED_NOT_ASKED,
			     (struct bb_text){NULL, 0});
}

void bb_trace_rule(struct bb_run *run, const struct bb_event_plan *rule,
		   const struct bb_condition *failed, struct bb_text found, bool taken)
{
	const struct bb_origin *origin = failed ? failed->subject.origin : NULL;
	struct bb_trace_rule told = {
		.rule = rule->row,
		.name = rule->name,
		.taken = taken,
		.found = found,
	};

	told.element = bb_eval_element(run);
	if (origin) {
		told.path = origin->path;
		told.line = origin->line;
		told.column = origin->column;
	}
	run->trace->rule(run->trace->ctx, &told);
}
