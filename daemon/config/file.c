/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: whole ones into memory, paths relative to a folder, and patterns.
 *
 * What cannot be read is told with the reason of the system; nothing here knows of configurations.
 */
#include "option.h"

#include <backbone/regular.h>

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>

int bb_file_read(const char *path, struct bb_arena *arena, struct bb_text *ret_text,
		 struct bb_error *err)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	int code = bb_regular_read(path, BB_CONFIG_FILE_MAX, &buf, err);

	if (code == BB_OK)
		*ret_text = bb_arena_copy(arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return code == BB_OK ? BB_OK : BB_EIO;
}

const char *bb_file_join(const char *directory, const char *path, struct bb_arena *arena)
{
	if (path[0] == '/' || strcmp(directory, ".") == 0)
		return bb_arena_copy(arena, bb_text_of(path)).p;
	return bb_arena_printf(arena, "%s/%s", directory, path).p;
}

/* The folder's own name may hold what would be a pattern. */
static const char *escape(const char *directory, struct bb_arena *arena)
{
	char *escaped = bb_arena_alloc(arena, 2 * strlen(directory) + 1), *to = escaped;

	for (const char *p = directory; *p; p++) {
		if (strchr("*?[\\", *p))
			*to++ = '\\';
		*to++ = *p;
	}
	*to = '\0';
	return escaped;
}

/* A pattern that matches nothing is well if the folder in which it looks is there. */
static int check_folder(const char *path, struct bb_arena *arena, struct bb_error *err)
{
	struct stat st;
	const char *slash;

	path = bb_arena_printf(arena, "%.*s", (int)strcspn(path, "*?["), path).p;
	slash = strrchr(path, '/');
	if (!slash)
		path = ".";
	else if (slash > path)
		path = bb_arena_printf(arena, "%.*s", (int)(slash - path), path).p;
	if (stat(path, &st) != 0)
		return bb_error_set(err, BB_ENOTFOUND, "%s: %s", path, strerrordesc_np(errno));
	return BB_OK;
}

int bb_file_expand(const char *directory, const char *pattern, struct bb_arena *arena,
		   struct bb_file_list *ret_files, struct bb_error *err)
{
	const char *plain = bb_file_join(directory, pattern, arena);
	glob_t found;
	int why;

	if (!strpbrk(pattern, "*?[")) {
		struct stat st;

		if (stat(plain, &st) != 0)
			return bb_error_set(err, BB_ENOTFOUND, "%s: %s", plain,
					    strerrordesc_np(errno));
		BB_ARENA_PUSH(arena, ret_files->items, ret_files->n, ret_files->room) = plain;
		return BB_OK;
	}
	why = glob(bb_file_join(escape(directory, arena), pattern, arena), GLOB_ERR, NULL, &found);
	if (why != 0) {
		int code = check_folder(plain, arena, err);

		if (code != BB_OK || why == GLOB_NOMATCH)
			return code;
		return bb_error_set(err, BB_EIO, "%s: a folder on the way cannot be read", plain);
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		BB_ARENA_PUSH(arena, ret_files->items, ret_files->n, ret_files->room) =
			bb_arena_copy(arena, bb_text_of(found.gl_pathv[i])).p;
	globfree(&found);
	return BB_OK;
}
