/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ties the look-up, the configuration and the status provider together for commands and routes.
 * Fails only where the store gives no reader.
 */
#include "command.h"

#include <backbone/assert.h>
#include <stdlib.h>

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
		.purge = options->purge,
		.rebuild = options->rebuild,
		.rebuild_cancel = options->rebuild_cancel,
		.maintenance_ctx = options->maintenance_ctx,
		.reload = options->reload,
		.reload_ctx = options->reload_ctx,
		.order = options->order,
		.order_ctx = options->order_ctx,
	};
	bb_arena_init(&service->scratch);
	service->lookup_n = bb_command_n;
	service->lookup_ns = calloc(service->lookup_n, sizeof(*service->lookup_ns));
	bb_assert(service->lookup_ns);
	return bb_lookup_init(&service->lookup, options->store, options->config->cache_bytes,
			      options->rules);
}

void bb_service_fini(struct bb_service *service)
{
	bb_lookup_fini(&service->lookup);
	bb_arena_fini(&service->scratch);
	for (size_t i = 0; i < service->lookup_n; i++)
		free(service->lookup_ns[i]);
	free(service->lookup_ns);
}

void bb_service_flush(struct bb_service *service)
{
	for (size_t i = 0; i < service->lookup_n; i++) {
		struct bb_histogram *histogram = service->lookup_ns[i];

		if (!histogram || histogram->count == 0)
			continue;
		bb_metrics_merge(service->metrics, BB_METRIC_LOOKUP, BB_LABELS(bb_commands[i].name),
				 histogram);
		*histogram = (struct bb_histogram){0};
	}
}

void bb_service_status(struct bb_service *service, struct bb_status *ret_status)
{
	*ret_status = (struct bb_status){0};
	service->status(service->status_ctx, &service->scratch, ret_status);
	bb_assert(ret_status->ready || ret_status->reason_n > 0);
}
