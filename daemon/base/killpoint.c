/* SPDX-License-Identifier: Apache-2.0 */
/* Kills the process at the chosen point, or waits there. Empty in the product. */
#ifdef BB_FAILPOINTS
#include <backbone/killpoint.h>

#include <backbone/assert.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_a_point(const char *name)
{
	static const char *const names[] = {
		"copy-begun",	      "copy-half",	 "copy-done",
		"before-renames",     "between-renames", "after-renames",
		"before-old-goes",    "after-old-goes",	 "core.changes",
		"core.identifiers",   "core.profiles",	 "core.ledger",
		"core.window",	      "core.counters",	 "batch.before-commit",
		"batch.after-commit", "order.done",	 "order.before-commit",
		"order.after-commit", "rebuild-begun",	 "rebuild-reading",
		"rebuild-caught-up",  "rebuild-carried"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void bb_killpoint(const char *name)
{
	const char *chosen = getenv("BB_KILL_AT");

	bb_assert(is_a_point(name) && (!chosen || is_a_point(chosen)));
	if (chosen && strcmp(chosen, name) == 0)
		raise(SIGKILL);
}

void bb_holdpoint(const char *name)
{
	const char *chosen = getenv("BB_HOLD_AT");
	size_t n = strlen(name);
	char byte;
	int fd;

	if (!chosen || strncmp(chosen, name, n) != 0 || chosen[n] != '=')
		return;
	fd = open(chosen + n + 1, O_RDONLY | O_CLOEXEC); /* returns when the test has opened it */
	bb_assert(fd >= 0);
	while (read(fd, &byte, 1) > 0)
		;
	close(fd);
}
#else
typedef int bb_killpoint_none; /* an empty file is not C */
#endif
