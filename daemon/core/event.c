/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical event as text: names of verdicts and reasons, and one line of JSON with the members
 * in the order of the documentation, absent ones left out, numbers as they were written.
 *
 * Nothing fails: text is valid UTF-8 by then (the gate), and running out of memory aborts.
 */
#include <backbone/assert.h>
#include <backbone/buf.h>
#include <backbone/clock.h>
#include <backbone/event.h>

static const char *const verdict_texts[BB_VERDICT_COUNT] = {
#define X(name, text) [BB_VERDICT_##name] = (text),
	BB_VERDICTS(X)
#undef X
};

static const char *const dead_reason_texts[BB_DEAD_REASON_COUNT] = {
#define X(name, text) [BB_DEAD_##name] = (text),
	BB_DEAD_REASONS(X)
#undef X
};

const char *bb_verdict_text(enum bb_verdict verdict)
{
	bb_assert((unsigned)verdict < BB_VERDICT_COUNT);
	return verdict_texts[verdict];
}

const char *bb_dead_reason_text(enum bb_dead_reason reason)
{
	bb_assert((unsigned)reason < BB_DEAD_REASON_COUNT);
	return dead_reason_texts[reason];
}

/* The name of a member, after a comma where something stands before it in the same object. */
static void add_name(struct bb_buf *buf, const char *name)
{
	if (buf->p[buf->n - 1] != '{')
		bb_buf_byte(buf, ',');
	bb_buf_byte(buf, '"');
	bb_buf_text(buf, bb_text_of(name));
	bb_buf_add(buf, "\":", 2);
}

static void add_text(struct bb_buf *buf, const char *name, struct bb_text text)
{
	if (!text.p)
		return;
	add_name(buf, name);
	bb_buf_json(buf, text);
}

static void add_comma(struct bb_buf *buf, size_t i)
{
	if (i > 0)
		bb_buf_byte(buf, ',');
}

static void add_time(struct bb_buf *buf, const struct bb_event *ev)
{
	char iso[BB_ISO_BYTES];

	if (!ev->has_time || ev->time_ms < BB_TIME_MIN_MS || ev->time_ms > BB_TIME_MAX_MS)
		return;
	bb_clock_iso(ev->time_ms, iso);
	add_text(buf, "time", bb_text_bytes(iso, sizeof(iso)));
}

static void add_identifier(struct bb_buf *buf, const struct bb_identifier *id)
{
	bb_buf_byte(buf, '{');
	add_text(buf, "ns", id->ns);
	add_text(buf, "value", id->value);
	bb_buf_byte(buf, '}');
}

static void add_identifiers(struct bb_buf *buf, const struct bb_event *ev)
{
	if (ev->identifier_n == 0)
		return;
	add_name(buf, "identifiers");
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < ev->identifier_n; i++) {
		add_comma(buf, i);
		add_identifier(buf, &ev->identifiers[i]);
	}
	bb_buf_byte(buf, ']');
}

static void add_attributes(struct bb_buf *buf, const char *member,
			   const struct bb_attribute *attributes, size_t n)
{
	if (n == 0)
		return;
	add_name(buf, member);
	bb_buf_byte(buf, '{');
	for (size_t i = 0; i < n; i++) {
		add_comma(buf, i);
		bb_buf_json(buf, attributes[i].name);
		bb_buf_byte(buf, ':');
		bb_value_json(&attributes[i].value, buf);
	}
	bb_buf_byte(buf, '}');
}

static bool has_own_time(const struct bb_attribute *attribute)
{
	return attribute->at_ms >= BB_TIME_MIN_MS && attribute->at_ms <= BB_TIME_MAX_MS;
}

/* The times of those that have one of their own. */
static void add_own_times(struct bb_buf *buf, const char *member,
			  const struct bb_attribute *attributes, size_t n)
{
	char iso[BB_ISO_BYTES];
	size_t timed = 0;

	for (size_t i = 0; i < n; i++) {
		if (!has_own_time(&attributes[i]))
			continue;
		if (timed == 0) {
			add_name(buf, member);
			bb_buf_byte(buf, '{');
		}
		add_comma(buf, timed++);
		bb_buf_json(buf, attributes[i].name);
		bb_buf_byte(buf, ':');
		bb_clock_iso(attributes[i].at_ms, iso);
		bb_buf_json(buf, bb_text_bytes(iso, sizeof(iso)));
	}
	if (timed > 0)
		bb_buf_byte(buf, '}');
}

