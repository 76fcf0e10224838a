/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How two stores of the same records differ: by ids, as each id is the hash of an identifier and so
 * leads somewhere in either. An id that is nobody's any more went where its identifier is now; an
 * id that is new came from where its identifier was.
 */
#include <backbone/adopt.h>

#include "adopt.h"
#include "rows.h"

int bb_adopt_next(struct bb_adopt_walk *walk, struct bb_text *ret_key, struct bb_text *ret_value)
{
	struct bb_text from = walk->n ? bb_text_bytes(walk->key, walk->n) : bb_text_bytes("\0", 1);
	int rc = bb_kv_seek(walk->kv, walk->table, from, walk->n > 0, ret_key, ret_value);

	if (rc != BB_OK)
		return rc;
	if (ret_key->n > sizeof(walk->key))
		return BB_ECORRUPT;
	memcpy(walk->key, ret_key->p, ret_key->n);
	walk->n = ret_key->n;
	return BB_OK;
}

int bb_adopt_next_id(struct bb_adopt_walk *walk, struct bb_hash *ret_id)
{
	struct bb_text key, value;
	int rc;

	while ((rc = bb_adopt_next(walk, &key, &value)) == BB_OK) {
		struct bb_cursor cur = bb_cursor_of(value);

		if (key.n != 12)
			return BB_ECORRUPT;
		if (bb_key_read(key.p + 8, 4))
			continue;
		*ret_id = bb_get_hash(&cur);
		return cur.bad ? BB_ECORRUPT : BB_OK;
	}
	return rc;
}

/* The id of the profile that an id leads to. BB_ENOTFOUND: to nobody. */
static int lead(struct bb_kv *kv, const struct bb_hash *id, struct bb_hash *ret_id)
{
	uint8_t key[12];
	struct bb_text value;
	struct bb_cursor cur;
	uint64_t cluster;
	int rc = bb_kv_get(kv, BB_TABLE_IDENTIFIER, bb_text_bytes(id->b, BB_HASH_BYTES), &value);

	if (rc != BB_OK)
		return rc;
	cur = bb_cursor_of(value);
	if (!bb_rows_ident_cluster(&cur, &cluster))
		return BB_ECORRUPT;
	if (!cluster)
		return BB_ENOTFOUND;
	rc = bb_kv_get(kv, BB_TABLE_PROFILE, bb_rows_place_key(key, cluster, 0), &value);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_ECORRUPT : rc;
	cur = bb_cursor_of(value);
	*ret_id = bb_get_hash(&cur);
	return cur.bad ? BB_ECORRUPT : BB_OK;
}

struct compare {
	struct bb_kv *from, *to;
	void (*tell)(void *ctx, const struct bb_difference *difference);
	void *ctx;
};

static void tell(const struct compare *cmp, enum bb_difference_kind kind, const struct bb_hash *a,
		 const struct bb_hash *b)
{
	struct bb_difference difference = {.kind = kind, .a = *a};

	if (b)
		difference.b = *b;
	cmp->tell(cmp->ctx, &difference);
}

/* What became of an id that was somebody's, where it is nobody's now. */
struct fate {
	enum bb_difference_kind kind;
	struct bb_hash to; /* the id that its identifier leads to; zeros if GONE */
};

static int find_fate(const struct compare *cmp, const struct bb_hash *id, bool *ret_any,
		     struct fate *ret_fate)
{
	struct bb_hash now, was;
	int rc = lead(cmp->to, id, &now);

	*ret_any = false;
	if (rc == BB_ENOTFOUND) {
		*ret_any = true;
		*ret_fate = (struct fate){.kind = BB_DIFFERENCE_GONE};
		return BB_OK;
	}
	if (rc != BB_OK || bb_hash_equal(&now, id))
		return rc;
	/* the new id is of the same profile as before: a renaming, unless it was an id before */
	rc = lead(cmp->from, &now, &was);
	if (rc != BB_OK && rc != BB_ENOTFOUND)
		return rc;
	*ret_any = true;
	*ret_fate =
		(struct fate){.kind = rc == BB_OK && bb_hash_equal(&was, id) ? BB_DIFFERENCE_RENAMED
									     : BB_DIFFERENCE_MERGED,
			      .to = now};
	return BB_OK;
}

