/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One growing array of series a metric, sorted by labels, found by bisection; label values are
 * copied once, when a series is first seen. Rendering walks the table.
 *
 * Labels come from the outside (topic names, connectors), so their number is bounded: the series
 * after BB_METRIC_SERIES_MAX share one whose labels are all `other`. The wrong kind of operation on
 * a metric is a bug and asserts.
 */
#include <backbone/metrics.h>

#include <backbone/assert.h>

#include <stdio.h>
#include <stdlib.h>

#include "memory.h"

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const struct definition {
	enum kind kind;
	const char *name, *labels, *help;
} table[] = {
#define X(name, kind, text, labels, help) {kind, "backbone_" text, labels, help},
	BB_METRICS(X)
#undef X
};

struct series {
	struct bb_labels labels; /* owned */
	uint64_t count;
	double gauge;
	struct bb_histogram *histogram; /* owned; NULL unless of that kind */
};

struct family {
	struct series *items;
	size_t n, room;
};

struct bb_metrics {
	struct family families[BB_METRIC_COUNT];
};

/* What histograms show: borders at powers of two, and how a number becomes its unit. */
struct scale {
	unsigned first, last; /* exponents of the least and the greatest border */
	double unit;
};

#define NS_PER_SECOND 1e9
static const struct scale seconds = {10, 36, NS_PER_SECOND}; /* 1 us .. 69 s */
static const struct scale numbers = {0, 20, 1};		     /* 1 .. 1,048,576 */

struct bb_labels bb_labels_of(const char *const values[BB_METRIC_LABELS_MAX])
{
	struct bb_labels labels;

	for (size_t i = 0; i < BB_METRIC_LABELS_MAX; i++)
		labels.values[i] = bb_text_of(values[i]);
	return labels;
}

static void family_clear(struct family *family)
{
	for (size_t i = 0; i < family->n; i++) {
		for (size_t k = 0; k < BB_METRIC_LABELS_MAX; k++)
			free((char *)family->items[i].labels.values[k].p);
		free(family->items[i].histogram);
	}
	family->n = 0;
}

void bb_metrics_free(struct bb_metrics *metrics)
{
	if (!metrics)
		return;
	for (size_t i = 0; i < BB_METRIC_COUNT; i++) {
		family_clear(&metrics->families[i]);
		free(metrics->families[i].items);
	}
	free(metrics);
}

static int compare_labels(const struct bb_labels *a, const struct bb_labels *b)
{
	int d = 0;

	for (size_t i = 0; i < BB_METRIC_LABELS_MAX && d == 0; i++)
		d = bb_text_compare(a->values[i], b->values[i]);
	return d;
}

