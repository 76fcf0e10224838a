/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored values: a small store is made once; an input chooses one of its rows (two bytes) and takes
 * the place of the row's value. Whatever stands there, every look-up, the walk over all views, an
 * explanation, a batch of events, a ruling, an erasure and other rules on top end with an answer or
 * an error, never with a crash: damaged bytes must not take the daemon down, even where a checksum
 * agrees with them.
 */
#include "fuzz.h"

#include <backbone/adopt.h>
#include <backbone/assert.h>
#include <backbone/change.h>
#include <backbone/connector.h>
#include <backbone/deadletter.h>
#include <backbone/explain.h>
#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <backbone/progress.h>
#include <backbone/view.h>
#include <kvmem.h>
#include <string.h>

#define ROWS_MAX 512
#define STEPS_MAX 10000 /* a walk over a few rows is shorter; a circle in damaged rows is not */

struct row {
	enum bb_table table;
	char key[BB_KV_KEY_MAX];
	size_t n;
};

static struct row rows[ROWS_MAX];
static size_t row_n;
static struct bb_kvmem *store;
static struct bb_namespace namespaces[3];
static struct bb_rules rules;
static struct bb_connector *direct;

static const char *const lines[] = {
	"{\"source\":\"till\",\"channel\":\"pos\",\"type\":\"order\",\"id\":\"1\",\"time\":\"2026-"
	"01-01T10:"
	"00:00Z\",\"identifiers\":[{\"ns\":\"card\",\"value\":\"A\"},{\"ns\":\"email\",\"value\":"
	"\"a@example.org\"}],\"amount\":{\"value\":\"12.50\",\"currency\":\"EUR\",\"key\":\"o-1\"},"
	"\"attributes\":{\"city\":\"Lyon\",\"tags\":[1,\"x\",true]}}",
	"{\"source\":\"web\",\"type\":\"page\",\"id\":\"2\",\"time\":\"2026-01-02T10:00:00Z\","
	"\"identifiers\":[{\"ns\":\"device\",\"value\":\"d1\"}],\"attributes_once\":{\"first\":"
	"\"p\"}}",
	"{\"source\":\"web\",\"type\":\"login\",\"id\":\"3\",\"time\":\"2026-01-03T10:00:00Z\","
	"\"identifiers\":[{\"ns\":\"device\",\"value\":\"d1\"},{\"ns\":\"card\",\"value\":\"A\"}],"
	"\"consent\":[{\"purpose\":\"marketing\",\"channel\":\"email\",\"status\":\"granted\"}]}",
	"{\"source\":\"till\",\"type\":\"order\",\"id\":\"4\",\"time\":\"2026-01-04T10:00:00Z\","
	"\"identifiers\":[{\"ns\":\"card\",\"value\":\"B\"},{\"ns\":\"email\",\"value\":"
	"\"a@example.org\"}],\"unset\":[\"city\"]}",
	"{\"source\":\"till\",\"type\":\"merge\",\"id\":\"5\",\"time\":\"2026-01-05T10:00:00Z\","
	"\"identifiers\":[],\"same\":[[{\"ns\":\"card\",\"value\":\"B\"},{\"ns\":\"card\","
	"\"value\":"
	"\"C\"}]]}",
	"{\"source\":\"web\",\"type\":\"page\",\"id\":\"7\",\"time\":\"2026-01-07T10:00:00Z\","
	"\"identifiers\":[{\"ns\":\"card\",\"value\":\"Z\"},{\"ns\":\"device\",\"value\":\"d9\"}]}",
	"{\"source\":\"till\",\"type\":\"refund\",\"id\":\"6\",\"time\":\"2026-01-06T10:00:00Z\","
	"\"identifiers\":[],\"amount\":{\"value\":\"-2\",\"currency\":\"EUR\",\"key\":\"o-1\","
	"\"part\":"
	"\"r\"}}",
};

/* Events 1 to 6 again, or new ones with another id in the place of the digit. */
static int apply(struct bb_kv *kv, char generation)
{
	struct bb_pipeline *pl = bb_pipeline_new(&rules);
	struct bb_arena arena;
	int err;

	bb_arena_init(&arena);
	bb_pipeline_begin(pl, kv);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct bb_message msg = {.topic = BB_TEXT("t"),
					 .offset = (int64_t)i,
					 .timestamp_ms = 1767225600000,
					 .from_log = true};
		struct bb_extraction extraction = {0};
		struct bb_refusal refusal = {0};
		char *id;

		msg.value = bb_arena_copy(&arena, bb_text_of(lines[i]));
		id = strstr((char *)msg.value.p, "\"id\":\"");
		if (generation)
			id[6] = (char)(generation + (char)i);
		bb_connector_run(direct, &msg, &arena, &extraction);
		bb_assert(extraction.items[0].kind == BB_EXTRACTED_EVENT);
		if (bb_gate(&rules, extraction.items[0].event, &arena, &refusal) == BB_GATE_PASS)
			bb_pipeline_apply(pl, extraction.items[0].event, &refusal);
	}
	err = bb_pipeline_finish(pl);
	if (err != BB_OK)
		bb_pipeline_abort(pl);
	bb_pipeline_free(pl);
	bb_arena_fini(&arena);
	return err;
}

