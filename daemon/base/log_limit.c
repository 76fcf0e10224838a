/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by hash of the event's name, open addressing, slots are only ever added. The first line
 * of a new window takes over what the old one dropped. Two threads may race for that: one wins the
 * exchange, the other counts in the new window. With a full table nothing is limited.
 */
#include "log_limit.h"

#include <backbone/log.h>

#include <stddef.h>

static uint64_t hash_name(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* The index of the slot of a name, or BB_LOG_NAMES. */
static size_t find_slot(struct bb_log_limit *limit, uint64_t name)
{
	for (size_t probe = 0; probe < BB_LOG_NAMES; probe++) {
		size_t i = (size_t)(name + probe) % BB_LOG_NAMES;
		uint64_t found = 0;

		if (atomic_compare_exchange_strong(&limit->slots[i].name, &found, name) ||
		    found == name)
			return i;
	}
	return BB_LOG_NAMES;
}

bool bb_log_limit_admit(struct bb_log_limit *limit, const char *event, int64_t now_ms,
			uint32_t *ret_dropped)
{
	size_t i = find_slot(limit, hash_name(event));
	int64_t began;

	*ret_dropped = 0;
	if (i == BB_LOG_NAMES)
		return true;
	began = atomic_load(&limit->slots[i].window_ms);
	if (now_ms - began >= BB_LOG_WINDOW_MS || now_ms < began) {
		if (atomic_compare_exchange_strong(&limit->slots[i].window_ms, &began, now_ms)) {
			atomic_store(&limit->slots[i].lines, 0);
			*ret_dropped = atomic_exchange(&limit->slots[i].dropped, 0);
		}
	}
	if (atomic_fetch_add(&limit->slots[i].lines, 1) < BB_LOG_BURST)
		return true;
	atomic_fetch_add(&limit->slots[i].dropped, 1);
	return false;
}
