/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `try`: messages through a connector and the gate, as the daemon would take them, without one. An
 * event or a ruling is a line; a refusal is a line too, {"refused": reason, ..., "file", "line"};
 * what a rule skips is only counted, and so are warnings, by their codes. Without a configuration
 * there are no namespaces, so identifiers are shown as they are.
 *
 * Exit 1 if anything was refused.
 */
#include "ctl.h"
#include "input.h"
#include "try.h"

#include <backbone/clock.h>
#include <backbone/gate.h>
#include <backbone/regular.h>
#include <backbone/yaml.h>

struct warned {
	struct bb_text code;
	size_t n;
};

struct trial {
	struct bb_ctl *ctl;
	const struct bb_connector *connector;
	struct bb_connector *own; /* to be freed: compiled here */
	struct bb_arena arena;	  /* of a message */
	int64_t at_ms;
	size_t messages, events, rulings, skipped, no_identifier, refused;
	struct warned *warned; /* in the order of their first */
	size_t warned_n, warned_room;
	const char *file; /* of the message */
	int64_t line;	  /* of it, from 1 */
	bool explain;
};

static int fail_name(struct bb_ctl *ctl, const char *name)
{
	const struct bb_config *config = ctl->config;
	const char *nearest = NULL, **names;

	if (!config)
		return bb_ctl_fail(
			ctl, BB_CTL_USAGE,
			"no configuration, so no connector `%s`; name its .yaml file, or "
			"give --config",
			name);
	names = bb_arena_alloc(&ctl->arena, (config->connector_n + 1) * sizeof(*names));
	for (size_t i = 0; i < config->connector_n; i++)
		names[i] = bb_connector_name(config->connectors[i]);
	nearest = bb_yaml_nearest(bb_text_of(name), names, config->connector_n);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "no connector `%s` in %s%s%s%s", name, config->file,
			   nearest ? "; did you mean `" : "", nearest ? nearest : "",
			   nearest ? "`?" : "");
}

static int compile(struct bb_ctl *ctl, const char *file, struct bb_connector **ret_own)
{
	struct bb_diagnostics diagnostics = {.arena = &ctl->arena};
	const struct bb_config *config = ctl->config;
	struct bb_buf text = BB_BUF_EMPTY, lines = BB_BUF_EMPTY;
	struct bb_error err = {0};
	int ret = BB_CTL_OK;

	if (bb_regular_read(file, BB_CONFIG_FILE_MAX, &text, &err) != BB_OK) {
		bb_buf_fini(&text);
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", err.msg);
	}
	*ret_own = bb_connector_compile(file, bb_buf_slice(&text), config ? &config->rules : NULL,
					&diagnostics);
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], &lines);
		bb_buf_byte(&lines, '\n');
	}
	fwrite(lines.p ? lines.p : "", 1, lines.n, ctl->err);
	if (!*ret_own)
		ret = bb_ctl_fail(ctl, BB_CTL_USAGE, "%s is wrong", file);
	bb_buf_fini(&text);
	bb_buf_fini(&lines);
	return ret;
}

int bb_try_connector(struct bb_ctl *ctl, const char *name,
		     const struct bb_connector **ret_connector, struct bb_connector **ret_own)
{
	const char *dot = strrchr(name, '.');
	const struct bb_connector *connector = NULL;

	*ret_own = NULL;
	if (strchr(name, '/') || (dot && strcmp(dot, ".yaml") == 0)) {
		int ret = compile(ctl, name, ret_own);

		*ret_connector = *ret_own;
		return ret;
	}
	if (ctl->config)
		connector = bb_config_connector(ctl->config, name);
	else if (strcmp(name, "direct") == 0)
		connector = *ret_own = bb_connector_direct(NULL, 0);
	*ret_connector = connector;
	return connector ? BB_CTL_OK : fail_name(ctl, name);
}

