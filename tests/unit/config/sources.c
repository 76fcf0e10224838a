/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors and files to replay. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"

#define UNKNOWN_NS                                                                                 \
	"connector: bad\nchannel: pos\ntopics: [t]\nformat: json\nevents:\n  - name: order\n"      \
	"    type: order_placed\n    identify: [{ns: nobody, from: '$.e'}]\n"

/* `$` stands for the test's folder. */
static const char *written_out(const char *text)
{
	static char out[4096];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '$')
			n += (size_t)snprintf(out + n, sizeof out - n, "%s", folder());
		else
			out[n++] = *text;
	}
	out[n] = '\0';
	return out;
}

static void expect(const char *yaml, const char *expected)
{
	cr_assert_null(load(yaml), "%s", yaml);
	cr_assert_str_eq(complaints(), written_out(expected), "%s", complaints());
}

Test(config, sources_connectors_come_in_order)
{
	struct bb_config *config;

	file_write("c/b.yaml", CONNECTOR("one", "t1"));
	file_write("c/a.yaml", CONNECTOR("two", "t2"));
	file_write("c/a.yml", "not read");
	file_write("z.yaml", CONNECTOR("three", "t3"));
	config = load(BASE "connectors: [z.yaml, 'c/*.yaml', c/b.yaml]\n");
	cr_assert_not_null(config, "%s", complaints());
	cr_assert_eq(config->connector_n, 4);
	cr_assert_str_eq(bb_connector_name(config->connectors[0]), "direct");
	cr_assert_str_eq(bb_connector_name(config->connectors[1]), "three");
	cr_assert_str_eq(bb_connector_name(config->connectors[2]), "two");
	cr_assert_str_eq(bb_connector_name(config->connectors[3]), "one");
	cr_assert_eq(bb_config_connector(config, "two"), config->connectors[2]);
	cr_assert_eq(bb_config_connector(config, "direct"), config->connectors[0]);
	cr_assert_null(bb_config_connector(config, "four"));
	bb_config_free(config);
}

Test(config, sources_a_pattern_may_match_nothing_in_a_folder_that_is_there)
{
	cr_assert_eq(mkdir("c", 0700), 0);
	bb_config_free(load(BASE "connectors: ['c/*.yaml', '*.none']\n"));
	cr_assert_str_eq(complaints(), "");
}

Test(config, sources_a_folder_may_look_like_a_pattern)
{
	struct bb_config *config = NULL;

	file_write("a[b]*\\/backbone.yaml", BASE "connectors: ['c?.yaml']\n");
	file_write("a[b]*\\/c1.yaml", CONNECTOR("one", "t1"));
	cr_assert_eq(load_file("a[b]*\\/backbone.yaml", &config), BB_OK, "%s", complaints());
	cr_assert_eq(config->connector_n, 2);
	bb_config_free(config);
}

Test(config, sources_connectors_that_are_not_there)
{
	expect(BASE "connectors: [none.yaml, 'none/*.yaml', a.yaml/b.yaml]\n",
	       "backbone.yaml:3:14: connectors[0]: none.yaml: No such file or directory\n"
	       "backbone.yaml:3:25: connectors[1]: none: No such file or directory\n"
	       "backbone.yaml:3:40: connectors[2]: a.yaml/b.yaml: No such file or directory\n");
	cr_assert_eq(mkdir("folder.yaml", 0700), 0);
	expect(BASE "connectors: ['f*.yaml']\n",
	       "backbone.yaml:3:14: connectors[0]: the connector cannot be read: folder.yaml: Is "
	       "a directory\n");
}

