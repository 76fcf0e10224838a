/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The member checks of the gate, one function a member, in the order of the canonical event. An
 * event that is right costs no allocation: the name of a member is only written out when it is
 * wrong.
 *
 * The first member that is wrong ends it, as a refusal that names the member, says what is wrong
 * with it and what is allowed. Names of members are told, values never: they may be personal.
 */
#include "gate_check.h"

#include <backbone/clock.h>
#include <stdarg.h>
#include <stdio.h>

#include "number.h"
#include "unicode.h"

#define CURRENCY_BYTES 3
#define PATH_BYTES 1024
#define EXPONENT_CAP INT64_C(1000000000000)

struct check {
	const struct bb_event *ev;
	struct bb_arena *arena;
	struct bb_refusal *refusal;
};

/* Always false, so that a check can `return refuse(...)`. `fmt` makes the name of the member. */
__attribute__((format(printf, 4, 5))) static bool
refuse(const struct check *c, enum bb_dead_reason reason, const char *detail, const char *fmt, ...)
{
	char path[PATH_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	*c->refusal = (struct bb_refusal){
		.reason = reason,
		.at = bb_arena_copy(c->arena, bb_text_of(path)),
		.detail = bb_text_of(detail),
		.byte_offset = -1,
	};
	return false;
}

#define REFUSE(c, detail, ...) refuse((c), BB_DEAD_INVALID_EVENT, (detail), __VA_ARGS__)

/* What is wrong with a text of the canonical event; NULL: nothing. `most` is one of two. */
static const char *fault_of(struct bb_text text, size_t most)
{
	if (text.n == 0)
		return most == BB_EVENT_TEXT_MAX
			       ? "is missing or empty; text of 1 to 256 bytes is due"
			       : "is missing or empty; text of 1 to 512 bytes is due";
	if (text.n > most)
		return most == BB_EVENT_TEXT_MAX ? "is too long; at most 256 bytes are allowed"
						 : "is too long; at most 512 bytes are allowed";
	return bb_unicode_valid(text) ? NULL : "is not UTF-8";
}

static bool is_source(struct bb_text text)
{
	if (text.n == 0 || text.p[0] < 'a' || text.p[0] > 'z')
		return false;
	for (size_t i = 1; i < text.n; i++) {
		char c = text.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
		      c == '-'))
			return false;
	}
	return true;
}

static bool check_names(const struct check *c)
{
	const struct bb_event *ev = c->ev;
	const char *fault;

	fault = fault_of(ev->source, BB_EVENT_TEXT_MAX);
	if (!fault && !is_source(ev->source))
		fault = "is not a source's name; a small letter first, then a-z 0-9 _ . - are "
			"allowed";
	if (fault)
		return REFUSE(c, fault, "source");
	fault = ev->channel.p ? fault_of(ev->channel, BB_EVENT_TEXT_MAX) : NULL;
	if (fault)
		return REFUSE(c, fault, "channel");
	fault = fault_of(ev->type, BB_EVENT_TEXT_MAX);
	if (fault)
		return REFUSE(c, fault, "type");
	fault = fault_of(ev->id, BB_EVENT_TEXT_MAX);
	if (fault)
		return REFUSE(c, fault, "id");
	if (ev->time_ms < BB_TIME_MIN_MS || ev->time_ms > BB_TIME_MAX_MS)
		return REFUSE(c, "is not in the years 1970 to 9999", "time");
	return true;
}

static bool check_identifiers(const struct check *c)
{
	const struct bb_event *ev = c->ev;

	for (size_t i = 0; i < ev->identifier_n; i++) {
		const char *fault = fault_of(ev->identifiers[i].ns, BB_EVENT_TEXT_MAX);

		if (fault)
			return REFUSE(c, fault, "identifiers[%zu].ns", i);
		fault = fault_of(ev->identifiers[i].value, BB_EVENT_VALUE_MAX);
		if (fault)
			return REFUSE(c, fault, "identifiers[%zu].value", i);
	}
	return true;
}