/* The position of the labels, or where they would be put; *ret_found says which. */
static size_t find_series(const struct family *family, const struct bb_labels *labels,
			  bool *ret_found)
{
	size_t low = 0, high = family->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int d = compare_labels(&family->items[middle].labels, labels);

		if (d == 0) {
			*ret_found = true;
			return middle;
		}
		if (d < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static unsigned label_count(const struct definition *definition)
{
	unsigned n = *definition->labels ? 1 : 0;

	for (const char *p = definition->labels; *p; p++)
		n += *p == ',';
	return n;
}

static struct series *insert_series(struct family *family, size_t at,
				    const struct bb_labels *labels, enum kind kind)
{
	struct series *series;

	if (family->n == family->room) {
		family->room = family->room ? 2 * family->room : 4;
		family->items = bb_memory_grow(family->items, family->room * sizeof *family->items);
	}
	series = &family->items[at];
	memmove(series + 1, series, (family->n - at) * sizeof *series);
	family->n++;
	*series = (struct series){.count = 0};
	for (size_t i = 0; i < BB_METRIC_LABELS_MAX; i++) {
		struct bb_text value = labels->values[i];
		char *p = bb_memory_alloc(value.n);

		if (value.n)
			memcpy(p, value.p, value.n);
		series->labels.values[i] = (struct bb_text){p, value.n};
	}
	if (kind == HISTOGRAM) {
		series->histogram = bb_memory_alloc(sizeof *series->histogram);
		memset(series->histogram, 0, sizeof *series->histogram);
	}
	return series;
}

static struct series *series_of(struct bb_metrics *metrics, enum bb_metric metric, enum kind kind,
				struct bb_labels labels)
{
	struct family *family = &metrics->families[metric];
	bool found;
	size_t at;

	bb_assert(table[metric].kind == kind);
	at = find_series(family, &labels, &found);
	if (!found && family->n >= BB_METRIC_SERIES_MAX) {
		for (unsigned i = 0; i < label_count(&table[metric]); i++)
			labels.values[i] = BB_TEXT("other");
		at = find_series(family, &labels, &found);
	}
	return found ? &family->items[at] : insert_series(family, at, &labels, kind);
}

/* Counters and histograms without labels are there from the start, at 0: a rate needs a first
 * value. */
struct bb_metrics *bb_metrics_new(void)
{
	struct bb_metrics *metrics = bb_memory_alloc(sizeof *metrics);

	memset(metrics, 0, sizeof *metrics);
	for (size_t i = 0; i < BB_METRIC_COUNT; i++)
		if (!*table[i].labels && table[i].kind != GAUGE)
			series_of(metrics, (enum bb_metric)i, table[i].kind, BB_LABELS_NONE);
	return metrics;
}

void bb_metrics_add(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		    uint64_t n)
{
	series_of(metrics, metric, COUNTER, labels)->count += n;
}

void bb_metrics_total(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		      uint64_t total)
{
	struct series *series = series_of(metrics, metric, COUNTER, labels);

	if (total > series->count)
		series->count = total;
}

void bb_metrics_set(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		    double value)
{
	series_of(metrics, metric, GAUGE, labels)->gauge = value;
}

void bb_metrics_observe(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
			uint64_t value)
{
	bb_histogram_record(series_of(metrics, metric, HISTOGRAM, labels)->histogram, value);
}

void bb_metrics_merge(struct bb_metrics *metrics, enum bb_metric metric, struct bb_labels labels,
		      const struct bb_histogram *histogram)
{
	bb_histogram_merge(series_of(metrics, metric, HISTOGRAM, labels)->histogram, histogram);
}

void bb_metrics_clear(struct bb_metrics *metrics, enum bb_metric metric)
{
	bb_assert(table[metric].kind == GAUGE);
	family_clear(&metrics->families[metric]);
}

const struct bb_histogram *bb_metrics_histogram(const struct bb_metrics *metrics,
						enum bb_metric metric, struct bb_labels labels)
{
	const struct family *family = &metrics->families[metric];
	bool found;
	size_t at;

	bb_assert(table[metric].kind == HISTOGRAM);
	at = find_series(family, &labels, &found);
	return found ? family->items[at].histogram : NULL;
}

static void render_value(struct bb_buf *buf, struct bb_text value)
{
	bb_buf_byte(buf, '"');
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (c == '\\' || c == '"' || c == '\n')
			bb_buf_byte(buf, '\\');
		bb_buf_byte(buf, c == '\n' ? 'n' : c);
	}
	bb_buf_byte(buf, '"');
}

/* `{connector="shop",result="applied",` ... without the closing brace; false: no labels at all. */
static bool render_labels(struct bb_buf *buf, const struct definition *definition,
			  const struct bb_labels *labels)
{
	const char *name = definition->labels;

	for (size_t i = 0; *name; i++) {
		size_t n = strcspn(name, ",");

		bb_buf_byte(buf, i ? ',' : '{');
		bb_buf_add(buf, name, n);
		bb_buf_byte(buf, '=');
		render_value(buf, labels->values[i]);
		name += n + (name[n] == ',');
	}
	return *definition->labels != '\0';
}

static void render_head(struct bb_buf *buf, const struct definition *definition,
			const struct series *series, const char *suffix)
{
	bb_buf_printf(buf, "%s%s", definition->name, suffix);
	if (render_labels(buf, definition, &series->labels))
		bb_buf_byte(buf, '}');
}

static void render_bucket(struct bb_buf *buf, const struct definition *definition,
			  const struct series *series, const char *border, uint64_t count)
{
	bb_buf_printf(buf, "%s_bucket", definition->name);
	bb_buf_byte(buf, render_labels(buf, definition, &series->labels) ? ',' : '{');
	bb_buf_printf(buf, "le=\"%s\"} %llu\n", border, (unsigned long long)count);
}

static void render_histogram(struct bb_buf *buf, const struct definition *definition,
			     const struct series *series)
{
	const struct bb_histogram *histogram = series->histogram;
	const struct scale *scale = strstr(definition->name, "_seconds") ? &seconds : &numbers;

	for (unsigned i = scale->first; i <= scale->last; i++) {
		char border[32];

		snprintf(border, sizeof border, "%.12g", (double)(UINT64_C(1) << i) / scale->unit);
		render_bucket(buf, definition, series, border, bb_histogram_at_most(histogram, i));
	}
	render_bucket(buf, definition, series, "+Inf", histogram->count);
	render_head(buf, definition, series, "_sum");
	bb_buf_printf(buf, " %.15g\n", (double)histogram->sum / scale->unit);
	render_head(buf, definition, series, "_count");
	bb_buf_printf(buf, " %llu\n", (unsigned long long)histogram->count);
}

static void render_series(struct bb_buf *buf, const struct definition *definition,
			  const struct series *series)
{
	if (definition->kind == HISTOGRAM) {
		render_histogram(buf, definition, series);
		return;
	}
	render_head(buf, definition, series, "");
	if (definition->kind == COUNTER)
		bb_buf_printf(buf, " %llu\n", (unsigned long long)series->count);
	else
		bb_buf_printf(buf, " %.15g\n", series->gauge);
}

void bb_metrics_render(const struct bb_metrics *metrics, struct bb_buf *buf)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};

	for (size_t i = 0; i < BB_METRIC_COUNT; i++) {
		const struct family *family = &metrics->families[i];

		if (!family->n)
			continue;
		bb_buf_printf(buf, "# HELP %s %s.\n# TYPE %s %s\n", table[i].name, table[i].help,
			      table[i].name, kinds[table[i].kind]);
		for (size_t k = 0; k < family->n; k++)
			render_series(buf, &table[i], &family->items[k]);
	}
}
