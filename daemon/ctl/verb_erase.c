/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `erase` and `export`: what the law asks for, by the admin socket. To erase cannot be undone, so a
 * terminal is asked; where there is none it takes --yes. The receipt is printed with the digest of
 * the store after it, so that replicas can be compared.
 *
 * Exit 1: nobody is known by the key, or the answer was not `yes`. Exit 4: refused.
 */
#include "admin.h"
#include "table.h"

#include <string.h>
#include <unistd.h>

static int confirm(struct bb_ctl *ctl, const char *mode)
{
	char line[16] = "";

	if (bb_ctl_value(ctl, "yes"))
		return BB_CTL_OK;
	if (!isatty(STDIN_FILENO))
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "this cannot be undone; without a terminal to ask on it takes "
				   "--yes");
	fprintf(ctl->err,
		"Erase everything on %s (%s)? This cannot be undone. Type yes: ", ctl->args[0],
		mode);
	fflush(ctl->err);
	if (fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0)
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, BB_CTL_NO, "nothing was erased");
}

/* The digest of the store now, in the arena; p NULL: the query socket gives none. */
static struct bb_text digest_now(struct bb_ctl *ctl)
{
	const char *args[] = {"BB.DIGEST"}, *path;
	struct bb_text digest = {NULL, 0};
	struct bb_net_reply reply;
	struct bb_net_resp client;
	struct bb_error err = {0};

	if (bb_ctl_query_path(ctl, &path) != BB_CTL_OK ||
	    bb_net_resp_open(path, &client, &err) != BB_OK)
		return digest;
	if (bb_net_resp_call(&client, args, 1, &ctl->arena, &reply, &err) == BB_OK &&
	    reply.kind == BB_REPLY_LIST && reply.n == 4 && reply.items[1].kind == BB_REPLY_TEXT)
		digest = reply.items[1].text;
	bb_net_resp_close(&client);
	return digest;
}

static void print_number(struct bb_ctl *ctl, const json_t *receipt, const char *name)
{
	fprintf(ctl->out, "%-12s %lld\n", name,
		(long long)json_integer_value(json_object_get(receipt, name)));
}

static void print_receipt(struct bb_ctl *ctl, const json_t *receipt, struct bb_text digest)
{
	static const char *const texts[] = {"id", "time", "mode", "profile"};
	static const char *const numbers[] = {"records",     "events",	"stripped",
					      "amount_keys", "rulings", "dead_letters"};
	const json_t *item;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct bb_text text = bb_admin_text(&ctl->arena, receipt, texts[i]);

		fprintf(ctl->out, "%-12s ", texts[i]);
		bb_ctl_print_safe(text, ctl->out);
		fputc('\n', ctl->out);
	}
	json_array_foreach(json_object_get(receipt, "identifiers"), i, item)
		fprintf(ctl->out, "%-12s %s%s\n", i ? "" : "identifiers",
			json_string_value(json_object_get(item, "hash")),
			json_is_true(json_object_get(item, "standing")) ? "  standing" : "");
	json_array_foreach(json_object_get(receipt, "watermark"), i, item)
		fprintf(ctl->out, "%-12s %s/%lld/%lld\n", i ? "" : "watermark",
			json_string_value(json_object_get(item, "topic")),
			(long long)json_integer_value(json_object_get(item, "partition")),
			(long long)json_integer_value(json_object_get(item, "next_offset")));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		print_number(ctl, receipt, numbers[i]);
	if (digest.p)
		fprintf(ctl->out, "%-12s %.*s\n", "digest", (int)digest.n, digest.p);
}

static int print_answer(struct bb_ctl *ctl, json_t *answer)
{
	json_t *receipt = json_object_get(answer, "receipt");
	const char *result = json_string_value(json_object_get(answer, "result"));
	bool again = result && strcmp(result, "duplicate") == 0;
	struct bb_text digest = digest_now(ctl);

	if (again)
		fprintf(ctl->err,
			"this id has erased before; now nothing was: its receipt, as it was "
			"then\n");
	if (!ctl->json) {
		print_receipt(ctl, receipt, digest);
		return BB_CTL_OK;
	}
	json_object_set_new(receipt, "digest",
			    digest.p ? json_stringn(digest.p, digest.n) : json_null());
	bb_admin_print(ctl, answer);
	return BB_CTL_OK;
}

int bb_ctl_erase(struct bb_ctl *ctl)
{
	const char *mode = bb_ctl_value(ctl, "mode"), *reason = bb_ctl_value(ctl, "reason");
	const char *id = bb_ctl_value(ctl, "id");
	json_t *order, *answer = NULL;
	int ret;

	if (!mode || (strcmp(mode, "forget") != 0 && strcmp(mode, "suppress") != 0))
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "--mode forget: what comes later begins a new person; --mode "
				   "suppress: nothing of this person is taken in again");
	if (!reason)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "--reason is missing: it is kept in the audit log, so a ticket "
				   "and no name");
	ret = confirm(ctl, mode);
	if (ret != BB_CTL_OK)
		return ret;
	order = json_pack("{s:s,s:s,s:s,s:s*}", "key", ctl->args[0], "mode", mode, "reason", reason,
			  "id", id);
	if (!order)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "the arguments are not UTF-8");
	ret = bb_admin_post(ctl, "/v1/erasures", order, &answer);
	if (ret == BB_CTL_OK)
		ret = print_answer(ctl, answer);
	json_decref(answer);
	return ret;
}

static void new_line(FILE *out, unsigned depth)
{
	fprintf(out, "\n%*s", (int)(2 * depth), "");
}

/* JSON with line feeds and spaces in it; every digit stays as it is. */
static void print_indented(struct bb_text json, FILE *out)
{
	bool in_text = false;
	unsigned depth = 0;

	for (size_t i = 0; i < json.n; i++) {
		char c = json.p[i], next = i + 1 < json.n ? json.p[i + 1] : '\0';
		bool is_empty = (c == '{' && next == '}') || (c == '[' && next == ']');

		if (in_text && c == '\\') {
			fputc(c, out);
			fputc(next, out);
			i++;
			continue;
		}
		in_text = in_text != (c == '"');
		if (!in_text && (c == '}' || c == ']'))
			new_line(out, --depth);
		fputc(c, out);
		if (in_text || c == '"')
			continue;
		if (is_empty)
			fputc(json.p[++i], out);
		else if (c == '{' || c == '[')
			new_line(out, ++depth);
		else if (c == ',')
			new_line(out, depth);
		else if (c == ':')
			fputc(' ', out);
	}
}

int bb_ctl_export(struct bb_ctl *ctl)
{
	struct bb_net_request request = {.method = "GET"};
	struct bb_buf body = BB_BUF_EMPTY;
	int ret;

	request.target =
		bb_arena_printf(&ctl->arena, "/v1/exports/%s", bb_admin_escape(ctl, ctl->args[0]))
			.p;
	ret = bb_admin_fetch(ctl, &request, &body);
	if (ret == BB_CTL_OK && ctl->json)
		fwrite(body.p, 1, body.n, ctl->out);
	else if (ret == BB_CTL_OK)
		print_indented(bb_buf_slice(&body), ctl->out);
	bb_buf_fini(&body);
	return ret;
}
