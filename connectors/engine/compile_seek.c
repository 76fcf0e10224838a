/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources that look into a list or an object: `pick`, `lookup`, `sum`. Where to look is a source
 * like any other, on the current element; what is looked at in there are paths inside an element,
 * without $.
 *
 * Mistakes inside a path are reported at their own column.
 */
#include "compile.h"
#include "path.h"

static bool read_inner(struct bb_compiler *c, const struct bb_yaml *node, struct bb_path *path)
{
	struct bb_text ignored;
	const char *wrong;
	size_t pos = 0;

	if (!bb_compile_text(c, node, "a path inside an element", &ignored))
		return false;
	if (!bb_path_read_inner(node->text, &pos, c->arena, path, &wrong))
		return bb_compile_fail_at(c, node, pos, wrong);
	if (pos < node->text.n)
		return bb_compile_fail_at(c, node, pos, "the path ends here, but more follows");
	if (bb_path_has_each(path))
		return bb_compile_fail_at(c, node, 0,
					  "no [*] and no .* here; name an index like [0]");
	return true;
}

void bb_compile_inner(struct bb_compiler *c, const struct bb_yaml *node,
		      const struct bb_option *option, void *target)
{
	(void)option;
	read_inner(c, node, target);
}

static void add_inner(struct bb_compiler *c, const struct bb_yaml *node, struct bb_paths *paths)
{
	struct bb_path path;

	if (read_inner(c, node, &path))
		BB_ARENA_PUSH(c->arena, paths->items, paths->n, paths->room) = path;
}

void bb_compile_inners(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	size_t mark;

	if (node->kind != BB_YAML_LIST) {
		add_inner(c, node, target);
		return;
	}
	if (node->n == 0)
		bb_compile_complain(c, node, "the list is empty; leave \"%s\" out", option->name);
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter_item(c, i);
		add_inner(c, node->items[i], target);
		bb_compile_leave(c, mark);
	}
}

void bb_compile_seek(struct bb_compiler *c, const struct bb_yaml *source,
		     const struct bb_seek *seek, struct bb_expr *expr)
{
	static const struct {
		const char *key;
		int kind;
	} kinds[] = {{"pick", BB_EXPR_PICK}, {"lookup", BB_EXPR_LOOKUP}, {"sum", BB_EXPR_SUM}};
	struct bb_seek *kept;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!bb_yaml_get(source, kinds[i].key))
			continue;
		kept = bb_arena_alloc(c->arena, sizeof(*kept));
		*kept = *seek;
		*expr = (struct bb_expr){.kind = kinds[i].kind, .seek = kept};
	}
}
