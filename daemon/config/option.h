/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of options, and what is filled from it. One row says all that is known of an option;
 * the reader (schema.c), the messages and the manual's reference (reference.c) take it from there.
 * Private to the module.
 */
#ifndef BB_OPTION_H
#define BB_OPTION_H

#include <backbone/config.h>
#include <backbone/yaml.h>

enum bb_option_type {
	BB_OPTION_SECTION,  /* a map of options, filled in the same place */
	BB_OPTION_SECTIONS, /* a list of maps; its members' paths have [] */
	BB_OPTION_TEXT,	    /* const char * */
	BB_OPTION_PATH,	    /* const char *, absolute */
	BB_OPTION_SIZE,	    /* uint64_t, bytes */
	BB_OPTION_SIZE32,   /* uint32_t, bytes */
	BB_OPTION_NUMBER,   /* uint32_t */
	BB_OPTION_DURATION, /* int64_t, ms */
	BB_OPTION_SECONDS,  /* uint32_t; written like a duration */
	BB_OPTION_TIME,	    /* int64_t, ms */
	BB_OPTION_BOOL,	    /* bool */
	BB_OPTION_WORD,	    /* unsigned: the position in `words` */
	BB_OPTION_MODE,	    /* unsigned */
	BB_OPTION_ADDRESS,  /* const char *: loopback and port */
	BB_OPTION_REGION,   /* const char *: two upper-case letters */
	BB_OPTION_KEY,	    /* struct bb_profile_key; never shown in a message */
	BB_OPTION_TEXTS,    /* struct bb_text_list */
	BB_OPTION_RULES,    /* attribute -> fold rule, into bb_config.rules */
	BB_OPTION_KAFKA	    /* name -> value, into bb_config.kafka_options */
};

struct bb_option {
	const char *path; /* identity.namespaces[].name */
	enum bb_option_type type;
	enum { BB_IN_CONFIG, BB_IN_DRAFT, BB_IN_NAMESPACE, BB_IN_REPLAY } where;
	size_t offset;
	uint64_t least, most; /* of numbers, in the unit in which they are kept */
	const char *const *words;
	const char *fallback; /* as it would be written; "": none; NULL: the option must be there */
	const char *shown;    /* instead of `fallback` where that depends on something */
	const char *example;  /* of TEXT, TEXTS and maps, for messages */
	const char *help;
	bool none; /* `none` is allowed: NULL, or BB_NO_LIMIT */
};

extern const struct bb_option bb_options[];
extern const size_t bb_option_n;

struct bb_text_list {
	const char **items;
	const struct bb_yaml **nodes; /* where each is written */
	size_t n;
};

struct bb_namespace_draft {
	struct bb_namespace ns;
	struct bb_text_list block, derive;
	const struct bb_yaml *node;
};

struct bb_replay_draft {
	const char *connector;
	struct bb_text_list files;
	const struct bb_yaml *node;
};

/* What is read first and needs more work before it is a part of the configuration. */
struct bb_draft {
	unsigned unknown_peers;
	uint32_t changes_max, changes_days;
	struct bb_text_list connectors, topics, sources;
	struct bb_namespace_draft *namespaces;
	struct bb_replay_draft *replay;
	size_t namespace_n, replay_n;
};

struct bb_loading {
	const char *file; /* as it was given: for messages */
	struct bb_config *config;
	const struct bb_config *before; /* connectors may be borrowed from it; NULL: from nobody */
	struct bb_diagnostics *diagnostics;
	const struct bb_yaml *root;
	struct bb_draft draft;
};

/* Appends what may be written: `a whole number from 1 to 20`. (describe.c) */
void bb_option_describe(const struct bb_option *option, struct bb_buf *buf);

/* The text of a scalar into `target`. False: not allowed; nothing is written. (value.c) */
bool bb_value_read(struct bb_loading *loading, const struct bb_option *option, struct bb_text text,
		   void *target);

/* A text of the configuration file in the configuration's arena, terminated. */
const char *bb_value_keep(struct bb_loading *loading, struct bb_text text);

/* Adds a diagnostic in the main file. */
#define BB_COMPLAIN(loading, node, path, ...)                                                      \
	bb_yaml_complain((loading)->file, (node), (path), (loading)->diagnostics, __VA_ARGS__)

/* Defaults, then the tree, into configuration and draft. (schema.c) */
void bb_schema_read(struct bb_loading *loading);

/* The node at a path of keys with dots, or NULL. (schema.c) */
const struct bb_yaml *bb_schema_node(const struct bb_yaml *root, const char *path);

/* From the draft: namespaces and view (identity.c), connectors, direct and replay (sources.c). */
void bb_identity_read(struct bb_loading *loading);
void bb_sources_read(struct bb_loading *loading);

/* Reads a whole file of at most BB_CONFIG_FILE_MAX bytes into `arena`. BB_OK or BB_EIO. (file.c) */
BB_MUST_CHECK int bb_file_read(const char *path, struct bb_arena *arena, struct bb_text *ret_text,
			       struct bb_error *err);

/* `path`, or `directory/path` if it is relative. (file.c) */
const char *bb_file_join(const char *directory, const char *path, struct bb_arena *arena);

/*
 * Files that match `pattern` below `directory`, sorted. A pattern without * ? [ must exist. BB_OK,
 * or BB_ENOTFOUND (no such file, or no such folder) or BB_EIO with `err`. (file.c)
 */
struct bb_file_list {
	const char **items;
	size_t n, room;
};
BB_MUST_CHECK int bb_file_expand(const char *directory, const char *pattern, struct bb_arena *arena,
				 struct bb_file_list *ret_files, struct bb_error *err);

#endif
