/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files, read whole. What is none (a pipe, a device, a socket) is refused at once: opening
 * or reading it may wait for ever, and the daemon would hang with it. The size is bounded while
 * reading, as the size that the file system tells may mean nothing.
 */
#ifndef BACKBONE_REGULAR_H
#define BACKBONE_REGULAR_H

#include <backbone/buf.h>
#include <backbone/error.h>

#include <stddef.h>

/* Appends the file's bytes. BB_OK; BB_EIO: it cannot be read, or is no regular file; BB_ELIMIT: it
 * has more bytes than `most`. `err` names the path and the reason; then `buf` may hold a part. */
BB_MUST_CHECK int bb_regular_read(const char *path, size_t most, struct bb_buf *buf,
				  struct bb_error *err);

#endif
