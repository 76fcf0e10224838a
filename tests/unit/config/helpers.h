/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for each test, in which it runs, so that messages name plain files. */
#ifndef BB_TEST_CONFIG_HELPERS_H
#define BB_TEST_CONFIG_HELPERS_H

#include <backbone/config.h>

/* What every configuration must say, for tests of something else. */
#define KEY "profile_key: 00112233445566778899aabbccddeeff\n"
#define BASE KEY "identity: {namespaces: [{name: email}]}\n"

/* A connector that compiles. */
#define CONNECTOR(name, topic)                                                                     \
	"connector: " name "\nchannel: pos\ntopics: [" topic "]\nformat: json\nevents:\n"          \
	"  - name: order\n    type: order_placed\n    identify: [{ns: email, from: '$.e'}]\n"

void folder_begin(void); /* .init */
void folder_end(void);	 /* .fini: removes it */
const char *folder(void);

/* Writes a file below the folder; makes the folders on the way. */
void file_write(const char *path, const char *content);

/* Loads `backbone.yaml` with this text. NULL if it is refused; complaints() says why. */
struct bb_config *load(const char *yaml);
int load_file(const char *path, struct bb_config **ret_config);

/* Of the last load: diagnostics, one a line, and the error's message. */
const char *complaints(void);
const char *load_error(void);

#endif
