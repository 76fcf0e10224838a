/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources are asked in turn, a little at a time, until the batch that gathers is full, the turn's
 * budget is spent, or none has more. A full batch is the back pressure: descriptors are not watched
 * then, and what a source has stays in its own bounded queue.
 *
 * A gap is an alarm that stays until the daemon is started again after an operator's word; the
 * other partitions go on. Trouble of a broker or a file is said and left to the source, which tries
 * again.
 */
#include "machine.h"

#include <backbone/assert.h>
#include <backbone/log.h>

#define MESSAGE_OVERHEAD 64 /* counted for a message beside its bytes */

bool bb_gather_full(const struct bb_ingest *ingest)
{
	const struct bb_intake *batch = ingest->gathering;

	return batch->n >= ingest->options.batch_events ||
	       batch->bytes >= ingest->options.batch_bytes;
}

static void receive(struct bb_feed *feed, size_t n)
{
	struct bb_ingest *ingest = feed->ingest;
	struct bb_intake *batch = ingest->gathering;

	for (size_t i = 0; i < n; i++) {
		const struct bb_message *msg = &batch->items[batch->n].message;
		struct bb_partition *part =
			bb_partitions_get(&ingest->partitions, msg->topic, msg->partition);

		if (!part->source) /* written once: the job reads it too */
			part->source = feed->source;
		bb_assert(part->source == feed->source);
		batch->partitions[batch->n++] = part;
		batch->bytes += msg->value.n + msg->key.n + MESSAGE_OVERHEAD;
	}
	if (n)
		ingest->progress_ms = uv_now(ingest->options.loop);
	feed->quiet = n == 0;
}

static void note_trouble(struct bb_feed *feed, const struct bb_error *err)
{
	struct bb_ingest *ingest = feed->ingest;

	if (err->code == BB_EGAP) {
		if (!ingest->options.aside)
			bb_log(BB_LOG_ERROR, "log_gap", "%s", err->msg);
		if (ingest->alarm_n < BB_ALARMS_MAX)
			ingest->alarms[ingest->alarm_n++] = *err;
		return;
	}
	bb_log(BB_LOG_WARNING, "source_trouble", "%s", err->msg);
	feed->trouble = *err;
	feed->quiet = true;
}

/* Returns how many were taken. */
static size_t ask(struct bb_feed *feed, size_t room)
{
	struct bb_intake *batch = feed->ingest->gathering;
	struct bb_error err = {0};
	size_t n = 0;
	int code = feed->source->ops->take(feed->source, batch->items + batch->n, room, &n, &err);

	bb_assert(n <= room);
	if (code) {
		err.code = code;
		note_trouble(feed, &err);
		return 0;
	}
	if (n || feed->trouble.code == BB_EIO) /* what cannot be read is said each time */
		feed->trouble.code = BB_OK;
	receive(feed, n);
	return n;
}

static size_t room_left(const struct bb_ingest *ingest)
{
	size_t room = ingest->options.batch_events - ingest->gathering->n;

	return room < BB_GATHER_CHUNK ? room : BB_GATHER_CHUNK;
}

void bb_gather(struct bb_ingest *ingest)
{
	size_t taken = 0, silent = 0;

	if (ingest->holding || ingest->stopping || ingest->feed_n == 0)
		return;
	while (silent < ingest->feed_n && taken < BB_GATHER_BUDGET && !bb_gather_full(ingest)) {
		struct bb_feed *feed = &ingest->feeds[ingest->turn];
		size_t n = ask(feed, room_left(ingest));

		ingest->turn = (ingest->turn + 1) % ingest->feed_n;
		taken += n;
		silent = n ? 0 : silent + 1;
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct bb_feed *feed = poll->data;

	(void)status; /* an error of the descriptor shows when the source is asked */
	(void)events;
	bb_ingest_pump(feed->ingest);
}

static void on_spin(uv_idle_t *spin)
{
	bb_ingest_pump(spin->data);
}

static void watch(struct bb_feed *feed, bool wanted)
{
	if (!feed->has_poll || feed->polling == wanted)
		return;
	if (wanted)
		bb_assert(uv_poll_start(&feed->poll, UV_READABLE, on_readable) == 0);
	else
		bb_assert(uv_poll_stop(&feed->poll) == 0);
	feed->polling = wanted;
}

void bb_gather_watch(struct bb_ingest *ingest)
{
	bool wanted =
		!ingest->holding && !ingest->stopping && !ingest->ended && !bb_gather_full(ingest);
	bool spin = false;

	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_feed *feed = &ingest->feeds[i];

		watch(feed, wanted);
		spin = spin || (wanted && !feed->has_poll && !feed->quiet);
	}
	if (spin)
		uv_idle_start(&ingest->spin, on_spin);
	else
		uv_idle_stop(&ingest->spin);
}

bool bb_gather_drained(struct bb_ingest *ingest)
{
	bool drained = true;

	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_feed *feed = &ingest->feeds[i];

		/* all are asked, so that each knows where it was when asked first */
		drained = feed->source->ops->drained(feed->source) && feed->quiet && drained;
	}
	return drained;
}
