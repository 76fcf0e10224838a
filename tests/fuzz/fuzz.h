/* SPDX-License-Identifier: Apache-2.0 */
/* What libFuzzer, or driver.c in its place, calls. */
#ifndef BB_TESTS_FUZZ_H
#define BB_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);	   /* once, before the first input */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n); /* always 0 */

#endif
