/* SPDX-License-Identifier: Apache-2.0 */
/* The fields that a connector names. */
#include <backbone/connector.h>
#include <criterion/criterion.h>
#include <stdio.h>

static char told[2048];

static void on_field(void *ctx, struct bb_text type, enum bb_field_kind kind, struct bb_text name)
{
	size_t n = strlen(told);

	(void)ctx;
	snprintf(told + n, sizeof(told) - n, "%.*s/%d/%.*s\n", (int)type.n, type.p ? type.p : "",
		 (int)kind, (int)name.n, name.p ? name.p : "");
}

Test(engine, fields_are_told_rule_by_rule)
{
	static const char yaml[] =
		"connector: till\nchannel: pos\ntopics: [t]\nformat: json\nevents:\n"
		"  - type: sold\n    time: {from: '$.at', format: iso8601}\n"
		"    identify: [{ns: card, from: '$.card'}, {ns: email, from: '$.mail'}]\n"
		"    attributes: {first_name: '$.name'}\n"
		"    amount: {value: '$.sum', kind: major, currency: EUR}\n"
		"  - type: '$.kind'\n    identify: [{ns: card, from: '$.card'}]\n";
	struct bb_diagnostics diagnostics = {0};
	struct bb_connector *connector;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	connector = bb_connector_compile("t.yaml", bb_text_of(yaml), NULL, &diagnostics);
	cr_assert_not_null(connector, "%s", diagnostics.n ? diagnostics.items[0].message : "");
	bb_connector_fields(connector, on_field, NULL);
	cr_assert_str_eq(told,
			 "sold/0/\nsold/1/card\nsold/1/email\nsold/2/first_name\nsold/3/\n"
			 "sold/4/\n/0/\n/1/card\n",
			 "%s", told);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

Test(engine, fields_of_the_canonical_form_are_not_known)
{
	struct bb_connector *connector = bb_connector_direct(NULL, 0);

	told[0] = '\0';
	bb_connector_fields(connector, on_field, NULL);
	cr_assert_str_eq(told, "");
	bb_connector_free(connector);
}
