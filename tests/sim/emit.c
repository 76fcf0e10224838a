/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case as text: rules as one JSON object with every member written out (no limit is null), and
 * each event as one line of canonical JSON, so that a case can be given to any other implementation
 * of the same rules (but for cases with own times: every fifth seed).
 */
#include "case.h"
#include "model_state.h"

#include <backbone/clock.h>
#include <backbone/normalise.h>

#include <inttypes.h>

static const char *const prefers[] = {
#define X(name, text) [BB_PREFER_##name] = text,
	BB_PREFERENCES(X)
#undef X
};

static const char *const folds[] = {
#define X(name, text) [BB_FOLD_##name] = text,
	BB_FOLD_RULES(X)
#undef X
};

static void add_limit(struct bb_buf *buf, const char *name, uint32_t value)
{
	if (value == BB_NO_LIMIT)
		bb_buf_printf(buf, ",\"%s\":null", name);
	else
		bb_buf_printf(buf, ",\"%s\":%u", name, value);
}

static void add_namespace(struct bb_buf *buf, const struct bb_namespace *ns)
{
	bb_buf_printf(buf, "{\"name\":\"%s\",\"owner\":%s,\"durable\":%s,\"junk\":%s", ns->name,
		      ns->owner ? "true" : "false", ns->durable ? "true" : "false",
		      ns->junk ? "true" : "false");
	add_limit(buf, "per_profile", ns->per_profile);
	add_limit(buf, "owners", ns->owners);
	add_limit(buf, "links", ns->links);
	add_limit(buf, "devices", ns->devices);
	add_limit(buf, "records", ns->records);
	bb_buf_printf(buf, ",\"prefer\":\"%s\",\"block\":[", prefers[ns->prefer]);
	for (size_t i = 0; i < ns->block_n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : "");
		bb_buf_json(buf, bb_text_of(bb_pattern_text(ns->block[i])));
	}
	bb_buf_printf(buf, "]}");
}

void bb_emit_rules(const struct bb_rules *rules, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"max_identifiers\":%u,\"recent\":%u,\"profile_key\":\"",
		      rules->max_identifiers, rules->recent);
	for (size_t i = 0; i < sizeof rules->profile_key.b; i++)
		bb_buf_printf(buf, "%02x", rules->profile_key.b[i]);
	bb_buf_printf(buf, "\",\"sources\":[");
	for (size_t i = 0; i < rules->source_n; i++)
		bb_buf_printf(buf, "%s\"%s\"", i ? "," : "", rules->sources[i]);
	bb_buf_printf(buf, "],\"attributes\":{");
	for (size_t i = 0; i < rules->attribute_n; i++)
		bb_buf_printf(buf, "%s\"%s\":\"%s\"", i ? "," : "", rules->attributes[i].name,
			      folds[rules->attributes[i].rule]);
	bb_buf_printf(buf, "},\"namespaces\":[");
	for (size_t i = 0; i < rules->namespace_n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : "");
		add_namespace(buf, &rules->namespaces[i]);
	}
	bb_buf_printf(buf, "]}");
}

static void add_text(struct bb_buf *buf, const char *name, struct bb_text text)
{
	if (!text.p)
		return;
	bb_buf_printf(buf, ",\"%s\":", name);
	bb_buf_json(buf, text);
}

void bb_emit_identifier(struct bb_buf *buf, const struct bb_identifier *id)
{
	bb_buf_printf(buf, "{\"ns\":");
	bb_buf_json(buf, id->ns);
	add_text(buf, "value", id->value);
	bb_buf_byte(buf, '}');
}

static void add_attributes(struct bb_buf *buf, const char *name,
			   const struct bb_attribute *attributes, size_t n)
{
	if (n == 0)
		return;
	bb_buf_printf(buf, ",\"%s\":{", name);
	for (size_t i = 0; i < n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : "");
		bb_buf_json(buf, attributes[i].name);
		bb_buf_byte(buf, ':');
		bb_model_value_json(&attributes[i].value, buf);
	}
	bb_buf_byte(buf, '}');
}

