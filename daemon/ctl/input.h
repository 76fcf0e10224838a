/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages out of a file for `try` and `produce`: one JSON document that fills the file, or one
 * message a line. In the long form, {"headers":{},"key":"","topic":"","timestamp":0,"value":...}, a
 * message brings what a record of the log has beside its value.
 */
#ifndef CTL_INPUT_H
#define CTL_INPUT_H

#include <backbone/arena.h>
#include <backbone/connector.h>
#include <backbone/error.h>
#include <backbone/message.h>

struct bb_input;

/* `path` `-` is the standard input. `raw`: lines as they are. BB_OK or BB_EIO. */
BB_MUST_CHECK int bb_input_open(const char *path, bool raw, struct bb_input **ret_input,
				struct bb_error *err);
void bb_input_close(struct bb_input *input); /* NULL-safe */

/* Before the first message: messages are what the connector takes for records; the heading of a
 * file of csv or tsv goes along with each. */
void bb_input_records(struct bb_input *input, const struct bb_connector *connector);

/*
 * The next message: BB_OK, BB_ENOTFOUND (the end), BB_EIO or BB_ELIMIT (a line of more than 8 MiB).
 * Slices live until the next call or the arena's end; `offset` is the number of the line, from 0;
 * topic.p is NULL where the message names none.
 */
BB_MUST_CHECK int bb_input_next(struct bb_input *input, struct bb_arena *arena,
				struct bb_message *ret_msg, struct bb_error *err);

/* Bytes of the file, or 0 if that is not known; and how many have been taken. */
void bb_input_progress(const struct bb_input *input, uint64_t *ret_total, uint64_t *ret_taken);

#endif
