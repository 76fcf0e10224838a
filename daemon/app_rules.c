/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start with other identity rules than those that the store was made with: they are applied to
 * the past. A second store is made from the records of the first, synced, and takes its place; only
 * then is anything read or answered. The service manager is told how far it is, and to be patient.
 *
 * What fails, or ends the process on the way, leaves the store as it was, under its old rules: the
 * next start begins again, or goes on as before if the rules were put back.
 */
#include "app.h"

#include <backbone/adopt.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>

#define TELL_NS UINT64_C(2000000000)
#define PATIENCE_MS 60000 /* from one word to the next */

struct adoption {
	struct bb_store *beside;
	uint64_t told_ns;
};

static int on_write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct adoption *adoption = ctx;

	return bb_store_write_begin(adoption->beside, ret_kv);
}

static bool on_progress(void *ctx, unsigned permille)
{
	struct adoption *adoption = ctx;
	uint64_t now_ns = bb_clock_monotonic_ns();

	if (now_ns - adoption->told_ns < TELL_NS)
		return true;
	adoption->told_ns = now_ns;
	bb_sdnotify_extend(PATIENCE_MS);
	bb_sdnotify_watchdog();
	bb_sdnotify_status("changed rules are applied to the past: %u %%", permille / 10);
	return true;
}

static int fill(struct bb_app *app, struct bb_store *beside)
{
	struct adoption adoption = {.beside = beside};
	struct bb_adopt_target target = {.write_begin = on_write_begin,
					 .write_commit = bb_store_write_commit,
					 .write_abort = bb_store_write_abort,
					 .progress = on_progress,
					 .ctx = &adoption};
	struct bb_kv *kv;
	int code = bb_store_read_begin(app->reader, &kv);

	if (code)
		return code;
	code = bb_adopt(kv, &app->config->rules, &target);
	bb_store_read_end(app->reader);
	return code;
}

static int replace(struct bb_app *app, struct bb_store *beside, struct bb_error *err)
{
	int code = fill(app, beside);

	if (code)
		return bb_error_set(err, code,
				    "%s: the changed rules of identity could not be applied to "
				    "what is stored (%s); nothing was changed: put them back, or "
				    "mend what is wrong, and start again",
				    app->config->store_path, bb_error_text(code));
	code = bb_store_finish(app->store, beside, err);
	return code ? code : bb_store_swap(app->store, beside, err);
}

int bb_app_adopt(struct bb_app *app, struct bb_error *err)
{
	uint64_t began_ns = bb_clock_monotonic_ns();
	struct bb_store *beside = NULL;
	struct bb_error closing = {0};
	int code, closed;

	bb_log(BB_LOG_NOTICE, "rules_changed",
	       "the rules of identity are not those of the store: they are applied to the past; "
	       "changes of normalise, region and derive act on new events only");
	bb_sdnotify_extend(PATIENCE_MS);
	code = bb_store_open_beside(app->store, &beside, err);
	if (code)
		return code;
	code = replace(app, beside, err);
	closed = bb_store_close_beside(beside, &closing);
	if (!code && closed) {
		*err = closing;
		return closed;
	}
	if (!code)
		bb_log(BB_LOG_NOTICE, "rules_applied", "ms=%" PRIu64,
		       (bb_clock_monotonic_ns() - began_ns) / 1000000);
	return code;
}
