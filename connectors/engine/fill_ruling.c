/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule and one element make one ruling: its kind, id and time as those of an event, and what it
 * is on.
 *
 * A ruling is taken whole or not at all. So what an event could do without, and would be warned of,
 * is a refusal here: a time of another form than declared (which ruling holds depends on it), an
 * identifier without value.
 */
#include <backbone/message.h>

#include "run.h"

static bool fill_kind(struct bb_run *run, const struct bb_exprs *kinds, struct bb_ruling *ruling,
		      struct bb_refusal *ret_refusal)
{
	struct bb_found_value value;

	if (!bb_eval_first(run, kinds, true, &value))
		return bb_fill_refuse(ret_refusal, BB_TEXT("ruling"),
				      "none of its sources has a usable value");
	if (!bb_ruling_kind_of(value.text, &ruling->kind))
		return bb_fill_refuse(ret_refusal, BB_TEXT("ruling"),
				      "must be join, split, block, allow or release");
	return true;
}

static bool fill_time(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev,
		      struct bb_ruling *ruling, struct bb_refusal *ret_refusal)
{
	size_t warned = ev->warning_n;

	bb_fill_time(run, rule, ev);
	if (ev->warning_n > warned)
		return bb_fill_refuse(ret_refusal, BB_TEXT("time"), "is not of the declared form");
	ruling->time_ms = ev->has_time ? ev->time_ms : run->msg->timestamp_ms;
	if (ruling->time_ms == BB_NO_TIMESTAMP)
		return bb_fill_refuse(ret_refusal, BB_TEXT("time"),
				      "is missing, and a file has no time of its own to take");
	return true;
}

static bool fill_ends(struct bb_run *run, const struct bb_ruling_plan *plan, struct bb_event *ev,
		      struct bb_ruling *ruling, struct bb_refusal *ret_refusal)
{
	unsigned n = bb_ruling_ends(ruling->kind);
	const struct bb_identify_plans *plans = n == 2 ? &plan->pair : &plan->identifier;
	struct bb_found_value value;
	struct bb_text at;

	for (unsigned i = 0; i < n; i++) {
		at = n == 2 ? bb_arena_printf(run->arena, "pair[%u]", i) : BB_TEXT("identifier");
		if (plans->n != n)
			return bb_fill_refuse(ret_refusal, at,
					      "the rule does not say where to find it");
		if (!bb_eval_first(run, &plans->items[i].from, true, &value) ||
		    !bb_fill_identifier(run, &plans->items[i], &value, ev, &ruling->on[i]))
			return bb_fill_refuse(ret_refusal, at,
					      "none of its sources has a usable value");
	}
	return true;
}

static void fill_text(struct bb_run *run, const struct bb_exprs *list, struct bb_text *ret_text)
{
	struct bb_found_value value;

	*ret_text = BB_TEXT("");
	if (bb_eval_first(run, list, true, &value))
		*ret_text = bb_eval_keep_id(run, &value);
}

bool bb_fill_ruling(struct bb_run *run, const struct bb_event_plan *rule,
		    struct bb_ruling **ret_ruling, struct bb_refusal *ret_refusal)
{
	struct bb_ruling *ruling = bb_arena_zalloc(run->arena, sizeof(*ruling));
	struct bb_event *ev = bb_run_event(run->msg, run->arena); /* takes the warnings */

	if (!fill_kind(run, &rule->ruling.kind, ruling, ret_refusal))
		return false;
	bb_fill_id(run, rule, ev, &ruling->id);
	fill_text(run, &rule->ruling.actor, &ruling->actor);
	fill_text(run, &rule->ruling.reason, &ruling->reason);
	fill_text(run, &rule->ruling.releases, &ruling->releases);
	if (ruling->kind != BB_RULING_RELEASE)
		ruling->releases = BB_TEXT("");
	else if (ruling->releases.n == 0)
		return bb_fill_refuse(ret_refusal, BB_TEXT("releases"),
				      "none of its sources has a usable value");
	if (!fill_time(run, rule, ev, ruling, ret_refusal) ||
	    !fill_ends(run, &rule->ruling, ev, ruling, ret_refusal))
		return false;
	*ret_ruling = ruling;
	return true;
}