static bool check_same(const struct check *c)
{
	const struct bb_event *ev = c->ev;

	for (size_t i = 0; i < 2 * ev->same_n; i++) {
		const struct bb_identifier *id = &ev->same[i / 2].pair[i % 2];
		const char *fault = fault_of(id->ns, BB_EVENT_TEXT_MAX);

		if (fault)
			return REFUSE(c, fault, "same[%zu][%zu].ns", i / 2, i % 2);
		fault = fault_of(id->value, BB_EVENT_VALUE_MAX);
		if (fault)
			return REFUSE(c, fault, "same[%zu][%zu].value", i / 2, i % 2);
	}
	return true;
}

static size_t digits_at(struct bb_text text, size_t i)
{
	size_t first = i;

	while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
		i++;
	return i - first;
}

static bool has_byte(struct bb_text text, size_t i, const char *either)
{
	return i < text.n && text.p[i] != '\0' && strchr(either, text.p[i]);
}

/* The exponent as written from `i` (after the e), but never much beyond the cap. */
static int64_t exponent_at(struct bb_text text, size_t i)
{
	bool negative = has_byte(text, i, "-");
	int64_t exponent = 0;

	if (has_byte(text, i, "+-"))
		i++;
	for (; i < text.n; i++) {
		if (exponent < EXPONENT_CAP)
			exponent = exponent * 10 + (text.p[i] - '0');
	}
	return negative ? -exponent : exponent;
}

/* The parts of a JSON number: byte positions and lengths. */
struct number {
	size_t whole, whole_n, fraction, fraction_n;
	int64_t exponent;
};

static bool read_number(struct bb_text text, struct number *ret_number)
{
	struct number number = {0};
	size_t i = has_byte(text, 0, "-") ? 1 : 0, n;

	number.whole = i;
	number.whole_n = digits_at(text, i);
	if (number.whole_n == 0 || (number.whole_n > 1 && text.p[i] == '0'))
		return false;
	i += number.whole_n;
	if (has_byte(text, i, ".")) {
		number.fraction = ++i;
		number.fraction_n = digits_at(text, i);
		if (number.fraction_n == 0)
			return false;
		i += number.fraction_n;
	}
	if (has_byte(text, i, "eE")) {
		size_t from = ++i;

		i += has_byte(text, i, "+-");
		n = digits_at(text, i);
		if (n == 0)
			return false;
		i += n;
		number.exponent = exponent_at((struct bb_text){text.p, i}, from);
	}
	*ret_number = number;
	return i == text.n;
}

static size_t zeros_at(struct bb_text text, size_t i, size_t n)
{
	size_t zeros = 0;

	while (zeros < n && text.p[i + zeros] == '0')
		zeros++;
	return zeros;
}

/* The exponent of the leading digit that is not zero; of zero, that of its last digit. */
static int64_t adjusted_exponent(struct bb_text text, const struct number *number)
{
	size_t zeros = zeros_at(text, number->whole, number->whole_n);

	if (zeros < number->whole_n)
		return number->exponent + (int64_t)(number->whole_n - zeros) - 1;
	if (number->fraction_n == 0)
		return number->exponent;
	zeros = zeros_at(text, number->fraction, number->fraction_n);
	if (zeros == number->fraction_n)
		zeros--;
	return number->exponent - (int64_t)zeros - 1;
}

/* What is wrong with a value that is no list. */
static const char *fault_of_value(const struct bb_value *value, enum bb_dead_reason *ret_reason)
{
	struct number number;
	int64_t exponent;

	switch (value->kind) {
	case BB_VALUE_TEXT:
		return bb_unicode_valid(value->text) ? NULL : "is not UTF-8";
	case BB_VALUE_NUMBER:
		if (!read_number(value->text, &number))
			return "is not a number as JSON writes it";
		exponent = adjusted_exponent(value->text, &number);
		if (exponent >= -BB_EVENT_EXPONENT_MAX && exponent <= BB_EVENT_EXPONENT_MAX)
			return NULL;
		*ret_reason = BB_DEAD_NUMBER_RANGE;
		return "is out of range; exponents from -9999 to 9999 are allowed";
	case BB_VALUE_LIST:
		return "holds a list; in a list text, numbers, true and false are allowed";
	default:
		return NULL;
	}
}

