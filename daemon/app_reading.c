/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading of a reload, on a thread of the pool, as files of the largest size that is allowed
 * take seconds: the configuration is read and checked as a whole, connectors whose files have
 * changed are compiled, and all of it is compared with what is in use. The loop exchanges nothing
 * meanwhile (app_reload.c), so that all that is looked at here stays as it is.
 *
 * A mistake, a change of view rules, and of what sources were made from, are told in the log and
 * to who asked: then there is no new configuration. What takes effect at a start only is said.
 */
#include "app.h"

#include <backbone/killpoint.h>
#include <backbone/log.h>
#include <backbone/normalise.h>

#include <inttypes.h>

/* --- what must not change: written out, so that two configurations can be compared ------------ */

static void write_namespace(const struct bb_namespace *ns, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s %d %d %d %u %u %u %u %u %d %d %s\n", ns->name, ns->owner,
		      ns->durable, ns->junk, ns->per_profile, ns->owners, ns->links, ns->devices,
		      ns->records, (int)ns->prefer, (int)ns->normaliser,
		      ns->region ? ns->region : "-");
	for (size_t i = 0; i < ns->block_n; i++)
		bb_buf_printf(buf, " block %s\n", bb_pattern_text(ns->block[i]));
	for (size_t i = 0; i < ns->derive_n; i++)
		bb_buf_printf(buf, " derive %s\n", ns->derive[i]);
}

static void write_identity(const struct bb_config *config, struct bb_buf *buf)
{
	const struct bb_rules *rules = &config->rules;

	bb_buf_printf(buf, "%u\n", rules->max_identifiers);
	for (size_t i = 0; i < rules->namespace_n; i++)
		write_namespace(&rules->namespaces[i], buf);
}

static void write_key(const struct bb_config *config, struct bb_buf *buf)
{
	bb_buf_add(buf, config->rules.profile_key.b, sizeof config->rules.profile_key.b);
}

static void write_view(const struct bb_config *config, struct bb_buf *buf)
{
	const struct bb_rules *rules = &config->rules;

	bb_buf_printf(buf, "%u %u %" PRId64 " %" PRId64 " %" PRId64 "\n", rules->recent,
		      rules->activity_days, rules->max_future_ms, rules->min_time_ms,
		      rules->window_ms);
	for (size_t i = 0; i < rules->source_n; i++)
		bb_buf_printf(buf, "source %s\n", rules->sources[i]);
	for (size_t i = 0; i < rules->attribute_n; i++)
		bb_buf_printf(buf, "attribute %s %d\n", rules->attributes[i].name,
			      (int)rules->attributes[i].rule);
}

static void write_replay(const struct bb_config *config, struct bb_buf *buf)
{
	for (size_t i = 0; i < config->replay_n; i++) {
		bb_buf_printf(buf, "replay %s\n", config->replay[i].connector);
		for (size_t j = 0; j < config->replay[i].file_n; j++)
			bb_buf_printf(buf, " %s\n", config->replay[i].files[j]);
	}
}

static void write_kafka(const struct bb_config *config, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s %s\n", config->kafka_brokers ? config->kafka_brokers : "-",
		      config->kafka_group ? config->kafka_group : "-");
	for (size_t i = 0; i < config->kafka_option_n; i++)
		bb_buf_printf(buf, " %s=%s\n", config->kafka_options[i].name,
			      config->kafka_options[i].value);
}

static void write_store(const struct bb_config *config, struct bb_buf *buf)
{
	bb_buf_printf(buf, "%s %" PRIu64 " %" PRIu64 "\n", config->store_path,
		      config->store_map_size_bytes, config->store_quota_bytes);
	bb_buf_printf(buf, "%u %" PRIu64 " %u\n", config->batch_events, config->batch_bytes,
		      config->dead_letter_days);
	bb_buf_printf(buf, "%" PRIu64 " %" PRId64 "\n", config->rules.changes_max,
		      config->rules.changes_age_ms);
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void write_sockets(const struct bb_config *config, struct bb_buf *buf)
{
	const struct bb_config_socket *sockets[] = {&config->query, &config->admin};

	for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++)
		bb_buf_printf(buf, "%s %o %s %s\n", or_none(sockets[i]->path), sockets[i]->mode,
			      or_none(sockets[i]->group), or_none(sockets[i]->tcp));
	bb_buf_printf(buf, "%s %s\n", or_none(config->steward_group),
		      or_none(config->privacy_group));
}

static const struct part {
	const char *name;
	void (*write)(const struct bb_config *config, struct bb_buf *buf);
	const char *refusal; /* NULL: it takes effect at the next start */
} parts[] = {
	{"profile_key", write_key, "the profile_key of a store never changes: put it back"},
	{"view", write_view,
	 "rules of the view take effect at a start only: put them back, or restart"},
	{"replay", write_replay,
	 "files to replay are taken up at a start only: put them back, or restart"},
	{"kafka", write_kafka, NULL},
	{"store, batch or dead_letters", write_store, NULL},
	{"sockets and groups of serve", write_sockets, NULL},
};

