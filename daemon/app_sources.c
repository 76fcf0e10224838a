/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the configuration to sources: one for all topics of Kafka, one for each entry of `replay`.
 * Which connector reads what can change with a reload; which sources there are cannot.
 */
#include "app.h"

#include <backbone/assert.h>
#include <backbone/kafka.h>
#include <backbone/log.h>
#include <backbone/replay.h>

const struct bb_kafka_option *bb_app_kafka_options(const struct bb_config *config,
						   struct bb_arena *arena)
{
	struct bb_kafka_option *options =
		bb_arena_zalloc(arena, config->kafka_option_n * sizeof *options);

	for (size_t i = 0; i < config->kafka_option_n; i++) {
		const struct bb_config_option *from = &config->kafka_options[i];

		options[i] =
			(struct bb_kafka_option){from->name, from->value, from->line, from->column};
	}
	return options;
}

/* An ingest, and what is made for it. */
struct making {
	struct bb_app_sources *sources;
	const struct bb_config *config;
	struct bb_ingest *ingest;
};

static int kafka_new(struct making *making, const char *group, struct bb_error *err)
{
	const struct bb_config *config = making->config;
	struct bb_kafka_options options = {
		.brokers = config->kafka_brokers,
		.group = group,
		.option_n = config->kafka_option_n,
		.resume = bb_ingest_resume,
		.resume_ctx = making->ingest,
	};
	struct bb_arena arena;
	int code;

	bb_arena_init(&arena);
	options.options = bb_app_kafka_options(config, &arena);
	code = bb_kafka_new(&options, &making->sources->kafka, err);
	bb_arena_fini(&arena);
	if (!code)
		bb_ingest_add(making->ingest, making->sources->kafka);
	return code;
}

void bb_app_sources_warn(const struct bb_config *config)
{
	for (size_t i = 0; !config->kafka_brokers && i < config->connector_n; i++) {
		const struct bb_connector *connector = config->connectors[i];

		if (bb_connector_topic_n(connector) || bb_connector_topic_pattern(connector))
			bb_log(BB_LOG_WARNING, "topics_not_read",
			       "connector=%s names topics, but kafka.brokers is not set",
			       bb_connector_name(connector));
	}
}

static void replay_new(struct making *making, const struct bb_config_replay *replay)
{
	struct bb_replay_options options = {
		.files = replay->files,
		.file_n = replay->file_n,
		.connector = bb_config_connector(making->config, replay->connector),
		.resume = bb_ingest_resume,
		.resume_ctx = making->ingest,
	};

	bb_assert(options.connector); /* the configuration's loader has checked it */
	making->sources->replays[making->sources->replay_n] = bb_replay_new(&options);
	bb_ingest_add(making->ingest, making->sources->replays[making->sources->replay_n]);
	making->sources->replay_n++;
}

int bb_app_sources_new(struct bb_app_sources *sources, const struct bb_config *config,
		       struct bb_ingest *ingest, const char *group, struct bb_error *err)
{
	struct making making = {sources, config, ingest};
	int code = BB_OK;

	if (config->replay_n > BB_APP_REPLAYS_MAX)
		return bb_error_set(
			err, BB_ECONFIG,
			"%s: replay: %zu entries; at most %d are allowed: put more files "
			"into one entry",
			config->file, config->replay_n, BB_APP_REPLAYS_MAX);
	if (config->kafka_brokers)
		code = kafka_new(&making, group, err);
	if (code)
		return code;
	for (size_t i = 0; i < config->replay_n; i++)
		if (config->replay[i].file_n)
			replay_new(&making, &config->replay[i]);
	bb_app_sources_route(sources, config);
	return BB_OK;
}

void bb_app_sources_route(struct bb_app_sources *sources, const struct bb_config *config)
{
	size_t at = 0;

	if (sources->kafka)
		bb_kafka_route(sources->kafka, config->connectors, config->connector_n);
	for (size_t i = 0; i < config->replay_n; i++)
		if (config->replay[i].file_n)
			bb_replay_route(sources->replays[at++],
					bb_config_connector(config, config->replay[i].connector));
}

void bb_app_sources_free(struct bb_app_sources *sources)
{
	if (sources->kafka)
		sources->kafka->ops->free(sources->kafka);
	for (size_t i = 0; i < sources->replay_n; i++)
		sources->replays[i]->ops->free(sources->replays[i]);
	*sources = (struct bb_app_sources){.replay_n = 0};
}
