/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partitions that were ever read, with their progress: what is committed (the loop's), and what
 * the batch that is being applied makes of it (the pool thread's, until it has ended).
 */
#ifndef BB_INGEST_PARTITION_H
#define BB_INGEST_PARTITION_H

#include <backbone/progress.h>

struct bb_partition {
	char *topic;		 /* bytes; both progresses point here */
	bool known;		 /* there is a row in the store */
	struct bb_progress now;	 /* committed */
	struct bb_progress made; /* by the batch */
	char now_token[BB_PROGRESS_TOKEN_MAX];
	struct bb_source *source; /* that delivers it; NULL: not since start */
	bool touched;		  /* by the batch */
	bool made_known;	  /* made.next_offset is an offset */
	size_t old_items;	  /* of the batch that gathers: delivered before reading again */
	size_t last;		  /* index of the last message in the batch, or SIZE_MAX */
};

struct bb_partitions {
	struct bb_partition **items; /* sorted by topic, then number */
	size_t n, room;
	struct bb_partition *recent; /* the one asked for last: neighbours are alike */
};

void bb_partitions_init(struct bb_partitions *partitions);
void bb_partitions_fini(struct bb_partitions *partitions);

/* Nothing is committed of any of them. */
void bb_partitions_forget(struct bb_partitions *partitions);

/* Reads all rows. BB_OK, BB_ECORRUPT or the store's error. */
BB_MUST_CHECK int bb_partitions_load(struct bb_partitions *partitions, struct bb_kv *kv);

/* Never NULL: made where there was none. */
struct bb_partition *bb_partitions_get(struct bb_partitions *partitions, struct bb_text topic,
				       int32_t number);

/* NULL: unknown. */
struct bb_partition *bb_partitions_find(struct bb_partitions *partitions, struct bb_text topic,
					int32_t number);

/* The batch begins to touch it; ends with its transaction committed, or not. */
void bb_partition_touch(struct bb_partition *part);
void bb_partition_settle(struct bb_partition *part, bool committed);

#endif
