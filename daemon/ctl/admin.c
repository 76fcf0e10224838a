/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to the admin socket, its answer as JSON; problems become messages and exit codes.
 * What can be read without a daemon is read out of the store where none answers.
 */
#include "admin.h"

#include <stdlib.h>
#include <string.h>

static enum bb_ctl_exit exit_of_status(unsigned status)
{
	if (status == 404)
		return BB_CTL_NO;
	return status == 400 ? BB_CTL_USAGE : BB_CTL_REFUSED;
}

int bb_admin_take(struct bb_ctl *ctl, unsigned status, const struct bb_buf *body, json_t **ret_root)
{
	json_t *root = json_loadb(body->n > 0 ? body->p : "", body->n, JSON_ALLOW_NUL, NULL);
	const char *detail = json_string_value(json_object_get(root, "detail"));
	int code;

	if (json_is_object(root) && status < 300) {
		*ret_root = root;
		return BB_CTL_OK;
	}
	if (json_is_object(root))
		code = bb_ctl_fail(ctl, exit_of_status(status), "%s", detail ? detail : "refused");
	else
		code = bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the daemon's answer is no JSON");
	json_decref(root);
	return code;
}

int bb_admin_ask(struct bb_ctl *ctl, const struct bb_net_request *request, json_t **ret_root,
		 bool *ret_unreachable)
{
	struct bb_buf body = BB_BUF_EMPTY;
	struct bb_error err = {0};
	unsigned status = 0;
	const char *path;
	int ret = bb_ctl_admin_path(ctl, &path), net;

	if (ret_unreachable)
		*ret_unreachable = false;
	if (ret != BB_CTL_OK)
		return ret;
	net = bb_net_http(path, request, &status, &body, &err);
	if (net == BB_EUNREACHABLE && ret_unreachable) {
		*ret_unreachable = true;
		ret = BB_CTL_UNREACHABLE;
	} else if (net != BB_OK) {
		ret = bb_ctl_fail(ctl, bb_ctl_exit_of(net), "%s", err.msg);
	} else {
		ret = bb_admin_take(ctl, status, &body, ret_root);
	}
	bb_buf_fini(&body);
	return ret;
}

int bb_admin_post(struct bb_ctl *ctl, const char *target, json_t *order, json_t **ret_root)
{
	struct bb_net_request request = {.method = "POST", .target = target};
	char *body = json_dumps(order, JSON_COMPACT);
	int ret;

	request.body = bb_text_of(body);
	ret = bb_admin_ask(ctl, &request, ret_root, NULL);
	free(body);
	json_decref(order);
	return ret;
}

int bb_admin_fetch(struct bb_ctl *ctl, const struct bb_net_request *request,
		   struct bb_buf *ret_body)
{
	struct bb_error err = {0};
	json_t *root = NULL;
	unsigned status = 0;
	const char *path;
	int ret = bb_ctl_admin_path(ctl, &path), net;

	if (ret != BB_CTL_OK)
		return ret;
	net = bb_net_http(path, request, &status, ret_body, &err);
	if (net != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(net), "%s", err.msg);
	ret = bb_admin_take(ctl, status, ret_body, &root);
	json_decref(root);
	return ret;
}

const char *bb_admin_escape(struct bb_ctl *ctl, const char *text)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	const char *copy;

	for (; *text; text++) {
		if (strchr("-._~:", *text) || (*text >= '0' && *text <= '9') ||
		    (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z'))
			bb_buf_byte(&buf, *text);
		else
			bb_buf_printf(&buf, "%%%02X", (unsigned char)*text);
	}
	bb_buf_byte(&buf, '\0');
	copy = bb_arena_copy(&ctl->arena, bb_buf_slice(&buf)).p;
	bb_buf_fini(&buf);
	return copy;
}

struct bb_text bb_admin_text(struct bb_arena *arena, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return BB_TEXT("");
	return bb_arena_copy(arena,
			     bb_text_bytes(json_string_value(value), json_string_length(value)));
}

void bb_admin_print(struct bb_ctl *ctl, const json_t *object)
{
	json_dumpf(object, ctl->out, ctl->json ? JSON_COMPACT : JSON_INDENT(2));
	fputc('\n', ctl->out);
}

int bb_admin_read_store(struct bb_ctl *ctl, bb_ctl_read_fn *read, void *ctx)
{
	const char *path;
	int ret = bb_ctl_admin_path(ctl, &path);

	return ret == BB_CTL_OK ? bb_ctl_read_store(ctl, path, read, ctx, NULL) : ret;
}
