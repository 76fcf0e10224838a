/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate changes: time, identifiers, attributes; and keys of look-ups. */
#include "gate_rig.h"

#include <backbone/clock.h>
#include <backbone/message.h>

#define JAN_2026 INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */
#define DAY BB_DAY_MS

static void expect_warnings(const struct rig *rig, const char *what, const char *want)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < rig->ev.warning_n; i++) {
		const struct bb_warning *w = &rig->ev.warnings[i];

		bb_buf_printf(&buf, "%s%.*s %.*s=%.*s", i ? " | " : "", (int)w->code.n, w->code.p,
			      (int)w->at.n, w->at.p, (int)w->value.n, w->value.p ? w->value.p : "");
	}
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, want, "%s: warnings %s, want %s", what, buf.p, want);
	bb_buf_fini(&buf);
}

/* The identifiers as `ns:value`, a `!` after a blocked one. */
static void expect_identifiers(const struct rig *rig, const char *what, const char *want)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < rig->ev.identifier_n; i++) {
		const struct bb_identifier *id = &rig->ev.identifiers[i];

		bb_buf_printf(&buf, "%s%.*s:%.*s%s", i ? " " : "", (int)id->ns.n, id->ns.p,
			      (int)id->value.n, id->value.p, id->blocked ? "!" : "");
		cr_expect_eq(id->ns_index, bb_rules_namespace(&rig->rules, id->ns), "%s", what);
	}
	bb_buf_byte(&buf, '\0');
	cr_expect_str_eq(buf.p, want, "%s: identifiers %s, want %s", what, buf.p, want);
	bb_buf_fini(&buf);
}

Test(core, gate_passes_a_plain_event_untouched)
{
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "C-1");
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	expect_identifiers(&rig, "plain", "crm:C-1");
	expect_warnings(&rig, "plain", "");
	cr_expect(bb_text_equal(rig.ev.channel, BB_TEXT("other")));
	cr_expect_not(rig.ev.kafka_time);
	rig_fini(&rig);
}

