/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What verbs stand on: the configuration, the paths of the sockets, the store. Loaded when first
 * asked for, freed by bb_ctl_run.
 *
 * A configuration that was named and is wrong ends the verb with code 2 and every diagnostic. A
 * verb that only needs a socket warns of it and goes on with the path that the file has for the
 * socket: what a connector says, or a credential that only the daemon may read, is nothing to it.
 * The default configuration is optional for such verbs, and nothing is said of it: a client of the
 * query socket may not be allowed to read it.
 */
#include "ctl.h"
#include "net.h"

#include <backbone/regular.h>
#include <backbone/yaml.h>
#include <unistd.h>

enum bb_ctl_exit bb_ctl_exit_of(int err)
{
	switch (err) {
	case BB_OK:
		return BB_CTL_OK;
	case BB_ENOTFOUND:
	case BB_EIO:
	case BB_ENOSPC:
	case BB_EUNREACHABLE:
	case BB_EKAFKA:
		return BB_CTL_UNREACHABLE;
	case BB_EINVAL:
	case BB_ECONFIG:
		return BB_CTL_USAGE;
	case BB_ECORRUPT:
		return BB_CTL_NO;
	default:
		return BB_CTL_REFUSED;
	}
}

static void print_diagnostics(struct bb_ctl *ctl, const struct bb_diagnostics *diagnostics)
{
	struct bb_buf buf = BB_BUF_EMPTY;

	for (size_t i = 0; i < diagnostics->n; i++) {
		bb_diagnostic_print(&diagnostics->items[i], &buf);
		bb_buf_byte(&buf, '\n');
	}
	fwrite(buf.p ? buf.p : "", 1, buf.n, ctl->err);
	bb_buf_fini(&buf);
}

static int load(struct bb_ctl *ctl, const char *file, bool quietly)
{
	struct bb_diagnostics diagnostics = {.arena = &ctl->arena};
	struct bb_error err = {0};
	int ret = bb_config_load(file, &ctl->config, &diagnostics, &err);

	if (ret == BB_OK)
		return BB_CTL_OK;
	ctl->config = NULL;
	if (quietly)
		return BB_CTL_OK;
	print_diagnostics(ctl, &diagnostics);
	if (ret == BB_ECONFIG)
		return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s: the configuration is wrong", file);
	return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", err.msg);
}

int bb_ctl_load_config(struct bb_ctl *ctl)
{
	if (ctl->config)
		return BB_CTL_OK;
	return load(ctl, ctl->config_file ? ctl->config_file : BB_CTL_CONFIG_DEFAULT, false);
}

int bb_ctl_try_config(struct bb_ctl *ctl)
{
	if (ctl->config_file)
		return bb_ctl_load_config(ctl);
	if (ctl->config || access(BB_CTL_CONFIG_DEFAULT, R_OK) != 0)
		return BB_CTL_OK;
	return load(ctl, BB_CTL_CONFIG_DEFAULT, true);
}

/* A tree of the file although something of it is wrong, or NULL. Where a reference cannot be
 * resolved, all of them stay as they are written. */
static const struct bb_yaml *read_tree(struct bb_ctl *ctl, const char *file)
{
	struct bb_diagnostics ignored = {.arena = &ctl->arena};
	struct bb_buf text = BB_BUF_EMPTY, plain = BB_BUF_EMPTY;
	const struct bb_yaml *tree = NULL;
	struct bb_error err;

	if (bb_regular_read(file, BB_CONFIG_FILE_MAX, &text, &err) != BB_OK)
		text.n = 0;
	if (text.n)
		tree = bb_yaml_read(file, bb_buf_slice(&text), &ignored);
	for (size_t i = 0; !tree && i < text.n; i++) {
		if (text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == '{')
			bb_buf_byte(&plain, '$');
		bb_buf_byte(&plain, text.p[i]);
	}
	if (!tree && text.n)
		tree = bb_yaml_read(file, bb_buf_slice(&plain), &ignored);
	bb_buf_fini(&text);
	bb_buf_fini(&plain);
	return tree;
}

static int fail_path(struct bb_ctl *ctl, const char *file, bool is_query)
{
	const char *name = is_query ? "query" : "admin";

	return bb_ctl_fail(ctl, BB_CTL_USAGE, "%s has no path for the %s socket (serve.%s.path)",
			   file, name, name);
}

/* The path that a wrong configuration has for the socket; where it has none, *ret_path stays. */
static int path_in_wrong(struct bb_ctl *ctl, const char *file, bool is_query, const char **ret_path)
{
	const struct bb_yaml *node = read_tree(ctl, file);
	const char *slash = strrchr(file, '/');
	const char *path;

	node = node ? bb_yaml_get(node, "serve") : NULL;
	node = node ? bb_yaml_get(node, is_query ? "query" : "admin") : NULL;
	node = node ? bb_yaml_get(node, "path") : NULL;
	if (!node || node->kind != BB_YAML_SCALAR || node->text.n == 0)
		return BB_CTL_OK;
	path = node->text.p;
	if (strcmp(path, "none") == 0 || strstr(path, "${"))
		return fail_path(ctl, file, is_query);
	*ret_path = path;
	if (path[0] != '/' && slash)
		*ret_path =
			bb_arena_printf(&ctl->arena, "%.*s%s", (int)(slash - file) + 1, file, path)
				.p;
	return BB_CTL_OK;
}

static void warn_of_wrong(struct bb_ctl *ctl, const struct bb_diagnostics *diagnostics,
			  const char *file, const char *path)
{
	struct bb_buf first = BB_BUF_EMPTY;

	bb_diagnostic_print(&diagnostics->items[0], &first);
	fprintf(ctl->err,
		"backbonectl %s: warning: %s is wrong (%zu mistake%s: %.*s%s); going on with the "
		"socket %s\n",
		ctl->verb->name, file, diagnostics->n, diagnostics->n == 1 ? "" : "s", (int)first.n,
		first.p, diagnostics->n == 1 ? "" : "; ...", path);
	bb_buf_fini(&first);
}

