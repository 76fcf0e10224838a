/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the admin socket, and what verbs do with the answers. */
#ifndef CTL_ADMIN_H
#define CTL_ADMIN_H

#include "net.h"

#include <jansson.h>

/*
 * The JSON object of an answer below 300 in *ret_root, which is the caller's; BB_CTL_OK, or an exit
 * code after printing why: nobody is known (BB_CTL_NO), the request is wrong (BB_CTL_USAGE), it is
 * refused. Where `ret_unreachable` is given, that nobody answers is told there and not printed.
 */
BB_MUST_CHECK int bb_admin_ask(struct bb_ctl *ctl, const struct bb_net_request *request,
			       json_t **ret_root, bool *ret_unreachable);

/* An order, which it takes, by POST. As bb_admin_ask. */
BB_MUST_CHECK int bb_admin_post(struct bb_ctl *ctl, const char *target, json_t *order,
				json_t **ret_root);

/* The end of bb_admin_ask: an answer that came otherwise. */
BB_MUST_CHECK int bb_admin_take(struct bb_ctl *ctl, unsigned status, const struct bb_buf *body,
				json_t **ret_root);

/* The same, the body as it came, for what has to keep its digits; the caller's to free. */
BB_MUST_CHECK int bb_admin_fetch(struct bb_ctl *ctl, const struct bb_net_request *request,
				 struct bb_buf *ret_body);

/* Percent-encoded for a path or a query, in the arena. */
const char *bb_admin_escape(struct bb_ctl *ctl, const char *text);

/* A text member, in the arena; empty if it is absent or something else. */
struct bb_text bb_admin_text(struct bb_arena *arena, const json_t *object, const char *name);

/* Prints an object as one line, or, for people, indented. */
void bb_admin_print(struct bb_ctl *ctl, const json_t *object);

/* Where no daemon answers: `read` in a snapshot of the store, as bb_ctl_read_store. */
BB_MUST_CHECK int bb_admin_read_store(struct bb_ctl *ctl, bb_ctl_read_fn *read, void *ctx);

#endif
