/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate refuses: each member, one row a mistake, with the name it is reported under. */
#include "gate_rig.h"

#include <stdio.h>

static char long_text[600]; /* of x */

static struct bb_text xs(size_t n)
{
	memset(long_text, 'x', sizeof(long_text));
	return (struct bb_text){long_text, n};
}

/* Runs the gate; `at` NULL: it must pass, else be refused for that member. */
static void expect(struct rig *rig, const char *what, const char *at)
{
	enum bb_gate_result result = rig_run(rig);

	if (!at) {
		cr_expect_eq(result, BB_GATE_PASS, "%s: %.*s %.*s", what, (int)rig->refusal.at.n,
			     rig->refusal.at.p ? rig->refusal.at.p : "", (int)rig->refusal.detail.n,
			     rig->refusal.detail.p ? rig->refusal.detail.p : "");
		return;
	}
	cr_assert_eq(result, BB_GATE_REFUSED, "%s: passes", what);
	cr_expect_eq(rig->refusal.reason, BB_DEAD_INVALID_EVENT, "%s", what);
	cr_expect(bb_text_equal(rig->refusal.at, bb_text_of(at)), "%s: at %.*s, want %s", what,
		  (int)rig->refusal.at.n, rig->refusal.at.p, at);
	cr_expect(rig->refusal.detail.n > 0, "%s: no detail", what);
	cr_expect_eq(rig->refusal.byte_offset, -1, "%s", what);
}

/* One text member of the event at a time: `set` puts it there. */
struct text_row {
	const char *what;
	struct bb_text text;
	bool ok;
};

