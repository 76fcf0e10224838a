/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What client libraries send when they connect. Passwords mean nothing here: who a peer is, its
 * socket says; `AUTH default ...` is answered as a Redis without a password answers it, and a bare
 * password is refused as there.
 */
#include "command.h"

#include <stdio.h>
#include <time.h>

void bb_command_ping(struct bb_call *call)
{
	if (call->n > 2)
		bb_resp_error(call->out, "ERR wrong number of arguments for 'ping' command");
	else if (call->n == 2)
		bb_resp_bulk(call->out, call->args[1]);
	else
		bb_resp_simple(call->out, "PONG");
}

void bb_command_echo(struct bb_call *call)
{
	bb_resp_bulk(call->out, call->args[1]);
}

void bb_command_quit(struct bb_call *call)
{
	call->session->closing = true;
	bb_resp_simple(call->out, "OK");
}

static bool auth(struct bb_call *call, size_t user)
{
	if (bb_call_arg_is(call, user, "default"))
		return true;
	bb_resp_error(call->out, "WRONGPASS there are no users and passwords here: the role is "
				 "that of the peer's user id");
	return false;
}

void bb_command_auth(struct bb_call *call)
{
	if (call->n > 3)
		bb_resp_error(call->out, "ERR syntax error; expected AUTH [username] password");
	else if (call->n == 2)
		bb_resp_error(call->out, "ERR AUTH <password> called without any password "
					 "configured: the role is that of the peer's user id");
	else if (auth(call, 1))
		bb_resp_simple(call->out, "OK");
}

void bb_command_select(struct bb_call *call)
{
	if (bb_call_arg_is(call, 1, "0"))
		bb_resp_simple(call->out, "OK");
	else
		bb_resp_error(call->out, "ERR DB index is out of range; there is database 0 only");
}

/* False: an error has been replied. An empty name takes the name off. */
static bool set_name(struct bb_call *call, struct bb_text name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '!' || name.p[i] > '~') {
			bb_resp_error(call->out, "ERR Client names cannot contain spaces, newlines "
						 "or special characters.");
			return false;
		}
	}
	if (name.n > BB_CLIENT_NAME_MAX) {
		bb_resp_error(call->out, "ERR client name of %zu bytes; at most %d are allowed",
			      name.n, BB_CLIENT_NAME_MAX);
		return false;
	}
	if (name.n > 0)
		memcpy(call->session->name, name.p, name.n);
	call->session->name[name.n] = '\0';
	return true;
}

static void hello_reply(struct bb_call *call)
{
	int protocol = call->session->protocol;
	struct bb_buf *out = call->out;

	bb_resp_map(out, 7, protocol);
	bb_resp_bulk(out, BB_TEXT("server"));
	bb_resp_bulk(out, BB_TEXT("backbone"));
	bb_resp_bulk(out, BB_TEXT("version"));
	bb_resp_bulk(out, BB_TEXT(BB_VERSION));
	bb_resp_bulk(out, BB_TEXT("proto"));
	bb_resp_integer(out, protocol);
	bb_resp_bulk(out, BB_TEXT("id"));
	bb_resp_integer(out, (int64_t)call->session->id);
	bb_resp_bulk(out, BB_TEXT("mode"));
	bb_resp_bulk(out, BB_TEXT("standalone"));
	bb_resp_bulk(out, BB_TEXT("role"));
	bb_resp_bulk(out, BB_TEXT("master"));
	bb_resp_bulk(out, BB_TEXT("modules"));
	bb_resp_array(out, 0);
}

void bb_command_hello(struct bb_call *call)
{
	int protocol = call->session->protocol;
	struct bb_text name = {NULL, 0};

	if (call->n > 1) {
		if (!bb_call_arg_is(call, 1, "2") && !bb_call_arg_is(call, 1, "3")) {
			bb_resp_error(call->out, "NOPROTO unsupported protocol version; there are "
						 "2 and 3");
			return;
		}
		protocol = call->args[1].p[0] - '0';
	}
	for (size_t i = 2; i < call->n; i++) {
		if (bb_call_arg_is(call, i, "auth") && i + 2 < call->n) {
			if (!auth(call, i + 1))
				return;
			i += 2;
		} else if (bb_call_arg_is(call, i, "setname") && i + 1 < call->n) {
			name = call->args[++i];
		} else {
			bb_resp_error(call->out, "ERR syntax error in HELLO; expected HELLO [2|3] "
						 "[AUTH username password] [SETNAME clientname]");
			return;
		}
	}
	if (name.p && !set_name(call, name))
		return;
	call->session->protocol = protocol;
	hello_reply(call);
}

void bb_command_client_setinfo(struct bb_call *call)
{
	if (bb_call_arg_is(call, 2, "lib-name") || bb_call_arg_is(call, 2, "lib-ver"))
		bb_resp_simple(call->out, "OK");
	else
		bb_resp_error(call->out, "ERR unknown attribute; expected LIB-NAME or LIB-VER");
}

void bb_command_client_setname(struct bb_call *call)
{
	if (set_name(call, call->args[2]))
		bb_resp_simple(call->out, "OK");
}

void bb_command_client_getname(struct bb_call *call)
{
	if (call->session->name[0])
		bb_resp_bulk(call->out, bb_text_of(call->session->name));
	else
		bb_resp_null(call->out, call->session->protocol);
}

void bb_command_client_id(struct bb_call *call)
{
	bb_resp_integer(call->out, (int64_t)call->session->id);
}

void bb_command_time(struct bb_call *call)
{
	struct timespec now;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	bb_resp_array(call->out, 2);
	snprintf(text, sizeof(text), "%lld", (long long)now.tv_sec);
	bb_resp_bulk(call->out, bb_text_of(text));
	snprintf(text, sizeof(text), "%ld", now.tv_nsec / 1000);
	bb_resp_bulk(call->out, bb_text_of(text));
}

void bb_command_reset(struct bb_call *call)
{
	call->session->protocol = 2;
	call->session->name[0] = '\0';
	bb_resp_simple(call->out, "RESET");
}
