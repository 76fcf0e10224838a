/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a partition. It begins at the last record that is in the store, not behind it: if
 * that record is still there and the same, the log is the one that was read, and reading goes on
 * behind it. If it is gone (compaction, retention) reading begins at the stored offset.
 *
 * Where the log does not continue, because its beginning is above the stored offset, or its end
 * below, or another record stands in the place of the last one, or the cluster is another one, the
 * partition stops and an alarm is raised. A record that fails its checksum is fetched again a few
 * times first.
 */
#include "ksource.h"

#include <backbone/assert.h>
#include <backbone/log.h>

#include <inttypes.h>

#define HOW_TO_GO_ON                                                                               \
	"stop the daemon, run `backboned --config FILE --accept-gap %s/%" PRId32 "`, start it "    \
	"again"

static void halt(struct bb_kpart *part)
{
	if (part->state != BB_KPART_ABSENT && part->state != BB_KPART_GAP &&
	    rd_kafka_consume_stop(part->topic->rkt, part->number))
		bb_log(BB_LOG_WARNING, "kafka_stop", "topic=%s partition=%" PRId32 " error=\"%s\"",
		       part->topic->name, part->number, rd_kafka_err2str(rd_kafka_last_error()));
	part->stale_round = part->topic->kafka->round;
}

static void launch(struct bb_kpart *part, enum bb_kpart_state state, int64_t offset)
{
	struct bb_ktopic *topic = part->topic;
	struct bb_kafka *kafka = topic->kafka;

	halt(part);
	part->state = state;
	if (rd_kafka_consume_start_queue(topic->rkt, part->number, offset, kafka->queue) == 0)
		return;
	bb_kafka_raise(kafka, BB_EKAFKA, "topic %s partition %" PRId32 " cannot be read: %s",
		       topic->name, part->number, rd_kafka_err2str(rd_kafka_last_error()));
	part->state = BB_KPART_ABSENT; /* tried again when topics are looked for next */
}

/* Reads on at the next offset, without a check. */
static void read_on(struct bb_kpart *part)
{
	int64_t offset = part->next;

	if (offset == BB_RESUME_START)
		offset = RD_KAFKA_OFFSET_BEGINNING;
	else if (offset == BB_RESUME_END)
		offset = RD_KAFKA_OFFSET_END;
	launch(part, BB_KPART_READING, offset);
}

/* The log is the one that was read: on behind it, or again before that. */
static void go_on(struct bb_kpart *part)
{
	if (part->again_end)
		part->next = part->again;
	read_on(part);
}

static void gap(struct bb_kpart *part, const char *what)
{
	halt(part);
	part->state = BB_KPART_GAP;
	bb_kafka_raise(part->topic->kafka, BB_EGAP,
		       "topic %s partition %" PRId32 ": %s" BB_GAP_ADVICE HOW_TO_GO_ON,
		       part->topic->name, part->number, what, part->topic->name, part->number);
}

static bool other_cluster(const struct bb_kpart *part)
{
	struct bb_text now = bb_text_of(part->topic->kafka->cluster);

	if (now.n > BB_KTOKEN_CLUSTER_MAX)
		now.n = BB_KTOKEN_CLUSTER_MAX;
	if (part->topic->kafka->cluster_changed)
		return true;
	return now.n && part->token.cluster.n && !bb_text_equal(now, part->token.cluster);
}

void bb_kpart_other_cluster(struct bb_kpart *part)
{
	if (part->state != BB_KPART_ABSENT && part->state != BB_KPART_GAP)
		gap(part, "the cluster has another id than the one that was read so far");
}

/* What the store knows, into the partition. False: no token. */
static bool recall(struct bb_kpart *part)
{
	struct bb_kafka *kafka = part->topic->kafka;
	struct bb_resume resume = {0};
	struct bb_arena arena;
	bool known;

	bb_arena_init(&arena);
	bb_assert(kafka->resume(kafka->resume_ctx, bb_text_of(part->topic->name), part->number,
				&arena, &resume) == BB_OK);
	part->next = resume.known ? resume.next_offset : BB_RESUME_START;
	part->again = resume.again;
	part->again_end = resume.again_end;
	known = part->next >= 0 && bb_ktoken_decode(resume.token, &part->token);
	if (known) {
		memcpy(part->cluster, part->token.cluster.p, part->token.cluster.n);
		part->token.cluster.p = part->cluster;
	}
	bb_arena_fini(&arena);
	return known;
}

void bb_kpart_begin(struct bb_kpart *part)
{
	bool checked;

	bb_assert(part->state == BB_KPART_ABSENT);
	part->tries = 0;
	part->commit = -1;
	part->goal = -1;
	part->ended = false;
	checked = recall(part);
	if (checked && other_cluster(part))
		gap(part, "the cluster has another id than the one that the store was filled from");
	else if (checked)
		launch(part, BB_KPART_CHECKING, part->token.offset);
	else
		go_on(part);
	bb_log(BB_LOG_INFO, "partition_begins",
	       "topic=%s partition=%" PRId32 " next_offset=%" PRId64, part->topic->name,
	       part->number, part->next);
}

void bb_kpart_end(struct bb_kpart *part)
{
	if (part->state == BB_KPART_ABSENT)
		return;
	halt(part);
	part->state = BB_KPART_ABSENT;
}

struct bb_message bb_kpart_message(const struct bb_kpart *part, const rd_kafka_message_t *msg)
{
	rd_kafka_timestamp_type_t type;
	int64_t timestamp_ms = rd_kafka_message_timestamp(msg, &type);

