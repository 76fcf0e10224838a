/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `rebuild`: asks the daemon, and shows how far it is until it has ended; or cancels the one that
 * is under way. It takes a running daemon, since it is made beside what that goes on to do.
 *
 * Exit 1: it failed or was cancelled, and says why; the store is as it was. Exit 4: the log does
 * not reach back as far as the store does, or the daemon is busy, or does not allow it. A daemon
 * that ends on the way has thrown the second store away; ask again.
 */
#include "admin.h"
#include "ctl.h"
#include "maintenance.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 500000000L

static long long number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static bool shows_progress(const struct bb_ctl *ctl)
{
	return !ctl->json && isatty(fileno(ctl->err));
}

void bb_ctl_print_maintenance(const json_t *at, FILE *out)
{
	const char *phase = text_of(at, "phase");
	bool counts_records = strcmp(phase, "building") == 0 || strcmp(phase, "catching_up") == 0;
	long long done = number_of(at, "done"), total = number_of(at, "total");

	fprintf(out, "%s: %s", text_of(at, "running"), phase);
	if (counts_records)
		fprintf(out, ", %lld of %lld records", done, total);
	else if (total)
		fprintf(out, ", %lld %%", 100 * done / total);
	if (json_is_number(json_object_get(at, "per_second")))
		fprintf(out, ", %.0f a second",
			json_number_value(json_object_get(at, "per_second")));
	if (json_is_integer(json_object_get(at, "seconds_left"))) {
		fprintf(out, ", ");
		bb_ctl_print_seconds(number_of(at, "seconds_left"), out);
		fprintf(out, " left");
	}
}

static void show(struct bb_ctl *ctl, const json_t *at)
{
	if (ctl->json) {
		json_dumpf(at, ctl->out, JSON_COMPACT);
		fputc('\n', ctl->out);
		fflush(ctl->out);
	} else if (shows_progress(ctl)) {
		fputs("\r\033[K", ctl->err);
		bb_ctl_print_maintenance(at, ctl->err);
		fflush(ctl->err);
	}
}

static int tell_end(struct bb_ctl *ctl, const json_t *at)
{
	const json_t *last = json_object_get(at, "last");
	const char *result = text_of(last, "result");

	if (shows_progress(ctl))
		fputs("\r\033[K", ctl->err);
	if (ctl->json)
		show(ctl, at);
	if (strcmp(result, "done") != 0)
		return bb_ctl_fail(ctl, strcmp(result, "refused") == 0 ? BB_CTL_REFUSED : BB_CTL_NO,
				   "%s", text_of(last, "detail"));
	if (!ctl->json)
		fprintf(ctl->out, "rebuilt: data.mdb had %.1f MiB, and has %.1f MiB\n",
			(double)number_of(last, "before_bytes") / 1048576,
			(double)number_of(last, "after_bytes") / 1048576);
	return BB_CTL_OK;
}

/* BB_CTL_OK and *ret_ended, or the exit code. */
static int look(struct bb_ctl *ctl, long long run, bool *ret_ended)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/rebuild"};
	json_t *at = NULL;
	int code = bb_admin_ask(ctl, &request, &at, NULL);

	if (code != BB_CTL_OK)
		return code;
	*ret_ended = true;
	if (number_of(at, "run") != run) {
		code = bb_ctl_fail(ctl, BB_CTL_UNREACHABLE,
				   "the daemon was started anew meanwhile, which ended the "
				   "rebuild: ask again");
	} else if (json_is_null(json_object_get(at, "running"))) {
		code = tell_end(ctl, at);
	} else {
		*ret_ended = false;
		show(ctl, at);
	}
	json_decref(at);
	return code;
}

static int wait_for(struct bb_ctl *ctl, long long run)
{
	const struct timespec pause = {0, LOOK_NS};
	int code = BB_CTL_OK;
	bool ended = false;

	while (code == BB_CTL_OK && !ended) {
		code = look(ctl, run, &ended);
		if (code == BB_CTL_OK && !ended)
			nanosleep(&pause, NULL);
	}
	return code;
}

static int ask(struct bb_ctl *ctl, const char *method, const char *target, long long *ret_run)
{
	struct bb_net_request request = {.method = method, .target = target};
	json_t *root = NULL;
	int code = bb_admin_ask(ctl, &request, &root, NULL);

	if (code == BB_CTL_OK)
		*ret_run = number_of(root, "run");
	json_decref(root);
	return code;
}

int bb_ctl_rebuild(struct bb_ctl *ctl)
{
	bool accepts = bb_ctl_value(ctl, "accept-loss") != NULL;
	long long run = 0;
	int code;

	if (bb_ctl_value(ctl, "cancel")) {
		code = ask(ctl, "DELETE", "/v1/rebuild", &run);
		if (code == BB_CTL_OK && ctl->json)
			fprintf(ctl->out, "{\"cancelled\":%lld}\n", run);
		else if (code == BB_CTL_OK)
			fputs("cancelled\n", ctl->out);
		return code;
	}
	code = ask(ctl, "POST", accepts ? "/v1/rebuild?accept_loss=1" : "/v1/rebuild", &run);
	if (code != BB_CTL_OK || !bb_ctl_value(ctl, "detach"))
		return code == BB_CTL_OK ? wait_for(ctl, run) : code;
	if (ctl->json)
		fprintf(ctl->out, "{\"run\":%lld}\n", run);
	else
		fputs("begun\n", ctl->out);
	return BB_CTL_OK;
}
