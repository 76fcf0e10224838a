/* SPDX-License-Identifier: Apache-2.0 */
/* From our options to a configuration of librdkafka. */
#ifndef BB_KAFKA_OPTIONS_H
#define BB_KAFKA_OPTIONS_H

#include <backbone/kafka.h>
#include <librdkafka/rdkafka.h>

/* BB_OK and *ret_conf (the caller's), or BB_ECONFIG. */
BB_MUST_CHECK int bb_koptions_conf(const struct bb_kafka_options *options,
				   rd_kafka_conf_t **ret_conf, struct bb_error *err);

#endif
