/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list is a row of META, written when a pipeline first meets the store and the last entry is
 * not what its rules say; so it is read once a batch, and only where somebody was erased. An entry
 * is a description, from which rules are made again that are good for the gate's forms and nothing
 * else.
 *
 * Nothing fails but the store; an entry that cannot be read is BB_ECORRUPT.
 */
#include "forms.h"

#include <backbone/carry.h>
#include <backbone/gate.h>
#include <backbone/normalise.h>
#include <stdlib.h>

#include "codec.h"

/* --- an entry --------------------------------------------------------------------------------- */

/* Of what is blocked nothing is derived: only there it counts. */
static void describe_namespace(struct bb_buf *buf, const struct bb_namespace *ns)
{
	bb_put_text(buf, bb_text_of(ns->name));
	bb_put_u64(buf, ns->normaliser);
	bb_put_text(buf, bb_text_of(ns->region ? ns->region : ""));
	bb_put_u64(buf, ns->derive_n);
	if (!ns->derive_n)
		return;
	for (size_t i = 0; i < ns->derive_n; i++)
		bb_put_text(buf, bb_text_of(ns->derive[i]));
	bb_put_u64(buf, ns->junk ? BB_JUNK_VERSION : 0);
	bb_put_u64(buf, ns->block_n);
	for (size_t i = 0; i < ns->block_n; i++)
		bb_put_text(buf, bb_text_of(bb_pattern_text(ns->block[i])));
}

static void describe(struct bb_buf *buf, const struct bb_rules *rules)
{
	buf->n = 0;
	for (size_t i = 0; i < rules->namespace_n; i++)
		describe_namespace(buf, &rules->namespaces[i]);
}

static const char *get_name(struct bb_cursor *cur, struct bb_arena *arena)
{
	struct bb_text text = bb_get_text(cur);
	char *name = bb_arena_zalloc(arena, text.n + 1);

	if (text.n > 0)
		memcpy(name, text.p, text.n);
	return name;
}

static struct bb_pattern *get_pattern(struct bb_forms *forms, struct bb_cursor *cur)
{
	struct bb_pattern *pattern = NULL;
	struct bb_error err;

	if (bb_pattern_new(get_name(cur, &forms->arena), &pattern, &err) != BB_OK) {
		cur->bad = true;
		return NULL;
	}
	BB_ARENA_PUSH(&forms->arena, forms->patterns, forms->pattern_n, forms->pattern_room) =
		pattern;
	return pattern;
}

static void get_derived(struct bb_forms *forms, struct bb_cursor *cur, struct bb_namespace *ns)
{
	const char **derive = bb_arena_zalloc(&forms->arena, ns->derive_n * sizeof(*derive));
	struct bb_pattern **block;

	for (size_t i = 0; i < ns->derive_n; i++)
		derive[i] = get_name(cur, &forms->arena);
	ns->derive = derive;
	ns->junk = bb_get_u64(cur) != 0;
	ns->block_n = bb_get_count(cur);
	block = bb_arena_zalloc(&forms->arena, ns->block_n * sizeof(*block));
	for (size_t i = 0; i < ns->block_n && !cur->bad; i++)
		block[i] = get_pattern(forms, cur);
	ns->block = block;
}

static bool get_rules(struct bb_forms *forms, struct bb_text bytes, const struct bb_rules *now,
		      struct bb_rules *rules)
{
	static const char *const normalisers[] = {
#define X(name, text) text,
		BB_NORMALISERS(X)
#undef X
	};
	struct bb_cursor cur = bb_cursor_of(bytes);
	size_t room = 0;

	*rules = (struct bb_rules){.profile_key = now->profile_key};
	while (cur.p < cur.end && !cur.bad) {
		const char *name = get_name(&cur, &forms->arena), *region;
		uint64_t normaliser = bb_get_u64(&cur);
		struct bb_namespace *ns;

		if (normaliser >= sizeof(normalisers) / sizeof(normalisers[0]))
			return false;
		ns = &BB_ARENA_PUSH(&forms->arena, rules->namespaces, rules->namespace_n, room);
		bb_rules_namespace_defaults(ns, name, false, true);
		ns->normaliser = (enum bb_normaliser)normaliser;
		region = get_name(&cur, &forms->arena);
		ns->region = region[0] ? region : NULL;
		ns->derive_n = bb_get_count(&cur);
		if (ns->derive_n)
			get_derived(forms, &cur, ns);
	}
	return !cur.bad && rules->namespace_n <= BB_NAMESPACES_MAX;
}

