/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What identity costs: on graphs as retailers have them, and where somebody tries to make it dear.
 *
 *	bench_identity [--scale N] [--batch N] [--only NAME] [--json]
 *
 * Each case runs on a store of its own. Its events pass gate and pipeline in batches (1 unless said
 * otherwise); a thousand events share a transaction, so that what is measured is the work and not
 * the disk. One row a case: time an event, and an identifier whose profile is another then; the
 * longest batch; how many events led to a replay, and the sizes of these. `--scale 10` is a tenth
 * of the load.
 */
#include <backbone/clock.h>
#include <backbone/gate.h>
#include <backbone/histogram.h>
#include <backbone/pipeline.h>
#include <backbone/store.h>

#include <ftw.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EVENTS_A_TRANSACTION 1000
#define FIRST_MS INT64_C(1760000000000)

struct world {
	struct bb_rules rules;
	struct bb_namespace namespaces[6];
	struct bb_arena arena; /* of a batch */
	uint64_t random;
	uint64_t n; /* events of the case */
};

static uint64_t below(struct world *world, uint64_t n)
{
	uint64_t z = (world->random += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static void add(struct world *world, struct bb_event *ev, const char *ns, uint64_t number)
{
	struct bb_arena *arena = &world->arena;

	BB_ARENA_PUSH(arena, ev->identifiers, ev->identifier_n, ev->identifier_room) =
		(struct bb_identifier){.ns = bb_text_of(ns),
				       .value = bb_arena_printf(arena, "x%" PRIu64, number),
				       .ns_index = BB_NS_UNKNOWN};
}

/* --- cases ------------------------------------------------------------------------------------ */

/* People buy with a card, browse with devices, log in; a tenth of the households share a device. */
static void retail(struct world *world, struct bb_event *ev, uint64_t i)
{
	uint64_t person = below(world, world->n / 10 + 1), household = person / 3;

	switch (i % 4) {
	case 0:
		add(world, ev, "loyalty", person);
		add(world, ev, "email", person);
		break;
	case 1:
		add(world, ev, "device", 3 * person + below(world, 2));
		break;
	case 2:
		add(world, ev, "user_id", person);
		add(world, ev, "email", person);
		add(world, ev, "device",
		    household % 10 ? 3 * person + below(world, 2) : 3 * household + 2);
		break;
	default:
		add(world, ev, "phone", person);
		add(world, ev, "email", person);
		break;
	}
}

/* The same; every twentieth event names somebody else's e-mail or phone, and households share both.
 */
static void percolating(struct world *world, struct bb_event *ev, uint64_t i)
{
	uint64_t people = world->n / 10 + 1, person = below(world, people), contact = person;

	if (below(world, 20) == 0)
		contact = below(world, people);
	else if (person % 7 == 0)
		contact = person / 3 * 3;
	add(world, ev, i % 2 ? "loyalty" : "user_id", person);
	add(world, ev, i % 3 ? "email" : "phone", contact);
	if (i % 5 == 0)
		add(world, ev, "device", person);
}

/* One account comes with a fresh device each time: no cap counts them. */
static void star(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "user_id", 1);
	add(world, ev, "device", i);
}

/* The same, so slowly that each device is newer than all before: each of them comes in, and one
 * goes. */
static void rising_star(struct world *world, struct bb_event *ev, uint64_t i)
{
	ev->time_ms = ev->log_ms = FIRST_MS + (int64_t)i * BB_HOUR_MS;
	star(world, ev, i);
}

static void two_stars(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "user_id", 1 + i % 2);
	add(world, ev, "device", i);
}

/* Rising stars, as many as there is room for, in turns. */
static void many_stars(struct world *world, struct bb_event *ev, uint64_t i)
{
	uint64_t stars = world->n / 600 + 1;

	ev->time_ms = ev->log_ms = FIRST_MS + (int64_t)(i / stars) * BB_HOUR_MS;
	add(world, ev, "user_id", i % stars);
	add(world, ev, "device", i);
}

/* The same around two numbers of one customer, which come together each time. */
static void double_star(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "user_id", 1);
	add(world, ev, "loyalty", 1);
	add(world, ev, "device", i);
}

/* The same around an e-mail, which becomes shared. */
static void shared_star(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "email", 1);
	add(world, ev, "device", i);
}

static void chain(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "email", i);
	add(world, ev, "email", i + 1);
}

/* i -> 7 i + 3 modulo n is a permutation unless 7 divides n. */
static void shuffled_chain(struct world *world, struct bb_event *ev, uint64_t i)
{
	uint64_t n = world->n % 7 ? world->n : world->n + 1;

	chain(world, ev, (i * (n / 3 * 7 % n | 1) + 3) % n);
}

static void kiosk(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "user_id", i);
	add(world, ev, "device", 1);
}