Test(core, gate_settles_the_time)
{
	static const struct {
		const char *what;
		int64_t time_ms, log_ms;
		bool has_time;
		int64_t want_ms; /* -1: refused */
		const char *warnings;
	} rows[] = {
		{"believed", JAN_2026, JAN_2026 + 5, true, JAN_2026, ""},
		{"a day ahead", JAN_2026 + DAY, JAN_2026, true, JAN_2026 + DAY, ""},
		{"more than a day ahead", JAN_2026 + DAY + 1, JAN_2026, true, JAN_2026,
		 "time_future time=2026-01-02T00:00:00.001Z"},
		{"beyond the calendar", BB_TIME_MAX_MS + 1, JAN_2026, true, JAN_2026,
		 "time_future time="},
		{"as late as can be", INT64_MAX, JAN_2026, true, JAN_2026, "time_future time="},
		{"long ago, but after 1990", INT64_C(631152000000), JAN_2026, true,
		 INT64_C(631152000000), ""},
		{"before 1990", INT64_C(631151999999), JAN_2026, true, JAN_2026,
		 "time_early time=1989-12-31T23:59:59.999Z"},
		{"before 1970", -1, JAN_2026, true, JAN_2026, "time_early time="},
		{"as early as can be", INT64_MIN, JAN_2026, true, JAN_2026, "time_early time="},
		{"missing", 0, JAN_2026, false, JAN_2026, "time_missing time="},
		{"no log time", JAN_2026, BB_NO_TIMESTAMP, true, JAN_2026, ""},
		{"no log time, before 1990", 5, BB_NO_TIMESTAMP, true, 5, ""},
		{"no log time, in the future", BB_TIME_MAX_MS, BB_NO_TIMESTAMP, true,
		 BB_TIME_MAX_MS, ""},
		{"no log time, before 1970", -1, BB_NO_TIMESTAMP, true, -1, ""},
		{"no log time, after 9999", BB_TIME_MAX_MS + 1, BB_NO_TIMESTAMP, true, -1, ""},
		{"no time at all", 0, BB_NO_TIMESTAMP, false, -1, ""},
		{"a log time that is none", JAN_2026, INT64_MAX, true, JAN_2026, ""},
		{"a log time that is none, and no other", 0, INT64_MIN, false, -1, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum bb_gate_result result;
		struct rig rig;

		rig_init(&rig);
		rig_identifier(&rig, "crm", "C-1");
		rig.ev.time_ms = rows[i].time_ms;
		rig.ev.log_ms = rows[i].log_ms;
		rig.ev.has_time = rows[i].has_time;
		result = rig_run(&rig);
		expect_warnings(&rig, rows[i].what, rows[i].warnings);
		if (rows[i].want_ms < 0) {
			cr_expect_eq(result, BB_GATE_REFUSED, "%s", rows[i].what);
			cr_expect_eq(rig.refusal.reason, BB_DEAD_INVALID_EVENT);
			cr_expect(bb_text_equal(rig.refusal.at, BB_TEXT("time")));
		} else {
			cr_expect_eq(result, BB_GATE_PASS, "%s", rows[i].what);
			cr_expect_eq(rig.ev.time_ms, rows[i].want_ms, "%s", rows[i].what);
			cr_expect_eq(rig.ev.kafka_time, rows[i].warnings[0] != '\0', "%s",
				     rows[i].what);
			cr_expect(rig.ev.has_time, "%s", rows[i].what);
		}
		rig_fini(&rig);
	}
}

Test(core, a_time_that_was_there_but_not_read_is_refused_as_that)
{
	static struct bb_warning unread = {.code = BB_TEXT("time_invalid")};
	struct rig rig;

	for (size_t n = 0; n < 2; n++) {
		rig_init(&rig);
		rig_identifier(&rig, "crm", "C-1");
		rig.ev.has_time = false;
		rig.ev.log_ms = BB_NO_TIMESTAMP;
		rig.ev.warnings = &unread;
		rig.ev.warning_n = n;
		cr_assert_eq(rig_run(&rig), BB_GATE_REFUSED);
		cr_expect_eq(strncmp(rig.refusal.detail.p,
				     n ? "is not of the declared form" : "is missing", 10),
			     0, "%s", rig.refusal.detail.p);
		rig_fini(&rig);
	}
}

Test(core, gate_bounds_of_time_are_configured)
{
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "C-1");
	rig.rules.max_future_ms = INT64_MAX; /* and adding it must not go round */
	rig.rules.min_time_ms = INT64_MIN;
	rig.ev.log_ms = JAN_2026;
	rig.ev.time_ms = 0;
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	rig.ev.time_ms = BB_TIME_MAX_MS;
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	expect_warnings(&rig, "configured", "");
	rig_fini(&rig);
}

Test(core, gate_makes_identifiers_canonical_and_sorts_them)
{
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "cookie", "zz");
	rig_identifier(&rig, "email", " Bob@Example.org");
	rig_identifier(&rig, "crm", "b");
	rig_identifier(&rig, "crm", "a");
	rig_identifier(&rig, "email", "bob@example.ORG "); /* the same */
	rig_identifier(&rig, "email", "bob@example");	   /* no domain */
	rig_identifier(&rig, "fax", "123");		   /* no such namespace */
	rig_identifier(&rig, "crm", "Guest");		   /* junk */
	rig_identifier(&rig, "email", "no mail");
	rig.ev.identifiers[8].optional = true;
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	expect_identifiers(&rig, "all", "crm:Guest! crm:a crm:b email:bob@example.org cookie:zz");
	expect_warnings(&rig, "all",
			"identifier_not_canonical identifiers[5]=bob@example | "
			"namespace_unknown identifiers[6]=fax | "
			"identifier_blocked identifiers[7]=Guest");
	rig_fini(&rig);
}

Test(core, gate_takes_the_ends_of_same)
{
	struct rig rig;

	rig_init(&rig);
	rig_same(&rig, "crm", " 2", "crm", "1 ");
	rig_same(&rig, "crm", "3", "fax", "9");	 /* an end is dropped: the other stays */
	rig_same(&rig, "crm", "4", "crm", "4 "); /* one and the same: says nothing */
	rig_same(&rig, "crm", "none", "crm", "5");
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	expect_identifiers(&rig, "same", "crm:1 crm:2 crm:3 crm:4 crm:5 crm:none!");
	expect_warnings(&rig, "same",
			"namespace_unknown same[1][1]=fax | identifier_blocked same[3][0]=none");
	cr_assert_eq(rig.ev.same_n, 2);
	cr_expect(bb_text_equal(rig.ev.same[0].pair[0].value, BB_TEXT("2")));
	cr_expect(bb_text_equal(rig.ev.same[0].pair[1].value, BB_TEXT("1")));
	cr_expect_eq(rig.ev.same[0].pair[1].ns_index, 0);
	cr_expect(rig.ev.same[1].pair[0].blocked);
	cr_expect(bb_text_equal(rig.ev.same[1].pair[1].value, BB_TEXT("5")));
	rig_fini(&rig);
}

