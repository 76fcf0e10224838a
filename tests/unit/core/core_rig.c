/* SPDX-License-Identifier: Apache-2.0 */
/* The rig of core_rig.h. Whatever goes wrong in it fails the test at once. */
#include "core_rig.h"

void core_rig_init(struct core_rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	bb_rules_defaults(&rig->rules);
	bb_rules_namespace_defaults(&rig->ns[CORE_CRM], "crm", true, true);
	bb_rules_namespace_defaults(&rig->ns[CORE_CARD], "card", true, true);
	bb_rules_namespace_defaults(&rig->ns[CORE_MAIL], "mail", false, true);
	bb_rules_namespace_defaults(&rig->ns[CORE_PHONE], "phone", false, true);
	bb_rules_namespace_defaults(&rig->ns[CORE_DEV], "dev", false, false);
	for (int i = 0; i < CORE_NAMESPACES; i++)
		rig->ns[i].normaliser = BB_NORMALISE_NONE;
	rig->rules.namespaces = rig->ns;
	rig->rules.namespace_n = CORE_NAMESPACES;
	rig->rules.min_time_ms = 0;
	bb_arena_init(&rig->arena);
	core_rig_restart(rig);
}

void core_rig_restart(struct core_rig *rig)
{
	bb_pipeline_free(rig->pl);
	bb_viewer_free(rig->viewer);
	bb_kvmem_free(rig->mem);
	rig->kv = NULL;
	rig->mem = bb_kvmem_new();
	rig->pl = bb_pipeline_new(&rig->rules);
	rig->viewer = bb_viewer_new(&rig->rules);
}

void core_rig_fini(struct core_rig *rig)
{
	bb_pipeline_free(rig->pl);
	bb_viewer_free(rig->viewer);
	bb_kvmem_free(rig->mem);
	bb_arena_fini(&rig->arena);
	bb_buf_fini(&rig->buf);
}

static struct bb_identifier identifier(struct bb_text word)
{
	const char *colon = memchr(word.p, ':', word.n);

	cr_assert_not_null(colon);
	size_t ns_n = (size_t)(colon - word.p);

	return (struct bb_identifier){.ns = {word.p, ns_n},
				      .value = {colon + 1, word.n - ns_n - 1},
				      .ns_index = BB_NS_UNKNOWN};
}

static void add_word(struct core_rig *rig, struct bb_event *ev, struct bb_text word)
{
	const char *equal = memchr(word.p, '=', word.n);

	if (!equal) {
		BB_ARENA_PUSH(&rig->arena, ev->identifiers, ev->identifier_n, ev->identifier_room) =
			identifier(word);
		return;
	}
	size_t left = (size_t)(equal - word.p);

	BB_ARENA_PUSH(&rig->arena, ev->same, ev->same_n, ev->same_room) =
		(struct bb_same){{identifier((struct bb_text){word.p, left}),
				  identifier((struct bb_text){equal + 1, word.n - left - 1})}};
}

struct bb_event *core_event(struct core_rig *rig, int64_t time_ms, const char *ids)
{
	struct bb_event *ev = bb_arena_zalloc(&rig->arena, sizeof(*ev));
	struct bb_text text = bb_arena_copy(&rig->arena, bb_text_of(ids));

	ev->source = BB_TEXT("shop");
	ev->channel = BB_TEXT("pos");
	ev->type = BB_TEXT("sale");
	ev->id = bb_arena_printf(&rig->arena, "e%u", rig->number++);
	ev->time_ms = time_ms;
	ev->has_time = true;
	ev->log_ms = BB_NO_TIMESTAMP;
	for (size_t from = 0, i = 0; i <= text.n; i++) {
		if (i < text.n && text.p[i] != ' ')
			continue;
		if (i > from)
			add_word(rig, ev, (struct bb_text){text.p + from, i - from});
		from = i + 1;
	}
	return ev;
}

void core_attribute(struct core_rig *rig, struct bb_event *ev, const char *name, const char *text)
{
	BB_ARENA_PUSH(&rig->arena, ev->attributes, ev->attribute_n,
		      ev->attribute_room) = (struct bb_attribute){
		bb_text_of(name), {.kind = BB_VALUE_TEXT, .text = bb_text_of(text)}, BB_AT_EVENT};
}

void core_amount(struct bb_event *ev, const char *value, const char *key)
{
	ev->has_amount = true;
	ev->amount = (struct bb_amount){
		.value = bb_text_of(value), .currency = BB_TEXT("EUR"), .key = bb_text_of(key)};
}

enum bb_verdict core_apply(struct core_rig *rig, struct bb_event *ev)
{
	if (!rig->kv) {
		rig->kv = bb_kvmem_begin(rig->mem);
		bb_pipeline_begin(rig->pl, rig->kv);
	}
	switch (bb_gate(&rig->rules, ev, &rig->arena, &rig->refusal)) {
	case BB_GATE_REFUSED:
		return BB_VERDICT_DEAD;
	case BB_GATE_NO_IDENTIFIER:
		return BB_VERDICT_NO_IDENTIFIER;
	case BB_GATE_PASS:
		break;
	}
	return bb_pipeline_apply(rig->pl, ev, &rig->refusal);
}

int core_end(struct core_rig *rig)
{
	int rc = bb_pipeline_finish(rig->pl);

	if (rc == BB_OK)
		rc = bb_kvmem_commit(rig->kv);
	else
		bb_kvmem_abort(rig->kv);
	if (rc != BB_OK)
		bb_pipeline_abort(rig->pl);
	rig->kv = NULL;
	return rc;
}

void core_say(struct core_rig *rig, int64_t time_ms, const char *ids)
{
	cr_assert_eq(core_apply(rig, core_event(rig, time_ms, ids)), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(rig), BB_OK);
}

int core_find(struct core_rig *rig, const char *key, struct bb_found *ret_found)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	int rc = bb_viewer_find(rig->viewer, kv, bb_text_of(key), ret_found);

	bb_kvmem_abort(kv);
	return rc;
}

struct bb_text core_view(struct core_rig *rig, const char *key)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	const struct bb_view *view;
	struct bb_found found;
	int rc = bb_viewer_find(rig->viewer, kv, bb_text_of(key), &found);

	rig->buf.n = 0;
	if (rc == BB_OK) {
		cr_assert_eq(bb_viewer_fold(rig->viewer, kv, found.cluster, &view), BB_OK);
		bb_view_json(view, BB_VIEW_ALL, false, &rig->buf);
	} else {
		cr_assert_eq(rc, BB_ENOTFOUND, "%s", key);
	}
	bb_kvmem_abort(kv);
	return rc == BB_OK ? bb_buf_slice(&rig->buf) : (struct bb_text){NULL, 0};
}

bool core_has(struct bb_text view, const char *part)
{
	return view.p && memmem(view.p, view.n, part, strlen(part)) != NULL;
}

bool core_together(struct core_rig *rig, const char *a, const char *b)
{
	struct bb_found x, y;

	cr_assert_eq(core_find(rig, a, &x), BB_OK, "%s", a);
	cr_assert_eq(core_find(rig, b, &y), BB_OK, "%s", b);
	return x.cluster == y.cluster;
}

struct bb_digest core_digest(struct core_rig *rig)
{
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	struct bb_digest digest;

	cr_assert_eq(bb_viewer_digest(rig->viewer, kv, &digest), BB_OK);
	bb_kvmem_abort(kv);
	return digest;
}

struct bb_pipeline_stats core_stats(const struct core_rig *rig)
{
	struct bb_pipeline_stats stats;

	bb_pipeline_stats(rig->pl, &stats);
	return stats;
}
