/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failed assertion writes one log line and aborts: the core dump, if there is one, shows the
 * state in which the bug was noticed, and the supervisor starts the process again. Only functions
 * that are safe in a half-broken process are used: a buffer on the stack and write(2).
 */
#include <backbone/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void bb_assert_fail(const char *what, const char *file, int line)
{
	char text[512];
	int n = snprintf(text, sizeof text, "<2>bug at=%s:%d assertion=\"%s\"\n", file, line, what);

	if (n >= (int)sizeof text) {
		n = sizeof text;
		text[n - 1] = '\n';
	}
	if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
		abort(); /* nobody listens; the abort itself still says it */
	abort();
}
