/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts: exact decimal text in major units, and the currencies of ISO 4217. Private. */
#ifndef BB_MONEY_H
#define BB_MONEY_H

#include <backbone/arena.h>

/* Digits after the point of a currency (three upper-case letters), or -1: no such currency. */
int bb_money_exponent(struct bb_text currency);

struct bb_money_form {
	int minor_digits; /* the value is in units of 10^-minor_digits; 0: in major units */
	bool negative;	  /* a refund: below zero, whichever sign it came with */
};

/* The amount in major units, as an event has it. False: no decimal number, or too large or fine. */
bool bb_money_amount(struct bb_text value, struct bb_money_form form, struct bb_arena *arena,
		     struct bb_text *ret_amount);

/* Whether it is a number with digits behind the point that stay there: 12.50, not 1.25e3. */
bool bb_money_has_fraction(struct bb_text value);

#endif
