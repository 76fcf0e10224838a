/* SPDX-License-Identifier: Apache-2.0 */
/* Which operators of the connector language are in the examples of the manual. */
#ifndef OPERATORS_H
#define OPERATORS_H

#include <backbone/text.h>

/* Notes what a connector, which has been run, is made of. */
void operators_note(struct bb_text yaml);

/*
 * Expects that all were noted: each key in each place where it may stand, each word that a key
 * allows, each form of time, each metadata, each condition, each ruling.
 */
void operators_expect_all(void);

#endif