static void add_unset(struct bb_buf *buf, const struct bb_event *ev)
{
	if (ev->unset_n == 0)
		return;
	add_name(buf, "unset");
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < ev->unset_n; i++) {
		add_comma(buf, i);
		bb_buf_json(buf, ev->unset[i]);
	}
	bb_buf_byte(buf, ']');
}

static void add_amount(struct bb_buf *buf, const struct bb_event *ev)
{
	if (!ev->has_amount)
		return;
	add_name(buf, "amount");
	bb_buf_byte(buf, '{');
	add_text(buf, "value", ev->amount.value);
	add_text(buf, "currency", ev->amount.currency);
	add_text(buf, "key", ev->amount.key);
	add_text(buf, "part", ev->amount.part);
	bb_buf_byte(buf, '}');
}

static void add_consent(struct bb_buf *buf, const struct bb_event *ev)
{
	if (ev->consent_n == 0)
		return;
	add_name(buf, "consent");
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < ev->consent_n; i++) {
		add_comma(buf, i);
		bb_buf_byte(buf, '{');
		add_text(buf, "purpose", ev->consent[i].purpose);
		add_text(buf, "channel", ev->consent[i].channel);
		add_text(buf, "status", ev->consent[i].status);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static void add_same(struct bb_buf *buf, const struct bb_event *ev)
{
	if (ev->same_n == 0)
		return;
	add_name(buf, "same");
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < ev->same_n; i++) {
		add_comma(buf, i);
		bb_buf_byte(buf, '[');
		add_identifier(buf, &ev->same[i].pair[0]);
		bb_buf_byte(buf, ',');
		add_identifier(buf, &ev->same[i].pair[1]);
		bb_buf_byte(buf, ']');
	}
	bb_buf_byte(buf, ']');
}

static void add_position(struct bb_buf *buf, const struct bb_position *position)
{
	if (!position->topic.p)
		return;
	add_name(buf, "position");
	bb_buf_byte(buf, '{');
	add_text(buf, "topic", position->topic);
	bb_buf_printf(buf, ",\"partition\":%lld,\"offset\":%lld}", (long long)position->partition,
		      (long long)position->offset);
}

static void add_warnings(struct bb_buf *buf, const struct bb_event *ev)
{
	if (ev->warning_n == 0)
		return;
	add_name(buf, "warnings");
	bb_buf_byte(buf, '[');
	for (size_t i = 0; i < ev->warning_n; i++) {
		add_comma(buf, i);
		bb_buf_byte(buf, '{');
		add_text(buf, "code", ev->warnings[i].code);
		add_text(buf, "at", ev->warnings[i].at);
		add_text(buf, "value", ev->warnings[i].value);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

void bb_event_json(const struct bb_event *ev, struct bb_buf *buf)
{
	bb_buf_byte(buf, '{');
	add_text(buf, "source", ev->source);
	add_text(buf, "channel", ev->channel);
	add_text(buf, "type", ev->type);
	add_text(buf, "id", ev->id);
	add_time(buf, ev);
	add_identifiers(buf, ev);
	add_attributes(buf, "attributes", ev->attributes, ev->attribute_n);
	add_own_times(buf, "attributes_at", ev->attributes, ev->attribute_n);
	add_attributes(buf, "attributes_once", ev->once, ev->once_n);
	add_own_times(buf, "attributes_once_at", ev->once, ev->once_n);
	add_unset(buf, ev);
	add_amount(buf, ev);
	add_consent(buf, ev);
	add_same(buf, ev);
	if (ev->properties.p) {
		add_name(buf, "properties");
		bb_buf_text(buf, ev->properties);
	}
	if (ev->has_time)
		add_text(buf, "time_source", ev->kafka_time ? BB_TEXT("kafka") : BB_TEXT("event"));
	add_position(buf, &ev->position);
	add_warnings(buf, ev);
	bb_buf_byte(buf, '}');
}
