/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of Kafka topics. Every partition is started by hand at the position that the store
 * has, and all deliver into one bounded queue of librdkafka, which rings an event descriptor when
 * it was empty. What is taken from it is delivered to ingest and given back when its batch has
 * ended.
 *
 * This is librdkafka's simple consumer: no group, no coordinator, no rebalance, so nothing but our
 * store decides where reading goes on; and there is no group to leave that closing could wait for.
 *
 * Calls that wait for a broker are the worker's (worker.c). A broker that cannot be reached is said
 * and tried again; a gap in a log is raised by its partition (kpart.c).
 */
#include "ksource.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <backbone/log.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "options.h"

static struct bb_kafka *kafka_of(struct bb_source *source)
{
	return (struct bb_kafka *)source;
}

void bb_kafka_raise(struct bb_kafka *kafka, int code, const char *fmt, ...)
{
	struct bb_error *err;
	va_list args;

	if (kafka->error_n == kafka->error_room) {
		kafka->error_room = kafka->error_room ? 2 * kafka->error_room : 8;
		kafka->errors = realloc(kafka->errors, kafka->error_room * sizeof *kafka->errors);
		bb_assert(kafka->errors);
	}
	err = &kafka->errors[kafka->error_n++];
	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, args);
	va_end(args);
}

/* --- looking after itself --------------------------------------------------------------------- */

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	if (strcmp(facility, "AUTOCREATE") == 0) /* what we asked for where an old broker cannot */
		level = 7;
	bb_log(level <= 3   ? BB_LOG_ERROR
	       : level == 4 ? BB_LOG_WARNING
	       : level <= 6 ? BB_LOG_INFO
			    : BB_LOG_DEBUG,
	       "kafka_client", "facility=%s text=\"%s\"", facility, text);
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
		      rd_kafka_topic_partition_list_t *offsets, void *opaque)
{
	(void)rk;
	(void)offsets;
	(void)opaque;
	if (err && err != RD_KAFKA_RESP_ERR__NO_OFFSET)
		bb_log(BB_LOG_WARNING, "kafka_group",
		       "positions could not be told to the group, for lag displays: %s",
		       rd_kafka_err2str(err));
}

static void on_answer(struct bb_kafka *kafka, const struct bb_answer *answer)
{
	struct bb_ktopic *topic;

	if (answer->metadata) {
		kafka->trouble.code = BB_OK;
		bb_ktopic_found(kafka, answer);
		kafka->found = true;
	} else if (!answer->topic) {
		bb_error_set(&kafka->trouble, BB_EKAFKA, "the broker does not answer: %s",
			     rd_kafka_err2str(answer->err));
		bb_kafka_raise(kafka, BB_EKAFKA, "%s", kafka->trouble.msg);
	} else {
		topic = bb_ktopic_find(kafka, answer->topic);
		if (topic && (size_t)answer->partition < topic->part_n)
			bb_kpart_ends_known(topic->parts[answer->partition], answer);
	}
}

static void tell_group(struct bb_kafka *kafka)
{
	uint64_t now_ms = bb_clock_monotonic_ns() / 1000000;
	rd_kafka_topic_partition_list_t *list;

	if (!kafka->has_group || now_ms - kafka->committed_ms < BB_KCOMMIT_EVERY_MS)
		return;
	kafka->committed_ms = now_ms;
	list = rd_kafka_topic_partition_list_new(8);
	for (size_t i = 0; i < kafka->topic_n; i++) {
		for (size_t j = 0; j < kafka->topics[i]->part_n; j++) {
			struct bb_kpart *part = kafka->topics[i]->parts[j];

			if (part->commit < 0)
				continue;
			rd_kafka_topic_partition_list_add(list, part->topic->name, part->number)
				->offset = part->commit;
			part->commit = -1;
		}
	}
	if (list->cnt)
		rd_kafka_commit(kafka->rk, list, 1);
	rd_kafka_topic_partition_list_destroy(list);
}

static void look_after(struct bb_kafka *kafka)
{
	struct bb_answer *answer = bb_worker_answers(kafka->worker);

	rd_kafka_poll(kafka->rk, 0);
	while (answer) {
		struct bb_answer *next = answer->next;

		on_answer(kafka, answer);
		bb_answer_free(answer);
		answer = next;
	}
	tell_group(kafka);
}

