/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudEvents (version 1.0 and before), in both forms that Kafka and HTTP have. Structured: one
 * JSON document, with the data in `data` or `data_base64` (before 1.0 in `data`, which
 * `datacontentencoding` says is base64). Binary: the value is the data, and the attributes are
 * headers, ce_id or ce-id; an object is made of them, so that rules see the same envelope in both
 * forms.
 *
 * Refused: what is neither, a batch, and data that its content type says is something else than
 * rules read.
 */
#include <strings.h>

#include "unwrap.h"

#define ATTRIBUTES_MAX 100 /* headers that are taken as such */

static bool begins_with(struct bb_text text, const char *head)
{
	return text.n >= strlen(head) && strncasecmp(text.p, head, strlen(head)) == 0;
}

/* Without parameters and blanks. */
static struct bb_text media_type(struct bb_text text)
{
	const char *end = text.p ? memchr(text.p, ';', text.n) : NULL;

	if (end)
		text.n = (size_t)(end - text.p);
	while (text.n > 0 && text.p[text.n - 1] == ' ')
		text.n--;
	return text;
}

static bool ends_with(struct bb_text text, const char *tail)
{
	size_t n = strlen(tail);

	return text.n >= n && strncasecmp(text.p + text.n - n, tail, n) == 0;
}

/* Whether data of that type is what the connector reads; data without one is. */
static bool is_read(const struct bb_connector *connector, struct bb_text type)
{
	type = media_type(type);
	if (type.n == 0)
		return true;
	if (connector->format == BB_FORMAT_QUERY)
		return ends_with(type, "application/x-www-form-urlencoded");
	return ends_with(type, "/json") || ends_with(type, "+json");
}

static struct bb_text header_of(const struct bb_message *msg, const char *name)
{
	for (size_t i = 0; i < msg->header_n; i++)
		if (msg->headers[i].value.p && msg->headers[i].name.n == strlen(name) &&
		    begins_with(msg->headers[i].name, name) &&
		    bb_text_is_utf8(msg->headers[i].value))
			return msg->headers[i].value;
	return (struct bb_text){NULL, 0};
}

/* The attribute's name of a header; p NULL: it is none. */
static struct bb_text attribute_of(struct bb_run *run, const struct bb_header *header)
{
	char *name;

	if (!begins_with(header->name, "ce_") && !begins_with(header->name, "ce-"))
		return (struct bb_text){NULL, 0};
	name = bb_arena_alloc(run->arena, header->name.n - 3);
	for (size_t i = 3; i < header->name.n; i++)
		name[i - 3] = header->name.p[i] >= 'A' && header->name.p[i] <= 'Z'
				      ? (char)(header->name.p[i] - 'A' + 'a')
				      : header->name.p[i];
	return bb_text_bytes(name, header->name.n - 3);
}

static bool is_in(const struct bb_names *names, struct bb_text name)
{
	for (size_t i = 0; i < names->n; i++)
		if (bb_text_equal(names->items[i], name))
			return true;
	return false;
}

static void write_attribute(struct bb_text name, struct bb_text value, struct bb_buf *buf)
{
	bb_buf_byte(buf, buf->n == 0 ? '{' : ',');
	bb_buf_json(buf, name);
	bb_buf_byte(buf, ':');
	bb_buf_json(buf, value);
}

/* The envelope that the headers are. */
static struct bb_frame envelope_of_headers(struct bb_run *run)
{
	struct bb_text type = header_of(run->msg, "content-type"), name, value;
	struct bb_names seen = {NULL, 0, 0};
	struct bb_buf buf = BB_BUF_EMPTY;
	const struct bb_json *doc;

	if (type.p)
		write_attribute(BB_TEXT("datacontenttype"), type, &buf);
	BB_ARENA_PUSH(run->arena, seen.items, seen.n, seen.room) = BB_TEXT("datacontenttype");
	for (size_t i = 0; i < run->msg->header_n && seen.n <= ATTRIBUTES_MAX; i++) {
		name = attribute_of(run, &run->msg->headers[i]);
		value = run->msg->headers[i].value;
		if (name.n == 0 || !value.p || !bb_text_is_utf8(name) || !bb_text_is_utf8(value) ||
		    memchr(name.p, '\0', name.n) || is_in(&seen, name))
			continue;
		BB_ARENA_PUSH(run->arena, seen.items, seen.n, seen.room) = name;
		write_attribute(name, value, &buf);
	}
	bb_buf_byte(&buf, '}');
	doc = bb_unwrap_made(run, &buf);
	return (struct bb_frame){.doc = doc, .node = doc ? bb_json_root(doc) : NULL};
}

