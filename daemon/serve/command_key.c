/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands that Redis has too. They answer as Redis does: a key that leads to nobody, is
 * blocked, or whose value is not canonical is nil.
 *
 * A key of no namespace (a misspelt one would be nil for ever) and what the store cannot read are
 * error replies; in MGET and EXISTS one replaces the whole reply.
 */
#include "command.h"
#include "fields.h"

#include <stdlib.h>

enum { SCAN_COUNT = 10, SCAN_COUNT_MAX = 100 };

/* Appends the view as a bulk string, or nil. */
static int append_view(struct bb_call *call, struct bb_text key)
{
	size_t mark = bb_resp_bulk_begin(call->out);
	int err = bb_lookup_json(&call->service->lookup, key, call->out);

	if (err == BB_OK) {
		bb_resp_bulk_end(call->out, mark);
		return BB_OK;
	}
	call->out->n = mark;
	if (!bb_lookup_is_nobody(&call->service->lookup, err, key))
		return err;
	bb_resp_null(call->out, call->session->protocol);
	return BB_OK;
}

void bb_command_get(struct bb_call *call)
{
	int err = append_view(call, call->args[1]);

	if (err != BB_OK)
		bb_call_fail(call, err, call->args[1]);
}

void bb_command_mget(struct bb_call *call)
{
	bb_resp_array(call->out, call->n - 1);
	for (size_t i = 1; i < call->n && !bb_call_is_too_large(call); i++) {
		int err = append_view(call, call->args[i]);

		if (err != BB_OK) {
			bb_call_fail(call, err, call->args[i]);
			return;
		}
	}
}

void bb_command_exists(struct bb_call *call)
{
	int64_t count = 0;

	for (size_t i = 1; i < call->n; i++) {
		struct bb_found found;
		int err = bb_lookup_find(&call->service->lookup, call->args[i], &found);

		if (err != BB_OK &&
		    !bb_lookup_is_nobody(&call->service->lookup, err, call->args[i])) {
			bb_call_fail(call, err, call->args[i]);
			return;
		}
		count += err == BB_OK;
	}
	bb_resp_integer(call->out, count);
}

void bb_command_type(struct bb_call *call)
{
	struct bb_found found;
	int err = bb_lookup_find(&call->service->lookup, call->args[1], &found);

	if (err == BB_OK || bb_lookup_is_nobody(&call->service->lookup, err, call->args[1]))
		bb_resp_simple(call->out, err == BB_OK ? "string" : "none");
	else
		bb_call_fail(call, err, call->args[1]);
}

void bb_command_strlen(struct bb_call *call)
{
	struct bb_buf json = BB_BUF_EMPTY;
	int err = bb_lookup_json(&call->service->lookup, call->args[1], &json);

	if (err == BB_OK || bb_lookup_is_nobody(&call->service->lookup, err, call->args[1]))
		bb_resp_integer(call->out, (int64_t)json.n);
	else
		bb_call_fail(call, err, call->args[1]);
	bb_buf_fini(&json);
}

/* The flat fields of the profile; BB_ENOTFOUND if there is none. */
static int fields_of_key(struct bb_call *call, struct bb_fields *ret_fields)
{
	struct bb_service *service = call->service;
	const struct bb_view *view;
	int err = bb_lookup_view(&service->lookup, call->args[1], &view);

	if (err == BB_OK) {
		bb_arena_reset(&service->scratch);
		bb_fields_of(view, &service->scratch, ret_fields);
	}
	return bb_lookup_is_nobody(&service->lookup, err, call->args[1]) ? BB_ENOTFOUND : err;
}

static void append_name(struct bb_call *call, const struct bb_field *field)
{
	size_t mark = bb_resp_bulk_begin(call->out);

	bb_buf_text(call->out, field->prefix);
	bb_buf_text(call->out, field->name);
	bb_resp_bulk_end(call->out, mark);
}

void bb_command_hgetall(struct bb_call *call)
{
	struct bb_fields fields = {0};
	int err = fields_of_key(call, &fields);

	if (err != BB_OK && err != BB_ENOTFOUND) {
		bb_call_fail(call, err, call->args[1]);
		return;
	}
	bb_resp_map(call->out, fields.n, call->session->protocol);
	for (size_t i = 0; i < fields.n; i++) {
		append_name(call, &fields.items[i]);
		bb_resp_bulk(call->out, fields.items[i].value);
	}
}

void bb_command_hget(struct bb_call *call)
{
	struct bb_fields fields = {0};
	int err = fields_of_key(call, &fields);

	if (err != BB_OK && err != BB_ENOTFOUND) {
		bb_call_fail(call, err, call->args[1]);
		return;
	}
	for (size_t i = 0; i < fields.n; i++) {
		if (bb_field_compare(&fields.items[i], call->args[2]) == 0) {
			bb_resp_bulk(call->out, fields.items[i].value);
			return;
		}
	}
	bb_resp_null(call->out, call->session->protocol);
}