Test(config, sources_connectors_that_do_not_compile_are_told_with_their_own_file)
{
	file_write("c/a.yaml", "connector: [\n");
	file_write("c/b.yaml", UNKNOWN_NS);
	file_write("c/c.yaml", CONNECTOR("good", "t1"));
	cr_assert_null(load(BASE "connectors: ['c/*.yaml']\n"
				 "replay: [{connector: bad, files: [c/a.yaml]}]\n"));
	cr_assert_not_null(strstr(complaints(), "c/a.yaml:2:1: connector: not valid YAML"), "%s",
			   complaints());
	cr_assert_not_null(strstr(complaints(), "c/b.yaml:8:"), "%s", complaints());
	cr_assert_null(strstr(complaints(), "unknown connector"), "%s", complaints());
}

Test(config, sources_are_checked_against_namespaces_without_a_name)
{
	file_write("a.yaml", CONNECTOR("shop", "t1"));
	expect(KEY "identity: {namespaces: [{owner: true, block: [x]}, {name: email}]}\n"
		   "connectors: [a.yaml]\n",
	       "backbone.yaml:2:25: identity.namespaces[0]: the key \"name\" is missing; allowed: "
	       "text, such as email\n");
}

Test(config, sources_names_and_topics_are_unique)
{
	file_write("a.yaml", CONNECTOR("shop", "t1"));
	file_write("b.yaml", CONNECTOR("shop", "t2"));
	expect(BASE "connectors: [a.yaml, b.yaml]\n",
	       "b.yaml:1:12: connector: the connector \"shop\" is also in a.yaml; choose "
	       "another "
	       "name\n");
	file_write("b.yaml", CONNECTOR("web", "t0, t1"));
	expect(BASE "connectors: [a.yaml, b.yaml]\n", "b.yaml:3:9: topics: the topic \"t1\" is "
						      "read by the connector \"shop\" already; a "
						      "topic has one connector\n");
	expect(BASE "connectors: [a.yaml]\ndirect: {topics: [t1]}\n",
	       "a.yaml:3:9: topics: the topic \"t1\" is read by the connector \"direct\" "
	       "already; a "
	       "topic has one connector\n");
}

Test(config, sources_direct_is_taken)
{
	cr_assert_null(load(BASE "connectors: [a.yaml]\n"));
	file_write("a.yaml", CONNECTOR("direct", "t1"));
	cr_assert_null(load(BASE "connectors: [a.yaml]\n"));
	cr_assert_not_null(strstr(complaints(), "a.yaml:1:12: connector: "), "%s", complaints());
	cr_assert_not_null(strstr(complaints(), "direct"), "%s", complaints());
}

Test(config, sources_replays_files_in_order)
{
	struct bb_config *config;
	const char *files[3];

	file_write("h/2.ndjson", "");
	file_write("h/1.ndjson", "");
	file_write("3.ndjson", "");
	cr_assert_eq(symlink("3.ndjson", "link.ndjson"), 0);
	file_write("shop.yaml", CONNECTOR("shop", "t1"));
	config = load(BASE "connectors: [shop.yaml]\nreplay:\n"
			   "  - {connector: direct, files: ['h/*.ndjson', h/../h/2.ndjson]}\n"
			   "  - {connector: shop, files: [link.ndjson, ./3.ndjson, 'h/*.none']}\n");
	cr_assert_not_null(config, "%s", complaints());
	cr_assert_eq(config->replay_n, 2);
	cr_assert_str_eq(config->replay[0].connector, "direct");
	cr_assert_eq(config->replay[0].file_n, 2);
	cr_assert_eq(config->replay[1].file_n, 1, "a link is the file that it leads to");
	files[0] = config->replay[0].files[0];
	files[1] = config->replay[0].files[1];
	files[2] = config->replay[1].files[0];
	cr_assert_str_eq(files[0], written_out("$/h/1.ndjson"));
	cr_assert_str_eq(files[1], written_out("$/h/2.ndjson"));
	cr_assert_str_eq(files[2], written_out("$/3.ndjson"));
	bb_config_free(config);
}

Test(config, sources_replays_no_file_twice)
{
	file_write("a.ndjson", "");
	expect(BASE "replay:\n  - {connector: direct, files: [a.ndjson]}\n"
		    "  - {connector: direct, files: ['*.ndjson']}\n",
	       "backbone.yaml:5:33: replay[1].files[0]: $/a.ndjson is in replay[0] already; a file "
	       "is read once\n");
}

