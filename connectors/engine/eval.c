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

#include <inttypes.h>
#include <strings.h>

#define ID_DIGITS_MAX 40 /* of a number with an exponent that is written out */

bool bb_eval_is_blank(struct bb_text text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] > ' ')
			return false;
	return true;
}

struct bb_found_value bb_eval_node(const struct bb_json *doc, const struct bb_json_node *node)
{
	static const struct bb_text no = {"false", 5}, yes = {"true", 4};
	struct bb_found_value value = {.kind = BB_FOUND_NOTHING, .doc = doc, .node = node};

	switch (node ? bb_json_kind(doc, node) : BB_JSON_NULL) {
	case BB_JSON_NULL:
		break;
	case BB_JSON_FALSE:
	case BB_JSON_TRUE:
		value.kind =
			bb_json_kind(doc, node) == BB_JSON_TRUE ? BB_FOUND_TRUE : BB_FOUND_FALSE;
		value.text = value.kind == BB_FOUND_TRUE ? yes : no;
		break;
	case BB_JSON_NUMBER:
		value.kind = BB_FOUND_NUMBER;
		value.text = bb_json_text(doc, node);
		value.rounded = value.text.n >= 16 || memchr(value.text.p, 'e', value.text.n) ||
				memchr(value.text.p, 'E', value.text.n);
		value.rounded = value.rounded && bb_decimal_may_be_rounded(value.text);
		break;
	case BB_JSON_TEXT:
		value.kind = BB_FOUND_TEXT;
		value.text = bb_json_text(doc, node);
		break;
	case BB_JSON_LIST:
		value.kind = BB_FOUND_LIST;
		break;
	case BB_JSON_MAP:
		value.kind = BB_FOUND_MAP;
		break;
	}
	return value;
}

static struct bb_found_value text_value(struct bb_text text)
{
	return (struct bb_found_value){.kind = text.p ? BB_FOUND_TEXT : BB_FOUND_NOTHING,
				       .text = text};
}

static struct bb_found_value field(const struct bb_run *run, size_t column)
{
	struct bb_text text = run->fields[column];

	if (text.n == 0 || bb_text_equal(text, BB_TEXT("NULL")))
		return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
	return text_value(text);
}

/* What the slot of the path holds, *done steps on it; NULL: nothing. */
static const struct bb_json_node *landed(const struct bb_frame *at, const struct bb_path *path,
					 size_t *done)
{
	const struct bb_landing *landing = &at->shape->landings[path->id];
	const struct bb_json_node *node;

	bb_assert(path->id > 0 && landing->slot >= 0);
	node = &at->slots->at[landing->slot];
	*done = landing->done;
	return node->type ? node : NULL;
}

static struct bb_found_value follow(const struct bb_run *run, const struct bb_path *path)
{
	struct bb_frame at;
	size_t i = 0;

	if (path->up > run->depth) /* the tenant, in a rule with fewer [*] */
		return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
	at = run->frames[run->depth - path->up];
	if (run->fields && path->up == run->depth)
		return field(run, path->column);
	if (at.slots)
		at.node = landed(&at, path, &i);
	for (; i < path->step_n && at.node; i++)
		at.node = bb_path_step(at.doc, at.node, &path->steps[i]);
	return bb_eval_node(at.doc, at.node);
}

/* Bytes from outside the value: text only if they are UTF-8. */
static struct bb_found_value outside(struct bb_text bytes)
{
	if (bytes.p && !bb_text_is_utf8(bytes))
		bytes.p = NULL;
	return text_value(bytes);
}

static struct bb_found_value header(const struct bb_message *msg, struct bb_text name)
{
	for (size_t i = 0; i < msg->header_n; i++)
		if (msg->headers[i].name.n == name.n &&
		    strncasecmp(msg->headers[i].name.p, name.p, name.n) == 0)
			return outside(msg->headers[i].value);
	return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
}

struct bb_text bb_eval_element(struct bb_run *run)
{
	struct bb_text text = {"", 0};

	for (unsigned i = 0; i < run->index_n; i++)
		text = i == 0 ? bb_arena_printf(run->arena, "%zu", run->indexes[0])
			      : bb_arena_printf(run->arena, "%.*s.%zu", (int)text.n, text.p,
						run->indexes[i]);
	return text;
}

static struct bb_text position(struct bb_run *run)
{
	const struct bb_message *msg = run->msg;
	struct bb_text element = bb_eval_element(run);

	return bb_arena_printf(run->arena, "%.*s/%" PRId32 "/%" PRId64 "%s%.*s", (int)msg->topic.n,
			       msg->topic.p, msg->partition, msg->offset, element.n ? "/" : "",
			       (int)element.n, element.p);
}

static struct bb_found_value timestamp(struct bb_run *run)
{
	struct bb_found_value value = {.kind = BB_FOUND_NOTHING};

	if (run->msg->timestamp_ms != BB_NO_TIMESTAMP)
		value = text_value(bb_arena_printf(run->arena, "%" PRId64, run->msg->timestamp_ms));
	value.log_time = true;
	return value;
}

static struct bb_found_value metadata(struct bb_run *run, const struct bb_expr *expr)
{
	const struct bb_message *msg = run->msg;
	struct bb_found_value value = {.kind = BB_FOUND_NOTHING};

