/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One record of a source (a Kafka message, a line of a file), borrowed: whoever made it owns the
 * bytes and keeps them until the batch it is in has ended.
 */
#ifndef BACKBONE_MESSAGE_H
#define BACKBONE_MESSAGE_H

#include <backbone/text.h>

#define BB_NO_TIMESTAMP INT64_C(-1)

struct bb_header {
	struct bb_text name, value; /* value.p NULL: a null header */
};

struct bb_message {
	struct bb_text topic;	/* of a file: `file:` and its path */
	int32_t partition;	/* of a file: 0 */
	int64_t offset;		/* of a file: number of the line, from 0 */
	int64_t timestamp_ms;	/* the log's time; BB_NO_TIMESTAMP: none (files) */
	struct bb_text key;	/* key.p NULL: no key */
	struct bb_text value;	/* value.p NULL: a tombstone */
	struct bb_text heading; /* the record of its file that names the columns; p NULL: none */
	const struct bb_header *headers;
	size_t header_n;
	bool from_log; /* a real log position: events carry it; false for files */
};

#endif
