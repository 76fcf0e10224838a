/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What needs no loop: loading the configuration, opening the store, `--check`, and `--accept-gap`,
 * an operator's word that reading goes on behind a gap. That word is written into the row of the
 * partition, in a transaction of its own; the store's lock keeps it from happening beside a running
 * daemon.
 */
#include "app.h"

#include <backbone/kafka.h>
#include <backbone/log.h>
#include <backbone/progress.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void check_kafka(const struct bb_config *config, struct bb_diagnostics *diagnostics)
{
	const struct bb_kafka_option *options = bb_app_kafka_options(config, diagnostics->arena);

	bb_kafka_check(config->file, options, config->kafka_option_n, diagnostics);
}

/* The configuration, or NULL and what is wrong in the diagnostics or `err`. */
static struct bb_config *load(const char *file, const struct bb_config *before,
			      struct bb_diagnostics *diagnostics, struct bb_error *err)
{
	struct bb_config *config = NULL;
	int code = bb_config_load_beside(file, before, &config, diagnostics, err);

	if (code)
		return NULL;
	check_kafka(config, diagnostics);
	if (diagnostics->n == 0)
		return config;
	bb_config_free(config);
	return NULL;
}

struct bb_config *bb_app_load_beside(const char *file, const struct bb_config *before,
				     struct bb_buf *said)
{
	struct bb_diagnostics diagnostics = {0};
	struct bb_error err = {0};
	struct bb_config *config;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	config = load(file, before, &diagnostics, &err);
	if (!config && diagnostics.n == 0) {
		bb_log(BB_LOG_ERROR, "config_error", "%s", err.msg);
		bb_buf_printf(said, "%s\n", err.msg);
	}
	for (size_t i = 0; i < diagnostics.n; i++) {
		size_t from = said->n;

		bb_diagnostic_print(&diagnostics.items[i], said);
		bb_log(BB_LOG_ERROR, "config_error", "%.*s", (int)(said->n - from), said->p + from);
		bb_buf_byte(said, '\n');
	}
	bb_arena_fini(&arena);
	return config;
}

struct bb_config *bb_app_load(const char *file, int *ret_exit)
{
	struct bb_buf said = BB_BUF_EMPTY;
	struct bb_config *config = bb_app_load_beside(file, NULL, &said);

	*ret_exit = config ? BB_EXIT_OK : BB_EXIT_CONFIG;
	bb_buf_fini(&said);
	return config;
}

int bb_app_check(const char *config_file)
{
	struct bb_diagnostics diagnostics = {0};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_error err = {0};
	struct bb_config *config;
	struct bb_arena arena;

	bb_arena_init(&arena);
	diagnostics.arena = &arena;
	config = load(config_file, NULL, &diagnostics, &err);
	for (size_t i = 0; i < diagnostics.n; i++) {
		bb_diagnostic_print(&diagnostics.items[i], &buf);
		bb_buf_byte(&buf, '\n');
	}
	if (!config && diagnostics.n == 0)
		bb_buf_printf(&buf, "%s\n", err.msg);
	fwrite(buf.p, 1, buf.n, stderr);
	if (config)
		printf("%s: good; %zu connectors\n", config->file, config->connector_n);
	bb_buf_fini(&buf);
	bb_arena_fini(&arena);
	bb_config_free(config);
	return config ? BB_EXIT_OK : BB_EXIT_CONFIG;
}

static int exit_of_store(int code)
{
	switch (code) {
	case BB_EBUSY:
		return BB_EXIT_BUSY;
	case BB_EFORMAT:
	case BB_EKEY:
		return BB_EXIT_CONFIG;
	case BB_ECORRUPT:
		return BB_EXIT_DAMAGED;
	default:
		return BB_EXIT_STORE;
	}
}

int bb_app_open_store(const struct bb_config *config, struct bb_store **ret_store)
{
	struct bb_store_options options = {
		.path = config->store_path,
		.map_size_bytes = config->store_map_size_bytes,
		.quota_bytes = config->store_quota_bytes,
		.profile_key = &config->rules.profile_key,
	};
	struct bb_error err = {0};
	int code = bb_store_open(&options, ret_store, &err);

	if (!code)
		return BB_EXIT_OK;
	bb_log(BB_LOG_ERROR, "store_not_opened", "%s", err.msg);
	return exit_of_store(code);
}

/* --- an operator's word ----------------------------------------------------------------------- */

struct word {
	struct bb_text topic;
	int32_t partition;
	int64_t where;
};

static bool parse_number(const char *text, const char *end, int64_t most, int64_t *ret_number)
{
	char *stop = NULL;
	long long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoll(text, &stop, 10);
	if (errno || stop != end || number > most)
		return false;
	*ret_number = number;
	return true;
}

/* TOPIC/PARTITION[@WHERE]; the topic of a file is a path, so the last slash counts. */
static bool parse_word(const char *text, struct word *ret_word)
{
	const char *slash = strrchr(text, '/');
	const char *at = slash ? strchr(slash, '@') : NULL;
	const char *end = text + strlen(text);
	int64_t partition;

	if (!slash || slash == text ||
	    !parse_number(slash + 1, at ? at : end, INT32_MAX, &partition))
		return false;
	ret_word->topic = bb_text_bytes(text, (size_t)(slash - text));
	ret_word->partition = (int32_t)partition;
	ret_word->where = BB_RESUME_START;
	if (!at || strcmp(at, "@start") == 0)
		return true;
	if (strncmp(text, "file:", strlen("file:")) == 0)
		return false; /* lines have no end to go to, and no place without the one before */
	if (strcmp(at, "@end") == 0) {
		ret_word->where = BB_RESUME_END;
		return true;
	}
	return parse_number(at + 1, end, INT64_MAX, &ret_word->where);
}

static int write_word(struct bb_store *store, const struct word *word)
{
	struct bb_kv *kv;
	int code = bb_store_write_begin(store, &kv);

	if (code)
		return code;
	code = bb_progress_accept(kv, word->topic, word->partition, word->where);
	if (!code)
		return bb_store_write_commit(kv);
	bb_store_write_abort(kv);
	return code;
}

static int accept_gap(const struct bb_config *config, const struct word *word, const char *text)
{
	struct bb_store *store = NULL;
	int code = bb_app_open_store(config, &store);

	if (code)
		return code;
	code = write_word(store, word);
	bb_store_close(store);
	if (!code) {
		printf("%s: reading goes on there at the next start\n", text);
		return BB_EXIT_OK;
	}
	if (code == BB_ENOTFOUND)
		fprintf(stderr,
			"backboned: nothing was ever read of %.*s/%d; `backbonectl --config %s "
			"dump --offsets` lists what was\n",
			(int)word->topic.n, word->topic.p, (int)word->partition, config->file);
	else
		fprintf(stderr, "backboned: %s\n", bb_error_text(code));
	return code == BB_ENOTFOUND ? BB_EXIT_FAILURE : exit_of_store(code);
}

int bb_app_accept_gap(const char *config_file, const char *where)
{
	struct bb_config *config;
	struct word word;
	int code;

	if (!parse_word(where, &word)) {
		fprintf(stderr,
			"backboned: --accept-gap %s: expected TOPIC/PARTITION, "
			"TOPIC/PARTITION@start, @end "
			"or @OFFSET (of a file only @start)\n",
			where);
		return BB_EXIT_USAGE;
	}
	config = bb_app_load(config_file, &code);
	if (!config)
		return code;
	code = accept_gap(config, &word, where);
	bb_config_free(config);
	return code;
}