	return (struct bb_message){
		.topic = bb_text_of(part->topic->name),
		.partition = part->number,
		.offset = msg->offset,
		.timestamp_ms = timestamp_ms < 0 ? BB_NO_TIMESTAMP : timestamp_ms,
		.key = bb_text_bytes(msg->key, msg->key_len),
		.value = bb_text_bytes(msg->payload, msg->len),
		.from_log = true,
	};
}

/* --- entries of the queue --------------------------------------------------------------------- */

/* CHECKING: the first record since. True: it is to be delivered. */
static bool check(struct bb_kpart *part, const rd_kafka_message_t *msg)
{
	struct bb_message seen = bb_kpart_message(part, msg);
	struct bb_ktoken now = bb_ktoken_of(&seen, (struct bb_text){NULL, 0});

	if (msg->offset >= part->next) { /* the last record is gone: compaction */
		part->state = BB_KPART_READING;
		if (part->again_end)
			go_on(part);
		return !part->again_end;
	}
	if (!bb_ktoken_same_record(&part->token, &now)) {
		gap(part,
		    "another record stands where the last one was: the topic was created anew, or "
		    "its log was cut and went on otherwise");
		return false;
	}
	if (part->next == msg->offset + 1 && !part->again_end)
		part->state = BB_KPART_READING;
	else
		go_on(part);
	return false;
}

/* READING: the end of the log. Returns the offset to mark, or -1. */
static int64_t reach_end(struct bb_kpart *part, int64_t offset)
{
	part->ended = true;
	if (offset < 0 || offset <= part->next)
		return -1;
	part->next = offset;
	return offset;
}

static void out_of_range(struct bb_kpart *part)
{
	if (part->state == BB_KPART_CHECKING) {
		go_on(part);
		return;
	}
	if (part->next < 0) {
		read_on(part);
		return;
	}
	part->state = BB_KPART_ASKING;
	bb_worker_ask(part->topic->kafka->worker, part->topic->name, part->number);
}

void bb_kpart_ends_known(struct bb_kpart *part, const struct bb_answer *ends)
{
	char what[256];

	if (part->state != BB_KPART_ASKING)
		return;
	if (!ends->err && part->next < ends->low && part->next < part->again_end) {
		/* what is gone was read before; a gap is what is missing behind that */
		part->next = ends->low < part->again_end ? ends->low : part->again_end;
		read_on(part);
		return;
	}
	if (ends->err || (part->next >= ends->low && part->next <= ends->high)) {
		/* not known, or in range after all: a new leader may lag behind for a moment */
		if (++part->tries < BB_KPART_TRIES) {
			read_on(part);
			return;
		}
		snprintf(what, sizeof what, "stored offset %" PRId64 " is out of range",
			 part->next);
	} else if (part->next < ends->low) {
		snprintf(what, sizeof what,
			 "stored offset %" PRId64 " is below the log's start %" PRId64 ": %" PRId64
			 " offsets were deleted before they were read",
			 part->next, ends->low, ends->low - part->next);
	} else {
		snprintf(what, sizeof what,
			 "stored offset %" PRId64 " is above the log's end %" PRId64
			 ": the log was cut, or the topic was created anew",
			 part->next, ends->high);
	}
	gap(part, what);
}

static void damaged(struct bb_kpart *part, const rd_kafka_message_t *msg)
{
	char what[256];

	if (++part->tries < BB_KPART_TRIES) {
		bb_log(BB_LOG_WARNING, "kafka_damaged",
		       "topic=%s partition=%" PRId32 " offset=%" PRId64 " error=\"%s\"",
		       part->topic->name, part->number, msg->offset, rd_kafka_message_errstr(msg));
		read_on(part);
		return;
	}
	snprintf(what, sizeof what, "the records at offset %" PRId64 " are damaged in the log",
		 part->next);
	gap(part, what);
}

/* It is not there any more. If it comes back it is checked like after a restart. */
static void lost(struct bb_kpart *part, const rd_kafka_message_t *msg)
{
	struct bb_kafka *kafka = part->topic->kafka;

	bb_kafka_raise(kafka, BB_EKAFKA, "topic %s partition %" PRId32 ": %s", part->topic->name,
		       part->number, rd_kafka_message_errstr(msg));
	bb_kpart_end(part);
	bb_worker_discover(kafka->worker, kafka->pattern_n > 0);
}

static int64_t on_error(struct bb_kpart *part, const rd_kafka_message_t *msg)
{
	switch (msg->err) {
	case RD_KAFKA_RESP_ERR__PARTITION_EOF:
		if (part->state == BB_KPART_READING)
			return reach_end(part, msg->offset);
		go_on(part); /* the last record is gone, and none came after it */
		break;
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
		out_of_range(part);
		break;
	case RD_KAFKA_RESP_ERR__BAD_MSG:
	case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
	case RD_KAFKA_RESP_ERR__UNDERFLOW:
		damaged(part, msg);
		break;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		lost(part, msg);
		break;
	default: /* transient, or seen when topics are looked for next */
		bb_kafka_raise(part->topic->kafka, BB_EKAFKA, "topic %s partition %" PRId32 ": %s",
			       part->topic->name, part->number, rd_kafka_message_errstr(msg));
	}
	return -1;
}

bool bb_kpart_entry(struct bb_kpart *part, const rd_kafka_message_t *msg, int64_t *ret_mark)
{
	*ret_mark = -1;
	if (part->stale_round == part->topic->kafka->round ||
	    (part->state != BB_KPART_READING && part->state != BB_KPART_CHECKING))
		return false;
	if (msg->err) {
		*ret_mark = on_error(part, msg);
		return false;
	}
	if (part->state == BB_KPART_CHECKING && !check(part, msg))
		return false;
	part->tries = 0;
	if (msg->offset >= part->next)
		part->next = msg->offset + 1;
	return true;
}
