/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ingest says of itself: the numbers of each committed batch go to the metrics and the
 * connectors' counts; the status is put together on request from what the loop knows, without
 * touching the store.
 */
#include "machine.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/progress.h>

#include <stdlib.h>

#define VISIBLE_SAMPLES 256 /* messages of a batch whose age is taken */
#define NS_PER_MS UINT64_C(1000000)

static struct bb_connector_count *count_of(struct bb_ingest *ingest,
					   const struct bb_connector *connector)
{
	const char *name = bb_connector_name(connector);
	const char *channel = bb_connector_channel(connector);
	struct bb_connector_count *count;

	for (size_t i = 0; i < ingest->count_n; i++)
		if (strcmp(ingest->counts[i].name, name) == 0)
			return &ingest->counts[i];
	ingest->counts = realloc(ingest->counts, (ingest->count_n + 1) * sizeof *ingest->counts);
	bb_assert(ingest->counts);
	count = &ingest->counts[ingest->count_n++];
	*count = (struct bb_connector_count){.name = strdup(name),
					     .channel = strdup(channel ? channel : "")};
	bb_assert(count->name && count->channel);
	return count;
}

void bb_report_fini(struct bb_ingest *ingest)
{
	for (size_t i = 0; i < ingest->count_n; i++) {
		free(ingest->counts[i].name);
		free(ingest->counts[i].channel);
	}
	free(ingest->counts);
}

static void report_outcomes(struct bb_ingest *ingest, const struct bb_outcomes *outcomes)
{
	struct bb_metrics *metrics = ingest->options.metrics;
	struct bb_connector_count *count = count_of(ingest, outcomes->connector);

	count->warnings += outcomes->warnings;
	count->last_ms = bb_clock_wall_ms();
	for (int i = 0; i < BB_VERDICT_COUNT; i++) {
		count->results[i] += outcomes->results[i];
		if (outcomes->results[i])
			bb_metrics_add(metrics, BB_METRIC_EVENTS,
				       BB_LABELS(count->name, bb_verdict_text((enum bb_verdict)i)),
				       outcomes->results[i]);
	}
	for (int i = 0; i < BB_DEAD_REASON_COUNT; i++)
		if (outcomes->reasons[i])
			bb_metrics_add(
				metrics, BB_METRIC_DEAD_LETTERS,
				BB_LABELS(count->name, bb_dead_reason_text((enum bb_dead_reason)i)),
				outcomes->reasons[i]);
}

/* How long messages took from the log to the commit; of a large batch a sample. */
static void report_ages(struct bb_ingest *ingest, const struct bb_intake *batch)
{
	int64_t now_ms = bb_clock_wall_ms();
	size_t step = batch->n / VISIBLE_SAMPLES + 1;

	for (size_t i = 0; i < batch->n; i += step) {
		int64_t then_ms = batch->items[i].message.timestamp_ms;

		if (!batch->items[i].connector || then_ms < 0)
			continue;
		bb_metrics_observe(ingest->options.metrics, BB_METRIC_VISIBLE, BB_LABELS_NONE,
				   now_ms > then_ms ? (uint64_t)(now_ms - then_ms) * NS_PER_MS : 0);
	}
}

static void report_pipeline(struct bb_ingest *ingest)
{
	struct bb_metrics *metrics = ingest->options.metrics;
	struct bb_pipeline_stats stats;

	bb_pipeline_stats(ingest->job.pl, &stats);
	bb_metrics_total(metrics, BB_METRIC_PROFILES_CREATED, BB_LABELS_NONE,
			 stats.profiles_created + ingest->earlier.profiles_created);
	bb_metrics_total(metrics, BB_METRIC_MERGES, BB_LABELS_NONE,
			 stats.profiles_merged + ingest->earlier.profiles_merged);
	bb_metrics_total(metrics, BB_METRIC_SPLITS, BB_LABELS_NONE,
			 stats.profiles_split + ingest->earlier.profiles_split);
	bb_metrics_total(metrics, BB_METRIC_REPLAYS, BB_LABELS_NONE,
			 stats.replays + ingest->earlier.replays);
	bb_metrics_set(metrics, BB_METRIC_PROFILE_LARGEST, BB_LABELS_NONE, stats.largest);
	bb_metrics_set(metrics, BB_METRIC_SHARED, BB_LABELS_NONE, stats.shared);
}

void bb_report_pipeline_ends(struct bb_ingest *ingest)
{
	struct bb_pipeline_stats stats;

	bb_pipeline_stats(ingest->job.pl, &stats);
	ingest->earlier.profiles_created += stats.profiles_created;
	ingest->earlier.profiles_merged += stats.profiles_merged;
	ingest->earlier.profiles_split += stats.profiles_split;
	ingest->earlier.replays += stats.replays;
}

void bb_report_batch(struct bb_ingest *ingest, const struct bb_intake *batch)
{
	struct bb_metrics *metrics = ingest->options.metrics;

	for (size_t i = 0; i < batch->outcome_n; i++)
		report_outcomes(ingest, &batch->outcomes[i]);
	for (size_t i = 0; i < batch->tally_n; i++) {
		const struct bb_tally *tally = &batch->tallies[i];
		struct bb_labels labels = {{tally->first, tally->second}};

		bb_metrics_add(metrics, tally->metric, labels, tally->n);
	}
	bb_metrics_observe(metrics, BB_METRIC_BATCH, BB_LABELS_NONE, batch->events);
	bb_metrics_observe(metrics, BB_METRIC_APPLY, BB_LABELS_NONE, batch->apply_ns);
	bb_metrics_observe(metrics, BB_METRIC_COMMIT, BB_LABELS_NONE, batch->commit_ns);
	report_ages(ingest, batch);
	report_pipeline(ingest);
}