static void expect_texts(void (*set)(struct rig *, struct bb_text), const char *at, size_t most)
{
	const struct text_row rows[] = {
		{"one byte", BB_TEXT("x"), true},
		{"at most", xs(most), true},
		{"one more", xs(most + 1), false},
		{"empty", BB_TEXT(""), false},
		{"not UTF-8", BB_TEXT("a\xff"), false},
		{"a surrogate", BB_TEXT("\xed\xb0\x80"), false},
		{"not ASCII", BB_TEXT("é"), true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char what[128];
		struct rig rig;

		snprintf(what, sizeof(what), "%s, %s", at, rows[i].what);
		rig_init(&rig);
		rig_identifier(&rig, "crm", "1");
		set(&rig, rows[i].text);
		expect(&rig, what, rows[i].ok ? NULL : at);
		rig_fini(&rig);
	}
}

static void set_channel(struct rig *rig, struct bb_text text)
{
	rig->ev.channel = text;
}

static void set_type(struct rig *rig, struct bb_text text)
{
	rig->ev.type = text;
}

static void set_id(struct rig *rig, struct bb_text text)
{
	rig->ev.id = text;
}

static void set_ns(struct rig *rig, struct bb_text text)
{
	rig_identifier(rig, "crm", "2");
	rig->ev.identifiers[1].ns = text;
}

static void set_value(struct rig *rig, struct bb_text text)
{
	rig_identifier(rig, "crm", "2");
	rig->ev.identifiers[1].value = text;
}

static void set_same_ns(struct rig *rig, struct bb_text text)
{
	rig_same(rig, "crm", "1", "crm", "2");
	rig->ev.same[0].pair[1].ns = text;
}

static void set_same_value(struct rig *rig, struct bb_text text)
{
	rig_same(rig, "crm", "1", "crm", "2");
	rig->ev.same[0].pair[0].value = text;
}

static void set_unset(struct rig *rig, struct bb_text text)
{
	static struct bb_text unset[2];

	unset[0] = BB_TEXT("fine");
	unset[1] = text;
	rig->ev.unset = unset;
	rig->ev.unset_n = 2;
}

static void set_name(struct rig *rig, struct bb_text text)
{
	rig_attribute(rig, "", (struct bb_value){.kind = BB_VALUE_TRUE});
	rig->ev.attributes[0].name = text;
}

static void set_once_name(struct rig *rig, struct bb_text text)
{
	set_name(rig, text);
	rig->ev.once = rig->ev.attributes;
	rig->ev.once_n = 1;
	rig->ev.attribute_n = 0;
}

static void set_amount(struct rig *rig)
{
	rig->ev.has_amount = true;
	rig->ev.amount.value = BB_TEXT("1.00");
	rig->ev.amount.currency = BB_TEXT("EUR");
}

static void set_key(struct rig *rig, struct bb_text text)
{
	set_amount(rig);
	rig->ev.amount.key = text;
}

static void set_part(struct rig *rig, struct bb_text text)
{
	set_amount(rig);
	rig->ev.amount.part = text;
}

static void set_consent(struct rig *rig, struct bb_consent given)
{
	static struct bb_consent consent[2];

	consent[0] = (struct bb_consent){BB_TEXT("news"), {NULL, 0}, BB_TEXT("granted")};
	consent[1] = given;
	rig->ev.consent = consent;
	rig->ev.consent_n = 2;
}

static void set_purpose(struct rig *rig, struct bb_text text)
{
	set_consent(rig, (struct bb_consent){text, BB_TEXT("sms"), BB_TEXT("denied")});
}

static void set_consent_channel(struct rig *rig, struct bb_text text)
{
	set_consent(rig, (struct bb_consent){BB_TEXT("news"), text, BB_TEXT("denied")});
}

Test(core, gate_checks_every_text)
{
	expect_texts(set_channel, "channel", 256);
	expect_texts(set_type, "type", 256);
	expect_texts(set_id, "id", 256);
	expect_texts(set_ns, "identifiers[1].ns", 256);
	expect_texts(set_value, "identifiers[1].value", 512);
	expect_texts(set_same_ns, "same[0][1].ns", 256);
	expect_texts(set_same_value, "same[0][0].value", 512);
	expect_texts(set_unset, "unset[1]", 256);
	expect_texts(set_name, "attributes", 256);
	expect_texts(set_once_name, "attributes_once", 256);
	expect_texts(set_key, "amount.key", 256);
	expect_texts(set_part, "amount.part", 256);
	expect_texts(set_purpose, "consent[1].purpose", 256);
	expect_texts(set_consent_channel, "consent[1].channel", 256);
}

Test(core, gate_checks_the_source)
{
	const struct text_row rows[] = {
		{"plain", BB_TEXT("shop"), true},
		{"all that is allowed", BB_TEXT("a0_b.c-d"), true},
		{"at most", xs(256), true},
		{"one more", xs(257), false},
		{"empty", BB_TEXT(""), false},
		{"absent", {NULL, 0}, false},
		{"a capital", BB_TEXT("Shop"), false},
		{"a capital inside", BB_TEXT("sHop"), false},
		{"a digit first", BB_TEXT("9shop"), false},
		{"a space", BB_TEXT("my shop"), false},
		{"a line feed", BB_TEXT("shop\n"), false},
		{"a colon", BB_TEXT("shop:1"), false},
		{"not ASCII", BB_TEXT("café"), false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_init(&rig);
		rig_identifier(&rig, "crm", "1");
		rig.ev.source = rows[i].text;
		expect(&rig, rows[i].what, rows[i].ok ? NULL : "source");
		rig_fini(&rig);
	}
}

Test(core, gate_wants_type_and_id)
{
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	rig.ev.type = (struct bb_text){NULL, 0};
	expect(&rig, "absent type", "type");
	rig.ev.type = BB_TEXT("sale");
	rig.ev.id = (struct bb_text){NULL, 0};
	expect(&rig, "absent id", "id");
	rig_fini(&rig);
}

Test(core, gate_checks_identifiers_of_unknown_namespaces_too)
{
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "fax", "");
	expect(&rig, "an empty value", "identifiers[0].value");
	rig_fini(&rig);
}

Test(core, gate_checks_money)
{
	static const struct text_row values[] = {
		{"whole", BB_TEXT("12"), true},
		{"negative", BB_TEXT("-12.5"), true},
		{"zeros before", BB_TEXT("007.10"), true},
		{"18 digits and 6", BB_TEXT("123456789012345678.123456"), true},
		{"19 digits", BB_TEXT("1234567890123456789"), false},
		{"7 decimals", BB_TEXT("1.1234567"), false},
		{"no decimals", BB_TEXT("1."), false},
		{"no whole", BB_TEXT(".5"), false},
		{"a plus", BB_TEXT("+1"), false},
		{"two signs", BB_TEXT("--1"), false},
		{"a comma", BB_TEXT("1,50"), false},
		{"an exponent", BB_TEXT("1e2"), false},
		{"a space", BB_TEXT("1 "), false},
		{"a line feed", BB_TEXT("1\n"), false},
		{"other digits", BB_TEXT("١"), false},
		{"a sign alone", BB_TEXT("-"), false},
		{"empty", BB_TEXT(""), false},
		{"absent", {NULL, 0}, false},
	};
	static const struct text_row currencies[] = {
		{"three capitals", BB_TEXT("JPY"), true},
		{"small", BB_TEXT("eur"), false},
		{"two", BB_TEXT("EU"), false},
		{"four", BB_TEXT("EURO"), false},
		{"a sign", BB_TEXT("€"), false},
		{"digits", BB_TEXT("978"), false},
		{"empty", BB_TEXT(""), false},
		{"absent", {NULL, 0}, false},
	};
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	set_amount(&rig);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		rig.ev.amount.value = values[i].text;
		expect(&rig, values[i].what, values[i].ok ? NULL : "amount.value");
	}
	rig.ev.amount.value = BB_TEXT("1");
	for (size_t i = 0; i < sizeof(currencies) / sizeof(*currencies); i++) {
		rig.ev.amount.currency = currencies[i].text;
		expect(&rig, currencies[i].what, currencies[i].ok ? NULL : "amount.currency");
	}
	rig_fini(&rig);
}

