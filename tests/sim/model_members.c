/* SPDX-License-Identifier: Apache-2.0 */
/* Who is with whom: the identifiers of the lines, by strength, each with its group. */
#include "model_state.h"

size_t bb_model_members(const struct bb_rules *rules, const struct bb_model_lines *lines,
			struct bb_arena *arena, struct bb_model_member **ret_members)
{
	struct model model = {.rules = rules, .arena = arena};

	bb_model_read(&model, lines);
	bb_model_resolve(&model);
	*ret_members = bb_arena_zalloc(arena, (model.id_n + 1) * sizeof **ret_members);
	for (size_t i = 0; i < model.id_n; i++) {
		const struct model_identifier *id = &model.ids[i];

		(*ret_members)[i] = (struct bb_model_member){
			.id = {.ns = bb_text_of(id->ns->name), .value = id->value},
			.blocked = id->blocked,
			.shared = !id->blocked && id->shared,
			.group = id->blocked ? MODEL_NONE : id->group,
		};
	}
	return model.id_n;
}
