/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `dead-letters`: page by page from the daemon's admin socket, or out of the store where no daemon
 * answers. Both give the same lines of JSON; for people they become a table.
 */
#include "ctl.h"
#include "net.h"
#include "table.h"

#include <backbone/deadletter.h>
#include <jansson.h>

enum { PAGE = 100, TABLE_ROWS = 100 };

/* What is printed, as it comes. */
struct listing {
	struct bb_ctl *ctl;
	uint64_t left; /* that may still be printed */
	uint64_t from;
	struct bb_ctl_table table; /* printed and begun anew after TABLE_ROWS */
	struct bb_arena arena;	   /* of the table */
	bool has_values;
};

static struct bb_text text_of(struct listing *listing, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		return bb_ctl_table_number(&listing->table, json_integer_value(value));
	return bb_arena_copy(&listing->arena,
			     (struct bb_text){json_string_value(value), json_string_length(value)});
}

static void begin_table(struct listing *listing)
{
	static const char *const titles[] = {"NUMBER", "STORED", "REASON", "POSITION",
					     "AT",     "BYTES",	 "DETAIL"};

	bb_arena_reset(&listing->arena);
	listing->table = (struct bb_ctl_table){
		.arena = &listing->arena, .columns = 7, .right = 1u << 0 | 1u << 5};
	bb_ctl_table_titles(&listing->table, titles);
}

static void end_table(struct listing *listing)
{
	if (listing->table.n > 1)
		bb_ctl_table_print(&listing->table, listing->ctl->out);
}

static void add_row(struct listing *listing, const json_t *letter)
{
	struct bb_table_row *row = bb_ctl_table_row(&listing->table);
	struct bb_text topic = text_of(listing, letter, "topic");
	struct bb_text value = text_of(listing, letter, "value");

	row->cells[0] = text_of(listing, letter, "number");
	row->cells[1] = text_of(listing, letter, "stored");
	row->cells[2] = text_of(listing, letter, "reason");
	row->cells[3] =
		bb_arena_printf(&listing->arena, "%.*s/%lld/%lld", (int)topic.n, topic.p,
				(long long)json_integer_value(json_object_get(letter, "partition")),
				(long long)json_integer_value(json_object_get(letter, "offset")));
	row->cells[4] = text_of(listing, letter, "at");
	row->cells[5] = text_of(listing, letter, "value_bytes");
	row->cells[6] = text_of(listing, letter, "detail");
	if (!listing->has_values)
		return;
	if (!value.p)
		value = text_of(listing, letter, "value_base64");
	bb_ctl_table_row(&listing->table)->cells[6] = value;
}

static void print_letter(struct listing *listing, const json_t *letter)
{
	FILE *out = listing->ctl->out;

	listing->left--;
	if (listing->ctl->json) {
		json_dumpf(letter, out, JSON_COMPACT);
		fputc('\n', out);
		return;
	}
	add_row(listing, letter);
	if (listing->table.n > TABLE_ROWS) {
		end_table(listing);
		begin_table(listing);
	}
}

/* A page of the daemon; *ret_more: there is another. */
static int print_page(struct listing *listing, const struct bb_buf *body, bool *ret_more)
{
	json_t *root = json_loadb(body->n > 0 ? body->p : "", body->n, JSON_ALLOW_NUL, NULL),
	       *letter;
	const json_t *next = json_object_get(root, "next");
	size_t i;

	if (!root)
		return bb_ctl_fail(listing->ctl, BB_CTL_UNREACHABLE,
				   "the daemon's answer is no JSON");
	json_array_foreach(json_object_get(root, "dead_letters"), i, letter)
		print_letter(listing, letter);
	*ret_more = json_is_integer(next);
	listing->from = (uint64_t)json_integer_value(next);
	json_decref(root);
	return BB_CTL_OK;
}

static int list_of_daemon(struct listing *listing, const char *path, bool *ret_unreachable)
{
	struct bb_ctl *ctl = listing->ctl;
	bool more = true;
	int ret = BB_CTL_OK;

	*ret_unreachable = false;
	while (ret == BB_CTL_OK && more && listing->left > 0) {
		struct bb_buf body = BB_BUF_EMPTY;
		struct bb_error err = {0};
		unsigned status = 0;
		char target[96];
		int net;

		snprintf(target, sizeof(target), "/v1/dead-letters?from=%llu&limit=%llu",
			 (unsigned long long)listing->from,
			 (unsigned long long)(listing->left < PAGE ? listing->left : PAGE));
		net = bb_net_http_get(path, target, &status, &body, &err);
		*ret_unreachable = net == BB_EUNREACHABLE;
		if (net != BB_OK)
			ret = *ret_unreachable
				      ? BB_CTL_UNREACHABLE
				      : bb_ctl_fail(ctl, bb_ctl_exit_of(net), "%s", err.msg);
		else if (status != 200)
			ret = bb_ctl_fail(ctl, BB_CTL_REFUSED, "the daemon says %u: %.*s", status,
					  (int)body.n, body.p);
		else
			ret = print_page(listing, &body, &more);
		bb_buf_fini(&body);
	}
	return ret;
}

static int list_of_snapshot(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct listing *listing = ctx;
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_deadletter letter;
	struct bb_arena arena;
	uint64_t number;
	int err = BB_OK;

	(void)ctl;
	bb_arena_init(&arena);
	while (err == BB_OK && listing->left > 0) {
		json_t *object;

		bb_arena_reset(&arena);
		err = bb_deadletter_seek(kv, listing->from, &arena, &number, &letter);
		if (err != BB_OK)
			break;
		line.n = 0;
		bb_deadletter_json(number, &letter, &line);
		object = json_loadb(line.p, line.n, JSON_ALLOW_NUL, NULL);
		print_letter(listing, object);
		json_decref(object);
		listing->from = number + 1;
	}
	bb_arena_fini(&arena);
	bb_buf_fini(&line);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

int bb_ctl_dead_letters(struct bb_ctl *ctl)
{
	struct listing listing = {.ctl = ctl};
	const char *path;
	bool unreachable;
	int ret;

	if (!bb_ctl_number(ctl, "limit", UINT64_MAX, INT64_MAX, &listing.left) ||
	    !bb_ctl_number(ctl, "from", 0, INT64_MAX, &listing.from))
		return BB_CTL_USAGE;
	listing.has_values = bb_ctl_value(ctl, "values");
	ret = bb_ctl_admin_path(ctl, &path);
	if (ret != BB_CTL_OK)
		return ret;
	bb_arena_init(&listing.arena);
	begin_table(&listing);
	ret = list_of_daemon(&listing, path, &unreachable);
	if (unreachable)
		ret = bb_ctl_read_store(ctl, path, list_of_snapshot, &listing, NULL);
	if (ret == BB_CTL_OK && !ctl->json)
		end_table(&listing);
	bb_arena_fini(&listing.arena);
	return ret;
}
