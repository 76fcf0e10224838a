/* SPDX-License-Identifier: Apache-2.0 */
/* The source of Kafka topics, as its files share it. All of it is the loop's. */
#ifndef BB_KAFKA_KSOURCE_H
#define BB_KAFKA_KSOURCE_H

#include <backbone/kafka.h>
#include <librdkafka/rdkafka.h>

#include "token.h"
#include "worker.h"

#define BB_KPART_TRIES 3	 /* of the same offset, before it is an alarm */
#define BB_KCOMMIT_EVERY_MS 5000 /* positions told to the group */
#define BB_KTAKE_MAX 1000	 /* entries of the queue looked at in one take */

/*
 *	ABSENT -> CHECKING -> READING <-> ASKING -> GAP
 *	   |          |          ^
 *	   +----------+----------+      any -> ABSENT (topic gone, or no connector reads it)
 *	                                any -> GAP
 */
#define BB_KPART_STATES(X)                                                                         \
	X(ABSENT, "absent") /* not read */                                                         \
	X(CHECKING,                                                                                \
	  "checking") /* read from the last record in the store, to see if it is the same */       \
	X(READING, "reading")                                                                      \
	X(ASKING, "asking") /* the position is out of range: where does the log begin and end? */  \
	X(GAP, "gap")	    /* not read until an operator's word */

enum bb_kpart_state {
#define X(name, text) BB_KPART_##name,
	BB_KPART_STATES(X)
#undef X
		BB_KPART_STATE_COUNT
};

struct bb_kpart {
	struct bb_ktopic *topic;
	int32_t number;
	enum bb_kpart_state state;
	int64_t next; /* to be delivered; or BB_RESUME_START, _END */
	int64_t again,
		again_end; /* of bb_resume: where it begins when it is known to be the same log */
	struct bb_ktoken token;		     /* CHECKING: of the last record in the store */
	char cluster[BB_KTOKEN_CLUSTER_MAX]; /* its bytes */
	int64_t goal;	      /* end of the log when drained was asked first; -1: not known */
	bool ended;	      /* its end was seen since the start */
	uint64_t stale_round; /* entries taken in this round are of before a restart */
	unsigned tries;	      /* that failed at the same offset */
	int64_t commit;	      /* to be told to the group; -1: nothing new */
};

struct bb_ktopic {
	struct bb_kafka *kafka;
	char *name;
	rd_kafka_topic_t *rkt;
	const struct bb_connector *connector; /* NULL: not read any more */
	bool present;			      /* the cluster has it */
	bool missed;			      /* said to be missing */
	struct bb_kpart **parts;	      /* by number */
	size_t part_n;
};

struct bb_kpattern {
	struct bb_pattern *pattern;
	const struct bb_connector *connector;
};

/* What a delivery owns. */
struct bb_krecord {
	rd_kafka_message_t *msg;
	struct bb_header *headers;
	size_t header_room;
	struct bb_krecord *next; /* free list */
};

struct bb_kafka {
	struct bb_source source;
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	struct bb_worker *worker;
	int event_fd;
	bb_resume_fn *resume;
	void *resume_ctx;
	bool has_group;
	struct bb_ktopic **topics;
	size_t topic_n;
	struct bb_kpattern *patterns;
	size_t pattern_n;
	bool found; /* topics were found once */
	bool cluster_changed;
	char *cluster;		 /* NULL: not known */
	uint64_t round;		 /* counts calls that take from the queue */
	struct bb_error *errors; /* to be returned by take, oldest first */
	size_t error_n, error_room;
	struct bb_error trouble;    /* of the worker's last attempt */
	rd_kafka_message_t **taken; /* scratch */
	size_t taken_room;
	struct bb_krecord *spare;
	size_t outstanding;    /* deliveries that were not released */
	uint64_t committed_ms; /* monotonic */
};

/* kafka.c: take will return it. */
void bb_kafka_raise(struct bb_kafka *kafka, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* ktopic.c */
struct bb_ktopic *bb_ktopic_find(struct bb_kafka *kafka, const char *name);
void bb_ktopic_found(struct bb_kafka *kafka, const struct bb_answer *found);
void bb_ktopic_free(struct bb_ktopic *topic);
void bb_ktopic_patterns_free(struct bb_kafka *kafka);

/* kpart.c: the life of a partition */
void bb_kpart_begin(struct bb_kpart *part); /* ABSENT, and it is there: read it */
void bb_kpart_end(struct bb_kpart *part);   /* to ABSENT */
void bb_kpart_ends_known(struct bb_kpart *part, const struct bb_answer *ends);
void bb_kpart_other_cluster(struct bb_kpart *part);

/* An entry of the queue. True: it is a record to be delivered. *ret_mark >= 0: deliver a mark. */
bool bb_kpart_entry(struct bb_kpart *part, const rd_kafka_message_t *msg, int64_t *ret_mark);

/* The message as ingest sees it, without headers. */
struct bb_message bb_kpart_message(const struct bb_kpart *part, const rd_kafka_message_t *msg);

#endif
