/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact numbers. Money is read into millionths, which six decimals always fit; 10^14 of the largest
 * amounts fit a sum. Numbers are compared by sign, then by the position of their first digit, then
 * digit by digit.
 */
#include "number.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool bb_money_parse(struct bb_text text, bb_i128 *ret_micros)
{
	bool minus = text.n && text.p[0] == '-';
	size_t i = minus, from = i;
	uint64_t whole = 0, fraction = 0;

	while (i < text.n && is_digit(text.p[i]) && i - from < 18)
		whole = whole * 10 + (uint64_t)(text.p[i++] - '0');
	if (i == from)
		return false;
	if (i < text.n) {
		size_t decimals = 0;

		if (text.p[i++] != '.')
			return false;
		for (; i < text.n && is_digit(text.p[i]) && decimals < 6; decimals++)
			fraction = fraction * 10 + (uint64_t)(text.p[i++] - '0');
		if (!decimals || i < text.n)
			return false;
		for (; decimals < 6; decimals++)
			fraction *= 10;
	}
	*ret_micros = (bb_i128)whole * 1000000 + fraction;
	if (minus)
		*ret_micros = -*ret_micros;
	return true;
}

size_t bb_money_format(bb_i128 micros, char out[BB_MONEY_CHARS])
{
	char digits[BB_MONEY_CHARS];
	size_t n = 0, length = 0;
	unsigned __int128 u = micros < 0 ? -(unsigned __int128)micros : (unsigned __int128)micros;

	for (; u || n < 7; u /= 10)
		digits[n++] = (char)('0' + (int)(u % 10));
	if (micros < 0)
		out[length++] = '-';
	while (n > 6)
		out[length++] = digits[--n];
	size_t last = 0;

	while (last < 6 && digits[last] == '0')
		last++;
	if (last < 6) {
		out[length++] = '.';
		while (n > last)
			out[length++] = digits[--n];
	}
	return length;
}

/* A JSON number, taken apart: the digits of its coefficient without leading zeros, as they lie in
 * the text. */
struct parts {
	const char *p, *end; /* from the first digit that counts to the end of the coefficient */
	long long top;	     /* power of ten of the first digit */
	int sign;	     /* 0: zero */
};

static struct parts take_apart(struct bb_text text)
{
	struct parts parts = {.p = text.p, .end = text.p + text.n, .sign = 1};
	const char *e = NULL, *point = NULL, *first = NULL;
	long long exponent = 0;

	if (parts.p < parts.end && *parts.p == '-') {
		parts.sign = -1;
		parts.p++;
	}
	for (const char *p = parts.p; p < parts.end; p++) {
		if (*p == '.')
			point = p;
		else if (*p == 'e' || *p == 'E')
			e = p;
		else if (!e && !first && *p != '0')
			first = p;
		if (e)
			break;
	}
	if (e) {
		const char *p = e + 1;
		bool minus = p < parts.end && *p == '-';

		p += minus || (p < parts.end && *p == '+');
		/* bounded: leading zeros aside, the gate keeps exponents short */
		for (; p < parts.end && is_digit(*p); p++)
			exponent = exponent < 1000000000 ? exponent * 10 + (*p - '0') : exponent;
		exponent = minus ? -exponent : exponent;
		parts.end = e;
	}
	if (!first) {
		parts.sign = 0;
		return parts;
	}
	const char *units = point ? point : parts.end;

	parts.top = exponent + (first < units ? units - first - 1 : -(first - units));
	parts.p = first;
	return parts;
}

/* The next digit of the coefficient; '0' for ever behind its end. */
static char next_digit(struct parts *parts)
{
	if (parts->p < parts->end && *parts->p == '.')
		parts->p++;
	return parts->p < parts->end ? *parts->p++ : '0';
}

int bb_number_compare(struct bb_text a, struct bb_text b)
{
	struct parts x = take_apart(a), y = take_apart(b);

	if (x.sign != y.sign || !x.sign)
		return (x.sign > y.sign) - (x.sign < y.sign);
	if (x.top != y.top)
		return x.top > y.top ? x.sign : -x.sign;
	while (x.p < x.end || y.p < y.end) {
		char c = next_digit(&x), d = next_digit(&y);

		if (c != d)
			return c > d ? x.sign : -x.sign;
	}
	return 0;
}
