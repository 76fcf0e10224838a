/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events become a tree in the arena of the diagnostics. Every node is checked on the way:
 * what makes YAML surprising (anchors, aliases, tags, merge keys, keys twice) is refused where it
 * stands, and reading goes on, so that all mistakes are seen at once. References are filled in
 * values (reference.h), never in keys.
 *
 * What libyaml itself cannot read, and a tree that is too deep, end the reading with one
 * diagnostic. A file with any diagnostic gives no tree.
 */
#include <backbone/yaml.h>

#include <backbone/assert.h>

#include <stdlib.h>
#include <yaml.h>

#include "reference.h"

#define DEPTH_MAX 32

struct reader {
	const char *file;
	struct bb_text text;
	struct bb_diagnostics *diagnostics;
	struct bb_arena *arena;
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	bool has_event;
	struct bb_buf path; /* of the current node, terminated */
	unsigned depth;
	bool broken; /* nothing more can be read */
};

static void path_truncate(struct reader *reader, size_t n)
{
	reader->path.n = n;
	*bb_buf_reserve(&reader->path, 1) = '\0';
}

static void path_push_key(struct reader *reader, struct bb_text key)
{
	if (reader->path.n)
		bb_buf_byte(&reader->path, '.');
	bb_buf_text(&reader->path, key);
	path_truncate(reader, reader->path.n);
}

static void path_push_index(struct reader *reader, size_t i)
{
	bb_buf_printf(&reader->path, "[%zu]", i);
}

static void complain(struct reader *reader, yaml_mark_t mark, const char *message)
{
	struct bb_yaml at = {.line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};

	bb_yaml_complain(reader->file, &at, reader->path.p, reader->diagnostics, "%s", message);
	reader->broken = reader->broken || bb_yaml_has_told(reader->diagnostics);
}