/* --- status ----------------------------------------------------------------------------------- */

static void add_reason(struct bb_status *status, struct bb_arena *arena, const char *code,
		       const char *detail)
{
	status->reasons[status->reason_n++] = (struct bb_status_reason){
		.code = bb_text_of(code),
		.detail = bb_arena_copy(arena, bb_text_of(detail)),
	};
}

static void feed_reasons(struct bb_feed *feed, struct bb_arena *arena, struct bb_status *status)
{
	struct bb_error why = {0};

	if (feed->trouble.code == BB_EIO) {
		add_reason(status, arena, "source_unreadable", feed->trouble.msg);
		return;
	}
	if (feed->source->ops->ready(feed->source, &why))
		return;
	if (why.code == BB_EKAFKA)
		add_reason(status, arena, "broker_unreachable", why.msg);
	else
		add_reason(status, arena, "starting", why.msg);
}

static void fill_reasons(struct bb_ingest *ingest, struct bb_arena *arena, struct bb_status *status)
{
	size_t most = ingest->alarm_n + ingest->feed_n + 2;

	status->reasons = bb_arena_alloc(arena, most * sizeof *status->reasons);
	if (ingest->state == BB_INGEST_NEW)
		add_reason(status, arena, "starting", "ingestion has not begun");
	for (size_t i = 0; i < ingest->alarm_n; i++)
		add_reason(status, arena, "log_gap", ingest->alarms[i].msg);
	if (ingest->retry_ms)
		add_reason(status, arena, "store_full",
			   "no space for the next batch; make room on the disk, or raise "
			   "store.quota or store.map_size");
	for (size_t i = 0; i < ingest->feed_n; i++)
		feed_reasons(&ingest->feeds[i], arena, status);
	status->ready = status->reason_n == 0;
}

static void fill_partitions(struct bb_ingest *ingest, struct bb_arena *arena,
			    struct bb_status *status)
{
	size_t n = ingest->partitions.n;

	status->partitions = bb_arena_zalloc(arena, n * sizeof *status->partitions);
	for (size_t i = 0; i < n; i++) {
		const struct bb_partition *part = ingest->partitions.items[i];
		struct bb_status_partition *out;

		if (!part->known)
			continue;
		out = &status->partitions[status->partition_n++];
		out->topic = bb_arena_copy(arena, part->now.topic);
		out->partition = part->now.partition;
		out->next_offset = part->now.next_offset;
		out->end_offset = bb_ingest_end(ingest, out->topic, out->partition);
		memcpy(out->results, part->now.results, sizeof out->results);
		out->holes = part->now.holes;
		out->reread = (struct bb_status_reread){.from = part->now.reread.from,
							.next = part->now.reread.next,
							.end = part->now.reread.end,
							.too_old = part->now.reread.too_old};
		memcpy(out->reread.results, part->now.reread.results, sizeof out->reread.results);
	}
}

struct topic_list {
	struct bb_status *status;
	struct bb_arena *arena;
	size_t room;
};

static void on_topic(void *ctx, const char *name, const struct bb_connector *connector,
		     size_t partitions)
{
	struct topic_list *list = ctx;
	struct bb_status_topic topic = {
		.name = bb_arena_copy(list->arena, bb_text_of(name)),
		.connector = bb_arena_copy(list->arena, bb_text_of(bb_connector_name(connector))),
		.partitions = (uint32_t)partitions,
	};

	BB_ARENA_PUSH(list->arena, list->status->topics, list->status->topic_n, list->room) = topic;
}

static int by_name(const void *a, const void *b)
{
	const struct bb_status_topic *one = a, *other = b;

	return bb_text_compare(one->name, other->name);
}

static void fill_topics(struct bb_ingest *ingest, struct bb_arena *arena, struct bb_status *status)
{
	struct topic_list list = {status, arena, 0};

	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_source *source = ingest->feeds[i].source;

		if (source->ops->topics)
			source->ops->topics(source, on_topic, &list);
	}
	if (status->topic_n)
		qsort(status->topics, status->topic_n, sizeof *status->topics, by_name);
}

void bb_ingest_status(struct bb_ingest *ingest, struct bb_arena *arena,
		      struct bb_status *ret_status)
{
	static const char *const states[] = {
#define X(name, text) text,
		BB_INGEST_STATES(X)
#undef X
	};

	ret_status->state = bb_text_of(states[ingest->state]);
	if (ingest->stopping)
		ret_status->state = BB_TEXT("draining");
	fill_reasons(ingest, arena, ret_status);
	fill_partitions(ingest, arena, ret_status);
	fill_topics(ingest, arena, ret_status);
	ret_status->connectors =
		bb_arena_zalloc(arena, ingest->count_n * sizeof *ret_status->connectors);
	ret_status->connector_n = ingest->count_n;
	for (size_t i = 0; i < ingest->count_n; i++) {
		const struct bb_connector_count *count = &ingest->counts[i];
		struct bb_status_connector *out = &ret_status->connectors[i];

		out->name = bb_arena_copy(arena, bb_text_of(count->name));
		out->channel = bb_arena_copy(arena, bb_text_of(count->channel));
		memcpy(out->results, count->results, sizeof out->results);
		out->warnings = count->warnings;
		out->last_ms = count->last_ms;
	}
}
