/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is opened without waiting (it may be a pipe), and its place is found: that of the store,
 * later the one that was reached. The line before is read again, and must be the same.
 *
 * While it is read: its size, its time of writing and the file under its path say whether there is
 * reason to look at that line again. What does not fit is a gap, for good; what cannot be read is
 * said and tried again.
 */
#include "history.h"

#include <backbone/assert.h>
#include <backbone/hash.h>
#include <backbone/record.h>
#include <backbone/replay.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *path_of(const struct bb_history *file)
{
	return file->topic + strlen("file:");
}

int bb_history_gap(struct bb_history *file, const char *what, struct bb_error *err)
{
	file->gap = true;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	return bb_error_set(err, BB_EGAP,
			    "%s: %s" BB_GAP_ADVICE
			    "put the file back as it was, or stop the daemon, run `backboned "
			    "--config FILE --accept-gap %s/0` to "
			    "read it from its first line, start it again",
			    path_of(file), what, file->topic);
}

int bb_history_unreadable(struct bb_history *file, struct bb_error *err)
{
	char reason[128];

	file->unreadable = true;
	return bb_error_set(err, BB_EIO, "%s: %s", path_of(file),
			    strerror_r(errno, reason, sizeof reason));
}

/* Whether the last line that was read is still there. */
static int check_last(struct bb_history *file, struct bb_error *err)
{
	const struct bb_place *place = &file->last;
	char *bytes = malloc(place->bytes + 1);
	struct bb_hash hash;
	int code = BB_OK;
	ssize_t got;

	bb_assert(bytes);
	got = pread(file->fd, bytes, place->bytes, (off_t)place->start);
	hash = bb_place_hash(bb_text_bytes(bytes, place->bytes));
	if (got < 0)
		code = bb_history_unreadable(file, err);
	else if ((size_t)got != place->bytes || !bb_hash_equal(&hash, &place->hash))
		code = bb_history_gap(file, "the last line that was read of it has changed", err);
	free(bytes);
	return code;
}

static int go_to(struct bb_history *file, const struct bb_place *place, int64_t next_line,
		 struct bb_error *err)
{
	if ((uint64_t)file->seen.st_size < place->next)
		return bb_history_gap(file, "it is shorter than what was read of it", err);
	file->line = next_line + place->more;
	if (place->cut) /* the rest of a cut line counts it */
		file->line--;
	file->start = place->next;
	file->skipping = place->cut;
	file->unended = place->unended;
	file->last = *place;
	file->has_last = file->is_hashed = true;
	return check_last(file, err);
}

static int find_place(struct bb_history *file, bb_resume_fn *resume, void *ctx,
		      struct bb_error *err)
{
	struct bb_resume at = {0};
	struct bb_place place;
	struct bb_arena arena;
	int code = BB_OK;

	bb_arena_init(&arena);
	bb_assert(resume(ctx, bb_text_of(file->topic), 0, &arena, &at) == BB_OK);
	file->line = 0;
	file->start = 0;
	if (at.known && at.next_offset >= 0) {
		if (bb_place_decode(at.token, &place))
			code = go_to(file, &place, at.next_offset, err);
		else
			code = bb_history_gap(
				file, "the store does not know where its lines were left", err);
	}
	bb_arena_fini(&arena);
	return code;
}

static int open_path(struct bb_history *file, struct bb_error *err)
{
	file->fd = open(path_of(file), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &file->seen))
		return bb_history_unreadable(file, err);
	if (S_ISREG(file->seen.st_mode))
		return BB_OK;
	file->unreadable = true;
	return bb_error_set(err, BB_EIO, "%s: not a regular file", path_of(file));
}

int bb_history_heading(struct bb_history *file, const struct bb_connector *connector,
		       struct bb_error *err)
{
	char *bytes;
	struct bb_text first;
	int code = BB_OK;
	ssize_t got;

	if (!bb_connector_has_heading(connector))
		return BB_OK;
	bytes = malloc(BB_REPLAY_LINE_MAX);
	bb_assert(bytes);
	got = pread(file->fd, bytes, BB_REPLAY_LINE_MAX, 0);
	if (got < 0) {
		code = bb_history_unreadable(file, err);
	} else if (got > 0) {
		first = bb_text_bytes(bytes, (size_t)got);
		bb_connector_record(connector, first, &first.n);
		if (!file->has_heading)
			bb_buf_text(&file->heading, first);
		else if (!bb_text_equal(first, bb_buf_slice(&file->heading)))
			code = bb_history_gap(file, "its header line has changed", err);
		file->has_heading = true;
	}
	free(bytes);
	return code;
}

static void close_file(struct bb_history *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->opened = false;
}

int bb_history_open(struct bb_history *file, bb_resume_fn *resume, void *ctx, struct bb_error *err)
{
	int code = open_path(file, err);

	if (!code && !file->placed)
		code = find_place(file, resume, ctx, err);
	else if (!code && (uint64_t)file->seen.st_size < file->start)
		code = bb_history_gap(
			file, "it was replaced by one that is shorter than what was read of it",
			err);
	else if (!code && file->has_last)
		code = check_last(file, err);
	if (code)
		close_file(file);
	else
		file->opened = file->placed = true;
	return code;
}

int bb_history_look(struct bb_history *file, uint64_t read_to, bool *ret_is_replaced,
		    struct bb_error *err)
{
	struct stat before = file->seen, *now = &file->seen;

	*ret_is_replaced = false;
	if (stat(path_of(file), now)) {
		int code = bb_history_unreadable(file, err);

		close_file(file);
		return code;
	}
	if (now->st_ino != before.st_ino || now->st_dev != before.st_dev) {
		close_file(file);
		*ret_is_replaced = true;
		return BB_OK;
	}
	if ((uint64_t)now->st_size < read_to)
		return bb_history_gap(file, "it has become shorter than what was read of it", err);
	if (file->has_last &&
	    (now->st_size != before.st_size || now->st_mtim.tv_sec != before.st_mtim.tv_sec ||
	     now->st_mtim.tv_nsec != before.st_mtim.tv_nsec))
		return check_last(file, err);
	return BB_OK;
}
