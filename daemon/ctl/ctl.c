/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: global options and those of the verb, in any order, `--name value` or
 * `--name=value`; the rest are arguments. The table of verbs says what is allowed.
 *
 * A wrong command line ends with code 2, what is wrong, and the nearest right word.
 */
#include "ctl.h"

#include <backbone/assert.h>
#include <backbone/yaml.h>
#include <stdarg.h>
#include <stdlib.h>

enum global { CONFIG, QUERY_SOCKET, ADMIN_SOCKET, JSON, HELP, VERSION, GLOBAL_COUNT };

/* A command line on its way through. */
struct line {
	struct bb_ctl *ctl;
	int argc, i;
	char **argv;
	const char *globals[GLOBAL_COUNT];
};

int bb_ctl_fail(struct bb_ctl *ctl, enum bb_ctl_exit code, const char *fmt, ...)
{
	va_list args;

	fprintf(ctl->err, "backbonectl%s%s: ", ctl->verb ? " " : "",
		ctl->verb ? ctl->verb->name : "");
	va_start(args, fmt);
	vfprintf(ctl->err, fmt, args);
	va_end(args);
	fputc('\n', ctl->err);
	return code;
}

static const struct bb_ctl_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < bb_ctl_verb_n; i++)
		if (strcmp(bb_ctl_verbs[i].name, name) == 0)
			return &bb_ctl_verbs[i];
	return NULL;
}

static int fail_verb(struct bb_ctl *ctl, const char *name)
{
	const char **names = bb_arena_alloc(&ctl->arena, bb_ctl_verb_n * sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < bb_ctl_verb_n; i++)
		names[i] = bb_ctl_verbs[i].name;
	nearest = bb_yaml_nearest(bb_text_of(name), names, bb_ctl_verb_n);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "no verb `%s`%s%s%s; `backbonectl help` lists them",
			   name, nearest ? "; did you mean `" : "", nearest ? nearest : "",
			   nearest ? "`?" : "");
}

static size_t option_n(const struct bb_ctl_verb *verb)
{
	size_t n = 0;

	while (verb && n < BB_CTL_OPTIONS_MAX && verb->options[n].name)
		n++;
	return n;
}

static int fail_option(struct bb_ctl *ctl, struct bb_text name)
{
	const char *names[BB_CTL_OPTIONS_MAX + GLOBAL_COUNT], *nearest;
	size_t n = 0;

	for (size_t i = 0; i < option_n(ctl->verb); i++)
		names[n++] = ctl->verb->options[i].name;
	for (size_t i = 0; i < bb_ctl_global_n; i++)
		names[n++] = bb_ctl_globals[i].name;
	nearest = bb_yaml_nearest(name, names, n);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "no option --%.*s%s%s%s; see `backbonectl help%s%s`",
			   (int)name.n, name.p, nearest ? "; did you mean --" : "",
			   nearest ? nearest : "", nearest ? "?" : "", ctl->verb ? " " : "",
			   ctl->verb ? ctl->verb->name : "");
}

/* Where the value of an option goes; NULL: there is no such option. */
static const char **option_place(struct line *line, struct bb_text name,
				 const struct bb_ctl_option **ret_option)
{
	struct bb_ctl *ctl = line->ctl;

	for (size_t i = 0; i < option_n(ctl->verb); i++) {
		*ret_option = &ctl->verb->options[i];
		if (bb_text_equal(name, bb_text_of((*ret_option)->name)))
			return &ctl->values[i];
	}
	for (size_t i = 0; i < bb_ctl_global_n; i++) {
		*ret_option = &bb_ctl_globals[i];
		if (bb_text_equal(name, bb_text_of((*ret_option)->name)))
			return &line->globals[i];
	}
	return NULL;
}

static int take_option(struct line *line)
{
	const char *word = line->argv[line->i] + 2, *equals = strchr(word, '=');
	struct bb_text name = {word, equals ? (size_t)(equals - word) : strlen(word)};
	const struct bb_ctl_option *option = NULL;
	const char **place = option_place(line, name, &option);

	if (!place)
		return fail_option(line->ctl, name);
	if (!option->arg && equals)
		return bb_ctl_fail(line->ctl, BB_CTL_USAGE, "--%s takes no value", option->name);
	if (!option->arg) {
		*place = "";
		return BB_CTL_OK;
	}
	if (!equals && line->i + 1 == line->argc)
		return bb_ctl_fail(line->ctl, BB_CTL_USAGE, "--%s needs a value: --%s %s",
				   option->name, option->name, option->arg);
	*place = equals ? equals + 1 : line->argv[++line->i];
	return BB_CTL_OK;
}

