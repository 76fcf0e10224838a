/* SPDX-License-Identifier: Apache-2.0 */
/* Runs backbonectl inside the test, with files in a temporary folder. */
#ifndef TEST_CTL_RUN_H
#define TEST_CTL_RUN_H

#include <criterion/criterion.h>
#include <stdio.h>

extern char run_folder[64];	/* of the test */
extern char *run_out, *run_err; /* of the last run, terminated */

void run_open(void);  /* the folder, and a configuration `b.yaml` in it */
void run_close(void); /* removes it */

/* The same, and the store with these events and what `more` (or NULL) writes; no daemon has it. */
struct bb_kv;
void run_open_store(const char *const *events, size_t n, void (*more)(struct bb_kv *kv));

/* The exit code of `backbonectl ARGS...`; NULL-terminated. */
int run(const char *first, ...) __attribute__((sentinel));

/* With --config b.yaml. */
int run_with_config(const char *first, ...) __attribute__((sentinel));

/* Writes a file of the folder; returns its path, good for the next dozen of calls. */
const char *run_file(const char *name, const char *content);
const char *run_path(const char *name);

#define RUN_TEST(name) Test(ctl, name, .init = run_open, .fini = run_close)

#endif
