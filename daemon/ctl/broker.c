/* SPDX-License-Identifier: Apache-2.0 */
/*
 * librdkafka's simple consumer: partitions are started by hand at an offset, into one queue, until
 * each has come to the end of its range. Only committed records are seen, like by the daemon.
 *
 * Whoever does not answer in time ends the call with 3, and the client's last word on it; a broker
 * that refuses ends it with 4.
 */
#include "broker.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

enum { CALL_MS = 10000, SILENCE_MS = 10000, POLL_MS = 100, TAKE = 256 };

struct bb_broker {
	struct bb_ctl *ctl;
	const char *brokers, *topic;
	rd_kafka_t *kafka;
	rd_kafka_topic_t *handle; /* of `topic` */
	rd_kafka_queue_t *queue;
	char trouble[512]; /* the client's last word */
	struct bb_header *headers;
	size_t header_room;
};

static void on_error(rd_kafka_t *kafka, int err, const char *reason, void *ctx)
{
	struct bb_broker *broker = ctx;

	(void)kafka, (void)err;
	snprintf(broker->trouble, sizeof(broker->trouble), "%s", reason);
}

static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
	(void)kafka, (void)level, (void)facility, (void)text;
}

static int fail(struct bb_broker *broker, rd_kafka_resp_err_t err)
{
	enum bb_ctl_exit code = BB_CTL_UNREACHABLE;

	rd_kafka_poll(broker->kafka, 0);
	if (err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
	    err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
		code = BB_CTL_REFUSED;
	return bb_ctl_fail(broker->ctl, code, "%s%s%s: %s%s%s", broker->brokers,
			   broker->topic ? ", topic " : "", broker->topic ? broker->topic : "",
			   rd_kafka_err2str(err), *broker->trouble ? "; " : "", broker->trouble);
}

/* --- the client ------------------------------------------------------------------------------- */

static bool set_options(struct bb_broker *broker, rd_kafka_conf_t *conf)
{
	/* behind those of the configuration: what reading beside the daemon rests on */
	const char *const own[][2] = {
		{"client.id", "backbonectl"},	       {"bootstrap.servers", broker->brokers},
		{"enable.auto.commit", "false"},       {"auto.offset.reset", "error"},
		{"isolation.level", "read_committed"}, {"enable.partition.eof", "true"},
		{"allow.auto.create.topics", "false"}, {"fetch.wait.max.ms", "100"},
		{"queued.min.messages", "1000"},       {"queued.max.messages.kbytes", "16384"},
	};
	const struct bb_config *config = broker->ctl->config;
	char why[256];

	for (size_t i = 0; config && i < config->kafka_option_n; i++) {
		const struct bb_config_option *option = &config->kafka_options[i];

		if (rd_kafka_conf_set(conf, option->name, option->value, why, sizeof(why)) ==
		    RD_KAFKA_CONF_OK)
			continue;
		bb_ctl_fail(broker->ctl, BB_CTL_USAGE, "%s:%u:%u: kafka.options.%s: %s",
			    config->file, option->line, option->column, option->name, why);
		return false;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (rd_kafka_conf_set(conf, own[i][0], own[i][1], why, sizeof(why)) ==
		    RD_KAFKA_CONF_OK)
			continue;
		bb_ctl_fail(broker->ctl, BB_CTL_USAGE, "%s", why);
		return false;
	}
	return true;
}

static int client_new(struct bb_broker *broker)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	rd_kafka_conf_set_opaque(conf, broker);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (!set_options(broker, conf)) {
		rd_kafka_conf_destroy(conf);
		return BB_CTL_USAGE;
	}
	broker->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!broker->kafka) {
		rd_kafka_conf_destroy(conf);
		return bb_ctl_fail(broker->ctl, BB_CTL_USAGE, "%s", why);
	}
	broker->queue = rd_kafka_queue_new(broker->kafka);
	return BB_CTL_OK;
}

