/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading Kafka beside the daemon: without a group, nothing is committed anywhere. Every call is
 * bounded in time. With the brokers and the options of the configuration.
 */
#ifndef CTL_BROKER_H
#define CTL_BROKER_H

#include "ctl.h"

#include <backbone/message.h>

struct bb_broker;

/* Each returns BB_CTL_OK, or an exit code after printing why. */
BB_MUST_CHECK int bb_broker_open(struct bb_ctl *ctl, struct bb_broker **ret_broker);
void bb_broker_close(struct bb_broker *broker); /* NULL-safe */

/* From now on all calls are on this topic, which is there. */
BB_MUST_CHECK int bb_broker_topic(struct bb_broker *broker, const char *topic,
				  int32_t *ret_partition_n);

/* Where the log of a partition begins and ends. */
BB_MUST_CHECK int bb_broker_ends(struct bb_broker *broker, int32_t partition, int64_t *ret_low,
				 int64_t *ret_high);

/* The offset of the first record of that time or later; its end, if there is none. */
BB_MUST_CHECK int bb_broker_at(struct bb_broker *broker, int32_t partition, int64_t time_ms,
			       int64_t *ret_offset);

struct bb_broker_range {
	int64_t from, to; /* offsets: from this one, before that one */
	bool done;	  /* the reader's */
};

/* Gives every record of the ranges, one a partition, in the order of their offsets within one. */
typedef void bb_broker_fn(void *ctx, const struct bb_message *msg);
BB_MUST_CHECK int bb_broker_read(struct bb_broker *broker, struct bb_broker_range *ranges,
				 int32_t partition_n, bb_broker_fn *give, void *ctx);

#endif