Test(core, gate_adds_derived_identifiers)
{
	static const char *const derive[] = {"email_sha256", "phone_sha256"};
	struct rig rig;

	rig_init(&rig);
	rig.namespaces[RIG_EMAIL].derive = derive; /* there is no namespace phone_sha256 */
	rig.namespaces[RIG_EMAIL].derive_n = 2;
	rig_identifier(&rig, "email", "Ann@Example.org");
	rig_identifier(&rig, "email_sha256",
		       "438C4C7AFE600CDF1E455C369BEC76DC970FC8CA463447C7B387A347F3C79331");
	rig_identifier(&rig, "email", "noreply@example.org"); /* blocked: nothing comes of it */
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	expect_identifiers(&rig, "derived",
			   "email:ann@example.org email:noreply@example.org! email_sha256:"
			   "438c4c7afe600cdf1e455c369bec76dc970fc8ca463447c7b387a347f3c79331");
	expect_warnings(&rig, "derived", "identifier_blocked identifiers[2]=noreply@example.org");
	rig_fini(&rig);
}

Test(core, gate_counts_twenty_distinct_identifiers)
{
	static const char *const derive[] = {"email_sha256"};
	static const struct {
		const char *what;
		int crm, copies, same, unknown, mail;
		bool refused;
	} rows[] = {
		{"twenty", 20, 1, 0, 0, 0, false},
		{"twenty-one", 21, 1, 0, 0, 0, true},
		{"twenty, a thousand times", 20, 1000, 0, 0, 0, false},
		{"twenty-one, a thousand times", 21, 1000, 0, 0, 0, true},
		{"unknown ones do not count", 20, 1, 0, 5000, 0, false},
		{"those of same count", 18, 1, 1, 0, 0, false},
		{"those of same are too many", 19, 1, 1, 0, 0, true},
		{"derived ones count", 18, 1, 0, 0, 1, false},
		{"derived ones are too many", 18, 1, 0, 0, 2, true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum bb_gate_result want = rows[i].refused ? BB_GATE_REFUSED : BB_GATE_PASS;
		struct rig rig;

		rig_init(&rig);
		rig.namespaces[RIG_EMAIL].derive = derive;
		rig.namespaces[RIG_EMAIL].derive_n = 1;
		for (int k = 0; k < rows[i].copies * rows[i].crm; k++)
			rig_numbered(&rig, "crm", "%d", k % rows[i].crm);
		for (int k = 0; k < rows[i].unknown; k++)
			rig_numbered(&rig, "fax", "%d", k);
		for (int k = 0; k < rows[i].mail; k++)
			rig_numbered(&rig, "email", "m%d@example.org", k);
		for (int k = 0; k < rows[i].same; k++)
			rig_same(&rig, "crm", "x", "crm", "y");
		cr_expect_eq(rig_run(&rig), want, "%s", rows[i].what);
		if (rows[i].refused) {
			cr_expect_eq(rig.refusal.reason, BB_DEAD_TOO_MANY_IDENTIFIERS, "%s",
				     rows[i].what);
			cr_expect(bb_text_equal(rig.refusal.at, BB_TEXT("identifiers")));
		} else {
			cr_expect_eq(rig.ev.identifier_n, 20, "%s", rows[i].what);
		}
		rig_fini(&rig);
	}
}

Test(core, gate_counts_raw_values_too)
{
	struct rig rig;

	rig_init(&rig);
	for (int k = 0; k < 21; k++) /* one mailbox, spelled in 21 ways */
		rig_numbered(&rig, "email", "ann@example.org%*s", k, "");
	cr_expect_eq(rig_run(&rig), BB_GATE_REFUSED);
	cr_expect_eq(rig.refusal.reason, BB_DEAD_TOO_MANY_IDENTIFIERS);
	rig_fini(&rig);
}

Test(core, gate_knows_events_of_nobody)
{
	struct rig rig;

	rig_init(&rig);
	cr_expect_eq(rig_run(&rig), BB_GATE_NO_IDENTIFIER, "none at all");
	rig_identifier(&rig, "fax", "1");
	rig_identifier(&rig, "email", "no mail");
	cr_expect_eq(rig_run(&rig), BB_GATE_NO_IDENTIFIER, "none that can be used");
	rig.ev.has_amount = true;
	rig.ev.amount.value = BB_TEXT("1");
	rig.ev.amount.currency = BB_TEXT("EUR");
	cr_expect_eq(rig_run(&rig), BB_GATE_NO_IDENTIFIER, "an amount without a key");
	rig.ev.amount.key = BB_TEXT("order-1");
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS, "an amount with a key");
	rig_fini(&rig);
	rig_init(&rig);
	rig_identifier(&rig, "crm", "guest");
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS, "a blocked one is an identifier");
	rig_fini(&rig);
}

