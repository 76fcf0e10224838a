/* SPDX-License-Identifier: Apache-2.0 */
/* The table of metrics and its text form. */
#include <backbone/metrics.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <signal.h>
#include <stdio.h>

static const char *render(struct bb_metrics *metrics)
{
	static struct bb_buf buf;

	buf.n = 0;
	bb_metrics_render(metrics, &buf);
	bb_buf_byte(&buf, '\0');
	return buf.p;
}

static bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

Test(base, metrics_are_named_by_the_rules)
{
	static const struct {
		const char *kind, *name, *labels, *help;
	} rows[] = {
#define X(name, kind, text, labels, help) {#kind, text, labels, help},
		BB_METRICS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *name = rows[i].name;

		for (const char *p = name; *p; p++)
			cr_assert(islower(*p) || *p == '_', "%s", name);
		cr_assert_eq(ends(name, "_total"), strcmp(rows[i].kind, "COUNTER") == 0, "%s",
			     name);
		if (strcmp(rows[i].kind, "HISTOGRAM") == 0)
			cr_assert(ends(name, "_seconds") || ends(name, "_events"), "%s", name);
		cr_assert_null(strstr(name, "_ms"), "%s", name);
		cr_assert(*rows[i].help && !ends(rows[i].help, "."), "%s", name);
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(name, rows[k].name);
	}
}

Test(base, metrics_render_counters_and_gauges)
{
	struct bb_metrics *metrics = bb_metrics_new();
	const char *text;

	bb_metrics_add(metrics, BB_METRIC_EVENTS, BB_LABELS("web", "applied"), 3);
	bb_metrics_add(metrics, BB_METRIC_EVENTS, BB_LABELS("shop", "dead_letter"), 1);
	bb_metrics_add(metrics, BB_METRIC_EVENTS, BB_LABELS("web", "applied"), 2);
	bb_metrics_set(metrics, BB_METRIC_READY, BB_LABELS_NONE, 1);
	bb_metrics_set(metrics, BB_METRIC_STORE_USED, BB_LABELS_NONE, 12345678901234.0);
	bb_metrics_set(metrics, BB_METRIC_STORE_READER_AGE, BB_LABELS_NONE, 0.25);
	bb_metrics_total(metrics, BB_METRIC_MERGES, BB_LABELS_NONE, 9);
	bb_metrics_total(metrics, BB_METRIC_MERGES, BB_LABELS_NONE, 4);
	text = render(metrics);
	cr_assert(strstr(text,
			 "# HELP backbone_events_total Events by how they ended.\n"
			 "# TYPE backbone_events_total counter\n"
			 "backbone_events_total{connector=\"shop\",result=\"dead_letter\"} 1\n"
			 "backbone_events_total{connector=\"web\",result=\"applied\"} 5\n"),
		  "%s", text);
	cr_assert(strstr(text, "# TYPE backbone_ready gauge\nbackbone_ready 1\n"), "%s", text);
	cr_assert(strstr(text, "backbone_store_used_bytes 12345678901234\n"), "%s", text);
	cr_assert(strstr(text, "backbone_store_oldest_reader_seconds 0.25\n"), "%s", text);
	cr_assert(strstr(text, "backbone_profile_merges_total 9\n"), "a counter never falls");
	bb_metrics_free(metrics);
}

Test(base, metrics_without_labels_start_at_zero)
{
	struct bb_metrics *metrics = bb_metrics_new();
	const char *text = render(metrics);

	cr_assert(strstr(text, "\nbackbone_commit_failures_total 0\n"), "%s", text);
	cr_assert(strstr(text, "\nbackbone_commit_seconds_count 0\n"), "%s", text);
	cr_assert_not(strstr(text, "backbone_ready"), "an unset gauge says nothing");
	cr_assert_not(strstr(text, "backbone_events_total"), "nor does one with labels");
	bb_metrics_free(metrics);
}

