/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libphonenumber for C. Private to `core`. Thread-safe; no exception comes out. The first call
 * builds the library's tables (some 10 ms).
 */
#ifndef BACKBONE_CORE_PHONE_H
#define BACKBONE_CORE_PHONE_H

#include <stdbool.h>
#include <stddef.h>

#define BB_PHONE_E164_MAX 24 /* `+`, at most 17 digits; with room to spare */

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The number in E.164, if it is possible and valid. `region` (two letters; NULL: none) is the
 * country of numbers without a country code. False: no such number; nothing is written.
 */
bool bb_phone_canonical(const char *raw, size_t n, const char *region, char out[BB_PHONE_E164_MAX],
			size_t *ret_n);

/* Is it a region the library knows (upper case: FR)? */
bool bb_phone_is_region(const char *region);

#ifdef __cplusplus
}
#endif

#endif
