/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every option of the daemon's configuration file, in the order of the manual. A new option is a
 * row here and a field to fill; reading, messages, the reference and the check of
 * conf/backbone.yaml follow by themselves. Defaults are safe for somebody who has read nothing.
 *
 * The defaults of a namespace depend on what it is; they are those of bb_rules_namespace_defaults,
 * and `shown` says so to people.
 */
#include "option.h"

#include <backbone/clock.h>

#define IN_CONFIG(field) .where = BB_IN_CONFIG, .offset = offsetof(struct bb_config, field)
#define IN_DRAFT(field) .where = BB_IN_DRAFT, .offset = offsetof(struct bb_draft, field)
#define IN_NAMESPACE(field)                                                                        \
	.where = BB_IN_NAMESPACE, .offset = offsetof(struct bb_namespace_draft, field)
#define IN_REPLAY(field) .where = BB_IN_REPLAY, .offset = offsetof(struct bb_replay_draft, field)

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define MOST_IDENTIFIERS 100000
#define MOST_DAYS 36500

#define X(name, text) text,
static const char *const preferences[] = {BB_PREFERENCES(X) NULL};
static const char *const normalisers[] = {BB_NORMALISERS(X) NULL};
#undef X
static const char *const peers[] = {"none", "read", NULL}; /* bb_draft.unknown_peers */