Test(core, gate_drops_attributes_that_change_nothing)
{
	struct bb_value item = {.kind = BB_VALUE_TEXT, .text = BB_TEXT("")};
	struct bb_attribute once[2];
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	rig_attribute(&rig, "a", (struct bb_value){.kind = BB_VALUE_TEXT, .text = BB_TEXT("")});
	rig_attribute(&rig, "b", (struct bb_value){.kind = BB_VALUE_LIST});
	rig_attribute(&rig, "c", (struct bb_value){.kind = BB_VALUE_FALSE});
	rig_attribute(&rig, "d", (struct bb_value){.kind = BB_VALUE_NUMBER, .text = BB_TEXT("0")});
	rig_attribute(&rig, "e",
		      (struct bb_value){.kind = BB_VALUE_LIST, .items = &item, .item_n = 1});
	rig_attribute(&rig, "a", (struct bb_value){.kind = BB_VALUE_TEXT, .text = BB_TEXT("x")});
	rig_attribute(&rig, "a", (struct bb_value){.kind = BB_VALUE_TEXT, .text = BB_TEXT("y")});
	once[0] = rig.ev.attributes[0];
	once[1] = rig.ev.attributes[1];
	rig.ev.once = once;
	rig.ev.once_n = 2;
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	cr_expect_eq(rig.ev.once_n, 0);
	cr_assert_eq(rig.ev.attribute_n, 4);
	cr_expect(bb_text_equal(rig.ev.attributes[0].name, BB_TEXT("c")));
	cr_expect(bb_text_equal(rig.ev.attributes[1].name, BB_TEXT("d")));
	cr_expect(bb_text_equal(rig.ev.attributes[2].name, BB_TEXT("e")));
	cr_expect(bb_text_equal(rig.ev.attributes[3].name, BB_TEXT("a")));
	cr_expect(bb_text_equal(rig.ev.attributes[3].value.text, BB_TEXT("x")), "the first stays");
	rig_fini(&rig);
}

Test(core, gate_keeps_the_first_of_many_attributes)
{
	struct rig rig;

	for (int n = 15; n <= 30000; n = n < 20 ? n + 1 : n * 4) {
		rig_init(&rig);
		rig_identifier(&rig, "crm", "1");
		for (int i = 0; i < n; i++) {
			struct bb_value value = {.kind = BB_VALUE_NUMBER};
			struct bb_text name = bb_arena_printf(&rig.arena, "a%d", i % 10);

			value.text = bb_arena_printf(&rig.arena, "%d", i);
			rig_attribute(&rig, name.p, value);
			rig.ev.attributes[i].name = name;
		}
		cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
		cr_assert_eq(rig.ev.attribute_n, 10, "%d attributes", n);
		for (int i = 0; i < 10; i++) {
			char digit[2] = {(char)('0' + i), '\0'};

			cr_expect(bb_text_equal(rig.ev.attributes[i].value.text, bb_text_of(digit)),
				  "%d attributes, place %d", n, i);
		}
		rig_fini(&rig);
	}
}