/* --- taking ----------------------------------------------------------------------------------- */

static struct bb_krecord *record_new(struct bb_kafka *kafka, rd_kafka_message_t *msg)
{
	struct bb_krecord *record = kafka->spare;

	if (record) {
		kafka->spare = record->next;
	} else {
		record = calloc(1, sizeof *record);
		bb_assert(record);
	}
	record->msg = msg;
	kafka->outstanding++;
	return record;
}

static size_t read_headers(struct bb_krecord *record)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t n = 0, value_n;

	if (rd_kafka_message_headers(record->msg, &headers))
		return 0;
	while (rd_kafka_header_get_all(headers, n, &name, &value, &value_n) == 0) {
		if (n == record->header_room) {
			record->header_room = record->header_room ? 2 * record->header_room : 8;
			record->headers = realloc(record->headers,
						  record->header_room * sizeof *record->headers);
			bb_assert(record->headers);
		}
		record->headers[n++] =
			(struct bb_header){bb_text_of(name), bb_text_bytes(value, value_n)};
	}
	return n;
}

static struct bb_delivery deliver(struct bb_kpart *part, rd_kafka_message_t *msg)
{
	struct bb_krecord *record = record_new(part->topic->kafka, msg);
	struct bb_delivery delivery = {
		.message = bb_kpart_message(part, msg),
		.connector = part->topic->connector,
		.owner = record,
	};

	delivery.message.header_n = read_headers(record);
	delivery.message.headers = record->headers;
	return delivery;
}

static struct bb_delivery mark(struct bb_kpart *part, int64_t offset)
{
	return (struct bb_delivery){
		.message = {.topic = bb_text_of(part->topic->name),
			    .partition = part->number,
			    .offset = offset,
			    .timestamp_ms = BB_NO_TIMESTAMP,
			    .from_log = true},
	};
}

/* One entry of the queue; returns whether *out was filled. */
static bool sort_out(struct bb_kafka *kafka, rd_kafka_message_t *msg, struct bb_delivery *out)
{
	struct bb_ktopic *topic = msg->rkt ? rd_kafka_topic_opaque(msg->rkt) : NULL;
	struct bb_kpart *part = NULL;
	bool filled = false;
	int64_t marked;

	if (topic && (size_t)msg->partition < topic->part_n)
		part = topic->parts[msg->partition];
	if (!part) {
		if (msg->err)
			bb_kafka_raise(kafka, BB_EKAFKA, "%s", rd_kafka_message_errstr(msg));
	} else if (bb_kpart_entry(part, msg, &marked)) {
		*out = deliver(part, msg);
		return true;
	} else if (marked >= 0) {
		*out = mark(part, marked);
		filled = true;
	}
	rd_kafka_message_destroy(msg);
	return filled;
}

static rd_kafka_message_t **scratch(struct bb_kafka *kafka, size_t n)
{
	if (n > kafka->taken_room) {
		kafka->taken = realloc(kafka->taken, n * sizeof *kafka->taken);
		bb_assert(kafka->taken);
		kafka->taken_room = n;
	}
	return kafka->taken;
}

/* Fills `out` from the queue. *ret_empty: nothing was left in it. */
static size_t drain(struct bb_kafka *kafka, struct bb_delivery *out, size_t room, bool *ret_empty)
{
	size_t n = 0, seen = 0;

	*ret_empty = false;
	while (n < room && seen < BB_KTAKE_MAX) {
		rd_kafka_message_t **taken = scratch(kafka, room - n);
		ssize_t got = rd_kafka_consume_batch_queue(kafka->queue, 0, taken, room - n);

		if (got <= 0) {
			*ret_empty = true;
			break;
		}
		kafka->round++;
		for (ssize_t i = 0; i < got; i++)
			n += sort_out(kafka, taken[i], &out[n]);
		seen += (size_t)got;
	}
	return n;
}

