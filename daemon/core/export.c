/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An export: the view, then what it is made of: every record of the profile, the rulings on its
 * identifiers, and what happened to the ids that it has and had.
 *
 * A key that leads to nobody, or to an identifier that stands for no one person, is an answer.
 * What led here and is not there is damage.
 */
#include <backbone/export.h>

#include <backbone/assert.h>
#include <backbone/change.h>
#include <backbone/view.h>
#include <stdlib.h>

#include "export.h"
#include "ruling.h"

struct exporting {
	struct bb_kv *kv;
	const struct bb_rules *rules;
	struct bb_names *names;
	uint16_t *ns_of_id;
	size_t ns_n;
	struct bb_arena *arena;
	struct bb_buf *buf;
	struct bb_profile profile;
};

static int begin(struct exporting *ex, uint64_t cluster)
{
	struct bb_text value;
	uint8_t key[12];
	int rc = bb_names_load(ex->names, ex->kv);

	if (rc != BB_OK)
		return rc;
	ex->ns_n = bb_names_count(ex->names, BB_NAME_NAMESPACE);
	ex->ns_of_id = calloc(ex->ns_n + 1, sizeof(*ex->ns_of_id));
	bb_assert(ex->ns_of_id);
	for (size_t id = 0; id < ex->ns_n; id++)
		ex->ns_of_id[id] = bb_rules_namespace(
			ex->rules, bb_names_text(ex->names, BB_NAME_NAMESPACE, id));
	rc = bb_kv_get(ex->kv, BB_TABLE_PROFILE, bb_rows_place_key(key, cluster, 0), &value);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	return bb_rows_decode_profile(bb_arena_copy(ex->arena, value), ex->arena, ex->ns_of_id,
				      ex->ns_n, &ex->profile)
		       ? BB_OK
		       : BB_ECORRUPT;
}

/* --- records ---------------------------------------------------------------------------------- */

static int put_record(struct exporting *ex, uint64_t cluster, uint32_t n, bool first)
{
	struct bb_record record = {.place = {cluster, n}};
	struct bb_arena arena;
	struct bb_text value;
	uint8_t key[12];
	int rc = bb_kv_get(ex->kv, BB_TABLE_PROFILE, bb_rows_place_key(key, cluster, n), &value);

	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	bb_arena_init(&arena);
	if (bb_rows_decode_record(value, &arena, ex->ns_of_id, ex->ns_n, &record)) {
		if (!first)
			bb_buf_byte(ex->buf, ',');
		bb_export_record(ex->rules, ex->names, &record, ex->buf);
	} else {
		rc = BB_ECORRUPT;
	}
	bb_arena_fini(&arena);
	return rc;
}

static int put_records(struct exporting *ex)
{
	bool first = true;
	int rc = BB_OK;

	bb_buf_printf(ex->buf, ",\"records\":[");
	for (size_t i = 0; rc == BB_OK && i < ex->profile.run_n; i++) {
		const struct bb_run *run = &ex->profile.runs[i];

		for (uint32_t n = run->first; rc == BB_OK && n <= run->last; n++) {
			rc = put_record(ex, run->cluster, n, first);
			first = false;
		}
	}
	bb_buf_byte(ex->buf, ']');
	return rc == BB_OK && bb_names_missed(ex->names) ? BB_ECORRUPT : rc;
}

/* --- rulings ---------------------------------------------------------------------------------- */

static struct bb_hash hash_of(const struct exporting *ex, const struct bb_member *member)
{
	return bb_hash_identifier(&ex->rules->profile_key,
				  bb_text_of(ex->rules->namespaces[member->ns].name),
				  member->value);
}

/* A ruling on a pair is met at both ends: it is written at the first of them. */
static bool was_met(const struct exporting *ex, const struct bb_ruling *ruling, size_t at)
{
	for (unsigned end = 0; end < bb_ruling_ends(ruling->kind); end++)
		for (size_t i = 0; i < at; i++) {
			const struct bb_member *member = &ex->profile.members[i];
			struct bb_text ns = bb_text_of(ex->rules->namespaces[member->ns].name);

			if (bb_text_equal(ruling->on[end].ns, ns) &&
			    bb_text_equal(ruling->on[end].value, member->value))
				return true;
		}
	return false;
}