Test(base, metrics_escape_labels)
{
	struct bb_metrics *metrics = bb_metrics_new();

	bb_metrics_set(metrics, BB_METRIC_LAG, BB_LABELS("a\"b\\c\nd", "0"), 1);
	cr_assert(strstr(render(metrics), "{topic=\"a\\\"b\\\\c\\nd\",partition=\"0\"} 1\n"));
	bb_metrics_free(metrics);
}

Test(base, metrics_render_histograms)
{
	struct bb_metrics *metrics = bb_metrics_new();
	const char *text;

	bb_metrics_observe(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET"), 1024);
	bb_metrics_observe(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET"), 1025);
	bb_metrics_observe(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET"), UINT64_C(100000000000));
	bb_metrics_observe(metrics, BB_METRIC_BATCH, BB_LABELS_NONE, 10000);
	text = render(metrics);
	cr_assert(strstr(text,
			 "backbone_lookup_seconds_bucket{command=\"GET\",le=\"1.024e-06\"} 1\n"
			 "backbone_lookup_seconds_bucket{command=\"GET\",le=\"2.048e-06\"} 2\n"),
		  "%s", text);
	cr_assert(strstr(text, "{command=\"GET\",le=\"68.719476736\"} 2\n"), "%s", text);
	cr_assert(strstr(text, "{command=\"GET\",le=\"+Inf\"} 3\n"
			       "backbone_lookup_seconds_sum{command=\"GET\"} 100.000002049\n"
			       "backbone_lookup_seconds_count{command=\"GET\"} 3\n"),
		  "%s", text);
	cr_assert(strstr(text, "backbone_batch_events_bucket{le=\"8192\"} 0\n"
			       "backbone_batch_events_bucket{le=\"16384\"} 1\n"),
		  "%s", text);
	cr_assert(strstr(text, "backbone_batch_events_sum 10000\n"), "%s", text);
	bb_metrics_free(metrics);
}

Test(base, metrics_give_their_histograms)
{
	struct bb_metrics *metrics = bb_metrics_new();
	const struct bb_histogram *histogram;

	cr_assert_null(bb_metrics_histogram(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET")));
	bb_metrics_observe(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET"), 7);
	histogram = bb_metrics_histogram(metrics, BB_METRIC_LOOKUP, BB_LABELS("GET"));
	cr_assert_eq(histogram->max, 7);
	bb_metrics_free(metrics);
}

Test(base, metrics_clear_gauges)
{
	struct bb_metrics *metrics = bb_metrics_new();

	bb_metrics_set(metrics, BB_METRIC_LAG, BB_LABELS("gone", "0"), 1);
	bb_metrics_clear(metrics, BB_METRIC_LAG);
	bb_metrics_set(metrics, BB_METRIC_LAG, BB_LABELS("here", "0"), 2);
	cr_assert_not(strstr(render(metrics), "gone"));
	cr_assert(strstr(render(metrics), "{topic=\"here\",partition=\"0\"} 2\n"));
	bb_metrics_free(metrics);
}

Test(base, metrics_bound_the_series)
{
	struct bb_metrics *metrics = bb_metrics_new();
	char topic[32];

	for (int i = 0; i < BB_METRIC_SERIES_MAX + 50; i++) {
		snprintf(topic, sizeof topic, "t%d", i);
		bb_metrics_add(metrics, BB_METRIC_EVENTS, BB_LABELS(topic, "applied"), 1);
	}
	cr_assert(strstr(render(metrics), "{connector=\"other\",result=\"other\"} 50\n"));
	cr_assert(strstr(render(metrics), "{connector=\"t1999\",result=\"applied\"} 1\n"));
	cr_assert_not(strstr(render(metrics), "t2000"));
	bb_metrics_free(metrics);
}

Test(base, metrics_assert_on_the_wrong_kind, .signal = SIGABRT)
{
	bb_metrics_set(bb_metrics_new(), BB_METRIC_EVENTS, BB_LABELS("a", "b"), 1);
}

Test(base, metrics_free_nothing)
{
	bb_metrics_free(NULL);
}
