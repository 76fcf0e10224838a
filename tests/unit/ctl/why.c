/* SPDX-License-Identifier: Apache-2.0 */
/* `why` and `explain` from the store of a daemon that is down, for people and as JSON. */
#include "ctl.h"
#include "explain_text.h"
#include "run.h"

#include <backbone/gate.h>
#include <backbone/pipeline.h>
#include <stdlib.h>
#include <string.h>

static const char *const events[] = {
	"{\"source\":\"till\",\"type\":\"t\",\"id\":\"1\",\"time\":\"2026-01-02T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"a\"},{\"ns\":\"email\",\"value\":\"x@y."
	"org\"}]}",
	"{\"source\":\"web\",\"type\":\"t\",\"id\":\"2\",\"time\":\"2026-01-03T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"a\"},{\"ns\":\"email\",\"value\":\"x@y."
	"org\"}]}",
	"{\"source\":\"till\",\"type\":\"t\",\"id\":\"3\",\"time\":\"2026-01-04T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"b\"},{\"ns\":\"email\",\"value\":\"x@y."
	"org\"}]}",
	"{\"source\":\"till\",\"type\":\"t\",\"id\":\"4\",\"time\":\"2026-01-04T03:04:05Z\","
	"\"identifiers\":[{\"ns\":\"user\",\"value\":\"c\"},{\"ns\":\"email\",\"value\":\"noreply@"
	"y.org\"},"
	"{\"ns\":\"email\",\"value\":\"z@y.org\"},{\"ns\":\"email\",\"value\":\"w@y.org\"}]}",
};

static void open_store(void)
{
	run_open_store(events, sizeof(events) / sizeof(events[0]), NULL);
}

#define WHY_TEST(name) Test(ctl, name, .init = open_store, .fini = run_close)

WHY_TEST(why_draws_the_tree_and_what_was_refused)
{
	cr_assert_eq(run_with_config("why", "email:x@y.org", NULL), 0, "%s", run_err);
	cr_assert(strncmp(run_out, "Profile p", 9) == 0, "%s", run_out);
	cr_expect_str_eq(strchr(run_out, ':'),
			 ": 2 identifiers\n"
			 "user:a\n"
			 "└─ email:x@y.org  (2 events, 2026-01-02 to 2026-01-03, web, till)\n"
			 "Refused link:\n"
			 "  user:b - email:x@y.org  (1 event, 2026-01-04, till)\n"
			 "      one profile would have 2 of user, and 1 is allowed (per_profile): "
			 "user:b against user:a\n");
	cr_assert_eq(run_with_config("why", "user:c", NULL), 0, "%s", run_err);
	cr_expect(strstr(run_out, "user:c\n"
				  "├─ email:") &&
			  strstr(run_out, "\n└─ email:") &&
			  strstr(run_out, "as it is blocked: email:noreply@y.org\n"),
		  "%s", run_out);
}

WHY_TEST(why_says_what_blocks_a_key)
{
	cr_assert_eq(run_with_config("why", "email:noreply@y.org", NULL), 0, "%s", run_err);
	cr_expect_str_eq(
		run_out,
		"email:noreply@y.org is blocked and names nobody: by the rule junk.mailbox\n"
		"It is in 1 record.\n"
		"An `allow` ruling on it would put it together with user:c, email:w@y.org, "
		"email:z@y.org.\n");
}

WHY_TEST(explain_names_the_weakest_link_or_the_witness)
{
	cr_assert_eq(run_with_config("explain", "email:x@y.org", "user:a", NULL), 0, "%s", run_err);
	cr_expect(strstr(run_out,
			 ".\n  email:x@y.org\n"
			 "    │ 2 events, 2026-01-02 to 2026-01-03, web, till\n"
			 "  user:a\n"
			 "The weakest link is user:a - email:x@y.org. Without it they would "
			 "be apart.\n"
			 "A `split` ruling on the two would part them.\n"),
		  "%s", run_out);
	cr_assert_eq(run_with_config("explain", "email:x@y.org", "user:b", NULL), 0, "%s", run_err);
	cr_expect(strstr(run_out, "email:x@y.org and user:b are not together.\nRefused link:\n"),
		  "%s", run_out);
	cr_expect(strstr(run_out, "A `join` ruling on the two would unite them, and part from "
				  "them: user:a\n"),
		  "%s", run_out);
	cr_assert_eq(run_with_config("explain", "user:c", "user:b", NULL), 0, "%s", run_err);
	cr_expect(strstr(run_out, "There is no evidence"), "%s", run_out);
}

