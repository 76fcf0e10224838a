/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `changes` and `history`: from the daemon by the query socket, or from the store where no daemon
 * answers. Each change is printed as soon as it is known, so that whoever reads the output can stop
 * at any number and go on from it.
 *
 * Following needs the daemon; when that goes away the verb ends with 3 and says from where to go
 * on. A number whose successors were dropped is refused (exit 4). Exit 1 of `history`: nobody is
 * known by the key.
 */
#include "ctl.h"
#include "net.h"
#include "table.h"

#include <backbone/change.h>
#include <backbone/view.h>
#include <inttypes.h>
#include <jansson.h>

enum { PAGE = 1000, WAIT_MS = 30000 };

/* What is printed, as it comes. */
struct changes {
	struct bb_ctl *ctl;
	uint64_t after, left;
	bool follow, from_now; /* from_now: `after` is not known yet */
};

static const char *member(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "-";
}

static void print_for_people(FILE *out, const json_t *change)
{
	const json_t *position = json_object_get(change, "position");
	struct bb_buf line = BB_BUF_EMPTY;

	bb_buf_printf(&line, "%8" JSON_INTEGER_FORMAT "  %s  %-7s  %-27s  %-27s  %s",
		      json_integer_value(json_object_get(change, "number")), member(change, "time"),
		      member(change, "kind"), member(change, "profile"), member(change, "other"),
		      member(change, "cause"));
	if (json_object_get(change, "cause_id"))
		bb_buf_printf(&line, " %s", member(change, "cause_id"));
	if (position)
		bb_buf_printf(&line, " %s/%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
			      member(position, "topic"),
			      json_integer_value(json_object_get(position, "partition")),
			      json_integer_value(json_object_get(position, "offset")));
	bb_ctl_print_safe(bb_buf_slice(&line), out);
	fputc('\n', out);
	bb_buf_fini(&line);
}

/* False: it is no change. */
static bool print_change(struct changes *changes, struct bb_text json)
{
	json_t *change = json_loadb(json.p, json.n, 0, NULL);
	const json_t *number = json_object_get(change, "number");
	bool good = json_is_integer(number);

	if (good) {
		changes->after = (uint64_t)json_integer_value(number);
		changes->left--;
		if (changes->ctl->json)
			fprintf(changes->ctl->out, "%.*s\n", (int)json.n, json.p);
		else
			print_for_people(changes->ctl->out, change);
	}
	json_decref(change);
	return good;
}

static int fail_reply(struct changes *changes)
{
	return bb_ctl_fail(changes->ctl, BB_CTL_UNREACHABLE,
			   "the daemon's reply is no change feed");
}

/* One page of the daemon; *ret_n: how many there were. */
static int print_page(struct changes *changes, const struct bb_net_reply *reply, size_t *ret_n)
{
	const struct bb_net_reply *list;

	if (reply->kind != BB_REPLY_LIST || reply->n != 6 ||
	    reply->items[5].kind != BB_REPLY_LIST || reply->items[3].kind != BB_REPLY_INTEGER)
		return fail_reply(changes);
	list = &reply->items[5];
	*ret_n = list->n;
	if (changes->from_now) {
		changes->from_now = false;
		changes->after = (uint64_t)reply->items[3].integer;
		*ret_n = 0;
		return BB_CTL_OK;
	}
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].kind != BB_REPLY_TEXT ||
		    !print_change(changes, list->items[i].text))
			return fail_reply(changes);
	fflush(changes->ctl->out);
	return BB_CTL_OK;
}

static int fail_gone(struct changes *changes, int code, const char *why)
{
	if (!changes->follow)
		return bb_ctl_fail(changes->ctl, bb_ctl_exit_of(code), "%s", why);
	return bb_ctl_fail(changes->ctl, bb_ctl_exit_of(code), "%s; go on with --after %" PRIu64,
			   why, changes->after);
}

static int changes_of_daemon(struct changes *changes, struct bb_net_resp *client)
{
	struct bb_ctl *ctl = changes->ctl;
	int ret = BB_CTL_OK;
	size_t n = 1;

	while (ret == BB_CTL_OK && changes->left > 0 && (n > 0 || changes->follow)) {
		char after[24], count[24], wait[24];
		const char *args[] = {"BB.CHANGES", after, "COUNT", count, "BLOCK", wait};
		struct bb_net_reply reply;
		struct bb_error err = {0};
		bool waits = changes->follow && !changes->from_now;
		int net;

		snprintf(after, sizeof(after), "%" PRIu64, changes->after);
		snprintf(count, sizeof(count), "%" PRIu64,
			 changes->left < PAGE ? changes->left : (uint64_t)PAGE);
		snprintf(wait, sizeof(wait), "%d", WAIT_MS);
		bb_arena_reset(&ctl->arena);
		net = bb_net_resp_call(client, args, waits ? 6 : 4, &ctl->arena, &reply, &err);
		if (net != BB_OK)
			ret = fail_gone(changes, net, err.msg);
		else if (reply.kind == BB_REPLY_ERROR)
			ret = bb_ctl_fail(ctl, BB_CTL_REFUSED, "%.*s", (int)reply.text.n,
					  reply.text.p);
		else
			ret = print_page(changes, &reply, &n);
	}
	return ret;
}

