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

static int kafka_new(struct bb_app *app, struct bb_error *err)
{
	const struct bb_config *config = app->config;
	struct bb_kafka_options options = {
		.brokers = config->kafka_brokers,
		.group = config->kafka_group,
		.option_n = config->kafka_option_n,
		.resume = bb_ingest_resume,
		.resume_ctx = app->ingest,
	};
	struct bb_arena arena;
	int code;

	bb_arena_init(&arena);
	options.options = bb_app_kafka_options(config, &arena);
	code = bb_kafka_new(&options, &app->kafka, err);
	bb_arena_fini(&arena);
	if (!code)
		bb_ingest_add(app->ingest, app->kafka);
	return code;
}

static void warn_without_kafka(const struct bb_config *config)
{
	for (size_t i = 0; i < config->connector_n; i++) {
		const struct bb_connector *connector = config->connectors[i];

		if (bb_connector_topic_n(connector) || bb_connector_topic_pattern(connector))
			bb_log(BB_LOG_WARNING, "topics_not_read",
			       "connector=%s names topics, but kafka.brokers is not set",
			       bb_connector_name(connector));
	}
}

static void replay_new(struct bb_app *app, const struct bb_config_replay *replay)
{
	struct bb_replay_options options = {
		.files = replay->files,
		.file_n = replay->file_n,
		.connector = bb_config_connector(app->config, replay->connector),
		.resume = bb_ingest_resume,
		.resume_ctx = app->ingest,
	};

	bb_assert(options.connector); /* the configuration's loader has checked it */
	app->replays[app->replay_n] = bb_replay_new(&options);
	bb_ingest_add(app->ingest, app->replays[app->replay_n]);
	app->replay_n++;
}

int bb_app_sources_new(struct bb_app *app, struct bb_error *err)
{
	const struct bb_config *config = app->config;
	int code = BB_OK;

	if (config->replay_n > BB_APP_REPLAYS_MAX)
		return bb_error_set(
			err, BB_ECONFIG,
			"%s: replay: %zu entries; at most %d are allowed: put more files "
			"into one entry",
			config->file, config->replay_n, BB_APP_REPLAYS_MAX);
	if (config->kafka_brokers)
		code = kafka_new(app, err);
	else
		warn_without_kafka(config);
	if (code)
		return code;
	for (size_t i = 0; i < config->replay_n; i++)
		if (config->replay[i].file_n)
			replay_new(app, &config->replay[i]);
	bb_app_sources_route(app, config);
	return BB_OK;
}

void bb_app_sources_route(struct bb_app *app, const struct bb_config *config)
{
	size_t at = 0;

	if (app->kafka)
		bb_kafka_route(app->kafka, config->connectors, config->connector_n);
	for (size_t i = 0; i < config->replay_n; i++)
		if (config->replay[i].file_n)
			bb_replay_route(app->replays[at++],
					bb_config_connector(config, config->replay[i].connector));
}

void bb_app_sources_free(struct bb_app *app)
{
	if (app->kafka)
		app->kafka->ops->free(app->kafka);
	for (size_t i = 0; i < app->replay_n; i++)
		app->replays[i]->ops->free(app->replays[i]);
}