Test(config, sources_replay_needs_a_connector_that_is_there)
{
	file_write("a.ndjson", "");
	expect(BASE "replay: [{connector: dirct, files: [a.ndjson]}]\n",
	       "backbone.yaml:3:22: replay[0].connector: unknown connector \"dirct\"; allowed: "
	       "direct; did you mean \"direct\"?\n");
}

Test(config, sources_replay_files_that_are_not_there)
{
	expect(BASE "replay: [{connector: direct, files: [none.ndjson, 'none/*']}]\n",
	       "backbone.yaml:3:38: replay[0].files[0]: $/none.ndjson: No such file or directory\n"
	       "backbone.yaml:3:51: replay[0].files[1]: $/none: No such file or directory\n");
	cr_assert_eq(symlink("nowhere", "dangling.ndjson"), 0);
	expect(BASE "replay: [{connector: direct, files: ['d*.ndjson']}]\n",
	       "backbone.yaml:3:38: replay[0].files[0]: $/dangling.ndjson: No such file or "
	       "directory\n");
}

static struct bb_diagnostics beside_diagnostics;

static struct bb_config *load_beside(const struct bb_config *before)
{
	struct bb_config *config = NULL;
	struct bb_error err = {BB_OK, ""};

	beside_diagnostics.n = 0;
	return bb_config_load_beside("backbone.yaml", before, &config, &beside_diagnostics, &err)
		       ? NULL
		       : config;
}

Test(config, sources_beside_another_only_what_has_changed_is_compiled)
{
	static const char main_file[] = BASE "connectors: ['c/*.yaml']\n";
	struct bb_arena arena;
	struct bb_config *before, *config;

	bb_arena_init(&arena);
	beside_diagnostics = (struct bb_diagnostics){.arena = &arena};
	file_write("c/a.yaml", CONNECTOR("one", "t1"));
	file_write("c/b.yaml", CONNECTOR("two", "t2"));
	file_write("c/c.yaml", CONNECTOR("three", "t3") "# ${HOME}\n");
	before = load(main_file);
	cr_assert_not_null(before, "%s", complaints());
	cr_assert_null(before->sources[0].file);
	cr_assert_str_eq(before->sources[1].file, "c/a.yaml");

	file_write("c/b.yaml", CONNECTOR("two", "t2b"));
	file_write("c/d.yaml", CONNECTOR("four", "t4"));
	config = load_beside(before);
	cr_assert_not_null(config);
	cr_assert_eq(config->connector_n, 5);
	cr_assert_eq(config->connectors[1], before->connectors[1], "its file has not changed");
	cr_assert(config->sources[1].borrowed);
	cr_assert_neq(config->connectors[2], before->connectors[2], "its file has changed");
	cr_assert_str_eq(bb_connector_topic(config->connectors[2], 0), "t2b");
	cr_assert_not(config->sources[2].borrowed);
	cr_assert_neq(config->connectors[3], before->connectors[3], "it has a reference");
	cr_assert_str_eq(bb_connector_name(config->connectors[4]), "four");

	bb_config_take(config, before);
	cr_assert_not(config->sources[1].borrowed);
	cr_assert(before->sources[1].borrowed);
	bb_config_free(before);
	cr_assert_str_eq(bb_connector_name(config->connectors[1]), "one", "it is config's now");
	bb_config_free(config);
	bb_arena_fini(&arena);
}

