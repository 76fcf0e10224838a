/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rulings as text, and as rows of the store: put once under their id, found again by what they are
 * on. Which of them holds is computed each time from the few that there are, so that no order of
 * arrival matters: the latest by time, then id, that no release names.
 *
 * A row that is damaged is BB_ECORRUPT; what is wrong with a ruling that somebody brings is a
 * refusal that names the member.
 */
#include "ruling.h"

#include <backbone/clock.h>
#include <backbone/normalise.h>

static const char *const kind_names[] = {
#define X(name, text) text,
	BB_RULING_KINDS(X)
#undef X
};

/* By kind: identifiers that it is on. */
static const unsigned ends_of[] = {
	[BB_RULING_JOIN] = 2,  [BB_RULING_SPLIT] = 2,	[BB_RULING_BLOCK] = 1,
	[BB_RULING_ALLOW] = 1, [BB_RULING_RELEASE] = 0,
};

static const enum bb_word word_of[] = {
	[BB_RULING_JOIN] = BB_WORD_JOIN,
	[BB_RULING_SPLIT] = BB_WORD_SPLIT,
	[BB_RULING_BLOCK] = BB_WORD_BLOCK,
	[BB_RULING_ALLOW] = BB_WORD_ALLOW,
};

const char *bb_ruling_kind_text(enum bb_ruling_kind kind)
{
	return kind_names[kind];
}

bool bb_ruling_kind_of(struct bb_text text, enum bb_ruling_kind *ret_kind)
{
	for (int i = 0; i < BB_RULING_KIND_COUNT; i++)
		if (bb_text_equal(text, bb_text_of(kind_names[i]))) {
			*ret_kind = (enum bb_ruling_kind)i;
			return true;
		}
	return false;
}

unsigned bb_ruling_ends(enum bb_ruling_kind kind)
{
	return ends_of[kind];
}

/* --- checking --------------------------------------------------------------------------------- */

static bool refuse(struct bb_refusal *ret_refusal, const char *at, const char *detail)
{
	*ret_refusal = (struct bb_refusal){.reason = BB_DEAD_INVALID_EVENT,
					   .at = bb_text_of(at),
					   .detail = bb_text_of(detail),
					   .byte_offset = -1};
	return false;
}

static bool check_identifier(const struct bb_rules *rules, struct bb_identifier *id, const char *at,
			     struct bb_arena *arena, struct bb_refusal *ret_refusal)
{
	struct bb_text canonical;

	if (!id->ns.p || !id->value.p)
		return refuse(ret_refusal, at, "is missing: {\"ns\": ..., \"value\": ...}");
	id->ns_index = bb_rules_namespace(rules, id->ns);
	if (id->ns_index == BB_NS_UNKNOWN)
		return refuse(ret_refusal, at, "is of a namespace that is not configured");
	if (!bb_normalise(&rules->namespaces[id->ns_index], id->value, arena, &canonical))
		return refuse(ret_refusal, at, "is no canonical value of its namespace");
	id->value = canonical;
	id->blocked = bb_normalise_blocked_by(&rules->namespaces[id->ns_index], canonical, arena);
	return true;
}

/* Not by strength: a ruling outlives the order of the configuration. */
static int by_name(const struct bb_identifier *a, const struct bb_identifier *b)
{
	int d = bb_text_compare(a->ns, b->ns);

	return d ? d : bb_text_compare(a->value, b->value);
}

static bool check_ends(const struct bb_rules *rules, struct bb_ruling *ruling,
		       struct bb_arena *arena, struct bb_refusal *ret_refusal)
{
	static const char *const names[2][2] = {{"identifier", ""}, {"pair[0]", "pair[1]"}};
	unsigned n = ends_of[ruling->kind];
	int d;

