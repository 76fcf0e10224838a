/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What explanations say of states that are easy to see through; every pair of random ones is in
 * test_explain_random.c.
 */
#include "core_rig.h"

#include <backbone/explain.h>
#include <backbone/normalise.h>
#include <stdio.h>

static int64_t day(int n)
{
	return CORE_T0 + n * BB_DAY_MS;
}

static void rule(struct core_rig *rig, const char *id, enum bb_ruling_kind kind, const char *a,
		 const char *b)
{
	struct bb_ruling ruling = {.kind = kind,
				   .id = bb_text_of(id),
				   .time_ms = CORE_T0,
				   .actor = BB_TEXT("ann"),
				   .reason = BB_TEXT("they called")};
	const char *keys[] = {a, b};

	for (unsigned i = 0; i < bb_ruling_ends(kind); i++) {
		size_t n = (size_t)(strchr(keys[i], ':') - keys[i]);

		ruling.on[i] = (struct bb_identifier){.ns = {keys[i], n},
						      .value = bb_text_of(keys[i] + n + 1),
						      .ns_index = BB_NS_UNKNOWN};
	}
	cr_assert(bb_ruling_check(&rig->rules, &ruling, &rig->arena, &rig->refusal));
	rig->kv = bb_kvmem_begin(rig->mem);
	bb_pipeline_begin(rig->pl, rig->kv);
	cr_assert_eq(bb_pipeline_rule(rig->pl, &ruling, &rig->refusal), BB_VERDICT_APPLIED);
	cr_assert_eq(core_end(rig), BB_OK);
}

/* The answer in rig->buf, terminated; b NULL: why. */
static int ask(struct core_rig *rig, const char *a, const char *b)
{
	struct bb_explainer *explainer = bb_explainer_new(&rig->rules);
	struct bb_kv *kv = bb_kvmem_begin(rig->mem);
	int rc;

	rig->buf.n = 0;
	bb_buf_printf(&rig->buf, "kept");
	rc = b ? bb_explain_pair(explainer, kv, bb_text_of(a), bb_text_of(b), &rig->buf)
	       : bb_explain_why(explainer, kv, bb_text_of(a), &rig->buf);
	cr_expect(rc == BB_OK || rig->buf.n == 4, "%s: half an answer is left", a);
	bb_buf_byte(&rig->buf, '\0');
	bb_kvmem_abort(kv);
	bb_explainer_free(explainer);
	return rc;
}

#define SAYS(rig, a, b, part)                                                                      \
	do {                                                                                       \
		int rc_ = ask((rig), (a), (b));                                                    \
		cr_expect(rc_ == BB_OK && strstr((rig)->buf.p, (part)), "%s: %d: no %s in %s",     \
			  (a), rc_, (part), (rig)->buf.p);                                         \
	} while (0)

Test(core, why_shows_the_tree_with_what_says_each_link)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(2), "crm:1 mail:a");
	core_say(&rig, day(3), "crm:1 phone:7");
	SAYS(&rig, "phone:7", NULL, "{\"key\":\"phone:7\",\"profile\":\"p");
	SAYS(&rig, "phone:7", NULL, "\"named_by\":\"crm:1\",\"identifiers\":3,\"tree\":[");
	SAYS(&rig, "phone:7", NULL,
	     "{\"from\":\"crm:1\",\"to\":\"mail:a\",\"kind\":\"link\",\"events\":2,"
	     "\"first_seen\":\"2026-01-02T00:00:00.000Z\","
	     "\"last_seen\":\"2026-01-03T00:00:00.000Z\",\"records\":[{\"source\":\"shop\","
	     "\"events\":2,");
	SAYS(&rig, "phone:7", NULL, "\"refused\":[],\"refused_n\":0");
	core_rig_fini(&rig);
}

Test(core, why_takes_a_profile_id_of_today_or_an_old_one)
{
	struct bb_found found;
	struct core_rig rig;
	char old[BB_PROFILE_ID_BYTES + 1];

	core_rig_init(&rig);
	core_say(&rig, day(2), "mail:a");
	cr_assert_eq(core_find(&rig, "mail:a", &found), BB_OK);
	memcpy(old, found.id, sizeof(old));
	core_say(&rig, day(1), "mail:b");
	core_say(&rig, day(3), "crm:1 mail:a");
	core_say(&rig, day(3), "crm:1 mail:b");
	SAYS(&rig, old, NULL, "{\"key\":\"mail:a\",");
	SAYS(&rig, old, NULL, "\"named_by\":\"mail:b\",\"identifiers\":3");
	core_rig_fini(&rig);
}

