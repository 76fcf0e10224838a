/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message through a plan: bytes that can be refused without reading them first, then the
 * format's own way. Whatever happens, at least one item comes out.
 */
#include <backbone/assert.h>
#include <backbone/connector.h>

#include "run.h"

void bb_run_refuse(struct bb_extraction *extraction, struct bb_arena *arena,
		   const struct bb_refusal *refusal)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_REFUSED, .refusal = *refusal};
}

void bb_run_emit(struct bb_extraction *extraction, struct bb_arena *arena, struct bb_event *ev)
{
	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_EVENT, .event = ev};
}

static void skip(struct bb_extraction *extraction, struct bb_arena *arena,
		 enum bb_dead_reason reason, const char *detail)
{
	struct bb_refusal why = {.reason = reason, .detail = bb_text_of(detail), .byte_offset = -1};

	BB_ARENA_PUSH(arena, extraction->items, extraction->n, extraction->room) =
		(struct bb_extracted){.kind = BB_EXTRACTED_SKIP, .refusal = why};
}

struct bb_event *bb_run_event(const struct bb_message *msg, struct bb_arena *arena)
{
	struct bb_event *ev = bb_arena_zalloc(arena, sizeof(*ev));

	ev->log_ms = msg->timestamp_ms;
	if (msg->from_log)
		ev->position = (struct bb_position){msg->topic, msg->partition, msg->offset};
	return ev;
}

/* The first byte of what a schema registry's serialisers write; no text begins with it. */
static bool is_framed(struct bb_text value)
{
	return value.n > 5 && value.p[0] == '\0';
}

void bb_connector_run(const struct bb_connector *connector, const struct bb_message *msg,
		      struct bb_arena *arena, struct bb_extraction *ret_extraction)
{
	static const struct bb_refusal framed = {
		.reason = BB_DEAD_UNSUPPORTED_FORMAT,
		.detail = BB_TEXT("begins with byte 0, as Avro, Protobuf and JSON Schema of a "
				  "schema registry do; send plain JSON"),
		.byte_offset = 0,
	};

	bb_assert(connector->format == BB_FORMAT_CANONICAL);
	*ret_extraction = (struct bb_extraction){NULL, 0, 0};
	if (!msg->value.p)
		skip(ret_extraction, arena, BB_DEAD_TOMBSTONE, "no value");
	else if (is_framed(msg->value))
		bb_run_refuse(ret_extraction, arena, &framed);
	else
		bb_canonical_run(msg, arena, ret_extraction);
}
