/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread sleeps on its descriptor until it is woken or topics are due to be looked for again;
 * then it answers what was asked, one call after the other.
 *
 * A broker that does not answer costs the thread its time-outs, never the loop; the answer then is
 * the error, and the next attempt comes sooner than usual.
 */
#include "worker.h"

#include <backbone/assert.h>
#include <backbone/log.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 5000
#define RETRY_MS 1000
#define FREE_PATIENCE_S 3

struct question {
	struct question *next;
	char *topic;
	int32_t partition;
};

struct bb_worker {
	pthread_t thread;
	rd_kafka_t *rk;
	int wake_fd, notify_fd;
	uint32_t interval_ms;
	atomic_bool stop, all_topics, discover;
	_Atomic(struct question *) questions; /* newest first */
	_Atomic(struct bb_answer *) answers;  /* newest first */
};

static void ring(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

static void answer(struct bb_worker *worker, const struct bb_answer *filled)
{
	struct bb_answer *item = malloc(sizeof *item);

	bb_assert(item);
	*item = *filled;
	item->next = atomic_load(&worker->answers);
	while (!atomic_compare_exchange_weak(&worker->answers, &item->next, item))
		;
	ring(worker->notify_fd);
}

static bool look(struct bb_worker *worker)
{
	struct bb_answer item = {0};

	item.err = rd_kafka_metadata(worker->rk, atomic_load(&worker->all_topics), NULL,
				     &item.metadata, CALL_TIMEOUT_MS);
	if (!item.err)
		item.cluster = rd_kafka_clusterid(worker->rk, CALL_TIMEOUT_MS);
	answer(worker, &item);
	return !item.err;
}

static void answer_questions(struct bb_worker *worker)
{
	struct question *question = atomic_exchange(&worker->questions, NULL);

	while (question && !atomic_load(&worker->stop)) {
		struct question *next = question->next;
		struct bb_answer item = {.topic = question->topic,
					 .partition = question->partition};

		item.err = rd_kafka_query_watermark_offsets(worker->rk, item.topic, item.partition,
							    &item.low, &item.high, CALL_TIMEOUT_MS);
		answer(worker, &item);
		free(question);
		question = next;
	}
	while (question) {
		struct question *next = question->next;

		free(question->topic);
		free(question);
		question = next;
	}
}

static void nap(struct bb_worker *worker, int timeout_ms)
{
	struct pollfd fd = {.fd = worker->wake_fd, .events = POLLIN};
	uint64_t count;

	if (poll(&fd, 1, timeout_ms) > 0)
		(void)!read(worker->wake_fd, &count, sizeof count);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *run(void *arg)
{
	struct bb_worker *worker = arg;
	uint64_t due_ms = 0; /* discovery; 0: when asked for first */

	while (!atomic_load(&worker->stop)) {
		uint64_t now = now_ms();

		answer_questions(worker);
		if (atomic_exchange(&worker->discover, false) || (due_ms && now >= due_ms)) {
			bool found = look(worker);

			now = now_ms();
			due_ms =
				now + (found || worker->interval_ms < RETRY_MS ? worker->interval_ms
									       : RETRY_MS);
		}
		nap(worker, due_ms ? (int)(due_ms > now ? due_ms - now : 0) : -1);
	}
	answer_questions(worker);
	rd_kafka_destroy(worker->rk);
	return NULL;
}

struct bb_worker *bb_worker_new(rd_kafka_t *rk, int notify_fd, uint32_t interval_ms)
{
	struct bb_worker *worker = calloc(1, sizeof *worker);
	sigset_t all, before;
	int err;

	bb_assert(worker);
	worker->rk = rk;
	worker->notify_fd = notify_fd;
	worker->interval_ms = interval_ms;
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->wake_fd < 0) {
		free(worker);
		return NULL;
	}
	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		close(worker->wake_fd);
		free(worker);
		return NULL;
	}
	return worker;
}

bool bb_worker_free(struct bb_worker *worker)
{
	struct bb_answer *left;
	struct timespec until;

	atomic_store(&worker->stop, true);
	ring(worker->wake_fd);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FREE_PATIENCE_S;
	if (pthread_timedjoin_np(worker->thread, NULL, &until)) {
		bb_log(BB_LOG_WARNING, "kafka_slow_close",
		       "the client still waits for a broker; it is left behind");
		pthread_detach(worker->thread);
		return false;
	}
	while ((left = bb_worker_answers(worker))) {
		while (left) {
			struct bb_answer *next = left->next;

			bb_answer_free(left);
			left = next;
		}
	}
	close(worker->wake_fd);
	free(worker);
	return true;
}

void bb_worker_discover(struct bb_worker *worker, bool all_topics)
{
	atomic_store(&worker->all_topics, all_topics);
	atomic_store(&worker->discover, true);
	ring(worker->wake_fd);
}

void bb_worker_ask(struct bb_worker *worker, const char *topic, int32_t partition)
{
	struct question *question = malloc(sizeof *question);

	bb_assert(question);
	question->topic = strdup(topic);
	bb_assert(question->topic);
	question->partition = partition;
	question->next = atomic_load(&worker->questions);
	while (!atomic_compare_exchange_weak(&worker->questions, &question->next, question))
		;
	ring(worker->wake_fd);
}

struct bb_answer *bb_worker_answers(struct bb_worker *worker)
{
	struct bb_answer *newest = atomic_exchange(&worker->answers, NULL);
	struct bb_answer *oldest = NULL;

	while (newest) {
		struct bb_answer *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	return oldest;
}

void bb_answer_free(struct bb_answer *item)
{
	if (item->metadata)
		rd_kafka_metadata_destroy(item->metadata);
	if (item->cluster)
		rd_kafka_mem_free(NULL, item->cluster);
	free(item->topic);
	free(item);
}
