/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `connectors list`: what the daemon reads, for whom, and what became of it; where no daemon
 * answers, what the configuration names, which is said. `connectors reload`: has the daemon read
 * its configuration again, and waits until what is new is in use.
 *
 * A reload that is refused ends with 2 and every mistake as a line; one that the daemon gives up,
 * or that a later one overtakes, with 4.
 */
#include "admin.h"
#include "ctl.h"
#include "table.h"

#include <backbone/event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 50000000L
#define NAMES_MAX 3 /* topics named in a line; of more the rest is counted */

/* --- list ------------------------------------------------------------------------------------- */

static const char *const titles[] = {"CONNECTOR", "CHANNEL",	 "APPLIED",  "DUPLICATE",
				     "SKIPPED",	  "DEAD LETTER", "WARNINGS", "LAG",
				     "LAST",	  "READS",	 "FILE"};

enum { COLUMNS = sizeof(titles) / sizeof(titles[0]), FIRST_NUMBER = 2, LAST_NUMBER = 7 };

static void begin_table(struct bb_ctl *ctl, struct bb_ctl_table *table)
{
	*table = (struct bb_ctl_table){.arena = &ctl->arena, .columns = COLUMNS};
	for (unsigned c = FIRST_NUMBER; c <= LAST_NUMBER; c++)
		table->right |= 1u << c;
	bb_ctl_table_titles(table, titles);
}

/* Names of topics, and the pattern that found them. */
static struct bb_text reads_of(struct bb_ctl *ctl, const json_t *item)
{
	const json_t *reads = json_object_get(item, "reads"), *read;
	const char *pattern = json_string_value(json_object_get(item, "pattern"));
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text;
	size_t i;

	if (pattern)
		bb_buf_printf(&buf, "/%s/: ", pattern);
	json_array_foreach(reads, i, read)
	{
		if (i < NAMES_MAX)
			bb_buf_printf(&buf, "%s%s", i > 0 ? ", " : "",
				      json_string_value(json_object_get(read, "topic")));
	}
	if (i > NAMES_MAX)
		bb_buf_printf(&buf, " and %zu more", i - NAMES_MAX);
	if (i == 0)
		bb_buf_printf(&buf, "%s", pattern ? "none yet" : "-");
	text = bb_arena_copy(&ctl->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

/* Of all that is known; nothing known: `-`. */
static struct bb_text lag_of(struct bb_ctl_table *table, const json_t *item)
{
	const json_t *read;
	long long lag = 0;
	bool known = false;
	size_t i;

	json_array_foreach(json_object_get(item, "reads"), i, read)
	{
		const json_t *one = json_object_get(read, "lag");

		known = known || json_is_integer(one);
		lag += json_integer_value(one);
	}
	return known ? bb_ctl_table_number(table, lag) : BB_TEXT("-");
}

static struct bb_text or_dash(struct bb_ctl *ctl, const json_t *item, const char *name)
{
	struct bb_text text = bb_admin_text(&ctl->arena, item, name);

	return text.n ? text : BB_TEXT("-");
}

static void print_table(struct bb_ctl *ctl, const json_t *items)
{
	static const char *const counted[] = {"applied", "duplicate", "skipped", "dead_letter",
					      "warnings"};
	struct bb_ctl_table table;
	const json_t *item;
	size_t i;

	begin_table(ctl, &table);
	json_array_foreach(items, i, item)
	{
		struct bb_table_row *row = bb_ctl_table_row(&table);

		row->cells[0] = bb_admin_text(&ctl->arena, item, "connector");
		row->cells[1] = or_dash(ctl, item, "channel");
		for (size_t c = 0; c < sizeof(counted) / sizeof(counted[0]); c++) {
			const json_t *n = json_object_get(item, counted[c]);

			row->cells[FIRST_NUMBER + c] =
				json_is_integer(n)
					? bb_ctl_table_number(&table, json_integer_value(n))
					: BB_TEXT("-");
		}
		row->cells[7] = lag_of(&table, item);
		row->cells[8] = or_dash(ctl, item, "last");
		row->cells[9] = reads_of(ctl, item);
		row->cells[10] = or_dash(ctl, item, "file");
	}
	bb_ctl_table_print(&table, ctl->out);
}

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

/* As the daemon's answer, but for what only it knows: null. */
static json_t *of_config(const struct bb_config *config, size_t i)
{
	const struct bb_connector *connector = config->connectors[i];
	const char *name = bb_connector_name(connector);
	json_t *item = json_object(), *reads = json_array();

	json_object_set_new(item, "connector", text_json(name));
	json_object_set_new(item, "channel", text_json(bb_connector_channel(connector)));
	json_object_set_new(item, "file", text_json(config->sources[i].file));
	json_object_set_new(item, "pattern", text_json(bb_connector_topic_pattern(connector)));
	for (size_t t = 0; t < bb_connector_topic_n(connector); t++)
		json_array_append_new(reads, json_pack("{s:s,s:n,s:n}", "topic",
						       bb_connector_topic(connector, t),
						       "partitions", "lag"));
	for (size_t r = 0; r < config->replay_n; r++)
		for (size_t f = 0;
		     strcmp(config->replay[r].connector, name) == 0 && f < config->replay[r].file_n;
		     f++)
			json_array_append_new(reads, json_pack("{s:s+,s:i,s:n}", "topic",
							       "file:", config->replay[r].files[f],
							       "partitions", 1, "lag"));
	json_object_set_new(item, "reads", reads);
	for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
		json_object_set_new(item, bb_verdict_text(v), json_null());
	json_object_set_new(item, "warnings", json_null());
	json_object_set_new(item, "last", json_null());
	return item;
}

static json_t *list_config(const struct bb_config *config)
{
	json_t *items = json_array();

	for (size_t i = 0; i < config->connector_n; i++)
		json_array_append_new(items, of_config(config, i));
	return items;
}

static void print_list(struct bb_ctl *ctl, const json_t *items)
{
	const json_t *item;
	size_t i;

	if (!ctl->json) {
		print_table(ctl, items);
		return;
	}
	json_array_foreach(items, i, item)
	{
		char *line = json_dumps(item, JSON_COMPACT);

		fprintf(ctl->out, "%s\n", line);
		free(line);
	}
}

static int list(struct bb_ctl *ctl)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/connectors"};
	bool unreachable = false;
	json_t *root = NULL, *items;
	int ret = bb_admin_ask(ctl, &request, &root, &unreachable);

	if (ret == BB_CTL_OK) {
		print_list(ctl, json_object_get(root, "connectors"));
		json_decref(root);
		return BB_CTL_OK;
	}
	if (!unreachable)
		return ret;
	ret = bb_ctl_load_config(ctl);
	if (ret != BB_CTL_OK)
		return ret;
	fprintf(ctl->err,
		"backbonectl connectors: no daemon answers: what %s names; what is counted and "
		"which topics fit a pattern is not known\n",
		ctl->config->file);
	items = list_config(ctl->config);
	print_list(ctl, items);
	json_decref(items);
	return BB_CTL_OK;
}

/* --- reload ----------------------------------------------------------------------------------- */

static void print_names(struct bb_ctl *ctl, const json_t *root, const char *what)
{
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(root, what), i, name)
	{
		fprintf(ctl->out, "%s%s", i == 0 ? what : ",", i == 0 ? ": " : " ");
		bb_ctl_print_safe(bb_text_of(json_string_value(name)), ctl->out);
	}
	if (i > 0)
		fputc('\n', ctl->out);
}

