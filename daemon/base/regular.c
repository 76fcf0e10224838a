/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opened without waiting, looked at, read to its end. A pipe that nobody writes into would be
 * waited for in open(), a terminal in read(); O_NONBLOCK and the look at its kind keep both away.
 * Every failure is the system's own reason, after the path.
 */
#include <backbone/regular.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)16384)

/* 0, or the reason. */
static int read_all(int fd, size_t most, struct bb_buf *buf)
{
	for (size_t total = 0;;) {
		ssize_t n = read(fd, bb_buf_reserve(buf, CHUNK), CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : 0;
		total += (size_t)n;
		if (total > most)
			return EFBIG;
		buf->n += (size_t)n;
	}
}

int bb_regular_read(const char *path, size_t most, struct bb_buf *buf, struct bb_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int why = fd < 0 ? errno : 0;
	struct stat st = {0};

	if (fd >= 0 && fstat(fd, &st) != 0)
		why = errno;
	else if (fd >= 0 && S_ISREG(st.st_mode))
		why = read_all(fd, most, buf);
	else if (fd >= 0 && S_ISDIR(st.st_mode))
		why = EISDIR;
	if (fd >= 0)
		close(fd);
	if (why == EFBIG)
		return bb_error_set(err, BB_ELIMIT, "%s: larger than %zu bytes", path, most);
	if (why != 0)
		return bb_error_set(err, BB_EIO, "%s: %s", path, strerrordesc_np(why));
	if (!S_ISREG(st.st_mode))
		return bb_error_set(err, BB_EIO,
				    "%s: not a regular file (a pipe, a device or a socket): write "
				    "what it gives into a file, and name that",
				    path);
	return BB_OK;
}
