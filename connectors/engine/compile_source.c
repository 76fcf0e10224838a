/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that come out of a message: paths, metadata, templates, constants, conditions. Text that
 * begins with $, ^ or @ is a path; every path is checked here for what it can never lead to: more ^
 * than there are elements around, [*] outside `each`, a column that is not in the file.
 *
 * Mistakes inside a text are reported at their own column.
 */
#include <backbone/record.h>

#include "compile.h"
#include "path.h"
#include "run.h"

static const char *const meta_names[] = {
#define X(name, text) [BB_META_##name] = (text),
	BB_METAS(X)
#undef X
};

#define META_COUNT (sizeof(meta_names) / sizeof(*meta_names))

/* The place of a byte of a scalar. */
static struct bb_yaml at_byte(const struct bb_yaml *node, size_t pos)
{
	struct bb_yaml at = *node;

	at.column += node->quoted;
	for (size_t i = 0; i < pos && i < node->text.n; i++)
		at.column += ((unsigned char)node->text.p[i] & 0xc0) != 0x80;
	return at;
}

bool bb_compile_fail_at(struct bb_compiler *c, const struct bb_yaml *node, size_t pos,
			const char *wrong)
{
	struct bb_yaml at = at_byte(node, pos);

	bb_compile_complain(c, &at, "in \"%s\": %s", node->text.p, wrong);
	return false;
}

static const char *format_word(const struct bb_compiler *c)
{
	return c->connector->format == BB_FORMAT_CSV ? "csv" : "tsv";
}

bool bb_compile_column(struct bb_compiler *c, const struct bb_yaml *node, struct bb_path *path)
{
	struct bb_names columns = c->connector->columns;
	struct bb_yaml word = *node;

	if (path->up != c->ups || path->step_n != 1 || path->steps[0].kind != BB_STEP_NAME) {
		bb_compile_complain(c, node, "in format %s a path is $.column, not \"%s\"",
				    format_word(c), node->text.p);
		return false;
	}
	for (path->column = 0; path->column < columns.n; path->column++)
		if (bb_text_equal(columns.items[path->column], path->steps[0].name))
			return true;
	if (columns.n == 0)
		return true; /* the header line of a file may have it */
	word.text = path->steps[0].name;
	bb_compile_unknown(c, &word, "column", columns);
	return false;
}

/* What a path can never lead to. */
static bool check_path(struct bb_compiler *c, const struct bb_yaml *node, size_t pos,
		       struct bb_path *path)
{
	if (bb_path_has_each(path))
		return bb_compile_fail_at(
			c, node, pos,
			"[*] and .* stand in each and redact only; name an index like [0], add up "
			"with sum, or make one event per element with each");
	if (bb_connector_has_records(c->connector) && path->up >= c->ups)
		return bb_compile_column(c, node, path);
	if (path->up > c->ups)
		return bb_compile_fail_at(c, node, pos,
					  c->ups == 0
						  ? "^ is the element around, but there is no each "
						    "here; the message is $"
						  : "more ^ than there are elements around");
	c->inside |= c->ups - path->up >= c->rule_ups;
	if (path->step_n > 0 && path->steps[0].kind == BB_STEP_INDEX &&
	    path->up + c->whole == c->ups)
		c->connector->takes_list = true;
	return true;
}

static bool read_path(struct bb_compiler *c, const struct bb_yaml *node, size_t *pos,
		      struct bb_path *path)
{
	size_t from = *pos;
	const char *wrong;

	if (!bb_path_read(node->text, pos, c->arena, path, &wrong))
		return bb_compile_fail_at(c, node, *pos, wrong);
	return check_path(c, node, from, path);
}

static size_t word_bytes(struct bb_text text, size_t pos)
{
	size_t n = 1; /* the @ */

	while (pos + n < text.n &&
	       ((text.p[pos + n] >= 'a' && text.p[pos + n] <= 'z') ||
		(text.p[pos + n] >= 'A' && text.p[pos + n] <= 'Z') || text.p[pos + n] == '_'))
		n++;
	return n;
}

/* ("name") behind @header */
static bool read_header_name(struct bb_compiler *c, const struct bb_yaml *node, size_t *pos,
			     struct bb_expr *expr)
{
	struct bb_text text = node->text;
	size_t from = *pos + 2, end = from;
	char quote = from <= text.n && *pos + 1 < text.n ? text.p[*pos + 1] : '\0';