static void ring(struct bb_kafka *kafka)
{
	uint64_t one = 1;

	while (write(kafka->event_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

/*
 * The descriptor is reset only when the queue is empty, and the queue is looked at again then: it
 * rings only on its first entry, so one that came in between would otherwise wait for ever.
 */
static size_t take_all(struct bb_kafka *kafka, struct bb_delivery *out, size_t room)
{
	uint64_t count;
	bool empty;
	size_t n;

	look_after(kafka);
	n = drain(kafka, out, room, &empty);
	if (!empty)
		return n;
	(void)!read(kafka->event_fd, &count, sizeof count);
	look_after(kafka);
	n += drain(kafka, out + n, room - n, &empty);
	if (!empty)
		ring(kafka);
	return n;
}

static int on_take(struct bb_source *source, struct bb_delivery *out, size_t room, size_t *ret_n,
		   struct bb_error *err)
{
	struct bb_kafka *kafka = kafka_of(source);

	*ret_n = 0;
	if (kafka->error_n == 0) {
		if (room)
			*ret_n = take_all(kafka, out, room);
		else
			look_after(kafka);
		if (*ret_n || kafka->error_n == 0)
			return BB_OK;
	}
	*err = kafka->errors[0];
	kafka->error_n--;
	memmove(kafka->errors, kafka->errors + 1, kafka->error_n * sizeof *kafka->errors);
	return err->code;
}

static void on_release(struct bb_source *source, struct bb_delivery *deliveries, size_t n)
{
	struct bb_kafka *kafka = kafka_of(source);

	for (size_t i = 0; i < n; i++) {
		struct bb_krecord *record = deliveries[i].owner;

		if (!record)
			continue;
		rd_kafka_message_destroy(record->msg);
		record->next = kafka->spare;
		kafka->spare = record;
		kafka->outstanding--;
	}
}

/* --- what ingest asks ------------------------------------------------------------------------- */

static int on_fd(struct bb_source *source)
{
	return kafka_of(source)->event_fd;
}

static int64_t log_end(const struct bb_kpart *part)
{
	int64_t low, high;

	if (rd_kafka_get_watermark_offsets(part->topic->kafka->rk, part->topic->name, part->number,
					   &low, &high) ||
	    high < 0)
		return -1;
	return high;
}

/* One that is being checked, or asked for, may turn out to have a gap. */
static bool part_drained(const struct bb_kpart *part)
{
	if (part->state == BB_KPART_ABSENT || part->state == BB_KPART_GAP)
		return true;
	return part->state == BB_KPART_READING &&
	       (part->ended || (part->goal >= 0 && part->next >= part->goal));
}

static bool on_drained(struct bb_source *source)
{
	struct bb_kafka *kafka = kafka_of(source);
	bool drained = kafka->found && kafka->error_n == 0;

	for (size_t i = 0; i < kafka->topic_n; i++) {
		for (size_t j = 0; j < kafka->topics[i]->part_n; j++) {
			struct bb_kpart *part = kafka->topics[i]->parts[j];

			if (part->goal < 0)
				part->goal = log_end(part);
			drained = drained && part_drained(part);
		}
	}
	return drained;
}

static bool on_ready(struct bb_source *source, struct bb_error *err)
{
	struct bb_kafka *kafka = kafka_of(source);

	if (kafka->found && !kafka->trouble.code)
		return true;
	if (kafka->trouble.code)
		*err = kafka->trouble;
	else
		bb_error_set(err, BB_OK, "topics are being looked for");
	return false;
}

static struct bb_kpart *part_of(struct bb_kafka *kafka, struct bb_text name, int32_t number)
{
	for (size_t i = 0; i < kafka->topic_n; i++) {
		struct bb_ktopic *topic = kafka->topics[i];

		if (bb_text_equal(bb_text_of(topic->name), name))
			return (size_t)number < topic->part_n ? topic->parts[number] : NULL;
	}
	return NULL;
}

static int64_t on_end(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	struct bb_kpart *part = part_of(kafka_of(source), topic, partition);

	return part ? log_end(part) : -1;
}

static void on_topics(struct bb_source *source, bb_topic_fn *tell, void *ctx)
{
	struct bb_kafka *kafka = kafka_of(source);

	for (size_t i = 0; i < kafka->topic_n; i++) {
		const struct bb_ktopic *topic = kafka->topics[i];

		if (topic->connector)
			tell(ctx, topic->name, topic->connector,
			     topic->present ? topic->part_n : 0);
	}
}

static bool on_reads(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	const struct bb_kpart *part = part_of(kafka_of(source), topic, partition);

	return part && part->state != BB_KPART_ABSENT && part->state != BB_KPART_GAP;
}

static void on_restart(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	struct bb_kpart *part = part_of(kafka_of(source), topic, partition);

	if (part && part->state != BB_KPART_ABSENT && part->state != BB_KPART_GAP) {
		bb_kpart_end(part);
		bb_kpart_begin(part);
	}
}

static void on_committed(struct bb_source *source, struct bb_text topic, int32_t partition,
			 int64_t next_offset)
{
	struct bb_kpart *part = part_of(kafka_of(source), topic, partition);

	if (part)
		part->commit = next_offset;
}

static struct bb_text on_token(struct bb_source *source, const struct bb_delivery *last,
			       struct bb_arena *arena)
{
	/* the cluster's id is known before the first record, and stays until the source ends */
	struct bb_ktoken token =
		bb_ktoken_of(&last->message, bb_text_of(kafka_of(source)->cluster));

	return bb_ktoken_encode(&token, arena);
}

/* --- life ------------------------------------------------------------------------------------- */

static void on_free(struct bb_source *source)
{
	struct bb_kafka *kafka = source ? kafka_of(source) : NULL;

	if (!kafka)
		return;
	bb_assert(kafka->outstanding == 0);
	for (size_t i = 0; i < kafka->topic_n; i++)
		bb_ktopic_free(kafka->topics[i]);
	free(kafka->topics);
	bb_ktopic_patterns_free(kafka);
	rd_kafka_queue_io_event_enable(kafka->queue, -1, NULL, 0);
	rd_kafka_queue_destroy(kafka->queue);
	if (bb_worker_free(kafka->worker))
		close(kafka->event_fd);
	while (kafka->spare) {
		struct bb_krecord *record = kafka->spare;

		kafka->spare = record->next;
		free(record->headers);
		free(record);
	}
	free(kafka->taken);
	free(kafka->errors);
	free(kafka->cluster);
	free(kafka);
}

static const struct bb_source_ops ops = {
	.fd = on_fd,
	.take = on_take,
	.release = on_release,
	.drained = on_drained,
	.reads = on_reads,
	.ready = on_ready,
	.end = on_end,
	.topics = on_topics,
	.restart = on_restart,
	.committed = on_committed,
	.token = on_token,
	.free = on_free,
};

static int client_new(const struct bb_kafka_options *options, rd_kafka_t **ret_rk,
		      struct bb_error *err)
{
	rd_kafka_conf_t *conf;
	char errstr[512];
	int code = bb_koptions_conf(options, &conf, err);

	if (code)
		return code;
	rd_kafka_conf_set_log_cb(conf, on_log);
	rd_kafka_conf_set_offset_commit_cb(conf, on_commit);
	*ret_rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, errstr, sizeof errstr);
	if (*ret_rk)
		return BB_OK;
	rd_kafka_conf_destroy(conf);
	return bb_error_set(err, BB_ECONFIG, "kafka: %s", errstr);
}

int bb_kafka_new(const struct bb_kafka_options *options, struct bb_source **ret_source,
		 struct bb_error *err)
{
	static const uint64_t one = 1;
	uint32_t discover_ms = options->discover_ms ? options->discover_ms : BB_KAFKA_DISCOVER_MS;
	struct bb_kafka *kafka;
	rd_kafka_t *rk;
	int code = client_new(options, &rk, err);

	if (code)
		return code;
	kafka = calloc(1, sizeof *kafka);
	bb_assert(kafka);
	*kafka = (struct bb_kafka){.source = {&ops},
				   .rk = rk,
				   .resume = options->resume,
				   .resume_ctx = options->resume_ctx,
				   .has_group = options->group != NULL};
	kafka->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bb_assert(kafka->event_fd >= 0);
	kafka->queue = rd_kafka_queue_new(rk);
	rd_kafka_queue_io_event_enable(kafka->queue, kafka->event_fd, &one, sizeof one);
	kafka->worker = bb_worker_new(rk, kafka->event_fd, discover_ms);
	bb_assert(kafka->worker);
	*ret_source = &kafka->source;
	return BB_OK;
}