Test(core, a_join_is_shown_with_who_said_it)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1=crm:2");
	core_say(&rig, day(1), "phone:7");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "phone:7");
	SAYS(&rig, "crm:1", NULL,
	     "\"from\":\"crm:1\",\"to\":\"crm:2\",\"kind\":\"join\",\"by\":\"same\",\"events\":1,");
	SAYS(&rig, "crm:1", NULL,
	     "\"kind\":\"join\",\"by\":\"ruling\",\"ruling\":{\"id\":\"r1\",\"ruling\":\"join\","
	     "\"time\":\"2026-01-01T00:00:00.000Z\",\"actor\":\"ann\",\"reason\":\"they called\"},"
	     "\"events\":0,\"records\":[],\"record_n\":0}");
	core_rig_fini(&rig);
}

Test(core, a_pair_together_has_its_chain_the_weakest_link_and_what_parts_it)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(2), "mail:a dev:d");
	SAYS(&rig, "dev:d", "crm:1", "\"a\":\"dev:d\",\"b\":\"crm:1\",\"together\":true");
	SAYS(&rig, "dev:d", "crm:1",
	     "\"weakest\":{\"from\":\"mail:a\",\"to\":\"dev:d\",\"kind\":\"link\"},"
	     "\"change\":{\"without\":[{\"from\":\"mail:a\",\"to\":\"dev:d\",\"kind\":\"link\"}],"
	     "\"parts\":true,\"alone\":true,\"split\":{\"parts\":true}}}");
	core_say(&rig, day(3), "crm:1 dev:d");
	SAYS(&rig, "dev:d", "crm:1", "\"parts\":true,\"alone\":false");
	SAYS(&rig, "crm:1", "crm:1", "\"chain\":[],\"weakest\":null,\"change\":null}");
	core_rig_fini(&rig);
}

Test(core, a_pair_apart_has_the_refused_link_and_its_witness)
{
	struct core_rig rig;

	core_rig_init(&rig);
	for (int i = 1; i <= 2; i++)
		core_say(&rig, day(i), "crm:1 mail:a");
	core_say(&rig, day(3), "crm:2 mail:a");
	SAYS(&rig, "crm:2", "mail:a", "\"together\":false");
	SAYS(&rig, "crm:2", "mail:a",
	     "\"why\":\"refused\",\"refused\":[{\"from\":\"crm:2\",\"to\":\"mail:a\"");
	SAYS(&rig, "crm:2", "mail:a",
	     "\"witness\":[{\"limit\":\"per_profile\",\"ns\":\"crm\",\"allowed\":1,\"needed\":2,"
	     "\"with_from\":[\"crm:2\"],\"with_to\":[\"crm:1\"]}]");
	SAYS(&rig, "crm:2", "mail:a",
	     "\"change\":{\"join\":{\"unites\":true,\"leaves\":[\"crm:1\"],\"leaves_n\":1}");
	SAYS(&rig, "crm:2", "crm:1",
	     "\"change\":{\"join\":{\"unites\":true,\"leaves\":[],\"leaves_n\":0}");
	core_rig_fini(&rig);
}

Test(core, a_split_is_a_witness_with_its_ruling)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "mail:a phone:7");
	rule(&rig, "r9", BB_RULING_SPLIT, "phone:7", "mail:a");
	SAYS(&rig, "mail:a", "phone:7",
	     "{\"limit\":\"split\",\"pair\":[\"mail:a\",\"phone:7\"],\"ruling\":{\"id\":\"r9\","
	     "\"ruling\":\"split\",\"time\":\"2026-01-01T00:00:00.000Z\",\"actor\":\"ann\","
	     "\"reason\":\"they called\"}}");
	core_rig_fini(&rig);
}