const struct bb_option bb_options[] = {
	{"profile_key", BB_OPTION_KEY, IN_CONFIG(rules.profile_key), .fallback = NULL,
	 .help = "The secret that makes profile ids: nobody without it can tell a profile's id "
		 "from "
		 "an identifier. It can never be changed on an existing store; keep a copy of it "
		 "somewhere safe. All daemons that shall give the same ids need the same key."},

	{"store", BB_OPTION_SECTION, .fallback = "", .help = "Where everything is kept."},
	{"store.path", BB_OPTION_PATH, IN_CONFIG(store_path), .fallback = "/var/lib/backbone",
	 .help = "A folder of its own; made, with mode 0700, if it is missing."},
	{"store.map_size", BB_OPTION_SIZE, IN_CONFIG(store_map_size_bytes), 16 * MIB, 64 * TIB,
	 .fallback = "1TiB",
	 .help = "Address space to reserve, the upper bound of the store. It costs neither memory "
		 "nor disk; make it larger than the store will ever be."},
	{"store.quota", BB_OPTION_SIZE, IN_CONFIG(store_quota_bytes), 0, 64 * TIB, .fallback = "0",
	 .help = "Above it nothing is taken in any more, while look-ups go on. 0: none."},
	{"store.window", BB_OPTION_DURATION, IN_CONFIG(rules.window_ms), BB_HOUR_MS,
	 MOST_DAYS *BB_DAY_MS, .fallback = "30d",
	 .help = "How long the names of events are remembered, in the time of the log: a copy of "
		 "an event that comes within it is a duplicate, a later one counts again."},
	{"store.dead_letter_days", BB_OPTION_NUMBER, IN_CONFIG(dead_letter_days), 1, MOST_DAYS,
	 .fallback = "30", .help = "Dead letters that are older are removed."},

	{"changes", BB_OPTION_SECTION, .fallback = "",
	 .help = "The change feed: which profiles were created, updated, merged, split, renamed, "
		 "erased. Older changes are dropped; a consumer that is further behind has to "
		 "begin anew."},
	{"changes.max", BB_OPTION_NUMBER, IN_DRAFT(changes_max), 0, 1000000000,
	 .fallback = "1000000",
	 .help = "So many changes are kept at most; one takes some 30 bytes. 0: there is no feed."},
	{"changes.days", BB_OPTION_NUMBER, IN_DRAFT(changes_days), 1, MOST_DAYS, .fallback = "30",
	 .help = "Changes that are older are dropped."},

	{"kafka", BB_OPTION_SECTION, .fallback = "", .help = "The broker to read from."},
	{"kafka.brokers", BB_OPTION_TEXT, IN_CONFIG(kafka_brokers), .fallback = "none",
	 .none = true, .example = "127.0.0.1:9092",
	 .help = "One or more `host:port`, with commas between them; the others are found by them. "
		 "`none`: nothing is read from Kafka."},
	{"kafka.group", BB_OPTION_TEXT, IN_CONFIG(kafka_group), .fallback = "backbone",
	 .example = "backbone",
	 .help = "The name under which tools for consumer lag see the daemon. The offsets that "
		 "count are in the store."},
	{"kafka.options", BB_OPTION_KAFKA, IN_CONFIG(kafka_options), .fallback = "",
	 .example = "security.protocol: SASL_SSL",
	 .help = "Passed on to librdkafka by their names there, all but those that a guarantee "
		 "rests on."},

	{"connectors", BB_OPTION_TEXTS, IN_DRAFT(connectors), .fallback = "",
	 .example = "connectors/*.yaml",
	 .help = "Files of connectors, or patterns of them with `*`, `?` and `[...]`."},
	{"direct", BB_OPTION_SECTION, .fallback = "",
	 .help = "The built-in connector `direct`, for events in canonical form."},
	{"direct.topics", BB_OPTION_TEXTS, IN_DRAFT(topics), .fallback = "", .example = "events",
	 .help = "Topics whose messages are canonical events."},

	{"replay", BB_OPTION_SECTIONS, IN_DRAFT(replay), .fallback = "",
	 .help = "Files to take in by the same way as messages from Kafka, one message a line. "
		 "Each "
		 "line is taken once; what is appended later follows."},
	{"replay[].connector", BB_OPTION_TEXT, IN_REPLAY(connector), .fallback = NULL,
	 .example = "direct", .help = "The name of the connector that reads the lines."},
	{"replay[].files", BB_OPTION_TEXTS, IN_REPLAY(files), .fallback = NULL,
	 .example = "history/*.ndjson", .help = "Files, or patterns of them; read in their order."},

	{"batch", BB_OPTION_SECTION, .fallback = "",
	 .help = "How much is written in one transaction at most, when the daemon is behind."},
	{"batch.events", BB_OPTION_NUMBER, IN_CONFIG(batch_events), 1, 1000000, .fallback = "20000",
	 .help = "Messages in a batch."},
	{"batch.bytes", BB_OPTION_SIZE, IN_CONFIG(batch_bytes), BB_MESSAGE_BYTES_MAX, GIB,
	 .fallback = "8MiB", .help = "Bytes of messages in a batch."},

	{"identity", BB_OPTION_SECTION, .fallback = "",
	 .help = "Which identifiers there are, and what they may link."},
	{"identity.max_identifiers", BB_OPTION_NUMBER, IN_CONFIG(rules.max_identifiers), 1,
	 MOST_IDENTIFIERS, .fallback = "500", .help = "Identifiers in one profile at most."},
	{"identity.namespaces", BB_OPTION_SECTIONS, IN_DRAFT(namespaces), .fallback = NULL,
	 .help = "The namespaces of identifiers, **strongest first**: what names a person best "
		 "comes "
		 "first. At least one."},
	{"identity.namespaces[].name", BB_OPTION_TEXT, IN_NAMESPACE(ns.name), .fallback = NULL,
	 .example = "email",
	 .help = "Lower-case letters, digits, `_` and `.`, a letter first; at most 40 bytes."},
	{"identity.namespaces[].owner", BB_OPTION_BOOL, IN_NAMESPACE(ns.owner), .fallback = "false",
	 .help = "Each identifier of it belongs to one person: customer number, user id, loyalty "
		 "card."},
	{"identity.namespaces[].durable", BB_OPTION_BOOL, IN_NAMESPACE(ns.durable),
	 .fallback = "true",
	 .help = "`false` for cookies and devices: they name no profile while a durable identifier "
		 "is there."},
	{"identity.namespaces[].per_profile", BB_OPTION_NUMBER, IN_NAMESPACE(ns.per_profile), 1,
	 MOST_IDENTIFIERS, .none = true, .fallback = "", .shown = "1 if `owner`, else `none`",
	 .help = "So many different identifiers of it in one profile at most."},
	{"identity.namespaces[].owners", BB_OPTION_NUMBER, IN_NAMESPACE(ns.owners), 1,
	 MOST_IDENTIFIERS, .none = true, .fallback = "",
	 .shown = "`none` if `owner`; 1 if not `durable`; else 5",
	 .help = "One that comes with more owners of one owner namespace is shared, and links "
		 "nobody. For a durable one the `per_profile` of that namespace counts if it is "
		 "larger. 1 is no guess: right for devices and for cards of a household."},
	{"identity.namespaces[].links", BB_OPTION_NUMBER, IN_NAMESPACE(ns.links), 0,
	 MOST_IDENTIFIERS, .none = true, .fallback = "", .shown = "20",
	 .help = "One that comes with more different durable identifiers is shared."},
	{"identity.namespaces[].devices", BB_OPTION_NUMBER, IN_NAMESPACE(ns.devices), 0,
	 100 * MOST_IDENTIFIERS, .none = true, .fallback = "",
	 .shown = "`none` if `owner`, else 1000",
	 .help = "One that comes with more different identifiers that are not durable is shared."},
	{"identity.namespaces[].records", BB_OPTION_NUMBER, IN_NAMESPACE(ns.records), 1,
	 100 * MOST_IDENTIFIERS, .none = true, .fallback = "",
	 .shown = "`none` if `owner`, else 5000",
	 .help = "One that is in more records (sets of identifiers that came together) is shared."},
	{"identity.namespaces[].prefer", BB_OPTION_WORD, IN_NAMESPACE(ns.prefer),
	 .words = preferences, .fallback = "newest",
	 .help = "Which of two competing links wins: the one seen last, first, or most often."},
	{"identity.namespaces[].block", BB_OPTION_TEXTS, IN_NAMESPACE(block), .fallback = "",
	 .example = "^test-",
	 .help = "Patterns of values that are junk here: POSIX extended; a match anywhere counts."},
	{"identity.namespaces[].junk", BB_OPTION_BOOL, IN_NAMESPACE(ns.junk), .fallback = "true",
	 .help = "Whether the built-in list of junk applies too (`null`, `guest`, zeros, ...)."},
	{"identity.namespaces[].normalise", BB_OPTION_WORD, IN_NAMESPACE(ns.normaliser),
	 .words = normalisers, .fallback = "trim", .help = "How a raw value becomes canonical."},
	{"identity.namespaces[].region", BB_OPTION_REGION, IN_NAMESPACE(ns.region), .none = true,
	 .fallback = "none",
	 .help = "The country of phone numbers that come without a country code; with `normalise: "
		 "phone` only."},
	{"identity.namespaces[].derive", BB_OPTION_TEXTS, IN_NAMESPACE(derive), .fallback = "",
	 .example = "email_sha256",
	 .help = "Further identifiers that are computed from each canonical value. `email_sha256`, "
		 "`phone_sha256`: its SHA-256, in hexadecimal digits, into the namespace of that "
		 "name, "
		 "which must be in the list."},

	{"view", BB_OPTION_SECTION, .fallback = "",
	 .help = "How facts become the view of a customer."},
	{"view.sources", BB_OPTION_TEXTS, IN_DRAFT(sources), .fallback = "", .example = "shop_till",
	 .help = "Names of connectors, most trusted first: of two values of the same time the one "
		 "of the more trusted source holds."},
	{"view.attributes", BB_OPTION_RULES, IN_CONFIG(rules.attributes), .fallback = "",
	 .example = "tags: union",
	 .help = "The rule of an attribute: `latest`, `first`, `min`, `max`, `sum` or `union`. All "
		 "others have `latest`."},
	{"view.recent", BB_OPTION_NUMBER, IN_CONFIG(rules.recent), 0, 1000, .fallback = "20",
	 .help = "So many events are listed, the latest ones."},
	{"view.activity_days", BB_OPTION_NUMBER, IN_CONFIG(rules.activity_days), 1, MOST_DAYS,
	 .fallback = "400", .help = "So many days of activity can be asked for."},
	{"view.max_future", BB_OPTION_DURATION, IN_CONFIG(rules.max_future_ms), 0,
	 MOST_DAYS *BB_DAY_MS, .fallback = "24h",
	 .help = "A time that is further ahead of the log's is replaced by the log's."},
	{"view.min_time", BB_OPTION_TIME, IN_CONFIG(rules.min_time_ms), .fallback = "1990-01-01",
	 .help = "A time before it is replaced by the log's."},

	{"serve", BB_OPTION_SECTION, .fallback = "", .help = "The sockets."},
	{"serve.unknown_peers", BB_OPTION_WORD, IN_DRAFT(unknown_peers), .words = peers,
	 .fallback = "none",
	 .help = "What those may do who connect but are in none of the groups."},
	{"serve.query", BB_OPTION_SECTION, .fallback = "",
	 .help = "Look-ups, by the Redis protocol."},
	{"serve.query.path", BB_OPTION_PATH, IN_CONFIG(query.path), .none = true,
	 .fallback = "/run/backbone/query.sock",
	 .help = "The socket. One that the service manager hands over goes first."},
	{"serve.query.mode", BB_OPTION_MODE, IN_CONFIG(query.mode), .fallback = "0660",
	 .help = "The mode of the socket."},
	{"serve.query.group", BB_OPTION_TEXT, IN_CONFIG(query.group), .none = true,
	 .fallback = "none", .example = "backbone-clients",
	 .help = "The group of the socket. `none`: the daemon's own."},
	{"serve.query.tcp", BB_OPTION_ADDRESS, IN_CONFIG(query.tcp), .none = true,
	 .fallback = "none",
	 .help = "A loopback address, for clients that know no Unix sockets. Everybody on the "
		 "machine can connect to it."},
	{"serve.admin", BB_OPTION_SECTION, .fallback = "", .help = "Administration, by HTTP."},
	{"serve.admin.path", BB_OPTION_PATH, IN_CONFIG(admin.path), .none = true,
	 .fallback = "/run/backbone/admin.sock", .help = "As for `query`."},
	{"serve.admin.mode", BB_OPTION_MODE, IN_CONFIG(admin.mode), .fallback = "0660",
	 .help = "As for `query`."},
	{"serve.admin.group", BB_OPTION_TEXT, IN_CONFIG(admin.group), .none = true,
	 .fallback = "none", .example = "backbone-admin", .help = "As for `query`."},
	{"serve.admin.tcp", BB_OPTION_ADDRESS, IN_CONFIG(admin.tcp), .none = true,
	 .fallback = "none", .help = "As for `query`."},
	{"serve.steward_group", BB_OPTION_TEXT, IN_CONFIG(steward_group), .none = true,
	 .fallback = "none", .example = "backbone-stewards",
	 .help = "Only its members may give and see rulings. `none`: whoever is in the group of "
		 "the admin socket."},
	{"serve.privacy_group", BB_OPTION_TEXT, IN_CONFIG(privacy_group), .none = true,
	 .fallback = "none", .example = "backbone-privacy",
	 .help = "Only its members may erase and export persons. `none`: whoever is in the group "
		 "of the admin socket."},
	{"serve.cache", BB_OPTION_SIZE32, IN_CONFIG(cache_bytes), 0, GIB, .fallback = "128MiB",
	 .help = "Memory for views as they were last written, filled by look-ups alone; every "
		 "commit "
		 "makes them stale. 0: none."},
	{"serve.limits", BB_OPTION_SECTION, .fallback = "",
	 .help = "So that no client costs the others anything."},
	{"serve.limits.connections", BB_OPTION_NUMBER, IN_CONFIG(limits.connections), 1, 60000,
	 .fallback = "1000", .help = "Clients at the same time."},
	{"serve.limits.connections_per_uid", BB_OPTION_NUMBER,
	 IN_CONFIG(limits.connections_per_uid), 1, 60000, .fallback = "500",
	 .help = "Clients of one user at the same time."},
	{"serve.limits.commands_per_turn", BB_OPTION_NUMBER, IN_CONFIG(limits.commands_per_turn), 1,
	 100000, .fallback = "64",
	 .help = "Commands of one client that are answered before the others have their turn."},
	{"serve.limits.output", BB_OPTION_SIZE32, IN_CONFIG(limits.output_bytes), MIB / 16, GIB,
	 .fallback = "1MiB",
	 .help = "Replies that wait for a slow client; above it nothing more is read from it."},
	{"serve.limits.total_output", BB_OPTION_SIZE32, IN_CONFIG(limits.total_output_bytes), MIB,
	 GIB, .fallback = "64MiB",
	 .help = "What waits for slow clients, for all of them together; above it the client for "
		 "which most waits is closed."},
	{"serve.limits.idle", BB_OPTION_SECONDS, IN_CONFIG(limits.idle_seconds), 0, 86400 * 365,
	 .fallback = "5m", .help = "A client that says nothing so long is closed. 0: never."},
};

const size_t bb_option_n = sizeof bb_options / sizeof *bb_options;
