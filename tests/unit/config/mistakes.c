/* SPDX-License-Identifier: Apache-2.0 */
/* Every message of the main file: where, what, what is allowed, what was meant. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "helpers.h"

struct row {
	const char *yaml, *complaints; /* `@` stands for `backbone.yaml:` */
};

/* The expected lines with their `@` written out. */
static const char *written_out(const char *text)
{
	static char out[8192];
	size_t n = 0;

	for (bool start = true; *text; start = *text++ == '\n') {
		if (start && *text == '@')
			n += (size_t)snprintf(out + n, sizeof out - n, "backbone.yaml:");
		else
			out[n++] = *text;
	}
	out[n] = '\0';
	return out;
}

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cr_assert_null(load(rows[i].yaml), "row %zu: %s", i, rows[i].yaml);
		cr_assert_str_eq(complaints(), written_out(rows[i].complaints),
				 "row %zu: %s\n%s\ninstead of\n%s", i, rows[i].yaml, complaints(),
				 written_out(rows[i].complaints));
	}
}

#define CHECK(rows) check((rows), sizeof(rows) / sizeof *(rows))

#define KEY_ALLOWED                                                                                \
	"allowed: 32 hexadecimal digits, made once by: od -An -N16 -tx1 /dev/urandom | tr -d ' "   \
	"'\n"
#define SECTIONS "allowed: a list of maps, each with its options\n"

Test(config, mistakes_keys)
{
	static const struct row rows[] = {
		{"", "@1:1: the key \"profile_key\" is missing; " KEY_ALLOWED
		     "@1:1: identity: the key \"namespaces\" is missing; " SECTIONS},
		{KEY "identity: {}\n",
		 "@2:11: identity: the key \"namespaces\" is missing; " SECTIONS},
		{BASE "kafak: {}\n",
		 "@3:1: kafak: unknown key \"kafak\"; allowed: profile_key, store, changes, kafka, "
		 "connectors, direct, replay, batch, identity, view, serve; did you mean "
		 "\"kafka\"?\n"},
		{BASE "kafka:\n  servers: a:1\n  groups: b\n",
		 "@4:3: kafka.servers: unknown key \"servers\"; allowed: brokers, group, options\n"
		 "@5:3: kafka.groups: unknown key \"groups\"; allowed: brokers, group, options; "
		 "did "
		 "you mean \"group\"?\n"},
		{BASE "serve: {query: {port: 1}}\n",
		 "@3:17: serve.query.port: unknown key \"port\"; allowed: path, mode, group, "
		 "tcp\n"},
		{BASE "store: [a]\n",
		 "@3:8: store: a list is not allowed here; allowed: a map of options\n"},
		{BASE "store: data\n",
		 "@3:8: store: \"data\" is not allowed here; allowed: a map of options\n"},
		{"[a]\n", "@1:1: a list is not allowed here; allowed: a map of options\n"},
		{BASE "batch: {events: 1}\nbatch: {events: 2}\n",
		 "@4:1: the key \"batch\" is here twice; it is at line 3 already\n"},
	};

	CHECK(rows);
}