/* Two accounts with 498 devices each, then one e-mail that both of them claim, event by event. */
static void contention(struct world *world, struct bb_event *ev, uint64_t i)
{
	if (i < 996) {
		add(world, ev, "user_id", i % 2);
		add(world, ev, "device", i);
	} else {
		ev->time_ms += (int64_t)(i - 996) * BB_HOUR_MS;
		add(world, ev, "user_id", i % 2);
		add(world, ev, "email", 1);
	}
}

/* An account in 20,000 sets of identifiers, hot afterwards. */
static void many_records(struct world *world, struct bb_event *ev, uint64_t i)
{
	uint64_t set = i % 20000;

	add(world, ev, "user_id", 1);
	for (unsigned bit = 0; bit < 15; bit++)
		if (set >> bit & 1)
			add(world, ev, "device", bit);
}

/* A telephone of 21 people, again and again: shared with the 21st. */
static void at_the_cap(struct world *world, struct bb_event *ev, uint64_t i)
{
	add(world, ev, "phone", i / 30);
	add(world, ev, "email", i / 30 * 100 + i % 30);
}

static const struct bench_case {
	const char *name, *what;
	void (*make)(struct world *world, struct bb_event *ev, uint64_t i);
	uint64_t n;
	const char *orders; /* after all events (see words), of which the last is measured */
} cases[] = {
	{"retail", "people, cards, devices, some shared", retail, 1000000, NULL},
	{"percolating", "5 % wrong links, shared phones, households", percolating, 1000000, NULL},
	{"star", "100,000 fresh devices of one account", star, 100000, NULL},
	{"rising-star", "the same, each newer than all before", rising_star, 100000, NULL},
	{"star-blocked", "a ruling that its account is nobody's", star, 100000, "B"},
	{"star-erased", "its account is erased", star, 100000, "e"},
	{"stars-joined", "a ruling that two stars are one", two_stars, 100000, "j"},
	{"stars-released", "and that they are not", two_stars, 100000, "jr"},
	{"many-stars", "rising stars, 600 devices each", many_stars, 200000, NULL},
	{"double-star", "the same of an account with a card", double_star, 100000, NULL},
	{"double-split", "a ruling that these are two", double_star, 100000, "s"},
	{"double-released", "and that they are not", double_star, 100000, "sr"},
	{"shared-star", "100,000 fresh devices of one e-mail", shared_star, 100000, NULL},
	{"chain", "100,000 e-mails in a row", chain, 100000, NULL},
	{"chain-shuffled", "the same in another order", shuffled_chain, 100000, NULL},
	{"kiosk", "one device, 1,000,000 accounts", kiosk, 1000000, NULL},
	{"kiosk-allowed", "a ruling that it is not shared", kiosk, 1000000, "a"},
	{"kiosk-released", "and that it may be after all", kiosk, 1000000, "ar"},
	{"kiosk-blocked", "a ruling that it is nobody's", kiosk, 1000000, "b"},
	{"contention", "two profiles of 499 claim one e-mail", contention, 20000, NULL},
	{"many-records", "20,000 records in one profile", many_records, 60000, NULL},
	{"at-the-cap", "values that become shared", at_the_cap, 100000, NULL},
};

/* --- running ---------------------------------------------------------------------------------- */

static void make_rules(struct world *world)
{
	struct bb_namespace *all = world->namespaces;

	bb_rules_defaults(&world->rules);
	bb_rules_namespace_defaults(&all[0], "user_id", true, true);
	bb_rules_namespace_defaults(&all[1], "loyalty", true, true);
	bb_rules_namespace_defaults(&all[2], "email", false, true);
	bb_rules_namespace_defaults(&all[3], "phone", false, true);
	bb_rules_namespace_defaults(&all[4], "device", false, false);
	all[1].per_profile = 2;
	all[2].per_profile = 5;
	world->rules.namespaces = all;
	world->rules.namespace_n = 5;
}

static struct bb_event *make_event(struct world *world, const struct bench_case *one, uint64_t i)
{
	struct bb_event *ev = bb_arena_zalloc(&world->arena, sizeof(*ev));

	ev->source = BB_TEXT("bench");
	ev->channel = BB_TEXT("web");
	ev->type = BB_TEXT("seen");
	ev->id = bb_arena_printf(&world->arena, "e%" PRIu64, i);
	ev->time_ms = FIRST_MS + (int64_t)i * 1000;
	ev->has_time = true;
	ev->log_ms = ev->time_ms;
	ev->position = (struct bb_position){BB_TEXT("events"), 0, (int64_t)i};
	one->make(world, ev, i);
	return ev;
}

static void check(const char *what, int rc)
{
	if (rc == BB_OK)
		return;
	fprintf(stderr, "bench_identity: %s: %s\n", what, bb_error_text(rc));
	exit(1);
}

