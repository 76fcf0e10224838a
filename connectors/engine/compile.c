/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a connector file to a plan: the YAML tree is walked along the table of options (schema.c).
 * Keys that are not in the table are complained about; those that are go to the reader of their
 * type, which fills a field of the plan; then what the keys of a map say together is checked. At
 * last the event rules are grouped by the elements they look at.
 *
 * Every mistake is a diagnostic with its place, and reading goes on, so that all are seen at once;
 * they come out in the order of the file. With any of them there is no plan.
 */
#include "compile.h"

#include <backbone/assert.h>

#include <stdarg.h>
#include <stdio.h>

#include "path.h"

#define LISTED_MAX 40  /* words in one message */
#define RULES_MAX 5000 /* they are compared with one another */
#define PLAN_BYTES_MAX ((size_t)256 << 20)

void bb_compile_complain(struct bb_compiler *c, const struct bb_yaml *node, const char *fmt, ...)
{
	struct bb_buf message = BB_BUF_EMPTY;
	va_list args;

	va_start(args, fmt);
	bb_buf_vprintf(&message, fmt, args);
	va_end(args);
	bb_yaml_complain(c->file, node, c->path.p, c->diagnostics, "%s", message.p);
	bb_buf_fini(&message);
}

void bb_compile_leave(struct bb_compiler *c, size_t mark)
{
	c->path.n = mark;
	*bb_buf_reserve(&c->path, 1) = '\0';
}

size_t bb_compile_enter(struct bb_compiler *c, struct bb_text key)
{
	size_t mark = c->path.n;

	if (mark > 0)
		bb_buf_byte(&c->path, '.');
	bb_buf_text(&c->path, key);
	bb_compile_leave(c, c->path.n);
	return mark;
}

size_t bb_compile_enter_item(struct bb_compiler *c, size_t i)
{
	size_t mark = c->path.n;

	bb_buf_printf(&c->path, "[%zu]", i);
	bb_compile_leave(c, c->path.n);
	return mark;
}

/* Room for one more item of `bytes` in a list of the plan (items, n, room), zeroed. */
static void *push(struct bb_compiler *c, void *list, size_t bytes)
{
	struct {
		char *items;
		size_t n, room;
	} seen; /* as every list of the plan is laid out */
	char *item;

	memcpy(&seen, list, sizeof(seen));
	if (seen.n == seen.room)
		seen.items = bb_arena_grow(c->arena, seen.items, seen.n, &seen.room, bytes);
	item = memset(seen.items + seen.n * bytes, 0, bytes);
	seen.n++;
	memcpy(list, &seen, sizeof(seen));
	return item;
}

struct bb_names bb_compile_words(struct bb_compiler *c, const char *words)
{
	struct bb_arena *arena = c->diagnostics->arena;
	struct bb_names names = {NULL, 0, 0};

	while (words && *words) {
		size_t n = strcspn(words, " ");

		BB_ARENA_PUSH(arena, names.items, names.n, names.room) =
			bb_arena_copy(arena, bb_text_bytes(words, n));
		words += n + (words[n] == ' ');
	}
	return names;
}

/* a, b, c */
static void list_words(struct bb_names names, struct bb_buf *buf)
{
	for (size_t i = 0; i < names.n && i < LISTED_MAX; i++)
		bb_buf_printf(buf, "%s%s", i > 0 ? ", " : "", names.items[i].p);
	if (names.n > LISTED_MAX)
		bb_buf_printf(buf, " and %zu more", names.n - LISTED_MAX);
	bb_buf_byte(buf, '\0');
}

void bb_compile_unknown(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
			struct bb_names allowed)
{
	struct bb_arena *arena = c->diagnostics->arena;
	const char **words = bb_arena_alloc(arena, (allowed.n + 1) * sizeof(*words));

	for (size_t i = 0; i < allowed.n; i++)
		words[i] = allowed.items[i].p;
	bb_compile_unknown_near(c, node, what, allowed,
				bb_yaml_nearest(node->text, words, allowed.n));
}

