/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on the whole store, asked for by an administrator. It is begun here and goes on by itself;
 * /v1/status says how far it is and how it ended. A second one at the same time is a conflict.
 */
#include "peer.h"
#include "route.h"

#include <backbone/audit.h>

static void answer_run(struct bb_service *service, struct bb_response *res)
{
	struct bb_status status;

	bb_service_status(service, &status);
	res->status = 202;
	bb_buf_printf(&res->body, "{\"run\":%llu}\n", (unsigned long long)status.maintenance.run);
}

void bb_route_purge(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_service *service = req->service;
	struct bb_error err = {0};

	(void)rest;
	if (!service->purge) {
		bb_route_problem(res, 503, "no purge is offered here");
		return;
	}
	if (service->purge(service->maintenance_ctx, &err) != BB_OK) {
		bb_route_problem(res, 409, "%s", err.msg);
		return;
	}
	answer_run(service, res);
}

void bb_route_rebuild(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	uint32_t uid = req->uid == BB_PEER_UNKNOWN ? BB_AUDIT_NO_UID : (uint32_t)req->uid;
	struct bb_service *service = req->service;
	struct bb_error err = {0};
	struct bb_text accept;

	(void)rest;
	if (!service->rebuild) {
		bb_route_problem(res, 503, "no rebuild is offered here");
		return;
	}
	if (!bb_route_query(req, "accept_loss", res, &accept))
		return;
	if (service->rebuild(service->maintenance_ctx, bb_text_equal(accept, BB_TEXT("1")), uid,
			     &err) != BB_OK)
		bb_route_problem(res, 409, "%s", err.msg);
	else
		answer_run(service, res);
}

void bb_route_rebuild_get(const struct bb_request *req, struct bb_text rest,
			  struct bb_response *res)
{
	struct bb_status status;

	(void)rest;
	bb_service_status(req->service, &status);
	bb_status_maintenance_json(&status.maintenance, &res->body);
	bb_buf_byte(&res->body, '\n');
}

void bb_route_rebuild_delete(const struct bb_request *req, struct bb_text rest,
			     struct bb_response *res)
{
	struct bb_service *service = req->service;
	struct bb_error err = {0};
	int code = BB_ENOTFOUND;

	(void)rest;
	if (service->rebuild_cancel)
		code = service->rebuild_cancel(service->maintenance_ctx, &err);
	if (code)
		bb_route_problem(res, code == BB_ENOTFOUND ? 404 : 409, "%s",
				 err.msg[0] ? err.msg : "no rebuild is under way");
	else
		answer_run(service, res);
}
