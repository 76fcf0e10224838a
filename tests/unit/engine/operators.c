/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks the YAML of connectors by the table of options, and notes each row that it meets, and each
 * word of a row. What has no row of its own (metadata, forms of time, conditions, rulings) is in
 * lists made from the same macros as the engine's.
 *
 * The YAML was compiled before, so what the table does not know fails the test.
 */
#include "operators.h"

#include <backbone/ruling.h>
#include <backbone/yaml.h>

#include <criterion/criterion.h>

#include "plan.h"
#include "schema.h"
#include "stamp.h"

#define OPTIONS_MAX 256
#define COUNT(list) (sizeof(list) / sizeof(*(list)))

struct word {
	const char *name;
	bool seen;
};

static bool seen_option[OPTIONS_MAX];
static uint64_t seen_words[OPTIONS_MAX]; /* bits, in the order of the row's words */

#define X(name, text) {(text), false},
static struct word metas[] = {BB_METAS(X)};
static struct word stamps[] = {BB_STAMP_KINDS(X)};
#undef X
static struct word conditions[] = {{"exists", false}, {"absent", false}};
static struct word statuses[] = {{"granted", false}, {"denied", false}};
static struct word rulings[] = {
	{"join", false}, {"split", false}, {"block", false}, {"allow", false}, {"release", false}};

static void note_place(const struct bb_yaml *map, enum bb_place place);

static void note_word(struct word *words, size_t n, struct bb_text text)
{
	for (size_t i = 0; i < n; i++)
		words[i].seen |= bb_text_equal(bb_text_of(words[i].name), text);
}

/* `strptime:FORMAT` stands for all that begins like it. */
static void note_stamp(struct bb_text text)
{
	struct bb_text head = BB_TEXT("strptime:");

	if (text.n > head.n && memcmp(text.p, head.p, head.n) == 0)
		text = BB_TEXT("strptime:FORMAT");
	note_word(stamps, COUNT(stamps), text);
}

static void note_metas(struct bb_text text)
{
	for (size_t i = 0; i < COUNT(metas); i++)
		metas[i].seen |=
			memmem(text.p, text.n, metas[i].name, strlen(metas[i].name)) != NULL;
}

/* All scalars of a tree, keys too. */
static void each_scalar(const struct bb_yaml *node, void (*note)(struct bb_text))
{
	if (node->kind == BB_YAML_SCALAR)
		note(node->text);
	for (size_t i = 0; i < node->n; i++) {
		if (node->kind == BB_YAML_MAP)
			each_scalar(node->keys[i], note);
		each_scalar(node->items[i], note);
	}
}

static void note_ruling(struct bb_text text)
{
	note_word(rulings, COUNT(rulings), text);
}

static void note_condition(struct bb_text text)
{
	note_word(conditions, COUNT(conditions), text);
}

/* The word, or with something in brackets behind it: @header("X-Token"). */
static bool is_word(struct bb_text text, struct bb_text word)
{
	bool same = text.n >= word.n && memcmp(text.p, word.p, word.n) == 0;

	return same && (text.n == word.n || text.p[word.n] == '(');
}

static void note_choice(const struct bb_yaml *node, const struct bb_option *option, uint64_t *seen)
{
	const char *word = option->words;
	size_t n;

	for (size_t i = 0; node->kind == BB_YAML_LIST && i < node->n; i++)
		note_choice(node->items[i], option, seen);
	for (unsigned i = 0; node->kind == BB_YAML_SCALAR && *word; i++) {
		n = strcspn(word, " ");
		if (is_word(node->text, bb_text_bytes(word, n)))
			*seen |= UINT64_C(1) << i;
		word += n + (word[n] == ' ');
	}
}

/* A map of the place, or a list of them; a scalar says nothing of a place. */
static void note_maps(const struct bb_yaml *node, enum bb_place place)
{
	if (node->kind == BB_YAML_MAP)
		note_place(node, place);
	for (size_t i = 0; node->kind == BB_YAML_LIST && i < node->n; i++)
		note_maps(node->items[i], place);
}

static void note_value(const struct bb_yaml *node, const struct bb_option *option, uint64_t *seen)
{
	if (option->words)
		note_choice(node, option, seen);
	switch (option->type) {
	case BB_TYPE_SECTION:
	case BB_TYPE_SECTIONS:
		note_maps(node, option->section);
		break;
	case BB_TYPE_SOURCES:
		note_maps(node, BB_IN_SOURCE);
		break;
	case BB_TYPE_ATTRIBUTES:
		for (size_t i = 0; i < node->n; i++)
			note_maps(node->items[i], BB_IN_SOURCE);
		break;
	case BB_TYPE_STATUS:
		note_maps(node, BB_IN_STATUS);
		if (node->kind == BB_YAML_SCALAR)
			note_word(statuses, COUNT(statuses), node->text);
		break;
	case BB_TYPE_CONDITIONS:
		each_scalar(node, note_condition);
		break;
	case BB_TYPE_TIME_FORM:
		note_stamp(node->text);
		break;
	default:
		break;
	}
	if (strcmp(option->name, "ruling") == 0)
		each_scalar(node, note_ruling);
}

static void note_place(const struct bb_yaml *map, enum bb_place place)
{
	const struct bb_option *options, *option;
	size_t n;

	options = bb_schema_options(&n);
	cr_assert_leq(n, OPTIONS_MAX);
	for (size_t i = 0; i < map->n; i++) {
		option = bb_schema_find(place, map->keys[i]->text);
		cr_assert_not_null(option, "no option %s", map->keys[i]->text.p);
		seen_option[option - options] = true;
		note_value(map->items[i], option, &seen_words[option - options]);
	}
}

void operators_note(struct bb_text yaml)
{
	struct bb_diagnostics diagnostics = {.n = 0};
	struct bb_arena arena;
	struct bb_yaml *root;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	root = bb_yaml_read("manual", yaml, &diagnostics);
	cr_assert_not_null(root);
	note_place(root, BB_IN_FILE);
	each_scalar(root, note_metas);
	bb_arena_fini(&arena);
}

static void expect_words(const char *what, const struct word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_expect(words[i].seen, "no example of the manual's pages has the %s %s", what,
			  words[i].name);
}

void operators_expect_all(void)
{
	const struct bb_option *options;
	const char *word;
	size_t n, size;

	options = bb_schema_options(&n);
	for (size_t i = 0; i < n; i++) {
		cr_expect(seen_option[i], "no example of the manual's pages has the key %s (%s)",
			  options[i].name, options[i].help);
		word = options[i].words ? options[i].words : "";
		for (unsigned bit = 0; *word; bit++) {
			size = strcspn(word, " ");
			cr_expect(seen_words[i] >> bit & 1,
				  "no example of the manual's pages has %s: %.*s", options[i].name,
				  (int)size, word);
			word += size + (word[size] == ' ');
		}
	}
	expect_words("metadata", metas, COUNT(metas));
	expect_words("form of time", stamps, COUNT(stamps));
	expect_words("condition", conditions, COUNT(conditions));
	expect_words("constant status", statuses, COUNT(statuses));
	expect_words("ruling", rulings, COUNT(rulings));
}
