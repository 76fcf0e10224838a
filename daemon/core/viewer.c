/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up: identifier -> profile -> its records, read in place from the snapshot, folded into a
 * view. An old profile id is the hash of one of the profile's identifiers and is found as that
 * identifier is.
 *
 * Interned names are read when a number is met that is not known yet. Damage that the store's
 * checksum did not see ends as BB_ECORRUPT, never as a wrong answer.
 */
#include <backbone/assert.h>
#include <backbone/gate.h>
#include <backbone/ruling.h>
#include <stdlib.h>

#include "fold.h"
#include "viewer.h"

struct bb_viewer *bb_viewer_new(const struct bb_rules *rules)
{
	struct bb_viewer *viewer = calloc(1, sizeof(*viewer));

	bb_assert(viewer != NULL);
	viewer->rules = rules;
	viewer->names = bb_names_new();
	bb_arena_init(&viewer->arena);
	return viewer;
}

void bb_viewer_free(struct bb_viewer *viewer)
{
	if (!viewer)
		return;
	bb_names_free(viewer->names);
	bb_arena_fini(&viewer->arena);
	bb_buf_fini(&viewer->buf);
	free(viewer->ns_of_id);
	free(viewer);
}

int bb_viewer_load_names(struct bb_viewer *viewer, struct bb_kv *kv)
{
	int rc = bb_names_load(viewer->names, kv);

	if (rc != BB_OK)
		return rc;
	viewer->ns_n = bb_names_count(viewer->names, BB_NAME_NAMESPACE);
	free(viewer->ns_of_id);
	viewer->ns_of_id = calloc(viewer->ns_n + 1, sizeof(*viewer->ns_of_id));
	bb_assert(viewer->ns_of_id != NULL);
	for (size_t id = 0; id < viewer->ns_n; id++)
		viewer->ns_of_id[id] = bb_rules_namespace(
			viewer->rules, bb_names_text(viewer->names, BB_NAME_NAMESPACE, id));
	return BB_OK;
}

int bb_viewer_placed(struct bb_kv *kv, uint64_t cluster, uint32_t n, struct bb_text *ret_value)
{
	uint8_t key[12];
	int rc = bb_kv_get(kv, BB_TABLE_PROFILE, bb_rows_place_key(key, cluster, n), ret_value);

	return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc; /* something led here */
}

int bb_viewer_hash(struct bb_viewer *viewer, struct bb_text key, struct bb_hash *ret_hash,
		   bool *ret_junk)
{
	struct bb_identifier id;

	*ret_junk = false;
	if (bb_hash_parse_profile_id(key, ret_hash))
		return BB_OK;
	bb_arena_reset(&viewer->arena);
	if (!bb_gate_key(viewer->rules, key, &viewer->arena, &id))
		return BB_EINVAL;
	*ret_junk = id.blocked; /* a ruling may say otherwise: the row knows */
	*ret_hash = bb_hash_identifier(&viewer->rules->profile_key, id.ns, id.value);
	return BB_OK;
}

int bb_viewer_find(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_text key,
		   struct bb_found *ret_found)
{
	struct bb_hash hash;
	struct bb_text row, profile;
	struct bb_found found;
	bool junk;
	int rc = bb_viewer_hash(viewer, key, &hash, &junk);

	if (rc != BB_OK)
		return rc;
	rc = bb_kv_get(kv, BB_TABLE_IDENTIFIER, bb_text_bytes(hash.b, BB_HASH_BYTES), &row);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND && junk ? BB_EACCESS : rc;
	struct bb_cursor cur = bb_cursor_of(row);

	if (!bb_rows_ident_cluster(&cur, &found.cluster))
		return BB_ECORRUPT;
	if (!found.cluster)
		return BB_EACCESS; /* blocked when it was seen */
	rc = bb_viewer_placed(kv, found.cluster, 0, &profile);
	if (rc != BB_OK)
		return rc;
	cur = bb_cursor_of(profile);
	hash = bb_get_hash(&cur);
	if (cur.bad)
		return BB_ECORRUPT;
	bb_hash_profile_id(&hash, found.id);
	found.id[BB_PROFILE_ID_BYTES] = '\0';
	*ret_found = found;
	return BB_OK;
}

static int read_records(struct bb_viewer *viewer, struct bb_kv *kv,
			const struct bb_profile *profile, struct bb_record ***ret_records,
			size_t *ret_n)
{
	struct bb_record **records = NULL;
	size_t n = 0, room = 0;

	for (size_t i = 0; i < profile->run_n; i++) {
		const struct bb_run *run = &profile->runs[i];

		for (uint32_t k = run->first; k <= run->last; k++) {
			struct bb_record *record = bb_arena_zalloc(&viewer->arena, sizeof(*record));
			struct bb_text value;
			int rc = bb_viewer_placed(kv, run->cluster, k, &value);

			if (rc != BB_OK)
				return rc;
			if (!bb_rows_decode_shown(value, &viewer->arena, viewer->ns_of_id,
						  viewer->ns_n, record))
				return BB_ECORRUPT;
			BB_ARENA_PUSH(&viewer->arena, records, n, room) = record;
		}
	}
	*ret_records = records;
	*ret_n = n;
	return BB_OK;
}

