/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned names: event types, attributes, sources, ... are stored as small numbers. A number never
 * changes its meaning. The pipeline adds names and writes them with its batch; a viewer only reads
 * them.
 */
#ifndef BB_CORE_NAMES_H
#define BB_CORE_NAMES_H

#include <backbone/kv.h>

#include "codec.h"

#define BB_NAMES_MAX 10000 /* of each limited kind in one store */

/* The number is part of the stored key: append only. `limited`: distinct names end at BB_NAMES_MAX.
 */
#define BB_NAME_KINDS(X)                                                                           \
	X(NAMESPACE, 0) X(SOURCE, 1) X(TYPE, 1) X(ATTRIBUTE, 1) X(PURPOSE, 1) X(TOPIC, 0)

enum bb_name_kind {
#define X(name, limited) BB_NAME_##name,
	BB_NAME_KINDS(X)
#undef X
		BB_NAME_KIND_COUNT
};

struct bb_names;

struct bb_names *bb_names_new(void);
void bb_names_free(struct bb_names *names); /* NULL-safe */

/* Reads what the store has beyond what is known here. BB_OK or the store's error. */
BB_MUST_CHECK int bb_names_load(struct bb_names *names, struct bb_kv *kv);

/* One name out of the store: BB_OK, BB_ENOTFOUND or the store's error. As bb_kv_get's. */
BB_MUST_CHECK int bb_names_read(struct bb_kv *kv, enum bb_name_kind kind, uint64_t id,
				struct bb_text *ret_text);

/* The number of a name, or -1. */
int64_t bb_names_find(const struct bb_names *names, enum bb_name_kind kind, struct bb_text text);

/* The same, adding it. The caller has asked bb_names_room before. */
uint32_t bb_names_add(struct bb_names *names, enum bb_name_kind kind, struct bb_text text);

/* Whether so many more names of that kind may be added. */
bool bb_names_room(const struct bb_names *names, enum bb_name_kind kind, size_t more);

/* The text of a number; empty for one that is not known here, which bb_names_missed tells, once. */
struct bb_text bb_names_text(struct bb_names *names, enum bb_name_kind kind, uint64_t id);
bool bb_names_missed(struct bb_names *names);

/* How many there are; ids are 0 to n-1. */
uint32_t bb_names_count(const struct bb_names *names, enum bb_name_kind kind);

/* Writes the names added since the last load or bb_names_saved. After an abort: make new names and
 * load. */
BB_MUST_CHECK int bb_names_save(struct bb_names *names, struct bb_kv *kv);
void bb_names_saved(struct bb_names *names);

#endif