WHY_TEST(explanations_are_one_line_of_json)
{
	cr_assert_eq(run_with_config("--json", "why", "user:a", NULL), 0, "%s", run_err);
	cr_expect(strncmp(run_out, "{\"key\":\"user:a\",", 16) == 0, "%s", run_out);
	cr_expect_eq(strchr(run_out, '\n'), run_out + strlen(run_out) - 1);
	cr_assert_eq(run_with_config("explain", "user:a", "user:b", "--json", NULL), 0);
	cr_expect(strncmp(run_out, "{\"a\":\"user:a\",\"b\":\"user:b\",", 27) == 0, "%s", run_out);
}

WHY_TEST(explanations_refuse_what_was_never_seen_or_is_no_key)
{
	cr_expect_eq(run_with_config("why", "user:zz", NULL), BB_CTL_NO);
	cr_expect(strstr(run_err, "user:zz was never seen"), "%s", run_err);
	cr_expect_eq(run_with_config("explain", "user:a", "user:zz", NULL), BB_CTL_NO);
	cr_expect_eq(run_with_config("why", "card:1", NULL), BB_CTL_REFUSED);
	cr_expect(strstr(run_err, "not a key"), "%s", run_err);
	cr_expect_eq(run_with_config("explain", "user:a", NULL), BB_CTL_USAGE);
	cr_expect_eq(run_with_config("why", NULL), BB_CTL_USAGE);
}

/* An answer as the daemon may give it, which the events above do not bring about. */
static char *text_of(const char *json, bool (*print)(struct bb_text, FILE *))
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	cr_assert(print(bb_text_of(json), out), "%s", json);
	fclose(out);
	return text;
}

Test(ctl, explanations_of_rulings_splits_and_sizes_are_sentences)
{
	static const char ruling[] = "{\"id\":\"r1\",\"time\":\"2026-02-03T00:00:00.000Z\","
				     "\"actor\":\"ann\",\"reason\":\"they\\u001b called\"}";
	char json[1024], *text;

	snprintf(
		json, sizeof(json),
		"{\"a\":\"x:1\",\"b\":\"x:2\",\"together\":false,\"why\":\"refused\",\"refused\":[{"
		"\"from\":\"x:1\",\"to\":\"x:2\",\"kind\":\"join\",\"by\":\"ruling\",\"ruling\":%s,"
		"\"witness\":[{\"limit\":\"split\",\"pair\":[\"x:1\",\"x:3\"],\"ruling\":%s},"
		"{\"limit\":\"max_identifiers\",\"allowed\":3,\"needed\":4}]}],\"refused_n\":2,"
		"\"change\":{\"join\":{\"unites\":false,\"witness\":[{\"limit\":"
		"\"max_identifiers\",\"allowed\":3,\"needed\":4}]}}}",
		ruling, ruling);
	text = text_of(json, bb_explain_text_pair);
	cr_expect_str_eq(text,
			 "x:1 and x:2 are not together.\n"
			 "Refused links:\n"
			 "  x:1 - x:2  (joined by ruling r1 of 2026-02-03 by ann: they? called)\n"
			 "      split: x:1, x:3 by ruling r1 of 2026-02-03 by ann: they? called\n"
			 "      one profile would have 4 identifiers, and 3 are allowed "
			 "(max_identifiers)\n"
			 "  and 1 more\n"
			 "A `join` ruling on the two would not unite them:\n"
			 "  one profile would have 4 identifiers, and 3 are allowed "
			 "(max_identifiers)\n");
	free(text);
	text = text_of(
		"{\"key\":\"d:1\",\"profile\":\"p\",\"identifiers\":1,\"shared\":{\"key\":"
		"\"d:1\",\"counts\":[{\"of\":\"owners\",\"ns\":\"x\",\"found\":9,\"allowed\":1,"
		"\"over\":true}],\"at_least\":true,\"owners\":[\"x:1\"],\"owner_n\":9}}",
		bb_explain_text_why);
	cr_expect(strstr(text, "  owners of x: at least 9, and 1 is allowed\n"
			       "Its owners: x:1 and 8 more\n"),
		  "%s", text);
	free(text);
	text = text_of(
		"{\"a\":\"x:1\",\"b\":\"x:2\",\"together\":true,\"profile\":\"p\",\"chain\":[{"
		"\"from\":\"x:2\",\"to\":\"x:1\",\"kind\":\"link\",\"events\":1}],\"weakest\":"
		"{\"from\":\"x:2\",\"to\":\"x:1\"},\"change\":{\"without\":[{\"from\":\"x:2\","
		"\"to\":\"x:1\"},{\"from\":\"x:2\",\"to\":\"d:1\"}],\"parts\":true,\"alone\":"
		"false,\"split\":{\"parts\":true}}}",
		bb_explain_text_pair);
	cr_expect(strstr(text,
			 "Its loss alone would not part them. Without all of these they would "
			 "be apart:\n  x:2 - x:1\n  x:2 - d:1\n"),
		  "%s", text);
	free(text);
	text = text_of(
		"{\"a\":\"x:1\",\"b\":\"x:2\",\"together\":true,\"profile\":\"p\",\"chain\":[{"
		"\"from\":\"x:2\",\"to\":\"x:1\",\"kind\":\"link\",\"events\":1}],\"weakest\":"
		"{\"from\":\"x:2\",\"to\":\"x:1\"},\"change\":{\"without\":[],\"parts\":null,"
		"\"alone\":null,\"split\":{\"parts\":null}}}",
		bb_explain_text_pair);
	cr_expect(strstr(text, "What would part them was not tried, as there are too many "
			       "records.\n"),
		  "%s", text);
	cr_expect_not(strstr(text, "split"), "%s", text);
	free(text);
	cr_expect_not(bb_explain_text_why(BB_TEXT("[1]"), stdout));
	cr_expect_not(bb_explain_text_pair(BB_TEXT("nonsense"), stdout));
}

