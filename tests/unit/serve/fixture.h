/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store in a temporary folder with a few customers, a server on it inside a loop, and clients
 * that are driven from the same thread: the loop turns while a client waits.
 */
#ifndef TEST_SERVE_FIXTURE_H
#define TEST_SERVE_FIXTURE_H

#include <backbone/serve.h>
#include <uv.h>

struct bb_service;

struct fixture {
	char folder[64];
	char query_path[96], admin_path[96];
	struct bb_rules rules;
	struct bb_namespace namespaces[3];
	struct bb_config config;
	struct bb_store *store;
	struct bb_metrics *metrics;
	struct bb_serve_options options;
	uv_loop_t loop;
	struct bb_serve *serve; /* NULL until fixture_serve */
	bool is_ready, is_stopped;
};

void fixture_open(struct fixture *fix);
void fixture_apply(struct fixture *fix, const char *const *lines, size_t n);
void fixture_serve(struct fixture *fix);
void fixture_stop(struct fixture *fix); /* the server only */
void fixture_close(struct fixture *fix);

/* A service without sockets, for commands and routes. */
void fixture_service(struct fixture *fix, struct bb_service *ret_service);

int fixture_connect(struct fixture *fix, const char *path);

/* Lets the loop turn until `done` holds, at most 20 s. */
void fixture_until(struct fixture *fix, bool (*done)(void *ctx), void *ctx, const char *what);

/* Sends all of `request`, then reads until `reply_n` bytes, or the end if it is SIZE_MAX; the reply
 * is terminated and static. */
const char *fixture_exchange(struct fixture *fix, int fd, struct bb_text request, size_t reply_n,
			     size_t *ret_n);

/* Sends and compares. */
void fixture_expect(struct fixture *fix, int fd, const char *request, const char *reply);

#endif
