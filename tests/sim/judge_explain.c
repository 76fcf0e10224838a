/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explanations, judged by brute force: for pairs of identifiers of a state, each thing that the
 * answer says would part or unite them is done to the lines or to the rules, and the model says
 * what comes of it. What is named must have its effect, what is said not to be enough must not be,
 * and what is said to leave them must leave them.
 *
 * A name that the answer has and the model has not is a mistake like any other.
 */
#include "judge_explain.h"

#include <backbone/assert.h>
#include <backbone/explain.h>
#include <backbone/normalise.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LATER_MS INT64_C(4102444800000) /* 2100: after every ruling of a case */
#define STEPS_MAX 64

struct judging {
	const struct bb_rules *rules;
	const struct bb_model_lines *lines;
	struct bb_explain_judged *judged;
	struct bb_buf *report;
	struct bb_arena *arena;
	struct bb_model_member *members;
	size_t n, a, b;
	const char *wrong; /* the first thing; NULL: nothing */
};

/* What is done to the lines and the rules. */
struct change {
	struct bb_rules rules;
	struct bb_model_lines lines;
	size_t ruled_n;
};

static bool holds(struct judging *j, bool is_so, const char *what)
{
	if (!is_so && !j->wrong)
		j->wrong = what;
	return is_so;
}

/* --- changes ---------------------------------------------------------------------------------- */

static struct change change_of(const struct judging *j)
{
	struct change change = {.rules = *j->rules, .lines = *j->lines};
	size_t bytes = j->rules->namespace_n * sizeof *j->rules->namespaces;

	change.rules.namespaces = bb_arena_alloc(j->arena, bytes);
	memcpy(change.rules.namespaces, j->rules->namespaces, bytes);
	change.lines.rulings = bb_arena_alloc(j->arena, (j->lines->ruling_n + STEPS_MAX) *
								sizeof *change.lines.rulings);
	if (j->lines->ruling_n)
		memcpy(change.lines.rulings, j->lines->rulings,
		       j->lines->ruling_n * sizeof *change.lines.rulings);
	change.lines.cuts = bb_arena_alloc(j->arena, STEPS_MAX * sizeof *change.lines.cuts);
	return change;
}

static void add_ruling(const struct judging *j, struct change *change, enum bb_ruling_kind kind,
		       const struct bb_identifier *a, const struct bb_identifier *b,
		       struct bb_text releases)
{
	struct bb_ruling *ruling = bb_arena_zalloc(j->arena, sizeof *ruling);

	bb_assert(change->ruled_n < STEPS_MAX);
	*ruling = (struct bb_ruling){
		.kind = kind, .time_ms = LATER_MS + (int64_t)change->ruled_n, .releases = releases};
	ruling->id = bb_arena_printf(j->arena, "~~%zu", change->ruled_n++);
	if (a)
		ruling->on[0] = *a;
	if (b)
		ruling->on[1] = *b;
	change->lines.rulings[change->lines.ruling_n++] = ruling;
}

static size_t resolve(const struct judging *j, const struct change *change,
		      struct bb_model_member **ret_members)
{
	return bb_model_members(&change->rules, &change->lines, j->arena, ret_members);
}

static bool are_one(const struct bb_model_member *members, size_t a, size_t b)
{
	return !members[a].blocked && members[a].group == members[b].group;
}

static bool unites(const struct judging *j, const struct change *change)
{
	struct bb_model_member *members;
	size_t n = resolve(j, change, &members);

	bb_assert(n == j->n); /* limits and rulings bring no identifiers */
	return are_one(members, j->a, j->b);
}

/* --- reading the answer ----------------------------------------------------------------------- */

static struct bb_text text_of(const json_t *value)
{
	return bb_text_bytes(json_string_value(value), json_string_length(value));
}

static bool is_key(const struct bb_identifier *id, struct bb_text key)
{
	return key.n == id->ns.n + 1 + id->value.n && memcmp(key.p, id->ns.p, id->ns.n) == 0 &&
	       key.p[id->ns.n] == ':' &&
	       memcmp(key.p + id->ns.n + 1, id->value.p, id->value.n) == 0;
}

static const struct bb_identifier *named(struct judging *j, const json_t *key)
{
	for (size_t i = 0; i < j->n; i++)
		if (json_is_string(key) && is_key(&j->members[i].id, text_of(key)))
			return &j->members[i].id;
	holds(j, false, "it names what is not there");
	return &j->members[0].id;
}