int bb_broker_open(struct bb_ctl *ctl, struct bb_broker **ret_broker)
{
	struct bb_broker *broker;
	const char *brokers;
	int ret = bb_ctl_brokers(ctl, &brokers);

	if (ret != BB_CTL_OK)
		return ret;
	broker = calloc(1, sizeof(*broker));
	bb_assert(broker);
	broker->ctl = ctl;
	broker->brokers = brokers;
	ret = client_new(broker);
	if (ret == BB_CTL_OK)
		*ret_broker = broker;
	else
		bb_broker_close(broker);
	return ret;
}

void bb_broker_close(struct bb_broker *broker)
{
	if (!broker)
		return;
	if (broker->handle)
		rd_kafka_topic_destroy(broker->handle);
	if (broker->queue)
		rd_kafka_queue_destroy(broker->queue);
	if (broker->kafka)
		rd_kafka_destroy(broker->kafka);
	free(broker->headers);
	free(broker);
}

/* --- what there is ---------------------------------------------------------------------------- */

int bb_broker_topic(struct bb_broker *broker, const char *topic, int32_t *ret_partition_n)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_resp_err_t err;

	if (broker->handle)
		rd_kafka_topic_destroy(broker->handle);
	broker->topic = topic;
	broker->handle = rd_kafka_topic_new(broker->kafka, topic, NULL);
	if (!broker->handle)
		return fail(broker, rd_kafka_last_error());
	err = rd_kafka_metadata(broker->kafka, 0, broker->handle, &metadata, CALL_MS);
	if (err)
		return fail(broker, err);
	err = metadata->topic_cnt ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	*ret_partition_n = metadata->topic_cnt ? metadata->topics[0].partition_cnt : 0;
	rd_kafka_metadata_destroy(metadata);
	if (err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	    err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || (!err && !*ret_partition_n))
		return bb_ctl_fail(broker->ctl, BB_CTL_NO, "%s has no topic %s", broker->brokers,
				   topic);
	return err ? fail(broker, err) : BB_CTL_OK;
}

int bb_broker_ends(struct bb_broker *broker, int32_t partition, int64_t *ret_low, int64_t *ret_high)
{
	rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
		broker->kafka, broker->topic, partition, ret_low, ret_high, CALL_MS);

	return err ? fail(broker, err) : BB_CTL_OK;
}

int bb_broker_at(struct bb_broker *broker, int32_t partition, int64_t time_ms, int64_t *ret_offset)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *one =
		rd_kafka_topic_partition_list_add(list, broker->topic, partition);
	rd_kafka_resp_err_t err;
	int64_t low;

	one->offset = time_ms;
	err = rd_kafka_offsets_for_times(broker->kafka, list, CALL_MS);
	err = err ? err : one->err;
	*ret_offset = one->offset;
	rd_kafka_topic_partition_list_destroy(list);
	if (err)
		return fail(broker, err);
	return *ret_offset >= 0 ? BB_CTL_OK : bb_broker_ends(broker, partition, &low, ret_offset);
}

/* --- reading ---------------------------------------------------------------------------------- */

static size_t read_headers(struct bb_broker *broker, const rd_kafka_message_t *from)
{
	rd_kafka_headers_t *headers;
	const char *name;
	const void *value;
	size_t n = 0, value_n;

	if (rd_kafka_message_headers(from, &headers))
		return 0;
	while (rd_kafka_header_get_all(headers, n, &name, &value, &value_n) == 0) {
		if (n == broker->header_room) {
			broker->header_room = broker->header_room ? 2 * broker->header_room : 8;
			broker->headers = realloc(broker->headers,
						  broker->header_room * sizeof(*broker->headers));
			bb_assert(broker->headers);
		}
		broker->headers[n++] =
			(struct bb_header){bb_text_of(name), bb_text_bytes(value, value_n)};
	}
	return n;
}

