/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of an export. A record is all events of one source with one set of identifiers,
 * folded; what it says is listed member by member, those without content left out. Pure; nothing
 * fails: names that are not known are empty texts, which bb_names_missed tells.
 */
#include <backbone/clock.h>

#include "export.h"

static const char *const fold_names[] = {
#define X(name, text) text,
	BB_FOLD_RULES(X)
#undef X
};

/* A member of the object that is being written, with the comma before it. */
static void member(struct bb_buf *buf, const char *name)
{
	if (buf->n && buf->p[buf->n - 1] != '{')
		bb_buf_byte(buf, ',');
	bb_buf_printf(buf, "\"%s\":", name);
}

static void text_member(struct bb_buf *buf, const char *name, struct bb_text text)
{
	member(buf, name);
	bb_buf_json(buf, text);
}

static void number_member(struct bb_buf *buf, const char *name, uint64_t n)
{
	member(buf, name);
	bb_buf_printf(buf, "%llu", (unsigned long long)n);
}

static void time_member(struct bb_buf *buf, const char *name, int64_t ms)
{
	char text[BB_ISO_BYTES];

	bb_clock_iso(ms, text);
	text_member(buf, name, bb_text_bytes(text, sizeof(text)));
}

/* `[` or a comma, then `{`. */
static void item(struct bb_buf *buf, const char *list, size_t i)
{
	if (i == 0) {
		member(buf, list);
		bb_buf_byte(buf, '[');
	} else {
		bb_buf_byte(buf, ',');
	}
	bb_buf_byte(buf, '{');
}

static void end_item(struct bb_buf *buf, size_t i, size_t n)
{
	bb_buf_byte(buf, '}');
	if (i + 1 == n)
		bb_buf_byte(buf, ']');
}

static void put_value(struct bb_buf *buf, const struct bb_value *value)
{
	static const char *const words[] = {
		[BB_VALUE_FALSE] = "false",
		[BB_VALUE_TRUE] = "true",
	};

	if (value->kind == BB_VALUE_TEXT) {
		bb_buf_json(buf, value->text);
	} else if (value->kind == BB_VALUE_NUMBER) {
		bb_buf_text(buf, value->text);
	} else if (value->kind == BB_VALUE_LIST) {
		bb_buf_byte(buf, '[');
		for (size_t i = 0; i < value->item_n; i++) {
			if (i > 0)
				bb_buf_byte(buf, ',');
			put_value(buf, &value->items[i]); /* lists are flat */
		}
		bb_buf_byte(buf, ']');
	} else {
		bb_buf_printf(buf, "%s", words[value->kind]);
	}
}

static void put_origin(struct bb_buf *buf, struct bb_names *names, const struct bb_origin *by)
{
	time_member(buf, "time", by->time_ms);
	text_member(buf, "id", by->id);
	if (by->kafka)
		text_member(buf, "time_source", BB_TEXT("kafka"));
	if (!by->topic)
		return;
	member(buf, "position");
	bb_buf_byte(buf, '{');
	text_member(buf, "topic", bb_names_text(names, BB_NAME_TOPIC, by->topic - 1));
	member(buf, "partition");
	bb_buf_printf(buf, "%d", by->partition);
	member(buf, "offset");
	bb_buf_printf(buf, "%lld}", (long long)by->offset);
}

static void put_sums(struct bb_buf *buf, const struct bb_fact_sums *sums)
{
	if (!sums->n)
		return;
	member(buf, "revenue");
	bb_buf_byte(buf, '{');
	for (size_t i = 0; i < sums->n; i++) {
		char amount[BB_MONEY_CHARS];
		size_t n = bb_money_format(sums->items[i].micros, amount);

		bb_buf_printf(buf, "%s\"%.3s\":{\"amount\":\"%.*s\",\"count\":%llu}",
			      i > 0 ? "," : "", sums->items[i].currency, (int)n, amount,
			      (unsigned long long)sums->items[i].n);
	}
	bb_buf_byte(buf, '}');
}

static void put_identifiers(struct bb_buf *buf, const struct bb_rules *rules,
			    const struct bb_record *record)
{
	for (size_t i = 0; i < record->ident_n; i++) {
		item(buf, "identifiers", i);
		text_member(buf, "ns",
			    record->ns[i] < rules->namespace_n
				    ? bb_text_of(rules->namespaces[record->ns[i]].name)
				    : BB_TEXT(""));
		text_member(buf, "value", record->values[i]);
		if (record->blocked & BB_MASK(i))
			bb_buf_printf(buf, ",\"blocked\":true");
		if (record->shared & BB_MASK(i))
			bb_buf_printf(buf, ",\"shared\":true");
		end_item(buf, i, record->ident_n);
	}
}

