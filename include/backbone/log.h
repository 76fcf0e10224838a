/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log lines to stderr: `<n>event key=value ...` with syslog priorities. No personal
 * data: profile ids and keyed hashes only. Callable from any thread; one write(2) a line. A line
 * that repeats (same event name) is limited to BB_LOG_BURST per ten seconds; what was dropped is
 * said.
 */
#ifndef BACKBONE_LOG_H
#define BACKBONE_LOG_H

enum bb_log_level {
	BB_LOG_ERROR = 3,
	BB_LOG_WARNING = 4,
	BB_LOG_NOTICE = 5,
	BB_LOG_INFO = 6,
	BB_LOG_DEBUG = 7
};

#define BB_LOG_BURST 50

void bb_log_level_set(enum bb_log_level most);

/* bb_log(BB_LOG_INFO, "partition_assigned", "topic=%s partition=%d", topic, partition); */
void bb_log(enum bb_log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
