/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to make an event of a message: bytes through a compiled connector, beside the tree
 * that a general parser makes of the same bytes and nothing else.
 *
 *	bench_extract [--rounds N] [--json]
 *
 * Messages have the shapes that shops and web sites send, made here: 64 different ones of each
 * size. Columns, in nanoseconds a message: jansson's json_loadb and json_decref; the walker, which
 * copies jansson's tree and walks the paths in it; the extractor. All in turns, in one run; each
 * figure is the median of the rounds.
 */
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"
#include "run.h"

#define MESSAGES 64
#define ROUNDS_MAX 1001

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static unsigned dice(unsigned sides)
{
	return (unsigned)(next_random() % sides);
}

static const char *one_of(const char *const *words, size_t n)
{
	return words[dice((unsigned)n)];
}

#define ONE_OF(words) one_of((words), sizeof(words) / sizeof((words)[0]))

static const char *const first_names[] = {"Ada", "Béatrice", "Chloe", "Dimitri", "Emre", "Fatima"};
static const char *const last_names[] = {"Martin", "Okafor", "Lindqvist", "Sato", "Moreau", "Diaz"};
static const char *const cities[] = {"Lyon", "Aix-en-Provence", "Gent", "Bologna", "Porto"};
static const char *const goods[] = {"Canvas tote",	  "Wool scarf \\\"Nord\\\"",
				    "Espresso cup",	  "Trail shoe, size 42",
				    "Notebook A5 dotted", "Olive oil 0.5 l"};
static const char *const pages[] = {"/",
				    "/shoes/trail",
				    "/cart",
				    "/blog/how-we-tan-leather",
				    "/account/orders",
				    "/search?q=scarf"};

static void add_visit(struct bb_buf *buf)
{
	unsigned person = dice(100000);

	bb_buf_printf(buf,
		      "{\"type\":\"page\",\"messageId\":\"%016" PRIx64
		      "\",\"anonymousId\":\"%016" PRIx64
		      "\",\"userId\":%s%u%s,\"sentAt\":\"2026-03-%02uT%02u:15:%02u.%03uZ\",",
		      next_random(), next_random(), dice(2) ? "\"u-" : "\"", person, "\"",
		      dice(28) + 1, dice(24), dice(60), dice(1000));
	bb_buf_printf(
		buf,
		"\"page\":{\"path\":\"%s\",\"title\":\"%s\",\"referrer\":\"https://"
		"search.example/\"},\"traits\":{\"email\":\"p%u@example.org\",\"plan\":\"%s\"},",
		ONE_OF(pages), ONE_OF(goods), person, dice(2) ? "free" : "club");
	bb_buf_printf(
		buf,
		"\"context\":{\"ip\":\"192.0.2.%u\",\"locale\":\"fr-FR\",\"screen\":{\"width\":"
		"%u,\"height\":%u},\"library\":{\"name\":\"tag.js\",\"version\":\"4.%u.0\"}}}",
		dice(256), 1280 + 64 * dice(8), 720 + 60 * dice(8), dice(20));
}

static void add_address(struct bb_buf *buf, const char *name)
{
	bb_buf_printf(buf,
		      "\"%s\":{\"line1\":\"%u rue des Tanneurs\",\"line2\":null,\"zip\":\"%05u\","
		      "\"city\":\"%s\",\"province\":null,\"country\":\"France\",\"country_code\":"
		      "\"FR\"},",
		      name, dice(200), dice(100000), ONE_OF(cities));
}

static void add_customer(struct bb_buf *buf, unsigned person)
{
	bb_buf_printf(buf,
		      "\"customer\":{\"id\":%u,\"gid\":\"cust-%u\",\"email\":\"p%u@example.org\","
		      "\"phone\":\"+3360%07u\",\"first_name\":\"%s\",\"last_name\":\"%s\",",
		      7000000 + person, person, person, person, ONE_OF(first_names),
		      ONE_OF(last_names));
	add_address(buf, "address");
	bb_buf_printf(buf,
		      "\"loyal\":%s,\"orders_count\":%u,\"tags\":\"till, club\",\"note\":null},",
		      dice(2) ? "true" : "false", dice(40));
}

