/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tools ask of a server about itself: the command table told in Redis' own shape, INFO, and
 * the few settings that clients read on connecting. Answers are built from the tables and from the
 * status of the daemon; nothing here fails.
 */
#include "command.h"

#include <backbone/clock.h>
#include <unistd.h>

static size_t names_n(void)
{
	size_t n = 0;

	for (size_t i = 0; i < bb_command_n; i++)
		n += i == 0 || strcmp(bb_commands[i].name, bb_commands[i - 1].name) != 0;
	return n;
}

static bool is_first_of_name(size_t i)
{
	return i == 0 || strcmp(bb_commands[i].name, bb_commands[i - 1].name) != 0;
}

/* [name, arity, [flags], first key, last key, step], as in COMMAND before Redis 7; clients read
 * no further. */
static void append_row(struct bb_call *call, const struct bb_command *command)
{
	bool reads = command->role & BB_ROLE_READ;

	bb_resp_array(call->out, 6);
	bb_resp_bulk(call->out, bb_text_of(command->name));
	bb_resp_integer(call->out, command->sub ? -2 : command->arity);
	bb_resp_array(call->out, 1);
	bb_resp_simple(call->out, reads ? "readonly" : "fast");
	bb_resp_integer(call->out, command->first_key);
	bb_resp_integer(call->out, command->last_key);
	bb_resp_integer(call->out, command->key_step);
}

void bb_command_list(struct bb_call *call)
{
	bb_resp_array(call->out, names_n());
	for (size_t i = 0; i < bb_command_n; i++)
		if (is_first_of_name(i))
			append_row(call, &bb_commands[i]);
}

void bb_command_count(struct bb_call *call)
{
	bb_resp_integer(call->out, (int64_t)names_n());
}

static bool is_asked(const struct bb_call *call, const struct bb_command *command)
{
	if (call->n == 2)
		return true;
	for (size_t i = 2; i < call->n; i++)
		if (bb_call_arg_is(call, i, command->name))
			return true;
	return false;
}

void bb_command_docs(struct bb_call *call)
{
	int protocol = call->session->protocol;
	size_t n = 0;

	for (size_t i = 0; i < bb_command_n; i++)
		n += is_first_of_name(i) && is_asked(call, &bb_commands[i]);
	bb_resp_map(call->out, n, protocol);
	for (size_t i = 0; i < bb_command_n; i++) {
		const struct bb_command *command = &bb_commands[i];

		if (!is_first_of_name(i) || !is_asked(call, command))
			continue;
		bb_resp_bulk(call->out, bb_text_of(command->name));
		bb_resp_map(call->out, 3, protocol);
		bb_resp_bulk(call->out, BB_TEXT("summary"));
		bb_resp_bulk(call->out, bb_text_of(command->summary));
		bb_resp_bulk(call->out, BB_TEXT("since"));
		bb_resp_bulk(call->out, BB_TEXT(BB_VERSION));
		bb_resp_bulk(call->out, BB_TEXT("group"));
		bb_resp_bulk(call->out, bb_text_of(command->group));
	}
}

static void info_server(struct bb_service *service, const struct bb_status *status,
			struct bb_buf *buf)
{
	long long up_s = (bb_clock_wall_ms() - status->started_ms) / BB_SECOND_MS;

	(void)service;
	bb_buf_printf(buf,
		      "server_name:backbone\r\nbackbone_version:%s\r\nredis_mode:standalone\r\n"
		      "process_id:%d\r\nuptime_in_seconds:%lld\r\n",
		      BB_VERSION, (int)getpid(), up_s < 0 ? 0 : up_s);
}

static void info_clients(struct bb_service *service, const struct bb_status *status,
			 struct bb_buf *buf)
{
	(void)status;
	bb_buf_printf(buf, "connected_clients:%llu\r\nmaxclients:%u\r\n",
		      (unsigned long long)service->stats.clients,
		      service->config->limits.connections);
}

/* `loading` is what client libraries wait for: look-ups are served from the first moment. */
static void info_persistence(struct bb_service *service, const struct bb_status *status,
			     struct bb_buf *buf)
{
	(void)service;
	bb_buf_printf(buf, "loading:0\r\nstore_used_bytes:%llu\r\nstore_file_bytes:%llu\r\n",
		      (unsigned long long)status->store_used_bytes,
		      (unsigned long long)status->store_file_bytes);
}