void bb_compile_unknown_near(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
			     struct bb_names allowed, const char *nearest)
{
	struct bb_buf list = BB_BUF_EMPTY;

	list_words(allowed, &list);
	bb_compile_complain(c, node, "unknown %s \"%s\"; allowed: %s%s%s%s", what, node->text.p,
			    list.p, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			    nearest ? "\"?" : "");
	bb_buf_fini(&list);
}

bool bb_compile_text(struct bb_compiler *c, const struct bb_yaml *node, const char *what,
		     struct bb_text *ret_text)
{
	if (node->kind != BB_YAML_SCALAR || node->text.n == 0) {
		bb_compile_complain(c, node, "must be %s, not %s", what,
				    node->kind == BB_YAML_LIST	? "a list"
				    : node->kind == BB_YAML_MAP ? "a map"
								: "empty");
		return false;
	}
	*ret_text = bb_arena_copy(c->arena, node->text);
	return true;
}

static void compile_sub_section(struct bb_compiler *c, const struct bb_yaml *node,
				const struct bb_option *option, void *target)
{
	bb_compile_section(c, node, option->section,
			   option->section == BB_IN_DEFAULTS ? (void *)&c->defaults : target);
}

/* Whether there is room for a rule with so many `each`. */
static bool check_room(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_event_plans *list, size_t n)
{
	bool was_full = c->is_full;

	c->is_full = was_full || list->n + n > RULES_MAX || c->arena->total_bytes > PLAN_BYTES_MAX;
	if (c->is_full && !was_full)
		bb_compile_complain(c, node,
				    "too large: a connector has at most %d rules (counted once for "
				    "each \"each\") and %zu MiB; make several, each for some of "
				    "the topics",
				    RULES_MAX, PLAN_BYTES_MAX >> 20);
	return !c->is_full;
}

/* A rule, once for each of its `each`; paths in it must hold for all of them. */
static void compile_rule(struct bb_compiler *c, const struct bb_yaml *node, size_t row,
			 struct bb_event_plans *list)
{
	const struct bb_yaml *each = node->kind == BB_YAML_MAP ? bb_yaml_get(node, "each") : NULL;
	size_t n = each && each->kind == BB_YAML_LIST && each->n > 0 ? each->n : 1;

	if (!check_room(c, node, list, n))
		return;
	for (c->each_at = 0; c->each_at < n && check_room(c, node, list, 1); c->each_at++) {
		struct bb_event_plan *rule = push(c, list, sizeof(*rule));

		rule->row = row;
		c->each_origin = NULL;
		bb_compile_section(c, node, BB_IN_EVENT, rule);
		rule->each_origin = c->each_origin;
	}
}

static void compile_item(struct bb_compiler *c, const struct bb_yaml *node,
			 const struct bb_option *option, size_t i, void *target)
{
	size_t bytes = bb_schema_item_bytes(option->section);

	if (option->section == BB_IN_EVENT)
		compile_rule(c, node, i, target);
	else
		bb_compile_section(c, node, option->section, push(c, target, bytes));
}

static void compile_sections(struct bb_compiler *c, const struct bb_yaml *node,
			     const struct bb_option *option, void *target)
{
	size_t mark;

	if (node->kind != BB_YAML_LIST) {
		compile_item(c, node, option, 0, target);
		return;
	}
	if (node->n == 0)
		bb_compile_complain(c, node, "the list is empty; leave \"%s\" out", option->name);
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter_item(c, i);
		compile_item(c, node->items[i], option, i, target);
		bb_compile_leave(c, mark);
	}
}

