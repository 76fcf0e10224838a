/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts of an event: attributes, named one by one and spread out of objects; consent; money.
 *
 * An attribute that cannot be one (an object, a list of lists) is left out with a warning, a
 * consent whose value is in neither list is no fact. Money that is there but cannot be read is a
 * refusal: a purchase must not become an event without its amount.
 */

#include "money.h"
#include "run.h"

#include <stdlib.h>

#define NOTHING ((struct bb_text){NULL, 0})

struct attribute_list {
	struct bb_attribute **items; /* fields of the event */
	size_t *n, *room;
	const char *member;
};

static struct attribute_list attributes_of(struct bb_event *ev)
{
	return (struct attribute_list){&ev->attributes, &ev->attribute_n, &ev->attribute_room,
				       "attributes"};
}

static struct attribute_list once_of(struct bb_event *ev)
{
	return (struct attribute_list){&ev->once, &ev->once_n, &ev->once_room, "attributes_once"};
}

static void warn_attribute(struct bb_run *run, struct bb_event *ev, const char *code,
			   const struct attribute_list *list, struct bb_text name,
			   struct bb_text value)
{
	bb_fill_warn(run, ev, code,
		     bb_arena_printf(run->arena, "%s.%.*s", list->member, (int)name.n, name.p),
		     value);
}

/* The value as an event has it. False: it is nothing that an attribute can be. */
static bool value_of(struct bb_run *run, const struct bb_found_value *found,
		     struct bb_value *ret_value)
{
	*ret_value = (struct bb_value){.kind = BB_VALUE_TEXT};
	switch (found->kind) {
	case BB_FOUND_TEXT:
		ret_value->text = found->text;
		return true;
	case BB_FOUND_NUMBER:
		ret_value->kind = BB_VALUE_NUMBER;
		ret_value->text = found->text;
		return true;
	case BB_FOUND_FALSE:
	case BB_FOUND_TRUE:
		ret_value->kind = found->kind == BB_FOUND_TRUE ? BB_VALUE_TRUE : BB_VALUE_FALSE;
		return true;
	case BB_FOUND_LIST:
		run->work += BB_RUN_WORK_KEEP * bb_json_size(found->doc, found->node);
		return bb_canonical_value(found->doc, found->node, run->arena, ret_value);
	default:
		return false;
	}
}

/* A value's own time; the event's where it has none that can be read. */
static int64_t own_time(struct bb_run *run, struct bb_event *ev, const struct attribute_list *list,
			struct bb_text name, const struct bb_time_plan *plan)
{
	struct bb_found_value found;
	int64_t ms;

	if (!plan)
		return BB_AT_EVENT;
	if (!bb_eval_first(run, &plan->from, true, &found)) {
		warn_attribute(run, ev, "time_missing", list, name, NOTHING);
		return BB_AT_EVENT;
	}
	if (bb_stamp_read(&plan->format, plan->zone, found.text, &ms))
		return ms;
	warn_attribute(run, ev, "time_invalid", list, name, bb_arena_copy(run->arena, found.text));
	return BB_AT_EVENT;
}

static void add_attribute(struct bb_run *run, struct bb_event *ev,
			  const struct attribute_list *list, struct bb_text name,
			  const struct bb_found_value *found)
{
	struct bb_attribute *attribute =
		&BB_ARENA_PUSH(run->arena, *list->items, *list->n, *list->room);

	attribute->name = name;
	if (value_of(run, found, &attribute->value)) {
		attribute->at_ms = own_time(run, ev, list, name, found->at);
		return;
	}
	--*list->n;
	warn_attribute(run, ev, "attribute_not_flat", list, name, NOTHING);
}

static void fill_named(struct bb_run *run, const struct bb_attribute_plans *plans,
		       struct bb_event *ev, const struct attribute_list *list)
{
	struct bb_found_value found;

