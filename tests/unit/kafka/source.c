/* SPDX-License-Identifier: Apache-2.0 */
/* The source of topics against a broker in this process. */
#include <criterion/criterion.h>

#include "bench.h"
#include "token.h"

#define API_FETCH 1

static struct bench bench;

static void setup(void)
{
	bench_begin(&bench);
}

static void teardown(void)
{
	bench_end(&bench);
}

TestSuite(kafka, .init = setup, .fini = teardown, .timeout = 60);

static const char *const shop[] = {"shop"};

static bool drained(struct bench *b)
{
	return b->source->ops->drained(b->source);
}

static bool third_came(struct bench *b)
{
	return b->last_offset == 2;
}

static void produce_numbers(const char *topic, int partition, int from, int to)
{
	for (int i = from; i < to; i++) {
		char value[32];

		snprintf(value, sizeof value, "value %d", i);
		bench_produce(&bench, topic, partition, "key", value);
	}
}

/* Takes the next record, which must be that one. */
static void expect_record(int64_t offset, const char *value)
{
	struct bb_delivery got = {0};

	do /* marks of empty partitions may come between */
		cr_assert(bench_take(&bench, &got), "offset %ld: code %d: %s", (long)offset,
			  bench.last_code, bench.err.msg);
	while (!got.connector);
	cr_assert_eq(got.message.offset, offset, "%ld instead of %ld", (long)got.message.offset,
		     (long)offset);
	cr_assert(bb_text_equal(got.message.value, bb_text_of(value)), "%.*s instead of %s",
		  (int)got.message.value.n, got.message.value.p, value);
	bench_store(&bench, &got);
	bench_release(&bench, &got);
}

Test(kafka, a_record_comes_with_all_that_it_has)
{
	struct bb_delivery got = {0};

	bench_topic(&bench, "shop", 1);
	bench_produce(&bench, "shop", 0, "k", "v");
	bench_start(&bench, shop, 1);
	cr_assert(bench_take(&bench, &got), "%s", bench.err.msg);
	cr_expect(bb_text_equal(got.message.topic, BB_TEXT("shop")));
	cr_expect_eq(got.message.partition, 0);
	cr_expect_eq(got.message.offset, 0);
	cr_expect_eq(got.message.timestamp_ms, 1700000000000);
	cr_expect(bb_text_equal(got.message.key, BB_TEXT("k")));
	cr_expect(bb_text_equal(got.message.value, BB_TEXT("v")));
	cr_expect(got.message.from_log);
	cr_assert_eq(got.message.header_n, 1);
	cr_expect(bb_text_equal(got.message.headers[0].name, BB_TEXT("X-Topic")));
	cr_expect(bb_text_equal(got.message.headers[0].value, BB_TEXT("orders/create")));
	cr_expect_eq(got.connector, bench.connector);
	bench_release(&bench, &got);
}

Test(kafka, null_and_empty_values_differ)
{
	struct bb_delivery got = {0};

	bench_topic(&bench, "shop", 1);
	bench_produce(&bench, "shop", 0, "k", NULL);
	bench_produce(&bench, "shop", 0, NULL, "");
	bench_start(&bench, shop, 1);
	cr_assert(bench_take(&bench, &got));
	cr_expect_null(got.message.value.p);
	cr_expect_not_null(got.message.key.p);
	bench_release(&bench, &got);
	cr_assert(bench_take(&bench, &got));
	cr_expect_not_null(got.message.value.p);
	cr_expect_eq(got.message.value.n, 0);
	cr_expect_null(got.message.key.p);
	bench_release(&bench, &got);
}

Test(kafka, a_new_store_begins_at_the_beginning)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	expect_record(1, "value 1");
	expect_record(2, "value 2");
	cr_expect(bench_until(&bench, drained));
}

