/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that are read whole, and what can be asked of any node. A node points into the bytes of
 * the document or into the arena; lists and maps are arrays.
 *
 * Reading fails as json_read.c says; asking never does, except that what a projection did not keep
 * is not to be asked for (a bug).
 */
#include <backbone/assert.h>
#include <backbone/buf.h>

#include "json_keys.h"
#include "json_tree.h"

struct bb_json *bb_json_read(struct bb_text bytes, struct bb_refusal *ret_refusal)
{
	struct bb_arena arena;
	struct bb_json *doc;

	bb_arena_init(&arena);
	doc = bb_arena_zalloc(&arena, sizeof(*doc));
	if (bb_json_read_tree(bytes, &arena, &doc->root, ret_refusal)) {
		doc->arena = arena;
		return doc;
	}
	bb_arena_fini(&arena);
	return NULL;
}

void bb_json_free(struct bb_json *doc)
{
	struct bb_arena arena;

	if (!doc)
		return;
	arena = doc->arena; /* where the document lies too */
	bb_arena_fini(&arena);
}

const struct bb_json_node *bb_json_root(const struct bb_json *doc)
{
	return &doc->root;
}

enum bb_json_kind bb_json_kind(const struct bb_json *doc, const struct bb_json_node *node)
{
	(void)doc;
	return (enum bb_json_kind)(node->type - 1);
}

static bool is_kind(const struct bb_json_node *node, enum bb_json_kind kind)
{
	return node && node->type == 1 + kind;
}

struct bb_text bb_json_text(const struct bb_json *doc, const struct bb_json_node *node)
{
	(void)doc;
	if (is_kind(node, BB_JSON_TEXT) || is_kind(node, BB_JSON_NUMBER))
		return bb_text_bytes(node->p, node->n);
	return (struct bb_text){NULL, 0};
}

static const struct bb_json_node *member_of_large(const struct bb_json_node *map,
						  struct bb_text key)
{
	const struct bb_json_member *members = map->p;
	const uint32_t *order = (const uint32_t *)(const void *)(members + map->n);
	size_t low = 0, high = map->n, middle;
	int d;

	while (low < high) {
		middle = low + (high - low) / 2;
		d = bb_json_keys_order(key, members[order[middle]].key);
		if (d == 0)
			return &members[order[middle]].value;
		if (d < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct bb_json_node *bb_json_member(const struct bb_json *doc, const struct bb_json_node *map,
					  struct bb_text key)
{
	const struct bb_json_member *members;

	(void)doc;
	if (!is_kind(map, BB_JSON_MAP))
		return NULL;
	bb_assert(!map->bare);
	if (map->n > BB_JSON_MAP_LARGE)
		return member_of_large(map, key);
	members = map->p;
	for (uint32_t i = 0; i < map->n; i++)
		if (bb_text_equal(members[i].key, key))
			return &members[i].value;
	return NULL;
}

size_t bb_json_size(const struct bb_json *doc, const struct bb_json_node *node)
{
	(void)doc;
	return is_kind(node, BB_JSON_LIST) || is_kind(node, BB_JSON_MAP) ? node->n : 0;
}

const struct bb_json_node *bb_json_item(const struct bb_json *doc, const struct bb_json_node *list,
					size_t i)
{
	(void)doc;
	if (!is_kind(list, BB_JSON_LIST) || i >= list->n)
		return NULL;
	bb_assert(!list->bare);
	return (const struct bb_json_node *)list->p + i;
}

bool bb_json_next(const struct bb_json *doc, const struct bb_json_node *map, void **iter,
		  struct bb_text *ret_key, const struct bb_json_node **ret_value)
{
	const struct bb_json_member *members, *member;

	(void)doc;
	if (!is_kind(map, BB_JSON_MAP))
		return false;
	bb_assert(!map->bare);
	members = map->p;
	member = *iter ? (const struct bb_json_member *)*iter + 1 : members;
	if (member == members + map->n)
		return false;
	*iter = (void *)member;
	*ret_key = member->key;
	*ret_value = &member->value;
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
