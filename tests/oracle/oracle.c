/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson as a judge: the strict pass (json_scan.c) checks everything and replaces numbers by
 * indexes; jansson makes the tree of what is left; the tree is copied into nodes, and an integer in
 * it leads back to the number's own text. Members keep their order.
 *
 * After the strict pass only a duplicate key can be refused here. jansson says where in the copy;
 * the offset in the document is counted back from it.
 */
#include "oracle.h"

#include <backbone/assert.h>

#include <jansson.h>

#include "json_keys.h"
#include "json_scan.h"
#include "json_tree.h"

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

static struct bb_json_node copy_node(const struct bb_json_scan *scan, json_t *value);

static struct bb_json_node copy_list(const struct bb_json_scan *scan, const json_t *list)
{
	size_t n = json_array_size(list);
	struct bb_json_node *items = bb_arena_alloc(scan->arena, n * sizeof(*items));

	for (size_t i = 0; i < n; i++)
		items[i] = copy_node(scan, json_array_get(list, i));
	return (struct bb_json_node){.p = items, .n = (uint32_t)n};
}

/* The places of the members in the order of their keys, found by insertion. */
static void order_members(const struct bb_json_member *members, uint32_t n, uint32_t *order)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = i;

		for (; k > 0 && bb_json_keys_order(members[order[k - 1]].key, members[i].key) > 0;)
			k--;
		memmove(&order[k + 1], &order[k], (i - k) * sizeof(*order));
		order[k] = i;
	}
}

static struct bb_json_node copy_map(const struct bb_json_scan *scan, json_t *map)
{
	size_t n = json_object_size(map), i = 0, order = n > BB_JSON_MAP_LARGE ? n : 0;
	struct bb_json_member *members =
		bb_arena_alloc(scan->arena, n * sizeof(*members) + order * sizeof(uint32_t));

	for (void *at = json_object_iter(map); at; at = json_object_iter_next(map, at)) {
		members[i].key =
			bb_arena_copy(scan->arena, bb_text_bytes(json_object_iter_key(at),
								 json_object_iter_key_len(at)));
		members[i++].value = copy_node(scan, json_object_iter_value(at));
	}
	if (order)
		order_members(members, (uint32_t)n, (uint32_t *)(void *)(members + n));
	return (struct bb_json_node){.p = members, .n = (uint32_t)n};
}

static struct bb_json_node of_text(struct bb_text text)
{
	return (struct bb_json_node){.p = text.p, .n = (uint32_t)text.n};
}

static struct bb_json_node copy_node(const struct bb_json_scan *scan, json_t *value)
{
	static const enum bb_json_kind kinds[] = {
		[JSON_OBJECT] = BB_JSON_MAP,  [JSON_ARRAY] = BB_JSON_LIST,
		[JSON_STRING] = BB_JSON_TEXT, [JSON_INTEGER] = BB_JSON_NUMBER,
		[JSON_REAL] = BB_JSON_NUMBER, /* never: the copy has no fractions */
		[JSON_TRUE] = BB_JSON_TRUE,   [JSON_FALSE] = BB_JSON_FALSE,
		[JSON_NULL] = BB_JSON_NULL,
	};
	struct bb_json_node node = {.p = NULL};

	if (json_is_object(value))
		node = copy_map(scan, value);
	else if (json_is_array(value))
		node = copy_list(scan, value);
	else if (json_is_string(value))
		node = of_text(
			bb_arena_copy(scan->arena, bb_text_bytes(json_string_value(value),
								 json_string_length(value))));
	else if (json_is_integer(value))
		node = of_text(scan->numbers[json_integer_value(value)]);
	node.type = (uint8_t)(1 + kinds[json_typeof(value)]);
	return node;
}

bool oracle_read(struct bb_text bytes, struct bb_arena *arena, struct bb_json_node *ret_root,
		 struct bb_refusal *ret_refusal)
{
	struct bb_json_scan scan = {.arena = arena, .bytes = bytes, .copy = BB_BUF_EMPTY};
	json_t *root = read_tree(&scan, ret_refusal);

	if (!root)
		return false;
	*ret_root = copy_node(&scan, root);
	json_decref(root);
	return true;
}
