/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options, conf/backbone.yaml and the manual's reference are in step. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "helpers.h"
#include "option.h"

#define SHIPPED BB_SOURCE_DIR "/conf/backbone.yaml"

static char *shipped(void)
{
	static char text[65536];
	FILE *file = fopen(SHIPPED, "r");
	size_t n;

	cr_assert_not_null(file);
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	cr_assert_lt(n, sizeof text - 1);
	text[n] = '\0';
	return text;
}

/* Takes the `#` from `#key` and `#- key`; prose, which has a blank behind it, stays. */
static char *switched_on(char *text)
{
	for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *p = line + strspn(line, " ");

		if (*p == '#' && (islower((unsigned char)p[1]) || p[1] == '-'))
			*p = ' ';
	}
	return text;
}

/* A line that was switched on is one column to the right of those beside it; put it back. */
static char *aligned(char *text)
{
	static char out[65536];
	size_t n = 0;

	for (char *line = text, *end; *line; line = end + (*end == '\n')) {
		size_t blanks = strspn(line, " ");

		end = line + strcspn(line, "\n");
		n += (size_t)snprintf(out + n, sizeof out - n, "%.*s\n",
				      (int)(end - line) - (int)(blanks % 2), line + blanks % 2);
	}
	return out;
}

static void prepare(void)
{
	setenv("CREDENTIALS_DIRECTORY", folder(), 1);
	file_write("profile-key", "00112233445566778899aabbccddeeff\n");
	file_write("connectors/none", "");
	file_write("history/none", "");
}

Test(config, table_the_shipped_file_loads)
{
	struct bb_config *config = NULL;

	prepare();
	cr_assert_eq(load_file(SHIPPED, &config), BB_OK, "%s%s", load_error(), complaints());
	bb_config_free(config);
}

Test(config, table_the_shipped_file_loads_with_everything_switched_on)
{
	struct bb_config *config;

	prepare();
	config = load(aligned(switched_on(shipped())));
	cr_assert_not_null(config, "%s", complaints());
	bb_config_free(config);
}

/* The node of an option; of a list's members the last one that has it. */
static const struct bb_yaml *find(const struct bb_yaml *root, const char *path)
{
	const char *members = strstr(path, "[].");
	const struct bb_yaml *list, *found = NULL;
	char head[100];

	if (!members)
		return bb_schema_node(root, path);
	snprintf(head, sizeof head, "%.*s", (int)(members - path), path);
	list = bb_schema_node(root, head);
	cr_assert(list && list->kind == BB_YAML_LIST, "%s", head);
	for (size_t i = 0; i < list->n; i++)
		if (bb_schema_node(list->items[i], members + 3))
			found = bb_schema_node(list->items[i], members + 3);
	return found;
}

Test(config, table_the_shipped_file_has_every_option_with_its_default)
{
	/* where the file shows an example, or sets what is right for the package */
	static const char *const others[] = {"kafka.brokers", "serve.query.group",
					     "serve.admin.group", "identity.namespaces[].region",
					     "identity.namespaces[].durable"};
	struct bb_arena arena;
	struct bb_diagnostics diagnostics = {.arena = &arena};
	const struct bb_yaml *root;

	prepare();
	bb_arena_init(&arena);
	root = bb_yaml_read(SHIPPED, bb_text_of(aligned(switched_on(shipped()))), &diagnostics);
	cr_assert_not_null(root);
	for (size_t i = 0; i < bb_option_n; i++) {
		const struct bb_option *option = &bb_options[i];
		const struct bb_yaml *node = find(root, option->path);
		bool other = false;

		cr_assert_not_null(node, "%s is not in %s", option->path, SHIPPED);
		for (size_t k = 0; k < sizeof others / sizeof *others; k++)
			other = other || strcmp(option->path, others[k]) == 0;
		if (!other && option->fallback && *option->fallback && !strstr(option->path, "[]"))
			cr_assert_str_eq(node->text.p, option->fallback, "%s", option->path);
	}
	bb_arena_fini(&arena);
}

Test(config, table_rows_are_complete)
{
	for (size_t i = 0; i < bb_option_n; i++) {
		const struct bb_option *option = &bb_options[i];
		size_t n = strlen(option->help);

		cr_assert(n > 5 && option->help[n - 1] == '.', "%s", option->path);
		cr_assert(islower((unsigned char)*option->path), "%s", option->path);
		cr_assert_leq(option->least, option->most, "%s", option->path);
		if (option->type == BB_OPTION_TEXT || option->type == BB_OPTION_TEXTS ||
		    option->type == BB_OPTION_RULES || option->type == BB_OPTION_KAFKA)
			cr_assert_not_null(option->example, "%s", option->path);
		cr_assert_eq(option->type == BB_OPTION_WORD, option->words != NULL, "%s",
			     option->path);
		for (size_t k = 0; k < i; k++)
			cr_assert_str_neq(option->path, bb_options[k].path);
	}
}

Test(config, table_the_reference_has_every_option)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	bb_config_reference(&buf);
	bb_buf_byte(&buf, '\0');
	for (size_t i = 0; i < bb_option_n; i++) {
		char row[200];

		snprintf(row, sizeof row,
			 bb_options[i].type == BB_OPTION_SECTION ? "`%s`" : "\n| `%s` | ",
			 bb_options[i].path);
		cr_assert_not_null(strstr(buf.p, row), "%s", row);
		cr_assert_not_null(strstr(buf.p, bb_options[i].help), "%s", bb_options[i].path);
	}
	cr_assert_not_null(strstr(buf.p, "| `batch.events` | `20000` | a whole number from 1 to "
					 "1000000 | Messages in a batch. |\n"),
			   "%s", buf.p);
	cr_assert_not_null(strstr(buf.p, "tr -d ' ' |"), "%s", buf.p);
	cr_assert_not_null(strstr(buf.p, "/dev/urandom \\| tr"), "a bar would end the cell");
	bb_buf_fini(&buf);
}