	if (*pos >= text.n || text.p[*pos] != '(' || (quote != '"' && quote != '\''))
		return bb_compile_fail_at(c, node, *pos,
					  "a header is named like @header(\"X-Topic\")");
	while (end < text.n && text.p[end] != quote)
		end++;
	if (end == from || end + 1 >= text.n || text.p[end + 1] != ')')
		return bb_compile_fail_at(c, node, end,
					  "a header is named like @header(\"X-Topic\")");
	expr->text = bb_arena_copy(c->arena, bb_text_bytes(text.p + from, end - from));
	*pos = end + 2;
	return true;
}

static bool unknown_meta(struct bb_compiler *c, const struct bb_yaml *node, size_t pos, size_t n)
{
	struct bb_names allowed = {NULL, 0, 0};
	struct bb_yaml at = at_byte(node, pos);

	for (size_t i = 0; i < META_COUNT; i++)
		BB_ARENA_PUSH(c->diagnostics->arena, allowed.items, allowed.n, allowed.room) =
			bb_text_of(meta_names[i]);
	at.text = bb_arena_copy(c->diagnostics->arena, bb_text_bytes(node->text.p + pos, n));
	bb_compile_unknown(c, &at, "metadata", allowed);
	return false;
}

static bool read_meta(struct bb_compiler *c, const struct bb_yaml *node, size_t *pos,
		      struct bb_expr *expr)
{
	size_t n = word_bytes(node->text, *pos), i = 0;
	struct bb_text word = bb_text_bytes(node->text.p + *pos, n);

	while (i < META_COUNT && !bb_text_equal(word, bb_text_of(meta_names[i])))
		i++;
	if (i == META_COUNT)
		return unknown_meta(c, node, *pos, n);
	expr->meta = (enum bb_meta)i;
	if (expr->meta == BB_META_ELEMENT && c->each_n == 0)
		return bb_compile_fail_at(c, node, *pos,
					  "@element needs each: there is one element only");
	if (expr->meta == BB_META_MEMBER && !c->in_member)
		return bb_compile_fail_at(c, node, *pos,
					  "@member needs an each with .*: it is the name there");
	if (expr->meta == BB_META_TENANT && (c->in_tenant || !c->has_tenant))
		return bb_compile_fail_at(c, node, *pos,
					  c->in_tenant
						  ? "the tenant cannot be made of itself"
						  : "the file does not say what the tenant is; add "
						    "\"tenant\" at the top");
	c->inside |= expr->meta == BB_META_TENANT; /* it may */
	*pos += n;
	return expr->meta != BB_META_HEADER || read_header_name(c, node, pos, expr);
}

static bool is_reference(struct bb_text text, size_t pos)
{
	return pos < text.n && (text.p[pos] == '$' || text.p[pos] == '^' || text.p[pos] == '@');
}

/* A path or metadata at *pos. */
static bool read_reference(struct bb_compiler *c, const struct bb_yaml *node, size_t *pos,
			   struct bb_expr *expr)
{
	if (node->text.p[*pos] == '@') {
		expr->kind = BB_EXPR_META;
		return read_meta(c, node, pos, expr);
	}
	expr->kind = BB_EXPR_PATH;
	return read_path(c, node, pos, &expr->path);
}

bool bb_compile_scalar(struct bb_compiler *c, const struct bb_yaml *node, struct bb_expr *expr)
{
	size_t pos = 0;

	if (!is_reference(node->text, 0)) {
		expr->kind = BB_EXPR_CONST;
		return bb_compile_text(c, node, "a path or a text", &expr->text);
	}
	if (!read_reference(c, node, &pos, expr))
		return false;
	if (pos < node->text.n)
		return bb_compile_fail_at(
			c, node, pos,
			"the path ends here, but more follows; for a text that begins so "
			"write {const: ...}, for text around paths {template: ...}");
	return true;
}

static void add_part(struct bb_compiler *c, struct bb_exprs *parts, struct bb_buf *literal)
{
	struct bb_expr part = {.kind = BB_EXPR_CONST};

	if (literal->n == 0)
		return;
	part.text = bb_arena_copy(c->arena, bb_buf_slice(literal));
	literal->n = 0;
	BB_ARENA_PUSH(c->arena, parts->items, parts->n, parts->room) = part;
}

/* {path}, the brace at *pos. */
static bool read_part(struct bb_compiler *c, const struct bb_yaml *node, size_t *pos,
		      struct bb_exprs *parts)
{
	struct bb_expr part = {.kind = BB_EXPR_PATH};

