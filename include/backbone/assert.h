/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions that stay in release builds. A failed one is a bug of ours: the process aborts and the
 * supervisor restarts it. Never used on anything that the outside can cause.
 */
#ifndef BACKBONE_ASSERT_H
#define BACKBONE_ASSERT_H

_Noreturn void bb_assert_fail(const char *what, const char *file, int line);

#define bb_assert(what) ((what) ? (void)0 : bb_assert_fail(#what, __FILE__, __LINE__))

#endif
