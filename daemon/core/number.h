/* SPDX-License-Identifier: Apache-2.0 */
/* Exact numbers: money in millionths as 128-bit integers; JSON numbers compared by value from their
 * text. */
#ifndef BB_CORE_NUMBER_H
#define BB_CORE_NUMBER_H

#include "codec.h"

/* `-?[0-9]{1,18}(\.[0-9]{1,6})?` (view.md §1), in millionths. False: not of that form. */
bool bb_money_parse(struct bb_text text, bb_i128 *ret_micros);

/* Plain decimal, no trailing zeros, no minus before zero. At most BB_MONEY_CHARS, no terminator;
 * returns the length. */
#define BB_MONEY_CHARS 48
size_t bb_money_format(bb_i128 micros, char out[BB_MONEY_CHARS]);

/* By value; both are JSON numbers with exponents within ±9,999. <0, 0, >0. */
int bb_number_compare(struct bb_text a, struct bb_text b);

#endif
