/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `digest` and `scrub`. The digest comes from the daemon, or from the store where no daemon
 * answers; the scrub always reads the store. Both walk everything and take their time.
 */
#include "ctl.h"
#include "net.h"

#include <backbone/view.h>

static void print_digest(struct bb_ctl *ctl, struct bb_text hex, unsigned long long profiles)
{
	if (ctl->json)
		fprintf(ctl->out, "{\"digest\":\"%.*s\",\"profiles\":%llu}\n", (int)hex.n, hex.p,
			profiles);
	else
		fprintf(ctl->out, "%.*s  %llu profiles\n", (int)hex.n, hex.p, profiles);
}

static int digest_of_daemon(struct bb_ctl *ctl, struct bb_net_resp *client)
{
	const char *args[] = {"BB.DIGEST"};
	struct bb_net_reply reply;
	int ret = bb_ctl_call(ctl, client, args, 1, &reply);

	if (ret != BB_CTL_OK)
		return ret;
	if (reply.kind != BB_REPLY_LIST || reply.n != 4 || reply.items[1].kind != BB_REPLY_TEXT)
		return bb_ctl_fail(ctl, BB_CTL_UNREACHABLE, "the daemon's reply is no digest");
	print_digest(ctl, reply.items[1].text, (unsigned long long)reply.items[3].integer);
	return BB_CTL_OK;
}

static int digest_of_snapshot(struct bb_ctl *ctl, struct bb_kv *kv, void *ctx)
{
	struct bb_viewer *viewer = bb_viewer_new(&ctl->config->rules);
	struct bb_buf hex = BB_BUF_EMPTY;
	struct bb_digest digest;
	int err = bb_viewer_digest(viewer, kv, &digest);

	(void)ctx;
	bb_viewer_free(viewer);
	if (err != BB_OK)
		return err;
	bb_buf_hex(&hex, digest.sum.b, BB_HASH_BYTES);
	print_digest(ctl, bb_buf_slice(&hex), (unsigned long long)digest.profiles);
	bb_buf_fini(&hex);
	return BB_OK;
}

static int digest_of_store(struct bb_ctl *ctl, const char *socket)
{
	return bb_ctl_read_store(ctl, socket, digest_of_snapshot, NULL, NULL);
}

int bb_ctl_digest(struct bb_ctl *ctl)
{
	return bb_ctl_ask(ctl, digest_of_daemon, digest_of_store);
}

int bb_ctl_scrub(struct bb_ctl *ctl)
{
	struct bb_store *store = NULL;
	struct bb_error err = {0};
	uint64_t values = 0;
	int ret = bb_ctl_open_store(ctl, &store);

	if (ret != BB_CTL_OK)
		return ret;
	ret = bb_store_scrub(store, &values, &err);
	bb_store_close(store);
	if (ret != BB_OK)
		return bb_ctl_fail(ctl, bb_ctl_exit_of(ret), "%s", err.msg);
	if (ctl->json)
		fprintf(ctl->out, "{\"values\":%llu,\"damaged\":0}\n", (unsigned long long)values);
	else
		fprintf(ctl->out, "%llu values, none damaged\n", (unsigned long long)values);
	return BB_CTL_OK;
}
