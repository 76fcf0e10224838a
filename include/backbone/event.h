/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical event (view.md §1): what every connector makes and all that `core` knows of the
 * outside. Plain data in an arena; every slice lives as long as the batch. A connector fills it
 * raw; the gate (gate.h) checks it, makes identifiers canonical and adds warnings; the pipeline
 * folds it.
 */
#ifndef BACKBONE_EVENT_H
#define BACKBONE_EVENT_H

#include <backbone/arena.h>
#include <backbone/hash.h>
#include <backbone/text.h>

#define BB_EVENT_IDENTIFIERS_MAX 20 /* distinct, those of `same` included */
#define BB_EVENT_TEXT_MAX 256	    /* bytes of type, id, attribute names, purposes, keys */
#define BB_EVENT_VALUE_MAX 512	    /* bytes of an identifier's value, raw or canonical */
#define BB_EVENT_EXPONENT_MAX 9999  /* |adjusted exponent| of a number */
#define BB_MESSAGE_BYTES_MAX (256 * 1024)
#define BB_MESSAGE_DEPTH_MAX 64

#define BB_NS_UNKNOWN UINT16_MAX

struct bb_identifier {
	struct bb_text ns;    /* name as given */
	struct bb_text value; /* raw at first; canonical after the gate */
	uint16_t ns_index;    /* position in the configuration = strength; set by the gate;
				 BB_NS_UNKNOWN before */
	bool blocked;	      /* set by the gate: junk or blocked by a pattern */
	bool optional;	      /* set by a connector: not canonical is ordinary here, no warning */
};

enum bb_value_kind { BB_VALUE_TEXT, BB_VALUE_NUMBER, BB_VALUE_FALSE, BB_VALUE_TRUE, BB_VALUE_LIST };

/* An attribute's value. NUMBER keeps the exact spelling in `text`; LIST is flat. */
struct bb_value {
	enum bb_value_kind kind;
	struct bb_text text;	      /* TEXT: UTF-8; NUMBER: as written */
	const struct bb_value *items; /* LIST */
	size_t item_n;
};

struct bb_attribute {
	struct bb_text name;
	struct bb_value value;
	int64_t at_ms; /* its own time; BB_AT_EVENT: the event's */
};

#define BB_AT_EVENT INT64_MIN

struct bb_amount {
	struct bb_text value;	 /* -?[0-9]{1,18}(\.[0-9]{1,6})? in major units */
	struct bb_text currency; /* three upper-case letters */
	struct bb_text key;	 /* p NULL: none */
	struct bb_text part;	 /* p NULL: none */
};

struct bb_consent {
	struct bb_text purpose;
	struct bb_text channel; /* p NULL: `any` */
	struct bb_text status;	/* `granted` or `denied`; else a dead letter */
};

struct bb_same {
	struct bb_identifier pair[2];
};

struct bb_warning {
	struct bb_text code; /* identifier_blocked, identifier_not_canonical, namespace_unknown,
				time_missing, ... */
	struct bb_text at;   /* the member: identifiers[2] */
	struct bb_text
		value; /* p NULL: none. Personal: for `try` only, never for logs or metrics */
};

struct bb_position {
	struct bb_text topic; /* p NULL: no position (files) */
	int32_t partition;
	int64_t offset;
};

/*
 * The first record that was read of a log, by which one log is told from another under the same
 * name: a topic that was deleted and made again. A log begins later and later, never earlier, and
 * what stands at an offset stays.
 */
struct bb_birth {
	bool known;
	int64_t offset;
	struct bb_hash print; /* keyed: of timestamp, key and value */
};

/* Whether a log that was first read at `now` is for sure another than one that was at `then`. */
static inline bool bb_birth_differs(const struct bb_birth *then, const struct bb_birth *now)
{
	return then->known && now->known &&
	       (now->offset < then->offset ||
		(now->offset == then->offset && !bb_hash_equal(&now->print, &then->print)));
}

