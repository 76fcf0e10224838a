/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics are read, and for whom: names of connectors have a topic from the beginning,
 * patterns get theirs when the cluster shows one that fits. What the cluster shows begins to be
 * read, new partitions too; what it does not show any more ends, and is checked like after a
 * restart when it comes back.
 */
#include "ksource.h"

#include <backbone/assert.h>
#include <backbone/log.h>
#include <backbone/normalise.h>

#include <stdlib.h>

struct bb_ktopic *bb_ktopic_find(struct bb_kafka *kafka, const char *name)
{
	for (size_t i = 0; i < kafka->topic_n; i++)
		if (strcmp(kafka->topics[i]->name, name) == 0)
			return kafka->topics[i];
	return NULL;
}

static struct bb_ktopic *topic_new(struct bb_kafka *kafka, const char *name)
{
	rd_kafka_topic_conf_t *conf = rd_kafka_default_topic_conf_dup(kafka->rk);
	struct bb_ktopic *topic = calloc(1, sizeof *topic);

	bb_assert(topic);
	topic->kafka = kafka;
	topic->name = strdup(name);
	bb_assert(topic->name);
	rd_kafka_topic_conf_set_opaque(conf, topic);
	topic->rkt = rd_kafka_topic_new(kafka->rk, name, conf);
	bb_assert(topic->rkt && rd_kafka_topic_opaque(topic->rkt) == topic);
	kafka->topics = realloc(kafka->topics, (kafka->topic_n + 1) * sizeof *kafka->topics);
	bb_assert(kafka->topics);
	kafka->topics[kafka->topic_n++] = topic;
	return topic;
}

void bb_ktopic_free(struct bb_ktopic *topic)
{
	for (size_t i = 0; i < topic->part_n; i++) {
		bb_kpart_end(topic->parts[i]);
		free(topic->parts[i]);
	}
	free(topic->parts);
	rd_kafka_topic_destroy(topic->rkt);
	free(topic->name);
	free(topic);
}

/* --- routes ----------------------------------------------------------------------------------- */

void bb_ktopic_patterns_free(struct bb_kafka *kafka)
{
	for (size_t i = 0; i < kafka->pattern_n; i++)
		bb_pattern_free(kafka->patterns[i].pattern);
	free(kafka->patterns);
	kafka->patterns = NULL;
	kafka->pattern_n = 0;
}

static void add_pattern(struct bb_kafka *kafka, const struct bb_connector *connector)
{
	struct bb_kpattern *pattern;

	kafka->patterns =
		realloc(kafka->patterns, (kafka->pattern_n + 1) * sizeof *kafka->patterns);
	bb_assert(kafka->patterns);
	pattern = &kafka->patterns[kafka->pattern_n];
	pattern->connector = connector;
	/* the connector's compiler has checked it */
	bb_assert(bb_pattern_new(bb_connector_topic_pattern(connector), &pattern->pattern,
				 &(struct bb_error){0}) == BB_OK);
	kafka->pattern_n++;
}

static const struct bb_connector *pattern_of(const struct bb_kafka *kafka, const char *name)
{
	if (strncmp(name, "__", 2) == 0) /* Kafka's own */
		return NULL;
	for (size_t i = 0; i < kafka->pattern_n; i++)
		if (bb_pattern_matches(kafka->patterns[i].pattern, bb_text_of(name)))
			return kafka->patterns[i].connector;
	return NULL;
}

static void add_names(struct bb_kafka *kafka, const struct bb_connector *connector)
{
	for (size_t i = 0; i < bb_connector_topic_n(connector); i++) {
		const char *name = bb_connector_topic(connector, i);
		struct bb_ktopic *topic = bb_ktopic_find(kafka, name);

		if (!topic)
			topic = topic_new(kafka, name);
		if (!topic->connector)
			topic->connector = connector;
		else
			bb_log(BB_LOG_WARNING, "topic_claimed_twice",
			       "topic=%s connector=%s unused=%s", name,
			       bb_connector_name(topic->connector), bb_connector_name(connector));
	}
}

static void end_parts(struct bb_ktopic *topic)
{
	for (size_t i = 0; i < topic->part_n; i++)
		bb_kpart_end(topic->parts[i]);
}

