/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the fields of samples become part of a draft: first the list whose elements are events,
 * then for each key the field that fits best, or all that do in the order they should be tried.
 * Only fields that a path can lead to are chosen. Cannot fail: where nothing fits there is none.
 */
#include "suggest_choose.h"

#define EACH_MAX 8 /* [*] in one `each` */

/* --- places ----------------------------------------------------------------------------------- */

static bool steps_equal(const struct bb_text *a, const struct bb_text *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!a[i].p != !b[i].p || !bb_text_equal(a[i], b[i]))
			return false;
	return true;
}

/* Steps up to the innermost list, that one included. */
size_t bb_choose_list_steps(const struct bb_field *field)
{
	size_t n = field->step_n;

	while (n > 0 && field->steps[n - 1].p)
		n--;
	return field->is_header ? 0 : n;
}

size_t bb_choose_lists_in(const struct bb_text *steps, size_t n)
{
	size_t lists = 0;

	for (size_t i = 0; i < n; i++)
		lists += steps[i].p == NULL;
	return lists;
}

bool bb_choose_is_writable(struct bb_text name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ' || strchr("'\"\\{}", name.p[i]))
			return false;
	return name.n > 0;
}

bool bb_choose_all_writable(const struct bb_text *steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (steps[i].p && !bb_choose_is_writable(steps[i]))
			return false;
	return true;
}

/* Whether a source can lead there from the elements that are events. */
bool bb_choose_is_in_reach(const struct bb_draft *d, const struct bb_field *field)
{
	size_t n = bb_choose_list_steps(field);

	return bb_choose_all_writable(field->steps, field->step_n) && n <= d->each_n &&
	       steps_equal(field->steps, d->each, n);
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Whether both are members of the same object. */
static bool are_siblings(const struct bb_field *a, const struct bb_field *b)
{
	return a != b && !a->is_header && !b->is_header && a->step_n == b->step_n &&
	       steps_equal(a->steps, b->steps, a->step_n - 1);
}

/* Says of the type beside an identifier, if there is one, how many of its values are staff. */
static size_t staff_of(const struct bb_field *type)
{
	size_t n = 0;

	for (size_t i = 0; i < type->sample_n; i++)
		n += bb_guess_is_staff(type->samples[i]);
	return n;
}

const struct bb_field *bb_choose_type_beside(const struct bb_fields *fields,
					     const struct bb_field *field)
{
	for (size_t i = 0; i < fields->n; i++) {
		const struct bb_field *type = &fields->items[i];

		if (are_siblings(field, type) && bb_guess_is_role(type) && staff_of(type) > 0)
			return type;
	}
	return NULL;
}

struct bb_guess bb_choose_guess(const struct bb_fields *fields, const struct bb_field *field)
{
	struct bb_guess guess = bb_guess_field(field);
	const struct bb_field *type;

	if (guess.kind != BB_GUESS_IDENTIFIER)
		return guess;
	type = bb_choose_type_beside(fields, field);
	if (type && staff_of(type) == type->sample_n) {
		guess.kind = BB_GUESS_SOMEBODY;
		guess.reason = "the type beside it says admin, agent, bot or the like";
	}
	return guess;
}

/* Identifiers that stand directly in the elements of this list. */
static size_t identifiers_of(const struct bb_fields *fields, const struct bb_text *each, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < fields->n; i++) {
		const struct bb_field *field = &fields->items[i];

		if (!field->is_header && bb_choose_list_steps(field) == n &&
		    steps_equal(field->steps, each, n) &&
		    bb_choose_guess(fields, field).kind == BB_GUESS_IDENTIFIER)
			count++;
	}
	return count;
}

/* The messages, if somebody is named there; else the list whose elements name most; else the
 * elements of messages that are lists. */
void bb_choose_each(struct bb_draft *d)
{
	size_t most = 0;

	if (identifiers_of(d->fields, NULL, 0) > 0)
		return;
	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		size_t n = bb_choose_list_steps(field), count;

		if (n == 0 || !bb_choose_all_writable(field->steps, n) ||
		    bb_choose_lists_in(field->steps, n) > EACH_MAX)
			continue;
		count = identifiers_of(d->fields, field->steps, n);
		if (count <= most && !(d->each_n == 0 && !field->steps[0].p))
			continue;
		d->each = field->steps;
		d->each_n = count > 0 ? n : 1;
		most = count;
	}
}

/* In most of the events: what only some of them have is no type, id or time of all. */
static bool is_common(const struct bb_draft *d, const struct bb_field *field)
{
	size_t most = 0;

	for (size_t i = 0; i < d->fields->n; i++)
		if (d->fields->items[i].seen > most &&
		    bb_choose_is_in_reach(d, &d->fields->items[i]) &&
		    bb_choose_list_steps(&d->fields->items[i]) == bb_choose_list_steps(field))
			most = d->fields->items[i].seen;
	return 2 * field->seen >= most;
}

const struct bb_field *bb_choose_best(const struct bb_draft *d, bb_choose_score_fn *score,
				      bool of_all)
{
	const struct bb_field *found = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		unsigned n = bb_choose_is_in_reach(d, field) ? score(field) : 0;

		if (n > 0 && of_all && !is_common(d, field))
			n = 0;

		if (n > most)
			found = field;
		if (n > most)
			most = n;
	}
	return found;
}

/* The less the nearer: steps from one to the other. */
static size_t distance(const struct bb_field *a, const struct bb_field *b)
{
	size_t n = 0, least = a->step_n < b->step_n ? a->step_n : b->step_n;

	while (n + 1 < least && steps_equal(a->steps + n, b->steps + n, 1))
		n++;
	return a->step_n + b->step_n - 2 * n;
}

const struct bb_field *bb_choose_currency(const struct bb_draft *d, const struct bb_field *amount)
{
	const struct bb_field *found = NULL;

	for (size_t i = 0; amount && i < d->fields->n; i++) {
		const struct bb_field *field = &d->fields->items[i];
		size_t far = distance(field, amount);

		if (!bb_choose_is_in_reach(d, field) || !bb_guess_currency(field))
			continue;
		if (!found || far < distance(found, amount) ||
		    (far == distance(found, amount) &&
		     bb_guess_currency(field) > bb_guess_currency(found)))
			found = field;
	}
	return found;
}

/* Those of the customer first, those of an address last: it may be somebody else's. */
static unsigned rank_of(const struct bb_field *field)
{
	struct bb_suggest_words around = field->words;

	around.n = field->leaf;
	if (bb_words_any(&around, 0, "billing shipping delivery address addresses extra"))
		return 2;
	return around.n > 0 && !bb_words_any(&around, 0, "customer profile");
}

size_t bb_choose_guessed(const struct bb_draft *d, enum bb_guess_kind kind, const char *name,
			 const struct bb_field **ret_fields, const char **ret_reason)
{
	size_t n = 0;

	for (unsigned rank = 0; rank <= 2; rank++)
		for (size_t i = 0; i < d->fields->n && n < BB_CHOOSE_SOURCES_MAX; i++) {
			const struct bb_field *field = &d->fields->items[i];
			struct bb_guess guess;

			if (rank_of(field) != rank || !bb_choose_is_in_reach(d, field))
				continue;
			guess = bb_choose_guess(d->fields, field);
			if (guess.kind != kind || strcmp(guess.name, name) != 0)
				continue;
			if (n == 0)
				*ret_reason = guess.reason;
			ret_fields[n++] = field;
		}
	return n;
}
