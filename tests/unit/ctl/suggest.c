/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors drafted from samples: what is guessed, what is left alone, and that all can be used.
 */
#include "suggest.h"
#include "ctl.h"
#include "run.h"

#include <backbone/yaml.h>
#include <glob.h>
#include <stdlib.h>

RUN_TEST(a_draft_says_who_when_and_how_much)
{
	static const char sample[] =
		"{\"event\":\"order_paid\",\"messageId\":\"m-1\",\"sentAt\":1770800000123,"
		"\"customer\":{\"id\":4711,\"emailAddress\":\"a@b.org\",\"newsletter\":\"no\"},"
		"\"order\":{\"id\":\"A-1\",\"amount\":4290,\"currency\":\"EUR\"},"
		"\"client_ip\":\"10.0.0.1\"}";
	static const char *const lines[] = {
		"connector: order_paid\n",
		"channel: pos\n",
		"type: '$.event'",
		"id: ['$.messageId', '@position']",
		"time: {from: '$.sentAt', format: epoch_ms}",
		"- {ns: customer_id, from: '$.customer.id'}",
		"- {ns: email, from: '$.customer.emailAddress'}",
		"value: '$.order.amount'",
		"kind: minor",
		"currency: '$.order.currency'",
		"key: '$.order.id'",
		"status: {from: '$.customer.newsletter', granted: ['yes'], denied: ['no']}",
		"  - '$.client_ip'\n",
	};

	cr_assert_eq(run("suggest", "--channel", "pos", run_file("Order-paid.json", sample), NULL),
		     0, "%s", run_err);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect(strstr(run_out, lines[i]), "%s is not in\n%s", lines[i], run_out);
}

RUN_TEST(a_draft_takes_nobody_but_the_customer)
{
	static const char *const strangers[] = {
		"{\"cashier\":{\"email\":\"x@y.org\"}}", "{\"seller\":{\"user_id\":7}}",
		"{\"shop\":{\"phone\":\"+33612345678\"}}", "{\"page\":{\"user_id\":\"9\"}}",
		"{\"order\":{\"staff\":{\"member_id\":\"9\"}}}"};

	for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++) {
		cr_expect_eq(run("suggest", run_file("s.json", strangers[i]), NULL), 1, "%s",
			     strangers[i]);
		cr_expect(strstr(run_out, "# Left out:\n#   '$."), "%s: %s", strangers[i], run_out);
		cr_expect(strstr(run_err, "nothing looks like an identifier"), "%s", run_err);
	}
}