Test(core, gate_checks_consent)
{
	static const struct text_row statuses[] = {
		{"granted", BB_TEXT("granted"), true},
		{"denied", BB_TEXT("denied"), true},
		{"a capital", BB_TEXT("Granted"), false},
		{"yes", BB_TEXT("yes"), false},
		{"empty", BB_TEXT(""), false},
		{"absent", {NULL, 0}, false},
	};
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		set_consent(&rig,
			    (struct bb_consent){BB_TEXT("news"), {NULL, 0}, statuses[i].text});
		expect(&rig, statuses[i].what, statuses[i].ok ? NULL : "consent[1].status");
	}
	set_purpose(&rig, BB_TEXT("a:b"));
	expect(&rig, "a colon", "consent[1].purpose");
	set_purpose(&rig, (struct bb_text){NULL, 0});
	expect(&rig, "no purpose", "consent[1].purpose");
	set_consent_channel(&rig, BB_TEXT("a:b"));
	expect(&rig, "a colon", "consent[1].channel");
	rig_fini(&rig);
}

static const struct {
	const char *number;
	enum { FINE, OUT_OF_RANGE, NO_NUMBER } want;
} numbers[] = {
	{"0", FINE},
	{"-0", FINE},
	{"12345678901234567890123456789", FINE},
	{"-1.50e+3", FINE},
	{"1e9999", FINE},
	{"1E-9999", FINE},
	{"1e10000", OUT_OF_RANGE},
	{"1e-10000", OUT_OF_RANGE},
	{"10e9998", FINE},
	{"10e9999", OUT_OF_RANGE},
	{"10e-10000", FINE},
	{"0.1e10000", FINE},
	{"0.01e-9997", FINE},
	{"0.01e-9998", OUT_OF_RANGE},
	{"0.0012e10002", FINE},
	{"0.0012e10003", OUT_OF_RANGE},
	{"0e9999", FINE},
	{"0e10000", OUT_OF_RANGE}, /* of zero, the place of its last digit */
	{"0.00e10001", FINE},
	{"0.00e10002", OUT_OF_RANGE},
	{"0.0e-9999", OUT_OF_RANGE},
	{"1e00000000000000009999", FINE},
	{"1e99999999999999999999999999999999", OUT_OF_RANGE},
	{"-1e-99999999999999999999999999999999", OUT_OF_RANGE},
	{"", NO_NUMBER},
	{"-", NO_NUMBER},
	{"+1", NO_NUMBER},
	{"01", NO_NUMBER},
	{".5", NO_NUMBER},
	{"5.", NO_NUMBER},
	{"1e", NO_NUMBER},
	{"1e+", NO_NUMBER},
	{"1 ", NO_NUMBER},
	{"0x1", NO_NUMBER},
	{"NaN", NO_NUMBER},
	{"1.5.5", NO_NUMBER},
};

