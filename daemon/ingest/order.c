/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Orders: what is asked for from outside the log, a ruling or an erasure. Each is done in a
 * transaction of its own between two batches, with the pipeline of the batches, so that it sees all
 * that was committed before and nothing half done.
 *
 * An order that is not possible ends with an answer, and nothing has changed. So does one for which
 * the store has no space: somebody waits, and can ask again. Any other error is the store's, and
 * ends ingestion as it does after a batch.
 */
#include <backbone/killpoint.h>

#include "machine.h"

void bb_order_add(struct bb_orders *orders, struct bb_order *order)
{
	order->next = NULL;
	if (orders->last)
		orders->last->next = order;
	else
		orders->first = order;
	orders->last = order;
}

struct bb_order *bb_order_take(struct bb_orders *orders)
{
	struct bb_order *order = orders->first;

	if (!order)
		return NULL;
	orders->first = order->next;
	if (!orders->first)
		orders->last = NULL;
	order->next = NULL;
	return order;
}

void bb_order_refuse(struct bb_orders *orders, int code)
{
	struct bb_orders those = *orders; /* who is answered may order again */
	struct bb_order *order;

	*orders = (struct bb_orders){0};
	while ((order = bb_order_take(&those)))
		order->done(order, code);
}

static bool is_answer(int code)
{
	return code == BB_EINVAL || code == BB_ENOTFOUND || code == BB_EACCESS ||
	       code == BB_EBUSY || code == BB_ELIMIT;
}

void bb_order_run(struct bb_orders *orders, const struct bb_ingest_options *options,
		  struct bb_pipeline *pl)
{
	const struct bb_ingest_store *store = &options->store;
	struct bb_order *order = orders->running;
	bool asked = false;
	struct bb_kv *kv;
	int code = store->write_begin(store->ctx, &kv);

	if (!code) {
		bb_pipeline_begin(pl, kv);
		code = order->run(order, pl, kv);
		bb_killpoint("order.done");
		asked = is_answer(code);
		if (!code)
			code = bb_pipeline_finish(pl);
		bb_killpoint("order.before-commit");
		if (code)
			store->write_abort(kv);
		else
			code = store->write_commit(kv);
		bb_killpoint("order.after-commit");
		if (code)
			bb_pipeline_abort(pl);
	}
	orders->code = code;
	orders->store_failed = code && code != BB_ENOSPC && !asked;
}