/* Whether a list of keys is these members, in their order; `most` are shown. */
static bool lists(const struct judging *j, const json_t *list, const bool *is_in)
{
	size_t at = 0;

	for (size_t i = 0; i < j->n; i++) {
		if (!is_in[i])
			continue;
		if (at < json_array_size(list) &&
		    !is_key(&j->members[i].id, text_of(json_array_get(list, at))))
			return false;
		at++;
	}
	return json_array_size(list) == (at < 100 ? at : 100);
}

/* --- parting ---------------------------------------------------------------------------------- */

static void judge_parting(struct judging *j, const json_t *answer)
{
	const json_t *said = json_object_get(answer, "change"),
		     *without = json_object_get(said, "without"),
		     *parts = json_object_get(said, "parts");
	struct change change = change_of(j), split = change_of(j);
	size_t n = json_array_size(without);

	holds(j, json_is_boolean(parts), "whether it parts them is not said");
	for (size_t i = 0; i < n; i++) {
		const json_t *link = json_array_get(without, i);

		holds(j, unites(j, &change), "fewer links are enough");
		change.lines.cuts[change.lines.cut_n++] = (struct bb_model_cut){
			.ends = {*named(j, json_object_get(link, "from")),
				 *named(j, json_object_get(link, "to"))},
			.join = strcmp(json_string_value(json_object_get(link, "kind")), "join") ==
				0};
	}
	holds(j, unites(j, &change) != json_is_true(parts), "without the links");
	holds(j, json_is_true(parts) || n == STEPS_MAX, "it knows no more links");
	holds(j, json_is_true(json_object_get(said, "alone")) == (n == 1 && json_is_true(parts)),
	      "alone");
	j->judged->without += n;
	add_ruling(j, &split, BB_RULING_SPLIT, &j->members[j->a].id, &j->members[j->b].id,
		   (struct bb_text){NULL, 0});
	holds(j, !unites(j, &split), "the model's split parts nobody");
	holds(j, json_is_true(json_object_get(json_object_get(said, "split"), "parts")), "split");
}

/* --- uniting ---------------------------------------------------------------------------------- */

/* Those who were with one of the two and are with neither then. */
static void judge_leaves(struct judging *j, const struct change *change, const json_t *way)
{
	bool *leaves = bb_arena_zalloc(j->arena, j->n);
	struct bb_model_member *then;
	size_t n = 0;

	resolve(j, change, &then);
	for (size_t i = 0; i < j->n; i++) {
		leaves[i] = (are_one(j->members, i, j->a) || are_one(j->members, i, j->b)) &&
			    !are_one(then, i, j->a);
		n += leaves[i];
	}
	holds(j, lists(j, json_object_get(way, "leaves"), leaves), "who leaves");
	holds(j, json_integer_value(json_object_get(way, "leaves_n")) == (json_int_t)n,
	      "how many leave");
}

static bool breaks_split(const json_t *witness)
{
	const json_t *breach;
	size_t i;

	json_array_foreach(witness, i, breach)
	{
		if (strcmp(json_string_value(json_object_get(breach, "limit")), "split") == 0)
			return true;
	}
	return false;
}

/* Whether what is said of a way, which the change is, is so. */
static void judge_way(struct judging *j, const struct change *change, const json_t *way,
		      const char *name)
{
	const json_t *said = json_object_get(way, "unites");
	bool is_so = unites(j, change);

	holds(j, json_is_boolean(said), "whether it unites them is not said");
	if (!holds(j, is_so == json_is_true(said), name))
		return;
	if (is_so)
		judge_leaves(j, change, way);
}

static void judge_join(struct judging *j, const json_t *join)
{
	struct change change = change_of(j);

	add_ruling(j, &change, BB_RULING_JOIN, &j->members[j->a].id, &j->members[j->b].id,
		   (struct bb_text){NULL, 0});
	judge_way(j, &change, join, "the join");
	j->judged->joins++;
}

static void rule(struct judging *j, struct change *change, const json_t *step)
{
	const char *word = json_string_value(json_object_get(step, "ruling"));
	const json_t *pair = json_object_get(step, "pair"), *key = json_object_get(step, "key");

	if (!holds(j, word != NULL, "a step that is no ruling"))
		return;
	if (strcmp(word, "release") == 0)
		add_ruling(j, change, BB_RULING_RELEASE, NULL, NULL,
			   text_of(json_object_get(step, "releases")));
	else if (strcmp(word, "allow") == 0)
		add_ruling(j, change, BB_RULING_ALLOW, named(j, key), NULL,
			   (struct bb_text){NULL, 0});
	else if (holds(j, strcmp(word, "join") == 0, "an unknown ruling"))
		add_ruling(j, change, BB_RULING_JOIN, named(j, json_array_get(pair, 0)),
			   named(j, json_array_get(pair, 1)), (struct bb_text){NULL, 0});
}

