/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree against the table of options. First every default is read as if it had been written,
 * then each map is walked: a key leads to its row, the row's type says how the value is read and
 * where it goes. Sections that are not written are walked as empty ones, so that what must be given
 * in them is missed.
 *
 * Every mistake becomes a diagnostic where it stands, and reading goes on; the fields keep their
 * defaults then. What needs more than one value to judge comes after (identity.c, sources.c).
 */
#include "option.h"

#include <backbone/assert.h>

#include <stdlib.h>

#define LIST_MAX ((size_t)10000) /* what is looked for in lists is looked for one by one */

/* A place in the file and in the table. */
struct place {
	const char *prefix; /* of the options here: `identity.namespaces[].`; "" at the top */
	const char *path;   /* for messages: identity.namespaces[2] */
	void *item;	    /* the namespace or replay draft that is filled; NULL outside a list */
};

static void *target_of(struct bb_loading *loading, const struct bb_option *option, void *item)
{
	switch (option->where) {
	case BB_IN_CONFIG:
		return (char *)loading->config + option->offset;
	case BB_IN_DRAFT:
		return (char *)&loading->draft + option->offset;
	default:
		return (char *)item + option->offset;
	}
}

/* Whether the option stands directly below `prefix`. */
static bool is_child(const struct bb_option *option, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(option->path, prefix, n) == 0 && !strpbrk(option->path + n, ".[");
}

static const struct bb_option *find_option(const char *prefix, struct bb_text key)
{
	for (size_t i = 0; i < bb_option_n; i++)
		if (is_child(&bb_options[i], prefix) &&
		    bb_text_equal(bb_text_of(bb_options[i].path + strlen(prefix)), key))
			return &bb_options[i];
	return NULL;
}

static const char *path_of(struct bb_loading *loading, const char *parent, struct bb_text key)
{
	return bb_arena_printf(loading->diagnostics->arena, "%s%s%.*s", parent, *parent ? "." : "",
			       (int)key.n, key.p)
		.p;
}

static bool is_empty(const struct bb_yaml *node)
{
	return node->kind == BB_YAML_SCALAR && !node->quoted && node->text.n == 0;
}

static void complain_unknown(struct bb_loading *loading, const struct place *place,
			     const struct bb_yaml *key)
{
	const char **words =
		bb_arena_alloc(loading->diagnostics->arena, bb_option_n * sizeof *words);
	struct bb_buf message = BB_BUF_EMPTY;
	const char *nearest;
	size_t n = 0;

	for (size_t i = 0; i < bb_option_n; i++)
		if (is_child(&bb_options[i], place->prefix))
			words[n++] = bb_options[i].path + strlen(place->prefix);
	bb_buf_printf(&message, "unknown key \"%s\"; allowed: ", key->text.p);
	for (size_t i = 0; i < n; i++)
		bb_buf_printf(&message, "%s%s", i ? ", " : "", words[i]);
	nearest = bb_yaml_nearest(key->text, words, n);
	if (nearest)
		bb_buf_printf(&message, "; did you mean \"%s\"?", nearest);
	BB_COMPLAIN(loading, key, path_of(loading, place->path, key->text), "%.*s", (int)message.n,
		    message.p);
	bb_buf_fini(&message);
}

/* What is wrong, what is allowed, and the nearest word. A key's value is a secret: not shown. */
static void complain_value(struct bb_loading *loading, const struct bb_option *option,
			   const struct bb_yaml *node, const char *path)
{
	struct bb_buf message = BB_BUF_EMPTY;
	const char *nearest = NULL;
	size_t n = 0;

	if (node->kind != BB_YAML_SCALAR)
		bb_buf_printf(&message, "a %s is not allowed here",
			      node->kind == BB_YAML_MAP ? "map" : "list");
	else if (is_empty(node))
		bb_buf_printf(&message, "a value is missing%s",
			      option->fallback ? "; write one, or leave the key out" : "");
	else if (option->type == BB_OPTION_KEY)
		bb_buf_printf(&message, "this is no profile key");
	else
		bb_buf_printf(&message, "\"%s\" is not allowed here", node->text.p);
	bb_buf_printf(&message, "; allowed: ");
	bb_option_describe(option, &message);
	if (option->words && node->kind == BB_YAML_SCALAR) {
		while (option->words[n])
			n++;
		nearest = bb_yaml_nearest(node->text, option->words, n);
	}
	if (nearest)
		bb_buf_printf(&message, "; did you mean \"%s\"?", nearest);
	BB_COMPLAIN(loading, node, path, "%.*s", (int)message.n, message.p);
	bb_buf_fini(&message);
}