static bb_compile_fn *const readers[BB_TYPE_COUNT] = {
	[BB_TYPE_NAME] = bb_compile_name,
	[BB_TYPE_TEXT] = bb_compile_plain,
	[BB_TYPE_FLAG] = bb_compile_flag,
	[BB_TYPE_CHOICE] = bb_compile_choice,
	[BB_TYPE_TOPICS] = bb_compile_topics,
	[BB_TYPE_NAMES] = bb_compile_names,
	[BB_TYPE_REGION] = bb_compile_region,
	[BB_TYPE_ZONE] = bb_compile_zone,
	[BB_TYPE_CURRENCY] = bb_compile_currency,
	[BB_TYPE_NAMESPACE] = bb_compile_namespace,
	[BB_TYPE_TIME_FORM] = bb_compile_time_form,
	[BB_TYPE_EACH] = bb_compile_each,
	[BB_TYPE_REDACT] = bb_compile_redact,
	[BB_TYPE_SOURCES] = bb_compile_sources,
	[BB_TYPE_TEMPLATE] = bb_compile_template,
	[BB_TYPE_INNER] = bb_compile_inner,
	[BB_TYPE_INNERS] = bb_compile_inners,
	[BB_TYPE_CONDITIONS] = bb_compile_conditions,
	[BB_TYPE_ATTRIBUTES] = bb_compile_attributes,
	[BB_TYPE_WORD_MAP] = bb_compile_word_map,
	[BB_TYPE_DIGITS] = bb_compile_digits,
	[BB_TYPE_STATUS] = bb_compile_status,
	[BB_TYPE_SECTION] = compile_sub_section,
	[BB_TYPE_SECTIONS] = compile_sections,
	[BB_TYPE_UNWRAP] = bb_compile_unwrap,
	[BB_TYPE_PARSE] = bb_compile_parse,
};

/* The keys of a place, for messages. */
static struct bb_names keys_of(struct bb_compiler *c, enum bb_place place)
{
	struct bb_arena *arena = c->diagnostics->arena;
	struct bb_names names = {NULL, 0, 0};
	const struct bb_option *options;
	size_t n;

	options = bb_schema_options(&n);
	for (size_t i = 0; i < n; i++)
		if (options[i].place == place)
			BB_ARENA_PUSH(arena, names.items, names.n, names.room) =
				bb_text_of(options[i].name);
	return names;
}

static void check_keys(struct bb_compiler *c, const struct bb_yaml *node, enum bb_place place)
{
	for (size_t i = 0; i < node->n && !bb_yaml_has_told(c->diagnostics); i++) {
		size_t mark;

		if (bb_schema_find(place, node->keys[i]->text))
			continue;
		mark = bb_compile_enter(c, node->keys[i]->text);
		bb_compile_unknown(c, node->keys[i], "key", keys_of(c, place));
		bb_compile_leave(c, mark);
	}
}

static void read_option(struct bb_compiler *c, const struct bb_yaml *map,
			const struct bb_option *option, void *target)
{
	const struct bb_yaml *value = bb_yaml_get(map, option->name);
	size_t mark;

	if (!value) {
		if (option->required)
			bb_compile_complain(c, map, "\"%s\" is missing: %s", option->name,
					    option->help);
		return;
	}
	mark = bb_compile_enter(c, bb_text_of(option->name));
	readers[option->type](c, value, option, (char *)target + option->offset);
	bb_compile_leave(c, mark);
}

void bb_compile_section(struct bb_compiler *c, const struct bb_yaml *node, enum bb_place place,
			void *target)
{
	const struct bb_option *options;
	size_t n;

	if (node->kind != BB_YAML_MAP) {
		struct bb_buf list = BB_BUF_EMPTY;

		list_words(keys_of(c, place), &list);
		bb_compile_complain(c, node, "must be a map with keys of these: %s", list.p);
		bb_buf_fini(&list);
		return;
	}
	if (bb_yaml_has_told(c->diagnostics))
		return;
	check_keys(c, node, place);
	options = bb_schema_options(&n);
	for (size_t i = 0; i < n; i++)
		if (options[i].place == place)
			read_option(c, node, &options[i], target);
	bb_compile_check(c, node, place, target);
}

