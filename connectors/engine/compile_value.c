/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that are what they are in every message: names, words, zones, currencies, namespaces. One
 * function a type of the table; each fills its field, or complains and leaves it empty.
 */
#include <backbone/normalise.h>
#include <backbone/rules.h>

#include "compile.h"
#include "money.h"

#define TOPIC_BYTES_MAX 249 /* Kafka's own limit */
#define TOPICS_MAX 10000
#define COLUMNS_MAX 10000
#define DIGITS_MAX 6 /* behind the point of an amount */

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* [a-z][a-z0-9 and `more`]* of at most `most` bytes */
static bool is_word(struct bb_text text, const char *more, size_t most)
{
	if (text.n == 0 || text.n > most || !is_lower(text.p[0]))
		return false;
	for (size_t i = 1; i < text.n; i++)
		if (!is_lower(text.p[i]) && !is_digit(text.p[i]) && !strchr(more, text.p[i]))
			return false;
	return true;
}

void bb_compile_name(struct bb_compiler *c, const struct bb_yaml *node,
		     const struct bb_option *option, void *target)
{
	struct bb_text *name = target;

	(void)option;
	if (!bb_compile_text(c, node, "a name", name))
		return;
	if (!is_word(*name, "_.-", BB_EVENT_TEXT_MAX))
		bb_compile_complain(c, node,
				    "\"%s\" is no name: small letters, digits, `_`, `.` and `-`, a "
				    "letter first",
				    name->p);
	else if (bb_text_equal(*name, BB_TEXT("direct")))
		bb_compile_complain(c, node,
				    "\"direct\" is the name of the built-in connector; choose "
				    "another one");
}

void bb_compile_plain(struct bb_compiler *c, const struct bb_yaml *node,
		      const struct bb_option *option, void *target)
{
	struct bb_text *text = target;

	(void)option;
	if (bb_compile_text(c, node, "a text", text) && text->n > BB_EVENT_TEXT_MAX)
		bb_compile_complain(c, node, "longer than 256 bytes");
}

void bb_compile_flag(struct bb_compiler *c, const struct bb_yaml *node,
		     const struct bb_option *option, void *target)
{
	bool *flag = target;

	(void)option;
	*flag = node->kind == BB_YAML_SCALAR && bb_text_equal(node->text, BB_TEXT("true"));
	if (!*flag &&
	    (node->kind != BB_YAML_SCALAR || !bb_text_equal(node->text, BB_TEXT("false"))))
		bb_compile_complain(c, node, "must be true or false");
}

static bool is_one_of(struct bb_names names, struct bb_text word, unsigned *ret_i)
{
	for (size_t i = 0; i < names.n; i++) {
		*ret_i = (unsigned)i;
		if (bb_text_equal(names.items[i], word))
			return true;
	}
	return false;
}

void bb_compile_choice(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	struct bb_names allowed = bb_compile_words(c, option->words);
	struct bb_text word;
	unsigned i;

	if (!bb_compile_text(c, node, "a word", &word))
		return;
	if (is_one_of(allowed, word, &i)) {
		i++; /* 0 is "not said" */
		memcpy(target, &i, sizeof(i));
		return;
	}
	bb_compile_unknown(c, node, option->name, allowed);
}

static bool is_topic(struct bb_text name)
{
	if (name.n == 0 || name.n > TOPIC_BYTES_MAX || bb_text_equal(name, BB_TEXT(".")) ||
	    bb_text_equal(name, BB_TEXT("..")))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_lower(name.p[i]) && !is_upper(name.p[i]) && !is_digit(name.p[i]) &&
		    !strchr("._-", name.p[i]))
			return false;
	return true;
}

/* A pattern with its slashes. */
static void compile_pattern(struct bb_compiler *c, const struct bb_yaml *node, struct bb_text text)
{
	struct bb_pattern *pattern;
	struct bb_error why;

	if (text.n < 3 || text.p[text.n - 1] != '/' || text.p[1] != '^') {
		bb_compile_complain(c, node,
				    "a pattern of topics stands between slashes and begins with "
				    "^, e.g. /^shop\\..*/");
		return;
	}
	text = bb_arena_copy(c->arena, bb_text_bytes(text.p + 1, text.n - 2));
	if (bb_pattern_new(text.p, &pattern, &why) != BB_OK) {
		bb_compile_complain(c, node, "the pattern is wrong: %s", why.msg);
		return;
	}
	bb_pattern_free(pattern);
	c->connector->pattern = text;
}

