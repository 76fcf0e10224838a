/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keys of one map say together: what is missing where something else is said, what
 * excludes what, and where a default of the file comes in. One function a place; complaints are
 * at the map, or at the key that does not fit.
 */
#include <backbone/record.h>
#include <backbone/rules.h>
#include <backbone/ruling.h>

#include "compile.h"
#include "money.h"

typedef void check_fn(struct bb_compiler *c, const struct bb_yaml *node, void *target);

/* The node of a key, or the map itself. */
static const struct bb_yaml *at_key(const struct bb_yaml *map, const char *key)
{
	const struct bb_yaml *node = bb_yaml_get(map, key);

	return node ? node : map;
}

static void complain_key(struct bb_compiler *c, const struct bb_yaml *map, const char *key,
			 const char *message)
{
	size_t mark = bb_compile_enter(c, bb_text_of(key));

	bb_compile_complain(c, at_key(map, key), "%s", message);
	bb_compile_leave(c, mark);
}

static void check_canonical(struct bb_compiler *c, const struct bb_yaml *node)
{
	static const char *const fixed[] = {"channel", "columns",   "defaults", "events",
					    "tenant",  "otherwise", "header",	"delimiter"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (bb_yaml_get(node, fixed[i]))
			complain_key(c, node, fixed[i],
				     "not with format canonical: its events say everything "
				     "themselves");
	c->connector->channel = BB_TEXT("other");
}

/* What the fields of records are called, and what stands between them. */
static void check_records(struct bb_compiler *c, const struct bb_yaml *node,
			  struct bb_connector *connector)
{
	static const char *const keys[] = {"columns", "header", "delimiter"};
	bool records = bb_connector_has_records(connector);
	bool topics = connector->topics.n > 0 || connector->pattern.p;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (bb_yaml_get(node, keys[i]) && !records)
			complain_key(c, node, keys[i], "only with format tsv or csv");
	if (!records)
		return;
	if (bb_yaml_get(node, "delimiter") && connector->format == BB_FORMAT_TSV)
		complain_key(c, node, "delimiter", "only with format csv");
	else if (connector->delimiter.p &&
		 (connector->delimiter.n != 1 || strchr("\"\r\n", connector->delimiter.p[0])))
		complain_key(c, node, "delimiter",
			     "must be one character, e.g. ';', and no quote and no line end");
	if (!bb_yaml_get(node, "header"))
		connector->heading = !bb_yaml_get(node, "columns");
	if (bb_yaml_get(node, "columns"))
		return;
	if (!connector->heading)
		complain_key(c, node, "header",
			     "without a header line \"columns\" must say what the columns are "
			     "called");
	else if (topics)
		bb_compile_complain(c, node,
				    "\"columns\" is missing: records of a topic have no header "
				    "line that names them");
}

static void check_file(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	struct bb_connector *connector = target;

	if (connector->unwrap.n > 0 && connector->format != BB_FORMAT_JSON &&
	    connector->format != BB_FORMAT_QUERY)
		complain_key(c, node, "unwrap", "only with format json or query");
	if (connector->format == BB_FORMAT_CANONICAL) {
		check_canonical(c, node);
		return;
	}
	if (!bb_yaml_get(node, "channel"))
		bb_compile_complain(c, node,
				    "\"channel\" is missing: pos, web, social or another word");
	if (!bb_yaml_get(node, "events"))
		bb_compile_complain(c, node, "\"events\" is missing: rules that make events");
	check_records(c, node, connector);
}

static void check_unset(struct bb_compiler *c, const struct bb_yaml *node,
			const struct bb_event_plan *event)
{
	for (size_t i = 0; i < event->unset.n; i++) {
		const struct bb_expr *name = &event->unset.items[i];

		if (c->rules && name->kind == BB_EXPR_CONST &&
		    bb_rules_fold(c->rules, name->text) != BB_FOLD_LATEST)
			complain_key(c, node, "unset",
				     "only attributes of the rule `latest` can be unset");
	}
}

/* Whether one of the sources is this word. */
static bool may_be(const struct bb_exprs *kinds, enum bb_ruling_kind kind)
{
	bool may = false;

	for (size_t i = 0; i < kinds->n; i++)
		may |= kinds->items[i].kind == BB_EXPR_CONST &&
		       bb_text_equal(kinds->items[i].text, bb_text_of(bb_ruling_kind_text(kind)));
	return may;
}

/* Returns whether it is known which it is. */
static bool check_ruling_kinds(struct bb_compiler *c, const struct bb_yaml *node,
			       const struct bb_exprs *kinds)
{
	static const struct {
		enum bb_ruling_kind kind;
		const char *key, *message;
	} rows[] = {
		{BB_RULING_JOIN, "pair", "join needs a pair of identifiers"},
		{BB_RULING_SPLIT, "pair", "split needs a pair of identifiers"},
		{BB_RULING_BLOCK, "identifier", "block needs an identifier"},
		{BB_RULING_ALLOW, "identifier", "allow needs an identifier"},
		{BB_RULING_RELEASE, "releases", "release needs the id of what it releases"},
	};
	enum bb_ruling_kind kind;
	bool known = false;

	for (size_t i = 0; i < kinds->n; i++)
		if (kinds->items[i].kind == BB_EXPR_CONST &&
		    !bb_ruling_kind_of(kinds->items[i].text, &kind))
			complain_key(c, node, "ruling",
				     "must be join, split, block, allow or release, or a path to "
				     "one of these words");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!may_be(kinds, rows[i].kind))
			continue;
		known = true;
		if (!bb_yaml_get(node, rows[i].key))
			complain_key(c, node, rows[i].key, rows[i].message);
	}
	return known;
}