static const struct row scalars[] = {
	{"profile_key: secret\nidentity: {namespaces: [{name: a}]}\n",
	 "@1:14: profile_key: this is no profile key; " KEY_ALLOWED},
	{"profile_key: 00112233445566778899aabbccddeefg\n"
	 "identity: {namespaces: [{name: a}]}\n",
	 "@1:14: profile_key: this is no profile key; " KEY_ALLOWED},
	{"profile_key:\nidentity: {namespaces: [{name: a}]}\n",
	 "@1:13: profile_key: a value is missing; " KEY_ALLOWED},
	{BASE "store: {map_size: 1TB}\n", "@3:19: store.map_size: \"1TB\" is not allowed "
					  "here; allowed: a size from 16MiB to "
					  "64TiB, in B, KiB, MiB, GiB or TiB\n"},
	{BASE "store: {map_size: 1MiB}\n",
	 "@3:19: store.map_size: \"1MiB\" is not allowed here; allowed: a size from 16MiB "
	 "to 64TiB, in B, KiB, MiB, GiB or TiB\n"},
	{BASE "store: {quota: 99999999999999TiB}\n",
	 "@3:16: store.quota: \"99999999999999TiB\" is not allowed here; allowed: a size "
	 "from 0 to 64TiB, in B, KiB, MiB, GiB or TiB\n"},
	{BASE "store: {quota: 32MiB, map_size: 16MiB}\n",
	 "@3:16: store.quota: larger than store.map_size, so that the store is full "
	 "before; "
	 "make map_size larger, or quota smaller\n"},
	{BASE "store: {window: 30}\n",
	 "@3:17: store.window: \"30\" is not allowed here; allowed: a duration from 1h to "
	 "36500d, in ms, s, m, h or d\n"},
	{BASE "store: {window: -1d}\n",
	 "@3:17: store.window: \"-1d\" is not allowed here; allowed: a duration from 1h to "
	 "36500d, in ms, s, m, h or d\n"},
	{BASE "store: {path: }\n",
	 "@3:15: store.path: a value is missing; write one, or leave the key out; allowed: "
	 "a "
	 "path; a relative one is relative to the folder of this file\n"},
	{BASE "store: {path: ''}\n",
	 "@3:15: store.path: \"\" is not allowed here; allowed: a path; a relative one is "
	 "relative to the folder of this file\n"},
	{BASE "kafka: {group: {a: b}}\n",
	 "@3:16: kafka.group: a map is not allowed here; allowed: text, such as "
	 "backbone\n"},
	{BASE "kafka: {brokers: ''}\n",
	 "@3:18: kafka.brokers: \"\" is not allowed here; allowed: text, such as "
	 "127.0.0.1:9092, or none\n"},
	{BASE "batch: {events: 0}\n", "@3:17: batch.events: \"0\" is not allowed here; "
				      "allowed: a whole number from 1 to "
				      "1000000\n"},
	{BASE "batch: {events: 007}\n",
	 "@3:17: batch.events: \"007\" is not allowed here; allowed: a whole number from 1 "
	 "to 1000000\n"},
	{BASE "batch: {events: 1 000}\n",
	 "@3:17: batch.events: \"1 000\" is not allowed here; allowed: a whole number from "
	 "1 to 1000000\n"},
	{BASE "batch: {events: 18446744073709551617}\n",
	 "@3:17: batch.events: \"18446744073709551617\" is not allowed here; allowed: a "
	 "whole number from 1 to 1000000\n"},
	{BASE "batch: {bytes: 255KiB}\n",
	 "@3:16: batch.bytes: \"255KiB\" is not allowed here; allowed: a size from 256KiB "
	 "to 1GiB, in B, KiB, MiB, GiB or TiB\n"},
	{BASE "view: {min_time: 1990}\n",
	 "@3:18: view.min_time: \"1990\" is not allowed here; allowed: a date such as "
	 "1990-01-01, or a time with its zone such as 1990-01-01T00:00:00Z, from 1970 "
	 "on\n"},
	{BASE "view: {min_time: 1969-12-31}\n",
	 "@3:18: view.min_time: \"1969-12-31\" is not allowed here; allowed: a date such "
	 "as "
	 "1990-01-01, or a time with its zone such as 1990-01-01T00:00:00Z, from 1970 "
	 "on\n"},
	{BASE "serve: {unknown_peers: raed}\n",
	 "@3:24: serve.unknown_peers: \"raed\" is not allowed here; allowed: none, read; "
	 "did you mean \"read\"?\n"},
	{BASE "serve: {query: {mode: 0888}}\n",
	 "@3:23: serve.query.mode: \"0888\" is not allowed here; allowed: three or four "
	 "octal digits, such as 0660\n"},
	{BASE "serve: {query: {mode: 1777}}\n",
	 "@3:23: serve.query.mode: \"1777\" is not allowed here; allowed: three or four "
	 "octal digits, such as 0660\n"},
	{BASE "serve: {limits: {idle: 1500ms}}\n",
	 "@3:24: serve.limits.idle: \"1500ms\" is not allowed here; allowed: a duration "
	 "from 0 to 365d, in whole seconds, as s, m, h or d\n"},
	{BASE "serve: {limits: {output: 1}}\n", "@3:26: serve.limits.output: \"1\" is not "
						"allowed here; allowed: a size from 64KiB "
						"to 1GiB, in B, KiB, MiB, GiB or TiB\n"},
};

Test(config, mistakes_scalars)
{
	CHECK(scalars);
}

