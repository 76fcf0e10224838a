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

static int dump_views(struct bb_ctl *ctl, struct bb_kv *kv)
{
	struct bb_viewer *viewer = bb_viewer_new(&ctl->config->rules);
	struct bb_buf line = BB_BUF_EMPTY;
	struct places places = {0};
	const struct bb_view *view;
	int err = collect(viewer, kv, &places);

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

static int dump_offsets(struct bb_ctl *ctl, struct bb_kv *kv)
{
	struct bb_text key = BB_TEXT("\0"), value;
	struct bb_buf line = BB_BUF_EMPTY;
	struct bb_progress progress;
	int err = bb_kv_seek(kv, BB_TABLE_OFFSET, key, false, &key, &value);

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

int bb_ctl_dump(struct bb_ctl *ctl)
{
	bool views = bb_ctl_value(ctl, "views"), offsets = bb_ctl_value(ctl, "offsets");
	struct bb_store_reader *reader = NULL;
	struct bb_store *store = NULL;
	struct bb_kv *kv;
	int ret, err;

	if (views == offsets)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected one of --views and --offsets");
	ret = bb_ctl_open_store(ctl, &store);
	if (ret != BB_CTL_OK)
		return ret;
	err = bb_store_reader_new(store, &reader);
	if (err == BB_OK)
		err = bb_store_read_begin(reader, &kv);
	if (err == BB_OK) {
		err = views ? dump_views(ctl, kv) : dump_offsets(ctl, kv);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	bb_store_close(store);
	return err == BB_OK ? BB_CTL_OK
			    : bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s",
					  ctl->config->store_path, bb_error_text(err));
}
