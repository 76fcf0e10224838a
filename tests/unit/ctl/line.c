/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, its help, and the manual pages that must say the same. */
#include "ctl.h"
#include "run.h"

#include <stdlib.h>

static const struct {
	const char *args[5];
	int code;
	const char *says;
} wrong[] = {
	{{NULL}, 2, "usage: backbonectl"},
	{{"stat"}, 2, "did you mean `status`?"},
	{{"frobnicate"}, 2, "no verb `frobnicate`; `backbonectl help` lists them"},
	{{"help", "stat"}, 2, "no verb `stat`"},
	{{"status", "now"}, 2, "expected `backbonectl status`"},
	{{"get"}, 2, "expected `backbonectl get KEY...`"},
	{{"try", "direct"}, 2, "expected FILEs, or --topic T --last N for messages of Kafka"},
	{{"try", "direct", "--last", "5", "f.json"}, 2, "--topic and --last, not both"},
	{{"get", "--field", "a", "k"}, 2, "did you mean --fields?"},
	{{"get", "k", "--fields"}, 2, "--fields needs a value: --fields A,B"},
	{{"get", "k", "--provenance=1"}, 2, "--provenance takes no value"},
	{{"status", "--jsn"}, 2, "did you mean --json?"},
	{{"status", "-j"}, 2, "options are long"},
	{{"dump"}, 2, "one of --views, --offsets and --rulings"},
	{{"dump", "--views", "--offsets"}, 2, "one of --views, --offsets and --rulings"},
	{{"dead-letters", "--limit", "many"}, 2, "--limit: expected a whole number"},
	{{"dead-letters", "--from=-1"}, 2, "--from: expected a whole number"},
	{{"status", "--config", "/nonexistent.yaml"}, 2, "/nonexistent.yaml"},
	{{"dump", "--views", "--config=/nonexistent.yaml"}, 2, "/nonexistent.yaml"},
	{{"produce", "t", "/dev/null", "--config=/nonexistent.yaml"}, 2, "/nonexistent.yaml"},
};

RUN_TEST(a_wrong_command_line_is_explained)
{
	for (size_t row = 0; row < sizeof(wrong) / sizeof(wrong[0]); row++) {
		const char *const *args = wrong[row].args;

		cr_assert_eq(run(args[0], args[1], args[2], args[3], args[4], NULL),
			     wrong[row].code, "row %zu: %s", row, run_err);
		cr_assert(strstr(run_err, wrong[row].says), "row %zu: %s", row, run_err);
		cr_assert_str_empty(run_out, "row %zu", row);
	}
}

RUN_TEST(options_may_stand_before_or_after_the_verb)
{
	cr_assert_eq(run("--config", run_path("b.yaml"), "--json", "check-config", NULL), 0, "%s",
		     run_err);
	cr_assert_str_empty(run_out);
	cr_assert_eq(run("check-config", "--config", run_path("b.yaml"), NULL), 0);
	cr_assert_str_eq(run_out, "1 file checked, nothing wrong\n");
	cr_assert_eq(run("--limit", "3", "dead-letters", "--from=x", NULL), 2);
	cr_assert(strstr(run_err, "dead-letters: --from"), "%s", run_err);
}

RUN_TEST(help_and_version)
{
	cr_assert_eq(run("--help", NULL), 0);
	cr_assert(strstr(run_out, "check-config"));
	cr_assert_eq(run("--version", NULL), 0);
	cr_assert_str_eq(run_out, "backbonectl " BB_VERSION "\n");
	for (size_t i = 0; i < bb_ctl_verb_n; i++) {
		char *text;

		cr_assert_eq(run("help", bb_ctl_verbs[i].name, NULL), 0);
		text = strdup(run_out);
		cr_assert_eq(run(bb_ctl_verbs[i].name, "--help", NULL), 0, "%s", run_err);
		cr_assert_str_eq(run_out, text);
		cr_assert(strstr(text, bb_ctl_verbs[i].summary));
		free(text);
	}
}

RUN_TEST(a_full_disk_is_noticed)
{
	char *argv[] = {"backbonectl", "help", NULL};
	FILE *out = fopen("/dev/full", "w"), *err = fopen("/dev/null", "w");

	cr_assert_eq(bb_ctl_run(2, argv, out, err), BB_CTL_UNREACHABLE);
	fclose(out);
	fclose(err);
}

