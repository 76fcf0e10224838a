/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connectors: a YAML file compiled into a plan; a plan turns one message into 0..n raw events.
 * Compiling finds every mistake (file:line:column); running never fails: each element ends as an
 * event, a skip or a refusal.
 *
 * A compiled connector is immutable and may be used by several threads; a run's scratch is in the
 * arena.
 */
#ifndef BACKBONE_CONNECTOR_H
#define BACKBONE_CONNECTOR_H

#include <backbone/buf.h>
#include <backbone/event.h>
#include <backbone/message.h>
#include <backbone/rules.h>
#include <backbone/ruling.h>

struct bb_connector;

/* A mistake in a configuration file. */
struct bb_diagnostic {
	const char *file;
	unsigned line, column; /* from 1 */
	const char *path;      /* events[0].time.format */
	const char *message;   /* what is wrong, what is allowed, the nearest right word */
};

#define BB_DIAGNOSTICS_MAX 200 /* what people mend at once */

/*
 * Collected, so that all mistakes of a file are seen at once. Strings live in the arena. Of more
 * than BB_DIAGNOSTICS_MAX the first are kept, and one more says so.
 */
struct bb_diagnostics {
	struct bb_arena *arena;
	struct bb_diagnostic *items;
	size_t n, room;
	size_t found; /* with those that are not kept: whether there were any, ask this */
};

/* Appends `file:line:column: path: message`. */
void bb_diagnostic_print(const struct bb_diagnostic *diagnostic, struct bb_buf *buf);

/*
 * Compiles `text` (the content of `file`; the name is for messages). NULL and at least one
 * diagnostic if it is wrong. Namespaces are checked against `rules` where given (NULL: not
 * checked).
 */
struct bb_connector *bb_connector_compile(const char *file, struct bb_text text,
					  const struct bb_rules *rules,
					  struct bb_diagnostics *diagnostics);

/* Every key of a connector's file, as tables in Markdown: the reference in the manual. */
void bb_connector_reference(struct bb_buf *buf);

/* The built-in connector `direct`: `format: canonical`, on the given topics (n may be 0: for replay
 * only). */
struct bb_connector *bb_connector_direct(const char *const *topics, size_t n);
void bb_connector_free(struct bb_connector *connector); /* NULL-safe */

const char *bb_connector_name(const struct bb_connector *connector);
const char *bb_connector_channel(const struct bb_connector *connector);

/* Its topics: exact names, or one pattern (POSIX extended, without the slashes). */
size_t bb_connector_topic_n(const struct bb_connector *connector);
const char *bb_connector_topic(const struct bb_connector *connector, size_t i);
const char *bb_connector_topic_pattern(const struct bb_connector *connector); /* NULL: none */

/* The fields that its event rules name, one after the other. `type` p NULL: it is no constant. */
enum bb_field_kind {
	BB_FIELD_TYPE, /* a rule of this type */
	BB_FIELD_IDENTIFIER,
	BB_FIELD_ATTRIBUTE,
	BB_FIELD_TIME,
	BB_FIELD_AMOUNT,
	BB_FIELD_CONSENT
};
typedef void bb_field_fn(void *ctx, struct bb_text type, enum bb_field_kind kind,
			 struct bb_text name);
void bb_connector_fields(const struct bb_connector *connector, bb_field_fn *tell, void *ctx);

/* One element of a message: an event (raw, for the gate), a ruling (raw, for bb_ruling_check), a
 * skip, or a refusal. */
struct bb_extracted {
	enum {
		BB_EXTRACTED_EVENT,
		BB_EXTRACTED_SKIP,
		BB_EXTRACTED_REFUSED,
		BB_EXTRACTED_RULING
	} kind;
	struct bb_event *event;
	struct bb_ruling *ruling;
	struct bb_refusal refusal;
};

struct bb_extraction {
	struct bb_extracted *items; /* in the arena */
	size_t n, room;
};

/* At least one item comes out: a message that matches nothing gives one SKIP (or one REFUSED, as
 * `otherwise` says). Events borrow texts from the message and the connector, so both stay until the
 * batch has ended. */
void bb_connector_run(const struct bb_connector *connector, const struct bb_message *msg,
		      struct bb_arena *arena, struct bb_extraction *ret_extraction);

/*
 * A ruling in the form of bb_ruling_json, raw. An id that is absent has p NULL, an absent time is
 * BB_NO_TIMESTAMP: whoever brings the ruling may give them. Texts are copied. False: *ret_refusal
 * says why.
 */
bool bb_ruling_read(struct bb_text bytes, struct bb_arena *arena, struct bb_ruling *ret_ruling,
		    struct bb_refusal *ret_refusal);

/*
 * What of a message may be kept in a dead letter: without the members, the key and the values of
 * headers that `redact` names. Where the value cannot be read and members are to be redacted, none
 * of it is kept: p NULL. Borrows from the message and the arena.
 */
struct bb_message bb_connector_redact(const struct bb_connector *connector,
				      const struct bb_message *msg, struct bb_arena *arena);

#endif
