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
		"  events[0] (refund): no, line 6, events[0].when.$.kind: \"sale\", wanted: "
		"refund\n",
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
	cr_expect(strstr(run_out, "  events[1]: no, line 10, events[1].unless.$.test: \"true\", "
				  "wanted: not true\n"),
		  "%s", run_out);
	cr_assert_eq(run("try", "--explain", run_file("t.yaml", yaml),
			 run_file("m", "{\"test\":true}"), NULL),
		     0);
	cr_expect(strstr(run_out, "events[0].when.$.kind: no usable value, wanted: refund\n"), "%s",
		  run_out);
}

RUN_TEST(explain_says_what_is_there_and_what_was_wanted)
{
	static const struct {
		const char *condition, *message, *told, *json;
	} rows[] = {
		{"unless: {'$.o': exists}", "{\"o\":{\"a\":1}}",
		 "unless.$.o is there (an object), but must be absent\n",
		 "\"found\":null,\"there\":\"an object\",\"wanted\":\"absent\"}"},
		{"when: {'$.o': absent}", "{\"o\":[1]}",
		 "when.$.o is there (a list), but must be absent\n",
		 "\"found\":null,\"there\":\"a list\",\"wanted\":\"absent\"}"},
		{"when: {'$.o': absent}", "{\"o\":\"x\"}",
		 "when.$.o is there (\"x\"), but must be absent\n",
		 "\"found\":\"x\",\"wanted\":\"absent\"}"},
		{"when: {'$.o': exists}", "{\"o\":null}",
		 "when.$.o has no usable value, but must be there\n",
		 "\"found\":null,\"wanted\":\"there\"}"},
		{"unless: {'$.o': absent}", "{}",
		 "unless.$.o has no usable value, but must be there\n",
		 "\"found\":null,\"wanted\":\"there\"}"},
		{"when: {'$.o': [a, b, c, d]}", "{\"o\":{\"a\":1}}",
		 "when.$.o: an object, wanted: a, b, c, ...\n",
		 "\"found\":null,\"there\":\"an object\",\"wanted\":\"a, b, c, ...\"}"},
		{"when: {'$.o': a}", "{\"o\":[]}", "when.$.o: an empty list, wanted: a\n",
		 "\"there\":\"an empty list\",\"wanted\":\"a\"}"},
	};
	char file[400];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(file, sizeof(file),
			 "connector: c\nchannel: web\ntopics: [t]\nevents:\n  - %s\n"
			 "    type: t\n    identify: {ns: email, from: '$.mail'}\n",
			 rows[i].condition);
		run("try", "--explain", run_file("c.yaml", file), run_file("m", rows[i].message),
		    NULL);
		cr_expect(strstr(run_out, rows[i].told), "%s: %s", rows[i].condition, run_out);
		run("--json", "try", "--explain", run_file("c.yaml", file),
		    run_file("m", rows[i].message), NULL);
		cr_expect(strstr(run_out, rows[i].json), "%s: %s", rows[i].condition, run_out);
	}
}

RUN_TEST(explain_says_what_was_looked_for_and_what_is_no_fact)
{
	static const char file[] =
		"connector: c\nchannel: web\ntopics: [t]\nevents:\n  - type: t\n"
		"    identify:\n"
		"      - {ns: email, from: {pick: {in: '$.l', key: id, equals: '1', value: v}}}\n"
		"      - {ns: email, from: {pick: {in: '$.l', key: id, equals: '2', value: v}}}\n"
		"      - {ns: email, from: {pick: {in: '$.no', key: id, equals: '2', value: v}}}\n"
		"      - {ns: email, from: {lookup: {in: '$.m', key: '$.name'}}}\n"
		"      - {ns: email, from: {lookup: {in: '$.m', key: '$.no'}}}\n"
		"    consent:\n"
		"      - purpose: marketing\n"
		"        status: {from: '$.status', granted: ['YES'], denied: ['NO']}\n";
	static const char *const lines[] = {
		"absent: no element has id = \"1\"\n",
		"absent: no usable value where id = \"2\"\n",
		"absent: there is no list to look in\n",
		"absent: there is no member \"x\"\n",
		"absent: what is looked for has no usable value\n",
		"      $.status                      taken: \"NEVER\"\n"
		"      granted, denied               in neither list: no fact\n",
	};
	const char *path = run_file("c.yaml", file);
	const char *msg = run_file("m", "{\"l\":[{\"id\":2}],\"m\":{\"y\":1},\"name\":\"x\","
					"\"status\":\"NEVER\"}");

	run("try", "--explain", path, msg, NULL);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		cr_expect(strstr(run_out, lines[i]), "%s is not in\n%s\n%s", lines[i], run_out,
			  run_err);
	cr_expect(strstr(run_err, "not checked; give --config\n"), "%s", run_err);
	run("--json", "try", "--explain", path, msg, NULL);
	cr_expect(strstr(run_out, "\"outcome\":\"absent\",\"sought\":\"no element has"), "%s",
		  run_out);
	cr_expect(strstr(run_out, "\"outcome\":\"in neither list: no fact\",\"value\":\"NEVER\""),
		  "%s", run_out);
}

RUN_TEST(explain_says_where_each_leads_nowhere)
{
	static const char file[] = "connector: c\nchannel: pos\ntopics: []\nevents:\n"
				   "  - each: ['$.orders[*].items[*]', '$.more.*']\n"
				   "    type: t\n    identify: {ns: email, from: '^.mail'}\n"
				   "  - type: u\n    identify: {ns: email, from: '$.mail'}\n";
	static const char *const messages[] = {
		"{\"mail\":\"a@b.org\"}",
		"{\"mail\":\"a@b.org\",\"orders\":[],\"more\":{}}",
		"{\"mail\":\"a@b.org\",\"orders\":[{},{\"items\":[]}],\"more\":[1]}",
	};
	static const char *const lines[] = {
		"  events[0]: no, line 5, events[0].each: no element at $.orders[*].items[*] "
		"(it "
		"is not there, empty, or something else), wanted: one or more\n",
		"  events[0]: no, line 5, events[0].each: no element at $.more.* (it is not "
		"there, empty, or something else), wanted: one or more\n",
		"  events[1]: takes it\n",
	};

	for (size_t m = 0; m < sizeof(messages) / sizeof(*messages); m++) {
		cr_assert_eq(run("try", "--explain", run_file("c.yaml", file),
				 run_file("m", messages[m]), NULL),
			     0, "%s", run_err);
		for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
			cr_expect(strstr(run_out, lines[i]), "%s: %s is not in\n%s", messages[m],
				  lines[i], run_out);
	}
	run("try", "--explain", run_file("c.yaml", file),
	    run_file("m", "{\"orders\":[{\"items\":[{}]}],\"more\":{\"a\":{}}}"), NULL);
	cr_expect_null(strstr(run_out, "no element"), "%s", run_out);
}

RUN_TEST(explain_in_json_is_a_line_a_rule_and_a_line_a_source)
{
	static const char *const lines[] = {
		"{\"rule\":\"events[0]\",\"name\":\"refund\",\"element\":\"\",\"taken\":false,"
		"\"because\":\"events[0].when.$.kind\",\"line\":6,\"found\":\"sale\",\"wanted\":"
		"\"refund\"}\n",
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