struct result {
	struct bb_histogram batches_ns, nodes, links;
	uint64_t events, total_ns, worst_ns;
	struct bb_pipeline_stats stats;
};

static void record_replay(struct result *result, const struct bb_pipeline_stats *before)
{
	if (result->stats.replays == before->replays)
		return;
	bb_histogram_record(&result->nodes, result->stats.replay_nodes - before->replay_nodes);
	bb_histogram_record(&result->links, result->stats.replay_links - before->replay_links);
}

static void run_batch(struct world *world, struct bb_pipeline *pl, struct bb_kv *kv,
		      const struct bench_case *one, uint64_t from, uint64_t to,
		      struct result *result)
{
	struct bb_pipeline_stats before = result->stats;
	uint64_t began_ns, ns;

	bb_arena_reset(&world->arena);
	began_ns = bb_clock_monotonic_ns();
	bb_pipeline_begin(pl, kv);
	for (uint64_t i = from; i < to; i++) {
		struct bb_event *ev = make_event(world, one, i);
		struct bb_refusal refusal;

		if (bb_gate(&world->rules, ev, &world->arena, &refusal) == BB_GATE_PASS)
			bb_pipeline_apply(pl, ev, &refusal);
	}
	check("finish", bb_pipeline_finish(pl));
	ns = bb_clock_monotonic_ns() - began_ns;
	bb_pipeline_stats(pl, &result->stats);
	result->events += to - from;
	result->total_ns += ns;
	result->worst_ns = ns > result->worst_ns ? ns : result->worst_ns;
	bb_histogram_record(&result->batches_ns, ns);
	record_replay(result, &before);
}

/* What stewards say; 'r' releases what was said before it, 'e' erases account 1. */
static const struct said {
	char letter;
	enum bb_ruling_kind kind;
	struct {
		const char *ns, *value;
	} on[2];
} words[] = {
	{'a', BB_RULING_ALLOW, {{"device", "x1"}}},
	{'b', BB_RULING_BLOCK, {{"device", "x1"}}},
	{'B', BB_RULING_BLOCK, {{"user_id", "x1"}}},
	{'j', BB_RULING_JOIN, {{"user_id", "x1"}, {"user_id", "x2"}}},
	{'s', BB_RULING_SPLIT, {{"user_id", "x1"}, {"loyalty", "x1"}}},
};

static enum bb_verdict rule(struct world *world, struct bb_pipeline *pl, char letter, char before)
{
	struct bb_ruling ruling = {.kind = BB_RULING_RELEASE,
				   .id = bb_arena_printf(&world->arena, "%c", letter),
				   .time_ms = FIRST_MS};
	struct bb_refusal refusal;

	if (letter == 'r')
		ruling.releases = bb_arena_printf(&world->arena, "%c", before);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].letter != letter)
			continue;
		ruling.kind = words[i].kind;
		for (unsigned k = 0; k < bb_ruling_ends(ruling.kind); k++)
			ruling.on[k] =
				(struct bb_identifier){.ns = bb_text_of(words[i].on[k].ns),
						       .value = bb_text_of(words[i].on[k].value),
						       .ns_index = BB_NS_UNKNOWN};
	}
	if (!bb_ruling_check(&world->rules, &ruling, &world->arena, &refusal))
		return BB_VERDICT_DEAD;
	return bb_pipeline_rule(pl, &ruling, &refusal);
}

static int erase(struct world *world, struct bb_pipeline *pl)
{
	const struct bb_erasure order = {
		.key = BB_TEXT("user_id:x1"), .id = BB_TEXT("e"), .time_ms = FIRST_MS};
	struct bb_erasure_receipt receipt;

	return bb_pipeline_erase(pl, &order, &world->arena, &receipt);
}

