/* SPDX-License-Identifier: Apache-2.0 */
/* A draft on its way: which fields it is made of. Private to suggest_write.c. */
#ifndef CTL_SUGGEST_CHOOSE_H
#define CTL_SUGGEST_CHOOSE_H

#include "suggest.h"

#define BB_CHOOSE_SOURCES_MAX 4 /* in one list */

struct bb_draft {
	const struct bb_suggestion *s;
	const struct bb_fields *fields;
	struct bb_buf *buf;
	const struct bb_text *each; /* the elements that are events; each_n 0: the messages */
	size_t each_n;
	bool has_currency; /* a field */
};

/* Steps up to the innermost list, that one included; how many lists there are in some steps. */
size_t bb_choose_list_steps(const struct bb_field *field);
size_t bb_choose_lists_in(const struct bb_text *steps, size_t n);

/* Whether names can be written in a path, and whether a source can lead to a field. */
bool bb_choose_is_writable(struct bb_text name);
bool bb_choose_all_writable(const struct bb_text *steps, size_t n);
bool bb_choose_is_in_reach(const struct bb_draft *d, const struct bb_field *field);

/* Fills in `each`. */
void bb_choose_each(struct bb_draft *d);

/* The field with the highest score, of_all: that most events have; NULL: none. */
typedef unsigned bb_choose_score_fn(const struct bb_field *field);
const struct bb_field *bb_choose_best(const struct bb_draft *d, bb_choose_score_fn *score,
				      bool of_all);
/* The currency nearest to the amount, which may be NULL. */
const struct bb_field *bb_choose_currency(const struct bb_draft *d, const struct bb_field *amount);

/* The type beside a field that says in some samples that it is of staff; NULL: none does. */
const struct bb_field *bb_choose_type_beside(const struct bb_fields *fields,
					     const struct bb_field *field);

/* Fields in reach of a guess, the best first: at most BB_CHOOSE_SOURCES_MAX. */
size_t bb_choose_guessed(const struct bb_draft *d, enum bb_guess_kind kind, const char *name,
			 const struct bb_field **ret_fields, const char **ret_reason);

#endif
