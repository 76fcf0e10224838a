/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values inside of lists and objects: `pick` takes the first usable value of the elements whose key
 * is asked for, `lookup` that of a member whose name is computed, `sum` adds up numbers, exactly.
 * Everything here is below the end of a path of the plan, and is read from the document as it is.
 *
 * Nothing fails: what is no list or no object, and an element without the key or the value, is
 * passed over. A sum over what is no number is no value, and the run remembers that there was one:
 * an amount must not lose it.
 */
#include "decimal.h"
#include "path.h"
#include "run.h"

#define SUM_DIGITS 40 /* before the point, and after it */
#define ASKED_MAX 3   /* words that people are told */

struct words {
	struct bb_text *items;
	size_t n;
};

/* The usable ones of some sources. */
static struct words words_of(struct bb_run *run, const struct bb_exprs *exprs)
{
	struct words words = {bb_arena_alloc(run->arena, exprs->n * sizeof(*words.items)), 0};
	const struct bb_trace *trace = run->trace;
	struct bb_found_value value;

	run->trace = NULL; /* words are no sources of the event */
	for (size_t i = 0; i < exprs->n; i++)
		if (bb_eval_source(run, &exprs->items[i], true, &value))
			words.items[words.n++] = value.text;
	run->trace = trace;
	return words;
}

static bool fits(const struct bb_seek *seek, struct words words, struct bb_frame element)
{
	struct bb_found_value key;

	if (seek->key.step_n == 0) /* a sum over all elements */
		return true;
	bb_eval_node(element.doc, bb_path_walk(element.doc, element.node, &seek->key), &key);
	for (size_t i = 0; bb_eval_is_single(&key) && i < words.n; i++)
		if (bb_text_equal(key.text, words.items[i]))
			return true;
	return false;
}

/* The first usable value of an element; without paths it is the element itself. */
static bool inside(struct bb_frame element, const struct bb_paths *paths, bool texts_only,
		   struct bb_found_value *ret)
{
	if (paths->n == 0) {
		bb_eval_node(element.doc, element.node, ret);
		return bb_eval_is_usable(ret, texts_only);
	}
	for (size_t i = 0; i < paths->n; i++) {
		bb_eval_node(element.doc, bb_path_walk(element.doc, element.node, &paths->items[i]),
			     ret);
		if (bb_eval_is_usable(ret, texts_only))
			return true;
	}
	return false;
}

struct bb_found_value bb_seek_pick(struct bb_run *run, const struct bb_seek *seek, bool texts_only)
{
	struct words words = words_of(run, &seek->equals);
	struct bb_found_value list, found;
	struct bb_frame element;

	for (size_t i = 0; i < seek->in.n; i++) {
		if (!bb_eval_source(run, &seek->in.items[i], false, &list) ||
		    list.kind != BB_FOUND_LIST)
			continue;
		for (size_t k = 0; k < bb_json_size(list.doc, list.node); k++, run->work++) {
			element = (struct bb_frame){.doc = list.doc,
						    .node = bb_json_item(list.doc, list.node, k)};
			if (fits(seek, words, element) &&
			    inside(element, &seek->value, texts_only, &found))
				return found;
		}
	}
	return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
}

struct bb_found_value bb_seek_lookup(struct bb_run *run, const struct bb_seek *seek,
				     bool texts_only)
{
	struct words names = words_of(run, &seek->equals);
	struct bb_found_value map, found;
	struct bb_frame member;

	for (size_t i = 0; i < seek->in.n; i++) {
		if (!bb_eval_source(run, &seek->in.items[i], false, &map) ||
		    map.kind != BB_FOUND_MAP)
			continue;
		for (size_t k = 0; k < names.n; k++) {
			member = (struct bb_frame){
				.doc = map.doc,
				.node = bb_json_member(map.doc, map.node, names.items[k])};
			if (inside(member, &seek->value, texts_only, &found))
				return found;
		}
	}
	return (struct bb_found_value){.kind = BB_FOUND_NOTHING};
}

/* How far a search came: there was something to look in, and what was asked for was in it. */
struct progress {
	bool any_place, any_fit;
};

static void look_again(struct bb_run *run, const struct bb_expr *expr, struct words words,
		       struct progress *ret)
{
	const struct bb_seek *seek = expr->seek;
	bool is_pick = expr->kind == BB_EXPR_PICK;
	struct bb_found_value place;

	for (size_t i = 0; i < seek->in.n; i++) {
		if (!bb_eval_source(run, &seek->in.items[i], false, &place) ||
		    place.kind != (is_pick ? BB_FOUND_LIST : BB_FOUND_MAP))
			continue;
		ret->any_place = true;
		for (size_t k = 0; is_pick && k < bb_json_size(place.doc, place.node); k++)
			ret->any_fit |= fits(
				seek, words,
				(struct bb_frame){.doc = place.doc,
						  .node = bb_json_item(place.doc, place.node, k)});
		for (size_t k = 0; !is_pick && k < words.n; k++)
			ret->any_fit |=
				bb_json_member(place.doc, place.node, words.items[k]) != NULL;
	}
}

