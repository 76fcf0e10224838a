/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flattens a view. Lists (an attribute of `union`, the values of a namespace) become JSON lists;
 * everything else is plain text, as it stands in the JSON of the view. Cannot fail.
 */
#include "fields.h"

#include <backbone/clock.h>

static void push(struct bb_fields *fields, struct bb_arena *arena, const char *prefix,
		 struct bb_text name, struct bb_text value)
{
	BB_ARENA_PUSH(arena, fields->items, fields->n, fields->room) =
		(struct bb_field){bb_text_of(prefix), name, value};
}

static struct bb_text count_text(uint64_t n, struct bb_arena *arena)
{
	return bb_arena_printf(arena, "%llu", (unsigned long long)n);
}

static struct bb_text time_text(int64_t ms, struct bb_arena *arena)
{
	char *text = bb_arena_alloc(arena, BB_ISO_BYTES);

	bb_clock_iso(ms, text);
	return (struct bb_text){text, BB_ISO_BYTES};
}

static struct bb_text value_text(const struct bb_value *value, struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text;

	if (value->kind == BB_VALUE_TEXT || value->kind == BB_VALUE_NUMBER)
		return value->text;
	bb_value_json(value, &buf);
	text = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

/* Identifiers come by strength, so those of a namespace stand together. */
static void push_identifiers(struct bb_fields *fields, const struct bb_view *view,
			     struct bb_arena *arena)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	size_t i = 0;

	while (i < view->identifier_n) {
		struct bb_text ns = view->identifiers[i].ns;

		buf.n = 0;
		bb_buf_byte(&buf, '[');
		for (size_t first = i;
		     i < view->identifier_n && bb_text_equal(view->identifiers[i].ns, ns); i++) {
			if (i > first)
				bb_buf_byte(&buf, ',');
			bb_buf_json(&buf, view->identifiers[i].value);
		}
		bb_buf_byte(&buf, ']');
		push(fields, arena, "_identifiers.", ns, bb_arena_copy(arena, bb_buf_slice(&buf)));
	}
	bb_buf_fini(&buf);
}

void bb_fields_of(const struct bb_view *view, struct bb_arena *arena, struct bb_fields *ret_fields)
{
	struct bb_fields *fields = ret_fields;

	*fields = (struct bb_fields){0};
	for (size_t i = 0; i < view->attribute_n; i++) {
		struct bb_text name = view->attributes[i].name;

		push(fields, arena, name.n > 0 && name.p[0] == '_' ? "_" : "", name,
		     value_text(&view->attributes[i].value, arena));
	}
	push(fields, arena, "_", BB_TEXT("profile"), bb_text_of(view->id));
	push(fields, arena, "_", BB_TEXT("events"), count_text(view->events, arena));
	if (view->events > 0) {
		push(fields, arena, "_", BB_TEXT("first_seen"), time_text(view->first_ms, arena));
		push(fields, arena, "_", BB_TEXT("last_seen"), time_text(view->last_ms, arena));
	}
	push_identifiers(fields, view, arena);
	for (size_t i = 0; i < view->channel_n; i++)
		push(fields, arena, "_channels.", view->channels[i].name,
		     count_text(view->channels[i].events, arena));
	for (size_t i = 0; i < view->type_n; i++)
		push(fields, arena, "_activity.", view->types[i].name,
		     count_text(view->types[i].events, arena));
	for (size_t i = 0; i < view->revenue_n; i++)
		push(fields, arena, "_revenue.", bb_text_of(view->revenue[i].currency),
		     view->revenue[i].amount);
	for (size_t i = 0; i < view->consent_n; i++)
		push(fields, arena, "_consent.", view->consent[i].slot,
		     view->consent[i].granted ? BB_TEXT("granted") : BB_TEXT("denied"));
}

int bb_field_compare(const struct bb_field *field, struct bb_text name)
{
	size_t n = field->prefix.n < name.n ? field->prefix.n : name.n;
	struct bb_text head = {name.p, n}, rest = {name.p + n, name.n - n};
	int d = bb_text_compare(field->prefix, head);

	return d != 0 ? d : bb_text_compare(field->name, rest);
}
