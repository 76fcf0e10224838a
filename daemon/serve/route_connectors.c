/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectors by HTTP: what each reads and what became of it, from the configuration in force and
 * the status; and a reload. A reload is asked for here, is answered when the files are read and
 * compiled, and goes on by itself; the list and the status say how it ended.
 *
 * A configuration with mistakes changes nothing: 422, with each of them as a line of `errors`.
 */
#include "task.h"

#include <backbone/clock.h>
#include <backbone/pipeline.h>

static void text_or_null(const char *text, struct bb_buf *buf)
{
	if (text)
		bb_buf_json(buf, bb_text_of(text));
	else
		bb_buf_printf(buf, "null");
}

/* What is read of a topic: partitions with a row, and how far they are behind. */
static void topic_json(const struct bb_status *status, struct bb_text topic, long long partitions,
		       struct bb_buf *buf)
{
	long long lag = 0, rows = 0;
	bool known = true;

	for (size_t i = 0; i < status->partition_n; i++) {
		const struct bb_status_partition *part = &status->partitions[i];

		if (!bb_text_equal(part->topic, topic))
			continue;
		rows++;
		known = known && part->end_offset >= 0;
		if (part->end_offset > part->next_offset && part->next_offset >= 0)
			lag += part->end_offset - part->next_offset;
	}
	bb_buf_printf(buf, "{\"topic\":");
	bb_buf_json(buf, topic);
	bb_buf_printf(buf, ",\"partitions\":%lld,\"lag\":", partitions);
	if (known && rows)
		bb_buf_printf(buf, "%lld}", lag);
	else
		bb_buf_printf(buf, "null}");
}

static void separate(struct bb_buf *buf, size_t from)
{
	if (buf->n > from)
		bb_buf_byte(buf, ',');
}

/* Topics that are read for the connector, then its files. */
static void reads_json(const struct bb_config *config, const struct bb_status *status,
		       const char *name, struct bb_buf *buf)
{
	size_t from;

	bb_buf_printf(buf, ",\"reads\":[");
	from = buf->n;
	for (size_t i = 0; i < status->topic_n; i++) {
		if (!bb_text_equal(status->topics[i].connector, bb_text_of(name)))
			continue;
		separate(buf, from);
		topic_json(status, status->topics[i].name, status->topics[i].partitions, buf);
	}
	for (size_t i = 0; i < config->replay_n; i++) {
		const struct bb_config_replay *replay = &config->replay[i];

		for (size_t k = 0; strcmp(replay->connector, name) == 0 && k < replay->file_n;
		     k++) {
			struct bb_buf topic = BB_BUF_EMPTY;

			separate(buf, from);
			bb_buf_printf(&topic, "file:%s", replay->files[k]);
			topic_json(status, bb_buf_slice(&topic), 1, buf);
			bb_buf_fini(&topic);
		}
	}
	bb_buf_byte(buf, ']');
}

static void counts_json(const struct bb_status *status, const char *name, struct bb_buf *buf)
{
	static const struct bb_status_connector none = {.warnings = 0};
	const struct bb_status_connector *count = &none;
	char iso[BB_ISO_BYTES];

	for (size_t i = 0; i < status->connector_n; i++)
		if (bb_text_equal(status->connectors[i].name, bb_text_of(name)))
			count = &status->connectors[i];
	for (unsigned i = 0; i < BB_VERDICT_COUNT; i++)
		bb_buf_printf(buf, ",\"%s\":%llu", bb_verdict_text(i),
			      (unsigned long long)count->results[i]);
	bb_buf_printf(buf, ",\"warnings\":%llu", (unsigned long long)count->warnings);
	if (count->last_ms) {
		bb_clock_iso(count->last_ms, iso);
		bb_buf_printf(buf, ",\"last\":\"%.*s\"", BB_ISO_BYTES, iso);
	} else {
		bb_buf_printf(buf, ",\"last\":null");
	}
}

