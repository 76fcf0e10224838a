/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of whole connectors share: messages through engine and gate, as `try` has it. */
#ifndef TRIAL_H
#define TRIAL_H

#include <backbone/buf.h>
#include <backbone/connector.h>
#include <backbone/rules.h>

/* All namespaces of the shipped connectors and of the manual. */
const struct bb_rules *trial_rules(void);

/* NULL: `ret_mistakes` says why, one line each. */
struct bb_connector *trial_compile(const char *file, struct bb_text text, struct bb_arena *arena,
				   struct bb_buf *ret_mistakes);

/*
 * Appends a line for each event and each refusal that a message makes. The message is the text, or
 * what is inside of {"headers":, "key":, "topic":, "value":}; or the messages are the records of
 * the text, a file with a header line. The log's time is 2026-03-01T00:00:00Z.
 */
void trial_run(const struct bb_connector *connector, struct bb_text text, struct bb_arena *arena,
	       struct bb_buf *ret_lines);

/* The message as trial_run takes it. */
struct bb_message trial_message(struct bb_text text, struct bb_arena *arena);

/* bb_connector_run, which the oracle (oracle.h) is expected to agree with. */
void trial_extract(const struct bb_connector *connector, const struct bb_message *msg,
		   struct bb_arena *arena, struct bb_extraction *ret_extraction);

/* Expects the same lines; `name` and `line` say where the expected ones stand. */
void trial_compare(const char *name, unsigned line, struct bb_text expected, struct bb_text actual);

struct bb_text trial_read_file(const char *path, struct bb_arena *arena);

#endif