Test(core, the_largest_size_is_a_witness)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.rules.max_identifiers = 2;
	core_say(&rig, day(2), "crm:1 mail:a");
	core_say(&rig, day(1), "crm:1 phone:7");
	SAYS(&rig, "crm:1", "phone:7",
	     "\"witness\":[{\"limit\":\"max_identifiers\",\"allowed\":2,\"needed\":3}]");
	core_rig_fini(&rig);
}

Test(core, a_pair_without_a_link_has_no_evidence)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(1), "mail:b");
	SAYS(&rig, "mail:b", "crm:1", "\"why\":\"no_evidence\",\"refused\":[],\"refused_n\":0");
	SAYS(&rig, "mail:b", "crm:1",
	     "\"change\":{\"join\":{\"unites\":true,\"leaves\":[],\"leaves_n\":0}");
	core_rig_fini(&rig);
}

Test(core, a_join_that_would_not_unite_says_what_it_would_break)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(1), "crm:2 phone:7");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "mail:a");
	rule(&rig, "r2", BB_RULING_JOIN, "crm:2", "phone:7");
	rule(&rig, "r3", BB_RULING_SPLIT, "crm:1", "crm:2");
	/* joined, all four would count once against per_profile: the split alone is in the way */
	SAYS(&rig, "mail:a", "phone:7",
	     "\"unites\":false,\"witness\":[{\"limit\":\"split\",\"pair\":[\"crm:1\",\"crm:2\"],"
	     "\"ruling\":{\"id\":\"r3\",");
	core_rig_fini(&rig);
}

Test(core, a_shared_identifier_says_its_counts_and_lists_its_owners)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 dev:d");
	core_say(&rig, day(2), "crm:2 dev:d");
	SAYS(&rig, "dev:d", NULL,
	     "\"shared\":{\"key\":\"dev:d\",\"counts\":[{\"of\":\"owners\",\"ns\":\"crm\","
	     "\"found\":2,\"allowed\":1,\"over\":true},{\"of\":\"links\",\"found\":2,"
	     "\"allowed\":20,\"over\":false},");
	SAYS(&rig, "dev:d", NULL, "\"owners\":[\"crm:1\",\"crm:2\"],\"owner_n\":2}");
	SAYS(&rig, "crm:1", NULL, "\"beside\":{\"shared\":[\"dev:d\"],\"shared_n\":1");
	SAYS(&rig, "crm:1", "dev:d", "\"why\":\"shared\",\"shared\":[{\"key\":\"dev:d\"");
	SAYS(&rig, "crm:1", "dev:d", "\"join\":{\"unites\":false,\"shared\":[\"dev:d\"]}");
	core_rig_fini(&rig);
}