	++*pos;
	if (!is_reference(node->text, *pos))
		return bb_compile_fail_at(c, node, *pos,
					  "a path must follow {; write {{ for the brace itself");
	if (!read_reference(c, node, pos, &part))
		return false;
	if (*pos >= node->text.n || node->text.p[*pos] != '}')
		return bb_compile_fail_at(c, node, *pos, "} is missing after the path");
	++*pos;
	BB_ARENA_PUSH(c->arena, parts->items, parts->n, parts->room) = part;
	return true;
}

static bool read_template(struct bb_compiler *c, const struct bb_yaml *node, struct bb_exprs *parts,
			  struct bb_buf *literal)
{
	struct bb_text text = node->text;
	size_t pos = 0;

	while (pos < text.n) {
		char byte = text.p[pos];
		bool twice = pos + 1 < text.n && text.p[pos + 1] == byte;

		if (byte == '{' && !twice) {
			add_part(c, parts, literal);
			if (!read_part(c, node, &pos, parts))
				return false;
			continue;
		}
		if (byte == '}' && !twice)
			return bb_compile_fail_at(c, node, pos,
						  "} without {; write }} for the brace itself");
		bb_buf_byte(literal, byte);
		pos += byte == '{' || byte == '}' ? 2 : 1;
	}
	add_part(c, parts, literal);
	return true;
}

void bb_compile_template(struct bb_compiler *c, const struct bb_yaml *node,
			 const struct bb_option *option, void *target)
{
	struct bb_buf literal = BB_BUF_EMPTY;
	struct bb_expr *expr = target;
	struct bb_text ignored;

	(void)option;
	expr->kind = BB_EXPR_TEMPLATE;
	if (bb_compile_text(c, node, "a text with {paths}", &ignored))
		read_template(c, node, &expr->list, &literal);
	bb_buf_fini(&literal);
}

static const struct bb_time_plan *own_time(struct bb_compiler *c, const struct bb_yaml *node,
					   const struct bb_source_map *map)
{
	struct bb_expr inside = {.kind = BB_EXPR_PARSE, .list = map->at.from, .parse = map->parse};
	struct bb_time_plan *plan = bb_arena_alloc(c->arena, sizeof(*plan));
	struct bb_exprs *from = &plan->from;

	*plan = map->at;
	if (map->parse) { /* it is in the text, too */
		*from = (struct bb_exprs){NULL, 0, 0};
		BB_ARENA_PUSH(c->arena, from->items, from->n, from->room) = inside;
	}
	if (!plan->zone)
		plan->zone = c->defaults.zone;
	if (!c->at_allowed) {
		size_t mark = bb_compile_enter(c, BB_TEXT("at"));

		bb_compile_complain(c, bb_yaml_get(node, "at"),
				    "only for attributes: the time of their value");
		bb_compile_leave(c, mark);
	}
	return plan;
}

/* {const: ...}, {template: ...}, {from: ...}, {pick: ...} ..., with changes or without. */
static void compile_map(struct bb_compiler *c, const struct bb_yaml *node, struct bb_expr *expr)
{
	struct bb_source_map map = {.template = {.kind = BB_EXPR_TEMPLATE}};
	struct bb_expr inner = {.kind = BB_EXPR_CONST};
	unsigned ups = c->ups;
	bool at_allowed = c->at_allowed;

	c->at_allowed = false; /* a source in a source is no attribute */
	bb_compile_section(c, node, BB_IN_SOURCE, &map);
	c->ups = ups;
	c->at_allowed = at_allowed;
	inner.text = map.constant;
	if (map.template.list.n > 0)
		inner = map.template;
	bb_compile_seek(c, node, &map.seek, &inner);
	if (map.parse) {
		inner = (struct bb_expr){
			.kind = BB_EXPR_PARSE, .list = map.from, .parse = map.parse};
		map.from.n = 0;
	}
	*expr = inner;
	if (map.from.n > 0 || bb_change_any(&map.change))
		*expr = (struct bb_expr){
			.kind = BB_EXPR_FROM, .list = map.from, .change = map.change};
	if (expr->kind == BB_EXPR_FROM && map.from.n == 0) {
		expr->list = (struct bb_exprs){NULL, 0, 0};
		BB_ARENA_PUSH(c->arena, expr->list.items, expr->list.n, expr->list.room) = inner;
	}
	if (bb_yaml_get(node, "at"))
		expr->at = own_time(c, node, &map);
}

static const struct bb_origin *origin_of(struct bb_compiler *c, const struct bb_yaml *node,
					 struct bb_text path)
{
	struct bb_origin *origin = bb_arena_zalloc(c->arena, sizeof(*origin));
	bool map = node->kind == BB_YAML_MAP && node->n > 0;

