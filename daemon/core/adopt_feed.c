/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the change feed says when a second store takes the place of the first: ids that came, went
 * or moved; then every profile that kept its id and whose view is another, as whoever follows the
 * feed keeps what they have of one that is not named. Views are folded in both stores and compared
 * as they are written.
 *
 * Where a store cannot be read, or `report` gives it up, that is the answer; what was told until
 * then is worth nothing.
 */
#include <backbone/view.h>

#include "adopt.h"
#include "feed.h"

struct told {
	struct bb_feed feed;
	enum bb_change_cause cause;
};

static void tell(void *ctx, const struct bb_difference *difference)
{
	static const enum bb_change_kind kinds[] = {
		[BB_DIFFERENCE_MERGED] = BB_CHANGE_MERGED,
		[BB_DIFFERENCE_SPLIT] = BB_CHANGE_SPLIT,
		[BB_DIFFERENCE_CREATED] = BB_CHANGE_CREATED,
		[BB_DIFFERENCE_RENAMED] = BB_CHANGE_RENAMED,
		[BB_DIFFERENCE_GONE] = BB_CHANGE_ERASED, /* of changed rules: all is blocked */
	};
	struct told *told = ctx;
	struct bb_feed_entry entry = {.kind = kinds[difference->kind],
				      .cause = told->cause,
				      .profile = difference->a,
				      .other = difference->b};

	bb_feed_add(&told->feed, &entry);
}

struct sides { /* the same profile in both stores */
	struct bb_viewer *viewers[2];
	struct bb_buf views[2];
	struct bb_kv *kvs[2];
};

/* BB_ENOTFOUND: the id is no profile's there, or by now another's. */
static int fold(struct sides *sides, int side, uint64_t cluster)
{
	struct bb_buf *buf = &sides->views[side];
	const struct bb_view *view;
	int rc = bb_viewer_fold(sides->viewers[side], sides->kvs[side], cluster, &view);

	buf->n = 0;
	if (rc == BB_OK)
		bb_view_json(view, BB_VIEW_ALL, false, buf);
	return rc;
}

static int compare_view(struct sides *sides, const struct bb_hash *id, bool *ret_differs)
{
	char text[BB_PROFILE_ID_BYTES];
	struct bb_found found;
	int rc = BB_OK;

	*ret_differs = false;
	bb_hash_profile_id(id, text);
	for (int side = 0; rc == BB_OK && side < 2; side++) {
		rc = bb_viewer_find(sides->viewers[side], sides->kvs[side],
				    bb_text_bytes(text, sizeof(text)), &found);
		if (rc == BB_OK && memcmp(found.id, text, sizeof(text)) != 0)
			return BB_OK;
		if (rc == BB_OK)
			rc = fold(sides, side, found.cluster);
	}
	if (rc == BB_ENOTFOUND || rc == BB_EACCESS)
		return BB_OK;
	*ret_differs = rc == BB_OK && !bb_text_equal(bb_buf_slice(&sides->views[0]),
						     bb_buf_slice(&sides->views[1]));
	return rc;
}

/* The first store's profiles that are still there with another view. */
static int tell_updates(struct told *told, struct sides *sides,
			const struct bb_adopt_telling *telling)
{
	struct bb_adopt_walk walk = {.kv = telling->from, .table = BB_TABLE_PROFILE};
	struct bb_hash id;
	int rc;

	while ((rc = bb_adopt_next_id(&walk, &id)) == BB_OK) {
		bool differs;

		rc = compare_view(sides, &id, &differs);
		if (rc == BB_OK && differs)
			bb_feed_add(&told->feed, &(struct bb_feed_entry){.kind = BB_CHANGE_UPDATED,
									 .cause = told->cause,
									 .profile = id});
		if (rc == BB_OK)
			rc = telling->report(telling->ctx);
		if (rc != BB_OK)
			return rc;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_adopt_tell(const struct bb_adopt_telling *telling, struct bb_batch *to)
{
	struct sides sides = {
		.viewers = {bb_viewer_new(telling->from_rules), bb_viewer_new(to->rules)},
		.kvs = {telling->from, to->kv}};
	struct told told = {.cause = telling->cause};
	int rc;

	bb_feed_begin(&told.feed, to);
	rc = bb_adopt_compare_profiles(telling->from, to->kv, tell, &told);
	if (rc == BB_OK && to->rules->changes_max) /* else nobody could read of it */
		rc = tell_updates(&told, &sides, telling);
	bb_feed_end(&told.feed);
	for (int i = 0; i < 2; i++) {
		bb_viewer_free(sides.viewers[i]);
		bb_buf_fini(&sides.views[i]);
	}
	return rc;
}