RUN_TEST(a_draft_asks_about_what_samples_leave_open)
{
	static const struct {
		const char *samples, *there, *not_there;
	} rows[] = {
		{"{\"email\":\"a@b.org\",\"grand_total\":\"4.20\",\"order_currency_code\":\"EUR\"}",
		 "currency: '$.order_currency_code'\n", "currency: EUR"},
		{"{\"email\":\"a@b.org\",\"currency\":\"USD\",\"order\":{\"total\":\"4.20\","
		 "\"value_currency\":\"EUR\"}}",
		 "currency: '$.order.value_currency'\n", NULL},
		{"{\"customer\":{\"email\":\"a@b.org\"},\"author\":{\"type\":\"admin\","
		 "\"email\":\"x@y.org\"}}",
		 "#   '$.author.email'    the type beside it says admin", "from: '$.author"},
		{"{\"author\":{\"type\":\"admin\",\"email\":\"x@y.org\"}}\n"
		 "{\"author\":{\"type\":\"user\",\"email\":\"a@b.org\"}}",
		 "from: '$.author.email'}    # its values look like e-mail addresses; of staff "
		 "where '$.author.type' says so",
		 "# Left out"},
		{"{\"type\":\"notification\",\"topic\":\"paid\",\"email\":\"a@b.org\"}\n"
		 "{\"type\":\"notification\",\"topic\":\"sent\",\"email\":\"a@b.org\"}",
		 "type: '$.topic'", "type: '$.type'"},
		{"{\"type\":\"paid\",\"topic\":\"shop\",\"email\":\"a@b.org\"}", "type: '$.type'",
		 "in 1 of"},
		{"{\"event_id\":1,\"total\":\"4.20\",\"email\":\"a@b.org\"}\n"
		 "{\"event_id\":2,\"email\":\"a@b.org\"}\n{\"phone\":\"+33612345678\"}",
		 "says money; in 1 of 3 messages: several kinds? write a rule for each, with "
		 "when\n",
		 "phone numbers\n"},
		{"{\"event_id\":1,\"total\":\"4.20\",\"email\":\"a@b.org\"}\n"
		 "{\"event_id\":2,\"email\":\"a@b.org\"}\n{\"phone\":\"+33612345678\"}",
		 "copy of the first; in 2 of 3 messages:", NULL},
		{"{\"event_id\":1,\"email\":\"a@b.org\"}\n{\"event_id\":2}",
		 "e-mail addresses; in 1 of 2 messages:", "first; in"},
		{"{\"billing_address\":{\"email\":\"b@b.org\"},\"x\":{\"email\":\"d@b.org\"},"
		 "\"customer\":{\"email\":\"c@b.org\"},\"email\":\"a@b.org\"}",
		 "from: ['$.customer.email', '$.email', '$.x.email', '$.billing_address.email']",
		 NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cr_expect_eq(run("suggest", run_file("o.json", rows[i].samples), NULL), 0, "%s",
			     rows[i].samples);
		cr_expect(strstr(run_out, rows[i].there), "%s is not in\n%s", rows[i].there,
			  run_out);
		cr_expect(!rows[i].not_there || !strstr(run_out, rows[i].not_there), "%s is in\n%s",
			  rows[i].not_there, run_out);
	}
}

RUN_TEST(a_draft_makes_one_event_per_element)
{
	cr_assert_eq(run("suggest",
			 run_file("l.json", "{\"page\":{\"id\":1},\"entry\":[{\"time\":1770800000,"
					    "\"messaging\":[{\"sender\":{\"id\":\"5\"}}]}]}"),
			 NULL),
		     0, "%s", run_err);
	cr_expect(strstr(run_out, "each: '$.entry[*].messaging[*]'"), "%s", run_out);
	cr_expect(strstr(run_out, "time: {from: '^.time', format: epoch_s}"), "%s", run_out);
	cr_expect(strstr(run_out, "from: '$.sender.id'"), "%s", run_out);
	cr_assert_eq(run("suggest", run_file("a.json", "[{\"email\":\"a@b.org\"}]"), NULL), 0);
	cr_expect(strstr(run_out, "each: '$[*]'"), "%s", run_out);
}

RUN_TEST(a_draft_uses_configured_namespaces_only)
{
	cr_assert_eq(run_with_config("suggest",
				     run_file("n.json", "{\"email\":\"a@b.org\",\"loyalty_id\":"
							"\"L1\",\"user_id\":\"u\"}"),
				     NULL),
		     0, "%s", run_err);
	cr_expect(strstr(run_out, "\n      - {ns: email, "), "%s", run_out);
	cr_expect(strstr(run_out, "but no such namespace is configured"), "%s", run_out);
}

RUN_TEST(names_that_a_path_cannot_have_are_left_alone)
{
	cr_assert_eq(run("suggest",
			 run_file("q.json", "{\"a'b\":{\"email\":\"a@b.org\"},\"x y\":{\"email\":"
					    "\"c@d.org\"},\"l\\nf\":{\"email\":\"e@f.org\"},"
					    "\"${HOME}\":{\"email\":\"g@h.org\"}}"),
			 NULL),
		     0, "%s", run_err);
	cr_expect(strstr(run_out, "from: \"$['x y'].email\"}"), "%s", run_out);
}

RUN_TEST(suggest_says_what_it_cannot_use)
{
	cr_expect_eq(run("suggest", run_file("t.txt", "not JSON\n"), NULL), 1);
	cr_expect(strstr(run_err, "no message in"), "%s", run_err);
	cr_expect_eq(run("suggest", "/nowhere.json", NULL), 2);
	cr_expect_eq(run("suggest", "--name", "Big Name", run_file("b.json", "{}"), NULL), 2);
	cr_expect(strstr(run_err, "--name and --channel:"), "%s", run_err);
}

RUN_TEST(suggest_prints_json)
{
	cr_assert_eq(run("--json", "suggest", run_file("j.json", "{\"email\":\"a@b.org\"}"), NULL),
		     0, "%s", run_err);
	cr_expect(strncmp(run_out, "{\"connector\":\"j\",\"yaml\":\"# Drafted", 33) == 0, "%s",
		  run_out);
}

/* Whatever producers call their fields, what comes out can be compiled. */
RUN_TEST(drafts_of_all_shipped_samples_can_be_compiled)
{
	struct bb_diagnostics diagnostics = {.n = 0};
	struct bb_arena arena;
	glob_t found;

	cr_assert_eq(glob(BB_SOURCE_DIR "/connectors/*/*/samples/*.json", 0, NULL, &found), 0);
	cr_assert(found.gl_pathc > 50);
	bb_arena_init(&arena);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct bb_connector *connector;

		bb_arena_reset(&arena);
		diagnostics = (struct bb_diagnostics){.arena = &arena};
		if (run("suggest", found.gl_pathv[i], NULL) == 1 &&
		    strstr(run_err, "is a JSON document"))
			continue; /* a query string */
		connector = bb_connector_compile("draft", bb_text_of(run_out), NULL, &diagnostics);
		cr_expect(connector, "%s: %s\n%s", found.gl_pathv[i],
			  diagnostics.n ? diagnostics.items[0].message : "", run_out);
		bb_connector_free(connector);
	}
	bb_arena_fini(&arena);
	globfree(&found);
}

/* Names that are values: one each of thousands of customers, in message after message. */
Test(ctl, fields_without_end_cost_no_end_of_time, .init = run_open, .fini = run_close,
     .timeout = 15)
{
	struct bb_buf text = BB_BUF_EMPTY;

	for (int message = 0; message < 60; message++) {
		bb_buf_printf(&text, "{\"email\":\"a%d@example.org\"", message);
		for (int i = 0; i < 10000; i++)
			bb_buf_printf(&text, ",\"k%d\":%d", i, message);
		bb_buf_printf(&text, "}\n");
	}
	bb_buf_byte(&text, '\0');
	cr_expect_eq(run("suggest", run_file("m.ndjson", text.p), NULL), 0, "%s", run_err);
	cr_expect(strstr(run_err, "60 messages, 5000 fields, 1 of them look like identifiers\n"),
		  "%s", run_err);
	bb_buf_fini(&text);
}