	if (*list->room == 0 && plans->n > 0) {
		*list->items = bb_arena_alloc(run->arena, plans->n * sizeof(**list->items));
		*list->room = plans->n;
	}
	for (size_t i = 0; i < plans->n; i++) {
		run->no_number = false;
		if (bb_eval_first(run, &plans->items[i].from, false, &found))
			add_attribute(run, ev, list, plans->items[i].name, &found);
		if (run->no_number)
			warn_attribute(run, ev, "sum_not_a_number", list, plans->items[i].name,
				       NOTHING);
	}
}

/* An object that is being spread: `head` stands before the names of its members. */
struct spreading {
	struct bb_run *run;
	struct bb_event *ev;
	const struct bb_spread_plan *plan;
};

static bool is_excepted(const struct bb_spread_plan *plan, struct bb_text name)
{
	for (size_t i = 0; i < plan->except.n; i++)
		if (bb_text_equal(plan->except.items[i], name))
			return true;
	return false;
}

static void spread_value(const struct spreading *s, struct bb_text name,
			 const struct bb_found_value *found)
{
	struct attribute_list list = attributes_of(s->ev);
	struct bb_arena *arena = s->run->arena;

	if (found->kind == BB_FOUND_NOTHING ||
	    (found->kind == BB_FOUND_TEXT && bb_eval_is_blank(found->text)) ||
	    (found->kind == BB_FOUND_LIST && bb_json_size(found->doc, found->node) == 0))
		return;
	if (s->plan->prefix.p)
		name = bb_change_join((struct bb_text[]){s->plan->prefix, name}, 2, arena);
	if (name.n == 0 || name.n > BB_EVENT_TEXT_MAX)
		warn_attribute(s->run, s->ev, "attribute_name_invalid", &list, BB_TEXT("*"),
			       NOTHING);
	else
		add_attribute(s->run, s->ev, &list, name, found);
}

/* Members of members get names with dots. The depth is that of the document: at most 64. */
static void spread_members(const struct spreading *s, const struct bb_found_value *map,
			   struct bb_text head)
{
	const struct attribute_list list = attributes_of(s->ev);
	const struct bb_json_node *node;
	struct bb_found_value found;
	struct bb_text key, name;
	void *iter = NULL;

	while (bb_json_next(map->doc, map->node, &iter, &key, &node)) {
		s->run->work += BB_RUN_WORK_KEEP;
		if (head.n + (head.n > 0) + key.n > BB_EVENT_TEXT_MAX) {
			warn_attribute(s->run, s->ev, "attribute_name_invalid", &list, BB_TEXT("*"),
				       NOTHING);
			continue;
		}
		name = head.n ? bb_change_join((struct bb_text[]){head, BB_TEXT("."), key}, 3,
					       s->run->arena)
			      : key;
		if (is_excepted(s->plan, name))
			continue;
		bb_eval_node(map->doc, node, &found);
		if (found.kind == BB_FOUND_MAP)
			spread_members(s, &found, name);
		else
			spread_value(s, name, &found);
	}
}

/* By name, the earlier one first. */
static int compare_attributes(const void *a, const void *b)
{
	const struct bb_attribute *x = *(const struct bb_attribute *const *)a;
	const struct bb_attribute *y = *(const struct bb_attribute *const *)b;
	int d = bb_text_compare(x->name, y->name);

	return d ? d : (x > y) - (x < y);
}

/* Of several with one name the first stays: named ones stand before spread ones. */
static void drop_repeated(struct bb_run *run, struct bb_event *ev)
{
	struct bb_attribute **sorted;
	size_t n = ev->attribute_n, kept = 0;

	sorted = bb_arena_alloc(run->arena, n * sizeof(struct bb_attribute *));
	for (size_t i = 0; i < n; i++)
		sorted[i] = &ev->attributes[i];
	qsort(sorted, n, sizeof(struct bb_attribute *), compare_attributes);
	for (size_t i = n; i-- > 1;)
		if (bb_text_equal(sorted[i]->name, sorted[i - 1]->name))
			sorted[i]->name.n = 0;
	for (size_t i = 0; i < n; i++)
		if (ev->attributes[i].name.n > 0)
			ev->attributes[kept++] = ev->attributes[i];
	ev->attribute_n = kept;
}

