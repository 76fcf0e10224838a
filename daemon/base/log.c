/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is built on the stack and written with one write(2), so that lines of several threads
 * never mix. Control characters become `?` (no value can begin a line of its own), a line that is
 * too long ends in `...`. If stderr cannot take it, the line is lost: there is nobody left to tell.
 */
#include <backbone/log.h>

#include <backbone/clock.h>

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "log_limit.h"

#define LINE_BYTES 2048

static _Atomic int level_most = BB_LOG_INFO;
static struct bb_log_limit limit;

void bb_log_level_set(enum bb_log_level most)
{
	atomic_store(&level_most, (int)most);
}

static void write_line(char *line, int n)
{
	size_t left = n < LINE_BYTES ? (size_t)n : LINE_BYTES;

	if (n >= LINE_BYTES)
		memcpy(line + LINE_BYTES - 4, "...", 3);
	for (size_t i = 0; i + 1 < left; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[left - 1] = '\n';
	while (left) {
		ssize_t done = write(STDERR_FILENO, line, left);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		line += done;
		left -= (size_t)done;
	}
}

void bb_log(enum bb_log_level level, const char *event, const char *fmt, ...)
{
	char line[LINE_BYTES + 1];
	uint32_t dropped;
	va_list args;
	int n, more;

	if ((int)level > atomic_load(&level_most) ||
	    !bb_log_limit_admit(&limit, event, (int64_t)(bb_clock_monotonic_ns() / 1000000),
				&dropped))
		return;
	if (dropped) {
		n = snprintf(line, sizeof line, "<%d>log_dropped event=%s lines=%u ",
			     BB_LOG_WARNING, event, dropped);
		write_line(line, n);
	}
	n = snprintf(line, sizeof line, "<%d>%s ", (int)level, event);
	if (n > 0 && n < LINE_BYTES) {
		va_start(args, fmt);
		more = vsnprintf(line + n, sizeof line - (size_t)n, fmt, args);
		va_end(args);
		n = more > 0 ? n + more + 1 : n;
	}
	if (n > 0)
		write_line(line, n);
}
