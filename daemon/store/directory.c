/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store's directory holds FORMAT (text, written and synced before anything else), LOCK (the
 * writer's flock; its content is the writer's process id, for people), and LMDB's data.mdb and
 * lock.mdb. Claiming it: look, lock, look again, then write FORMAT beside and rename it.
 *
 * A crash on the way leaves LOCK or FORMAT.new alone, which still counts as empty. Anything else
 * without a FORMAT file is somebody else's, and is not touched.
 */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAGIC "backbone store"
#define FORMAT_BYTES_MAX 256
#define FULL_BYTES (1024 * 1024) /* with less than this free, an EIO means a full disk */

enum content { CONTENT_NONE, CONTENT_EMPTY, CONTENT_FORMAT, CONTENT_FOREIGN };

int bb_directory_errno(const char *path, int error)
{
	struct statvfs fs;

	if (error == ENOSPC || error == EDQUOT)
		return BB_ENOSPC;
	if (error == EIO && statvfs(path, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < FULL_BYTES)
		return BB_ENOSPC;
	return BB_EIO;
}

static int fail(const char *path, const char *what, struct bb_error *err)
{
	int error = errno;

	return bb_error_set(err, bb_directory_errno(path, error), "%s: cannot %s: %s", path, what,
			    strerror(error));
}

/* Names that may lie in a directory without making it a foreign one. */
static bool harmless(const char *name)
{
	static const char *const names[] = {".", "..", "LOCK", "FORMAT.new", "lost+found"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* A link whose target is not there: mostly a disk that is not mounted, so nothing is made there. */
static bool is_dangling(const char *path, char ret_target[PATH_MAX])
{
	char name[PATH_MAX];
	int n = snprintf(name, sizeof name, "%s", path);
	ssize_t bytes;

	if (n <= 0 || n >= (int)sizeof name)
		return false;
	while (n > 1 && name[n - 1] == '/') /* behind a slash the link itself cannot be seen */
		name[--n] = '\0';
	bytes = readlink(name, ret_target, PATH_MAX - 1);
	if (bytes > 0)
		ret_target[bytes] = '\0';
	return bytes > 0;
}

static int survey(const char *path, enum content *ret_content, char ret_foreign[256],
		  struct bb_error *err)
{
	DIR *dir = opendir(path);
	char target[PATH_MAX];
	struct dirent *entry;

	if (!dir && errno == ENOENT && is_dangling(path, target))
		return bb_error_set(err, BB_EIO,
				    "%s is a link to %s, which does not exist: mount or make that "
				    "directory, or remove the link",
				    path, target);
	if (!dir && errno == ENOENT) {
		*ret_content = CONTENT_NONE;
		return BB_OK;
	}
	if (!dir)
		return fail(path, "read the directory", err);
	*ret_content = CONTENT_EMPTY;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, "FORMAT") == 0) {
			*ret_content = CONTENT_FORMAT;
			break;
		}
		if (!harmless(entry->d_name)) {
			*ret_content = CONTENT_FOREIGN;
			snprintf(ret_foreign, 256, "%s", entry->d_name);
		}
	}
	closedir(dir);
	return BB_OK;
}

static int read_small(const char *path, const char *name, char ret_text[FORMAT_BYTES_MAX])
{
	char file[4096];
	ssize_t n;
	int fd;

	if (snprintf(file, sizeof file, "%s/%s", path, name) >= (int)sizeof file) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, ret_text, FORMAT_BYTES_MAX - 1);
	close(fd);
	if (n < 0)
		return -1;
	ret_text[n] = '\0';
	return 0;
}

static int check_format(const char *path, struct bb_error *err)
{
	char text[FORMAT_BYTES_MAX], *line, *end, *made_by;
	unsigned long format;

	if (read_small(path, "FORMAT", text) != 0)
		return fail(path, "read FORMAT", err);
	if (strncmp(text, MAGIC "\nformat ", sizeof MAGIC "\nformat " - 1) != 0)
		return bb_error_set(err, BB_EFORMAT,
				    "%s/FORMAT does not begin with \"" MAGIC
				    "\": this is not a store; name another directory",
				    path);
	line = text + sizeof MAGIC "\nformat " - 1;
	format = strtoul(line, &end, 10);
	if (*line < '1' || *line > '9' || *end != '\n')
		return bb_error_set(err, BB_EFORMAT,
				    "%s/FORMAT has no format number in its second line: restore "
				    "the store from a backup",
				    path);
	if (format <= BB_DIRECTORY_FORMAT)
		return BB_OK;
	made_by = strstr(end, "made-by ");
	if (made_by)
		made_by[strcspn(made_by, "\n")] = '\0';
	return bb_error_set(err, BB_EFORMAT,
			    "%s is a store of format %lu (made by version %s); this program reads "
			    "up to format %d: use that version or a newer one",
			    path, format, made_by ? made_by + strlen("made-by ") : "unknown",
			    BB_DIRECTORY_FORMAT);
}

