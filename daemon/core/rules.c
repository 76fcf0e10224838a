/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defaults and look-ups of the rules. The defaults are those that are safe for a newcomer; the
 * manual's reference is checked against them.
 *
 * Nothing fails: a name that is not there is BB_NS_UNKNOWN, `latest`, or the least trust.
 */
#include <backbone/clock.h>
#include <backbone/event.h>
#include <backbone/rules.h>
#include <stdlib.h>

#define DEFAULT_MAX_IDENTIFIERS 500
#define DEFAULT_RECENT 20
#define DEFAULT_ACTIVITY_DAYS 400
#define DEFAULT_MAX_FUTURE_MS BB_DAY_MS
#define DEFAULT_MIN_TIME_MS INT64_C(631152000000) /* 1990-01-01T00:00:00Z */
#define DEFAULT_WINDOW_MS (30 * BB_DAY_MS)
#define DEFAULT_CHANGES_MAX 1000000
#define DEFAULT_CHANGES_AGE_MS (30 * BB_DAY_MS)

#define DEFAULT_OWNERS 5
#define DEFAULT_OWNERS_DEVICE 1
#define DEFAULT_LINKS 20
#define DEFAULT_DEVICES 1000
#define DEFAULT_RECORDS 5000

void bb_rules_namespace_defaults(struct bb_namespace *ns, const char *name, bool owner,
				 bool durable)
{
	*ns = (struct bb_namespace){
		.name = name,
		.owner = owner,
		.durable = durable,
		.junk = true,
		.per_profile = owner ? 1 : BB_NO_LIMIT,
		.owners = durable ? DEFAULT_OWNERS : DEFAULT_OWNERS_DEVICE,
		.links = DEFAULT_LINKS,
		.devices = owner ? BB_NO_LIMIT : DEFAULT_DEVICES,
		.records = owner ? BB_NO_LIMIT : DEFAULT_RECORDS,
		.prefer = BB_PREFER_NEWEST,
		.normaliser = BB_NORMALISE_TRIM,
	};
	if (owner)
		ns->owners = BB_NO_LIMIT;
}

void bb_rules_defaults(struct bb_rules *rules)
{
	*rules = (struct bb_rules){
		.max_identifiers = DEFAULT_MAX_IDENTIFIERS,
		.recent = DEFAULT_RECENT,
		.activity_days = DEFAULT_ACTIVITY_DAYS,
		.max_future_ms = DEFAULT_MAX_FUTURE_MS,
		.min_time_ms = DEFAULT_MIN_TIME_MS,
		.window_ms = DEFAULT_WINDOW_MS,
		.changes_max = DEFAULT_CHANGES_MAX,
		.changes_age_ms = DEFAULT_CHANGES_AGE_MS,
	};
}

static bool name_equal(const char *name, struct bb_text text)
{
	return strnlen(name, text.n + 1) == text.n && memcmp(name, text.p, text.n) == 0;
}

/* There are a dozen or two: comparing first letters in order is faster than any hash. */
uint16_t bb_rules_namespace(const struct bb_rules *rules, struct bb_text name)
{
	if (name.n == 0)
		return BB_NS_UNKNOWN;
	for (size_t i = 0; i < rules->namespace_n; i++) {
		const char *candidate = rules->namespaces[i].name;

		if (candidate[0] == name.p[0] && name_equal(candidate, name))
			return (uint16_t)i;
	}
	return BB_NS_UNKNOWN;
}

static int compare_attribute(const void *key, const void *item)
{
	const struct bb_attribute_rule *rule = item;

	return bb_text_compare(*(const struct bb_text *)key, bb_text_of(rule->name));
}

enum bb_fold_rule bb_rules_fold(const struct bb_rules *rules, struct bb_text attribute)
{
	const struct bb_attribute_rule *rule = NULL;

	if (rules->attribute_n > 0)
		rule = bsearch(&attribute, rules->attributes, rules->attribute_n,
			       sizeof(*rules->attributes), compare_attribute);
	return rule ? rule->rule : BB_FOLD_LATEST;
}

size_t bb_rules_trust(const struct bb_rules *rules, struct bb_text source)
{
	for (size_t i = 0; i < rules->source_n; i++) {
		if (name_equal(rules->sources[i], source))
			return i;
	}
	return rules->source_n;
}
