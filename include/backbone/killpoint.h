/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which a test lets the process be killed, as if by SIGKILL from outside. They are there
 * only where BB_FAILPOINTS is defined; the environment variable BB_KILL_AT names the point.
 *
 * Thread: any.
 */
#ifndef BACKBONE_KILLPOINT_H
#define BACKBONE_KILLPOINT_H

#ifdef BB_FAILPOINTS
/* An unknown name in the variable aborts: a test that asks for nothing would prove nothing. */
void bb_killpoint(const char *name);
#else
static inline void bb_killpoint(const char *name)
{
	(void)name;
}
#endif

#endif
