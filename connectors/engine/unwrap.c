/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Envelopes are opened from the outside: each takes what the one before has left, bytes or a value,
 * becomes an element around (^), and leaves what is in it. The frame of a schema registry's JSON is
 * skipped; a relay's envelope has the headers, the key and the body of a request; others have files
 * of their own.
 *
 *	message -> [confluent_json] -> [relay] -> [cloudevents] -> [debezium] -> what rules see
 *
 * What is no such envelope is refused: reason, member, and the byte of the message where it is
 * known.
 */
#include "unwrap.h"

#include <backbone/assert.h>

#include "base64.h"

#define FRAME_BYTES 5 /* byte 0 and the number of a schema */

enum bb_unwrapped bb_unwrap_refuse(struct bb_refusal *ret_refusal, enum bb_dead_reason reason,
				   const char *at, const char *detail)
{
	*ret_refusal = (struct bb_refusal){.reason = reason,
					   .at = bb_text_of(at),
					   .detail = bb_text_of(detail),
					   .byte_offset = -1};
	return BB_UNWRAPPED_REFUSED;
}

enum bb_unwrapped bb_unwrap_nothing(struct bb_refusal *ret_refusal, const char *detail)
{
	*ret_refusal = (struct bb_refusal){
		.reason = BB_DEAD_TOMBSTONE, .detail = bb_text_of(detail), .byte_offset = -1};
	return BB_UNWRAPPED_NOTHING;
}

const struct bb_json_node *bb_unwrap_member(struct bb_frame map, const char *name)
{
	const struct bb_json_node *node = NULL;

	if (map.node && bb_json_kind(map.doc, map.node) == BB_JSON_MAP)
		node = bb_json_member(map.doc, map.node, bb_text_of(name));
	return node && bb_json_kind(map.doc, node) != BB_JSON_NULL ? node : NULL;
}

struct bb_text bb_unwrap_member_text(struct bb_frame map, const char *name)
{
	struct bb_found_value value;

	bb_eval_node(map.doc, bb_unwrap_member(map, name), &value);
	return value.text;
}

void bb_unwrap_push(struct bb_run *run, struct bb_frame envelope)
{
	bb_assert(run->depth + 1 < BB_PLAN_FRAMES_MAX);
	run->frames[run->depth++] = envelope;
}

void bb_unwrap_text(struct bb_run *run, struct bb_payload *payload, struct bb_text text,
		    const char *name)
{
	payload->bytes = bb_arena_copy(run->arena, text);
	payload->name = bb_text_of(name);
	payload->at = (struct bb_frame){.doc = NULL};
}

enum bb_unwrapped bb_unwrap_base64(struct bb_run *run, struct bb_payload *payload,
				   struct bb_text text, const char *name,
				   struct bb_refusal *ret_refusal)
{
	if (!bb_base64_decode(text, run->arena, &text))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, name,
					"should be base64, but is not");
	bb_unwrap_text(run, payload, text, name);
	return BB_UNWRAPPED;
}

const struct bb_json *bb_unwrap_made(struct bb_run *run, struct bb_buf *json)
{
	struct bb_text text = bb_arena_copy(run->arena, bb_buf_slice(json));
	struct bb_refusal refusal;

	bb_buf_fini(json);
	return bb_parse_json(run, text, &refusal);
}

bool bb_unwrap_read(struct bb_run *run, struct bb_payload *payload, enum bb_format format,
		    struct bb_refusal *ret_refusal)
{
	const struct bb_json *doc;

	if (payload->at.doc)
		return true;
	doc = format == BB_FORMAT_QUERY ? bb_parse_query(run, payload->bytes, ret_refusal)
					: bb_parse_json(run, payload->bytes, ret_refusal);
	if (doc) {
		payload->at = (struct bb_frame){.doc = doc, .node = bb_json_root(doc)};
		return true;
	}
	if (payload->name.p)
		*ret_refusal = bb_parse_placed(run->arena, payload->name, *ret_refusal);
	else if (ret_refusal->byte_offset >= 0)
		ret_refusal->byte_offset += (int64_t)payload->skipped;
	return false;
}

static bool begins_json(struct bb_text text)
{
	size_t i = 0;

	while (i < text.n && memchr(" \t\r\n", text.p[i], 4))
		i++;
	return i < text.n && (text.p[i] == '{' || text.p[i] == '[');
}

size_t bb_unwrap_frame_bytes(struct bb_text value)
{
	if (value.n == 0 || value.p[0] != '\0')
		return 0;
	return value.n < FRAME_BYTES ? value.n : FRAME_BYTES;
}

/* A message without the frame is plain JSON: a topic may have both. */
static enum bb_unwrapped unwrap_confluent(struct bb_run *run, struct bb_payload *payload,
					  struct bb_refusal *ret_refusal)
{
	struct bb_text bytes = payload->bytes;
	size_t n = payload->at.doc ? 0 : bb_unwrap_frame_bytes(bytes);

	(void)run;
	if (n == 0)
		return BB_UNWRAPPED;
	payload->bytes = bb_text_bytes(bytes.p + n, bytes.n - n);
	if (!payload->name.p)
		payload->skipped += n;
	if (begins_json(payload->bytes))
		return BB_UNWRAPPED;
	*ret_refusal = (struct bb_refusal){
		.reason = BB_DEAD_UNSUPPORTED_FORMAT,
		.at = payload->name,
		.detail = BB_TEXT("no JSON follows the number of the schema: Avro or Protobuf of a "
				  "schema registry; have it sent as JSON Schema, or as plain JSON"),
		.byte_offset = payload->name.p ? -1 : (int64_t)payload->skipped};
	return BB_UNWRAPPED_REFUSED;
}

