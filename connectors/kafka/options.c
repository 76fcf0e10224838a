/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our settings of librdkafka are one table. What a guarantee rests on is held: such an option is
 * refused from the configuration file with the reason; everything else is passed on, after ours.
 *
 * Unknown names and values that librdkafka does not take are errors of the configuration.
 */
#include "options.h"

#include <backbone/assert.h>
#include <backbone/yaml.h>

#include <string.h>

struct setting {
	const char *name, *value; /* value NULL: only held */
	const char *held;	  /* why it cannot be set from the file; NULL: it can */
};

#define POSITIONS "positions are kept in the store, not by Kafka"
#define EXACT "each record must be seen, intact and once"
#define OURS "it is set by another option of this file"
#define QUEUE "memory is bounded by this queue"

static const struct setting settings[] = {
	{"client.id", "backbone", NULL},
	{"metadata.broker.list", NULL, OURS ": kafka.brokers"},
	{"bootstrap.servers", NULL, OURS ": kafka.brokers"},
	{"group.id", NULL, OURS ": kafka.group"},
	{"group.instance.id", NULL, "there is no group"},
	{"group.remote.assignor", NULL, "there is no group"},
	{"partition.assignment.strategy", NULL, "there is no group"},
	{"enable.auto.commit", "false", POSITIONS},
	{"auto.commit.enable", NULL, POSITIONS},
	{"auto.commit.interval.ms", NULL, POSITIONS},
	{"enable.auto.offset.store", "false", POSITIONS},
	{"offset.store.method", NULL, POSITIONS},
	{"offset.store.path", NULL, POSITIONS},
	{"auto.offset.reset", "error", "a gap in the log must be seen"},
	{"isolation.level", "read_committed", EXACT},
	{"check.crcs", "true", EXACT},
	{"enable.partition.eof", "true", "the end of a log must be seen"},
	{"allow.auto.create.topics", "false", "reading must not make topics"},
	{"queued.max.messages.kbytes", "32768", QUEUE},
	{"queued.min.messages", "100000", QUEUE},
	{"enabled_events", NULL, "it is an interface, not a setting"},
	{"plugin.library.paths", NULL, "foreign code in this process could undo any guarantee"},
	{"socket.nagle.disable", "true", NULL},
	{"socket.keepalive.enable", "true", NULL},
	{"log.connection.close", "false", NULL},
	{"reconnect.backoff.max.ms", "2000", NULL},
	{"fetch.wait.max.ms", "500", NULL},
};

#define SETTING_N (sizeof settings / sizeof *settings)

static const char *why_held(const char *name)
{
	for (size_t i = 0; i < SETTING_N; i++)
		if (settings[i].held && strcmp(settings[i].name, name) == 0)
			return settings[i].held;
	return NULL;
}

/* p NULL: none is near. */
static struct bb_text nearest(rd_kafka_conf_t *conf, const char *name, struct bb_arena *arena)
{
	size_t n;
	const char **dump = rd_kafka_conf_dump(conf, &n);
	struct bb_text kept = {NULL, 0};
	const char *words[512];
	const char *near;
	size_t word_n = 0;

	for (size_t i = 0; i + 1 < n && word_n < sizeof words / sizeof *words; i += 2)
		words[word_n++] = dump[i];
	near = bb_yaml_nearest(bb_text_of(name), words, word_n);
	if (near) /* the words go with the dump */
		kept = bb_arena_printf(arena, "%s", near);
	rd_kafka_conf_dump_free(dump, n);
	return kept;
}

static struct bb_text check_one(rd_kafka_conf_t *conf, const struct bb_kafka_option *option,
				struct bb_arena *arena)
{
	const char *held = why_held(option->name);
	rd_kafka_conf_res_t res;
	struct bb_text near;
	char errstr[512];

	if (held)
		return bb_arena_printf(arena, "cannot be set here: %s", held);
	res = rd_kafka_conf_set(conf, option->name, option->value, errstr, sizeof errstr);
	if (res == RD_KAFKA_CONF_OK)
		return (struct bb_text){NULL, 0};
	if (res == RD_KAFKA_CONF_INVALID)
		return bb_arena_printf(arena, "librdkafka does not take this value: %s", errstr);
	near = nearest(conf, option->name, arena);
	if (near.p)
		return bb_arena_printf(
			arena, "librdkafka has no option of this name; did you mean \"%s\"?",
			near.p);
	return bb_arena_printf(arena, "librdkafka has no option of this name");
}

bool bb_kafka_check(const char *file, const struct bb_kafka_option *options, size_t n,
		    struct bb_diagnostics *diagnostics)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		struct bb_text message = check_one(conf, &options[i], diagnostics->arena);

		if (!message.p)
			continue;
		bb_yaml_complain(
			file,
			&(struct bb_yaml){.line = options[i].line, .column = options[i].column},
			bb_arena_printf(diagnostics->arena, "kafka.options.%s", options[i].name).p,
			diagnostics, "%s", message.p);
		good = false;
	}
	rd_kafka_conf_destroy(conf);
	return good;
}

static void set_ours(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char errstr[512];

	bb_assert(rd_kafka_conf_set(conf, name, value, errstr, sizeof errstr) == RD_KAFKA_CONF_OK);
}

int bb_koptions_conf(const struct bb_kafka_options *options, rd_kafka_conf_t **ret_conf,
		     struct bb_error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	struct bb_arena arena;
	int code = BB_OK;

	bb_arena_init(&arena);
	for (size_t i = 0; i < SETTING_N; i++)
		if (settings[i].value)
			set_ours(conf, settings[i].name, settings[i].value);
	set_ours(conf, "metadata.broker.list", options->brokers);
	if (options->group)
		set_ours(conf, "group.id", options->group);
	for (size_t i = 0; !code && i < options->option_n; i++) {
		struct bb_text wrong = check_one(conf, &options->options[i], &arena);

		if (wrong.p)
			code = bb_error_set(err, BB_ECONFIG, "kafka.options.%s: %s",
					    options->options[i].name, wrong.p);
	}
	bb_arena_fini(&arena);
	if (code)
		rd_kafka_conf_destroy(conf);
	else
		*ret_conf = conf;
	return code;
}
