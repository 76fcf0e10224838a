/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Change events of Debezium. What rules see is the row: `after`, of a delete `before`; the event
 * around it, with op, ts_ms and source, is ^, whichever form it came in:
 *
 *	{"schema": ..., "payload": EVENT}	the converter writes the schema with it
 *	{"before": ..., "after": ..., "op": "u", "source": {...}, "ts_ms": ...}
 *	{"id": 7, ..., "__op": "u", "__deleted": "false"}	flattened: made of __names
 *	{"before": ..., "after": ...} in a CloudEvent: made of its iodebezium...
 *
 * Unions as Avro writes them in JSON ({"string": "x"}) are opened everywhere. A payload that is a
 * text, as that of an outbox, is opened too. A change of MongoDB may say what is new in it and
 * nothing else: there is no row then, only the change. A truncated table and a message of the log
 * have no row either, and give nothing. What is none of these is refused.
 */
#include <stdio.h>

#include "unwrap.h"

static struct bb_frame frame_of(const struct bb_json *doc)
{
	return (struct bb_frame){.doc = doc, .node = doc ? bb_json_root(doc) : NULL};
}

static bool is_map(struct bb_frame at)
{
	return at.node && bb_json_kind(at.doc, at.node) == BB_JSON_MAP;
}

static bool begins_with(struct bb_text text, const char *head)
{
	return text.n >= strlen(head) && memcmp(text.p, head, strlen(head)) == 0;
}

/* --- unions of Avro --------------------------------------------------------------------------- */

static bool is_union(const struct bb_json *doc, const struct bb_json_node *node,
		     const struct bb_json_node **ret_inner)
{
	static const struct {
		const char *name;
		enum bb_json_kind kind;
	} types[] = {
		{"string", BB_JSON_TEXT}, {"bytes", BB_JSON_TEXT},    {"int", BB_JSON_NUMBER},
		{"long", BB_JSON_NUMBER}, {"float", BB_JSON_NUMBER},  {"double", BB_JSON_NUMBER},
		{"array", BB_JSON_LIST},  {"boolean", BB_JSON_FALSE}, {"boolean", BB_JSON_TRUE},
		{"map", BB_JSON_MAP},
	};
	enum bb_json_kind kind;
	struct bb_text name;
	void *iter = NULL;

	if (bb_json_kind(doc, node) != BB_JSON_MAP || bb_json_size(doc, node) != 1)
		return false;
	bb_json_next(doc, node, &iter, &name, ret_inner);
	kind = bb_json_kind(doc, *ret_inner);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (kind == types[i].kind && bb_text_equal(name, bb_text_of(types[i].name)))
			return true;
	/* a record: shop.public.customers.Value */
	return kind == BB_JSON_MAP &&
	       (memchr(name.p, '.', name.n) || bb_text_equal(name, BB_TEXT("Value")));
}

static bool has_union(const struct bb_json *doc, const struct bb_json_node *node)
{
	enum bb_json_kind kind = bb_json_kind(doc, node);
	const struct bb_json_node *inner;
	struct bb_text name;
	void *iter = NULL;

	if (is_union(doc, node, &inner))
		return true;
	while (kind == BB_JSON_MAP && bb_json_next(doc, node, &iter, &name, &inner))
		if (has_union(doc, inner))
			return true;
	for (size_t i = 0; kind == BB_JSON_LIST && i < bb_json_size(doc, node); i++)
		if (has_union(doc, bb_json_item(doc, node, i)))
			return true;
	return false;
}

static void write_opened(const struct bb_json *doc, const struct bb_json_node *node,
			 struct bb_buf *buf)
{
	enum bb_json_kind kind;
	const struct bb_json_node *inner;
	struct bb_text name;
	char before = '{';
	void *iter = NULL;

	while (is_union(doc, node, &inner))
		node = inner;
	kind = bb_json_kind(doc, node);
	if ((kind != BB_JSON_MAP && kind != BB_JSON_LIST) || bb_json_size(doc, node) == 0) {
		bb_json_write(doc, node, buf);
		return;
	}
	while (kind == BB_JSON_MAP && bb_json_next(doc, node, &iter, &name, &inner)) {
		bb_buf_byte(buf, before);
		bb_buf_json(buf, name);
		bb_buf_byte(buf, ':');
		write_opened(doc, inner, buf);
		before = ',';
	}
	for (size_t i = 0; kind == BB_JSON_LIST && i < bb_json_size(doc, node); i++) {
		bb_buf_byte(buf, i == 0 ? '[' : ',');
		write_opened(doc, bb_json_item(doc, node, i), buf);
	}
	bb_buf_byte(buf, kind == BB_JSON_MAP ? '}' : ']');
}

