/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON of a view (view.md §6): compact, members in a fixed order, to the byte. One function a
 * member. */
#include <backbone/clock.h>
#include <backbone/view.h>

#define LITERAL(buf, text) bb_buf_add(buf, text, sizeof(text) - 1)

static void put_number(struct bb_buf *buf, uint64_t u)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + u % 10);
	while (u /= 10);
	bb_buf_add(buf, digits + n, sizeof(digits) - n);
}

static void put_time(struct bb_buf *buf, int64_t ms)
{
	char *p = bb_buf_reserve(buf, BB_ISO_BYTES + 2);

	p[0] = '"';
	bb_clock_iso(ms, p + 1);
	p[BB_ISO_BYTES + 1] = '"';
	buf->n += BB_ISO_BYTES + 2;
}

static void put_identifiers(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"identifiers\":[");
	for (size_t i = 0; i < view->identifier_n; i++) {
		const struct bb_view_identifier *id = &view->identifiers[i];

		if (i)
			bb_buf_byte(buf, ',');
		LITERAL(buf, "{\"ns\":");
		bb_buf_json(buf, id->ns);
		LITERAL(buf, ",\"value\":");
		bb_buf_json(buf, id->value);
		LITERAL(buf, ",\"events\":");
		put_number(buf, id->events);
		if (id->shared)
			LITERAL(buf, ",\"shared\":true");
		else
			LITERAL(buf, ",\"shared\":false");
		if (id->events) {
			LITERAL(buf, ",\"first_seen\":");
			put_time(buf, id->first_ms);
			LITERAL(buf, ",\"last_seen\":");
			put_time(buf, id->last_ms);
		}
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static void put_attributes(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"attributes\":{");
	for (size_t i = 0; i < view->attribute_n; i++) {
		if (i)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, view->attributes[i].name);
		bb_buf_byte(buf, ':');
		bb_value_json(&view->attributes[i].value, buf);
	}
	bb_buf_byte(buf, '}');
}

static void put_activities(struct bb_buf *buf, const struct bb_view_activity *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, items[i].name);
		LITERAL(buf, ":{\"events\":");
		put_number(buf, items[i].events);
		LITERAL(buf, ",\"first\":");
		put_time(buf, items[i].first_ms);
		LITERAL(buf, ",\"last\":");
		put_time(buf, items[i].last_ms);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, '}');
}

static void put_channels(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"channels\":{");
	put_activities(buf, view->channels, view->channel_n);
}

static void put_activity(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"activity\":{");
	put_activities(buf, view->types, view->type_n);
}

static void put_revenue(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"revenue\":{");
	for (size_t i = 0; i < view->revenue_n; i++) {
		if (i)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, bb_text_of(view->revenue[i].currency));
		LITERAL(buf, ":{\"amount\":");
		bb_buf_json(buf, view->revenue[i].amount);
		LITERAL(buf, ",\"count\":");
		put_number(buf, view->revenue[i].count);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, '}');
}

static void put_consent(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"consent\":{");
	for (size_t i = 0; i < view->consent_n; i++) {
		if (i)
			bb_buf_byte(buf, ',');
		bb_buf_json(buf, view->consent[i].slot);
		LITERAL(buf, ":{\"status\":");
		if (view->consent[i].granted)
			LITERAL(buf, "\"granted\"");
		else
			LITERAL(buf, "\"denied\"");
		LITERAL(buf, ",\"time\":");
		put_time(buf, view->consent[i].time_ms);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, '}');
}

static void put_recent(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"recent\":[");
	for (size_t i = 0; i < view->recent_n; i++) {
		if (i)
			bb_buf_byte(buf, ',');
		LITERAL(buf, "{\"time\":");
		put_time(buf, view->recent[i].time_ms);
		LITERAL(buf, ",\"type\":");
		bb_buf_json(buf, view->recent[i].type);
		LITERAL(buf, ",\"source\":");
		bb_buf_json(buf, view->recent[i].source);
		LITERAL(buf, ",\"id\":");
		bb_buf_json(buf, view->recent[i].id);
		bb_buf_byte(buf, '}');
	}
	bb_buf_byte(buf, ']');
}

static void put_events(struct bb_buf *buf, const struct bb_view *view)
{
	LITERAL(buf, ",\"events\":");
	put_number(buf, view->events);
}

static void put_first_seen(struct bb_buf *buf, const struct bb_view *view)
{
	if (!view->events)
		return;
	LITERAL(buf, ",\"first_seen\":");
	put_time(buf, view->first_ms);
}

static void put_last_seen(struct bb_buf *buf, const struct bb_view *view)
{
	if (!view->events)
		return;
	LITERAL(buf, ",\"last_seen\":");
	put_time(buf, view->last_ms);
}

static void (*const members[BB_VIEW_PART_COUNT])(struct bb_buf *, const struct bb_view *) = {
	[BB_VIEW_IDENTIFIERS] = put_identifiers, [BB_VIEW_ATTRIBUTES] = put_attributes,
	[BB_VIEW_CHANNELS] = put_channels,	 [BB_VIEW_ACTIVITY] = put_activity,
	[BB_VIEW_REVENUE] = put_revenue,	 [BB_VIEW_CONSENT] = put_consent,
	[BB_VIEW_RECENT] = put_recent,		 [BB_VIEW_EVENTS] = put_events,
	[BB_VIEW_FIRST_SEEN] = put_first_seen,	 [BB_VIEW_LAST_SEEN] = put_last_seen,
};

static void put_origin(struct bb_buf *buf, const struct bb_view_origin *origin)
{
	LITERAL(buf, "{\"source\":");
	bb_buf_json(buf, origin->source);
	LITERAL(buf, ",\"id\":");
	bb_buf_json(buf, origin->id);
	LITERAL(buf, ",\"time\":");
	put_time(buf, origin->time_ms);
	if (origin->position.topic.p) {
		LITERAL(buf, ",\"position\":{\"topic\":");
		bb_buf_json(buf, origin->position.topic);
		bb_buf_printf(buf, ",\"partition\":%d,\"offset\":%lld}",
			      (int)origin->position.partition, (long long)origin->position.offset);
	}
	bb_buf_byte(buf, '}');
}

static void put_provenance(struct bb_buf *buf, const struct bb_view *view)
{
	bool first = true;

	LITERAL(buf, ",\"provenance\":{");
	for (size_t i = 0; i < view->attribute_n; i++) {
		if (!view->attributes[i].origin.source.p) /* sum and union come from many */
			continue;
		if (!first)
			bb_buf_byte(buf, ',');
		first = false;
		bb_buf_json(buf, view->attributes[i].name);
		bb_buf_byte(buf, ':');
		put_origin(buf, &view->attributes[i].origin);
	}
	bb_buf_byte(buf, '}');
}

void bb_view_json(const struct bb_view *view, unsigned parts, bool provenance, struct bb_buf *buf)
{
	LITERAL(buf, "{\"profile\":");
	bb_buf_json(buf, bb_text_of(view->id));
	for (int part = 0; part < BB_VIEW_PART_COUNT; part++)
		if (parts & 1u << part)
			members[part](buf, view);
	if (provenance)
		put_provenance(buf, view);
	bb_buf_byte(buf, '}');
}
