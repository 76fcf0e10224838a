/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary directory with a store in it, for the tests of this folder. */
#ifndef BB_TEST_PLACE_H
#define BB_TEST_PLACE_H

#include <backbone/store.h>

struct place {
	char root[64];	/* the temporary directory */
	char path[128]; /* of the store, below it */
};

extern const struct bb_profile_key place_key;

void place_make(struct place *place);
void place_remove(struct place *place);
void place_clear(const struct place *place); /* takes the store's directory away */

/* Opens for writing with the usual key; a failure is a failed test. */
struct bb_store *place_open(const struct place *place);

/* The code of an attempt; the store is closed again if it opens. */
int place_try(const struct bb_store_options *options, struct bb_error *err);

/* A file below the store's path. */
void place_write(const struct place *place, const char *name, const char *text);
char *place_read(const struct place *place, const char *name, size_t *ret_n);

/* One durable transaction: entry i of the table is key(i) -> value(i), for i in from..to-1. */
void place_fill(struct bb_store *store, enum bb_table table, uint32_t from, uint32_t to,
		size_t value_bytes);
struct bb_text place_key_of(uint32_t i, char buf[16]);
struct bb_text place_value_of(uint32_t i, size_t bytes, char *buf);

#endif
