/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look-up finds the profile of a key in the snapshot, folds it and writes it. The snapshot is
 * begun by the first look-up of a turn and shared by the rest of it, so that a pipeline of commands
 * sees one state and pays for one transaction.
 *
 * Fails with the store's errors, which name no person; the turn goes on with an error reply. That a
 * key leads to nobody is an answer, not a failure: see bb_lookup_is_nobody.
 */
#include "lookup.h"

#include <backbone/assert.h>

int bb_lookup_init(struct bb_lookup *lookup, struct bb_store *store, size_t cache_bytes,
		   const struct bb_rules *rules)
{
	*lookup = (struct bb_lookup){.rules = rules};
	bb_cache_init(&lookup->cache, cache_bytes);
	int err = bb_store_reader_new(store, &lookup->reader);

	if (err == BB_OK)
		lookup->viewer = bb_viewer_new(rules);
	return err;
}

void bb_lookup_fini(struct bb_lookup *lookup)
{
	bb_assert(!lookup->kv);
	bb_viewer_free(lookup->viewer);
	bb_store_reader_free(lookup->reader);
	bb_cache_fini(&lookup->cache);
	*lookup = (struct bb_lookup){0};
}

/* The cache goes too: the store may have the same version under these rules. */
void bb_lookup_rules_set(struct bb_lookup *lookup, const struct bb_rules *rules)
{
	size_t cache_bytes = lookup->cache.bytes_max;

	bb_assert(!lookup->kv);
	bb_viewer_free(lookup->viewer);
	lookup->viewer = bb_viewer_new(rules);
	lookup->rules = rules;
	bb_cache_fini(&lookup->cache);
	bb_cache_init(&lookup->cache, cache_bytes);
}

int bb_lookup_begin(struct bb_lookup *lookup, struct bb_kv **ret_kv)
{
	if (!lookup->kv) {
		int err = bb_store_read_begin(lookup->reader, &lookup->kv);

		if (err != BB_OK) {
			lookup->kv = NULL;
			return err;
		}
		lookup->version = bb_store_read_version(lookup->reader);
	}
	*ret_kv = lookup->kv;
	return BB_OK;
}

void bb_lookup_end(struct bb_lookup *lookup)
{
	if (!lookup->kv)
		return;
	bb_store_read_end(lookup->reader);
	lookup->kv = NULL;
}

int bb_lookup_find(struct bb_lookup *lookup, struct bb_text key, struct bb_found *ret_found)
{
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	return err == BB_OK ? bb_viewer_find(lookup->viewer, kv, key, ret_found) : err;
}

int bb_lookup_view(struct bb_lookup *lookup, struct bb_text key, const struct bb_view **ret_view)
{
	struct bb_found found;
	int err = bb_lookup_find(lookup, key, &found);

	if (err != BB_OK)
		return err;
	return bb_viewer_fold(lookup->viewer, lookup->kv, found.cluster, ret_view);
}

int bb_lookup_owners(struct bb_lookup *lookup, struct bb_text key, struct bb_buf *buf)
{
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	return err == BB_OK ? bb_viewer_owners(lookup->viewer, kv, key, buf) : err;
}

int bb_lookup_json(struct bb_lookup *lookup, struct bb_text key, struct bb_buf *buf)
{
	const struct bb_view *view;
	size_t start = buf->n;
	struct bb_text kept;
	struct bb_kv *kv;
	int err = bb_lookup_begin(lookup, &kv);

	if (err != BB_OK)
		return err;
	kept = bb_cache_get(&lookup->cache, key, lookup->version);
	if (kept.p) {
		bb_buf_text(buf, kept);
		return kept.n ? BB_OK : BB_ENOTFOUND;
	}
	err = bb_lookup_view(lookup, key, &view);
	if (err == BB_ENOTFOUND) /* is as dear to find out, and as often asked */
		bb_cache_put(&lookup->cache, key, lookup->version, BB_TEXT(""));
	if (err != BB_OK)
		return err;
	bb_view_json(view, BB_VIEW_ALL, false, buf);
	bb_cache_put(&lookup->cache, key, lookup->version,
		     (struct bb_text){buf->p + start, buf->n - start});
	return BB_OK;
}

bool bb_lookup_is_nobody(const struct bb_lookup *lookup, int err, struct bb_text key)
{
	const char *colon = key.n > 0 ? memchr(key.p, ':', key.n) : NULL;
	struct bb_text ns;

	if (err != BB_EINVAL)
		return err == BB_ENOTFOUND || err == BB_EACCESS;
	ns = (struct bb_text){key.p, colon ? (size_t)(colon - key.p) : 0};
	return bb_rules_namespace(lookup->rules, ns) != BB_NS_UNKNOWN;
}

void bb_lookup_explain(const struct bb_lookup *lookup, struct bb_text key, struct bb_buf *buf)
{
	const char *colon = key.n > 0 ? memchr(key.p, ':', key.n) : NULL;
	const struct bb_rules *rules = lookup->rules;
	struct bb_text ns;

	if (!colon) {
		bb_buf_printf(buf, "not a key: expected namespace:value, or a profile id (p and 26 "
				   "letters and digits)");
		return;
	}
	ns = (struct bb_text){key.p, (size_t)(colon - key.p)};
	if (bb_rules_namespace(rules, ns) != BB_NS_UNKNOWN) {
		bb_buf_printf(buf, "not a key: the value is not a canonical one of namespace ");
		bb_buf_text(buf, ns);
		return;
	}
	bb_buf_printf(buf, "not a key: no such namespace; there are:");
	for (size_t i = 0; i < rules->namespace_n && i < 20; i++)
		bb_buf_printf(buf, "%s %s", i > 0 ? "," : "", rules->namespaces[i].name);
	if (rules->namespace_n > 20)
		bb_buf_printf(buf, ", ...");
}

static const char *const part_names[] = {
#define X(name, text) text,
	BB_VIEW_PARTS(X)
#undef X
};

static bool part_of(struct bb_text name, unsigned *parts)
{
	for (unsigned i = 0; i < BB_VIEW_PART_COUNT; i++) {
		if (bb_text_equal(name, bb_text_of(part_names[i]))) {
			*parts |= 1u << i;
			return true;
		}
	}
	return bb_text_equal(name, BB_TEXT("profile")); /* always there */
}

bool bb_lookup_parts(struct bb_text list, unsigned *ret_parts, struct bb_text *ret_bad)
{
	unsigned parts = 0;
	size_t from = 0;

	for (size_t i = 0; i <= list.n; i++) {
		if (i < list.n && list.p[i] != ',')
			continue;
		*ret_bad = (struct bb_text){list.p + from, i - from};
		if (!part_of(*ret_bad, &parts))
			return false;
		from = i + 1;
	}
	*ret_parts = parts;
	return true;
}

void bb_lookup_parts_list(struct bb_buf *buf)
{
	bb_buf_printf(buf, "profile");
	for (size_t i = 0; i < BB_VIEW_PART_COUNT; i++)
		bb_buf_printf(buf, ", %s", part_names[i]);
}
