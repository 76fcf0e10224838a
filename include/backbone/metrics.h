/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon counts, in one table: name, kind, labels and help of every metric, and their
 * values as Prometheus text. Base units: seconds and bytes; a histogram is fed with whole numbers
 * (nanoseconds for seconds). No personal data in labels.
 *
 *	bb_metrics_add(metrics, BB_METRIC_EVENTS, BB_LABELS("shop_till", "applied"), 1);
 *
 * Thread: owned by the loop's; others hand their numbers over with their results.
 */
#ifndef BACKBONE_METRICS_H
#define BACKBONE_METRICS_H

#include <backbone/buf.h>
#include <backbone/histogram.h>

#define BB_METRIC_LABELS_MAX 3
#define BB_METRIC_SERIES_MAX 2000 /* a metric; what comes above goes to labels "other" */

/* X(name, kind, exposed name, label names, help). Histograms: _seconds take ns. */
#define BB_METRICS(X)                                                                              \
	X(EVENTS, COUNTER, "events_total", "connector,result", "Events by how they ended")         \
	X(DEAD_LETTERS, COUNTER, "dead_letters_total", "connector,reason", "Dead letters")         \
	X(BLOCKED, COUNTER, "blocked_identifiers_total", "namespace,rule", "Junk identifiers")     \
	X(WARNINGS, COUNTER, "warnings_total", "code", "Warnings on events")                       \
	X(LAG, GAUGE, "partition_lag_events", "topic,partition", "Log end less stored offset")     \
	X(READY, GAUGE, "ready", "", "1 if the daemon is ready")                                   \
	X(VISIBLE, HISTOGRAM, "event_to_visible_seconds", "", "Log timestamp to commit")           \
	X(BATCH, HISTOGRAM, "batch_events", "", "Events in a committed batch")                     \
	X(APPLY, HISTOGRAM, "batch_apply_seconds", "", "Folding a batch, without the commit")      \
	X(COMMIT, HISTOGRAM, "commit_seconds", "", "Making a batch durable")                       \
	X(COMMIT_FAILURES, COUNTER, "commit_failures_total", "", "Batches that changed nothing")   \
	X(LOOKUP, HISTOGRAM, "lookup_seconds", "command", "Answering a command")                   \
	X(LOOKUP_ERRORS, COUNTER, "lookup_errors_total", "command", "Error replies")               \
	X(CLIENTS, GAUGE, "clients", "socket", "Open connections")                                 \
	X(CLIENTS_REFUSED, COUNTER, "clients_refused_total", "socket,reason", "Clients refused")   \
	X(PROFILES_CREATED, COUNTER, "profiles_created_total", "", "New profiles")                 \
	X(MERGES, COUNTER, "profile_merges_total", "", "Profiles that became one")                 \
	X(SPLITS, COUNTER, "profile_splits_total", "", "Profiles that were parted")                \
	X(REPLAYS, COUNTER, "partition_replays_total", "", "Groups resolved again")                \
	X(PROFILES, GAUGE, "profiles", "", "Profiles in the store")                                \
	X(PROFILE_LARGEST, GAUGE, "largest_profile_identifiers", "",                               \
	  "Of the largest profile written since start")                                            \
	X(SHARED, GAUGE, "shared_identifiers", "", "Identifiers that link nobody")                 \
	X(STORE_CAPACITY, GAUGE, "store_capacity_bytes", "", "Map, or quota if smaller")           \
	X(STORE_USED, GAUGE, "store_used_bytes", "", "Pages in use")                               \
	X(STORE_FREE, GAUGE, "store_free_bytes", "", "Freed pages, to be used again")              \
	X(STORE_ENTRIES, GAUGE, "store_entries", "table", "Entries of a table")                    \
	X(STORE_READER_AGE, GAUGE, "store_oldest_reader_seconds", "", "Oldest open snapshot")      \
	X(CHECKSUM_FAILURES, COUNTER, "store_checksum_failures_total", "", "Damaged values met")   \
	X(LOOP_LAG, HISTOGRAM, "loop_lag_seconds", "", "How late the loop's timer fires")          \
	X(RELOADS, COUNTER, "reloads_total", "result", "Reloads of the configuration")             \
	X(MAINTENANCE_DONE, GAUGE, "maintenance_done", "what", "Done of a purge, rules, rebuild")  \
	X(MAINTENANCE_GOAL, GAUGE, "maintenance_goal", "what", "And to be done")                   \
	X(BUILD, GAUGE, "build_info", "version", "Always 1")

enum bb_metric {
#define X(name, kind, text, labels, help) BB_METRIC_##name,
	BB_METRICS(X)
#undef X
		BB_METRIC_COUNT
};

struct bb_labels {
	struct bb_text values[BB_METRIC_LABELS_MAX]; /* in the order of the table; rest zeroed */
};

#define BB_LABELS_NONE ((struct bb_labels){{{NULL, 0}}})
#define BB_LABELS(...) (bb_labels_of((const char *[BB_METRIC_LABELS_MAX]){__VA_ARGS__}))

struct bb_labels bb_labels_of(const char *const values[BB_METRIC_LABELS_MAX]);

struct bb_metrics;

struct bb_metrics *bb_metrics_new(void) __attribute__((returns_nonnull));
void bb_metrics_free(struct bb_metrics *metrics); /* NULL-safe */

/* Counters only go up; `total` is for one that is counted elsewhere, and never below the last. */
void bb_metrics_add(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		    uint64_t n);
void bb_metrics_total(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		      uint64_t total);
void bb_metrics_set(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		    double value);
void bb_metrics_observe(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
			uint64_t value);

/* Adds what was observed elsewhere, where each value by itself would cost too much. */
void bb_metrics_merge(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		      const struct bb_histogram *histogram);

/* Forgets the series of a gauge, before it is filled anew (partitions come and go). */
void bb_metrics_clear(struct bb_metrics *metrics, enum bb_metric metric);

/* The histogram of a series for reading, or NULL if nothing was observed. */
const struct bb_histogram *bb_metrics_histogram(const struct bb_metrics *metrics,
						enum bb_metric metric, struct bb_labels labels);

/* Appends the text format 0.0.4: metrics in the order of the table, series by their labels. */
void bb_metrics_render(const struct bb_metrics *metrics, struct bb_buf *buf);

#endif
