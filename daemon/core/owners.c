/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a shared identifier came with: its row leads to its records, by the places in the row and
 * then by those of MEMBERSHIP, in the order of the records' hashes; the identifiers of owner
 * namespaces in them are gathered, sorted, and written once each.
 *
 * A tablet at the till may be in a million records, and this runs in a look-up: both what is read
 * and what is given has a bound. Damage ends as BB_ECORRUPT.
 */
#include <stdlib.h>

#include "rows.h"
#include "viewer.h"

struct owner {
	uint16_t ns;
	struct bb_text value;
};

struct owners {
	struct bb_viewer *viewer;
	struct bb_kv *kv;
	struct bb_ident ident;
	struct owner *items;
	size_t n, room;
};

static int take_record(struct owners *owners, struct bb_place place)
{
	struct bb_viewer *viewer = owners->viewer;
	const struct bb_rules *rules = viewer->rules;
	struct bb_record record = {.place = place};
	struct bb_text value;
	int rc = bb_viewer_placed(owners->kv, place.cluster, place.n, &value);

	if (rc != BB_OK)
		return rc;
	if (!bb_rows_decode_shown(value, &viewer->arena, viewer->ns_of_id, viewer->ns_n, &record))
		return BB_ECORRUPT;
	for (size_t i = 0; i < record.ident_n; i++) {
		uint16_t ns = record.ns[i];

		if (ns != owners->ident.ns && rules->namespaces[ns].owner &&
		    !(record.blocked & BB_MASK(i)))
			BB_ARENA_PUSH(&viewer->arena, owners->items, owners->n, owners->room) =
				(struct owner){ns, record.values[i]};
	}
	return BB_OK;
}

/* The records that have no place in the identifier's own row. */
static int take_apart(struct owners *owners, size_t most)
{
	const struct bb_hash none = {{0}};
	uint8_t from[32];
	struct bb_text at = bb_rows_membership_key(from, &owners->ident.hash, &none), key, value;
	int rc = BB_OK;

	for (size_t i = 0; rc == BB_OK && i < most; i++) {
		rc = bb_kv_seek(owners->kv, BB_TABLE_MEMBERSHIP, at, i > 0, &key, &value);
		if (rc != BB_OK)
			return rc == BB_ENOTFOUND ? BB_OK : rc;
		if (key.n != sizeof(from) || value.n != 12)
			return BB_ECORRUPT;
		if (memcmp(key.p, owners->ident.hash.b, BB_HASH_BYTES) != 0)
			return BB_OK;
		memcpy(from, key.p, sizeof(from));
		rc = take_record(owners, (struct bb_place){bb_key_read(value.p, 8),
							   (uint32_t)bb_key_read(value.p + 8, 4)});
	}
	return rc;
}

static int take_records(struct owners *owners)
{
	int rc = BB_OK;

	for (size_t i = 0; rc == BB_OK && i < owners->ident.place_n; i++)
		rc = take_record(owners, owners->ident.places[i].place);
	if (rc == BB_OK && owners->ident.record_n > owners->ident.place_n)
		rc = take_apart(owners, BB_OWNERS_RECORDS_MAX - owners->ident.place_n);
	return rc;
}

static int by_strength(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return bb_text_compare(x->value, y->value);
}

static void put_owner(struct bb_buf *buf, const struct bb_rules *rules, const struct owner *owner)
{
	bb_buf_printf(buf, "{\"ns\":");
	bb_buf_json(buf, bb_text_of(rules->namespaces[owner->ns].name));
	bb_buf_printf(buf, ",\"value\":");
	bb_buf_json(buf, owner->value);
	bb_buf_byte(buf, '}');
}

static void put_owners(struct owners *owners, struct bb_buf *buf)
{
	bool more = owners->ident.record_n > BB_OWNERS_RECORDS_MAX;
	size_t given = 0;

	if (owners->n)
		qsort(owners->items, owners->n, sizeof(*owners->items), by_strength);
	bb_buf_printf(buf, "\"owners\":[");
	for (size_t i = 0; i < owners->n; i++) {
		if (i > 0 && by_strength(&owners->items[i - 1], &owners->items[i]) == 0)
			continue;
		if (given == BB_OWNERS_MAX) {
			more = true;
			break;
		}
		if (given++ > 0)
			bb_buf_byte(buf, ',');
		put_owner(buf, owners->viewer->rules, &owners->items[i]);
	}
	bb_buf_byte(buf, ']');
	if (more)
		bb_buf_printf(buf, ",\"owners_more\":true");
}

/* *ret_shared false: the key leads to no shared identifier. */
static int find(struct owners *owners, struct bb_text key, bool *ret_shared)
{
	struct bb_viewer *viewer = owners->viewer;
	struct bb_text row;
	bool junk;
	int rc = bb_viewer_hash(viewer, key, &owners->ident.hash, &junk);

	if (rc != BB_OK)
		return rc;
	rc = bb_kv_get(owners->kv, BB_TABLE_IDENTIFIER,
		       bb_text_bytes(owners->ident.hash.b, BB_HASH_BYTES), &row);
	if (rc != BB_OK)
		return rc;
	if (!bb_rows_decode_ident(row, &viewer->arena, viewer->ns_of_id, viewer->ns_n,
				  &owners->ident))
		return BB_ECORRUPT;
	*ret_shared = owners->ident.shared;
	return BB_OK;
}

static int owners_once(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_text key,
		       struct bb_buf *buf)
{
	struct owners owners = {.viewer = viewer, .kv = kv};
	bool shared = false;
	int rc = find(&owners, key, &shared);

	if (rc != BB_OK || !shared)
		return rc;
	rc = take_records(&owners);
	if (rc == BB_OK)
		put_owners(&owners, buf);
	return rc;
}

int bb_viewer_owners(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_text key,
		     struct bb_buf *buf)
{
	int rc = owners_once(viewer, kv, key, buf);

	if (rc != BB_ECORRUPT) /* else perhaps names that are newer than ours */
		return rc;
	rc = bb_viewer_load_names(viewer, kv);
	return rc == BB_OK ? owners_once(viewer, kv, key, buf) : rc;
}