static void print_refusal(struct trial *trial, const struct bb_refusal *refusal)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	trial->refused++;
	bb_buf_printf(&buf, "{\"refused\":\"%s\"", bb_dead_reason_text(refusal->reason));
	if (refusal->at.p) {
		bb_buf_printf(&buf, ",\"at\":");
		bb_buf_json(&buf, refusal->at);
	}
	if (refusal->detail.p) {
		bb_buf_printf(&buf, ",\"detail\":");
		bb_buf_json(&buf, refusal->detail);
	}
	if (refusal->byte_offset >= 0)
		bb_buf_printf(&buf, ",\"byte_offset\":%lld", (long long)refusal->byte_offset);
	bb_buf_printf(&buf, ",\"file\":");
	bb_buf_json(&buf, bb_text_of(trial->file));
	bb_buf_printf(&buf, ",\"line\":%lld", (long long)trial->line);
	fprintf(trial->ctl->out, "%.*s}\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void count_warning(struct trial *trial, struct bb_text code)
{
	struct bb_arena *arena = &trial->ctl->arena;
	size_t i = 0;

	while (i < trial->warned_n && !bb_text_equal(trial->warned[i].code, code))
		i++;
	if (i == trial->warned_n)
		BB_ARENA_PUSH(arena, trial->warned, trial->warned_n, trial->warned_room) =
			(struct warned){bb_arena_copy(arena, code), 0};
	trial->warned[i].n++;
}

static void print_event(struct trial *trial, struct bb_event *ev)
{
	const struct bb_config *config = trial->ctl->config;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;
	enum bb_gate_result result = BB_GATE_PASS;

	if (config)
		result = bb_gate(&config->rules, ev, &trial->arena, &refusal);
	if (result == BB_GATE_REFUSED) {
		print_refusal(trial, &refusal);
		return;
	}
	trial->events++;
	trial->no_identifier += result == BB_GATE_NO_IDENTIFIER;
	for (size_t i = 0; i < ev->warning_n; i++)
		count_warning(trial, ev->warnings[i].code);
	bb_event_json(ev, &buf);
	fprintf(trial->ctl->out, "%.*s\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void print_ruling(struct trial *trial, struct bb_ruling *ruling)
{
	const struct bb_config *config = trial->ctl->config;
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_refusal refusal;

	if (config && !bb_ruling_check(&config->rules, ruling, &trial->arena, &refusal)) {
		print_refusal(trial, &refusal);
		return;
	}
	trial->rulings++;
	bb_ruling_json(ruling, &buf);
	fprintf(trial->ctl->out, "%.*s\n", (int)buf.n, buf.p);
	bb_buf_fini(&buf);
}

static void try_message(struct trial *trial, struct bb_message *msg)
{
	struct bb_extraction extraction;

	trial->messages++;
	trial->line = msg->offset + 1;
	if (!msg->topic.p)
		msg->topic = BB_TEXT("try");
	if (msg->timestamp_ms == BB_NO_TIMESTAMP)
		msg->timestamp_ms = trial->at_ms;
	if (trial->explain) {
		struct bb_try_explain explain = {trial->ctl->out, trial->ctl->json, trial->file,
						 BB_BUF_EMPTY};

		bb_try_explain(&explain, trial->connector, msg, &trial->arena, &extraction);
		bb_buf_fini(&explain.path);
	} else {
		bb_connector_run(trial->connector, msg, &trial->arena, &extraction);
	}
	for (size_t i = 0; i < extraction.n; i++) {
		struct bb_extracted *item = &extraction.items[i];

		if (item->kind == BB_EXTRACTED_SKIP)
			trial->skipped++;
		else if (item->kind == BB_EXTRACTED_REFUSED)
			print_refusal(trial, &item->refusal);
		else if (item->kind == BB_EXTRACTED_RULING)
			print_ruling(trial, item->ruling);
		else
			print_event(trial, item->event);
	}
}

static int try_file(struct trial *trial, const char *path)
{
	struct bb_input *input = NULL;
	struct bb_error err = {0};
	struct bb_message msg;
	int ret = bb_input_open(path, false, &input, &err);

	trial->file = path;
	if (ret == BB_OK)
		bb_input_records(input, trial->connector);
	while (ret == BB_OK) {
		bb_arena_reset(&trial->arena);
		ret = bb_input_next(input, &trial->arena, &msg, &err);
		if (ret == BB_OK)
			try_message(trial, &msg);
	}
	bb_input_close(input);
	return ret == BB_ENOTFOUND ? BB_CTL_OK
				   : bb_ctl_fail(trial->ctl, BB_CTL_USAGE, "%s", err.msg);
}

static void print_summary(const struct trial *trial)
{
	FILE *err = trial->ctl->err;

	fflush(trial->ctl->out);
	fprintf(err, "%zu message%s: %zu event%s", trial->messages, trial->messages == 1 ? "" : "s",
		trial->events, trial->events == 1 ? "" : "s");
	if (trial->no_identifier > 0)
		fprintf(err, " (%zu without a usable identifier)", trial->no_identifier);
	if (trial->rulings > 0)
		fprintf(err, ", %zu ruling%s", trial->rulings, trial->rulings == 1 ? "" : "s");
	fprintf(err, ", %zu skipped, %zu refused", trial->skipped, trial->refused);
	for (size_t i = 0; i < trial->warned_n; i++)
		fprintf(err, "%s%zu %.*s", i == 0 ? "; warnings: " : ", ", trial->warned[i].n,
			(int)trial->warned[i].code.n, trial->warned[i].code.p);
	fprintf(err, "\n");
	if (!trial->ctl->config)
		fprintf(err,
			"no configuration: identifiers, currencies and times are shown as they "
			"came, not checked; give --config\n");
}

static int try_files(struct bb_ctl *ctl)
{
	struct trial trial = {.ctl = ctl,
			      .at_ms = bb_clock_wall_ms(),
			      .explain = bb_ctl_value(ctl, "explain") != NULL};
	const char *at = bb_ctl_value(ctl, "at");
	int ret = bb_ctl_try_config(ctl);

	if (ret == BB_CTL_OK && at && !bb_clock_parse_rfc3339(bb_text_of(at), &trial.at_ms))
		ret = bb_ctl_fail(ctl, BB_CTL_USAGE,
				  "--at: expected a time with a zone, as 2026-01-02T03:04:05Z");
	if (ret != BB_CTL_OK)
		return ret;
	bb_arena_init(&trial.arena);
	ret = bb_try_connector(ctl, ctl->args[0], &trial.connector, &trial.own);
	for (int i = 1; ret == BB_CTL_OK && i < ctl->arg_n; i++)
		ret = try_file(&trial, ctl->args[i]);
	if (ret == BB_CTL_OK)
		print_summary(&trial);
	if (ret == BB_CTL_OK && trial.refused > 0)
		ret = BB_CTL_NO;
	bb_connector_free(trial.own);
	bb_arena_fini(&trial.arena);
	return ret;
}

static bool is_live(const struct bb_ctl *ctl)
{
	static const char *const options[] = {"topic", "last", "partition", "events", "brokers"};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (bb_ctl_value(ctl, options[i]))
			return true;
	return false;
}

int bb_ctl_try(struct bb_ctl *ctl)
{
	if (is_live(ctl) && bb_ctl_value(ctl, "explain"))
		return bb_ctl_fail(
			ctl, BB_CTL_USAGE,
			"--explain is of FILEs: put one message of the topic into a file");
	if (is_live(ctl))
		return bb_try_live(ctl);
	if (ctl->arg_n < 2)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "expected FILEs, or --topic T --last N for messages of Kafka");
	return try_files(ctl);
}