static void read_texts(struct bb_loading *loading, const struct bb_option *option,
		       const struct bb_yaml *node, const char *path, struct bb_text_list *list)
{
	struct bb_arena *arena = &loading->config->arena;

	if (node->kind != BB_YAML_LIST) {
		if (!is_empty(node))
			complain_value(loading, option, node, path);
		return;
	}
	if (node->n > LIST_MAX) {
		BB_COMPLAIN(loading, node, path, "a list has at most %zu items here", LIST_MAX);
		return;
	}
	list->items = bb_arena_alloc(arena, node->n * sizeof *list->items);
	list->nodes = bb_arena_alloc(loading->diagnostics->arena, node->n * sizeof *list->nodes);
	for (size_t i = 0; i < node->n; i++) {
		const struct bb_yaml *item = node->items[i];

		if (item->kind != BB_YAML_SCALAR || item->text.n == 0) {
			BB_COMPLAIN(
				loading, item,
				bb_arena_printf(loading->diagnostics->arena, "%s[%zu]", path, i).p,
				"a text is needed here, such as '%s'", option->example);
			continue;
		}
		list->nodes[list->n] = item;
		list->items[list->n++] = bb_value_keep(loading, item->text);
	}
}

static int compare_rules(const void *a, const void *b)
{
	const struct bb_attribute_rule *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void read_rules(struct bb_loading *loading, const struct bb_yaml *node, const char *path)
{
#define X(name, text) text,
	static const char *const words[] = {BB_FOLD_RULES(X) NULL};
#undef X
	const struct bb_option option = {.type = BB_OPTION_WORD, .words = words};
	struct bb_rules *rules = &loading->config->rules;

	rules->attributes =
		bb_arena_alloc(&loading->config->arena, node->n * sizeof *rules->attributes);
	for (size_t i = 0; i < node->n; i++) {
		const struct bb_yaml *key = node->keys[i], *value = node->items[i];
		const char *member = path_of(loading, path, key->text);
		unsigned rule = BB_FOLD_LATEST;

		if (key->text.n == 0 || key->text.n > BB_EVENT_TEXT_MAX)
			BB_COMPLAIN(loading, key, path,
				    "the name of an attribute has 1 to %d bytes",
				    BB_EVENT_TEXT_MAX);
		else if (value->kind != BB_YAML_SCALAR ||
			 !bb_value_read(loading, &option, value->text, &rule))
			complain_value(loading, &option, value, member);
		else
			rules->attributes[rules->attribute_n++] = (struct bb_attribute_rule){
				bb_value_keep(loading, key->text), (enum bb_fold_rule)rule};
	}
	qsort(rules->attributes, rules->attribute_n, sizeof *rules->attributes, compare_rules);
}

/* Options of librdkafka that are not for people, and why. */
static const struct {
	const char *name, *reason;
} refused[] = {
	{"bootstrap.servers", "write it as kafka.brokers"},
	{"metadata.broker.list", "write it as kafka.brokers"},
	{"group.id", "write it as kafka.group"},
	{"group.instance.id", "partitions are assigned from the offsets in the store"},
	{"group.protocol", "partitions are assigned from the offsets in the store"},
	{"partition.assignment.strategy", "partitions are assigned from the offsets in the store"},
	{"enable.auto.commit", "the offsets that count are stored together with the data"},
	{"auto.commit.enable", "the offsets that count are stored together with the data"},
	{"auto.commit.interval.ms", "the offsets that count are stored together with the data"},
	{"enable.auto.offset.store", "the offsets that count are stored together with the data"},
	{"offset.store.method", "the offsets that count are stored together with the data"},
	{"offset.store.path", "the offsets that count are stored together with the data"},
	{"auto.offset.reset", "a gap in the log must be an alarm, never a jump"},
	{"isolation.level", "messages of aborted transactions must never count"},
	{"check.crcs", "damaged messages must be seen"},
	{"enable.partition.eof", "the daemon must know when it has read everything"},
	{"plugin.library.paths", "no foreign code is loaded into the daemon"},
};

static const char *refusal_of(struct bb_text name)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (bb_text_equal(name, bb_text_of(refused[i].name)))
			return refused[i].reason;
	return NULL;
}

