/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fields sample messages have: every place with a plain value, with some of its values. Lists
 * count as one place for all their elements. A message that is no JSON is counted and left out.
 */
#include "suggest.h"

#define FIELDS_MAX 5000 /* names that are values make no end of them */
#define SLOTS 16384	/* so that most are free */
#define DEPTH_MAX 64

struct walk {
	struct bb_fields *fields;
	const struct bb_json *doc;
	struct bb_text steps[DEPTH_MAX + 1];
	size_t depth;
};

static uint32_t hash_of(bool is_header, const struct bb_text *steps, size_t n)
{
	uint32_t hash = 2166136261u + is_header; /* FNV-1a */

	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ (steps[i].p ? '/' : '*')) * 16777619u;
		for (size_t k = 0; k < steps[i].n; k++)
			hash = (hash ^ (unsigned char)steps[i].p[k]) * 16777619u;
	}
	return hash;
}

static bool is_at(const struct bb_field *field, bool is_header, const struct bb_text *steps,
		  size_t n)
{
	size_t k = 0;

	if (field->is_header != is_header || field->step_n != n)
		return false;
	while (k < n && !field->steps[k].p == !steps[k].p &&
	       bb_text_equal(field->steps[k], steps[k]))
		k++;
	return k == n;
}

/* The slot of a field: its own, or a free one. Real samples of many messages are looked up by the
 * million. */
static uint16_t *slot_of(struct bb_fields *fields, bool is_header, const struct bb_text *steps,
			 size_t n)
{
	size_t i = hash_of(is_header, steps, n) % SLOTS;

	if (!fields->slots)
		fields->slots = bb_arena_zalloc(fields->arena, SLOTS * sizeof(*fields->slots));
	while (fields->slots[i] &&
	       !is_at(&fields->items[fields->slots[i] - 1], is_header, steps, n))
		i = (i + 1) % SLOTS;
	return &fields->slots[i];
}

/* The field, made if it is not there yet; NULL: there are enough. */
static struct bb_field *find(struct bb_fields *fields, bool is_header, const struct bb_text *steps,
			     size_t n)
{
	uint16_t *slot = slot_of(fields, is_header, steps, n);
	struct bb_arena *arena = fields->arena;
	struct bb_field field = {.is_header = is_header, .step_n = n};

	if (*slot)
		return &fields->items[*slot - 1];
	if (fields->n == FIELDS_MAX)
		return NULL;
	field.steps = bb_arena_alloc(arena, n * sizeof(*field.steps));
	for (size_t i = 0; i < n; i++) {
		field.steps[i] = steps[i].p ? bb_arena_copy(arena, steps[i]) : steps[i];
		if (steps[i].p) {
			field.leaf = field.words.n;
			bb_words_add(&field.words, steps[i], arena);
		}
	}
	BB_ARENA_PUSH(arena, fields->items, fields->n, fields->room) = field;
	*slot = (uint16_t)fields->n;
	return &fields->items[fields->n - 1];
}

static void keep(struct bb_fields *fields, struct bb_field *field, struct bb_text value)
{
	for (size_t i = 0; i < field->sample_n; i++) {
		if (!bb_text_equal(field->samples[i], value))
			continue;
		field->repeats = true;
		return;
	}
	if (field->sample_n < BB_SUGGEST_SAMPLES)
		field->samples[field->sample_n++] = bb_arena_copy(fields->arena, value);
}

static bool is_blank(struct bb_text text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] > ' ')
			return false;
	return true;
}

static void add_value(struct walk *w, const struct bb_json_node *node, enum bb_json_kind kind)
{
	struct bb_fields *fields = w->fields;
	struct bb_text text = kind == BB_JSON_TRUE    ? BB_TEXT("true")
			      : kind == BB_JSON_FALSE ? BB_TEXT("false")
						      : bb_json_text(w->doc, node);
	struct bb_field *field;

	if (is_blank(text) || w->depth == 0)
		return;
	field = find(fields, false, w->steps, w->depth);
	if (!field)
		return;
	field->seen++;
	field->texts += kind == BB_JSON_TEXT;
	field->numbers += kind == BB_JSON_NUMBER;
	field->flags += kind == BB_JSON_TRUE || kind == BB_JSON_FALSE;
	keep(fields, field, text);
}

/* As deep as the document is: at most 64. */
static void visit(struct walk *w, const struct bb_json_node *node)
{
	enum bb_json_kind kind = bb_json_kind(w->doc, node);
	const struct bb_json_node *child;
	void *iter = NULL;

	if (w->depth == DEPTH_MAX || kind == BB_JSON_NULL)
		return;
	if (kind == BB_JSON_MAP) {
		while (bb_json_next(w->doc, node, &iter, &w->steps[w->depth], &child)) {
			w->depth++;
			visit(w, child);
			w->depth--;
		}
	} else if (kind == BB_JSON_LIST) {
		for (size_t i = 0; i < bb_json_size(w->doc, node); i++) {
			w->steps[w->depth++] = (struct bb_text){NULL, 0};
			visit(w, bb_json_item(w->doc, node, i));
			w->depth--;
		}
	} else {
		add_value(w, node, kind);
	}
}

static void add_header(struct bb_fields *fields, const struct bb_header *header)
{
	struct bb_field *field;

	if (!header->value.p || is_blank(header->value) || !bb_text_is_utf8(header->value))
		return;
	field = find(fields, true, &header->name, 1);
	if (!field)
		return;
	field->seen++;
	field->texts++;
	keep(fields, field, header->value);
}

void bb_fields_add(struct bb_fields *fields, const struct bb_message *msg)
{
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(msg->value, &refusal);
	struct walk w = {.fields = fields, .doc = doc};

	fields->messages++;
	if (!doc) {
		fields->unreadable++;
		return;
	}
	if (!fields->topic.p && msg->topic.p)
		fields->topic = bb_arena_copy(fields->arena, msg->topic);
	for (size_t i = 0; i < msg->header_n; i++)
		add_header(fields, &msg->headers[i]);
	visit(&w, bb_json_root(doc));
	bb_json_free(doc);
}