/* Whether any verb, or all, have an option of that name that takes a value. */
static bool takes_value(const char *name)
{
	for (size_t i = 0; i < bb_ctl_global_n; i++)
		if (strcmp(bb_ctl_globals[i].name, name) == 0)
			return bb_ctl_globals[i].arg;
	for (size_t v = 0; v < bb_ctl_verb_n; v++)
		for (size_t i = 0; i < option_n(&bb_ctl_verbs[v]); i++)
			if (strcmp(bb_ctl_verbs[v].options[i].name, name) == 0)
				return bb_ctl_verbs[v].options[i].arg;
	return false;
}

/* The verb is the first word that is no option nor the value of one; its options may stand before
 * it. */
static int find_verb_word(struct line *line)
{
	for (int i = 1; i < line->argc; i++) {
		const char *word = line->argv[i];

		if (strncmp(word, "--", 2) != 0 || word[2] == '\0') {
			line->ctl->verb = find_verb(word);
			return line->ctl->verb ? BB_CTL_OK : fail_verb(line->ctl, word);
		}
		if (takes_value(word + 2))
			i++;
	}
	return BB_CTL_OK;
}

static int parse(struct line *line)
{
	struct bb_ctl *ctl = line->ctl;
	bool verb_passed = false, only_args = false;
	int ret = find_verb_word(line);

	ctl->args = calloc((size_t)line->argc + 1, sizeof(*ctl->args));
	bb_assert(ctl->args);
	for (line->i = 1; ret == BB_CTL_OK && line->i < line->argc; line->i++) {
		char *word = line->argv[line->i];

		if (!only_args && strcmp(word, "--") == 0)
			only_args = true;
		else if (!only_args && strncmp(word, "--", 2) == 0)
			ret = take_option(line);
		else if (!only_args && word[0] == '-' && word[1] != '\0')
			ret = bb_ctl_fail(ctl, BB_CTL_USAGE,
					  "no option %s; options are long: --json", word);
		else if (!verb_passed)
			verb_passed = true;
		else
			ctl->args[ctl->arg_n++] = word;
	}
	return ret;
}

const char *bb_ctl_value(const struct bb_ctl *ctl, const char *option)
{
	for (size_t i = 0; i < option_n(ctl->verb); i++)
		if (strcmp(ctl->verb->options[i].name, option) == 0)
			return ctl->values[i];
	bb_assert(!"an option of the verb");
	return NULL;
}

bool bb_ctl_number(struct bb_ctl *ctl, const char *option, uint64_t fallback, uint64_t max,
		   uint64_t *ret_value)
{
	const char *text = bb_ctl_value(ctl, option);
	size_t n = text ? strspn(text, "0123456789") : 0;

	*ret_value = text ? strtoull(text, NULL, 10) : fallback;
	if (!text || (n > 0 && n < 19 && text[n] == '\0' && *ret_value <= max))
		return true;
	bb_ctl_fail(ctl, BB_CTL_USAGE, "--%s: expected a whole number of at most %llu, not `%s`",
		    option, (unsigned long long)max, text);
	return false;
}

static int check_args(struct bb_ctl *ctl)
{
	const struct bb_ctl_verb *verb = ctl->verb;

	if (ctl->arg_n >= verb->arg_min && (verb->arg_max < 0 || ctl->arg_n <= verb->arg_max))
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected `backbonectl %s%s%s`", verb->name,
			   *verb->syntax ? " " : "", verb->syntax);
}

static int run_line(struct line *line)
{
	struct bb_ctl *ctl = line->ctl;
	int ret = parse(line);

	if (ret != BB_CTL_OK)
		return ret;
	ctl->config_file = line->globals[CONFIG];
	ctl->query_path = line->globals[QUERY_SOCKET];
	ctl->admin_path = line->globals[ADMIN_SOCKET];
	ctl->json = line->globals[JSON] != NULL;
	if (line->globals[VERSION]) {
		fprintf(ctl->out, "backbonectl %s\n", BB_VERSION);
		return BB_CTL_OK;
	}
	if (line->globals[HELP]) {
		if (ctl->verb)
			bb_ctl_help_verb(ctl->verb, ctl->out);
		else
			bb_ctl_help(ctl->out);
		return BB_CTL_OK;
	}
	if (!ctl->verb) {
		bb_ctl_help(ctl->err);
		return BB_CTL_USAGE;
	}
	ret = check_args(ctl);
	return ret == BB_CTL_OK ? ctl->verb->run(ctl) : ret;
}

int bb_ctl_run(int argc, char **argv, FILE *out, FILE *err)
{
	struct bb_ctl ctl = {.out = out, .err = err};
	struct line line = {.ctl = &ctl, .argc = argc, .argv = argv};
	int ret;

	bb_arena_init(&ctl.arena);
	ret = run_line(&line);
	if (fflush(out) != 0 || ferror(out))
		ret = bb_ctl_fail(&ctl, BB_CTL_UNREACHABLE, "the answer could not be written");
	free(ctl.args);
	bb_config_free(ctl.config);
	bb_arena_fini(&ctl.arena);
	return ret;
}
