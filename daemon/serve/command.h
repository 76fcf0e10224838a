/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the query socket: one table, from which dispatch, arity, roles, COMMAND and
 * COMMAND DOCS come. A command appends exactly one reply, but for BB.DIGEST, BB.WHY and BB.EXPLAIN,
 * whose replies come later (bb_session_is_waiting).
 */
#ifndef SERVE_COMMAND_H
#define SERVE_COMMAND_H

#include "explain.h"
#include "follow.h"
#include "service.h"

#include <backbone/resp.h>

#define BB_CLIENT_NAME_MAX 128

/* What a connection is to its commands. */
struct bb_session {
	uint64_t id;
	unsigned roles;	 /* mask of BB_ROLE_* */
	int protocol;	 /* 2 or 3 */
	bool closing;	 /* set by QUIT: close when the replies are sent */
	bool digest_due; /* set by BB.DIGEST: the reply comes later, later commands wait */
	struct bb_explain_asker asker; /* of BB.WHY and BB.EXPLAIN: as digest_due while it waits */
	struct bb_follower follower;   /* of BB.CHANGES with BLOCK: the same */
	char name[BB_CLIENT_NAME_MAX + 1];
};

/* A reply is due that the pool makes, or a later commit. */
static inline bool bb_session_is_waiting(const struct bb_session *session)
{
	return session->digest_due || session->asker.job || session->follower.is_waiting ||
	       session->follower.is_woken;
}

void bb_session_init(struct bb_session *session, uint64_t id, unsigned roles);

struct bb_call {
	const struct bb_text *args; /* args[0] is the command */
	size_t n;
	struct bb_buf *out;
	size_t out_start; /* where this reply begins in `out` */
	struct bb_session *session;
	struct bb_service *service;
};

typedef void bb_command_fn(struct bb_call *call);

struct bb_command {
	const char *name, *sub; /* lower case; sub NULL: none */
	int arity;		/* with the name; negative: at least so many */
	unsigned role;		/* that it takes; 0: none */
	int first_key, last_key, key_step;
	bb_command_fn *run;
	const char *group, *syntax, *summary;
};

extern const struct bb_command bb_commands[];
extern const size_t bb_command_n;

/*
 * Runs a request of at least one argument; *ret_known says whether there is such a command. Returns
 * what it cost of a turn's budget: one, or the number of keys.
 */
size_t bb_command_run(const struct bb_resp_request *request, struct bb_session *session,
		      struct bb_service *service, struct bb_buf *out, bool *ret_known);

/* The reply of BB.DIGEST when it is ready, or its failure. */
void bb_command_digest_reply(const struct bb_session *session, int err,
			     const struct bb_digest *digest, struct bb_buf *out);

/* The same of BB.WHY and BB.EXPLAIN. */
void bb_command_explain_reply(const struct bb_session *session, struct bb_service *service,
			      const struct bb_explained *explained, struct bb_buf *out);

/* Whether the reply has grown beyond the output mark: it will be replaced by an error. */
bool bb_call_is_too_large(const struct bb_call *call);

/* Case-insensitive, `word` in lower case. */
bool bb_call_arg_is(const struct bb_call *call, size_t i, const char *word);

/* Replaces the reply so far by the error of a look-up of `key`, or of the store. */
void bb_call_fail(struct bb_call *call, int err, struct bb_text key);

/* command_key.c */
bb_command_fn bb_command_get, bb_command_mget, bb_command_exists, bb_command_type,
	bb_command_strlen, bb_command_hgetall, bb_command_hget, bb_command_hmget, bb_command_scan;
/* command_view.c */
bb_command_fn bb_command_resolve, bb_command_view, bb_command_digest;
/* The reply of BB.CHANGES that waited, when it was woken. */
void bb_command_changes_reply(struct bb_session *session, struct bb_service *service,
			      struct bb_buf *out);

/* False: changes behind `after` are no longer there, or it was never given; `buf` gets what to do.
 */
bool bb_changes_explain(uint64_t after, uint64_t first, uint64_t last, struct bb_buf *buf);

/* command_changes.c */
bb_command_fn bb_command_changes, bb_command_history;
/* command_explain.c */
bb_command_fn bb_command_why, bb_command_explain;
/* command_session.c */
bb_command_fn bb_command_ping, bb_command_echo, bb_command_quit, bb_command_hello, bb_command_auth,
	bb_command_select, bb_command_client_setinfo, bb_command_client_setname,
	bb_command_client_getname, bb_command_client_id, bb_command_time, bb_command_reset;
/* command_info.c */
bb_command_fn bb_command_list, bb_command_count, bb_command_docs, bb_command_info,
	bb_command_config_get;

#endif
