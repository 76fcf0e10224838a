/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message through a plan: bytes become a document, each group of rules walks to its elements,
 * and the first rule that matches an element makes an event of it.
 *
 *	message -> document -> groups (each) -> elements -> rules (when)
 *		-> event | ruling | skip | refusal
 *
 * A message that cannot be read is one refusal; an element that cannot be an event is one, and
 * costs its siblings nothing. Whatever happens, at least one item comes out.
 */
#include <backbone/assert.h>
#include <backbone/connector.h>
#include <backbone/record.h>

#include "path.h"
#include "run.h"
#include "unwrap.h"

#include <stdlib.h>

void bb_run_refuse(struct bb_extraction *extraction, struct bb_arena *arena,
		   const struct bb_refusal *refusal)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_REFUSED, .refusal = *refusal};
}

void bb_run_emit(struct bb_extraction *extraction, struct bb_arena *arena, struct bb_event *ev)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_EVENT, .event = ev};
}

void bb_run_emit_ruling(struct bb_extraction *extraction, struct bb_arena *arena,
			struct bb_ruling *ruling)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_RULING, .ruling = ruling};
}

static void skip(struct bb_extraction *extraction, struct bb_arena *arena,
		 const struct bb_refusal *why)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_SKIP, .refusal = *why};
}

struct bb_event *bb_run_event(const struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_event *ev = bb_arena_zalloc(arena, sizeof(*ev));

	ev->log_ms = msg->timestamp_ms;
	if (msg->from_log)
		ev->position = (struct bb_position){msg->topic, msg->partition, msg->offset};
	return ev;
}

/* $.entry[0].messaging[2]; p NULL for the whole message. */
static struct bb_text element_path(struct bb_run *run, const struct bb_path *each)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text path;
	unsigned n = 0;

	if (run->index_n == 0)
		return (struct bb_text){NULL, 0};
	bb_buf_byte(&buf, '$');
	for (size_t i = 0; i < each->step_n; i++) {
		const struct bb_step *step = &each->steps[i];

		if (step->kind == BB_STEP_NAME)
			bb_buf_printf(&buf, ".%.*s", (int)step->name.n, step->name.p);
		else if (step->kind == BB_STEP_INDEX)
			bb_buf_printf(&buf, "[%lld]", (long long)step->index);
		else if (step->kind == BB_STEP_EACH)
			bb_buf_printf(&buf, "[%zu]", run->indexes[n++]);
		else
			bb_buf_printf(&buf, ".%.*s", (int)run->members[n].n, run->members[n].p),
				n++;
	}
	path = bb_arena_copy(run->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return path;
}

static void unmatched(struct bb_run *run, const struct bb_path *each)
{
	struct bb_refusal why = {.reason = BB_DEAD_UNMATCHED,
				 .detail = BB_TEXT("no event rule matches"),
				 .byte_offset = -1};

	if (each)
		why.at = element_path(run, each);
	if (run->connector->otherwise == BB_OTHERWISE_DEAD_LETTER)
		bb_run_refuse(run->extraction, run->arena, &why);
	else
		skip(run->extraction, run->arena, &why);
}

static void refuse_element(struct bb_run *run, const struct bb_group *group,
			   struct bb_refusal *refusal)
{
	if (run->index_n > 0)
		refusal->detail = bb_arena_printf(run->arena, "%s (of %s)", refusal->detail.p,
						  element_path(run, &group->each).p);
	bb_run_refuse(run->extraction, run->arena, refusal);
}

static void apply(struct bb_run *run, const struct bb_group *group,
		  const struct bb_event_plan *rule)
{
	struct bb_refusal refusal;
	struct bb_ruling *ruling;
	struct bb_event *ev;

	if (rule->ruling.kind.n > 0) {
		if (bb_fill_ruling(run, rule, &ruling, &refusal)) {
			bb_run_emit_ruling(run->extraction, run->arena, ruling);
			return;
		}
	} else if (bb_fill_event(run, rule, &ev, &refusal)) {
		bb_run_emit(run->extraction, run->arena, ev);
		return;
	}
	refuse_element(run, group, &refusal);
}

/*
 * Goes to the element that a rule is on: where that is a text of the current one it is opened, if
 * what the rule says of the elements around holds.
 */
