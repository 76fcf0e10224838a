/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions, as others look at them: how far each partition was read, whether it is read on, where
 * its log ends. And the positions of other contents of the store, when these take the place of the
 * old ones: what sources have in hand by then may lie below them, and is dropped as what is
 * delivered again ever is.
 */
#include "machine.h"

#include <backbone/progress.h>

bool bb_ingest_progress_next(const struct bb_ingest *ingest, size_t *at,
			     struct bb_progress *ret_progress)
{
	const struct bb_partitions *partitions = &ingest->partitions;

	while (*at < partitions->n) {
		const struct bb_partition *part = partitions->items[(*at)++];

		if (!part->known)
			continue;
		*ret_progress = part->now;
		return true;
	}
	return false;
}

bool bb_ingest_progress_of(struct bb_ingest *ingest, struct bb_text topic, int32_t partition,
			   struct bb_progress *ret_progress)
{
	const struct bb_partition *part = bb_partitions_find(&ingest->partitions, topic, partition);

	if (!part || !part->known)
		return false;
	*ret_progress = part->now;
	return true;
}

bool bb_ingest_reads(struct bb_ingest *ingest, struct bb_text topic, int32_t partition)
{
	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_source *source = ingest->feeds[i].source;

		if (source->ops->reads(source, topic, partition))
			return true;
	}
	return false;
}

int64_t bb_ingest_end(struct bb_ingest *ingest, struct bb_text topic, int32_t partition)
{
	for (size_t i = 0; i < ingest->feed_n; i++) {
		struct bb_source *source = ingest->feeds[i].source;
		int64_t end = source->ops->end(source, topic, partition);

		if (end >= 0)
			return end;
	}
	return -1;
}

int bb_ingest_store_changed(struct bb_ingest *ingest)
{
	const struct bb_ingest_store *store = &ingest->options.store;
	struct bb_kv *kv;
	int code;

	bb_ingest_rules_set(ingest, ingest->options.rules); /* it has read the old contents */
	bb_partitions_forget(&ingest->partitions);
	code = store->read_begin(store->ctx, &kv);
	if (code)
		return code;
	code = bb_partitions_load(&ingest->partitions, kv);
	store->read_end(store->ctx, kv);
	bb_reread_begin(ingest); /* what was read again in the old contents is void */
	return code;
}

bool bb_ingest_is_started(struct bb_ingest *ingest)
{
	struct bb_error ignored;

	for (size_t i = 0; i < ingest->feed_n; i++)
		if (!ingest->feeds[i].source->ops->ready(ingest->feeds[i].source, &ignored))
			return false;
	return ingest->state != BB_INGEST_NEW;
}
