/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `why` and `explain`: from the daemon by the query socket, or from the store where no daemon
 * answers. With --json the answer as it is; else drawn and in sentences.
 *
 * Exit 1: a key was never seen. That two are not together is an answer, and exit 0.
 */
#include "ctl.h"
#include "explain_text.h"
#include "net.h"

#include <backbone/explain.h>

static bool is_pair(const struct bb_ctl *ctl)
{
	return ctl->arg_n == 2;
}

static int print_answer(struct bb_ctl *ctl, struct bb_text json)
{
	if (ctl->json) {
		fprintf(ctl->out, "%.*s\n", (int)json.n, json.p);
		return BB_CTL_OK;
	}
	if (is_pair(ctl) ? bb_explain_text_pair(json, ctl->out)
			 : bb_explain_text_why(json, ctl->out))
		return BB_CTL_OK;
	return bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the answer is no explanation");
}

static int fail_unknown(struct bb_ctl *ctl)
{
	if (is_pair(ctl))
		return bb_ctl_fail(ctl, BB_CTL_NO, "%s or %s was never seen", ctl->args[0],
				   ctl->args[1]);
	return bb_ctl_fail(ctl, BB_CTL_NO, "%s was never seen", ctl->args[0]);
}

static int ask_daemon(struct bb_ctl *ctl, struct bb_net_resp *client)
{
	const char *args[] = {is_pair(ctl) ? "BB.EXPLAIN" : "BB.WHY", ctl->args[0], ctl->args[1]};
	struct bb_net_reply reply;
	int ret = bb_ctl_call(ctl, client, args, is_pair(ctl) ? 3 : 2, &reply);

	if (ret != BB_CTL_OK)
		return ret;
	return reply.kind == BB_REPLY_TEXT ? print_answer(ctl, reply.text) : fail_unknown(ctl);
}

static int ask_snapshot(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_explainer *explainer = bb_explainer_new(&ctl->config->rules);
	struct bb_buf *json = ctx;
	int err = is_pair(ctl) ? bb_explain_pair(explainer, kv, bb_text_of(ctl->args[0]),
						 bb_text_of(ctl->args[1]), json)
			       : bb_explain_why(explainer, kv, bb_text_of(ctl->args[0]), json);

	bb_explainer_free(explainer);
	return err;
}

static int print_of_store(struct bb_ctl *ctl, int err, const struct bb_buf *json)
{
	switch (err) {
	case BB_OK:
		return print_answer(ctl, bb_buf_slice(json));
	case BB_ENOTFOUND:
		return fail_unknown(ctl);
	case BB_EINVAL:
		return bb_ctl_fail(ctl, BB_CTL_REFUSED,
				   "not a key: expected namespace:value with a namespace of the "
				   "configuration and a value that is canonical in it, or a "
				   "profile id");
	case BB_ECONFIG:
		return bb_ctl_fail(ctl, BB_CTL_REFUSED,
				   "%s was made by other identity rules than those of %s",
				   ctl->config->store_path, ctl->config->file);
	default:
		return bb_ctl_fail(ctl, bb_ctl_exit_of(err), "%s: %s", ctl->config->store_path,
				   bb_error_text(err));
	}
}

static int ask_store(struct bb_ctl *ctl, const char *socket)
{
	struct bb_buf json = BB_BUF_EMPTY;
	int err = BB_OK, ret = bb_ctl_read_store(ctl, socket, ask_snapshot, &json, &err);

	if (ret == BB_CTL_OK)
		ret = print_of_store(ctl, err, &json);
	bb_buf_fini(&json);
	return ret;
}

int bb_ctl_why(struct bb_ctl *ctl)
{
	return bb_ctl_ask(ctl, ask_daemon, ask_store);
}
