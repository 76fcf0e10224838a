/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reload: the files are read again and checked as a whole; connectors whose files have changed
 * are compiled, the others stay as they are. If all is well, ingestion takes nothing more until
 * what it has taken is committed, then the new connectors take the places of the old ones: each
 * message meets one of them only. Topics that are read on are not touched: their partitions stay
 * assigned, and what was fetched of them stays in its queue. Other rules of identity are applied to
 * the past first (app_maintenance.c), while look-ups go on. A batch that waits for space in the
 * store is in flight: that is said, and a further reload takes the place of the one that waits.
 *
 * A mistake anywhere changes nothing and is said. So is a change of view rules, and of what sources
 * were made from; other changes take effect at the next start.
 */
#include "app.h"

#include <backbone/clock.h>
#include <backbone/log.h>
#include <backbone/normalise.h>
#include <backbone/sdnotify.h>

#include <inttypes.h>

static void ready_again(struct bb_app *app, const char *result, const char *status)
{
	bb_metrics_add(app->metrics, BB_METRIC_RELOADS, BB_LABELS(result), 1);
	bb_sdnotify_ready(status);
}

/* What is in use. */
static struct bb_config *current(const struct bb_app *app)
{
	return app->latest ? app->latest : app->config;
}

static void refuse(struct bb_app *app)
{
	bb_log(BB_LOG_ERROR, "reload_refused", "nothing was changed");
	ready_again(app, "refused", "the reload was refused, nothing was changed; see the log");
}

/* --- what must not change: written out, so that two configurations can be compared * ---------- */

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

/* --- the reload ------------------------------------------------------------------------------- */

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

static void write_answer(const struct bb_app *app, struct bb_buf *said)
{
	bb_buf_printf(said, "\"run\":%" PRIu64, app->reloads.run);
	for (int kind = 0; kind < CHANGES; kind++) {
		bb_buf_printf(said, ",\"%s\":[", change_names[kind]);
		write_change(current(app), app->coming, kind, true, said);
		bb_buf_byte(said, ']');
	}
	bb_buf_printf(said, ",\"kept\":%zu", kept(app->coming));
}

static int begin(struct bb_app *app, struct bb_buf *said)
{
	struct bb_config *coming;

	bb_sdnotify_reloading();
	coming = bb_app_load_beside(app->options.config_file, current(app), said);
	if (!coming || !admit(app, coming, said)) {
		bb_config_free(coming);
		refuse(app);
		return BB_ECONFIG;
	}
	bb_config_free(app->coming); /* one that still waits is overtaken by this one */
	app->coming = coming;
	app->reloads.run++;
	app->reloads.waiting = true;
	write_answer(app, said);
	if (bb_app_maintenance_waits(app))
		bb_app_maintenance_withdraw(app);
	if (!same(&identity, app->ruling, coming))
		bb_app_maintenance_change_rules(app);
	bb_ingest_hold(app->ingest);
	return BB_OK;
}

void bb_app_reload(struct bb_app *app)
{
	struct bb_buf said = BB_BUF_EMPTY;

	if (!app->stopping)
		(void)!begin(app, &said);
	bb_buf_fini(&said);
}

int bb_app_reload_asked(void *ctx, struct bb_buf *said)
{
	struct bb_app *app = ctx;

	if (app->stopping) {
		bb_buf_printf(said, "the daemon is ending");
		return BB_EBUSY;
	}
	if (app->maintenance.phase != BB_MAINTENANCE_NONE && !bb_app_maintenance_waits(app)) {
		bb_buf_printf(said, "the store is being written anew: try again when that has "
				    "ended, see the status");
		return BB_EBUSY;
	}
	return begin(app, said);
}

void bb_app_reload_status(const struct bb_app *app, struct bb_status_reload *ret_status)
{
	const struct bb_reloads *reloads = &app->reloads;

	*ret_status = (struct bb_status_reload){
		.run = reloads->run, .waiting = reloads->waiting, .ended_ms = reloads->ended_ms};
	if (reloads->run && !reloads->waiting)
		ret_status->result = reloads->last == BB_OK ? BB_TEXT("done") : BB_TEXT("failed");
}

/* Frees one that nobody has any more. */
static void release(struct bb_app *app, struct bb_config *config)
{
	if (config != app->config && config != app->ruling && config != app->latest)
		bb_config_free(config);
}

static void take_rules(struct bb_app *app)
{
	const struct bb_rules *rules = &app->coming->rules;

	bb_ingest_rules_set(app->ingest, rules);
	if (app->serve)
		bb_serve_rules_set(app->serve, rules);
	app->ruling = app->coming;
}

static void log_exchange(const struct bb_app *app)
{
	struct bb_buf names[CHANGES] = {BB_BUF_EMPTY, BB_BUF_EMPTY, BB_BUF_EMPTY};

	for (int kind = 0; kind < CHANGES; kind++)
		write_change(current(app), app->coming, kind, false, &names[kind]);
	bb_log(BB_LOG_NOTICE, "connectors", "added=%.*s changed=%.*s removed=%.*s kept=%zu",
	       (int)names[ADDED].n, names[ADDED].p ? names[ADDED].p : "", (int)names[CHANGED].n,
	       names[CHANGED].p ? names[CHANGED].p : "", (int)names[REMOVED].n,
	       names[REMOVED].p ? names[REMOVED].p : "", kept(app->coming));
	for (int kind = 0; kind < CHANGES; kind++)
		bb_buf_fini(&names[kind]);
}

void bb_app_reload_take(struct bb_app *app, bool with_rules)
{
	struct bb_config *latest = app->latest, *ruling = app->ruling;

	log_exchange(app);
	if (with_rules)
		take_rules(app);
	bb_config_take(app->coming, current(app));
	bb_app_sources_route(&app->sources, app->coming);
	app->latest = app->coming;
	app->coming = NULL;
	bb_config_follow(app->config, app->latest); /* of its own none is in use any more */
	if (app->serve)
		bb_serve_config_set(app->serve, app->latest);
	release(app, latest);
	if (ruling != latest)
		release(app, ruling);
}

static void note_end(struct bb_app *app, int code)
{
	app->reloads.waiting = false;
	app->reloads.last = code;
	app->reloads.ended_ms = bb_clock_wall_ms();
}

static void tell_done(struct bb_app *app)
{
	note_end(app, BB_OK);
	bb_log(BB_LOG_NOTICE, "reloaded", "connectors=%zu", app->latest->connector_n);
	ready_again(app, "done", "reloaded");
}

void bb_app_reload_finish(struct bb_app *app)
{
	if (!app->coming)
		return;
	bb_app_reload_take(app, false);
	bb_ingest_go(app->ingest);
	tell_done(app);
}

void bb_app_reload_end(struct bb_app *app, int code)
{
	if (code == BB_OK) {
		tell_done(app);
		return;
	}
	bb_config_free(app->coming);
	app->coming = NULL;
	note_end(app, code);
	refuse(app);
}
