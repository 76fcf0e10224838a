/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shipped connectors against their samples: every connectors/<channel>/<producer> is compiled,
 * each file of samples/ goes through engine and gate as `backbonectl try` sends it, and what comes
 * out is compared line by line with the file of the same name in expected/.
 *
 * A folder without samples or README, a sample without expectation, and an expectation without
 * sample fail.
 */
#include "trial.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdio.h>
#include <unistd.h>

static bool exists(const char *path)
{
	return access(path, R_OK) == 0;
}

static void find(glob_t *found, const char *pattern)
{
	int ret = glob(pattern, 0, NULL, found);

	cr_assert(ret == 0 || ret == GLOB_NOMATCH, "glob %s", pattern);
}

/* `dir/samples/a.json` -> `a` */
static void stem_of(const char *path, char *ret_stem, size_t room)
{
	const char *name = strrchr(path, '/') + 1;

	snprintf(ret_stem, room, "%.*s", (int)strcspn(name, "."), name);
}

static struct bb_connector *compile(const char *path, struct bb_arena *arena)
{
	struct bb_text text = trial_read_file(path, arena);
	struct bb_buf mistakes = BB_BUF_EMPTY;
	struct bb_connector *connector = trial_compile(path, text, arena, &mistakes);

	cr_assert(connector != NULL, "does not compile:\n%.*s", (int)mistakes.n,
		  mistakes.n ? mistakes.p : "");
	bb_buf_fini(&mistakes);
	return connector;
}

static void check_sample(const struct bb_connector *connector, const char *dir, const char *path)
{
	struct bb_buf lines = BB_BUF_EMPTY;
	struct bb_arena arena;
	char stem[256], expected[4096];

	stem_of(path, stem, sizeof(stem));
	snprintf(expected, sizeof(expected), "%s/expected/%s.ndjson", dir, stem);
	cr_expect(exists(expected), "%s has no expected/%s.ndjson", path, stem);
	if (!exists(expected))
		return;
	bb_arena_init(&arena);
	trial_run(connector, trial_read_file(path, &arena), &arena, &lines);
	trial_compare(expected, 1, trial_read_file(expected, &arena), bb_buf_slice(&lines));
	bb_buf_fini(&lines);
	bb_arena_fini(&arena);
}

/* Every expectation belongs to one sample. */
static void check_expectations(const char *dir)
{
	char pattern[4096], stem[256];
	glob_t found, sample;

	snprintf(pattern, sizeof(pattern), "%s/expected/*", dir);
	find(&found, pattern);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		stem_of(found.gl_pathv[i], stem, sizeof(stem));
		snprintf(pattern, sizeof(pattern), "%s/samples/%s.*", dir, stem);
		find(&sample, pattern);
		cr_expect(sample.gl_pathc == 1, "%s: %zu samples", found.gl_pathv[i],
			  sample.gl_pathc);
		globfree(&sample);
	}
	globfree(&found);
}

static void check_connector(const char *file)
{
	struct bb_connector *connector;
	struct bb_arena arena;
	char dir[2048], path[4096];
	glob_t found;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(file, '/') - file), file);
	snprintf(path, sizeof(path), "%s/README.md", dir);
	cr_expect(exists(path), "%s is missing", path);
	bb_arena_init(&arena);
	connector = compile(file, &arena);
	snprintf(path, sizeof(path), "%s/samples/*", dir);
	find(&found, path);
	cr_expect(found.gl_pathc > 0, "%s has no samples", dir);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_sample(connector, dir, found.gl_pathv[i]);
	globfree(&found);
	check_expectations(dir);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
}

Test(samples, give_the_expected_events)
{
	glob_t found;

	find(&found, BB_SOURCE_DIR "/connectors/*/*/connector.yaml");
	cr_assert(found.gl_pathc >= 6, "only %zu connectors found", found.gl_pathc);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_connector(found.gl_pathv[i]);
	globfree(&found);
}

Test(samples, belong_to_a_connector)
{
	char path[4096];
	glob_t found;

	find(&found, BB_SOURCE_DIR "/connectors/*/*/samples");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		snprintf(path, sizeof(path), "%s/../connector.yaml", found.gl_pathv[i]);
		cr_expect(exists(path), "%s is missing", path);
	}
	globfree(&found);
}
