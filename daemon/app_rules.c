/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other identity rules than those that the store was made with are applied to the past: a second
 * store is made from the records of the first, synced, and takes its place. At a start that is done
 * before anything is read or answered; at a reload on the pool, while look-ups go on, and
 * app_maintenance.c has the rest. The service manager is told how far it is, and to be patient.
 *
 * What fails, or ends the process on the way, leaves the store as it was, under its old rules: the
 * next start begins again, or goes on as before if the rules were put back. Identifiers of a
 * namespace that is gone would be lost for good: that is refused where nobody confirmed it.
 */
#include "app.h"

#include <backbone/adopt.h>
#include <backbone/beside.h>
#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>

#define TELL_NS UINT64_C(2000000000)
#define PATIENCE_MS 60000 /* from one word to the next */

/* --- the second store ------------------------------------------------------------------------- */

static int on_write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app_adoption *adoption = ctx;

	return bb_store_write_begin(adoption->beside, ret_kv);
}

static bool on_progress(void *ctx, unsigned permille)
{
	struct bb_app_adoption *adoption = ctx;

	return adoption->progress(adoption->ctx, permille);
}

static int check_dropped(const struct bb_app_adoption *adoption, struct bb_kv *kv,
			 struct bb_error *err)
{
	struct bb_buf names = BB_BUF_EMPTY;
	uint64_t count = 0;
	int code = bb_adopt_dropped(kv, adoption->rules, &names, &count);

	if (code)
		bb_error_set(err, code, "the identifiers cannot be counted: %s",
			     bb_error_text(code));
	else if (count && !adoption->accept_dropped)
		code = bb_error_set(
			err, BB_ECONFIG,
			"identity.namespaces: the store has %" PRIu64 " identifiers of namespaces "
			"that are no longer there (%.*s), which would be lost for good; nothing "
			"was changed: put the namespaces back, or stop the daemon and start it "
			"once with --accept-dropped-namespaces",
			count, (int)names.n, names.p);
	bb_buf_fini(&names);
	return code;
}

static int fail(int code, struct bb_error *err)
{
	if (code == BB_EBUSY)
		return bb_error_set(err, code, "given up, as the daemon ends; nothing was changed");
	return bb_error_set(err, code,
			    "the changed rules of identity could not be applied to what is stored "
			    "(%s); nothing was changed: put them back, or mend what is wrong, and "
			    "try again",
			    bb_error_text(code));
}

static int fill(struct bb_app_adoption *adoption, struct bb_kv *kv, struct bb_error *err)
{
	struct bb_adopt_target target = {.write_begin = on_write_begin,
					 .write_commit = bb_store_write_commit,
					 .write_abort = bb_store_write_abort,
					 .progress = on_progress,
					 .ctx = adoption};
	int code = check_dropped(adoption, kv, err);

	if (!code)
		code = bb_store_open_beside(adoption->store, &adoption->beside, err);
	if (code)
		return code;
	code = bb_adopt(kv, adoption->rules, &target);
	return code ? fail(code, err) : BB_OK;
}

/* In a snapshot; BB_OK and no second store: the rules are those of the store. */
static int compare_and_fill(struct bb_app_adoption *adoption, struct bb_store_reader *reader,
			    struct bb_error *err)
{
	struct bb_kv *kv;
	int code = bb_store_read_begin(reader, &kv);

	if (code)
		return bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	code = bb_pipeline_rules_match(kv, adoption->rules);
	if (code == BB_ECONFIG)
		code = fill(adoption, kv, err);
	else if (code)
		bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	bb_store_read_end(reader);
	return code;
}

static void discard(struct bb_app_adoption *adoption)
{
	struct bb_error ignored;

	if (adoption->beside && bb_store_close_beside(adoption->beside, &ignored))
		bb_log(BB_LOG_WARNING, "next_not_removed", "%s; a start removes it", ignored.msg);
	adoption->beside = NULL;
}

int bb_app_adopt_beside(struct bb_app_adoption *adoption, struct bb_error *err)
{
	struct bb_store_reader *reader = NULL;
	int code = bb_store_reader_new(adoption->store, &reader);

	if (code)
		return bb_error_set(err, code, "the store cannot be read: %s", bb_error_text(code));
	adoption->beside = NULL;
	code = compare_and_fill(adoption, reader, err);
	bb_store_reader_free(reader);
	if (!code && adoption->beside)
		code = bb_store_finish(adoption->store, adoption->beside, err);
	if (code)
		discard(adoption);
	return code;
}

/* --- at a start ------------------------------------------------------------------------------- */

static bool tell_start(void *ctx, unsigned permille)
{
	uint64_t *told_ns = ctx, now_ns = bb_clock_monotonic_ns();

	if (now_ns - *told_ns < TELL_NS)
		return true;
	*told_ns = now_ns;
	bb_app_rules_patience();
	bb_sdnotify_watchdog();
	bb_sdnotify_status("changed rules are applied to the past: %u %%", permille / 10);
	return true;
}

static int replace(struct bb_app *app, struct bb_error *err)
{
	uint64_t told_ns = 0;
	struct bb_app_adoption adoption = {
		.store = app->store,
		.rules = &app->config->rules,
		.accept_dropped = app->options.accept_dropped,
		.progress = tell_start,
		.ctx = &told_ns,
	};
	struct bb_error closing = {0};
	int code = bb_app_adopt_beside(&adoption, err);

	if (code || !adoption.beside)
		return code;
	code = bb_store_swap(app->store, adoption.beside, err);
	if (bb_store_close_beside(adoption.beside, &closing) && !code) {
		*err = closing;
		code = closing.code;
	}
	return code;
}

int bb_app_adopt(struct bb_app *app, struct bb_error *err)
{
	uint64_t began_ns = bb_clock_monotonic_ns();
	int code;

	bb_log(BB_LOG_NOTICE, "rules_changed",
	       "the rules of identity are not those of the store: they are applied to the past; "
	       "changes of normalise, region and derive act on new events only");
	bb_app_rules_patience();
	code = replace(app, err);
	if (!code)
		bb_log(BB_LOG_NOTICE, "rules_applied", "ms=%" PRIu64,
		       (bb_clock_monotonic_ns() - began_ns) / 1000000);
	return code;
}

void bb_app_rules_patience(void)
{
	bb_sdnotify_extend(PATIENCE_MS);
}