static const struct part identity = {"identity", write_identity, NULL};

static bool same(const struct part *part, const struct bb_config *a, const struct bb_config *b)
{
	struct bb_buf left = BB_BUF_EMPTY, right = BB_BUF_EMPTY;
	bool equal;

	part->write(a, &left);
	part->write(b, &right);
	equal = bb_text_equal(bb_buf_slice(&left), bb_buf_slice(&right));
	bb_buf_fini(&left);
	bb_buf_fini(&right);
	return equal;
}

/* Whether the new configuration may be taken, rules of identity apart; says what may not, and what
 * waits for a start. */
static bool admit(const struct bb_app *app, const struct bb_config *coming, struct bb_buf *said)
{
	bool good = true;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (same(&parts[i], app->config, coming))
			continue;
		if (parts[i].refusal) {
			bb_log(BB_LOG_ERROR, "reload_refused", "%s: %s", coming->file,
			       parts[i].refusal);
			bb_buf_printf(said, "%s: %s\n", coming->file, parts[i].refusal);
			good = false;
		} else {
			bb_log(BB_LOG_WARNING, "reload_incomplete",
			       "%s: the change of %s takes effect at the next start", coming->file,
			       parts[i].name);
		}
	}
	return good;
}

/* --- what changes ----------------------------------------------------------------------------- */

/* Names, each behind a comma but the first; as JSON texts, or as they are. */
static void write_name(struct bb_buf *names, size_t from, const char *name, bool json)
{
	if (names->n > from)
		bb_buf_byte(names, ',');
	if (json)
		bb_buf_json(names, bb_text_of(name));
	else
		bb_buf_printf(names, "%s", name);
}

enum { ADDED, CHANGED, REMOVED, CHANGES };

static const char *const change_names[CHANGES] = {"added", "changed", "removed"};

static bool is_of(const struct bb_config *now, const struct bb_config *coming, size_t i, int kind)
{
	if (coming->sources[i].borrowed || !coming->sources[i].file)
		return false;
	return (bb_config_connector(now, bb_connector_name(coming->connectors[i])) != NULL) ==
	       (kind == CHANGED);
}

/* The connectors that `coming` has other than `now`. */
static void write_change(const struct bb_config *now, const struct bb_config *coming, int kind,
			 bool json, struct bb_buf *names)
{
	const struct bb_config *in = kind == REMOVED ? now : coming;
	size_t from = names->n;

	for (size_t i = 0; i < in->connector_n; i++) {
		const char *name = bb_connector_name(in->connectors[i]);

		if (kind == REMOVED ? !bb_config_connector(coming, name)
				    : is_of(now, coming, i, kind))
			write_name(names, from, name, json);
	}
}

static size_t kept(const struct bb_config *coming)
{
	size_t n = 0;

	for (size_t i = 0; i < coming->connector_n; i++)
		n += coming->sources[i].borrowed;
	return n;
}

/* Members of the answer. */
static void write_answer(const struct bb_config *now, const struct bb_config *coming,
			 struct bb_buf *said)
{
	for (int kind = 0; kind < CHANGES; kind++) {
		bb_buf_printf(said, ",\"%s\":[", change_names[kind]);
		write_change(now, coming, kind, true, said);
		bb_buf_byte(said, ']');
	}
	bb_buf_printf(said, ",\"kept\":%zu", kept(coming));
}

/* The same for the log. */
static void write_line(const struct bb_config *now, const struct bb_config *coming,
		       struct bb_buf *line)
{
	for (int kind = 0; kind < CHANGES; kind++) {
		bb_buf_printf(line, "%s=", change_names[kind]);
		write_change(now, coming, kind, false, line);
		bb_buf_byte(line, ' ');
	}
	bb_buf_printf(line, "kept=%zu", kept(coming));
}

void bb_app_reading_run(const struct bb_app *app, struct bb_app_reading *reading)
{
	const struct bb_config *now = bb_app_reload_current(app);
	struct bb_config *config;

	bb_holdpoint("reload-reading");
	config = bb_app_load_beside(app->options.config_file, now, &reading->said);
	if (!config)
		return;
	if (!admit(app, config, &reading->said)) {
		bb_config_free(config);
		return;
	}
	reading->other_rules = !same(&identity, app->ruling, config);
	write_answer(now, config, &reading->said);
	write_line(now, config, &reading->line);
	reading->config = config;
}

void bb_app_reading_fini(struct bb_app_reading *reading)
{
	bb_config_free(reading->config);
	bb_buf_fini(&reading->said);
	bb_buf_fini(&reading->line);
	*reading = (struct bb_app_reading){.config = NULL};
}