static enum bb_parsed enter(struct bb_run *run, const struct bb_event_plan *rule,
			    struct bb_refusal *ret_refusal)
{
	enum bb_parsed parsed = BB_PARSED_NOTHING;
	struct bb_frame inner = {.doc = NULL};

	run->tenant_known = false;
	run->element_depth = run->depth + (rule->parse != NULL);
	if (rule->parse)
		run->frames[++run->depth] = inner;
	if (!bb_eval_holds(run, rule, false))
		return BB_PARSED_NOTHING;
	if (!rule->parse)
		return BB_PARSED;
	run->depth--;
	parsed = bb_parse_open(run, rule->parse, &inner, ret_refusal);
	if (parsed == BB_PARSED_NOTHING && run->trace)
		bb_trace_rule(run, rule, NULL, false);
	run->frames[++run->depth] = inner;
	return parsed;
}

static enum bb_parsed try_rule(struct bb_run *run, const struct bb_group *group,
			       const struct bb_event_plan *rule)
{
	unsigned depth = run->depth;
	struct bb_refusal refusal;
	enum bb_parsed parsed = enter(run, rule, &refusal);

	if (parsed == BB_PARSED && !bb_eval_holds(run, rule, true))
		parsed = BB_PARSED_NOTHING;
	if (parsed == BB_PARSED) {
		if (run->trace)
			bb_trace_rule(run, rule, NULL, true);
		apply(run, group, rule);
	} else if (parsed == BB_PARSED_REFUSED)
		refuse_element(run, group, &refusal);
	run->depth = depth;
	return parsed;
}

/* Whether no element may begin any more; the first that does not is refused, for all of them. */
static bool is_tired(struct bb_run *run, const struct bb_group *group)
{
	struct bb_refusal why = {
		.reason = BB_DEAD_TOO_LARGE,
		.detail = BB_TEXT("the elements before looked at more than 2,097,152 values; this "
				  "one and those after it are left out"),
		.byte_offset = -1};

	if (run->work <= BB_RUN_WORK_MAX)
		return false;
	if (!run->tired)
		refuse_element(run, group, &why);
	run->tired = true;
	return true;
}

/* The current element: the first rule that matches takes it. */
static void run_element(struct bb_run *run, const struct bb_group *group)
{
	enum bb_parsed parsed;
	bool taken = false;

	run->element_n++;
	if (is_tired(run, group))
		return;
	for (size_t i = 0; i < group->rule_n; i++) {
		parsed = try_rule(run, group, group->rules[i]);
		if (parsed == BB_PARSED_NOTHING)
			continue;
		taken = true;
		if (parsed == BB_PARSED_REFUSED || !group->rules[i]->goes_on)
			break;
	}
	if (!taken && !group->quiet)
		unmatched(run, &group->each);
}

/* The k-th element of a list, or member of a map, whose name it is then; one after the other. */
static const struct bb_json_node *item(struct bb_frame around, size_t k, void **iter,
				       struct bb_text *ret_name)
{
	const struct bb_json_node *node = NULL;

	*ret_name = (struct bb_text){NULL, 0};
	if (bb_json_kind(around.doc, around.node) == BB_JSON_LIST)
		return bb_json_item(around.doc, around.node, k);
	bb_json_next(around.doc, around.node, iter, ret_name, &node);
	return node;
}

/* Follows `each` from its step `i` at `node`; recursive at each [*] and .* only. */
static void walk(struct bb_run *run, const struct bb_group *group, struct bb_frame at, size_t i)
{
	const struct bb_path *each = &group->each;
	struct bb_frame around;
	void *iter = NULL;

	while (at.node && i < each->step_n && !bb_path_walks(&each->steps[i]))
		at.node = bb_path_step(at.doc, at.node, &each->steps[i++]);
	if (!at.node && each->step_n > 0)
		return;
	if (i == each->step_n) {
		run_element(run, group);
		return;
	}
	if (bb_json_kind(at.doc, at.node) !=
	    (each->steps[i].kind == BB_STEP_EACH ? BB_JSON_LIST : BB_JSON_MAP))
		return;
	around = at;
	run->depth++;
	run->index_n++;
	for (size_t k = 0; k < bb_json_size(around.doc, around.node); k++) {
		at.node = item(around, k, &iter, &run->members[run->index_n - 1]);
		run->indexes[run->index_n - 1] = k;
		run->frames[run->depth] = at;
		walk(run, group, at, i + 1);
	}
	run->index_n--;
	run->depth--;
}

