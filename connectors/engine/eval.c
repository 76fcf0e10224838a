/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources on the current element: a path walks the document, metadata comes from the message, a
 * template joins its parts, and of a list the first usable one wins. Usable is what is present, not
 * null, not blank, and not an empty list.
 *
 * Nothing fails: what leads nowhere is not usable. Bytes of headers and keys that are not UTF-8 are
 * not usable either.
 */
#include <backbone/assert.h>

#include "decimal.h"
#include "path.h"
#include "run.h"

#include <strings.h>

#define NUMBER_BYTES 24	 /* a number of 64 bits, its sign, and what stands before it */
#define ID_DIGITS_MAX 40 /* of a number with an exponent that is written out */

/* With an exponent, or of 16 digits: a double may not have held it. */
static bool may_be_rounded(struct bb_text number)
{
	bool suspect = number.n >= 16;

	for (size_t i = 0; i < number.n && !suspect; i++)
		suspect = (number.p[i] | 0x20) == 'e';
	return suspect && bb_decimal_may_be_rounded(number);
}

/* Member by member, here and below: a value is made for every field of every event. */
static inline void set_node(const struct bb_json *doc, const struct bb_json_node *node,
			    struct bb_found_value *ret)
{
	static const struct bb_text words[BB_FOUND_MAP + 1] = {
		[BB_FOUND_FALSE] = {"false", 5}, [BB_FOUND_TRUE] = {"true", 4}};

	_Static_assert((int)BB_FOUND_MAP == BB_JSON_MAP && (int)BB_FOUND_TEXT == BB_JSON_TEXT &&
			       (int)BB_FOUND_TRUE == BB_JSON_TRUE,
		       "the kinds of values are those of nodes");
	ret->kind = node ? node->type - 1 : BB_FOUND_NOTHING;
	ret->doc = doc;
	ret->node = node;
	ret->at = NULL;
	ret->rounded = ret->log_time = ret->position = false;
	if (ret->kind == BB_FOUND_TEXT || ret->kind == BB_FOUND_NUMBER) {
		ret->text.p = node->p;
		ret->text.n = node->n;
		if (ret->kind == BB_FOUND_NUMBER)
			ret->rounded = may_be_rounded(ret->text);
	} else {
		ret->text.p = words[ret->kind].p;
		ret->text.n = words[ret->kind].n;
	}
}

void bb_eval_node(const struct bb_json *doc, const struct bb_json_node *node,
		  struct bb_found_value *ret)
{
	set_node(doc, node, ret);
}

/* A text of its own; p NULL: nothing. */
static inline void set_text(struct bb_found_value *ret, struct bb_text text)
{
	set_node(NULL, NULL, ret);
	ret->kind = text.p ? BB_FOUND_TEXT : BB_FOUND_NOTHING;
	ret->text = text;
}

static void field(const struct bb_run *run, const struct bb_path *path, struct bb_found_value *ret)
{
	struct bb_text text = bb_columns_find(run->record, path);

	if (text.n == 0 || bb_text_equal(text, BB_TEXT("NULL")))
		text.p = NULL;
	set_text(ret, text);
}

/* What the slot of the path holds, *done steps on it; NULL: nothing. */
static inline const struct bb_json_node *landed(const struct bb_frame *at,
						const struct bb_path *path, size_t *done)
{
	const struct bb_landing *landing = &at->landings[path->id];
	const struct bb_json_node *node;

	bb_assert(path->id > 0 && landing->slot >= 0);
	node = &at->slots->at[landing->slot];
	*done = landing->done;
	return node->type ? node : NULL;
}

static inline void follow(const struct bb_run *run, const struct bb_path *path,
			  struct bb_found_value *ret)
{
	const struct bb_json_node *node;
	const struct bb_frame *at;
	size_t i = 0;

	if (run->record && path->up == run->depth) {
		field(run, path, ret);
		return;
	}
	if (path->up > run->depth) { /* the tenant, in a rule with fewer [*] */
		set_node(NULL, NULL, ret);
		return;
	}
	at = &run->frames[run->depth - path->up];
	node = at->slots ? landed(at, path, &i) : at->node;
	for (; i < path->step_n && node; i++)
		node = bb_path_step(at->doc, node, &path->steps[i]);
	set_node(at->doc, node, ret);
}

/* Bytes from outside the value: text only if they are UTF-8. */
static struct bb_text outside(struct bb_text bytes)
{
	if (bytes.p && !bb_text_is_utf8(bytes))
		bytes.p = NULL;
	return bytes;
}

static struct bb_text header(const struct bb_message *msg, struct bb_text name)
{
	for (size_t i = 0; i < msg->header_n; i++)
		if (msg->headers[i].name.n == name.n &&
		    (memcmp(msg->headers[i].name.p, name.p, name.n) == 0 ||
		     strncasecmp(msg->headers[i].name.p, name.p, name.n) == 0))
			return outside(msg->headers[i].value);
	return (struct bb_text){NULL, 0};
}

