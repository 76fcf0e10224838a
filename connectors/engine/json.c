/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adapter around jansson: the strict pass (json_scan.c) checks everything and replaces numbers
 * by indexes; jansson makes the tree of what is left; an integer of the tree leads back to the
 * number's own text. Members keep their order.
 *
 * After the strict pass only a duplicate key can be refused here. jansson says where in the copy;
 * the offset in the document is counted back from it.
 */
#include <backbone/json.h>

#include <backbone/assert.h>

#include <jansson.h>

#include "json_scan.h"

struct bb_json {
	struct bb_arena arena; /* where this structure lies too */
	struct bb_text *numbers;
	json_t *root;
};

static const json_t *tree(const struct bb_json_node *node)
{
	return (const json_t *)(const void *)node;
}

static const struct bb_json_node *node_of(const json_t *value)
{
	return (const struct bb_json_node *)(const void *)value;
}

/* The opening quote of the key that ends before `after` in the copy. */
static size_t key_start(const struct bb_buf *copy, size_t after)
{
	size_t i = after < copy->n ? after : copy->n, slashes;

	while (i > 0 && copy->p[i - 1] != '"') /* jansson may have read on */
		i--;
	for (i = i ? i - 1 : 0; i > 0; i--) {
		if (copy->p[i - 1] != '"')
			continue;
		for (slashes = 0; slashes + 1 < i && copy->p[i - 2 - slashes] == '\\';)
			slashes++;
		if (slashes % 2 == 0)
			return i - 1;
	}
	return 0;
}

static void refuse_duplicate(const struct bb_json_scan *scan, const json_error_t *error,
			     struct bb_refusal *ret_refusal)
{
	bb_assert(json_error_code(error) == json_error_duplicate_key);
	*ret_refusal = (struct bb_refusal){
		.reason = BB_DEAD_DUPLICATE_KEY,
		.detail = BB_TEXT("the same member twice in one object"),
		.byte_offset = (int64_t)bb_json_scan_origin(
			scan, key_start(&scan->copy, (size_t)error->position)),
	};
}

/* The tree of the copy, or NULL. */
static json_t *read_tree(struct bb_json_scan *scan, struct bb_refusal *ret_refusal)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY;
	json_t *root = NULL;
	json_error_t error;

	if (bb_json_scan(scan, ret_refusal)) {
		root = json_loadb(scan->copy.p, scan->copy.n, flags, &error);
		if (!root)
			refuse_duplicate(scan, &error, ret_refusal);
	}
	bb_buf_fini(&scan->copy);
	return root;
}

struct bb_json *bb_json_read(struct bb_text bytes, struct bb_refusal *ret_refusal)
{
	struct bb_arena arena;
	struct bb_json_scan scan = {.arena = &arena, .bytes = bytes, .copy = BB_BUF_EMPTY};
	struct bb_json *doc;
	json_t *root;

	bb_arena_init(&arena);
	root = read_tree(&scan, ret_refusal);
	if (!root) {
		bb_arena_fini(&arena);
		return NULL;
	}
	doc = bb_arena_alloc(&arena, sizeof(*doc));
	*doc = (struct bb_json){.arena = arena, .numbers = scan.numbers, .root = root};
	return doc;
}

void bb_json_free(struct bb_json *doc)
{
	struct bb_arena arena;

	if (!doc)
		return;
	json_decref(doc->root);
	arena = doc->arena;
	bb_arena_fini(&arena);
}

const struct bb_json_node *bb_json_root(const struct bb_json *doc)
{
	return node_of(doc->root);
}

enum bb_json_kind bb_json_kind(const struct bb_json *doc, const struct bb_json_node *node)
{
	static const enum bb_json_kind kinds[] = {
		[JSON_OBJECT] = BB_JSON_MAP,  [JSON_ARRAY] = BB_JSON_LIST,
		[JSON_STRING] = BB_JSON_TEXT, [JSON_INTEGER] = BB_JSON_NUMBER,
		[JSON_REAL] = BB_JSON_NUMBER, /* never: the copy has no fractions */
		[JSON_TRUE] = BB_JSON_TRUE,   [JSON_FALSE] = BB_JSON_FALSE,
		[JSON_NULL] = BB_JSON_NULL,
	};

	(void)doc;
	return kinds[json_typeof(tree(node))];
}

struct bb_text bb_json_text(const struct bb_json *doc, const struct bb_json_node *node)
{
	const json_t *value = tree(node);

	if (json_is_string(value))
		return bb_text_bytes(json_string_value(value), json_string_length(value));
	if (json_is_integer(value))
		return doc->numbers[json_integer_value(value)];
	return (struct bb_text){NULL, 0};
}

const struct bb_json_node *bb_json_member(const struct bb_json *doc, const struct bb_json_node *map,
					  struct bb_text key)
{
	(void)doc;
	return node_of(json_object_getn(tree(map), key.p, key.n));
}

size_t bb_json_size(const struct bb_json *doc, const struct bb_json_node *node)
{
	const json_t *value = tree(node);

	(void)doc;
	return json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

const struct bb_json_node *bb_json_item(const struct bb_json *doc, const struct bb_json_node *list,
					size_t i)
{
	(void)doc;
	return node_of(json_array_get(tree(list), i));
}

bool bb_json_next(const struct bb_json *doc, const struct bb_json_node *map, void **iter,
		  struct bb_text *ret_key, const struct bb_json_node **ret_value)
{
	json_t *value = (json_t *)tree(map);

	(void)doc;
	*iter = *iter ? json_object_iter_next(value, *iter) : json_object_iter(value);
	if (!*iter)
		return false;
	*ret_key = bb_text_bytes(json_object_iter_key(*iter), json_object_iter_key_len(*iter));
	*ret_value = node_of(json_object_iter_value(*iter));
	return true;
}

static void write_list(const struct bb_json *doc, const struct bb_json_node *list,
		       struct bb_buf *buf)
{
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < bb_json_size(doc, list); i++) {
		if (i > 0)
			bb_buf_byte(buf, ',');
		bb_json_write(doc, bb_json_item(doc, list, i), buf);
	}
	bb_buf_byte(buf, ']');
}

static void write_map(const struct bb_json *doc, const struct bb_json_node *map, struct bb_buf *buf)
{
	const struct bb_json_node *value;
	bool first = true;
	struct bb_text key;
	void *iter = NULL;

	bb_buf_byte(buf, '{');
	while (bb_json_next(doc, map, &iter, &key, &value)) {
		if (!first)
			bb_buf_byte(buf, ',');
		first = false;
		bb_buf_json(buf, key);
		bb_buf_byte(buf, ':');
		bb_json_write(doc, value, buf);
	}
	bb_buf_byte(buf, '}');
}

void bb_json_write(const struct bb_json *doc, const struct bb_json_node *node, struct bb_buf *buf)
{
	switch (bb_json_kind(doc, node)) {
	case BB_JSON_NULL:
		bb_buf_text(buf, BB_TEXT("null"));
		break;
	case BB_JSON_FALSE:
		bb_buf_text(buf, BB_TEXT("false"));
		break;
	case BB_JSON_TRUE:
		bb_buf_text(buf, BB_TEXT("true"));
		break;
	case BB_JSON_NUMBER:
		bb_buf_text(buf, bb_json_text(doc, node));
		break;
	case BB_JSON_TEXT:
		bb_buf_json(buf, bb_json_text(doc, node));
		break;
	case BB_JSON_LIST:
		write_list(doc, node, buf);
		break;
	case BB_JSON_MAP:
		write_map(doc, node, buf);
		break;
	}
}