static void print_reload(struct bb_ctl *ctl, const json_t *root)
{
	if (ctl->json) {
		bb_admin_print(ctl, root);
		return;
	}
	print_names(ctl, root, "added");
	print_names(ctl, root, "changed");
	print_names(ctl, root, "removed");
	fprintf(ctl->out, "%lld as they were\n",
		(long long)json_integer_value(json_object_get(root, "kept")));
}

/* BB_CTL_OK and *ret_ended, or the exit code. */
static int look(struct bb_ctl *ctl, long long run, bool *ret_ended)
{
	struct bb_net_request request = {.method = "GET", .target = "/v1/connectors"};
	json_t *root = NULL, *reload;
	int ret = bb_admin_ask(ctl, &request, &root, NULL);
	long long now;

	if (ret != BB_CTL_OK)
		return ret;
	reload = json_object_get(root, "reload");
	now = json_integer_value(json_object_get(reload, "run"));
	*ret_ended = true;
	if (now != run)
		ret = bb_ctl_fail(ctl, BB_CTL_REFUSED,
				  now > run ? "a later reload has overtaken this one"
					    : "the daemon was started anew meanwhile");
	else if (json_is_true(json_object_get(reload, "waiting")))
		*ret_ended = false;
	else if (strcmp(json_string_value(json_object_get(reload, "result")), "done") != 0)
		ret = bb_ctl_fail(ctl, BB_CTL_REFUSED,
				  "the daemon could not take it, and changed nothing; see its log");
	json_decref(root);
	return ret;
}

static int print_errors(struct bb_ctl *ctl, const struct bb_buf *body)
{
	json_t *root = json_loadb(body->p ? body->p : "", body->n, JSON_ALLOW_NUL, NULL);
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(root, "errors"), i, line)
	{
		bb_ctl_print_safe(bb_text_of(json_string_value(line)), ctl->err);
		fputc('\n', ctl->err);
	}
	json_decref(root);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "nothing was changed");
}

/* As bb_admin_ask, with the lines of a refusal. */
static int begin_reload(struct bb_ctl *ctl, json_t **ret_root)
{
	struct bb_net_request request = {.method = "POST", .target = "/v1/connectors/reload"};
	struct bb_buf body = BB_BUF_EMPTY;
	struct bb_error err = {0};
	unsigned status = 0;
	const char *path;
	int ret = bb_ctl_admin_path(ctl, &path), net;

	if (ret != BB_CTL_OK)
		return ret;
	net = bb_net_http(path, &request, &status, &body, &err);
	if (net != BB_OK)
		ret = bb_ctl_fail(ctl, bb_ctl_exit_of(net), "%s", err.msg);
	else if (status == 422)
		ret = print_errors(ctl, &body);
	else
		ret = bb_admin_take(ctl, status, &body, ret_root);
	bb_buf_fini(&body);
	return ret;
}

static int reload(struct bb_ctl *ctl)
{
	const struct timespec pause = {0, LOOK_NS};
	bool ended = false;
	json_t *root = NULL;
	int ret = begin_reload(ctl, &root);

	while (ret == BB_CTL_OK && !ended) {
		ret = look(ctl, json_integer_value(json_object_get(root, "run")), &ended);
		if (ret == BB_CTL_OK && !ended)
			nanosleep(&pause, NULL);
	}
	if (ret == BB_CTL_OK)
		print_reload(ctl, root);
	json_decref(root);
	return ret;
}

int bb_ctl_connectors(struct bb_ctl *ctl)
{
	if (strcmp(ctl->args[0], "list") == 0)
		return list(ctl);
	if (strcmp(ctl->args[0], "reload") == 0)
		return reload(ctl);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "expected `connectors list` or `connectors reload`");
}
