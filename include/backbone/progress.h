/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a partition (or a file) has been read: one row of BB_TABLE_OFFSET, written in the same
 * transaction as what its records did. Always: sum of results + holes = passed.
 */
#ifndef BACKBONE_PROGRESS_H
#define BACKBONE_PROGRESS_H

#include <backbone/buf.h>
#include <backbone/event.h>
#include <backbone/kv.h>
#include <backbone/source.h>

#define BB_PROGRESS_TOKEN_MAX 255  /* bytes */
#define BB_PROGRESS_TOPIC_MAX 4200 /* bytes: `file:` and the longest path */

/* A part of the log that is read again, or the last one that was. */
struct bb_reread {
	int64_t from, next, end; /* next == end: it has ended; end 0: there was none */
	int64_t since_ms;	 /* records with an older time of the log are left alone, */
	uint64_t too_old;	 /* so many so far; */
	uint64_t results[BB_VERDICT_COUNT]; /* of the others; not part of the row's own */
};

static inline bool bb_reread_goes_on(const struct bb_reread *again)
{
	return again->next < again->end;
}

struct bb_progress {
	struct bb_text topic; /* of a file: `file:` and its path */
	int32_t partition;
	int64_t next_offset; /* the first one not yet in the store, or BB_RESUME_START, _END */
	uint64_t passed;     /* offsets from where reading began to next_offset, jumps left out */
	uint64_t results[BB_VERDICT_COUNT]; /* of records of the log */
	uint64_t holes; /* offsets without a record: transaction markers, compaction, blank lines */
	uint64_t dropped; /* delivered again although already in the store; not part of passed */
	uint64_t gaps;	  /* times an operator had reading go on behind a gap */
	struct bb_text token;  /* the source's, see bb_resume */
	struct bb_birth birth; /* not known: of a file, or of an older row */
	struct bb_reread reread;
};

/* Appends the row's value. `topic` and `token` within the limits above. */
void bb_progress_encode(const struct bb_progress *progress, struct bb_buf *buf);

/* BB_OK or BB_ECORRUPT. The slices of *ret_progress are of `value`. */
BB_MUST_CHECK int bb_progress_decode(struct bb_text value, struct bb_progress *ret_progress);

/* The row's key: the topic, NUL, the partition; a long topic is cut and hashed. Returns its
 * length. */
size_t bb_progress_key(struct bb_text topic, int32_t partition, char out[BB_KV_KEY_MAX]);

BB_MUST_CHECK int bb_progress_put(struct bb_kv *kv, const struct bb_progress *progress);

/* BB_OK, BB_ENOTFOUND, BB_ECORRUPT or the store's error. Slices as bb_kv_get's. */
BB_MUST_CHECK int bb_progress_get(struct bb_kv *kv, struct bb_text topic, int32_t partition,
				  struct bb_progress *ret_progress);

/* The first record since nothing, or since an operator's word: it says whether the log is the one
 * that was read before. */
void bb_progress_begin(struct bb_progress *progress, const struct bb_profile_key *key,
		       const struct bb_message *first);

/*
 * An operator's word that reading goes on behind a gap: from `where`, an offset or BB_RESUME_START
 * or BB_RESUME_END. What was counted stays. BB_ENOTFOUND: nothing is known of that partition.
 */
BB_MUST_CHECK int bb_progress_accept(struct bb_kv *kv, struct bb_text topic, int32_t partition,
				     int64_t where);

/*
 * What was read from `from` on is read again, but for records from before `since_ms`; the position
 * stays. BB_ENOTFOUND: nothing is known of that partition; BB_ELIMIT: it is being read again
 * already; BB_EINVAL: nothing was read there.
 */
BB_MUST_CHECK int bb_progress_reread(struct bb_kv *kv, struct bb_text topic, int32_t partition,
				     int64_t from, int64_t since_ms, int64_t *ret_end);

/* The next offset of every partition: the watermark of an erasure. BB_OK, BB_ECORRUPT or the
 * store's error. In the arena. */
struct bb_erasure_mark;
BB_MUST_CHECK int bb_progress_marks(struct bb_kv *kv, struct bb_arena *arena,
				    struct bb_erasure_mark **ret_marks, size_t *ret_n);

/* As ingest has them (<backbone/ingest.h>), on the loop's thread. */

/* The partitions that were read, in the order of their topics: `*at` is 0 at first. False: no more.
 * Slices live until the next commit. */
struct bb_ingest;
bool bb_ingest_progress_next(const struct bb_ingest *ingest, size_t *at,
			     struct bb_progress *ret_progress);

/* False: nothing was read of it. */
bool bb_ingest_progress_of(struct bb_ingest *ingest, struct bb_text topic, int32_t partition,
			   struct bb_progress *ret_progress);

/* Whether one of the sources reads the partition; where its log ends, -1: not known. */
bool bb_ingest_reads(struct bb_ingest *ingest, struct bb_text topic, int32_t partition);
int64_t bb_ingest_end(struct bb_ingest *ingest, struct bb_text topic, int32_t partition);

#endif
