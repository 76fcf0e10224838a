/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML document as a tree that keeps every scalar as text with line and column: the one loader of
 * the daemon's file and of connectors. The schema is the reader's: a scalar is what the option says
 * it is.
 */
#ifndef BACKBONE_YAML_H
#define BACKBONE_YAML_H

#include <backbone/connector.h>

enum bb_yaml_kind { BB_YAML_SCALAR, BB_YAML_LIST, BB_YAML_MAP };

struct bb_yaml {
	enum bb_yaml_kind kind;
	unsigned line, column;	/* of its first character, from 1 */
	struct bb_text text;	/* SCALAR, after ${...}; terminated by NUL */
	bool quoted;		/* SCALAR in quotes or a block */
	struct bb_yaml **items; /* LIST: elements; MAP: values */
	struct bb_yaml **keys;	/* MAP: scalars, in the order of the file */
	size_t n, room;
};

/*
 * NULL and diagnostics if the text is not YAML, or uses an anchor, alias, tag, merge key, duplicate
 * key, a key that is no scalar, several documents, or is nested deeper than 32. An empty document
 * is an empty map.
 */
struct bb_yaml *bb_yaml_read(const char *file, struct bb_text text,
			     struct bb_diagnostics *diagnostics);

/* The value of a key, or NULL. */
const struct bb_yaml *bb_yaml_get(const struct bb_yaml *map, const char *key);

/* Adds a diagnostic at the node. `path` is the dotted path of the node. */
void bb_yaml_complain(const char *file, const struct bb_yaml *node, const char *path,
		      struct bb_diagnostics *diagnostics, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Nothing more is told, so that what is only looked for mistakes can be left. */
bool bb_yaml_has_told(const struct bb_diagnostics *diagnostics);

/* The nearest of `words` by edit distance, or NULL if none is near: for "did you mean". */
const char *bb_yaml_nearest(struct bb_text word, const char *const *words, size_t n);

#endif
