/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors by HTTP: the list, a reload, and orders to read topics again. */
#include "steward.h"

#include <backbone/progress.h>
#include <criterion/criterion.h>

static struct steward st;
static struct bb_connector *connectors[2];
static struct bb_config_source sources[2];
static struct bb_status_topic topics[] = {
	{.name = {"shop", sizeof("shop") - 1},
	 .connector = {"direct", sizeof("direct") - 1},
	 .partitions = 2},
	{.name = {"web", sizeof("web") - 1},
	 .connector = {"other", sizeof("other") - 1},
	 .partitions = 0},
};
static struct bb_status_connector counts[] = {
	{.name = {"direct", sizeof("direct") - 1},
	 .results = {4, 1, 0, 0, 2},
	 .warnings = 3,
	 .last_ms = INT64_C(1767225600000)},
};
static struct bb_status_partition partitions[] = {
	{.topic = {"shop", sizeof("shop") - 1},
	 .next_offset = 5,
	 .end_offset = 9,
	 .results = {4, 1}},
	{.topic = {"shop", sizeof("shop") - 1},
	 .partition = 1,
	 .next_offset = 2,
	 .end_offset = 2,
	 .reread = {.from = 0, .next = 1, .end = 2, .results = {0, 1}, .too_old = 0}},
};
static uv_timer_t reading;
static int reload_code;
static bool is_ending;

static void on_status(void *ctx, struct bb_arena *arena, struct bb_status *ret_status)
{
	(void)ctx, (void)arena;
	*ret_status = (struct bb_status){.ready = true,
					 .state = BB_TEXT("running"),
					 .partitions = partitions,
					 .partition_n = 2,
					 .topics = topics,
					 .topic_n = 2,
					 .connectors = counts,
					 .connector_n = 1,
					 .reload = {.run = 2,
						    .result = BB_TEXT("done"),
						    .ended_ms = INT64_C(1767225600000)}};
}

static void on_read(uv_timer_t *timer)
{
	struct bb_reload_wish *wish = timer->data;

	wish->done(wish, reload_code,
		   reload_code == BB_OK ? BB_TEXT("\"run\":3,\"added\":[],\"changed\":[\"till\"]")
		   : reload_code == BB_EBUSY
			   ? BB_TEXT("the store is being written anew")
			   : BB_TEXT("a.yaml:1:2: name: \"x\" is wrong\nb.yaml:3:4: events: "
				     "missing\n"));
}

/* Read in a later turn of the loop. */
static int on_reload(void *ctx, struct bb_reload_wish *wish, struct bb_error *err)
{
	(void)ctx;
	if (is_ending)
		return bb_error_set(err, BB_EBUSY, "the daemon is ending");
	reading.data = wish;
	uv_timer_start(&reading, on_read, 0, 0);
	return BB_OK;
}

static void put_row(int32_t partition, int64_t next_offset)
{
	struct bb_progress row = {
		.topic = BB_TEXT("shop"), .partition = partition, .next_offset = next_offset};
	struct bb_kv *kv;

	cr_assert_eq(bb_store_write_begin(st.fix.store, &kv), BB_OK);
	cr_assert_eq(bb_progress_put(kv, &row), BB_OK);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
}

static void setup(void)
{
	static const char *const names[] = {"shop"};

	steward_open(&st);
	connectors[0] = bb_connector_direct(names, 1);
	sources[0] = (struct bb_config_source){.file = "c/direct.yaml"};
	st.fix.config.connectors = connectors;
	st.fix.config.sources = sources;
	st.fix.config.connector_n = 1;
	st.service.status = on_status;
	st.service.reload = on_reload;
	uv_timer_init(&st.fix.loop, &reading);
	put_row(0, 5);
	put_row(1, 2);
}

static void teardown(void)
{
	st.fix.config.connector_n = 0;
	bb_connector_free(connectors[0]);
	uv_close((uv_handle_t *)&reading, NULL);
	steward_close(&st);
}

TestSuite(connectors, .init = setup, .fini = teardown, .timeout = 60);