/* No fewer rulings are enough. */
static void judge_rulings(struct judging *j, const json_t *way)
{
	const json_t *steps = json_object_get(way, "steps"), *next = json_object_get(way, "next");
	struct change change = change_of(j);

	holds(j, json_array_size(steps) > 0, "rulings without a step");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		holds(j, !unites(j, &change), "fewer rulings are enough");
		rule(j, &change, json_array_get(steps, i));
	}
	judge_way(j, &change, way, "the rulings");
	if (json_is_false(json_object_get(way, "unites")))
		holds(j, json_is_object(next) && !breaks_split(json_object_get(next, "witness")),
		      "a ruling is left that could be released");
	j->judged->rulings++;
	j->judged->ruled += json_is_true(json_object_get(way, "unites"));
}

static uint32_t *limit_of(struct bb_rules *rules, const json_t *step)
{
	static const struct {
		const char *name;
		size_t offset;
	} limits[] = {{"per_profile", offsetof(struct bb_namespace, per_profile)},
		      {"owners", offsetof(struct bb_namespace, owners)},
		      {"links", offsetof(struct bb_namespace, links)},
		      {"devices", offsetof(struct bb_namespace, devices)},
		      {"records", offsetof(struct bb_namespace, records)}};
	const char *name = json_string_value(json_object_get(step, "limit"));
	uint16_t ns = bb_rules_namespace(rules, text_of(json_object_get(step, "ns")));

	if (name && strcmp(name, "max_identifiers") == 0)
		return &rules->max_identifiers;
	for (size_t i = 0; name && ns < rules->namespace_n && i < sizeof limits / sizeof limits[0];
	     i++)
		if (strcmp(limits[i].name, name) == 0)
			return (uint32_t *)((char *)&rules->namespaces[ns] + limits[i].offset);
	return NULL;
}

static void judge_limits(struct judging *j, const json_t *way)
{
	const json_t *steps = json_object_get(way, "steps"), *next = json_object_get(way, "next");
	struct change change = change_of(j);

	holds(j, json_array_size(steps) > 0, "limits without a step");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		uint32_t *limit = limit_of(&change.rules, step);
		json_int_t to = json_integer_value(json_object_get(step, "to"));

		if (!holds(j, limit != NULL, "an unknown limit"))
			return;
		holds(j, *limit == json_integer_value(json_object_get(step, "from")),
		      "a limit is not what it is said to be");
		holds(j, *limit < to, "a limit is not raised");
		*limit = (uint32_t)to;
	}
	judge_way(j, &change, way, "the limits");
	if (json_is_false(json_object_get(way, "unites")))
		holds(j, json_is_null(next) || breaks_split(json_object_get(next, "witness")),
		      "a limit is left that could be raised");
	j->judged->limits++;
	j->judged->raised += json_is_true(json_object_get(way, "unites"));
}

/* Whether a refused link of the answer is refused by limits alone. */
static bool has_limit(const json_t *answer)
{
	const json_t *refused = json_object_get(answer, "refused"), *link;
	size_t i;

	json_array_foreach(refused, i, link)
	{
		if (!breaks_split(json_object_get(link, "witness")))
			return true;
	}
	return false;
}

static void judge_uniting(struct judging *j, const json_t *answer)
{
	const json_t *said = json_object_get(answer, "change"),
		     *join = json_object_get(said, "join"),
		     *rulings = json_object_get(said, "rulings"),
		     *limits = json_object_get(said, "limits");
	const struct bb_model_member *a = &j->members[j->a], *b = &j->members[j->b];

	judge_join(j, join);
	holds(j, json_is_null(rulings) == json_is_true(json_object_get(join, "unites")),
	      "rulings where a join is enough, or none");
	if (json_is_object(rulings))
		judge_rulings(j, rulings);
	holds(j,
	      json_is_object(limits) ==
		      (!a->blocked && !b->blocked && (a->shared || b->shared || has_limit(answer))),
	      "limits where there are none, or not");
	if (json_is_object(limits))
		judge_limits(j, limits);
}

/* --- all of a state --------------------------------------------------------------------------- */

