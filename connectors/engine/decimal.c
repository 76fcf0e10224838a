/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimal numbers from text to digits and scale and back; added and multiplied digit by digit, as
 * by hand. What does not fit into the limits is refused by a false result; nothing is rounded.
 */
#include "decimal.h"

#define EXPONENT_CAP INT64_C(1000000) /* beyond it nothing fits any limit */
#define WHOLE_DIGITS 18		      /* fits an int64_t */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One digit of the mantissa; zeros in front do not count. */
static bool add_digit(struct bb_decimal *d, char c)
{
	if (d->n == 0 && c == '0')
		return true;
	if (d->n == BB_DECIMAL_DIGITS_MAX)
		return false;
	d->digits[d->n++] = c;
	return true;
}

/* Digits at *p, which moves behind them; false: none, or too many. */
static bool read_digits(const char **p, const char *end, struct bb_decimal *d)
{
	const char *from = *p;

	for (; *p < end && is_digit(**p); ++*p)
		if (!add_digit(d, **p))
			return false;
	return *p > from;
}

static bool read_exponent(const char **p, const char *end, int64_t *ret_value)
{
	bool negative = false;
	const char *from;
	int64_t value = 0;

	if (*p < end && (**p == '+' || **p == '-'))
		negative = *(*p)++ == '-';
	for (from = *p; *p < end && is_digit(**p); ++*p)
		value = value < EXPONENT_CAP ? value * 10 + (**p - '0') : value;
	*ret_value = negative ? -value : value;
	return *p > from;
}

bool bb_decimal_read(struct bb_text text, struct bb_decimal *ret)
{
	const char *p = text.p, *end = p + text.n, *fraction;
	int64_t exponent = 0;

	ret->negative = p < end && *p == '-';
	ret->n = 0;
	ret->scale = 0;
	p += ret->negative;
	if (!read_digits(&p, end, ret))
		return false;
	if (p < end && *p == '.') {
		fraction = ++p;
		if (!read_digits(&p, end, ret))
			return false;
		ret->scale = p - fraction;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (!read_exponent(&p, end, &exponent))
			return false;
	}
	ret->scale -= exponent;
	return p == end;
}

bool bb_decimal_read_text(struct bb_text text, struct bb_decimal *ret)
{
	while (text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t')) {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t'))
		text.n--;
	return bb_decimal_read(text, ret);
}

/* Digits as they are added up by hand: the last one first, zeros in front. */
struct column {
	int digits[BB_DECIMAL_DIGITS_MAX];
};

/* False: with that scale there are more digits than columns. */
static bool to_columns(const struct bb_decimal *d, int64_t scale, struct column *ret)
{
	int64_t zeros = scale - d->scale;

	memset(ret, 0, sizeof(*ret));
	if (zeros + d->n > BB_DECIMAL_DIGITS_MAX)
		return false;
	for (unsigned i = 0; i < d->n; i++)
		ret->digits[zeros + i] = d->digits[d->n - 1 - i] - '0';
	return true;
}

/* Carries what is above 9. False: it does not fit. */
static bool from_columns(const struct column *c, int64_t scale, struct bb_decimal *ret)
{
	char digits[BB_DECIMAL_DIGITS_MAX];
	size_t n = BB_DECIMAL_DIGITS_MAX;
	int carry = 0;

	for (size_t i = 0; i < n; i++) {
		carry += c->digits[i];
		digits[i] = (char)(carry % 10);
		carry /= 10;
	}
	while (n > 0 && digits[n - 1] == 0)
		n--;
	ret->scale = scale;
	ret->n = 0;
	while (n > 0)
		ret->digits[ret->n++] = (char)('0' + digits[--n]);
	return carry == 0;
}

static int compare_columns(const struct column *a, const struct column *b)
{
	size_t i = BB_DECIMAL_DIGITS_MAX - 1;

	while (i > 0 && a->digits[i] == b->digits[i])
		i--;
	return a->digits[i] - b->digits[i];
}

/* a - b, where a is not less */
static void subtract(struct column *a, const struct column *b)
{
	int borrowed = 0;

	for (size_t i = 0; i < BB_DECIMAL_DIGITS_MAX; i++) {
		a->digits[i] -= b->digits[i] + borrowed;
		borrowed = a->digits[i] < 0;
		a->digits[i] += 10 * borrowed;
	}
}

