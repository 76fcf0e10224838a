/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a text and printing what came of it. */
#ifndef BB_TEST_YAML_HELPERS_H
#define BB_TEST_YAML_HELPERS_H

#include <backbone/yaml.h>

/* Reads `text` as the file `t.yaml`, into memory that lives until the test ends. */
struct bb_yaml *read_text(struct bb_text text);

/* The diagnostics of the last read_text, one a line. */
const char *complaints(void);

/* The tree on one line: {key:value,...}, [item,...], scalars in double quotes if quoted. */
const char *shape(const struct bb_yaml *node);

#endif
