/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rule and one element make one event: type, id, time and who it was here; facts in
 * fill_facts.c. Texts are those of the message, or of the arena, and live as long as the batch.
 *
 * What an event cannot be without (its type) or must not lose silently (money that cannot be read)
 * is a refusal that names the member; what it can do without is left out with a warning.
 */
#include <backbone/normalise.h>

#include "run.h"

void bb_fill_warn(struct bb_run *run, struct bb_event *ev, const char *code, struct bb_text at,
		  struct bb_text value)
{
	BB_ARENA_PUSH(run->arena, ev->warnings, ev->warning_n, ev->warning_room) =
		(struct bb_warning){bb_text_of(code), at, value};
}

bool bb_fill_refuse(struct bb_refusal *ret_refusal, struct bb_text at, const char *detail)
{
	*ret_refusal = (struct bb_refusal){
		.reason = BB_DEAD_INVALID_EVENT,
		.at = at,
		.detail = bb_text_of(detail),
		.byte_offset = -1,
	};
	return false;
}

void bb_fill_id(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev,
		struct bb_text *ret_id)
{
	static const struct bb_expr here = {.kind = BB_EXPR_META, .meta = BB_META_POSITION};
	struct bb_found_value value;

	if (!bb_eval_first(run, &rule->id, true, &value)) {
		bb_eval_source(run, &here, true, &value);
		if (rule->id.n > 0)
			bb_fill_warn(run, ev, "id_missing", BB_TEXT("id"),
				     (struct bb_text){NULL, 0});
	}
	*ret_id = bb_eval_keep_id(run, &value);
	if (value.rounded)
		bb_fill_warn(run, ev, "may_be_rounded", BB_TEXT("id"), *ret_id);
	if (value.position && run->connector->ids_may_meet) {
		struct bb_placed placed = {ret_id, rule, run->placed_n};

		BB_ARENA_PUSH(run->arena, run->placed, run->placed_n, run->placed_room) = placed;
	}
}

/* The text of a time; false: there is none to use. `log_time`: it is the log's. */
static bool time_text(struct bb_run *run, const struct bb_time_plan *plan, struct bb_text *ret_text,
		      bool *ret_log_time)
{
	struct bb_found_value date, time;

	if (plan->from.n > 0) {
		if (!bb_eval_first(run, &plan->from, true, &date))
			return false;
		*ret_text = date.text;
		*ret_log_time = date.log_time;
		return true;
	}
	if (!bb_eval_first(run, &plan->date, true, &date) ||
	    !bb_eval_first(run, &plan->time, true, &time))
		return false;
	*ret_text = bb_change_join((struct bb_text[]){date.text, BB_TEXT(" "), time.text}, 3,
				   run->arena);
	*ret_log_time = false;
	return true;
}

/* Of several forms the first that reads its value; which one did not is told where none does. */
void bb_fill_time(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev)
{
	const struct bb_time_plan *plan;
	struct bb_text text, wrong = {0};
	bool log_time = false;

	for (size_t i = 0; i < rule->time.n && !log_time; i++) {
		plan = &rule->time.items[i];
		if (!time_text(run, plan, &text, &log_time) || log_time)
			continue;
		ev->has_time = bb_stamp_read(&plan->format, plan->zone, text, &ev->time_ms);
		if (ev->has_time)
			return;
		if (!wrong.p)
			wrong = bb_arena_copy(run->arena, text);
	}
	if (wrong.p)
		bb_fill_warn(run, ev, "time_invalid", BB_TEXT("time"), wrong);
}

/* Junk is not scoped, so that the gate knows it: `fr/null` would be one customer, of everybody. */
static bool is_junk(struct bb_run *run, struct bb_text value)
{
	static const struct bb_namespace any = {
		.name = "", .normaliser = BB_NORMALISE_TRIM, .junk = true};
	struct bb_text trimmed;

	return bb_normalise(&any, value, run->arena, &trimmed) &&
	       bb_normalise_blocked_by(&any, trimmed, run->arena) != NULL;
}

/* tenant/value */
static struct bb_text scoped(struct bb_text tenant, struct bb_text value, struct bb_arena *arena)
{
	char *out = bb_arena_alloc(arena, tenant.n + 1 + value.n);

	memcpy(out, tenant.p, tenant.n);
	out[tenant.n] = '/';
	memcpy(out + tenant.n + 1, value.p, value.n);
	return bb_text_bytes(out, tenant.n + 1 + value.n);
}

/*
 * The identifier that a value is. False: nothing to identify by; a warning says so where that is
 * not ordinary.
 */
bool bb_fill_identifier(struct bb_run *run, const struct bb_identify_plan *plan,
			const struct bb_found_value *found, struct bb_event *ev,
			struct bb_identifier *ret_id)
{
	struct bb_text value = bb_eval_keep_id(run, found);
	const struct bb_found_value *tenant;

