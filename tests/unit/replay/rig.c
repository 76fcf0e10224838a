/* SPDX-License-Identifier: Apache-2.0 */
/* Files in a folder of their own, and a source of them that starts where the test let it. */
#include "rig.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
char paths[FILES][96];
struct bb_resume stored[FILES];
struct bb_connector *connector;
struct bb_source *source;
struct bb_arena arena;
struct bb_error err;

static int on_resume(void *ctx, struct bb_text topic, int32_t partition, struct bb_arena *into,
		     struct bb_resume *ret_resume)
{
	(void)ctx;
	cr_assert_eq(partition, 0);
	for (int i = 0; i < FILES; i++) {
		if (topic.n != strlen("file:") + strlen(paths[i]) ||
		    memcmp(topic.p + 5, paths[i], strlen(paths[i])) != 0)
			continue;
		*ret_resume = stored[i];
		ret_resume->token = bb_arena_copy(into, stored[i].token);
		return BB_OK;
	}
	cr_assert_fail("an unknown file was asked for");
	return BB_OK;
}

void setup(void)
{
	strcpy(folder, "/tmp/bb-replay-XXXXXX");
	cr_assert(mkdtemp(folder));
	for (int i = 0; i < FILES; i++) {
		snprintf(paths[i], sizeof paths[i], "%s/%d.ndjson", folder, i);
		stored[i] = (struct bb_resume){0};
	}
	bb_arena_init(&arena);
	connector = bb_connector_direct(NULL, 0);
}

static void close_source(void)
{
	if (source)
		source->ops->free(source);
	source = NULL;
}

void teardown(void)
{
	close_source();
	bb_connector_free(connector);
	bb_arena_fini(&arena);
	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	rmdir(folder);
}

void write_file(int i, const char *mode, const char *bytes)
{
	FILE *file = fopen(paths[i], mode);

	cr_assert(file);
	cr_assert_eq(fwrite(bytes, 1, strlen(bytes), file), strlen(bytes));
	cr_assert_eq(fclose(file), 0);
}

void open_source(size_t n)
{
	const char *files[FILES] = {paths[0], paths[1], paths[2]};
	struct bb_replay_options options = {
		.files = files, .file_n = n, .connector = connector, .resume = on_resume};

	close_source();
	source = bb_replay_new(&options);
}

int take(struct bb_delivery *out, size_t room, size_t *ret_n)
{
	return source->ops->take(source, out, room, ret_n, &err);
}

/* Takes the next line, which must be that one, and lets the store know it. */
void expect_line(int file, int64_t number, const char *text)
{
	struct bb_delivery got;
	struct bb_text token;
	size_t n = 0;

	cr_assert_eq(take(&got, 1, &n), BB_OK, "%s", err.msg);
	cr_assert_eq(n, 1, "line %ld of file %d did not come", (long)number, file);
	cr_expect_eq(got.message.offset, number, "%ld instead of %ld", (long)got.message.offset,
		     (long)number);
	cr_expect(bb_text_equal(got.message.value, bb_text_of(text)), "%.*s instead of %s",
		  (int)got.message.value.n, got.message.value.p, text);
	cr_expect_eq(got.message.partition, 0);
	cr_expect_eq(got.message.timestamp_ms, BB_NO_TIMESTAMP);
	cr_expect_not(got.message.from_log);
	cr_expect_eq(got.connector, connector);
	token = source->ops->token(source, &got, &arena);
	stored[file] = (struct bb_resume){.known = true, .next_offset = number + 1, .token = token};
	source->ops->release(source, &got, 1);
}

void expect_nothing(void)
{
	struct bb_delivery got;
	size_t n = 0;

	cr_assert_eq(take(&got, 1, &n), BB_OK, "%s", err.msg);
	cr_assert_eq(n, 0);
	cr_expect(source->ops->drained(source));
}

void expect_gap(const char *words)
{
	struct bb_delivery got;
	size_t n = 0;

	cr_assert_eq(take(&got, 1, &n), BB_EGAP);
	cr_expect_eq(n, 0);
	cr_expect(strstr(err.msg, words), "%s", err.msg);
	cr_expect(strstr(err.msg, paths[0]), "%s", err.msg);
	cr_expect(strstr(err.msg, "--accept-gap"), "%s", err.msg);
	expect_nothing();
}

/* A line of that many bytes in the file. */
void write_long(size_t n)
{
	char *bytes = malloc(n + 1);

	memset(bytes, 'x', n);
	bytes[n] = '\0';
	write_file(0, "a", bytes);
	write_file(0, "a", "\n");
	free(bytes);
}

void take_long(int64_t number, size_t bytes)
{
	struct bb_delivery got;
	size_t n = 0;

	cr_assert_eq(take(&got, 1, &n), BB_OK, "%s", err.msg);
	cr_assert_eq(n, 1);
	cr_expect_eq(got.message.offset, number);
	cr_expect_eq(got.message.value.n, bytes, "%zu", got.message.value.n);
	stored[0] = (struct bb_resume){.known = true,
				       .next_offset = number + 1,
				       .token = source->ops->token(source, &got, &arena)};
	source->ops->release(source, &got, 1);
}
