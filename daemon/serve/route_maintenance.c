/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work on the whole store, asked for by an administrator. It is begun here and goes on by itself;
 * /v1/status says how far it is and how it ended. A second one at the same time is a conflict.
 */
#include "route.h"

void bb_route_purge(const struct bb_request *req, struct bb_text rest, struct bb_response *res)
{
	struct bb_service *service = req->service;
	struct bb_error err = {0};
	struct bb_status status;

	(void)rest;
	if (!service->purge) {
		bb_route_problem(res, 503, "no purge is offered here");
		return;
	}
	if (service->purge(service->purge_ctx, &err) != BB_OK) {
		bb_route_problem(res, 409, "%s", err.msg);
		return;
	}
	bb_service_status(service, &status);
	res->status = 202;
	bb_buf_printf(&res->body, "{\"run\":%llu}\n", (unsigned long long)status.maintenance.run);
}
