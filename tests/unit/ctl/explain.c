/* SPDX-License-Identifier: Apache-2.0 */
/* try --explain: which rule, which source, and why not the others. */
#include "run.h"

#include <string.h>

static const char yaml[] =
	"connector: till\n"
	"channel: pos\n"
	"topics: [till]\n"
	"events:\n"
	"  - name: refund\n"
	"    when: {'$.kind': refund}\n"
	"    type: refund\n"
	"    identify: {ns: email, from: '$.mail'}\n"
	"  - type: '$.kind'\n"
	"    unless: {'$.test': 'true'}\n"
	"    id: ['$.gone', '$.nothing', '$.blank', '$.none', '$.object', '$.id', '@position']\n"
	"    identify:\n"
	"      - {ns: email, from: {template: '{$.mail}{$.gone}'}}\n"
	"      - {ns: email, from: {pick: {in: '$.fields', key: k, equals: mail, value: v}}}\n";

static const char message[] = "{\"kind\":\"sale\",\"nothing\":null,\"blank\":\" \",\"none\":[],"
			      "\"object\":{\"a\":1},\"id\":\"s-1\",\"mail\":\"a@b.org\","
			      "\"fields\":[{\"k\":\"mail\",\"v\":\"c@d.org\"}]}";

RUN_TEST(explain_says_which_source_won_and_why_others_did_not)
{
	static const char *const lines[] = {
		"/m:1\n",
		"  events[0] (refund): no, line 6, events[0].when.$.kind: \"sale\"\n",
		"  events[1]: takes it\n",
		"    events[1].id, line 11\n",
		"      $.gone                        absent\n",
		"      $.nothing                     null\n",
		"      $.blank                       blank\n",
		"      $.none                        an empty list\n",
		"      $.object                      a list or an object, but one value is due\n",
		"      $.id                          taken: \"s-1\"\n",
		"      @position                     not asked, an earlier one won\n",
		"      {template: ...}               a part of it is not usable\n",
		"      {pick: ...}                   taken: \"c@d.org\"\n",
	};

	cr_assert_eq(
		run("try", "--explain", run_file("t.yaml", yaml), run_file("m", message), NULL), 0,
		"%s", run_err);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect(strstr(run_out, lines[i]), "%s is not in\n%s", lines[i], run_out);
	cr_expect(strstr(run_out, "\n{\"source\":\"till\""), "the event follows: %s", run_out);
}

RUN_TEST(explain_says_which_condition_kept_a_rule_away)
{
	cr_assert_eq(run("try", "--explain", run_file("t.yaml", yaml),
			 run_file("m", "{\"kind\":\"sale\",\"test\":true}"), NULL),
		     0);
	cr_expect(strstr(run_out, "  events[1]: no, line 10, events[1].unless.$.test: \"true\"\n"),
		  "%s", run_out);
	cr_assert_eq(run("try", "--explain", run_file("t.yaml", yaml),
			 run_file("m", "{\"test\":true}"), NULL),
		     0);
	cr_expect(strstr(run_out, "events[0].when.$.kind: no usable value\n"), "%s", run_out);
}

RUN_TEST(explain_in_json_is_a_line_a_rule_and_a_line_a_source)
{
	static const char *const lines[] = {
		"{\"rule\":\"events[0]\",\"name\":\"refund\",\"element\":\"\",\"taken\":false,"
		"\"because\":\"events[0].when.$.kind\",\"line\":6,\"found\":\"sale\"}\n",
		"{\"rule\":\"events[1]\",\"name\":null,\"element\":\"\",\"taken\":true}\n",
		"{\"path\":\"events[1].id\",\"line\":11,\"column\":10,\"source\":\"$.gone\","
		"\"outcome\":\"absent\"}\n",
		"\"source\":\"$.id\",\"outcome\":\"taken\",\"value\":\"s-1\"}\n",
	};

	cr_assert_eq(run("--json", "try", "--explain", run_file("t.yaml", yaml),
			 run_file("m", message), NULL),
		     0, "%s", run_err);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect(strstr(run_out, lines[i]), "%s is not in\n%s", lines[i], run_out);
}

RUN_TEST(explain_is_for_files)
{
	cr_assert_eq(run("try", "--explain", "--topic", "t", run_file("t.yaml", yaml), NULL), 2);
	cr_expect(strstr(run_err, "--explain"), "%s", run_err);
}