/* --- the list --------------------------------------------------------------------------------- */

void bb_forms_init(struct bb_forms *forms)
{
	*forms = (struct bb_forms){.items = NULL};
	bb_arena_init(&forms->arena);
}

static void clear(struct bb_forms *forms)
{
	for (size_t i = 0; i < forms->pattern_n; i++)
		bb_pattern_free(forms->patterns[i]);
	forms->patterns = NULL;
	forms->pattern_n = forms->pattern_room = 0;
	forms->items = NULL;
	forms->n = 0;
	forms->bytes = (struct bb_text){NULL, 0};
}

void bb_forms_fini(struct bb_forms *forms)
{
	clear(forms);
	bb_arena_fini(&forms->arena);
}

/* The row; empty: there is none. */
static int read_row(struct bb_kv *kv, struct bb_text *ret_row)
{
	int rc = bb_kv_get(kv, BB_TABLE_META, BB_FORMS_KEY, ret_row);

	if (rc != BB_ENOTFOUND)
		return rc;
	*ret_row = (struct bb_text){"", 0};
	return BB_OK;
}

/* Whether the list ends with that entry. */
static int ends_with(struct bb_text row, struct bb_text entry, bool *ret_ends)
{
	struct bb_cursor cur = bb_cursor_of(row);
	struct bb_text last = {NULL, 0};

	while (cur.p < cur.end && !cur.bad)
		last = bb_get_text(&cur);
	*ret_ends = last.p && bb_text_equal(last, entry);
	return cur.bad ? BB_ECORRUPT : BB_OK;
}

int bb_forms_note(struct bb_kv *kv, const struct bb_rules *rules)
{
	struct bb_buf now = BB_BUF_EMPTY, list = BB_BUF_EMPTY;
	struct bb_text row;
	bool known = false;
	int rc = read_row(kv, &row);

	describe(&now, rules);
	if (rc == BB_OK)
		rc = ends_with(row, bb_buf_slice(&now), &known);
	if (rc == BB_OK && !known) {
		bb_buf_text(&list, row);
		bb_put_text(&list, bb_buf_slice(&now));
		rc = bb_kv_put(kv, BB_TABLE_META, BB_FORMS_KEY, bb_buf_slice(&list));
	}
	bb_buf_fini(&now);
	bb_buf_fini(&list);
	return rc;
}

static int read_list(struct bb_forms *forms, struct bb_text row, const struct bb_rules *rules)
{
	struct bb_buf now = BB_BUF_EMPTY;
	struct bb_cursor cur;
	size_t room = 0;
	bool good = true;

	clear(forms);
	bb_arena_reset(&forms->arena);
	forms->bytes = bb_arena_copy(&forms->arena, row);
	describe(&now, rules);
	cur = bb_cursor_of(forms->bytes);
	while (cur.p < cur.end && good) {
		struct bb_text entry = bb_get_text(&cur);

		good = !cur.bad;
		if (good && (cur.p < cur.end || !bb_text_equal(entry, bb_buf_slice(&now))))
			good = get_rules(
				forms, entry, rules,
				&BB_ARENA_PUSH(&forms->arena, forms->items, forms->n, room));
	}
	bb_buf_fini(&now);
	if (!good)
		clear(forms);
	return good ? BB_OK : BB_ECORRUPT;
}

int bb_forms_load(struct bb_forms *forms, struct bb_kv *kv, const struct bb_rules *rules)
{
	struct bb_text row;
	int rc = read_row(kv, &row);

	if (rc != BB_OK || (forms->bytes.p && bb_text_equal(row, forms->bytes)))
		return rc;
	return read_list(forms, row, rules);
}

static bool begins_with(struct bb_text text, struct bb_text start)
{
	return text.n >= start.n && (start.n == 0 || memcmp(text.p, start.p, start.n) == 0);
}

/* Before what is there. */
static int put_before(struct bb_kv *to, struct bb_text theirs)
{
	struct bb_buf list = BB_BUF_EMPTY;
	struct bb_text ours;
	int rc = read_row(to, &ours);

	if (rc == BB_OK && !begins_with(ours, theirs)) {
		bb_buf_text(&list, theirs);
		bb_buf_text(&list, ours);
		rc = bb_kv_put(to, BB_TABLE_META, BB_FORMS_KEY, bb_buf_slice(&list));
	}
	bb_buf_fini(&list);
	return rc;
}

