/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `produce`: messages of files into a topic, through librdkafka with its queue bounded: where it is
 * full, deliveries are waited for. Every message is accounted for: delivered, or failed with the
 * broker's reason.
 *
 * Exit 3 where no broker answers, 4 where one refuses, 2 for a key field that a message has not.
 */
#include "ctl.h"
#include "input.h"

#include <backbone/clock.h>
#include <backbone/json.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

enum { POLL_MS = 100, PROGRESS_MS = 1000, END_MS = 60000 };

struct sender {
	struct bb_ctl *ctl;
	rd_kafka_t *kafka;
	const char *topic, *key_field;
	uint64_t sent, delivered;
	rd_kafka_resp_err_t first_failure;
	struct bb_arena arena; /* of a message */
	uint64_t next_progress_ns;
};

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *msg, void *ctx)
{
	struct sender *sender = ctx;

	(void)kafka;
	if (!msg->err) {
		sender->delivered++;
		return;
	}
	if (!sender->first_failure)
		sender->first_failure = msg->err;
}

/* Errors of a connection are told once each by librdkafka; the verb tells what became of messages.
 */
static void on_error(rd_kafka_t *kafka, int err, const char *reason, void *ctx)
{
	(void)kafka, (void)err, (void)reason, (void)ctx;
}

static void on_log(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
	(void)kafka, (void)level, (void)facility, (void)text;
}

static bool set_option(struct bb_ctl *ctl, rd_kafka_conf_t *conf, const char *name,
		       const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return true;
	bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", why);
	return false;
}

/* The configuration's options hold for the consumer; those that only it knows are ignored by
 * librdkafka with a line in its log. */
static bool set_options(struct bb_ctl *ctl, rd_kafka_conf_t *conf, const char *brokers)
{
	static const char *const own[][2] = {
		{"client.id", "backbonectl"},
		{"queue.buffering.max.messages", "100000"},
		{"queue.buffering.max.kbytes", "65536"},
		{"linger.ms", "5"},
		{"enable.idempotence", "true"},
		{"message.timeout.ms", "30000"},
	};

	for (size_t i = 0; ctl->config && i < ctl->config->kafka_option_n; i++)
		if (!set_option(ctl, conf, ctl->config->kafka_options[i].name,
				ctl->config->kafka_options[i].value))
			return false;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!set_option(ctl, conf, own[i][0], own[i][1]))
			return false;
	return set_option(ctl, conf, "bootstrap.servers", brokers);
}

static int connect_broker(struct sender *sender)
{
	struct bb_ctl *ctl = sender->ctl;
	const char *brokers;
	rd_kafka_conf_t *conf;
	char why[256];
	int ret = bb_ctl_brokers(ctl, &brokers);

	if (ret != BB_CTL_OK)
		return ret;
	conf = rd_kafka_conf_new();
	rd_kafka_conf_set_opaque(conf, sender);
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	rd_kafka_conf_set_error_cb(conf, on_error);
	rd_kafka_conf_set_log_cb(conf, on_log);
	if (!set_options(ctl, conf, brokers)) {
		rd_kafka_conf_destroy(conf);
		return BB_CTL_USAGE;
	}
	sender->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (sender->kafka)
		return BB_CTL_OK;
	rd_kafka_conf_destroy(conf);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", why);
}

/* The member at a dotted path as text. False: it is not there, or no text or number. */
static bool key_of(struct sender *sender, struct bb_text value, struct bb_text *ret_key)
{
	const char *at = sender->key_field;
	const struct bb_json_node *node;
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(value, &refusal);
	struct bb_text text = {NULL, 0};

	if (!doc)
		return false;
	for (node = bb_json_root(doc); node && at;) {
		const char *dot = strchr(at, '.');
		struct bb_text name = {at, dot ? (size_t)(dot - at) : strlen(at)};

		node = bb_json_kind(doc, node) == BB_JSON_MAP ? bb_json_member(doc, node, name)
							      : NULL;
		at = dot ? dot + 1 : NULL;
	}
	if (node)
		text = bb_json_text(doc, node);
	if (text.p)
		*ret_key = bb_arena_copy(&sender->arena, text);
	bb_json_free(doc);
	return text.p != NULL;
}

static void show_progress(struct sender *sender, const struct bb_input *input)
{
	uint64_t now_ns = bb_clock_monotonic_ns(), total, taken;

	if (sender->next_progress_ns == 0 || now_ns < sender->next_progress_ns)
		return;
	sender->next_progress_ns = now_ns + PROGRESS_MS * UINT64_C(1000000);
	bb_input_progress(input, &total, &taken);
	fprintf(sender->ctl->err, "%llu sent, %llu delivered", (unsigned long long)sender->sent,
		(unsigned long long)sender->delivered);
	if (total > 0)
		fprintf(sender->ctl->err, ", %llu %% of the file",
			(unsigned long long)(100 * taken / total));
	fputc('\n', sender->ctl->err);
}

