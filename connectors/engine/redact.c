/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be kept of a message: headers and the key less those that `redact` names, and the
 * document written again without the members that it names. An element of a list that is named
 * becomes null, so that the others keep their places; a column of a line becomes empty. Paths lead
 * on into texts that hold JSON, and, where the connector reads such, a query; and through the
 * unions of Avro in changes of Debezium.
 *
 * Bytes that cannot be read might hide what must go, so nothing of them is kept; nor of a text that
 * a path leads into, if it seems to hold something and cannot be read.
 */
#include <backbone/json.h>
#include <backbone/record.h>

#include <strings.h>

#include "base64.h"
#include "query.h"
#include "unwrap.h"

/* A path, as far as it has been followed. */
struct trail {
	const struct bb_path *path;
	size_t done; /* steps */
};

struct trails {
	const struct trail *items;
	size_t n;
};

struct writer {
	const struct bb_connector *connector;
	const struct bb_json *doc;
	struct bb_arena *arena;
	struct bb_buf buf;
};

static void write_node(struct writer *w, const struct bb_json_node *node, struct trails trails);

static bool leads_to_member(const struct bb_step *step, struct bb_text key)
{
	if (step->kind != BB_STEP_NAME)
		return step->kind == BB_STEP_MEMBERS;
	return step->any_case
		       ? step->name.n == key.n && strncasecmp(step->name.p, key.p, key.n) == 0
		       : bb_text_equal(step->name, key);
}

static bool leads_to_item(const struct bb_step *step, size_t i, size_t n)
{
	if (step->kind == BB_STEP_EACH)
		return true;
	return step->kind == BB_STEP_INDEX &&
	       (step->index >= 0 ? (uint64_t)step->index == i
				 : (uint64_t)-step->index == (uint64_t)(n - i));
}

static bool unwraps(const struct bb_connector *connector, enum bb_unwrap kind)
{
	for (size_t i = 0; i < connector->unwrap.n; i++)
		if (connector->unwrap.items[i] == kind)
			return true;
	return false;
}

/*
 * The trails that lead on through a member (key.p set) or an item (i of n). *ret_end: one of them
 * ends here.
 */
static struct trails go_on(struct writer *w, struct trails trails, struct bb_text key, size_t i,
			   size_t n, bool *ret_end)
{
	struct trail *next = NULL;
	size_t next_n = 0, room = 0;

	*ret_end = false;
	for (size_t k = 0; k < trails.n; k++) {
		const struct trail *trail = &trails.items[k];
		const struct bb_step *step = &trail->path->steps[trail->done];
		bool leads = key.p ? leads_to_member(step, key) : leads_to_item(step, i, n);

		if (!leads)
			continue;
		if (trail->done + 1 == trail->path->step_n)
			*ret_end = true;
		else
			BB_ARENA_PUSH(w->arena, next, next_n, room) =
				(struct trail){trail->path, trail->done + 1};
	}
	return (struct trails){next, next_n};
}

static bool is_among(struct trails trails, const struct trail *trail)
{
	for (size_t i = 0; i < trails.n; i++)
		if (trails.items[i].path == trail->path && trails.items[i].done == trail->done)
			return true;
	return false;
}

/*
 * Those that lead through a member, and those that pass its name by; each once, or maps in maps
 * would double them.
 */
static struct trails with(struct writer *w, struct trails a, struct trails b)
{
	struct trails both = {a.items, a.n};
	struct trail *items = bb_arena_alloc(w->arena, (a.n + b.n) * sizeof(*items));

	if (a.n > 0)
		memcpy(items, a.items, a.n * sizeof(*items));
	both.items = items;
	for (size_t i = 0; i < b.n; i++)
		if (!is_among(both, &b.items[i]))
			items[both.n++] = b.items[i];
	return both;
}

static bool are_each(struct trails trails)
{
	for (size_t k = 0; k < trails.n; k++)
		if (trails.items[k].path->steps[trails.items[k].done].kind == BB_STEP_INDEX)
			return false;
	return true;
}

