/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From drafts to rules: what the values of namespaces and sources mean together. Each namespace is
 * checked alone (its name, its region, its patterns), then against the others (twice the same name,
 * a derivation whose namespace is not there).
 *
 * A namespace with a mistake is kept all the same, so that the connectors are not told that it does
 * not exist; the configuration is refused at the end anyway.
 */
#include "option.h"

#include <backbone/clock.h>

#include <backbone/normalise.h>

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* [a-z][a-z0-9 and `others`]* */
static bool is_name(const char *name, const char *others)
{
	if (!is_lower(*name))
		return false;
	for (const char *p = name + 1; *p; p++)
		if (!is_lower(*p) && !is_digit(*p) && !strchr(others, *p))
			return false;
	return true;
}

static const char *path_of(struct bb_loading *loading, size_t i, const char *member)
{
	return bb_arena_printf(loading->diagnostics->arena, "identity.namespaces[%zu]%s", i, member)
		.p;
}

static const struct bb_yaml *node_of(const struct bb_namespace_draft *draft, const char *key)
{
	const struct bb_yaml *node = bb_yaml_get(draft->node, key);

	return node ? node : draft->node;
}

static void check_name(struct bb_loading *loading, size_t i)
{
	const struct bb_namespace_draft *drafts = loading->draft.namespaces, *draft = &drafts[i];
	const struct bb_yaml *node = node_of(draft, "name");
	const char *name = draft->ns.name;

	if (!is_name(name, "_.") || strlen(name) > BB_NAMESPACE_NAME_MAX)
		BB_COMPLAIN(
			loading, node, path_of(loading, i, ".name"),
			"\"%s\" is no name of a namespace; allowed: lower-case letters, digits, "
			"_ and ., a letter first, at most %d bytes",
			name, BB_NAMESPACE_NAME_MAX);
	for (size_t k = 0; k < i; k++) {
		if (strcmp(drafts[k].ns.name, name) != 0)
			continue;
		BB_COMPLAIN(loading, node, path_of(loading, i, ".name"),
			    "the namespace \"%s\" is here twice; it is at line %u already", name,
			    node_of(&drafts[k], "name")->line);
		break;
	}
}

static void check_region(struct bb_loading *loading, size_t i)
{
	const struct bb_namespace_draft *draft = &loading->draft.namespaces[i];

	if (draft->ns.region && draft->ns.normaliser != BB_NORMALISE_PHONE)
		BB_COMPLAIN(loading, node_of(draft, "region"), path_of(loading, i, ".region"),
			    "a region is for phone numbers; add `normalise: phone`, or leave it "
			    "out");
	else if (draft->ns.region && !bb_normalise_is_region(draft->ns.region))
		BB_COMPLAIN(loading, node_of(draft, "region"), path_of(loading, i, ".region"),
			    "\"%s\" has no telephone numbers that could be known; allowed: a "
			    "country in two upper-case letters of ISO 3166, such as FR, or GB for "
			    "the United Kingdom, or none",
			    draft->ns.region);
}

static void compile_patterns(struct bb_loading *loading, size_t i)
{
	struct bb_namespace_draft *draft = &loading->draft.namespaces[i];
	struct bb_pattern **patterns =
		bb_arena_alloc(&loading->config->arena, draft->block.n * sizeof *patterns);
	struct bb_error err;

	for (size_t k = 0; k < draft->block.n; k++) {
		if (bb_pattern_new(draft->block.items[k], &patterns[draft->ns.block_n], &err) ==
		    BB_OK)
			draft->ns.block_n++;
		else
			BB_COMPLAIN(loading, draft->block.nodes[k],
				    path_of(loading, i,
					    bb_arena_printf(loading->diagnostics->arena,
							    ".block[%zu]", k)
						    .p),
				    "%s", err.msg);
	}
	draft->ns.block = patterns;
}

static const struct bb_namespace *find_namespace(const struct bb_loading *loading, const char *name)
{
	for (size_t i = 0; i < loading->draft.namespace_n; i++) {
		const struct bb_namespace *ns = &loading->draft.namespaces[i].ns;

		if (strcmp(ns->name, name) == 0)
			return ns;
	}
	return NULL;
}

/* Whether lower-case hexadecimal digits stay as they are. */
static bool keeps_hashes(const struct bb_namespace *ns)
{
	return ns->normaliser == BB_NORMALISE_NONE || ns->normaliser == BB_NORMALISE_TRIM ||
	       ns->normaliser == BB_NORMALISE_LOWER || ns->normaliser == BB_NORMALISE_HEX;
}

