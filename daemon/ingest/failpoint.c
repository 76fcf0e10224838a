/* SPDX-License-Identifier: Apache-2.0 */
/* The chosen mistake, read once from the environment. Empty in the product. */
#ifdef BB_FAILPOINTS
#include "failpoint.h"

#include <backbone/assert.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAUSE_NS 20000000L

enum bb_failpoint bb_failpoint_chosen(void)
{
	static const char *const names[] = {
#define X(name, text) text,
		BB_FAILPOINTS_LIST(X)
#undef X
	};
	const char *chosen = getenv("BB_FAILPOINT");

	if (!chosen)
		return BB_FAILPOINT_NONE;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(chosen, names[i]) == 0)
			return (enum bb_failpoint)i;
	bb_assert(!"BB_FAILPOINT names no failpoint");
	return BB_FAILPOINT_NONE;
}

void bb_failpoint_pause(void)
{
	struct timespec pause = {0, PAUSE_NS};

	nanosleep(&pause, NULL);
}
#else
typedef int bb_failpoint_none; /* an empty file is not C */
#endif