static void compile_topic(struct bb_compiler *c, const struct bb_yaml *node)
{
	struct bb_names *topics = &c->connector->topics;
	struct bb_text name;
	unsigned i;

	if (!bb_compile_text(c, node, "the name of a topic", &name))
		return;
	if (name.p[0] == '/')
		compile_pattern(c, node, name);
	else if (!is_topic(name))
		bb_compile_complain(c, node,
				    "\"%s\" cannot be a topic: letters, digits, `.`, `_` and `-`, "
				    "at most 249; a pattern stands between slashes",
				    name.p);
	else if (is_one_of(*topics, name, &i))
		bb_compile_complain(c, node, "the topic \"%s\" is listed twice", name.p);
	else
		BB_ARENA_PUSH(c->arena, topics->items, topics->n, topics->room) = name;
}

void bb_compile_topics(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	(void)option;
	(void)target;
	if (node->kind != BB_YAML_LIST) {
		compile_topic(c, node);
		return;
	}
	if (node->n > TOPICS_MAX)
		bb_compile_complain(c, node, "more than 10,000");
	for (size_t i = 0; i < node->n && node->n <= TOPICS_MAX; i++) {
		size_t mark = bb_compile_enter_item(c, i);

		compile_topic(c, node->items[i]);
		bb_compile_leave(c, mark);
	}
	if (c->connector->pattern.p && (node->n > 1 || c->connector->topics.n > 0))
		bb_compile_complain(c, node, "one pattern, or names; not both");
}

void bb_compile_names(struct bb_compiler *c, const struct bb_yaml *node,
		      const struct bb_option *option, void *target)
{
	const struct bb_yaml *const one[] = {node};
	const struct bb_yaml *const *items = one;
	struct bb_names *names = target;
	struct bb_text name;
	size_t n = 1, mark;
	unsigned seen;

	if (node->kind == BB_YAML_LIST) {
		items = (const struct bb_yaml *const *)node->items;
		n = node->n;
	}
	if (n == 0 || n > COLUMNS_MAX)
		bb_compile_complain(c, node, n ? "more than 10,000" : "the list is empty");
	for (size_t i = 0; i < n && n <= COLUMNS_MAX; i++) {
		mark = node->kind == BB_YAML_LIST ? bb_compile_enter_item(c, i) : c->path.n;
		if (bb_compile_text(c, items[i], "a text", &name)) {
			if (is_one_of(*names, name, &seen))
				bb_compile_complain(c, items[i], "\"%s\" is in \"%s\" twice",
						    name.p, option->name);
			BB_ARENA_PUSH(c->arena, names->items, names->n, names->room) = name;
		}
		bb_compile_leave(c, mark);
	}
}

void bb_compile_region(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	struct bb_text *region = target;

	(void)option;
	if (!bb_compile_text(c, node, "a country", region))
		return;
	if (region->n != 2 || !is_upper(region->p[0]) || !is_upper(region->p[1]))
		bb_compile_complain(c, node, "\"%s\" is no country; write its two letters, e.g. FR",
				    region->p);
}

void bb_compile_zone(struct bb_compiler *c, const struct bb_yaml *node,
		     const struct bb_option *option, void *target)
{
	const struct bb_zone *zone;
	struct bb_text name;
	const char *nearest;

	(void)option;
	if (!bb_compile_text(c, node, "a time zone", &name))
		return;
	zone = bb_zone_read(name, c->arena);
	memcpy(target, &zone, sizeof(zone));
	if (zone)
		return;
	nearest = bb_zone_nearest(name, c->diagnostics->arena);
	if (!nearest && !bb_zone_read(BB_TEXT("Europe/Paris"), c->diagnostics->arena))
		bb_compile_complain(c, node,
				    "the zone \"%s\" cannot be read: no database of time zones in "
				    "/usr/share/zoneinfo; install the package tzdata",
				    name.p);
	else
		bb_compile_complain(c, node,
				    "unknown time zone \"%s\"; allowed: names like Europe/Paris, "
				    "UTC, or a distance like +02:00%s%s%s",
				    name.p, nearest ? "; did you mean \"" : "",
				    nearest ? nearest : "", nearest ? "\"?" : "");
}

void bb_compile_currency(struct bb_compiler *c, const struct bb_yaml *node,
			 const struct bb_option *option, void *target)
{
	struct bb_text *currency = target;

	(void)option;
	if (!bb_compile_text(c, node, "a currency", currency))
		return;
	if (bb_money_exponent(*currency) < 0)
		bb_compile_complain(c, node,
				    "\"%s\" is no currency; write its code of ISO 4217 in three "
				    "capital letters, e.g. EUR",
				    currency->p);
}

