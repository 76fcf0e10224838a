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

/* A message and the connector it is for. Borrowed from the source until bb_source_release. */
struct bb_delivery {
	struct bb_message message;
	const struct bb_connector *connector;
	void *owner; /* the source's */
};

/* What the store knows of a partition (or a file). */
struct bb_resume {
	bool known;	      /* false: start at the beginning */
	int64_t next_offset;  /* the first one not yet in the store */
	struct bb_text token; /* what the source asked to be kept: fingerprint of the last record,
				 cluster id; or a byte offset */
};

struct bb_source_ops {
	/* A descriptor that becomes readable when there is something to take; -1: none, always
	 * ready. */
	int (*fd)(struct bb_source *source);

	/*
	 * Takes up to `room` deliveries. *ret_n 0 and BB_OK: nothing now. BB_EGAP: the log does not
	 * continue where the store left off; `err` names topic, partition, offsets and what to do;
	 * the source delivers no more of that partition until told. BB_EKAFKA: broker trouble,
	 * retried by the source itself; for the log.
	 */
	int (*take)(struct bb_source *source, struct bb_delivery *out, size_t room, size_t *ret_n,
		    struct bb_error *err);

	/* The batch has ended (committed or given back by seek); the messages' memory may go. */
	void (*release)(struct bb_source *source, struct bb_delivery *deliveries, size_t n);

	/* After a failed commit: deliver again from what the store says. */
	void (*rewind)(struct bb_source *source);

	/* Whether everything that was there when asked first has been delivered (for --once). */
	bool (*drained)(struct bb_source *source);

	/* What is to be stored with the offset of the last of these messages of one partition
	 * (token of bb_resume). */
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