Test(config, mistakes_addresses_that_are_not_of_the_loopback)
{
	static const char *const rows[] = {
		"0.0.0.0:6380",	     "192.168.1.2:6380",      "[::]:6380",	 "localhost:6380",
		"127.0.0.1",	     "127.0.0.1:0",	      "127.0.0.1:65536", "127.0.0.1:063",
		"::1:6380",	     "127.0.0.1:6380x",	      ":6380",		 "127.1:6380",
		"127.0.0.1000:6380", "1127.000.000.0001:6380"};
	char yaml[300], expected[400];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(yaml, sizeof yaml, BASE "serve: {admin: {tcp: '%s'}}\n", rows[i]);
		snprintf(
			expected, sizeof expected,
			"backbone.yaml:3:22: serve.admin.tcp: \"%s\" is not allowed here; allowed: "
			"a loopback address and a port, such as 127.0.0.1:6380 or [::1]:6380, or "
			"none\n",
			rows[i]);
		cr_assert_null(load(yaml), "%s", rows[i]);
		cr_assert_str_eq(complaints(), expected, "%s", complaints());
	}
}

Test(config, mistakes_lists_and_maps)
{
	static const struct row rows[] = {
		{BASE "connectors: a.yaml\n", "@3:13: connectors: \"a.yaml\" is not allowed here; "
					      "allowed: a list of texts, such "
					      "as ['connectors/*.yaml']\n"},
		{BASE "connectors: {a: b}\n",
		 "@3:13: connectors: a map is not allowed here; allowed: a list of texts, such as "
		 "['connectors/*.yaml']\n"},
		{BASE "direct: {topics: [a, [b], '']}\n",
		 "@3:22: direct.topics[1]: a text is needed here, such as 'events'\n"
		 "@3:27: direct.topics[2]: a text is needed here, such as 'events'\n"},
		{BASE "view: {attributes: [a]}\n",
		 "@3:20: view.attributes: a list is not allowed here; allowed: a map, such as "
		 "{tags: union}\n"},
		{BASE "view: {attributes: {a: maxx, b: [c], '': sum}}\n",
		 "@3:24: view.attributes.a: \"maxx\" is not allowed here; allowed: latest, first, "
		 "min, max, sum, union; did you mean \"max\"?\n"
		 "@3:33: view.attributes.b: a list is not allowed here; allowed: latest, first, "
		 "min, max, sum, union\n"
		 "@3:38: view.attributes: the name of an attribute has 1 to 256 bytes\n"},
		{BASE "replay: {a: b}\n",
		 "@3:9: replay: a map is not allowed here; allowed: a list of maps, each with its "
		 "options\n"},
		{BASE "replay: [a]\n",
		 "@3:10: replay[0]: \"a\" is not allowed here; allowed: a map of options\n"},
		{BASE "replay: [{file: a}]\n",
		 "@3:11: replay[0].file: unknown key \"file\"; allowed: connector, files; did you "
		 "mean \"files\"?\n"
		 "@3:10: replay[0]: the key \"connector\" is missing; allowed: text, such as "
		 "direct\n"
		 "@3:10: replay[0]: the key \"files\" is missing; allowed: a list of texts, such "
		 "as "
		 "['history/*.ndjson']\n"},
		{BASE "view: {sources: [a, B, a, _b]}\n",
		 "@3:21: view.sources[1]: \"B\" is no name of a source; allowed: lower-case "
		 "letters, digits, _, . and -, a letter first\n"
		 "@3:24: view.sources[2]: the source \"a\" is here twice; it is at line 3 already\n"
		 "@3:27: view.sources[3]: \"_b\" is no name of a source; allowed: lower-case "
		 "letters, digits, _, . and -, a letter first\n"},
		{BASE "direct: {topics: [a, 'b c', a, ..]}\n",
		 "@3:22: direct.topics[1]: \"b c\" is no name of a topic; allowed: letters, "
		 "digits, "
		 "., _ and -, at most 249 bytes\n"
		 "@3:29: direct.topics[2]: the topic \"a\" is here twice; it is at line 3 already\n"
		 "@3:32: direct.topics[3]: \"..\" is no name of a topic; allowed: letters, digits, "
		 "., _ and -, at most 249 bytes\n"},
	};

	CHECK(rows);
}

