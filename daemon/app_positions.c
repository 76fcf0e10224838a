/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far the second store of a rebuild is, partition by partition, beside the first; and what it
 * will not get, because the log no longer has it: a topic or file that nobody reads any more, or
 * the beginning of a log that retention or compaction took away. That is seen by where reading
 * begins: the first offset that the second store gets, compared with the first store's.
 *
 * Nothing here fails; a loss is an answer.
 */
#include "app.h"

#include <backbone/progress.h>

#include <inttypes.h>

#define LOSSES_SHOWN 3

/*
 * Where the reading of a partition began. Where an operator had it jump, less than that, by what
 * was read before and is behind: then it may be below nought, as of a log that began anew.
 */
static int64_t began_at(const struct bb_progress *progress)
{
	return progress->next_offset - (int64_t)progress->passed;
}

static bool has_records(const struct bb_progress *progress)
{
	return progress->next_offset > 0 && progress->passed > 0;
}

static void count(struct bb_app *app, const struct bb_progress *first, struct bb_positions *sum)
{
	int64_t began = began_at(first) > 0 ? began_at(first) : 0, end, next = began;
	struct bb_ingest *ingest = app->rebuild.ingest;
	bool is_read = bb_ingest_reads(ingest, first->topic, first->partition);
	struct bb_progress second;

	if (!is_read && !bb_ingest_reads(app->ingest, first->topic, first->partition))
		return; /* lost, and accepted: else it would not have begun */
	end = bb_ingest_end(ingest, first->topic, first->partition);
	if (end < first->next_offset)
		end = first->next_offset;
	if (bb_ingest_progress_of(ingest, first->topic, first->partition, &second))
		next = second.next_offset;
	else
		sum->all_begun = false;
	sum->all += (uint64_t)(end - began);
	if (next > began)
		sum->done += (uint64_t)((next < end ? next : end) - began);
	if (next >= first->next_offset)
		return;
	sum->behind += (uint64_t)(first->next_offset - next);
	sum->deaf = sum->deaf || !is_read;
}

void bb_app_positions(struct bb_app *app, struct bb_positions *ret_positions)
{
	struct bb_progress first;
	size_t at = 0;

	*ret_positions = (struct bb_positions){.all_begun = true};
	while (bb_ingest_progress_next(app->ingest, &at, &first))
		if (has_records(&first))
			count(app, &first, ret_positions);
}

/* Appends what of the partition is lost; false: nothing. */
static bool tell_loss(struct bb_app *app, const struct bb_progress *first, bool at_all,
		      struct bb_buf *buf)
{
	int64_t began = began_at(first);
	struct bb_progress second;

	if (at_all && !bb_ingest_reads(app->ingest, first->topic, first->partition)) {
		bb_buf_printf(buf, "%.*s/%" PRId32 ", which nothing reads any more: all %" PRIu64,
			      (int)first->topic.n, first->topic.p, first->partition, first->passed);
		return true;
	}
	if (at_all ||
	    !bb_ingest_progress_of(app->rebuild.ingest, first->topic, first->partition, &second) ||
	    began_at(&second) <= began)
		return false;
	bb_buf_printf(buf, "%.*s/%" PRId32 ", whose log ", (int)first->topic.n, first->topic.p,
		      first->partition);
	if (began < 0)
		bb_buf_printf(buf, "is not the one of before");
	else
		bb_buf_printf(buf, "begins at offset %" PRId64 " now", began_at(&second));
	bb_buf_printf(
		buf, ": %" PRId64,
		(began_at(&second) < first->next_offset ? began_at(&second) : first->next_offset) -
			began);
	return true;
}

int bb_app_positions_lost(struct bb_app *app, bool at_all, struct bb_error *err)
{
	struct bb_buf list = BB_BUF_EMPTY;
	struct bb_progress first;
	size_t at = 0, n = 0;
	int code = BB_OK;

	while (bb_ingest_progress_next(app->ingest, &at, &first)) {
		size_t before = list.n;

		if (!has_records(&first))
			continue;
		if (n)
			bb_buf_printf(&list, "; ");
		bool is_lost = tell_loss(app, &first, at_all, &list);

		n += is_lost;
		if (!is_lost || n > LOSSES_SHOWN)
			list.n = before;
	}
	if (n > LOSSES_SHOWN)
		bb_buf_printf(&list, "; and %zu more", n - LOSSES_SHOWN);
	if (n)
		code = bb_error_set(err, BB_EGAP,
				    "records that are in the store are no longer in the log, and "
				    "would be lost (--accept-loss rebuilds without them); nothing "
				    "was changed: of %.*s",
				    (int)list.n, list.p);
	bb_buf_fini(&list);
	return code;
}