static void add_item(struct bb_buf *buf, bool last)
{
	bb_buf_printf(buf,
		      "{\"id\":%" PRIu64 ",\"sku\":\"SKU-%06u\",\"title\":\"%s\",\"quantity\":%u,"
		      "\"price\":\"%u.%02u\",\"taxable\":true,\"grams\":%u,\"discounts\":[],"
		      "\"tax_lines\":[{\"title\":\"TVA\",\"rate\":0.2,\"price\":\"%u.%02u\"}],"
		      "\"vendor\":\"Atelier\",\"gift_card\":false}%s",
		      1000000000 + next_random() % 1000000000, dice(1000000), ONE_OF(goods),
		      1 + dice(3), dice(200), dice(100), dice(2000), dice(20), dice(100),
		      last ? "" : ",");
}

/* What shops add to an order that no connector asks for. */
static void add_details(struct bb_buf *buf, unsigned n)
{
	static const char *const names[] = {"note",	 "tags",     "source", "checkout",
					    "reference", "discount", "weight", "device"};

	for (unsigned i = 0; i < n; i++) {
		const char *name = names[i % (sizeof(names) / sizeof(names[0]))];

		if (i % 3 == 0)
			bb_buf_printf(buf, "\"%s_%u\":null,", name, i);
		else if (i % 3 == 1)
			bb_buf_printf(buf, "\"%s_%u\":\"%s\",", name, i, ONE_OF(goods));
		else
			bb_buf_printf(buf, "\"%s_%u\":%u.%02u,", name, i, dice(100), dice(100));
	}
}

/* An order of about `bytes`. */
static void add_order(struct bb_buf *buf, size_t bytes)
{
	unsigned person = dice(100000);
	size_t from = buf->n;

	bb_buf_printf(
		buf,
		"{\"id\":%" PRIu64 ",\"gid\":\"order-%" PRIu64 "\",\"created_at\":\"2026-03-"
		"%02uT%02u:15:%02u+01:00\",\"processed_at\":\"2026-03-%02uT%02u:15:%02u+01:00\","
		"\"currency\":\"EUR\",\"total\":\"%u.%02u\",\"locale\":\"fr\","
		"\"accepts_marketing\":%s,\"location_id\":%u,\"token\":\"%016" PRIx64 "\",",
		next_random() >> 20, next_random() >> 20, dice(28) + 1, dice(24), dice(60),
		dice(28) + 1, dice(24), dice(60), dice(400), dice(100), dice(2) ? "true" : "false",
		dice(90), next_random());
	add_customer(buf, person);
	if (bytes > 1000)
		add_details(buf, (unsigned)(bytes / 150));
	if (bytes > 2000)
		add_address(buf, "shipping");
	bb_buf_printf(buf, "\"payments\":[{\"method\":\"card\",\"amount\":\"%u.00\"}],\"items\":[",
		      dice(400));
	while (buf->n - from + 400 < bytes)
		add_item(buf, false);
	if (bytes > 900)
		add_item(buf, true);
	bb_buf_text(buf, BB_TEXT("]}"));
}

struct load {
	size_t about_bytes;
	const char *file;
	struct bb_connector *connector;
	struct bb_text messages[MESSAGES];
	size_t bytes;
};

static struct bb_connector *compile(const char *file, struct bb_arena *arena)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_buf path = BB_BUF_EMPTY;
	struct bb_connector *connector;
	char *text = bb_arena_alloc(arena, 1 << 16);
	FILE *stream;
	size_t n;

	bb_buf_printf(&path, "%s/tests/bench/%s", BB_SOURCE_DIR, file);
	bb_buf_byte(&path, '\0');
	stream = fopen(path.p, "rb");
	n = stream ? fread(text, 1, 1 << 16, stream) : 0;
	if (stream)
		fclose(stream);
	connector = bb_connector_compile(path.p, bb_text_bytes(text, n), NULL, &diagnostics);
	if (!connector) {
		fprintf(stderr, "bench_extract: %s does not compile\n", path.p);
		exit(1);
	}
	bb_buf_fini(&path);
	return connector;
}

static void make(struct load *load, struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	load->connector = compile(load->file, arena);
	for (size_t i = 0; i < MESSAGES; i++) {
		buf.n = 0;
		if (strstr(load->file, "visit"))
			add_visit(&buf);
		else
			add_order(&buf, load->about_bytes);
		load->messages[i] = bb_arena_copy(arena, bb_buf_slice(&buf));
		load->bytes += buf.n;
	}
	bb_buf_fini(&buf);
}

static void run_jansson(const struct load *load, struct bb_arena *arena)
{
	json_error_t error;
	json_t *root;

	(void)arena;
	for (size_t i = 0; i < MESSAGES; i++) {
		root = json_loadb(load->messages[i].p, load->messages[i].n, 0, &error);
		if (!root)
			exit(1);
		json_decref(root);
	}
}