	for (unsigned i = 0; i < n; i++) {
		ruling->given[i] = ruling->on[i].value;
		if (!check_identifier(rules, &ruling->on[i], names[n - 1][i], arena, ret_refusal))
			return false;
	}
	if (n < 2)
		return true;
	d = by_name(&ruling->on[0], &ruling->on[1]);
	if (d == 0)
		return refuse(ret_refusal, "pair", "is one identifier twice");
	if (d > 0) {
		struct bb_identifier swap = ruling->on[0];

		struct bb_text given = ruling->given[0];

		ruling->on[0] = ruling->on[1];
		ruling->on[1] = swap;
		ruling->given[0] = ruling->given[1];
		ruling->given[1] = given;
	}
	return true;
}

bool bb_ruling_check(const struct bb_rules *rules, struct bb_ruling *ruling, struct bb_arena *arena,
		     struct bb_refusal *ret_refusal)
{
	if (!ruling->id.n || ruling->id.n > BB_RULING_ID_MAX)
		return refuse(ret_refusal, "id", "has not 1 to 256 bytes");
	if (ruling->time_ms < 0 || ruling->time_ms > BB_TIME_MAX_MS)
		return refuse(ret_refusal, "time", "is not between 1970 and 9999");
	if (ruling->actor.n > BB_RULING_ACTOR_MAX)
		return refuse(ret_refusal, "actor", "has more than 256 bytes");
	if (ruling->reason.n > BB_RULING_REASON_MAX)
		return refuse(ret_refusal, "reason", "has more than 1024 bytes");
	if (ruling->kind == BB_RULING_RELEASE &&
	    (!ruling->releases.n || ruling->releases.n > BB_RULING_ID_MAX))
		return refuse(ret_refusal, "releases", "has not 1 to 256 bytes");
	return check_ends(rules, ruling, arena, ret_refusal);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_member(struct bb_buf *buf, const char *name, struct bb_text text)
{
	bb_buf_printf(buf, ",\"%s\":", name);
	bb_buf_json(buf, text);
}

static void put_identifier(struct bb_buf *buf, const struct bb_identifier *id)
{
	bb_buf_printf(buf, "{\"ns\":");
	bb_buf_json(buf, id->ns);
	put_member(buf, "value", id->value);
	bb_buf_byte(buf, '}');
}

void bb_ruling_json(const struct bb_ruling *ruling, struct bb_buf *buf)
{
	char time[BB_ISO_BYTES];

	bb_clock_iso(ruling->time_ms, time);
	bb_buf_printf(buf, "{\"ruling\":\"%s\"", kind_names[ruling->kind]);
	put_member(buf, "id", ruling->id);
	bb_buf_printf(buf, ",\"time\":\"%.*s\"", BB_ISO_BYTES, time);
	if (ruling->actor.n)
		put_member(buf, "actor", ruling->actor);
	if (ruling->reason.n)
		put_member(buf, "reason", ruling->reason);
	if (ends_of[ruling->kind] == 2) {
		bb_buf_printf(buf, ",\"pair\":[");
		put_identifier(buf, &ruling->on[0]);
		bb_buf_byte(buf, ',');
		put_identifier(buf, &ruling->on[1]);
		bb_buf_byte(buf, ']');
	} else if (ends_of[ruling->kind] == 1) {
		bb_buf_printf(buf, ",\"identifier\":");
		put_identifier(buf, &ruling->on[0]);
	} else {
		put_member(buf, "releases", ruling->releases);
	}
	bb_buf_byte(buf, '}');
}

/* --- keys and rows ---------------------------------------------------------------------------- */

#define KEY_MAX (2 * BB_HASH_BYTES + 9)

struct bb_hash bb_ruling_hash_id(const struct bb_profile_key *key, struct bb_text id)
{
	struct bb_text parts[] = {BB_TEXT("ruling"), id};

	return bb_hash_parts(key, parts, 2);
}

struct bb_hash bb_ruling_hash_pair(const struct bb_hash *a, const struct bb_hash *b)
{
	bool swap = memcmp(a->b, b->b, BB_HASH_BYTES) > 0;
	const struct bb_hash *low = swap ? b : a, *high = swap ? a : b;
	struct bb_hash pair;

