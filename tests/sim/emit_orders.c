/* SPDX-License-Identifier: Apache-2.0 */
/* Rulings and erasures as lines of JSON, beside the events. */
#include "case.h"

#include <backbone/clock.h>

#include <inttypes.h>

static void add_text(struct bb_buf *buf, const char *name, struct bb_text text)
{
	bb_buf_printf(buf, ",\"%s\":", name);
	bb_buf_json(buf, text);
}

static void add_time(struct bb_buf *buf, int64_t ms)
{
	char iso[BB_ISO_BYTES];

	bb_clock_iso(ms, iso);
	add_text(buf, "time", (struct bb_text){iso, sizeof iso});
}

static void add_identifiers(struct bb_buf *buf, const struct bb_identifier *ids, size_t n)
{
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : "");
		bb_emit_identifier(buf, &ids[i]);
	}
	bb_buf_byte(buf, ']');
}

void bb_emit_ruling(const struct bb_ruling *ruling, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"ruling\":\"%s\"", bb_ruling_kind_text(ruling->kind));
	add_text(buf, "id", ruling->id);
	add_time(buf, ruling->time_ms);
	add_text(buf, "actor", ruling->actor);
	add_text(buf, "reason", ruling->reason);
	switch (ruling->kind) {
	case BB_RULING_JOIN:
	case BB_RULING_SPLIT:
		bb_buf_printf(buf, ",\"pair\":");
		add_identifiers(buf, ruling->on, 2);
		break;
	case BB_RULING_RELEASE:
		add_text(buf, "releases", ruling->releases);
		break;
	default:
		bb_buf_printf(buf, ",\"identifier\":");
		bb_emit_identifier(buf, &ruling->on[0]);
	}
	bb_buf_byte(buf, '}');
}

static void add_standing(const struct bb_model_erasure *erasure, struct bb_buf *buf)
{
	const char *comma = "";

	bb_buf_printf(buf, ",\"standing\":[");
	for (size_t i = 0; i < erasure->id_n; i++) {
		if (!erasure->standing[i])
			continue;
		bb_buf_printf(buf, "%s", comma);
		bb_emit_identifier(buf, &erasure->ids[i]);
		comma = ",";
	}
	bb_buf_byte(buf, ']');
}

void bb_emit_erasure(const struct bb_model_erasure *erasure, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"erase\":");
	add_identifiers(buf, erasure->ids, erasure->id_n);
	add_text(buf, "id", erasure->id);
	add_time(buf, erasure->time_ms);
	add_text(buf, "mode", bb_text_of(erasure->suppress ? "suppress" : "forget"));
	add_standing(erasure, buf);
	bb_buf_printf(buf, ",\"records\":[");
	for (size_t i = 0; i < erasure->record_n; i++) {
		bb_buf_printf(buf, "%s{\"source\":", i ? "," : "");
		bb_buf_json(buf, erasure->records[i].source);
		bb_buf_printf(buf, ",\"identifiers\":");
		add_identifiers(buf, erasure->records[i].ids, erasure->records[i].n);
		bb_buf_byte(buf, '}');
	}
	bb_buf_printf(buf, "],\"keys\":[");
	for (size_t i = 0; i < erasure->key_n; i++) {
		bb_buf_printf(buf, "%s{\"source\":", i ? "," : "");
		bb_buf_json(buf, erasure->keys[i].source);
		add_text(buf, "key", erasure->keys[i].key);
		bb_buf_byte(buf, '}');
	}
	bb_buf_printf(buf, "],\"watermark\":{");
	for (size_t i = 0; i < erasure->mark_n; i++)
		bb_buf_printf(buf, "%s\"%.*s/%d\":%" PRId64, i ? "," : "",
			      (int)erasure->marks[i].topic.n, erasure->marks[i].topic.p,
			      erasure->marks[i].partition, erasure->marks[i].next_offset);
	bb_buf_printf(buf, "}}");
}

/* For people who read a failing case: what it erases depends on the run. */
void bb_emit_order(const struct bb_erasure *order, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"erase the profile of\":");
	bb_buf_json(buf, order->key);
	add_text(buf, "id", order->id);
	add_time(buf, order->time_ms);
	add_text(buf, "mode",
		 bb_text_of(order->mode == BB_ERASURE_SUPPRESS ? "suppress" : "forget"));
	bb_buf_byte(buf, '}');
}
