/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table and the one way through it: find the row, check arity, role and the length of
 * keys, run. A reply that grew beyond the output mark is taken back and an error stands in its
 * place, so that no single command can fill the memory.
 *
 * What a client does wrong is an error reply that says what is allowed; nothing here fails.
 */
#include "command.h"

#include <backbone/assert.h>
#include <backbone/clock.h>
#include <stdlib.h>
#include <strings.h>

#define KEYLESS 0, 0, 0
#define ONE_KEY 1, 1, 1
#define TWO_KEYS 1, 2, 1
#define ALL_KEYS 1, -1, 1

const struct bb_command bb_commands[] = {
	{"get", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_get, "string", "key",
	 "The view of ns:value or of a profile id as JSON, or nil"},
	{"mget", NULL, -2, BB_ROLE_READ, ALL_KEYS, bb_command_mget, "string", "key [key ...]",
	 "The views of several keys"},
	{"exists", NULL, -2, BB_ROLE_READ, ALL_KEYS, bb_command_exists, "generic", "key [key ...]",
	 "How many of the keys lead to a profile"},
	{"type", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_type, "generic", "key",
	 "string, or none"},
	{"strlen", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_strlen, "string", "key",
	 "The length of the JSON of a view"},
	{"hgetall", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_hgetall, "hash", "key",
	 "The view as flat fields: attributes, and _profile, _events, _revenue.EUR, ..."},
	{"hget", NULL, 3, BB_ROLE_READ, ONE_KEY, bb_command_hget, "hash", "key field",
	 "One flat field of a view"},
	{"hmget", NULL, -3, BB_ROLE_READ, ONE_KEY, bb_command_hmget, "hash",
	 "key field [field ...]", "Several flat fields of a view"},
	{"scan", NULL, -2, BB_ROLE_READ, KEYLESS, bb_command_scan, "generic",
	 "cursor [MATCH pattern] [COUNT count] [TYPE type]", "Profile ids, some at a time"},
	{"bb.resolve", NULL, -2, BB_ROLE_READ, ALL_KEYS, bb_command_resolve, "generic",
	 "key [key ...]", "The profile ids that keys lead to"},
	{"bb.view", NULL, -2, BB_ROLE_READ, ONE_KEY, bb_command_view, "generic",
	 "key [FIELDS name,name...] [PROVENANCE]", "Parts of a view, with the origin of values"},
	{"bb.digest", NULL, 1, BB_ROLE_READ, KEYLESS, bb_command_digest, "server", "",
	 "A digest of all views, equal on every daemon that holds the same"},
	{"bb.why", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_why, "generic", "key",
	 "Why the identifiers of a profile are together, or why a key leads to nobody"},
	{"bb.explain", NULL, 3, BB_ROLE_READ, TWO_KEYS, bb_command_explain, "generic", "key key",
	 "Why two identifiers are together or apart, and what would change it"},
	{"bb.history", NULL, 2, BB_ROLE_READ, ONE_KEY, bb_command_history, "generic", "key",
	 "The names that a profile had, mergers, splits, and rulings on its identifiers"},
	{"bb.changes", NULL, -2, BB_ROLE_READ, KEYLESS, bb_command_changes, "server",
	 "since [COUNT n] [BLOCK milliseconds]",
	 "The change feed behind a number: created, updated, merged, split, renamed, erased"},
	{"ping", NULL, -1, 0, KEYLESS, bb_command_ping, "connection", "[message]", "PONG"},
	{"echo", NULL, 2, 0, KEYLESS, bb_command_echo, "connection", "message", "The message"},
	{"quit", NULL, -1, 0, KEYLESS, bb_command_quit, "connection", "", "Ends the connection"},
	{"hello", NULL, -1, 0, KEYLESS, bb_command_hello, "connection",
	 "[protover [AUTH username password] [SETNAME clientname]]", "Chooses RESP2 or RESP3"},
	{"auth", NULL, -2, 0, KEYLESS, bb_command_auth, "connection", "[username] password",
	 "Not used: the peer's user id decides"},
	{"select", NULL, 2, 0, KEYLESS, bb_command_select, "connection", "index",
	 "There is database 0"},
	{"client", "setinfo", 4, 0, KEYLESS, bb_command_client_setinfo, "connection",
	 "LIB-NAME name | LIB-VER version", "What library a client uses"},
	{"client", "setname", 3, 0, KEYLESS, bb_command_client_setname, "connection", "name",
	 "Names the connection"},
	{"client", "getname", 2, 0, KEYLESS, bb_command_client_getname, "connection", "",
	 "The name of the connection"},
	{"client", "id", 2, 0, KEYLESS, bb_command_client_id, "connection", "",
	 "The number of the connection"},
	{"command", NULL, 1, 0, KEYLESS, bb_command_list, "server", "", "The commands"},
	{"command", "count", 2, 0, KEYLESS, bb_command_count, "server", "",
	 "The number of commands"},
	{"command", "docs", -2, 0, KEYLESS, bb_command_docs, "server", "[name ...]",
	 "What commands do"},
	{"info", NULL, -1, 0, KEYLESS, bb_command_info, "server", "[section ...]",
	 "The state of the daemon"},
	{"config", "get", -3, 0, KEYLESS, bb_command_config_get, "server", "pattern [pattern ...]",
	 "What clients ask for on connecting"},
	{"time", NULL, 1, 0, KEYLESS, bb_command_time, "server", "", "Seconds and microseconds"},
	{"reset", NULL, 1, 0, KEYLESS, bb_command_reset, "connection", "",
	 "The connection as it was when new"},
};
const size_t bb_command_n = sizeof(bb_commands) / sizeof(bb_commands[0]);

