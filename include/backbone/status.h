/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon says of itself: made by the application on request, shown by /readyz, /v1/status,
 * INFO and `backbonectl status`. Plain data; slices live in the arena that was given. Nothing in it
 * is personal.
 */
#ifndef BACKBONE_STATUS_H
#define BACKBONE_STATUS_H

#include <backbone/event.h>

struct bb_status_reason {      /* why the daemon is not ready */
	struct bb_text code;   /* log_gap, store_full, broker_unreachable, starting, ... */
	struct bb_text detail; /* what, where, what to do next */
};

struct bb_status_partition {
	struct bb_text topic; /* of a file: `file:` and its path */
	int32_t partition;
	int64_t next_offset; /* the first one not yet in the store */
	int64_t end_offset;  /* of the log; -1: not known */
	uint64_t results[BB_VERDICT_COUNT];
	uint64_t holes; /* offsets that hold no record: transaction markers, compaction */
	struct bb_status_reread {
		int64_t from, next, end; /* end 0: none of it was read again */
		uint64_t results[BB_VERDICT_COUNT], too_old;
	} reread;
};

struct bb_status_topic { /* that is read, or would be if the cluster had it */
	struct bb_text name, connector;
	uint32_t partitions; /* 0: it is not there */
};

struct bb_status_connector { /* since the start */
	struct bb_text name, channel;
	uint64_t results[BB_VERDICT_COUNT]; /* of its events */
	uint64_t warnings;
	int64_t last_ms; /* wall clock: when its last message was taken in */
};

struct bb_status_reload {      /* of those that were not refused */
	uint64_t run;	       /* the number of the last one; 0: none since the start */
	bool waiting;	       /* until nothing is in flight, or other rules are applied */
	struct bb_text result; /* done or failed; p NULL: it waits, or there was none */
	int64_t ended_ms;
};

/* Work on the whole store: a purge, a change of the rules, a rebuild. Texts that are not there have
 * p NULL. */
struct bb_status_maintenance {
	struct bb_text what; /* under way now: purge, rules, rebuild */
	/* of it: holding, copying, swapping, cleaning; of a rebuild also opening, building,
	 * catching_up, closing, discarding */
	struct bb_text phase;
	uint64_t run; /* its number, or that of the last one; 0: none since the start */
	/* entries of the store; of rules, and while a rebuild is copying: thousandths; else of a
	 * rebuild records of the log */
	uint64_t done, total;
	double per_second;		     /* of a rebuild; 0: not known */
	struct bb_text last, result, detail; /* of the last one that ended: done, failed or refused,
					      * why */
	int64_t ended_ms;
	uint64_t before_bytes, after_bytes; /* of data.mdb */
};

struct bb_status {
	bool ready;
	struct bb_status_reason *reasons; /* at least one if not ready */
	size_t reason_n;
	struct bb_text state; /* starting, running, waiting, draining */
	int64_t started_ms;   /* wall clock */
	struct bb_status_partition *partitions;
	size_t partition_n;
	struct bb_status_connector *connectors;
	size_t connector_n;
	struct bb_status_topic *topics; /* of Kafka */
	size_t topic_n;
	uint64_t dead_letters; /* kept in the store now */
	uint64_t profiles, identifiers;
	uint64_t store_used_bytes, store_file_bytes, checksum_failures;
	struct bb_status_maintenance maintenance;
	struct bb_status_reload reload;
};

/* Fills *ret_status, which comes zeroed. On the loop's thread; must not block. */
typedef void bb_status_fn(void *ctx, struct bb_arena *arena, struct bb_status *ret_status);

#endif