void bb_compile_namespace(struct bb_compiler *c, const struct bb_yaml *node,
			  const struct bb_option *option, void *target)
{
	struct bb_names allowed = {NULL, 0, 0};
	struct bb_text *ns = target;

	(void)option;
	if (!bb_compile_text(c, node, "a namespace", ns))
		return;
	if (!is_word(*ns, "_.", BB_NAMESPACE_NAME_MAX)) {
		bb_compile_complain(c, node,
				    "\"%s\" is no namespace: small letters, digits, `_` and `.`, a "
				    "letter first, at most 40",
				    ns->p);
		return;
	}
	if (!c->rules || bb_rules_namespace(c->rules, *ns) != BB_NS_UNKNOWN)
		return;
	for (size_t i = 0; i < c->rules->namespace_n; i++)
		BB_ARENA_PUSH(c->diagnostics->arena, allowed.items, allowed.n, allowed.room) =
			bb_text_of(c->rules->namespaces[i].name);
	bb_compile_unknown(c, node, "namespace", allowed);
}

void bb_compile_time_form(struct bb_compiler *c, const struct bb_yaml *node,
			  const struct bb_option *option, void *target)
{
#define X(name, text) BB_TEXT(text),
	static struct bb_text forms[] = {BB_STAMP_KINDS(X)};
#undef X
	struct bb_names allowed = {forms, sizeof(forms) / sizeof(*forms), 0};
	struct bb_text name;
	const char *wrong;

	(void)option;
	if (!bb_compile_text(c, node, "the form of the time", &name) ||
	    bb_stamp_format_read(name, c->arena, target, &wrong))
		return;
	if (wrong) {
		bb_compile_complain(c, node, "\"%s\": %s", name.p, wrong);
		return;
	}
	for (size_t i = 0; i < allowed.n; i++) /* epoch_seconds is epoch_s written out */
		if (name.n > forms[i].n && memcmp(name.p, forms[i].p, forms[i].n) == 0) {
			bb_compile_unknown_near(c, node, "format", allowed, forms[i].p);
			return;
		}
	bb_compile_unknown(c, node, "format", allowed);
}

void bb_compile_word_map(struct bb_compiler *c, const struct bb_yaml *node,
			 const struct bb_option *option, void *target)
{
	struct bb_pairs *pairs = target;
	struct bb_pair pair;
	size_t mark;

	(void)option;
	if (node->kind != BB_YAML_MAP || node->n == 0) {
		bb_compile_complain(c, node, "must be a map of values, e.g. {m: male, f: female}");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter(c, node->keys[i]->text);
		pair.from = bb_arena_copy(c->arena, node->keys[i]->text);
		if (bb_compile_text(c, node->items[i], "a text", &pair.to))
			BB_ARENA_PUSH(c->arena, pairs->items, pairs->n, pairs->room) = pair;
		bb_compile_leave(c, mark);
	}
}

/* CURRENCY: DIGITS; false: complained. */
static bool read_digits(struct bb_compiler *c, const struct bb_yaml *currency,
			const struct bb_yaml *digits, struct bb_currency_digits *ret)
{
	if (bb_money_exponent(currency->text) < 0) {
		bb_compile_complain(c, currency,
				    "\"%s\" is no currency; write its code of ISO 4217 in three "
				    "capital letters, e.g. EUR",
				    currency->text.p);
		return false;
	}
	if (digits->kind != BB_YAML_SCALAR || digits->text.n != 1 || !is_digit(digits->text.p[0]) ||
	    digits->text.p[0] - '0' > DIGITS_MAX) {
		bb_compile_complain(c, digits, "must be a number of digits, 0 to 6");
		return false;
	}
	ret->currency = bb_arena_copy(c->arena, currency->text);
	ret->digits = digits->text.p[0] - '0';
	return true;
}

void bb_compile_digits(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_option *option, void *target)
{
	struct bb_digits *list = target;
	struct bb_currency_digits one;
	size_t mark;

	(void)option;
	if (node->kind != BB_YAML_MAP || node->n == 0) {
		bb_compile_complain(
			c, node, "must be a map of currencies and digits, e.g. {ISK: 2, MGA: 0}");
		return;
	}
	for (size_t i = 0; i < node->n; i++) {
		mark = bb_compile_enter(c, node->keys[i]->text);
		if (read_digits(c, node->keys[i], node->items[i], &one))
			BB_ARENA_PUSH(c->arena, list->items, list->n, list->room) = one;
		bb_compile_leave(c, mark);
	}
}
