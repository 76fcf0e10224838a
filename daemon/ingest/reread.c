/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading again: a partition has, beside its position, a second one that runs from an offset that
 * was read before up to where the partition stood. Its own position stays where it is, with the
 * fingerprint of the last record: so a gap is seen as ever, erasures know what came before them,
 * and a crash goes on where the last commit was. Records pass through the pipeline, in whose window
 * those that count already are copies; only what was dropped, or refused, is new.
 *
 * Names that are needed for that are not swept meanwhile. A record from before the oldest of them
 * is left alone. A dead letter of a record goes in the transaction in which that is read again.
 */
#include "machine.h"

#include <backbone/assert.h>
#include <backbone/log.h>

#include <inttypes.h>
#include <stdlib.h>

/* --- which partitions ------------------------------------------------------------------------- */

/* Deliveries of the partition that were taken before it begins anew are none of those. */
static void restart(struct bb_ingest *ingest, struct bb_partition *part)
{
	const struct bb_intake *batch = ingest->gathering;

	part->old_items = 0;
	for (size_t i = 0; i < batch->n; i++)
		if (batch->partitions[i] == part)
			part->old_items = i + 1;
	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_source *source = ingest->feeds[i].source;

		if (source->ops->restart)
			source->ops->restart(source, part->now.topic, part->now.partition);
	}
}

void bb_reread_begin(struct bb_ingest *ingest)
{
	bb_pipeline_keep_names(ingest->job.pl,
			       bb_letters_begin(&ingest->job.letters, &ingest->partitions));
}

void bb_reread_look(struct bb_ingest *ingest)
{
	const struct bb_letters *letters = &ingest->job.letters;

	for (size_t i = 0; i < letters->part_n; i++) {
		const struct bb_progress *now = &letters->parts[i]->now;

		if (bb_reread_goes_on(&now->reread))
			continue;
		bb_log(BB_LOG_NOTICE, "read_again",
		       "topic=%.*s partition=%" PRId32 " from=%" PRId64 " to=%" PRId64,
		       (int)now->topic.n, now->topic.p, now->partition, now->reread.from,
		       now->reread.end);
		bb_reread_begin(ingest);
		return;
	}
}

int bb_reread_take_up(struct bb_ingest *ingest)
{
	const struct bb_ingest_store *store = &ingest->options.store;
	struct bb_kv *kv;
	int code = store->read_begin(store->ctx, &kv);

	if (code)
		return code;
	code = bb_partitions_load(&ingest->partitions, kv);
	store->read_end(store->ctx, kv);
	if (code)
		return code;
	for (size_t i = 0; i < ingest->partitions.n; i++) {
		struct bb_partition *part = ingest->partitions.items[i];
		const struct bb_reread *again = &part->now.reread;

		if (bb_reread_goes_on(again) && again->next == again->from)
			restart(ingest, part);
	}
	bb_reread_begin(ingest);
	return BB_OK;
}

/* --- a delivery ------------------------------------------------------------------------------- */

enum bb_reread_step bb_reread_step(struct bb_progress *made, const struct bb_message *msg,
				   bool is_mark, bool old)
{
	struct bb_reread *again = &made->reread;

	if (old || !bb_reread_goes_on(again))
		return BB_REREAD_LIVE;
	if (msg->offset >= again->end) {
		again->next = again->end; /* what was left are holes */
		return BB_REREAD_LIVE;
	}
	if (msg->offset < again->next)
		return BB_REREAD_PASSED;
	if (is_mark) {
		again->next = msg->offset;
		return BB_REREAD_PASSED;
	}
	again->next = msg->offset + 1;
	if (msg->timestamp_ms == BB_NO_TIMESTAMP || msg->timestamp_ms >= again->since_ms)
		return BB_REREAD_TAKE;
	again->too_old++;
	return BB_REREAD_TOO_OLD;
}

/* --- dead letters ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const struct bb_letter_place *one = a, *other = b;

	if (one->part != other->part)
		return (uintptr_t)one->part < (uintptr_t)other->part ? -1 : 1;
	if (one->offset != other->offset)
		return one->offset < other->offset ? -1 : 1;
	return (one->number > other->number) - (one->number < other->number);
}

static void add(struct bb_letters *letters, const struct bb_letter_place *place)
{
	if (letters->n == letters->room) {
		letters->room = letters->room ? 2 * letters->room : 64;
		letters->items = realloc(letters->items, letters->room * sizeof *letters->items);
		bb_assert(letters->items);
	}
	letters->items[letters->n++] = *place;
}

int64_t bb_letters_begin(struct bb_letters *letters, const struct bb_partitions *partitions)
{
	int64_t since_ms = INT64_MAX;

	bb_letters_fini(letters);
	if (partitions->n)
		letters->parts = calloc(partitions->n, sizeof *letters->parts);
	bb_assert(letters->parts || !partitions->n);
	for (size_t i = 0; i < partitions->n; i++) {
		const struct bb_reread *again = &partitions->items[i]->now.reread;

		if (!bb_reread_goes_on(again))
			continue;
		letters->parts[letters->part_n++] = partitions->items[i];
		if (again->since_ms < since_ms)
			since_ms = again->since_ms;
	}
	return since_ms;
}

static void consider(struct bb_letters *letters, const struct bb_message *msg, uint64_t number)
{
	for (size_t i = 0; i < letters->part_n; i++) {
		const struct bb_partition *part = letters->parts[i];
		const struct bb_reread *again = &part->now.reread;

		if (part->now.partition == msg->partition && msg->offset >= again->next &&
		    msg->offset < again->end && bb_text_equal(part->now.topic, msg->topic))
			add(letters, &(struct bb_letter_place){part, msg->offset, number});
	}
}

int bb_letters_find(struct bb_letters *letters, struct bb_kv *kv)
{
	struct bb_arena arena;
	uint64_t number = 0;
	int err = BB_OK;

	if (letters->found)
		return BB_OK;
	letters->n = 0;
	bb_arena_init(&arena);
	while (!err) {
		struct bb_deadletter letter;

		bb_arena_reset(&arena);
		err = bb_deadletter_seek(kv, number + 1, &arena, &number, &letter);
		if (!err)
			consider(letters, &letter.message, number);
	}
	bb_arena_fini(&arena);
	if (letters->n)
		qsort(letters->items, letters->n, sizeof *letters->items, compare);
	letters->found = err == BB_ENOTFOUND;
	return letters->found ? BB_OK : err;
}

int bb_letters_remove(const struct bb_letters *letters, const struct bb_partition *part,
		      int64_t offset, struct bb_kv *kv)
{
	struct bb_letter_place first = {part, offset, 0};
	size_t low = 0, high = letters->n;
	int err = BB_OK;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&letters->items[middle], &first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; !err && low < letters->n && letters->items[low].part == part &&
	       letters->items[low].offset == offset;
	     low++) {
		err = bb_deadletter_remove(kv, letters->items[low].number);
		if (err == BB_ENOTFOUND) /* swept, or of an erased person */
			err = BB_OK;
	}
	return err;
}

void bb_letters_fini(struct bb_letters *letters)
{
	free(letters->items);
	free(letters->parts);
	*letters = (struct bb_letters){0};
}
