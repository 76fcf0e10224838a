/* SPDX-License-Identifier: Apache-2.0 */
/* One arena and one list of diagnostics a test process; Criterion gives each test its own. */
#include "helpers.h"

static struct bb_arena arena;
static struct bb_diagnostics diagnostics;
static struct bb_buf printed, shaped;

struct bb_yaml *read_text(struct bb_text text)
{
	diagnostics = (struct bb_diagnostics){.arena = &arena};
	return bb_yaml_read("t.yaml", text, &diagnostics);
}

const char *complaints(void)
{
	printed.n = 0;
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], &printed);
		bb_buf_byte(&printed, '\n');
	}
	bb_buf_byte(&printed, '\0');
	return printed.p;
}

static void print_node(const struct bb_yaml *node)
{
	if (node->kind == BB_YAML_SCALAR) {
		bb_buf_printf(&shaped, node->quoted ? "\"%s\"" : "%s", node->text.p);
		return;
	}
	bb_buf_byte(&shaped, node->kind == BB_YAML_LIST ? '[' : '{');
	for (size_t i = 0; i < node->n; i++) {
		if (i)
			bb_buf_byte(&shaped, ',');
		if (node->kind == BB_YAML_MAP)
			bb_buf_printf(&shaped, "%s:", node->keys[i]->text.p);
		print_node(node->items[i]);
	}
	bb_buf_byte(&shaped, node->kind == BB_YAML_LIST ? ']' : '}');
}

const char *shape(const struct bb_yaml *node)
{
	shaped.n = 0;
	print_node(node);
	bb_buf_byte(&shaped, '\0');
	return shaped.p;
}