static void run_by(const struct load *load, struct bb_arena *arena, bb_run_read_fn *read)
{
	static const struct bb_header headers[] = {
		{{"X-Topic", 7}, {"orders/create", 13}},
		{{"X-Shop", 6}, {"shop.example", 12}},
		{{"X-Event-Id", 10}, {"b54557e4-bdd9-4b37-8a5f-bf7d70bcd043", 36}},
	};
	struct bb_extraction extraction;

	for (size_t i = 0; i < MESSAGES; i++) {
		struct bb_message msg = {.topic = BB_TEXT("bench"),
					 .offset = (int64_t)i,
					 .timestamp_ms = 1772323200000,
					 .value = load->messages[i],
					 .headers = headers,
					 .header_n = 3,
					 .from_log = true};

		if (read)
			bb_run_walked(load->connector, &msg, arena, read, &extraction);
		else
			bb_connector_run(load->connector, &msg, arena, &extraction);
		if (extraction.items[0].kind != BB_EXTRACTED_EVENT)
			exit(1);
	}
	bb_arena_reset(arena);
}

static void run_walker(const struct load *load, struct bb_arena *arena)
{
	run_by(load, arena, oracle_read);
}

static void run_extractor(const struct load *load, struct bb_arena *arena)
{
	run_by(load, arena, NULL);
}

typedef void run_fn(const struct load *load, struct bb_arena *arena);

enum { JANSSON, WALKER, EXTRACTOR, METHODS };
static run_fn *const methods[METHODS] = {run_jansson, run_walker, run_extractor};

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Nanoseconds a message, the median of each method. */
static void measure(const struct load *load, unsigned rounds, double ret_ns[METHODS])
{
	static double times[METHODS][ROUNDS_MAX];
	struct bb_arena arena;
	uint64_t start;

	bb_arena_init(&arena);
	for (unsigned i = 0; i < rounds; i++)
		for (int m = 0; m < METHODS; m++) {
			start = bb_clock_monotonic_ns();
			methods[m](load, &arena);
			times[m][i] = (double)(bb_clock_monotonic_ns() - start) / MESSAGES;
		}
	bb_arena_fini(&arena);
	for (int m = 0; m < METHODS; m++) {
		qsort(times[m], rounds, sizeof(double), compare);
		ret_ns[m] = times[m][rounds / 2];
	}
}

static void report(const struct load *load, const double ns[METHODS], bool json)
{
	double bytes = (double)load->bytes / MESSAGES;

	printf(json ? "{\"bytes\":%.0f,\"jansson_ns\":%.0f,\"walker_ns\":%.0f,\"extractor_ns\":%."
		      "0f,"
		      "\"ratio\":%.1f,\"mb_s\":%.0f}\n"
		    : "%8.0f %12.0f %12.0f %12.0f %9.1fx %9.0f\n",
	       bytes, ns[JANSSON], ns[WALKER], ns[EXTRACTOR], ns[JANSSON] / ns[EXTRACTOR],
	       bytes / ns[EXTRACTOR] * 1e3);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"rounds", required_argument, NULL, 'r'},
					      {"json", no_argument, NULL, 'j'},
					      {NULL, 0, NULL, 0}};
	static struct load loads[] = {{500, "extract-visit.yaml", NULL, {{NULL, 0}}, 0},
				      {700, "extract-order.yaml", NULL, {{NULL, 0}}, 0},
				      {1400, "extract-order.yaml", NULL, {{NULL, 0}}, 0},
				      {3300, "extract-order.yaml", NULL, {{NULL, 0}}, 0},
				      {7000, "extract-order.yaml", NULL, {{NULL, 0}}, 0}};
	unsigned long rounds = 201;
	bool json = false;
	struct bb_arena arena;
	double ns[METHODS];
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 'r')
			rounds = strtoul(optarg, NULL, 10);
		if (c == '?' || rounds < 1 || rounds > ROUNDS_MAX) {
			fprintf(stderr, "usage: bench_extract [--rounds 1..%d] [--json]\n",
				ROUNDS_MAX);
			return 2;
		}
	}
	bb_arena_init(&arena);
	if (!json)
		printf("   bytes   jansson ns    walker ns extractor ns     ratio      MB/s\n");
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		make(&loads[i], &arena);
		measure(&loads[i], (unsigned)rounds, ns);
		report(&loads[i], ns, json);
		bb_connector_free(loads[i].connector);
	}
	bb_arena_fini(&arena);
	return 0;
}
