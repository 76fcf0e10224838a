/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two readers and two extractors, on everything that there is here: all samples of all connectors,
 * all corpora of the fuzzers, and the same with damage. Every difference is a failure: in a value,
 * a warning, a reason, a byte offset.
 */
#include "oracle.h"
#include "trial.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define DAMAGES 48 /* of each kind, a sample */

static const char *const patterns[] = {
	BB_SOURCE_DIR "/connectors/*/*/samples/*",
	BB_SOURCE_DIR "/tests/fuzz/corpus/extract/*",
	BB_SOURCE_DIR "/tests/fuzz/corpus/differential/*",
};

static void expect_same(struct bb_buf *got, struct bb_buf *want, const char *what,
			const char *where, size_t variant)
{
	cr_expect(bb_text_equal(bb_buf_slice(got), bb_buf_slice(want)),
		  "%s, %s %zu\nwhat came out:\n%.*s\nthe oracle:\n%.*s", where, what, variant,
		  (int)got->n, got->n ? got->p : "", (int)want->n, want->n ? want->p : "");
	bb_buf_fini(got);
	bb_buf_fini(want);
}

/* A copy of exactly that size: the sanitizer sees a byte read too many. */
static void compare_readers(struct bb_text bytes, const char *what, const char *where, size_t i)
{
	struct bb_buf got = BB_BUF_EMPTY, want = BB_BUF_EMPTY;
	char *copy = malloc(bytes.n + 1);

	cr_assert(copy);
	if (bytes.n > 0)
		memcpy(copy + 1, bytes.p, bytes.n);
	bytes.p = copy + 1;
	oracle_print_document(bytes, bb_json_read_tree, &got);
	oracle_print_document(bytes, oracle_read, &want);
	free(copy);
	expect_same(&got, &want, what, where, i);
}

static void damage(struct bb_text text, const char *where)
{
	static const char marks[] = "\"\\{}[]:,0-.eEntf \x01\x80\xc3\xed\xf0\xff\n'u";
	struct bb_arena arena;
	size_t at;
	char *p;

	bb_arena_init(&arena);
	for (size_t i = 0; i < DAMAGES && text.n > 0; i++) {
		at = (i * 2654435761u + i) % text.n;
		compare_readers(bb_text_bytes(text.p, at), "cut off", where, at);
		p = (char *)bb_arena_copy(&arena, text).p;
		p[at] = marks[i % (sizeof(marks) - 1)];
		compare_readers(bb_text_bytes(p, text.n), "damaged at", where, at);
		memmove(p + at, p + at + 1, text.n - at - 1);
		compare_readers(bb_text_bytes(p, text.n - 1), "without", where, at);
	}
	bb_arena_fini(&arena);
}

static void each_file(const char *pattern, void (*fn)(struct bb_text text, const char *path))
{
	struct bb_arena arena;
	glob_t found;

	cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "nothing is in %s", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		bb_arena_init(&arena);
		fn(trial_read_file(found.gl_pathv[i], &arena), found.gl_pathv[i]);
		bb_arena_fini(&arena);
	}
	globfree(&found);
}

static void check_readers(struct bb_text text, const char *path)
{
	compare_readers(text, "as it is", path, 0);
	damage(text, path);
}

Test(differential, readers_agree_on_all_samples_and_corpora)
{
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		each_file(patterns[i], check_readers);
}

static void check_extractors(const struct bb_connector *connector, const char *path)
{
	struct bb_extraction extraction;
	struct bb_arena arena;
	struct bb_message msg;
	struct bb_text value;
	char *p;

	bb_arena_init(&arena);
	msg = trial_message(trial_read_file(path, &arena), &arena);
	trial_extract(connector, &msg, &arena, &extraction);
	value = msg.value;
	for (size_t i = 0; i < DAMAGES && value.n > 0; i++) {
		size_t at = (i * 2654435761u + i) % value.n;

		p = (char *)bb_arena_copy(&arena, value).p;
		p[at] = "x0\"\\,]}nu1"[i % 10];
		msg.value.p = p;
		trial_extract(connector, &msg, &arena, &extraction);
	}
	bb_arena_fini(&arena);
}

static void check_connector(struct bb_text text, const char *path)
{
	struct bb_buf mistakes = BB_BUF_EMPTY;
	struct bb_connector *connector;
	struct bb_arena arena;
	char pattern[4096];
	glob_t found;

	bb_arena_init(&arena);
	connector = trial_compile(path, text, &arena, &mistakes);
	cr_assert(connector, "%.*s", (int)mistakes.n, mistakes.p);
	snprintf(pattern, sizeof(pattern), "%.*s/samples/*", (int)(strrchr(path, '/') - path),
		 path);
	cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_extractors(connector, found.gl_pathv[i]);
	globfree(&found);
	bb_connector_free(connector);
	bb_buf_fini(&mistakes);
	bb_arena_fini(&arena);
}

Test(differential, extractors_agree_on_all_samples)
{
	each_file(BB_SOURCE_DIR "/connectors/*/*/connector.yaml", check_connector);
}

/* The tables that hold keys are left for larger ones: on the stack, sorted, in the arena. */
Test(differential, readers_agree_on_maps_of_every_size)
{
	static const int sizes[] = {0, 1, 15, 16, 63, 255, 256, 257, 258, 300, 1000, 5000};
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (int twice = -1; twice < sizes[i] && twice < 300; twice += 1 + sizes[i] / 7) {
			buf.n = 0;
			bb_buf_text(&buf, BB_TEXT("{\"in\":["));
			bb_buf_byte(&buf, '{');
			for (int k = 0; k < sizes[i]; k++)
				bb_buf_printf(&buf, "\"a key with a number %d in it\":%d,",
					      k * 7919, k);
			bb_buf_printf(&buf, "\"a key with a number %d in it\":null}]}",
				      twice < 0 ? 1 : twice * 7919);
			compare_readers(bb_buf_slice(&buf), "a key twice", "map", (size_t)sizes[i]);
		}
	bb_buf_fini(&buf);
}

Test(differential, large_maps_find_their_members)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	struct bb_json *doc;
	char key[32];

	bb_buf_byte(&buf, '{');
	for (int k = 0; k < 2000; k++)
		bb_buf_printf(&buf, "%s\"k%d\":%d", k ? "," : "", k * k, k);
	bb_buf_byte(&buf, '}');
	doc = bb_json_read(bb_buf_slice(&buf), &refusal);
	cr_assert_not_null(doc);
	for (int k = 0; k < 2000; k++) {
		const struct bb_json_node *node;
		char want[32];

		snprintf(key, sizeof(key), "k%d", k * k);
		snprintf(want, sizeof(want), "%d", k);
		node = bb_json_member(doc, bb_json_root(doc), bb_text_of(key));
		cr_assert_not_null(node, "%s", key);
		cr_expect(bb_text_equal(bb_json_text(doc, node), bb_text_of(want)), "%s", key);
	}
	cr_expect_null(bb_json_member(doc, bb_json_root(doc), BB_TEXT("k2")));
	cr_expect_null(bb_json_member(doc, bb_json_root(doc), BB_TEXT("")));
	bb_json_free(doc);
	bb_buf_fini(&buf);
}