/* --- events that are made --------------------------------------------------------------------- */

/* What names an event's members elsewhere: __op, iodebeziumop; those of `source` have no more. */
static const struct naming {
	const char *head, *source, *names[2]; /* of op, ts_ms */
} flat = {"__", "source_", {"op", "ts_ms"}}, cloud = {"iodebezium", "", {"op", "tsms"}};

static void write_member(struct bb_text name, const struct bb_json *doc,
			 const struct bb_json_node *node, struct bb_buf *buf)
{
	if (buf->p[buf->n - 1] != '{')
		bb_buf_byte(buf, ',');
	bb_buf_json(buf, name);
	bb_buf_byte(buf, ':');
	bb_json_write(doc, node, buf);
}

/* Members of `source`: all others with the head; __table and __source_table are one. */
static void write_source(struct bb_frame from, const struct naming *naming, struct bb_buf *buf)
{
	size_t head = strlen(naming->head), more = strlen(naming->source);
	const struct bb_json_node *node;
	struct bb_text key, name;
	void *iter = NULL;

	while (bb_json_next(from.doc, from.node, &iter, &key, &node)) {
		if (!begins_with(key, naming->head))
			continue;
		name = bb_text_bytes(key.p + head, key.n - head);
		if (bb_text_equal(name, bb_text_of(naming->names[0])) ||
		    bb_text_equal(name, bb_text_of(naming->names[1])) ||
		    bb_text_equal(name, BB_TEXT("deleted")))
			continue;
		if (more > 0 && begins_with(name, naming->source)) {
			struct bb_buf plain = BB_BUF_EMPTY;

			name = bb_text_bytes(name.p + more, name.n - more);
			bb_buf_printf(&plain, "%s%.*s", naming->head, (int)name.n, name.p);
			node = bb_json_member(from.doc, from.node, bb_buf_slice(&plain)) ? NULL
											 : node;
			bb_buf_fini(&plain);
		}
		if (node)
			write_member(name, from.doc, node, buf);
	}
}

/* {"op":..., "ts_ms":..., "before":..., "after":..., "source":{...}} */
static struct bb_frame make_event(struct bb_run *run, struct bb_frame from,
				  const struct naming *naming, struct bb_frame rows)
{
	static const char *const names[] = {"op", "ts_ms"}, *const sides[] = {"before", "after"};
	struct bb_text deleted = bb_unwrap_member_text(from, "__deleted");
	const struct bb_json_node *node;
	struct bb_buf buf = BB_BUF_EMPTY;
	bool has_op = false;
	char name[32];

	bb_buf_byte(&buf, '{');
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s%s", naming->head, naming->names[i]);
		node = bb_unwrap_member(from, name);
		has_op |= i == 0 && node;
		if (node)
			write_member(bb_text_of(names[i]), from.doc, node, &buf);
	}
	if (!has_op && deleted.p && bb_text_equal(deleted, BB_TEXT("true")))
		bb_buf_printf(&buf, "%s\"op\":\"d\"", buf.n > 1 ? "," : "");
	for (size_t i = 0; i < 2; i++) {
		node = bb_unwrap_member(rows, sides[i]);
		if (node)
			write_member(bb_text_of(sides[i]), rows.doc, node, &buf);
	}
	bb_buf_printf(&buf, "%s\"source\":{", buf.n > 1 ? "," : "");
	write_source(from, naming, &buf);
	bb_buf_text(&buf, BB_TEXT("}}"));
	return frame_of(bb_unwrap_made(run, &buf));
}

/* --- forms ------------------------------------------------------------------------------------ */

static bool is_flattened(struct bb_frame row)
{
	const struct bb_json_node *node;
	struct bb_text name;
	void *iter = NULL;

	while (bb_json_next(row.doc, row.node, &iter, &name, &node))
		if (begins_with(name, "__"))
			return true;
	return false;
}

static enum bb_unwrapped refuse_row(struct bb_refusal *ret_refusal)
{
	return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$.after",
				"the change has no row: `after`, or `before` of a delete, is an "
				"object");
}

/* A change may do without a row: a delete, and one of MongoDB that says what is new. */
static bool needs_row(struct bb_frame event, struct bb_text op)
{
	if (op.n == 1 && *op.p == 'd')
		return false;
	return op.n == 0 ||
	       (!bb_unwrap_member(event, "patch") && !bb_unwrap_member(event, "updateDescription"));
}

