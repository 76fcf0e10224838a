/* SPDX-License-Identifier: Apache-2.0 */
/* Explanations for people: the JSON of <backbone/explain.h> as trees and sentences. */
#ifndef CTL_EXPLAIN_TEXT_H
#define CTL_EXPLAIN_TEXT_H

#include <backbone/text.h>
#include <stdio.h>

/* The answer of bb_explain_why or bb_explain_pair. False: it is not that. */
bool bb_explain_text_why(struct bb_text json, FILE *out);
bool bb_explain_text_pair(struct bb_text json, FILE *out);

#endif