Test(core, gate_checks_numbers)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct bb_value value = {.kind = BB_VALUE_NUMBER,
					 .text = bb_text_of(numbers[i].number)};
		struct bb_value list = {.kind = BB_VALUE_LIST, .items = &value, .item_n = 1};
		struct rig rig;

		for (int in_list = 0; in_list < 2; in_list++) {
			rig_init(&rig);
			rig_identifier(&rig, "crm", "1");
			rig_attribute(&rig, "address.zip", in_list ? list : value);
			if (numbers[i].want == OUT_OF_RANGE) {
				cr_expect_eq(rig_run(&rig), BB_GATE_REFUSED, "%s",
					     numbers[i].number);
				cr_expect_eq(rig.refusal.reason, BB_DEAD_NUMBER_RANGE);
				cr_expect(bb_text_equal(rig.refusal.at,
							BB_TEXT("attributes.address.zip")));
			} else {
				expect(&rig, numbers[i].number,
				       numbers[i].want == FINE ? NULL : "attributes.address.zip");
			}
			rig_fini(&rig);
		}
	}
}

Test(core, gate_accepts_a_number_of_many_digits_up_to_the_exponent)
{
	static char digits[10001];
	struct rig rig;

	memset(digits, '9', sizeof(digits));
	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	rig_attribute(&rig, "n",
		      (struct bb_value){.kind = BB_VALUE_NUMBER, .text = {digits, 10000}});
	expect(&rig, "10,000 digits", NULL);
	rig.ev.attributes[0].value.text.n = 10001;
	cr_expect_eq(rig_run(&rig), BB_GATE_REFUSED);
	cr_expect_eq(rig.refusal.reason, BB_DEAD_NUMBER_RANGE);
	rig_fini(&rig);
}

Test(core, gate_checks_attribute_values)
{
	static const struct bb_value inner = {.kind = BB_VALUE_LIST};
	static const struct bb_value broken = {.kind = BB_VALUE_TEXT, .text = BB_TEXT("\xff")};
	const struct {
		const char *what;
		struct bb_value value;
		bool ok;
	} rows[] = {
		{"long text", {.kind = BB_VALUE_TEXT, .text = xs(600)}, true},
		{"not UTF-8", broken, false},
		{"a list of lists", {.kind = BB_VALUE_LIST, .items = &inner, .item_n = 1}, false},
		{"a broken item", {.kind = BB_VALUE_LIST, .items = &broken, .item_n = 1}, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_init(&rig);
		rig_identifier(&rig, "crm", "1");
		rig_attribute(&rig, "a", rows[i].value);
		rig.ev.once = rig.ev.attributes;
		rig.ev.once_n = 1;
		rig.ev.attribute_n = 0;
		expect(&rig, rows[i].what, rows[i].ok ? NULL : "attributes_once.a");
		rig_fini(&rig);
	}
}
