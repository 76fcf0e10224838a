/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `status`: what /v1/status says, as tables. Exit 1 where the daemon is not ready, with the reasons
 * first.
 */
#include "ctl.h"
#include "maintenance.h"
#include "net.h"
#include "table.h"

#include <backbone/event.h>
#include <jansson.h>

static struct bb_text text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (struct bb_text){json_string_value(value), json_string_length(value)};
}

static long long number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

void bb_ctl_print_seconds(long long s, FILE *out)
{
	if (s >= 86400)
		fprintf(out, "%lld d %lld h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		fprintf(out, "%lld h %lld min", s / 3600, s / 60 % 60);
	else if (s >= 60)
		fprintf(out, "%lld min %lld s", s / 60, s % 60);
	else
		fprintf(out, "%lld s", s);
}

static void print_summary(const json_t *root, FILE *out)
{
	const json_t *store = json_object_get(root, "store"), *reason;
	const json_t *work = json_object_get(root, "maintenance");
	size_t i;

	fprintf(out, "%s, ", json_is_true(json_object_get(root, "ready")) ? "ready" : "NOT READY");
	bb_ctl_print_safe(text_of(root, "state"), out);
	fprintf(out, ", up ");
	bb_ctl_print_seconds(number_of(root, "uptime_seconds"), out);
	fprintf(out, ", version ");
	bb_ctl_print_safe(text_of(root, "version"), out);
	fputc('\n', out);
	json_array_foreach(json_object_get(root, "reasons"), i, reason)
	{
		fprintf(out, "  ");
		bb_ctl_print_safe(text_of(reason, "code"), out);
		fprintf(out, ": ");
		bb_ctl_print_safe(text_of(reason, "detail"), out);
		fputc('\n', out);
	}
	fprintf(out, "%lld profiles, %lld identifiers, %lld dead letters\n",
		number_of(root, "profiles"), number_of(root, "identifiers"),
		number_of(root, "dead_letters"));
	fprintf(out, "store: %.1f MiB in use, file %.1f MiB, %lld damaged values met\n",
		(double)number_of(store, "used_bytes") / 1048576,
		(double)number_of(store, "file_bytes") / 1048576,
		number_of(store, "checksum_failures"));
	if (json_is_string(json_object_get(work, "running"))) {
		bb_ctl_print_maintenance(work, out);
		fputc('\n', out);
	}
	fprintf(out, "clients: %lld\n", number_of(json_object_get(root, "clients"), "connected"));
}

static const char *const result_titles[BB_VERDICT_COUNT] = {"APPLIED", "DUPLICATE", "SKIPPED",
							    "NO IDENTIFIER", "DEAD LETTER"};

static void results(struct bb_ctl_table *table, struct bb_table_row *row, size_t column,
		    const json_t *object)
{
	for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
		row->cells[column + v] =
			bb_ctl_table_number(table, number_of(object, bb_verdict_text(v)));
}

static void titles(struct bb_table_row *row, size_t column)
{
	for (unsigned v = 0; v < BB_VERDICT_COUNT; v++)
		row->cells[column + v] = bb_text_of(result_titles[v]);
}

static void print_partitions(struct bb_ctl *ctl, const json_t *items)
{
	struct bb_ctl_table table = {.arena = &ctl->arena, .columns = 10, .right = ~1u};
	struct bb_table_row *row = bb_ctl_table_row(&table);
	const json_t *item;
	size_t i;

	row->cells[0] = BB_TEXT("TOPIC");
	row->cells[1] = BB_TEXT("PARTITION");
	row->cells[2] = BB_TEXT("NEXT");
	row->cells[3] = BB_TEXT("LAG");
	titles(row, 4);
	row->cells[9] = BB_TEXT("HOLES");
	json_array_foreach(items, i, item)
	{
		row = bb_ctl_table_row(&table);
		row->cells[0] = text_of(item, "topic");
		row->cells[1] = bb_ctl_table_number(&table, number_of(item, "partition"));
		row->cells[2] = bb_ctl_table_number(&table, number_of(item, "next_offset"));
		row->cells[3] = json_is_integer(json_object_get(item, "lag"))
					? bb_ctl_table_number(&table, number_of(item, "lag"))
					: BB_TEXT("?");
		results(&table, row, 4, item);
		row->cells[9] = bb_ctl_table_number(&table, number_of(item, "holes"));
	}
	if (table.n > 1) {
		fputc('\n', ctl->out);
		bb_ctl_table_print(&table, ctl->out);
	}
}

static void print_connectors(struct bb_ctl *ctl, const json_t *items)
{
	struct bb_ctl_table table = {.arena = &ctl->arena, .columns = 7, .right = ~3u};
	struct bb_table_row *row = bb_ctl_table_row(&table);
	const json_t *item;
	size_t i;

	row->cells[0] = BB_TEXT("CONNECTOR");
	row->cells[1] = BB_TEXT("CHANNEL");
	titles(row, 2);
	json_array_foreach(items, i, item)
	{
		row = bb_ctl_table_row(&table);
		row->cells[0] = text_of(item, "name");
		row->cells[1] = text_of(item, "channel");
		results(&table, row, 2, item);
	}
	if (table.n > 1) {
		fputc('\n', ctl->out);
		bb_ctl_table_print(&table, ctl->out);
	}
}

static int print_status(struct bb_ctl *ctl, const struct bb_buf *body)
{
	json_t *root = json_loadb(body->n > 0 ? body->p : "", body->n, 0, NULL);
	bool ready = json_is_true(json_object_get(root, "ready"));

	if (!root)
		return bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the daemon's answer is no JSON");
	if (ctl->json) {
		fwrite(body->p, 1, body->n, ctl->out);
	} else {
		print_summary(root, ctl->out);
		print_partitions(ctl, json_object_get(root, "partitions"));
		print_connectors(ctl, json_object_get(root, "connectors"));
	}
	json_decref(root);
	return ready ? BB_CTL_OK : BB_CTL_NO;
}

int bb_ctl_status(struct bb_ctl *ctl)
{
	struct bb_buf body = BB_BUF_EMPTY;
	struct bb_error err = {0};
	unsigned status = 0;
	const char *path;
	int ret = bb_ctl_admin_path(ctl, &path);

	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_net_http_get(path, "/v1/status", &status, &body, &err);
	if (ret != BB_OK)
		ret = bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	else if (status != 200)
		ret = bb_ctl_fail(ctl, BB_CTL_REFUSED, "the daemon says %u: %.*s", status,
				  (int)body.n, body.p);
	else
		ret = print_status(ctl, &body);
	bb_buf_fini(&body);
	return ret;
}
