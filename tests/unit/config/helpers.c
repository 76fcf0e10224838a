/* SPDX-License-Identifier: Apache-2.0 */
/* One folder, one arena and one list of diagnostics a test process. */
#include "helpers.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path_of_folder[] = "/tmp/backbone-test-config.XXXXXX";
static struct bb_arena arena;
static struct bb_diagnostics diagnostics;
static struct bb_error error;
static struct bb_buf printed;

void folder_begin(void)
{
	cr_assert_not_null(mkdtemp(path_of_folder));
	cr_assert_eq(chdir(path_of_folder), 0);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

void folder_end(void)
{
	cr_assert_eq(chdir("/"), 0);
	nftw(path_of_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	bb_arena_fini(&arena);
	bb_buf_fini(&printed);
}

const char *folder(void)
{
	return path_of_folder;
}

void file_write(const char *path, const char *content)
{
	char part[200];
	FILE *file;

	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdir(part, 0700);
	}
	file = fopen(path, "w");
	cr_assert_not_null(file, "%s", path);
	cr_assert_geq(fputs(content, file), 0);
	fclose(file);
}

int load_file(const char *path, struct bb_config **ret_config)
{
	diagnostics = (struct bb_diagnostics){.arena = &arena};
	error = (struct bb_error){BB_OK, ""};
	return bb_config_load(path, ret_config, &diagnostics, &error);
}

struct bb_config *load(const char *yaml)
{
	struct bb_config *config = NULL;
	int code;

	file_write("backbone.yaml", yaml);
	code = load_file("backbone.yaml", &config);
	cr_assert_eq(code, diagnostics.n ? BB_ECONFIG : BB_OK, "%d", code);
	cr_assert_eq(config == NULL, code != BB_OK);
	cr_assert_eq(error.code, code);
	return config;
}

const char *complaints(void)
{
	printed.n = 0;
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], &printed);
		bb_buf_byte(&printed, '\n');
	}
	bb_buf_byte(&printed, '\0');
	return printed.p;
}

const char *load_error(void)
{
	return error.msg;
}