#define NAME_RULE                                                                                  \
	" is no name of a namespace; allowed: lower-case letters, digits, _ and ., a letter "      \
	"first, at most 40 bytes\n"
#define NAME_40 "a123456789b123456789c123456789d123456789"

static const struct row namespaces[] = {
	{KEY "identity: {namespaces: }\n",
	 "@2:24: identity.namespaces: a value is missing; " SECTIONS},
	{KEY "identity: {namespaces: []}\n",
	 "@2:24: identity.namespaces: allowed: 1 to 1000 namespaces\n"},
	{KEY "identity: {namespaces: {email: {}}}\n",
	 "@2:24: identity.namespaces: a map is not allowed here; " SECTIONS},
	{KEY "identity: {namespaces: [email]}\n",
	 "@2:25: identity.namespaces[0]: \"email\" is not allowed here; allowed: a map of "
	 "options\n"},
	{KEY "identity: {namespaces: [{owner: true}]}\n",
	 "@2:25: identity.namespaces[0]: the key \"name\" is missing; allowed: text, such "
	 "as "
	 "email\n"},
	{KEY "identity: {namespaces: [{name: E-Mail}]}\n",
	 "@2:32: identity.namespaces[0].name: \"E-Mail\"" NAME_RULE},
	{KEY "identity: {namespaces: [{name: " NAME_40 "}, {name: " NAME_40 "x}]}\n",
	 "@2:82: identity.namespaces[1].name: \"" NAME_40 "x\"" NAME_RULE},
	{KEY "identity:\n  namespaces:\n    - name: a\n    - name: b\n    - name: a\n",
	 "@6:13: identity.namespaces[2].name: the namespace \"a\" is here twice; it is at "
	 "line 4 already\n"},
	{KEY "identity: {namespaces: [{name: a, normalize: email}]}\n",
	 "@2:35: identity.namespaces[0].normalize: unknown key \"normalize\"; allowed: "
	 "name, "
	 "owner, durable, per_profile, owners, links, devices, records, prefer, block, "
	 "junk, "
	 "normalise, region, derive; did you mean \"normalise\"?\n"},
	{KEY "identity: {namespaces: [{name: a, normalise: e-mail}]}\n",
	 "@2:46: identity.namespaces[0].normalise: \"e-mail\" is not allowed here; "
	 "allowed: "
	 "none, trim, lower, email, phone, digits, uuid, hex; did you mean \"email\"?\n"},
	{KEY "identity: {namespaces: [{name: a, owner: yes}]}\n",
	 "@2:42: identity.namespaces[0].owner: \"yes\" is not allowed here; allowed: true, "
	 "false\n"},
	{KEY "identity: {namespaces: [{name: a, per_profile: 0, links: many}]}\n",
	 "@2:48: identity.namespaces[0].per_profile: \"0\" is not allowed here; allowed: a "
	 "whole number from 1 to 100000, or none\n"
	 "@2:58: identity.namespaces[0].links: \"many\" is not allowed here; allowed: a "
	 "whole number from 0 to 100000, or none\n"},
	{KEY "identity: {namespaces: [{name: a, prefer: newset}]}\n",
	 "@2:43: identity.namespaces[0].prefer: \"newset\" is not allowed here; allowed: "
	 "newest, oldest, most; did you mean \"newest\"?\n"},
	{KEY "identity: {namespaces: [{name: a, normalise: phone, region: fr}]}\n",
	 "@2:61: identity.namespaces[0].region: \"fr\" is not allowed here; allowed: two "
	 "upper-case letters of ISO 3166, such as FR, or none\n"},
	{KEY "identity: {namespaces: [{name: a, region: FR}]}\n",
	 "@2:43: identity.namespaces[0].region: a region is for phone numbers; add "
	 "`normalise: phone`, or leave it out\n"},
	{KEY "identity: {namespaces: [{name: a, normalise: phone, region: ZZ}, {name: b, region: "
	     "UK,\n  normalise: phone}]}\n",
	 "@2:61: identity.namespaces[0].region: \"ZZ\" has no telephone numbers that could be "
	 "known; allowed: a country in two upper-case letters of ISO 3166, such as FR, or GB for "
	 "the United Kingdom, or none\n"
	 "@2:84: identity.namespaces[1].region: \"UK\" has no telephone numbers that could be "
	 "known; allowed: a country in two upper-case letters of ISO 3166, such as FR, or GB for "
	 "the United Kingdom, or none\n"},
	{KEY "identity: {namespaces: [{name: a, derive: [email_sha1, email_sha256]}]}\n",
	 "@2:44: identity.namespaces[0].derive[0]: unknown derivation \"email_sha1\"; "
	 "allowed: email_sha256, phone_sha256\n"
	 "@2:56: identity.namespaces[0].derive[1]: the namespace \"email_sha256\", which "
	 "this fills, is not in identity.namespaces; add it, below this one\n"},
	{KEY "identity: {namespaces: [{name: email_sha256, derive: [email_sha256]}]}\n",
	 "@2:55: identity.namespaces[0].derive[0]: a namespace cannot be derived from "
	 "itself\n"},
	{KEY "identity: {namespaces: [{name: e, derive: [email_sha256]}, {name: email_sha256, "
	     "normalise: digits}]}\n",
	 "@2:44: identity.namespaces[0].derive[0]: the namespace \"email_sha256\", which "
	 "this fills, must have `normalise: hex`, `lower`, `trim` or `none`\n"},
};