static void read_kafka(struct bb_loading *loading, const struct bb_yaml *node, const char *path)
{
	struct bb_config *config = loading->config;

	config->kafka_options =
		bb_arena_alloc(&config->arena, node->n * sizeof *config->kafka_options);
	for (size_t i = 0; i < node->n; i++) {
		const struct bb_yaml *key = node->keys[i], *value = node->items[i];
		const char *member = path_of(loading, path, key->text);
		const char *reason = refusal_of(key->text);

		if (reason) {
			BB_COMPLAIN(loading, key, member,
				    "this option is the daemon's own; leave it out: %s", reason);
		} else if (key->text.n == 0) {
			BB_COMPLAIN(loading, key, path, "an option needs a name");
		} else if (value->kind != BB_YAML_SCALAR || is_empty(value)) {
			BB_COMPLAIN(loading, value, member,
				    "a text is needed here; allowed: what librdkafka's manual says "
				    "of the option");
		} else {
			config->kafka_options[config->kafka_option_n++] = (struct bb_config_option){
				.name = bb_value_keep(loading, key->text),
				.value = bb_value_keep(loading, value->text),
				.line = key->line,
				.column = key->column,
			};
		}
	}
}

static void read_map(struct bb_loading *loading, const struct bb_option *option,
		     const struct bb_yaml *node, const char *path)
{
	if (is_empty(node))
		return;
	if (node->kind != BB_YAML_MAP)
		complain_value(loading, option, node, path);
	else if (option->type == BB_OPTION_RULES)
		read_rules(loading, node, path);
	else
		read_kafka(loading, node, path);
}

static void read_section(struct bb_loading *loading, const struct place *place,
			 const struct bb_yaml *node);

/* The value of a member of a map that is as true as it says. */
static bool says(const struct bb_yaml *map, const char *key, bool otherwise)
{
	const struct bb_yaml *node = bb_yaml_get(map, key);

	if (!node || node->kind != BB_YAML_SCALAR)
		return otherwise;
	return bb_text_equal(node->text, otherwise ? BB_TEXT("false") : BB_TEXT("true"))
		       ? !otherwise
		       : otherwise;
}

static void *item_new(struct bb_loading *loading, const struct bb_option *option,
		      const struct bb_yaml *node, size_t i)
{
	struct bb_draft *draft = &loading->draft;

	if (option->offset == offsetof(struct bb_draft, replay)) {
		draft->replay[i].node = node;
		draft->replay_n = i + 1;
		return &draft->replay[i];
	}
	draft->namespaces[i].node = node;
	draft->namespace_n = i + 1;
	bb_rules_namespace_defaults(&draft->namespaces[i].ns, "", says(node, "owner", false),
				    says(node, "durable", true));
	return &draft->namespaces[i];
}

static void read_sections(struct bb_loading *loading, const struct bb_option *option,
			  const struct bb_yaml *node, const char *path)
{
	struct bb_arena *arena = loading->diagnostics->arena;
	size_t item_bytes = option->offset == offsetof(struct bb_draft, replay)
				    ? sizeof(struct bb_replay_draft)
				    : sizeof(struct bb_namespace_draft);

	if (node->kind != BB_YAML_LIST) {
		if (!is_empty(node) || !option->fallback)
			complain_value(loading, option, node, path);
		return;
	}
	if (node->n > LIST_MAX) {
		BB_COMPLAIN(loading, node, path, "a list has at most %zu items here", LIST_MAX);
		return;
	}
	*(void **)target_of(loading, option, NULL) = bb_arena_zalloc(arena, node->n * item_bytes);
	for (size_t i = 0; i < node->n; i++) {
		struct place place = {
			.prefix = bb_arena_printf(arena, "%s[].", option->path).p,
			.path = bb_arena_printf(arena, "%s[%zu]", path, i).p,
		};

		place.item = item_new(loading, option, node->items[i], i);
		read_section(loading, &place, node->items[i]);
	}
}

