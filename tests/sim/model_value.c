/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of attributes: numbers are compared by digits and exponent, never through a double; money
 * is summed in millionths in 128 bits, which hold a billion amounts of 18 digits.
 */
#include "model_state.h"

#include <backbone/buf.h>

#include <stdlib.h>

#define MILLIONTHS 6

struct decimal {
	bool negative;
	struct bb_text digits; /* without zeros in front; n 0: zero */
	long top;	       /* exponent of the first digit */
};

static struct decimal parse(struct bb_text text, char *room)
{
	struct decimal d = {.digits = {room, 0}};
	long point = 0, exponent = 0;
	size_t i = 0, n = 0;
	bool after = false;

	if (i < text.n && text.p[i] == '-') {
		d.negative = true;
		i++;
	}
	for (; i < text.n && text.p[i] != 'e' && text.p[i] != 'E'; i++) {
		if (text.p[i] == '.') {
			after = true;
			continue;
		}
		room[n++] = text.p[i];
		point += after;
	}
	if (i < text.n)
		exponent = strtol(text.p + i + 1, NULL, 10);
	while (d.digits.n < n && room[d.digits.n] == '0')
		d.digits.n++;
	d.digits = (struct bb_text){room + d.digits.n, n - d.digits.n};
	d.top = exponent - point + (long)d.digits.n - 1;
	return d;
}

static int compare_numbers(struct bb_text a, struct bb_text b)
{
	char *room_a = malloc(a.n + 1), *room_b = malloc(b.n + 1);
	struct decimal x = parse(a, room_a), y = parse(b, room_b);
	int sign_x = x.digits.n == 0 ? 0 : x.negative ? -1 : 1;
	int sign_y = y.digits.n == 0 ? 0 : y.negative ? -1 : 1;
	int d = 0;

	if (sign_x != sign_y) {
		d = sign_x < sign_y ? -1 : 1;
	} else if (sign_x != 0 && x.top != y.top) {
		d = (x.top < y.top ? -1 : 1) * sign_x;
	} else if (sign_x != 0) {
		for (size_t i = 0; d == 0 && (i < x.digits.n || i < y.digits.n); i++)
			d = (i < x.digits.n ? x.digits.p[i] : '0') -
			    (i < y.digits.n ? y.digits.p[i] : '0');
		d *= sign_x;
	}
	free(room_a);
	free(room_b);
	return d;
}

static int kind_order(enum bb_value_kind kind)
{
	return kind == BB_VALUE_NUMBER ? 0 : kind == BB_VALUE_TEXT ? 1 : 2;
}

int bb_model_compare(const struct bb_value *a, const struct bb_value *b, bool spelling)
{
	int d = kind_order(a->kind) - kind_order(b->kind);

	if (d != 0)
		return d;
	if (a->kind == BB_VALUE_TEXT)
		return bb_text_compare(a->text, b->text);
	if (a->kind != BB_VALUE_NUMBER)
		return (a->kind == BB_VALUE_TRUE) - (b->kind == BB_VALUE_TRUE);
	d = compare_numbers(a->text, b->text);
	if (d == 0 && spelling && a->text.n != b->text.n)
		d = a->text.n < b->text.n ? -1 : 1;
	return d == 0 && spelling ? bb_text_compare(a->text, b->text) : d;
}

static size_t digits_at(struct bb_text text, size_t at)
{
	size_t n = 0;

	while (at + n < text.n && text.p[at + n] >= '0' && text.p[at + n] <= '9')
		n++;
	return n;
}

bool bb_model_is_money(struct bb_text text)
{
	size_t at = text.n > 0 && text.p[0] == '-', n = digits_at(text, at);

	if (n < 1 || n > 18)
		return false;
	at += n;
	if (at == text.n)
		return true;
	n = digits_at(text, at + 1);
	return text.p[at] == '.' && n >= 1 && n <= MILLIONTHS && at + 1 + n == text.n;
}

static __int128 millionths(struct bb_text text)
{
	__int128 sum = 0;
	int decimals = -1;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '.')
			decimals = 0;
		else if (text.p[i] != '-')
			sum = sum * 10 + (text.p[i] - '0');
		if (decimals >= 0 && text.p[i] != '.')
			decimals++;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < MILLIONTHS; i++)
		sum *= 10;
	return text.p[0] == '-' ? -sum : sum;
}

/* Plain: no exponent, no zeros behind, no minus before zero. */
struct bb_text bb_model_total(const struct bb_text *amounts, size_t n, struct bb_arena *arena)
{
	char room[64], *p = room + sizeof room;
	__int128 sum = 0, rest;
	bool digits = false;

	for (size_t i = 0; i < n; i++)
		sum += millionths(amounts[i]);
	rest = sum < 0 ? -sum : sum;
	for (int place = 0; place <= MILLIONTHS || rest > 0; place++, rest /= 10) {
		int digit = (int)(rest % 10);

		if (place == MILLIONTHS && digits)
			*--p = '.';
		digits = digits || digit != 0 || place >= MILLIONTHS;
		if (digits)
			*--p = (char)('0' + digit);
	}
	if (sum < 0)
		*--p = '-';
	return bb_arena_copy(arena, (struct bb_text){p, (size_t)(room + sizeof room - p)});
}

void bb_model_value_json(const struct bb_value *value, struct bb_buf *buf)
{
	switch (value->kind) {
	case BB_VALUE_TEXT:
		bb_buf_json(buf, value->text);
		break;
	case BB_VALUE_NUMBER:
		bb_buf_text(buf, value->text);
		break;
	case BB_VALUE_FALSE:
		bb_buf_text(buf, BB_TEXT("false"));
		break;
	case BB_VALUE_TRUE:
		bb_buf_text(buf, BB_TEXT("true"));
		break;
	case BB_VALUE_LIST:
		bb_buf_byte(buf, '[');
		for (size_t i = 0; i < value->item_n; i++) {
			if (i > 0)
				bb_buf_byte(buf, ',');
			bb_model_value_json(&value->items[i], buf);
		}
		bb_buf_byte(buf, ']');
		break;
	}
}