/* The headers of a request before those of the record: the first of a name is found. */
static void relay_headers(struct bb_run *run, struct bb_frame envelope, const char *headers_name,
			  const char *key_name)
{
	struct bb_frame map = {.doc = envelope.doc,
			       .node = bb_unwrap_member(envelope, headers_name)};
	struct bb_message *msg = bb_arena_alloc(run->arena, sizeof(*msg));
	size_t n = map.node ? bb_json_size(map.doc, map.node) : 0, made = 0;
	struct bb_found_value value;
	struct bb_header *headers;
	const struct bb_json_node *node;
	struct bb_text name, key = bb_unwrap_member_text(envelope, key_name);
	void *iter = NULL;

	*msg = *run->msg;
	headers = bb_arena_alloc(run->arena, (n + msg->header_n + 1) * sizeof(*headers));
	while (map.node && bb_json_kind(map.doc, map.node) == BB_JSON_MAP &&
	       bb_json_next(map.doc, map.node, &iter, &name, &node)) {
		bb_eval_node(map.doc, node, &value);
		if (value.kind == BB_FOUND_LIST)
			bb_eval_node(map.doc, bb_json_item(map.doc, node, 0), &value);
		headers[made++] = (struct bb_header){bb_arena_copy(run->arena, name), value.text};
	}
	if (msg->header_n > 0)
		memcpy(headers + made, msg->headers, msg->header_n * sizeof(*headers));
	msg->headers = headers;
	msg->header_n += made;
	if (key.p)
		msg->key = bb_arena_copy(run->arena, key);
	run->msg = msg;
}

static bool says_base64(struct bb_frame envelope)
{
	static const char *const rows[][2] = {
		{"isBase64Encoded", "true"}, {"is_base64_encoded", "true"},
		{"base64", "true"},	     {"encoding", "base64"},
		{"bodyEncoding", "base64"},  {"body_encoding", "base64"},
	};
	struct bb_text said;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		said = bb_unwrap_member_text(envelope, rows[i][0]);
		if (said.p && bb_text_equal(said, bb_text_of(rows[i][1])))
			return true;
	}
	return false;
}

/* {"message": {"data": base64, "attributes": ..., "messageId": ...}}: a push of Pub/Sub. */
static enum bb_unwrapped unwrap_push(struct bb_run *run, struct bb_payload *payload,
				     struct bb_frame message, struct bb_refusal *ret_refusal)
{
	const struct bb_json_node *data = bb_unwrap_member(message, "data");

	bb_unwrap_push(run, payload->at);
	relay_headers(run, message, "attributes", "orderingKey");
	if (!data)
		return bb_unwrap_nothing(ret_refusal, "the push has no data");
	if (bb_json_kind(message.doc, data) != BB_JSON_TEXT)
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$.message.data",
					"should be base64, but is not");
	return bb_unwrap_base64(run, payload, bb_json_text(message.doc, data), "$.message.data",
				ret_refusal);
}

static enum bb_unwrapped unwrap_relay(struct bb_run *run, struct bb_payload *payload,
				      struct bb_refusal *ret_refusal)
{
	struct bb_frame envelope, message;
	const struct bb_json_node *body;

	if (!bb_unwrap_read(run, payload, BB_FORMAT_JSON, ret_refusal))
		return BB_UNWRAPPED_REFUSED;
	envelope = payload->at;
	body = bb_unwrap_member(envelope, "body");
	if (!envelope.node)
		return bb_unwrap_nothing(ret_refusal, "the envelope around the relay's is empty");
	message = (struct bb_frame){.doc = envelope.doc,
				    .node = bb_unwrap_member(envelope, "message")};
	if (!body && bb_unwrap_member(message, "messageId"))
		return unwrap_push(run, payload, message, ret_refusal);
	if (!body && (bb_json_kind(envelope.doc, envelope.node) != BB_JSON_MAP ||
		      !bb_json_member(envelope.doc, envelope.node, BB_TEXT("body"))))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$.body",
					"no relay's envelope: it has no body");
	bb_unwrap_push(run, envelope);
	relay_headers(run, envelope, "headers", "key");
	if (!body)
		return bb_unwrap_nothing(ret_refusal, "the relay's body is null");
	payload->at.node = body;
	if (bb_json_kind(envelope.doc, body) != BB_JSON_TEXT)
		return BB_UNWRAPPED;
	if (says_base64(envelope))
		return bb_unwrap_base64(run, payload, bb_json_text(envelope.doc, body), "$.body",
					ret_refusal);
	bb_unwrap_text(run, payload, bb_json_text(envelope.doc, body), "$.body");
	return BB_UNWRAPPED;
}

enum bb_unwrapped bb_unwrap(struct bb_run *run, struct bb_payload *payload,
			    struct bb_refusal *ret_refusal)
{
	static bb_unwrap_fn *const fns[] = {
		[BB_UNWRAP_CLOUDEVENTS] = bb_unwrap_cloudevents,
		[BB_UNWRAP_DEBEZIUM] = bb_unwrap_debezium,
		[BB_UNWRAP_CONFLUENT_JSON] = unwrap_confluent,
		[BB_UNWRAP_RELAY] = unwrap_relay,
	};
	const struct bb_unwraps *list = &run->connector->unwrap;
	enum bb_unwrapped code = BB_UNWRAPPED;

	for (size_t i = 0; i < list->n && code == BB_UNWRAPPED; i++)
		code = fns[list->items[i]](run, payload, ret_refusal);
	return code;
}
