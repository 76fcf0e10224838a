/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which a test lets the process be killed, as if by SIGKILL from outside. They are there
 * only where BB_FAILPOINTS is defined; the environment variable BB_KILL_AT names the point. And
 * such at which a thread waits for the test: BB_HOLD_AT is NAME=PIPE, a named pipe.
 *
 * Thread: any.
 */
#ifndef BACKBONE_KILLPOINT_H
#define BACKBONE_KILLPOINT_H

#ifdef BB_FAILPOINTS
/* An unknown name in the variable aborts: a test that asks for nothing would prove nothing. */
void bb_killpoint(const char *name);

/* Until the test has opened the pipe for writing, by which it knows that the thread is here, and
 * has closed it. */
void bb_holdpoint(const char *name);
#else
static inline void bb_killpoint(const char *name)
{
	(void)name;
}

static inline void bb_holdpoint(const char *name)
{
	(void)name;
}
#endif

#endif