/* Rules with the same `each` look at the same elements. */
static void add_to_group(struct bb_connector *connector, const struct bb_event_plan *rule)
{
	struct bb_arena *arena = &connector->arena;
	struct bb_group *group = NULL;

	for (size_t i = 0; i < connector->group_n && !group; i++)
		if (bb_path_equal(&connector->groups[i].each, &rule->each))
			group = &connector->groups[i];
	if (!group) {
		group = &BB_ARENA_PUSH(arena, connector->groups, connector->group_n,
				       connector->group_room);
		*group = (struct bb_group){.each = rule->each};
	}
	BB_ARENA_PUSH(arena, group->rules, group->rule_n, group->rule_room) = rule;
}

static void make_groups(struct bb_connector *connector)
{
	struct bb_group *a, *b;

	for (size_t i = 0; i < connector->events.n; i++) {
		add_to_group(connector, &connector->events.items[i]);
		connector->ids_may_meet |= connector->events.items[i].goes_on;
	}
	connector->ids_may_meet |= connector->group_n > 1;
	for (size_t i = 0; i < connector->group_n; i++) {
		a = &connector->groups[i];
		for (size_t k = 0; k < connector->group_n; k++) {
			b = &connector->groups[k];
			a->quiet |= k != i && bb_path_begins(&b->each, &a->each);
		}
	}
}

/* Diagnostics from `from` on in the order of the file; there are few. The one that says that there
 * are more stays behind. */
static void sort_diagnostics(struct bb_diagnostics *diagnostics, size_t from)
{
	size_t n = diagnostics->n < BB_DIAGNOSTICS_MAX ? diagnostics->n : BB_DIAGNOSTICS_MAX;

	for (size_t i = from + 1; i < n; i++) {
		struct bb_diagnostic moved = diagnostics->items[i];
		size_t k = i;

		for (; k > from; k--) {
			const struct bb_diagnostic *before = &diagnostics->items[k - 1];

			if (before->line < moved.line ||
			    (before->line == moved.line && before->column <= moved.column))
				break;
			diagnostics->items[k] = *before;
		}
		diagnostics->items[k] = moved;
	}
}

static bool is_same(const struct bb_diagnostic *a, const struct bb_diagnostic *b)
{
	return a->line == b->line && a->column == b->column && strcmp(a->message, b->message) == 0;
}

/* A rule with several `each` is read several times, and so is what is wrong in it. */
static void drop_repeated(struct bb_diagnostics *diagnostics, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < diagnostics->n; i++) {
		size_t k = from;

		while (k < kept && !is_same(&diagnostics->items[k], &diagnostics->items[i]))
			k++;
		if (k == kept)
			diagnostics->items[kept++] = diagnostics->items[i];
	}
	diagnostics->found -= diagnostics->n - kept;
	diagnostics->n = kept;
}

struct bb_connector *bb_connector_compile(const char *file, struct bb_text text,
					  const struct bb_rules *rules,
					  struct bb_diagnostics *diagnostics)
{
	struct bb_yaml *root = bb_yaml_read(file, text, diagnostics);
	struct bb_connector *connector = bb_connector_direct(NULL, 0);
	struct bb_compiler c = {.file = file,
				.rules = rules,
				.diagnostics = diagnostics,
				.connector = connector,
				.arena = &connector->arena,
				.path = BB_BUF_EMPTY};
	size_t before = diagnostics->n, found = diagnostics->found;

	connector->name = connector->channel = (struct bb_text){NULL, 0};
	connector->format = BB_FORMAT_JSON;
	if (root) {
		bb_compile_leave(&c, 0);
		c.has_tenant = bb_yaml_get(root, "tenant") != NULL;
		bb_compile_section(&c, root, BB_IN_FILE, connector);
		sort_diagnostics(diagnostics, before);
		drop_repeated(diagnostics, before);
	}
	bb_buf_fini(&c.path);
	if (!root || diagnostics->found > found || bb_yaml_has_told(diagnostics)) {
		bb_connector_free(connector);
		return NULL;
	}
	bb_compile_redacted_tops(&c);
	make_groups(connector);
	if (connector->format == BB_FORMAT_JSON && connector->unwrap.n == 0)
		bb_project(connector);
	return connector;
}
