/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extractor against its oracle: the reader and jansson must have the same document, or the same
 * reason at the same byte; the projection and the walk along the paths the same events to the last
 * warning.
 *
 * Plans are those of differential/ and extract/ here, of the cases of all operators, and of the
 * shipped connectors.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <stdio.h>

#include "oracle.h"
#include "plans.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	plans_load("tests/fuzz/differential/*.yaml");
	plans_load("tests/fuzz/extract/*.yaml");
	plans_load("tests/unit/engine/cases/*.case");
	plans_load("connectors/*/*/connector.yaml");
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
	struct bb_message msg;
	struct bb_buf got = BB_BUF_EMPTY, want = BB_BUF_EMPTY;
	const struct bb_connector *connector;
	struct bb_extraction extraction;
	struct bb_arena arena;

	if (n < PLANS_BYTES)
		return 0;
	connector = plans_choose(data, n, &msg);
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
