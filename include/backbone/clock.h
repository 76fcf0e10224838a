/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: milliseconds since 1970-01-01T00:00:00Z, int64_t, named `_ms`. `core` never reads a clock;
 * these are pure, but for the two readers at the end.
 */
#ifndef BACKBONE_CLOCK_H
#define BACKBONE_CLOCK_H

#include <backbone/text.h>

#define BB_SECOND_MS INT64_C(1000)
#define BB_HOUR_MS (3600 * BB_SECOND_MS)
#define BB_DAY_MS (24 * BB_HOUR_MS)
#define BB_TIME_MIN_MS INT64_C(0)
#define BB_TIME_MAX_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

#define BB_ISO_BYTES 24 /* 2026-01-02T03:04:05.678Z */

/* Writes BB_ISO_BYTES bytes, no terminator. `ms` in BB_TIME_MIN_MS..BB_TIME_MAX_MS. */
void bb_clock_iso(int64_t ms, char out[BB_ISO_BYTES]);

/*
 * RFC 3339 with a zone; `T` or `t`, `Z` or `z` or +hh:mm; fractions below a millisecond are cut off
 * (towards the earlier instant of the written digits, as the model does). Days and hours are
 * checked; second 60 is refused. False: not of that form, or outside 1970 to 9999.
 */
bool bb_clock_parse_rfc3339(struct bb_text text, int64_t *ret_ms);

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t bb_clock_days(int year, int month, int day);
int bb_clock_days_of_month(int year, int month);
void bb_clock_date(int64_t days, int *ret_year, int *ret_month, int *ret_day);

int64_t bb_clock_wall_ms(void);
uint64_t bb_clock_monotonic_ns(void);

#endif
