/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The count is changed in the transaction that makes or removes profiles, so it cannot drift, and
 * asking is one read. A row of another length, or a count that would fall below none, is damage.
 */
#include "count.h"

#include <backbone/pipeline.h>

#define KEY BB_TEXT("profiles")
#define COUNT_BYTES 8

int bb_count_profiles(struct bb_kv *kv, uint64_t *ret_profiles)
{
	struct bb_text value;
	uint64_t n = 0;
	int rc = bb_kv_get(kv, BB_TABLE_META, KEY, &value);

	if (rc == BB_OK) {
		if (value.n != COUNT_BYTES)
			return BB_ECORRUPT;
		for (int i = 0; i < COUNT_BYTES; i++)
			n = n << 8 | (uint8_t)value.p[i];
	} else if (rc != BB_ENOTFOUND) {
		return rc;
	}
	*ret_profiles = n;
	return BB_OK;
}

int bb_count_add(struct bb_kv *kv, int64_t more)
{
	char bytes[COUNT_BYTES];
	uint64_t n;
	int rc;

	if (more == 0)
		return BB_OK;
	rc = bb_count_profiles(kv, &n);
	if (rc != BB_OK)
		return rc;
	if (more < 0 && (uint64_t)-more > n)
		return BB_ECORRUPT;
	n += (uint64_t)more;
	for (int i = 0; i < COUNT_BYTES; i++)
		bytes[i] = (char)(n >> (8 * (COUNT_BYTES - 1 - i)));
	return bb_kv_put(kv, BB_TABLE_META, KEY, bb_text_bytes(bytes, sizeof bytes));
}
