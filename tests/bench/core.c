/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast events are gated, folded and committed, without Kafka and JSON: what core and store
 * cost.
 *
 *	bench_core [--events N] [--people N] [--batch N] [--path DIR]
 *
 * People buy in shops, browse unknown, log in, and write on social media; the same people come
 * again, so the first events make records and the later ones fold into them. Prints one line a
 * phase and a summary.
 */
#include <backbone/clock.h>
#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <backbone/store.h>
#include <backbone/view.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

struct options {
	uint64_t events, people, batch;
	const char *path;
};

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* `before`, the number of the person, `behind`. */
static void identify(struct bb_event *ev, struct bb_arena *arena, const char *ns,
		     const char *before, uint64_t person, const char *behind)
{
	BB_ARENA_PUSH(arena, ev->identifiers, ev->identifier_n, ev->identifier_room) =
		(struct bb_identifier){
			.ns = bb_text_of(ns),
			.value = bb_arena_printf(arena, "%s%" PRIu64 "%s", before, person, behind),
			.ns_index = BB_NS_UNKNOWN};
}

static void set(struct bb_event *ev, struct bb_arena *arena, const char *name, struct bb_text value)
{
	BB_ARENA_PUSH(arena, ev->attributes, ev->attribute_n, ev->attribute_room) =
		(struct bb_attribute){
			bb_text_of(name), {.kind = BB_VALUE_TEXT, .text = value}, BB_AT_EVENT};
}

static void shop(struct bb_event *ev, struct bb_arena *arena, uint64_t person, uint64_t number)
{
	ev->source = BB_TEXT("shop_till");
	ev->channel = BB_TEXT("pos");
	ev->type = BB_TEXT("order_placed");
	identify(ev, arena, "loyalty", "L", person, "");
	identify(ev, arena, "email", "person", person, "@example.org");
	set(ev, arena, "first_name",
	    bb_arena_printf(arena, "Name%llu", (unsigned long long)person));
	set(ev, arena, "address.city", BB_TEXT("Lyon"));
	ev->has_amount = true;
	ev->amount = (struct bb_amount){
		.value = BB_TEXT("12.50"),
		.currency = BB_TEXT("EUR"),
		.key = bb_arena_printf(arena, "order-%llu", (unsigned long long)number)};
}

static void browse(struct bb_event *ev, struct bb_arena *arena, uint64_t person, uint64_t number)
{
	ev->source = BB_TEXT("web_shop");
	ev->channel = BB_TEXT("web");
	ev->type = BB_TEXT("page_viewed");
	identify(ev, arena, "device", "cookie-", person, "");
	if (number % 4 == 0) {
		identify(ev, arena, "user_id", "u", person, "");
		identify(ev, arena, "email", "person", person, "@example.org");
	}
	set(ev, arena, "last_page", BB_TEXT("/products/shoes"));
	set(ev, arena, "locale", BB_TEXT("fr-FR"));
}

static void write_message(struct bb_event *ev, struct bb_arena *arena, uint64_t person)
{
	ev->source = BB_TEXT("social");
	ev->channel = BB_TEXT("social");
	ev->type = BB_TEXT("message_received");
	identify(ev, arena, "whatsapp", "33600", person, "");
	identify(ev, arena, "email", "person", person, "@example.org");
	BB_ARENA_PUSH(arena, ev->consent, ev->consent_n, ev->consent_room) =
		(struct bb_consent){BB_TEXT("marketing"), BB_TEXT("email"), BB_TEXT("granted")};
}

static struct bb_event *make_event(struct bb_arena *arena, uint64_t number, uint64_t people)
{
	struct bb_event *ev = bb_arena_zalloc(arena, sizeof(*ev));
	uint64_t person = next_random() % people, dice = number % 3;

	ev->id = bb_arena_printf(arena, "%08llx-0000-4000-8000-%012llx",
				 (unsigned long long)(number >> 8), (unsigned long long)number);
	ev->time_ms = INT64_C(1760000000000) + (int64_t)number * 20;
	ev->has_time = true;
	ev->log_ms = ev->time_ms + 50;
	ev->position = (struct bb_position){BB_TEXT("events"), (int32_t)(number % 3),
					    (int64_t)(number / 3)};
	if (dice == 0)
		shop(ev, arena, person, number);
	else if (dice == 1)
		browse(ev, arena, person, number);
	else
		write_message(ev, arena, person);
	return ev;
}

static void make_rules(struct bb_rules *rules)
{
	static struct bb_namespace all[5];

	bb_rules_defaults(rules);
	bb_rules_namespace_defaults(&all[0], "user_id", true, true);
	bb_rules_namespace_defaults(&all[1], "loyalty", true, true);
	bb_rules_namespace_defaults(&all[2], "email", false, true);
	bb_rules_namespace_defaults(&all[3], "whatsapp", false, true);
	bb_rules_namespace_defaults(&all[4], "device", false, false);
	all[2].normaliser = BB_NORMALISE_EMAIL;
	all[2].per_profile = 5;
	rules->namespaces = all;
	rules->namespace_n = 5;
}

static void fail(const char *what, int rc)
{
	fprintf(stderr, "bench_core: %s: %s\n", what, bb_error_text(rc));
	exit(1);
}