Test(config, mistakes_namespaces)
{
	CHECK(namespaces);
}

Test(config, mistakes_patterns_say_what_the_engine_says)
{
	cr_assert_null(
		load(KEY "identity: {namespaces: [{name: a, block: ['^ok$', '(?i)x', '[']}]}\n"));
	cr_assert_not_null(strstr(complaints(),
				  "backbone.yaml:2:51: identity.namespaces[0].block[1]"
				  ": column 1 of the pattern: "),
			   "%s", complaints());
	cr_assert_not_null(strstr(complaints(),
				  "backbone.yaml:2:60: identity.namespaces[0].block[2]"
				  ": "),
			   "%s", complaints());
}

Test(config, mistakes_too_many_namespaces)
{
	struct bb_buf yaml = BB_BUF_EMPTY;

	bb_buf_printf(&yaml, "%sidentity:\n  namespaces:\n", KEY);
	for (int i = 0; i < BB_NAMESPACES_MAX; i++)
		bb_buf_printf(&yaml, "    - name: n%d\n", i);
	bb_buf_byte(&yaml, '\0');
	bb_config_free(load(yaml.p));
	cr_assert_str_eq(complaints(), "");
	yaml.n--;
	bb_buf_printf(&yaml, "    - name: one_more\n%c", '\0');
	cr_assert_null(load(yaml.p));
	cr_assert_str_eq(complaints(), "backbone.yaml:4:5: identity.namespaces: allowed: 1 to 1000 "
				       "namespaces\n");
	bb_buf_fini(&yaml);
}

/* A configuration with a list of so many topics for the connector `direct`. */
static void write_topics(struct bb_buf *yaml, unsigned n, const char *more)
{
	yaml->n = 0;
	bb_buf_printf(yaml, BASE "direct: {topics: [t0");
	for (unsigned i = 1; i < n; i++)
		bb_buf_printf(yaml, ",t%u", i);
	bb_buf_printf(yaml, "]}\n%s%c", more, '\0');
}

Test(config, mistakes_lists_that_are_too_long)
{
	struct bb_buf yaml = BB_BUF_EMPTY;

	file_write("c.yaml", CONNECTOR("till", "t"));
	write_topics(&yaml, 10000, "");
	bb_config_free(load(yaml.p));
	cr_expect_str_eq(complaints(), "");
	write_topics(&yaml, 10001, "");
	cr_expect_null(load(yaml.p));
	cr_expect_str_eq(complaints(),
			 "backbone.yaml:3:18: direct.topics: a list has at most 10000 "
			 "items here\n");
	write_topics(&yaml, 10000, "connectors: [c.yaml]\n");
	cr_expect_null(load(yaml.p));
	cr_expect_str_eq(complaints(), "c.yaml:3:9: topics: connectors name more than 10000 topics "
				       "in all; write patterns\n");
	bb_buf_fini(&yaml);
}