/* A field that was asked for, and where in the request. */
struct wanted {
	struct bb_text name;
	const struct bb_field *found;
	size_t place;
};

static int by_name(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return bb_text_compare(x->name, y->name);
}

static int by_place(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	return (x->place > y->place) - (x->place < y->place);
}

/* Marks every wanted entry of the field's name; `wanted` is sorted by name. */
static void match_field(const struct bb_field *field, struct wanted *wanted, size_t n)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bb_field_compare(field, wanted[middle].name) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && bb_field_compare(field, wanted[low].name) == 0; low++)
		wanted[low].found = field;
}

void bb_command_hmget(struct bb_call *call)
{
	struct bb_fields fields = {0};
	size_t n = call->n - 2;
	struct wanted *wanted;
	int err = fields_of_key(call, &fields);

	if (err != BB_OK && err != BB_ENOTFOUND) {
		bb_call_fail(call, err, call->args[1]);
		return;
	}
	wanted = bb_arena_alloc(&call->service->scratch, n * sizeof(*wanted));
	for (size_t i = 0; i < n; i++)
		wanted[i] = (struct wanted){call->args[i + 2], NULL, i};
	qsort(wanted, n, sizeof(*wanted), by_name);
	for (size_t i = 0; i < fields.n; i++)
		match_field(&fields.items[i], wanted, n);
	qsort(wanted, n, sizeof(*wanted), by_place);
	bb_resp_array(call->out, n);
	for (size_t i = 0; i < n && !bb_call_is_too_large(call); i++) {
		if (wanted[i].found)
			bb_resp_bulk(call->out, wanted[i].found->value);
		else
			bb_resp_null(call->out, call->session->protocol);
	}
}

struct scan {
	uint64_t cursor;
	uint64_t count;
	struct bb_text match; /* p NULL: all */
	bool nothing;	      /* of another type than ours */
};

static bool parse_u64(struct bb_text text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.n == 0 || text.n > 19 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret_value = value;
	return true;
}

static bool parse_scan(const struct bb_call *call, struct scan *scan)
{
	*scan = (struct scan){.count = SCAN_COUNT};
	if (!parse_u64(call->args[1], &scan->cursor) || call->n % 2 != 0)
		return false;
	for (size_t i = 2; i < call->n; i += 2) {
		if (bb_call_arg_is(call, i, "match"))
			scan->match = call->args[i + 1];
		else if (bb_call_arg_is(call, i, "type"))
			scan->nothing = !bb_call_arg_is(call, i + 1, "string");
		else if (!bb_call_arg_is(call, i, "count") ||
			 !parse_u64(call->args[i + 1], &scan->count) || scan->count == 0)
			return false;
	}
	if (scan->count > SCAN_COUNT_MAX)
		scan->count = SCAN_COUNT_MAX;
	return true;
}

/* Collects the ids of the next profiles into `ids`; the cursor is 0 at the end. */
static int scan_profiles(struct bb_lookup *lookup, struct scan *scan, struct bb_arena *arena,
			 struct bb_text *ids, size_t *ret_n)
{
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	*ret_n = 0;
	for (uint64_t i = 0; err == BB_OK && i < scan->count; i++) {
		const struct bb_view *view;
		uint64_t cluster;

		err = bb_viewer_next(lookup->viewer, kv, &scan->cursor, &cluster);
		if (err == BB_OK)
			err = bb_viewer_fold(lookup->viewer, kv, cluster, &view);
		if (err != BB_OK)
			break;
		if (!scan->match.p || bb_resp_glob(scan->match, bb_text_of(view->id)))
			ids[(*ret_n)++] = bb_arena_copy(arena, bb_text_of(view->id));
	}
	if (err != BB_ENOTFOUND)
		return err;
	scan->cursor = 0;
	return BB_OK;
}

void bb_command_scan(struct bb_call *call)
{
	struct bb_arena *arena = &call->service->scratch;
	struct bb_text *ids;
	struct scan scan;
	size_t n = 0;
	int err = BB_OK;

	if (!parse_scan(call, &scan)) {
		bb_resp_error(call->out, "ERR syntax error; expected SCAN cursor [MATCH pattern] "
					 "[COUNT count] [TYPE type]");
		return;
	}
	bb_arena_reset(arena);
	ids = bb_arena_alloc(arena, scan.count * sizeof(*ids));
	if (scan.nothing)
		scan.cursor = 0;
	else
		err = scan_profiles(&call->service->lookup, &scan, arena, ids, &n);
	if (err != BB_OK) {
		bb_call_fail(call, err, call->args[1]);
		return;
	}
	bb_resp_array(call->out, 2);
	bb_resp_bulk(call->out, bb_arena_printf(arena, "%llu", (unsigned long long)scan.cursor));
	bb_resp_array(call->out, n);
	for (size_t i = 0; i < n; i++)
		bb_resp_bulk(call->out, ids[i]);
}