static struct bb_identifier identifier(const char *ns, const char *value)
{
	return (struct bb_identifier){
		.ns = bb_text_of(ns), .value = bb_text_of(value), .ns_index = BB_NS_UNKNOWN};
}

/* Rulings of each kind, under ids that begin with the letter. */
static int rule(struct bb_kv *kv, char generation)
{
	struct bb_ruling rulings[] = {
		{.kind = BB_RULING_JOIN, .on = {identifier("card", "A"), identifier("card", "C")}},
		{.kind = BB_RULING_SPLIT,
		 .on = {identifier("card", "A"), identifier("device", "d1")}},
		{.kind = BB_RULING_BLOCK, .on = {identifier("email", "a@example.org")}},
		{.kind = BB_RULING_ALLOW, .on = {identifier("device", "d1")}},
		{.kind = BB_RULING_JOIN,
		 .on = {identifier("card", "B"), identifier("card", "none")}},
		{.kind = BB_RULING_RELEASE, .releases = BB_TEXT("a1")},
	};
	struct bb_pipeline *pl = bb_pipeline_new(&rules);
	struct bb_arena arena;
	int err;

	bb_arena_init(&arena);
	bb_pipeline_begin(pl, kv);
	for (size_t i = 0; i < sizeof(rulings) / sizeof(*rulings); i++) {
		struct bb_refusal refusal;

		rulings[i].id = bb_arena_printf(&arena, "%c%zu", generation, i);
		rulings[i].time_ms = 1767225600000 + (int64_t)i;
		bb_assert(bb_ruling_check(&rules, &rulings[i], &arena, &refusal));
		bb_pipeline_rule(pl, &rulings[i], &refusal);
	}
	err = bb_pipeline_finish(pl);
	if (err != BB_OK)
		bb_pipeline_abort(pl);
	bb_pipeline_free(pl);
	bb_arena_fini(&arena);
	return err;
}

static int erase(struct bb_kv *kv, const char *key)
{
	struct bb_erasure_mark mark = {.topic = BB_TEXT("t"), .next_offset = 4};
	struct bb_erasure order = {.key = bb_text_of(key),
				   .mode = BB_ERASURE_SUPPRESS,
				   .id = bb_text_of(key),
				   .time_ms = 1767225700000,
				   .watermark = &mark,
				   .watermark_n = 1};
	struct bb_pipeline *pl = bb_pipeline_new(&rules);
	struct bb_erasure_receipt receipt;
	struct bb_arena arena;
	int err;

	bb_arena_init(&arena);
	bb_pipeline_begin(pl, kv);
	err = bb_pipeline_erase(pl, &order, &arena, &receipt);
	if (err == BB_OK)
		err = bb_pipeline_finish(pl);
	if (err != BB_OK)
		bb_pipeline_abort(pl);
	bb_pipeline_free(pl);
	bb_arena_fini(&arena);
	return err;
}

static int other_begin(void *ctx, struct bb_kv **ret_kv)
{
	*ret_kv = bb_kvmem_begin(ctx);
	return BB_OK;
}

/* Other rules: the first namespace is gone, the rest tighter. */
static void adopt(struct bb_kv *kv)
{
	struct bb_kvmem *other = bb_kvmem_new();
	struct bb_adopt_target target = {.write_begin = other_begin,
					 .write_commit = bb_kvmem_commit,
					 .write_abort = bb_kvmem_abort,
					 .ctx = other};
	struct bb_rules later = rules;

	later.namespaces = rules.namespaces + 1;
	later.namespace_n = rules.namespace_n - 1;
	later.max_identifiers = 1;
	bb_assert(bb_adopt(kv, &later, &target) <= BB_OK);
	bb_kvmem_free(other);
}

