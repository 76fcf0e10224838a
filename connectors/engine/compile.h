/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the compiler share. Private to the engine. */
#ifndef BB_COMPILE_H
#define BB_COMPILE_H

#include <backbone/yaml.h>

#include "plan.h"
#include "schema.h"

struct bb_defaults {
	struct bb_text region, currency; /* p NULL: none */
	const struct bb_zone *zone;
	struct bb_digits digits;
};

/* A source that is written as a map, before it becomes an expression. */
struct bb_source_map {
	struct bb_text constant;
	struct bb_expr template; /* no parts: none */
	struct bb_exprs from;
	struct bb_parse *parse; /* NULL: none */
	struct bb_change change;
	struct bb_seek seek;
	struct bb_time_plan at;
};

/* Texts that are opened, each once. */
struct bb_parses {
	struct bb_parse **items;
	size_t n, room;
};

struct bb_compiler {
	const char *file;
	const struct bb_rules *rules; /* or NULL */
	struct bb_diagnostics *diagnostics;
	struct bb_connector *connector;
	struct bb_arena *arena; /* of the plan */
	struct bb_buf path;	/* of the current node, terminated */
	struct bb_defaults defaults;
	struct bb_parses parses;
	bool has_tenant;    /* the file says what the tenant is */
	bool in_tenant;	    /* it is being read */
	bool at_allowed;    /* the source being read is an attribute's */
	unsigned each_n;    /* [*] and .* around the current place */
	unsigned each_most; /* of all event rules */
	bool is_full;	    /* that there is no room for more rules was said */
	size_t each_at;	    /* which of the rule's `each` is being compiled */
	bool in_member;	    /* one of them is a .* */
	bool any_member;    /* of all event rules */
	unsigned ups;	    /* elements around the current place: so many ^ are allowed */
	unsigned ups_most;  /* of all event rules */
	unsigned rule_ups;  /* around the element that a condition is on */
	bool inside;	    /* what is being read looks into the rule's element */
	unsigned whole;	    /* of them, those around the whole that `each` begins at */

	const struct bb_origin *each_origin; /* of the rule's `each`; NULL: it has none */
};

/* compile.c: the walk along the table */
void bb_compile_section(struct bb_compiler *c, const struct bb_yaml *node, enum bb_place place,
			void *target);
void bb_compile_complain(struct bb_compiler *c, const struct bb_yaml *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* A key below the current node for the time of a call: returns what bb_compile_leave takes. */
size_t bb_compile_enter(struct bb_compiler *c, struct bb_text key);
size_t bb_compile_enter_item(struct bb_compiler *c, size_t i);
void bb_compile_leave(struct bb_compiler *c, size_t mark);

/* "word" is not one of the words: what is allowed, and the nearest. */
void bb_compile_unknown(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
			struct bb_names allowed);

/* The same with another guess; NULL: none. */
void bb_compile_unknown_near(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
			     struct bb_names allowed, const char *nearest);

/* The words of a text with spaces between, in the arena of the diagnostics. */
struct bb_names bb_compile_words(struct bb_compiler *c, const char *words);

/* The scalar's text in the plan's arena; false: a diagnostic says that it must be `what`. */
bool bb_compile_text(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
		     struct bb_text *ret_text);

/* A path, metadata or a text. False: complained. */
bool bb_compile_scalar(struct bb_compiler *c, const struct bb_yaml *node, struct bb_expr *expr);

/* At a byte of a scalar: `in "text": wrong`. Always false. */
bool bb_compile_fail_at(struct bb_compiler *c, const struct bb_yaml *node, size_t pos,
			const char *wrong);

/* compile_value.c, compile_source.c, compile_seek.c, compile_parse.c: one type each; what is wrong
 * ends as a diagnostic */
typedef void bb_compile_fn(struct bb_compiler *c, const struct bb_yaml *node,
			   const struct bb_option *option, void *target);
bb_compile_fn bb_compile_name, bb_compile_plain, bb_compile_flag, bb_compile_choice,
	bb_compile_topics, bb_compile_names, bb_compile_region, bb_compile_zone,
	bb_compile_currency, bb_compile_namespace, bb_compile_time_form, bb_compile_word_map,
	bb_compile_digits;
bb_compile_fn bb_compile_each, bb_compile_redact, bb_compile_sources, bb_compile_template,
	bb_compile_conditions, bb_compile_unwrap, bb_compile_attributes, bb_compile_status,
	bb_compile_parse, bb_compile_inner, bb_compile_inners;

/* compile_seek.c: makes a pick, lookup or sum of an expression, where the source is one. */
void bb_compile_seek(struct bb_compiler *c, const struct bb_yaml *source,
		     const struct bb_seek *seek, struct bb_expr *expr);

/* compile_source.c: a path from the top of the message; a path that is a column. False: complained.
 */
bool bb_compile_top_path(struct bb_compiler *c, const struct bb_yaml *node, struct bb_path *path);
bool bb_compile_column(struct bb_compiler *c, const struct bb_yaml *node, struct bb_path *path);

/* compile_redact.c: after all has been read, the paths of `redact` for every top that rules see. */
void bb_compile_redacted_tops(struct bb_compiler *c);

/* compile_check.c: what the keys of one map say together */
void bb_compile_check(struct bb_compiler *c, const struct bb_yaml *node, enum bb_place place,
		      void *target);

#endif
