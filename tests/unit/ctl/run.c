/* SPDX-License-Identifier: Apache-2.0 */
/* See run.h. */
#include "run.h"
#include "ctl.h"

#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

char run_folder[64];
char *run_out, *run_err;

static const char config[] = "store: {path: store, map_size: 64MiB}\n"
			     "profile_key: 8c6a0f5bd3e14927a1b2c3d4e5f60718\n"
			     "identity:\n"
			     "  namespaces:\n"
			     "    - {name: user, owner: true}\n"
			     "    - {name: email, normalise: email}\n"
			     "serve:\n"
			     "  query: {path: query.sock}\n"
			     "  admin: {path: admin.sock}\n";

void run_open(void)
{
	snprintf(run_folder, sizeof(run_folder), "/tmp/unit_ctl.XXXXXX");
	cr_assert(mkdtemp(run_folder));
	sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	run_file("b.yaml", config);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

void run_close(void)
{
	free(run_out);
	free(run_err);
	run_out = run_err = NULL;
	nftw(run_folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *run_path(const char *name)
{
	static char paths[16][160];
	static unsigned next;
	char *path = paths[next++ % 16];

	snprintf(path, sizeof(paths[0]), "%s/%s", run_folder, name);
	return path;
}

const char *run_file(const char *name, const char *content)
{
	const char *path = run_path(name);
	FILE *file = fopen(path, "w");

	cr_assert(file);
	fputs(content, file);
	fclose(file);
	return path;
}

static int run_args(char **argv, int argc)
{
	size_t out_n, err_n;
	FILE *out, *err;
	int code;

	free(run_out);
	free(run_err);
	out = open_memstream(&run_out, &out_n);
	err = open_memstream(&run_err, &err_n);
	code = bb_ctl_run(argc, argv, out, err);
	fclose(out);
	fclose(err);
	return code;
}

static int collect(char **argv, int argc, const char *first, va_list args)
{
	for (const char *arg = first; arg; arg = va_arg(args, const char *)) {
		cr_assert_lt(argc, 31);
		argv[argc++] = (char *)arg;
	}
	argv[argc] = NULL;
	return argc;
}

int run(const char *first, ...)
{
	char *argv[32] = {"backbonectl"};
	va_list args;
	int argc;

	va_start(args, first);
	argc = collect(argv, 1, first, args);
	va_end(args);
	return run_args(argv, argc);
}

int run_with_config(const char *first, ...)
{
	char *argv[32] = {"backbonectl", "--config", (char *)run_path("b.yaml")};
	va_list args;
	int argc;

	va_start(args, first);
	argc = collect(argv, 3, first, args);
	va_end(args);
	return run_args(argv, argc);
}
