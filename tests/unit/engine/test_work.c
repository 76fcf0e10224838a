/* SPDX-License-Identifier: Apache-2.0 */
/* What one message may cost: each element that goes through all that is around it. */
#include <backbone/connector.h>
#include <criterion/criterion.h>

#include "plan.h"

#define HEAD "connector: c\nchannel: web\ntopics: []\nevents:\n  - {"
#define EACH "each: '$.l[*]', type: t, identify: {ns: email, from: '$.mail'}, "
#define ELEMENTS 5000
#define RULES 2500
#define AROUND 4000 /* members, items; bytes of a text are ten times as many */

static struct bb_connector *compile(struct bb_arena *arena, const char *rule)
{
	struct bb_text yaml = bb_arena_printf(arena, HEAD "%s}\n", rule);
	struct bb_diagnostics diagnostics = {.arena = arena};
	struct bb_connector *connector = bb_connector_compile("c.yaml", yaml, NULL, &diagnostics);

	cr_assert(connector, "%s", diagnostics.n ? diagnostics.items[0].message : "");
	return connector;
}

static void write_message(struct bb_buf *buf)
{
	bb_buf_printf(buf, "{\"list\":[0");
	for (int i = 1; i < AROUND; i++)
		bb_buf_printf(buf, ",%d", i);
	bb_buf_printf(buf, "],\"text\":\"");
	for (int i = 0; i < AROUND; i++)
		bb_buf_printf(buf, "0123456789");
	bb_buf_printf(buf, "\",\"map\":{\"0\":0");
	for (int i = 1; i < AROUND; i++)
		bb_buf_printf(buf, ",\"%d\":1", i);
	bb_buf_printf(buf, "},\"l\":[{}");
	for (int i = 1; i < ELEMENTS; i++)
		bb_buf_printf(buf, ",{}");
	bb_buf_printf(buf, "]}");
}

Test(engine, elements_that_cost_too_much_are_left_out)
{
	static const char *const rules[] = {
		EACH "attributes: {a: {pick: {in: '^.list', key: k, equals: x, value: v}}}",
		EACH "attributes: {a: {sum: {in: '^.list'}}}",
		EACH "attributes: {a: '^.list'}",
		EACH "attributes: {a: {template: '{^.text}!'}}",
		EACH "attributes: {a: {from: '^.text', lower: true}}",
		EACH "spread: {from: '^.map'}",
	};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_extraction extraction;
	struct bb_connector *connector;
	struct bb_arena arena;
	struct bb_message msg = {.topic = BB_TEXT("t"), .timestamp_ms = 1};

	write_message(&buf);
	msg.value = bb_buf_slice(&buf);
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		bb_arena_init(&arena);
		connector = compile(&arena, rules[i]);
		bb_connector_run(connector, &msg, &arena, &extraction);
		cr_expect(extraction.n > 1 && extraction.n < ELEMENTS, "%s: %zu", rules[i],
			  extraction.n);
		cr_expect_eq(extraction.items[0].kind, BB_EXTRACTED_EVENT, "%s", rules[i]);
		for (size_t k = 1; k + 1 < extraction.n; k++)
			cr_assert_eq(extraction.items[k].kind, BB_EXTRACTED_EVENT, "%s", rules[i]);
		cr_assert_eq(extraction.items[extraction.n - 1].kind, BB_EXTRACTED_REFUSED, "%s",
			     rules[i]);
		cr_expect_eq(extraction.items[extraction.n - 1].refusal.reason, BB_DEAD_TOO_LARGE);
		bb_connector_free(connector);
		bb_arena_fini(&arena);
	}
	bb_buf_fini(&buf);
}

Test(engine, thousands_of_lists_and_paths_are_walked)
{
	struct bb_message msg = {.topic = BB_TEXT("t"), .timestamp_ms = 1};
	struct bb_diagnostics diagnostics = {0};
	struct bb_buf yaml = BB_BUF_EMPTY;
	struct bb_extraction extraction;
	struct bb_connector *connector;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	bb_buf_printf(&yaml, "connector: c\nchannel: web\ntopics: []\nevents:\n");
	for (int i = 0; i < RULES; i++)
		bb_buf_printf(&yaml,
			      "  - {each: '$.l%d[*]', type: t%d, identify: {ns: u, from: $.u%d}}\n",
			      i, i, i);
	connector = bb_connector_compile("c.yaml", bb_buf_slice(&yaml), NULL, &diagnostics);
	cr_assert(connector, "%s", diagnostics.n ? diagnostics.items[0].message : "");
	msg.value =
		BB_TEXT("{\"l7\":[{\"u7\":\"x\"},{\"u8\":\"y\"}],\"l2499\":[{\"u2499\":\"z\"}]}");
	bb_connector_run(connector, &msg, &arena, &extraction);
	cr_assert_eq(extraction.n, 3);
	cr_expect(bb_text_equal(extraction.items[0].event->type, BB_TEXT("t7")));
	cr_expect_eq(extraction.items[0].event->identifier_n, 1);
	cr_expect_eq(extraction.items[1].event->identifier_n, 0);
	cr_expect(bb_text_equal(extraction.items[2].event->identifiers[0].value, BB_TEXT("z")));
	cr_expect_lt(connector->arena.total_bytes, (size_t)32 << 20);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
	bb_buf_fini(&yaml);
}

Test(engine, names_that_become_too_long_are_not_made)
{
	struct bb_message msg = {.topic = BB_TEXT("t"), .timestamp_ms = 1};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_extraction extraction;
	struct bb_connector *connector;
	const struct bb_event *ev;
	struct bb_arena arena;

	bb_buf_printf(&buf,
		      "{\"mail\":\"a@b.co\",\"d\":{\"%0255d\":{\"a\":1,\"b\":{\"c\":2}},"
		      "\"%0256d\":3,\"%0257d\":4,\"%0200d\":{\"x\":5}}}",
		      0, 1, 2, 3);
	msg.value = bb_buf_slice(&buf);
	bb_arena_init(&arena);
	connector = compile(&arena, "type: t, identify: {ns: email, from: '$.mail'}, "
				    "spread: {from: '$.d'}");
	bb_connector_run(connector, &msg, &arena, &extraction);
	cr_assert_eq(extraction.n, 1);
	ev = extraction.items[0].event;
	cr_assert_eq(ev->attribute_n, 2);
	cr_expect_eq(ev->attributes[0].name.n, 256);
	cr_expect_eq(ev->attributes[1].name.n, 202);
	for (size_t i = 0, found = 0; i < ev->warning_n; i++) {
		found += bb_text_equal(ev->warnings[i].code, BB_TEXT("attribute_name_invalid"));
		cr_expect(i + 1 < ev->warning_n || found == 3, "%zu", found);
	}
	bb_connector_free(connector);
	bb_arena_fini(&arena);
	bb_buf_fini(&buf);
}
