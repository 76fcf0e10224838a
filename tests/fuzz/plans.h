/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connectors of the fuzzers that read messages, and what comes along with a message: the first
 * byte of an input chooses a connector, the second the headers, and whether the first line is the
 * heading of a file; the rest is the message.
 */
#ifndef BB_TESTS_PLANS_H
#define BB_TESTS_PLANS_H

#include <backbone/connector.h>

#define PLANS_BYTES 2 /* before the message */

/* Those of all files that a pattern below the source folder names; one that is wrong is a bug. */
void plans_load(const char *pattern);

/* The connector and the message of an input of at least PLANS_BYTES; it borrows the bytes. */
const struct bb_connector *plans_choose(const uint8_t *data, size_t n, struct bb_message *ret_msg);

#endif