/* BB_OK, the store's error, or BB_EINVAL after printing why. */
static int changes_of_snapshot(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct changes *changes = ctx;
	uint64_t first, last;
	struct bb_buf line = BB_BUF_EMPTY;
	int err = bb_change_range(kv, &first, &last);

	if (err == BB_OK &&
	    (changes->after > last || (changes->after > 0 && changes->after + 1 < first))) {
		bb_ctl_fail(ctl, BB_CTL_REFUSED,
			    "there are changes %" PRIu64 " to %" PRIu64
			    ": nothing goes on from %" PRIu64,
			    first, last, changes->after);
		return BB_EINVAL;
	}
	while (err == BB_OK && changes->left > 0) {
		struct bb_change change;

		bb_arena_reset(&ctl->arena);
		err = bb_change_next(kv, changes->after, &ctl->arena, &change);
		if (err != BB_OK)
			break;
		line.n = 0;
		bb_change_json(&change, &line);
		print_change(changes, bb_buf_slice(&line));
	}
	bb_buf_fini(&line);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

static int changes_of_store(struct changes *changes)
{
	struct bb_ctl *ctl = changes->ctl;
	int err = BB_OK, ret = bb_ctl_read_store(ctl, NULL, changes_of_snapshot, changes, &err);

	if (ret != BB_CTL_OK || err == BB_OK)
		return ret;
	if (err == BB_EINVAL)
		return BB_CTL_REFUSED;
	return bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s", ctl->config->store_path,
			   bb_error_text(err));
}

int bb_ctl_changes(struct bb_ctl *ctl)
{
	struct changes changes = {.ctl = ctl, .follow = bb_ctl_value(ctl, "follow")};
	struct bb_net_resp client;
	struct bb_error err = {0};
	const char *path;
	int ret;

	changes.from_now = changes.follow && !bb_ctl_value(ctl, "after");
	if (!bb_ctl_number(ctl, "limit", UINT64_MAX, INT64_MAX, &changes.left) ||
	    !bb_ctl_number(ctl, "after", 0, INT64_MAX, &changes.after))
		return BB_CTL_USAGE;
	ret = bb_ctl_query_path(ctl, &path);
	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_net_resp_open(path, &client, &err);
	if (ret == BB_EUNREACHABLE && !changes.follow)
		return changes_of_store(&changes);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	ret = changes_of_daemon(&changes, &client);
	bb_net_resp_close(&client);
	return ret;
}

/* --- history ---------------------------------------------------------------------------------- */

static void print_names(FILE *out, const json_t *root)
{
	const json_t *name;
	size_t i;

	fprintf(out, "profile  %s\n", member(root, "profile"));
	json_array_foreach(json_object_get(root, "names"), i, name)
	{
		fprintf(out, "%s  %s  ", i == 0 ? "names  " : "       ", member(name, "id"));
		bb_ctl_print_safe(bb_text_of(member(name, "ns")), out);
		fputc(':', out);
		bb_ctl_print_safe(bb_text_of(member(name, "value")), out);
		fputc('\n', out);
	}
}

static int print_history(struct bb_ctl *ctl, struct bb_text json)
{
	json_t *root, *item;
	FILE *out = ctl->out;
	size_t i;

	if (ctl->json) {
		fprintf(out, "%.*s\n", (int)json.n, json.p);
		return BB_CTL_OK;
	}
	root = json_loadb(json.p, json.n, JSON_ALLOW_NUL, NULL);
	if (!root)
		return bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the answer is no history");
	print_names(out, root);
	json_array_foreach(json_object_get(root, "changes"), i, item) print_for_people(out, item);
	json_array_foreach(json_object_get(root, "rulings"), i, item)
	{
		fprintf(out, "ruling   %s  %-7s  %s  ", member(item, "time"),
			member(item, "ruling"),
			json_is_true(json_object_get(item, "holds")) ? "holds" : "holds no longer");
		bb_ctl_print_safe(bb_text_of(member(item, "id")), out);
		fputc('\n', out);
	}
	if (json_is_true(json_object_get(root, "truncated")))
		fprintf(out, "and more, that is older\n");
	json_decref(root);
	return BB_CTL_OK;
}

static int history_of_snapshot(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_viewer *viewer = bb_viewer_new(&ctl->config->rules);
	int err = bb_history_json(viewer, &ctl->config->rules, kv, bb_text_of(ctl->args[0]),
				  &ctl->arena, ctx);

	bb_viewer_free(viewer);
	return err;
}

static int history_of_store(struct bb_ctl *ctl, const char *socket)
{
	struct bb_buf json = BB_BUF_EMPTY;
	int err = BB_OK, ret = bb_ctl_read_store(ctl, NULL, history_of_snapshot, &json, &err);

	(void)socket;
	if (ret == BB_CTL_OK && err == BB_OK)
		ret = print_history(ctl, bb_buf_slice(&json));
	else if (ret == BB_CTL_OK && (err == BB_ENOTFOUND || err == BB_EACCESS))
		ret = bb_ctl_fail(ctl, BB_CTL_NO, "nobody is known by %s", ctl->args[0]);
	else if (ret == BB_CTL_OK)
		ret = bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s", ctl->args[0],
				  err == BB_EINVAL ? "expected namespace:value, or a profile id"
						   : bb_error_text(err));
	bb_buf_fini(&json);
	return ret;
}

static int history_of_daemon(struct bb_ctl *ctl, struct bb_net_resp *client)
{
	const char *args[] = {"BB.HISTORY", ctl->args[0]};
	struct bb_net_reply reply;
	int ret = bb_ctl_call(ctl, client, args, 2, &reply);

	if (ret != BB_CTL_OK)
		return ret;
	if (reply.kind != BB_REPLY_TEXT)
		return bb_ctl_fail(ctl, BB_CTL_NO, "nobody is known by %s", ctl->args[0]);
	return print_history(ctl, reply.text);
}

int bb_ctl_history(struct bb_ctl *ctl)
{
	return bb_ctl_ask(ctl, history_of_daemon, history_of_store);
}
