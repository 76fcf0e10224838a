/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's configuration: one YAML file, read by libyaml's events against one table of options
 * (daemon/config/options.c), from which the manual's reference and the check of conf/backbone.yaml
 * come too. Anchors, aliases, tags, merge keys, duplicate and unknown keys are errors with
 * file:line:column.
 * `${NAME}` is an environment variable, `${credential:name}` a file of $CREDENTIALS_DIRECTORY; in
 * values only.
 */
#ifndef BACKBONE_CONFIG_H
#define BACKBONE_CONFIG_H

#include <backbone/connector.h>
#include <backbone/rules.h>

#define BB_CONFIG_FILE_MAX ((size_t)1024 * 1024) /* of one file, a connector's too */

struct bb_config_option { /* passed on to librdkafka */
	const char *name, *value;
	unsigned line, column;
};

struct bb_config_replay {
	const char *connector;
	const char **files; /* as written, patterns expanded, made absolute, sorted */
	size_t file_n;
};

struct bb_config_source {    /* what a connector was made of */
	const char *file;    /* relative to where the configuration was named; NULL: built in */
	struct bb_text text; /* the file as it was read */
	bool borrowed;	     /* the connector is another configuration's: nothing has changed */
	size_t place;	     /* where it is there, until bb_config_take */
};

struct bb_config_socket {
	const char *path;  /* NULL: not served */
	unsigned mode;	   /* 0660 */
	const char *group; /* NULL: not changed */
	const char *tcp;   /* 127.0.0.1:6380, loopback only; NULL: none */
};

struct bb_config_limits { /* on clients */
	uint32_t connections, connections_per_uid, commands_per_turn;
	uint32_t output_bytes, total_output_bytes, idle_seconds;
};

struct bb_config {
	const char *file, *directory; /* absolute */
	const char *store_path;
	uint64_t store_map_size_bytes, store_quota_bytes;
	const char *kafka_brokers; /* NULL: no Kafka */
	const char *kafka_group;   /* name for lag displays */
	struct bb_config_option *kafka_options;
	size_t kafka_option_n;
	struct bb_config_replay *replay;
	size_t replay_n;
	const char **direct_topics; /* direct: {topics: [...]}: canonical events from Kafka */
	size_t direct_topic_n;
	uint32_t batch_events;
	uint64_t batch_bytes;
	struct bb_rules rules;
	bool anyone_reads; /* serve.unknown_peers: read | none */
	struct bb_config_socket query, admin;
	const char *steward_group; /* may give rulings; NULL: all who may use the admin socket */
	const char *privacy_group; /* may erase and export; NULL: the same */
	struct bb_config_limits limits;
	uint32_t cache_bytes; /* of views as they were last written; 0: none */
	uint32_t dead_letter_days;
	struct bb_connector **connectors; /* compiled; `direct` first */
	struct bb_config_source *sources; /* of each connector */
	size_t connector_n, connector_room;
	struct bb_arena arena; /* owns every string */
};

/*
 * Reads FILE and all its connectors. BB_OK, or BB_ECONFIG with everything that is wrong in
 * `diagnostics`, or BB_EIO (cannot be read; `err`).
 */
BB_MUST_CHECK int bb_config_load(const char *file, struct bb_config **ret_config,
				 struct bb_diagnostics *diagnostics, struct bb_error *err);
void bb_config_free(struct bb_config *config); /* NULL-safe */

/*
 * The same, beside one that is in use: a connector whose file, and what of the rules it was
 * compiled against, are the same is not compiled anew but borrowed from `before`, which must stay
 * until bb_config_take.
 */
BB_MUST_CHECK int bb_config_load_beside(const char *file, const struct bb_config *before,
					struct bb_config **ret_config,
					struct bb_diagnostics *diagnostics, struct bb_error *err);

/* The connectors that were borrowed are its own now; `before` only knows them, for as long as this
 * one lives. */
void bb_config_take(struct bb_config *config, struct bb_config *before);

/* Its connectors are no longer in use: it has those of `other` now, for as long as that lives. What
 * it had is returned, to be freed on any thread. */
struct bb_config *bb_config_follow(struct bb_config *config, const struct bb_config *other)
	__attribute__((returns_nonnull, warn_unused_result));

/* The connector of that name, or NULL. */
struct bb_connector *bb_config_connector(const struct bb_config *config, const char *name);

/* Appends the reference of all options in Markdown: path, default, what is allowed, meaning. */
void bb_config_reference(struct bb_buf *buf);

#endif
