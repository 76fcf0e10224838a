/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `format: canonical`: a message that is a canonical event, or a ruling, already. Every member is
 * read by one row of a table, which checks its JSON type; what values may be is the gate's to say.
 * Null members are absent ones; members that are not in the table are not looked at.
 *
 * A wrong type is a refusal that names the member by its path. Two members are read more widely
 * than the documentation says, because the reference that all replicas must agree with iterates
 * over whatever it is given: `unset` takes the names of an object and the characters of a text, and
 * an empty object or text is an empty list for `same` and `consent`.
 */
#include <backbone/clock.h>
#include <backbone/json.h>
#include <backbone/message.h>

#include "json_bytes.h"
#include "run.h"

struct reader {
	const struct bb_json *doc;
	struct bb_arena *arena;
	struct bb_event *ev;
	struct bb_refusal *refusal;
	bool from_log; /* the position of the log holds, not the message's */
};

struct row;

/* Reads the member of the row; false: refused. */
typedef bool read_fn(struct reader *r, const struct bb_json_node *node, const struct row *row);

struct row {
	const char *name;
	read_fn *read;
	size_t offset;	      /* in struct bb_event, of a text */
	bool presence_counts; /* whatever the value, null too */
};

static bool refuse(struct reader *r, struct bb_text at, const char *detail)
{
	*r->refusal = (struct bb_refusal){
		.reason = BB_DEAD_INVALID_EVENT,
		.at = at,
		.detail = bb_text_of(detail),
		.byte_offset = -1,
	};
	return false;
}

static bool refuse_member(struct reader *r, const char *at, const char *detail)
{
	return refuse(r, bb_text_of(at), detail);
}

static enum bb_json_kind kind_of(const struct reader *r, const struct bb_json_node *node)
{
	return node ? bb_json_kind(r->doc, node) : BB_JSON_NULL;
}

/* A text of the document, copied; false: there is none. */
static bool copy_text(struct reader *r, const struct bb_json_node *node, struct bb_text *ret_text)
{
	if (kind_of(r, node) != BB_JSON_TEXT)
		return false;
	*ret_text = bb_arena_copy(r->arena, bb_json_text(r->doc, node));
	return true;
}

static const struct bb_json_node *member(const struct reader *r, const struct bb_json_node *map,
					 const char *name)
{
	return bb_json_member(r->doc, map, bb_text_of(name));
}

/* The member `name` of the object at `at`, which must be a text. */
static bool need_text(struct reader *r, const struct bb_json_node *map, struct bb_text at,
		      const char *name, struct bb_text *ret_text)
{
	if (copy_text(r, member(r, map, name), ret_text))
		return true;
	return refuse(r, bb_arena_printf(r->arena, "%.*s.%s", (int)at.n, at.p, name),
		      "must be a text");
}

static void *slot(struct reader *r, const struct row *row)
{
	return (char *)r->ev + row->offset;
}

static bool read_text(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	return copy_text(r, node, slot(r, row)) || refuse_member(r, row->name, "must be a text");
}

static bool read_time(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	if (kind_of(r, node) != BB_JSON_TEXT ||
	    !bb_clock_parse_rfc3339(bb_json_text(r->doc, node), &r->ev->time_ms))
		return refuse_member(r, row->name,
				     "must be an RFC 3339 time with a zone, 1970 to 9999, "
				     "e.g. 2026-01-02T03:04:05Z");
	r->ev->has_time = true;
	return true;
}

static bool read_identifier(struct reader *r, const struct bb_json_node *node, struct bb_text at,
			    struct bb_identifier *id)
{
	if (kind_of(r, node) != BB_JSON_MAP)
		return refuse(r, at, "must be an object with ns and value");
	id->ns_index = BB_NS_UNKNOWN;
	return need_text(r, node, at, "ns", &id->ns) && need_text(r, node, at, "value", &id->value);
}

static struct bb_text item_path(struct reader *r, const char *at, size_t i)
{
	return bb_arena_printf(r->arena, "%s[%zu]", at, i);
}