static void check_ruling(struct bb_compiler *c, const struct bb_yaml *node,
			 const struct bb_ruling_plan *plan)
{
	static const char *const facts[] = {"channel",	  "identify", "same",
					    "attributes", "spread",   "unset",
					    "amount",	  "consent",  "attributes_once"};

	bool known = check_ruling_kinds(c, node, &plan->kind);

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		if (bb_yaml_get(node, facts[i]))
			complain_key(c, node, facts[i], "not with `ruling`: a ruling is no event");
	if (plan->pair.n > 0 && plan->pair.n != 2)
		complain_key(c, node, "pair", "must be a list of two identifiers");
	if (plan->identifier.n > 1)
		complain_key(c, node, "identifier", "must be one identifier");
	if (!known && plan->pair.n == 0 && plan->identifier.n == 0 && plan->releases.n == 0)
		bb_compile_complain(c, node,
				    "the ruling is on nothing: it needs pair, identifier, or "
				    "releases");
}

static void check_no_ruling(struct bb_compiler *c, const struct bb_yaml *node)
{
	static const char *const keys[] = {"pair", "identifier", "releases", "actor", "reason"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (bb_yaml_get(node, keys[i]))
			complain_key(c, node, keys[i], "only with `ruling`");
	if (!bb_yaml_get(node, "type"))
		bb_compile_complain(c, node, "\"type\" is missing: what happened");
}

static void check_parse(struct bb_compiler *c, const struct bb_yaml *node)
{
	if (bb_yaml_get(node, "parse_json") && bb_yaml_get(node, "parse_query"))
		complain_key(c, node, "parse_query", "a text holds JSON or a query, not both");
}

static void check_event(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	struct bb_event_plan *event = target;

	check_parse(c, node);
	event->each_n = c->each_n;
	if (c->each_n > c->each_most)
		c->each_most = c->each_n;
	if (c->ups > c->ups_most)
		c->ups_most = c->ups;
	c->any_member |= c->in_member;
	c->each_n = 0;
	c->in_member = false;
	c->ups = c->whole;
	if (bb_yaml_get(node, "ruling")) {
		check_ruling(c, node, &event->ruling);
		return;
	}
	check_no_ruling(c, node);
	check_unset(c, node, event);
	if (bb_yaml_get(node, "identify") || bb_yaml_get(node, "same"))
		return;
	if (!bb_yaml_get(node, "amount"))
		bb_compile_complain(c, node,
				    "the event belongs to nobody: it needs identify, same, or an "
				    "amount with a key");
	else if (!bb_yaml_get(bb_yaml_get(node, "amount"), "key"))
		complain_key(c, node, "amount",
			     "without identify or same the amount needs a key, by which it finds "
			     "its owner");
}

static void check_zone(struct bb_compiler *c, const struct bb_yaml *node,
		       const struct bb_time_plan *plan)
{
	if (!plan->zone && !bb_yaml_get(node, "timezone") && !c->defaults.zone &&
	    bb_stamp_zoned(&plan->format) == BB_STAMP_LOCAL)
		complain_key(c, node, "format",
			     "such times name no zone: say `timezone` here or in `defaults`");
}

static void check_time(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	struct bb_time_plan *plan = target;
	bool whole = bb_yaml_get(node, "from") != NULL;
	bool date = bb_yaml_get(node, "date") != NULL, time = bb_yaml_get(node, "time") != NULL;

	if (whole ? date || time : !date || !time)
		bb_compile_complain(c, node, "a time has `from`, or `date` and `time`");
	if (!plan->zone)
		plan->zone = c->defaults.zone;
	if (!bb_yaml_get(node, "format"))
		return;
	if (date && plan->format.kind != BB_STAMP_ISO8601 && plan->format.kind != BB_STAMP_STRPTIME)
		complain_key(c, node, "format",
			     "date and time in two fields need iso8601 or strptime:FORMAT (for "
			     "both with a space between)");
	check_zone(c, node, plan);
}

/* Telephone numbers of the file's region, where the namespace has another one or none. */
static const struct bb_namespace *regional(struct bb_compiler *c, struct bb_text name)
{
	const struct bb_namespace *ns;
	struct bb_namespace *copy;
	uint16_t index;

	if (!c->rules || !name.p || !c->defaults.region.p)
		return NULL;
	index = bb_rules_namespace(c->rules, name);
	if (index == BB_NS_UNKNOWN)
		return NULL;
	ns = &c->rules->namespaces[index];
	if (ns->normaliser != BB_NORMALISE_PHONE)
		return NULL;
	copy = bb_arena_zalloc(c->arena, sizeof(*copy));
	bb_rules_namespace_defaults(copy, name.p, ns->owner, ns->durable);
	copy->normaliser = BB_NORMALISE_PHONE;
	copy->region = c->defaults.region.p;
	return copy;
}

static void check_identify(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	struct bb_identify_plan *plan = target;

	plan->regional = regional(c, plan->ns);
	if (plan->scope == BB_SCOPE_TENANT && !c->has_tenant)
		complain_key(c, node, "scope",
			     "the file does not say what the tenant is; add \"tenant\" at the top");
}

static void check_same(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	const struct bb_yaml *of = bb_yaml_get(node, "of");

	check_identify(c, node, target);
	if (of && (of->kind != BB_YAML_LIST || of->n < 2))
		complain_key(c, node, "of", "must be a list of at least two paths");
}

static void check_currency(struct bb_compiler *c, const struct bb_yaml *node,
			   struct bb_amount_plan *plan)
{
	struct bb_expr fixed = {.kind = BB_EXPR_CONST, .text = c->defaults.currency};

	for (size_t i = 0; i < plan->currency.n; i++) {
		const struct bb_expr *expr = &plan->currency.items[i];

		if (expr->kind == BB_EXPR_CONST && bb_money_exponent(expr->text) < 0)
			complain_key(c, node, "currency",
				     "no currency; write a path, or a code of ISO 4217 in three "
				     "capital letters, e.g. EUR");
	}
	if (fixed.text.p)
		BB_ARENA_PUSH(c->arena, plan->currency.items, plan->currency.n,
			      plan->currency.room) = fixed;
	else if (!bb_yaml_get(node, "currency"))
		bb_compile_complain(c, node, "\"currency\" is missing, here and in `defaults`");
}

static void check_amount(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	struct bb_amount_plan *plan = target;

	check_currency(c, node, plan);
	if (plan->kind == BB_MONEY_MAJOR && bb_yaml_get(node, "digits"))
		complain_key(c, node, "digits",
			     "only with kind minor: 12.50 says where its point is");
	if (!bb_yaml_get(node, "digits"))
		plan->digits = c->defaults.digits;
	if (bb_yaml_get(node, "part") && !bb_yaml_get(node, "key"))
		complain_key(c, node, "part", "needs a key: it is a part of what the key names");
}

static void check_word(struct bb_compiler *c, const struct bb_yaml *node, const char *key,
		       const struct bb_exprs *exprs)
{
	for (size_t i = 0; i < exprs->n; i++)
		if (exprs->items[i].kind == BB_EXPR_CONST &&
		    memchr(exprs->items[i].text.p, ':', exprs->items[i].text.n))
			complain_key(c, node, key, "a `:` is not allowed here");
}

static void check_consent(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	const struct bb_consent_plan *plan = target;

	check_word(c, node, "purpose", &plan->purpose);
	check_word(c, node, "channel", &plan->channel);
}

static void check_status(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	const struct bb_consent_plan *plan = target;

	if (!bb_yaml_get(node, "granted") && !bb_yaml_get(node, "denied"))
		bb_compile_complain(c, node,
				    "which values mean yes and which no: needs `granted`, "
				    "`denied`, or both");
	for (size_t i = 0; i < plan->granted.n; i++)
		for (size_t k = 0; k < plan->denied.n; k++)
			if (bb_text_equal(plan->granted.items[i], plan->denied.items[k]))
				bb_compile_complain(c, node, "\"%s\" cannot mean both",
						    plan->granted.items[i].p);
}

static void check_own_time(struct bb_compiler *c, const struct bb_yaml *node,
			   const struct bb_time_plan *at)
{
	static const char *const more[] = {"format", "timezone"};

	if (!bb_yaml_get(node, "at")) {
		for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
			if (bb_yaml_get(node, more[i]))
				complain_key(c, node, more[i], "only with `at`");
	} else if (!bb_yaml_get(node, "format")) {
		bb_compile_complain(c, node, "\"format\" is missing: the form of `at`");
	} else {
		check_zone(c, node, at);
	}
}

static void check_source(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	const struct bb_source_map *source = target;
	static const char *const kinds[] = {"const", "template", "from", "pick", "lookup", "sum"};
	int n = 0;

	if ((bb_yaml_get(node, "parse_json") || bb_yaml_get(node, "parse_query")) &&
	    !bb_yaml_get(node, "from")) {
		bb_compile_complain(c, node, "needs `from`: what is looked for in the text");
		return;
	}
	check_parse(c, node);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		n += bb_yaml_get(node, kinds[i]) != NULL;
	if (n != 1)
		bb_compile_complain(c, node,
				    "needs one of const, template, from, pick, lookup, sum");
	check_own_time(c, node, &source->at);
}

/* Where to look is in the message: a text of the file holds nothing. */
static void check_seek(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	const struct bb_seek *seek = target;

	for (size_t i = 0; i < seek->in.n; i++) {
		const struct bb_expr *in = &seek->in.items[i];

		if (in->kind == BB_EXPR_CONST || in->kind == BB_EXPR_META ||
		    in->kind == BB_EXPR_TEMPLATE)
			complain_key(c, node, "in", "must be a path, e.g. '$.fields'");
		else if (in->kind == BB_EXPR_PATH && in->path.up >= c->ups &&
			 bb_connector_has_records(c->connector))
			complain_key(c, node, "in",
				     "a column is a text: open it with parse_json first");
	}
}

static void check_sum(struct bb_compiler *c, const struct bb_yaml *node, void *target)
{
	check_seek(c, node, target);
	if ((bb_yaml_get(node, "key") != NULL) != (bb_yaml_get(node, "equals") != NULL))
		bb_compile_complain(c, node, "`key` and `equals` need each other");
}

static check_fn *const checks[BB_PLACE_COUNT] = {
	[BB_IN_FILE] = check_file,     [BB_IN_EVENT] = check_event,
	[BB_IN_TIME] = check_time,     [BB_IN_IDENTIFY] = check_identify,
	[BB_IN_SAME] = check_same,     [BB_IN_RULED] = check_identify,
	[BB_IN_AMOUNT] = check_amount, [BB_IN_CONSENT] = check_consent,
	[BB_IN_STATUS] = check_status, [BB_IN_SOURCE] = check_source,
	[BB_IN_PICK] = check_seek,     [BB_IN_LOOKUP] = check_seek,
	[BB_IN_SUM] = check_sum,
};

void bb_compile_check(struct bb_compiler *c, const struct bb_yaml *node, enum bb_place place,
		      void *target)
{
	if (checks[place])
		checks[place](c, node, target);
}
