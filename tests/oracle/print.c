/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that an extraction has, a line a fact, so that two can be compared byte by byte: what
 * events carry, what was warned of, why something was refused and where.
 */
#include "oracle.h"

static void put(struct bb_buf *buf, const char *name, struct bb_text text)
{
	bb_buf_printf(buf, "%s ", name);
	if (text.p)
		bb_buf_json(buf, text);
	else
		bb_buf_text(buf, BB_TEXT("absent"));
	bb_buf_byte(buf, '\n');
}

void oracle_print_refusal(const struct bb_refusal *refusal, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s at byte %lld\n", bb_dead_reason_text(refusal->reason),
		      (long long)refusal->byte_offset);
	put(buf, "at", refusal->at);
	put(buf, "detail", refusal->detail);
}

static void print_value(const struct bb_value *value, struct bb_buf *buf)
{
	bb_buf_printf(buf, "kind %d\n", (int)value->kind);
	if (value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER)
		put(buf, "value", value->text);
	for (size_t i = 0; value->kind == BB_VALUE_LIST && i < value->item_n; i++)
		print_value(&value->items[i], buf);
}

static void print_attributes(const struct bb_attribute *items, size_t n, struct bb_buf *buf)
{
	for (size_t i = 0; i < n; i++) {
		put(buf, "attribute", items[i].name);
		bb_buf_printf(buf, "at %lld\n", (long long)items[i].at_ms);
		print_value(&items[i].value, buf);
	}
}

static void print_identifier(const struct bb_identifier *id, struct bb_buf *buf)
{
	put(buf, "ns", id->ns);
	put(buf, "value", id->value);
	bb_buf_printf(buf, "%u %d %d\n", id->ns_index, id->blocked, id->optional);
}

static void print_facts(const struct bb_event *ev, struct bb_buf *buf)
{
	print_attributes(ev->attributes, ev->attribute_n, buf);
	bb_buf_text(buf, BB_TEXT("once\n"));
	print_attributes(ev->once, ev->once_n, buf);
	for (size_t i = 0; i < ev->unset_n; i++)
		put(buf, "unset", ev->unset[i]);
	for (size_t i = 0; i < ev->consent_n; i++) {
		put(buf, "purpose", ev->consent[i].purpose);
		put(buf, "channel", ev->consent[i].channel);
		put(buf, "status", ev->consent[i].status);
	}
	if (ev->has_amount) {
		put(buf, "amount", ev->amount.value);
		put(buf, "currency", ev->amount.currency);
		put(buf, "key", ev->amount.key);
		put(buf, "part", ev->amount.part);
	}
	put(buf, "properties", ev->properties);
}

static void print_event(const struct bb_event *ev, struct bb_buf *buf)
{
	put(buf, "source", ev->source);
	put(buf, "channel", ev->channel);
	put(buf, "type", ev->type);
	put(buf, "id", ev->id);
	bb_buf_printf(buf, "time %d %lld %d %lld\n", ev->has_time,
		      ev->has_time ? (long long)ev->time_ms : 0, ev->kafka_time,
		      (long long)ev->log_ms);
	for (size_t i = 0; i < ev->identifier_n; i++)
		print_identifier(&ev->identifiers[i], buf);
	for (size_t i = 0; i < ev->same_n; i++) {
		print_identifier(&ev->same[i].pair[0], buf);
		print_identifier(&ev->same[i].pair[1], buf);
	}
	print_facts(ev, buf);
	for (size_t i = 0; i < ev->warning_n; i++) {
		put(buf, "warning", ev->warnings[i].code);
		put(buf, "at", ev->warnings[i].at);
		put(buf, "value", ev->warnings[i].value);
	}
}

static void print_ruling(const struct bb_ruling *ruling, struct bb_buf *buf)
{
	bb_buf_printf(buf, "ruling %d at %lld\n", (int)ruling->kind, (long long)ruling->time_ms);
	put(buf, "id", ruling->id);
	put(buf, "actor", ruling->actor);
	put(buf, "reason", ruling->reason);
	put(buf, "releases", ruling->releases);
	for (unsigned i = 0; i < bb_ruling_ends(ruling->kind); i++)
		print_identifier(&ruling->on[i], buf);
}

void oracle_print(const struct bb_extraction *extraction, struct bb_buf *buf)
{
	for (size_t i = 0; i < extraction->n; i++) {
		const struct bb_extracted *item = &extraction->items[i];

		bb_buf_printf(buf, "item %zu, %d\n", i, (int)item->kind);
		if (item->kind == BB_EXTRACTED_EVENT)
			print_event(item->event, buf);
		else if (item->kind == BB_EXTRACTED_RULING)
			print_ruling(item->ruling, buf);
		else
			oracle_print_refusal(&item->refusal, buf);
	}
}

void oracle_print_document(struct bb_text bytes, bb_run_read_fn *read, struct bb_buf *buf)
{
	struct bb_refusal refusal;
	struct bb_arena arena;
	struct bb_json doc;

	bb_arena_init(&arena);
	if (read(bytes, &arena, &doc.root, &refusal))
		bb_json_write(&doc, &doc.root, buf);
	else
		oracle_print_refusal(&refusal, buf);
	bb_arena_fini(&arena);
}