/* For people who read a failing case: no canonical event has this member. */
static void add_own_times(struct bb_buf *buf, const struct bb_attribute *attributes, size_t n)
{
	char iso[BB_ISO_BYTES];

	for (size_t i = 0; i < n; i++) {
		if (attributes[i].at_ms == BB_AT_EVENT)
			continue;
		bb_clock_iso(attributes[i].at_ms, iso);
		bb_buf_printf(buf, ",\"own time of %.*s\":\"%.*s\"", (int)attributes[i].name.n,
			      attributes[i].name.p, BB_ISO_BYTES, iso);
	}
}

static void add_amount(struct bb_buf *buf, const struct bb_amount *amount)
{
	bb_buf_printf(buf, ",\"amount\":{\"value\":");
	bb_buf_json(buf, amount->value);
	add_text(buf, "currency", amount->currency);
	add_text(buf, "key", amount->key);
	add_text(buf, "part", amount->part);
	bb_buf_byte(buf, '}');
}

static void add_lists(struct bb_buf *buf, const struct bb_event *ev)
{
	for (size_t i = 0; i < ev->unset_n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : ",\"unset\":[");
		bb_buf_json(buf, ev->unset[i]);
	}
	bb_buf_printf(buf, "%s", ev->unset_n ? "]" : "");
	for (size_t i = 0; i < ev->consent_n; i++) {
		bb_buf_printf(buf, "%s{\"purpose\":", i ? "," : ",\"consent\":[");
		bb_buf_json(buf, ev->consent[i].purpose);
		add_text(buf, "channel", ev->consent[i].channel);
		add_text(buf, "status", ev->consent[i].status);
		bb_buf_byte(buf, '}');
	}
	bb_buf_printf(buf, "%s", ev->consent_n ? "]" : "");
	for (size_t i = 0; i < ev->same_n; i++) {
		bb_buf_printf(buf, "%s[", i ? "," : ",\"same\":[");
		bb_emit_identifier(buf, &ev->same[i].pair[0]);
		bb_buf_byte(buf, ',');
		bb_emit_identifier(buf, &ev->same[i].pair[1]);
		bb_buf_byte(buf, ']');
	}
	bb_buf_printf(buf, "%s", ev->same_n ? "]" : "");
}

void bb_emit_event(const struct bb_event *ev, struct bb_buf *buf)
{
	char iso[BB_ISO_BYTES];

	bb_buf_printf(buf, "{\"source\":");
	bb_buf_json(buf, ev->source);
	add_text(buf, "channel", ev->channel);
	add_text(buf, "type", ev->type);
	add_text(buf, "id", ev->id);
	bb_clock_iso(ev->has_time ? ev->time_ms : ev->log_ms, iso);
	add_text(buf, "time", (struct bb_text){iso, sizeof iso});
	bb_buf_printf(buf, ",\"identifiers\":[");
	for (size_t i = 0; i < ev->identifier_n; i++) {
		bb_buf_printf(buf, "%s", i ? "," : "");
		bb_emit_identifier(buf, &ev->identifiers[i]);
	}
	bb_buf_byte(buf, ']');
	add_attributes(buf, "attributes", ev->attributes, ev->attribute_n);
	add_own_times(buf, ev->attributes, ev->attribute_n);
	add_attributes(buf, "attributes_once", ev->once, ev->once_n);
	add_own_times(buf, ev->once, ev->once_n);
	if (ev->has_amount)
		add_amount(buf, &ev->amount);
	add_lists(buf, ev);
	if (ev->position.topic.p)
		bb_buf_printf(buf,
			      ",\"position\":{\"topic\":\"%.*s\",\"partition\":%d,"
			      "\"offset\":%" PRId64 "}",
			      (int)ev->position.topic.n, ev->position.topic.p,
			      ev->position.partition, ev->position.offset);
	if (ev->properties.p)
		bb_buf_printf(buf, ",\"properties\":%.*s", (int)ev->properties.n, ev->properties.p);
	bb_buf_printf(buf, ",\"time_source\":\"%s\"}",
		      ev->has_time && !ev->kafka_time ? "event" : "kafka");
}