/* `id = "1" or "2"` of elements, `"1" or "2"` of members. */
static void put_asked(struct bb_buf *buf, const struct bb_seek *seek, struct words words)
{
	for (size_t i = 0; i < seek->key.step_n; i++) {
		const struct bb_step *step = &seek->key.steps[i];

		if (step->kind == BB_STEP_NAME)
			bb_buf_printf(buf, "%s%.*s", i > 0 ? "." : "", (int)step->name.n,
				      step->name.p);
		else
			bb_buf_printf(buf, "[%lld]", (long long)step->index);
	}
	if (seek->key.step_n > 0)
		bb_buf_printf(buf, " = ");
	for (size_t i = 0; i < words.n && i < ASKED_MAX; i++) {
		bb_buf_printf(buf, "%s", i > 0 ? " or " : "");
		bb_buf_json(buf, words.items[i]);
	}
	if (words.n > ASKED_MAX)
		bb_buf_printf(buf, " or ...");
}

struct bb_text bb_seek_sought(struct bb_run *run, const struct bb_expr *expr)
{
	bool is_pick = expr->kind == BB_EXPR_PICK;
	struct words words = words_of(run, &expr->seek->equals);
	struct progress progress = {false, false};
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_text text;

	look_again(run, expr, words, &progress);
	if (words.n == 0)
		return BB_TEXT("what is looked for has no usable value");
	if (!progress.any_place)
		return is_pick ? BB_TEXT("there is no list to look in")
			       : BB_TEXT("there is no object to look in");
	bb_buf_printf(&buf,
		      is_pick ? (progress.any_fit ? "no usable value where " : "no element has ")
		      : progress.any_fit ? "no usable value in the member "
					 : "there is no member ");
	put_asked(&buf, expr->seek, words);
	text = bb_arena_copy(run->arena, bb_buf_slice(&buf));
	bb_buf_fini(&buf);
	return text;
}

/* A sum on its way. */
struct summing {
	const struct bb_seek *seek;
	struct words words;
	struct bb_decimal total;
	bool any; /* an element had a value */
};

static bool number_of(const struct bb_found_value *value, struct bb_decimal *ret)
{
	return (value->kind == BB_FOUND_NUMBER || value->kind == BB_FOUND_TEXT) &&
	       bb_decimal_read_text(value->text, ret);
}

/* Multiplies by the factor of an element, if it has one. False: it is no number. */
static bool multiply(const struct summing *s, struct bb_frame element, struct bb_decimal *term)
{
	struct bb_found_value value;
	struct bb_decimal factor;

	if (s->seek->times.n == 0 || !inside(element, &s->seek->times, false, &value))
		return true;
	return number_of(&value, &factor) && bb_decimal_multiply(term, &factor, term);
}

/* False: it is no number, or the sum becomes too long. */
static bool add_element(struct summing *s, struct bb_frame element)
{
	struct bb_found_value value;
	struct bb_decimal term;

	if (!fits(s->seek, s->words, element) || !inside(element, &s->seek->value, false, &value))
		return true;
	s->any = true;
	return number_of(&value, &term) && multiply(s, element, &term) &&
	       bb_decimal_add(&s->total, &term, &s->total);
}

static bool add_list(struct summing *s, const struct bb_found_value *list)
{
	struct bb_frame element = {.doc = list->doc};

	for (size_t i = 0; i < bb_json_size(list->doc, list->node); i++) {
		element.node = bb_json_item(list->doc, list->node, i);
		if (!add_element(s, element))
			return false;
	}
	return true;
}

struct bb_found_value bb_seek_sum(struct bb_run *run, const struct bb_seek *seek)
{
	struct summing s = {.seek = seek, .words = words_of(run, &seek->equals)};
	struct bb_found_value sum = {.kind = BB_FOUND_NOTHING}, list;
	bool ok = true;

	for (size_t i = 0; i < seek->in.n && !s.any; i++)
		if (bb_eval_source(run, &seek->in.items[i], false, &list) &&
		    list.kind == BB_FOUND_LIST) {
			ok = add_list(&s, &list);
			run->work += BB_RUN_WORK_ADD * bb_json_size(list.doc, list.node);
		}
	if (!s.any)
		return sum;
	if (ok && bb_decimal_write(&s.total, SUM_DIGITS, SUM_DIGITS, run->arena, &sum.text))
		sum.kind = BB_FOUND_NUMBER;
	else
		run->no_number = true;
	return sum;
}
