/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `dump`: one snapshot of the store, read directly, whether a daemon is at work on it or not. Views
 * are sorted by profile id: ids and numbers first, then each view again in that order.
 *
 * Stops at the first value that cannot be read, with code 1.
 */
#include "ctl.h"

#include <backbone/assert.h>
#include <backbone/progress.h>
#include <backbone/ruling.h>
#include <backbone/view.h>
#include <stdlib.h>

struct place {
	char id[BB_PROFILE_ID_BYTES + 1];
	uint64_t cluster;
};

struct places {
	struct place *items;
	size_t n, room;
};

static void places_add(struct places *places, const char *id, uint64_t cluster)
{
	if (places->n == places->room) {
		places->room = places->room > 0 ? 2 * places->room : 1024;
		places->items = realloc(places->items, places->room * sizeof(*places->items));
		bb_assert(places->items);
	}
	places->items[places->n].cluster = cluster;
	memcpy(places->items[places->n++].id, id, sizeof(places->items[0].id));
}

static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static int collect(struct bb_viewer *viewer, struct bb_kv *kv, struct places *places)
{
	const struct bb_view *view;
	uint64_t cursor = 0, cluster;

	for (;;) {
		int err = bb_viewer_next(viewer, kv, &cursor, &cluster);

		if (err == BB_OK)
			err = bb_viewer_fold(viewer, kv, cluster, &view);
		if (err != BB_OK)
			return err == BB_ENOTFOUND ? BB_OK : err;
		places_add(places, view->id, cluster);
	}
}

static int dump_views(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_viewer *viewer = bb_viewer_new(&ctl->config->rules);
	struct bb_buf line = BB_BUF_EMPTY;
	struct places places = {0};
	const struct bb_view *view;
	int err = collect(viewer, kv, &places);

	(void)ctx;
	if (places.n > 0)
		qsort(places.items, places.n, sizeof(*places.items), by_id);
	for (size_t i = 0; err == BB_OK && i < places.n; i++) {
		err = bb_viewer_fold(viewer, kv, places.items[i].cluster, &view);
		if (err != BB_OK)
			break;
		line.n = 0;
		bb_view_json(view, BB_VIEW_ALL, false, &line);
		bb_buf_byte(&line, '\n');
		if (fwrite(line.p, 1, line.n, ctl->out) != line.n)
			break;
	}
	free(places.items);
	bb_buf_fini(&line);
	bb_viewer_free(viewer);
	return err;
}

static void offset_json(const struct bb_progress *progress, struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"topic\":");
	bb_buf_json(buf, progress->topic);
	bb_buf_printf(buf, ",\"partition\":%d,\"next_offset\":%lld,\"passed\":%llu",
		      (int)progress->partition, (long long)progress->next_offset,
		      (unsigned long long)progress->passed);
	for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
		bb_buf_printf(buf, ",\"%s\":%llu", bb_verdict_text(v),
			      (unsigned long long)progress->results[v]);
	bb_buf_printf(buf, ",\"holes\":%llu,\"dropped\":%llu,\"gaps\":%llu}\n",
		      (unsigned long long)progress->holes, (unsigned long long)progress->dropped,
		      (unsigned long long)progress->gaps);
}

static int dump_offsets(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_text key = BB_TEXT("\0"), value;
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_progress progress;
	int err = bb_kv_seek(kv, BB_TABLE_OFFSET, key, false, &key, &value);

	(void)ctx;
	while (err == BB_OK) {
		err = bb_progress_decode(value, &progress);
		if (err != BB_OK)
			break;
		line.n = 0;
		offset_json(&progress, &line);
		fwrite(line.p, 1, line.n, ctl->out);
		err = bb_kv_seek(kv, BB_TABLE_OFFSET, key, true, &key, &value);
	}
	bb_buf_fini(&line);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

/* In the form that a topic or a file brings them, so that they can be brought again. */
static int dump_rulings(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_ruling_row row;
	struct bb_arena arena;
	int err;

	(void)ctx;
	bb_arena_init(&arena);
	while ((err = bb_ruling_next(kv, &ctl->config->rules.profile_key, &cursor, &arena, &row)) ==
	       BB_OK) {
		line.n = 0;
		bb_ruling_json(&row.ruling, &line);
		bb_buf_byte(&line, '\n');
		fwrite(line.p, 1, line.n, ctl->out);
		bb_arena_reset(&arena);
	}
	bb_arena_fini(&arena);
	bb_buf_fini(&line);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

static const struct {
	const char *option;
	bb_ctl_read_fn *run;
} dumps[] = {{"views", dump_views}, {"offsets", dump_offsets}, {"rulings", dump_rulings}};

enum { DUMP_N = sizeof(dumps) / sizeof(dumps[0]) };

/* The one that was asked for, or DUMP_N. */
static size_t choose(const struct bb_ctl *ctl)
{
	size_t chosen = DUMP_N, n = 0;

	for (size_t i = 0; i < DUMP_N; i++)
		if (bb_ctl_value(ctl, dumps[i].option)) {
			chosen = i;
			n++;
		}
	return n == 1 ? chosen : DUMP_N;
}

int bb_ctl_dump(struct bb_ctl *ctl)
{
	size_t chosen = choose(ctl);

	if (chosen == DUMP_N)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "expected one of --views, --offsets and --rulings");
	return bb_ctl_read_store(ctl, NULL, dumps[chosen].run, NULL, NULL);
}
