/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages come from, as ingest sees it: Kafka (connectors/kafka), files (connectors/replay),
 * and the scripted source of the tests. All calls on the loop's thread, none blocks.
 */
#ifndef BACKBONE_SOURCE_H
#define BACKBONE_SOURCE_H

#include <backbone/connector.h>
#include <backbone/error.h>
#include <backbone/message.h>

struct bb_source;

/*
 * A message and the connector it is for. Borrowed from the source until it is released.
 * Without a connector it is a mark: no message, but word that the log holds nothing more to be
 * read before `message.offset` (the end of a log whose last entries are transaction markers).
 */
struct bb_delivery {
	struct bb_message message;
	const struct bb_connector *connector; /* NULL: a mark */
	void *owner;			      /* the source's */
};

#define BB_RESUME_START INT64_C(-2) /* an operator's word: from where the log begins now */
#define BB_RESUME_END INT64_C(-1)   /* an operator's word: from where the log ends now */

/* What the store knows of a partition (or a file). */
struct bb_resume {
	bool known;	      /* false: start at the beginning */
	int64_t next_offset;  /* the first one not yet in the store, or BB_RESUME_* */
	struct bb_text token; /* what the source asked to be kept: fingerprint of the last record,
				 cluster id; or a byte offset */
	int64_t again, again_end; /* once the token is known to be that of the log, reading begins
				     at `again`, to go on up to next_offset and further; what is
				     gone before again_end is no gap. again_end 0: it does not */
};

/* `partitions` 0: the topic is not there. */
typedef void bb_topic_fn(void *ctx, const char *name, const struct bb_connector *connector,
			 size_t partitions);

/* In the words of a gap: what happened is before it, behind it what to do. */
#define BB_GAP_ADVICE "; nothing more is read of it; "

struct bb_source_ops {
	/* A descriptor that becomes readable when there is something to take; -1: none, always
	 * ready. */
	int (*fd)(struct bb_source *source);

	/*
	 * Takes up to `room` deliveries. Called once a second at least, with room 0 where there is
	 * none (the source looks after itself then). *ret_n 0 and BB_OK: nothing now.
	 * BB_EGAP: the log does not continue where the store left off; `err` names topic,
	 * partition, offsets and what to do; the source delivers no more of that partition until it
	 * is made anew after an operator's word. BB_EKAFKA, BB_EIO: broker or file trouble, retried
	 * by the source itself; for the log. BB_EIO is said with each call as long as it lasts.
	 * With an error *ret_n is 0; call again for the rest.
	 */
	int (*take)(struct bb_source *source, struct bb_delivery *out, size_t room, size_t *ret_n,
		    struct bb_error *err);

	/* The batch has ended; the messages' memory may go. */
	void (*release)(struct bb_source *source, struct bb_delivery *deliveries, size_t n);

	/* Whether everything that was there when asked first has been delivered (for --once). */
	bool (*drained)(struct bb_source *source);

	/* Whether it reads this partition, or would as soon as more is in it: it is there, some
	 * connector wants it, and it has no gap. */
	bool (*reads)(struct bb_source *source, struct bb_text topic, int32_t partition);

	/*
	 * Whether reading has begun of everything that is there to be read; it stays true. If not,
	 * `err` says why: BB_EKAFKA (the broker does not answer), else still starting.
	 */
	bool (*ready)(struct bb_source *source, struct bb_error *err);

	/* Where the log of a partition ends now; -1: not known, or not of this source. */
	int64_t (*end)(struct bb_source *source, struct bb_text topic, int32_t partition);

	/* The topics that it reads, or will when they are there: NULL: it has none. */
	void (*topics)(struct bb_source *source, bb_topic_fn *tell, void *ctx);

	/* Reading of a partition is to begin anew, as the store says now. NULL: it cannot be. */
	void (*restart)(struct bb_source *source, struct bb_text topic, int32_t partition);

	/* Everything of the partition before `next_offset` is durable: for lag displays. NULL: not
	 * wanted. */
	void (*committed)(struct bb_source *source, struct bb_text topic, int32_t partition,
			  int64_t next_offset);

	/*
	 * What is to be stored with the offset of this message, the last one of its partition in a
	 * batch (token of bb_resume). No mark is asked. Pure: called on a thread of the pool.
	 */
	struct bb_text (*token)(struct bb_source *source, const struct bb_delivery *last,
				struct bb_arena *arena);

	void (*free)(struct bb_source *source); /* NULL-safe */
};

struct bb_source {
	const struct bb_source_ops *ops;
};

/* How a source asks for the stored position of a partition; answered by ingest from the store. */
typedef int bb_resume_fn(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *arena,
			 struct bb_resume *ret_resume);

#endif