/* The digits of a number; returns what follows. */
static char *write_number(char *out, int64_t value)
{
	char digits[NUMBER_BYTES], *d = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	size_t n;

	do {
		*--d = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--d = '-';
	n = (size_t)(digits + sizeof(digits) - d);
	memcpy(out, d, n);
	return out + n;
}

static char *write_element(const struct bb_run *run, char *out)
{
	for (unsigned i = 0; i < run->index_n; i++) {
		if (i > 0)
			*out++ = '.';
		out = write_number(out, (int64_t)run->indexes[i]);
	}
	return out;
}

struct bb_text bb_eval_element(struct bb_run *run)
{
	char *start = bb_arena_alloc(run->arena, NUMBER_BYTES * (run->index_n + 1));

	return bb_text_bytes(start, (size_t)(write_element(run, start) - start));
}

/* The name that the element, or the nearest around it, has in an object; p NULL: none. */
static struct bb_text member(const struct bb_run *run)
{
	for (unsigned i = run->index_n; i > 0; i--)
		if (run->members[i - 1].p)
			return run->members[i - 1];
	return (struct bb_text){NULL, 0};
}

static struct bb_text position(struct bb_run *run)
{
	const struct bb_message *msg = run->msg;
	char *start, *out;

	out = start = bb_arena_alloc(run->arena, msg->topic.n + NUMBER_BYTES * (run->index_n + 3));
	if (msg->topic.n > 0)
		memcpy(out, msg->topic.p, msg->topic.n);
	out += msg->topic.n;
	*out++ = '/';
	out = write_number(out, msg->partition);
	*out++ = '/';
	out = write_number(out, msg->offset);
	if (run->index_n > 0)
		*out++ = '/';
	out = write_element(run, out);
	return bb_text_bytes(start, (size_t)(out - start));
}

static struct bb_text number_text(struct bb_run *run, int64_t value)
{
	char *start = bb_arena_alloc(run->arena, NUMBER_BYTES);

	return bb_text_bytes(start, (size_t)(write_number(start, value) - start));
}

static struct bb_text timestamp(struct bb_run *run)
{
	if (run->msg->timestamp_ms == BB_NO_TIMESTAMP)
		return (struct bb_text){NULL, 0};
	return number_text(run, run->msg->timestamp_ms);
}

static void metadata(struct bb_run *run, const struct bb_expr *expr, struct bb_found_value *ret)
{
	const struct bb_message *msg = run->msg;
	struct bb_text text = {NULL, 0};

	switch (expr->meta) {
	case BB_META_KEY:
		text = outside(msg->key);
		break;
	case BB_META_HEADER:
		text = header(msg, expr->text);
		break;
	case BB_META_TOPIC:
		text = msg->topic;
		break;
	case BB_META_PARTITION:
		text = number_text(run, msg->partition);
		break;
	case BB_META_OFFSET:
		text = number_text(run, msg->offset);
		break;
	case BB_META_TIMESTAMP:
		text = timestamp(run);
		break;
	case BB_META_POSITION:
		text = position(run);
		break;
	case BB_META_TENANT:
		bb_eval_tenant(run);
		*ret = run->tenant;
		return;
	case BB_META_ELEMENT:
		text = bb_eval_element(run);
		break;
	case BB_META_MEMBER:
		text = member(run);
		break;
	}
	set_text(ret, text);
	ret->log_time = expr->meta == BB_META_TIMESTAMP;
	ret->position = expr->meta == BB_META_POSITION;
}

static inline bool is_usable(const struct bb_found_value *value, bool texts_only)
{
	if (value->kind == BB_FOUND_TEXT) /* as nearly all are */
		return !bb_eval_is_blank(value->text);
	switch (value->kind) {
	case BB_FOUND_NOTHING:
		return false;
	case BB_FOUND_LIST:
		return !texts_only && bb_json_size(value->doc, value->node) > 0;
	case BB_FOUND_MAP:
		return !texts_only;
	default:
		return true;
	}
}

bool bb_eval_is_usable(const struct bb_found_value *value, bool texts_only)
{
	return is_usable(value, texts_only);
}

/* All parts, or nothing. */
static struct bb_found_value join(struct bb_run *run, const struct bb_exprs *parts)
{
	struct bb_found_value whole = {.kind = BB_FOUND_TEXT, .text = {"", 0}}, part;
	struct bb_text *texts = bb_arena_alloc(run->arena, parts->n * sizeof(*texts));

	for (size_t i = 0; i < parts->n; i++) {
		if (parts->items[i].kind == BB_EXPR_CONST)
			set_text(&part, parts->items[i].text);
		else if (!bb_eval_source(run, &parts->items[i], true, &part))
			return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
		whole.rounded |= part.rounded;
		whole.position |= part.position;
		texts[i] = part.text;
	}
	whole.text = bb_change_join(texts, parts->n, run->arena);
	run->work += whole.text.n / BB_RUN_WORK_COPY;
	return whole;
}

static struct bb_found_value changed(struct bb_run *run, const struct bb_expr *expr,
				     bool texts_only)
{
	bool any = bb_change_any(&expr->change);
	struct bb_found_value value;
	struct bb_text text;

	if (!bb_eval_first(run, &expr->list, texts_only || any, &value))
		return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
	if (!any)
		return value;
	text = bb_change_apply(&expr->change, value.text, run->arena);
	run->work += value.text.n / BB_RUN_WORK_COPY;
	value.kind = BB_FOUND_TEXT;
	value.text = text;
	return value;
}

/* Apart from the two that nearly all are, which need no room for more. */
static void __attribute__((noinline)) find_other(struct bb_run *run, const struct bb_expr *expr,
						 bool texts_only, struct bb_found_value *ret)
{
	switch (expr->kind) {
	case BB_EXPR_CONST:
	case BB_EXPR_PATH:
		break;
	case BB_EXPR_META:
		metadata(run, expr, ret);
		break;
	case BB_EXPR_TEMPLATE:
		*ret = join(run, &expr->list);
		break;
	case BB_EXPR_FROM:
		*ret = changed(run, expr, texts_only);
		break;
	case BB_EXPR_PICK:
		*ret = bb_seek_pick(run, expr->seek, texts_only);
		break;
	case BB_EXPR_PARSE:
		bb_parse_source(run, expr, texts_only, ret);
		break;
	case BB_EXPR_LOOKUP:
		*ret = bb_seek_lookup(run, expr->seek, texts_only);
		break;
	case BB_EXPR_SUM:
		*ret = bb_seek_sum(run, expr->seek);
		break;
	}
}

static inline bool find(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
			struct bb_found_value *ret)
{
	bool usable;

	if (expr->kind == BB_EXPR_PATH)
		follow(run, &expr->path, ret);
	else if (expr->kind == BB_EXPR_CONST)
		set_text(ret, expr->text);
	else
		find_other(run, expr, texts_only, ret);
	ret->at = expr->at;
	usable = is_usable(ret, texts_only);
	if (run->trace)
		bb_trace_source(run, expr, ret, usable);
	return usable;
}

bool bb_eval_source(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
		    struct bb_found_value *ret)
{
	return find(run, expr, texts_only, ret);
}

bool bb_eval_first(struct bb_run *run, const struct bb_exprs *list, bool texts_only,
		   struct bb_found_value *ret)
{
	for (size_t i = 0; i < list->n; i++)
		if (find(run, &list->items[i], texts_only, ret)) {
			if (run->trace)
				bb_trace_not_asked(run, list, i + 1);
			return true;
		}
	set_node(NULL, NULL, ret);
	return false;
}

const struct bb_found_value *bb_eval_tenant(struct bb_run *run)
{
	unsigned depth = run->depth;

	if (!run->tenant_known) {
		run->tenant_known = true;
		run->depth = run->element_depth;
		bb_eval_first(run, &run->connector->tenant, true, &run->tenant);
		run->depth = depth;
	}
	return run->tenant.kind != BB_FOUND_NOTHING ? &run->tenant : NULL;
}

struct bb_text bb_eval_write_out(struct bb_run *run, struct bb_text number)
{
	struct bb_decimal d;

	if ((memchr(number.p, 'e', number.n) || memchr(number.p, 'E', number.n)) &&
	    bb_decimal_read(number, &d))
		bb_decimal_write(&d, ID_DIGITS_MAX, 0, run->arena, &number);
	return number;
}

static bool condition_holds(struct bb_run *run, const struct bb_condition *condition,
			    struct bb_found_value *subject)
{
	struct bb_found_value word;
	bool usable = find(run, &condition->subject, false, subject);

	if (condition->kind != BB_CONDITION_EQUALS)
		return usable == (condition->kind == BB_CONDITION_EXISTS);
	for (size_t i = 0; bb_eval_is_single(subject) && i < condition->words.n; i++)
		if (find(run, &condition->words.items[i], true, &word) &&
		    bb_text_equal(subject->text, word.text))
			return true;
	return false;
}

/* The first of the conditions that is as it must not be; NULL: none. */
static const struct bb_condition *first_that(struct bb_run *run, const struct bb_conditions *list,
					     bool inside, bool holds,
					     struct bb_found_value *ret_found)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].inside == inside &&
		    condition_holds(run, &list->items[i], ret_found) == holds)
			return &list->items[i];
	return NULL;
}

bool bb_eval_holds(struct bb_run *run, const struct bb_event_plan *rule, bool inside)
{
	const struct bb_trace *trace = run->trace;
	struct bb_kept_away why;

	run->trace = NULL; /* sources of conditions are not told one by one */
	why.unless = false;
	why.condition = first_that(run, &rule->when, inside, false, &why.found);
	if (!why.condition) {
		why.unless = true;
		why.condition = first_that(run, &rule->unless, inside, true, &why.found);
	}
	run->trace = trace;
	if (why.condition && trace)
		bb_trace_rule(run, rule, &why, false);
	return !why.condition;
}