/* The neighbours of a kiosk are counted until a cap is broken; its records are all counted. */
Test(core, an_identifier_in_very_many_records_is_counted_in_part)
{
	struct core_rig rig;
	char ids[32];

	core_rig_init(&rig);
	for (int i = 0; i < 10050; i++) {
		snprintf(ids, sizeof(ids), "crm:x%d dev:kiosk", i);
		core_apply(&rig, core_event(&rig, day(1), ids));
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	SAYS(&rig, "dev:kiosk", NULL, "{\"of\":\"records\",\"found\":10050,\"allowed\":5000,");
	SAYS(&rig, "dev:kiosk", NULL,
	     "\"ns\":\"crm\",\"found\":10000,\"allowed\":1,\"over\":true}");
	SAYS(&rig, "dev:kiosk", NULL, "\"at_least\":true");
	SAYS(&rig, "dev:kiosk", NULL, "\"owner_n\":10000}");
	core_rig_fini(&rig);
}

Test(core, a_blocked_identifier_says_by_what)
{
	struct bb_pattern *pattern = NULL;
	struct core_rig rig;
	struct bb_error err;

	core_rig_init(&rig);
	cr_assert_eq(bb_pattern_new("^till-", &pattern, &err), BB_OK);
	rig.ns[CORE_DEV].block = &pattern;
	rig.ns[CORE_DEV].block_n = 1;
	core_say(&rig, day(1), "crm:1 mail:none dev:till-4 phone:7");
	rule(&rig, "r1", BB_RULING_BLOCK, "phone:7", NULL);
	SAYS(&rig, "mail:none", NULL,
	     "{\"key\":\"mail:none\",\"profile\":null,\"blocked\":{\"key\":\"mail:none\","
	     "\"by\":\"rule\",\"rule\":\"junk.");
	SAYS(&rig, "mail:none", NULL,
	     "\"records\":1},\"change\":{\"allow\":{\"with\":[\"crm:1\"],\"with_n\":1}}}");
	SAYS(&rig, "dev:till-4", NULL,
	     "\"by\":\"rule\",\"rule\":\"pattern[0]\",\"pattern\":\"^till-\",\"records\":1");
	SAYS(&rig, "phone:7", NULL, "\"by\":\"ruling\",\"ruling\":{\"id\":\"r1\",");
	SAYS(&rig, "phone:none", NULL, "\"rule\":\"junk.word\",\"records\":0}}"); /* never seen */
	SAYS(&rig, "crm:1", NULL, "\"blocked\":[\"mail:none\",\"phone:7\",\"dev:till-4\"],");
	SAYS(&rig, "crm:1", "phone:7", "\"profiles\":[\"p");
	SAYS(&rig, "crm:1", "phone:7", "\"why\":\"blocked\",\"blocked\":[{\"key\":\"phone:7\"");
	SAYS(&rig, "crm:1", "phone:7",
	     "\"change\":{\"join\":{\"unites\":false,\"blocked\":[\"phone:7\"]},\"rulings\":{"
	     "\"steps\":[{\"ruling\":\"allow\",\"key\":\"phone:7\"}],\"unites\":true,");
	SAYS(&rig, "crm:1", "phone:none", "\"change\":null}"); /* there is nothing to allow yet */
	core_rig_fini(&rig);
	bb_pattern_free(pattern);
}

Test(core, an_allowed_identifier_is_explained_as_any_other)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:none");
	rule(&rig, "r1", BB_RULING_ALLOW, "mail:none", NULL);
	SAYS(&rig, "mail:none", NULL, "\"identifiers\":2");
	core_rig_fini(&rig);
}

Test(core, of_a_link_with_many_records_the_latest_are_shown)
{
	struct core_rig rig;
	char ids[48];

	core_rig_init(&rig);
	for (int i = 0; i < 30; i++) {
		snprintf(ids, sizeof(ids), "crm:1 mail:a dev:%d", i);
		core_say(&rig, day(i), ids);
	}
	SAYS(&rig, "crm:1", NULL, "\"events\":30,");
	SAYS(&rig, "crm:1", NULL, "\"record_n\":30}");
	SAYS(&rig, "crm:1", "mail:a",
	     "\"records\":[{\"source\":\"shop\",\"events\":1,"
	     "\"first_seen\":\"2026-01-30T00:00:00.000Z\"");
	int shown = 0;

	for (const char *at = rig.buf.p; (at = strstr(at, "\"source\"")); at++)
		shown++;
	cr_expect_eq(shown, 5);
	core_rig_fini(&rig);
}

Test(core, an_explanation_refuses_what_is_no_key_or_was_never_seen)
{
	static const struct {
		const char *a, *b;
		int rc;
	} rows[] = {{"nonsense", NULL, BB_EINVAL},    {"none:1", NULL, BB_EINVAL},
		    {"crm:", NULL, BB_EINVAL},	      {"crm:9", NULL, BB_ENOTFOUND},
		    {"crm:1", "nonsense", BB_EINVAL}, {"crm:1", "crm:9", BB_ENOTFOUND},
		    {"crm:9", "crm:1", BB_ENOTFOUND}};
	struct core_rig rig;

	core_rig_init(&rig);
	cr_expect_eq(ask(&rig, "crm:1", NULL), BB_ENOTFOUND, "a store with nothing in it");
	core_say(&rig, day(1), "crm:1 mail:a");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(ask(&rig, rows[i].a, rows[i].b), rows[i].rc, "%s %s", rows[i].a,
			     rows[i].b ? rows[i].b : "");
	core_rig_fini(&rig);
}

Test(core, an_explanation_by_other_rules_is_refused)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	rig.rules.max_identifiers = 7;
	cr_expect_eq(ask(&rig, "crm:1", NULL), BB_ECONFIG);
	core_rig_fini(&rig);
}

