/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration in force, as JSON under the names of the file, without secrets: the profile key
 * is not there, and values of options that may hold one are hidden. Cannot fail.
 */
#include "route.h"

static void text_member(const char *name, const char *value, struct bb_buf *buf)
{
	bb_buf_printf(buf, "\"%s\":", name);
	if (value)
		bb_buf_json(buf, bb_text_of(value));
	else
		bb_buf_printf(buf, "null");
}

static bool may_be_secret(const char *name)
{
	static const char *const words[] = {"password", "secret", "credential",	   "key",
					    "jaas",	"token",  "sasl.username", "config"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

static void kafka_json(const struct bb_config *config, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"kafka\":{");
	text_member("brokers", config->kafka_brokers, buf);
	bb_buf_byte(buf, ',');
	text_member("group", config->kafka_group, buf);
	bb_buf_printf(buf, ",\"options\":{");
	for (size_t i = 0; i < config->kafka_option_n; i++) {
		const struct bb_config_option *option = &config->kafka_options[i];

		if (i > 0)
			bb_buf_byte(buf, ',');
		text_member(option->name, may_be_secret(option->name) ? "(hidden)" : option->value,
			    buf);
	}
	bb_buf_printf(buf, "}}");
}

static void connectors_json(const struct bb_config *config, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"connectors\":[");
	for (size_t i = 0; i < config->connector_n; i++) {
		const struct bb_connector *connector = config->connectors[i];

		bb_buf_printf(buf, "%s{", i > 0 ? "," : "");
		text_member("connector", bb_connector_name(connector), buf);
		bb_buf_byte(buf, ',');
		text_member("channel", bb_connector_channel(connector), buf);
		bb_buf_printf(buf, ",\"topics\":[");
		for (size_t t = 0; t < bb_connector_topic_n(connector); t++) {
			if (t > 0)
				bb_buf_byte(buf, ',');
			bb_buf_json(buf, bb_text_of(bb_connector_topic(connector, t)));
		}
		bb_buf_printf(buf, "],");
		text_member("pattern", bb_connector_topic_pattern(connector), buf);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static void limit_member(const char *name, uint32_t value, struct bb_buf *buf)
{
	if (value == BB_NO_LIMIT)
		bb_buf_printf(buf, ",\"%s\":null", name);
	else
		bb_buf_printf(buf, ",\"%s\":%u", name, value);
}

static void namespace_json(const struct bb_namespace *ns, struct bb_buf *buf)
{
	static const char *const normalisers[] = {
#define X(name, text) text,
		BB_NORMALISERS(X)
#undef X
	};
	static const char *const preferences[] = {
#define X(name, text) text,
		BB_PREFERENCES(X)
#undef X
	};

	bb_buf_byte(buf, '{');
	text_member("name", ns->name, buf);
	bb_buf_printf(buf, ",\"owner\":%s,\"durable\":%s", ns->owner ? "true" : "false",
		      ns->durable ? "true" : "false");
	limit_member("per_profile", ns->per_profile, buf);
	limit_member("owners", ns->owners, buf);
	limit_member("links", ns->links, buf);
	limit_member("devices", ns->devices, buf);
	limit_member("records", ns->records, buf);
	bb_buf_printf(buf, ",\"prefer\":\"%s\",\"block\":%zu,\"junk\":%s,\"normalise\":\"%s\",",
		      preferences[ns->prefer], ns->block_n, ns->junk ? "true" : "false",
		      normalisers[ns->normaliser]);
	text_member("region", ns->region, buf);
	bb_buf_byte(buf, '}');
}

static void rules_json(const struct bb_rules *rules, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"identity\":{\"max_identifiers\":%u,\"namespaces\":[",
		      rules->max_identifiers);
	for (size_t i = 0; i < rules->namespace_n; i++) {
		if (i > 0)
			bb_buf_byte(buf, ',');
		namespace_json(&rules->namespaces[i], buf);
	}
	bb_buf_printf(buf, "]},\"view\":{\"sources\":[");
	for (size_t i = 0; i < rules->source_n; i++) {
		if (i > 0)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, bb_text_of(rules->sources[i]));
	}
	bb_buf_printf(buf, "],\"recent\":%u,\"activity_days\":%u}", rules->recent,
		      rules->activity_days);
}

static void socket_json(const char *name, const struct bb_config_socket *socket, struct bb_buf *buf)
{
	bb_buf_printf(buf, "\"%s\":{", name);
	text_member("path", socket->path, buf);
	bb_buf_printf(buf, ",\"mode\":\"%04o\",", socket->mode);
	text_member("group", socket->group, buf);
	bb_buf_byte(buf, ',');
	text_member("tcp", socket->tcp, buf);
	bb_buf_byte(buf, '}');
}

void bb_config_json(const struct bb_config *config, struct bb_buf *buf)
{
	const struct bb_config_limits *limits = &config->limits;

	bb_buf_byte(buf, '{');
	text_member("file", config->file, buf);
	bb_buf_printf(buf, ",\"store\":{");
	text_member("path", config->store_path, buf);
	bb_buf_printf(buf, ",\"map_size\":%llu,\"quota\":%llu}",
		      (unsigned long long)config->store_map_size_bytes,
		      (unsigned long long)config->store_quota_bytes);
	kafka_json(config, buf);
	bb_buf_printf(buf, ",\"batch\":{\"events\":%u,\"bytes\":%llu}", config->batch_events,
		      (unsigned long long)config->batch_bytes);
	connectors_json(config, buf);
	rules_json(&config->rules, buf);
	bb_buf_printf(buf, ",\"serve\":{");
	socket_json("query", &config->query, buf);
	bb_buf_byte(buf, ',');
	socket_json("admin", &config->admin, buf);
	bb_buf_byte(buf, ',');
	text_member("steward_group", config->steward_group, buf);
	bb_buf_byte(buf, ',');
	text_member("privacy_group", config->privacy_group, buf);
	bb_buf_printf(buf,
		      ",\"unknown_peers\":\"%s\",\"cache\":%u,\"limits\":{\"connections\":%u,"
		      "\"connections_per_uid\":%u,\"commands_per_turn\":%u,\"output_bytes\":%u,"
		      "\"total_output_bytes\":%u,\"idle_seconds\":%u}}}",
		      config->anyone_reads ? "read" : "none", config->cache_bytes,
		      limits->connections, limits->connections_per_uid, limits->commands_per_turn,
		      limits->output_bytes, limits->total_output_bytes, limits->idle_seconds);
}