/* Errors of libyaml's reader (bytes that are no text) have an offset, but no line. */
static yaml_mark_t mark_of_offset(struct bb_text text, size_t offset)
{
	yaml_mark_t mark = {0, 0, 0};

	for (size_t i = 0; i < offset && i < text.n; i++) {
		if (text.p[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)text.p[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

/* What stands at a mark, which counts characters and not bytes. */
static char byte_at(struct bb_text text, yaml_mark_t mark)
{
	size_t characters = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (((unsigned char)text.p[i] & 0xc0) != 0x80 && characters++ == mark.index)
			return text.p[i];
	}
	return '\0';
}

static void complain_syntax(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem;
	struct bb_text message;
	yaml_mark_t mark = parser->problem_mark;

	reader->broken = true;
	bb_assert(parser->error != YAML_MEMORY_ERROR && problem);
	if (parser->error == YAML_READER_ERROR) {
		mark = mark_of_offset(reader->text, parser->problem_offset);
		message = bb_arena_printf(reader->arena, "not UTF-8 text: %s", problem);
	} else if (byte_at(reader->text, mark) == '\t') {
		message = BB_TEXT("not valid YAML: a tab where only spaces may indent");
	} else if (parser->context) {
		message = bb_arena_printf(reader->arena, "not valid YAML: %s, %s from line %zu on",
					  problem, parser->context, parser->context_mark.line + 1);
	} else {
		message = bb_arena_printf(reader->arena, "not valid YAML: %s", problem);
	}
	complain(reader, mark, message.p);
}

/* The next event is the current one. False: there is none, and a diagnostic says why. */
static bool next(struct reader *reader)
{
	if (reader->broken)
		return false;
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = yaml_parser_parse(&reader->parser, &reader->event) != 0;
	if (!reader->has_event)
		complain_syntax(reader);
	return reader->has_event;
}

static struct bb_yaml *node_new(struct reader *reader, enum bb_yaml_kind kind)
{
	struct bb_yaml *node = bb_arena_zalloc(reader->arena, sizeof *node);

	node->kind = kind;
	node->line = (unsigned)reader->event.start_mark.line + 1;
	node->column = (unsigned)reader->event.start_mark.column + 1;
	return node;
}

static void check_properties(struct reader *reader, const void *anchor, const void *tag)
{
	if (anchor)
		complain(reader, reader->event.start_mark,
			 "anchors (&name) are not allowed; write the value again");
	if (tag)
		complain(reader, reader->event.start_mark,
			 "tags (!name) are not allowed; write the bare value");
}

static struct bb_yaml *read_scalar(struct reader *reader, bool is_key)
{
	struct bb_yaml *node = node_new(reader, BB_YAML_SCALAR);
	struct bb_text raw = {(const char *)reader->event.data.scalar.value,
			      reader->event.data.scalar.length};
	const char *wrong = NULL;

	check_properties(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
	node->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = BB_TEXT("");
	if (memchr(raw.p, '\0', raw.n))
		wrong = "a NUL character is not allowed";
	else if (is_key)
		node->text = bb_arena_copy(reader->arena, raw);
	else
		wrong = bb_reference_expand(raw, reader->arena, &node->text);
	if (wrong)
		complain(reader, reader->event.start_mark, wrong);
	return node;
}

static struct bb_yaml *read_node(struct reader *reader);

static struct bb_yaml *read_list(struct reader *reader)
{
	struct bb_yaml *node = node_new(reader, BB_YAML_LIST);
	size_t path_n = reader->path.n;

	check_properties(reader, reader->event.data.sequence_start.anchor,
			 reader->event.data.sequence_start.tag);
	while (next(reader) && reader->event.type != YAML_SEQUENCE_END_EVENT) {
		struct bb_yaml *item;

		path_push_index(reader, node->n);
		item = read_node(reader);
		path_truncate(reader, path_n);
		BB_ARENA_PUSH(reader->arena, node->items, node->n, node->room) = item;
	}
	return node;
}

/* A key of a map: a scalar, or what was read in its place with a diagnostic. */
static struct bb_yaml *read_key(struct reader *reader)
{
	yaml_mark_t mark = reader->event.start_mark;
	struct bb_yaml *key;

	if (reader->event.type == YAML_SCALAR_EVENT) {
		key = read_scalar(reader, true);
		if (!key->quoted && bb_text_equal(key->text, BB_TEXT("<<")))
			complain(reader, mark,
				 "merge keys (<<) are not allowed; write the members again");
		return key;
	}
	if (reader->event.type != YAML_ALIAS_EVENT)
		complain(reader, mark, "a key must be a word, not a list or a map");
	return read_node(reader);
}

static void map_push(struct reader *reader, struct bb_yaml *map, struct bb_yaml *key,
		     struct bb_yaml *value)
{
	if (map->n == map->room) {
		size_t room = map->room;

		map->keys =
			bb_arena_grow(reader->arena, map->keys, map->n, &room, sizeof *map->keys);
		map->items = bb_arena_grow(reader->arena, map->items, map->n, &map->room,
					   sizeof *map->items);
	}
	map->keys[map->n] = key;
	map->items[map->n++] = value;
}

static int compare_keys(const void *a, const void *b)
{
	const struct bb_yaml *x = *(struct bb_yaml *const *)a, *y = *(struct bb_yaml *const *)b;
	int d = bb_text_compare(x->text, y->text);

	if (d == 0)
		d = (x->line > y->line) - (x->line < y->line);
	return d ? d : (x->column > y->column) - (x->column < y->column);
}

static void check_duplicates(struct reader *reader, const struct bb_yaml *map)
{
	struct bb_yaml **sorted;

	if (map->n < 2)
		return;
	sorted = bb_arena_alloc(reader->arena, map->n * sizeof *sorted);
	memcpy(sorted, map->keys, map->n * sizeof *sorted);
	qsort(sorted, map->n, sizeof *sorted, compare_keys);
	for (size_t i = 1; i < map->n; i++) {
		const struct bb_yaml *first = sorted[i - 1], *second = sorted[i];

		if (first->kind != BB_YAML_SCALAR || second->kind != BB_YAML_SCALAR ||
		    !bb_text_equal(first->text, second->text))
			continue;
		bb_yaml_complain(reader->file, second, reader->path.p, reader->diagnostics,
				 "the key \"%s\" is here twice; it is at line %u already",
				 second->text.p, first->line);
	}
}

static struct bb_yaml *read_map(struct reader *reader)
{
	struct bb_yaml *node = node_new(reader, BB_YAML_MAP);
	size_t path_n = reader->path.n;

	check_properties(reader, reader->event.data.mapping_start.anchor,
			 reader->event.data.mapping_start.tag);
	while (next(reader) && reader->event.type != YAML_MAPPING_END_EVENT) {
		struct bb_yaml *key = read_key(reader), *value;

		if (!next(reader))
			break;
		path_push_key(reader, key->text);
		value = read_node(reader);
		path_truncate(reader, path_n);
		map_push(reader, node, key, value);
	}
	check_duplicates(reader, node);
	return node;
}

/* The node that begins with the current event; the current event is its last one afterwards. */
static struct bb_yaml *read_node(struct reader *reader)
{
	struct bb_yaml *node;

	switch (reader->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, false);
	case YAML_ALIAS_EVENT:
		complain(reader, reader->event.start_mark,
			 "aliases (*name) are not allowed; write the value again, or put a text "
			 "that begins with * in quotes");
		node = node_new(reader, BB_YAML_SCALAR);
		node->text = BB_TEXT("");
		return node;
	default:
		break;
	}
	if (reader->depth == DEPTH_MAX) {
		complain(reader, reader->event.start_mark, "nested deeper than 32 levels");
		reader->broken = true;
		return node_new(reader, BB_YAML_MAP);
	}
	reader->depth++;
	node = reader->event.type == YAML_SEQUENCE_START_EVENT ? read_list(reader)
							       : read_map(reader);
	reader->depth--;
	return node;
}

static struct bb_yaml *read_stream(struct reader *reader)
{
	struct bb_yaml *root = NULL;

	if (!next(reader) || !next(reader)) /* the start of the stream, and of the document */
		return NULL;
	if (reader->event.type == YAML_STREAM_END_EVENT)
		return node_new(reader, BB_YAML_MAP);
	if (reader->event.data.document_start.tag_directives.start !=
	    reader->event.data.document_start.tag_directives.end)
		complain(reader, reader->event.start_mark, "%TAG directives are not allowed");
	if (!next(reader))
		return NULL;
	root = read_node(reader);
	if (root->kind == BB_YAML_SCALAR && !root->quoted && root->text.n == 0)
		root->kind = BB_YAML_MAP;
	if (next(reader) && next(reader) && reader->event.type == YAML_DOCUMENT_START_EVENT)
		complain(reader, reader->event.start_mark,
			 "a second document begins here; only one is allowed in a file");
	return root;
}

struct bb_yaml *bb_yaml_read(const char *file, struct bb_text text,
			     struct bb_diagnostics *diagnostics)
{
	struct reader reader = {.file = file,
				.text = text,
				.diagnostics = diagnostics,
				.arena = diagnostics->arena,
				.path = BB_BUF_EMPTY};
	size_t before = diagnostics->found;
	struct bb_yaml *root;

	bb_assert(yaml_parser_initialize(&reader.parser));
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.n ? text.p : ""),
				     text.n);
	path_truncate(&reader, 0);
	root = read_stream(&reader);
	if (reader.has_event)
		yaml_event_delete(&reader.event);
	yaml_parser_delete(&reader.parser);
	bb_buf_fini(&reader.path);
	return diagnostics->found == before ? root : NULL;
}

const struct bb_yaml *bb_yaml_get(const struct bb_yaml *map, const char *key)
{
	struct bb_text wanted = bb_text_of(key);

	if (map->kind != BB_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (bb_text_equal(map->keys[i]->text, wanted))
			return map->items[i];
	return NULL;
}