/* The manual */

static char *read_source(const char *name)
{
	char path[512], *text;
	size_t n;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", BB_SOURCE_DIR, name);
	file = fopen(path, "r");
	cr_assert(file, "%s", path);
	text = malloc(256 * 1024);
	n = fread(text, 1, 256 * 1024 - 1, file);
	text[n] = '\0';
	fclose(file);
	return text;
}

static void expect_option(const char *page, const char *page_name, const char *option)
{
	char macro[128];
	const char *at = page;

	snprintf(macro, sizeof(macro), "Fl -%s", option);
	while ((at = strstr(at, macro)) && at[strlen(macro)] != ' ' && at[strlen(macro)] != '\n')
		at++;
	cr_assert(at, "%s does not have --%s", page_name, option);
}

/* Every `Fl -name` of the page is in `has`. */
static void expect_no_more(const char *page, const char *page_name,
			   bool (*has)(const char *name, size_t n))
{
	for (const char *at = page; (at = strstr(at, "Fl -")); at++) {
		const char *name = at + 4;
		size_t n = strcspn(name, " \n");

		cr_assert(has(name, n), "%s has --%.*s, the program has not", page_name, (int)n,
			  name);
	}
}

static bool is_option_of(const struct bb_ctl_option *options, size_t option_n, const char *name,
			 size_t n)
{
	for (size_t i = 0; i < option_n && options[i].name; i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0)
			return true;
	return false;
}

static bool ctl_has(const char *name, size_t n)
{
	bool found = is_option_of(bb_ctl_globals, bb_ctl_global_n, name, n) ||
		     (n == 4 && strncmp(name, "name", 4) == 0); /* the example of the form */

	for (size_t i = 0; !found && i < bb_ctl_verb_n; i++)
		found = is_option_of(bb_ctl_verbs[i].options, BB_CTL_OPTIONS_MAX, name, n);
	return found;
}

Test(ctl, the_manual_has_every_verb_and_option)
{
	static const char name[] = "backbonectl.1";
	char *page = read_source("docs/man/backbonectl.1");

	for (size_t i = 0; i < bb_ctl_verb_n; i++) {
		const struct bb_ctl_verb *verb = &bb_ctl_verbs[i];
		char macro[64];

		snprintf(macro, sizeof(macro), "\n.It Cm %s", verb->name);
		cr_assert(strstr(page, macro), "%s does not have %s", name, verb->name);
		for (size_t o = 0; o < BB_CTL_OPTIONS_MAX && verb->options[o].name; o++)
			expect_option(page, name, verb->options[o].name);
	}
	for (size_t i = 0; i < bb_ctl_global_n; i++)
		expect_option(page, name, bb_ctl_globals[i].name);
	for (const char *at = page; (at = strstr(at, "\n.It Cm ")); at++) {
		const char *verb = at + strlen("\n.It Cm ");
		size_t n = strcspn(verb, " \n"), i = 0;

		while (i < bb_ctl_verb_n && (strlen(bb_ctl_verbs[i].name) != n ||
					     strncmp(bb_ctl_verbs[i].name, verb, n) != 0))
			i++;
		cr_assert_lt(i, bb_ctl_verb_n, "%s has %.*s, the program has not", name, (int)n,
			     verb);
	}
	expect_no_more(page, name, ctl_has);
	free(page);
}

static char *program; /* the source of a program's arguments */

static bool program_has(const char *name, size_t n)
{
	char option[64];

	snprintf(option, sizeof(option), "{\"%.*s\", ", (int)n, name);
	return strstr(program, option);
}

/* Rows of getopt_long: {"name", required_argument, ...}. */
static void expect_getopt(const char *source, const char *page_file)
{
	char *page = read_source(page_file);

	program = read_source(source);
	for (const char *at = program; (at = strstr(at, "\t\t{\"")); at++) {
		char option[64];

		snprintf(option, sizeof(option), "%.*s", (int)strcspn(at + 4, "\""), at + 4);
		expect_option(page, page_file, option);
	}
	expect_no_more(page, page_file, program_has);
	free(program);
	free(page);
}

Test(ctl, the_manuals_of_the_other_programs_have_their_options)
{
	expect_getopt("daemon/main.c", "docs/man/backboned.8");
	expect_getopt("connectors/kafka/main_devbroker.c", "docs/man/backbone-devbroker.1");
}