static void put_seen(struct bb_buf *buf, struct bb_names *names, const char *list,
		     const struct bb_fact_seen *seen, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		item(buf, list, i);
		if (list[0] == 'c')
			text_member(buf, "channel", seen[i].channel);
		else
			text_member(buf, "type", bb_names_text(names, BB_NAME_TYPE, seen[i].type));
		number_member(buf, "events", seen[i].n);
		time_member(buf, "first", seen[i].first_ms);
		time_member(buf, "last", seen[i].last_ms);
		end_item(buf, i, n);
	}
}

static void put_days(struct bb_buf *buf, struct bb_names *names, const struct bb_facts *facts)
{
	for (size_t i = 0; i < facts->bucket_n; i++) {
		const struct bb_fact_day *day = &facts->buckets[i];
		char time[BB_ISO_BYTES];

		bb_clock_iso(day->day * BB_DAY_MS, time);
		item(buf, "days", i);
		text_member(buf, "day", bb_text_bytes(time, 10));
		text_member(buf, "type", bb_names_text(names, BB_NAME_TYPE, day->type));
		number_member(buf, "events", day->n);
		put_sums(buf, &day->sums);
		end_item(buf, i, facts->bucket_n);
	}
}

static void put_consent(struct bb_buf *buf, struct bb_names *names, const struct bb_facts *facts)
{
	for (size_t i = 0; i < facts->consent_n; i++) {
		const struct bb_fact_consent *consent = &facts->consent[i];

		item(buf, "consent", i);
		text_member(buf, "purpose",
			    bb_names_text(names, BB_NAME_PURPOSE, consent->purpose));
		text_member(buf, "channel", consent->channel);
		text_member(buf, "status",
			    consent->denied ? BB_TEXT("denied") : BB_TEXT("granted"));
		put_origin(buf, names, &consent->by);
		end_item(buf, i, facts->consent_n);
	}
}

static void put_recent(struct bb_buf *buf, struct bb_names *names, const struct bb_facts *facts)
{
	for (size_t i = 0; i < facts->recent_n; i++) {
		item(buf, "recent", i);
		text_member(buf, "type", bb_names_text(names, BB_NAME_TYPE, facts->recent[i].type));
		put_origin(buf, names, &facts->recent[i].by);
		end_item(buf, i, facts->recent_n);
	}
}

/* The value of an attribute under its rule; nothing where none counts. */
static void put_folded(struct bb_buf *buf, struct bb_names *names,
		       const struct bb_fact_attribute *attribute)
{
	char sum[BB_MONEY_CHARS];

	if (!attribute->has)
		return;
	member(buf, "value");
	if (attribute->rule == BB_FOLD_UNION) {
		struct bb_value list = {.kind = BB_VALUE_LIST,
					.items = attribute->set.items,
					.item_n = attribute->set.n};

		put_value(buf, &list);
		return;
	}
	if (attribute->rule == BB_FOLD_SUM) {
		bb_buf_add(buf, sum, bb_money_format(attribute->sum_micros, sum));
		return;
	}
	put_value(buf, &attribute->value);
	put_origin(buf, names, &attribute->by);
}

static void put_attributes(struct bb_buf *buf, struct bb_names *names, const struct bb_facts *facts)
{
	for (size_t i = 0; i < facts->attribute_n; i++) {
		const struct bb_fact_attribute *attribute = &facts->attributes[i];

		item(buf, "attributes", i);
		text_member(buf, "name", bb_names_text(names, BB_NAME_ATTRIBUTE, attribute->name));
		text_member(buf, "rule", bb_text_of(fold_names[attribute->rule]));
		put_folded(buf, names, attribute);
		end_item(buf, i, facts->attribute_n);
	}
	for (size_t i = 0; i < facts->once_n; i++) {
		item(buf, "attributes_once", i);
		text_member(buf, "name",
			    bb_names_text(names, BB_NAME_ATTRIBUTE, facts->once[i].name));
		member(buf, "value");
		put_value(buf, &facts->once[i].value);
		put_origin(buf, names, &facts->once[i].by);
		end_item(buf, i, facts->once_n);
	}
}

void bb_export_record(const struct bb_rules *rules, struct bb_names *names,
		      const struct bb_record *record, struct bb_buf *buf)
{
	const struct bb_facts *facts = &record->facts;

	bb_buf_byte(buf, '{');
	text_member(buf, "source", bb_names_text(names, BB_NAME_SOURCE, record->source));
	put_identifiers(buf, rules, record);
	number_member(buf, "events", facts->events);
	if (facts->events) {
		time_member(buf, "first_seen", facts->first_ms);
		time_member(buf, "last_seen", facts->last_ms);
	}
	put_seen(buf, names, "channels", facts->channels, facts->channel_n);
	put_seen(buf, names, "types", facts->types, facts->type_n);
	put_days(buf, names, facts);
	put_sums(buf, &facts->sums);
	put_consent(buf, names, facts);
	put_recent(buf, names, facts);
	put_attributes(buf, names, facts);
	bb_buf_byte(buf, '}');
}