static void run_order(struct world *world, struct bb_pipeline *pl, struct bb_kv *kv,
		      const char *letter, struct result *result)
{
	struct bb_pipeline_stats before;
	uint64_t began_ns = bb_clock_monotonic_ns();

	memset(result, 0, sizeof(*result));
	bb_pipeline_stats(pl, &before);
	bb_pipeline_begin(pl, kv);
	if (*letter == 'e')
		check("erase", erase(world, pl));
	else if (rule(world, pl, *letter, letter[-(*letter == 'r')]) != BB_VERDICT_APPLIED)
		check("rule", BB_EINVAL);
	check("finish", bb_pipeline_finish(pl));
	result->events = 1;
	result->total_ns = result->worst_ns = bb_clock_monotonic_ns() - began_ns;
	bb_histogram_record(&result->batches_ns, result->total_ns);
	bb_pipeline_stats(pl, &result->stats);
	record_replay(result, &before);
	result->stats.replays -= before.replays;
	result->stats.moved -= before.moved;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void run_case(const struct bench_case *one, uint64_t n, uint64_t batch,
		     struct result *result)
{
	struct world world = {.random = 42, .n = n};
	char path[] = "/tmp/bench-identity-XXXXXX";
	struct bb_store_options options = {.path = path,
					   .map_size_bytes = UINT64_C(16) << 30,
					   .profile_key = &world.rules.profile_key};
	struct bb_pipeline *pl;
	struct bb_store *store;
	struct bb_error err;
	struct bb_kv *kv;

	make_rules(&world);
	bb_arena_init(&world.arena);
	if (!mkdtemp(path) || bb_store_open(&options, &store, &err) != BB_OK)
		check("open", BB_EIO);
	pl = bb_pipeline_new(&world.rules);
	for (uint64_t at = 0; at < n;) {
		uint64_t end = at + EVENTS_A_TRANSACTION < n ? at + EVENTS_A_TRANSACTION : n;

		check("begin", bb_store_write_begin(store, &kv));
		for (uint64_t next; at < end; at = next) {
			next = at + batch < end ? at + batch : end;
			run_batch(&world, pl, kv, one, at, next, result);
		}
		check("commit", bb_store_write_commit(kv));
	}
	for (const char *letter = one->orders; letter && *letter; letter++) {
		check("begin", bb_store_write_begin(store, &kv));
		run_order(&world, pl, kv, letter, result);
		check("commit", bb_store_write_commit(kv));
	}
	bb_pipeline_free(pl);
	bb_store_close(store);
	bb_arena_fini(&world.arena);
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void print(const struct bench_case *one, const struct result *r, bool json)
{
	double all_us = (double)r->total_ns / 1000.0, us = all_us / (double)r->events,
	       /* of hot events, which change nearly nobody, it says nothing */
		moved = r->stats.moved * 10 > r->events ? all_us / (double)r->stats.moved : 0,
	       percent = 100.0 * (double)r->stats.replays / (double)r->events,
	       p99_us = (double)bb_histogram_quantile(&r->batches_ns, 990) / 1e3,
	       worst_ms = (double)r->worst_ns / 1e6;
	uint64_t nodes = bb_histogram_quantile(&r->nodes, 990),
		 nodes_most = bb_histogram_quantile(&r->nodes, 1000),
		 links = bb_histogram_quantile(&r->links, 990),
		 links_most = bb_histogram_quantile(&r->links, 1000);

	if (json)
		printf("{\"case\":\"%s\",\"events\":%" PRIu64 ",\"us_an_event\":%.2f,"
		       "\"us_a_changed_identifier\":%.2f,\"p99_us_a_batch\":%.1f,"
		       "\"worst_ms_a_batch\":%.2f,\"replays_percent\":%.3f,"
		       "\"nodes_p99\":%" PRIu64 ",\"nodes_most\":%" PRIu64 ",\"links_p99\":%" PRIu64
		       ",\"links_most\":%" PRIu64 ",\"peak_bytes\":%" PRIu64 "}\n",
		       one->name, r->events, us, moved, p99_us, worst_ms, percent, nodes,
		       nodes_most, links, links_most, r->stats.peak_bytes);
	else
		printf("%-15s %8" PRIu64 " %10.2f %9.2f %10.1f %9.2f %8.3f %6" PRIu64 " %6" PRIu64
		       " %7" PRIu64 " %7" PRIu64 " %7.1f  %s\n",
		       one->name, r->events, us, moved, p99_us, worst_ms, percent, nodes,
		       nodes_most, links, links_most, (double)r->stats.peak_bytes / 1048576.0,
		       one->what);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"scale", required_argument, NULL, 's'},
					      {"batch", required_argument, NULL, 'b'},
					      {"only", required_argument, NULL, 'o'},
					      {"json", no_argument, NULL, 'j'},
					      {NULL, 0, NULL, 0}};
	uint64_t scale = 1, batch = 1;
	const char *only = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 's')
			scale = strtoull(optarg, NULL, 10);
		else if (c == 'b')
			batch = strtoull(optarg, NULL, 10);
		else if (c == 'o')
			only = optarg;
		else if (c == 'j')
			json = true;
		else
			return 2;
	}
	if (!scale || !batch)
		return 2;
	if (!json)
		printf("%-15s %8s %10s %9s %10s %9s %8s %6s %6s %7s %7s %7s\n", "case", "events",
		       "us/event", "/changed", "p99 us", "worst ms", "replay %", "n p99", "n most",
		       "l p99", "l most", "MiB");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result *result = calloc(1, sizeof(*result));

		if (!result)
			abort();
		if (!only || strcmp(only, cases[i].name) == 0) {
			run_case(&cases[i], cases[i].n / scale, batch, result);
			print(&cases[i], result, json);
		}
		free(result);
	}
	return 0;
}
