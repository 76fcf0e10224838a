/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which a test lets the process be killed, as if by SIGKILL from outside. They are there
 * only where BB_FAILPOINTS is defined; the environment variable BB_KILL_AT names the point.
 */
#ifndef BB_STORE_FAILPOINT_H
#define BB_STORE_FAILPOINT_H

#ifdef BB_FAILPOINTS
/* An unknown name in the variable aborts: a test that asks for nothing would prove nothing. */
void bb_failpoint(const char *name);
#else
static inline void bb_failpoint(const char *name)
{
	(void)name;
}
#endif

#endif
