/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mistakes on purpose, for tests only: this header is included, and failpoint.c has content, only
 * where BB_FAILPOINTS is defined. The environment variable BB_FAILPOINT names the mistake.
 */
#ifndef BB_INGEST_FAILPOINT_H
#define BB_INGEST_FAILPOINT_H

#define BB_FAILPOINTS_LIST(X)                                                                      \
	X(NONE, "none")                                                                            \
	X(OFFSET_BEFORE_DATA, "offset-before-data")                                                \
	X(OFFSET_AFTER_DATA, "offset-after-data")

enum bb_failpoint {
#define X(name, text) BB_FAILPOINT_##name,
	BB_FAILPOINTS_LIST(X)
#undef X
};

/* An unknown name aborts: a test that asks for nothing would prove nothing. */
enum bb_failpoint bb_failpoint_chosen(void);

/* Between the two transactions: time enough for a kill to fall there. */
void bb_failpoint_pause(void);

#endif
