/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A writer for the tests of rulings, erasures and exports: orders that a service gives are done
 * when the test says so, each in a transaction of the fixture's store.
 */
#ifndef TEST_SERVE_STEWARD_H
#define TEST_SERVE_STEWARD_H

#include "fixture.h"
#include "route.h"

#include <backbone/ingest.h>

struct steward {
	struct fixture fix;
	struct bb_service service;
	struct bb_pipeline *pl;
	struct bb_order *first, **last; /* that wait */
	bool is_stopping;		/* takes no more */
	int fails_with;			/* instead of the commit; BB_OK: it does not */
	unsigned roles;
	const char *query[4]; /* name, value, name, value */
	struct bb_response res;
	bool is_answered;
};

void steward_open(struct steward *st);
void steward_close(struct steward *st);

/* As `order` of the options of a server; ctx is the steward. */
int steward_take(void *ctx, struct bb_order *order);

/* Does all that wait; returns how many there were. */
size_t steward_work(struct steward *st);

/* A request and, where it waits, its answer: the status. The body is terminated. */
unsigned steward_ask(struct steward *st, const char *method, const char *path, const char *body);

/* Asks, and expects a status and a part of the body. */
void steward_expect(struct steward *st, const char *method, const char *path, const char *body,
		    unsigned status, const char *part);

#endif