static void read_option(struct bb_loading *loading, const struct place *place,
			const struct bb_option *option, const struct bb_yaml *node)
{
	const char *path =
		path_of(loading, place->path, bb_text_of(option->path + strlen(place->prefix)));
	void *target = target_of(loading, option, place->item);

	switch (option->type) {
	case BB_OPTION_SECTION:
		read_section(
			loading,
			&(struct place){
				bb_arena_printf(loading->diagnostics->arena, "%s.", option->path).p,
				path, place->item},
			node);
		break;
	case BB_OPTION_SECTIONS:
		read_sections(loading, option, node, path);
		break;
	case BB_OPTION_TEXTS:
		read_texts(loading, option, node, path, target);
		break;
	case BB_OPTION_RULES:
	case BB_OPTION_KAFKA:
		read_map(loading, option, node, path);
		break;
	default:
		if (node->kind != BB_YAML_SCALAR || is_empty(node) ||
		    !bb_value_read(loading, option, node->text, target))
			complain_value(loading, option, node, path);
		break;
	}
}

/* What is not written: a section may hold what must be, an option may have to be. */
static void read_absent(struct bb_loading *loading, const struct place *place,
			const struct bb_option *option, const struct bb_yaml *map)
{
	const struct bb_yaml empty = {
		.kind = BB_YAML_MAP, .line = map->line, .column = map->column};
	const char *name = option->path + strlen(place->prefix);
	struct bb_buf allowed = BB_BUF_EMPTY;

	if (option->type == BB_OPTION_SECTION)
		read_option(loading, place, option, &empty);
	if (option->fallback)
		return;
	bb_option_describe(option, &allowed);
	BB_COMPLAIN(loading, map, place->path, "the key \"%s\" is missing; allowed: %.*s", name,
		    (int)allowed.n, allowed.p);
	bb_buf_fini(&allowed);
}

static void read_section(struct bb_loading *loading, const struct place *place,
			 const struct bb_yaml *node)
{
	static const struct bb_option section = {.type = BB_OPTION_SECTION};

	if (node->kind != BB_YAML_MAP && !is_empty(node)) {
		complain_value(loading, &section, node, place->path);
		return;
	}
	for (size_t i = 0; i < node->n && !bb_yaml_has_told(loading->diagnostics); i++) {
		const struct bb_option *option = find_option(place->prefix, node->keys[i]->text);

		if (option)
			read_option(loading, place, option, node->items[i]);
		else
			complain_unknown(loading, place, node->keys[i]);
	}
	for (size_t i = 0; i < bb_option_n; i++) {
		const char *name = bb_options[i].path + strlen(place->prefix);

		if (is_child(&bb_options[i], place->prefix) &&
		    (node->kind != BB_YAML_MAP || !bb_yaml_get(node, name)))
			read_absent(loading, place, &bb_options[i], node);
	}
}

static void read_defaults(struct bb_loading *loading)
{
	for (size_t i = 0; i < bb_option_n; i++) {
		const struct bb_option *option = &bb_options[i];

		if (!option->fallback || !*option->fallback || option->where > BB_IN_DRAFT)
			continue;
		bb_assert(bb_value_read(loading, option, bb_text_of(option->fallback),
					target_of(loading, option, NULL)));
	}
}

void bb_schema_read(struct bb_loading *loading)
{
	bb_rules_defaults(&loading->config->rules);
	read_defaults(loading);
	read_section(loading, &(struct place){"", "", NULL}, loading->root);
}

const struct bb_yaml *bb_schema_node(const struct bb_yaml *root, const char *path)
{
	const struct bb_yaml *node = root;

	while (node && *path) {
		struct bb_text key = {path, strcspn(path, ".")};
		const struct bb_yaml *found = NULL;

		for (size_t i = 0; node->kind == BB_YAML_MAP && i < node->n; i++)
			if (bb_text_equal(node->keys[i]->text, key))
				found = node->items[i];
		node = found;
		path += key.n + (path[key.n] == '.');
	}
	return node;
}