static int compare_renamed(const struct compare *cmp, const struct bb_hash *id)
{
	struct fate fate;
	bool any;
	int rc = find_fate(cmp, id, &any, &fate);

	if (rc == BB_OK && any && fate.kind == BB_DIFFERENCE_RENAMED)
		tell(cmp, fate.kind, &fate.to, id);
	return rc;
}

static int compare_ended(const struct compare *cmp, const struct bb_hash *id)
{
	struct fate fate;
	bool any;
	int rc = find_fate(cmp, id, &any, &fate);

	if (rc == BB_OK && any && fate.kind != BB_DIFFERENCE_RENAMED)
		tell(cmp, fate.kind, id, &fate.to);
	return rc;
}

/* An id that is somebody's: it was before, or is a renaming that was told, or it is new. */
static int compare_new(const struct compare *cmp, const struct bb_hash *id)
{
	struct bb_hash was, now;
	int rc = lead(cmp->from, id, &was);

	if (rc == BB_ENOTFOUND) {
		tell(cmp, BB_DIFFERENCE_CREATED, id, NULL);
		return BB_OK;
	}
	if (rc != BB_OK || bb_hash_equal(&was, id))
		return rc;
	rc = lead(cmp->to, &was, &now);
	if ((rc == BB_OK && !bb_hash_equal(&now, id)) || rc == BB_ENOTFOUND)
		tell(cmp, BB_DIFFERENCE_SPLIT, id, &was);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int each_profile(const struct compare *cmp, struct bb_kv *kv,
			int (*visit)(const struct compare *cmp, const struct bb_hash *id))
{
	struct bb_adopt_walk walk = {.kv = kv, .table = BB_TABLE_PROFILE};
	struct bb_hash id;
	int rc;

	while ((rc = bb_adopt_next_id(&walk, &id)) == BB_OK) {
		rc = visit(cmp, &id);
		if (rc != BB_OK)
			return rc;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static void tell_identifier(const struct compare *cmp, enum bb_difference_kind kind,
			    const struct bb_ident_head *head, const struct bb_hash *hash)
{
	struct bb_difference difference = {.kind = kind, .a = *hash, .value = head->value};

	if (bb_names_read(cmp->from, BB_NAME_NAMESPACE, head->ns, &difference.ns) == BB_OK)
		cmp->tell(cmp->ctx, &difference);
}

static int compare_identifier(const struct compare *cmp, struct bb_text key, struct bb_text value)
{
	struct bb_ident_head old, new;
	struct bb_hash hash;
	int rc;

	if (key.n != BB_HASH_BYTES || !bb_rows_ident_head(value, &old))
		return BB_ECORRUPT;
	memcpy(hash.b, key.p, BB_HASH_BYTES);
	rc = bb_kv_get(cmp->to, BB_TABLE_IDENTIFIER, key, &value);
	if (rc == BB_ENOTFOUND)
		tell_identifier(cmp, BB_DIFFERENCE_DROPPED, &old, &hash);
	if (rc != BB_OK)
		return rc == BB_ENOTFOUND ? BB_OK : rc;
	if (!bb_rows_ident_head(value, &new))
		return BB_ECORRUPT;
	if (old.shared != new.shared)
		tell_identifier(cmp, new.shared ? BB_DIFFERENCE_SHARED : BB_DIFFERENCE_UNSHARED,
				&old, &hash);
	if (old.blocked != new.blocked)
		tell_identifier(cmp, new.blocked ? BB_DIFFERENCE_BLOCKED : BB_DIFFERENCE_UNBLOCKED,
				&old, &hash);
	return BB_OK;
}

int bb_adopt_compare_profiles(struct bb_kv *from, struct bb_kv *to,
			      void (*tell_one)(void *ctx, const struct bb_difference *difference),
			      void *ctx)
{
	struct compare cmp = {from, to, tell_one, ctx};
	int rc = each_profile(&cmp, to, compare_new);

	if (rc == BB_OK)
		rc = each_profile(&cmp, from, compare_renamed);
	return rc == BB_OK ? each_profile(&cmp, from, compare_ended) : rc;
}

int bb_adopt_compare(struct bb_kv *from, struct bb_kv *to,
		     void (*tell_one)(void *ctx, const struct bb_difference *difference), void *ctx)
{
	struct compare cmp = {from, to, tell_one, ctx};
	struct bb_adopt_walk walk = {.kv = from, .table = BB_TABLE_IDENTIFIER};
	struct bb_text key, value;
	int rc = bb_adopt_compare_profiles(from, to, tell_one, ctx);

	while (rc == BB_OK && (rc = bb_adopt_next(&walk, &key, &value)) == BB_OK)
		rc = compare_identifier(&cmp, key, value);
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

/* --- what would be lost ----------------------------------------------------------------------- */

enum { KEPT, GONE, GONE_AND_USED }; /* of a namespace, by its number in the store */

static int find_gone(struct bb_kv *kv, const struct bb_rules *rules, struct bb_buf *marks,
		     bool *ret_any)
{
	struct bb_text name;
	uint64_t id = 0;
	int rc;

	*ret_any = false;
	while ((rc = bb_names_read(kv, BB_NAME_NAMESPACE, id++, &name)) == BB_OK) {
		bool gone = bb_rules_namespace(rules, name) == BB_NS_UNKNOWN;

		bb_buf_byte(marks, gone ? GONE : KEPT);
		*ret_any |= gone;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

static int count_gone(struct bb_kv *kv, struct bb_buf *marks, uint64_t *count)
{
	struct bb_adopt_walk walk = {.kv = kv, .table = BB_TABLE_IDENTIFIER};
	struct bb_ident_head head;
	struct bb_text key, value;
	int rc;

	while ((rc = bb_adopt_next(&walk, &key, &value)) == BB_OK) {
		if (!bb_rows_ident_head(value, &head) || head.ns >= marks->n)
			return BB_ECORRUPT;
		if (marks->p[head.ns] == KEPT)
			continue;
		marks->p[head.ns] = GONE_AND_USED;
		++*count;
	}
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}

int bb_adopt_dropped(struct bb_kv *from, const struct bb_rules *rules, struct bb_buf *names,
		     uint64_t *ret_count)
{
	struct bb_buf marks = BB_BUF_EMPTY;
	uint64_t count = 0;
	struct bb_text name;
	const char *comma = "";
	bool any;
	int rc = find_gone(from, rules, &marks, &any);

	if (rc == BB_OK && any)
		rc = count_gone(from, &marks, &count);
	for (size_t id = 0; rc == BB_OK && id < marks.n; id++) {
		if (marks.p[id] != GONE_AND_USED)
			continue;
		rc = bb_names_read(from, BB_NAME_NAMESPACE, id, &name);
		if (rc == BB_OK)
			bb_buf_printf(names, "%s%.*s", comma, (int)name.n, name.p);
		comma = ", ";
	}
	bb_buf_fini(&marks);
	if (rc == BB_OK)
		*ret_count = count;
	return rc;
}

int bb_adopt_total(struct bb_kv *from, uint64_t *ret_total)
{
	uint64_t clusters = 0;
	struct bb_text value;
	int rc = bb_kv_get(from, BB_TABLE_META, BB_TEXT("next_cluster"), &value);

	if (rc == BB_OK && value.n == 8)
		clusters = bb_key_read(value.p, 8);
	*ret_total =
		5 * clusters; /* a profile, its records, names of events, the ledger: a guess */
	return rc == BB_ENOTFOUND ? BB_OK : rc;
}
