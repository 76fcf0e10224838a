/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting is always for the source's descriptor, with a deadline; nothing sleeps. */
#include "bench.h"

#include <backbone/assert.h>
#include <backbone/clock.h>

#include <poll.h>

static int on_resume(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *arena,
		     struct bb_resume *ret_resume)
{
	const struct bench *bench = ctx;

	(void)topic;
	(void)partition;
	*ret_resume = bench->stored;
	ret_resume->token = bb_arena_copy(arena, bench->stored.token);
	return BB_OK;
}

void bench_begin(struct bench *bench)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char errstr[256];

	*bench = (struct bench){.last_offset = -1};
	bb_arena_init(&bench->arena);
	rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "3", NULL, 0);
	rd_kafka_conf_set(conf, "linger.ms", "0", NULL, 0);
	bench->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, errstr, sizeof errstr);
	bb_assert(bench->rk);
	bench->cluster = rd_kafka_handle_mock_cluster(bench->rk);
	bench->brokers = rd_kafka_mock_cluster_bootstraps(bench->cluster);
}

void bench_end(struct bench *bench)
{
	bench_stop(bench);
	rd_kafka_destroy(bench->rk);
	bb_arena_fini(&bench->arena);
}

void bench_topic(struct bench *bench, const char *name, int partitions)
{
	bb_assert(!rd_kafka_mock_topic_create(bench->cluster, name, partitions, 1));
}

void bench_produce(struct bench *bench, const char *topic, int partition, const char *key,
		   const char *value)
{
	rd_kafka_resp_err_t err = rd_kafka_producev(
		bench->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0),
		RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(1700000000000),
		RD_KAFKA_V_HEADER("X-Topic", "orders/create", -1), RD_KAFKA_V_END);

	bb_assert(!err);
	bb_assert(!rd_kafka_flush(bench->rk, BENCH_PATIENCE_MS));
}

void bench_start(struct bench *bench, const char *const *topics, size_t n)
{
	/* this broker answers a fetch at once, or when its time is over */
	static const struct bb_kafka_option quick = {"fetch.wait.max.ms", "20", 1, 1};
	struct bb_kafka_options options = {
		.brokers = bench->brokers,
		.group = bench->group,
		.options = &quick,
		.option_n = 1,
		.resume = on_resume,
		.resume_ctx = bench,
		.discover_ms = 100,
	};

	bench->connector = bb_connector_direct(topics, n);
	bb_assert(bb_kafka_new(&options, &bench->source, &bench->err) == BB_OK);
	bb_kafka_route(bench->source, &bench->connector, 1);
}

void bench_stop(struct bench *bench)
{
	if (bench->source)
		bench->source->ops->free(bench->source);
	bb_connector_free(bench->connector);
	bench->source = NULL;
	bench->connector = NULL;
}

/* Waits for the descriptor. False: not before `until_ms`. */
static bool wait_readable(struct bench *bench, uint64_t until_ms)
{
	struct pollfd fd = {.fd = bench->source->ops->fd(bench->source), .events = POLLIN};
	uint64_t now_ms = bb_clock_monotonic_ns() / 1000000;

	if (now_ms >= until_ms)
		return false;
	poll(&fd, 1, until_ms - now_ms < 1000 ? (int)(until_ms - now_ms) : 1000);
	return true;
}

bool bench_take(struct bench *bench, struct bb_delivery *out)
{
	uint64_t until_ms = bb_clock_monotonic_ns() / 1000000 + BENCH_PATIENCE_MS;
	size_t n = 0;

	do {
		int code = bench->source->ops->take(bench->source, out, 1, &n, &bench->err);

		bench->last_code = code;
		if (code)
			return false;
	} while (n == 0 && wait_readable(bench, until_ms));
	return n == 1;
}

void bench_release(struct bench *bench, struct bb_delivery *delivery)
{
	bench->source->ops->release(bench->source, delivery, 1);
}

static bool take_once(struct bench *bench)
{
	struct bb_delivery delivery;
	size_t n = 0;
	int code = bench->source->ops->take(bench->source, &delivery, 1, &n, &bench->err);

	if (code)
		bench->last_code = code;
	if (n) {
		if (delivery.connector)
			bench->last_offset = delivery.message.offset;
		bench_release(bench, &delivery);
	}
	return n || code;
}

bool bench_until(struct bench *bench, bool (*wanted)(struct bench *bench))
{
	uint64_t until_ms = bb_clock_monotonic_ns() / 1000000 + BENCH_PATIENCE_MS;

	for (;;) {
		bool more = take_once(bench);

		if (wanted(bench))
			return true;
		if (!more && !wait_readable(bench, until_ms))
			return false;
	}
}

bool bench_until_code(struct bench *bench, int code)
{
	uint64_t until_ms = bb_clock_monotonic_ns() / 1000000 + BENCH_PATIENCE_MS;

	bench->last_code = BB_OK;
	for (;;) {
		bool more = take_once(bench);

		if (bench->last_code == code)
			return true;
		if (!more && !wait_readable(bench, until_ms))
			return false;
	}
}

void bench_store(struct bench *bench, const struct bb_delivery *delivery)
{
	struct bb_text token = bench->source->ops->token(bench->source, delivery, &bench->arena);

	bb_assert(token.n <= sizeof bench->token);
	memcpy(bench->token, token.p, token.n);
	bench->stored = (struct bb_resume){.known = true,
					   .next_offset = delivery->message.offset + 1,
					   .token = bb_text_bytes(bench->token, token.n)};
}
