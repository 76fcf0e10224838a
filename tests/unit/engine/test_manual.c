/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual of connectors, docs/connectors.md and the pages of docs/connectors, says nothing that
 * is not so: its examples are run. A block of YAML is a connector, or rules of one; the block of
 * JSON after it, or before it, is a message, and the one after both is what comes out (an object,
 * or a list of them, with any line breaks). A block of csv is a file. A connector with mistakes is
 * followed by a block of text with their messages.
 *
 *	yaml json json | json yaml json | yaml csv json | yaml text
 *
 * Further pairs of JSON are of the same connector. Each connector that has no mistakes must be
 * run, and every operator of the language must be in an example of the pages.
 */
#include "trial.h"

#include <backbone/json.h>

#include <criterion/criterion.h>
#include <glob.h>

#include "operators.h"

#define LESSON BB_SOURCE_DIR "/docs/connectors.md"
#define PAGES BB_SOURCE_DIR "/docs/connectors/*.md"

static const char head_of_rules[] =
	"connector: example\nchannel: web\ntopics: [example]\nevents:\n";

/* What the blocks so far have said. */
struct reading {
	struct bb_arena arena;
	struct bb_connector *connector; /* of the last YAML; NULL: none, or wrong */
	struct bb_text yaml;		/* its text */
	bool untried;			/* nothing has come out of it yet */
	struct bb_text message;		/* p NULL: none yet */
	struct bb_buf mistakes;
	const char *page;
	unsigned line; /* of the block, from 1 */
	unsigned examples;
};

static bool begins(struct bb_text text, const char *with)
{
	return text.n >= strlen(with) && memcmp(text.p, with, strlen(with)) == 0;
}

static void expect_tried(struct reading *r)
{
	cr_expect(!r->untried, "%s, before line %u: nothing comes out of the connector", r->page,
		  r->line);
	r->untried = false;
}

static void read_yaml(struct reading *r, struct bb_text block)
{
	struct bb_text text = block;

	cr_expect(r->mistakes.n == 0, "the connector before %s:%u has mistakes:\n%.*s", r->page,
		  r->line, (int)r->mistakes.n, r->mistakes.p);
	r->mistakes.n = 0;
	expect_tried(r);
	bb_connector_free(r->connector);
	if (begins(block, "- "))
		text = bb_arena_printf(&r->arena, "%s%.*s", head_of_rules, (int)block.n, block.p);
	r->connector = trial_compile("conf/connectors/till.yaml", text, &r->arena, &r->mistakes);
	r->yaml = text;
	r->untried = r->connector != NULL;
}

/* A list of events, or one, as lines. */
static struct bb_text lines_of(struct reading *r, struct bb_text block)
{
	struct bb_buf lines = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_json *doc = bb_json_read(block, &refusal);
	const struct bb_json_node *root;
	struct bb_text text;

	cr_assert(doc != NULL, "%s:%u is no JSON: byte %lld", r->page, r->line,
		  (long long)refusal.byte_offset);
	root = bb_json_root(doc);
	if (bb_json_kind(doc, root) == BB_JSON_MAP) {
		bb_json_write(doc, root, &lines);
		bb_buf_byte(&lines, '\n');
	}
	for (size_t i = 0; bb_json_kind(doc, root) == BB_JSON_LIST && i < bb_json_size(doc, root);
	     i++) {
		bb_json_write(doc, bb_json_item(doc, root, i), &lines);
		bb_buf_byte(&lines, '\n');
	}
	text = bb_arena_copy(&r->arena, bb_buf_slice(&lines));
	bb_buf_fini(&lines);
	bb_json_free(doc);
	return text;
}

static void read_json(struct reading *r, struct bb_text block)
{
	struct bb_buf lines = BB_BUF_EMPTY;

	if (!r->message.p || !r->connector) {
		r->message = block;
		return;
	}
	trial_run(r->connector, r->message, &r->arena, &lines);
	trial_compare(r->page, r->line, lines_of(r, block), bb_buf_slice(&lines));
	bb_buf_fini(&lines);
	if (strcmp(r->page, LESSON) != 0)
		operators_note(r->yaml);
	r->untried = false;
	r->message.p = NULL;
	r->examples++;
}

static void read_text(struct reading *r, struct bb_text block)
{
	if (r->mistakes.n == 0)
		return;
	trial_compare(r->page, r->line, block, bb_buf_slice(&r->mistakes));
	r->mistakes.n = 0;
	r->examples++;
}

/* The blocks between lines of three backquotes. */
static void read_blocks(struct reading *r, struct bb_text page)
{
	const char *p = page.p, *end = page.p + page.n, *block = NULL, *feed;
	struct bb_text kind = {NULL, 0}, line;
	unsigned n = 0;

	for (; p < end; p = feed + 1) {
		feed = memchr(p, '\n', (size_t)(end - p));
		cr_assert(feed != NULL, "%s does not end with a line feed", r->page);
		line = bb_text_bytes(p, (size_t)(feed - p));
		n++;
		if (!begins(line, "```"))
			continue;
		if (!block) {
			kind = bb_text_bytes(line.p + 3, line.n - 3);
			block = feed + 1;
			r->line = n + 1;
			continue;
		}
		line = bb_text_bytes(block, (size_t)(p - block));
		block = NULL;
		if (bb_text_equal(kind, BB_TEXT("yaml")))
			read_yaml(r, line);
		else if (bb_text_equal(kind, BB_TEXT("json")))
			read_json(r, line);
		else if (bb_text_equal(kind, BB_TEXT("csv")))
			r->message = line;
		else if (bb_text_equal(kind, BB_TEXT("text")))
			read_text(r, line);
	}
}

static void read_page(struct reading *r, const char *page)
{
	r->page = page;
	read_blocks(r, trial_read_file(page, &r->arena));
	cr_expect(r->mistakes.n == 0, "the last connector of %s has mistakes: %.*s", page,
		  (int)r->mistakes.n, r->mistakes.n ? r->mistakes.p : "");
	expect_tried(r);
	r->mistakes.n = 0;
	bb_connector_free(r->connector);
	r->connector = NULL;
	r->message.p = NULL;
}

Test(manual, examples_do_what_it_says)
{
	struct reading r = {.mistakes = BB_BUF_EMPTY};
	glob_t pages;

	bb_arena_init(&r.arena);
	read_page(&r, LESSON);
	cr_assert_eq(glob(PAGES, 0, NULL, &pages), 0, "no %s", PAGES);
	for (size_t i = 0; i < pages.gl_pathc; i++)
		read_page(&r, pages.gl_pathv[i]);
	cr_expect(r.examples >= 12, "only %u examples were run", r.examples);
	operators_expect_all();
	globfree(&pages);
	bb_buf_fini(&r.mistakes);
	bb_arena_fini(&r.arena);
}