	for (int i = 0; i < BB_HASH_BYTES;
	     i++) /* of keyed hashes: nobody outside can make two alike */
		pair.b[i] = (uint8_t)(low->b[i] ^ high->b[(i + 5) % BB_HASH_BYTES]);
	return pair;
}

unsigned bb_ruling_hash_ends(const struct bb_profile_key *key, const struct bb_ruling *ruling,
			     struct bb_hash ret_ends[2])
{
	for (unsigned i = 0; i < ends_of[ruling->kind]; i++)
		ret_ends[i] = bb_hash_identifier(key, ruling->on[i].ns, ruling->on[i].value);
	return ends_of[ruling->kind];
}

/* Hash of what it is on; not of a release. */
static struct bb_hash hash_on(const struct bb_profile_key *key, const struct bb_ruling *ruling)
{
	struct bb_hash ends[2];

	return bb_ruling_hash_ends(key, ruling, ends) == 2 ? bb_ruling_hash_pair(&ends[0], &ends[1])
							   : ends[0];
}

static struct bb_text key_of(uint8_t out[KEY_MAX], char kind, const struct bb_hash *a,
			     const struct bb_hash *b)
{
	out[0] = (uint8_t)kind;
	memcpy(out + 1, a->b, BB_HASH_BYTES);
	if (b)
		memcpy(out + 1 + BB_HASH_BYTES, b->b, BB_HASH_BYTES);
	return bb_text_bytes(out, 1 + (b ? 2 : 1) * (size_t)BB_HASH_BYTES);
}

static struct bb_text target_key(uint8_t out[KEY_MAX], const struct bb_hash *on, int64_t time_ms,
				 const struct bb_hash *id)
{
	key_of(out, 't', on, NULL);
	bb_key_u64(out + 1 + BB_HASH_BYTES, (uint64_t)time_ms);
	memcpy(out + 9 + BB_HASH_BYTES, id->b, BB_HASH_BYTES);
	return bb_text_bytes(out, KEY_MAX);
}

static void encode(struct bb_buf *buf, const struct bb_ruling *ruling)
{
	bb_put_u64(buf, ruling->kind);
	bb_put_text(buf, ruling->id);
	bb_put_i64(buf, ruling->time_ms);
	bb_put_text(buf, ruling->actor);
	bb_put_text(buf, ruling->reason);
	for (unsigned i = 0; i < ends_of[ruling->kind]; i++) {
		bb_put_text(buf, ruling->on[i].ns);
		bb_put_text(buf, ruling->on[i].value);
	}
	bb_put_text(buf, ruling->releases);
	if (ruling->by_log)
		bb_put_u64(buf, 1);
}

static bool decode(struct bb_text bytes, struct bb_arena *arena, struct bb_ruling *ret_ruling)
{
	struct bb_cursor cur = bb_cursor_of(bb_arena_copy(arena, bytes));
	uint64_t kind = bb_get_u64(&cur);

	if (cur.bad || kind >= BB_RULING_KIND_COUNT)
		return false;
	*ret_ruling = (struct bb_ruling){.kind = (enum bb_ruling_kind)kind};
	ret_ruling->id = bb_get_text(&cur);
	ret_ruling->time_ms = bb_get_time(&cur);
	ret_ruling->actor = bb_get_text(&cur);
	ret_ruling->reason = bb_get_text(&cur);
	for (unsigned i = 0; i < ends_of[kind]; i++) {
		ret_ruling->on[i].ns = bb_get_text(&cur);
		ret_ruling->on[i].value = bb_get_text(&cur);
		ret_ruling->on[i].ns_index = BB_NS_UNKNOWN;
	}
	ret_ruling->releases = bb_get_text(&cur);
	ret_ruling->by_log = cur.p < cur.end && bb_get_u64(&cur) == 1;
	return !cur.bad && cur.p == cur.end;
}

int bb_ruling_by_hash(struct bb_kv *kv, const struct bb_hash *id_hash, struct bb_arena *arena,
		      struct bb_ruling *ret_ruling)
{
	uint8_t key[KEY_MAX];
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_RULING, key_of(key, 'r', id_hash, NULL), &value);