static bool read_identifiers(struct reader *r, const struct bb_json_node *node,
			     const struct row *row)
{
	struct bb_event *ev = r->ev;
	size_t n = bb_json_size(r->doc, node);

	if (kind_of(r, node) != BB_JSON_LIST)
		return refuse_member(r, row->name, "must be a list");
	ev->identifiers = bb_arena_zalloc(r->arena, n * sizeof(*ev->identifiers));
	ev->identifier_room = n;
	for (size_t i = 0; i < n; i++)
		if (!read_identifier(r, bb_json_item(r->doc, node, i), item_path(r, row->name, i),
				     &ev->identifiers[ev->identifier_n++]))
			return false;
	return true;
}

/* Number of items of a list; an empty object or text is an empty list. */
static bool list_size(struct reader *r, const struct bb_json_node *node, const char *at,
		      size_t *ret_n)
{
	enum bb_json_kind kind = kind_of(r, node);

	*ret_n = kind == BB_JSON_TEXT ? bb_json_text(r->doc, node).n : bb_json_size(r->doc, node);
	if (kind == BB_JSON_LIST || ((kind == BB_JSON_MAP || kind == BB_JSON_TEXT) && *ret_n == 0))
		return true;
	return refuse_member(r, at, "must be a list");
}

static bool read_pair(struct reader *r, const struct bb_json_node *node, const char *at, size_t i,
		      struct bb_same *same)
{
	struct bb_text path;

	if (kind_of(r, node) != BB_JSON_LIST || bb_json_size(r->doc, node) != 2)
		return refuse(r, item_path(r, at, i), "must be a list of two identifiers");
	for (size_t k = 0; k < 2; k++) {
		path = bb_arena_printf(r->arena, "%s[%zu][%zu]", at, i, k);
		if (!read_identifier(r, bb_json_item(r->doc, node, k), path, &same->pair[k]))
			return false;
	}
	return true;
}

static bool read_same(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	struct bb_event *ev = r->ev;
	size_t n;

	if (!list_size(r, node, row->name, &n))
		return false;
	ev->same = bb_arena_zalloc(r->arena, n * sizeof(*ev->same));
	ev->same_room = n;
	for (size_t i = 0; i < n; i++)
		if (!read_pair(r, bb_json_item(r->doc, node, i), row->name, i,
			       &ev->same[ev->same_n++]))
			return false;
	return true;
}

/* A text, number or boolean. */
static bool read_single(struct reader *r, const struct bb_json_node *node, struct bb_value *value)
{
	switch (kind_of(r, node)) {
	case BB_JSON_TEXT:
		value->kind = BB_VALUE_TEXT;
		value->text = bb_arena_copy(r->arena, bb_json_text(r->doc, node));
		return true;
	case BB_JSON_NUMBER:
		value->kind = BB_VALUE_NUMBER;
		value->text = bb_json_text(r->doc, node);
		return true;
	case BB_JSON_TRUE:
	case BB_JSON_FALSE:
		value->kind = kind_of(r, node) == BB_JSON_TRUE ? BB_VALUE_TRUE : BB_VALUE_FALSE;
		return true;
	default:
		return false;
	}
}

bool bb_canonical_value(const struct bb_json *doc, const struct bb_json_node *node,
			struct bb_arena *arena, struct bb_value *ret_value)
{
	struct reader r = {.doc = doc, .arena = arena};
	struct bb_value *items;
	size_t n;

