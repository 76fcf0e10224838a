/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backbone-devbroker: a Kafka broker in memory for trying things out and for tests, on librdkafka's
 * mock cluster. It prints where it listens, then runs until it is told to end. It is a process of
 * its own, so that the daemon under test may die without it.
 *
 * It keeps about 5 MiB a partition, dropping the oldest, and forgets everything when it ends.
 * Arguments that are wrong end it with 2, a cluster that cannot be had or a file that cannot be
 * written with 1.
 */
#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2
#define TOPIC_NAME_MAX 249
#define PARTITIONS_MAX 1000

struct arguments {
	const char *topics;
	const char *port_file;
};

static const char help[] =
	"Usage: backbone-devbroker [--topics NAME[:PARTITIONS],...] [--port-file FILE]\n"
	"\n"
	"A Kafka broker in memory, for trying things out; not for data that matters.\n"
	"Prints its address (127.0.0.1:PORT) as the first line and runs until SIGTERM or SIGINT.\n"
	"\n"
	"  --topics LIST     topics to make at start, each with its partitions (1 if not said)\n"
	"  --port-file FILE  also write the address to FILE, in one step\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"It keeps about 5 MiB a partition and forgets everything when it ends. Other topics are\n"
	"made, with 4 partitions, when a client first asks for them.\n"
	"Example: backbone-devbroker --topics shop.webhooks:3,web.events:2\n"
	"Exit codes: 0 ended by a signal, 1 it could not start, 2 the arguments are wrong.\n";

/* -1: go on; else the exit code. */
static int parse_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{"topics", required_argument, NULL, 't'},
		{"port-file", required_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 't':
			args->topics = optarg;
			break;
		case 'p':
			args->port_file = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'V':
			printf("backbone-devbroker %s\n", BB_VERSION);
			return 0;
		default:
			fputs("Try `backbone-devbroker --help`.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "backbone-devbroker: unexpected argument: %s\n", argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

static bool legal_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= TOPIC_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       n;
}

/* One `NAME[:PARTITIONS]`, which is changed. */
static bool make_topic(rd_kafka_mock_cluster_t *cluster, char *spec)
{
	char *colon = strchr(spec, ':');
	long partitions = 1;
	char *end = NULL;

	if (colon) {
		*colon = '\0';
		partitions = strtol(colon + 1, &end, 10);
	}
	if (!legal_name(spec) || partitions < 1 || partitions > PARTITIONS_MAX || (end && *end)) {
		fprintf(stderr,
			"backbone-devbroker: not a topic: %s%s%s; expected NAME or "
			"NAME:PARTITIONS, 1 to %d "
			"of them\n",
			spec, colon ? ":" : "", colon ? colon + 1 : "", PARTITIONS_MAX);
		return false;
	}
	if (rd_kafka_mock_topic_create(cluster, spec, (int)partitions, 1)) {
		fprintf(stderr, "backbone-devbroker: topic %s could not be made\n", spec);
		return false;
	}
	return true;
}

static bool make_topics(rd_kafka_mock_cluster_t *cluster, const char *list)
{
	char *copy = strdup(list ? list : "");
	char *rest = copy;
	bool good = copy != NULL;

	while (good && rest && *rest)
		good = make_topic(cluster, strsep(&rest, ","));
	free(copy);
	return good;
}

/* In one step, so that whoever waits for the file never reads half of it. */
static bool write_address(const char *file, const char *address)
{
	char temporary[4096];
	FILE *out;
	bool good;

	if (snprintf(temporary, sizeof temporary, "%s.new", file) >= (int)sizeof temporary)
		return false;
	out = fopen(temporary, "we");
	if (!out)
		return false;
	good = fprintf(out, "%s\n", address) > 0;
	good = fclose(out) == 0 && good;
	return good && rename(temporary, file) == 0;
}

static int serve(rd_kafka_mock_cluster_t *cluster, const struct arguments *args,
		 const sigset_t *signals)
{
	const char *address = rd_kafka_mock_cluster_bootstraps(cluster);
	int signal_number;

	if (!make_topics(cluster, args->topics))
		return EXIT_USAGE;
	if (args->port_file && !write_address(args->port_file, address)) {
		fprintf(stderr, "backbone-devbroker: cannot write %s: %m\n", args->port_file);
		return EXIT_FAILURE;
	}
	printf("%s\n", address);
	fflush(stdout);
	sigwait(signals, &signal_number);
	return EXIT_SUCCESS;
}

/* The client that carries the cluster. It has no broker of its own to connect to, and must not say
 * so. */
static rd_kafka_t *client_new(char *errstr, size_t room)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, room);
	if (!rk)
		rd_kafka_conf_destroy(conf);
	return rk;
}

int main(int argc, char **argv)
{
	struct arguments args = {0};
	int code = parse_arguments(argc, argv, &args);
	rd_kafka_mock_cluster_t *cluster;
	char errstr[512];
	sigset_t signals;
	rd_kafka_t *rk;

	if (code >= 0)
		return code;
	sigemptyset(&signals); /* before there are threads: all of them inherit it */
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	rk = client_new(errstr, sizeof errstr);
	cluster = rk ? rd_kafka_mock_cluster_new(rk, 1) : NULL;
	if (!cluster) {
		fprintf(stderr, "backbone-devbroker: no cluster: %s\n",
			rk ? "librdkafka could not make it" : errstr);
		return EXIT_FAILURE;
	}
	code = serve(cluster, &args, &signals);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(rk);
	return code;
}