void bb_kafka_route(struct bb_source *source, struct bb_connector *const *connectors, size_t n)
{
	struct bb_kafka *kafka = (struct bb_kafka *)source;

	bb_assert(kafka->outstanding == 0);
	bb_ktopic_patterns_free(kafka);
	for (size_t i = 0; i < kafka->topic_n; i++)
		kafka->topics[i]->connector = NULL;
	for (size_t i = 0; i < n; i++) {
		add_names(kafka, connectors[i]);
		if (bb_connector_topic_pattern(connectors[i]))
			add_pattern(kafka, connectors[i]);
	}
	for (size_t i = 0; i < kafka->topic_n; i++) {
		struct bb_ktopic *topic = kafka->topics[i];

		if (!topic->connector)
			topic->connector = pattern_of(kafka, topic->name);
		if (!topic->connector)
			end_parts(topic);
	}
	bb_worker_discover(kafka->worker, kafka->pattern_n > 0);
}

/* --- what the cluster shows ------------------------------------------------------------------- */

static void grow(struct bb_ktopic *topic, size_t n)
{
	if (n <= topic->part_n)
		return;
	topic->parts = realloc(topic->parts, n * sizeof *topic->parts);
	bb_assert(topic->parts);
	for (; topic->part_n < n; topic->part_n++) {
		struct bb_kpart *part = calloc(1, sizeof *part);

		bb_assert(part);
		part->topic = topic;
		part->number = (int32_t)topic->part_n;
		part->stale_round = UINT64_MAX;
		topic->parts[topic->part_n] = part;
	}
}

static void topic_shown(struct bb_ktopic *topic, const rd_kafka_metadata_topic_t *shown)
{
	size_t n = (size_t)shown->partition_cnt;

	topic->present = true;
	topic->missed = false;
	grow(topic, n);
	for (size_t i = 0; i < topic->part_n; i++) {
		if (i >= n)
			bb_kpart_end(topic->parts[i]);
		else if (topic->parts[i]->state == BB_KPART_ABSENT && topic->connector)
			bb_kpart_begin(topic->parts[i]);
	}
}

static void topic_hidden(struct bb_ktopic *topic)
{
	if (topic->connector && !topic->missed && topic->part_n)
		bb_kafka_raise(topic->kafka, BB_EKAFKA, "topic %s is not there any more",
			       topic->name);
	else if (topic->connector && !topic->missed)
		bb_log(BB_LOG_WARNING, "topic_missing",
		       "topic=%s connector=%s; it is read as soon as it appears", topic->name,
		       bb_connector_name(topic->connector));
	topic->missed = true;
	topic->present = false;
	end_parts(topic);
}

/* The first id is kept for good: records that were delivered are of that cluster. */
static void note_cluster(struct bb_kafka *kafka, const char *cluster)
{
	if (!cluster || kafka->cluster_changed ||
	    (kafka->cluster && strcmp(kafka->cluster, cluster) == 0))
		return;
	if (!kafka->cluster) {
		kafka->cluster = strdup(cluster);
		bb_assert(kafka->cluster);
		return;
	}
	bb_log(BB_LOG_ERROR, "cluster_changed", "from=%s to=%s", kafka->cluster, cluster);
	kafka->cluster_changed = true;
	for (size_t i = 0; i < kafka->topic_n; i++)
		for (size_t j = 0; j < kafka->topics[i]->part_n; j++)
			bb_kpart_other_cluster(kafka->topics[i]->parts[j]);
}

void bb_ktopic_found(struct bb_kafka *kafka, const struct bb_answer *found)
{
	const struct rd_kafka_metadata *metadata = found->metadata;

	note_cluster(kafka, found->cluster);
	for (size_t i = 0; i < kafka->topic_n; i++)
		kafka->topics[i]->present = false;
	for (int i = 0; i < metadata->topic_cnt; i++) {
		const rd_kafka_metadata_topic_t *shown = &metadata->topics[i];
		struct bb_ktopic *topic = bb_ktopic_find(kafka, shown->topic);
		const struct bb_connector *connector;

		if (shown->err)
			continue;
		connector = topic ? NULL : pattern_of(kafka, shown->topic);
		if (connector) {
			topic = topic_new(kafka, shown->topic);
			topic->connector = connector;
		}
		if (topic)
			topic_shown(topic, shown);
	}
	for (size_t i = 0; i < kafka->topic_n; i++)
		if (!kafka->topics[i]->present)
			topic_hidden(kafka->topics[i]);
}