	*ret_value = (struct bb_value){.kind = BB_VALUE_LIST};
	if (kind_of(&r, node) != BB_JSON_LIST)
		return read_single(&r, node, ret_value);
	n = bb_json_size(doc, node);
	items = bb_arena_zalloc(arena, n * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		if (!read_single(&r, bb_json_item(doc, node, i), &items[i]))
			return false;
	ret_value->items = items;
	ret_value->item_n = n;
	return true;
}

/* Whether a value says something; null, "" and [] say "no change". */
static bool says_something(const struct reader *r, const struct bb_json_node *node)
{
	switch (kind_of(r, node)) {
	case BB_JSON_NULL:
		return false;
	case BB_JSON_TEXT:
		return bb_json_text(r->doc, node).n > 0;
	case BB_JSON_LIST:
		return bb_json_size(r->doc, node) > 0;
	default:
		return true;
	}
}

static bool read_attribute(struct reader *r, struct bb_text name, const struct bb_json_node *node,
			   const char *at, struct bb_attribute *attribute)
{
	struct bb_text path;

	if (name.n == 0 || name.n > BB_EVENT_TEXT_MAX)
		return refuse_member(r, at, "names are texts of 1 to 256 bytes");
	if (!bb_canonical_value(r->doc, node, r->arena, &attribute->value)) {
		path = bb_arena_printf(r->arena, "%s.%.*s", at, (int)name.n, name.p);
		return refuse(r, path,
			      "must be a text, a number, true, false, or a flat list of these");
	}
	attribute->name = bb_arena_copy(r->arena, name);
	attribute->at_ms = BB_AT_EVENT;
	return true;
}

static bool read_values(struct reader *r, const struct bb_json_node *node, const struct row *row,
			struct bb_attribute **ret_list, size_t *ret_n)
{
	const struct bb_json_node *value;
	struct bb_attribute *list;
	struct bb_text name;
	void *iter = NULL;
	size_t n = 0;

