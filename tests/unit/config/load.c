/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations that load, and what they become. */
#include <backbone/clock.h>
#include <backbone/normalise.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

#include "helpers.h"

TestSuite(config, .init = folder_begin, .fini = folder_end);

static const char *in_folder(const char *name)
{
	static char path[8][300];
	static unsigned turn;
	char *p = path[turn++ % 8];

	snprintf(p, 300, "%s/%s", folder(), name);
	return p;
}

Test(config, has_safe_defaults)
{
	struct bb_config *config = load(BASE);

	cr_assert_not_null(config, "%s", complaints());
	cr_assert_str_eq(config->file, in_folder("backbone.yaml"));
	cr_assert_str_eq(config->directory, folder());
	cr_assert_str_eq(config->store_path, "/var/lib/backbone");
	cr_assert_eq(config->store_map_size_bytes, UINT64_C(1) << 40);
	cr_assert_eq(config->store_quota_bytes, 0);
	cr_assert_null(config->kafka_brokers);
	cr_assert_str_eq(config->kafka_group, "backbone");
	cr_assert_eq(config->kafka_option_n + config->replay_n + config->direct_topic_n, 0);
	cr_assert_eq(config->batch_events, 20000);
	cr_assert_eq(config->batch_bytes, 8 << 20);
	cr_assert_eq(config->dead_letter_days, 30);
	cr_assert_not(config->anyone_reads);
	cr_assert_str_eq(config->query.path, "/run/backbone/query.sock");
	cr_assert_str_eq(config->admin.path, "/run/backbone/admin.sock");
	cr_assert(config->query.mode == 0660 && config->admin.mode == 0660);
	cr_assert(!config->query.group && !config->admin.group);
	cr_assert(!config->query.tcp && !config->admin.tcp);
	cr_assert_eq(config->limits.connections, 1000);
	cr_assert_eq(config->limits.connections_per_uid, 500);
	cr_assert_eq(config->limits.commands_per_turn, 64);
	cr_assert_eq(config->limits.output_bytes, 1 << 20);
	cr_assert_eq(config->limits.total_output_bytes, 64 << 20);
	cr_assert_eq(config->limits.idle_seconds, 300);
	cr_assert_eq(config->connector_n, 1);
	cr_assert_str_eq(bb_connector_name(config->connectors[0]), "direct");
	bb_config_free(config);
}

Test(config, has_the_defaults_of_the_rules)
{
	struct bb_config *config = load(BASE);
	struct bb_rules rules;

	bb_rules_defaults(&rules);
	cr_assert_eq(config->rules.max_identifiers, rules.max_identifiers);
	cr_assert_eq(config->rules.recent, rules.recent);
	cr_assert_eq(config->rules.activity_days, rules.activity_days);
	cr_assert_eq(config->rules.changes_max, rules.changes_max);
	cr_assert_eq(config->rules.changes_age_ms, rules.changes_age_ms);
	cr_assert_eq(config->rules.max_future_ms, rules.max_future_ms);
	cr_assert_eq(config->rules.min_time_ms, rules.min_time_ms);
	cr_assert_eq(config->rules.window_ms, rules.window_ms);
	cr_assert_eq(config->rules.source_n + config->rules.attribute_n, 0);
	bb_config_free(config);
}

Test(config, gives_each_kind_of_namespace_its_defaults)
{
	struct bb_config *config =
		load(KEY "identity:\n  namespaces:\n    - {name: a, owner: true, durable: true}\n"
			 "    - {name: b, owner: true, durable: false}\n    - {name: c}\n"
			 "    - {durable: false, name: d}\n");

	cr_assert_not_null(config, "%s", complaints());
	cr_assert_eq(config->rules.namespace_n, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct bb_namespace *ns = &config->rules.namespaces[i];
		struct bb_namespace wanted;

		bb_rules_namespace_defaults(&wanted, "", i < 2, i % 2 == 0);
		cr_assert(ns->owner == wanted.owner && ns->durable == wanted.durable, "%zu", i);
		cr_assert(ns->junk == wanted.junk && ns->prefer == wanted.prefer, "%zu", i);
		cr_assert_eq(ns->normaliser, wanted.normaliser, "%zu", i);
		cr_assert_eq(ns->per_profile, wanted.per_profile, "%zu", i);
		cr_assert_eq(ns->owners, wanted.owners, "%zu", i);
		cr_assert_eq(ns->links, wanted.links, "%zu", i);
		cr_assert_eq(ns->devices, wanted.devices, "%zu", i);
		cr_assert_eq(ns->records, wanted.records, "%zu", i);
		cr_assert(!ns->region && ns->block_n == 0 && ns->derive_n == 0, "%zu", i);
	}
	bb_config_free(config);
}