static int fold_once(struct bb_viewer *viewer, struct bb_kv *kv, uint64_t cluster)
{
	struct bb_profile profile = {.cluster = cluster};
	struct bb_record **records = NULL;
	struct bb_text value;
	size_t n = 0;

	bb_arena_reset(&viewer->arena);
	int rc = bb_viewer_placed(kv, cluster, 0, &value);

	if (rc != BB_OK)
		return rc;
	if (!bb_rows_decode_profile(value, &viewer->arena, viewer->ns_of_id, viewer->ns_n,
				    &profile))
		return BB_ECORRUPT;
	rc = read_records(viewer, kv, &profile, &records, &n);
	if (rc == BB_OK)
		bb_fold_view(&(struct bb_view_fold){viewer->rules, viewer->names, &viewer->arena},
			     &profile, records, n, &viewer->view);
	return rc;
}

int bb_viewer_fold(struct bb_viewer *viewer, struct bb_kv *kv, uint64_t cluster,
		   const struct bb_view **ret_view)
{
	int rc = fold_once(viewer, kv, cluster);

	bool missed = bb_names_missed(viewer->names);

	if (rc == BB_ECORRUPT || missed) { /* perhaps names that are newer than ours */
		rc = bb_viewer_load_names(viewer, kv);
		if (rc == BB_OK)
			rc = fold_once(viewer, kv, cluster);
		if (rc == BB_OK && bb_names_missed(viewer->names))
			rc = BB_ECORRUPT;
	}
	if (rc == BB_OK)
		*ret_view = &viewer->view;
	return rc;
}

int bb_viewer_next(struct bb_viewer *viewer, struct bb_kv *kv, uint64_t *cursor,
		   uint64_t *ret_cluster)
{
	(void)viewer;
	for (;;) {
		struct bb_text key, value;
		uint8_t from[12];
		int rc = bb_kv_seek(kv, BB_TABLE_PROFILE, bb_rows_place_key(from, *cursor, 0),
				    false, &key, &value);

		if (rc != BB_OK)
			return rc;
		if (key.n != sizeof(from))
			return BB_ECORRUPT;
		*cursor = bb_key_read(key.p, 8) + 1;
		if (bb_key_read(key.p + 8, 4) ==
		    0) { /* else records whose profile is another one now */
			*ret_cluster = *cursor - 1;
			return BB_OK;
		}
	}
}

/* sum += term, modulo 2^128. */
static void add(struct bb_hash *sum, const struct bb_hash *term)
{
	unsigned carry = 0;

	for (int i = BB_HASH_BYTES - 1; i >= 0; i--) {
		carry += (unsigned)sum->b[i] + term->b[i];
		sum->b[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

/* A line of the state: what two stores that saw the same must both have. */
static void add_line(struct bb_viewer *viewer, struct bb_digest *digest)
{
	struct bb_text line = bb_buf_slice(&viewer->buf);
	struct bb_hash hash = bb_hash_parts(&viewer->rules->profile_key, &line, 1);

	add(&digest->sum, &hash);
}

static int add_rulings(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_digest *digest)
{
	struct bb_ruling_cursor cursor = {.n = 0};
	struct bb_ruling_row row;
	int rc;

	bb_arena_reset(&viewer->arena);
	while ((rc = bb_ruling_next(kv, &viewer->rules->profile_key, &cursor, &viewer->arena,
				    &row)) == BB_OK) {
		viewer->buf.n = 0;
		bb_ruling_json(&row.ruling, &viewer->buf);
		add_line(viewer, digest);
		bb_arena_reset(&viewer->arena);
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_viewer_digest(struct bb_viewer *viewer, struct bb_kv *kv, struct bb_digest *ret_digest)
{
	struct bb_digest digest = {.profiles = 0};
	uint64_t cursor = 0, cluster;
	int rc;

	while ((rc = bb_viewer_next(viewer, kv, &cursor, &cluster)) == BB_OK) {
		const struct bb_view *view;

		rc = bb_viewer_fold(viewer, kv, cluster, &view);
		if (rc != BB_OK)
			return rc;
		viewer->buf.n = 0;
		/* which copy of an event came first is no part of the state */
		bb_view_json(view, BB_VIEW_ALL, false, &viewer->buf);
		add_line(viewer, &digest);
		digest.profiles++;
	}
	if (rc == BB_ENOTFOUND)
		rc = add_rulings(viewer, kv, &digest);
	if (rc != BB_OK)
		return rc;
	*ret_digest = digest;
	return BB_OK;
}