void bb_session_init(struct bb_session *session, uint64_t id, unsigned roles)
{
	*session = (struct bb_session){.id = id, .roles = roles, .protocol = 2};
}

static bool text_is(struct bb_text text, const char *word)
{
	return strncasecmp(word, text.p, text.n) == 0 && word[text.n] == '\0' && text.n > 0;
}

bool bb_call_arg_is(const struct bb_call *call, size_t i, const char *word)
{
	return i < call->n && text_is(call->args[i], word);
}

bool bb_call_is_too_large(const struct bb_call *call)
{
	return call->out->n - call->out_start > call->service->config->limits.output_bytes;
}

void bb_call_fail(struct bb_call *call, int err, struct bb_text key)
{
	struct bb_buf why = BB_BUF_EMPTY;

	call->out->n = call->out_start;
	if (err == BB_EINVAL) {
		bb_lookup_explain(&call->service->lookup, key, &why);
		bb_resp_error(call->out, "ERR %.*s", (int)why.n, why.p);
	} else {
		bb_resp_error(call->out, "ERR store: %s", bb_error_text(err));
	}
	bb_buf_fini(&why);
}

/*
 * The row for the arguments. A row with a sub-command is taken if that is the second argument; one
 * without, if the command has no sub-commands or none is given.
 */
static const struct bb_command *find(const struct bb_call *call, bool *ret_name_known)
{
	char first = call->args[0].n > 0 ? (char)(call->args[0].p[0] | 0x20) : '\0';

	*ret_name_known = false;
	for (size_t i = 0; i < bb_command_n; i++) {
		const struct bb_command *command = &bb_commands[i];

		if (command->name[0] != first || !text_is(call->args[0], command->name))
			continue;
		*ret_name_known = true;
		if (command->sub ? bb_call_arg_is(call, 1, command->sub)
				 : strcmp(command->name, "command") != 0 || call->n == 1)
			return command;
	}
	return NULL;
}

static void reply_unknown(struct bb_call *call, bool name_known)
{
	struct bb_text name = call->args[0], sub;
	int name_n = name.n > 64 ? 64 : (int)name.n;

	if (!name_known) {
		bb_resp_error(call->out, "ERR unknown command '%.*s'", name_n, name.p);
		return;
	}
	sub = call->n > 1 ? call->args[1] : BB_TEXT("");
	bb_resp_error(call->out, "ERR unknown subcommand '%.*s' of %.*s",
		      sub.n > 64 ? 64 : (int)sub.n, sub.p, name_n, name.p);
}

static bool is_allowed(struct bb_call *call, const struct bb_command *command)
{
	int last = command->last_key < 0 ? (int)call->n + command->last_key : command->last_key;

	if (command->arity < 0 ? call->n < (size_t)-command->arity
			       : call->n != (size_t)command->arity) {
		bb_resp_error(call->out,
			      "ERR wrong number of arguments for '%s' command; expected %s%s%s %s",
			      command->name, command->name, command->sub ? " " : "",
			      command->sub ? command->sub : "", command->syntax);
		return false;
	}
	if (command->role && !(call->session->roles & command->role)) {
		bb_resp_error(call->out, "NOPERM your user has no role for '%s'", command->name);
		return false;
	}
	for (int i = command->first_key; i > 0 && i <= last; i += command->key_step) {
		if (call->args[i].n > BB_RESP_KEY_MAX) {
			bb_resp_error(call->out, "ERR key of %zu bytes; at most %d are allowed",
				      call->args[i].n, BB_RESP_KEY_MAX);
			return false;
		}
	}
	return true;
}

static void run_measured(struct bb_call *call, const struct bb_command *command)
{
	struct bb_histogram **histogram = &call->service->lookup_ns[command - bb_commands];
	uint64_t start_ns = call->service->now_ns;

	if (!*histogram) {
		*histogram = calloc(1, sizeof(**histogram));
		bb_assert(*histogram);
	}
	command->run(call);
	call->service->now_ns = bb_clock_monotonic_ns(); /* reading it costs as much as parsing */
	bb_histogram_record(*histogram, call->service->now_ns - start_ns);
	if (call->out->n > call->out_start && call->out->p[call->out_start] == '-')
		bb_metrics_add(call->service->metrics, BB_METRIC_LOOKUP_ERRORS,
			       BB_LABELS(command->name), 1);
}

size_t bb_command_run(const struct bb_resp_request *request, struct bb_session *session,
		      struct bb_service *service, struct bb_buf *out, bool *ret_known)
{
	struct bb_call call = {.args = request->args,
			       .n = request->n,
			       .out = out,
			       .out_start = out->n,
			       .session = session,
			       .service = service};
	const struct bb_command *command;

	bb_assert(request->n > 0);
	command = find(&call, ret_known);
	service->stats.commands++;
	if (!command)
		reply_unknown(&call, *ret_known);
	else if (is_allowed(&call, command))
		run_measured(&call, command);
	if (bb_call_is_too_large(&call)) {
		out->n = call.out_start;
		bb_resp_error(out,
			      "ERR the reply has more than %u bytes; ask for fewer keys or "
			      "fields",
			      service->config->limits.output_bytes);
	}
	if (out->n > call.out_start && out->p[call.out_start] == '-')
		service->stats.errors++;
	return command && command->last_key < 0 ? call.n : 1;
}
