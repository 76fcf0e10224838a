/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of Kafka topics, on librdkafka. Partitions are read by hand from the positions in the
 * store; there is no group and no rebalance. New partitions and topics are found as they appear.
 */
#ifndef BACKBONE_KAFKA_H
#define BACKBONE_KAFKA_H

#include <backbone/source.h>

struct bb_kafka_option { /* passed on to librdkafka; line and column of its file, for messages */
	const char *name, *value;
	unsigned line, column;
};

struct bb_kafka_options {
	const char *brokers;
	const char *group; /* committed to now and then, for lag displays; NULL: none */
	const struct bb_kafka_option *options;
	size_t option_n;
	bb_resume_fn *resume;
	void *resume_ctx;
	uint32_t discover_ms; /* how often topics are looked for; 0: BB_KAFKA_DISCOVER_MS */
};

#define BB_KAFKA_DISCOVER_MS 10000

/*
 * Checks options that are passed on to librdkafka: unknown names, values it does not take, and
 * those that a guarantee rests on. True if there was nothing to complain of.
 */
bool bb_kafka_check(const char *file, const struct bb_kafka_option *options, size_t n,
		    struct bb_diagnostics *diagnostics);

/* BB_OK; BB_ECONFIG: librdkafka does not take the options. Does not wait for a broker. */
BB_MUST_CHECK int bb_kafka_new(const struct bb_kafka_options *options,
			       struct bb_source **ret_source, struct bb_error *err);

/*
 * Which connectors read which topics; at first, and after a reload (while no delivery is in use).
 * Connectors are borrowed until the next call. A topic is read for the first connector that names
 * it, else the first whose pattern fits.
 */
void bb_kafka_route(struct bb_source *source, struct bb_connector *const *connectors, size_t n);

#endif
