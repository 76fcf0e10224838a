/* SPDX-License-Identifier: Apache-2.0 */
/* Time passes only in the loop; a deadline timer ends a test that hangs. */
#include "script.h"

#include <backbone/assert.h>
#include <backbone/progress.h>

/* --- the source ------------------------------------------------------------------------------- */

static struct script *script_of(struct bb_source *source)
{
	return (struct script *)source;
}

static int on_fd(struct bb_source *source)
{
	(void)source;
	return -1;
}

static struct bb_delivery deliver(const struct line *line)
{
	return (struct bb_delivery){
		.message = {.topic = bb_text_of(line->topic),
			    .partition = line->partition,
			    .offset = line->offset,
			    .timestamp_ms = 1700000000000,
			    .key = BB_TEXT("key"),
			    .value = bb_text_of(line->value),
			    .from_log = true},
		.connector = line->kind == LINE_MARK ? NULL : line->connector,
	};
}

/* At its end it stays what it is, and is said again. */
static bool is_lasting(const struct script *script)
{
	return script->next + 1 == script->n && script->lines[script->next].kind == LINE_ERROR &&
	       script->lines[script->next].code == BB_EIO;
}

static int on_take(struct bb_source *source, struct bb_delivery *out, size_t room, size_t *ret_n,
		   struct bb_error *err)
{
	struct script *script = script_of(source);

	*ret_n = 0;
	while (*ret_n < room && script->next < script->n && script->next < script->pause_at) {
		const struct line *line = &script->lines[script->next];

		if (line->kind == LINE_ERROR) {
			if (*ret_n)
				break;
			script->next += !is_lasting(script);
			return bb_error_set(err, line->code, "%s", line->value);
		}
		out[(*ret_n)++] = deliver(line);
		script->next++;
		script->outstanding++;
	}
	return BB_OK;
}

static void on_release(struct bb_source *source, struct bb_delivery *deliveries, size_t n)
{
	(void)deliveries;
	bb_assert(script_of(source)->outstanding >= n);
	script_of(source)->outstanding -= n;
}

static bool on_drained(struct bb_source *source)
{
	const struct script *script = script_of(source);

	return !script->endless && (script->next == script->n || is_lasting(script));
}

static bool on_ready(struct bb_source *source, struct bb_error *err)
{
	if (script_of(source)->not_ready)
		bb_error_set(err, BB_EKAFKA, "nobody answers");
	return !script_of(source)->not_ready;
}

static int64_t on_log_end(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	(void)source;
	(void)topic;
	return partition == 0 ? 100 : -1;
}

static void on_committed(struct bb_source *source, struct bb_text topic, int32_t partition,
			 int64_t next_offset)
{
	(void)topic;
	(void)partition;
	(void)next_offset;
	script_of(source)->committed++;
}

static struct bb_text on_token(struct bb_source *source, const struct bb_delivery *last,
			       struct bb_arena *arena)
{
	(void)source;
	return bb_arena_printf(arena, "token of %lld", (long long)last->message.offset);
}

static void on_free(struct bb_source *source)
{
	(void)source;
}

static bool on_reads(struct bb_source *source, struct bb_text topic, int32_t partition)
{
	(void)source, (void)partition;
	return bb_text_equal(topic, BB_TEXT("t"));
}

static const struct bb_source_ops ops = {
	.fd = on_fd,
	.take = on_take,
	.release = on_release,
	.drained = on_drained,
	.reads = on_reads,
	.ready = on_ready,
	.end = on_log_end,
	.committed = on_committed,
	.token = on_token,
	.free = on_free,
};

/* --- the store -------------------------------------------------------------------------------- */

static int on_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bench *bench = ctx;

	*ret_kv = bb_kvmem_begin(bench->mem);
	return BB_OK;
}

static void on_read_end(void *ctx, struct bb_kv *kv)
{
	(void)ctx;
	bb_kvmem_abort(kv);
}

/* --- what ingest says ------------------------------------------------------------------------- */

static void on_ended(void *ctx, bool store_failed, const struct bb_error *err)
{
	struct bench *bench = ctx;

	bench->ended++;
	bench->store_failed = store_failed;
	bench->end = *err;
}

static void on_stopped(void *ctx)
{
	((struct bench *)ctx)->stopped++;
}

static void on_idle(void *ctx)
{
	((struct bench *)ctx)->idle++;
}

/* --- the bench -------------------------------------------------------------------------------- */