static void check_derivation(struct bb_loading *loading, size_t i, size_t k)
{
	struct bb_namespace_draft *draft = &loading->draft.namespaces[i];
	struct bb_arena *arena = loading->diagnostics->arena;
	const char *name = draft->derive.items[k];
	const struct bb_yaml *node = draft->derive.nodes[k];
	const char *path = path_of(loading, i, bb_arena_printf(arena, ".derive[%zu]", k).p);
	const struct bb_namespace *target = find_namespace(loading, name);
	struct bb_text ignored;

	if (!bb_normalise_derive(name, BB_TEXT("a@b.org"), arena, &ignored))
		BB_COMPLAIN(loading, node, path,
			    "unknown derivation \"%s\"; allowed: email_sha256, "
			    "phone_sha256",
			    name);
	else if (!target)
		BB_COMPLAIN(
			loading, node, path,
			"the namespace \"%s\", which this fills, is not in identity.namespaces; "
			"add it, below this one",
			name);
	else if (target == &draft->ns)
		BB_COMPLAIN(loading, node, path, "a namespace cannot be derived from itself");
	else if (!keeps_hashes(target))
		BB_COMPLAIN(loading, node, path,
			    "the namespace \"%s\", which this fills, must have `normalise: hex`, "
			    "`lower`, `trim` or `none`",
			    name);
}

static void read_namespaces(struct bb_loading *loading)
{
	struct bb_rules *rules = &loading->config->rules;
	struct bb_draft *draft = &loading->draft;
	const struct bb_yaml *list = bb_schema_node(loading->root, "identity.namespaces");

	if (list && list->kind == BB_YAML_LIST && (list->n < 1 || list->n > BB_NAMESPACES_MAX))
		BB_COMPLAIN(loading, list, "identity.namespaces", "allowed: 1 to %d namespaces",
			    BB_NAMESPACES_MAX);
	rules->namespaces = bb_arena_alloc(&loading->config->arena,
					   draft->namespace_n * sizeof *rules->namespaces);
	for (size_t i = 0; i < draft->namespace_n; i++) {
		struct bb_namespace_draft *item = &draft->namespaces[i];

		if (*item->ns.name) /* else it is missing, and that was said */
			check_name(loading, i);
		check_region(loading, i);
		compile_patterns(loading, i);
		for (size_t k = 0; k < item->derive.n; k++)
			check_derivation(loading, i, k);
		item->ns.derive = item->derive.items;
		item->ns.derive_n = item->derive.n;
		rules->namespaces[rules->namespace_n++] = item->ns;
	}
}

static void read_trust(struct bb_loading *loading)
{
	const struct bb_text_list *sources = &loading->draft.sources;
	struct bb_rules *rules = &loading->config->rules;

	for (size_t i = 0; i < sources->n; i++) {
		const char *path =
			bb_arena_printf(loading->diagnostics->arena, "view.sources[%zu]", i).p;

		if (!is_name(sources->items[i], "_.-"))
			BB_COMPLAIN(loading, sources->nodes[i], path,
				    "\"%s\" is no name of a source; allowed: lower-case letters, "
				    "digits, _, . and -, a letter first",
				    sources->items[i]);
		for (size_t k = 0; k < i; k++)
			if (strcmp(sources->items[i], sources->items[k]) == 0)
				BB_COMPLAIN(loading, sources->nodes[i], path,
					    "the source \"%s\" is here twice; it is at line %u "
					    "already",
					    sources->items[i], sources->nodes[k]->line);
	}
	rules->sources = sources->items;
	rules->source_n = sources->n;
}

static void check_quota(struct bb_loading *loading)
{
	const struct bb_config *config = loading->config;

	if (config->store_quota_bytes > config->store_map_size_bytes)
		BB_COMPLAIN(loading, bb_schema_node(loading->root, "store.quota"), "store.quota",
			    "larger than store.map_size, so that the store is full before; make "
			    "map_size larger, or quota smaller");
}

void bb_identity_read(struct bb_loading *loading)
{
	read_namespaces(loading);
	read_trust(loading);
	check_quota(loading);
	loading->config->rules.changes_max = loading->draft.changes_max;
	loading->config->rules.changes_age_ms = loading->draft.changes_days * BB_DAY_MS;
	loading->config->anyone_reads = loading->draft.unknown_peers == 1; /* words of the table */
}