Test(kafka, reading_goes_on_behind_the_stored_record)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 5);
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	expect_record(1, "value 1");
	bench_stop(&bench);
	bench_start(&bench, shop, 1);
	expect_record(2, "value 2");
	bench_stop(&bench);
	produce_numbers("shop", 0, 5, 6);
	bench_start(&bench, shop, 1);
	expect_record(3, "value 3");
	expect_record(4, "value 4");
	expect_record(5, "value 5");
}

Test(kafka, nothing_new_gives_nothing_and_is_drained)
{
	bench_topic(&bench, "shop", 2);
	produce_numbers("shop", 0, 0, 1);
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	bench_stop(&bench);
	bench.stored.next_offset = 1; /* of both; the second one is empty: a gap there is right */
	bench_start(&bench, shop, 1);
	cr_expect(bench_until_code(&bench, BB_EGAP));
	cr_expect(bench_until(&bench, drained));
	cr_expect_eq(bench.source->ops->end(bench.source, BB_TEXT("shop"), 0), 1);
	cr_expect_eq(bench.source->ops->end(bench.source, BB_TEXT("none"), 0), -1);
}

Test(kafka, records_that_come_later_ring_the_descriptor)
{
	bench_topic(&bench, "shop", 1);
	bench_start(&bench, shop, 1);
	cr_expect(bench_until(&bench, drained));
	for (int i = 0; i < 5; i++) {
		char value[32];

		snprintf(value, sizeof value, "value %d", i);
		produce_numbers("shop", 0, i, i + 1);
		expect_record(i, value);
	}
}

Test(kafka, a_stored_offset_above_the_end_is_a_gap)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench.stored = (struct bb_resume){.known = true, .next_offset = 50};
	bench_start(&bench, shop, 1);
	cr_assert(bench_until_code(&bench, BB_EGAP));
	cr_expect(strstr(bench.err.msg, "shop partition 0"), "%s", bench.err.msg);
	cr_expect(strstr(bench.err.msg, "50"), "%s", bench.err.msg);
	cr_expect(strstr(bench.err.msg, "end 3"), "%s", bench.err.msg);
	cr_expect(strstr(bench.err.msg, "--accept-gap shop/0"), "%s", bench.err.msg);
	cr_expect(bench_until(&bench, drained), "a gap does not hold up --once");
}

Test(kafka, a_stored_offset_below_the_start_is_a_gap)
{
	static char large[900 * 1024];

	memset(large, 'x', sizeof large - 1);
	bench_topic(&bench, "shop", 1);
	for (int i = 0; i < 10; i++) /* the broker keeps 5 MiB */
		bench_produce(&bench, "shop", 0, NULL, large);
	bench.stored = (struct bb_resume){.known = true, .next_offset = 1};
	bench_start(&bench, shop, 1);
	cr_assert(bench_until_code(&bench, BB_EGAP));
	cr_expect(strstr(bench.err.msg, "below the log's start"), "%s", bench.err.msg);
}

/* Of the first partition's second record this is said to have been stored. */
static void expect_gap_behind(const char *value, struct bb_text cluster, const char *why)
{
	struct bb_message last = {.offset = 1,
				  .timestamp_ms = 1700000000000,
				  .key = BB_TEXT("key"),
				  .value = bb_text_of(value)};
	struct bb_ktoken token = bb_ktoken_of(&last, cluster);

	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 4);
	bench.stored = (struct bb_resume){
		.known = true, .next_offset = 2, .token = bb_ktoken_encode(&token, &bench.arena)};
	bench_start(&bench, shop, 1);
	cr_assert(bench_until_code(&bench, BB_EGAP));
	cr_expect(strstr(bench.err.msg, why), "%s", bench.err.msg);
}

Test(kafka, another_record_in_the_place_of_the_last_one_is_a_gap)
{
	expect_gap_behind("value 7", (struct bb_text){NULL, 0}, "created anew");
}

Test(kafka, another_cluster_is_a_gap)
{
	expect_gap_behind("value 1", BB_TEXT("another-cluster"), "cluster has another id");
}