	switch (expr->meta) {
	case BB_META_KEY:
		return outside(msg->key);
	case BB_META_HEADER:
		return header(msg, expr->text);
	case BB_META_TOPIC:
		return text_value(msg->topic);
	case BB_META_PARTITION:
		return text_value(bb_arena_printf(run->arena, "%" PRId32, msg->partition));
	case BB_META_OFFSET:
		return text_value(bb_arena_printf(run->arena, "%" PRId64, msg->offset));
	case BB_META_TIMESTAMP:
		return timestamp(run);
	case BB_META_POSITION:
		value = text_value(position(run));
		value.position = true;
		return value;
	case BB_META_TENANT:
		bb_eval_tenant(run, &value);
		return value;
	case BB_META_ELEMENT:
		return text_value(bb_eval_element(run));
	}
	return value;
}

bool bb_eval_is_usable(const struct bb_found_value *value, bool texts_only)
{
	switch (value->kind) {
	case BB_FOUND_NOTHING:
		return false;
	case BB_FOUND_TEXT:
		return !bb_eval_is_blank(value->text);
	case BB_FOUND_LIST:
		return !texts_only && bb_json_size(value->doc, value->node) > 0;
	case BB_FOUND_MAP:
		return !texts_only;
	default:
		return true;
	}
}

/* All parts, or nothing. */
static struct bb_found_value join(struct bb_run *run, const struct bb_exprs *parts)
{
	struct bb_found_value whole = {.kind = BB_FOUND_TEXT, .text = {"", 0}}, part;
	struct bb_text *texts = bb_arena_alloc(run->arena, parts->n * sizeof(*texts));

	for (size_t i = 0; i < parts->n; i++) {
		if (parts->items[i].kind == BB_EXPR_CONST)
			part = text_value(parts->items[i].text);
		else if (!bb_eval_source(run, &parts->items[i], true, &part))
			return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
		whole.rounded |= part.rounded;
		whole.position |= part.position;
		texts[i] = part.text;
	}
	whole.text = bb_change_join(texts, parts->n, run->arena);
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
	value.kind = BB_FOUND_TEXT;
	value.text = text;
	return value;
}

bool bb_eval_source(struct bb_run *run, const struct bb_expr *expr, bool texts_only,
		    struct bb_found_value *ret)
{
	switch (expr->kind) {
	case BB_EXPR_CONST:
		*ret = text_value(expr->text);
		break;
	case BB_EXPR_PATH:
		*ret = follow(run, &expr->path);
		break;
	case BB_EXPR_META:
		*ret = metadata(run, expr);
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
		return bb_parse_source(run, expr, texts_only, ret);
	case BB_EXPR_LOOKUP:
		*ret = bb_seek_lookup(run, expr->seek, texts_only);
		break;
	case BB_EXPR_SUM:
		*ret = bb_seek_sum(run, expr->seek);
		break;
	}
	ret->at = expr->at;
	return bb_eval_is_usable(ret, texts_only);
}

bool bb_eval_first(struct bb_run *run, const struct bb_exprs *list, bool texts_only,
		   struct bb_found_value *ret)
{
	for (size_t i = 0; i < list->n; i++)
		if (bb_eval_source(run, &list->items[i], texts_only, ret))
			return true;
	*ret = (struct bb_found_value){.kind = BB_FOUND_NOTHING};
	return false;
}

bool bb_eval_tenant(struct bb_run *run, struct bb_found_value *ret)
{
	unsigned depth = run->depth;

	if (!run->tenant_known) {
		run->tenant_known = true;
		run->depth = run->element_depth;
		bb_eval_first(run, &run->connector->tenant, true, &run->tenant);
		run->depth = depth;
	}
	*ret = run->tenant;
	return run->tenant.kind != BB_FOUND_NOTHING;
}

struct bb_text bb_eval_keep(struct bb_run *run, const struct bb_found_value *value)
{
	(void)run;
	return value->text;
}

struct bb_text bb_eval_keep_id(struct bb_run *run, const struct bb_found_value *value)
{
	struct bb_text text = bb_eval_keep(run, value);
	struct bb_decimal d;

	if (value->kind == BB_FOUND_NUMBER &&
	    (memchr(text.p, 'e', text.n) || memchr(text.p, 'E', text.n)) &&
	    bb_decimal_read(text, &d))
		bb_decimal_write(&d, ID_DIGITS_MAX, 0, run->arena, &text);
	return text;
}

bool bb_eval_is_single(const struct bb_found_value *value)
{
	return value->kind != BB_FOUND_NOTHING && value->kind != BB_FOUND_LIST &&
	       value->kind != BB_FOUND_MAP;
}

static bool condition_holds(struct bb_run *run, const struct bb_condition *condition)
{
	struct bb_found_value subject, word;
	bool usable = bb_eval_source(run, &condition->subject, false, &subject);

	if (condition->kind != BB_CONDITION_EQUALS)
		return usable == (condition->kind == BB_CONDITION_EXISTS);
	for (size_t i = 0; bb_eval_is_single(&subject) && i < condition->words.n; i++)
		if (bb_eval_source(run, &condition->words.items[i], true, &word) &&
		    bb_text_equal(subject.text, word.text))
			return true;
	return false;
}

bool bb_eval_holds(struct bb_run *run, const struct bb_event_plan *rule, bool inside)
{
	for (size_t i = 0; i < rule->when.n; i++)
		if (rule->when.items[i].inside == inside &&
		    !condition_holds(run, &rule->when.items[i]))
			return false;
	for (size_t i = 0; i < rule->unless.n; i++)
		if (rule->unless.items[i].inside == inside &&
		    condition_holds(run, &rule->unless.items[i]))
			return false;
	return true;
}
