/* SPDX-License-Identifier: Apache-2.0 */
/* The status of the daemon as JSON and as gauges. Nothing personal in it; cannot fail. */
#include "route.h"

#include <backbone/clock.h>
#include <backbone/log.h>
#include <stdio.h>

static unsigned long long ull(uint64_t value)
{
	return value;
}

static void results_json(const uint64_t results[BB_VERDICT_COUNT], struct bb_buf *buf)
{
	for (unsigned i = 0; i < BB_VERDICT_COUNT; i++)
		bb_buf_printf(buf, ",\"%s\":%llu", bb_verdict_text(i), ull(results[i]));
}

void bb_status_reasons_json(const struct bb_status *status, struct bb_buf *buf)
{
	bb_buf_printf(buf, "\"reasons\":[");
	for (size_t i = 0; i < status->reason_n; i++) {
		bb_buf_printf(buf, "%s{\"code\":", i > 0 ? "," : "");
		bb_buf_json(buf, status->reasons[i].code);
		bb_buf_printf(buf, ",\"detail\":");
		bb_buf_json(buf, status->reasons[i].detail);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static int64_t lag_of(const struct bb_status_partition *partition)
{
	return partition->end_offset > partition->next_offset
		       ? partition->end_offset - partition->next_offset
		       : 0;
}

static void reread_json(const struct bb_status_reread *again, struct bb_buf *buf)
{
	if (!again->end) {
		bb_buf_printf(buf, "null");
		return;
	}
	bb_buf_printf(buf, "{\"from\":%lld,\"next\":%lld,\"to\":%lld", (long long)again->from,
		      (long long)again->next, (long long)again->end);
	results_json(again->results, buf);
	bb_buf_printf(buf, ",\"too_old\":%llu}", ull(again->too_old));
}

static void partitions_json(const struct bb_status *status, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"partitions\":[");
	for (size_t i = 0; i < status->partition_n; i++) {
		const struct bb_status_partition *part = &status->partitions[i];

		bb_buf_printf(buf, "%s{\"topic\":", i > 0 ? "," : "");
		bb_buf_json(buf, part->topic);
		bb_buf_printf(buf, ",\"partition\":%d,\"next_offset\":%lld", (int)part->partition,
			      (long long)part->next_offset);
		if (part->end_offset >= 0)
			bb_buf_printf(buf, ",\"end_offset\":%lld,\"lag\":%lld",
				      (long long)part->end_offset, (long long)lag_of(part));
		else
			bb_buf_printf(buf, ",\"end_offset\":null,\"lag\":null");
		results_json(part->results, buf);
		bb_buf_printf(buf, ",\"holes\":%llu,\"reread\":", ull(part->holes));
		reread_json(&part->reread, buf);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static void connectors_json(const struct bb_status *status, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"connectors\":[");
	for (size_t i = 0; i < status->connector_n; i++) {
		bb_buf_printf(buf, "%s{\"name\":", i > 0 ? "," : "");
		bb_buf_json(buf, status->connectors[i].name);
		bb_buf_printf(buf, ",\"channel\":");
		bb_buf_json(buf, status->connectors[i].channel);
		results_json(status->connectors[i].results, buf);
		bb_buf_printf(buf, ",\"warnings\":%llu}", ull(status->connectors[i].warnings));
	}
	bb_buf_byte(buf, ']');
}

static void text_or_null(struct bb_text text, struct bb_buf *buf)
{
	if (text.p)
		bb_buf_json(buf, text);
	else
		bb_buf_printf(buf, "null");
}

void bb_status_maintenance_json(const struct bb_status_maintenance *at, struct bb_buf *buf)
{
	char iso[BB_ISO_BYTES];

	bb_buf_printf(buf, "{\"running\":");
	text_or_null(at->what, buf);
	bb_buf_printf(buf, ",\"phase\":");
	text_or_null(at->phase, buf);
	bb_buf_printf(buf, ",\"run\":%llu,\"done\":%llu,\"total\":%llu", ull(at->run),
		      ull(at->done), ull(at->total));
	if (at->per_second > 0)
		bb_buf_printf(buf, ",\"per_second\":%.1f,\"seconds_left\":%llu", at->per_second,
			      ull((uint64_t)((double)(at->total - at->done) / at->per_second)));
	else
		bb_buf_printf(buf, ",\"per_second\":null,\"seconds_left\":null");
	bb_buf_printf(buf, ",\"last\":");
	if (at->last.p) {
		bb_clock_iso(at->ended_ms, iso);
		bb_buf_printf(buf, "{\"what\":");
		bb_buf_json(buf, at->last);
		bb_buf_printf(buf, ",\"result\":");
		bb_buf_json(buf, at->result);
		bb_buf_printf(buf, ",\"detail\":");
		text_or_null(at->detail, buf);
		bb_buf_printf(buf,
			      ",\"ended\":\"%.*s\",\"before_bytes\":%llu,\"after_bytes\":%llu}",
			      BB_ISO_BYTES, iso, ull(at->before_bytes), ull(at->after_bytes));
	} else {
		bb_buf_printf(buf, "null");
	}
	bb_buf_byte(buf, '}');
}

void bb_status_reload_json(const struct bb_status_reload *reload, struct bb_buf *buf)
{
	char iso[BB_ISO_BYTES];

	bb_buf_printf(buf, "\"reload\":{\"run\":%llu,\"waiting\":%s,\"result\":", ull(reload->run),
		      reload->waiting ? "true" : "false");
	text_or_null(reload->result, buf);
	if (reload->result.p) {
		bb_clock_iso(reload->ended_ms, iso);
		bb_buf_printf(buf, ",\"ended\":\"%.*s\"}", BB_ISO_BYTES, iso);
	} else {
		bb_buf_printf(buf, ",\"ended\":null}");
	}
}

void bb_status_json(const struct bb_status *status, const struct bb_serve_stats *stats,
		    struct bb_buf *buf)
{
	int64_t up_ms = bb_clock_wall_ms() - status->started_ms;
	char iso[BB_ISO_BYTES];

	bb_clock_iso(status->started_ms, iso);
	bb_buf_printf(buf, "{\"version\":\"%s\",\"ready\":%s,", BB_VERSION,
		      status->ready ? "true" : "false");
	bb_status_reasons_json(status, buf);
	bb_buf_printf(buf, ",\"state\":");
	bb_buf_json(buf, status->state);
	bb_buf_printf(buf, ",\"started\":\"%.*s\",\"uptime_seconds\":%lld", BB_ISO_BYTES, iso,
		      (long long)((up_ms > 0 ? up_ms : 0) / BB_SECOND_MS));
	bb_buf_printf(buf, ",\"profiles\":%llu,\"identifiers\":%llu,\"dead_letters\":%llu",
		      ull(status->profiles), ull(status->identifiers), ull(status->dead_letters));
	bb_buf_printf(buf,
		      ",\"store\":{\"used_bytes\":%llu,\"file_bytes\":%llu,"
		      "\"checksum_failures\":%llu}",
		      ull(status->store_used_bytes), ull(status->store_file_bytes),
		      ull(status->checksum_failures));
	bb_buf_printf(buf,
		      ",\"clients\":{\"connected\":%llu,\"accepted\":%llu,\"refused\":%llu,"
		      "\"commands\":%llu,\"errors\":%llu,\"protocol_errors\":%llu,"
		      "\"closed_idle\":%llu,\"closed_slow\":%llu}",
		      ull(stats->clients), ull(stats->accepted), ull(stats->refused),
		      ull(stats->commands), ull(stats->errors), ull(stats->protocol_errors),
		      ull(stats->closed_idle), ull(stats->closed_slow));
	bb_buf_printf(buf, ",\"maintenance\":");
	bb_status_maintenance_json(&status->maintenance, buf);
	bb_buf_byte(buf, ',');
	bb_status_reload_json(&status->reload, buf);
	partitions_json(status, buf);
	connectors_json(status, buf);
	bb_buf_byte(buf, '}');
}

static void store_metrics(struct bb_service *service)
{
	static const char *const tables[] = {
#define X(name, text) text,
		BB_TABLES(X)
#undef X
	};
	struct bb_metrics *metrics = service->metrics;
	struct bb_store_stats stats;
	int err = bb_store_stats(service->store, &stats);

	if (err != BB_OK) {
		bb_log(BB_LOG_WARNING, "store_stats", "error=\"%s\"", bb_error_text(err));
		return;
	}
	bb_metrics_set(metrics, BB_METRIC_STORE_CAPACITY, BB_LABELS_NONE, (double)stats.map_bytes);
	bb_metrics_set(metrics, BB_METRIC_STORE_USED, BB_LABELS_NONE, (double)stats.used_bytes);
	bb_metrics_set(metrics, BB_METRIC_STORE_FREE, BB_LABELS_NONE, (double)stats.free_bytes);
	bb_metrics_total(metrics, BB_METRIC_CHECKSUM_FAILURES, BB_LABELS_NONE,
			 stats.checksum_failures);
	for (unsigned i = 0; i < BB_TABLE_COUNT; i++)
		bb_metrics_set(metrics, BB_METRIC_STORE_ENTRIES, BB_LABELS(tables[i]),
			       (double)stats.entries[i]);
}

void bb_status_metrics(struct bb_service *service, const struct bb_status *status)
{
	struct bb_metrics *metrics = service->metrics;

	bb_service_flush(service);
	bb_metrics_set(metrics, BB_METRIC_BUILD, BB_LABELS(BB_VERSION), 1);
	bb_metrics_set(metrics, BB_METRIC_READY, BB_LABELS_NONE, status->ready);
	bb_metrics_set(metrics, BB_METRIC_PROFILES, BB_LABELS_NONE, (double)status->profiles);
	bb_metrics_set(metrics, BB_METRIC_CLIENTS, BB_LABELS("query"),
		       (double)service->stats.clients);
	bb_metrics_clear(metrics, BB_METRIC_MAINTENANCE_DONE);
	bb_metrics_clear(metrics, BB_METRIC_MAINTENANCE_GOAL);
	if (status->maintenance.what.p) {
		struct bb_labels labels = BB_LABELS_NONE;

		labels.values[0] = status->maintenance.what;
		bb_metrics_set(metrics, BB_METRIC_MAINTENANCE_DONE, labels,
			       (double)status->maintenance.done);
		bb_metrics_set(metrics, BB_METRIC_MAINTENANCE_GOAL, labels,
			       (double)status->maintenance.total);
	}
	bb_metrics_clear(metrics, BB_METRIC_LAG);
	for (size_t i = 0; i < status->partition_n; i++) {
		const struct bb_status_partition *part = &status->partitions[i];
		struct bb_labels labels = BB_LABELS_NONE;
		char number[16];

		if (part->end_offset < 0)
			continue;
		labels.values[0] = part->topic;
		snprintf(number, sizeof(number), "%d", (int)part->partition);
		labels.values[1] = bb_text_of(number);
		bb_metrics_set(metrics, BB_METRIC_LAG, labels, (double)lag_of(part));
	}
	store_metrics(service);
}