static void add_unset(struct bb_run *run, struct bb_event *ev, const struct bb_change *change,
		      const struct bb_found_value *found)
{
	struct bb_text name = NOTHING;

	if (found->kind == BB_FOUND_TEXT)
		name = bb_change_apply(change, found->text, run->arena);
	if (name.n == 0 || name.n > BB_EVENT_TEXT_MAX) {
		bb_fill_warn(run, ev, "attribute_name_invalid", BB_TEXT("unset"), NOTHING);
		return;
	}
	BB_ARENA_PUSH(run->arena, ev->unset, ev->unset_n, ev->unset_room) = name;
}

/* A source is a name, or a list of names; each of them is changed by itself. */
static void unset_names(struct bb_run *run, const struct bb_expr *source, struct bb_event *ev)
{
	static const struct bb_change as_it_is;
	bool changed = source->kind == BB_EXPR_FROM;
	const struct bb_change *change = changed ? &source->change : &as_it_is;
	struct bb_found_value found, item;

	if (!(changed ? bb_eval_first(run, &source->list, false, &found)
		      : bb_eval_source(run, source, false, &found)))
		return;
	if (found.kind != BB_FOUND_LIST) {
		add_unset(run, ev, change, &found);
		return;
	}
	for (size_t i = 0; i < bb_json_size(found.doc, found.node); i++) {
		bb_eval_node(found.doc, bb_json_item(found.doc, found.node, i), &item);
		if (item.kind != BB_FOUND_TEXT || !bb_eval_is_blank(item.text))
			add_unset(run, ev, change, &item);
	}
}

static void fill_unset(struct bb_run *run, const struct bb_exprs *list, struct bb_event *ev)
{
	for (size_t i = 0; i < list->n; i++)
		unset_names(run, &list->items[i], ev);
}

void bb_fill_attributes(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev)
{
	struct attribute_list attributes = attributes_of(ev), once = once_of(ev);
	struct spreading s = {run, ev, NULL};
	struct bb_found_value found;

	fill_named(run, &rule->attributes, ev, &attributes);
	fill_named(run, &rule->once, ev, &once);
	for (size_t i = 0; i < rule->spread.n; i++) {
		s.plan = &rule->spread.items[i];
		if (bb_eval_first(run, &s.plan->from, false, &found) && found.kind == BB_FOUND_MAP)
			spread_members(&s, &found, (struct bb_text){"", 0});
	}
	if (rule->spread.n > 0)
		drop_repeated(run, ev);
	fill_unset(run, &rule->unset, ev);
}

static bool is_in(const struct bb_names *names, struct bb_text word)
{
	for (size_t i = 0; i < names->n; i++)
		if (bb_text_equal(names->items[i], word))
			return true;
	return false;
}

/* The status; p NULL: no fact. */
static struct bb_text status_of(struct bb_run *run, const struct bb_consent_plan *plan)
{
	struct bb_found_value found;

	if (!bb_eval_first(run, &plan->status, true, &found))
		return NOTHING;
	if (plan->granted.n == 0 && plan->denied.n == 0)
		return found.text; /* a constant */
	if (is_in(&plan->granted, found.text))
		return BB_TEXT("granted");
	if (is_in(&plan->denied, found.text))
		return BB_TEXT("denied");
	if (run->trace)
		bb_trace_no_fact(run, &plan->status, found.text);
	return NOTHING;
}

void bb_fill_consent(struct bb_run *run, const struct bb_event_plan *rule, struct bb_event *ev)
{
	if (rule->consent.n > 0) {
		ev->consent = bb_arena_alloc(run->arena, rule->consent.n * sizeof(*ev->consent));
		ev->consent_room = rule->consent.n;
	}
	for (size_t i = 0; i < rule->consent.n; i++) {
		const struct bb_consent_plan *plan = &rule->consent.items[i];
		struct bb_consent consent = {.status = status_of(run, plan)};
		struct bb_found_value purpose, channel;

		if (!consent.status.p)
			continue;
		if (!bb_eval_first(run, &plan->purpose, true, &purpose) ||
		    (plan->channel.n > 0 && !bb_eval_first(run, &plan->channel, true, &channel))) {
			bb_fill_warn(run, ev, "consent_incomplete",
				     bb_arena_printf(run->arena, "consent[%zu]", i), NOTHING);
			continue;
		}
		consent.purpose = purpose.text;
		if (plan->channel.n > 0)
			consent.channel = channel.text;
		BB_ARENA_PUSH(run->arena, ev->consent, ev->consent_n, ev->consent_room) = consent;
	}
}

