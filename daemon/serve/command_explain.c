/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BB.WHY and BB.EXPLAIN: the question goes to the pool, later commands of the connection wait, and
 * the reply is the JSON as text; nil where an identifier was never seen. What is no key is an error
 * that says what there is.
 */
#include "command.h"

static const struct bb_text nothing = {NULL, 0};

void bb_command_why(struct bb_call *call)
{
	bb_explain_ask(call->service->explain, &call->session->asker, call->args[1], nothing);
}

void bb_command_explain(struct bb_call *call)
{
	bb_explain_ask(call->service->explain, &call->session->asker, call->args[1], call->args[2]);
}

void bb_command_explain_reply(const struct bb_session *session, struct bb_service *service,
			      const struct bb_explained *explained, struct bb_buf *out)
{
	struct bb_buf why = BB_BUF_EMPTY;

	switch (explained->err) {
	case BB_OK:
		if (explained->json.n > service->config->limits.output_bytes)
			bb_resp_error(out, "ERR the explanation has more than %u bytes",
				      service->config->limits.output_bytes);
		else
			bb_resp_bulk(out, explained->json);
		break;
	case BB_ENOTFOUND:
		bb_resp_null(out, session->protocol);
		break;
	case BB_EINVAL:
		bb_lookup_explain(&service->lookup,
				  bb_explained_bad_key(explained, service->lookup.rules), &why);
		bb_resp_error(out, "ERR %.*s", (int)why.n, why.p);
		break;
	case BB_EBUSY:
		bb_resp_error(out, "ERR the daemon is stopping");
		break;
	default:
		bb_resp_error(out, "ERR store: %s", bb_error_text(explained->err));
		break;
	}
	bb_buf_fini(&why);
}