struct bb_event {
	struct bb_text source, channel, type, id;
	int64_t time_ms;
	bool has_time;	 /* false: no usable time in the message; the gate takes the log's */
	bool kafka_time; /* time_source: kafka */
	int64_t log_ms;	 /* the log's timestamp, or BB_NO_TIMESTAMP */
	struct bb_position position;
	struct bb_birth birth; /* of the log that the position is of */
	struct bb_identifier *identifiers;
	size_t identifier_n, identifier_room;
	struct bb_attribute *attributes;
	size_t attribute_n, attribute_room;
	struct bb_attribute *once; /* attributes_once */
	size_t once_n, once_room;
	struct bb_text *unset;
	size_t unset_n, unset_room;
	struct bb_consent *consent;
	size_t consent_n, consent_room;
	struct bb_same *same;
	size_t same_n, same_room;
	/* Set by the gate where it made anything else of them: the identifiers as they came, and
	 * behind them, in pairs, those of `same`. NULL: they are what the event has. */
	const struct bb_identifier *given;
	size_t given_n, given_same_n;
	bool has_amount;
	struct bb_amount amount;
	struct bb_text properties; /* compact JSON of the object, p NULL: none */
	struct bb_warning *warnings;
	size_t warning_n, warning_room;
};

/* How the handling of an event, or of a whole record of the log, ended. */
#define BB_VERDICTS(X)                                                                             \
	X(APPLIED, "applied")                                                                      \
	X(DUPLICATE, "duplicate")                                                                  \
	X(SKIPPED, "skipped") /* by a rule of the connector, or a tombstone */                     \
	X(NO_IDENTIFIER, "no_identifier")                                                          \
	X(DEAD, "dead_letter")

enum bb_verdict {
#define X(name, text) BB_VERDICT_##name,
	BB_VERDICTS(X)
#undef X
		BB_VERDICT_COUNT
};

/* Why something became a dead letter. */
#define BB_DEAD_REASONS(X)                                                                         \
	X(TOO_LARGE, "too_large")                                                                  \
	X(INVALID_JSON, "invalid_json")                                                            \
	X(INVALID_UTF8, "invalid_utf8")                                                            \
	X(LONE_SURROGATE, "lone_surrogate")                                                        \
	X(DUPLICATE_KEY, "duplicate_key")                                                          \
	X(NUMBER_RANGE, "number_out_of_range")                                                     \
	X(TOO_DEEP, "too_deep")                                                                    \
	X(TRAILING_BYTES, "trailing_bytes")                                                        \
	X(BYTE_ORDER_MARK, "byte_order_mark")                                                      \
	X(WRONG_COLUMNS, "wrong_columns")                                                          \
	X(NOT_AN_OBJECT, "not_an_object")                                                          \
	X(UNSUPPORTED_FORMAT, "unsupported_format") /* Avro, Protobuf */                           \
	X(INVALID_EVENT, "invalid_event")	    /* the gate; `at` names the member */          \
	X(TOO_MANY_IDENTIFIERS, "too_many_identifiers")                                            \
	X(CONFLICTING_DUPLICATE, "conflicting_duplicate")                                          \
	X(STORE_LIMIT, "store_limit") /* 10,000 types, names, sources, purposes */                 \
	X(UNMATCHED, "unmatched")     /* otherwise: dead_letter */                                 \
	X(TOMBSTONE, "tombstone")                                                                  \
	X(INVALID_QUERY, "invalid_query")	/* a percent sign that stands for nothing */       \
	X(INVALID_ENVELOPE, "invalid_envelope") /* `unwrap` finds none */                          \
	X(INVALID_CSV, "invalid_csv")		/* a quote that never ends */

enum bb_dead_reason {
#define X(name, text) BB_DEAD_##name,
	BB_DEAD_REASONS(X)
#undef X
		BB_DEAD_REASON_COUNT
};

/* A refusal: why, and where in the message. Slices live in the batch's arena. */
struct bb_refusal {
	enum bb_dead_reason reason;
	struct bb_text at; /* member or path: `amount.currency`, `$.entry[0]`; p NULL: the whole */
	struct bb_text detail; /* for people; no personal data */
	int64_t byte_offset;   /* in the value; -1: not known */
};

const char *bb_verdict_text(enum bb_verdict verdict);
const char *bb_dead_reason_text(enum bb_dead_reason reason);

/* Appends the event as one line of canonical JSON, no line feed (what `try` prints; view.md §1). */
struct bb_buf;
void bb_event_json(const struct bb_event *ev, struct bb_buf *buf);
void bb_value_json(const struct bb_value *value, struct bb_buf *buf);

#endif
