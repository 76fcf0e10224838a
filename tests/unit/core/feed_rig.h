/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the change feed share: a core_rig, and a consumer that applies the feed in
 * order and fails the test where a change makes no sense.
 */
#ifndef BACKBONE_TEST_FEED_RIG_H
#define BACKBONE_TEST_FEED_RIG_H

#include "core_rig.h"

#include <backbone/change.h>

#define FEED_IDS_MAX 4096

struct feed_consumer {
	struct bb_hash ids[FEED_IDS_MAX];
	size_t n;
	uint64_t at; /* the last number it has applied */
	unsigned kinds[BB_CHANGE_KIND_COUNT];
};

extern struct core_rig feed_rig;
extern struct feed_consumer feed_consumer;

void feed_setup(void);
void feed_teardown(void);

#define FEED_TEST(name) Test(core, name, .init = feed_setup, .fini = feed_teardown)

/* Where the consumer has an id; SIZE_MAX: it does not. */
size_t feed_index(const struct bb_hash *id);
void feed_end(const struct bb_change *change, const struct bb_hash *id, bool may_be_gone);
void feed_consume(const struct bb_change *change);

/* Applies all that is new, and compares with the store. */
void feed_catch_up(void);

/* An event on that day, in a batch of its own, consumed. */
void feed_say(int day, const char *ids);

/* The hash of `ns:value`. */
struct bb_hash feed_hash(const char *key);

/* That a change is such, ids by the identifiers that they are hashes of; NULL: nobody. */
void feed_expect(uint64_t number, enum bb_change_kind kind, const char *profile, const char *other);

/* The kinds and numbers of a history, as text; lives until the next call. */
const char *feed_history(const char *key);

#endif