/* Every read of the store may fail, and does once. */
static void fail_each_read(struct core_rig *rig, const char *a, const char *b)
{
	static const int codes[] = {BB_EIO, BB_ECORRUPT};

	for (size_t k = 0; k < 2; k++)
		for (uint64_t nth = 1;; nth++) {
			bb_kvmem_fail_read(rig->mem, nth, codes[k]);
			int rc = ask(rig, a, b);

			bb_kvmem_fail_read(rig->mem, 0, 0);
			if (rc == BB_OK) {
				cr_expect_gt(nth, 8, "%s", a);
				break;
			}
			cr_assert_eq(rc, codes[k], "%s, read %llu", a, (unsigned long long)nth);
		}
}

Test(core, a_failing_store_ends_an_explanation_with_its_error)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a dev:d");
	core_say(&rig, day(1), "crm:1=crm:3 phone:7");
	core_say(&rig, day(2), "crm:2 mail:a");
	core_say(&rig, day(3), "crm:2 dev:d none:1 phone:none");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "phone:7");
	rule(&rig, "r2", BB_RULING_SPLIT, "crm:2", "phone:7");
	rule(&rig, "r3", BB_RULING_BLOCK, "crm:3", NULL);
	fail_each_read(&rig, "crm:1", NULL);
	fail_each_read(&rig, "dev:d", NULL);
	fail_each_read(&rig, "phone:none", NULL);
	fail_each_read(&rig, "crm:1", "phone:7");
	fail_each_read(&rig, "crm:2", "mail:a");
	fail_each_read(&rig, "crm:2", "phone:7");
	core_rig_fini(&rig);
}

/* --- what would unite two --------------------------------------------------------------------- */

#define BY_LIMITS(steps, rest) "\"limits\":{\"steps\":[" steps "],\"unites\":" rest
#define BY_RULINGS(steps, rest) "\"rulings\":{\"steps\":[" steps "],\"unites\":" rest
#define PER_PROFILE "{\"limit\":\"per_profile\",\"ns\":\"crm\",\"from\":1,\"to\":2}"
#define ALLOW_MAIL "{\"ruling\":\"allow\",\"key\":\"mail:a\"}"

Test(core, a_limit_is_named_with_the_number_that_unites)
{
	struct core_rig rig;

	core_rig_init(&rig);
	for (int i = 1; i <= 2; i++)
		core_say(&rig, day(i), "crm:1 mail:a");
	core_say(&rig, day(3), "crm:2 mail:a phone:7");
	SAYS(&rig, "crm:2", "mail:a", BY_LIMITS(PER_PROFILE, "true,\"leaves\":[],\"leaves_n\":0}"));
	rig.rules.max_identifiers = 3;
	core_rig_restart(&rig);
	for (int i = 1; i <= 2; i++)
		core_say(&rig, day(i), "crm:1 mail:a");
	core_say(&rig, day(3), "crm:2 mail:a phone:7");
	SAYS(&rig, "crm:2", "mail:a", /* at the cost of another */
	     BY_LIMITS(PER_PROFILE, "true,\"leaves\":[\"phone:7\"],\"leaves_n\":1}"));
	core_rig_fini(&rig);
}

/* An address of two owners: once it is no longer shared, one of them has it, and the other is
 * refused. */
Test(core, behind_what_is_shared_the_next_limit_is_found)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.ns[CORE_MAIL].owners = 1;
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(2), "crm:2 mail:a");
	SAYS(&rig, "crm:2", "mail:a", BY_RULINGS(ALLOW_MAIL, "true,"));
	SAYS(&rig, "crm:2", "mail:a",
	     BY_LIMITS("{\"limit\":\"owners\",\"ns\":\"mail\",\"from\":1,\"to\":2}", "true,"));
	SAYS(&rig, "crm:1", "mail:a",
	     BY_RULINGS(ALLOW_MAIL ",{\"ruling\":\"join\",\"pair\":[\"crm:1\",\"mail:a\"]}",
			"true,"));
	SAYS(&rig, "crm:1", "mail:a",
	     BY_LIMITS("{\"limit\":\"owners\",\"ns\":\"mail\",\"from\":1,\"to\":2}," PER_PROFILE,
		       "true,"));
	SAYS(&rig, "mail:a", NULL, "\"change\":{\"allow\":{\"with\":[\"crm:2\"],\"with_n\":1}}}");
	core_rig_fini(&rig);
}