static const char *fault_of_attribute(const struct bb_value *value, enum bb_dead_reason *ret_reason)
{
	const char *fault = NULL;

	if (value->kind != BB_VALUE_LIST)
		return fault_of_value(value, ret_reason);
	for (size_t i = 0; !fault && i < value->item_n; i++)
		fault = fault_of_value(&value->items[i], ret_reason);
	return fault;
}

static bool check_attributes(const struct check *c, const char *member,
			     const struct bb_attribute *attributes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum bb_dead_reason reason = BB_DEAD_INVALID_EVENT;
		struct bb_text name = attributes[i].name;
		const char *fault;

		if (fault_of(name, BB_EVENT_TEXT_MAX))
			return REFUSE(c, "has a name that is not UTF-8 text of 1 to 256 bytes",
				      "%s", member);
		fault = fault_of_attribute(&attributes[i].value, &reason);
		if (fault)
			return refuse(c, reason, fault, "%s.%.*s", member, (int)name.n, name.p);
	}
	return true;
}

static bool check_unset(const struct check *c)
{
	for (size_t i = 0; i < c->ev->unset_n; i++) {
		const char *fault = fault_of(c->ev->unset[i], BB_EVENT_TEXT_MAX);

		if (fault)
			return REFUSE(c, fault, "unset[%zu]", i);
	}
	return true;
}

static bool is_currency(struct bb_text text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	}
	return text.n == CURRENCY_BYTES;
}

static bool check_amount(const struct check *c)
{
	const struct bb_amount *amount = &c->ev->amount;
	const char *fault;
	bb_i128 micros;

	if (!c->ev->has_amount)
		return true;
	if (!bb_money_parse(amount->value, &micros))
		return REFUSE(c,
			      "is not money; text of 1 to 18 digits is due, with at most 6 "
			      "decimals after a point, a - before it where negative",
			      "amount.value");
	if (!is_currency(amount->currency))
		return REFUSE(c, "is not a currency; three capital letters of ISO 4217 are due",
			      "amount.currency");
	fault = amount->key.p ? fault_of(amount->key, BB_EVENT_TEXT_MAX) : NULL;
	if (fault)
		return REFUSE(c, fault, "amount.key");
	fault = amount->part.p ? fault_of(amount->part, BB_EVENT_TEXT_MAX) : NULL;
	return fault ? REFUSE(c, fault, "amount.part") : true;
}

/* Purpose and channel are joined by a colon in the view. */
static const char *fault_of_slot(struct bb_text text)
{
	const char *fault = fault_of(text, BB_EVENT_TEXT_MAX);

	if (!fault && memchr(text.p, ':', text.n))
		fault = "has a colon, which is not allowed here";
	return fault;
}

static bool check_consent(const struct check *c)
{
	for (size_t i = 0; i < c->ev->consent_n; i++) {
		const struct bb_consent *consent = &c->ev->consent[i];
		const char *fault = fault_of_slot(consent->purpose);

		if (fault)
			return REFUSE(c, fault, "consent[%zu].purpose", i);
		fault = consent->channel.p ? fault_of_slot(consent->channel) : NULL;
		if (fault)
			return REFUSE(c, fault, "consent[%zu].channel", i);
		if (!bb_text_equal(consent->status, BB_TEXT("granted")) &&
		    !bb_text_equal(consent->status, BB_TEXT("denied")))
			return REFUSE(c, "is neither granted nor denied", "consent[%zu].status", i);
	}
	return true;
}

bool bb_gate_check_event(const struct bb_event *ev, struct bb_arena *arena,
			 struct bb_refusal *ret_refusal)
{
	const struct check c = {ev, arena, ret_refusal};

	return check_names(&c) && check_identifiers(&c) && check_same(&c) &&
	       check_attributes(&c, "attributes", ev->attributes, ev->attribute_n) &&
	       check_attributes(&c, "attributes_once", ev->once, ev->once_n) && check_unset(&c) &&
	       check_amount(&c) && check_consent(&c);
}
