/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of librdkafka that wait for a broker (metadata, ends of a log), on a thread of their
 * own. Questions go there and answers come back as lists that change their owner in one atomic
 * exchange; the notify descriptor becomes readable with each answer.
 */
#ifndef BB_KAFKA_WORKER_H
#define BB_KAFKA_WORKER_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct bb_worker;

struct bb_answer {
	struct bb_answer *next;
	rd_kafka_resp_err_t err;
	const struct rd_kafka_metadata *metadata; /* NULL: an answer about a partition */
	char *cluster;				  /* with metadata; NULL: unknown */
	char *topic;				  /* of a question about a partition, else NULL */
	int32_t partition;
	int64_t low, high;
};

/* Takes `rk`: it is destroyed by the thread when stopped. NULL: no thread could be had. */
struct bb_worker *bb_worker_new(rd_kafka_t *rk, int notify_fd, uint32_t interval_ms);

/*
 * Ends the thread and destroys the client. Waits a little; where a broker keeps them waiting longer
 * they are left to themselves, since the process is about to end: false, and the descriptor must
 * stay open.
 */
bool bb_worker_free(struct bb_worker *worker);

/* Looks for topics now, and from now on of all topics of the cluster, or the known ones only. */
void bb_worker_discover(struct bb_worker *worker, bool all_topics);

/* Asks where the log of a partition begins and ends. */
void bb_worker_ask(struct bb_worker *worker, const char *topic, int32_t partition);

/* All answers so far, oldest first; the caller frees each. NULL: none. */
struct bb_answer *bb_worker_answers(struct bb_worker *worker);
void bb_answer_free(struct bb_answer *item);

#endif
