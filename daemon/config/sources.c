/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where events come from: `direct` first, then the files of `connectors`, each compiled with the
 * rules just read, then `replay`, which names connectors. Names and topics must be the only ones of
 * their kind: a message has one connector.
 *
 * Mistakes in a connector's file are told with that file's name; those between files, at the place
 * in the later one. A connector that does not compile is left out, and then nobody is told that its
 * name is unknown.
 *
 * Beside a configuration that is in use, a connector whose file reads as it did is borrowed from
 * there. A file with references is always compiled anew: what they name may have changed.
 */
#include "option.h"

#include <errno.h>
#include <stdlib.h>

#define TOPIC_MAX 249		   /* Kafka's own limit */
#define TOPICS_MAX ((size_t)10000) /* named by all connectors; patterns apart */

struct compiled {
	const char *file; /* "" for direct */
	struct bb_connector *connector;
	struct bb_text text;
	bool borrowed;
	size_t place; /* of what is borrowed */
};

struct gathering {
	struct bb_loading *loading;
	const char *directory; /* of the configuration file, as it was given: for messages */
	struct compiled *items;
	size_t n, room;
	size_t topic_n;	 /* of the connectors taken so far */
	bool incomplete; /* a file was left out */
};

static const char *print(struct gathering *in, const char *what, size_t i)
{
	return bb_arena_printf(in->loading->diagnostics->arena, "%s[%zu]", what, i).p;
}

static bool is_topic(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') && !(name[i] >= 'A' && name[i] <= 'Z') &&
		    !(name[i] >= '0' && name[i] <= '9') && !strchr("._-", name[i]))
			return false;
	return n <= TOPIC_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static void gather_direct(struct gathering *in)
{
	const struct bb_text_list *topics = &in->loading->draft.topics;
	struct bb_config *config = in->loading->config;
	struct compiled direct = {.file = ""};

	for (size_t i = 0; i < topics->n; i++) {
		if (!is_topic(topics->items[i]))
			BB_COMPLAIN(in->loading, topics->nodes[i], print(in, "direct.topics", i),
				    "\"%s\" is no name of a topic; allowed: letters, digits, ., _ "
				    "and -, at most %d bytes",
				    topics->items[i], TOPIC_MAX);
		for (size_t k = 0; k < i; k++)
			if (strcmp(topics->items[i], topics->items[k]) == 0)
				BB_COMPLAIN(in->loading, topics->nodes[i],
					    print(in, "direct.topics", i),
					    "the topic \"%s\" is here twice; it is at line %u "
					    "already",
					    topics->items[i], topics->nodes[k]->line);
	}
	config->direct_topics = topics->items;
	config->direct_topic_n = in->topic_n = topics->n;
	direct.connector = bb_connector_direct(topics->items, topics->n);
	BB_ARENA_PUSH(in->loading->diagnostics->arena, in->items, in->n, in->room) = direct;
}

static const struct compiled *reader_of(const struct gathering *in, const char *topic)
{
	for (size_t i = 0; i < in->n; i++)
		for (size_t k = 0; k < bb_connector_topic_n(in->items[i].connector); k++)
			if (strcmp(bb_connector_topic(in->items[i].connector, k), topic) == 0)
				return &in->items[i];
	return NULL;
}

/* Where something stands in a connector's file that has compiled, so it can be read again. */
static const struct bb_yaml *place_of(struct gathering *in, const char *file, struct bb_text text,
				      const char *path)
{
	const struct bb_yaml *root = bb_yaml_read(file, text, in->loading->diagnostics);

	return root ? bb_schema_node(root, path) : NULL;
}

static void check_name(struct gathering *in, const char *file, struct bb_text text,
		       const struct bb_connector *connector)
{
	struct bb_diagnostics *diagnostics = in->loading->diagnostics;
	const char *name = bb_connector_name(connector);

	for (size_t i = 0; i < in->n; i++) {
		if (strcmp(bb_connector_name(in->items[i].connector), name) != 0)
			continue;
		if (i == 0)
			bb_yaml_complain(file, place_of(in, file, text, "connector"), "connector",
					 diagnostics,
					 "the name \"direct\" is taken by the built-in connector; "
					 "choose another");
		else
			bb_yaml_complain(file, place_of(in, file, text, "connector"), "connector",
					 diagnostics,
					 "the connector \"%s\" is also in %s; choose another name",
					 name, in->items[i].file);
	}
}

