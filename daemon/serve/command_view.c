/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of our own. They answer nil where nobody is found; a key of no namespace, an unknown
 * field or option is an error that says what there is.
 */
#include "command.h"

/* The reply for a look-up that gave no profile: nil, or (false) an error instead of all. */
static bool reply_nobody(struct bb_call *call, int err, struct bb_text key)
{
	if (bb_lookup_is_nobody(&call->service->lookup, err, key)) {
		bb_resp_null(call->out, call->session->protocol);
		return true;
	}
	bb_call_fail(call, err, key);
	return false;
}

void bb_command_resolve(struct bb_call *call)
{
	bb_resp_array(call->out, call->n - 1);
	for (size_t i = 1; i < call->n; i++) {
		struct bb_found found;
		int err = bb_lookup_find(&call->service->lookup, call->args[i], &found);

		if (err == BB_OK)
			bb_resp_bulk(call->out, bb_text_of(found.id));
		else if (!reply_nobody(call, err, call->args[i]))
			return;
	}
}

static void reply_bad_field(struct bb_call *call, struct bb_text name)
{
	struct bb_buf list = BB_BUF_EMPTY;

	bb_lookup_parts_list(&list);
	bb_resp_error(call->out, "ERR no field '%.*s' in a view; there are: %.*s",
		      name.n > 64 ? 64 : (int)name.n, name.p, (int)list.n, list.p);
	bb_buf_fini(&list);
}

/* False: an error has been replied. */
static bool parse_view(struct bb_call *call, unsigned *ret_parts, bool *ret_provenance)
{
	struct bb_text bad;

	*ret_parts = BB_VIEW_ALL;
	*ret_provenance = false;
	for (size_t i = 2; i < call->n; i++) {
		if (bb_call_arg_is(call, i, "provenance")) {
			*ret_provenance = true;
		} else if (bb_call_arg_is(call, i, "fields") && i + 1 < call->n) {
			if (!bb_lookup_parts(call->args[++i], ret_parts, &bad)) {
				reply_bad_field(call, bad);
				return false;
			}
		} else {
			bb_resp_error(call->out, "ERR syntax error; expected BB.VIEW key "
						 "[FIELDS name,name...] [PROVENANCE]");
			return false;
		}
	}
	return true;
}

static bool has_shared(const struct bb_view *view)
{
	for (size_t i = 0; i < view->identifier_n; i++)
		if (view->identifiers[i].shared)
			return true;
	return false;
}

/* A further member of the view that was written last, where the key is shared. */
static int add_owners(struct bb_call *call)
{
	size_t end = call->out->n;
	int err;

	call->out->p[end - 1] = ','; /* the brace */
	err = bb_lookup_owners(&call->service->lookup, call->args[1], call->out);
	if (call->out->n > end)
		bb_buf_byte(call->out, '}');
	else
		call->out->p[end - 1] = '}';
	return err;
}

void bb_command_view(struct bb_call *call)
{
	const struct bb_view *view;
	bool provenance;
	unsigned parts;
	size_t mark;
	int err;

	if (!parse_view(call, &parts, &provenance))
		return;
	err = bb_lookup_view(&call->service->lookup, call->args[1], &view);
	if (err != BB_OK) {
		reply_nobody(call, err, call->args[1]);
		return;
	}
	mark = bb_resp_bulk_begin(call->out);
	bb_view_json(view, parts, provenance, call->out);
	if (has_shared(view))
		err = add_owners(call);
	if (err != BB_OK)
		bb_call_fail(call, err, call->args[1]);
	else
		bb_resp_bulk_end(call->out, mark);
}

void bb_command_digest(struct bb_call *call)
{
	call->session->digest_due = true;
}

void bb_command_digest_reply(const struct bb_session *session, int err,
			     const struct bb_digest *digest, struct bb_buf *out)
{
	struct bb_buf hex = BB_BUF_EMPTY;

	if (err != BB_OK) {
		bb_resp_error(out, "ERR store: %s", bb_error_text(err));
		return;
	}
	bb_buf_hex(&hex, digest->sum.b, BB_HASH_BYTES);
	bb_resp_map(out, 2, session->protocol);
	bb_resp_bulk(out, BB_TEXT("digest"));
	bb_resp_bulk(out, bb_buf_slice(&hex));
	bb_buf_fini(&hex);
	bb_resp_bulk(out, BB_TEXT("profiles"));
	bb_resp_integer(out, (int64_t)digest->profiles);
}
