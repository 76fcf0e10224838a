/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of files share: some files, a source of them, and what the store knows of them. */
#ifndef BB_TEST_REPLAY_RIG_H
#define BB_TEST_REPLAY_RIG_H

#include <backbone/replay.h>

#define FILES 3

extern char paths[FILES][96];
extern struct bb_resume stored[FILES];
extern struct bb_connector *connector;
extern struct bb_source *source;
extern struct bb_arena arena;
extern struct bb_error err;

void setup(void);
void teardown(void);
void write_file(int i, const char *mode, const char *bytes);
void write_long(size_t n); /* a line of that many bytes, into the first file */
void open_source(size_t n);
int take(struct bb_delivery *out, size_t room, size_t *ret_n);

/* Takes the next line, which must be that one, and lets the store know it. */
void expect_line(int file, int64_t number, const char *text);
void take_long(int64_t number, size_t bytes);
void expect_nothing(void);
void expect_gap(const char *words);

#endif