	if (rc != BB_OK)
		return rc;
	return decode(value, arena, ret_ruling) ? BB_OK : BB_ECORRUPT;
}

static int put_all(struct bb_kv *kv, const struct bb_text keys[], const struct bb_text values[],
		   size_t n)
{
	int rc = BB_OK;

	for (size_t i = 0; rc == BB_OK && i < n; i++)
		rc = bb_kv_put(kv, BB_TABLE_RULING, keys[i], values[i]);
	return rc;
}

int bb_ruling_put(struct bb_kv *kv, const struct bb_profile_key *key,
		  const struct bb_ruling *ruling)
{
	struct bb_hash id = bb_ruling_hash_id(key, ruling->id), ends[2], on;
	struct bb_buf buf = BB_BUF_EMPTY;
	uint8_t bytes[4][KEY_MAX];
	struct bb_text keys[4], values[4];
	size_t n = 0;
	int rc;

	encode(&buf, ruling);
	keys[n] = key_of(bytes[n], 'r', &id, NULL);
	values[n++] = bb_buf_slice(&buf);
	for (unsigned i = 0; i < bb_ruling_hash_ends(key, ruling, ends); i++) {
		keys[n] = key_of(bytes[n], 'e', &ends[i], &id);
		values[n++] = BB_TEXT("");
	}
	if (ruling->kind == BB_RULING_RELEASE) {
		on = bb_ruling_hash_id(key, ruling->releases);
		keys[n] = key_of(bytes[n], 'x', &on, NULL);
		values[n++] = BB_TEXT("");
	} else {
		on = hash_on(key, ruling);
		keys[n] = target_key(bytes[n], &on, ruling->time_ms, &id);
		values[n++] = ruling->id;
	}
	rc = put_all(kv, keys, values, n);
	bb_buf_fini(&buf);
	return rc;
}

static int remove_key(struct bb_kv *kv, struct bb_text key)
{
	int rc = bb_kv_del(kv, BB_TABLE_RULING, key);

	return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
}

int bb_ruling_remove(struct bb_kv *kv, const struct bb_profile_key *key, struct bb_text id,
		     struct bb_arena *arena)
{
	struct bb_hash id_hash = bb_ruling_hash_id(key, id), ends[2], on;
	struct bb_ruling ruling;
	uint8_t bytes[KEY_MAX];
	int rc = bb_ruling_by_hash(kv, &id_hash, arena, &ruling);

	if (rc != BB_OK)
		return rc;
	if (ruling.kind == BB_RULING_RELEASE) /* it is on nothing that could have led here */
		return BB_ECORRUPT;
	rc = remove_key(kv, key_of(bytes, 'r', &id_hash, NULL));
	for (unsigned i = 0; rc == BB_OK && i < bb_ruling_hash_ends(key, &ruling, ends); i++)
		rc = remove_key(kv, key_of(bytes, 'e', &ends[i], &id_hash));
	on = hash_on(key, &ruling);
	return rc ? rc : remove_key(kv, target_key(bytes, &on, ruling.time_ms, &id_hash));
}