static void run_batch(struct bb_store *store, struct bb_pipeline *pl, const struct bb_rules *rules,
		      const struct options *opt, uint64_t from, uint64_t ns[3])
{
	struct bb_arena arena;
	struct bb_kv *kv;
	uint64_t t0, t1;
	int rc = bb_store_write_begin(store, &kv);

	if (rc != BB_OK)
		fail("begin", rc);
	bb_arena_init(&arena);
	bb_pipeline_begin(pl, kv);
	t0 = bb_clock_monotonic_ns();
	for (uint64_t i = from; i < from + opt->batch && i < opt->events; i++) {
		struct bb_event *ev = make_event(&arena, i, opt->people);
		struct bb_refusal refusal;

		if (bb_gate(rules, ev, &arena, &refusal) == BB_GATE_PASS)
			bb_pipeline_apply(pl, ev, &refusal);
	}
	t1 = bb_clock_monotonic_ns();
	ns[0] += t1 - t0;
	rc = bb_pipeline_finish(pl);
	if (rc != BB_OK)
		fail("finish", rc);
	ns[1] += bb_clock_monotonic_ns() - t1;
	t1 = bb_clock_monotonic_ns();
	rc = bb_store_write_commit(kv);
	if (rc != BB_OK)
		fail("commit", rc);
	ns[2] += bb_clock_monotonic_ns() - t1;
	bb_arena_fini(&arena);
}

static void print_summary(struct bb_store *store, const struct bb_rules *rules,
			  const struct options *opt, double seconds)
{
	struct bb_store_stats stats;
	struct rusage usage;
	struct bb_store_reader *reader;
	struct bb_viewer *viewer = bb_viewer_new(rules);
	struct bb_kv *kv;
	uint64_t t0, found = 0, looked = 200000;
	int rc = bb_store_stats(store, &stats);

	getrusage(RUSAGE_SELF, &usage);
	if (rc != BB_OK || (rc = bb_store_reader_new(store, &reader)) != BB_OK ||
	    (rc = bb_store_read_begin(reader, &kv)) != BB_OK)
		fail("read", rc);
	printf("%.0f events/s, %.1f us of CPU an event, %llu MiB used, %.0f bytes a person, peak "
	       "%ld MiB\n",
	       (double)opt->events / seconds,
	       ((double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec) * 1e6 /
			       (double)opt->events +
		       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) /
			       (double)opt->events,
	       (unsigned long long)(stats.used_bytes >> 20),
	       (double)stats.used_bytes / (double)opt->people, usage.ru_maxrss >> 10);
	for (int t = 0; t < BB_TABLE_COUNT; t++)
		printf("  table %d: %llu entries\n", t, (unsigned long long)stats.entries[t]);
	struct bb_buf buf = BB_BUF_EMPTY;

	t0 = bb_clock_monotonic_ns();
	for (uint64_t i = 0; i < looked; i++) {
		char key[64];
		struct bb_found where;
		const struct bb_view *view;

		snprintf(key, sizeof(key), "email:person%llu@example.org",
			 (unsigned long long)(next_random() % opt->people));
		if (bb_viewer_find(viewer, kv, bb_text_of(key), &where) != BB_OK ||
		    bb_viewer_fold(viewer, kv, where.cluster, &view) != BB_OK)
			continue;
		buf.n = 0;
		bb_view_json(view, BB_VIEW_ALL, false, &buf);
		found += buf.n > 0;
	}
	printf("%.2f us a look-up, %llu of %llu found, last view %zu bytes\n",
	       (double)(bb_clock_monotonic_ns() - t0) / 1e3 / (double)looked,
	       (unsigned long long)found, (unsigned long long)looked, buf.n);
	bb_buf_fini(&buf);
	bb_store_read_end(reader);
	bb_store_reader_free(reader);
	bb_viewer_free(viewer);
}

static void parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {{"events", required_argument, NULL, 'e'},
					      {"people", required_argument, NULL, 'p'},
					      {"batch", required_argument, NULL, 'b'},
					      {"path", required_argument, NULL, 'd'},
					      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'd')
			opt->path = optarg;
		else if (c == 'e')
			opt->events = strtoull(optarg, NULL, 10);
		else if (c == 'p')
			opt->people = strtoull(optarg, NULL, 10);
		else if (c == 'b')
			opt->batch = strtoull(optarg, NULL, 10);
		else
			exit(2);
	}
	if (!opt->path || !opt->events || !opt->people || !opt->batch) {
		fprintf(stderr,
			"usage: bench_core --path DIR [--events N] [--people N] [--batch N]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options opt = {.events = 1000000, .people = 100000, .batch = 10000};
	struct bb_rules rules;
	struct bb_store *store = NULL;
	struct bb_error err = {0};
	uint64_t ns[3] = {0}, t0, last;

	parse(argc, argv, &opt);
	make_rules(&rules);
	int rc = bb_store_open(&(struct bb_store_options){.path = opt.path,
							  .map_size_bytes = UINT64_C(64) << 30,
							  .profile_key = &rules.profile_key},
			       &store, &err);

	if (rc != BB_OK)
		fail(err.msg, rc);
	struct bb_pipeline *pl = bb_pipeline_new(&rules);

	t0 = last = bb_clock_monotonic_ns();
	for (uint64_t i = 0; i < opt.events; i += opt.batch) {
		run_batch(store, pl, &rules, &opt, i, ns);
		if ((i / opt.batch + 1) % 20 == 0) {
			uint64_t now = bb_clock_monotonic_ns();

			printf("%9llu events: %6.0f events/s; so far apply %.1f, finish %.1f, "
			       "commit %.1f us an event\n",
			       (unsigned long long)(i + opt.batch),
			       20.0 * (double)opt.batch * 1e9 / (double)(now - last),
			       (double)ns[0] / 1e3 / (double)(i + opt.batch),
			       (double)ns[1] / 1e3 / (double)(i + opt.batch),
			       (double)ns[2] / 1e3 / (double)(i + opt.batch));
			last = now;
		}
	}
	print_summary(store, &rules, &opt, (double)(bb_clock_monotonic_ns() - t0) / 1e9);
	bb_pipeline_free(pl);
	bb_store_close(store);
	return 0;
}