	origin->path = bb_arena_copy(c->arena, path);
	origin->text = map ? bb_arena_printf(c->arena, "{%s: ...}", node->keys[0]->text.p)
			   : bb_arena_copy(c->arena, node->text);
	origin->line = node->line;
	origin->column = node->column;
	return origin;
}

/* One source; `path`: of the list it is in. False: complained. */
static bool compile_source(struct bb_compiler *c, const struct bb_yaml *node, struct bb_text path,
			   struct bb_expr *expr)
{
	size_t before = c->diagnostics->found;

	*expr = (struct bb_expr){.kind = BB_EXPR_CONST};
	if (node->kind == BB_YAML_MAP)
		compile_map(c, node, expr);
	else if (node->kind == BB_YAML_LIST)
		bb_compile_complain(c, node, "a list in a list; write one list of sources");
	else
		bb_compile_scalar(c, node, expr);
	expr->origin = origin_of(c, node, path);
	return c->diagnostics->found == before;
}

static void add_source(struct bb_compiler *c, const struct bb_yaml *node, struct bb_text path,
		       struct bb_exprs *list)
{
	struct bb_expr expr;

	if (compile_source(c, node, path, &expr))
		BB_ARENA_PUSH(c->arena, list->items, list->n, list->room) = expr;
}

static void add_sources(struct bb_compiler *c, const struct bb_yaml *node, struct bb_exprs *list)
{
	struct bb_text path = bb_buf_slice(&c->path);
	size_t mark;

	if (node->kind != BB_YAML_LIST) {
		add_source(c, node, path, list);
		return;
	}
	path = bb_arena_copy(c->arena, path); /* that of the compiler moves */
	if (node->n == 0)
		bb_compile_complain(c, node, "the list of sources is empty");
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter_item(c, i);
		add_source(c, node->items[i], path, list);
		bb_compile_leave(c, mark);
	}
}

void bb_compile_sources(struct bb_compiler *c, const struct bb_yaml *node,
			const struct bb_option *option, void *target)
{
	unsigned each_n = c->each_n, ups = c->ups;
	bool in_member = c->in_member;

	if (option->place != BB_IN_FILE) {
		add_sources(c, node, target);
		return;
	}
	c->in_tenant = true; /* found for the elements of every rule */
	c->each_n = c->each_most;
	c->in_member = c->any_member;
	c->ups = c->ups_most;
	add_sources(c, node, target);
	c->in_tenant = false;
	c->each_n = each_n;
	c->in_member = in_member;
	c->ups = ups;
}

static void compile_condition(struct bb_compiler *c, const struct bb_yaml *key,
			      const struct bb_yaml *value, struct bb_conditions *list)
{
	struct bb_condition condition = {.kind = BB_CONDITION_EQUALS};
	struct bb_option any = {.place = BB_IN_EVENT};
	size_t mark = bb_compile_enter(c, key->text);

	c->inside = false;
	c->rule_ups = c->ups;
	if (!is_reference(key->text, 0))
		bb_compile_complain(c, key,
				    "\"%s\" is no path; a condition is a path ($.status) and the "
				    "value that it must have",
				    key->text.p);
	else
		bb_compile_scalar(c, key, &condition.subject);
	condition.subject.origin = origin_of(c, key, bb_buf_slice(&c->path));
	if (value->kind == BB_YAML_SCALAR && bb_text_equal(value->text, BB_TEXT("exists")))
		condition.kind = BB_CONDITION_EXISTS;
	else if (value->kind == BB_YAML_SCALAR && bb_text_equal(value->text, BB_TEXT("absent")))
		condition.kind = BB_CONDITION_ABSENT;
	else
		bb_compile_sources(c, value, &any, &condition.words);
	condition.inside = c->inside;
	BB_ARENA_PUSH(c->arena, list->items, list->n, list->room) = condition;
	bb_compile_leave(c, mark);
}

void bb_compile_conditions(struct bb_compiler *c, const struct bb_yaml *node,
			   const struct bb_option *option, void *target)
{
	(void)option;
	if (node->kind != BB_YAML_MAP || node->n == 0) {
		bb_compile_complain(c, node,
				    "must be a map of paths and values, e.g. {'$.type': order}");
		return;
	}
	for (size_t i = 0; i < node->n; i++)
		compile_condition(c, node->keys[i], node->items[i], target);
}