static bool refuse(struct bb_refusal *refusal, const char *at, const char *detail)
{
	*refusal = (struct bb_refusal){
		.reason = BB_DEAD_INVALID_EVENT,
		.at = bb_text_of(at),
		.detail = bb_text_of(detail),
		.byte_offset = -1,
	};
	return false;
}

static struct bb_text upper(struct bb_text text, struct bb_arena *arena)
{
	bool lower = false;
	char *out;

	while (text.n > 0 && (unsigned char)text.p[0] <= ' ') {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && (unsigned char)text.p[text.n - 1] <= ' ')
		text.n--;
	for (size_t i = 0; i < text.n; i++)
		lower |= text.p[i] >= 'a' && text.p[i] <= 'z';
	if (!lower)
		return text;
	out = bb_arena_alloc(arena, text.n);
	for (size_t i = 0; i < text.n; i++)
		out[i] = text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 'a' + 'A')
							      : text.p[i];
	return bb_text_bytes(out, text.n);
}

/* A text of the amount; absent where its sources have nothing. */
static struct bb_text amount_text(struct bb_run *run, const struct bb_exprs *from)
{
	struct bb_found_value found;

	return bb_eval_first(run, from, true, &found) ? bb_eval_keep_id(run, &found) : NOTHING;
}

/* Digits of the minor unit, as the producer counts them, else ISO 4217; negative: none known. */
static int minor_digits(const struct bb_digits *own, struct bb_text currency)
{
	for (size_t i = 0; i < own->n; i++)
		if (bb_text_equal(own->items[i].currency, currency))
			return own->items[i].digits;
	return bb_money_exponent(currency);
}

bool bb_fill_amount(struct bb_run *run, const struct bb_amount_plan *plan, struct bb_event *ev,
		    struct bb_refusal *ret_refusal)
{
	struct bb_money_form form = {.negative = plan->sign == BB_MONEY_NEGATIVE};
	struct bb_amount *amount = &ev->amount;
	struct bb_found_value value, currency;

	run->no_number = false;
	if (!bb_eval_first(run, &plan->value, true, &value))
		return !run->no_number || refuse(ret_refusal, "amount.value",
						 "the sum of a list whose values are not all "
						 "decimal numbers");
	if (run->no_number)
		bb_fill_warn(run, ev, "sum_not_a_number", BB_TEXT("amount.value"), NOTHING);
	if (!bb_eval_first(run, &plan->currency, true, &currency))
		return refuse(ret_refusal, "amount.currency",
			      "none of its sources has a usable value");
	amount->currency = upper(currency.text, run->arena);
	if (plan->kind == BB_MONEY_MINOR) {
		form.minor_digits = minor_digits(&plan->digits, amount->currency);
		if (form.minor_digits < 0)
			return refuse(ret_refusal, "amount.currency",
				      "no currency of ISO 4217, so its minor unit is not known");
	}
	if (!bb_money_amount(value.text, form, run->arena, &amount->value))
		return refuse(ret_refusal, "amount.value",
			      "not a decimal number of at most 18 digits before and 6 after the "
			      "point");
	if (plan->kind == BB_MONEY_MINOR && bb_money_has_fraction(value.text))
		bb_fill_warn(run, ev, "amount_minor_fraction", BB_TEXT("amount.value"),
			     bb_arena_copy(run->arena, value.text));
	amount->key = amount_text(run, &plan->key);
	amount->part = amount->key.p && plan->part.n > 0 ? amount_text(run, &plan->part) : NOTHING;
	if (plan->key.n > 0 && !amount->key.p)
		bb_fill_warn(run, ev, "amount_key_missing", BB_TEXT("amount.key"), NOTHING);
	ev->has_amount = true;
	return true;
}