static void write_list(struct writer *w, const struct bb_json_node *list, struct trails trails)
{
	const struct bb_text no_key = {NULL, 0};
	size_t n = bb_json_size(w->doc, list);
	const bool same = are_each(trails); /* then all items are led to alike */
	struct trails next;
	bool end;

	bb_buf_byte(&w->buf, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bb_buf_byte(&w->buf, ',');
		if (i == 0 || !same)
			next = go_on(w, trails, no_key, i, n, &end);
		if (end)
			bb_buf_text(&w->buf, BB_TEXT("null"));
		else
			write_node(w, bb_json_item(w->doc, list, i), next);
	}
	bb_buf_byte(&w->buf, ']');
}

static void write_map(struct writer *w, const struct bb_json_node *map, struct trails trails)
{
	const struct bb_json_node *value;
	bool is_union = bb_json_size(w->doc, map) == 1 && unwraps(w->connector, BB_UNWRAP_DEBEZIUM);
	bool first = true, end;
	struct trails next;
	struct bb_text key;
	void *iter = NULL;

	bb_buf_byte(&w->buf, '{');
	while (bb_json_next(w->doc, map, &iter, &key, &value)) {
		next = go_on(w, trails, key, 0, 0, &end);
		if (end)
			continue;
		if (is_union)
			next = with(w, next, trails);
		if (!first)
			bb_buf_byte(&w->buf, ',');
		first = false;
		bb_buf_json(&w->buf, key);
		bb_buf_byte(&w->buf, ':');
		write_node(w, value, next);
	}
	bb_buf_byte(&w->buf, '}');
}

/* The document with its JSON in `text`, redacted. False: it cannot be read. */
static bool write_document(const struct writer *outer, struct bb_text text, struct trails trails,
			   struct bb_buf *buf)
{
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(text, &refusal);
	struct writer w = {outer->connector, doc, outer->arena, *buf};

	if (!doc)
		return false;
	write_node(&w, bb_json_root(doc), trails);
	*buf = w.buf;
	bb_json_free(doc);
	return true;
}

/* Pieces of a query, as they are written, without those that a trail leads to or into. */
static bool write_query(struct writer *w, struct bb_text text, struct trails trails,
			struct bb_buf *buf)
{
	struct bb_text query = bb_query_of(text), rest = query, piece, name, value;
	struct bb_refusal refusal;
	bool end, first = true;

	bb_buf_add(buf, text.p, (size_t)(query.p - text.p));
	while (rest.n > 0) {
		piece = bb_query_next(&rest);
		bb_query_split(piece, &name, &value);
		if (bb_query_decode(name, w->arena, &name, &refusal))
			return false;
		if (go_on(w, trails, name, 0, 0, &end).n > 0 || end)
			continue;
		if (!first)
			bb_buf_byte(buf, '&');
		first = false;
		bb_buf_text(buf, piece);
	}
	bb_buf_add(buf, query.p + query.n, (size_t)(text.p + text.n - query.p - query.n));
	return true;
}

static bool seems_json(struct bb_text text)
{
	size_t i = text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

	while (i < text.n && (unsigned char)text.p[i] <= ' ')
		i++;
	return i < text.n && (text.p[i] == '{' || text.p[i] == '[');
}

static bool reads_base64(const struct bb_connector *connector)
{
	return unwraps(connector, BB_UNWRAP_RELAY) || unwraps(connector, BB_UNWRAP_CLOUDEVENTS);
}

/* A text that a trail leads into; base64 may hold what must go, and is not looked into. */
static void write_text(struct writer *w, struct bb_text text, struct trails trails)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text bytes;
	bool ok = true;

	bb_buf_reserve(&buf, 1);
	if (seems_json(text))
		ok = write_document(w, text, trails, &buf);
	else if (reads_base64(w->connector) && bb_base64_decode(text, w->arena, &bytes))
		ok = false;
	else if (w->connector->reads_query || w->connector->format == BB_FORMAT_QUERY)
		ok = write_query(w, text, trails, &buf);
	else
		bb_buf_text(&buf, text);
	if (ok)
		bb_buf_json(&w->buf, bb_buf_slice(&buf));
	else
		bb_buf_text(&w->buf, BB_TEXT("null"));
	bb_buf_fini(&buf);
}

