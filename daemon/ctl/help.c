/* SPDX-License-Identifier: Apache-2.0 */
/* The help, from the tables; lines of at most 80 columns for people. Cannot fail. */
#include "ctl.h"

static void options(const struct bb_ctl_option *items, size_t n, FILE *out)
{
	for (size_t i = 0; i < n && items[i].name; i++) {
		char name[64];

		snprintf(name, sizeof(name), "--%s%s%s", items[i].name, items[i].arg ? " " : "",
			 items[i].arg ? items[i].arg : "");
		fprintf(out, "  %-24s %s\n", name, items[i].help);
	}
}

void bb_ctl_help(FILE *out)
{
	fprintf(out, "usage: backbonectl [--config FILE] [--json] VERB ...\n\n");
	for (size_t i = 0; i < bb_ctl_verb_n; i++)
		fprintf(out, "  %-13s %s\n", bb_ctl_verbs[i].name, bb_ctl_verbs[i].summary);
	fprintf(out, "\nOptions of every verb:\n");
	options(bb_ctl_globals, bb_ctl_global_n, out);
	fprintf(out,
		"\nExit codes: 0 ok, 1 the answer is no, 2 usage, 3 not reachable, 4 refused.\n"
		"More: backbonectl help VERB, man backbonectl\n");
}

void bb_ctl_help_verb(const struct bb_ctl_verb *verb, FILE *out)
{
	fprintf(out, "usage: backbonectl %s%s%s%s\n\n%s.\n", verb->name,
		verb->options[0].name ? " [options]" : "", *verb->syntax ? " " : "", verb->syntax,
		verb->summary);
	if (*verb->text)
		fprintf(out, "%s\n", verb->text);
	if (verb->options[0].name) {
		fprintf(out, "\nOptions:\n");
		options(verb->options, BB_CTL_OPTIONS_MAX, out);
	}
	fprintf(out, "\nOptions of every verb:\n");
	options(bb_ctl_globals, bb_ctl_global_n, out);
}

int bb_ctl_verb_help(struct bb_ctl *ctl)
{
	if (ctl->arg_n == 0) {
		bb_ctl_help(ctl->out);
		return BB_CTL_OK;
	}
	for (size_t i = 0; i < bb_ctl_verb_n; i++) {
		if (strcmp(bb_ctl_verbs[i].name, ctl->args[0]) == 0) {
			bb_ctl_help_verb(&bb_ctl_verbs[i], ctl->out);
			return BB_CTL_OK;
		}
	}
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "no verb `%s`; `backbonectl help` lists them",
			   ctl->args[0]);
}
