/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rebuild carries over from the first store to the second, each time in a snapshot of the
 * first: jobs of the pool. Errors are the stores', and end the rebuild.
 */
#include "app.h"

#include <backbone/clock.h>

#include <inttypes.h>

struct use { /* what is done with a snapshot of the first store */
	struct bb_app *app;
	struct bb_pipeline *pl;
	struct bb_kv *to;
	int (*run)(struct use *use, struct bb_kv *from);
};

static int with_first(struct use *use)
{
	struct bb_store_reader *reader = NULL;
	struct bb_kv *from;
	int code = bb_store_reader_new(use->app->store, &reader);

	if (code)
		return code;
	code = bb_store_read_begin(reader, &from);
	if (!code) {
		code = use->run(use, from);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	return code;
}

static int write_begin(void *ctx, struct bb_kv **ret_kv)
{
	struct bb_app *app = ctx;

	return bb_store_write_begin(app->maintenance.beside, ret_kv);
}

/* --- before anything is read ------------------------------------------------------------------ */

static int carry_orders(struct use *use, struct bb_kv *from)
{
	struct bb_kv *to;
	int code = write_begin(use->app, &to);

	if (code)
		return code;
	code = bb_carry_orders(from, to, &use->app->ruling->rules.profile_key);
	if (!code)
		return bb_store_write_commit(to);
	bb_store_write_abort(to);
	return code;
}

int bb_app_carry_orders(struct bb_app *app)
{
	return with_first(&(struct use){.app = app, .run = carry_orders});
}

/* --- meanwhile -------------------------------------------------------------------------------- */

static int carry_more(struct use *use, struct bb_kv *from)
{
	struct bb_rebuild *rebuild = &use->app->rebuild;

	return bb_carry_more(from, use->to, use->pl, &use->app->ruling->rules.profile_key,
			     &rebuild->arena, &rebuild->carried);
}

int bb_app_carry_more(struct bb_app *app, struct bb_pipeline *pl, struct bb_kv *to)
{
	return with_first(&(struct use){.app = app, .pl = pl, .to = to, .run = carry_more});
}

/* --- at the end ------------------------------------------------------------------------------- */

static bool on_permille(void *ctx, unsigned permille)
{
	return bb_app_maintenance_progress(ctx, permille, 1000);
}

static int carry_end(struct use *use, struct bb_kv *from)
{
	struct bb_rebuild *rebuild = &use->app->rebuild;
	struct bb_adopt_target target = {.write_begin = write_begin,
					 .write_commit = bb_store_write_commit,
					 .write_abort = bb_store_write_abort,
					 .progress = on_permille,
					 .ctx = use->app};
	struct bb_audit entry = {.at_ms = bb_clock_wall_ms(),
				 .uid = rebuild->uid,
				 .action = bb_text_of(bb_audit_action_text(BB_AUDIT_REBUILD)),
				 .subject = {"", 0}};

	entry.actor = bb_serve_user(rebuild->uid, &rebuild->arena);
	entry.detail = bb_arena_printf(&rebuild->arena, "records=%" PRIu64 "%s", rebuild->records,
				       rebuild->accept_loss ? " accept_loss" : "");
	return bb_carry_end(from, &use->app->ruling->rules, &target, &entry);
}

int bb_app_carry_end(struct bb_app *app)
{
	return with_first(&(struct use){.app = app, .run = carry_end});
}
