/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults of namespaces and of the whole, and the three look-ups. */
#include <backbone/clock.h>
#include <backbone/event.h>
#include <backbone/rules.h>
#include <criterion/criterion.h>

Test(core, namespace_defaults)
{
	static const struct {
		const char *name;
		bool owner, durable;
		uint32_t per_profile, owners, links, devices, records;
	} rows[] = {
		{"customer", true, true, 1, BB_NO_LIMIT, 20, BB_NO_LIMIT, BB_NO_LIMIT},
		{"session_user", true, false, 1, BB_NO_LIMIT, 20, BB_NO_LIMIT, BB_NO_LIMIT},
		{"email", false, true, BB_NO_LIMIT, 5, 20, 1000, 5000},
		{"cookie", false, false, BB_NO_LIMIT, 1, 20, 1000, 5000},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *name = rows[i].name;
		struct bb_namespace ns;

		memset(&ns, 0xff, sizeof(ns));
		bb_rules_namespace_defaults(&ns, name, rows[i].owner, rows[i].durable);
		cr_expect_eq(ns.name, name);
		cr_expect_eq(ns.owner, rows[i].owner, "%s", name);
		cr_expect_eq(ns.durable, rows[i].durable, "%s", name);
		cr_expect_eq(ns.per_profile, rows[i].per_profile, "%s", name);
		cr_expect_eq(ns.owners, rows[i].owners, "%s", name);
		cr_expect_eq(ns.links, rows[i].links, "%s", name);
		cr_expect_eq(ns.devices, rows[i].devices, "%s", name);
		cr_expect_eq(ns.records, rows[i].records, "%s", name);
		cr_expect(ns.junk, "%s", name);
		cr_expect_eq(ns.prefer, BB_PREFER_NEWEST, "%s", name);
		cr_expect_eq(ns.normaliser, BB_NORMALISE_TRIM, "%s", name);
		cr_expect_null(ns.region, "%s", name);
		cr_expect_eq(ns.block_n + ns.derive_n, 0, "%s", name);
	}
}

Test(core, rules_defaults)
{
	struct bb_rules rules;
	int64_t min_time;

	memset(&rules, 0xff, sizeof(rules));
	bb_rules_defaults(&rules);
	cr_expect_eq(rules.namespace_n + rules.source_n + rules.attribute_n, 0);
	cr_expect_eq(rules.max_identifiers, 500);
	cr_expect_eq(rules.recent, 20);
	cr_expect_eq(rules.activity_days, 400);
	cr_expect_eq(rules.changes_max, 1000000);
	cr_expect_eq(rules.changes_age_ms, 30 * BB_DAY_MS);
	cr_expect_eq(rules.max_future_ms, 24 * BB_HOUR_MS);
	cr_expect_eq(rules.window_ms, 30 * BB_DAY_MS);
	cr_assert(bb_clock_parse_rfc3339(BB_TEXT("1990-01-01T00:00:00Z"), &min_time));
	cr_expect_eq(rules.min_time_ms, min_time);
	for (size_t i = 0; i < sizeof(rules.profile_key.b); i++)
		cr_expect_eq(rules.profile_key.b[i], 0, "byte %zu", i);
}

Test(core, namespace_is_found_by_its_whole_name)
{
	struct bb_namespace namespaces[4];
	struct bb_rules rules;
	static const struct {
		struct bb_text name;
		uint16_t index;
	} rows[] = {
		{BB_TEXT("email"), 0},
		{BB_TEXT("email_sha256"), 1},
		{BB_TEXT("e"), 2},
		{BB_TEXT("phone"), 3},
		{BB_TEXT("phon"), BB_NS_UNKNOWN},
		{BB_TEXT("phones"), BB_NS_UNKNOWN},
		{BB_TEXT("Phone"), BB_NS_UNKNOWN},
		{BB_TEXT("email_"), BB_NS_UNKNOWN},
		{BB_TEXT("e\0"), BB_NS_UNKNOWN},
		{BB_TEXT("\0"), BB_NS_UNKNOWN},
		{BB_TEXT(""), BB_NS_UNKNOWN},
	};

	bb_rules_defaults(&rules);
	cr_expect_eq(bb_rules_namespace(&rules, BB_TEXT("email")), BB_NS_UNKNOWN, "none at all");
	bb_rules_namespace_defaults(&namespaces[0], "email", false, true);
	bb_rules_namespace_defaults(&namespaces[1], "email_sha256", false, true);
	bb_rules_namespace_defaults(&namespaces[2], "e", false, true);
	bb_rules_namespace_defaults(&namespaces[3], "phone", false, true);
	rules.namespaces = namespaces;
	rules.namespace_n = 4;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(bb_rules_namespace(&rules, rows[i].name), rows[i].index, "row %zu", i);
}

Test(core, fold_rule_is_latest_where_none_is_named)
{
	static struct bb_attribute_rule attributes[] = {
		{"first_store", BB_FOLD_FIRST},
		{"points", BB_FOLD_SUM},
		{"tags", BB_FOLD_UNION},
	};
	struct bb_rules rules;

	bb_rules_defaults(&rules);
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("points")), BB_FOLD_LATEST, "no rules");
	rules.attributes = attributes;
	rules.attribute_n = 3;
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("first_store")), BB_FOLD_FIRST);
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("points")), BB_FOLD_SUM);
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("tags")), BB_FOLD_UNION);
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("tag")), BB_FOLD_LATEST);
	cr_expect_eq(bb_rules_fold(&rules, BB_TEXT("")), BB_FOLD_LATEST);
}

Test(core, trust_is_the_position_or_the_end)
{
	static const char *const sources[] = {"crm", "shop_till", "web"};
	struct bb_rules rules;

	bb_rules_defaults(&rules);
	cr_expect_eq(bb_rules_trust(&rules, BB_TEXT("crm")), 0, "none named");
	rules.sources = sources;
	rules.source_n = 3;
	cr_expect_eq(bb_rules_trust(&rules, BB_TEXT("crm")), 0);
	cr_expect_eq(bb_rules_trust(&rules, BB_TEXT("web")), 2);
	cr_expect_eq(bb_rules_trust(&rules, BB_TEXT("we")), 3);
	cr_expect_eq(bb_rules_trust(&rules, BB_TEXT("webs")), 3);
}
