/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a log event may be written: BB_LOG_BURST lines of one name per window. Lock-free: any
 * thread may ask. Event names are literals of this program, so the table is never nearly full; a
 * name that finds no place is not limited.
 */
#ifndef BB_LOG_LIMIT_H
#define BB_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BB_LOG_WINDOW_MS 10000
#define BB_LOG_NAMES 512 /* a power of two */

struct bb_log_limit {
	struct {
		_Atomic uint64_t name;	   /* hash of the event's name; 0: free */
		_Atomic int64_t window_ms; /* when the current window began */
		_Atomic uint32_t lines, dropped;
	} slots[BB_LOG_NAMES];
};

/*
 * Whether a line of `event` may be written at `now_ms`. *ret_dropped: how many were not since the
 * last line that was; to be said before this one.
 */
bool bb_log_limit_admit(struct bb_log_limit *limit, const char *event, int64_t now_ms,
			uint32_t *ret_dropped);

#endif