static void explain(struct bb_kv *kv)
{
	struct bb_explainer *explainer = bb_explainer_new(&rules);
	struct bb_buf json = BB_BUF_EMPTY;
	struct bb_ruling_cursor rulings = {.n = 0};
	struct bb_erasure_cursor erasures = {.n = 0};
	struct bb_erasure_receipt receipt;
	struct bb_ruling_row row;
	struct bb_change change = {.number = 0};
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_assert(bb_explain_why(explainer, kv, BB_TEXT("card:A"), &json) <= BB_OK);
	bb_assert(bb_explain_pair(explainer, kv, BB_TEXT("card:A"), BB_TEXT("card:B"), &json) <=
		  BB_OK);
	for (int step = 0; bb_ruling_next(kv, &rules.profile_key, &rulings, &arena, &row) == BB_OK;
	     step++)
		bb_assert(step < STEPS_MAX);
	for (int step = 0; bb_erasure_next(kv, &erasures, &arena, &receipt) == BB_OK; step++)
		bb_assert(step < STEPS_MAX);
	for (int step = 0;
	     step < STEPS_MAX && bb_change_next(kv, change.number, &arena, &change) == BB_OK;
	     step++)
		;
	bb_arena_fini(&arena);
	bb_buf_fini(&json);
	bb_explainer_free(explainer);
}

static void list_rows(struct bb_kv *kv)
{
	for (unsigned table = 0; table < BB_TABLE_COUNT; table++) {
		struct bb_text key = BB_TEXT("\0"), value;
		int err = bb_kv_seek(kv, table, key, false, &key, &value);

		while (err == BB_OK && row_n < ROWS_MAX) {
			struct row *row = &rows[row_n++];

			row->table = table;
			row->n = key.n;
			memcpy(row->key, key.p, key.n);
			err = bb_kv_seek(kv, table, (struct bb_text){row->key, row->n}, true, &key,
					 &value);
		}
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct bb_kv *kv;

	(void)argc, (void)argv;
	bb_rules_defaults(&rules);
	rules.namespaces = namespaces;
	rules.namespace_n = 3;
	bb_rules_namespace_defaults(&namespaces[0], "card", true, true);
	bb_rules_namespace_defaults(&namespaces[1], "email", false, true);
	bb_rules_namespace_defaults(&namespaces[2], "device", false, false);
	direct = bb_connector_direct(NULL, 0);
	store = bb_kvmem_new();
	kv = bb_kvmem_begin(store);
	bb_assert(apply(kv, '\0') == BB_OK && rule(kv, 'a') == BB_OK &&
		  erase(kv, "card:Z") == BB_OK && bb_kvmem_commit(kv) == BB_OK);
	kv = bb_kvmem_begin(store);
	list_rows(kv);
	bb_kvmem_abort(kv);
	bb_assert(row_n > 0);
	return 0;
}

static void look_up(struct bb_kv *kv)
{
	static const char *const keys[] = {"card:A", "card:C", "email:a@example.org", "device:d1"};
	struct bb_viewer *viewer = bb_viewer_new(&rules);
	struct bb_buf json = BB_BUF_EMPTY;
	const struct bb_view *view;
	uint64_t cursor = 0, cluster;
	struct bb_found found;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (bb_viewer_find(viewer, kv, bb_text_of(keys[i]), &found) == BB_OK &&
		    bb_viewer_fold(viewer, kv, found.cluster, &view) == BB_OK)
			bb_view_json(view, BB_VIEW_ALL, true, &json);
	}
	for (int step = 0; bb_viewer_next(viewer, kv, &cursor, &cluster) == BB_OK; step++) {
		bb_assert(step < STEPS_MAX);
		if (bb_viewer_fold(viewer, kv, cluster, &view) == BB_OK)
			bb_view_json(view, BB_VIEW_ALL, true, &json);
	}
	bb_buf_fini(&json);
	bb_viewer_free(viewer);
}

/* The rows that ingest writes itself. */
static void read_directly(struct bb_text value)
{
	struct bb_progress progress;
	struct bb_deadletter letter;
	struct bb_arena arena;

	if (bb_progress_decode(value, &progress) == BB_OK)
		bb_assert(progress.topic.n <= value.n);
	bb_arena_init(&arena);
	if (bb_deadletter_decode(value, &arena, &letter) == BB_OK)
		bb_assert(letter.message.value.n <= value.n);
	bb_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bb_text value;
	const struct row *row;
	struct bb_kv *kv;

	if (n < 2)
		return 0;
	row = &rows[(data[0] << 8 | data[1]) % row_n];
	value = (struct bb_text){(const char *)data + 2, n - 2};
	read_directly(value);
	kv = bb_kvmem_begin(store);
	if (bb_kv_put(kv, row->table, (struct bb_text){row->key, row->n}, value) == BB_OK) {
		int err;

		look_up(kv);
		explain(kv);
		adopt(kv);
		err = apply(kv, 'a');
		bb_assert(err <= BB_OK);
		bb_assert(rule(kv, 'b') <= BB_OK);
		bb_assert(erase(kv, "card:A") <= BB_OK);
	}
	bb_kvmem_abort(kv);
	return 0;
}