/* What is said of the change of two that are apart. */
Test(ctl, what_would_unite_two_is_said_only_if_it_would)
{
	static const struct {
		const char *change, *said;
	} rows[] = {
		{"{\"join\":{\"unites\":true,\"leaves\":[\"x:3\"],\"leaves_n\":3},\"rulings\":null,"
		 "\"limits\":null}",
		 "A `join` ruling on the two would unite them, and part from them: x:3 and 2 "
		 "more\n"},
		{"{\"join\":{\"unites\":null},\"rulings\":null,\"limits\":{\"steps\":[],\"unites\":"
		 "null}}",
		 "What a `join` ruling on the two would do was not tried, as there are too many "
		 "records.\nWith the limits: was not tried, as there are too many records.\n"},
		{"{\"join\":{\"unites\":false,\"blocked\":[\"x:1\"]},\"rulings\":{\"steps\":[{"
		 "\"ruling\":\"allow\",\"key\":\"x:1\"},{\"ruling\":\"join\",\"pair\":[\"x:1\","
		 "\"x:2\"]},{\"ruling\":\"release\",\"pair\":[\"x:1\",\"x:3\"],\"releases\":"
		 "\"r7\"}],\"unites\":true,\"leaves\":[],\"leaves_n\":0},\"limits\":null}",
		 "A `join` ruling on the two would not unite them, as a blocked end joins nobody.\n"
		 "With the rulings `allow` x:1; `join` x:1, x:2; `release` r7, the split of x:1, "
		 "x:3 they would be together.\n"},
		{"{\"join\":{\"unites\":false,\"shared\":[\"x:1\"]},\"rulings\":null,\"limits\":{"
		 "\"steps\":[{\"limit\":\"links\",\"ns\":\"x\",\"from\":2,\"to\":3},{\"limit\":"
		 "\"max_identifiers\",\"from\":5,\"to\":6}],\"unites\":false,\"next\":{\"from\":"
		 "\"x:1\",\"to\":\"x:2\",\"kind\":\"link\",\"witness\":[{\"limit\":"
		 "\"max_identifiers\",\"allowed\":6,\"needed\":7}]}}}",
		 "as a shared end joins nobody.\n"
		 "With the limits `links` of x at 3 instead of 2; `max_identifiers` at 6 instead "
		 "of "
		 "5 they would still be apart, as x:1 - x:2 would be refused:\n"
		 "  one profile would have 7 identifiers, and 6 are allowed (max_identifiers)\n"},
		{"{\"join\":{\"unites\":true,\"leaves\":[]},\"rulings\":null,\"limits\":{\"steps\":"
		 "[{"
		 "\"limit\":\"links\",\"ns\":\"x\",\"from\":2,\"to\":3}],\"unites\":false,"
		 "\"next\":null}}",
		 "they would still be apart: nothing would link their profiles.\n"}};
	char json[2048], *text;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(json, sizeof(json),
			 "{\"a\":\"x:1\",\"b\":\"x:2\",\"together\":false,\"why\":\"refused\","
			 "\"change\":%s}",
			 rows[i].change);
		text = text_of(json, bb_explain_text_pair);
		cr_expect(strstr(text, rows[i].said), "row %zu: %s", i, text);
		free(text);
	}
}