Test(config, sources_one_that_stays_follows_those_that_come_after_it)
{
	struct bb_config *first, *second, *third;
	struct bb_arena arena;

	bb_arena_init(&arena);
	beside_diagnostics = (struct bb_diagnostics){.arena = &arena};
	file_write("c/a.yaml", CONNECTOR("one", "t1"));
	file_write("c/b.yaml", CONNECTOR("two", "t2"));
	first = load(BASE "connectors: ['c/*.yaml']\n");
	cr_assert_not_null(first, "%s", complaints());
	file_write("c/b.yaml", CONNECTOR("two", "t3"));
	second = load_beside(first);
	cr_assert_not_null(second);
	bb_config_take(second, first);
	bb_config_free(bb_config_follow(first, second));
	file_write("c/a.yaml", CONNECTOR("one", "t4"));
	third = load_beside(second);
	cr_assert_not_null(third);
	bb_config_take(third, second);
	bb_config_free(bb_config_follow(first, third));
	bb_config_free(second); /* and the connector that it got from the first */
	cr_assert_eq(first->connector_n, 3);
	cr_assert_str_eq(bb_connector_topic(bb_config_connector(first, "one"), 0), "t4");
	cr_assert_str_eq(bb_connector_topic(bb_config_connector(first, "two"), 0), "t3");
	bb_config_free(third);
	bb_config_free(first);
	bb_arena_fini(&arena);
}

Test(config, sources_one_that_stays_does_not_grow_with_reloads)
{
	struct bb_config *first, *before, *config;
	struct bb_arena arena;
	size_t bytes = 0;

	bb_arena_init(&arena);
	beside_diagnostics = (struct bb_diagnostics){.arena = &arena};
	file_write("c/a.yaml", CONNECTOR("one", "t1"));
	file_write("c/b.yaml", CONNECTOR("two", "t2"));
	first = before = load(BASE "connectors: ['c/*.yaml']\n");
	for (size_t i = 0; i < 500; i++) {
		file_write("c/c.yaml", i % 2 ? CONNECTOR("three", "t3") : CONNECTOR("more", "t4"));
		config = load_beside(before);
		cr_assert_not_null(config);
		bb_config_take(config, before);
		bb_config_free(bb_config_follow(first, config));
		if (before != first)
			bb_config_free(before);
		before = config;
		bytes = i == 0 ? first->arena.total_bytes : bytes;
	}
	cr_expect_eq(first->arena.total_bytes, bytes, "%zu, was %zu", first->arena.total_bytes,
		     bytes);
	bb_config_free(before);
	bb_config_free(first);
	bb_arena_fini(&arena);
}

Test(config, sources_one_that_is_given_up_leaves_what_it_borrowed)
{
	struct bb_arena arena;
	struct bb_config *before;

	bb_arena_init(&arena);
	beside_diagnostics = (struct bb_diagnostics){.arena = &arena};
	file_write("c/a.yaml", CONNECTOR("one", "t1"));
	before = load(BASE "connectors: ['c/*.yaml']\n");
	cr_assert_not_null(before, "%s", complaints());
	file_write("c/b.yaml", CONNECTOR("two", "t1"));
	cr_assert_null(load_beside(before), "t1 is read twice");
	cr_assert_eq(beside_diagnostics.n, 1);
	file_write("c/b.yaml", CONNECTOR("two", "t2"));
	bb_config_free(load_beside(before));
	cr_assert_str_eq(bb_connector_name(before->connectors[1]), "one");
	bb_config_free(before);
	bb_arena_fini(&arena);
}

Test(config, sources_other_namespaces_compile_all_anew)
{
	struct bb_config *before, *config;
	struct bb_arena arena;

	bb_arena_init(&arena);
	beside_diagnostics = (struct bb_diagnostics){.arena = &arena};
	file_write("c/a.yaml", CONNECTOR("one", "t1"));
	before = load(BASE "connectors: ['c/*.yaml']\n");
	cr_assert_not_null(before, "%s", complaints());
	file_write("backbone.yaml", KEY "identity: {namespaces: [{name: user}, {name: email}]}\n"
					"connectors: ['c/*.yaml']\n");
	config = load_beside(before);
	cr_assert_not_null(config);
	cr_assert_neq(config->connectors[1], before->connectors[1]);
	bb_config_free(config);
	bb_config_free(before);
	bb_arena_fini(&arena);
}
