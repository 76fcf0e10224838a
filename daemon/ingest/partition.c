/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted array: partitions are few and come seldom, look-ups hit the same one as before nearly
 * always. The job works on a copy of the progress, so that a batch that fails leaves what is
 * committed as it was.
 *
 * A row that cannot be read is damage and stops the start.
 */
#include "partition.h"

#include <backbone/assert.h>

#include <stdlib.h>

static void *must_alloc(void *p)
{
	bb_assert(p);
	return p;
}

void bb_partitions_init(struct bb_partitions *partitions)
{
	*partitions = (struct bb_partitions){0};
}

void bb_partitions_fini(struct bb_partitions *partitions)
{
	for (size_t i = 0; i < partitions->n; i++) {
		free(partitions->items[i]->topic);
		free(partitions->items[i]);
	}
	free(partitions->items);
	bb_partitions_init(partitions);
}

static int compare(const struct bb_partition *part, struct bb_text topic, int32_t number)
{
	int d = bb_text_compare(part->now.topic, topic);

	return d ? d : (part->now.partition > number) - (part->now.partition < number);
}

/* The index of the first one that is not before the name. */
static size_t place(const struct bb_partitions *partitions, struct bb_text topic, int32_t number)
{
	size_t low = 0, high = partitions->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(partitions->items[middle], topic, number) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct bb_partition *bb_partitions_find(struct bb_partitions *partitions, struct bb_text topic,
					int32_t number)
{
	size_t at;

	if (partitions->recent && compare(partitions->recent, topic, number) == 0)
		return partitions->recent;
	at = place(partitions, topic, number);
	if (at == partitions->n || compare(partitions->items[at], topic, number) != 0)
		return NULL;
	partitions->recent = partitions->items[at];
	return partitions->recent;
}

static struct bb_partition *insert(struct bb_partitions *partitions, struct bb_text topic,
				   int32_t number)
{
	struct bb_partition *part = must_alloc(calloc(1, sizeof *part));
	size_t at = place(partitions, topic, number);

	bb_assert(topic.n > 0 && topic.n <= BB_PROGRESS_TOPIC_MAX);
	part->topic = must_alloc(malloc(topic.n));
	memcpy(part->topic, topic.p, topic.n);
	part->now.topic = bb_text_bytes(part->topic, topic.n);
	part->now.partition = number;
	if (partitions->n == partitions->room) {
		partitions->room = partitions->room ? 2 * partitions->room : 16;
		partitions->items = must_alloc(
			realloc(partitions->items, partitions->room * sizeof *partitions->items));
	}
	memmove(partitions->items + at + 1, partitions->items + at,
		(partitions->n - at) * sizeof *partitions->items);
	partitions->items[at] = part;
	partitions->n++;
	partitions->recent = part;
	return part;
}

struct bb_partition *bb_partitions_get(struct bb_partitions *partitions, struct bb_text topic,
				       int32_t number)
{
	struct bb_partition *part = bb_partitions_find(partitions, topic, number);

	return part ? part : insert(partitions, topic, number);
}

static void keep(struct bb_partition *part, const struct bb_progress *progress)
{
	struct bb_text topic = part->now.topic;

	part->known = true;
	part->now = *progress;
	part->now.topic = topic;
	if (progress->token.n) /* it may be the one that stands there */
		memmove(part->now_token, progress->token.p, progress->token.n);
	part->now.token = bb_text_bytes(part->now_token, progress->token.n);
}

void bb_partitions_forget(struct bb_partitions *partitions)
{
	for (size_t i = 0; i < partitions->n; i++) {
		struct bb_partition *part = partitions->items[i];
		struct bb_progress none = {.topic = part->now.topic,
					   .partition = part->now.partition};

		bb_assert(!part->touched);
		part->known = false;
		part->now = none;
	}
}

int bb_partitions_load(struct bb_partitions *partitions, struct bb_kv *kv)
{
	char last[BB_KV_KEY_MAX] = "";
	struct bb_text from = {last, 1}, key, value;
	bool after = false;
	int err;

	while ((err = bb_kv_seek(kv, BB_TABLE_OFFSET, from, after, &key, &value)) == BB_OK) {
		struct bb_progress progress;

		err = bb_progress_decode(value, &progress);
		if (err || key.n > sizeof last)
			return BB_ECORRUPT;
		keep(bb_partitions_get(partitions, progress.topic, progress.partition), &progress);
		memcpy(last, key.p, key.n);
		from.n = key.n;
		after = true;
	}
	return err == BB_ENOTFOUND ? BB_OK : err;
}

void bb_partition_touch(struct bb_partition *part)
{
	part->touched = true;
	part->made = part->now;
	part->made_known = part->known && part->now.next_offset >= 0;
	part->last = SIZE_MAX;
}

void bb_partition_settle(struct bb_partition *part, bool committed)
{
	part->touched = false;
	if (!committed)
		return;
	part->old_items = 0;
	keep(part, &part->made);
}
