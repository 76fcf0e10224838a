/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `purge`: asks the daemon, and looks at its status until that purge has ended; where no daemon
 * answers, it is done here, under the store's lock.
 *
 * Exit 1: it failed, and says why; the store is as it was. Exit 4: the daemon is busy, or does not
 * allow it. A daemon that ends on the way leaves the old file or the new one; ask again.
 */
#include "ctl.h"
#include "net.h"

#include <backbone/beside.h>
#include <backbone/store.h>

#include <jansson.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 200000000L

struct sizes {
	unsigned long long before, after;
};

static void print_sizes(struct bb_ctl *ctl, const struct sizes *sizes)
{
	if (ctl->json)
		fprintf(ctl->out, "{\"purged\":true,\"before_bytes\":%llu,\"after_bytes\":%llu}\n",
			sizes->before, sizes->after);
	else
		fprintf(ctl->out, "purged: data.mdb had %.1f MiB, and has %.1f MiB\n",
			(double)sizes->before / 1048576, (double)sizes->after / 1048576);
}

static bool shows_progress(struct bb_ctl *ctl)
{
	return !ctl->json && isatty(fileno(ctl->err));
}

static void show(struct bb_ctl *ctl, const char *phase, uint64_t done, uint64_t total)
{
	if (shows_progress(ctl))
		fprintf(ctl->err, "\r%s: %3llu %%  ", phase,
			(unsigned long long)(total ? done * 100 / total : 0));
}

static void end_progress(struct bb_ctl *ctl)
{
	if (shows_progress(ctl))
		fputs("\r\033[K", ctl->err);
}

/* --- by the daemon ---------------------------------------------------------------------------- */

/* A JSON object from the daemon, or NULL after printing why; *ret_code is the exit code. */
static json_t *ask(struct bb_ctl *ctl, const char *path, const struct bb_net_request *request,
		   int *ret_code)
{
	struct bb_buf body = BB_BUF_EMPTY;
	struct bb_error err = {0};
	json_t *root = NULL;
	unsigned status = 0;
	int ret = bb_net_http(path, request, &status, &body, &err);

	if (ret == BB_OK)
		root = json_loadb(body.p ? body.p : "", body.n, 0, NULL);
	bb_buf_fini(&body);
	if (ret != BB_OK) {
		*ret_code = bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	} else if (!json_is_object(root)) {
		*ret_code = bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the daemon's answer is no JSON");
	} else if (status >= 300) {
		const char *why = json_string_value(json_object_get(root, "detail"));

		*ret_code = bb_ctl_fail(ctl, BB_CTL_REFUSED, "%s", why ? why : "refused");
	} else {
		return root;
	}
	json_decref(root);
	return NULL;
}

static int tell_end(struct bb_ctl *ctl, const json_t *last)
{
	const char *result = json_string_value(json_object_get(last, "result"));
	const char *detail = json_string_value(json_object_get(last, "detail"));
	struct sizes sizes = {
		(unsigned long long)json_integer_value(json_object_get(last, "before_bytes")),
		(unsigned long long)json_integer_value(json_object_get(last, "after_bytes"))};

	end_progress(ctl);
	if (!result || strcmp(result, "done") != 0)
		return bb_ctl_fail(ctl, BB_CTL_NO, "%s", detail ? detail : "it failed");
	print_sizes(ctl, &sizes);
	return BB_CTL_OK;
}

/* BB_CTL_OK and *ret_ended, or the exit code. */
static int look(struct bb_ctl *ctl, const char *path, long long run, bool *ret_ended)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/status"};
	int code = BB_CTL_OK;
	json_t *root = ask(ctl, path, &request, &code), *at;

	if (!root)
		return code;
	at = json_object_get(root, "maintenance");
	*ret_ended = true;
	if (json_integer_value(json_object_get(at, "run")) != run) {
		code = bb_ctl_fail(ctl, BB_CTL_UNREACHABLE,
				   "the daemon was started anew meanwhile: purge again");
	} else if (json_is_null(json_object_get(at, "running"))) {
		code = tell_end(ctl, json_object_get(at, "last"));
	} else {
		*ret_ended = false;
		show(ctl, json_string_value(json_object_get(at, "phase")),
		     (uint64_t)json_integer_value(json_object_get(at, "done")),
		     (uint64_t)json_integer_value(json_object_get(at, "total")));
	}
	json_decref(root);
	return code;
}

static int purge_by_daemon(struct bb_ctl *ctl, const char *path)
{
	struct bb_net_request request = {.method = "POST", .target = "/v1/purge"};
	const struct timespec pause = {0, LOOK_NS};
	int code = BB_CTL_OK;
	json_t *root = ask(ctl, path, &request, &code);
	bool ended = false;
	long long run;

	if (!root)
		return code;
	run = json_integer_value(json_object_get(root, "run"));
	json_decref(root);
	while (code == BB_CTL_OK && !ended) {
		code = look(ctl, path, run, &ended);
		if (code == BB_CTL_OK && !ended)
			nanosleep(&pause, NULL);
	}
	return code;
}

/* --- without a daemon ------------------------------------------------------------------------- */

static bool on_progress(void *ctx, uint64_t done, uint64_t total)
{
	show(ctx, "copying", done, total);
	return true;
}

static int compact(struct bb_ctl *ctl, struct bb_store *store, struct bb_error *err)
{
	struct bb_store_progress progress = {on_progress, ctl};
	struct bb_store *beside = NULL;
	struct bb_error closing = {0};
	int ret = bb_store_open_beside(store, &beside, err), closed;

	if (ret != BB_OK)
		return ret;
	ret = bb_store_compact(store, beside, &progress, err);
	if (ret == BB_OK)
		ret = bb_store_finish(store, beside, err);
	if (ret == BB_OK)
		ret = bb_store_swap(store, beside, err);
	closed = bb_store_close_beside(beside, &closing);
	if (ret == BB_OK && closed != BB_OK)
		*err = closing;
	return ret == BB_OK ? closed : ret;
}

static int purge_here(struct bb_ctl *ctl)
{
	struct bb_store_stats before = {0}, after = {0};
	struct bb_store *store = NULL;
	struct bb_error err = {0};
	int ret = bb_ctl_load_config(ctl);

	if (ret != BB_CTL_OK)
		return ret;
	if (access(ctl->config->store_path, F_OK) != 0) /* opening would make one */
		return bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "%s: there is no store here",
				   ctl->config->store_path);
	ret = bb_ctl_open_store_to_write(ctl, &store);
	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_store_stats(store, &before);
	if (ret == BB_OK)
		ret = compact(ctl, store, &err);
	if (ret == BB_OK)
		ret = bb_store_stats(store, &after);
	bb_store_close(store);
	end_progress(ctl);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, BB_CTL_NO, "%s", err.msg[0] ? err.msg : bb_error_text(ret));
	print_sizes(ctl, &(struct sizes){before.file_bytes, after.file_bytes});
	return BB_CTL_OK;
}

int bb_ctl_purge(struct bb_ctl *ctl)
{
	struct bb_error err = {0};
	const char *path;
	int fd = -1, ret = bb_ctl_admin_path(ctl, &path);

	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_net_connect(path, &fd, &err);
	if (ret == BB_EUNREACHABLE)
		return purge_here(ctl);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	close(fd);
	return purge_by_daemon(ctl, path);
}