static int put_rulings_of(struct exporting *ex, size_t at, bool *first)
{
	struct bb_hash ident = hash_of(ex, &ex->profile.members[at]), cursor = {{0}};
	struct bb_ruling_row row;
	struct bb_ruling ruling;
	int rc;

	while ((rc = bb_ruling_of_ident(ex->kv, &ident, &cursor)) == BB_OK) {
		rc = bb_ruling_by_hash(ex->kv, &cursor, ex->arena, &ruling);
		if (rc == BB_OK && was_met(ex, &ruling, at))
			continue;
		if (rc == BB_OK)
			rc = bb_ruling_get(ex->kv, &ex->rules->profile_key, ruling.id, ex->arena,
					   &row);
		if (rc != BB_OK)
			return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
		bb_buf_printf(ex->buf, "%s{\"ruling\":", *first ? "" : ",");
		bb_ruling_json(&row.ruling, ex->buf);
		bb_buf_printf(ex->buf, ",\"holds\":%s,\"released\":%s}",
			      row.holds ? "true" : "false", row.released ? "true" : "false");
		*first = false;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int put_rulings(struct exporting *ex)
{
	bool first = true;
	int rc = BB_OK;

	bb_buf_printf(ex->buf, ",\"rulings\":[");
	for (size_t i = 0; rc == BB_OK && i < ex->profile.member_n; i++)
		rc = put_rulings_of(ex, i, &first);
	bb_buf_byte(ex->buf, ']');
	return rc;
}

/* --- history ---------------------------------------------------------------------------------- */

static int put_history_of(struct exporting *ex, const struct bb_hash *id, bool *first)
{
	struct bb_change change;
	uint64_t cursor = 0;
	int rc;

	while ((rc = bb_change_history(ex->kv, id, &cursor, ex->arena, &change)) == BB_OK) {
		if (!*first)
			bb_buf_byte(ex->buf, ',');
		bb_change_json(&change, ex->buf);
		*first = false;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

/* Every id that the profile ever had is the hash of one of its identifiers. */
static int put_history(struct exporting *ex)
{
	bool first = true;
	int rc = BB_OK;

	bb_buf_printf(ex->buf, ",\"history\":[");
	for (size_t i = 0; rc == BB_OK && i < ex->profile.member_n; i++) {
		struct bb_hash id = hash_of(ex, &ex->profile.members[i]);

		rc = put_history_of(ex, &id, &first);
	}
	bb_buf_byte(ex->buf, ']');
	return rc;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int put_view(struct exporting *ex, struct bb_viewer *viewer, uint64_t cluster)
{
	const struct bb_view *view;
	int rc = bb_viewer_fold(viewer, ex->kv, cluster, &view);

	if (rc != BB_OK)
		return rc;
	if (view->identifier_n == 1 && view->identifiers[0].shared)
		return BB_EINVAL;
	bb_buf_printf(ex->buf, "\"profile\":\"%s\",\"view\":", view->id);
	bb_view_json(view, BB_VIEW_ALL, true, ex->buf);
	return BB_OK;
}

static void list_values(const struct exporting *ex, struct bb_exported *ret_exported)
{
	size_t n = ex->profile.member_n;

	ret_exported->values = bb_arena_alloc(ex->arena, n * sizeof(*ret_exported->values));
	ret_exported->value_n = n;
	for (size_t i = 0; i < n; i++)
		ret_exported->values[i] = ex->profile.members[i].value;
}

int bb_export_person(struct bb_kv *kv, const struct bb_rules *rules, struct bb_text key,
		     struct bb_arena *arena, struct bb_buf *buf, struct bb_exported *ret_exported)
{
	struct exporting ex = {
		.kv = kv, .rules = rules, .names = bb_names_new(), .arena = arena, .buf = buf};
	struct bb_viewer *viewer = bb_viewer_new(rules);
	struct bb_found found;
	size_t before = buf->n;
	int rc = bb_viewer_find(viewer, kv, key, &found);

	if (rc == BB_OK)
		rc = put_view(&ex, viewer, found.cluster);
	if (rc == BB_OK)
		rc = begin(&ex, found.cluster);
	if (rc == BB_OK)
		rc = put_records(&ex);
	if (rc == BB_OK)
		rc = put_rulings(&ex);
	if (rc == BB_OK)
		rc = put_history(&ex);
	if (rc == BB_OK) {
		memcpy(ret_exported->profile, found.id, sizeof(found.id));
		list_values(&ex, ret_exported);
	} else {
		buf->n = before;
	}
	bb_viewer_free(viewer);
	bb_names_free(ex.names);
	free(ex.ns_of_id);
	return rc;
}