static void check_topics(struct gathering *in, const char *file, struct bb_text text,
			 const struct bb_connector *connector)
{
	struct bb_diagnostics *diagnostics = in->loading->diagnostics;
	const struct bb_yaml *place = NULL; /* looked for once, as the file is read for it */
	size_t n = bb_connector_topic_n(connector);

	if (in->topic_n + n > TOPICS_MAX) {
		bb_yaml_complain(file, place_of(in, file, text, "topics"), "topics", diagnostics,
				 "connectors name more than %zu topics in all; write patterns",
				 TOPICS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const char *topic = bb_connector_topic(connector, i);
		const struct compiled *other = reader_of(in, topic);

		if (!other)
			continue;
		if (!place)
			place = place_of(in, file, text, "topics");
		bb_yaml_complain(file, place, "topics", diagnostics,
				 "the topic \"%s\" is read by the connector \"%s\" already; a "
				 "topic has one connector",
				 topic, bb_connector_name(other->connector));
	}
}

/* Whether the connector may stand beside the others. */
static bool check_others(struct gathering *in, const char *file, struct bb_text text,
			 const struct bb_connector *connector)
{
	size_t before = in->loading->diagnostics->found;

	check_name(in, file, text, connector);
	check_topics(in, file, text, connector);
	return in->loading->diagnostics->found == before;
}

/* --- what has not changed --------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Whether connectors compile alike under both. */
static bool compile_alike(const struct bb_rules *a, const struct bb_rules *b)
{
	if (a->namespace_n != b->namespace_n || a->attribute_n != b->attribute_n)
		return false;
	for (size_t i = 0; i < a->namespace_n; i++) {
		const struct bb_namespace *one = &a->namespaces[i], *other = &b->namespaces[i];

		if (!same_text(one->name, other->name) || one->owner != other->owner ||
		    one->durable != other->durable || one->normaliser != other->normaliser ||
		    !same_text(one->region, other->region))
			return false;
	}
	for (size_t i = 0; i < a->attribute_n; i++)
		if (!same_text(a->attributes[i].name, b->attributes[i].name) ||
		    a->attributes[i].rule != b->attributes[i].rule)
			return false;
	return true;
}

static bool has_reference(struct bb_text text)
{
	return memmem(text.p, text.n, "${", 2) != NULL;
}

/* Borrows the connector that was made of the same file with the same content, if there is one. */
static void borrow(const struct bb_loading *loading, struct compiled *item)
{
	const struct bb_config *before = loading->before;

	if (!before || !compile_alike(&before->rules, &loading->config->rules) ||
	    has_reference(item->text))
		return;
	for (size_t i = 0; i < before->connector_n && !item->borrowed; i++) {
		const struct bb_config_source *source = &before->sources[i];

		if (!source->file || strcmp(source->file, item->file) != 0 ||
		    !bb_text_equal(source->text, item->text))
			continue;
		item->connector = before->connectors[i];
		item->borrowed = true;
		item->place = i;
	}
}

/* --- files ------------------------------------------------------------------------------------ */

static void gather_file(struct gathering *in, const char *file, size_t i)
{
	struct bb_loading *loading = in->loading;
	struct compiled item = {.file = file};
	struct bb_error err;

	for (size_t k = 1; k < in->n; k++)
		if (strcmp(in->items[k].file, file) == 0)
			return; /* two patterns that meet */
	in->incomplete = true;
	if (bb_file_read(file, loading->diagnostics->arena, &item.text, &err) != BB_OK) {
		BB_COMPLAIN(loading, loading->draft.connectors.nodes[i], print(in, "connectors", i),
			    "the connector cannot be read: %s", err.msg);
		return;
	}
	borrow(loading, &item);
	if (!item.borrowed)
		item.connector = bb_connector_compile(file, item.text, &loading->config->rules,
						      loading->diagnostics);
	if (!item.connector)
		return;
	if (!check_others(in, file, item.text, item.connector)) {
		if (!item.borrowed)
			bb_connector_free(item.connector);
		return;
	}
	in->incomplete = false;
	in->topic_n += bb_connector_topic_n(item.connector);
	BB_ARENA_PUSH(loading->diagnostics->arena, in->items, in->n, in->room) = item;
}

static void gather_connectors(struct gathering *in)
{
	struct bb_loading *loading = in->loading;
	const struct bb_text_list *patterns = &loading->draft.connectors;
	bool incomplete = false;

	for (size_t i = 0; i < patterns->n; i++) {
		struct bb_file_list files = {NULL, 0, 0};
		struct bb_error err;

		if (bb_file_expand(in->directory, patterns->items[i], loading->diagnostics->arena,
				   &files, &err) != BB_OK) {
			BB_COMPLAIN(loading, patterns->nodes[i], print(in, "connectors", i), "%s",
				    err.msg);
			incomplete = true;
		}
		for (size_t k = 0; k < files.n; k++) {
			in->incomplete = false;
			gather_file(in, files.items[k], i);
			incomplete = incomplete || in->incomplete;
		}
	}
	in->incomplete = incomplete;
}

static void keep_connectors(struct gathering *in)
{
	struct bb_config *config = in->loading->config;

	config->connector_room = in->n;
	config->connectors = bb_arena_alloc(&config->arena, in->n * sizeof *config->connectors);
	config->sources = bb_arena_zalloc(&config->arena, in->n * sizeof *config->sources);
	for (size_t i = 0; i < in->n; i++) {
		const struct compiled *item = &in->items[i];
		struct bb_config_source *source = &config->sources[i];

		config->connectors[config->connector_n++] = item->connector;
		source->borrowed = item->borrowed;
		source->place = item->place;
		if (!*item->file)
			continue;
		source->file = bb_arena_copy(&config->arena, bb_text_of(item->file)).p;
		source->text = bb_arena_copy(&config->arena, item->text);
	}
}

static void check_replay_connector(struct gathering *in, size_t i)
{
	const struct bb_replay_draft *draft = &in->loading->draft.replay[i];
	const struct bb_config *config = in->loading->config;
	struct bb_buf message = BB_BUF_EMPTY;
	const char **names, *nearest;

	if (bb_config_connector(config, draft->connector))
		return;
	names = bb_arena_alloc(in->loading->diagnostics->arena,
			       config->connector_n * sizeof *names);
	bb_buf_printf(&message, "unknown connector \"%s\"; allowed: ", draft->connector);
	for (size_t k = 0; k < config->connector_n; k++) {
		names[k] = bb_connector_name(config->connectors[k]);
		bb_buf_printf(&message, "%s%s", k ? ", " : "", names[k]);
	}
	nearest = bb_yaml_nearest(bb_text_of(draft->connector), names, config->connector_n);
	if (nearest)
		bb_buf_printf(&message, "; did you mean \"%s\"?", nearest);
	BB_COMPLAIN(in->loading, bb_yaml_get(draft->node, "connector"),
		    bb_arena_printf(in->loading->diagnostics->arena, "replay[%zu].connector", i).p,
		    "%.*s", (int)message.n, message.p);
	bb_buf_fini(&message);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The file's name is its topic, and so must be one: links and dots are resolved. */
static void keep_file(struct gathering *in, size_t i, size_t k, const char *file,
		      struct bb_file_list *files)
{
	struct bb_config *config = in->loading->config;
	const struct bb_yaml *node = in->loading->draft.replay[i].files.nodes[k];
	const char *path =
		bb_arena_printf(in->loading->diagnostics->arena, "replay[%zu].files[%zu]", i, k).p;
	char *resolved = realpath(file, NULL);

	if (!resolved) {
		BB_COMPLAIN(in->loading, node, path, "%s: %s", file, strerrordesc_np(errno));
		return;
	}
	for (size_t r = 0; r < i; r++)
		for (size_t f = 0; f < config->replay[r].file_n; f++)
			if (strcmp(config->replay[r].files[f], resolved) == 0)
				BB_COMPLAIN(in->loading, node, path,
					    "%s is in replay[%zu] already; a file is read once",
					    resolved, r);
	BB_ARENA_PUSH(&config->arena, files->items, files->n, files->room) =
		bb_value_keep(in->loading, bb_text_of(resolved));
	free(resolved);
}

static void read_replay(struct gathering *in, size_t i)
{
	struct bb_loading *loading = in->loading;
	const struct bb_replay_draft *draft = &loading->draft.replay[i];
	struct bb_config_replay *replay = &loading->config->replay[i];
	struct bb_file_list kept = {NULL, 0, 0};

	for (size_t k = 0; k < draft->files.n; k++) {
		struct bb_file_list files = {NULL, 0, 0};
		struct bb_error err;

		if (bb_file_expand(loading->config->directory, draft->files.items[k],
				   loading->diagnostics->arena, &files, &err) != BB_OK)
			BB_COMPLAIN(loading, draft->files.nodes[k],
				    bb_arena_printf(loading->diagnostics->arena,
						    "replay[%zu].files[%zu]", i, k)
					    .p,
				    "%s", err.msg);
		for (size_t f = 0; f < files.n; f++)
			keep_file(in, i, k, files.items[f], &kept);
	}
	if (kept.n > 1)
		qsort(kept.items, kept.n, sizeof *kept.items, compare_paths);
	for (size_t f = 0; f < kept.n; f++)
		if (f == 0 || strcmp(kept.items[f], kept.items[f - 1]) != 0)
			kept.items[replay->file_n++] = kept.items[f];
	replay->files = kept.items;
	replay->connector = draft->connector;
	if (draft->connector && !in->incomplete)
		check_replay_connector(in, i);
}

void bb_sources_read(struct bb_loading *loading)
{
	const char *slash = strrchr(loading->file, '/');
	struct bb_config *config = loading->config;
	struct gathering in = {.loading = loading, .directory = "."};

	if (slash)
		in.directory =
			bb_arena_printf(loading->diagnostics->arena, "%.*s",
					(int)(slash - loading->file) + (slash == loading->file),
					loading->file)
				.p;
	gather_direct(&in);
	gather_connectors(&in);
	keep_connectors(&in);
	config->replay =
		bb_arena_zalloc(&config->arena, loading->draft.replay_n * sizeof *config->replay);
	config->replay_n = loading->draft.replay_n;
	for (size_t i = 0; i < config->replay_n; i++)
		read_replay(&in, i);
}