bool bb_decimal_add(const struct bb_decimal *a, const struct bb_decimal *b, struct bb_decimal *ret)
{
	int64_t scale = a->scale > b->scale ? a->scale : b->scale;
	bool same = a->negative == b->negative, turned;
	struct column x, y;

	if (a->n == 0 || b->n == 0) {
		*ret = a->n == 0 ? *b : *a;
		return true;
	}
	if (!to_columns(a, scale, &x) || !to_columns(b, scale, &y))
		return false;
	turned = !same && compare_columns(&x, &y) < 0;
	ret->negative = turned ? b->negative : a->negative;
	if (same)
		for (size_t i = 0; i < BB_DECIMAL_DIGITS_MAX; i++)
			x.digits[i] += y.digits[i];
	else
		subtract(turned ? &y : &x, turned ? &x : &y);
	return from_columns(turned ? &y : &x, scale, ret);
}

bool bb_decimal_multiply(const struct bb_decimal *a, const struct bb_decimal *b,
			 struct bb_decimal *ret)
{
	int64_t scale = a->scale + b->scale;
	struct column x, y, product = {{0}};

	if (a->n + b->n > BB_DECIMAL_DIGITS_MAX || !to_columns(a, a->scale, &x) ||
	    !to_columns(b, b->scale, &y))
		return false;
	for (unsigned i = 0; i < a->n; i++)
		for (unsigned k = 0; k < b->n; k++)
			product.digits[i + k] += x.digits[i] * y.digits[k];
	ret->negative = a->negative != b->negative;
	return from_columns(&product, scale, ret);
}

/* Without zeros at the end of the fraction beyond `fraction` digits. */
static struct bb_decimal cut_zeros(const struct bb_decimal *d, unsigned fraction)
{
	struct bb_decimal cut = *d;

	if (cut.n == 0 && cut.scale > (int64_t)fraction)
		cut.scale = fraction;
	while (cut.scale > (int64_t)fraction && cut.n > 0 && cut.digits[cut.n - 1] == '0') {
		cut.n--;
		cut.scale--;
	}
	return cut;
}

static char *put_zeros(char *out, int64_t n)
{
	for (; n > 0; n--)
		*out++ = '0';
	return out;
}

bool bb_decimal_write(const struct bb_decimal *d, unsigned whole, unsigned fraction,
		      struct bb_arena *arena, struct bb_text *ret_text)
{
	struct bb_decimal cut = cut_zeros(d, fraction);
	int64_t n = cut.n, before = n - cut.scale; /* digits before the point */
	char *start, *out;

	if (n == 0 && cut.scale < 0)
		cut.scale = 0;
	if (cut.scale > (int64_t)fraction || (n > 0 && before > (int64_t)whole))
		return false;
	start = out = bb_arena_alloc(arena, (size_t)whole + fraction + 4);
	if (cut.negative && n > 0)
		*out++ = '-';
	if (n == 0 || before <= 0) {
		*out++ = '0';
	} else {
		memcpy(out, cut.digits, (size_t)(before < n ? before : n));
		out = put_zeros(out + (before < n ? before : n), before - n);
	}
	if (cut.scale > 0) {
		*out++ = '.';
		out = put_zeros(out, cut.scale - n);
		before = before > 0 ? before : 0;
		memcpy(out, cut.digits + before, (size_t)(n - before));
		out += n - before;
	}
	*ret_text = bb_text_bytes(start, (size_t)(out - start));
	return true;
}

bool bb_decimal_whole(const struct bb_decimal *d, int shift, int64_t *ret_value)
{
	int64_t digits = (int64_t)d->n - d->scale + shift; /* before the point, once shifted */
	int64_t value = 0;

	if (d->n > 0 && digits > WHOLE_DIGITS)
		return false;
	for (int64_t i = 0; d->n > 0 && i < digits; i++)
		value = value * 10 + (i < (int64_t)d->n ? d->digits[i] - '0' : 0);
	*ret_value = d->negative ? -value : value;
	return true;
}

bool bb_decimal_may_be_rounded(struct bb_text number)
{
	struct bb_decimal d;
	int64_t value;

	if (!bb_decimal_read(number, &d))
		return true; /* more digits than any double has */
	if (!bb_decimal_whole(&d, 0, &value))
		return true;
	return value > INT64_C(9007199254740992) || value < -INT64_C(9007199254740992);
}
