/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds a broker with events of three channels, about 500 bytes each, for the benchmarks:
 *
 *	bench_feed --brokers HOST:PORT [--events N] [--people N] [--first N] [--rate N] [--seed N]
 *
 * Topics bench.till, bench.web, bench.social in turn. A person buys at the till (loyalty card and
 * e-mail), browses (a cookie; every fourth time logged in), writes (WhatsApp number and e-mail).
 * `--rate` spreads the events evenly, so many a second. `--first` is the number of the first event:
 * numbers are in the ids, so that two calls with ranges apart make no duplicates. Ends when the
 * broker has all.
 */
#include <getopt.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct options {
	const char *brokers;
	uint64_t events, people, first, rate, seed;
};

static const char filler[] =
	"Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt "
	"ut labore et dolore magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation.";

/* splitmix64 of the number: a person is a function of the seed and the event's number. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Writes the event; returns its length. */
static int write_event(char *out, size_t room, uint64_t n, uint64_t person, int64_t ms)
{
	char id[40];

	snprintf(id, sizeof(id), "%08" PRIx64 "-0000-4000-8000-%012" PRIx64, n & 0xffffffff, n);
	if (n % 3 == 0)
		return snprintf(out, room,
				"{\"id\":\"%s\",\"at\":%" PRId64
				",\"event\":\"sale\",\"store\":{\"id\":%d,\"city\":\"Lyon\"},"
				"\"cashier\":{\"id\":\"c-17\",\"email\":\"till17@shop.example\"},"
				"\"customer\":{\"card\":\"L%" PRIu64 "\",\"email\":\"person%" PRIu64
				"@example.org\","
				"\"first_name\":\"Name%" PRIu64
				"\",\"city\":\"Paris\"},\"ticket\":{\"number\":\"T-%" PRIu64 "\","
				"\"total\":\"%d.%02d\",\"currency\":\"EUR\"},\"note\":\"%.180s\"}",
				id, ms, (int)(n % 40), person, person, person, n, (int)(n % 90) + 5,
				(int)(n % 100), filler);
	if (n % 3 == 1) {
		char login[96] = "";

		if (n % 4 == 0)
			snprintf(login, sizeof(login),
				 "\"userId\":\"u%" PRIu64 "\",\"email\":\"person%012" PRIu64
				 "@example.org\",",
				 person, person);
		return snprintf(out, room,
				"{\"messageId\":\"%s\",\"ts\":%" PRId64
				",\"type\":\"page\",\"anonymousId\":\"cookie-%" PRIu64 "\",%s"
				"\"page\":{\"path\":\"/products/shoes/%d\",\"title\":\"Shoes\"},"
				"\"locale\":\"fr-FR\",\"context\":{\"ua\":\"%.150s\","
				"\"ip\":\"192.0.2.%d\"}}",
				id, ms, person, login, (int)(n % 500), filler, (int)(n % 250));
	}
	return snprintf(
		out, room,
		"{\"id\":\"%s\",\"timestamp\":%" PRId64
		",\"kind\":\"message\",\"from\":\"3360%08" PRIu64 "\","
		"\"profile\":{\"name\":\"Name%" PRIu64 "\",\"email\":\"person%" PRIu64
		"@example.org\"},"
		"\"business\":{\"phone\":\"33199000111\"},\"newsletter\":true,\"text\":\"%.180s\"}",
		id, ms, person, person, person, filler);
}

static rd_kafka_t *connect_to(const char *brokers)
{
	static const char *const settings[][2] = {{"linger.ms", "20"},
						  {"batch.num.messages", "20000"},
						  {"queue.buffering.max.kbytes", "262144"},
						  {"queue.buffering.max.messages", "400000"},
						  {"compression.codec", "none"}};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char err[256];

	rd_kafka_conf_set(conf, "bootstrap.servers", brokers, err, sizeof(err));
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (rd_kafka_conf_set(conf, settings[i][0], settings[i][1], err, sizeof(err)) !=
		    RD_KAFKA_CONF_OK) {
			fprintf(stderr, "bench_feed: %s\n", err);
			exit(1);
		}
	rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof(err));

	if (!rk) {
		fprintf(stderr, "bench_feed: %s\n", err);
		exit(1);
	}
	return rk;
}

static void pace(const struct options *opt, uint64_t sent, uint64_t start_ns)
{
	uint64_t due_ns, now = now_ns();

	if (!opt->rate)
		return;
	due_ns = start_ns + sent * 1000000000 / opt->rate;
	if (due_ns > now) {
		struct timespec ts = {(time_t)((due_ns - now) / 1000000000),
				      (long)((due_ns - now) % 1000000000)};

		nanosleep(&ts, NULL);
	}
}

static void feed(rd_kafka_t *rk, const struct options *opt)
{
	static const char *const topics[] = {"bench.till", "bench.web", "bench.social"};
	int64_t base_ms = wall_ms() - 3600000;
	uint64_t start_ns = now_ns();
	char event[1024];

	for (uint64_t i = 0; i < opt->events; i++) {
		uint64_t n = opt->first + i,
			 person = mix(opt->seed + n * UINT64_C(0x9e3779b97f4a7c15)) % opt->people;
		int64_t ms = opt->rate ? wall_ms() : base_ms + (int64_t)i;
		int length = write_event(event, sizeof(event), n, person, ms);
		rd_kafka_resp_err_t rc;

		pace(opt, i, start_ns);
		while ((rc = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topics[n % 3]),
					       RD_KAFKA_V_VALUE(event, (size_t)length),
					       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					       RD_KAFKA_V_END)) == RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(rk, 100);
		if (rc) {
			fprintf(stderr, "bench_feed: %s\n", rd_kafka_err2str(rc));
			exit(1);
		}
		rd_kafka_poll(rk, 0);
	}
	if (rd_kafka_flush(rk, 120000)) {
		fprintf(stderr, "bench_feed: the broker did not take all events in 120 s\n");
		exit(1);
	}
}

static void parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {{"brokers", required_argument, NULL, 'b'},
					      {"events", required_argument, NULL, 'e'},
					      {"people", required_argument, NULL, 'p'},
					      {"first", required_argument, NULL, 'f'},
					      {"rate", required_argument, NULL, 'r'},
					      {"seed", required_argument, NULL, 's'},
					      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		uint64_t *numbers[] = {['e'] = &opt->events,
				       ['p'] = &opt->people,
				       ['f'] = &opt->first,
				       ['r'] = &opt->rate,
				       ['s'] = &opt->seed};

		if (c == '?')
			exit(2);
		if (c == 'b')
			opt->brokers = optarg;
		else
			*numbers[c] = strtoull(optarg, NULL, 10);
	}
	if (!opt->brokers || !opt->events || !opt->people) {
		fprintf(stderr, "usage: bench_feed --brokers HOST:PORT [--events N] [--people N] "
				"[--first N] [--rate N] [--seed N]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options opt = {.events = 1000000, .people = 100000};

	parse(argc, argv, &opt);
	rd_kafka_t *rk = connect_to(opt.brokers);

	feed(rk, &opt);
	rd_kafka_destroy(rk);
	return 0;
}