static void info_stats(struct bb_service *service, const struct bb_status *status,
		       struct bb_buf *buf)
{
	const struct bb_serve_stats *stats = &service->stats;

	(void)status;
	bb_buf_printf(buf,
		      "total_connections_received:%llu\r\ntotal_commands_processed:%llu\r\n"
		      "rejected_connections:%llu\r\ntotal_error_replies:%llu\r\n",
		      (unsigned long long)stats->accepted, (unsigned long long)stats->commands,
		      (unsigned long long)stats->refused, (unsigned long long)stats->errors);
}

static void info_backbone(struct bb_service *service, const struct bb_status *status,
			  struct bb_buf *buf)
{
	(void)service;
	bb_buf_printf(buf,
		      "ready:%d\r\nstate:%.*s\r\nprofiles:%llu\r\nidentifiers:%llu\r\n"
		      "dead_letters:%llu\r\n",
		      status->ready, (int)status->state.n, status->state.p,
		      (unsigned long long)status->profiles, (unsigned long long)status->identifiers,
		      (unsigned long long)status->dead_letters);
	for (size_t i = 0; i < status->reason_n; i++)
		bb_buf_printf(buf, "not_ready_%zu:%.*s\r\n", i, (int)status->reasons[i].code.n,
			      status->reasons[i].code.p);
}

static void info_keyspace(struct bb_service *service, const struct bb_status *status,
			  struct bb_buf *buf)
{
	(void)service;
	bb_buf_printf(buf, "db0:keys=%llu,expires=0,avg_ttl=0\r\n",
		      (unsigned long long)status->profiles);
}

static const struct section {
	const char *name, *title;
	void (*write)(struct bb_service *service, const struct bb_status *status,
		      struct bb_buf *buf);
} sections[] = {
	{"server", "Server", info_server},	    {"clients", "Clients", info_clients},
	{"persistence", "Store", info_persistence}, {"stats", "Stats", info_stats},
	{"backbone", "Backbone", info_backbone},    {"keyspace", "Keyspace", info_keyspace},
};

static bool is_section_asked(const struct bb_call *call, const char *name)
{
	if (call->n == 1)
		return true;
	for (size_t i = 1; i < call->n; i++)
		if (bb_call_arg_is(call, i, name) || bb_call_arg_is(call, i, "all") ||
		    bb_call_arg_is(call, i, "default") || bb_call_arg_is(call, i, "everything"))
			return true;
	return false;
}

void bb_command_info(struct bb_call *call)
{
	struct bb_service *service = call->service;
	struct bb_status status;
	size_t mark;

	bb_arena_reset(&service->scratch);
	bb_service_status(service, &status);
	mark = bb_resp_bulk_begin(call->out);
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!is_section_asked(call, sections[i].name))
			continue;
		bb_buf_printf(call->out, "# %s\r\n", sections[i].title);
		sections[i].write(service, &status, call->out);
		bb_buf_add(call->out, "\r\n", 2);
	}
	bb_resp_bulk_end(call->out, mark);
}

struct setting {
	const char *name;
	struct bb_text value;
};

void bb_command_config_get(struct bb_call *call)
{
	const struct bb_config_limits *limits = &call->service->config->limits;
	struct bb_arena *arena = &call->service->scratch;
	size_t matched[8], n = 0;

	bb_arena_reset(arena);
	const struct setting settings[] = {
		{"appendonly", BB_TEXT("no")},
		{"databases", BB_TEXT("1")},
		{"maxclients", bb_arena_printf(arena, "%u", limits->connections)},
		{"maxmemory", BB_TEXT("0")},
		{"proto-max-bulk-len", bb_arena_printf(arena, "%d", BB_RESP_REQUEST_MAX)},
		{"save", BB_TEXT("")},
		{"timeout", bb_arena_printf(arena, "%u", limits->idle_seconds)},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		bool is_match = false;

		for (size_t a = 2; a < call->n; a++)
			is_match |= bb_resp_glob(call->args[a], bb_text_of(settings[i].name));
		if (is_match)
			matched[n++] = i;
	}
	bb_resp_map(call->out, n, call->session->protocol);
	for (size_t i = 0; i < n; i++) {
		bb_resp_bulk(call->out, bb_text_of(settings[matched[i]].name));
		bb_resp_bulk(call->out, settings[matched[i]].value);
	}
}