/* An event with `before` and `after`. */
static enum bb_unwrapped open_event(struct bb_run *run, struct bb_payload *payload,
				    struct bb_refusal *ret_refusal)
{
	struct bb_frame event = payload->at, row = {.doc = event.doc};
	struct bb_frame around =
		run->depth > 0 ? run->frames[run->depth - 1] : (struct bb_frame){.doc = NULL};
	struct bb_text op;
	bool deleted;

	if (!bb_unwrap_member(event, "op") && around.node &&
	    bb_unwrap_member(around, "iodebeziumop"))
		event = make_event(run, around, &cloud, event);
	if (!event.node)
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$",
					"larger than 256 KiB when it is opened");
	op = bb_unwrap_member_text(event, "op");
	if (op.n == 1 && (*op.p == 't' || *op.p == 'm'))
		return bb_unwrap_nothing(ret_refusal, "a change without a row");
	row = (struct bb_frame){.doc = event.doc, .node = bb_unwrap_member(event, "after")};
	deleted = op.n == 1 ? *op.p == 'd' : !row.node;
	if (deleted)
		row.node = bb_unwrap_member(event, "before");
	bb_unwrap_push(run, event);
	payload->at = row;
	if (row.node && bb_json_kind(row.doc, row.node) == BB_JSON_TEXT) { /* of MongoDB */
		bb_unwrap_text(run, payload, bb_json_text(row.doc, row.node),
			       deleted ? "$.before" : "$.after");
		if (!bb_unwrap_read(run, payload, BB_FORMAT_JSON, ret_refusal))
			return BB_UNWRAPPED_REFUSED;
		row = payload->at;
	}
	return is_map(row) || (!row.node && !needs_row(event, op)) ? BB_UNWRAPPED
								   : refuse_row(ret_refusal);
}

/* What is in {"schema":..., "payload":...}, and in a text. NULL in *at: nothing. */
static bool open_wrapper(struct bb_run *run, struct bb_payload *payload, bool *ret_wrapped,
			 struct bb_refusal *ret_refusal)
{
	struct bb_frame *at = &payload->at;

	*ret_wrapped = is_map(*at) && bb_json_size(at->doc, at->node) == 2 &&
		       bb_json_member(at->doc, at->node, BB_TEXT("schema")) &&
		       bb_json_member(at->doc, at->node, BB_TEXT("payload"));
	if (*ret_wrapped)
		at->node = bb_unwrap_member(*at, "payload");
	if (!at->node || bb_json_kind(at->doc, at->node) != BB_JSON_TEXT)
		return true;
	bb_unwrap_text(run, payload, bb_json_text(at->doc, at->node),
		       *ret_wrapped ? "$.payload" : "$");
	*ret_wrapped = true; /* a row of an outbox is a row, whatever its names */
	return bb_unwrap_read(run, payload, BB_FORMAT_JSON, ret_refusal);
}

enum bb_unwrapped bb_unwrap_debezium(struct bb_run *run, struct bb_payload *payload,
				     struct bb_refusal *ret_refusal)
{
	struct bb_frame *at = &payload->at;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_frame event;
	bool wrapped;

	if (!bb_unwrap_read(run, payload, BB_FORMAT_JSON, ret_refusal))
		return BB_UNWRAPPED_REFUSED;
	if (!open_wrapper(run, payload, &wrapped, ret_refusal))
		return BB_UNWRAPPED_REFUSED;
	if (wrapped && !at->node)
		return bb_unwrap_nothing(ret_refusal, "the payload is null");
	if (at->node && has_union(at->doc, at->node)) {
		write_opened(at->doc, at->node, &buf);
		*at = frame_of(bb_unwrap_made(run, &buf));
	}
	if (!is_map(*at))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE,
					wrapped ? "$.payload" : "$", "no change of Debezium");
	if (bb_json_member(at->doc, at->node, BB_TEXT("after")) ||
	    bb_json_member(at->doc, at->node, BB_TEXT("before")) ||
	    (bb_unwrap_member(*at, "op") && bb_unwrap_member(*at, "source")))
		return open_event(run, payload, ret_refusal);
	if (!wrapped && !is_flattened(*at))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$",
					"no change of Debezium: neither `before` and `after`, nor "
					"a row with __op or __deleted");
	event = make_event(run, *at, &flat, (struct bb_frame){.doc = NULL});
	if (!event.node)
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$",
					"larger than 256 KiB when it is opened");
	bb_unwrap_push(run, event);
	return BB_UNWRAPPED;
}
