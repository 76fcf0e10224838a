/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of order_rig.h. Whatever goes wrong in it fails the test at once. */
#include "order_rig.h"

static struct bb_identifier identifier(struct bb_text word)
{
	const char *colon = memchr(word.p, ':', word.n);

	cr_assert_not_null(colon, "%.*s", (int)word.n, word.p);
	size_t ns_n = (size_t)(colon - word.p);

	return (struct bb_identifier){.ns = {word.p, ns_n},
				      .value = {colon + 1, word.n - ns_n - 1},
				      .ns_index = BB_NS_UNKNOWN};
}

struct bb_ruling order_ruling(struct core_rig *rig, enum bb_ruling_kind kind, const char *id,
			      int64_t time_ms, const char *on)
{
	struct bb_ruling ruling = {.kind = kind,
				   .id = bb_arena_copy(&rig->arena, bb_text_of(id)),
				   .time_ms = time_ms,
				   .actor = BB_TEXT("steward"),
				   .reason = BB_TEXT("a test")};
	struct bb_text text = bb_arena_copy(&rig->arena, bb_text_of(on));
	const char *space = memchr(text.p, ' ', text.n);
	size_t left = space ? (size_t)(space - text.p) : text.n;

	if (kind == BB_RULING_RELEASE) {
		ruling.releases = text;
		return ruling;
	}
	cr_assert_eq(bb_ruling_ends(kind), space ? 2 : 1);
	ruling.on[0] = identifier((struct bb_text){text.p, left});
	if (space)
		ruling.on[1] = identifier((struct bb_text){space + 1, text.n - left - 1});
	return ruling;
}

enum bb_verdict order_apply(struct core_rig *rig, struct bb_ruling ruling)
{
	struct bb_ruling *kept = bb_arena_alloc(&rig->arena, sizeof(*kept));

	*kept = ruling;
	if (!rig->kv) {
		rig->kv = bb_kvmem_begin(rig->mem);
		bb_pipeline_begin(rig->pl, rig->kv);
	}
	cr_assert(bb_ruling_check(&rig->rules, kept, &rig->arena, &rig->refusal), "%.*s %.*s",
		  (int)rig->refusal.at.n, rig->refusal.at.p, (int)rig->refusal.detail.n,
		  rig->refusal.detail.p);
	return bb_pipeline_rule(rig->pl, kept, &rig->refusal);
}

void order_rule(struct core_rig *rig, enum bb_ruling_kind kind, const char *id, int day,
		const char *on)
{
	cr_assert_eq(order_apply(rig, order_ruling(rig, kind, id, CORE_T0 + day * BB_DAY_MS, on)),
		     BB_VERDICT_APPLIED, "%s", id);
	cr_assert_eq(core_end(rig), BB_OK, "%s", id);
}

int order_erase(struct core_rig *rig, const struct bb_erasure *order,
		struct bb_erasure_receipt *ret_receipt)
{
	int rc;

	cr_assert_null(rig->kv);
	rig->kv = bb_kvmem_begin(rig->mem);
	bb_pipeline_begin(rig->pl, rig->kv);
	rc = bb_pipeline_erase(rig->pl, order, &rig->arena, ret_receipt);
	if (rc == BB_OK)
		return core_end(rig);
	bb_kvmem_abort(rig->kv);
	bb_pipeline_abort(rig->pl);
	rig->kv = NULL;
	return rc;
}

struct bb_hash order_views(struct core_rig *rig)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	struct bb_hash sum = {{0}}, one;
	const struct bb_view *view;
	uint64_t cursor = 0, cluster;
	int rc;

	while ((rc = bb_viewer_next(rig->viewer, kv, &cursor, &cluster)) == BB_OK) {
		cr_assert_eq(bb_viewer_fold(rig->viewer, kv, cluster, &view), BB_OK);
		rig->buf.n = 0;
		bb_view_json(view, BB_VIEW_ALL, false, &rig->buf);
		struct bb_text text = bb_buf_slice(&rig->buf);

		one = bb_hash_parts(&rig->rules.profile_key, &text, 1);
		for (int i = 0; i < BB_HASH_BYTES; i++)
			sum.b[i] ^= one.b[i];
	}
	cr_assert_eq(rc, BB_ENOTFOUND);
	bb_kvmem_abort(kv);
	return sum;
}

const char *order_json(struct core_rig *rig, const struct bb_ruling *ruling)
{
	rig->buf.n = 0;
	bb_ruling_json(ruling, &rig->buf);
	bb_buf_byte(&rig->buf, '\0');
	return rig->buf.p;
}