int bb_forms_carry(struct bb_kv *from, struct bb_kv *to)
{
	struct bb_text theirs;
	int rc = read_row(from, &theirs);

	return rc == BB_OK ? put_before(to, theirs) : rc;
}

int bb_tombstone_forms(struct bb_kv *kv, struct bb_arena *arena, struct bb_text *ret_forms)
{
	struct bb_text row;
	int rc = read_row(kv, &row);

	if (rc == BB_OK)
		*ret_forms = bb_arena_copy(arena, row);
	return rc;
}

int bb_tombstone_take_forms(struct bb_kv *kv, struct bb_text forms)
{
	struct bb_rules none = {.namespaces = NULL};
	struct bb_forms read;
	int rc;

	bb_forms_init(&read);
	rc = read_list(&read, forms, &none) == BB_OK ? put_before(kv, forms) : BB_EINVAL;
	bb_forms_fini(&read);
	return rc;
}

/* --- lanes ------------------------------------------------------------------------------------ */

/* Which identifiers of the event became of one that was given. */
static uint32_t became(const struct bb_event *ev, const struct bb_identifier *ids, size_t n)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ev->identifier_n; k++)
			if (ev->identifiers[k].ns_index == ids[i].ns_index &&
			    bb_text_equal(ev->identifiers[k].value, ids[i].value))
				bits |= UINT32_C(1) << k;
	return bits;
}

/* False: it has no room for it, so the event was none. */
static bool add(struct bb_lane *lane, const struct bb_event *ev, const struct bb_identifier *id,
		uint32_t bits)
{
	struct bb_lane_id *found = lane->ids;

	for (; found < lane->ids + lane->n; found++)
		if (found->id.ns_index == id->ns_index && bb_text_equal(found->id.value, id->value))
			break;
	if (found == lane->ids + BB_EVENT_IDENTIFIERS_MAX)
		return false;
	if (found == lane->ids + lane->n) {
		*found = (struct bb_lane_id){.id = *id};
		lane->n++;
	}
	for (size_t k = 0; k < ev->identifier_n; k++)
		if (bits >> k & 1 && bb_text_equal(ev->identifiers[k].ns, id->ns))
			found->now |= UINT32_C(1) << k;
	return true;
}

static int by_strength(const void *a, const void *b)
{
	const struct bb_identifier *x = &((const struct bb_lane_id *)a)->id,
				   *y = &((const struct bb_lane_id *)b)->id;

	return x->ns_index != y->ns_index ? (int)x->ns_index - (int)y->ns_index
					  : bb_text_compare(x->value, y->value);
}

static bool fill(struct bb_lane *lane, const struct bb_rules *now, const struct bb_event *ev,
		 struct bb_arena *arena)
{
	const struct bb_identifier *given = ev->given ? ev->given : ev->identifiers;
	size_t given_n = ev->given ? ev->given_n : ev->identifier_n;
	struct bb_identifier ids[BB_GATE_FORMS_MAX];

	for (size_t i = 0; i < given_n; i++) {
		size_t n = bb_gate_forms(now, &given[i], arena, ids);
		uint32_t bits = became(ev, ids, n);

		n = bb_gate_forms(lane->rules, &given[i], arena, ids);
		for (size_t k = 0; k < n; k++)
			if (!add(lane, ev, &ids[k], bits))
				return false;
	}
	if (!lane->n)
		return ev->has_amount && ev->amount.key.p;
	qsort(lane->ids, lane->n, sizeof(lane->ids[0]), by_strength);
	for (size_t i = 0; i < lane->n; i++)
		lane->ids[i].hash = bb_hash_identifier(&now->profile_key, lane->ids[i].id.ns,
						       lane->ids[i].id.value);
	return true;
}

struct bb_lane **bb_forms_lanes(const struct bb_forms *forms, const struct bb_rules *now,
				const struct bb_event *ev, struct bb_arena *arena, size_t *ret_n)
{
	struct bb_lane **lanes = bb_arena_alloc(arena, (forms->n + 1) * sizeof(struct bb_lane *));

	*ret_n = 0;
	for (size_t i = 0; i <= forms->n; i++) {
		struct bb_lane *lane = bb_arena_zalloc(arena, sizeof(*lane));

		lane->rules = i < forms->n ? &forms->items[i] : now;
		lane->at = i;
		if (fill(lane, now, ev, arena))
			lanes[(*ret_n)++] = lane;
	}
	return lanes;
}