	if (kind_of(r, node) != BB_JSON_MAP)
		return refuse_member(r, row->name, "must be an object");
	list = bb_arena_alloc(r->arena, bb_json_size(r->doc, node) * sizeof(*list));
	while (bb_json_next(r->doc, node, &iter, &name, &value)) {
		if (kind_of(r, value) == BB_JSON_NULL && name.n > 0 && name.n <= BB_EVENT_TEXT_MAX)
			continue;
		if (!read_attribute(r, name, value, row->name, &list[n]))
			return false;
		n += says_something(r, value);
	}
	*ret_list = list;
	*ret_n = n;
	return true;
}

static bool read_attributes(struct reader *r, const struct bb_json_node *node,
			    const struct row *row)
{
	struct bb_event *ev = r->ev;

	if (!read_values(r, node, row, &ev->attributes, &ev->attribute_n))
		return false;
	ev->attribute_room = ev->attribute_n;
	return true;
}

static bool read_once(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	struct bb_event *ev = r->ev;

	if (!read_values(r, node, row, &ev->once, &ev->once_n))
		return false;
	ev->once_room = ev->once_n;
	return true;
}

static bool add_unset(struct reader *r, struct bb_text name)
{
	struct bb_event *ev = r->ev;

	if (name.n == 0 || name.n > BB_EVENT_TEXT_MAX)
		return refuse(r, item_path(r, "unset", ev->unset_n),
			      "must be a text of 1 to 256 bytes");
	BB_ARENA_PUSH(r->arena, ev->unset, ev->unset_n, ev->unset_room) =
		bb_arena_copy(r->arena, name);
	return true;
}

static bool read_unset_list(struct reader *r, const struct bb_json_node *node)
{
	const struct bb_json_node *item;

	for (size_t i = 0; i < bb_json_size(r->doc, node); i++) {
		item = bb_json_item(r->doc, node, i);
		if (kind_of(r, item) != BB_JSON_TEXT)
			return refuse(r, item_path(r, "unset", i), "must be a text");
		if (!add_unset(r, bb_json_text(r->doc, item)))
			return false;
	}
	return true;
}

static bool read_unset_names(struct reader *r, const struct bb_json_node *node)
{
	const struct bb_json_node *value;
	struct bb_text name;
	void *iter = NULL;

	while (bb_json_next(r->doc, node, &iter, &name, &value))
		if (!add_unset(r, name))
			return false;
	return true;
}

static bool read_unset_characters(struct reader *r, const struct bb_json_node *node)
{
	struct bb_text text = bb_json_text(r->doc, node);
	const char *p = text.p, *end = p + text.n;
	size_t n;

	for (; p < end; p += n) {
		n = bb_json_utf8((const unsigned char *)p, (const unsigned char *)end);
		if (!add_unset(r, bb_text_bytes(p, n)))
			return false;
	}
	return true;
}

static bool read_unset(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	switch (kind_of(r, node)) {
	case BB_JSON_LIST:
		return read_unset_list(r, node);
	case BB_JSON_MAP:
		return read_unset_names(r, node);
	case BB_JSON_TEXT:
	case BB_JSON_NUMBER:
		return read_unset_characters(r, node);
	default:
		return refuse_member(r, row->name, "must be a list of names");
	}
}

static bool read_amount(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	struct bb_amount *amount = &r->ev->amount;
	struct bb_text path = bb_text_of(row->name);

	if (kind_of(r, node) != BB_JSON_MAP)
		return refuse_member(r, row->name, "must be an object with value and currency");
	r->ev->has_amount = true;
	if (!need_text(r, node, path, "value", &amount->value) ||
	    !need_text(r, node, path, "currency", &amount->currency))
		return false;
	if (kind_of(r, member(r, node, "key")) != BB_JSON_NULL &&
	    !need_text(r, node, path, "key", &amount->key))
		return false;
	return kind_of(r, member(r, node, "part")) == BB_JSON_NULL ||
	       need_text(r, node, path, "part", &amount->part);
}

static bool read_consent_item(struct reader *r, const struct bb_json_node *node, struct bb_text at,
			      struct bb_consent *consent)
{
	if (kind_of(r, node) != BB_JSON_MAP)
		return refuse(r, at, "must be an object with purpose and status");
	if (!need_text(r, node, at, "purpose", &consent->purpose) ||
	    !need_text(r, node, at, "status", &consent->status))
		return false;
	return !member(r, node, "channel") || need_text(r, node, at, "channel", &consent->channel);
}

static bool read_consent(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	struct bb_event *ev = r->ev;
	size_t n;

	if (!list_size(r, node, row->name, &n))
		return false;
	ev->consent = bb_arena_zalloc(r->arena, n * sizeof(*ev->consent));
	ev->consent_room = n;
	for (size_t i = 0; i < n; i++)
		if (!read_consent_item(r, bb_json_item(r->doc, node, i), item_path(r, row->name, i),
				       &ev->consent[ev->consent_n++]))
			return false;
	return true;
}

static bool read_properties(struct reader *r, const struct bb_json_node *node,
			    const struct row *row)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	(void)row;
	if (kind_of(r, node) != BB_JSON_MAP)
		return true; /* not part of what an event must be */
	bb_json_write(r->doc, node, &buf);
	r->ev->properties = bb_arena_copy(r->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return true;
}

static bool read_time_source(struct reader *r, const struct bb_json_node *node,
			     const struct row *row)
{
	(void)row;
	r->ev->kafka_time = !r->from_log && kind_of(r, node) == BB_JSON_TEXT &&
			    bb_text_equal(bb_json_text(r->doc, node), BB_TEXT("kafka"));
	return true;
}

/* A whole number of a position, 0..INT64_MAX. */
static bool whole(const struct reader *r, const struct bb_json_node *node, int64_t *ret_value)
{
	struct bb_text text;
	int64_t value = 0;

	if (kind_of(r, node) != BB_JSON_NUMBER)
		return false;
	text = bb_json_text(r->doc, node);
	if (text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (text.p[i] - '0');
	}
	*ret_value = value;
	return true;
}

/* The place in the log that a file remembers; one that is not of the form is no position. */
static bool read_position(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	struct bb_position position = {{NULL, 0}, 0, 0};
	int64_t partition;

	(void)row;
	if (r->from_log || kind_of(r, node) != BB_JSON_MAP)
		return true;
	if (!whole(r, member(r, node, "partition"), &partition) || partition > INT32_MAX ||
	    !whole(r, member(r, node, "offset"), &position.offset) ||
	    !copy_text(r, member(r, node, "topic"), &position.topic))
		return true;
	position.partition = (int32_t)partition;
	r->ev->position = position;
	return true;
}

static bool read_erase(struct reader *r, const struct bb_json_node *node, const struct row *row)
{
	(void)node;
	return refuse_member(r, row->name,
			     "a person is erased by the admin interface, not by a line");
}

static const struct row rows[] = {
	{"source", read_text, offsetof(struct bb_event, source), false},
	{"channel", read_text, offsetof(struct bb_event, channel), false},
	{"type", read_text, offsetof(struct bb_event, type), false},
	{"id", read_text, offsetof(struct bb_event, id), false},
	{"time", read_time, 0, false},
	{"identifiers", read_identifiers, 0, false},
	{"attributes", read_attributes, 0, false},
	{"attributes_once", read_once, 0, false},
	{"unset", read_unset, 0, false},
	{"amount", read_amount, 0, false},
	{"consent", read_consent, 0, false},
	{"same", read_same, 0, false},
	{"properties", read_properties, 0, false},
	{"time_source", read_time_source, 0, false},
	{"position", read_position, 0, false},
	{"erase", read_erase, 0, true},
};

static const struct row *find_row(struct bb_text name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (bb_text_equal(name, bb_text_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

static bool read_members(struct reader *r, const struct bb_json_node *root)
{
	const struct bb_json_node *value;
	const struct row *row;
	struct bb_text name;
	void *iter = NULL;

	while (bb_json_next(r->doc, root, &iter, &name, &value)) {
		row = find_row(name);
		if (!row || (kind_of(r, value) == BB_JSON_NULL && !row->presence_counts))
			continue;
		if (!row->read(r, value, row))
			return false;
	}
	return true;
}

static bool read_event(struct reader *r, const struct bb_json_node *root)
{
	if (kind_of(r, root) != BB_JSON_MAP) {
		refuse(r, (struct bb_text){NULL, 0}, "a canonical event is a JSON object");
		r->refusal->reason = BB_DEAD_NOT_AN_OBJECT;
		return false;
	}
	if (!read_members(r, root))
		return false;
	bb_canonical_own_times(r->doc, r->ev, r->arena);
	if (!r->ev->source.p)
		return refuse_member(r, "source", "missing");
	if (!r->ev->type.p)
		return refuse_member(r, "type", "missing");
	return r->ev->id.p || refuse_member(r, "id", "missing");
}

/* One without a time has that of the log. */
static bool emit_ruling(struct reader *r, const struct bb_message *msg,
			const struct bb_json_node *root, struct bb_extraction *extraction)
{
	struct bb_ruling *ruling = bb_arena_zalloc(r->arena, sizeof(*ruling));

	if (!bb_ruling_read_node(r->doc, root, r->arena, ruling, r->refusal))
		return false;
	if (!ruling->id.p)
		return refuse_member(r, "id", "missing");
	if (ruling->time_ms == BB_NO_TIMESTAMP)
		ruling->time_ms = msg->timestamp_ms;
	if (ruling->time_ms == BB_NO_TIMESTAMP)
		return refuse_member(r, "time", "missing");
	bb_run_emit_ruling(extraction, r->arena, ruling);
	return true;
}

/* False: refused. */
static bool emit(struct reader *r, const struct bb_message *msg, struct bb_extraction *extraction)
{
	const struct bb_json_node *root = bb_json_root(r->doc);

	if (kind_of(r, root) == BB_JSON_MAP && member(r, root, "ruling"))
		return emit_ruling(r, msg, root, extraction);
	if (!read_event(r, root))
		return false;
	bb_run_emit(extraction, r->arena, r->ev);
	return true;
}

void bb_canonical_run(const struct bb_message *msg, struct bb_arena *arena, bb_run_read_fn *read,
		      struct bb_extraction *extraction)
{
	struct bb_refusal refusal;
	struct bb_json doc = {.root = {.type = 0}};
	struct reader r = {.doc = &doc,
			   .arena = arena,
			   .ev = bb_run_event(msg, arena),
			   .refusal = &refusal,
			   .from_log = msg->from_log};

	if (!read(msg->value, arena, &doc.root, &refusal) || !emit(&r, msg, extraction))
		bb_run_refuse(extraction, arena, &refusal);
}
