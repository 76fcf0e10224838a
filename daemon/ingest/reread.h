/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partitions that are being read again from an offset that was read before: what belongs to that,
 * and what it leaves of dead letters.
 */
#ifndef BB_INGEST_REREAD_H
#define BB_INGEST_REREAD_H

#include "partition.h"

struct bb_message;

enum bb_reread_step {
	BB_REREAD_LIVE,	  /* it is ahead of what is read again: as ever */
	BB_REREAD_TAKE,	  /* it is read again, and is to be taken */
	BB_REREAD_PASSED, /* it was read again before */
	BB_REREAD_TOO_OLD /* names of its time are not remembered: it is left as it is */
};

/* What a delivery is to its partition, whose `made` goes on by it. `old`: it was delivered before
 * reading again began. `is_mark`: no message, nothing is before its offset. */
enum bb_reread_step bb_reread_step(struct bb_progress *made, const struct bb_message *msg,
				   bool is_mark, bool old);

/* Such partitions, and where dead letters of theirs are, as they were when these were found. */
struct bb_letters {
	const struct bb_partition **parts;
	size_t part_n;
	struct bb_letter_place {
		const struct bb_partition *part;
		int64_t offset;
		uint64_t number;
	} * items; /* sorted */
	size_t n, room;
	bool found;
};

/* On the loop, while no batch is applied: which partitions they are. Returns the time from which on
 * names are needed; INT64_MAX: none are. */
int64_t bb_letters_begin(struct bb_letters *letters, const struct bb_partitions *partitions);

/* On the pool: walks all letters, once. BB_OK or the store's error. */
BB_MUST_CHECK int bb_letters_find(struct bb_letters *letters, struct bb_kv *kv);

/* Removes those of a record that is read again, as what becomes of it now stands instead. */
BB_MUST_CHECK int bb_letters_remove(const struct bb_letters *letters,
				    const struct bb_partition *part, int64_t offset,
				    struct bb_kv *kv);
void bb_letters_fini(struct bb_letters *letters);

#endif