Test(core, a_split_under_a_split_is_released_too)
{
	struct core_rig rig;

	core_rig_init(&rig);
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(1), "crm:2 phone:7");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "mail:a");
	rule(&rig, "r2", BB_RULING_JOIN, "crm:2", "phone:7");
	rule(&rig, "r3", BB_RULING_SPLIT, "crm:1", "crm:2");
	rule(&rig, "r4", BB_RULING_SPLIT, "crm:1", "crm:2");
	SAYS(&rig, "mail:a", "phone:7",
	     BY_RULINGS("{\"ruling\":\"join\",\"pair\":[\"mail:a\",\"phone:7\"]},"
			"{\"ruling\":\"release\",\"pair\":[\"crm:1\",\"crm:2\"],\"releases\":"
			"\"r4\"},"
			"{\"ruling\":\"release\",\"pair\":[\"crm:1\",\"crm:2\"],\"releases\":"
			"\"r3\"}",
			"true,"));
	SAYS(&rig, "mail:a", "phone:7", "\"limits\":null}}");
	core_rig_fini(&rig);
}

Test(core, what_no_ruling_and_no_limit_opens_says_what_is_in_the_way)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.rules.max_identifiers = 2;
	core_say(&rig, day(1), "crm:1 mail:a");
	core_say(&rig, day(1), "crm:2 phone:7");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "mail:a");
	SAYS(&rig, "crm:1", "phone:7", "\"change\":{\"join\":{\"unites\":false,\"witness\":[{");
	SAYS(&rig, "crm:1", "phone:7",
	     "\"unites\":false,\"next\":{\"from\":\"crm:1\",\"to\":\"phone:7\",\"kind\":"
	     "\"join\",\"witness\":[{\"limit\":\"max_identifiers\",\"allowed\":2,\"needed\":3}]}");
	SAYS(&rig, "crm:1", "phone:7", "\"limits\":null}}");
	core_rig_fini(&rig);
}

/* Who is joined to an identifier is its owner, but nobody else that it came with. */
Test(core, joined_neighbours_of_a_shared_identifier_count_as_they_do_for_it)
{
	struct core_rig rig;

	core_rig_init(&rig);
	rig.ns[CORE_MAIL].links = 1;
	core_say(&rig, day(1), "crm:1 mail:a phone:7 phone:8");
	rule(&rig, "r1", BB_RULING_JOIN, "crm:1", "mail:a");
	SAYS(&rig, "mail:a", NULL,
	     "\"counts\":[{\"of\":\"owners\",\"ns\":\"crm\",\"found\":1,\"allowed\":5,\"over\":"
	     "false},{\"of\":\"links\",\"found\":2,\"allowed\":1,\"over\":true},");
	core_rig_fini(&rig);
}

/* Of 200,000 records, each counted for each identifier concerned, nothing is tried. */
Test(core, what_is_too_large_is_said_not_to_have_been_tried)
{
	struct core_rig rig;
	char ids[96];

	core_rig_init(&rig);
	for (int i = 0; i < CORE_NAMESPACES; i++)
		rig.ns[i].owners = rig.ns[i].links = rig.ns[i].devices = rig.ns[i].records =
			BB_NO_LIMIT;
	rig.ns[CORE_DEV].per_profile = 1;
	for (int i = 0; i < 33500; i++) {
		snprintf(ids, sizeof(ids), "crm:1 mail:a mail:b mail:c mail:d mail:e dev:%d", i);
		core_apply(&rig, core_event(&rig, day(1), ids));
	}
	cr_assert_eq(core_end(&rig), BB_OK);
	core_say(&rig, day(2), "phone:7");
	SAYS(&rig, "crm:1", "mail:a", "\"parts\":null,\"alone\":null,\"split\":{\"parts\":null}}}");
	SAYS(&rig, "crm:1", "phone:7", "\"change\":{\"join\":{\"unites\":null},\"rulings\":null,");
	core_rig_fini(&rig);
}