/* The same where only a projection was kept: the elements that the group walks are in slots. */
static void walk_slots(struct bb_run *run, const struct bb_group *group, struct bb_frame at)
{
	const struct bb_slots *slots;

	if (run->index_n == group->each_n) {
		run_element(run, group);
		return;
	}
	slots = at.slots->at[group->lists[run->index_n]].p;
	run->depth++;
	run->index_n++;
	at.landings = group->shapes[run->index_n]->landings;
	for (size_t k = 0; slots; slots = slots->next, k++) {
		run->indexes[run->index_n - 1] = k;
		run->members[run->index_n - 1] = slots->member;
		at.slots = slots;
		run->frames[run->depth] = at;
		walk_slots(run, group, at);
	}
	run->index_n--;
	run->depth--;
}

static int compare_placed(const void *a, const void *b)
{
	const struct bb_placed *x = a, *y = b;
	int d = bb_text_compare(*x->id, *y->id);

	return d ? d : (x->order > y->order) - (x->order < y->order);
}

/*
 * Two rules may have made events of one position; an id names one event, so the later ones get the
 * name of their rule behind it.
 */
static void separate_ids(struct bb_run *run)
{
	struct bb_text same = {NULL, 0}, name;

	if (run->placed_n < 2)
		return;
	qsort(run->placed, run->placed_n, sizeof(*run->placed), compare_placed);
	for (size_t i = 0; i < run->placed_n; i++) {
		struct bb_placed *placed = &run->placed[i];

		if (!same.p || !bb_text_equal(same, *placed->id)) {
			same = *placed->id;
			continue;
		}
		name = placed->rule->name;
		if (!name.p)
			name = bb_arena_printf(run->arena, "%zu", placed->rule->row);
		*placed->id =
			bb_change_join((struct bb_text[]){same, BB_TEXT("/"), name}, 3, run->arena);
	}
}

static void run_groups(struct bb_run *run)
{
	struct bb_frame whole = run->frames[run->depth];

	for (size_t i = 0; i < run->connector->group_n; i++) {
		const struct bb_group *group = &run->connector->groups[i];
		size_t before = run->element_n;

		if (whole.slots)
			walk_slots(run, group, whole);
		else
			walk(run, group, whole, 0);
		for (size_t k = 0; run->trace && run->element_n == before && k < group->rule_n; k++)
			bb_trace_nowhere(run, group->rules[k]);
	}
	separate_ids(run);
	if (run->extraction->n == 0)
		unmatched(run, NULL);
}

/* What is left when the envelopes are open, whole. */
static enum bb_unwrapped read_payload(struct bb_run *run, struct bb_refusal *ret_refusal)
{
	struct bb_payload payload = {.bytes = run->msg->value};
	enum bb_unwrapped code = bb_unwrap(run, &payload, ret_refusal);

	if (code == BB_UNWRAPPED &&
	    !bb_unwrap_read(run, &payload, run->connector->format, ret_refusal))
		code = BB_UNWRAPPED_REFUSED;
	run->frames[run->depth] = payload.at;
	return code;
}

/* The message as the plan wants it: what its projection keeps, or the whole. */
static enum bb_unwrapped read_message(struct bb_run *run, struct bb_refusal *ret_refusal)
{
	const struct bb_shape *projection = run->connector->projection;
	struct bb_slots *slots;

	if (run->whole || !projection)
		return read_payload(run, ret_refusal);
	if (!bb_json_read_slots(run->msg->value, projection, run->arena, &run->doc.root, &slots,
				ret_refusal))
		return BB_UNWRAPPED_REFUSED;
	run->frames[0] = (struct bb_frame){
		.doc = &run->doc,
		.node = &run->doc.root,
		.slots = slots,
		.landings = projection->landings,
	};
	return BB_UNWRAPPED;
}

/* An envelope may have nothing in it: then rules see what is around. */
static bool is_element(const struct bb_run *run, struct bb_frame at)
{
	enum bb_json_kind kind = at.node ? bb_json_kind(at.doc, at.node) : BB_JSON_NULL;

	return kind == BB_JSON_MAP || (kind == BB_JSON_LIST && run->connector->takes_list) ||
	       (!at.node && run->depth > 0);
}

