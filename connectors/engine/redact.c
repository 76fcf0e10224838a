/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be kept of a message: the document written again without the members that `redact`
 * names. An element of a list that is named becomes null, so that the others keep their places; a
 * column of a line becomes empty.
 *
 * Bytes that cannot be read might hide what must go, so nothing of them is kept.
 */
#include <backbone/json.h>

#include "path.h"
#include "run.h"

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
	const struct bb_json *doc;
	struct bb_arena *arena;
	struct bb_buf buf;
};

static void write_node(struct writer *w, const struct bb_json_node *node, struct trails trails);

static bool leads_to_item(const struct bb_step *step, size_t i, size_t n)
{
	if (step->kind == BB_STEP_EACH)
		return true;
	return step->kind == BB_STEP_INDEX &&
	       (step->index >= 0 ? (uint64_t)step->index == i
				 : (uint64_t)-step->index == (uint64_t)(n - i));
}

/*
 * The trails that lead on through a member (key.p set) or an item (i of n). *ret_end: one of them
 * ends here.
 */
static struct trails go_on(struct writer *w, struct trails trails, struct bb_text key, size_t i,
			   size_t n, bool *ret_end)
{
	struct trail *next = bb_arena_alloc(w->arena, trails.n * sizeof(*next));
	size_t next_n = 0;

	*ret_end = false;
	for (size_t k = 0; k < trails.n; k++) {
		const struct trail *trail = &trails.items[k];
		const struct bb_step *step = &trail->path->steps[trail->done];
		bool leads = key.p ? step->kind == BB_STEP_NAME && bb_text_equal(step->name, key)
				   : leads_to_item(step, i, n);

		if (!leads)
			continue;
		if (trail->done + 1 == trail->path->step_n)
			*ret_end = true;
		else
			next[next_n++] = (struct trail){trail->path, trail->done + 1};
	}
	return (struct trails){next, next_n};
}

static void write_list(struct writer *w, const struct bb_json_node *list, struct trails trails)
{
	const struct bb_text no_key = {NULL, 0};
	size_t n = bb_json_size(w->doc, list);
	struct trails next;
	bool end;

	bb_buf_byte(&w->buf, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bb_buf_byte(&w->buf, ',');
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
	bool first = true, end;
	struct trails next;
	struct bb_text key;
	void *iter = NULL;

	bb_buf_byte(&w->buf, '{');
	while (bb_json_next(w->doc, map, &iter, &key, &value)) {
		next = go_on(w, trails, key, 0, 0, &end);
		if (end)
			continue;
		if (!first)
			bb_buf_byte(&w->buf, ',');
		first = false;
		bb_buf_json(&w->buf, key);
		bb_buf_byte(&w->buf, ':');
		write_node(w, value, next);
	}
	bb_buf_byte(&w->buf, '}');
}

static void write_node(struct writer *w, const struct bb_json_node *node, struct trails trails)
{
	enum bb_json_kind kind = bb_json_kind(w->doc, node);

	if (trails.n == 0 || (kind != BB_JSON_MAP && kind != BB_JSON_LIST))
		bb_json_write(w->doc, node, &w->buf);
	else if (kind == BB_JSON_LIST)
		write_list(w, node, trails);
	else
		write_map(w, node, trails);
}

static struct bb_text redact_json(const struct bb_connector *connector, struct bb_text value,
				  struct bb_arena *arena)
{
	struct trail *trails = bb_arena_alloc(arena, connector->redact_n * sizeof(*trails));
	struct bb_refusal refusal;
	struct writer w = {bb_json_read(value, &refusal), arena, BB_BUF_EMPTY};
	struct bb_text result;

	if (!w.doc)
		return (struct bb_text){NULL, 0};
	for (size_t i = 0; i < connector->redact_n; i++)
		trails[i] = (struct trail){&connector->redact[i], 0};
	write_node(&w, bb_json_root(w.doc), (struct trails){trails, connector->redact_n});
	result = bb_arena_copy(arena, bb_buf_slice(&w.buf));
	bb_buf_fini(&w.buf);
	bb_json_free((struct bb_json *)w.doc);
	return result;
}

static struct bb_text redact_tsv(const struct bb_connector *connector, struct bb_text value,
				 struct bb_arena *arena)
{
	struct bb_refusal refusal;
	const struct bb_text *fields = bb_tsv_split(connector, value, arena, &refusal);
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text result;

	if (!fields)
		return (struct bb_text){NULL, 0};
	for (size_t i = 0; i < connector->columns.n; i++) {
		bool gone = false;

		for (size_t k = 0; k < connector->redact_n; k++)
			gone |= connector->redact[k].column == i;
		if (i > 0)
			bb_buf_byte(&buf, '\t');
		if (!gone)
			bb_buf_text(&buf, fields[i]);
	}
	bb_buf_reserve(&buf, 1); /* p is not NULL then */
	result = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return result;
}

struct bb_text bb_connector_redact(const struct bb_connector *connector, struct bb_text value,
				   struct bb_arena *arena)
{
	if (connector->redact_n == 0 || !value.p)
		return value;
	return connector->format == BB_FORMAT_TSV ? redact_tsv(connector, value, arena)
						  : redact_json(connector, value, arena);
}
