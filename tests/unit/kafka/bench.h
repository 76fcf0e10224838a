/* SPDX-License-Identifier: Apache-2.0 */
/* A broker in this process, a producer for it, and a source under test with a store of one
 * variable. */
#ifndef BB_TEST_KAFKA_BENCH_H
#define BB_TEST_KAFKA_BENCH_H

#include <backbone/kafka.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#define BENCH_PATIENCE_MS 20000

struct bench {
	rd_kafka_t *rk; /* carries the cluster, and produces */
	rd_kafka_mock_cluster_t *cluster;
	const char *brokers;
	const char *group; /* NULL: none */
	struct bb_connector *connector;
	struct bb_source *source;
	struct bb_resume stored; /* what the store says of every partition */
	char token[255];	 /* its bytes */
	struct bb_arena arena;
	int last_code; /* of the last take that was not BB_OK */
	struct bb_error err;
	int64_t last_offset; /* of the last record that bench_until gave back */
};

void bench_begin(struct bench *bench);
void bench_end(struct bench *bench);
void bench_topic(struct bench *bench, const char *name, int partitions);

/* Waits until it is in the log. `key` may be NULL; `value` NULL: a tombstone. */
void bench_produce(struct bench *bench, const char *topic, int partition, const char *key,
		   const char *value);

/* The source, for a connector of these topics. */
void bench_start(struct bench *bench, const char *const *topics, size_t n);
void bench_stop(struct bench *bench);

/* Takes one delivery, waiting for it; false: an error came instead (last_code, err), or nothing. */
bool bench_take(struct bench *bench, struct bb_delivery *out);
void bench_release(struct bench *bench, struct bb_delivery *delivery);

/* Takes and gives back until the source says so; false: it did not in time. */
bool bench_until(struct bench *bench, bool (*wanted)(struct bench *bench));

/* Takes and gives back until an error of that code comes. */
bool bench_until_code(struct bench *bench, int code);

/* Lets the store know the delivery as the last one that it has. */
void bench_store(struct bench *bench, const struct bb_delivery *delivery);

#endif