static enum bb_unwrapped refuse_type(struct bb_refusal *ret_refusal)
{
	return bb_unwrap_refuse(ret_refusal, BB_DEAD_UNSUPPORTED_FORMAT, "$.datacontenttype",
				"the data is of a type that the connector does not read");
}

static enum bb_unwrapped open_binary(struct bb_run *run, struct bb_refusal *ret_refusal)
{
	struct bb_frame envelope = envelope_of_headers(run);

	if (!envelope.doc)
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "@header",
					"the headers of the CloudEvent are larger than 256 KiB");
	bb_unwrap_push(run, envelope);
	return is_read(run->connector, header_of(run->msg, "content-type"))
		       ? BB_UNWRAPPED
		       : refuse_type(ret_refusal);
}

/* The names of version 1.0, and those of versions before 0.3. */
static bool has_version(struct bb_frame envelope)
{
	return bb_unwrap_member(envelope, "specversion") ||
	       bb_unwrap_member(envelope, "cloudEventsVersion");
}

static struct bb_text content_type(struct bb_frame envelope)
{
	static const char *const names[] = {"datacontenttype", "contenttype", "contentType"};
	struct bb_text type = {NULL, 0};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !type.p; i++)
		type = bb_unwrap_member_text(envelope, names[i]);
	return type;
}

static bool says_base64(struct bb_frame envelope)
{
	struct bb_text said = bb_unwrap_member_text(envelope, "datacontentencoding");

	return said.n == strlen("base64") && begins_with(said, "base64");
}

static enum bb_unwrapped open_structured(struct bb_run *run, struct bb_payload *payload,
					 struct bb_refusal *ret_refusal)
{
	struct bb_frame envelope;
	const struct bb_json_node *data, *base64;

	if (!bb_unwrap_read(run, payload, BB_FORMAT_JSON, ret_refusal))
		return BB_UNWRAPPED_REFUSED;
	envelope = payload->at;
	if (!has_version(envelope))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_INVALID_ENVELOPE, "$.specversion",
					"no CloudEvent: neither a header ce_specversion nor a "
					"member specversion");
	bb_unwrap_push(run, envelope);
	data = bb_unwrap_member(envelope, "data");
	base64 = bb_unwrap_member(envelope, "data_base64");
	payload->at.node = data;
	if (!data && !base64)
		return BB_UNWRAPPED;
	if (!is_read(run->connector, content_type(envelope)))
		return refuse_type(ret_refusal);
	if (base64)
		return bb_unwrap_base64(run, payload,
					bb_unwrap_member_text(envelope, "data_base64"),
					"$.data_base64", ret_refusal);
	if (bb_json_kind(envelope.doc, data) != BB_JSON_TEXT)
		return BB_UNWRAPPED;
	if (says_base64(envelope))
		return bb_unwrap_base64(run, payload, bb_json_text(envelope.doc, data), "$.data",
					ret_refusal);
	bb_unwrap_text(run, payload, bb_json_text(envelope.doc, data), "$.data");
	return BB_UNWRAPPED;
}

enum bb_unwrapped bb_unwrap_cloudevents(struct bb_run *run, struct bb_payload *payload,
					struct bb_refusal *ret_refusal)
{
	struct bb_text type = media_type(header_of(run->msg, "content-type"));

	if (begins_with(type, "application/cloudevents-batch"))
		return bb_unwrap_refuse(
			ret_refusal, BB_DEAD_UNSUPPORTED_FORMAT, "@header",
			"a batch of CloudEvents: a list, to be read without unwrap, "
			"by each: '$[*]'");
	if (begins_with(type, "application/cloudevents") &&
	    !ends_with(type, "application/cloudevents+json"))
		return bb_unwrap_refuse(ret_refusal, BB_DEAD_UNSUPPORTED_FORMAT, "@header",
					"a CloudEvent that is not JSON");
	if (!begins_with(type, "application/cloudevents") &&
	    (header_of(run->msg, "ce_specversion").p || header_of(run->msg, "ce-specversion").p))
		return open_binary(run, ret_refusal);
	return open_structured(run, payload, ret_refusal);
}
