/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of connectors share: rules, files, and a run as lines of text. */
#ifndef BB_TEST_ENGINE_FIXTURE_H
#define BB_TEST_ENGINE_FIXTURE_H

#include <backbone/connector.h>

/* Namespaces shop_customer (owner), email, phone (normalised as such); attribute points: max. */
const struct bb_rules *fixture_rules(void);

/* The content of a file below tests/unit/engine; the caller releases it. */
struct bb_buf fixture_file(const char *name);

/* Names of the files with that ending in a folder below tests/unit/engine, sorted; in the arena. */
struct bb_names_list {
	const char **items;
	size_t n, room;
};
struct bb_names_list fixture_list(struct bb_arena *arena, const char *folder, const char *ending);

/* Diagnostics, a line each. */
void fixture_print_diagnostics(const struct bb_diagnostics *diagnostics, struct bb_buf *buf);

/* Items of an extraction, a line each: an event as it is before the gate, `skip ...`, `refused
 * ...`. */
void fixture_print_extraction(const struct bb_extraction *extraction, struct bb_buf *buf);

#endif
