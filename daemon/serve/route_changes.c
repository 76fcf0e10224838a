/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `GET /v1/changes?after=&limit=` and `GET /v1/history?key=`: one page of the change feed, with
 * `next` as the `after` of the next one; the history of a profile.
 *
 * Where the successors of `after` were dropped the answer is 410, where it was never given 400;
 * both say where to go on.
 */
#include "command.h"
#include "route.h"

#include <backbone/change.h>

enum { CHANGES = 100, CHANGES_MAX = 1000 };

static int append_page(struct bb_service *service, struct bb_kv *kv, uint64_t after, uint64_t limit,
		       struct bb_buf *body)
{
	int err = BB_OK;

	bb_buf_printf(body, "\"changes\":[");
	for (uint64_t i = 0; i < limit; i++) {
		struct bb_change change;

		bb_arena_reset(&service->scratch);
		err = bb_change_next(kv, after, &service->scratch, &change);
		if (err != BB_OK)
			break;
		if (i > 0)
			bb_buf_byte(body, ',');
		bb_change_json(&change, body);
		after = change.number;
	}
	bb_buf_printf(body, "],\"next\":%llu}\n", (unsigned long long)after);
	return err == BB_ENOTFOUND ? BB_OK : err;
}

void bb_route_changes(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_service *service = req->service;
	struct bb_buf why = BB_BUF_EMPTY;
	uint64_t after, limit, first, last;
	struct bb_kv *kv;
	int err;

	(void)rest;
	if (!bb_route_number(req, "after", 0, res, &after) ||
	    !bb_route_limit(req, CHANGES, CHANGES_MAX, res, &limit))
		return;
	err = bb_lookup_begin(&service->lookup, &kv);
	if (err == BB_OK)
		err = bb_change_range(kv, &first, &last);
	if (err == BB_OK && !bb_changes_explain(after, first, last, &why)) {
		bb_route_problem(res, after > last ? 400 : 410, "%.*s", (int)why.n, why.p);
	} else if (err == BB_OK) {
		bb_buf_printf(&res->body, "{\"first\":%llu,\"last\":%llu,",
			      (unsigned long long)first, (unsigned long long)last);
		err = append_page(service, kv, after, limit, &res->body);
	}
	if (err != BB_OK)
		bb_route_problem(res, 500, "store: %s", bb_error_text(err));
	bb_lookup_end(&service->lookup);
	bb_buf_fini(&why);
}

void bb_route_history(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_lookup *lookup = &req->service->lookup;
	struct bb_text key;
	struct bb_kv *kv;
	int err;

	(void)rest;
	if (!bb_route_query_key(req, "key", res, &key))
		return;
	if (!key.p) {
		bb_route_problem(res, 400,
				 "expected /v1/history?key=namespace:value, or a "
				 "profile id");
		return;
	}
	err = bb_lookup_begin(lookup, &kv);
	if (err == BB_OK)
		err = bb_history_json(lookup->viewer, lookup->rules, kv, key,
				      &req->service->scratch, &res->body);
	if (err == BB_OK)
		bb_buf_byte(&res->body, '\n');
	else
		bb_route_nobody(req, err, key, res);
	bb_lookup_end(lookup);
}
