/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP without a socket: a request in, a response out, by one table of routes. Errors are problem
 * details (RFC 9457).
 */
#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "service.h"

#include <backbone/buf.h>
#include <sys/types.h>

struct bb_task;

#define BB_REQUEST_BODY_MAX ((size_t)64 * 1024)

struct bb_request {
	const char *method;
	struct bb_text path; /* percent-encoded, without the query */
	struct bb_text body;
	unsigned roles; /* of the peer */
	uid_t uid;	/* of the peer; BB_PEER_UNKNOWN: by TCP */
	struct bb_service *service;
	/* Gives a query parameter, percent-encoded, or NULL. */
	const char *(*query)(void *ctx, const char *name);
	void *query_ctx;
};

struct bb_response {
	unsigned status;
	const char *type;  /* Content-Type */
	const char *allow; /* Allow, or NULL */
	struct bb_buf body;
	struct bb_task *task; /* not NULL: the answer comes later, from it (task.h) */
};

struct bb_route {
	const char *method, *path; /* ends in `/`: the rest of the path is the handler's */
	unsigned role;		   /* that it takes; 0: none */
	void (*run)(const struct bb_request *req, struct bb_text rest, struct bb_response *res);
};

extern const struct bb_route bb_routes[];
extern const size_t bb_route_n;

/* `res` comes zeroed; its body is the caller's to free. */
void bb_route_run(const struct bb_request *req, struct bb_response *res);

/* Makes `res` a problem; text is for people and not personal. */
void bb_route_problem(struct bb_response *res, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Undoes percent-encoding. False: broken encoding, a NUL byte, or bytes that are no UTF-8. */
bool bb_route_decode(struct bb_text text, struct bb_arena *arena, struct bb_text *ret_text);

/* The same of one that is a key, whose value may hold NUL bytes. */
bool bb_route_query_key(const struct bb_request *req, const char *name, struct bb_response *res,
			struct bb_text *ret_key);

/* A decoded query parameter, in the scratch arena; p NULL: it is absent. False: a problem. */
bool bb_route_query(const struct bb_request *req, const char *name, struct bb_response *res,
		    struct bb_text *ret_text);

/* A whole number of the query; `fallback` where it is absent. False: a problem. */
bool bb_route_number(const struct bb_request *req, const char *name, uint64_t fallback,
		     struct bb_response *res, uint64_t *ret_value);

/* How many of a list are wanted: `?limit=`, 1 to `most`. False: a problem. */
bool bb_route_limit(const struct bb_request *req, uint64_t fallback, uint64_t most,
		    struct bb_response *res, uint64_t *ret_limit);

/* What the rest of a path names: `{id}`, `{ns}:{value}` or `{ns}/{value}`; the value may hold
 * slashes. `what` is the path, for the message. False: a problem. */
bool bb_route_key(const struct bb_request *req, struct bb_text rest, const char *what,
		  struct bb_response *res, struct bb_text *ret_key);

/* The problem of a look-up that did not end well. */
void bb_route_nobody(const struct bb_request *req, int err, struct bb_text key,
		     struct bb_response *res);

typedef void bb_route_fn(const struct bb_request *req, struct bb_text rest,
			 struct bb_response *res);
bb_route_fn bb_route_rulings_post, bb_route_rulings_get, bb_route_ruling_get,
	bb_route_ruling_delete;				   /* route_rulings.c */
bb_route_fn bb_route_erasures_post, bb_route_erasures_get; /* route_erasures.c */
bb_route_fn bb_route_export;				   /* route_export.c */
bb_route_fn bb_route_audit, bb_route_audit_verify;	   /* route_audit.c */
bb_route_fn bb_route_changes, bb_route_history;		   /* route_changes.c */
bb_route_fn bb_route_explain;				   /* route_explain.c */
bb_route_fn bb_route_identifiers;			   /* route_identifiers.c */
bb_route_fn bb_route_connectors, bb_route_reload;	   /* route_connectors.c */
bb_route_fn bb_route_replays;				   /* route_replays.c */

bb_route_fn bb_route_purge, bb_route_rebuild, bb_route_rebuild_get,
	bb_route_rebuild_delete; /* route_maintenance.c */

/* status_json.c, config_json.c */
void bb_status_json(const struct bb_status *status, const struct bb_serve_stats *stats,
		    struct bb_buf *buf);
void bb_status_maintenance_json(const struct bb_status_maintenance *at, struct bb_buf *buf);
void bb_status_reasons_json(const struct bb_status *status, struct bb_buf *buf);
void bb_status_reload_json(const struct bb_status_reload *reload, struct bb_buf *buf);
void bb_config_json(const struct bb_config *config, struct bb_buf *buf);

/* Sets the gauges that follow from the status and the store. */
void bb_status_metrics(struct bb_service *service, const struct bb_status *status);

#endif