Test(config, reads_store_kafka_and_batch)
{
	struct bb_config *config =
		load(BASE "store: {path: data, map_size: 16MiB, quota: 4096KiB, window: 36h, "
			  "dead_letter_days: 7}\n"
			  "changes: {max: 5, days: 2}\n"
			  "kafka:\n  brokers: a:1,b:2\n  group: lag\n"
			  "  options: {security.protocol: SSL, linger.ms: 05}\n"
			  "direct: {topics: [x.y, z_1]}\nbatch: {events: 1, bytes: 1073741824}\n");
	const struct bb_config_option *options;

	cr_assert_not_null(config, "%s", complaints());
	options = config->kafka_options;
	cr_assert_str_eq(config->store_path, in_folder("data"));
	cr_assert_eq(config->store_map_size_bytes, 16 << 20);
	cr_assert_eq(config->store_quota_bytes, 4 << 20);
	cr_assert_eq(config->rules.window_ms, 36 * BB_HOUR_MS);
	cr_assert_eq(config->dead_letter_days, 7);
	cr_assert_eq(config->rules.changes_max, 5);
	cr_assert_eq(config->rules.changes_age_ms, 2 * BB_DAY_MS);
	cr_assert_str_eq(config->kafka_brokers, "a:1,b:2");
	cr_assert_str_eq(config->kafka_group, "lag");
	cr_assert_eq(config->kafka_option_n, 2);
	cr_assert_str_eq(options[1].name, "linger.ms");
	cr_assert_str_eq(options[1].value, "05", "text stays as it is");
	cr_assert(options[1].line == 8 && options[1].column == 37);
	cr_assert_eq(config->direct_topic_n, 2);
	cr_assert_str_eq(config->direct_topics[1], "z_1");
	cr_assert_eq(bb_connector_topic_n(config->connectors[0]), 2);
	cr_assert_eq(config->batch_events, 1);
	cr_assert_eq(config->batch_bytes, 1 << 30);
	bb_config_free(config);
}

Test(config, reads_identity)
{
	struct bb_config *config = load(
		"profile_key: 00112233445566778899AABBccddeeff\nidentity:\n  max_identifiers: 77\n"
		"  namespaces:\n"
		"    - {name: a.b_1, per_profile: none, owners: 3, links: 0, devices: none, "
		"records: 9, prefer: most, block: ['^x', y$], junk: false, normalise: none}\n"
		"    - {name: email, normalise: email, derive: [email_sha256], prefer: oldest}\n"
		"    - {name: email_sha256, normalise: hex}\n"
		"    - {name: phone, normalise: phone, region: FR}\n");
	const struct bb_namespace *ns;

	cr_assert_not_null(config, "%s", complaints());
	ns = config->rules.namespaces;
	cr_assert_eq(config->rules.profile_key.b[0], 0);
	cr_assert_eq(config->rules.profile_key.b[10], 0xaa);
	cr_assert_eq(config->rules.profile_key.b[15], 0xff);
	cr_assert_eq(config->rules.max_identifiers, 77);
	cr_assert_eq(config->rules.namespace_n, 4);
	cr_assert_str_eq(ns[0].name, "a.b_1");
	cr_assert(ns[0].per_profile == BB_NO_LIMIT && ns[0].owners == 3 && ns[0].links == 0 &&
		  ns[0].devices == BB_NO_LIMIT && ns[0].records == 9);
	cr_assert(ns[0].prefer == BB_PREFER_MOST && ns[1].prefer == BB_PREFER_OLDEST);
	cr_assert(!ns[0].junk && ns[0].normaliser == BB_NORMALISE_NONE);
	cr_assert_eq(ns[0].block_n, 2);
	cr_assert(bb_pattern_matches(ns[0].block[1], BB_TEXT("my")));
	cr_assert_not(bb_pattern_matches(ns[0].block[0], BB_TEXT("my")));
	cr_assert_eq(ns[1].derive_n, 1);
	cr_assert_str_eq(ns[1].derive[0], "email_sha256");
	cr_assert_eq(ns[2].normaliser, BB_NORMALISE_HEX);
	cr_assert_str_eq(ns[3].region, "FR");
	bb_config_free(config);
}

Test(config, reads_view)
{
	struct bb_config *config =
		load(BASE "view:\n  sources: [b-1, a]\n  attributes: {tags: union, points: max, "
			  "address.city: first, a: sum}\n  recent: 0\n  activity_days: 10\n"
			  "  max_future: 90m\n  min_time: 2001-02-03T04:05:06+01:00\n");
	static const char *const sorted[] = {"a", "address.city", "points", "tags"};

	cr_assert_not_null(config, "%s", complaints());
	cr_assert_eq(bb_rules_trust(&config->rules, BB_TEXT("b-1")), 0);
	cr_assert_eq(bb_rules_trust(&config->rules, BB_TEXT("a")), 1);
	cr_assert_eq(config->rules.attribute_n, 4);
	for (size_t i = 0; i < 4; i++)
		cr_assert_str_eq(config->rules.attributes[i].name, sorted[i]);
	cr_assert_eq(bb_rules_fold(&config->rules, BB_TEXT("tags")), BB_FOLD_UNION);
	cr_assert_eq(bb_rules_fold(&config->rules, BB_TEXT("a")), BB_FOLD_SUM);
	cr_assert_eq(bb_rules_fold(&config->rules, BB_TEXT("b")), BB_FOLD_LATEST);
	cr_assert_eq(config->rules.recent, 0);
	cr_assert_eq(config->rules.activity_days, 10);
	cr_assert_eq(config->rules.max_future_ms, 90 * 60 * BB_SECOND_MS);
	cr_assert_eq(config->rules.min_time_ms, INT64_C(981169506000));
	bb_config_free(config);
}