/* Since when a topic can be read again. */
static void since_json(struct bb_lookup *lookup, struct bb_buf *buf)
{
	int64_t since_ms = 0;
	char iso[BB_ISO_BYTES];
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	if (!err)
		err = bb_pipeline_names_since(kv, lookup->rules, &since_ms);
	bb_lookup_end(lookup);
	bb_clock_iso(since_ms, iso);
	if (err)
		bb_buf_printf(buf, "\"names_since\":null,");
	else
		bb_buf_printf(buf, "\"names_since\":\"%.*s\",", BB_ISO_BYTES, iso);
}

void bb_route_connectors(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	const struct bb_config *config = req->service->config;
	struct bb_buf *buf = &res->body;
	struct bb_status status;

	(void)rest;
	bb_service_status(req->service, &status);
	bb_buf_printf(buf, "{\"connectors\":[");
	for (size_t i = 0; i < config->connector_n; i++) {
		const struct bb_connector *connector = config->connectors[i];
		const char *name = bb_connector_name(connector);

		bb_buf_printf(buf, "%s{\"connector\":", i > 0 ? "," : "");
		bb_buf_json(buf, bb_text_of(name));
		bb_buf_printf(buf, ",\"channel\":");
		text_or_null(bb_connector_channel(connector), buf);
		bb_buf_printf(buf, ",\"file\":");
		text_or_null(config->sources[i].file, buf);
		bb_buf_printf(buf, ",\"pattern\":");
		text_or_null(bb_connector_topic_pattern(connector), buf);
		reads_json(config, &status, name, buf);
		counts_json(&status, name, buf);
		bb_buf_byte(buf, '}');
	}
	bb_buf_printf(buf, "],");
	since_json(&req->service->lookup, buf);
	bb_status_reload_json(&status.reload, buf);
	bb_buf_printf(buf, "}\n");
}

/* Lines become the texts of a list. */
static void errors_json(struct bb_text lines, struct bb_buf *buf)
{
	bb_buf_printf(buf, ",\"errors\":[");
	for (bool first = true; lines.n; first = false) {
		const char *end = memchr(lines.p, '\n', lines.n);
		size_t n = end ? (size_t)(end - lines.p) : lines.n;

		if (!first)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, bb_text_bytes(lines.p, n));
		lines = bb_text_bytes(lines.p + n + (end != NULL), lines.n - n - (end != NULL));
	}
	bb_buf_printf(buf, "]}\n");
}

struct reload_task {
	struct bb_task task;
	struct bb_reload_wish wish;
	int code;
	struct bb_text said;
};

static void answer_reload(struct bb_task *task, int code, struct bb_response *res)
{
	const struct reload_task *reload = (struct reload_task *)task;

	(void)code;
	if (reload->code == BB_OK) {
		res->status = 202;
		bb_buf_printf(&res->body, "{%.*s}\n", (int)reload->said.n, reload->said.p);
	} else if (reload->code == BB_EBUSY) {
		bb_route_problem(res, 409, "%.*s", (int)reload->said.n, reload->said.p);
	} else {
		bb_route_problem(res, 422, "the configuration is wrong: nothing was changed");
		res->body.n -= strlen("}\n");
		errors_json(reload->said, &res->body);
	}
}

static void on_reloaded(struct bb_reload_wish *wish, int code, struct bb_text said)
{
	struct reload_task *reload =
		(struct reload_task *)((char *)wish - offsetof(struct reload_task, wish));

	reload->code = code;
	reload->said = said; /* it is answered before this returns */
	bb_task_end(&reload->task);
}

void bb_route_reload(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_service *service = req->service;
	struct reload_task *reload;
	struct bb_error err = {0};

	(void)rest;
	if (!service->reload) {
		bb_route_problem(res, 503, "no reload is offered here");
		return;
	}
	reload = bb_task_new(req, sizeof *reload);
	reload->task.answer = answer_reload;
	reload->wish.done = on_reloaded;
	if (service->reload(service->reload_ctx, &reload->wish, &err) == BB_OK) {
		bb_task_wait(req, &reload->task, res);
		return;
	}
	bb_route_problem(res, 409, "%s", err.msg);
	bb_task_free(&reload->task);
}
