/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an erasure that is ordered now would name: of the profile that a key leads to, every
 * identifier, every record, and the amount keys that it has the last word on. An identifier is
 * *standing* if it stands for this person alone: an owner's; of the durable others one that never
 * came in a record with an owner's of somebody else. Something shared or blocked stands for nobody,
 * so no erasure begins there.
 */
#include "model_state.h"

static struct bb_identifier plain(const struct model *model, size_t x)
{
	const struct model_identifier *id = &model->ids[x];

	return (struct bb_identifier){
		.ns = bb_text_of(id->ns->name), .value = id->value, .ns_index = id->ns_index};
}

static bool is_called(const struct model *model, size_t x, struct bb_text key)
{
	struct bb_identifier id = plain(model, x);
	char name[BB_PROFILE_ID_BYTES];

	bb_hash_profile_id(&model->ids[x].hash, name);
	if (bb_text_equal(key, (struct bb_text){name, sizeof name}))
		return true;
	return key.n == id.ns.n + 1 + id.value.n && memcmp(key.p, id.ns.p, id.ns.n) == 0 &&
	       key.p[id.ns.n] == ':' &&
	       bb_text_equal((struct bb_text){key.p + id.ns.n + 1, id.value.n}, id.value);
}

static bool is_member(const struct model *model, size_t x, size_t group)
{
	return !model->ids[x].blocked && model->ids[x].group == group;
}

static bool comes_with(const struct model_event *e, size_t x)
{
	for (size_t i = 0; i < e->id_n; i++)
		if (e->ids[i] == x)
			return true;
	return false;
}

static bool is_standing(const struct model *model, size_t x, size_t group)
{
	if (model->ids[x].ns->owner)
		return true;
	if (!model->ids[x].ns->durable)
		return false;
	for (size_t r = 0; r < model->record_n; r++) {
		const struct model_event *e = model->records[r].events[0];

		for (size_t i = 0; comes_with(e, x) && i < e->id_n; i++)
			if (model->ids[e->ids[i]].ns->owner && !model->ids[e->ids[i]].blocked &&
			    !is_member(model, e->ids[i], group))
				return false;
	}
	return true;
}

static void name_identifiers(const struct model *model, size_t group,
			     struct bb_model_erasure *erasure)
{
	erasure->ids = bb_arena_alloc(model->arena, model->id_n * sizeof *erasure->ids);
	erasure->standing = bb_arena_alloc(model->arena, model->id_n);
	for (size_t x = 0; x < model->id_n; x++) {
		if (!is_member(model, x, group))
			continue;
		erasure->ids[erasure->id_n] = plain(model, x);
		erasure->standing[erasure->id_n++] = is_standing(model, x, group);
	}
}

static void name_records(const struct model *model, size_t group, struct bb_model_erasure *erasure)
{
	erasure->records = bb_arena_alloc(model->arena, model->record_n * sizeof *erasure->records);
	for (size_t r = 0; r < model->record_n; r++) {
		const struct model_event *e = model->records[r].events[0];
		struct bb_model_set set = {.source = e->ev->source, .n = e->id_n};

		if (model->records[r].anchor == MODEL_NONE ||
		    !is_member(model, model->records[r].anchor, group))
			continue;
		set.ids = bb_arena_alloc(model->arena, set.n * sizeof *set.ids);
		for (size_t i = 0; i < set.n; i++)
			set.ids[i] = plain(model, e->ids[i]);
		erasure->records[erasure->record_n++] = set;
	}
}

/* Also those that nothing without identifiers has come for yet: it may come late. */
static void name_keys(const struct model *model, size_t group, struct bb_model_erasure *erasure)
{
	erasure->keys = bb_arena_alloc(model->arena, model->event_n * sizeof *erasure->keys);
	for (size_t i = 0; i < model->event_n; i++) {
		const struct model_event *e = &model->events[i];
		bool again = false;

		if (!e->ev->has_amount || !e->ev->amount.key.p ||
		    bb_model_claimed_by(model, e) != group)
			continue;
		for (size_t k = 0; k < erasure->key_n; k++)
			again = again || (bb_text_equal(erasure->keys[k].source, e->ev->source) &&
					  bb_text_equal(erasure->keys[k].key, e->ev->amount.key));
		if (!again)
			erasure->keys[erasure->key_n++] =
				(struct bb_model_key){e->ev->source, e->ev->amount.key};
	}
}

int bb_model_erase(const struct bb_rules *rules, const struct bb_model_lines *lines,
		   struct bb_text key, struct bb_arena *arena, struct bb_model_erasure *ret_erasure)
{
	struct model model = {.rules = rules, .arena = arena};
	size_t x = 0, group;

	bb_model_read(&model, lines);
	bb_model_resolve(&model);
	while (x < model.id_n && !is_called(&model, x, key))
		x++;
	if (x == model.id_n)
		return BB_ENOTFOUND;
	if (model.ids[x].blocked)
		return BB_EACCESS;
	if (model.ids[x].shared)
		return BB_EINVAL;
	group = model.ids[x].group;
	name_identifiers(&model, group, ret_erasure);
	name_records(&model, group, ret_erasure);
	name_keys(&model, group, ret_erasure);
	return BB_OK;
}