Test(config, mistakes_by_the_thousand_in_many_files)
{
	struct bb_buf names = BB_BUF_EMPTY;
	char name[40];

	for (unsigned i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "c%u.yaml", i);
		file_write(name, "x: 1\ny: 1\n");
	}
	file_write("z.yaml", CONNECTOR("till", "t"));
	cr_assert_null(load(BASE "connectors: ['[cz]*.yaml']\n"));
	cr_expect(strstr(complaints(), ": there is more that is wrong, here and behind: mend what "
				       "is told first\n"));
	bb_buf_printf(&names, BASE);
	for (unsigned i = 0; i < 1000; i++)
		bb_buf_printf(&names, "k%u: 1\n", i);
	bb_buf_byte(&names, '\0');
	cr_assert_null(load(names.p));
	cr_expect(strstr(complaints(), ": there is more that is wrong, here and behind: mend what "
				       "is told first\n"));
	bb_buf_fini(&names);
}

Test(config, mistakes_options_of_librdkafka_that_are_the_daemons)
{
	static const struct {
		const char *name, *reason;
	} rows[] = {
		{"bootstrap.servers", "write it as kafka.brokers"},
		{"metadata.broker.list", "write it as kafka.brokers"},
		{"group.id", "write it as kafka.group"},
		{"enable.auto.commit", "the offsets that count are stored together with the data"},
		{"enable.auto.offset.store",
		 "the offsets that count are stored together with the data"},
		{"auto.offset.reset", "a gap in the log must be an alarm, never a jump"},
		{"isolation.level", "messages of aborted transactions must never count"},
		{"check.crcs", "damaged messages must be seen"},
		{"enable.partition.eof", "the daemon must know when it has read everything"},
		{"partition.assignment.strategy",
		 "partitions are assigned from the offsets in the store"},
		{"plugin.library.paths", "no foreign code is loaded into the daemon"},
	};
	char yaml[300], expected[300];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(yaml, sizeof yaml, BASE "kafka: {options: {%s: x}}\n", rows[i].name);
		snprintf(expected, sizeof expected,
			 "backbone.yaml:3:19: kafka.options.%s: this option is the daemon's own; "
			 "leave "
			 "it out: %s\n",
			 rows[i].name, rows[i].reason);
		cr_assert_null(load(yaml), "%s", rows[i].name);
		cr_assert_str_eq(complaints(), expected, "%s", complaints());
	}
}

Test(config, mistakes_options_of_librdkafka_that_are_no_text)
{
	static const struct row rows[] = {
		{BASE "kafka: {options: [a]}\n",
		 "@3:18: kafka.options: a list is not allowed here; allowed: a map, such as "
		 "{security.protocol: SASL_SSL}\n"},
		{BASE "kafka: {options: {a: [b], c: , '': d}}\n",
		 "@3:22: kafka.options.a: a text is needed here; allowed: what librdkafka's manual "
		 "says of the option\n"
		 "@3:30: kafka.options.c: a text is needed here; allowed: what librdkafka's manual "
		 "says of the option\n"
		 "@3:32: kafka.options: an option needs a name\n"},
	};

	CHECK(rows);
}

Test(config, mistakes_come_all_at_once)
{
	static const char *const expected[] = {
		"backbone.yaml:1:14: profile_key: this is no profile key; ",
		"backbone.yaml:2:9: batch.event: unknown key \"event\"; allowed: events, bytes; ",
		"backbone.yaml:3:32: identity.namespaces[0].name: \"A\" is no name of a ",
		"backbone.yaml:4:33: replay[0].files[0]: ",
		"/none.ndjson: No such file or directory\n",
		"backbone.yaml:4:22: replay[0].connector: unknown connector \"x\"; allowed: ",
	};

	cr_assert_null(load("profile_key: x\nbatch: {event: 1}\n"
			    "identity: {namespaces: [{name: A}]}\n"
			    "replay: [{connector: x, files: [none.ndjson]}]\n"));
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		cr_assert_not_null(strstr(complaints(), expected[i]), "%s is not in\n%s",
				   expected[i], complaints());
	cr_assert_str_eq(load_error(), "backbone.yaml: 5 mistakes");
}

Test(config, mistakes_of_yaml_itself)
{
	static const struct row rows[] = {
		{BASE "store: &a {path: x}\n",
		 "@3:8: store: anchors (&name) are not allowed; write the value again\n"},
	};

	CHECK(rows);
	cr_assert_str_eq(load_error(), "backbone.yaml: 1 mistake");
}
