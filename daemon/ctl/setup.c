/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What verbs stand on: the configuration, the paths of the sockets, the store. Loaded when first
 * asked for, freed by bb_ctl_run.
 *
 * A configuration that was named and is wrong ends the verb with code 2 and every diagnostic. The
 * default one is optional for verbs that only need a socket: a client of the query socket may not
 * be allowed to read it.
 */
#include "ctl.h"

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

static int socket_path(struct bb_ctl *ctl, const char *given, const char *fallback, bool is_query,
		       const char **ret_path)
{
	const char *configured;
	int ret;

	*ret_path = given ? given : fallback;
	if (given)
		return BB_CTL_OK;
	ret = bb_ctl_try_config(ctl);
	if (ret != BB_CTL_OK || !ctl->config)
		return ret;
	configured = is_query ? ctl->config->query.path : ctl->config->admin.path;
	if (!configured)
		return bb_ctl_fail(ctl, BB_CTL_USAGE,
				   "%s has no path for the %s socket (serve.%s.path)",
				   ctl->config->file, is_query ? "query" : "admin",
				   is_query ? "query" : "admin");
	*ret_path = configured;
	return BB_CTL_OK;
}

int bb_ctl_query_path(struct bb_ctl *ctl, const char **ret_path)
{
	return socket_path(ctl, ctl->query_path, BB_CTL_QUERY_DEFAULT, true, ret_path);
}

int bb_ctl_admin_path(struct bb_ctl *ctl, const char **ret_path)
{
	return socket_path(ctl, ctl->admin_path, BB_CTL_ADMIN_DEFAULT, false, ret_path);
}

int bb_ctl_open_store(struct bb_ctl *ctl, struct bb_store **ret_store)
{
	struct bb_store_options options = {.read_only = true};
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