static struct bb_message message_of(struct bb_broker *broker, const rd_kafka_message_t *from)
{
	rd_kafka_timestamp_type_t type;
	int64_t timestamp_ms = rd_kafka_message_timestamp(from, &type);
	struct bb_message msg = {
		.topic = bb_text_of(broker->topic),
		.partition = from->partition,
		.offset = from->offset,
		.timestamp_ms = timestamp_ms < 0 ? BB_NO_TIMESTAMP : timestamp_ms,
		.key = bb_text_bytes(from->key, from->key_len),
		.value = bb_text_bytes(from->payload, from->len),
		.from_log = true,
	};

	msg.header_n = read_headers(broker, from);
	msg.headers = broker->headers;
	return msg;
}

/* Returns whether its range has come to its end; *ret_err is set by an error. */
static bool take_one(struct bb_broker *broker, const rd_kafka_message_t *from,
		     struct bb_broker_range *range, bb_broker_fn *give, void *ctx,
		     rd_kafka_resp_err_t *ret_err)
{
	struct bb_message msg;

	if (range->done)
		return false;
	if (from->err && from->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		*ret_err = from->err;
		return false;
	}
	if (!from->err && from->offset < range->to) {
		msg = message_of(broker, from);
		give(ctx, &msg);
	}
	range->done = from->err || from->offset + 1 >= range->to;
	return range->done;
}

static int fail_silence(struct bb_broker *broker)
{
	rd_kafka_poll(broker->kafka, 0);
	return bb_ctl_fail(broker->ctl, BB_CTL_UNREACHABLE,
			   "%s, topic %s: nothing came for %d s%s%s", broker->brokers,
			   broker->topic, SILENCE_MS / 1000, *broker->trouble ? ": " : "",
			   broker->trouble);
}

struct drained {
	struct bb_broker_range *ranges;
	int32_t partition_n, open;
};

/* An error of the whole client has a partition that is none. */
static void take(struct bb_broker *broker, const rd_kafka_message_t *from, struct drained *drained,
		 bb_broker_fn *give, void *ctx, rd_kafka_resp_err_t *ret_err)
{
	if (from->partition >= 0 && from->partition < drained->partition_n)
		drained->open -= take_one(broker, from, &drained->ranges[from->partition], give,
					  ctx, ret_err);
	else if (from->err)
		*ret_err = from->err;
}

static int drain(struct bb_broker *broker, struct drained *drained, bb_broker_fn *give, void *ctx)
{
	uint64_t last_ns = bb_clock_monotonic_ns();
	rd_kafka_message_t *taken[TAKE];

	while (drained->open > 0) {
		rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
		ssize_t n = rd_kafka_consume_batch_queue(broker->queue, POLL_MS, taken, TAKE);

		rd_kafka_poll(broker->kafka, 0);
		for (ssize_t i = 0; i < n; i++) {
			take(broker, taken[i], drained, give, ctx, &err);
			rd_kafka_message_destroy(taken[i]);
		}
		if (err)
			return fail(broker, err);
		if (n > 0)
			last_ns = bb_clock_monotonic_ns();
		else if (bb_clock_monotonic_ns() - last_ns > SILENCE_MS * UINT64_C(1000000))
			return fail_silence(broker);
	}
	return BB_CTL_OK;
}

int bb_broker_read(struct bb_broker *broker, struct bb_broker_range *ranges, int32_t partition_n,
		   bb_broker_fn *give, void *ctx)
{
	struct drained drained = {ranges, partition_n, 0};
	int ret = BB_CTL_OK;

	for (int32_t p = 0; p < partition_n; p++)
		ranges[p].done = ranges[p].from >= ranges[p].to;
	for (int32_t p = 0; ret == BB_CTL_OK && p < partition_n; p++) {
		if (ranges[p].done)
			continue;
		drained.open++;
		if (rd_kafka_consume_start_queue(broker->handle, p, ranges[p].from, broker->queue))
			ret = fail(broker, rd_kafka_last_error());
	}
	if (ret == BB_CTL_OK)
		ret = drain(broker, &drained, give, ctx);
	for (int32_t p = 0; p < partition_n; p++)
		if (ranges[p].from < ranges[p].to)
			rd_kafka_consume_stop(broker->handle, p);
	return ret;
}