Test(connectors, the_list_has_topics_counts_and_lag)
{
	static const char *const parts[] = {
		"{\"connector\":\"direct\",",
		"\"file\":\"c/direct.yaml\",\"pattern\":null",
		"\"reads\":[{\"topic\":\"shop\",\"partitions\":2,\"lag\":4}]",
		"\"applied\":4,\"duplicate\":1,\"skipped\":0,\"no_identifier\":0,\"dead_letter\":2,"
		"\"warnings\":3,\"last\":\"2026-01-01T00:00:00.000Z\"}",
		"\"names_since\":\"",
		"\"reload\":{\"run\":2,\"waiting\":false,\"result\":\"done\",\"ended\":\"2026-",
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		steward_expect(&st, "GET", "/v1/connectors", NULL, 200, parts[i]);
	steward_expect(&st, "GET", "/v1/status", NULL, 200,
		       "\"reread\":{\"from\":0,\"next\":1,\"to\":2,\"applied\":0,\"duplicate\":1");
}

Test(connectors, a_reload_says_what_it_does_or_what_is_wrong)
{
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 202, "\"changed\":[\"till\"]}");
	reload_code = BB_EBUSY;
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 409, "is being written anew");
	is_ending = true;
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 409, "the daemon is ending");
	is_ending = false;
	reload_code = BB_ECONFIG;
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 422,
		       "\"errors\":[\"a.yaml:1:2: name: \\\"x\\\" is wrong\","
		       "\"b.yaml:3:4: events: missing\"]}");
	st.service.reload = NULL;
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 503, "no reload");
	reload_code = BB_OK;
	st.roles = BB_ROLE_READ;
	steward_expect(&st, "POST", "/v1/connectors/reload", NULL, 403, "admin");
	steward_expect(&st, "POST", "/v1/replays", NULL, 403, "admin");
}

#define RANGE(topic, partition, from)                                                              \
	"{\"topic\":\"" topic "\",\"partition\":" partition ",\"from\":" from "}"
#define ORDER(ranges) "{\"connector\":\"direct\",\"partitions\":[" ranges "]}"

Test(connectors, topics_are_read_again_and_it_is_in_the_audit_log)
{
	steward_expect(&st, "POST", "/v1/replays",
		       ORDER(RANGE("shop", "0", "1") "," RANGE("shop", "1", "0")), 202,
		       "\"partitions\":[{\"topic\":\"shop\",\"partition\":0,\"from\":1,\"to\":5},"
		       "{\"topic\":\"shop\",\"partition\":1,\"from\":0,\"to\":2}]}");
	steward_expect(&st, "GET", "/v1/audit", NULL, 200,
		       "\"action\":\"reread\",\"subject\":\"shop/0\",\"detail\":"
		       "\"connector=direct from=1 to=5 since=");
	steward_expect(&st, "POST", "/v1/replays", ORDER(RANGE("shop", "0", "1")), 409,
		       "being read again already");
}

Test(connectors, an_order_that_cannot_be_changes_nothing)
{
	static const struct {
		const char *body;
		unsigned status;
		const char *part;
	} rows[] = {
		{"nonsense", 400, "a JSON object"},
		{"[]", 400, "a JSON object"},
		{ORDER(""), 400, "1 to 4096"},
		{"{\"partitions\":[" RANGE("shop", "0", "1") "]}", 400, "connector"},
		{ORDER("7"), 400, "expected {"},
		{ORDER(RANGE("shop", "-1", "1")), 400, "expected {"},
		{ORDER(RANGE("shop", "0", "1.5")), 400, "expected {"},
		{ORDER(RANGE("shop", "0", "1e3")), 400, "expected {"},
		{ORDER(RANGE("web", "0", "1")), 400, "web is not read for the connector direct"},
		{ORDER(RANGE("none", "0", "1")), 400, "none is not read"},
		{ORDER(RANGE("shop", "0", "1") "," RANGE("shop", "0", "2")), 400, "twice"},
		{ORDER(RANGE("shop", "0", "1") "," RANGE("shop", "1", "2")), 409,
		 "shop/1: there is nothing to be read again"},
		{ORDER(RANGE("shop", "0", "1") "," RANGE("shop", "7", "0")), 404,
		 "shop/7: nothing was ever read"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		steward_expect(&st, "POST", "/v1/replays", rows[i].body, rows[i].status,
			       rows[i].part);
	steward_expect(&st, "POST", "/v1/replays", ORDER(RANGE("shop", "0", "1")), 202,
		       "\"partition\":0");
}