static rd_kafka_headers_t *headers_of(const struct bb_message *msg)
{
	rd_kafka_headers_t *headers;

	if (msg->header_n == 0)
		return NULL;
	headers = rd_kafka_headers_new(msg->header_n);
	for (size_t i = 0; i < msg->header_n; i++)
		rd_kafka_header_add(headers, msg->headers[i].name.p,
				    (ssize_t)msg->headers[i].name.n, msg->headers[i].value.p,
				    (ssize_t)msg->headers[i].value.n);
	return headers;
}

/* Takes a place in the queue, waiting for one where it is full. */
static rd_kafka_resp_err_t enqueue(struct sender *sender, const struct bb_message *msg)
{
	for (;;) {
		rd_kafka_headers_t *headers = headers_of(msg);
		rd_kafka_vu_t parts[] = {
			{.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = sender->topic},
			{.vtype = RD_KAFKA_VTYPE_VALUE,
			 .u.mem = {(void *)msg->value.p, msg->value.n}},
			{.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)msg->key.p, msg->key.n}},
			{.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
			{.vtype = RD_KAFKA_VTYPE_TIMESTAMP,
			 .u.i64 = msg->timestamp_ms > 0 ? msg->timestamp_ms : 0},
			{.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
		};
		size_t n = sizeof(parts) / sizeof(parts[0]) - (headers ? 0 : 1);
		rd_kafka_error_t *error = rd_kafka_produceva(sender->kafka, parts, n);
		rd_kafka_resp_err_t code =
			error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;

		rd_kafka_error_destroy(error);
		if (code && headers)
			rd_kafka_headers_destroy(headers);
		if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL)
			return code;
		rd_kafka_poll(sender->kafka, POLL_MS);
	}
}

static int send_message(struct sender *sender, struct bb_message *msg, const char *path)
{
	rd_kafka_resp_err_t code;

	if (sender->key_field && (!msg->value.p || !key_of(sender, msg->value, &msg->key)))
		return bb_ctl_fail(sender->ctl, BB_CTL_USAGE,
				   "%s:%lld: no text or number at --key-field %s", path,
				   (long long)msg->offset + 1, sender->key_field);
	code = enqueue(sender, msg);
	if (code)
		return bb_ctl_fail(sender->ctl, BB_CTL_REFUSED, "%s:%lld: %s", path,
				   (long long)msg->offset + 1, rd_kafka_err2str(code));
	sender->sent++;
	rd_kafka_poll(sender->kafka, 0);
	return BB_CTL_OK;
}

static int send_file(struct sender *sender, const char *path)
{
	bool raw = bb_ctl_value(sender->ctl, "raw");
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_message msg;
	int ret = bb_input_open(path, raw, &input, &err), sent = BB_CTL_OK;

	while (ret == BB_OK && sent == BB_CTL_OK && !sender->first_failure) {
		bb_arena_reset(&sender->arena);
		ret = bb_input_next(input, &sender->arena, &msg, &err);
		if (ret != BB_OK)
			break;
		sent = send_message(sender, &msg, path);
		show_progress(sender, input);
	}
	bb_input_close(input);
	if (ret != BB_OK && ret != BB_ENOTFOUND)
		return bb_ctl_fail(sender->ctl, BB_CTL_USAGE, "%s", err.msg);
	return sent;
}

/* Waits for what is on its way, and says what became of it. */
static int finish(struct sender *sender)
{
	struct bb_ctl *ctl = sender->ctl;
	bool is_away = false;

	rd_kafka_flush(sender->kafka, END_MS);
	is_away = sender->first_failure == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT ||
		  sender->first_failure == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
	if (ctl->json)
		fprintf(ctl->out, "{\"sent\":%llu,\"delivered\":%llu,\"failed\":%llu}\n",
			(unsigned long long)sender->sent, (unsigned long long)sender->delivered,
			(unsigned long long)(sender->sent - sender->delivered));
	else
		fprintf(ctl->out, "%llu of %llu messages delivered to %s\n",
			(unsigned long long)sender->delivered, (unsigned long long)sender->sent,
			sender->topic);
	if (sender->delivered == sender->sent)
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, is_away ? BB_CTL_UNREACHABLE : BB_CTL_REFUSED,
			   "%llu messages were not delivered: %s",
			   (unsigned long long)(sender->sent - sender->delivered),
			   sender->first_failure ? rd_kafka_err2str(sender->first_failure)
						 : "no answer in time");
}

int bb_ctl_produce(struct bb_ctl *ctl)
{
	struct sender sender = {
		.ctl = ctl, .topic = ctl->args[0], .key_field = bb_ctl_value(ctl, "key-field")};
	int ret = connect_broker(&sender), end;

	if (ret != BB_CTL_OK)
		return ret;
	bb_arena_init(&sender.arena);
	if (!bb_ctl_value(ctl, "quiet") && !ctl->json)
		sender.next_progress_ns = bb_clock_monotonic_ns() + PROGRESS_MS * UINT64_C(1000000);
	for (int i = 1; ret == BB_CTL_OK && !sender.first_failure && i < ctl->arg_n; i++)
		ret = send_file(&sender, ctl->args[i]);
	end = finish(&sender);
	rd_kafka_destroy(sender.kafka);
	bb_arena_fini(&sender.arena);
	return ret != BB_CTL_OK ? ret : end;
}
