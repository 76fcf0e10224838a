/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The history of a profile: every id that it has or had is the hash of one of its identifiers, so
 * its names are those of its identifiers' hashes that have a history of their own. Their changes
 * are gathered (a merger has two ends), sorted, and the newest are told; then the rulings on its
 * identifiers.
 *
 * Bounded: so many changes and rulings are read, then `truncated` is true. Errors of the store and
 * damage end it.
 */
#include <backbone/change.h>
#include <backbone/view.h>
#include <stdlib.h>

#include "ruling.h"

#define READ_MAX (4 * BB_HISTORY_MAX)

struct history {
	struct bb_kv *kv;
	const struct bb_rules *rules;
	struct bb_arena *arena;
	struct bb_change *changes;
	size_t change_n, change_room;
	struct bb_hash *rulings; /* hashes of their ids */
	size_t ruling_n, ruling_room;
	bool truncated;
	struct bb_buf *buf;
};

static int by_number(const void *a, const void *b)
{
	const struct bb_change *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, BB_HASH_BYTES);
}

/* BB_OK; *ret_any: the hash was the id of a profile. */
static int gather_changes(struct history *history, const struct bb_hash *id, bool *ret_any)
{
	uint64_t cursor = 0;

	*ret_any = false;
	while (history->change_n < READ_MAX) {
		struct bb_change change;
		int rc = bb_change_history(history->kv, id, &cursor, history->arena, &change);

		if (rc != BB_OK)
			return rc == BB_ENOTFOUND ? BB_OK : rc;
		*ret_any = true;
		BB_ARENA_PUSH(history->arena, history->changes, history->change_n,
			      history->change_room) = change;
	}
	history->truncated = true;
	return BB_OK;
}

static int gather_rulings(struct history *history, const struct bb_hash *ident)
{
	struct bb_hash cursor = {{0}};

	while (history->ruling_n < BB_HISTORY_MAX) {
		int rc = bb_ruling_of_ident(history->kv, ident, &cursor);

		if (rc != BB_OK)
			return rc == BB_ENOTFOUND ? BB_OK : rc;
		BB_ARENA_PUSH(history->arena, history->rulings, history->ruling_n,
			      history->ruling_room) = cursor;
	}
	history->truncated = true;
	return BB_OK;
}

static void put_name(struct history *history, const struct bb_hash *hash,
		     const struct bb_view_identifier *ident, bool first)
{
	char id[BB_PROFILE_ID_BYTES];

	bb_hash_profile_id(hash, id);
	bb_buf_printf(history->buf, "%s{\"id\":\"%.*s\",\"ns\":", first ? "" : ",", (int)sizeof(id),
		      id);
	bb_buf_json(history->buf, ident->ns);
	bb_buf_printf(history->buf, ",\"value\":");
	bb_buf_json(history->buf, ident->value);
	bb_buf_byte(history->buf, '}');
}

static int put_names(struct history *history, const struct bb_view *view)
{
	bool first = true;

	bb_buf_printf(history->buf, "{\"profile\":\"%s\",\"names\":[", view->id);
	for (size_t i = 0; i < view->identifier_n; i++) {
		const struct bb_view_identifier *ident = &view->identifiers[i];
		struct bb_hash now, hash = bb_hash_identifier(&history->rules->profile_key,
							      ident->ns, ident->value);
		bool had;
		int rc = gather_changes(history, &hash, &had);

		if (rc == BB_OK)
			rc = gather_rulings(history, &hash);
		if (rc != BB_OK)
			return rc;
		if (!had && !(bb_hash_parse_profile_id(bb_text_of(view->id), &now) &&
			      bb_hash_equal(&now, &hash)))
			continue;
		put_name(history, &hash, ident, first);
		first = false;
	}
	bb_buf_byte(history->buf, ']');
	return BB_OK;
}

static void put_changes(struct history *history)
{
	struct bb_change *changes = history->changes;
	size_t n = 0;

	if (history->change_n)
		qsort(changes, history->change_n, sizeof(*changes), by_number);
	for (size_t i = 0; i < history->change_n; i++)
		if (!n || changes[n - 1].number != changes[i].number)
			changes[n++] = changes[i];
	bb_buf_printf(history->buf, ",\"changes\":[");
	size_t from = n > BB_HISTORY_MAX ? n - BB_HISTORY_MAX : 0;

	for (size_t i = from; i < n; i++) {
		if (i > from)
			bb_buf_byte(history->buf, ',');
		bb_change_json(&changes[i], history->buf);
	}
	history->truncated = history->truncated || from > 0;
}

static int put_ruling(struct history *history, const struct bb_hash *id_hash, bool first)
{
	struct bb_ruling_row row;
	struct bb_ruling ruling;
	int rc = bb_ruling_by_hash(history->kv, id_hash, history->arena, &ruling);

	if (rc == BB_OK)
		rc = bb_ruling_get(history->kv, &history->rules->profile_key, ruling.id,
				   history->arena, &row);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	if (!first)
		bb_buf_byte(history->buf, ',');
	bb_ruling_json(&row.ruling, history->buf);
	history->buf->n--; /* its last brace */
	bb_buf_printf(history->buf, ",\"holds\":%s,\"released\":%s}", row.holds ? "true" : "false",
		      row.released ? "true" : "false");
	return BB_OK;
}

static int put_rulings(struct history *history)
{
	struct bb_hash *rulings = history->rulings;
	bool first = true;

	if (history->ruling_n)
		qsort(rulings, history->ruling_n, sizeof(*rulings), by_bytes);
	bb_buf_printf(history->buf, "],\"rulings\":[");
	for (size_t i = 0; i < history->ruling_n; i++) {
		int rc;

		if (i && bb_hash_equal(&rulings[i], &rulings[i - 1]))
			continue;
		rc = put_ruling(history, &rulings[i], first);
		if (rc != BB_OK)
			return rc;
		first = false;
	}
	bb_buf_printf(history->buf, "],\"truncated\":%s}", history->truncated ? "true" : "false");
	return BB_OK;
}

int bb_history_json(struct bb_viewer *viewer, const struct bb_rules *rules, struct bb_kv *kv,
		    struct bb_text key, struct bb_arena *arena, struct bb_buf *buf)
{
	struct history history = {.kv = kv, .rules = rules, .arena = arena, .buf = buf};
	const struct bb_view *view;
	struct bb_found found;
	size_t start = buf->n;
	int rc = bb_viewer_find(viewer, kv, key, &found);

	if (rc == BB_OK)
		rc = bb_viewer_fold(viewer, kv, found.cluster, &view);
	if (rc == BB_OK)
		rc = put_names(&history, view);
	if (rc == BB_OK) {
		put_changes(&history);
		rc = put_rulings(&history);
	}
	if (rc != BB_OK)
		buf->n = start;
	return rc;
}
