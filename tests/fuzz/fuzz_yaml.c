/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: any bytes are either a connector or at least one diagnostic with a place in the
 * file, never a crash. The compiler of connectors reads the tree of the same loader that reads the
 * daemon's own file.
 */
#include "fuzz.h"

#include <backbone/assert.h>
#include <backbone/yaml.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct bb_text text = {(const char *)data, n};
	struct bb_connector *connector;
	struct bb_diagnostics diagnostics;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics = (struct bb_diagnostics){.arena = &arena};
	connector = bb_connector_compile("fuzz.yaml", text, NULL, &diagnostics);
	bb_assert(connector || diagnostics.n > 0);
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_assert(diagnostics.items[i].line > 0 && diagnostics.items[i].column > 0);
		bb_diagnostic_print(&diagnostics.items[i], &buf);
	}
	bb_buf_fini(&buf);
	bb_connector_free(connector);
	bb_arena_fini(&arena);
	return 0;
}
