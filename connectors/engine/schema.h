/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of everything that a connector file may say. The compiler, its messages and the
 * reference in the manual are made from it. Private to the engine.
 */
#ifndef BB_SCHEMA_H
#define BB_SCHEMA_H

#include <backbone/text.h>

/* Where a key may stand: the whole file, or a map inside it. */
enum bb_place {
	BB_IN_FILE,
	BB_IN_DEFAULTS,
	BB_IN_EVENT,
	BB_IN_TIME,
	BB_IN_IDENTIFY,
	BB_IN_SAME,
	BB_IN_RULED,
	BB_IN_SPREAD,
	BB_IN_AMOUNT,
	BB_IN_CONSENT,
	BB_IN_STATUS,
	BB_IN_SOURCE,
	BB_IN_PICK,
	BB_IN_LOOKUP,
	BB_IN_SUM,
	BB_PLACE_COUNT
};

/* What its value is. */
enum bb_type {
	BB_TYPE_NAME,	    /* of a connector */
	BB_TYPE_TEXT,	    /* any text that is not empty */
	BB_TYPE_FLAG,	    /* true or false */
	BB_TYPE_CHOICE,	    /* one of `words` */
	BB_TYPE_TOPICS,	    /* names, or one /pattern/ */
	BB_TYPE_NAMES,	    /* a text, or a list of texts */
	BB_TYPE_REGION,	    /* two letters of ISO 3166 */
	BB_TYPE_ZONE,	    /* Europe/Paris, UTC, +02:00 */
	BB_TYPE_CURRENCY,   /* three letters of ISO 4217 */
	BB_TYPE_NAMESPACE,  /* one that is configured */
	BB_TYPE_TIME_FORM,  /* iso8601, epoch_ms, ... */
	BB_TYPE_EACH,	    /* a path that ends with [*] */
	BB_TYPE_REDACT,	    /* paths */
	BB_TYPE_SOURCES,    /* a path, a constant, or a list of them: the first usable wins */
	BB_TYPE_TEMPLATE,   /* text with {paths} */
	BB_TYPE_INNER,	    /* a path inside an element: values[0] */
	BB_TYPE_INNERS,	    /* one, or a list of them */
	BB_TYPE_CONDITIONS, /* path -> value, list, exists, absent */
	BB_TYPE_ATTRIBUTES, /* name -> sources */
	BB_TYPE_WORD_MAP,   /* text -> text */
	BB_TYPE_DIGITS,	    /* currency -> number of digits */
	BB_TYPE_STATUS,	    /* granted, denied, or a map */
	BB_TYPE_SECTION,    /* a map with keys of its own */
	BB_TYPE_SECTIONS,   /* a list of such maps, or one of them */
	BB_TYPE_UNWRAP,	    /* one of `words`, or a list of them */
	BB_TYPE_PARSE,	    /* a path to a text that is opened */
	BB_TYPE_COUNT
};

struct bb_option {
	enum bb_place place;
	const char *name;
	enum bb_type type;
	size_t offset; /* of the field in the structure of the place (plan.h) */
	bool required;
	enum bb_place section; /* SECTION, SECTIONS: the place inside */
	const char *words;     /* CHOICE: allowed ones, with spaces between; they count from 1 */
	const char *help;      /* one sentence for the manual */
};

/* All options; those of a place stand together, in the order in which they are read. */
const struct bb_option *bb_schema_options(size_t *ret_n);

/* The option of a key, or NULL. */
const struct bb_option *bb_schema_find(enum bb_place place, struct bb_text name);

/* Bytes of the structure of a place that may come as a list (SECTIONS). */
size_t bb_schema_item_bytes(enum bb_place place);

#endif