static void run_json(struct bb_run *run)
{
	static const struct bb_refusal not_an_object = {
		.reason = BB_DEAD_NOT_AN_OBJECT,
		.detail = BB_TEXT("the message is not a JSON object"),
		.byte_offset = -1,
	};
	struct bb_refusal refusal;
	enum bb_unwrapped code = read_message(run, &refusal);

	if (code == BB_UNWRAPPED_NOTHING)
		skip(run->extraction, run->arena, &refusal);
	else if (code == BB_UNWRAPPED_REFUSED)
		bb_run_refuse(run->extraction, run->arena, &refusal);
	else if (is_element(run, run->frames[run->depth]))
		run_groups(run);
	else
		bb_run_refuse(run->extraction, run->arena, &not_an_object);
}

static void run_record(struct bb_run *run)
{
	struct bb_refusal refusal;
	struct bb_record record;

	if (!bb_columns_read(run->connector, run->msg, run->arena, &record, &refusal)) {
		bb_run_refuse(run->extraction, run->arena, &refusal);
		return;
	}
	run->record = &record;
	for (size_t i = 0; i < run->connector->group_n; i++)
		run_element(run, &run->connector->groups[i]);
	separate_ids(run);
	run->record = NULL;
}

/* The first byte of what a schema registry's serialisers write; no text begins with it. */
static bool is_framed(struct bb_text value)
{
	return value.n > 5 && value.p[0] == '\0';
}

static void run_message(struct bb_run *run)
{
	static const struct bb_refusal framed = {
		.reason = BB_DEAD_UNSUPPORTED_FORMAT,
		.detail = BB_TEXT("begins with byte 0, as Avro, Protobuf and JSON Schema of a "
				  "schema registry do; of JSON Schema, `unwrap: confluent_json` "
				  "reads it, else send plain JSON"),
		.byte_offset = 0,
	};
	static const struct bb_refusal tombstone = {
		.reason = BB_DEAD_TOMBSTONE, .detail = BB_TEXT("no value"), .byte_offset = -1};
	const struct bb_message *msg = run->msg;

	*run->extraction = (struct bb_extraction){NULL, 0, 0};
	if (!msg->value.p)
		skip(run->extraction, run->arena, &tombstone);
	else if (is_framed(msg->value) && run->connector->unwrap.n == 0)
		bb_run_refuse(run->extraction, run->arena, &framed);
	else if (run->connector->format == BB_FORMAT_CANONICAL)
		bb_canonical_run(msg, run->arena, run->read, run->extraction);
	else if (bb_connector_has_records(run->connector))
		run_record(run);
	else
		run_json(run);
	bb_assert(run->extraction->n > 0);
}

static void begin(struct bb_run *run, const struct bb_connector *connector,
		  const struct bb_message *msg, struct bb_arena *arena,
		  struct bb_extraction *extraction)
{
	memset(run, 0, offsetof(struct bb_run, tenant));
	run->frames[0] = (struct bb_frame){.doc = NULL};
	run->connector = connector;
	run->msg = msg;
	run->arena = arena;
	run->read = bb_json_read_tree;
	run->extraction = extraction;
}

void bb_connector_run(const struct bb_connector *connector, const struct bb_message *msg,
		      struct bb_arena *arena, struct bb_extraction *ret_extraction)
{
	struct bb_run run;

	begin(&run, connector, msg, arena, ret_extraction);
	run_message(&run);
}

void bb_connector_trace(const struct bb_connector *connector, const struct bb_message *msg,
			struct bb_arena *arena, const struct bb_trace *trace,
			struct bb_extraction *ret_extraction)
{
	struct bb_run run;

	begin(&run, connector, msg, arena, ret_extraction);
	run.trace = trace;
	run_message(&run);
}

void bb_run_walked(const struct bb_connector *connector, const struct bb_message *msg,
		   struct bb_arena *arena, bb_run_read_fn *read,
		   struct bb_extraction *ret_extraction)
{
	struct bb_run run;

	begin(&run, connector, msg, arena, ret_extraction);
	run.read = read;
	run.whole = true;
	run_message(&run);
}