Test(config, reads_serve)
{
	struct bb_config *config = load(
		BASE "serve:\n  unknown_peers: read\n  query: {path: q.sock, mode: 600, group: g, "
		     "tcp: '127.9.8.7:6380'}\n  admin: {path: none, mode: 0666, group: none, tcp: "
		     "'[::1]:65535'}\n  limits: {connections: 5, connections_per_uid: 4, "
		     "commands_per_turn: 3, output: 64KiB, idle: 0}\n");

	cr_assert_not_null(config, "%s", complaints());
	cr_assert(config->anyone_reads);
	cr_assert_str_eq(config->query.path, in_folder("q.sock"));
	cr_assert_eq(config->query.mode, 0600);
	cr_assert_str_eq(config->query.group, "g");
	cr_assert_str_eq(config->query.tcp, "127.9.8.7:6380");
	cr_assert_null(config->admin.path);
	cr_assert_eq(config->admin.mode, 0666);
	cr_assert_null(config->admin.group);
	cr_assert_str_eq(config->admin.tcp, "[::1]:65535");
	cr_assert_eq(config->limits.connections, 5);
	cr_assert_eq(config->limits.connections_per_uid, 4);
	cr_assert_eq(config->limits.commands_per_turn, 3);
	cr_assert_eq(config->limits.output_bytes, 65536);
	cr_assert_eq(config->limits.idle_seconds, 0);
	bb_config_free(config);
}

Test(config, takes_empty_sections)
{
	struct bb_config *config = load(BASE "store:\nkafka: {}\nconnectors: []\nreplay:\n"
					     "direct:\n  topics:\nbatch:\nview:\n  attributes:\n"
					     "serve:\n  query:\n  limits:\n");

	cr_assert_not_null(config, "%s", complaints());
	cr_assert_eq(config->batch_events, 20000);
	bb_config_free(config);
}

Test(config, fills_in_the_environment)
{
	struct bb_config *config;

	setenv("BB_TEST_EVENTS", "123", 1);
	config = load(BASE "batch: {events: '${BB_TEST_EVENTS}'}\n");
	cr_assert_eq(config->batch_events, 123, "%s", complaints());
	bb_config_free(config);
}

Test(config, frees_nothing)
{
	bb_config_free(NULL);
}

Test(config, says_why_the_file_cannot_be_read)
{
	struct bb_config *config = NULL;
	char *large = malloc((1 << 20) + 2);

	cr_assert_eq(load_file("none.yaml", &config), BB_EIO);
	cr_assert_str_eq(load_error(), "none.yaml: No such file or directory");
	cr_assert_eq(load_file("none/none.yaml", &config), BB_EIO);
	cr_assert_str_eq(load_error(), "none/none.yaml: No such file or directory");
	cr_assert_eq(load_file(".", &config), BB_EIO);
	cr_assert_str_eq(load_error(), ".: Is a directory");
	cr_assert_eq(mkfifo("pipe.yaml", 0600), 0);
	cr_assert_eq(load_file("pipe.yaml", &config), BB_EIO, "and waits for nobody");
	cr_assert(strstr(load_error(), "pipe.yaml: not a regular file"), "%s", load_error());
	file_write("backbone.yaml", BASE "connectors: [pipe.yaml]\n");
	cr_assert_eq(load_file("backbone.yaml", &config), BB_ECONFIG);
	cr_assert(strstr(complaints(), "pipe.yaml: not a regular file"), "%s", complaints());
	memset(large, '#', (1 << 20) + 1);
	large[(1 << 20) + 1] = '\0';
	file_write("large.yaml", large);
	cr_assert_eq(load_file("large.yaml", &config), BB_EIO);
	cr_assert_str_eq(load_error(), "large.yaml: larger than 1048576 bytes");
	large[1 << 20] = '\0';
	file_write("large.yaml", large);
	cr_assert_eq(load_file("large.yaml", &config), BB_ECONFIG, "only comments");
	cr_assert_null(config);
	free(large);
}

Test(config, is_relative_to_its_folder)
{
	struct bb_config *config = NULL;
	char expected[300];

	file_write("sub/c.yaml", BASE "store: {path: ../data}\n");
	cr_assert_eq(load_file("sub/c.yaml", &config), BB_OK, "%s", complaints());
	snprintf(expected, sizeof expected, "%s/sub/../data", folder());
	cr_assert_str_eq(config->store_path, expected);
	bb_config_free(config);
}