	if (bb_change_any(&plan->change))
		value = bb_change_apply(&plan->change, value, run->arena);
	if (bb_eval_is_blank(value))
		return false;
	if (plan->regional && value.p[0] != '+')
		bb_normalise(plan->regional, value, run->arena, &value);
	if (plan->scope == BB_SCOPE_TENANT && !is_junk(run, value)) {
		tenant = bb_eval_tenant(run);
		if (!tenant) {
			bb_fill_warn(
				run, ev, "tenant_missing",
				bb_arena_printf(run->arena, "identifiers[%zu]", ev->identifier_n),
				value);
			return false;
		}
		value = scoped(tenant->text, value, run->arena);
	}
	ret_id->ns = plan->ns;
	ret_id->value = value;
	ret_id->ns_index = BB_NS_UNKNOWN;
	ret_id->blocked = false;
	ret_id->optional = plan->optional;
	return true;
}

static void add_identifier(struct bb_run *run, const struct bb_identify_plan *plan,
			   const struct bb_found_value *found, struct bb_event *ev)
{
	struct bb_identifier *id =
		&BB_ARENA_PUSH(run->arena, ev->identifiers, ev->identifier_n, ev->identifier_room);

	ev->identifier_n--; /* it is none yet; warnings name its place */
	if (!bb_fill_identifier(run, plan, found, ev, id))
		return;
	if (found->rounded)
		bb_fill_warn(run, ev, "may_be_rounded",
			     bb_arena_printf(run->arena, "identifiers[%zu]", ev->identifier_n),
			     id->value);
	ev->identifier_n++;
}

typedef void on_value_fn(struct bb_run *run, const struct bb_identify_plan *plan,
			 const struct bb_found_value *found, struct bb_event *ev);

/* The value itself, or each single value of a list. */
static void each_value(struct bb_run *run, const struct bb_identify_plan *plan,
		       const struct bb_found_value *found, struct bb_event *ev,
		       on_value_fn *on_value)
{
	struct bb_found_value item;

	if (found->kind == BB_FOUND_MAP)
		return;
	if (found->kind != BB_FOUND_LIST) {
		on_value(run, plan, found, ev);
		return;
	}
	for (size_t i = 0; i < bb_json_size(found->doc, found->node); i++) {
		bb_eval_node(found->doc, bb_json_item(found->doc, found->node, i), &item);
		if (item.kind != BB_FOUND_NOTHING && item.kind != BB_FOUND_LIST &&
		    item.kind != BB_FOUND_MAP)
			on_value(run, plan, &item, ev);
	}
}

static void fill_identifiers(struct bb_run *run, const struct bb_event_plan *rule,
			     struct bb_event *ev)
{
	struct bb_found_value found;

	if (rule->identify.n > 0) {
		ev->identifiers =
			bb_arena_alloc(run->arena, rule->identify.n * sizeof(*ev->identifiers));
		ev->identifier_room = rule->identify.n;
	}
	for (size_t i = 0; i < rule->identify.n; i++)
		if (bb_eval_first(run, &rule->identify.items[i].from, false, &found))
			each_value(run, &rule->identify.items[i], &found, ev, add_identifier);
}

/* What a `same` fact names is on the event; after the first, each is paired with the first. */
static void fill_same(struct bb_run *run, const struct bb_identify_plan *plan, struct bb_event *ev)
{
	size_t first = ev->identifier_n, n;
	struct bb_found_value found;
	struct bb_same pair;

	for (size_t i = 0; i < plan->from.n; i++)
		if (bb_eval_source(run, &plan->from.items[i], false, &found))
			each_value(run, plan, &found, ev, add_identifier);
	n = ev->identifier_n;
	for (size_t i = first + 1; i < n; i++) {
		if (bb_text_equal(ev->identifiers[first].value, ev->identifiers[i].value))
			continue;
		pair.pair[0] = ev->identifiers[first];
		pair.pair[1] = ev->identifiers[i];
		BB_ARENA_PUSH(run->arena, ev->same, ev->same_n, ev->same_room) = pair;
	}
}

bool bb_fill_event(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event **ret_ev,
		   struct bb_refusal *ret_refusal)
{
	struct bb_event *ev = bb_run_event(run->msg, run->arena);
	struct bb_found_value value;

	bb_parse_forget_failures(run);
	ev->source = run->connector->name;
	ev->channel = run->connector->channel;
	if (rule->channel.n > 0 && bb_eval_first(run, &rule->channel, true, &value))
		ev->channel = value.text;
	if (!bb_eval_first(run, &rule->type, true, &value))
		return bb_fill_refuse(ret_refusal, BB_TEXT("type"),
				      "none of its sources has a usable value");
	ev->type = value.text;
	bb_fill_id(run, rule, ev, &ev->id);
	bb_fill_time(run, rule, ev);
	fill_identifiers(run, rule, ev);
	for (size_t i = 0; i < rule->same.n; i++)
		fill_same(run, &rule->same.items[i], ev);
	bb_fill_attributes(run, rule, ev);
	bb_fill_consent(run, rule, ev);
	if (!bb_fill_amount(run, &rule->amount, ev, ret_refusal))
		return false;
	bb_parse_warn(run, ev);
	*ret_ev = ev;
	return true;
}