static bool ask(struct judging *j, struct bb_explainer *explainer, struct bb_kv *kv, bool is_pair,
		json_t **ret_answer, struct bb_buf *json)
{
	struct bb_text keys[2];
	int rc;

	for (int i = 0; i < 2; i++) {
		const struct bb_identifier *id = &j->members[i ? j->b : j->a].id;

		keys[i] = bb_arena_printf(j->arena, "%.*s:%.*s", (int)id->ns.n, id->ns.p,
					  (int)id->value.n, id->value.p);
	}
	json->n = 0;
	rc = is_pair ? bb_explain_pair(explainer, kv, keys[0], keys[1], json)
		     : bb_explain_why(explainer, kv, keys[0], json);
	*ret_answer = rc == BB_OK ? json_loadb(json->p, json->n, JSON_ALLOW_NUL, NULL) : NULL;
	if (!*ret_answer)
		bb_buf_printf(j->report, "explaining %.*s and %.*s: %s\n", (int)keys[0].n,
			      keys[0].p, (int)keys[1].n, keys[1].p, bb_error_text(rc));
	return *ret_answer != NULL;
}

static void judge_pair(struct judging *j, const json_t *answer)
{
	bool together = are_one(j->members, j->a, j->b);

	if (!holds(j, json_is_true(json_object_get(answer, "together")) == together, "together"))
		return;
	if (together)
		judge_parting(j, answer);
	else
		judge_uniting(j, answer);
	j->judged->pairs++;
}

/* Of one that is set aside: whom it would be with if it were allowed. */
static void judge_allow(struct judging *j, const json_t *answer)
{
	const json_t *allow = json_object_get(json_object_get(answer, "change"), "allow");
	const struct bb_model_member *one = &j->members[j->a];
	bool *with = bb_arena_zalloc(j->arena, j->n);
	struct change change = change_of(j);
	struct bb_model_member *then;

	if (!one->blocked && !one->shared) {
		holds(j, !json_object_get(answer, "change"), "a change of one that is not aside");
		return;
	}
	add_ruling(j, &change, BB_RULING_ALLOW, &one->id, NULL, (struct bb_text){NULL, 0});
	resolve(j, &change, &then);
	for (size_t i = 0; i < j->n; i++)
		with[i] = i != j->a && are_one(then, i, j->a);
	holds(j, json_is_object(allow) && lists(j, json_object_get(allow, "with"), with),
	      "whom it would be with");
	j->judged->allowed++;
}

static bool judge_answer(struct judging *j, struct bb_explainer *explainer, struct bb_kv *kv,
			 struct bb_buf *json)
{
	bool is_pair = j->a != j->b;
	json_t *answer;

	if (!ask(j, explainer, kv, is_pair, &answer, json))
		return false;
	if (is_pair)
		judge_pair(j, answer);
	else
		judge_allow(j, answer);
	json_decref(answer);
	if (j->wrong)
		bb_buf_printf(j->report, "an explanation is wrong (%s): %.*s\n", j->wrong,
			      (int)json->n, json->p);
	return !j->wrong;
}

/* What is kept in a form of other rules is not what one asks for by that text. */
static bool is_askable(const struct judging *j, const struct bb_identifier *id)
{
	uint16_t ns = bb_rules_namespace(j->rules, id->ns);
	struct bb_text value;

	return ns != BB_NS_UNKNOWN &&
	       bb_normalise(&j->rules->namespaces[ns], id->value, j->arena, &value) &&
	       bb_text_equal(value, id->value);
}

bool bb_judge_explanations(const struct bb_rules *rules, const struct bb_model_lines *lines,
			   struct bb_kv *kv, struct bb_random *random,
			   struct bb_explain_judged *judged, struct bb_buf *report)
{
	struct bb_explainer *explainer = bb_explainer_new(rules);
	struct judging j = {.rules = rules, .lines = lines, .judged = judged, .report = report};
	struct bb_buf json = BB_BUF_EMPTY;
	struct bb_arena kept, arena;
	bool ok = true;

	bb_arena_init(&kept);
	bb_arena_init(&arena);
	j.arena = &arena;
	j.n = bb_model_members(rules, lines, &kept, &j.members);
	for (size_t i = 0; ok && i < j.n * j.n; i++) {
		j.a = i / j.n;
		j.b = i % j.n;
		/* of many pairs some */
		if (j.n * j.n > BB_EXPLAIN_PAIRS &&
		    bb_random_below(random, j.n * j.n) >= BB_EXPLAIN_PAIRS)
			continue;
		if (!is_askable(&j, &j.members[j.a].id) || !is_askable(&j, &j.members[j.b].id))
			continue;
		ok = judge_answer(&j, explainer, kv, &json);
		bb_arena_reset(&arena);
	}
	bb_buf_fini(&json);
	bb_arena_fini(&arena);
	bb_arena_fini(&kept);
	bb_explainer_free(explainer);
	return ok;
}
