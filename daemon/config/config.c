/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading: the file is read and becomes a tree, the tree goes through the table of options into the
 * configuration and a draft, the draft becomes rules, connectors and files to replay. Everything is
 * tried, so that all mistakes of all files come at once; one is enough to refuse the whole.
 *
 * Only a main file that cannot be read at all is an error of its own (BB_EIO).
 */
#include "option.h"

#include <backbone/assert.h>
#include <backbone/normalise.h>

#include <errno.h>
#include <stdlib.h>

void bb_config_free(struct bb_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->connector_n; i++)
		if (!config->sources[i].borrowed)
			bb_connector_free(config->connectors[i]);
	for (size_t i = 0; i < config->rules.namespace_n; i++)
		for (size_t k = 0; k < config->rules.namespaces[i].block_n; k++)
			bb_pattern_free(config->rules.namespaces[i].block[k]);
	bb_arena_fini(&config->arena);
	free(config);
}

void bb_config_take(struct bb_config *config, struct bb_config *before)
{
	for (size_t i = 0; i < config->connector_n; i++) {
		struct bb_config_source *source = &config->sources[i];

		if (!source->borrowed)
			continue;
		bb_assert(before->connectors[source->place] == config->connectors[i]);
		before->sources[source->place].borrowed = true;
		source->borrowed = false;
	}
}

/* The connectors of `config`, as a configuration of their own. */
static struct bb_config *part_with_connectors(const struct bb_config *config)
{
	struct bb_config *parted = calloc(1, sizeof *parted);
	size_t n = config->connector_n;

	bb_assert(parted != NULL);
	bb_arena_init(&parted->arena);
	parted->connectors = bb_arena_alloc(&parted->arena, n * sizeof *parted->connectors);
	parted->sources = bb_arena_alloc(&parted->arena, n * sizeof *parted->sources);
	parted->connector_n = parted->connector_room = n;
	for (size_t i = 0; i < n; i++) {
		parted->connectors[i] = config->connectors[i];
		parted->sources[i] =
			(struct bb_config_source){.borrowed = config->sources[i].borrowed};
	}
	return parted;
}

struct bb_config *bb_config_follow(struct bb_config *config, const struct bb_config *other)
{
	struct bb_config *parted = part_with_connectors(config);

	if (other->connector_n > config->connector_room) { /* else reloads would add up */
		config->connector_room = 2 * other->connector_n;
		config->connectors = bb_arena_alloc(
			&config->arena, config->connector_room * sizeof *config->connectors);
		config->sources = bb_arena_alloc(&config->arena,
						 config->connector_room * sizeof *config->sources);
	}
	config->connector_n = other->connector_n;
	for (size_t i = 0; i < other->connector_n; i++) {
		config->connectors[i] = other->connectors[i];
		config->sources[i] = (struct bb_config_source){.borrowed = true};
	}
	return parted;
}

struct bb_connector *bb_config_connector(const struct bb_config *config, const char *name)
{
	for (size_t i = 0; i < config->connector_n; i++)
		if (strcmp(bb_connector_name(config->connectors[i]), name) == 0)
			return config->connectors[i];
	return NULL;
}

/* Fills file and directory: absolute; a link to the file itself is not followed. */
static int locate(const char *file, struct bb_config *config, struct bb_error *err)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	const char *directory =
		!slash ? "."
		       : bb_arena_printf(&config->arena, "%.*s", (int)(slash - file) + 1, file).p;
	char *resolved = realpath(directory, NULL);

	if (!resolved)
		return bb_error_set(err, BB_EIO, "%s: %s", file, strerrordesc_np(errno));
	config->directory = bb_arena_copy(&config->arena, bb_text_of(resolved)).p;
	config->file = bb_file_join(resolved, name, &config->arena);
	free(resolved);
	return BB_OK;
}

int bb_config_load(const char *file, struct bb_config **ret_config,
		   struct bb_diagnostics *diagnostics, struct bb_error *err)
{
	return bb_config_load_beside(file, NULL, ret_config, diagnostics, err);
}

int bb_config_load_beside(const char *file, const struct bb_config *before,
			  struct bb_config **ret_config, struct bb_diagnostics *diagnostics,
			  struct bb_error *err)
{
	struct bb_config *config = calloc(1, sizeof *config);
	struct bb_loading loading = {
		.file = file, .config = config, .before = before, .diagnostics = diagnostics};
	size_t mistakes = diagnostics->found;
	struct bb_text text;
	int code;

	bb_assert(config != NULL);
	bb_arena_init(&config->arena);
	code = locate(file, config, err);
	if (code == BB_OK)
		code = bb_file_read(file, diagnostics->arena, &text, err);
	if (code != BB_OK)
		goto out;
	loading.root = bb_yaml_read(file, text, diagnostics);
	if (loading.root) {
		bb_schema_read(&loading);
		bb_identity_read(&loading);
		bb_sources_read(&loading);
	}
	if (diagnostics->found == mistakes && !bb_yaml_has_told(diagnostics))
		*ret_config = config;
	else
		code = bb_error_set(err, BB_ECONFIG, "%s: %zu mistake%s", file,
				    diagnostics->found - mistakes,
				    diagnostics->found - mistakes == 1 ? "" : "s");
out:
	if (code != BB_OK)
		bb_config_free(config);
	return code;
}