static int foreign(const char *path, const char *name, struct bb_error *err)
{
	return bb_error_set(err, BB_EFORMAT,
			    "%s holds \"%s\" but no FORMAT file: this is not a store; name an "
			    "empty directory, or one that does not exist yet",
			    path, name);
}

static int refuse(const char *path, enum content content, const char *name, struct bb_error *err)
{
	if (content == CONTENT_FOREIGN)
		return foreign(path, name, err);
	return content == CONTENT_FORMAT ? check_format(path, err) : BB_OK;
}

static int lock(const char *path, int dir, int *ret_lock, struct bb_error *err)
{
	char owner[FORMAT_BYTES_MAX] = "";
	int fd = openat(dir, "LOCK", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fail(path, "open LOCK", err);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		if (error != EWOULDBLOCK)
			return fail(path, "lock LOCK", err);
		if (read_small(path, "LOCK", owner) != 0)
			owner[0] = '\0';
		owner[strcspn(owner, "\n")] = '\0';
		return bb_error_set(err, BB_EBUSY,
				    "%s is in use by another daemon (process %s): stop it first, "
				    "or give this one a directory of its own",
				    path, owner[0] ? owner : "unknown");
	}
	/* For people only: a full disk is no reason to fail here. */
	if (ftruncate(fd, 0) == 0 && dprintf(fd, "%ld\n", (long)getpid()) < 0)
		errno = 0;
	*ret_lock = fd;
	return BB_OK;
}

static int write_format(const char *path, int dir, struct bb_error *err)
{
	int fd = openat(dir, "FORMAT.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
			0600);
	bool ok;

	if (fd < 0)
		return fail(path, "create FORMAT", err);
	ok = dprintf(fd, MAGIC "\nformat %d\nmade-by %s\n", BB_DIRECTORY_FORMAT, BB_VERSION) > 0 &&
	     fsync(fd) == 0;
	if (close(fd) != 0 || !ok)
		return fail(path, "write FORMAT", err);
	if (renameat(dir, "FORMAT.new", dir, "FORMAT") != 0 || fsync(dir) != 0)
		return fail(path, "write FORMAT", err);
	return BB_OK;
}

/* Makes the directory's own entry durable. */
static int sync_parent(const char *path, struct bb_error *err)
{
	char parent[4096];
	int n = snprintf(parent, sizeof parent, "%s", path), fd, rc;

	if (n >= (int)sizeof parent)
		return bb_error_set(err, BB_EIO, "the path of the store is too long");
	while (n > 1 && parent[n - 1] == '/')
		parent[--n] = '\0';
	while (n > 0 && parent[n - 1] != '/')
		parent[--n] = '\0';
	fd = open(n ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -1 : fsync(fd);
	if (rc != 0)
		rc = fail(path, "sync the parent directory", err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int make(const char *path, struct bb_error *err)
{
	if (mkdir(path, 0700) == 0)
		return sync_parent(path, err);
	return errno == EEXIST ? BB_OK : fail(path, "make the directory", err);
}

int bb_directory_claim(const char *path, int *ret_lock, struct bb_error *err)
{
	enum content content = CONTENT_NONE;
	char name[256] = "";
	int dir = -1, fd = -1, rc;

	rc = survey(path, &content, name, err);
	if (rc == BB_OK)
		rc = refuse(path, content, name, err);
	if (rc == BB_OK && content == CONTENT_NONE)
		rc = make(path, err);
	if (rc != BB_OK)
		return rc;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail(path, "open the directory", err);
	rc = lock(path, dir, &fd, err);
	if (rc == BB_OK) /* again: another process may have been quicker */
		rc = survey(path, &content, name, err);
	if (rc == BB_OK)
		rc = refuse(path, content, name, err);
	if (rc == BB_OK && content != CONTENT_FORMAT)
		rc = write_format(path, dir, err);
	close(dir);
	if (rc == BB_OK)
		*ret_lock = fd;
	else if (fd >= 0)
		close(fd);
	return rc;
}

int bb_directory_check(const char *path, struct bb_error *err)
{
	enum content content = CONTENT_NONE;
	char name[256] = "";
	int rc = survey(path, &content, name, err);

	if (rc != BB_OK)
		return rc;
	if (content == CONTENT_FOREIGN)
		return foreign(path, name, err);
	if (content != CONTENT_FORMAT)
		return bb_error_set(err, BB_ENOTFOUND,
				    "%s: there is no store here; is this the path the daemon uses?",
				    path);
	return check_format(path, err);
}
