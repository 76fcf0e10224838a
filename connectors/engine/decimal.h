/* SPDX-License-Identifier: Apache-2.0 */
/* Exact decimal numbers as text. Never a double. Private to the engine. */
#ifndef BB_DECIMAL_H
#define BB_DECIMAL_H

#include <backbone/arena.h>

#define BB_DECIMAL_DIGITS_MAX 80

/* digits × 10^-scale */
struct bb_decimal {
	bool negative;
	unsigned n; /* of digits; no leading zeros; 0: zero */
	char digits[BB_DECIMAL_DIGITS_MAX];
	int64_t scale;
};

/* -?digits[.digits][e[+-]digits], at most 80 digits that count. False: not of that form. */
bool bb_decimal_read(struct bb_text text, struct bb_decimal *ret);

/* The same with blanks around it. */
bool bb_decimal_read_text(struct bb_text text, struct bb_decimal *ret);

/* Exact; false: more digits than there is room for. ret may be a or b. */
bool bb_decimal_add(const struct bb_decimal *a, const struct bb_decimal *b, struct bb_decimal *ret);
bool bb_decimal_multiply(const struct bb_decimal *a, const struct bb_decimal *b,
			 struct bb_decimal *ret);

/*
 * Written out without an exponent, digits after the point as the scale says. False: more than
 * `whole` digits before the point or `fraction` digits after it (zeros at the end are cut to fit).
 */
bool bb_decimal_write(const struct bb_decimal *d, unsigned whole, unsigned fraction,
		      struct bb_arena *arena, struct bb_text *ret_text);

/* The value × 10^shift, cut off towards zero. False: not below 10^18. */
bool bb_decimal_whole(const struct bb_decimal *d, int shift, int64_t *ret_value);

/* Whether a number as JSON writes it is above 2^53, where doubles begin to skip whole numbers. */
bool bb_decimal_may_be_rounded(struct bb_text number);

#endif
