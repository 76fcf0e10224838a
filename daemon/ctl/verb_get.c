/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `get`: views by the query socket, as any client would ask for them. With --json the line of the
 * daemon as it is; else its members one under the other, numbers as they were written.
 *
 * Exit 1 if nobody is known by one of the keys; the others are still printed.
 */
#include "ctl.h"
#include "net.h"
#include "table.h"

#include <backbone/json.h>

/* Rows of `path value` for every scalar; members of `recent` and `identifiers` make one row each.
 */
struct sheet {
	const struct bb_json *doc;
	struct bb_ctl_table table;
};

static struct bb_text compact(struct sheet *sheet, const struct bb_json_node *node)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text = bb_json_text(sheet->doc, node);

	if (text.p)
		return text;
	bb_json_write(sheet->doc, node, &buf);
	text = bb_arena_copy(sheet->table.arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

/* `a: 1, b: 2` of an object of scalars. */
static struct bb_text inline_map(struct sheet *sheet, const struct bb_json_node *map)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	const struct bb_json_node *value;
	struct bb_text name, text;
	void *iter = NULL;

	while (bb_json_next(sheet->doc, map, &iter, &name, &value)) {
		bb_buf_printf(&buf, "%s%.*s: ", buf.n > 0 ? ", " : "", (int)name.n, name.p);
		bb_buf_text(&buf, compact(sheet, value));
	}
	text = bb_arena_copy(sheet->table.arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

static void add(struct sheet *sheet, struct bb_text head, struct bb_text name, struct bb_text value)
{
	struct bb_table_row *row = bb_ctl_table_row(&sheet->table);

	row->cells[0] = head;
	row->cells[1] = name;
	row->cells[2] = value;
}

static void add_identifier(struct sheet *sheet, struct bb_text head,
			   const struct bb_json_node *item)
{
	const struct bb_json *doc = sheet->doc;
	struct bb_text ns = bb_json_text(doc, bb_json_member(doc, item, BB_TEXT("ns")));
	struct bb_text value = bb_json_text(doc, bb_json_member(doc, item, BB_TEXT("value")));
	struct bb_text events = bb_json_text(doc, bb_json_member(doc, item, BB_TEXT("events")));
	enum bb_json_kind shared = bb_json_kind(doc, bb_json_member(doc, item, BB_TEXT("shared")));

	add(sheet, head, ns,
	    bb_arena_printf(sheet->table.arena, "%.*s  (%.*s events%s)", (int)value.n, value.p,
			    (int)events.n, events.p, shared == BB_JSON_TRUE ? ", shared" : ""));
}

static void add_list(struct sheet *sheet, struct bb_text name, const struct bb_json_node *list)
{
	bool is_identifiers = bb_text_equal(name, BB_TEXT("identifiers"));
	size_t n = bb_json_size(sheet->doc, list);

	for (size_t i = 0; i < n; i++) {
		const struct bb_json_node *item = bb_json_item(sheet->doc, list, i);
		struct bb_text head = i == 0 ? name : BB_TEXT("");

		if (is_identifiers)
			add_identifier(sheet, head, item);
		else
			add(sheet, head, BB_TEXT(""), inline_map(sheet, item));
	}
}

static void add_map(struct sheet *sheet, struct bb_text name, const struct bb_json_node *map)
{
	const struct bb_json_node *value;
	struct bb_text head = name, key;
	void *iter = NULL;

	while (bb_json_next(sheet->doc, map, &iter, &key, &value)) {
		add(sheet, head, key,
		    bb_json_kind(sheet->doc, value) == BB_JSON_MAP ? inline_map(sheet, value)
								   : compact(sheet, value));
		head = BB_TEXT("");
	}
}

static void print_view(struct bb_ctl *ctl, struct bb_text json)
{
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(json, &refusal);
	struct sheet sheet = {.doc = doc, .table = {.arena = &ctl->arena, .columns = 3}};
	const struct bb_json_node *value;
	struct bb_text name;
	void *iter = NULL;

	if (!doc) { /* larger than the reader takes */
		fprintf(ctl->out, "%.*s\n", (int)json.n, json.p);
		return;
	}
	while (bb_json_next(doc, bb_json_root(doc), &iter, &name, &value)) {
		switch (bb_json_kind(doc, value)) {
		case BB_JSON_LIST:
			add_list(&sheet, name, value);
			break;
		case BB_JSON_MAP:
			add_map(&sheet, name, value);
			break;
		default:
			add(&sheet, name, BB_TEXT(""), compact(&sheet, value));
			break;
		}
	}
	bb_ctl_table_print(&sheet.table, ctl->out);
	bb_json_free(doc);
}

static int get_one(struct bb_ctl *ctl, struct bb_net_resp *client, const char *key)
{
	const char *fields = bb_ctl_value(ctl, "fields"), *args[5] = {"BB.VIEW", key};
	struct bb_net_reply reply;
	size_t n = 2;
	int ret;

	if (fields) {
		args[n++] = "FIELDS";
		args[n++] = fields;
	}
	if (bb_ctl_value(ctl, "provenance"))
		args[n++] = "PROVENANCE";
	ret = bb_ctl_call(ctl, client, args, n, &reply);
	if (ret != BB_CTL_OK)
		return ret;
	if (reply.kind != BB_REPLY_TEXT)
		return bb_ctl_fail(ctl, BB_CTL_NO, "nobody is known by %s", key);
	if (ctl->json)
		fprintf(ctl->out, "%.*s\n", (int)reply.text.n, reply.text.p);
	else
		print_view(ctl, reply.text);
	return BB_CTL_OK;
}

int bb_ctl_get(struct bb_ctl *ctl)
{
	struct bb_net_resp client;
	struct bb_error err = {0};
	int worst = BB_CTL_OK;
	const char *path;
	int ret = bb_ctl_query_path(ctl, &path);

	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_net_resp_open(path, &client, &err);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	for (int i = 0; i < ctl->arg_n; i++) {
		if (i > 0 && !ctl->json)
			fputc('\n', ctl->out);
		ret = get_one(ctl, &client, ctl->args[i]);
		worst = ret > worst ? ret : worst;
		if (ret > BB_CTL_NO)
			break;
	}
	bb_net_resp_close(&client);
	return worst;
}
