/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a second store: a folder `next` inside the store's directory, with data.mdb and
 * lock.mdb. It is made empty, removed with all that is in it, or its files take the names of the
 * first store's.
 *
 * Taking the names is two renames. lock.mdb goes first. Killed between them, the old data lies
 * beside a lock file that nobody has open, and LMDB makes that anew at the next start. The other
 * way round, a tool that still had the old lock file open could make the new data's writer begin
 * at a commit that never was. The gate keeps tools from opening one file of each.
 */
#include "directory.h"

#include <backbone/killpoint.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char data_file[] = "data.mdb", lock_file[] = "lock.mdb";

static int fail(const char *path, const char *what, struct bb_error *err)
{
	int error = errno;

	return bb_error_set(err, bb_directory_errno(path, error), "%s: cannot %s: %s", path, what,
			    strerror(error));
}

static int open_directory(const char *path, struct bb_error *err, int *ret_fd)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd < 0 ? fail(path, "open the directory", err) : BB_OK;
}

static bool unlink_below(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT;
}

int bb_directory_remove_next(const char *path, struct bb_error *err)
{
	int dir = -1, next = -1, rc = open_directory(path, err, &dir);

	if (rc != BB_OK)
		return rc;
	next = openat(dir, BB_DIRECTORY_NEXT, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (next < 0 && errno == ENOENT)
		goto out;
	if (next < 0 || !unlink_below(next, data_file) || !unlink_below(next, lock_file) ||
	    unlinkat(dir, BB_DIRECTORY_NEXT, AT_REMOVEDIR) != 0)
		rc = fail(path, "remove what is left in the folder next", err);
out:
	if (next >= 0)
		close(next);
	close(dir);
	return rc;
}

int bb_directory_make_next(const char *path, struct bb_error *err)
{
	int dir, rc = open_directory(path, err, &dir);

	if (rc != BB_OK)
		return rc;
	if (mkdirat(dir, BB_DIRECTORY_NEXT, 0700) != 0)
		rc = fail(path, "make the folder next", err);
	close(dir);
	return rc;
}

int bb_directory_gate(const char *path, bool exclusive, int *ret_fd, struct bb_error *err)
{
	int fd, rc = open_directory(path, err, &fd);

	if (rc != BB_OK)
		return rc;
	if (flock(fd, exclusive ? LOCK_EX | LOCK_NB : LOCK_SH) == 0) {
		*ret_fd = fd;
		return BB_OK;
	}
	if (errno == EWOULDBLOCK)
		rc = bb_error_set(err, BB_EBUSY, "%s: a tool is just opening the store", path);
	else
		rc = fail(path, "lock the directory", err);
	close(fd);
	return rc;
}

int bb_directory_take_next(const char *path, struct bb_error *err)
{
	int next = -1, dir, rc = open_directory(path, err, &dir);

	if (rc != BB_OK)
		return rc;
	next = openat(dir, BB_DIRECTORY_NEXT, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	bb_killpoint("before-renames");
	if (next < 0 || renameat(next, lock_file, dir, lock_file) != 0) {
		rc = fail(path, "give the second store its place", err);
		goto out;
	}
	bb_killpoint("between-renames");
	if (renameat(next, data_file, dir, data_file) != 0)
		rc = fail(path, "give the second store its place", err);
	bb_killpoint("after-renames");
out:
	if (next >= 0)
		close(next);
	close(dir);
	return rc;
}

int bb_directory_sync(const char *path, struct bb_error *err)
{
	int dir, rc = open_directory(path, err, &dir);

	if (rc != BB_OK)
		return rc;
	if (fsync(dir) != 0)
		rc = fail(path, "sync the directory", err);
	close(dir);
	return rc;
}