Test(core, gate_keeps_an_attribute_that_is_unset_too)
{
	static struct bb_text unset[] = {BB_TEXT("a")};
	struct rig rig;

	rig_init(&rig);
	rig_identifier(&rig, "crm", "1");
	rig_attribute(&rig, "a", (struct bb_value){.kind = BB_VALUE_TRUE});
	rig.ev.unset = unset;
	rig.ev.unset_n = 1;
	cr_expect_eq(rig_run(&rig), BB_GATE_PASS);
	cr_expect_eq(rig.ev.attribute_n, 1);
	cr_expect_eq(rig.ev.unset_n, 1);
	rig_fini(&rig);
}

Test(core, gate_doubts_an_attributes_own_time)
{
	static const struct {
		const char *what;
		int64_t at_ms, log_ms, want_ms;
		const char *warnings;
	} rows[] = {
		{"the event's", BB_AT_EVENT, JAN_2026, BB_AT_EVENT, ""},
		{"its own", JAN_2026 - 5, JAN_2026, JAN_2026 - 5, ""},
		{"in the future", JAN_2026 + 2 * DAY, JAN_2026, BB_AT_EVENT,
		 "time_future attributes.a=2026-01-03T00:00:00.000Z"},
		{"before 1990", 7, JAN_2026, BB_AT_EVENT,
		 "time_early attributes.a=1970-01-01T00:00:00.007Z"},
		{"no log time", 7, BB_NO_TIMESTAMP, 7, ""},
		{"before 1970", -7, BB_NO_TIMESTAMP, BB_AT_EVENT, "time_early attributes.a="},
		{"after 9999", BB_TIME_MAX_MS + 1, BB_NO_TIMESTAMP, BB_AT_EVENT,
		 "time_future attributes.a="},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig rig;

		rig_init(&rig);
		rig_identifier(&rig, "crm", "1");
		rig_attribute(&rig, "a", (struct bb_value){.kind = BB_VALUE_TRUE});
		rig.ev.attributes[0].at_ms = rows[i].at_ms;
		rig.ev.log_ms = rows[i].log_ms;
		cr_expect_eq(rig_run(&rig), BB_GATE_PASS, "%s", rows[i].what);
		cr_expect_eq(rig.ev.attributes[0].at_ms, rows[i].want_ms, "%s", rows[i].what);
		expect_warnings(&rig, rows[i].what, rows[i].warnings);
		rig_fini(&rig);
	}
}

Test(core, gate_key_is_what_an_event_would_have)
{
	static const struct {
		struct bb_text key;
		const char *value; /* NULL: none */
		uint16_t ns_index;
		bool blocked;
	} rows[] = {
		{BB_TEXT("email: Ann@Example.org"), "ann@example.org", RIG_EMAIL, false},
		{BB_TEXT("crm:a:b"), "a:b", RIG_CRM, false},
		{BB_TEXT("crm:Guest"), "Guest", RIG_CRM, true},
		{BB_TEXT("crm:"), NULL, 0, false},
		{BB_TEXT("crm"), NULL, 0, false},
		{BB_TEXT(":x"), NULL, 0, false},
		{BB_TEXT(""), NULL, 0, false},
		{BB_TEXT("fax:1"), NULL, 0, false},
		{BB_TEXT("CRM:1"), NULL, 0, false},
		{BB_TEXT("email:nobody"), NULL, 0, false},
		{BB_TEXT("crm:\xff"), NULL, 0, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bb_identifier id = {.ns_index = 77};
		struct rig rig;
		bool found;

		rig_init(&rig);
		found = bb_gate_key(&rig.rules, rows[i].key, &rig.arena, &id);
		cr_expect_eq(found, rows[i].value != NULL, "%.*s", (int)rows[i].key.n,
			     rows[i].key.p);
		if (found && rows[i].value) {
			cr_expect(bb_text_equal(id.value, bb_text_of(rows[i].value)), "row %zu", i);
			cr_expect_eq(id.ns_index, rows[i].ns_index, "row %zu", i);
			cr_expect_eq(id.blocked, rows[i].blocked, "row %zu", i);
		} else {
			cr_expect_eq(id.ns_index, 77, "row %zu: written on failure", i);
		}
		rig_fini(&rig);
	}
}
