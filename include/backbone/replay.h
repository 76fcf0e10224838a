/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of files: one line is one message, or one record where the connector reads csv. The
 * topic is `file:` and the absolute path, the offset is the number of the (first) line from 0.
 * Blank lines give nothing. A last line without a line feed counts as a line. A file may grow while
 * it is read, by whole lines.
 */
#ifndef BACKBONE_REPLAY_H
#define BACKBONE_REPLAY_H

#include <backbone/source.h>

/* Of a longer line only so much is delivered, which is more than a connector takes: it becomes a
 * dead letter. */
#define BB_REPLAY_LINE_MAX (BB_MESSAGE_BYTES_MAX + 1)

struct bb_replay_options {
	const char *const *files; /* absolute, read one after the other; copied */
	size_t file_n;
	const struct bb_connector *connector; /* borrowed until the next bb_replay_route */
	bb_resume_fn *resume;
	void *resume_ctx;
};

struct bb_source *bb_replay_new(const struct bb_replay_options *options);

/* After a reload, while no delivery is in use. */
void bb_replay_route(struct bb_source *source, const struct bb_connector *connector);

#endif