static int is_released(struct bb_kv *kv, const struct bb_hash *id, bool *ret_released)
{
	uint8_t key[KEY_MAX];
	struct bb_text value;
	int rc = bb_kv_get(kv, BB_TABLE_RULING, key_of(key, 'x', id, NULL), &value);

	*ret_released = rc == BB_OK;
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_ruling_word(struct bb_kv *kv, const struct bb_hash *on, struct bb_arena *arena,
		   enum bb_word *ret_word, struct bb_text *ret_id)
{
	uint8_t from[KEY_MAX] = {0};
	struct bb_text at = key_of(from, 't', on, NULL), found, value, best_id = {NULL, 0};
	uint64_t best_ms = 0;
	struct bb_hash best = {{0}};
	struct bb_ruling ruling;
	int rc;

	*ret_word = BB_WORD_NONE;
	*ret_id = best_id;
	while ((rc = bb_kv_seek(kv, BB_TABLE_RULING, at, at.n == KEY_MAX, &found, &value)) ==
	       BB_OK) {
		struct bb_hash id;
		uint64_t time_ms;
		bool released;

		if (found.n != KEY_MAX || memcmp(found.p, from, 1 + BB_HASH_BYTES) != 0)
			break;
		memcpy(from, found.p, KEY_MAX);
		at = bb_text_bytes(from, KEY_MAX);
		time_ms = bb_key_read((const char *)from + 1 + BB_HASH_BYTES, 8);
		memcpy(id.b, from + 9 + BB_HASH_BYTES, BB_HASH_BYTES);
		value = bb_arena_copy(arena, value);
		rc = is_released(kv, &id, &released);
		if (rc != BB_OK)
			return rc;
		if (released ||
		    (best_id.p && time_ms == best_ms && bb_text_compare(value, best_id) < 0))
			continue;
		best = id;
		best_ms = time_ms;
		best_id = value;
	}
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		return rc;
	if (!best_id.p)
		return BB_OK;
	rc = bb_ruling_by_hash(kv, &best, arena, &ruling);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	if (ruling.kind == BB_RULING_RELEASE)
		return BB_ECORRUPT;
	*ret_word = word_of[ruling.kind];
	*ret_id = ruling.id;
	return BB_OK;
}

int bb_ruling_of_ident(struct bb_kv *kv, const struct bb_hash *ident, struct bb_hash *cursor)
{
	uint8_t from[KEY_MAX];
	struct bb_text found, value;
	int rc = bb_kv_seek(kv, BB_TABLE_RULING, key_of(from, 'e', ident, cursor), true, &found,
			    &value);

	if (rc != BB_OK)
		return rc;
	if (found.n != 1 + 2 * BB_HASH_BYTES || memcmp(found.p, from, 1 + BB_HASH_BYTES) != 0)
		return BB_ENOTFOUND;
	memcpy(cursor->b, found.p + 1 + BB_HASH_BYTES, BB_HASH_BYTES);
	return BB_OK;
}

/* --- readers ---------------------------------------------------------------------------------- */

static int describe(struct bb_kv *kv, const struct bb_profile_key *key, struct bb_arena *arena,
		    struct bb_ruling_row *row)
{
	struct bb_hash id = bb_ruling_hash_id(key, row->ruling.id), on;
	enum bb_word word;
	struct bb_text holding;
	int rc = is_released(kv, &id, &row->released);

	row->holds = false;
	if (rc != BB_OK || row->ruling.kind == BB_RULING_RELEASE)
		return rc;
	on = hash_on(key, &row->ruling);
	rc = bb_ruling_word(kv, &on, arena, &word, &holding);
	row->holds = rc == BB_OK && holding.p && bb_text_equal(holding, row->ruling.id);
	return rc;
}

int bb_ruling_get(struct bb_kv *kv, const struct bb_profile_key *key, struct bb_text id,
		  struct bb_arena *arena, struct bb_ruling_row *ret_row)
{
	struct bb_hash id_hash = bb_ruling_hash_id(key, id);
	int rc = bb_ruling_by_hash(kv, &id_hash, arena, &ret_row->ruling);

	return rc == BB_OK ? describe(kv, key, arena, ret_row) : rc;
}

int bb_ruling_next(struct bb_kv *kv, const struct bb_profile_key *key,
		   struct bb_ruling_cursor *cursor, struct bb_arena *arena,
		   struct bb_ruling_row *ret_row)
{
	struct bb_text from = cursor->n ? bb_text_bytes(cursor->last, cursor->n) : BB_TEXT("r"),
		       found, value;
	int rc = bb_kv_seek(kv, BB_TABLE_RULING, from, cursor->n > 0, &found, &value);

	if (rc != BB_OK)
		return rc;
	if (found.n != 1 + BB_HASH_BYTES || found.p[0] != 'r')
		return BB_ENOTFOUND;
	memcpy(cursor->last, found.p, found.n);
	cursor->n = found.n;
	if (!decode(value, arena, &ret_row->ruling))
		return BB_ECORRUPT;
	return describe(kv, key, arena, ret_row);
}