static int socket_path(struct bb_ctl *ctl, const char *given, const char *fallback, bool is_query,
		       const char **ret_path)
{
	const char *file = ctl->config_file ? ctl->config_file : BB_CTL_CONFIG_DEFAULT;
	struct bb_diagnostics diagnostics = {.arena = &ctl->arena};
	struct bb_error err = {0};
	int ret = BB_OK;

	*ret_path = given ? given : fallback;
	if (given || (!ctl->config && !ctl->config_file && access(file, R_OK) != 0))
		return BB_CTL_OK;
	if (!ctl->config)
		ret = bb_config_load(file, &ctl->config, &diagnostics, &err);
	if (ret == BB_ECONFIG) {
		ret = path_in_wrong(ctl, file, is_query, ret_path);
		if (ret == BB_CTL_OK && ctl->config_file)
			warn_of_wrong(ctl, &diagnostics, file, *ret_path);
		return ret;
	}
	if (ret != BB_OK)
		return ctl->config_file ? bb_ctl_fail(ctl, BB_CTL_USAGE, "%s", err.msg) : BB_CTL_OK;
	*ret_path = is_query ? ctl->config->query.path : ctl->config->admin.path;
	return *ret_path ? BB_CTL_OK : fail_path(ctl, ctl->config->file, is_query);
}

int bb_ctl_query_path(struct bb_ctl *ctl, const char **ret_path)
{
	return socket_path(ctl, ctl->query_path, BB_CTL_QUERY_DEFAULT, true, ret_path);
}

int bb_ctl_admin_path(struct bb_ctl *ctl, const char **ret_path)
{
	return socket_path(ctl, ctl->admin_path, BB_CTL_ADMIN_DEFAULT, false, ret_path);
}

int bb_ctl_brokers(struct bb_ctl *ctl, const char **ret_brokers)
{
	int ret = bb_ctl_try_config(ctl);

	if (ret != BB_CTL_OK)
		return ret;
	*ret_brokers = bb_ctl_value(ctl, "brokers");
	if (!*ret_brokers && ctl->config)
		*ret_brokers = ctl->config->kafka_brokers;
	if (*ret_brokers)
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, BB_CTL_USAGE,
			   "no brokers: give --brokers HOST:PORT or "
			   "--config with kafka.brokers");
}

static int open_store(struct bb_ctl *ctl, bool read_only, struct bb_store **ret_store)
{
	struct bb_store_options options = {.read_only = read_only};
	struct bb_error err = {0};
	int ret = bb_ctl_load_config(ctl);

	if (ret != BB_CTL_OK)
		return ret;
	options.path = ctl->config->store_path;
	options.map_size_bytes = ctl->config->store_map_size_bytes;
	options.profile_key = &ctl->config->rules.profile_key;
	ret = bb_store_open(&options, ret_store, &err);
	if (ret == BB_OK)
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
}

int bb_ctl_open_store(struct bb_ctl *ctl, struct bb_store **ret_store)
{
	return open_store(ctl, true, ret_store);
}

int bb_ctl_open_store_to_write(struct bb_ctl *ctl, struct bb_store **ret_store)
{
	return open_store(ctl, false, ret_store);
}

int bb_ctl_read_store(struct bb_ctl *ctl, const char *socket, bb_ctl_read_fn *read, void *ctx,
		      int *ret_err)
{
	struct bb_store_reader *reader = NULL;
	struct bb_store *store = NULL;
	struct bb_kv *kv;
	int ret, err;

	if (socket && !ctl->config)
		fprintf(ctl->err,
			"backbonectl %s: no daemon answers on %s; the store itself can be read "
			"instead, but only with a configuration that has no mistakes:\n",
			ctl->verb->name, socket);
	ret = bb_ctl_open_store(ctl, &store);
	if (ret != BB_CTL_OK)
		return ret;
	err = bb_store_reader_new(store, &reader);
	if (err == BB_OK)
		err = bb_store_read_begin(reader, &kv);
	if (err == BB_OK) {
		err = read(ctl, kv, ctx);
		bb_store_read_end(reader);
	}
	bb_store_reader_free(reader);
	bb_store_close(store);
	if (ret_err)
		*ret_err = err;
	else if (err != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s", ctl->config->store_path,
				   bb_error_text(err));
	return BB_CTL_OK;
}

int bb_ctl_call(struct bb_ctl *ctl, struct bb_net_resp *client, const char *const *args, size_t n,
		struct bb_net_reply *ret_reply)
{
	struct bb_error err = {0};
	int ret = bb_net_resp_call(client, args, n, &ctl->arena, ret_reply, &err);

	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	if (ret_reply->kind == BB_REPLY_ERROR)
		return bb_ctl_fail(ctl, BB_CTL_REFUSED, "%.*s", (int)ret_reply->text.n,
				   ret_reply->text.p);
	return BB_CTL_OK;
}

int bb_ctl_ask(struct bb_ctl *ctl, int (*daemon)(struct bb_ctl *ctl, struct bb_net_resp *client),
	       int (*store)(struct bb_ctl *ctl, const char *socket))
{
	struct bb_net_resp client;
	struct bb_error err = {0};
	const char *path;
	int ret = bb_ctl_query_path(ctl, &path);

	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_net_resp_open(path, &client, &err);
	if (ret == BB_EUNREACHABLE)
		return store(ctl, path);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	ret = daemon(ctl, &client);
	bb_net_resp_close(&client);
	return ret;
}