void bb_compile_attributes(struct bb_compiler *c, const struct bb_yaml *node,
			   const struct bb_option *option, void *target)
{
	struct bb_attribute_plans *list = target;
	struct bb_attribute_plan plan;
	size_t mark;

	if (node->kind != BB_YAML_MAP || node->n == 0) {
		bb_compile_complain(c, node,
				    "must be a map of names and sources, e.g. {first_name: "
				    "'$.customer.first_name'}");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter(c, node->keys[i]->text);
		plan = (struct bb_attribute_plan){.name = {NULL, 0}};
		plan.name = bb_arena_copy(c->arena, node->keys[i]->text);
		if (plan.name.n == 0 || plan.name.n > BB_EVENT_TEXT_MAX)
			bb_compile_complain(c, node->keys[i],
					    "the name of an attribute has 1 to 256 bytes");
		c->at_allowed = true;
		bb_compile_sources(c, node->items[i], option, &plan.from);
		c->at_allowed = false;
		BB_ARENA_PUSH(c->arena, list->items, list->n, list->room) = plan;
		bb_compile_leave(c, mark);
	}
}

void bb_compile_status(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	struct bb_consent_plan *plan = target;
	struct bb_expr *status;

	if (node->kind == BB_YAML_MAP) {
		bb_compile_section(c, node, BB_IN_STATUS, plan);
		return;
	}
	bb_compile_sources(c, node, option, &plan->status);
	for (size_t i = 0; i < plan->status.n; i++) {
		status = &plan->status.items[i];
		if (status->kind != BB_EXPR_CONST ||
		    (!bb_text_equal(status->text, BB_TEXT("granted")) &&
		     !bb_text_equal(status->text, BB_TEXT("denied"))))
			bb_compile_complain(c, node,
					    "must be granted, denied, or a map that says which "
					    "values mean what: {from: '$.accepts', granted: "
					    "['true'], denied: ['false']}");
	}
}

static unsigned count_each(const struct bb_path *path)
{
	unsigned n = 0;

	for (size_t i = 0; i < path->step_n; i++)
		n += bb_path_walks(&path->steps[i]);
	return n;
}

bool bb_compile_top_path(struct bb_compiler *c, const struct bb_yaml *node, struct bb_path *path)
{
	struct bb_text ignored;
	const char *wrong;
	size_t pos = 0;

	if (!bb_compile_text(c, node, "a path", &ignored))
		return false;
	if (!bb_path_read(node->text, &pos, c->arena, path, &wrong))
		return bb_compile_fail_at(c, node, pos, wrong);
	if (pos < node->text.n)
		return bb_compile_fail_at(c, node, pos, "the path ends here, but more follows");
	if (path->up > 0)
		return bb_compile_fail_at(c, node, 0,
					  "this path begins at the top of the message: $");
	return true;
}

/* Of several `each` the one whose turn it is; NULL: complained. */
static const struct bb_yaml *one_each(struct bb_compiler *c, const struct bb_yaml *node)
{
	const struct bb_yaml *one = node;

	if (node->kind != BB_YAML_LIST)
		return node;
	if (node->n == 0) {
		bb_compile_complain(c, node, "the list is empty; leave \"each\" out");
		return NULL;
	}
	one = node->items[c->each_at];
	for (size_t i = 0; i < c->each_at; i++)
		if (bb_text_equal(node->items[i]->text, one->text)) {
			bb_compile_complain(c, one, "\"%s\" is in \"each\" twice", one->text.p);
			return NULL;
		}
	return one;
}

void bb_compile_each(struct bb_compiler *c, const struct bb_yaml *node,
		     const struct bb_option *option, void *target)
{
	bool several = node->kind == BB_YAML_LIST;
	struct bb_path *path = target;
	unsigned n;

	(void)option;
	node = one_each(c, node);
	if (!node || !bb_compile_top_path(c, node, path) || (several && path->step_n == 0))
		return;
	c->each_origin = origin_of(c, node, bb_text_of(c->path.p));
	n = count_each(path);
	if (bb_connector_has_records(c->connector)) {
		bb_compile_complain(c, node, "in format %s a message is one record: no each",
				    format_word(c));
		return;
	}
	if (n == 0 || !bb_path_walks(&path->steps[path->step_n - 1]))
		bb_compile_complain(
			c, node,
			"must be a path that ends with [*], e.g. '$.events[*]', or with .*, "
			"where the elements are the members of an object");
	else if (n > BB_PLAN_EACH_MAX)
		bb_compile_complain(c, node, "more than 8 [*] and .*");
	c->each_n = n;
	for (size_t i = 0; i < path->step_n; i++)
		c->in_member |= path->steps[i].kind == BB_STEP_MEMBERS;
	c->ups = c->whole + n;
	if (path->step_n > 0 &&
	    (path->steps[0].kind == BB_STEP_EACH || path->steps[0].kind == BB_STEP_INDEX))
		c->connector->takes_list = true;
}