static void write_node(struct writer *w, const struct bb_json_node *node, struct trails trails)
{
	enum bb_json_kind kind = bb_json_kind(w->doc, node);

	if (trails.n > 0 && kind == BB_JSON_LIST)
		write_list(w, node, trails);
	else if (trails.n > 0 && kind == BB_JSON_MAP)
		write_map(w, node, trails);
	else if (trails.n > 0 && kind == BB_JSON_TEXT)
		write_text(w, bb_json_text(w->doc, node), trails);
	else
		bb_json_write(w->doc, node, &w->buf);
}

static struct bb_text redact_json(const struct bb_connector *connector, struct bb_text value,
				  struct bb_arena *arena)
{
	struct trail *trails = bb_arena_alloc(arena, connector->redact_n * sizeof(*trails));
	struct writer w = {.connector = connector, .arena = arena};
	const struct trails all = {trails, connector->redact_n};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text result = {NULL, 0};
	size_t frame =
		unwraps(connector, BB_UNWRAP_CONFLUENT_JSON) ? bb_unwrap_frame_bytes(value) : 0;

	for (size_t i = 0; i < connector->redact_n; i++)
		trails[i] = (struct trail){&connector->redact[i], 0};
	bb_buf_reserve(&buf, 1); /* p is not NULL then */
	if (frame > 0)
		bb_buf_add(&buf, value.p, frame);
	value = bb_text_bytes(value.p + frame, value.n - frame);
	if (connector->format == BB_FORMAT_QUERY && !seems_json(value)
		    ? write_query(&w, value, all, &buf)
		    : write_document(&w, value, all, &buf))
		result = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return result;
}

static bool is_gone(const struct bb_connector *connector, const struct bb_record *record, size_t i)
{
	bool gone = false;

	for (size_t k = 0; k < connector->redact_n; k++) {
		const struct bb_path *path = &connector->redact[k];

		gone |= record->names.n > 0
				? bb_text_equal(record->names.items[i], path->steps[0].name)
				: path->column == i;
	}
	return gone;
}

static struct bb_text redact_record(const struct bb_connector *connector,
				    const struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_record record;
	struct bb_text result;

	if (!bb_columns_read(connector, msg, arena, &record, &refusal))
		return (struct bb_text){NULL, 0};
	for (size_t i = 0; i < record.fields.n; i++)
		if (is_gone(connector, &record, i))
			record.fields.items[i].n = 0;
	bb_buf_reserve(&buf, 1); /* p is not NULL then */
	bb_columns_write(connector, &record, &buf);
	result = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return result;
}

static bool is_redacted(const struct bb_names *names, struct bb_text name)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->items[i].n == name.n &&
		    strncasecmp(names->items[i].p, name.p, name.n) == 0)
			return true;
	return false;
}

/* The names stay: that a header was there is worth knowing. */
static const struct bb_header *redact_headers(const struct bb_connector *connector,
					      const struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_header *headers = bb_arena_alloc(arena, msg->header_n * sizeof(*headers));

	for (size_t i = 0; i < msg->header_n; i++) {
		headers[i] = msg->headers[i];
		if (is_redacted(&connector->redact_headers, headers[i].name))
			headers[i].value = (struct bb_text){NULL, 0};
	}
	return headers;
}

struct bb_message bb_connector_redact(const struct bb_connector *connector,
				      const struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_message kept = *msg;

	if (connector->redacts_key)
		kept.key = (struct bb_text){NULL, 0};
	if (connector->redact_headers.n > 0 && msg->header_n > 0)
		kept.headers = redact_headers(connector, msg, arena);
	if (connector->redact_n > 0 && msg->value.p)
		kept.value = bb_connector_has_records(connector)
				     ? redact_record(connector, msg, arena)
				     : redact_json(connector, msg->value, arena);
	return kept;
}
