/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rulings hold: not void by an erasure of what they are on, not released, and the latest on
 * their pair or identifier. A release is for good, wherever it stands in the list.
 */
#include "model_state.h"

static unsigned ends_of(const struct bb_ruling *ruling)
{
	switch (ruling->kind) {
	case BB_RULING_JOIN:
	case BB_RULING_SPLIT:
		return 2;
	case BB_RULING_BLOCK:
	case BB_RULING_ALLOW:
		return 1;
	default:
		return 0;
	}
}

/* What an end is under the rules, as it came. */
static bool names_end(const struct bb_model_erasure *erasure, const struct bb_ruling *given,
		      unsigned end, const struct bb_rules *rules, struct bb_arena *arena)
{
	struct bb_text value;

	return bb_model_form(rules, &given->on[end], arena, &value) &&
	       bb_model_names(erasure->ids, erasure->id_n, given->on[end].ns, value);
}

bool bb_model_voids(const struct bb_model_lines *lines, const struct bb_ruling *ruling,
		    const struct bb_model_origin *origin, struct bb_arena *arena)
{
	for (size_t i = 0; i < lines->erasure_n; i++) {
		const struct bb_model_erasure *erasure = lines->erasures[i];
		size_t eras = origin && i < origin->known ? lines->era_n : 0;

		if (ruling->time_ms > erasure->time_ms)
			continue;
		for (unsigned k = 0; k < ends_of(ruling); k++) {
			if (bb_model_names(erasure->ids, erasure->id_n, ruling->on[k].ns,
					   ruling->on[k].value))
				return true;
			for (size_t e = 0; e < eras && lines->eras[e] != origin->rules; e++)
				if (names_end(erasure, origin->ruling, k, lines->eras[e], arena))
					return true;
		}
	}
	return false;
}

static bool is_released(const struct bb_ruling *ruling, const struct bb_ruling *const *rulings,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rulings[i]->kind == BB_RULING_RELEASE &&
		    bb_text_equal(rulings[i]->releases, ruling->id))
			return true;
	return false;
}

/* Of one id the first; void ones have left nothing. */
static size_t keep_valid(const struct bb_model_lines *lines, struct bb_arena *arena,
			 const struct bb_ruling **valid)
{
	size_t n = 0;

	for (size_t i = 0; i < lines->ruling_n; i++) {
		bool again = false;

		for (size_t k = 0; k < n; k++)
			again = again || bb_text_equal(valid[k]->id, lines->rulings[i]->id);
		if (!again &&
		    !bb_model_voids(lines, lines->rulings[i],
				    lines->ruling_origins ? &lines->ruling_origins[i] : NULL,
				    arena))
			valid[n++] = lines->rulings[i];
	}
	return n;
}

void bb_model_rule(struct model *model, const struct bb_model_lines *lines)
{
	const struct bb_ruling **valid =
		bb_arena_alloc(model->arena, lines->ruling_n * sizeof *valid);
	size_t n = keep_valid(lines, model->arena, valid);

	model->rulings = bb_arena_alloc(model->arena, n * sizeof *valid);
	for (size_t i = 0; i < n; i++)
		if (valid[i]->kind != BB_RULING_RELEASE && !is_released(valid[i], valid, n))
			model->rulings[model->ruling_n++] = valid[i];
}

static bool is_same(const struct bb_identifier *a, const struct bb_identifier *b)
{
	return bb_text_equal(a->ns, b->ns) && bb_text_equal(a->value, b->value);
}

static bool is_on(const struct bb_ruling *ruling, const struct bb_identifier *on, unsigned ends)
{
	if (ends_of(ruling) != ends)
		return false;
	if (ends == 1)
		return is_same(&ruling->on[0], &on[0]);
	return (is_same(&ruling->on[0], &on[0]) && is_same(&ruling->on[1], &on[1])) ||
	       (is_same(&ruling->on[0], &on[1]) && is_same(&ruling->on[1], &on[0]));
}

enum bb_ruling_kind bb_model_word(const struct model *model, const struct bb_identifier *on,
				  unsigned ends)
{
	const struct bb_ruling *latest = NULL;

	for (size_t i = 0; i < model->ruling_n; i++) {
		const struct bb_ruling *ruling = model->rulings[i];

		if (!is_on(ruling, on, ends))
			continue;
		if (!latest || ruling->time_ms > latest->time_ms ||
		    (ruling->time_ms == latest->time_ms &&
		     bb_text_compare(ruling->id, latest->id) > 0))
			latest = ruling;
	}
	return latest ? latest->kind : BB_RULING_KIND_COUNT;
}
