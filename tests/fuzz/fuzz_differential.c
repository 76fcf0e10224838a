/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extractor against its oracle: the first byte of an input chooses a plan, the second the
 * headers that come along, the rest is the message. The reader and jansson must have the same
 * document, or the same reason at the same byte; the projection and the walk along the paths the
 * same events to the last warning.
 *
 * Plans are those of differential/ here, of the cases of all operators, and of the shipped
 * connectors.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"

#define CONNECTORS_MAX 128

static struct bb_connector *connectors[CONNECTORS_MAX];
static size_t connector_n;

static const struct bb_header headers[] = {
	{{"X-Topic", 7}, {"orders/create", 13}},
	{{"X-Shop", 6}, {"shop.example", 12}},
	{{"X-Shopify-Topic", 15}, {"orders/create", 13}},
	{{"X-Shopify-Shop-Domain", 21}, {"shop.example", 12}},
};

static void compile(const char *path, struct bb_arena *arena)
{
	struct bb_diagnostics diagnostics = {.arena = arena};
	char *text = malloc(1 << 20);
	FILE *file = fopen(path, "rb");
	size_t n;

	bb_assert(text && file && connector_n < CONNECTORS_MAX);
	n = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	text[n] = '\0';
	if (strstr(text, "\n--- ")) /* a case: its messages follow */
		n = (size_t)(strstr(text, "\n--- ") + 1 - text);
	connectors[connector_n] =
		bb_connector_compile(path, (struct bb_text){text, n}, NULL, &diagnostics);
	for (size_t i = 0; i < diagnostics.n; i++)
		fprintf(stderr, "%s:%u: %s\n", path, diagnostics.items[i].line,
			diagnostics.items[i].message);
	bb_assert(connectors[connector_n]);
	connector_n++;
	free(text);
}

static void compile_all(const char *pattern, struct bb_arena *arena)
{
	glob_t found;

	bb_assert(glob(pattern, 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		compile(found.gl_pathv[i], arena);
	globfree(&found);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct bb_arena arena;

	(void)argc, (void)argv;
	bb_arena_init(&arena);
	connectors[connector_n++] = bb_connector_direct(NULL, 0);
	compile_all(BB_SOURCE_DIR "/tests/fuzz/differential/*.yaml", &arena);
	compile_all(BB_SOURCE_DIR "/tests/unit/engine/cases/*.case", &arena);
	compile_all(BB_SOURCE_DIR "/connectors/*/*/connector.yaml", &arena);
	bb_arena_fini(&arena);
	return 0;
}

static void expect_same(struct bb_buf *got, struct bb_buf *want)
{
	if (!bb_text_equal(bb_buf_slice(got), bb_buf_slice(want)))
		fprintf(stderr, "what came out:\n%.*s\nthe oracle:\n%.*s\n", (int)got->n,
			got->n ? got->p : "", (int)want->n, want->n ? want->p : "");
	bb_assert(bb_text_equal(bb_buf_slice(got), bb_buf_slice(want)));
	bb_buf_fini(got);
	bb_buf_fini(want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bb_message msg = {.topic = BB_TEXT("topic"),
				 .partition = 2,
				 .offset = 31,
				 .timestamp_ms = 1767225600000,
				 .key = BB_TEXT("key"),
				 .from_log = true};
	struct bb_buf got = BB_BUF_EMPTY, want = BB_BUF_EMPTY;
	const struct bb_connector *connector;
	struct bb_extraction extraction;
	struct bb_arena arena;

	if (n < 2)
		return 0;
	connector = connectors[data[0] % connector_n];
	msg.headers = headers;
	msg.header_n = data[1] % (sizeof(headers) / sizeof(headers[0]) + 1);
	msg.value = (struct bb_text){(const char *)data + 2, n - 2};
	oracle_print_document(msg.value, bb_json_read_tree, &got);
	oracle_print_document(msg.value, oracle_read, &want);
	expect_same(&got, &want);
	bb_arena_init(&arena);
	bb_connector_run(connector, &msg, &arena, &extraction);
	oracle_print(&extraction, &got);
	bb_run_walked(connector, &msg, &arena, oracle_read, &extraction);
	oracle_print(&extraction, &want);
	bb_arena_fini(&arena);
	expect_same(&got, &want);
	return 0;
}
