/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `check-config`: every mistake in every file named, in one run. A file with a member `connector`
 * is a connector (checked against the namespaces of --config, if given); any other is a daemon's
 * configuration, with all that it names. With --reference, what may be written in such files.
 *
 * Exit 1 if there was a mistake; 3 if a file could not be read.
 */
#include "ctl.h"

#include <backbone/kafka.h>
#include <backbone/regular.h>
#include <backbone/yaml.h>
#include <fts.h>
#include <sys/stat.h>

struct check {
	struct bb_ctl *ctl;
	struct bb_diagnostics diagnostics;
	size_t printed, files;
	int worst; /* exit code */
};

static void print_new(struct check *check)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (; check->printed < check->diagnostics.n; check->printed++) {
		const struct bb_diagnostic *item = &check->diagnostics.items[check->printed];

		if (!check->ctl->json) {
			bb_diagnostic_print(item, &buf);
			bb_buf_byte(&buf, '\n');
			continue;
		}
		bb_buf_printf(&buf, "{\"file\":");
		bb_buf_json(&buf, bb_text_of(item->file));
		bb_buf_printf(&buf, ",\"line\":%u,\"column\":%u,\"path\":", item->line,
			      item->column);
		bb_buf_json(&buf, bb_text_of(item->path ? item->path : ""));
		bb_buf_printf(&buf, ",\"message\":");
		bb_buf_json(&buf, bb_text_of(item->message));
		bb_buf_printf(&buf, "}\n");
	}
	fwrite(buf.p ? buf.p : "", 1, buf.n, check->ctl->out);
	bb_buf_fini(&buf);
}

static void note(struct check *check, int code)
{
	check->worst = code > check->worst ? code : check->worst;
}

/* What is passed on to librdkafka, it alone can check. */
static bool check_kafka(struct check *check, const struct bb_config *config)
{
	size_t n = config->kafka_option_n;
	struct bb_kafka_option *options = bb_arena_alloc(&check->ctl->arena, n * sizeof(*options));

	for (size_t i = 0; i < n; i++)
		options[i] = (struct bb_kafka_option){
			config->kafka_options[i].name, config->kafka_options[i].value,
			config->kafka_options[i].line, config->kafka_options[i].column};
	return bb_kafka_check(config->file, options, n, &check->diagnostics);
}

static void check_daemon(struct check *check, const char *file)
{
	struct bb_config *config = NULL;
	struct bb_error err = {0};
	int ret = bb_config_load(file, &config, &check->diagnostics, &err);

	check->files++;
	if (ret == BB_OK && !check_kafka(check, config))
		ret = BB_ECONFIG;
	print_new(check);
	if (ret == BB_EIO)
		note(check, bb_ctl_fail(check->ctl, BB_CTL_UNREACHABLE, "%s", err.msg));
	else if (ret != BB_OK)
		note(check, BB_CTL_NO);
	bb_config_free(config);
}

static bool read_file(struct check *check, const char *file, struct bb_buf *buf)
{
	struct bb_error err = {0};
	int code = bb_regular_read(file, BB_CONFIG_FILE_MAX, buf, &err);

	if (code != BB_OK)
		note(check,
		     bb_ctl_fail(check->ctl, code == BB_ELIMIT ? BB_CTL_NO : BB_CTL_UNREACHABLE,
				 "%s", err.msg));
	return code == BB_OK;
}

static void check_file(struct check *check, const char *file)
{
	const struct bb_config *config = check->ctl->config;
	struct bb_connector *connector;
	struct bb_buf buf = BB_BUF_EMPTY;
	const struct bb_yaml *root;

	if (!read_file(check, file, &buf))
		goto out;
	root = bb_yaml_read(file, bb_buf_slice(&buf), &check->diagnostics);
	if (root && !(root->kind == BB_YAML_MAP && bb_yaml_get(root, "connector"))) {
		check_daemon(check, file);
		goto out;
	}
	check->files++;
	if (root) {
		connector =
			bb_connector_compile(file, bb_buf_slice(&buf),
					     config ? &config->rules : NULL, &check->diagnostics);
		bb_connector_free(connector);
	}
	if (check->diagnostics.n > check->printed)
		note(check, BB_CTL_NO);
	print_new(check);
out:
	bb_buf_fini(&buf);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_yaml(const FTSENT *entry)
{
	const char *dot = strrchr(entry->fts_name, '.');

	return entry->fts_info == FTS_F && dot && strcmp(dot, ".yaml") == 0;
}

static void check_folder(struct check *check, char *folder)
{
	char *paths[] = {folder, NULL};
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	const FTSENT *entry;
	size_t before = check->files;

	while (walk && (entry = fts_read(walk)))
		if (is_yaml(entry))
			check_file(check, entry->fts_path);
	if (!walk || check->files == before)
		note(check, bb_ctl_fail(check->ctl, BB_CTL_NO, "%s: no .yaml file in it", folder));
	if (walk)
		fts_close(walk);
}

/* What may be written in a file, as the manual has it. */
static int print_reference(struct bb_ctl *ctl, const char *what)
{
	static const struct {
		const char *what;
		void (*print)(struct bb_buf *buf);
	} rows[] = {{"daemon", bb_config_reference}, {"connector", bb_connector_reference}};
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(what, rows[i].what) != 0)
			continue;
		rows[i].print(&buf);
		fwrite(buf.p, 1, buf.n, ctl->out);
		bb_buf_fini(&buf);
		return BB_CTL_OK;
	}
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "--reference takes daemon or connector, not %s",
			   what);
}

int bb_ctl_check_config(struct bb_ctl *ctl)
{
	struct check check = {.ctl = ctl, .diagnostics = {.arena = &ctl->arena}};
	const char *what = bb_ctl_value(ctl, "reference");

	if (what)
		return print_reference(ctl, what);
	if (ctl->arg_n == 0)
		check_daemon(&check, ctl->config_file ? ctl->config_file : BB_CTL_CONFIG_DEFAULT);
	else if (ctl->config_file && bb_ctl_load_config(ctl) != BB_CTL_OK)
		return BB_CTL_USAGE;
	for (int i = 0; i < ctl->arg_n; i++) {
		struct stat st;

		if (stat(ctl->args[i], &st) == 0 && S_ISDIR(st.st_mode))
			check_folder(&check, ctl->args[i]);
		else
			check_file(&check, ctl->args[i]);
	}
	if (check.worst == BB_CTL_OK && !ctl->json)
		fprintf(ctl->out, "%zu file%s checked, nothing wrong\n", check.files,
			check.files == 1 ? "" : "s");
	return check.worst;
}