Test(kafka, after_an_operators_word_reading_goes_on)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench.stored = (struct bb_resume){.known = true, .next_offset = BB_RESUME_START};
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	bench_stop(&bench);
	bench.stored = (struct bb_resume){.known = true, .next_offset = 2};
	bench_start(&bench, shop, 1);
	expect_record(2, "value 2");
}

Test(kafka, from_the_end_the_position_is_marked)
{
	struct bb_delivery got = {0};

	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench.stored = (struct bb_resume){.known = true, .next_offset = BB_RESUME_END};
	bench_start(&bench, shop, 1);
	cr_assert(bench_take(&bench, &got));
	cr_expect_null(got.connector, "a mark");
	cr_expect_eq(got.message.offset, 3);
	bench_release(&bench, &got);
	produce_numbers("shop", 0, 3, 4);
	expect_record(3, "value 3");
}

Test(kafka, an_empty_partition_is_marked_at_its_start)
{
	struct bb_delivery got = {0};

	bench_topic(&bench, "shop", 1);
	bench_start(&bench, shop, 1);
	cr_assert(bench_take(&bench, &got));
	cr_expect_null(got.connector);
	cr_expect_eq(got.message.offset, 0);
	bench_release(&bench, &got);
}

Test(kafka, an_out_of_range_answer_that_passes_is_no_gap)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench.stored = (struct bb_resume){.known = true, .next_offset = 1};
	rd_kafka_mock_push_request_errors(bench.cluster, API_FETCH, 1,
					  RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
	bench_start(&bench, shop, 1);
	expect_record(1, "value 1");
	expect_record(2, "value 2");
}

Test(kafka, errors_of_the_broker_that_pass_lose_nothing)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	rd_kafka_mock_push_request_errors(
		bench.cluster, API_FETCH, 3, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	expect_record(1, "value 1");
	expect_record(2, "value 2");
}

Test(kafka, a_topic_that_goes_and_comes_back_is_read_on)
{
	struct bb_error err = {0};

	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 2);
	bench_start(&bench, shop, 1);
	expect_record(0, "value 0");
	expect_record(1, "value 1");
	cr_expect(bench.source->ops->ready(bench.source, &err));
	rd_kafka_mock_topic_set_error(bench.cluster, "shop",
				      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	cr_assert(bench_until_code(&bench, BB_EKAFKA));
	rd_kafka_mock_topic_set_error(bench.cluster, "shop", RD_KAFKA_RESP_ERR_NO_ERROR);
	produce_numbers("shop", 0, 2, 3);
	cr_assert(bench_until(&bench, third_came));
}

Test(kafka, a_topic_that_appears_later_is_found)
{
	bench_start(&bench, shop, 1);
	rd_kafka_mock_topic_set_error(bench.cluster, "shop",
				      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	cr_expect(bench_until(&bench, drained));
	rd_kafka_mock_topic_set_error(bench.cluster, "shop", RD_KAFKA_RESP_ERR_NO_ERROR);
	produce_numbers("shop", 0, 0, 1);
	expect_record(0, "value 0");
}

Test(kafka, positions_are_told_to_the_group)
{
	struct bb_delivery got = {0};

	bench.group = "lag";
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 3);
	bench_start(&bench, shop, 1);
	cr_assert(bench_take(&bench, &got));
	bench.source->ops->committed(bench.source, got.message.topic, 0, 1);
	bench_release(&bench, &got);
	cr_expect(bench_until(&bench, drained));
}

Test(kafka, a_broker_that_is_not_there_is_said)
{
	struct bb_error err = {0};

	bench.brokers = "127.0.0.1:1";
	bench_start(&bench, shop, 1);
	cr_expect_not(bench.source->ops->ready(bench.source, &err));
	cr_expect_eq(err.code, BB_OK, "still starting");
	cr_assert(bench_until_code(&bench, BB_EKAFKA));
	cr_expect_not(bench.source->ops->ready(bench.source, &err));
	cr_expect_eq(err.code, BB_EKAFKA);
	cr_expect_not(drained(&bench));
}