void bench_begin(struct bench *bench)
{
	*bench = (struct bench){0};
	bb_arena_init(&bench->arena);
	bench->mem = bb_kvmem_new();
	bench->metrics = bb_metrics_new();
	bb_rules_defaults(&bench->rules);
	bb_rules_namespace_defaults(&bench->namespaces[0], "user", true, true);
	bb_rules_namespace_defaults(&bench->namespaces[1], "email", false, true);
	bb_rules_namespace_defaults(&bench->namespaces[2], "device", false, false);
	bench->rules.namespaces = bench->namespaces;
	bench->rules.namespace_n = 3;
	bench->direct = bb_connector_direct(NULL, 0);
	bench->script.source.ops = &ops;
	bench->script.pause_at = SIZE_MAX;
	bb_assert(uv_loop_init(&bench->loop) == 0);
	bench->options = (struct bb_ingest_options){
		.loop = &bench->loop,
		.store = {on_begin, on_read_end, on_begin, bb_kvmem_commit, bb_kvmem_abort, bench},
		.rules = &bench->rules,
		.metrics = bench->metrics,
		.batch_events = 1000,
		.batch_bytes = 1 << 20,
		.once = true,
		.on_end = on_ended,
		.on_stopped = on_stopped,
		.on_idle = on_idle,
		.ctx = bench,
	};
}

void bench_end(struct bench *bench)
{
	bench_close(bench);
	bb_assert(uv_loop_close(&bench->loop) == 0);
	bb_connector_free(bench->direct);
	bb_metrics_free(bench->metrics);
	bb_kvmem_free(bench->mem);
	bb_arena_fini(&bench->arena);
}

int bench_open(struct bench *bench)
{
	struct bb_error err = {0};
	int code = bb_ingest_new(&bench->options, &bench->ingest, &err);

	if (code)
		return code;
	bench->ended = bench->stopped = bench->idle = 0;
	bench->script.next = 0;
	bb_ingest_add(bench->ingest, &bench->script.source);
	return BB_OK;
}

static bool has_stopped(struct bench *bench)
{
	return bench->stopped > 0;
}

void bench_close(struct bench *bench)
{
	if (!bench->ingest)
		return;
	bb_ingest_stop(bench->ingest);
	bb_assert(bench_run(bench, has_stopped));
	bb_assert(bench->script.outstanding == 0);
	bb_ingest_free(bench->ingest);
	bench->ingest = NULL;
}

static struct line *add(struct bench *bench)
{
	struct line *line = &bench->script.lines[bench->script.n++];

	bb_assert(bench->script.n < SCRIPT_MAX);
	line->topic = "t";
	line->connector = bench->direct;
	return line;
}

void bench_record(struct bench *bench, int32_t partition, int64_t offset, const char *value)
{
	struct line *line = add(bench);

	line->partition = partition;
	line->offset = offset;
	line->value = value;
}

void bench_mark(struct bench *bench, int32_t partition, int64_t offset)
{
	struct line *line = add(bench);

	line->kind = LINE_MARK;
	line->partition = partition;
	line->offset = offset;
}

void bench_error(struct bench *bench, int code, const char *text)
{
	struct line *line = add(bench);

	line->kind = LINE_ERROR;
	line->code = code;
	line->value = text;
}

const char *bench_event(struct bench *bench, const char *id, const char *user)
{
	return bb_arena_printf(&bench->arena,
			       "{\"source\":\"till\",\"type\":\"sold\",\"id\":\"%s\","
			       "\"time\":\"2026-01-02T03:04:05Z\","
			       "\"identifiers\":[{\"ns\":\"user\",\"value\":\"%s\"}]}",
			       id, user)
		.p;
}

static void on_deadline(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

bool bench_run(struct bench *bench, bool (*until)(struct bench *bench))
{
	bool late = false, met;

	uv_timer_init(&bench->loop, &bench->deadline);
	bench->deadline.data = &late;
	uv_timer_start(&bench->deadline, on_deadline, SCRIPT_PATIENCE_MS, 0);
	while (!(met = until(bench)) && !late)
		uv_run(&bench->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&bench->deadline, on_closed);
	while (bench->deadline.data)
		uv_run(&bench->loop, UV_RUN_NOWAIT);
	return met;
}

static bool has_ended(struct bench *bench)
{
	return bench->ended > 0;
}

void bench_once(struct bench *bench)
{
	bb_assert(bench_open(bench) == BB_OK);
	bb_ingest_start(bench->ingest);
	bb_assert(bench_run(bench, has_ended));
	bench_close(bench);
}

const struct bb_progress *bench_row(struct bench *bench, int32_t partition)
{
	struct bb_progress *row = bb_arena_zalloc(&bench->arena, sizeof *row);
	struct bb_kv *kv = bb_kvmem_begin(bench->mem);
	int code = bb_progress_get(kv, BB_TEXT("t"), partition, row);

	if (!code) {
		row->topic = bb_arena_copy(&bench->arena, row->topic);
		row->token = bb_arena_copy(&bench->arena, row->token);
	}
	bb_kvmem_abort(kv);
	bb_assert(code == BB_OK || code == BB_ENOTFOUND);
	return code ? NULL : row;
}
