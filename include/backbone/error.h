/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of the world (disk, broker, peer, configuration): negative codes from one list. Bugs are
 * assertions (assert.h), bad events are verdicts (event.h); the three never mix.
 */
#ifndef BACKBONE_ERROR_H
#define BACKBONE_ERROR_H

#define BB_ERRORS(X)                                                                               \
	X(EINVAL, -1, "invalid argument")                                                          \
	X(ENOTFOUND, -2, "not found")                                                              \
	X(EIO, -3, "input/output error")                                                           \
	X(ENOSPC, -4, "no space left: disk, quota or map is full")                                 \
	X(ECORRUPT, -5, "stored bytes are damaged")                                                \
	X(EFORMAT, -6, "not a store of ours, or of a newer format")                                \
	X(EKEY, -7, "the profile key is not the one of this store")                                \
	X(EBUSY, -8, "in use by another process")                                                  \
	X(ECONFIG, -9, "the configuration is wrong")                                               \
	X(EKAFKA, -10, "the broker does not answer as it should")                                  \
	X(ELIMIT, -11, "a limit is reached")                                                       \
	X(EACCESS, -12, "not allowed")                                                             \
	X(EGAP, -13, "the log does not continue where the store left off")                         \
	X(EUNREACHABLE, -14, "the daemon is not reachable")

enum bb_error_code {
	BB_OK = 0,
#define X(name, value, text) BB_##name = (value),
	BB_ERRORS(X)
#undef X
};

/* Where start-up and configuration errors tell people what is wrong and what to do next. */
struct bb_error {
	int code;	/* BB_OK or a BB_E* */
	char msg[1024]; /* one line, no line feed, always terminated */
};

#define BB_MUST_CHECK __attribute__((warn_unused_result))

/* The text of a code of the list; static storage. */
const char *bb_error_text(int code);

/* Fills `err` (may be NULL) and returns `code`, so that a caller can `return bb_error_set(...)`. */
int bb_error_set(struct bb_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