Test(kafka, topics_that_no_connector_names_any_more_end)
{
	static const char *const both[] = {"shop", "web"};

	bench_topic(&bench, "shop", 1);
	bench_topic(&bench, "web", 1);
	bench_start(&bench, both, 2);
	cr_expect(bench_until(&bench, drained));
	bb_kafka_route(bench.source, NULL, 0);
	bench_produce(&bench, "web", 0, NULL, "unheard");
	bb_kafka_route(bench.source, &bench.connector, 1);
	expect_record(0, "unheard");
}

Test(kafka, room_for_none_takes_none)
{
	size_t n = 7;

	bench_topic(&bench, "shop", 1);
	bench_start(&bench, shop, 1);
	cr_expect_eq(bench.source->ops->take(bench.source, NULL, 0, &n, &bench.err), BB_OK);
	cr_expect_eq(n, 0);
}

Test(kafka, a_part_of_the_log_is_read_again_when_the_last_record_is_the_same)
{
	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 5);
	bench_start(&bench, shop, 1);
	for (int i = 0; i < 5; i++) {
		char value[32];

		snprintf(value, sizeof value, "value %d", i);
		expect_record(i, value);
	}
	bench_stop(&bench);
	bench.stored.again = 2;
	bench.stored.again_end = 5;
	bench_start(&bench, shop, 1);
	expect_record(2, "value 2");
	expect_record(3, "value 3");
	expect_record(4, "value 4");
	produce_numbers("shop", 0, 5, 6);
	expect_record(5, "value 5");
	/* ordered while it is read */
	bench.stored.again = 4;
	bench.stored.again_end = 6;
	bench.source->ops->restart(bench.source, BB_TEXT("shop"), 0);
	bench.source->ops->restart(bench.source, BB_TEXT("none"), 0);
	expect_record(4, "value 4");
	expect_record(5, "value 5");
}

Test(kafka, another_record_in_the_place_of_the_last_one_is_a_gap_also_where_it_is_read_again)
{
	struct bb_message other = {.offset = 3,
				   .timestamp_ms = 1700000000000,
				   .key = BB_TEXT("key"),
				   .value = BB_TEXT("value 7")};
	struct bb_ktoken token = bb_ktoken_of(&other, (struct bb_text){NULL, 0});

	bench_topic(&bench, "shop", 1);
	produce_numbers("shop", 0, 0, 4);
	bench.stored = (struct bb_resume){.known = true,
					  .next_offset = 4,
					  .token = bb_ktoken_encode(&token, &bench.arena),
					  .again = 1,
					  .again_end = 4};
	bench_start(&bench, shop, 1);
	cr_assert(bench_until_code(&bench, BB_EGAP));
	cr_expect(strstr(bench.err.msg, "created anew"), "%s", bench.err.msg);
}

Test(kafka, what_is_gone_of_the_part_that_is_read_again_is_no_gap)
{
	static char large[900 * 1024];
	struct bb_delivery got = {0};

	memset(large, 'x', sizeof large - 1);
	bench_topic(&bench, "shop", 1);
	for (int i = 0; i < 10; i++) /* the broker keeps 5 MiB */
		bench_produce(&bench, "shop", 0, NULL, large);
	bench.stored =
		(struct bb_resume){.known = true, .next_offset = 10, .again = 1, .again_end = 10};
	bench_start(&bench, shop, 1);
	do
		cr_assert(bench_take(&bench, &got), "code %d: %s", bench.last_code, bench.err.msg);
	while (!got.connector);
	cr_expect_gt(got.message.offset, 1);
	cr_expect_lt(got.message.offset, 10);
	bench_release(&bench, &got);
}
