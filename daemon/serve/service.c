/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ties the look-up, the configuration and the status provider together for commands and routes.
 * Fails only where the store gives no reader.
 */
#include "service.h"

#include <backbone/assert.h>

int bb_service_init(struct bb_service *service, const struct bb_serve_options *options)
{
	bb_assert(options->config && options->rules && options->store && options->status &&
		  options->metrics);
	*service = (struct bb_service){
		.config = options->config,
		.store = options->store,
		.metrics = options->metrics,
		.status = options->status,
		.status_ctx = options->status_ctx,
	};
	bb_arena_init(&service->scratch);
	return bb_lookup_init(&service->lookup, options->store, options->rules);
}

void bb_service_fini(struct bb_service *service)
{
	bb_lookup_fini(&service->lookup);
	bb_arena_fini(&service->scratch);
}

void bb_service_status(struct bb_service *service, struct bb_status *ret_status)
{
	*ret_status = (struct bb_status){0};
	service->status(service->status_ctx, &service->scratch, ret_status);
	bb_assert(ret_status->ready || ret_status->reason_n > 0);
}
