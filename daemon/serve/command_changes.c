/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BB.CHANGES and BB.HISTORY. Changes are read from behind the number that the client has come to;
 * where there are none, and it may wait, the reply is made when there are some or the time is over.
 *
 * A number whose successors were dropped, or that was never given, is an error that says what there
 * is: going on in silence would be a gap.
 */
#include "command.h"

#include <backbone/change.h>

enum { CHANGES = 100, CHANGES_MAX = 1000 };

/* `text` as a whole number of at most `most`. */
static bool number_of(struct bb_text text, uint64_t most, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text.n == 0 || text.n > 18)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(text.p[i] - '0');
	}
	*ret_value = value;
	return value <= most;
}

bool bb_changes_explain(uint64_t after, uint64_t first, uint64_t last, struct bb_buf *buf)
{
	if (after > last)
		bb_buf_printf(buf,
			      "%llu is behind the last change, %llu: this is another store, or a "
			      "new one; take all profiles again and go on from %llu",
			      (unsigned long long)after, (unsigned long long)last,
			      (unsigned long long)last);
	else if (after > 0 && after + 1 < first)
		bb_buf_printf(buf,
			      "changes up to %llu were dropped, the first that is there is %llu; "
			      "take all profiles again and go on from %llu",
			      (unsigned long long)(first - 1), (unsigned long long)first,
			      (unsigned long long)last);
	else
		return true;
	return false;
}

static int append_changes(struct bb_service *service, struct bb_kv *kv, uint64_t after,
			  uint64_t count, struct bb_buf *out)
{
	struct bb_buf list = BB_BUF_EMPTY;
	size_t limit = service->config->limits.output_bytes / 2;
	uint64_t n = 0;
	int err = BB_OK;

	while (n < count && list.n < limit) {
		struct bb_change change;
		size_t mark;

		bb_arena_reset(&service->scratch);
		err = bb_change_next(kv, after, &service->scratch, &change);
		if (err != BB_OK)
			break;
		mark = bb_resp_bulk_begin(&list);
		bb_change_json(&change, &list);
		bb_resp_bulk_end(&list, mark);
		after = change.number;
		n++;
	}
	bb_resp_array(out, n);
	bb_buf_text(out, bb_buf_slice(&list));
	bb_buf_fini(&list);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

/* Replies, or (false) there is nothing yet and the client may wait. */
static bool reply(struct bb_service *service, const struct bb_session *session, bool may_wait,
		  struct bb_buf *out)
{
	const struct bb_follower *follower = &session->follower;
	struct bb_buf why = BB_BUF_EMPTY;
	uint64_t first, last;
	size_t start = out->n;
	struct bb_kv *kv;
	int err = bb_lookup_begin(&service->lookup, &kv);

	if (err == BB_OK)
		err = bb_change_range(kv, &first, &last);
	if (err == BB_OK && !bb_changes_explain(follower->after, first, last, &why)) {
		bb_resp_error(out, "ERR %.*s", (int)why.n, why.p);
		bb_buf_fini(&why);
		return true;
	}
	if (err == BB_OK && may_wait && (follower->after == last || first > last))
		return false;
	if (err == BB_OK) {
		bb_resp_map(out, 3, session->protocol);
		bb_resp_bulk(out, BB_TEXT("first"));
		bb_resp_integer(out, (int64_t)first);
		bb_resp_bulk(out, BB_TEXT("last"));
		bb_resp_integer(out, (int64_t)last);
		bb_resp_bulk(out, BB_TEXT("changes"));
		err = append_changes(service, kv, follower->after, follower->count, out);
	}
	if (err != BB_OK) {
		out->n = start;
		bb_resp_error(out, "ERR store: %s", bb_error_text(err));
	}
	return true;
}

/* False: an error has been replied. */
static bool parse(struct bb_call *call, uint64_t *ret_block_ms)
{
	struct bb_follower *follower = &call->session->follower;

	*ret_block_ms = 0;
	follower->count = CHANGES;
	if (!number_of(call->args[1], INT64_MAX, &follower->after)) {
		bb_resp_error(call->out, "ERR since: expected the number of the last change that "
					 "you have, or 0");
		return false;
	}
	for (size_t i = 2; i < call->n; i++) {
		if (bb_call_arg_is(call, i, "count") && i + 1 < call->n) {
			if (number_of(call->args[++i], CHANGES_MAX, &follower->count) &&
			    follower->count > 0)
				continue;
			bb_resp_error(call->out, "ERR COUNT: expected 1 to %d", CHANGES_MAX);
		} else if (bb_call_arg_is(call, i, "block") && i + 1 < call->n) {
			if (number_of(call->args[++i], BB_FOLLOW_MS_MAX, ret_block_ms) &&
			    *ret_block_ms > 0)
				continue;
			bb_resp_error(call->out, "ERR BLOCK: expected 1 to %d milliseconds",
				      BB_FOLLOW_MS_MAX);
		} else {
			bb_resp_error(call->out, "ERR syntax error; expected BB.CHANGES since "
						 "[COUNT n] [BLOCK milliseconds]");
		}
		return false;
	}
	return true;
}

void bb_command_changes(struct bb_call *call)
{
	struct bb_service *service = call->service;
	struct bb_session *session = call->session;
	uint64_t block_ms;

	if (!parse(call, &block_ms) ||
	    reply(service, session, block_ms > 0 && service->followers, call->out))
		return;
	if (!bb_follow(service->followers, &session->follower, block_ms))
		bb_resp_error(call->out,
			      "ERR too many clients wait for changes; at most %d may: ask again "
			      "without BLOCK",
			      BB_FOLLOWERS_MAX);
}

void bb_command_changes_reply(struct bb_session *session, struct bb_service *service,
			      struct bb_buf *out)
{
	session->follower.is_woken = false;
	reply(service, session, false, out);
}

void bb_command_history(struct bb_call *call)
{
	struct bb_lookup *lookup = &call->service->lookup;
	struct bb_text key = call->args[1];
	size_t mark = bb_resp_bulk_begin(call->out);
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	bb_arena_reset(&call->service->scratch);
	if (err == BB_OK)
		err = bb_history_json(lookup->viewer, lookup->rules, kv, key,
				      &call->service->scratch, call->out);
	if (err == BB_OK) {
		bb_resp_bulk_end(call->out, mark);
		return;
	}
	call->out->n = mark;
	if (bb_lookup_is_nobody(lookup, err, key))
		bb_resp_null(call->out, call->session->protocol);
	else
		bb_call_fail(call, err, key);
}
