/* SPDX-License-Identifier: Apache-2.0 */
/* See run.h. */
#include "run.h"
#include "ctl.h"

#include <backbone/gate.h>
#include <backbone/pipeline.h>
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

static void apply(const struct bb_config *loaded, const char *const *events, size_t n,
		  struct bb_kv *kv)
{
	struct bb_pipeline *pl = bb_pipeline_new(&loaded->rules);
	struct bb_arena arena;

	bb_arena_init(&arena);
	bb_pipeline_begin(pl, kv);
	for (size_t i = 0; i < n; i++) {
		struct bb_message msg = {.topic = BB_TEXT("t"),
					 .timestamp_ms = BB_NO_TIMESTAMP,
					 .value = bb_text_of(events[i])};
		struct bb_extraction got;
		struct bb_refusal refusal;

		bb_connector_run(loaded->connectors[0], &msg, &arena, &got);
		cr_assert_eq(bb_gate(&loaded->rules, got.items[0].event, &arena, &refusal),
			     BB_GATE_PASS);
		cr_assert_eq(bb_pipeline_apply(pl, got.items[0].event, &refusal),
			     BB_VERDICT_APPLIED);
	}
	cr_assert_eq(bb_pipeline_finish(pl), BB_OK);
	bb_pipeline_free(pl);
	bb_arena_fini(&arena);
}

void run_open_store(const char *const *events, size_t n, void (*more)(struct bb_kv *kv))
{
	struct bb_diagnostics diagnostics = {0};
	struct bb_config *loaded = NULL;
	struct bb_store_options options = {0};
	struct bb_error err = {0};
	struct bb_store *store;
	struct bb_arena arena;
	struct bb_kv *kv;

	run_open();
	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	cr_assert_eq(bb_config_load(run_path("b.yaml"), &loaded, &diagnostics, &err), BB_OK);
	options.path = loaded->store_path;
	options.map_size_bytes = loaded->store_map_size_bytes;
	options.profile_key = &loaded->rules.profile_key;
	cr_assert_eq(bb_store_open(&options, &store, &err), BB_OK, "%s", err.msg);
	cr_assert_eq(bb_store_write_begin(store, &kv), BB_OK);
	apply(loaded, events, n, kv);
	if (more)
		more(kv);
	cr_assert_eq(bb_store_write_commit(kv), BB_OK);
	bb_store_close(store);
	bb_config_free(loaded);
	bb_arena_fini(&arena);
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
